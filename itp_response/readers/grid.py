"""Grid: the cells of a block of text that is plain, read by numpy alone.

Plain is a block of ASCII without quotation marks, whose cells in the columns asked for are empty, whole or decimal
numbers of up to eight characters, dates as YYYY-MM-DD, or names without white space around them.
Nothing can be wrong with such cells but their values. Any other block is left to those who read all texts, so that
nothing is said here: what is not plain is None.
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
"""Bytes before the first and after the last cell, as cells are looked at eight bytes at a time."""
MOST = 1 << 30
"""Bytes of a block, so that places in it are small numbers."""
PIECE = 1 << 19
"""Bytes whose separators are looked for together."""
LONGEST_NAME = 64
"""Bytes of a text."""
Words = NDArray[np.uint64]
_NONE = np.zeros(0, dtype=np.int64)


class Grid:
    """The cells of a block; `array` are its bytes, with `PAD` others before and after them."""

    def __init__(self, array: NDArray[np.uint8], ends: Ints) -> None:
        self._array = array
        self._ends = ends
        """Per column and row, the place of what ends the cell."""
        # A view of eight bytes from each byte on: numpy gathers from it, aligned or not.
        self._words = np.lib.stride_tricks.as_strided(array[:8].view("<u8"), (len(array) - 7,), (1,), writeable=False)

    def __len__(self) -> int:
        return len(self._ends[0])

    def column(self, position: int) -> "Column":
        """The cells of a column."""
        before = self._ends[position - 1] if position else np.append(np.int32(PAD - 1), self._ends[-1, :-1])
        begin: Ints = before + 1
        return Column(self._array, self._words, begin, self._ends[position] - begin)


def grid(data: bytes, columns: int, separator: str) -> Grid | None:
    """The cells of whole lines of text, all of so many columns."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    if not data or len(data) > MOST or not data.isascii() or any(byte in data for byte in (b'"', b"\r", b"\0")):
        return None
    last = b"" if data.endswith(b"\n") else b"\n"
    array = np.full(len(data) + len(last) + 2 * PAD, SPACE, dtype=np.uint8)
    array[PAD : PAD + len(data)] = np.frombuffer(data, np.uint8)
    array[PAD + len(data) : -PAD] = np.frombuffer(last, np.uint8)
    found, lines = [], 0
    for at, newline, end in _pieces(array, separator):
        lines += int(np.count_nonzero(newline))
        found.append((end + at).astype(np.int32))
    ends = np.concatenate(found)
    if len(ends) != lines * columns:
        return None
    of_column = np.ascontiguousarray(ends.reshape(-1, columns).T)
    # As many newlines as lines, and one at the end of each.
    return Grid(array, of_column) if bool((array.take(of_column[-1]) == NEWLINE).all()) else None


def rows_in(data: bytes, columns: int, separator: str) -> int | None:
    """How many lines there are, where each has so many cells, and nothing is quoted; else None."""
    if b'"' in data:
        return None
    ends = lines = 0
    for _, newline, end in _pieces(np.frombuffer(data, np.uint8), separator):
        # Which of all the ends of cells are those of lines.
        of_line = np.flatnonzero(newline.take(end)) + ends
        if bool((of_line != np.arange(lines + 1, lines + len(of_line) + 1) * columns - 1).any()):
            return None
        ends, lines = ends + len(end), lines + len(of_line)
    if data.endswith(b"\n"):
        return lines
    return lines + 1 if ends == (lines + 1) * columns - 1 else None


def _pieces(array: NDArray[np.uint8], separator: str) -> Iterator[tuple[int, Bools, NDArray[np.int64]]]:
    """The bytes piece by piece, as what is near in time is then near in memory.

    Where the piece begins, which of its bytes are newlines, and the places in it of what ends a cell.
    """
    for at in range(0, len(array), PIECE):
        piece = array[at : at + PIECE]
        newline = piece == NEWLINE
        yield at, newline, np.flatnonzero(newline | (piece == ord(separator)))


