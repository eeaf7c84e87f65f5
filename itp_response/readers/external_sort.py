"""External sort: rows in any order, sorted by patient in memory or on disk, and then read in chunks."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from itp_response.cohort.build import in_order
from itp_response.cohort.values import Ints
from itp_response.readers.column_names import concatenated


class SortedRows(NamedTuple):
    """Rows in the order of their patients."""

    content: pl.DataFrame
    position: Ints
    """The position of each row's patient; -1: the row names none."""


def by_patient(content: pl.DataFrame, position: Ints) -> SortedRows:
    """The rows in the order of their patients; a patient's rows keep their order."""
    order = in_order(position, np.broadcast_to(np.int64(0), len(position)))
    if isinstance(order, slice):
        return SortedRows(content, position)
    # Rows of one piece are looked up in a third of the time.
    return SortedRows(content.rechunk()[order], position[order])


class RowStore:
    """The rows of a table in sorted parts; above `memory` bytes they are on disk, in an empty `folder`."""

    def __init__(self, memory: int, folder: Path) -> None:
        self._memory = memory
        self._folder = folder
        self._parts: list[tuple[pl.DataFrame | Path, Ints]] = []
        self._size = 0
        self._rows = np.zeros(0, dtype=np.int64)
        """The number of rows per patient; the first entry counts rows without a patient."""

    def add(self, rows: SortedRows) -> None:
        """Add a sorted part."""
        position = rows.position.astype(np.int32)
        if len(position) and position[-1] + 2 > len(self._rows):
            room = np.zeros(2 * int(position[-1]) + 4, dtype=np.int64)
            room[: len(self._rows)] = self._rows
            self._rows = room
        begin = np.flatnonzero(np.diff(position, prepend=-2))
        self._rows[position[begin] + 1] += np.diff(begin, append=len(position))
        self._parts.append((rows.content, position))
        self._size += int(rows.content.estimated_size())
        if self._size > self._memory:
            self._parts = [
                (self._on_disk(number, stored), positions) for number, (stored, positions) in enumerate(self._parts)
            ]

    def _on_disk(self, number: int, stored: pl.DataFrame | Path) -> Path:
        if isinstance(stored, Path):
            return stored
        path = self._folder / f"{number:06}.arrow"
        stored.write_ipc(path, compression="uncompressed")
        return path

    def patients(self, rows: int) -> Iterator[tuple[int, int]]:
        """Groups of patients with about `rows` rows each: the first position, and the one after the last."""
        before = np.append(0, np.cumsum(self._rows))
        first, end = 0, int(np.searchsorted(before, before[-1]))
        while first < end:
            last = int(np.searchsorted(before, before[first] + rows))
            last = min(max(last, first + 1), end)
            yield first - 1, last - 1
            first = last

    def rows_of(self, first: int, last: int) -> SortedRows:
        """The rows of these patients; a patient's rows keep their order."""
        parts, positions = [], []
        ends = np.array([first, last], dtype=np.int32)
        for stored, position in self._parts:
            begin, end = (int(row) for row in np.searchsorted(position, ends))
            if begin < end:
                parts.append(_rows_between(stored, begin, end))
                positions.append(position[begin:end])
        return by_patient(concatenated(parts), np.concatenate(positions))


def _rows_between(stored: pl.DataFrame | Path, begin: int, end: int) -> pl.DataFrame:
    """The rows from `begin` up to `end`, not included."""
    return (
        pl.scan_ipc(stored, glob=False).slice(begin, end - begin).collect()
        if isinstance(stored, Path)
        else stored[begin:end]
    )
