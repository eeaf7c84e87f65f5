"""Describe: a criteria set in plain English, made from its rules, with its source and its interpretations."""

from collections.abc import Iterator
from pathlib import Path

from itp_response.definitions.criteria import Criteria
from itp_response.definitions.grades import CHECKED, read_in_words
from itp_response.definitions.intercurrent_events import MISSING, table, without_events
from itp_response.definitions.load import load
from itp_response.definitions.schema import CriteriaFile
from itp_response.evaluation.eligibility import ITP
from itp_response.messages.wording import aligned, days_in_words, number_in_words, wrapped

NOT_RECORDED = {
    "bleeding": ["Bleeding not recorded at a count: assumed present, of any grade."],
    "none": ["Bleeding not recorded at a count: assumed absent."],
    "unknown": [],
}
EVENTS = "Intercurrent events (ICH E9(R1)) and missing data"
HEADING = "Interpretations assumed"


def criteria(name_or_file: str | Path) -> Criteria:
    """Load a criteria set, to be given to every function in place of its name; it is then read once.

    Args:
        name_or_file: The name of a shipped set, or the path of a criteria file.

    Returns:
        The criteria set, checked.

    Raises:
        CriteriaError: There is no such set (the error names the nearest), or the file cannot be used (it has every
            problem).

    Examples:
        >>> fit = criteria("fit")
        >>> fit.title, list(fit.endpoints)
        ('Fostamatinib in persistent or chronic ITP, FIT-1 and FIT-2', ['stable', 'overall', 'rescue_use'])
    """
    return load(name_or_file)


def describe(criteria: Criteria) -> str:
    r"""Describe a criteria set in plain English.

    Args:
        criteria: A set that `criteria` gave.

    Returns:
        Its source, its clock, each endpoint as it is decided, and the interpretations assumed, as text.

    Examples:
        >>> print(describe(criteria("fit")).partition("\n\n")[0])
        Fostamatinib in persistent or chronic ITP, FIT-1 and FIT-2
        ==========================================================
    """
    file = criteria.file
    title = _wrapped(criteria.title)
    text = [*title, "=" * max(map(len, title)), ""]
    for sentence in head(criteria):
        text += _wrapped(sentence)
    for name, model in file.endpoints.items():
        text += ["", f"{name}: {model.label}{f' ({model.where})' if model.where else ''}"]
        text += _wrapped(model.says, "  ")
        text += _wrapped(f"Rule: {model.sentence()}", "  ")
    text += ["", EVENTS, "-" * len(EVENTS), aligned(list(_events(file)))]
    text += [line for sentence in without_events(file) for line in _wrapped(sentence)]
    if file.interpretation:
        text += ["", HEADING, "-" * len(HEADING)]
    for interpretation in file.interpretation:
        text += [
            "",
            f"{interpretation.id}: {interpretation.question}",
            *_wrapped(f"Assumed: {interpretation.assumed}", "  "),
        ]
    return "\n".join(text)


def _events(file: CriteriaFile) -> Iterator[list[str]]:
    """The table of intercurrent events: beneath each event the strategies, with their endpoints and how it is done."""
    before = ""
    for event, strategy, names, how in table(file):
        if event != before:
            yield [event]
        before = event
        yield [f"  {names}", how] if event == MISSING else [f"  {strategy}", f"{names}: {how}"]


def head(criteria: Criteria) -> list[str]:
    """The sentences on the set as a whole: its source, how it was checked, its clock, its baseline and its bleeding."""
    file, source = criteria.file, criteria.file.source
    return [
        f"Source: {', '.join(filter(None, [source.cite, source.where, source.registry, source.link]))}.",
        f"Checked: {CHECKED[file.checked]}.",
        f"Read: {read_in_words(file.read)}.",
        f"Day 0: {file.clock.day_0}.",
        f"Complete follow-up: a count on day {number_in_words(file.clock.followed_from)} or later.",
        f"Baseline: as supplied, otherwise {_baseline(criteria)}.",
        _entry(criteria),
        *NOT_RECORDED[criteria.not_recorded.bleeding],
    ]


def _baseline(criteria: Criteria) -> str:
    baseline = criteria.file.baseline
    picked = {"last": "the last count", "lowest": "the lowest count", "mean": "the mean of the counts"}[baseline.pick]
    several = "; of several counts on day 0, the last before the dose where times of day are known"
    of_day_0 = "" if baseline.several == "lowest" else several
    return f"{picked}{days_in_words(baseline.days).replace(',', '')}{of_day_0}"


def _entry(criteria: Criteria) -> str:
    """The baseline with which the source takes in a patient."""
    entry = criteria.eligibility
    if entry is None:
        return (
            f"Entry: the source, as read, states no baseline count; ITP is defined by a count below {ITP:g} (IWG 2009)."
        )
    where = f" ({entry.where})" if entry.where else ""
    return f"Entry: a baseline {entry.in_words}{where}."


def _wrapped(text: str, indent: str = "") -> list[str]:
    return wrapped(text, first=indent, further=indent)
