"""Achieved: a state is reached on a number of occasions, each some time after the one before.

The overall response of the ATRA trial (a count of 30 on two occasions a week apart) and the responses of the IWG 2009
are of this kind; with one occasion it is "at least once", as in FIT's overall response.

>>> from itp_response import ask
>>> [response] = ask("d0 15, d22 40, d29 45", "atra_2022", endpoint="OR", counterfactuals=False)
>>> response.value, response.day
('Y', 22)
>>> [response] = ask("d0 15, d22 40, d28 45, d35 12, d364 12", "atra_2022", endpoint="OR", counterfactuals=False)
>>> response.value, response.reason
('N', 'not_confirmed')
"""

from typing import ClassVar, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from itp_response.cohort.values import NONE, Bools, Floats, Ints, Truths, known
from itp_response.evaluation.clock import MOST_OCCASIONS, DayOf, Length, OwnDays, apart
from itp_response.evaluation.endpoints.account import (
    CLOSED,
    DECIDED,
    DISCOUNTED,
    TOO_SOON,
    UNKNOWN,
    Account,
    Decided,
    Event,
    Mark,
    after_row,
    from_row,
    needed,
    parts_by_state,
    place,
)
from itp_response.evaluation.endpoints.endpoint import (
    DaysBetween,
    Endpoint,
    Occasions,
    RowRule,
    discounted_rows,
    followed_or_not,
    inside,
    never_met,
    occasion_before,
    occasions,
    occasions_in_words,
    started,
    why_unknown,
)
from itp_response.evaluation.patient_days import Flagged, PatientDays
from itp_response.evaluation.rules.decide import decide, either
from itp_response.evaluation.rules.in_words import length_in_words, rule_in_words
from itp_response.evaluation.rules.tree import last_day, reason
from itp_response.evaluation.verdicts import NE, Codes, N, Reasons, Verdict, VerdictsByName, Y
from itp_response.messages.wording import counted, days_in_words


