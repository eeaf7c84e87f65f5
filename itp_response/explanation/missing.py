"""Missing: what would have to be known for a verdict to be evaluable, in words."""

from typing import Any

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.texts import count_in_words
from itp_response.cohort.values import NO_DAY, Floats, Ints
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.evaluate import evaluate_censored
from itp_response.explanation.one_patient import DecidedEndpoint
from itp_response.explanation.partial_dates import dates_missing
from itp_response.messages.wording import listed, number_in_words


def missing_in_words(decided: DecidedEndpoint) -> str:
    """What would have to be known for the verdict to be evaluable; nothing where it is."""
    if decided.value != "NE":
        return ""
    criteria, cohort = decided.criteria, decided.cohort
    match decided.reason:
        case "partial_date":
            return dates_missing(criteria, cohort, decided.name)
        case "censored_count":
            return counts_missing(criteria, cohort, decided.name)
        case "follow_up_ended":
            return _follow_up_missing(criteria, decided.model, _last_count(decided))
        case "no_counts":
            return f"any count in the days looked at; {_last_count(decided)}"
        case "gap_in_counts":
            return "counts between those that lie too far apart"
        case "baseline_missing":
            first, last = (number_in_words(day) for day in criteria.file.baseline.days)
            return f"a baseline: none is given, and there is no count from day {first} to {last}"
        case "bleeding_not_recorded":
            return "whether there was bleeding, where it was not recorded"
    return ""


def _last_count(decided: DecidedEndpoint) -> str:
    last = int(decided.patient_days.last_counted_day[0])
    return "there is no count" if last == NO_DAY else f"the last is of day {last}"


def _follow_up_missing(criteria: Criteria, model: Any, last_count: str) -> str:
    since = model.followed_from if model.followed_from is not None else criteria.file.clock.followed_from
    if model.kind == "maintained":
        until = getattr(model, "until", None)
        if until is None:
            return f"an observation on or after the end of the time it must be kept; of the counts {last_count}"
        since = until[0]
    return f"a count on day {number_in_words(since)} or later; {last_count}"


# CENSORED COUNTS


def counts_missing(criteria: Criteria, cohort: Cohort, name: str) -> str:
    """The counts of the one patient on which a verdict depends, and for each verdict some counts that give it."""
    by_verdict: dict[str, Floats] = {}
    parts = []
    for completions, verdicts in evaluate_censored(criteria, cohort):
        verdict = verdicts[name]
        rows = completions.platelets.low.reshape(len(completions), -1)
        counts = np.column_stack([completions.baseline.low, rows])
        parts.append(counts)
        for value, first in zip(*np.unique(verdict.value, return_index=True), strict=True):
            by_verdict.setdefault(verdict.labels[value], counts[first])
    if not parts:
        return "counts of which only bounds are known; they may lie in more ways than are looked at"
    counts = np.concatenate(parts)
    columns = _deciding(cohort, np.flatnonzero(counts.min(axis=0) < counts.max(axis=0)))
    named = listed([_named(cohort, column) for column in columns])
    it_is, it = ("it is", "it") if len(columns) == 1 else ("they are", "them")
    if len(by_verdict) == 1:
        return f"{named}; why it is NE hangs on {it}"
    given = [
        f"{value} if {it_is} {listed([_about(example[column]) for column in columns])}"
        for value, example in by_verdict.items()
    ]
    return f"{named}: {', '.join(given)}"


def _deciding(cohort: Cohort, varied: Ints) -> list[int]:
    """Of the columns that vary (0: the baseline, then the rows) those to name: the baseline only where it was given."""
    is_given = bool(cohort.baseline.low[0] < cohort.baseline.high[0])
    return [column for column in varied.tolist() if column or is_given]


def _named(cohort: Cohort, column: int) -> str:
    if column == 0:
        return f"the baseline, which is only {count_in_words(cohort.baseline.low[0], cohort.baseline.high[0])}"
    row = column - 1
    written = count_in_words(cohort.platelets.low[row], cohort.platelets.high[row])
    return f"the count of day {cohort.day[row]}, which is only {written}"


def _about(value: float) -> str:
    """A count; one next to a limit as just over or below it.

    >>> _about(30.0), _about(30.000000001)
    ('30', 'just over 30')
    """
    near = round(float(value), 6)
    if abs(value - near) < 1e-12 * max(1.0, abs(near)):
        return number_in_words(near)
    return f"just {'over' if value > near else 'below'} {number_in_words(near)}"
