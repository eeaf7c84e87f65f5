"""The tree of a rule: what the language of `when` has, and how to look into it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from itp_response.evaluation.clock import Length

Type = Literal["number", "truth", "text", "moment"]
"""What a name stands for. A moment is a day on which something happens, infinite if it never does."""


@dataclass(frozen=True)
class Constant:
    value: float


@dataclass(frozen=True)
class Text:
    value: str


@dataclass(frozen=True)
class Name:
    name: str
    type: Type


FUNCTIONS = ("previous", "first", "highest", "lowest", "at_baseline")
"""What a rule can ask of other rows."""
WITH_LENGTH = ("highest", "lowest")
"""The functions that can be limited to the rows of the last days."""


@dataclass(frozen=True)
class AtRow:
    """A number as it was observed on another row of the patient: `previous(dose)`, `highest(dose, "8 weeks")`."""

    function: str
    name: str
    length: Length | None = None

    def __str__(self) -> str:
        return f"{self.function}({self.name}{'' if self.length is None else f', {str(self.length)!r}'})"


@dataclass(frozen=True)
class Arithmetic:
    sign: str
    left: "Tree"
    right: "Tree"


@dataclass(frozen=True)
class Relation:
    sign: str
    left: "Tree"
    right: "Tree"


@dataclass(frozen=True)
class Not:
    part: "Tree"


@dataclass(frozen=True)
class And:
    parts: tuple["Tree", ...]


@dataclass(frozen=True)
class Or:
    parts: tuple["Tree", ...]


@dataclass(frozen=True)
class Term:
    """A name of `[terms]`, with what is behind it."""

    name: str
    body: "Tree"


Tree = Constant | Text | Name | AtRow | Arithmetic | Relation | Not | And | Or | Term


@dataclass(frozen=True)
class Rule:
    """A rule as it was written and as it was understood."""

    text: str
    tree: Tree = field(compare=False)

    def __str__(self) -> str:
        return self.text


def type_of(tree: Tree) -> Type:
    """The type of what a tree gives."""
    match tree:
        case Constant() | AtRow() | Arithmetic():
            return "number"
        case Text():
            return "text"
        case Name(type=type_):
            return type_
        case Term(body=body):
            return type_of(body)
    return "truth"


def parts_of(tree: Tree, joint: type[And] | type[Or]) -> tuple[Tree, ...]:
    """The parts a rule joins by `and` (or by `or`), in the order written, terms opened."""
    match tree:
        case Term(body=body) if isinstance(opened(body), joint):
            return parts_of(body, joint)
        case And(parts=parts) | Or(parts=parts) if isinstance(tree, joint):
            return tuple(inner for part in parts for inner in parts_of(part, joint))
    return (tree,)


def opened(tree: Tree) -> Tree:
    """The tree behind a term."""
    while isinstance(tree, Term):
        tree = tree.body
    return tree


def leaves(tree: Tree) -> Iterator[Tree]:
    """The comparisons and conditions a rule is made of, in the order written: its clauses."""
    match tree:
        case Term(body=body):
            yield from leaves(body)
        case Not(part=part):
            yield from leaves(part)
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from leaves(part)
        case _:
            yield tree


def leaves_denied(tree: Tree, denied: bool = False) -> Iterator[tuple[Tree, bool]]:
    """The clauses of a rule, in the order written, and whether each stands behind a `not`."""
    match tree:
        case Term(body=body):
            yield from leaves_denied(body, denied)
        case Not(part=part):
            yield from leaves_denied(part, not denied)
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from leaves_denied(part, denied)
        case _:
            yield tree, denied


def observed_in(tree: Tree) -> Iterator[Name | AtRow]:
    """What a tree asks of the observations, in the order written, terms opened."""
    return (value for value in _values_in(tree) if isinstance(value, Name | AtRow))


def constants_in(tree: Tree) -> Iterator[float]:
    """The numbers that a tree compares or calculates with, in the order written, terms opened."""
    return (value.value for value in _values_in(tree) if isinstance(value, Constant))


def _values_in(tree: Tree) -> Iterator[Tree]:
    """What a tree is made of that has no parts: names, values at other rows, numbers and texts."""
    match tree:
        case Term(body=body) | Not(part=body):
            yield from _values_in(body)
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from _values_in(part)
        case Arithmetic(left=left, right=right) | Relation(left=left, right=right):
            yield from _values_in(left)
            yield from _values_in(right)
        case _:
            yield tree


def names_in(tree: Tree) -> Iterator[str]:
    """The observed names a tree uses, in the order written, on whatever row, terms opened."""
    return (observed.name for observed in observed_in(tree))


def own_names_in(tree: Tree) -> set[str]:
    """The names a tree uses as they were observed on the row itself."""
    return {observed.name for observed in observed_in(tree) if isinstance(observed, Name)}


def other_rows_in(tree: Tree) -> list[AtRow]:
    """The values at another row that a tree uses, each once."""
    return list(dict.fromkeys(observed for observed in observed_in(tree) if isinstance(observed, AtRow)))


def last_day(tree: Tree, denied: bool = False) -> float:
    """The last day on which a rule can be other than false, by what it says of `day` alone; infinite: no limit.

    With `denied`, of the rule behind a `not`.

    >>> from itp_response.evaluation.rules.parse import Names, parse
    >>> names = Names({"rescue": "truth", "day": "number"})
    >>> last_day(parse("rescue and 1 <= day <= 87", names).tree), last_day(parse("rescue or day < 7", names).tree)
    (87.0, inf)
    """
    match tree:
        case Term(body=body):
            return last_day(body, denied)
        case Not(part=part):
            return last_day(part, not denied)
        case And(parts=parts) | Or(parts=parts):
            days = [last_day(part, denied) for part in parts]
            return min(days) if isinstance(tree, And) != denied else max(days)
        case Relation(sign=sign, left=Name(name="day"), right=Constant(value=value)):
            ends = sign in ((">", ">=", "!=") if denied else ("<", "<=", "=="))
            return float(value) if ends else math.inf
        case Relation(sign=sign, left=Constant(value=value), right=Name(name="day")):
            ends = sign in (("<", "<=", "!=") if denied else (">", ">=", "=="))
            return float(value) if ends else math.inf
    return math.inf


REASONS = {
    "platelets": "platelets",
    "bleeding_grade": "bleeding",
    "rescue": "rescue",
    "days_since_rescue": "rescue",
    "treatment_discontinued": "discontinued",
}
"""The reason that an observed name gives where it decides; another name gives itself."""
NOT_OBSERVED = ("day", "baseline")
"""Names that give a reason only where a clause names nothing else."""
SINCE = "days_since_"
"""How the names of days since a class of rescue treatment begin."""


def cause(tree: Tree) -> str:
    """The reason that a clause gives where it decides: the first thing observed that it names."""
    used = list(names_in(tree))
    observed = [name for name in used if name not in NOT_OBSERVED]
    name = (observed or used or ["rule"])[0]
    return REASONS.get(name, name.removeprefix(SINCE))


def reason(rule: Rule) -> str:
    """The reason that a rule gives: the name of the term that is the whole rule, else the rule's `cause`."""
    return rule.tree.name if isinstance(rule.tree, Term) else cause(rule.tree)
