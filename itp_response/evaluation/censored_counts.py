"""Censored counts: the completions of patients with counts of which only a bound is known.

A rule changes its truth at single counts: those at which a comparison in it turns. A completion has each censored count
on one of these, or on either side of it, as far as the rules' truths differ. The baseline is completed first, because
the other comparisons turn at counts that depend on it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import (
    NONE,
    Bools,
    Column,
    Floats,
    Ints,
    Numbers,
    Truths,
    exactly,
    offsets,
    ranges,
    with_bounds,
)
from itp_response.evaluation.completions import Completions, chosen
from itp_response.evaluation.criteria_set import CriteriaSet
from itp_response.evaluation.open_comparisons import left_open_by, row_rules, seeing_other_rows
from itp_response.evaluation.patient_days import PatientDays, PatientValues
from itp_response.evaluation.rules.decide import Observed, decide, numbers
from itp_response.evaluation.rules.tree import AtRow, Relation, Tree, leaves, names_in, own_names_in
from itp_response.messages.errors import CriteriaError

MOST_COMPLETIONS = 10_000
"""Of a patient; beyond, what depends on the censored counts is not evaluable."""
TRIED = (1.0, 2.0, 4.0)
"""Counts, or baselines, for which both sides of a comparison are computed, to find where it turns."""


def has_censored(cohort: Cohort) -> Bools:
    """The patients with a censored count or baseline."""
    censored = _censored(cohort.baseline)
    if not cohort.platelets.exact:
        censored[cohort.patient[_censored(cohort.platelets)]] = True
    return censored


def left_open(criteria: CriteriaSet, patient_days: PatientDays) -> dict[str, Bools]:
    """By endpoint, the patients of whom a censored count leaves a rule unknown, of it or of one that it refers to."""
    counts, patients = patient_days.counts, PatientValues(patient_days)
    censored_baseline = _censored(patient_days.baseline)
    censored = _censored(counts) | censored_baseline[patient_days.patient]
    own = {}
    for name, model in criteria.endpoints.items():
        open_ = np.zeros(patient_days.patients, dtype=np.bool_)
        for rule in model.row_rules():
            unknown = censored & decide(rule.tree, patient_days).unknown
            open_[patient_days.patient[unknown | left_open_by(rule.tree, patient_days)]] = True
        for rule in model.patient_rules():
            open_ |= censored_baseline & decide(rule.tree, patients).unknown
        own[name] = open_
    left: dict[str, Bools] = {}
    for name in criteria.order:
        of_others = [left[other] for other in criteria.endpoints[name].references().values()]
        left[name] = np.logical_or.reduce([own[name], *of_others])
    return left


def baseline_completions(criteria: CriteriaSet, cohort: Cohort, patient_days: PatientDays) -> Completions:
    """The completions of censored baselines; a patient with another baseline has one. `patient_days` is the cohort.

    Where the baseline is the last count before treatment, that count is completed with it. Where it is the lowest or
    the mean of several counts, these are still censored.
    """
    censored = _censored(patient_days.baseline)
    patient, baseline = _baselines_to_try(criteria, patient_days)
    patient = np.concatenate([patient, np.flatnonzero(~censored)])
    baseline = np.concatenate([baseline, patient_days.baseline.low[~censored]])
    order = np.lexsort((baseline, patient))
    patient, baseline = patient[order], baseline[order]
    completed = cohort.select(patient)
    changed = censored[patient]
    low, high = (np.where(changed, baseline, edge) for edge in (completed.baseline.low, completed.baseline.high))
    counts = completed.platelets
    if criteria.baseline.pick == "last":
        row = patient_days.last_before[patient]
        here = changed & (row != NONE)
        in_completed = row - cohort.first_row[patient] + completed.first_row[:-1]
        counts = _with_values(counts, in_completed[here], baseline[here])
    completed = replace(completed, baseline=with_bounds(low, high), platelets=counts, recorded=completed.platelets)
    return Completions(completed, patient, np.zeros(len(patient), dtype=np.int64))


class CensoredCounts:
    """The censored counts of a cohort of known baselines, and the values among which rules tell apart."""

    def __init__(self, criteria: CriteriaSet, cohort: Cohort, patient_days: PatientDays) -> None:
        self._cohort = cohort
        rules = [rule.tree for rule in row_rules(criteria)]
        unknown = np.zeros(len(patient_days.day), dtype=np.bool_)
        for rule in rules:
            unknown |= decide(rule, patient_days).unknown
        self._row = np.flatnonzero(_censored(cohort.platelets) & unknown)
        self._patient = cohort.patient[self._row]
        owner, value = self._values_to_try(criteria, patient_days)
        baseline = patient_days.baseline.low[self._patient[owner]]
        told_apart = [*rules, *(relation for rule in rules for relation in seeing_other_rows(rule))]
        truths = _truths(told_apart, _Supposed(patient_days, self._row[owner]).with_values(value, baseline))
        different = _first_of_each_pair(owner, truths)
        self._value = value[different]
        """Count by count, a value for each combination of the rules' truths."""
        self._options = np.bincount(owner[different], minlength=len(self._row))
        """The number of values of each count."""

    def _values_to_try(self, criteria: CriteriaSet, patient_days: PatientDays) -> tuple[Ints, Floats]:
        """The values at which comparisons turn, and between: the index of the count, and the value."""
        baseline = patient_days.baseline.low[self._patient]
        rows = _Supposed(patient_days, self._row)
        turning = [value for relation in _comparisons(criteria) for value in _turning_counts(relation, rows, baseline)]
        counts = self._cohort.platelets.at(self._row)
        edges = [counts.low, counts.high, *turning]
        return _on_and_between(np.tile(np.arange(len(self._row)), len(edges)), np.concatenate(edges), counts)

    def numbers_of_completions(self) -> Floats:
        """The number of completions of each patient."""
        completions = np.ones(len(self._cohort))
        np.multiply.at(completions, self._patient, self._options)
        return completions

    def completions(self, patients: Ints, numbers: Ints) -> Completions:
        """All completions of these patients; `numbers` has the number of them for each."""
        index, number = ranges(np.zeros_like(numbers), numbers)
        patient = patients[index]
        completed = self._cohort.select(patient)
        completion, count, choice = chosen(self._patient, self._options, patient, number)
        value = self._value[offsets(self._options)[count] + choice]
        row = self._row[count] - self._cohort.first_row[patient][completion] + completed.first_row[completion]
        counts = _with_values(completed.platelets, row, value)
        return Completions(replace(completed, platelets=counts), patient, number)


