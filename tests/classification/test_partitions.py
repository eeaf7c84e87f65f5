"""Partitions: a study cut between its patients has the results of the whole; a problem is told with its patient."""

import logging
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import polars as pl
import pytest

from itp_response.classification import partitions
from itp_response.classification.classification import classify
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load
from itp_response.messages.errors import CohortError, CriteriaError, UsageError
from itp_response.readers.options import ReadOptions
from itp_response.readers.problems import as_text

EXAMPLES = Path(__file__).parents[2] / "examples"
OWN = EXAMPLES / "own_definition.toml"


def example(name):
    return pl.read_csv(EXAMPLES / name, infer_schema=False)


def table(text):
    """A table of these lines, `-` for an empty cell."""
    header, *rows = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    cells = [[None if cell == "-" else cell for cell in row] for row in rows]
    return pl.DataFrame(cells, schema=dict.fromkeys(header, pl.String), orient="row")


def cut(frame, number, patient="patient_id"):
    """The frame in this number of partitions by patient; rows without one are in the first."""
    part = as_text(frame[patient]).hash(seed=3).fill_null(0) % number
    part = part.set(as_text(frame[patient]).is_null(), 0)
    return [frame.filter(part == one) for one in range(number)]


loaded = cache(load)


def in_parts(visits, patients=None, criteria="atra_2022", number=3, **options):
    """What a cluster does, here: the results by patient."""
    plan = partitions.plan_for(criteria if isinstance(criteria, Criteria) else loaded(criteria), ReadOptions(**options))
    of_visits, of_patients = partitions.headers(plan, visits.columns, None if patients is None else patients.columns)
    if "treatment_discontinued" in of_patients:
        name = of_patients["treatment_discontinued"]
        plan = replace(plan, stopped=partitions.stopped_on(patients[name], name, plan.options.dates_of_patients))
    cut_patients = [None] * number if patients is None else cut(patients, number, of_patients["patient_id"])
    pieces = list(zip(cut(visits, number, of_visits["patient_id"]), cut_patients, strict=True))
    noticed = pl.concat([partitions.inspected(plan, *piece) for piece in pieces])
    plan = partitions.settled(plan, noticed, patients=patients is not None)
    return pl.concat([partitions.results(plan, *piece) for piece in pieces]).sort("patient_id")


def whole(visits, patients=None, criteria="atra_2022", **options):
    criteria = criteria if isinstance(criteria, Criteria) else loaded(criteria)
    return classify(visits, patients, criteria, options=ReadOptions(**options)).frame().sort("patient_id")


# HOW DAYS ARE NUMBERED IS ASKED OF THE WHOLE STUDY


@pytest.mark.parametrize("last", [0, 1])
def test_whether_there_is_a_day_0_is_asked_of_the_whole_study(last):
    """Each patient has days before and after 0; one patient in one partition has day 0, or none has."""
    rows = [{"patient_id": one, "day": day, "platelets": 12} for one in "ABCDEF" for day in (-7, 1, 29)]
    visits = pl.DataFrame([*rows, {"patient_id": "A", "day": last, "platelets": 12}])
    if last:
        with pytest.raises(CohortError) as of_parts:
            in_parts(visits)
        with pytest.raises(CohortError) as of_whole:
            whole(visits)
        assert str(of_parts.value) == str(of_whole.value)
        told = {"day_numbering": "study-day"}
        assert in_parts(visits, **told).equals(whole(visits, **told))
    else:
        assert in_parts(visits).equals(whole(visits))


# A RESULT DOES NOT DEPEND ON WHERE THE STUDY WAS CUT

DAYS = """
    patient_id | day | platelets | bleeding_grade | rescue | rescue_end
    A          | 0   | 15        | -              | -      | -
    A          | 28  | 60        | -              | -      | -
    A          | 42  | 60        | -              | -      | -
    A          | 364 | 60        | -              | -      | -
    B          | 0   | 15        | -              | -      | -
    B          | 28  | <50       | -              | IVIg   | 30
    B          | 42  | 60        | -              | -      | -
    B          | 84  | 60        | -              | -      | -
    C          | 0   | 15        | {grade}        | -      | -
    C          | 28  | 60        | 1              | -      | -
    C          | 364 | 60        | 2              | -      | -
    -          | -   | -         | -              | -      | -
    D          | 7   | -         | -              | -      | -
"""
DATES = """
    subject | visit_date | plt
    A       | 2019-01-01 | 15
    A       | 2019-02-01 | 60
    A       | 2019-03    | 60
    B       | 2019-01-01 | 15
    B       | 2019-02-01 | 60
    C       | 2019-05    | 15
"""


