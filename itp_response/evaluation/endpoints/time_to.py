"""Time to: from a moment to an endpoint, with the event, a competing event, or censored.

Time to response and duration of response in the ATRA trial and in the IWG 2009 are of this kind.

>>> from itp_response import ask
>>> [duration] = ask("d0 15, d22 40, d29 45, d100 20", "atra_2022", endpoint="DOR", counterfactuals=False)
>>> duration.value, duration.day
('Y', 100)
>>> [duration] = ask("d0 15, d22 40, d29 45, d100 40", "atra_2022", endpoint="DOR", counterfactuals=False)
>>> duration.value, duration.reason, duration.day
('N', 'censored', 100)
"""

from collections.abc import Iterator
from typing import ClassVar, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from itp_response.cohort.values import NO_DAY, NONE, Bools, Floats, Ints
from itp_response.evaluation.clock import DayOf, OwnDay, is_limit
from itp_response.evaluation.endpoints.account import Account, DayMark, Decided, Mark, needed
from itp_response.evaluation.endpoints.endpoint import Endpoint, started
from itp_response.evaluation.endpoints.moments import Moment, Moments, moments_in_words
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.tree import Tree
from itp_response.evaluation.verdicts import NA, NE, N, Reasons, Verdict, VerdictsByName, Y
from itp_response.messages.wording import day_in_words, listed, up_to

NEVER = np.int32(np.iinfo(np.int32).max)
"""A day after any other."""
OF_ANOTHER_OUTCOME = ("event", "censored", "censored_count", "partial_date", "unreadable")
"""Reasons of a time that is not ended by a competing event."""


