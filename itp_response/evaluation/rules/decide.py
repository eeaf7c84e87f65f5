"""Deciding: a rule is true, false or unknown at a row, after Kleene.

A comparison is true if it holds wherever the truth lies between the bounds, false if it holds nowhere.
With NaN neither can be shown, so what was not observed is unknown without a case of its own.
"""

import functools
from collections.abc import Callable
from typing import Protocol

import numpy as np

from itp_response.cohort.values import Column, Floats, Numbers, Texts, Truths, exactly
from itp_response.evaluation.rules.tree import And, Arithmetic, Constant, Name, Not, Or, Relation, Term, Text, Tree


class Rows(Protocol):
    """What a rule is decided over."""

    decided: dict["Tree", Truths]

    def values(self, name: str) -> Column: ...


def decide(tree: Tree, rows: Rows) -> Truths:
    """The tree's truth at each row. What was decided once for these rows is not decided again."""
    found = rows.decided.get(tree)
    if found is None:
        found = rows.decided[tree] = _decide(tree, rows)
    return found


def _decide(tree: Tree, rows: Rows) -> Truths:
    match tree:
        case Term(body=body):
            return decide(body, rows)
        case Not(part=part):
            truths = decide(part, rows)
            return Truths(truths.false, truths.true)
        case And(parts=parts):
            return functools.reduce(both, (decide(part, rows) for part in parts))
        case Or(parts=parts):
            return functools.reduce(either, (decide(part, rows) for part in parts))
        case Relation(sign=sign, left=left, right=Text(value=value)):
            equal = _same_text(rows, left, value)
            return equal if sign == "==" else Truths(equal.false, equal.true)
        case Relation(sign=sign, left=left, right=right):
            return COMPARED[sign](numbers(left, rows), numbers(right, rows))
    values = rows.values(tree.name) if isinstance(tree, Name) else None
    if isinstance(values, Numbers):
        happens = np.isfinite(values.low)
        return Truths(happens, ~happens)
    assert isinstance(values, Truths), tree
    return values


def both(one: Truths, other: Truths) -> Truths:
    return Truths(one.true & other.true, one.false | other.false)


def either(one: Truths, other: Truths) -> Truths:
    return Truths(one.true | other.true, one.false & other.false)


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


def _same_text(rows: Rows, left: Tree, value: str) -> Truths:
    assert isinstance(left, Name | Term)
    texts = rows.values(left.name if isinstance(left, Name) else _behind(left).name)
    assert isinstance(texts, Texts)
    code = texts.labels.index(value) if value in texts.labels else -2
    same = texts.codes == code
    return Truths(same, ~same & (texts.codes >= 0))


def _behind(term: Term) -> Name:
    body = term.body
    while isinstance(body, Term):
        body = body.body
    assert isinstance(body, Name)
    return body


def numbers(tree: Tree, rows: Rows) -> Numbers:
    """The number a tree gives at each row, as bounds."""
    match tree:
        case Constant(value=value):
            return exactly(np.asarray(value))
        case Term(body=body):
            return numbers(body, rows)
        case Arithmetic(sign=sign, left=left, right=right):
            with np.errstate(all="ignore"):
                return _reckoned(sign, numbers(left, rows), numbers(right, rows))
    assert isinstance(tree, Name)
    values = rows.values(tree.name)
    assert isinstance(values, Numbers)
    return values


def _reckoned(sign: str, left: Numbers, right: Numbers) -> Numbers:
    if sign == "/":
        # What is divided by something that may be zero is open.
        open_ = (right.low <= 0) & (right.high >= 0)
        low = np.where(open_, np.nan, right.low)
        right = exactly(low) if right.exact else Numbers(low, np.where(open_, np.nan, right.high))
    if left.exact and right.exact:
        return exactly(SIGNS[sign](left.low, right.low))
    if sign == "+":
        return Numbers(left.low + right.low, left.high + right.high)
    if sign == "-":
        return Numbers(left.low - right.high, left.high - right.low)
    corners = [SIGNS[sign](one, other) for one in (left.low, left.high) for other in (right.low, right.high)]
    return Numbers(functools.reduce(np.minimum, corners), functools.reduce(np.maximum, corners))


SIGNS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}
