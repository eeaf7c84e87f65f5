"""Answers: what the page asks of the engine, and what it is told, as plain data that JSON can hold.

Nothing here knows of a server. A patient comes as a line of the notation and goes back as its entries.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from itp_response.authoring.check import worked_examples
from itp_response.authoring.describe import CHECKED
from itp_response.classification.classification import Classification, classify
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import ColumnDeclared
from itp_response.cohort.notation import FARTHEST, cohort_of, count_text, entries_of, timeline_of
from itp_response.cohort.values import NO_DAY, Numbers
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load, shipped
from itp_response.definitions.schema import WorkedExample
from itp_response.evaluation.evaluate import patient_days_of as rows_of
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import numbers
from itp_response.evaluation.rules.in_words import tree_in_words
from itp_response.evaluation.rules.tree import And, Name, Not, Or, Relation, Rule, Tree, leaves, names_in
from itp_response.evaluation.rules.tree import opened as opened_tree
from itp_response.explanation.ask import PATIENT
from itp_response.explanation.clause_results import cell, clause_results_of
from itp_response.explanation.explain import Explanation, explain
from itp_response.explanation.one_patient import unknown_patient
from itp_response.messages.errors import ItpResponseError, UsageError, unknown
from itp_response.teaching.quiz import quiz

LONGEST = 20_000
"""Letters of a timeline."""
AT_ONCE = 5
"""So many questions are made at a time."""
LISTED = 50
"""So many patients of a file are listed at a time."""


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Under(Strict):
    """A set of criteria under some of its interpretations."""

    criteria: str
    interpretations: tuple[str, ...] = ()


class ShownSet(Under):
    """Of such a set the endpoint that is shown with all its clauses; the first, if none is named."""

    endpoint: str | None = None


class PatientRequest(Strict):
    """One patient, and the sets that are to decide on him: one, or two side by side."""

    timeline: str = Field(max_length=LONGEST)
    baseline: str | None = None
    discontinued: int | None = Field(default=None, ge=-FARTHEST, le=FARTHEST)
    day_0: date | None = None
    patient: dict[str, str] = Field(default_factory=dict)
    sets: tuple[ShownSet, ...] = Field(min_length=1, max_length=2)


@dataclass
class Desk:
    """What a page has before it: the shipped sets, perhaps one of the user's own, perhaps the patients of a study."""

    first: Criteria
    """The set shown first."""
    study: Cohort | None = None
    sets: dict[str, Criteria] = field(init=False)

    def __post_init__(self) -> None:
        self.sets = {self.first.name: self.first, **{name: load(name) for name in shipped() if name != self.first.name}}

    def criteria(self, under: Under) -> Criteria:
        """A set under interpretations.

        Raises `UsageError` for a name that is not on the page: it opens no files.
        """
        if under.criteria not in self.sets:
            raise UsageError(unknown("criteria", under.criteria, self.sets))
        base = self.sets[under.criteria]
        return base.under(*under.interpretations) if under.interpretations else base


# THE SETS


def listed(desk: Desk) -> dict[str, Any]:
    """The sets by name and title, which is shown first, and how many patients of a file there are."""
    return {
        "first": desk.first.name,
        "sets": [{"name": one.name, "title": one.title} for one in desk.sets.values()],
        "study": None if desk.study is None else {"source": desk.study.source, "patients": len(desk.study)},
    }


def opened(desk: Desk, name: str) -> dict[str, Any]:
    """A set: its source, its criteria, its interpretations, the columns it declares, and its worked examples as a gallery."""
    criteria = desk.criteria(Under(criteria=name))
    file = criteria.file
    return {
        "name": criteria.name,
        "title": criteria.title,
        "source": file.source.model_dump(),
        "checked": CHECKED[file.checked],
        "verified": file.checked != "unverified",
        "day_0": file.clock.day_0,
        "visits": list(file.clock.visits),
        "criteria": [
            {"name": name, "label": model.label, "says": model.says, "role": model.role}
            for name, model in criteria.endpoints.items()
        ],
        "interpretations": [
            {"id": one.id, "about": one.about, "question": one.question, "assumed": one.assumed}
            for one in file.interpretation
            if one.change
        ],
        "columns": [
            {"name": name, "type": column.type, "table": column.table} for name, column in file.columns.items()
        ],
        "rescues": {name: list(names) for name, names in file.rescues.items()},
        "examples": _gallery(criteria),
    }


