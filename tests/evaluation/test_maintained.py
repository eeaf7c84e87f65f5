"""Maintained: a state is kept for a time, or until a landmark. Each table is a key at its bounds."""

import pytest
from worked import wrong

from itp_response.messages.errors import CohortError

RESPONSE = """
    [R]
    kind      = "achieved"
    when      = "platelets >= 30"
    occasions = 2
    apart     = "7 days"
    days      = [1, 365]
    unless    = "treatment_discontinued"
    [S]
    kind = "maintained"
    from = "R"
    when = "platelets >= 30 and bleeding_grade == 0 and not rescue"
"""


class TestFor:
    """`for`: the span is from the start to the start plus this, both included."""

    def test_days(self):
        """What lies in the span, and the first row on or after its end."""
        assert not wrong(
            RESPONSE + 'for = "28 days"',
            """
            timeline                      | value | day | onset | ended | reason          | because
            d7 60, d14 60, d35 60         | Y     | 35  | 7     |       | met             | on the last day
            d7 60, d14 60, d36 60         | Y     | 36  | 7     |       | met             | the first after it
            d7 60, d14 60, d34 60         | NE    |     | 7     |       | follow_up_ended | a day before it
            d7 60, d14 60, d34 60, d90 60 | Y     | 90  | 7     |       | met             | however late
            d7 60, d14 60, d35 60, d36 5  | Y     | 35  | 7     |       | met             | later ones do not matter
            d7 60, d14 60, d35 5          | N     |     | 7     | 35    | platelets       | the last day is in
            d7 60, d14 60, d36 5          | N     |     | 7     | 36    | platelets       | it shows it failing
            d7 60, d14 60, d20 5, d35 60  | N     |     | 7     | 20    | platelets       | within the span
            d7 60, d10 5, d14 60, d35 60  | N     |     | 7     | 10    | platelets       | before the confirming row
            d6 5, d7 60, d14 60, d35 60   | Y     | 35  | 7     |       | met             | before the start
            d7 60, d14 60, d20 5          | N     |     | 7     | 20    | platelets       | followed or not
            d7 60, d14 60, d20 5, d22 5   | N     |     | 7     | 20    | platelets       | the first ended it
            """,
        )

    @pytest.mark.parametrize("length", ["14 days", "2 weeks"])
    def test_weeks(self, length):
        """A week is seven days."""
        assert not wrong(
            RESPONSE + f'for = "{length}"',
            """
            timeline              | value | day
            d7 60, d14 60, d20 60 | NE    |
            d7 60, d14 60, d21 60 | Y     | 21
            """,
        )

    def test_months(self):
        """Calendar months from the date of the start, cut to the end of a shorter month."""
        assert not wrong(
            RESPONSE + 'for = "6 months"',
            """
            timeline              | day_0      | value | day | because
            d1 60, d8 60, d181 60 | 2022-12-31 | NE    |     | 1 January to 30 June
            d1 60, d8 60, d182 60 | 2022-12-31 | Y     | 182 | to 1 July
            d1 60, d8 60, d181 60 | 2023-08-30 | NE    |     | 31 August to 27 February
            d1 60, d8 60, d182 60 | 2023-08-30 | NE    |     | to 28 February: 2024 is a leap year
            d1 60, d8 60, d183 60 | 2023-08-30 | Y     | 183 | to 29 February
            d1 60, d8 60, d181 60 | 2022-08-30 | NE    |     | to 27 February
            d1 60, d8 60, d182 60 | 2022-08-30 | Y     | 182 | to 28 February
            """,
        )

    def test_months_without_dates(self):
        """Calendar months need dates, but only of those who have a start."""
        text = RESPONSE + 'for = "6 months"'

        assert not wrong(
            text,
            """
            timeline              | day_0      | value
            d1 5, d364 5          |            | N
            d1 60, d8 60, d364 60 | 2023-01-01 | Y
            """,
        )
        with pytest.raises(CohortError, match="6 months are calendar months, which need dates"):
            wrong(
                text,
                """
                timeline              | day_0      | value
                d1 60, d8 60, d364 60 |            | Y
                d1 60, d8 60, d364 60 | 2023-01-01 | Y
                """,
            )