def _baselines_to_try(criteria: CriteriaSet, patient_days: PatientDays) -> tuple[Ints, Floats]:
    """The baselines at which comparisons turn, and between: the patient, and the baseline."""
    comparisons = _comparisons(criteria)
    of_baseline = [relation for relation in comparisons if set(names_in(relation)) == {"baseline"}]
    of_counts = [relation for relation in comparisons if "platelets" in own_names_in(relation)]
    of_rows = [relation for relation in comparisons if relation not in (*of_baseline, *of_counts)]
    baseline = patient_days.baseline
    patients = np.flatnonzero(_censored(baseline))
    supposed = _Supposed(PatientValues(patient_days), patients)
    turning: list[tuple[Ints, Floats]] = [(patients, edge[patients]) for edge in (baseline.low, baseline.high)]
    for relation in of_baseline:
        values = _turning_values(relation, len(patients), partial(supposed.with_values, None))
        turning.extend((patients, value) for value in values)
    turning.extend(_baselines_on_rows(of_rows, patient_days))
    turning.extend(_baselines_between_counts(of_counts, patient_days))
    if criteria.baseline.pick == "last":
        turning.extend(_baselines_as_counts(of_counts, patient_days))
    patient = np.concatenate([patient for patient, _ in turning])
    value = np.concatenate([value for _, value in turning])
    return _on_and_between(patient, value, baseline)


def _baselines_on_rows(comparisons: Sequence[Relation], patient_days: PatientDays) -> list[tuple[Ints, Floats]]:
    """The baselines at which these comparisons, which name no count of the row, turn on a row: the patient, and it."""
    rows = np.flatnonzero(_censored(patient_days.baseline)[patient_days.patient])
    supposed = _Supposed(patient_days, rows)
    return [
        (patient_days.patient[rows], values)
        for relation in comparisons
        for values in _turning_values(relation, len(rows), partial(supposed.with_values, None))
    ]


