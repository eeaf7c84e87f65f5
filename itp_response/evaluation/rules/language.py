"""Rules: the small language of `when`, parsed once and decided over whole columns.

A rule is true, false or unknown at a row, after Kleene.
A number is held as its bounds, `low` and `high`: equal where it was observed, apart where it is censored, NaN where it
was not observed.
A comparison is true if it holds wherever the truth lies between the bounds, false if it holds nowhere.
With NaN neither can be shown, so what was not observed is unknown without a case of its own.
"""

import ast
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from itp_response.messages.errors import ItpResponseError, unknown

Bools = NDArray[np.bool_]
Floats = NDArray[np.floating]
Type = Literal["number", "truth", "text", "moment"]
"""What a name stands for. A moment is a day on which something happens, infinite if it never does."""


@dataclass(frozen=True)
class Numbers:
    """A number at each row: any value from `low` to `high`; NaN in both is unknown."""

    low: Floats
    high: Floats

    @property
    def exact(self) -> bool:
        """No value is censored. Held as one array, so that nothing is worked out twice."""
        return self.high is self.low

    def at(self, index: "Index") -> "Numbers":
        low = self.low[index]
        return Numbers(low, low if self.exact else self.high[index])


@dataclass(frozen=True)
class Truths:
    """True, false, or (where neither holds) unknown at each row."""

    true: Bools
    false: Bools

    @property
    def unknown(self) -> Bools:
        return ~(self.true | self.false)

    def at(self, index: "Index") -> "Truths":
        return Truths(self.true[index], self.false[index])


@dataclass(frozen=True)
class Texts:
    """A text at each row as its place in `labels`; -1 is unknown."""

    codes: NDArray[np.int32]
    labels: tuple[str, ...]

    def at(self, index: "Index") -> "Texts":
        return Texts(self.codes[index], self.labels)


Index = slice | NDArray[np.integer]
Column = Numbers | Truths | Texts
"""What was observed under one name, an entry per row or per patient; `at` gives the entries of a part."""


def exactly(values: Floats) -> Numbers:
    """Numbers none of which is censored."""
    return Numbers(values, values)


def with_bounds(low: Floats, high: Floats) -> Numbers:
    """Numbers with these bounds, exact where none of them are apart."""
    return exactly(low) if np.array_equal(low, high, equal_nan=True) else Numbers(low, high)


EDGE = 2.0**-36
"""How far from a bound that is not reached the last value lies, as a share of it: nearer than counts are given, and
far enough for sums and products not to round it away."""


def just_below(value: Any) -> Any:
    """The highest value below a bound, of a number or an array."""
    return value - EDGE * np.maximum(np.abs(value), 1.0)


def just_above(value: Any) -> Any:
    """The lowest value above a bound, of a number or an array."""
    return value + EDGE * np.maximum(np.abs(value), 1.0)


def known(condition: Bools) -> Truths:
    """The truths of a condition that is known everywhere."""
    return Truths(condition, ~condition)


class Rows(Protocol):
    """What a rule is decided over."""

    decided: dict["Tree", Truths]

    def values(self, name: str) -> Column: ...


@dataclass(frozen=True)
class Number:
    value: float


@dataclass(frozen=True)
class Text:
    value: str


@dataclass(frozen=True)
class Name:
    name: str
    type: Type


@dataclass(frozen=True)
class Arithmetic:
    sign: str
    left: "Tree"
    right: "Tree"


@dataclass(frozen=True)
class Comparison:
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


Tree = Number | Text | Name | Arithmetic | Comparison | Not | And | Or | Term


@dataclass(frozen=True)
class Rule:
    """A rule as it was written and as it was understood."""

    text: str
    tree: Tree = field(compare=False)

    def __str__(self) -> str:
        return self.text


class RuleError(ItpResponseError):
    """A rule cannot be understood; shows it with a caret under the place."""

    def __init__(self, problem: str, text: str, start: int = 0, end: int | None = None) -> None:
        self.problem = problem
        width = max(1, (len(text) if end is None else end) - start)
        super().__init__(f"{problem}\n    {text}\n    {' ' * start}{'^' * width}")


