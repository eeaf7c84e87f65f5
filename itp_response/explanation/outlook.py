"""Outlook: whether a result of a study that was cut can still change, and until when, in words."""

import math

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.evaluation.still_open import CLOSED, FINAL, OPEN
from itp_response.explanation.decided import DecidedEndpoint


def outlook_in_words(decided: DecidedEndpoint) -> str:
    """Whether a later observation can change the result of one patient; empty: the study was not cut."""
    still_open, at = decided.patients.classification.still_open.get(decided.name), decided.position
    if still_open is None:
        return ""
    state = int(still_open.state[at])
    if state == CLOSED:
        return "closed: no later observation can decide it; it stays not evaluable"
    if state == FINAL:
        return "final: no later observation can change it"
    word, verb = ("open", "decide") if state == OPEN else ("provisional", "change")
    until, assessed = float(still_open.until[at]), float(still_open.assessed_until[at])
    return f"{word}: {_until_when(decided.cohort, until, assessed, verb)}"


def _until_when(cohort: Cohort, until: float, assessed: float, verb: str) -> str:
    """What can still decide (`verb`) a result, and until when."""
    assert cohort.as_of is not None
    limit = f"up to {_day_in_words(cohort, until)}" if math.isfinite(until) else "without limit"
    if math.isnan(assessed):
        days = "discontinuation of treatment, or another day that its definition asks for"
        return f"no further count can {verb} it; {days}, still can, {limit}"
    if math.isfinite(until):
        return f"an observation {limit} can still {verb} it"
    if not math.isfinite(assessed):
        return f"a later observation can still {verb} it, without limit"
    day = _day_in_words(cohort, assessed)
    later = "later follow-up or discontinuation of treatment"
    if assessed > cohort.as_of.last_day(cohort.day_0)[0]:
        return f"an observation up to {day} can still {verb} it; so can {later}, without limit"
    return f"its last day for an observation was {day}; {later} can still {verb} it, without limit"


def _day_in_words(cohort: Cohort, day: float) -> str:
    """The day, and its date where that of day 0 is known: `day 365 (2024-11-02)`."""
    whole = math.floor(day)
    if np.isnat(cohort.day_0[0]):
        return f"day {whole}"
    return f"day {whole} ({cohort.day_0[0].astype('datetime64[D]') + np.timedelta64(whole, 'D')})"
