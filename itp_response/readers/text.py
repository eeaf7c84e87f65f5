"""Text: a file of rows of cells, read as a whole, or in blocks of whole rows cut between patients."""

import csv as standard_csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.values import Ints
from itp_response.messages.errors import CohortError
from itp_response.readers.grid import Grid, grid, rows_in
from itp_response.readers.open_table import OpenTable

NEWLINE, QUOTE, RETURN = b'\n"\r'
BOM = b"\xef\xbb\xbf"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
PIECE = 1 << 26
"""Bytes looked at together, so that the arrays made of them stay small beside the file."""
HEAD = 1 << 16
"""Bytes in which the header of a file that is read in blocks must end."""
TAIL = 1 << 14
"""Bytes at the end of a block in which its last patient is looked for first."""
FEW = 200
"""Lines that are looked at one by one; most patients have fewer."""
AS_UTF_8 = "save the file as UTF-8 (in a spreadsheet: 'CSV UTF-8')"


@dataclass(frozen=True)
class Form:
    """How a text file is written, as far as its header tells."""

    name: str
    separator: str
    header: list[str]
    line: int
    """That of the first row below the header."""
    begin: int
    """Its byte."""
    notes: list[str]

    @property
    def byte(self) -> int:
        return ord(self.separator)


class _Records(NamedTuple):
    """The records of a text file; a newline in quotes ends none. An entry per record."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    """The byte after the last, the newline included."""
    line: NDArray[np.int64]
    separators: NDArray[np.int64]


# UNPACKING


def _gzip(raw: IO[bytes], _: str) -> Any:
    return gzip.GzipFile(fileobj=raw)


def _zstd(raw: IO[bytes], name: str) -> Any:
    try:
        import pyarrow as pa
    except ImportError:
        raise CohortError(f"{name}: this needs pyarrow: pip install 'itp-response[stream]'.") from None
    return pa.CompressedInputStream(pa.PythonFile(raw), "zstd")


PACKED = {".gz": _gzip, ".zst": _zstd}
"""How a packed file is unpacked, by its last suffix."""


@contextmanager
def unpacked(path: Path) -> Iterator[tuple[Any, IO[bytes]]]:
    """The file's bytes, unpacked where it is packed, and the file itself.

    Raises `CohortError` where they cannot be read to their end.
    """
    packed = PACKED.get(path.suffix.lower())
    with path.open("rb") as raw:
        try:
            yield (raw if packed is None else packed(raw, path.name)), raw
        except (EOFError, OSError, zlib.error) as error:
            if packed is None:
                why = getattr(error, "strerror", None) or error
                raise CohortError(f"{path.name}: this cannot be read: {why}.") from None
            raise CohortError(f"{path.name}: this is no whole {path.suffix.lower()} file; copy it again.") from None


# READING


def whole(path: Path, usual: str) -> OpenTable:
    """The rows of a text file; `usual` separates its cells, if nothing else does."""
    with unpacked(path) as (file, _):
        data: bytes = file.read()
    check_kind(data, path.name)
    if NEWLINE not in data:
        data = data.replace(b"\r", b"\n")
    form = formed(data, path.name, usual)
    return rows(form, data[form.begin :], form.line)


def formed(data: bytes, name: str, usual: str, *, part: bool = False) -> Form:
    """How the file is written that these bytes are, or of which they are the first part.

    Raises `CohortError` where there is no header.
    """
    begin = len(BOM) if data.startswith(BOM) else 0
    separator = _separator(data, begin, usual)
    if QUOTE in data:
        _check_quotes(data, name, ord(separator), begin=begin, part=part)
    # The header is looked for in the first bytes, and only where it does not end there in all.
    for looked_at in (data[:HEAD], data):
        records = _records(looked_at, begin, ord(separator))
        head = next((row for row in range(len(records.start)) if not _blank(data, records, row)), None)
        if head is not None and records.end[head] < len(looked_at):
            break
    if head is None:
        raise CohortError(f"{name}: this file is empty.")
    header = _header(data[records.start[head] : records.end[head]], int(records.line[head]), separator, name)
    notes = [] if separator == usual else [f"Cells were taken as separated by {SEPARATORS[separator]}."]
    end = int(records.end[head])
    return Form(name, separator, header, 1 + data.count(b"\n", 0, end), end, notes)


def rows(form: Form, data: bytes, line: int) -> OpenTable:
    """The rows in these bytes, the first of which is that line of the file."""
    columns = len(form.header)
    size = rows_in(data, columns, form.separator) if data and columns > 1 else None
    if size is not None:
        return _opened(form, data, np.arange(line, line + size), [], [])
    records = _records(data, 0, form.byte) if data else None
    if records is None:
        return _opened(form, b"", np.zeros(0, dtype=np.int64), [], [])
    number = np.arange(len(records.line))
    fits = records.separators == columns - 1
    ragged = [row for row in number[~fits].tolist() if records.separators[row] or not _blank(data, records, row)]
    torn = [data[records.start[row] : records.end[row]].decode(errors="replace").rstrip("\r\n") for row in ragged]
    lines = records.line + (line - 1)
    problems = [(int(lines[row]), _ragged(int(records.separators[row]) + 1, form)) for row in ragged]
    if not fits.all():
        array = np.frombuffer(data, np.uint8)
        data = array[np.repeat(fits, records.end - records.start)].tobytes()
        lines = lines[fits]
    cells = [(text, next(standard_csv.reader([text], delimiter=form.separator), [""])[0].strip()) for text in torn]
    return _opened(form, data if len(lines) else b"", lines, problems, cells)


def _opened(
    form: Form, data: bytes, lines: Ints, problems: list[tuple[int, str]], torn: list[tuple[str, str]]
) -> OpenTable:
    return OpenTable(
        form.name, form.header, partial(_load, form, data, lines), lines, "line", problems, form.notes, torn
    )


def _load(form: Form, data: bytes, lines: Ints, positions: Sequence[int]) -> pl.DataFrame:
    if not data:
        return pl.DataFrame(schema={str(position): pl.String() for position in positions})
    try:
        frame = _parsed(form, data, positions)
    except pl.exceptions.PolarsError as error:
        _check_utf_8(form, data, lines)
        raise CohortError(f"{form.name}: this cannot be read as CSV: {str(error).splitlines()[0]}.") from None
    if len(frame) != len(lines):
        raise CohortError(f"{form.name}: {len(lines)} rows are in the file, but {len(frame)} could be read.")
    return frame


def _parsed(form: Form, data: bytes, positions: Sequence[int]) -> pl.DataFrame:
    schema = {str(position): pl.String() for position in range(len(form.header))}
    return pl.read_csv(data, has_header=False, separator=form.separator, schema=schema, columns=sorted(positions))


# IN BLOCKS


class Block(NamedTuple):
    """Some whole rows of a text file."""

    form: Form
    data: bytes
    line: int
    """That of the first."""

    def rows(self) -> OpenTable:
        """The rows, all their cells texts."""
        return rows(self.form, self.data, self.line)

    def texts(self, position: int) -> pl.Series:
        """The cells of one column of rows that are plain."""
        return _parsed(self.form, self.data, [position])[str(position)]

    def grid(self) -> Grid | None:
        """The cells; None: they are not plain."""
        return grid(self.data, len(self.form.header), self.form.separator)


def blocks(form: Form, begun: bytes, file: Any, size: int, patient: int | None) -> Iterator[Block]:
    """The rows of a text file, which begin in the bytes `begun`, so many bytes at a time.

    A block ends where the column at the position `patient` changes; it is larger where one patient is.
    Raises `CohortError` for quotation marks that are out of place.
    """
    held, line, wanted, ended, odd = begun, form.line, size, False, None
    while held or not ended:
        more = file.read(wanted)
        held, ended = held + more, not more
        end = _whole_rows(form, held, line, odd, ended=ended)
        cut = end if ended else _last_patient(form, held, end, patient)
        # A patient whose rows do not end here needs more; twice as much, so that the work stays in proportion.
        wanted = size if cut else max(size, len(held))
        if cut:
            data, held = held[:cut], held[cut:]
            odd = odd or _odd_line(data, line)
            yield Block(form, data, line)
            line += int(np.count_nonzero(np.frombuffer(data, np.uint8) == NEWLINE))


def _whole_rows(form: Form, data: bytes, line: int, odd: int | None, *, ended: bool) -> int:
    """The byte after the last whole row."""
    if QUOTE not in data:
        return len(data) if ended else data.rfind(b"\n") + 1
    if ended:
        _check_quotes(data, form.name, form.byte, line=line, odd=odd)
        return len(data)
    part = data[: data.rfind(b"\n") + 1]
    _check_quotes(part, form.name, form.byte, line=line, part=True)
    marks = _where(np.frombuffer(part, np.uint8), QUOTE)
    return part.rfind(b"\n", 0, int(marks[-1])) + 1 if len(marks) % 2 else len(part)


def _last_patient(form: Form, data: bytes, end: int, patient: int | None) -> int:
    """The byte at which the rows of the last patient begin in whole rows up to `end`; that, where none is named."""
    if patient is None or not end:
        return end
    if QUOTE not in data:
        # Without copies, as this is done while others wait.
        begin = _last_lines(form, data, end, patient)
        if begin is not None:
            return begin
    data = data[:end]
    width = len(data) if QUOTE in data else TAIL
    while True:
        begin = data.find(b"\n", len(data) - width) + 1 if width < len(data) else 0
        tail = data[begin:]
        records = _records(tail, 0, form.byte)
        fits = np.flatnonzero(records.separators == len(form.header) - 1)
        try:
            ids = rows(form, tail, 1).load([patient])[str(patient)].str.strip_chars()
        except CohortError:
            return len(data)
        others = ids.ne_missing(ids[-1]).arg_true() if len(ids) else ids
        if len(others):
            return begin + int(records.start[fits[int(others[-1]) + 1]])
        if not begin:
            return 0
        width *= 8


def _last_lines(form: Form, data: bytes, end: int, patient: int) -> int | None:
    """As `_last_patient`, where a few lines back there is another patient; None: there is none, or a line is no row."""
    last = None
    for _ in range(FEW):
        begin = data.rfind(b"\n", 0, end - 1) + 1
        cells = data[begin:end].split(form.separator.encode())
        if len(cells) != len(form.header):
            return None
        name = cells[patient].strip()
        if last not in (None, name):
            return end
        last, end = name, begin
    return None


# WHAT IS WRONG


def _check_utf_8(form: Form, data: bytes, lines: Ints) -> None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        begin = data.rfind(b"\n", 0, error.start) + 1
        word = data[begin : error.start + 20].splitlines()[0].decode("latin-1").replace("\t", ",")
        near = next(cell for cell in word.split(",") if not cell.isascii())
        start = _records(data, 0, form.byte).start
        row = int(np.searchsorted(start, error.start, side="right")) - 1
        line = int(lines[row]) + data.count(b"\n", int(start[row]), error.start)
        what = f"this is not UTF-8, near {near.strip()!r}; {AS_UTF_8}"
        raise CohortError(f"{form.name}: line {line}: {what}.") from None


def _check_quotes(
    data: bytes, name: str, separator: int, *, begin: int = 0, line: int = 1, odd: int | None = None, part: bool = False
) -> None:
    """Quotation marks must open at the start of a cell and close at its end, but for the last of a `part`.

    The data begin with that line; in the line `odd` before it, the number of quotation marks is odd.
    """
    array = np.frombuffer(data, np.uint8)
    at = _where(array, QUOTE)
    opening, closing = at[::2], at[1::2]
    before = array[np.maximum(opening, 1) - 1]
    opens = np.isin(before, (separator, NEWLINE, QUOTE)) | (opening == begin)
    after = array[np.minimum(closing, len(array) - 2) + 1]
    closes = np.isin(after, (separator, NEWLINE, RETURN, QUOTE)) | (closing == len(array) - 1)
    wrong = [*opening[~opens][:1], *closing[~closes][:1]]
    if wrong:
        there = data.count(b"\n", 0, int(min(wrong))) + line
        cure = "put the whole cell in quotation marks, and double those in it"
        raise CohortError(f'{name}: line {there}: a quotation mark (") within a cell; {cure}.')
    if len(at) % 2 and not part:
        # Cells rarely hold newlines: the first line with an odd number is the likeliest.
        there = odd or _odd_line(data, line) or line
        raise CohortError(f'{name}: line {there}: a quotation mark (") is opened and never closed.')


def _odd_line(data: bytes, line: int) -> int | None:
    """The first line with an odd number of quotation marks."""
    if QUOTE not in data:
        return None
    array = np.frombuffer(data, np.uint8)
    line_of = np.searchsorted(_where(array, NEWLINE), _where(array, QUOTE))
    odd = np.flatnonzero(np.bincount(line_of) % 2)
    return int(odd[0]) + line if len(odd) else None


def check_kind(data: bytes, name: str) -> None:
    if not data:
        raise CohortError(f"{name}: this file is empty.")
    if data.startswith(UTF_16) or b"\x00" in data[:100]:
        raise CohortError(f"{name}: this is UTF-16 or no text at all; {AS_UTF_8}.")
    if data.startswith((b"PK\x03\x04", b"PAR1")):
        workbook = "a workbook or an archive; save it as CSV UTF-8"
        kind = "Parquet; name it .parquet" if data.startswith(b"PAR1") else workbook
        raise CohortError(f"{name}: this is no text but {kind}.")


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


def _ragged(cells: int, form: Form) -> str:
    header, separator = form.header, form.separator
    have = f"{cells} cell{'' if cells == 1 else 's'}, but the header has {len(header)}"
    if cells < len(header):
        return f"{have}; leave cells empty, but keep their separators."
    comma = " (a decimal comma becomes a point)" if separator == "," else ""
    return f"{have}; put a cell that holds a {SEPARATORS[separator].removesuffix('s')} in quotation marks{comma}."


def _where(array: NDArray[np.uint8], byte: int) -> NDArray[np.int64]:
    pieces = range(0, max(len(array), 1), PIECE)
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
