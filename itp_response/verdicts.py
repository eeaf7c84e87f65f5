"""Verdicts: what was decided on each patient, with its day, its reason and its witnesses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from itp_response.cohort import Ints
from itp_response.rules import Bools

VALUES = ("Y", "N", "NE", "NA")
Y, N, NE, NA = range(len(VALUES))
NONE = -1
"""A row number: there is no such row."""
NO_DAY = int(np.iinfo(np.int32).min)

REASONS = {
    "met": "met",
    "not_confirmed": "not confirmed",
    "discounted": "only soon after rescue treatment, which is no evidence",
    "never_reached": "never reached",
    "no_counts": "no counts in the days looked at",
    "follow_up_ended": "follow-up ended",
    "gap_in_counts": "the gap between counts is too long to know",
    "too_late": "too late in the study",
    "not_lost": "not lost",
    "event": "event",
    "censored": "censored",
    "baseline_missing": "no baseline",
    "bleeding_not_recorded": "bleeding was not recorded",
    "censored_count": "a count is known only as a bound",
    "not_recorded": "something was not recorded",
    "platelets": "platelet count",
    "bleeding": "bleeding",
    "rescue": "rescue treatment",
    "discontinued": "treatment was discontinued",
}
"""The reasons a verdict can have, in words. Terms and further columns give reasons by their own names."""


class Reasons:
    """Reasons as codes: the same for all criteria of a file, so that one may hand its reason to another."""

    def __init__(self, further: Iterable[str] = ()) -> None:
        self.names = tuple(dict.fromkeys([*REASONS, *further]))
        self._codes = {name: code for code, name in enumerate(self.names)}

    def __getitem__(self, name: str) -> int:
        return self._codes[name]


@dataclass
class Verdict:
    """The verdicts on one criterion, one entry per patient (P).

    `value` indexes `labels`; `reason` the file's `Reasons`; `day` is `NO_DAY` where there is none.
    `onset`, `confirming`, `ended` are row numbers of the cohort (while a piece is decided, of the piece), -1: none.
    `days` is the length of a `time_to`, else None.
    """

    value: NDArray[np.int8]
    reason: NDArray[np.int16]
    day: NDArray[np.int32]
    onset: Ints
    confirming: Ints
    ended: Ints
    labels: tuple[str, ...] = VALUES
    days: NDArray[np.int32] | None = None

    @classmethod
    def open(cls, patients: int) -> "Verdict":
        """Not evaluable for everyone, with no reason yet."""
        return cls(
            value=np.full(patients, NE, dtype=np.int8),
            reason=np.zeros(patients, dtype=np.int16),
            day=np.full(patients, NO_DAY, dtype=np.int32),
            onset=np.full(patients, NONE, dtype=np.int64),
            confirming=np.full(patients, NONE, dtype=np.int64),
            ended=np.full(patients, NONE, dtype=np.int64),
        )

    def set(self, where: Bools, value: int, reason: int | Ints) -> None:
        """Decide for the patients of `where`; `reason` is one, or one per patient."""
        self.value[where] = value
        self.reason[where] = reason if isinstance(reason, int) else reason[where]

    @property
    def last_witness(self) -> Ints:
        """The latest row the verdict rests on; -1: none."""
        return np.maximum(np.maximum(self.onset, self.confirming), self.ended)

    def moved(self, offset: int) -> "Verdict":
        """The same with rows counted from `offset` further on."""
        for rows in (self.onset, self.confirming, self.ended):
            rows[rows != NONE] += offset
        return self


def joined(pieces: list[Verdict]) -> Verdict:
    """The verdicts of patients who stood in several pieces, in one."""
    if len(pieces) == 1:
        return pieces[0]
    days = [piece.days for piece in pieces if piece.days is not None]
    return Verdict(
        value=np.concatenate([piece.value for piece in pieces]),
        reason=np.concatenate([piece.reason for piece in pieces]),
        day=np.concatenate([piece.day for piece in pieces]),
        onset=np.concatenate([piece.onset for piece in pieces]),
        confirming=np.concatenate([piece.confirming for piece in pieces]),
        ended=np.concatenate([piece.ended for piece in pieces]),
        labels=pieces[0].labels,
        days=np.concatenate(days) if days else None,
    )


Settled = Mapping[str, Verdict]
"""The verdicts on the criteria that were decided before, by name."""