class Column:
    """The cells of one column: from where on, and of how many bytes each."""

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
        """The rows whose cells are not empty; None: all."""
        given = self._width > 0
        return None if given.all() else np.flatnonzero(given)

    # numbers

    def numbers(self) -> tuple[Floats, Ints]:
        """The cells as numbers, NaN where empty; and the rows in which something else stands."""
        given = self._given()
        if given is None:
            return self._numbers()
        found = np.full(len(self), np.nan)
        if not len(given):
            return found, given
        found[given], others = self._at(given)._numbers()
        return found, given[others]

    def _numbers(self) -> tuple[Floats, Ints]:
        if self._widest == 1:
            digits = self._array.take(self._begin) - np.uint8(ZERO)  # other characters wrap to more than 9
            return digits.astype(np.float64), np.flatnonzero(digits > 9)
        digits, wrong = _digits(self._words[self._begin], self._width, 4 if self._widest <= 4 else 8)
        found: Floats = digits.astype(np.float64)
        if self._widest > 8:
            wrong |= self._width > 8
        if not wrong.any():
            return found, _NONE
        rows = np.flatnonzero(wrong)
        found[rows], others = self._at(rows)._signed()
        return found, rows[others]

    def _signed(self) -> tuple[Floats, Ints]:
        """Numbers with a sign, or a decimal point between digits; and where there is something else."""
        minus = self._array.take(self._begin) == MINUS
        begin, width = self._begin + minus, self._width - minus
        cells = self._array.take(begin[:, None] + np.arange(8))
        place = np.arange(8)
        points = (cells == POINT) & (place < width[:, None])
        point = np.where(points.any(axis=1), points.argmax(axis=1), width)
        # What stands before the point moves a place on, over it.
        moved = np.where((place <= point[:, None]) & (place > 0), np.roll(cells, 1, axis=1), cells)
        has_point = point < width
        moved = np.where(has_point[:, None], moved, cells)
        words = np.ascontiguousarray(moved).view("<u8")[:, 0]
        words = np.where(has_point, words >> np.uint64(8), words)
        decimals = np.where(has_point, width - point - 1, 0)
        width = width - has_point
        digits, wrong = _digits(words, np.minimum(width, 8), 8)
        wrong |= (width < 1) | (self._width > 8) | (has_point & ((point < 1) | (decimals < 1)))
        # A whole number over a power of ten, both exact, is rounded once, as a number that is read.
        numbers = digits / np.power(10.0, decimals)
        return np.where(minus, -numbers, numbers), np.flatnonzero(wrong)

    # dates

    def dates(self, first: int, last: int) -> Floats | None:
        """The cells as days since 1970, of dates between those years; NaN where empty."""
        given = self._given()
        if given is None:
            return self._dates(first, last)
        found = np.full(len(self), np.nan)
        days = self._at(given)._dates(first, last)
        if days is None:
            return None
        found[given] = days
        return found

    def _dates(self, first: int, last: int) -> Floats | None:
        if bool((self._width != 10).any()):
            return None
        # The first four bytes are the year, the last eight its end, and month and day.
        year, wrong = _digits(self._words[self._begin], np.full(1, 4), 4)
        rest = self._words[self._begin + 2] ^ np.uint64(int.from_bytes(b"00-00-00", "little"))
        wrong |= _beyond_9(rest, np.uint64)
        wrong |= (rest & np.uint64(int.from_bytes(b"\0\0\xff\0\0\xff\0\0", "little"))) != 0
        two, five = ((rest >> np.uint64(shift)) & np.uint64(0x0F0F) for shift in (24, 48))
        month, day = ((one & np.uint64(0xF)) * np.uint64(10) + (one >> np.uint64(8)) for one in (two, five))
        wrong |= (year < first) | (year > last) | (month < 1) | (month > 12) | (day < 1)
        if wrong.any():
            return None
        begins = np.arange((first - 1970) * 12, (last - 1969) * 12 + 1).astype("datetime64[M]").astype("datetime64[D]")
        begin = begins.astype(np.int32)
        at = ((year.astype(np.int64) - first) * 12 + month.astype(np.int64)) - 1
        found = begin.take(at) + day.astype(np.int32)
        # Not after the last day of the month.
        return None if bool((found > begin.take(at + 1)).any()) else (found - 1).astype(np.float64)

    # texts

    def texts(self, rows: Ints) -> list[str] | None:
        """The cells of some rows; None: one is long."""
        there = self._at(rows)
        return None if there._widest > LONGEST_NAME else there._listed()

    def runs(self) -> tuple[Ints, list[str]] | None:
        """The rows in which another name begins than that of the row before, and the names; empty: there is none."""
        if self._widest > LONGEST_NAME:
            return None
        changes = np.ones(len(self), dtype=np.bool_)
        changes[1:] = self._width[1:] != self._width[:-1]
        end = self._begin + self._width
        even = not changes[1:].any()
        # From the end on, as what follows a cell that is shorter than eight bytes is another.
        for taken in range(0, self._widest, 8):
            left = self._width - taken
            words = self._words[np.maximum(end - taken - 8, 0)]
            if not even or self._widest - taken < 8:
                unused = np.clip(8 - left, 0, 8).astype(np.uint64) << np.uint64(3)
                words >>= unused
            changes[1:] |= words[1:] != words[:-1]
        begin = np.flatnonzero(changes)
        names = self._at(begin)._texts()
        return None if names is None else (begin, names)

    def few(self) -> tuple[Ints, list[str], Ints] | None:
        """The rows with a text, the different texts, and which of them each row has."""
        rows = np.flatnonzero(self._width)
        if not len(rows):
            return rows, [], rows
        there = self._at(rows)
        if there._widest > LONGEST_NAME:
            return None
        first, place = there._different()
        texts = there._at(first)._texts()
        return None if texts is None else (rows, texts, place)

    def _different(self) -> tuple[Ints, Ints]:
        """A row of each text, and which of the texts each row has."""
        if self._widest > 1:
            _, first, place = np.unique(self._padded(), return_index=True, return_inverse=True)
            return first, place
        letters = self._array.take(self._begin)
        row = np.full(256, -1)
        row[letters] = np.arange(len(self))
        there = np.flatnonzero(row >= 0)
        place = np.zeros(256, dtype=np.int64)
        place[there] = np.arange(len(there))
        return row[there], place[letters]

    def _padded(self) -> NDArray[np.bytes_]:
        """The cells as texts of one width, filled up with zeros."""
        place = np.arange(max(self._widest, 1))
        cells = self._array.take(self._begin[:, None] + place, mode="clip")
        cells *= place < self._width[:, None]
        padded: NDArray[np.bytes_] = cells.view(f"S{len(place)}")[:, 0]
        return padded

    def _texts(self) -> list[str] | None:
        """The cells as texts; None where white space stands around one."""
        return self._listed() if self.trimmed() else None

    def trimmed(self) -> bool:
        """No white space stands around a cell."""
        given = self._given()
        there = self if given is None else self._at(given)
        last = there._begin + there._width - 1
        return not any(bool((self._array.take(at) <= SPACE).any()) for at in (there._begin, last))

    def _listed(self) -> list[str]:
        """The cells as texts, which hold no newlines."""
        padded = self._padded()
        return b"\n".join(padded.tolist()).decode().split("\n") if len(padded) else []


