"""How long `sensitivity` takes over all interpretations of a set, beside one `classify` of the same files.

    python benchmarks/sensitivity.py --patients 100000 --runs 3

The patients are invented (`cohorts.make_cohort`), 20 rows each, and written to two CSV files. Both ways read them, run
in turn in one process, the whole round `--runs` times. What counts is the ratio of the medians per ten
interpretations: it must be below 3, else the exit status is 1.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from cohorts import make_cohort

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from itp_response.classification.classification import classify
from itp_response.outputs.comparison.sensitivity import sensitivity

ALLOWED = 3
"""Times the time of one `classify`, per ten interpretations."""


def write(patients: int, seed: int, folder: Path) -> tuple[Path, Path]:
    """The invented patients as files of visits and of patients."""
    columns = make_cohort(patients, seed=seed)
    course = pl.Series(columns["rescue"])
    frame = pl.DataFrame(
        {
            "patient_id": columns["patient"],
            "day": columns["day"],
            "platelets": columns["platelets"],
            "bleeding_grade": columns["bleeding_grade"],
            "rescue": course.replace_strict({True: "rescue", False: None}, return_dtype=pl.String),
            "rescue_end": pl.Series(columns["rescue_end"]).set(~course, None),
        }
    )
    given = {name: columns[name] for name in ("baseline", "treatment_discontinued")}
    own = pl.DataFrame({"patient_id": np.arange(patients), "arm": np.where(np.arange(patients) % 2, "A", "B"), **given})
    visits = folder / "visits.csv"
    frame.with_columns(pl.selectors.float().fill_nan(None).cast(pl.Int64)).write_csv(visits)
    by_patient = folder / "patients.csv"
    own.with_columns(pl.selectors.float().fill_nan(None).cast(pl.Int64)).write_csv(by_patient)
    return visits, by_patient


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--criteria", default="atra_2022")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        files = write(options.patients, options.seed, Path(folder))
        interpretations = len(sensitivity(*files, options.criteria).under)
        ways: dict[str, Callable[[], object]] = {
            "classify": lambda: classify(*files, options.criteria),
            "sensitivity": lambda: sensitivity(*files, options.criteria),
        }
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(options.runs):
            for way, run in ways.items():
                gc.collect()
                begun = time.perf_counter()
                run()
                seconds[way].append(time.perf_counter() - begun)

    once, all_interpretations = (statistics.median(seconds[way]) for way in ways)
    ratio = all_interpretations / once
    per_ten = 10 * ratio / interpretations
    tried = f"{interpretations} interpretations of {options.criteria}"
    times = f"{ratio:.1f} times, {per_ten:.2f} per ten interpretations"
    print(f"{options.patients:,} invented patients, {tried}, {options.runs} runs")
    print(f"classify {once:.2f} s, sensitivity {all_interpretations:.2f} s: {times}")
    return 0 if per_ten < ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
