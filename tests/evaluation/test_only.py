"""Only: for whom an endpoint is defined. Where the rule is false it is `NA`, and nothing else is looked at."""

import pytest
from worked import criteria_of, wrong

from itp_response.classification.classification import classify
from itp_response.cohort.notation import cohort_of
from itp_response.cohort.values import NO_DAY
from itp_response.evaluation.verdicts import NUMBERS
from itp_response.messages.errors import CriteriaError

COHORT = """
    [columns]
    cohort = { type = "number", table = "patients" }
    naive  = { type = "truth", table = "patients" }
"""
RESPONSE = (
    COHORT
    + """
    [R]
    kind   = "achieved"
    when   = "platelets >= 50"
    days   = [1, 84]
    unless = "treatment_discontinued"
    followed_from = 84
    only   = "cohort == 2 and naive"
"""
)
NESTED = """
    [K]
    kind = "{kind}"
    {keys}
"""


def decided(table, text=RESPONSE):
    return wrong(text, table)


def test_the_rule_decides_before_anything_else():
    """False: `NA`, by the first of its parts that is false. Unknown: `NE`. True: as without it."""
    assert not decided(
        """
        timeline       | cohort | naive | discontinued | value | day | reason          | because
        d28 60, d84 10 | 2      | yes   |              | Y     | 28  | met             | defined for her
        d28 20, d84 10 | 2      | yes   |              | N     |     | never_reached   | and not met
        d28 20         | 2      | yes   |              | NE    |     | follow_up_ended | or open
        d28 60, d84 10 | 2      | yes   | 70           | N     |     | discontinued    | then `unless`
        d28 60, d84 10 | 1      | yes   |              | NA    |     | cohort          | the first part fails
        d28 60, d84 10 | 2      | no    |              | NA    |     | naive           | the second
        d28 60, d84 10 | 1      | no    |              | NA    |     | cohort          | the first that is false
        d28 60, d84 10 | 1      |       |              | NA    |     | cohort          | false, the other unknown
        d28 60, d84 10 |        | no    |              | NA    |     | naive           | false, the other unknown
        d28 60, d84 10 | 2      |       |              | NE    |     | not_recorded    | who knows
        d28 60, d84 10 |        | yes   |              | NE    |     | not_recorded    | who knows
        d28 60, d84 10 | 1      | yes   | 70           | NA    |     | cohort          | goes before `unless`
        d28 60, d84 10 |        | yes   | 70           | NE    |     | not_recorded    | so does what is unknown
        d0 15          | 1      | yes   |              | NA    |     | cohort          | without a count too
        """
    )


def test_without_a_baseline_it_is_open_and_a_censored_one_is_completed():
    text = """
        [R]
        kind = "achieved"
        when = "platelets >= 50"
        days = [1, inf]
        only = "baseline < 20"
    """
    assert not decided(
        """
        timeline | baseline | value | reason           | because
        d28 60   | 19       | Y     | met              | below 20
        d28 60   | 20       | NA    | baseline         | not below
        d28 60   |          | NE    | baseline_missing | no count before
        d28 60   | <20      | Y     | met              | surely below
        d28 60   | <30      | NE    | censored_count   | may be either
        d28 60   | >20      | NA    | baseline         | surely not
        """,
        text,
    )


@pytest.mark.parametrize(
    ("kind", "keys", "passed_on"),
    [
        ("maintained", 'from = "R"\nwhen = "platelets >= 30"\nfor = "7 days"', True),
        ("lost", 'after = "R"\nwhen = "platelets < 30"', True),
        ("time_to", 'from = "R"\nto = "R"\ncensored = "last_count"', True),
        ("achieved", 'from = "R"\nwhen = "platelets >= 100"', True),
        ("at", 'from = "R"\nwhen = "platelets >= 30"\nday = 14\nwithin = [7, 21]', True),
        ("time_to", 'to = "R"', True),
        ("combined", 'when = "R or R"', False),
        ("best", 'of = ["R"]\notherwise = "none"', False),
    ],
)
def test_what_is_built_on_it(kind, keys, passed_on):
    """What starts from it, or runs to it, is `NA` or `NE` too; a rule over endpoints sees it as not met."""
    other = {"combined": "N", "best": "none"}.get(kind)
    criteria = criteria_of(RESPONSE + NESTED.format(kind=kind, keys=keys))
    patients = [{"cohort": 1, "naive": True}, {"naive": True}]
    verdict = classify(
        cohort_of(["d28 60, d84 60"] * 2, columns=criteria.file.columns, patient=patients), criteria=criteria
    ).verdicts["K"]

    values = [verdict.labels[value] for value in verdict.value]
    assert values == ["NA" if passed_on else other, "NE"]


KINDS = {
    "achieved": 'when = "platelets >= 50"',
    "maintained": 'from = "R"\nwhen = "platelets >= 30"\nfor = "7 days"',
    "lost": 'after = "R"\nwhen = "platelets < 30"',
    "time_to": 'to = "R"\ncensored = "last_count"',
    "at": 'when = "platelets >= 30"\nday = 28\nwithin = [21, 35]',
    "visits": 'when = "platelets >= 30"\nvisits = [28, 84]\nat_least = 1',
    "extent": 'when = "platelets >= 30"\ndays = [1, 100]',
    "combined": 'when = "R"',
    "best": 'of = ["R"]\notherwise = "none"',
}


@pytest.mark.parametrize("kind", KINDS)
def test_of_every_kind_there_is_no_evidence_and_no_length(kind):
    text = """
        [columns]
        cohort = { type = "number", table = "patients" }
        [R]
        kind = "achieved"
        when = "platelets >= 50"
    """
    criteria = criteria_of(text + NESTED.format(kind=kind, keys=f'{KINDS[kind]}\nonly = "cohort == 2"'))
    cohorts = [{"cohort": 2}, {"cohort": 1}, {}]
    timelines = ["d28 60, d84 60, d91 60, d364 60"] * 3
    classification = classify(cohort_of(timelines, columns=criteria.file.columns, patient=cohorts), criteria=criteria)
    verdict, reasons = classification.verdicts["K"], criteria.reasons.names

    values = [verdict.labels[value] for value in verdict.value]
    assert values[0] not in ("NA", "NE")
    assert values[1:] == ["NA", "NE"]
    assert [reasons[code] for code in verdict.reason[1:]] == ["cohort", "not_recorded"]
    for field in ("dated", "onset", "confirming", "ended"):
        assert getattr(verdict, field)[1:].tolist() == [-1, -1], field
    numbers = [getattr(verdict, field) for field in NUMBERS]
    assert all(days[1:].tolist() == [NO_DAY, NO_DAY] for days in numbers if days is not None)
    frame = classification.frame()
    further = [name for name in frame.columns if name.startswith("K_") and name != "K_reason"]
    assert not any(frame[name][1:].is_not_null().any() for name in further)


def test_a_rule_over_rows_is_refused_with_the_line_and_the_cure():
    text = """
        [R]
        kind = "achieved"
        when = "platelets >= 50"
        only = "platelets < 20"
    """
    with pytest.raises(CriteriaError, match=r"line \d+: \[R\] only: .*'only' is a rule over the patient as a whole"):
        criteria_of(text)
