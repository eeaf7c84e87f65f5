"""Clauses: what rules say of the counts that a picture shows: after rescue they are no evidence."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import Observations, Patients
from itp_response.cohort.values import Bools, Numbers, Texts, exactly
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.tree import SINCE, names_in
from itp_response.outputs.figures.responses import rests_on


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
