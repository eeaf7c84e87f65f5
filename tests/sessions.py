"""Runs the sessions shown in the documents: the commands after `$`, and what they must print."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner

from itp_response.cli import main

ROOT = Path(__file__).parent.parent
SESSION = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)
COMMAND = re.compile(r"^\$ itp-response (.*)$", re.MULTILINE)


def printed(command: str) -> str:
    """What a command prints, on both outputs, in the order of time."""
    return CliRunner().invoke(main, shlex.split(command), catch_exceptions=False, prog_name="itp-response").output


def as_run(session: str) -> str:
    """A session with what its commands print now."""
    return "".join(f"$ itp-response {command}\n{printed(command)}" for command in COMMAND.findall(session))


def sessions(document: Path) -> Iterator[str]:
    yield from SESSION.findall(document.read_text())


def rewrite(document: Path) -> None:
    """Put in what the commands print now; the difference is to be read."""
    document.write_text(SESSION.sub(lambda match: as_run(match[0]), document.read_text()))
