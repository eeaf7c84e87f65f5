"""At: the state at a landmark, within a window.

The registered response of the ATRA trial (at one year) and the good response of Godeau 2008 (at one and two years) are
of this kind.

>>> from itp_response import ask
>>> [response] = ask("d0 15, d358 20, d370 45", "nct03304288", endpoint="OR", counterfactuals=False)
>>> response.value, response.day
('Y', 370)
>>> [response] = ask("d0 15, d358 45, d366 20", "nct03304288", endpoint="OR", counterfactuals=False)
>>> response.value, response.reason
('N', 'platelets')
"""

from collections.abc import Iterator
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from itp_response.cohort.values import NONE, Bools, Floats, Ints
from itp_response.evaluation.clock import DayOf, OwnDays, OwnWholeDay, PatientDay, apart
from itp_response.evaluation.endpoints.account import (
    CLOSED,
    NO_COUNT,
    NOT_TAKEN,
    OUTSIDE,
    PASSED_OVER,
    Account,
    Decided,
    Event,
    Mark,
    Missed,
    from_row,
    needed,
    parts_by_state,
)
from itp_response.evaluation.endpoints.endpoint import (
    Endpoint,
    RowRule,
    Treated,
    causes,
    counts_kept,
    day_or_never,
    inside,
    nearest,
    started,
    why_unknown,
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
from itp_response.evaluation.rules.tree import And, Name, cause, reason
from itp_response.evaluation.verdicts import NA, NE, N, Reasons, Verdict, VerdictsByName, Y
from itp_response.messages.wording import day_in_words, days_in_words, number_in_words

WHICH = {"nearest": "the nearest count", "first": "the first count", "last": "the last count"}


class At(Endpoint):
    """The state at a landmark."""

    kind: Literal["at"]
    when: RowRule = Field(description="the state")
    day: OwnWholeDay = Field(description="the landmark")
    within: OwnDays = Field(description="first and last day of the window for its count")
    which: Literal["nearest", "first", "last"] = Field(
        default="nearest", description="which of several counts in the window is used"
    )
    from_: str | None = Field(default=None, alias="from", description="an endpoint: days are counted from its day")
    missing_after: MissingAfter = Field(
        default_factory=dict,
        description="what a missing count is if something happened on the landmark or before; default: not evaluable",
    )
    set_aside: RowRule | None = Field(default=None, description="where not false, an observation is disregarded")
    closed_by: RowRule | None = Field(
        default=None, description="where true after day 0 and up to the count used, the endpoint is not met"
    )

    def references(self) -> dict[str, str]:
        return {} if self.from_ is None else {"from": self.from_}

    def days_looked_at(self) -> tuple[DayOf, DayOf]:
        return self.within

    def single_days(self) -> tuple[DayOf, ...]:
        return (self.day,)

    def days_that_close(self, patient_days: PatientDays) -> tuple[Ints, Ints]:
        return patient_days.after(0), patient_days.end

    def days_compared(self) -> tuple[DayOf, ...] | None:
        return None if self.from_ is not None or self.which == "nearest" else (0.0, *self.within)

    def window(self) -> str:
        since = f" after {self.from_}" if self.from_ else ""
        landmark = day_in_words(self.day) if isinstance(self.day, PatientDay) else f"day {self.day}"
        return f"{landmark}{since}, a count{days_in_words(self.within).replace(',', '')}"

    @model_validator(mode="after")
    def _day_within(self) -> Self:
        if any(
            days is not None and days < 0 for days in (apart(self.within[0], self.day), apart(self.day, self.within[1]))
        ):
            raise PydanticCustomError("at", "'day' must lie within 'within'")
        return self

    def verdicts(self, patient_days: PatientDays, earlier: VerdictsByName, reasons: Reasons) -> Verdict:
        """Whether each patient was in the state at the landmark, and by which row."""
        verdict, open_ = started(self, patient_days, earlier, reasons, self.from_)
        begin, end, start = _window(self, patient_days, earlier, open_)
        row = _landmark_row(self, patient_days, begin, end, start)
        state = decide(self.when.tree, patient_days)
        has_row = open_ & (row != NONE)
        at = np.maximum(row, 0)

        verdict.set(open_, NE, reasons["no_counts"])
        for name, treated, where in self._causes(patient_days, start, open_ & ~has_row):
            verdict.set(where & (treated == "fails"), N, reasons[cause(Name(name, "number"))])
            verdict.set(where & (treated == "left_out"), NA, reasons[cause(Name(name, "number"))])
        if len(patient_days.day):
            yes, no = has_row & state.true[at], has_row & state.false[at]
            verdict.set(has_row, NE, why_unknown(self.when, patient_days, row, reasons))
            verdict.set(yes, Y, reasons["met"])
            verdict.set(no, N, causes(self.when.tree, And, patient_days, np.where(no, row, NONE), reasons))
            verdict.mark("onset", yes, row)
            verdict.mark("dated", yes, row)
            verdict.mark("ended", no, row)
        if self.closed_by is not None:
            closing_row = _closing_row(self, patient_days, earlier, row, end)
            closed = open_ & (closing_row != NONE)
            verdict.set(closed, N, reasons[reason(self.closed_by)])
            verdict.mark("onset", closed, NONE)
            verdict.mark("dated", closed, NONE)
            verdict.mark("ended", closed, closing_row)
        return verdict

    def _causes(self, patient_days: PatientDays, start: Ints, missing: Bools) -> Iterator[tuple[str, Treated, Bools]]:
        """What happened before a missing count, with what that makes of it, and the patients (P)."""
        landmark = start + patient_days.each_whole(self.day)
        found = cause_of(self.missing_after, patient_days, landmark)
        for name, treated, where in by_cause(self.missing_after, found):
            yield name, treated, where & missing

    def causes(self) -> dict[str, Treated]:
        return self.missing_after

    def phrases(self) -> dict[str, str]:
        first, last = self.within
        last_in_words = day_in_words(last) if isinstance(last, PatientDay) else number_in_words(last)
        since = f" after the day of {self.from_}" if self.from_ else ""
        return super().phrases() | {
            "not_taken": f"not used: {WHICH[self.which]} is another one",
            "outside": f"outside {day_in_words(first)} to {last_in_words}{since}",
        }

    def changes_until(self, decided: Decided, settled_on: Floats) -> Floats:
        patient_days, earlier = decided.patient_days, decided.earlier
        settled = np.isneginf(settled_on)
        if self.from_ is not None:
            settled &= earlier[self.from_].dated != NONE
        begin, end, start = _window(self, patient_days, earlier, settled)
        limit = self._last_day(patient_days, start, settled, settled_on)
        if self.missing_after:  # a landmark that is the patient's own may lie after the window
            limit = np.maximum(limit, np.where(settled, start, settled_on) + day_or_never(patient_days, self.day))
        if self.which != "first":
            return limit
        row = _landmark_row(self, patient_days, begin, end, start)
        return np.where(settled & (row != NONE), -np.inf, limit)

    def assessed_until(self, decided: Decided, of_others: Floats) -> Floats:
        if self.from_ is None:
            return super().assessed_until(decided, of_others)
        has_start = decided.earlier[self.from_].dated != NONE
        start = _window(self, decided.patient_days, decided.earlier, has_start)[2]
        return self._last_day(decided.patient_days, start, has_start, of_others)

    def _last_day(self, patient_days: PatientDays, start: Ints, has_start: Bools, latest_start: Floats) -> Floats:
        """(P) The last day of the window, counted from the start, else from the latest possible start."""
        if self.from_ is None:
            return self.last_day_of(patient_days)
        return np.where(has_start, start, latest_start) + self.last_day_of(patient_days)

    def rows_played(self, decided: Decided) -> Account:
        patient_days, earlier, verdict = decided.patient_days, decided.earlier, decided.verdict
        open_ = np.ones(patient_days.patients, dtype=np.bool_)
        if self.from_ is not None:
            open_ = earlier[self.from_].value == Y
        begin, end, start = _window(self, patient_days, earlier, open_)
        row = _landmark_row(self, patient_days, begin, end, start)
        part = np.full(len(patient_days.day), NOT_TAKEN, dtype=np.int8)
        part[patient_days.has_count & ~counts_kept(self.set_aside, patient_days).mask] = PASSED_OVER
        part[~patient_days.has_count] = NO_COUNT
        part[~inside(patient_days, begin, np.maximum(begin, end))] = OUTSIDE
        taken = row[open_ & (row != NONE)]
        part[taken] = parts_by_state(decide(self.when.tree, patient_days))[taken]
        closing = _closing_row(self, patient_days, earlier, row, end)
        from_row(part, patient_days, closing, CLOSED)
        row = np.where(closing == NONE, row, NONE)
        missing = open_ & (verdict.value == NE) & (row == NONE)
        landmark = start + patient_days.each_whole(self.day)
        causes = self._causes(patient_days, start, open_ & (row == NONE) & (closing == NONE))
        return Account(
            part,
            begin,
            end,
            marks=(Mark(np.where(open_, row, NONE), "used for the landmark"),),
            events=() if self.closed_by is None else (Event(closing, self.closed_by),),
            missed=tuple(
                Missed(landmark, where, "no count", f"{TREATED[treated]}: {after_in_words(name)}", treated == "unknown")
                for name, treated, where in causes
            ),
            missing_from=needed(missing, start + patient_days.each(self.within[0])),
            missing_to=needed(missing, start + patient_days.each(self.within[1])),
        )

    def missing_data(self) -> str:
        words: dict[Treated, str] = {"fails": "is N", "unknown": "is NE", "left_out": "is NA"}
        return f"NE if there is no count in the window{causes_in_words(self.missing_after, words)}"

    def definition(self) -> str:
        """What decides it, in words, without what excludes patients."""
        first, last = (day_in_words(day) for day in self.within)
        text = f"Requires {rule_in_words(self.when)} at {day_in_words(self.day)}, assessed by {WHICH[self.which]}"
        text += f" from {first} to {last}."
        if self.from_:
            text += f" Days are counted from the day of {self.from_}."
        if self.missing_after:
            words: dict[Treated, str] = {
                "fails": "is not met",
                "unknown": "is not evaluable",
                "left_out": "is not applicable",
            }
            text += f" Without a count it is not evaluable{causes_in_words(self.missing_after, words)}."
        if self.set_aside is not None:
            text += f" Counts with {rule_in_words(self.set_aside)} are disregarded."
        if self.closed_by is not None:
            origin = f"the day of {self.from_}" if self.from_ else "day 0"
            closing = f"{rule_in_words(self.closed_by)} after {origin} and by the day of that count"
            text += f" Not met if there is {closing}, or by {last} without one (intercurrent event)."
        return text


def _window(model: At, patient_days: PatientDays, earlier: VerdictsByName, open_: Bools) -> tuple[Ints, Ints, Ints]:
    """Each patient's span of rows that may stand for the landmark, and the day from which it is counted."""
    if model.from_ is None:
        return (
            patient_days.at_or_after(model.within[0]),
            patient_days.after(model.within[1]),
            np.zeros(patient_days.patients, dtype=np.int64),
        )
    start = np.where(open_, patient_days.day_of(earlier[model.from_].dated), 0).astype(np.int64)
    return (
        patient_days.at_or_after(start + patient_days.each(model.within[0])),
        patient_days.after(start + patient_days.each(model.within[1])),
        start,
    )


def _first_after_start(model: At, patient_days: PatientDays, earlier: VerdictsByName) -> Ints:
    """Each patient's first row after day 0, or after the row of the endpoint from which days are counted."""
    if model.from_ is None:
        return patient_days.after(0)
    return np.maximum(earlier[model.from_].dated + 1, patient_days.begin)


def _closing_row(model: At, patient_days: PatientDays, earlier: VerdictsByName, row: Ints, end: Ints) -> Ints:
    """The first row that closes it, up to the landmark's row or else the end of the window; -1: none."""
    if model.closed_by is None:
        return patient_days.nowhere
    closing = Flagged(decide(model.closed_by.tree, patient_days).true)
    after = _first_after_start(model, patient_days, earlier)
    return closing.first_in(after, np.maximum(after, np.where(row != NONE, row + 1, end)))


def _landmark_row(model: At, patient_days: PatientDays, begin: Ints, end: Ints, start: Ints) -> Ints:
    """The row that stands for the landmark; -1 if none."""
    counts = counts_kept(model.set_aside, patient_days)
    if model.which == "first":
        return counts.first_in(begin, end)
    if model.which == "last":
        return counts.last_in(begin, end)
    return nearest(patient_days, counts, start + patient_days.each_whole(model.day), begin, end)