def _gallery(criteria: Criteria) -> list[dict[str, Any]]:
    cases = criteria.file.example
    if not cases:
        return []
    cohort = worked_examples(criteria, cases)
    values = _values(classify(cohort, criteria=criteria))
    return [
        {"name": case.name, "because": case.because, **_case(case), "sketch": sketch, "values": one}
        for case, sketch, one in zip(cases, _sketches(cohort), values, strict=True)
    ]


def _case(case: WorkedExample) -> dict[str, Any]:
    return {
        "timeline": case.timeline,
        "baseline": None if case.baseline is None else _written(case.baseline),
        "discontinued": case.treatment_discontinued,
        "day_0": None if case.day_0 is None else case.day_0.isoformat(),
        "patient": {name: _written(value) for name, value in case.patient.items()},
    }


def _sketches(cohort: Cohort) -> list[dict[str, Any]]:
    """Of each patient what a small drawing shows: the counts with their days, the days of bleeding and of rescue."""
    bled, counted = cohort.bleeding_grade > 0, ~np.isnan(cohort.platelets.low)
    lowest = np.where(np.isfinite(cohort.platelets.high), cohort.platelets.high, cohort.platelets.low)
    sketches = []
    for begin, end in pairwise(cohort.first_row.tolist()):
        day, part = cohort.day[begin:end], slice(begin, end)
        counts = zip(day[counted[part]].tolist(), lowest[part][counted[part]].round(1).tolist(), strict=True)
        sketches.append(
            {
                "counts": [list(pair) for pair in counts],
                "bleeds": day[bled[part]].tolist(),
                "rescues": day[cohort.rescue[part]].tolist(),
            }
        )
    return sketches


def _written(value: float | str | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:.12g}"


def _values(classification: Classification) -> list[dict[str, str]]:
    """Of each patient the value of each endpoint."""
    columns = {
        name: np.array(verdict.labels)[verdict.value].tolist() for name, verdict in classification.verdicts.items()
    }
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _entries(timeline: str, visits: Sequence[int], declared: Mapping[str, ColumnDeclared]) -> list[dict[str, Any]]:
    """The entries of a line as the page keeps them: what is not given is empty."""
    return [
        {
            "day": entry.day,
            "count": count_text(*entry.platelets),
            "bleed": "?" if np.isnan(entry.bleeding_grade) else f"{entry.bleeding_grade:g}",
            "rescue": entry.rescue,
            "rescue_to": entry.rescue_end if entry.rescue else entry.day,
            "rescue_name": entry.rescue_name,
            "columns": {name: entry.columns[name] for name in declared if name in entry.columns},
        }
        for entry in entries_of(timeline, visits, declared)
    ]


# ONE PATIENT


def decided(desk: Desk, asked: PatientRequest) -> dict[str, Any]:
    """The entries of the patient's line, and what each of the sets says of him.

    A set that cannot decide on him says why, as `error`, and hinders the other not.
    Raises `CohortError` where the line cannot be read, `UsageError` for a set or interpretation that is not there.
    """
    sets, declared = _sets(desk, asked)
    cohort = _cohort(asked, sets, declared)
    return {
        "entries": _entries(asked.timeline, sets[0].file.clock.visits, declared),
        "sets": [_of_set(one, shown, cohort) for one, shown in zip(sets, asked.sets, strict=True)],
    }


def turning(desk: Desk, asked: PatientRequest) -> dict[str, Any]:
    """What would turn the verdict that each of the sets shows, in sentences; it takes longer than the verdicts."""
    sets, declared = _sets(desk, asked)
    cohort = _cohort(asked, sets, declared)
    return {"turns": [_turns(one, shown, cohort) for one, shown in zip(sets, asked.sets, strict=True)]}


def _sets(desk: Desk, asked: PatientRequest) -> tuple[list[Criteria], dict[str, ColumnDeclared]]:
    """The sets, and the columns that one or the other declares, which may stand in the line."""
    sets = [desk.criteria(shown) for shown in asked.sets]
    return sets, {name: column for one in reversed(sets) for name, column in one.file.columns.items()}


