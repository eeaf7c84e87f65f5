"""Thresholds: the counts at which comparisons turn, found in one way for all that shows, tries or names them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from itp_response.cohort.texts import count_in_words
from itp_response.cohort.values import Column, Floats, Numbers, Truths, exactly
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.rules.decide import numbers
from itp_response.evaluation.rules.in_words import tree_in_words
from itp_response.evaluation.rules.tree import (
    Arithmetic,
    AtRow,
    Constant,
    Name,
    Relation,
    Rule,
    Term,
    Tree,
    leaves,
    names_in,
    opened,
    other_rows_in,
)

COUNT = Name("platelets", "number")
NO_LIMIT = 30.0
"""10⁹/L; stands for the limits of a set that compares counts with nothing: the limit of response in most trials."""


@dataclass(frozen=True)
class LinearComparison:
    """A comparison as the sum `start + per_count * count + per_baseline * baseline`, which is 0 at the limit.

    The limits that it gives are unknown (NaN) where the value that they rest on is unknown.
    """

    start: float
    per_count: float
    per_baseline: float

    def count_limit(self, baseline: Floats) -> Floats:
        """The count at which the comparison changes, for each baseline."""
        of_baseline = self.per_baseline * baseline if self.per_baseline else np.zeros(len(baseline))
        return -(self.start + of_baseline) / self.per_count

    def baseline_limit(self, count: Floats) -> Floats:
        """The baseline at which the comparison changes, for each count."""
        of_count = self.per_count * count if self.per_count else np.zeros(len(count))
        return -(self.start + of_count) / self.per_baseline


@dataclass(frozen=True)
class Threshold:
    """A number with which clauses compare a patient's counts."""

    low: float
    high: float
    """The two differ where the threshold comes from a censored baseline."""
    words: str
    """How it is calculated, `twice the baseline`; empty for a plain number."""
    endpoints: tuple[str, ...]
    clauses: tuple[str, ...]
    """The comparisons, in words."""

    @property
    def text(self) -> str:
        """`30`; `twice the baseline: 34`."""
        number = count_in_words(self.low, self.high)
        return f"{self.words}: {number}" if self.words else number


@dataclass(frozen=True)
class _Compared:
    """A comparison with a count that an endpoint makes."""

    endpoint: str
    clause: str
    """The comparison in words."""
    words: str
    """How its limit is calculated; empty for a plain number."""
    low: list[float]
    high: list[float]
    """The limits for each of some baselines."""


def thresholds(criteria: Criteria, names: Iterable[str], baseline: Numbers) -> Iterator[list[Threshold]]:
    """The thresholds of these endpoints for each baseline, from the highest down.

    Thresholds that depend on an unknown baseline are left out.
    """
    compared = list(_compared(criteria, names, baseline))
    for position in range(len(baseline.low)):
        clauses: dict[tuple[str, float, float], list[_Compared]] = {}
        for one in compared:
            if np.isfinite(one.high[position]):
                clauses.setdefault((one.words, one.low[position], one.high[position]), []).append(one)
        found = [
            Threshold(
                low,
                high,
                words,
                tuple(dict.fromkeys(one.endpoint for one in alike)),
                tuple(dict.fromkeys(one.clause for one in alike)),
            )
            for (words, low, high), alike in clauses.items()
        ]
        yield sorted(found, key=lambda threshold: -threshold.high)


def _compared(criteria: Criteria, names: Iterable[str], baseline: Numbers) -> Iterator[_Compared]:
    """The linear comparisons with counts that these endpoints make, with their limits for each baseline."""
    for name in names:
        for leaf in (leaf for rule in criteria.endpoints[name].count_rules() for leaf in leaves(rule.tree)):
            comparison = linear_comparison(leaf)
            if comparison is not None and comparison.per_count:
                edges = [comparison.count_limit(edge) for edge in (baseline.low, baseline.high)]
                words = _other_side(leaf) if comparison.per_baseline else ""
                low, high = np.sort(edges, axis=0).tolist()
                yield _Compared(name, tree_in_words(leaf), words, low, high)


def plain_thresholds(criteria: Criteria) -> list[float]:
    """The thresholds of a set that do not depend on the baseline."""
    rules = [rule for model in criteria.endpoints.values() for rule in model.count_rules()]
    compared = [linear_comparison(leaf) for rule in rules for leaf in leaves(rule.tree)]
    plain = [one for one in compared if one is not None and one.per_count and not one.per_baseline]
    return sorted({float(one.count_limit(np.zeros(1))[0]) for one in plain})