class Achieved(Endpoint):
    """A state reached on a number of occasions."""

    kind: Literal["achieved"]
    when: RowRule = Field(description="the state")
    occasions: int = Field(
        default=1, ge=1, le=MOST_OCCASIONS, description="the number of observations in the state that are required"
    )
    apart: Length = Field(default=Length("1 day"), description="the least time from one occasion to the next")
    apart_at_most: Length | None = Field(
        default=None, description="with two occasions: the longest time from the first to the second"
    )
    between: Literal["anything", "unbroken"] = Field(
        default="anything", description="unbroken: no observation between the first and the last occasion may fail"
    )
    days: OwnDays = Field(default=(-np.inf, np.inf), description="first and last day of the assessment window")
    from_: str | None = Field(default=None, alias="from", description="assessment starts on the day of this endpoint")
    until: str | None = Field(default=None, description="assessment ends on the day before this endpoint")
    at_once: RowRule | None = Field(default=None, description="where true, a single observation meets it")
    discount: RowRule | None = Field(
        default=None,
        description="where true, an observation is not evidence of it; nor is one in the state where this is unknown",
    )
    closed_by: RowRule | None = Field(
        default=None, description="from the first such observation on, it can no longer be met"
    )
    dated_by: Literal["first", "confirming"] = Field(default="first", description="the occasion that dates it")
    unknown_counts: Literal["may_meet", "do_not_meet"] = Field(
        default="may_meet", description="could observations with a count and an unknown state have met it?"
    )
    discounted_counts: Literal["may_meet", "do_not_meet"] = Field(
        default="do_not_meet", description="could discounted observations have met it?"
    )
    without_counts: Literal["N", "NE"] = Field(
        default="N", description="the result of a patient followed to the end with no count in the assessment window"
    )

    lasts: ClassVar[bool] = True
    asks_for_follow_up: ClassVar[bool] = True

    @model_validator(mode="after")
    def _limit_of_two(self) -> Self:
        if self.apart_at_most is not None and self.occasions != 2:
            raise PydanticCustomError("achieved", "'apart_at_most' requires occasions = 2")
        if self.apart_at_most is not None and self.apart_at_most.at_most_days < self.apart.at_least_days:
            raise never_met("'apart_at_most' is shorter than 'apart'")
        length = apart(*self.days)
        if length is not None and (self.occasions - 1) * self.apart.at_least_days > length:
            raise never_met(f"{self.occasions} occasions {self.apart} apart do not fit{days_in_words(self.days)}")
        return self

    def references(self) -> dict[str, str]:
        named = {"from": self.from_, "until": self.until}
        return {key: name for key, name in named.items() if name is not None}

    def days_looked_at(self) -> tuple[DayOf, DayOf]:
        return self.days

    def days_compared(self) -> tuple[DayOf, ...] | None:
        lengths = (self.apart, self.apart_at_most)
        return None if any(length and length.unit == "months" for length in lengths) else self.days

    def days_between(self) -> tuple[DaysBetween, ...]:
        if self.occasions == 1:
            return ()
        at_most = () if self.apart_at_most is None else (DaysBetween(self.apart_at_most.number + 1),)
        return (DaysBetween(self.apart.number), *at_most)

    def window(self) -> str:
        begins = f"from {self.from_} on" if self.from_ else ""
        ends = f"before {self.until}" if self.until else ""
        return ", ".join(filter(None, [super().window(), begins, ends]))

    @property
    def is_confirmed(self) -> bool:
        return self.occasions > 1

    def confirmation(self) -> str:
        broken_by = "fails" if self.between == "unbroken" else ""
        return occasions_in_words(self.occasions, self.apart, broken_by, self.apart_at_most)

    def verdicts(self, patient_days: PatientDays, earlier: VerdictsByName, reasons: Reasons) -> Verdict:
        """Whether, when and on which rows each patient met it."""
        verdict, open_ = started(self, patient_days, earlier, reasons, self.from_)
        columns = _columns(self, patient_days, earlier)
        begin, end, closed = columns.begin, columns.end, columns.closed
        first, last, begun = self._occasions(patient_days, columns, columns.good)
        met = open_ & (first != NONE)
        verdict.set(met, Y, reasons["met"])
        verdict.mark("onset", met, first)
        if self.occasions > 1:
            verdict.mark("confirming", met, last)
        verdict.mark("dated", met, last if self.dated_by == "confirming" else first)
        if self.at_once is not None:
            alone = patient_days.first_of_each(columns.alone)
            sooner = open_ & (alone != NONE) & (~met | (alone <= first))
            met = met | sooner
            verdict.set(sooner, Y, reasons["met"])
            for field, row in (("onset", alone), ("dated", alone), ("confirming", patient_days.nowhere)):
                verdict.mark(field, sooner, row)

        missed = open_ & ~met
        ended = closed != NONE
        over = earlier[self.until].value == Y if self.until else np.zeros_like(met)
        followed = patient_days.followed(self.followed_from)
        # Of a patient followed to the end, the doubtful rows may have met it.
        asked = missed & followed & ~ended & ~over
        doubtful, doubtful_alone = _doubtful(self, patient_days, columns), _doubtful_alone(self, patient_days, columns)
        possible = asked & self._possible(patient_days, columns, doubtful, asked)
        possible |= asked & (patient_days.first_of_each(doubtful_alone) != NONE)
        unseen = ~patient_days.counted.any_in(begin, end)
        known_not = followed & ~possible if self.without_counts == "N" else followed & ~possible & ~unseen
        not_met = missed & (ended | over | known_not)
        verdict.set(not_met, N, _why_not(patient_days, begun, columns.good_but_discounted, reasons))
        if self.closed_by is not None:
            verdict.set(missed & ended, N, reasons[reason(self.closed_by)])
            verdict.mark("ended", missed & ended, closed)

        unknown = missed & ~not_met
        verdict.set(unknown, NE, reasons["follow_up_ended"])
        if possible.any():
            row = patient_days.first_of_each(doubtful | doubtful_alone)
            verdict.set(possible, NE, _why_unknown(self, patient_days, row, columns, reasons))
        verdict.set(unknown & unseen, NE, reasons["no_counts"])
        return verdict

    def changes_until(self, decided: Decided, settled_on: Floats) -> Floats:
        patient_days, earlier, verdict = decided.patient_days, decided.earlier, decided.verdict
        limit = followed_or_not(patient_days, self.followed_from, self._last_day(patient_days))
        is_over = _span(self, patient_days, earlier)[2] != NONE
        if self.until is not None:
            is_over |= (earlier[self.until].value == Y) & (earlier[self.until].dated != NONE)
        stays = verdict.value == Y
        if self.at_once is not None:
            # What was met by one row alone has an earlier day once occasions that began before it are confirmed.
            first = patient_days.first_of_each(_columns(self, patient_days, earlier).good)
            stays &= (verdict.confirming != NONE) | (first == NONE) | (first >= verdict.onset)
        return np.where(np.isneginf(settled_on) & (stays | is_over), -np.inf, limit)

    def assessed_until(self, decided: Decided, of_others: Floats) -> Floats:  # noqa: ARG002
        return self._last_day(decided.patient_days)

    def _last_day(self, patient_days: PatientDays) -> Floats:
        """(P) The last day on which an observation can be in the state."""
        return np.minimum(
            self.last_day_of(patient_days), max(last_day(rule.tree) for rule in filter(None, (self.when, self.at_once)))
        )

    def phrases(self) -> dict[str, str]:
        before = {"before": f"before the day of {self.from_}"} if self.from_ else {}
        return super().phrases() | before | {"decided": "after it was met"}

    def rows_played(self, decided: Decided) -> Account:
        patient_days, earlier, verdict = decided.patient_days, decided.earlier, decided.verdict
        columns = _columns(self, patient_days, earlier)
        begin, end, closed = columns.begin, columns.end, columns.closed
        alone = _doubtful_alone(self, patient_days, columns)
        doubtful = (_doubtful(self, patient_days, columns) | alone) & (columns.discounted | columns.alone_discounted)
        part = parts_by_state(either(columns.state, columns.at_once))
        # What may have met it by itself leaves it open, though it is an occasion too.
        followed = patient_days.followed(self.followed_from)
        leaves_open = alone & ((verdict.value == NE) & followed)[patient_days.patient]
        part[leaves_open] = UNKNOWN
        part[columns.discounted | columns.alone_discounted] = DISCOUNTED
        occasion = np.full(len(part), NONE)
        if self.apart_at_most is None:  # else a row too soon after one that leads to no second may lead to one itself
            occasion = occasion_before(patient_days, columns.good, self.occasions, self.apart, columns.failing)
            occasion[columns.alone | leaves_open] = NONE
        part[occasion != NONE] = TOO_SOON
        place(part, patient_days, begin, end)
        until = earlier[self.until].dated if self.until else patient_days.nowhere
        events = [Event(until, self.until)] if self.until else []
        events += [Event(closed, self.closed_by)] if self.closed_by is not None else []
        from_row(part, patient_days, until, CLOSED)
        from_row(part, patient_days, closed, CLOSED)
        shown = np.where(verdict.value == Y, verdict.last_evidence, NONE)
        after_row(part, patient_days, shown, DECIDED)
        open_ = (verdict.value == NE) & ~followed
        # Followed to the end, without a count in the days looked at: what is missing is one of these.
        unseen = (verdict.value == NE) & followed & ~patient_days.counted.any_in(begin, end)
        since = patient_days.end_of_follow_up(self.followed_from)
        first, last = (patient_days.each(day) for day in self.days)
        return Account(
            part,
            begin,
            end,
            marks=(Mark(verdict.onset, "starts here"), Mark(verdict.confirming, "confirms")),
            events=tuple(events),
            occasion=occasion,
            doubtful=doubtful,
            missing_from=np.where(unseen, first, needed(open_, np.maximum(since, first))),
            missing_to=np.where(unseen, last, needed(open_, np.inf)),
        )

    def _occasions(self, patient_days: PatientDays, columns: "_Columns", good: Bools) -> Occasions:
        """Each patient's occasions among these rows."""
        return occasions(patient_days, good, self.occasions, self.apart, columns.failing, self.apart_at_most)

    def _possible(self, patient_days: PatientDays, columns: "_Columns", doubtful: Bools, asked: Bools) -> Bools:
        """Of the patients asked about, those who would have met it if the doubtful rows had been in the state."""
        if not doubtful.any():
            return np.zeros(patient_days.patients, dtype=np.bool_)
        of_asked = np.repeat(asked, np.diff(patient_days.start))
        return np.not_equal(self._occasions(patient_days, columns, (columns.good | doubtful) & of_asked).first, NONE)

    def definition(self) -> str:
        """What decides it, in words, without what excludes patients."""
        alone = "" if self.at_once is None else f", or a single observation of {rule_in_words(self.at_once)}"
        text = f"Requires {rule_in_words(self.when)}, {self._times()}{alone}{days_in_words(self.days)}."
        if self.from_ or self.until:
            begins = f"from the day of {self.from_}" if self.from_ else ""
            ends = f"up to the day before {self.until}" if self.until else ""
            text += f" Only observations {' '.join(filter(None, [begins, ends]))} are assessed."
        if self.occasions > 1:
            text += f" The day is that of the {'first' if self.dated_by == 'first' else 'last'} of these occasions."
        if self.discount is not None:
            text += (
                f" A count with {rule_in_words(self.discount)} is not evidence that it is met; a failing count still"
                " counts against it."
            )
        if self.closed_by is not None:
            text += f" It can no longer be met once there is {rule_in_words(self.closed_by)} (intercurrent event)."
        if self.without_counts == "NE":
            text += " Without a count in these days it is not evaluable."
        return text

    def missing_data(self) -> str:
        counts = " and there is a count" if self.without_counts == "NE" else ""
        unknown = " or if a count of unknown state could have met it" if self.unknown_counts == "may_meet" else ""
        return f"N if not met and follow-up is complete{counts}; NE if not{unknown}"

    def _times(self) -> str:
        """On how many occasions, how far apart and with what between them."""
        if self.occasions == 1:
            return "at least once"
        apart = length_in_words(self.apart)
        if self.apart_at_most is not None:
            apart += f" and at most {length_in_words(self.apart_at_most)}"
        number = counted(self.occasions, "occasion")
        times = f"on {number} at least {apart} apart"
        if self.occasions > 2:
            times = f"on {number}, each at least {apart} after the one before"
        return times + (", with no failing observation between them" if self.between == "unbroken" else "")


