"""Ranking: of the edits that change a verdict, those that a clinician would name, and in which order.

A change in the endpoint's own direction comes first: a higher count for a response that was missed, a lower one for a
relapse. Against it a count can change a verdict only where two thresholds cross, as where a response begins later and
so misses what ended it: an artefact, which is offered only where nothing else is.
"""

import numpy as np

from itp_response.classification.classification import Classification
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.edited import ADDED, BASELINE, COUNT, LOST, Edits
from itp_response.cohort.values import NONE, Bools, Floats, Ints
from itp_response.evaluation.endpoints.account import Account
from itp_response.evaluation.verdicts import NA, N, Y
from itp_response.explanation.counterfactuals.changed_clauses import changed_clauses
from itp_response.explanation.counterfactuals.direction import direction
from itp_response.explanation.counterfactuals.edits import between, counts_before, neighbours, rises
from itp_response.explanation.counterfactuals.limits import makes_baseline, planned_days

RIGHT, OF_BASELINE, OF_LOSS, ARTEFACT = range(4)
"""How an edit goes, the first first: in the direction of the endpoint, or no count changes; by another baseline; a
`Y` that rests on an observation; against the direction of the endpoint."""


def ways(classification: Classification, name: str, edits: Edits, becomes: Ints) -> Ints:
    """How each of these edits goes, which make the verdict on the endpoint the value `becomes`."""
    verdict = classification.verdicts[name]
    if classification.criteria.endpoints[name].is_ranked:
        helpful = _helpful_to_rank(classification, name, edits, becomes)
        is_met = np.zeros(len(edits), dtype=np.bool_)
    else:
        helpful = _helpful(classification, name, edits, becomes)
        is_met = verdict.value[edits.patient] == verdict.labels.index("Y")
    toward = rises(classification.cohort, edits) * helpful
    ways = np.where(toward < 0, ARTEFACT, RIGHT)
    by_baseline, is_relative = _by_baseline(classification, name, edits)
    # What helps as a count hurts as a baseline that other counts have to exceed.
    ways[by_baseline] = np.where(is_relative & (toward > 0), ARTEFACT, OF_BASELINE)[by_baseline]
    ways[(edits.kind == LOST) & is_met] = OF_LOSS
    return ways


def _helpful(classification: Classification, name: str, edits: Edits, becomes: Ints) -> Ints:
    """Whether a higher count (1) or a lower one (-1) should make the verdict so; 0: either may."""
    criteria, verdicts = classification.criteria, classification.verdicts
    origins = criteria.endpoints[name].origins()
    own, with_origins = direction(criteria, name), direction(criteria, name, *origins)
    # Where what it starts from is not met, that has to be reached as well.
    begins = np.ones(len(classification.cohort), dtype=np.bool_)
    for origin in origins:
        begins &= verdicts[origin].value == Y
    sign = np.where(begins[edits.patient], own, with_origins)
    return np.select(
        [becomes == Y, becomes == N, becomes == NA], [sign, -sign, np.full(len(edits), -direction(criteria, *origins))]
    )


def _helpful_to_rank(classification: Classification, name: str, edits: Edits, becomes: Ints) -> Ints:
    """The same of a ranked endpoint: what helps to the better of the two ranks."""
    criteria, verdict = classification.criteria, classification.verdicts[name]
    ranks = list(criteria.endpoints[name].references().values())
    none, not_evaluable = len(ranks), verdict.labels.index("NE")
    was = verdict.value[edits.patient]
    # Where no rank is met, all were lost. What is not evaluable, or not applicable, has no direction.
    of_ranks = np.array([*(direction(criteria, rank) for rank in ranks), -direction(criteria, *ranks), 0, 0])
    helpful = np.where(becomes < was, of_ranks[becomes], -of_ranks[was])
    # A rank between the best and none may be too good for a count as well as too bad.
    is_between = (becomes > 0) & (becomes < none)
    return np.where(is_between & ((was == not_evaluable) | (edits.kind == ADDED)), 0, helpful)


def _by_baseline(classification: Classification, name: str, edits: Edits) -> tuple[Bools, Bools]:
    """Which edits change the verdict by a baseline that they change; and where another count is compared with it."""
    criteria, cohort = classification.criteria, classification.cohort
    by_baseline = edits.kind == BASELINE
    if len(cohort.day):
        by_baseline |= (edits.kind == COUNT) & makes_baseline(criteria, cohort)[edits.row]
    index = np.flatnonzero(by_baseline)
    clauses = changed_clauses(classification, name, edits.at(index))
    is_relative = np.zeros(len(edits), dtype=np.bool_)
    by_baseline[index], is_relative[index] = clauses.of_baseline, clauses.is_relative
    first, last = criteria.file.baseline.days
    return by_baseline | ((edits.kind == ADDED) & (edits.day >= first) & (edits.day <= last)), is_relative


# ONE MORE COUNT


def keys_of_added(classification: Classification, account: Account, name: str, edits: Edits) -> list[Floats]:
    """By what one further count is preferred to another, the first first, smaller is better; 0 of other edits.

    It lies where a count is missing; on a planned day; near the middle of the days between the counts beside it, or
    soon after the last. It is the count of the observation before, or near that.
    """
    cohort, is_added = classification.cohort, edits.kind == ADDED
    counted = np.flatnonzero(~np.isnan(cohort.platelets.low))
    before, after = neighbours(cohort, counted, edits.patient, edits.day)
    days = np.append(cohort.day, 0).astype(np.float64)
    first = np.where(before != NONE, days[before], days[after])
    last = np.where(after != NONE, days[after], days[before])
    observed = counts_before(cohort, edits.patient, edits.day)
    keys = [
        ~_is_where_missing(cohort, account, edits, after == NONE),
        ~np.isin(edits.day, planned_days(classification.criteria, name)),
        np.abs(edits.day - (first + last) / 2),
        np.nan_to_num(between(observed, observed, edits.count)),
    ]
    return [np.where(is_added, key, 0.0) for key in keys]


def _is_where_missing(cohort: Cohort, account: Account, edits: Edits, is_last: Bools) -> Bools:
    """Whether an edit is of a day on which a count is missing: in a gap, not followed, or a visit without one.

    `is_last`: it is after the last count.
    """
    patient, day = edits.patient, edits.day
    where = np.zeros(len(edits), dtype=np.bool_)
    if account.gaps is not None:
        where |= _in_a_gap(cohort, account.gaps, edits)
    if account.missing_from is not None and account.missing_to is not None:
        first, last = account.missing_from[patient], account.missing_to[patient]
        # What was not followed to its end may be decided by any count after the last.
        where |= (is_last | (day >= first)) & (day <= last)
    for missed in account.missed:
        where |= missed.where[patient] & (day == missed.day[patient])
    return where


def _in_a_gap(cohort: Cohort, gaps: Ints, edits: Edits) -> Bools:
    """Whether an edit is of a day in a gap; `gaps` has the row before of each row (N) that ends one, else -1."""
    _, end = neighbours(cohort, np.flatnonzero(gaps != NONE), edits.patient, edits.day)
    is_in: Bools = (end != NONE) & (cohort.day[gaps[end]] < edits.day)
    return is_in
