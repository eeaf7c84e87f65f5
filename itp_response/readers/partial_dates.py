"""Partial dates: the dates of a study with an unknown day or month, kept as intervals of days."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.observations import DATES, ENROLMENT, RESCUE_END, Imputed, Observations, Partial, PartialDates
from itp_response.cohort.values import Bools, Floats, Ints, Numbers
from itp_response.evaluation.partial_dates import MOST_COMPLETIONS, too_many
from itp_response.readers.column_names import NamedTable
from itp_response.readers.problems import Problems, as_text


class Intervals(NamedTuple):
    """The possible days of dates, as days since 1970, in the order of `DATES`; NaN: not given."""

    date: Numbers
    """Per observation."""
    rescue_end: Numbers
    """Per observation."""
    enrolment: Numbers
    """Per patient; where day 0 is the first count, the possible days of that count."""
    stopped: Numbers
    """Per patient."""


TableRows = tuple[NamedTable, Ints]
"""A table, and the row of it per observation or patient."""


def partial_of(
    intervals: Intervals,
    tables: tuple[TableRows, TableRows],
    observed: Observations,
    dated: tuple[bool, bool],
    problems: Problems,
) -> Partial | None:
    """The partial dates of the tables of visits and of patients; None: there are none.

    `dated`: whether the visits, and the end of treatment, have dates and not days.
    """
    partial = [_is_partial(days) for days in intervals]
    derived = dated[0] and not tables[1][0].has("enrolment_date")
    if derived:
        # Where day 0 is the first count, that count has the partial date. Without any row, day 0 itself has it.
        partial[ENROLMENT] &= np.bincount(observed.patient, minlength=len(partial[ENROLMENT])) == 0
    if not any(column.any() for column in partial):
        return None
    in_rows = partial[0] | partial[1]
    patients = np.union1d(observed.patient[in_rows], np.flatnonzero(partial[2] | partial[3]))
    rows = np.flatnonzero(np.isin(observed.patient, patients))
    rows = rows[np.argsort(observed.patient[rows], kind="stable")]
    of_patients = observed.at(rows)
    position = np.searchsorted(patients, of_patients.patient)
    partial_dates = Partial(
        patient=patients,
        dates=_dates(intervals, partial, tables, (rows, patients), position),
        observed=Observations(**{**vars(of_patients), "patient": position}),
        has_end=~np.isnan(intervals.rescue_end.low[rows]),
        day_0=as_dates(intervals.enrolment.low[patients]),
        first_counts=_first_counts(of_patients, position, len(patients)) if derived else None,
        rows_from_day_0=dated[0],
        stopped_from_day_0=dated[1],
    )
    _note_too_many(partial_dates, tables[0][0], problems)
    return partial_dates


def imputed_of(rule: str, intervals: Intervals, tables: tuple[TableRows, TableRows], patient: Ints) -> Imputed:
    """The partial dates that were imputed; `patient` has the position of each observation's patient."""
    everything = np.arange(len(patient)), np.arange(len(tables[1][1]))
    return Imputed(rule, _dates(intervals, [_is_partial(days) for days in intervals], tables, everything, patient))


def _is_partial(days: Numbers) -> Bools:
    partial: Bools = np.zeros(len(days.low), dtype=np.bool_) if days.exact else days.low < days.high
    return partial


def _dates(
    intervals: Intervals,
    partial: list[Bools],
    tables: tuple[TableRows, TableRows],
    kept: tuple[Ints, Ints],
    position: Ints,
) -> PartialDates:
    """The partial dates of the observations and the patients `kept`.

    `partial` says for each kind of date where it is partial. `position` is that of each observation's patient.
    """
    parts = []
    for what, days in enumerate(intervals):
        of_visits = what <= RESCUE_END
        (table, rows), chosen = (tables[0], kept[0]) if of_visits else (tables[1], kept[1])
        at = np.flatnonzero(partial[what][chosen])
        index = chosen[at]
        written = as_text(table.cells(DATES[what]).values.gather(rows[index]))
        lines = table.location.all_lines(rows[index]) if of_visits else np.zeros(len(at), dtype=np.int64)
        patient = position[at] if of_visits else at
        parts.append((patient, np.full(len(at), what), at, days.low[index], days.high[index], lines, written))
    patient, what_of, at, low, high, line = (np.concatenate([part[field] for part in parts]) for field in range(6))
    order = np.argsort(patient, kind="stable")
    return PartialDates(
        patient=patient[order],
        what=what_of[order],
        at=at[order],
        first=as_dates(low[order]),
        count=(high - low)[order].astype(np.int64) + 1,
        line=line[order].astype(np.int64),
        written=pl.concat([part[6].alias("written") for part in parts]).gather(order),
    )


def _first_counts(observed: Observations, position: Ints, patients: int) -> Bools:
    """The observations the first of which is day 0: those with a count, or all of a patient without a count."""
    counted = ~np.isnan(observed.platelets.low)
    has_count = np.bincount(position[counted], minlength=patients) > 0
    first: Bools = counted | ~has_count[position]
    return first


def _note_too_many(partial: Partial, visits: NamedTable, problems: Problems) -> None:
    def note_text(number: int, _: Sequence[str]) -> str:
        patients = f"{number} patient{'s' if number > 1 else ''}"
        more = f"may lie in more than {MOST_COMPLETIONS:,} ways together"
        return f"The partial dates of {patients} {more}; not evaluable throughout." if number else ""

    problems.count(visits.location, "ways", note_text, len(too_many(partial)), warning=True)


def as_dates(days: Floats) -> NDArray[np.datetime64]:
    """Days since 1970 as dates; NaN becomes NaT."""
    missing = np.isnan(days)
    dates = np.where(missing, 0, days).astype(np.int64).astype("datetime64[D]")
    dates[missing] = np.datetime64("NaT")
    return dates