class TimeTo(Endpoint):
    """The time from a moment to an endpoint."""

    kind: Literal["time_to"]
    from_: str | None = Field(
        default=None, alias="from", description="the endpoint whose day is the start; default: day 0"
    )
    to: str = Field(description="the endpoint that is the event")
    censored: Moments | None = Field(
        default=None,
        description="where patients without the event are censored: 'last_count', an endpoint, a number of the patient "
        "that is a day, or a list of these, of which the first that a patient has counts; default: they have no time",
    )
    by: OwnDay = Field(default=np.inf, description="the last day on which a patient is censored")
    competing: tuple[str, ...] = Field(
        default=(), description="with 'censored': endpoints that end the time where they come before the event"
    )

    lengths: ClassVar[tuple[str, ...]] = ("days",)
    has_day_of_its_own: ClassVar[bool] = True
    can_be_referred_to: ClassVar[bool] = False
    begins_on_a_day: ClassVar[bool] = False
    if_excluded: ClassVar[str] = "not applicable"

    @model_validator(mode="after")
    def _competes_with_what_it_can(self) -> Self:
        problem = ""
        if self.competing and self.censored is None:
            problem = "'competing' requires 'censored': a competing event ends the time of patients who are followed"
        elif self.to in self.competing:
            problem = f"{self.to!r} is the event, so it cannot compete with it"
        elif own := [name for name in self.competing if name in OF_ANOTHER_OUTCOME]:
            problem = f"{own[0]!r} cannot compete, as a time has that reason by itself; rename the endpoint"
        elif twice := [name for name in self.competing if self.competing.count(name) > 1]:
            problem = f"{twice[0]!r} is present twice in 'competing'; delete one of them"
        if problem:
            raise PydanticCustomError("competing", "{problem}", {"problem": problem})
        return self

    @property
    def is_length(self) -> bool:
        return True

    @property
    def runs_to(self) -> str:
        return self.to

    @property
    def can_be_censored(self) -> bool:
        return self.censored is not None

    @property
    def ends_at_a_moment(self) -> bool:
        return any(moment.of != "counts" for moment in self.censored or ())

    @property
    def censored_at(self) -> tuple[str, ...]:
        return tuple(moment.in_words for moment in self.censored or ())

    def moments_of_censoring(self, decided: Decided) -> Ints:
        verdict = decided.verdict
        outcome = self._outcome(decided.patient_days, decided.earlier, verdict.value != NA)
        # Where data are completed, a time can be censored on other days than by the first completion.
        is_there = (verdict.value == N) & ((outcome.day == verdict.day) | (len(self.censored_at) == 1))
        return np.where(is_there, outcome.moment, NONE)

    @property
    def competes_with(self) -> tuple[str, ...]:
        return self.competing

    def asked_of_patients(self) -> Iterator[str]:
        yield from super().asked_of_patients()
        yield from self._recorded_days

    def measures(self) -> tuple[str, ...]:
        return ("time",)

    def days_looked_at(self) -> tuple[DayOf, DayOf]:
        return 0.0, self.by

    def window(self) -> str:
        return f"from {self.from_ or 'day 0'}{up_to(self.by)}"

    def ends_against_it(self) -> Iterator[tuple[Tree, bool]]:
        yield from ()

    def references(self) -> dict[str, str]:
        named = {"from": self.from_, "to": self.to}
        censoring = [moment.name for moment in self.censored or () if moment.of == "endpoints"]
        return {
            **{key: name for key, name in named.items() if name is not None},
            **{f"censored ({name})": name for name in censoring},
            **{f"competing ({name})": name for name in self.competing},
        }

    def verdicts(self, patient_days: PatientDays, earlier: VerdictsByName, reasons: Reasons) -> Verdict:
        """Each patient's time, how it ended, and the row of the day on which it did."""
        verdict, open_ = started(self, patient_days, earlier, reasons, self.from_, otherwise=NA)
        to, outcome = earlier[self.to], self._outcome(patient_days, earlier, open_)
        if self.censored is None:
            verdict.set(open_ & (to.value != Y), NA, to.reason)
            verdict.set(open_ & (to.value == NE), NE, to.reason)
        else:
            verdict.set(open_, NE, reasons["no_counts" if self._by_count else "not_recorded"])
            verdict.set(outcome.moment != NONE, N, reasons["censored"])
        for number, name in enumerate(self.competing):
            verdict.set(outcome.competitor == number, N, reasons[name])
        verdict.set(outcome.event, Y, reasons["event"])

        timed = outcome.day != NO_DAY
        if self.from_ is not None:
            verdict.mark("onset", timed, earlier[self.from_].onset)
        verdict.day = outcome.day
        verdict.ended = patient_days.row_on(verdict.day)
        verdict.dated = verdict.ended
        start = self._start(patient_days, earlier)
        with np.errstate(over="ignore"):  # where there is no start, the length is not used
            verdict.days = np.where(timed, outcome.day - start, np.int32(NO_DAY)).astype(np.int32)
        return verdict

    @property
    def _recorded_days(self) -> list[str]:
        """The numbers of the patient that are days on which a patient can be censored."""
        return [moment.name for moment in self.censored or () if moment.of == "patients"]

    @property
    def _by_count(self) -> bool:
        """Patients can be censored at their last count."""
        return any(moment.of == "counts" for moment in self.censored or ())

    def _start(self, patient_days: PatientDays, earlier: VerdictsByName) -> Ints:
        """(P) The day of the start."""
        if self.from_ is None:
            return np.zeros(patient_days.patients, dtype=np.int32)
        return patient_days.day_of(earlier[self.from_].dated)

    def _outcome(self, patient_days: PatientDays, earlier: VerdictsByName, open_: Bools) -> "_Outcome":
        """How the time of each patient ends that starts (`open_`)."""
        start = self._start(patient_days, earlier)
        censoring = self._censoring(patient_days, earlier, start)
        event_day = patient_days.day_of(earlier[self.to].dated)
        event = open_ & (earlier[self.to].value == Y) & (event_day <= censoring.bound)

        competitor, first = self._first_competitor(patient_days, earlier, start)
        competes = open_ & (competitor != NONE) & (first <= censoring.bound)
        competes &= np.where(event, first < event_day, first <= patient_days.each(self.by))
        event &= ~competes
        moment = np.where(open_ & ~event & ~competes, censoring.moment, NONE)
        day = np.select([event, competes, moment != NONE], [event_day, first, censoring.day], default=NO_DAY)
        return _Outcome(event, np.where(competes, competitor, NONE), moment, day.astype(np.int32))

    def _first_competitor(self, patient_days: PatientDays, earlier: VerdictsByName, start: Ints) -> tuple[Ints, Ints]:
        """(P) The first competing event from the start on, as its number in `competing`, and its day."""
        competitor, first = patient_days.nowhere, np.full(patient_days.patients, NEVER)
        for number, name in enumerate(self.competing):
            day = patient_days.day_of(earlier[name].dated)
            earliest = (earlier[name].value == Y) & (day >= start) & (day < first)
            competitor, first = np.where(earliest, number, competitor), np.where(earliest, day, first)
        return competitor, first

    def _censoring(self, patient_days: PatientDays, earlier: VerdictsByName, start: Ints) -> "_Censoring":
        """The first of the moments that each patient has."""
        moment, day = patient_days.nowhere, np.full(patient_days.patients, NO_DAY)
        bound = np.full(patient_days.patients, NEVER)
        for number, one in enumerate(self.censored or ()):
            own_day = _day_of(one, patient_days, earlier, self.by)
            until = np.minimum(own_day, np.floor(patient_days.each(self.by)))
            has = (moment == NONE) & (own_day != NO_DAY) & (until >= start)
            moment, day = np.where(has, number, moment), np.where(has, until, day)
            if one.of != "counts":
                bound = np.where(has, own_day, bound)
        return _Censoring(moment, day, bound)

    def changes_until(self, decided: Decided, settled_on: Floats) -> Floats:
        value, patient_days = decided.verdict.value, decided.patient_days
        outcome = self._outcome(patient_days, decided.earlier, value != NA)
        ends = (value == Y) | (value == NA) | (outcome.competitor != NONE)
        of = [moment.of for moment in self.censored or ()]
        # A later count is of no consequence to those whose moment stands before the last count.
        ends |= (outcome.moment != NONE) & (outcome.moment < of.index("counts")) if "counts" in of else True
        return np.where(np.isneginf(settled_on) & ends, -np.inf, self.last_day_of(patient_days))

    def waits_for(self, decided: Decided) -> dict[str, Bools]:
        # An event that is seen comes before any day that is not.
        can_be_censored = decided.verdict.value != Y
        return dict.fromkeys(self._recorded_days, can_be_censored) | super().waits_for(decided)

    def assessed_until(self, decided: Decided, of_others: Floats) -> Floats:  # noqa: ARG002
        return of_others

    def rows_played(self, decided: Decided) -> Account:
        patient_days, earlier, verdict = decided.patient_days, decided.earlier, decided.verdict
        account = super().rows_played(decided)
        starts = (
            patient_days.nowhere
            if self.from_ is None
            else np.where(verdict.value == NA, NONE, earlier[self.from_].dated)
        )
        is_n, not_met = verdict.value == N, earlier[self.to].value != Y
        outcome = self._outcome(patient_days, earlier, verdict.value != NA)
        ends = {f"ends here: {self.to}": verdict.value == Y}
        for number, name in enumerate(self.competing):
            ends[f"ends here: {name}, a competing event"] = is_n & (outcome.competitor == number)
        for number, moment in enumerate(self.censored or ()):
            ends[_says(moment)] = is_n & (outcome.moment == number)
        account.marks = (
            Mark(starts, "starts here"),
            *(Mark(np.where(where, verdict.ended, NONE), says) for says, where in ends.items()),
            Mark(
                np.where(is_n & ~not_met, earlier[self.to].dated, NONE), f"{self.to}: not counted, after the time ended"
            ),
        )
        days = patient_days.nowhere if verdict.day is None else verdict.day
        account.days = tuple(
            DayMark(np.where(where & (verdict.ended == NONE), days, NO_DAY), says) for says, where in ends.items()
        )
        competed = outcome.competitor != NONE
        has_start = np.bool_(self.from_ is None) | (starts != NONE)
        has_no_end = has_start & (verdict.value == NE) & (self.censored is not None)
        account.decided_by = (
            *((name, outcome.competitor == number) for number, name in enumerate(self.competing)),
            (self.to, not_met & ~competed & ~has_no_end),
        )
        account.unknown_days = tuple((name, has_no_end) for name in self._recorded_days)
        if self._by_count:
            start = self._start(patient_days, earlier)
            account.missing_from = needed(has_no_end, start)
            account.missing_to = needed(has_no_end, patient_days.each(self.by))
        return account

    def missing_data(self) -> str:
        if self.censored is None:
            return f"as in {self.to}"
        return f"without {self.to}, censored at {moments_in_words(self.censored)}"

    def definition(self) -> str:
        """What decides it, in words, without what excludes patients."""
        start = f"the day of {self.from_}" if self.from_ else "day 0"
        text = f"Time in days from {start} to the day of {self.to}"
        if self.censored is None:
            return f"{text}, in patients who meet {self.to}."
        at = moments_in_words(self.censored, "their last count")
        limit = f" up to {day_in_words(self.by)}" if is_limit(self.by) else ""
        text += f"; patients without {self.to} are censored at {at}{limit}."
        if self.ends_at_a_moment:
            bounds = [moment.in_words for moment in self.censored if moment.of != "counts"]
            text += f" {self.to} is not counted after {listed(bounds, 'or')}."
        if self.competing:
            text += f" {listed(self.competing, 'or')} on an earlier day ends the time (competing event)."
        return text