def _baselines_between_counts(comparisons: Sequence[Relation], patient_days: PatientDays) -> list[tuple[Ints, Floats]]:
    """The baselines at which it changes in what order counts turn these comparisons: the patient, and the baseline.

    The count at which a comparison turns is a line over the baseline. Two lines cross, or one meets a bound of a count.
    """
    rows = np.flatnonzero(_censored(patient_days.baseline)[patient_days.patient])
    supposed = _Supposed(patient_days, rows)
    lines: list[tuple[Floats, Floats]] = []
    for relation in comparisons:
        turning = [_turning_counts(relation, supposed, np.full(len(rows), baseline)) for baseline in TRIED]
        lines.extend(_line(*counts) for counts in zip(*turning, strict=True))
    patient, counts = patient_days.patient[rows], patient_days.counts.at(rows)
    baselines: list[Floats] = []
    with np.errstate(all="ignore"):
        for begin, slope in lines:
            baselines.extend((edge - begin) / slope for edge in (counts.low, counts.high))
            baselines.extend((other - begin) / (slope - other_slope) for other, other_slope in lines)
    return [(patient, baseline) for baseline in baselines]


def _baselines_as_counts(comparisons: Sequence[Relation], patient_days: PatientDays) -> list[tuple[Ints, Floats]]:
    """The baselines at which these comparisons turn on the row of the baseline itself: the patient, and the baseline.

    There the count is the baseline, whatever it is.
    """
    row = patient_days.last_before
    patients = np.flatnonzero(_censored(patient_days.baseline) & (row != NONE))
    rows = _Supposed(patient_days, row[patients])
    turning = [
        _turning_values(relation, rows.size, lambda value: rows.with_values(value, value)) for relation in comparisons
    ]
    return [(patients, value) for values in turning for value in values]


def _on_and_between(owner: Ints, value: Floats, within: Numbers) -> tuple[Ints, Floats]:
    """Of each owner the values within its bounds, each once, and one between any two neighbours, in order.

    `within` has the bounds of the owners. Above the last value of an owner without an upper bound there is one more.
    """
    inside = (value >= within.low[owner]) & (value <= within.high[owner]) & np.isfinite(value)
    owner, value = owner[inside], value[inside]
    endless = np.flatnonzero(np.isinf(within.high))
    if len(endless):
        last = np.where(np.isfinite(within.low), within.low, 0.0)
        np.maximum.at(last, owner, value)
        owner, value = np.append(owner, endless), np.append(value, last[endless] * 2 + 1)
    order = np.lexsort((value, owner))
    owner, value = owner[order], value[order]
    new = np.ones(len(owner), dtype=np.bool_)
    new[1:] = (owner[1:] != owner[:-1]) | (value[1:] != value[:-1])
    owner, value = owner[new], value[new]
    followed = np.flatnonzero(owner[1:] == owner[:-1])
    owner = np.append(owner, owner[followed])
    value = np.append(value, _middle(value[followed], value[followed + 1]))
    order = np.lexsort((value, owner))
    return owner[order], value[order]


def _middle(low: Floats, high: Floats) -> Floats:
    """A value between: the middle, as a whole number where there is one."""
    middle = (low + high) / 2
    whole = np.round(middle)
    return np.where((whole > low) & (whole < high), whole, middle)


def _truths(trees: Sequence[Tree], rows: "_Supposed") -> Ints:
    """A number for each row, the same for rows with the same truth of all rules and comparisons."""
    combination: Ints = np.zeros(rows.size, dtype=np.int64)
    for tree in trees:
        truths = rows.decide(tree)
        combination = np.unique(combination * 3 + truths.true + 2 * truths.false, return_inverse=True)[1]
    return combination


def _first_of_each_pair(owner: Ints, truths: Ints) -> Ints:
    """The first index of each pair of numbers, in order."""
    if not len(owner):
        return owner
    pair = owner.astype(np.int64) * (int(truths.max()) + 1) + truths
    return np.sort(np.unique(pair, return_index=True)[1])


