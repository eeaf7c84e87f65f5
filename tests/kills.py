"""Kills every command that writes at random moments, and looks at what is left.

Run it as `python tests/kills.py --kills 200`; `make long` does. Each command writes over an old output, once with each of
SIGKILL, SIGTERM and SIGINT in turn. After every kill the output must be the old one or the new one, each whole and with
its own provenance; after a signal that can be caught no temporary file may be left, and after the last kill a run that is
left alone removes them all.
"""

import argparse
import hashlib
import importlib
import os
import pkgutil
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import itp_response
from itp_response.cli import main as command_line

COMMANDS = {
    "classify": "classify {0} --output out/o.csv",
    "classify, Parquet": "classify {0} --output out/o.parquet",
    "quarantine": "classify {0} --on-error quarantine --quarantine-file out/q.csv --output out/o.csv",
    "compare": "compare {0} --criteria fit --criteria iwg_2009 --output out/o.csv --changes out/c.csv",
    "sensitivity": "sensitivity {0} --criteria fit --output out/o.csv",
    "review": "review {0} --output out/o.csv --data-queries out/d.csv --query-log out/l.xlsx",
    "table": "table {0} --output out/o.rtf",
    "predictors": "predictors {0} --column baseline --output out/o.csv",
    "plot": "plot timeline {0} --patient P001 --output out/o.png",
    "report": "report {0} --output out/o.html",
    "adam": "adam {0} --study TRIAL --output out",
    "near-misses": "near-misses {0} --output out/o.csv",
    "map": "map {0} --output out/o.toml",
    "visit-plan": "visit-plan --output out/o.csv",
    "new": "new --output out/o.toml",
    "schema": "schema --output out/o.json",
    "example": "example out",
}
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def content(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file that can be seen."""
    visible = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in visible}


def write_study(path: Path, patients: int, count: int) -> None:
    rows = "".join(f"P{one:03},{day},{count + day % 40}\n" for one in range(patients) for day in range(0, 400, 28))
    path.write_text(f"patient_id,day,platelets\n{rows}")


class Kills:
    """The kills of one command."""

    def __init__(self, words: str, folder: Path, patients: int) -> None:
        self.folder, self.out, self.tmp = folder, folder / "out", folder / "tmp"
        self.tmp.mkdir()
        self.out.mkdir()
        self.words = words
        for name, count in (("old.csv", 15), ("new.csv", 25)):
            write_study(folder / name, patients, count)
        self.old = self.whole("old.csv")
        started = time.monotonic()
        self.new = self.whole("new.csv")
        self.seconds = time.monotonic() - started
        self.seen: Counter[str] = Counter()

    def start(self, study: str) -> int:
        """Begin a run as a process of its own that has imported all already, so that kills meet the work."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        process = os.fork()
        if process:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            return process
        status = 1
        try:
            os.chdir(self.folder)
            tempfile.tempdir = str(self.tmp)
            nowhere = os.open(os.devnull, os.O_RDWR)
            for number in (0, 1, 2):
                os.dup2(nowhere, number)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            command_line([*self.words.format(study).split(), "--force", "--quiet"])
        except SystemExit as end:
            status = int(end.code or 0)
        finally:
            os._exit(status)

    def whole(self, study: str) -> dict[str, str]:
        """What a run that is left alone writes."""
        _, status = os.waitpid(self.start(study), 0)
        assert status == 0, self.words
        return content(self.out)

    def kill(self, number: signal.Signals, moment: float) -> None:
        """Kill a run that would replace what stands there by the other study's."""
        before, left = content(self.out), self.temporary()
        after = self.new if before == self.old else self.old
        running = self.start("new.csv" if after is self.new else "old.csv")
        time.sleep(moment)
        os.kill(running, number)  # it may have ended: then nobody has waited for it yet, and it is no other process
        _, status = os.waitpid(running, 0)
        found = content(self.out)
        self.seen[self.judged(found, before, after)] += 1
        if not os.WIFSIGNALED(status) and not self.temporary() <= left:
            self.seen["temporary file left"] += 1
        self.seen["killed"] += status != 0
        if found not in (self.old, self.new):
            self.whole("old.csv")

    def judged(self, found: dict[str, str], before: dict[str, str], after: dict[str, str]) -> str:
        if found in (before, after):
            return "old" if found == before else "new"
        mixed = all(digest in (before.get(name), after.get(name)) for name, digest in found.items())
        return "files of two runs, each whole" if mixed else "PARTIAL"

    def cleaned(self) -> bool:
        """Whether a run that is left alone removes all temporary files."""
        self.whole("old.csv")
        return not self.temporary()

    def temporary(self) -> set[Path]:
        """The temporary files that are there."""
        return {path for path in (*self.out.iterdir(), *self.tmp.iterdir()) if "itp-response-" in path.name}


def main() -> int:
    for module in pkgutil.walk_packages(itp_response.__path__, "itp_response."):
        if not module.name.endswith(("__main__", ".spark", ".dask")):
            importlib.import_module(module.name)
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=200, help="of each command")
    options.add_argument("--patients", type=int, default=60)
    options.add_argument("--command", action="append", help="only this; all if none is given")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    moments, failed = random.Random(chosen.seed), False
    for name in chosen.command or COMMANDS:
        folder = Path(tempfile.mkdtemp(prefix="kills-"))
        try:
            kills = Kills(COMMANDS[name], folder, chosen.patients)
            for number in range(chosen.kills):
                kills.kill(SIGNALS[number % len(SIGNALS)], moments.uniform(0, 1.05 * kills.seconds))
            cleaned = kills.cleaned()
        finally:
            shutil.rmtree(folder)
        wrong = not cleaned or kills.seen["PARTIAL"] or kills.seen["temporary file left"]
        failed |= bool(wrong)
        seen = ", ".join(f"{what} {times}" for what, times in sorted(kills.seen.items()))
        print(f"{name}: {seen}; {'clean' if cleaned else 'NOT CLEAN'} afterwards", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
