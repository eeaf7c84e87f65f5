"""Stream: a cohort of any length classified from file to file, its rows read, decided and written part by part.

A part is some patients with all their rows, and goes the way that a whole cohort goes. What hangs on all parts is
taken from the first, and where a later part shows otherwise, reading begins again (`AssumptionFailed`).
"""

import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Thread
from typing import IO, Any, NamedTuple

import numpy as np
import polars as pl

from itp_response.classification.chunked.study import AssumptionFailed, Assumptions, ChunkedStudy, ReadChunk, source_of
from itp_response.classification.chunked.unsorted import Progress, Unsorted, Ways, each
from itp_response.classification.classification import (
    Classification,
    CriteriaInput,
    ResultCounts,
    Study,
    classify,
    criteria_of,
)
from itp_response.classification.provenance import Provenance, hashed, provenance
from itp_response.classification.writers import FORMATS, ChunkWriter, check_suffix, put, write_beside
from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import Note, Observations, Patients, ReadFrom
from itp_response.cohort.values import Ints, exactly
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.evaluate import evaluate
from itp_response.messages.errors import CohortError, UsageError
from itp_response.readers.chunks import ChunkSize
from itp_response.readers.column_names import no_rows
from itp_response.readers.files import Tabular
from itp_response.readers.options import DEFAULTS, ReadOptions
from itp_response.readers.patient_index import InOrder, NotAscending, NotInOrder, PatientPositions
from itp_response.readers.problems import Problems
from itp_response.readers.visits import NOBODY, StudyRows, assemble

LISTED = 200_000
"""So many patients without visits are written at once."""


@dataclass(frozen=True)
class ClassifiedFile:
    """What `classify_to` gives: what was found, said as of the whole cohort; the verdicts are in the file."""

    criteria: Criteria
    cohort: Cohort
    """The name, the notes and the source of the cohort that was read, without its patients."""
    counts: ResultCounts

    def provenance(self, **options: Any) -> Provenance:
        """As `Classification.provenance`."""
        return provenance([self.criteria], self.cohort, **options)

    def summary(self) -> str:
        """As `Classification.summary`."""
        return self.counts.summary(self.criteria, self.cohort)


def classify_to(
    path: str | Path,
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    long: bool = False,
    options: ReadOptions | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    told: Callable[[str], None] | None = None,
    size: ChunkSize | None = None,
    memory: int | None = None,
) -> ClassifiedFile:
    """Classify every patient of the visits into a `.csv`, `.json` or `.parquet` file, whole or not at all.

    The file is that which `classify(...).write(path)` makes, to the byte. Visits in a text, Parquet or Arrow file, or
    in a folder of such, are read part by part, as long as the rows of each patient follow each other and the patients
    come in the order of the patient table; else they are sorted, which is `told`: on disk, if they would take more than
    `memory` bytes (half of what the machine has). Other visits are read as a whole. `size` is how much is read at once.
    Raises what `classify` raises.
    """
    path = Path(path)
    check_suffix(path)
    definitions = criteria_of(visits, criteria)
    source = None if isinstance(visits, Classification | Cohort) else source_of(visits)
    if source is None:
        found = classify(visits, patients, definitions, options=options, threads=threads)
        found.write(path, long=long)
        return ClassifiedFile(definitions, found.cohort, found.counts)
    options = options or DEFAULTS
    if options.on_error != "stop":
        raise UsageError("rows are left out of a study that is read as a whole; use classify and write its result.")
    inputs = {"visits": visits, "patients": patients}
    read_from = ReadFrom(inputs, asdict(options), _beside(lambda: hashed(inputs)))
    study = ChunkedStudy.read(source, patients, definitions, read_from, options)
    memory = memory or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    ways = Ways(long, threads or os.cpu_count() or 1, size or ChunkSize(), memory, progress or (lambda *_: None), told)
    made: list[tuple[ClassifiedFile, Provenance]] = []

    def content(file: IO[bytes]) -> None:
        taken = study.taken
        while not made:
            file.seek(0)
            file.truncate()
            with tempfile.TemporaryDirectory(prefix="itp-response-") as folder:
                target = FORMATS[path.suffix].chunks(file, Path(folder))
                try:
                    made.append(_Run(study, ways, taken, target, Path(folder)).written())
                except AssumptionFailed as again:
                    taken = again.taken

    put(path, content)
    write_beside(path, made[0][1])
    return made[0][0]


# THE VISITS


class _Who(NamedTuple):
    """Whose the rows of a part are."""

    ids: pl.Series
    """Its patients."""
    of_run: Ints
    """Which of them each run of rows is of; -1: it names none."""


