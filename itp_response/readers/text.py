"""Text: a CSV or TSV file, read as a whole, or in blocks of whole rows that end where a patient's rows end."""

import csv as standard_csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.values import Ints
from itp_response.messages.errors import CohortError
from itp_response.messages.optional_imports import needed
from itp_response.readers.header import LOOKED_AT, header_position, no_such_header, note_on_header
from itp_response.readers.open_table import OpenTable
from itp_response.readers.separator import SEPARATORS, likely_separator, split, told_separator

NEWLINE, QUOTE, RETURN = b'\n"\r'
BOM = b"\xef\xbb\xbf"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""The first bytes of a file in UTF-16, as a spreadsheet writes 'Unicode Text'."""
PIECE = 1 << 26
"""Bytes searched at once, so that the arrays made of them stay small beside the file."""
HEAD = 1 << 16
"""Bytes in which the header of a file that is read in blocks must end."""
TAIL = 1 << 14
"""Bytes at the end of a block in which its last patient's rows are looked for first."""
FEW = 200
"""Lines that are split one by one; most patients have fewer."""
LONGEST_CELL = 1 << 17
"""Letters of a cell that is looked at alone, such as a name in the header; Python's csv reads no longer one."""
LONGEST_LINE = 1 << 24
"""Bytes of a line: a file without newlines would fill the memory before anything could be said of it."""
MOST_TIMES = 250
"""How many times its size a packed file may unpack to; tables pack to a tenth."""
ALWAYS_UNPACKED = 1 << 28
"""Bytes that it may unpack to however small it is."""
PIECE_READ = 1 << 23
"""Bytes read at once."""
ZERO_AS_THIRD_DECIMAL = re.compile(rb"\.\d\d+0(?!\d)")
"""A point that may stand between thousands, where it must be known how a number was written."""
TORN = (
    "a carriage return within the line; end each row with a newline, or put a cell that holds one in quotation marks."
)
AS_UTF_8 = "save the file as UTF-8 (in a spreadsheet: 'CSV UTF-8')"


@dataclass(frozen=True)
class TextFormat:
    """How a text file is written, as its header tells."""

    name: str
    separator: str
    header: list[str]
    line: int
    """The line of the first row below the header."""
    begin: int
    """The byte at which that row begins."""
    notes: list[str]
    numbers: frozenset[int] = frozenset()
    """The positions of columns that are read as numbers, where all their cells are numbers."""

    @property
    def byte(self) -> int:
        """The separator as a byte."""
        return ord(self.separator)


