"""Visits: a number of the planned visits, or a share of them. Each table is a key at its bounds."""

import pytest
from worked import criteria_of, wrong

from itp_response.classification.classification import classify
from itp_response.messages.errors import CriteriaError
from itp_response.validation.bridge import as_literal, cohort_of
from itp_response.validation.literal import LiteralVerdict, Observation, Patient, verdicts

PLANNED = """
    [terms]
    washout = "days_since_rescue <= 7"
    [on]
    kind   = "visits"
    when   = "platelets >= 30 and bleeding_grade == 0"
    visits = [28, 42, 56, 70, 84]
"""
COUNTED = """
    [on]
    kind = "visits"
    when = "platelets >= 30 and bleeding_grade == 0"
"""
THREE = PLANNED + "at_least = 3\n"
TWO_THIRDS = PLANNED.replace("84]", "84, 112]") + 'share = "2/3"\n'


class TestAtLeast:
    """`at_least`: how many visits must be in the state."""

    def test_three_of_five(self):
        """The onset is the first in the state, the confirming row and the day that of the third."""
        assert not wrong(
            THREE,
            """
            timeline                              | value | day | onset | ended | reason      | because
            d28..d84 60                           | Y     | 56  | 28    |       | met         | the third made it enough
            d28 60, d42 60, d56 60                | Y     | 56  | 28    |       | met         | the others are not needed
            d28 60, d56 60, d84 60                | Y     | 84  | 28    |       | met         | they need not follow each other
            d28 5, d42 60, d56 5, d70 60, d84 60  | Y     | 84  | 42    |       | met         | nor begin with the first
            d28 60, d42 5, d56 5, d70 5, d84 60   | N     |     |       |       | too_few_met | two
            d28 60, d42 60                        | N     |     |       |       | too_few_met | two, followed or not
            d28 60, d42 60, d364 60               | N     |     |       |       | too_few_met | other days are no visits
            d0 60, d7 60, d14 60                  | N     |     |       |       | too_few_met | none
            d28 30, d42 30, d56 30                | Y     | 56  | 28    |       | met         | 30 will do
            d28 29.9, d42 30, d56 30              | N     |     |       |       | too_few_met | 29.9 will not
            d28 60, d42 60 bleed 1, d56 60        | N     |     |       |       | too_few_met | nor will bleeding
            d28 60, d28 5, d42 60, d56 60         | N     |     |       |       | too_few_met | the lowest of the day
            """,
        )

    def test_one(self):
        """Onset and confirming row are then the same."""
        assert not wrong(
            PLANNED + "at_least = 1",
            """
            timeline       | value | day | onset
            d28 5, d42 60  | Y     | 42  | 42
            d28 5, d43 60  | N     |     |
            """,
        )

    def test_all_that_there_are(self):
        """More than there are is refused with the file (bad_criteria/unreachable_visits)."""
        assert not wrong(
            PLANNED + "at_least = 5",
            """
            timeline     | value | day | onset
            d28..d84 60  | Y     | 84  | 28
            d42..d84 60  | N     |     |
            """,
        )


class TestUnknown:
    """A visit with a count in an unknown state is unknown: it may have been enough, or could not have been."""

    def test_it_is_open_or_not(self):
        """Met for certain, not met even with all of the unknown, or open."""
        assert not wrong(
            THREE,
            """
            timeline                                   | value | day | onset | reason         | because
            d28 60, d42 60, d56 60 bleed ?             | NE    |     |       | visits_unknown | a bound
            d28 60, d42 60, d56 <50                    | NE    |     |       | censored_count | it hangs on the bound
            d28 60, d42 60, d56 60 bleed ?             | NE    |     |       | visits_unknown | bleeding not recorded
            d28 60, d42 60 bleed ?, d56 60 bleed ?     | NE    |     |       | visits_unknown | two of them
            d28 60, d42 <50, d56 60 bleed ?            | NE    |     |       | censored_count | it hangs on the bound
            d28 60, d42 <50                            | N     |     |       | too_few_met    | not even with it
            d28 60 bleed ?, d42 60 bleed ?, d56 60 bleed ? | NE    |     |       | visits_unknown | all unknown
            d28 <50, d42 <50, d56 <50                  | NE    |     |       | censored_count | it hangs on the bound
            d28 60 bleed ?, d42 60, d56 60, d70 60     | Y     | 70  | 42    | met            | met without it
            d28 <50, d42 60, d56 60, d70 60            | Y     |     |       | met            | met without it
            d28 60, d42 60, d56 60 bleed ?, d70 60     | Y     | 70  | 28    | met            | it does not make it enough
            d28 60, d42 60, d56 <50, d70 60            | Y     |     | 28    | met            | it does not make it enough
            d28 60, d42 60, d56 <30                    | N     |     |       | too_few_met    | surely not
            d28 60, d42 60, d56 >30                    | Y     | 56  | 28    | met            | surely
            d28 60, d42 60, d56 5 bleed ?              | N     |     |       | too_few_met    | false all the same
            """,
        )


