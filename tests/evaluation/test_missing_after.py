"""Missing after: what a planned visit without a count is, by what happened on its day or before."""

import pytest
from worked import HEAD, criteria_of, wrong

from itp_response.definitions import intercurrent_events
from itp_response.explanation.ask import ask
from itp_response.messages.errors import CriteriaError

COLUMNS = """
    [columns]
    died  = { type = "number", table = "patients" }
    moved = { type = "number", table = "patients", empty = 14 }
    dose  = { type = "number", table = "visits" }
"""
VISITS = """
    [V]
    kind          = "visits"
    when          = "platelets >= 50"
    visits        = [14, 28, 42]
    within        = 3
    {rest}
"""
AT = """
    [L]
    kind          = "at"
    when          = "platelets >= 50"
    day           = 28
    within        = [21, 35]
    missing_after = {{ treatment_discontinued = "{stopped}", died = "{died}" }}
"""


def decided(text, table):
    return wrong(COLUMNS + text, table)


class TestOfVisits:
    BY_CAUSE = VISITS.format(
        rest='at_least = 2\nmissing = "left_out"\nmissing_after = { treatment_discontinued = "fails", died = "unknown" }'
    )
    OF_A_SHARE = VISITS.format(
        rest='share = "1/2"\nmissing = "unknown"\nmissing_after = { treatment_discontinued = "fails", died = "left_out" }'
    )

    def test_the_planned_day_counts(self):
        assert not decided(
            VISITS.format(rest='at_least = 3\nmissing = "unknown"\nmissing_after = { died = "fails" }'),
            """
            timeline       | died | value | reason         | because
            d14 60, d28 60 |      | NE    | visits_unknown | missed, and she may have been in the state
            d14 60, d28 60 | 43   | NE    | visits_unknown | planned the day before he died
            d14 60, d28 60 | 42   | N     | too_few_met    | planned on the day
            d14 60, d28 60 | 10   | N     | too_few_met    | planned after it
            d14 60, d28 60, d42 60 | 10 | Y | met          | what was counted counts
            """,
        )

    def test_of_several_the_first_that_happened(self):
        """On the same day the first written."""
        assert not decided(
            self.BY_CAUSE,
            """
            timeline | discontinued | died | value | reason         | because
            d14 60   | 20           |      | N     | too_few_met    | what is missing fails
            d14 60   |              | 20   | NE    | visits_unknown | what is missing is unknown
            d14 60   | 20           | 30   | N     | too_few_met    | stopped first
            d14 60   | 30           | 20   | NE    | visits_unknown | died first
            d14 60   | 20           | 20   | N     | too_few_met    | on one day: as written first
            d14 60   | 43           | 43   | N     | too_few_met    | after all visits: left out
            """,
        )

    def test_of_a_share(self):
        assert not decided(
            self.OF_A_SHARE,
            """
            timeline       | discontinued | died | value | reason         | because
            d14 60         |              | 20   | Y     | met            | one of the one that is left
            d14 60         | 20           |      | N     | too_few_met    | one of three
            d14 60         |              |      | NE    | visits_unknown | the others are unknown
            d14 60, d28 20 | 42           |      | N     | too_few_met    | one of three
            d3 20          |              | 1    | NE    | no_counts      | no visit is left
            """,
        )

    def test_an_empty_cell_that_stands_for_a_day(self):
        assert not decided(
            VISITS.format(rest='at_least = 1\nmissing = "unknown"\nmissing_after = { moved = "fails" }'),
            """
            timeline | moved | value | because
            d0 15    |       | N     | on day 14, as the column says
            d0 15    | 15    | NE    | the first visit comes before
            d0 15    | inf   | NE    | it never happens
            """,
        )


