"""At: the state at a landmark. Each table is a key at its bounds."""

import pytest
from worked import criteria_of, wrong

from itp_response.classification.classification import classify
from itp_response.validation.bridge import as_literal, cohort_of
from itp_response.validation.literal import LiteralVerdict, Observation, Patient, verdicts

LANDMARK = """
    [terms]
    quiet      = "bleeding_grade == 0"
    far_rescue = "rescue and day >= 14"
    [at_28]
    kind   = "at"
    when   = "platelets >= 30 and quiet"
    day    = 28
    within = [21, 35]
"""
RESPONSE = """
    [R]
    kind      = "achieved"
    when      = "platelets >= 30"
    days      = [1, 365]
"""
AFTER = (
    RESPONSE
    + """
    [later]
    kind   = "at"
    from   = "R"
    when   = "platelets >= 50"
    day    = 28
    within = [21, 35]
"""
)


class TestWhen:
    """`when`: the state of the row that is taken."""

    def test_it_holds_or_fails(self):
        """`Y` is dated by the row, which is the onset; of `N` the row ended it, and what failed is the reason."""
        assert not wrong(
            LANDMARK,
            """
            timeline              | value | day | onset | ended | reason    | because
            d28 30                | Y     | 28  | 28    |       | met       | 30 will do
            d28 29.9              | N     |     |       | 28    | platelets | 29.9 will not
            d28 >30               | Y     | 28  | 28    |       | met       | surely
            d28 <30               | N     |     |       | 28    | platelets | surely not
            d28 60 bleed 1        | N     |     |       | 28    | bleeding  | what failed
            d28 5 bleed 1         | N     |     |       | 28    | platelets | the first as written
            d28 5 bleed ?         | N     |     |       | 28    | platelets | false, the other part unknown
            d28 <50 bleed 1       | N     |     |       | 28    | bleeding  | the first that is false
            d7 60, d28 5, d42 60  | N     |     |       | 28    | platelets | other days do not matter
            d7 5, d28 60, d42 5   | Y     | 28  | 28    |       | met       | nor here
            d28 60, d28 5         | N     |     |       | 28    | platelets | the lowest of the day
            d28 60, d28 bleed 1   | N     |     |       | 28    | bleeding  | the highest grade of the day
            """,
        )

    @pytest.mark.parametrize(
        ("rule", "reason"),
        [
            ("platelets >= 30 and not rescue", "rescue"),
            ("days_since_rescue > 7 and platelets >= 100", "rescue"),
            ("not late and platelets >= 100", "rescue"),
            ("(platelets >= 100 or rescue and day < 28) and not rescue", "platelets"),
            ("dose <= 10", "dose"),
            ("30 <= platelets < 50", "platelets"),
            ("baseline >= 30 and platelets < 50", "baseline"),
            ("day < 28 and rescue", "day"),
            ("baseline < platelets - 50", "platelets"),
        ],
    )
    def test_what_failed(self, rule, reason):
        """The first thing observed that the false part names; terms stand for what is behind them."""
        assert not wrong(
            f"""
            [columns]
            dose = {{ type = "number", table = "visits", empty = "unknown" }}
            [terms]
            late = "rescue and day >= 28"
            [at_28]
            kind   = "at"
            when   = "{rule}"
            day    = 28
            within = [28, 28]
            """,
            f"""
            timeline                                  | baseline | value | ended | reason
            d22 rescue, d28 60 rescue to d30 dose=50  | 15       | N     | 28    | {reason}
            """,
        )

    def test_whether_followed_or_not(self):
        """A landmark needs no more follow-up than its own count, and none makes up for it."""
        assert not wrong(
            LANDMARK,
            """
            timeline        | value | reason
            d28 60          | Y     | met
            d28 60, d364 5  | Y     | met
            d28 5           | N     | platelets
            d28 5, d364 60  | N     | platelets
            d364 60         | NE    | no_counts
            d364 5          | NE    | no_counts
            """,
        )


