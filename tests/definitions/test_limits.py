"""Limits of criteria files: what would exhaust the program is refused before the work begins, with its line."""

from pathlib import Path

import pytest

from itp_response.authoring.visit_plan import visit_plan
from itp_response.cohort.notation import cohort_of
from itp_response.definitions.load import loads
from itp_response.messages.errors import CohortError, CriteriaError, UsageError

HEAD = """title = "t"
checked = "primary"
[source]
cite = "c"
[clock]
day_0 = "d"
visits = [0, 7]
followed_from = 28
[baseline]
days = [-7, 0]
"""
ENDPOINT = """[R]
label = "R"
says = "s"
kind = "achieved"
when = "platelets >= 50"
"""


def lost(number, after):
    return f'[L{number}]\nlabel = "l"\nsays = "s"\nkind = "lost"\nafter = "{after}"\nwhen = "platelets < 30"\n'


CHAIN = "".join(lost(number, f"L{number - 1}" if number else "R") for number in range(60, -1, -1))
DOUBLED = '[terms]\nt0 = "platelets > 30 and rescue"\n' + "".join(
    f't{number} = "t{number - 1} and t{number - 1}"\n' for number in range(1, 40)
)
HIGHER = " or 1 < highest(platelets, '8 weeks')"
NESTED = "[terms]\n" + "".join(f't{number} = "t{number - 1}"\n' for number in range(60, 0, -1)) + 't0 = "rescue"\n'
REFUSED = {
    "levels of lists": (HEAD + f"x = {'[' * 40}{']' * 40}\n" + ENDPOINT, 11, "more than 32 levels deep"),
    "dotted keys": (HEAD + f"{'.'.join('a' * 60)} = 1\n" + ENDPOINT, 11, "more than 32 levels deep"),
    "digits": (HEAD.replace("[0, 7]", f"[0, {'9' * 5_000}]") + ENDPOINT, 7, "at most 18 digits"),
    "another base": (HEAD.replace("[0, 7]", f"[0, 0x{'f' * 400}]") + ENDPOINT, 7, "at most 18 digits"),
    "a far visit": (HEAD.replace("[0, 7]", "[0, 36526]") + ENDPOINT, 7, "36526 is farther than 36,525 days"),
    "many visits": (HEAD.replace("[0, 7]", str(list(range(1_001)))) + ENDPOINT, 7, "1,001 visits; at most 1,000"),
    "a far day": (HEAD + ENDPOINT + "days = [1, 1e30]\n", 16, "1e+30 is farther than 36,525 days from day 0"),
    "a long length": (HEAD + ENDPOINT + 'apart = "99999999999 weeks"\n', 16, "is longer than 36,525 days"),
    "occasions": (HEAD + ENDPOINT + "occasions = 1000000000\n", 16, "it must be at most 1,000"),
    "a high number": (HEAD + ENDPOINT.replace("50", "1" * 400), 15, "a number in a rule is at most 1,000,000,000"),
    "nots": (HEAD + ENDPOINT.replace("platelets", "not " * 600 + "platelets"), 15, "at most 50 levels"),
    "signs": (HEAD + ENDPOINT.replace("50", "50 * " + "-" * 600 + "1"), 15, "at most 50 levels"),
    "a sum": (HEAD + ENDPOINT.replace("50", "50" + " + 1" * 400), 15, "at most 50 levels"),
    "a long rule": (HEAD + ENDPOINT.replace(">= 50", ">= 50 or rescue" * 900), 15, "at most 10,000 characters"),
    "parts": (HEAD + ENDPOINT.replace("50", "50" + " or 1<2" * 600), 15, "at most 1,000 parts"),
    "functions": (HEAD + ENDPOINT.replace(">= 50", ">= 50" + HIGHER * 200), 15, "at most 1,000 parts"),
    "a long length of a function": (
        HEAD + ENDPOINT.replace("50", "lowest(platelets, '9999 weeks')"),
        15,
        "36,525 days",
    ),
    "doubled terms": (HEAD + DOUBLED + ENDPOINT, 19, "at most 1,000 parts, its terms written out"),
    "nested terms": (HEAD + NESTED + ENDPOINT, 12, "at most 50 levels"),
    "a chain": (HEAD + ENDPOINT + CHAIN, 314, "a chain of more than 50 endpoints"),
    "interpretations": (HEAD + ENDPOINT + '[[interpretation]]\nid = "i"\n' * 201, 16, "at most 200"),
}


def test_a_function_its_name_and_its_length_are_parts():
    """The last of 1,000 parts is allowed: of `or`, the first comparison with 3, and 199 with 5 each, 999 are counted."""
    loads(HEAD + ENDPOINT.replace(">= 50", ">= 50" + HIGHER * 199), Path("mine.toml"))


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_exhaust_the_program_is_refused(case):
    text, line, said = REFUSED[case]
    with pytest.raises(CriteriaError) as refused:
        loads(text, Path("mine.toml"))
    message = str(refused.value)
    assert (message.startswith(f"mine.toml: line {line}: "), said in message) == (True, True), message
    assert len(message) < 10_000


def test_as_much_as_is_allowed_is_read():
    terms = NESTED.replace("t60", "u").replace('u = "t59"\n', "")
    deep = "\n".join(line for line in terms.splitlines() if not line.startswith(tuple(f"t{n} " for n in range(45, 60))))
    text = (
        HEAD.replace("[0, 7]", str(list(range(1_000)))) + deep + "\n" + ENDPOINT + "occasions = 1000\ndays = [1, inf]\n"
    )
    criteria = loads(text, Path("mine.toml"))
    assert len(criteria.clock.visits) == 1_000


def test_many_endpoints_take_a_time_that_grows_with_their_number():
    """The names of 10,000 endpoints are compared with those of columns once each."""
    text = HEAD + "".join(ENDPOINT.replace("[R]", f"[R{number}]") for number in range(1_500))
    assert len(loads(text, Path("mine.toml")).endpoints) == 1_500


@pytest.mark.parametrize(
    ("timeline", "said"),
    [
        (f"d0 15, d{'9' * 5_000} 4", "at most 36,525 days"),
        (f"d0 15, d7 <{'9' * 400}", "cells"),
        (f"d0 15 rescue to d{'9' * 5_000}", "at most 36,525 days"),
        ("d0 15," * 6_000 + "d1 4", "at most 5,000 entries"),
    ],
)
def test_so_is_a_timeline(timeline, said):
    with pytest.raises(CohortError, match=said):
        cohort_of([timeline])


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (
            "d0..d364 every 1",
            "the plan has 365 visits; with 4 levels of counts told apart, at most 84 can be simulated",
        ),
        ("d0..d99999999 every 1", "at most 36,525 days from day 0"),
        (f"d{'9' * 5_000}", "at most 9 digits"),
    ],
)
def test_so_is_a_plan(plan, said):
    with pytest.raises(UsageError, match=said):
        visit_plan(plan)
