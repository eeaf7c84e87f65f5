"""At once: of `achieved`, a row that meets it by itself, beside occasions that must be several."""

import numpy as np
import pytest
from worked import HEAD, criteria_of, wrong

from itp_response.classification.classification import classify
from itp_response.cohort.notation import cohort_of
from itp_response.explanation.ask import ask

FAILURE = """
    [F]
    kind          = "achieved"
    when          = "platelets < 30"
    occasions     = 2
    apart         = "7 days"
    at_once       = "bleeding_grade >= 2"
    days          = [1, 84]
    followed_from = 84
"""


def decided(text, table):
    return wrong(text, table)


def test_one_row_suffices_and_the_earlier_of_the_two_stands():
    assert not decided(
        FAILURE,
        """
        timeline                             | value | day | confirmed | onset | reason        | because
        d7 20, d14 20, d84 60                | Y     | 7   | 14        | 7     | met           | two low counts
        d7 60 bleed 2, d84 60                | Y     | 7   |           | 7     | met           | one bleed
        d7 60, d8 bleed 2, d84 60            | Y     | 8   |           | 8     | met           | without a count too
        d7 60 bleed 1, d84 60                | N     |     |           |       | never_reached | of grade 1 is none
        d7 20, d84 60                        | N     |     |           |       | not_confirmed | one low count is none
        d7 20, d10 60 bleed 2, d14 20, d84 60 | Y    | 7   | 14        | 7     | met           | the counts begin earlier
        d3 60 bleed 2, d7 20, d14 20, d84 60 | Y     | 3   |           | 3     | met           | the bleed is earlier
        d7 20 bleed 2, d14 20, d84 60        | Y     | 7   |           | 7     | met           | on one day: the bleed
        d7 20, d10 60 bleed 2, d84 60        | Y     | 10  |           | 10    | met           | the count is not confirmed
        d0 15 bleed 2, d84 60                | N     |     |           |       | never_reached | before the days assessed
        d84 60, d85 60 bleed 2               | N     |     |           |       | never_reached | after them
        """,
    )


def test_what_is_not_known_may_have_met_it():
    table = """
        timeline                        | value | reason                | because
        d7 60 bleed ?, d84 60           | {open_} | {bleeding}          | it may have bled
        d7 20 bleed ?, d84 60           | {open_} | {of_low}            | though the count is low, and not confirmed
        d7 20, d14 60 bleed ?, d84 60   | {open_} | {of_low}            | the second row may have bled
        d7 20 bleed ?, d14 20, d84 60   | Y     | met                   | the counts suffice
        d7 60, d10 rescue, d84 60       | N     | never_reached         | a day without a count is no visit
        d7 60 bleed ?                   | NE    | follow_up_ended       | not followed
    """
    bleeding = "bleeding_not_recorded"
    assert not decided(FAILURE, table.format(open_="NE", bleeding=bleeding, of_low=bleeding))
    assert not decided(
        FAILURE + 'unknown_counts = "do_not_meet"',
        table.format(open_="N", bleeding="never_reached", of_low="not_confirmed"),
    )


def test_discounted_rows():
    text = FAILURE + 'discount = "0 < days_since_rescue <= 7"\n'
    table = """
        timeline                            | value | reason        | because
        d7 60 rescue, d10 60 bleed 2, d84 60 | {open_} | discounted | after rescue it is no evidence
        d7 60 rescue, d15 60 bleed 2, d84 60 | Y     | met          | eight days after it is
        d7 60 rescue, d10 60 bleed ?, d84 60 | {open_} | {unknown}   | unknown and discounted
    """
    assert not decided(text, table.format(open_="N", unknown="never_reached"))
    assert not decided(
        text + 'discounted_counts = "may_meet"', table.format(open_="NE", unknown="bleeding_not_recorded")
    )


