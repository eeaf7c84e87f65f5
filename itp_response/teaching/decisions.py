"""Decisions: what one or two criteria sets decide on one patient, as plain data for JSON.

A patient comes as a line of the notation and returns as its entries.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from itp_response.classification.classification import classify
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import ColumnDeclared
from itp_response.cohort.notation import cohort_of, count_text, entries_of
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.rules.tree import Tree, leaves, leaves_denied
from itp_response.explanation.ask import PATIENT
from itp_response.explanation.clause_results import clause_results_of
from itp_response.explanation.explain import Explanation, explain
from itp_response.explanation.thresholds import thresholds
from itp_response.messages.errors import ItpResponseError
from itp_response.teaching.effects import RuleEffects, effects_of
from itp_response.teaching.page_data import PageData
from itp_response.teaching.requests import PatientRequest, ShownSetRequest
from itp_response.teaching.sets import results_of, values_of


def decisions(data: PageData, request: PatientRequest) -> dict[str, Any]:
    """The entries of the patient's line, and the verdicts of each of the sets.

    A set that cannot decide on the patient gives the reason as `error`; the other set decides all the same.
    Raises `CohortError` if the line cannot be read, and `UsageError` for an unknown set or interpretation.
    """
    sets, declared = _sets(data, request)
    cohort = _cohort(request, sets, declared)
    return {
        "entries": _entries(request.timeline, sets[0].file.clock.visits, declared),
        "sets": [_decision(criteria, shown, cohort) for criteria, shown in zip(sets, request.sets, strict=True)],
    }


def counterfactuals(data: PageData, request: PatientRequest) -> dict[str, Any]:
    """The counterfactuals of the endpoint that each of the sets shows, in sentences; slower than the verdicts."""
    sets, declared = _sets(data, request)
    cohort = _cohort(request, sets, declared)
    pairs = zip(sets, request.sets, strict=True)
    return {"counterfactuals": [_counterfactuals(criteria, shown, cohort) for criteria, shown in pairs]}


def _sets(data: PageData, request: PatientRequest) -> tuple[list[Criteria], dict[str, ColumnDeclared]]:
    """The sets, and the columns that they declare, which the line may have."""
    sets = [data.criteria(shown) for shown in request.sets]
    return sets, {name: column for criteria in reversed(sets) for name, column in criteria.file.columns.items()}


def _cohort(request: PatientRequest, sets: list[Criteria], declared: Mapping[str, ColumnDeclared]) -> Cohort:
    """The patient. The page keeps values of columns that no set declares any more; they are left out here."""
    return cohort_of(
        [request.timeline],
        visits=sets[0].file.clock.visits,
        ids=[PATIENT],
        baseline=[request.baseline or None],
        treatment_discontinued=[request.discontinued],
        day_0=[request.day_0],
        columns=declared,
        patient=[{name: value for name, value in request.patient.items() if name in declared and value != ""}],
    )


def _entries(timeline: str, visits: Sequence[int], declared: Mapping[str, ColumnDeclared]) -> list[dict[str, Any]]:
    """The entries of a line as the page keeps them; a value that is not given is empty."""
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


def _counterfactuals(criteria: Criteria, shown: ShownSetRequest, cohort: Cohort) -> list[str]:
    try:
        classification = classify(cohort, criteria=criteria, threads=1)
        (explanation,) = explain(classification, patient=PATIENT, endpoint=_endpoint(criteria, shown))
    except ItpResponseError:
        return []  # the verdicts give the reason
    return list(explanation.counterfactuals_in_words)


def _endpoint(criteria: Criteria, shown: ShownSetRequest) -> str:
    """The endpoint shown; the first one if an interpretation removed it."""
    names = criteria.endpoints
    return shown.endpoint if shown.endpoint in names else next(iter(names))


def _head(criteria: Criteria, shown: ShownSetRequest) -> dict[str, Any]:
    under = list(shown.interpretations)
    return {"name": criteria.name, "definition": criteria.response_definition, "interpretations": under}


def _decision(criteria: Criteria, shown: ShownSetRequest, cohort: Cohort) -> dict[str, Any]:
    head = _head(criteria, shown)
    name = _endpoint(criteria, shown)
    model = criteria.endpoints[name]
    try:
        classification = classify(cohort, criteria=criteria, threads=1)
        (explanation,) = explain(classification, patient=PATIENT, endpoint=name, counterfactuals=False)
    except ItpResponseError as error:
        return {**head, "error": str(error)}
    clause_results = clause_results_of(classification, name)
    (verdict,) = clause_results["verdicts"]
    (values,) = values_of(classification)
    return {
        **head,
        "baseline": clause_results["patient"]["baseline"],
        "days": [observation["day"] for observation in clause_results["observations"]],
        "verdicts": [
            {
                "endpoint": endpoint,
                "label": criteria.endpoints[endpoint].label,
                "value": values[endpoint],
                "result": results_of(classification, endpoint)[0],
            }
            for endpoint in criteria.endpoints
        ],
        "shown": {
            **verdict,
            "is_loss": model.is_lost is not None,
            "rules": [
                _as_written(results, asked.rule.tree, effects)
                for results, asked, effects in zip(
                    verdict["rules"], model.rules(), effects_of(classification, name), strict=True
                )
            ],
            "says": model.says,
            "explained": _explained(explanation),
            "thresholds": _thresholds(criteria, name, cohort),
        },
    }


def _as_written(rule: dict[str, Any], tree: Tree, effects: RuleEffects) -> dict[str, Any]:
    """The rule with its effects, and its clauses as the rule has them: behind a `not` clause and truth are denied."""
    denied = dict(reversed(list(leaves_denied(tree))))
    of_clauses = zip(dict.fromkeys(leaves(tree)), rule["clauses"], effects.clauses, strict=True)
    clauses = [
        {
            "words": clause["otherwise"] if denied[leaf] else clause["words"],
            "at": [None if truth is None else truth != denied[leaf] for truth in clause["at"]],
            "effects": of_clause,
        }
        for leaf, clause, of_clause in of_clauses
    ]
    return {**rule, "effects": effects.rule, "clauses": clauses}


def _explained(explanation: Explanation) -> dict[str, Any]:
    return {
        "parts": [[row.day, row.part] for row in explanation.rows if row.part],
        "lines": [[line.day, line.days, line.observed, line.means] for line in explanation.lines],
        "further": [text for text in (explanation.origin, explanation.length, *explanation.rests_on) if text],
        "missing": explanation.missing,
    }


def _thresholds(criteria: Criteria, name: str, cohort: Cohort) -> list[dict[str, Any]]:
    """The numbers with which clauses compare this patient's counts; none from a censored baseline."""
    (known,) = thresholds(criteria, [name], patient_days_of(criteria, cohort, 0, 1).baseline)
    return [{"value": one.low, "words": words} for one in known if one.low == one.high for words in one.clauses]
