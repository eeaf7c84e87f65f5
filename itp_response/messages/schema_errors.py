"""Schema errors: the problems that tomllib and pydantic see in a TOML file, in the words of the file."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from itp_response.messages.codes import Code
from itp_response.messages.errors import Problem, as_problem, nearest_word, unknown
from itp_response.messages.toml_positions import KeyPositions, Keys
from itp_response.messages.wording import listed

Model = type[BaseModel]

IS_NOT = {
    "string_type": "a text; write it in quotes",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "date_type": "a date; write it without quotes, as 2018-08-30",
    "tuple_type": "a list; write it in [ ]",
    "dict_type": "a table; write it in { } or under a [head]",
    "model_type": "a table; write it in { } or under a [head]",
}
"""pydantic's words for a value of another type, and what the value is not."""

NOT_ENDED = "Expected newline or end of document after a statement"
NOT_TOML = {
    "Invalid value": "this is not a value; write a text in quotes",
    "Expected '=' after a key in a key/value pair": "a key must be followed by '='",
    NOT_ENDED: "a value must be followed by the end of the line",
    "Unterminated string": "the quote is never closed",
    "Illegal character '\\n'": "the quote is not closed on its line",
    "Unclosed array": "separate the values of a list by commas, and end it with ']'",
    "Unclosed inline table": "separate the keys of an inline table by commas, and end it with '}'",
    "Cannot overwrite a value": "this key is already present",
    "Cannot mutate immutable namespace": "this table is closed; put all its keys where it begins",
    "Duplicate inline table key": "this key is already present",
    "Invalid statement": "this is neither 'key = value' nor the [head] of a table",
    "Expected ']' at the end of a table declaration": "the head of a table must end with ']'",
    "Expected ']]' at the end of an array declaration": "this head must end with ']]'",
    "Invalid initial character for a key part": "a key is missing here",
    "Invalid date or datetime": "there is no such date",
    "Unescaped '\\' in a string": "write a backslash in a text twice",
}
"""How tomllib's sentences begin, and ours."""


WITHIN_QUOTES = "; within double quotes, write single ones"
"""Of a text that ends at a quote which was meant to stand in it: `when = "highest(dose, "8 weeks") <= 3"`."""
SHOWN = 160
"""Of a longer line of a file, the most characters that an error shows, those about the caret."""


