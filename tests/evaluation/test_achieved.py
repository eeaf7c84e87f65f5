"""Achieved: a state is reached on so many occasions, so far apart. Each table is a key at its bounds."""

import pytest
from worked import HEAD, wrong

from itp_response.messages.errors import CohortError, CriteriaError


class TestOccasions:
    """`occasions`: how many rows in the state."""

    def test_one(self):
        """Left out it is one; there is no confirming row."""
        assert not wrong(
            """
            [R]
            kind = "achieved"
            when = "platelets >= 30"
            """,
            """
            timeline                       | value | day | onset | reason        | because
            d0 15, d28 30, d42..d364 12    | Y     | 28  | 28    | met           | one count is enough
            d0 15, d28 29.9, d42..d364 12  | N     |     |       | never_reached | 29.9 is below 30
            d0 30, d28 12, d364 12         | Y     | 0   | 0     | met           | every day is looked at
            d-3 30                         | Y     | -3  | -3    | met           | before day 0 too
            d500 30                        | Y     | 500 | 500   | met           | and long after
            d0 15, d28 30, d35 40, d364 12 | Y     | 28  | 28    | met           | the first of them dates it
            """,
        )

    def test_two(self):
        """Onset and confirming row are the first and the second."""
        assert not wrong(
            """
            [R]
            kind      = "achieved"
            when      = "platelets >= 30"
            occasions = 2
            """,
            """
            timeline                       | value | day | confirmed | reason        | because
            d0 15, d28 60, d29 60, d364 12 | Y     | 28  | 29        | met           | a day apart is enough
            d0 15, d28 60, d364 60         | Y     | 28  | 364       | met           | there is no longest time
            d0 15, d28 60, d28 80, d364 12 | N     |     |           | not_confirmed | two counts of a day are one
            d0 15, d28 60, d42..d364 12    | N     |     |           | not_confirmed | one is too few
            d0 15, d28 60, d30 12, d42 60  | Y     | 28  | 42        | met           | anything may lie between
            """,
        )

    def test_three(self):
        """The confirming row is the third; each is the first at least `apart` after the one before."""
        assert not wrong(
            """
            [R]
            kind      = "achieved"
            when      = "platelets >= 30"
            occasions = 3
            apart     = "7 days"
            """,
            """
            timeline                        | value | day | confirmed | reason        | because
            d28 60, d35 60, d42 60          | Y     | 28  | 42        | met           | 7 and 7 days
            d28 60, d35 60, d41 60, d364 12 | N     |     |           | not_confirmed | 6 days are too few
            d28 60, d34 60, d41 60, d364 12 | N     |     |           | not_confirmed | 7 of two, 13 of three
            d28 60, d34 60, d36 60, d43 60  | Y     | 28  | 43        | met           | day 34 is passed over
            d28 60, d36 60, d42 60, d43 60  | Y     | 28  | 43        | met           | 36 is taken, not 35
            d28 60, d35 60, d42 60, d49 60  | Y     | 28  | 42        | met           | the first that do
            d28 60, d35 60, d364 12         | N     |     |           | not_confirmed | two are too few
            """,
        )


class TestApart:
    """`apart`: each at least so long after the one before."""

    @pytest.mark.parametrize("length", ["7 days", "1 week"])
    def test_in_days_and_weeks(self, length):
        """A week is seven days."""
        assert not wrong(
            f"""
            [R]
            kind      = "achieved"
            when      = "platelets >= 30"
            occasions = 2
            apart     = "{length}"
            """,
            """
            timeline                               | value | day | confirmed | because
            d28 60, d34 60, d364 12                | N     |     |           | six days do not confirm
            d28 60, d35 60, d364 12                | Y     | 28  | 35        | seven do
            d28 60, d36 60, d364 12                | Y     | 28  | 36        | eight too
            d28 60, d34 60, d35 60, d364 12        | Y     | 28  | 35        | the first far enough
            d28 60, d34 60, d41 60, d364 12        | Y     | 28  | 41        | from the earliest that leads on
            d28 60, d30 60, d36 60, d38 60, d42 12 | Y     | 28  | 36        | not from day 30
            """,
        )

    def test_in_months(self):
        """Calendar months, cut to the end of a shorter one, for each patient from the patient's own day 0."""
        assert not wrong(
            """
            [R]
            kind      = "achieved"
            when      = "platelets >= 30"
            occasions = 2
            apart     = "1 month"
            """,
            """
            timeline              | day_0      | value | confirmed | because
            d0 60, d30 60, d364 5 | 2023-01-01 | N     |           | 31 January: not yet a month
            d0 60, d31 60, d364 5 | 2023-01-01 | Y     | 31        | 1 February
            d0 60, d27 60, d364 5 | 2023-01-31 | N     |           | 27 February
            d0 60, d28 60, d364 5 | 2023-01-31 | Y     | 28        | 28 February, as there is no 31st
            d0 60, d28 60, d364 5 | 2024-01-31 | N     |           | a leap year
            d0 60, d29 60, d364 5 | 2024-01-31 | Y     | 29        | 29 February
            """,
        )

    def test_months_without_dates(self):
        """Calendar months need dates."""
        with pytest.raises(CohortError) as error:
            wrong(
                """
                [R]
                kind      = "achieved"
                when      = "platelets >= 30"
                occasions = 2
                apart     = "1 month"
                """,
                """
                timeline
                d0 60, d31 60
                """,
            )

        assert str(error.value) == (
            "1 month are calendar months, which need dates; these observations have only days. "
            "Give dates, or write the length in days or weeks in the criteria file."
        )


