"""Verdicts: what was decided on each patient, with its day, its reason and its evidence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from itp_response.cohort.values import NONE, Bools, Ints

VALUES = ("Y", "N", "NE", "NA")
Y, N, NE, NA = range(len(VALUES))
Codes = NDArray[np.int16]
"""Reasons, as `Reasons` codes them."""

REASONS = {
    "met": "met",
    "not_confirmed": "not confirmed",
    "discounted": "only soon after rescue treatment, which is no evidence",
    "never_reached": "never reached",
    "no_counts": "no counts in the days looked at",
    "follow_up_ended": "follow-up ended",
    "gap_in_counts": "the gap between counts is too long to know",
    "too_short": "too short a time",
    "too_few_met": "at too few visits",
    "too_few_counts": "counted at too few visits",
    "visits_unknown": "it hangs on visits that are not known",
    "too_late": "too late in the study",
    "not_lost": "not lost",
    "event": "event",
    "censored": "censored",
    "baseline_missing": "no baseline",
    "bleeding_not_recorded": "bleeding was not recorded",
    "censored_count": "a count is known only as a bound",
    "partial_date": "it hangs on a date of which only a part is known",
    "not_recorded": "something was not recorded",
    "platelets": "platelet count",
    "bleeding": "bleeding",
    "rescue": "rescue treatment",
    "discontinued": "treatment was discontinued",
}
"""The reasons a verdict can have, in words. Terms and further columns give reasons by their own names."""


def reason_in_words(name: str) -> str:
    """A reason as a phrase."""
    return REASONS.get(name, name.replace("_", " "))


class Reasons:
    """Reasons as codes: the same for all criteria of a file, so that one may hand its reason to another."""

    def __init__(self, further: Iterable[str] = ()) -> None:
        self.names = tuple(dict.fromkeys([*REASONS, *further]))
        self._codes = {name: np.int16(code) for code, name in enumerate(self.names)}

    def __getitem__(self, name: str) -> np.int16:
        return self._codes[name]


@dataclass
class Verdict:
    """The verdicts on one endpoint, one entry per patient (P).

    `value` indexes `labels`; `reason` the file's `Reasons`.
    `dated` is the row whose day is the verdict's, `onset`, `confirming` and `ended` are its evidence: row numbers of
    the cohort (while a piece is decided, of the piece), -1: none.
    `days` is the length of a `time_to` or `extent` (`NO_DAY`: none), else None; `of_days` that of which an `extent` is.
    """

    value: NDArray[np.int8]
    reason: Codes
    dated: Ints
    onset: Ints
    confirming: Ints
    ended: Ints
    labels: tuple[str, ...] = VALUES
    days: NDArray[np.int32] | None = None
    of_days: NDArray[np.int32] | None = None

    @classmethod
    def open(cls, nowhere: Ints) -> "Verdict":
        """Not evaluable for everyone, with no reason and no evidence yet; `nowhere` has -1 for each patient."""
        value, reason = np.full(len(nowhere), NE, dtype=np.int8), np.zeros(len(nowhere), dtype=np.int16)
        return cls(value, reason, nowhere, nowhere, nowhere, nowhere)

    def set(self, where: Bools, value: int, reason: np.int16 | Codes) -> None:
        """Decide for the patients of `where`; `reason` is one, or one per patient."""
        np.putmask(self.value, where, np.int8(value))
        np.putmask(self.reason, where, reason)

    def mark(self, field: str, where: Bools, row: Ints | int) -> None:
        """Name the row that is that evidence of the patients of `where`."""
        setattr(self, field, np.where(where, row, getattr(self, field)))

    def only(self, position: int, begin: int) -> "Verdict":
        """That on one patient, whose rows begin at `begin`; its rows are counted from there."""
        one = slice(position, position + 1)
        rows = (getattr(self, field)[one] for field in ROWS)
        dated, onset, confirming, ended = (np.where(row == NONE, NONE, row - begin) for row in rows)
        days, of_days = (None if lengths is None else lengths[one] for lengths in (self.days, self.of_days))
        return Verdict(self.value[one], self.reason[one], dated, onset, confirming, ended, self.labels, days, of_days)

    @property
    def last_witness(self) -> Ints:
        """The latest row the verdict rests on; -1: none."""
        return np.maximum(np.maximum(self.onset, self.confirming), self.ended)


ROWS = ("dated", "onset", "confirming", "ended")
"""The fields of a verdict that hold row numbers."""
LENGTHS = ("days", "of_days")
"""Those that hold lengths."""


class Verdicts:
    """The verdicts on a whole cohort, filled in piece by piece.

    Each piece has its own stretch of every array, so that several threads may fill in at once.
    """

    def __init__(self, patients: int, rows: int) -> None:
        self._patients = patients
        self._row: type[np.integer] = np.int32 if rows < np.iinfo(np.int32).max else np.int64
        self._found: dict[str, Verdict] = {}

    def prepare(self, names: Iterable[str], timed: Mapping[str, Iterable[str]]) -> None:
        """Make room for the criteria of these names; `timed` has the lengths some have too."""
        for name in names:
            value, reason = np.empty(self._patients, np.int8), np.empty(self._patients, np.int16)
            dated, onset, confirming, ended = (np.empty(self._patients, dtype=self._row) for _ in ROWS)
            verdict = Verdict(value, reason, dated, onset, confirming, ended)
            for field in timed.get(name, ()):
                setattr(verdict, field, np.empty(self._patients, dtype=np.int32))
            self._found[name] = verdict

    def fill(self, piece: Mapping[str, Verdict], first: int, offset: int, nowhere: Ints) -> None:
        """Put in the verdicts of the patients from `first` on, whose rows are counted from `offset`.

        `nowhere` is the evidence that nobody has.
        """
        for name, verdict in piece.items():
            whole = self._found[name]
            part = slice(first, first + len(verdict.value))
            whole.value[part] = verdict.value
            whole.reason[part] = verdict.reason
            for field in ROWS:
                rows = getattr(verdict, field)
                getattr(whole, field)[part] = NONE if rows is nowhere else np.where(rows == NONE, NONE, rows + offset)
            for field in LENGTHS:
                if getattr(whole, field) is not None:
                    getattr(whole, field)[part] = getattr(verdict, field)
            whole.labels = verdict.labels

    def found(self) -> dict[str, Verdict]:
        return self._found


Settled = Mapping[str, Verdict]
"""The verdicts on the criteria that were decided before, by name."""
