"""Edits: one observation of a patient changed, whatever might turn a verdict, and how far each change goes.

The distance of a change makes unlike changes comparable. Each of these is 1: a count doubled or halved, an observation
seven days earlier or later, a bleed, a rescue treatment, a discontinuation or an observation that is taken away or
added, something not recorded that becomes known. Counts are compared with 10 added to each, so that small ones differ
by their difference rather than by their ratio.
"""

from collections.abc import Iterator, Sequence
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
)
from itp_response.cohort.values import NONE, Bools, Column, Floats, Ints, Numbers, Truths, exactly, ranges
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.clock import Length
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.rules.decide import numbers
from itp_response.evaluation.rules.tree import SINCE, Constant, Relation, Rule, Tree, leaves, names_in, opened

WEEK = 7
FARTHEST = 4 * WEEK
"""Days by which an observation is moved at most."""
SMALL = 10.0
"""10⁹/L, added to both counts before they are compared."""
TRIED = np.arange(301.0)
"""Counts tried where a rule compares them in a way that is no sum of multiples of the count and the baseline."""
WITH_DAYS = ("days", "within", "until", "day", "by", "evidence_by", "followed_from", "visits")
"""Keys of criteria that hold days."""


def between(low: Floats, high: Floats, count: Floats) -> Floats:
    """How far a count lies from one that was between `low` and `high`."""
    near = np.clip(count, low, high)
    return np.abs(np.log2((count + SMALL) / (near + SMALL)))


def changes(criteria: Criteria, cohort: Cohort, patients: Ints) -> Edits:
    """All changes tried of these patients, in order of patients."""
    asked = np.zeros(len(cohort), dtype=np.bool_)
    asked[patients] = True
    rows = np.flatnonzero(asked[cohort.patient])
    named = _Named(criteria, cohort)
    parts = [
        _counts(cohort, rows, named),
        _days(cohort, rows, criteria.file.baseline.days),
        _flagged(cohort, rows[cohort.bleeding_grade[rows] > 0], BLEEDING),
        _flagged(cohort, rows[np.isnan(cohort.bleeding_grade[rows]) & named.counted[rows]], GRADE),
        _courses(cohort, asked),
        _of_patients(patients[np.isfinite(cohort.treatment_discontinued[patients])], STOPPED),
        _flagged(cohort, rows[named.counted[rows]], LOST),
        _added(cohort, rows, patients, named),
        _baselines(cohort, patients, named),
    ]
    made = joined(parts)
    return made.at(np.argsort(made.patient, kind="stable"))


def grid(cohort: Cohort) -> Floats:
    """Of each patient the smallest step between counts: 1, or 0.1 where some count of his has a decimal."""
    counts = cohort.platelets.low
    broken = np.zeros(len(cohort), dtype=np.bool_)
    broken[cohort.patient[(cohort.platelets.high == counts) & (counts % 1 != 0)]] = True
    return np.where(broken, 0.1, 1.0)


class _Named:
    """What the rules of a set name, for the patients of a cohort."""

    def __init__(self, criteria: Criteria, cohort: Cohort) -> None:
        self.criteria = criteria
        self.counted: Bools = ~np.isnan(cohort.platelets.low)
        self.step = grid(cohort)
        self.clauses = _clauses(criteria)
        self.sums = sums_of(criteria)
        self.odd = any(_as_sum(clause) is None for clause in self.clauses if _is_of_counts(clause))
        """A rule compares counts in a way that is no such sum."""
        self.baseline = patient_days_of(criteria, cohort, 0, len(cohort)).baseline
        """Per patient."""
        first, last = criteria.file.baseline.days
        given = ~np.isnan(cohort.baseline.low)[cohort.patient]
        self.picked: Bools = self.counted & (cohort.day >= first) & (cohort.day <= last) & ~given
        """The rows of which the baseline is made."""

    def limits_of_counts(self, cohort: Cohort) -> list[Floats]:
        """Per row what its count is compared with, a list of the numbers."""
        return [
            -(start + of_baseline * edge[cohort.patient]) / of_count
            if of_baseline
            else np.full(len(cohort.day), -start / of_count)
            for start, of_count, of_baseline in self.sums
            if of_count
            for edge in _edges(self.baseline)
        ]

    def limits_of_baselines(self, cohort: Cohort) -> list[Floats]:
        """Per row the baselines at which a comparison of its count, or of the baseline alone, turns."""
        return [
            -(start + of_count * edge) / of_baseline if of_count else np.full(len(cohort.day), -start / of_baseline)
            for start, of_count, of_baseline in self.sums
            if of_baseline
            for edge in _edges(cohort.platelets)
        ]

    def days(self) -> tuple[Ints, Ints]:
        """The days that the criteria name, and the lengths of time."""
        clock = self.criteria.file.clock
        days: list[float] = [*clock.visits, clock.followed_from]
        lengths: list[float] = []
        for model in self.criteria.endpoints.values():
            found = [getattr(model, key, None) for key in WITH_DAYS]
            named = [
                day
                for one in found
                for day in (one if isinstance(one, tuple) else (one,))
                if isinstance(day, int | float)
            ]
            (lengths if getattr(model, "from_", None) else days).extend(named)
            lengths += [one.number for one in vars(model).values() if isinstance(one, Length) and one.unit == "days"]
        return _whole(days), _whole(lengths)

    def washouts(self) -> Ints:
        """The lengths of time since a rescue treatment that rules name, and the days after them."""
        found = [
            side.value
            for clause in map(opened, self.clauses)
            if isinstance(clause, Relation) and any(name.startswith(SINCE) for name in names_in(clause))
            for side in (clause.left, clause.right)
            if isinstance(side, Constant)
        ]
        return _whole([length + more for length in found for more in (0, 1)])