class TestVisits:
    """`visits`: the planned days; left out, every row with a count is one."""

    def test_every_row_with_a_count(self):
        """A row without one is no visit."""
        assert not wrong(
            COUNTED + "at_least = 3",
            """
            timeline                                | value | day | onset | reason
            d-5 60, d0 60, d300 60                  | Y     | 300 | -5    | met
            d1 60, d2 60, d3 60, d4 60              | Y     | 3   | 1     | met
            d1 60, d2 60, d3 bleed 0                | N     |     |       | too_few_met
            d1 60, d2 60, d3 60 bleed ?             | NE    |     |       | visits_unknown
            d1 60, d2 60, d3 <50                    | NE    |     |       | censored_count
            d1 60, d2 60, d2 80                     | N     |     |       | too_few_met
            """,
        )

    def test_days(self):
        """`days`: the first and the last day looked at, both included; left out, all."""
        assert not wrong(
            COUNTED + "at_least = 2\ndays = [28, 84]",
            """
            timeline                | value | day | onset
            d28 60, d84 60          | Y     | 84  | 28
            d27 60, d28 60          | N     |     |
            d84 60, d85 60          | N     |     |
            d27 60, d28 60, d84 60  | Y     | 84  | 28
            """,
        )
        assert not wrong(
            COUNTED + "at_least = 2\ndays = [28, inf]",
            """
            timeline        | value | day
            d28 60, d900 60 | Y     | 900
            d27 60, d900 60 | N     |
            """,
        )
        assert not wrong(
            COUNTED + "at_least = 2\ndays = [-inf, 0]",
            """
            timeline        | value | day
            d-90 60, d0 60  | Y     | 0
            d-90 60, d1 60  | N     |
            """,
        )

    def test_a_share_of_them(self):
        """Of the rows with a count in those days, as many as there are."""
        assert not wrong(
            COUNTED + 'share = "2/3"\ndays = [28, 84]',
            """
            timeline                                | value | day | onset | reason
            d28 60                                  | Y     | 28  | 28    | met
            d28 60, d29 60, d30 5                   | Y     | 29  | 28    | met
            d28 60, d29 5                           | N     |     |       | too_few_met
            d28 60, d29 60, d30 5, d31 5            | N     |     |       | too_few_met
            d28 60, d29 60, d30 5, d31 bleed 2      | Y     | 29  | 28    | met
            d28 60, d29 60, d30 5, d85 5            | Y     | 29  | 28    | met
            d28 60, d29 60 bleed ?, d30 60 bleed ?  | NE    |     |       | visits_unknown
            d28 60, d29 <50, d30 <50                | NE    |     |       | censored_count
            d28 60, d29 60 bleed ?, d30 5           | NE    |     |       | visits_unknown
            d28 60, d29 <50, d30 5                  | NE    |     |       | censored_count
            d28 60, d29 <50, d30 5, d31 5           | N     |     |       | too_few_met
            d27 60                                  | NE    |     |       | no_counts
            d28 bleed 0                             | NE    |     |       | no_counts
            """,
        )

    @pytest.mark.parametrize(
        "further", ["visits = [28, 28]", "visits = [42, 28]", "visits = [28, 42]\ndays = [1, 365]"]
    )
    def test_what_is_no_plan(self, further):
        """The days stand in order, each once; `days` is for criteria without them."""
        with pytest.raises(CriteriaError):
            criteria_of(COUNTED + "at_least = 1\n" + further)

    @pytest.mark.parametrize(
        "further", ["", 'at_least = 1\nshare = "1/2"', 'share = "1/2"\nmore_than = "1/2"', "in_any = 2"]
    )
    def test_one_of_three(self, further):
        """One of `at_least`, `share` and `more_than` is given, and `in_any` goes with the first."""
        with pytest.raises(CriteriaError):
            criteria_of(PLANNED + further)

    def test_in_any_is_not_less(self):
        """So many of fewer cannot be."""
        with pytest.raises(CriteriaError):
            criteria_of(PLANNED + "at_least = 3\nin_any = 2")


