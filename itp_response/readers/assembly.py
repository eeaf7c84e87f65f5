"""Assembly: the cohort of a study's rows.

The rows are those of a study, or of a chunk of it: some patients with all their rows. What all rows of the study show
together is given (`RecordedAs`), or asked of all chunks when the last has been assembled (`Problems.settle`).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
import polars as pl

from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import ColumnDeclared
from itp_response.cohort.observations import Imputed, Observations, Patients
from itp_response.cohort.values import Bools, Floats, Ints, Numbers
from itp_response.readers.as_of import check_as_of, cut_and_noted
from itp_response.readers.day_0 import (
    check_near,
    counts_before_dose,
    day_0_of_patients,
    days_stopped,
    stopped_by_record,
    subjects,
)
from itp_response.readers.missing_codes import ask_about_nines
from itp_response.readers.options import Impute, ReadOptions
from itp_response.readers.partial_dates import Intervals, as_dates, imputed_of, partial_of
from itp_response.readers.problems import Problems
from itp_response.readers.quarantine import COMPLETED
from itp_response.readers.study_notes import check_units, count_passed_over, note_unmatched
from itp_response.readers.study_rows import StudyRows
from itp_response.readers.visit_table import VisitTable

RecordedAs = Literal["scored", "events", "open"]
"""How bleeding is written down: scored at visits, as a log of events, or either, as a grade of 0 may be left out."""


def recorded_as(has_grade_0: bool, may_be_scored: bool, options: ReadOptions) -> RecordedAs:
    """How bleeding is written down in a study with such grades."""
    if options.bleeding is not None:
        return options.bleeding
    return "scored" if has_grade_0 else "open" if may_be_scored else "events"


def assemble(
    study: StudyRows,
    *,
    bleeding: RecordedAs,
    declared: Mapping[str, ColumnDeclared],
    options: ReadOptions,
    problems: Problems,
    wrong: bool = False,
) -> Cohort:
    """The cohort of the rows of a study.

    `bleeding` says what an empty bleeding grade means, which all rows of the study together show (`recorded_as`).
    `declared` are the further columns of the visits.
    Raises `CohortError` if there are problems, or were before (`wrong`).
    """
    visits, patients = study.visits, study.patients
    note_unmatched(study, problems)
    check_units(study, options, problems)
    day_0 = day_0_of_patients(study, problems)
    times = _observed_times(study, day_0, problems)
    # Day 0 as a date; of visits by days, it is known from the patient table alone.
    date_0 = day_0 if visits.dated else patients.enrolment_date.at(study.patient_row)
    stopped = days_stopped(study, day_0.low, date_0.low, problems)
    check_as_of(study, date_0.low, options, problems)
    if wrong or problems.any_wrong:
        raise problems.error()

    ask_about_nines(visits, study.kept, study.patient[study.kept_index], problems)
    count_passed_over(visits.table, len(visits.recorded) - len(study.kept), problems)
    observed = _observations_of(study, times, declared, bleeding)
    intervals = Intervals(times.when, times.rescue_end, date_0, patients.stopped.at(study.patient_row))
    imputed = None if options.impute is None else _imputed_dates(study, options.impute, times.patient)
    partial = partial_of(intervals, study.tables, observed, (visits.dated, patients.stopped_dated), problems)
    location = visits.table.location
    cohort = replace(
        _built(study, _patients_of(study, date_0, stopped, times.day), observed, day_0.low),
        source=location.name,
        row_word=location.row_word,
        study=visits.table.study,
        records_rescue=visits.table.has("rescue"),
        records_rescue_end=visits.table.has("rescue_end"),
        bleeding_is_log=bleeding == "events",
        origin=location.pieces.origin if location.pieces else None,
        stopped_by=stopped_by_record(patients.table, study.patient_row),
        imputed=imputed,
        partial=partial,
    )
    return replace(cut_and_noted(cohort, study, options, problems), notes=tuple(problems.notes))


def _built(study: StudyRows, patients: Patients, observed: Observations, day_0: Floats) -> Cohort:
    """The cohort; no verdict is given where what was left out may move day 0."""
    table = study.patients
    subject = subjects(table.table, study.patient_row)
    built = replace(build(patients, observed), subject=subject, day_columns=table.day_columns)
    if built.left_out is None:
        return built
    return replace(built, left_out=replace(built.left_out, undecided=_moves_day_0(study, day_0)))


def _patients_of(study: StudyRows, date_0: Numbers, stopped: Floats, day: Floats) -> Patients:
    """The patients; day 0 has no date where only an interval of it is known. `day` is that of each observation."""
    patients, row = study.patients, study.patient_row
    return Patients(
        id=study.ids,
        arm=patients.arm.gather(row),
        actual_arm=None if patients.actual_arm is None else patients.actual_arm.gather(row),
        day_0=as_dates(np.where(date_0.low < date_0.high, np.nan, date_0.low)),
        baseline=patients.baseline.at(row),
        treatment_discontinued=stopped,
        columns={name: column.at(row) for name, column in patients.columns.items()},
        before_dose=counts_before_dose(study, day),
    )


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
    check_near(visits.time, study.kept, day, problems)
    ended = np.flatnonzero(~np.isnan(rescue_end.low))
    end = rescue_end.low[ended] - day_0.low[patient[ended]]
    check_near(visits.table.cells("rescue_end"), study.kept[ended], end, problems)
    return _Times(patient, when, rescue_end, day, ended, end)


def _observations_of(
    study: StudyRows,
    times: _Times,
    declared: Mapping[str, ColumnDeclared],
    bleeding: RecordedAs,
) -> Observations:
    visits, index = study.visits, study.kept_index
    day = times.day.astype(np.int64)
    last_day = day.copy()
    last_day[times.ended] = times.end
    return Observations(
        patient=times.patient,
        day=day,
        platelets=visits.platelets.at(index),
        bleeding_grade=_grades_recorded(study, day, bleeding),
        rescue=visits.rescue[index],
        rescue_end=last_day,
        source_row=visits.table.location.all_lines(study.kept),
        rescue_name=visits.rescue_name.at(index),
        rescue_term=visits.rescue_term.at(index),
        columns={name: column.at(index) for name, column in visits.columns.items()},
        declared=declared,
        left_out=_cells_left_out(visits, study.kept, bleeding),
    )


def _grades_recorded(study: StudyRows, day: Ints, bleeding: RecordedAs) -> Floats:
    """The grades of the rows that are kept; where none was written, 0 if bleeding is written down as events.

    It is not known on a day of which a row says that it is not, whatever other rows of the day leave empty.
    """
    visits, index = study.visits, study.kept_index
    grade = visits.bleeding_grade[index]
    if bleeding != "events":
        return grade
    not_known = visits.grade_not_known[index]
    said = not_known & ~visits.table.has_left_out("bleeding_grade")[index] if visits.table.left_out else not_known
    if said.any():
        days = pl.DataFrame({"patient": study.patient[index], "day": day, "said": said})
        not_known = not_known | days.select(pl.col("said").any().over("patient", "day")).to_series().to_numpy()
    return np.where(np.isnan(grade) & ~not_known, 0.0, grade)


def _cells_left_out(visits: VisitTable, kept: Ints, bleeding: RecordedAs) -> Bools | None:
    """Of the rows `kept`, what was left out of them, as `Observations.left_out` has it."""
    table = visits.table
    if not table.left_out and bleeding != "open":
        return None
    ungraded = np.isnan(visits.bleeding_grade) & ~visits.grade_not_known & (bleeding == "open")
    return np.column_stack([*(table.has_left_out(name) for name in COMPLETED), ungraded])[kept]


def _moves_day_0(study: StudyRows, day_0: Floats) -> Bools:
    """The patients whose first count, which is day 0, may have been left out."""
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


def _imputed_dates(study: StudyRows, impute: Impute, patient: Ints) -> Imputed:
    """The dates that were imputed; `patient` is the patient of each observation."""
    of_visits = [days.at(study.kept) for days in study.visits.not_imputed]
    of_patients = [days.at(study.patient_row) for days in study.patients.not_imputed]
    return imputed_of(impute, Intervals(*of_visits, *of_patients), study.tables, patient)
