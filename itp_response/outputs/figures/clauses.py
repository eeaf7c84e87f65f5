"""Clauses: what a set of criteria compares counts with, and where it takes rescue to spoil them; for the pictures."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import Observations, Patients
from itp_response.cohort.texts import count_in_words
from itp_response.cohort.values import Bools, Numbers, Texts, exactly
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import decide, numbers
from itp_response.evaluation.rules.in_words import tree_in_words
from itp_response.evaluation.rules.tree import SINCE, Constant, Name, Relation, Rule, Tree, leaves, names_in, opened
from itp_response.outputs.figures.responses import rests_on

COUNT = Name("platelets", "number")
STATES = ("when", "closed_by")
"""Keys whose rules say what a count must be."""
SPOILED = ("discount", "set_aside")
"""Keys whose rules say where a count is no evidence."""


@dataclass(frozen=True)
class Threshold:
    """A number that clauses compare a patient's counts with."""

    low: float
    high: float
    """Apart where it comes from a baseline that is only a bound."""
    words: str
    """How it is reckoned, `twice the baseline`; empty for a plain number."""
    criteria: tuple[str, ...]

    @property
    def text(self) -> str:
        """`30`; `twice the baseline: 34`."""
        number = count_in_words(self.low, self.high)
        return f"{self.words}: {number}" if self.words else number


def rules_of(model: Any, keys: Iterable[str]) -> Iterator[Rule]:
    """The rules over rows that stand under these keys of an endpoint."""
    for key in keys:
        rule = getattr(model, key, None)
        if isinstance(rule, Rule) and model.kind != "combined":
            yield rule


def thresholds(criteria: Criteria, names: Iterable[str], patient_days: PatientDays) -> list[Threshold]:
    """What these criteria compare the counts of the one patient of `rows` with, from the highest down.

    Numbers reckoned from a baseline that is not known are left out.
    """
    found: dict[tuple[str, float, float], list[str]] = {}
    for name in names:
        for rule in rules_of(criteria.endpoints[name], STATES):
            for side in compared_with_counts(rule.tree):
                based = "baseline" in names_in(side)
                values = numbers(side, patient_days)
                low, high = (float(part.flat[0]) if part.size else np.nan for part in (values.low, values.high))
                if np.isfinite(high):
                    words = tree_in_words(side) if based else ""
                    found.setdefault((words, low, high), []).append(name)
    made = [Threshold(low, high, words, tuple(dict.fromkeys(of))) for (words, low, high), of in found.items()]
    return sorted(made, key=lambda one: -one.high)


def plain_thresholds(criteria: Criteria) -> list[float]:
    """The plain numbers that the set compares counts with, whatever the baseline."""
    return sorted(
        {
            float(one.value)
            for model in criteria.endpoints.values()
            for rule in rules_of(model, STATES)
            for one in map(opened, compared_with_counts(rule.tree))
            if isinstance(one, Constant)
        }
    )


def compared_with_counts(tree: Tree) -> Iterator[Tree]:
    """What the clauses of a rule compare the count with: plain numbers, and those reckoned from the baseline."""
    for leaf in leaves(tree):
        if isinstance(leaf, Relation):
            left, right = opened(leaf.left), opened(leaf.right)
            for one, other in ((left, right), (right, left)):
                if one == COUNT and set(names_in(other)) <= {"baseline"}:
                    yield other


def spoiled_by_rescue(criteria: Criteria, names: Iterable[str], cohort: Cohort) -> list[tuple[float, float]]:
    """The days (first, last) on which rescue makes a count no evidence for some of these criteria, of one patient.

    The criteria's own rules are asked about each day from the first course to the last observation.
    """
    if not len(cohort.courses.row):
        return []
    rules = [
        rule
        for name in names
        for rule in rules_of(criteria.endpoints[name], SPOILED)
        if any(one in ("rescue", *criteria.rescues) or one.startswith(SINCE) for one in names_in(rule.tree))
        and not {"platelets", "bleeding_grade"} & set(names_in(rule.tree))
    ]
    days, rows = _every_day(criteria, cohort)
    spoiled: Bools = np.zeros(len(days), dtype=np.bool_)
    for rule in rules:
        spoiled |= decide(rule.tree, rows).true
    turns = np.flatnonzero(np.diff(np.concatenate([[False], spoiled, [False]]).astype(np.int8)))
    return [(float(days[begin]), float(days[end - 1])) for begin, end in turns.reshape(-1, 2).tolist()]


def _every_day(criteria: Criteria, cohort: Cohort) -> tuple[Any, PatientDays]:
    """A patient's days from his first rescue on, each a row with nothing observed but the courses."""
    begins = cohort.day[cohort.courses.row]
    last = max(int(cohort.day[-1]), int(cohort.courses.last.max()))
    plain = np.arange(int(begins.min()), last + 1)
    day = np.concatenate([plain, begins])
    names = cohort.courses.name
    patients = Patients(
        id=cohort.id,
        baseline=cohort.baseline,
        treatment_discontinued=cohort.treatment_discontinued,
        columns=cohort.patient_columns,
    )
    made = build(
        patients,
        Observations(
            patient=np.zeros(len(day), dtype=np.int64),
            day=day,
            platelets=exactly(np.full(len(day), np.nan)),
            bleeding_grade=np.full(len(day), np.nan),
            rescue=np.arange(len(day)) >= len(plain),
            rescue_end=np.concatenate([plain, cohort.courses.last]),
            source_row=np.zeros(len(day), dtype=np.int64),
            rescue_name=Texts(np.concatenate([np.full(len(plain), -1), names.codes]).astype(np.int32), names.labels),
        ),
    )
    return plain, patient_days_of(criteria, made, 0, 1)


def baseline_of(patient_days: PatientDays) -> Numbers:
    """The baseline of each patient, given or picked; NaN where there is none."""
    values = patient_days.patient_values("baseline")
    assert isinstance(values, Numbers)
    return values


def evidence(criteria: Criteria, name: str, patient_days: PatientDays) -> Bools:
    """The rows that neither an endpoint nor those it rests on take for no evidence, discounted or set aside."""
    kept: Bools = np.ones(len(patient_days.day), dtype=np.bool_)
    for one in (name, *rests_on(criteria, name)):
        for rule in rules_of(criteria.endpoints[one], SPOILED):
            kept &= decide(rule.tree, patient_days).false
    return kept
