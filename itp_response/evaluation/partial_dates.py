"""Worlds: where dates are known only in part, every course that a patient may have had.

A patient with partial dates is copied once for each way in which they can lie, the copies are decided like patients,
and what is the same of all copies is the verdict. No kind of endpoint knows of it.
A way in which a rescue treatment ends before it begins is none.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import DATE, ENROLMENT, RESCUE_END, STOPPED, Partial, PartialDates
from itp_response.cohort.values import NONE, Bools, Floats, Ints
from itp_response.evaluation.completions import ROWS_AT_ONCE, Completions, counted_up, in_parts, steps

MOST = 1_000
"""In so many ways may a patient's dates lie: two months, or two years' worth of days; beyond, he is not evaluable."""


def ways(partial: Partial) -> Floats:
    """In how many ways the dates of each patient can lie."""
    number = np.ones(len(partial.patient))
    np.multiply.at(number, partial.dates.patient, partial.dates.count)
    return number


def too_many(partial: Partial) -> Ints:
    """The positions in the cohort of the patients whose dates can lie in more ways than are looked at."""
    return partial.patient[ways(partial) > MOST]


def days_in(dates: PartialDates, way: int) -> NDArray[np.datetime64]:
    """The days of the dates of one patient in one of the ways they can lie."""
    days: NDArray[np.datetime64] = dates.first + _offset(dates, np.arange(len(dates.count)), np.int64(way)).astype(
        "timedelta64[D]"
    )
    return days


def completions_of(partial: Partial, cohort: Cohort) -> Iterator[Completions]:
    """The courses of all patients that are looked at, some patients at a time."""
    number = ways(partial)
    able = np.flatnonzero(number <= MOST)
    seen = np.bincount(partial.observed.patient, minlength=len(partial.patient))
    for patients in in_parts(able, number[able] * (seen[able] + 1), ROWS_AT_ONCE):
        yield _courses(partial, cohort, patients, number[patients].astype(np.int64))


def _courses(partial: Partial, cohort: Cohort, patients: Ints, number: Ints) -> Completions:
    """All courses of these patients, who have so many each."""
    owner, way = np.repeat(patients, number), counted_up(number)
    begin = np.searchsorted(partial.observed.patient, np.arange(len(partial.patient) + 1))
    seen = np.diff(begin)[owner]
    course = np.repeat(np.arange(len(owner)), seen)
    which = np.repeat(begin[owner], seen) + counted_up(seen)

    observed = partial.observed.at(which)
    day = observed.day + _moved(partial, DATE, len(partial.has_end), which, way[course])
    end = observed.rescue_end + _moved(partial, RESCUE_END, len(partial.has_end), which, way[course])
    end = np.where(partial.has_end[which], end, day)
    possible = np.bincount(course[observed.rescue & (end < day)], minlength=len(owner)) == 0

    day_0 = _moved(partial, ENROLMENT, len(partial.patient), owner, way)
    if partial.first_counts is not None:
        day_0 = day_0 + _first_of(day, partial.first_counts[which], course, len(owner))
    if partial.rows_from_day_0:
        day, end = day - day_0[course], end - day_0[course]
    position = partial.patient[owner]
    stopped = cohort.treatment_discontinued[position] + _moved(partial, STOPPED, len(partial.patient), owner, way)
    kept = possible[course]
    ours = position[possible]
    made = build(
        cohort.id.gather(ours),
        replace(
            observed.at(kept),
            patient=(np.cumsum(possible) - 1)[course[kept]],
            day=day[kept],
            rescue_end=end[kept],
        ),
        day_0=(partial.day_0[owner] + day_0.astype("timedelta64[D]"))[possible],
        baseline=cohort.baseline.at(ours),
        treatment_discontinued=(stopped - day_0 if partial.stopped_from_day_0 else stopped)[possible],
        patient_columns={name: column.at(ours) for name, column in cohort.patient_columns.items()},
    )
    return Completions(made, ours, way[possible])


def _moved(partial: Partial, what: int, size: int, places: Ints, way: Ints) -> Ints:
    """By how many days the date of each of these places lies after the first it may be, in these ways."""
    dates = partial.dates
    ours = np.flatnonzero(dates.what == what)
    date = np.full(size, NONE)
    date[dates.at[ours]] = ours
    date = date[places]
    moved = np.zeros(len(places), dtype=np.int64)
    unsure = date != NONE
    moved[unsure] = _offset(dates, date[unsure], way[unsure])
    return moved


def _offset(dates: PartialDates, date: Ints, way: Ints | np.int64) -> Ints:
    """In each of these ways, the day of that date, counted from its first: the ways are numbered like an odometer."""
    step = steps(dates.patient, dates.count, MOST)
    found: Ints = way // step[date] % dates.count[date]
    return found


def _first_of(day: Ints, counts: Bools, course: Ints, courses: int) -> Ints:
    """The first day of each course's observations of which `counts` is true; 0 where there is none."""
    none = np.iinfo(np.int64).max
    first = np.full(courses, none)
    np.minimum.at(first, course[counts], day[counts])
    return np.where(first == none, 0, first)


# JOINED AGAIN
