"""Meaning: what one observation means for an endpoint, in words."""

from typing import Any

import numpy as np

from itp_response.cohort.values import Numbers, Truths
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import decide, numbers
from itp_response.evaluation.rules.in_words import denied_in_words, tree_in_words
from itp_response.evaluation.rules.tree import And, Not, Or, Relation, Tree, names_in, opened
from itp_response.messages.wording import number_in_words

NOT_OBSERVED = {
    "platelets": "no count",
    "bleeding_grade": "bleeding not recorded",
    "baseline": "no baseline",
}


def meaning(model: Any, patient_days: PatientDays, row: int) -> str:
    """Whether the row meets the rule `when` of an endpoint, and the clause that decides."""
    tree, set_aside, discount = model.when.tree, getattr(model, "set_aside", None), getattr(model, "discount", None)
    if set_aside is not None and not decide(set_aside.tree, patient_days).false[row]:
        return f"passed over: {_clause(set_aside.tree, patient_days, row, holds=True)}"
    truths = decide(tree, patient_days)
    if truths.unknown[row]:
        return f"unknown: {', '.join(_not_observed(tree, patient_days, row))}"
    if model.kind == "lost":
        return f"loss: {_clause(tree, patient_days, row, holds=True)}" if truths.true[row] else "no loss"
    if not truths.true[row]:
        return f"fails: {_clause(tree, patient_days, row, holds=False)}"
    if discount is not None and not decide(discount.tree, patient_days).false[row]:
        return f"would qualify, but no evidence: {_clause(discount.tree, patient_days, row, holds=True)}"
    return "qualifies"


def _clause(tree: Tree, patient_days: PatientDays, row: int, *, holds: bool) -> str:
    """The clause by which a rule holds, or does not, at a row."""
    tree = opened(tree)
    match tree:
        case Not(part=part):
            return _clause(part, patient_days, row, holds=not holds)
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                truths = decide(part, patient_days)
                if (truths.true if holds else truths.false)[row]:
                    return _clause(part, patient_days, row, holds=holds)
    words = tree_in_words(tree) if holds else denied_in_words(tree)
    return words + _limit(tree, patient_days, row) if isinstance(tree, Relation) else words


def _limit(tree: Relation, patient_days: PatientDays, row: int) -> str:
    """The number that a multiple of the baseline comes to at a row, after a comma; nothing without a baseline."""
    if "baseline" not in set(names_in(tree.right)):
        return ""
    low = numbers(tree.right, patient_days).low
    return f", {number_in_words(float(low[row] if low.ndim else low))}"


def _not_observed(tree: Tree, patient_days: PatientDays, row: int) -> list[str]:
    """What was not observed at a row, so that a rule is unknown."""
    missing = []
    for name in dict.fromkeys(names_in(tree)):
        column = patient_days.values(name)
        match column:
            case Numbers(low=low) if np.isnan(low[row]):
                missing.append(NOT_OBSERVED.get(name, f"{name} not recorded"))
            case Numbers(low=low, high=high) if low[row] != high[row]:
                missing.append(f"{name} known only as a bound")
            case Truths() if column.unknown[row]:
                missing.append(f"{name} not recorded")
    return missing