class TestApartAtMost:
    """`apart_at_most`: the longest time from the first of two occasions to the second."""

    @pytest.mark.parametrize(("length", "apart"), [("28 days", "7 days"), ("4 weeks", "1 week")])
    def test_bounds(self, length, apart):
        """The next occasion is the first that is far enough; where it comes too late, a later row may be the first."""
        assert not wrong(
            f"""
            [R]
            kind          = "achieved"
            when          = "platelets >= 30"
            occasions     = 2
            apart         = "{apart}"
            apart_at_most = "{length}"
            between       = "unbroken"
            """,
            """
            timeline                                 | value | day | confirmed | reason        | because
            d28 60, d56 60, d364 12                  | Y     | 28  | 56        | met           | 28 days
            d28 60, d57 60, d364 12                  | N     |     |           | not_confirmed | 29 days
            d28 60, d57 60, d64 60, d364 12          | Y     | 57  | 64        | met           | a later pair
            d28 60, d30 60, d58 60, d364 12          | Y     | 30  | 58        | met           | of the same run
            d28 60, d34 60, d57 60, d364 12          | Y     | 34  | 57        | met           | too near, then too far
            d28 60, d40 12, d57 60, d64 60, d364 12  | Y     | 57  | 64        | met           | of a later run
            d28 60, d57 60, d60 12, d64 60, d364 12  | N     |     |           | not_confirmed | broken
            d28 60, d57 60                           | NE    |     |           | follow_up_ended | still open
            """,
        )

    def test_in_months(self):
        """Calendar months count from the date of the first."""
        assert not wrong(
            """
            [R]
            kind          = "achieved"
            when          = "platelets >= 30"
            occasions     = 2
            apart_at_most = "1 month"
            """,
            """
            timeline              | day_0      | value | confirmed
            d0 60, d28 60, d364 5 | 2023-01-31 | Y     | 28
            d0 60, d29 60, d364 5 | 2023-01-31 | N     |
            d0 60, d31 60, d364 5 | 2023-03-01 | Y     | 31
            d0 60, d32 60, d364 5 | 2023-03-01 | N     |
            """,
        )

    def test_rows_that_may_meet_it(self):
        """An unknown row may be the second in time, or the first."""
        assert not wrong(
            """
            [R]
            kind          = "achieved"
            when          = "platelets >= 30 and bleeding_grade == 0"
            occasions     = 2
            apart_at_most = "28 days"
            """,
            """
            timeline                               | value | reason
            d28 60, d56 60 bleed ?, d364 5         | NE    | bleeding_not_recorded
            d28 60, d57 60 bleed ?, d364 5         | N     | not_confirmed
            d28 60, d50 60 bleed ?, d78 60, d364 5 | NE    | bleeding_not_recorded
            """,
        )

    @pytest.mark.parametrize("occasions", [1, 3])
    def test_is_for_two(self, occasions):
        with pytest.raises(CriteriaError, match="'apart_at_most' requires occasions = 2"):
            wrong(
                f"""
                [R]
                kind          = "achieved"
                when          = "platelets >= 30"
                occasions     = {occasions}
                apart_at_most = "28 days"
                """,
                "timeline | value",
            )


class TestBetween:
    """`between`: may anything lie between the first and the last occasion, or nothing that fails?"""

    def test_both_ways(self):
        """Left out it is `anything`. A row of which it is not known whether it fails breaks nothing."""
        assert not wrong(
            """
            [anything]
            kind      = "achieved"
            when      = "platelets >= 30 and bleeding_grade == 0"
            occasions = 2
            apart     = "7 days"
            [left_out]
            kind      = "achieved"
            when      = "platelets >= 30 and bleeding_grade == 0"
            occasions = 2
            apart     = "7 days"
            [unbroken]
            kind      = "achieved"
            when      = "platelets >= 30 and bleeding_grade == 0"
            occasions = 2
            apart     = "7 days"
            between   = "unbroken"
            """,
            """
            timeline                                       | anything_day | left_out_day | value | day | confirmed | because
            d28 60, d35 60, d364 5                         | 28           | 28           | Y     | 28  | 35        | nothing lies between
            d28 60, d30 12, d35 60, d364 5                 | 28           | 28           | N     |     |           | a low count
            d28 60, d30 12, d35 60, d42 60, d364 5         | 28           | 28           | Y     | 35  | 42        | after it the run begins again
            d28 60, d30 bleed 1, d35 60, d364 5            | 28           | 28           | N     |     |           | bleeding without a count
            d28 60, d30 bleed ? rescue, d35 60, d364 5     | 28           | 28           | Y     | 28  | 35        | nothing the rule names is known
            d28 60, d30 60 bleed ?, d35 60, d364 5         | 28           | 28           | Y     | 28  | 35        | it may have been enough
            d28 60, d30 <50, d35 60, d364 5                | 28           | 28           | NE    |     |           | it hangs on the bound
            d28 60, d30 <30, d35 60, d364 5                | 28           | 28           | N     |     |           | it cannot have been
            d28 60, d30 rescue, d35 60, d364 5             | 28           | 28           | Y     | 28  | 35        | the rule names no rescue
            d28 60, d34 60, d35 12, d41 60, d48 60, d364 5 | 28           | 28           | Y     | 41  | 48        | day 35 parts them
            d27 12, d28 60, d35 60, d36 12, d364 5         | 28           | 28           | Y     | 28  | 35        | before and after is not between
            """,
        )

    def test_unbroken_by_three(self):
        """All that lies between the first and the last counts, the middle one does not begin anew."""
        assert not wrong(
            """
            [R]
            kind      = "achieved"
            when      = "platelets >= 30"
            occasions = 3
            between   = "unbroken"
            """,
            """
            timeline                                         | value | day | confirmed
            d1 60, d2 60, d3 60, d364 5                      | Y     | 1   | 3
            d1 60, d2 12, d3 60, d4 60, d364 5               | N     |     |
            d1 60, d2 60, d3 12, d4 60, d5 60, d364 5        | N     |     |
            d1 60, d2 60, d3 12, d4 60, d5 60, d6 <90, d7 60 | NE    |     |
            """,
        )

    def test_of_others(self):
        """One patient's runs do not go on in the next."""
        assert not wrong(
            """
            [R]
            kind      = "achieved"
            when      = "platelets >= 30"
            occasions = 2
            between   = "unbroken"
            """,
            """
            timeline        | value
            d1 5, d364 60   | N
            d365 60, d366 5 | N
            d1 60, d2 60    | Y
            d364 60         | N
            d400 60         | N
            """,
        )


