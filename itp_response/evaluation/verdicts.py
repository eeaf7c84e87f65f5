"""Verdicts: what was decided on each patient, with its day, its reason and its evidence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from itp_response.cohort.values import NO_DAY, NONE, Bools, Ints

VALUES = ("Y", "N", "NE", "NA")
Y, N, NE, NA = range(len(VALUES))
Codes = NDArray[np.int16]
"""Reasons, as `Reasons` codes them."""

REASONS = {
    "met": "met",
    "not_confirmed": "not confirmed",
    "discounted": "qualifying counts are not evidence of response",
    "never_reached": "never reached",
    "no_counts": "no counts in the assessment window",
    "follow_up_ended": "follow-up incomplete",
    "gap_in_counts": "gap between counts too long",
    "too_short": "duration too short",
    "too_few_met": "too few visits met",
    "too_few_counts": "counts at too few visits",
    "visits_unknown": "depends on visits with missing data",
    "too_late": "too late in the study",
    "not_lost": "not lost",
    "event": "event",
    "censored": "censored",
    "baseline_missing": "baseline missing",
    "bleeding_not_recorded": "bleeding not recorded",
    "censored_count": "depends on a censored count",
    "partial_date": "depends on a partial date",
    "unreadable": "depends on an excluded record",
    "not_recorded": "missing data",
    "platelets": "platelet count",
    "bleeding": "bleeding",
    "rescue": "rescue treatment",
    "discontinued": "treatment discontinued",
}
"""The reasons a verdict can have, in words. Terms and further columns are reasons by their own names."""
NEVER_REACHED = list(REASONS).index("never_reached")
"""Its code, which is the same in every set."""
ROWS = ("dated", "onset", "confirming", "ended")
"""The fields of a `Verdict` that hold row numbers."""
NUMBERS = ("days", "of_days", "day")
"""The fields that hold lengths or days, of those kinds that have them."""


def reason_in_words(name: str) -> str:
    """A reason as a phrase.

    >>> reason_in_words("not_confirmed"), reason_in_words("severe_bleeding")
    ('not confirmed', 'severe bleeding')
    """
    return REASONS.get(name, name.replace("_", " "))


class Reasons:
    """Reasons as codes, the same for all endpoints of a set, so that one endpoint can pass on another's reason."""

    def __init__(self, further: Iterable[str] = ()) -> None:
        self.names = tuple(dict.fromkeys([*REASONS, *further]))
        self._codes = {name: np.int16(code) for code, name in enumerate(self.names)}

    def __getitem__(self, name: str) -> np.int16:
        return self._codes[name]


