"""Interpretations: the changes by which an ambiguous definition is read another way."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from itp_response.definitions.schema import CriteriaFile, Interpretation
from itp_response.evaluation.clock import UnrecordedBleeding
from itp_response.evaluation.rules.tree import names_in
from itp_response.messages.errors import Problem, unknown
from itp_response.messages.toml_positions import KeyPositions

ABOUT = "Bleeding not recorded"
QUESTION = "What is assumed on a day with a count on which bleeding was not recorded?"
ASSUMED: dict[UnrecordedBleeding, str] = {
    "unknown": "Nothing: where a rule asks for no bleeding, such a count is evidence neither for nor against it.",
    "bleeding": "Bleeding, of any grade that a rule requires.",
    "none": "No bleeding.",
}
OFFERED: dict[UnrecordedBleeding, str] = {
    "bleeding": "unrecorded-bleeding-is-bleeding",
    "none": "unrecorded-bleeding-is-none",
    "unknown": "unrecorded-bleeding-is-unknown",
}
"""The interpretation that assumes each."""


def offered(file: CriteriaFile) -> Iterator[Interpretation]:
    """The interpretations that every set has without writing them: what is assumed where bleeding was not recorded.

    A set whose rules name no grade has none of them, as they would change nothing.
    """
    names = {name for model in file.endpoints.values() for rule in model.row_rules() for name in names_in(rule.tree)}
    if "bleeding_grade" not in names:
        return
    written = [interpretation.id for interpretation in file.interpretation]
    assumed = file.not_recorded.bleeding
    for other, id_ in OFFERED.items():
        if other != assumed and id_ not in written:
            yield Interpretation(
                id=id_,
                about=ABOUT,
                question=QUESTION,
                assumed=ASSUMED[assumed],
                change={"not_recorded": {"bleeding": other}},
            )


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
        if table not in raw and table != "not_recorded":
            yield positions.problem_with_key((table,), unknown("table", table, raw))
        elif isinstance(keys, dict) and isinstance(raw.get(table), dict):
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
