"""Form of a sheet in an .xlsx workbook: its errors, merged and hidden cells, and how far its cells reach.

A sheet is gone through once by an XML parser, as legal XML can be written in many ways. The names of elements are
compared without their namespaces, as Strict Open XML has others.
"""

import posixpath
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.parsers import expat

from itp_response.messages.wording import counted, listed
from itp_response.readers.sheet_errors import (
    FROM_1904,
    SheetCell,
    SheetForm,
    check_extent,
    column_letters,
    column_number,
    error_cell,
)
from itp_response.readers.text import check_unpacked, most_unpacked

REFERENCE = re.compile(r"([A-Z]{1,9})([0-9]{1,18})", re.IGNORECASE)
TRUE = ("1", "true")


def visible_sheets(path: Path) -> list[str]:
    """The names of the sheets that are not hidden.

    Raises `KeyError` or `StopIteration` if the parts of the workbook do not fit together.
    """
    with zipfile.ZipFile(path) as book:
        root = ElementTree.fromstring(book.read(_related(book, "", "officeDocument")))
    sheets = (sheet for sheet in _named(root, "sheet") if _attribute(sheet, "state") in (None, "visible"))
    return [sheet.get("name", "") for sheet in sheets]


def xlsx_form(path: Path, sheet: str) -> SheetForm:
    """The form of a sheet; among its errors are formulas that were never calculated.

    Raises `KeyError` or `StopIteration` if the parts of the workbook do not fit together, and `CohortError` for a sheet
    that reaches too far.
    """
    with zipfile.ZipFile(path) as book:
        part = _related(book, "", "officeDocument")
        root = ElementTree.fromstring(book.read(part))
        # What a program wrote that never calculated has a value of 0, and asks Excel to calculate when it opens it.
        uncalculated = any(_attribute(element, "fullCalcOnLoad") in TRUE for element in _named(root, "calcPr"))
        from_1904 = any(_attribute(element, "date1904") in TRUE for element in _named(root, "workbookPr"))
        key = next(_attribute(element, "id") for element in _named(root, "sheet") if element.get("name") == sheet)
        walk = _Walk(uncalculated)
        data = book.read(_related(book, part, "", key))
        walk.through(data)
        if walk.shared:
            _check_shared(path, data, walk, _lengths(book, part))
    check_extent(path.name, walk.filled, walk.last_row, walk.first_column, walk.last_column)
    notes = [*([FROM_1904] if from_1904 else []), *walk.hidden()]
    return SheetForm(walk.errors, list(walk.merged()), notes, from_1904, max(walk.first_column, 0))


def _check_shared(path: Path, data: bytes, walk: "_Walk", lengths: list[int]) -> None:
    """Raises `CohortError` if texts that many cells share take too much, as each cell has the whole of its text."""
    size = path.stat().st_size
    if walk.shared * max(lengths, default=0) > most_unpacked(size):
        counting = _Walk(walk.uncalculated, counts_uses=True)
        counting.through(data)
        letters = sum(lengths[at] * number for at, number in counting.uses.items() if at < len(lengths))
        check_unpacked(letters, size, path.name)


def _lengths(book: zipfile.ZipFile, part: str) -> list[int]:
    """The number of letters of each text that the cells of a workbook share."""
    lengths = []
    with book.open(_related(book, part, "sharedStrings")) as texts:
        for _, element in ElementTree.iterparse(texts):
            if element.tag.rpartition("}")[2] == "si":
                lengths.append(sum(len(text.text or "") for text in _named(element, "t")))
                element.clear()
    return lengths


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


def _local(tag: str) -> str:
    """The name of an element without its prefix."""
    return tag.rpartition(":")[2] if ":" in tag else tag


