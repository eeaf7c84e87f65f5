"""Eligibility: the baseline with which a trial takes in a patient, and the patients whose baseline lies outside it."""

from typing import NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from itp_response.cohort.values import Bools, Floats
from itp_response.evaluation.endpoints.endpoint import RowRule
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.in_words import rule_in_words
from itp_response.messages.strict_model import StrictModel

ITP = 100.0
"""10⁹/L: a count below this is what defines ITP, by the international working group (IWG 2009)."""


class Eligibility(StrictModel):
    """`[eligibility]`: the baseline with which the source takes in a patient; empty: it states none."""

    below: float | None = Field(default=None, description="the baseline must be below this, 10⁹/L")
    at_most: float | None = Field(default=None, description="the baseline must be this or less, 10⁹/L")
    or_where: RowRule | None = Field(
        default=None, description="a rule; where it is true on a day of the baseline, any baseline will do"
    )
    where: str = Field(default="", description="where in the source")

    @model_validator(mode="after")
    def _has_one_limit(self) -> Self:
        limits = (self.below is not None) + (self.at_most is not None)
        if limits > 1 or (limits == 0 and (self.or_where is not None or self.where)):
            raise PydanticCustomError("eligibility", "give either 'below' or 'at_most'")
        return self

    @property
    def is_stated(self) -> bool:
        """Whether the source states a limit."""
        return self.below is not None or self.at_most is not None

    @property
    def in_words(self) -> str:
        """The baseline that is admitted: `below 30`, `30 or less, or bleeding of grade 1 or more`."""
        limit = f"below {self.below:g}" if self.below is not None else f"{self.at_most:g} or less"
        return limit if self.or_where is None else f"{limit}, or {rule_in_words(self.or_where)}"

    @property
    def outside_in_words(self) -> str:
        """The baseline that is not admitted: `30 or more`."""
        return f"{self.below:g} or more" if self.below is not None else f"above {self.at_most:g}"

    def outside(self, baseline: Floats) -> Bools:
        """Whether each baseline lies outside the limit; one that is not known does not."""
        return baseline >= self.below if self.below is not None else baseline > (self.at_most or 0)


class Entered(NamedTuple):
    """How patients (P) entered."""

    known: Bools
    """(P) There is a baseline."""
    outside: Bools
    """(P) The baseline is certainly outside the entry of the source; false throughout where it states none."""
    above_itp: Bools
    """(P) It is not below the count that defines ITP."""


def entered(eligibility: Eligibility | None, days: tuple[float, float], patient_days: PatientDays) -> Entered:
    """How the patients entered; `days` are those of the baseline."""
    low = patient_days.baseline.low
    known = ~np.isnan(low)
    if eligibility is None:
        return Entered(known, np.zeros(len(low), dtype=np.bool_), low >= ITP)
    outside = eligibility.outside(low)
    if eligibility.or_where is not None:
        admits = decide(eligibility.or_where.tree, patient_days).true
        at = admits & (patient_days.day >= days[0]) & (patient_days.day <= days[1])
        outside[patient_days.patient[at]] = False
    return Entered(known, outside, low >= ITP)
