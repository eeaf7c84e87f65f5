"""Sorting: rows that come in any order, held by patient, in memory or on disk, until they can be read as parts."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from itp_response.cohort import Ints

if TYPE_CHECKING:
    import polars as pl


class Held:
    """The rows of a table, sorted by patient part by part; on disk from `memory` bytes on, in an empty `folder`."""

    def __init__(self, memory: int, folder: Path) -> None:
        self._memory = memory
        self._folder = folder
        self._parts: list[tuple[pl.DataFrame | Path, Ints]] = []
        self._size = 0
        self._rows = np.zeros(0, dtype=np.int64)

    def add(self, frame: "pl.DataFrame", position: Ints) -> None:
        """Some rows, and the position of the patient of each; -1: it names none."""
        # One number of patient and row, sorted, is much faster than an order of the two.
        packed = np.sort(((position + 1) << 32) | np.arange(len(position)))
        order, position = packed & 0xFFFFFFFF, (packed >> 32) - 1
        number = np.bincount(position + 1, minlength=len(self._rows))
        number[: len(self._rows)] += self._rows
        self._rows = number
        frame = frame[order]
        self._parts.append((frame, position))
        self._size += int(frame.estimated_size())
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
        first = 0
        while first < len(self._rows):
            last = int(np.searchsorted(before, before[first] + rows))
            last = min(max(last, first + 1), len(self._rows))
            yield first - 1, last - 1
            first = last

    def rows_of(self, first: int, last: int) -> "list[pl.DataFrame]":
        """The rows of these patients, of each in the order in which they came."""
        import polars as pl

        found = []
        for held, position in self._parts:
            begin, end = (int(at) for at in np.searchsorted(position, [first, last]))
            if begin < end:
                rows = (
                    pl.scan_ipc(held).slice(begin, end - begin).collect() if isinstance(held, Path) else held[begin:end]
                )
                found.append(rows)
        return found
