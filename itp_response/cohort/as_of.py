"""As of: the moment at which a study is looked at, for interim looks and data monitoring."""

import re
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from itp_response.cohort.values import Ints
from itp_response.messages.errors import UsageError

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
DAY = re.compile(r"[+-]?\d+")
LAST_DAY = 36_525
"""A hundred years, the farthest that a day of a study lies from day 0."""
NO_LIMIT = np.iinfo(np.int32).max
"""A day that is later than any."""


@dataclass(frozen=True)
class AsOf:
    """A calendar date, or a day of the study, the same for every patient; what was observed later is not seen.

    >>> str(AsOf.of("2024-06-30")), str(AsOf.of("180")), str(AsOf.of(180))
    ('2024-06-30', 'day 180', 'day 180')
    """

    given: date | int
    """The date, or the day counted from day 0."""

    @classmethod
    def of(cls, given: "str | int | date | AsOf") -> "AsOf":
        """A date as `2024-06-30`, a day counted from day 0 as `180`.

        Raises `UsageError` for anything else, and for a day before day 0.
        """
        if isinstance(given, AsOf):
            return given
        if isinstance(given, str) and DAY.fullmatch(given.strip()):
            given = int(given)
        if isinstance(given, int) and not isinstance(given, bool):
            return cls(_checked_day(given))
        if isinstance(given, datetime):
            raise UsageError(f"as of {given}: the study is cut after a whole day; give the date alone.")
        if isinstance(given, date):
            return cls(given)
        try:
            if isinstance(given, str) and DATE.fullmatch(given.strip()):
                return cls(date.fromisoformat(given.strip()))
        except ValueError as error:
            raise UsageError(f"as of {given!r}: there is no such date ({error}); write it as 2024-06-30.") from None
        raise UsageError(f"as of {given!r}: give a date as 2024-06-30, or a day counted from day 0 as 180.")

    @property
    def is_date(self) -> bool:
        """It is a calendar date, so that it is another day of the study for each patient."""
        return not isinstance(self.given, int)

    @property
    def plain(self) -> str | int:
        """What `of` makes it of, ready for JSON: the date as a text, or the day.

        >>> AsOf(180).plain
        180
        """
        return self.given if isinstance(self.given, int) else self.given.isoformat()

    def last_day(self, day_0: NDArray[np.datetime64]) -> Ints:
        """(P) The last day that is seen of each patient, counted from day 0; `NO_LIMIT` where its date is not known."""
        if isinstance(self.given, int):
            return np.full(len(day_0), self.given, dtype=np.int64)
        known = ~np.isnat(day_0)
        days = (np.datetime64(self.given) - np.where(known, day_0, np.datetime64(self.given))).astype(np.int64)
        return np.where(known, days, NO_LIMIT)

    def __str__(self) -> str:
        return f"day {self.given}" if isinstance(self.given, int) else self.given.isoformat()


def _checked_day(day: int) -> int:
    if day < 0:
        raise UsageError(f"as of day {day}: no patient is in the study before day 0; give a day from 0 on.")
    if day > LAST_DAY:
        raise UsageError(f"as of day {day}: this is more than 100 years after day 0; write a date as 2024-06-30.")
    return day
