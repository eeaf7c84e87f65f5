"""Grid: the cells of a plain block of text, read by numpy alone.

A plain block is ASCII without quotation marks. The cells of its columns are empty, numbers of up to eight characters,
dates as YYYY-MM-DD, or names without white space around them. Only the values of such cells can be wrong. A block
that is not plain gives None here, and is read as texts.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from itp_response.cohort.values import Bools, Floats, Ints

NEWLINE = ord("\n")
SPACE, ZERO, POINT, MINUS = b" 0.-"
PAD = 8
"""Bytes before the first and after the last cell, as cells are read eight bytes at a time."""
MOST = 1 << 30
"""The most bytes of a block, so that positions in it are small numbers."""
PIECE = 1 << 19
"""Bytes searched for separators at once."""
LONGEST_NAME = 64
"""The most bytes of a text."""
Words = NDArray[np.uint64]
_NONE = np.zeros(0, dtype=np.int64)


class Grid:
    """The cells of a block; `array` has its bytes, and `PAD` more before and after them."""

    def __init__(self, array: NDArray[np.uint8], ends: Ints) -> None:
        self._array = array
        self._ends = ends
        """Per column and row, the position of the separator after the cell."""
        # A view of eight bytes from each byte on; numpy gathers from it at any position.
        self._words = np.lib.stride_tricks.as_strided(array[:8].view("<u8"), (len(array) - 7,), (1,), writeable=False)

    def __len__(self) -> int:
        return len(self._ends[0])

    def column(self, position: int) -> "Column":
        """The cells of a column."""
        before = self._ends[position - 1] if position else np.append(np.int32(PAD - 1), self._ends[-1, :-1])
        begin: Ints = before + 1
        return Column(self._array, self._words, begin, self._ends[position] - begin)


def grid(data: bytes, columns: int, separator: str) -> Grid | None:
    """The cells of whole lines with that number of columns; None: the block is not plain."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    if not data or len(data) > MOST or not data.isascii() or any(byte in data for byte in (b'"', b"\r", b"\0")):
        return None
    last = b"" if data.endswith(b"\n") else b"\n"
    array = np.full(len(data) + len(last) + 2 * PAD, SPACE, dtype=np.uint8)
    array[PAD : PAD + len(data)] = np.frombuffer(data, np.uint8)
    array[PAD + len(data) : -PAD] = np.frombuffer(last, np.uint8)
    pieces, lines = [], 0
    for begin, newline, end in _pieces(array, separator):
        lines += int(np.count_nonzero(newline))
        pieces.append((end + begin).astype(np.int32))
    ends = np.concatenate(pieces)
    if len(ends) != lines * columns:
        return None
    of_column = np.ascontiguousarray(ends.reshape(-1, columns).T)
    # Each line ends with a newline, and there are no others.
    return Grid(array, of_column) if bool((array.take(of_column[-1]) == NEWLINE).all()) else None


def rows_in(data: bytes, columns: int, separator: str) -> int | None:
    """The number of lines, if each has that number of cells and nothing is quoted; else None."""
    if b'"' in data:
        return None
    ends = lines = 0
    for _, newline, end in _pieces(np.frombuffer(data, np.uint8), separator):
        # The numbers of the cells that end a line.
        of_line = np.flatnonzero(newline.take(end)) + ends
        if bool((of_line != np.arange(lines + 1, lines + len(of_line) + 1) * columns - 1).any()):
            return None
        ends, lines = ends + len(end), lines + len(of_line)
    if data.endswith(b"\n"):
        return lines
    return lines + 1 if ends == (lines + 1) * columns - 1 else None


def _pieces(array: NDArray[np.uint8], separator: str) -> Iterator[tuple[int, Bools, NDArray[np.int64]]]:
    """The bytes piece by piece, which is faster, as a piece fits in the processor's cache.

    Each as the position at which it begins, which of its bytes are newlines, and the positions in it that end a cell.
    """
    for begin in range(0, len(array), PIECE):
        piece = array[begin : begin + PIECE]
        newline = piece == NEWLINE
        yield begin, newline, np.flatnonzero(newline | (piece == ord(separator)))


