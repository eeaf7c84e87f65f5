"""Other rows: a number as it was observed on another row of the patient, or at the highest or lowest of several.

Each function picks one of the rows on which the number is known, from a span of rows that `PatientDays` gives.
"""

from dataclasses import dataclass

import numpy as np

from itp_response.cohort.values import NONE, Floats, Ints, Numbers, exactly
from itp_response.evaluation.rules.tree import AtRow


@dataclass(frozen=True)
class LookedAt:
    """A number on all rows (N), and of each row the span of rows from which a value at another row is picked."""

    observed: Numbers
    """(N) NaN: not known."""
    first: Ints
    """(N) The first row of the span."""
    last: Ints
    """(N) The last row of the span; before the first: there is none."""


def at_other_row(value: AtRow, looked_at: LookedAt) -> Numbers:
    """(N) The value at another row, as each row sees it; NaN: it is not known on any row looked at.

    >>> looked_at = LookedAt(exactly(np.array([20, np.nan, 80, 60])), np.zeros(4, int), np.arange(4))
    >>> at_other_row(AtRow("highest", "platelets"), looked_at).low
    array([20., 20., 80., 80.])
    """
    observed = looked_at.observed
    low = _at(observed.low, _row_picked(value, observed.low, looked_at))
    if observed.exact:
        return exactly(low)
    return Numbers(low, _at(observed.high, _row_picked(value, observed.high, looked_at)))


def rows_of_bounds(value: AtRow, looked_at: LookedAt) -> tuple[Ints, Ints]:
    """(N) The rows that the lower and the upper bound come from; of several as high, or as low, the first; -1: none."""
    observed = looked_at.observed
    return _row_picked(value, observed.low, looked_at), _row_picked(value, observed.high, looked_at)


def _at(numbers: Floats, row: Ints) -> Floats:
    """The number at each row; NaN at -1."""
    if not len(numbers):
        return np.full(len(row), np.nan)
    at: Floats = np.where(row == NONE, np.nan, numbers[row])
    return at


def _row_picked(value: AtRow, numbers: Floats, looked_at: LookedAt) -> Ints:
    known = np.flatnonzero(~np.isnan(numbers))
    if not len(known):
        return np.full(len(numbers), NONE)
    begin, end = np.searchsorted(known, looked_at.first), np.searchsorted(known, looked_at.last, side="right")
    picked: Ints
    match value.function:
        case "first":
            picked = begin
        case "highest":
            picked = _highest(numbers[known], begin, end)
        case "lowest":
            picked = _highest(-numbers[known], begin, end)
        case _:
            picked = end - 1
    return np.where(begin < end, known.take(picked, mode="clip"), NONE)


def _highest(numbers: Floats, begin: Ints, end: Ints) -> Ints:
    """The position of the highest number in each span, of several as high the first; `end` is not included.

    A span is covered by two stretches whose length is a power of two, one at its begin and one at its end, so that all
    spans of about a length are decided at once.
    """
    position = np.arange(len(numbers))
    highest = np.full(len(begin), NONE)
    of_stretch: Ints = position
    length, size = 1, end - begin
    while length <= size.max(initial=0):
        span = np.flatnonzero((size >= length) & (size < 2 * length))
        highest[span] = _higher(numbers, of_stretch[begin[span]], of_stretch[end[span] - length])
        following = of_stretch[np.minimum(position + length, len(numbers) - 1)]
        of_stretch, length = _higher(numbers, of_stretch, following), 2 * length
    return highest


def _higher(numbers: Floats, one: Ints, later: Ints) -> Ints:
    """The position of the higher of two numbers; of two as high, the first."""
    return np.where(numbers[later] > numbers[one], later, one)
