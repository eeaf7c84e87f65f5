"""Runs the sessions shown in the documents: the commands after `$`, and what they must print."""

import os
import re
import shlex
import tempfile
import tomllib
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from click.testing import CliRunner

from itp_response.classification.provenance import PROGRAM
from itp_response.cli import main
from itp_response.outputs.statistics import software

ROOT = Path(__file__).parent.parent

SESSION = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)
COMMAND = re.compile(r"^\$ itp-response (.*)$", re.MULTILINE)
ERROR = re.compile(r"^error: ", re.MULTILINE)


def printed(command: str) -> str:
    """What a command prints, on both outputs, in the order of time, as on a terminal of 80 columns."""
    runner = CliRunner(env={"COLUMNS": "80"})
    # What a killed run has left in the machine's folder for temporary files is told, and no part of the output.
    with pinned_versions(), TemporaryDirectory() as own, patch.object(tempfile, "tempdir", own):
        return runner.invoke(main, shlex.split(command), catch_exceptions=False, prog_name="itp-response").output


def pinned_versions() -> AbstractContextManager[object]:
    """A text that names the software has the pinned versions, so that it is the same whatever is installed."""
    return patch.object(software, "version_of", lambda library: pinned()[library] if library else "")


@cache
def pinned() -> dict[str, str]:
    """The versions of `constraints.txt`, and of this program, which the documents show."""
    pairs = re.findall(r"^([\w.-]+)==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {**dict(pairs), PROGRAM: project["version"]}


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
