"""Extent: the time in a state, all of it or the longest stretch. Each table is a key at its bounds."""

import pytest
from worked import criteria_of, wrong

from itp_response.classification.classification import classify
from itp_response.messages.errors import CriteriaError
from itp_response.validation.bridge import as_literal, cohort_of
from itp_response.validation.literal import LiteralVerdict, Observation, Patient, verdicts

STEP = """
    [terms]
    washout = "days_since_rescue <= 7"
    [time]
    kind = "extent"
    when = "platelets >= 30 and bleeding_grade == 0"
    days = [1, 84]
"""
SHOWN = STEP + 'at_least = "1 day"\n'
LONGEST = SHOWN + 'measure = "longest"\n'
VISIT = SHOWN + 'lasting = "visit"\neach = "7 days"\n'


class TestStep:
    """A row's state lasts until the next row whose state is known, and no longer than the time observed."""

    def test_from_one_row_to_the_next(self):
        """On day a, to the next on day b: b - a days; on the day of the last count: one day."""
        assert not wrong(
            SHOWN,
            """
            timeline                           | days | time_of_days | onset | day | because
            d7 60, d14 5                       | 7    | 8            | 7     | 7   | seven days, of them and the day of the last
            d7 60, d14 60                      | 8    | 8            | 7     | 14  | and the day itself
            d7 60                              | 1    | 1            | 7     | 7   | the day alone
            d7 60, d8 60                       | 2    | 2            | 7     | 8   | two days
            d7 5, d14 60                       | 1    | 8            | 14    | 14  | out of it before
            d7 60, d14 5, d21 60, d35 5        | 21   | 29           | 7     | 21  | 7 and 14
            d7 60, d14 5, d21 60               | 8    | 15           | 7     | 21  | 7 and the last day
            d7 60, d14 30, d21 29.9            | 14   | 15           | 7     | 14  | 30 will do, 29.9 will not
            d7 60, d14 60, d14 5, d21 60       | 8    | 15           | 7     | 21  | the lowest of the day
            d7 60, d70 5                       | 63   | 64           | 7     | 7   | however long
            """,
        )

    def test_rows_of_unknown_state_are_passed_over(self):
        """The state before lasts beyond them; a count is a count all the same."""
        assert not wrong(
            SHOWN,
            """
            timeline                        | days | time_of_days | onset | day | because
            d7 60, d10 60 bleed ?, d14 60   | 8    | 8            | 7     | 14  | a bound
            d7 60, d10 <50, d14 60          |      | 8            | 7     | 14  | a bound
            d7 60, d10 60 bleed ?, d14 5    | 7    | 8            | 7     | 7   | likewise
            d7 60, d10 <50, d14 5           |      | 8            | 7     |     | likewise
            d7 5, d10 60 bleed ?, d14 60    | 1    | 8            | 14    | 14  | out of it before and beyond
            d7 5, d10 <50, d14 60           |      | 8            |       | 14  | out of it before and beyond
            d7 60, d10 60 bleed ?, d14 60   | 8    | 8            | 7     | 14  | bleeding not recorded
            d7 60, d10 bleed 0, d14 60      | 8    | 8            | 7     | 14  | no count
            d7 60, d10 rescue, d14 60       | 8    | 8            | 7     | 14  | nor here
            d7 60, d14 60 bleed ?           | 8    | 8            | 7     | 7   | observed to day 14, the state not known anew
            d7 60, d14 <50                  |      | 8            | 7     |     | observed to day 14, the state not known anew
            d7 60 bleed ?, d14 60           | 1    | 1            | 14    | 14  | known only from day 14 on
            d7 <50, d14 60                  |      | 8            |       | 14  | known only from day 14 on
            d7 <30, d14 60                  | 1    | 8            | 14    | 14  | surely out of it
            """,
        )

    def test_rows_without_a_count(self):
        """They may be known to be out of the state, but nothing lasts beyond the last count."""
        assert not wrong(
            SHOWN,
            """
            timeline                     | value | days | time_of_days | onset | day | reason    | because
            d7 60, d14 bleed 2, d21 60   | Y     | 8    | 15           | 7     | 21  | met       | out of it for 7 days
            d7 60, d14 bleed 2, d21 5    | Y     | 7    | 15           | 7     | 7   | met       | out of it for good
            d7 60, d14 bleed 2           | Y     | 1    | 1            | 7     | 7   | met       | observed to day 7
            d7 60, d14 bleed 0           | Y     | 1    | 1            | 7     | 7   | met       | likewise
            d7 5, d14 bleed 2            | N     | 0    | 1            |       |     | too_short | likewise
            d7 bleed 2                   | N     | 0    | 0            |       |     | too_short | known, but no time is observed
            d7 bleed 0                   | NE    |      |              |       |     | no_counts | not known
            d7 rescue                    | NE    |      |              |       |     | no_counts | not known
            """,
        )

    def test_a_state_that_needs_no_count(self):
        """It lasts to the last count all the same; its rows are the evidence."""
        assert not wrong(
            SHOWN.replace("platelets >= 30 and ", ""),
            """
            timeline                       | days | time_of_days | onset | day
            d7 60, d14 bleed 0             | 1    | 1            | 7     | 14
            d7 bleed 0, d14 5              | 8    | 8            | 7     | 14
            d7 bleed 0, d14 bleed 1, d21 5 | 8    | 15           | 7     | 21
            d7 bleed 0                     | 0    | 0            |       |
            """,
        )


