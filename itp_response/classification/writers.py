"""Writers: a table as a file, whole or not at all, from one frame or from one chunk of its rows after another.

A file has the same bytes both ways.
"""

import io
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol, TypeVar

import polars as pl

from itp_response.classification.output_files import (
    holding,
    is_stream,
    native,
    refuse_inputs,
    settings,
    suffix_of,
    together,
    visible_files,
    write_temporary,
)
from itp_response.classification.provenance import BESIDE, KEY, File, Provenance
from itp_response.classification.spreadsheet_texts import as_texts, tell_texts
from itp_response.messages.errors import UsageError, unknown

Result = TypeVar("Result")
ROWS_PER_GROUP = 100_000
"""Of a Parquet file: fixed, so that the file is the same however it is written."""


def write(frame: pl.DataFrame, path: str | Path, provenance: Provenance | None = None) -> None:
    """Write a frame to a `.csv`, `.json` or `.parquet` file, whole or not at all; its provenance goes beside it.

    In `.csv`, a text that a spreadsheet would take for a formula gets an apostrophe before it.
    Raises `UsageError` for another suffix, where the file cannot be written, or where it was read.
    """
    path = Path(path)
    form = FORMATS[check_suffix(path)]
    put_with_provenance(path, lambda file: form.write(frame, file, provenance), provenance)


def check_suffix(path: Path) -> str:
    """The suffix of a file; raises `UsageError` for a format that is not written."""
    suffix = suffix_of(path, FORMATS)
    if suffix not in FORMATS:
        raise UsageError(unknown("kind of output", path.suffix, FORMATS).after(f"{path.name}: "))
    return suffix


def put_with_provenance(
    path: str | Path,
    content: Callable[[IO[bytes]], Result],
    provenance: Provenance | Callable[[Result], Provenance] | None,
) -> Result:
    """Write a file, whole or not at all: `content` writes into an open file. The provenance goes beside it.

    The result is that of `content`; the provenance may be made of it. None: there is none. Beside a pipe or a device
    there is none either. Raises `UsageError` where a file cannot be written, or where it was read.
    """
    path = Path(path)
    beside = path.with_name(f"{path.name}{BESIDE}")
    with together() as files:
        if isinstance(provenance, Provenance):
            refuse_inputs(path, provenance.sources)
            refuse_inputs(beside, provenance.sources)
        result = files.add(path, content)
        origin = provenance(result) if callable(provenance) else provenance
        if origin is not None and is_stream(path):
            settings().tell(f"note: {path} is no file that stays, so no provenance is written beside it.")
        elif origin is not None:
            text = replace(origin, outputs=(File(path.name, files.sha256(path)),)).text()
            files.add(beside, lambda file: file.write(text.encode()), before=path)
    return result


def check_folder(folder: Path, own: Collection[str]) -> None:
    """Raises `UsageError` for a folder that holds anything but files of these names, and for a file."""
    if folder.is_file():
        raise UsageError(f"{folder}: this is a file; name a folder.")
    others = sorted(path.name for path in visible_files(folder) if path.name not in own) if folder.is_dir() else []
    if others:
        shown = ", ".join(others[:3]) + (" …" if len(others) > 3 else "")
        raise UsageError(f"{folder}: there are other files in this folder ({shown}); name a new or an empty one.")


def put_folder(contents: Mapping[str, bytes], folder: Path, own: Collection[str]) -> None:
    """Write files into a folder, all or nothing; those of the names `own` that an earlier run left are removed.

    Raises `UsageError` where they cannot be written.
    """
    with together() as files:
        files.make_folder(folder)
        for name, content in contents.items():
            files.add(folder / name, holding(content))
        for name in sorted(set(own) - set(contents)):
            files.remove(folder / name)


# FORMATS


def _write_csv(frame: pl.DataFrame, file: IO[bytes], _: Provenance | None) -> None:
    file.write(csv_bytes(frame))


