"""Quarantine: what cannot be read of a study is left out and reported.

A count, a grade or a rescue treatment is left out by itself, as the rest of its row can be used. Anything else, such as
a date, leaves its row without a place. `Cohort.left_out` says what may have been there, so that nothing is decided on
it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import LeftOut, Note
from itp_response.cohort.values import Bools, Ints
from itp_response.messages.wording import counted, counted_patients
from itp_response.readers.cells import as_grades
from itp_response.readers.column_names import NamedTable
from itp_response.readers.known_names import UNIT_OF
from itp_response.readers.problems import BrokenLine, Cells, Problems, UnreadableCells, as_json, as_text, first_few

REPORT = ("file", "line", "column", "value", "reason", "row", "patient_id", "left_out")
"""The columns of the report.

`row` has the cells that were read as JSON, or the text of a broken line. `left_out` is `row`, or `cell` where the rest
of the row is used.
"""
BEGINS = " begins"
"""Beside these, while reports are gathered: the line in which a row begins that was put together from several."""
COMPLETED = ("platelets", "bleeding_grade", "rescue")
"""Columns of the visits: what is decided is decided for all that such a cell may have held."""
WITHOUT_EFFECT = ("arm", "actual_arm")
"""Columns on which no verdict depends."""
OF_A_PLACE = ("patient_id", "date", "day", "enrolment_date", "enrolment_day")
"""Columns without which a row has no place: the whole row is left out."""
NOBODY = np.zeros(0, dtype=np.int64)


@dataclass
class _OfTable:
    """What was left out of one table, by the numbers of its rows (`NamedTable.all_numbers`)."""

    rows: Ints = field(default_factory=lambda: NOBODY)
    cells: dict[str, Ints] = field(default_factory=dict)
    """By the readers' names of columns."""


class _Unreadable(NamedTuple):
    """What cannot be read of a column, without hold on the table."""

    order: int
    """That of the table."""
    name: str | None
    """The readers' name of the column; None: it is not known, or it is several."""
    numbers: Ints
    report: pl.DataFrame
    may_be_0: bool
    """A grade of 0 may be among what is left out with it."""
    of_anybody: bool
    """Its rows may be of any patient."""

    @property
    def takes_row(self) -> bool:
        """Whether the whole row is left out."""
        return self.name is None or self.name in OF_A_PLACE

    @property
    def column(self) -> str | None:
        """The column that is left out: a count whose unit cannot be read is not known either."""
        return self.name and UNIT_OF.get(self.name, self.name)


