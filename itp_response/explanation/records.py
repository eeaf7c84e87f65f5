"""Records: the observations that a verdict rests on, or was looked for in, and what each did for the endpoint."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.texts import count_in_words
from itp_response.cohort.values import NO_DAY, NONE
from itp_response.evaluation.endpoints.account import ASIDE, BEFORE, CLOSED, NO_COUNT, OUTSIDE, Event
from itp_response.evaluation.rules.tree import Rule, names_in
from itp_response.explanation.deciding import clause_in_words
from itp_response.explanation.meanings import Meanings, excluded_in_words, undefined_in_words
from itp_response.explanation.one_patient import DecidedEndpoint
from itp_response.messages.wording import counted, number_in_words

ALIKE = 4
"""The number of consecutive records with the same meaning that are put in one line."""


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


class WrittenRows:
    """What the rows of a patient are in words, each made once for all endpoints."""

    def __init__(self, cohort: Cohort) -> None:
        self._cohort = cohort
        self._rows: dict[int, tuple[str, str]] = {}

    def at(self, row: int) -> tuple[str, str]:
        """What was observed on a row, and where it stands."""
        if row not in self._rows:
            self._rows[row] = _observed(self._cohort, row), self._cohort.source_of(row)
        return self._rows[row]


def explained_rows(decided: DecidedEndpoint, written: WrittenRows) -> list[ExplainedRow]:
    """The observations that the verdict rests on, or was looked for in, by day."""
    if decided.model.sums_up:
        return []
    return sorted([*_observations(decided, written), *_without_a_row(decided)], key=lambda row: row.day)


class FoldedRows(NamedTuple):
    """A line of an explanation: one row, or many alike."""

    day: int
    """The first day."""
    days: str
    observed: str
    means: str
    source: str


def folded(rows: Sequence[ExplainedRow]) -> Iterator[FoldedRows]:
    """The rows as lines; many alike in a row are one, and of those that were not looked at also few."""
    for (means, aside), group in groupby(rows, key=lambda row: (row.means, row.aside)):
        alike = list(group)
        if len(alike) < (2 if aside else ALIKE):
            yield from (FoldedRows(row.day, f"day {row.day}", row.observed, row.means, row.source) for row in alike)
        else:
            days, each = f"day {alike[0].day} to {alike[-1].day}", "" if aside else "each "
            if alike[0].part:
                observed = counted(len(alike), "observation")
            else:
                observed = f"{counted(len(alike), 'visit')}, {alike[0].observed}"
            yield FoldedRows(alike[0].day, days, observed, f"{each}{means}", "")


def _observations(decided: DecidedEndpoint, written: WrittenRows) -> Iterator[ExplainedRow]:
    """The rows of the patient; of an endpoint that looks at none by itself, those with a meaning of their own."""
    account, cohort = decided.account, decided.cohort
    own = [(int(mark.row[0]), mark.says) for mark in account.marks if mark.row[0] != NONE]
    own += [(int(event.row[0]), _ends_it(event, decided)) for event in account.events if event.row[0] != NONE]
    looks = bool(decided.model.row_rules())
    rows = np.arange(len(cohort.day)) if looks else np.array(sorted({row for row, _ in own}), dtype=np.int64)
    meanings = Meanings(decided.model, account, decided.patient_days, of_one_patient=True)
    codes = meanings.codes(rows).tolist()
    for row, code in zip(rows.tolist(), codes, strict=True):
        meaning = meanings.sentences[code]
        says = [says for of_row, says in own if of_row == row]
        part = int(account.part[row])
        # What begins or ends the window says more than that the row lies outside it.
        is_said = looks and not (says and part in (BEFORE, CLOSED, OUTSIDE, NO_COUNT))
        visit = [] if account.visit is None else _for_visit(int(account.visit[row]), int(cohort.day[row]))
        observed, source = written.at(row)
        yield ExplainedRow(
            day=int(cohort.day[row]),
            observed=observed,
            means="; ".join([*visit, *([meaning] if is_said else []), *says]),
            source=source,
            line=int(cohort.source_row[row]),
            part=decided.part_of(row),
            aside=looks and not says and part in ASIDE,
        )


def _for_visit(visit: int, day: int) -> list[str]:
    return [] if visit in (NO_DAY, day) else [f"for day {visit}"]


def _ends_it(event: Event, decided: DecidedEndpoint) -> str:
    """What the event that ends the window is, in words."""
    if isinstance(event.what, Rule):
        row = int(event.row[0])
        return f"ends assessment: {clause_in_words(event.what.tree, decided.patient_days, row, holds=True)}"
    return f"{event.what}: observations from this day on are not assessed"


def _without_a_row(decided: DecidedEndpoint) -> Iterator[ExplainedRow]:
    """The planned visits without a count, the day of discontinuation where that excludes, and recorded days."""
    for mark in decided.account.days:
        if mark.day[0] != NO_DAY:
            yield ExplainedRow(int(mark.day[0]), "no observation", mark.says, "", 0)
    for missed in decided.account.missed:
        if missed.where[0]:
            yield ExplainedRow(int(missed.day[0]), missed.observed, missed.says, "", 0)
    stopped = float(decided.cohort.treatment_discontinued[0])
    rule = decided.model.unless if decided.is_defined else decided.model.only
    if decided.is_excluded and np.isfinite(stopped) and "treatment_discontinued" in names_in(rule.tree):
        says = f"{decided.model.if_excluded}: {excluded_in_words(decided.model)}"
        if not decided.is_defined:
            says = undefined_in_words(decided.model)
        yield ExplainedRow(int(stopped), "discontinued", says, "", 0)


def _observed(cohort: Cohort, row: int) -> str:
    """The count, the bleeding and the rescue treatment of a row, in words."""
    words = [count_in_words(float(cohort.platelets.low[row]), float(cohort.platelets.high[row]))]
    grade = float(cohort.bleeding_grade[row])
    if grade > 0:
        words.append(f"bleeding grade {number_in_words(grade)}")
    if cohort.rescue[row]:
        words.append("rescue")
    return ", ".join(filter(None, words)) or "no count"
