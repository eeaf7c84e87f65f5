"""Visits: a number of the planned visits, or a share of them, are in a state.

Durable response to romiplostim (6 of the last 8 weeks), stable response in FIT (4 of 6 visits) and durable response in
LUNA 3 (two thirds of at least 8 counts) are of this kind.

>>> from itp_response import ask
>>> [stable] = ask("d0 15, d98..d140 60, d154..d168 20", "fit", endpoint="stable", counterfactuals=False)
>>> stable.value, stable.day
('Y', 140)
>>> [stable] = ask("d0 15, d98..d126 60, d140..d168 20", "fit", endpoint="stable", counterfactuals=False)
>>> stable.value, stable.reason
('N', 'too_few_met')
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from itp_response.cohort.values import NO_DAY, NONE, Bools, Floats, Ints
from itp_response.evaluation.clock import (
    FARTHEST,
    Baseline,
    Clock,
    DayOf,
    OwnDays,
    OwnVisits,
    PatientDay,
    VisitWindow,
    apart,
)
from itp_response.evaluation.endpoints.account import (
    CLOSED,
    DISCOUNTED,
    NO_COUNT,
    NOT_TAKEN,
    OUTSIDE,
    PASSED_OVER,
    Account,
    Decided,
    Event,
    Mark,
    Missed,
    Parts,
    from_row,
    needed,
    parts_by_state,
    visits_of,
)
from itp_response.evaluation.endpoints.endpoint import (
    Endpoint,
    RowRule,
    Treated,
    counts_kept,
    discounted_rows,
    flag_at,
    inside,
    nearest,
    never_met,
    started,
    without_days,
)
from itp_response.evaluation.endpoints.missing_after import (
    TREATED,
    MissingAfter,
    after_in_words,
    by_cause,
    cause_of,
    causes_in_words,
)
from itp_response.evaluation.patient_days import Flagged, PatientDays
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.in_words import rule_in_words
from itp_response.evaluation.rules.tree import last_day, reason
from itp_response.evaluation.verdicts import NA, NE, N, Reasons, Verdict, VerdictsByName, Y
from itp_response.messages.wording import counted, day_in_words, days_in_words


def _checked_share(text: str) -> str:
    above, _, below = text.partition("/")
    if not (above.isdecimal() and below.isdecimal() and 0 < int(above) <= int(below)):
        raise PydanticCustomError("share", "{problem}", {"problem": f"{text!r} is not a share; write it as '2/3'"})
    return text


Share = Annotated[str, AfterValidator(_checked_share), Field(json_schema_extra={"pattern": "^[0-9]+/[1-9][0-9]*$"})]
VALUE_OF: Mapping[Treated, int] = {"fails": N, "unknown": NE, "left_out": NA}
"""The value of a single visit that is treated so."""


class Visits(Endpoint):
    """A number of the planned visits, or a share of them."""

    kind: Literal["visits"]
    when: RowRule = Field(description="the state")
    visits: OwnVisits = Field(default=(), description="the planned days; default: every day with a count")
    within: int = Field(default=0, ge=0, le=FARTHEST, description="visit window: days before or after the planned day")
    days: OwnDays = Field(
        default=(-np.inf, np.inf), description="without planned visits: first and last day of the assessment window"
    )
    at_least: int | None = Field(
        default=None, ge=1, le=FARTHEST, description="the number of visits that must be in the state"
    )
    share: Share | None = Field(default=None, description="the share of the visits that must be in the state, as 2/3")
    more_than: Share | None = Field(default=None, description="the share of the visits that must be exceeded")
    in_any: int | None = Field(
        default=None,
        ge=1,
        le=FARTHEST,
        description="with at_least: the number of consecutive visits among which they must be",
    )
    of_at_least: int = Field(default=0, ge=0, le=FARTHEST, description="the number of visits that must have a count")
    too_few: Literal["N", "NE"] = Field(default="N", description="the result if fewer visits have a count")
    missing: Treated = Field(default="fails", description="how a planned visit without a count is treated")
    missing_after: MissingAfter = Field(
        default_factory=dict,
        description="how one is treated instead that is planned on or after the day on which something happened",
    )
    set_aside: RowRule | None = Field(default=None, description="where not false, an observation is disregarded")
    discount: RowRule | None = Field(
        default=None, description="where true, a visit is discounted; so is one in the state where this is unknown"
    )
    discounted: Treated = Field(default="fails", description="how a discounted visit is treated")
    closed_by: RowRule | None = Field(default=None, description="where true on any day, the endpoint is not met")

    def single_days(self) -> tuple[DayOf, ...]:
        return self.visits

    def days_looked_at(self) -> tuple[DayOf, DayOf]:
        return (self.visits[0] - self.within, self.visits[-1] + self.within) if self.visits else self.days

    def window(self) -> str:
        if not self.visits:
            return super().window()
        near = f", window ± {counted(self.within, 'day')}" if self.within else ""
        return f"{listed_days(self.visits)}{near}"

    def confirmation(self) -> str:
        enough = f"more than {self.more_than}" if self.more_than else f"at least {self.at_least or self.share}"
        of = f" of any {self.in_any} consecutive visits" if self.in_any else ""
        if self.in_any == self.at_least and self.in_any is not None:
            of = " consecutive visits"
        least = f", {self.of_at_least} with a count" if self.of_at_least else ""
        whole = f" of {counted(len(self.visits), 'visit')}" if self.visits else " of the visits with a count"
        return f"{enough}{of or whole}{least}"

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        asked = [key for key in ("at_least", "share", "more_than") if getattr(self, key) is not None]
        if len(asked) != 1:
            raise PydanticCustomError("visits", "give exactly one of 'at_least', 'share' and 'more_than'")
        if self.in_any is not None and (self.at_least is None or self.in_any < self.at_least):
            raise PydanticCustomError("visits", "'in_any' requires 'at_least' and must not be below it")
        between = (apart(earlier, later) for earlier, later in pairwise(self.visits))
        if any(days is not None and days <= 2 * self.within for days in between):
            raise PydanticCustomError(
                "visits", "the planned days must be in ascending order, and their windows must not overlap"
            )
        if self.visits and "days" in self.model_fields_set:
            raise PydanticCustomError("visits", "'days' cannot be used with planned 'visits'")
        if self.missing_after and not self.visits:
            raise PydanticCustomError("visits", "'missing_after' requires planned 'visits'")
        for key in ("at_least", "in_any", "of_at_least"):
            if (getattr(self, key) or 0) > self._most_visits:
                raise never_met(f"{key!r} is {getattr(self, key)}, of {counted(int(self._most_visits), 'visit')}")
        if self.more_than is not None and Fraction(self.more_than) == 1:
            raise never_met("'more_than' is all of the visits")
        return self

    def causes(self) -> dict[str, Treated]:
        return self.missing_after

    @property
    def _most_visits(self) -> float:
        """The number of visits that a patient can have: the planned ones, else one a day."""
        if self.visits:
            return len(self.visits)
        length = apart(*self.days)
        return np.inf if length is None else length + 1

    def verdicts(self, patient_days: PatientDays, earlier: VerdictsByName, reasons: Reasons) -> Verdict:
        """Whether each patient was in the state at enough visits."""
        verdict, open_ = started(self, patient_days, earlier, reasons, None)
        attended = _Attended(self, patient_days)
        met, possible, first, last = _by_number(self, attended) if self.at_least else _by_share(self, attended)
        too_few = attended.counts < self.of_at_least

        verdict.set(open_, NE, reasons["visits_unknown"])
        verdict.set(open_ & ~possible, N, reasons["too_few_met"])
        verdict.set(open_ & met, Y, reasons["met"])
        if not self.at_least:
            verdict.set(open_ & (attended.number == 0), NE, reasons["no_counts"])
        verdict.set(open_ & too_few, N if self.too_few == "N" else NE, reasons["too_few_counts"])
        if self.closed_by is not None:
            closing_row = self.closing_row(patient_days)
            closed = open_ & (closing_row != NONE)
            verdict.set(closed, N, reasons[reason(self.closed_by)])
            verdict.mark("ended", closed, closing_row)
        yes = verdict.value == Y
        verdict.mark("onset", yes, first)
        verdict.mark("confirming", yes, last)
        verdict.mark("dated", yes, last)
        return verdict

    def changes_until(self, decided: Decided, settled_on: Floats) -> Floats:
        last = self.last_day_of(decided.patient_days)
        if self.closed_by is not None:
            last = np.maximum(last, last_day(self.closed_by.tree))
        is_closed = self.closing_row(decided.patient_days) != NONE
        return np.where(np.isneginf(settled_on) & is_closed, -np.inf, last)

    def phrases(self) -> dict[str, str]:
        outside = "at no planned visit" if self.visits else f"outside {days_in_words(self.days)[len(', from ') :]}"
        return super().phrases() | {
            "not_taken": "not used: another count is nearer to the planned day",
            "outside": outside,
        }

    def rows_played(self, decided: Decided) -> Account:
        patient_days, verdict = decided.patient_days, decided.verdict
        row = (planned(self, patient_days) if self.visits else _every(self, patient_days))[0]
        state = decide(self.when.tree, patient_days)
        played = parts_by_state(state)
        if self.discount is not None:
            played[discounted_rows(self.discount, patient_days, state)] = DISCOUNTED
        part = self._parts_of_others(patient_days)
        taken = row[row != NONE]
        part[taken] = played[taken]
        begin, end = self.span(patient_days)
        closing = self.closing_row(patient_days)
        from_row(part, patient_days, closing, CLOSED)
        account = Account(
            part,
            begin,
            end,
            marks=(Mark(verdict.onset, "first"), Mark(verdict.confirming, "completes the required number")),
            events=() if self.closed_by is None else (Event(closing, self.closed_by),),
            doubtful=part == DISCOUNTED if self.discounted == "unknown" else None,
        )
        if self.visits:
            days = planned_days(self, patient_days)
            account.visit = visits_of(row, days.ravel(), len(part))
            account.visit[part == CLOSED] = NO_DAY
            closed = (closing != NONE)[:, None] & (days >= patient_days.day_of(closing)[:, None])
            missed = (row == NONE).reshape(closed.shape) & ~closed
            account.missed = tuple(self._missed(patient_days, part == PASSED_OVER, missed))
        else:
            visits = np.bincount(patient_days.patient[taken], minlength=patient_days.patients)
            too_few = (verdict.value == NE) & (visits < max(self.of_at_least, 1))
            account.missing_from, account.missing_to = (needed(too_few, patient_days.each(day)) for day in self.days)
        return account

    @property
    def has_state_by_visit(self) -> bool:
        return not any(isinstance(day, PatientDay) for day in self.visits)

    @property
    def later_of_two(self) -> bool:
        return bool(self.visits)

    @property
    def without_count(self) -> tuple[Treated, Mapping[str, Treated]]:
        return (self.missing, self.missing_after) if self.visits else super().without_count

    @property
    def value_discounted(self) -> int:
        return VALUE_OF[self.discounted]

    def visit_windows(self, clock: Clock, baseline: Baseline) -> tuple[VisitWindow, ...]:
        if not self.visits:
            return super().visit_windows(clock, baseline)
        days = [day for day in self.visits if not isinstance(day, PatientDay)]
        return tuple(VisitWindow(int(day), day - self.within, day + self.within) for day in days)

    def days_that_close(self, patient_days: PatientDays) -> tuple[Ints, Ints]:
        return patient_days.begin, patient_days.end

    def _missed(self, patient_days: PatientDays, passed_over: Bools, missed: Bools) -> Iterator[Missed]:
        """The planned visits (V) without a count of the patients (P); `missed` (P, V)."""
        for number, (day, on) in enumerate(zip(self.visits, planned_days(self, patient_days).T, strict=True)):
            begin, end = patient_days.at_or_after(day - self.within), patient_days.after(day + self.within)
            has_other = Flagged(passed_over).any_in(begin, end)
            cause = cause_of(self.missing_after, patient_days, on)
            ways = [(TREATED[self.missing], self.missing, cause == NONE)]
            for name, treated, where in by_cause(self.missing_after, cause):
                ways.append((f"{TREATED[treated]}: {after_in_words(name)}", treated, where))
            for says, treated, where in ways:
                where = where & missed[:, number]
                yield Missed(on, where & ~has_other, "no count", says, treated == "unknown")
                yield Missed(on, where & has_other, "no other count", says, treated == "unknown")

    def _parts_of_others(self, patient_days: PatientDays) -> Parts:
        """(N) What rows did that are taken for no visit."""
        part = np.full(len(patient_days.day), OUTSIDE, dtype=np.int8)
        near = inside(patient_days, *self.span(patient_days))
        if self.visits:
            planned_on = planned_days(self, patient_days)[patient_days.patient].T
            near = np.logical_or.reduce([np.abs(patient_days.day - day) <= self.within for day in planned_on])
        kept = counts_kept(self.set_aside, patient_days).mask
        part[near & ~patient_days.has_count] = NO_COUNT
        part[near & patient_days.has_count] = NOT_TAKEN
        part[near & patient_days.has_count & ~kept] = PASSED_OVER
        return part

    def missing_data(self) -> str:
        text = "only visits with a count are assessed"
        if self.visits:
            text = f"a planned visit without a count {TREATED[self.missing]}"
            text += causes_in_words(self.missing_after, TREATED)
        if self.of_at_least:
            text += f"; {self.too_few} with a count at fewer than {counted(self.of_at_least, 'visit')}"
        return text

    def definition(self) -> str:
        """What decides it, in words, without what excludes patients."""
        text = _number_in_words(self)
        if self.visits:
            text += f" A planned visit without a count {TREATED[self.missing]}"
            text += f"{causes_in_words(self.missing_after, TREATED)}."
        if self.of_at_least:
            result = "not met" if self.too_few == "N" else "not evaluable"
            text += f" With a count at fewer than {self.of_at_least} visits it is {result}."
        if self.set_aside is not None:
            text += f" Counts with {rule_in_words(self.set_aside)} are disregarded."
        if self.discount is not None:
            treated = TREATED[self.discounted]
            text += f" A visit that would qualify but has {rule_in_words(self.discount)} {treated}."
        if self.closed_by is not None:
            text += f" Not met if there is {rule_in_words(self.closed_by)} (intercurrent event)."
        return text


class _Attended:
    """The visits of all patients (V), one patient after the other: which are in the state, and which may be.

    Visits that are left out are not among them; `begin` and `end` are each patient's stretch.
    """

    def __init__(self, model: Visits, patient_days: PatientDays) -> None:
        row, patient = planned(model, patient_days) if model.visits else _every(model, patient_days)
        state = decide(model.when.tree, patient_days)
        missing = row == NONE
        good = flag_at(state.true, row)
        unknown = ~missing & ~good & ~flag_at(state.false, row)
        if model.discount is not None:
            discounted = flag_at(discounted_rows(model.discount, patient_days, state), row)
        else:
            discounted = np.zeros_like(good)
        good &= ~discounted
        unknown &= ~discounted
        kept = np.ones(len(row), dtype=np.bool_)
        treatments = [(missing, model.missing), (discounted, model.discounted)]
        if model.missing_after:
            cause = cause_of(model.missing_after, patient_days, planned_days(model, patient_days)).ravel()
            treatments[0] = (missing & (cause == NONE), model.missing)
            treatments += [(missing & where, treated) for _, treated, where in by_cause(model.missing_after, cause)]
        for visits, treated in treatments:
            if treated == "unknown":
                unknown |= visits
            elif treated == "left_out":
                kept &= ~visits
        self.row, self.good, self.unknown, self.patient = row[kept], good[kept], unknown[kept], patient[kept]
        self.begin: Ints = np.searchsorted(self.patient, np.arange(patient_days.patients))
        self.end: Ints = np.searchsorted(self.patient, np.arange(patient_days.patients), side="right")

    def _number_of(self, flags: Bools) -> Ints:
        before = Flagged(flags).before
        return before[self.end] - before[self.begin]

    @property
    def number(self) -> Ints:
        """(P) The number of visits."""
        return self.end - self.begin

    @property
    def counts(self) -> Ints:
        """(P) The number of visits with a count."""
        return self._number_of(self.row != NONE)

    @property
    def met(self) -> Ints:
        """(P) The number of visits in the state."""
        return self._number_of(self.good)

    @property
    def may_meet(self) -> Ints:
        """(P) The number of visits that are in the state, or may be."""
        return self._number_of(self.good | self.unknown)

    def row_of(self, visit: Ints) -> Ints:
        """The row of each visit; -1 where there is none."""
        return np.where(visit != NONE, self.row[np.maximum(visit, 0)], NONE) if len(self.row) else visit


def planned_days(model: Visits, patient_days: PatientDays) -> Ints:
    """(P, V) The day of every planned visit.

    Raises `CohortError` for a patient whose visits are not in order, or whose windows overlap.
    """
    days = np.stack([patient_days.each_whole(day) for day in model.visits], axis=1)
    if any(isinstance(day, PatientDay) for day in model.visits):
        known = ~without_days(model, patient_days)
        wrong = known & (np.diff(days, axis=1) <= 2 * model.within).any(axis=1)
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            names, numbers = (", ".join(map(str, those)) for those in (model.visits, days[at].tolist()))
            problem = (
                f"the planned visits {names} are on days {numbers}, which must ascend with windows that do not overlap"
            )
            raise patient_days.error(at, f"{problem}; correct the days in the patient table, or plan other visits")
    return days


def planned(model: Visits, patient_days: PatientDays) -> tuple[Ints, NDArray[np.intp]]:
    """The row of every planned visit, -1 where there is none, and its patient; patient after patient."""
    counts = counts_kept(model.set_aside, patient_days)
    rows = np.empty((patient_days.patients, len(model.visits)), dtype=np.int64)
    for number, (day, on) in enumerate(zip(model.visits, planned_days(model, patient_days).T, strict=True)):
        begin, end = patient_days.at_or_after(day - model.within), patient_days.after(day + model.within)
        rows[:, number] = nearest(patient_days, counts, on, begin, end)
    return rows.ravel(), np.repeat(np.arange(patient_days.patients), len(model.visits))


def _every(model: Visits, patient_days: PatientDays) -> tuple[Ints, NDArray[np.intp]]:
    """Every row with a count in the days looked at, and its patient."""
    counts = counts_kept(model.set_aside, patient_days).mask
    row = np.flatnonzero(counts & inside(patient_days, *model.span(patient_days)))
    return row, patient_days.patient[row].astype(np.intp)


def _by_number(model: Visits, attended: _Attended) -> tuple[Bools, Bools, Ints, Ints]:
    """(P) Met; possible; the row of the first visit that counts, and that of the visit that made it enough."""
    assert model.at_least is not None
    good = Flagged(attended.good)
    if model.in_any is None:
        met, possible = attended.met >= model.at_least, attended.may_meet >= model.at_least
        begin = np.where(met, attended.begin, 0)
    else:
        window = np.minimum(np.arange(len(attended.row)) + model.in_any, attended.end[attended.patient])
        enough = _in_windows(good, window) >= model.at_least
        may_suffice = _in_windows(Flagged(attended.good | attended.unknown), window) >= model.at_least
        start = Flagged(enough).first_in(attended.begin, attended.end)
        met, possible = start != NONE, Flagged(may_suffice).any_in(attended.begin, attended.end)
        begin = np.maximum(start, 0)
    # The first visit in the state from `begin` on, and the one that makes up the number with it.
    first = good.first_in(begin, np.where(met, attended.end, begin))
    number = good.before[begin] + model.at_least - 1
    last = np.where(met, good.rows.take(number, mode="clip"), NONE) if len(good.rows) else np.full(len(met), NONE)
    return met, possible, attended.row_of(first), attended.row_of(last)


def _in_windows(flags: Flagged, end: Ints) -> Ints:
    """The number of flagged visits from each visit to the end of its window."""
    return flags.before[end] - flags.before[:-1]


def _by_share(model: Visits, attended: _Attended) -> tuple[Bools, Bools, Ints, Ints]:
    """(P) Met; possible; the rows of the first and of the last visit in the state."""
    share = Fraction(model.share or model.more_than or "0")
    # In whole numbers, so that 2/3 of 12 is exactly 8.
    wanted = share.numerator * attended.number
    met, may_meet = share.denominator * attended.met, share.denominator * attended.may_meet
    good = Flagged(attended.good)
    first = attended.row_of(good.first_in(attended.begin, attended.end))
    last = attended.row_of(good.last_in(attended.begin, attended.end))
    if model.share is not None:
        return met >= wanted, may_meet >= wanted, first, last
    return met > wanted, may_meet > wanted, first, last


def listed_days(days: tuple[DayOf, ...]) -> str:
    """The days in words; more than four at equal distances are given by their first and last.

    >>> listed_days((7, 14)), listed_days((7, 14, 21, 28, 35))
    ('days 7, 14', 'days 7 to 35, every 7 days')
    >>> listed_days((7, PatientDay("landmark", -7.0), PatientDay("landmark")))
    'day 7, 7 days before landmark, the day of landmark'
    """
    if any(isinstance(day, PatientDay) for day in days):
        return ", ".join(day_in_words(day) for day in days)
    steps = {apart(earlier, later) for earlier, later in pairwise(days)}
    if len(days) > 4 and len(steps) == 1:
        return f"days {days[0]} to {days[-1]}, every {steps.pop()} days"
    return f"{'day' if len(days) == 1 else 'days'} {', '.join(map(str, days))}"


def _number_in_words(model: Visits) -> str:
    """At which visits the state must be, a sentence."""
    near = f", window ± {counted(model.within, 'day')}" if model.within else ""
    state = rule_in_words(model.when)
    number = len(model.visits)
    if number == 1:
        return f"The planned visit ({listed_days(model.visits)}{near}) must show {state}."
    if number:
        whole = f"the {number} planned visits ({listed_days(model.visits)}{near})"
    else:
        whole = f"all visits with a count{days_in_words(model.days).removeprefix(',')}"
    if model.at_least is not None and model.in_any == model.at_least:
        return f"At least {model.at_least} consecutive visits among {whole} must show {state}."
    if model.at_least is not None and model.in_any:
        return f"At least {model.at_least} of any {model.in_any} consecutive visits among {whole} must show {state}."
    if model.at_least is not None:
        return f"At least {model.at_least} of {whole} must show {state}."
    share = f"At least {model.share}" if model.share else f"More than {model.more_than}"
    return f"{share} of {whole} must show {state}."
