"""Provenance: every output says what made it, and nothing in it says when."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

import itp_response
from itp_response.classification.provenance import File, program_version, provenance
from itp_response.cli import main
from itp_response.cohort.observations import ReadFrom
from itp_response.definitions.load import loads
from itp_response.readers.options import ReadOptions

ROOT = Path(__file__).parents[2]
STUDY = (ROOT / "examples" / "visits.csv", ROOT / "examples" / "patients.csv")
ROWS = [{"patient_id": "1", "day": 0, "platelets": 15}]


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def found():
    return itp_response.classify(*STUDY, options=ReadOptions(bleeding="scored"))


def test_names_program_criteria_options_and_files_with_their_hashes(found, tmp_path):
    found.write(tmp_path / "out.csv")

    told = json.loads((tmp_path / "out.csv.provenance.json").read_text())
    assert told == {
        "program": "itp-response",
        "version": program_version(),
        "criteria": [
            {
                "name": "atra_2022",
                "file": "atra_2022.toml",
                "sha256": sha256(ROOT / "criteria" / "atra_2022.toml"),
                "checked": "primary",
                "read": "whole",
            }
        ],
        "options": json.loads(json.dumps({**found.cohort.read_from.options, "long": False})),
        "inputs": {
            "visits": [{"name": "visits.csv", "sha256": sha256(STUDY[0])}],
            "patients": [{"name": "patients.csv", "sha256": sha256(STUDY[1])}],
        },
        "assumed": [note.text for note in found.cohort.notes],
        "outputs": [{"name": "out.csv", "sha256": sha256(tmp_path / "out.csv")}],
    }


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
def test_the_same_input_gives_the_same_bytes(found, suffix, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        itp_response.classify(*STUDY, options=ReadOptions(bleeding="scored")).write(tmp_path / folder / f"out{suffix}")

    for name in (f"out{suffix}", f"out{suffix}.provenance.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_another_input_gives_another_hash(tmp_path):
    visits = tmp_path / "visits.csv"
    made = []
    for count in (15, 16):
        visits.write_text(f"patient_id,day,platelets\n1,0,{count}\n")
        made.append(itp_response.classify(visits).provenance().inputs["visits"][0])

    assert made[0].name == made[1].name == "visits.csv"
    assert made[0].sha256 != made[1].sha256


def test_parquet_carries_it_inside(found, tmp_path):
    found.write(tmp_path / "out.parquet")

    inside = json.loads(pl.read_parquet_metadata(tmp_path / "out.parquet")["itp_response"])
    beside = json.loads((tmp_path / "out.parquet.provenance.json").read_text())
    assert inside == {**beside, "outputs": []}


def test_of_a_folder_it_has_the_files_that_are_read(tmp_path):
    (tmp_path / "study").mkdir()
    for name in ("lb.csv", "dm.csv", "sdtm.toml", "vs.csv", "verdicts.csv"):
        (tmp_path / "study" / name).write_text(name)
    cohort = replace(itp_response.read(ROWS), read_from=ReadFrom({"visits": tmp_path / "study"}, {}))

    told = provenance([], cohort)

    assert told.inputs["visits"] == tuple(
        File(f"study/{name}", sha256(tmp_path / "study" / name)) for name in ("dm.csv", "lb.csv", "sdtm.toml")
    )


def test_what_is_no_file_has_no_hash():
    of_rows = itp_response.classify(ROWS).provenance()
    of_cohort = itp_response.classify(replace(itp_response.read(ROWS), read_from=None)).provenance()

    assert [(one.name, one.sha256) for one in of_rows.inputs["visits"]] == [("a table in memory (list)", None)]
    assert [(one.name, one.sha256) for one in of_cohort.inputs["visits"]] == [("visits", None)]
    assert "patients" not in of_rows.inputs


def test_criteria_that_are_no_file_have_no_hash():
    text = (ROOT / "criteria" / "atra_2022.toml").read_text()
    mine = loads(text, Path("nowhere.toml"))

    assert itp_response.classify(ROWS, criteria=mine).provenance().criteria == [
        {"name": "nowhere", "file": "nowhere.toml", "sha256": None, "checked": "primary", "read": "whole"}
    ]


def test_what_was_read_is_known_of_a_cohort_that_is_used_again(found):
    again = itp_response.classify(found.cohort)

    assert found.cohort.read_from.options["bleeding"] == "scored"
    assert again.provenance() == found.provenance()


def test_every_command_that_writes_a_file_writes_one_beside_it(tmp_path):
    study = (str(STUDY[0]), "--patients", str(STUDY[1]))
    two = ("--criteria", "atra_2022", "--criteria", "iwg_2009")
    for name, *words in (
        ("verdicts.csv", "classify", *study, "--output"),
        ("both.csv", "compare", *study, *two, "--output"),
        ("changes.csv", "compare", *study, *two, "--changes"),
        ("dependent.csv", "sensitivity", *study, "--output"),
        ("findings.csv", "review", *study, "--output"),
        ("queries.csv", "review", *study, "--data-queries"),
    ):
        done = CliRunner().invoke(main, [*words, str(tmp_path / name)], catch_exceptions=False)
        assert done.exit_code == 0, done.output

        told = json.loads((tmp_path / f"{name}.provenance.json").read_text())
        assert told["outputs"] == [{"name": name, "sha256": sha256(tmp_path / name)}]
        assert [one["name"] for one in told["inputs"]["visits"]] == ["visits.csv"]
        assert "atra_2022" in [one["name"] for one in told["criteria"]]
