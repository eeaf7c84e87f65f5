"""Edits: which changes of one observation of a patient are tried, and how far each goes.

The distance of an edit makes unlike edits comparable. Each of these is 1: a count doubled or halved; an observation
seven days earlier or later; a bleed, a rescue treatment, a discontinuation or an observation removed or added; a
missing value that becomes known. Counts are compared with 10 added to each, so that small counts differ by their
difference rather than by their ratio.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.edited import (
    ADDED,
    BASELINE,
    BLEEDING,
    COUNT,
    DAY,
    GRADE,
    LOST,
    RESCUE,
    STOPPED,
    Edits,
    joined,
    replaced,
)
from itp_response.cohort.values import NONE, Bools, Floats, Ints, Numbers, exactly, offsets, ranges, with_bounds
from itp_response.definitions.criteria import Criteria
from itp_response.explanation.counterfactuals.limits import Limits

WEEK = 7
FARTHEST = 4 * WEEK
"""Days by which an observation is moved at most."""
SMALL = 10.0
"""10⁹/L, added to both counts before they are compared."""
DAYS_APART = 2**20
"""Days between those of one patient and of the next in one number; more than any patient has."""
MOST_LIMITS = 30
"""With more limits than these, no number of 64 bits tells apart on which side of each a count lies."""
COUNTS_TRIED = np.arange(301.0)
"""10⁹/L; counts tried where a rule compares counts in a way that is not linear."""


def between(low: Floats, high: Floats, count: Floats) -> Floats:
    """The distance of a count from one that was between `low` and `high`.

    >>> import numpy as np
    >>> between(np.array([30.0]), np.array([30.0]), np.array([70.0]))
    array([1.])
    """
    nearest = np.clip(count, low, high)
    return np.abs(np.log2((count + SMALL) / (nearest + SMALL)))


def edits_tried(criteria: Criteria, cohort: Cohort, patients: Ints) -> Edits:
    """All edits that are tried of these patients (positions): kind by kind, each in the order of patients."""
    asked = np.zeros(len(cohort), dtype=np.bool_)
    asked[patients] = True
    rows = np.flatnonzero(asked[cohort.patient])
    courses = np.flatnonzero(asked[cohort.patient[cohort.courses.row]])
    limits = Limits(criteria, cohort)
    counted = rows[limits.counted[rows]]
    grade = cohort.bleeding_grade
    return joined(
        [
            _other_counts(cohort, counted, limits),
            _other_days(cohort, rows, criteria.file.baseline.days),
            _of_rows(cohort, rows[grade[rows] > 0], BLEEDING),
            _of_rows(cohort, counted[np.isnan(grade[counted])], GRADE),
            replace(_of_rows(cohort, cohort.courses.row[courses], RESCUE), course=courses),
            _of_patients(patients[np.isfinite(cohort.treatment_discontinued[patients])], STOPPED),
            _of_rows(cohort, counted, LOST),
            _further_counts(cohort, rows, patients, limits),
            _other_baselines(cohort, patients, limits),
        ]
    )


def _of_rows(cohort: Cohort, rows: Ints, kind: int) -> Edits:
    """An edit of that kind of each of these rows; its distance is that of something removed."""
    size = len(rows)
    return Edits(
        patient=cohort.patient[rows].astype(np.int64),
        kind=np.full(size, kind),
        row=rows,
        course=np.full(size, NONE),
        day=cohort.day[rows].astype(np.int64),
        count=np.full(size, np.nan),
        distance=np.ones(size),
    )


def _of_patients(patients: Ints, kind: int) -> Edits:
    """An edit of that kind of each of these patients, in no row; its distance is that of something removed."""
    size = len(patients)
    return Edits(
        patient=patients,
        kind=np.full(size, kind),
        row=np.full(size, NONE),
        course=np.full(size, NONE),
        day=np.zeros(size, dtype=np.int64),
        count=np.full(size, np.nan),
        distance=np.ones(size),
    )


# ANOTHER COUNT, ANOTHER BASELINE


def _other_counts(cohort: Cohort, rows: Ints, limits: Limits) -> Edits:
    """Each count on either side of the limits of its row and, where it makes the baseline, of those of other rows."""
    step = limits.step[cohort.patient[rows]]
    index = np.arange(len(rows))
    parts = [_beside(index, step, [limit[rows] for limit in limits.of_counts])]
    makes_baseline = np.flatnonzero(limits.makes_baseline[rows])
    parts.append(_beside_baseline_limits(cohort, rows, makes_baseline, step, limits))
    if limits.has_other_comparisons:
        parts.append(_all_tried(len(rows)))
    which, count = _each_once(parts)
    observed = cohort.platelets.at(rows[which])
    changed, distance = _changes(observed, count)
    alike = _alike(count, [limit[rows[which]] for limit in limits.of_counts], limits, observed)
    is_baseline = limits.makes_baseline[rows[which[changed]]]
    changed = changed[_nearest_of_alike(which[changed], alike[changed], distance[changed], is_baseline)]
    edits = _of_rows(cohort, rows[which[changed]], COUNT)
    return replace(edits, count=count[changed], distance=distance[changed])


def _other_baselines(cohort: Cohort, patients: Ints, limits: Limits) -> Edits:
    """Each baseline that was given, on either side of the limits of the patient's rows."""
    given = patients[~np.isnan(cohort.baseline.low[patients])]
    of_row, rows = ranges(cohort.first_row[given], cohort.first_row[given + 1])
    parts = [_beside(of_row, limits.step[given[of_row]], [limit[rows] for limit in limits.of_baselines])]
    if limits.has_other_comparisons:
        parts.append(_all_tried(len(given)))
    index, count = _each_once(parts)
    changed, distance = _changes(cohort.baseline.at(given[index]), count)
    edits = _of_patients(given[index[changed]], BASELINE)
    return replace(edits, count=count[changed], distance=distance[changed])