class TestAtALandmark:
    def test_without_a_count(self):
        table = """
            timeline      | discontinued | died | value | reason       | ended | because
            d28 60        | 1            | 2    | Y     | met          |       | the count decides
            d28 20        | 1            | 2    | N     | platelets    | 28    | the count decides
            d14 60        |              |      | NE    | no_counts    |       | nothing happened
            d14 60        | 28           |      | N     | discontinued |       | on the landmark
            d14 60        | 29           |      | NE    | no_counts    |       | after it
            d14 60        |              | 20   | NA    | died         |       | left out
            d14 60        | 21           | 20   | NA    | died         |       | died first
            d14 60        | 20           | 21   | N     | discontinued |       | stopped first
            d14 60        | 20           | 20   | N     | discontinued |       | on one day: as written first
        """
        assert not decided(AT.format(stopped="fails", died="left_out"), table)
        assert not decided(
            AT.format(stopped="left_out", died="unknown"),
            """
            timeline | discontinued | died | value | reason       | because
            d14 60   | 20           |      | NA    | discontinued | left out
            d14 60   |              | 20   | NE    | no_counts    | unknown
            d14 60   | 21           | 20   | NE    | no_counts    | died first
            """,
        )

    def test_it_comes_after_what_closes_it_and_counts_from_the_start(self):
        assert not decided(
            """
            [R]
            kind = "achieved"
            when = "platelets >= 50"
            [L]
            kind          = "at"
            from          = "R"
            when          = "platelets >= 50"
            day           = 28
            within        = [21, 35]
            missing_after = { died = "fails" }
            closed_by     = "rescue"
            """,
            """
            timeline              | died | value | reason    | because
            d14 60, d20 20        | 42   | N     | died      | 28 days after day 14
            d14 60, d20 20        | 43   | NE    | no_counts | a day later
            d14 60, d20 20 rescue | 20   | N     | rescue    | closed before
            """,
        )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            VISITS.format(rest='at_least = 1\nmissing_after = { dose = "fails" }'),
            r"line \d+: \[V\] missing_after: 'dose' is not a number of the patient; known: treatment_discontinued, died, ",
        ),
        (VISITS.format(rest='at_least = 1\nmissing_after = { died = "fail" }'), r"Did you mean 'fails'\?"),
        (
            '[V]\nkind = "visits"\nwhen = "platelets >= 50"\nat_least = 1\nmissing_after = { died = "fails" }',
            r"\[V\]: 'missing_after' requires planned 'visits'",
        ),
    ],
)
def test_errors_have_the_line_and_the_cure(text, message):
    with pytest.raises(CriteriaError, match=message):
        criteria_of(COLUMNS + text)


class TestInWords:
    def test_of_visits(self):
        criteria = criteria_of(COLUMNS + TestOfVisits.BY_CAUSE)

        assert criteria.sentences["V"].endswith(
            "A planned visit without a count is excluded; on or after discontinuation of treatment it counts as failing; "
            "on or after died it counts as unknown."
        )
        discontinued = intercurrent_events.handlings(criteria.file, "V")[1]
        assert (discontinued.strategy, discontinued.how) == (
            "not stated by the source",
            "a missing visit on or after discontinuation of treatment counts as failing",
        )

    def test_of_a_landmark(self):
        criteria = criteria_of(COLUMNS + AT.format(stopped="fails", died="left_out"))

        assert criteria.endpoints["L"].missing_data() == (
            "NE if there is no count in the window; on or after discontinuation of treatment it is N; on or after died it "
            "is NA"
        )


def test_the_explanation_says_why_a_visit_counts_as_it_does(tmp_path):
    path = tmp_path / "own.toml"
    text = (COLUMNS + TestOfVisits.BY_CAUSE).replace("    kind", 'label = "-"\nsays = "-"\nkind')
    path.write_text(HEAD + text)
    (explanation,) = ask("d0 15, d14 60", str(path), treatment_discontinued=30)

    assert [(row.day, row.means) for row in explanation.rows if row.day > 14] == [
        (28, "is excluded"),
        (42, "counts as failing: on or after discontinuation of treatment"),
    ]
