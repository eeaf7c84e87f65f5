"""Clauses: the thresholds of a criteria set, and the days on which its rules discount counts after rescue."""

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
from itp_response.evaluation.rules.tree import SINCE, Constant, Name, Relation, Tree, leaves, names_in, opened
from itp_response.outputs.figures.responses import rests_on

COUNT = Name("platelets", "number")


@dataclass(frozen=True)
class Threshold:
    """A number with which clauses compare a patient's counts."""

    low: float
    high: float
    """The two differ where the threshold comes from a censored baseline."""
    words: str
    """How it is calculated, `twice the baseline`; empty for a plain number."""
    endpoints: tuple[str, ...]

    @property
    def text(self) -> str:
        """`30`; `twice the baseline: 34`."""
        number = count_in_words(self.low, self.high)
        return f"{self.words}: {number}" if self.words else number


def thresholds(criteria: Criteria, names: Iterable[str], patient_days: PatientDays) -> list[Threshold]:
    """The thresholds of these endpoints for the one patient, from the highest down.

    Thresholds that depend on an unknown baseline are left out.
    """
    endpoints: dict[tuple[str, float, float], list[str]] = {}
    for name in names:
        for rule in criteria.endpoints[name].count_rules():
            for side in compared_with_counts(rule.tree):
                based = "baseline" in names_in(side)
                values = numbers(side, patient_days)
                low, high = (float(part.flat[0]) if part.size else np.nan for part in (values.low, values.high))
                if np.isfinite(high):
                    words = tree_in_words(side) if based else ""
                    endpoints.setdefault((words, low, high), []).append(name)
    unsorted = [
        Threshold(low, high, words, tuple(dict.fromkeys(names))) for (words, low, high), names in endpoints.items()
    ]
    return sorted(unsorted, key=lambda threshold: -threshold.high)


def plain_thresholds(criteria: Criteria) -> list[float]:
    """The thresholds of a set that do not depend on the baseline."""
    return sorted(
        {
            float(side.value)
            for model in criteria.endpoints.values()
            for rule in model.count_rules()
            for side in map(opened, compared_with_counts(rule.tree))
            if isinstance(side, Constant)
        }
    )


def compared_with_counts(tree: Tree) -> Iterator[Tree]:
    """The other side of each comparison with the count: a plain number, or an expression of the baseline."""
    for leaf in leaves(tree):
        if isinstance(leaf, Relation):
            left, right = opened(leaf.left), opened(leaf.right)
            for side, other in ((left, right), (right, left)):
                if side == COUNT and set(names_in(other)) <= {"baseline"}:
                    yield other


def spoiled_by_rescue(criteria: Criteria, names: Iterable[str], cohort: Cohort) -> list[tuple[float, float]]:
    """The stretches of days (first, last) after rescue on which a count is no evidence for some of these endpoints.

    The cohort has one patient. The rules decide on each day from the first rescue course to the last observation.
    """
    if not len(cohort.courses.row):
        return []
    rules = [
        rule
        for endpoint in names
        for rule in criteria.endpoints[endpoint].discounting_rules()
        if any(name in ("rescue", *criteria.rescues) or name.startswith(SINCE) for name in names_in(rule.tree))
        and not {"platelets", "bleeding_grade"} & set(names_in(rule.tree))
    ]
    days, patient_days = _every_day(criteria, cohort)
    spoiled: Bools = np.zeros(len(days), dtype=np.bool_)
    for rule in rules:
        spoiled |= decide(rule.tree, patient_days).true
    edges = np.flatnonzero(np.diff(np.concatenate([[False], spoiled, [False]]).astype(np.int8)))
    return [(float(days[begin]), float(days[end - 1])) for begin, end in edges.reshape(-1, 2).tolist()]


def _every_day(criteria: Criteria, cohort: Cohort) -> tuple[Any, PatientDays]:
    """Every day of the patient from the first rescue on, as rows on which only the courses are observed."""
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
    daily = build(
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
    return plain, patient_days_of(criteria, daily, 0, 1)


def baseline_of(patient_days: PatientDays) -> Numbers:
    """The baseline of each patient, given or chosen from the counts; NaN where there is none."""
    values = patient_days.patient_values("baseline")
    assert isinstance(values, Numbers)
    return values


def evidence(criteria: Criteria, name: str, patient_days: PatientDays) -> Bools:
    """The rows (R) that neither this endpoint nor those it rests on discount or set aside."""
    kept: Bools = np.ones(len(patient_days.day), dtype=np.bool_)
    for endpoint in (name, *rests_on(criteria, name)):
        for rule in criteria.endpoints[endpoint].discounting_rules():
            kept &= decide(rule.tree, patient_days).false
    return kept
