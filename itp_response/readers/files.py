"""Files: how a table is opened, so that each of its rows is known by its line."""

import json
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias
from xml.etree import ElementTree

import numpy as np
import polars as pl

from itp_response.messages.errors import CohortError, UsageError, unknown
from itp_response.readers.odm import flat
from itp_response.readers.open_table import OpenTable
from itp_response.readers.text import PACKED, whole

Tabular: TypeAlias = (
    "str | Path | pl.DataFrame | pl.LazyFrame | PandasFrame | ArrowStream | Sequence[Mapping[str, Any]] | GivesTable"
)
"""A file by its path, a frame, what speaks the Arrow PyCapsule interface, a list of rows, or what a mapping made."""


class PandasFrame(Protocol):
    """A pandas frame; pandas itself is not needed."""

    @property
    def iloc(self) -> Any: ...


class ArrowStream(Protocol):
    """A table of whatever library that gives its columns by the Arrow PyCapsule interface, without copies."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


class GivesTable(Protocol):
    """What gives the table itself, as a mapping does."""

    def as_table(self, order: int, names: Iterable[str], found: Any) -> Any: ...


def open_table(table: "Tabular", name: str, sheet: str | None = None) -> OpenTable:
    """The table of that file, frame or list of rows; `name` is for one that is no file, `sheet` that of a workbook.

    Raises `CohortError` for a file that cannot be read, `UsageError` for what is no table.
    """
    if isinstance(table, str | Path):
        return _file(Path(table), sheet)
    try:
        if isinstance(table, pl.LazyFrame):
            return _frame(table.collect(), name)
        if isinstance(table, pl.DataFrame):
            return _frame(table, name)
        if type(table).__module__.partition(".")[0] == "pandas" and hasattr(table, "columns"):
            return _frame(_from_pandas(table), name)
        if hasattr(table, "__arrow_c_stream__"):
            stream: Any = table
            return _frame(pl.DataFrame(stream), name)
    except (pl.exceptions.PolarsError, ValueError, TypeError, ImportError) as error:
        raise CohortError(f"{name}: this frame cannot be read: {str(error).splitlines()[0]}.") from None
    if isinstance(table, Sequence) and not isinstance(table, str) and all(isinstance(row, Mapping) for row in table):
        return _frame(_from_rows(table), name)
    kind = type(table).__name__
    known = "the path of a file, a frame of polars, pandas or Arrow, or a list of dicts"
    raise UsageError(f"{name} is {known}, not {kind!r}.")


def _file(path: Path, sheet: str | None = None) -> OpenTable:
    kind = kind_of(path)
    reader = READERS.get(kind)
    try:
        if path.is_dir():
            study = "An SDTM study has at least a dm and an lb in it, as .xpt, .csv, .parquet, .json or .ndjson."
            raise CohortError(f"{path.name}: this is a folder; name the file in it. {study}")
        if not path.exists():
            raise CohortError(f"{path.name}: there is no such file.")
        if reader is None:
            raise CohortError(f"{path.name}: {unknown('kind of file', kind, READERS)} Save the table as CSV.")
        if sheet is not None and reader is not workbook:
            raise CohortError(f"{path.name}: only a workbook (.xlsx) has sheets, so there is no sheet {sheet!r}.")
        return reader(path) if sheet is None else workbook(path, sheet)
    except OSError as error:
        raise CohortError(f"{path.name}: this cannot be read: {error.strerror or error}.") from None


def kind_of(path: Path) -> str:
    """What the file's name says it is, as `READERS` has it; that of a text file without the suffix of its packing."""
    suffix = path.suffix.lower()
    inner = Path(path.stem).suffix.lower()
    return inner if suffix in PACKED and READERS.get(inner) in (csv, tsv) else suffix


# FRAMES


def parquet(path: Path) -> OpenTable:
    """A Parquet file; its rows are numbered from 1."""
    return _scanned(path, lambda: pl.scan_parquet(path, glob=False), "Parquet")


def arrow(path: Path) -> OpenTable:
    """An Arrow IPC file (Feather), or a stream of Arrow saved; its rows are numbered from 1."""

    def scan() -> pl.LazyFrame:
        with path.open("rb") as file:
            whole = file.read(6) == b"ARROW1"
        lazy: pl.LazyFrame = pl.scan_ipc(path) if whole else pl.read_ipc_stream(path).lazy()
        return lazy

    return _scanned(path, scan, "Arrow")


