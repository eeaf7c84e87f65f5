"""Time to: from a moment to an endpoint, with the event or censored.

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
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from itp_response.cohort.values import NO_DAY, NONE, Floats, Ints
from itp_response.evaluation.clock import Day
from itp_response.evaluation.endpoints.account import Account, Decided, Mark
from itp_response.evaluation.endpoints.endpoint import Endpoint, started
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.tree import Tree
from itp_response.evaluation.verdicts import NA, NE, N, Reasons, Verdict, VerdictsByName, Y
from itp_response.messages.wording import day_in_words, up_to


class TimeTo(Endpoint):
    """The time from a moment to an endpoint."""

    kind: Literal["time_to"]
    from_: str | None = Field(
        default=None, alias="from", description="the endpoint whose day is the start; default: day 0"
    )
    to: str = Field(description="the endpoint that is the event")
    censored: Literal["last_count"] | None = Field(
        default=None, description="where patients without the event are censored; default: they have no time"
    )
    by: Day = Field(default=np.inf, description="the last day for the count at which a patient is censored")

    lengths: ClassVar[tuple[str, ...]] = ("days",)
    can_be_referred_to: ClassVar[bool] = False
    begins_on_a_day: ClassVar[bool] = False
    if_excluded: ClassVar[str] = "not applicable"

    @property
    def is_length(self) -> bool:
        return True

    @property
    def runs_to(self) -> str:
        return self.to

    @property
    def can_be_censored(self) -> bool:
        return self.censored is not None

    def measures(self) -> tuple[str, ...]:
        return ("time",)

    def days_looked_at(self) -> tuple[float, float]:
        return 0.0, self.by

    def window(self) -> str:
        return f"from {self.from_ or 'day 0'}{up_to(self.by)}"

    def ends_against_it(self) -> Iterator[tuple[Tree, bool]]:
        yield from ()

    def references(self) -> dict[str, str]:
        named = {"from": self.from_, "to": self.to}
        return {key: name for key, name in named.items() if name is not None}

    def verdicts(self, patient_days: PatientDays, earlier: VerdictsByName, reasons: Reasons) -> Verdict:
        """Each patient's time, whether it ended with the event, and the row that ended it."""
        verdict, open_ = started(self, patient_days, earlier, reasons, self.from_, otherwise=NA)
        to = earlier[self.to]
        start: Ints
        if self.from_ is None:
            start = np.zeros(patient_days.patients, dtype=np.int32)
        else:
            start = patient_days.day_of(earlier[self.from_].dated)

        event = open_ & (to.value == Y)
        ended = to.dated
        if self.censored == "last_count":
            last = _last_count(self, patient_days, earlier)
            censored = open_ & ~event & (last != NONE)
            verdict.set(open_ & ~event, NE, reasons["no_counts"])
            verdict.set(censored, N, reasons["censored"])
            ended = np.where(event, ended, last)
        else:
            censored = np.zeros(patient_days.patients, dtype=np.bool_)
            verdict.set(open_ & (to.value != Y), NA, to.reason)
            verdict.set(open_ & (to.value == NE), NE, to.reason)
        verdict.set(event, Y, reasons["event"])

        timed = event | censored
        if self.from_ is not None:
            verdict.mark("onset", timed, earlier[self.from_].onset)
        verdict.mark("ended", timed, ended)
        verdict.dated = verdict.ended
        with np.errstate(over="ignore"):  # where there is no start, the length is not used
            verdict.days = np.where(timed, patient_days.day_of(verdict.ended) - start, np.int32(NO_DAY)).astype(
                np.int32
            )
        return verdict

    def changes_until(self, decided: Decided, settled_on: Floats) -> Floats:
        last = self.by if self.can_be_censored else -np.inf
        has_event = decided.verdict.value == Y
        return np.where(np.isneginf(settled_on) & (has_event | (decided.verdict.value == NA)), -np.inf, last)

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
        account.marks = (
            Mark(starts, "starts here"),
            Mark(np.where(verdict.value == Y, verdict.ended, NONE), f"ends here: {self.to}"),
            Mark(np.where(verdict.value == N, verdict.ended, NONE), "last count, censored"),
        )
        account.decided_by = ((self.to, earlier[self.to].value != Y),)
        return account

    def missing_data(self) -> str:
        return f"as in {self.to}" if self.censored is None else f"without {self.to}, censored at the last count"

    def definition(self) -> str:
        """What decides it, in words, without what excludes patients."""
        start = f"the day of {self.from_}" if self.from_ else "day 0"
        text = f"Time in days from {start} to the day of {self.to}"
        if self.censored is None:
            return f"{text}, in patients who meet {self.to}."
        limit = f" up to {day_in_words(self.by)}" if np.isfinite(self.by) else ""
        return f"{text}; patients without {self.to} are censored at their last count{limit}."


def _last_count(model: TimeTo, patient_days: PatientDays, earlier: VerdictsByName) -> Ints:
    """Each patient's last row with a count from the start on, up to the day `by`; -1 if none."""
    if model.from_ is None:
        begin = patient_days.at_or_after(0)
    else:
        begin = np.maximum(earlier[model.from_].dated, patient_days.begin)
    return patient_days.counted.last_in(begin, patient_days.after(model.by))
