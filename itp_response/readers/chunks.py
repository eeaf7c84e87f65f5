"""Chunks: a table read in chunks, each of whole patients if the rows of a patient follow each other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import polars as pl

from itp_response.cohort.values import Ints
from itp_response.messages.errors import CohortError
from itp_response.readers.column_names import check_parts, check_same_header, is_folder, note_on_hidden
from itp_response.readers.complete import check_rows, unbroken
from itp_response.readers.eav import is_eav
from itp_response.readers.files import kind_of, open_table
from itp_response.readers.open_table import Decimal, OpenTable
from itp_response.readers.tabular import TableFile
from itp_response.readers.text import (
    HEAD,
    RETURN,
    UTF_16,
    TextFormat,
    blocks,
    check_kind,
    rows_of,
    text_format,
    unpacked,
    whole_rows,
)

USUAL = {".csv": ",", ".txt": ",", ".tsv": "\t"}
"""The usual separator of the text files that are read in chunks."""
TAIL = 1 << 10
"""The last rows of a chunk that is no text, in which the rows of its last patient are looked for first."""


class ChunkSize(NamedTuple):
    """How much is read at once: large enough that numpy's work outweighs Python's, small enough for the memory."""

    bytes: int = 6 << 20
    """Of a text file."""
    rows: int = 300_000
    """Of another."""


@dataclass(frozen=True)
class WantedColumns:
    """The columns of a table that are read."""

    positions: Sequence[int]
    patient: int | None
    """The column of the patients, at which a chunk ends; None: there is none."""
    numbers: frozenset[int] = frozenset()
    """The columns of a text file that are read as numbers, in chunks in which all their cells are; else as texts."""


class Chunk(NamedTuple):
    """Some rows of a table that are still to be read."""

    read: Callable[[], OpenTable]
    """Reads them; raises `CohortError` if they cannot be read."""
    file: int
    """The number of their file."""
    share: float
    """The share of the table up to the end of this chunk, 0 to 1."""


@dataclass(frozen=True)
class ChunkedTable:
    """A table with its header read; `chunks` begins with the first row each time it is called."""

    name: str
    header: list[str]
    row_word: Literal["line", "row"]
    files: Sequence[str]
    notes: Sequence[tuple[str, str]]
    """Each with the name of its file."""
    chunks: Callable[[WantedColumns, ChunkSize], Iterator[Chunk]]
    first: Callable[[Sequence[int]], pl.DataFrame]
    """The first rows of the columns at given positions."""
    decimal: Decimal | Literal["usual", "shown"] = "usual"
    """As in `OpenTable`; `shown` is for whole columns alone."""


def chunked_table(given: Path | TableFile) -> ChunkedTable | None:
    """A file, or a folder of part files, to be read in chunks; None: it can only be read as a whole.

    Raises `CohortError` if it cannot be read.
    """
    if isinstance(given, Path) and is_folder(given):
        return _folder_table(given)
    file = given if isinstance(given, TableFile) else TableFile(given)
    path = file.path
    if not path.is_file() or file.sheet is not None:
        return None
    usual = USUAL.get(kind_of(path))
    try:
        return _frame_table(file) if usual is None else _text_table(file, usual)
    except OSError as error:
        raise CohortError(f"{path.name}: this cannot be read: {error.strerror or error}.") from None


def _folder_table(path: Path) -> ChunkedTable | None:
    opened = [chunked_table(file) for file in check_parts(path)]
    tables = [table for table in opened if table is not None]
    if len(tables) < len(opened):
        return None
    for table in tables:
        check_same_header(path, tables[0].header, table.name, table.header)

    def chunks(wanted: WantedColumns, size: ChunkSize) -> Iterator[Chunk]:
        for number, table in enumerate(tables):
            for chunk in table.chunks(wanted, size):
                yield chunk._replace(file=number, share=(number + chunk.share) / len(tables))

    name = path.resolve().name
    hidden = note_on_hidden(path)
    notes = [*([(name, hidden)] if hidden else []), *(note for table in tables for note in table.notes)]
    return ChunkedTable(name, tables[0].header, "row", [table.name for table in tables], notes, chunks, tables[0].first)


# TEXT


def _text_table(given: TableFile, usual: str) -> ChunkedTable | None:
    path = given.path
    with unpacked(path) as (file, _):
        begun: bytes = file.read(HEAD)
    if begun.startswith(UTF_16):
        return None
    check_kind(begun, path.name)
    is_all = len(begun) < HEAD
    if b"\n" not in begun and (RETURN in begun or not is_all):
        return None
    form = text_format(begun, path.name, usual, part=not is_all, header_row=given.header_row)
    if form.separator == ";" and given.decimal is None:
        return None  # what its numbers show of decimals takes the whole column
    if is_eav(form.header) or (form.begin == len(begun) and not is_all):
        return None
    notes = [(form.name, note) for note in form.notes]
    chunks = partial(_text_chunks, path, form)
    data = begun[form.begin :]
    first = rows_of(form, data[: whole_rows(form, data, form.line, ended=is_all)], form.line).first
    return ChunkedTable(form.name, form.header, "line", [form.name], notes, chunks, first, given.decimal or "usual")


def _text_chunks(path: Path, form: TextFormat, wanted: WantedColumns, size: ChunkSize) -> Iterator[Chunk]:
    size_of_file = max(path.stat().st_size, 1)
    with unpacked(path) as (file, raw):
        begun, more = b"", b" "
        while len(begun) < form.begin and more:
            more = file.read(form.begin)
            begun += more
        form = replace(form, numbers=wanted.numbers)
        for block in blocks(form, begun[form.begin :], file, size.bytes, wanted.patient):
            yield Chunk(block.rows, 0, raw.tell() / size_of_file)


# FRAMES


def _frame_table(file: TableFile) -> ChunkedTable | None:
    source = (
        open_table(file, file.path.name) if kind_of(file.path) in (".parquet", ".arrow", ".feather", ".ipc") else None
    )
    if source is None or source.scan is None:
        return None
    chunks = partial(_frame_chunks, source)
    return ChunkedTable(source.name, source.header, "row", [source.name], [], chunks, source.first, source.decimal)


def _frame_chunks(source: OpenTable, wanted: WantedColumns, size: ChunkSize) -> Iterator[Chunk]:
    assert source.scan is not None
    assert source.rows is not None
    lazy, row = source.scan(wanted.positions or [0]), 0
    batches = iter(lazy.collect_batches(chunk_size=size.rows, maintain_order=True))
    batch = unbroken(source.name, source.kind, lambda: next(batches, None))
    while batch is not None:
        following = unbroken(source.name, source.kind, lambda: next(batches, None))
        cut = len(batch) if following is None else _begin_of_last_patient(batch, wanted.patient)
        if cut:
            read = partial(_open_rows, source, batch[:cut], np.arange(row + 1, row + cut + 1))
            yield Chunk(read, 0, (row + cut) / max(source.rows, 1))
        batch, row = following if following is None else pl.concat([batch[cut:], following]), row + cut
    # Where a thread of polars panics, the batches end as if the file did.
    check_rows(source.name, source.kind, row, source.rows)


def _open_rows(source: OpenTable, frame: pl.DataFrame, lines: Ints) -> OpenTable:
    """Rows of a table that were read already."""
    return OpenTable(source.name, source.header, lambda _: frame, lines, "row")


def _begin_of_last_patient(frame: pl.DataFrame, patient: int | None) -> int:
    """The row at which the last patient's rows begin; the end, if there is no column of patients."""
    if patient is None or not len(frame):
        return len(frame)
    ids, width = frame[str(patient)], TAIL
    while True:
        tail = ids.tail(width)
        others = tail.ne_missing(ids[-1]).arg_true()
        if len(others):
            return len(ids) - len(tail) + int(others[-1]) + 1
        if width >= len(ids):
            return 0
        width *= 8
