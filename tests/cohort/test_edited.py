"""Copies of patients with a change: the parts they are made of."""

import numpy as np

from itp_response.cohort.build import build
from itp_response.cohort.declared_columns import ColumnDeclared
from itp_response.cohort.edited import (
    COUNT,
    LOST,
    RESCUE,
    Edits,
    concatenated,
    copied_courses,
    copied_patients,
    copied_rows,
    edited,
    joined,
    replaced,
)
from itp_response.cohort.notation import cohort_of, timeline_of
from itp_response.cohort.values import NONE, Numbers, exactly

COLUMNS = {"dose": ColumnDeclared(type="number"), "drug": ColumnDeclared(type="text")}
TIMELINES = [
    "d0 15 dose=50 drug=b, d22 <10 rescue ivig to d25, d28 45 bleed 1",
    "d0 8 drug=a, d7 bleed ? rescue anti-d",
]


def edit(patient, kind, row=NONE, course=NONE, day=0, count=np.nan):
    """One change."""
    columns = (np.array([value]) for value in (patient, kind, row, course, day, count, 0.0))
    return Edits(*columns)


def lines(cohort):
    return [timeline_of(cohort, position)[0] for position in range(len(cohort))]


def test_copies_without_a_change_are_the_patients():
    cohort = cohort_of(TIMELINES, columns=COLUMNS, baseline=[15, None])
    patients = np.array([1, 0, 1])
    courses, course = copied_courses(cohort, patients)
    observed = concatenated([copied_rows(cohort, patients), courses], ["dose", "drug"])
    copies = build(copied_patients(cohort, patients), observed)

    written = lines(cohort)
    assert lines(copies) == [written[position] for position in patients]
    assert copies.baseline.low[1] == 15
    assert course.tolist() == [1, 0, 1]
    assert copies.source_row.tolist() == [3, 4, 0, 1, 2, 3, 4]


def test_each_change_is_of_its_copy_alone():
    cohort = cohort_of(TIMELINES, columns=COLUMNS)
    edits = joined(
        [
            edit(0, COUNT, row=1, day=22, count=30.0),
            edit(0, RESCUE, row=1, course=0, day=22),
            edit(1, LOST, row=3),
        ]
    )

    assert lines(edited(cohort, edits, COLUMNS)) == [
        "d0 15 dose=50 drug=b, d22 30 rescue ivig to d25, d28 45 bleed 1",
        "d0 15 dose=50 drug=b, d22 <10, d28 45 bleed 1",
        "d0 bleed ? drug=a, d7 bleed ? rescue anti-d",
    ]


def test_texts_of_other_labels_are_put_together():
    parts = [copied_rows(cohort_of([line], columns=COLUMNS), np.array([0])) for line in TIMELINES]
    drug = concatenated(parts, ["drug"]).columns["drug"]

    assert [drug.labels[code] if code >= 0 else None for code in drug.codes] == ["b", None, None, "a", None]


def test_numbers_are_exact_where_no_bound_is_left():
    censored = Numbers(np.array([0.0, 40.0]), np.array([10.0, 40.0]))
    first, none = np.array([True, False]), np.array([False, False])

    assert replaced(censored, first, np.array([5.0, 5.0])).exact
    assert not replaced(censored, none, np.array([5.0, 5.0])).exact
    assert replaced(exactly(np.array([1.0, 2.0])), first, np.array([9.0, 9.0])).low.tolist() == [9, 2]
