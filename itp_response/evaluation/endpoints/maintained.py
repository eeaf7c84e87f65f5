"""Maintained: from a moment on a state holds for a duration, or until a landmark.

The sustained response of the ATRA trial (above 30 for six months) is kept for a duration, its remission until the
one-year visit. The sustained response off treatment of NCT05325593 is of this kind, too.

>>> from itp_response import ask
>>> [kept] = ask("d0 15, d28..d224 45", "atra_2022", endpoint="SR", counterfactuals=False)
>>> kept.value, kept.day
('Y', 224)
>>> [kept] = ask("d0 15, d28..d112 45, d119 20, d126..d224 45", "atra_2022", endpoint="SR", counterfactuals=False)
>>> kept.value, kept.reason
('N', 'platelets')
"""

from collections.abc import Iterator
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from itp_response.cohort.values import NONE, Bools, Floats, Ints
from itp_response.evaluation.clock import DayOf, Length, OwnDay, OwnDays, is_limit
from itp_response.evaluation.endpoints.account import (
    DECIDED,
    Account,
    Decided,
    Mark,
    after_row,
    begin_where_open,
    needed,
    parts_by_state,
    place,
)
from itp_response.evaluation.endpoints.endpoint import (
    DaysBetween,
    Endpoint,
    RowRule,
    causes,
    day_or_never,
    flag_at,
    started,
    why_unknown,
)
from itp_response.evaluation.patient_days import Flagged, PatientDays, counted_days
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.in_words import length_in_words, rule_in_words
from itp_response.evaluation.rules.tree import And, Tree, parts_of
from itp_response.evaluation.verdicts import NE, N, Reasons, Verdict, VerdictsByName, Y
from itp_response.messages.wording import day_in_words, days_in_words, up_to


