"""A cohort of selected patients has the records of those patients, in that order; one named twice is there twice."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

from itp_response.classification.classification import classify
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import RESCUE_END, Note, Origin
from itp_response.cohort.values import Texts
from itp_response.readers.options import ReadOptions
from itp_response.readers.visits import read
from itp_response.validation.bridge import as_literal, cohort_of

VISITS = [
    ("A", "2019-01-01", 15, None, None),
    ("A", "2019-02-01", 40, "IVIg", "2019-02"),
    ("A", "2019-02-01", "<10", None, None),
    ("A", "2019-03", 50, None, None),
    ("B", "2019-01-01", 12, None, None),
    ("B", "2019-01-20", 60, "anti-D", None),
    ("B", "2019-01-20", None, "IVIg", "2019-01-24"),
    ("C", "2019-01-01", 8, None, None),
    ("C", "2019-04", 33, None, None),
    ("C", "2019-04", None, "IVIg", None),
    ("E", "2019-01-01", 20, None, None),
]
PATIENTS = [
    ("A", "x", "2019-01-01", None),
    ("B", "y", "2019-01-01", "2019-05-03"),
    ("C", "x", "2019-01", "2019-06"),
    ("D", "y", "2019-01-01", None),
    ("E", "y", "2019-01-01", "2020"),
]


def study(impute=None) -> Cohort:
    """Five patients: dates known only in part of A, C and E, no row of D."""
    names = ("patient_id", "date", "platelets", "rescue", "rescue_end")
    visits = [dict(zip(names, row, strict=True)) for row in VISITS]
    names = ("patient_id", "arm", "enrolment_date", "treatment_discontinued")
    patients = [dict(zip(names, row, strict=True)) for row in PATIENTS]
    cohort = read(visits, patients, options=ReadOptions(impute=impute))
    number = len(cohort)
    file = Texts(np.zeros(number, dtype=np.int32), ("ds.csv",))
    return replace(
        cohort,
        stopped_by=Origin(file, np.arange(number) + 2, file),
        quarantined=np.arange(number),
        notes=(Note("visits", "a note"),),
    )


def records(cohort: Cohort, position: int) -> dict:
    """All that a cohort has of one patient, without its own way of selecting patients."""
    begin, end = cohort.first_row[position : position + 2].tolist()
    rows = range(begin, end)
    lines = [slice(*cohort.first_line[row : row + 2].tolist()) for row in rows]
    courses = [course for course, row in enumerate(cohort.courses.row.tolist()) if row in rows]
    names = cohort.courses.name
    return {
        "id": cohort.id[position],
        "arm": cohort.arm[position],
        "day_0": str(cohort.day_0[position]),
        "baseline": (cohort.baseline.low[position], cohort.baseline.high[position]),
        "stopped": (cohort.treatment_discontinued[position], cohort.stopped_by.named(position + 1)),
        "quarantined": cohort.quarantined[position],
        "patient": [cohort.patient[row] - position for row in rows],
        "days": [cohort.day[row] for row in rows],
        "counts": [(cohort.platelets.low[row], cohort.platelets.high[row]) for row in rows],
        "bleeding": [cohort.bleeding_grade[row] for row in rows],
        "rescue": [(cohort.rescue[row], cohort.days_since_rescue[row]) for row in rows],
        "sources": [(cohort.source_row[row], cohort.source_of(row)) for row in rows],
        "lines": [(cohort.lines[part].tolist(), cohort.counts.low[part].tolist()) for part in lines],
        "courses": [
            (cohort.courses.row[course] - begin, cohort.courses.last[course], names.labels[names.codes[course]])
            for course in courses
        ],
        "imputed": imputed(cohort, position),
        "partial": partial(cohort, position),
    }


def imputed(cohort: Cohort, position: int) -> list:
    if cohort.imputed is None:
        return []
    dates = cohort.imputed.dates
    ours = np.flatnonzero(dates.patient == position).tolist()
    return [(dates.what[date], dates.written[date], str(cohort.imputed.assumed[date])) for date in ours]


def partial(cohort: Cohort, position: int) -> list:
    if cohort.partial is None or position not in cohort.partial.patient:
        return []
    whole = cohort.partial
    place = whole.patient.tolist().index(position)
    observations = np.flatnonzero(whole.observed.patient == place).tolist()
    dates = [
        (
            whole.dates.what[date],
            whole.dates.at[date] - (observations[0] if whole.dates.what[date] <= RESCUE_END else place),
            str(whole.dates.first[date]),
            whole.dates.count[date],
            whole.dates.line[date],
            whole.dates.written[date],
        )
        for date in np.flatnonzero(whole.dates.patient == place).tolist()
    ]
    observed = [
        (whole.observed.day[one], whole.observed.platelets.low[one], whole.observed.rescue[one], whole.has_end[one])
        for one in observations
    ]
    return [str(whole.day_0[place]), dates, observed]


def same(some: object, other: object) -> bool:
    """Equal, where NaN is NaN."""
    return repr(some) == repr(other)


STUDIES = {impute: study(impute) for impute in (None, "first", "last")}


class TestSelect:
    def test_there_is_something_to_lose(self):
        """The study has all that a selection could lose."""
        assert STUDIES[None].partial is not None
        assert len(STUDIES[None].partial.patient) == 3
        assert len(STUDIES["last"].imputed.dates.what) == 7
        assert len(STUDIES[None].lines) > len(STUDIES[None].day)
        assert len(STUDIES[None].courses.row) == 4

    @pytest.mark.parametrize("impute", [None, "first", "last"])
    @settings(max_examples=40)
    @given(positions=st.lists(st.integers(0, len(PATIENTS) - 1), max_size=7))
    def test_has_the_records_of_the_selected_patients(self, impute, positions):
        whole = STUDIES[impute]
        selected = whole.select(positions)

        assert len(selected) == len(positions)
        for position, original in enumerate(positions):
            assert same(records(selected, position), records(whole, original))

    def test_a_selection_is_selected_from(self):
        whole = STUDIES[None]
        twice = whole.select([4, 2, 0, 2]).select([3, 0])

        assert [same(records(twice, 0), records(whole, 2)), same(records(twice, 1), records(whole, 4))] == [True, True]

    def test_no_patient_with_a_partial_date_is_none_known_in_part(self):
        assert STUDIES[None].select([1, 3]).partial is None

    def test_notes_are_of_the_whole(self):
        assert STUDIES[None].select([0]).notes == ()

    def test_the_marks_are_those_of_the_selected(self):
        marks = {mark.name: mark.to_list() for mark in STUDIES["first"].select([2, 1, 2]).marks()}
        assert marks["quarantined"] == [2, 1, 2]
        assert marks["imputed"] == [4, 0, 4]

    @pytest.mark.parametrize("impute", [None, "first"])
    def test_verdicts_are_those_of_the_whole(self, impute):
        whole = STUDIES[impute]
        verdicts = as_literal(classify(whole))
        assert as_literal(classify(whole.select([4, 0, 2, 0]))) == [verdicts[position] for position in (4, 0, 2, 0)]

    @settings(max_examples=40)
    @given(st.lists(strategies.patients(), min_size=1, max_size=4), st.data())
    def test_verdicts_are_those_of_the_whole_for_all_patients(self, patients, data):
        whole = cohort_of(patients)
        positions = data.draw(st.lists(st.integers(0, len(patients) - 1), max_size=5))
        verdicts = as_literal(classify(whole))
        assert as_literal(classify(whole.select(positions))) == [verdicts[position] for position in positions]


def test_the_position_of_a_patient():
    cohort = STUDIES[None]
    assert (cohort.position("C"), cohort.position("Z")) == (2, None)
    assert cohort.id.to_list() == ["A", "B", "C", "D", "E"]
    assert isinstance(cohort.id, pl.Series)