class Column:
    """The cells of one column, by the first byte and the number of bytes of each."""

    def __init__(self, array: NDArray[np.uint8], words: Words, begin: Ints, width: Ints) -> None:
        self._array, self._words = array, words
        self._begin, self._width = begin, width

    def __len__(self) -> int:
        return len(self._begin)

    def _at(self, rows: Ints) -> "Column":
        return Column(self._array, self._words, self._begin[rows], self._width[rows])

    @cached_property
    def _widest(self) -> int:
        return int(self._width.max(initial=0))

    def _given(self) -> Ints | None:
        """The rows with a cell that is not empty; None: all rows."""
        given = self._width > 0
        return None if given.all() else np.flatnonzero(given)

    # numbers

    def numbers(self) -> tuple[Floats, Ints]:
        """The cells as numbers, NaN where empty; and the rows with other cells."""
        given = self._given()
        if given is None:
            return self._numbers()
        numbers = np.full(len(self), np.nan)
        if not len(given):
            return numbers, given
        numbers[given], others = self._at(given)._numbers()
        return numbers, given[others]

    def _numbers(self) -> tuple[Floats, Ints]:
        if self._widest == 1:
            digits = self._array.take(self._begin) - np.uint8(ZERO)  # other characters wrap to more than 9
            return digits.astype(np.float64), np.flatnonzero(digits > 9)
        digits, wrong = _digits(self._words[self._begin], self._width, 4 if self._widest <= 4 else 8)
        numbers: Floats = digits.astype(np.float64)
        if self._widest > 8:
            wrong |= self._width > 8
        if not wrong.any():
            return numbers, _NONE
        rows = np.flatnonzero(wrong)
        numbers[rows], others = self._at(rows)._signed()
        return numbers, rows[others]

    def _signed(self) -> tuple[Floats, Ints]:
        """Numbers with a sign or a decimal point between digits; and the rows with other cells."""
        minus = self._array.take(self._begin) == MINUS
        begin, width = self._begin + minus, self._width - minus
        cells = self._array.take(begin[:, None] + np.arange(8))
        position = np.arange(8)
        points = (cells == POINT) & (position < width[:, None])
        point = np.where(points.any(axis=1), points.argmax(axis=1), width)
        # The digits before the point move on by one byte, over the point.
        moved = np.where((position <= point[:, None]) & (position > 0), np.roll(cells, 1, axis=1), cells)
        has_point = point < width
        moved = np.where(has_point[:, None], moved, cells)
        words = np.ascontiguousarray(moved).view("<u8")[:, 0]
        words = np.where(has_point, words >> np.uint64(8), words)
        decimals = np.where(has_point, width - point - 1, 0)
        width = width - has_point
        digits, wrong = _digits(words, np.minimum(width, 8), 8)
        wrong |= (width < 1) | (self._width > 8) | (has_point & ((point < 1) | (decimals < 1)))
        # Both numbers are exact, so the quotient is rounded once, as a decimal number that is parsed.
        numbers = digits / np.power(10.0, decimals)
        return np.where(minus, -numbers, numbers), np.flatnonzero(wrong)

    # dates

    def dates(self, first: int, last: int) -> Floats | None:
        """The cells as days since 1970, NaN where empty; None: a cell is no date between those years."""
        given = self._given()
        if given is None:
            return self._dates(first, last)
        days = self._at(given)._dates(first, last)
        if days is None:
            return None
        all_days = np.full(len(self), np.nan)
        all_days[given] = days
        return all_days

    def _dates(self, first: int, last: int) -> Floats | None:
        if bool((self._width != 10).any()):
            return None
        # The first four bytes are the year. The last eight are its last two digits, the month and the day.
        year, wrong = _digits(self._words[self._begin], np.full(1, 4), 4)
        rest = self._words[self._begin + 2] ^ np.uint64(int.from_bytes(b"00-00-00", "little"))
        wrong |= _beyond_9(rest, np.uint64)
        wrong |= (rest & np.uint64(int.from_bytes(b"\0\0\xff\0\0\xff\0\0", "little"))) != 0
        pairs = ((rest >> np.uint64(shift)) & np.uint64(0x0F0F) for shift in (24, 48))
        month, day = ((pair & np.uint64(0xF)) * np.uint64(10) + (pair >> np.uint64(8)) for pair in pairs)
        wrong |= (year < first) | (year > last) | (month < 1) | (month > 12) | (day < 1)
        if wrong.any():
            return None
        months = np.arange((first - 1970) * 12, (last - 1969) * 12 + 1).astype("datetime64[M]").astype("datetime64[D]")
        begin_of_month = months.astype(np.int32)
        at = ((year.astype(np.int64) - first) * 12 + month.astype(np.int64)) - 1
        next_day = begin_of_month.take(at) + day.astype(np.int32)
        after_month = next_day > begin_of_month.take(at + 1)
        return None if bool(after_month.any()) else (next_day - 1).astype(np.float64)

    # texts

    def texts(self, rows: Ints) -> list[str] | None:
        """The cells of some rows; None: one is too long."""
        chosen = self._at(rows)
        return None if chosen._widest > LONGEST_NAME else chosen._listed()

    def runs(self) -> tuple[Ints, list[str]] | None:
        """The rows that differ from the row before, and their names; an empty name is missing."""
        if self._widest > LONGEST_NAME:
            return None
        changes = np.ones(len(self), dtype=np.bool_)
        changes[1:] = self._width[1:] != self._width[:-1]
        end = self._begin + self._width
        even = not changes[1:].any()
        # From the end backwards, as the bytes after a short cell belong to the next one.
        for compared in range(0, self._widest, 8):
            left = self._width - compared
            words = self._words[np.maximum(end - compared - 8, 0)]
            if not even or self._widest - compared < 8:
                unused = np.clip(8 - left, 0, 8).astype(np.uint64) << np.uint64(3)
                words >>= unused
            changes[1:] |= words[1:] != words[:-1]
        begin = np.flatnonzero(changes)
        names = self._at(begin)._texts()
        return None if names is None else (begin, names)

    def distinct(self) -> tuple[Ints, list[str], Ints] | None:
        """The rows with a text, the different texts, and the position in these of the text of each such row."""
        rows = np.flatnonzero(self._width)
        if not len(rows):
            return rows, [], rows
        given = self._at(rows)
        if given._widest > LONGEST_NAME:
            return None
        first, position = given._different()
        texts = given._at(first)._texts()
        return None if texts is None else (rows, texts, position)

    def _different(self) -> tuple[Ints, Ints]:
        """A row of each different text, and the position in these of each row's text."""
        if self._widest > 1:
            _, first, position = np.unique(self._padded(), return_index=True, return_inverse=True)
            return first, position
        letters = self._array.take(self._begin)
        row = np.full(256, -1)
        row[letters] = np.arange(len(self))
        present = np.flatnonzero(row >= 0)
        position = np.zeros(256, dtype=np.int64)
        position[present] = np.arange(len(present))
        return row[present], position[letters]

    def _padded(self) -> NDArray[np.bytes_]:
        """The cells as texts of one width, padded with zeros."""
        position = np.arange(max(self._widest, 1))
        cells = self._array.take(self._begin[:, None] + position, mode="clip")
        cells *= position < self._width[:, None]
        padded: NDArray[np.bytes_] = cells.view(f"S{len(position)}")[:, 0]
        return padded

    def _texts(self) -> list[str] | None:
        """The cells as texts; None: one has white space around it."""
        return self._listed() if self.trimmed() else None

    def trimmed(self) -> bool:
        """Whether no cell has white space around it."""
        rows = self._given()
        given = self if rows is None else self._at(rows)
        last = given._begin + given._width - 1
        return not any(bool((self._array.take(at) <= SPACE).any()) for at in (given._begin, last))

    def _listed(self) -> list[str]:
        """The cells as texts; they hold no newlines."""
        padded = self._padded()
        return b"\n".join(padded.tolist()).decode().split("\n") if len(padded) else []