def _beyond_9(values: Any, kind: Any) -> Bools:
    """Where one of the bytes of a value is more than 9: such a one is carried to 128 or more, or is so already."""
    found: Bools = ((values + _all_bytes(0x76, kind)) | values) & _all_bytes(0x80, kind) != 0
    return found


def _all_bytes(byte: int, kind: Any) -> Any:
    return kind(int.from_bytes(bytes([byte]) * np.dtype(kind).itemsize, "little"))


def _digits(words: Words, width: Ints, size: int) -> tuple[Any, Bools]:
    """The numbers that the first so many bytes of words are, up to eight digits; and where there is another byte.

    `size` is 4 or 8: that which all cells fit in.
    """
    kind: Any = np.uint32 if size == 4 else np.uint64
    unused = ((size - width) << 3).astype(kind)
    # Digits become their values, which are moved up to the last byte; what is left below are zeros.
    value = words.astype(kind)
    value ^= _all_bytes(ZERO, kind)
    value <<= unused
    wrong = _beyond_9(value, kind)
    # Neighbours are joined: two digits, then four, then eight.
    value = (value * kind(10) + (value >> kind(8))) & kind(0x00FF00FF00FF00FF & (2 ** (8 * size) - 1))
    value = (value * kind(100) + (value >> kind(16))) & kind(0x0000FFFF0000FFFF & (2 ** (8 * size) - 1))
    if size == 8:
        value = (value * kind(10000) + (value >> kind(32))) & kind(0xFFFFFFFF)
    return value, wrong