def _alike(count: Floats, at: Sequence[Floats], limits: Limits, observed: Numbers) -> Ints:
    """A number for each count, the same for those that no rule tells apart and that lie on the same side of another.

    `at` are the limits of each count.
    """
    alike = (count > observed.high).astype(np.int64) * 2 + (count < observed.low)
    if limits.has_other_comparisons or len(at) > MOST_LIMITS:
        return alike * len(count) + np.arange(len(count))
    for limit, turns in zip(at, limits.turns, strict=True):
        above = np.round(count - limit, 6)  # rounding removes the error of a calculated limit
        alike = alike * 3 + ((above >= 0) & turns.reached) + ((above > 0) & turns.exceeded)
    return alike


def _nearest_of_alike(index: Ints, alike: Ints, distance: Floats, keep: Bools) -> Ints:
    """Of the counts that are alike for an entry of `index` the nearest, the first of several; and all of `keep`."""
    order = np.lexsort((distance, alike, index))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (index[order][1:] != index[order][:-1]) | (alike[order][1:] != alike[order][:-1])
    chosen = keep.copy()
    chosen[order[first]] = True
    return np.flatnonzero(chosen)


def _changes(observed: Numbers, count: Floats) -> tuple[Ints, Floats]:
    """Which counts can stand and differ from what was observed, and the distances of all."""
    same = (count == observed.low) & (count == observed.high)
    return np.flatnonzero((count >= 0) & ~same), between(observed.low, observed.high, np.maximum(count, 0))


def _beside_baseline_limits(
    cohort: Cohort, rows: Ints, index: Ints, step: Floats, limits: Limits
) -> tuple[Ints, Floats]:
    """For each of `rows[index]`, which make the baseline, the counts beside the limits of all rows of the patient."""
    patient = cohort.patient[rows[index]]
    owner, other = ranges(cohort.first_row[patient], cohort.first_row[patient + 1])
    makers = np.bincount(cohort.patient[limits.makes_baseline], minlength=len(cohort))
    is_mean = limits.baseline_is_mean
    number = np.where(is_mean, makers[patient], 1)[owner]
    # A mean of several counts changes by a part of the change of one of them.
    rest = number * limits.baseline.low[patient[owner]] - cohort.platelets.low[rows[index[owner]]]
    rest = np.where(number == 1, 0.0, rest)
    of_rows = [number * limit[other] - rest for limit in limits.of_baselines]
    return _beside(index[owner], step[index[owner]], of_rows)


def _beside(index: Ints, step: Floats, limits: Sequence[Floats]) -> tuple[Ints, Floats]:
    """For each entry of `index` the counts at and next to its limits, in its steps."""
    indices: list[Ints] = [np.empty(0, dtype=np.int64)]
    counts = [np.empty(0)]
    for limit in limits:
        # Rounding removes the error of a calculated limit.
        steps = np.round(limit / step, 6)
        for number in (np.ceil(steps) - 1, np.floor(steps), np.ceil(steps), np.floor(steps) + 1):
            known = np.flatnonzero(np.isfinite(number))
            indices.append(index[known])
            counts.append(np.round(number[known] * step[known], 1))
    return np.concatenate(indices), np.concatenate(counts)


def _all_tried(size: int) -> tuple[Ints, Floats]:
    return np.repeat(np.arange(size), len(COUNTS_TRIED)), np.tile(COUNTS_TRIED, size)