class _Records(NamedTuple):
    """The records of a text file, one entry per record; a newline in quotation marks does not end a record."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    """The byte after the record and its newline."""
    line: NDArray[np.int64]
    separators: NDArray[np.int64]
    """The number of separators."""


# UNPACKING


def _gzip(raw: IO[bytes], _: str) -> Any:
    return gzip.GzipFile(fileobj=raw)


def _zstd(raw: IO[bytes], name: str) -> Any:
    pa = needed("pyarrow", "stream", f"{name}: ", CohortError)
    return pa.CompressedInputStream(pa.PythonFile(raw), "zstd")


PACKED = {".gz": _gzip, ".zst": _zstd}
"""The function that unpacks a packed file, by its last suffix."""


class UnpackedFile:
    """The unpacked bytes of a text file, as they are read; what would fill the memory is refused before it does."""

    def __init__(self, name: str, file: Any, raw: IO[bytes]) -> None:
        self._name, self._file, self._raw = name, file, raw
        self._size = self._in_line = 0
        self.line = 1
        """The line to which the next byte belongs."""

    def read(self, size: int | None = None) -> bytes:
        """The next bytes, fewer than `size` at the end of the file alone; None: all of them.

        Raises `CohortError` for a line, or a packed file, that is too large.
        """
        pieces, missing = [], size
        while missing != 0 and (piece := self._file.read(PIECE_READ if missing is None else min(missing, PIECE_READ))):
            self._check(piece)
            pieces.append(piece)
            missing = None if missing is None else missing - len(piece)
        return b"".join(pieces)

    def _check(self, piece: bytes) -> None:
        ends = [at for at in (piece.find(b"\n"), piece.find(b"\r")) if at >= 0]
        self._check_line(self._in_line + min(ends, default=len(piece)))
        self.line += _newlines(piece)
        last = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
        self._in_line = len(piece) - 1 - last if ends else self._in_line + len(piece)
        self._check_line(self._in_line)
        self._size += len(piece)
        if self._file is not self._raw:
            check_unpacked(self._size, self._raw.tell(), self._name)

    def _check_line(self, size: int) -> None:
        if size > LONGEST_LINE:
            what = f"a line of more than {LONGEST_LINE >> 20} MB, so this is no table"
            raise CohortError(f"{self._name}: line {self.line}: {what}; end each row with a newline.")


def most_unpacked(size: int) -> int:
    """The bytes that a packed file of this size may unpack to."""
    return max(ALWAYS_UNPACKED, MOST_TIMES * size)


def check_unpacked(unpacked_size: int, size: int, name: str) -> None:
    """Raises `CohortError` for a packed file of which so little makes so much that it is no table."""
    if unpacked_size > most_unpacked(size):
        what = f"this unpacks to more than {MOST_TIMES} times its size, as no table does"
        raise CohortError(f"{name}: {what}; if it is right, unpack it and give what is in it.")


@contextmanager
def unpacked(path: Path) -> Iterator[tuple[UnpackedFile, IO[bytes]]]:
    """The unpacked bytes of a file, and the file itself.

    Raises `CohortError` if the file cannot be read to its end.
    """
    packed = PACKED.get(path.suffix.lower())
    with path.open("rb") as raw:
        try:
            yield UnpackedFile(path.name, raw if packed is None else packed(raw, path.name), raw), raw
        except (EOFError, OSError, zlib.error) as error:
            if packed is None:
                why = getattr(error, "strerror", None) or error
                raise CohortError(f"{path.name}: this cannot be read: {why}.") from None
            raise CohortError(
                f"{path.name}: this is not a complete {path.suffix.lower()} file; copy it again."
            ) from None


# READING


def whole_file(path: Path, usual: str, header_row: int | None = None) -> OpenTable:
    """The rows of a text file; `usual` is the separator, unless the header has only another.

    `header_row` is the line with the names of the columns; None: it is looked for.
    """
    with unpacked(path) as (file, _):
        data: bytes = _as_utf_8(file.read(), path.name)
    check_kind(data, path.name)
    if NEWLINE not in data:
        data = data.replace(b"\r", b"\n")
    form = text_format(data, path.name, usual, header_row=header_row)
    return rows_of(form, data[form.begin :], form.line)


def _as_utf_8(data: bytes, name: str) -> bytes:
    """The bytes of a text; those of UTF-16 that says so by its first bytes, as UTF-8."""
    if not data.startswith(UTF_16):
        return data
    try:
        return data.decode("utf-16").encode()
    except UnicodeError:
        raise CohortError(f"{name}: this is not whole as UTF-16, as which it begins; {AS_UTF_8}.") from None


def text_format(data: bytes, name: str, usual: str, *, part: bool = False, header_row: int | None = None) -> TextFormat:
    """How a file is written, from its bytes; with `part`, from its first bytes.

    Raises `CohortError` if there is no header.
    """
    begin = len(BOM) if data.startswith(BOM) else 0
    told = told_separator(data[begin:HEAD], name)
    separator = told or likely_separator(data[begin:HEAD], (usual, *SEPARATORS))
    if QUOTE in data:
        _check_quotes(data, name, ord(separator), begin=begin, part=part)
    # The header mostly ends within the first bytes; all bytes are searched only if it does not.
    for searched in (data[:HEAD], data):
        records = _records(searched, begin, ord(separator))
        found = _head(searched, records, separator, told is not None, header_row)
        if found is not None and records.end[found[0]] < len(searched):
            break
    if found is None and header_row is not None:
        raise no_such_header(header_row, data.count(b"\n") + (not data.endswith(b"\n")), "line", name)
    if found is None:
        raise CohortError(f"{name}: this file is empty.")
    head, note = found
    header = _header(data[records.start[head] : records.end[head]], int(records.line[head]), separator, name)
    notes = [] if separator == usual else [f"Cells are separated by {SEPARATORS[separator]}."]
    end = int(records.end[head])
    notes += filter(None, [note])
    return TextFormat(name, separator, header, 1 + data.count(b"\n", 0, end), end, notes)


def _head(
    data: bytes, records: _Records, separator: str, separator_told: bool, header_row: int | None
) -> tuple[int, str] | None:
    """The record of the header, and a note if it is not the first; None: there is none."""
    told = None if header_row is None else int(np.searchsorted(records.line, header_row))
    size = min(len(records.start), LOOKED_AT if told is None else told + 1)
    rows = [split(data[records.start[row] : records.end[row]], separator) for row in range(size)]
    if separator_told:
        rows[0] = []
    position = header_position(rows) if told is None else told if told < size else None
    if position is None and told is None:
        filled = (row for row in range(size, len(records.start)) if not _blank(data, records, row))
        return next(((row, "") for row in filled), None)
    if position is None or not any(rows[position]):
        return None
    lines = [int(line) for line in records.line[:size]]
    return position, note_on_header(rows, lines, position, told is not None, "line")


def rows_of(form: TextFormat, data: bytes, line: int) -> OpenTable:
    """The rows in these bytes; the first is that line of the file. Rows of other lengths are broken lines."""
    columns, torn = len(form.header), _torn(data)
    size = _even_rows(data, columns, form.byte) if data and columns > 1 and not len(torn) else None
    if size is not None:
        return _opened(form, data, np.arange(line, line + size), [], [])
    records = _records(data, 0, form.byte) if data else None
    if records is None:
        return _opened(form, b"", np.zeros(0, dtype=np.int64), [], [])
    fits = records.separators == columns - 1
    broken = np.unique(np.searchsorted(records.end, torn, side="right"))
    fits[broken] = False
    others = np.flatnonzero(~fits).tolist()
    ragged = [row for row in others if records.separators[row] or not _blank(data, records, row)]
    texts = [data[records.start[row] : records.end[row]].decode(errors="replace").rstrip("\r\n") for row in ragged]
    lines, returns = records.line + (line - 1), set(broken.tolist())
    problems = [
        (int(lines[row]), TORN if row in returns else _ragged(int(records.separators[row]) + 1, form)) for row in ragged
    ]
    broken_lines = [(text, _first_cell(text, form.separator)) for text in texts]
    if not fits.all():
        array = np.frombuffer(data, np.uint8)
        data = array[np.repeat(fits, records.end - records.start)].tobytes()
        lines = lines[fits]
    return _opened(form, data if len(lines) else b"", lines, problems, broken_lines)


def _even_rows(data: bytes, columns: int, separator: int) -> int | None:
    """The number of lines, if each has that number of cells and nothing is quoted; else None."""
    if QUOTE in data:
        return None
    ends = data.translate(None, bytes({*range(256)} - {separator, NEWLINE}))
    if not data.endswith(b"\n"):
        ends += b"\n"
    lines = len(ends) // columns
    return lines if ends == (bytes([separator]) * (columns - 1) + b"\n") * lines else None


def _torn(data: bytes) -> Ints:
    """The carriage returns within a line, outside of quotation marks.

    Several before a newline are the end of a line, as programs write it that translate it twice.
    """
    # Most files have none, which is quickly seen.
    if b"\r" not in data or data.count(b"\r") == data.count(b"\r\n"):
        return np.zeros(0, dtype=np.int64)
    array = np.frombuffer(data, np.uint8)
    at = _positions_of_byte(array, RETURN)
    following = np.append(array, NEWLINE)[at + 1]
    at = at[(following != NEWLINE) & (following != RETURN)]
    # An even number of quotation marks stands before what is outside of them.
    torn: Ints = at[np.searchsorted(_positions_of_byte(array, QUOTE), at) % 2 == 0]
    return torn


def _first_cell(text: str, separator: str) -> str:
    return next(iter(split(text[:LONGEST_CELL].encode(), separator)), "")


def _opened(
    form: TextFormat, data: bytes, lines: Ints, problems: list[tuple[int, str]], broken_lines: list[tuple[str, str]]
) -> OpenTable:
    load = partial(_load, form, data, lines)
    decimal: Literal["usual", "shown"] = "shown" if form.separator == ";" else "usual"
    return OpenTable(
        form.name,
        form.header,
        load,
        lines,
        "line",
        problems,
        form.notes,
        broken_lines,
        decimal=decimal,
        separator=form.separator,
        load_first=partial(_load_first, form, data, lines),
    )


def _load(form: TextFormat, data: bytes, lines: Ints, positions: Sequence[int]) -> pl.DataFrame:
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


def _load_first(form: TextFormat, data: bytes, lines: Ints, positions: Sequence[int]) -> pl.DataFrame:
    """The first whole rows."""
    if len(data) > HEAD:
        records = _records(data[:HEAD], 0, form.byte)
        whole = len(records.start) - 1
        if whole:
            data, lines = data[: records.end[whole - 1]], lines[:whole]
    return _load(form, data, lines, positions)


def _parsed(form: TextFormat, data: bytes, positions: Sequence[int]) -> pl.DataFrame:
    numbers = [str(position) for position in positions if position in form.numbers]
    if numbers and not (b"." in data and ZERO_AS_THIRD_DECIMAL.search(data)):
        try:
            frame = _typed(form, data, positions, numbers)
            if all(frame.select(pl.col(numbers).is_finite().all()).row(0)):
                return frame
        except pl.exceptions.ComputeError:
            pass
    return _typed(form, data, positions, ())


def _typed(form: TextFormat, data: bytes, positions: Sequence[int], numbers: Sequence[str]) -> pl.DataFrame:
    """The cells as texts, those of `numbers` as numbers."""
    schema = dict.fromkeys(map(str, range(len(form.header))), pl.String()) | dict.fromkeys(numbers, pl.Float64())
    # polars takes a mark of the byte order away, but here, below the header, it is part of a cell.
    data = BOM + data if data.startswith(BOM) else data
    return pl.read_csv(data, has_header=False, separator=form.separator, schema=schema, columns=sorted(positions))


# IN BLOCKS


class Block(NamedTuple):
    """Some whole rows of a text file."""

    form: TextFormat
    data: bytes
    line: int
    """The line of the first row."""

    def rows(self) -> OpenTable:
        """The rows."""
        return rows_of(self.form, self.data, self.line)


def blocks(form: TextFormat, begun: bytes, file: UnpackedFile, size: int, patient: int | None) -> Iterator[Block]:
    """The rows of a text file, in blocks of about `size` bytes; `begun` are the bytes of it that were read already.

    A block ends where the column at the position `patient` changes, so it may be larger.
    Raises `CohortError` for misplaced quotation marks.
    """
    pending, line, wanted, ended, odd = begun, form.line, size, False, None
    while pending or not ended:
        more = file.read(wanted)
        if len(more) < wanted:
            # Mostly the file has ended, and its last patient needs no block of its own.
            rest = file.read(wanted)
            more, ended = more + rest, not rest
        pending += more
        end = whole_rows(form, pending, line, odd, ended=ended)
        cut = end if ended else _last_patient(form, pending, end, patient)
        # If the rows of one patient fill the block, the next read doubles it, so that the work stays proportional.
        wanted = size if cut else max(size, len(pending))
        if cut:
            data, pending = pending[:cut], pending[cut:]
            odd = odd or _odd_line(data, line)
            yield Block(form, data, line)
            line = file.line - _newlines(pending)


def whole_rows(form: TextFormat, data: bytes, line: int, odd: int | None = None, *, ended: bool) -> int:
    """The byte after the last whole row; raises `CohortError` for misplaced quotation marks."""
    if QUOTE not in data:
        return len(data) if ended else data.rfind(b"\n") + 1
    if ended:
        _check_quotes(data, form.name, form.byte, line=line, odd=odd)
        return len(data)
    part = data[: data.rfind(b"\n") + 1]
    _check_quotes(part, form.name, form.byte, line=line, part=True)
    marks = _positions_of_byte(np.frombuffer(part, np.uint8), QUOTE)
    return part.rfind(b"\n", 0, int(marks[-1])) + 1 if len(marks) % 2 else len(part)


def _last_patient(form: TextFormat, data: bytes, end: int, patient: int | None) -> int:
    """The byte at which the last patient's rows begin, in the whole rows up to `end`.

    It is 0 if all rows are of one patient, and `end` if there is no column of patients or the rows cannot be read.
    """
    if patient is None or not end:
        return end
    quotes = QUOTE in data
    if not quotes:
        # The last lines are split without a copy, as other threads wait for this.
        begin = _last_patient_in_lines(form, data, end, patient)
        if begin is not None:
            return begin
    data = data[:end]
    # Where a quotation mark may span lines, a line in the middle cannot be told from a row.
    width = len(data) if quotes else TAIL
    while True:
        tail = data.find(b"\n", len(data) - width) + 1 if width < len(data) else 0
        try:
            begin = _last_patient_in_rows(form, data[tail:], patient)
        except CohortError:
            return len(data)
        if begin:
            return tail + begin
        if not tail:
            return 0
        width *= 8


def _last_patient_in_rows(form: TextFormat, data: bytes, patient: int) -> int:
    """The byte at which the last patient's rows begin; 0: all rows are of one patient."""
    ids = rows_of(form, data, 1).load([patient])[str(patient)].str.strip_chars()
    others = ids.ne_missing(ids[-1]).arg_true() if len(ids) else ids
    if not len(others):
        return 0
    records = _records(data, 0, form.byte)
    rows = np.flatnonzero(records.separators == len(form.header) - 1)
    return int(records.start[rows[int(others[-1]) + 1]])


