"""Patient index: the position of each patient by name, and whether a table's rows come in the order of positions."""

from threading import Lock
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.values import Ints


class NotAscending(Exception):  # noqa: N818 - no error, but a turn in the reading
    """Patients do not come in the order of their names, so their positions must be remembered."""


class NotInOrder(Exception):  # noqa: N818
    """A patient comes again, or after a patient with a later position."""


class _HashTable(NamedTuple):
    """PatientPositions of names by hash: in the slot of the hash, or in the next free one; most slots are free."""

    slots: NDArray[np.int32]
    """-1: free."""
    hashes: NDArray[np.uint64]
    """By position; there is room for as many names again."""
    names: pl.Series

    def look_up(self, names: pl.Series, hashes: NDArray[np.uint64]) -> Ints:
        """The positions of these names; -1: not in the table."""
        positions = np.full(len(names), -1, dtype=np.int64)
        asked: Ints = np.arange(len(names))
        slot = self.first(hashes)
        while len(asked):
            at, asked, slot = self._next(asked, slot, hashes)
            positions[asked] = at
            # Two names may have the same hash.
            if len(asked) == len(names):
                same = (self.names.gather(positions) == names).to_numpy()[asked]
            else:
                same = (self.names.gather(at) == names.gather(asked)).to_numpy()
            positions[asked[~same]] = -1
            asked, slot = asked[~same], self.after(slot[~same])
        return positions

    def _next(self, asked: Ints, slot: Ints, hashes: NDArray[np.uint64]) -> tuple[Ints, Ints, Ints]:
        """The next position with the same hash, from the slots on; the names that have one, and its slot."""
        positions, names, slots = [], [], []
        while len(asked):
            at = self.slots.take(slot)
            used = np.flatnonzero((at >= 0) & (at < len(self.names)))
            at, asked, slot = at.take(used), asked.take(used), slot.take(used)
            same = self.hashes.take(at) == hashes.take(asked)
            positions.append(at[same])
            names.append(asked[same])
            slots.append(slot[same])
            asked, slot = asked[~same], self.after(slot[~same])
        return np.concatenate(positions), np.concatenate(names), np.concatenate(slots)

    def put(self, position: Ints) -> None:
        """Put the names at these positions into slots."""
        slot = self.first(self.hashes[position])
        while len(position):
            free = self.slots[slot] < 0
            # Of several names for one slot, the last gets it. All others go on to the next slot.
            self.slots[slot[free]] = position[free]
            left = self.slots[slot] != position
            position, slot = position[left], self.after(slot[left])

    def first(self, hashes: NDArray[np.uint64]) -> Ints:
        """The first slot to look into, per hash."""
        return (hashes & np.uint64(len(self.slots) - 1)).astype(np.int64)

    def after(self, slot: Ints) -> Ints:
        """The next slots."""
        return (slot + 1) & (len(self.slots) - 1)


class PatientPositions:
    """The position of each patient by name: first the listed ones, then others in the order of the calls of `of`.

    Several threads may call `known` while one calls `of`.
    """

    def __init__(self, listed: pl.Series) -> None:
        self.names = listed.cast(str).clone()
        self._table: _HashTable | None = None
        """None: no name was looked up yet."""
        self._indexing = Lock()

    def __len__(self) -> int:
        return len(self.names)

    def known(self, names: pl.Series) -> Ints:
        """The positions of names, none of them null; -1: the name has none yet."""
        with self._indexing:
            table = self._table or self._index()
        return table.look_up(names, _hashed(names)) if len(self.names) else np.full(len(names), -1, dtype=np.int64)

    def of(self, names: pl.Series) -> Ints:
        """The positions of names, none of them null; new names get the next positions."""
        positions = self.known(names)
        new = np.flatnonzero(positions < 0)
        if len(new):
            others = names.gather(new)
            self._add(others.unique(maintain_order=True))
            positions[new] = self.known(others)
        return positions

    def _add(self, names: pl.Series) -> None:
        before = len(self.names)
        self.names = pl.concat([self.names, names.alias(self.names.name)])
        table = self._table
        if table is None or 4 * len(self.names) > len(table.slots):
            self._index()
            return
        table.hashes[before : len(self.names)] = _hashed(names)
        # Other threads get the names with the table, so they do not see a name before its slot is filled.
        self._table = table._replace(names=self.names)
        table.put(np.arange(before, len(self.names)))

    def _index(self) -> _HashTable:
        """Make the table, with room for as many names again."""
        size = 1 << (8 * len(self.names) + 8).bit_length()
        hashes = np.zeros(size // 4, dtype=np.uint64)
        hashes[: len(self.names)] = _hashed(self.names)
        table = _HashTable(np.full(size, -1, dtype=np.int32), hashes, self.names)
        table.put(np.arange(len(self.names)))
        self._table = table
        return table


def _hashed(names: pl.Series) -> NDArray[np.uint64]:
    hashes: NDArray[np.uint64] = names.hash().to_numpy()
    return hashes


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
        """The positions of these names, none of them null.

        Raises `NotInOrder`; without `positions`, `NotAscending`, as positions must then be remembered.
        """
        if not len(names):
            return np.zeros(0, dtype=np.int64)
        next_positions = self._without(names) if self._positions is None else self._with(names, self._positions)
        self._last = int(next_positions[-1])
        return next_positions

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
            if numbers.has_nulls() or not _ascend(numbers):
                self._orders.remove("number")
        if "text" in self._orders and not _ascend(all_names):
            self._orders.remove("text")
        if not self._orders:
            raise NotAscending
        return self.end + np.arange(len(names))


def _ascend(values: pl.Series) -> bool:
    return bool((values[1:] > values[:-1]).all())
