"""Workbook: a sheet of an Excel or OpenDocument workbook as a table; fastexcel reads its cells.

It gives an empty cell where a formula ended in an error or was never calculated, and where a cell is merged with
another, so these are looked for in the file and read as texts that say so. That is done first, as fastexcel takes the
memory for all cells up to the last one, however far away that is.
"""

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from itp_response.cohort.values import Ints
from itp_response.messages.errors import CohortError, some_of, unknown
from itp_response.messages.optional_imports import needed
from itp_response.readers.complete import WORKBOOK, check_elsewhere, unbroken
from itp_response.readers.header import LOOKED_AT, header_position, no_such_header, note_on_header
from itp_response.readers.open_table import OpenTable
from itp_response.readers.sheet_errors import SheetCell, SheetForm, check_ods, ods_form, xls_form
from itp_response.readers.text import check_unpacked
from itp_response.readers.xlsx_form import visible_sheets, xlsx_form

READ_XLS = """
book = fastexcel.read_excel(data)
for name in book.sheet_names:
    book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
"""
"""Reads an old workbook by fastexcel; it is no archive whose parts can be looked at first."""
FORMS: dict[str, Callable[[Path, str], SheetForm]] = {".xls": xls_form, ".ods": ods_form}
"""The functions that give the forms of sheets in other workbooks than .xlsx."""
DATE = r"^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}(?:\.\d+)?)$"
"""A cell that is a date, as fastexcel writes it; with a `T` in it, no format of texts is asked of it."""


def workbook(path: Path, sheet: str | None = None, header_row: int | None = None) -> OpenTable:
    """A sheet of an Excel or OpenDocument workbook (None: its first); rows are numbered as in Excel.

    `header_row` is the row with the names of the columns; None: it is looked for.
    """
    fastexcel = needed("fastexcel", "excel", f"{path.name}: ", CohortError)
    if path.suffix.lower() == ".xls":
        check_elsewhere("fastexcel", READ_XLS, path.read_bytes(), path.name, WORKBOOK)
    else:
        _check_parts(path)
    if path.suffix.lower() == ".ods":
        unbroken(path.name, WORKBOOK, lambda: check_ods(path))
    book = unbroken(path.name, WORKBOOK, lambda: fastexcel.read_excel(path))
    name = unbroken(path.name, WORKBOOK, lambda: _first_visible(path, book)) if sheet is None else sheet
    if name not in book.sheet_names:
        raise CohortError(unknown("sheet", name, book.sheet_names).after(f"{path.name}: "))
    form = unbroken(path.name, WORKBOOK, lambda: FORMS.get(path.suffix.lower(), xlsx_form)(path, name))
    # Read from the first row on and as texts, so that rows keep their numbers and ids their zeros.
    cells: pl.DataFrame = unbroken(
        path.name, WORKBOOK, lambda: book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars()
    )
    others = [other for other in book.sheet_names if other != name]
    notes = [f"The sheet {name!r} was read, not {some_of(map(repr, others))}."] if others else []
    if not cells.width or not cells.select(_filled()).to_series().any():
        cure = f"; say --sheet, there are: {some_of(map(repr, others))}" if others else ""
        raise CohortError(f"{path.name}: the sheet {name!r} is empty{cure}.")
    table = _below_header(path.name, cells, header_row, form)
    return replace(table, notes=[*notes, *form.notes, *table.notes], others=tuple(others), from_1904=form.from_1904)


def _check_parts(path: Path) -> None:
    """Raises `CohortError` for an archive with a part that is broken, is there twice, or is packed as no table is."""

    def of_archive() -> None:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            check_unpacked(sum(part.file_size for part in parts), path.stat().st_size, path.name)
            if len({part.filename for part in parts}) < len(parts) or archive.testzip() is not None:
                raise zipfile.BadZipFile

    unbroken(path.name, WORKBOOK, of_archive)


def _first_visible(path: Path, book: Any) -> str:
    """The name of the first sheet that is not hidden; of the first, if all are."""
    names: list[str] = book.sheet_names
    if path.suffix.lower() in FORMS:
        visible = (name for name in names if book.load_sheet(name, n_rows=0).visible == "visible")
    else:
        visible = (name for name in visible_sheets(path) if name in names)
    return next(visible, names[0])


def _below_header(file: str, cells: pl.DataFrame, told: int | None, form: SheetForm) -> OpenTable:
    """The rows of a sheet below its header."""
    filled = _filled_rows(cells)
    rows = [[(text or "").strip() for text in row] for row in cells.head(max(LOOKED_AT, told or 0)).rows()]
    if told is not None and (told > len(rows) or not any(rows[told - 1])):
        raise no_such_header(told, len(cells), "row", file)
    position = int(filled[0]) if told is None and filled[0] >= LOOKED_AT else _position(rows, told)
    header = [(text or "").strip() for text in cells.row(position)]
    note = note_on_header(rows, range(1, len(rows) + 1), position, told is not None, "row")
    cells = _with_texts(_as_large(cells, form), form.errors, position, form.first_column)
    filled = _filled_rows(cells)
    cells = _with_texts(cells, form.merged, position, form.first_column, filled)
    below: Ints = filled[filled > position]

    def load(positions: Sequence[int]) -> pl.DataFrame:
        columns = (cells.to_series(column)[below].alias(str(column)) for column in positions)
        return pl.DataFrame(columns).with_columns(pl.all().str.replace(DATE, "${1}T${2}"))

    return OpenTable(file, header, load, below + 1, "row", notes=list(filter(None, [note])))


def _filled_rows(cells: pl.DataFrame) -> Ints:
    return cells.select(_filled()).to_series().arg_true().to_numpy().astype(np.int64)


def _as_large(cells: pl.DataFrame, form: SheetForm) -> pl.DataFrame:
    """The cells with further empty rows, if the last ones have errors alone."""
    last = max((cell.row for cell in form.errors), default=0)
    return pl.concat([cells, cells.clear(max(0, last - len(cells)))])


def _with_texts(
    cells: pl.DataFrame, of_form: list[SheetCell], header: int, first: int, rows: Ints | None = None
) -> pl.DataFrame:
    """The cells with these texts in place of what they hold, below the header; if given, in these rows alone.

    `first` is the column of the sheet that is the first of the cells; columns without a header are not looked at.
    """
    columns: dict[int, dict[int, str]] = {}
    for cell in of_form:
        if header + 1 < cell.row <= len(cells) and 0 <= cell.column - first < cells.width:
            columns.setdefault(cell.column - first, {})[cell.row - 1] = cell.text
    kept = np.arange(len(cells)) if rows is None else rows
    for column, texts in columns.items():
        at = np.intersect1d(list(texts), kept)
        values = cells.to_series(column).cast(pl.String).scatter(at, [texts[row] for row in at.tolist()])
        cells = cells.with_columns(values)
    return cells


def _position(rows: Sequence[Sequence[str]], told: int | None) -> int:
    found = header_position(rows) if told is None else told - 1
    assert found is not None  # a row is filled
    return found


def _filled() -> pl.Expr:
    """The rows that are not empty."""
    return pl.any_horizontal(pl.all().str.strip_chars().fill_null("") != "")