def test_dates_and_what_closes_it():
    assert not decided(
        FAILURE + 'dated_by = "confirming"\nclosed_by = "rescue"',
        """
        timeline                             | value | day | confirmed | ended | reason | because
        d7 20, d14 20, d84 60                | Y     | 14  | 14        |       | met    | dated by the second count
        d7 60 bleed 2, d84 60                | Y     | 7   |           |       | met    | or by the bleed
        d7 60 rescue, d14 60 bleed 2, d84 60 | N     |     |           | 7     | rescue | no longer assessed
        """,
    )


SAME = """
    [low]
    kind          = "achieved"
    when          = "platelets < 30"
    occasions     = 2
    apart         = "7 days"
    days          = [1, 84]
    followed_from = 84
    {keys}
    [bled]
    kind          = "achieved"
    when          = "bleeding_grade >= 2"
    days          = [1, 84]
    followed_from = 84
    {keys}
    [either]
    kind = "combined"
    when = "low or bled"
    [F]
    kind          = "achieved"
    when          = "platelets < 30"
    occasions     = 2
    apart         = "7 days"
    at_once       = "bleeding_grade >= 2"
    days          = [1, 84]
    followed_from = 84
    {keys}
"""


@pytest.mark.parametrize(
    "keys",
    [
        "",
        'discount = "0 < days_since_rescue <= 7"',
        'discount = "0 < days_since_rescue <= 7"\ndiscounted_counts = "may_meet"',
        'unknown_counts = "do_not_meet"',
        'closed_by = "rescue"\nwithout_counts = "NE"',
    ],
)
def test_the_value_is_that_of_two_endpoints_joined_by_or(keys):
    """And so is the day, where the counts need not come before the bleed."""
    draw = np.random.default_rng(7)
    timelines = []
    for _ in range(400):
        days = sorted(draw.choice(np.arange(1, 90), size=int(draw.integers(1, 9)), replace=False).tolist())
        timelines.append(", ".join(["d0 15", *(f"d{day} {_observed(draw)}" for day in days)]))
    criteria = criteria_of(SAME.format(keys=keys))
    verdicts = classify(cohort_of(timelines), criteria=criteria).verdicts

    either, own = verdicts["either"], verdicts["F"]
    assert len(set(own.value.tolist())) == 3
    assert either.value.tolist() == own.value.tolist()
    assert either.dated.tolist() == own.dated.tolist()


def _observed(draw):
    count = draw.choice(["", "20", "60"], p=[0.1, 0.4, 0.5])
    bleed = draw.choice(["", "bleed 1", "bleed 2", "bleed ?"], p=[0.6, 0.1, 0.1, 0.2])
    rescue = draw.choice(["", "rescue"], p=[0.9, 0.1])
    return " ".join(filter(None, [count, bleed, rescue])) or "60"


def test_in_words_and_in_an_explanation(tmp_path):
    path = tmp_path / "once.toml"
    path.write_text(HEAD + FAILURE.replace("    kind", 'label = "-"\nsays = "-"\nkind'))
    (explanation,) = ask("d0 15, d7 20, d10 60 bleed 2, d14 20, d84 60", str(path))
    (open_,) = ask("d0 15, d7 60 bleed ?, d84 60", str(path))
    (alone,) = ask("d0 15, d3 60 bleed 2, d7 20, d84 60", str(path))

    assert (
        criteria_of(FAILURE)
        .sentences["F"]
        .startswith(
            "Requires a count below 30, on 2 occasions at least 7 days apart, or a single observation of bleeding of grade 2 "
            "or more, from day 1 to day 84."
        )
    )
    assert [row.means for row in explanation.rows][1:4] == [
        "qualifies; starts here",
        "qualifies",
        "qualifies; confirms",
    ]
    assert (open_.verdict, open_.missing) == ("NE (bleeding not recorded)", "whether there was bleeding on day 7")
    assert open_.rows[1].means == "unknown: bleeding not recorded"
    assert [row.means for row in alone.rows][1:3] == ["qualifies; starts here", "after it was met"]
