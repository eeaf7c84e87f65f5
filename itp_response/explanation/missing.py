"""Missing: what would have to be known for a verdict to be evaluable, in words."""

from typing import Any

from itp_response.cohort.values import NO_DAY
from itp_response.definitions.criteria import Criteria
from itp_response.explanation.censored_counts import counts_missing
from itp_response.explanation.one_patient import DecidedEndpoint
from itp_response.explanation.partial_dates import dates_missing
from itp_response.messages.wording import number_in_words


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
