"""Visits: the cohort of a table of visits and, where there is one, a table of patients.

Both are files (CSV, TSV, Parquet), frames or lists of rows, read column by column.
Everything wrong with them is told at once; what was taken for granted is told in the cohort's notes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np

from itp_response.cohort import Cohort, Ints, Observations, Reading, build
from itp_response.columns import ColumnDeclared
from itp_response.errors import CohortError, UsageError, unknown
from itp_response.readers.cells import (
    as_counts,
    as_day_numbers,
    as_days,
    as_declared,
    as_grades,
    as_rescue,
    check_date_format,
    check_impute,
    imputed,
    is_empty,
    note_partial,
)
from itp_response.readers.files import Tabular
from itp_response.readers.findings import Cells, Findings, Unread, as_text, first_few, quoted
from itp_response.readers.names import PATIENTS, STUDY_DAYS, VISITS, Table, missing, no_table, table
from itp_response.readers.partial import Intervals, as_dates, partial_of
from itp_response.readers.patients import Patients, Stopped, places, read_patients
from itp_response.readers.quarantine import Quarantine, marked
from itp_response.readers.sdtm import is_study, tables
from itp_response.rules import Bools, Column, Floats, Numbers, Texts, exactly

if TYPE_CHECKING:
    import polars as pl

NO_COLUMNS: Mapping[str, ColumnDeclared] = MappingProxyType({})
FAR = 36525
"""Days; observations farther from day 0 than a hundred years are slips."""
Bleeding = Literal["scored", "events"]
Impute = Literal["first", "last"]
OnError = Literal["stop", "quarantine"]


def read(
    visits: Tabular,
    patients: "Tabular | None" = None,
    *,
    date_format: str | None = None,
    bleeding: Bleeding | None = None,
    columns: Mapping[str, ColumnDeclared] = NO_COLUMNS,
    impute: Impute | None = None,
    on_error: OnError = "stop",
    stopped: Stopped | None = None,
) -> Cohort:
    """The cohort of these visits and patients; `visits` may be the folder of an SDTM study, which has both.

    `date_format` says how dates are written that are not ISO 8601: `dmy`, `mdy`, `ymd`, or a pattern (`%d/%m/%Y`).
    `bleeding` says what a visit without a grade means: `scored`, bleeding was not recorded; `events`, there was none.
    `columns` are the further columns to take, as a criteria file declares them.
    `impute` takes a date of which only the month or the year is known as the `first` or `last` day that may be meant;
    left out, it stays an interval of days, `Cohort.partial`.
    `on_error="quarantine"` leaves out the rows that cannot be read and reports them in `Cohort.quarantine`; else
    nothing is read past an error.
    `stopped` says whether the ends of treatment are `days` or `dates`; left out, they are what most of them look like.
    Raises `CohortError` with all that is wrong with the two tables.
    """
    check_date_format(date_format)
    check_impute(impute)
    if bleeding not in (None, "scored", "events"):
        raise UsageError(unknown("bleeding", str(bleeding), ("scored", "events")))
    if on_error not in ("stop", "quarantine"):
        raise UsageError(unknown("way with errors", str(on_error), ("stop", "quarantine")))
    if stopped not in (None, "days", "dates"):
        raise UsageError(unknown("way to give the end of treatment", str(stopped), ("days", "dates")))
    opened = Findings(leave_out=on_error == "quarantine")
    of_visits = {name: column for name, column in columns.items() if column.table == "visits"}
    of_patients = {name: column for name, column in columns.items() if column.table == "patients"}
    read_tables = _of_study if is_study(visits) else _of_files
    visit_table, patient_table = read_tables(visits, patients, of_visits, of_patients, opened)
    quarantine, cohort = Quarantine(), None
    while cohort is None:
        tables = visit_table and quarantine.without(visit_table), quarantine.without(patient_table)
        found, known_ids = opened.again(), quarantine.patients(opened.torn)
        try:
            cohort = _of_tables(*tables, columns, known_ids, (date_format, bleeding, impute, stopped), found)
        except CohortError:
            # Each turn leaves out more rows, so that there is a last.
            if on_error == "stop" or not quarantine.takes(found, tuple(filter(None, tables))):
                raise
    if on_error == "quarantine":
        cohort = marked(cohort, quarantine.report(found.torn))
    options = {"date_format": date_format, "bleeding": bleeding, "impute": impute, "on_error": on_error}
    return replace(cohort, reading=Reading({"visits": visits, "patients": patients}, options))


def _of_tables(
    visits: Table | None,
    patients: Table,
    columns: Mapping[str, ColumnDeclared],
    further: "pl.Series",
    options: tuple[str | None, Bleeding | None, Impute | None, Stopped | None],
    found: Findings,
) -> Cohort:
    """The cohort of two tables, and of `further` patients of whom nothing could be read."""
    date_format, bleeding, impute, stopped = options
    of_visits = {name: column for name, column in columns.items() if column.table == "visits"}
    of_patients = {name: column for name, column in columns.items() if column.table == "patients"}
    seen = _visits(visits, of_visits, date_format, bleeding, impute, found) if visits else None
    known = read_patients(patients, of_patients, date_format, found, impute, stopped)
    if seen is None:
        raise found.error()
    return _cohort(seen, known, further, {name: column.several for name, column in of_visits.items()}, found)


def _of_files(
    visits: Tabular,
    patients: "Tabular | None",
    of_visits: Mapping[str, ColumnDeclared],
    of_patients: Mapping[str, ColumnDeclared],
    found: Findings,
) -> tuple[Table | None, Table]:
    """The two tables; of that of the visits None, if it cannot be opened."""
    visit_table = table(visits, "visits", 0, VISITS, of_visits, found)
    patient_table = no_table(1, "patients")
    if patients is not None:
        opened = table(patients, "patients", 1, PATIENTS, of_patients, found)
        patient_table = opened or patient_table
        if opened:
            _check_columns(opened, ("patient_id",), found)
            _check_declared(opened, of_patients, found)
    elif needed := [repr(name) for name, column in of_patients.items() if column.empty == "unknown"]:
        names = ", ".join(needed)
        found.failed(1, CohortError(f"patients: the criteria need {names} of each patient; give a patient table."))
    else:
        _check_declared(patient_table, of_patients, found)
    return visit_table, patient_table


def _of_study(
    folder: Tabular,
    patients: "Tabular | None",
    _: Mapping[str, ColumnDeclared],
    of_patients: Mapping[str, ColumnDeclared],
    found: Findings,
) -> tuple[Table, Table]:
    """The two tables made of the domains of an SDTM study."""
    assert isinstance(folder, str | Path)
    if patients is not None:
        raise UsageError(
            f"{Path(folder).name}: this is an SDTM study, its patients are in its DM; give no patient table."
        )
    study = tables(Path(folder), of_patients, found)
    if study is None:
        raise found.error()
    _check_declared(study.patients, of_patients, found)
    return study


def _check_columns(table: Table, names: tuple[str, ...], found: Findings) -> None:
    for name in names:
        if not table.has(name):
            found.wrong(table.place, missing(name, table.written))


def _check_declared(table: Table, declared: Mapping[str, ColumnDeclared], found: Findings) -> None:
    """A column that is not there is as good as empty where an empty cell means something; that is said."""
    for name, column in declared.items():
        if table.has(name):
            continue
        # Only a name that is very like it is likely to be meant.
        if column.empty == "unknown" or get_close_matches(name, table.written, 1, cutoff=0.8):
            found.wrong(table.place, missing(name, table.written))
        else:
            means = str(column.empty).lower() if isinstance(column.empty, bool) else repr(column.empty)
            found.note(table.place, f"There is no column {name!r}; taken as {means} throughout.", warning=True)


# VISITS


@dataclass(frozen=True)
class _Visits:
    """The visits as written; an entry per row."""

    table: Table
    id: "pl.Series"
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

    @property
    def time(self) -> Cells:
        return self.table.cells("date" if self.dated else "day")


def _visits(
    table: Table,
    declared: Mapping[str, ColumnDeclared],
    date_format: str | None,
    bleeding: Bleeding | None,
    impute: Impute | None,
    found: Findings,
) -> _Visits:
    _check_columns(table, ("patient_id", "platelets"), found)
    _check_declared(table, declared, found)
    dated = _dated(table, found)
    table.tell_doubts(found)

    def times(name: str) -> Numbers:
        if not dated:
            return exactly(as_days(table.cells(name), found))
        days = as_day_numbers(table.cells(name), found, date_format)
        note_partial(table.cells(name), days, found, impute)
        return days

    when, rescue_end = _in_order(times("date" if dated else "day"), times("rescue_end"))
    platelets = as_counts(table.cells("platelets"), found)
    grade = as_grades(table.cells("bleeding_grade"), found)
    rescue, rescue_name = as_rescue(table.cells("rescue"), found)
    recorded = ~np.isnan(platelets.low) | ~np.isnan(grade) | rescue
    columns: dict[str, Column] = {}
    for name, column in declared.items():
        columns[name], given = as_declared(table.cells(name), column, found)
        recorded |= given
    ids = as_text(table.cells("patient_id").values)
    made = _Visits(
        table=table,
        id=ids,
        dated=dated,
        when=imputed(when, impute),
        rescue_end=imputed(rescue_end, impute),
        platelets=platelets,
        bleeding_grade=_bleeding(table, grade, bleeding, found),
        rescue=rescue,
        rescue_name=rescue_name,
        columns=columns,
        recorded=recorded,
    )
    _check_visits(made, found)
    return made


def _in_order(begin: Numbers, end: Numbers) -> tuple[Numbers, Numbers]:
    """Of days known only as intervals, those on which a treatment does not end before it begins."""
    if begin.exact and end.exact:
        return begin, end
    possible = begin.low <= end.high
    last = np.where(possible, np.minimum(begin.high, end.high), begin.high)
    return Numbers(begin.low, last), Numbers(np.where(possible, np.maximum(begin.low, end.low), end.low), end.high)


def _dated(table: Table, found: Findings) -> bool:
    """Whether visits have dates rather than days."""
    date, day = table.has("date"), table.has("day")
    if date and day:
        names = f"{table.header['date']!r} and {table.header['day']!r}"
        cure = "keep the day if it counts from enrolment as day 0, else the date"
        found.wrong(table.place, f"{names} both say when a visit was; drop one: {cure}.")
    elif not date and not day:
        study_days = [name for name in table.written if name.lower() in STUDY_DAYS]
        if study_days:
            found.wrong(table.place, f"{study_days[0]!r} is CDISC's study day, which has no day 0; give the date.")
        else:
            found.wrong(table.place, missing("date", table.written, "day"))
    return date


def _bleeding(table: Table, grade: Floats, bleeding: Bleeding | None, found: Findings) -> Floats:
    """The grades, 0 where a log of bleeding events has none."""
    if bleeding is not None:
        found.note(table.place, f"Bleeding was taken as told: {bleeding}.")
    elif bool((grade == 0).any()):
        found.note(
            table.place,
            "Bleeding has grades of 0, so it is scored at visits, and not known where there is no grade. "
            "If there was none then, say --bleeding events.",
        )
        return grade
    else:
        none = bool(np.isnan(grade).all())
        what = "No bleeding grade is recorded" if none else "Bleeding has no grade of 0"
        text = "so grades are a log of events, and there was no bleeding where there is no grade."
        found.note(table.place, f"{what}, {text} If that is not known, say --bleeding scored.", warning=none)
    return grade if bleeding == "scored" else np.where(np.isnan(grade), 0.0, grade)


def _check_visits(visits: _Visits, found: Findings) -> None:
    table, end = visits.table, visits.table.cells("rescue_end")
    ended = ~np.isnan(visits.rescue_end.low)
    missing_id = visits.recorded & visits.id.is_null().to_numpy()
    found.wrong_cells(
        table.cells("patient_id"), np.flatnonzero(missing_id), lambda _: "the patient is missing; fill it in."
    )
    if table.has("date") or table.has("day"):
        rows = np.flatnonzero(visits.recorded & np.isnan(visits.when.low))
        rows = rows[is_empty(visits.time, rows)]
        found.wrong_cells(
            visits.time, rows, lambda _: f"the {'date' if visits.dated else 'day'} is missing; fill it in."
        )
    found.wrong_cells(
        end,
        np.flatnonzero(ended & ~visits.rescue),
        lambda text: f"{quoted(text)} ends a rescue that did not begin; name the rescue in the same row.",
    )
    found.wrong_cells(
        end,
        np.flatnonzero(ended & visits.rescue & (visits.rescue_end.high < visits.when.low)),
        lambda text: f"{quoted(text)} lies before the rescue begins; correct one of the two.",
    )


# BOTH


def _cohort(
    visits: _Visits, known: Patients, further: "pl.Series", several: Mapping[str, str], found: Findings
) -> Cohort:
    import polars as pl

    listed = known.id.gather(known.rows)
    others = pl.concat([visits.id.drop_nulls().alias("id"), further.alias("id")]).unique(maintain_order=True)
    others = others.filter(places(others, listed) < 0)
    ids = pl.concat([listed.alias("patient_id"), others.alias("patient_id")])
    patient = places(visits.id, ids)
    # Those who are not in the patient table are read off its empty row.
    row = np.concatenate([known.rows, np.full(len(others), len(known.id) - 1)]).astype(np.int64)
    if known.table.header:
        _note_unmatched(visits, listed, others, patient, found)
    if visits.table.has("patient_id") and not len(ids) and len(visits.id) and not visits.recorded.any():
        found.wrong(visits.table.place, "no row names a patient.")

    origin = _day_zero(visits, known, ids, patient, row, found)
    kept = np.flatnonzero(visits.recorded & (patient >= 0))
    when, ends = visits.when.at(kept), visits.rescue_end.at(kept)
    day = when.low - origin.low[patient[kept]]
    _check_near(visits.time, kept, day, found)
    end = ends.low - origin.low[patient[kept]]
    _check_near(visits.table.cells("rescue_end"), kept, end, found)
    calendar = origin if visits.dated else known.enrolment_date.at(row)
    stopped = _stopped(visits, known, row, origin.low, calendar.low, found)
    found.raise_if_wrong()

    pieces = visits.table.place.pieces
    nothing = len(visits.recorded) - len(kept)
    if nothing:
        rows = f"{nothing} {visits.table.place.row_word}{'s' if nothing > 1 else ''}"
        found.note(visits.table.place, f"{rows} passed over: without a count, a grade, a rescue or a declared column.")
    observed = Observations(
        patient=patient[kept],
        day=day.astype(np.int64),
        platelets=visits.platelets.at(kept),
        bleeding_grade=visits.bleeding_grade[kept],
        rescue=visits.rescue[kept],
        rescue_end=np.where(np.isnan(end), day, end).astype(np.int64),
        source_row=visits.table.place.all_lines(kept),
        rescue_name=visits.rescue_name.at(kept),
        columns={name: column.at(kept) for name, column in visits.columns.items()},
        several=several,
    )
    intervals = Intervals(when, ends, calendar, known.stopped.at(row))
    tables = (visits.table, kept), (known.table, row)
    partial = partial_of(intervals, tables, observed, (visits.dated, known.stopped_dated), found)
    return build(
        ids,
        observed,
        arm=known.arm.gather(row),
        day_0=as_dates(np.where(calendar.low < calendar.high, np.nan, calendar.low)),
        baseline=known.baseline.at(row),
        treatment_discontinued=stopped,
        patient_columns={name: column.at(row) for name, column in known.columns.items()},
        source=visits.table.place.name,
        row_word=visits.table.place.row_word,
        origin=pieces.origin if pieces else None,
        notes=found.notes,
        partial=partial,
    )


def _note_unmatched(visits: _Visits, listed: "pl.Series", others: "pl.Series", patient: Ints, found: Findings) -> None:
    has_rows = np.zeros(len(listed) + len(others), dtype=np.bool_)
    has_rows[patient[patient >= 0]] = True
    without = listed.filter(~has_rows[: len(listed)])
    for ids, lack in ((others, "not in the patient table"), (without, "without a row in the visits")):
        if len(ids):
            count = f"{len(ids)} patient{'s' if len(ids) > 1 else ''}"
            found.note(visits.table.place, f"{count} {lack}, kept: {first_few(ids.to_list())}.", warning=True)


def _day_zero(visits: _Visits, known: Patients, ids: "pl.Series", patient: Ints, row: Ints, found: Findings) -> Numbers:
    """Day 0 of each patient, in the days of the visits; NaN: not known."""
    table = known.table
    name = "enrolment_date" if visits.dated else "enrolment_day"
    if visits.dated and table.has("enrolment_day") and not table.has("enrolment_date"):
        what = f"{table.header['enrolment_day']!r} cannot be used, as {visits.table.place.name} has dates"
        found.wrong(table.place, f"{what}; give 'enrolment_date'.")
    elif table.has(name):
        enrolment = known.enrolment_date if visits.dated else exactly(known.enrolment_day)
        _check_enrolled(visits, known, name, ids, patient, row, found)
        return enrolment.at(row)
    elif visits.dated:
        return _first_days(visits, ids, patient, found)
    elif table.has("enrolment_date") and np.isnan(known.enrolment_date.low[row]).any():
        without = ids.filter(np.isnan(known.enrolment_date.low[row])).to_list()
        found.note(table.place, f"No enrolment date, so no dates in the output: {first_few(without)}.", warning=True)
    return exactly(np.zeros(len(ids)))


def _check_enrolled(
    visits: _Visits, known: Patients, name: str, ids: "pl.Series", patient: Ints, row: Ints, found: Findings
) -> None:
    enrolment = known.table.cells(name)
    empty = row[: len(known.rows)]
    empty = empty[is_empty(enrolment, empty)]
    reason = "the patient's enrolment is not known."
    if len(empty):
        cure = f"fill it in, or drop {enrolment.name!r}: then day 0 is the first count"
        who = _who(known.table, known.id.gather(empty).to_list(), empty)
        found.wrong(
            known.table.place,
            f"{enrolment.name}: enrolment missing for {who}; {cure if visits.dated else 'fill it in'}.",
            unread=[Unread(enrolment, empty, lambda _: reason)],
        )
    lacking = np.flatnonzero(patient >= len(known.rows))
    if len(lacking) and known.table.has("patient_id"):
        first = lacking[np.unique(patient[lacking], return_index=True)[1]]
        who = _who(visits.table, ids.gather(patient[first]).to_list(), first)
        found.wrong(
            visits.table.place,
            f"enrolment missing for {who}; add a row to {known.table.place.name}.",
            unread=[Unread(visits.table.cells("patient_id"), lacking, lambda _: reason)],
        )


def _who(table: Table, ids: list[str], rows: Ints, most: int = 5) -> str:
    named = [table.place.named(int(row)) for row in rows[:most]]
    shown = [f"{quoted(one)} ({where})" for one, where in zip(ids[:most], named, strict=True)]
    more = f" and {len(ids) - most} more" if len(ids) > most else ""
    return f"{', '.join(shown)}{more}"


def _first_days(visits: _Visits, ids: "pl.Series", patient: Ints, found: Findings) -> Numbers:
    """The day of each patient's first count; of one without a count, of the first row."""
    place = visits.table.place
    found.note(place, "No enrolment dates: day 0 is the date of each patient's first count.", warning=True)
    counted = ~np.isnan(visits.platelets.low)
    low = [_first_day(visits.when.low, rows, ids, patient) for rows in (counted, visits.recorded, patient >= 0)]
    without = ids.filter(np.isnan(low[0]) & ~np.isnan(low[2])).to_list()
    if without:
        found.note(place, f"Without a count, day 0 is the date of the first row: {first_few(without)}.", warning=True)
    if visits.when.exact:
        return exactly(_first_known(low))
    high = [_first_day(visits.when.high, rows, ids, patient) for rows in (counted, visits.recorded, patient >= 0)]
    return Numbers(_first_known(low), _first_known(high))