class TestDays:
    """`days`: first and last day looked at, both included."""

    def test_rows_in_them(self):
        """The state of the last row known lasts to the last of them, if there is a count that late."""
        assert not wrong(
            SHOWN,
            """
            timeline              | value | days | time_of_days | onset | day | because
            d0 60, d7 60, d14 60  | Y     | 8    | 8            | 7     | 14  | day 0 is before
            d1 60, d7 5           | Y     | 6    | 7            | 1     | 1   | the first day
            d0 60, d7 5           | N     | 0    | 1            |       |     | a row before does not reach in
            d7 60, d84 5          | Y     | 77   | 78           | 7     | 7   | the last day
            d7 60, d84 60         | Y     | 78   | 78           | 7     | 84  | and in the state
            d7 60, d85 5          | Y     | 78   | 78           | 7     | 7   | to day 84, included
            d7 60, d85 60         | Y     | 78   | 78           | 7     | 7   | whatever the later count
            d7 60, d400 <50       | Y     | 78   | 78           | 7     | 7   | or bound
            d7 60, d400 bleed 0   | Y     | 1    | 1            | 7     | 7   | but it must be a count
            d7 60, d14 60, d83 5  | Y     | 76   | 77           | 7     | 14  | the day of the last count is the last
            d84 60                | Y     | 1    | 1            | 84    | 84  | the last day alone
            d84 60, d90 60        | Y     | 1    | 1            | 84    | 84  | no further
            d1 60, d85 60         | Y     | 84   | 84           | 1     | 1   | all of them
            d85 60                | NE    |      |              |       |     | a day late
            d0 60                 | NE    |      |              |       |     | a day early
            """,
        )

    def test_of_one_day_and_before_day_0(self):
        """First and last may be the same, and lie anywhere."""
        assert not wrong(
            SHOWN.replace("[1, 84]", "[7, 7]"),
            """
            timeline            | value | days | time_of_days
            d0 60, d7 60, d8 60 | Y     | 1    | 1
            d7 5, d8 60         | N     | 0    | 1
            d6 60, d8 60        | NE    |      |
            """,
        )
        assert not wrong(
            SHOWN.replace("[1, 84]", "[-14, 0]"),
            """
            timeline             | days | time_of_days | onset | day
            d-14 60, d-7 5, d0 5 | 7    | 15           | -14   | -14
            d-7 60, d1 5         | 8    | 8            | -7    | -7
            """,
        )

    @pytest.mark.parametrize("days", ["[1, inf]", "[-inf, 84]"])
    def test_both_finite(self, days):
        """Else there is no last day to last to."""
        with pytest.raises(CriteriaError):
            criteria_of(STEP.replace("[1, 84]", days))

    def test_of_others(self):
        """A state does not last to the rows of the next patient."""
        assert not wrong(
            LONGEST,
            """
            timeline        | days | time_of_days | onset | day
            d7 60           | 1    | 1            | 7     | 7
            d14 60, d21 60  | 8    | 8            | 14    | 21
            d28 60, d35 5   | 7    | 8            | 28    | 28
            d7 5, d42 60    | 1    | 36           | 42    | 42
            d1 60           | 1    | 1            | 1     | 1
            """,
        )