class TestDays:
    """`days`: the first and the last day looked at, both included."""

    def test_bounds(self):
        """Day 1 and day 365 are in, day 0 and day 366 are out."""
        assert not wrong(
            """
            [R]
            kind = "achieved"
            when = "platelets >= 30"
            days = [1, 365]
            """,
            """
            timeline          | value | day | reason          | because
            d0 60, d364 5     | N     |     | never_reached   | day 0 is before
            d1 60, d364 5     | Y     | 1   | met             | day 1 is the first
            d365 60           | Y     | 365 | met             | day 365 the last
            d1 5, d366 60     | N     |     | never_reached   | day 366 is after
            d0 60             | NE    |     | no_counts       | none is looked at
            d0 60, d5 bleed 1 | NE    |     | no_counts       | bleeding is no count
            d0 60, d366 60    | N     |     | never_reached   | followed, it was not reached in these days
            d1 5, d336 5      | NE    |     | follow_up_ended | followed to day 336 only
            d1 5, d337 5      | N     |     | never_reached   | followed to the end
            """,
        )

    def test_all_occasions_lie_in_them(self):
        """The confirming one too; and what lies outside does not break it."""
        assert not wrong(
            """
            [R]
            kind      = "achieved"
            when      = "platelets >= 30"
            occasions = 2
            between   = "unbroken"
            days      = [10, 20]
            """,
            """
            timeline                              | value | day | confirmed
            d9 60, d10 60, d20 60, d21 60, d364 5 | Y     | 10  | 20
            d9 60, d10 60, d21 60, d364 60        | N     |     |
            d9 5, d10 60, d20 60, d21 5, d364 60  | Y     | 10  | 20
            """,
        )

    def test_without_end(self):
        """`inf` is no end."""
        assert not wrong(
            """
            [R]
            kind = "achieved"
            when = "platelets >= 30"
            days = [-inf, 0]
            [S]
            kind = "achieved"
            when = "platelets >= 30"
            days = [0, inf]
            """,
            """
            timeline          | R | R_day | S | S_day
            d-999 60, d400 60 | Y | -999  | Y | 400
            d0 60             | Y | 0     | Y | 0
            d1 60, d400 5     | N |       | Y | 1
            """,
        )


FROM_AND_UNTIL = """
    [R]
    kind      = "achieved"
    when      = "platelets >= 30"
    occasions = 2
    days      = [1, 365]
    unless    = "treatment_discontinued"
    [lost]
    kind  = "lost"
    after = "R"
    when  = "platelets < 20"
"""


class TestFrom:
    """`from`: only rows from the day of another endpoint on."""

    ENDPOINT = """
        [C]
        kind      = "achieved"
        when      = "platelets >= 100"
        from      = "R"
    """

    def test_its_day_is_in(self):
        """The day of the onset, not of the confirming row."""
        assert not wrong(
            FROM_AND_UNTIL + self.ENDPOINT,
            """
            timeline                       | R_day | value | day | reason        | because
            d0 100, d7 60, d14 60, d364 60 | 7     | N     |     | never_reached | 100 lies before the response
            d6 5, d7 100, d14 60, d364 60  | 7     | Y     | 7   | met           | on its day
            d7 60, d10 100, d14 60         | 7     | Y     | 10  | met           | between onset and confirming row
            """,
        )

    def test_what_it_takes_over(self):
        """Where the other is `NE` it is `NE`, where the other is `N` it is `N`, with the other's reason."""
        assert not wrong(
            FROM_AND_UNTIL + self.ENDPOINT,
            """
            timeline              | discontinued | R  | value | reason
            d0 5, d7 120, d336 5  |              | NE | NE    | follow_up_ended
            d0 5, d7 120, d337 5  |              | N  | N     | not_confirmed
            d0 5, d7 120, d14 120 | 70           | N  | N     | discontinued
            d0 120                |              | NE | NE    | no_counts
            """,
        )

    def test_from_what_does_not_arise(self):
        """Where the other is `NA` it is `NA`."""
        assert not wrong(
            FROM_AND_UNTIL
            + """
            [again]
            kind = "achieved"
            when = "platelets >= 30"
            from = "lost"
            """,
            """
            timeline                   | lost | value | day | reason
            d1 60, d2 60, d3 5, d5 60  | Y    | Y     | 5   | met
            d1 60, d2 60, d3 5, d364 5 | Y    | N     |     | never_reached
            d1 60, d2 60, d3 5         | Y    | NE    |     | follow_up_ended
            d1 60, d2 60, d364 60      | N    | N     |     | not_lost
            d1 60, d2 60               | NE   | NE    |     | follow_up_ended
            d1 60, d364 5              | NA   | NA    |     | not_confirmed
            """,
        )

    def test_days_still_hold(self):
        """From the later of the two."""
        assert not wrong(
            FROM_AND_UNTIL + self.ENDPOINT + "days = [20, 40]",
            """
            timeline                              | value | day
            d7 100, d14 60, d20 100               | Y     | 20
            d7 100, d14 60, d40 100               | Y     | 40
            d7 100, d14 60, d41 100, d364 5       | N     |
            d21 100, d22 5, d25 60, d30 60, d38 5 | Y     | 21
            d50 100, d57 100, d364 100            | N     |
            """,
        )


class TestUntil:
    """`until`: only rows to the day before another endpoint."""

    def test_its_day_is_out(self):
        """Where the other never came all rows are looked at."""
        assert not wrong(
            FROM_AND_UNTIL
            + """
            [C]
            kind      = "achieved"
            when      = "platelets >= 100 or platelets < 20 and bleeding_grade == 2"
            until     = "lost"
            """,
            """
            timeline                       | lost | value | day | reason          | because
            d7 60, d14 60, d20 100, d21 5  | Y    | Y     | 20  | met             | the day before is in
            d7 60, d14 60, d21 5 bleed 2   | Y    | N     |     | never_reached   | its day is out
            d7 60, d14 60, d21 5, d28 100  | Y    | N     |     | never_reached   | and all later ones
            d7 60, d14 60, d21 60, d28 100 | NE   | Y     | 28  | met             | it never came
            d7 60, d14 60, d21 60          | NE   | NE    |     | follow_up_ended | nor is it over
            d7 60, d364 5, d366 100        | NA   | Y     | 366 | met             | it could not come
            d7 60, d14 60, d15 60 bleed ?, d21 5 | Y    | N     |     | never_reached   | over, unknown or not
            d7 60, d14 60, d15 <150, d21 5 | Y    | NE    |     | censored_count  | it hangs on the bound
            """,
        )

    def test_of_two_occasions(self):
        """Both must lie before it; a row in the state is then `not_confirmed`."""
        assert not wrong(
            FROM_AND_UNTIL
            + """
            [C]
            kind      = "achieved"
            when      = "platelets >= 100"
            occasions = 2
            from      = "R"
            until     = "lost"
            """,
            """
            timeline                               | value | day | reason
            d7 60, d14 60, d20 100, d21 100, d22 5 | Y     | 20  | met
            d7 60, d14 60, d20 100, d21 5, d22 100 | N     |     | not_confirmed
            d7 60, d8 60, d9 5, d20 100, d21 100   | N     |     | never_reached
            """,
        )


