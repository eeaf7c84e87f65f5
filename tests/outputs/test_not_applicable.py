"""Not applicable: whom `only` leaves out is in no denominator, and every output says so."""

import pytest

import itp_response
from itp_response.definitions.load import loads

CRITERIA = """
title = "Of cohort 2"
checked = "primary"
[source]
cite = "invented"
[clock]
day_0 = "enrolment"
followed_from = 28
[baseline]
days = [-28, 0]
[columns]
cohort = { type = "number", table = "patients" }
[R]
label = "Response"
says = "A count of 50."
role = "response"
kind = "achieved"
when = "platelets >= 50"
only = "cohort == 2"
[B]
label = "Best"
says = "The best."
kind = "best"
of = ["R"]
otherwise = "none"
only = "cohort == 2"
"""
PATIENTS = [
    {"patient_id": "A", "arm": "X", "cohort": 2},
    {"patient_id": "B", "arm": "X", "cohort": 1},
    {"patient_id": "C", "arm": "Y"},
    {"patient_id": "D", "arm": "Y", "cohort": 2},
]
COUNTS = {"A": 60, "B": 60, "C": 60, "D": 20}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    path = tmp_path_factory.mktemp("only") / "only.toml"
    path.write_text(CRITERIA)
    visits = [
        {"patient_id": patient, "day": day, "platelets": count}
        for patient, last in COUNTS.items()
        for day, count in ((0, 15), (28, last))
    ]
    return itp_response.classify(visits, PATIENTS, loads(CRITERIA, path))


def test_the_denominators_and_the_footnotes(study):
    (responses,) = itp_response.table(study, show=["responses"]).tables
    (best,) = itp_response.table(study, show=["best"]).tables

    note = "among patients with cohort of exactly 2; 1 patient not applicable (NA), not in the denominator."
    assert responses.rows[0][1:3] == ("1/1 (100.0)", "0/2 (0.0)")
    assert f"R: {note}" in responses.notes
    assert [row[1:] for row in best.rows if row[0].strip() in ("Response (R)", "none")] == [
        ("1/1 (100.0)", "0/2 (0.0)"),
        ("0/1 (0.0)", "1/2 (50.0)"),
    ]
    assert f"B: {note}" in best.notes


@pytest.mark.parametrize(
    ("patient", "verdict", "missing", "means"),
    [
        ("A", "Y on day 28", "", "qualifies; starts here"),
        ("B", "NA (cohort)", "", "not used: only patients with cohort of exactly 2 are assessed"),
        (
            "C",
            "NE (missing data)",
            "the patient's cohort",
            "not used: only patients with cohort of exactly 2 are assessed",
        ),
    ],
)
def test_the_explanation(study, patient, verdict, missing, means):
    explanation, _ = itp_response.explain(study, patient=patient)

    assert (explanation.verdict, explanation.missing, explanation.rows[-1].means) == (verdict, missing, means)


def test_near_misses_do_not_ask_about_them(study):
    near = itp_response.near_misses(study).frame()

    assert near.select("endpoint", "patient_id", "value").sort("endpoint", "patient_id").rows() == [
        ("B", "A", "R"),
        ("B", "C", "NE"),
        ("B", "D", "none"),
        ("R", "C", "NE"),
        ("R", "D", "N"),
    ]