def not_toml(name: str, text: str, error: str) -> Problem:
    """The message for a text that is not TOML: the line, its problem, and a caret under the position.

    `error` is tomllib's message.
    """
    problem, _, position = error.partition(" (at ")
    numbers = re.findall(r"\d+", position)
    lines = text.splitlines() or [""]
    line, column = (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else (len(lines), len(lines[-1]) + 1)
    shown = lines[line - 1] if line <= len(lines) else ""
    within = WITHIN_QUOTES if problem.startswith(NOT_ENDED) and shown[: column - 1].endswith('"') else ""
    sentence = f"{name}: line {line}: this is not TOML: {_not_toml(problem)}{within}."
    first = max(0, column - SHOWN // 2) if len(shown) > SHOWN else 0
    drawn = f"{sentence}\n    {shown[first : first + SHOWN]}\n    {' ' * (column - 1 - first)}^"
    return Problem(drawn, code=Code.NOT_TOML, file=name, line=line, position=column)


def _not_toml(problem: str) -> str:
    """Our words for tomllib's."""
    repeated = re.fullmatch(r"Cannot declare \((.*?),?\) twice", problem)
    if repeated:
        keys = [key.replace("'", "") for key in re.findall(r"[^, ]+", repeated[1])]
        return f"[{'.'.join(keys)}] is present twice"
    return next((ours for theirs, ours in NOT_TOML.items() if problem.startswith(theirs)), _lowered(problem))


@dataclass(frozen=True)
class _Error:
    """One of pydantic's errors, with the path in the model, and the value at the part of it that is in the file."""

    loc: Keys
    value: Any
    details: ErrorDetails

    @property
    def type(self) -> str:
        return self.details["type"]

    @property
    def context(self) -> Mapping[str, Any]:
        return self.details.get("ctx", {})

    @property
    def expected(self) -> list[str]:
        """The words that pydantic would take."""
        return _quoted_in(self.context.get("expected", ""))


def worded(
    raw: Mapping[str, Any],
    positions: KeyPositions,
    errors: Sequence[ErrorDetails],
    file: Model,
    endpoints: Mapping[str, Model],
) -> Iterator[Problem]:
    """Each problem that pydantic sees, in our words.

    `file` is the model of the file, and `endpoints` has the models of those endpoints of which the kind is known.
    """
    by_path: dict[Keys, list[_Error]] = {}
    for details in errors:
        loc = details["loc"]
        if loc[0] == "endpoints":  # a key of the model alone, and so is the kind after the name of an endpoint
            loc = (*loc[1:2], *loc[3:])
        path, value = _in_file(raw, loc)
        by_path.setdefault(loc if details["type"] == "missing" else path, []).append(_Error(loc, value, details))
    stands_for = _mistyped([there[0] for there in by_path.values()])
    for path, errors_there in by_path.items():
        error = errors_there[0]
        if error.loc in stands_for.values():
            continue
        if error.type == "missing" and isinstance(error.loc[-1], str):
            field = _fields(error.loc[:-1], file, endpoints).get(error.loc[-1])
            yield positions.problem(error.loc[:-1], Problem(_missing(error.loc, field), code=Code.KEY_MISSING))
        elif error.type == "extra_forbidden":
            sentence = unknown("key", str(path[-1]), _fields(path[:-1], file, endpoints))
            if path in stands_for and repr(missing := stands_for[path][-1]) not in sentence:
                sentence = sentence.replaced(f"{sentence} The key {missing!r} is missing.")
            yield positions.problem_with_key(path, sentence)
        elif error.type.startswith("union_tag"):
            kinds = _quoted_in(error.context["expected_tags"])
            yield positions.problem((*error.loc, "kind"), unknown("kind", str(error.value["kind"]), kinds))
        elif not error.loc:
            yield positions.problem((), "this file has no endpoints; an endpoint is a table with a 'kind'.")
        else:
            code = Code.RULE_UNREADABLE if error.type == "rule" else None
            value = None if isinstance(error.value, dict | list) else str(error.value)
            yield positions.problem(path, as_problem(_sentence(path, errors_there), code=code, value=value))


def _mistyped(errors: Sequence[_Error]) -> dict[Keys, Keys]:
    """The unknown keys that stand for missing keys of their table: those that are like them, then the others."""
    unknown_keys = [error.loc for error in errors if error.type == "extra_forbidden"]
    missing = [error.loc for error in errors if error.type == "missing" and isinstance(error.loc[-1], str)]
    stands_for: dict[Keys, Keys] = {}
    for only_near in (True, False):
        for path in unknown_keys:
            left = [str(loc[-1]) for loc in missing if loc[:-1] == path[:-1] and loc not in stands_for.values()]
            match = nearest_word(str(path[-1]), left) if only_near else next(iter(left), None)
            if match is not None and path not in stands_for:
                stands_for[path] = (*path[:-1], match)
    return stands_for


def _quoted_in(text: str) -> list[str]:
    """The words that pydantic puts in quotes."""
    return re.findall(r"'([^']*)'", text)


def _in_file(raw: Mapping[str, Any], loc: Keys) -> tuple[Keys, Any]:
    """The part of a path in the model that is a path in the file, and the value there.

    Where a value may be of several types, pydantic adds the type to the path.
    """
    value: Any = raw
    for depth, key in enumerate(loc):
        in_list = isinstance(key, int) and isinstance(value, list) and key < len(value)
        if not in_list and not (isinstance(value, dict) and key in value):
            return loc[:depth], value
        value = value[key]
    return loc, value


def _fields(path: Keys, file: Model, endpoints: Mapping[str, Model]) -> dict[str, Any]:
    """The keys that a table may have, and their fields."""
    model: Any = file
    if path and path[0] in endpoints:
        model, path = endpoints[str(path[0])], path[1:]
    for key in path:
        if isinstance(model, type) and issubclass(model, BaseModel):
            model = model.model_fields[str(key)].annotation
        else:  # a table of tables, or a list of them
            model = next(argument for argument in get_args(model) if argument not in (str, Ellipsis))
    return {field.alias or name: field for name, field in model.model_fields.items() if name != "endpoints"}


def _missing(path: Keys, field: Any) -> str:
    key = path[-1]
    if field and isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
        return f"the table [{key}] is missing; it has {', '.join(_fields((), field.annotation, {}))}."
    means = f": {field.description}" if field and field.description else ""
    return f"the key {key!r} is missing{means}."


def _sentence(path: Keys, errors: Sequence[_Error]) -> str:
    """The sentence for the errors of one value, which are several where it may be of several types."""
    error = errors[0]
    sentence = SENTENCES[error.type](path, error) if error.type in SENTENCES else ""
    return sentence or _of_types(error, [error.type for error in errors])


def _of_rule(path: Keys, error: _Error) -> str:
    if not isinstance(error.value, str):
        return ended(f"{spelled(error.value)} is not a rule; write a rule as a text in quotes")
    problem = ended(error.details["msg"])
    if path[-1] in ("only", "unless") and problem.startswith("unknown name"):
        first, rest = problem.split("\n", 1)
        cure = f"{path[-1]!r} is a rule over the patient as a whole: it cannot use terms or what was observed on a day."
        return f"{first} {cure}\n{rest}"
    return problem


def _of_length(_: Keys, error: _Error) -> str:
    if isinstance(error.value, str):
        return ""
    return ended(f"{spelled(error.value)} is not{error.details['msg'].partition(' is not')[2]}")


def _of_choice(_: Keys, error: _Error) -> str:
    if isinstance(error.value, str):
        return unknown("value", error.value, error.expected)
    return f"{spelled(error.value)} is not known here; known: {', '.join(error.expected)}."


def _of_pair(_: Keys, error: _Error) -> str:
    if not isinstance(error.value, list):
        return ""
    return f"{spelled(error.value)} is not a pair of days; write [first, last]."


def _of_list(path: Keys, error: _Error) -> str:
    is_table = len(path) == 1 and isinstance(error.value, dict)
    return f"this table may be repeated; write [[{path[0]}]]." if is_table else ""


def _of_empty(_: Keys, error: _Error) -> str:
    return f"{spelled(error.value)} is empty; give at least one entry."


def _of_least(_: Keys, error: _Error) -> str:
    return f"{spelled(error.value)} is too small; it must be at least {spelled(error.context['ge'])}."


def _of_most(_: Keys, error: _Error) -> str:
    return f"{spelled(error.value)} is too large; it must be at most {error.context['le']:,}."


SENTENCES: dict[str, Callable[[Keys, _Error], str]] = {
    "rule": _of_rule,
    "length": _of_length,
    "literal_error": _of_choice,
    "missing": _of_pair,
    "too_long": _of_pair,
    "tuple_type": _of_list,
    "too_short": _of_empty,
    "greater_than_equal": _of_least,
    "less_than_equal": _of_most,
}
"""The sentence for each of pydantic's types of error that has one of its own; empty where it has not for this value."""


def _of_types(error: _Error, types: Sequence[str]) -> str:
    """The sentence for a value of a wrong type; `types` are those of all its errors."""
    if "too_long" in types:
        return f"{spelled(error.value)} has more than one entry; write each in its own {{ }}."
    if "float_type" in types:  # what may be any number need not be whole
        types = [name for name in types if name != "int_type"]
    wrong = [IS_NOT[name] for name in types if name in IS_NOT]
    if len(wrong) > 1:
        return f"{spelled(error.value)} must be {listed([what.partition(';')[0] for what in wrong], 'or')}."
    if wrong:
        return f"{spelled(error.value)} is not {wrong[0]}."
    return ended(_lowered(error.details["msg"]))


def spelled(value: Any) -> str:
    """A value as TOML writes it, texts in single quotes.

    >>> spelled({"days": [1, 28], "on": True, "name": "OR"})
    "{ days = [1, 28], on = true, name = 'OR' }"
    """
    match value:
        case bool():
            return "true" if value else "false"
        case date():
            return value.isoformat()
        case dict():
            entries = ", ".join(f"{key} = {spelled(entry)}" for key, entry in value.items())
            return f"{{ {entries} }}" if value else "{ }"
        case list() | tuple():
            return f"[{', '.join(spelled(entry) for entry in value)}]"
    return repr(value)


def ended(problem: str) -> str:
    """A sentence with its full stop, above the rule that it shows."""
    first, *rest = problem.split("\n")
    rest = rest if "".join(rest).strip(" ^") else []  # of an empty rule nothing can be shown
    return "\n".join([first if first.endswith((".", "?")) else f"{first}.", *rest])


def _lowered(sentence: str) -> str:
    return f"{sentence[0].lower()}{sentence[1:]}"
