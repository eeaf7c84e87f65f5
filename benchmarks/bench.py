"""How fast `itp-response classify` is, beside the ways there are: what docs/explanation/speed.md shows.

Called as `python benchmarks/bench.py [--patients 1000000] [--runs 3] [--busy] [--long] [--write]`.

The patients are invented (`cohorts.make_cohort`), 20 rows each, and written to files. Every way reads the same files
and writes a file of verdicts, each in a process of its own, all in turn, the whole round `--runs` times; those over a
minute run in the first round only. The wall clock's median counts, and the most memory the process held. Every verdict
of every patient must be the same in all ways, else the exit status is 1. What counts is the ratios.
On a machine that is busy with other things `--busy` counts the processor's time, of all cores together, instead.
`--long` goes on to ten times the patients, which takes 9 GB of the disk; `--write` puts the table into that page.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import files
import limit
import polars as pl
from polars_scans import VERDICTS

HERE = Path(__file__).parent
ROOT = HERE.parent
PAGE = ROOT / "docs" / "explanation" / "speed.md"
TABLE = re.compile(r"(?<=<!-- bench -->\n).*?(?=<!-- end of bench -->)", re.DOTALL)
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
    "PYTHONPATH": str(ROOT)
}
"""Modules are compiled once, as those of an installed package are."""
OURS = [sys.executable, "-c", "from itp_response.cli import main; main()"]
ACCEPTED = ("--accept", "patient_in_another_unit")
"""Of a million invented patients a few have counts so far above all others that they are asked about.

