"""The terminal: all that commands print goes through here.

Results go to standard output, everything else to standard error. On a terminal both are as wide as it, and a result
that is longer than the screen is paged. Elsewhere results are 80 wide, so that a file is the same on every machine, and
a message is one line, so that a log can be searched. `COLUMNS` in the environment sets the width everywhere.
"""

import errno
import os
import shutil
import sys
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

import click

from itp_response.cli.progress import current_bar
from itp_response.messages.codes import Code
from itp_response.messages.errors import Problem, UsageError
from itp_response.messages.wording import CONTROL, WIDTH, fitted, fitted_to, visible

if TYPE_CHECKING:
    import polars as pl

QUIET = "itp_response.quiet"
"""The key in a context of click under which `--quiet` stands."""
READER_GONE = "itp_response.reader_gone"
"""The key in a context of click that says that nobody reads standard output any more, as after `| head`."""


def show(make: Callable[[], str]) -> None:
    """Print a result, which is made as wide as there is room."""
    wide = width(sys.stdout) or WIDTH
    with fitted_to(wide):
        text = fitted(visible(make()))
    _print(text)


def show_csv(text: str) -> None:
    """Print lines of data: as they are, but on a terminal without control characters."""
    current_bar().stop()
    _echo(visible(text) if is_terminal(sys.stdout) else text, nl=False)


def show_json(content: Any) -> None:
    """Print a result for machines."""
    import json

    current_bar().stop()
    _echo_json(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, default=str))


def show_rows(frame: "pl.DataFrame") -> None:
    """Print a table for machines, as an output `.json` has it: a list with an object per row."""
    current_bar().stop()
    _echo_json(frame.write_json())


def say(text: str) -> None:
    """Print a message on standard error, unless `--quiet` was given."""
    context = click.get_current_context(silent=True)
    if text and not (context and context.meta.get(QUIET)):
        complain(text)


def complain(text: str) -> None:
    """Print an error on standard error."""
    current_bar().clear()
    wide = width(sys.stderr)
    if wide is not None:
        with fitted_to(wide):
            text = fitted(text)
    _echo(visible(text), err=True)


def is_terminal(stream: IO[str] | None) -> bool:
    """Whether a stream leads to a terminal; one that is closed does not."""
    return stream is not None and stream.isatty()


def width(stream: IO[str] | None) -> int | None:
    """The width of what a stream leads to; None: it is not known."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal():
        return int(told)
    return shutil.get_terminal_size().columns if is_terminal(stream) else None


def _echo_json(text: str) -> None:
    """Print JSON; on a terminal, what would control it is written as JSON escapes it, which is the same content."""
    if is_terminal(sys.stdout):
        text = CONTROL.sub(lambda found: json_escape(found[0]), text)
    _echo(text)


def json_escape(character: str) -> str:
    r"""A character as JSON escapes it.

    >>> json_escape("\x9b")
    '\\u009b'
    """
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _echo(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print; nothing more if nobody reads it any more.

    Raises `UsageError` if standard output cannot be written to, as on a full disk.
    """
    try:
        click.echo(text, err=err, nl=nl)
    except OSError as error:
        # What is left in the buffer must not fail again at the end of the program.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, (sys.stderr if err else sys.stdout).fileno())
        os.close(nowhere)
        if err:
            return
        if error.errno != errno.EPIPE:
            sentence = f"standard output: cannot be written: {error.strerror}."
            raise UsageError(Problem(sentence, code=Code.OUTPUT_UNWRITABLE)) from None
        context = click.get_current_context(silent=True)
        if context is not None:
            context.meta[READER_GONE] = True


def _print(text: str) -> None:
    current_bar().stop()
    is_long = text.count("\n") >= shutil.get_terminal_size().lines
    if is_long and is_terminal(sys.stdout) and is_terminal(sys.stdin):
        click.echo_via_pager(f"{text}\n")
    else:
        _echo(text)
