"""Beside: what the review looks at in a study's tables that decides no verdict, so that the cohort has not got it.

Dates of birth and death, bleeding that was told but not graded, reasons for rescue, and the doses of an SDTM study.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification, Study
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.texts import said, texts
from itp_response.cohort.values import Floats, Ints
from itp_response.data_review.edit_checks import COLUMNS, DOSED
from itp_response.readers.cells import NO_RESCUE, as_day_numbers, is_empty
from itp_response.readers.column_names import REASON, NamedTable, read_table
from itp_response.readers.files import Tabular
from itp_response.readers.patients import positions_of
from itp_response.readers.problems import Problems, as_text
from itp_response.readers.sdtm.domains import MappedStudy, doses, is_study, study_tables

LIVED = ("patient_id", "birth_date", "death_date")
OF_DM = ("BRTHDTC", "DTHDTC")
"""The same in SDTM."""
TOLD = (
    *("bleeding", "bleeding_site", "bleeding_sites", "bleeding_event", "bleeding_term", "bleeding_type"),
    *("bleeding_description", "bleeding_reported", "bleeding_yn"),
)
"""Columns of the visits that say that there was bleeding, beside one that grades it."""
NO_BLEEDING = ("0", "no", "n", "none", "false", "na", "n/a", "nan", "null", ".", "not done", "unknown")
REASONS = (REASON, "reason_for_rescue", "rescue_indication", "rescue_for")
"""Columns of the visits that say why rescue treatment was given."""
UNGRADED, UNREASONED = "bleeding_without_a_grade", "rescue_without_a_reason"


@dataclass(frozen=True)
class Beside:
    """What the tables have beside the cohort; per patient (P) days counted from day 0, NaN where not known."""

    born: Floats
    """(P) The earliest birth that was possible."""
    died: Floats
    """(P) The latest death that was possible."""
    findings: pl.DataFrame
    """With the columns of `suspects.COLUMNS`."""


def beside(visits: Study, patients: Tabular | None, cohort: Cohort, date_format: str | None) -> Beside:
    """What the tables have beside the cohort that was read from them; of a `Cohort` nothing is known.

    Raises `CohortError` for a birth or a death that is no date.
    """
    found = Problems()
    nothing = np.full(len(cohort), np.nan)
    if isinstance(visits, Classification | Cohort):
        return Beside(nothing, nothing, _none())
    if is_study(visits):
        assert isinstance(visits, str | Path | MappedStudy)
        study = study_tables(visits, (), OF_DM, Problems())
        assert study is not None  # it was read
        seen, lived = study.visits, OF_DM
        known: NamedTable | None = study.patients
        more = [_dose_after_stop(cohort, doses(visits))]
    else:
        names = ("patient_id", "bleeding_grade", "rescue", *TOLD, *REASONS)
        seen, lived, more = _table(visits, "visits", 0, names, found), LIVED[1:], []
        known = None if patients is None else _table(patients, "patients", 1, LIVED, found)
    born, died = (nothing, nothing) if known is None else _lived(known, lived, cohort, date_format, found)
    asked = [_ungraded(seen, name, cohort) for name in TOLD if seen.has(name)]
    asked += [_unreasoned(seen, name, cohort) for name in REASONS if seen.has(name)]
    return Beside(born, died, pl.concat([_none(), *asked, *more]))


def _table(given: Any, what: str, order: int, names: tuple[str, ...], problems: Problems) -> NamedTable:
    made = read_table(given, what, order, names, (), problems)
    problems.raise_if_wrong()
    assert made is not None
    return made


def _none() -> pl.DataFrame:
    types = {name: pl.Int64() if name in ("day", "line") else pl.String() for name in COLUMNS}
    return pl.DataFrame(schema=types)


def _lived(
    known: NamedTable, names: tuple[str, ...], cohort: Cohort, date_format: str | None, problems: Problems
) -> tuple[Floats, Floats]:
    """The days of birth and of death counted from day 0."""
    ids = as_text(known.cells("patient_id").values)
    first = (ids.is_not_null() & ids.is_first_distinct()).arg_true()
    row = positions_of(cohort.id, ids.gather(first))
    at = first.to_numpy()[row] if len(first) else row
    birth, death = (as_day_numbers(known.cells(name), problems, date_format) for name in names)
    problems.raise_if_wrong()
    since = cohort.day_0.astype("datetime64[D]").astype(np.int64)
    lacking = (row < 0) | np.isnat(cohort.day_0)
    born, died = (np.where(lacking, np.nan, days[at] - since) for days in (birth.low, death.high))
    return born, died


# FINDINGS IN THE VISITS


def _ungraded(seen: NamedTable, name: str, cohort: Cohort) -> pl.DataFrame:
    """Bleeding that a column tells of in a line that gives no grade."""
    text = as_text(seen.cells(name).values)
    bleeds = (text.is_not_null() & ~text.str.to_lowercase().is_in(NO_BLEEDING)).to_numpy()
    rows = np.flatnonzero(bleeds)
    rows = rows[is_empty(seen.cells("bleeding_grade"), rows)]
    says = said("bleeding ({}) without a grade: of which grade was it?", text.gather(rows))
    return _findings(seen, cohort, rows, UNGRADED, seen.cells(name).name, text.gather(rows), says)


def _unreasoned(seen: NamedTable, name: str, cohort: Cohort) -> pl.DataFrame:
    """Rescue treatment in a line that does not say why it was given, of visits that say it somewhere."""
    text = as_text(seen.cells("rescue").values)
    given = text.is_not_null() & ~text.str.to_lowercase().is_in(NO_RESCUE).fill_null(value=False)
    rows = np.flatnonzero(given.to_numpy())
    rows = rows[~is_empty(seen.cells("rescue"), rows) & is_empty(seen.cells(name), rows)]
    says = said("rescue ({}) without a reason: why was it given?", text.gather(rows))
    return _findings(seen, cohort, rows, UNREASONED, seen.cells("rescue").name, text.gather(rows), says)


def _findings(
    seen: NamedTable, cohort: Cohort, rows: Ints, rule: str, column: str, values: pl.Series, says: pl.Series
) -> pl.DataFrame:
    lines = seen.location.all_lines(rows)
    word, number = cohort.keys(lines)
    file = pl.Series([seen.location.name]).new_from_index(0, len(rows)) if cohort.origin is None else word
    return pl.DataFrame(
        {
            "patient_id": as_text(seen.cells("patient_id").values).gather(rows),
            "rule": pl.Series([rule]).new_from_index(0, len(rows)),
            "day": _days_of(cohort, lines),
            "file": file,
            "line": number,
            "column": pl.Series([column]).new_from_index(0, len(rows)),
            "value": values,
            "says": says,
        }
    ).select(COLUMNS)


def _days_of(cohort: Cohort, lines: Ints) -> pl.Series:
    """The day of each line; null where nothing was taken from it."""
    row = np.repeat(np.arange(len(cohort.day)), np.diff(cohort.first_line))
    known = pl.DataFrame({"line": cohort.lines.astype(np.int64), "day": cohort.day[row].astype(np.int64)})
    asked = pl.DataFrame({"line": lines.astype(np.int64)})
    one_day = known.unique("line", keep="none")
    return asked.join(one_day, on="line", how="left", maintain_order="left")["day"]


# FINDINGS IN THE DOSES


def _dose_after_stop(cohort: Cohort, given: pl.DataFrame) -> pl.DataFrame:
    """Doses begun after the day on which treatment was stopped."""
    patient = positions_of(given["subject"], cohort.id)
    at = np.maximum(patient, 0)
    day = given["day"].to_numpy() - cohort.day_0[at].astype("datetime64[D]").astype(np.int64)
    stopped = cohort.treatment_discontinued[at]
    late = np.flatnonzero((patient >= 0) & ~np.isnat(cohort.day_0[at]) & (day > stopped))
    some = given[late]
    pattern = "treatment was discontinued on day {}, yet a dose was recorded on day {}: which is right?"
    return pl.DataFrame(
        {
            "patient_id": some["subject"],
            "rule": pl.Series([DOSED]).new_from_index(0, len(late)),
            "day": pl.Series(day[late], dtype=pl.Int64),
            "file": pl.Series(["EX"]).new_from_index(0, len(late)),
            "line": some["sequence"],
            "column": pl.Series(["EXDOSE"]).new_from_index(0, len(late)),
            "value": some["dose"],
            "says": said(pattern, texts(stopped[late]), texts(day[late])),
        }
    ).select(COLUMNS)