def _scanned(path: Path, scan: Callable[[], pl.LazyFrame], kind: str) -> OpenTable:
    lazy, header = unbroken(path.name, kind, lambda: (made := scan(), made.collect_schema().names()))

    def columns(positions: Sequence[int]) -> pl.LazyFrame:
        made: pl.LazyFrame = lazy.select(pl.col(header[position]).alias(str(position)) for position in positions)
        return made

    def load(positions: Sequence[int]) -> pl.DataFrame:
        frame = unbroken(path.name, kind, lambda: columns(positions).collect())
        assert isinstance(frame, pl.DataFrame)
        return frame

    return OpenTable(path.name, header, load, scan=columns, kind=kind)


def unbroken(name: str, kind: str, read: Callable[[], Any]) -> Any:
    """What `read` gives; raises `CohortError` where the file of that name and kind is broken."""
    try:
        return read()
    # Polars panics on some broken files, and a panic is no `Exception`.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        raise CohortError(f"{name}: this is no whole {kind} file; write it again, or copy it again.") from None


def _frame(frame: pl.DataFrame, name: str) -> OpenTable:
    def load(positions: Sequence[int]) -> pl.DataFrame:
        return frame.select(frame.to_series(position).alias(str(position)) for position in positions)

    return OpenTable(name, frame.columns, load)


def _from_pandas(frame: Any) -> pl.DataFrame:
    """The frame of a pandas frame; objects are taken by their texts, as they may be of several types."""
    objects = [position for position, dtype in enumerate(frame.dtypes) if str(dtype) == "object"]
    if objects:
        frame = frame.copy()
        for position in objects:
            texts = frame.iloc[:, position].map(str, na_action="ignore")
            frame.isetitem(position, texts.astype(object).where(texts.notna(), None))
    made = pl.from_pandas(frame)
    assert isinstance(made, pl.DataFrame)
    return made


