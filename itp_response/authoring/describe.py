"""Describe: a set of criteria in plain English, made from its rules, with its sources and interpretations."""

from pathlib import Path
from typing import Any

from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load, shipped
from itp_response.evaluation.endpoints import KINDS
from itp_response.evaluation.rules.in_words import rule_in_words
from itp_response.messages.wording import days_in_words, number_in_words, wrapped

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


def describe(criteria: Criteria) -> str:
    """The set in plain English: its source, its clock, each endpoint as decided, the interpretations taken."""
    file = criteria.file
    lines = [criteria.title, "=" * len(criteria.title), ""]
    for sentence in head(criteria):
        lines += _wrapped(sentence)
    for name, model in file.endpoints.items():
        lines += ["", f"{name}: {model.label}{f' ({model.where})' if model.where else ''}"]
        lines += _wrapped(model.says, "  ")
        lines += _wrapped(f"Decided so: {decided_so(model)}", "  ")
        lines += _wrapped(unless(model), "  ")
    if file.interpretation:
        lines += ["", "Interpretations taken", "--------------"]
    for interpretation in file.interpretation:
        lines += [
            "",
            f"{interpretation.id}: {interpretation.question}",
            *_wrapped(f"Taken: {interpretation.assumed}", "  "),
        ]
    return "\n".join(lines)


def head(criteria: Criteria) -> list[str]:
    """The sentences on the set as a whole: its source, how it was checked, its clock, its baseline."""
    file, source = criteria.file, criteria.file.source
    return [
        f"Source: {', '.join(filter(None, [source.cite, source.where, source.registry, source.link]))}.",
        f"Checked: {CHECKED[file.checked]}.",
        f"Day 0: {file.clock.day_0}.",
        f"Followed to the end: a count on day {number_in_words(file.clock.followed_from)} or later. "
        f"Baseline: as given, else {_baseline(criteria)}.",
    ]


def decided_so(model: Any) -> str:
    """An endpoint in words, made from what decides it."""
    sentence: str = KINDS[model.kind].sentence(model)
    return sentence


def unless(model: Any) -> str:
    """The sentence on what excludes a patient from an endpoint; nothing where nothing does."""
    return "" if model.unless is None else f"Not met, whatever else holds, where {rule_in_words(model.unless)}."


def _baseline(criteria: Criteria) -> str:
    rule = criteria.file.baseline
    which = {"last": "the last count", "lowest": "the lowest count", "mean": "the mean of the counts"}[rule.pick]
    return f"{which}{days_in_words(rule.days).replace(',', '')}"


def _wrapped(text: str, indent: str = "") -> list[str]:
    return wrapped(text, first=indent, further=indent, break_on_hyphens=True)


# ALL SETS ON ONE PAGE

TOP = """# The definitions side by side

Made from the criteria files by `make definitions`: the wording is that of the rules that decide.
Where a cell is empty, the endpoint says nothing of it.
A set is checked as *primary* where its source itself was read, as *secondary* where it was read elsewhere.
Sets marked **unverified** hold numbers that were read nowhere; they are not for use as they stand.
`itp-response criteria NAME` prints a set whole, with its clock and its interpretations; `itp-response compare` decides a
cohort by several.
"""
HEADS = ("set", "endpoint", "threshold", "confirmation", "bleeding", "rescue treatment", "window", "where")
COUNTS = frozenset({"platelets", "baseline"})
BLEEDING = frozenset({"bleeding_grade"})
SAID_OF_RESCUE = {
    "unless": "excluded by {}",
    "closed_by": "not met after {}",
    "discount": "no evidence: {}",
    "set_aside": "passed over: {}",
    "when": "part of the definition",
}
