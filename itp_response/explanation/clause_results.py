"""Clause results: every clause of every rule at every observation of one patient, as plain data.

The data can be written as JSON: numbers, texts, lists and dicts. A truth is `True`, `False` or, unknown, `None`.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from itp_response.classification.classification import Classification, CriteriaInput
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import NO_DAY, NONE, Column, Numbers, Texts, Truths
from itp_response.evaluation.endpoints.account import PARTS
from itp_response.evaluation.endpoints.endpoint import AskedRule, Scope, seen_by
from itp_response.evaluation.evaluate import evaluate, patient_days_of
from itp_response.evaluation.other_rows import rows_of_bounds
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import decide, numbers
from itp_response.evaluation.rules.in_words import denied_in_words, tree_in_words, value_at_row
from itp_response.evaluation.rules.tree import (
    Arithmetic,
    AtRow,
    Constant,
    Name,
    Not,
    Or,
    Relation,
    Term,
    Text,
    Tree,
    leaves,
    other_rows_in,
)
from itp_response.evaluation.verdicts import VerdictsByName, reason_in_words
from itp_response.explanation.ask import cohort_asked
from itp_response.messages.errors import UsageError, unknown

EVIDENCE = ("onset", "confirming", "ended")
"""The rows that a verdict rests on."""
ASKED_OF: Mapping[Scope, str] = {"rows": "observations", "patients": "patient", "endpoints": "endpoints"}
"""What a rule is asked of, as it is called here."""


def clause_results(
    timeline: str,
    criteria: CriteriaInput = "atra_2022",
    *,
    endpoint: str | None = None,
    baseline: float | str | None = None,
    treatment_discontinued: int | None = None,
    day_0: date | None = None,
    interpretation: str | Sequence[str] = (),
    columns: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Decide one timeline, with the truth of each clause of each rule at each observation.

    `criteria`, `title`, `checked`: of the set; `interpretations`, the ids of those that it stands under.
    `notes`: what of the timeline was not used as written, a sentence each.
    `patient`: `id`, `baseline` (as used), `treatment_discontinued` (day, or None) and the declared columns.
    `observations`, one per day: `day`, `platelets` (10⁹/L; of a censored count its bounds) and `bleeding_grade`
    (None: not observed), `rescue`, `days_since_rescue` (None: there was none), the declared columns, and `lines`, of a
    timeline the numbers of its entries.
    `verdicts`, in the order of the file: `endpoint`, `label`, `kind`, `needs` (the definition in words), `value`,
    `day`, `reason`, `because` (the reason in words), `onset`, `confirming`, `ended` (the days of its evidence), `days`
    and `of_days` (of a time), `rests_on` (other endpoints), `decided_by` (the one of them that decides it, or None),
    `parts` (what each observation did, a word of `evaluation.endpoints.account.PARTS`) and `rules`.
    Each rule: the `key` it stands under, the `rule` as written, `words`, what it is asked `of` (`observations`, the
    `patient` or `endpoints`), its truth `at` each of these (of a patient and of endpoints one), and its `clauses`: the
    `clause` as written, `words`, `otherwise` (its opposite in words), and its truth `at` the same. A clause that looks
    at other rows has `other_rows`: each `value` as written, its `words`, what it is `at` each observation (None: not
    known; of censored counts its bounds), and the `days` that this comes from.

    Args:
        timeline: The timeline, in the notation of the worked examples: `"d0 15, d22 40 bleed 1, d28 45 rescue ivig"`.
            Days count from day 0, counts are in 10⁹/L. Bleeding that is not mentioned was absent.
        criteria: A shipped criteria set by its name, a criteria file by its path, or a `Criteria`.
        endpoint: The endpoint to answer. None: all of the set.
        baseline: The baseline count, 10⁹/L or a bound such as `"<10"`. None: the baseline that the definition picks
            from the timeline.
        treatment_discontinued: The day on which treatment was discontinued. None: it was not.
        day_0: The date of day 0, which a set with calendar months needs. None: not known.
        interpretation: The id of an interpretation of the set to decide under, or several ids.
        columns: The values of the patient columns that the set declares; one that is not given is empty.

    Returns:
        The data described above, ready for JSON.

    Raises:
        CohortError: An entry cannot be read (the error has its position), or a column is unknown or has a value of
            another type.
        CriteriaError: The criteria cannot be used, or the interpretation is unknown.
        UsageError: The endpoint is unknown.

    Examples:
        >>> (verdict,) = clause_results("d0 15, d22 40, d28 <45", endpoint="OR")["verdicts"]
        >>> rules = {rule["key"]: rule for rule in verdict["rules"]}
        >>> verdict["value"], rules["when"]["at"]
        ('NE', [False, True, None])
    """
    definitions, cohort = cohort_asked(
        timeline,
        criteria,
        baseline=baseline,
        treatment_discontinued=treatment_discontinued,
        day_0=day_0,
        interpretation=interpretation,
        columns=columns,
    )
    verdicts = evaluate(definitions, cohort, threads=1)
    return clause_results_of(Classification(definitions, cohort, verdicts), endpoint)