class TestAtLeast:
    """`at_least`: a length; then there is a verdict too."""

    @pytest.mark.parametrize("length", ["56 days", "8 weeks"])
    def test_56_days(self, length):
        """56 will do, 55 are too short."""
        assert not wrong(
            STEP + f'at_least = "{length}"',
            """
            timeline                      | value | days | time_of_days | onset | day | reason    | because
            d7 60, d63 5                  | Y     | 56   | 57           | 7     | 7   | met       | 56 days
            d7 60, d62 5                  | N     | 55   | 56           | 7     | 7   | too_short | 55
            d7 60, d62 60                 | Y     | 56   | 56           | 7     | 62  | met       | with the last day
            d1 60, d29 5, d36 60, d64 5   | Y     | 56   | 64           | 1     | 36  | met       | in two stretches
            d1 60, d29 5, d36 60, d63 5   | N     | 55   | 63           | 1     | 36  | too_short | followed or not
            d1 60, d8 5, d364 60          | N     | 7    | 84           | 1     | 1   | too_short | followed to the end
            d7 5                          | N     | 0    | 1            |       |     | too_short | none: no evidence
            d0 60                         | NE    |      |              |       |     | no_counts | no row of known state
            d7 60 bleed ?                 | NE    |      |              |       |     | no_counts | one of unknown state
            d7 <50                        | N     |      | 1            |       |     | too_short | one of unknown state
            """,
        )

    def test_left_out(self):
        """There are only the days; an endpoint over this one finds it met where they are known."""
        assert not wrong(
            STEP,
            """
            timeline     | days | time_of_days | onset
            d7 60, d14 5 | 7    | 8            | 7
            d7 5         | 0    | 1            |
            d0 60        |      |              |
            """,
        )
        assert not wrong(
            STEP
            + """
            [observed]
            kind = "combined"
            when = "time"
            """,
            """
            timeline     | time_days | value | day | reason
            d7 60, d14 5 | 7         | Y     | 7   | met
            d7 5         | 0         | Y     |     | met
            d0 60        |           | NE    |     | no_counts
            """,
        )

    def test_named_by_another(self):
        """Its verdict is one as any other."""
        assert not wrong(
            """
            [seen]
            kind     = "visits"
            when     = "platelets >= 30"
            visits   = [28, 42]
            at_least = 2
            [long]
            kind     = "extent"
            when     = "platelets >= 30"
            days     = [1, 84]
            at_least = "28 days"
            [over]
            kind = "combined"
            when = "seen and long"
            """,
            """
            timeline               | seen | long | value | day | reason
            d28 60, d42 60, d60 60 | Y    | Y    | Y     | 60  | met
            d28 60, d42 60         | Y    | N    | N     |     | too_short
            d1 60, d40 60          | N    | Y    | N     |     | too_few_met
            d28 60, d42 <50        | NE   | N    | N     |     | censored_count
            d28 <50, d42 <50       | NE   | N    | N     |     | censored_count
            """,
        )

    @pytest.mark.parametrize(
        "further", ['at_least = "2 months"', 'max_gap = "1 month"', 'lasting = "visit"\neach = "1 month"']
    )
    def test_no_months(self, further):
        """Lengths are in days or weeks here."""
        with pytest.raises(CriteriaError):
            criteria_of(STEP + further)


