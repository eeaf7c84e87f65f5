"""A qualification: its sections, what they say together, and their tables."""

import datetime
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from itp_response.classification.classification import Classification
from itp_response.classification.provenance import File, program_version
from itp_response.validation.section import COMPARED, EMPTY, FAIL, NOT_COMPARED, PASS, Section


@dataclass(frozen=True, repr=False)
class Qualification:
    """The sections of a qualification, and what it was made of."""

    sections: tuple[Section, ...]
    shipped: tuple[str, ...]
    """The shipped sets that were qualified."""
    inputs: tuple[File, ...] = ()
    """The user's own files, with their SHA-256."""
    study: Classification | None = None
    """The classification of the user's own study."""
    date: datetime.date | None = None
    """The date on the page, as it was given."""
    version: str = field(default_factory=program_version)

    @property
    def ok(self) -> bool:
        """Whether nothing differs from what was expected."""
        return all(section.result != FAIL for section in self.sections)

    @property
    def result(self) -> str:
        """`pass` or `fail`."""
        return PASS if self.ok else FAIL

    def frame(self) -> pl.DataFrame:
        """A row per section: `section`, `title`, its numbers of `pass`, `fail` and `not_compared`, and its `result`."""
        rows = [
            (one.number, one.title, *map(one.number_of, (PASS, FAIL, NOT_COMPARED)), one.result)
            for one in self.sections
        ]
        names = ("section", "title", "pass", "fail", "not_compared", "result")
        types = (pl.String, pl.String, pl.Int64, pl.Int64, pl.Int64, pl.String)
        return pl.DataFrame(rows, schema=dict(zip(names, types, strict=True)), orient="row")

    def differences(self) -> pl.DataFrame:
        """A row per comparison that failed: `section`, `what`, `expected` and `got`."""
        parts = [
            section.failed.select(
                pl.lit(section.number).alias("section"),
                pl.concat_str(pl.col(section.keys).replace("", None), separator=", ", ignore_nulls=True).alias("what"),
                pl.col(COMPARED[:2]).replace("", EMPTY),
            )
            for section in self.sections
        ]
        return pl.concat(parts)

    @cached_property
    def tables(self) -> dict[str, bytes]:
        """The CSV file of each section, by its name."""
        return {section.file: section.frame.write_csv().encode() for section in self.sections}