class TestDiscount:
    """`discount`: a row on which the rule is true is no evidence, but a failing row fails."""

    ENDPOINT = """
        [R]
        kind      = "achieved"
        when      = "platelets >= 30"
        occasions = 2
        apart     = "7 days"
        between   = "unbroken"
        days      = [1, 365]
        discount  = "days_since_rescue <= 35"
    """

    def test_days(self):
        """Up to 35 days after the last day of a course, and while one goes on; not on the day it begins."""
        assert not wrong(
            self.ENDPOINT,
            """
            timeline                                 | value | day | confirmed | reason        | because
            d5 rescue, d40 60, d47 60, d364 5        | N     |     |           | not_confirmed | 35 days after
            d5 rescue, d41 60, d48 60, d364 5        | Y     | 41  | 48        | met           | 36 days after
            d5 rescue to d9, d44 60, d51 60, d364 5  | N     |     |           | not_confirmed | its last day counts
            d5 rescue to d9, d45 60, d52 60, d364 5  | Y     | 45  | 52        | met           | 36 days after it
            d5 60 rescue, d12 60, d364 5             | N     |     |           | not_confirmed | day 5 is evidence
            d1 rescue to d90, d50 60, d57 60, d364 5 | N     |     |           | discounted    | while it goes on
            d1 60, d8 60 rescue, d364 5              | Y     | 1   | 8         | met           | drawn before it
            d5 rescue, d40 60, d364 5                | N     |     |           | discounted    | but for the wash-out
            d5 rescue, d40 60, d41 60, d364 5        | N     |     |           | not_confirmed | one that stands
            d5 rescue, d12 29, d364 5                | N     |     |           | never_reached | nothing to discount
            """,
        )

    def test_it_neither_shows_nor_breaks(self):
        """A discounted row is passed over; one that fails breaks all the same."""
        assert not wrong(
            self.ENDPOINT,
            """
            timeline                                 | value | day | confirmed
            d1 60, d2 rescue, d10 60, d38 60, d364 5 | Y     | 1   | 38
            d1 60, d2 rescue, d10 12, d38 60, d364 5 | N     |     |
            """,
        )

    def test_whatever_else_is_unknown(self):
        """A row that is discounted in any case leaves nothing open; past the wash-out it does."""
        assert not wrong(
            self.ENDPOINT.replace(">= 30", ">= 30 and bleeding_grade == 0"),
            """
            timeline                                  | value | reason                | because
            d5 rescue, d40 60 bleed ?, d47 60, d364 5 | N     | not_confirmed         | 35 days after
            d5 rescue, d41 60 bleed ?, d48 60, d364 5 | NE    | bleeding_not_recorded | 36 days after
            d5 rescue, d40 60 bleed ?, d364 5         | N     | never_reached         | in no known state
            d5 rescue, d40 60 bleed 1, d47 60, d364 5 | N     | not_confirmed         | either way
            """,
        )

    def test_where_it_is_unknown(self):
        """A row in the state is no evidence; one whose state is unknown too may be."""
        assert not wrong(
            """
            [columns]
            dose = { type = "number", table = "visits" }
            [R]
            kind      = "achieved"
            when      = "platelets >= 30 and bleeding_grade == 0"
            discount  = "dose > 50"
            """,
            """
            timeline                       | value | reason
            d28 60 dose=51, d364 5         | N     | discounted
            d28 60 dose=50, d364 5         | Y     | met
            d28 60, d364 5                 | N     | discounted
            d28 60 bleed ? dose=51, d364 5 | N     | never_reached
            d28 60 bleed ? dose=50, d364 5 | NE    | bleeding_not_recorded
            d28 60 bleed ?, d364 5         | NE    | bleeding_not_recorded
            """,
        )


class TestDiscountedCounts:
    """`discounted_counts`: could discounted rows have met it?"""

    def test_both_ways(self):
        """Left out they do not. Where they may, it is open only if they would have been enough."""
        common = """
            kind      = "achieved"
            when      = "platelets >= 30"
            occasions = 2
            apart     = "7 days"
            between   = "unbroken"
            days      = [1, 365]
            discount  = "days_since_rescue <= 35"
        """
        assert not wrong(
            f"""
            [left_out] {common}
            [no]       {common} discounted_counts = "do_not_meet"
            [may]      {common} discounted_counts = "may_meet"
            """,
            """
            timeline                                 | left_out | no | no_reason       | may | may_reason      | because
            d5 rescue, d20 60, d364 5                | N        | N  | discounted      | N   | discounted      | one alone is too few
            d5 rescue, d20 60, d27 60, d364 5        | N        | N  | discounted      | NE  | discounted      | two would do
            d5 rescue, d20 60, d26 60, d364 5        | N        | N  | discounted      | N   | discounted      | not six days apart
            d5 rescue, d20 60, d24 5, d27 60, d364 5 | N        | N  | discounted      | N   | discounted      | not with 5 between
            d5 rescue, d34 60, d41 60, d364 5        | N        | N  | not_confirmed   | NE  | discounted      | one of them stands
            d5 rescue, d20 5, d364 5                 | N        | N  | never_reached   | N   | never_reached   | nothing to discount
            d5 rescue, d20 <50, d27 60, d364 5       | N        | N  | discounted      | NE  | censored_count  | the first gives the reason
            d5 rescue, d20 60, d27 60, d336 5        | NE       | NE | follow_up_ended | NE  | follow_up_ended | not followed
            """,
        )


