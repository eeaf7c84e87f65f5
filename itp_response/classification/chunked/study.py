"""Study: what is known before visits are read chunk by chunk, and how a chunk of them is read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from itp_response.classification.classification import Study
from itp_response.cohort.declared_columns import ColumnDeclared, in_table
from itp_response.cohort.observations import ReadFrom
from itp_response.cohort.values import Ints
from itp_response.definitions.criteria import Criteria
from itp_response.messages.errors import CohortError
from itp_response.readers.chunks import Chunk, ChunkedTable, ChunkSize, WantedColumns, chunked_table
from itp_response.readers.coded.study import coded_kind
from itp_response.readers.column_names import NamedTable, chosen_columns, filled, like_units, no_rows, together
from itp_response.readers.day_0 import check_enrolment
from itp_response.readers.ids import read_as_a_whole
from itp_response.readers.known_names import BESIDE, VISITS
from itp_response.readers.mapping.chunks import MappedVisits
from itp_response.readers.mapping.mapping import Mapped
from itp_response.readers.missing_codes import check_columns_told
from itp_response.readers.open_table import OpenTable
from itp_response.readers.options import DEFAULTS, ReadOptions
from itp_response.readers.patients import PatientTable, read_patients
from itp_response.readers.problems import Location, Pieces, Problems
from itp_response.readers.quarantine import Quarantine
from itp_response.readers.sdtm.folder import is_study
from itp_response.readers.tabular import TableFile, Tabular
from itp_response.readers.visit_table import VisitTable, check_header, read_visits
from itp_response.readers.visits import patient_table

NUMBERS = ("day", "platelets", "bleeding_grade", "rescue_end")
"""Columns of visits that are mostly numbers."""


@dataclass(frozen=True)
class Assumptions:
    """What is assumed of all chunks before they are read."""

    has_grade_0: bool
    """There is a bleeding grade of 0, so that bleeding is scored at visits."""
    dates: bool
    """Dates are known of some patient."""
    valid: bool = True
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


class RowsLeftOut(Exception):  # noqa: N818
    """Rows were left out that cannot be read; reading begins again without them."""

    def __init__(self, left_out: Quarantine) -> None:
        super().__init__()
        self.left_out = left_out


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
class NamedVisits:
    """How the rows of a file whose columns have names that the readers know, read in chunks, are rows of visits."""

    source: ChunkedTable
    chosen: dict[str, int]
    """The columns that are read: our name for each, and its position in the table."""
    like_units: Mapping[str, Sequence[str]]
    """As in `NamedTable`."""

    @classmethod
    def read(cls, source: ChunkedTable, declared: Iterable[str], problems: Problems) -> "NamedVisits":
        """The visits, of which only the header is read."""
        location = Location(source.name, 0, source.row_word)
        chosen = chosen_columns(source.header, VISITS, declared, location, problems)
        for number, (name, note) in enumerate(source.notes):
            problems.note(Location(name, 0, part=number), note)
        return cls(source, chosen, like_units(source, chosen.values()))

    @property
    def nothing_read(self) -> str:
        """The problem of a table without rows."""
        return no_rows(self.empty.location)

    def wanted(self, numbers: Sequence[str]) -> WantedColumns:
        """The columns to be read; those of these names as numbers."""
        as_numbers = frozenset(self.chosen[name] for name in numbers if name in self.chosen)
        return WantedColumns(sorted(set(self.chosen.values())), self.chosen.get("patient_id"), as_numbers)

    @property
    def empty(self) -> NamedTable:
        """The table of visits without its rows."""
        frame = pl.DataFrame(schema=dict.fromkeys(self.chosen, pl.String))
        header = {name: self.source.header[position] for name, position in self.chosen.items()}
        location = Location(self.source.name, 0, self.source.row_word)
        return NamedTable(location, frame, header, self.source.header, like_units=self.like_units)

    @property
    def no_cells(self) -> NamedTable:
        """The table of cells (`cells`) without its rows."""
        return self.empty

    def cells(self, opened: OpenTable, location: Location, problems: Problems) -> NamedTable:
        """The rows of a chunk."""
        return filled(opened, self.chosen, location, problems)

    def visits(self, cells: NamedTable, _: Problems) -> NamedTable:
        """The visits, each of which is a row of the file."""
        return cells

    def used(self, cells: NamedTable, left_out: Quarantine) -> NamedTable:
        """The rows that are not left out."""
        return left_out.without(cells)


@dataclass(frozen=True)
class ChunkedStudy:
    """What is known of a study before the rows of its visits are read."""

    rows: NamedVisits | MappedVisits
    """How rows of the file become visits."""
    of_one_file: bool
    """The patients are in the file of the visits."""
    criteria: Criteria
    read_from: ReadFrom
    options: ReadOptions
    listed: NamedTable
    """The table of patients as it was opened; only its ids and their sites, if no row is left out."""
    patients: PatientTable
    problems: TableProblems
    left_out: Quarantine
    """The rows of both tables that are left out."""

    @classmethod
    def read(
        cls,
        source: ChunkedTable,
        visits: Study,
        patients: Tabular | None,
        criteria: Criteria,
        read_from: ReadFrom,
        options: ReadOptions,
        size: ChunkSize,
    ) -> "ChunkedStudy":
        """The study with its patient table read; problems are kept, to be raised with those of the visits."""
        options = options.with_names(criteria.rescue_names)
        of_visits, of_patients = (in_table(criteria.file.columns, table) for table in ("visits", "patients"))
        problems = TableProblems(*(Problems(leave_out=options.on_error == "quarantine") for _ in range(4)))
        rows: NamedVisits | MappedVisits
        of_one_file = isinstance(visits, Mapped) and isinstance(patients, Mapped) and patients.source is visits.source
        if isinstance(visits, Mapped):
            names = (*VISITS, *of_visits)
            rows, of_all_patients = MappedVisits.read(visits.source, source, names, size, problems.visits)
            patients = Mapped(visits.source, patients=True, rows=of_all_patients) if of_one_file else patients
        else:
            rows = NamedVisits.read(source, of_visits, problems.visits)
        table = patient_table(patients, of_patients, problems.patients)
        listed = read_patients(table, of_patients, options, problems.patient_cells)
        columns = table
        if options.on_error == "stop":
            listed = replace(listed, table=listed.table.without("arm", "actual_arm"))
            table = table.without(*table.header.keys() - {"patient_id", *BESIDE})
        empty = rows.empty
        check_header(empty, of_visits, options, problems.both)
        check_enrolment(empty, listed, options.day_numbering, problems.both)
        check_columns_told(options.told | empty.told, [empty, columns], problems.both)
        return cls(rows, of_one_file, criteria, read_from, options, table, listed, problems, Quarantine())

    def without(self, left_out: Quarantine) -> "ChunkedStudy":
        """The study without these rows; those of the visits are left out when their chunks are read."""
        problems, of_patients = Problems(), in_table(self.criteria.file.columns, "patients")
        table = left_out.without(self.listed)
        patients = read_patients(table, of_patients, self.options, problems)
        return replace(
            self, patients=patients, problems=self.problems._replace(patient_cells=problems), left_out=left_out
        )

    @property
    def source(self) -> ChunkedTable:
        """The table of visits, of which the header is read."""
        return self.rows.source

    @property
    def leaves_out(self) -> bool:
        """Whether rows that cannot be read are left out."""
        return self.options.on_error == "quarantine"

    @property
    def assumptions(self) -> Assumptions:
        """What probably holds of all chunks."""
        enrolled = self.patients.enrolment_date.at(self.patients.rows)
        day_0_is_first_date = self.empty().has("date") and not self.patients.table.has("enrolment_date")
        return Assumptions(
            # Nothing depends on it if it was told.
            has_grade_0=self.options.bleeding is not None,
            dates=day_0_is_first_date or bool((enrolled.low == enrolled.high).any()),
            # The report of rows left out quotes texts, and patients without any other row come last.
            valid=not self.leaves_out,
            ascending=not len(self.patients.rows) and not self.leaves_out,
        )

    def wanted(self, assumptions: Assumptions) -> WantedColumns:
        """The columns to be read; texts are needed to be quoted, so numbers are read as such where nothing is wrong."""
        declared = [name for name, column in self.declared.items() if column.type == "number"]
        # A code for a missing value may be any text, and is quoted; decimals may be told.
        as_numbers = assumptions.valid and not self.options.missing and self.source.decimal == "usual"
        names = (*NUMBERS, *declared) if as_numbers else ()
        # The end of a rescue is a number only where visits are numbered by days.
        dated = self.empty().has("date")
        return self.rows.wanted([name for name in names if not (dated and name == "rescue_end")])

    @property
    def beside(self) -> list[str]:
        """The columns of a site and of a study beside the ids."""
        return [name for name in BESIDE if self.empty().has(name)]

    @property
    def declared(self) -> dict[str, ColumnDeclared]:
        """The further columns of visits."""
        return in_table(self.criteria.file.columns, "visits")

    def visits(self, table: NamedTable, problems: Problems) -> VisitTable:
        """The visits of a chunk of the table, without what is left out."""
        visits = self.rows.visits(table, problems)
        if self.leaves_out:
            visits = self.left_out.without(visits)
        return read_visits(visits, self.declared, self.options, problems)

    def empty(self) -> NamedTable:
        """The table of visits without its rows."""
        return self.rows.empty

    @cached_property
    def excluded(self) -> pl.DataFrame:
        """The report of the rows that are left out."""
        return self.left_out.report

    # chunks

    def read_chunk(self, chunk: Chunk) -> ReadChunk:
        """The visits of a chunk."""
        return self.of_table(*self.table(chunk), chunk.share)

    def of_table(self, table: NamedTable, problems: Problems, share: float) -> ReadChunk:
        """The visits of a chunk of the table."""
        return ReadChunk(self.visits(table, problems), problems, share)

    def table(self, chunk: Chunk) -> tuple[NamedTable, Problems]:
        """The cells of a chunk, and the problems of its lines."""
        problems, source = Problems(leave_out=self.leaves_out), chunk.read()
        location = Location(source.name, 0, source.row_word, source.lines, part=chunk.file, decimal=self.source.decimal)
        table = self.rows.cells(source, location, problems)
        if self.leaves_out:
            lines = location.all_lines(np.arange(len(table.frame)))
            table = replace(table, numbers=_numbered(lines, chunk.file))
        return self._in_whole(table), problems

    def _in_whole(self, table: NamedTable) -> NamedTable:
        if not self._in_folder:
            return table
        return replace(together(Location(self.source.name, 0), [table]), numbers=table.numbers)

    @property
    def _in_folder(self) -> bool:
        return len(self.source.files) > 1 or self.source.files[0] != self.source.name

    def located(self, lines: Ints, file: Ints | None) -> NamedTable:
        """The table without its rows, which are in those lines of those files; None: there is one file."""
        source = self.source
        location = Location(source.name, 0, source.row_word, lines, decimal=source.decimal)
        if file is not None:
            files = [Location(name, 0, "line", part=number) for number, name in enumerate(source.files)]
            location = Location(source.name, 0, pieces=Pieces(files, file, lines - 1, [{}] * len(files)))
        return replace(self.rows.no_cells, location=location, numbers=_numbered(lines, 0 if file is None else file))


def _numbered(lines: Ints, file: Ints | int) -> Ints:
    """The rows numbered by their files and lines."""
    return (np.asarray(file, dtype=np.int64) << 40) + lines


def source_of(visits: Any, options: ReadOptions = DEFAULTS) -> ChunkedTable | None:
    """The visits to be read in chunks; None: they are read as a whole, also to say why they cannot be read."""
    if read_as_a_whole(options.patient_key, options.similar_ids):
        return None
    if isinstance(visits, Mapped):
        return visits.source.chunked
    if not isinstance(visits, str | Path | TableFile) or is_study(visits) or coded_kind(visits):
        return None
    try:
        source = chunked_table(visits if isinstance(visits, TableFile) else Path(visits))
    except CohortError:
        return None
    return source if source and source.header else None