class TestWhen:
    """`when`: a failing row ends it, one of unknown state neither ends nor shows it."""

    def test_what_failed(self):
        """The first of the parts joined by `and` that is false gives the reason."""
        assert not wrong(
            RESPONSE + 'for = "28 days"',
            """
            timeline                              | value | day | ended | reason          | because
            d7 60, d14 60, d20 5, d35 60          | N     |     | 20    | platelets       | a low count
            d7 60, d14 60, d20 bleed 1, d35 60    | N     |     | 20    | bleeding        | bleeding without a count
            d7 60, d14 60, d20 rescue, d35 60     | N     |     | 20    | rescue          | rescue without a count
            d7 60, d14 60, d20 60 rescue, d35 60  | N     |     | 20    | rescue          | with a good one
            d7 60, d14 60, d20 5 bleed 1, d35 60  | N     |     | 20    | platelets       | as written, the count first
            d7 60, d14 60, d20 60 bleed ?, d35 60 | Y     | 35  |       | met             | unknown does not end it
            d7 60, d14 60, d20 <50, d35 60        | NE    |     |       | censored_count  | it hangs on the bound
            d7 60, d14 60, d20 60 bleed ?, d35 60 | Y     | 35  |       | met             | nor does this
            d7 60, d14 60, d20 <50 bleed 2        | N     |     | 20    | censored_count  | it hangs on the bound
            d7 60, d14 60, d35 60 bleed ?         | NE    |     |       | bleeding_not_recorded | nor does unknown show it
            d7 60, d14 60, d35 <50                | NE    |     |       | censored_count  | it hangs on the bound
            d7 60, d14 60, d35 60 bleed ?, d40 60 | Y     | 40  |       | met             | the next that is known does
            d7 60, d14 60, d35 <50, d40 60        | NE    |     |       | censored_count  | it hangs on the bound
            d7 60, d14 60, d35 60 bleed ?, d40 5  | N     |     | 40    | platelets       | or fails
            d7 60, d14 60, d35 <50, d40 5         | NE    |     |       | censored_count  | it hangs on the bound
            d7 60, d14 60, d35 bleed 0            | NE    |     |       | follow_up_ended | no count, no evidence
            d7 60, d14 60, d36 rescue             | N     |     | 36    | rescue          | the first known row after
            """,
        )

    def test_terms_and_parentheses(self):
        """Terms are opened; what is joined by `or` is one part."""
        assert not wrong(
            """
            [terms]
            fine = "quiet and (platelets >= 100 or platelets >= 2 * baseline)"
            quiet = "bleeding_grade == 0"
            [R]
            kind = "achieved"
            when = "platelets >= 30"
            [S]
            kind = "maintained"
            from = "R"
            when = "not rescue and fine"
            for  = "28 days"
            """,
            """
            timeline                     | baseline | value | ended | reason
            d7 60, d14 29, d35 60        | 15       | N     | 14    | platelets
            d7 60, d14 5 bleed 1, d35 60 | 15       | N     | 14    | bleeding
            d7 60, d14 5 rescue bleed 1  | 15       | N     | 14    | rescue
            d7 60, d14 30, d35 60        | 15       | Y     |       | met
            d7 60, d14 120, d35 100      | 60       | N     | 7     | platelets
            """,
        )