def _each_once(parts: list[tuple[Ints, Floats]]) -> tuple[Ints, Floats]:
    """Each index with each of its counts once, in ascending order."""
    index = np.concatenate([of_part for of_part, _ in parts])
    count = np.concatenate([of_part for _, of_part in parts])
    order = np.lexsort((count, index))
    index, count = index[order], count[order]
    first = np.ones(len(index), dtype=np.bool_)
    first[1:] = (index[1:] != index[:-1]) | (count[1:] != count[:-1])
    return index[first], count[first]


# ANOTHER DAY


def _other_days(cohort: Cohort, rows: Ints, baseline: tuple[float, float]) -> Edits:
    """Each observation on each day between those of the rows before and after it, up to four weeks away.

    No observation is moved into the days of the baseline, or out of them.
    """
    if not len(rows):
        return _of_rows(cohort, rows, DAY)
    patient, day = cohort.patient[rows], cohort.day[rows].astype(np.int64)
    is_first, is_last = cohort.first_row[patient] == rows, cohort.first_row[patient + 1] - 1 == rows
    earliest = np.where(is_first, day - FARTHEST, cohort.day[np.maximum(rows - 1, 0)] + 1)
    latest = np.where(is_last, day + FARTHEST, cohort.day[np.minimum(rows + 1, len(cohort.day) - 1)] - 1)
    by = np.concatenate([np.arange(-FARTHEST, 0), np.arange(1, FARTHEST + 1)])
    moved = day[:, None] + by
    first, last = baseline
    was_baseline, is_baseline = ((days >= first) & (days <= last) for days in (day[:, None], moved))
    possible = (moved >= earliest[:, None]) & (moved <= latest[:, None]) & (was_baseline == is_baseline)
    index, which = np.nonzero(possible)
    return replace(_of_rows(cohort, rows[index], DAY), day=moved[index, which], distance=np.abs(by[which]) / WEEK)


# WHAT AN EDIT CHANGES


def numbers_before(cohort: Cohort, edits: Edits) -> Numbers:
    """The count, or the baseline, of each edit before it; NaN: there was none."""
    at_row = counts_at(cohort, np.where(edits.kind == ADDED, NONE, edits.row))
    given = cohort.baseline.at(edits.patient)
    is_baseline = edits.kind == BASELINE
    return with_bounds(
        np.where(is_baseline, given.low, at_row.low),
        np.where(is_baseline, given.high, at_row.high),
    )


def rises(cohort: Cohort, edits: Edits) -> Ints:
    """Whether each edit raises a count or baseline (1), lowers it (-1), or does neither (0).

    One more count is held against the count before it; the first one does neither.
    """
    observed = numbers_before(cohort, edits)
    counted = np.flatnonzero(~np.isnan(cohort.platelets.low))
    before, _ = neighbours(cohort, counted, edits.patient, edits.day)
    beside = counts_at(cohort, before)
    is_added = edits.kind == ADDED
    low, high = np.where(is_added, beside.low, observed.low), np.where(is_added, beside.high, observed.high)
    of_count = is_added | np.isin(edits.kind, (COUNT, BASELINE))
    return np.where(of_count, (edits.count > high).astype(np.int64) - (edits.count < low), 0)


# A FURTHER COUNT


def _further_counts(cohort: Cohort, rows: Ints, patients: Ints, limits: Limits) -> Edits:
    """A count, without bleeding, on a day that has none.

    The counts are that of the observation before, and those on either side of the limits.
    """
    patient, day = _days_to_add(cohort, rows, patients, limits)
    before, _ = neighbours(cohort, np.flatnonzero(limits.counted), patient, day)
    first, last = limits.baseline_days
    is_baseline = (day >= first) & (day <= last)
    # On all days between two counts the same are tried.
    begins = np.zeros(len(patient), dtype=np.bool_)
    begins[:1] = True
    for column in (patient, before, is_baseline):
        begins[1:] |= column[1:] != column[:-1]
    begin, gap = np.flatnonzero(begins), np.cumsum(begins) - 1
    of_gap, count = _counts_to_add(cohort, limits, patient[begin], day[begin], before[begin], is_baseline[begin])
    first_of_gap = offsets(np.bincount(of_gap, minlength=len(begin)))
    index, which = ranges(first_of_gap[gap], first_of_gap[gap + 1])
    row = _rows_on(cohort, patient, day)
    return replace(_of_patients(patient[index], ADDED), row=row[index], day=day[index], count=count[which])


