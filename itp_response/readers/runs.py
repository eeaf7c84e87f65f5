"""Runs: a column of names, of which each mostly stands in several rows that follow each other."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from itp_response.cohort.values import Bools, Ints
from itp_response.readers.problems import as_text


@dataclass(frozen=True)
class Runs:
    """Rows with one name after rows with another."""

    names: pl.Series
    """Of each run; null: there is none."""
    begin: Ints
    """Its first row."""
    size: int
    """How many rows there are in all."""

    @classmethod
    def of(cls, names: pl.Series) -> "Runs":
        """Those of a column, an entry per row."""
        if not len(names):
            return cls(names, np.zeros(0, dtype=np.int64), 0)
        changes = names.ne_missing(names.shift(1)).to_numpy().copy()
        changes[0] = True
        begin = np.flatnonzero(changes)
        return cls(names.gather(begin), begin, len(names))

    @classmethod
    def of_cells(cls, values: pl.Series) -> "Runs":
        """Those of a column as it was written; two that follow each other may have the same name."""
        if values.dtype != pl.String:
            return cls.of(as_text(values))
        # Only one cell of each run is looked at.
        runs = cls.of(values)
        return replace(runs, names=as_text(runs.names))

    @classmethod
    def single(cls, names: pl.Series) -> "Runs":
        """Those of a column in which names mostly change from row to row: each row by itself."""
        return cls(names, np.arange(len(names)), len(names))

    def __len__(self) -> int:
        return self.size

    @property
    def missing(self) -> Bools:
        """The rows without a name."""
        if not self.names.null_count():
            return np.zeros(self.size, dtype=np.bool_)
        missing: Bools = self.spread(self.names.is_null().to_numpy())
        return missing

    @property
    def none(self) -> bool:
        """No row has a name."""
        return self.names.null_count() == len(self.names)

    def spread(self, values: Any) -> Any:
        """To each row the value of its run."""
        return np.repeat(values, np.diff(self.begin, append=self.size))