def clause_results_of(classification: Classification, endpoint: str | None = None) -> dict[str, Any]:
    """The same of a classification of one patient."""
    criteria, cohort = classification.criteria, classification.cohort
    if endpoint is not None and endpoint not in criteria.endpoints:
        raise UsageError(unknown("endpoint", endpoint, criteria.endpoints))
    patient_days = patient_days_of(criteria, cohort, 0, 1)
    names = criteria.endpoints if endpoint is None else [endpoint]
    return {
        "criteria": criteria.name,
        "title": criteria.title,
        "checked": criteria.file.checked,
        "interpretations": list(criteria.interpretations),
        "notes": [note.text for note in cohort.notes],
        "patient": _patient(cohort, patient_days),
        "observations": [_observation(cohort, row) for row in range(len(cohort.day))],
        "verdicts": [_verdict(classification, patient_days, name) for name in names],
    }


def _patient(cohort: Cohort, patient_days: PatientDays) -> dict[str, Any]:
    columns = {name: cell(column, 0) for name, column in cohort.patient_columns.items()}
    return {
        "id": cohort.id[0],
        "baseline": cell(patient_days.baseline, 0),
        "treatment_discontinued": _finite(cohort.treatment_discontinued[0]),
        **columns,
    }


def _observation(cohort: Cohort, row: int) -> dict[str, Any]:
    lines = cohort.lines[cohort.first_line[row] : cohort.first_line[row + 1]]
    return {
        "day": int(cohort.day[row]),
        "platelets": cell(cohort.platelets, row),
        "bleeding_grade": _finite(cohort.bleeding_grade[row]),
        "rescue": bool(cohort.rescue[row]),
        "days_since_rescue": _finite(cohort.days_since_rescue[row]),
        **{name: cell(column, row) for name, column in cohort.row_columns.items()},
        "lines": lines.tolist(),
    }


def cell(column: Column, index: int) -> Any:
    """One entry of a column as plain data: None where it was not observed, a pair of bounds where it is censored.

    An infinite number, as a day that never comes, is a text: JSON has no word for it.
    """
    match column:
        case Texts(codes=codes, labels=labels):
            return labels[codes[index]] if codes[index] >= 0 else None
        case Truths(true=true, false=false):
            return True if true[index] else False if false[index] else None
        case Numbers(low=low, high=high):
            if np.isinf(low[index]) and low[index] == high[index]:
                return str(low[index])
            if np.isneginf(low[index]):
                return ["-inf", _finite(high[index])]
            if np.isnan(low[index]) or low[index] == high[index]:
                return _finite(low[index])
            return [_finite(low[index]), _finite(high[index])]


def _finite(value: Any) -> int | float | None:
    """A number, whole where it can be; None where it is not finite."""
    number = float(value)
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else number


