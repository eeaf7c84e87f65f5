"""Sorting: rows that come in any order, held by patient, in memory or on disk, until they can be read as parts."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from itp_response.cohort import Ints
from itp_response.readers.names import alike

if TYPE_CHECKING:
    import polars as pl


class Rows(NamedTuple):
    """Some rows, in the order of their patients, of each in the order in which they came."""

    frame: "pl.DataFrame"
    position: Ints
    """That of the patient of each; -1: it names none."""


def by_patient(frame: "pl.DataFrame", position: Ints) -> Rows:
    """The rows, and the position of the patient of each, in that order."""
    # One number of patient and row, sorted, is much faster than an order of the two.
    packed = np.sort(((position.astype(np.int64) + 1) << 32) | np.arange(len(position)))
    return Rows(frame[packed & 0xFFFFFFFF], ((packed >> 32) - 1).astype(np.int32))


class Held:
    """The rows of a table, by patient part by part; on disk from `memory` bytes on, in an empty `folder`."""

    def __init__(self, memory: int, folder: Path) -> None:
        self._memory = memory
        self._folder = folder
        self._parts: list[tuple[pl.DataFrame | Path, Ints]] = []
        self._size = 0
        self._rows = np.zeros(0, dtype=np.int64)

    def add(self, rows: Rows) -> None:
        """Some more rows."""
        if len(rows.position) and rows.position[-1] + 2 > len(self._rows):
            room = np.zeros(2 * int(rows.position[-1]) + 4, dtype=np.int64)
            room[: len(self._rows)] = self._rows
            self._rows = room
        begin = np.flatnonzero(np.diff(rows.position, prepend=-2))
        self._rows[rows.position[begin] + 1] += np.diff(begin, append=len(rows.position))
        self._parts.append((rows.frame, rows.position))
        self._size += int(rows.frame.estimated_size()) + rows.position.nbytes
        if self._size > self._memory:
            self._parts = [(self._on_disk(number, held), of) for number, (held, of) in enumerate(self._parts)]

    def _on_disk(self, number: int, held: "pl.DataFrame | Path") -> Path:
        if isinstance(held, Path):
            return held
        path = self._folder / f"{number:06}.arrow"
        held.write_ipc(path, compression="uncompressed")
        return path

    def patients(self, rows: int) -> Iterator[tuple[int, int]]:
        """First and last position (not included) of the patients whose rows go together, so many rows or some more."""
        before = np.append(0, np.cumsum(self._rows))
        first, end = 0, int(np.searchsorted(before, before[-1]))
        while first < end:
            last = int(np.searchsorted(before, before[first] + rows))
            last = min(max(last, first + 1), end)
            yield first - 1, last - 1
            first = last

    def rows_of(self, first: int, last: int) -> Rows:
        """The rows of these patients."""
        import polars as pl

        found, positions = [], []
        for held, position in self._parts:
            begin, end = (int(at) for at in np.searchsorted(position, np.array([first, last], dtype=np.int32)))
            if begin < end:
                rows = (
                    pl.scan_ipc(held).slice(begin, end - begin).collect() if isinstance(held, Path) else held[begin:end]
                )
                found.append(rows)
                positions.append(position[begin:end])
        return by_patient(alike(found), np.concatenate(positions))
