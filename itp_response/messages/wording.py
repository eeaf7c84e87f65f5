"""Wording: numbers, lists, days, counts of things and lines as every message words them."""

import math
import shlex
import textwrap
from collections.abc import Sequence

WIDTH = 100
IN_WORDS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


def number_in_words(value: float) -> str:
    """A number without needless decimals.

    >>> number_in_words(30.0), number_in_words(12.5)
    ('30', '12.5')
    """
    return f"{value:g}" if abs(value) < 1e15 else str(value)


def counted(number: int, noun: str, *, digits: bool = False) -> str:
    """A number of things; up to six in words, unless `digits` are asked for.

    >>> counted(1, "day"), counted(12, "day"), counted(1200, "patient", digits=True)
    ('one day', '12 days', '1,200 patients')
    """
    written = f"{number:,}" if digits else str(IN_WORDS.get(number, number))
    return f"{written} {noun}{'' if number == 1 else 's'}"


def counted_patients(number: int) -> str:
    """A number of patients, in digits."""
    return counted(number, "patient", digits=True)


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


def day_in_words(day: float) -> str:
    """A day; one without a limit is any day.

    >>> day_in_words(28), day_in_words(math.inf)
    ('day 28', 'any day')
    """
    return f"day {number_in_words(day)}" if math.isfinite(day) else "any day"


def days_in_words(days: tuple[float, float]) -> str:
    """A pair of days as the end of a sentence; nothing where there is no limit.

    >>> days_in_words((1, 28)), days_in_words((-math.inf, 0)), days_in_words((-math.inf, math.inf))
    (', from day 1 to day 28', ', up to day 0', '')
    """
    first, last = (math.isfinite(day) for day in days)
    if first and last:
        return f", from {day_in_words(days[0])} to {day_in_words(days[1])}"
    if first:
        return f", from {day_in_words(days[0])} on"
    return f", up to {day_in_words(days[1])}" if last else ""


def up_to(day: float) -> str:
    """A last day as the end of a phrase; nothing where there is no limit.

    >>> up_to(28), up_to(math.inf)
    (', up to day 28', '')
    """
    return days_in_words((-math.inf, day))


def aligned(rows: Sequence[Sequence[str]], indent: str = "") -> str:
    """Rows of cells as lines, with the cells of each column one under another.

    >>> print(aligned([["OR", "Overall response"], ["SR30", "Sustained response"]], indent="- "))
    - OR    Overall response
    - SR30  Sustained response
    """
    number = max(len(row) for row in rows)
    widths = [max((len(row[column]) for row in rows if column < len(row)), default=0) for column in range(number)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) for row in rows)
    return "\n".join(f"{indent}{line}".rstrip() for line in lines)


def wrapped(
    text: str, width: int = WIDTH, *, first: str = "", further: str = "  ", break_on_hyphens: bool = False
) -> list[str]:
    """A sentence as lines of at most `width` characters; `first` and `further` are the indents of the lines.

    >>> wrapped("Response is not evaluable.", width=20)
    ['Response is not', '  evaluable.']
    """
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=further, break_on_hyphens=break_on_hyphens
    )
