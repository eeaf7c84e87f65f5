"""Stream: a cohort of any length classified from file to file, its rows read, decided and written part by part.

A part is some patients with all their rows, and goes the way that a whole cohort goes. What hangs on all parts is
taken from the first, and where a later part shows otherwise, reading begins again (`_Again`).
"""

import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import Thread
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np

from itp_response.classify import Classification, Counts, check_output, classify, put, write_beside
from itp_response.cohort import Cohort, Ints, Note, Observations, Reading, build
from itp_response.columns import ColumnDeclared
from itp_response.criteria import Criteria, load
from itp_response.errors import CohortError
from itp_response.evaluate import evaluate
from itp_response.output import OUTPUTS, Output
from itp_response.provenance import Provenance, hashed, provenance
from itp_response.readers.findings import Findings, Pieces, Place, as_text
from itp_response.readers.names import VISITS, Table, chosen_columns, filled, no_rows, pieces_of, together
from itp_response.readers.order import InOrder, NotAscending, NotInOrder, Positions
from itp_response.readers.patients import Patients, read_patients
from itp_response.readers.plain import Plain, as_records, of_records
from itp_response.readers.runs import Runs
from itp_response.readers.sorting import Held, Records, Rows, by_patient
from itp_response.readers.streams import Part, Size, Stream, Wanted, stream
from itp_response.readers.visits import NOBODY, check_enrolment, check_options, is_study, joined, patient_table
from itp_response.readers.written import Visits, as_written, check_header
from itp_response.rules import exactly

if TYPE_CHECKING:
    import polars as pl

Progress = Callable[[int, int, float], None]
"""Told after each part: rows and patients so far, and the share of the input that is done."""
LISTED = 200_000
"""So many patients without visits are written at once."""
LONGEST = 1 << 31
"""Lines of a file, which are numbered in 32 bits."""
LINE, FILE = " line", " file"
"""The columns of a table that is sorted in which it keeps where a row was written; no column of ours is called so."""


@dataclass(frozen=True)
class Written:
    """What `classify_to` gives: what was found, said as of the whole cohort; the verdicts are in the file."""

    criteria: Criteria
    cohort: Cohort
    """The name, the notes and the source of the cohort that was read, without its patients."""
    counts: Counts

    def provenance(self, **options: Any) -> Provenance:
        """As `Classification.provenance`."""
        return provenance([self.criteria], self.cohort, **options)

    def summary(self) -> str:
        """As `Classification.summary`."""
        return self.counts.summary(self.criteria, self.cohort)


def classify_to(
    path: str | Path,
    visits: Any,
    patients: Any = None,
    criteria: str | Path | Criteria = "atra_2022",
    *,
    long: bool = False,
    date_format: str | None = None,
    bleeding: Any = None,
    impute: Any = None,
    threads: int | None = None,
    progress: Progress | None = None,
    told: Callable[[str], None] | None = None,
    size: Size | None = None,
    memory: int | None = None,
) -> Written:
    """Classify every patient of the visits into a `.csv`, `.json` or `.parquet` file, whole or not at all.

    The file is that which `classify(...).write(path)` makes, to the byte. Visits in a text, Parquet or Arrow file, or
    in a folder of such, are read part by part, as long as the rows of each patient follow each other and the patients
    come in the order of the patient table; else they are sorted, which is `told`: on disk, if they would take more than
    `memory` bytes (half of what the machine has). Other visits are read as a whole. `size` is how much is read at once.
    Raises what `classify` raises.
    """
    path = Path(path)
    check_output(path)
    check_options(date_format, bleeding, impute)
    definitions = criteria if isinstance(criteria, Criteria) else load(criteria)
    options = {"date_format": date_format, "bleeding": bleeding, "impute": impute}
    source = _stream(visits)
    if source is None:
        found = classify(visits, patients, definitions, threads=threads, **options)
        found.write(path, long=long)
        return Written(definitions, found.cohort, found.counts)
    inputs = {"visits": visits, "patients": patients}
    reading = Reading(inputs, options, _beside(lambda: hashed(inputs)))
    study = _Study.read(source, patients, definitions, reading)
    memory = memory or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    ways = _Ways(long, threads or os.cpu_count() or 1, size or Size(), memory, progress or (lambda *_: None), told)
    made: list[tuple[Written, Provenance]] = []

    def content(file: IO[bytes]) -> None:
        taken = study.taken
        while not made:
            file.seek(0)
            file.truncate()
            with tempfile.TemporaryDirectory(prefix="itp-response-") as folder:
                target = OUTPUTS[path.suffix](file, Path(folder))
                try:
                    made.append(_Run(study, ways, taken, target, Path(folder)).written())
                except _Again as again:
                    taken = again.taken

    put(path, content)
    write_beside(path, made[0][1])
    return made[0][0]


