"""Values: numbers with bounds, truths and texts, in whole columns.

A number is held as its bounds, `low` and `high`: equal where it was observed, apart where it is censored, NaN where it
was not observed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]


Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Numbers:
    """A number at each row: any value from `low` to `high`; NaN in both is unknown."""

    low: Floats
    high: Floats

    @property
    def exact(self) -> bool:
        """No value is censored. Held as one array, so that nothing is worked out twice."""
        return self.high is self.low

    def at(self, index: "Index") -> "Numbers":
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

    def at(self, index: "Index") -> "Truths":
        return Truths(self.true[index], self.false[index])


@dataclass(frozen=True)
class Texts:
    """A text at each row as its place in `labels`; -1 is unknown."""

    codes: NDArray[np.int32]
    labels: tuple[str, ...]

    def at(self, index: "Index") -> "Texts":
        return Texts(self.codes[index], self.labels)


Index = slice | NDArray[np.integer]


Column = Numbers | Truths | Texts
"""What was observed under one name, an entry per row or per patient; `at` gives the entries of a part."""


def exactly(values: Floats) -> Numbers:
    """Numbers none of which is censored."""
    return Numbers(values, values)


def with_bounds(low: Floats, high: Floats) -> Numbers:
    """Numbers with these bounds, exact where none of them are apart."""
    return exactly(low) if np.array_equal(low, high, equal_nan=True) else Numbers(low, high)


EDGE = 2.0**-36
"""How far from a bound that is not reached the last value lies, as a share of it: nearer than counts are given, and
far enough for sums and products not to round it away."""


def just_below(value: Any) -> Any:
    """The highest value below a bound, of a number or an array."""
    return value - EDGE * np.maximum(np.abs(value), 1.0)


def just_above(value: Any) -> Any:
    """The lowest value above a bound, of a number or an array."""
    return value + EDGE * np.maximum(np.abs(value), 1.0)


def known(condition: Bools) -> Truths:
    """The truths of a condition that is known everywhere."""
    return Truths(condition, ~condition)


Ints = NDArray[np.integer]


NONE = -1
"""A row number: there is no such row."""


NO_DAY = int(np.iinfo(np.int32).min)