What is accepted is not looked for, so that this spares about a fourteenth of the work.
"""
LONG = 60
"""Seconds; what takes longer runs once."""
LOOPED = 20_000
"""The patients that the plain loop takes; its time is scaled."""


@dataclass
class Way:
    """A command, the file it writes if that has verdicts, and what running it took."""

    command: Sequence[str | Path]
    out: Path | None = None
    scale: float = 1.0
    """Of a way that takes a part of the patients: how many times as many there are."""
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    megabytes: float = 0.0

    def median(self, *, busy: bool) -> float:
        return statistics.median(self.processor if busy else self.seconds) * self.scale

    def run(self) -> None:
        done = subprocess.run(
            [sys.executable, HERE / "measured.py", *self.command],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
        )
        took = json.loads(done.stdout.splitlines()[-1])
        if took["status"]:
            raise SystemExit(f"{' '.join(map(str, self.command))}\n{done.stderr}")
        self.seconds.append(took["seconds"])
        self.processor.append(took["processor"])
        self.megabytes = max(self.megabytes, took["megabytes"])


def in_turn(ways: dict[str, Way], runs: int) -> None:
    for _ in range(runs):
        for way in ways.values():
            if not way.seconds or way.seconds[0] < LONG:
                way.run()


def script(name: str, *arguments: str | Path) -> list[str | Path]:
    return [sys.executable, HERE / "one_way.py", name, *arguments]


def ours(visits: Path, out: Path, *further: str) -> list[str | Path]:
    patients = visits.with_name(f"patients{'.csv' if visits.suffix == '.csv' else visits.suffix}")
    return [*OURS, "classify", visits, "--patients", patients, "--force", "--output", out, *ACCEPTED, *further]


def file_ways(folder: Path, patients: int, compiled: Path | None) -> dict[str, Way]:
    """The ways from files to verdicts, and those that only read the files, for comparison."""
    visits, listed = folder / "visits.csv", folder / "patients.csv"
    parquet = folder / "visits.parquet"

    def out(name: str) -> Path:
        return folder / f"{name}.out.csv"

    part = min(patients, LOOPED)
    ways = {
        "ours": Way(ours(visits, out("ours")), out("ours")),
        "ours, 1 thread": Way(ours(visits, out("one"), "--threads", "1"), out("one")),
        "ours, no patient table": Way([*OURS, "classify", visits, "--force", "--output", out("alone"), *ACCEPTED]),
        "polars, best script": Way(script("polars", visits, listed, out("polars")), out("polars")),
        "polars, window expressions": Way(script("polars-windows", visits, listed, out("windows")), out("windows")),
        "polars, bare read": Way(script("polars-read", visits, listed, out("read"))),
        "duckdb, window functions": Way(script("duckdb", visits, listed, out("duckdb")), out("duckdb")),
        "pandas, vectorised": Way(script("pandas", visits, listed, out("pandas")), out("pandas")),
        "plain loop": Way(script("loop", visits, listed, out("loop"), str(part)), out("loop"), patients / part),
        "ours, shuffled": Way(ours(folder / "shuffled.csv", out("sorted")), out("sorted")),
        "polars, read and sort": Way(script("polars-sort", folder / "shuffled.csv", listed, out("sort"))),
        "duckdb, read and sort": Way(script("duckdb-sort", folder / "shuffled.csv", listed, out("sort"))),
        "ours, parquet": Way(ours(parquet, folder / "ours.out.parquet"), folder / "ours.out.parquet"),
        "polars, bare read of parquet": Way(
            script("polars-read", parquet, folder / "patients.parquet", out("read-parquet"))
        ),
    }
    if compiled:
        ways["one pass in C"] = Way([compiled, visits, listed, out("c")], out("c"))
    return ways


def check(ways: dict[str, Way]) -> None:
    """Raises `SystemExit` where a way gives other verdicts than ours."""
    expected = verdicts(ways["ours"])
    for name, way in ways.items():
        if way.out is None:
            continue
        results = verdicts(way)
        if way.scale == 1 and len(results) != len(expected):
            raise SystemExit(f"{name}: {len(results):,} patients instead of {len(expected):,}")
        both = expected.head(len(results))
        different = {column: int(both[column].ne_missing(results[column]).sum()) for column in both.columns}
        if any(different.values()):
            columns = ", ".join(f"{column} ({number:,} patients)" for column, number in different.items() if number)
            raise SystemExit(f"{name}: differs from ours in {columns}")


def verdicts(way: Way) -> pl.DataFrame:
    assert way.out
    read = pl.read_parquet(way.out) if way.out.suffix == ".parquet" else pl.read_csv(way.out, infer_schema=False)
    return read.select(pl.col("patient_id", *VERDICTS).cast(pl.String)).sort("patient_id")


def doubled(folder: Path, largest: int, whole: Way, runs: int, seed: int) -> dict[int, Way]:
    """Ours at sizes that double, up to this one."""
    sizes = [largest >> shift for shift in range(4, 0, -1)]
    ways = {}
    for size in sizes:
        part = folder / str(size)
        part.mkdir()
        files.write(size, seed, part)
        ways[size] = Way(ours(part / "visits.csv", part / "out.csv"))
    in_turn({str(size): way for size, way in ways.items()}, runs)
    return ways | {largest: whole}


def start_up(folder: Path, runs: int) -> tuple[dict[str, Way], str]:
    """The example study, and a Python that does nothing but import; and what the former does, in counts."""
    study = ROOT / "examples" / "visits.csv"
    patients, out = study.with_name("patients.csv"), folder / "example.csv"
    arguments = ["classify", study, "--patients", patients, "--force", "--output", out]
    imports = Way([sys.executable, "-c", "import numpy, polars, pydantic, click"])
    ways = {"the example": Way([*OURS, *arguments]), "imports": imports}
    in_turn(ways, runs)
    command = [sys.executable, HERE / "counted.py", *arguments]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    counted = json.loads(done.stdout.splitlines()[-1])
    text = "{modules} modules imported, {calls:,} functions called in Python, {megabytes:.0f} MB allocated at most"
    return ways, text.format(**counted)


def in_memory(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """The medians of `compare.py`, by way."""
    medians = folder / "memory.json"
    arguments = ["--patients", str(options.patients), "--runs", str(options.runs), "--seed", str(options.seed)]
    subprocess.run(
        [sys.executable, HERE / "compare.py", *arguments, "--json", medians, *(["--busy"] * options.busy)],
        check=True,
        stdout=sys.stderr,
    )
    return json.loads(medians.read_text())


def grown(folder: Path) -> dict[str, Way]:
    """Ours at ten times the patients, the same under other names, once."""
    part = folder / "long"
    part.mkdir()
    files.copies(folder, 10, part)
    visits, out = part / "visits.csv", part / "out.csv"
    alone = Way([*OURS, "classify", visits, "--force", "--output", out, *ACCEPTED])
    ways = {"ten times": Way(ours(visits, out)), "ten times, no patient table": alone}
    in_turn(ways, 1)
    return ways


MEMORY = "in memory: "
COMPARED = (
    ("In memory, one thread: ours to one pass in C", "in memory: ours, 1 thread", "in memory: one pass in C, 1 thread"),
    (
        "In memory, all cores: polars window expressions to ours",
        "in memory: polars, window expressions",
        "in memory: ours",
    ),
    (
        "In memory, all cores: these left to polars as one query to ours",
        "in memory: polars, windows in one query",
        "in memory: ours",
    ),
    (
        "In memory, all cores: polars whole-column scans to ours",
        "in memory: polars, whole-column scans",
        "in memory: ours",
    ),
    ("CSV to CSV: the best polars script to ours", "polars, best script", "ours"),
    ("CSV to CSV: polars window expressions to ours", "polars, window expressions", "ours"),
    ("CSV to CSV: ours to polars' bare read of the file", "ours", "polars, bare read"),
    ("CSV to CSV: ours to one pass in C over the mapped file", "ours", "one pass in C"),
    ("CSV to CSV: DuckDB window functions to ours", "duckdb, window functions", "ours"),
    ("CSV to CSV: pandas, vectorised, to ours", "pandas, vectorised", "ours"),
    ("CSV to CSV: a plain Python loop, a part of it, scaled, to ours", "plain loop", "ours"),
    ("CSV in no order: ours to the faster of polars' and DuckDB's read and sort", "ours, shuffled", "read and sort"),
    ("Parquet to Parquet: ours to polars' bare read", "ours, parquet", "polars, bare read of parquet"),
    ("168 patients: ours to a Python that imports numpy, polars, pydantic and click", "the example", "imports"),
    ("Ten times the rows: ours to ours", "ten times", "ours"),
)
"""What the page shows, and the ways whose times it compares."""
HELD = {
    "ours": "ours",
    "ours without a patient table": "ours, no patient table",
    "ours at ten times the rows": "ten times",
    "that without a patient table": "ten times, no patient table",
    "ours from Parquet": "ours, parquet",
    "polars": "polars, best script",
    "DuckDB": "duckdb, window functions",
    "pandas": "pandas, vectorised",
}


def rows_of_table(
    memory: dict[str, float], ways: dict[str, Way], sizes: dict[int, Way], counted: str, *, busy: bool
) -> list[tuple[str, str]]:
    """What the page shows: what is compared, and how many times as long one takes. Without a compiler there is no C."""
    seconds = {name: way.median(busy=busy) for name, way in ways.items()}
    seconds |= {f"{MEMORY}{way}": median for way, median in memory.items()}
    seconds[f"{MEMORY}ours"] = memory[f"ours, {os.cpu_count()} threads"]
    seconds["read and sort"] = min(seconds["polars, read and sort"], seconds["duckdb, read and sort"])
    rows = [
        (what, f"{seconds[first] / seconds[second]:.1f} times")
        for what, first, second in COMPARED
        if first in seconds and second in seconds
    ]
    rows.append(("Twice the rows, the most of four doublings", f"{most_growth(sizes, busy=busy):.1f} times"))
    rows.append(("168 patients: what that takes", counted))
    memory_held = [f"{name} {ways[way].megabytes:,.0f} MB" for name, way in HELD.items() if way in ways]
    return [*rows, ("Peak memory, of CSV where nothing else is said", ", ".join(memory_held))]


def most_growth(sizes: dict[int, Way], *, busy: bool) -> float:
    ordered = [way.median(busy=busy) for _, way in sorted(sizes.items())]
    return max(after / before for before, after in pairwise(ordered))


def page(rows: list[tuple[str, str]], options: argparse.Namespace) -> str:
    """The table as the page has it, with how it was made."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "polars", "duckdb", "pandas"))
    what = "processor seconds of all cores" if options.busy else "seconds"
    command = f"python benchmarks/bench.py --patients {options.patients} --runs {options.runs}"
    caption = (
        f"Made by `{command}{' --busy' * options.busy}{' --long' * options.long}` on {os.cpu_count()} cores, from the "
        f"medians of {what}, with Python {platform.python_version()}, {libraries}. "
        f"All ways gave the same verdicts on all of the {options.patients:,} patients."
    )
    lines = ["| | |", "|---|---|", *(f"| {what} | {how} |" for what, how in rows)]
    return "\n".join([*lines, "", caption, ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--busy", action="store_true", help="count the processor's time, not the wall clock's")
    parser.add_argument("--long", action="store_true", help="also ten times the patients")
    parser.add_argument("--write", action="store_true", help="put the table into docs/explanation/speed.md")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started, counted = start_up(folder, 5 * options.runs)
        memory = in_memory(folder, options)
        files.write(options.patients, options.seed, folder, ("csv", "parquet"))
        files.shuffle(folder, options.seed)
        ways = file_ways(folder, options.patients, limit.program(folder))
        in_turn(ways, 1)
        check(ways)
        in_turn(ways, options.runs - 1)
        ways |= started
        sizes = doubled(folder, options.patients, ways["ours"], options.runs, options.seed)
        if options.long:
            ways |= grown(folder)
    print(f"{'way':<32}{'median s':>10}{'fastest s':>11}{'processor s':>13}{'peak MB':>10}")
    shown = {**ways, **{f"ours, {size:,} patients": way for size, way in sizes.items()}}
    for name, way in shown.items():
        times = (way.median(busy=False), min(way.seconds) * way.scale, way.median(busy=True))
        print("{:<32}{:>10.2f}{:>11.2f}{:>13.2f}{:>10,.0f}".format(name, *times, way.megabytes))
    text = page(rows_of_table(memory, ways, sizes, counted, busy=options.busy), options)
    print(f"\n{text}", end="")
    if options.write:
        PAGE.write_text(TABLE.sub(lambda _: text, PAGE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
