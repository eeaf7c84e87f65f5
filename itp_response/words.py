"""Rules, days and lengths in English, made from what decides, so that wording and rule cannot differ."""

import math

from itp_response.clock import Length
from itp_response.rules import (
    And,
    Arithmetic,
    Comparison,
    Name,
    Not,
    Number,
    Or,
    Rule,
    Term,
    Text,
    Tree,
)

NOUNS = {
    "platelets": "the count",
    "baseline": "the baseline",
    "bleeding_grade": "the bleeding grade",
    "rescue": "rescue treatment",
    "days_since_rescue": "the days since rescue treatment",
    "day": "the day",
    "treatment_discontinued": "treatment was discontinued",
}
SIGNS = {
    "<": "below",
    "<=": "at most",
    ">": "above",
    ">=": "at least",
    "==": "exactly",
    "!=": "other than",
}
NOT = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
COUNTED = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
TIMES = {2.0: "twice", 3.0: "three times"}


def rule_in_words(rule: Rule) -> str:
    """The rule as a phrase."""
    return tree_in_words(rule.tree)


def tree_in_words(tree: Tree, within: type[And] | type[Or] | None = None) -> str:
    """A condition as a phrase; one that joins otherwise than its surroundings stands in parentheses."""
    match tree:
        case Term(body=body):
            return tree_in_words(body, within)
        case And(parts=parts) | Or(parts=parts):
            joint = type(tree)
            text = (" and " if joint is And else " or ").join(tree_in_words(part, joint) for part in parts)
            return f"({text})" if within not in (None, joint) else text
        case Not(part=part):
            return _denied(part)
        case Comparison(sign=sign, left=left, right=right):
            return _compared(sign, left, right)
        case Name(name=name):
            return NOUNS.get(name, name)
    return _quantity(tree)


def _denied(tree: Tree) -> str:
    match tree:
        case Term(body=body):
            return _denied(body)
        case Not(part=part):
            return tree_in_words(part, And)
        case Comparison(sign=">=" | ">", left=Name(name="bleeding_grade")):
            return f"no {tree_in_words(tree)}"
        case Comparison(sign=sign, left=left, right=right):
            return _compared(NOT[sign], left, right)
        case Name(name=name):
            return f"no {NOUNS.get(name, name)}"
    return f"not ({tree_in_words(tree)})"


def _compared(sign: str, left: Tree, right: Tree) -> str:
    if isinstance(left, Number) and not isinstance(right, Number):
        sign, left, right = MIRRORED[sign], right, left
    quantity = _quantity(right)
    match left:
        case Name(name="platelets"):
            return f"a count {_of(sign, quantity)}"
        case Name(name="bleeding_grade") if sign == ">=":
            return f"bleeding of grade {quantity} or more"
        case Name(name="bleeding_grade"):
            return f"bleeding of grade {SIGNS[sign]} {quantity}"
        case Name(name="days_since_rescue") if sign in ("<", "<="):
            return f"rescue treatment that ended {_of(sign, quantity)} days before or goes on"
        case Name(name="days_since_rescue"):
            return f"{_of(sign, quantity)} days since the end of rescue treatment".removeprefix("of ")
        case Name(name="day") if sign == ">=":
            return f"day {quantity} or later"
        case Name(name="day"):
            return f"a day {SIGNS[sign]} {quantity}"
    return f"{_quantity(left)} {_of(sign, quantity)}"


def _of(sign: str, quantity: str) -> str:
    return f"{'of ' if sign in ('>=', '<=', '==') else ''}{SIGNS[sign]} {quantity}"


def _quantity(tree: Tree) -> str:
    match tree:
        case Number(value=value):
            return number_in_words(value)
        case Text(value=value):
            return repr(value)
        case Name(name=name):
            return NOUNS.get(name, name)
        case Term(body=body):
            return _quantity(body)
        case Arithmetic(sign="*", left=Number(value=value), right=Name(name=name)) if value in TIMES:
            return f"{TIMES[value]} {NOUNS.get(name, name)}"
        case Arithmetic(sign=sign, left=left, right=right):
            word = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}[sign]
            return f"{_quantity(left)} {word} {_quantity(right)}"
    return tree_in_words(tree)


def number_in_words(value: float) -> str:
    """A number without needless decimals."""
    return f"{value:g}" if abs(value) < 1e15 else str(value)


def counted(number: int, noun: str) -> str:
    """So many of something."""
    return f"{COUNTED.get(number, number)} {noun}{'' if number == 1 else 's'}"


def length_in_words(length: Length) -> str:
    return str(length)


def day_in_words(day: float) -> str:
    """A day; one without a limit is said so."""
    return f"day {number_in_words(day)}" if math.isfinite(day) else "any day"


def days_in_words(days: tuple[float, float]) -> str:
    """A pair of days as the end of a sentence; nothing where there is no limit."""
    first, last = (math.isfinite(day) for day in days)
    if first and last:
        return f", from {day_in_words(days[0])} to {day_in_words(days[1])}"
    if first:
        return f", from {day_in_words(days[0])} on"
    return f", up to {day_in_words(days[1])}" if last else ""