class TestFrom:
    """`from` and `counted_from`: where the span begins."""

    def test_the_day_or_the_confirming_row(self):
        """Left out it is the day; of one occasion there is no confirming row, and the day is taken."""
        once = RESPONSE.replace("occasions = 2", "occasions = 1")
        confirming = 'for = "28 days"\ncounted_from = "confirming"'

        assert not wrong(
            RESPONSE + confirming,
            """
            timeline                     | value | day | onset | reason
            d7 60, d14 60, d41 60        | NE    |     | 14    | follow_up_ended
            d7 60, d14 60, d42 60        | Y     | 42  | 14    | met
            d7 60, d10 5, d14 60, d42 60 | Y     | 42  | 14    | met
            """,
        )
        assert not wrong(
            once + confirming,
            """
            timeline      | value | day | onset
            d7 60, d34 60 | NE    |     | 7
            d7 60, d35 60 | Y     | 35  | 7
            """,
        )
        assert not wrong(
            RESPONSE + 'for = "28 days"\ncounted_from = "day"',
            """
            timeline                     | value | day | onset
            d7 60, d14 60, d35 60        | Y     | 35  | 7
            d7 60, d10 5, d14 60, d35 60 | N     |     | 7
            """,
        )

    def test_of_what_is_dated_by_its_confirming_row(self):
        """Its day is then that of the confirming row."""
        dated = RESPONSE.replace("days      = [1, 365]", 'dated_by = "confirming"')

        assert not wrong(
            dated + 'for = "28 days"',
            """
            timeline                     | value | day | onset
            d7 60, d10 5, d14 60, d41 60 | NE    |     | 14
            d7 60, d10 5, d14 60, d42 60 | Y     | 42  | 14
            """,
        )

    def test_what_it_takes_over(self):
        """`NE`, `N` and `NA` of the other, with its reason; `unless` before them."""
        assert not wrong(
            RESPONSE
            + """
            for = "28 days"
            [lost]
            kind  = "lost"
            after = "R"
            when  = "platelets < 30"
            [again]
            kind   = "maintained"
            from   = "lost"
            when   = "platelets < 50"
            for    = "28 days"
            unless = "baseline >= 100"
            """,
            """
            timeline                     | discontinued | baseline | S  | S_reason        | value | reason
            d7 60, d336 5                |              |          | NE | follow_up_ended | NE    | follow_up_ended
            d7 60, d364 5                |              |          | N  | not_confirmed   | NA    | not_confirmed
            d7 60, d14 60                | 70           |          | N  | discontinued    | NA    | discontinued
            d7 60, d14 60, d364 60       |              |          | Y  | met             | N     | not_lost
            d7 60, d14 60, d40 60        |              |          | Y  | met             | NE    | follow_up_ended
            d7 60, d14 60, d40 5, d68 40 |              |          | N  | platelets       | Y     | met
            d7 60, d14 60, d40 5, d68 40 |              | 100      | N  | platelets       | N     | baseline
            d7 5, d364 5                 |              | 100      | N  | never_reached   | N     | baseline
            """,
        )


class TestBy:
    """`by`: the span must end by this day, else `N`, too late."""

    def test_day_365(self):
        """Whatever came of it before."""
        assert not wrong(
            RESPONSE + 'for = "182 days"\nby = 365',
            """
            timeline                  | value | day | onset | ended | reason          | because
            d183 60, d190 60, d365 60 | Y     | 365 | 183   |       | met             | ends on day 365
            d184 60, d191 60, d366 60 | N     |     | 184   |       | too_late        | ends on day 366
            d183 60, d190 60, d366 60 | Y     | 366 | 183   |       | met             | shown later
            d184 60, d191 60          | N     |     | 184   |       | too_late        | nothing more is needed
            d184 60, d191 60, d200 5  | N     |     | 184   |       | too_late        | though it failed
            d183 60, d190 60, d200 5  | N     |     | 183   | 200   | platelets       | failed in time
            d183 60, d190 60, d364 60 | NE    |     | 183   |       | follow_up_ended | not shown
            """,
        )

    def test_months(self):
        """Whose end depends on the date."""
        assert not wrong(
            RESPONSE + 'for = "6 months"\nby = 182',
            """
            timeline              | day_0      | value | reason
            d1 60, d8 60, d190 60 | 2022-12-31 | Y     | met
            d1 60, d8 60, d190 60 | 2023-08-30 | N     | too_late
            """,
        )


