"""Records: the observations that a verdict rests on, or was looked for in, and what each did for the endpoint."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from itp_response.cohort.values import NONE
from itp_response.evaluation.endpoints.account import PARTS
from itp_response.explanation.decided import DecidedColumns, DecidedEndpoint
from itp_response.explanation.entries import WrittenRows, entries_of, lines_of
from itp_response.messages.wording import counted


@dataclass(frozen=True)
class ExplainedRow:
    """One observation of an explanation, or a planned visit without one, or a day on which something ends it."""

    day: int
    observed: str
    means: str
    source: str
    """Where it stands, `visits.csv line 12`; empty: it stands nowhere."""
    line: int
    """The line of the source; 0: none."""
    part: str = ""
    """The part it played, a word of `evaluation.endpoints.account.PARTS`; empty: it is no observation."""
    aside: bool = False
    """It was not looked at."""


class FoldedRows(NamedTuple):
    """A line of an explanation: one row, or many alike."""

    day: int
    """The first day."""
    days: str
    observed: str
    means: str
    source: str


class ExplainedRows:
    """The observations that the verdicts on an endpoint rest on, or were looked for in, patient by patient."""

    def __init__(self, columns: DecidedColumns, written: WrittenRows) -> None:
        self._written = written
        self._entries = entries_of(columns, written)
        self._patients = np.arange(columns.patient_days.patients + 1)

    def rows(self, decided: DecidedEndpoint) -> Iterator[ExplainedRow]:
        """Those of one patient, by day; none where their days are not known."""
        texts, written = self._written.sentences.texts, self._written
        begin = np.searchsorted(self._entries.patient, self._patients[decided.position : decided.position + 2])
        of_patient = slice(*begin.tolist()) if decided.has_days else slice(0)
        for entry in zip(*(column[of_patient].tolist() for column in self._entries), strict=True):
            _, day, observed, means, row, part, aside = entry
            yield ExplainedRow(
                day=day,
                observed=texts[observed],
                means=texts[means],
                source=written.source(row),
                line=0 if row == NONE else int(written.cohort.source_row[row]),
                part="" if row == NONE else PARTS[part],
                aside=aside,
            )

    def lines(self, decided: DecidedEndpoint) -> Iterator[FoldedRows]:
        """The same as lines; many alike in a row are one, and of those that were not looked at also few."""
        begin, lines = self._lines
        texts = self._written.sentences.texts
        of_patient = slice(*begin[decided.position : decided.position + 2]) if decided.has_days else slice(0)
        for size, day, last, observed, means, row, aside in lines[of_patient]:
            if size == 1:
                source = self._written.source(row)
                yield FoldedRows(day, f"day {day}", texts[observed], texts[means], source)
                continue
            each = "" if aside else "each "
            alike = counted(size, "observation") if row != NONE else f"{counted(size, 'visit')}, {texts[observed]}"
            yield FoldedRows(day, f"day {day} to {last}", alike, f"{each}{texts[means]}", "")

    @cached_property
    def _lines(self) -> tuple[list[int], list[tuple[int, ...]]]:
        """Where the lines of each patient begin, and the lines: their size, days, codes, and first row."""
        entries, (first, size) = self._entries, lines_of(self._entries)
        of_first = (entries.observed, entries.means, entries.row, entries.aside)
        columns = (size, entries.day[first], entries.day[first + size - 1], *(column[first] for column in of_first))
        begin: list[int] = np.searchsorted(entries.patient[first], self._patients).tolist()
        return begin, list(zip(*(column.tolist() for column in columns), strict=True))
