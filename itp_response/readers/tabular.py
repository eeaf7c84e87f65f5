"""Tabular: what a user may give as a table. It opens nothing, so that a function can name it without the readers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import polars as pl

if TYPE_CHECKING:
    from itp_response.readers.open_table import Decimal


class PandasFrame(Protocol):
    """A pandas frame; pandas itself is not needed."""

    @property
    def iloc(self) -> Any: ...


class ArrowStream(Protocol):
    """A table of any library with the Arrow PyCapsule interface; its columns are not copied."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


class GivesTable(Protocol):
    """An object that makes the table itself, as a mapping does."""

    def as_table(self, order: int, names: Iterable[str], problems: Any) -> Any:
        """The `NamedTable` of the columns of these names; None: it cannot be opened, which is reported."""


@dataclass(frozen=True)
class TableFile:
    """A file, and how its table is found in it and its numbers are written; None: as the file shows."""

    path: Path
    sheet: str | None = None
    """The sheet of a workbook; None: its first."""
    header_row: int | None = None
    """The row, or the line, with the names of the columns."""
    decimal: "Decimal | None" = None

    @property
    def files(self) -> tuple[Path]:
        """The file."""
        return (self.path,)


Tabular: TypeAlias = (
    str
    | Path
    | TableFile
    | pl.DataFrame
    | pl.LazyFrame
    | PandasFrame
    | ArrowStream
    | Sequence[Mapping[str, Any]]
    | GivesTable
)
"""The path of a file, a frame, a table with the Arrow PyCapsule interface, a list of rows, or what `mapped` gives."""