def _whole(days: list[float]) -> Ints:
    return np.unique(np.array([day for day in days if np.isfinite(day)], dtype=np.int64))


def _clauses(criteria: Criteria) -> list[Tree]:
    rules = [rule for model in criteria.endpoints.values() for rule in _rules(model)]
    return list(dict.fromkeys(leaf for rule in rules for leaf in leaves(rule.tree)))


def _is_of_counts(clause: Tree) -> bool:
    return bool({"platelets", "baseline"} & set(names_in(clause)))


def sums_of(criteria: Criteria) -> list[tuple[float, float, float]]:
    """The comparisons of counts and baselines that a set makes, as sums `start + a * platelets + b * baseline`."""
    sums = (_as_sum(clause) for clause in _clauses(criteria) if _is_of_counts(clause))
    return list(dict.fromkeys(one for one in sums if one is not None))


def limits_of(criteria: Criteria, baseline: float) -> list[float]:
    """What a set compares counts with, given a baseline; at least one, 30, if it compares them with nothing."""
    found = {
        -(start + of_baseline * baseline) / of_count for start, of_count, of_baseline in sums_of(criteria) if of_count
    }
    return sorted(limit for limit in found if limit > 1) or [30.0]


def _rules(model: object) -> Iterator[Rule]:
    yield from (rule for rule in vars(model).values() if isinstance(rule, Rule))


def _edges(values: Numbers) -> tuple[Floats, ...]:
    return (values.low,) if values.exact else (values.low, values.high)


class _Points:
    """Four counts and baselines, for a comparison to be decided at."""

    def __init__(self) -> None:
        self.decided: dict[Tree, Truths] = {}
        self._values = {"platelets": np.array([0.0, 1, 0, 3]), "baseline": np.array([0.0, 0, 1, 5])}

    def values(self, name: str) -> Column:
        return exactly(self._values[name])


def _as_sum(clause: Tree) -> tuple[float, float, float] | None:
    """A comparison as the sum `start + a * platelets + b * baseline`, which is 0 where it turns; None: it is none."""
    if not isinstance(clause, Relation) or not set(names_in(clause)) <= {"platelets", "baseline"}:
        return None
    points = _Points()
    left, right = (numbers(side, points).low + np.zeros(4) for side in (clause.left, clause.right))
    start, of_count, of_baseline, check = (left - right).tolist()
    of_count, of_baseline = of_count - start, of_baseline - start
    return (start, of_count, of_baseline) if check == start + 3 * of_count + 5 * of_baseline else None


# WHAT IS TRIED


def _counts(cohort: Cohort, rows: Ints, named: _Named) -> Edits:
    """Each count just on either side of what it, or the baseline that it makes, is compared with."""
    rows = rows[named.counted[rows]]
    step = named.step[cohort.patient[rows]]
    limits = [limit[rows] for limit in named.limits_of_counts(cohort)]
    parts = [_near(np.arange(len(rows)), step, limits)]
    of = np.flatnonzero(named.picked[rows])
    parts.append(_near_turns(cohort, rows[of], of, step[of], named))
    if named.odd:
        parts.append((np.repeat(np.arange(len(rows)), len(TRIED)), np.tile(TRIED, len(rows))))
    at, count = _each_once(parts)
    low, high = cohort.platelets.low[rows[at]], cohort.platelets.high[rows[at]]
    kept = (count >= 0) & ~((count == low) & (count == high))
    made = _flagged(cohort, rows[at[kept]], COUNT)
    return replace(made, count=count[kept], distance=between(low[kept], high[kept], count[kept]))


