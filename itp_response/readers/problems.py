"""Problems of a study's files, and notes on what was assumed, gathered while the files are read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.observations import Note, Origin
from itp_response.cohort.texts import any_has, without_apostrophe
from itp_response.cohort.values import Ints
from itp_response.messages.codes import Code
from itp_response.messages.errors import CohortError, Problem, as_problem, one_a_line
from itp_response.readers.open_table import OpenTable

SHOWN = 20
LONGEST = 40


@dataclass(frozen=True)
class Location:
    """A file or a frame, and where each of its rows stands."""

    name: str
    order: int
    """Problems of the table with the lower order are reported first."""
    row_word: Literal["line", "row"] = "row"
    lines: Ints | None = None
    """None: rows are numbered from 1."""
    pieces: "Pieces | None" = None
    """None: the table is itself what was given."""
    part: int = 0
    """The number of the file, where a table has several; problems are reported in their order."""
    decimal: Literal["usual", "shown", "point", "comma"] = "usual"
    """As in `OpenTable`."""
    from_1904: bool = False
    """As in `OpenTable`."""

    def line(self, row: int) -> int:
        """The number of a row as messages give it."""
        return row + 1 if self.lines is None else int(self.lines[row])

    def source(self, row: int, column: str = "") -> tuple["Location", int, str]:
        """Where a row was written: the table, the row there, and the column's name there."""
        if self.pieces is None:
            return self, row, column
        piece = int(self.pieces.piece[row])
        name = self.pieces.names[piece].get(column, column)
        return self.pieces.locations[piece].source(int(self.pieces.row[row]), name)

    def named(self, row: int) -> str:
        """`line 5`; of a table that was put together of others, `lb.csv line 5`."""
        location, source_row, _ = self.source(row)
        return f"{'' if location is self else f'{location.name} '}{location.row_word} {location.line(source_row)}"

    def only(self, rows: Ints) -> "Location":
        """The location of these rows alone."""
        pieces = self.pieces and replace(self.pieces, piece=self.pieces.piece[rows], row=self.pieces.row[rows])
        return replace(self, lines=self.all_lines(rows), pieces=pieces)

    def written_in(self, rows: Ints, column: str) -> Ints:  # noqa: ARG002 - a subclass uses it
        """The lines in which a column of these rows was written."""
        return self.all_lines(rows)

    def all_lines(self, rows: Ints) -> Ints:
        """The numbers of rows as messages give them."""
        return rows + 1 if self.lines is None else self.lines[rows]


@dataclass(frozen=True)
class GatheredLocation(Location):
    """The location of rows each of which was put together from several rows of another table."""

    given: Location | None = None
    rows: Mapping[str, Ints] = field(default_factory=dict)
    """The row of each cell, by the column's name in that table; under "", the first row of each row."""

    def only(self, rows: Ints) -> "Location":
        return replace(self, lines=self.all_lines(rows), rows={name: at[rows] for name, at in self.rows.items()})

    def written_in(self, rows: Ints, column: str) -> Ints:
        assert self.given is not None
        # The empty last row of a patient table is in no row of the file.
        return self.given.written_in(np.append(self.rows[column], 0)[rows], column)

    def source(self, row: int, column: str = "") -> tuple[Location, int, str]:
        assert self.given is not None
        return self.given.source(int(self.rows.get(column, self.rows[""])[row]), column)


def location_of(source: OpenTable, order: int, part: int = 0) -> Location:
    """The location of a table that was opened."""
    if source.gathered is None:
        return Location(
            source.name,
            order,
            source.row_word,
            source.lines,
            part=part,
            decimal=source.decimal,
            from_1904=source.from_1904,
        )
    given = Location(source.name, order, source.row_word, source.gathered.lines)
    return GatheredLocation(
        source.name,
        order,
        source.row_word,
        source.lines,
        part=part,
        decimal=source.decimal,
        given=given,
        rows=source.gathered.rows,
    )


@dataclass(frozen=True)
class Pieces:
    """The tables that a table was put together of; `piece` and `row` have one entry per row."""

    locations: Sequence[Location]
    piece: Ints
    """The number of the table that a row comes from."""
    row: Ints
    """The row in that table."""
    names: Sequence[Mapping[str, str]]
    """The names of the columns, per table."""
    origin: Origin | None = None
    """The rows by the source's own keys."""


