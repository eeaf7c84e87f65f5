"""Cut: a cohort as it was known at one moment; what was observed later has not happened yet.

All patients are cut in the same way and in whole columns, so that everything that is made of a cohort is as of that
moment. A rescue treatment that ended later goes on. A patient with a day 0 that is later, or may be, is not in the
study yet. Where the date of an observation is known only in part, it is cut in those of its possible days that are
later (`seen`, of each completion).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from itp_response.cohort.as_of import AsOf
from itp_response.cohort.build import days_since
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import (
    ENROLMENT,
    RESCUE_END,
    STOPPED,
    Imputed,
    Partial,
)
from itp_response.cohort.values import Bools, Column, Ints, Numbers, with_bounds


@dataclass(frozen=True)
class Cut:
    """A cohort as of a moment, and what was cut off."""

    cohort: Cohort
    records: int
    """Records of visits that are later."""
    courses: int
    """Rescue treatments that ended later, and so go on."""
    stopped: int
    """Discontinuations of treatment that are later."""
    columns: Mapping[str, int]
    """Of the further columns of patients that hold days, the number of later ones."""


def cut(cohort: Cohort, as_of: AsOf) -> Cut:
    """The cohort as of a moment.

    >>> from itp_response.cohort.notation import cohort_of
    >>> whole = cohort_of(["d0 15, d22 40 rescue ivig to d40, d29 45"])
    >>> seen = cut(whole, AsOf(28))
    >>> seen.cohort.day.tolist(), seen.cohort.courses.last.tolist(), seen.records, seen.courses
    ([0, 22], [28], 1, 1)
    """
    dates, later = _possible_day_0(cohort)
    is_in = np.ones(len(cohort), dtype=np.bool_)
    if not isinstance(as_of.given, int):
        is_in = ~(dates + later.astype("timedelta64[D]") > np.datetime64(as_of.given))
    not_yet = cohort.id.filter(~is_in)
    if not is_in.all():
        cohort = replace(cohort.select(np.flatnonzero(is_in)), notes=cohort.notes)
        dates, later = dates[is_in], later[is_in]
    last = as_of.last_day(dates)
    # Of a patient with several possible days 0: by how much an observation may lie earlier in the study than it stands.
    back = later if isinstance(as_of.given, int) else np.zeros_like(later)
    lines = len(cohort.lines)
    ended = _ended_later(cohort, last)
    partial = None if cohort.partial is None else _partial_seen(cohort.partial, last, back, cohort)
    known = replace(seen(cohort, last, back), as_of=as_of, partial=partial)
    columns, numbers = _columns_seen(cohort, last - (later - back))
    return Cut(
        cohort=replace(
            known, patient_columns=columns, imputed=_imputed_seen(cohort.imputed, dates, last), not_yet=not_yet
        ),
        records=lines - len(known.lines),
        courses=ended,
        stopped=int((np.isfinite(cohort.treatment_discontinued) & np.isinf(known.treatment_discontinued)).sum()),
        columns=numbers,
    )


def seen(cohort: Cohort, last: Ints, back: Ints | int = 0) -> Cohort:
    """The cohort of which only the days up to `last` (P) are seen, and the stops that lie `back` (P) days later."""
    kept = np.flatnonzero(cohort.day <= last[cohort.patient])
    stopped = np.where(cohort.treatment_discontinued - back > last, np.inf, cohort.treatment_discontinued)
    cohort = replace(cohort, treatment_discontinued=stopped)
    if len(kept) < len(cohort.day):
        cohort = cohort.with_rows(kept)
    left_out = cohort.left_out
    if left_out is not None:
        left_out = replace(left_out, last=np.minimum(left_out.last, last[cohort.patient[left_out.row]]))
        cohort = replace(cohort, left_out=left_out)
    limit = last[cohort.patient[cohort.courses.row]]
    if not (cohort.courses.last > limit).any():
        return cohort
    courses = replace(cohort.courses, last=np.minimum(cohort.courses.last, limit))
    since = days_since(courses.row, courses.last, cohort.patient, cohort.day)
    return replace(cohort, courses=courses, days_since_rescue=since)


def _ended_later(cohort: Cohort, last: Ints) -> int:
    """The number of rescue treatments that began up to the last day that is seen, and ended later."""
    row = cohort.courses.row
    limit = last[cohort.patient[row]]
    return int(((cohort.day[row] <= limit) & (cohort.courses.last > limit)).sum())


def _columns_seen(cohort: Cohort, last: Ints) -> tuple[dict[str, Column], dict[str, int]]:
    """The further columns of patients without later days, and how many of each were later."""
    known, numbers = dict(cohort.patient_columns), {}
    for name, nothing in cohort.day_columns.items():
        column = known[name]
        assert isinstance(column, Numbers)
        later = np.isfinite(column.low) & (column.high > last)
        numbers[name] = int(later.sum())
        low, high = (np.where(later, nothing, bound) for bound in (column.low, column.high))
        known[name] = with_bounds(low, high)
    return known, numbers


def _imputed_seen(imputed: Imputed | None, day_0: NDArray[np.datetime64], last: Ints) -> Imputed | None:
    """The imputed dates without those that are later."""
    if imputed is None:
        return None
    dates = imputed.dates
    is_seen = ~(imputed.assumed > (day_0 + last.astype("timedelta64[D]"))[dates.patient])
    return replace(imputed, dates=dates.chosen(np.flatnonzero(is_seen), dates.patient[is_seen]))


# DATES KNOWN IN PART


def _possible_day_0(cohort: Cohort) -> tuple[NDArray[np.datetime64], Ints]:
    """(P) The first date that day 0 may be, NaT: not known; and by how many days it may be later."""
    dates, later = cohort.day_0.copy(), np.zeros(len(cohort), dtype=np.int64)
    partial = cohort.partial
    if partial is None:
        return dates, later
    dates[partial.patient] = partial.day_0
    further = np.zeros(len(partial.patient), dtype=np.int64)
    if partial.first_counts is not None:
        first = np.flatnonzero(partial.first_counts)
        extra = np.zeros(len(partial.has_end), dtype=np.int64)
        of_visits = partial.dates.what < RESCUE_END
        extra[partial.dates.at[of_visits]] = partial.dates.count[of_visits] - 1
        none = np.iinfo(np.int64).max
        earliest = np.full(len(further), none)
        np.minimum.at(earliest, partial.observed.patient[first], (partial.observed.day + extra)[first])
        further = np.where(earliest == none, 0, np.maximum(earliest, 0))
    enrolled = partial.dates.what == ENROLMENT
    further[partial.dates.patient[enrolled]] += partial.dates.count[enrolled] - 1
    later[partial.patient] = further
    return dates, later


def _partial_seen(partial: Partial, last: Ints, back: Ints, cohort: Cohort) -> Partial | None:
    """The patients with dates known in part that may be seen, and their observations; None: there are none."""
    last, back = last[partial.patient], back[partial.patient]
    observed, dates = partial.observed, partial.dates
    moved = back if partial.rows_from_day_0 else np.zeros_like(back)
    limit = (last + moved)[observed.patient]
    is_seen = observed.day <= limit
    at = np.where(dates.what <= RESCUE_END, dates.at, 0)
    if len(observed.day):
        of_seen = (dates.what > RESCUE_END) | is_seen[at]
        end_seen = (dates.what != RESCUE_END) | (observed.rescue_end <= limit)[at]
    else:
        of_seen = end_seen = np.ones(len(at), dtype=np.bool_)
    stops = last + (back if partial.stopped_from_day_0 else 0)
    stop_seen = (cohort.treatment_discontinued[partial.patient] <= stops)[dates.patient]
    kept = np.flatnonzero(of_seen & end_seen & ((dates.what != STOPPED) | stop_seen))
    return _kept(partial, is_seen, kept)


def _kept(partial: Partial, is_seen: Bools, kept: Ints) -> Partial | None:
    """Those of the dates (`kept`) and of the observations (`is_seen`), of the patients with such a date."""
    observed, dates = partial.observed, partial.dates
    has_any = np.bincount(dates.patient[kept], minlength=len(partial.patient)) > 0
    if not has_any.any():
        return None
    patient, observations = np.cumsum(has_any) - 1, is_seen & has_any[observed.patient]
    position, rows = np.cumsum(observations) - 1, np.flatnonzero(observations)
    of_visits = dates.what[kept] <= RESCUE_END
    owner = patient[dates.patient[kept]]
    at = np.where(of_visits, position[np.where(of_visits, dates.at[kept], 0)] if len(position) else owner, owner)
    return replace(
        partial,
        patient=partial.patient[has_any],
        dates=replace(dates.chosen(kept, owner), at=at),
        observed=replace(observed.at(rows), patient=patient[observed.patient[rows]]),
        has_end=partial.has_end[rows],
        day_0=partial.day_0[has_any],
        first_counts=None if partial.first_counts is None else partial.first_counts[rows],
    )
