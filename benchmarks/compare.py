"""How fast `evaluate` is beside the same definitions hard-coded in polars, and that all give the same verdicts.

    python benchmarks/compare.py --patients 1000000 --runs 3

The limit is one pass in C over the same arrays (`pass.c`), where there is a compiler.
The patients are invented (`cohorts.make_cohort`), 20 rows each. All ways run in one process, in turn, the whole
round `--runs` times, so that what else the processor does falls on all alike. An untimed round before is checked:
every verdict and every day of every patient must be the same in all ways, else the exit status is 1.

Timed is what turns data in memory into verdicts: `evaluate` on a cohort that is built, under criteria that are loaded
(it also names the reason and the deciding rows of each verdict, and reads its definitions from a file); `classify` of
`polars_windows` and of `polars_scans` on frames that are loaded, with all cores. What counts is the ratios.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import limit
import numpy as np
import polars as pl
import polars_scans
import polars_windows
from cohorts import make_cohort

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from itp_response.classification.classification import Classification
from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import Observations, Patients
from itp_response.cohort.values import exactly
from itp_response.definitions.load import load
from itp_response.evaluation.evaluate import evaluate

IN_C = "one pass in C, 1 thread"
VISIT_COLUMNS = ("patient", "day", "platelets", "bleeding_grade", "rescue", "rescue_end")


def frames_of(columns: dict[str, Any]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Visits and patients as the polars versions take them."""
    visits = pl.DataFrame({name: columns[name] for name in VISIT_COLUMNS})
    given = {name: columns[name] for name in ("baseline", "treatment_discontinued")}
    return visits, pl.DataFrame({"patient": np.arange(len(columns["baseline"])), **given})


def cohort_of(columns: dict[str, Any]) -> Cohort:
    """The same as a cohort."""
    stopped = columns["treatment_discontinued"]
    observed = Observations(
        patient=columns["patient"],
        day=columns["day"],
        platelets=exactly(columns["platelets"]),
        bleeding_grade=columns["bleeding_grade"],
        rescue=columns["rescue"],
        rescue_end=columns["rescue_end"],
        source_row=np.arange(len(columns["day"])),
    )
    patients = Patients(
        id=pl.Series("patient_id", np.arange(len(stopped))).cast(pl.String),
        baseline=exactly(columns["baseline"]),
        treatment_discontinued=np.where(np.isnan(stopped), np.inf, stopped),
    )
    return build(patients, observed)


def differing(verdicts: pl.DataFrame, expected: pl.DataFrame) -> list[str]:
    """The verdicts that are not the same for all patients, each with the number of patients."""
    number = {name: int(verdicts[name].ne_missing(expected[name]).sum()) for name in polars_scans.VERDICTS}
    return [f"{name} ({patients:,} patients)" for name, patients in number.items() if patients]


def table(seconds: dict[str, list[float]], reference: str) -> str:
    """A line per way; the ratio is that of the medians."""
    whole = statistics.median(seconds[reference])
    lines = [f"{'way':<28}{'median s':>10}{'fastest s':>11}{'ratio':>8}"]
    for way, times in seconds.items():
        median = statistics.median(times)
        lines.append(f"{way:<28}{median:>10.2f}{min(times):>11.2f}{median / whole:>8.2f}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of ours; default: one a core")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--busy", action="store_true", help="count the processor's time, not the wall clock's")
    parser.add_argument("--json", type=Path, help="where the medians go, in seconds by way")
    options = parser.parse_args()

    columns = make_cohort(options.patients, seed=options.seed)
    visits, patients = frames_of(columns)
    cohort = cohort_of(columns)
    criteria = load("atra_2022")
    with tempfile.TemporaryDirectory() as folder:
        compiled = limit.library(Path(folder))
        run_c, verdicts_c = (None, None) if compiled is None else limit.in_memory(compiled, columns)
    del columns
    print(f"{options.patients:,} invented patients, {len(visits):,} rows, {options.runs} runs")

    def ours(threads: int) -> Callable[[], pl.DataFrame]:
        return lambda: Classification(criteria, cohort, evaluate(criteria, cohort, threads)).frame()

    one_thread = "ours, 1 thread"
    all_threads = f"ours, {options.threads} threads"
    checked: dict[str, Callable[[], pl.DataFrame]] = {
        one_thread: ours(1),
        all_threads: ours(options.threads),
        "polars, window expressions": lambda: polars_windows.classify(visits, patients),
        "polars, windows in one query": lambda: polars_windows.in_one_query(visits, patients),
        "polars, whole-column scans": lambda: polars_scans.classify(visits, patients),
    }
    if run_c and verdicts_c:
        passed, decided = run_c, verdicts_c
        checked[IN_C] = lambda: (passed(), decided())[1]
    timed: dict[str, Callable[[], object]] = {
        **checked,
        one_thread: lambda: evaluate(criteria, cohort, 1),
        all_threads: lambda: evaluate(criteria, cohort, options.threads),
        **({IN_C: run_c} if run_c else {}),
    }

    expected: pl.DataFrame | None = None
    agree = True
    for way, classify in checked.items():
        verdicts = classify().select(polars_scans.VERDICTS)
        expected = verdicts if expected is None else expected
        if different := differing(verdicts, expected):
            agree = False
            print(f"{way}: differs from {one_thread} in {', '.join(different)}", file=sys.stderr)
    del expected, verdicts
    if not agree:
        return 1
    print(f"all agree on {', '.join(polars_scans.VERDICTS)}\n")

    clock = time.process_time if options.busy else time.perf_counter
    seconds: dict[str, list[float]] = {way: [] for way in timed}
    for _ in range(options.runs):
        for way, run in timed.items():
            gc.collect()
            begun = clock()
            run()
            seconds[way].append(clock() - begun)
    print(table(seconds, all_threads))
    if options.json:
        options.json.write_text(json.dumps({way: statistics.median(times) for way, times in seconds.items()}))
    if options.busy:
        return 0
    gained = statistics.median(seconds[one_thread]) / statistics.median(seconds[all_threads])
    print(f"\n{'second core' if options.threads == 2 else f'{options.threads} threads'}: {gained:.2f} times faster")
    return 0


if __name__ == "__main__":
    sys.exit(main())
