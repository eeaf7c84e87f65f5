"""Quarantine: the rows of a study that cannot be read, left out and reported one by one."""

import numpy as np
import polars as pl

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import Note
from itp_response.cohort.values import Ints
from itp_response.readers.column_names import NamedTable
from itp_response.readers.problems import BrokenLine, Problems, UnreadableCells, as_json, as_text, first_few

REPORT = ("file", "line", "column", "value", "reason", "row", "patient_id")
"""The columns of the report; `row` has the cells that were looked at as JSON, of a row that is none its text."""


class Quarantine:
    """The rows left out so far, and why; a row may be left out for several reasons."""

    def __init__(self) -> None:
        self._left_out: dict[int, Ints] = {}
        self._reports: list[pl.DataFrame] = []

    def without(self, table: NamedTable) -> NamedTable:
        """The table without the rows left out of it."""
        gone = self._left_out.get(table.location.order)
        return table if gone is None else table.only(np.setdiff1d(np.arange(len(table.frame)), gone))

    def leave_out(self, problems: Problems, tables: tuple[NamedTable, ...]) -> bool:
        """Leave out the rows in which something was found wrong; False: something else was found wrong too."""
        by_place = {id(table.location): table for table in tables}
        of = [by_place.get(id(unread.cells.location)) for unread in problems.unreadable]
        if problems.beyond_rows or None in of:
            return False
        # Rows are counted in what is left of the tables.
        before = {table.location.order: self._kept(table) for table in tables}
        for unread, table in zip(problems.unreadable, of, strict=True):
            assert table is not None
            order = table.location.order
            rows = np.asarray(unread.rows, dtype=np.int64)
            self._reports.append(_report(unread, table, rows))
            gone = self._left_out.get(order, np.zeros(0, dtype=np.int64))
            self._left_out[order] = np.union1d(gone, before[order][rows])
        return bool(problems.unreadable)

    def _kept(self, table: NamedTable) -> Ints:
        gone = self._left_out.get(table.location.order, np.zeros(0, dtype=np.int64))
        return np.setdiff1d(np.arange(len(table.frame) + len(gone)), gone)

    def patients(self, torn: list[BrokenLine]) -> pl.Series:
        """Those some of whose rows were left out."""
        return self.report(torn)["patient_id"].drop_nulls().unique(maintain_order=True)

    def report(self, torn: list[BrokenLine]) -> pl.DataFrame:
        """What was left out, in the order of the files: one row per cell that cannot be read."""
        schema = dict.fromkeys(REPORT, pl.String) | {"line": pl.Int64}
        rows = [(one.location.name, one.line, one.column, one.value, one.reason, one.text, one.patient) for one in torn]
        return pl.concat([pl.DataFrame(rows, schema=schema, orient="row"), *self._reports]).sort(
            "file", "line", maintain_order=True
        )


def _report(unread: UnreadableCells, table: NamedTable, rows: Ints) -> pl.DataFrame:
    places = [unread.cells.location.source(row, unread.cells.name) for row in rows.tolist()]
    values = as_text(unread.cells.values.gather(rows)).fill_null("")
    reasons = {text: unread.wording(text) for text in values.unique().to_list()}
    written = {table.header[name]: name for name in table.header}
    cells = as_json(table.frame[rows].select(pl.col(name).alias(header) for header, name in written.items()))
    return pl.DataFrame(
        {
            "file": pl.Series([place.name for place, _, _ in places], dtype=pl.String),
            "line": pl.Series([place.line(row) for place, row, _ in places], dtype=pl.Int64),
            "column": pl.Series([name for _, _, name in places], dtype=pl.String),
            "value": values,
            "reason": pl.Series([reasons[text] for text in values.to_list()], dtype=pl.String),
            "row": cells,
            "patient_id": as_text(table.cells("patient_id").values.gather(rows)),
        }
    )


def with_quarantine(cohort: Cohort, report: pl.DataFrame) -> Cohort:
    """The cohort with what was left out, and of whom."""
    from dataclasses import replace

    rows = report.unique(["file", "line"], keep="first")
    numbers = rows.drop_nulls("patient_id").group_by("patient_id").len()
    number = cohort.id.alias("patient_id").to_frame().join(numbers, on="patient_id", how="left", maintain_order="left")
    touched = number["len"].fill_null(0).to_numpy().astype(np.int64)
    notes = cohort.notes
    if len(rows):
        who = cohort.id.filter(pl.Series(touched > 0)).to_list()
        of = f" of {len(who)} patient{'s' if len(who) > 1 else ''} ({first_few(who)})" if who else ""
        nobody = int(rows["patient_id"].null_count())
        lost = f"; of {nobody} the patient is not known" if nobody else ""
        many = f"{len(rows)} rows" if len(rows) > 1 else "1 row"
        notes = (*notes, Note("quarantine", f"Quarantined: {many}{of}, left out as they cannot be read{lost}.", True))
    return replace(cohort, quarantined=touched, quarantine=report, notes=notes)
