"""Sections of the validation pack: each a table of what was expected, what was got, and the result."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

PASS, FAIL = "pass", "fail"
NOT_COMPARED = "not compared"
"""The result of what was recorded, but has nothing to be compared with."""
EMPTY = "(empty)"
"""How a page and a summary show an empty cell."""
COMPARED = ("expected", "got", "result")
"""The last three columns of every table."""


@dataclass(frozen=True)
class Section:
    """A part of the qualification."""

    number: str
    """`OQ-1`; it begins with the qualification that it belongs to."""
    title: str
    says: str
    """What is compared with what, in a sentence or two."""
    name: str
    """The name of its CSV file, without the suffix."""
    keys: tuple[str, ...]
    """The columns that say which row it is."""
    frame: pl.DataFrame = field(repr=False)
    """A row per comparison; its last columns are `COMPARED`."""
    notes: tuple[str, ...] = ()
    """What was assumed and noticed."""

    @property
    def file(self) -> str:
        return f"{self.name}.csv"

    @property
    def failed(self) -> pl.DataFrame:
        """The rows that differ."""
        return self.frame.filter(pl.col("result") == FAIL)

    def number_of(self, result: str) -> int:
        return int((self.frame["result"] == result).sum())

    @property
    def counts(self) -> str:
        """How many rows were compared, and how many differ; how many were recorded, if none was compared."""
        failed = self.number_of(FAIL)
        if not (number := failed + self.number_of(PASS)):
            return f"{len(self.frame):,} recorded"
        return f"{number:,} compared, {failed:,} differ"

    @property
    def result(self) -> str:
        """`fail` if anything differs; else `pass`, if anything was compared."""
        if self.number_of(FAIL):
            return FAIL
        return PASS if self.number_of(PASS) else NOT_COMPARED


def compared(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> pl.DataFrame:
    """A table of texts with the result of each row; the last two of `columns` are `expected` and `got`.

    A row without anything expected, None, is not compared.

    >>> compared(["endpoint", "expected", "got"], [("OR", 90, 90), ("CR", 45, 44), ("SR", None, 68)])[
    ...     "result"
    ... ].to_list()
    ['pass', 'fail', 'not compared']
    """
    texts = [tuple(None if cell is None else str(cell) for cell in row) for row in rows]
    frame = pl.DataFrame(texts, schema=dict.fromkeys(columns, pl.String), orient="row")
    return with_result(frame)


def with_result(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with the column `result` behind `expected` and `got`."""
    result = (
        pl.when(pl.col("expected").is_null() | pl.col("got").is_null())
        .then(pl.lit(NOT_COMPARED))
        .when(pl.col("expected") == pl.col("got"))
        .then(pl.lit(PASS))
        .otherwise(pl.lit(FAIL))
    )
    return frame.with_columns(result=result)