class TestUnknown:
    """A row in an unknown state leaves it open; the reason is what made it unknown, the first that applies."""

    def test_what_made_it_unknown(self):
        """The baseline, then bleeding, then a bound, and only as the rule names them."""
        assert not wrong(
            """
            [columns]
            dose = { type = "number", table = "visits", empty = "unknown" }
            [terms]
            doubled = "platelets >= 2 * baseline"
            [at_28]
            kind   = "at"
            when   = "platelets >= 30 and doubled and bleeding_grade == 0 and dose <= 10"
            day    = 28
            within = [21, 35]
            """,
            """
            timeline                   | baseline | value | day | onset | ended | reason                | because
            d28 60 dose=5              | 15       | Y     | 28  | 28    |       | met                   | all known
            d28 60 dose=5              |          | NE    |     |       |       | baseline_missing      | behind a term
            d28 60 bleed ?             |          | NE    |     |       |       | baseline_missing      | before all others
            d28 <50 bleed ?            |          | NE    |     |       |       | censored_count        | it hangs on the bound
            d28 60 bleed ?             | 15       | NE    |     |       |       | bleeding_not_recorded | before the bound
            d28 <50 bleed ?            | 15       | NE    |     |       |       | censored_count        | it hangs on the bound
            d28 <50                    | 15       | NE    |     |       |       | censored_count        | before the column
            d28 60                     | 15       | NE    |     |       |       | not_recorded          | the column
            d28 60 dose=5 bleed ?      | 15       | NE    |     |       |       | bleeding_not_recorded | bleeding alone
            d28 <50 dose=5             | 15       | NE    |     |       |       | censored_count        | a bound
            d28 >1000                  | 15       | NE    |     |       |       | not_recorded          | it hangs on the bound
            d28 60 dose=5              | <50      | NE    |     |       |       | censored_count        | it hangs on the bound
            d28 5                      |          | N     |     |       | 28    | platelets             | false all the same
            d-1 15, d28 60 dose=5      |          | Y     | 28  | 28    |       | met                   | a count before day 0 is the baseline
            """,
        )

    def test_what_the_rule_does_not_name(self):
        """A missing baseline or bleeding that the rule does not ask for is not the reason."""
        assert not wrong(
            """
            [at_28]
            kind   = "at"
            when   = "platelets >= 30"
            day    = 28
            within = [21, 35]
            """,
            """
            timeline         | value | reason
            d28 <50 bleed ?  | NE    | censored_count
            d28 60 bleed ?   | Y     | met
            d28 <30 bleed ?  | N     | platelets
            """,
        )

    def test_it_is_taken_all_the_same(self):
        """An unknown row is not passed over for one that is known."""
        assert not wrong(
            LANDMARK,
            """
            timeline                 | value | ended | reason
            d27 <50, d30 60          | NE    |       | censored_count
            d27 60 bleed ?, d30 5    | NE    |       | bleeding_not_recorded
            d26 <50, d27 60          | Y     |       | met
            """,
        )


class TestWithin:
    """`within`: first and last day a count may come from, both included."""

    def test_bounds(self):
        """Only rows with a count are taken."""
        assert not wrong(
            LANDMARK,
            """
            timeline                   | value | day | onset | ended | reason    | because
            d21 60                     | Y     | 21  | 21    |       | met       | the first day
            d35 60                     | Y     | 35  | 35    |       | met       | the last day
            d20 60                     | NE    |     |       |       | no_counts | a day early
            d36 60                     | NE    |     |       |       | no_counts | a day late
            d20 60, d36 60             | NE    |     |       |       | no_counts | on both sides
            d20 60, d21 5, d36 60      | N     |     |       | 21    | platelets | the first day
            d20 5, d35 60, d36 5       | Y     | 35  | 35    |       | met       | the last day
            d28 bleed 0                | NE    |     |       |       | no_counts | bleeding is no count
            d28 bleed 2                | NE    |     |       |       | no_counts | though it fails
            d28 rescue                 | NE    |     |       |       | no_counts | nor is rescue
            d28 bleed 2, d30 60        | Y     | 30  | 30    |       | met       | it is passed over
            """,
        )

    @pytest.mark.parametrize(
        ("within", "early", "first", "last", "late"),
        [
            ("[28, 28]", "NE", "NE", "NE", "NE"),
            ("[28, 35]", "NE", "NE", "Y", "NE"),
            ("[21, 28]", "NE", "Y", "NE", "NE"),
            ("[-inf, 28]", "Y", "Y", "NE", "NE"),
            ("[28, inf]", "NE", "NE", "Y", "Y"),
            ("[-inf, inf]", "Y", "Y", "Y", "Y"),
        ],
    )
    def test_of_one_day_or_without_end(self, within, early, first, last, late):
        """The landmark may be the first or the last of them, or the only one; `inf` is no end."""
        assert not wrong(
            LANDMARK.replace("[21, 35]", within),
            f"""
            timeline | value
            d-20 60  | {early}
            d0 60    | {early}
            d21 60   | {first}
            d27 60   | {first}
            d28 60   | Y
            d29 60   | {last}
            d35 60   | {last}
            d400 60  | {late}
            """,
        )


