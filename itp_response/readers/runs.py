"""Runs: a column of names, in which mostly several rows in a row have the same name."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from itp_response.cohort.values import Bools, Ints
from itp_response.readers.problems import as_text


@dataclass(frozen=True)
class Runs:
    """The rows of a column, grouped by successive equal names."""

    names: pl.Series
    """One per run; null: the rows have no name."""
    begin: Ints
    """The first row of each run."""
    size: int
    """The number of rows."""

    @classmethod
    def of(cls, names: pl.Series) -> "Runs":
        """The runs of a column with one name per row.

        >>> Runs.of(pl.Series(["P1", "P1", "P2"])).begin.tolist()
        [0, 2]
        """
        if not len(names):
            return cls(names, np.zeros(0, dtype=np.int64), 0)
        changes = names.ne_missing(names.shift(1)).to_numpy().copy()
        changes[0] = True
        begin = np.flatnonzero(changes)
        return cls(names.gather(begin), begin, len(names))

    @classmethod
    def single(cls, names: pl.Series) -> "Runs":
        """Runs of one row each, for a column in which names mostly change from row to row."""
        return cls(names, np.arange(len(names)), len(names))

    def __len__(self) -> int:
        return self.size

    @property
    def trimmed(self) -> "Runs":
        """The same with names as texts (`as_text`); two successive runs may then have the same name."""
        return replace(self, names=as_text(self.names))

    @property
    def missing(self) -> Bools:
        """The rows without a name."""
        if not self.names.null_count():
            return np.zeros(self.size, dtype=np.bool_)
        missing: Bools = self.spread(self.names.is_null().to_numpy())
        return missing

    @property
    def none(self) -> bool:
        """Whether no row has a name."""
        return self.names.null_count() == len(self.names)

    @property
    def of_rows(self) -> pl.Series:
        """The name of each row."""
        return self.names.gather(self.spread(np.arange(len(self.names))))

    def spread(self, values: Any) -> Any:
        """The value of its run, for each row."""
        return np.repeat(values, np.diff(self.begin, append=self.size))
