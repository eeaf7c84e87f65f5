"""Extent: the time spent in a state, all of it or the longest stretch.

Cumulative weeks of response to avatrombopag, the longest response in RAISE, and the time in response of the IWG 2009
are of this kind. With `at_least` it is met or not, as continuous response in EXTEND.

>>> from itp_response import ask
>>> timeline = "d0 15, d1 60, d57 60, d113 60, d169 60, d176 60"
>>> [continuous] = ask(timeline, "extend", endpoint="continuous", counterfactuals=False)
>>> continuous.value, continuous.day
('Y', 176)
>>> [continuous] = ask("d0 15, d1 60, d57 60, d113 20", "extend", endpoint="continuous", counterfactuals=False)
>>> continuous.value, continuous.reason
('N', 'too_short')
"""

from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from itp_response.cohort.values import NO_DAY, NONE, Bools, Floats, Ints, offsets
from itp_response.evaluation.clock import DayOf, Length, OwnDays, apart, is_limit
from itp_response.evaluation.endpoints.account import (
    DISCOUNTED,
    PASSED_OVER,
    Account,
    Decided,
    Mark,
    needed,
    parts_by_state,
    place,
)
from itp_response.evaluation.endpoints.endpoint import Endpoint, RowRule, discounted_rows, inside, never_met, started
from itp_response.evaluation.patient_days import Flagged, PatientDays, counted_days
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.in_words import length_in_words, rule_in_words
from itp_response.evaluation.verdicts import NE, N, Reasons, Verdict, VerdictsByName, Y
from itp_response.messages.wording import counted, days_in_words