def _from_rows(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """The frame of a list of dicts; a column of several types is taken by its texts."""
    columns = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        types = {type(value) for value in values if value is not None}
        if len(types) > 1 and types != {int, float}:
            values = [None if value is None else str(value) for value in values]
        columns[str(name)] = pl.Series(values, dtype=None if types else pl.String, strict=False)
    return pl.DataFrame(columns)


# CDISC


def xpt(path: Path) -> OpenTable:
    """A SAS transport file, version 5 or 8; its rows are numbered from 1."""
    try:
        import pyreadstat
    except ImportError:
        raise CohortError(f"{path.name}: this needs pyreadstat: pip install 'itp-response[sdtm]'.") from None
    broken = (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError, ValueError)
    message = f"{path.name}: this is no whole SAS transport file; write it again, or copy it again."
    try:
        header = pyreadstat.read_xport(path, metadataonly=True)[1].column_names
    except broken:
        raise CohortError(message) from None

    def load(positions: Sequence[int]) -> pl.DataFrame:
        names = [header[position] for position in positions]
        try:
            frame, _ = pyreadstat.read_xport(path, usecols=names, output_format="polars")
        except broken:
            raise CohortError(message) from None
        assert isinstance(frame, pl.DataFrame)
        return frame.select(pl.col(header[position]).alias(str(position)) for position in positions)

    return OpenTable(path.name, header, load)


JSON_TYPES = {"integer": "Int64", "float": "Float64", "double": "Float64", "boolean": "Boolean"}
"""Dataset-JSON's types of which the values are no texts, and polars'."""


def dataset_json(path: Path) -> OpenTable:
    """A CDISC Dataset-JSON 1.1 file, also as NDJSON (its head in the first line, a row in each further one)."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".ndjson":
            first, *further = text.splitlines()
            head = {**json.loads(first), "rows": json.loads(f"[{','.join(filter(str.strip, further))}]")}
        else:
            head = json.loads(text)
        columns, rows = head["columns"], head.get("rows") or []
        header = [column["name"] for column in columns]
        widths = set(map(len, rows))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CohortError(f"{path.name}: this is no CDISC Dataset-JSON 1.1; it needs 'columns' and 'rows'.") from None
    if not widths <= {len(header)}:
        raise CohortError(f"{path.name}: not every row has {len(header)} values, as there are columns.")
    if head.get("records", len(rows)) != len(rows):
        raise CohortError(f"{path.name}: {head['records']} records are announced, but there are {len(rows)} rows.")
    values = list(zip(*rows, strict=True)) or [()] * len(header)

    def load(positions: Sequence[int]) -> pl.DataFrame:
        made = []
        for position in positions:
            dtype = getattr(pl, JSON_TYPES.get(columns[position].get("dataType"), "String"))
            try:
                made.append(pl.Series(str(position), values[position], dtype=dtype))
            except (TypeError, pl.exceptions.PolarsError):
                kind = columns[position].get("dataType")
                raise CohortError(
                    f"{path.name}: {header[position]}: not every value is of the type {kind!r}."
                ) from None
        return pl.DataFrame(made)

    return OpenTable(path.name, header, load)


def odm(path: Path) -> OpenTable:
    """An ODM 1.3 file: a row per event, and one per record of an item group that repeats."""
    made = flat(path)

    def load(positions: Sequence[int]) -> pl.DataFrame:
        columns = {str(position): [row.get(made.header[position]) for row in made.rows] for position in positions}
        return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))

    lines = None if made.lines is None else np.array(made.lines, dtype=np.int64)
    word: Literal["line", "row"] = "row" if lines is None else "line"
    return OpenTable(path.name, made.header, load, lines, word, notes=made.notes, labels=made.labels, codes=made.codes)


# WORKBOOKS


def workbook(path: Path, sheet: str | None = None) -> OpenTable:
    """A sheet of an Excel workbook, its first if none is named; its rows are numbered as Excel does."""
    try:
        import fastexcel
    except ImportError:
        raise CohortError(f"{path.name}: this needs fastexcel: pip install 'itp-response[excel]'.") from None
    try:
        book = fastexcel.read_excel(path)
        name = book.sheet_names[0] if sheet is None else sheet
        if name not in book.sheet_names:
            raise CohortError(f"{path.name}: {unknown('sheet', name, book.sheet_names)}")
        # From the first row on, and all as texts, so that rows keep their numbers and ids their zeros.
        cells = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars()
        wrong = _spreadsheet_errors(path, name)
    except (fastexcel.FastExcelError, zipfile.BadZipFile, KeyError, ElementTree.ParseError):
        raise CohortError(f"{path.name}: this is no whole workbook; save it again as .xlsx.") from None
    rows = cells.select(_filled()).to_series().arg_true().to_numpy().astype(np.int64)
    if not len(rows):
        raise CohortError(f"{path.name}: the sheet {name!r} is empty.")
    header = [(text or "").strip() for text in cells.row(int(rows[0]))]
    below = rows[1:]

    def load(positions: Sequence[int]) -> pl.DataFrame:
        return cells[below].select(cells.to_series(position)[below].alias(str(position)) for position in positions)

    others = [other for other in book.sheet_names if other != name]
    notes = [f"The sheet {name!r} was read, not {', '.join(map(repr, others))}."] if others else []
    return OpenTable(path.name, header, load, below + 1, "row", wrong, notes)


def _filled() -> pl.Expr:
    """The rows in which something is filled in."""
    return pl.any_horizontal(pl.all().str.strip_chars().fill_null("") != "")


SHEETS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
ERROR_CELL = re.compile(rb'<c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]+)(\d+)"[^>]*>.*?<v>([^<]*)</v>', re.DOTALL)


def _spreadsheet_errors(path: Path, sheet: str) -> list[tuple[int, str]]:
    """By row, the cells that hold an error of the spreadsheet, which would else be read as empty."""
    with zipfile.ZipFile(path) as book:
        sheets = ElementTree.fromstring(book.read("xl/workbook.xml")).iter(f"{SHEETS}sheet")
        key = next(one.get(RELATION) for one in sheets if one.get("name") == sheet)
        relations = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
        target = next(one.get("Target", "") for one in relations if one.get("Id") == key)
        data = book.read(target.lstrip("/") if target.startswith("/") else f"xl/{target}")
    found = ((match[1].decode(), int(match[2]), match[3].decode()) for match in ERROR_CELL.finditer(data))
    return [
        (row, f"{column}{row} holds {error}, an error of the spreadsheet; correct it.") for column, row, error in found
    ]


# TEXT


def csv(path: Path) -> OpenTable:
    """A text file, its cells separated by commas, or by what its header has instead: semicolons or tabs."""
    return whole(path, ",")


def tsv(path: Path) -> OpenTable:
    """A text file, its cells separated by tabs."""
    return whole(path, "\t")


READERS: dict[str, Callable[[Path], OpenTable]] = {
    ".csv": csv,
    ".tsv": tsv,
    ".txt": csv,
    ".parquet": parquet,
    **dict.fromkeys((".arrow", ".feather", ".ipc"), arrow),
    ".xpt": xpt,
    ".json": dataset_json,
    ".ndjson": dataset_json,
    ".xml": odm,
    ".xlsx": workbook,
    ".xlsm": workbook,
}
"""How a file is opened, by its suffix."""
