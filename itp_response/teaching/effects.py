"""Effects: what each rule of an endpoint, and each of its clauses, does for the result at each observation.

A clause that is true can speak for an endpoint, against it, or for neither: a count of 100 is of no consequence on a
day of bleeding. The effects come from the same columns that decided.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from itp_response.classification.classification import Classification
from itp_response.cohort.values import Bools, Truths
from itp_response.evaluation.endpoints.account import (
    CLOSED,
    DISCOUNTED,
    FAILS,
    PASSED_OVER,
    QUALIFIES,
    UNKNOWN,
    Account,
)
from itp_response.evaluation.endpoints.endpoint import AskedRule, excluded, seen_by
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.rules.decide import Observed, decide
from itp_response.evaluation.rules.tree import And, Not, Or, Term, Tree, leaves

EFFECTS = ("none", "supports", "against", "open", "disregards")
"""What a rule or a clause does at an observation.

`supports`: it makes the observation count for the endpoint; `against`: it makes it count against the endpoint, or keeps
it from counting; `open`: it is unknown, and the result may depend on it; `disregards`: the observation is passed over.
"""
NO_EFFECT, SUPPORTS, AGAINST, OPEN, DISREGARDS = range(len(EFFECTS))
Effects = NDArray[np.int8]
"""(N) Indices of `EFFECTS`; of a rule that is asked of a patient or of endpoints, one."""


class RuleEffects(NamedTuple):
    """The effects of a rule and of its clauses, as words of `EFFECTS`."""

    rule: list[str]
    clauses: list[list[str]]
    """In the order of the clauses, each once."""


def effects_of(classification: Classification, name: str) -> Iterator[RuleEffects]:
    """The effects of the rules of an endpoint, in their order; the classification is of one patient."""
    model, verdicts = classification.criteria.endpoints[name], classification.verdicts
    patient_days = patient_days_of(classification.criteria, classification.cohort, 0, 1)
    account = model.account(patient_days, verdicts, verdicts[name])
    is_excluded = bool(excluded(model, patient_days)[0])
    for asked in model.rules():
        seen = seen_by(asked.of, patient_days, verdicts)
        truths = decide(asked.rule.tree, seen)
        effect = _of_rows(asked, truths, account) if asked.of == "rows" else _of_patient(asked, truths, is_excluded)
        deciding = _deciding(asked.rule.tree, seen)
        of_clauses = [np.where(deciding[leaf], effect, NO_EFFECT) for leaf in dict.fromkeys(leaves(asked.rule.tree))]
        yield RuleEffects(_in_words(effect), [_in_words(of_clause) for of_clause in of_clauses])


def _in_words(effects: Effects) -> list[str]:
    return [EFFECTS[effect] for effect in effects.tolist()]


def _of_rows(asked: AskedRule, truths: Truths, account: Account) -> Effects:
    """(N) By the key of the rule, and by the part that the row played."""
    part = account.part
    effect = np.full(len(part), NO_EFFECT, dtype=np.int8)
    match asked.key:
        case "when" | "at_once":
            effect[truths.true & (part == QUALIFIES)] = SUPPORTS
            effect[truths.false & (part == FAILS)] = AGAINST if asked.key == "when" else NO_EFFECT
            effect[truths.unknown & (part == UNKNOWN)] = OPEN
        case "discount":
            effect[truths.true & (part == DISCOUNTED)] = AGAINST
            effect[truths.unknown & (part == DISCOUNTED)] = OPEN
        case "set_aside":
            effect[~truths.false & (part == PASSED_OVER)] = DISREGARDS
        case "closed_by":
            row = np.arange(len(part))
            for event in account.events:
                effect[(event.what == asked.rule) & (row == event.row[0]) & (part == CLOSED)] = AGAINST
    return effect


def _of_patient(asked: AskedRule, truths: Truths, is_excluded: bool) -> Effects:
    """Of a rule over endpoints, and of one by which patients are excluded."""
    if asked.key == "only":
        return np.select([truths.false, truths.unknown], [AGAINST, OPEN], NO_EFFECT).astype(np.int8)
    if asked.key == "unless":
        return np.select([truths.true, truths.unknown], [AGAINST, OPEN], NO_EFFECT).astype(np.int8)
    effect = np.select([truths.true, truths.false], [SUPPORTS, AGAINST], OPEN).astype(np.int8)
    return effect * np.int8(not is_excluded)


def _deciding(tree: Tree, seen: Observed) -> Mapping[Tree, Bools]:
    """(N) each: the observations at which a clause makes its rule what it is.

    A conjunction is false by its false parts, and a disjunction true by its true parts.
    """
    deciding: dict[Tree, Bools] = {}

    def walk(part: Tree, where: Bools) -> None:
        match part:
            case Term(body=inner) | Not(part=inner):
                walk(inner, where)
            case And(parts=parts) | Or(parts=parts):
                for inner in parts:
                    walk(inner, where & _same(decide(inner, seen), decide(part, seen)))
            case _:
                deciding[part] = deciding.get(part, np.zeros_like(where)) | where

    walk(tree, np.ones_like(decide(tree, seen).true))
    return deciding


def _same(truths: Truths, others: Truths) -> Bools:
    return (truths.true & others.true) | (truths.false & others.false) | (truths.unknown & others.unknown)