class Maintained(Endpoint):
    """A state kept for a time, or until a landmark."""

    kind: Literal["maintained"]
    from_: str = Field(alias="from", description="the endpoint it starts from")
    counted_from: Literal["day", "confirming"] = Field(
        default="day", description="its day, or the day of its confirming observation"
    )
    when: RowRule = Field(description="the state")
    for_: Length | None = Field(default=None, alias="for", description="the time for which the state must be kept")
    by: OwnDay = Field(default=np.inf, description="the last day on which this time may end")
    evidence_by: OwnDay = Field(default=np.inf, description="the last day for the observation that confirms it")
    until: OwnDays | None = Field(
        default=None, description="instead of `for`: first and last day of the landmark window"
    )
    max_gap: Length | None = Field(
        default=None, description="the longest time between consecutive observations in the state"
    )

    def references(self) -> dict[str, str]:
        return {"from": self.from_}

    def days_looked_at(self) -> tuple[DayOf, DayOf]:
        return 0.0, np.inf if self.until is None else self.until[1]

    def days_compared(self) -> tuple[DayOf, ...] | None:
        if any(length and length.unit == "months" for length in (self.for_, self.max_gap)):
            return None
        if self.for_ is None:
            return self.until
        return self.by - self.for_.number, self.evidence_by

    def days_between(self) -> tuple[DaysBetween, ...]:
        gap = () if self.max_gap is None else (DaysBetween(self.max_gap.number + 1),)
        if self.for_ is None:
            return gap
        last = self.for_.number
        return (DaysBetween(last, self.from_, to_any=True), DaysBetween(last + 1, self.from_, to_any=True), *gap)

    def window(self) -> str:
        last = self.by if self.until is None else self.until[1]
        return f"from {self.from_} on{up_to(last)}"

    def ends_against_it(self) -> Iterator[tuple[Tree, bool]]:
        yield from super().ends_against_it()
        yield from ((part, False) for part in parts_of(self.when.tree, And))

    def confirmation(self) -> str:
        if self.until is None:
            return f"kept for {self.for_}"
        return f"kept, and observed{days_in_words(self.until).replace(',', '')}"

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.for_ is None) == (self.until is None):
            raise PydanticCustomError("maintained", "give either 'for' or 'until'")
        if self.until is not None and {"by", "evidence_by"} & self.model_fields_set:
            raise PydanticCustomError(
                "maintained", "'by' and 'evidence_by' require 'for'; they cannot be used with 'until'"
            )
        return self

    def verdicts(self, patient_days: PatientDays, earlier: VerdictsByName, reasons: Reasons) -> Verdict:
        """Whether each patient kept the state, and the row that shows it or ended it."""
        verdict, open_ = started(self, patient_days, earlier, reasons, self.from_)
        start_row, ends, span_end, evidence_from, evidence_to = _span(self, patient_days, earlier, open_)
        state = decide(self.when.tree, patient_days)
        kept = Flagged(state.true)
        failed = Flagged(state.false).first_in(start_row, span_end)
        known = state.true | state.false
        evidence = Flagged(known).first_in(evidence_from, evidence_to)
        shown = evidence != NONE
        failed = np.where((failed == NONE) & shown & ~flag_at(state.true, evidence), evidence, failed)

        verdict.mark("onset", open_, start_row)
        verdict.set(open_, NE, reasons["follow_up_ended"])
        unseen = open_ & (patient_days.last_count >= evidence_from)
        verdict.set(unseen, NE, reasons["no_counts"])
        not_known = patient_days.has_count & ~known
        if not_known.any():
            unknown = Flagged(not_known).first_in(evidence_from, evidence_to)
            verdict.set(open_ & (unknown != NONE), NE, why_unknown(self.when, patient_days, unknown, reasons))
        verdict.set(open_ & shown, Y, reasons["met"])
        _, after_gap = _gaps(self, patient_days, kept, start_row, evidence)
        has_gap = np.zeros(patient_days.patients, dtype=np.bool_)
        has_gap[patient_days.patient[after_gap]] = True
        verdict.set(open_ & shown & has_gap, NE, reasons["gap_in_counts"])
        broken = open_ & (failed != NONE)
        if self.for_ is not None:
            late = open_ & (ends > patient_days.each(self.by))
            verdict.set(late, N, reasons["too_late"])
            broken &= ~late
        verdict.set(broken, N, causes(self.when.tree, And, patient_days, np.where(broken, failed, NONE), reasons))
        verdict.mark("ended", broken, failed)

        met = verdict.value == Y
        verdict.mark("confirming", met, evidence)
        verdict.mark("dated", met, evidence)
        return verdict

    def changes_until(self, decided: Decided, settled_on: Floats) -> Floats:
        patient_days, verdict = decided.patient_days, decided.verdict
        settled = np.isneginf(settled_on)
        if self.until is not None:
            return np.where(settled & (verdict.value == N), -np.inf, self.last_day_of(patient_days))
        assert self.for_ is not None
        has_start = settled & (decided.earlier[self.from_].dated != NONE)
        _, ends, _, evidence_from, evidence_to = _span(self, patient_days, decided.earlier, has_start)
        state = decide(self.when.tree, patient_days)
        is_shown = Flagged(state.true | state.false).any_in(evidence_from, evidence_to)
        by, evidence_by = (day_or_never(patient_days, day) for day in (self.by, self.evidence_by))
        latest_end = np.where(np.isfinite(by), by, settled_on + self.for_.at_most_days)
        limit = np.maximum(np.where(settled, ends, latest_end), evidence_by)
        return np.where(settled & (is_shown | (verdict.value == N)), -np.inf, limit)

    def assessed_until(self, decided: Decided, of_others: Floats) -> Floats:  # noqa: ARG002
        return day_or_never(decided.patient_days, self.evidence_by if self.until is None else self.until[1])

    def phrases(self) -> dict[str, str]:
        start = "day" if self.counted_from == "day" else "confirming day"
        own = {"before": f"before the {start} of {self.from_}"}
        return super().phrases() | own | ({} if self.until else {"after": "after the required time"})

    def rows_played(self, decided: Decided) -> Account:
        patient_days, earlier, verdict = decided.patient_days, decided.earlier, decided.verdict
        started_ = earlier[self.from_].value == Y
        start_row, ends, span_end, evidence_from, evidence_to = _span(self, patient_days, earlier, started_)
        has_start = started_ & (earlier[self.from_].dated != NONE)
        otherwise = begin_where_open(patient_days, 0.0, verdict.last_evidence)
        start_row = np.where(has_start | ~started_, start_row, otherwise)
        state = decide(self.when.tree, patient_days)
        evidence = Flagged(state.true | state.false).first_in(evidence_from, evidence_to)
        part = parts_by_state(state)
        last = np.where(verdict.value == Y, verdict.confirming, verdict.ended)
        # Where the start depends on a bound, the span is not known, but the row that decided lies in it.
        end = np.maximum.reduce([span_end, np.where(evidence == NONE, evidence_to, evidence + 1), last + 1])
        place(part, patient_days, start_row, end)
        after_row(part, patient_days, last, DECIDED)
        # A count that is there, of an unknown state, is not missing.
        counted_ = (state.true | state.false) | patient_days.has_count
        asked = (verdict.value == NE) & started_ & ~Flagged(counted_).any_in(evidence_from, evidence_to)
        asked |= (verdict.value == NE) & started_ & ~has_start
        shown_by = patient_days.each(self.evidence_by if self.until is None else self.until[1])
        shown_from = ends if self.until is None else patient_days.each(self.until[0])
        shown_from = np.where(has_start, shown_from, patient_days.last_counted_day + 1)
        gaps = np.full(len(part), NONE)
        before_gap, after_gap = _gaps(self, patient_days, Flagged(state.true), start_row, evidence)
        gaps[after_gap] = before_gap
        return Account(
            part,
            start_row,
            end,
            marks=tuple(
                Mark(row, says)
                for row, says in (
                    (np.where(has_start, start_row, NONE), "starts here"),
                    (verdict.confirming, "confirms it"),
                    (verdict.ended, "ends here"),
                )
            ),
            gaps=gaps,
            missing_from=needed(asked, shown_from),
            missing_to=needed(asked, shown_by),
        )

    def missing_data(self) -> str:
        gap = f" or there is a gap of more than {length_in_words(self.max_gap)}" if self.max_gap is not None else ""
        end = "in the window" if self.until is not None else "at the end of the period"
        return f"NE if no observation fails and there is none {end}{gap}"

    def definition(self) -> str:
        """What decides it, in words, without what excludes patients."""
        start = "day" if self.counted_from == "day" else "confirming day"
        text = f"Every observation from the {start} of {self.from_} (inclusive)"
        if self.until is not None:
            first, last = (day_in_words(day) for day in self.until)
            text += f" to {last} must show {rule_in_words(self.when)}, and at least one must be made"
            text += f" from {first} to {last}."
        else:
            assert self.for_ is not None
            text += f" must show {rule_in_words(self.when)} for {length_in_words(self.for_)}"
            text += f", a period that must end by {day_in_words(self.by)}." if is_limit(self.by) else "."
            text += " The first observation on or after the last day of this period must show it too"
            by = self.evidence_by
            text += f", and must come by {day_in_words(by)}." if is_limit(by) else "."
        if self.max_gap is not None:
            gap = length_in_words(self.max_gap)
            text += f" A gap of more than {gap} between consecutive such observations makes it not evaluable."
        return text