class TestWithin:
    """`within`: how many days before or after a planned day its count may come; left out, none."""

    def test_three_days(self):
        """The nearest is taken, of two as near the later; only rows with a count."""
        assert not wrong(
            PLANNED + "at_least = 1\nwithin = 3",
            """
            timeline                     | value | day | reason         | because
            d25 60                       | Y     | 25  | met            | three days before
            d24 60                       | N     |     | too_few_met    | four
            d31 60                       | Y     | 31  | met            | three days after
            d32 60                       | N     |     | too_few_met    | four
            d27 60, d30 5                | Y     | 27  | met            | the nearer is earlier
            d26 5, d29 60                | Y     | 29  | met            | the nearer is later
            d27 5, d30 60                | N     |     | too_few_met    | the nearer is not in the state
            d26 5, d30 60                | Y     | 30  | met            | as near, the later
            d26 60, d30 5                | N     |     | too_few_met    | whatever it shows
            d28 bleed 2, d30 60          | Y     | 30  | met            | a row without a count is not taken
            d27 60 bleed ?, d30 60       | NE    |     | visits_unknown | one in an unknown state is
            d27 <50, d30 60              | NE    |     | censored_count | it hangs on the bound
            d87 60                       | Y     | 87  | met            | of the last visit
            d88 60                       | N     |     | too_few_met    | no more
            """,
        )

    def test_left_out_it_is_none(self):
        """On the planned days alone."""
        assert not wrong(
            PLANNED + "at_least = 1",
            """
            timeline       | value | day
            d27 60, d29 60 | N     |
            d28 60         | Y     | 28
            """,
        )

    def test_windows_side_by_side(self):
        """No row is taken for two visits: 13 days apart they may reach six, 12 days apart they may not."""
        assert not wrong(
            """
            [on]
            kind     = "visits"
            when     = "platelets >= 30"
            visits   = [28, 41]
            within   = 6
            at_least = 2
            """,
            """
            timeline        | value | day | onset
            d34 60, d35 60  | Y     | 35  | 34
            d33 60, d34 60  | N     |     |
            d35 60, d36 60  | N     |     |
            d22 60, d47 60  | Y     | 47  | 22
            d21 60, d47 60  | N     |     |
            d22 60, d48 60  | N     |     |
            """,
        )
        with pytest.raises(CriteriaError):
            criteria_of(THREE.replace("[28, 42, 56, 70, 84]", "[28, 40]") + "within = 6")

    def test_of_others(self):
        """The rows of the patient before and after are not taken."""
        assert not wrong(
            PLANNED + "at_least = 2\nwithin = 3",
            """
            timeline       | value | day
            d28 60         | N     |
            d42 60         | N     |
            d28 60, d42 60 | Y     | 42
            d28 60         | N     |
            """,
        )


class TestShare:
    """`share`, `more_than`: what share of the visits must be in the state, or what share must be exceeded."""

    def test_two_thirds_of_six(self):
        """Four will do; the confirming row is the last visit in the state."""
        assert not wrong(
            TWO_THIRDS,
            """
            timeline                                      | value | day | onset | reason         | because
            d28..d112 60                                  | Y     | 112 | 28    | met            | six, and the last of them
            d28..d70 60                                   | Y     | 70  | 28    | met            | four; those without a count fail
            d28..d56 60                                   | N     |     |       | too_few_met    | three
            d28 5, d42 5, d56..d112 60                    | Y     | 112 | 56    | met            | any four
            d28 60, d42 5, d56 60, d70 60, d84 60, d112 5 | Y     | 84  | 28    | met            | with failing ones between
            d28..d56 60, d70 60 bleed ?                   | NE    |     |       | visits_unknown | the fourth is unknown
            d28..d56 60, d70 <50                          | NE    |     |       | censored_count | it hangs on the bound
            d28..d56 60, d70 60 bleed ?, d84 60 bleed ?, d112 5 | NE    |     |       | visits_unknown | two are
            d28..d56 60, d70 <50, d84 <50, d112 5         | NE    |     |       | censored_count | it hangs on the bound
            d28 60, d42 60, d70 <50                       | N     |     |       | too_few_met    | it would not be enough
            d28..d70 60, d84 60 bleed ?, d112 60 bleed ?  | Y     | 70  | 28    | met            | met without them
            d28..d70 60, d84 <50, d112 <50                | Y     |     | 28    | met            | met without them
            """,
        )

    def test_more_than(self):
        """Four of six are not more than two thirds."""
        assert not wrong(
            TWO_THIRDS.replace("share", "more_than"),
            """
            timeline             | value | day | onset | reason
            d28..d84 60          | Y     | 84  | 28    | met
            d28..d70 60          | N     |     |       | too_few_met
            d28..d70 60, d84 60 bleed ? | NE    |     |       | visits_unknown
            d28..d70 60, d84 <50 | NE    |     |       | censored_count
            d28..d56 60, d84 <50 | N     |     |       | too_few_met
            """,
        )

    @pytest.mark.parametrize(
        ("share", "three", "four", "five"),
        [
            ('share = "1/2"', "Y", "Y", "Y"),
            ('more_than = "1/2"', "N", "Y", "Y"),
            ('share = "3/5"', "N", "Y", "Y"),
            ('share = "4/6"', "N", "Y", "Y"),
            ('share = "3/4"', "N", "N", "Y"),
            ('share = "5/6"', "N", "N", "Y"),
            ('more_than = "5/6"', "N", "N", "N"),
            ('share = "1/1"', "N", "N", "N"),
        ],
    )
    def test_other_shares(self, share, three, four, five):
        """As fractions, of six."""
        assert not wrong(
            TWO_THIRDS.replace('share = "2/3"', share),
            f"""
            timeline    | value
            d28..d56 60 | {three}
            d28..d70 60 | {four}
            d28..d84 60 | {five}
            """,
        )

    @pytest.mark.parametrize("whole", [3, 12, 93, 300])
    def test_to_the_last_bit(self, whole):
        """Two thirds of what three divides are reached exactly, and one visit fewer is too few."""
        good = whole * 2 // 3
        days = [f"d{day} {60 if day <= good else 5}" for day in range(1, whole + 1)]
        short = [f"d{day} {60 if day < good else 5}" for day in range(1, whole + 1)]
        for key, met in (("share", "Y"), ("more_than", "N")):
            assert not wrong(
                f'{COUNTED} {key} = "2/3"',
                f"""
                timeline          | value
                {", ".join(days)}  | {met}
                {", ".join(short)} | N
                """,
            )


