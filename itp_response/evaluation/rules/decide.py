"""Deciding: a rule is true, false or unknown at a row, after Kleene.

A comparison is true if it holds for all values between the bounds, false if it holds for none.
With NaN neither can be shown, so what was not observed is unknown without a case of its own.
"""

import functools
from collections.abc import Callable
from typing import Protocol

import numpy as np

from itp_response.cohort.values import Column, Floats, Numbers, Texts, Truths, exactly
from itp_response.evaluation.rules.tree import (
    And,
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
    opened,
)


class Observed(Protocol):
    """What a rule is decided over: the rows of patients, or patients, or verdicts."""

    decided: dict["Tree", Truths]
    """The truths decided so far, so that none is decided twice."""

    def values(self, name: str | AtRow) -> Column:
        """The column of that name, or of a number at another row."""


def decide(tree: Tree, observed: Observed) -> Truths:
    """The tree's truth at each row (or patient).

    >>> from itp_response.evaluation.rules.parse import Names, parse
    >>> class TwoRows:
    ...     decided = {}
    ...
    ...     def values(self, name):
    ...         return Numbers(np.array([40.0, 0.0]), np.array([40.0, 50.0]))  # 40, and one below 50
    >>> rule = parse("platelets >= 30", Names({"platelets": "number"}))
    >>> truths = decide(rule.tree, TwoRows())
    >>> truths.true, truths.unknown
    (array([ True, False]), array([False,  True]))
    """
    truths = observed.decided.get(tree)
    if truths is None:
        truths = observed.decided[tree] = _decide(tree, observed)
    return truths


def _decide(tree: Tree, observed: Observed) -> Truths:
    match tree:
        case Term(body=body):
            return decide(body, observed)
        case Not(part=part):
            truths = decide(part, observed)
            return Truths(truths.false, truths.true)
        case And(parts=parts):
            return functools.reduce(both, (decide(part, observed) for part in parts))
        case Or(parts=parts):
            return functools.reduce(either, (decide(part, observed) for part in parts))
        case Relation(sign=sign, left=left, right=Text(value=value)):
            equal = _same_text(observed, left, value)
            return equal if sign == "==" else Truths(equal.false, equal.true)
        case Relation(sign=sign, left=left, right=right):
            return COMPARED[sign](numbers(left, observed), numbers(right, observed))
    values = observed.values(tree.name) if isinstance(tree, Name) else None
    if isinstance(values, Numbers):
        happens = np.isfinite(values.low)
        return Truths(happens, ~happens)
    assert isinstance(values, Truths), tree
    return values


def both(left: Truths, right: Truths) -> Truths:
    return Truths(left.true & right.true, left.false | right.false)


def either(left: Truths, right: Truths) -> Truths:
    return Truths(left.true | right.true, left.false & right.false)


def _less(left: Numbers, right: Numbers) -> Truths:
    return Truths(left.high < right.low, left.low >= right.high)


def _at_most(left: Numbers, right: Numbers) -> Truths:
    return Truths(left.high <= right.low, left.low > right.high)


def _equal(left: Numbers, right: Numbers) -> Truths:
    return Truths(
        (left.low == right.high) & (left.high == right.low),
        (left.high < right.low) | (left.low > right.high),
    )


def _different(left: Numbers, right: Numbers) -> Truths:
    equal = _equal(left, right)
    return Truths(equal.false, equal.true)


COMPARED: dict[str, Callable[[Numbers, Numbers], Truths]] = {
    "<": _less,
    "<=": _at_most,
    ">": lambda left, right: _less(right, left),
    ">=": lambda left, right: _at_most(right, left),
    "==": _equal,
    "!=": _different,
}


def _same_text(observed: Observed, left: Tree, value: str) -> Truths:
    name = opened(left)
    assert isinstance(name, Name)
    texts = observed.values(name.name)
    assert isinstance(texts, Texts)
    code = texts.labels.index(value) if value in texts.labels else -2
    same = texts.codes == code
    return Truths(same, ~same & (texts.codes >= 0))


def numbers(tree: Tree, observed: Observed) -> Numbers:
    """The number a tree gives at each row, as bounds."""
    match tree:
        case Constant(value=value):
            return exactly(np.asarray(value))
        case Term(body=body):
            return numbers(body, observed)
        case Arithmetic(sign=sign, left=left, right=right):
            with np.errstate(all="ignore"):
                return _calculated(sign, numbers(left, observed), numbers(right, observed))
    assert isinstance(tree, Name | AtRow)
    values = observed.values(tree.name if isinstance(tree, Name) else tree)
    assert isinstance(values, Numbers)
    return values


def _calculated(sign: str, left: Numbers, right: Numbers) -> Numbers:
    if sign == "/":
        # A quotient is unknown where the divisor may be zero.
        may_be_zero = (right.low <= 0) & (right.high >= 0)
        low = np.where(may_be_zero, np.nan, right.low)
        right = exactly(low) if right.exact else Numbers(low, np.where(may_be_zero, np.nan, right.high))
    if left.exact and right.exact:
        return exactly(SIGNS[sign](left.low, right.low))
    if sign == "+":
        return Numbers(left.low + right.low, left.high + right.high)
    if sign == "-":
        return Numbers(left.low - right.high, left.high - right.low)
    edges = [SIGNS[sign](first, second) for first in (left.low, left.high) for second in (right.low, right.high)]
    return Numbers(functools.reduce(np.minimum, edges), functools.reduce(np.maximum, edges))


SIGNS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}