@dataclass(frozen=True)
class Cells:
    """One column as it was written."""

    location: Location
    name: str
    """As in the header."""
    values: pl.Series


@dataclass(frozen=True)
class UnreadableCells:
    """Rows that cannot be used because of one column, and the wording of the reason."""

    cells: Cells
    rows: NDArray[np.integer]
    wording: Callable[[str], str]
    of_anybody: bool = False
    """The rows may be of any patient."""


@dataclass(frozen=True)
class BrokenLine:
    """A line of a file that became no row of a table: it is malformed, or one of its cells cannot be used."""

    location: Location
    line: int
    reason: str
    text: str
    """The line as it stands, or as JSON the cells that were read."""
    patient: str | None
    column: str | None = None
    """None: the line is malformed."""
    value: str | None = None


NoteText = Callable[[int, Sequence[str]], str]
"""Words a note from the number of cases and the texts of some of them; an empty text means no note."""


@dataclass
class _Tally:
    """Cases counted over the chunks of a table, reported once for the whole table."""

    location: Location
    note_text: NoteText
    warning: bool
    number: int
    texts: dict[str, None]
    code: Code | None = None
    """Of what is a problem."""

    def as_note(self) -> Note:
        return Note(self.location.name, self.note_text(self.number, list(self.texts)), self.warning)

    def added(self, other: "_Tally") -> "_Tally":
        """The tally with the cases of a later chunk."""
        return replace(other, number=self.number + other.number, texts={**self.texts, **other.texts})


@dataclass
class _NameTally:
    """Names counted each by itself over the chunks of a table, reported once for the whole table."""

    location: Location
    note_text: Callable[[Mapping[str, int]], str]
    warning: bool
    numbers: Mapping[str, int]

    def as_note(self) -> Note:
        return Note(self.location.name, self.note_text(self.numbers), self.warning)

    def added(self, other: "_NameTally") -> "_NameTally":
        """The tally with the names of a later chunk."""
        names = dict.fromkeys((*self.numbers, *other.numbers))
        return replace(other, numbers={name: self.numbers.get(name, 0) + other.numbers.get(name, 0) for name in names})


class TableQuestion(Protocol):
    """A question about a whole table, to which its chunks add up (`joined`)."""

    @property
    def location(self) -> Location: ...

    @property
    def name(self) -> str:
        """The column that is asked about."""

    def joined(self, other: Any) -> Any:
        """The question about both."""

    def problems(self) -> Iterable[str]:
        """What must be answered before anything is decided."""