class TestInAny:
    """`in_any`: so many of any so many visits in a row; left out, of all."""

    def test_two_consecutive(self):
        """The onset is the first of them, the day that of the second."""
        assert not wrong(
            PLANNED + "at_least = 2\nin_any = 2",
            """
            timeline                             | value | day | onset | reason         | because
            d28 60, d42 60                       | Y     | 42  | 28    | met            | the first two
            d70 60, d84 60                       | Y     | 84  | 70    | met            | the last two
            d28 60, d42 5, d56 60, d70 60        | Y     | 70  | 56    | met            | onset in the row of visits that counts
            d28 60, d42 5, d56 60, d70 5, d84 60 | N     |     |       | too_few_met    | never two on end
            d28 60, d56 60, d84 60               | N     |     |       | too_few_met    | one without a count lies between
            d28 60, d42 60 bleed ?, d56 60       | NE    |     |       | visits_unknown | or one that is unknown
            d28 60, d42 <50, d56 60              | NE    |     |       | censored_count | it hangs on the bound
            d28 60, d42 60 bleed ?, d56 5        | NE    |     |       | visits_unknown | with the first
            d28 60, d42 <50, d56 5               | NE    |     |       | censored_count | it hangs on the bound
            d28 60, d42 5, d56 <50, d70 5        | N     |     |       | too_few_met    | it has no neighbour
            d28 60, d42 60 bleed ?, d56 60, d70 60 | Y     | 70  | 56    | met            | certain of the later two
            d28 60, d42 <50, d56 60, d70 60      | Y     |     |       | met            | certain of the later two
            d28..d84 60                          | Y     | 42  | 28    | met            | the first two of many
            """,
        )

    def test_two_of_any_three(self):
        """Of the first such row of visits."""
        assert not wrong(
            PLANNED + "at_least = 2\nin_any = 3",
            """
            timeline                             | value | day | onset | because
            d28 60, d42 5, d56 60                | Y     | 56  | 28    | with one between
            d28 60, d42 5, d56 5, d70 60         | N     |     |       | with two between
            d28 60, d56 60, d70 60               | Y     | 56  | 28    | the first three have two
            d56 60, d70 60                       | Y     | 70  | 56    | the second three
            d28 60, d70 60, d84 60               | Y     | 84  | 70    | the last three
            d70 60, d84 60                       | Y     | 84  | 70    | they alone
            d28 60, d84 60                       | N     |     |       | far apart
            """,
        )

    def test_three_of_any_four(self):
        """The confirming row is the third in the state of the four, not the last of them."""
        assert not wrong(
            PLANNED + "at_least = 3\nin_any = 4",
            """
            timeline                             | value | day | onset
            d28 60, d42 60, d56 60, d70 5        | Y     | 56  | 28
            d28 60, d42 60, d70 60               | Y     | 70  | 28
            d28 60, d42 60, d84 60               | N     |     |
            d28 60, d56 60, d70 5, d84 60        | N     |     |
            d42 60, d56 60, d84 60               | Y     | 84  | 42
            """,
        )

    def test_of_all_rows_with_a_count(self):
        """Without planned visits the rows with a count follow each other."""
        assert not wrong(
            COUNTED + "at_least = 2\nin_any = 2\ndays = [1, 365]",
            """
            timeline                         | value | day | onset
            d0 60, d7 60                     | N     |     |
            d7 60, d100 60                   | Y     | 100 | 7
            d7 60, d8 5, d9 60               | N     |     |
            d7 60, d8 bleed 2, d9 60         | Y     | 9   | 7
            d365 60, d366 60                 | N     |     |
            """,
        )

    def test_of_others(self):
        """The next patient's visits are no neighbours."""
        assert not wrong(
            PLANNED + "at_least = 2\nin_any = 2",
            """
            timeline       | value
            d84 60         | N
            d28 60         | N
            d70 60, d84 60 | Y
            d28 60         | N
            """,
        )


