"""Source checks: what the review looks at in a study's tables that decides no verdict, so that no cohort has it.

These are dates of birth and death, bleeding that was recorded but not graded, reasons for rescue, and the doses of an
SDTM study.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification, Study
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.texts import said
from itp_response.cohort.values import Floats, Ints
from itp_response.data_review.edit_checks import COLUMNS, DOSED, Priority, after_stop_in_words
from itp_response.readers.cells import is_empty
from itp_response.readers.coded.study import recognized
from itp_response.readers.column_names import REASON, NamedTable, no_table, read_table
from itp_response.readers.dates import as_day_numbers
from itp_response.readers.missing_codes import without_codes
from itp_response.readers.options import ReadOptions
from itp_response.readers.patients import positions_of
from itp_response.readers.problems import Problems, as_text
from itp_response.readers.sdtm.domains import doses, study_tables
from itp_response.readers.sdtm.folder import MappedStudy, is_study
from itp_response.readers.tabular import Tabular
from itp_response.readers.treatments import RescueWords
from itp_response.readers.visits import one_patient_each

LIFE_DATES = ("patient_id", "birth_date", "death_date")
LIFE_DATES_OF_DM = ("BRTHDTC", "DTHDTC")
"""The dates in SDTM."""
BLEEDING_COLUMNS = (
    *("bleeding", "bleeding_site", "bleeding_sites", "bleeding_event", "bleeding_term", "bleeding_type"),
    *("bleeding_description", "bleeding_reported", "bleeding_yn"),
)
"""Columns of the visits that say that there was bleeding, beside one that grades it."""
NO_BLEEDING = ("0", "no", "n", "none", "false", "na", "n/a", "nan", "null", ".", "not done", "unknown")
REASON_COLUMNS = (REASON, "reason_for_rescue", "rescue_indication", "rescue_for")
"""Columns of the visits that say why rescue treatment was given."""
UNGRADED, UNREASONED = "bleeding_without_a_grade", "rescue_without_a_reason"
PRIORITIES: dict[str, Priority] = {UNGRADED: "high", UNREASONED: "low"}
"""Of the checks that are made here alone."""
ASKS = {UNGRADED: "Which WHO grade was the bleeding?", UNREASONED: "Why was rescue treatment given?"}
"""The question of each."""
LOOKED_AT = {UNGRADED: "records of bleeding", UNREASONED: "rescue treatments"}
"""What each looks at."""


@dataclass(frozen=True)
class SourceChecks:
    """What the tables of a study give the review beside the cohort.

    Days are counted from day 0, per patient (P); NaN: not known.
    """

    born: Floats
    """(P) The earliest possible birth."""
    died: Floats
    """(P) The latest possible death."""
    fired: pl.DataFrame
    """The checks that fired, with the columns of `edit_checks.COLUMNS`."""
    looked_at: Mapping[str, tuple[int, str]]
    """How many records each of these checks looks at, and what they are."""


def source_checks(visits: Study, patients: Tabular | None, cohort: Cohort, options: ReadOptions) -> SourceChecks:
    """The checks of the tables that a cohort was read from; of a `Cohort` and a `Classification` nothing is known.

    Raises `CohortError` for a birth or a death that is no date.
    """
    not_known = np.full(len(cohort), np.nan)
    if isinstance(visits, Classification | Cohort):
        return SourceChecks(not_known, not_known, _nothing(), {})
    problems, options = Problems(), options.told_by(getattr(visits, "options", {}))
    if is_study(visits):
        assert isinstance(visits, str | Path | MappedStudy)
        study = study_tables(visits, (), LIFE_DATES_OF_DM, Problems())
        assert study is not None  # it was read
        visit_table, life_dates = study.visits, LIFE_DATES_OF_DM
        patient_table = study.patients
        of_doses = _dose_after_stop(cohort, doses(visits))
    else:
        names = ("patient_id", "bleeding_grade", "rescue", *BLEEDING_COLUMNS, *REASON_COLUMNS)
        visit_table, life_dates = _table(visits, "visits", 0, names, problems), LIFE_DATES[1:]
        none = no_table(1, "patients")
        patient_table = none if patients is None else _table(patients, "patients", 1, LIFE_DATES, problems)
        of_visits, patient_table = one_patient_each(visit_table, patient_table, options, Problems())
        visit_table = of_visits or visit_table
        of_doses = _nothing()
    visit_table = without_codes(visit_table, options.told | visit_table.told, Problems())
    born, died = not_known, not_known
    if patient_table.header:
        patient_table = without_codes(patient_table, options.told | patient_table.told, Problems())
        born, died = _life_days(patient_table, life_dates, cohort, options, problems)
    bleeds = {name: _bleeding(visit_table, name) for name in BLEEDING_COLUMNS if visit_table.has(name)}
    of_bleeding = [_ungraded(visit_table, name, rows, cohort) for name, rows in bleeds.items()]
    rescues = _rescues(visit_table, RescueWords.told(options.told | visit_table.told))
    reasons = [name for name in REASON_COLUMNS if visit_table.has(name)]
    of_rescue = [_unreasoned(visit_table, name, rescues, cohort) for name in reasons]
    numbers = {UNGRADED: sum(map(len, bleeds.values())), UNREASONED: len(rescues) * len(reasons)}
    looked_at = {name: (number, LOOKED_AT[name]) for name, number in numbers.items()}
    fired = pl.concat([_nothing(), *of_bleeding, *of_rescue, of_doses])
    if cohort.as_of is not None:
        last = cohort.as_of.last_day(cohort.day_0)
        died = np.where(died > last, np.nan, died)
        fired = _up_to(fired, cohort.id, last)
    return SourceChecks(born, died, fired, looked_at)


def _up_to(fired: pl.DataFrame, ids: pl.Series, last: Ints) -> pl.DataFrame:
    """What fired on days up to the last that is seen of each patient; what has no day may be later."""
    days = pl.DataFrame({"patient_id": ids, "last": pl.Series(last, dtype=pl.Int64)})
    joined = fired.join(days, on="patient_id", how="left", maintain_order="left")
    return joined.filter(pl.col("day") <= pl.col("last")).select(COLUMNS)


def _table(source: Any, what: str, order: int, names: tuple[str, ...], problems: Problems) -> NamedTable:
    named = read_table(recognized(source), what, order, names, (), problems)
    problems.raise_if_wrong()
    assert named is not None
    return named


def _nothing() -> pl.DataFrame:
    types = {name: pl.Int64() if name in ("day", "line") else pl.String() for name in COLUMNS}
    return pl.DataFrame(schema=types)


def _life_days(
    patients: NamedTable, names: tuple[str, ...], cohort: Cohort, options: ReadOptions, problems: Problems
) -> tuple[Floats, Floats]:
    """The days of birth and of death counted from day 0; of a patient with several lines, those of the first."""
    ids = as_text(patients.cells("patient_id").values)
    first = (ids.is_not_null() & ids.is_first_distinct()).arg_true()
    index = positions_of(cohort.id, ids.gather(first))
    row = first.to_numpy()[index] if len(first) else index
    birth, death = (as_day_numbers(patients.cells(name), problems, options.dates_of_patients) for name in names)
    problems.raise_if_wrong()
    day_0 = cohort.day_0.astype("datetime64[D]").astype(np.int64)
    is_lacking = (index < 0) | np.isnat(cohort.day_0)
    born, died = (np.where(is_lacking, np.nan, days[row] - day_0) for days in (birth.low, death.high))
    return born, died


# CHECKS OF THE VISITS


def _bleeding(visits: NamedTable, name: str) -> Ints:
    """The rows in which a column records bleeding."""
    text = as_text(visits.cells(name).values)
    return np.flatnonzero((text.is_not_null() & ~text.str.to_lowercase().is_in(NO_BLEEDING)).to_numpy())


def _ungraded(visits: NamedTable, name: str, rows: Ints, cohort: Cohort) -> pl.DataFrame:
    """Bleeding that a column records in these rows, without a grade."""
    text = as_text(visits.cells(name).values)
    rows = rows[is_empty(visits.cells("bleeding_grade"), rows)]
    says = said("Bleeding ({}) without a grade: which WHO grade was it?", text.gather(rows))
    return _fired(visits, cohort, rows, UNGRADED, visits.cells(name).name, text.gather(rows), says)


def _rescues(visits: NamedTable, words: RescueWords) -> Ints:
    """The rows in which a rescue treatment begins."""
    text = as_text(visits.cells("rescue").values)
    begins = [given for given in text.drop_nulls().unique() if words.meaning(given).begins]
    return np.flatnonzero(text.is_in(begins).fill_null(value=False).to_numpy())


def _unreasoned(visits: NamedTable, name: str, rows: Ints, cohort: Cohort) -> pl.DataFrame:
    """Rescue treatment that begins in these rows, without a reason in the column for it."""
    text = as_text(visits.cells("rescue").values)
    rows = rows[is_empty(visits.cells(name), rows)]
    says = said("Rescue treatment ({}) without a reason: why was it given?", text.gather(rows))
    return _fired(visits, cohort, rows, UNREASONED, visits.cells("rescue").name, text.gather(rows), says)


def _fired(
    visits: NamedTable, cohort: Cohort, rows: Ints, check: str, column: str, values: pl.Series, says: pl.Series
) -> pl.DataFrame:
    lines = visits.location.all_lines(rows)
    word, number = cohort.keys(lines)
    file = pl.Series([visits.location.name]).new_from_index(0, len(rows)) if cohort.origin is None else word
    return pl.DataFrame(
        {
            "patient_id": as_text(visits.cells("patient_id").values).gather(rows),
            "check": pl.Series([check]).new_from_index(0, len(rows)),
            "day": _days_of(cohort, lines),
            "file": file,
            "line": number,
            "column": pl.Series([column]).new_from_index(0, len(rows)),
            "value": values,
            "says": says,
        }
    ).select(COLUMNS)


def _days_of(cohort: Cohort, lines: Ints) -> pl.Series:
    """The day of each line; null where the cohort has nothing of it."""
    row = np.repeat(np.arange(len(cohort.day)), np.diff(cohort.first_line))
    known = pl.DataFrame({"line": cohort.lines.astype(np.int64), "day": cohort.day[row].astype(np.int64)})
    asked = pl.DataFrame({"line": lines.astype(np.int64)})
    one_day = known.unique("line", keep="none")
    return asked.join(one_day, on="line", how="left", maintain_order="left")["day"]


# CHECKS OF THE DOSES


def _dose_after_stop(cohort: Cohort, given: pl.DataFrame) -> pl.DataFrame:
    """Doses begun after the day on which treatment was stopped."""
    patient = positions_of(given["subject"], cohort.id)
    at = np.maximum(patient, 0)
    day = given["day"].to_numpy() - cohort.day_0[at].astype("datetime64[D]").astype(np.int64)
    stopped = cohort.treatment_discontinued[at]
    late = np.flatnonzero((patient >= 0) & ~np.isnat(cohort.day_0[at]) & (day > stopped))
    doses_late = given[late]
    return pl.DataFrame(
        {
            "patient_id": doses_late["subject"],
            "check": pl.Series([DOSED]).new_from_index(0, len(late)),
            "day": pl.Series(day[late], dtype=pl.Int64),
            "file": pl.Series(["EX"]).new_from_index(0, len(late)),
            "line": doses_late["sequence"],
            "column": pl.Series(["EXDOSE"]).new_from_index(0, len(late)),
            "value": doses_late["dose"],
            "says": after_stop_in_words("a dose was recorded", stopped[late], day[late]),
        }
    ).select(COLUMNS)