def _cohort(asked: PatientRequest, sets: list[Criteria], declared: Mapping[str, ColumnDeclared]) -> Cohort:
    """The patient; what is said of columns that no set declares any more is left to the page to keep."""
    return cohort_of(
        [asked.timeline],
        visits=sets[0].file.clock.visits,
        ids=[PATIENT],
        baseline=[asked.baseline or None],
        treatment_discontinued=[asked.discontinued],
        day_0=[asked.day_0],
        columns=declared,
        patient=[{name: value for name, value in asked.patient.items() if name in declared and value != ""}],
    )


def _turns(criteria: Criteria, shown: ShownSet, cohort: Cohort) -> list[str]:
    try:
        found = classify(cohort, criteria=criteria, threads=1)
        (explanation,) = explain(found, patient=PATIENT, endpoint=_endpoint(criteria, shown))
    except ItpResponseError:
        return []  # that it cannot be decided is said with the verdicts
    return list(explanation.counterfactuals_in_words)


def _endpoint(criteria: Criteria, shown: ShownSet) -> str:
    """The one that is shown; an interpretation may have taken it out."""
    names = criteria.endpoints
    return shown.endpoint if shown.endpoint in names else next(iter(names))


def _of_set(criteria: Criteria, shown: ShownSet, cohort: Cohort) -> dict[str, Any]:
    named = {"name": criteria.name, "title": criteria.title, "interpretations": list(shown.interpretations)}
    name = _endpoint(criteria, shown)
    try:
        found = classify(cohort, criteria=criteria, threads=1)
        (explanation,) = explain(found, patient=PATIENT, endpoint=name, counterfactuals=False)
    except ItpResponseError as error:
        return {**named, "error": str(error)}
    rows = rows_of(criteria, cohort, 0, 1)
    lamps = clause_results_of(found, name)
    (verdict,) = lamps["verdicts"]
    values, said = _values(found)[0], {one: _said(found, one)[0] for one in criteria.endpoints}
    return {
        **named,
        "baseline": lamps["patient"]["baseline"],
        "days": [one["day"] for one in lamps["observations"]],
        "verdicts": [
            {"endpoint": one, "label": model.label, "value": values[one], "said": said[one]}
            for one, model in criteria.endpoints.items()
        ],
        "shown": {
            **verdict,
            "rules": [
                _straight(rule, getattr(criteria.endpoints[name], rule["key"]).tree) for rule in verdict["rules"]
            ],
            "says": criteria.endpoints[name].says,
            "explained": _explained(explanation),
            "thresholds": list(_thresholds(criteria.endpoints[name], rows)),
        },
    }


def _straight(rule: dict[str, Any], tree: Tree) -> dict[str, Any]:
    """The rule with its clauses as they stand in it: one behind a `not` is turned, with its truths."""
    turned = dict(reversed(list(_turned(tree, False))))
    clauses = [
        {
            "words": clause["otherwise"] if turned[leaf] else clause["words"],
            "at": [None if one is None else one != turned[leaf] for one in clause["at"]],
        }
        for leaf, clause in zip(dict.fromkeys(leaves(tree)), rule["clauses"], strict=True)
    ]
    return {**rule, "clauses": clauses}


def _turned(tree: Tree, behind: bool) -> Iterator[tuple[Tree, bool]]:
    """Each clause, and whether it stands behind a `not`."""
    match opened_tree(tree):
        case Not(part=part):
            yield from _turned(part, not behind)
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from _turned(part, behind)
        case leaf:
            yield leaf, behind


def _explained(explanation: Explanation) -> dict[str, Any]:
    return {
        "lines": [{"day": row.day, "seen": row.observed, "means": row.means} for row in explanation.rows],
        "further": [text for text in (explanation.origin, explanation.length, *explanation.rests_on) if text],
        "missing": explanation.missing,
    }


def _thresholds(model: Any, patient_days: PatientDays) -> Iterator[dict[str, Any]]:
    """The numbers that counts are compared with, of this patient, and the comparison in words."""
    for key in type(model).model_fields:
        rule = getattr(model, key)
        for leaf in leaves(rule.tree) if isinstance(rule, Rule) else ():
            other = _compared(leaf)
            if other is None or not set(names_in(other)) <= {"baseline"}:
                continue
            value = _first(numbers(other, patient_days))
            if value is not None:
                yield {"value": value, "words": tree_in_words(leaf)}


def _compared(leaf: Tree) -> Tree | None:
    """What a clause compares the count with; None if it does not."""
    match leaf:
        case Relation(left=Name(name="platelets"), right=other) | Relation(left=other, right=Name(name="platelets")):
            return other
    return None