def _last_patient_in_lines(form: TextFormat, data: bytes, end: int, patient: int) -> int | None:
    """As `_last_patient`, of the last lines; None: they are all of one patient, or one of them is no row."""
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


def _check_utf_8(form: TextFormat, data: bytes, lines: Ints) -> None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        begin = data.rfind(b"\n", 0, error.start) + 1
        word = data[begin : error.start + 20].split(b"\n")[0].decode("latin-1").replace("\t", ",")
        near = next(cell for cell in word.split(",") if not cell.isascii())
        start = _records(data, 0, form.byte).start
        row = int(np.searchsorted(start, error.start, side="right")) - 1
        line = int(lines[row]) + data.count(b"\n", int(start[row]), error.start)
        what = f"this is not UTF-8, near {near.strip()!r}; {AS_UTF_8}"
        raise CohortError(f"{form.name}: line {line}: {what}.") from None


def _check_quotes(
    data: bytes, name: str, separator: int, *, begin: int = 0, line: int = 1, odd: int | None = None, part: bool = False
) -> None:
    """Quotation marks must open at the start of a cell and close at its end; with `part`, the last may stay open.

    `line` is the line at which the data begin, `odd` an earlier line with an odd number of quotation marks.
    """
    array = np.frombuffer(data, np.uint8)
    at = _positions_of_byte(array, QUOTE)
    opening, closing = at[::2], at[1::2]
    before = array[np.maximum(opening, 1) - 1]
    opens = np.isin(before, (separator, NEWLINE, QUOTE)) | (opening == begin)
    after = array[np.minimum(closing, len(array) - 2) + 1]
    closes = np.isin(after, (separator, NEWLINE, RETURN, QUOTE)) | (closing == len(array) - 1)
    misplaced = [*opening[~opens][:1], *closing[~closes][:1]]
    if misplaced:
        wrong_line = data.count(b"\n", 0, int(min(misplaced))) + line
        cure = "put the whole cell in quotation marks, and double those in it"
        raise CohortError(f'{name}: line {wrong_line}: a quotation mark (") within a cell; {cure}.')
    if len(at) % 2 and not part:
        # Cells rarely hold newlines, so the first line with an odd number is the likeliest.
        wrong_line = odd or _odd_line(data, line) or line
        raise CohortError(f'{name}: line {wrong_line}: a quotation mark (") is opened and never closed.')


