"""Wording: numbers, lists, days, counts of things and lines as every message words them."""

import math
import re
import shlex
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

WIDTH = 80
"""The width of a text, in characters, where it is not told."""
SENTENCE = 100
"""The greatest width of a sentence: longer lines are hard to read."""
NARROWEST = 40
"""No text is made narrower than this."""
GAP = "  "
"""What stands between the columns of a table."""
HANGING = "  "
"""The further indent of a line that continues one."""
QUOTED = "    "
"""The indent of what a message quotes: a line of a file, a command."""
TOGETHER = re.compile(r"\([^()]{1,24}\)|\S+ -> \S+")
"""What stays on one line where it can: `(0.07 to 0.36)`, `(n = 112)`, `N -> Y`."""
CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # of terminals
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # that turn the direction of what follows
    "\u200b\u2028\u2029\u2060\ufeff\U000e0000-\U000e007f"  # that break a line, or are not seen
    "\ud800-\udfff]"  # halves of a character, which cannot be printed
)
"""What could move the cursor of a terminal, change its colours, or turn, hide or break what is shown."""
JOINT = "\0"
"""Stands for a space at which no line ends."""


def number_in_words(value: float) -> str:
    """A number without needless decimals.

    >>> number_in_words(30.0), number_in_words(12.5)
    ('30', '12.5')
    """
    return f"{value:g}" if abs(value) < 1e15 else str(value)


