"""Study: what is known before visits are read chunk by chunk, and how a chunk of them is read."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from itp_response.cohort.declared_columns import ColumnDeclared, in_table
from itp_response.cohort.observations import ReadFrom
from itp_response.cohort.values import Ints
from itp_response.definitions.criteria import Criteria
from itp_response.messages.errors import CohortError
from itp_response.readers.chunks import Chunk, ChunkedTable, WantedColumns, chunked_table
from itp_response.readers.coded.study import coded_kind
from itp_response.readers.column_names import NamedTable, chosen_columns, filled, pieces_of, together
from itp_response.readers.files import Tabular
from itp_response.readers.ids import check_sites, read_as_a_whole
from itp_response.readers.known_names import VISITS
from itp_response.readers.missing_codes import check_columns_told
from itp_response.readers.options import DEFAULTS, ReadOptions
from itp_response.readers.patients import PatientTable, read_patients
from itp_response.readers.plain import Plain
from itp_response.readers.problems import Location, Pieces, Problems
from itp_response.readers.sdtm.domains import is_study
from itp_response.readers.visit_table import VisitTable, check_header, read_visits
from itp_response.readers.visits import check_enrolment, patient_table


@dataclass(frozen=True)
class Assumptions:
    """What is assumed of all chunks before they are read."""

    scored: bool | None
    """Bleeding is scored at visits; None: as the first chunk shows."""
    dates: bool
    """Dates are known of some patient."""
    plain: bool = True
    """Nothing is wrong, so that the text of no cell will be needed."""
    ascending: bool = False
    """Patients come in the order of their ids, so that no id need be remembered."""
    in_order: bool = True
    """The rows of a patient follow each other, and patients come in the order in which they are written."""


class AssumptionFailed(Exception):  # noqa: N818 - no error, but a turn in the reading
    """A chunk contradicts an assumption; reading begins again under these assumptions.

    It may be raised in any thread, and ends all of them.
    """

    def __init__(self, assumptions: Assumptions) -> None:
        super().__init__()
        self.assumptions = assumptions


class ReadChunk(NamedTuple):
    """A chunk that has been read: some patients with all their rows."""

    visits: VisitTable
    problems: Problems
    share: float
    """How much of the input has been read with it, 0 to 1."""
    positions: Ints | None = None
    """The position of the patient of each run of rows, -1 without an id; None: it is still to be looked up."""


class UnreadChunk(NamedTuple):
    """A chunk that can be read."""

    read: Callable[[], ReadChunk]
    end: int | None = None
    """The position after its last patient; None: it is known when the chunk has been read."""


class TableProblems(NamedTuple):
    """What was noticed before the rows of the visits are read."""

    visits: Problems
    """In the header of the visits."""
    patients: Problems
    """In the header of the patient table."""
    patient_cells: Problems
    """In the cells of the patient table."""
    both: Problems
    """In the columns of both tables together."""

    @property
    def any_wrong(self) -> bool:
        return any(problems.any_wrong for problems in self)


@dataclass(frozen=True)
class ChunkedStudy:
    """What is known of a study before the rows of its visits are read."""

    source: ChunkedTable
    criteria: Criteria
    read_from: ReadFrom
    options: ReadOptions
    chosen: dict[str, int]
    """The columns of the visits that are read: our name for each, and its position in the table."""
    patients: PatientTable
    problems: TableProblems

    @classmethod
    def read(
        cls,
        source: ChunkedTable,
        patients: Tabular | None,
        criteria: Criteria,
        read_from: ReadFrom,
        options: ReadOptions,
    ) -> "ChunkedStudy":
        """The study with its patient table read; problems are kept, to be raised with those of the visits."""
        options = options.with_names(criteria.rescue_names)
        of_visits, of_patients = (in_table(criteria.file.columns, table) for table in ("visits", "patients"))
        problems = TableProblems(Problems(), Problems(), Problems(), Problems())
        location = Location(source.name, 0, source.row_word)
        chosen = chosen_columns(source.header, VISITS, of_visits, location, problems.visits)
        for number, (name, note) in enumerate(source.notes):
            problems.visits.note(Location(name, 0, part=number), note)
        table = patient_table(patients, of_patients, problems.patients)
        check_sites([table], options.patient_key, problems.patient_cells)
        listed = read_patients(table, of_patients, options, problems.patient_cells)
        listed = replace(listed, table=listed.table.without("baseline", "arm"))
        study = cls(source, criteria, read_from, options, chosen, listed, problems)
        check_header(study.empty(), of_visits, problems.both)
        check_enrolment(study.empty(), listed, options.day_numbering, problems.both)
        check_columns_told(options.told, [study.empty(), table], problems.both)
        return study

    @property
    def assumptions(self) -> Assumptions:
        """What probably holds of all chunks."""
        enrolled = self.patients.enrolment_date.at(self.patients.rows)
        day_0_is_first_date = "date" in self.chosen and not self.patients.table.has("enrolment_date")
        bleeding = self.options.bleeding
        return Assumptions(
            scored=None if bleeding is None else bleeding == "scored",
            dates=day_0_is_first_date or bool((enrolled.low == enrolled.high).any()),
            ascending=not len(self.patients.rows),
        )

    @property
    def wanted(self) -> WantedColumns:
        return WantedColumns(sorted(set(self.chosen.values())), self.chosen.get("patient_id"))

    @property
    def declared(self) -> dict[str, ColumnDeclared]:
        """The further columns of visits."""
        return in_table(self.criteria.file.columns, "visits")

    @cached_property
    def plain(self) -> Plain | None:
        """The reader of plain blocks; None: there are columns that it does not read."""
        problems = Problems()
        no_visits = self.as_written(self.empty(), problems)
        return Plain.of(no_visits, problems, self.chosen, self.options)

    def as_written(self, table: NamedTable, problems: Problems) -> VisitTable:
        """The visits of a chunk of the table, read from the texts of its cells."""
        return read_visits(table, self.declared, self.options, problems)

    def empty(self) -> NamedTable:
        """The table of visits without its rows."""
        frame = pl.DataFrame(schema=dict.fromkeys(self.chosen, pl.String))
        header = {name: self.source.header[position] for name, position in self.chosen.items()}
        return NamedTable(Location(self.source.name, 0, self.source.row_word), frame, header, self.source.header)

    # chunks

    def read_chunk(self, chunk: Chunk, assumptions: Assumptions) -> ReadChunk:
        """The visits of a chunk."""
        plain = self._read_plain(chunk) if assumptions.plain else None
        return plain or self.of_table(*self.table(chunk), chunk.share)

    def of_table(self, table: NamedTable, problems: Problems, share: float) -> ReadChunk:
        """The visits of a chunk of the table."""
        return ReadChunk(self.as_written(table, problems), problems, share)

    def _read_plain(self, chunk: Chunk) -> ReadChunk | None:
        """The visits of a chunk that is plain; None: it is not."""
        if chunk.block is None or self.plain is None:
            return None
        grid = chunk.block.grid()
        read = self.plain.visits(grid) if grid else None
        if read is None:
            return None
        visits, problems = read
        lines = np.arange(chunk.block.line, chunk.block.line + len(visits.patient_ids))
        location = Location(chunk.block.form.name, 0, "line", lines, part=chunk.file)
        if self._in_folder:
            location = Location(self.source.name, 0, pieces=pieces_of([location], [len(lines)]))
        return ReadChunk(replace(visits, table=replace(visits.table, location=location)), problems, chunk.share)

    def table(self, chunk: Chunk) -> tuple[NamedTable, Problems]:
        """The cells of a chunk, and the problems of its lines."""
        problems, source = Problems(), chunk.read()
        location = Location(source.name, 0, source.row_word, source.lines, part=chunk.file)
        table = filled(source, self.chosen, location, problems)
        return together(Location(self.source.name, 0), [table]) if self._in_folder else table, problems

    @property
    def _in_folder(self) -> bool:
        return len(self.source.files) > 1 or self.source.files[0] != self.source.name

    def located(self, lines: Ints, file: Ints) -> NamedTable:
        """The table without its rows, which are in those lines of those files."""
        source = self.source
        location = Location(source.name, 0, source.row_word, lines)
        if len(source.files) > 1:
            files = [Location(name, 0, "line", part=number) for number, name in enumerate(source.files)]
            location = Location(source.name, 0, pieces=Pieces(files, file, lines - 1, [{}] * len(files)))
        return replace(self.empty(), location=location)


def source_of(visits: Any, options: ReadOptions = DEFAULTS) -> ChunkedTable | None:
    """The visits to be read in chunks; None: they are read as a whole, also to say why they cannot be read."""
    if not isinstance(visits, str | Path) or is_study(visits) or coded_kind(visits):
        return None
    try:
        source = chunked_table(Path(visits))
    except CohortError:
        return None
    if source is None or not source.header:
        return None
    return None if read_as_a_whole(source.header, options.patient_key, options.similar_ids) else source