@dataclass
class Verdict:
    """The verdicts on one endpoint, one entry per patient (P).

    The evidence, `dated` to `ended`, are rows of the cohort, or of the block while that is decided; -1: none.
    """

    value: NDArray[np.int8]
    """(P) Index of `labels`."""
    reason: Codes
    """(P) Code of the set's `Reasons`."""
    dated: Ints
    """(P) The row with the day of the verdict."""
    onset: Ints
    """(P) The row with which it begins."""
    confirming: Ints
    """(P) The row that confirms it."""
    ended: Ints
    """(P) The row with which it ends, or which shows that it is not met."""
    labels: tuple[str, ...] = VALUES
    days: NDArray[np.int32] | None = None
    """(P) The length of a `time_to` or an `extent` in days; `NO_DAY`: none."""
    of_days: NDArray[np.int32] | None = None
    """(P) The days observed, of which an `extent` is a part; `NO_DAY`: none."""
    day: NDArray[np.int32] | None = None
    """(P) The day of the verdict where it need not be that of a row; `NO_DAY`: none. None: it is the day of `dated`."""

    @classmethod
    def open(cls, nowhere: Ints) -> "Verdict":
        """Not evaluable for all patients, with no reason and no evidence yet; `nowhere` has -1 for each patient."""
        value, reason = np.full(len(nowhere), NE, dtype=np.int8), np.zeros(len(nowhere), dtype=np.int16)
        return cls(value, reason, nowhere, nowhere, nowhere, nowhere)

    def set(self, where: Bools, value: int, reason: np.int16 | Codes) -> None:
        """Set the value of the patients of `where`; `reason` is one for all, or one per patient."""
        np.putmask(self.value, where, np.int8(value))
        np.putmask(self.reason, where, reason)

    def mark(self, field: str, where: Bools, row: Ints | int) -> None:
        """Set the row that is the evidence `field` of the patients of `where`."""
        setattr(self, field, np.where(where, row, getattr(self, field)))

    def without_evidence(self, where: Bools) -> None:
        """Take the day, the evidence and the lengths of these patients."""
        for field in ROWS:
            self.mark(field, where, NONE)
        for field in NUMBERS:
            days = getattr(self, field)
            if days is not None:
                setattr(self, field, np.where(where, np.int32(NO_DAY), days))

    def only(self, position: int, begin: int) -> "Verdict":
        """The verdict on the patient at that position, the rows counted from the patient's first row, `begin`."""
        return self.of(slice(position, position + 1), begin)

    def of(self, patient: slice, begin: int) -> "Verdict":
        """The verdicts on these patients, the rows counted from the first row of the first, `begin`."""
        rows = (getattr(self, field)[patient] for field in ROWS)
        dated, onset, confirming, ended = (np.where(row == NONE, NONE, row - begin) for row in rows)
        value, reason = self.value[patient], self.reason[patient]
        numbers = (getattr(self, field) for field in NUMBERS)
        days, of_days, day = (None if of_all is None else of_all[patient] for of_all in numbers)
        return Verdict(value, reason, dated, onset, confirming, ended, self.labels, days, of_days, day)

    @property
    def last_evidence(self) -> Ints:
        """(P) The latest row the verdict rests on; -1: none."""
        return np.maximum(np.maximum(self.onset, self.confirming), self.ended)


class Verdicts:
    """The verdicts on a whole cohort, filled in block by block.

    Each block of patients has its own stretch of every array, so that several threads can fill in at once.
    """

    def __init__(self, patients: int, rows: int) -> None:
        self._patients = patients
        self._row: type[np.integer] = np.int32 if rows < np.iinfo(np.int32).max else np.int64
        self.by_name: dict[str, Verdict] = {}

    def prepare(self, numbers: Mapping[str, Iterable[str]]) -> None:
        """Make room for the endpoints of these names, with the `NUMBERS` that each has."""
        for name, fields in numbers.items():
            value, reason = np.empty(self._patients, np.int8), np.empty(self._patients, np.int16)
            dated, onset, confirming, ended = (np.empty(self._patients, dtype=self._row) for _ in ROWS)
            verdict = Verdict(value, reason, dated, onset, confirming, ended)
            for field in fields:
                setattr(verdict, field, np.empty(self._patients, dtype=np.int32))
            self.by_name[name] = verdict

    def fill(self, block: Mapping[str, Verdict], first: int, offset: int, nowhere: Ints) -> None:
        """Put in the verdicts of the patients from `first` on, the rows of which are counted from `offset`.

        `nowhere` is the array that stands for evidence of which no patient has any.
        """
        for name, verdict in block.items():
            whole = self.by_name[name]
            part = slice(first, first + len(verdict.value))
            whole.value[part] = verdict.value
            whole.reason[part] = verdict.reason
            for field in ROWS:
                rows = getattr(verdict, field)
                is_moved = offset and rows is not nowhere
                getattr(whole, field)[part] = np.where(rows == NONE, NONE, rows + offset) if is_moved else rows
            for field in NUMBERS:
                if getattr(whole, field) is not None:
                    getattr(whole, field)[part] = getattr(verdict, field)
            whole.labels = verdict.labels


VerdictsByName = Mapping[str, Verdict]
"""The verdicts on some endpoints by name."""
