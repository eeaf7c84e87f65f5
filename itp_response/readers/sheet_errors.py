"""Sheet errors: the cells of an old Excel (.xls) or OpenDocument (.ods) sheet that hold an error of the spreadsheet.

fastexcel, which reads the cells, gives these as empty.
"""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from itp_response.messages.errors import CohortError

ERROR_TEXT = re.compile(r"#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!)|Err:\d+")
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"


def xls_errors(path: Path, sheet: str) -> Iterator[tuple[int, str]]:
    """The rows of these cells, each with what is wrong, in a file of Excel 97 to 2003."""
    try:
        import xlrd
    except ImportError:
        raise CohortError(f"{path.name}: this needs xlrd: pip install 'itp-response[excel]'.") from None
    with path.open("rb") as file, xlrd.open_workbook(file_contents=file.read(), on_demand=True) as book:
        cells = book.sheet_by_name(sheet)
        for row in range(cells.nrows):
            for column, kind in enumerate(cells.row_types(row)):
                if kind == xlrd.XL_CELL_ERROR:
                    error = xlrd.error_text_from_code.get(cells.cell_value(row, column), "an error")
                    yield row + 1, holds_error(f"{xlrd.colname(column)}{row + 1}", error)


def ods_errors(path: Path, sheet: str) -> Iterator[tuple[int, str]]:
    """The same of an OpenDocument sheet.

    Raises `KeyError` or `zipfile.BadZipFile` if it is none.
    """
    with zipfile.ZipFile(path) as book:
        root = ElementTree.fromstring(book.read("content.xml"))
    table = next(element for element in root.iter(f"{TABLE}table") if element.get(f"{TABLE}name") == sheet)
    number = 1
    for row in table.iter(f"{TABLE}table-row"):
        column = 1
        for cell in row:
            text = "".join(paragraph.text or "" for paragraph in cell.iter(f"{TEXT}p"))
            if cell.get(f"{TABLE}formula") and ERROR_TEXT.fullmatch(text.strip()):
                yield number, holds_error(f"{column_letters(column)}{number}", text.strip())
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


def holds_error(cell: str, error: str) -> str:
    """The problem of a cell."""
    return f"{cell} holds {error}, an error of the spreadsheet; correct it."
