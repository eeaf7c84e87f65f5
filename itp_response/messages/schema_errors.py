"""Wording: what pydantic and tomllib find wrong with a criteria file, in the words of the file."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from itp_response.messages.errors import unknown
from itp_response.messages.toml_positions import Keys, Positions, Problem

Model = type[BaseModel]

IS_NO = {
    "string_type": "text, which stands in quotes",
    "int_type": "whole number",
    "float_type": "number",
    "bool_type": "true or false",
    "date_type": "date, which stands without quotes, as 2018-08-30",
    "tuple_type": "list, which stands in [ ]",
    "dict_type": "table, which stands in { } or under a [head]",
    "model_type": "table, which stands in { } or under a [head]",
}
"""pydantic's words for a value of another type, and what the value is not."""

NOT_TOML = {
    "Invalid value": "this is no value; a text stands in quotes",
    "Expected '=' after a key in a key/value pair": "after a key comes '='",
    "Expected newline or end of document after a statement": "after a value the line ends",
    "Unterminated string": "the quote is never closed",
    "Illegal character '\\n'": "the quote is not closed on its line",
    "Unclosed array": "between the values of a list stand commas, after the last ']'",
    "Unclosed inline table": "between the keys of an inline table stand commas, after the last '}'",
    "Cannot overwrite a value": "this key is there already",
    "Cannot mutate immutable namespace": "this table is closed; put all its keys where it begins",
    "Duplicate inline table key": "this key is there already",
    "Invalid statement": "this is neither 'key = value' nor the [head] of a table",
    "Expected ']' at the end of a table declaration": "the head of a table ends with ']'",
    "Expected ']]' at the end of an array declaration": "this head ends with ']]'",
    "Invalid initial character for a key part": "here a key is missing",
    "Invalid date or datetime": "there is no such date",
    "Unescaped '\\' in a string": "a backslash in a text is written twice",
}
"""How tomllib's sentences begin, and ours."""