class TestClosedBy:
    """`closed_by`: from the first row in `days` where it is true on, nothing is looked at."""

    ENDPOINT = """
        [terms]
        late_rescue = "rescue and day >= 36"
        [R]
        kind      = "achieved"
        when      = "platelets >= 30"
        occasions = 2
        apart     = "7 days"
        days      = [1, 365]
        closed_by = "{}"
    """

    def test_the_row_that_closes(self):
        """It is not looked at itself, and it ended the question: `N`, followed to the end or not."""
        assert not wrong(
            self.ENDPOINT.format("late_rescue"),
            """
            timeline                              | value | day | ended | reason        | because
            d28 60, d35 60, d36 rescue            | Y     | 28  |       | met           | it came before
            d28 60, d36 60 rescue, d43 60         | N     |     | 36    | late_rescue   | its own count is out
            d28 60, d35 60 rescue, d42 60         | Y     | 28  |       | met           | day 35 closes nothing
            d28 5, d36 rescue, d43 60, d50 60     | N     |     | 36    | late_rescue   | nor what comes later
            d28 5, d40 rescue, d50 rescue, d364 5 | N     |     | 40    | late_rescue   | the first that does
            d28 <50, d35 <50, d36 rescue          | NE    |     |       | censored_count | it hangs on the bound
            d36 rescue                            | N     |     | 36    | late_rescue   | without any count
            d28 60, d366 60 rescue                | N     |     |       | not_confirmed | outside the days
            """,
        )

    @pytest.mark.parametrize(
        ("rule", "reason"),
        [("late_rescue", "late_rescue"), ("rescue and day >= 36", "rescue"), ("day >= 36 and rescue", "rescue")],
    )
    def test_its_reason(self, rule, reason):
        """The name of the term that it is, or what it is about."""
        assert not wrong(
            self.ENDPOINT.format(rule),
            f"""
            timeline           | value | reason
            d28 60, d36 rescue | N     | {reason}
            """,
        )

    def test_where_it_is_unknown(self):
        """Only what is true closes."""
        assert not wrong(
            self.ENDPOINT.format("platelets < 10"),
            """
            timeline                | value | ended | reason
            d28 60, d30 60 bleed ?, d35 60 | Y     |       | met
            d28 60, d30 <20, d35 60 | NE    |       | censored_count
            d28 60, d30 <10, d35 60 | N     | 30    | platelets
            d28 60, d30 9.9, d35 60 | N     | 30    | platelets
            d28 60, d30 10, d35 60  | Y     |       | met
            """,
        )

    def test_before_the_start_of_another(self):
        """It closes what starts from another too, wherever in `days` it lies."""
        assert not wrong(
            """
            [R]
            kind = "achieved"
            when = "platelets >= 30"
            [C]
            kind      = "achieved"
            when      = "platelets >= 100"
            from      = "R"
            closed_by = "rescue"
            days      = [1, 365]
            """,
            """
            timeline                  | R_day | value | day | ended | reason
            d5 rescue, d7 60, d14 100 | 7     | N     |     | 5     | rescue
            d0 rescue, d7 60, d14 100 | 7     | Y     | 14  |       | met
            """,
        )


class TestDatedBy:
    """`dated_by`: the occasion that gives the day."""

    @pytest.mark.parametrize(("key", "day"), [("", 28), ('dated_by = "first"', 28), ('dated_by = "confirming"', 42)])
    def test_of_three(self, key, day):
        """The first, or the last; the evidence is the same."""
        assert not wrong(
            f"""
            [R]
            kind      = "achieved"
            when      = "platelets >= 30"
            occasions = 3
            {key}
            """,
            f"""
            timeline               | value | day   | onset | confirmed
            d28 60, d35 60, d42 60 | Y     | {day} | 28    | 42
            """,
        )

    def test_of_one(self):
        """With one occasion it is the only one."""
        assert not wrong(
            """
            [R]
            kind     = "achieved"
            when     = "platelets >= 30"
            dated_by = "confirming"
            """,
            """
            timeline       | value | day | onset
            d28 60, d35 60 | Y     | 28  | 28
            """,
        )

    def test_what_starts_from_it(self):
        """Starts from that day."""
        assert not wrong(
            """
            [R]
            kind      = "achieved"
            when      = "platelets >= 30"
            occasions = 2
            dated_by  = "confirming"
            [C]
            kind = "achieved"
            when = "platelets >= 100"
            from = "R"
            """,
            """
            timeline                | value | day
            d28 100, d35 60, d364 5 | N     |
            d28 100, d35 100        | Y     | 35
            """,
        )


