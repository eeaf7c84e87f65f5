"""Limits: what the rules of a criteria set compare the counts, baselines and days of a cohort with."""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import Bools, Floats, Ints, Numbers
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.clock import Length
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.rules.tree import SINCE, Constant, Relation, names_in, opened
from itp_response.explanation.thresholds import clauses_of, linear_comparison, linear_comparisons, names_counts

KEYS_OF_DAYS = ("days", "within", "until", "day", "by", "evidence_by", "followed_from", "visits")
"""Keys of endpoints that hold days."""
KEYS_OF_VISITS = ("visits", "day")
"""Those of them that hold the days for which a count is planned."""


MIRRORED = {">=": "<=", "<=": ">=", ">": "<", "<": ">"}
"""The sign of a comparison in which the count falls as the left side rises."""


class Turns(NamedTuple):
    """Where the comparisons with one limit turn as the count rises."""

    reached: bool
    """One turns as the count reaches the limit."""
    exceeded: bool
    """One turns as the count exceeds it."""


class Limits:
    """What the rules of a set compare the counts, baselines and days of a cohort with.

    Lists of limits have one array per comparison and, where values are censored, per bound of the compared value.
    """

    def __init__(self, criteria: Criteria, cohort: Cohort) -> None:
        self._criteria = criteria
        self._cohort = cohort
        self.comparisons = linear_comparisons(criteria)
        self.baseline: Numbers = patient_days_of(criteria, cohort, 0, len(cohort)).baseline
        """Per patient."""

    @cached_property
    def counted(self) -> Bools:
        """The rows with a count."""
        return ~np.isnan(self._cohort.platelets.low)

    @cached_property
    def step(self) -> Floats:
        """Per patient the smallest step between counts."""
        return count_step(self._cohort)

    @cached_property
    def has_other_comparisons(self) -> bool:
        """Whether a rule compares counts in a way that is not linear."""
        compared = [clause for clause in clauses_of(self._criteria) if names_counts(clause)]
        return any(linear_comparison(clause) is None for clause in compared)

    @property
    def baseline_days(self) -> tuple[float, float]:
        """The first and the last day of the counts that a baseline is made of."""
        return self._criteria.file.baseline.days

    @property
    def baseline_is_mean(self) -> bool:
        """Whether the baseline is the mean of several counts."""
        return self._criteria.file.baseline.pick == "mean"

    @cached_property
    def makes_baseline(self) -> Bools:
        """The rows of which the baseline is made."""
        return makes_baseline(self._criteria, self._cohort)

    @cached_property
    def of_counts(self) -> list[Floats]:
        """Per row the counts at which comparisons of its count change."""
        return [
            comparison.count_limit(edge[self._cohort.patient])
            for comparison in self.comparisons
            if comparison.per_count
            for edge in (_edges(self.baseline) if comparison.per_baseline else [self.baseline.low])
        ]

    @cached_property
    def turns(self) -> list[Turns]:
        """How comparisons turn at each of `of_counts`: all that have this limit."""
        clauses = [clause for clause in clauses_of(self._criteria) if names_counts(clause)]
        compared = [(linear_comparison(clause), clause) for clause in clauses]
        turns = []
        for comparison in self.comparisons:
            signs = {clause.sign for one, clause in compared if one == comparison and isinstance(clause, Relation)}
            if comparison.per_count < 0:
                signs = {MIRRORED.get(sign, sign) for sign in signs}
            turned = Turns(reached=not signs <= {">", "<="}, exceeded=not signs <= {">=", "<"})
            edges = _edges(self.baseline) if comparison.per_baseline else [self.baseline.low]
            turns += [turned] * (len(edges) if comparison.per_count else 0)
        return turns

    @cached_property
    def of_baselines(self) -> list[Floats]:
        """Per row the baselines at which comparisons of its count, or of the baseline alone, change."""
        return [
            comparison.baseline_limit(edge)
            for comparison in self.comparisons
            if comparison.per_baseline
            for edge in (_edges(self._cohort.platelets) if comparison.per_count else [self._cohort.platelets.low])
        ]

    def days(self) -> tuple[Ints, Ints]:
        """The days that the set names, and the lengths of time in days."""
        clock = self._criteria.file.clock
        days: list[float] = [*clock.visits, clock.followed_from]
        lengths: list[float] = []
        for model in self._criteria.endpoints.values():
            # The days of an endpoint that starts from another are counted from it.
            (lengths if model.references().get("from") else days).extend(_named_days(model))
            values = vars(model).values()
            lengths += [value.number for value in values if isinstance(value, Length) and value.unit == "days"]
        return _whole_days(days), _whole_days(lengths)

    def washouts(self) -> Ints:
        """The numbers of days since a rescue treatment that rules compare with, and the next day of each."""
        compared = [
            side.value
            for clause in map(opened, clauses_of(self._criteria))
            if isinstance(clause, Relation) and any(name.startswith(SINCE) for name in names_in(clause))
            for side in (clause.left, clause.right)
            if isinstance(side, Constant)
        ]
        return _whole_days([length + further for length in compared for further in (0, 1)])


def count_step(cohort: Cohort) -> Floats:
    """Per patient the smallest step between counts: 0.1 where an exact count has a decimal, else 1."""
    counts = cohort.platelets
    with_decimal = (counts.high == counts.low) & (counts.low % 1 != 0)
    has_decimals = np.zeros(len(cohort), dtype=np.bool_)
    has_decimals[cohort.patient[with_decimal]] = True
    return np.where(has_decimals, 0.1, 1.0)


def makes_baseline(criteria: Criteria, cohort: Cohort) -> Bools:
    """The rows of which a patient's baseline is made."""
    first, last = criteria.file.baseline.days
    given = ~np.isnan(cohort.baseline.low)[cohort.patient]
    return ~np.isnan(cohort.platelets.low) & (cohort.day >= first) & (cohort.day <= last) & ~given


def planned_days(criteria: Criteria, name: str) -> Ints:
    """The days on which a set plans a count for an endpoint: the endpoint's own, else those of all."""
    model = criteria.endpoints[name]
    # The days of an endpoint that starts from another are counted from it.
    own = [] if model.references().get("from") else _named_days(model, KEYS_OF_VISITS)
    return _whole_days(own or list(criteria.file.clock.visits))


def _named_days(model: object, keys: Sequence[str] = KEYS_OF_DAYS) -> list[float]:
    """The days that an endpoint names under these keys; a key holds one or several."""
    days: list[float] = []
    for key in keys:
        value = getattr(model, key, None)
        days += [day for day in (value if isinstance(value, tuple) else (value,)) if isinstance(day, int | float)]
    return days


def _whole_days(days: list[float]) -> Ints:
    return np.unique(np.array([day for day in days if np.isfinite(day)], dtype=np.int64))


def _edges(values: Numbers) -> list[Floats]:
    return [values.low] if values.exact else [values.low, values.high]
