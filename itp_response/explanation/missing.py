"""Open counts: what a verdict hangs on where counts are known only as bounds, in words."""

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.texts import count_in_words
from itp_response.cohort.values import Floats, Ints
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.evaluate import evaluate_censored
from itp_response.messages.wording import listed, number_in_words


def counts_missing(criteria: Criteria, cohort: Cohort, name: str) -> str:
    """The counts of the one patient of a cohort on which a verdict hangs, and for each value some that give it."""
    examples: dict[str, Floats] = {}
    each = []
    for courses, verdicts in evaluate_censored(criteria, cohort):
        verdict = verdicts[name]
        tried = np.column_stack([courses.baseline.low, courses.platelets.low.reshape(len(courses), -1)])
        each.append(tried)
        for value, place in zip(*np.unique(verdict.value, return_index=True), strict=True):
            examples.setdefault(verdict.labels[value], tried[place])
    if not each:
        return "counts of which only bounds are known; they may lie in more ways than are looked at"
    tried = np.concatenate(each)
    varied = np.flatnonzero(tried.min(axis=0) < tried.max(axis=0))
    told = _told(cohort, varied)
    named = listed([_named(cohort, place) for place in told])
    if len(examples) == 1:
        return f"{named}; why it is NE hangs on {'it' if len(told) == 1 else 'them'}"
    they = "it is" if len(told) == 1 else "they are"
    said = [
        f"{value} if {they} {listed([_about(counts[place]) for place in told])}" for value, counts in examples.items()
    ]
    return f"{named}: {', '.join(said)}"


def _told(cohort: Cohort, varied: Ints) -> list[int]:
    """The places to tell of; the baseline only where it is not a count that is told of too."""
    given = bool(cohort.baseline.low[0] < cohort.baseline.high[0])
    return [place for place in varied.tolist() if place or given]


def _named(cohort: Cohort, place: int) -> str:
    if place == 0:
        return f"the baseline, which is only {count_in_words(cohort.baseline.low[0], cohort.baseline.high[0])}"
    row = place - 1
    written = count_in_words(cohort.platelets.low[row], cohort.platelets.high[row])
    return f"the count of day {cohort.day[row]}, which is only {written}"


def _about(value: float) -> str:
    """A count, though it is the one next to a bound that is not reached."""
    near = round(float(value), 6)
    if abs(value - near) < 1e-12 * max(1.0, abs(near)):
        return number_in_words(near)
    return f"just {'over' if value > near else 'below'} {number_in_words(near)}"