def _stream(visits: Any) -> Stream | None:
    """The visits to be read in parts; None where they are not, or something is wrong with them from the first."""
    if not isinstance(visits, str | Path) or is_study(visits):
        return None
    try:
        source = stream(Path(visits))
    except CohortError:
        return None
    return source if source is not None and source.header else None


@dataclass(frozen=True)
class _Ways:
    """How it is gone about, which changes nothing in what comes out."""

    long: bool
    threads: int
    size: Size
    memory: int
    progress: Progress
    told: Callable[[str], None] | None


@dataclass(frozen=True)
class _Taken:
    """What is taken for granted of all parts."""

    scored: bool | None
    """Bleeding is scored at visits; None: as the first part shows."""
    dates: bool
    """Dates are known of some patient."""
    plain: bool = True
    """Nothing is wrong, so that the words of no cell will be needed."""
    ascending: bool = False
    """Patients come in the order of their names, so that none need be remembered."""
    in_order: bool = True
    """The rows of each patient follow each other, and patients come in the order in which they are written."""


class _Again(Exception):  # noqa: N818 - no error, but a turn in the reading
    """What was taken does not hold; this does."""

    def __init__(self, taken: _Taken) -> None:
        super().__init__()
        self.taken = taken


# BEFORE THE VISITS


@dataclass(frozen=True)
class _Study:
    """What is known of a study before its visits are read."""

    source: Stream
    criteria: Criteria
    reading: Reading
    chosen: dict[str, int]
    known: Patients
    opened: Findings
    of_patients: Findings
    """What was found in the table of patients when it was opened, and when its cells were read."""
    of_cells: Findings
    of_both: Findings

    @classmethod
    def read(cls, source: Stream, patients: Any, criteria: Criteria, reading: Reading) -> "_Study":
        declared = criteria.file.columns
        of_visits = {name: column for name, column in declared.items() if column.table == "visits"}
        of_patients = {name: column for name, column in declared.items() if column.table == "patients"}
        opened, listed, cells, both = (Findings() for _ in range(4))
        place = Place(source.name, 0, source.row_word)
        chosen = chosen_columns(source.header, VISITS, of_visits, place, opened)
        for number, (name, note) in enumerate(source.notes):
            opened.note(Place(name, 0, part=number), note)
        table = patient_table(patients, of_patients, listed)
        options = reading.options
        known = read_patients(table, of_patients, options["date_format"], cells, options["impute"])
        made = cls(source, criteria, reading, chosen, known, opened, listed, cells, both)
        check_header(made.empty(), of_visits, both)
        check_enrolment(made.empty(), known, "date" in chosen, both)
        return made

    @property
    def options(self) -> Any:
        return self.reading.options

    @property
    def taken(self) -> _Taken:
        """What is likely to hold of all parts."""
        table, known = self.known.table, self.known
        enrolled = known.enrolment_date.at(known.rows)
        dates = bool((enrolled.low == enrolled.high).any())
        if "date" in self.chosen and not table.has("enrolment_date"):
            dates = True
        told = self.options["bleeding"]
        scored = None if told is None else told == "scored"
        return _Taken(scored, dates, ascending=not len(known.rows))

    @property
    def wanted(self) -> Wanted:
        return Wanted(sorted(set(self.chosen.values())), self.chosen.get("patient_id"))

    @property
    def declared(self) -> dict[str, ColumnDeclared]:
        """The further columns of visits."""
        return {name: one for name, one in self.criteria.file.columns.items() if one.table == "visits"}

    @cached_property
    def plain(self) -> Plain | None:
        """What reads the visits of plain blocks; None: there are columns that it does not read."""
        found, told = Findings(), self.options
        nothing = self.as_written(self.empty(), found)
        return Plain.of(nothing, found, self.chosen, date_format=told["date_format"], bleeding=told["bleeding"])

    def as_written(self, table: Table, found: Findings) -> Visits:
        """The visits of that part of the table."""
        return as_written(table, self.declared, found=found, **self.options)

    def empty(self) -> Table:
        """The table of visits without its rows."""
        import polars as pl

        frame = pl.DataFrame(schema=dict.fromkeys(self.chosen, pl.String))
        header = {name: self.source.header[at] for name, at in self.chosen.items()}
        return Table(Place(self.source.name, 0, self.source.row_word), frame, header, self.source.header)