class TestWhich:
    """`which`: the nearest of several counts, of two as near the later; or the first, or the last."""

    TABLE = """
        timeline                     | {0} | because
        d26 5, d29 60                | {1} | the nearer is later
        d27 5, d30 60                | {2} | the nearer is earlier
        d26 5, d30 60                | {3} | as near
        d21 5, d35 60                | {4} | as near, on the bounds
        d26 60, d28 5, d30 60        | {5} | on the day
        d20 60, d22 5, d36 60        | {6} | what lies outside is not taken
        d26 5, d28 bleed 0, d31 60   | {7} | a row without a count is not taken
        d21 60, d27 60, d35 60       | {8} | one of three
        """

    @pytest.mark.parametrize(
        ("which", "days"),
        [
            ("", [29, "", 30, 35, "", "", "", 27]),
            ('which = "nearest"', [29, "", 30, 35, "", "", "", 27]),
            ('which = "first"', ["", "", "", "", 26, "", "", 21]),
            ('which = "last"', [29, 30, 30, 35, 30, "", 31, 35]),
        ],
    )
    def test_of_several(self, which, days):
        """Left out it is the nearest."""
        assert not wrong(LANDMARK + which, self.TABLE.format("day", *days))

    def test_as_near_the_later(self):
        """Whatever they show."""
        assert not wrong(
            LANDMARK,
            """
            timeline        | value | day | ended
            d26 60, d30 5   | N     |     | 30
            d26 5, d30 60   | Y     | 30  |
            d27 60, d29 <50 | NE    |     |
            d27 60, d30 5   | Y     | 27  |
            """,
        )

    def test_at_the_end_of_the_days(self):
        """A landmark that is the first of its days has no earlier count, as the last it has no later one."""
        assert not wrong(
            LANDMARK.replace("[21, 35]", "[28, 56]"),
            """
            timeline              | day
            d27 60, d40 60, d56 60 | 40
            d28 60, d29 60         | 28
            """,
        )
        assert not wrong(
            LANDMARK.replace("[21, 35]", "[0, 28]"),
            """
            timeline              | day
            d0 60, d14 60, d29 60  | 14
            d27 60, d28 60         | 28
            """,
        )

    def test_of_others(self):
        """The rows of the patient before and after are not taken."""
        assert not wrong(
            LANDMARK,
            """
            timeline      | value | day | reason
            d27 60        | Y     | 27  | met
            d14 60        | NE    |     | no_counts
            d28 5         | N     |     | platelets
            d42 60        | NE    |     | no_counts
            d21 60        | Y     | 21  | met
            """,
        )


