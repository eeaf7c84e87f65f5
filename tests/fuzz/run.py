"""Reads mutants of valid inputs by every reader, and says which end in anything but a result or one clear error.

    python tests/fuzz/run.py --inputs 100000 --of visits.csv odm --seed 2

Every input is read in a process with a limit of memory, which is given up after a while. An input is known by its
target and number, so that one is made again by `--only visits.csv:17`. Exit status 0: nothing was found.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from mutants import mutant
from targets import TARGETS

MEMORY = 2 << 30
"""Bytes that an input may take beside what the libraries hold."""
SECONDS = 10.0
"""Of an input, by the processor's time."""
ASLEEP = 2_000
"""A process that has less than this part of the time waits for what does not come."""
LINES, LONGEST = 30, 1000
"""The most lines of a message, and characters of one of them, that somebody can still read."""


@dataclass
class Found:
    """What came of the inputs of a target."""

    inputs: int = 0
    results: int = 0
    refused: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)
    """Each kind of fault with the inputs that had it."""
    slowest: float = 0.0
    seconds: float = 0.0
    """Of all inputs."""


def input_of(name: str, number: int, seed: int, seeds: list[bytes]) -> bytes:
    """The mutant of this number; the first ones are the valid inputs themselves."""
    if number < len(seeds):
        return seeds[number]
    chance = random.Random(f"{name}:{number}:{seed}")
    return mutant(chance.choice(seeds), chance)


def verdict(name: str, content: bytes, folder: Path) -> tuple[str, str]:
    """`result`, `refused` or `fault`, and of a fault its kind."""
    for old in folder.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    try:
        outcome = TARGETS[name].attempt(folder, content)
    except BaseException as error:
        return "fault", _kind(error)
    if outcome == "result":
        return "result", ""
    lines = outcome.splitlines()
    if len(lines) > LINES or max(map(len, lines)) > LONGEST:
        return "fault", f"a message of {len(lines)} lines and {len(outcome) // 1000 * 1000:,} characters"
    return "refused", outcome


