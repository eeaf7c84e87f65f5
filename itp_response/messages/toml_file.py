"""TOML files: read, parsed and checked by a model; every problem is named with its line.

Criteria files, mapping files and the settings of an SDTM study are read here.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from itp_response.messages.codes import Code
from itp_response.messages.errors import ItpResponseError, Problem
from itp_response.messages.schema_errors import not_toml, worded
from itp_response.messages.toml_positions import KeyPositions, refuse

M = TypeVar("M", bound=BaseModel)

MOST_CHARACTERS = 10_000_000
"""The most characters of a file."""
MOST_LEVELS = 32
"""The most levels of lists, tables and dotted keys in each other."""
MOST_DIGITS = 18
"""The most digits of a whole number, so that it has 64 bits at most."""
TOKEN = re.compile(
    r"""
      \"{3}(?:\\.|[^\\])*?(?:"{3,5}|\Z) | '{3}.*?(?:'{3,5}|\Z)
    | "(?:\\.|[^"\\\n])*+"? | '[^'\n]*+'?
    | \#[^\n]*+ | [\[\]{}=,.\n] | [^\s\[\]{}=,."'\#]++
    """,
    re.VERBOSE | re.DOTALL,
)
"""A text, a comment, a sign or a word of TOML, also where a text is not closed."""


def load_toml(
    path: Path, error: type[ItpResponseError], unreadable: Callable[[OSError], str] | None = None
) -> tuple[dict[str, Any], KeyPositions]:
    """The content of a TOML file, and the positions of its keys.

    Raises `error` for a file that cannot be read or is not TOML. `unreadable` words the first of these.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as failure:
        sentence = unreadable(failure) if unreadable else file_unreadable(str(path), failure)
        raise error(Problem(sentence, code=unopened(failure), file=path.name)) from None
    except UnicodeDecodeError as failure:
        line = failure.object[: failure.start].count(b"\n") + 1
        sentence = f"{path.name}: line {line}: this is not UTF-8; save the file as UTF-8."
        raise error(Problem(sentence, code=Code.FILE_UNREADABLE, file=path.name, line=line)) from None
    return parse_toml(text, path.name, error)


def unopened(failure: OSError) -> Code:
    """The code of a file that cannot be opened."""
    return Code.FILE_NOT_FOUND if isinstance(failure, FileNotFoundError) else Code.FILE_UNREADABLE


def file_unreadable(path: str, failure: OSError) -> str:
    """The sentence for a file that cannot be opened."""
    if isinstance(failure, FileNotFoundError):
        return f"{path}: there is no such file."
    return f"{path}: cannot be read: {failure.strerror}."


def parse_toml(text: str, name: str, error: type[ItpResponseError]) -> tuple[dict[str, Any], KeyPositions]:
    r"""The content of a TOML text, and the positions of its keys; `name` is the file's.

    Raises `error` with the line, its problem and a caret for a text that is not TOML.

    >>> content, positions = parse_toml("[clock]\nvisits = [0, 28]", "mine.toml", ItpResponseError)
    >>> content, positions.at("clock", "visits")
    ({'clock': {'visits': [0, 28]}}, 'mine.toml: line 2: [clock] visits: ')
    """
    if too_much := _beyond_limits(text, name):
        raise error(too_much)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as failure:
        raise error(not_toml(name, text, str(failure))) from None
    return content, KeyPositions(name, content, text)


def _beyond_limits(text: str, name: str) -> Problem | None:
    r"""The problem of a text that is longer or deeper, or has longer numbers, than a file may have; None: it is within.

    >>> print(_beyond_limits("a = 1\nb = " + 33 * "[" + 33 * "]", "mine.toml"))
    mine.toml: line 2: lists and tables are more than 32 levels deep here; write them less deep.
    """
    if len(text) > MOST_CHARACTERS:
        sentence = f"the file has more than {MOST_CHARACTERS:,} characters; split it."
        return Problem(f"{name}: {sentence}", code=Code.NOT_TOML, file=name)
    line, opened, dots = 1, 0, 0
    for match in TOKEN.finditer(text):
        token = match[0]
        opened += (token in "[{") - (token in "]}")
        dots = dots + 1 if token == "." else 0 if token in "\n=,[]{}" else dots
        if max(opened, dots) > MOST_LEVELS:
            what, cure = f"lists and tables are more than {MOST_LEVELS} levels deep here", "write them less deep."
        elif (
            token[0] in "+-0123456789" and len(token.lstrip("+-0").replace("_", "")) > MOST_DIGITS and _is_whole(token)
        ):
            what, cure = (
                f"a whole number has at most {MOST_DIGITS} digits, and this one has more",
                "write a smaller one.",
            )
        else:
            line += token.count("\n")
            continue
        return Problem(f"{name}: line {line}: {what}; {cure}", code=Code.NOT_TOML, file=name, line=line)
    return None


def _is_whole(token: str) -> bool:
    """Whether a word of TOML is a whole number, decimal or of another base."""
    return re.fullmatch(r"[+-]?(?:[0-9_]+|0x[0-9A-Fa-f_]+|0o[0-7_]+|0b[01_]+)", token) is not None


def checked_by(
    model: type[M], content: Any, raw: Mapping[str, Any], positions: KeyPositions, error: type[ItpResponseError]
) -> M:
    """The content of a TOML file as the model; `raw` is the content as tomllib gives it.

    Raises `error` with every problem, in the order of the file.
    """
    try:
        return model.model_validate(content)
    except ValidationError as failure:
        refuse(worded(raw, positions, failure.errors(), model, {}), error)
        raise AssertionError from failure  # each of pydantic's errors is a problem, so refuse has raised


def tupled(value: Any) -> Any:
    """TOML's lists as tuples, which is what frozen models hold."""
    if isinstance(value, dict):
        return {key: tupled(entry) for key, entry in value.items()}
    return tuple(tupled(entry) for entry in value) if isinstance(value, list) else value
