"""Rules in words: English made from the tree that decides, so that wording and rule cannot differ."""

from itp_response.evaluation.clock import Length
from itp_response.evaluation.rules.tree import (
    SINCE,
    And,
    Arithmetic,
    AtRow,
    Constant,
    Name,
    Not,
    Or,
    Relation,
    Rule,
    Term,
    Text,
    Tree,
    parts_of,
)
from itp_response.messages.wording import day_in_words, number_in_words

NOUNS = {
    "platelets": "the count",
    "baseline": "the baseline",
    "bleeding_grade": "the bleeding grade",
    "rescue": "rescue treatment",
    "days_since_rescue": "the days since rescue treatment",
    "day": "the day",
    "treatment_discontinued": "discontinuation of treatment",
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
BY_DAY = {"<": "before", "<=": "by", ">": "after", ">=": "from", "==": "on", "!=": "on a day other than"}
NEGATED_SPAN = {">": "at most", ">=": "less than", "==": "other than", "!=": "exactly"}
DAY = Name("day", "number")
A_COUNT = "a count "
TIMES = {0.5: "half", 2.0: "twice", 3.0: "three times"}


def rule_in_words(rule: Rule) -> str:
    """The rule as a phrase."""
    return tree_in_words(rule.tree)


def tree_in_words(tree: Tree, within: type[And] | type[Or] | None = None) -> str:
    """A condition as a phrase; an `or` within an `and`, or the reverse, stands in parentheses."""
    match tree:
        case Term(body=body):
            return tree_in_words(body, within)
        case And() | Or():
            joint = type(tree)
            parts, when = _days_apart(parts_of(tree, joint), joint)
            text = (" and " if joint is And else " or ").join(_phrases(parts, joint))
            return f"({text}{when})" if within not in (None, joint) and len(parts) > 1 else f"{text}{when}"
        case Not(part=part):
            return denied_in_words(part)
        case Relation(sign=sign, left=left, right=right):
            return _compared(sign, left, right)
        case Name(name=name):
            return _noun(name)
    return _quantity(tree)


def _days_apart(parts: tuple[Tree, ...], joint: type[And] | type[Or]) -> tuple[tuple[Tree, ...], str]:
    """The parts of an `and` without those on the day, which say when the others hold: ` on day 36 or later`."""
    turned = [_turned(part) for part in parts]
    days = [part for part in turned if isinstance(part, Relation) and part.left == DAY]
    others = tuple(part for part in turned if part not in days)
    if joint is Or or not days or not others:
        return parts, ""
    bounds = [(part.sign, part.right.value) for part in days if isinstance(part.right, Constant)]
    first = [value for sign, value in bounds if sign == ">="]
    last = [value for sign, value in bounds if sign == "<="]
    if first and last and len(first) + len(last) == len(days):
        return others, f" from {day_in_words(max(first))} to {day_in_words(min(last))}"
    return others, "".join(f" {_on(tree_in_words(part).removeprefix('a day '))}" for part in days)


def _on(days: str) -> str:
    """Days as the end of a phrase: `on day 36 or later`, `after day 168`."""
    return days if days.startswith(("after", "before")) else f"on {days}"


def _turned(tree: Tree) -> Tree:
    """A comparison with its number on the right."""
    match tree:
        case Relation(sign=sign, left=Constant() as left, right=right) if not isinstance(right, Constant):
            return Relation(MIRRORED[sign], right, left)
    return tree


def _phrases(parts: tuple[Tree, ...], joint: type[And] | type[Or]) -> list[str]:
    """The parts as phrases; `a count` is not said again where the phrase before said it."""
    phrases: list[str] = []
    for part in parts:
        phrase = tree_in_words(part, joint)
        if phrases and phrases[-1].startswith(A_COUNT) and phrase.startswith(A_COUNT):
            phrase = phrase.removeprefix(A_COUNT).removeprefix("of ")
            phrases[-1] += f"{' and ' if joint is And else ' or '}{phrase}"
        else:
            phrases.append(phrase)
    return phrases


def denied_in_words(tree: Tree) -> str:
    """The opposite of a condition as a phrase."""
    match tree:
        case Term(body=body):
            return denied_in_words(body)
        case Not(part=part):
            return tree_in_words(part, And)
        case Relation(sign=">=" | ">", left=Name(name="bleeding_grade")):
            return f"no {tree_in_words(tree)}"
        case Relation(sign=sign, left=left, right=right):
            return _compared(NOT[sign], left, right)
        case Name(name=name):
            return f"no {_noun(name)}"
        case And() if len(_days_apart(parts_of(tree, And), And)[0]) == 1:
            return f"no {tree_in_words(tree)}"
    return f"not ({tree_in_words(tree)})"


def _compared(sign: str, left: Tree, right: Tree) -> str:
    if isinstance(left, Constant) and not isinstance(right, Constant):
        sign, left, right = MIRRORED[sign], right, left
    quantity = _quantity(right)
    match left:
        case Name(name="platelets"):
            return f"a count {_of(sign, quantity)}"
        case Name(name="baseline"):
            return f"a baseline {_of(sign, quantity)}"
        case Name(name="bleeding_grade") if sign == ">=":
            return f"bleeding of grade {quantity} or more"
        case Name(name="bleeding_grade"):
            return f"bleeding of grade {SIGNS[sign]} {quantity}"
        case Name(name=name) if name.startswith(SINCE):
            return _since(_noun(name.removeprefix(SINCE)), sign, right)
        case Name(name="day"):
            moment = _moment(right)
            return {
                ">=": f"{moment} or later",
                ">": f"a day after {moment}",
                "<": f"a day before {moment}",
                "<=": f"{moment} or earlier",
            }.get(sign, f"a day {SIGNS[sign]} {quantity}")
        case Name(name="treatment_discontinued"):
            moment = _moment(right)
            return f"discontinuation of treatment {BY_DAY[sign]} {moment}"
    return f"{_quantity(left)} {_of(sign, quantity)}"


def _moment(tree: Tree) -> str:
    """A day, or the day that a column has."""
    quantity = _quantity(tree)
    return f"day {quantity}" if isinstance(tree, Constant) else f"the day of {quantity}"


def _since(treatment: str, sign: str, right: Tree) -> str:
    """A bound on the days since a treatment; where the bound is the day, since day 0."""
    if right == DAY:
        return {
            "<=": f"{treatment} ongoing or ended on day 0 or later",
            "<": f"{treatment} ongoing or ended after day 0",
            ">": f"no {treatment} ongoing or ended on day 0 or later",
            ">=": f"no {treatment} ongoing or ended after day 0",
        }.get(sign, f"{treatment} that ended {SIGNS[sign]} on day 0")
    quantity = _quantity(right)
    if sign in ("<", "<="):
        limit = SIGNS[sign].replace("below", "less than")
        return f"{treatment} ongoing or ended {limit} {quantity} days earlier"
    return f"no {treatment} ongoing or ended {NEGATED_SPAN[sign]} {quantity} days earlier"


def _noun(name: str) -> str:
    """A name as a noun: a column's or a class's own, without its underscores."""
    return NOUNS.get(name, name.replace("_", " "))


def value_at_row(value: AtRow) -> str:
    """A value at another row as a noun: `the highest dose of the last 8 weeks`."""
    noun = _noun(value.name).removeprefix("the ")
    if value.function == "at_baseline":
        return f"the {noun} at baseline"
    since = {"first": " from day 0 on", "highest": " since day 0", "lowest": " since day 0"}.get(value.function, "")
    return f"the {value.function} {noun}{since if value.length is None else f' of the last {value.length}'}"


def _of(sign: str, quantity: str) -> str:
    return f"{'of ' if sign in ('>=', '<=', '==') else ''}{SIGNS[sign]} {quantity}"


def _quantity(tree: Tree) -> str:
    match tree:
        case Constant(value=value):
            return number_in_words(value)
        case Text(value=value):
            return repr(value)
        case Name(name=name):
            return _noun(name)
        case AtRow():
            return value_at_row(tree)
        case Term(body=body):
            return _quantity(body)
        case Arithmetic(sign="*", left=Constant(value=value), right=Name() | AtRow() as right) if value in TIMES:
            return f"{TIMES[value]} {_quantity(right)}"
        case Arithmetic(sign=sign, left=left, right=right):
            word = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}[sign]
            return f"{_quantity(left)} {word} {_quantity(right)}"
    return tree_in_words(tree)


def length_in_words(length: Length) -> str:
    return str(length)