def _kind(error: BaseException) -> str:
    """An error by its class and where it arose in the package."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "itp_response" in frame.filename]
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
    return f"{type(error).__name__} at {place}: {str(error)[:160]}"


# PROCESSES


def _work(pipe: Connection, seed: int) -> None:
    """Reads inputs as they are asked for, until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["POLARS_MAX_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        seeds: dict[str, list[bytes]] = {}
        limited = False
        while (asked := pipe.recv()) is not None:
            name, number = asked
            if name not in seeds:
                (Path(folder) / "seeds").mkdir(exist_ok=True)
                seeds[name] = TARGETS[name].seeds(Path(folder) / "seeds")
            content = input_of(name, number, seed, seeds[name])
            work = Path(folder) / "work"
            work.mkdir(exist_ok=True)
            if number >= len(seeds[name]) and not limited:
                _limit_memory()
                limited = True
            began = time.process_time()
            outcome = verdict(name, content, work)
            pipe.send((*outcome, time.process_time() - began))


def _limit_memory() -> None:
    """Once everything has been imported: what is mapped then is not what an input takes."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


@dataclass
class Worker:
    """A process that reads, and what it was asked."""

    seed: int
    asked: tuple[str, int] | None = None
    since: float = 0.0
    worked: float = 0.0
    """Seconds of the processor before it was asked."""

    def __post_init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, self.seed), daemon=True)
        self.process.start()
        theirs.close()

    def ask(self, name: str, number: int) -> None:
        self.asked, self.since, self.worked = (name, number), time.monotonic(), self.seconds()
        self.pipe.send((name, number))

    def seconds(self) -> float:
        """The seconds of the processor that it has had."""
        try:
            cells = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(cells[11]) + int(cells[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def run(
    asked: Iterator[tuple[str, int]], *, seed: int, workers: int, patience: float
) -> Iterator[tuple[str, int, str, str, float]]:
    """Each input with what came of it: target, number, `result`, `refused` or `fault`, the kind, and seconds.

    A process that dies, or gives no answer within `patience` seconds, is a fault, and another takes its place.
    """
    busy, done = [Worker(seed) for _ in range(workers)], False
    try:
        while busy:
            for worker in list(busy):
                if worker.asked is None:
                    following = None if done else next(asked, None)
                    if following is None:
                        done = True
                        worker.end()
                        busy.remove(worker)
                    else:
                        worker.ask(*following)
            ready = wait([worker.pipe for worker in busy], timeout=1.0) if busy else []
            for place, worker in enumerate(busy):
                answer = _answer(worker, worker.pipe in ready, patience)
                if answer is None or worker.asked is None:
                    continue
                yield (*worker.asked, *answer)
                worker.asked = None
                if answer[1] in ("the process died", "no answer"):
                    worker.end()
                    busy[place] = Worker(seed)
    finally:
        for worker in busy:
            worker.end()


def _answer(worker: Worker, ready: bool, patience: float) -> tuple[str, str, float] | None:
    """None: not yet. A process that works is given its time, however little of it a busy machine gives."""
    if ready:
        with contextlib.suppress(EOFError, ConnectionResetError):
            kind, text, seconds = worker.pipe.recv()
            if kind != "fault" and seconds > SECONDS:
                return "fault", f"longer than {SECONDS:g} s", seconds
            return kind, text, seconds
        return "fault", "the process died", 0.0
    waited, worked = time.monotonic() - worker.since, worker.seconds() - worker.worked
    if worked > patience or (waited > patience and worked < waited / ASLEEP):
        return "fault", "no answer", worked
    return None


def totals(answers: Iterator[tuple[str, int, str, str, float]]) -> dict[str, Found]:
    """The answers of each target together."""
    found: dict[str, Found] = {}
    for name, number, kind, text, seconds in answers:
        of = found.setdefault(name, Found())
        of.inputs += 1
        of.results += kind == "result"
        of.refused += kind == "refused"
        of.slowest, of.seconds = max(of.slowest, seconds), of.seconds + seconds
        if kind == "fault":
            of.faults.setdefault(text, []).append(f"{name}:{number}")
            print(f"{name}:{number}: {text}", file=sys.stderr, flush=True)
    return found


def in_turn(names: list[str], inputs: int, minutes: float = math.inf) -> Iterator[tuple[str, int]]:
    """The inputs of all targets, by turns, until the time is over."""
    end = time.monotonic() + 60 * minutes
    for number in range(-(-inputs // len(names))):
        for name in names:
            if time.monotonic() < end:
                yield name, number


def shown(found: dict[str, Found]) -> str:
    lines = [f"{'':14} {'inputs':>8} {'results':>8} {'refused':>8} {'faults':>7} {'slowest':>8} {'mean':>8}"]
    for name, of in found.items():
        faults = sum(map(len, of.faults.values()))
        times = f"{of.slowest:7.1f}s {of.seconds / of.inputs:7.3f}s"
        lines.append(f"{name:14} {of.inputs:8,} {of.results:8,} {of.refused:8,} {faults:7,} {times}")
    lines.append(f"{'together':14} {sum(of.inputs for of in found.values()):8,}")
    kinds = [(kind, inputs) for of in found.values() for kind, inputs in of.faults.items()]
    lines += [f"{len(inputs):5} x {kind}   such as {', '.join(inputs[:2])}" for kind, inputs in kinds]
    return "\n".join(lines)


def _arguments() -> Any:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--of", nargs="*", default=list(TARGETS), choices=list(TARGETS), metavar="TARGET")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--minutes", type=float, default=math.inf, help="after which no further input is read")
    parser.add_argument(
        "--patience", type=float, default=120.0, help="seconds of the processor after which an input is given up"
    )
    parser.add_argument("--only", metavar="TARGET:NUMBER", help="make one input again, and raise what it raises")
    parser.add_argument("--keep", type=Path, help="with --only: the file to write the input to")
    return parser.parse_args()


def main() -> int:
    given = _arguments()
    if given.only:
        name, _, number = given.only.rpartition(":")
        with tempfile.TemporaryDirectory() as folder:
            seeds = TARGETS[name].seeds(Path(folder))
            content = input_of(name, int(number), given.seed, seeds)
            if given.keep:
                given.keep.write_bytes(content)
            print(TARGETS[name].attempt(Path(folder), content))
        return 0
    asked = in_turn(given.of, given.inputs, given.minutes)
    found = totals(run(asked, seed=given.seed, workers=given.workers, patience=given.patience))
    print(shown(found))
    return int(any(of.faults for of in found.values()))


if __name__ == "__main__":
    sys.exit(main())
