"""Library texts: what a library writes on standard error past Python, as polars does of a file that it cannot read.

Such a text is for programmers, and our own error says what is wrong with the file. So it is kept until the command
ends, and shown only where there is no such error.
"""

import faulthandler
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TextIO

STANDARD_ERROR = 2


@dataclass
class LibraryTexts:
    """What libraries have written so far."""

    are_explained: bool = False
    """An error of ours says what was wrong."""


@contextmanager
def library_texts() -> Iterator[LibraryTexts]:
    """Within, libraries write into a temporary file, and standard error is left to this program."""
    texts, file = LibraryTexts(), _temporary_file()
    if file is None:
        yield texts
        return
    with file, _own(sys.stderr) as ours:
        theirs, sys.stderr = sys.stderr, ours
        os.dup2(file.fileno(), STANDARD_ERROR)
        # What a library writes before it ends the process cannot be shown, but what was being done can.
        faulthandler.enable(ours)
        try:
            yield texts
        finally:
            faulthandler.disable()
            sys.stderr = theirs
            os.dup2(ours.fileno(), STANDARD_ERROR)
            if not texts.are_explained:
                _copy(file)


def _temporary_file() -> IO[bytes] | None:
    """A file for what libraries write; None: standard error is not that of a process, or there is no room."""
    try:
        stream = sys.__stderr__
        is_own = stream is not None and sys.stderr is stream and stream.fileno() == STANDARD_ERROR
        return tempfile.TemporaryFile() if is_own else None
    except OSError:
        return None


def _own(stream: TextIO) -> TextIO:
    """Another stream to where a stream leads."""
    return open(os.dup(stream.fileno()), "w", buffering=1, encoding=stream.encoding, errors=stream.errors)  # noqa: PTH123 - a number


def _copy(file: IO[bytes]) -> None:
    """Show what libraries have written."""
    file.seek(0)
    with open(os.dup(STANDARD_ERROR), "wb", buffering=0) as shown:  # noqa: PTH123 - a number
        shutil.copyfileobj(file, shown)
