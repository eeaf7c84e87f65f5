"""Edits of which one stands for others: each of them, decided for itself, has the same verdicts."""

from pathlib import Path

import numpy as np
import own_words
import pytest
from worked import HEAD

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.edited import edited
from itp_response.cohort.notation import cohort_of
from itp_response.cohort.values import NONE, Bools
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load, loads, shipped
from itp_response.evaluation.evaluate import evaluate
from itp_response.explanation.counterfactuals.alike import Alike, alike
from itp_response.explanation.counterfactuals.edits import edits_tried
from itp_response.explanation.counterfactuals.outcomes import Outcomes
from itp_response.validation import bridge
from itp_response.validation.literal import Patient
from itp_response.validation.random_patients import random_patients

TIMELINES = [
    "d0 15, d21 29, d28 45, d42 12, d364 12",
    "d0 15, d22 40, d29 45 bleed 1, d50 60 rescue ivig to d55, d80 101, d120 28, d200 35, d340 110",
    "d0 15, d7 30, d14 31, d21 30, d84 120, d140 130, d196 99, d210 rescue ivig, d240 60, d337 31",
]
SETS = ["atra_2022", "fit", "hetrombopag", "iwg_2009", "luna3", "raise", "riviere_2023", "romiplostim_2008"]
"""Among them they have criteria of every kind."""
NEW_WORDS = """
[OR]
label     = "-"
says      = "-"
kind      = "achieved"
when      = "platelets >= 30"
occasions = 2
apart     = "7 days"
at_once   = "platelets >= 100 and bleeding_grade == 0"
discount  = "0 < days_since_rescue <= 7"
days      = [1, 200]
only      = "baseline < 30"
[LOSS]
label     = "-"
says      = "-"
kind      = "lost"
after     = "OR"
when      = "platelets < 30"
at_once   = "platelets < 15"
occasions = 2
[LAST]
label     = "-"
says      = "-"
kind      = "at"
when      = "platelets >= 50"
day       = 84
within    = [70, 120]
which     = "last"
closed_by = "rescue"
only      = "not treatment_discontinued <= 28"
"""


def without_bounds(patients: list[Patient]) -> list[Patient]:
    """The patients all of whose counts are known exactly."""
    return [
        one
        for one in patients
        if not isinstance(one.baseline, str) and not any(isinstance(seen.platelets, str) for seen in one.observations)
    ]


def each_has_the_verdicts_of_its_like(criteria: Criteria, cohort: Cohort) -> Alike:
    """Fails where an edit has another verdict than the one that stands for it, or than none, where none is decided."""
    edits = edits_tried(criteria, cohort, np.setdiff1d(np.arange(len(cohort)), cohort.incomplete))
    everyone = dict.fromkeys(criteria.endpoints, np.ones(len(cohort), dtype=np.bool_))
    found = alike(criteria, cohort, edits, everyone)
    each, without = evaluate(criteria, edited(cohort, edits, criteria.file.columns)), evaluate(criteria, cohort)
    for endpoint, model in criteria.endpoints.items():
        if not model.is_length:
            value = each[endpoint].value
            of_like = np.append(value[found.chosen], -1)[found.by]
            of_like = np.where(found.by == NONE, without[endpoint].value[edits.patient], of_like)
            assert np.array_equal(value, of_like), endpoint
    return found


def outcomes_are_those_of_each(criteria: Criteria, cohort: Cohort, asked: dict[str, Bools]) -> Outcomes:
    """Fails where a verdict asked about, told from a copy that was decided, is not that of the edit itself."""
    without = evaluate(criteria, cohort)
    was = {endpoint: verdict.value for endpoint, verdict in without.items()}
    edits = edits_tried(criteria, cohort, np.setdiff1d(np.arange(len(cohort)), cohort.incomplete))
    each = evaluate(criteria, edited(cohort, edits, criteria.file.columns))
    found = Outcomes.of(criteria, cohort, edits, was, asked)
    for endpoint, of in asked.items():
        told = np.append(found.values[endpoint], -1)[found.by]
        told = np.where(found.by == NONE, was[endpoint][edits.patient], told)
        is_asked = of[edits.patient]
        assert np.array_equal(each[endpoint].value[is_asked], told[is_asked]), endpoint
    return found