class TestUnknownCounts:
    """`unknown_counts`: could rows with a count whose state is unknown have met it?"""

    ENDPOINT = """
        [R]
        kind      = "achieved"
        when      = "platelets >= 30 and platelets >= 2 * baseline and bleeding_grade == 0"
        occasions = 2
        apart     = "7 days"
        between   = "unbroken"
        days      = [1, 365]
        {}
    """

    def test_may_meet(self):
        """As it is when left out: it is open where they would have been enough; the first of them gives the reason."""
        table = """
            timeline                               | baseline | value | reason                | because
            d28 60, d35 60, d364 5                 |          | NE    | baseline_missing      | no baseline
            d28 29, d35 29, d364 5                 |          | N     | never_reached         | below 30 anyhow
            d28 60, d34 60, d364 5                 |          | N     | never_reached         | six days apart
            d28 60, d30 5, d35 60, d364 5          |          | N     | never_reached         | broken anyhow
            d28 60 bleed ?, d35 60, d364 5         | 15       | NE    | bleeding_not_recorded | one is unknown
            d28 60, d35 60 bleed ?, d364 5         | 15       | NE    | bleeding_not_recorded | the other is
            d28 60 bleed ?, d364 5                 | 15       | N     | never_reached         | one alone
            d28 <50, d35 <50, d364 5               | 15       | NE    | censored_count        | they may be enough
            d28 <30, d35 <50, d364 5               | 15       | N     | censored_count        | it hangs on the bound
            d28 40, d35 40, d364 5                 | <30      | NE    | censored_count        | it hangs on the bound
            d28 <50, d35 60 bleed ?, d364 5        | 15       | NE    | censored_count        | the first
            d28 60 bleed ?, d35 60 bleed ?, d364 5 | 15       | NE    | bleeding_not_recorded | the first
            d28 60 bleed ?, d35 <50, d364 5        | 15       | NE    | censored_count        | it hangs on the bound
            d28 60 bleed ?, d35 60, d364 5         |          | NE    | baseline_missing      | of three the first named
            d28 <50 bleed ?, d35 60, d364 5        |          | NE    | censored_count        | it hangs on the bound
            d28 60 bleed ?, d35 60, d364 5         | 15       | NE    | bleeding_not_recorded | then the bleeding
            d28 <50 bleed ?, d35 60, d364 5        | 15       | NE    | censored_count        | it hangs on the bound
            d28 60, d35 bleed 0 rescue, d364 5     | 15       | N     | not_confirmed         | no count, no doubt
            d28 60 bleed ?, d35 60, d336 5         | 15       | NE    | follow_up_ended       | not followed
            d28 60 bleed ?, d35 60, d42 60, d364 5 | 15       | Y     | met                   | enough without it
            """

        assert not wrong(self.ENDPOINT.format(""), table)
        assert not wrong(self.ENDPOINT.format('unknown_counts = "may_meet"'), table)

    def test_do_not_meet(self):
        """They are treated as if they had not met it, but do not break it."""
        assert not wrong(
            self.ENDPOINT.format('unknown_counts = "do_not_meet"'),
            """
            timeline                               | baseline | value | day | reason
            d28 60, d35 60, d364 5                 |          | N     |     | never_reached
            d28 60 bleed ?, d35 60, d364 5         | 15       | N     |     | not_confirmed
            d28 60 bleed ?, d35 60 bleed ?, d364 5 | 15       | N     |     | never_reached
            d28 <50, d35 <50, d364 5               | 15       | NE    |     | censored_count
            d28 60 bleed ?, d35 60 bleed ?, d336 5 | 15       | NE    |     | follow_up_ended
            d28 <50, d35 <50, d336 5               | 15       | NE    |     | censored_count
            d28 60, d30 60 bleed ?, d35 60, d364 5 | 15       | Y     | 28  | met
            """,
        )

    def test_what_else_was_not_recorded(self):
        """A further column that is empty, though the count is exact."""
        assert not wrong(
            """
            [columns]
            steroid = { type = "truth", table = "visits" }
            [R]
            kind = "achieved"
            when = "platelets >= 30 and not steroid"
            """,
            """
            timeline                   | value | reason
            d28 60, d364 5             | NE    | not_recorded
            d28 60 steroid=no, d364 5  | Y     | met
            d28 60 steroid=yes, d364 5 | N     | never_reached
            d28 <50, d364 5            | NE    | censored_count
            """,
        )


class TestWithoutCounts:
    """`without_counts`: a patient who was followed to the end and has no count in the rows looked at."""

    def test_both_ways(self):
        """Without the key, not met. What closes it, or ends it, goes before."""
        of_both = """
            kind      = "achieved"
            when      = "platelets >= 30"
            days      = [1, 365]
            closed_by = "rescue"
            """
        assert not wrong(
            f"""
            [usual] {of_both}
            [R] {of_both} without_counts = "NE"
            """,
            """
            timeline                    | usual | value | reason        | because
            d0 15, d400 60              | N     | NE    | no_counts     | seen after the year alone
            d0 15, d366 12              | N     | NE    | no_counts     | a day after it
            d0 15, d365 12              | N     | N     | never_reached | on its last day
            d0 15, d100 bleed 2, d400 9 | N     | NE    | no_counts     | a bleed is no count
            d0 15, d50 rescue, d400 60  | N     | N     | rescue        | closed
            d0 15, d7 12, d400 60       | N     | N     | never_reached | seen once
            d0 15                       | NE    | NE    | no_counts     | not followed
            """,
        )


class TestNotRecorded:
    """`[not_recorded]`: what is assumed of bleeding on a day with a count but no grade."""

    @pytest.mark.parametrize(
        ("assumed", "value", "reason"),
        [("unknown", "NE", "bleeding_not_recorded"), ("bleeding", "N", "never_reached"), ("none", "Y", "met")],
    )
    @pytest.mark.parametrize("rule", ["not bleeding_grade >= 4", "bleeding_grade < 1", "bleeding_grade == 0"])
    def test_of_any_grade(self, assumed, value, reason, rule):
        """Bleeding is of every grade that a rule asks for. A censored count is a count."""
        assert not wrong(
            f"""
            [not_recorded]
            bleeding = "{assumed}"
            [R]
            kind = "achieved"
            when = "platelets >= 30 and {rule}"
            """,
            f"""
            timeline                    | value   | reason        | because
            d28 60 bleed ?, d364 5      | {value} | {reason}      | a count without a grade
            d28 >60 bleed ?, d364 5     | {value} | {reason}      | a censored one too
            d28 60 bleed 0, d364 5      | Y       | met           | none was recorded
            d28 60 bleed 4, d364 5      | N       | never_reached | bleeding was
            d28 60 bleed ?, d28 bleed 0 | Y       | met           | recorded on the day
            """,
        )

    @pytest.mark.parametrize("assumed", ["unknown", "bleeding", "none"])
    def test_a_day_without_a_count(self, assumed):
        """Rescue treatment alone is no visit at which bleeding was looked for, so that nothing is assumed."""
        assert not wrong(
            f"""
            [not_recorded]
            bleeding = "{assumed}"
            [none]
            kind = "achieved"
            when = "rescue and bleeding_grade == 0"
            [R]
            kind = "achieved"
            when = "rescue and bleeding_grade >= 1"
            """,
            """
            timeline                       | value | none
            d20 rescue bleed ?, d364 5     | N     | N
            d20 rescue, d364 5             | N     | Y
            d20 rescue bleed 2, d364 5     | Y     | N
            """,
        )


