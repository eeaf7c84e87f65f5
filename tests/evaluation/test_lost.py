"""Lost: the first observation in a state, after a moment. Each table is a key at its bounds."""

from worked import wrong

RESPONSE = """
    [terms]
    late_rescue = "rescue and day >= 36"
    bleeding    = "bleeding_grade >= 1"
    [R]
    kind      = "achieved"
    when      = "platelets >= 30"
    occasions = 2
    apart     = "7 days"
    between   = "unbroken"
    unless    = "treatment_discontinued"
    [lost]
    kind  = "lost"
    after = "R"
    when  = "platelets < 30 or bleeding or late_rescue"
"""


class TestAfter:
    """`after`: only rows after the other's last evidence count."""

    def test_the_last_evidence(self):
        """The confirming row, where there is one."""
        assert not wrong(
            RESPONSE,
            """
            timeline                               | value | day | onset | ended | reason    | because
            d7 60, d14 60, d15 5                   | Y     | 15  | 7     | 15    | platelets | the day after
            d7 60, d10 bleed 1 60, d14 60, d364 60 | N     |     |       |       | not_lost  | before the confirming row
            d7 60, d14 60 bleed 1, d364 60         | N     |     |       |       | not_lost  | on its day
            d7 60, d14 60, d20 5, d30 5            | Y     | 20  | 7     | 20    | platelets | the first ended it
            d7 60, d14 60, d20 5, d30 60           | Y     | 20  | 7     | 20    | platelets | for good or not
            d6 5, d7 60, d14 60, d364 60           | N     |     |       |       | not_lost  | before the response
            d7 60, d14 60, d400 5                  | Y     | 400 | 7     | 400   | platelets | however late
            """,
        )

    def test_of_one_occasion(self):
        """The onset, where there is no confirming row."""
        assert not wrong(
            RESPONSE.replace("occasions = 2", "occasions = 1"),
            """
            timeline      | value | day | onset
            d7 60, d8 5   | Y     | 8   | 7
            d7 60 bleed 1 | NE    |     |
            """,
        )

    def test_of_what_was_kept(self):
        """The row that showed it kept."""
        assert not wrong(
            RESPONSE
            + """
            [S]
            kind = "maintained"
            from = "R"
            when = "platelets >= 30"
            for  = "28 days"
            [lost_later]
            kind  = "lost"
            after = "S"
            when  = "platelets < 50"
            """,
            """
            timeline                              | S  | value | day | onset | reason
            d7 60, d14 60, d30 40, d35 60, d36 5  | Y  | Y     | 36  | 7     | platelets
            d7 60, d14 60, d30 40, d35 40, d36 60 | Y  | NE    |     |       | follow_up_ended
            d7 60, d14 60, d30 5                  | N  | NA    |     |       | platelets
            d7 60, d14 60, d30 40                 | NE | NE    |     |       | follow_up_ended
            """,
        )

    def test_of_a_loss(self):
        """The last of the rows that confirmed it."""
        assert not wrong(
            RESPONSE
            + """
            occasions = 2
            [deeper]
            kind  = "lost"
            after = "lost"
            when  = "platelets < 10"
            """,
            """
            timeline                           | lost_day | value | day | onset
            d7 60, d14 60, d20 5, d30 5, d31 5 | 20       | Y     | 31  | 7
            d7 60, d14 60, d20 5, d30 5        | 20       | NE    |     |
            """,
        )

    def test_what_it_takes_over(self):
        """`NE` of the other is `NE`, `N` and `NA` are `NA`; `unless` goes before them and is `NA` too."""
        assert not wrong(
            RESPONSE
            + """
            [again]
            kind   = "lost"
            after  = "lost"
            when   = "platelets < 10"
            unless = "baseline >= 100"
            """,
            """
            timeline                    | discontinued | baseline | lost | lost_reason     | value | reason
            d7 60, d14 60, d336 60      |              |          | NE   | follow_up_ended | NE    | follow_up_ended
            d7 60, d14 5                |              |          | NE   | follow_up_ended | NE    | follow_up_ended
            d7 60, d364 5               |              |          | NA   | not_confirmed   | NA    | not_confirmed
            d7 60, d14 60, d15 5        | 70           |          | NA   | discontinued    | NA    | discontinued
            d7 60, d14 60, d364 60      |              |          | N    | not_lost        | NA    | not_lost
            d7 60, d14 60, d15 5, d16 5 |              |          | Y    | platelets       | Y     | platelets
            d7 60, d14 60, d15 5, d16 5 |              | 100      | Y    | platelets       | NA    | baseline
            d7 5                        |              | 100      | NE   | follow_up_ended | NA    | baseline
            """,
        )


