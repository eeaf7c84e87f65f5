"""Bounds: where counts are known only as bounds, every course that a patient may have had.

A rule changes its truth at single counts, those at which a comparison in it tips.
A patient is copied with every bounded count on each side of these and on them; the copies are decided like patients,
and what is the same of all copies is the verdict. No kind of endpoint knows of it.
The baseline comes first, as it moves where the comparisons with the other counts tip.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import NONE, Bools, Column, Floats, Ints, Numbers, Truths, exactly, with_bounds
from itp_response.evaluation.completions import Completions, counted_up, steps
from itp_response.evaluation.criteria_set import CriteriaSet
from itp_response.evaluation.patient_days import PatientDays, PatientValues
from itp_response.evaluation.rules.decide import decide, numbers
from itp_response.evaluation.rules.tree import Relation, Tree, leaves, names_in
from itp_response.messages.errors import CriteriaError

MOST = 10_000
"""In so many ways may a patient's bounded counts lie; beyond, what hangs on them is not evaluable."""
TRIED = (1.0, 2.0, 4.0)
"""Counts at which a comparison is looked at to find where it tips."""


def has_censored(cohort: Cohort) -> Bools:
    """Which patients have a count or a baseline that is known only as a bound."""
    found = np.zeros(len(cohort), dtype=np.bool_)
    if not cohort.platelets.exact:
        found[cohort.patient[_wide(cohort.platelets)]] = True
    if not cohort.baseline.exact:
        found |= _wide(cohort.baseline)
    return found


def left_open(criteria: CriteriaSet, patient_days: PatientDays) -> dict[str, Bools]:
    """By endpoint, the patients in whom a bound leaves a rule unknown on which the endpoint rests."""
    counts, patients = patient_days.values("platelets"), PatientValues(patient_days)
    assert isinstance(counts, Numbers)
    wide, unsure = _wide(counts), _wide(patient_days.baseline)
    wide |= unsure[patient_days.patient]
    own = {}
    for name, model in criteria.endpoints.items():
        open_ = np.zeros(patient_days.patients, dtype=np.bool_)
        for rule in model.row_rules():
            open_[patient_days.patient[wide & decide(rule.tree, patient_days).unknown]] = True
        if model.unless is not None:
            open_ |= unsure & decide(model.unless.tree, patients).unknown
        own[name] = open_
    found: dict[str, Bools] = {}
    for name in criteria.order:
        below = [found[other] for other in criteria.endpoints[name].references().values()]
        found[name] = np.logical_or.reduce([own[name], *below])
    return found


# THE BASELINE


def of_baselines(criteria: CriteriaSet, cohort: Cohort, patient_days: PatientDays) -> Completions:
    """The courses that differ in the baseline, where that is known only as a bound; one of everyone else.

    `rows` are those of the whole cohort. Where the baseline is the last count before treatment, that count is the
    same; where it is the lowest or the mean of several, they are still bounds.
    """
    unsure = _wide(patient_days.baseline)
    patient, value = _baselines_tried(_comparisons(criteria), patient_days)
    patient = np.concatenate([patient, np.flatnonzero(~unsure)])
    value = np.concatenate([value, patient_days.baseline.low[~unsure]])
    order = np.lexsort((value, patient))
    patient, value = patient[order], value[order]
    copies = cohort.taken(patient)
    changed = unsure[patient]
    given = copies.baseline.low.copy()
    given[changed] = value[changed]
    high = np.where(changed, value, copies.baseline.high)
    counts = copies.platelets
    if criteria.baseline.pick == "last":
        row = patient_days.last_before[patient]
        at = row - cohort.first_row[patient] + copies.first_row[:-1]
        here = changed & (row != NONE)
        counts = _at(counts, at[here], value[here])
    made = replace(copies, baseline=with_bounds(given, high), platelets=counts)
    return Completions(made, patient, np.zeros(len(patient), dtype=np.int64))


def _baselines_tried(comparisons: Sequence[Relation], patient_days: PatientDays) -> tuple[Ints, Floats]:
    """Baselines on which comparisons tip, between these and at the ends: the patient, and the baseline."""
    unsure = _wide(patient_days.baseline)
    patients = np.flatnonzero(unsure)
    places = np.flatnonzero(unsure[patient_days.patient])
    owner = patient_days.patient[places]
    counts = patient_days.values("platelets")
    assert isinstance(counts, Numbers)
    low, high = counts.low[places], counts.high[places]
    found: list[tuple[Ints, Floats]] = []
    lines: list[tuple[Floats, Floats]] = []
    for one in comparisons:
        used = set(names_in(one))
        if used == {"baseline"}:
            own = _Supposed(PatientValues(patient_days), patients)
            found.extend((patients, tip) for tip in _tips(one, len(patients), partial(own.with_, None)))
            continue
        asked = _Supposed(patient_days, places)
        tips = [_tips_of_counts(one, asked, np.full(len(places), baseline)) for baseline in TRIED]
        lines.extend(_line(*each) for each in zip(*tips, strict=True))
    for begin, slope in lines:
        with np.errstate(all="ignore"):
            found.extend((owner, (edge - begin) / slope) for edge in (low, high))
            found.extend((owner, (other - begin) / (slope - more)) for other, more in lines)
    end = [(patients, patient_days.baseline.low[patients]), (patients, patient_days.baseline.high[patients])]
    who = np.concatenate([one for one, _ in [*end, *found]])
    tip = np.concatenate([value for _, value in [*end, *found]])
    return _between(who, tip, patient_days.baseline)


