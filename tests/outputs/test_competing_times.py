"""A time with a moment of censoring and competing events of its own, in tables, curves, ADTTE and explanations."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import itp_response
from itp_response.definitions.load import loads
from itp_response.outputs.statistics.from_day_0 import cumulative_incidence

ROOT = Path(__file__).parents[2]
SET = """
title   = "Time to splenectomy, with death (invented)"
checked = "unverified"
[source]
cite = "invented"
[clock]
day_0         = "first dose"
visits        = [0, 28, 56, 84]
followed_from = 84
[baseline]
days = [-7, 0]
[columns]
splenectomy      = { type = "truth", empty = false }
died             = { type = "truth", empty = false }
end_of_treatment = { type = "number", table = "patients", empty = "unknown", optional = true }
[out]
label = "Splenectomy"
says  = "The spleen is taken out."
kind  = "achieved"
when  = "splenectomy"
[death]
label = "Death"
says  = "The patient dies."
kind  = "achieved"
when  = "died"
[late]
label     = "Time to splenectomy"
says      = "From day 0 to splenectomy."
kind      = "time_to"
to        = "out"
censored  = ["end_of_treatment", "last_count"]
competing = ["death"]
"""
VISITS = """\
patient_id,day,platelets,splenectomy,died
A,0,15,,
A,84,60,,
B,0,15,,
B,84,15,,
B,91,,yes,
C,0,12,,
C,50,20,,
D,0,12,,
D,70,20,,
D,71,,,yes
E,0,12,,
E,40,20,yes,
"""
PATIENTS = "patient_id,end_of_treatment\nA,90\nB,90\nC,\nD,100\nE,\n"
TIMES = {"A": (90, 0), "B": (90, 0), "C": (50, 0), "D": (71, 2), "E": (40, 1)}
"""The days of each patient, and how the time ended."""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files of the study and of the set."""
    folder = tmp_path_factory.mktemp("study")
    for name, text in {"visits.csv": VISITS, "patients.csv": PATIENTS, "set.toml": SET}.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def study(files):
    return itp_response.classify(files / "visits.csv", files / "patients.csv", files / "set.toml")


def test_the_result(study):
    frame = study.frame()
    assert dict(zip(frame["patient_id"], frame.select("late_days", "late_event").rows(), strict=True)) == TIMES


def test_curves_censor_at_a_competing_event_and_the_incidence_counts_it(study):
    table = itp_response.table(study, show=["times"])["times"]
    rows = {row[0].strip(): row[1:] for row in table.rows}
    assert rows["events/patients (n/N)"] == ("1/5",)
    assert rows["competing events"] == ("1",)
    days, codes = np.array(list(TIMES.values())).T
    steps = cumulative_incidence(days.astype(float), codes == 1, codes == 2)
    share = table.frame().filter(statistic="cumulative incidence")["value"].item()
    assert share == pytest.approx(steps.share[-1]) == pytest.approx(0.2)
    assert any("competing events, which end the time: " in note and "Death" in note for note in table.notes)
    assert any("Kaplan-Meier and Cox censor at them" in note for note in table.notes)


def test_the_curve_has_a_panel_of_the_incidence(study):
    picture = itp_response.plot("km", study)
    assert any("Competing events, which end the time: Death" in note for note in picture.notes)
    assert [axes.get_ylabel().replace("\n", " ") for axes in picture.axes] == [
        "Patients without splenectomy (out) (%)",
        "Cumulative incidence of splenectomy (out) (%)",
    ]
    assert any("censored patients, also at a competing event" in note for note in picture.notes)


def test_the_text_of_the_set_names_what_the_time_adds_to_its_event(study):
    text = " ".join(itp_response.describe(study.criteria).split())
    expected = "late: as in out, with death as a competing event and censoring at the recorded day end_of_treatment."
    assert expected in text


