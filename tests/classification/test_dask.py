"""Dask: its frames give the verdicts that are given here."""

import logging
import re
import sys
from pathlib import Path

import dask
import dask.dataframe as dd
import pandas as pd
import polars as pl
import pytest

from itp_response.classification.classification import classify
from itp_response.classification.dask import classify as classify_in_dask
from itp_response.messages.errors import CohortError, UsageError

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
EXAMPLE = re.search(
    r"(?<=```py\n)import dask.*?(?=```)", (ROOT / "docs" / "reference" / "scale.md").read_text(), re.DOTALL
)


@pytest.fixture(autouse=True)
def one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def here(frame):
    return pl.from_pandas(frame.compute()).sort("patient_id")


def whole(*tables, **options):
    return classify(*tables, **options).frame().sort("patient_id")


@pytest.mark.parametrize(("of_visits", "of_patients"), [(1, 1), (5, 3)])
def test_the_example_study(of_visits, of_patients):
    visits, patients = (pd.read_csv(EXAMPLES / f"{name}.csv") for name in ("visits", "patients"))
    visits = visits.sample(frac=1, random_state=3)

    found = classify_in_dask(
        dd.from_pandas(visits, npartitions=of_visits, sort=False),
        patients=dd.from_pandas(patients, npartitions=of_patients),
    )

    expected = whole(EXAMPLES / "visits.csv", EXAMPLES / "patients.csv")
    assert list(found.columns) == expected.columns
    assert here(found).equals(expected)
    assert here(found).schema == expected.schema


def test_the_example_of_the_reference(tmp_path, monkeypatch):
    (tmp_path / "examples").symlink_to(EXAMPLES)
    monkeypatch.chdir(tmp_path)
    assert EXAMPLE

    exec(compile(EXAMPLE[0], "scale.md", "exec"), {})

    found = pl.read_parquet(tmp_path / "verdicts" / "*.parquet").sort("patient_id")
    assert found.select(pl.exclude("^__.*$")).equals(whole(EXAMPLES / "visits.csv", EXAMPLES / "patients.csv"))


def test_few_patients_in_many_partitions_and_what_is_said(caplog):
    rows = [(name, day, count) for name in (1.0, 2.0, None) for day, count in ((0, 15), (28, 60), (35, 60))]
    rows = [(name, day, count if name else None) for name, day, count in rows]
    visits = pd.DataFrame(rows, columns=["id", "day", "plt"])
    # only of all of them it can be seen that 1 is a day, and no word for yes
    others = [str(number) for number in range(10, 20)]
    patients = pd.DataFrame({"Patient": ["1", " 2", *others], "discontinued": [1, 70, *[1] * len(others)]})
    patients["arm"] = patients["Patient"].str.strip().str[:1]

    with caplog.at_level(logging.WARNING, logger="itp_response"):
        found = classify_in_dask(
            dd.from_pandas(visits, npartitions=4), dd.from_pandas(patients, npartitions=3), "iwg_2009"
        )

    assert here(found).equals(whole(visits, patients, criteria="iwg_2009"))
    assert here(found)["patient_id"].to_list() == ["1", *others, "2"]
    assert caplog.messages[-3:] == [
        "warning: No bleeding grade is recorded, so bleeding is assumed to be reported as events, and an empty grade means no bleeding. If an empty grade means not assessed, say --bleeding scored.",
        "warning: Rescue treatment is not recorded, so it is assumed that none was given. If any was given, add it (a column 'rescue'; CM in SDTM).",
        "warning: There is no column 'corticosteroid_dependence'; assumed to be false throughout.",
    ]


def test_a_bad_cell_is_told_with_its_patient():
    rows = pd.DataFrame({"patient_id": list("ABBC"), "day": [0, 0, 7, 0], "platelets": ["15", "15", "4o", "15"]})

    with pytest.raises(CohortError) as error:
        classify_in_dask(dd.from_pandas(rows, npartitions=2))

    assert str(error.value) == (
        "visits: patient 'B', day 7: platelets: '4o' is not a number; "
        "give 10⁹/L, a bound such as '<10', or leave the cell empty."
    )


def test_what_is_no_frame_of_dask():
    with pytest.raises(UsageError, match=r"^visits is a frame of Dask, not 'DataFrame'; others go to 'classify'\.$"):
        classify_in_dask(pd.DataFrame({"patient_id": ["A"]}))


def test_without_dask(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask.dataframe", None)

    with pytest.raises(UsageError, match=r"^this needs dask, .* install it by\n    .*\[dask\]"):
        classify_in_dask(None)
