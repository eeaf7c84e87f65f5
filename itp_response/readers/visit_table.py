"""Visit table: the visits of a table, or of a chunk of it, read column by column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import polars as pl

from itp_response.cohort.declared_columns import ColumnDeclared
from itp_response.cohort.values import Bools, Column, Floats, Numbers, Texts, exactly
from itp_response.messages.codes import Code
from itp_response.readers.cell_errors import without_cell_errors
from itp_response.readers.cells import as_declared, as_grades, as_rescue, is_empty
from itp_response.readers.column_names import STUDY_DAYS, NamedTable, missing_column
from itp_response.readers.count_units import CountUnit, ask_about_like_units, counts_of, note_unused
from itp_response.readers.dates import as_day_numbers, as_days, ask_numbering, imputed, note_partial
from itp_response.readers.ids import check_long, note_not_given
from itp_response.readers.missing_codes import check_day_codes, not_known_rows, without_codes
from itp_response.readers.options import ReadOptions
from itp_response.readers.plausible_counts import expect_decimals
from itp_response.readers.problems import Cells, NoteText, Problems, as_text, quoted
from itp_response.readers.runs import Runs
from itp_response.readers.told import Told
from itp_response.readers.treatments import RescueWords

GRADE_0, NO_GRADE_0, NO_GRADE = "Grade 0 occurs", "Grade 0 does not occur", "No bleeding grade is recorded"
"""The beginnings of the notes on bleeding. If parts of a study differ, the first of these holds for the whole."""


@dataclass(frozen=True)
class VisitTable:
    """The visits; one entry per row. NaN: not recorded."""

    table: NamedTable
    patient_ids: Runs
    """As texts."""
    dated: bool
    when: Numbers
    """Days since 1970 where `dated`, else the column `day`."""
    rescue_end: Numbers
    """As `when`."""
    platelets: Numbers
    """In 10⁹/L."""
    unit: CountUnit
    bleeding_grade: Floats
    rescue: Bools
    rescue_name: Texts
    rescue_term: Texts
    """The name as it is written."""
    columns: Mapping[str, Column]
    recorded: Bools
    """The rows with a count, a grade, a rescue or a declared column."""
    not_imputed: tuple[Numbers, Numbers]
    """`when` and `rescue_end` before dates were imputed."""
    told: Told
    not_known: Bools | None = None
    """The rows with a grade that is said to be not known; None: there is none."""

    @property
    def time(self) -> Cells:
        """The column of dates, or of days."""
        return self.table.cells("date" if self.dated else "day")

    @property
    def has_grade_0(self) -> bool:
        """There is a grade of 0, which is written down only where bleeding is scored at visits."""
        return bool((self.bleeding_grade == 0).any())

    @property
    def converted(self) -> bool:
        """Some count was not in 10⁹/L."""
        return self.unit.converted

    @property
    def grade_not_known(self) -> Bools:
        """The rows in which it is written that the grade is not known, or a grade that cannot be read."""
        if self.not_known is None:
            return np.zeros(len(self.bleeding_grade), dtype=np.bool_)
        return self.not_known


def check_header(
    table: NamedTable, declared: Mapping[str, ColumnDeclared], options: ReadOptions, problems: Problems
) -> None:
    """Report what is wrong with the header of the table of visits."""
    check_columns(table, ("patient_id", "platelets"), problems)
    check_declared(table, declared, problems)
    _check_times(table, problems)
    note_unused(table, problems)
    ask_about_like_units(table, "platelets", "unit", options, problems)


def read_visits(
    table: NamedTable,
    declared: Mapping[str, ColumnDeclared],
    options: ReadOptions,
    problems: Problems,
) -> VisitTable:
    """The visits of a table, or of a chunk of it."""
    told = options.told | table.told
    not_known = not_known_rows(table, "bleeding_grade", told) | table.has_left_out("bleeding_grade")
    table = without_codes(without_cell_errors(table, problems), told, problems)
    table.report_cell_problems(problems)
    when, rescue_end = _when_and_end(table, options, problems)
    platelets, unit = counts_of(table, "platelets", "unit", options, problems)
    expect_decimals(table.cells("platelets"), options.accept, problems)
    grade = as_grades(table.cells("bleeding_grade"), problems)
    rescue, rescue_name, rescue_term = as_rescue(table.cells("rescue"), problems, RescueWords.told(told))
    recorded = ~np.isnan(platelets.low) | ~np.isnan(grade) | rescue | not_known | table.has_left_out(*table.left_out)
    columns, given = _declared(table, declared, problems)
    note_bleeding(table, grade, options.bleeding, problems)
    visits = VisitTable(
        table=table,
        patient_ids=_patient_ids(table, options, problems),
        dated=table.has("date"),
        when=imputed(when, options.impute),
        rescue_end=imputed(rescue_end, options.impute),
        platelets=platelets,
        unit=unit,
        bleeding_grade=grade,
        rescue=rescue,
        rescue_name=rescue_name,
        rescue_term=rescue_term,
        columns=columns,
        recorded=recorded | given,
        not_imputed=(when, rescue_end),
        told=told,
        not_known=not_known if not_known.any() else None,
    )
    _check_visits(visits, problems)
    return visits


def _patient_ids(table: NamedTable, options: ReadOptions, problems: Problems) -> Runs:
    cells = table.cells("patient_id")
    # Only one cell of each run is made a text.
    ids = table.written_ids.trimmed if cells.values.dtype == pl.String else Runs.of(as_text(cells.values))
    check_long(cells, ids, options.long_ids, problems)
    note_not_given(cells, ids.names, problems)
    return ids


def _declared(
    table: NamedTable, declared: Mapping[str, ColumnDeclared], problems: Problems
) -> tuple[dict[str, Column], Bools]:
    """The columns that the criteria declare, and the rows in which one of them is filled in."""
    columns: dict[str, Column] = {}
    filled: Bools = np.zeros(len(table.frame), dtype=np.bool_)
    for name, column in declared.items():
        columns[name], given = as_declared(table.cells(name), column, problems)
        filled |= given
    return columns, filled


def _when_and_end(table: NamedTable, options: ReadOptions, problems: Problems) -> tuple[Numbers, Numbers]:
    """When each visit was, and when its rescue treatment ended."""
    dated = table.has("date")
    begin, end = (
        _times(table.cells(name), dated, options, problems) for name in ("date" if dated else "day", "rescue_end")
    )
    if not dated:
        ask_numbering(table.cells("day"), begin.low, options.day_numbering, problems)
        check_day_codes(table, "day", begin.low, options.told | table.told, problems)
    return _possible(begin, end)


def _times(cells: Cells, dated: bool, options: ReadOptions, problems: Problems) -> Numbers:
    """A column of dates or of days."""
    if not dated:
        return exactly(as_days(cells, problems, options.day_numbering))
    days = as_day_numbers(cells, problems, options.dates_of_visits)
    note_partial(cells, days, problems, options.impute)
    return days


def _possible(begin: Numbers, end: Numbers) -> tuple[Numbers, Numbers]:
    """The possible days of partial dates, such that no treatment ends before it begins."""
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
        sentence = f"{names} both say when a visit was; drop one: {cure}."
        problems.wrong(table.location, sentence, code=Code.COLUMN_AMBIGUOUS)
    elif not date and not day:
        study_days = [name for name in table.written if name.lower() in STUDY_DAYS]
        if study_days:
            problems.wrong(
                table.location,
                f"{study_days[0]!r} is CDISC's study day, which has no day 0; give the date, or name it 'day' and say "
                "--day-numbering study-day.",
                code=Code.COLUMN_MISSING,
            )
        else:
            problems.wrong(table.location, missing_column("date", table.written, "day"))


def note_bleeding(table: NamedTable, grade: Floats, bleeding: str | None, problems: Problems) -> None:
    """Note what an empty grade means, which depends on all grades of the table."""
    if bleeding is not None:
        problems.note(table.location, f"Bleeding is recorded as specified: {bleeding}.")
        return
    may_be_scored = table.may_be_scored

    def scored_text(zeros: int, _: Sequence[str]) -> str:
        text = f"{GRADE_0}, so bleeding is assumed to be assessed at every visit, and an empty grade is missing. "
        return f"{text}If an empty grade means no bleeding, say --bleeding events." if zeros else ""

    def events_text(zeros: int, graded: Sequence[str], what: str = NO_GRADE_0) -> str:
        text = "so bleeding is assumed to be reported as events, and an empty grade means no bleeding."
        if zeros or may_be_scored or not graded:
            return ""
        return f"{what}, {text} If an empty grade means not assessed, say --bleeding scored."

    def no_grade_text(zeros: int, graded: Sequence[str]) -> str:
        return "" if graded else events_text(zeros, ["none"], NO_GRADE)

    def open_text(zeros: int, _: Sequence[str]) -> str:
        if zeros or not may_be_scored:
            return ""
        text = "An unreadable grade may be 0, so an empty grade may mean no bleeding or not assessed"
        return f"{text}; say --bleeding events or --bleeding scored."

    zeros, graded = int((grade == 0).sum()), () if np.isnan(grade).all() else ("some",)
    texts: dict[str, NoteText] = {
        "scored": scored_text,
        "events": events_text,
        "no grade": no_grade_text,
        "open": open_text,
    }
    for about, note_text in texts.items():
        problems.count(table.location, about, note_text, zeros, graded, warning=about in ("no grade", "open"))


def _check_visits(visits: VisitTable, problems: Problems) -> None:
    """Report rows without a patient or a time, and rescue treatments that end but do not begin."""
    table, end = visits.table, visits.table.cells("rescue_end")
    ended = ~np.isnan(visits.rescue_end.low)
    begun = visits.rescue | table.has_left_out("rescue")
    without_patient = visits.recorded & visits.patient_ids.missing & table.has("patient_id")
    ids = table.cells("patient_id")
    nameless = problems.not_reported(ids, np.flatnonzero(without_patient))
    problems.wrong_cells(ids, nameless, lambda _: "the patient is missing; fill it in.", Code.CELL_EMPTY)
    if table.has("date") or table.has("day"):
        rows = np.flatnonzero(visits.recorded & np.isnan(visits.when.low))
        empty = problems.not_reported(visits.time, rows[is_empty(visits.time, rows)])
        problems.wrong_cells(
            visits.time,
            empty,
            lambda _: f"the {'date' if visits.dated else 'day'} is missing; fill it in.",
            Code.CELL_EMPTY,
        )
    problems.wrong_cells(
        end,
        np.flatnonzero(ended & ~begun),
        lambda text: (
            f"{quoted(text)} ends a rescue treatment that was not recorded; name the treatment in the same row."
        ),
        Code.CELL_CONTRADICTED,
    )
    problems.wrong_cells(
        end,
        np.flatnonzero(ended & begun & (visits.rescue_end.high < visits.when.low)),
        lambda text: f"{quoted(text)} is before the start of the rescue treatment; correct one of the two.",
        Code.CELL_CONTRADICTED,
    )


def check_columns(table: NamedTable, names: tuple[str, ...], problems: Problems) -> None:
    """Report the columns that are missing."""
    for name in names:
        if not table.has(name):
            problems.wrong(table.location, missing_column(name, table.written))


def check_declared(table: NamedTable, declared: Mapping[str, ColumnDeclared], problems: Problems) -> None:
    """Report the declared columns that are missing.

    Where an empty cell has a meaning, a missing column counts as empty, which is noted unless it is optional. One that
    is optional and without such a meaning is unknown, which is noted.
    """
    for name, column in declared.items():
        is_unknown = column.empty == "unknown"
        if table.has(name) or (column.optional and not is_unknown):
            continue
        # Only a very similar name is likely to be a misspelling.
        if column.is_needed or get_close_matches(name, table.written, 1, cutoff=0.8):
            problems.wrong(table.location, missing_column(name, table.written))
        elif is_unknown:
            note = f"There is no column {name!r}, so it is unknown throughout; what depends on it is not evaluable."
            problems.note(table.location, note, warning=True)
        else:
            means = str(column.empty).lower() if isinstance(column.empty, bool) else repr(column.empty)
            problems.note(
                table.location, f"There is no column {name!r}; assumed to be {means} throughout.", warning=True
            )