def _first_day(when: Floats, rows: Bools, ids: "pl.Series", patient: Ints) -> Floats:
    """The first of each patient's days in these rows; NaN where there is none."""
    at = np.flatnonzero(rows & (patient >= 0) & ~np.isnan(when))
    first = np.full(len(ids), np.inf)
    np.minimum.at(first, patient[at], when[at])
    return np.where(np.isinf(first), np.nan, first)


def _first_known(days: list[Floats]) -> Floats:
    return np.where(np.isnan(days[0]), np.where(np.isnan(days[1]), days[2], days[1]), days[0])


def _stopped(visits: _Visits, known: Patients, row: Ints, origin: Floats, calendar: Floats, found: Findings) -> Floats:
    """The day on which each patient stopped treatment for good; infinite: did not."""
    cells = known.table.cells("treatment_discontinued")
    stopped = known.stopped.low[row]
    given = ~np.isnan(stopped)
    if known.stopped_dated:
        lost = given & np.isnan(calendar)
        found.wrong_cells(
            cells,
            row[lost],
            lambda text: f"{quoted(text)} cannot be counted in days, as enrolment is not known; give 'enrolment_date'.",
        )
        stopped = stopped - calendar
    elif not visits.dated:
        stopped = stopped - origin
    _check_near(cells, row, stopped, found)
    return np.where(given, stopped, np.inf)


def _check_near(cells: Cells, rows: Ints, day: Floats, found: Findings) -> None:
    found.wrong_cells(
        cells,
        rows[np.abs(day) > FAR],
        lambda text: f"{quoted(text)} lies over 100 years from day 0; correct it.",
    )
