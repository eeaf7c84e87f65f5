"""Findings: what is wrong with a study's files, and what was assumed, gathered while they are read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.observations import Note, Origin
from itp_response.cohort.values import Ints
from itp_response.messages.errors import CohortError, one_a_line

SHOWN = 20
LONGEST = 40


@dataclass(frozen=True)
class Location:
    """A file or a frame, and where each of its rows stands."""

    name: str
    order: int
    """Problems of the table with the lower order are told first."""
    row_word: Literal["line", "row"] = "row"
    lines: Ints | None = None
    """None: rows are numbered from 1."""
    pieces: "Pieces | None" = None
    """None: the table is itself what was given."""
    part: int = 0
    """Which of the files that a table is in, where they are several; told in their order."""

    def line(self, row: int) -> int:
        return row + 1 if self.lines is None else int(self.lines[row])

    def source(self, row: int, column: str = "") -> tuple["Location", int, str]:
        """Where a row was written: the table, its row there, and what the column is called there."""
        if self.pieces is None:
            return self, row, column
        piece = int(self.pieces.piece[row])
        name = self.pieces.names[piece].get(column, column)
        return self.pieces.places[piece], int(self.pieces.row[row]), name

    def named(self, row: int) -> str:
        """`line 5`, or where the table was put together of others `lb.csv line 5`."""
        place, at, _ = self.source(row)
        return f"{'' if place is self else f'{place.name} '}{place.row_word} {place.line(at)}"

    def only(self, rows: Ints) -> "Location":
        """The place of these rows alone."""
        pieces = self.pieces and replace(self.pieces, piece=self.pieces.piece[rows], row=self.pieces.row[rows])
        return replace(self, lines=self.all_lines(rows), pieces=pieces)

    def written_in(self, rows: Ints, column: str) -> Ints:  # noqa: ARG002 - of rows put together it matters
        """The lines in which a column of these rows was written."""
        return self.all_lines(rows)

    def all_lines(self, rows: Ints) -> Ints:
        return rows + 1 if self.lines is None else self.lines[rows]


@dataclass(frozen=True)
class Pieces:
    """The tables that a table was put together of; `piece` and `row` have an entry per row of it."""

    places: Sequence[Location]
    piece: Ints
    """Which of the tables a row comes from."""
    row: Ints
    """Its row there."""
    names: Sequence[Mapping[str, str]]
    """In each of the tables, what the columns are called."""
    origin: Origin | None = None
    """The rows by the source's own keys."""


@dataclass(frozen=True)
class Cells:
    """One column as it was written."""

    place: Location
    name: str
    """As in the header."""
    values: pl.Series


@dataclass(frozen=True)
class Unread:
    """Rows that cannot be used for what stands in one column, and the wording of why."""

    cells: Cells
    rows: NDArray[np.integer]
    wording: Callable[[str], str]


@dataclass(frozen=True)
class Torn:
    """A line of a file that became no row of a table: it is none, or cannot be used for what stands in a column."""

    place: Location
    line: int
    reason: str
    text: str
    """The line as it stands, or the cells that were looked at as JSON."""
    patient: str | None
    column: str | None = None
    """None: it is no row."""
    value: str | None = None


Said = Callable[[int, Sequence[str]], str]
"""What is said of a number of cases and of the texts of some; an empty text: nothing."""


@dataclass
class _Tally:
    """What is counted over the parts of a table, and said once of them all."""

    place: Location
    said: Said
    warning: bool
    number: int
    texts: dict[str, None]


