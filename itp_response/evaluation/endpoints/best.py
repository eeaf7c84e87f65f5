"""Best: the first of a ranked list that is met.

The best response of the IWG 2009 and of the ATRA trial (complete response, else response, else none) is of this kind.

>>> from itp_response import ask
>>> [response] = ask("d0 15, d22 40, d29 45", "atra_2022", endpoint="best_response", counterfactuals=False)
>>> response.value
'R'
>>> [response] = ask("d0 15, d22 12, d364 12", "atra_2022", endpoint="best_response", counterfactuals=False)
>>> response.value
'NR'
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from itp_response.cohort.values import Bools, Floats
from itp_response.evaluation.clock import DayOf
from itp_response.evaluation.endpoints.account import Account, Decided, decided_by, with_the_reason
from itp_response.evaluation.endpoints.endpoint import Endpoint, started
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.verdicts import NE, Reasons, Verdict, VerdictsByName, Y

Named = Annotated[dict[str, str], Field(min_length=1, max_length=1)]


class Best(Endpoint):
    """The first of a ranked list."""

    kind: Literal["best"]
    of: tuple[str | Named, ...] = Field(min_length=1, description="endpoints, best first; { R = 'OR' } reports OR as R")
    otherwise: str = Field(description="the value if none is met")
    unknown: Literal["passed_over", "leaves_it_open"] = Field(
        default="passed_over", description="what a non-evaluable endpoint before the first that is met does"
    )

    is_ranked: ClassVar[bool] = True
    can_be_referred_to: ClassVar[bool] = False
    begins_on_a_day: ClassVar[bool] = False
    sums_up: ClassVar[bool] = True

    def measures(self) -> tuple[str, ...]:
        return ("best",)

    @property
    def ranked(self) -> dict[str, str]:
        """The endpoint behind each name, best first."""
        named = [{rank: rank} if isinstance(rank, str) else rank for rank in self.of]
        return {name: to for rank in named for name, to in rank.items()}

    @property
    def ranks(self) -> tuple[str, ...]:
        return (*self.ranked, self.otherwise)

    def days_compared(self) -> tuple[DayOf, ...] | None:
        return ()

    def references(self) -> dict[str, str]:
        return {f"of ({name})": to for name, to in self.ranked.items()}

    def verdicts(self, patient_days: PatientDays, earlier: VerdictsByName, reasons: Reasons) -> Verdict:
        """The best that each patient met; values index `labels`."""
        none, unknown = len(self.ranks) - 1, len(self.ranks)
        # Of those for whom it is defined it is never NA.
        labels = (*self.ranks, "NE", *(() if self.only is None else ("NA",)))
        verdict, open_ = started(self, patient_days, earlier, reasons, None)
        excluded_reason = verdict.reason.copy()
        ranked = [earlier[name] for name in self.ranked.values()]

        verdict.set(open_, none, ranked[-1].reason)
        # From the best to the worst: what is not known of the least of them leaves it open.
        no_better = open_
        for rank, of_rank in enumerate(ranked):
            verdict.set(no_better & (of_rank.value == NE), unknown, of_rank.reason)
            met = no_better & (of_rank.value == Y)
            if self.unknown == "leaves_it_open":
                met = met & (verdict.value != unknown)
            verdict.set(met, rank, of_rank.reason)
            no_better = no_better & (of_rank.value != Y)
        verdict.set(~open_, none, excluded_reason)
        verdict.labels = labels
        return verdict

    def changes_until(self, decided: Decided, settled_on: Floats) -> Floats:  # noqa: ARG002
        return np.full(len(settled_on), -np.inf)

    def assessed_until(self, decided: Decided, of_others: Floats) -> Floats:  # noqa: ARG002
        return of_others

    def depends_on(self, verdicts: VerdictsByName, final: Mapping[str, Bools]) -> dict[str, Bools]:
        depends: dict[str, Bools] = {}
        is_asked = np.ones(len(next(iter(final.values()))), dtype=np.bool_)
        for name in self.ranked.values():
            depends[name] = depends[name] | is_asked if name in depends else is_asked
            # What ranks lower than one that is certainly met is not asked.
            is_asked = is_asked & ~(final[name] & (verdicts[name].value == Y))
        return depends

    def rows_played(self, decided: Decided) -> Account:
        patient_days, earlier = decided.patient_days, decided.earlier
        account = super().rows_played(decided)
        names = list(self.ranked.values())
        values = np.stack([earlier[name].value for name in names])
        last = np.full(patient_days.patients, len(names) - 1)
        is_met = (values == Y).any(axis=0)
        met = np.where(is_met, np.argmax(values == Y, axis=0), len(names))
        is_open = (values == NE) & (np.arange(len(names))[:, None] < met)
        unknown = len(names) - 1 - np.argmax(is_open[::-1], axis=0)
        cases = [(is_met, met), (is_open.any(axis=0), unknown)]
        if self.unknown == "leaves_it_open":
            cases.reverse()
        deciding = np.select([asked for asked, _ in cases], [number for _, number in cases], last)
        deciding = with_the_reason(deciding, names, decided)
        account.marks = ()
        account.decided_by = decided_by(deciding, names)
        return account

    def definition(self) -> str:
        """What decides it, in words, without what excludes patients."""
        ranks = [name if name == to else f"{name} ({to} is met)" for name, to in self.ranked.items()]
        unless = ", unless one ranked higher is not evaluable" if self.unknown == "leaves_it_open" else ""
        return f"The highest of {', '.join(ranks)} that is met{unless}; {self.otherwise} if none is met."
