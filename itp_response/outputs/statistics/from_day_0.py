"""From day 0: the time to an endpoint over all patients, with the events that compete with it.

A patient without the endpoint is censored at the last evaluable day. Where the definition closes the endpoint by an
event, such as rescue treatment, or excludes patients by one, such as discontinuation, that event competes with it. The
cumulative incidence is then Aalen and Johansen's.
Where the definition itself says what competes with a time, or where it is censored, that stands: for times from another
endpoint too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from itp_response.classification.classification import Classification
from itp_response.classification.supplied import records_discontinuation
from itp_response.cohort.values import NO_DAY, NONE, Bools, Floats
from itp_response.evaluation.endpoints.endpoint import Endpoint, defined, excluded
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.in_words import rule_in_words
from itp_response.evaluation.rules.tree import Rule, names_in
from itp_response.evaluation.verdicts import NA, Y, reason_in_words

STOPPED = "treatment_discontinued"


@dataclass(frozen=True)
class FromDay0:
    """The times of one endpoint from day 0 with what competes, an entry per patient (P).

    Where the user names what competes, a time that begins with another endpoint is followed so too.
    """

    name: str
    days: NDArray[np.float64]
    """NaN: the endpoint is not applicable, or its day is not known."""
    event: Bools
    """The time ended with the endpoint."""
    competing: Bools
    """It ended with a competing event; else, without either, it was censored."""
    competitors: tuple[str, ...]
    """The competing events in words; empty: the definition has none, or no input records them."""
    unrecorded: tuple[str, ...]
    """The competing events that no input records."""
    last: float
    """The last day on which the endpoint can be reached; infinite: no limit."""
    is_ended: bool = False
    """The definition says that its competing events end the time, whether or not the endpoint can still be reached."""
    named: tuple[str, ...] = ()
    """Further competing events in words, which the user named."""

    @property
    def competes(self) -> bool:
        """Whether anything competes with the endpoint."""
        return bool(self.competitors or self.named)


def from_day_0(classification: Classification, name: str, included: Bools) -> FromDay0 | None:
    """The time to the endpoint that the time `name` runs to, for the patients included; None: not from day 0."""
    model = classification.criteria.endpoints[name]
    if model.competes_with:
        return _with_its_own_events(classification, name, included)
    if model.runs_to is None or model.origins():
        return None
    if model.ends_at_a_moment:
        return _up_to_its_moment(classification, name, included)
    to, verdicts = model.runs_to, classification.verdicts
    length = verdicts[name].days
    assert length is not None  # it runs to an endpoint
    patient_days = classification.patient_days
    last = _last_days(classification, to)
    event = (verdicts[to].value == Y) & (length != NO_DAY)
    closed, events = _closed(classification, patient_days, to)
    competitors = tuple(event for event, is_recorded in events.items() if is_recorded)
    unrecorded = tuple(event for event, is_recorded in events.items() if not is_recorded)
    closed = np.maximum(closed, 0.0)
    competing = (verdicts[to].value != Y) & (closed <= last)
    counted = patient_days.day_of(patient_days.counted.last_in(patient_days.at_or_after(0), patient_days.after(last)))
    days = np.where(event, length, np.where(competing, closed, np.maximum(counted, 0))).astype(np.float64)
    known = included & (verdicts[to].value != NA) & (event | (verdicts[to].value != Y))
    known = known & defined(classification.criteria.endpoints[name], patient_days).true
    days[~known] = np.nan
    return FromDay0(name, days, event & known, competing & known, competitors, unrecorded, _latest(last))


def _with_its_own_events(classification: Classification, name: str, included: Bools) -> FromDay0:
    """A time of which the definition says what competes with it."""
    criteria, verdict = classification.criteria, classification.verdicts[name]
    model = criteria.endpoints[name]
    assert verdict.days is not None
    assert model.runs_to is not None
    known = included & (verdict.days != NO_DAY)
    return FromDay0(
        name,
        days=np.where(known, verdict.days, np.nan).astype(np.float64),
        event=known & (verdict.value == Y),
        competing=known & classification.competed(name),
        competitors=tuple(criteria.labelled(other) for other in model.competes_with),
        unrecorded=(),
        last=np.inf if model.origins() else _latest(_last_days(classification, model.runs_to)),
        is_ended=True,
    )


def _up_to_its_moment(classification: Classification, name: str, included: Bools) -> FromDay0:
    """A time from day 0 that is censored at a moment of its own: what closes its event before then competes with it."""
    verdict, to = classification.verdicts[name], classification.criteria.endpoints[name].runs_to
    assert verdict.days is not None
    assert to is not None
    known = included & (verdict.days != NO_DAY)
    closed, events = _closed(classification, classification.patient_days, to)
    closed = np.maximum(closed, 0.0)
    competing = known & (verdict.value != Y) & (closed <= verdict.days)
    return FromDay0(
        name,
        days=np.where(known, np.where(competing, closed, verdict.days), np.nan),
        event=known & (verdict.value == Y),
        competing=competing,
        competitors=tuple(event for event, is_recorded in events.items() if is_recorded),
        unrecorded=tuple(event for event, is_recorded in events.items() if not is_recorded),
        last=_latest(_last_days(classification, to)),
    )


def _latest(days: Floats) -> float:
    """The latest of the days of the patients; those that are not known aside."""
    return float(np.max(days[~np.isnan(days)], initial=-np.inf))


def _last_days(classification: Classification, name: str) -> Floats:
    """(P) The last day on which an endpoint can be reached; of one that sums up others, by the latest of them."""
    model = classification.criteria.endpoints[name]
    others = [_last_days(classification, other) for other in _summed_up(model)]
    latest: Floats = np.max(others or [classification.patient_days.each(model.days_looked_at()[1])], axis=0)
    return latest


def _closed(classification: Classification, patient_days: PatientDays, name: str) -> tuple[Floats, dict[str, bool]]:
    """(P) The day from which on an endpoint can be reached no more (infinite: there is none), and by what.

    One that sums up others is closed where all of them are. The events are in words, and whether an input records them.
    """
    cohort = classification.cohort
    model = classification.criteria.endpoints[name]
    verdicts = classification.verdicts
    closed = np.full(patient_days.patients, np.inf)
    events: dict[str, bool] = {}
    others = [_closed(classification, patient_days, other) for other in _summed_up(model)]
    if others:
        closed = np.max([days for days, _ in others], axis=0)
        events = {event: is_recorded for _, of_other in others for event, is_recorded in of_other.items()}
    for event in model.account(patient_days, verdicts, verdicts[name]).events:
        if isinstance(event.what, Rule):
            closed = np.minimum(closed, np.where(event.row == NONE, np.inf, patient_days.day_of(event.row)))
            events[rule_in_words(event.what)] = "rescue" not in names_in(event.what.tree) or cohort.records_rescue
    if model.unless is not None and STOPPED in names_in(model.unless.tree):
        stopped = np.where(excluded(model, patient_days), cohort.treatment_discontinued, np.inf)
        closed = np.minimum(closed, stopped)
        events[reason_in_words("discontinued")] = records_discontinuation(cohort)
    return closed, events


def _summed_up(model: Endpoint) -> dict[str, None]:
    """The endpoints that it sums up; none where it does not."""
    return dict.fromkeys(model.references().values() if model.sums_up else ())


@dataclass(frozen=True)
class Incidence:
    """A cumulative incidence: its steps, from 0 on."""

    days: Floats
    share: Floats
    variance: Floats

    def at(self, day: float) -> tuple[float, float]:
        """The share and its variance on a day."""
        step = int(np.searchsorted(self.days, day, side="right")) - 1
        return float(self.share[step]), float(self.variance[step])


def cumulative_incidence(days: Floats, event: Bools, competing: Bools) -> Incidence:
    """Aalen and Johansen's cumulative incidence of the event, its variance by the delta method.

    >>> event, competing = np.array([True, False, True, False]), np.array([False, True, False, False])
    >>> cumulative_incidence(np.array([1.0, 2, 3, 4]), event, competing).share.tolist()
    [0.0, 0.25, 0.25, 0.5]
    """
    at = np.unique(days[event | competing])
    at_risk = len(days) - np.searchsorted(np.sort(days), at, side="left")
    own = np.array([np.count_nonzero(event & (days == day)) for day in at], dtype=np.float64)
    every = own + [np.count_nonzero(competing & (days == day)) for day in at]
    before = np.cumprod(np.concatenate([[1.0], 1 - every / at_risk]))[:-1]
    share = np.concatenate([[0.0], np.cumsum(before * own / at_risk)])
    left = np.maximum(at_risk - every, 1)  # where nobody is left, what follows is nothing
    variance = [0.0]
    for step in range(1, len(share)):
        rest = share[step] - share[1 : step + 1]
        of_step = slice(0, step)
        risk, died, mine, free = at_risk[of_step], every[of_step], own[of_step], before[of_step]
        parts = rest**2 * died / (risk * left[of_step]) + free**2 * mine * (risk - mine) / risk**3
        variance.append(float((parts - 2 * rest * free * mine / risk**2).sum()))
    return Incidence(np.concatenate([[0.0], at]), share, np.array(variance))


def interval(share: float, variance: float, z: float) -> tuple[float, float]:
    """The interval of a cumulative incidence from log(-log)."""
    if not 0 < share < 1 or variance <= 0:
        return share, share
    spread = z * np.sqrt(variance) / (share * np.log(share))
    return float(share ** np.exp(-spread)), float(share ** np.exp(spread))