class TestUnless:
    """`unless`: a rule over the patient's own names; where true it is `N`, whatever else holds."""

    def test_before_everything(self):
        """With what the rule is about as the reason; where it is unknown it does nothing."""
        assert not wrong(
            """
            [R]
            kind   = "achieved"
            when   = "platelets >= 30"
            unless = "treatment_discontinued <= 70 or baseline >= 100"
            """,
            """
            timeline | discontinued | baseline | value | day | reason
            d28 60   |              | 15       | Y     | 28  | met
            d28 60   | 70           | 15       | N     |     | discontinued
            d28 60   | 71           | 15       | Y     | 28  | met
            d28 60   |              | 100      | N     |     | discontinued
            d28 60   |              |          | Y     | 28  | met
            d28 60   |              | >50      | NE    |     | censored_count
            d28 5    | 70           | 15       | N     |     | discontinued
            d0 5     | 70           | 15       | N     |     | discontinued
            """,
        )

    def test_before_the_other_it_starts_from(self):
        """It is looked at first."""
        assert not wrong(
            """
            [R]
            kind = "achieved"
            when = "platelets >= 30"
            [C]
            kind   = "achieved"
            when   = "platelets >= 100"
            from   = "R"
            unless = "baseline >= 50"
            """,
            """
            timeline      | baseline | R  | value | reason
            d28 100       | 50       | Y  | N     | baseline
            d28 5, d364 5 | 50       | N  | N     | baseline
            d28 5, d30 5  | 50       | NE | N     | baseline
            d28 100       | 49       | Y  | Y     | met
            """,
        )


class TestFollowedFrom:
    """`followed_from`: a patient with a count on that day or later was followed to the end."""

    @pytest.mark.parametrize(("key", "first"), [("", 337), ("followed_from = 100", 100), ("followed_from = 400", 400)])
    def test_the_endpoints_own_or_the_clocks(self, key, first):
        """Without a count it is no follow-up, bleeding or rescue or not."""
        assert not wrong(
            f"""
            [R]
            kind = "achieved"
            when = "platelets >= 30"
            {key}
            """,
            f"""
            timeline                | value | reason
            d28 5, d{first - 1} 5   | NE    | follow_up_ended
            d28 5, d{first} 5       | N     | never_reached
            d28 5, d{first + 1} 5   | N     | never_reached
            d28 5, d{first} bleed 1 | NE    | follow_up_ended
            d28 5, d{first} rescue  | NE    | follow_up_ended
            d28 5, d{first - 1} <10 | NE    | follow_up_ended
            d28 5, d{first} <10     | N     | never_reached
            d{first} bleed 1        | NE    | no_counts
            """,
        )


class TestColumns:
    """A column declared in `[columns]` is a name like any other."""

    def test_of_each_type(self):
        """A number, a truth and a text, of visits and of patients; empty they are unknown."""
        assert not wrong(
            """
            [columns]
            dose    = { type = "number", table = "visits" }
            steroid = { type = "truth", table = "visits" }
            drug    = { type = "text", table = "visits" }
            age     = { type = "number", table = "patients" }
            female  = { type = "truth", table = "patients" }
            site    = { type = "text", table = "patients" }
            [R]
            kind = "achieved"
            when = "dose > 10 and not steroid and drug == 'ATRA' and age < 40 and female and site != 'Jinan'"
            """,
            """
            timeline                                           | age | female | site  | value | reason
            d28 5 dose=11 steroid=no drug=ATRA, d364 5 dose=0  | 39  | yes    | Linyi | Y     | met
            d28 5 dose=10 steroid=no drug=ATRA, d364 5 dose=0  | 39  | yes    | Linyi | N     | never_reached
            d28 5 dose=11 steroid=yes drug=ATRA, d364 5 dose=0 | 39  | yes    | Linyi | N     | never_reached
            d28 5 dose=11 steroid=no drug=DEX, d364 5 dose=0   | 39  | yes    | Linyi | N     | never_reached
            d28 5 dose=11 steroid=no drug=ATRA, d364 5 dose=0  | 40  | yes    | Linyi | N     | never_reached
            d28 5 dose=11 steroid=no drug=ATRA, d364 5 dose=0  | 39  | no     | Linyi | N     | never_reached
            d28 5 dose=11 steroid=no drug=ATRA, d364 5 dose=0  | 39  | yes    | Jinan | N     | never_reached
            d28 5 steroid=no drug=ATRA, d364 5 dose=0          | 39  | yes    | Linyi | NE    | not_recorded
            d28 5 dose=11 drug=ATRA, d364 5 dose=0             | 39  | yes    | Linyi | NE    | not_recorded
            d28 5 dose=11 steroid=no, d364 5 dose=0            | 39  | yes    | Linyi | NE    | not_recorded
            d28 5 dose=11 steroid=no drug=ATRA, d364 5 dose=0  |     | yes    | Linyi | NE    | not_recorded
            d28 5 dose=11 steroid=no drug=ATRA, d364 5 dose=0  | 39  |        | Linyi | NE    | not_recorded
            d28 5 dose=11 steroid=no drug=ATRA, d364 5 dose=0  | 39  | yes    |       | NE    | not_recorded
            """,
        )

    def test_what_an_empty_cell_stands_for(self):
        """`empty` is `unknown`, or a value of its type."""
        assert not wrong(
            """
            [columns]
            dose    = { type = "number", table = "visits", empty = 0 }
            steroid = { type = "truth", table = "visits", empty = false }
            drug    = { type = "text", table = "visits", empty = "none" }
            site    = { type = "text", table = "patients", empty = "Jinan" }
            [R]
            kind = "achieved"
            when = "dose == 0 and not steroid and drug == 'none' and site == 'Jinan'"
            """,
            """
            timeline           | site  | value
            d28 5, d364 5      |       | Y
            d28 5 dose=1       | Linyi | NE
            d364 5             | Linyi | N
            d364 5 dose=1      |       | N
            d364 5 steroid=yes |       | N
            d364 5 drug=DEX    |       | N
            """,
        )

    @pytest.mark.parametrize(
        ("several", "number", "truth"),
        [
            ("highest", 30, "yes"),
            ("lowest", 10, "no"),
            ("first", 20, "no"),
            ("last", 10, "yes"),
            ("", 10, "yes"),
        ],
    )
    def test_several_of_a_day(self, several, number, truth):
        """The highest, the lowest, the first or the last that was recorded (as when left out)."""
        key = f', several = "{several}"' if several else ""

        assert not wrong(
            f"""
            [columns]
            dose    = {{ type = "number", table = "visits"{key} }}
            steroid = {{ type = "truth", table = "visits"{key} }}
            [R]
            kind = "achieved"
            when = "dose == {number}"
            [S]
            kind = "achieved"
            when = "{"steroid" if truth == "yes" else "not steroid"}"
            """,
            """
            timeline                                                                    | R | S
            d1 5, d1 5 dose=20 steroid=no, d1 5 dose=30, d1 5 dose=10 steroid=yes, d1 5 | Y | Y
            """,
        )

    @pytest.mark.parametrize("several", ["highest", "lowest", "first", "last"])
    def test_an_empty_cell_beside_one_that_is_not(self, several):
        """It stands for its value only where the whole day has none."""
        assert not wrong(
            f"""
            [columns]
            dose    = {{ type = "number", table = "visits", empty = 20, several = "{several}" }}
            stopped = {{ type = "truth", table = "visits", empty = false, several = "{several}" }}
            started = {{ type = "truth", table = "visits", empty = true, several = "{several}" }}
            drug    = {{ type = "text", table = "visits", empty = "none", several = "{several if several in ("first", "last") else "last"}" }}
            [R]
            kind = "achieved"
            when = "dose == 10 and stopped and not started and drug == 'DEX'"
            [S]
            kind = "achieved"
            when = "dose == 20 and not stopped and started and drug == 'none'"
            """,
            """
            timeline                                                             | R | S
            d1 5, d1 rescue dose=10 stopped=yes started=no drug=DEX, d1 5, d364 5 | Y | Y
            d1 5, d1 rescue dose=30 stopped=yes started=no drug=DEX, d1 5        | NE | NE
            d1 5, d1 rescue, d1 5                                                | NE | Y
            """,
        )

    @pytest.mark.parametrize(("several", "drug"), [("first", "DEX"), ("last", "ATRA")])
    def test_several_texts_of_a_day(self, several, drug):
        """The first or the last."""
        assert not wrong(
            f"""
            [columns]
            drug = {{ type = "text", table = "visits", several = "{several}" }}
            [R]
            kind = "achieved"
            when = "drug == '{drug}'"
            """,
            """
            timeline                                  | R
            d1 5, d1 5 drug=DEX, d1 5 drug=ATRA, d1 5 | Y
            """,
        )

    def test_as_reasons(self):
        """A column gives its own name as the reason."""
        assert not wrong(
            """
            [columns]
            dose = { type = "number", table = "visits" }
            site = { type = "text", table = "patients" }
            [R]
            kind      = "achieved"
            when      = "platelets >= 30"
            closed_by = "dose > 50"
            unless    = "site == 'Jinan'"
            """,
            """
            timeline            | site  | value | reason
            d1 5 dose=51, d2 60 | Linyi | N     | dose
            d1 5 dose=50, d2 60 | Jinan | N     | site
            d1 5 dose=50, d2 60 |       | Y     | met
            """,
        )


