"""Responses: each patient's response from its onset to its loss."""

from dataclasses import dataclass

import numpy as np

from itp_response.classification.classification import Classification
from itp_response.cohort.values import NO_DAY, NONE, Bools, Ints
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.verdicts import Y
from itp_response.messages.errors import UsageError, unknown

SUMS_UP = ("combined", "best")
RESPONSES = ("response", "sustained_response", "complete_response")
"""The roles that can stand for the response of a set, the first that it has."""


@dataclass(frozen=True)
class Responses:
    """Who responded and from when to when, one entry per patient (P); days since day 0, `NO_DAY`: none."""

    name: str
    """The endpoint."""
    met: Bools
    begin: Ints
    confirmed: Ints
    """The day of the confirming row, where there is one."""
    end: Ints
    """The day of the loss; of one not lost, of the last count; where the set has no loss, of the last evidence."""
    lost: Bools
    loss: str | None
    """The endpoint of kind `lost` that ends it; None: the set has none."""


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
    """The endpoint that stands for response: that asked for, else by its role, else the first with an onset.

    Raises `UsageError` for one that is not there, or that has no onset.
    """
    with_onset = [name for name, model in criteria.endpoints.items() if model.kind not in ("best", "time_to", "lost")]
    if asked is not None:
        if asked not in with_onset:
            raise UsageError(unknown("endpoint that begins on a day", asked, with_onset))
        return asked
    found = (with_role(criteria, role) for role in RESPONSES)
    return next(filter(None, found), None) or (with_onset or list(criteria.endpoints))[0]


def with_role(criteria: Criteria, role: str) -> str | None:
    """The first endpoint of that role."""
    return next((name for name, model in criteria.endpoints.items() if model.role == role), None)


def loss_of(criteria: Criteria, name: str) -> str | None:
    """The endpoint of kind `lost` by which what this one says ends: the one after it.

    Of a response without one of its own, that after an endpoint it rests on, first the one with the role of a loss.
    """
    models = criteria.endpoints
    own = [other for other, model in models.items() if model.kind == "lost" and model.after == name]
    if own or models[name].role not in RESPONSES:
        return next(iter(own), None)
    after = rests_on(criteria, name)
    found = [other for other, model in models.items() if model.kind == "lost" and model.after in after]
    return next((other for other in found if models[other].role == "loss"), next(iter(found), None))


def rests_on(criteria: Criteria, name: str) -> list[str]:
    """The criteria that one is decided from, and those that these are, nearest first."""
    found: dict[str, None] = {}
    for other in criteria.endpoints[name].references().values():
        found |= dict.fromkeys([other, *rests_on(criteria, other)])
    return list(found)


def last_counts(classification: Classification) -> Ints:
    """The day of each patient's last count; `NO_DAY` if he has none."""
    cohort = classification.cohort
    counted = np.flatnonzero(~np.isnan(cohort.platelets.low))
    last = np.full(len(cohort), NO_DAY, dtype=np.int64)
    last[cohort.patient[counted]] = cohort.day[counted]  # of several for a patient the last assignment stands
    return last