# THE VISITS


class _Seen(NamedTuple):
    """A part as it was read."""

    visits: Visits
    found: Findings
    share: float
    place: Ints | None = None
    """The position of the patient of each run, -1 without a name; None: it is to be found out."""


class _Rows(NamedTuple):
    """The rows of a part that are to be sorted."""

    content: "pl.DataFrame | Records"
    """The cells as texts, or what they say as records."""
    names: "pl.Series"
    position: Ints
    """That of the patient of each row, as far as it is known; -1: it is not, or he is not named."""
    labels: tuple[str, ...]
    """The rescue treatments of records by their codes."""
    found: Findings
    share: float


class _Who(NamedTuple):
    """Whose the rows of a part are."""

    ids: "pl.Series"
    """Its patients."""
    of_run: Ints
    """Which of them each run of rows is of; -1: it names none."""


class _Decided(NamedTuple):
    """A part as it was decided; without counts, where something was found wrong."""

    found: Findings
    rows: int
    patients: int
    share: float
    dates: bool
    counts: Counts | None = None
    encoded: bytes = b""
    failed: CohortError | None = None
    """Why the criteria cannot be decided on it."""


Item = tuple[Callable[[], _Seen], int | None]
"""What reads a part, and the position after its last patient; None: that is to be found out."""