def _other_side(leaf: Tree) -> str:
    """What a comparison sets against the count, in words; the whole comparison where the count stands not alone."""
    assert isinstance(leaf, Relation)
    sides = (leaf.left, leaf.right) if opened(leaf.right) == COUNT else (leaf.right, leaf.left)
    return tree_in_words(sides[0] if opened(sides[1]) == COUNT else leaf)


def limits_of(criteria: Criteria, baseline: float) -> list[float]:
    """The counts above 1 that a set compares counts with, for this baseline, in order; 30 where there is none.

    >>> from itp_response.definitions.load import load
    >>> limits_of(load("atra_2022"), 20)
    [30.0, 40.0, 100.0]
    """
    of_count = [_seen_as(clause, COUNT) for clause in clauses_of(criteria) if names_counts(clause)]
    return _limits(of_count, baseline) or [NO_LIMIT]


def limits_beside(criteria: Criteria, baseline: float, counts: Iterable[float]) -> list[float]:
    """The counts above 1 at which comparisons with a count of another row change, where that is one of these counts."""
    compared = [clause for clause in clauses_of(criteria) if names_counts(clause) and other_rows_in(clause)]
    return _limits([_seen_as(clause, Constant(count)) for clause in compared for count in counts], baseline)


def _limits(clauses: Iterable[Tree], baseline: float) -> list[float]:
    """The counts above 1 at which linear comparisons change, for this baseline, in order."""
    comparisons = [comparison for clause in clauses if (comparison := linear_comparison(clause)) is not None]
    edge = np.array([baseline])
    limits = {float(comparison.count_limit(edge)[0]) for comparison in comparisons if comparison.per_count}
    return sorted(limit for limit in limits if limit > 1)


def _seen_as(tree: Tree, count: Tree) -> Tree:
    """A comparison with that in the place of the counts of other rows."""
    match tree:
        case AtRow(name="platelets"):
            return count
        case Term(body=body):
            return _seen_as(body, count)
        case Arithmetic(sign=sign, left=left, right=right):
            return Arithmetic(sign, _seen_as(left, count), _seen_as(right, count))
        case Relation(sign=sign, left=left, right=right):
            return Relation(sign, _seen_as(left, count), _seen_as(right, count))
    return tree


def linear_comparisons(criteria: Criteria) -> list[LinearComparison]:
    """The linear comparisons of counts and baselines that the rules of a set make, each once."""
    comparisons = [linear_comparison(clause) for clause in clauses_of(criteria) if names_counts(clause)]
    return list(dict.fromkeys(comparison for comparison in comparisons if comparison is not None))


def clauses_of(criteria: Criteria) -> list[Tree]:
    """The clauses of all rules of a set, each once."""
    values = [value for model in criteria.endpoints.values() for value in vars(model).values()]
    rules = [value for value in values if isinstance(value, Rule)]
    return list(dict.fromkeys(leaf for rule in rules for leaf in leaves(rule.tree)))


def names_counts(clause: Tree) -> bool:
    """Whether a clause names a count or the baseline."""
    return bool({"platelets", "baseline"} & set(names_in(clause)))


class _Points:
    """Four pairs of a count and a baseline: three that give the factors of a linear comparison, and one to check it."""

    COUNTS = np.array([0.0, 1, 0, 3])
    BASELINES = np.array([0.0, 0, 1, 5])

    def __init__(self) -> None:
        self.decided: dict[Tree, Truths] = {}

    def values(self, name: str | AtRow) -> Column:
        return exactly(self.COUNTS if name == "platelets" else self.BASELINES)


def linear_comparison(clause: Tree) -> LinearComparison | None:
    """A clause as a linear comparison; None where it is not one."""
    if not isinstance(clause, Relation) or not set(names_in(clause)) <= {"platelets", "baseline"}:
        return None
    if other_rows_in(clause):
        return None
    points = _Points()
    left, right = (numbers(side, points).low + np.zeros(4) for side in (clause.left, clause.right))
    start, at_count, at_baseline, check = (left - right).tolist()
    per_count, per_baseline = at_count - start, at_baseline - start
    if check != start + 3 * per_count + 5 * per_baseline:
        return None
    return LinearComparison(start, per_count, per_baseline)