class TestWhen:
    """`when`: the state that is loss."""

    def test_what_was_true(self):
        """The first of the parts joined by `or` that is true gives the reason; unknown is no loss."""
        assert not wrong(
            RESPONSE,
            """
            timeline                             | value | day | reason          | because
            d7 60, d14 60, d20 29.9              | Y     | 20  | platelets       | below 30
            d7 60, d14 60, d20 30, d364 60       | N     |     | not_lost        | 30 is not
            d7 60, d14 60, d20 bleed 1           | Y     | 20  | bleeding        | bleeding without a count
            d7 60, d14 60, d36 rescue            | Y     | 36  | rescue          | rescue without a count
            d7 60, d14 60, d35 rescue, d364 60   | N     |     | not_lost        | not yet late
            d7 60, d14 60, d36 5 bleed 1 rescue  | Y     | 36  | platelets       | all three: the first as written
            d7 60, d14 60, d36 60 bleed 1 rescue | Y     | 36  | bleeding        | the first that is true
            d7 60, d14 60, d20 60 bleed ?, d364 60 | N     |     | not_lost        | only possibly below 30
            d7 60, d14 60, d20 <50, d364 60      | NE    |     | censored_count  | it hangs on the bound
            d7 60, d14 60, d20 <30               | Y     | 20  | platelets       | surely
            d7 60, d14 60, d20 <50 bleed 1       | Y     | 20  | censored_count  | it hangs on the bound
            d7 60, d14 60, d20 60 bleed ?        | NE    |     | follow_up_ended | bleeding unknown
            """,
        )

    def test_a_rule_that_is_no_list(self):
        """Its one part is the reason."""
        assert not wrong(
            RESPONSE.replace(
                "platelets < 30 or bleeding or late_rescue", "not (bleeding_grade == 0 and platelets >= 30)"
            ),
            """
            timeline                   | value | day | reason
            d7 60, d14 60, d20 5       | Y     | 20  | bleeding
            d7 60, d14 60, d20 bleed 1 | Y     | 20  | bleeding
            """,
        )


class TestBy:
    """`by`: the last day."""

    def test_day_365(self):
        """A confirmed loss must be confirmed by then."""
        assert not wrong(
            RESPONSE
            + """
            by = 365
            [confirmed_loss]
            kind      = "lost"
            after     = "R"
            when      = "platelets < 30"
            by        = 365
            occasions = 2
            """,
            """
            timeline                      | lost | lost_day | value | day | confirmed
            d7 60, d14 60, d365 5         | Y    | 365      | N     |     |
            d7 60, d14 60, d366 5         | N    |          | N     |     |
            d7 60, d14 60, d364 5, d365 5 | Y    | 364      | Y     | 364 | 365
            d7 60, d14 60, d365 5, d366 5 | Y    | 365      | N     |     |
            d7 60, d365 60, d366 5        | N    |          | N     |     |
            d7 60, d370 60, d371 5        | N    |          | N     |     |
            """,
        )


class TestFollowedFrom:
    """Not lost is `N` of those followed to the end, else `NE`."""

    def test_the_clocks_or_its_own(self):
        """A count on that day or later, of whatever kind."""
        assert not wrong(
            RESPONSE,
            """
            timeline                       | value | reason
            d7 60, d14 60, d336 60         | NE    | follow_up_ended
            d7 60, d14 60, d337 60         | N     | not_lost
            d7 60, d14 60, d337 bleed 0    | NE    | follow_up_ended
            d7 60, d14 60, d337 60 bleed ? | N     | not_lost
            d330 60, d337 60               | N     | not_lost
            """,
        )
        assert not wrong(
            RESPONSE + "followed_from = 100",
            """
            timeline               | value | reason
            d7 60, d14 60, d99 60  | NE    | follow_up_ended
            d7 60, d14 60, d100 60 | N     | not_lost
            """,
        )