def _near_turns(cohort: Cohort, rows: Ints, places: Ints, step: Floats, named: _Named) -> tuple[Ints, Floats]:
    """For each of these rows that make the baseline the counts next to those that would turn another row's verdict."""
    patient = cohort.patient[rows]
    owner, other = ranges(cohort.first_row[patient], cohort.first_row[patient + 1])
    picked = np.bincount(cohort.patient[named.picked], minlength=len(cohort))
    number = np.where(named.criteria.file.baseline.pick == "mean", picked[patient], 1)[owner]
    # Of a mean the count bears a part: so much more must it change.
    rest = number * named.baseline.low[patient[owner]] - cohort.platelets.low[rows[owner]]
    rest = np.where(number == 1, 0.0, rest)
    limits = [number * limit[other] - rest for limit in named.limits_of_baselines(cohort)]
    return _near(places[owner], step[owner], limits)


def _near(places: Ints, step: Floats, limits: Sequence[Floats]) -> tuple[Ints, Floats]:
    """For each place the counts next to its limits, in steps of its counts."""
    at: list[Ints] = [np.empty(0, dtype=np.int64)]
    counts = [np.empty(0)]
    for limit in limits:
        # A limit that is reckoned may lie a last bit beside the number meant.
        steps = np.round(limit / step, 6)
        for number in (np.ceil(steps) - 1, np.floor(steps), np.ceil(steps), np.floor(steps) + 1):
            known = np.flatnonzero(np.isfinite(number))
            at.append(places[known])
            counts.append(np.round(number[known] * step[known], 1))
    return np.concatenate(at), np.concatenate(counts)


def _each_once(parts: list[tuple[Ints, Floats]]) -> tuple[Ints, Floats]:
    """In the order of places, each count once."""
    at, count = (np.concatenate(some) for some in zip(*parts, strict=True))
    order = np.lexsort((count, at))
    at, count = at[order], count[order]
    first = np.append(True, (at[1:] != at[:-1]) | (count[1:] != count[:-1]))[: len(at)]
    return at[first], count[first]


def _days(cohort: Cohort, rows: Ints, baseline: tuple[float, float]) -> Edits:
    """Each observation on each day between those before and after it, up to four weeks away.

    None is moved into the days of the baseline, or out of them.
    """
    patient, day = cohort.patient[rows], cohort.day[rows].astype(np.int64)
    first, last = cohort.first_row[patient] == rows, cohort.first_row[patient + 1] - 1 == rows
    end = len(cohort.day) - 1
    earliest = np.where(first, day - FARTHEST, cohort.day[np.maximum(rows - 1, 0)] + 1)
    latest = np.where(last, day + FARTHEST, cohort.day[np.minimum(rows + 1, end)] - 1) if len(rows) else day
    by = np.concatenate([np.arange(-FARTHEST, 0), np.arange(1, FARTHEST + 1)])
    moved, was = day[:, None] + by, day[:, None]
    stays = ((moved >= baseline[0]) & (moved <= baseline[1])) == ((was >= baseline[0]) & (was <= baseline[1]))
    at, which = np.nonzero((moved >= earliest[:, None]) & (moved <= latest[:, None]) & stays)
    made = _flagged(cohort, rows[at], DAY)
    distance = np.abs(by[which]) / WEEK
    return replace(made, day=moved[at, which], distance=distance)


def _flagged(cohort: Cohort, rows: Ints, kind: int) -> Edits:
    """A change of that kind of each of these rows, as far as an observation that is taken away."""
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


def _courses(cohort: Cohort, asked: Bools) -> Edits:
    course = np.flatnonzero(asked[cohort.patient[cohort.courses.row]]) if len(cohort.courses.row) else np.empty(0, int)
    return replace(_flagged(cohort, cohort.courses.row[course], RESCUE), course=course)


def _of_patients(patients: Ints, kind: int) -> Edits:
    size = len(patients)
    nowhere, day = np.full(size, NONE), np.zeros(size, dtype=np.int64)
    return Edits(patients, np.full(size, kind), nowhere, nowhere, day, np.full(size, np.nan), np.ones(size))


