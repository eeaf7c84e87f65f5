"""Clauses: what rules say of the counts that a picture shows: after rescue they are no evidence."""

from collections.abc import Iterable, Iterator

import numpy as np

from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import Observations, Patients
from itp_response.cohort.values import NONE, Bools, Numbers, Texts, exactly, ranges
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.tree import SINCE, names_in
from itp_response.outputs.figures.responses import rests_on

Stretches = list[tuple[float, float]]
"""Stretches of days: the first and the last of each."""


def spoiled_by_rescue(criteria: Criteria, names: Iterable[str], cohort: Cohort) -> list[Stretches]:
    """(P) The stretches of days after rescue on which a count is no evidence for some of these endpoints.

    The rules decide on each day from the first rescue course to the last observation.
    """
    spoiled: list[Stretches] = [[] for _ in range(len(cohort))]
    rescued = np.unique(cohort.patient[cohort.courses.row])
    rules = [
        rule
        for endpoint in names
        for rule in criteria.endpoints[endpoint].discounting_rules()
        if any(name in ("rescue", *criteria.rescues) or name.startswith(SINCE) for name in names_in(rule.tree))
        and not {"platelets", "bleeding_grade"} & set(names_in(rule.tree))
    ]
    if rules and len(rescued):
        every_day = _every_day(criteria, cohort.select(rescued))
        is_spoiled: Bools = np.logical_or.reduce([decide(rule.tree, every_day).true for rule in rules])
        for patient, first, last in _stretches(is_spoiled, every_day):
            spoiled[rescued[patient]].append((float(first), float(last)))
    return spoiled


def _stretches(where: Bools, patient_days: PatientDays) -> Iterator[tuple[int, int, int]]:
    """The patient, the first and the last day of each stretch of rows of a patient that are so."""
    # A row that is not so stands before those of each patient, so that no stretch goes on to the next one.
    apart = np.insert(where.astype(np.int8), patient_days.begin, 0)
    begin, end = np.flatnonzero(np.diff(apart, append=0)).reshape(-1, 2).T
    row = np.insert(np.arange(len(where)), patient_days.begin, NONE)
    first, last = row[begin + 1], row[end]
    columns = (patient_days.patient[first], patient_days.day[first], patient_days.day[last])
    yield from zip(*(column.tolist() for column in columns), strict=True)


def _every_day(criteria: Criteria, cohort: Cohort) -> PatientDays:
    """Every day of each patient from the first rescue on, as rows on which only the courses are observed.

    Each patient has a rescue course.
    """
    courses = cohort.courses
    of_course, begins = cohort.patient[courses.row].astype(np.int64), cohort.day[courses.row].astype(np.int64)
    first = begins[np.searchsorted(of_course, np.arange(len(cohort)))]
    last = cohort.day[cohort.first_row[1:] - 1].astype(np.int64)
    np.maximum.at(last, of_course, courses.last)
    of_day, plain = ranges(first, last + 1)
    day = np.concatenate([plain, begins])
    names = courses.name
    patients = Patients(
        id=cohort.id,
        baseline=cohort.baseline,
        treatment_discontinued=cohort.treatment_discontinued,
        columns=cohort.patient_columns,
    )
    daily = build(
        patients,
        Observations(
            patient=np.concatenate([of_day, of_course]),
            day=day,
            platelets=exactly(np.full(len(day), np.nan)),
            bleeding_grade=np.full(len(day), np.nan),
            rescue=np.arange(len(day)) >= len(plain),
            rescue_end=np.concatenate([plain, courses.last]),
            source_row=np.zeros(len(day), dtype=np.int64),
            rescue_name=Texts(np.concatenate([np.full(len(plain), -1), names.codes]).astype(np.int32), names.labels),
        ),
    )
    return patient_days_of(criteria, daily, 0, len(cohort))


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
