"""At visit: the state of an endpoint at one planned visit, decided as if it were an endpoint of its own.

So what is known only in part, as a date or a count, is completed for a visit as for any endpoint. It is no kind: a
criteria file cannot ask for it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from itp_response.cohort.values import NONE, Ints
from itp_response.evaluation.clock import Baseline, Clock, NotRecorded, VisitWindow
from itp_response.evaluation.criteria_set import CriteriaSet
from itp_response.evaluation.endpoints.endpoint import (
    AskedRule,
    Endpoint,
    causes,
    counts_kept,
    discounted_rows,
    flag_at,
    nearest,
    started,
    why_unknown,
)
from itp_response.evaluation.endpoints.missing_after import by_cause, cause_of
from itp_response.evaluation.endpoints.visits import VALUE_OF
from itp_response.evaluation.patient_days import Flagged, PatientDays
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.tree import And, reason
from itp_response.evaluation.verdicts import NE, Codes, N, Reasons, Verdict, VerdictsByName, Y


class AtVisit(Endpoint):
    """The state of an endpoint at a planned visit."""

    kind: Literal["at_visit"]
    of: Any
    """The endpoint."""
    planned: VisitWindow

    @classmethod
    def made(cls, model: Endpoint, planned: VisitWindow) -> "AtVisit":
        """The state of that endpoint, which was read and checked, at that visit."""
        common = {name: getattr(model, name) for name in Endpoint.model_fields if name != "kind"}
        return cls.model_construct(kind="at_visit", of=model, planned=planned, **common)

    def rules(self) -> Iterator[AskedRule]:
        yield from self.of.rules()

    def verdicts(self, patient_days: PatientDays, earlier: VerdictsByName, reasons: Reasons) -> Verdict:
        """The state of each patient at the visit, dated by the row of the count used."""
        model: Endpoint = self.of
        verdict, open_ = started(model, patient_days, earlier, reasons, None)
        row = row_of_visit(model, self.planned, patient_days)
        states = states_at(model, patient_days, row, reasons)
        missing, causes_of_it = model.without_count
        verdict.set(open_, VALUE_OF[missing], reasons["no_counts"])
        cause = cause_of(causes_of_it, patient_days, np.full(patient_days.patients, self.planned.day))
        for _, treated, where in by_cause(causes_of_it, cause):
            verdict.set(open_ & where, VALUE_OF[treated], reasons["no_counts"])
        verdict.set(open_ & (row != NONE), NE, states.reason)
        np.copyto(verdict.value, states.value, where=open_ & (row != NONE))
        closing, closed_by = model.closing_row(patient_days), model.row_rule("closed_by")
        if closed_by is not None:
            on_or_after = (closing != NONE) & (self.planned.day >= patient_days.day_of(closing))
            verdict.set(open_ & (row == NONE) & on_or_after, N, reasons[reason(closed_by)])
        verdict.mark("dated", open_, row)
        return verdict


class RowStates(NamedTuple):
    """The state of an endpoint at some rows (K)."""

    value: NDArray[np.int8]
    reason: Codes


def states_at(model: Endpoint, patient_days: PatientDays, row: Ints, reasons: Reasons) -> RowStates:
    """The state of an endpoint at each row (-1: none, of which nothing is said), with what discounts and closes it."""
    rule, discount, closed_by = model.state, model.row_rule("discount"), model.row_rule("closed_by")
    assert rule is not None
    state = decide(rule.tree, patient_days)
    value = np.full(len(row), NE, dtype=np.int8)
    why = why_unknown(rule, patient_days, row, reasons)
    yes, no = flag_at(state.true, row), flag_at(state.false, row)
    value[yes], value[no] = Y, N
    why = np.where(yes, reasons["met"], why)
    why = np.where(no, causes(rule.tree, And, patient_days, np.where(no, row, NONE), reasons), why)
    if discount is not None:
        discounted = flag_at(discounted_rows(discount, patient_days, state), row)
        value[discounted], why[discounted] = model.value_discounted, reasons["discounted"]
    if closed_by is not None and len(patient_days.day):
        closing = model.closing_row(patient_days)[patient_days.patient[np.maximum(row, 0)]]
        closed = (row != NONE) & (closing != NONE) & (row >= closing)
        value[closed], why[closed] = N, reasons[reason(closed_by)]
    return RowStates(value, why.astype(np.int16))


def row_of_visit(model: Endpoint, planned: VisitWindow, patient_days: PatientDays) -> Ints:
    """(P) The row of the count that is used for a planned visit; -1: there is none."""
    counts = counts_kept(model.row_rule("set_aside"), patient_days)
    return nearest_to_visit(planned, counts, patient_days, later=model.later_of_two)


def nearest_to_visit(planned: VisitWindow, counts: Flagged, patient_days: PatientDays, *, later: bool) -> Ints:
    """(P) Of these rows the one in the window that is nearest to the planned day, as `nearest`."""
    begin, end = patient_days.at_or_after(planned.first), patient_days.after(planned.last)
    return nearest(patient_days, counts, np.full(patient_days.patients, planned.day), begin, end, later=later)


@dataclass(frozen=True)
class StatesByVisit:
    """The states of the endpoints of a set at their planned visits, as a set of its own."""

    whole: CriteriaSet

    @cached_property
    def visits(self) -> dict[str, tuple[VisitWindow, ...]]:
        """The planned visits of each endpoint that has a state at any."""
        windows = {
            name: model.visit_windows(self.whole.clock, self.whole.baseline)
            for name, model in self.whole.endpoints.items()
            if model.has_state_by_visit
        }
        planned = {name: tuple(window for window in of_one if window.is_planned) for name, of_one in windows.items()}
        return {name: of_one for name, of_one in planned.items() if of_one}

    @cached_property
    def endpoints(self) -> dict[str, Endpoint]:
        """The state of each endpoint at each of its visits, by `name_at`."""
        return {
            name_at(name, window): AtVisit.made(self.whole.endpoints[name], window)
            for name, windows in self.visits.items()
            for window in windows
        }

    @property
    def order(self) -> tuple[str, ...]:
        return tuple(self.endpoints)

    @property
    def clock(self) -> Clock:
        return self.whole.clock

    @property
    def baseline(self) -> Baseline:
        return self.whole.baseline

    @property
    def not_recorded(self) -> NotRecorded:
        return self.whole.not_recorded

    @property
    def rescues(self) -> Mapping[str, frozenset[str]]:
        return self.whole.rescues

    @property
    def reasons(self) -> Reasons:
        return self.whole.reasons


def name_at(name: str, planned: VisitWindow) -> str:
    """The name of the state of an endpoint at a visit, which no endpoint of a file can have."""
    return f"{name} on day {planned.day}"
