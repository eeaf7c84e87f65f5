"""Interpretations: the changes by which an ambiguous definition is read another way."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from itp_response.messages.errors import unknown
from itp_response.messages.toml_positions import KeyPositions, Problem


def changed(raw: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A criteria file's content with a change made, table by table; an empty text takes a key out.

    >>> changed({"terms": {"low": "platelets < 20"}, "title": "T"}, {"terms": {"low": "platelets < 30"}, "title": ""})
    {'terms': {'low': 'platelets < 30'}}
    """
    content = dict(raw)
    for key, value in change.items():
        table = content.get(key)
        if value == "":
            content.pop(key, None)
        else:
            content[key] = changed(table, value) if isinstance(value, dict) and isinstance(table, dict) else value
    return content


def useless_changes(raw: Mapping[str, Any], change: Mapping[str, Any], positions: KeyPositions) -> Iterator[Problem]:
    """The tables of a change that are not in the file, and the keys that are not and cannot be of use."""
    for table, keys in change.items():
        if table not in raw:
            yield positions.problem_with_key((table,), unknown("table", table, raw))
        elif isinstance(keys, dict) and isinstance(raw[table], dict):
            for key, value in keys.items():
                # A further term is of use where the change names it. Other keys are looked at in the changed file.
                useless = value == "" or (table == "terms" and not _names_term(change, key))
                if key not in raw[table] and useless:
                    yield positions.problem_with_key((table, key), unknown("key", key, raw[table]))


def _names_term(change: Any, term: str) -> bool:
    """Whether a rule of the change names that term."""
    if isinstance(change, dict):
        return any(_names_term(value, term) for value in change.values())
    return isinstance(change, str) and bool(re.search(rf"\b{re.escape(term)}\b", change))