def _beyond_9(values: Any, kind: Any) -> Bools:
    """Which values have a byte above 9: adding 118 makes such a byte 128 or more, unless it is already."""
    beyond: Bools = ((values + _all_bytes(0x76, kind)) | values) & _all_bytes(0x80, kind) != 0
    return beyond


def _all_bytes(byte: int, kind: Any) -> Any:
    """The number with that value in each of its bytes."""
    return kind(int.from_bytes(bytes([byte]) * np.dtype(kind).itemsize, "little"))


def _digits(words: Words, width: Ints, size: int) -> tuple[Any, Bools]:
    """The numbers in the first `width` bytes of words, and which words have a byte that is no digit there.

    `size` is 4 or 8, at least the largest width.
    """
    kind: Any = np.uint32 if size == 4 else np.uint64
    unused = ((size - width) << 3).astype(kind)
    # Digits become their values and move up to the last byte; the bytes below become zeros.
    value = words.astype(kind)
    value ^= _all_bytes(ZERO, kind)
    value <<= unused
    wrong = _beyond_9(value, kind)
    # Neighbours are joined to numbers of two digits, then of four, then of eight.
    value = (value * kind(10) + (value >> kind(8))) & kind(0x00FF00FF00FF00FF & (2 ** (8 * size) - 1))
    value = (value * kind(100) + (value >> kind(16))) & kind(0x0000FFFF0000FFFF & (2 ** (8 * size) - 1))
    if size == 8:
        value = (value * kind(10000) + (value >> kind(32))) & kind(0xFFFFFFFF)
    return value, wrong