# PARSING

ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
CURES: dict[type[ast.AST], str] = {
    ast.BitAnd: "Write 'and'.",
    ast.BitOr: "Write 'or'.",
    ast.Invert: "Write 'not'.",
    ast.Pow: "Write it out as a product.",
}


class Names:
    """The names a rule may use: those observed, with their types, and terms, parsed when first met."""

    def __init__(self, observed: Mapping[str, Type], terms: Mapping[str, str] | None = None) -> None:
        self.observed = dict(observed)
        self.terms = dict(terms or {})
        self._trees: dict[str, Tree] = {}
        self._open: list[str] = []

    @property
    def known(self) -> list[str]:
        return sorted({*self.observed, *self.terms})

    def term(self, name: str) -> Term:
        if name in self._open:
            circle = [*self._open[self._open.index(name) :], name]
            raise RuleError(f"terms go in a circle: {' -> '.join(circle)}", self.terms[name])
        if name not in self._trees:
            self._open.append(name)
            try:
                self._trees[name] = parse_expression(self.terms[name], self)
            finally:
                self._open.pop()
        return Term(name, self._trees[name])


def parse(text: str, names: Names) -> Rule:
    """The rule that `text` writes: a condition, true, false or unknown at a row."""
    tree = parse_expression(text, names)
    if type_of(tree) not in ("truth", "moment"):
        raise RuleError(f"this is a {type_of(tree)}, not a condition; compare it with something", text)
    return Rule(text, tree)


def parse_expression(text: str, names: Names) -> Tree:
    """The tree of a rule or of a term, which may be a number too."""
    flat = " ".join(text.split())
    if not flat:
        raise RuleError("the rule is empty", flat)
    try:
        body = ast.parse(flat, mode="eval").body
    except SyntaxError as error:
        start = min(max((error.offset or 1) - 1, 0), len(flat))
        raise RuleError(_syntax_problem(flat, start, error.msg), flat, start, start + 1) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise RuleError(f"this cannot be read as a rule: {error}", flat) from None
    return _Parser(flat, names).tree(body)


def _syntax_problem(text: str, start: int, message: str) -> str:
    for wrong, right in {"≥": ">=", "≤": "<=", "≠": "!=", "×": "*", "&&": "and", "||": "or", "!": "not"}.items():
        if wrong in text and not (wrong == "!" and "!=" in text):
            return f"{wrong!r} is not part of the language. Write {right!r}."
    if text[start : start + 1] == "=" or " = " in text:
        return "'=' is not part of the language. Write '==' for equal."
    return f"this cannot be read as a rule: {message}"


