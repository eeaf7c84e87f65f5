"""Time to: from a moment to an endpoint, with the event or censored. Each table is a key at its bounds."""

from worked import criteria_of, wrong

from itp_response.classification.classification import classify
from itp_response.cohort.notation import cohort_of
from itp_response.validation.bridge import as_literal

BEFORE = """
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


class TestTo:
    """`to`: the endpoint whose `Y` is the event, on its day."""

    def test_from_day_0(self):
        """Left out, `from` is day 0; nobody is censored: those without the event have no time."""
        assert not wrong(
            BEFORE
            + """
            [T]
            kind = "time_to"
            to   = "R"
            """,
            """
            timeline            | discontinued | R  | days | onset | ended
            d0 5, d7 60, d14 60 |              | Y  | 7    |       | 7
            d1 60, d14 60       |              | Y  | 1    |       | 1
            d7 60, d336 5       |              | NE |      |       |
            d7 60, d364 5       |              | N  |      |       |
            d7 60, d14 60       | 70           | N  |      |       |
            d0 60               |              | NE |      |       |
            """,
        )

    def test_its_own_day(self):
        """Of an endpoint dated by its confirming row that row's day; of a loss the first row's."""
        assert not wrong(
            BEFORE.replace("days      = [1, 365]", 'dated_by = "confirming"')
            + """
            [T]
            kind = "time_to"
            to   = "R"
            [L]
            kind = "time_to"
            to   = "lost"
            """,
            """
            timeline                    | T_days | L_days
            d7 60, d14 60, d20 5, d21 5 | 14     | 20
            d7 60, d14 60               | 14     |
            d-7 60, d-3 60              | -3     |
            """,
        )

    def test_of_what_was_kept(self):
        """The day of the row that showed it."""
        assert not wrong(
            BEFORE
            + """
            [S]
            kind = "maintained"
            from = "R"
            when = "platelets >= 20"
            for  = "28 days"
            [T]
            kind = "time_to"
            from = "R"
            to   = "S"
            """,
            """
            timeline              | S | days
            d7 60, d14 60, d40 60 | Y | 33
            d7 60, d14 60, d30 5  | N |
            """,
        )


class TestFrom:
    """`from`: an endpoint, its day."""

    DURATION = (
        BEFORE
        + """
        [T]
        kind = "time_to"
        from = "R"
        to   = "lost"
        """
    )

    def test_its_day(self):
        """Not that of its confirming row; the onset is its onset."""
        assert not wrong(
            self.DURATION,
            """
            timeline                     | days | onset | ended
            d7 60, d14 60, d20 5         | 13   | 7     | 20
            d7 60, d14 60, d20 5, d21 60 | 13   | 7     | 20
            d7 60, d14 60, d364 60       |      |       |
            d7 60, d14 60                |      |       |
            d7 60, d364 5                |      |       |
            """,
        )

    def test_before_it(self):
        """An event before the start gives a time below 0."""
        assert not wrong(
            """
            [early]
            kind = "achieved"
            when = "platelets >= 30"
            [late]
            kind = "achieved"
            when = "platelets >= 100"
            [T]
            kind = "time_to"
            from = "late"
            to   = "early"
            """,
            """
            timeline       | days | onset | ended
            d7 60, d14 100 | -7   | 14    | 7
            d7 100         | 0    | 7     | 7
            """,
        )

    def test_what_it_takes_over(self):
        """No start, no time, censored or not."""
        assert not wrong(
            self.DURATION + 'censored = "last_count"',
            """
            timeline             | discontinued | R  | days | event
            d7 60, d14 60        | 70           | N  |      |
            d7 60, d364 5        |              | N  |      |
            d7 60, d20 5         |              | NE |      |
            d7 60, d14 60, d20 5 |              | Y  | 13   | 1
            """,
        )


class TestCensored:
    """`censored`: those without the event are censored at their last count; `by` is the last day for it."""

    def test_at_the_last_count(self):
        """From the start on, a count only."""
        assert not wrong(
            BEFORE
            + """
            [T]
            kind     = "time_to"
            from     = "R"
            to       = "lost"
            censored = "last_count"
            """,
            """
            timeline                      | days | event | onset | ended | because
            d7 60, d14 60, d20 5          | 13   | 1     | 7     | 20    | the event
            d7 60, d14 60, d364 60        | 357  | 0     | 7     | 364   | followed, no event
            d7 60, d14 60, d100 60        | 93   | 0     | 7     | 100   | not followed
            d7 60, d14 60                 | 7    | 0     | 7     | 14    | the confirming count itself
            d7 60, d14 60, d100 60 bleed ? | 93   | 0     | 7     | 100   | a bound is a count
            d7 60, d14 60, d100 <50       |      |       |       |       | a bound is a count
            d7 60, d14 60, d100 bleed 1   | 7    | 0     | 7     | 14    | bleeding is none
            d7 60, d14 60, d100 rescue    | 7    | 0     | 7     | 14    | nor is a rescue treatment
            d7 60, d14 60, d20 5, d100 60 | 13   | 1     | 7     | 20    | the event, not the last count
            """,
        )

    def test_by(self):
        """A later count does not lengthen it; the event may come later."""
        assert not wrong(
            BEFORE.replace("days      = [1, 365]", "")
            + """
            [T]
            kind     = "time_to"
            from     = "R"
            to       = "lost"
            censored = "last_count"
            by       = 365
            """,
            """
            timeline                        | days | event | ended | because
            d7 60, d14 60, d365 60          | 358  | 0     | 365   | on the last day
            d7 60, d14 60, d364 60, d366 60 | 357  | 0     | 364   | a day later
            d7 60, d14 60, d400 5           | 393  | 1     | 400   | the event is no count
            d365 60, d372 60                | 0    | 0     | 365   | the count of the start
            d366 60, d373 60                |      |       |       | no count from the start on
            """,
        )

    def test_from_day_0(self):
        """Counts before day 0 do not end it; without one there is no time."""
        assert not wrong(
            BEFORE
            + """
            [T]
            kind     = "time_to"
            to       = "R"
            censored = "last_count"
            """,
            """
            timeline            | discontinued | days | event | ended
            d0 5, d7 60, d14 60 |              | 7    | 1     | 7
            d0 5, d7 60         |              | 7    | 0     | 7
            d0 5                |              | 0    | 0     | 0
            d-1 5               |              |      |       |
            d-1 5, d7 bleed 1   |              |      |       |
            d7 60, d14 60       | 70           | 14   | 0     | 14
            """,
        )

    def test_the_whole_verdict(self):
        """`Y` is the event, `N` censored, `NA` and `NE` have no time; each with its reason."""
        criteria = criteria_of(
            BEFORE
            + """
            [plain]
            kind = "time_to"
            from = "R"
            to   = "lost"
            [censored]
            kind     = "time_to"
            from     = "R"
            to       = "lost"
            censored = "last_count"
            by       = 365
            unless   = "baseline >= 100"
            """
        )
        timelines = ["d7 60, d14 60, d20 5", "d7 60, d14 60, d364 60", "d7 60, d14 60", "d7 5, d364 5", "d7 5"]
        cohort = cohort_of([*timelines, timelines[0]], baseline=[None] * 5 + [100])
        found = as_literal(classify(cohort, criteria=criteria))

        assert [(one["plain"].value, one["plain"].reason) for one in found] == [
            ("Y", "event"),
            ("NA", "not_lost"),
            ("NE", "follow_up_ended"),
            ("NA", "never_reached"),
            ("NE", "follow_up_ended"),
            ("Y", "event"),
        ]
        assert [(one["censored"].value, one["censored"].reason) for one in found] == [
            ("Y", "event"),
            ("N", "censored"),
            ("N", "censored"),
            ("NA", "never_reached"),
            ("NE", "follow_up_ended"),
            ("NA", "baseline"),
        ]


class TestUnless:
    """`unless`: where true there is no time, whatever else holds."""

    def test_of_the_time_itself(self):
        """It is looked at first."""
        assert not wrong(
            BEFORE
            + """
            [T]
            kind     = "time_to"
            from     = "R"
            to       = "lost"
            censored = "last_count"
            unless   = "baseline >= 100"
            """,
            """
            timeline              | baseline | days | event
            d7 60, d14 60, d20 5  | 100      |      |
            d7 60, d14 60, d20 5  | 99       | 13   | 1
            d7 60, d14 60, d20 60 | 100      |      |
            """,
        )
