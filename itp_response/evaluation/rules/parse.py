"""Parsing: from a rule as it is written to its tree, by a white list. A caret points to what is not listed."""

import ast
import math
from collections.abc import Collection, Mapping
from typing import NamedTuple

from itp_response.evaluation.clock import LENGTH, Length
from itp_response.evaluation.rules.tree import (
    FUNCTIONS,
    WITH_LENGTH,
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
    Type,
    type_of,
)
from itp_response.messages.codes import Code
from itp_response.messages.errors import ItpResponseError, Problem, unknown

MOST_CHARACTERS = 10_000
"""The most characters of a rule or a term."""
MOST_LEVELS = 50
"""The most levels of a rule: parentheses, 'not', sums and terms in each other."""
MOST_PARTS = 1_000
"""The most numbers, names, comparisons and other parts of a rule, its terms written out."""
HIGHEST_NUMBER = 1e9
"""The highest number of a rule."""
SHOWN = 160
"""Of a longer rule, the most characters that an error shows."""


class RuleError(ItpResponseError):
    """A rule cannot be understood; the message shows it with a caret under the place."""

    def __init__(self, problem: str, text: str, start: int = 0, end: int | None = None) -> None:
        self.problem = problem
        self.text = text
        before = max(0, start - SHOWN // 2) if len(text) > SHOWN else 0
        shown = text[before : before + SHOWN]
        width = min(max(1, (len(text) if end is None else end) - start), max(1, before + SHOWN - start))
        drawn = f"{problem}\n    {shown}\n    {' ' * (start - before)}{'^' * width}"
        super().__init__(Problem(drawn, code=Code.RULE_UNREADABLE, position=start + 1, value=text))


ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
CURES: dict[type[ast.AST], str] = {
    ast.BitAnd: "Write 'and'.",
    ast.BitOr: "Write 'or'.",
    ast.Invert: "Write 'not'.",
    ast.Pow: "Write it out as a product.",
}


class Names:
    """The names a rule may use: what is observed, with its type, and terms, which are parsed when first used.

    `ranges` has the lowest and the highest value that can be observed of a number; a threshold beyond is refused.
    `on_rows` are the numbers that are observed on rows, of which a rule may ask what they are at another row.
    """

    def __init__(
        self,
        observed: Mapping[str, Type],
        terms: Mapping[str, str] | None = None,
        ranges: Mapping[str, tuple[float, float]] | None = None,
        on_rows: Collection[str] = (),
    ) -> None:
        self.observed = dict(observed)
        self.terms = dict(terms or {})
        self.ranges = dict(ranges or {})
        self.on_rows = tuple(on_rows)
        self._trees: dict[str, Tree] = {}
        self._sizes: dict[str, Size] = {}
        self._open: list[str] = []

    @property
    def known(self) -> list[str]:
        return sorted({*self.observed, *self.terms})

    def term(self, name: str) -> Term:
        if name in self._open:
            circle = [*self._open[self._open.index(name) :], name]
            raise RuleError(f"terms refer to each other in a circle: {' -> '.join(circle)}", self.terms[name])
        if name not in self._trees:
            if len(self._open) == MOST_LEVELS:
                raise RuleError(too_deep(), self.terms[name])
            self._open.append(name)
            try:
                self._trees[name], self._sizes[name] = _parsed(self.terms[name], self)
            finally:
                self._open.pop()
        return Term(name, self._trees[name])

    def size_of(self, term: str) -> "Size":
        """The size of a term that was parsed."""
        return self._sizes[term]


class Size(NamedTuple):
    """How large a rule is with its terms written out."""

    parts: int
    levels: int


def too_deep() -> str:
    """What is wrong with a rule of too many levels."""
    return (
        f"a rule has at most {MOST_LEVELS} levels of parentheses, signs and terms, and this one has more; simplify it"
    )


def parse(text: str, names: Names) -> Rule:
    """The rule that `text` writes: a condition, which is true, false or unknown at a row.

    Raises `RuleError` for a text that is not a condition over these names.

    >>> str(parse("platelets >= 30 and not rescue", Names({"platelets": "number", "rescue": "truth"})))
    'platelets >= 30 and not rescue'
    """
    tree = parse_expression(text, names)
    if type_of(tree) not in ("truth", "moment"):
        raise RuleError(f"this is a {type_of(tree)}, not a condition; compare it with a value", text)
    return Rule(text, tree)


def parse_expression(text: str, names: Names) -> Tree:
    """The tree of a rule or of a term, which may be a number too."""
    return _parsed(text, names)[0]


def _parsed(text: str, names: Names) -> tuple[Tree, Size]:
    """The tree of a rule or of a term, and how large it is."""
    flat = " ".join(text.split())
    if not flat:
        raise RuleError("the rule is empty", flat)
    if len(flat) > MOST_CHARACTERS:
        problem = (
            f"a rule has at most {MOST_CHARACTERS:,} characters, and this one has {len(flat):,}; split it into terms"
        )
        raise RuleError(problem, flat)
    try:
        body = ast.parse(flat, mode="eval").body
    except SyntaxError as error:
        start = min(max((error.offset or 1) - 1, 0), len(flat))
        raise RuleError(_syntax_problem(flat, start, error.msg), flat, start, start + 1) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise RuleError(f"this is not a valid rule: {error}", flat) from None
    parser = _Parser(flat, names)
    return parser.tree(body), Size(parser.parts, parser.deepest)


def _syntax_problem(text: str, start: int, message: str) -> str:
    for wrong, right in {"≥": ">=", "≤": "<=", "≠": "!=", "×": "*", "&&": "and", "||": "or", "!": "not"}.items():
        if wrong in text and not (wrong == "!" and "!=" in text):
            return f"{wrong!r} is not part of the rule language. Write {right!r}."
    for wrong, right in {"=>": ">=", "=<": "<="}.items():
        if text[start : start + 2] == wrong:
            return f"{wrong!r} is not part of the rule language. Write {right!r}."
    if text[start : start + 1] == "=" or " = " in text:
        return "'=' is not part of the rule language. Write '==' for equal."
    return f"this is not a valid rule: {message}"


class _Parser:
    """Turns Python's tree into a rule's tree; refuses what is not listed here."""

    def __init__(self, text: str, names: Names) -> None:
        self.text = text
        self.names = names
        self.parts = self.level = self.deepest = 0

    def tree(self, node: ast.expr) -> Tree:
        self.level += 1
        self.enlarge(node, Size(1, 0))
        tree = self.understood(node)
        self.level -= 1
        return tree

    def enlarge(self, node: ast.expr, by: Size) -> None:
        """Count a part of the rule; raises an error where the rule is too large by now."""
        self.parts += by.parts
        self.deepest = max(self.deepest, self.level + by.levels)
        if self.deepest > MOST_LEVELS:
            raise self.error(node, too_deep())
        if self.parts > MOST_PARTS:
            problem = (
                f"a rule has at most {MOST_PARTS:,} parts, its terms written out, and this one has more; shorten it"
            )
            raise self.error(node, problem)

    def understood(self, node: ast.expr) -> Tree:
        match node:
            case ast.BoolOp(op=op, values=values):
                parts = tuple(self.condition(value) for value in values)
                return And(parts) if isinstance(op, ast.And) else Or(parts)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(self.condition(operand))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return Constant(-self.constant(node, value))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Arithmetic("-", Constant(0.0), self.number(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
                return Arithmetic(ARITHMETIC[type(op)], self.number(left), self.number(right))
            case ast.Compare():
                return self.comparison(node)
            case ast.Name(id=name):
                return self.name(node, name)
            case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]):
                return self.at_row(node, function, arguments)
            case ast.Constant(value=bool()):
                raise self.error(node, f"{node.value!r} is not part of the rule language")
            case ast.Constant(value=int() | float() as value):
                return Constant(self.constant(node, value))
            case ast.Constant(value=str() as value):
                return Text(value)
        cure = CURES.get(type(node.op), "") if isinstance(node, ast.BinOp | ast.UnaryOp) else ""
        known = "numbers, names, + - * /, < <= > >= == !=, and, or, not, parentheses, values at another row"
        raise self.error(node, f"this is not part of the rule language, which has {known}. {cure}".rstrip())

    def constant(self, node: ast.expr, value: float) -> float:
        if value > HIGHEST_NUMBER:
            raise self.error(node, f"a number in a rule is at most {HIGHEST_NUMBER:,.0f}; write a smaller one")
        return float(value)

    def name(self, node: ast.expr, name: str) -> Tree:
        if name in self.names.terms:
            term = self.names.term(name)
            self.enlarge(node, self.names.size_of(name))
            return term
        if name in self.names.observed:
            return Name(name, self.names.observed[name])
        raise self.error(node, unknown("name", name, self.names.known))

    def at_row(self, node: ast.Call, function: str, arguments: list[ast.expr]) -> Tree:
        """A value at another row; raises an error where it is not written as one."""
        if function not in FUNCTIONS:
            raise self.error(node.func, unknown("function", function, FUNCTIONS))
        if not self.names.on_rows:
            raise self.error(node, f"{function}() looks at other rows; a rule over patients or endpoints has none")
        most = 2 if function in WITH_LENGTH else 1
        if not 1 <= len(arguments) <= most:
            length = ", and a length such as '8 weeks' if needed" if most == 2 else ", and no length"
            raise self.error(node, f"{function}() takes one name{length}; write {function}({self.names.on_rows[0]})")
        self.enlarge(node, Size(len(arguments), 1))
        name = self.name_on_rows(arguments[0], function)
        return AtRow(function, name, self.length(arguments[1]) if len(arguments) > 1 else None)

    def name_on_rows(self, node: ast.expr, function: str) -> str:
        """The name that a function is asked of."""
        takes = f"{function}() takes the name of a number that is observed on rows ({', '.join(self.names.on_rows)})"
        if not isinstance(node, ast.Name):
            raise self.error(node, f"{takes}, and nothing else")
        if node.id not in self.names.on_rows:
            type_ = type_of(self.name(node, node.id))
            is_what = "a term" if node.id in self.names.terms else f"a {type_}" if type_ in ("text", "truth") else ""
            raise self.error(node, f"{takes}, and {node.id!r} is {is_what or 'none of them'}")
        return node.id

    def length(self, node: ast.expr) -> Length:
        """The length of time of a function."""
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            raise self.error(node, "a length of time is a quoted text; write '7 days' or '8 weeks'")
        if not LENGTH.fullmatch(node.value):
            problem = f"{node.value!r} is not a length of time; write it in days or weeks, as '7 days' or '8 weeks'"
            raise self.error(node, problem)
        try:
            length = Length(node.value)
        except ValueError as error:
            raise self.error(node, str(error)) from None
        if length.unit != "days":
            raise self.error(node, f"{node.value!r} are calendar months; write the length in days or weeks")
        return length

    def comparison(self, node: ast.Compare) -> Tree:
        sides = [self.tree(side) for side in (node.left, *node.comparators)]
        relations = []
        for op, left, right in zip(node.ops, sides, sides[1:], strict=False):
            if type(op) not in COMPARISONS:
                raise self.error(node, "this comparison is not part of the rule language, which has < <= > >= == !=")
            relations.append(self.compared(node, COMPARISONS[type(op)], left, right))
        return relations[0] if len(relations) == 1 else And(tuple(relations))

    def compared(self, node: ast.expr, sign: str, left: Tree, right: Tree) -> Tree:
        types = {type_of(left), type_of(right)}
        if "truth" in types:
            raise self.error(node, "a condition cannot be compared; use it as it is, or with 'not'")
        if "text" in types:
            if types != {"text"} or sign not in ("==", "!=") or isinstance(left, Text) == isinstance(right, Text):
                raise self.error(node, "compare a text column with a quoted text, by == or !=")
            if isinstance(left, Text):
                left, right = right, left
        for observed, limit in ((left, right), (right, left)):
            if isinstance(observed, Name | AtRow) and isinstance(limit, Constant):
                self.check_reachable(node, observed.name, limit.value)
        return Relation(sign, left, right)

    def check_reachable(self, node: ast.expr, name: str, limit: float) -> None:
        """Raises an error for a threshold beyond all that can be observed."""
        least, most = self.names.ranges.get(name, (-math.inf, math.inf))
        if not least <= limit <= most:
            problem = f"{name} lies between {least:g} and {most:g}, so that {limit:g} is no threshold"
            raise self.error(node, problem)

    def number(self, node: ast.expr) -> Tree:
        tree = self.tree(node)
        if type_of(tree) not in ("number", "moment"):
            raise self.error(node, f"a number is required here, but this is a {type_of(tree)}")
        return tree

    def condition(self, node: ast.expr) -> Tree:
        tree = self.tree(node)
        if type_of(tree) not in ("truth", "moment"):
            raise self.error(
                node, f"a condition is required here, but this is a {type_of(tree)}; compare it with a value"
            )
        return tree

    def error(self, node: ast.expr, problem: str) -> RuleError:
        # Python counts places in bytes of UTF-8.
        line = self.text.encode()
        start, end = node.col_offset, node.end_col_offset or node.col_offset
        return RuleError(problem, self.text, len(line[:start].decode()), len(line[:end].decode()))