def _span(
    model: Maintained, patient_days: PatientDays, earlier: VerdictsByName, open_: Bools
) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Each patient's first row, and what `_ends` gives."""
    origin = earlier[model.from_]
    confirmed = (model.counted_from == "confirming") & (origin.confirming != NONE)
    # A patient without a start gets the first row; what comes of it is not used.
    start_row = np.maximum(np.where(confirmed, origin.confirming, origin.dated), patient_days.begin)
    start = patient_days.day_of(np.where(open_, start_row, NONE))
    return start_row, *_ends(model, patient_days, start, start_row)


def _ends(model: Maintained, patient_days: PatientDays, start: Ints, start_row: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Each patient's last day of the span, the end of its rows, and the span of the rows that can show its end."""
    if model.until is not None:
        span_end = patient_days.after(model.until[1])
        return (
            counted_days(np.floor(patient_days.each(model.until[1]))),
            span_end,
            np.maximum(start_row, patient_days.at_or_after(model.until[0])),
            span_end,
        )
    assert model.for_ is not None
    ends = patient_days.later(np.arange(patient_days.patients), start.astype(np.int64), model.for_)
    at_end = patient_days.at_or_after(ends)
    return ends, patient_days.after(ends), at_end, patient_days.after(model.evidence_by)


def _gaps(
    model: Maintained, patient_days: PatientDays, kept: Flagged, start_row: Ints, evidence: Ints
) -> tuple[Ints, Ints]:
    """The neighbours among the kept rows, up to the evidence, that lie too far apart: the rows before, those after."""
    before, after = kept.rows[:-1], kept.rows[1:]
    if model.max_gap is None:
        return before[:0], after[:0]
    allowed = patient_days.later(patient_days.patient[before], patient_days.day[before], model.max_gap)
    wide = patient_days.day[after] > allowed
    before, after = before[wide], after[wide]
    patient = patient_days.patient[after]
    within = (before >= start_row[patient]) & (after <= evidence[patient])
    return before[within], after[within]
