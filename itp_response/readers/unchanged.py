"""Unchanged: whether the files of a study are as they were when reading began, so that outputs name what was read."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Any

from itp_response.messages.codes import Code
from itp_response.messages.errors import CohortError, Problem
from itp_response.readers.column_names import part_files
from itp_response.readers.sdtm.folder import files_of, is_study

Signature = tuple[int, ...]


def paths_of(table: Any) -> list[Path]:
    """The files behind a table that was given to be read; none, if it is in memory."""
    if hasattr(table, "files"):  # a mapped study
        return [path for given in table.files for path in paths_of(given)]
    if not isinstance(table, str | Path):
        return []
    path = Path(table)
    if not path.is_dir():
        return [path]
    return files_of(path) if is_study(path) else part_files(path)


def check_reachable(tables: Iterable[Any]) -> None:
    """Raises `CohortError` for a file or a folder that this user may not enter; one that is not there is no matter."""
    for table in tables:
        path = Path(table) if isinstance(table, str | Path) else getattr(table, "path", None)
        if not isinstance(path, Path):
            continue
        try:
            for one in (path, *(path.iterdir() if path.is_dir() else ())):
                one.exists()
        except OSError as error:
            sentence = f"{path.name}: this cannot be read: {error.strerror or error}."
            raise CohortError(Problem(sentence, code=Code.FILE_UNREADABLE, file=path.name)) from None


@dataclass(frozen=True)
class InputFiles:
    """The files of a study as they were at one time."""

    signatures: tuple[tuple[Path, Signature | None], ...]

    @classmethod
    def of(cls, tables: Iterable[Any]) -> "InputFiles":
        """The files behind tables that were given to be read, as they are now.

        Raises `CohortError` as `check_reachable`.
        """
        tables = tuple(tables)
        check_reachable(tables)
        return cls(tuple((path, _signature(path)) for table in tables for path in paths_of(table)))

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Raises `CohortError` if a file was changed in the block, also where something else was wrong then."""
        try:
            yield
        except CohortError:
            self.check()
            raise
        self.check()

    def check(self) -> None:
        """Raises `CohortError` for a file that is no longer as it was."""
        for path, signature in self.signatures:
            if _signature(path) != signature:
                what = "this was changed while it was read; run it again once nothing writes to it"
                raise CohortError(Problem(f"{path.name}: {what}.", code=Code.FILE_UNREADABLE, file=path.name))


def _signature(path: Path) -> Signature | None:
    """What is other once a file was changed or replaced; None: there is no such file, or it is a pipe."""
    try:
        status = path.stat()
    except OSError:
        return None
    if not S_ISREG(status.st_mode):
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