def _counts_to_add(
    cohort: Cohort, limits: Limits, patient: Ints, day: Ints, before: Ints, is_baseline: Bools
) -> tuple[Ints, Floats]:
    """For each of these days the counts tried on it; `before` is the row of the count before.

    Of counts that no rule tells apart it is that nearest to the count before; of days of the baseline it is all.
    """
    # A limit that differs from row to row rests on the baseline, which is the same in all rows of a patient.
    first_row = cohort.first_row[patient]
    of_days = [limit[first_row] for limit in limits.of_counts]
    index, count = _each_once([_beside(np.arange(len(patient)), limits.step[patient], of_days)])
    # The count of the observation before is tried first: it serves wherever any count does.
    observed = counts_before(cohort, patient, day)
    known = np.flatnonzero(~np.isnan(observed))
    index, count = np.concatenate([known, index]), np.concatenate([observed[known], count])
    order = np.argsort(index, kind="stable")
    index, count = index[order], count[order]
    index, count = index[count >= 0], count[count >= 0]
    alike = _alike(count, [limit[index] for limit in of_days], limits, counts_at(cohort, before[index]))
    distance = np.nan_to_num(between(observed[index], observed[index], count))
    nearest = _nearest_of_alike(index, alike, distance, is_baseline[index])
    return index[nearest], count[nearest]


def _days_to_add(cohort: Cohort, rows: Ints, patients: Ints, limits: Limits) -> tuple[Ints, Ints]:
    """The days without a count on which one is tried, with their patients, in order.

    They are the planned days, those that the definitions name, and those as long after an observation or a rescue
    treatment as a definition names. A patient without rows has none.
    """
    days, lengths = limits.days()
    washouts = limits.washouts()
    courses = np.flatnonzero(np.isin(cohort.patient[cohort.courses.row], patients))
    course_ends = cohort.courses.last[courses].astype(np.int64)
    after_rows = cohort.day[rows].astype(np.int64)[:, None] + lengths
    after_rescue = course_ends[:, None] + washouts
    of_courses = cohort.patient[cohort.courses.row[courses]]
    tried = np.concatenate(
        [
            _numbers(np.repeat(patients, len(days)), np.tile(days, len(patients))),
            _numbers(np.repeat(cohort.patient[rows], len(lengths)), after_rows.ravel()),
            _numbers(np.repeat(of_courses, len(washouts)), after_rescue.ravel()),
        ]
    )
    counted = rows[limits.counted[rows]]
    tried = np.setdiff1d(tried, _numbers(cohort.patient[counted], cohort.day[counted]))
    patient = (tried + DAYS_APART // 2) // DAYS_APART
    has_rows = np.diff(cohort.first_row)[patient] > 0
    return patient[has_rows], (tried - patient * DAYS_APART)[has_rows]


def _numbers(patient: Ints, day: Ints) -> Ints:
    """Each patient and day in one number."""
    numbers: Ints = patient.astype(np.int64) * DAYS_APART + day
    return numbers


def counts_before(cohort: Cohort, patient: Ints, day: Ints) -> Floats:
    """The patient's last exact count before each day; NaN: there is none."""
    exact = np.flatnonzero(cohort.platelets.low == cohort.platelets.high)
    before, _ = neighbours(cohort, exact, patient, day)
    return counts_at(cohort, before).low


def neighbours(cohort: Cohort, rows: Ints, patient: Ints, day: Ints) -> tuple[Ints, Ints]:
    """Of these rows, which stand in order, the patient's last before each day and the first after it; -1: none."""
    keys, asked = _numbers(cohort.patient[rows], cohort.day[rows]), _numbers(patient, day)
    index = np.searchsorted(keys, asked) - 1, np.searchsorted(keys, asked, side="right")
    found = [np.append(rows, NONE)[np.where(one < len(rows), one, NONE)] for one in index]
    before, after = (np.where((row != NONE) & (cohort.patient[row] == patient), row, NONE) for row in found)
    return before, after


def counts_at(cohort: Cohort, row: Ints) -> Numbers:
    """The counts of these rows; NaN where there is no row."""
    nothing = np.full(len(row), np.nan)
    return replaced(cohort.platelets.at(row), row == NONE, nothing) if len(cohort.day) else exactly(nothing)


def _rows_on(cohort: Cohort, patient: Ints, day: Ints) -> Ints:
    """The row of each patient's day; -1: there is none."""
    row = np.searchsorted(_numbers(cohort.patient, cohort.day), _numbers(patient, day))
    row[row == len(cohort.day)] = NONE
    is_there = (cohort.patient[row] == patient) & (cohort.day[row] == day) if len(cohort.day) else row != NONE
    return np.where(is_there, row, NONE)