class TestFrom:
    """`from`: an endpoint from whose day the landmark and its window are counted."""

    def test_the_window_moves(self):
        """Left out it is day 0."""
        assert not wrong(
            AFTER,
            """
            timeline                  | R_day | value | day | onset | ended | reason    | because
            d7 40, d28 60             | 7     | Y     | 28  | 28    |       | met       | 21 days after
            d7 40, d42 60             | 7     | Y     | 42  | 42    |       | met       | 35 days after
            d7 40, d27 60             | 7     | NE    |     |       |       | no_counts | 20 days after
            d7 40, d43 60             | 7     | NE    |     |       |       | no_counts | 36 days after
            d7 40, d33 49, d36 60     | 7     | Y     | 36  | 36    |       | met       | 29 is nearer than 26
            d7 40, d33 60, d37 40     | 7     | N     |     |       | 37    | platelets | as near, the later
            d7 40, d35 40, d36 60     | 7     | N     |     |       | 35    | platelets | the 28th day
            d100 40, d128 60          | 100   | Y     | 128 | 128   |       | met       | counted from day 100
            d100 40, d28 60           | 28    | NE    |     |       |       | no_counts | counted from the first
            d-7 40, d7 30, d35 50     | 7     | Y     | 35  | 35    |       | met       | the day of the other, not the first count
            """,
        )

    def test_day_0_of_it(self):
        """The day itself may be the landmark, and days before it may be within."""
        assert not wrong(
            AFTER.replace("28", "0").replace("[21, 35]", "[-7, 7]"),
            """
            timeline               | value | day | ended
            d10 60                 | Y     | 10  |
            d10 40                 | N     |     | 10
            d9 5, d10 60, d11 5    | Y     | 10  |
            """,
        )
        assert not wrong(
            AFTER.replace("28", "-3").replace("[21, 35]", "[-7, -1]"),
            """
            timeline                   | value | ended | reason
            d3 5, d10 60               | N     | 3     | platelets
            d2 5, d10 60               | NE    |       | no_counts
            d9 5, d10 60               | N     | 9     | platelets
            """,
        )

    def test_days_without_end(self):
        """`inf` is no end here too."""
        assert not wrong(
            AFTER.replace("[21, 35]", "[21, inf]"),
            """
            timeline              | value | day
            d7 40, d27 60         | NE    |
            d7 40, d28 60         | Y     | 28
            d7 40, d400 60        | Y     | 400
            """,
        )
        assert not wrong(
            AFTER.replace("[21, 35]", "[-inf, 35]"),
            """
            timeline              | value | day | ended
            d-10 60, d7 40        | N     |     | 7
            d7 60, d43 40         | Y     | 7   |
            """,
        )

    def test_of_what_is_dated_by_its_confirming_row(self):
        """Its day is then that of the confirming row."""
        assert not wrong(
            AFTER.replace("days      = [1, 365]", 'occasions = 2\ndated_by = "confirming"'),
            """
            timeline                       | R_day | value | day
            d7 40, d14 40, d34 60          | 14    | NE    |
            d7 40, d14 40, d35 60          | 14    | Y     | 35
            d7 40, d14 40, d42 60, d44 40  | 14    | Y     | 42
            """,
        )

    def test_what_it_takes_over(self):
        """`NE`, `N` and `NA` of the other, with its reason; `unless` goes before them and is `N`."""
        assert not wrong(
            RESPONSE
            + """
            unless = "treatment_discontinued"
            [lost]
            kind  = "lost"
            after = "R"
            when  = "platelets < 30"
            [again]
            kind   = "at"
            from   = "lost"
            when   = "platelets >= 50"
            day    = 28
            within = [21, 35]
            unless = "baseline >= 100"
            """,
            """
            timeline                | discontinued | baseline | lost | lost_reason     | value | day | ended | reason
            d7 5                    |              |          | NE   | follow_up_ended | NE    |     |       | follow_up_ended
            d7 40, d14 60           |              |          | NE   | follow_up_ended | NE    |     |       | follow_up_ended
            d7 40, d364 60          |              |          | N    | not_lost        | N     |     |       | not_lost
            d7 5, d364 5            |              |          | NA   | never_reached   | NA    |     |       | never_reached
            d7 40, d14 5, d42 60    | 70           |          | NA   | discontinued    | NA    |     |       | discontinued
            d7 40, d14 5, d42 60    |              |          | Y    | platelets       | Y     | 42  |       | met
            d7 40, d14 5, d42 40    |              |          | Y    | platelets       | N     |     | 42    | platelets
            d7 40, d14 5            |              |          | Y    | platelets       | NE    |     |       | no_counts
            d7 40, d14 5, d42 60    |              | 100      | Y    | platelets       | N     |     |       | baseline
            d7 40, d14 60           |              | 100      | NE   | follow_up_ended | N     |     |       | baseline
            d7 5, d364 5            |              | 100      | NA   | never_reached   | N     |     |       | baseline
            """,
        )


