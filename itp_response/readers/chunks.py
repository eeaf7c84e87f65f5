"""Streams: a table that is read in parts, each of whole patients where the rows of a patient follow each other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import polars as pl

from itp_response.messages.errors import CohortError
from itp_response.readers.column_names import check_parts, check_same_header, is_folder
from itp_response.readers.files import kind_of, open_table, unbroken
from itp_response.readers.open_table import OpenTable
from itp_response.readers.text import HEAD, RETURN, Block, Form, blocks, check_kind, formed, unpacked

USUAL = {".csv": ",", ".txt": ",", ".tsv": "\t"}
"""What separates the cells of the text files that are read in parts."""


class ChunkSize(NamedTuple):
    """How much is read at once: large enough that numpy's work outweighs Python's, small enough to stay in memory."""

    bytes: int = 6 << 20
    """Of a text file."""
    rows: int = 300_000
    """Of another."""


@dataclass(frozen=True)
class WantedColumns:
    """What of a table is read."""

    positions: Sequence[int]
    patient: int | None
    """The column by which it is cut; None: it has none."""


class Chunk(NamedTuple):
    """Some of a table's rows, not read yet."""

    read: Callable[[], OpenTable]
    """Raises `CohortError` where they cannot be read."""
    file: int
    """Which of the table's files they are in."""
    share: float
    """How much of the table has been gone through with it, 0 to 1."""
    block: Block | None = None
    """Those of a text file as they stand in it."""


@dataclass(frozen=True)
class ChunkedTable:
    """A table of which the header is read; `parts` reads the rows from the first on."""

    name: str
    header: list[str]
    row_word: Literal["line", "row"]
    files: Sequence[str]
    notes: Sequence[tuple[str, str]]
    """Each with the name of the file it is about."""
    chunks: Callable[[WantedColumns, ChunkSize], Iterator[Chunk]]


def chunked_table(path: Path) -> ChunkedTable | None:
    """The table of a file, or of a folder of part files, to be read in parts; None: it is only read as a whole.

    Raises `CohortError` for what cannot be read.
    """
    if is_folder(path):
        return _folder(path)
    if not path.is_file():
        return None
    usual = USUAL.get(kind_of(path))
    try:
        return _frames(path) if usual is None else _text(path, usual)
    except OSError as error:
        raise CohortError(f"{path.name}: this cannot be read: {error.strerror or error}.") from None


def _folder(path: Path) -> ChunkedTable | None:
    found = [chunked_table(one) for one in check_parts(path)]
    streams = [one for one in found if one is not None]
    if len(streams) < len(found):
        return None
    for one in streams:
        check_same_header(path, streams[0].header, one.name, one.header)

    def parts(wanted: WantedColumns, size: ChunkSize) -> Iterator[Chunk]:
        for number, one in enumerate(streams):
            for part in one.chunks(wanted, size):
                yield part._replace(file=number, share=(number + part.share) / len(streams))

    notes = [note for one in streams for note in one.notes]
    name = path.resolve().name
    return ChunkedTable(name, streams[0].header, "row", [one.name for one in streams], notes, parts)


# TEXT


def _text(path: Path, usual: str) -> ChunkedTable | None:
    with unpacked(path) as (file, _):
        begun: bytes = file.read(HEAD)
    check_kind(begun, path.name)
    all_of_it = len(begun) < HEAD
    if b"\n" not in begun and (RETURN in begun or not all_of_it):
        return None
    form = formed(begun, path.name, usual, part=True)
    if form.begin == len(begun) and not all_of_it:
        return None
    notes = [(form.name, note) for note in form.notes]
    return ChunkedTable(form.name, form.header, "line", [form.name], notes, partial(_text_parts, path, form))


def _text_parts(path: Path, form: Form, wanted: WantedColumns, size: ChunkSize) -> Iterator[Chunk]:
    whole = max(path.stat().st_size, 1)
    with unpacked(path) as (file, raw):
        begun, more = b"", b" "
        while len(begun) < form.begin and more:
            more = file.read(form.begin)
            begun += more
        for block in blocks(form, begun[form.begin :], file, size.bytes, wanted.patient):
            yield Chunk(block.rows, 0, raw.tell() / whole, block)


# FRAMES


def _frames(path: Path) -> ChunkedTable | None:
    source = open_table(path, path.name) if kind_of(path) in (".parquet", ".arrow", ".feather", ".ipc") else None
    if source is None or source.scan is None:
        return None
    return ChunkedTable(source.name, source.header, "row", [source.name], [], partial(_frame_parts, source))


def _frame_parts(source: OpenTable, wanted: WantedColumns, size: ChunkSize) -> Iterator[Chunk]:
    assert source.scan is not None
    lazy = source.scan(wanted.positions or [0])
    whole = max(int(unbroken(source.name, source.kind, lambda: lazy.select(pl.len()).collect()).item()), 1)
    batches = iter(lazy.collect_batches(chunk_size=size.rows, maintain_order=True))
    held, row = None, 0
    while True:
        batch = unbroken(source.name, source.kind, lambda: next(batches, None))
        held = batch if held is None else held if batch is None else pl.concat([held, batch])
        if held is None:
            return
        cut = len(held) if batch is None else _last_patient(held, wanted.patient)
        if cut:
            taken = held[:cut]
            lines = np.arange(row + 1, row + cut + 1)
            made = OpenTable(source.name, source.header, lambda _, taken=taken: taken, lines, "row")  # type: ignore[misc]
            yield Chunk(lambda made=made: made, 0, (row + cut) / whole)  # type: ignore[misc]
            held, row = held[cut:], row + cut
        if batch is None:
            return


def _last_patient(frame: pl.DataFrame, patient: int | None) -> int:
    """The row at which those of the last patient begin; the end, where none is named."""
    if patient is None or not len(frame):
        return len(frame)
    ids = frame[str(patient)]
    others = ids.ne_missing(ids[-1]).arg_true()
    return int(others[-1]) + 1 if len(others) else 0