def counted(number: int, noun: str) -> str:
    """A number of things, in digits.

    >>> counted(1, "day"), counted(12, "day"), counted(1200, "patient")
    ('1 day', '12 days', '1,200 patients')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def counted_patients(number: int) -> str:
    """A number of patients, in digits."""
    return counted(number, "patient")


def labelled(label: str, name: str) -> str:
    """The label of an endpoint with its id, as outputs name it at first mention; once where the two are the same.

    >>> labelled("Overall response", "OR"), labelled("Relapse", "relapse")
    ('Overall response (OR)', 'Relapse')
    """
    return label if label.lower() == name.replace("_", " ").lower() else f"{label} ({name})"


def in_option(text: str) -> str:
    r"""A text as it is typed for an option that takes several with commas between.

    >>> in_option("999"), in_option("vitamin C"), in_option("IVIg, none")
    ('999', "'vitamin C'", '\'"IVIg, none"\'')
    """
    quotes = '"' in text or "," in text
    return shlex.quote('"' + text.replace('"', '""') + '"' if quotes else text)


def listed(texts: Sequence[str], conjunction: str = "and") -> str:
    """The texts with commas between, and the conjunction before the last; nothing where there are none.

    >>> listed(["A", "B", "C"]), listed(["A", "B"], "or"), listed(["A"])
    ('A, B and C', 'A or B', 'A')
    """
    return f" {conjunction} ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))


class WordedDay(Protocol):
    """A day that is not the same for all, with words of its own."""

    @property
    def in_words(self) -> str: ...


def day_in_words(day: float | WordedDay) -> str:
    """A day; one without a limit is any day.

    >>> day_in_words(28), day_in_words(math.inf)
    ('day 28', 'any day')
    """
    if not isinstance(day, int | float):
        return day.in_words
    return f"day {number_in_words(day)}" if math.isfinite(day) else "any day"


def days_in_words(days: tuple[float | WordedDay, float | WordedDay]) -> str:
    """A pair of days as the end of a sentence; nothing where there is no limit.

    >>> days_in_words((1, 28)), days_in_words((-math.inf, 0)), days_in_words((-math.inf, math.inf))
    (', from day 1 to day 28', ', up to day 0', '')
    """
    first, last = (not isinstance(day, int | float) or math.isfinite(day) for day in days)
    if first and last:
        return f", from {day_in_words(days[0])} to {day_in_words(days[1])}"
    if first:
        return f", from {day_in_words(days[0])} on"
    return f", up to {day_in_words(days[1])}" if last else ""


def up_to(day: float | WordedDay) -> str:
    """A last day as the end of a phrase; nothing where there is no limit.

    >>> up_to(28), up_to(math.inf)
    (', up to day 28', '')
    """
    return days_in_words((-math.inf, day))


_width = ContextVar("width", default=WIDTH)


def visible(text: str) -> str:
    r"""The text with control characters written out: an id in the data cannot move the cursor or change colours.

    >>> print(visible("P\x1b[31m1"), visible("P\u202e1"))
    P\x1b[31m1 P\u202e1
    """
    return CONTROL.sub(lambda found: _written_out(ord(found[0])), text)


def _written_out(number: int) -> str:
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def one_line(text: str) -> str:
    r"""As `visible`, with line breaks and tabs written out as well: for what is a piece of a line.

    >>> print(one_line("P\n1"))
    P\n1
    """
    return visible(text.replace("\n", r"\n").replace("\r", r"\r").replace("\t", r"\t"))


@contextmanager
def fitted_to(width: int) -> Iterator[None]:
    """Texts that are made in this context are that wide: the command line makes them as wide as the terminal.

    >>> with fitted_to(45):
    ...     print(aligned([["OR", "Overall response, confirmed by a second count"]]))
    OR  Overall response, confirmed by a second
          count
    """
    before = _width.set(max(width, NARROWEST))
    try:
        yield
    finally:
        _width.reset(before)


def aligned(rows: Sequence[Sequence[str]], indent: str = "") -> str:
    """Rows of cells as lines, with the cells of each column one under another, folded where the lines are too long.

    A row with one cell is a heading, which may reach over all columns. A table that cannot be folded to the width
    keeps its longer lines.

    >>> print(aligned([["OR", "Overall response"], ["SR30", "Sustained response"]], indent="- "))
    - OR    Overall response
    - SR30  Sustained response
    """
    room = _width.get() - len(indent)
    rows = [list(map(one_line, row)) for row in rows]
    widths = _narrowed(rows, _widths(rows), room)
    return "\n".join(f"{indent}{line}".rstrip() for row in rows for line in _row_lines(row, widths, room))


def in_blocks(rows: Sequence[Sequence[str]]) -> str:
    """Rows as `aligned`, the columns that are too many for the width in further blocks below.

    The first row is the header; each block begins with the first column.

    >>> with fitted_to(40):
    ...     print(in_blocks([["patient", "best_response", "overall", "complete"], ["A", "CR", "Y d7", "Y d14"]]))
    patient  best_response  overall
    A        CR             Y d7
    <BLANKLINE>
    patient  complete
    A        Y d14
    """
    rows = [list(map(one_line, row)) for row in rows]
    widths = _widths(rows)
    blocks: list[list[int]] = [[0]]
    for column in range(1, len(widths)):
        taken = sum(widths[other] + len(GAP) for other in blocks[-1])
        if taken + widths[column] > _width.get() and len(blocks[-1]) > 1:
            blocks.append([0])
        blocks[-1].append(column)
    return "\n\n".join(aligned([[row[column] for column in block] for row in rows]) for block in blocks)


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """The width of each column; a heading does not widen the first, unless all rows have one cell."""
    number = max((len(row) for row in rows), default=0)
    cells = [row for row in rows if len(row) > 1 or number == 1]
    return [max((len(row[column]) for row in cells if column < len(row)), default=0) for column in range(number)]


def _narrowed(rows: Sequence[Sequence[str]], widths: list[int], room: int) -> list[int]:
    """The widths that fit into the room: the widest columns are narrowed, none below its longest word."""
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - room
    if excess <= 0:
        return widths
    widths = list(widths)
    cells = [row for row in rows if len(row) > 1 or len(widths) == 1]
    for words in (_joined, str.strip):  # what belongs together is parted only where there is no room for it
        least = [
            max((_longest_word(row[column], words) for row in cells if column < len(row)), default=0)
            for column in range(len(widths))
        ]
        while excess > 0 and any(width > low for width, low in zip(widths, least, strict=True)):
            wide = [column for column, width in enumerate(widths) if width > least[column]]
            widest = max(wide, key=lambda column: widths[column])
            # At once down to the next, as a cell may have hundreds of thousands of letters.
            next_widest = max((widths[column] for column in wide if column != widest), default=0)
            step = max(1, min(excess, widths[widest] - max(next_widest, least[widest])))
            widths[widest] -= step
            excess -= step
    return widths


def _row_lines(row: Sequence[str], widths: Sequence[int], room: int) -> Iterator[str]:
    """A row as lines of text."""
    if len(row) == 1 and len(widths) > 1:
        yield from _folded(row[0], room)
        return
    cells = [_folded(cell, width) for cell, width in zip(row, widths, strict=False)]
    for number in range(max(map(len, cells), default=0)):
        lines = (cell[number] if number < len(cell) else "" for cell in cells)
        yield GAP.join(line.ljust(width) for line, width in zip(lines, widths, strict=False))


def _folded(cell: str, width: int) -> list[str]:
    """A cell as lines, folded between words, at the cell's own indent."""
    if len(cell) <= width:
        return [cell]
    indent = cell[: len(cell) - len(cell.lstrip())]
    lines = textwrap.wrap(
        _joined(cell) if _longest_word(cell, _joined) <= width else cell.strip(),
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}{HANGING}",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(JOINT, " ") for line in lines]


def _joined(cell: str) -> str:
    """The words of a cell; what stays on one line is one word: `(0.07 to 0.36)`, `N -> Y`, `N -15` of `Y +2  N -15`."""
    words = TOGETHER.sub(lambda found: found[0].replace(" ", JOINT), cell.strip())
    return GAP.join(piece.replace(" ", JOINT) for piece in words.split(GAP)) if GAP in words else words


def _longest_word(cell: str, words: Callable[[str], str]) -> int:
    """The width that a cell needs at least, with its indent on the first line and on those that follow."""
    first, *others = map(len, words(cell).split() or [""])
    indent = len(cell) - len(cell.lstrip())
    return indent + max(first, *(len(HANGING) + other for other in others), 0)


def wrapped(text: str, *, first: str = "", further: str = HANGING) -> list[str]:
    """A sentence as lines that fit the width; `first` and `further` are the indents of the lines.

    >>> with fitted_to(40):
    ...     wrapped("Response is not evaluable: no count after day 28.")
    ['Response is not evaluable: no count', '  after day 28.']
    """
    return textwrap.wrap(
        one_line(text),
        min(_width.get(), SENTENCE),
        initial_indent=first,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )


def fitted(text: str) -> str:
    r"""A text with its sentences folded to the width; lines of a table, and what is quoted below a message, stay.

    >>> with fitted_to(40):
    ...     print(fitted("error: timeline: '4o' is not understood; it is no count.\n    d0 15, d22 4o"))
    error: timeline: '4o' is not understood;
      it is no count.
        d0 15, d22 4o
    """
    return "\n".join(folded for line in text.split("\n") for folded in _fitted_line(line))


def _fitted_line(line: str) -> list[str]:
    content = line.lstrip(" ")
    indent = line[: len(line) - len(content)]
    if len(line) <= _width.get() or len(indent) >= len(QUOTED) or GAP in content:
        return [line]
    return wrapped(content, first=indent, further=f"{indent}{HANGING}")
