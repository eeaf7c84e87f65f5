"""Visits: the cohort of a table of visits and, where there is one, a table of patients.

Both are files (CSV, TSV, Parquet), frames or lists of rows, read column by column.
Everything wrong with them is told at once; what was assumed is told in the cohort's notes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import get_args

import numpy as np
import polars as pl

from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import ColumnDeclared, in_table
from itp_response.cohort.observations import Observations, Origin, Patients, ReadFrom
from itp_response.cohort.values import Bools, Floats, Ints, Numbers, Texts, exactly
from itp_response.messages.errors import CohortError, UsageError, unknown
from itp_response.readers.cells import is_empty
from itp_response.readers.column_names import PATIENTS, STOPPED_BY, VISITS, NamedTable, no_table, table
from itp_response.readers.files import Tabular
from itp_response.readers.options import DEFAULTS, Impute, ReadOptions
from itp_response.readers.partial_dates import Intervals, as_dates, imputed_of, partial_of
from itp_response.readers.patients import PatientTable, Stopped, places, read_patients
from itp_response.readers.problems import Cells, Location, Problems, Said, Unread, first_few, quoted
from itp_response.readers.quarantine import Quarantine, marked
from itp_response.readers.visit_table import VisitTable, as_written, check_columns, check_declared, check_header

NO_COLUMNS: Mapping[str, ColumnDeclared] = MappingProxyType({})
FEW = 5
"""So many patients are named."""
FAR = 36525
"""Days; observations farther from day 0 than a hundred years are slips."""


def read(
    visits: Tabular,
    patients: Tabular | None = None,
    *,
    options: ReadOptions | None = None,
    columns: Mapping[str, ColumnDeclared] = NO_COLUMNS,
    stopped: Stopped | None = None,
) -> Cohort:
    """The cohort of these visits and patients.

    `visits` is a file, a folder of part files, a frame, a list of rows, or what a mapping made; or the folder of an
    SDTM study, which has the patients too. `patients` is such a table; None: nothing is known but the visits.
    `columns` are the further columns to take, as a criteria file declares them.
    `stopped` says whether the ends of treatment are `days` or `dates`; None: they are what most of them look like.
    Raises `CohortError` with all that is wrong with the two tables, `UsageError` for an option that there is not.

    >>> cohort = read([{"patient_id": "A", "day": 0, "platelets": 15}, {"patient_id": "A", "day": 28, "platelets": 60}])
    >>> cohort.day.tolist(), cohort.platelets.low.tolist()
    ([0, 28], [15.0, 60.0])
    """
    options = options or DEFAULTS
    if stopped not in (None, *get_args(Stopped)):
        raise UsageError(unknown("way to give the end of treatment", str(stopped), get_args(Stopped)))
    leave_out = options.on_error == "quarantine"
    opened = Problems(leave_out=leave_out)
    of_visits = in_table(columns, "visits")
    of_patients = in_table(columns, "patients")
    read_tables = _of_study if is_study(visits) else _of_files
    visit_table, patient_table = read_tables(visits, patients, of_visits, of_patients, opened)
    quarantine, cohort = Quarantine(), None
    while cohort is None:
        tables = visit_table and quarantine.without(visit_table), quarantine.without(patient_table)
        problems, known_ids = opened.again(), quarantine.patients(opened.torn)
        try:
            cohort = _of_tables(*tables, columns, known_ids, options, stopped, problems)
        except CohortError:
            # Each turn leaves out more rows, so that there is a last.
            if not leave_out or not quarantine.takes(problems, tuple(filter(None, tables))):
                raise
    if leave_out:
        cohort = marked(cohort, quarantine.report(problems.torn))
    return replace(cohort, read_from=ReadFrom({"visits": visits, "patients": patients}, asdict(options)))


def is_study(visits: object) -> bool:
    """Whether it is the folder of an SDTM study, or such a folder with its settings."""
    if isinstance(visits, str | Path) and not Path(visits).is_dir():
        return False
    from itp_response.readers.sdtm import domains as sdtm

    return sdtm.is_study(visits)


def _of_tables(
    visits: NamedTable | None,
    patients: NamedTable,
    columns: Mapping[str, ColumnDeclared],
    further: pl.Series,
    options: ReadOptions,
    stopped: Stopped | None,
    problems: Problems,
) -> Cohort:
    """The cohort of two tables, and of `further` patients of whom nothing could be read."""
    of_visits = in_table(columns, "visits")
    of_patients = in_table(columns, "patients")
    seen = None
    if visits:
        check_header(visits, of_visits, problems)
        seen = as_written(visits, of_visits, options, problems)
    known = read_patients(patients, of_patients, options, problems, stopped)
    if seen is None:
        raise problems.error()
    check_enrolment(seen.table, known, seen.dated, problems)
    if seen.table.has("patient_id") and not len(known.rows) and not len(further) and nobody(seen):
        problems.wrong(seen.table.place, NOBODY)
    scored = options.bleeding == "scored" if options.bleeding else seen.scored
    several = {name: column.several for name, column in of_visits.items()}
    ids, patient = matched(seen, known, further)
    return joined(seen, known, ids, patient, scored=scored, several=several, impute=options.impute, problems=problems)


def _of_files(
    visits: Tabular,
    patients: Tabular | None,
    of_visits: Mapping[str, ColumnDeclared],
    of_patients: Mapping[str, ColumnDeclared],
    problems: Problems,
) -> tuple[NamedTable | None, NamedTable]:
    """The two tables; of that of the visits None, if it cannot be opened."""
    visit_table = table(visits, "visits", 0, VISITS, of_visits, problems)
    return visit_table, patient_table(patients, of_patients, problems)


def patient_table(
    patients: Tabular | None, of_patients: Mapping[str, ColumnDeclared], problems: Problems
) -> NamedTable:
    """The table of patients; one without columns, if there is none or it cannot be opened."""
    opened = None
    if patients is not None:
        opened = table(patients, "patients", 1, PATIENTS, of_patients, problems)
        if opened:
            check_columns(opened, ("patient_id",), problems)
            check_declared(opened, of_patients, problems)
    elif needed := [repr(name) for name, column in of_patients.items() if column.empty == "unknown"]:
        names = ", ".join(needed)
        problems.failed(1, CohortError(f"patients: the criteria need {names} of each patient; give a patient table."))
    else:
        check_declared(no_table(1, "patients"), of_patients, problems)
    return opened or no_table(1, "patients")


def _of_study(
    folder: Tabular,
    patients: Tabular | None,
    of_visits: Mapping[str, ColumnDeclared],
    of_patients: Mapping[str, ColumnDeclared],
    problems: Problems,
) -> tuple[NamedTable, NamedTable]:
    """The two tables made of the domains of an SDTM study."""
    from itp_response.readers.sdtm.domains import MappedStudy, tables

    assert isinstance(folder, str | Path | MappedStudy)
    if patients is not None:
        name = (folder.folder if isinstance(folder, MappedStudy) else Path(folder)).name
        raise UsageError(f"{name}: this is an SDTM study, its patients are in its DM; give no patient table.")
    study = tables(folder, of_visits, of_patients, problems)
    if study is None:
        raise problems.error()
    check_declared(study.patients, of_patients, problems)
    return study


NOBODY = "no row names a patient."


def nobody(visits: VisitTable) -> bool:
    """There are rows, but all are empty."""
    return len(visits.who) > 0 and visits.who.none and not visits.recorded.any()


def matched(visits: VisitTable, known: PatientTable, further: pl.Series) -> tuple[pl.Series, Ints]:
    """All patients, those known first, and which of them each row is of; -1: it names none.

    `further` are those of whom nothing could be read.
    """
    listed = known.listed
    others = pl.concat([visits.who.names.drop_nulls().alias("id"), further.alias("id")]).unique(maintain_order=True)
    others = others.filter(places(others, listed) < 0)
    ids = pl.concat([listed.alias("patient_id"), others.alias("patient_id")])
    return ids, visits.who.spread(places(visits.who.names, ids))


def joined(
    visits: VisitTable,
    known: PatientTable,
    ids: pl.Series,
    patient: Ints,
    *,
    scored: bool,
    several: Mapping[str, str],
    impute: Impute | None,
    problems: Problems,
    wrong: bool = False,
) -> Cohort:
    """The cohort of visits and of the patients `ids`, of whom the first are those known.

    `patient`: which of them each row is of; -1: it names none.
    `scored`: a grade that is not recorded is not known; else there was no bleeding.
    Raises `CohortError` where something was found wrong, or was before (`wrong`).
    """
    listed = len(known.rows)
    # Those who are not in the patient table are read off its empty row.
    row = np.concatenate([known.rows, np.full(len(ids) - listed, len(known.id) - 1)]).astype(np.int64)
    if known.table.header:
        _note_unmatched(visits, ids, listed, patient, problems)

    origin = _day_zero(visits, known, ids, patient, row, problems)
    kept = np.flatnonzero(visits.recorded & (patient >= 0))
    # Mostly all, which needs no copies.
    taken = slice(None) if len(kept) == len(patient) else kept
    patient = patient[taken]
    when, ends = visits.when.at(taken), visits.rescue_end.at(taken)
    day = when.low - origin.low[patient] if origin.low.any() else when.low
    _check_near(visits.time, kept, day, problems)
    # Few rows have a last day of a rescue.
    ended = np.flatnonzero(~np.isnan(ends.low))
    end = ends.low[ended] - origin.low[patient[ended]]
    _check_near(visits.table.cells("rescue_end"), kept[ended], end, problems)
    calendar = origin if visits.dated else known.enrolment_date.at(row)
    stopped = _stopped(visits, known, row, origin.low, calendar.low, problems)
    if wrong or problems.any_wrong:
        raise problems.error()

    pieces = visits.table.place.pieces
    _count_passed_over(visits.table, len(visits.recorded) - len(kept), problems)
    grade = visits.bleeding_grade[taken]
    days = day.astype(np.int64)
    last = days.copy()
    last[ended] = end
    observed = Observations(
        patient=patient,
        day=days,
        platelets=visits.platelets.at(taken),
        bleeding_grade=grade if scored else np.where(np.isnan(grade), 0.0, grade),
        rescue=visits.rescue[taken],
        rescue_end=last,
        source_row=visits.table.place.all_lines(kept),
        rescue_name=visits.rescue_name.at(taken),
        columns={name: column.at(taken) for name, column in visits.columns.items()},
        several=several,
    )
    intervals = Intervals(when, ends, calendar, known.stopped.at(row))
    tables = (visits.table, kept), (known.table, row)
    imputed = None
    if impute is not None:
        written = [days.at(rows) for made, rows in ((visits, kept), (known, row)) for days in made.as_written]
        imputed = imputed_of(impute, Intervals(*written), tables, patient)
    partial = partial_of(intervals, tables, observed, (visits.dated, known.stopped_dated), problems)
    patients = Patients(
        id=ids,
        arm=known.arm.gather(row),
        day_0=as_dates(np.where(calendar.low < calendar.high, np.nan, calendar.low)),
        baseline=known.baseline.at(row),
        treatment_discontinued=stopped,
        columns={name: column.at(row) for name, column in known.columns.items()},
    )
    return replace(
        build(patients, observed),
        source=visits.table.place.name,
        row_word=visits.table.place.row_word,
        origin=pieces.origin if pieces else None,
        stopped_by=_stopped_by(known.table, row),
        notes=tuple(problems.notes),
        imputed=imputed,
        partial=partial,
    )


def _count_passed_over(table: NamedTable, number: int, problems: Problems) -> None:
    word = table.place.row_word

    def said(number: int, _: Sequence[str]) -> str:
        rows = f"{number} {word}{'s' if number > 1 else ''}"
        return f"{rows} passed over: without a count, a grade, a rescue or a declared column." if number else ""

    problems.count(table.place, "passed over", said, number)


def _count_patients(
    location: Location, about: str, ids: pl.Series, words: Callable[[int, str], str], problems: Problems
) -> None:
    """A warning about patients, `words` of how many they are and of the first few; none if there are none."""

    def said(number: int, texts: Sequence[str]) -> str:
        return words(number, first_few(texts, number=number)) if number else ""

    problems.count(location, about, said, len(ids), ids[:FEW].to_list(), warning=True)


def _note_unmatched(visits: VisitTable, ids: pl.Series, listed: int, patient: Ints, problems: Problems) -> None:
    has_rows = np.zeros(len(ids), dtype=np.bool_)
    has_rows[patient[patient >= 0]] = True
    without = ids[:listed].filter(~has_rows[:listed])
    for lacking, lack in ((ids[listed:], "not in the patient table"), (without, "without a row in the visits")):

        def words(number: int, few: str, lack: str = lack) -> str:
            return f"{number} patient{'s' if number > 1 else ''} {lack}, kept: {few}."

        _count_patients(visits.table.place, lack, lacking, words, problems)


def check_enrolment(visits: NamedTable, known: PatientTable, dated: bool, problems: Problems) -> None:
    """Say where the days of enrolment do not fit the visits."""
    table = known.table
    if dated and table.has("enrolment_day") and not table.has("enrolment_date"):
        what = f"{table.header['enrolment_day']!r} cannot be used, as {visits.place.name} has dates"
        problems.wrong(table.place, f"{what}; give 'enrolment_date'.")


def _day_zero(
    visits: VisitTable, known: PatientTable, ids: pl.Series, patient: Ints, row: Ints, problems: Problems
) -> Numbers:
    """Day 0 of each patient, in the days of the visits; NaN: not known."""
    table = known.table
    name = "enrolment_date" if visits.dated else "enrolment_day"
    if table.has(name):
        enrolment = known.enrolment_date if visits.dated else exactly(known.enrolment_day)
        _check_enrolled(visits, known, name, ids, patient, row, problems)
        return enrolment.at(row)
    if visits.dated:
        return _first_days(visits, ids, patient, problems)
    if table.has("enrolment_date"):
        without = ids.filter(np.isnan(known.enrolment_date.low[row]))
        words = "No enrolment date, so no dates in the output: {}.".format
        _count_patients(table.place, "no enrolment", without, lambda _, few: words(few), problems)
    return exactly(np.zeros(len(ids)))


def _check_enrolled(
    visits: VisitTable, known: PatientTable, name: str, ids: pl.Series, patient: Ints, row: Ints, problems: Problems
) -> None:
    enrolment = known.table.cells(name)
    empty = row[: len(known.rows)]
    empty = empty[is_empty(enrolment, empty)]
    reason = "the patient's enrolment is not known."
    cure = f"fill it in, or drop {enrolment.name!r}: then day 0 is the first count" if visits.dated else "fill it in"
    problems.wrong_in_all(
        known.table.place,
        "enrolment",
        _missing_for(f"{enrolment.name}: ", cure),
        len(empty),
        _who(known.table, known.id.gather(empty[:FEW]).to_list(), empty),
        unread=[Unread(enrolment, empty, lambda _: reason)],
    )
    lacking = np.flatnonzero(patient >= len(known.rows))
    if len(lacking) and known.table.has("patient_id"):
        first = lacking[np.unique(patient[lacking], return_index=True)[1]]
        problems.wrong_in_all(
            visits.table.place,
            "enrolment",
            _missing_for("", f"add a row to {known.table.place.name}"),
            len(first),
            _who(visits.table, ids.gather(patient[first[:FEW]]).to_list(), first),
            unread=[Unread(visits.table.cells("patient_id"), lacking, lambda _: reason)],
        )


def _missing_for(where: str, cure: str) -> Said:
    def said(number: int, who: Sequence[str]) -> str:
        more = f" and {number - FEW} more" if number > FEW else ""
        return f"{where}enrolment missing for {', '.join(who[:FEW])}{more}; {cure}."

    return said


def _who(table: NamedTable, ids: list[str], rows: Ints) -> list[str]:
    """The first few, each with his place."""
    named = [table.place.named(int(row)) for row in rows[:FEW]]
    return [f"{quoted(one)} ({where})" for one, where in zip(ids, named, strict=True)]


def _first_days(visits: VisitTable, ids: pl.Series, patient: Ints, problems: Problems) -> Numbers:
    """The day of each patient's first count; of one without a count, of the first row."""
    place = visits.table.place
    problems.note(place, "No enrolment dates: day 0 is the date of each patient's first count.", warning=True)
    counted = ~np.isnan(visits.platelets.low)
    low = [_first_day(visits.when.low, rows, ids, patient) for rows in (counted, visits.recorded, patient >= 0)]
    without = ids.filter(np.isnan(low[0]) & ~np.isnan(low[2]))
    words = "Without a count, day 0 is the date of the first row: {}.".format
    _count_patients(place, "no count", without, lambda _, few: words(few), problems)
    if visits.when.exact:
        return exactly(_first_known(low))
    high = [_first_day(visits.when.high, rows, ids, patient) for rows in (counted, visits.recorded, patient >= 0)]
    return Numbers(_first_known(low), _first_known(high))


