"""Best: the first of a ranked list that is met."""

from worked import criteria_of, wrong

from itp_response.classification.classification import classify
from itp_response.cohort.notation import cohort_of
from itp_response.validation.bridge import as_literal

RANKED = """
    [CR]
    kind      = "achieved"
    when      = "platelets >= 100"
    occasions = 2
    days      = [1, 365]
    unless    = "baseline >= 100"
    [R]
    kind   = "achieved"
    when   = "platelets >= 30"
    days   = [1, 365]
    unless = "treatment_discontinued"
"""


class TestOf:
    """`of`: endpoints, best first; the first that is `Y` gives its name, or the name put before it."""

    def test_ranks(self):
        """A better one that is open does not keep the lower one from being met."""
        assert not wrong(
            RANKED
            + """
            [best]
            kind      = "best"
            of        = ["CR", "R"]
            otherwise = "NR"
            """,
            """
            timeline                | discontinued | CR | R  | value | because
            d7 100, d14 100         |              | Y  | Y  | CR    | both are met
            d7 100, d14 60, d364 60 |              | N  | Y  | R     | the lower one
            d7 100, d14 60          |              | NE | Y  | R     | the better one is open
            d7 5, d364 5            |              | N  | N  | NR    | none
            d7 5                    |              | NE | NE | NE    | all open
            d7 100, d14 100         | 70           | Y  | N  | CR    | the better one alone
            d7 100, d14 60          | 70           | NE | N  | NE    | one open, none met
            """,
        )

    def test_the_order(self):
        """The first in the list, not the better in sense."""
        assert not wrong(
            RANKED
            + """
            [best]
            kind      = "best"
            of        = ["R", "CR"]
            otherwise = "NR"
            """,
            """
            timeline        | discontinued | value
            d7 100, d14 100 |              | R
            d7 100, d14 100 | 70           | CR
            """,
        )

    def test_names(self):
        """`{ R = "OR" }` gives the endpoint another name; one endpoint may stand under several, the first counts."""
        assert not wrong(
            RANKED
            + """
            [best]
            kind      = "best"
            of        = [{ "complete response" = "CR" }, { any = "R" }, "R"]
            otherwise = "none at all"
            """,
            """
            timeline        | value
            d7 100, d14 100 | complete response
            d7 60           | any
            d7 5, d364 5    | none at all
            """,
        )

    def test_of_one(self):
        """A list may have one."""
        assert not wrong(
            RANKED
            + """
            [best]
            kind      = "best"
            of        = ["R"]
            otherwise = "NR"
            """,
            """
            timeline     | value
            d7 60        | R
            d7 5, d364 5 | NR
            d7 5         | NE
            """,
        )

    def test_what_does_not_arise(self):
        """`NA` is not met."""
        assert not wrong(
            RANKED
            + """
            [lost]
            kind  = "lost"
            after = "R"
            when  = "platelets < 20"
            [best]
            kind      = "best"
            of        = [{ relapsed = "lost" }, "CR"]
            otherwise = "no event"
            """,
            """
            timeline         | lost | CR | value
            d7 60, d14 5     | Y    | NE | relapsed
            d7 5, d364 5     | NA   | N  | no event
            d7 100, d364 100 | N    | Y  | CR
            d7 60, d364 60   | N    | N  | no event
            """,
        )


class TestUnknown:
    """`unknown`: what becomes of one that is not evaluable and stands before the first that is met."""

    def test_passed_over_or_not(self):
        """One that stands after the first that is met is not looked at."""
        best = """
            [best]
            kind      = "best"
            of        = ["CR", "R"]
            otherwise = "NR"
            """
        assert not wrong(
            RANKED + best.replace("[best]", "[passed]") + best + 'unknown = "leaves_it_open"',
            """
            timeline                | discontinued | CR | R  | passed | value | because
            d7 100, d14 100         |              | Y  | Y  | CR     | CR    | both are met
            d7 100, d14 60, d364 60 |              | N  | Y  | R      | R     | the better one is not met
            d7 100, d14 60          |              | NE | Y  | R      | NE    | the better one is open
            d7 5                    |              | NE | NE | NE     | NE    | all open
            d7 100, d14 60          | 70           | NE | N  | NE     | NE    | one open, none met
            d7 5, d364 5            |              | N  | N  | NR     | NR    | none
            """,
        )

    def test_of_two_that_are_open_the_first_gives_the_reason(self):
        criteria = criteria_of(
            RANKED
            + """
            [best]
            kind      = "best"
            of        = [{ lower = "R" }, "CR"]
            otherwise = "NR"
            unknown   = "leaves_it_open"
            """
        )
        cohort = cohort_of(["d7 60 bleed ?, d14 100", "d7 5"], treatment_discontinued=[None, None])
        found = [one["best"] for one in as_literal(classify(cohort, criteria=criteria))]

        assert [(one.value, one.reason) for one in found] == [("lower", "met"), ("NE", "follow_up_ended")]


class TestReason:
    """The reason is that of the endpoint that gave the name; else of the last, or of the first that is open."""

    def test_each(self):
        """There is no day and there are no evidence."""
        criteria = criteria_of(
            RANKED
            + """
            [best]
            kind      = "best"
            of        = ["CR", "R"]
            otherwise = "NR"
            """
        )
        told = [
            ("d7 100, d14 100", None, None, "CR", "met"),
            ("d7 60, d364 60", None, None, "R", "met"),
            ("d7 100, d364 60", None, None, "R", "met"),
            ("d7 100, d364 60", None, 70, "NR", "discontinued"),
            ("d7 5, d364 5", None, None, "NR", "never_reached"),
            ("d0 5", None, None, "NE", "no_counts"),
            ("d7 <150, d14 100, d364 60", None, 70, "NE", "censored_count"),
            ("d7 5", 100, None, "NE", "follow_up_ended"),
            ("d7 5", None, 70, "NE", "follow_up_ended"),
        ]
        cohort = cohort_of(
            [timeline for timeline, *_ in told],
            baseline=[baseline for _, baseline, *_ in told],
            treatment_discontinued=[stopped for _, _, stopped, *_ in told],
        )
        found = [one["best"] for one in as_literal(classify(cohort, criteria=criteria))]

        assert [(one.value, one.reason) for one in found] == [(value, reason) for *_, value, reason in told]
        assert {(one.day, one.onset, one.confirming, one.ended) for one in found} == {(None, None, None, None)}
