"""Writers: a table as a file, whole or not at all, from one frame or from one chunk of its rows after another.

A file has the same bytes both ways.
"""

import io
import os
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol, TypeVar

import polars as pl

from itp_response.classification.provenance import BESIDE, KEY, Provenance, of_path
from itp_response.messages.codes import Code
from itp_response.messages.errors import Problem, UsageError, unknown

Result = TypeVar("Result")
ROWS_PER_GROUP = 100_000
"""Of a Parquet file: fixed, so that the file is the same however it is written."""


def write(frame: pl.DataFrame, path: str | Path, provenance: Provenance | None = None) -> None:
    """Write a frame to a `.csv`, `.json` or `.parquet` file, whole or not at all; its provenance goes beside it.

    Raises `UsageError` for another suffix, or where the file cannot be written.
    """
    path = Path(path)
    check_suffix(path)
    put(path, lambda file: FORMATS[path.suffix].write(frame, file, provenance))
    if provenance is not None:
        write_beside(path, provenance)


def check_suffix(path: Path) -> None:
    """Raises `UsageError` for a format that is not written."""
    if path.suffix not in FORMATS:
        raise UsageError(unknown("kind of output", path.suffix, FORMATS).after(f"{path.name}: "))


def write_beside(path: Path, provenance: Provenance) -> None:
    """Write the provenance of a file beside it."""
    text = replace(provenance, outputs=(of_path(path),)).text()
    put(path.with_name(f"{path.name}{BESIDE}"), lambda file: file.write(text.encode()))


def _unwritable(path: Path, error: OSError) -> UsageError:
    sentence = f"{path}: cannot be written: {error.strerror}."
    return UsageError(Problem(sentence, code=Code.OUTPUT_UNWRITABLE, file=str(path)))


def put(path: Path, content: Callable[[Any], Result]) -> Result:
    """Write a file, whole or not at all: `content` writes into an open file, which then takes the place of `path`.

    The result is that of `content`. Raises `UsageError` where the file cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            result = content(file)
        written = Path(name)
        written.chmod(0o666 & ~_umask())
        written.replace(path)
        return result
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        Path(name).unlink(missing_ok=True)


def check_folder(folder: Path, own: Collection[str]) -> None:
    """Raises `UsageError` for a folder that holds anything but files of these names, and for a file."""
    if folder.is_file():
        raise UsageError(f"{folder}: this is a file; name a folder.")
    others = sorted(path.name for path in folder.iterdir() if path.name not in own) if folder.is_dir() else []
    if others:
        shown = ", ".join(others[:3]) + (" …" if len(others) > 3 else "")
        raise UsageError(f"{folder}: there are other files in this folder ({shown}); name a new or an empty one.")


def put_folder(contents: Mapping[str, bytes], folder: Path, own: Collection[str]) -> None:
    """Write files into a folder, all or nothing; those of the names `own` that an earlier run left are removed.

    Raises `UsageError` where they cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".") as name:
            aside = Path(name)
            for file, content in contents.items():
                (aside / file).write_bytes(content)
            for file in set(own) - set(contents):
                (folder / file).unlink(missing_ok=True)
            for file in contents:
                (aside / file).replace(folder / file)
    except OSError as error:
        raise _unwritable(folder, error) from None


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


# FORMATS


def _write_csv(frame: pl.DataFrame, file: IO[bytes], _: Provenance | None) -> None:
    frame.write_csv(file)


def _write_json(frame: pl.DataFrame, file: Any, _: Provenance | None) -> None:
    frame.write_json(file)


def _write_parquet(frame: pl.DataFrame, file: IO[bytes], provenance: Provenance | None) -> None:
    metadata = None if provenance is None else {KEY: provenance.text()}
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

    def encode(self, frame: pl.DataFrame, *, first: bool) -> bytes:
        buffer = io.BytesIO()
        frame.write_csv(buffer, include_header=first)
        return buffer.getvalue()

    def add(self, encoded: bytes) -> None:
        self._file.write(encoded)

    def end(self, provenance: Provenance) -> None:
        """Nothing follows."""


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
        self._paths[-1].write_bytes(encoded)

    def end(self, provenance: Provenance) -> None:
        whole = pl.scan_ipc(self._paths, glob=False)
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
