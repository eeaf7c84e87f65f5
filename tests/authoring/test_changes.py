"""Changes: which small changes `check --mutate` makes of the keys about the patient."""

import tomllib

from itp_response.authoring.mutate import changes, mutate
from itp_response.definitions.load import load

HEAD = """
title = "Own days"
checked = "primary"
[source]
cite = "invented"
[clock]
day_0 = "enrolment"
followed_from = 28
[baseline]
days = [-28, 0]
[columns]
visit = { type = "number", table = "patients" }
other = { type = "number", table = "patients" }
"""
ENDPOINT = """
[V]
label = "Visits"
says = "A count of 50."
kind = "visits"
when = "platelets >= 50"
only = "other == 2"
visits = [7, "visit - 1"]
within = 3
in_any = 1
at_least = 1
missing_after = { other = "fails" }
[A]
label = "At"
says = "A count of 50."
kind = "at"
when = "platelets >= 50"
day = "visit"
within = [0, "visit + 7"]
"""


def changed(endpoint, key):
    raw = tomllib.loads(HEAD + ENDPOINT)
    return [change.after for change in changes(raw) if change.path == (endpoint, key)]


def test_days_of_the_patients_own_are_moved_and_become_those_of_another_number():
    assert changed("A", "day")[:2] == ["visit - 1", "visit + 1"]
    assert {"other", "treatment_discontinued"} <= set(changed("A", "day"))
    assert changed("A", "within")[:4] == [[-1, "visit + 7"], [1, "visit + 7"], [0, "visit + 6"], [0, "visit + 8"]]
    assert changed("V", "visits")[:4] == [[6, "visit - 2"], [8, "visit"], ["visit - 1"], [7]]


def test_what_a_cause_makes_of_a_missing_visit_and_for_whom_an_endpoint_is_defined():
    assert changed("V", "missing_after") == [{}, {"other": "unknown"}, {"other": "left_out"}, None]
    assert "other >= 2" not in changed("V", "only")
    assert {"other != 2", "other == 1", "visit == 2", None} <= set(changed("V", "only"))


def test_a_change_under_which_an_example_cannot_be_decided_is_noticed(tmp_path):
    path = tmp_path / "own.toml"
    example = """
[[example]]
name = "T01"
because = "the second visit comes seven days after the first"
timeline = "d0 15, d7 60"
patient = { visit = 15, other = 2 }
expect = { V = "Y" }
"""
    path.write_text(HEAD + ENDPOINT + example)

    noticed = [str(change) for change in mutate(load(path)).noticed]
    assert "[V] within: 3 -> 4" in noticed