class TestMissing:
    """`missing`: a planned visit without a count fails, is unknown, or is left out."""

    TABLE = """
        timeline                      | value | reason | because
        d28..d56 60                   | {0} | {1} | three of three
        d28 60, d42 60                | {2} | {3} | two of two
        d28 60, d42 60, d56 5         | {4} | {5} | two of three
        d28 60, d42 60, d56 5, d70 5  | {6} | {7} | two of four
        d28 60, d42 60, d56 bleed 2   | {2} | {3} | bleeding is no count
        d28 60, d42 60, d55 60        | {2} | {3} | a count of another day
        """

    @pytest.mark.parametrize(
        ("further", "expected"),
        [
            ("", "Y met N too_few_met N too_few_met N too_few_met"),
            ('missing = "fails"', "Y met N too_few_met N too_few_met N too_few_met"),
            ('missing = "unknown"', "Y met NE visits_unknown NE visits_unknown NE visits_unknown"),
            ('missing = "left_out"', "Y met N too_few_met N too_few_met N too_few_met"),
        ],
    )
    def test_of_a_number(self, further, expected):
        """Left out it fails. What is left out is not enough either."""
        assert not wrong(THREE + further, self.TABLE.format(*expected.split()))

    @pytest.mark.parametrize(
        ("further", "expected"),
        [
            ("", "N too_few_met N too_few_met N too_few_met N too_few_met"),
            ('missing = "fails"', "N too_few_met N too_few_met N too_few_met N too_few_met"),
            ('missing = "unknown"', "NE visits_unknown NE visits_unknown NE visits_unknown NE visits_unknown"),
            ('missing = "left_out"', "Y met Y met Y met N too_few_met"),
        ],
    )
    def test_of_a_share(self, further, expected):
        """Left out it is not part of the whole."""
        assert not wrong(TWO_THIRDS + further, self.TABLE.format(*expected.split()))

    @pytest.mark.parametrize(
        ("missing", "gap", "failing", "day"),
        [("fails", "N", "N", ""), ("unknown", "NE", "N", ""), ("left_out", "Y", "N", 56)],
    )
    def test_of_a_row_of_visits(self, missing, gap, failing, day):
        """Left out, the visits before and after it follow each other."""
        assert not wrong(
            f'{PLANNED} at_least = 2\nin_any = 2\nmissing = "{missing}"',
            f"""
            timeline                                  | value     | day
            d28 60, d42 bleed 0, d56 60, d70 5, d84 5 | {gap}     | {day}
            d28 60, d42 5, d56 60, d70 5, d84 5       | {failing} |
            """,
        )

    def test_that_they_could_not_be_enough(self):
        """Not even with all the visits that are missing."""
        assert not wrong(
            THREE + 'missing = "unknown"',
            """
            timeline                             | value | reason
            d28 5, d42 5, d56 5                  | N     | too_few_met
            d28 5, d42 5                         | NE    | visits_unknown
            d0 60                                | NE    | visits_unknown
            d28 60, d42 60, d56 5, d70 5, d84 5  | N     | too_few_met
            """,
        )


