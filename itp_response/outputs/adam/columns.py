"""Columns: the variables that the datasets share, and how whole columns of them are made."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.classification.classification import Classification, days_column
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import ENROLMENT, Partial
from itp_response.cohort.values import NO_DAY, NONE, Bools, Ints
from itp_response.evaluation.verdicts import Codes, reason_in_words
from itp_response.outputs.adam.parameters import Parameter
from itp_response.outputs.adam.sources import Columns, where
from itp_response.outputs.adam.variables import Variable, standard, study_days

Dates = NDArray[np.datetime64]

SUBJECT = (
    standard("STUDYID", "text", "The study, as named."),
    standard("USUBJID", "text", "The patient, as in the source."),
)
ARM = standard("TRTP", "text", "The arm assigned, as in the source.")
ASEQ = standard("ASEQ", "integer", "The number of the record within the patient.")
PARAMETER = (
    standard("PARAMCD", "text", "See the parameters."),
    standard("PARAM", "text", "See the parameters."),
)
REASON = (
    Variable("ARSNCD", "Analysis Reason Code", "text", "The reason for the result, as a code of the program."),
    Variable("ARSN", "Analysis Reason", "text", "The reason for the result, in words."),
)
FLAGGED = "D: the day of the date was imputed; M: the month and the day were imputed."
DATED = (
    standard("ADT", "date", "The date of the result; missing where it has none, or dates are unknown."),
    standard("ADTF", "text", FLAGGED),
    standard(
        "ADY",
        "integer",
        "The same as a study day: day 0 of the criteria is 1, the day before is -1.",
    ),
)


PLACE = "The domain or the file that holds the record."
USED = "The variable of the record that was used."
NUMBER = "The sequence number of the record, or its line in the file."
SOURCE = (standard("SRCDOM", "text", PLACE), standard("SRCVAR", "text", USED), standard("SRCSEQ", "integer", NUMBER))


def further_source(prefix: str, what: str) -> tuple[Variable, ...]:
    """The variables that name another record than that of `SOURCE`."""
    return (
        Variable(f"{prefix}DOM", f"Source Data of {what}", "text", PLACE),
        Variable(f"{prefix}VAR", f"Source Variable of {what}", "text", USED),
        Variable(f"{prefix}SEQ", f"Source Sequence of {what}", "integer", NUMBER),
    )


FLAGS = pl.Series([None, "D", "M"], dtype=pl.String)
"""The flags of imputed dates: none, the day, the month too."""
MONTH = 31
"""The most days that a date without its day can be."""


def used_variables(cohort: Cohort, variables: Sequence[Variable]) -> tuple[Variable, ...]:
    """The variables; those that flag imputed dates only where dates are imputed."""
    return tuple(variable for variable in variables if cohort.imputed is not None or variable.means != FLAGGED)


def of_subjects(cohort: Cohort, study: str) -> Columns:
    return {
        "STUDYID": pl.repeat(study, len(cohort), dtype=pl.String, eager=True),
        "USUBJID": cohort.id,
        "TRTP": cohort.arm,
    }


def by_patient(tables: Sequence[Columns], variables: Sequence[Variable], patient: Sequence[Ints]) -> pl.DataFrame:
    """The tables as one frame, patient by patient; `patient` has the position of the patient of each entry.

    The records of a patient stand in the order of the tables, and are numbered by ASEQ.
    """
    names = [variable.name for variable in variables]
    if not tables:
        return typed(pl.DataFrame(schema=dict.fromkeys(names, pl.Null)), variables)
    owner = np.concatenate(list(patient))
    order = np.argsort(owner, kind="stable")
    frame = pl.concat([pl.DataFrame(table) for table in tables], how="diagonal_relaxed")[order]
    absent = {name: pl.lit(None) for name in names if name not in frame.columns}
    return typed(frame.with_columns(**absent).with_columns(ASEQ=numbered(owner[order])), variables)


def numbered(patient: Ints) -> pl.Series:
    """The number of each record within its patient; the patients are in order."""
    return pl.Series(np.arange(len(patient)) - np.searchsorted(patient, patient) + 1)


def missing(size: int) -> pl.Series:
    """A text that is missing for all."""
    return pl.repeat(None, size, dtype=pl.String, eager=True)


def typed(frame: pl.DataFrame, variables: Sequence[Variable]) -> pl.DataFrame:
    types = {"text": pl.String(), "integer": pl.Int32(), "float": pl.Float64(), "date": pl.Date()}
    return frame.select(pl.col(variable.name).cast(types[variable.type]) for variable in variables)


def named(parameter: Parameter, size: int) -> Columns:
    texts = {"PARAMCD": parameter.code, "PARAM": parameter.text}
    return {name: pl.repeat(text, size, dtype=pl.String, eager=True) for name, text in texts.items()}


def dated(day_0: Dates, prefix: str, day: Ints) -> Columns:
    """The days as dates, where these are known, and as study days; `day_0` has the patient's day 0 for each."""
    known = (day != NO_DAY) & ~np.isnat(day_0)
    dates = day_0 + np.where(known, day, 0).astype("timedelta64[D]")
    return {
        f"{prefix}DT": where(known, pl.Series(dates.astype("datetime64[D]"))),
        f"{prefix}DY": days_column(f"{prefix}DY", study_days(day)),
    }


def imputation_flags(cohort: Cohort, rows: Ints, columns: Sequence[int]) -> pl.Series:
    """Whether a date in these columns of each row (-1: none) was imputed: `D` the day, `M` the month too."""
    if cohort.imputed is None or not len(cohort.day):
        return pl.repeat(None, len(rows), dtype=pl.String, eager=True)
    dates = cohort.imputed.dates
    flags = np.zeros(len(rows), dtype=np.int64)
    row = np.maximum(rows, 0)
    for flag, of_size in enumerate((dates.count <= MONTH, dates.count > MONTH), start=1):
        imputed = rows_with_lines(cohort, dates.line[of_size & np.isin(dates.what, columns)])
        flags[imputed[row] & (rows != NONE)] = flag
    return FLAGS.gather(flags)


def rows_with_lines(cohort: Cohort, lines: Ints) -> Bools:
    """For each row of the cohort, whether one of these lines is behind it."""
    hits = np.append(0, np.cumsum(np.isin(cohort.lines, lines)))
    return hits[cohort.first_line[1:]] > hits[cohort.first_line[:-1]]


def reasons_of(classification: Classification, reason: Codes) -> Columns:
    names = classification.criteria.reasons.names
    code = reason.astype(np.int64)
    words = [reason_in_words(name) for name in names]
    return {"ARSNCD": pl.Series(names).gather(code), "ARSN": pl.Series(words).gather(code)}


def in_part(cohort: Cohort, partial: Partial, row: Ints, columns: Sequence[int]) -> Bools:
    """For each row whether a date in these columns, or the patient's day 0, is known only in part."""
    lines = partial.dates.line[np.isin(partial.dates.what, columns)]
    of_day_0 = np.isin(cohort.patient[row], patients_with(partial, (ENROLMENT,)))
    return rows_with_lines(cohort, lines)[row] | of_day_0


def patients_with(partial: Partial, columns: Sequence[int]) -> Ints:
    """The positions in the cohort of the patients with a date in these columns that is known only in part."""
    return partial.patient[partial.dates.patient[np.isin(partial.dates.what, columns)]]
