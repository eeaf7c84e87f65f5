"""Intercurrent events: the strategy of each endpoint for each event, from the rules or as the file states it."""

from pathlib import Path
from typing import get_args

import pytest

from itp_response.definitions.intercurrent_events import (
    EVENTS,
    NOT_STATED,
    handlings,
    in_words,
    strategy_of,
    table,
    without_events,
)
from itp_response.definitions.load import load, loads, shipped
from itp_response.definitions.schema import CriteriaFile, Strategy

HEAD = """
title = "T"
checked = "unverified"
source.cite = "none"
clock = { day_0 = "enrolment", visits = [0, 7, 14, 28], followed_from = 28 }
baseline.days = [-7, 0]
columns.switched = { type = "truth", table = "patients", empty = false }
rescues.transfusion = ["platelet transfusion"]

[R]
label = "Response"
says = "R"
kind = "achieved"
when = "platelets >= 30"
"""


def file_of(text: str) -> CriteriaFile:
    return loads(text, Path("t.toml")).file


def strategies(file: CriteriaFile, name: str) -> list[str]:
    return [handling.strategy for handling in handlings(file, name)]


@pytest.mark.parametrize(
    ("keys", "rescue", "discontinuation"),
    [
        ("", "treatment policy", "treatment policy"),
        ('closed_by = "rescue"', "composite variable", "treatment policy"),
        ('closed_by = "transfusion"', "composite variable", "treatment policy"),
        ('unless = "treatment_discontinued"', "treatment policy", "composite variable"),
        ('closed_by = "rescue or treatment_discontinued <= 28"', "composite variable", "composite variable"),
        ('discount = "days_since_rescue <= 7"', NOT_STATED, "treatment policy"),
        ('discount = "days_since_transfusion <= 7"', NOT_STATED, "treatment policy"),
        ('unless = "switched"', NOT_STATED, NOT_STATED),
        ('unless = "switched"\nclosed_by = "rescue"', "composite variable", NOT_STATED),
    ],
)
def test_the_rules_decide_the_strategy_or_leave_it_open(keys, rescue, discontinuation):
    assert strategies(file_of(HEAD + keys), "R") == [rescue, discontinuation, NOT_STATED]


@pytest.mark.parametrize(
    ("when", "strategy", "how"),
    [
        ("rescue", "the endpoint itself", "met with rescue treatment"),
        ("rescue and day > 7", "the endpoint itself", "met with rescue treatment after day 7"),
        (
            "(platelets < 30 or rescue) and day > 7",
            "composite variable",
            "part of the endpoint: (a count below 30 or rescue treatment) after day 7",
        ),
        (
            "platelets >= 30 and not rescue",
            NOT_STATED,
            "part of the state: a count of at least 30 and no rescue treatment",
        ),
    ],
)
def test_an_event_in_the_state_of_an_endpoint(when, strategy, how):
    handling = handlings(file_of(HEAD.replace("platelets >= 30", when)), "R")[0]

    assert (handling.strategy, handling.how) == (strategy, how)


LOST = """
[L]
label = "Loss"
says = "L"
kind = "lost"
after = "R"
when = "platelets < 30"
"""


def test_an_endpoint_that_starts_from_another_handles_what_only_that_names_as_that_does():
    file = file_of(f'{HEAD}closed_by = "rescue"\n{LOST}')

    assert strategies(file, "L") == ["as R", "treatment policy", NOT_STATED]
    assert strategy_of(file, "L", "rescue") == ""


def test_a_loss_by_the_event_is_composite():
    file = file_of(HEAD + LOST.replace("platelets < 30", "platelets < 30 or rescue"))

    assert str(handlings(file, "L")[0]) == "rescue treatment: composite variable (rescue treatment is a loss)"


STATED = """
[[intercurrent]]
event = "rescue"
strategy = "hypothetical"
endpoints = ["R"]
where = "Protocol, 9.2"
"""


def test_what_the_rules_leave_open_is_as_the_file_states_it():
    file = file_of(f'{HEAD}discount = "days_since_rescue <= 7"\n{STATED}how = "counts are set to missing"')

    assert in_words(file, "R") == (
        "Intercurrent events (ICH E9(R1)): rescue treatment: hypothetical (counts are set to missing; Protocol, 9.2); "
        "discontinuation of treatment: treatment policy (no rule takes it into account, and later counts are used as "
        "any other); death: not stated by the source (no rule names it; the counts up to it decide, and what they "
        "cannot establish is missing data). Missing data: N if not met and follow-up is complete; NE if not or if a count of "
        "unknown state could have met it."
    )
    assert strategy_of(file, "R", "rescue") == "hypothetical"


def test_an_interpretation_that_decides_what_the_file_states_is_no_error():
    """The statement is about the definition as the file has it."""
    text = f"""{HEAD}discount = "days_since_rescue <= 7"
{STATED}
[[interpretation]]
id = "rescue-ends-it"
question = "?"
assumed = "No."
change = {{ R.closed_by = "rescue", R.discount = "" }}
"""

    changed = loads(text, Path("t.toml")).under("rescue-ends-it")

    assert strategies(changed.file, "R")[0] == "composite variable"


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_set_answers_for_each_event_and_for_missing_data(name):
    file = load(name).file

    rows = table(file)
    known = {*get_args(Strategy), NOT_STATED, "the endpoint itself", *(f"as {endpoint}" for endpoint in file.endpoints)}
    for event in EVENTS.values():
        answered = [endpoint for row in rows if row[0] == event for endpoint in row[2].split(", ")]
        others = [endpoint for line in without_events(file) for endpoint in line.split(":")[0].split(", ")]
        assert sorted([*answered, *others]) == sorted(file.endpoints)
    assert {row[1] for row in rows if row[0] != "missing data"} <= known
    assert all(row[3] for row in rows)
    assert all(model.missing_data() for model in file.endpoints.values())


@pytest.mark.parametrize(
    ("name", "endpoint", "missing"),
    [
        ("fit", "stable", "a planned visit without a count counts as failing"),
        ("nct00415532", "response_24", "a planned visit without a count counts as unknown"),
        ("raise", "mostly", "only visits with a count are assessed"),
        (
            "raise",
            "weeks",
            "the state is carried forward to the next observation for at most 28 days; NE if there is none",
        ),
        ("romiplostim_2008", "weeks", "time without an observation is not counted; NE if there is none"),
        ("godeau_2008", "good_1y", "NE if there is no count in the window"),
        ("atra_2022", "CR", "N if not met and follow-up is complete; NE if not"),
        ("atra_2022", "remission", "NE if no observation fails and there is none in the window"),
        ("atra_2022", "relapse", "N if there is no loss and follow-up is complete; NE if not"),
        ("atra_2022", "DOR", "without relapse, censored at the last count"),
        ("atra_2022", "best_response", "as in the endpoints that it is decided from"),
    ],
)
def test_how_a_kind_handles_missing_data(name, endpoint, missing):
    assert load(name).endpoints[endpoint].missing_data() == missing
