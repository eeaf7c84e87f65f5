"""Values: numbers with bounds, truths and texts, in whole columns.

A number is held as its bounds, `low` and `high`: equal where it was observed, apart where it is censored, NaN where it
was not observed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Ints = NDArray[np.integer]
Floats = NDArray[np.floating]
Index = slice | NDArray[np.integer]
"""What chooses entries of a column: a stretch of them, or their positions."""

NONE = -1
"""A row number: there is no such row."""
NO_DAY = int(np.iinfo(np.int32).min)
"""A day: there is none."""
EDGE = 2.0**-36
"""How far from a bound that is not reached the last value lies, as a share of it: nearer than counts are given, and
far enough for sums and products not to round it away."""


@dataclass(frozen=True)
class Numbers:
    """A number at each row: any value from `low` to `high`; NaN in both is unknown.

    >>> counts = with_bounds(np.array([40.0, 0.0]), np.array([40.0, 10.0]))  # 40, and one below 10
    >>> counts.exact
    False
    >>> counts.at(slice(0, 1)).low
    array([40.])
    """

    low: Floats
    high: Floats

    @property
    def exact(self) -> bool:
        """No value is censored. Both bounds are then one array, so that nothing is computed twice."""
        return self.high is self.low

    @property
    def unknown(self) -> Bools:
        unknown: Bools = np.isnan(self.low)
        return unknown

    def at(self, index: Index) -> "Numbers":
        low = self.low[index]
        return Numbers(low, low if self.exact else self.high[index])


@dataclass(frozen=True)
class Truths:
    """True, false, or (where neither holds) unknown at each row."""

    true: Bools
    false: Bools

    @property
    def unknown(self) -> Bools:
        return ~(self.true | self.false)

    def at(self, index: Index) -> "Truths":
        return Truths(self.true[index], self.false[index])


@dataclass(frozen=True)
class Texts:
    """A text at each row as its position in `labels`; -1 is unknown."""

    codes: NDArray[np.int32]
    labels: tuple[str, ...]

    @property
    def unknown(self) -> Bools:
        unknown: Bools = self.codes < 0
        return unknown

    def at(self, index: Index) -> "Texts":
        return Texts(self.codes[index], self.labels)


Column = Numbers | Truths | Texts
"""What was observed under one name, an entry per row or per patient; `at` gives the entries at some positions."""


def exactly(values: Floats) -> Numbers:
    """Numbers none of which is censored."""
    return Numbers(values, values)


def with_bounds(low: Floats, high: Floats) -> Numbers:
    """Numbers with these bounds, exact if no two of them differ."""
    return exactly(low) if np.array_equal(low, high, equal_nan=True) else Numbers(low, high)


def known(condition: Bools) -> Truths:
    """The truths of a condition that is known everywhere."""
    return Truths(condition, ~condition)


def just_below(value: Any) -> Any:
    """The highest value below a bound, of a number or an array."""
    return value - EDGE * np.maximum(np.abs(value), 1.0)


def just_above(value: Any) -> Any:
    """The lowest value above a bound, of a number or an array."""
    return value + EDGE * np.maximum(np.abs(value), 1.0)


def offsets(sizes: Ints) -> Ints:
    """Where each of several stretches of these sizes begins, one after another, and where the last one ends.

    >>> offsets(np.array([2, 0, 3]))
    array([0, 2, 2, 5])
    """
    return np.append(0, np.cumsum(sizes, dtype=np.int64))


def ranges(begin: Ints, end: Ints) -> tuple[Ints, Ints]:
    """All numbers from each begin to its end (not included), after the index of the pair that each belongs to.

    >>> ranges(np.array([5, 9]), np.array([7, 10]))
    (array([0, 0, 1]), array([5, 6, 9]))
    """
    size = end - begin
    owner = np.repeat(np.arange(len(begin)), size)
    start = np.cumsum(size) - size
    return owner, np.arange(int(size.sum())) - start[owner] + begin[owner]
