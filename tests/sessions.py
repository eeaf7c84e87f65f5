"""Runs the sessions shown in the documents: the commands after `$`, and what they must print."""

import os
import re
import shlex
from pathlib import Path

from click.testing import CliRunner

from itp_response.cli import main

SESSION = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)
COMMAND = re.compile(r"^\$ itp-response (.*)$", re.MULTILINE)
ERROR = re.compile(r"^error: ", re.MULTILINE)


def printed(command: str) -> str:
    """What a command prints, on both outputs, in the order of time, as on a terminal of 80 columns."""
    runner = CliRunner(env={"COLUMNS": "80"})
    return runner.invoke(main, shlex.split(command), catch_exceptions=False, prog_name="itp-response").output


def sessions(document: Path) -> list[str]:
    """The sessions that a document shows."""
    return SESSION.findall(document.read_text())


def as_run(session: str) -> str:
    """A session with what its commands print now."""
    return "".join(f"$ itp-response {command}\n{printed(command)}" for command in COMMAND.findall(session))


def expected(document: Path, session: str, now: str) -> str:
    """What a session must print: what the document shows. `make regolden` puts in there what it prints now."""
    if not os.environ.get("REGOLDEN"):
        return session
    if ERROR.search(now) and not ERROR.search(session):
        raise AssertionError(f"{document.name}: a session that succeeded fails now:\n{now}")
    document.write_text(document.read_text().replace(session, now))
    return now
