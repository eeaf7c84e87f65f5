"""How time and memory grow with inputs of an unusual shape: each at a hundredth, a tenth and the whole of its size.

    python benchmarks/load.py [--only NAME] [--seconds 900]

The inputs are invented. Each command runs as a process of its own, one after the other; its processor time and the
most memory that it held are printed, and how many times as long as for a tenth of the input it took. A command that
grows in a straight line takes at most ten times as long. Where a limit is told, its error stands instead of figures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

HERE = Path(__file__).resolve().parent
COMMAND = ("-c", "from itp_response.cli import main; main()")
SHARES = (100, 10, 1)
TOLD = 150
"""The letters of an error in the table, at most."""
TIMED_OUT = 124
"""The exit status of `timeout` where the command took longer."""
VISITS = ("visits.csv",)
STUDY = ("visits.csv", "--patients", "patients.csv")
ENDPOINTS = (*STUDY, "--criteria", "endpoints.toml")


class Load(NamedTuple):
    """An input of an unusual shape, and the commands that meet it."""

    what: str
    size: int
    write: Callable[[int, Path], None]
    commands: dict[str, tuple[str, ...]]


def put(folder: Path, visits: dict[str, object], patients: dict[str, object] | None = None) -> None:
    """Write the study."""
    pl.DataFrame(visits).write_csv(folder / "visits.csv")
    if patients is not None:
        pl.DataFrame(patients).write_csv(folder / "patients.csv")


def counts(size: int) -> np.ndarray:
    """Counts of a patient who responds now and then."""
    return np.random.default_rng(1).integers(5, 150, size)


def ids(size: int) -> pl.Series:
    """Ids of patients, in order."""
    return "P" + pl.Series(np.arange(size)).cast(pl.String).str.zfill(9)


def one_patient(size: int, folder: Path) -> None:
    """All rows of one patient, on 5,000 days at most."""
    day = np.arange(size) * min(size, 5_000) // size
    put(folder, {"patient_id": "P1", "day": day, "platelets": counts(size), "bleeding_grade": 0})


def own_days(size: int, folder: Path) -> None:
    """One patient with a row on each of as many days."""
    day = np.delete(np.arange(size + 1), min(size, 9_999))  # which stands for an unknown day
    put(folder, {"patient_id": "P1", "day": day, "platelets": counts(size), "bleeding_grade": 0})


def one_row_each(size: int, folder: Path) -> None:
    """As many patients of one row."""
    put(folder, {"patient_id": ids(size), "day": 28, "platelets": counts(size), "bleeding_grade": 0})


def one_day(size: int, folder: Path) -> None:
    """All rows on one day of one patient."""
    put(folder, {"patient_id": "P1", "day": 28, "platelets": counts(size), "bleeding_grade": 0})


def many_columns(size: int, folder: Path) -> None:
    """Further columns, of 1,000 patients with two rows."""
    further = {f"further_{number}": counts(2_000) for number in range(size)}
    patient = ids(1_000).gather(np.arange(2_000) // 2)
    day = np.tile([0, 28], 1_000)
    put(folder, {"patient_id": patient, "day": day, "platelets": counts(2_000), "bleeding_grade": 0, **further})


def long_ids(size: int, folder: Path) -> None:
    """3,000 patients with ids of this length, with two rows each."""
    names = ids(3_000).str.pad_end(size, "x")
    patient, day = names.gather(np.arange(6_000) // 2), np.tile([0, 28], 3_000)
    put(folder, {"patient_id": patient, "day": day, "platelets": counts(6_000), "bleeding_grade": 0})


def many_arms(size: int, folder: Path) -> None:
    """As many arms, of one patient with two rows each."""
    patient, day = ids(size).gather(np.arange(2 * size) // 2), np.tile([0, 28], size)
    visits = {"patient_id": patient, "day": day, "platelets": counts(2 * size), "bleeding_grade": 0}
    put(folder, visits, {"patient_id": ids(size), "arm": "arm " + ids(size)})


def many_endpoints(size: int, folder: Path) -> None:
    """A criteria file with as many endpoints, and 20 patients with 13 rows."""
    example = (HERE.parent / "examples" / "own_definition.toml").read_text(encoding="utf-8")
    head = example[: example.index("[response]")]
    endpoints = [
        f'[E{number}]\nlabel = "Endpoint {number}"\nsays = "A count of {20 + number % 100} or more."\n'
        f'kind = "achieved"\nwhen = "platelets >= {20 + number % 100}"\ndays = [1, 168]\n'
        for number in range(size)
    ]
    worked = '[[example]]\nname = "E"\nbecause = "a low count"\ntimeline = "d0 15, d168 15"\nexpect = { E0 = "N" }\n'
    (folder / "endpoints.toml").write_text(head + "\n".join([*endpoints, worked]), encoding="utf-8")
    patient, day = ids(20).gather(np.arange(260) // 13), np.tile(np.arange(13) * 14, 20)
    visits = {"patient_id": patient, "day": day, "platelets": counts(260), "bleeding_grade": 0}
    put(folder, visits, {"patient_id": ids(20), "arm": ["A", "B"] * 10})


def classify(*arguments: str) -> tuple[str, ...]:
    return ("classify", *arguments, "--output", "results.csv", "--force")


def report(*arguments: str) -> tuple[str, ...]:
    return ("report", *arguments, "--output", "report.html", "--force")


def explain(*arguments: str, patient: str = "P1") -> tuple[str, ...]:
    return ("explain", *arguments, "--patient", patient)


FIRST = "P000000000"
LOADS = {
    "rows": Load(
        "rows of one patient, on 5,000 days at most",
        10_000_000,
        one_patient,
        {"classify": classify(*VISITS), "explain": explain(*VISITS)},
    ),
    "days": Load(
        "days of one patient",
        30_000,
        own_days,
        {"classify": classify(*VISITS), "explain": explain(*VISITS), "report": report(*VISITS)},
    ),
    "patients": Load(
        "patients with one row",
        1_000_000,
        one_row_each,
        {
            "classify": classify(*VISITS),
            "classify, on standard output": ("classify", *VISITS),
            "explain": explain(*VISITS, patient=FIRST),
        },
    ),
    "open": Load(
        "patients with one row, who cannot be evaluated",
        10_000,
        one_row_each,
        {"review": ("review", *VISITS), "near-misses": ("near-misses", *VISITS), "report": report(*VISITS)},
    ),
    "day": Load(
        "rows on one day of one patient",
        1_000_000,
        one_day,
        {"classify": classify(*VISITS), "explain": explain(*VISITS), "review": ("review", *VISITS)},
    ),
    "columns": Load(
        "columns",
        5_000,
        many_columns,
        {"classify": classify(*VISITS), "explain": explain(*VISITS, patient=FIRST), "review": ("review", *VISITS)},
    ),
    "ids": Load(
        "bytes in each of 3,000 ids",
        10_000,
        long_ids,
        {"classify": classify(*VISITS), "review": ("review", *VISITS), "report": report(*VISITS)},
    ),
    "arms": Load(
        "arms of one patient",
        100_000,
        many_arms,
        {"classify": classify(*STUDY), "table": ("table", *STUDY), "report": report(*STUDY)},
    ),
    "endpoints": Load(
        "endpoints of a criteria file",
        1_000,
        many_endpoints,
        {
            "classify": classify(*ENDPOINTS),
            "explain": explain(*ENDPOINTS, patient=FIRST),
            "criteria": ("criteria", "endpoints.toml"),
            "check": ("check", "endpoints.toml"),
            "table": ("table", *ENDPOINTS),
            "report": report(*ENDPOINTS),
        },
    ),
}
DEFINITIONS_PAGE = (
    "-c",
    "from itp_response.authoring import definitions_page as page; page.shipped = lambda: ['endpoints.toml']; "
    "page.definitions_page()",
)
"""The page is of the shipped sets: here of the one file."""


def measured(arguments: tuple[str, ...], folder: Path, seconds: float) -> tuple[float, float, str]:
    """The processor time and the megabytes of one command, and the first line of its error if it ended in one."""
    command = [sys.executable, str(HERE / "measured.py"), "timeout", str(seconds), sys.executable, *arguments]
    with (folder / "output").open("w+b") as output:
        run = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE)
        output.seek(max(0, output.seek(0, 2) - 1_000))
        last = output.read()
    result = json.loads(last[last.rindex(b"{") :])
    if os.waitstatus_to_exitcode(result["status"]) == TIMED_OUT:
        told = f"more than {seconds:.0f} s"
    elif b"error:" in run.stderr or b"Traceback" in run.stderr:
        said = " ".join(run.stderr.decode(errors="replace").split())
        told = said[max(0, said.find("error:")) :][:TOLD]
    else:
        told = ""
    return result["processor"], result["megabytes"], told


def growth(load: Load, arguments: tuple[str, ...], seconds: float) -> Iterator[str]:
    """The cells of a line of the table: the figures of each size, and how many times as long the last took."""
    before, last = 0.0, 0.0
    for share in SHARES:
        with tempfile.TemporaryDirectory() as folder:
            load.write(load.size // share, Path(folder))
            before, (last, megabytes, error) = last, measured(arguments, Path(folder), seconds)
        yield error if error else f"{last:.1f} s, {megabytes:,.0f} MB"
    yield f"{last / before:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=LOADS, action="append")
    parser.add_argument("--seconds", type=float, default=900, help="after which a command is ended")
    options = parser.parse_args()
    print("| input | command | a hundredth | a tenth | whole | whole to a tenth |\n|---|---|---|---|---|---|")
    for name in options.only or LOADS:
        load = LOADS[name]
        commands = {label: (*COMMAND, *arguments) for label, arguments in load.commands.items()}
        if name == "endpoints":
            commands["definitions page"] = DEFINITIONS_PAGE
        for label, arguments in commands.items():
            cells = " | ".join(growth(load, arguments, options.seconds))
            print(f"| {load.size:,} {load.what} | `{label}` | {cells} |", flush=True)


if __name__ == "__main__":
    main()