class Extent(Endpoint):
    """Time in a state."""

    kind: Literal["extent"]
    when: RowRule = Field(description="the state")
    days: OwnDays = Field(description="first and last day of the assessment window, both finite")
    measure: Literal["total", "longest"] = Field(
        default="total", description="total time, or the longest continuous period"
    )
    lasting: Literal["step", "first_to_last", "visit"] = Field(
        default="step",
        description="step: a state lasts until the next observation; first_to_last: only where this is in the state "
        "too; visit: each observation counts for `each`",
    )
    each: Length | None = Field(default=None, description="the time that a visit counts for")
    max_gap: Length | None = Field(
        default=None, description="with step: the longest time that a state is carried forward"
    )
    at_least: Length | None = Field(default=None, description="the time that must be reached")
    set_aside: RowRule | None = Field(default=None, description="where not false, an observation is disregarded")
    discount: RowRule | None = Field(
        default=None,
        description="where true, a count is not in the state; nor is one in the state where this is unknown",
    )

    lengths: ClassVar[tuple[str, ...]] = ("days", "of_days")

    @property
    def is_length(self) -> bool:
        return self.at_least is None

    @property
    def has_day(self) -> bool:
        return self.at_least is not None

    def measures(self) -> tuple[str, ...]:
        return ("days", "of_days") if self.is_length else ("verdict", "days", "of_days")

    def days_looked_at(self) -> tuple[DayOf, DayOf]:
        return self.days

    def confirmation(self) -> str:
        return f"{self.measure} time" + (f" of at least {self.at_least}" if self.at_least else "")

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not all(is_limit(day) for day in self.days):
            raise PydanticCustomError("extent", "both ends of 'days' must be finite")
        if (self.each is None) == (self.lasting == "visit"):
            raise PydanticCustomError(
                "extent", "'each' requires lasting = 'visit', and lasting = 'visit' requires 'each'"
            )
        if self.max_gap is not None and self.lasting != "step":
            raise PydanticCustomError("extent", "'max_gap' requires lasting = 'step'")
        if "months" in {length.unit for length in (self.each, self.max_gap, self.at_least) if length}:
            raise PydanticCustomError("extent", "times here are days or weeks, not calendar months")
        if self.at_least is not None and self.at_least.number > self._longest:
            raise never_met(f"'at_least' is {self.at_least}, of at most {counted(int(self._longest), 'day')}")
        return self

    @property
    def _longest(self) -> float:
        """The most days that a patient can have been in the state."""
        length = apart(*self.days)
        days = np.inf if length is None else length + (self.lasting != "first_to_last")
        return days if self.each is None else days * self.each.number

    def verdicts(self, patient_days: PatientDays, earlier: VerdictsByName, reasons: Reasons) -> Verdict:
        """How long each patient was in the state, of how long observed, and from which row to which."""
        verdict, open_ = started(self, patient_days, earlier, reasons, None)
        row, in_state = _known(self, patient_days)
        patient = patient_days.patient[row]
        begin, end = (
            np.searchsorted(patient, np.arange(patient_days.patients), side=side) for side in ("left", "right")
        )
        lasts, cut = _lasting(self, patient_days, row)
        observed = _sums(lasts, begin, end)
        if self.lasting == "first_to_last":
            lasts = np.where(_before_another(in_state, patient), lasts, 0)
        if self.measure == "total":
            days = _sums(np.where(in_state, lasts, 0), begin, end)
            flagged = Flagged(in_state)
            first, last = flagged.first_in(begin, end), flagged.last_in(begin, end)
        else:
            first, last, days = _longest(patient_days, in_state, cut, patient, lasts)

        known = open_ & (end > begin)
        verdict.set(open_, NE, reasons["no_counts"])
        verdict.set(known, Y, reasons["met"])
        if self.at_least is not None:
            verdict.set(known & (days < self.at_least.number), N, reasons["too_short"])
        shown = known & (days > 0)
        for evidence, index in (("onset", first), ("confirming", last), ("dated", last)):
            verdict.mark(evidence, shown, row[np.maximum(index, 0)] if len(row) else index)
        verdict.days = np.where(known, days, NO_DAY).astype(np.int32)
        verdict.of_days = np.where(known, observed, NO_DAY).astype(np.int32)
        return verdict

    def changes_until(self, decided: Decided, settled_on: Floats) -> Floats:
        value, last = decided.verdict.value, self.last_day_of(decided.patient_days)
        if self.each is None:  # the patient is observed to the last count, also where that follows the last day
            goes_on = decided.patient_days.last_counted_day < np.floor(last)
            last = np.where(goes_on & (value != NE), np.inf, last)
        is_reached = np.isneginf(settled_on) & (value == Y) & (self.at_least is not None)
        return np.where(is_reached, -np.inf, last)

    def phrases(self) -> dict[str, str]:
        return super().phrases() | {"qualifies": "in the state", "fails": "not in the state"}

    def rows_played(self, decided: Decided) -> Account:
        patient_days, verdict = decided.patient_days, decided.verdict
        state = decide(self.when.tree, patient_days)
        part = parts_by_state(state)
        if self.discount is not None:
            part[discounted_rows(self.discount, patient_days, state) & patient_days.has_count] = DISCOUNTED
        if self.set_aside is not None:
            part[~decide(self.set_aside.tree, patient_days).false] = PASSED_OVER
        begin, end = self.span(patient_days)
        place(part, patient_days, begin, end)
        open_ = verdict.value == NE
        return Account(
            part,
            begin,
            end,
            marks=(Mark(verdict.onset, "first"), Mark(verdict.confirming, "last")),
            missing_from=needed(open_, patient_days.each(self.days[0])),
            missing_to=needed(open_, patient_days.each(self.days[1])),
        )

    def missing_data(self) -> str:
        if self.each is not None:
            return "time without an observation is not counted; NE if there is none"
        if self.lasting == "first_to_last":
            return "time after the last observation in the state is not counted; NE if there is no observation"
        limit = f" for at most {length_in_words(self.max_gap)}" if self.max_gap else ""
        return f"the state is carried forward to the next observation{limit}; NE if there is none"

    def definition(self) -> str:
        """What decides it, in words, without what excludes patients."""
        what = "The total time" if self.measure == "total" else "The longest continuous period"
        text = f"{what} with {rule_in_words(self.when)}{days_in_words(self.days)}"
        if self.at_least is not None:
            text += f", which must reach {length_in_words(self.at_least)}"
        if self.each is not None:
            text += f". Each observation in this state counts for {length_in_words(self.each)}."
        elif self.lasting == "first_to_last":
            text += ". Each period runs from its first to its last observation; a single observation has no duration."
        else:
            limit = f", for at most {length_in_words(self.max_gap)}" if self.max_gap else ""
            text += f". The state at an observation is carried forward to the next one{limit}."
        if self.set_aside is not None:
            text += f" Observations with {rule_in_words(self.set_aside)} are disregarded."
        if self.discount is not None:
            text += f" Observations with {rule_in_words(self.discount)} are not in this state."
        return text