class Quarantine:
    """What was left out so far, and the reasons; a row may have several."""

    def __init__(self) -> None:
        self._left_out: dict[int, _OfTable] = {}
        """By the order of the table."""
        self._reports: list[tuple[int, pl.DataFrame]] = []
        """Each with the order of its table."""
        self._may_be_0 = False
        self._undecided: list[pl.Series] = []
        """The ids of patients with more left out than counts, grades and rescues; null: an unknown patient."""
        self._asked: dict[object, list[_Unreadable]] = {}
        """What is left out if the question of that key is raised."""
        self.broken_lines: list[BrokenLine] = []
        """The lines that became no row, which may have had anything in them."""

    def copy(self) -> "Quarantine":
        """A copy in which more can be left out."""
        copied = Quarantine()
        copied._left_out = {order: replace(table, cells=dict(table.cells)) for order, table in self._left_out.items()}
        copied._reports, copied._undecided = list(self._reports), list(self._undecided)
        copied._may_be_0, copied.broken_lines = self._may_be_0, list(self.broken_lines)
        return copied

    @property
    def may_be_scored(self) -> bool:
        """A grade of 0 may be among what was left out."""
        return self._may_be_0 or any(line.column is None for line in self.broken_lines)

    def without(self, table: NamedTable) -> NamedTable:
        """The table without what was left out of it."""
        left_out = self._left_out.get(table.location.order)
        table = replace(table, may_be_scored=self.may_be_scored)
        if left_out is None:
            return table
        kept = np.flatnonzero(~np.isin(table.all_numbers, left_out.rows))
        return table.without_cells(left_out.cells).only(kept)

    def leave_out(self, problems: Problems, tables: Sequence[NamedTable]) -> bool:
        """Leave out what has problems, from the tables that were read; False: that does not solve all of them."""
        by_location = {id(table.location): table for table in tables}
        if problems.beyond_rows or any(id(one.cells.location) not in by_location for one in problems.unreadable):
            return False
        for one in problems.unreadable:
            self._take(_unreadable(one, by_location[id(one.cells.location)]))
        return bool(problems.unreadable)

    def keep_asked(self, problems: Problems, tables: Sequence[NamedTable]) -> None:
        """Keep what is left out if a question is raised (`leave_out_asked`) once the other chunks have been read."""
        by_location = {id(table.location): table for table in tables}
        for key, cells in problems.asked_cells.items():
            kept = [_unreadable(one, by_location[id(one.cells.location)]) for one in cells if len(one.rows)]
            self._asked.setdefault(key, []).extend(kept)

    def leave_out_asked(self, raised: Iterable[object]) -> None:
        """Leave out what the questions of these keys are about."""
        for key in raised:
            for one in self._asked.pop(key, ()):
                self._take(one)

    def _take(self, one: _Unreadable) -> None:
        left_out = self._left_out.setdefault(one.order, _OfTable())
        if one.takes_row:
            left_out.rows = np.union1d(left_out.rows, one.numbers)
        else:
            assert one.column is not None
            left_out.cells[one.column] = np.union1d(left_out.cells.get(one.column, NOBODY), one.numbers)
        self._may_be_0 |= one.may_be_0
        self._reports.append((one.order, one.report))
        if one.column not in (*COMPLETED, *WITHOUT_EFFECT):
            self._undecided.append(one.report["patient_id"])
        if one.of_anybody:
            self._undecided.append(pl.Series("patient_id", [None], dtype=pl.String))

    @property
    def patients(self) -> pl.Series:
        """The patients with something left out."""
        return self.report["patient_id"].drop_nulls().unique(maintain_order=True)

    @property
    def undecided(self) -> pl.Series:
        """The ids of the patients on whom no verdict is given; null: of some row the patient is not known."""
        of_lines = pl.Series("patient_id", [line.patient for line in self.broken_lines], dtype=pl.String)
        return pl.concat([of_lines, *self._undecided]).unique()

    @property
    def report(self) -> pl.DataFrame:
        """The excluded records in the order of the files: one row per cell that cannot be read, columns `REPORT`."""
        return self.with_beginnings.drop(BEGINS)

    @property
    def with_beginnings(self) -> pl.DataFrame:
        """The report, and where the row of each cell begins (`BEGINS`)."""
        schema = dict.fromkeys(REPORT, pl.String) | {"line": pl.Int64, BEGINS: pl.Int64}
        rows = [
            (of.location.name, of.line, of.column, of.value, of.reason, of.text, of.patient, "row", of.line)
            for of in self.broken_lines
        ]
        # Both tables may be of one file, and of a line its visits come first.
        reports = [report for _, report in sorted(self._reports, key=lambda of_table: of_table[0])]
        return pl.concat([pl.DataFrame(rows, schema=schema, orient="row"), *reports]).sort(
            "file", "line", maintain_order=True
        )


def _unreadable(unreadable: UnreadableCells, table: NamedTable) -> _Unreadable:
    rows = np.asarray(unreadable.rows, dtype=np.int64)
    name = _column_of(unreadable.cells, table)
    takes_row = name is None or name in OF_A_PLACE
    return _Unreadable(
        table.location.order,
        name,
        table.all_numbers[rows],
        _report(unreadable, table, rows, "row" if takes_row else "cell"),
        _has_grade_of_0(table, rows) if takes_row else name == "bleeding_grade",
        unreadable.of_anybody,
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


def _report(unreadable: UnreadableCells, table: NamedTable, rows: Ints, left_out: str) -> pl.DataFrame:
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
            "left_out": pl.Series([left_out], dtype=pl.String).new_from_index(0, len(rows)),
            BEGINS: pl.Series(_beginnings(unreadable.cells, rows), dtype=pl.Int64),
        }
    )


