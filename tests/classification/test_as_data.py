"""As data: the results with their evidence, as a frame and as plain data."""

import json
from pathlib import Path

import pytest

import itp_response
from itp_response.cohort.values import NONE

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def study():
    return itp_response.classify(EXAMPLES / "visits.csv", EXAMPLES / "patients.csv")


def rows(study, patient, endpoint):
    return study.evidence().filter(patient_id=patient, endpoint=endpoint)


def test_the_evidence_has_every_row_that_a_verdict_names(study):
    wanted = sum(
        int((getattr(verdict, role) != NONE).sum())
        for verdict in study.verdicts.values()
        for role in ("onset", "confirming", "ended")
    )

    assert len(study.evidence()) == wanted > 0


def test_the_evidence_stands_in_the_file_where_it_says(study):
    lines = (EXAMPLES / "visits.csv").read_text().splitlines()
    for row in rows(study, "ITP-0003", "relapse").iter_rows(named=True):
        assert row["file"] == "visits.csv"
        assert lines[row["line"] - 1].split(",")[0] == "ITP-0003"
        assert f",{row['platelets']:g}," in lines[row["line"] - 1]


def test_it_goes_by_patient_and_by_the_order_of_the_endpoints(study):
    evidence = study.evidence()
    order = {name: number for number, name in enumerate(study.criteria.endpoints)}
    ids = {patient: number for number, patient in enumerate(study.cohort.id)}
    keys = [(ids[patient], order[name]) for patient, name in evidence["patient_id", "endpoint"].iter_rows()]

    assert keys == sorted(keys)


def test_plain_data_say_what_the_frame_says(study):
    data = study.as_dict()
    long = study.long()
    results = [result for patient in data["patients"] for result in patient["results"]]

    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert [patient["patient_id"] for patient in data["patients"]] == study.cohort.id.to_list()
    for name in ("endpoint", "value", "day", "confirmed_day", "reason", "days", "event"):
        assert [result[name] for result in results] == long[name].to_list()
    assert sum(len(result["evidence"]) for result in results) == len(study.evidence())


def test_a_censored_count_has_its_bounds():
    visits = [{"patient_id": "A", "day": day, "platelets": count} for day, count in ((0, 15), (21, ">100"), (28, "80"))]
    (patient,) = itp_response.classify(visits).as_dict()["patients"]
    (first, second) = patient["results"][0]["evidence"]

    assert (first["platelets"], first["platelets_high"], second["platelets"]) == (None, None, 80.0)
    assert first["platelets_low"] == 100


def test_a_patient_without_observations_has_results_without_evidence():
    data = itp_response.classify(
        [{"patient_id": "A", "day": 0, "platelets": 15}], [{"patient_id": name} for name in "AB"]
    ).as_dict()

    assert [result["evidence"] for result in data["patients"][1]["results"]] == [[]] * 9
