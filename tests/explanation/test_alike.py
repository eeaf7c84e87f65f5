"""Edits of which one stands for others: each of them, decided for itself, has the same verdicts."""

import numpy as np

from itp_response.cohort.edited import edited
from itp_response.cohort.notation import cohort_of
from itp_response.definitions.load import load
from itp_response.evaluation.evaluate import evaluate
from itp_response.explanation.counterfactuals.alike import alike
from itp_response.explanation.counterfactuals.edits import edits_tried

TIMELINES = [
    "d0 15, d21 29, d28 45, d42 12, d364 12",
    "d0 15, d22 40, d29 45 bleed 1, d50 60 rescue ivig to d55, d80 101, d120 28, d200 35, d340 110",
    "d0 15, d7 30, d14 31, d21 30, d84 120, d140 130, d196 99, d210 rescue ivig, d240 60, d337 31",
]


def test_those_that_stand_for_others_have_their_verdicts():
    criteria, cohort = load("atra_2022"), cohort_of(TIMELINES)
    edits = edits_tried(criteria, cohort, np.arange(len(cohort)))
    chosen, by = alike(criteria, cohort, edits)
    each = evaluate(criteria, edited(cohort, edits, criteria.file.columns))

    for endpoint, model in criteria.endpoints.items():
        if not model.is_length:
            assert np.array_equal(each[endpoint].value, each[endpoint].value[chosen[by]]), endpoint
    assert len(chosen) < len(edits) / 2