def _line(one: Floats, two: Floats, four: Floats) -> tuple[Floats, Floats]:
    """Where counts tip at a baseline of 0, and how much further at each further unit of the baseline."""
    slope = two - one
    straight = np.isclose(four - two, 2 * slope, rtol=1e-9, atol=1e-9) | ~np.isfinite(one + two + four)
    if not straight.all():
        raise _product()
    return one - slope, slope


def _between(who: Ints, tip: Floats, within: Numbers) -> tuple[Ints, Floats]:
    """Of each owner the values within his bounds, each once, and one between any two neighbours."""
    low, high = within.low[who], within.high[who]
    inside = (tip >= low) & (tip <= high) & np.isfinite(tip)
    who, tip = who[inside], tip[inside]
    endless = np.isinf(within.high)
    if endless.any():
        last = np.where(np.isfinite(within.low), within.low, 0.0)
        np.maximum.at(last, who, tip)
        beyond = np.flatnonzero(endless)
        who, tip = np.append(who, beyond), np.append(tip, last[beyond] * 2 + 1)
    order = np.lexsort((tip, who))
    who, tip = who[order], tip[order]
    new = np.ones(len(who), dtype=np.bool_)
    new[1:] = (who[1:] != who[:-1]) | (tip[1:] != tip[:-1])
    who, tip = who[new], tip[new]
    follows = np.flatnonzero(who[1:] == who[:-1])
    who = np.append(who, who[follows])
    middle = (tip[follows] + tip[follows + 1]) / 2
    whole = np.round(middle)
    tip = np.append(tip, np.where((whole > tip[follows]) & (whole < tip[follows + 1]), whole, middle))
    order = np.lexsort((tip, who))
    return who[order], tip[order]


# THE COUNTS


