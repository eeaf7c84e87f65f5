"""`[baseline] several`: of several counts on day 0, the lowest, or the last before the dose where times are known."""

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worked import criteria_of

import itp_response
from itp_response.classification.chunked.classify_to import classify_to
from itp_response.explanation.certificate import certificate
from itp_response.validation import literal

BY_TIME = """
    several = "last_before_dose"
    [X]
    kind = "achieved"
    when = "platelets >= 30 and platelets >= 2 * baseline"
    days = [1, 365]
"""
DAY_0 = datetime.date(2024, 1, 1)
LATER = ("2024-01-08", 50)


def study(counts, dose="2024-01-01T08:00"):
    """The visits of a patient with these counts by their dates, and one of 50 a week later; and the patient table."""
    visits = [{"patient_id": "A", "date": date, "platelets": count, "rescue": ""} for date, count in (*counts, LATER)]
    return visits, [{"patient_id": "A", "enrolment_date": dose, "treatment_discontinued": ""}]


def baseline(counts, dose="2024-01-01T08:00", criteria=None):
    classification = itp_response.classify(*study(counts, dose), criteria or criteria_of(BY_TIME))
    return classification.patient_days.baseline.low.tolist()[0]


@pytest.mark.parametrize(
    ("counts", "dose", "expected"),
    [
        ([("2024-01-01T07:00", 40), ("2024-01-01T09:00", 20)], "2024-01-01T08:00", 40),
        ([("2024-01-01T06:00", 20), ("2024-01-01T07:00", 40)], "2024-01-01T08:00", 40),
        ([("2024-01-01T07:00", 40), ("2024-01-01T06:00", 20)], "2024-01-01T08:00", 40),
        ([("2024-01-01T08:00", 40), ("2024-01-01T09:00", 20)], "2024-01-01T08:00", 40),
        ([("2024-01-01T07:00", 40), ("2024-01-01T07:00", 35)], "2024-01-01T08:00", 35),
        ([("2024-01-01 07:00:30", 40), ("2024-01-01 07:00:10", 20)], "2024-01-01 08:00", 40),
        ([("2024-01-01T07:00Z", 40), ("2024-01-01T09:00Z", 20)], "2024-01-01T08:00Z", 40),
        # All were taken later: the count of a day before stands.
        ([("2023-12-30", 33), ("2024-01-01T09:00", 20)], "2024-01-01T08:00", 33),
        # A time that is not known: the lowest stands.
        ([("2024-01-01T07:00", 40), ("2024-01-01", 20)], "2024-01-01T08:00", 20),
        ([("2024-01-01T07:00", 40), ("2024-01-01T00:00", 20)], "2024-01-01T08:00", 20),
        ([("2024-01-01T07:00", 40), ("2024-01-01T09:00", 20)], "2024-01-01", 20),
        ([("2024-01-01T07:00Z", 40), ("2024-01-01T09:00+01:00", 20)], "2024-01-01T08:00Z", 20),
    ],
)
def test_the_count_by_its_time(counts, dose, expected):
    assert baseline(counts, dose) == expected


def test_without_the_key_the_lowest_stands():
    lowest = criteria_of(BY_TIME.replace('several = "last_before_dose"', ""))

    assert baseline([("2024-01-01T07:00", 40), ("2024-01-01T09:00", 20)], criteria=lowest) == 20


def test_cells_that_are_times_are_read_as_texts_are():
    counts = [(datetime.datetime(2024, 1, 1, hour), count) for hour, count in ((7, 40), (9, 20))]
    visits = [{"patient_id": "A", "date": date, "platelets": count} for date, count in counts]
    patients = [{"patient_id": "A", "enrolment_date": datetime.datetime(2024, 1, 1, 8)}]
    classification = itp_response.classify(visits, patients, criteria_of(BY_TIME))

    assert classification.patient_days.baseline.low.tolist() == [40]


@pytest.mark.parametrize("hours", ["7:00 AM,9:00 AM,8:00 AM", "12:30 AM,1:00 PM,12:00 PM"])
def test_halves_of_the_day(hours):
    before, after, dose = (f"01.01.2024 {hour}" for hour in hours.split(","))
    visits = [
        {"patient_id": "A", "date": date, "platelets": count}
        for date, count in ((before, 40), (after, 20), ("08.01.2024", 50))
    ]
    options = itp_response.ReadOptions(date_format="dmy")
    patients = [{"patient_id": "A", "enrolment_date": dose}]
    classification = itp_response.classify(visits, patients, criteria_of(BY_TIME), options=options)

    assert classification.patient_days.baseline.low.tolist() == [40]


TIMED = [("2024-01-01T07:00", 40), ("2024-01-01T09:00", 20)]
BY_LOWEST = "Of several platelet counts on the day of the baseline, the lowest is the baseline"


@pytest.mark.parametrize(
    ("counts", "several", "notes"),
    [
        (TIMED, True, ["Of several platelet counts on day 0, the last before the dose is the baseline (1 patient)."]),
        (TIMED, False, [f"{BY_LOWEST} (1 patient)."]),
        ([("2024-01-01", 40), ("2024-01-01", 20)], True, [f"{BY_LOWEST}, where the times of day are not known (1 patient)."]),
        ([("2024-01-01", 40), ("2024-01-01", 40)], False, []),
        ([("2024-01-01", 40), ("2023-12-31", 20), ("2023-12-31", 10)], False, []),
    ],
)  # fmt: skip
def test_it_is_said_whole_and_in_chunks(counts, several, notes, tmp_path):
    text = BY_TIME if several else BY_TIME.replace('several = "last_before_dose"', "")
    visits, patients = study(counts)
    (tmp_path / "v.csv").write_text(
        "\n".join(["patient_id,date,platelets,rescue", *(",".join(map(str, v.values())) for v in visits)])
    )
    criteria = criteria_of(text)

    whole = itp_response.classify(tmp_path / "v.csv", patients, criteria)
    chunked = classify_to(tmp_path / "o.csv", tmp_path / "v.csv", patients, criteria)

    said = [note.text for note in whole.cohort.notes if "baseline" in note.text and "Of several" in note.text]
    assert said == notes
    assert whole.summary() == chunked.summary()


times = st.one_of(st.none(), st.integers(1, 4).map(lambda hour: datetime.time(hour)))
counts = st.lists(st.tuples(st.integers(-2, 0), times, st.integers(1, 60)), min_size=1, max_size=5)


@settings(max_examples=60)
@given(counts, times)
def test_as_the_literal_reading_has_it(counts, dose):
    seen = [literal.Observation(day, count, time=time) for day, time, count in counts]
    patient = literal.Patient((*seen, literal.Observation(7, 50)), dose_time=dose)
    criteria = criteria_of(BY_TIME)
    expected = literal.verdicts(dict(criteria.raw), patient)["X"].value

    dates = [(written(DAY_0 + datetime.timedelta(day), time), count) for day, time, count in counts]
    classification = itp_response.classify(*study(dates, written(DAY_0, dose)), criteria)

    verdict = classification.verdicts["X"]
    assert verdict.labels[verdict.value[0]] == expected


def written(day, time):
    return f"{day}" if time is None else f"{day}T{time}"


def test_a_certificate_names_the_count_that_was_chosen(tmp_path):
    classification = itp_response.classify(*study(TIMED), criteria_of(BY_TIME))

    assert certificate(classification, patient="A")["patient"]["baseline_given"] == 40
