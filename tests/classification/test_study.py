"""A study is given to every function in the same words: what was classified, what was read, or tables."""

from pathlib import Path

import pytest

import itp_response
from itp_response import ReadOptions, UsageError

ROOT = Path(__file__).parents[2]
STUDY = (ROOT / "examples" / "visits.csv", ROOT / "examples" / "patients.csv")
FUNCTIONS = {
    "classify": lambda *study, **more: itp_response.classify(*study, **more).frame(),
    "certificate": lambda *study, **more: itp_response.certificate(
        *study, patient="ITP-0001", counterfactuals=False, **more
    ),
    "explain": lambda *study, **more: str(
        itp_response.explain(*study, patient="ITP-0001", counterfactuals=False, **more)
    ),
    "near_misses": lambda *study, **more: str(itp_response.near_misses(*study, endpoint="OR", **more)),
    "sensitivity": lambda *study, **more: str(itp_response.sensitivity(*study, **more)),
    "compare": lambda *study, **more: str(itp_response.compare(*study, criteria=["atra_2022", "nct03304288"], **more)),
    "table": lambda *study, **more: str(itp_response.table(*study, **more)),
    "predictors": lambda *study, **more: str(itp_response.predictors(*study, column=["age"], **more)),
    "adam": lambda *study, **more: itp_response.adam(*study, study="S", **more).datasets["ADRS"].frame,
    "plot": lambda *study, **more: itp_response.plot("waterfall", *study, **more).drawn(".svg"),
}
"""Each function that takes a study, and what is compared of its result."""


def same(one, other):
    return one.equals(other) if hasattr(one, "equals") else one == other


@pytest.fixture(scope="module")
def classification():
    return itp_response.classify(*STUDY)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_classification_a_cohort_and_tables_give_the_same(name, classification):
    ask = FUNCTIONS[name]
    expected = ask(*STUDY)

    assert same(ask(classification), expected)
    assert same(ask(classification.cohort), expected)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("beside", [{"patients": STUDY[1]}, {"options": ReadOptions(bleeding="scored")}], ids=str)
def test_what_says_how_to_read_is_refused_beside_what_was_read(name, beside, classification):
    for study, what in ((classification, "Classification"), (classification.cohort, "Cohort")):
        with pytest.raises(UsageError) as error:
            FUNCTIONS[name](study, **beside)
        (argument,) = beside
        expected = f"{argument}: a {what} has been read already; give the tables, or leave out {argument!r}."
        assert str(error.value) == expected


def test_a_classification_keeps_its_set_unless_another_is_named(classification):
    assert itp_response.classify(classification) is classification
    assert itp_response.classify(classification, criteria="atra_2022_conduct").criteria.name == "atra_2022_conduct"
    assert itp_response.classify(classification.cohort).criteria.name == "atra_2022"


def test_review_and_report_take_what_was_read(classification):
    assert itp_response.review(classification).cohort is classification.cohort
    assert itp_response.review(classification.cohort).frame().equals(itp_response.review(classification).frame())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"bleeding": "scord"}, "unknown bleeding 'scord'; known: scored, events. Did you mean 'scored'?"),
        ({"impute": "middle"}, "unknown rule of imputing 'middle'; known: first, last."),
        ({"on_error": "skip"}, "unknown way with errors 'skip'; known: stop, quarantine."),
        (
            {"date_format": "dym"},
            "unknown date format 'dym'; known: iso, dmy, mdy, ymd, excel, excel-1904, a pattern such as %d/%m/%Y. "
            "Did you mean 'ymd'?",
        ),
    ],
)
def test_an_option_that_there_is_not(wrong, message):
    with pytest.raises(UsageError) as error:
        ReadOptions(**wrong)
    assert str(error.value) == message
