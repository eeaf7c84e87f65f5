"""Patient index: the position of each patient by name, and whether a table's rows come in the order of positions."""

import numpy as np
import polars as pl

from itp_response.cohort.values import Ints


class NotAscending(Exception):  # noqa: N818 - no error, but a turn in the reading
    """Patients do not come in the order of their names, so their positions must be remembered."""


class NotInOrder(Exception):  # noqa: N818
    """A patient comes again, or after a patient with a later position."""


class PatientPositions:
    """The position of each patient by name: first the listed ones, then others in the order of the calls of `of`."""

    def __init__(self, listed: pl.Series) -> None:
        self.names = listed.cast(pl.String)
        # The numbers of categories are kept as long as there is a column of them.
        self._column = pl.Series(dtype=pl.Categorical(pl.Categories.random()))
        self._begun = False

    def __len__(self) -> int:
        return len(self.names)

    def of(self, names: pl.Series) -> Ints:
        """The positions of names, -1 of null; new names get the next positions."""
        if not len(names):
            return np.zeros(0, dtype=np.int64)
        if not self._begun:
            # Categories are numbered in the order in which they first occur. Mostly no name is ever looked up.
            self._numbered(self.names)
            self._begun = True
        positions = self._numbered(names)
        new = positions >= len(self.names)
        if new.any():
            others = names.filter(pl.Series(new)).unique(maintain_order=True)
            self.names = pl.concat([self.names, others.alias(self.names.name)])
        return positions

    def _numbered(self, names: pl.Series) -> Ints:
        positions: Ints = names.cast(self._column.dtype).to_physical().cast(pl.Int64).fill_null(-1).to_numpy()
        return positions


class InOrder:
    """Checks that patients come in the order of their positions; each call of `positions` continues."""

    def __init__(self, positions: PatientPositions | None) -> None:
        self._positions = positions
        self._last = -1
        self._name: pl.Series | None = None
        self._orders = {"text", "number"}
        """The orders, of texts or of numbers, in which names have come so far."""

    @property
    def end(self) -> int:
        """The position after the last patient so far."""
        return self._last + 1

    def positions(self, names: pl.Series) -> Ints:
        """The positions of these names, -1 of null.

        Raises `NotInOrder`; without `positions`, `NotAscending`, as positions must then be remembered.
        """
        positions, given = np.full(len(names), -1), names.drop_nulls()
        if len(given):
            next_positions = self._without(given) if self._positions is None else self._with(given, self._positions)
            self._last = int(next_positions[-1])
            positions[names.is_not_null().to_numpy()] = next_positions
        return positions

    def _with(self, names: pl.Series, positions: PatientPositions) -> Ints:
        # Mostly all listed patients come one after another, and no name is looked up.
        next_names = positions.names[self.end : self.end + len(names)]
        if next_names.equals(names):
            return self.end + np.arange(len(names))
        next_positions = positions.of(names)
        if next_positions[0] <= self._last or bool((next_positions[1:] <= next_positions[:-1]).any()):
            raise NotInOrder
        return next_positions

    def _without(self, names: pl.Series) -> Ints:
        before = names[:0] if self._name is None else self._name
        all_names = pl.concat([before, names])
        self._name = names[-1:]
        if "number" in self._orders:
            numbers = all_names.cast(pl.Int64, strict=False)
            if numbers.has_nulls() or not ascend(numbers):
                self._orders.remove("number")
        if "text" in self._orders and not ascend(all_names):
            self._orders.remove("text")
        if not self._orders:
            raise NotAscending
        return self.end + np.arange(len(names))


def ascend(values: pl.Series) -> bool:
    """Whether each value is above the one before, so that there is none twice."""
    return bool((values[1:] > values[:-1]).all())