def _verdict(classification: Classification, patient_days: PatientDays, name: str) -> dict[str, Any]:
    criteria = classification.criteria
    model, verdict = criteria.endpoints[name], classification.verdicts[name]
    reason = criteria.reasons.names[int(verdict.reason[0])]
    account = model.account(patient_days, classification.verdicts, verdict)
    days = {field: _day(patient_days, getattr(verdict, field)) for field in EVIDENCE}
    return {
        "endpoint": name,
        "label": model.label,
        "kind": model.kind,
        "needs": model.sentence(),
        "value": verdict.labels[int(verdict.value[0])],
        "day": _length(classification.dated(verdict)),
        "reason": reason,
        "because": reason_in_words(reason),
        **{field: days[field] for field in EVIDENCE},
        **{field: _length(getattr(verdict, field)) for field in ("days", "of_days")},
        "rests_on": list(dict.fromkeys(model.references().values())),
        "decided_by": next((other for other, decides in account.decided_by if decides[0]), None),
        "parts": [PARTS[part] for part in account.part.tolist()],
        "rules": [_rule(patient_days, classification.verdicts, asked) for asked in model.rules()],
    }


def _day(patient_days: PatientDays, row: Any) -> int | None:
    return None if row[0] == NONE else int(patient_days.day[row[0]])


def _length(days: Any) -> int | None:
    return None if days is None or days[0] == NO_DAY else int(days[0])


def _rule(patient_days: PatientDays, verdicts: VerdictsByName, asked: AskedRule) -> dict[str, Any]:
    rule, of, seen = asked.rule, ASKED_OF[asked.of], seen_by(asked.of, patient_days, verdicts)
    return {
        "key": asked.key,
        "rule": rule.text,
        "words": tree_in_words(rule.tree),
        "of": of,
        "at": _truths(decide(rule.tree, seen)),
        "clauses": [
            {
                "clause": _written(leaf),
                "words": _words(leaf, of, holds=True),
                "otherwise": _words(leaf, of, holds=False),
                "at": _truths(decide(leaf, seen)),
                **_other_rows(leaf, patient_days),
            }
            for leaf in dict.fromkeys(leaves(rule.tree))
        ],
    }


def _other_rows(leaf: Tree, patient_days: PatientDays) -> dict[str, Any]:
    """The values at other rows that a clause looks at from each observation, and their days; nothing without any."""
    values = [_other_row(value, patient_days) for value in other_rows_in(leaf)]
    return {"other_rows": values} if values else {}


def _other_row(value: AtRow, patient_days: PatientDays) -> dict[str, Any]:
    bounds = numbers(value, patient_days)
    days = [patient_days.day_of(row).tolist() for row in rows_of_bounds(value, patient_days.looked_at(value))]
    return {
        "value": str(value),
        "words": value_at_row(value),
        "at": [cell(bounds, row) for row in range(len(patient_days.day))],
        "days": [sorted({low, high} - {NO_DAY}) for low, high in zip(*days, strict=True)],
    }


def _words(leaf: Tree, of: str, *, holds: bool) -> str:
    if of == "endpoints" and isinstance(leaf, Name):
        return f"{leaf.name} is {'met' if holds else 'not met'}"
    return tree_in_words(leaf) if holds else denied_in_words(leaf)


def _truths(truths: Truths) -> list[bool | None]:
    pairs = zip(truths.true.tolist(), truths.false.tolist(), strict=True)
    return [True if true else False if false else None for true, false in pairs]


def _written(tree: Tree) -> str:
    """A tree in the language of rules, terms written out."""
    match tree:
        case Term(body=body):
            return _written(body)
        case Name(name=name):
            return name
        case AtRow():
            return str(tree)
        case Constant(value=value):
            return f"{value:.15g}"
        case Text(value=value):
            return repr(value)
        case Relation(sign=sign, left=left, right=right):
            return f"{_written(left)} {sign} {_written(right)}"
        case Arithmetic(sign=sign, left=left, right=right):
            return f"{_side(left)} {sign} {_side(right)}"
        case Not(part=part):
            return f"not ({_written(part)})"
    return (" or " if isinstance(tree, Or) else " and ").join(f"({_written(part)})" for part in tree.parts)


def _side(tree: Tree) -> str:
    """A side of a sum or product, in parentheses where it is one itself."""
    while isinstance(tree, Term):
        tree = tree.body
    return f"({_written(tree)})" if isinstance(tree, Arithmetic) else _written(tree)
