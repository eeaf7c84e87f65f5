"""Missing: what would have to be known for a verdict to be evaluable, in words."""

import math

import numpy as np

from itp_response.cohort.values import NO_DAY
from itp_response.evaluation.endpoints.account import UNKNOWN
from itp_response.explanation.censored_counts import counts_missing
from itp_response.explanation.one_patient import DecidedEndpoint
from itp_response.explanation.partial_dates import dates_missing
from itp_response.messages.wording import listed, number_in_words

DAYS_SHOWN = 6
"""With more days than this only the first and the last are named."""


def missing_in_words(decided: DecidedEndpoint) -> str:
    """What would have to be known for the verdict to be evaluable; nothing where it is."""
    if decided.value != "NE":
        return ""
    criteria, cohort = decided.criteria, decided.cohort
    match decided.reason:
        case "partial_date":
            return dates_missing(criteria, cohort, decided.name)
        case "unreadable":
            return "what was left out, as it cannot be read"
        case "censored_count":
            return counts_missing(criteria, cohort, decided.name)
    if decided.decided_by is not None:
        return missing_in_words(decided.decided_by)
    match decided.reason:
        case "gap_in_counts":
            return _gap(decided)
        case "baseline_missing":
            first, last = (number_in_words(day) for day in criteria.file.baseline.days)
            return f"a baseline: none is given, and there is no count from day {first} to {last}"
    return _observation(decided) or _unknown_rows(decided) or _visits(decided)


def _gap(decided: DecidedEndpoint) -> str:
    assert decided.account.gap is not None
    before, after = (int(decided.patient_days.day[rows[0]]) for rows in decided.account.gap)
    return f"a count between day {before} and day {after}, which lie {after - before} days apart"


def _observation(decided: DecidedEndpoint) -> str:
    """The days on which there is no count, and one would be needed; nothing where none is."""
    account = decided.account
    if account.missing_from is None or account.missing_to is None or np.isnan(account.missing_from[0]):
        return ""
    first, last = float(account.missing_from[0]), float(account.missing_to[0])
    last_count = int(decided.patient_days.last_counted_day[0])
    there_is = "there is no count" if last_count == NO_DAY else f"the last is of day {last_count}"
    if math.isinf(last):
        return f"a count on day {number_in_words(first)} or later; {there_is}"
    return f"a count {_span(first, last)}; {there_is}"


def _span(first: float, last: float) -> str:
    if not math.isfinite(first):
        return f"up to day {number_in_words(last)}"
    if first == last:
        return f"on day {number_in_words(first)}"
    return f"from day {number_in_words(first)} to {number_in_words(last)}"


def _unknown_rows(decided: DecidedEndpoint) -> str:
    """What was not recorded of the rows that are unknown; nothing where there are none."""
    patient_days, part = decided.patient_days, decided.account.part
    rows = np.flatnonzero((part == UNKNOWN) & patient_days.has_count)
    if not len(rows):
        return ""
    grades = rows[np.isnan(decided.cohort.bleeding_grade[rows])]
    if decided.reason == "bleeding_not_recorded" and len(grades):
        return f"whether there was bleeding {_days(patient_days.day[grades].tolist())}"
    return f"what was not recorded {_days(patient_days.day[rows].tolist())}"


def _visits(decided: DecidedEndpoint) -> str:
    """The planned visits without a count."""
    days = [missed.day for missed in decided.account.missed if missed.where[0]]
    return f"a count {_days(days)}" if days else ""


def _days(days: list[int]) -> str:
    """`on day 28`; `on days 28, 42 and 56`; of many the first and the last."""
    if len(days) == 1:
        return f"on day {days[0]}"
    if len(days) > DAYS_SHOWN:
        return f"on {len(days)} days, from day {days[0]} to {days[-1]}"
    return f"on days {listed([str(day) for day in days])}"
