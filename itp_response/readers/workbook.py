"""Workbook: a sheet of an Excel or OpenDocument workbook as a table; fastexcel reads its cells.

It gives an empty cell where a formula ended in an error or was never calculated, and where a cell is merged with
another, so these are looked for in the XML of the sheet and read as texts that say so. The names of elements are
compared without their namespaces, as Strict Open XML has others.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.parsers import expat

import numpy as np
import polars as pl

from itp_response.cohort.values import Ints
from itp_response.messages.errors import CohortError, unknown
from itp_response.messages.optional_imports import needed
from itp_response.messages.wording import counted, listed
from itp_response.readers.header import LOOKED_AT, header_position, no_such_header, note_on_header
from itp_response.readers.open_table import OpenTable
from itp_response.readers.sheet_errors import (
    FROM_1904,
    SheetCell,
    SheetForm,
    column_letters,
    column_number,
    error_cell,
    ods_form,
    xls_form,
)

ERRORS = b't="e"', b"t='e'"
FORMULAS = b"<f", b":f"
FORMS = {".xls": xls_form, ".ods": ods_form}
"""The functions that give the forms of sheets in other workbooks than .xlsx."""
HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row\b[^>]*\bhidden=[\"'](?:1|true)")
HIDDEN_COLUMN = re.compile(rb"<(?:\w+:)?col\b[^>]*\bhidden=[\"'](?:1|true)[^>]*>")
MERGED = re.compile(rb"<(?:\w+:)?mergeCell\b[^>]*\bref=[\"']([A-Z]+)(\d+):([A-Z]+)(\d+)")
FILLED = re.compile(rb"<(?:\w+:)?c\b[^>]*\br=[\"']([A-Z]+)\d+[^>]*[^/]>")
FIRST_COLUMN = re.compile(rb"\bmin=[\"'](\d+)")
TRUE = ("1", "true")
DATE = r"^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}(?:\.\d+)?)$"
"""A cell that is a date, as fastexcel writes it; with a `T` in it, no format of texts is asked of it."""


def workbook(path: Path, sheet: str | None = None, header_row: int | None = None) -> OpenTable:
    """A sheet of an Excel or OpenDocument workbook (None: its first); rows are numbered as in Excel.

    `header_row` is the row with the names of the columns; None: it is looked for.
    """
    fastexcel = needed("fastexcel", "excel", f"{path.name}: ", CohortError)
    try:
        book = fastexcel.read_excel(path)
        name = _first_visible(book) if sheet is None else sheet
        if name not in book.sheet_names:
            raise CohortError(unknown("sheet", name, book.sheet_names).after(f"{path.name}: "))
        # Read from the first row on and as texts, so that rows keep their numbers and ids their zeros.
        cells = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars()
        form = FORMS.get(path.suffix.lower(), xlsx_form)(path, name)
    except (fastexcel.FastExcelError, zipfile.BadZipFile, KeyError, StopIteration, ElementTree.ParseError):
        raise CohortError(f"{path.name}: this is not a complete workbook; save it again as .xlsx.") from None
    others = [other for other in book.sheet_names if other != name]
    notes = [f"The sheet {name!r} was read, not {', '.join(map(repr, others))}."] if others else []
    if not cells.select(_filled()).to_series().any():
        cure = f"; say --sheet, there are: {', '.join(map(repr, others))}" if others else ""
        raise CohortError(f"{path.name}: the sheet {name!r} is empty{cure}.")
    table = _below_header(path.name, cells, header_row, form)
    return replace(table, notes=[*notes, *form.notes, *table.notes], others=tuple(others), from_1904=form.from_1904)


def _first_visible(book: Any) -> str:
    """The name of the first sheet that is not hidden; of the first, if all are."""
    names: list[str] = book.sheet_names
    return next((name for name in names if book.load_sheet(name, n_rows=0).visible == "visible"), names[0])


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


# THE FORM OF A SHEET


def xlsx_form(path: Path, sheet: str) -> SheetForm:
    """The form of a sheet; among its errors are formulas that were never calculated.

    Raises `KeyError` or `StopIteration` if the parts of the workbook do not fit together.
    """
    with zipfile.ZipFile(path) as book:
        part = _related(book, "", "officeDocument")
        root = ElementTree.fromstring(book.read(part))
        # What a program wrote that never calculated has a value of 0, and asks Excel to calculate when it opens it.
        uncalculated = any(_attribute(element, "fullCalcOnLoad") in TRUE for element in _named(root, "calcPr"))
        from_1904 = any(_attribute(element, "date1904") in TRUE for element in _named(root, "workbookPr"))
        key = next(_attribute(element, "id") for element in _named(root, "sheet") if element.get("name") == sheet)
        data = book.read(_related(book, part, "", key))
    notes = [*([FROM_1904] if from_1904 else []), *_hidden(data)]
    errors, merged = list(_errors(data, uncalculated=uncalculated)), list(_merged(data))
    return SheetForm(errors, merged, notes, from_1904, _first_column(data) if errors or merged else 0)


def _first_column(data: bytes) -> int:
    """The first column with a value."""
    return min(map(column_number, {match.decode() for match in FILLED.findall(data)}), default=0)


def _errors(data: bytes, *, uncalculated: bool) -> Iterator[SheetCell]:
    """The cells with an error or a formula without a value, of which 0 is none if nothing was `uncalculated`."""
    if not any(mark in data for mark in (*ERRORS, *FORMULAS)):
        return
    for cell in _cells(data):
        column = column_number(cell.name.rstrip("0123456789"))
        # A text that a formula gave may be empty.
        without_value = not cell.value and cell.holds != "str"
        if cell.holds == "e":
            yield error_cell(cell.row, column, cell.value)
        elif cell.is_formula and (without_value or (uncalculated and cell.value == "0")):
            yield SheetCell(cell.row, column, f"={cell.formula}")


def _merged(data: bytes) -> Iterator[SheetCell]:
    """The cells that are merged with the first of theirs."""
    for match in MERGED.finditer(data):
        first, top, last, bottom = (group.decode() for group in match.groups())
        for row in range(int(top), int(bottom) + 1):
            for column in range(column_number(first), column_number(last) + 1):
                if (row, column) != (int(top), column_number(first)):
                    yield SheetCell(row, column, f"(merged with {first}{top})")


def _hidden(data: bytes) -> list[str]:
    """The note on rows and columns that a spreadsheet does not show."""
    rows = len(HIDDEN_ROW.findall(data))
    columns = [match.group() for match in HIDDEN_COLUMN.finditer(data)]
    numbers = [int(found.group(1)) for found in map(FIRST_COLUMN.search, columns) if found]
    hidden = [counted(rows, "row")] * bool(rows)
    hidden += [f"column {column_letters(number)}" for number in numbers]
    return [f"Hidden in the sheet, and read all the same: {listed(hidden)}."] if hidden else []


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
    is_formula: bool = False
    formula: str = ""
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
            self.cell.is_formula = True

    def text(self, text: str) -> None:
        if self.inside == "v" and self.cell is not None:
            self.cell.value += text
        elif self.inside == "f" and self.cell is not None:
            self.cell.formula += text

    def end(self, tag: str) -> None:
        if tag.rpartition(":")[2] == "c" and self.cell is not None:
            if self.cell.holds == "e" or self.cell.is_formula:
                self.found.append(self.cell)
            self.cell = None
        self.inside = ""
