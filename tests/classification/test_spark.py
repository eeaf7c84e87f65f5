"""Spark: real executors in processes of their own give the verdicts that are given here, also when one dies."""

import datetime
import logging
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from patience import PATIENCE, until
from pyspark.sql import SparkSession

from benchmarks.cohorts import make_cohort
from itp_response.classification import spark
from itp_response.classification.classification import classify
from itp_response.messages.errors import CohortError, UsageError

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
EXAMPLE = re.search(
    r"(?<=```py\n)import itp_response\n\nvisits = spark.*?(?=```)",
    (ROOT / "docs" / "reference" / "scale.md").read_text(),
    re.DOTALL,
)
# Java that does not run long enough to gain by compiling well.
SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
# One session for all of these, wherever tests run side by side.
pytestmark = pytest.mark.xdist_group("spark")


@pytest.fixture(scope="module")
def session():
    """Two executors with a core and a gigabyte each."""
    environment = {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        made = (
            SparkSession.builder.master("local-cluster[2,1,1024]")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.executorEnv.PYTHONPATH", str(ROOT))
            .config("spark.sql.shuffle.partitions", "3")
            .config("spark.sql.codegen.wholeStage", "false")
            .config("spark.driver.extraJavaOptions", SHORT_LIVED)
            .config("spark.executor.extraJavaOptions", SHORT_LIVED)
            .config("spark.ui.enabled", "false")
            .getOrCreate()
        )
        made.sparkContext.setLogLevel("ERROR")
        yield made
        made.stop()


@pytest.fixture
def executors(session):
    """The processes of the executors, by their ids."""
    application = session.sparkContext.applicationId.encode()

    def living():
        found = set()
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().split(b"\0")
            except OSError:  # it has ended meanwhile
                continue
            if application in words and any(word.endswith(b"CoarseGrainedExecutorBackend") for word in words):
                found.add(int(path.parent.name))
        return found

    return living


def here(frame):
    """The result brought here, by patient."""
    return pl.DataFrame(frame.toArrow()).sort("patient_id")


def whole(*tables, **options):
    return classify(*tables, **options).frame().sort("patient_id")


def test_the_example_of_the_reference(session, tmp_path):
    """Which writes what the executors found."""
    expected = whole(EXAMPLES / "visits.csv", EXAMPLES / "patients.csv")
    assert EXAMPLE
    example = (
        EXAMPLE[0].replace("examples/", f"{EXAMPLES}/").replace("verdicts.parquet", f"{tmp_path}/verdicts.parquet")
    )
    names = {"spark": session}

    exec(compile(example, "scale.md", "exec"), names)

    columns = [(field.name, field.dataType.simpleString()) for field in names["found"].schema]
    assert columns[:5] == [
        *((name, "string") for name in ("patient_id", "arm", "best_response", "OR")),
        ("OR_day", "int"),
    ]
    assert columns[5:8] == [("OR_date", "date"), ("OR_confirmed_day", "int"), ("OR_reason", "string")]
    found = pl.read_parquet(tmp_path / "verdicts.parquet" / "*.parquet").sort("patient_id")
    assert found.equals(expected)
    assert found.schema == expected.schema


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    """Files of some hundred invented patients, the last with 30,000 rows, and the verdicts on them given here."""
    number = 600
    columns = make_cohort(number, seed=6)
    rng = np.random.default_rng(6)
    visits = pl.DataFrame(
        {
            "patient_id": columns["patient"],
            "day": columns["day"],
            "platelets": columns["platelets"],
            "bleeding_grade": columns["bleeding_grade"],
            "rescue": pl.Series(columns["rescue"]).replace_strict({True: "IVIg", False: None}, return_dtype=pl.String),
            "rescue_end": np.where(columns["rescue"], columns["rescue_end"], np.nan),
        }
    )
    many = 30_000
    heavy = pl.DataFrame(
        {
            "patient_id": np.full(many, number),
            "day": rng.integers(-20, 400, many),
            "platelets": rng.integers(200, 400, many).astype(np.float64),
            "bleeding_grade": np.zeros(many),
            "rescue": pl.repeat(None, many, dtype=pl.String, eager=True),
            "rescue_end": np.full(many, np.nan),
        }
    )
    patients = pl.DataFrame(
        {
            "patient_id": np.arange(number),
            "arm": np.where(np.arange(number) % 2, "A", "B"),
            "baseline": columns["baseline"],
            "treatment_discontinued": columns["treatment_discontinued"],
        }
    )
    folder = tmp_path_factory.mktemp("crowd")
    nothing = pl.selectors.float().fill_nan(None)
    pl.concat([visits, heavy]).sample(fraction=1, shuffle=True, seed=6).with_columns(nothing).write_parquet(
        folder / "visits.parquet", row_group_size=6_000
    )
    patients.with_columns(nothing).write_parquet(folder / "patients.parquet")
    expected = whole(folder / "visits.parquet", folder / "patients.parquet")
    assert expected.filter(patient_id=str(number))["best_response"].to_list() == ["CR"]
    return folder, expected


def test_an_executor_killed_in_the_middle(session, crowd, executors, tmp_path):
    """Its part is done again by another, and the verdicts are the same."""
    folder, expected = crowd
    visits = session.read.parquet(str(folder / "visits.parquet"))
    slow, begun = tmp_path / "slow", tmp_path / "begun"

    def slowly(batches):
        for batch in batches:
            while slow.exists():
                begun.touch()
                time.sleep(0.01)
            yield batch

    found = spark.classify(
        visits.repartition(8).mapInArrow(slowly, visits.schema),
        patients=session.read.parquet(str(folder / "patients.parquet")),
    )
    slow.touch()
    results = []
    job = threading.Thread(target=lambda: results.append(here(found)))
    job.start()
    try:
        until(begun.exists)
        before = executors()
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
    finally:
        slow.unlink()
        job.join(PATIENCE)

    assert len(before) == 2
    assert killed not in executors()
    assert results[0].equals(expected)


def test_patients_are_the_same_however_their_names_are_given(session):
    rows = [
        (name, day, count) for name in (1.0, 2.0, 2.5, float("nan")) for day, count in ((0, 15), (28, 60), (35, 60))
    ]
    rows = [row if row[0] == row[0] else (None, row[1], None) for row in rows]
    # only of all of them it can be seen that 1 is a day, and no word for yes
    others = [(str(number), "x", 1) for number in range(30, 40)]
    patients = [("1 ", "x", 1), ("\u00a02", "y", 70), ("2.5", "x", None), *others]
    columns = ["id", "day", "plt"], ["Patient", "arm", "discontinued"]

    found = spark.classify(
        session.createDataFrame(rows, "id double, day int, plt int").repartition(3),
        session.createDataFrame(patients, "Patient string, arm string, discontinued int").repartition(2),
        "iwg_2009",
    )

    own = [pl.DataFrame(one, schema=names, orient="row") for one, names in zip((rows, patients), columns, strict=True)]
    verdicts = here(found)
    assert verdicts.equals(whole(*own, criteria="iwg_2009"))
    assert verdicts["patient_id"].to_list()[:4] == ["1", "2", "2.5", "30"]
    assert verdicts["arm"].to_list()[:4] == ["x", "y", "x", "x"]


def test_dates_of_sparks_own_and_what_is_said(session, caplog):
    days = [datetime.date(2019, 1, 1) + datetime.timedelta(day) for day in (0, 28, 42, 364)]
    rows = [(name, day, "<10" if name == "B" else "60") for name in "AB" for day in days]

    with caplog.at_level(logging.WARNING, logger="itp_response"):
        found = spark.classify(session.createDataFrame(rows, "patient_id string, date date, platelets string"))

    expected = whole(pl.DataFrame(rows, schema=["patient_id", "date", "platelets"], orient="row"))
    assert here(found).equals(expected)
    assert caplog.messages == [
        "warning: 1 of 2 patients has a baseline of 30 or more, outside the entry limit of Wu 2022 (ATRA trial): below 30, or bleeding of grade 1 or more.",
        "warning: Discontinuation of treatment is not recorded, so it is assumed that no patient discontinued. If any did, add it (a column 'treatment_discontinued' of the patient table; DS in SDTM).",
        "warning: No bleeding grade is recorded, so bleeding is assumed to be reported as events, and an empty grade means no bleeding. If an empty grade means not assessed, say --bleeding scored.",
        "warning: No enrolment dates supplied: each patient's first count is on day 0.",
        "warning: Rescue treatment is not recorded, so it is assumed that none was given. If any was given, add it (a column 'rescue'; CM in SDTM).",
    ]


def test_a_bad_cell_is_told_with_its_patient(session):
    rows = [("A", 0, "15"), ("B", 0, "15"), ("B", 7, "4o"), ("C", 0, "15")]

    with pytest.raises(CohortError) as error:
        spark.classify(session.createDataFrame(rows, "patient_id string, day int, platelets string"))

    assert str(error.value) == (
        "visits: patient 'B', day 7: platelets: '4o' is not a number; "
        "give 10⁹/L, a bound such as '<10', or leave the cell empty."
    )


def test_what_is_no_frame_of_spark():
    with pytest.raises(UsageError, match=r"^visits is a frame of Spark, not 'DataFrame'; others go to 'classify'\.$"):
        spark.classify(pl.DataFrame({"patient_id": ["A"]}))


def test_without_pyspark(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)

    with pytest.raises(UsageError, match=r"^this needs pyspark, .* install it by\n    .*\[spark\]"):
        spark.classify(None)


@pytest.mark.parametrize(
    ("batches", "rows", "expected"),
    [
        # batches of rows, by patient        rows  pieces
        (["AABBC"],                          1,    ["AABB", "C"]),
        (["AABBC"],                          5,    ["AABB", "C"]),
        (["AABBC"],                          6,    ["AABBC"]),
        (["A", "A", "B", "B", "C"],          1,    ["AA", "BB", "C"]),
        (["A", "A", "B", "B", "C"],          4,    ["AA", "BBC"]),
        (["AA", "AA", "AA", "AB"],           3,    ["AAAAAAA", "B"]),
        (["AB", "BB", "BB", "BB", "C"],      2,    ["A", "BBBBBBB", "C"]),
        (["AB", "", "BB", "CD", "D", "DE"],  4,    ["A", "BBBC", "DDD", "E"]),
        (["", ""],                           4,    []),
    ],
)  # fmt: skip
def test_pieces_end_between_patients(batches, rows, expected):
    given = [pa.record_batch({"key": pa.array(list(batch), pa.string())}) for batch in batches]

    assert ["".join(piece["key"].to_pylist()) for piece in spark.pieces(given, rows)] == expected