def _first_day(when: Floats, rows: Bools, ids: pl.Series, patient: Ints) -> Floats:
    """The first of each patient's days in these rows; NaN where there is none."""
    at = np.flatnonzero(rows & (patient >= 0) & ~np.isnan(when))
    first = np.full(len(ids), np.inf)
    np.minimum.at(first, patient[at], when[at])
    return np.where(np.isinf(first), np.nan, first)


def _first_known(days: list[Floats]) -> Floats:
    return np.where(np.isnan(days[0]), np.where(np.isnan(days[1]), days[2], days[1]), days[0])


def _stopped(
    visits: VisitTable, known: PatientTable, row: Ints, origin: Floats, calendar: Floats, problems: Problems
) -> Floats:
    """The day on which each patient stopped treatment for good; infinite: did not."""
    cells = known.table.cells("treatment_discontinued")
    stopped = known.stopped.low[row]
    given = ~np.isnan(stopped)
    if known.stopped_dated:
        lost = given & np.isnan(calendar)
        problems.wrong_cells(
            cells,
            row[lost],
            lambda text: f"{quoted(text)} cannot be counted in days, as enrolment is not known; give 'enrolment_date'.",
        )
        stopped = stopped - calendar
    elif not visits.dated:
        stopped = stopped - origin
    _check_near(cells, row, stopped, problems)
    return np.where(given, stopped, np.inf)