class TestMaxGap:
    """`max_gap`: with "step", a row's state lasts no longer than this, in it or out of it."""

    @pytest.mark.parametrize("length", ["28 days", "4 weeks"])
    def test_28_days(self, length):
        """What is beyond is not observed."""
        assert not wrong(
            SHOWN + f'max_gap = "{length}"',
            """
            timeline                | value | days | time_of_days | onset | day | because
            d7 60, d35 60           | Y     | 29   | 29           | 7     | 35  | 28 days and the last
            d7 60, d36 60           | Y     | 29   | 29           | 7     | 36  | 29 days are cut to 28
            d7 60, d70 60           | Y     | 29   | 29           | 7     | 70  | 63 are
            d7 5, d36 60            | Y     | 1    | 29           | 36    | 36  | so is what is out of it
            d7 60, d400 60          | Y     | 28   | 28           | 7     | 7   | and the last row's
            d7 60, d20 60 bleed ?, d36 60 | Y     | 29   | 29           | 7     | 36  | unknown does not fill the gap
            d7 60, d20 <50, d36 60  | Y     |      | 30           | 7     | 36  | unknown does not fill the gap
            d57 60, d400 60         | Y     | 28   | 28           | 57    | 57  | to the last day, which is the 28th
            d58 60, d400 60         | Y     | 27   | 27           | 58    | 58  | the days end before
            """,
        )

    def test_not_with_visit(self):
        """There a row stands for its visit alone."""
        with pytest.raises(CriteriaError):
            criteria_of(VISIT + 'max_gap = "28 days"')


class TestMeasure:
    """`measure`: all time in the state, or the longest stretch of it."""

    def test_the_longest(self):
        """A row out of the state breaks it, one of unknown state does not; of two as long the first."""
        assert not wrong(
            LONGEST,
            """
            timeline                                  | days | time_of_days | onset | day | because
            d7 60, d14 5, d21 60, d35 5               | 14   | 29           | 21    | 21  | the second is longer
            d7 60, d21 5, d28 60, d35 5               | 14   | 29           | 7     | 7   | the first is
            d7 60, d14 5, d21 60, d28 5               | 7    | 22           | 7     | 7   | as long: the first
            d7 60, d14 5, d21 60, d27 60              | 7    | 21           | 7     | 7   | with the last day as long
            d7 60, d14 5, d21 60, d28 60              | 8    | 22           | 21    | 28  | a day more
            d7 60, d14 60, d21 60, d28 5              | 21   | 22           | 7     | 21  | of several rows: first and last of it
            d7 60, d14 60 bleed ?, d21 60, d28 5      | 21   | 22           | 7     | 21  | unknown between
            d7 60, d14 <50, d21 60, d28 5             |      | 22           | 7     |     | unknown between
            d7 60, d14 bleed 2, d21 60                | 7    | 15           | 7     | 7   | bleeding breaks it
            d7 60, d14 bleed 0, d21 60                | 15   | 15           | 7     | 21  | a row without a count does not
            d7 5, d14 5                               | 0    | 8            |       |     | none
            d7 5, d83 60, d90 60                      | 2    | 78           | 83    | 83  | to the last day
            d0 60, d7 60, d14 5, d21 60, d28 60       | 8    | 22           | 21    | 28  | from the first day on
            """,
        )

    def test_where_max_gap_cut(self):
        """A stretch is broken there too."""
        assert not wrong(
            LONGEST + 'max_gap = "28 days"',
            """
            timeline                          | days | time_of_days | onset | day | because
            d7 60, d35 60, d63 60, d70 5      | 63   | 64           | 7     | 63  | 28 days apart
            d7 60, d36 60, d63 60, d70 5      | 34   | 63           | 36    | 63  | 29 days: from day 36
            d7 60, d14 60, d43 60, d50 5      | 35   | 43           | 7     | 14  | up to where it was cut
            d7 60, d35 60, d64 60, d70 5      | 56   | 63           | 7     | 35  | the first, cut at its end
            d7 60, d36 60, d64 5              | 28   | 57           | 7     | 7   | as long: the first
            d7 60, d20 60 bleed ?, d36 60, d64 5 | 28   | 57           | 7     | 7   | unknown does not join
            d7 60, d20 <50, d36 60, d64 5     |      | 58           |       | 36  | unknown does not join
            """,
        )

    @pytest.mark.parametrize(("measure", "value", "days"), [("total", "Y", 14), ("longest", "N", 7)])
    def test_at_least_so_long(self, measure, value, days):
        """The stretch itself must be so long."""
        assert not wrong(
            f'{STEP} at_least = "2 weeks"\nmeasure = "{measure}"',
            f"""
            timeline                    | value   | days
            d7 60, d14 5, d21 60, d28 5 | {value} | {days}
            d7 60, d14 60, d21 5        | Y       | 14
            """,
        )

    def test_left_out(self):
        """It is the total, and step by step."""
        table = """
            timeline                    | days | time_of_days | onset | day
            d7 60, d14 5, d21 60, d28 5 | 14   | 22           | 7     | 21
            """
        for further in ("", 'measure = "total"', 'lasting = "step"', 'measure = "total"\nlasting = "step"'):
            assert not wrong(SHOWN + further, table)