class TestBaseline:
    """`[baseline]`: the count that stands where the patient table gives none."""

    @pytest.mark.parametrize(("pick", "doubled"), [("last", 30), ("lowest", 20), ("mean", 24), ("", 30)])
    def test_pick(self, pick, doubled):
        """Of 10, 11 and 15: the last (as when left out), the lowest or the mean; the table's own stands before all."""
        head = HEAD.rstrip() + (f'\npick = "{pick}"\n' if pick else "\n")

        assert not wrong(
            """
            [R]
            kind = "achieved"
            when = "platelets == 2 * baseline"
            days = [1, 365]
            """,
            f"""
            timeline                                             | baseline | value
            d-29 1, d-28 10, d-7 11, d0 15, d1 {doubled}, d364 1 |          | Y
            d-28 10, d-7 11, d0 15, d1 {doubled}, d364 1         | 7        | N
            d-28 10, d-7 11, d0 15, d1 14, d364 1                | 7        | Y
            d-28 bleed 1, d1 {doubled}, d364 1                   |          | NE
            """,
            head,
        )

    @pytest.mark.parametrize("pick", ["last", "lowest", "mean"])
    def test_of_bounds(self, pick):
        """A bound stays one, and an exact count between bounds does too."""
        assert not wrong(
            """
            [R]
            kind = "achieved"
            when = "platelets > baseline"
            days = [1, 365]
            """,
            """
            timeline                       | value
            d0 <10, d1 10, d364 0          | Y
            d0 <10, d1 9, d364 0           | NE
            d-7 <10, d0 <10, d1 10, d364 0 | Y
            d-7 <10, d0 <10, d1 9, d364 0  | NE
            d0 10, d1 11, d364 0           | Y
            d0 10, d1 10, d364 0           | N
            """,
            HEAD.rstrip() + f'\npick = "{pick}"\n',
        )


class TestRowsOfADay:
    """One row per patient and day: the lowest count, the highest grade, a rescue if any."""

    def test_what_stands(self):
        """In whatever order they were written down."""
        assert not wrong(
            """
            [R]
            kind      = "achieved"
            when      = "platelets >= 30 and bleeding_grade <= 1 and not rescue"
            """,
            """
            timeline                               | value | reason         | because
            d28 60, d28 29, d364 5                 | N     | never_reached  | the lowest count
            d28 29, d28 60, d364 5                 | N     | never_reached  | in any order
            d28 60 bleed 1, d28 60 bleed 2, d364 5 | N     | never_reached  | the highest grade
            d28 60 bleed 2, d28 60 bleed ?, d364 5 | N     | never_reached  | that was recorded
            d28 60, d28 rescue, d364 5             | N     | never_reached  | a rescue if any
            d28 60, d28 <50, d364 5                | NE    | censored_count | the lowest is only a bound
            d28 60, d28 >50, d364 5                | Y     | met            | 60 at most
            d28 29, d28 <50, d364 5                | N     | never_reached  | 29 at most
            d28 60, d28 bleed 1, d364 5            | Y     | met            | a count beside none
            d364 5, d28 60                         | Y     | met            | days in any order
            """,
        )


class TestNobody:
    """Patients without rows, and a cohort without rows."""

    def test_no_counts(self):
        """Not evaluable: there are no counts."""
        assert not wrong(
            """
            [R]
            kind      = "achieved"
            when      = "platelets >= 30"
            occasions = 2
            between   = "unbroken"
            """,
            """
            timeline   | value | reason
            d5 rescue  | NE    | no_counts
            d5 bleed 1 | NE    | no_counts
            """,
        )
