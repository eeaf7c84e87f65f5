"""The terminal: all that commands print goes through here.

Results go to standard output, everything else to standard error. On a terminal both are as wide as it, and a result
that is longer than the screen is paged. Elsewhere results are 80 wide, so that a file is the same on every machine, and
a message is one line, so that a log can be searched. `COLUMNS` in the environment sets the width everywhere.
"""

import os
import re
import shutil
import sys
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

import click

from itp_response.cli.progress import current_bar
from itp_response.messages.wording import WIDTH, fitted, fitted_to

if TYPE_CHECKING:
    import polars as pl

QUIET = "itp_response.quiet"
"""The key in a context of click under which `--quiet` stands."""
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def show(make: Callable[[], str]) -> None:
    """Print a result, which is made as wide as there is room."""
    wide = width(sys.stdout) or WIDTH
    with fitted_to(wide):
        text = fitted(visible(make()))
    _print(text)


def show_csv(text: str) -> None:
    """Print lines of data: as they are, but on a terminal without control characters."""
    current_bar().stop()
    click.echo(visible(text) if sys.stdout.isatty() else text, nl=False)


def show_json(content: Any) -> None:
    """Print a result for machines."""
    import json

    current_bar().stop()
    click.echo(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, default=str))


def show_rows(frame: "pl.DataFrame") -> None:
    """Print a table for machines, as an output `.json` has it: a list with an object per row."""
    current_bar().stop()
    click.echo(frame.write_json())


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
    click.echo(visible(text), err=True)


def width(stream: IO[str]) -> int | None:
    """The width of what a stream leads to; None: it is not known."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal():
        return int(told)
    return shutil.get_terminal_size().columns if stream.isatty() else None


def visible(text: str) -> str:
    r"""The text with control characters written out: an id in the data cannot move the cursor or change colours.

    >>> visible("P\x1b[31m1")
    'P\\x1b[31m1'
    """
    return CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _print(text: str) -> None:
    current_bar().stop()
    is_long = text.count("\n") >= shutil.get_terminal_size().lines
    if is_long and sys.stdout.isatty() and sys.stdin.isatty():
        click.echo_via_pager(f"{text}\n")
    else:
        click.echo(text)