class _Supposed:
    """Some rows (or patients) with other counts and baselines than observed."""

    def __init__(self, observed: Observed, positions: Ints) -> None:
        self.decided: dict[Tree, Truths] = {}
        self.size = len(positions)
        self._observed = observed
        self._positions = positions
        self._values: dict[str | AtRow, Column] = {}

    def with_values(self, count: Floats | None, baseline: Floats) -> "_Supposed":
        """The same rows with these counts and baselines."""
        supposed = _Supposed(self._observed, self._positions)
        supposed._values["baseline"] = exactly(baseline)
        if count is not None:
            supposed._values["platelets"] = exactly(count)
        return supposed

    def values(self, name: str | AtRow) -> Column:
        if name not in self._values:
            self._values[name] = self._observed.values(name).at(self._positions)
        return self._values[name]

    def decide(self, tree: Tree) -> Truths:
        """A rule's truth at each row."""
        truths = decide(tree, self)
        # A comparison of constants has one truth for all rows.
        each = np.zeros(self.size, dtype=np.bool_)
        return Truths(truths.true | each, truths.false | each)


def _comparisons(criteria: CriteriaSet) -> list[Relation]:
    """The comparisons in all rules that name a count or the baseline, each once."""
    rules = [rule for model in criteria.endpoints.values() for rule in (*model.row_rules(), *model.patient_rules())]
    clauses = dict.fromkeys(clause for rule in rules for clause in leaves(rule.tree))
    relations = [clause for clause in clauses if isinstance(clause, Relation)]
    return [relation for relation in relations if {"platelets", "baseline"} & own_names_in(relation)]


def _turning_counts(relation: Relation, rows: _Supposed, baseline: Floats) -> list[Floats]:
    """The counts at which the comparison turns in each row, given its baseline."""
    return _turning_values(relation, rows.size, lambda count: rows.with_values(count, baseline))


def _turning_values(relation: Relation, size: int, supposed: Callable[[Floats], _Supposed]) -> list[Floats]:
    """The values at each row at which the comparison turns; NaN: it turns at none.

    `supposed` gives the rows with a value each. Arrays are several, where something else in the comparison is censored.
    """
    differences = [_differences(relation, supposed(np.full(size, value))) for value in TRIED]
    return [_root(*at_tried) for at_tried in zip(*differences, strict=True)]


def _differences(relation: Relation, rows: _Supposed) -> list[Floats]:
    """The left side of a comparison minus the right: one difference, or the lowest and the highest."""
    with np.errstate(all="ignore"):
        left, right = numbers(relation.left, rows), numbers(relation.right, rows)
        lowest = np.broadcast_to(left.low - right.high, rows.size)
        if left.exact and right.exact:
            return [lowest]
        return [lowest, np.broadcast_to(left.high - right.low, rows.size)]


def _root(at_1: Floats, at_2: Floats, at_4: Floats) -> Floats:
    """Where a difference is zero that is a + b x or a + b / x, from its values at x = 1, 2 and 4; NaN: nowhere."""
    with np.errstate(all="ignore"):
        straight = np.isclose(at_4 - at_2, 2 * (at_2 - at_1), rtol=1e-9, atol=1e-9)
        inverse = np.isclose(at_1 - at_2, 2 * (at_2 - at_4), rtol=1e-9, atol=1e-9)
        if not (straight | inverse | ~np.isfinite(at_1 + at_2 + at_4)).all():
            raise _product()
        of_straight = 1 - at_1 / (at_2 - at_1)
        # a + b / x has b = 2 (at_1 - at_2), and a = at_1 - b.
        b = 2 * (at_1 - at_2)
        of_inverse = b / (b - at_1)
    root = np.where(straight, of_straight, of_inverse)
    return np.where(np.isfinite(root), root, np.nan)


def _line(at_1: Floats, at_2: Floats, at_4: Floats) -> tuple[Floats, Floats]:
    """A line from its values at 1, 2 and 4: the value at 0, and the slope."""
    slope = at_2 - at_1
    straight = np.isclose(at_4 - at_2, 2 * slope, rtol=1e-9, atol=1e-9) | ~np.isfinite(at_1 + at_2 + at_4)
    if not straight.all():
        raise _product()
    return at_1 - slope, slope


def _product() -> CriteriaError:
    return CriteriaError(
        "a rule multiplies counts, which cannot be evaluated for censored counts; "
        "rewrite the rule without the product, or supply exact counts."
    )


def _censored(values: Numbers) -> Bools:
    """Where only a bound is known."""
    censored: Bools = values.low < values.high
    return censored


def _with_values(counts: Numbers, rows: Ints, values: Floats) -> Numbers:
    """The counts with these values in these rows."""
    low, high = counts.low.copy(), counts.high.copy()
    low[rows] = high[rows] = values
    return with_bounds(low, high)
