"""The notation of a timeline: what is read is written again, and what cannot be written is said."""

import numpy as np
import pytest

from itp_response.authoring.check import worked_examples
from itp_response.classification.classification import classify
from itp_response.cohort.declared_columns import ColumnDeclared
from itp_response.cohort.notation import bounds, cohort_of, count_text, timeline_of, unplanned_ends
from itp_response.definitions.load import load, shipped
from itp_response.messages.errors import CohortError

DOSE = {"dose": ColumnDeclared(type="number"), "drug": ColumnDeclared(type="truth")}


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("d22 40", "d22 40"),
        ("d28 40, d-7 15", "d-7 15, d28 40"),
        ("d22 40 bleed 0, d28 60 bleed 2", "d22 40, d28 60 bleed 2"),
        ("d22 <10, d28 >1000, d35 <=30, d42 ≥30", "d22 <10, d28 >1000, d35 <=30, d42 >=30"),
        ("d35 bleed 1, d36 40 bleed ?", "d35 bleed 1, d36 40 bleed ?"),
        ("d3 rescue to d5, d7 rescue IVIg", "d3 bleed 0 rescue to d5, d7 bleed 0 rescue ivig"),
        ("d3 rescue platelet_transfusion", "d3 bleed 0 rescue platelet_transfusion"),
        ("d3 12 rescue to d4, d3 rescue IVIg", "d3 12 rescue to d4, d3 rescue ivig"),
        ("d21 49, d21 60", "d21 49"),
        ("d3 29.95 dose=50 drug=no", "d3 29.95 dose=50 drug=no"),
    ],
)
def test_a_timeline_is_written_as_it_is_read(typed, written):
    cohort = cohort_of([typed], columns=DOSE)

    assert timeline_of(cohort, 0) == (written, [])


@pytest.mark.parametrize("text", ["0", "40", "29.95", "<10", "<0.5", "<=30", ">1000", ">=30", ">400.5"])
def test_a_count_is_written_as_it_is_read(text):
    assert count_text(*bounds(text)) == text


def test_no_count_lies_below_0():
    with pytest.raises(ValueError, match="<0"):
        bounds("<0")


def test_a_count_between_two_bounds_has_no_word():
    with pytest.raises(ValueError, match="10 to 20"):
        count_text(10, 20)


@pytest.mark.parametrize("name", shipped())
def test_every_worked_patient_has_the_same_verdicts_when_written_and_read_again(name):
    criteria = load(name)
    cases = criteria.file.example
    cohort = worked_examples(criteria, cases)
    written = [timeline_of(cohort, place) for place in range(len(cohort))]
    again = worked_examples(
        criteria,
        [case.model_copy(update={"timeline": line}) for case, (line, _) in zip(cases, written, strict=True)],
    )

    assert [unsaid for _, unsaid in written if unsaid] == []
    assert np.array_equal(again.platelets.low, cohort.platelets.low, equal_nan=True)
    assert classify(again, criteria=criteria).frame().equals(classify(cohort, criteria=criteria).frame())


def test_what_a_line_cannot_say_is_said():
    cohort = cohort_of(["d3 rescue a;b to d4"])
    names = cohort.courses.name
    object.__setattr__(names, "labels", ("dexamethasone, high dose",))

    assert timeline_of(cohort, 0) == (
        "d3 bleed 0 rescue to d4",
        ["day 3: the name 'dexamethasone, high dose' of the rescue cannot be written in a line; left out."],
    )


@pytest.mark.parametrize(
    "typed",
    [
        "d36526 40",
        "d-36526 40",
        "d3 rescue to d99999999999",
        "d99999999999 40",
        f"d{'9' * 5000} 40",
        f"d3 rescue to d{'9' * 5000}",
        f"d0..d{'9' * 5000} 40",
    ],
)
def test_a_day_beyond_reason_is_refused(typed):
    with pytest.raises(CohortError, match="a day lies at most 36,525 days from day 0"):
        cohort_of([typed])


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("60000", "timeline: '60000' looks like cells/µL; give 10⁹/L (60)."),
        ("5001", "timeline: '5001' looks like cells/µL; give 10⁹/L (5.001)."),
        ("<10000", "timeline: '<10000' looks like cells/µL; give 10⁹/L (<10)."),
        (">400000", "timeline: '>400000' looks like cells/µL; give 10⁹/L (>400)."),
    ],
)
def test_a_count_per_microlitre_is_asked_about_as_in_files(typed, message):
    with pytest.raises(CohortError) as refused:
        cohort_of([f"d0 15, d22 {typed}"])
    assert str(refused.value).splitlines() == [
        message,
        f"    d0 15, d22 {typed}",
        f"           {'^' * len(f'd22 {typed}')}",
    ]


def test_the_highest_count_is_read():
    assert cohort_of(["d0 5000, d7 <5000, d14 >4999"], baseline=[5000]).platelets.low.tolist()[0] == 5000


PLANNED = (0, 42, 49, 56, 364)


@pytest.mark.parametrize(
    ("typed", "notes"),
    [
        ("d42..d364 40", []),
        ("d40 15", []),
        (
            "d40..d364 40",
            ["'d40..d364' stands for the planned days 42 to 364; day 40 is not planned and is left out."],
        ),
        (
            "d42..d60 40",
            ["'d42..d60' stands for the planned days 42 to 56; day 60 is not planned and is left out."],
        ),
        (
            "d40..d45 40",
            ["'d40..d45' stands for the planned day 42; days 40 and 45 are not planned and are left out."],
        ),
        (
            "d0 15, d40..d49 40, d50..d364 bleed 1",
            [
                "'d40..d49' stands for the planned days 42 to 49; day 40 is not planned and is left out.",
                "'d50..d364' stands for the planned days 56 to 364; day 50 is not planned and is left out.",
            ],
        ),
    ],
)
def test_a_first_or_last_day_that_is_not_planned_is_noted(typed, notes):
    assert list(unplanned_ends(typed, PLANNED)) == notes
    assert [note.text for note in cohort_of([typed, typed], visits=PLANNED).notes] == notes


@pytest.mark.parametrize("name", shipped())
def test_no_worked_example_of_a_shipped_set_begins_or_ends_on_a_day_that_is_not_planned(name):
    criteria = load(name)

    assert worked_examples(criteria, criteria.file.example).notes == ()


def test_a_column_of_the_visits_is_not_one_of_the_patient():
    with pytest.raises(CohortError) as refused:
        cohort_of(["d3 40"], columns=DOSE, patient=[{"dose": 50}])
    assert str(refused.value) == "patient: 'dose' is a column of the visits; write it there, as in 'd3 dose=…'."
