"""Visits: the cohort of a table of visits and, if there is one, a table of patients.

Both are files, frames or lists of rows, and are read column by column. All their problems are reported together. The
cohort's notes say what was assumed.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import get_args

import polars as pl

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import ColumnDeclared, in_table
from itp_response.cohort.observations import ReadFrom
from itp_response.messages.codes import Code
from itp_response.messages.errors import CohortError, Problem, UsageError, some_of, unknown
from itp_response.readers.assembly import assemble, recorded_as
from itp_response.readers.coded.study import recognized
from itp_response.readers.column_names import NamedTable, no_table, read_table
from itp_response.readers.day_0 import check_enrolment
from itp_response.readers.ids import check_similar, check_sites, in_one_spelling, keyed
from itp_response.readers.known_names import PATIENTS, VISITS
from itp_response.readers.missing_codes import check_columns_told
from itp_response.readers.options import DEFAULTS, ReadOptions
from itp_response.readers.patients import Stopped, read_patients
from itp_response.readers.problems import Problems
from itp_response.readers.quarantine import Quarantine, with_quarantine
from itp_response.readers.sdtm.folder import MappedStudy, is_study
from itp_response.readers.study_rows import StudyRows
from itp_response.readers.tabular import Tabular
from itp_response.readers.unchanged import InputFiles
from itp_response.readers.visit_table import VisitTable, check_columns, check_declared, check_header, read_visits

NO_COLUMNS: Mapping[str, ColumnDeclared] = MappingProxyType({})
NOBODY = Problem("no row names a patient.", code=Code.NO_ROWS)


def read(
    visits: Tabular,
    patients: Tabular | None = None,
    *,
    options: ReadOptions | None = None,
    columns: Mapping[str, ColumnDeclared] = NO_COLUMNS,
    stopped: Stopped | None = None,
    rescue_names: Collection[str] = (),
) -> Cohort:
    """Read the visits and the patients of a study.

    A visit has the `patient_id`, a `date` or a `day` since enrolment, and the platelet count (`platelets`) in 10⁹/L, or
    a result below or above the reporting limit such as `<10`. `bleeding_grade` (WHO, 0 to 4), `rescue` (a name, or 1)
    and `rescue_end` are optional. An empty cell means that nothing was recorded; for a grade, `ReadOptions.bleeding`
    decides. A patient has the `patient_id`, and optionally `arm`, `enrolment_date` or `enrolment_day`, `baseline`
    (10⁹/L) and `treatment_discontinued`. If visits have dates and no enrolment is known, day 0 is the date of the first
    count.

    Args:
        visits: A table with a row per visit: a file or a folder, a frame of polars, pandas or Arrow, a list with a dict
            per row, or what `mapped` gave; or the folder of an SDTM study, which has its patients with it.
        patients: A table with a row per patient, in the same forms. None: there is none.
        options: How the tables are read. None: the defaults of `ReadOptions`.
        columns: Further columns to read, as a criteria file declares them.
        stopped: Whether ends of treatment are `days` or `dates`. None: what most of them look like.
        rescue_names: Further names of rescue treatments, in lower case.

    Returns:
        What was observed: one row per patient and day, sorted.

    Raises:
        CohortError: The tables cannot be used; the error has every problem.
        UsageError: An object is not a table.

    Examples:
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
    files = InputFiles.of((visits, patients))
    if stopped not in (None, *get_args(Stopped)):
        raise UsageError(unknown("way to give the end of treatment", str(stopped), get_args(Stopped)))
    with files.unchanged():
        cohort = _cohort(visits, patients, options.with_names(rescue_names), columns, stopped)
    inputs = {"visits": visits, "patients": patients}
    return replace(cohort, read_from=ReadFrom(inputs, asdict(options), check_unchanged=files.check))


def _cohort(
    visits: Tabular,
    patients: Tabular | None,
    options: ReadOptions,
    columns: Mapping[str, ColumnDeclared],
    stopped: Stopped | None,
) -> Cohort:
    """The cohort of the two tables, without the rows that are left out."""
    leave_out = options.on_error == "quarantine"
    of_opening = Problems(leave_out=leave_out)
    of_visits = in_table(columns, "visits")
    of_patients = in_table(columns, "patients")
    read_tables = partial(_of_study, options.unit) if is_study(visits) else _of_files
    visit_table, patient_table = read_tables(visits, patients, of_visits, of_patients, of_opening)
    quarantine, cohort = Quarantine(), None
    quarantine.broken_lines = of_opening.broken_lines
    while cohort is None:
        tables = visit_table and quarantine.without(visit_table), quarantine.without(patient_table)
        problems, further = of_opening.copy(), quarantine.patients
        try:
            cohort = _of_tables(*tables, columns, further, options, stopped, problems)
        except CohortError:
            # Each turn leaves out more rows, so the loop ends.
            if not leave_out or not quarantine.leave_out(problems, tuple(filter(None, tables))):
                raise
    return with_quarantine(cohort, quarantine) if leave_out else cohort


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
        check_header(visits, of_visits, options, problems)
        visit_table = read_visits(visits, of_visits, options, problems)
    known = read_patients(patients, of_patients, options, problems, stopped)
    if visit_table is None:
        raise problems.error()
    check_enrolment(visit_table.table, known, options.day_numbering, problems)
    check_columns_told(options.told | visit_table.told, [visit_table.table, known.table], problems)
    if visit_table.table.has("patient_id") and not len(known.rows) and not len(further) and names_nobody(visit_table):
        problems.wrong(visit_table.table.location, NOBODY)
    bleeding = recorded_as(visit_table.has_grade_0, visit_table.table.may_be_scored, options)
    study = StudyRows.matched(visit_table, known, further)
    check_similar(study.ids, visit_table.table.location, options.similar_ids, problems)
    problems.settle_asked()
    cohort = assemble(study, bleeding=bleeding, declared=of_visits, options=options, problems=problems)
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
    elif needed := [repr(name) for name, column in of_patients.items() if column.is_needed]:
        names = some_of(needed)
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
    # Imported here: files are read more often than such studies.
    from itp_response.readers.sdtm.domains import study_tables

    study = study_tables(folder, of_visits, of_patients, problems, unit)
    if study is None:
        raise problems.error()
    check_declared(study.patients, of_patients, problems)
    return study


def names_nobody(visits: VisitTable) -> bool:
    """There are rows, but all of them are empty."""
    return len(visits.patient_ids) > 0 and visits.patient_ids.none and not visits.recorded.any()
