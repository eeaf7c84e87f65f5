"""Quarantine: the rows of a study that cannot be read are left out and reported."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import Note
from itp_response.cohort.values import Ints
from itp_response.readers.column_names import NamedTable
from itp_response.readers.problems import BrokenLine, Problems, UnreadableCells, as_json, as_text, first_few

REPORT = ("file", "line", "column", "value", "reason", "row", "patient_id")
"""The columns of the report; `row` has the cells that were read as JSON, or the text of a broken line."""


class Quarantine:
    """The rows left out so far, and the reasons; a row may have several."""

    def __init__(self) -> None:
        self._left_out: dict[int, Ints] = {}
        """By the order of the table, the numbers of its rows."""
        self._reports: list[pl.DataFrame] = []
        self.broken_lines: list[BrokenLine] = []

    def copy(self) -> "Quarantine":
        """A copy in which further rows can be left out."""
        copied = Quarantine()
        copied._left_out, copied._reports = dict(self._left_out), list(self._reports)
        copied.broken_lines = list(self.broken_lines)
        return copied

    def without(self, table: NamedTable) -> NamedTable:
        """The table without the rows left out of it."""
        left_out = self._left_out.get(table.location.order)
        return table if left_out is None else table.only(np.flatnonzero(~np.isin(table.all_numbers, left_out)))

    def leave_out(self, problems: Problems, tables: Sequence[NamedTable]) -> bool:
        """Leave out the rows with problems, from the tables that were read; False: that does not solve all of them."""
        by_location = {id(table.location): table for table in tables}
        tables_of = [by_location.get(id(unreadable.cells.location)) for unreadable in problems.unreadable]
        if problems.beyond_rows or None in tables_of:
            return False
        for unreadable, table in zip(problems.unreadable, tables_of, strict=True):
            assert table is not None
            order = table.location.order
            rows = np.asarray(unreadable.rows, dtype=np.int64)
            self._reports.append(_report(unreadable, table, rows))
            left_out = self._left_out.get(order, np.zeros(0, dtype=np.int64))
            self._left_out[order] = np.union1d(left_out, table.all_numbers[rows])
        return bool(problems.unreadable)

    @property
    def patients(self) -> pl.Series:
        """The patients with rows that were left out."""
        return self.report["patient_id"].drop_nulls().unique(maintain_order=True)

    @property
    def report(self) -> pl.DataFrame:
        """The excluded records in the order of the files: one row per cell that cannot be read, columns `REPORT`."""
        schema = dict.fromkeys(REPORT, pl.String) | {"line": pl.Int64}
        rows = [
            (line.location.name, line.line, line.column, line.value, line.reason, line.text, line.patient)
            for line in self.broken_lines
        ]
        return pl.concat([pl.DataFrame(rows, schema=schema, orient="row"), *self._reports]).sort(
            "file", "line", maintain_order=True
        )


def _report(unreadable: UnreadableCells, table: NamedTable, rows: Ints) -> pl.DataFrame:
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
    )


def left_out_of(ids: pl.Series, report: pl.DataFrame) -> Ints:
    """The number of rows that were left out of each patient."""
    rows = report.unique(["file", "line"], keep="first").drop_nulls("patient_id").group_by("patient_id").len()
    of_patients = ids.alias("patient_id").to_frame().join(rows, on="patient_id", how="left", maintain_order="left")
    return of_patients["len"].fill_null(0).to_numpy().astype(np.int64)


def quarantine_notes(ids: pl.Series, report: pl.DataFrame) -> tuple[Note, ...]:
    """The note on the rows that were left out; `ids` are all patients."""
    rows = report.unique(["file", "line"], keep="first")
    if not len(rows):
        return ()
    patients = ids.filter(pl.Series(left_out_of(ids, report) > 0)).to_list()
    of = f" of {len(patients)} patient{'s' if len(patients) > 1 else ''} ({first_few(patients)})" if patients else ""
    without_patient = int(rows["patient_id"].null_count())
    lost = f"; of {without_patient} the patient is not known" if without_patient else ""
    many = f"{len(rows)} rows" if len(rows) > 1 else "1 row"
    return (Note("quarantine", f"Quarantined: {many}{of}, left out as they cannot be read{lost}.", True),)


def with_quarantine(cohort: Cohort, report: pl.DataFrame) -> Cohort:
    """The cohort with the report of excluded records, their number per patient, and a note."""
    notes = (*cohort.notes, *quarantine_notes(cohort.id, report))
    return replace(cohort, quarantined=left_out_of(cohort.id, report), quarantine=report, notes=notes)