class TestConfirmedLoss:
    """`occasions`, `apart`, `between`: a loss that must be confirmed."""

    COMMON = """
        kind  = "lost"
        after = "R"
        when  = "platelets < 30"
    """

    def test_apart(self):
        """The day is that of the first; left out a day apart will do."""
        assert not wrong(
            f"""
            {RESPONSE}
            [a_day]  {self.COMMON} occasions = 2
            [a_week] {self.COMMON} occasions = 2
            apart = "7 days"
            """,
            """
            timeline                           | a_day | a_day_day | value | day | ended | confirmed | reason
            d7 60, d14 60, d20 5               | NE    |           | NE    |     |       |           | follow_up_ended
            d7 60, d14 60, d20 5, d21 5        | Y     | 20        | NE    |     |       |           | follow_up_ended
            d7 60, d14 60, d20 5, d26 5        | Y     | 20        | NE    |     |       |           | follow_up_ended
            d7 60, d14 60, d20 5, d27 5        | Y     | 20        | Y     | 20  | 20    | 27        | platelets
            d7 60, d14 60, d20 5, d26 5, d30 5 | Y     | 20        | Y     | 20  | 20    | 30        | platelets
            d7 60, d14 60, d20 5, d364 60      | N     |           | N     |     |       |           | not_lost
            """,
        )

    def test_between(self):
        """Left out it must be unbroken: a row between that is no loss breaks it, an unknown one does not."""
        assert not wrong(
            f"""
            {RESPONSE}
            [unbroken] {self.COMMON} occasions = 2
            between = "unbroken"
            [anything] {self.COMMON} occasions = 2
            between = "anything"
            [left_out] {self.COMMON} occasions = 2
            """,
            """
            timeline                                   | unbroken | unbroken_day | anything_day | value | day
            d7 60, d14 60, d20 5, d21 5                | Y        | 20           | 20           | Y     | 20
            d7 60, d14 60, d20 5, d21 60, d22 5        | NE       |              | 20           | NE    |
            d7 60, d14 60, d20 5, d21 <50, d22 5       | NE       |              | 20           | NE    |
            d7 60, d14 60, d20 5, d21 60, d22 5, d23 5 | Y        | 22           | 20           | Y     | 22
            """,
        )

    def test_three(self):
        """Each at least so long after the one before."""
        assert not wrong(
            f"""
            {RESPONSE}
            [thrice] {self.COMMON} occasions = 3
            apart = "7 days"
            """,
            """
            timeline                           | value | day | confirmed
            d7 60, d14 60, d20 5, d27 5, d34 5 | Y     | 20  | 34
            d7 60, d14 60, d20 5, d27 5, d33 5 | NE    |     |
            d7 60, d14 60, d20 5, d34 5        | NE    |     |
            """,
        )

    def test_at_once(self):
        """A row by itself: of this and a confirmed loss the earlier, of two that begin on one day this one."""
        assert not wrong(
            f"""
            {RESPONSE}
            [twice] {self.COMMON} occasions = 2
            at_once = "bleeding or rescue"
            """,
            """
            timeline                                       | value | day | confirmed | reason          | because
            d7 60, d14 60, d20 60 rescue, d364 60          | Y     | 20  |           | rescue          | no second
            d7 60, d14 60, d20 60 bleed 1 rescue, d364 60  | Y     | 20  |           | bleeding        | the first part
            d7 60, d14 60, d20 5, d21 5, d30 rescue        | Y     | 20  | 21        | platelets       | confirmed before
            d7 60, d14 60, d20 5, d25 rescue, d30 5        | Y     | 20  | 30        | platelets       | begun before
            d7 60, d14 60, d20 5 rescue, d21 5             | Y     | 20  |           | rescue          | on the same day
            d7 60, d14 60, d20 5, d25 60 rescue, d30 5     | Y     | 25  |           | rescue          | not confirmed
            d7 60, d14 60 rescue, d364 60                  | N     |     |           | not_lost        | not after it
            d7 60, d14 60, d20 60                          | NE    |     |           | follow_up_ended | neither
            d7 5, d20 rescue, d364 60                      | NA    |     |           | not_confirmed   | nothing to lose
            """,
        )

    def test_of_others(self):
        """The next patient's rows confirm nothing."""
        assert not wrong(
            f"""
            {RESPONSE}
            [twice] {self.COMMON} occasions = 2
            """,
            """
            timeline                    | value
            d7 60, d14 60, d20 5        | NE
            d21 5, d364 5               | NA
            d7 60, d14 60, d20 5, d21 5 | Y
            """,
        )
