"""Records: the results, treatments, conditions and patients of one file or table, with their codes as written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import polars as pl

from itp_response.cohort.values import Ints

COLUMNS = ("role", "patient_id", "code", "called", "date", "end", "value", "unit")
"""The columns of records, all texts.

`role` is one of `result`, `treatment`, `condition` and `patient`; `called` is what the file calls the code. `end` is
`ONGOING` of a treatment or a condition that goes on.
"""
ONGOING = "ongoing"


class WrongRecord(NamedTuple):
    """A record that cannot be used."""

    line: int
    reason: str
    patient: str | None = None
    """None: not known."""


@dataclass(frozen=True)
class CodedRecords:
    """The records of one file or table, in its order."""

    name: str
    frame: pl.DataFrame
    """One row per record, with `COLUMNS`."""
    names: Mapping[str, str]
    """The columns of the file, or the elements of its resources, by the readers' names."""
    lines: Ints | None = None
    """The line of each record in the file; None: they are numbered from 1."""
    row_word: Literal["line", "row"] = "row"
    problems: Sequence[WrongRecord] = ()
    notes: Sequence[str] = field(default=())