def not_toml(name: str, text: str, error: str) -> str:
    """What is said of a file that is no TOML: the line, its problem, and a caret under the place."""
    problem, _, place = error.partition(" (at ")
    twice = re.fullmatch(r"Cannot declare \((.*?),?\) twice", problem)
    if twice:
        said = f"[{'.'.join(re.findall(r'[^, ]+', twice[1])).replace(chr(39), '')}] is there twice"
    else:
        said = next((ours for theirs, ours in NOT_TOML.items() if problem.startswith(theirs)), _lowered(problem))
    numbers = re.findall(r"\d+", place)
    lines = text.splitlines() or [""]
    line, column = (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else (len(lines), len(lines[-1]) + 1)
    shown = lines[line - 1] if line <= len(lines) else ""
    return f"{name}: line {line}: this is not TOML: {said}.\n    {shown}\n    {' ' * (column - 1)}^"


def worded(
    raw: Mapping[str, Any],
    positions: Positions,
    errors: Sequence[ErrorDetails],
    file: Model,
    criteria: Mapping[str, Model],
) -> Iterator[Problem]:
    """Each problem that pydantic found, in our words; `criteria` has the models of those whose kind is known."""
    found: dict[Keys, list[tuple[Keys, Any, ErrorDetails]]] = {}
    for error in errors:
        loc = error["loc"]
        if loc[0] == "endpoints":  # stands for the top of the file, and a kind for the endpoint
            loc = (*loc[1:2], *loc[3:])
        path, value = _found(raw, loc)
        found.setdefault(path if error["type"] != "missing" else loc, []).append((loc, value, error))
    for path, ones in found.items():
        loc, value, error = ones[0]
        if error["type"] == "missing" and isinstance(loc[-1], str):
            field = _fields(loc[:-1], file, criteria).get(loc[-1])
            yield positions.problem(loc[:-1], _missing(loc, field))
        elif error["type"] == "extra_forbidden":
            yield positions.problem_with_key(path, unknown("key", str(path[-1]), _fields(path[:-1], file, criteria)))
        elif error["type"].startswith("union_tag"):
            yield positions.problem(
                (*loc, "kind"), unknown("kind", str(value["kind"]), _quoted_in(error["ctx"]["expected_tags"]))
            )
        elif not loc:
            yield positions.problem((), "there are no endpoints; an endpoint is a table with a 'kind'.")
        else:
            yield positions.problem(path, _sentence(path, value, [one for _, _, one in ones]))


def _quoted_in(text: str) -> list[str]:
    """The words that pydantic names in quotes."""
    return re.findall(r"'([^']*)'", text)


def _found(raw: Mapping[str, Any], loc: Keys) -> tuple[Keys, Any]:
    """As much of a place in the model as is a place in the file, and the value there.

    Of a value of several possible types, pydantic adds the type.
    """
    value: Any = raw
    for depth, key in enumerate(loc):
        inside = isinstance(key, int) and isinstance(value, list) and key < len(value)
        if not inside and not (isinstance(value, dict) and key in value):
            return loc[:depth], value
        value = value[key]
    return loc, value


def _fields(path: Keys, file: Model, criteria: Mapping[str, Model]) -> dict[str, Any]:
    """The keys that a table may have, and their fields."""
    model: Any = file
    if path and path[0] in criteria:
        model, path = criteria[str(path[0])], path[1:]
    for key in path:
        if isinstance(model, type) and issubclass(model, BaseModel):
            model = model.model_fields[str(key)].annotation
        else:  # a table of tables, or a list of them
            model = next(one for one in get_args(model) if one not in (str, Ellipsis))
    return {field.alias or name: field for name, field in model.model_fields.items() if name != "endpoints"}


def _missing(path: Keys, field: Any) -> str:
    key = path[-1]
    if field and isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
        return f"the table [{key}] is missing; it has {', '.join(_fields((), field.annotation, {}))}."
    means = f": {field.description}" if field and field.description else ""
    return f"the key {key!r} is missing{means}."


def _sentence(path: Keys, value: Any, errors: Sequence[ErrorDetails]) -> str:
    error = errors[0]
    kind, context = error["type"], error.get("ctx", {})
    known = _quoted_in(context.get("expected", ""))
    if kind in ("rule", "length") and not isinstance(value, str):
        what = "no rule, which is a text in quotes" if kind == "rule" else f"no{error['msg'].partition(' no')[2]}"
        return ended(f"{spelled(value)} is {what}")
    if kind == "rule":
        problem = ended(error["msg"])
        if path[-1] == "unless" and problem.startswith("unknown name"):
            first, rest = problem.split("\n", 1)
            cure = "'unless' is asked of the patient as a whole: it has no terms and nothing of a single day."
            return f"{first} {cure}\n{rest}"
        return problem
    if kind == "literal_error" and isinstance(value, str):
        return unknown("value", value, known)
    if kind == "literal_error":
        return f"{spelled(value)} is not known here; known: {', '.join(known)}."
    if kind in ("missing", "too_long") and isinstance(value, list):
        return f"{spelled(value)} is no pair of days; write [first, last]."
    if kind == "tuple_type" and len(path) == 1:
        return f"there may be several; write [[{path[0]}]]."
    if kind == "too_short":
        return f"{spelled(value)} is empty; give at least one."
    if kind == "greater_than_equal":
        return f"{spelled(value)} is too small; it is at least {spelled(context['ge'])}."
    types = [one["type"] for one in errors]
    if "too_long" in types:
        return f"{spelled(value)} has more than one entry; write each in {{ }} of its own."
    wrong = [IS_NO[one] for one in types if one in IS_NO and not (one == "int_type" and "float_type" in types)]
    if len(wrong) > 1:
        return f"{spelled(value)} is {' and '.join('no ' + what.partition(',')[0] for what in wrong)}."
    if wrong:
        return f"{spelled(value)} is no {wrong[0]}."
    return ended(_lowered(error["msg"]))


def spelled(value: Any) -> str:
    """A value as TOML writes it, texts in single quotes."""
    match value:
        case bool():
            return "true" if value else "false"
        case date():
            return value.isoformat()
        case dict():
            return f"{{ {', '.join(f'{key} = {spelled(one)}' for key, one in value.items())} }}" if value else "{ }"
        case list() | tuple():
            return f"[{', '.join(spelled(one) for one in value)}]"
    return repr(value)


def ended(problem: str) -> str:
    """A sentence with its full stop, above the rule that it shows."""
    first, *rest = problem.split("\n")
    rest = rest if "".join(rest).strip(" ^") else []  # of an empty rule nothing can be shown
    return "\n".join([first if first.endswith((".", "?")) else f"{first}.", *rest])


def _lowered(sentence: str) -> str:
    return f"{sentence[0].lower()}{sentence[1:]}"
