"""Worlds: where dates are known only in part, every course that a patient may have had.

A patient with partial dates is copied once for each way in which they can lie, the copies are decided like patients,
and what is the same of all copies is the verdict. No kind of endpoint knows of it.
A way in which a rescue treatment ends before it begins is none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from itp_response.cohort.build import build
from itp_response.cohort.cohort import DATE, ENROLMENT, RESCUE_END, STOPPED, Cohort, Ints, Partial, PartialDates
from itp_response.evaluation.rules.language import Bools, Floats
from itp_response.evaluation.verdicts import LENGTHS, NO_DAY, NONE, ROWS, Codes, Verdict

MOST = 1_000
"""In so many ways may a patient's dates lie: two months, or two years' worth of days; beyond, he is not evaluable."""
ROWS_AT_ONCE = 2_000_000
"""Observations of copies that are held together."""


@dataclass(frozen=True)
class Worlds:
    """The possible courses of some patients, as a cohort; an entry per course."""

    cohort: Cohort
    patient: Ints
    """Whose course it is: position in the cohort they are from, in order."""
    way: Ints
    """Its number among those of the patient; 0 has the first day of each date."""


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


def worlds(partial: Partial, cohort: Cohort) -> Iterator[Worlds]:
    """The courses of all patients that are looked at, some patients at a time."""
    number = ways(partial)
    able = np.flatnonzero(number <= MOST)
    seen = np.bincount(partial.observed.patient, minlength=len(partial.patient))
    for patients in in_parts(able, number[able] * (seen[able] + 1), ROWS_AT_ONCE):
        yield _courses(partial, cohort, patients, number[patients].astype(np.int64))


def in_parts(positions: Ints, rows: Ints | Floats, most: int) -> Iterator[Ints]:
    """The positions, which have so many rows each, in parts of about `most` rows."""
    for part in np.split(positions, np.flatnonzero(np.diff(np.cumsum(rows) // most)) + 1):
        if len(part):
            yield part


def _courses(partial: Partial, cohort: Cohort, patients: Ints, number: Ints) -> Worlds:
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
    return Worlds(made, ours, way[possible])


def counted_up(numbers: Ints) -> Ints:
    """0, 1, … below each of the numbers, one after another."""
    ends = np.cumsum(numbers)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - numbers, numbers)


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


def steps(owner: Ints, number: Ints, most: int) -> Ints:
    """Of the wheels of each owner's odometer, with so many digits each, after how many ways each moves on.

    Owners stand in order; products beyond `most` are not asked for.
    """
    logs = np.log(number)
    before = np.cumsum(logs) - logs
    first = np.searchsorted(owner, owner)
    # Below `most` logarithms are exact enough.
    found: Ints = np.rint(np.exp(np.minimum(before - before[first], np.log(most) + 1))).astype(np.int64)
    return found


def _first_of(day: Ints, counts: Bools, course: Ints, courses: int) -> Ints:
    """The first day of each course's observations of which `counts` is true; 0 where there is none."""
    none = np.iinfo(np.int64).max
    first = np.full(courses, none)
    np.minimum.at(first, course[counts], day[counts])
    return np.where(first == none, 0, first)


# JOINED AGAIN


def joined(
    found: Mapping[str, Verdict], each: Mapping[str, Verdict], some: Worlds, cohort: Cohort, reason: np.int16
) -> None:
    """Put in what is the same of all courses of a patient; a value that is not is `NE`, with that reason.

    `each` has the verdicts on the courses. Days, witnesses and lengths that are not the same are missing.
    """
    start = np.flatnonzero(np.diff(some.patient, prepend=-1))
    patients = some.patient[start]
    for name, verdict in each.items():
        whole = found[name]
        sure = _same(verdict.value, start)
        why = sure & _same(verdict.reason, start)
        whole.value[patients] = np.where(sure, verdict.value[start], whole.labels.index("NE"))
        whole.reason[patients] = np.where(why, verdict.reason[start], reason)
        for field in ROWS:
            rows = _same_rows(getattr(verdict, field), some.cohort, start, field != "dated")
            # The first course is the one the cohort's own rows tell.
            row = rows - some.cohort.first_row[start] + cohort.first_row[patients]
            getattr(whole, field)[patients] = np.where(sure & (rows != NONE), row, NONE)
        for field in LENGTHS:
            days = getattr(verdict, field)
            if days is not None:
                getattr(whole, field)[patients] = np.where(sure & _same(days, start), days[start], NO_DAY)


def put(
    found: Mapping[str, Verdict],
    cohort: Cohort,
    part: Mapping[str, Verdict],
    some: Cohort,
    positions: Ints,
    where: Mapping[str, Bools],
) -> None:
    """Put in the verdicts on some patients, taken from these positions, in the criteria where their mask says so."""
    for name, verdict in part.items():
        whole, here = found[name], np.flatnonzero(where[name])
        at = positions[here]
        whole.value[at], whole.reason[at] = verdict.value[here], verdict.reason[here]
        for field in ROWS:
            rows = getattr(verdict, field)[here]
            row = rows - some.first_row[here] + cohort.first_row[at]
            getattr(whole, field)[at] = np.where(rows == NONE, NONE, row)
        for field in LENGTHS:
            if getattr(whole, field) is not None:
                getattr(whole, field)[at] = getattr(verdict, field)[here]


def _same(values: Ints | Codes, start: Ints) -> Bools:
    """Whether the values are equal from each start to the next."""
    return np.equal(np.minimum.reduceat(values, start), np.maximum.reduceat(values, start))


def _same_rows(rows: Ints, cohort: Cohort, start: Ints, and_line: bool) -> Ints:
    """The row of each first course, if it is of the same day (and line) in all; else -1."""
    none = np.full(len(rows), NO_DAY, dtype=np.int64)
    if not len(cohort.day):
        return np.full(len(start), NONE)
    given, at = rows != NONE, np.maximum(rows, 0)
    same = _same(np.where(given, cohort.day[at], none), start)
    if and_line:
        same &= _same(np.where(given, cohort.source_row[at], NONE), start)
    return np.where(same, rows[start], NONE)


def undecided(found: Mapping[str, Verdict], patients: Ints, reason: np.int16) -> None:
    """Nothing is known of these patients, for that reason."""
    for verdict in found.values():
        verdict.value[patients] = verdict.labels.index("NE")
        verdict.reason[patients] = reason
        for field in ROWS:
            getattr(verdict, field)[patients] = NONE
        for field in LENGTHS:
            if getattr(verdict, field) is not None:
                getattr(verdict, field)[patients] = NO_DAY