class TestEvidenceBy:
    """`evidence_by`: the last day for a row that shows the end."""

    def test_day_393(self):
        """In the span it does not matter, after it the row must come in time."""
        assert not wrong(
            RESPONSE + 'for = "182 days"\nevidence_by = 393',
            """
            timeline                            | value | day | ended | reason          | because
            d183 60, d190 60, d393 60           | Y     | 393 |       | met             | on the last day
            d183 60, d190 60, d394 60           | NE    |     |       | no_counts | a day late
            d183 60, d190 60, d393 5            | N     |     | 393   | platelets       | shown failing
            d183 60, d190 60, d394 5            | NE    |     |       | no_counts | a day late too
            d183 60, d190 60, d390 60 bleed ?, d394 60 | NE    |     |       | bleeding_not_recorded | unknown shows nothing
            d183 60, d190 60, d390 <50, d394 60 | NE    |     |       | censored_count  | it hangs on the bound
            d300 60, d307 60, d482 60           | NE    |     |       | no_counts | its end lies after it
            d300 60, d307 60, d400 5, d482 60   | N     |     | 400   | platelets       | but it may fail before
            """,
        )


class TestMaxGap:
    """`max_gap`: the rows in the state up to the evidence must not lie further apart."""

    @pytest.mark.parametrize("length", ["56 days", "8 weeks"])
    def test_56_days(self, length):
        """56 days are allowed, 57 leave it open; a failing row is `N` all the same."""
        assert not wrong(
            RESPONSE + f'for = "112 days"\nmax_gap = "{length}"',
            """
            timeline                                    | value | day | ended | reason        | because
            d7 60, d14 60, d70 60, d119 60              | Y     | 119 |       | met           | 56 days
            d7 60, d14 60, d71 60, d119 60              | NE    |     |       | gap_in_counts | 57 days
            d7 60, d14 60, d63 60, d119 60              | Y     | 119 |       | met           | 56 days to the evidence
            d7 60, d14 60, d63 60, d120 60              | NE    |     |       | gap_in_counts | 57 days to it
            d7 60, d14 60, d63 60, d119 60, d200 60     | Y     | 119 |       | met           | a gap after it
            d7 60, d14 60, d40 60 bleed ?, d71 60, d119 60 | NE    |     |       | gap_in_counts | unknown does not fill it
            d7 60, d14 60, d40 <50, d71 60, d119 60     | NE    |     |       | censored_count | it hangs on the bound
            d7 60, d14 60, d40 bleed 0, d71 60, d119 60 | NE    |     |       | gap_in_counts | nor does a row without a count
            d7 60, d14 60, d119 5                       | N     |     | 119   | platelets     | failed after a gap
            d7 60, d14 60, d90 5, d119 60               | N     |     | 90    | platelets     | in the span
            """,
        )

    def test_from_the_first_row_in_the_state(self):
        """Where the row of the start is not in the state itself, from the first that is."""
        assert not wrong(
            """
            [R]
            kind = "achieved"
            when = "platelets >= 30"
            [S]
            kind    = "maintained"
            from    = "R"
            when    = "platelets >= 30 and bleeding_grade == 0"
            for     = "28 days"
            max_gap = "14 days"
            """,
            """
            timeline                           | value | day | onset | reason
            d7 60 bleed ?, d30 60, d35 60      | Y     | 35  | 7     | met
            d7 60, d30 60, d35 60              | NE    |     | 7     | gap_in_counts
            d7 60 bleed ?, d50 60              | Y     | 50  | 7     | met
            d1 5, d7 60 bleed ?, d8 60, d35 60 | NE    |     | 7     | gap_in_counts
            """,
        )

    def test_months(self):
        """Calendar months from one row to the next."""
        assert not wrong(
            RESPONSE + 'for = "56 days"\nmax_gap = "1 month"',
            """
            timeline                             | day_0      | value | because
            d1 60, d8 60, d30 60, d61 60, d90 60 | 2022-12-31 | NE    | 30 January to 2 March
            d1 60, d8 60, d31 60, d59 60         | 2022-12-31 | Y     | 31 January to 28 February
            d1 60, d8 60, d31 60, d60 60         | 2022-12-31 | NE    | 31 January to 1 March
            """,
        )

    def test_of_others(self):
        """The rows of the patient before do not count."""
        assert not wrong(
            RESPONSE + 'for = "28 days"\nmax_gap = "28 days"',
            """
            timeline                  | value
            d7 60, d14 60, d35 60     | Y
            d135 60, d142 60, d163 60 | Y
            d7 60, d14 60, d35 60     | Y
            """,
        )