def _beginnings(cells: Cells, rows: Ints) -> list[int]:
    """The line in which each of the rows begins."""
    sources = [cells.location.source(row) for row in rows.tolist()]
    return [location.line(row) for location, row, _ in sources]


def with_quarantine(cohort: Cohort, quarantine: Quarantine) -> Cohort:
    """The cohort with the report of excluded records, what was left out of each patient, and notes."""
    report, undecided = quarantine.with_beginnings, quarantine.undecided
    notes = (*cohort.notes, *quarantine_notes(cohort.id, report, undecided))
    return replace(with_left_out(cohort, report, undecided), quarantine=report.drop(BEGINS), notes=notes)


def with_left_out(cohort: Cohort, report: pl.DataFrame, undecided: pl.Series) -> Cohort:
    """The cohort with the number of rows that were left out of each patient, in whole or in part.

    No verdict is given on the patients `undecided`; where one of them is null, on none.
    """
    left_out = _with_undecided(cohort, undecided)
    return replace(cohort, quarantined=rows_left_out(cohort.id, report), left_out=left_out)


def each_row_once(report: pl.DataFrame) -> pl.DataFrame:
    """The report with one entry per row; of a row that was put together from several lines, these may be reported."""
    return report.unique(_row_key(report), keep="first", maintain_order=True)


def _row_key(report: pl.DataFrame) -> list[str]:
    """The columns that tell the rows of the files apart."""
    return ["file", BEGINS if BEGINS in report.columns else "line"]


def rows_left_out(ids: pl.Series, report: pl.DataFrame) -> Ints:
    """The number of rows that were left out of each patient, in whole or in part."""
    rows = each_row_once(report).drop_nulls("patient_id").group_by("patient_id").len()
    of_patients = ids.alias("patient_id").to_frame().join(rows, on="patient_id", how="left", maintain_order="left")
    return of_patients["len"].fill_null(0).to_numpy().astype(np.int64)


OF_ANYBODY = (
    "The excluded rows of an unknown patient may belong to any patient, so no result is given for any; "
    "fill in the patient there, or delete the row."
)


def quarantine_notes(ids: pl.Series, report: pl.DataFrame, undecided: pl.Series) -> list[Note]:
    """The notes on what was left out; `ids` are all patients."""
    notes = []
    rows = each_row_once(report)
    if len(rows):
        patients = ids.filter(pl.Series(rows_left_out(ids, report) > 0)).to_list()
        notes.append(Note("quarantine", f"Quarantined as unreadable: {_counted(patients, rows, report)}.", True))
    if undecided.null_count():
        notes.append(Note("quarantine", OF_ANYBODY, True))
    return notes


def _counted(patients: list[str], rows: pl.DataFrame, report: pl.DataFrame) -> str:
    """The numbers of what was left out; `rows` has each row of the files once."""
    whole = each_row_once(report.filter(left_out="row"))
    in_part = report.join(whole, on=_row_key(report), how="anti").unique([*_row_key(report), "column"])
    number_in_part = len(rows) - len(whole)
    further = "further row" if len(whole) else "row"
    of_whole = [f"{counted(len(whole), 'row')} in whole"] if len(whole) else []
    of_cells = f"{counted(len(in_part), 'cell')} of {counted(number_in_part, further)}, the rest of which is used"
    left_out = ", and ".join([*of_whole, *([of_cells] if number_in_part else [])])
    of = [f"{counted_patients(len(patients))} ({first_few(patients)})"] if patients else []
    without_patient = int(rows["patient_id"].null_count())
    lost = [f"{counted(without_patient, 'row')} without a known patient"] if without_patient else []
    return f"{left_out}; {' and '.join([*of, *lost])}"


def _with_undecided(cohort: Cohort, undecided: pl.Series) -> LeftOut | None:
    """What was left out of the cohort; None: nothing that a verdict may hang on."""
    some: Bools = np.full(len(cohort), undecided.null_count() > 0)
    some |= cohort.id.is_in(undecided.drop_nulls().to_list()).to_numpy()
    if cohort.left_out is not None:
        return replace(cohort.left_out, undecided=cohort.left_out.undecided | some)
    return LeftOut(NOBODY, NOBODY, NOBODY, NOBODY, some) if some.any() else None
