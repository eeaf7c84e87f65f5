"""Quarantine: what cannot be read of a study is left out and reported.

A count, a grade or a rescue treatment is left out by itself, as the rest of its row can be used. Anything else, such as
a date, leaves its row without a place. `Cohort.left_out` says what may have been there, so that nothing is decided on
it.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import LeftOut, Note
from itp_response.cohort.values import Bools, Ints
from itp_response.readers.cells import as_grades
from itp_response.readers.column_names import NamedTable
from itp_response.readers.known_names import UNIT_OF
from itp_response.readers.problems import BrokenLine, Cells, Problems, UnreadableCells, as_json, as_text, first_few

REPORT = ("file", "line", "column", "value", "reason", "row", "patient_id", "left_out")
"""The columns of the report.

`row` has the cells that were read as JSON, or the text of a broken line. `left_out` is `row`, or `cell` where the rest
of the row is used.
"""
COMPLETED = ("platelets", "bleeding_grade", "rescue")
"""Columns of the visits: what is decided is decided for all that such a cell may have held."""
WITHOUT_EFFECT = ("arm",)
"""Columns on which no verdict depends."""
OF_A_PLACE = ("patient_id", "date", "day", "enrolment_date", "enrolment_day")
"""Columns without which a row has no place: the whole row is left out."""
NOBODY = np.zeros(0, dtype=np.int64)


@dataclass
class _OfTable:
    """What was left out of one table, by the rows of the whole table."""

    rows: Ints = field(default_factory=lambda: NOBODY)
    cells: dict[str, Ints] = field(default_factory=dict)
    """By the readers' names of columns."""


class Quarantine:
    """What was left out so far, and the reasons; a row may have several."""

    def __init__(self) -> None:
        self._left_out: dict[int, _OfTable] = {}
        self._reports: list[pl.DataFrame] = []
        self._may_be_scored = False
        self._undecided: list[pl.Series] = []
        """The ids of patients of whom more than a count, a grade or a rescue was left out; null: an unknown one."""

    def without(self, table: NamedTable) -> NamedTable:
        """The table without what was left out of it."""
        left_out = self._left_out.get(table.location.order)
        table = replace(table, may_be_scored=self._may_be_scored)
        if left_out is None:
            return table
        kept = np.setdiff1d(np.arange(len(table.frame)), left_out.rows)
        return table.without_cells(left_out.cells).only(kept)

    def leave_out(self, problems: Problems, tables: tuple[NamedTable, ...]) -> bool:
        """Leave out what has problems, from the tables that were read; False: that does not solve all of them."""
        by_location = {id(table.location): table for table in tables}
        tables_of = [by_location.get(id(unreadable.cells.location)) for unreadable in problems.unreadable]
        if problems.beyond_rows or None in tables_of:
            return False
        # The problems number the rows that were left in the tables.
        kept = {table.location.order: self._kept(table) for table in tables}
        for unreadable, table in zip(problems.unreadable, tables_of, strict=True):
            assert table is not None
            order = table.location.order
            rows = np.asarray(unreadable.rows, dtype=np.int64)
            left_out = self._left_out.setdefault(order, _OfTable())
            name = _column_of(unreadable.cells, table)
            if name is None or name in OF_A_PLACE:
                left_out.rows = np.union1d(left_out.rows, kept[order][rows])
                self._may_be_scored |= _has_grade_of_0(table, rows)
            else:
                # A count whose unit cannot be read is not known either.
                taken = UNIT_OF.get(name, name)
                left_out.cells[taken] = np.union1d(left_out.cells.get(taken, NOBODY), kept[order][rows])
                self._may_be_scored |= name == "bleeding_grade"
            self._reports.append(_report(unreadable, table, rows, name))
            if name is None or UNIT_OF.get(name, name) not in (*COMPLETED, *WITHOUT_EFFECT):
                self._undecided.append(self._reports[-1]["patient_id"])
            if unreadable.of_anybody:
                self._undecided.append(pl.Series("patient_id", [None], dtype=pl.String))
        return bool(problems.unreadable)

    def _kept(self, table: NamedTable) -> Ints:
        """The rows in the whole table that are left in `table`."""
        left_out = self._left_out.get(table.location.order, _OfTable()).rows
        return np.setdiff1d(np.arange(len(table.frame) + len(left_out)), left_out)

    def patients(self, broken_lines: list[BrokenLine]) -> pl.Series:
        """The patients of whom something was left out."""
        return self.report(broken_lines)["patient_id"].drop_nulls().unique(maintain_order=True)

    def take_broken(self, lines: list[BrokenLine]) -> None:
        """Take account of lines that became no row, which may have had anything in them."""
        self._may_be_scored |= any(line.column is None for line in lines)
        self._undecided.append(pl.Series("patient_id", [line.patient for line in lines], dtype=pl.String))

    @property
    def undecided(self) -> pl.Series:
        """The ids of the patients on whom no verdict is given; null: of some row the patient is not known."""
        return pl.concat([pl.Series("patient_id", [], dtype=pl.String), *self._undecided]).unique()

    def report(self, broken_lines: list[BrokenLine]) -> pl.DataFrame:
        """The excluded records in the order of the files: one row per cell that cannot be read, columns `REPORT`."""
        schema = dict.fromkeys(REPORT, pl.String) | {"line": pl.Int64}
        rows = [
            (line.location.name, line.line, line.column, line.value, line.reason, line.text, line.patient, "row")
            for line in broken_lines
        ]
        return pl.concat([pl.DataFrame(rows, schema=schema, orient="row"), *self._reports]).sort(
            "file", "line", maintain_order=True
        )


