"""Combined: a rule over the verdicts on other endpoints.

The overall response to romiplostim (durable or transient) and the composite failure of the RITP trial are of this kind.

>>> from itp_response import ask
>>> [response] = ask("d0 15, d22 40, d29 45", "iwg_2009", endpoint="OR", counterfactuals=False)
>>> response.value, response.day
('Y', 22)
>>> [response] = ask("d0 15, d22 12, d364 14", "iwg_2009", endpoint="OR", counterfactuals=False)
>>> response.value, response.reason
('N', 'never_reached')
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from itp_response.cohort.values import NONE, Bools, Ints
from itp_response.evaluation.endpoints.endpoint import Endpoint, EndpointRule, OfVerdicts, started
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.tree import And, Name, Not, Or, Tree, names_in
from itp_response.evaluation.verdicts import NE, N, Reasons, Verdict, VerdictsByName, Y

LATE = np.iinfo(np.int64).max
"""A row number, later than any."""


class Combined(Endpoint):
    """A rule over other verdicts."""

    kind: Literal["combined"]
    when: EndpointRule = Field(description="criteria joined by and, or, not")

    lasts: ClassVar[bool] = True
    sums_up: ClassVar[bool] = True

    def references(self) -> dict[str, str]:
        return {f"when ({name})": name for name in dict.fromkeys(names_in(self.when.tree))}

    @property
    def has_day(self) -> Tree:
        return self.when.tree

    def verdicts(self, patient_days: PatientDays, earlier: VerdictsByName, reasons: Reasons) -> Verdict:
        """The rule's truth for each patient."""
        verdict, open_ = started(self, patient_days, earlier, reasons, None)
        tree = self.when.tree
        observed = OfVerdicts(earlier)
        truths = decide(tree, observed)
        unknown = truths.unknown
        verdict.set(open_ & truths.true, Y, reasons["met"])
        verdict.set(open_ & truths.false, N, reasons["met"])
        # From the last named to the first, so that the first stands.
        for name, denied in reversed(list(_named(tree))):
            part = earlier[name]
            against = (part.value == Y) if denied else (part.value != Y) & (part.value != NE)
            verdict.set(open_ & truths.false & against, N, reasons[name] if denied else part.reason)
            verdict.set(open_ & unknown & (part.value == NE), NE, part.reason)
        dated = _dated(tree, earlier, observed)
        yes = verdict.value == Y
        verdict.mark("dated", yes, dated)
        verdict.mark("onset", yes, dated)
        return verdict

    def definition(self) -> str:
        """What decides it, in words, without what excludes patients."""
        return f"Met where {_in_words(self.when.tree)}."


def _named(tree: Tree, denied: bool = False) -> Iterator[tuple[str, bool]]:
    """The endpoints in the order named, and whether each stands under a `not`."""
    match tree:
        case Name(name=name):
            yield name, denied
        case Not(part=part):
            yield from _named(part, not denied)
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from _named(part, denied)


def _dated(tree: Tree, earlier: VerdictsByName, observed: OfVerdicts) -> Ints:
    """The row that dates each patient's verdict: of an `or` the earliest true part's, of an `and` the latest."""
    match tree:
        case Name(name=name):
            return earlier[name].dated
        case Or(parts=parts):
            rows = [_or_late(_dated(part, earlier, observed), decide(part, observed).true) for part in parts]
            earliest: Ints = np.minimum.reduce(rows)
            return np.where(earliest == LATE, NONE, earliest)
        case And(parts=parts):
            latest: Ints = np.maximum.reduce([_dated(part, earlier, observed) for part in parts])
            return latest
        case Not(part=part):
            return np.full_like(_dated(part, earlier, observed), NONE)
    raise AssertionError(tree)


def _or_late(row: Ints, true: Bools) -> Ints:
    return np.where(true & (row != NONE), row, LATE)


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