def csv_bytes(frame: pl.DataFrame) -> bytes:
    """A frame as CSV in UTF-8, with an apostrophe before each text that a spreadsheet would take for a formula."""
    frame, changed = as_texts(frame, settings().formulas)
    tell_texts(changed)
    return frame.write_csv().encode()


def _write_json(frame: pl.DataFrame, file: Any, _: Provenance | None) -> None:
    frame.write_json(file)


def _write_parquet(frame: pl.DataFrame, file: IO[bytes], provenance: Provenance | None) -> None:
    metadata = None if provenance is None else {KEY: provenance.text()}
    with native():
        frame.write_parquet(file, metadata=metadata, row_group_size=ROWS_PER_GROUP)


class ChunkWriter(Protocol):
    """A file that is written chunk by chunk.

    `encode` does not touch the file, so that several threads may call it at once; `add` takes the chunks in order.
    """

    def encode(self, frame: pl.DataFrame, *, first: bool) -> bytes: ...

    def add(self, encoded: bytes) -> None: ...

    def end(self, provenance: Provenance) -> None: ...


class CsvChunks:
    """Text, its cells separated by commas."""

    def __init__(self, file: IO[bytes], _: Path) -> None:
        self._file = file
        self._formulas = settings().formulas  # those of this thread; the others do not know them
        self._changed: list[int] = []

    def encode(self, frame: pl.DataFrame, *, first: bool) -> bytes:
        buffer = io.BytesIO()
        frame, changed = as_texts(frame, self._formulas)
        self._changed.append(changed)
        frame.write_csv(buffer, include_header=first)
        return buffer.getvalue()

    def add(self, encoded: bytes) -> None:
        self._file.write(encoded)

    def end(self, provenance: Provenance) -> None:  # noqa: ARG002 - as the others
        tell_texts(sum(self._changed))


class JsonChunks:
    """A list of objects."""

    def __init__(self, file: IO[bytes], _: Path) -> None:
        self._file = file
        self._file.write(b"[")

    def encode(self, frame: pl.DataFrame, *, first: bool) -> bytes:
        buffer = io.BytesIO()
        frame.write_json(buffer)
        objects = buffer.getvalue()[1:-1]
        return objects if first or not objects else b"," + objects

    def add(self, encoded: bytes) -> None:
        self._file.write(encoded)

    def end(self, provenance: Provenance) -> None:  # noqa: ARG002 - as the others
        self._file.write(b"]")


class ParquetChunks:
    """Parquet. Its row groups are not the chunks, so that these are kept in a folder until the end."""

    def __init__(self, file: IO[bytes], folder: Path) -> None:
        self._file = file
        self._folder = folder
        self._paths: list[Path] = []

    def encode(self, frame: pl.DataFrame, *, first: bool) -> bytes:  # noqa: ARG002 - as the others
        buffer = io.BytesIO()
        frame.write_ipc(buffer, compression="uncompressed")
        return buffer.getvalue()

    def add(self, encoded: bytes) -> None:
        self._paths.append(self._folder / f"{len(self._paths):06}.arrow")
        write_temporary(self._paths[-1], encoded)

    def end(self, provenance: Provenance) -> None:
        whole = pl.scan_ipc(self._paths, glob=False)
        with native():
            whole.sink_parquet(self._file, metadata={KEY: provenance.text()}, row_group_size=ROWS_PER_GROUP)


class Format(NamedTuple):
    """The two ways to write one kind of file."""

    write: Callable[[pl.DataFrame, IO[bytes], Provenance | None], None]
    """A frame at once."""
    chunks: Callable[[IO[bytes], Path], ChunkWriter]
    """A `ChunkWriter` on an open file, with an empty folder for what it must keep."""


FORMATS = {
    ".csv": Format(_write_csv, CsvChunks),
    ".json": Format(_write_json, JsonChunks),
    ".parquet": Format(_write_parquet, ParquetChunks),
}
"""By the suffix of the file."""