def _added(cohort: Cohort, rows: Ints, patients: Ints, named: _Named) -> Edits:
    """A count, without bleeding, on a day that has none.

    Days are the planned ones, those that the definitions name, and those that lie as long after an observation or a
    rescue treatment as they ask for. Counts are those next to what they are compared with.
    """
    days, lengths = named.days()
    ours = np.isin(cohort.patient[cohort.courses.row], patients)
    washouts = named.washouts()
    owner = np.concatenate(
        [
            np.repeat(patients, len(days)),
            np.repeat(cohort.patient[rows], len(lengths)),
            np.repeat(cohort.patient[cohort.courses.row[ours]], len(washouts)),
        ]
    )
    day = np.concatenate(
        [
            np.tile(days, len(patients)),
            (cohort.day[rows].astype(np.int64)[:, None] + lengths).ravel(),
            (cohort.courses.last[ours][:, None] + washouts).ravel(),
        ]
    )
    low, high = (int(edge) for edge in (min(day, default=0), max(day, default=0)))
    span = high - low + 1
    key = np.unique(owner.astype(np.int64) * span + day - low)
    seen = (cohort.day >= low) & (cohort.day <= high) & named.counted
    key = key[~np.isin(key, cohort.patient[seen].astype(np.int64) * span + cohort.day[seen] - low)]
    owner, day = key // span, key % span + low
    # A limit that differs from row to row rests on the baseline, which is the same in all rows of a patient.
    row = np.minimum(cohort.first_row[owner], max(len(cohort.day) - 1, 0))
    has_rows = np.diff(cohort.first_row)[owner] > 0
    owner, day, row = owner[has_rows], day[has_rows], row[has_rows]
    limits = [limit[row] for limit in named.limits_of_counts(cohort)]
    at, count = _each_once([_near(np.arange(len(owner)), named.step[owner], limits)])
    # That of the observation before is tried first: what any count would do, it does.
    carried = _carried(cohort, owner, day, named.counted)
    known = np.flatnonzero(~np.isnan(carried))
    at, count = np.concatenate([known, at]), np.concatenate([carried[known], count])
    order = np.argsort(at, kind="stable")
    at, count = at[order], count[order]
    kept = count >= 0
    made = _of_patients(owner[at[kept]], ADDED)
    return replace(made, row=_row_on(cohort, owner, day)[at[kept]], day=day[at[kept]], count=count[kept])


def _carried(cohort: Cohort, patient: Ints, day: Ints, counted: Bools) -> Floats:
    """The count of each patient's last observation before a day that is no bound; NaN: there is none."""
    rows = np.flatnonzero(counted & (cohort.platelets.low == cohort.platelets.high))
    if not len(rows):
        return np.full(len(day), np.nan)
    low, high = int(min(cohort.day.min(), day.min(initial=0))), int(max(cohort.day.max(), day.max(initial=0)))
    span = high - low + 1
    key = cohort.patient[rows].astype(np.int64) * span + cohort.day[rows] - low
    place = np.searchsorted(key, patient * span + day - low) - 1
    row = rows[np.maximum(place, 0)]
    return np.where((place >= 0) & (cohort.patient[row] == patient), cohort.platelets.low[row], np.nan)


def _row_on(cohort: Cohort, patient: Ints, day: Ints) -> Ints:
    """The row of each patient's day; -1: there is none."""
    if not len(cohort.day):
        return np.full(len(day), NONE)
    low, span = int(cohort.day.min()), int(cohort.day.max()) - int(cohort.day.min()) + 3
    key = cohort.patient.astype(np.int64) * span + cohort.day - low + 1
    wanted = patient * span + np.clip(day - low + 1, 0, span - 1)
    place = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    return np.where(key[place] == wanted, place, NONE)


def _baselines(cohort: Cohort, patients: Ints, named: _Named) -> Edits:
    """Where a baseline was given another, just on either side of where a comparison turns."""
    given = patients[~np.isnan(cohort.baseline.low[patients])]
    owner, rows = ranges(cohort.first_row[given], cohort.first_row[given + 1])
    limits = [limit[rows] for limit in named.limits_of_baselines(cohort)]
    parts = [_near(owner, named.step[given[owner]], limits)]
    if named.odd:
        parts.append((np.repeat(np.arange(len(given)), len(TRIED)), np.tile(TRIED, len(given))))
    at, count = _each_once(parts)
    low, high = cohort.baseline.low[given[at]], cohort.baseline.high[given[at]]
    kept = (count >= 0) & ~((count == low) & (count == high))
    made = _of_patients(given[at[kept]], BASELINE)
    return replace(made, count=count[kept], distance=between(low[kept], high[kept], count[kept]))
