"""Dataset-JSON: CDISC Dataset-JSON 1.1, as JSON, as NDJSON (a line of the head, then one per row), or compressed.

Nothing is taken for something else: a row is a list with a value per column, and a value is of the type of its column.
"""

import contextlib
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from itp_response.messages.errors import CohortError
from itp_response.readers.json_text import JsonError, parsed_json
from itp_response.readers.open_table import OpenTable
from itp_response.readers.problems import quoted
from itp_response.readers.text import check_unpacked, most_unpacked

COMPRESSED = ".dsjc"
NOT_1_1 = "this is not CDISC Dataset-JSON 1.1; it needs 'columns' and 'rows'."


class _Kind(NamedTuple):
    """A type of values."""

    dtype: type[pl.DataType]
    types: tuple[type, ...]
    """The types of Python that its values have in JSON."""


TEXT = _Kind(pl.String, (str,))
KINDS = {
    "integer": _Kind(pl.Int64, (int,)),
    "float": _Kind(pl.Float64, (int, float)),
    "double": _Kind(pl.Float64, (int, float)),
    "boolean": _Kind(pl.Boolean, (bool,)),
}
"""By the data type of a column, that of its values; the values of all others are texts."""


def dataset_json(path: Path) -> OpenTable:
    """A CDISC Dataset-JSON 1.1 file, also as NDJSON, or compressed."""
    head, rows = _head_and_rows(path)
    columns = head["columns"]
    header = [column["name"] for column in columns]
    _check_rows(rows, len(header), path.name)
    records = head.get("records", len(rows))
    if records != len(rows):
        raise CohortError(f"{path.name}: {records} records are announced, but there are {len(rows)} rows.")
    values = list(zip(*rows, strict=True)) or [()] * len(header)

    def column(position: int) -> pl.Series:
        return _column(position, columns[position], values[position], path.name)

    return OpenTable(path.name, header, lambda positions: pl.DataFrame([column(position) for position in positions]))


def _check_rows(rows: Sequence[Any], columns: int, name: str) -> None:
    """Raises `CohortError` unless each row is a list with a value per column."""
    if not set(map(type, rows)) <= {list}:
        number, row = next((number, row) for number, row in enumerate(rows, 1) if not isinstance(row, list))
        raise CohortError(f"{name}: row {number}: {quoted(str(row))} is not a row; a row is a list of values.")
    if not set(map(len, rows)) <= {columns}:
        raise CohortError(f"{name}: not every row has {columns} values, as there are columns.")


def _column(position: int, column: Mapping[str, Any], values: Sequence[Any], name: str) -> pl.Series:
    """The values of a column; raises `CohortError` for one of another type."""
    kind = column.get("dataType")
    own = KINDS.get(kind, TEXT) if isinstance(kind, str) else TEXT
    if not set(map(type, values)) <= {*own.types, type(None)}:
        raise CohortError(f"{name}: {column['name']}: not every value is of the type {kind!r}.")
    try:
        return pl.Series(str(position), values, dtype=own.dtype)
    except (TypeError, OverflowError):
        raise CohortError(f"{name}: {column['name']}: a number is too large; it has more than 64 bits.") from None


def _head_and_rows(path: Path) -> tuple[Mapping[str, Any], Sequence[Any]]:
    """The object with the columns, and the rows; raises `CohortError` if the file is not built as it must be."""
    try:
        text = (_inflated(path) if path.suffix.lower() == COMPRESSED else path.read_bytes()).decode("utf-8-sig")
        # Other letters than a newline may end a line elsewhere, but stand in the texts of JSON.
        lines = [text] if path.suffix.lower() == ".json" else [line for line in text.split("\n") if line.strip()]
        contents = [parsed_json(line) for line in lines]
    except UnicodeDecodeError:
        raise CohortError(f"{path.name}: this is not UTF-8; export it again.") from None
    except JsonError as error:
        raise CohortError(f"{path.name}: this cannot be read as Dataset-JSON: {error}; export it again.") from None
    head = contents[0] if contents else None
    if not isinstance(head, dict) or not _are_columns(head.get("columns")):
        raise CohortError(f"{path.name}: {NOT_1_1}")
    rows, below = head.get("rows"), contents[1:]
    if rows is not None and below:
        raise CohortError(f"{path.name}: there are rows in the first line and in lines of their own; keep one of them.")
    if not isinstance(rows, list | None):
        raise CohortError(f"{path.name}: {NOT_1_1}")
    return head, below if rows is None else rows


def _are_columns(columns: Any) -> bool:
    """Whether these are descriptions of columns, each with a name."""
    return (
        isinstance(columns, list)
        and bool(columns)
        and all(isinstance(column, dict) and isinstance(column.get("name"), str) for column in columns)
    )


def _inflated(path: Path) -> bytes:
    """The content of a compressed file: NDJSON by DEFLATE, with the header of zlib or without."""
    data = path.read_bytes()
    most = most_unpacked(len(data))
    for window in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        stream = zlib.decompressobj(window)
        with contextlib.suppress(zlib.error):
            text = stream.decompress(data, most + 1)
            check_unpacked(len(text), len(data), path.name)
            if stream.eof and not stream.unused_data:
                return text
    raise CohortError(f"{path.name}: this is not a complete compressed Dataset-JSON file; export or copy it again.")
