"""Files: how a table of each format is opened; each row keeps its line number."""

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
from itp_response.readers.text import PACKED, whole_file


class PandasFrame(Protocol):
    """A pandas frame; pandas itself is not needed."""

    @property
    def iloc(self) -> Any: ...


class ArrowStream(Protocol):
    """A table of any library with the Arrow PyCapsule interface; its columns are not copied."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


class GivesTable(Protocol):
    """An object that makes the table itself, as a mapping does."""

    def as_table(self, order: int, names: Iterable[str], problems: Any) -> Any:
        """The `NamedTable` of the columns of these names; None: it cannot be opened, which is reported."""


Tabular: TypeAlias = (
    str | Path | pl.DataFrame | pl.LazyFrame | PandasFrame | ArrowStream | Sequence[Mapping[str, Any]] | GivesTable
)
"""The path of a file, a frame, a table with the Arrow PyCapsule interface, a list of rows, or what `mapped` gives."""


def open_table(table: Tabular, name: str, sheet: str | None = None) -> OpenTable:
    """The table of a file, a frame or a list of rows.

    `name` names a table that is no file. `sheet` is the sheet of a workbook; None: its first.
    Raises `CohortError` for a file that cannot be read, and `UsageError` for an object that is no table.

    >>> table = open_table([{"patient_id": "P1", "platelets": 15}], "visits")
    >>> table.header
    ['patient_id', 'platelets']
    >>> table.load([1])["1"].to_list()
    [15]
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
    """The file's suffix in lower case, as in `READERS`; of a packed text file, the suffix before `.gz` or `.zst`.

    >>> kind_of(Path("visits.CSV.gz"))
    '.csv'
    """
    suffix = path.suffix.lower()
    inner = Path(path.stem).suffix.lower()
    return inner if suffix in PACKED and READERS.get(inner) in (csv, tsv) else suffix


def is_text(path: Path) -> bool:
    """Whether the file is a text with cells, packed or not."""
    return READERS.get(kind_of(path)) in (csv, tsv)


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
    lazy: pl.LazyFrame = unbroken(path.name, kind, scan)
    header: list[str] = unbroken(path.name, kind, lambda: lazy.collect_schema().names())

    def columns(positions: Sequence[int]) -> pl.LazyFrame:
        return lazy.select(pl.col(header[position]).alias(str(position)) for position in positions)

    def load(positions: Sequence[int]) -> pl.DataFrame:
        frame = unbroken(path.name, kind, lambda: columns(positions).collect())
        assert isinstance(frame, pl.DataFrame)
        return frame

    return OpenTable(path.name, header, load, scan=columns, kind=kind)


def unbroken(name: str, kind: str, read: Callable[[], Any]) -> Any:
    """The result of `read`; raises `CohortError` if the file is broken. `kind` names its format."""
    try:
        return read()
    # Polars panics on some broken files; a panic is no `Exception`.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        raise CohortError(f"{name}: this is no whole {kind} file; write it again, or copy it again.") from None


def _frame(frame: pl.DataFrame, name: str) -> OpenTable:
    def load(positions: Sequence[int]) -> pl.DataFrame:
        return frame.select(frame.to_series(position).alias(str(position)) for position in positions)

    return OpenTable(name, frame.columns, load)


def _from_pandas(frame: Any) -> pl.DataFrame:
    """The frame of a pandas frame; columns of objects become texts, as their types may differ."""
    objects = [position for position, dtype in enumerate(frame.dtypes) if str(dtype) == "object"]
    if objects:
        frame = frame.copy()
        for position in objects:
            texts = frame.iloc[:, position].map(str, na_action="ignore")
            frame.isetitem(position, texts.astype(object).where(texts.notna(), None))
    converted = pl.from_pandas(frame)
    assert isinstance(converted, pl.DataFrame)
    return converted


def _from_rows(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """The frame of a list of dicts; a column of different types becomes texts."""
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
"""The types of Dataset-JSON with values that are no texts, and the types of polars for them."""


def dataset_json(path: Path) -> OpenTable:
    """A CDISC Dataset-JSON 1.1 file, also as NDJSON (the head in the first line, then a line per row)."""
    try:
        head = _json_head(path)
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

    def column(position: int) -> pl.Series:
        kind = columns[position].get("dataType")
        try:
            return pl.Series(str(position), values[position], dtype=getattr(pl, JSON_TYPES.get(kind, "String")))
        except (TypeError, pl.exceptions.PolarsError):
            raise CohortError(f"{path.name}: {header[position]}: not every value is of the type {kind!r}.") from None

    return OpenTable(path.name, header, lambda positions: pl.DataFrame([column(position) for position in positions]))


def _json_head(path: Path) -> Any:
    """The JSON object of the file, with its rows."""
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix.lower() != ".ndjson":
        return json.loads(text)
    first, *further = text.splitlines()
    return {**json.loads(first), "rows": json.loads(f"[{','.join(filter(str.strip, further))}]")}


def odm(path: Path) -> OpenTable:
    """An ODM 1.3 file: a row per event, and one per record of an item group that repeats."""
    flat_file = flat(path)

    def load(positions: Sequence[int]) -> pl.DataFrame:
        columns = {
            str(position): [row.get(flat_file.header[position]) for row in flat_file.rows] for position in positions
        }
        return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))

    lines = None if flat_file.lines is None else np.array(flat_file.lines, dtype=np.int64)
    word: Literal["line", "row"] = "row" if lines is None else "line"
    return OpenTable(
        path.name,
        flat_file.header,
        load,
        lines,
        word,
        notes=flat_file.notes,
        labels=flat_file.labels,
        codes=flat_file.codes,
    )


# WORKBOOKS


def workbook(path: Path, sheet: str | None = None) -> OpenTable:
    """A sheet of an Excel workbook (None: its first); rows are numbered as in Excel."""
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
        problems = _spreadsheet_errors(path, name)
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
    return OpenTable(path.name, header, load, below + 1, "row", problems, notes)


def _filled() -> pl.Expr:
    """The rows that are not empty."""
    return pl.any_horizontal(pl.all().str.strip_chars().fill_null("") != "")


SHEETS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
ERROR_CELL = re.compile(rb'<c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]+)(\d+)"[^>]*>.*?<v>([^<]*)</v>', re.DOTALL)


def _spreadsheet_errors(path: Path, sheet: str) -> list[tuple[int, str]]:
    """The rows of cells that hold an error of the spreadsheet, which would otherwise be read as empty."""
    with zipfile.ZipFile(path) as book:
        sheets = ElementTree.fromstring(book.read("xl/workbook.xml")).iter(f"{SHEETS}sheet")
        key = next(element.get(RELATION) for element in sheets if element.get("name") == sheet)
        relations = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
        target = next(element.get("Target", "") for element in relations if element.get("Id") == key)
        data = book.read(target.lstrip("/") if target.startswith("/") else f"xl/{target}")
    cells = ((match[1].decode(), int(match[2]), match[3].decode()) for match in ERROR_CELL.finditer(data))
    return [
        (row, f"{column}{row} holds {error}, an error of the spreadsheet; correct it.") for column, row, error in cells
    ]


# TEXT


def csv(path: Path) -> OpenTable:
    """A text file with cells separated by commas; by semicolons or tabs, if its header has these and no comma."""
    return whole_file(path, ",")


def tsv(path: Path) -> OpenTable:
    """A text file with cells separated by tabs."""
    return whole_file(path, "\t")


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
"""The function that opens a file, by the file's suffix. Each takes a path and gives an `OpenTable`."""
