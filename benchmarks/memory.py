"""How the most memory that `itp-response classify` holds grows with the rows it reads.

Called as `python benchmarks/memory.py [--patients 200000] [--times 10] [--limit 1000]`.

Invented patients (`cohorts.make_cohort`), 20 rows each, are written to a CSV file once, and to another `--times` over
with names of their own; both are classified, each in a process of its own. The exit status is 1 where the longer takes
more than `--limit` megabytes, or more than the shorter by over a tenth of that.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl
from sensitivity import write

ROOT = Path(__file__).parents[1]
CHILD = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from itp_response.stream import classify_to
found = classify_to(sys.argv[3], sys.argv[2])
print(found.counts.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def longer(visits: Path, patients: int, times: int) -> Path:
    """The same visits several times over, each time of other patients."""
    path = visits.with_name("longer.csv")
    frame = pl.read_csv(visits, schema_overrides={"rescue": pl.String})
    with path.open("wb") as file:
        for number in range(times):
            named = frame.with_columns(pl.col("patient_id") + patients * number)
            named.write_csv(file, include_header=number == 0)
    return path


def peak(visits: Path) -> tuple[int, int]:
    """The rows, and the most megabytes held."""
    command = [sys.executable, "-c", CHILD, str(ROOT), str(visits), str(visits.with_name("verdicts.csv"))]
    rows, megabytes = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return int(rows), int(megabytes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=200_000)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        visits, _ = write(options.patients, options.seed, Path(folder))
        found = [peak(path) for path in (visits, longer(visits, options.patients, options.times))]
    for rows, megabytes in found:
        print(f"{rows:>12,} rows  {megabytes:>6,} MB")
    most = found[1][1]
    return 0 if most <= options.limit and most - found[0][1] <= options.limit / 10 else 1


if __name__ == "__main__":
    sys.exit(main())