@pytest.mark.parametrize("name", [*shipped(), own_words.NAME])
def test_those_that_stand_for_others_have_their_verdicts_in_every_set(name, tmp_path):
    if name == own_words.NAME:
        criteria, drawn = own_words.criteria(tmp_path), own_words.patients(12, 3)
    else:
        criteria = load(name)
        drawn = random_patients(criteria.raw, 12, 3)
    each_has_the_verdicts_of_its_like(criteria, bridge.cohort_of(without_bounds(drawn)[:6], criteria.file.columns))


@pytest.mark.parametrize("name", SETS)
def test_verdicts_asked_about_are_those_of_each_edit(name):
    criteria = load(name)
    drawn = without_bounds(random_patients(criteria.raw, 12, 3))[:6]
    cohort = bridge.cohort_of(drawn, criteria.file.columns)
    with_verdict = [endpoint for endpoint, model in criteria.endpoints.items() if not model.is_length]
    # Of the first patients the endpoints in the first half, of the others those in the second.
    is_first = np.arange(len(cohort)) < len(cohort) // 2
    half = len(with_verdict) // 2
    asked = {endpoint: is_first if place < half else ~is_first for place, endpoint in enumerate(with_verdict)}
    outcomes_are_those_of_each(criteria, cohort, asked)


def test_edits_by_which_what_an_endpoint_starts_from_is_met_are_told_apart_by_its_own_rules():
    timelines = ["d0 15, d21 29, d28 45, d42 12, d90 60, d364 12", "d0 15, d22 40, d28 31, d60 101, d90 120, d364 35"]
    criteria, cohort = load("atra_2022"), cohort_of(timelines)

    outcomes_are_those_of_each(criteria, cohort, dict.fromkeys(["CR", "SR", "remission"], np.array([True, True])))


def test_only_edits_by_which_what_it_starts_from_is_met_are_decided_by_its_own_rules():
    criteria, cohort = load("atra_2022"), cohort_of(["d0 15, d28 16, d60 17, d90 12, d200 20, d364 12"])
    of_all = dict.fromkeys(["OR", "CR", "SR", "relapse", "remission"], np.ones(1, dtype=np.bool_))

    found = outcomes_are_those_of_each(criteria, cohort, of_all)

    assert set(found.values) == set(of_all)  # and not the durations
    everyone = dict.fromkeys(criteria.endpoints, np.ones(1, dtype=np.bool_))
    told_apart = alike(criteria, cohort, edits_tried(criteria, cohort, np.array([0])), everyone).chosen
    assert len(found.decided) < 0.7 * len(told_apart)


@pytest.mark.parametrize("text", [None, NEW_WORDS], ids=["atra_2022", "new words"])
def test_fewer_than_half_of_them_are_decided(text):
    criteria = load("atra_2022") if text is None else loads(HEAD + text, Path("new_words.toml"))
    found = each_has_the_verdicts_of_its_like(criteria, cohort_of(TIMELINES))

    assert len(found.chosen) < len(found.by) / 2


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('when      = "platelets >= 30"', 'when      = "platelets >= 2 * at_baseline(platelets)"'),
        ("days      = [1, 200]", 'days      = [1, "treatment_discontinued"]'),
        ('only      = "baseline < 30"', 'followed_from = "treatment_discontinued"'),
        ('closed_by = "rescue"', 'missing_after = { treatment_discontinued = "fails" }'),
        ('which     = "last"', 'which     = "nearest"'),
    ],
    ids=["another row", "own day", "own follow-up", "missing visits by cause", "the nearest day"],
)
def test_each_is_decided_where_a_set_asks_for_more_than_is_compared(was, becomes):
    assert was in NEW_WORDS
    criteria = loads(HEAD + NEW_WORDS.replace(was, becomes), Path("new_words.toml"))

    found = each_has_the_verdicts_of_its_like(criteria, cohort_of(TIMELINES))

    assert len(found.chosen) == len(found.by)
