"""Unsorted: visits whose patients come in any order, gone through once and held, then given patient by patient."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from itp_response.classification.chunked.study import AssumptionFailed, Assumptions, ChunkedStudy, ReadChunk
from itp_response.cohort.values import Ints
from itp_response.readers.chunks import Chunk, ChunkSize
from itp_response.readers.external_sort import Records, RowStore, SortedRows, by_patient
from itp_response.readers.patient_index import PatientPositions
from itp_response.readers.plain import as_records, of_records
from itp_response.readers.problems import Problems, as_text
from itp_response.readers.runs import Runs

LONGEST = 1 << 31
"""Lines of a file, which are numbered in 32 bits."""
LINE, FILE = " line", " file"
"""The columns of a table that is sorted in which it keeps where a row was written; no column of ours is called so."""


Progress = Callable[[int, int, float], None]
"""Told after each part: rows and patients so far, and the share of the input that is done."""


@dataclass(frozen=True)
class Ways:
    """How it is gone about, which changes nothing in what comes out."""

    long: bool
    threads: int
    size: ChunkSize
    memory: int
    progress: Progress
    told: Callable[[str], None] | None


class _RowsToSort(NamedTuple):
    """The rows of a part that are to be sorted."""

    content: pl.DataFrame | Records
    """The cells as texts, or what they say as records."""
    names: pl.Series
    position: Ints
    """That of the patient of each row, as far as it is known; -1: it is not, or he is not named."""
    labels: tuple[str, ...]
    """The rescue treatments of records by their codes."""
    found: Problems
    share: float


@dataclass
class Unsorted:
    """The rows of a study that come in no order."""

    study: ChunkedStudy
    ways: Ways
    taken: Assumptions
    positions: PatientPositions
    folder: Path
    """An empty one, for what does not fit in memory."""
    found: Problems = field(default_factory=Problems)
    """What was found while all rows were gone through."""

    def __post_init__(self) -> None:
        self._held = RowStore(self.ways.memory, self.folder)
        self._codes: dict[str, int] = {}
        """Rescue treatments by the codes that records have for them."""

    def hold(self, pool: ThreadPoolExecutor) -> None:
        """Go through all rows."""
        reading: deque[Future[_RowsToSort]] = deque()
        sorting: deque[Future[SortedRows]] = deque()
        for part in self.study.source.chunks(replace(self.study.wanted, patient=None), self.ways.size):
            reading.append(pool.submit(self._rows, part))
            if len(reading) > self.ways.threads:
                sorting.append(self._sort(pool, reading.popleft().result()))
            if len(sorting) > self.ways.threads:
                self._held.add(sorting.popleft().result())
        while reading:
            sorting.append(self._sort(pool, reading.popleft().result()))
        while sorting:
            self._held.add(sorting.popleft().result())

    def parts(self) -> Iterator[tuple[Callable[[], ReadChunk], int]]:
        """What reads a part that has all rows of some patients, and the position after the last of these."""
        for first, last in self._held.patients(self.ways.size.rows):
            yield partial(self._seen, first, last), last

    def _sort(self, pool: ThreadPoolExecutor, rows: _RowsToSort) -> "Future[SortedRows]":
        """Begin to sort the rows of a part, whose patients all get a position."""
        self.found.join(rows.found)
        unknown = np.flatnonzero((rows.position < 0) & rows.names.is_not_null().to_numpy())
        rows.position[unknown] = self.positions.of(rows.names.gather(unknown))
        if isinstance(rows.content, np.ndarray):
            codes = [self._codes.setdefault(label, len(self._codes)) for label in rows.labels]
            rows.content["rescue"] = np.array([*codes, -1], dtype=np.int32)[rows.content["rescue"]]
        self.ways.progress(0, 0, rows.share / 2)
        return pool.submit(by_patient, rows.content, rows.position)

    def _rows(self, part: Chunk) -> _RowsToSort:
        """The rows of a part, with where they stand."""
        plain = self.study.plain
        if self.taken.plain and plain is not None and part.block is not None:
            # Cells are held as what they say, or all as they were written.
            otherwise = AssumptionFailed(replace(self.taken, plain=False))
            patient = self.study.chosen["patient_id"]
            grid = part.block.grid() if part.block.line < LONGEST else None
            if grid is None or not grid.column(patient).trimmed():
                raise otherwise
            names = part.block.texts(patient)
            read = plain.visits(grid, Runs.single(names))
            if read is None or not read[0].platelets.exact:
                raise otherwise
            visits, found = read
            records, labels = as_records(visits, part.block.line + np.arange(len(names)), part.file)
            return _RowsToSort(records, names, each(names, self.positions.known), labels, found, part.share)
        table, found = self.study.table(part)
        names = as_text(table.cells("patient_id").values)
        origin = table.location.pieces.origin if table.location.pieces else None
        lines = origin.sequence if origin else table.location.all_lines(np.arange(len(names)))
        files = pl.repeat(part.file, len(names), dtype=pl.Int32, eager=True).alias(FILE)
        frame = table.frame.with_columns(pl.Series(LINE, lines, dtype=pl.Int64), files)
        return _RowsToSort(frame, names, each(names, self.positions.known), (), found, part.share)

    def _seen(self, first: int, last: int) -> ReadChunk:
        """The visits of those patients."""
        content, position = self._held.rows_of(first, last)
        found, plain = Problems(), self.study.plain
        if isinstance(content, np.ndarray):
            assert plain is not None
            table = self.study.placed(content["line"].astype(np.int64), content["file"].astype(np.int64))
            visits = replace(of_records(content, plain.empty, tuple(self._codes)), table=table)
        else:
            table = self.study.placed(content[LINE].to_numpy(), content[FILE].to_numpy())
            visits = self.study.as_written(replace(table, frame=content.drop(LINE, FILE)), found)
        begin = np.flatnonzero(np.diff(position, prepend=-2))
        place = position[begin].astype(np.int64)
        names = self.positions.names.gather(pl.Series(place).set(pl.Series(place < 0), None))
        share = 0.5 + 0.5 * last / max(len(self.positions), 1)
        return ReadChunk(replace(visits, patient_ids=Runs(names, begin, len(position))), found, share, place)


def each(names: pl.Series, places: Callable[[pl.Series], Ints]) -> Ints:
    """The positions of names; -1 where one is null."""
    if not names.null_count():
        return places(names)
    found = np.full(len(names), -1, dtype=np.int64)
    found[names.is_not_null().to_numpy()] = places(names.drop_nulls())
    return found