class Problems:
    """The problems of a study, reported together, and its notes.

    The problems of the chunks of a table, joined in order (`join`), are those of the whole table.
    With `leave_out`, a broken line is kept for the report of excluded records and is no problem.
    With `worded` false, only whether there is a problem is recorded, so no cell is looked at again for its text.
    """

    def __init__(self, leave_out: bool = False, *, worded: bool = True) -> None:
        self._notes: dict[tuple[object, ...], Note | _Tally | _NameTally] = {}
        self._wrong: dict[tuple[object, ...], _Tally] = {}
        self._asked: dict[tuple[object, ...], _Tally] = {}
        """Questions, which only the counts of all chunks together raise."""
        self._asked_last: dict[tuple[object, ...], _Tally] = {}
        """Those that are raised only if nothing else is wrong."""
        self.asked_cells: dict[object, list[UnreadableCells]] = {}
        """By the key of the question, the cells that, left out, would answer it."""
        self.raised: list[object] = []
        """The keys of the questions that became problems."""
        self._questions: dict[object, TableQuestion] = {}
        self.leave_out = leave_out
        self.worded = worded
        self.unreadable: list[UnreadableCells] = []
        self.broken_lines: list[BrokenLine] = []
        self.beyond_rows = False
        """There is a problem that leaving out rows does not solve."""
        self._problems: list[tuple[int, int, int, Problem]] = []
        self._unworded = 0

    def note(self, location: Location, text: str, *, warning: bool = False) -> None:
        """A note on a table; the same text on the same table is kept once."""
        self._notes[location.order, location.name, text] = Note(location.name, text, warning)

    def count(
        self,
        location: Location,
        about: str,
        note_text: NoteText,
        number: int,
        texts: Iterable[str] = (),
        *,
        warning: bool = False,
        beside: str = "",
    ) -> None:
        """A note on a number of cases; `texts` quotes some of them, each once.

        It is called with 0 too, as another chunk may have cases. `about` distinguishes what is counted. What only some
        chunks count stands `beside` something that all do: their notes follow each other.
        `note_text` must not hold on to the table, which would stay in memory.
        """
        tally = _Tally(location, note_text, warning, number, dict.fromkeys(texts))
        _merge(self._notes, (location.order, beside or about, about), tally)

    def ask(
        self,
        location: Location,
        about: str,
        note_text: NoteText,
        number: int,
        texts: Iterable[str] = (),
        *,
        unreadable: Sequence[UnreadableCells] | None = None,
        last: bool = False,
    ) -> None:
        """A question that depends on the whole table, counted as `count` counts for a note.

        Where `note_text` has a text once all chunks were looked at, it is a problem: `settle_asked`; with `last`, only
        if nothing else is wrong. Leaving out the cells `unreadable` would solve it; None: leaving out does not.
        """
        key = (location.order, about)
        if unreadable is not None:
            self.asked_cells.setdefault(key, []).extend(unreadable)
        tally = _Tally(location, note_text, False, number, dict.fromkeys(texts))
        _merge(self._asked_last if last else self._asked, key, tally)

    def expect(self, question: TableQuestion) -> None:
        """A question that is answered once all chunks are joined (`settle`)."""
        key = (question.location.order, question.name, type(question))
        before = self._questions.get(key)
        self._questions[key] = question if before is None else before.joined(question)

    def settle_asked(self) -> "Problems":
        """Make problems of what was asked (`ask`); called when all of the study was read."""
        self._raise(self._asked)
        return self

    def _raise(self, asked: dict[tuple[object, ...], _Tally]) -> None:
        for key, tally in asked.items():
            if text := tally.as_note().text:
                self.raised.append(key)
                self.beyond_rows |= key not in self.asked_cells
                self.unreadable += self.asked_cells.get(key, ())
                self._add(tally.location, as_problem(text, code=Code.DATA_AMBIGUOUS))
        asked.clear()

    def settle(self) -> "Problems":
        """Answer the questions about whole tables; some (`last`, `expect`) only if nothing else is wrong."""
        self.settle_asked()
        if not self.any_wrong:
            self._raise(self._asked_last)
        if not self.any_wrong:
            for question in self._questions.values():
                for text in question.problems():
                    self.wrong(question.location, as_problem(text, code=Code.DATA_AMBIGUOUS, column=question.name))
            self._questions.clear()
        return self

    def count_names(
        self,
        location: Location,
        about: str,
        note_text: Callable[[Mapping[str, int]], str],
        numbers: Mapping[str, int],
        *,
        warning: bool = False,
    ) -> None:
        """A note on names, each with the number of its cases; as `count`, it is called with none too."""
        _merge(self._notes, (location.order, about, about), _NameTally(location, note_text, warning, numbers))

    @property
    def notes(self) -> list[Note]:
        """What was assumed or noticed, in the order in which it was looked at."""
        groups: dict[object, list[Note]] = {}
        for key, entry in self._notes.items():
            if isinstance(entry, Note):
                groups[key] = [entry]
            else:
                groups.setdefault(key[:2], []).append(entry.as_note())
        return [note for notes in groups.values() for note in notes if note.text]

    def copy(self) -> "Problems":
        """A copy to which other problems can be added."""
        return Problems(self.leave_out).join(self)

    def join(self, other: "Problems") -> "Problems":
        """Add the problems of the next chunk to these."""
        for key, entry in other._notes.items():
            _merge(self._notes, key, entry)
        for into, tallies in (
            (self._wrong, other._wrong),
            (self._asked, other._asked),
            (self._asked_last, other._asked_last),
        ):
            for key, tally in tallies.items():
                _merge(into, key, tally)
        for asked, cells in other.asked_cells.items():
            self.asked_cells.setdefault(asked, []).extend(cells)
        for question in other._questions.values():
            self.expect(question)
        self.unreadable += other.unreadable
        self.broken_lines += other.broken_lines
        self._problems += other._problems
        self._unworded += other._unworded
        self.beyond_rows |= other.beyond_rows
        return self

    def wrong(
        self,
        location: Location,
        text: str,
        line: int = 0,
        *,
        unreadable: Sequence[UnreadableCells] = (),
        code: Code | None = None,
    ) -> None:
        """A problem of the whole table, or of one line; leaving out the cells `unreadable` would solve it."""
        self.unreadable += unreadable
        self.beyond_rows |= not unreadable
        self._add(location, as_problem(text, code=code), line)

    def wrong_in_all(
        self,
        location: Location,
        about: str,
        note_text: NoteText,
        number: int,
        texts: Iterable[str],
        *,
        unreadable: Sequence[UnreadableCells],
        code: Code | None = None,
    ) -> None:
        """One problem of a number of rows, counted as `count` counts for a note."""
        if number:
            self.unreadable += unreadable
            self.beyond_rows |= not unreadable
            tally = _Tally(location, note_text, False, number, dict.fromkeys(texts), code)
            _merge(self._wrong, (location.order, about), tally)

    def broken_line(self, line: BrokenLine) -> None:
        """A line that became no row: a problem, unless rows are left out."""
        if self.leave_out:
            self.broken_lines.append(line)
        else:
            column = "" if line.column is None else f"{line.column}: "
            reason = f"{column}{line.reason}"
            code = Code.ROW_UNREADABLE if line.column is None else Code.CELL_UNREADABLE
            problem = Problem(reason, code=code, column=line.column, value=line.value)
            self.wrong(line.location, problem, line.line)

    def _add(self, location: Location, problem: Problem, line: int = 0) -> None:
        where = f"{location.row_word} {line}: " if line else ""
        placed = problem.replaced(f"{location.name}: {where}{problem}", file=location.name, line=line or None)
        self._problems.append((location.order, location.part, line, placed))

    def failed(self, order: int, error: CohortError) -> None:
        """A table that cannot be opened, for this reason."""
        self.beyond_rows = True
        for problem in error.problems:
            # Such a sentence begins with the name of the file.
            code = Code.FILE_UNREADABLE if problem.code is error.of_no_other else None
            file = problem.file or problem.partition(": ")[0]
            self._problems.append((order, 0, 0, problem.replaced(code=code, file=file)))

    def wrong_cells(
        self,
        cells: Cells,
        rows: NDArray[np.integer],
        wording: Callable[[str], str],
        code: Code = Code.CELL_UNREADABLE,
    ) -> None:
        """A problem in each of these rows, worded by `wording` from the cell's text."""
        if not len(rows):
            return
        if not self.worded:
            self._add(cells.location, Problem(cells.name))
            return
        self.unreadable.append(UnreadableCells(cells, rows, wording))
        first = rows[:SHOWN]
        self._unworded += len(rows) - len(first)
        for row, text in zip(first, shown(cells, first), strict=True):
            location, source_row, name = cells.location.source(int(row), cells.name)
            problem = Problem(f"{name}: {wording(text)}", code=code, column=name, value=text or None)
            self._add(location, problem, location.line(source_row))

    def not_reported(self, cells: Cells, rows: NDArray[np.integer]) -> NDArray[np.integer]:
        """Those of the rows without a problem of this column yet."""
        there = [
            one for one in self.unreadable if one.cells.location is cells.location and one.cells.name == cells.name
        ]
        return rows[~np.isin(rows, np.concatenate([one.rows for one in there]))] if there and len(rows) else rows

    def raise_if_wrong(self) -> None:
        """Raises `CohortError` if there is a problem."""
        if self.any_wrong:
            raise self.error()

    @property
    def any_wrong(self) -> bool:
        """Whether there is a problem."""
        return bool(self._problems or self._wrong)

    def let_go(self) -> None:
        """Let go of the rows that the problems are in, once they need not be left out any more."""
        self.unreadable.clear()
        for cells in self.asked_cells.values():
            cells.clear()

    def error(self) -> CohortError:
        """All problems in the order of the files."""
        counted = [(tally.location.order, 0, 0, self._of_many(tally)) for tally in self._wrong.values()]
        # What is wrong with a whole table is noticed in each of its chunks.
        in_order = dict.fromkeys(sorted([*self._problems, *counted], key=lambda problem: problem[:3]))
        problems = [problem for *_, problem in in_order]
        # Problems beyond the first of each kind would not be shown, so they were counted and not worded.
        return CohortError(one_a_line([*problems, *[""] * self._unworded], SHOWN), problems)

    @staticmethod
    def _of_many(tally: _Tally) -> Problem:
        """The one problem of a number of rows."""
        name = tally.location.name
        return Problem(f"{name}: {tally.as_note().text}", code=tally.code, file=name)


