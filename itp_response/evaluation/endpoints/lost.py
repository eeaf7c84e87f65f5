"""Lost: after a moment, the first observation in a state, once or confirmed.

Relapse in the ATRA trial (once, below 30 or bleeding) and loss of response in the IWG 2009 (confirmed a day apart)
are of this kind.

>>> from itp_response import ask
>>> [relapse] = ask("d0 15, d22 40, d29 45, d100 20", "atra_2022", endpoint="relapse", counterfactuals=False)
>>> relapse.value, relapse.day
('Y', 100)
>>> [relapse] = ask("d0 15, d22 40, d29 45, d100 40, d364 35", "atra_2022", endpoint="relapse", counterfactuals=False)
>>> relapse.value, relapse.reason
('N', 'not_lost')
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from itp_response.cohort.values import NONE, Floats, Ints
from itp_response.evaluation.clock import MOST_OCCASIONS, DayOf, Length, OwnDay
from itp_response.evaluation.endpoints.account import (
    DECIDED,
    QUALIFIES,
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
    followed_or_not,
    inside,
    occasions,
    occasions_in_words,
    started,
)
from itp_response.evaluation.patient_days import Flagged, PatientDays
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.in_words import length_in_words, rule_in_words
from itp_response.evaluation.rules.tree import Or, Tree, last_day, parts_of
from itp_response.evaluation.verdicts import NA, NE, N, Reasons, Verdict, VerdictsByName, Y
from itp_response.messages.wording import counted, up_to


class Lost(Endpoint):
    """The first observation in a state, after a moment."""

    kind: Literal["lost"]
    after: str = Field(description="the endpoint that is lost; observations after its last evidence are assessed")
    when: RowRule = Field(description="the state that is the loss")
    by: OwnDay = Field(default=np.inf, description="the last day of the assessment window")
    occasions: int = Field(
        default=1, ge=1, le=MOST_OCCASIONS, description="the number of observations in the state that are required"
    )
    apart: Length = Field(default=Length("1 day"), description="the least time from one occasion to the next")
    at_once: RowRule | None = Field(default=None, description="where true, a single observation is the loss")
    between: Literal["anything", "unbroken"] = Field(
        default="unbroken", description="unbroken: no observation between the first and the last occasion may fail"
    )

    begins_on_a_day: ClassVar[bool] = False
    if_excluded: ClassVar[str] = "not applicable"
    asks_for_follow_up: ClassVar[bool] = True

    def references(self) -> dict[str, str]:
        return {"after": self.after}

    @property
    def is_lost(self) -> str | None:
        return self.after

    def days_looked_at(self) -> tuple[DayOf, DayOf]:
        return 0.0, self.by

    def days_compared(self) -> tuple[DayOf, ...] | None:
        return None if self.apart.unit == "months" else (self.by,)

    def days_between(self) -> tuple[DaysBetween, ...]:
        return (DaysBetween(self.apart.number),) if self.occasions > 1 else ()

    def window(self) -> str:
        return f"after {self.after}{up_to(self.by)}"

    @property
    def is_confirmed(self) -> bool:
        return self.occasions > 1

    def ends_against_it(self) -> Iterator[tuple[Tree, bool]]:
        for rule in filter(None, (self.when, self.at_once)):
            yield from ((part, True) for part in parts_of(rule.tree, Or))

    def confirmation(self) -> str:
        return occasions_in_words(self.occasions, self.apart, "is not a loss" if self.between == "unbroken" else "")

    def verdicts(self, patient_days: PatientDays, earlier: VerdictsByName, reasons: Reasons) -> Verdict:
        """Whether and when each patient lost it, and by what."""
        verdict, open_ = started(self, patient_days, earlier, reasons, self.after, otherwise=NA)
        state = decide(self.when.tree, patient_days)
        origin = earlier[self.after]
        begin, end = _span(self, patient_days, earlier)
        good = state.true & inside(patient_days, np.where(open_, begin, end), end)
        failing = Flagged(state.false) if self.between == "unbroken" else None
        first, last, _ = occasions(patient_days, good, self.occasions, self.apart, failing)
        why = causes(self.when.tree, Or, patient_days, first, reasons)
        if self.at_once is not None:
            alone = Flagged(decide(self.at_once.tree, patient_days).true).first_in(np.where(open_, begin, end), end)
            sooner = (alone != NONE) & ((first == NONE) | (alone <= first))
            first, last = np.where(sooner, alone, first), np.where(sooner, NONE, last)
            why = np.where(sooner, causes(self.at_once.tree, Or, patient_days, alone, reasons), why)

        followed = patient_days.followed(self.followed_from)
        verdict.set(open_, NE, reasons["follow_up_ended"])
        verdict.set(open_ & followed, N, reasons["not_lost"])
        lost = open_ & (first != NONE)
        verdict.set(lost, Y, why)
        verdict.mark("onset", lost, origin.onset)
        verdict.mark("ended", lost, first)
        verdict.mark("dated", lost, first)
        if self.occasions > 1:
            verdict.mark("confirming", lost & (last != NONE), last)
        return verdict

    def changes_until(self, decided: Decided, settled_on: Floats) -> Floats:
        limit = followed_or_not(decided.patient_days, self.followed_from, self._last_day(decided.patient_days))
        return np.where(np.isneginf(settled_on) & (decided.verdict.value == Y), -np.inf, limit)

    def assessed_until(self, decided: Decided, of_others: Floats) -> Floats:  # noqa: ARG002
        return self._last_day(decided.patient_days)

    def _last_day(self, patient_days: PatientDays) -> Floats:
        """(P) The last day on which an observation can be a loss."""
        return np.minimum(
            self.last_day_of(patient_days), max(last_day(rule.tree) for rule in filter(None, (self.when, self.at_once)))
        )

    def phrases(self) -> dict[str, str]:
        own = {"qualifies": "loss", "fails": "not lost", "before": f"before {self.after} was established"}
        return super().phrases() | own | {"decided": "after the loss"}

    def rows_played(self, decided: Decided) -> Account:
        patient_days, earlier, verdict = decided.patient_days, decided.earlier, decided.verdict
        begin, end = _span(self, patient_days, earlier)
        otherwise = begin_where_open(patient_days, 0.0, verdict.ended)
        begin = np.where(earlier[self.after].last_evidence == NONE, otherwise, begin)
        part = parts_by_state(decide(self.when.tree, patient_days))
        if self.at_once is not None:
            part[decide(self.at_once.tree, patient_days).true] = QUALIFIES
        place(part, patient_days, begin, end)
        after_row(part, patient_days, np.maximum(verdict.ended, verdict.confirming), DECIDED)
        open_ = (verdict.value == NE) & ~patient_days.followed(self.followed_from)
        return Account(
            part,
            begin,
            end,
            marks=(
                Mark(verdict.onset, f"{self.after} starts here"),
                Mark(verdict.ended, "ends here"),
                Mark(verdict.confirming, "confirms"),
            ),
            missing_from=needed(open_, patient_days.end_of_follow_up(self.followed_from)),
            missing_to=needed(open_, np.inf),
        )

    def missing_data(self) -> str:
        return "N if there is no loss and follow-up is complete; NE if not"

    def definition(self) -> str:
        """What decides it, in words, without what excludes patients."""
        text = f"After {self.after} is established{up_to(self.by)}: the first observation of {rule_in_words(self.when)}"
        if self.occasions > 1:
            text += f", on {counted(self.occasions, 'occasion')} at least {length_in_words(self.apart)} apart"
        if self.occasions > 1 and self.between == "unbroken":
            text += ", with no observation between them that is not a loss"
        if self.at_once is not None:
            text += f", or a single observation of {rule_in_words(self.at_once)}"
        return text + "."


def _span(model: Lost, patient_days: PatientDays, earlier: VerdictsByName) -> tuple[Ints, Ints]:
    """The span of rows looked at: after the last evidence of what is lost."""
    return np.maximum(earlier[model.after].last_evidence + 1, patient_days.begin), patient_days.after(model.by)
