"""Adverse events: how many patients of each group had which, by CTCAE grade, from a table of events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import Bools, Floats, Ints
from itp_response.outputs.statistics.groups import Groups
from itp_response.outputs.statistics.tables import Number, Table, once, percent, plainly
from itp_response.readers.cells import as_numbers, as_truths
from itp_response.readers.column_names import missing_column, read_table
from itp_response.readers.patients import positions_of
from itp_response.readers.problems import Problems, as_text, quoted

STOPPED = "led_to_discontinuation"
COLUMNS = ("patient_id", "event", "grade", STOPPED)
GRADES = (1, 2, 3, 4, 5)
SEVERE = (3, 4)
FATAL = 5


@dataclass(frozen=True)
class Events:
    """Adverse events as recorded, an entry each."""

    patient: Ints
    """Position in the cohort."""
    event: pl.Series
    grade: Floats
    """CTCAE 1 to 5; NaN: not recorded."""
    stopped: Bools
    """It led to the end of treatment."""
    knows_stopped: bool
    """The table says so of each."""
    source: str


def read_events(given: Any, cohort: Cohort) -> Events:
    """The adverse events of a table: `patient_id`, `event`, `grade` and, if there is one, `led_to_discontinuation`.

    Raises `CohortError` with all that is wrong with it: columns that are missing, a patient who is not in the study,
    an event without a name, what is no CTCAE grade.
    """
    found = Problems()
    named = read_table(given, "events", 2, COLUMNS, (), found)
    if named is None:
        raise found.error()
    for name in ("patient_id", "event", "grade"):
        if not named.has(name):
            found.wrong(named.location, missing_column(name, named.written))
    found.raise_if_wrong()
    ids, event = (as_text(named.cells(name).values) for name in ("patient_id", "event"))
    patient = positions_of(ids, cohort.id)
    strange = np.flatnonzero(patient < 0)
    found.wrong_cells(
        named.cells("patient_id"), strange, lambda text: f"{quoted(text)} is not in the study; correct it."
    )
    nameless = np.flatnonzero(event.is_null().to_numpy())
    found.wrong_cells(named.cells("event"), nameless, lambda _: "the event is missing; fill it in.")
    grades = as_numbers(named.cells("grade"), found, least=0.0, wrong=_no_grade)
    off = ~np.isnan(grades.low) & ((grades.low != grades.high) | ~np.isin(grades.low, GRADES))
    found.wrong_cells(named.cells("grade"), np.flatnonzero(off), _no_grade)
    stopped = as_truths(named.cells(STOPPED), found).true
    found.raise_if_wrong()
    return Events(patient, event, grades.low, stopped, named.has(STOPPED), named.location.name)


def _no_grade(text: str) -> str:
    return f"{quoted(text)} is no CTCAE grade; give 1, 2, 3, 4 or 5, or leave the cell empty."


def events(found: Events, groups: Groups, least: float = 2.0) -> Table:
    """Patients with adverse events by group, each once in a row however often he had it.

    Of single events those are shown which at least `least` per cent of all patients had, and all of grade 3 or 4.
    """
    made = _Made(found, groups)
    rows = [made.row("deaths (grade 5)", found.grade == FATAL), ("patients with an adverse event",)]
    rows.append(made.row("  any", np.ones(len(found.grade), dtype=np.bool_)))
    rows.append(made.row("  any of grade 3 or 4", made.severe))
    if found.knows_stopped:
        rows.append(made.row("  any that led to the end of treatment", found.stopped))
    everyone = sum(groups.sizes())
    wide = [name for name, number in made.by_event(made.any) if number >= least / 100 * everyone]
    rows.append((f"events of at least {plainly(least)} % of all patients",))
    rows += [made.row(f"  {name}", made.named(name), "") for name in wide]
    rows.append(("events of grade 3 or 4",))
    rows += [made.row(f"  {name}", made.named(name) & made.severe, "3-4") for name, _ in made.by_event(made.severe)]
    unknown_ = int(np.isnan(found.grade).sum())
    rare = len(made.by_event(made.any)) - len(wide)
    notes = [
        "Patients (%), each once in a row, by the grades of the CTCAE.",
        f"{rare} rarer event{'s are' if rare > 1 else ' is'} not shown by name." if rare else "",
        f"{unknown_} without a grade, in no row of a grade." if unknown_ else "",
    ]
    title = "Adverse events"
    return Table("events", title, ("", *groups.headed()), tuple(rows), tuple(made.numbers), once(notes))


class _Made:
    """The rows, and the numbers behind them."""

    def __init__(self, found: Events, groups: Groups) -> None:
        self._found, self._groups = found, groups
        self.numbers: list[Number] = []
        self.any: Bools = np.ones(len(found.grade), dtype=np.bool_)
        self.severe: Bools = np.isin(found.grade, SEVERE)

    def named(self, name: str) -> Bools:
        return (self._found.event == name).to_numpy()

    def by_event(self, where: Bools) -> Sequence[tuple[str, int]]:
        """The events and how many patients in the groups had them, the most frequent first."""
        here = where & (self._groups.code[self._found.patient] >= 0)
        had = pl.DataFrame({"event": self._found.event, "patient": self._found.patient}).filter(pl.Series(here))
        counts = had.group_by("event").agg(pl.col("patient").n_unique())
        return list(counts.sort(["patient", "event"], descending=[True, False]).iter_rows())

    def row(self, label: str, where: Bools, level: str = "") -> tuple[str, ...]:
        """How many patients of each group had an event of these."""
        had = np.zeros(len(self._groups.code), dtype=np.bool_)
        had[self._found.patient[where]] = True
        counts = [int((had & (self._groups.code == code)).sum()) for code in range(len(self._groups.labels))]
        name = label.strip()
        self.numbers += self._numbers(name, counts, level)
        shares = zip(counts, self._groups.sizes(), strict=True)
        return (label, *(f"{count} ({percent(count / size)})" if size else "0" for count, size in shares))

    def _numbers(self, name: str, counts: Sequence[int], level: str) -> Iterator[Number]:
        for group, count, size in zip(self._groups.labels, counts, self._groups.sizes(), strict=True):
            yield Number(name, group, "n", float(count), level=level)
            yield Number(name, group, "N", float(size), level=level)
            yield Number(name, group, "share", count / size if size else None, level=level)
