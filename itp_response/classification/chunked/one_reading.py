"""One reading: all chunks of the visits read, decided and written under some assumptions."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from itp_response.classification.chunked.classified_file import ClassifiedFile
from itp_response.classification.chunked.study import (
    AssumptionFailed,
    Assumptions,
    ChunkedStudy,
    ReadChunk,
    RowsLeftOut,
    UnreadChunk,
)
from itp_response.classification.chunked.unsorted import ChunkOptions, Unsorted
from itp_response.classification.classification import (
    Classification,
    ResultCounts,
    as_option,
    check_in_study,
)
from itp_response.classification.provenance import Provenance
from itp_response.classification.under_a_set import with_notes
from itp_response.classification.writers import ChunkWriter
from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import Note, Observations, Patients
from itp_response.cohort.values import Ints, exactly
from itp_response.evaluation.evaluate import evaluate
from itp_response.messages.errors import CohortError
from itp_response.readers.assembly import assemble, recorded_as
from itp_response.readers.column_names import NamedTable, concatenated
from itp_response.readers.day_0 import stopped_by_record
from itp_response.readers.ids import FoldedIds, check_similar, check_sites
from itp_response.readers.patient_index import InOrder, NotAscending, NotInOrder, PatientPositions
from itp_response.readers.problems import Problems
from itp_response.readers.quarantine import quarantine_notes, with_left_out
from itp_response.readers.study_rows import StudyRows
from itp_response.readers.visits import NOBODY

PATIENTS_AT_ONCE = 200_000
"""Patients without visits that make a chunk."""


class _ChunkPatients(NamedTuple):
    """The patients of a chunk."""

    ids: pl.Series
    first: int
    """The position of the first in the study."""
    of_run: Ints
    """The patient of each run of rows, as an index of `ids`; -1: the rows name none."""


class _DecidedChunk(NamedTuple):
    """A chunk that has been classified, or why it was not."""

    problems: Problems
    rows: int
    patients: int
    share: float
    dates: bool
    """Dates are known of some patient."""
    table: NamedTable
    """The visits, of which the problems are."""
    counts: ResultCounts | None = None
    """None: something is wrong."""
    encoded: bytes = b""
    """The results, as the writer adds them."""
    error: CohortError | None = None
    """Why the criteria cannot be decided."""


@dataclass
class _Totals:
    """The chunks decided so far."""

    rows: int = 0
    patients: int = 0
    dates: bool = False
    counts: ResultCounts | None = None
    error: CohortError | None = None
    """The first."""

    def add(self, chunk: _DecidedChunk) -> None:
        self.rows += chunk.rows
        self.patients += chunk.patients
        self.dates |= chunk.dates
        self.error = self.error or chunk.error
        if chunk.counts is not None:
            self.counts = chunk.counts if self.counts is None else self.counts + chunk.counts


@dataclass
class OneReading:
    """One reading of the visits, under some assumptions."""

    study: ChunkedStudy
    options: ChunkOptions
    assumptions: Assumptions
    writer: ChunkWriter
    folder: Path
    """An empty one."""
    cell_problems: Problems = field(default_factory=Problems)
    """Of the cells of the visits."""
    cohort_problems: Problems = field(default_factory=Problems)
    """Of the visits and patients together."""
    wrong: bool = False
    """Something is wrong, so that nothing will be written."""
    end: int = 0
    """The position after the last patient so far."""
    chunks: int = 0
    """The number of chunks so far."""
    folded_ids: FoldedIds = field(default_factory=FoldedIds)
    """Of the patients so far; most ids are unlike all others, so that they need not be compared as texts."""
    sites: list[pl.DataFrame] = field(default_factory=list)
    """The ids so far with what stands beside them (`BESIDE`), each once in a chunk."""
    without_content: bool = True
    """No row so far names a patient or has content."""
    solved: bool = True
    """Leaving out rows solves all problems so far."""

    def __post_init__(self) -> None:
        self.left_out = self.study.left_out.copy()
        self._leave_out(self.study.problems.patient_cells, self.study.empty())
        self.wrong = self.study.problems.any_wrong
        # Patients that come in the order of their ids need not be remembered.
        self.positions = None if self.assumptions.ascending else PatientPositions(self.study.patients.listed)
        self.order = InOrder(self.positions)

    def written(self) -> tuple[ClassifiedFile, Provenance]:
        """Classify all chunks and write the results.

        Raises `AssumptionFailed` if an assumption does not hold, and `CohortError` with everything that is wrong.
        """
        totals = _Totals()
        with _pool(self.options.threads) as pool:
            for chunk in self._decided(pool):
                self._leave_out(chunk.problems, chunk.table)
                chunk.problems.let_go()
                self.cohort_problems.join(chunk.problems)
                self._check_problems(chunk.problems)
                if chunk.dates and not self.assumptions.dates:
                    raise AssumptionFailed(replace(self.assumptions, dates=True))
                totals.add(chunk)
                if chunk.counts is not None:
                    self.writer.add(chunk.encoded)
                self.options.progress(totals.rows, totals.patients, chunk.share)
        if self.folded_ids.any_similar and self.assumptions.ascending:
            raise AssumptionFailed(replace(self.assumptions, ascending=False))
        problems = self._problems(totals.rows)
        self._check_left_out(problems)
        problems.raise_if_wrong()
        if totals.error is not None:
            raise totals.error
        if self.assumptions.dates and not totals.dates:
            raise AssumptionFailed(replace(self.assumptions, dates=False))
        assert totals.counts is not None
        cohort = _without_patients(self.study, problems.notes)
        check_in_study(cohort, totals.counts.patients)
        if self.study.leaves_out:
            assert self.positions is not None
            report = self.study.excluded
            notes = quarantine_notes(self.positions.names, report, self.study.left_out.undecided)
            cohort = replace(cohort, quarantine=report, notes=(*cohort.notes, *notes))
        notes = totals.counts.noticed.notes(self.study.criteria, cohort)
        classified = ClassifiedFile(self.study.criteria, with_notes(cohort, notes), totals.counts)
        origin = classified.provenance(**as_option(self.options.rows))
        self.writer.end(origin)
        return classified, origin

    def _problems(self, rows: int) -> Problems:
        """All problems and notes, in the order of those of a study that is read as a whole."""
        study, empty = self.study, self.study.empty()
        location = empty.location
        nothing_read, of_all_rows = Problems(), Problems()
        some_left_out = len(study.excluded) > 0 or bool(self.cell_problems.broken_lines)
        if not rows and not self.cell_problems.any_wrong and not some_left_out:
            if study.rows.nothing_read:
                nothing_read.wrong(location, study.rows.nothing_read)
        elif rows and self.without_content and empty.has("patient_id") and not self.end:
            of_all_rows.wrong(location, NOBODY)
        of_sites = Problems()
        check_sites(
            [replace(empty, frame=self._ids_beside_sites()), study.left_out.without(study.listed)],
            study.options.patient_key,
            of_sites,
        )
        problems = study.problems.visits.copy().join(nothing_read)
        for others in (
            study.problems.patients,
            of_sites,
            study.problems.both,
            self.cell_problems,
            study.problems.patient_cells,
            of_all_rows,
            self.cohort_problems,
        ):
            problems.join(others)
        if self.positions is not None and self.folded_ids.any_similar:
            check_similar(self.positions.names, location, study.options.similar_ids, problems)
        return problems.settle()

    def _ids_beside_sites(self) -> pl.DataFrame:
        """The ids so far with what stands beside them."""
        empty, beside = self.study.empty().frame, self.study.beside
        return concatenated([empty.select("patient_id", *beside), *self.sites]) if beside else empty

    def _leave_out(self, problems: Problems, visits: NamedTable) -> None:
        """Leave out what has these problems, if that is asked for."""
        if self.study.leaves_out:
            tables = visits, self.study.patients.table
            self.left_out.keep_asked(problems, tables)
            if problems.any_wrong:
                self.solved &= self.left_out.leave_out(problems, tables)

    def _check_left_out(self, problems: Problems) -> None:
        """Raises `RowsLeftOut` if reading must begin again without rows that have come to light."""
        self.left_out.leave_out_asked(problems.raised)
        solved = self.solved and not problems.beyond_rows
        broken = len(problems.broken_lines) > len(self.left_out.broken_lines)
        self.left_out.broken_lines = problems.broken_lines
        if self.study.leaves_out and (solved if problems.any_wrong else broken):
            raise RowsLeftOut(self.left_out)

    def _check_problems(self, problems: Problems) -> None:
        """Raises `AssumptionFailed` if something is wrong for the first time: texts are then needed, to be quoted."""
        self.wrong |= problems.any_wrong
        if problems.any_wrong and self.assumptions.valid:
            raise AssumptionFailed(replace(self.assumptions, valid=False))

    # reading

    def _decided(self, pool: ThreadPoolExecutor) -> Iterator[_DecidedChunk]:
        """All chunks in order, several of them read and classified at a time."""
        try:
            yield from self._in_turn(pool)
        except CohortError as error:
            if self.study.of_one_file:
                raise
            # The visits cannot be read to their end, so that their other problems are not known.
            problems = Problems()
            problems.failed(0, error)
            problems.join(self.study.problems.patients).join(self.study.problems.patient_cells)
            raise problems.error() from None

    def _in_turn(self, pool: ThreadPoolExecutor) -> Iterator[_DecidedChunk]:
        reading: deque[tuple[Future[ReadChunk], int | None]] = deque()
        deciding: deque[Future[_DecidedChunk]] = deque()
        for chunk in self._in_order() if self.assumptions.in_order else self._sorted(pool):
            reading.append((pool.submit(chunk.read), chunk.end))
            # As many of each as keep every thread busy, and no more, to save memory.
            if len(reading) >= self.options.threads:
                deciding.append(self._begin(pool, *reading.popleft()))
            if len(deciding) > self.options.threads:
                yield deciding.popleft().result()
        while reading:
            deciding.append(self._begin(pool, *reading.popleft()))
        for chunk in self._without_visits():
            deciding.append(self._begin(pool, pool.submit(chunk.read), chunk.end))
        while deciding:
            yield deciding.popleft().result()

    def _in_order(self) -> Iterator[UnreadChunk]:
        """The chunks as they come."""
        for chunk in self.study.source.chunks(self.study.wanted(self.assumptions), self.options.size):
            yield UnreadChunk(partial(self.study.read_chunk, chunk))

    def _sorted(self, pool: ThreadPoolExecutor) -> Iterable[UnreadChunk]:
        """The chunks of the sorted rows."""
        assert self.positions is not None
        unsorted = Unsorted(self.study, self.options, self.assumptions, self.positions, self.folder)
        unsorted.store(pool)
        self.cell_problems.join(unsorted.problems)
        return unsorted.chunks()

    def _without_visits(self) -> Iterator[UnreadChunk]:
        """The patients after the last one with visits, in the end those with all rows left out.

        A chunk without patients, if there was no chunk at all.
        """
        last, none = len(self.study.patients.rows), self.study.rows.no_cells
        if self.positions is not None:
            self.positions.of(self.study.left_out.patients)
            last = len(self.positions)
        while self.end < last or not self.chunks:
            end = min(self.end + PATIENTS_AT_ONCE, last)
            yield UnreadChunk(lambda: self.study.of_table(none, Problems(), 1.0), max(end, self.end))

    # deciding

    def _begin(
        self, pool: ThreadPoolExecutor, reading: "Future[ReadChunk]", end: int | None
    ) -> "Future[_DecidedChunk]":
        """Begin to classify a chunk, as soon as it is read."""
        chunk = reading.result()
        positions = self._next_positions(chunk) if chunk.positions is None else chunk.positions
        self._check_chunk(chunk)
        first, self.end = self.end, max(self.order.end if end is None else end, self.end)
        if self.positions is None:
            ids = chunk.visits.patient_ids.names.drop_nulls()
        else:
            ids = self.positions.names[first : self.end]
        of_run = np.where(positions < 0, -1, positions - first)
        patients = _ChunkPatients(ids.alias("patient_id"), first, of_run)
        self.chunks += 1
        return pool.submit(self._decide, chunk, patients, is_first=self.chunks == 1)

    def _next_positions(self, chunk: ReadChunk) -> Ints:
        """The positions of the patients of a chunk that follows the chunks before it.

        Raises `AssumptionFailed` if its patients are not in the assumed order.
        """
        try:
            return self.order.positions(chunk.visits.patient_ids.names)
        except NotAscending:
            raise AssumptionFailed(replace(self.assumptions, ascending=False)) from None
        except NotInOrder:
            self.options.notify(f"{self.study.source.name} is not in the order of its patients, so it is sorted.")
            raise AssumptionFailed(replace(self.assumptions, in_order=False, ascending=False)) from None

    def _check_chunk(self, chunk: ReadChunk) -> None:
        """Raises `AssumptionFailed` if the cells of a chunk contradict an assumption."""
        self._leave_out(chunk.problems, chunk.visits.table)
        chunk.problems.let_go()
        self.cell_problems.join(chunk.problems)
        self._check_problems(chunk.problems)
        beside = self.study.beside
        if beside:
            ids = chunk.visits.table.frame.select("patient_id", *beside)
            self.sites.append(ids.unique(maintain_order=True))
        if chunk.visits.has_grade_0 and not self.assumptions.has_grade_0:
            if self.chunks:
                raise AssumptionFailed(replace(self.assumptions, has_grade_0=True))
            self.assumptions = replace(self.assumptions, has_grade_0=True)
        self.without_content &= chunk.visits.patient_ids.none and not chunk.visits.recorded.any()

    def _decide(self, chunk: ReadChunk, patients: _ChunkPatients, *, is_first: bool) -> _DecidedChunk:
        """The results of a chunk."""
        criteria = self.study.criteria
        self.folded_ids.add(patients.ids)
        # Without texts it is enough to know that something is wrong.
        problems = Problems(worded=not self.assumptions.valid)
        sizes = len(chunk.visits.patient_ids), len(patients.ids), chunk.share
        try:
            cohort = self._cohort(chunk, patients, problems)
        except CohortError:
            return _DecidedChunk(problems, *sizes, dates=False, table=chunk.visits.table)
        undecided = _DecidedChunk(problems, *sizes, dates=cohort.has_dates, table=chunk.visits.table)
        try:
            classification = Classification(criteria, cohort, evaluate(criteria, cohort, 1))
        except CohortError as error:
            return undecided._replace(error=error)
        frame = classification.table_of(self.options.rows, dates=self.assumptions.dates)
        encoded = self.writer.encode(frame, first=is_first)
        return undecided._replace(counts=classification.counts, encoded=encoded)

    def _cohort(self, chunk: ReadChunk, patients: _ChunkPatients, problems: Problems) -> Cohort:
        """Raises `CohortError` if there are problems, in this chunk or before it."""
        study, last = self.study, patients.first + len(patients.ids)
        listed = replace(study.patients, rows=study.patients.rows[patients.first : last])
        patient_of_row = chunk.visits.patient_ids.spread(patients.of_run)
        cohort = assemble(
            StudyRows(chunk.visits, listed, patients.ids, patient_of_row),
            bleeding=recorded_as(self.assumptions.has_grade_0, study.left_out.may_be_scored, study.options),
            declared=study.declared,
            options=study.options,
            problems=problems,
            wrong=self.wrong,
        )
        if not study.leaves_out:
            return cohort
        return with_left_out(cohort, study.excluded, study.left_out.undecided)


def _without_patients(study: ChunkedStudy, notes: list[Note]) -> Cohort:
    """The cohort of a study as outputs name it: without patients."""
    nothing = np.zeros(0, dtype=np.int64)
    observations = Observations(
        patient=nothing,
        day=nothing,
        platelets=exactly(nothing.astype(np.float64)),
        bleeding_grade=nothing.astype(np.float64),
        rescue=nothing.astype(np.bool_),
        rescue_end=nothing,
        source_row=nothing,
    )
    return replace(
        build(Patients(study.patients.id[:0]), observations),
        source=study.source.name,
        row_word=study.source.row_word,
        notes=tuple(notes),
        read_from=study.read_from,
        records_rescue=study.empty().has("rescue"),
        records_rescue_end=study.empty().has("rescue_end"),
        stopped_by=stopped_by_record(study.patients.table, nothing),
        as_of=study.options.cut_at,
    )


@contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads; where the block is left early, what has not begun is dropped."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
