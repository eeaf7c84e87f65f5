"""Only: which patients and rows of a file a mapping takes; who is left out is counted, and nothing else is."""

import pytest
from told import notes

import itp_response
from itp_response import CohortError, ReadOptions, read

HEADER = "id,event,arm,randomised,failed,date,plt\n"
TAKEN = "P1,base,A,2019-05-01,0,,\nP1,v1,,,,2019-05-01,12\nP1,v2,,,,2019-05-22,60\n"
FAILED = "P2,base,,,1,,\nP2,v1,,,,2019-05-01,12\n"
MAPPING = """
confirmed = true
[patients]
patient_id = "id"
arm = "arm"
enrolment_date = "randomised"
{}
[[visits]]
date = "date"
platelets = "plt"
{}
"""


def cohort(folder, rows, of_patients="", of_visits="", **options):
    (folder / "export.csv").write_text(HEADER + rows)
    (folder / "mapping.toml").write_text(MAPPING.format(of_patients, of_visits))
    return read(*itp_response.mapped(folder / "export.csv", folder / "mapping.toml"), options=ReadOptions(**options))


def test_who_failed_screening_is_left_out_or_kept_and_counted_either_way(tmp_path):
    with pytest.raises(
        CohortError, match=r"enrolment missing for 'P2' .*'only' under \[patients\].*--on-error quarantine"
    ):
        cohort(tmp_path, TAKEN + FAILED)

    taken = cohort(tmp_path, TAKEN + FAILED, 'only = { failed = "0" }')
    assert taken.id.to_list() == ["P1"]
    assert "1 patient excluded, with no row that says that failed is '0'." in notes(taken)
    kept = cohort(tmp_path, TAKEN + FAILED, on_error="quarantine")
    assert kept.id.to_list() == ["P1", "P2"]
    assert itp_response.classify(kept).frame()["OR"].to_list()[1] == "NE"


@pytest.mark.parametrize("said", ["no", "0.0", "O"])
def test_what_no_row_says_is_refused(tmp_path, said):
    with pytest.raises(CohortError) as error:
        cohort(tmp_path, TAKEN + FAILED, f'only = {{ failed = "{said}" }}')
    assert str(error.value) == f"export.csv: only: no row says that failed is '{said}'; it says '0', '1'."


def test_what_no_row_says_of_visits_is_a_warning(tmp_path):
    """The mapping of a study is used before its first rescue, too."""
    rescue = '[[visits]]\ndate = "date"\nrescue = "plt"\nonly = { event = "rescue" }'
    assert "only: no row says that event is 'rescue'; it says 'base', 'v1', 'v2'." in notes(
        cohort(tmp_path, TAKEN, "", rescue)
    )


def test_a_row_without_a_patient_is_no_row_of_one_who_is_left_out(tmp_path):
    rows = f"{TAKEN},v9,,,,2019-05-01,12\n"
    with pytest.raises(CohortError, match=r"^export.csv: line 5: id: the patient is missing; fill it in\.$"):
        cohort(tmp_path, rows, 'only = { failed = "0" }')


def test_of_whom_rows_say_both_is_taken_and_said(tmp_path):
    both = "P3,base,A,2019-05-01,0,,\nP3,late,,,1,2019-05-01,12\n"
    found = cohort(tmp_path, TAKEN + both, 'only = { failed = "0" }')
    assert found.id.to_list() == ["P1", "P3"]
    said = "1 patient included, with a row that says that failed is '0' and one that does not: 'P3'."
    assert said in notes(found)
