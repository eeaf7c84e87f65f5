"""Source: a table of which the header is read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from itp_response.cohort.values import Ints


@dataclass(frozen=True)
class OpenTable:
    """A table of which the header is read; `load` reads the columns at the given positions, named `0`, `1`, …."""

    name: str
    header: list[str]
    load: Callable[[Sequence[int]], pl.DataFrame]
    lines: Ints | None = None
    """Where each row stands in the file; None: rows are numbered from 1."""
    row_word: Literal["line", "row"] = "row"
    problems: list[tuple[int, str]] = field(default_factory=list)
    """By line: rows that had to be left out."""
    notes: list[str] = field(default_factory=list)
    broken_lines: list[tuple[str, str]] = field(default_factory=list)
    """Of each of the problems, where it is a line that is no row, its text and its first cell."""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the file calls its columns beside their names in the header."""
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Of a column, what the file says that its values stand for."""
    scan: Callable[[Sequence[int]], pl.LazyFrame] | None = None
    """As `load`, of a file that can be read in parts; None: it cannot."""
    kind: str = ""
    """What such a file is called."""