@pytest.mark.parametrize("number", [1, 2, 7])
@pytest.mark.parametrize(
    ("visits", "patients", "criteria"),
    [
        # bleeding is scored where one patient of one part has a grade of 0, else a log
        (DAYS.format(grade="0"), None, "atra_2022"),
        (DAYS.format(grade="1"), None, "atra_2022"),
        # a declared column that is not there; a log of events; the sets with other kinds
        (DAYS.format(grade="1"), None, "iwg_2009"),
        (DAYS.format(grade="0"), None, OWN),
        # dates, some of them months alone
        (DATES, None, "atra_2022"),
        # dates of some patients only; a patient who is not in the table, and one without a visit
        (DAYS.format(grade="0"), "id | enrolment_date\nA | 2019-01-01\nB | -\nC | -\nE | -", "atra_2022"),
        # the day 1 is a day, as another patient's 70 shows
        (DAYS.format(grade="0"), "patient_id | discontinued | arm\nA | 1 | x\nB | 70 | y\nC | - | x", "atra_2022"),
        # a year alone is a date, as others show
        (DATES, "patient_id | discontinued\nA | 2019\nB | 2019-07-01\nC | 2019-08-01", "atra_2022"),
    ],
)  # fmt: skip
def test_cut_anywhere_the_verdicts_are_those_of_the_whole(visits, patients, criteria, number):
    visits, patients = table(visits), patients and table(patients)

    found = in_parts(visits, patients, criteria, number)

    expected = whole(visits, patients, criteria)
    assert found.equals(expected)
    assert found.schema == expected.schema


@pytest.mark.parametrize("number", [1, 12])
@pytest.mark.parametrize("criteria", ["atra_2022", "iwg_2009"])
def test_the_example_study(criteria, number):
    visits, patients = example("visits.csv"), example("patients.csv")

    assert in_parts(visits, patients, criteria, number).equals(whole(visits, patients, criteria))


def test_an_interpretation_of_a_set_goes_to_the_parts():
    visits, patients = example("visits.csv"), example("patients.csv")
    other = load("atra_2022").under("bleeding-from-grade-2", "any-gap")

    found = in_parts(visits, patients, other, 5)

    assert found.equals(whole(visits, patients, other))
    assert not found.equals(whole(visits, patients))


@pytest.mark.parametrize("number", [1, 2, 7])
def test_imputed_dates_are_counted(number):
    visits, patients = table(DATES), table("patient_id | discontinued\nA | 2019\nB | 2019-07-01\nC | 2019-08-01")

    for impute in ("first", "last"):
        found, expected = (way(visits, patients, impute=impute) for way in (partial(in_parts, number=number), whole))
        assert found.equals(expected)
        assert found.schema == expected.schema
        assert found["imputed"].to_list() == [2, 0, 1]


def test_counts_known_only_as_bounds():
    visits = table(
        "patient_id | day | platelets\n"
        + "\n".join(
            f"P{number} | {day} | {count}"
            for number, drawn in enumerate(["<50", ">29", ">400", "<10", "60"])
            for day, count in zip((0, 28, 30, 35, 364), ("15", "60", drawn, "60", "<40"), strict=True)
        )
    )

    expected = whole(visits)
    assert "censored_count" in expected["OR_reason"].to_list()
    for number in (1, 3):
        assert in_parts(visits, number=number).equals(expected)


def test_told_bleeding_is_told_to_the_parts():
    visits = table(DAYS.format(grade="0"))

    for bleeding in ("scored", "events"):
        assert in_parts(visits, bleeding=bleeding).equals(whole(visits, bleeding=bleeding))


# WHAT IS SAID


def test_what_was_taken_is_said_once_of_the_whole(caplog):
    with caplog.at_level(logging.WARNING, logger="itp_response"):
        in_parts(table(DAYS.format(grade="0")), table("id | dose\nA | 1\nE | 2"), "iwg_2009", number=7)

    assert sorted(caplog.messages) == [
        "assumed: 'id' is read as patient_id.",
        "assumed: 1 row skipped: no count, grade, rescue or declared column. In one part of the data; likewise in 1 other part.",
        "assumed: Grade 0 occurs, so bleeding is assumed to be assessed at every visit, and an empty grade is missing. If an empty grade means no bleeding, say --bleeding events.",
        "assumed: rescue: counted as rescue treatment: 'ivig' 1.",
        "warning: 1 patient not in the patient table, kept: 'C'. In one part of the data; likewise in 1 other part.",
        "warning: 1 patient without a row in the visits, kept: 'E'.",
        "warning: 1 patient without any observation, kept: 'D'.",
        "warning: There is no column 'corticosteroid_dependence'; assumed to be false throughout.",
    ]