class CensoredCounts:
    """The bounded counts of a cohort whose baselines are known, and the values that tell the rules' truths apart."""

    def __init__(self, criteria: CriteriaSet, cohort: Cohort, patient_days: PatientDays) -> None:
        self._cohort = cohort
        self.row = np.flatnonzero(_wide(cohort.platelets) & _unknown(criteria, patient_days))
        asked = _Supposed(patient_days, self.row)
        baseline = patient_days.baseline.low[patient_days.patient[self.row]]
        tips = [tip for one in _comparisons(criteria) for tip in _tips_of_counts(one, asked, baseline)]
        place = np.arange(len(self.row))
        counts = cohort.platelets.at(self.row)
        ends = [counts.low, counts.high, *tips]
        owner, value = _between(np.tile(place, len(ends)), np.concatenate(ends), counts)
        told = _told_apart(criteria, _Supposed(patient_days, self.row[owner]).with_(value, baseline[owner]))
        keep = _first_of_each_pair(owner, told)
        self.value = value[keep]
        """One for each truth, by row."""
        self.number = np.bincount(owner[keep], minlength=len(self.row))
        """How many of them each row has."""

    def ways(self) -> Floats:
        """In how many ways each patient's counts can lie, as far as rules tell them apart."""
        found = np.ones(len(self._cohort))
        np.multiply.at(found, self._cohort.patient[self.row], self.number)
        return found

    def courses(self, patients: Ints, ways: Ints) -> Completions:
        """All courses of these patients, who have so many each."""
        owner, way = np.repeat(patients, ways), counted_up(ways)
        copies = self._cohort.taken(owner)
        first = np.searchsorted(self._cohort.patient[self.row], np.arange(len(self._cohort) + 1))
        theirs = np.diff(first)[owner]
        which = np.repeat(first[owner], theirs) + counted_up(theirs)
        course = np.repeat(np.arange(len(owner)), theirs)
        step = steps(self._cohort.patient[self.row], self.number, MOST)
        begins = np.append(0, np.cumsum(self.number))
        value = self.value[begins[which] + way[course] // step[which] % self.number[which]]
        row = self.row[which]
        at = row - self._cohort.first_row[owner][course] + copies.first_row[course]
        return Completions(replace(copies, platelets=_at(copies.platelets, at, value)), owner, way)


def _unknown(criteria: CriteriaSet, patient_days: PatientDays) -> Bools:
    """The rows at which any rule is unknown."""
    found = np.zeros(len(patient_days.day), dtype=np.bool_)
    for model in criteria.endpoints.values():
        for rule in model.row_rules():
            found |= decide(rule.tree, patient_days).unknown
    return found


def _told_apart(criteria: CriteriaSet, rows: "_Supposed") -> Ints:
    """A number for each place, the same where all rules have the same truth."""
    rules = dict.fromkeys(rule.text for model in criteria.endpoints.values() for rule in model.row_rules())
    trees = {rule.text: rule.tree for model in criteria.endpoints.values() for rule in model.row_rules()}
    found: Ints = np.zeros(rows.size, dtype=np.int64)
    for text in rules:
        truths = rows.decide(trees[text])
        found = np.unique(found * 3 + truths.true + 2 * truths.false, return_inverse=True)[1]
    return found


def _first_of_each_pair(owner: Ints, told: Ints) -> Ints:
    """The places of the first of each pair of numbers, in order."""
    if not len(owner):
        return owner
    pair = owner.astype(np.int64) * (int(told.max()) + 1) + told
    return np.sort(np.unique(pair, return_index=True)[1])


# WHERE COMPARISONS TIP


class _TriedRows(Protocol):
    def values(self, name: str) -> Column: ...


class _Supposed:
    """Rows (or patients) of a timeline at these places, with other counts and baselines."""

    def __init__(self, rows: _TriedRows, places: Ints) -> None:
        self.decided: dict[Tree, Truths] = {}
        self.size = len(places)
        self._rows = rows
        self._places = places
        self._values: dict[str, Column] = {}

    def with_(self, count: Floats | None, baseline: Floats) -> "_Supposed":
        """The same places with these counts and baselines."""
        made = _Supposed(self._rows, self._places)
        made._values["baseline"] = exactly(baseline)
        if count is not None:
            made._values["platelets"] = exactly(count)
        return made

    def values(self, name: str) -> Column:
        if name not in self._values:
            self._values[name] = self._rows.values(name).at(self._places)
        return self._values[name]

    def decide(self, tree: Tree) -> Truths:
        """A rule's truth at each place."""
        found = decide(tree, self)
        size = np.zeros(self.size, dtype=np.bool_)  # a comparison of numbers alone has one truth
        return Truths(found.true | size, found.false | size)


def _comparisons(criteria: CriteriaSet) -> list[Relation]:
    """The comparisons in all rules that name a count or the baseline, each once."""
    rules = [rule for model in criteria.endpoints.values() for rule in (*model.row_rules(), model.unless) if rule]
    found = dict.fromkeys(leaf for rule in rules for leaf in leaves(rule.tree))
    return [one for one in found if isinstance(one, Relation) and {"platelets", "baseline"} & set(names_in(one))]


def _tips_of_counts(one: Relation, asked: _Supposed, baseline: Floats) -> list[Floats]:
    return _tips(one, asked.size, lambda count: asked.with_(count, baseline))


def _tips(one: Relation, size: int, supposed: Callable[[Floats], _Supposed]) -> list[Floats]:
    """The values at each place at which the comparison tips; NaN: it does at none.

    Several, where something else that it names is only a bound.
    """
    differences = []
    with np.errstate(all="ignore"):
        for value in TRIED:
            rows = supposed(np.full(size, value))
            left, right = numbers(one.left, rows), numbers(one.right, rows)
            both = [left.low - right.high] if left.exact and right.exact else _both(left, right)
            differences.append([np.broadcast_to(difference, size) for difference in both])
        return [_root(*each) for each in zip(*differences, strict=True)]


def _both(left: Numbers, right: Numbers) -> list[Floats]:
    return [left.low - right.high, left.high - right.low]


def _root(one: Floats, two: Floats, four: Floats) -> Floats:
    """Where a difference is zero that is known at 1, 2 and 4: it is a + b x, or a + b / x."""
    straight = np.isclose(four - two, 2 * (two - one), rtol=1e-9, atol=1e-9)
    inverse = np.isclose(one - two, 2 * (two - four), rtol=1e-9, atol=1e-9)
    if not (straight | inverse | ~np.isfinite(one + two + four)).all():
        raise _product()
    share = 2 * (one - two)
    found = np.where(straight, 1 - one / (two - one), share / (share - one))
    found[~np.isfinite(found)] = np.nan
    return found


def _product() -> CriteriaError:
    return CriteriaError(
        "a rule has a product of counts, which is not decided where counts are known only as bounds; "
        "write it without the product, or give the exact counts."
    )


def _wide(values: Numbers) -> Bools:
    """Where only a bound is known."""
    wide: Bools = values.low < values.high
    return wide


def _at(counts: Numbers, rows: Ints, value: Floats) -> Numbers:
    """The counts with these in their place."""
    low, high = counts.low.copy(), counts.high.copy()
    low[rows] = high[rows] = value
    return with_bounds(low, high)
