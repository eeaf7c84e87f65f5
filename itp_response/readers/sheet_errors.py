"""Sheet errors: the cells of an old Excel (.xls) or OpenDocument (.ods) sheet that hold an error of the spreadsheet.

fastexcel, which reads the cells, gives these as empty. Here each has the text of its error, as a cell of text may have
it too, so that it is a problem of its column (`cell_errors`).
"""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from itp_response.messages.errors import CohortError
from itp_response.messages.optional_imports import needed
from itp_response.messages.wording import counted
from itp_response.readers.text import check_unpacked

ERROR_TEXT = re.compile(r"#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!)|Err:\d+")
FROM_1904 = "The workbook counts days from 1904: numbers of days in it are --date-format excel-1904."
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"


class SheetCell(NamedTuple):
    """A cell of a sheet, and the text that it is read as."""

    row: int
    """From 1, as in Excel."""
    column: int
    """From 0."""
    text: str


class SheetForm(NamedTuple):
    """What a sheet has beside its values."""

    errors: list[SheetCell]
    merged: list[SheetCell]
    """The cells that are merged with another, which has the value."""
    notes: list[str]
    from_1904: bool = False
    """Days are counted from 1904."""
    first_column: int = 0
    """The first column with a value, which is the first that fastexcel gives."""


def error_cell(row: int, column: int, error: str) -> SheetCell:
    """A cell with an error; `#N/A` as a text says that nothing was given, so it has more to it."""
    return SheetCell(row, column, "#N/A!" if error == "#N/A" else error)


LAST_ROW, LAST_COLUMN = 1 << 20, 1 << 14
"""The size of a sheet, in Excel and in LibreOffice."""
MOST_CELLS, MOST_EMPTY = 10_000_000, 50
"""From the first column to the last cell, a sheet has no more cells than this, or no more per cell that is filled."""


def check_extent(name: str, filled: int, last_row: int, first_column: int, last_column: int) -> None:
    """Raises `CohortError` for a sheet whose cells reach too far; `filled` are those with a value.

    All cells up to the last take memory, also where they are empty.
    """
    last = f"{column_letters(last_column + 1)}{last_row}"
    if last_row > LAST_ROW or last_column >= LAST_COLUMN:
        what = f"the cell {last} lies outside of a sheet, which ends at XFD{LAST_ROW}"
        raise CohortError(f"{name}: {what}; save the workbook again.")
    if last_row * (last_column - first_column + 1) > max(MOST_CELLS, MOST_EMPTY * filled):
        what = f"the last cell is {last}, but only {counted(filled, 'cell')} of the sheet {_have(filled)} a value"
        raise CohortError(f"{name}: {what}; delete what is far from the data, or save the sheet as CSV.")


def _have(number: int) -> str:
    return "has" if number == 1 else "have"


def xls_form(path: Path, sheet: str) -> SheetForm:
    """The form of a sheet in a file of Excel 97 to 2003."""
    xlrd = needed("xlrd", "excel", f"{path.name}: ", CohortError)
    with (
        path.open("rb") as file,
        xlrd.open_workbook(
            # It writes what it notices on standard output, where the results go.
            file_contents=file.read(),
            on_demand=True,
            logfile=io.StringIO(),
        ) as book,
    ):
        cells = book.sheet_by_name(sheet)
        errors = [
            error_cell(row + 1, column, xlrd.error_text_from_code.get(cells.cell_value(row, column), "#VALUE!"))
            for row in range(cells.nrows)
            for column, kind in enumerate(cells.row_types(row))
            if kind == xlrd.XL_CELL_ERROR
        ]
        filled = (cells.col_types(column) for column in range(cells.ncols))
        empty = (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK)
        first = next((number for number, kinds in enumerate(filled) if not set(kinds) <= set(empty)), 0)
        return SheetForm(errors, [], [FROM_1904] if book.datemode else [], bool(book.datemode), first)


def ods_form(path: Path, sheet: str) -> SheetForm:
    """The form of an OpenDocument sheet.

    Raises `KeyError` or `zipfile.BadZipFile` if it is none.
    """
    table = next(table for table in _ods_tables(path) if table.get(f"{TABLE}name") == sheet)
    cells = list(_ods_cells(table))
    first = min((cell.column for cell in cells), default=0)
    errors = [
        error_cell(row, column, cell.text)
        for cell in cells
        if cell.is_error
        for row in range(cell.row, cell.row + cell.rows)
        for column in range(cell.column, cell.column + cell.columns)
    ]
    return SheetForm(errors, [], [], first_column=first)


def check_ods(path: Path) -> None:
    """Raises `CohortError` for a workbook with a sheet that takes too much memory.

    A cell is written once for many that are alike, so few of them can fill a sheet. All sheets are unpacked as soon as
    one of them is read.
    """
    for table in _ods_tables(path):
        filled = letters = last_row = last_column = 0
        first = LAST_COLUMN
        for cell in _ods_cells(table):
            filled += 1
            letters += len(cell.text) * cell.rows * cell.columns
            last_row = max(last_row, cell.row + cell.rows - 1)
            first, last_column = min(first, cell.column), max(last_column, cell.column + cell.columns - 1)
        check_extent(path.name, filled, last_row, first, last_column)
        check_unpacked(letters, path.stat().st_size, path.name)


class _OdsCells(NamedTuple):
    """Cells with the same text, side by side and below each other."""

    row: int
    column: int
    rows: int
    columns: int
    text: str
    is_error: bool


def _ods_tables(path: Path) -> Iterator[Element]:
    with zipfile.ZipFile(path) as book:
        root = ElementTree.fromstring(book.read("content.xml"))
    return root.iter(f"{TABLE}table")


def _ods_cells(table: Element) -> Iterator[_OdsCells]:
    """The cells with a text."""
    number = 1
    for row in table.iter(f"{TABLE}table-row"):
        column, rows = 0, _repeated(row, "rows")
        for cell in row:
            text = "".join("".join(paragraph.itertext()) for paragraph in cell.iter(f"{TEXT}p")).strip()
            columns = _repeated(cell, "columns")
            if text:
                yield _OdsCells(number, column, rows, columns, text, _is_ods_error(cell, text))
            column += columns
        number += rows


def _is_ods_error(cell: Element, text: str) -> bool:
    """Whether the text of a cell is that of an error; one that was typed is a text like any other."""
    said = any(key.endswith("}value-type") and value == "error" for key, value in cell.attrib.items())
    of_formula = cell.get(f"{TABLE}formula") is not None
    return said or (of_formula and ERROR_TEXT.fullmatch(text) is not None)


def _repeated(element: Element, what: str) -> int:
    return int(element.get(f"{TABLE}number-{what}-repeated", 1))


def column_letters(column: int) -> str:
    """The letters of a column.

    >>> column_letters(3), column_letters(28)
    ('C', 'AB')
    """
    letters = ""
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def column_number(letters: str) -> int:
    """The number of a column by its letters, from 0.

    >>> column_number("C"), column_number("AB")
    (2, 27)
    """
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
