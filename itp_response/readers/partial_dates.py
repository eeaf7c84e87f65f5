"""Partial: the dates of a study of which only the month or the year is known, kept as they are."""

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
    """The days that dates may be, in days of the calendar; NaN: not given. In the order of `DATES`."""

    date: Numbers
    """Per observation."""
    rescue_end: Numbers
    """Per observation."""
    enrolment: Numbers
    """Per patient; of those enrolled with their first count, the days that it may be of."""
    stopped: Numbers
    """Per patient."""


Rows = tuple[NamedTable, Ints]
"""A table and the rows of it that were taken."""


def partial_of(
    intervals: Intervals,
    tables: tuple[Rows, Rows],
    observed: Observations,
    dated: tuple[bool, bool],
    problems: Problems,
) -> Partial | None:
    """What is known only in part of the dates in the tables of visits and patients; None: all are known.

    `dated`: whether visits, and the end of treatment, have dates rather than days.
    """
    unsure = [_unsure(days) for days in intervals]
    derived = dated[0] and not tables[1][0].has("enrolment_date")
    if derived:
        # Where the first count is day 0, its date is what is not known; of a patient without rows, day 0 itself.
        unsure[ENROLMENT] &= np.bincount(observed.patient, minlength=len(unsure[ENROLMENT])) == 0
    if not any(one.any() for one in unsure):
        return None
    seen = unsure[0] | unsure[1]
    patients = np.union1d(observed.patient[seen], np.flatnonzero(unsure[2] | unsure[3]))
    ours = np.flatnonzero(np.isin(observed.patient, patients))
    ours = ours[np.argsort(observed.patient[ours], kind="stable")]
    theirs = observed.at(ours)
    place = np.searchsorted(patients, theirs.patient)
    made = Partial(
        patient=patients,
        dates=_dates(intervals, unsure, tables, (ours, patients), place),
        observed=Observations(**{**vars(theirs), "patient": place}),
        has_end=~np.isnan(intervals.rescue_end.low[ours]),
        day_0=as_dates(intervals.enrolment.low[patients]),
        first_counts=_first_counts(theirs, place, len(patients)) if derived else None,
        rows_from_day_0=dated[0],
        stopped_from_day_0=dated[1],
    )
    _note_too_many(made, tables[0][0], problems)
    return made


def imputed_of(rule: str, intervals: Intervals, tables: tuple[Rows, Rows], patient: Ints) -> Imputed:
    """The dates known only in part that were taken as a day; `patient` is whose each observation is."""
    everybody = np.arange(len(patient)), np.arange(len(tables[1][1]))
    return Imputed(rule, _dates(intervals, [_unsure(days) for days in intervals], tables, everybody, patient))


def _unsure(days: Numbers) -> Bools:
    unsure: Bools = np.zeros(len(days.low), dtype=np.bool_) if days.exact else days.low < days.high
    return unsure


def _dates(
    intervals: Intervals, unsure: list[Bools], tables: tuple[Rows, Rows], kept: tuple[Ints, Ints], place: Ints
) -> PartialDates:
    """The dates known only in part; `kept` are the observations and patients that have any, `place` whose those are."""
    parts = []
    for what, days in enumerate(intervals):
        (table, rows), ours = (tables[0], kept[0]) if what <= RESCUE_END else (tables[1], kept[1])
        at = np.flatnonzero(unsure[what][ours])
        there = ours[at]
        written = as_text(table.cells(DATES[what]).values.gather(rows[there]))
        lines = table.place.all_lines(rows[there]) if what <= RESCUE_END else np.zeros(len(at), dtype=np.int64)
        owner = place[at] if what <= RESCUE_END else at
        parts.append((owner, np.full(len(at), what), at, days.low[there], days.high[there], lines, written))
    owner, what_of, at, low, high, line = (np.concatenate([part[one] for part in parts]) for one in range(6))
    order = np.argsort(owner, kind="stable")
    return PartialDates(
        patient=owner[order],
        what=what_of[order],
        at=at[order],
        first=as_dates(low[order]),
        count=(high - low)[order].astype(np.int64) + 1,
        line=line[order].astype(np.int64),
        written=pl.concat([part[6].alias("written") for part in parts]).gather(order),
    )


def _first_counts(observed: Observations, place: Ints, patients: int) -> Bools:
    """The observations of which the first is day 0: those with a count; all, of a patient without any."""
    counted = ~np.isnan(observed.platelets.low)
    has = np.bincount(place[counted], minlength=patients) > 0
    first: Bools = counted | ~has[place]
    return first


def _note_too_many(partial: Partial, visits: NamedTable, problems: Problems) -> None:
    def said(number: int, _: Sequence[str]) -> str:
        who = f"{number} patient{'s' if number > 1 else ''}"
        more = f"may lie in more than {MOST_COMPLETIONS:,} ways together"
        text = f"The partial dates of {who} {more}; not evaluable throughout."
        return text if number else ""

    problems.count(visits.place, "ways", said, len(too_many(partial)), warning=True)


def as_dates(days: Floats) -> NDArray[np.datetime64]:
    """Days since 1970 as dates; NaN becomes NaT."""
    missing = np.isnan(days)
    dates = np.where(missing, 0, days).astype(np.int64).astype("datetime64[D]")
    dates[missing] = np.datetime64("NaT")
    return dates
