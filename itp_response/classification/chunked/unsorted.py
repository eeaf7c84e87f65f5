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

from itp_response.classification.chunked.study import (
    AssumptionFailed,
    Assumptions,
    ChunkedStudy,
    ReadChunk,
    UnreadChunk,
)
from itp_response.cohort.values import Ints
from itp_response.readers.chunks import Chunk, ChunkSize
from itp_response.readers.external_sort import Records, RowStore, SortedRows, by_patient
from itp_response.readers.patient_index import PatientPositions
from itp_response.readers.plain import Plain, as_records, of_records
from itp_response.readers.problems import Problems, as_text
from itp_response.readers.runs import Runs
from itp_response.readers.text import Block
from itp_response.readers.visit_table import VisitTable

LONGEST = 1 << 31
"""The number of lines in a file that 32 bits can number."""
LINE, FILE = " line", " file"
"""Columns of a table that is sorted: where each row was written. No column of ours has such a name."""


Progress = Callable[[int, int, float], None]
"""Called after each chunk: rows and patients so far, and the share of the input that is done, 0 to 1."""


@dataclass(frozen=True)
class ChunkOptions:
    """How the chunks are worked on. Apart from `long`, nothing of it changes the output."""

    long: bool
    threads: int
    size: ChunkSize
    memory: int
    progress: Progress
    notify: Callable[[str], None]
    """Called with a sentence where reading takes another way."""


class _RowsToSort(NamedTuple):
    """The rows of a chunk that are to be sorted."""

    content: pl.DataFrame | Records
    """The cells as texts, or as records of their values."""
    ids: pl.Series
    position: Ints
    """Of the patient of each row; -1: it is not known yet, or the row names no patient."""
    labels: tuple[str, ...]
    """The rescue treatments of records by their codes."""
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
        self._codes: dict[str, int] = {}
        """The codes of rescue treatments in the records of all chunks."""

    def store(self, pool: ThreadPoolExecutor) -> None:
        """Read all rows once and store them by patient."""
        reading: deque[Future[_RowsToSort]] = deque()
        sorting: deque[Future[SortedRows]] = deque()
        for chunk in self.study.source.chunks(replace(self.study.wanted, patient=None), self.options.size):
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
        """Begin to sort the rows of a chunk; patients without a position get one."""
        self.problems.join(rows.problems)
        unknown = np.flatnonzero((rows.position < 0) & rows.ids.is_not_null().to_numpy())
        rows.position[unknown] = self.positions.of(rows.ids.gather(unknown))
        if isinstance(rows.content, np.ndarray):
            codes = [self._codes.setdefault(label, len(self._codes)) for label in rows.labels]
            # The last entry is for -1, no treatment.
            rows.content["rescue"] = np.array([*codes, -1], dtype=np.int32)[rows.content["rescue"]]
        self.options.progress(0, 0, rows.share / 2)
        return pool.submit(by_patient, rows.content, rows.position)

    def _rows(self, chunk: Chunk) -> _RowsToSort:
        """The rows of a chunk, with the lines in which they are; all chunks have records, or all have texts."""
        if self.assumptions.plain and self.study.plain is not None and chunk.block is not None:
            rows = self._as_records(self.study.plain, chunk, chunk.block)
            if rows is None:
                raise AssumptionFailed(replace(self.assumptions, plain=False))
            return rows
        return self._as_texts(chunk)

    def _as_records(self, plain: Plain, chunk: Chunk, block: Block) -> _RowsToSort | None:
        """None: the block is not plain."""
        patient_column = self.study.chosen["patient_id"]
        grid = block.grid() if block.line < LONGEST else None
        if grid is None or not grid.column(patient_column).trimmed():
            return None
        ids = block.texts(patient_column)
        read = plain.visits(grid, Runs.single(ids))
        if read is None or not read[0].platelets.exact:
            return None
        visits, problems = read
        records, labels = as_records(visits, block.line + np.arange(len(ids)), chunk.file)
        return _RowsToSort(records, ids, positions_of(ids, self.positions.known), labels, problems, chunk.share)

    def _as_texts(self, chunk: Chunk) -> _RowsToSort:
        table, problems = self.study.table(chunk)
        ids = as_text(table.cells("patient_id").values)
        origin = table.location.pieces.origin if table.location.pieces else None
        lines = origin.sequence if origin else table.location.all_lines(np.arange(len(ids)))
        files = pl.repeat(chunk.file, len(ids), dtype=pl.Int32, eager=True).alias(FILE)
        frame = table.frame.with_columns(pl.Series(LINE, lines, dtype=pl.Int64), files)
        return _RowsToSort(frame, ids, positions_of(ids, self.positions.known), (), problems, chunk.share)

    def _read(self, first: int, last: int) -> ReadChunk:
        """The visits of the patients at these positions, `last` not included."""
        content, position = self._stored.rows_of(first, last)
        problems = Problems()
        visits = self._visits(content, problems)
        begin = np.flatnonzero(np.diff(position, prepend=-2))
        of_run = position[begin].astype(np.int64)
        ids = self.positions.names.gather(pl.Series(of_run).set(pl.Series(of_run < 0), None))
        # The first half of the work was to store the rows.
        share = 0.5 + 0.5 * last / max(len(self.positions), 1)
        return ReadChunk(replace(visits, patient_ids=Runs(ids, begin, len(position))), problems, share, of_run)

    def _visits(self, content: pl.DataFrame | Records, problems: Problems) -> VisitTable:
        """The visits of stored rows."""
        if not isinstance(content, np.ndarray):
            table = self.study.located(content[LINE].to_numpy(), content[FILE].to_numpy())
            return self.study.as_written(replace(table, frame=content.drop(LINE, FILE)), problems)
        assert self.study.plain is not None
        table = self.study.located(content["line"].astype(np.int64), content["file"].astype(np.int64))
        return replace(of_records(content, self.study.plain.empty, tuple(self._codes)), table=table)


def positions_of(ids: pl.Series, look_up: Callable[[pl.Series], Ints]) -> Ints:
    """The positions of patients by id; -1 where the id is null, which `look_up` does not take."""
    if not ids.null_count():
        return look_up(ids)
    positions = np.full(len(ids), -1, dtype=np.int64)
    positions[ids.is_not_null().to_numpy()] = look_up(ids.drop_nulls())
    return positions
