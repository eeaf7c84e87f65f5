"""Output: the verdicts of the parts of a cohort written one after another, to the same file as those of the whole."""

import io
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Protocol

import polars as pl

from itp_response.classification.provenance import BESIDE, KEY, Provenance, of_path
from itp_response.messages.errors import UsageError, unknown


class Output(Protocol):
    """A file that is being written; `encode` does not touch it, so that several threads may at once."""

    def encode(self, frame: pl.DataFrame, *, first: bool) -> bytes: ...

    def add(self, encoded: bytes) -> None: ...

    def end(self, origin: Provenance) -> None: ...


class Csv:
    """Text, its cells separated by commas."""

    def __init__(self, file: IO[bytes], _: Path) -> None:
        self._file = file

    def encode(self, frame: pl.DataFrame, *, first: bool) -> bytes:
        made = io.BytesIO()
        frame.write_csv(made, include_header=first)
        return made.getvalue()

    def add(self, encoded: bytes) -> None:
        self._file.write(encoded)

    def end(self, origin: Provenance) -> None:
        """Nothing follows."""


class Json:
    """A list of objects."""

    def __init__(self, file: IO[bytes], _: Path) -> None:
        self._file = file
        self._file.write(b"[")

    def encode(self, frame: pl.DataFrame, *, first: bool) -> bytes:
        made = io.BytesIO()
        frame.write_json(made)
        objects = made.getvalue()[1:-1]
        return objects if first or not objects else b"," + objects

    def add(self, encoded: bytes) -> None:
        self._file.write(encoded)

    def end(self, origin: Provenance) -> None:  # noqa: ARG002 - as the others
        self._file.write(b"]")


class Parquet:
    """Parquet, which is gathered in a folder, as its row groups are not those of the parts."""

    def __init__(self, file: IO[bytes], folder: Path) -> None:
        self._file = file
        self._folder = folder
        self._paths: list[Path] = []

    def encode(self, frame: pl.DataFrame, *, first: bool) -> bytes:  # noqa: ARG002 - as the others
        made = io.BytesIO()
        frame.write_ipc(made, compression="uncompressed")
        return made.getvalue()

    def add(self, encoded: bytes) -> None:
        self._paths.append(self._folder / f"{len(self._paths):06}.arrow")
        self._paths[-1].write_bytes(encoded)

    def end(self, origin: Provenance) -> None:
        whole = pl.scan_ipc(self._paths)
        whole.sink_parquet(self._file, metadata={KEY: origin.text()}, row_group_size=ROWS_PER_GROUP)


OUTPUTS: dict[str, type[Csv] | type[Json] | type[Parquet]] = {".csv": Csv, ".json": Json, ".parquet": Parquet}
"""By the suffix of the file, as `classify.WRITERS`."""


def write(frame: pl.DataFrame, path: str | Path, origin: Provenance | None = None) -> None:
    """Write a frame to a `.csv`, `.json` or `.parquet` file, whole or not at all; `origin` goes into a file beside it.

    Raises `UsageError` for another suffix or a place that cannot be written.
    """
    path = Path(path)
    check_output(path)
    put(path, lambda file: WRITERS[path.suffix](frame, file, origin))
    if origin is not None:
        write_beside(path, origin)


def check_output(path: Path) -> None:
    """Raises `UsageError` for a kind of file that is not written."""
    if path.suffix not in WRITERS:
        raise UsageError(f"{path.name}: {unknown('kind of output', path.suffix, WRITERS)}")


def write_beside(path: Path, origin: Provenance) -> None:
    """Write what made a file beside it."""
    text = replace(origin, outputs=(of_path(path),)).text()
    put(path.with_name(f"{path.name}{BESIDE}"), lambda file: file.write(text.encode()))


def put(path: Path, content: Callable[[Any], Any]) -> None:
    """Write a file, whole or not at all.

    Raises `UsageError` if it cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}.") from None
    try:
        with os.fdopen(handle, "wb") as file:
            content(file)
        written = Path(name)
        written.chmod(0o666 & ~_umask())
        written.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}.") from None
    finally:
        Path(name).unlink(missing_ok=True)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


ROWS_PER_GROUP = 100_000
"""Of a Parquet file; told, so that it is the same file however it is written."""


WRITERS: dict[str, Any] = {
    ".csv": lambda frame, file, _: frame.write_csv(file),
    ".json": lambda frame, file, _: frame.write_json(file),
    ".parquet": lambda frame, file, origin: frame.write_parquet(
        file, metadata=origin and {KEY: origin.text()}, row_group_size=ROWS_PER_GROUP
    ),
}
