"""Responses: each patient's response from its onset to its loss."""

from dataclasses import dataclass

import numpy as np

from itp_response.classification.classification import Classification
from itp_response.cohort.values import NO_DAY, NONE, Bools, Ints
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.verdicts import Y
from itp_response.messages.errors import UsageError, unknown

RESPONSES = ("response", "sustained_response", "complete_response")
"""The roles that can stand for the response of a set, the first that it has."""


@dataclass(frozen=True)
class Responses:
    """The responses, one entry per patient (P); days since day 0, `NO_DAY`: none."""

    name: str
    """The endpoint."""
    met: Bools
    begin: Ints
    confirmed: Ints
    """The day of the confirming row, where there is one."""
    end: Ints
    """The day of the loss, or of the last count if not lost; where the set has no loss, of the last evidence."""
    lost: Bools
    loss: str | None
    """The endpoint that is its loss; None: the set has none."""


def responses(classification: Classification, name: str) -> Responses:
    """The responses by the endpoint of that name."""
    verdict, loss = classification.verdicts[name], loss_of(classification.criteria, name)
    met = verdict.value == Y
    onset = np.where(verdict.onset != NONE, verdict.onset, verdict.dated)
    begin = classification.days_of(np.where(met, onset, NONE))
    confirmed = classification.days_of(np.where(met, verdict.confirming, NONE))
    met = met & (begin != NO_DAY)
    lost, end = np.zeros(len(met), dtype=np.bool_), np.maximum(begin, confirmed)
    if loss is not None:
        lost = met & (classification.verdicts[loss].value == Y)
        end = np.where(
            lost,
            classification.days_of(classification.verdicts[loss].dated),
            np.maximum(end, last_counts(classification)),
        )
    return Responses(name, met, begin, confirmed, np.where(met, end, NO_DAY), lost, loss)


def response_of(criteria: Criteria, asked: str | None = None) -> str:
    """The endpoint that stands for response: the one asked for, else by its role, else the first with an onset.

    Raises `UsageError` if the one asked for does not exist or has no onset.
    """
    with_onset = [name for name, model in criteria.endpoints.items() if model.begins_on_a_day]
    if asked is not None:
        if asked not in with_onset:
            raise UsageError(unknown("endpoint that begins on a day", asked, with_onset))
        return asked
    by_role = (with_role(criteria, role) for role in RESPONSES)
    return next(filter(None, by_role), None) or (with_onset or list(criteria.endpoints))[0]


def with_role(criteria: Criteria, role: str) -> str | None:
    """The first endpoint of a role; None: the set has none."""
    return next((name for name, model in criteria.endpoints.items() if model.role == role), None)


def loss_of(criteria: Criteria, name: str) -> str | None:
    """The endpoint that is the loss of a response; None: the set has none.

    A response without a loss of its own has the loss of an endpoint it rests on, first one with the role of a loss.
    """
    models = criteria.endpoints
    own = [other for other, model in models.items() if model.is_lost == name]
    if own or models[name].role not in RESPONSES:
        return next(iter(own), None)
    after = rests_on(criteria, name)
    inherited = [other for other, model in models.items() if model.is_lost in after]
    return next((other for other in inherited if models[other].role == "loss"), next(iter(inherited), None))


def rests_on(criteria: Criteria, name: str) -> list[str]:
    """The endpoints that an endpoint is decided from, directly or through others, nearest first."""
    names: dict[str, None] = {}
    for other in criteria.endpoints[name].references().values():
        names |= dict.fromkeys([other, *rests_on(criteria, other)])
    return list(names)


def last_counts(classification: Classification) -> Ints:
    """The day of each patient's last count (P); `NO_DAY`: the patient has no count."""
    cohort = classification.cohort
    counted = np.flatnonzero(~np.isnan(cohort.platelets.low))
    last = np.full(len(cohort), NO_DAY, dtype=np.int64)
    last[cohort.patient[counted]] = cohort.day[counted]  # a patient's last count is assigned last
    return last
