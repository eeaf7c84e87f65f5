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

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from itp_response.cohort.values import NONE, Bools, Floats, Ints
from itp_response.evaluation.clock import DayOf
from itp_response.evaluation.endpoints.account import Account, Decided, decided_by, with_the_reason
from itp_response.evaluation.endpoints.endpoint import Endpoint, EndpointRule, OfVerdicts, started
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.tree import And, Name, Not, Or, Tree, names_in
from itp_response.evaluation.verdicts import NE, NEVER_REACHED, N, Reasons, Verdict, VerdictsByName, Y

LATE = np.iinfo(np.int64).max
"""A row number, later than any."""


class Combined(Endpoint):
    """A rule over other verdicts."""

    kind: Literal["combined"]
    when: EndpointRule = Field(description="endpoints joined by and, or, not")

    lasts: ClassVar[bool] = True
    sums_up: ClassVar[bool] = True

    def days_compared(self) -> tuple[DayOf, ...] | None:
        return ()

    def references(self) -> dict[str, str]:
        return {f"when ({name})": name for name in dict.fromkeys(names_in(self.when.tree))}

    @property
    def _named(self) -> list[str]:
        """The endpoints that the rule names, each once."""
        return list(self.references().values())

    @property
    def has_day(self) -> Tree:
        return self.when.tree

    def verdicts(self, patient_days: PatientDays, earlier: VerdictsByName, reasons: Reasons) -> Verdict:
        """The rule's truth for each patient."""
        verdict, open_ = started(self, patient_days, earlier, reasons, None)
        tree = self.when.tree
        observed = OfVerdicts(earlier)
        truths = decide(tree, observed)
        verdict.set(open_ & truths.true, Y, reasons["met"])
        for name, decides in decided_by(self._deciding(earlier), self._named):
            part, against = earlier[name], open_ & decides & ~truths.true
            verdict.set(against, N, np.where(part.value == Y, reasons[name], part.reason))
            verdict.set(against & truths.unknown, NE, part.reason)
        dated = _dated(tree, earlier, observed)
        yes = verdict.value == Y
        verdict.mark("dated", yes, dated)
        verdict.mark("onset", yes, dated)
        return verdict

    def changes_until(self, decided: Decided, settled_on: Floats) -> Floats:  # noqa: ARG002
        return np.full(len(settled_on), -np.inf)

    def assessed_until(self, decided: Decided, of_others: Floats) -> Floats:  # noqa: ARG002
        return of_others

    def depends_on(self, verdicts: VerdictsByName, final: Mapping[str, Bools]) -> dict[str, Bools]:
        as_open = {}
        for name in self._named:
            value = np.where(final[name], verdicts[name].value, NE).astype(np.int8)
            as_open[name] = replace(verdicts[name], value=value)
        is_open = decide(self.when.tree, OfVerdicts(as_open)).unknown
        return dict.fromkeys(self._named, is_open)

    def rows_played(self, decided: Decided) -> Account:
        account = super().rows_played(decided)
        account.marks = ()
        number = with_the_reason(self._deciding(decided.earlier), self._named, decided)
        account.decided_by = decided_by(number, self._named)
        return account

    def _deciding(self, earlier: VerdictsByName) -> Ints:
        """(P) The endpoint that decides, as its number among those named."""
        names = self._named
        near = np.stack([(earlier[name].value == Y) | (earlier[name].reason != NEVER_REACHED) for name in names])
        return _deciding(self.when.tree, OfVerdicts(earlier), names, near)

    def definition(self) -> str:
        """What decides it, in words, without what excludes patients."""
        return f"Met if {_in_words(self.when.tree)}."


def _deciding(tree: Tree, observed: OfVerdicts, names: Sequence[str], near: Bools) -> Ints:
    """(P) The endpoint by which a rule is what it is, as its number in `names`: the first part that agrees with it.

    Where all parts must agree (an `or` that is not true, an `and` that is) it is the last, which as a rule asks for
    least, of those that came `near` (an entry per name and patient), and where none did the last of all.
    """
    match tree:
        case Name(name=name):
            return np.full(near.shape[1], names.index(name))
        case Not(part=part):
            return _deciding(part, observed, names, near)
        case And(parts=parts) | Or(parts=parts):
            whole = decide(tree, observed)
            truths = [decide(part, observed) for part in parts]
            agrees = np.stack([(part.true == whole.true) & (part.false == whole.false) for part in truths])
            numbers = np.stack([_deciding(part, observed, names, near) for part in parts])
            patient = np.arange(near.shape[1])
            nearer = agrees & near[numbers, patient]
            last = np.where(nearer.any(axis=0), _last_true(nearer), _last_true(agrees))
            all_must_agree = whole.true if isinstance(tree, And) else ~whole.true
            chosen = np.where(all_must_agree, last, np.argmax(agrees, axis=0))
            number: Ints = numbers[chosen, patient]
            return number
    raise AssertionError(tree)


def _last_true(flags: Bools) -> Ints:
    """Of each column, the last row that is true."""
    last: Ints = len(flags) - 1 - np.argmax(flags[::-1], axis=0)
    return last


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
            return f"not ({_in_words(part)})"
        case And(parts=parts) | Or(parts=parts):
            joint = type(tree)
            text = (" and " if joint is And else " or ").join(_in_words(part, joint) for part in parts)
            return f"({text})" if within not in (None, joint) else text
    raise AssertionError(tree)
