"""Workbook: a sheet of an Excel or OpenDocument workbook as a table; fastexcel reads its cells.

It gives an empty cell where a formula ended in an error or was never calculated, so these are looked for in the XML of
the sheet. The names of elements are compared without their namespaces, as Strict Open XML has others.
"""

import posixpath
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.parsers import expat

import numpy as np
import polars as pl

from itp_response.cohort.values import Ints
from itp_response.messages.errors import CohortError, unknown
from itp_response.readers.header import LOOKED_AT, header_position, no_such_header, note_on_header
from itp_response.readers.open_table import OpenTable
from itp_response.readers.sheet_errors import column_letters, holds_error, ods_errors, xls_errors

ERRORS = b't="e"', b"t='e'"
FORMULAS = b"<f", b":f"
DATE = r"^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}(?:\.\d+)?)$"
"""A cell that is a date, as fastexcel writes it; with a `T` in it, no format of texts is asked of it."""
ERRORS_OF = {".xls": xls_errors, ".ods": ods_errors}
"""The functions that find the errors of other spreadsheets than .xlsx."""


def workbook(path: Path, sheet: str | None = None, header_row: int | None = None) -> OpenTable:
    """A sheet of an Excel or OpenDocument workbook (None: its first); rows are numbered as in Excel.

    `header_row` is the row with the names of the columns; None: it is looked for.
    """
    try:
        import fastexcel
    except ImportError:
        raise CohortError(f"{path.name}: this needs fastexcel: pip install 'itp-response[excel]'.") from None
    try:
        book = fastexcel.read_excel(path)
        name = book.sheet_names[0] if sheet is None else sheet
        if name not in book.sheet_names:
            raise CohortError(f"{path.name}: {unknown('sheet', name, book.sheet_names)}")
        # Read from the first row on and as texts, so that rows keep their numbers and ids their zeros.
        cells = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars()
        wrong = list(ERRORS_OF.get(path.suffix.lower(), wrong_cells)(path, name))
    except (fastexcel.FastExcelError, zipfile.BadZipFile, KeyError, StopIteration, ElementTree.ParseError):
        raise CohortError(f"{path.name}: this is no whole workbook; save it again as .xlsx.") from None
    others = [other for other in book.sheet_names if other != name]
    notes = [f"The sheet {name!r} was read, not {', '.join(map(repr, others))}."] if others else []
    return _below_header(path.name, name, cells, header_row, wrong, notes)


def _below_header(
    file: str,
    sheet: str,
    cells: pl.DataFrame,
    told: int | None,
    wrong: list[tuple[int, str]],
    notes: list[str],
) -> OpenTable:
    """The rows of a sheet below its header."""
    filled = cells.select(_filled()).to_series().arg_true().to_numpy().astype(np.int64)
    if not len(filled):
        raise CohortError(f"{file}: the sheet {sheet!r} is empty.")
    rows = [[(text or "").strip() for text in row] for row in cells.head(max(LOOKED_AT, told or 0)).rows()]
    if told is not None and (told > len(rows) or not any(rows[told - 1])):
        raise no_such_header(told, len(cells), "row", file)
    position = int(filled[0]) if told is None and filled[0] >= LOOKED_AT else _position(rows, told)
    header = [(text or "").strip() for text in cells.row(position)]
    note = note_on_header(rows, range(1, len(rows) + 1), position, told is not None, "row")
    below: Ints = filled[filled > position]

    def load(positions: Sequence[int]) -> pl.DataFrame:
        columns = (cells.to_series(column)[below].alias(str(column)) for column in positions)
        return pl.DataFrame(columns).with_columns(pl.all().str.replace(DATE, "${1}T${2}"))

    problems = [(row, text) for row, text in wrong if row > position]
    return OpenTable(file, header, load, below + 1, "row", problems, [*notes, *filter(None, [note])])


def _position(rows: Sequence[Sequence[str]], told: int | None) -> int:
    found = header_position(rows) if told is None else told - 1
    assert found is not None  # a row is filled
    return found