def _odd_line(data: bytes, line: int) -> int | None:
    """The first line with an odd number of quotation marks."""
    if QUOTE not in data:
        return None
    array = np.frombuffer(data, np.uint8)
    line_of = np.searchsorted(_positions_of_byte(array, NEWLINE), _positions_of_byte(array, QUOTE))
    odd = np.flatnonzero(np.bincount(line_of) % 2)
    return int(odd[0]) + line if len(odd) else None


def check_kind(data: bytes, name: str) -> None:
    """Raises `CohortError` for bytes that are no UTF-8 text."""
    if not data:
        raise CohortError(f"{name}: this file is empty.")
    if b"\x00" in data[:100]:
        raise CohortError(f"{name}: this is UTF-16 without its first bytes, or no text at all; {AS_UTF_8}.")
    if data.startswith((b"PK\x03\x04", b"PAR1")):
        workbook = "a workbook or an archive; save it as CSV UTF-8"
        kind = "Parquet; name it .parquet" if data.startswith(b"PAR1") else workbook
        raise CohortError(f"{name}: this is not a text file but {kind}.")


def _header(record: bytes, line: int, separator: str, name: str) -> list[str]:
    """The names of the columns; raises `CohortError` if they cannot be read."""
    try:
        text = record.decode()
        if len(_torn(record)):
            raise CohortError(f"{name}: line {line}: {TORN}")
        names = next(standard_csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except UnicodeDecodeError:
        raise CohortError(f"{name}: line {line}: this is not UTF-8; {AS_UTF_8}.") from None
    except standard_csv.Error:
        what = f"a name of more than {LONGEST_CELL:,} letters in the header"
        raise CohortError(f"{name}: line {line}: {what}; shorten it.") from None
    return [name.strip() for name in names]


def _ragged(cells: int, form: TextFormat) -> str:
    header, separator = form.header, form.separator
    have = f"{cells} cell{'' if cells == 1 else 's'}, but the header has {len(header)}"
    if cells < len(header):
        return f"{have}; leave cells empty, but keep their separators."
    comma = " (a decimal comma becomes a point)" if separator == "," else ""
    return f"{have}; put a cell that holds a {SEPARATORS[separator].removesuffix('s')} in quotation marks{comma}."


def _newlines(data: bytes) -> int:
    """The number of newlines; numpy counts many of them several times as fast as `bytes.count`."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == NEWLINE))


def _positions_of_byte(array: NDArray[np.uint8], byte: int) -> NDArray[np.int64]:
    pieces = range(0, max(len(array), 1), PIECE)
    return np.concatenate([np.flatnonzero(array[begin : begin + PIECE] == byte) + begin for begin in pieces])


def _records(data: bytes, begin: int, separator: int) -> _Records:
    """The records in these bytes, of which the first begins at `begin`."""
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