class TestFirstToLast:
    """`lasting = "first_to_last"`: a row's state lasts until the next known row only where this is in the state too."""

    def test_total(self):
        """The time observed is that of the steps, whatever the rows show."""
        assert not wrong(
            SHOWN + 'lasting = "first_to_last"',
            """
            timeline                            | days | time_of_days | onset | day | because
            d7 60, d14 60, d21 5                | 7    | 15           | 7     | 14  | from the first to the last of them
            d7 60, d14 60                       | 7    | 8            | 7     | 14  | not the day of the last
            d7 60, d14 5                        | 0    | 8            |       |     | one alone has no time
            d7 60                               | 0    | 1            |       |     | nor has the only one
            d7 5, d14 60                        | 0    | 8            |       |     | out of it before
            d7 60, d14 60, d21 5, d28 60, d35 60 | 14  | 29           | 7     | 35  | 7 and 7
            d7 60, d14 5, d21 60, d35 60        | 14   | 29           | 7     | 35  | the second alone
            d7 60, d10 60 bleed ?, d14 60       | 7    | 8            | 7     | 14  | unknown: passed over
            d0 60, d1 60, d84 60, d85 60        | 83   | 84           | 1     | 84  | in the days looked at
            """,
        )

    def test_longest(self):
        """Of two as long the first."""
        assert not wrong(
            LONGEST + 'lasting = "first_to_last"',
            """
            timeline                              | days | time_of_days | onset | day
            d7 60, d14 60, d21 5, d28 60, d42 60  | 14   | 36           | 28    | 42
            d7 60, d14 60, d21 5, d28 60, d35 60  | 7    | 29           | 7     | 14
            d7 60, d14 5, d21 60                  | 0    | 15           |       |
            """,
        )

    def test_at_least(self):
        """A window of 84 days shows 83 at most."""
        first_to_last = 'lasting = "first_to_last"\n'
        assert not wrong(
            (SHOWN + first_to_last).replace("1 day", "83 days"),
            """
            timeline       | value | days | time_of_days | reason
            d1 60, d84 60  | Y     | 83   | 84           | met
            d1 60, d83 60  | N     | 82   | 83           | too_short
            d84 60         | N     | 0    | 1            | too_short
            """,
        )
        with pytest.raises(CriteriaError, match="of at most 83 days"):
            criteria_of((SHOWN + first_to_last).replace("1 day", "84 days"))

    def test_no_gap_goes_with_it(self):
        """A limit on what a state lasts belongs to steps."""
        with pytest.raises(CriteriaError, match="requires lasting = 'step'"):
            criteria_of(STEP + 'lasting = "first_to_last"\nmax_gap = "7 days"')


