"""JSON text: what JSON holds, of which nothing may be lost on the way.

Python's parser keeps the last of two values with one name, reads numbers that JSON does not have, and gives texts that
are none in UTF-8. Here each of these is an error, as is what is nested too deeply for it.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from itp_response.readers.problems import quoted

HALF = re.compile(r"\\u[dD][89abAB]|\\u[dD][c-fC-F]|[\ud800-\udfff]")
"""One of the two halves by which a rare letter is written; alone it is no letter."""


class JsonError(ValueError):
    """A text is no JSON, or its content cannot be kept; the message says why, in a clause."""


def parsed_json(text: str, parse_float: Callable[[str], Any] | None = None) -> Any:
    """The content of a text; raises `JsonError`.

    >>> parsed_json('{"rows": [1], "rows": [2]}')
    Traceback (most recent call last):
    itp_response.readers.json_text.JsonError: 'rows' is there twice in one object
    """
    try:
        content = json.loads(
            text, parse_float=parse_float, parse_constant=_no_number, parse_int=_whole, object_pairs_hook=_each_once
        )
        if HALF.search(text):
            json.dumps(content, ensure_ascii=False, default=str).encode()
    except RecursionError:
        raise JsonError("it is nested too deeply") from None
    except UnicodeEncodeError:
        raise JsonError("a text in it has half a letter (a surrogate), so it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise JsonError(f"it is not complete JSON ({error})") from None
    return content


def _whole(digits: str) -> int:
    """The number; one of hundreds of digits, which takes Python ever longer, is refused."""
    if len(digits) > 300:
        raise JsonError(f"{quoted(digits)} is too large a number")
    return int(digits)


def _no_number(name: str) -> None:
    raise JsonError(f"{name} is not a number of JSON")


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise JsonError(f"{quoted(twice)} is there twice in one object")
    return content