class _Walk:
    """Goes through the XML of a sheet once, and keeps what its cells have beside their values."""

    def __init__(self, uncalculated: bool, *, counts_uses: bool = False) -> None:
        self.uncalculated = uncalculated
        self.counts_uses = counts_uses
        self.shared = 0
        """Cells whose text is one of those that cells share."""
        self.uses: Counter[int] = Counter()
        """Of each of these, the cells; if they are counted."""
        self.errors: list[SheetCell] = []
        self.filled = 0
        """Cells with a value or a formula."""
        self.last_row = 0
        self.first_column = self.last_column = -1
        self._row = self._column = 0
        self._holds, self._is_formula, self._is_filled = "n", False, False
        self._texts = {"v": "", "f": ""}
        self._inside = ""
        self._hidden_rows = 0
        self._hidden_columns: list[int] = []
        self._merged: list[tuple[str, str]] = []
        self._reader = expat.ParserCreate()
        self._reader.buffer_text = True
        self._reader.StartElementHandler = self._begin
        self._reader.EndElementHandler = self._end

    def through(self, data: bytes) -> None:
        """Go through the XML; raises `ExpatError` or `ValueError` if it is no sheet."""
        self._reader.Parse(data, True)

    def _begin(self, tag: str, attributes: dict[str, Any]) -> None:
        name = _local(tag)
        if name == "c":
            self._begin_cell(attributes)
        elif name in ("v", "f", "is"):
            self._is_filled = True
            if name == "f":
                self._is_formula = True
            # The text of most cells is not needed.
            if self._is_formula or self._holds == "e" or (self.counts_uses and self._holds == "s"):
                self._inside, self._reader.CharacterDataHandler = name, self._text
        elif name == "row":
            # Rows and cells may go without their numbers; they then follow each other.
            self._row, self._column = int(attributes.get("r", self._row + 1)), 0
            self._hidden_rows += attributes.get("hidden") in TRUE
        elif name == "col" and attributes.get("hidden") in TRUE:
            self._hidden_columns.append(int(attributes["min"]))
        elif name == "mergeCell":
            first, _, last = attributes["ref"].partition(":")
            self._merged.append((first, last or first))

    def _begin_cell(self, attributes: dict[str, Any]) -> None:
        reference = attributes.get("r")
        self._column += 1
        if reference is not None:
            column, self._row = _position(reference)
            self._column = column + 1
        self._holds = attributes.get("t", "n")
        self._is_formula = self._is_filled = False
        self._texts = {"v": "", "f": ""}

    def _text(self, text: str) -> None:
        if self._inside in self._texts:
            self._texts[self._inside] += text

    def _end(self, tag: str) -> None:
        self._inside = ""
        if _local(tag) == "c":
            self._end_cell()

    def _end_cell(self) -> None:
        self._reader.CharacterDataHandler = None
        column, value = self._column - 1, self._texts["v"].strip()
        if self._is_filled:
            self.filled += 1
            self.last_row = max(self.last_row, self._row)
            self.first_column = column if self.first_column < 0 else min(column, self.first_column)
            self.last_column = max(column, self.last_column)
        if self._holds == "s":
            self.shared += 1
            if value.isdecimal():
                self.uses[int(value)] += 1
        # A text that a formula gave may be empty.
        without_value = not value and self._holds != "str"
        if self._holds == "e":
            self.errors.append(error_cell(self._row, column, value))
        elif self._is_formula and (without_value or (self.uncalculated and value == "0")):
            self.errors.append(SheetCell(self._row, column, f"={self._texts['f']}"))

    def hidden(self) -> list[str]:
        """The note on rows and columns that a spreadsheet does not show."""
        hidden = [counted(self._hidden_rows, "row")] * bool(self._hidden_rows)
        hidden += [f"column {column_letters(number)}" for number in self._hidden_columns]
        return [f"Hidden in the sheet, and read all the same: {listed(hidden)}."] if hidden else []

    def merged(self) -> Iterator[SheetCell]:
        """The cells that are merged with the first of theirs, as far as there are rows and columns with values."""
        for first, last in self._merged:
            (left, top), (right, bottom) = _position(first), _position(last)
            for row in range(top, min(bottom, self.last_row) + 1):
                for column in range(left, min(right, self.last_column) + 1):
                    if (row, column) != (top, left):
                        yield SheetCell(row, column, f"(merged with {first})")


def _position(reference: str) -> tuple[int, int]:
    """The column, from 0, and the row of a cell such as `C4`; raises `ValueError` for another text."""
    match = REFERENCE.fullmatch(reference)
    if match is None:
        raise ValueError(reference)
    return column_number(match[1].upper()), int(match[2])