class _Outcome(NamedTuple):
    """How the time of each patient (P) ends."""

    event: Bools
    competitor: Ints
    """The number in `competing` of the competing event that ends it; -1: none."""
    moment: Ints
    """The number in `censored` of the moment at which the patient is censored; -1: not."""
    day: NDArray[np.int32]
    """The day on which it ends; `NO_DAY`: there is no time."""


class _Censoring(NamedTuple):
    """When each patient (P) can be censored."""

    moment: Ints
    """The number in `censored` of the first moment that the patient has; -1: none."""
    day: Ints
    """The day on which the patient is censored; `NO_DAY`: none."""
    bound: Ints
    """The last day on which an event counts; `NEVER`: there is no limit."""


def _day_of(moment: Moment, patient_days: PatientDays, earlier: VerdictsByName, by: DayOf) -> Ints:
    """(P) The day of a moment; `NO_DAY`: none."""
    match moment.of:
        case "counts":
            return patient_days.day_of(patient_days.counted.last_in(patient_days.begin, patient_days.after(by)))
        case "endpoints":
            of_other = earlier[moment.name]
            return np.where(of_other.value == Y, patient_days.day_of(of_other.dated), NO_DAY)
        case "patients":
            return patient_days.patient_day(moment.name)


def _says(moment: Moment) -> str:
    """What is said of the day on which a patient is censored."""
    return "last count, censored" if moment.of == "counts" else f"censored on {moment.in_words}"