class _Columns(NamedTuple):
    """What decides, of rows (N) and patients (P)."""

    state: Truths
    at_once: Truths
    begin: Ints
    end: Ints
    closed: Ints
    """(P) The row that closed it; -1: none."""
    looked_at: Bools
    good: Bools
    """(N) The rows that are evidence."""
    alone: Bools
    """(N) The rows that meet it by themselves."""
    discounted: Bools
    alone_discounted: Bools
    """(N) The rows that would meet it by themselves, or may, but are discounted."""
    failing: Flagged | None

    @property
    def good_but_discounted(self) -> Bools:
        """(N) The rows in the state that are discounted."""
        return (self.state.true & self.discounted) | (self.at_once.true & self.alone_discounted)


def _columns(model: Achieved, patient_days: PatientDays, earlier: VerdictsByName) -> _Columns:
    state = decide(model.when.tree, patient_days)
    nothing = np.zeros(len(patient_days.day), dtype=np.bool_)
    at_once = known(nothing) if model.at_once is None else decide(model.at_once.tree, patient_days)
    begin, end, closed = _span(model, patient_days, earlier)
    looked_at = inside(patient_days, begin, end)
    failing = Flagged(state.false) if model.between == "unbroken" else None
    good, alone, discounted, alone_discounted = state.true & looked_at, at_once.true & looked_at, nothing, nothing
    if model.discount is not None:
        discount = decide(model.discount.tree, patient_days)
        good, alone = good & discount.false, alone & discount.false
        discounted = discounted_rows(model.discount, patient_days, state) & looked_at
        alone_discounted = (at_once.true & ~discount.false) | (at_once.unknown & (discount.true | discounted))
        alone_discounted = alone_discounted & looked_at
    return _Columns(state, at_once, begin, end, closed, looked_at, good, alone, discounted, alone_discounted, failing)