class _Decided(NamedTuple):
    """A part as it was decided; without counts, where something was found wrong."""

    found: Problems
    rows: int
    patients: int
    share: float
    dates: bool
    counts: ResultCounts | None = None
    encoded: bytes = b""
    failed: CohortError | None = None
    """Why the criteria cannot be decided on it."""


Item = tuple[Callable[[], ReadChunk], int | None]
"""What reads a part, and the position after its last patient; None: that is to be found out."""


@dataclass
class _Run:
    """One reading of the visits, with something assumed."""

    study: ChunkedStudy
    ways: Ways
    taken: Assumptions
    output: ChunkWriter
    folder: Path
    cells: Problems = field(default_factory=Problems)
    both: Problems = field(default_factory=Problems)
    end: int = 0
    """The position after the last patient so far."""
    parts: int = 0
    wrong: bool = False
    nobody: bool = True
    """There is no row that names a patient or says something."""
    positions: PatientPositions | None = None
    """None: patients come in the order of their names, and are not remembered."""

    def __post_init__(self) -> None:
        study = self.study
        before = (study.opened, study.of_patients, study.of_cells, study.of_both)
        self.wrong = any(found.any_wrong for found in before)

    def written(self) -> tuple[ClassifiedFile, Provenance]:
        """What was found and what made it, after the verdicts of all parts were put out.

        Raises `AssumptionFailed` where what was taken does not hold, `CohortError` with all that is wrong.
        """
        counts: ResultCounts | None = None
        failed: CohortError | None = None
        rows = patients = 0
        dates = False
        with _pool(self.ways.threads) as pool:
            for one in self._decided(pool):
                self.both.join(one.found)
                self.wrong |= one.found.any_wrong
                if one.found.any_wrong and self.taken.plain:
                    raise AssumptionFailed(replace(self.taken, plain=False))
                rows, patients, dates = rows + one.rows, patients + one.patients, dates or one.dates
                if one.dates and not self.taken.dates:
                    raise AssumptionFailed(replace(self.taken, dates=True))
                failed = failed or one.failed
                if one.counts is not None:
                    counts = one.counts if counts is None else counts + one.counts
                    self.output.add(one.encoded)
                self.ways.progress(rows, patients, one.share)
        found = self._found(rows)
        found.raise_if_wrong()
        if failed is not None:
            raise failed
        if self.taken.dates and not dates:
            raise AssumptionFailed(replace(self.taken, dates=False))
        assert counts is not None
        made = ClassifiedFile(self.study.criteria, _without_patients(self.study, found.notes), counts)
        origin = made.provenance(long=self.ways.long)
        self.output.end(origin)
        return made, origin

    def _found(self, rows: int) -> Problems:
        """All that was found, in the order in which it is in a cohort that is read as a whole."""
        study, place = self.study, self.study.empty().location
        of_all = Problems()
        if not rows and not self.cells.any_wrong:
            of_all.wrong(place, no_rows(place))
        elif rows and self.nobody and "patient_id" in study.chosen and not len(study.known.rows):
            of_all.wrong(place, NOBODY)
        found = study.opened.copy().join(study.of_patients).join(study.of_both)
        for one in (self.cells, study.of_cells, of_all, self.both):
            found.join(one)
        return found

    def _decided(self, pool: ThreadPoolExecutor) -> Iterator[_Decided]:
        """Each part read, then decided, in order; several at once."""
        try:
            yield from self._in_turn(pool)
        except CohortError as error:
            # In a file that cannot be read to its end, nothing else is looked for.
            found = Problems()
            found.failed(0, error)
            raise found.join(self.study.of_patients).join(self.study.of_cells).error() from None

    def _in_turn(self, pool: ThreadPoolExecutor) -> Iterator[_Decided]:
        self.positions = None if self.taken.ascending else PatientPositions(self.study.known.listed)
        order = InOrder(self.positions)
        reading: deque[tuple[Future[ReadChunk], int | None]] = deque()
        deciding: deque[Future[_Decided]] = deque()
        items = self._in_order() if self.taken.in_order else self._sorted(pool)
        for read, end in items:
            reading.append((pool.submit(read), end))
            # So many of each at once, that no thread waits, and no more, for the sake of the memory.
            if len(reading) >= self.ways.threads:
                deciding.append(self._begin(pool, order, *reading.popleft()))
            if len(deciding) > self.ways.threads:
                yield deciding.popleft().result()
        while reading:
            deciding.append(self._begin(pool, order, *reading.popleft()))
        listed = len(self.study.known.rows)
        while self.end < listed or not self.parts:
            end = min(self.end + LISTED, listed)
            deciding.append(self._begin(pool, order, pool.submit(self._nothing), max(end, self.end)))
        while deciding:
            yield deciding.popleft().result()

    def _begin(
        self, pool: ThreadPoolExecutor, order: InOrder, reading: "Future[ReadChunk]", end: int | None
    ) -> "Future[_Decided]":
        """Begin to decide a part that is being read."""
        seen = reading.result()
        try:
            place = each(seen.visits.patient_ids.names, order.positions) if seen.place is None else seen.place
        except NotAscending:
            raise AssumptionFailed(replace(self.taken, ascending=False)) from None
        except NotInOrder:
            if self.ways.told is not None:
                self.ways.told(f"{self.study.source.name} is not in the order of its patients, so it is sorted.")
            raise AssumptionFailed(replace(self.taken, in_order=False, ascending=False)) from None
        self._settle(seen)
        first, self.end = self.end, max(order.end if end is None else end, self.end)
        ids = seen.visits.patient_ids.names.drop_nulls()
        if self.positions is not None:
            ids = self.positions.names[first : self.end]
        who = _Who(ids.alias("patient_id"), np.where(place < 0, -1, place - first))
        begun = pool.submit(self._decide, seen, who, first, self.parts == 0)
        self.parts += 1
        return begun

    def _settle(self, seen: ReadChunk) -> None:
        """Hold what was taken against a further part."""
        self.cells.join(seen.found)
        self.wrong |= seen.found.any_wrong
        if seen.found.any_wrong and self.taken.plain:
            raise AssumptionFailed(replace(self.taken, plain=False))
        if self.taken.scored is None:
            self.taken = replace(self.taken, scored=seen.visits.scored)
        elif seen.visits.scored and not self.taken.scored and self.study.options.bleeding is None:
            raise AssumptionFailed(replace(self.taken, scored=True))
        self.nobody &= seen.visits.patient_ids.none and not seen.visits.recorded.any()

    # reading

    def _in_order(self) -> Iterator[Item]:
        """The parts as they come."""
        for part in self.study.source.chunks(self.study.wanted, self.ways.size):
            yield partial(self.study.seen, part, self.taken), None

    def _sorted(self, pool: ThreadPoolExecutor) -> Iterator[Item]:
        """The parts after all rows were gone through."""
        assert self.positions is not None
        unsorted = Unsorted(self.study, self.ways, self.taken, self.positions, self.folder)
        unsorted.hold(pool)
        self.cells.join(unsorted.found)
        yield from unsorted.parts()

    def _nothing(self) -> ReadChunk:
        return self.study.of_table(self.study.empty(), Problems(), 1.0)

    # deciding

    def _decide(self, seen: ReadChunk, who: _Who, first: int, is_first: bool) -> _Decided:
        study, known = self.study, self.study.known
        # Where something is wrong, all is read again by its texts, which are then quoted.
        found = Problems(worded=not self.taken.plain)
        rows, patients = len(seen.visits.patient_ids), len(who.ids)
        try:
            listed = replace(known, rows=known.rows[first : first + patients])
            cohort = assemble(
                StudyRows(seen.visits, listed, who.ids, seen.visits.patient_ids.spread(who.of_run)),
                scored=bool(self.taken.scored),
                several={name: one.several for name, one in study.declared.items()},
                impute=study.options.impute,
                problems=found,
                wrong=self.wrong,
            )
        except CohortError:
            return _Decided(found, rows, patients, seen.share, False)
        undecided = _Decided(found, rows, patients, seen.share, cohort.has_dates)
        try:
            decided = Classification(study.criteria, cohort, evaluate(study.criteria, cohort, 1))
        except CohortError as error:
            return undecided._replace(failed=error)
        frame = decided.long() if self.ways.long else decided.frame(dates=self.taken.dates)
        encoded = self.output.encode(frame, first=is_first)
        return undecided._replace(counts=decided.counts, encoded=encoded)


def _without_patients(study: ChunkedStudy, notes: list[Note]) -> Cohort:
    """What is said of the cohort in outputs."""
    nothing = np.zeros(0, dtype=np.int64)
    seen = Observations(
        patient=nothing,
        day=nothing,
        platelets=exactly(nothing.astype(np.float64)),
        bleeding_grade=nothing.astype(np.float64),
        rescue=nothing.astype(np.bool_),
        rescue_end=nothing,
        source_row=nothing,
    )
    return replace(
        build(Patients(study.known.id[:0]), seen),
        source=study.source.name,
        row_word=study.source.row_word,
        notes=tuple(notes),
        read_from=study.read_from,
    )


def _beside(work: Callable[[], Any]) -> Callable[[], Any]:
    """What gives the result of that work, which is begun at once, and does not keep the program from ending."""
    done: Future[Any] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as error:
            done.set_exception(error)

    Thread(target=run, daemon=True).start()
    return done.result


@contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """So many threads, which end at once when something ends what they are for."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
