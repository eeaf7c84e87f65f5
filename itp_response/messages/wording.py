"""Wording: numbers, lists, days, counts and lines as every message says them."""

import math
import textwrap
from collections.abc import Sequence

COUNTED = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


def number_in_words(value: float) -> str:
    """A number without needless decimals."""
    return f"{value:g}" if abs(value) < 1e15 else str(value)


def counted(number: int, noun: str) -> str:
    """So many of something."""
    return f"{COUNTED.get(number, number)} {noun}{'' if number == 1 else 's'}"


def listed(texts: list[str]) -> str:
    """One after another, the last after an `and`."""
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))


def day_in_words(day: float) -> str:
    """A day; one without a limit is said so."""
    return f"day {number_in_words(day)}" if math.isfinite(day) else "any day"


def days_in_words(days: tuple[float, float]) -> str:
    """A pair of days as the end of a sentence; nothing where there is no limit."""
    first, last = (math.isfinite(day) for day in days)
    if first and last:
        return f", from {day_in_words(days[0])} to {day_in_words(days[1])}"
    if first:
        return f", from {day_in_words(days[0])} on"
    return f", up to {day_in_words(days[1])}" if last else ""


def count_in_words(low: float, high: float) -> str:
    """A count, or a bound as it is written: `<10`, `>1000`; nothing where there is none."""
    if math.isnan(low):
        return ""
    if low == high:
        return number_in_words(low)
    return f">{_edge(low)}" if math.isinf(high) else f"<{_edge(high)}"


def _edge(value: float) -> str:
    # A bound that is not itself possible is held as the number next to it.
    near = round(value)
    return number_in_words(near if abs(value - near) < 1e-9 * max(1.0, abs(near)) else value)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows as lines with their cells one under another."""
    wide = max(len(row) for row in rows)
    widths = [max((len(row[place]) for row in rows if place < len(row)), default=0) for place in range(wide)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


WIDTH = 100


def counted_patients(number: int) -> str:
    """So many patients."""
    return f"{number:,} patient{'' if number == 1 else 's'}"


def wrapped(text: str) -> list[str]:
    """A sentence as lines, those after the first set in."""
    return textwrap.wrap(text, WIDTH, break_on_hyphens=False, subsequent_indent="  ")
