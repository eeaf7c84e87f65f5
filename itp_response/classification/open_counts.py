"""Open counts: of a study that was cut, how many results on an endpoint can still change, and until when."""

from dataclasses import dataclass

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import Bools, Floats
from itp_response.evaluation.still_open import CLOSED, OPEN, PROVISIONAL, StillOpen

HEADER = ("open", "closed", "provisional", "assessed until", "open until")
LEGEND = (
    "Open: not evaluable yet. Closed: not evaluable, and no later observation can decide it. Provisional: a later "
    "observation can change it. Assessed until: the last day, of any of these, of which an observation counts for the "
    "endpoint. Open until: the last day on which anything can change one, follow-up and discontinuation included."
)


@dataclass(frozen=True)
class OpenCounts:
    """How many results on one endpoint can still change; those of the chunks of a study add up.

    Days are counted from day 0 where the study was cut at a day, from 1970 where it was cut at a date; infinite: no
    limit; minus infinity: nothing is open.
    """

    open: int
    """Not evaluable, and a later observation can decide it."""
    closed: int
    """Not evaluable, and no later observation can."""
    provisional: int
    """A result that a later observation can change."""
    until: float
    """The last day on which an observation can decide or change one of these."""
    assessed_until: float
    """The last day of which an observation counts for the endpoint itself, of those that can change."""

    @classmethod
    def of(cls, still_open: StillOpen, cohort: Cohort) -> "OpenCounts":
        """How many of a cohort."""
        numbers = np.bincount(still_open.state, minlength=CLOSED + 1)
        can_change = np.isin(still_open.state, (OPEN, PROVISIONAL))
        until, assessed = (_latest(days, can_change, cohort) for days in (still_open.until, still_open.assessed_until))
        return cls(int(numbers[OPEN]), int(numbers[CLOSED]), int(numbers[PROVISIONAL]), until, assessed)

    def __add__(self, other: "OpenCounts") -> "OpenCounts":
        return OpenCounts(
            self.open + other.open,
            self.closed + other.closed,
            self.provisional + other.provisional,
            max(self.until, other.until),
            max(self.assessed_until, other.assessed_until),
        )

    def cells(self, *, as_dates: bool) -> list[str]:
        """The cells under `HEADER`.

        >>> OpenCounts(9, 2, 5, float("inf"), 365.0).cells(as_dates=False)
        ['9', '2', '5', 'day 365', 'no limit']
        """
        numbers = [f"{number:,}" for number in (self.open, self.closed, self.provisional)]
        return [*numbers, *(_day_in_words(day, as_dates=as_dates) for day in (self.assessed_until, self.until))]


def _latest(days: Floats, where: Bools, cohort: Cohort) -> float:
    """The latest of the days of these patients, as days from 1970 where the study was cut at a date."""
    if not where.any():
        return -np.inf
    if cohort.as_of is not None and cohort.as_of.is_date:
        first = cohort.day_0.astype("datetime64[D]").astype(np.int64).astype(np.float64)
        days = np.where(np.isnat(cohort.day_0), np.inf, first + days)
    return float(np.nan_to_num(days[where], nan=-np.inf, posinf=np.inf, neginf=-np.inf).max())


def _day_in_words(day: float, *, as_dates: bool) -> str:
    if np.isneginf(day):
        return "-"
    if np.isposinf(day):
        return "no limit"
    return str(np.datetime64(int(day), "D")) if as_dates else f"day {int(day)}"