def _column_of(cells: Cells, table: NamedTable) -> str | None:
    """The readers' name of a column with problems; None: it is not known, or it is several."""
    names = [name for name, header in table.header.items() if cells.name in (name, header)]
    if not names and table.location.pieces is not None:
        # A column of a domain of SDTM has its own name there.
        names = [
            name for of_piece in table.location.pieces.names for name, own in of_piece.items() if own == cells.name
        ]
    names = list(dict.fromkeys(names))
    return names[0] if len(names) == 1 else None


def _has_grade_of_0(table: NamedTable, rows: NDArray[np.integer]) -> bool:
    """Whether a row to be left out has a grade of 0, or one that cannot be read."""
    cells, problems = table.cells("bleeding_grade"), Problems()
    grades = as_grades(replace(cells, values=cells.values.gather(rows)), problems)
    return bool((grades == 0).any()) or problems.any_wrong


def _report(unreadable: UnreadableCells, table: NamedTable, rows: Ints, name: str | None) -> pl.DataFrame:
    sources = [unreadable.cells.location.source(row, unreadable.cells.name) for row in rows.tolist()]
    values = as_text(unreadable.cells.values.gather(rows)).fill_null("")
    reasons = {text: unreadable.wording(text) for text in values.unique().to_list()}
    by_header = {header: name for name, header in table.header.items()}
    cells = as_json(table.frame[rows].select(pl.col(name).alias(header) for header, name in by_header.items()))
    return pl.DataFrame(
        {
            "file": pl.Series([location.name for location, _, _ in sources], dtype=pl.String),
            "line": pl.Series([location.line(row) for location, row, _ in sources], dtype=pl.Int64),
            "column": pl.Series([name for _, _, name in sources], dtype=pl.String),
            "value": values,
            "reason": pl.Series([reasons[text] for text in values.to_list()], dtype=pl.String),
            "row": cells,
            "patient_id": as_text(table.cells("patient_id").values.gather(rows)),
        }
    ).with_columns(left_out=pl.lit("row" if name is None or name in OF_A_PLACE else "cell"))


def with_quarantine(cohort: Cohort, report: pl.DataFrame, undecided: pl.Series) -> Cohort:
    """The cohort with the report of excluded records, their number per patient, and notes.

    No verdict is given on the patients `undecided`; where one of them is null, on none.
    """
    rows = report.unique(["file", "line"], keep="first")
    numbers = rows.drop_nulls("patient_id").group_by("patient_id").len()
    number = cohort.id.alias("patient_id").to_frame().join(numbers, on="patient_id", how="left", maintain_order="left")
    quarantined = number["len"].fill_null(0).to_numpy().astype(np.int64)
    notes = cohort.notes
    if len(rows):
        text = _counted(cohort.id.filter(pl.Series(quarantined > 0)).to_list(), rows, report)
        notes = (*notes, Note("quarantine", f"Quarantined: {text}.", True))
    if undecided.null_count():
        notes = (*notes, Note("quarantine", OF_ANYBODY, True))
    left_out = _with_undecided(cohort, undecided)
    return replace(cohort, quarantined=quarantined, quarantine=report, left_out=left_out, notes=notes)


OF_ANYBODY = (
    "What was left out of a patient who is not known may be of any of them, so no verdict is given on any; "
    "fill in the patient there, or take the row out of the file."
)


def _counted(patients: list[str], rows: pl.DataFrame, report: pl.DataFrame) -> str:
    """The numbers of what was left out; `rows` has each row of the files once."""
    of = f" of {len(patients)} patient{'s' if len(patients) > 1 else ''} ({first_few(patients)})" if patients else ""
    without_patient = int(rows["patient_id"].null_count())
    lost = f"; of {without_patient} the patient is not known" if without_patient else ""
    in_part = len(rows) - report.filter(left_out="row").unique(["file", "line"]).height
    cells = f"; of {in_part} only a cell, the rest is used" if in_part else ""
    many = f"{len(rows)} rows" if len(rows) > 1 else "1 row"
    return f"{many}{of}, left out as they cannot be read{lost}{cells}"


def _with_undecided(cohort: Cohort, undecided: pl.Series) -> LeftOut | None:
    """What was left out of the cohort; None: nothing that a verdict may hang on."""
    some: Bools = np.full(len(cohort), undecided.null_count() > 0)
    some |= cohort.id.is_in(undecided.drop_nulls().to_list()).to_numpy()
    if cohort.left_out is not None:
        return replace(cohort.left_out, undecided=cohort.left_out.undecided | some)
    return LeftOut(NOBODY, NOBODY, NOBODY, NOBODY, some) if some.any() else None
