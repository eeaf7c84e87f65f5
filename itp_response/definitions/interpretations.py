"""Interpretations: the changes by which an ambiguous definition is read another way."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from itp_response.messages.errors import unknown
from itp_response.messages.toml_positions import Positions, Problem


def changed(raw: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A criteria file's content with a change made, table by table; an empty text takes a key out."""
    made = dict(raw)
    for key, value in change.items():
        below = made.get(key)
        if value == "":
            made.pop(key, None)
        else:
            made[key] = changed(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return made


def wrong_change(raw: Mapping[str, Any], change: Mapping[str, Any], positions: Positions) -> Iterator[Problem]:
    """The keys of a change that are nowhere in the file."""
    for table, keys in change.items():
        if table not in raw:
            yield positions.problem_with_key((table,), unknown("table", table, raw))
        elif isinstance(keys, dict) and isinstance(raw[table], dict):
            for key, value in keys.items():
                # A further term is of use to the change; another key that is not known is told of when it is read.
                useless = value == "" or (table == "terms" and not _names_term(change, key))
                if key not in raw[table] and useless:
                    yield positions.problem_with_key((table, key), unknown("key", key, raw[table]))


def _names_term(change: Any, term: str) -> bool:
    if isinstance(change, dict):
        return any(_names_term(one, term) for one in change.values())
    return isinstance(change, str) and bool(re.search(rf"\b{re.escape(term)}\b", change))