def test_further_competing_events_can_be_named(study):
    """Beside those of the set: the earlier of both ends the time; who has none is not touched."""
    table = itp_response.table(study, show=["times"], competing=["end_of_treatment"])["times"]
    assert {row[0].strip(): row[1:] for row in table.rows}["competing events"] == ("3",)


def test_adtte(study):
    """2 is a competing event, 7 a moment that the set names; the last count has the codes that it always had."""
    adtte = itp_response.adam(study, study="S").frame("ADTTE")
    assert adtte.select("USUBJID", "AVAL", "CNSR", "EVNTDESC", "CNSDTDSC", "ADY", "SRCSEQ").rows() == [
        (
            "A",
            90,
            7,
            "Censored on the day that the criteria name",
            "Recorded day end_of_treatment",
            91,
            None,
        ),
        (
            "B",
            90,
            7,
            "Censored on the day that the criteria name",
            "Recorded day end_of_treatment",
            91,
            None,
        ),
        ("C", 50, 3, "Follow-up ended before the event could be ruled out", "Last count", 51, 8),
        ("D", 71, 2, "Death", "Death", 72, 11),
        ("E", 40, 0, "Splenectomy", None, 41, 13),
    ]


@pytest.mark.parametrize(
    ("patient", "said"),
    [
        ("A", ["90 days, censored at the recorded day end_of_treatment on day 90", "no observation"]),
        ("B", ["out: not counted, after", "censored on the recorded day"]),
        ("C", ["50 days, censored at the last count on day 50", "last count, censored"]),
        ("D", ["71 days, to a competing event on day 71 (death)", "a competing event came first: Death on day 71"]),
        ("E", ["40 days, to day 40", "ends here: out"]),
    ],
)
def test_an_explanation_says_how_the_time_ended(study, patient, said):
    text = " ".join("\n".join(map(str, itp_response.explain(study, patient=patient, endpoint="late"))).split())
    assert [sentence for sentence in said if sentence not in text] == []


def test_what_is_missing_is_the_day(files):
    """Without any moment of the list: the day that was not recorded, or a count."""
    for censored, missing in [
        ('"end_of_treatment"', "the day end_of_treatment"),
        ('["last_count"]', "a count on day 0"),
    ]:
        text = SET.replace('["end_of_treatment", "last_count"]', censored)
        criteria = loads(text, Path("set.toml"))
        visits = [{"patient_id": "A", "day": -3, "platelets": 12}]
        (explained,) = itp_response.explain(
            itp_response.classify(visits, criteria=criteria), patient="A", endpoint="late"
        )
        assert explained.value == "NE"
        assert missing in str(explained)


@pytest.mark.parametrize("patient", TIMES)
def test_the_certificate_is_decided_again(study, files, patient, tmp_path):
    certificate = itp_response.certificate(study, patient=patient, endpoint="late")
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(certificate))
    checker = ROOT / "examples" / "certificate_checker.py"
    sources = [files / name for name in ("visits.csv", "patients.csv", "set.toml")]
    done = subprocess.run([sys.executable, checker, path, *sources], capture_output=True, text=True, check=False)
    assert done.stdout == f"agrees: {patient}\n", done.stdout

    (stated,) = [verdict for verdict in certificate["verdicts"] if verdict["endpoint"] == "late"]
    stated["day"] += 1
    path.write_text(json.dumps(certificate))
    done = subprocess.run([sys.executable, checker, path], capture_output=True, text=True, check=False)
    assert "does not agree" in done.stdout


def test_every_small_change_of_the_keys_is_tried():
    """`check --mutate` changes where a time is censored and what competes."""
    changes = {str(change) for change in itp_response.mutate(loads(SET, Path("set.toml"))).unnoticed}
    assert {
        "[late] censored: ['end_of_treatment', 'last_count'] -> ['last_count']",
        "[late] censored: ['end_of_treatment', 'last_count'] -> ['last_count', 'end_of_treatment']",
        "[late] competing: ['death'] -> left out",
    } <= changes