class TestUntil:
    """`until`: instead of a time, a pair of days in which the state must be shown."""

    LANDMARK = RESPONSE + "until = [337, 393]"

    def test_the_landmark(self):
        """Both ends are in; the span runs to the second, and the first row in the pair that is known shows it."""
        assert not wrong(
            self.LANDMARK,
            """
            timeline                         | value | day | ended | reason          | because
            d7 60, d14 60, d337 60           | Y     | 337 |       | met             | the first day
            d7 60, d14 60, d393 60           | Y     | 393 |       | met             | the last day
            d7 60, d14 60, d336 60           | NE    |     |       | follow_up_ended | a day early
            d7 60, d14 60, d394 60           | NE    |     |       | no_counts | a day late
            d7 60, d14 60, d337 5            | N     |     | 337   | platelets       | shown failing
            d7 60, d14 60, d393 5            | N     |     | 393   | platelets       | on the last day
            d7 60, d14 60, d394 5            | NE    |     |       | no_counts | after it
            d7 60, d14 60, d340 60, d393 5   | N     |     | 393   | platelets       | shown, but failing later
            d7 60, d14 60, d340 60, d394 5   | Y     | 340 |       | met             | failing after the last day
            d7 60, d14 60, d200 5, d340 60   | N     |     | 200   | platelets       | failing on the way
            d7 60, d14 60, d340 60 bleed ?, d350 60 | Y     | 350 |       | met             | unknown shows nothing
            d7 60, d14 60, d340 <50, d350 60 | NE    |     |       | censored_count  | it hangs on the bound
            d7 60, d14 60, d340 60 bleed ?   | NE    |     |       | bleeding_not_recorded | if nothing else does
            d7 60, d14 60, d340 <50          | NE    |     |       | censored_count  | it hangs on the bound
            d7 60, d14 60, d340 rescue       | N     |     | 340   | rescue          | failing without a count
            """,
        )

    def test_a_start_in_the_landmark(self):
        """The row of the start may be the evidence; after the landmark it is too late to be shown."""
        assert not wrong(
            self.LANDMARK.replace("days      = [1, 365]", ""),
            """
            timeline         | value | day | onset | reason
            d350 60, d357 60 | Y     | 350 | 350   | met
            d330 60, d337 60 | Y     | 337 | 330   | met
            d393 60, d400 60 | Y     | 393 | 393   | met
            d394 60, d401 60 | NE    |     | 394   | no_counts
            """,
        )

    def test_with_a_gap(self):
        """`max_gap` goes with it."""
        assert not wrong(
            self.LANDMARK + '\nmax_gap = "200 days"',
            """
            timeline                        | value | reason
            d7 60, d14 60, d200 60, d337 60 | Y     | met
            d7 60, d14 60, d337 60          | NE    | gap_in_counts
            d7 60, d14 60, d137 60, d337 60 | Y     | met
            d7 60, d14 60, d136 60, d337 60 | NE    | gap_in_counts
            """,
        )

    def test_of_one_day(self):
        """First and last may be the same."""
        assert not wrong(
            RESPONSE + "until = [364, 364]",
            """
            timeline               | value
            d7 60, d14 60, d363 60 | NE
            d7 60, d14 60, d364 60 | Y
            d7 60, d14 60, d365 60 | NE
            """,
        )
