"""Order: whether the rows of a table come patient by patient, in the order in which patients are written."""

from threading import Lock
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.values import Ints


class NotAscending(Exception):  # noqa: N818 - no error, but a turn in the reading
    """Patients do not come in the order of their names, so that those seen must be remembered."""


class NotInOrder(Exception):  # noqa: N818
    """A patient comes again, or before another who is to be written first."""


class _Table(NamedTuple):
    """Names by their hashes: in the slot that a hash leads to, or the next free one, a position; most are free."""

    slots: NDArray[np.int32]
    """-1: free."""
    hashes: NDArray[np.uint64]
    """Of the names, by position; as many again have room."""
    names: pl.Series

    def found(self, names: pl.Series, hashes: NDArray[np.uint64]) -> Ints:
        """The positions of these names; -1 for those that are not among ours."""
        found = np.full(len(names), -1, dtype=np.int64)
        asked: Ints = np.arange(len(names))
        slot = self.first(hashes)
        while len(asked):
            at, asked, slot = self._next(asked, slot, hashes)
            found[asked] = at
            # Two names may have the same hash.
            if len(asked) == len(names):
                same = (self.names.gather(found) == names).to_numpy()[asked]
            else:
                same = (self.names.gather(at) == names.gather(asked)).to_numpy()
            found[asked[~same]] = -1
            asked, slot = asked[~same], self.after(slot[~same])
        return found

    def _next(self, asked: Ints, slot: Ints, hashes: NDArray[np.uint64]) -> tuple[Ints, Ints, Ints]:
        """From their slots on the next position with the same hash, for those asked who have one, and its slot."""
        places, who, slots = [], [], []
        while len(asked):
            at = self.slots.take(slot)
            taken = np.flatnonzero((at >= 0) & (at < len(self.names)))
            at, asked, slot = at.take(taken), asked.take(taken), slot.take(taken)
            same = self.hashes.take(at) == hashes.take(asked)
            places.append(at[same])
            who.append(asked[same])
            slots.append(slot[same])
            asked, slot = asked[~same], self.after(slot[~same])
        return np.concatenate(places), np.concatenate(who), np.concatenate(slots)

    def put(self, position: Ints) -> None:
        """Take the names at these positions in."""
        slot = self.first(self.hashes[position])
        while len(position):
            free = self.slots[slot] < 0
            # Of several that want one slot the last has it; the others, and those who found it taken, go on.
            self.slots[slot[free]] = position[free]
            left = self.slots[slot] != position
            position, slot = position[left], self.after(slot[left])

    def first(self, hashes: NDArray[np.uint64]) -> Ints:
        """The slot in which each of these is looked for first."""
        return (hashes & np.uint64(len(self.slots) - 1)).astype(np.int64)

    def after(self, slot: Ints) -> Ints:
        """The next ones."""
        return (slot + 1) & (len(self.slots) - 1)


class Positions:
    """The position of each patient by name: those listed first, the others in the order in which they are asked for.

    Several threads may ask `known` while one asks `of`.
    """

    def __init__(self, listed: pl.Series) -> None:
        self.names = listed.cast(str).clone()
        self._table: _Table | None = None
        """None: nobody was looked up yet."""
        self._making = Lock()

    def __len__(self) -> int:
        return len(self.names)

    def known(self, names: pl.Series) -> Ints:
        """The positions of names, none of them null; -1 for those not asked for before."""
        with self._making:
            table = self._table or self._index()
        return table.found(names, _hashed(names)) if len(self.names) else np.full(len(names), -1, dtype=np.int64)

    def of(self, names: pl.Series) -> Ints:
        """The positions of names, none of them null; those not asked for before get the next ones."""
        found = self.known(names)
        new = np.flatnonzero(found < 0)
        if len(new):
            others = names.gather(new)
            self._add(others.unique(maintain_order=True))
            found[new] = self.known(others)
        return found

    def _add(self, names: pl.Series) -> None:
        before = len(self.names)
        self.names = pl.concat([self.names, names.alias(self.names.name)])
        table = self._table
        if table is None or 4 * len(self.names) > len(table.slots):
            self._index()
            return
        table.hashes[before : len(self.names)] = _hashed(names)
        # Others see the names together with the table: one that is asked for at this moment is not found yet.
        self._table = table._replace(names=self.names)
        table.put(np.arange(before, len(self.names)))

    def _index(self) -> _Table:
        """Make the table, with room for as many names again."""
        size = 1 << (8 * len(self.names) + 8).bit_length()
        hashes = np.zeros(size // 4, dtype=np.uint64)
        hashes[: len(self.names)] = _hashed(self.names)
        table = _Table(np.full(size, -1, dtype=np.int32), hashes, self.names)
        table.put(np.arange(len(self.names)))
        self._table = table
        return table


def _hashed(names: pl.Series) -> NDArray[np.uint64]:
    hashes: NDArray[np.uint64] = names.hash().to_numpy()
    return hashes


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

    def places(self, names: pl.Series) -> Ints:
        """The positions of these names, none of them null.

        Raises `NotInOrder`; `NotAscending` where positions are not remembered, and so would have to be.
        """
        if not len(names):
            return np.zeros(0, dtype=np.int64)
        place = self._without(names) if self._positions is None else self._with(names, self._positions)
        self._last = int(place[-1])
        return place

    def _with(self, names: pl.Series, positions: Positions) -> Ints:
        # Mostly everyone comes who is listed, one after another, and nobody need be looked up.
        next_ones = positions.names[self.end : self.end + len(names)]
        if next_ones.equals(names):
            return self.end + np.arange(len(names))
        place = positions.of(names)
        if place[0] <= self._last or bool((place[1:] <= place[:-1]).any()):
            raise NotInOrder
        return place

    def _without(self, names: pl.Series) -> Ints:
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


def _ascend(values: pl.Series) -> bool:
    return bool((values[1:] > values[:-1]).all())
