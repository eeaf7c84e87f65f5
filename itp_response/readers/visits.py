"""Visits: the cohort of a table of visits and, if there is one, a table of patients.

Both are files, frames or lists of rows, and are read column by column. All their problems are reported together. The
cohort's notes say what was assumed.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, get_args

import numpy as np
import polars as pl

from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import ColumnDeclared, in_table
from itp_response.cohort.observations import Imputed, Observations, Origin, Patients, ReadFrom
from itp_response.cohort.values import Bools, Floats, Index, Ints, Numbers, Texts, exactly
from itp_response.messages.errors import CohortError, UsageError, unknown
from itp_response.readers.cells import is_empty
from itp_response.readers.coded.study import recognized
from itp_response.readers.column_names import STOPPED_BY, WITHOUT_DAY_0, NamedTable, no_table, read_table
from itp_response.readers.dates import DayNumbering, note_enrolled
from itp_response.readers.files import Tabular
from itp_response.readers.ids import check_similar, check_sites, in_one_spelling, keyed
from itp_response.readers.known_names import PATIENTS, VISITS
from itp_response.readers.missing_codes import ask_about_nines, check_columns_told
from itp_response.readers.options import DEFAULTS, Impute, ReadOptions
from itp_response.readers.partial_dates import Intervals, TableRows, as_dates, imputed_of, partial_of
from itp_response.readers.patients import PatientTable, Stopped, positions_of, read_patients
from itp_response.readers.plausible_counts import banded, count_sizes, patient_bands
from itp_response.readers.problems import (
    Cells,
    Location,
    NoteText,
    Problems,
    UnreadableCells,
    and_more,
    first_few,
    quoted,
)
from itp_response.readers.quarantine import COMPLETED, Quarantine, with_quarantine
from itp_response.readers.sdtm.domains import MappedStudy, is_study, study_tables
from itp_response.readers.visit_table import VisitTable, check_columns, check_declared, check_header, read_visits

NO_COLUMNS: Mapping[str, ColumnDeclared] = MappingProxyType({})
FEW = 5
"""The number of patients that a message names."""
FAR = 36525
"""A hundred years in days; an observation farther from day 0 is an error of writing."""


def read(
    visits: Tabular,
    patients: Tabular | None = None,
    *,
    options: ReadOptions | None = None,
    columns: Mapping[str, ColumnDeclared] = NO_COLUMNS,
    stopped: Stopped | None = None,
    rescue_names: Collection[str] = (),
) -> Cohort:
    """The cohort of these visits and patients.

    `visits` is the path of a file or of a folder of part files, a frame, a list of rows, or a table by `mapped`. It has
    one row per visit: the `patient_id`, a `date` or a `day` since enrolment, and the count (`platelets`) in 10⁹/L, or a
    bound of it such as `<10`. The columns `bleeding_grade` (WHO, 0 to 4), `rescue` (a name, or 1) and `rescue_end` are
    optional. An empty cell means that nothing was recorded; for a grade, `ReadOptions.bleeding` decides. `visits` may
    also be the folder of an SDTM study, which has its patients with it.
    `patients` is such a table with one row per patient: `patient_id`, and optionally `arm`, `enrolment_date` or
    `enrolment_day`, `baseline` (10⁹/L) and `treatment_discontinued`. If visits have dates and there is no enrolment,
    day 0 is the date of the first count.
    `options` say how the cells are read; None: `ReadOptions()`. `columns` are further columns, as a criteria file
    declares them, and `rescue_names` treatments that it names. `stopped` says whether ends of treatment are `days` or
    `dates`; None: what most of them look like.
    Raises `CohortError` with all problems of the two tables, and `UsageError` for an object that is no table.

    >>> visits = [
    ...     {"patient_id": "P1", "day": 0, "platelets": "12"},
    ...     {"patient_id": "P1", "day": 28, "platelets": "<10"},
    ... ]
    >>> cohort = read(visits, [{"patient_id": "P1", "arm": "placebo"}])
    >>> cohort.day.tolist(), cohort.arm.to_list()
    ([0, 28], ['placebo'])

    A count below the reporting limit is an interval:

    >>> cohort.platelets.low.tolist(), cohort.platelets.high.round(3).tolist()
    ([12.0, 0.0], [12.0, 10.0])
    """
    options = (options or DEFAULTS).told_by(getattr(visits, "options", {}))
    visits, patients = options.opened(visits, patients)
    if stopped not in (None, *get_args(Stopped)):
        raise UsageError(unknown("way to give the end of treatment", str(stopped), get_args(Stopped)))
    leave_out = options.on_error == "quarantine"
    of_opening = Problems(leave_out=leave_out)
    of_visits = in_table(columns, "visits")
    of_patients = in_table(columns, "patients")
    read_tables = partial(_of_study, options.unit) if is_study(visits) else _of_files
    visit_table, patient_table = read_tables(visits, patients, of_visits, of_patients, of_opening)
    quarantine, cohort = Quarantine(), None
    quarantine.take_broken(of_opening.broken_lines)
    while cohort is None:
        tables = visit_table and quarantine.without(visit_table), quarantine.without(patient_table)
        problems, further = of_opening.copy(), quarantine.patients(of_opening.broken_lines)
        try:
            cohort = _of_tables(*tables, columns, further, options.with_names(rescue_names), stopped, problems)
        except CohortError:
            # Each turn leaves out more rows, so the loop ends.
            if not leave_out or not quarantine.leave_out(problems, tuple(filter(None, tables))):
                raise
    if leave_out:
        cohort = with_quarantine(cohort, quarantine.report(problems.broken_lines), quarantine.undecided)
    return replace(cohort, read_from=ReadFrom({"visits": visits, "patients": patients}, asdict(options)))


def _of_tables(
    visits: NamedTable | None,
    patients: NamedTable,
    columns: Mapping[str, ColumnDeclared],
    further: pl.Series,
    options: ReadOptions,
    stopped: Stopped | None,
    problems: Problems,
) -> Cohort:
    """The cohort of two tables, and of `further` patients without any row that can be read."""
    of_visits = in_table(columns, "visits")
    of_patients = in_table(columns, "patients")
    visits, patients = one_patient_each(visits, patients, options, problems)
    visit_table = None
    if visits:
        check_header(visits, of_visits, problems)
        visit_table = read_visits(visits, of_visits, options, problems)
    known = read_patients(patients, of_patients, options, problems, stopped)
    if visit_table is None:
        raise problems.error()
    check_enrolment(visit_table.table, known, options.day_numbering, problems)
    check_columns_told(options.told | visit_table.told, [visit_table.table, known.table], problems)
    if visit_table.table.has("patient_id") and not len(known.rows) and not len(further) and names_nobody(visit_table):
        problems.wrong(visit_table.table.location, NOBODY)
    scored = options.bleeding == "scored" if options.bleeding else visit_table.scored
    study = StudyRows.matched(visit_table, known, further)
    check_similar(study.ids, visit_table.table.location, options.similar_ids, problems)
    problems.settle_asked()
    cohort = assemble(study, scored=scored, declared=of_visits, options=options, problems=problems)
    problems.settle().raise_if_wrong()
    return cohort


def one_patient_each(
    visits: NamedTable | None, patients: NamedTable, options: ReadOptions, problems: Problems
) -> tuple[NamedTable | None, NamedTable]:
    """The two tables with one id per patient, as the options say."""
    tables = [keyed(table, options.patient_key, problems) for table in (visits, patients) if table is not None]
    *of_visits, of_patients = in_one_spelling(tables, options.similar_ids, problems)
    check_sites([*of_visits, of_patients], options.patient_key, problems)
    return (of_visits[0] if of_visits else None), of_patients


def _of_files(
    visits: Tabular,
    patients: Tabular | None,
    of_visits: Mapping[str, ColumnDeclared],
    of_patients: Mapping[str, ColumnDeclared],
    problems: Problems,
) -> tuple[NamedTable | None, NamedTable]:
    """The table of visits, None if it cannot be opened, and the table of patients."""
    visit_table = read_table(recognized(visits), "visits", 0, VISITS, of_visits, problems)
    return visit_table, patient_table(patients, of_patients, problems)


def patient_table(
    patients: Tabular | None, of_patients: Mapping[str, ColumnDeclared], problems: Problems
) -> NamedTable:
    """The table of patients; a table without columns if there is none or it cannot be opened."""
    opened = None
    if patients is not None:
        opened = read_table(patients, "patients", 1, PATIENTS, of_patients, problems)
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
    unit: str | None,
    folder: Tabular,
    patients: Tabular | None,
    of_visits: Mapping[str, ColumnDeclared],
    of_patients: Mapping[str, ColumnDeclared],
    problems: Problems,
) -> tuple[NamedTable, NamedTable]:
    """The two tables of an SDTM study, made from its domains."""
    assert isinstance(folder, str | Path | MappedStudy)
    if patients is not None:
        name = (folder.folder if isinstance(folder, MappedStudy) else Path(folder)).name
        raise UsageError(f"{name}: this is an SDTM study, its patients are in its DM; give no patient table.")
    study = study_tables(folder, of_visits, of_patients, problems, unit)
    if study is None:
        raise problems.error()
    check_declared(study.patients, of_patients, problems)
    return study


NOBODY = "no row names a patient."


def names_nobody(visits: VisitTable) -> bool:
    """There are rows, but all of them are empty."""
    return len(visits.patient_ids) > 0 and visits.patient_ids.none and not visits.recorded.any()


@dataclass(frozen=True)
class StudyRows:
    """The rows of a study: its visits, its patient table, and the patient of each visit."""

    visits: VisitTable
    patients: PatientTable
    ids: pl.Series
    """All patients of the cohort; first those in the patient table, in its order."""
    patient: Ints
    """The position in `ids` of the patient of each row of the visits; -1: the row names none."""

    @classmethod
    def matched(cls, visits: VisitTable, patients: PatientTable, further: pl.Series) -> "StudyRows":
        """The rows by the names of patients; `further` are patients without any row that can be read."""
        listed, named = patients.listed, visits.patient_ids
        others = pl.concat([named.names.drop_nulls().alias("id"), further.alias("id")]).unique(maintain_order=True)
        others = others.filter(positions_of(others, listed) < 0)
        ids = pl.concat([listed.alias("patient_id"), others.alias("patient_id")])
        return cls(visits, patients, ids, named.spread(positions_of(named.names, ids)))

    @property
    def listed(self) -> int:
        """The number of patients in the patient table."""
        return len(self.patients.rows)

    @cached_property
    def patient_row(self) -> Ints:
        """The row of each patient in the patient table; its empty last row for a patient who is not in it."""
        empty = np.full(len(self.ids) - self.listed, len(self.patients.id) - 1)
        return np.concatenate([self.patients.rows, empty]).astype(np.int64)

    @cached_property
    def kept(self) -> Ints:
        """The rows of the visits with an observation of a patient."""
        return np.flatnonzero(self.visits.recorded & (self.patient >= 0))

    @property
    def kept_index(self) -> Index:
        """`kept` as an index. Mostly it is all rows, which need not be copied."""
        return slice(None) if len(self.kept) == len(self.patient) else self.kept

    @property
    def tables(self) -> tuple[TableRows, TableRows]:
        """The two tables, with the row of each observation and of each patient."""
        return (self.visits.table, self.kept), (self.patients.table, self.patient_row)


def assemble(
    study: StudyRows,
    *,
    scored: bool,
    declared: Mapping[str, ColumnDeclared],
    options: ReadOptions,
    problems: Problems,
    wrong: bool = False,
) -> Cohort:
    """The cohort of the rows of a study.

    With `scored`, an empty bleeding grade is unknown; otherwise it means no bleeding.
    `declared` are the further columns of the visits.
    Raises `CohortError` if there are problems, or were before (`wrong`).
    """
    visits, patients, impute = study.visits, study.patients, options.impute
    if patients.table.header:
        _note_unmatched(study, problems)
    check_units(study, options, problems)
    day_0 = _day_zero(study, problems)
    times = _observed_times(study, day_0, problems)
    # Day 0 as a date; of visits by days, it is known from the patient table alone.
    date_0 = day_0 if visits.dated else patients.enrolment_date.at(study.patient_row)
    stopped = _stopped(study, day_0.low, date_0.low, problems)
    if wrong or problems.any_wrong:
        raise problems.error()

    patient = study.patient[study.kept_index]
    ask_about_nines(visits, study.kept, patient, problems)
    _count_passed_over(visits.table, len(visits.recorded) - len(study.kept), problems)
    observed = _observations(study, times, declared, options, scored=scored)
    intervals = Intervals(times.when, times.rescue_end, date_0, patients.stopped.at(study.patient_row))
    imputed = None if impute is None else _imputed(study, impute, times.patient)
    partial = partial_of(intervals, study.tables, observed, (visits.dated, patients.stopped_dated), problems)
    location = visits.table.location
    built = build(_patients(study, date_0, stopped), observed)
    if built.left_out is not None:
        built = replace(built, left_out=replace(built.left_out, undecided=_moves_day_0(study, day_0.low)))
    return replace(
        built,
        source=location.name,
        row_word=location.row_word,
        origin=location.pieces.origin if location.pieces else None,
        stopped_by=_stopped_by(patients.table, study.patient_row),
        notes=tuple(problems.notes),
        imputed=imputed,
        partial=partial,
    )


def _patients(study: StudyRows, date_0: Numbers, stopped: Floats) -> Patients:
    """The patients; day 0 has no date where only an interval of it is known."""
    patients, row = study.patients, study.patient_row
    return Patients(
        id=study.ids,
        arm=patients.arm.gather(row),
        day_0=as_dates(np.where(date_0.low < date_0.high, np.nan, date_0.low)),
        baseline=patients.baseline.at(row),
        treatment_discontinued=stopped,
        columns={name: column.at(row) for name, column in patients.columns.items()},
    )


# OBSERVATIONS


class _Times(NamedTuple):
    """The patient and the times of each observation that is kept."""

    patient: Ints
    when: Numbers
    """As in the visits."""
    rescue_end: Numbers
    """As in the visits; NaN: not given."""
    day: Floats
    """Since day 0."""
    ended: Ints
    """The observations with the last day of a rescue treatment; they are few."""
    end: Floats
    """The last day of each of these, since day 0."""


def _observed_times(study: StudyRows, day_0: Numbers, problems: Problems) -> _Times:
    visits, index = study.visits, study.kept_index
    patient = study.patient[index]
    when, rescue_end = visits.when.at(index), visits.rescue_end.at(index)
    day = when.low - day_0.low[patient] if day_0.low.any() else when.low
    _check_near(visits.time, study.kept, day, problems)
    ended = np.flatnonzero(~np.isnan(rescue_end.low))
    end = rescue_end.low[ended] - day_0.low[patient[ended]]
    _check_near(visits.table.cells("rescue_end"), study.kept[ended], end, problems)
    return _Times(patient, when, rescue_end, day, ended, end)


def _observations(
    study: StudyRows,
    times: _Times,
    declared: Mapping[str, ColumnDeclared],
    options: ReadOptions,
    *,
    scored: bool,
) -> Observations:
    visits, index = study.visits, study.kept_index
    day = times.day.astype(np.int64)
    last_day = day.copy()
    last_day[times.ended] = times.end
    return Observations(
        patient=times.patient,
        day=day,
        platelets=visits.platelets.at(index),
        bleeding_grade=_grades(visits, scored=scored)[index],
        rescue=visits.rescue[index],
        rescue_end=last_day,
        source_row=visits.table.location.all_lines(study.kept),
        rescue_name=visits.rescue_name.at(index),
        columns={name: column.at(index) for name, column in visits.columns.items()},
        declared=declared,
        left_out=_left_out(visits, study.kept, options),
    )


def _grades(visits: VisitTable, *, scored: bool) -> Floats:
    """The grades; where none was written, 0 unless bleeding is scored."""
    grade = visits.bleeding_grade
    return grade if scored else np.where(np.isnan(grade) & ~visits.grade_not_known, 0.0, grade)


def _left_out(visits: VisitTable, kept: Ints, options: ReadOptions) -> Bools | None:
    """Of the rows `kept`, what was left out of them, as `Observations.left_out` has it."""
    table = visits.table
    # Whether no grade means no bleeding hangs on a grade of 0, which may be among what was left out.
    hangs = options.bleeding is None and table.may_be_scored and not (visits.bleeding_grade == 0).any()
    if not table.left_out and not hangs:
        return None
    ungraded = np.isnan(visits.bleeding_grade) & ~visits.grade_not_known & hangs
    return np.column_stack([*(table.has_left_out(name) for name in COMPLETED), ungraded])[kept]


def _moves_day_0(study: StudyRows, day_0: Floats) -> Bools:
    """The patients of whom a count that was left out may be the first, which is day 0."""
    visits, rows = study.visits, study.kept
    moved = np.zeros(len(study.ids), dtype=np.bool_)
    if not visits.dated or study.patients.table.has("enrolment_date") or not visits.table.left_out:
        return moved
    counted = np.zeros(len(study.ids), dtype=np.bool_)
    counted[study.patient[rows[~np.isnan(visits.platelets.low[rows])]]] = True
    rows = rows[visits.table.has_left_out("platelets")[rows]]
    patient = study.patient[rows]
    moved[patient[~counted[patient] | (visits.when.low[rows] < day_0[patient])]] = True
    return moved


def _imputed(study: StudyRows, impute: Impute, patient: Ints) -> Imputed:
    """The dates that were imputed; `patient` is the patient of each observation."""
    of_visits = [days.at(study.kept) for days in study.visits.not_imputed]
    of_patients = [days.at(study.patient_row) for days in study.patients.not_imputed]
    return imputed_of(impute, Intervals(*of_visits, *of_patients), study.tables, patient)


def _check_near(cells: Cells, rows: Ints, day: Floats, problems: Problems) -> None:
    far = np.abs(day) > FAR
    problems.wrong_cells(
        cells,
        rows[far] if far.any() else rows[:0],
        lambda text: f"{quoted(text)} lies over 100 years from day 0; correct it.",
    )


# NOTES


def _count_passed_over(table: NamedTable, number: int, problems: Problems) -> None:
    word = table.location.row_word

    def note_text(number: int, _: Sequence[str]) -> str:
        rows = f"{number} {word}{'s' if number > 1 else ''}"
        return f"{rows} passed over: without a count, a grade, a rescue or a declared column." if number else ""

    problems.count(table.location, "passed over", note_text, number)


def _count_patients(
    location: Location, about: str, ids: pl.Series, words: Callable[[int, str], str], problems: Problems
) -> None:
    """A warning about patients, worded by `words` from their number and the first few ids; none for no patients."""

    def note_text(number: int, texts: Sequence[str]) -> str:
        return words(number, first_few(texts, number=number)) if number else ""

    problems.count(location, about, note_text, len(ids), ids[:FEW].to_list(), warning=True)


def _note_unmatched(study: StudyRows, problems: Problems) -> None:
    """Note the patients who are in only one of the two tables."""
    has_rows = np.zeros(len(study.ids), dtype=np.bool_)
    has_rows[study.patient[study.patient >= 0]] = True
    not_listed = study.ids[study.listed :]
    without_rows = study.ids[: study.listed].filter(~has_rows[: study.listed])
    for ids, lack in ((not_listed, "not in the patient table"), (without_rows, "without a row in the visits")):

        def words(number: int, few: str, lack: str = lack) -> str:
            return f"{number} patient{'s' if number > 1 else ''} {lack}, kept: {few}."

        _count_patients(study.visits.table.location, lack, ids, words, problems)


# COUNTS


def check_units(study: StudyRows, options: ReadOptions, problems: Problems) -> None:
    """Ask about counts that cannot be in 10⁹/L; report those of a table without a unit beside converted ones."""
    visits, patients = study.visits, study.patients
    cells, unit = visits.table.cells("platelets"), visits.unit
    sizes = count_sizes(cells, unit, visits.platelets.at(study.kept_index), options.accept)
    if not unit.told:
        bands = patient_bands(study.patient[study.kept_index], visits.platelets.at(study.kept_index))
        sizes = replace(sizes, bands=banded(bands, study.ids))
    problems.expect(sizes)
    baseline, of_baseline = patients.table.cells("baseline"), patients.baseline_unit
    if np.isnan(patients.baseline.low).all() or not sizes.number:
        return
    for told, untold, counts in ((unit, of_baseline, baseline), (of_baseline, unit, cells)):
        if told.converted and not untold.told:
            what = f"{counts.name}: other counts are not in 10⁹/L, and the unit of these is not told"
            cure = f"name it in the header, as in '{counts.name} (10^9/L)'"
            _wrong_once(counts.location, f"{what}; {cure}, or in a column of units.", problems)


def _wrong_once(location: Location, text: str, problems: Problems) -> None:
    problems.wrong_in_all(location, text, lambda *_: text, 1, (), unreadable=())


# DAY 0


def check_enrolment(
    visits: NamedTable, patients: PatientTable, numbering: DayNumbering | None, problems: Problems
) -> None:
    """Report days of enrolment beside visits by dates; beside visits by days, they say what day 1 is."""
    table, dated = patients.table, visits.has("date")
    if not dated and table.has("enrolment_day"):
        note_enrolled(visits.cells("day"), numbering, problems)
    if dated and table.has("enrolment_day") and not table.has("enrolment_date"):
        what = f"{table.header['enrolment_day']!r} cannot be used, as {visits.location.name} has dates"
        problems.wrong(table.location, f"{what}; give 'enrolment_date'.")


def _day_zero(study: StudyRows, problems: Problems) -> Numbers:
    """Day 0 of each patient, in the days of the visits; NaN: not known."""
    visits, patients = study.visits, study.patients
    table = patients.table
    name = "enrolment_date" if visits.dated else "enrolment_day"
    if table.has(name):
        enrolment = patients.enrolment_date if visits.dated else exactly(patients.enrolment_day)
        _check_enrolled(study, table.cells(name), problems)
        return enrolment.at(study.patient_row)
    if visits.dated:
        return _first_count_days(study, problems)
    if table.has("enrolment_date"):
        without = study.ids.filter(np.isnan(patients.enrolment_date.low[study.patient_row]))
        words = "No enrolment date, so no dates in the output: {}.".format
        _count_patients(table.location, "no enrolment", without, lambda _, few: words(few), problems)
    return exactly(np.zeros(len(study.ids)))


def _check_enrolled(study: StudyRows, enrolment: Cells, problems: Problems) -> None:
    """Report patients without an enrolment: in the patient table, and those who are not in it."""
    visits, patients = study.visits, study.patients
    reason = "the patient's enrolment is not known."
    empty = patients.rows[is_empty(enrolment, patients.rows)]
    cure = f"fill it in, or drop {enrolment.name!r}: then day 0 is the first count" if visits.dated else "fill it in"
    if WITHOUT_DAY_0 in patients.table.frame.columns:
        cure = 'fill it in, say why in ARMNRS, or put \'without_day_0\' in sdtm.toml: "keep" or "leave_out"'
        is_kept = patients.table.frame[WITHOUT_DAY_0].fill_null(value=False).to_numpy()
        empty = empty[~is_kept[empty]]
    problems.wrong_in_all(
        patients.table.location,
        "enrolment",
        _missing_for(f"{enrolment.name}: ", cure),
        len(empty),
        _with_locations(patients.table, patients.id.gather(empty[:FEW]).to_list(), empty),
        unreadable=[UnreadableCells(enrolment, empty, lambda _: reason)],
    )
    not_listed = np.flatnonzero(study.patient >= study.listed)
    if len(not_listed) and patients.table.has("patient_id"):
        first = not_listed[np.unique(study.patient[not_listed], return_index=True)[1]]
        problems.wrong_in_all(
            visits.table.location,
            "enrolment",
            _missing_for("", f"add a row to {patients.table.location.name}"),
            len(first),
            _with_locations(visits.table, study.ids.gather(study.patient[first[:FEW]]).to_list(), first),
            unreadable=[UnreadableCells(visits.table.cells("patient_id"), not_listed, lambda _: reason)],
        )


def _missing_for(where: str, cure: str) -> NoteText:
    def note_text(number: int, patients: Sequence[str]) -> str:
        return f"{where}enrolment missing for {and_more(patients, FEW, number)}; {cure}."

    return note_text


def _with_locations(table: NamedTable, ids: list[str], rows: Ints) -> list[str]:
    """The first few patients, each with the location of the row."""
    locations = [table.location.named(int(row)) for row in rows[:FEW]]
    return [f"{quoted(patient_id)} ({location})" for patient_id, location in zip(ids, locations, strict=True)]


def _first_count_days(study: StudyRows, problems: Problems) -> Numbers:
    """The day of each patient's first count; of the first row, for a patient without a count."""
    visits, location = study.visits, study.visits.table.location
    problems.note(location, "No enrolment dates: day 0 is the date of each patient's first count.", warning=True)
    choices = (~np.isnan(visits.platelets.low), visits.recorded, study.patient >= 0)
    low = [_first_day(study, visits.when.low, rows) for rows in choices]
    without = study.ids.filter(np.isnan(low[0]) & ~np.isnan(low[2]))
    words = "Without a count, day 0 is the date of the first row: {}.".format
    _count_patients(location, "no count", without, lambda _, few: words(few), problems)
    if visits.when.exact:
        return exactly(_first_known(low))
    high = [_first_day(study, visits.when.high, rows) for rows in choices]
    return Numbers(_first_known(low), _first_known(high))