def _first(found: Numbers) -> float | None:
    """The number, the same at all rows; None where it is not known or only as a bound."""
    low, high = np.atleast_1d(found.low), np.atleast_1d(found.high)
    if not len(low) or low[0] != high[0] or not math.isfinite(low[0]):
        return None
    return float(low[0])


# THE QUIZ


class Quizzed(Strict):
    """Questions about a set: others for another seed."""

    criteria: str
    seed: int = Field(default=0, ge=0, le=2**31)
    hard: bool = False


def questions(desk: Desk, quizzed: Quizzed) -> dict[str, Any]:
    """A few questions with their answers, what decides each, and the small drawing of its timeline.

    Raises `UsageError` where there are no hard questions about the set.
    """
    criteria = desk.criteria(Under(criteria=quizzed.criteria))
    found = quiz(criteria, seed=quizzed.seed, number=AT_ONCE, hard=quizzed.hard)
    if not found:
        return {"questions": []}
    lines = [one.timeline for one in found]
    cohort = cohort_of(lines, visits=criteria.file.clock.visits, columns=criteria.file.columns)
    return {
        "questions": [
            {**asdict(one), "says": criteria.endpoints[one.endpoint].says, "sketch": sketch}
            for one, sketch in zip(found, _sketches(cohort), strict=True)
        ]
    }


# WHO CHANGES


def changes(desk: Desk, under: Under) -> dict[str, Any]:
    """The worked examples of a set whose verdict on an endpoint, or its day, is another under these interpretations."""
    base, other = desk.criteria(Under(criteria=under.criteria)), desk.criteria(under)
    cases = base.file.example
    if not cases:
        return {"of": 0, "changes": []}
    cohort = worked_examples(base, cases)
    before = classify(cohort, criteria=base)
    try:
        after = classify(cohort, criteria=other)
    except ItpResponseError as error:
        return {"of": len(cases), "changes": [], "error": str(error)}
    found = [
        {"example": case.name, "because": case.because, "endpoint": name, "from": one, "to": two}
        for name in base.endpoints
        if name in other.endpoints
        for case, one, two in zip(cases, _said(before, name), _said(after, name), strict=True)
        if one != two
    ]
    return {"of": len(cases), "changes": found}


def _said(classification: Classification, name: str) -> list[str]:
    """Of each patient the value and its day, `Y on day 28`; without a day, the value."""
    verdict = classification.verdicts[name]
    days = classification.days_of(verdict.dated).tolist()
    values = np.array(verdict.labels)[verdict.value].tolist()
    return [value if day == NO_DAY else f"{value} on day {day}" for value, day in zip(values, days, strict=True)]


# THE PATIENTS OF A FILE


def patients(desk: Desk, part: str) -> dict[str, Any]:
    """The first patients of the file whose ids hold that part, and how many there are."""
    study = _study(desk)
    found = study.id.filter(study.id.str.contains(part, literal=True))
    return {"ids": found.head(LISTED).to_list(), "found": len(found), "of": len(study)}


def patient(desk: Desk, patient_id: str) -> dict[str, Any]:
    """A patient of the file as entries, and what of him no line can say or was taken as it is not known.

    Raises `UsageError` if there is none of that id.
    """
    study = _study(desk)
    position = study.position(patient_id)
    if position is None:
        raise UsageError(unknown_patient(study, patient_id))
    line, unsaid = timeline_of(study, position)
    baseline, stopped = study.baseline, study.treatment_discontinued[position]
    if study.partial is not None and position in study.partial.patient:
        unsaid.append("Dates of which only a part is known are shown as the first day they may be.")
    return {
        "name": patient_id,
        "timeline": line,
        "baseline": count_text(float(baseline.low[position]), float(baseline.high[position])) or None,
        "discontinued": int(stopped) if math.isfinite(stopped) else None,
        "day_0": None if np.isnat(study.day_0[position]) else str(study.day_0[position]),
        "patient": {
            name: _written(value)
            for name, column in study.patient_columns.items()
            if (value := cell(column, position)) is not None
        },
        "unsaid": unsaid,
    }


def _study(desk: Desk) -> Cohort:
    if desk.study is None:
        raise UsageError("there are no patients: no file was given; start with itp-response teach FILE.")
    return desk.study
