"""Open table: a table with its header read and its columns still to be read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from itp_response.cohort.values import Ints

FIRST_ROWS = 1000
"""The rows that are looked at of columns that are not used."""
Decimal = Literal["point", "comma"]
"""What stands before decimals; the other may stand between thousands."""


@dataclass(frozen=True)
class Gathered:
    """Where the cells were written of a table each of whose rows was put together from several rows of a file."""

    lines: Ints | None
    """The line of each row of the file; None: they are numbered from 1."""
    rows: Mapping[str, Ints]
    """The row of the file of each cell, by column; under "", the first row of each row of the table."""


@dataclass(frozen=True)
class OpenTable:
    """A table with its header read; `load` reads the columns at given positions, named `0`, `1`, …."""

    name: str
    header: list[str]
    load: Callable[[Sequence[int]], pl.DataFrame]
    lines: Ints | None = None
    """The line of each row in the file; None: rows are numbered from 1."""
    row_word: Literal["line", "row"] = "row"
    problems: list[tuple[int, str]] = field(default_factory=list)
    """Lines that had to be left out, and the reason."""
    notes: list[str] = field(default_factory=list)
    broken_lines: list[tuple[str, str]] = field(default_factory=list)
    """The text and the first cell of each of these lines, in a text file; empty for other files."""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Further names of columns in the file, by their names in the header."""
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By column, the meanings of its values as the file gives them."""
    units: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By column, the units of its values as the file gives them."""
    others: tuple[str, ...] = ()
    """The other sheets of the workbook."""
    gathered: Gathered | None = None
    """None: each row of the table is a row of the file."""
    scan: Callable[[Sequence[int]], pl.LazyFrame] | None = None
    """As `load`, for a file that can be read in chunks; None: it cannot."""
    decimal: Decimal | Literal["usual", "shown"] = "usual"
    """`usual`: a point, and nothing between thousands; `shown`: either, as its numbers show."""
    study: str = ""
    """The identifier of the study that the file tells of, if it has one and one alone."""
    kind: str = ""
    """The name of the format."""
    separator: str | None = None
    """What separates the cells of a text file; None: it is no text file."""
    from_1904: bool = False
    """It is a workbook that counts days from 1904."""
    rows: int | None = None
    """The rows that the file announces; None: it announces none."""
    load_first: Callable[[Sequence[int]], pl.DataFrame] | None = None
    """As `load`, of the first rows alone; None: all rows are read for them."""

    def first(self, positions: Sequence[int]) -> pl.DataFrame:
        """The first rows of the columns at these positions."""
        return (self.load_first or self.load)(positions).head(FIRST_ROWS)