class _Parser:
    """Turns Python's tree into ours: what is not listed here is refused."""

    def __init__(self, text: str, names: Names) -> None:
        self.text = text
        self.names = names

    def tree(self, node: ast.expr) -> Tree:
        match node:
            case ast.BoolOp(op=op, values=values):
                parts = tuple(self.condition(value) for value in values)
                return And(parts) if isinstance(op, ast.And) else Or(parts)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(self.condition(operand))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return Number(-float(value))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Arithmetic("-", Number(0.0), self.number(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
                return Arithmetic(ARITHMETIC[type(op)], self.number(left), self.number(right))
            case ast.Compare():
                return self.comparison(node)
            case ast.Name(id=name):
                return self.name(node, name)
            case ast.Constant(value=bool()):
                raise self.error(node, f"{node.value!r} is not part of the language")
            case ast.Constant(value=int() | float() as value):
                return Number(float(value))
            case ast.Constant(value=str() as value):
                return Text(value)
        cure = CURES.get(type(node.op), "") if isinstance(node, ast.BinOp | ast.UnaryOp) else ""
        known = "numbers, names, + - * /, < <= > >= == !=, and, or, not, parentheses"
        raise self.error(node, f"this is not part of the language, which has {known}. {cure}".rstrip())

    def name(self, node: ast.expr, name: str) -> Tree:
        if name in self.names.terms:
            return self.names.term(name)
        if name in self.names.observed:
            return Name(name, self.names.observed[name])
        raise self.error(node, unknown("name", name, self.names.known))

    def comparison(self, node: ast.Compare) -> Tree:
        sides = [self.tree(side) for side in (node.left, *node.comparators)]
        found = []
        for op, left, right in zip(node.ops, sides, sides[1:], strict=False):
            if type(op) not in COMPARISONS:
                raise self.error(node, "this comparison is not part of the language, which has < <= > >= == !=")
            found.append(self.compared(node, COMPARISONS[type(op)], left, right))
        return found[0] if len(found) == 1 else And(tuple(found))

    def compared(self, node: ast.expr, sign: str, left: Tree, right: Tree) -> Tree:
        types = {type_of(left), type_of(right)}
        if "truth" in types:
            raise self.error(node, "a condition is not compared; use it as it is, or with 'not'")
        if "text" in types:
            if types != {"text"} or sign not in ("==", "!=") or isinstance(left, Text) == isinstance(right, Text):
                raise self.error(node, "a text is compared by == or != of its name with a quoted text")
            if isinstance(left, Text):
                left, right = right, left
        return Comparison(sign, left, right)

    def number(self, node: ast.expr) -> Tree:
        tree = self.tree(node)
        if type_of(tree) not in ("number", "moment"):
            raise self.error(node, f"a number is needed here, this is a {type_of(tree)}")
        return tree

    def condition(self, node: ast.expr) -> Tree:
        tree = self.tree(node)
        if type_of(tree) not in ("truth", "moment"):
            raise self.error(node, f"a condition is needed here, this is a {type_of(tree)}; compare it with something")
        return tree

    def error(self, node: ast.expr, problem: str) -> RuleError:
        # Python counts places in bytes of UTF-8.
        line = self.text.encode()
        start, end = node.col_offset, node.end_col_offset or node.col_offset
        return RuleError(problem, self.text, len(line[:start].decode()), len(line[:end].decode()))


def type_of(tree: Tree) -> Type:
    """What a tree gives."""
    match tree:
        case Number() | Arithmetic():
            return "number"
        case Text():
            return "text"
        case Name(type=type_):
            return type_
        case Term(body=body):
            return type_of(body)
    return "truth"


# DECIDING


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
        case Comparison(sign=sign, left=left, right=Text(value=value)):
            equal = _same_text(rows, left, value)
            return equal if sign == "==" else Truths(equal.false, equal.true)
        case Comparison(sign=sign, left=left, right=right):
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
        case Number(value=value):
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


# LOOKING INTO A RULE


def parts_of(tree: Tree, joint: type[And] | type[Or]) -> tuple[Tree, ...]:
    """The parts a rule joins by `and` (or by `or`), in the order written, terms opened."""
    match tree:
        case Term(body=body) if isinstance(opened(body), joint):
            return parts_of(body, joint)
        case And(parts=parts) | Or(parts=parts) if isinstance(tree, joint):
            return tuple(part for one in parts for part in parts_of(one, joint))
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


def names_in(tree: Tree) -> Iterator[str]:
    """The observed names a tree uses, in the order written, terms opened."""
    match tree:
        case Name(name=name):
            yield name
        case Term(body=body) | Not(part=body):
            yield from names_in(body)
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from names_in(part)
        case Arithmetic(left=left, right=right) | Comparison(left=left, right=right):
            yield from names_in(left)
            yield from names_in(right)


REASONS = {
    "platelets": "platelets",
    "bleeding_grade": "bleeding",
    "rescue": "rescue",
    "days_since_rescue": "rescue",
    "treatment_discontinued": "discontinued",
}
NOT_OBSERVED = ("day", "baseline")
SINCE = "days_since_"


def cause(tree: Tree) -> str:
    """The first thing observed that a clause names: the reason it gives where it decides."""
    used = list(names_in(tree))
    observed = [name for name in used if name not in NOT_OBSERVED]
    name = (observed or used or ["rule"])[0]
    return REASONS.get(name, name.removeprefix(SINCE))


def reason(rule: Rule) -> str:
    """The name of the term that is the whole rule, else what the rule is about."""
    return rule.tree.name if isinstance(rule.tree, Term) else cause(rule.tree)