def _known(model: Extent, patient_days: PatientDays) -> tuple[Ints, Bools]:
    """The rows looked at that are known to be in the state or out of it, and whether each is in it."""
    state = decide(model.when.tree, patient_days)
    looked_at = inside(patient_days, *model.span(patient_days))
    if model.set_aside is not None:
        looked_at &= decide(model.set_aside.tree, patient_days).false
    good, known = state.true, state.true | state.false
    if model.discount is not None:
        discounted = discounted_rows(model.discount, patient_days, state)
        good, known = good & ~discounted, known | (discounted & patient_days.has_count)
    row = np.flatnonzero(known & looked_at)
    return row, good[row]


def _lasting(model: Extent, patient_days: PatientDays, row: Ints) -> tuple[Ints, Bools]:
    """The days that each known row stands for, and whether `max_gap` cut its state short."""
    if model.each is not None:
        return np.full(len(row), model.each.number), np.zeros(len(row), dtype=np.bool_)
    if not len(row):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_)
    patient, day = patient_days.patient[row], patient_days.day[row].astype(np.int64)
    last = counted_days(np.floor(patient_days.each(model.days[1])))
    observed_to = np.minimum(patient_days.last_counted_day.astype(np.int64), last)[patient] + 1
    until = np.append(day[1:], 0)
    is_last = np.append(patient[1:] != patient[:-1], True)
    lasts = np.maximum(np.minimum(np.where(is_last, observed_to, until), observed_to) - day, 0)
    if model.max_gap is None:
        return lasts, np.zeros(len(row), dtype=np.bool_)
    return np.minimum(lasts, model.max_gap.number), lasts > model.max_gap.number


def _before_another(in_state: Bools, patient: Ints) -> Bools:
    """Whether the known row after each known row of the state is of the same patient and in the state too."""
    if not len(in_state):
        return in_state
    after: Bools = np.append(in_state[1:] & (patient[1:] == patient[:-1]), False)
    return in_state & after


def _sums(values: Ints, begin: Ints, end: Ints) -> Ints:
    """The sum of the values of each patient."""
    before = offsets(values)
    return before[end] - before[begin]


def _longest(
    patient_days: PatientDays, in_state: Bools, cut: Bools, patient: Ints, lasts: Ints
) -> tuple[Ints, Ints, Ints]:
    """Each patient's first longest stretch: the index of its first and last row, -1 if none, and its length."""
    indexes = np.flatnonzero(in_state)
    first = np.full(patient_days.patients, NONE)
    last, days = first.copy(), np.zeros(patient_days.patients, dtype=np.int64)
    if not len(indexes):
        return first, last, days
    before, after = indexes[:-1], indexes[1:]
    joined = (after == before + 1) & (patient[after] == patient[before]) & ~cut[before]
    begins = np.flatnonzero(np.append(True, ~joined))
    ends = np.append(begins[1:], len(indexes)) - 1
    length = np.add.reduceat(lasts[indexes], begins)
    owner = patient[indexes[begins]]
    order = np.lexsort((np.arange(len(begins)), -length, owner))
    longest = order[np.append(True, owner[order][1:] != owner[order][:-1])]
    first[owner[longest]] = indexes[begins[longest]]
    last[owner[longest]] = indexes[ends[longest]]
    days[owner[longest]] = length[longest]
    return first, last, days