class TestOfAtLeast:
    """`of_at_least`: how many visits must have a count; too few, it is what `too_few` says."""

    TABLE = """
        timeline                              | value | reason | because
        d28 60, d42 60, d56 5, d70 5          | Y     | met | four
        d28 60, d42 60, d56 5                 | {0}   | too_few_counts | three, though it would be met
        d28 60, d42 5, d56 5                  | {0}   | too_few_counts | though it would not
        d28 60, d42 <50, d56 60               | {0}   | too_few_counts | though it would be met
        d28 60, d42 60, d56 <50, d70 60 bleed ? | Y   | met | a count is one, its state unknown or not
        d28 60, d42 60, d56 5, d70 bleed 0    | {0}   | too_few_counts | bleeding is none
        d28 60, d42 60, d56 5, d69 5          | {0}   | too_few_counts | not on the day
        d0 60                                 | {0}   | too_few_counts | none
        """

    @pytest.mark.parametrize(
        ("further", "value"),
        [("", "N"), ('too_few = "N"', "N"), ('too_few = "NE"', "NE"), ('missing = "unknown"', "N")],
    )
    def test_four(self, further, value):
        """Left out `too_few` is `N`."""
        assert not wrong(PLANNED + "at_least = 2\nof_at_least = 4\n" + further, self.TABLE.format(value))

    def test_left_out_it_is_none(self):
        """One count may then be enough."""
        assert not wrong(
            PLANNED + 'share = "1/2"\nmissing = "left_out"',
            """
            timeline | value | reason
            d28 60   | Y     | met
            d28 5    | N     | too_few_met
            d27 60   | NE    | no_counts
            """,
        )

    def test_before_no_counts_of_a_share(self):
        """It goes before the rest."""
        for further, value in (("", "N"), ('too_few = "NE"', "NE")):
            assert not wrong(
                f"{COUNTED} share = '1/2'\nof_at_least = 2\n{further}",
                f"""
                timeline        | value   | reason
                d5 bleed 0      | {value} | too_few_counts
                d5 60           | {value} | too_few_counts
                d5 60, d6 60    | Y       | met
                d5 5, d6 5      | N       | too_few_met
                """,
            )

    @pytest.mark.parametrize(
        ("discounted", "four", "five"),
        [
            ("fails", "N     | too_few_met", "N     | too_few_met"),
            ("unknown", "NE    | visits_unknown", "NE    | visits_unknown"),
            ("left_out", "N     | too_few_counts", "N     | too_few_met"),
        ],
    )
    def test_a_visit_left_out_has_no_count(self, discounted, four, five):
        """A discounted visit has one, unless it is left out."""
        assert not wrong(
            f'{PLANNED} at_least = 3\nof_at_least = 4\ndiscount = "washout"\ndiscounted = "{discounted}"',
            f"""
            timeline                                         | value | reason
            d25 rescue, d28 60, d42 60, d56 60, d70 5        | {four}
            d25 rescue, d28 60, d42 60, d56 60, d70 5, d84 5 | {five}
            """,
        )


class TestDiscount:
    """`discount`: a visit on whose row it is true fails, is unknown, or is left out."""

    DISCOUNTED = PLANNED + 'at_least = 2\ndiscount = "washout"\n'

    def test_where_it_is_not_false(self):
        """Left out, such a visit fails. One that fails stays failing, one that is unknown fails in either case."""
        assert not wrong(
            self.DISCOUNTED,
            """
            timeline                           | value | day | onset | reason         | because
            d21 rescue, d28 60, d42 60         | N     |     |       | too_few_met    | seven days after
            d20 rescue, d28 60, d42 60         | Y     | 42  | 28    | met            | eight
            d28 60 rescue, d42 60              | Y     | 42  | 28    | met            | begun on the day itself
            d10 rescue to d25, d28 60, d42 60  | N     |     |       | too_few_met    | counted from the last day
            d21 rescue, d28 60, d42 60, d56 60 | Y     | 56  | 42    | met            | the others are enough
            d21 rescue, d28 60 bleed ?, d42 60 | N     |     |       | too_few_met    | whether bleeding or not
            d20 rescue, d28 60 bleed ?, d42 60 | NE    |     |       | visits_unknown | eight days after
            d21 rescue, d28 <50, d42 60        | N     |     |       | too_few_met    | unknown before
            d21 rescue, d28 5, d42 60          | N     |     |       | too_few_met    | failing before
            """,
        )

    @pytest.mark.parametrize(
        ("discounted", "one", "good", "bad"),
        [("fails", "N", "N", "N"), ("unknown", "NE", "NE", "N"), ("left_out", "N", "Y", "N")],
    )
    def test_what_it_is_instead(self, discounted, one, good, bad):
        """Of a number, of a row of visits, and of a share."""
        further = f'discount = "washout"\ndiscounted = "{discounted}"\n'
        assert not wrong(
            f"{PLANNED} {further} at_least = 2",
            f"""
            timeline                      | value
            d28 60, d35 rescue, d42 60    | {one}
            d35 rescue, d42 60            | N
            """,
        )
        assert not wrong(
            f"{PLANNED} {further} at_least = 2\nin_any = 2",
            f"""
            timeline                                              | value
            d28 60, d35 rescue, d42 60, d56 60, d70 5, d84 5      | {good}
            d28 60, d35 rescue, d42 5, d56 60, d70 5, d84 5       | {bad}
            """,
        )
        assert not wrong(
            f'{COUNTED} discount = "days_since_rescue <= 7"\ndiscounted = "{discounted}"\nshare = "1/1"',
            f"""
            timeline                           | value
            d28 60, d35 rescue, d42 60         | {good}
            d28 60, d35 rescue, d42 5          | {bad}
            """,
        )

    def test_a_share_of_visits_all_left_out(self):
        """There are none then."""
        assert not wrong(
            COUNTED + 'discount = "days_since_rescue <= 7"\ndiscounted = "left_out"\nshare = "1/2"',
            """
            timeline                    | value | reason
            d35 rescue, d42 60          | NE    | no_counts
            d35 rescue, d42 60, d43 60  | Y     | met
            d35 rescue, d42 5           | N     | too_few_met
            """,
        )

    def test_unknown_discounts_too(self):
        """Where it is not false."""
        assert not wrong(
            """
            [on]
            kind     = "visits"
            when     = "platelets >= 30"
            visits   = [28, 42]
            at_least = 1
            discount = "bleeding_grade >= 1"
            """,
            """
            timeline         | value | day
            d28 60           | Y     | 28
            d28 60 bleed 1   | N     |
            d28 60 bleed ?   | N     |
            """,
        )


