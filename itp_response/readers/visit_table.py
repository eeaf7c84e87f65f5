"""Written: the visits of a table, or of a part of it, column by column as they were written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from itp_response.cohort.declared_columns import ColumnDeclared
from itp_response.cohort.values import Bools, Column, Floats, Numbers, Texts, exactly
from itp_response.readers.cells import (
    as_counts,
    as_day_numbers,
    as_days,
    as_declared,
    as_grades,
    as_rescue,
    imputed,
    is_empty,
    note_partial,
)
from itp_response.readers.column_names import STUDY_DAYS, NamedTable, missing_column
from itp_response.readers.problems import Cells, Problems, quoted
from itp_response.readers.runs import Runs


@dataclass(frozen=True)
class VisitTable:
    """The visits as written; an entry per row. A grade that is not recorded is NaN."""

    table: NamedTable
    patient_ids: Runs
    """The patients, as texts."""
    dated: bool
    when: Numbers
    """Days of the calendar where `dated`, else of the column `day`; NaN: not given."""
    rescue_end: Numbers
    """In the same days."""
    platelets: Numbers
    bleeding_grade: Floats
    rescue: Bools
    rescue_name: Texts
    columns: Mapping[str, Column]
    recorded: Bools
    """Something was observed."""
    not_imputed: tuple[Numbers, Numbers]
    """`when` and `rescue_end` before anything was imputed."""

    @property
    def time(self) -> Cells:
        return self.table.cells("date" if self.dated else "day")

    @property
    def scored(self) -> bool:
        """There is a grade of 0, which only those write down who score bleeding at visits."""
        return bool((self.bleeding_grade == 0).any())


def check_header(table: NamedTable, declared: Mapping[str, ColumnDeclared], problems: Problems) -> None:
    """Say what is wrong with the columns of the table of visits."""
    check_columns(table, ("patient_id", "platelets"), problems)
    check_declared(table, declared, problems)
    _check_times(table, problems)


def read_visits(
    table: NamedTable,
    declared: Mapping[str, ColumnDeclared],
    date_format: str | None,
    bleeding: str | None,
    impute: str | None,
    problems: Problems,
) -> VisitTable:
    """The visits of that table, or of a part of one; `bleeding` is what was told of it."""
    dated = table.has("date")
    table.report_cell_problems(problems)

    def times(name: str) -> Numbers:
        if not dated:
            return exactly(as_days(table.cells(name), problems))
        days = as_day_numbers(table.cells(name), problems, date_format)
        note_partial(table.cells(name), days, problems, impute)
        return days

    when, rescue_end = _in_order(times("date" if dated else "day"), times("rescue_end"))
    platelets = as_counts(table.cells("platelets"), problems)
    grade = as_grades(table.cells("bleeding_grade"), problems)
    rescue, rescue_name = as_rescue(table.cells("rescue"), problems)
    recorded = ~np.isnan(platelets.low) | ~np.isnan(grade) | rescue
    columns: dict[str, Column] = {}
    for name, column in declared.items():
        columns[name], given = as_declared(table.cells(name), column, problems)
        recorded |= given
    note_bleeding(table, grade, bleeding, problems)
    made = VisitTable(
        table=table,
        patient_ids=Runs.of_cells(table.cells("patient_id").values),
        dated=dated,
        when=imputed(when, impute),
        rescue_end=imputed(rescue_end, impute),
        platelets=platelets,
        bleeding_grade=grade,
        rescue=rescue,
        rescue_name=rescue_name,
        columns=columns,
        recorded=recorded,
        not_imputed=(when, rescue_end),
    )
    _check_visits(made, problems)
    return made


def _in_order(begin: Numbers, end: Numbers) -> tuple[Numbers, Numbers]:
    """Of days known only as intervals, those on which a treatment does not end before it begins."""
    if begin.exact and end.exact:
        return begin, end
    possible = begin.low <= end.high
    last = np.where(possible, np.minimum(begin.high, end.high), begin.high)
    return Numbers(begin.low, last), Numbers(np.where(possible, np.maximum(begin.low, end.low), end.low), end.high)


def _check_times(table: NamedTable, problems: Problems) -> None:
    date, day = table.has("date"), table.has("day")
    if date and day:
        names = f"{table.header['date']!r} and {table.header['day']!r}"
        cure = "keep the day if it counts from enrolment as day 0, else the date"
        problems.wrong(table.location, f"{names} both say when a visit was; drop one: {cure}.")
    elif not date and not day:
        study_days = [name for name in table.written if name.lower() in STUDY_DAYS]
        if study_days:
            problems.wrong(
                table.location, f"{study_days[0]!r} is CDISC's study day, which has no day 0; give the date."
            )
        else:
            problems.wrong(table.location, missing_column("date", table.written, "day"))


def note_bleeding(table: NamedTable, grade: Floats, bleeding: str | None, problems: Problems) -> None:
    """Say what an empty grade is taken for, which hangs on all grades of the table."""
    if bleeding is not None:
        problems.note(table.location, f"Bleeding was taken as told: {bleeding}.")
        return

    def scored(zeros: int, _: Sequence[str]) -> str:
        text = "Bleeding has grades of 0, so it is scored at visits, and not known where there is no grade. "
        return f"{text}If there was none then, say --bleeding events." if zeros else ""

    def log(zeros: int, graded: Sequence[str], what: str = "Bleeding has no grade of 0") -> str:
        text = "so grades are a log of events, and there was no bleeding where there is no grade."
        return "" if zeros or not graded else f"{what}, {text} If that is not known, say --bleeding scored."

    def nothing(zeros: int, graded: Sequence[str]) -> str:
        return "" if graded else log(zeros, ["none"], "No bleeding grade is recorded")

    zeros, graded = int((grade == 0).sum()), () if np.isnan(grade).all() else ("some",)
    for about, said in (("scored", scored), ("events", log), ("no grade", nothing)):
        problems.count(table.location, about, said, zeros, graded, warning=said is nothing)


def _check_visits(visits: VisitTable, problems: Problems) -> None:
    table, end = visits.table, visits.table.cells("rescue_end")
    ended = ~np.isnan(visits.rescue_end.low)
    missing_id = visits.recorded & visits.patient_ids.missing
    problems.wrong_cells(
        table.cells("patient_id"), np.flatnonzero(missing_id), lambda _: "the patient is missing; fill it in."
    )
    if table.has("date") or table.has("day"):
        rows = np.flatnonzero(visits.recorded & np.isnan(visits.when.low))
        rows = rows[is_empty(visits.time, rows)]
        problems.wrong_cells(
            visits.time, rows, lambda _: f"the {'date' if visits.dated else 'day'} is missing; fill it in."
        )
    problems.wrong_cells(
        end,
        np.flatnonzero(ended & ~visits.rescue),
        lambda text: f"{quoted(text)} ends a rescue that did not begin; name the rescue in the same row.",
    )
    problems.wrong_cells(
        end,
        np.flatnonzero(ended & visits.rescue & (visits.rescue_end.high < visits.when.low)),
        lambda text: f"{quoted(text)} lies before the rescue begins; correct one of the two.",
    )


def check_columns(table: NamedTable, names: tuple[str, ...], problems: Problems) -> None:
    for name in names:
        if not table.has(name):
            problems.wrong(table.location, missing_column(name, table.written))


def check_declared(table: NamedTable, declared: Mapping[str, ColumnDeclared], problems: Problems) -> None:
    """A column that is not there is as good as empty where an empty cell means something; that is said."""
    for name, column in declared.items():
        if table.has(name):
            continue
        # Only a name that is very like it is likely to be meant.
        if column.empty == "unknown" or get_close_matches(name, table.written, 1, cutoff=0.8):
            problems.wrong(table.location, missing_column(name, table.written))
        else:
            means = str(column.empty).lower() if isinstance(column.empty, bool) else repr(column.empty)
            problems.note(table.location, f"There is no column {name!r}; taken as {means} throughout.", warning=True)
