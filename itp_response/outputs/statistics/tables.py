"""Tables: what is shown of a result, the numbers behind it, and what has to be said with it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

import polars as pl

from itp_response.messages.wording import aligned, wrapped

RESULTS = ("table", "subgroup", "variable", "level", "group", "statistic", "value", "method")
"""The columns of the numbers; all are texts but `value`."""
DASH = "–"


@dataclass(frozen=True)
class Number:
    """One number of a table, not rounded.

    `group` is a group of patients, or of a comparison two of them, `A less B`, of a ratio `A to B`.
    """

    variable: str
    group: str
    statistic: str
    value: float | None
    method: str = ""
    level: str = ""
    subgroup: str = ""


@dataclass(frozen=True)
class Table:
    """One table: `header` and `rows` as they are shown, `numbers` what they are made of, `notes` what is said below.

    A row with one cell is a heading; a cell that begins with two spaces belongs to the row above that does not.
    """

    name: str
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[Number, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def frame(self) -> pl.DataFrame:
        """One row per number: `table`, `subgroup`, `variable`, `level`, `group`, `statistic`, `value`, `method`.

        Numbers are not rounded. A share lies between 0 and 1, a time is in days. What a number does not have is null,
        as is a value that could not be worked out.
        """
        rows = [
            (self.name, one.subgroup, one.variable, one.level, one.group, one.statistic, one.value, one.method)
            for one in self.numbers
        ]
        schema = {name: pl.Float64 if name == "value" else pl.String for name in RESULTS}
        texts = pl.col(pl.String).replace("", None)
        return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("value").fill_nan(None), texts)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield self.title
        yield aligned([["", *self.header[1:]], *([f"  {row[0]}", *row[1:]] for row in self.rows)])
        for note in self.notes:
            yield from (f"  {line}" for line in wrapped(note))


def percent(share: float) -> str:
    """`80.4`."""
    return rounded(100 * share, 1)


def counted(number: int, of: int) -> str:
    """`90/112 (80.4)`."""
    return f"{number}/{of} ({percent(number / of)})" if of else f"{number}/{of}"


def span(middle: float, low: float, high: float, digits: int) -> str:
    """`0.21 (0.07 to 0.36)`."""
    return f"{rounded(middle, digits)} ({rounded(low, digits)} to {rounded(high, digits)})"


def rounded(value: float, digits: int) -> str:
    """The number with so many digits, never `-0.00`; of what is not known or not reached the words."""
    if value != value:
        return "not known"
    if value == float("inf"):
        return "not reached"
    # As the field rounds: 6.25 is 6.3.
    text = str(Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
    return text.removeprefix("-") if not text.strip("-0.") else text


def probability(p: float | None) -> str:
    """`0.003`, `0.21`, `<0.001`."""
    if p is None or p != p:
        return ""
    if p < 0.001:
        return "<0.001"
    return f"{p:.3f}" if p < 0.0995 else f"{p:.2f}"


def plainly(value: float) -> str:
    """A value of a level: without a decimal point where it is whole."""
    return f"{value:g}"


def once(notes: Iterable[str]) -> tuple[str, ...]:
    """The notes in their order, each once, without empty ones."""
    return tuple(note for note in dict.fromkeys(notes) if note)
