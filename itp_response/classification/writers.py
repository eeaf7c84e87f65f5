"""Output: the verdicts of the parts of a cohort written one after another, to the same file as those of the whole."""

import io
from pathlib import Path
from typing import IO, Protocol

import polars as pl

from itp_response.classification.classification import ROWS_PER_GROUP
from itp_response.classification.provenance import KEY, Provenance


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
