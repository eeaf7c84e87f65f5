"""Order: whether the rows of a table come patient by patient, in the order in which patients are written."""

from typing import TYPE_CHECKING

import numpy as np

from itp_response.cohort import Ints

if TYPE_CHECKING:
    import polars as pl


class NotAscending(Exception):  # noqa: N818 - no error, but a turn in the reading
    """Patients do not come in the order of their names, so that those seen must be remembered."""


class NotInOrder(Exception):  # noqa: N818
    """A patient comes again, or before another who is to be written first."""


class Positions:
    """The position of each patient by name: those listed first, the others in the order in which they are asked for.

    Names are looked up by their hashes in a table half of which is empty, and compared.
    Several threads may ask `known` while one asks `of`.
    """

    def __init__(self, listed: "pl.Series") -> None:
        self.names = listed.cast(str).clone()
        self._seed = 0
        self._table: Ints | None = None
        """In the slot that a hash leads to, or the next free one, the position of its name; -1: nobody.

        None: nobody was looked up yet.
        """

    def __len__(self) -> int:
        return len(self.names)

    def known(self, names: "pl.Series") -> Ints:
        """The positions of names, none of them null; -1 for those not asked for before."""
        if self._table is None:
            self._index(len(self.names))
        # Names are only added, so that what the table says is among them, whoever adds.
        table, everybody = self._table, self.names
        assert table is not None
        found = np.full(len(names), -1, dtype=np.int64)
        asked, slot = np.arange(len(names) if len(everybody) else 0), self._slots(names, len(table))
        while len(asked):
            position = table[slot]
            taken = np.flatnonzero(position >= 0)
            asked, slot, position = asked[taken], slot[taken], position[taken]
            added = position >= len(everybody)  # since, by another
            position[added] = 0
            same = (everybody.gather(position) == names.gather(asked)).to_numpy() & ~added
            found[asked[same]] = position[same]
            asked, slot = asked[~same], (slot[~same] + 1) & (len(table) - 1)
        return found

    def of(self, names: "pl.Series") -> Ints:
        """The positions of names, none of them null; those not asked for before get the next ones."""
        found = self.known(names)
        new = np.flatnonzero(found < 0)
        if len(new):
            others = names.gather(new)
            first = others.unique(maintain_order=True)
            self._add(first)
            found[new] = self.known(others)
        return found

    def _add(self, names: "pl.Series") -> None:
        import polars as pl

        before = len(self.names)
        self.names = pl.concat([self.names, names.alias(self.names.name)])
        assert self._table is not None
        if 2 * len(self.names) > len(self._table):
            self._index(2 * len(self.names))
        else:
            self._put(self._table, np.arange(before, len(self.names)), names)

    def _index(self, size: int) -> None:
        """Make the table, with room for so many names."""
        table = np.full(1 << (2 * size + 2).bit_length(), -1, dtype=np.int64)
        self._put(table, np.arange(len(self.names)), self.names)
        self._table = table

    def _put(self, table: Ints, position: Ints, names: "pl.Series") -> None:
        slot = self._slots(names, len(table))
        while len(position):
            free = table[slot] < 0
            # Of several that want one slot the last has it; the others, and those who found it taken, go on.
            table[slot[free]] = position[free]
            left = table[slot] != position
            position, slot = position[left], (slot[left] + 1) & (len(table) - 1)

    def _slots(self, names: "pl.Series", size: int) -> Ints:
        return (names.hash().to_numpy() & np.uint64(size - 1)).astype(np.int64)


class InOrder:
    """Patients as they come; each call of `places` takes the next."""

    def __init__(self, positions: Positions | None) -> None:
        self._positions = positions
        self._last = -1
        self._name: pl.Series | None = None
        self._ways = {"text", "number"}

    @property
    def end(self) -> int:
        """The position after that of the last patient so far."""
        return self._last + 1

    def places(self, names: "pl.Series") -> Ints:
        """The positions of these names, none of them null.

        Raises `NotInOrder`; `NotAscending` where positions are not remembered, and so would have to be.
        """
        if not len(names):
            return np.zeros(0, dtype=np.int64)
        place = self._without(names) if self._positions is None else self._with(names, self._positions)
        self._last = int(place[-1])
        return place

    def _with(self, names: "pl.Series", positions: Positions) -> Ints:
        # Mostly everyone comes who is listed, one after another, and nobody need be looked up.
        next_ones = positions.names[self.end : self.end + len(names)]
        if next_ones.equals(names):
            return self.end + np.arange(len(names))
        place = positions.of(names)
        if place[0] <= self._last or bool((place[1:] <= place[:-1]).any()):
            raise NotInOrder
        return place

    def _without(self, names: "pl.Series") -> Ints:
        import polars as pl

        before = names[:0] if self._name is None else self._name
        all_names = pl.concat([before, names])
        self._name = names[-1:]
        if "number" in self._ways:
            numbers = all_names.cast(pl.Int64, strict=False)
            if numbers.has_nulls() or not _ascend(numbers):
                self._ways.remove("number")
        if "text" in self._ways and not _ascend(all_names):
            self._ways.remove("text")
        if not self._ways:
            raise NotAscending
        return self.end + np.arange(len(names))


def _ascend(values: "pl.Series") -> bool:
    return bool((values[1:] > values[:-1]).all())
