"""Sets: what the page shows of a criteria set, as plain data for JSON.

That is its source, endpoints and interpretations, its worked examples as a gallery, and questions about it.
"""

from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np

from itp_response.authoring.check import worked_examples
from itp_response.authoring.search import searched_text
from itp_response.classification.classification import Classification, classify
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.notation import cohort_of
from itp_response.cohort.values import NO_DAY
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.grades import grade
from itp_response.definitions.schema import WorkedExample
from itp_response.messages.errors import ItpResponseError
from itp_response.teaching.page_data import PageData
from itp_response.teaching.quiz import quiz
from itp_response.teaching.requests import QuizRequest, SetRequest

AT_ONCE = 5
"""The number of questions made at a time."""


def sets(data: PageData) -> dict[str, Any]:
    """The sets as they are searched and chosen, the one shown first, and the number of patients of the study."""
    return {
        "first": data.first.name,
        "sets": [_listed(criteria) for criteria in data.sets.values()],
        "study": None if data.study is None else {"source": data.study.source, "patients": len(data.study)},
    }


def _listed(criteria: Criteria) -> dict[str, Any]:
    """A set in a list. `searched` has all texts that name its drug or its trial."""
    file = criteria.file
    source = file.source
    short = file.short or criteria.name
    return {
        "name": criteria.name,
        "short": short,
        "title": criteria.title,
        "registry": source.registry,
        "verified": file.checked != "unverified",
        "searched": f"{searched_text(criteria)} {source.where}",
    }


def details(data: PageData, name: str) -> dict[str, Any]:
    """A set: its source, endpoints, interpretations, declared columns, and its worked examples as a gallery."""
    criteria = data.criteria(SetRequest(criteria=name))
    file = criteria.file
    return {
        "name": criteria.name,
        "short": file.short or criteria.name,
        "title": criteria.title,
        "source": file.source.model_dump(),
        "checked": grade(file),
        "verified": file.checked != "unverified",
        "day_0": file.clock.day_0,
        "visits": list(file.clock.visits),
        "endpoints": [
            {"name": name, "label": model.label, "says": model.says, "role": model.role}
            for name, model in criteria.endpoints.items()
        ],
        "interpretations": [
            {
                "id": interpretation.id,
                "about": interpretation.about,
                "question": interpretation.question,
                "assumed": interpretation.assumed,
            }
            for interpretation in file.interpretation
            if interpretation.change
        ],
        "columns": [
            {"name": name, "type": column.type, "table": column.table} for name, column in file.columns.items()
        ],
        "rescues": {name: list(names) for name, names in file.rescues.items()},
        "examples": _gallery(criteria),
    }


def _gallery(criteria: Criteria) -> list[dict[str, Any]]:
    examples = criteria.file.example
    if not examples:
        return []
    cohort = worked_examples(criteria, examples)
    values = values_of(classify(cohort, criteria=criteria))
    return [
        {"name": example.name, "because": example.because, **_patient(example), "sketch": sketch, "values": own_values}
        for example, sketch, own_values in zip(examples, _sketches(cohort), values, strict=True)
    ]


def _patient(example: WorkedExample) -> dict[str, Any]:
    return {
        "timeline": example.timeline,
        "baseline": None if example.baseline is None else text_of(example.baseline),
        "discontinued": example.treatment_discontinued,
        "day_0": None if example.day_0 is None else example.day_0.isoformat(),
        "patient": {name: text_of(value) for name, value in example.patient.items()},
    }


def _sketches(cohort: Cohort) -> list[dict[str, Any]]:
    """The data of a small drawing of each patient: counts with their days, days of bleeding, days of rescue."""
    bled, counted = cohort.bleeding_grade > 0, ~np.isnan(cohort.platelets.low)
    level = np.where(np.isfinite(cohort.platelets.high), cohort.platelets.high, cohort.platelets.low)
    sketches = []
    for begin, end in pairwise(cohort.first_row.tolist()):
        rows = slice(begin, end)
        day = cohort.day[rows]
        counts = zip(day[counted[rows]].tolist(), level[rows][counted[rows]].round(1).tolist(), strict=True)
        sketches.append(
            {
                "counts": [list(pair) for pair in counts],
                "bleeds": day[bled[rows]].tolist(),
                "rescues": day[cohort.rescue[rows]].tolist(),
            }
        )
    return sketches


def text_of(value: float | str | bool) -> str:
    """A value of a column as a user types it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:.12g}"


def values_of(classification: Classification) -> list[dict[str, str]]:
    """The value of each endpoint, patient by patient."""
    columns = {
        name: np.array(verdict.labels)[verdict.value].tolist() for name, verdict in classification.verdicts.items()
    }
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def results_of(classification: Classification, name: str) -> list[str]:
    """The result of an endpoint for each patient, `Y on day 28`; without a day, the value alone."""
    verdict = classification.verdicts[name]
    days = classification.dated(verdict).tolist()
    values = np.array(verdict.labels)[verdict.value].tolist()
    return [value if day == NO_DAY else f"{value} on day {day}" for value, day in zip(values, days, strict=True)]


def questions(data: PageData, request: QuizRequest) -> dict[str, Any]:
    """A few questions with their answers, what decides each, and a small drawing of the timeline.

    Raises `UsageError` if there are no hard questions about the set.
    """
    criteria = data.criteria(SetRequest(criteria=request.criteria))
    drawn = quiz(criteria, seed=request.seed, number=AT_ONCE, hard=request.hard)
    if not drawn:
        return {"questions": []}
    timelines = [question.timeline for question in drawn]
    cohort = cohort_of(timelines, visits=criteria.file.clock.visits, columns=criteria.file.columns)
    return {
        "questions": [
            {
                **asdict(question),
                "criteria": criteria.name,
                "definition": criteria.file.short or criteria.name,
                "says": criteria.endpoints[question.endpoint].says,
                "in_a_sentence": question.in_a_sentence,
                "sketch": sketch,
            }
            for question, sketch in zip(drawn, _sketches(cohort), strict=True)
        ]
    }


def reclassified(data: PageData, request: SetRequest) -> dict[str, Any]:
    """The worked examples of a set with another result under these interpretations, by endpoint."""
    base, other = data.criteria(SetRequest(criteria=request.criteria)), data.criteria(request)
    examples = base.file.example
    if not examples:
        return {"of": 0, "reclassified": []}
    cohort = worked_examples(base, examples)
    before = classify(cohort, criteria=base)
    try:
        after = classify(cohort, criteria=other)
    except ItpResponseError as error:
        return {"of": len(examples), "reclassified": [], "error": str(error)}
    changes = [
        {"example": example.name, "because": example.because, "endpoint": name, "from": old, "to": new}
        for name in base.endpoints
        if name in other.endpoints
        for example, old, new in zip(examples, results_of(before, name), results_of(after, name), strict=True)
        if old != new
    ]
    return {"of": len(examples), "reclassified": changes}
