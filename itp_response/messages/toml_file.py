"""TOML files: read, parsed and checked by a model; every problem is named with its line.

Criteria files, mapping files and the settings of an SDTM study are read here.
"""

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
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as failure:
        raise error(not_toml(name, text, str(failure))) from None
    return content, KeyPositions(name, content, text)


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
