"""Best: the first of a ranked list that is met.

Complete response, else response, else none, as in the IWG 2009 and the ATRA trial.
"""

from typing import Annotated, Literal

from pydantic import Field

from itp_response.evaluation.endpoints.endpoint import Endpoint, started
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.verdicts import NE, Reasons, Settled, Verdict, Y

Named = Annotated[dict[str, str], Field(min_length=1, max_length=1)]


class Best(Endpoint):
    """The first of a ranked list."""

    kind: Literal["best"]
    of: tuple[str | Named, ...] = Field(min_length=1, description="criteria, best first; { R = 'OR' } gives OR a name")
    otherwise: str = Field(description="what it is called if none is met")

    @property
    def ranked(self) -> dict[str, str]:
        """The endpoint behind each name, best first."""
        return {name: to for one in self.of for name, to in ({one: one} if isinstance(one, str) else one).items()}

    def references(self) -> dict[str, str]:
        return {f"of ({name})": to for name, to in self.ranked.items()}


def verdicts(model: Best, patient_days: PatientDays, settled: Settled, reasons: Reasons) -> Verdict:
    """The best that each patient met; values index `labels`."""
    labels = (*model.ranked, model.otherwise, "NE")
    none, unknown = len(labels) - 2, len(labels) - 1
    verdict, open_ = started(model, patient_days, settled, reasons, None)
    excluded_reason = verdict.reason.copy()
    ranked = [settled[name] for name in model.ranked.values()]

    verdict.set(open_, none, ranked[-1].reason)
    # From the worst to the best, so that the better one stands.
    for one in reversed(ranked):
        verdict.set(open_ & (one.value == NE), unknown, one.reason)
    for rank, one in reversed(list(enumerate(ranked))):
        met = open_ & (one.value == Y)
        verdict.set(met, rank, one.reason)
    verdict.set(~open_, none, excluded_reason)
    verdict.labels = labels
    return verdict


def sentence(model: Best) -> str:
    """The endpoint in words."""
    ranks = [name if name == to else f"{name} (if {to} is met)" for name, to in model.ranked.items()]
    return f"The first of {', '.join(ranks)} that is met; {model.otherwise} if none is."
