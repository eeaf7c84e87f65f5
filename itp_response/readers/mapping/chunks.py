"""Chunks of a mapped file: first what all of its rows say of the patients, then the visits of each chunk.

Two things take all rows, and only the columns that tell them are read for it: the values of a patient, which may stand
in any row, and which patients and visits `only` takes. Of these columns no more rows are kept than tell something new.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import polars as pl

from itp_response.readers.chunks import ChunkedTable, ChunkSize, WantedColumns
from itp_response.readers.column_names import NamedTable, report_file
from itp_response.readers.mapping.mapped_file import MappedFile, MappedRows
from itp_response.readers.mapping.mapped_tables import patients_of, visits_of
from itp_response.readers.mapping.mapping import NOTHING_FILLED_IN
from itp_response.readers.open_table import OpenTable
from itp_response.readers.problems import Location, Problems
from itp_response.readers.quarantine import Quarantine

LINE = " line"
"""A column beside those of the file, whose names have no white space around them."""
KEPT = 1_000_000
"""Rows that are kept beyond double of those that tell something, before they are looked at again."""


# THE PATIENTS


def rows_of_patients(source: MappedFile, table: ChunkedTable, size: ChunkSize) -> MappedRows:
    """The rows that tell all that the file says of its patients.

    If they contradict each other all rows are kept, as each that does is reported.
    """
    telling = _rows(source, table, size, all_rows=False)
    problems = Problems()
    patients_of(telling, telling.location(1), (), problems)
    return _rows(source, table, size, all_rows=True) if problems.any_wrong else telling


def _rows(source: MappedFile, table: ChunkedTable, size: ChunkSize, *, all_rows: bool) -> MappedRows:
    positions = sorted(source.of_patients)
    kept = [source.texts(_no_cells(positions), positions).with_columns(pl.lit(0).cast(pl.Int64).alias(LINE))]
    most = KEPT
    for chunk in table.chunks(WantedColumns(positions, None), size):
        opened = chunk.read()
        frame = source.texts(opened.load(positions), positions)
        lines = Location(table.name, 1, lines=opened.lines).all_lines(np.arange(len(frame)))
        frame = frame.with_columns(pl.Series(LINE, lines, dtype=pl.Int64))
        kept.append(frame if all_rows else _telling(source, frame))
        if not all_rows and sum(map(len, kept)) > most:
            kept = [_telling(source, pl.concat(kept))]
            most = 2 * len(kept[0]) + KEPT
    frame = pl.concat(kept) if all_rows else _telling(source, pl.concat(kept))
    place = partial(_placed, table, frame[LINE].to_numpy())
    return MappedRows(source, frame.drop(LINE), place)


def _no_cells(positions: Sequence[int]) -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(map(str, positions), pl.String))


def _placed(table: ChunkedTable, lines: np.ndarray, order: int) -> Location:
    return Location(table.name, order, table.row_word, lines, decimal=table.decimal)


def _telling(source: MappedFile, frame: pl.DataFrame) -> pl.DataFrame:
    """The first row of each patient, of each value of theirs, and of each value that `only` asks for."""
    patients = source.file.patients
    rows = MappedRows(source, frame, lambda _: Location("", 0))
    kept = rows.ids.is_first_distinct()
    for column in {column for visit in source.file.visits for column in visit.only} | set(patients.only):
        kept |= frame[column].is_first_distinct()
    beside = [source.header[position] for position in source.beside.values()]
    of_patient = {name: frame[column] for name, column in patients.chosen.items() if name != "patient_id"}
    if "baseline" in of_patient:
        of_patient["baseline"] = of_patient["baseline"].set(~rows.of_baseline, None)
    for cells in [*of_patient.values(), *(frame[column] for column in (*patients.only, *beside))]:
        pairs = pl.DataFrame({"id": rows.ids, "cell": cells, "row": np.arange(len(frame))})
        first = pairs.filter(pl.col("cell").is_not_null()).unique(["id", "cell"], keep="first")["row"]
        kept = kept.scatter(first, True)
    return frame.filter(kept)


# THE VISITS


@dataclass(frozen=True)
class MappedVisits:
    """How the rows of a mapped file, read in chunks, become rows of visits."""

    mapped: MappedFile
    source: ChunkedTable
    names: tuple[str, ...]
    """The readers' names of the columns that are read."""
    wanted_ids: pl.Series | None
    """The patients who are not left out; None: all."""
    any_wanted: bool
    """Some row is of a patient who is not left out."""

    @classmethod
    def read(
        cls, mapped: MappedFile, source: ChunkedTable, names: tuple[str, ...], size: ChunkSize, problems: Problems
    ) -> tuple["MappedVisits", MappedRows]:
        """The visits, of which only the header is read, and the rows that tell of all patients."""
        rows = rows_of_patients(mapped, source, size)
        for name, note in source.notes:
            problems.note(Location(name, 0), note)
        rows.report(rows.location(0), problems)
        wanted = rows.ids.filter(rows.of_wanted).drop_nulls().unique() if mapped.file.patients.only else None
        visits = cls(mapped, source, names, wanted, bool(rows.of_wanted.any()))
        # Without rows, the same is noted as in each chunk, in the place where a whole file has it.
        visits.visits(visits.no_cells, problems)
        visits._rows(visits.no_cells).count_unused(visits.no_cells.location, problems)
        return visits, rows

    @property
    def nothing_read(self) -> str:
        """The problem of a file without any visit; an empty text: there is none."""
        return NOTHING_FILLED_IN if self.any_wanted else ""

    def wanted(self, _: Sequence[str]) -> WantedColumns:
        """The columns of the file; all are read as texts, as codes may stand for any."""
        return WantedColumns(self._positions, self._patient)

    @cached_property
    def empty(self) -> NamedTable:
        """The table of visits without its rows."""
        return self.visits(self.no_cells, Problems())

    @cached_property
    def no_cells(self) -> NamedTable:
        """The table of cells (`cells`) without its rows."""
        location = Location(self.source.name, 0, self.source.row_word, np.zeros(0, dtype=np.int64))
        frame = self.mapped.texts(_no_cells(self._positions), self._positions)
        return self._cells(location, frame)

    def cells(self, opened: OpenTable, location: Location, problems: Problems) -> NamedTable:
        """The rows of a chunk of the file, their columns named by position, save that of the patients."""
        frame = self.mapped.texts(opened.load(self._positions), self._positions)
        report_file(opened, location, problems, patient_first=self._patient == 0)
        cells = self._cells(location, frame)
        self._rows(cells).count_unused(location, problems)
        return cells

    def visits(self, cells: NamedTable, problems: Problems) -> NamedTable:
        """The visits of rows of the file."""
        table = visits_of(self._rows(cells), cells.location, self.names, problems)
        pieces = table.location.pieces
        if cells.numbers is None or pieces is None:
            return table
        return replace(table, numbers=cells.numbers[pieces.row] * len(self.mapped.file.visits) + pieces.piece)

    def used(self, cells: NamedTable, left_out: Quarantine) -> NamedTable:
        """The rows of the file of which there are visits that are not left out."""
        pieces = left_out.without(self.visits(cells, Problems())).location.pieces
        assert pieces is not None
        return cells.only(np.unique(pieces.row))

    def _cells(self, location: Location, frame: pl.DataFrame) -> NamedTable:
        header = {"patient_id": self.mapped.file.patients.patient_id}
        return NamedTable(location, frame.rename(self._by_position), header)

    def _rows(self, cells: NamedTable) -> MappedRows:
        names = {position: name for name, position in self._by_position.items()}
        frame = cells.frame.select(list(names)).rename(names)
        return MappedRows(self.mapped, frame, lambda _: cells.location, self.wanted_ids)

    @cached_property
    def _positions(self) -> list[int]:
        return sorted(self.mapped.of_visits)

    @property
    def _patient(self) -> int:
        return self.source.header.index(self.mapped.file.patients.patient_id)

    @cached_property
    def _by_position(self) -> dict[str, str]:
        """By the names of the file, those in the tables of cells."""
        names = {self.source.header[position]: str(position) for position in self._positions}
        return names | {self.mapped.file.patients.patient_id: "patient_id"}
