"""Files: how a table is opened, so that each of its rows is known by its line."""

import csv as standard_csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from itp_response.cohort import Ints
from itp_response.errors import CohortError, UsageError, unknown

if TYPE_CHECKING:
    import polars as pl

    type Tabular = str | Path | pl.DataFrame | pl.LazyFrame | Sequence[Mapping[str, Any]] | Any

NEWLINE, QUOTE, RETURN = b'\n"\r'
BOM = b"\xef\xbb\xbf"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
PIECE = 1 << 26
"""Bytes looked at together, so that the arrays made of them stay small beside the file."""
AS_UTF_8 = "save the file as UTF-8 (in a spreadsheet: 'CSV UTF-8')"


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


def opened(table: "Tabular", name: str) -> Opened:
    """The table of that file, frame or list of rows; `name` is for one that is no file.

    Raises `CohortError` for a file that cannot be read, `UsageError` for what is no table.
    """
    import polars as pl

    if isinstance(table, str | Path):
        return _file(Path(table))
    try:
        if isinstance(table, pl.LazyFrame):
            return _frame(table.collect(), name)
        if isinstance(table, pl.DataFrame):
            return _frame(table, name)
        if type(table).__module__.partition(".")[0] == "pandas" and hasattr(table, "columns"):
            return _frame(_from_pandas(table), name)
    except (pl.exceptions.PolarsError, ValueError, TypeError, ImportError) as error:
        raise CohortError(f"{name}: this frame cannot be read: {str(error).splitlines()[0]}.") from None
    if isinstance(table, Sequence) and all(isinstance(row, Mapping) for row in table):
        return _frame(_from_rows(table), name)
    kind = type(table).__name__
    raise UsageError(f"{name} is the path of a file, a polars or pandas frame, or a list of dicts, not {kind!r}.")


def _file(path: Path) -> Opened:
    from itp_response.readers import READERS

    reader = READERS.get(path.suffix.lower())
    try:
        if path.is_dir():
            raise CohortError(f"{path.name}: this is a folder; name the file in it.")
        if not path.exists():
            raise CohortError(f"{path.name}: there is no such file.")
        if reader is None:
            raise CohortError(f"{path.name}: {unknown('kind of file', path.suffix, READERS)} Save the table as CSV.")
        return reader(path)
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
        columns = [frame.to_series(position).alias(str(position)) for position in positions]
        return type(frame)(columns)

    return Opened(name, frame.columns, load)


