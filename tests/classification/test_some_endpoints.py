"""Some endpoints of a set: decided by themselves, they have the verdicts that they have in the whole set."""

from dataclasses import fields

import numpy as np
import pytest

from itp_response.classification.classification import Classification
from itp_response.classification.some_endpoints import evaluate_beside, with_endpoints
from itp_response.cohort.notation import cohort_of
from itp_response.definitions.load import load
from itp_response.evaluation.evaluate import evaluate
from itp_response.evaluation.verdicts import Verdict
from itp_response.validation import bridge
from itp_response.validation.random_patients import random_patients

SETS = ("atra_2022", "iwg_2009", "romiplostim_2008")


def is_the_same(one: Verdict, other: Verdict) -> bool:
    return all(np.array_equal(getattr(one, field.name), getattr(other, field.name)) for field in fields(Verdict))


@pytest.mark.parametrize("name", SETS)
def test_a_set_beside_another_has_the_verdicts_that_it_has_alone(name):
    base = load(name)
    cohort = bridge.cohort_of(random_patients(base.raw, 20, 5), base.file.columns)
    for exact in (cohort.with_rows(np.flatnonzero(cohort.platelets.low == cohort.platelets.high)), cohort):
        classification = Classification(base, exact, evaluate(base, exact))
        for tried in base.file.interpretation:
            if tried.change:
                other = base.under(tried.id)
                beside, alone = evaluate_beside(other, classification, 1), evaluate(other, exact)
                assert list(beside) == list(alone)
                assert all(is_the_same(beside[endpoint], alone[endpoint]) for endpoint in alone), tried.id


def test_endpoints_that_an_interpretation_does_not_change_are_not_decided_again():
    base, cohort = load("atra_2022"), cohort_of(["d0 15, d22 40, d29 45, d364 50"])
    verdicts = evaluate(base, cohort)

    beside = evaluate_beside(base.under("any-gap"), Classification(base, cohort, verdicts), 1)

    assert [name for name in beside if beside[name] is not verdicts[name]] == ["SR"]


def test_a_term_that_is_changed_changes_the_endpoints_that_name_it():
    base, cohort = load("atra_2022"), cohort_of(["d0 15, d22 40 bleed 1, d29 45, d36 45, d364 50"])
    verdicts = evaluate(base, cohort)

    beside = evaluate_beside(base.under("bleeding-from-grade-2"), Classification(base, cohort, verdicts), 1)

    assert verdicts["OR"].dated.tolist() == [2]
    assert beside["OR"].dated.tolist() == [1]


def test_with_a_censored_count_it_is_the_whole_set():
    criteria = load("atra_2022")

    assert list(with_endpoints(criteria, cohort_of(["d0 15, d22 40"]), ["SR"]).endpoints) == ["OR", "SR"]
    assert with_endpoints(criteria, cohort_of(["d0 15, d22 <30"]), ["SR"]) is criteria