def _filled() -> pl.Expr:
    """The rows that are not empty."""
    return pl.any_horizontal(pl.all().str.strip_chars().fill_null("") != "")


# CELLS WITHOUT A VALUE


def wrong_cells(path: Path, sheet: str) -> Iterator[tuple[int, str]]:
    """The rows of cells that hold an error of the spreadsheet, or a formula that was never calculated.

    Raises `KeyError` or `StopIteration` if the parts of the workbook do not fit together.
    """
    with zipfile.ZipFile(path) as book:
        part = _related(book, "", "officeDocument")
        root = ElementTree.fromstring(book.read(part))
        # What a program wrote that never calculated has a value of 0, and asks Excel to calculate when it opens it.
        uncalculated = any(_attribute(element, "fullCalcOnLoad") in ("1", "true") for element in _named(root, "calcPr"))
        key = next(_attribute(element, "id") for element in _named(root, "sheet") if element.get("name") == sheet)
        data = book.read(_related(book, part, "", key))
    if not any(mark in data for mark in (*ERRORS, *FORMULAS)):
        return
    for cell in _cells(data):
        if cell.holds == "e":
            yield cell.row, holds_error(cell.name, cell.value)
        elif cell.formula and (not cell.value or (uncalculated and cell.value == "0")):
            what = "holds a formula that was never calculated"
            yield cell.row, f"{cell.name} {what}; open the file in a spreadsheet and save it."


def _named(root: Element, name: str) -> Iterator[Element]:
    return (element for element in root.iter() if element.tag.rpartition("}")[2] == name)


def _attribute(element: Element, name: str) -> str | None:
    """An attribute in whatever namespace."""
    return next((text for key, text in element.attrib.items() if key.rpartition("}")[2] == name), None)


def _related(book: zipfile.ZipFile, part: str, kind: str, key: str | None = None) -> str:
    """The part of a workbook that another (`""`: the workbook itself) refers to, by its kind or its key."""
    folder, name = posixpath.split(part)
    relations = ElementTree.fromstring(book.read(posixpath.join(folder, "_rels", f"{name}.rels")))
    target = next(
        relation.get("Target", "")
        for relation in relations
        if (relation.get("Type", "").endswith(f"/{kind}") if key is None else relation.get("Id") == key)
    )
    return posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")


@dataclass
class _Cell:
    """A cell as the sheet has it."""

    row: int
    name: str
    """As `C4`."""
    holds: str
    """Its type, `e` for an error."""
    formula: bool = False
    value: str = ""


def _cells(data: bytes) -> Iterator[_Cell]:
    """The cells of a sheet with an error or a formula, in its order."""
    found: list[_Cell] = []
    scan = _Scan(found)
    reader = expat.ParserCreate()
    reader.StartElementHandler, reader.EndElementHandler = scan.begin, scan.end
    reader.CharacterDataHandler = scan.text
    reader.buffer_text = True
    reader.Parse(data, True)
    return iter(found)


class _Scan:
    """Goes through a sheet and keeps its cells with an error or a formula."""

    def __init__(self, found: list[_Cell]) -> None:
        self.found = found
        self.row = self.column = 0
        self.cell: _Cell | None = None
        self.inside = ""

    def begin(self, tag: str, attributes: dict[str, Any]) -> None:
        name = self.inside = tag.rpartition(":")[2]
        if name == "row":
            # Rows and cells may go without their numbers; they then follow each other.
            self.row, self.column = int(attributes.get("r", self.row + 1)), 0
        elif name == "c":
            self.column += 1
            reference = attributes.get("r") or f"{column_letters(self.column)}{self.row}"
            self.cell = _Cell(self.row, reference, attributes.get("t", "n"))
        elif name == "f" and self.cell is not None:
            self.cell.formula = True

    def text(self, text: str) -> None:
        if self.inside == "v" and self.cell is not None:
            self.cell.value += text

    def end(self, tag: str) -> None:
        if tag.rpartition(":")[2] == "c" and self.cell is not None:
            if self.cell.holds == "e" or self.cell.formula:
                self.found.append(self.cell)
            self.cell = None
        self.inside = ""
