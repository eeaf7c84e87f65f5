"""The invented study gives the counts that the paper prints, from the patients' own observations."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from itp_response import check, classify, mutate

EXAMPLES = Path(__file__).parent.parent / "examples"
COMBINED, ALONE = "ATRA + LD-RTX", "LD-RTX"


@pytest.fixture(scope="module")
def verdicts():
    return classify(EXAMPLES / "visits.csv", EXAMPLES / "patients.csv").frame()


# Wu et al., Blood 2022;139(3):333-342, Table 3 and text.
PRINTED = """
    endpoint     combined  alone
    OR                  90     33
    CR                  45     14
    SR                  68     23
    relapse             43     26
    remission           47      7
    late_rescue         21     19
"""


@pytest.mark.parametrize("line", PRINTED.strip().splitlines()[1:], ids=lambda line: line.split()[0])
def test_counts_per_arm_are_those_printed(verdicts, line):
    endpoint, combined, alone = line.split()
    met = verdicts.filter(pl.col(endpoint) == "Y")["arm"].value_counts()

    assert dict(met.iter_rows()) == {COMBINED: int(combined), ALONE: int(alone)}


def test_arms_have_the_printed_sizes(verdicts):
    assert dict(verdicts["arm"].value_counts().iter_rows()) == {COMBINED: 112, ALONE: 56}


def test_discontinued_patients_are_those_of_the_trial_profile(verdicts):
    discontinued = verdicts.filter(pl.col("OR_reason") == "discontinued")["arm"].value_counts()

    assert dict(discontinued.iter_rows()) == {COMBINED: 14, ALONE: 8}


def test_median_times_are_those_printed(verdicts):
    """28 days to response in both arms; 43.0 and 40.0 weeks of response, over all responders."""
    medians = verdicts.group_by("arm").agg(pl.col("TTR_days").median(), pl.col("DOR_days").median() / 7)

    assert sorted(medians.iter_rows()) == [(COMBINED, 28.0, 43.0), (ALONE, 28.0, 40.0)]


def test_the_script_makes_the_same_files_again(tmp_path):
    copy = tmp_path / "make_example.py"
    copy.write_bytes((EXAMPLES / "make_example.py").read_bytes())
    subprocess.run([sys.executable, copy], check=True, capture_output=True)

    for name in ("visits.csv", "patients.csv"):
        assert (tmp_path / name).read_bytes() == (EXAMPLES / name).read_bytes()


def test_the_definition_of_ones_own_holds_by_its_worked_examples_which_notice_every_small_change():
    own = EXAMPLES / "own_definition.toml"

    assert check(own).ok
    assert mutate(own).unnoticed == ()


def test_the_definition_that_looks_at_other_rows_holds_by_its_worked_examples_which_notice_every_small_change():
    other_rows = EXAMPLES / "other_rows.toml"

    assert check(other_rows).ok
    assert mutate(other_rows).unnoticed == ()


def test_patients_by_the_definition_of_ones_own():
    """106 patients have two counts of 50 or more a week apart without rescue treatment before."""
    frame = classify(EXAMPLES / "visits.csv", EXAMPLES / "patients.csv", EXAMPLES / "own_definition.toml").frame()

    assert dict(frame["response"].value_counts().iter_rows()) == {"Y": 106, "N": 53, "NE": 9}


def test_readme_of_the_examples_says_that_they_are_invented():
    assert "invented" in (EXAMPLES / "README.md").read_text().splitlines()[2].lower()
