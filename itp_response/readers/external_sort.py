"""Sorting: rows that come in any order, held by patient, in memory or on disk, until they can be read as parts."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.build import in_order
from itp_response.cohort.values import Ints
from itp_response.readers.column_names import concatenated

Records = NDArray[np.void]
"""Rows each of which is one stretch of memory, so that those far apart are fetched at once."""
DAY = "when"
"""The field of records by which a patient's are sorted."""


class SortedRows(NamedTuple):
    """Some rows, in the order of their patients."""

    content: pl.DataFrame | Records
    position: Ints
    """That of the patient of each; -1: it names none."""


def by_patient(content: pl.DataFrame | Records, position: Ints) -> SortedRows:
    """The rows, and the position of the patient of each, in that order; of a patient in that in which they are."""
    return _taken(content, position, in_order(position, np.zeros(1, dtype=np.int64)))


def by_day(content: pl.DataFrame | Records, position: Ints) -> SortedRows:
    """As `by_patient`, but the records of a patient in the order of their days."""
    if not isinstance(content, np.ndarray):
        return by_patient(content, position)
    return _taken(content, position, in_order(position, np.nan_to_num(content[DAY]).astype(np.int64)))


def _taken(content: Any, position: Ints, order: Any) -> SortedRows:
    if isinstance(order, slice):
        return SortedRows(content, position)
    # Of records `take` is many times as fast as an index.
    taken = content.take(order) if isinstance(content, np.ndarray) else content[order]
    return SortedRows(taken, position.take(order))


class RowStore:
    """The rows of a table, by patient part by part; on disk from `memory` bytes on, in an empty `folder`."""

    def __init__(self, memory: int, folder: Path) -> None:
        self._memory = memory
        self._folder = folder
        self._parts: list[tuple[pl.DataFrame | Records | Path, Ints]] = []
        self._size = 0
        self._rows = np.zeros(0, dtype=np.int64)

    def add(self, rows: SortedRows) -> None:
        """Some more rows."""
        position = rows.position.astype(np.int32)
        if len(position) and position[-1] + 2 > len(self._rows):
            room = np.zeros(2 * int(position[-1]) + 4, dtype=np.int64)
            room[: len(self._rows)] = self._rows
            self._rows = room
        begin = np.flatnonzero(np.diff(position, prepend=-2))
        self._rows[position[begin] + 1] += np.diff(begin, append=len(position))
        self._parts.append((rows.content, position))
        content = rows.content
        self._size += content.nbytes if isinstance(content, np.ndarray) else int(content.estimated_size())
        if self._size > self._memory:
            self._parts = [(self._on_disk(number, held), of) for number, (held, of) in enumerate(self._parts)]

    def _on_disk(self, number: int, held: pl.DataFrame | Records | Path) -> Path:
        if isinstance(held, Path):
            return held
        if isinstance(held, np.ndarray):
            path = self._folder / f"{number:06}.npy"
            np.save(path, held)
        else:
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

    def rows_of(self, first: int, last: int) -> SortedRows:
        """The rows of these patients, of each in the order in which they came, or records by day."""
        found, positions = [], []
        ends = np.array([first, last], dtype=np.int32)
        for held, position in self._parts:
            begin, end = (int(at) for at in np.searchsorted(position, ends))
            if begin < end:
                found.append(_part(held, begin, end))
                positions.append(position[begin:end])
        return by_day(_together(found), np.concatenate(positions))


def _part(held: pl.DataFrame | Records | Path, begin: int, end: int) -> Any:
    """The rows from one to another (not included)."""
    if not isinstance(held, Path):
        return held[begin:end]
    if held.suffix == ".npy":
        return np.load(held, mmap_mode="r")[begin:end]
    return pl.scan_ipc(held).slice(begin, end - begin).collect()


def _together(parts: Sequence[Any]) -> pl.DataFrame | Records:
    return np.concatenate(parts) if isinstance(parts[0], np.ndarray) else concatenated(parts)
