"""Describe: a criteria set in plain English, made from its rules, with its source and its interpretations."""

from pathlib import Path

from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load, shipped
from itp_response.messages.wording import days_in_words, number_in_words, wrapped

CHECKED = {
    "primary": "read in the paper or registry itself",
    "secondary": "read in a secondary source, not in the original",
    "unverified": "NOT VERIFIED: written down from memory, not for use as it stands",
}
NOT_RECORDED = {
    "bleeding": ["Where bleeding was not recorded at a count: taken as bleeding of any grade."],
    "none": ["Where bleeding was not recorded at a count: taken as none."],
    "unknown": [],
}
HEADING = "Interpretations assumed"


def criteria(name_or_file: str | Path) -> Criteria:
    """The shipped criteria set of that name, or the set of that file.

    Read once, it can be given to every function in place of the name. `describe` puts it in words.
    Raises `CriteriaError` with everything wrong with the file, or the nearest name if there is no such set.

    >>> fit = criteria("fit")
    >>> fit.title, list(fit.endpoints)
    ('Fostamatinib in persistent or chronic ITP, FIT-1 and FIT-2', ['stable', 'overall', 'rescue_use'])
    """
    return load(name_or_file)


def shipped_titles() -> dict[str, str]:
    """The title of every shipped set by its name; one that is not verified says so."""
    return {name: load(name).title for name in shipped()}


def describe(criteria: Criteria) -> str:
    r"""The set in plain English: its source, its clock, each endpoint as decided, the interpretations assumed.

    `criteria` is a set that `criteria` gave.

    >>> print(describe(criteria("fit")).partition("\n\n")[0])
    Fostamatinib in persistent or chronic ITP, FIT-1 and FIT-2
    ==========================================================
    """
    file = criteria.file
    title = _wrapped(criteria.title)
    lines = [*title, "=" * max(map(len, title)), ""]
    for sentence in head(criteria):
        lines += _wrapped(sentence)
    for name, model in file.endpoints.items():
        lines += ["", f"{name}: {model.label}{f' ({model.where})' if model.where else ''}"]
        lines += _wrapped(model.says, "  ")
        lines += _wrapped(f"Decided so: {model.sentence()}", "  ")
    if file.interpretation:
        lines += ["", HEADING, "-" * len(HEADING)]
    for interpretation in file.interpretation:
        lines += [
            "",
            f"{interpretation.id}: {interpretation.question}",
            *_wrapped(f"Assumed: {interpretation.assumed}", "  "),
        ]
    return "\n".join(lines)


def head(criteria: Criteria) -> list[str]:
    """The sentences on the set as a whole: its source, how it was checked, its clock, its baseline and its bleeding."""
    file, source = criteria.file, criteria.file.source
    return [
        f"Source: {', '.join(filter(None, [source.cite, source.where, source.registry, source.link]))}.",
        f"Checked: {CHECKED[file.checked]}.",
        f"Day 0: {file.clock.day_0}.",
        f"Followed to the end: a count on day {number_in_words(file.clock.followed_from)} or later. "
        f"Baseline: as given, else {_baseline(criteria)}.",
        *NOT_RECORDED[criteria.not_recorded.bleeding],
    ]


def _baseline(criteria: Criteria) -> str:
    baseline = criteria.file.baseline
    picked = {"last": "the last count", "lowest": "the lowest count", "mean": "the mean of the counts"}[baseline.pick]
    return f"{picked}{days_in_words(baseline.days).replace(',', '')}"


def _wrapped(text: str, indent: str = "") -> list[str]:
    return wrapped(text, first=indent, further=indent)