def _from_pandas(frame: Any) -> "pl.DataFrame":
    """The frame of a pandas frame; objects are taken by their texts, as they may be of several types."""
    import polars as pl

    objects = [position for position, dtype in enumerate(frame.dtypes) if dtype == object]
    if objects:
        frame = frame.copy()
        for position in objects:
            frame.isetitem(position, frame.iloc[:, position].map(str, na_action="ignore").astype("str"))
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
    body = data.removeprefix(BOM)
    text_from = len(data) - len(body)
    del body
    separator = _separator(data, text_from, usual)
    if QUOTE in data:
        _check_quotes(data, text_from, ord(separator), path.name)
    records = _records(data, ord(separator))
    blank = _blank(data, records, text_from)
    filled = np.flatnonzero(~blank)
    if not len(filled):
        raise CohortError(f"{path.name}: this file is empty.")
    head = int(filled[0])
    header = _header(data[max(text_from, records.start[head]) : records.end[head]], separator, path.name)

    width = len(header)
    rows = np.arange(head + 1, len(records.line))
    fits = (records.separators[rows] == width - 1) & (~blank[rows] | (width == 1))
    ragged = rows[~fits & ~blank[rows]]
    cells = [_ragged(int(records.separators[row]) + 1, width, separator) for row in ragged[:1000]]
    problems = list(zip(records.line[ragged].tolist(), cells, strict=False))
    skipped = int(records.line[head + 1]) - 1 if len(rows) else -1
    if not fits.all():
        rows, skipped = rows[fits], 0
        kept = np.zeros(len(records.line), dtype=np.bool_)
        kept[rows] = True
        data = np.frombuffer(data, np.uint8)[np.repeat(kept, records.end - records.start)].tobytes()
    instead = f"Cells were taken as separated by {SEPARATORS[separator]}."
    return Opened(
        path.name,
        header,
        _loader(data if len(rows) else b"", separator, width, skipped, path.name, records.line[rows]),
        records.line[rows],
        "line",
        problems,
        [] if separator == usual else [instead],
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
    if not data.removeprefix(BOM).strip():
        raise CohortError(f"{name}: this file is empty.")
    if data.startswith(UTF_16) or b"\x00" in data[:100]:
        raise CohortError(f"{name}: this is UTF-16 or no text at all; {AS_UTF_8}.")
    if data.startswith((b"PK\x03\x04", b"PAR1")):
        kind = "Parquet; name it .parquet" if data.startswith(b"PAR1") else "a workbook or archive; save it as CSV UTF-8"
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


def _separator(data: bytes, text_from: int, usual: str) -> str:
    head = data[text_from:].lstrip()[: 1 << 16] if len(data) < PIECE else data[text_from : text_from + (1 << 16)].lstrip()
    head = head.partition(b"\n")[0]
    return next((one for one in (usual, *SEPARATORS) if one.encode() in head), usual)


def _header(record: bytes, separator: str, name: str) -> list[str]:
    try:
        text = record.decode()
    except UnicodeDecodeError:
        raise CohortError(f"{name}: line 1: this is not UTF-8; {AS_UTF_8}.") from None
    names = next(standard_csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    return [name.strip() for name in names]


def _ragged(cells: int, width: int, separator: str) -> str:
    have = f"{cells} cell{'' if cells == 1 else 's'}, but the header has {width}"
    if cells < width:
        return f"{have}; leave cells empty, but keep their separators."
    comma = " (a decimal comma becomes a point)" if separator == "," else ""
    return f"{have}; put a cell that holds a {SEPARATORS[separator].removesuffix('s')} in quotation marks{comma}."


def _check_quotes(data: bytes, text_from: int, separator: int, name: str) -> None:
    """Quotation marks must open at the start of a cell and close at its end."""
    array = np.frombuffer(data, np.uint8)
    at = np.concatenate([_where(array, QUOTE, begin) for begin in range(0, len(array), PIECE)])
    opening, closing = at[::2], at[1::2]
    before = array[np.maximum(opening, 1) - 1]
    opens = np.isin(before, (separator, NEWLINE, QUOTE)) | (opening == text_from)
    after = array[np.minimum(closing, len(array) - 2) + 1]
    closes = np.isin(after, (separator, NEWLINE, RETURN, QUOTE)) | (closing == len(array) - 1)
    wrong = [*opening[~opens][:1], *closing[~closes][:1]]
    if wrong:
        line = data.count(b"\n", 0, int(min(wrong))) + 1
        cure = "put the whole cell in quotation marks, and double those in it"
        raise CohortError(f'{name}: line {line}: a quotation mark (") within a cell; {cure}.')
    if len(at) % 2:
        # Cells rarely hold newlines: the first line with an odd number is the likeliest.
        line_of = np.searchsorted(_ends(array), at)
        odd = np.flatnonzero(np.bincount(line_of) % 2)
        raise CohortError(f'{name}: line {int(odd[0]) + 1}: a quotation mark (") is opened and never closed.')


def _where(array: NDArray[np.uint8], byte: int, begin: int) -> NDArray[np.int64]:
    return np.flatnonzero(array[begin : begin + PIECE] == byte) + begin


def _ends(array: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.concatenate([_where(array, NEWLINE, begin) for begin in range(0, len(array), PIECE)])


def _records(data: bytes, separator: int) -> _Records:
    array = np.frombuffer(data, np.uint8)
    quotes = QUOTE in data
    ends, lines, separators = [], [np.ones(1, dtype=np.int64)], []
    newlines = commas = 0
    inside = 0
    for begin in range(0, len(array), PIECE):
        piece = array[begin : begin + PIECE]
        end, comma = np.flatnonzero(piece == NEWLINE), np.flatnonzero(piece == separator)
        number = np.arange(newlines + 2, newlines + 2 + len(end))
        newlines += len(end)
        if quotes:
            within = (np.cumsum(piece == QUOTE, dtype=np.uint8) + inside) & 1
            inside = int(within[-1])
            outside = within[end] == 0
            end, number, comma = end[outside], number[outside], comma[within[comma] == 0]
        ends.append(end + begin + 1)
        lines.append(number)
        separators.append(np.searchsorted(comma, end) + commas)
        commas += len(comma)
    end, line = np.concatenate(ends), np.concatenate(lines)
    total = np.concatenate(separators)
    if len(end) and end[-1] == len(array):
        line = line[:-1]
    else:
        end, total = np.append(end, len(array)), np.append(total, commas)
    start = np.append(0, end[:-1])
    return _Records(start, end, line, np.diff(total, prepend=0))


def _blank(data: bytes, records: _Records, text_from: int) -> NDArray[np.bool_]:
    """Records of nothing but white space."""
    blank = records.end - records.start <= 1
    blank &= np.frombuffer(data, np.uint8)[records.start] <= ord(" ")
    few = np.flatnonzero((records.separators == 0) & ~blank)
    if len(few) < len(blank) or len(few) <= 1000:
        for row in few.tolist():
            blank[row] = not data[max(text_from, records.start[row]) : records.end[row]].strip()
    return blank