class TestClosedBy:
    """`closed_by`: true on a row after day 0 and up to the row taken, it is `N`."""

    CLOSED = LANDMARK + 'closed_by = "rescue"\n'

    def test_up_to_the_row_taken(self):
        """The first such row ended it; the reason is what the rule is about. It goes before all else."""
        assert not wrong(
            self.CLOSED,
            """
            timeline                         | value | day | onset | ended | reason         | because
            d28 60                           | Y     | 28  | 28    |       | met            | nothing closed it
            d-1 rescue, d28 60               | Y     | 28  | 28    |       | met            | before day 0
            d0 rescue, d28 60                | Y     | 28  | 28    |       | met            | on day 0
            d1 rescue, d28 60                | N     |     |       | 1     | rescue         | on day 1
            d0 rescue, d1 rescue, d28 60     | N     |     |       | 1     | rescue         | the first after day 0
            d27 rescue, d28 60               | N     |     |       | 27    | rescue         | the day before
            d28 60 rescue                    | N     |     |       | 28    | rescue         | on the row taken
            d28 60, d29 rescue               | Y     | 28  | 28    |       | met            | after it, though within
            d10 rescue, d20 rescue, d28 60   | N     |     |       | 10    | rescue         | the first ended it
            d10 60 rescue, d28 60            | N     |     |       | 10    | rescue         | with a count too
            d10 rescue, d28 5                | N     |     |       | 10    | rescue         | before what failed
            d10 rescue, d28 <50              | N     |     |       | 10    | rescue         | before what is unknown
            d28 5 rescue                     | N     |     |       | 28    | rescue         | before what failed on that row
            d28 5, d29 rescue                | N     |     |       | 28    | platelets      | what failed
            d28 <50, d29 rescue              | NE    |     |       |       | censored_count | what is unknown
            """,
        )

    def test_where_none_is_taken(self):
        """Up to the last of the days then."""
        assert not wrong(
            self.CLOSED,
            """
            timeline                    | value | ended | reason
            d10 rescue                  | N     | 10    | rescue
            d35 rescue                  | N     | 35    | rescue
            d36 rescue                  | NE    |       | no_counts
            d0 rescue                   | NE    |       | no_counts
            d30 rescue, d36 60          | N     | 30    | rescue
            d28 bleed 0, d30 rescue     | N     | 30    | rescue
            d400 rescue                 | NE    |       | no_counts
            """,
        )
        assert not wrong(
            self.CLOSED.replace("[21, 35]", "[21, inf]"),
            """
            timeline   | value | ended | reason
            d400 rescue | N    | 400   | rescue
            """,
        )

    @pytest.mark.parametrize(("which", "value", "ended"), [("first", "Y", ""), ("nearest", "N", 24), ("last", "N", 24)])
    def test_as_the_row_is_taken(self, which, value, ended):
        """An earlier row taken closes earlier."""
        assert not wrong(
            f'{self.CLOSED} which = "{which}"',
            f"""
            timeline                           | value   | ended
            d22 60, d24 rescue, d28 60, d35 60 | {value} | {ended}
            """,
        )

    def test_the_reason(self):
        """The name of the term, where the rule is one; unknown closes nothing."""
        assert not wrong(
            LANDMARK + 'closed_by = "far_rescue"',
            """
            timeline             | value | ended | reason
            d13 rescue, d28 60   | Y     |       | met
            d14 rescue, d28 60   | N     | 14    | far_rescue
            """,
        )
        assert not wrong(
            LANDMARK + 'closed_by = "bleeding_grade >= 2 or platelets < 10"',
            """
            timeline                | value | ended | reason
            d14 bleed 2, d28 60     | N     | 14    | bleeding
            d14 5, d28 60           | N     | 14    | bleeding
            d14 bleed ?, d28 60     | Y     |       | met
            d14 60 bleed ?, d28 60  | Y     |       | met
            d14 <50, d28 60         | NE    |       | censored_count
            d14 <10, d28 60         | N     | 14    | bleeding
            d0 5, d28 60            | Y     |       | met
            """,
        )

    def test_after_the_day_of_from(self):
        """With `from` it is true on a row after that day, not after day 0."""
        assert not wrong(
            AFTER + 'closed_by = "rescue"',
            """
            timeline                          | value | day | ended | reason          | because
            d3 rescue, d7 40, d35 60          | Y     | 35  |       | met             | before the day
            d7 40 rescue, d35 60              | Y     | 35  |       | met             | on the day
            d7 40, d8 rescue, d35 60          | N     |     | 8     | rescue          | a day after it
            d3 rescue, d7 40, d8 rescue       | N     |     | 8     | rescue          | the first after it
            d7 40, d35 60 rescue              | N     |     | 35    | rescue          | on the row taken
            d7 40, d35 60, d36 rescue         | Y     | 35  |       | met             | after it
            d7 40, d42 rescue                 | N     |     | 42    | rescue          | none taken, the last day
            d7 40, d43 rescue                 | NE    |     |       | no_counts       | a day later
            d8 rescue                         | NE    |     |       | no_counts       | there is no such day: that of the other
            d8 5 rescue, d364 5               | N     |     |       | never_reached   | likewise
            """,
        )

    def test_before_day_0(self):
        """A landmark on day 0 or before is closed by nothing before it."""
        assert not wrong(
            self.CLOSED.replace("28", "0").replace("[21, 35]", "[-7, 7]"),
            """
            timeline              | value | day | ended
            d-5 rescue, d0 60     | Y     | 0   |
            d0 60 rescue          | Y     | 0   |
            d-3 60, d1 rescue     | Y     | -3  |
            d1 rescue, d2 60      | N     |     | 1
            """,
        )

    def test_of_others(self):
        """The rescue of the next patient closes nothing."""
        assert not wrong(
            self.CLOSED,
            """
            timeline            | value
            d28 60              | Y
            d1 rescue, d28 60   | N
            d14 60              | NE
            d2 rescue           | N
            d28 60              | Y
            """,
        )