class Problems:
    """Problems, told all at once, and notes; with `leave_out` torn lines are no problem.

    Those of the parts of a table, in order put together (`join`), are those of the whole.
    """

    def __init__(self, leave_out: bool = False, *, worded: bool = True) -> None:
        self._notes: dict[object, Note | _Tally] = {}
        self._wrong: dict[object, _Tally] = {}
        self.leave_out = leave_out
        self.worded = worded
        """False: that there is a problem is enough, so that no cell is looked at again for its text."""
        self.unread: list[Unread] = []
        self.torn: list[Torn] = []
        self.whole = False
        """Something was found wrong that leaving out rows does not cure."""
        self._problems: list[tuple[int, int, int, str]] = []
        self._beyond = 0

    def note(self, location: Location, text: str, *, warning: bool = False) -> None:
        self._notes[location.order, location.name, text] = Note(location.name, text, warning)

    def count(
        self,
        location: Location,
        about: str,
        said: Said,
        number: int,
        texts: Iterable[str] = (),
        *,
        warning: bool = False,
    ) -> None:
        """A note on a number of cases, of which `texts` name some, each once; given also where there is none.

        `about` tells what is counted from what else is; `said` must not hold on to the table.
        """
        _add(self._notes, (location.order, about), _Tally(location, said, warning, number, dict.fromkeys(texts)))

    @property
    def notes(self) -> list[Note]:
        """What was taken or noticed, in the order of the code that looks."""
        notes = [one if isinstance(one, Note) else _noted(one) for one in self._notes.values()]
        return [note for note in notes if note.text]

    def again(self) -> "Problems":
        """The same, to be added to apart."""
        return Problems(self.leave_out).join(self)

    def join(self, other: "Problems") -> "Problems":
        """These with those of the next part."""
        for found, more in ((self._notes, other._notes), (self._wrong, other._wrong)):
            for key, one in more.items():
                _add(found, key, one)
        self.unread += other.unread
        self.torn += other.torn
        self._problems += other._problems
        self._beyond += other._beyond
        self.whole |= other.whole
        return self

    def wrong(self, location: Location, text: str, line: int = 0, *, unread: Sequence[Unread] = ()) -> None:
        """A problem of the whole table, or of a line of it; without the rows `unread` there would be none."""
        self.unread += unread
        self.whole |= not unread
        self._tell(location, text, line)

    def wrong_in_all(
        self, location: Location, about: str, said: Said, number: int, texts: Iterable[str], *, unread: Sequence[Unread]
    ) -> None:
        """A problem of so many rows said at once, as `count` says a note."""
        if number:
            self.unread += unread
            _add(self._wrong, (location.order, about), _Tally(location, said, False, number, dict.fromkeys(texts)))

    def tear(self, torn: Torn) -> None:
        """A line that became no row: a problem, or left out where so told."""
        if self.leave_out:
            self.torn.append(torn)
        else:
            column = "" if torn.column is None else f"{torn.column}: "
            self.wrong(torn.place, f"{column}{torn.reason}", torn.line)

    def _tell(self, location: Location, text: str, line: int) -> None:
        where = f"{location.row_word} {line}: " if line else ""
        self._problems.append((location.order, location.part, line, f"{location.name}: {where}{text}"))

    def failed(self, order: int, error: CohortError) -> None:
        """A table that cannot be opened, for this reason."""
        self.whole = True
        self._problems.append((order, 0, 0, str(error)))

    def wrong_cells(self, cells: Cells, rows: NDArray[np.integer], wording: Callable[[str], str]) -> None:
        """A problem in each of these rows; `wording` says what of the cell's text."""
        if not len(rows):
            return
        if not self.worded:
            self._tell(cells.place, cells.name, 0)
            return
        self.unread.append(Unread(cells, rows, wording))
        first = rows[:SHOWN]
        self._beyond += len(rows) - len(first)
        for row, text in zip(first, shown(cells, first), strict=True):
            place, at, name = cells.place.source(int(row), cells.name)
            self._tell(place, f"{name}: {wording(text)}", place.line(at))

    def raise_if_wrong(self) -> None:
        """Raises `CohortError` where something is wrong."""
        if self.any_wrong:
            raise self.error()

    @property
    def any_wrong(self) -> bool:
        return bool(self._problems or self._wrong)

    def error(self) -> CohortError:
        """All problems in the order of the files."""
        of_all = [(one.place.order, 0, 0, f"{one.place.name}: {_noted(one).text}") for one in self._wrong.values()]
        texts = [text for *_, text in sorted([*self._problems, *of_all], key=lambda problem: problem[:3])]
        # Problems beyond the first of each kind were counted, not worded: they would not be shown.
        return CohortError(one_a_line([*texts, *[""] * self._beyond], SHOWN))


def _add(found: dict[Any, Any], key: object, one: Note | _Tally) -> None:
    before = found.get(key)
    if isinstance(one, _Tally):
        texts = {**before.texts, **one.texts} if before else one.texts
        number = one.number + (before.number if before else 0)
        one = replace(one, number=number, texts=texts)
    found[key] = one


def _noted(tally: _Tally) -> Note:
    return Note(tally.place.name, tally.said(tally.number, list(tally.texts)), tally.warning)


def as_text(values: pl.Series) -> pl.Series:
    """The cells as texts without white space around them; null where empty. Whole numbers are without a point."""
    if values.dtype.is_float():
        whole = (values.abs() < 1e15) & (values == values.round())
        texts = pl.select(
            pl.when(whole).then(values.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(values.cast(pl.String))
        ).to_series()
        texts = texts.set(values.is_nan().fill_null(value=False), None)
    elif values.dtype.is_nested() or values.dtype in (pl.Object, pl.Duration, pl.Binary):
        texts = pl.Series([None if value is None else str(value) for value in values.to_list()], dtype=pl.String)
    else:
        texts = values.cast(pl.String, strict=False)
        trimmed = texts.str.strip_chars()
        # What needs no trimming, as is usual, is not held twice.
        if trimmed.str.len_bytes().sum() != texts.str.len_bytes().sum():
            texts = trimmed
    empty = texts == ""
    return texts.set(empty.fill_null(value=False), None) if empty.any() else texts


def as_json(cells: pl.DataFrame) -> pl.Series:
    """The cells of each row as JSON."""
    texts = [as_text(cells[name]).alias(name) for name in cells.columns]
    return pl.DataFrame(texts).select(pl.struct(pl.all()).struct.json_encode().alias("row"))["row"]


def shown(cells: Cells, rows: NDArray[np.integer]) -> list[str]:
    """The text of the cells in these rows; an empty cell is an empty text."""
    if not len(rows):
        return []
    return [text or "" for text in as_text(cells.values.gather(rows))]


def quoted(text: str) -> str:
    """A cell's text in quotes, cut if it is long."""
    return repr(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")


def first_few(texts: Iterable[str], most: int = 5, number: int | None = None) -> str:
    """The first texts in quotes, and how many more there are; `number` of them all, where not all are given."""
    texts = list(texts)
    number = len(texts) if number is None else number
    more = f" and {number - most} more" if number > most else ""
    return ", ".join(quoted(text) for text in texts[:most]) + more