class TestClosedBy:
    """`closed_by`: true on any row, it is `N`; the first such row ended it."""

    def test_on_any_row(self):
        """Before, between and after the visits, with a count or without; it goes before everything."""
        assert not wrong(
            THREE + 'of_at_least = 3\nclosed_by = "rescue"',
            """
            timeline                            | value | day | onset | ended | reason         | because
            d28..d56 60                         | Y     | 56  | 28    |       | met            | never
            d-20 rescue, d28..d56 60            | N     |     |       | -20   | rescue         | before day 0
            d27 rescue, d28..d56 60             | N     |     |       | 27    | rescue         | before the visits
            d28 60 rescue, d42 60, d56 60       | N     |     |       | 28    | rescue         | on one
            d28..d56 60, d400 rescue            | N     |     |       | 400   | rescue         | long after
            d30 rescue, d20 rescue, d28..d56 60 | N     |     |       | 20    | rescue         | the first ended it
            d28 60, d30 rescue                  | N     |     |       | 30    | rescue         | before too few counts
            d28..d56 <50, d70 rescue            | N     |     |       | 70    | rescue         | before what is unknown
            d28 60                              | N     |     |       |       | too_few_counts | never
            """,
        )

    def test_outside_of_days(self):
        """Any row is any row."""
        assert not wrong(
            COUNTED + 'at_least = 1\ndays = [28, 84]\nclosed_by = "platelets < 10"',
            """
            timeline         | value | ended | reason
            d20 5, d28 60    | N     | 20    | platelets
            d28 60, d90 5    | N     | 90    | platelets
            d20 10, d28 60   | Y     |       | met
            d20 60 bleed ?, d28 60 | Y     |       | met
            d20 <20, d28 60  | NE    |       | censored_count
            """,
        )

    def test_the_name_of_a_term(self):
        """The reason, where the rule is one."""
        assert not wrong(
            THREE + 'closed_by = "washout"',
            """
            timeline                          | value | ended | reason
            d29 rescue, d36 5                 | N     | 36    | washout
            d29 rescue, d37 5                 | N     |       | too_few_met
            """,
        )


class TestUnless:
    """`unless` is looked at first: `N`, without evidence."""

    def test_whatever_else_holds(self):
        """Before `closed_by`, too few counts, and what is met."""
        assert not wrong(
            THREE + 'of_at_least = 3\nclosed_by = "rescue"\nunless = "treatment_discontinued"',
            """
            timeline                | discontinued | value | day | onset | ended | reason
            d28..d56 60             |              | Y     | 56  | 28    |       | met
            d28..d56 60             | 100          | N     |     |       |       | discontinued
            d28..d56 60, d70 rescue | 100          | N     |     |       |       | discontinued
            d28..d56 <50            | 100          | N     |     |       |       | discontinued
            d28 60                  | 100          | N     |     |       |       | discontinued
            """,
        )