class TestUnless:
    """`unless` is looked at first: `N`, without evidence."""

    def test_whatever_else_holds(self):
        """Before `closed_by`, what was seen, and no counts."""
        assert not wrong(
            LANDMARK + 'closed_by = "rescue"\nunless = "treatment_discontinued"',
            """
            timeline           | discontinued | value | day | onset | ended | reason
            d28 60             |              | Y     | 28  | 28    |       | met
            d28 60             | 100          | N     |     |       |       | discontinued
            d28 5              | 100          | N     |     |       |       | discontinued
            d1 rescue, d28 60  | 100          | N     |     |       |       | discontinued
            d14 60             | 100          | N     |     |       |       | discontinued
            """,
        )

    def test_unknown_excludes_nobody(self):
        """Only where it is true."""
        assert not wrong(
            LANDMARK + 'unless = "baseline >= 100"',
            """
            timeline | baseline | value | reason
            d28 60   |          | Y     | met
            d28 60   | >50      | NE    | censored_count
            d28 60   | 99.9     | Y     | met
            d28 60   | 100      | N     | baseline
            """,
        )


class TestNoRows:
    """Patients of whom nothing at all was observed."""

    @pytest.mark.parametrize("further", ["", 'which = "first"', 'which = "last"', 'closed_by = "rescue"'])
    @pytest.mark.parametrize("others", [(), (Observation(28, 60, 0),)])
    def test_no_counts(self, further, others):
        """Alone, or beside others before and after them."""
        criteria = criteria_of(LANDMARK + further)
        patients = [Patient(()), Patient(others), Patient(())]
        found = as_literal(classify(cohort_of(patients), criteria=criteria))

        assert found == [verdicts(criteria.raw, patient) for patient in patients]
        assert found[0] == found[2] == {"at_28": LiteralVerdict("NE", "no_counts")}
        assert found[1]["at_28"].value == ("Y" if others else "NE")

    def test_that_start_from_another(self):
        """They take over its `NE`."""
        criteria = criteria_of(AFTER)
        found = as_literal(classify(cohort_of([Patient(())]), criteria=criteria))

        assert found == [{"R": LiteralVerdict("NE", "no_counts"), "later": LiteralVerdict("NE", "no_counts")}]

    def test_no_patients(self):
        """An empty cohort has no verdicts."""
        assert as_literal(classify(cohort_of([]), criteria=criteria_of(AFTER))) == []


class TestSetAside:
    """`set_aside`: rows passed over, as if they were not there, whatever they show."""

    def test_the_next_nearest_is_taken(self):
        assert not wrong(
            """
            [terms]
            washout = "days_since_rescue <= 7"
            [there]
            kind      = "at"
            when      = "platelets >= 30"
            day       = 28
            within    = [21, 35]
            set_aside = "washout"
            """,
            """
            timeline                    | value | day | reason    | because
            d28 5, d33 60               | N     |     | platelets | the nearest decides
            d20 rescue, d28 5, d33 60   | N     |     | platelets | eight days after rescue treatment it stands
            d21 rescue, d28 5, d33 60   | Y     | 33  | met       | seven days after, day 33 is taken
            d26 rescue, d28 5, d33 60   | NE    |     | no_counts | neither stands
            d28 60 rescue, d33 5        | Y     | 28  | met       | a rescue treatment begun that day is none before it
            """,
        )
