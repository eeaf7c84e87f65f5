"""How long a person waits: the commands that answer one, now and before, as ratios of processor time.

    python benchmarks/waits.py --before FOLDER --patients 2000

FOLDER is a checkout of an earlier version. The patients are invented (`cohorts.make_cohort`), 20 rows each. Each
command runs as a process of its own, `--runs` times, now and before in turn; the medians are compared.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from sensitivity import write

HERE = Path(__file__).resolve().parent
COMMAND = ("-c", "from itp_response.cli import main; main()")
LIBRARIES = ("-c", "import numpy, polars, pydantic, click")
TIMELINE = "d0 15, d22 40, d28 45"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""That of a user, whose modules are compiled once and not in each process."""


def processor_seconds(root: Path, arguments: tuple[str, ...], folder: str) -> float:
    """The processor time of one run of Python with these arguments, with the package of that checkout."""
    for written in ("report.html", "report.html.provenance.json"):
        (Path(folder) / written).unlink(missing_ok=True)
    measured = subprocess.run(
        [sys.executable, str(HERE / "measured.py"), sys.executable, *arguments],
        cwd=folder,
        env={**ENVIRONMENT, "PYTHONPATH": str(root)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    result = json.loads(measured.stdout[measured.stdout.rindex(b"{") :])
    if result["status"] and "quiz" not in arguments:  # which asks, and is not answered
        raise RuntimeError(measured.stderr.decode())
    return float(result["processor"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--patients", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    study = ("visits.csv", "--patients", "patients.csv")
    tried = {
        "ask": ("ask", TIMELINE),
        "explain of one patient": ("explain", *study, "--patient", "7"),
        "quiz, to the first question": ("quiz",),
        "sensitivity": ("sensitivity", *study),
        "near-misses": ("near-misses", *study),
        "report": ("report", *study, "--output", "report.html"),
    }
    for root in (options.before, HERE.parent):
        compileall.compile_dir(root / "itp_response", quiet=2)
    with tempfile.TemporaryDirectory() as folder:
        write(options.patients, 1, Path(folder))
        libraries = statistics.median(processor_seconds(HERE.parent, LIBRARIES, folder) for _ in range(options.runs))
        print("| | before | now | now to before |\n|---|---|---|---|")
        for label, arguments in tried.items():
            roots = (options.before, HERE.parent)
            runs = [
                [processor_seconds(root, (*COMMAND, *arguments), folder) for root in roots] for _ in range(options.runs)
            ]
            before, now = (statistics.median(column) for column in zip(*runs, strict=True))
            print(f"| `{label}` | {before:.2f} s | {now:.2f} s | {now / before:.2f} |", flush=True)
            if label == "ask":
                print(f"| `ask`, to importing its libraries | {before / libraries:.1f} | {now / libraries:.1f} | |")


if __name__ == "__main__":
    main()
