"""Describe: a set of criteria in plain English, made from its rules, with its sources and readings."""

import textwrap
from collections.abc import Iterator
from pathlib import Path

from itp_response.criteria import Criteria, load, shipped
from itp_response.endpoints import KINDS
from itp_response.words import days_in_words, number_in_words, rule_in_words

WIDTH = 100
CHECKED = {
    "primary": "read in the paper or registry itself",
    "secondary": "read in a secondary source, not in the original",
    "unverified": "NOT VERIFIED: written down from memory, not for use as it stands",
}


def criteria(name_or_file: str | Path) -> Criteria:
    """The criteria of that name among those shipped, or of that file; `describe` puts them in words.

    Raises `CriteriaError` if there is none, or it cannot be used.
    """
    return load(name_or_file)


def shipped_titles() -> dict[str, str]:
    """The title of every shipped set by its name; one that is not verified says so."""
    return {name: load(name).title for name in shipped()}


def describe(definitions: Criteria) -> str:
    """The set in plain English: its source, its clock, each criterion as decided, the readings taken."""
    file = definitions.file
    source = file.source
    lines = [
        definitions.title,
        "=" * len(definitions.title),
        "",
        *_wrapped(f"Source: {', '.join(filter(None, [source.cite, source.where, source.registry, source.link]))}."),
        f"Checked: {CHECKED[file.checked]}.",
        *_wrapped(f"Day 0: {file.clock.day_0}."),
        *_wrapped(
            f"Followed to the end: a count on day {number_in_words(file.clock.followed_from)} or later. "
            f"Baseline: as given, else {_baseline(definitions)}."
        ),
    ]
    for name, model in file.criteria.items():
        lines += ["", f"{name}: {model.label}{f' ({model.where})' if model.where else ''}"]
        lines += _wrapped(model.says, "  ")
        lines += _wrapped(f"Decided so: {KINDS[model.kind].sentence(model)}", "  ")
        if model.unless is not None:
            lines += _wrapped(f"Not met, whatever else holds, where {rule_in_words(model.unless)}.", "  ")
    if file.reading:
        lines += ["", "Readings taken", "--------------"]
    for reading in file.reading:
        lines += ["", f"{reading.id}: {reading.question}", *_wrapped(f"Taken: {reading.taken}", "  ")]
    return "\n".join(lines)


def _baseline(definitions: Criteria) -> str:
    rule = definitions.file.baseline
    which = {"last": "the last count", "lowest": "the lowest count", "mean": "the mean of the counts"}[rule.pick]
    return f"{which}{days_in_words(rule.days).replace(',', '')}"


def _wrapped(text: str, indent: str = "") -> Iterator[str]:
    yield from textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)