class TestVisit:
    """`lasting = "visit"`: each row in the state stands for a visit of the length `each`."""

    @pytest.mark.parametrize(("each", "days"), [("7 days", 7), ("1 week", 7), ("1 day", 1), ("4 weeks", 28)])
    def test_each(self, each, days):
        """Whatever lies between; the time observed is that of all rows of known state."""
        assert not wrong(
            VISIT.replace("7 days", each),
            f"""
            timeline                     | days       | time_of_days | onset | day | because
            d7 60                        | {days}     | {days}       | 7     | 7   | one
            d7 60, d9 60                 | {2 * days} | {2 * days}   | 7     | 9   | two, however near
            d7 60, d70 60                | {2 * days} | {2 * days}   | 7     | 70  | or far
            d7 60, d14 5, d21 60         | {2 * days} | {3 * days}   | 7     | 21  | one out of it between
            d7 60, d14 60 bleed ?, d21 60 | {2 * days} | {2 * days}  | 7     | 21  | unknown: passed over
            d7 60, d14 <50, d21 60       |            | {3 * days}   | 7     | 21  | it hangs on the bound
            d7 60, d14 bleed 2           | {days}     | {2 * days}   | 7     | 7   | known without a count
            d7 60, d14 bleed 0           | {days}     | {days}       | 7     | 7   | not known
            d0 60, d1 60, d84 60, d85 60 | {2 * days} | {2 * days}   | 1     | 84  | in the days looked at
            d84 60                       | {days}     | {days}       | 84    | 84  | on the last of them
            """,
        )

    def test_stretches(self):
        """A stretch is rows in the state with none out of it between, of two as long the first."""
        assert not wrong(
            VISIT + 'measure = "longest"',
            """
            timeline                                    | days | time_of_days | onset | day
            d7 60, d14 5, d21 60, d28 60                | 14   | 28           | 21    | 28
            d7 60, d14 5, d21 60                        | 7    | 21           | 7     | 7
            d7 60, d70 60, d77 5                        | 14   | 21           | 7     | 70
            d7 60, d14 60 bleed ?, d21 60, d28 5, d35 60 | 14   | 28           | 7     | 21
            d7 60, d14 <50, d21 60, d28 5, d35 60       |      | 35           | 7     |
            d7 60, d14 bleed 2, d21 60, d28 60, d35 60  | 21   | 35           | 21    | 35
            """,
        )

    def test_at_least(self):
        """Weeks of visits."""
        assert not wrong(
            VISIT.replace("1 day", "2 weeks"),
            """
            timeline        | value | days | time_of_days | reason
            d7 60, d8 60    | Y     | 14   | 14           | met
            d7 60, d70 5    | N     | 7    | 14           | too_short
            d7 5            | N     | 0    | 7            | too_short
            d7 60 bleed ?   | NE    |      |              | no_counts
            d7 <50          | N     |      | 7            | too_short
            d0 60           | NE    |      |              | no_counts
            """,
        )

    @pytest.mark.parametrize("further", ['lasting = "visit"', 'each = "7 days"', 'lasting = "step"\neach = "7 days"'])
    def test_each_goes_with_it(self, further):
        """Each needs the other."""
        with pytest.raises(CriteriaError):
            criteria_of(STEP + further)