class TestStartingFromVisits:
    """Others start from the day, which is that of the confirming row, and come after the last evidence."""

    def test_lost_and_kept(self):
        """And take over what it could not give."""
        assert not wrong(
            PLANNED
            + """
            at_least = 2
            [lost]
            kind  = "lost"
            after = "on"
            when  = "platelets < 30"
            [kept]
            kind = "maintained"
            from = "on"
            when = "platelets >= 30"
            for  = "28 days"
            """,
            """
            timeline                              | lost | lost_day | value | day | onset | reason
            d28 60, d35 5, d42 60, d56 60, d70 60 | NE   |          | Y     | 70  | 42    | met
            d28 60, d42 60, d56 5                 | Y    | 56       | N     |     | 42    | platelets
            d28 60, d42 60, d364 60               | N    |          | Y     | 364 | 42    | met
            d28 60, d42 60                        | NE   |          | NE    |     | 42    | follow_up_ended
            d28 60                                | NA   |          | N     |     |       | too_few_met
            d28 60, d42 60 bleed ?                | NE   |          | NE    |     |       | visits_unknown
            d28 60, d42 <50                       | NE   |          | NE    |     |       | censored_count
            """,
        )


class TestNoRows:
    """Patients of whom nothing at all was observed."""

    @pytest.mark.parametrize(
        ("text", "value", "reason"),
        [
            (THREE, "N", "too_few_met"),
            (THREE + 'missing = "unknown"', "NE", "visits_unknown"),
            (THREE + 'missing = "left_out"', "N", "too_few_met"),
            (THREE + "in_any = 3", "N", "too_few_met"),
            (THREE + 'in_any = 3\nmissing = "unknown"', "NE", "visits_unknown"),
            (THREE + "of_at_least = 3", "N", "too_few_counts"),
            (THREE + 'of_at_least = 3\ntoo_few = "NE"', "NE", "too_few_counts"),
            (TWO_THIRDS, "N", "too_few_met"),
            (TWO_THIRDS + 'missing = "unknown"', "NE", "visits_unknown"),
            (TWO_THIRDS + 'missing = "left_out"', "NE", "no_counts"),
            (COUNTED + "at_least = 1", "N", "too_few_met"),
            (COUNTED + "at_least = 1\nin_any = 1", "N", "too_few_met"),
            (COUNTED + 'share = "1/2"', "NE", "no_counts"),
            (COUNTED + 'more_than = "1/2"\nclosed_by = "rescue"', "NE", "no_counts"),
        ],
    )
    @pytest.mark.parametrize("others", [(), tuple(Observation(day, 60, 0) for day in (28, 42, 56, 70, 84, 112))])
    def test_what_no_visit_at_all_comes_to(self, text, value, reason, others):
        """Alone, or beside others before and after them."""
        criteria = criteria_of(text)
        patients = [Patient(()), Patient(others), Patient(())]
        found = as_literal(classify(cohort_of(patients), criteria=criteria))

        assert found == [verdicts(criteria.raw, patient) for patient in patients]
        assert found[0] == found[2] == {"on": LiteralVerdict(value, reason)}
        assert found[1]["on"].value == ("Y" if others else value)


class TestSetAside:
    """`set_aside`: rows passed over, as if they were not there, whatever they show."""

    def test_a_visit_in_the_washout_has_no_count(self):
        """A bad count is set aside as a good one is; the neighbour is taken, if it lies in the window."""
        assert not wrong(
            PLANNED + 'at_least = 5\nset_aside = "washout"\nwithin = 3\nmissing = "unknown"\n',
            """
            timeline                          | value | reason         | because
            d28..d84 60                       | Y     | met            | nothing is set aside
            d40 rescue, d28..d84 60           | NE    | visits_unknown | day 42 lies two days after rescue treatment
            d34 rescue, d28..d84 60           | Y     | met            | eight days after it
            d35 rescue, d28..d84 60           | NE    | visits_unknown | seven days after it
            d36 rescue, d28..d84 60, d44 60   | Y     | met            | day 44 is taken for day 42
            d40 rescue, d42 5, d28 60, d56..d84 60 | NE | visits_unknown | the bad count of day 42 is set aside
            d28 60, d42 5, d56..d84 60        | N     | too_few_met    | without rescue treatment it is not
            """,
        )

    def test_of_all_rows_with_a_count(self):
        """They are not of the whole either."""
        assert not wrong(
            '[terms]\nwashout = "days_since_rescue <= 7"\n'
            + COUNTED
            + 'share = "1/1"\nset_aside = "washout"\ndays = [1, 365]\n',
            """
            timeline                     | value | reason      | because
            d3 rescue, d7 5, d11 60      | Y     | met         | the low count lies in the wash-out
            d3 rescue, d7 5              | NE    | no_counts   | nothing is left
            d3 rescue, d7 5, d11 5       | N     | too_few_met | one outside it fails
            """,
        )
