"""Files: how a table is opened, so that each of its rows is known by its line."""

import csv as standard_csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from itp_response.cohort import Ints
from itp_response.errors import CohortError, UsageError, unknown
from itp_response.readers.odm import flat

if TYPE_CHECKING:
    import polars as pl

Tabular: TypeAlias = (
    "str | Path | pl.DataFrame | pl.LazyFrame | PandasFrame | ArrowStream | Sequence[Mapping[str, Any]] | Arranged"
)
"""A file by its path, a frame, what speaks the Arrow PyCapsule interface, a list of rows, or what a mapping made."""

NEWLINE, QUOTE, RETURN = b'\n"\r'
BOM = b"\xef\xbb\xbf"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
PIECE = 1 << 26
"""Bytes looked at together, so that the arrays made of them stay small beside the file."""
AS_UTF_8 = "save the file as UTF-8 (in a spreadsheet: 'CSV UTF-8')"


class PandasFrame(Protocol):
    """A pandas frame; pandas itself is not needed."""

    @property
    def iloc(self) -> Any: ...


class ArrowStream(Protocol):
    """A table of whatever library that gives its columns by the Arrow PyCapsule interface, without copies."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


class Arranged(Protocol):
    """What gives the table itself, as a mapping does."""

    def as_table(self, order: int, names: Iterable[str], found: Any) -> Any: ...


@dataclass(frozen=True)
class Opened:
    """A table of which the header is read; `load` reads the columns at the given positions, named `0`, `1`, …."""

    name: str
    header: list[str]
    load: Callable[[Sequence[int]], "pl.DataFrame"]
    lines: Ints | None = None
    """Where each row stands in the file; None: rows are numbered from 1."""
    row_word: Literal["line", "row"] = "row"
    problems: list[tuple[int, str]] = field(default_factory=list)
    """By line: rows that had to be left out."""
    notes: list[str] = field(default_factory=list)
    torn: list[tuple[str, str]] = field(default_factory=list)
    """Of each of the problems, where it is a line that is no row, its text and its first cell."""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the file calls its columns beside their names in the header."""
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Of a column, what the file says that its values stand for."""


def opened(table: "Tabular", name: str, sheet: str | None = None) -> Opened:
    """The table of that file, frame or list of rows; `name` is for one that is no file, `sheet` that of a workbook.

    Raises `CohortError` for a file that cannot be read, `UsageError` for what is no table.
    """
    import polars as pl

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


def _file(path: Path, sheet: str | None = None) -> Opened:
    reader = READERS.get(path.suffix.lower())
    try:
        if path.is_dir():
            study = "An SDTM study has at least a dm and an lb in it, as .xpt, .csv, .parquet, .json or .ndjson."
            raise CohortError(f"{path.name}: this is a folder; name the file in it. {study}")
        if not path.exists():
            raise CohortError(f"{path.name}: there is no such file.")
        if reader is None:
            raise CohortError(f"{path.name}: {unknown('kind of file', path.suffix, READERS)} Save the table as CSV.")
        if sheet is not None and reader is not workbook:
            raise CohortError(f"{path.name}: only a workbook (.xlsx) has sheets, so there is no sheet {sheet!r}.")
        return reader(path) if sheet is None else workbook(path, sheet)
    except OSError as error:
        raise CohortError(f"{path.name}: this cannot be read: {error.strerror or error}.") from None


# FRAMES


def parquet(path: Path) -> Opened:
    """A Parquet file; its rows are numbered from 1."""
    import polars as pl

    # Polars panics on some broken files, and a panic is no `Exception`.
    broken = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
    message = f"{path.name}: this is no whole Parquet file; write it again, or copy it again."
    try:
        header = list(pl.read_parquet_schema(path))
    except broken:
        raise CohortError(message) from None

    def load(positions: Sequence[int]) -> pl.DataFrame:
        try:
            frame = pl.read_parquet(path, columns=[header[position] for position in positions], glob=False)
        except broken:
            raise CohortError(message) from None
        return frame.select(pl.col(header[position]).alias(str(position)) for position in positions)

    return Opened(path.name, header, load)


def _frame(frame: "pl.DataFrame", name: str) -> Opened:
    def load(positions: Sequence[int]) -> "pl.DataFrame":
        return frame.select(frame.to_series(position).alias(str(position)) for position in positions)

    return Opened(name, frame.columns, load)


def _from_pandas(frame: Any) -> "pl.DataFrame":
    """The frame of a pandas frame; objects are taken by their texts, as they may be of several types."""
    import polars as pl

    objects = [position for position, dtype in enumerate(frame.dtypes) if str(dtype) == "object"]
    if objects:
        frame = frame.copy()
        for position in objects:
            texts = frame.iloc[:, position].map(str, na_action="ignore")
            frame.isetitem(position, texts.astype(object).where(texts.notna(), None))
    made = pl.from_pandas(frame)
    assert isinstance(made, pl.DataFrame)
    return made


def _from_rows(rows: Sequence[Mapping[str, Any]]) -> "pl.DataFrame":
    """The frame of a list of dicts; a column of several types is taken by its texts."""
    import polars as pl

    columns = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        types = {type(value) for value in values if value is not None}
        if len(types) > 1 and types != {int, float}:
            values = [None if value is None else str(value) for value in values]
        columns[str(name)] = pl.Series(values, dtype=None if types else pl.String, strict=False)
    return pl.DataFrame(columns)


# CDISC


def xpt(path: Path) -> Opened:
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

    def load(positions: Sequence[int]) -> "pl.DataFrame":
        import polars as pl

        names = [header[position] for position in positions]
        try:
            frame, _ = pyreadstat.read_xport(path, usecols=names, output_format="polars")
        except broken:
            raise CohortError(message) from None
        assert isinstance(frame, pl.DataFrame)
        return frame.select(pl.col(header[position]).alias(str(position)) for position in positions)

    return Opened(path.name, header, load)


JSON_TYPES = {"integer": "Int64", "float": "Float64", "double": "Float64", "boolean": "Boolean"}
"""Dataset-JSON's types of which the values are no texts, and polars'."""


def dataset_json(path: Path) -> Opened:
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

    def load(positions: Sequence[int]) -> "pl.DataFrame":
        import polars as pl

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

    return Opened(path.name, header, load)


def odm(path: Path) -> Opened:
    """An ODM 1.3 file: a row per event, and one per record of an item group that repeats."""
    made = flat(path)

    def load(positions: Sequence[int]) -> "pl.DataFrame":
        import polars as pl

        columns = {str(position): [row.get(made.header[position]) for row in made.rows] for position in positions}
        return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))

    lines = None if made.lines is None else np.array(made.lines, dtype=np.int64)
    word: Literal["line", "row"] = "row" if lines is None else "line"
    return Opened(path.name, made.header, load, lines, word, notes=made.notes, labels=made.labels, codes=made.codes)


# WORKBOOKS


def workbook(path: Path, sheet: str | None = None) -> Opened:
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

    def load(positions: Sequence[int]) -> "pl.DataFrame":
        return cells[below].select(cells.to_series(position)[below].alias(str(position)) for position in positions)

    others = [other for other in book.sheet_names if other != name]
    notes = [f"The sheet {name!r} was read, not {', '.join(map(repr, others))}."] if others else []
    return Opened(path.name, header, load, below + 1, "row", wrong, notes)


def _filled() -> "pl.Expr":
    """The rows in which something is filled in."""
    import polars as pl

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


def csv(path: Path) -> Opened:
    """A text file, its cells separated by commas, or by what its header has instead: semicolons or tabs."""
    return _text(path, ",")


def tsv(path: Path) -> Opened:
    """A text file, its cells separated by tabs."""
    return _text(path, "\t")


class _Records(NamedTuple):
    """The records of a text file; a newline in quotes ends none. An entry per record."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    """The byte after the last, the newline included."""
    line: NDArray[np.int64]
    separators: NDArray[np.int64]


def _text(path: Path, usual: str) -> Opened:
    data = path.read_bytes()
    _check_kind(data, path.name)
    if NEWLINE not in data:
        data = data.replace(b"\r", b"\n")
    begin = len(BOM) if data.startswith(BOM) else 0
    separator = _separator(data, begin, usual)
    if QUOTE in data:
        _check_quotes(data, begin, ord(separator), path.name)
    records = _records(data, begin, ord(separator))
    head = next((row for row in range(len(records.start)) if not _blank(data, records, row)), None)
    if head is None:
        raise CohortError(f"{path.name}: this file is empty.")
    header = _header(data[records.start[head] : records.end[head]], int(records.line[head]), separator, path.name)

    rows = np.arange(head + 1, len(records.line))
    fits = records.separators[rows] == len(header) - 1
    ragged = [row for row in rows[~fits].tolist() if records.separators[row] or not _blank(data, records, row)]
    torn = [data[records.start[row] : records.end[row]].decode(errors="replace").rstrip("\r\n") for row in ragged]
    skipped = int(records.line[head + 1]) - 1 if len(rows) else 0
    if not fits.all():
        rows, skipped = rows[fits], 0
        kept = np.zeros(len(records.line), dtype=np.bool_)
        kept[rows] = True
        array = np.frombuffer(data, np.uint8)[begin:]
        data = array[np.repeat(kept, records.end - records.start)].tobytes()
    lines = records.line[rows]
    return Opened(
        path.name,
        header,
        _loader(data if len(rows) else b"", separator, len(header), skipped, path.name, lines),
        lines,
        "line",
        [(int(records.line[row]), _ragged(int(records.separators[row]) + 1, header, separator)) for row in ragged],
        [] if separator == usual else [f"Cells were taken as separated by {SEPARATORS[separator]}."],
        [(text, next(standard_csv.reader([text], delimiter=separator), [""])[0].strip()) for text in torn],
    )


def _loader(
    data: bytes, separator: str, width: int, skipped: int, name: str, lines: Ints
) -> Callable[[Sequence[int]], "pl.DataFrame"]:
    def load(positions: Sequence[int]) -> "pl.DataFrame":
        import polars as pl

        schema = {str(position): pl.String() for position in range(width)}
        if not data:
            return pl.DataFrame(schema={str(position): pl.String() for position in positions})
        try:
            frame = pl.read_csv(
                data,
                has_header=False,
                separator=separator,
                skip_lines=skipped,
                schema=schema,
                columns=sorted(positions),
            )
        except pl.exceptions.PolarsError as error:
            _check_utf_8(data, name, lines, skipped)
            raise CohortError(f"{name}: this cannot be read as CSV: {str(error).splitlines()[0]}.") from None
        if len(frame) != len(lines):
            raise CohortError(f"{name}: {len(lines)} rows are in the file, but {len(frame)} could be read.")
        return frame

    return load


def _check_kind(data: bytes, name: str) -> None:
    if not data:
        raise CohortError(f"{name}: this file is empty.")
    if data.startswith(UTF_16) or b"\x00" in data[:100]:
        raise CohortError(f"{name}: this is UTF-16 or no text at all; {AS_UTF_8}.")
    if data.startswith((b"PK\x03\x04", b"PAR1")):
        workbook = "a workbook or an archive; save it as CSV UTF-8"
        kind = "Parquet; name it .parquet" if data.startswith(b"PAR1") else workbook
        raise CohortError(f"{name}: this is no text but {kind}.")


def _check_utf_8(data: bytes, name: str, lines: Ints, skipped: int) -> None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        begin = data.rfind(b"\n", 0, error.start) + 1
        word = data[begin : error.start + 20].splitlines()[0].decode("latin-1").replace("\t", ",")
        near = next(cell for cell in word.split(",") if not cell.isascii())
        before = data.count(b"\n", 0, error.start)
        # Where rows were left out, the bytes are those of the rows that were kept.
        line = before + 1 if skipped else int(lines[min(before, len(lines) - 1)])
        raise CohortError(f"{name}: line {line}: this is not UTF-8, near {near.strip()!r}; {AS_UTF_8}.") from None


def _separator(data: bytes, begin: int, usual: str) -> str:
    head = data[begin : begin + (1 << 16)].lstrip().partition(b"\n")[0]
    return next((one for one in (usual, *SEPARATORS) if one.encode() in head), usual)


def _header(record: bytes, line: int, separator: str, name: str) -> list[str]:
    try:
        text = record.decode()
    except UnicodeDecodeError:
        raise CohortError(f"{name}: line {line}: this is not UTF-8; {AS_UTF_8}.") from None
    names = next(standard_csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    return [name.strip() for name in names]


def _ragged(cells: int, header: list[str], separator: str) -> str:
    have = f"{cells} cell{'' if cells == 1 else 's'}, but the header has {len(header)}"
    if cells < len(header):
        return f"{have}; leave cells empty, but keep their separators."
    comma = " (a decimal comma becomes a point)" if separator == "," else ""
    return f"{have}; put a cell that holds a {SEPARATORS[separator].removesuffix('s')} in quotation marks{comma}."


def _check_quotes(data: bytes, begin: int, separator: int, name: str) -> None:
    """Quotation marks must open at the start of a cell and close at its end."""
    array = np.frombuffer(data, np.uint8)
    at = _where(array, QUOTE)
    opening, closing = at[::2], at[1::2]
    before = array[np.maximum(opening, 1) - 1]
    opens = np.isin(before, (separator, NEWLINE, QUOTE)) | (opening == begin)
    after = array[np.minimum(closing, len(array) - 2) + 1]
    closes = np.isin(after, (separator, NEWLINE, RETURN, QUOTE)) | (closing == len(array) - 1)
    wrong = [*opening[~opens][:1], *closing[~closes][:1]]
    if wrong:
        line = data.count(b"\n", 0, int(min(wrong))) + 1
        cure = "put the whole cell in quotation marks, and double those in it"
        raise CohortError(f'{name}: line {line}: a quotation mark (") within a cell; {cure}.')
    if len(at) % 2:
        # Cells rarely hold newlines: the first line with an odd number is the likeliest.
        line_of = np.searchsorted(_where(array, NEWLINE), at)
        odd = np.flatnonzero(np.bincount(line_of) % 2)
        raise CohortError(f'{name}: line {int(odd[0]) + 1}: a quotation mark (") is opened and never closed.')


def _where(array: NDArray[np.uint8], byte: int) -> NDArray[np.int64]:
    pieces = range(0, len(array), PIECE)
    return np.concatenate([np.flatnonzero(array[begin : begin + PIECE] == byte) + begin for begin in pieces])


def _records(data: bytes, begin: int, separator: int) -> _Records:
    array = np.frombuffer(data, np.uint8)
    quotes = QUOTE in data
    ends, lines, totals = [], [np.ones(1, dtype=np.int64)], []
    newlines = separators = inside = 0
    for at in range(0, len(array), PIECE):
        piece = array[at : at + PIECE]
        end, between = np.flatnonzero(piece == NEWLINE), np.flatnonzero(piece == separator)
        line = np.arange(newlines + 2, newlines + 2 + len(end))
        newlines += len(end)
        if quotes:
            within = (np.cumsum(piece == QUOTE, dtype=np.uint8) + inside) & 1
            inside = int(within[-1])
            outside = within[end] == 0
            end, line, between = end[outside], line[outside], between[within[between] == 0]
        ends.append(end + at + 1)
        lines.append(line)
        totals.append(np.searchsorted(between, end) + separators)
        separators += len(between)
    end, line, total = np.concatenate(ends), np.concatenate(lines), np.concatenate(totals)
    if len(end) and end[-1] == len(array):
        line = line[:-1]
    else:
        end, total = np.append(end, len(array)), np.append(total, separators)
    return _Records(np.append(begin, end[:-1]), end, line, np.diff(total, prepend=0))


def _blank(data: bytes, records: _Records, row: int) -> bool:
    return not data[records.start[row] : records.end[row]].strip()


READERS: dict[str, Callable[[Path], Opened]] = {
    ".csv": csv,
    ".tsv": tsv,
    ".txt": csv,
    ".parquet": parquet,
    ".xpt": xpt,
    ".json": dataset_json,
    ".ndjson": dataset_json,
    ".xml": odm,
    ".xlsx": workbook,
    ".xlsm": workbook,
}
"""How a file is opened, by its suffix."""