@dataclass
class _Run:
    """One reading of the visits, with something taken for granted."""

    study: _Study
    ways: _Ways
    taken: _Taken
    output: Output
    folder: Path
    cells: Findings = field(default_factory=Findings)
    both: Findings = field(default_factory=Findings)
    end: int = 0
    """The position after the last patient so far."""
    parts: int = 0
    wrong: bool = False
    nobody: bool = True
    """There is no row that names a patient or says something."""
    positions: Positions | None = None
    """None: patients come in the order of their names, and are not remembered."""

    def __post_init__(self) -> None:
        study = self.study
        before = (study.opened, study.of_patients, study.of_cells, study.of_both)
        self.wrong = any(found.any_wrong for found in before)

    def written(self) -> tuple[Written, Provenance]:
        """What was found and what made it, after the verdicts of all parts were put out.

        Raises `_Again` where what was taken does not hold, `CohortError` with all that is wrong.
        """
        counts: Counts | None = None
        failed: CohortError | None = None
        rows = patients = 0
        dates = False
        with _pool(self.ways.threads) as pool:
            for one in self._decided(pool):
                self.both.join(one.found)
                self.wrong |= one.found.any_wrong
                if one.found.any_wrong and self.taken.plain:
                    raise _Again(replace(self.taken, plain=False))
                rows, patients, dates = rows + one.rows, patients + one.patients, dates or one.dates
                if one.dates and not self.taken.dates:
                    raise _Again(replace(self.taken, dates=True))
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
            raise _Again(replace(self.taken, dates=False))
        assert counts is not None
        made = Written(self.study.criteria, _without_patients(self.study, found.notes), counts)
        origin = made.provenance(long=self.ways.long)
        self.output.end(origin)
        return made, origin

    def _found(self, rows: int) -> Findings:
        """All that was found, in the order in which it is in a cohort that is read as a whole."""
        study, place = self.study, self.study.empty().place
        of_all = Findings()
        if not rows and not self.cells.any_wrong:
            of_all.wrong(place, no_rows(place))
        elif rows and self.nobody and "patient_id" in study.chosen and not len(study.known.rows):
            of_all.wrong(place, NOBODY)
        found = study.opened.again().join(study.of_patients).join(study.of_both)
        for one in (self.cells, study.of_cells, of_all, self.both):
            found.join(one)
        return found

    def _decided(self, pool: ThreadPoolExecutor) -> Iterator[_Decided]:
        """Each part read, then decided, in order; several at once."""
        try:
            yield from self._in_turn(pool)
        except CohortError as error:
            # In a file that cannot be read to its end, nothing else is looked for.
            found = Findings()
            found.failed(0, error)
            raise found.join(self.study.of_patients).join(self.study.of_cells).error() from None

    def _in_turn(self, pool: ThreadPoolExecutor) -> Iterator[_Decided]:
        self.positions = None if self.taken.ascending else Positions(self._listed())
        order = InOrder(self.positions)
        reading: deque[tuple[Future[_Seen], int | None]] = deque()
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
        self, pool: ThreadPoolExecutor, order: InOrder, reading: "Future[_Seen]", end: int | None
    ) -> "Future[_Decided]":
        """Begin to decide a part that is being read."""
        seen = reading.result()
        try:
            place = _each(seen.visits.who.names, order.places) if seen.place is None else seen.place
        except NotAscending:
            raise _Again(replace(self.taken, ascending=False)) from None
        except NotInOrder:
            if self.ways.told is not None:
                self.ways.told(f"{self.study.source.name} is not in the order of its patients, so it is sorted.")
            raise _Again(replace(self.taken, in_order=False, ascending=False)) from None
        self._settle(seen)
        first, self.end = self.end, max(order.end if end is None else end, self.end)
        ids = seen.visits.who.names.drop_nulls()
        if self.positions is not None:
            ids = self.positions.names[first : self.end]
        who = _Who(ids.alias("patient_id"), np.where(place < 0, -1, place - first))
        begun = pool.submit(self._decide, seen, who, first, self.parts == 0)
        self.parts += 1
        return begun

    def _settle(self, seen: _Seen) -> None:
        """Hold what was taken against a further part."""
        self.cells.join(seen.found)
        self.wrong |= seen.found.any_wrong
        if seen.found.any_wrong and self.taken.plain:
            raise _Again(replace(self.taken, plain=False))
        if self.taken.scored is None:
            self.taken = replace(self.taken, scored=seen.visits.scored)
        elif seen.visits.scored and not self.taken.scored and self.study.options["bleeding"] is None:
            raise _Again(replace(self.taken, scored=True))
        self.nobody &= seen.visits.who.none and not seen.visits.recorded.any()

    def _listed(self) -> "pl.Series":
        return self.study.known.id.gather(self.study.known.rows)

    # reading

    def _in_order(self) -> Iterator[Item]:
        """The parts as they come."""
        for part in self.study.source.parts(self.study.wanted, self.ways.size):
            yield lambda part=part: self._plain(part) or self._seen(*self._table(part), part.share), None  # type: ignore[misc]

    def _plain(self, part: Part) -> _Seen | None:
        """The part, if it is plain."""
        study = self.study
        if not self.taken.plain or part.block is None or study.plain is None:
            return None
        grid = part.block.grid()
        read = study.plain.visits(grid) if grid else None
        if read is None:
            return None
        visits, found = read
        lines = np.arange(part.block.line, part.block.line + len(visits.who))
        place = Place(part.block.form.name, 0, "line", lines, part=part.file)
        if self._in_folder:
            place = Place(study.source.name, 0, pieces=pieces_of([place], [len(lines)]))
        return _Seen(replace(visits, table=replace(visits.table, place=place)), found, part.share)

    def _table(self, part: Part) -> tuple[Table, Findings]:
        found, source = Findings(), part.read()
        place = Place(source.name, 0, source.row_word, source.lines, part=part.file)
        table = filled(source, self.study.chosen, place, found)
        return together(Place(self.study.source.name, 0), [table]) if self._in_folder else table, found

    @property
    def _in_folder(self) -> bool:
        source = self.study.source
        return len(source.files) > 1 or source.files[0] != source.name

    def _nothing(self) -> _Seen:
        return self._seen(self.study.empty(), Findings(), 1.0)

    def _seen(self, table: Table, found: Findings, share: float) -> _Seen:
        return _Seen(self.study.as_written(table, found), found, share)

    # sorting

    def _sorted(self, pool: ThreadPoolExecutor) -> Iterator[Item]:
        """The parts of which each has all rows of some patients, after all rows were gone through."""
        positions, held = self.positions, Held(self.ways.memory, self.folder)
        assert positions is not None
        labels: dict[str, int] = {}
        reading: deque[Future[_Rows]] = deque()
        sorting: deque[Future[Rows]] = deque()

        def sort(rows: _Rows) -> None:
            self.cells.join(rows.found)
            unknown = np.flatnonzero((rows.position < 0) & rows.names.is_not_null().to_numpy())
            rows.position[unknown] = positions.of(rows.names.gather(unknown))
            if isinstance(rows.content, np.ndarray):
                codes = [labels.setdefault(label, len(labels)) for label in rows.labels]
                rows.content["rescue"] = np.array([*codes, -1], dtype=np.int32)[rows.content["rescue"]]
            sorting.append(pool.submit(by_patient, rows.content, rows.position))
            self.ways.progress(0, 0, rows.share / 2)

        for part in self.study.source.parts(replace(self.study.wanted, patient=None), self.ways.size):
            reading.append(pool.submit(self._rows, part, positions))
            if len(reading) > self.ways.threads:
                sort(reading.popleft().result())
            if len(sorting) > self.ways.threads:
                held.add(sorting.popleft().result())
        while reading:
            sort(reading.popleft().result())
        while sorting:
            held.add(sorting.popleft().result())
        for first, last in held.patients(self.ways.size.rows):
            yield lambda first=first, last=last: self._of_held(held, first, last, tuple(labels)), last  # type: ignore[misc]

    def _rows(self, part: Part, positions: Positions) -> _Rows:
        """The rows of a part, with where they stand."""
        import polars as pl

        plain = self.study.plain
        if self.taken.plain and plain is not None and part.block is not None:
            names = as_text(part.block.texts(self.study.chosen["patient_id"]))
            grid = part.block.grid()
            read = plain.visits(grid, Runs.single(names)) if grid and part.block.line < LONGEST else None
            if read is None:
                # Cells are held as what they say, or all as they were written.
                raise _Again(replace(self.taken, plain=False))
            visits, found = read
            records = as_records(visits, part.block.line + np.arange(len(names)), part.file)
            position = _each(names, positions.known)
            return _Rows(records, names, position, visits.rescue_name.labels, found, part.share)
        table, found = self._table(part)
        names = as_text(table.cells("patient_id").values)
        origin = table.place.pieces.origin if table.place.pieces else None
        lines = origin.sequence if origin else table.place.all_lines(np.arange(len(names)))
        files = pl.repeat(part.file, len(names), dtype=pl.Int32, eager=True).alias(FILE)
        frame = table.frame.with_columns(pl.Series(LINE, lines, dtype=pl.Int64), files)
        return _Rows(frame, names, _each(names, positions.known), (), found, part.share)

    def _of_held(self, held: Held, first: int, last: int, labels: tuple[str, ...]) -> _Seen:
        """The rows of those patients."""
        import polars as pl

        assert self.positions is not None
        content, position = held.rows_of(first, last)
        found, plain = Findings(), self.study.plain
        if isinstance(content, np.ndarray):
            assert plain is not None
            table = self._placed(content["line"].astype(np.int64), content["file"].astype(np.int64))
            visits = replace(of_records(content, plain.nothing, labels), table=table)
        else:
            table = self._placed(content[LINE].to_numpy(), content[FILE].to_numpy())
            visits = self.study.as_written(replace(table, frame=content.drop(LINE, FILE)), found)
        begin = np.flatnonzero(np.diff(position, prepend=-2))
        place = position[begin].astype(np.int64)
        names = self.positions.names.gather(pl.Series(place).set(pl.Series(place < 0), None))
        share = 0.5 + 0.5 * last / max(len(self.positions), 1)
        return _Seen(replace(visits, who=Runs(names, begin, len(position))), found, share, place)

    def _placed(self, lines: Ints, file: Ints) -> Table:
        """The table without its rows, which stand in those lines of those files."""
        source = self.study.source
        place = Place(source.name, 0, source.row_word, lines)
        if len(source.files) > 1:
            files = [Place(name, 0, "line", part=number) for number, name in enumerate(source.files)]
            place = Place(source.name, 0, pieces=Pieces(files, file, lines - 1, [{}] * len(files)))
        return replace(self.study.empty(), place=place)

    # deciding

    def _decide(self, seen: _Seen, who: _Who, first: int, is_first: bool) -> _Decided:
        study, known = self.study, self.study.known
        # Where something is wrong, all is read again by its texts, which are then quoted.
        found = Findings(worded=not self.taken.plain)
        rows, patients = len(seen.visits.who), len(who.ids)
        try:
            cohort = joined(
                seen.visits,
                replace(known, rows=known.rows[first : first + patients]),
                who.ids,
                seen.visits.who.spread(who.of_run),
                scored=bool(self.taken.scored),
                several={name: one.several for name, one in study.declared.items()},
                impute=study.options["impute"],
                found=found,
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


def _each(names: "pl.Series", places: Callable[["pl.Series"], Ints]) -> Ints:
    """The positions of names; -1 where one is null."""
    if not names.null_count():
        return places(names)
    found = np.full(len(names), -1, dtype=np.int64)
    found[names.is_not_null().to_numpy()] = places(names.drop_nulls())
    return found


def _without_patients(study: _Study, notes: list[Note]) -> Cohort:
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
    cohort = build(study.known.id[:0], seen, source=study.source.name, row_word=study.source.row_word, notes=notes)
    options = {**study.options, "on_error": "stop"}
    return replace(cohort, reading=replace(study.reading, options=options))


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
