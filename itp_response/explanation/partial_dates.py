"""Partial dates: what a patient's dates known only in part mean for a verdict, in words."""

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import PartialDates
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.evaluate import evaluate_partial_dates
from itp_response.evaluation.partial_dates import days_in
from itp_response.explanation.decided import DecidedEndpoint
from itp_response.messages.wording import listed

DATES_IN_WORDS = ("date of {}", "end of the rescue of {}", "date of enrolment", "date of treatment discontinuation")
"""What each of `cohort.observations.DATES` is a date of."""


def dates_missing(criteria: Criteria, cohort: Cohort, name: str) -> str:
    """The dates that decide an endpoint of the one patient, and for each verdict days on which it would be given."""
    assert cohort.partial is not None
    dates = cohort.partial.dates
    missing = listed([f"the {date}, which is only {written!r}" for date, written in _dates_in_words(cohort, dates)])
    it_is, it = ("it is", "it") if len(dates.at) == 1 else ("they are", "them")
    verdicts_given = []
    for completions, verdicts in evaluate_partial_dates(criteria, cohort):
        verdict = verdicts[name]
        for value, first in zip(*np.unique(verdict.value, return_index=True), strict=True):
            days = listed([str(day) for day in days_in(dates, int(completions.number[first]))])
            verdicts_given.append(f"{verdict.labels[value]} if {it_is} {days}")
    if not verdicts_given:
        return f"{missing}; with more possible combinations than are tried"
    if len(verdicts_given) == 1:
        return f"{missing}; the reason why it is NE depends on {it}"
    return f"{missing}: {', '.join(verdicts_given)}"


def dates_not_deciding(decided: DecidedEndpoint) -> str:
    """The partial dates of a patient, where a verdict does not depend on them; empty: there are none."""
    if not decided.has_days or decided.position not in decided.patients.with_partial_dates:
        return ""
    assert decided.cohort.partial is not None
    dates = _dates_in_words(decided.cohort, decided.cohort.partial.dates)
    known = listed([f"the {date} is only {written!r}" for date, written in dates])
    return f"the result is the same for every possible date: {known}; shown with the earliest"


def dates_imputed(cohort: Cohort) -> str:
    """The imputed dates of the one patient, and as which day each was taken; nothing where there are none."""
    if cohort.imputed is None or not len(cohort.imputed.assumed):
        return ""
    dates = _dates_in_words(cohort, cohort.imputed.dates)
    days = cohort.imputed.assumed.tolist()
    assumed = [
        f"the {date} is only {written!r}, imputed as {day}" for (date, written), day in zip(dates, days, strict=True)
    ]
    return f"imputed: {listed(assumed)}"


def _dates_in_words(cohort: Cohort, dates: PartialDates) -> list[tuple[str, str]]:
    """Of each partial date of a patient, what it is a date of, and what was written."""
    lines = zip(dates.what.tolist(), dates.line.tolist(), strict=True)
    of = [DATES_IN_WORDS[what].format(cohort.named([line])) for what, line in lines]
    return list(zip(of, dates.written.fill_null("").to_list(), strict=True))
