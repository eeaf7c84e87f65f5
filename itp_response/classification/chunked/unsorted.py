"""Unsorted: visits whose patients come in any order, stored while they are read once, then read by patient."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from itp_response.classification.chunked.study import Assumptions, ChunkedStudy, ReadChunk, UnreadChunk
from itp_response.classification.classification import Rows
from itp_response.readers.chunks import Chunk, ChunkSize
from itp_response.readers.external_sort import RowStore, SortedRows, by_patient
from itp_response.readers.patient_index import PatientPositions
from itp_response.readers.problems import Problems, as_text
from itp_response.readers.runs import Runs

LINE, FILE = " line", " file"
"""Columns of a table that is sorted: where each row was written. No column of ours has such a name."""


Progress = Callable[[int, int, float], None]
"""Called after each chunk: rows and patients so far, and the share of the input that is done, 0 to 1."""


@dataclass(frozen=True)
class ChunkOptions:
    """How the chunks are worked on. Apart from `rows`, nothing of it changes the output."""

    rows: Rows
    threads: int
    size: ChunkSize
    memory: int
    progress: Progress
    notify: Callable[[str], None]
    """Called with a sentence where reading takes another way."""


class _RowsToSort(NamedTuple):
    """The rows of a chunk that are to be sorted."""

    content: pl.DataFrame
    ids: pl.Series
    problems: Problems
    share: float


@dataclass
class Unsorted:
    """The rows of a study that come in no order."""

    study: ChunkedStudy
    options: ChunkOptions
    assumptions: Assumptions
    positions: PatientPositions
    folder: Path
    """An empty one, for what does not fit into memory."""
    problems: Problems = field(default_factory=Problems)
    """Of all rows, once they are stored."""

    def __post_init__(self) -> None:
        self._stored = RowStore(self.options.memory, self.folder)

    def store(self, pool: ThreadPoolExecutor) -> None:
        """Read all rows once and store them by patient."""
        reading: deque[Future[_RowsToSort]] = deque()
        sorting: deque[Future[SortedRows]] = deque()
        wanted = replace(self.study.wanted(self.assumptions), patient=None)
        for chunk in self.study.source.chunks(wanted, self.options.size):
            reading.append(pool.submit(self._rows, chunk))
            if len(reading) > self.options.threads:
                sorting.append(self._sort(pool, reading.popleft().result()))
            if len(sorting) > self.options.threads:
                self._stored.add(sorting.popleft().result())
        while reading:
            sorting.append(self._sort(pool, reading.popleft().result()))
        while sorting:
            self._stored.add(sorting.popleft().result())

    def chunks(self) -> Iterator[UnreadChunk]:
        """The stored rows in chunks, each with all rows of some patients."""
        for first, last in self._stored.patients(self.options.size.rows):
            yield UnreadChunk(partial(self._read, first, last), last)

    def _sort(self, pool: ThreadPoolExecutor, rows: _RowsToSort) -> "Future[SortedRows]":
        """Begin to sort the rows of a chunk; new patients get a position."""
        self.problems.join(rows.problems)
        self.options.progress(0, 0, rows.share / 2)
        return pool.submit(by_patient, rows.content, self.positions.of(rows.ids))

    def _rows(self, chunk: Chunk) -> _RowsToSort:
        """The rows of a chunk, with the lines in which they are."""
        table, problems = self.study.table(chunk)
        table = self.study.rows.used(table, self.study.left_out)
        ids = as_text(table.cells("patient_id").values)
        origin = table.location.pieces.origin if table.location.pieces else None
        lines = origin.sequence if origin else table.location.all_lines(np.arange(len(ids)))
        # A patient's name is kept once, by its position.
        frame = table.frame.drop("patient_id", strict=False).with_columns(pl.Series(LINE, lines, dtype=pl.Int64))
        if len(self.study.source.files) > 1:
            frame = frame.with_columns(pl.lit(chunk.file, dtype=pl.Int32).alias(FILE))
        return _RowsToSort(frame, ids, problems, chunk.share)

    def _read(self, first: int, last: int) -> ReadChunk:
        """The visits of the patients at these positions, `last` not included."""
        content, position = self._stored.rows_of(first, last)
        problems = Problems()
        begin = np.flatnonzero(np.diff(position, prepend=-2))
        of_run = position[begin].astype(np.int64)
        names = self.positions.names.gather(pl.Series(of_run).set(pl.Series(of_run < 0), None))
        runs = Runs(names, begin, len(position))
        files = content[FILE].to_numpy() if FILE in content.columns else None
        table = self.study.located(content[LINE].to_numpy(), files)
        frame = content.drop(LINE, FILE, strict=False).with_columns(runs.of_rows.alias("patient_id"))
        visits = self.study.visits(replace(table, frame=frame), problems)
        # The first half of the work was to store the rows.
        share = 0.5 + 0.5 * last / max(len(self.positions), 1)
        return ReadChunk(visits, problems, share, of_run)
