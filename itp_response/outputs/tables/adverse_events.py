"""Adverse events: how many patients of each group had each event, by CTCAE grade."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import Bools, Floats, Ints
from itp_response.messages.wording import counted
from itp_response.outputs.statistics.groups import Groups
from itp_response.outputs.statistics.tables import Number, Table, TableRows, numbers_of, percent, plainly
from itp_response.outputs.tables.further_tables import named_table, refuse_beside_a_cut
from itp_response.readers.cells import as_numbers, as_truths
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

    @property
    def all(self) -> Bools:
        return np.ones(len(self.grade), dtype=np.bool_)

    @property
    def severe(self) -> Bools:
        return np.isin(self.grade, SEVERE)

    def named(self, name: str) -> Bools:
        return (self.event == name).to_numpy()

    def by_frequency(self, selected: Bools, groups: Groups) -> list[tuple[str, int]]:
        """The selected events and how many patients in the groups had each, the most frequent first."""
        events_of_groups = selected & groups.inside[self.patient]
        frame = pl.DataFrame({"event": self.event, "patient": self.patient}).filter(pl.Series(events_of_groups))
        counts = frame.group_by("event").agg(pl.col("patient").n_unique())
        return list(counts.sort(["patient", "event"], descending=[True, False]).iter_rows())


def read_events(given: Any, cohort: Cohort) -> Events:
    """The adverse events of a table: `patient_id`, `event`, `grade` and optionally `led_to_discontinuation`.

    Raises `CohortError` with all that is wrong with it: missing columns, patients who are not in the study, events
    without a name, grades that are not in the CTCAE. Raises `UsageError` beside a study that was cut.
    """
    problems = Problems()
    refuse_beside_a_cut(cohort, "events")
    named = named_table(given, "events", COLUMNS, ("patient_id", "event", "grade"), problems)
    ids, event = (as_text(named.cells(name).values) for name in ("patient_id", "event"))
    patient = positions_of(ids, cohort.id)
    unknown_patients = np.flatnonzero(patient < 0)
    problems.wrong_cells(
        named.cells("patient_id"),
        unknown_patients,
        lambda text: f"patient {quoted(text)} is not in the study; correct the id.",
    )
    nameless = np.flatnonzero(event.is_null().to_numpy())
    problems.wrong_cells(named.cells("event"), nameless, lambda _: "the name of the event is missing; fill it in.")
    grades = as_numbers(named.cells("grade"), problems, least=0.0, wrong=_no_grade)
    off = ~np.isnan(grades.low) & ((grades.low != grades.high) | ~np.isin(grades.low, GRADES))
    problems.wrong_cells(named.cells("grade"), np.flatnonzero(off), _no_grade)
    stopped = as_truths(named.cells(STOPPED), problems).true
    problems.raise_if_wrong()
    return Events(patient, event, grades.low, stopped, named.has(STOPPED))


def _no_grade(text: str) -> str:
    return f"{quoted(text)} is not a CTCAE grade; give 1, 2, 3, 4 or 5, or leave the cell empty."


def events(recorded: Events, groups: Groups, least: float = 2.0) -> Table:
    """Patients with adverse events by group; a patient counts once in a row, however often the event occurred.

    Single events are shown where at least `least` per cent of all patients had them, and all of grade 3 or 4.
    """
    rows = TableRows()
    severe = recorded.severe
    _add(rows, recorded, groups, "Fatal events (grade 5)", recorded.grade == FATAL)
    rows.heading("Patients with at least one event")
    _add(rows, recorded, groups, "  any grade", recorded.all)
    _add(rows, recorded, groups, "  grade 3 or 4", severe)
    if recorded.knows_stopped:
        _add(rows, recorded, groups, "  led to discontinuation of treatment", recorded.stopped)
    by_frequency = recorded.by_frequency(recorded.all, groups)
    patients = sum(groups.sizes())
    frequent = [name for name, number in by_frequency if number >= least / 100 * patients]
    rows.heading(f"Events in at least {plainly(least)}% of all patients")
    for name in frequent:
        _add(rows, recorded, groups, f"  {name}", recorded.named(name))
    rows.heading("Events of grade 3 or 4")
    for name, _ in recorded.by_frequency(severe, groups):
        _add(rows, recorded, groups, f"  {name}", recorded.named(name) & severe, "3-4")
    ungraded = int(np.isnan(recorded.grade).sum())
    rare = len(by_frequency) - len(frequent)
    notes = [
        "Number of patients (%); a patient counts once per row. Grades by CTCAE.",
        f"{counted(rare, 'rarer event')} not listed by name." if rare else "",
        f"{counted(ungraded, 'event')} without a grade, in no row for a grade." if ungraded else "",
    ]
    return rows.table("events", "Adverse events", ("", *groups.headed()), notes)


def _add(rows: TableRows, recorded: Events, groups: Groups, label: str, selected: Bools, level: str = "") -> None:
    """A row: how many patients of each group had one of the selected events."""
    had = np.zeros(len(groups.code), dtype=np.bool_)
    had[recorded.patient[selected]] = True
    counts = [int((had & member).sum()) for member in groups.members]
    sizes = groups.sizes()
    cells = [f"{count} ({percent(count / size)})" if size else "0" for count, size in zip(counts, sizes, strict=True)]
    rows.add((label, *cells), _numbers(label.strip(), groups, counts, level))


def _numbers(name: str, groups: Groups, counts: Sequence[int], level: str) -> Iterator[Number]:
    for group, count, size in zip(groups.labels, counts, groups.sizes(), strict=True):
        statistics = {"n": float(count), "N": float(size), "share": count / size if size else None}
        yield from numbers_of(name, group, statistics, level=level)