VISITS = "patient_id | day | platelets | bleeding_grade | rescue | rescue_end"
GOOD = f"{VISITS}\nA | 0 | 15 | - | - | -\nB | 0 | 15 | - | - | -\nC | 0 | 15 | - | - | -"


@pytest.mark.parametrize(
    ("visits", "patients", "said"),
    [
        # cells, each with its patient and day
        (f"{GOOD}\nB | 7 | 4o | - | - | -", None, "visits: patient 'B', day 7: platelets: '4o' is not a number; give 10⁹/L, a bound such as '<10', or leave the cell empty."),
        (f"{GOOD}\nC | 7 | -3 | 5 | - | -\nA | x | 3 | - | - | -", None, "visits: patient 'A', day x: day: 'x' is not a day; give whole days since enrolment, such as 28.\nvisits: patient 'C', day 7: platelets: '-3' is below 0; correct it.\nvisits: patient 'C', day 7: bleeding_grade: '5' is not a WHO bleeding grade; give 0, 1, 2, 3 or 4."),
        (f"{GOOD}\n- | 7 | 3 | - | - | -", None, "visits: no patient, day 7: the patient is missing; fill it in."),
        (f"{GOOD}\nA | - | 3 | - | - | -", None, "visits: patient 'A': day: the day is missing; fill it in."),
        (f"{GOOD}\nA | 9 | 3 | - | IVIg | 7", None, "visits: patient 'A', day 9: rescue_end: '7' is before the start of the rescue treatment; correct one of the two."),
        # patients
        (GOOD, "patient_id | baseline\nA | 15\nB | many", "patients: patient 'B': baseline: 'many' is not a number; give 10⁹/L, a bound such as '<10', or leave the cell empty."),
        (GOOD, "patient_id | arm\nA | x\nA | y", "patients: patient 'A': arm: 'x' and 'y' for the same patient 'A'; keep one."),
        (GOOD, "patient_id | enrolment_day\nA | 0\nB | 0", "visits: patient 'C', day 0: the patient's enrolment is not known."),
        # the end of treatment, as all of it shows
        (GOOD, "patient_id | discontinued\nA | 1\nB | 0\nC | -", "patients: discontinued: 0 and 1 do not say when treatment was stopped; give the day or date; if these are days, name the column 'discontinuation_day'."),
        (GOOD, "patient_id | discontinued\nA | 70\nB | 80\nC | 2019-05-01", "patients: patient 'C': discontinued: '2019-05-01' is a date; give whole days since enrolment, or dates throughout."),
        # columns
        ("patient_id | day\nA | 0", None, "visits: the column 'platelets' is missing; there are: patient_id, day."),
        (GOOD, "who | arm\nA | x", "patients: the column 'patient_id' is missing; there are: who, arm."),
        ("patient_id | day | date | platelets\nA | 0 | 2019-01-01 | 15", None, "visits: 'date' and 'day' both say when a visit was; drop one: keep the day if it counts from enrolment as day 0, else the date."),
        # nothing
        (VISITS, None, "visits: there are no rows."),
        (GOOD, "patient_id | arm", "patients: there are no rows."),
        (f"{VISITS}\n- | - | - | - | - | -", None, "visits: no row names a patient."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("number", [1, 5])
def test_what_is_wrong_is_told_with_its_patient(visits, patients, said, number):
    with pytest.raises(CohortError) as error:
        in_parts(table(visits), patients and table(patients), number=number)

    assert str(error.value) == said


def test_of_many_problems_twenty_are_told_and_the_others_counted():
    visits = table(GOOD + "".join(f"\n{name} | {day} | 4o | - | - | -" for day in range(1, 31) for name in "ABC"))

    for number in (1, 5):
        with pytest.raises(CohortError) as error:
            in_parts(visits, number=number)

        *told, last = str(error.value).splitlines()
        assert (len(told), last) == (20, "… and 70 more")
        assert told[0].startswith("visits: patient 'A', day 1: platelets: '4o' is not a number;")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"bleeding": "scord"}, UsageError, "unknown bleeding 'scord'; known: scored, events. Did you mean 'scored'?"),
        ({"impute": "middle"}, UsageError, "unknown rule of imputing 'middle'; known: first, last."),
        ({"criteria": "atra"}, CriteriaError, "unknown criteria 'atra'; known: "),
    ],
)
def test_options_that_there_are_not(options, error, said):
    with pytest.raises(error) as raised:
        partial(in_parts, table(GOOD), **options)()

    assert str(raised.value).startswith(said)