class TestDiscount:
    """`discount`: a count on which it is true is out of the state."""

    def test_washout(self):
        """Its time is observed all the same, and it breaks a stretch."""
        discounted = 'discount = "washout"\n'
        assert not wrong(
            SHOWN + discounted,
            """
            timeline                                    | value | days | time_of_days | onset | day | because
            d7 60, d13 rescue, d20 60, d27 60, d34 5    | Y     | 20   | 28           | 7     | 27  | 7 days after it: out
            d7 60, d12 rescue, d20 60, d27 60, d34 5    | Y     | 27   | 28           | 7     | 27  | 8 days after it: in
            d7 60, d14 60 rescue, d21 5                 | Y     | 14   | 15           | 7     | 14  | begun on the day: in
            d4 rescue, d7 60                            | N     | 0    | 1            |       |     | none is left
            d4 rescue, d7 60 bleed ?, d14 60            | Y     | 1    | 8            | 14    | 14  | out of it in any case
            d4 rescue, d7 <50, d14 60                   | Y     | 1    | 8            | 14    | 14  | unknown is passed over
            d4 rescue, d7 5, d14 60                     | Y     | 1    | 8            | 14    | 14  | failing is out of it
            """,
        )
        assert not wrong(
            LONGEST + discounted,
            """
            timeline                                    | days | time_of_days | onset | day
            d7 60, d13 rescue, d20 60, d27 60, d34 5    | 13   | 28           | 7     | 7
            d7 60, d12 rescue, d20 60, d27 60, d34 5    | 27   | 28           | 7     | 27
            """,
        )
        assert not wrong(
            VISIT + discounted,
            """
            timeline                                    | days | time_of_days | onset | day
            d7 60, d13 rescue, d20 60, d27 60, d34 5    | 14   | 28           | 7     | 27
            d7 60, d12 rescue, d20 60, d27 60, d34 5    | 21   | 28           | 7     | 27
            """,
        )

    def test_unknown_discounts_too(self):
        """Where it is not false."""
        assert not wrong(
            SHOWN.replace(" and bleeding_grade == 0", "") + 'discount = "bleeding_grade >= 1"',
            """
            timeline                      | days | time_of_days | onset | day
            d7 60, d14 60 bleed ?, d21 60 | 8    | 15           | 7     | 21
            d7 60, d14 60 bleed 1, d21 60 | 8    | 15           | 7     | 21
            d7 60, d14 60, d21 60         | 15   | 15           | 7     | 21
            """,
        )


class TestUnless:
    """`unless` is looked at first: `N`, and no days."""

    def test_whatever_else_holds(self):
        """Whether there was time in the state, none, or no count."""
        assert not wrong(
            SHOWN + 'unless = "treatment_discontinued"',
            """
            timeline      | discontinued | value | days | time_of_days | onset | day | reason
            d7 60, d14 60 |              | Y     | 8    | 8            | 7     | 14  | met
            d7 60, d14 60 | 100          | N     |      |              |       |     | discontinued
            d7 5          | 100          | N     |      |              |       |     | discontinued
            d0 60         | 100          | N     |      |              |       |     | discontinued
            """,
        )


class TestNoRows:
    """Patients of whom nothing at all was observed."""

    @pytest.mark.parametrize("text", [STEP, SHOWN, LONGEST, VISIT, LONGEST + 'max_gap = "7 days"'])
    @pytest.mark.parametrize("others", [(), (Observation(7, 60, 0),)])
    def test_no_counts(self, text, others):
        """Alone, or beside others before and after them; no days."""
        criteria = criteria_of(text)
        patients = [Patient(()), Patient(others), Patient(())]
        found = as_literal(classify(cohort_of(patients), criteria=criteria))

        assert found == [verdicts(criteria.raw, patient) for patient in patients]
        assert found[0] == found[2] == {"time": LiteralVerdict("NE", "no_counts")}
        assert found[1]["time"].value == ("Y" if others else "NE")


class TestSetAside:
    """`set_aside`: rows passed over, as if they were not there, whatever they show."""

    def test_the_state_before_lasts_on(self):
        assert not wrong(
            """
            [terms]
            washout = "days_since_rescue <= 7"
            [time]
            kind      = "extent"
            when      = "platelets >= 30"
            days      = [0, 100]
            set_aside = "washout"
            """,
            """
            timeline                                | days | time_of_days | because
            d0 60, d10 5, d20 60                    | 11   | 21           | ten days, and the last day
            d0 60, d3 rescue, d10 5, d20 60         | 21   | 21           | day 10 is passed over
            d0 60, d2 rescue, d10 5, d20 60         | 11   | 21           | eight days after rescue treatment it stands
            d3 rescue, d10 5                        |      |              | nothing is known
            """,
        )
