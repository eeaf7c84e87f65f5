"""Sheet errors: the cells of an old Excel (.xls) or OpenDocument (.ods) sheet that hold an error of the spreadsheet.

fastexcel, which reads the cells, gives these as empty. Here each has the text of its error, as a cell of text may have
it too, so that it is a problem of its column (`cell_errors`).
"""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from itp_response.messages.errors import CohortError
from itp_response.messages.optional_imports import needed

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


def xls_form(path: Path, sheet: str) -> SheetForm:
    """The form of a sheet in a file of Excel 97 to 2003."""
    xlrd = needed("xlrd", "excel", f"{path.name}: ", CohortError)
    with path.open("rb") as file, xlrd.open_workbook(file_contents=file.read(), on_demand=True) as book:
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
    cells = list(_ods_cells(path, sheet))
    errors = [error_cell(cell.row, cell.column, cell.text) for cell, is_error in cells if is_error]
    return SheetForm(errors, [], [], first_column=min((cell.column for cell, _ in cells), default=0))


def _ods_cells(path: Path, sheet: str) -> Iterator[tuple[SheetCell, bool]]:
    """The cells with a text, and whether it is that of an error."""
    with zipfile.ZipFile(path) as book:
        root = ElementTree.fromstring(book.read("content.xml"))
    table = next(element for element in root.iter(f"{TABLE}table") if element.get(f"{TABLE}name") == sheet)
    number = 1
    for row in table.iter(f"{TABLE}table-row"):
        column = 0
        for cell in row:
            text = "".join(paragraph.text or "" for paragraph in cell.iter(f"{TEXT}p"))
            if text.strip():
                is_error = cell.get(f"{TABLE}formula") is not None and ERROR_TEXT.fullmatch(text.strip()) is not None
                yield SheetCell(number, column, text.strip()), is_error
            column += _repeated(cell, "columns")
        number += _repeated(row, "rows")


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
