"""What a type checker tells a user: options and kinds that there are not are seen before anything is run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RIGHT = """
import itp_response
import polars as pl
from itp_response import Classification, ReadOptions

options = ReadOptions(date_format="dmy", bleeding="events", impute="last", on_error="quarantine", unit="/uL", missing=("-99",))
cohort = itp_response.read("visits.csv", "patients.csv", options=options)
classification: Classification = itp_response.classify(cohort, criteria="iwg_2009", threads=1)
frame: pl.DataFrame = itp_response.classify([{"patient_id": "A", "day": 0, "platelets": 15}]).frame()

itp_response.sensitivity(classification, together=True).write("sensitivity.csv")
itp_response.compare("visits.csv", criteria=["atra_2022", "iwg_2009"], options=ReadOptions(impute="first"))
itp_response.review(cohort).data_queries()
itp_response.table(classification, of="per-protocol", interval="wald", events="events.csv").write("table.html")
itp_response.plot("swimmer", classification).write("swimmer.svg")
itp_response.plot("forest", frame, measure="odds-ratio")
itp_response.report(classification).write("report.html")
lines: list[str] = [str(one) for one in itp_response.explain(classification, patient="A", endpoint="OR")]
"""
WRONG = """
from itp_response import ReadOptions, adam, ask, classify, compare, explain, plot, read, report, table

classify("visits.csv", options=ReadOptions(bleeding="scord"))  # arg-type
classify("visits.csv", options=ReadOptions(day_numbering="from-1"))  # arg-type
classify("visits.csv", options=ReadOptions(similar_ids="alike"))  # arg-type
read("visits.csv", options=ReadOptions(on_error="skip"))  # arg-type
compare("visits.csv", options=ReadOptions(impute="middle"))  # arg-type
classify("visits.csv", options=ReadOptions(bleding="scored"))  # call-arg
classify("visits.csv", bleeding="scored")  # call-arg
classify("visits.csv", options={"bleeding": "scored"})  # arg-type
plot("timelime", "visits.csv")  # arg-type
plot("forest", "visits.csv", measure="odds")  # arg-type
table("visits.csv", interval="newcomb")  # arg-type
table("visits.csv", of="ittt")  # arg-type
table("visits.csv", show=["response"])  # list-item
adam("visits.csv").write("folder", "xlsx")  # arg-type
explain("visits.csv", patient=7)  # arg-type
explain("visits.csv")  # call-arg
report(42)  # arg-type
ask("d0 15").summary()  # attr-defined
ReadOptions().bleeding = "events"  # misc
"""


def errors(script, folder):
    """The lines of a script that mypy reports, each with the code of the error; found is all that it says."""
    path = folder / "script.py"
    path.write_text(script.lstrip())
    settings = ["--strict", "--config-file", "pyproject.toml", "--no-error-summary", "--no-pretty"]
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *settings, path], capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert done.stderr == ""
    return re.findall(r"script\.py:(\d+): error: .*\[(.*)\]$", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.xdist_group("mypy")  # one after the other, as they share a cache
class TestMypy:
    def test_reports_each_fault_of_a_script_and_nothing_else(self, tmp_path):
        lines = enumerate(WRONG.lstrip().splitlines(), 1)
        wanted = [(str(number), line.partition("  # ")[2]) for number, line in lines if "  # " in line]

        reported, output = errors(WRONG, tmp_path)
        assert reported == wanted, output

    def test_finds_nothing_in_a_script_without_faults(self, tmp_path):
        assert errors(RIGHT, tmp_path) == ([], "")
