"""Complete: whether a file has all that it announces, so that a broken one is refused and no row is lost in silence.

A library may take a broken file for one that ends earlier. So the rows that were read are compared with those that the
file announces, in a footer, by its size or in its head. Arrow files are looked through first, as a length that cannot
be makes polars end the whole process.
"""

import importlib.util
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import polars as pl

from itp_response.messages.codes import Code
from itp_response.messages.errors import CohortError, ItpResponseError, Problem

ARROW_FILE = b"ARROW1"
"""The first bytes of an Arrow file; a stream that was saved has none."""
ELSEWHERE = """
import sys
import {library}

data = sys.stdin.buffer.read()
try:
    import resource

    taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    most = taken + {memory} + 8 * len(data)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
except (ImportError, OSError):
    pass  # not every system has such a limit
"""
"""How a program begins that reads `data` by a library: a few bytes may announce more than any memory holds."""
MEMORY = 2 << 30
"""Bytes that such a program may take, beside eight times those of the file."""
READ_ARROW = 'polars.scan_ipc(data).collect() if data.startswith(b"ARROW1") else polars.read_ipc_stream(data)'
"""Reads an Arrow file by polars."""
IN_MEMORY = 1 << 28
"""The bytes of an Arrow file that is read from memory."""
RECORD = 80
"""The bytes of a record of a SAS transport file."""
DATA_SET, OBSERVATIONS = b"HEADER RECORD*******MEMB", b"HEADER RECORD*******OBS"


WORKBOOK = "workbook"


def incomplete(name: str, kind: str) -> CohortError:
    """The error of a file that is not complete; `kind` names its format."""
    what = f"{kind}; save it again as .xlsx" if kind == WORKBOOK else f"{kind} file; export or copy it again"
    sentence = f"{name}: this is not a complete {what}."
    return CohortError(Problem(sentence, code=Code.FILE_UNREADABLE, file=name))


def unbroken(name: str, kind: str, read: Callable[[], Any]) -> Any:
    """The result of `read`; raises `CohortError` if the file is broken. `kind` names its format."""
    try:
        return read()
    except ItpResponseError:
        raise
    # Of a broken file, the libraries raise whatever comes; polars also panics, which is no `Exception`.
    except (Exception, pl.exceptions.PanicException):
        raise incomplete(name, kind) from None


def check_rows(name: str, kind: str, rows: int, announced: int | None) -> None:
    """Raises `CohortError` if not as many rows could be read as the file announces; None: it announces none."""
    if announced is not None and rows != announced:
        raise incomplete(name, kind)


def check_elsewhere(library: str, program: str, data: bytes, name: str, kind: str) -> None:
    """Raises `CohortError` if a program cannot read these bytes as `data` by a library, in a process of its own.

    A library that is not written in Python may end the process in which it meets a length that cannot be, or take
    memory until the system does.
    """
    program = ELSEWHERE.format(library=library, memory=MEMORY) + program
    if subprocess.run([sys.executable, "-c", program], input=data, capture_output=True, check=False).returncode:
        raise incomplete(name, kind)


# ARROW


def arrow_source(path: Path) -> Path | bytes:
    """What polars reads an Arrow file from: its bytes, or the file itself if it is large.

    polars maps a file into memory, and the process ends if another program cuts it off meanwhile.
    """
    return path.read_bytes() if path.stat().st_size <= IN_MEMORY else path


def is_arrow_file(source: Path | bytes) -> bool:
    """Whether it is an Arrow file; else it may be a stream of Arrow that was saved."""
    with _opened(source) as file:
        return file.read(len(ARROW_FILE)) == ARROW_FILE


def check_arrow(source: Path | bytes, name: str) -> None:
    """Raises `CohortError` for an Arrow file that polars cannot be trusted with."""
    if importlib.util.find_spec("pyarrow") is not None:
        unbroken(name, "Arrow", lambda: _look_through(source))
        return
    with _opened(source) as file:
        check_elsewhere("polars", READ_ARROW, file.read(), name, "Arrow")


def _look_through(source: Path | bytes) -> None:
    """Raises an error of pyarrow for a broken file."""
    from pyarrow import ipc

    with _opened(source) as file:
        if is_arrow_file(source):
            reader = ipc.open_file(file)
            batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
        else:
            batches = iter(ipc.open_stream(file))
        for batch in batches:
            batch.validate(full=True)


def _opened(source: Path | bytes) -> IO[bytes]:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


# SAS TRANSPORT


def rows_of_xpt(path: Path, length: int) -> int:
    """The rows of a SAS transport file of which each has `length` bytes, by its size.

    Raises `CohortError` if it was cut, or holds several data sets, as the library reads the second as rows.
    """
    data = path.read_bytes()
    heads = [at for at in _all_at(data, DATA_SET) if at % RECORD == 0]
    if len(heads) > 1:
        what = f"this holds {len(heads)} data sets; export each into a file of its own"
        raise CohortError(f"{path.name}: {what}.")
    head = next((at for at in _all_at(data, OBSERVATIONS) if at % RECORD == 0), None)
    if head is None or len(data) % RECORD or not length:
        raise incomplete(path.name, "SAS transport")
    begin = head + RECORD
    # The last record is filled up with blanks.
    rows = -(-(max(len(data.rstrip(b" ")), begin) - begin) // length)
    told = data[head + 48 : begin].split()[0] if data[head:].startswith(OBSERVATIONS + b"V8") else b""
    if begin + rows * length > len(data) or (told.isdigit() and int(told) < 10**15 and int(told) != rows):
        raise incomplete(path.name, "SAS transport")
    return rows


def _all_at(data: bytes, part: bytes) -> list[int]:
    """The bytes at which the part begins."""
    found, at = [], data.find(part)
    while at >= 0:
        found.append(at)
        at = data.find(part, at + 1)
    return found
