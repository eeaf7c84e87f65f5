"""Study: what is known before visits are read part by part, and how a part of them is read."""

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
from itp_response.readers.column_names import VISITS, NamedTable, chosen_columns, filled, pieces_of, together
from itp_response.readers.files import Tabular
from itp_response.readers.options import ReadOptions
from itp_response.readers.patients import PatientTable, read_patients
from itp_response.readers.plain import Plain
from itp_response.readers.problems import Location, Pieces, Problems
from itp_response.readers.sdtm.domains import is_study
from itp_response.readers.visit_table import VisitTable, check_header, read_visits
from itp_response.readers.visits import check_enrolment, patient_table


@dataclass(frozen=True)
class Assumptions:
    """What is assumed of all parts."""

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


class AssumptionFailed(Exception):  # noqa: N818 - no error, but a turn in the reading
    """What was taken does not hold; this does."""

    def __init__(self, taken: Assumptions) -> None:
        super().__init__()
        self.taken = taken


class ReadChunk(NamedTuple):
    """A part as it was read."""

    visits: VisitTable
    found: Problems
    share: float
    place: Ints | None = None
    """The position of the patient of each run, -1 without a name; None: it is to be found out."""


@dataclass(frozen=True)
class ChunkedStudy:
    """What is known of a study before its visits are read."""

    source: ChunkedTable
    criteria: Criteria
    read_from: ReadFrom
    options: ReadOptions
    chosen: dict[str, int]
    known: PatientTable
    opened: Problems
    of_patients: Problems
    """What was found in the table of patients when it was opened, and when its cells were read."""
    of_cells: Problems
    of_both: Problems

    @classmethod
    def read(
        cls,
        source: ChunkedTable,
        patients: Tabular | None,
        criteria: Criteria,
        read_from: ReadFrom,
        options: ReadOptions,
    ) -> "ChunkedStudy":
        of_visits, of_patients = (in_table(criteria.file.columns, table) for table in ("visits", "patients"))
        opened, listed, cells, both = (Problems() for _ in range(4))
        place = Location(source.name, 0, source.row_word)
        chosen = chosen_columns(source.header, VISITS, of_visits, place, opened)
        for number, (name, note) in enumerate(source.notes):
            opened.note(Location(name, 0, part=number), note)
        table = patient_table(patients, of_patients, listed)
        known = read_patients(table, of_patients, options, cells)
        known = replace(known, table=known.table.without("baseline", "arm"))
        made = cls(source, criteria, read_from, options, chosen, known, opened, listed, cells, both)
        check_header(made.empty(), of_visits, both)
        check_enrolment(made.empty(), known, "date" in chosen, both)
        return made

    @property
    def taken(self) -> Assumptions:
        """What is likely to hold of all parts."""
        table, known = self.known.table, self.known
        enrolled = known.enrolment_date.at(known.rows)
        dates = bool((enrolled.low == enrolled.high).any())
        if "date" in self.chosen and not table.has("enrolment_date"):
            dates = True
        told = self.options.bleeding
        scored = None if told is None else told == "scored"
        return Assumptions(scored, dates, ascending=not len(known.rows))

    @property
    def wanted(self) -> WantedColumns:
        return WantedColumns(sorted(set(self.chosen.values())), self.chosen.get("patient_id"))

    @property
    def declared(self) -> dict[str, ColumnDeclared]:
        """The further columns of visits."""
        return in_table(self.criteria.file.columns, "visits")

    @cached_property
    def plain(self) -> Plain | None:
        """What reads the visits of plain blocks; None: there are columns that it does not read."""
        found = Problems()
        nothing = self.as_written(self.empty(), found)
        return Plain.of(nothing, found, self.chosen, self.options)

    def as_written(self, table: NamedTable, problems: Problems) -> VisitTable:
        """The visits of that part of the table."""
        return read_visits(table, self.declared, self.options, problems)

    def empty(self) -> NamedTable:
        """The table of visits without its rows."""
        frame = pl.DataFrame(schema=dict.fromkeys(self.chosen, pl.String))
        header = {name: self.source.header[at] for name, at in self.chosen.items()}
        return NamedTable(Location(self.source.name, 0, self.source.row_word), frame, header, self.source.header)

    # parts

    def seen(self, part: Chunk, taken: Assumptions) -> ReadChunk:
        """The visits of a part."""
        plain = self._plain_part(part) if taken.plain else None
        return plain or self.of_table(*self.table(part), part.share)

    def of_table(self, table: NamedTable, problems: Problems, share: float) -> ReadChunk:
        """The visits of that part of the table."""
        return ReadChunk(self.as_written(table, problems), problems, share)

    def _plain_part(self, part: Chunk) -> ReadChunk | None:
        """The visits of a part that is plain; None: it is not."""
        if part.block is None or self.plain is None:
            return None
        grid = part.block.grid()
        read = self.plain.visits(grid) if grid else None
        if read is None:
            return None
        visits, found = read
        lines = np.arange(part.block.line, part.block.line + len(visits.patient_ids))
        place = Location(part.block.form.name, 0, "line", lines, part=part.file)
        if self._in_folder:
            place = Location(self.source.name, 0, pieces=pieces_of([place], [len(lines)]))
        return ReadChunk(replace(visits, table=replace(visits.table, location=place)), found, part.share)

    def table(self, part: Chunk) -> tuple[NamedTable, Problems]:
        """The cells of a part, and what was found in its lines."""
        found, source = Problems(), part.read()
        place = Location(source.name, 0, source.row_word, source.lines, part=part.file)
        table = filled(source, self.chosen, place, found)
        return together(Location(self.source.name, 0), [table]) if self._in_folder else table, found

    @property
    def _in_folder(self) -> bool:
        return len(self.source.files) > 1 or self.source.files[0] != self.source.name

    def placed(self, lines: Ints, file: Ints) -> NamedTable:
        """The table without its rows, which stand in those lines of those files."""
        source = self.source
        place = Location(source.name, 0, source.row_word, lines)
        if len(source.files) > 1:
            files = [Location(name, 0, "line", part=number) for number, name in enumerate(source.files)]
            place = Location(source.name, 0, pieces=Pieces(files, file, lines - 1, [{}] * len(files)))
        return replace(self.empty(), location=place)


def source_of(visits: Any) -> ChunkedTable | None:
    """The visits to be read in parts; None where they are not, or something is wrong with them from the first."""
    if not isinstance(visits, str | Path) or is_study(visits):
        return None
    try:
        source = chunked_table(Path(visits))
    except CohortError:
        return None
    return source if source is not None and source.header else None