def _first_day(study: StudyRows, when: Floats, rows: Bools) -> Floats:
    """The first of each patient's days in these rows; NaN where there is none."""
    chosen = np.flatnonzero(rows & (study.patient >= 0) & ~np.isnan(when))
    first = np.full(len(study.ids), np.inf)
    np.minimum.at(first, study.patient[chosen], when[chosen])
    return np.where(np.isinf(first), np.nan, first)


def _first_known(days: list[Floats]) -> Floats:
    return np.where(np.isnan(days[0]), np.where(np.isnan(days[1]), days[2], days[1]), days[0])


# END OF TREATMENT


def _stopped(study: StudyRows, day_0: Floats, date_0: Floats, problems: Problems) -> Floats:
    """The day since day 0 on which each patient stopped treatment permanently; infinite: not recorded."""
    patients, row = study.patients, study.patient_row
    cells = patients.table.cells("treatment_discontinued")
    stopped = patients.stopped.low[row]
    given = ~np.isnan(stopped)
    if patients.stopped_dated:
        without_date_0 = given & np.isnan(date_0)
        problems.wrong_cells(
            cells,
            row[without_date_0],
            lambda text: f"{quoted(text)} cannot be counted in days, as enrolment is not known; give 'enrolment_date'.",
        )
        stopped = stopped - date_0
    elif not study.visits.dated:
        stopped = stopped - day_0
    _check_near(cells, row, stopped, problems)
    return np.where(given, stopped, np.inf)


def _stopped_by(table: NamedTable, row: Ints) -> Origin | None:
    """Where the end of treatment of the patients in these rows was written."""
    last = len(table.frame) - 2
    if not table.has("treatment_discontinued") or last < 0:
        return None
    first_label = np.zeros(len(row), dtype=np.int32)
    variable = Texts(first_label, (table.header["treatment_discontinued"],))
    if STOPPED_BY in table.frame.columns:
        numbers = table.frame[STOPPED_BY].fill_null(0).to_numpy()[row]
        return Origin(Texts(first_label, ("DS",)), numbers, variable)
    pieces = table.location.pieces
    # The empty row at the end stands for patients who are not in the table; they did not stop.
    row = np.minimum(row, last)
    if pieces is not None and pieces.origin is not None:
        return replace(pieces.origin.at(table.location.all_lines(row) - 1), variable=variable)
    lines = table.location.written_in(row, variable.labels[0])
    return Origin(Texts(first_label, (table.location.name,)), lines, variable, word=table.location.row_word)