def _merge(entries: dict[Any, Any], key: object, entry: Note | _Tally | _NameTally) -> None:
    """Put an entry under its key; a tally is added to the one that is there."""
    before = entries.get(key)
    entries[key] = entry if before is None or isinstance(entry, Note) else before.added(entry)


WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What is taken away around a text."""
FIRST_DATE, LAST_DATE = -719_162, 2_932_896
"""The first day of the year 1 and the last of the year 9999, in days since 1970."""


def as_text(values: pl.Series) -> pl.Series:
    """The cells as texts without white space around them; null where empty. Whole numbers have no point."""
    if values.dtype.is_float():
        whole = (values.abs() < 1e15) & (values == values.round())
        texts = pl.select(
            pl.when(whole).then(values.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(values.cast(pl.String))
        ).to_series()
        texts = texts.set(values.is_nan().fill_null(value=False), None)
    elif values.dtype.is_nested() or values.dtype in (pl.Object, pl.Duration, pl.Binary):
        texts = pl.Series([None if value is None else str(value) for value in values.to_list()], dtype=pl.String)
    elif isinstance(values.dtype, pl.Date | pl.Datetime):
        texts = _dates_as_text(values)
    else:
        texts = values.cast(pl.String, strict=False)
        # Most columns need neither, and are not kept in memory twice.
        if any_has(texts, WHITE_SPACE + "'"):
            texts = without_apostrophe(texts.str.strip_chars())
    empty = texts == ""
    return texts.set(empty.fill_null(value=False), None) if empty.any() else texts


def in_calendar(values: pl.Series) -> pl.Series:
    """Which dates and times lie in the years 1 to 9999, or are empty; polars panics on a number that is far outside."""
    numbers, per_day = values.to_physical().cast(pl.Int64), 1
    if isinstance(values.dtype, pl.Datetime):
        per_day = 86_400 * {"ms": 10**3, "us": 10**6, "ns": 10**9}[values.dtype.time_unit]
    elif values.dtype != pl.Date:
        return pl.Series([True]).new_from_index(0, len(values))
    return (numbers // per_day).is_between(FIRST_DATE, LAST_DATE).fill_null(value=True)


def _dates_as_text(values: pl.Series) -> pl.Series:
    """Dates and times as texts; one outside of all years as the number that the file has for it."""
    known = in_calendar(values)
    if known.all():
        return values.cast(pl.String)
    dates = pl.select(pl.when(known).then(values)).to_series().cast(pl.String)
    return dates.zip_with(known, values.to_physical().cast(pl.String) + " (out of range)")


def as_json(cells: pl.DataFrame) -> pl.Series:
    """The cells of each row as JSON."""
    texts = [as_text(cells[name]).alias(name) for name in cells.columns]
    return pl.DataFrame(texts).select(pl.struct(pl.all()).struct.json_encode().alias("row"))["row"]


def shown(cells: Cells, rows: NDArray[np.integer]) -> list[str]:
    """The text of the cells in these rows; an empty cell is an empty text."""
    if not len(rows):
        return []
    return [text or "" for text in as_text(cells.values.gather(rows))]


def examples(values: pl.Series, most: int) -> list[str]:
    """The first texts of some cells, as texts are sorted, each once.

    Other rows come first where the file is read in chunks by patient, but the same texts do.
    """
    return as_text(values).drop_nulls().unique().sort().head(most).to_list()


def quoted(text: str) -> str:
    """A cell's text in quotes, cut if it is long."""
    return repr(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")


def first_few(texts: Iterable[str], most: int = 5, number: int | None = None) -> str:
    """The first texts in quotes, and how many more there are.

    `number` is the number of all texts, where only some are given.

    >>> first_few(["P1", "P2", "P3"], most=2)
    "'P1', 'P2' and 1 more"
    """
    texts = list(texts)
    return and_more([quoted(text) for text in texts[:most]], most, len(texts) if number is None else number)


def and_more(texts: Sequence[str], most: int, number: int) -> str:
    """The first texts as they are, and how many more there are; `number` is the number of all."""
    more = f" and {number - most} more" if number > most else ""
    return ", ".join(texts[:most]) + more