def _span(model: Achieved, patient_days: PatientDays, earlier: VerdictsByName) -> tuple[Ints, Ints, Ints]:
    """The span of the rows looked at, and the row that closed it, -1 if none."""
    begin, end = patient_days.at_or_after(model.days[0]), patient_days.after(model.days[1])
    closed = np.full(patient_days.patients, NONE)
    if model.closed_by is not None:
        closed = Flagged(decide(model.closed_by.tree, patient_days).true).first_in(begin, end)
        end = np.where(closed != NONE, closed, end)
    if model.from_ is not None:
        begin = np.maximum(begin, earlier[model.from_].dated)
    if model.until is not None:
        until = earlier[model.until]
        # Of an endpoint that is met on all completions of the data, but not on one day, there is no row.
        end = np.where((until.value == Y) & (until.dated != NONE), np.minimum(end, until.dated), end)
    return begin, end, closed


def _doubtful(model: Achieved, patient_days: PatientDays, columns: _Columns) -> Bools:
    """The rows that are not evidence but may have been."""
    doubtful = columns.state.true & columns.discounted
    if model.unknown_counts == "may_meet":
        doubtful |= columns.state.unknown & patient_days.has_count & columns.looked_at
    return doubtful if model.discounted_counts == "may_meet" else doubtful & ~columns.discounted


def _doubtful_alone(model: Achieved, patient_days: PatientDays, columns: _Columns) -> Bools:
    """The rows that did not meet it by themselves but may have."""
    doubtful = columns.at_once.true & columns.alone_discounted
    if model.unknown_counts == "may_meet":
        doubtful |= columns.at_once.unknown & columns.looked_at
    doubtful &= patient_days.has_count
    return doubtful if model.discounted_counts == "may_meet" else doubtful & ~columns.alone_discounted


def _why_not(patient_days: PatientDays, begun: Ints, discounted: Bools, reasons: Reasons) -> Codes:
    why = np.full(patient_days.patients, reasons["never_reached"], dtype=np.int16)
    np.putmask(why, patient_days.first_of_each(discounted) != NONE, reasons["discounted"])
    np.putmask(why, begun != NONE, reasons["not_confirmed"])
    return why


def _why_unknown(model: Achieved, patient_days: PatientDays, row: Ints, columns: _Columns, reasons: Reasons) -> Codes:
    """What made each patient's first doubtful row unknown; `row` is -1 where there is none."""
    why = why_unknown(model.when, patient_days, row, reasons)
    at = np.maximum(row, 0)
    if model.at_once is not None:
        of_at_once = (columns.state.false | columns.state.true)[at]
        np.putmask(why, of_at_once, why_unknown(model.at_once, patient_days, row, reasons))
    np.putmask(why, columns.good_but_discounted[at], reasons["discounted"])
    return why
