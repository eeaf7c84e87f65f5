"""Combined: a rule over other criteria's verdicts.

Overall response to romiplostim (durable or transient) and composite failures are of this kind.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import Field

from itp_response.cohort.values import NONE, Bools, Ints, Truths
from itp_response.evaluation.endpoints.endpoint import Endpoint, EndpointRule, started
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.tree import And, Name, Not, Or, Rule, Tree, names_in
from itp_response.evaluation.verdicts import NE, N, Reasons, Settled, Verdict, Y

LATE = np.iinfo(np.int64).max


class Combined(Endpoint):
    """A rule over other verdicts."""

    kind: Literal["combined"]
    when: EndpointRule = Field(description="criteria joined by and, or, not")

    def references(self) -> dict[str, str]:
        return {f"when ({name})": name for name in dict.fromkeys(names_in(self.when.tree))}

    def row_rules(self) -> list[Rule]:
        return []


class OfVerdicts:
    """The verdicts on criteria as a rule sees them: true where Y, unknown where NE."""

    def __init__(self, settled: Settled) -> None:
        self.decided: dict[Tree, Truths] = {}
        self._settled = settled

    def values(self, name: str) -> Truths:
        value = self._settled[name].value
        return Truths(value == Y, (value != Y) & (value != NE))


def verdicts(model: Combined, patient_days: PatientDays, settled: Settled, reasons: Reasons) -> Verdict:
    """The rule's truth for each patient."""
    verdict, open_ = started(model, patient_days, settled, reasons, None)
    tree = model.when.tree
    asked = OfVerdicts(settled)
    found = decide(tree, asked)
    unknown = found.unknown
    verdict.set(open_ & found.true, Y, reasons["met"])
    verdict.set(open_ & found.false, N, reasons["met"])
    # From the last named to the first, so that the first stands.
    for name, denied in reversed(list(_named(tree))):
        one = settled[name]
        against = (one.value == Y) if denied else (one.value != Y) & (one.value != NE)
        verdict.set(open_ & found.false & against, N, reasons[name] if denied else one.reason)
        verdict.set(open_ & unknown & (one.value == NE), NE, one.reason)
    dated = _dated(tree, settled, asked)
    yes = verdict.value == Y
    verdict.mark("dated", yes, dated)
    verdict.mark("onset", yes, dated)
    return verdict


def _named(tree: Tree, denied: bool = False) -> Iterator[tuple[str, bool]]:
    """The criteria in the order named, and whether each stands under a `not`."""
    match tree:
        case Name(name=name):
            yield name, denied
        case Not(part=part):
            yield from _named(part, not denied)
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from _named(part, denied)


def _dated(tree: Tree, settled: Settled, truths: OfVerdicts) -> Ints:
    """The row that dates each patient's verdict: of an `or` the earliest true part's, of an `and` the latest."""
    match tree:
        case Name(name=name):
            return settled[name].dated
        case Or(parts=parts):
            rows = [_or_late(_dated(part, settled, truths), decide(part, truths).true) for part in parts]
            earliest: Ints = np.minimum.reduce(rows)
            return np.where(earliest == LATE, NONE, earliest)
        case And(parts=parts):
            latest: Ints = np.maximum.reduce([_dated(part, settled, truths) for part in parts])
            return latest
        case Not(part=part):
            return np.full_like(_dated(part, settled, truths), NONE)
    raise AssertionError(tree)


def _or_late(row: Ints, true: Bools) -> Ints:
    return np.where(true & (row != NONE), row, LATE)


def sentence(model: Combined) -> str:
    """The endpoint in words."""
    return f"Met where {_in_words(model.when.tree)}."


def _in_words(tree: Tree, within: type[And] | type[Or] | None = None) -> str:
    match tree:
        case Name(name=name):
            return f"{name} is met"
        case Not(part=Name(name=name)):
            return f"{name} is not met"
        case Not(part=part):
            return f"it is not so that {_in_words(part)}"
        case And(parts=parts) | Or(parts=parts):
            joint = type(tree)
            text = (" and " if joint is And else " or ").join(_in_words(part, joint) for part in parts)
            return f"({text})" if within not in (None, joint) else text
    raise AssertionError(tree)