def _stopped_by(table: NamedTable, row: Ints) -> Origin | None:
    """Where the end of treatment of the patients in these rows stands."""
    last = len(table.frame) - 2
    if not table.has("treatment_discontinued") or last < 0:
        return None
    whole = np.zeros(len(row), dtype=np.int32)
    variable = Texts(whole, (table.header["treatment_discontinued"],))
    if STOPPED_BY in table.frame.columns:
        numbers = table.frame[STOPPED_BY].fill_null(0).to_numpy()[row]
        return Origin(Texts(whole, ("DS",)), numbers, variable)
    pieces = table.place.pieces
    # Those who are not in the table, but in the empty row at its end, did not stop.
    row = np.minimum(row, last)
    if pieces is not None and pieces.origin is not None:
        return replace(pieces.origin.at(table.place.all_lines(row) - 1), variable=variable)
    lines = table.place.written_in(row, variable.labels[0])
    return Origin(Texts(whole, (table.place.name,)), lines, variable, word=table.place.row_word)


def _check_near(cells: Cells, rows: Ints, day: Floats, problems: Problems) -> None:
    far = np.abs(day) > FAR
    problems.wrong_cells(
        cells,
        rows[far] if far.any() else rows[:0],
        lambda text: f"{quoted(text)} lies over 100 years from day 0; correct it.",
    )
