"""Combined: a rule over the verdicts on other endpoints. Each table is a part of the rule, or its result."""

import pytest
from worked import criteria_of, wrong

from itp_response.classification.classification import classify
from itp_response.messages.errors import CriteriaError
from itp_response.validation.bridge import as_literal, cohort_of
from itp_response.validation.literal import LiteralVerdict, Patient, verdicts

# On days 10, 20 and 30; what fails and what is unknown tells which of them gave the reason.
NAMED = """
    [A]
    kind   = "at"
    when   = "platelets >= 30 and bleeding_grade == 0 and not rescue"
    day    = 10
    within = [10, 10]
    [B]
    kind   = "at"
    when   = "platelets >= 30 and bleeding_grade == 0 and not rescue"
    day    = 20
    within = [20, 20]
    [C]
    kind   = "at"
    when   = "platelets >= 30 and bleeding_grade == 0 and not rescue"
    day    = 30
    within = [30, 30]
"""
ONCE_AND_TWICE = """
    [once]
    kind = "achieved"
    when = "platelets >= 100"
    [twice]
    kind      = "achieved"
    when      = "platelets >= 30"
    occasions = 2
    apart     = "7 days"
"""
LOSS = """
    [lost]
    kind  = "lost"
    after = "A"
    when  = "platelets < 30"
"""


def combined(rule, further=""):
    """The three endpoints and one over them."""
    return f'{NAMED}{further}\n[over]\nkind = "combined"\nwhen = "{rule}"\n'


class TestNames:
    """A name is true where that endpoint is `Y`, unknown where `NE`, false where `N` or `NA`."""

    def test_alone(self):
        """It has the other's day, and the row that dates it is the onset."""
        assert not wrong(
            combined("A"),
            """
            timeline       | A  | value | day | onset | ended | reason
            d10 60         | Y  | Y     | 10  | 10    |       | met
            d10 5          | N  | N     |     |       |       | platelets
            d10 60 bleed 1 | N  | N     |     |       |       | bleeding
            d10 <50        | NE | NE    |     |       |       | censored_count
            d11 60         | NE | NE    |     |       |       | no_counts
            """,
        )

    def test_not_applicable_is_false(self):
        """With the reason it had."""
        assert not wrong(
            combined("lost", LOSS),
            """
            timeline                | lost | value | day | onset | reason
            d10 60, d15 5           | Y    | Y     | 15  | 15    | met
            d10 60, d364 60         | N    | N     |     |       | not_lost
            d10 60                  | NE   | NE    |     |       | follow_up_ended
            d10 60 bleed 1          | NA   | N     |     |       | bleeding
            """,
        )
        assert not wrong(
            combined("not lost", LOSS),
            """
            timeline                | lost | value | day | onset | reason
            d10 60, d15 5           | Y    | N     |     |       | lost
            d10 60, d364 60         | N    | Y     |     |       | met
            d10 60                  | NE   | NE    |     |       | follow_up_ended
            d10 60 bleed 1          | NA   | Y     |     |       | met
            """,
        )

    @pytest.mark.parametrize("rule", ["platelets >= 30", "A and rescue", "A or D", "over", "A == B", "A + B", "true"])
    def test_what_is_no_name(self, rule):
        """The endpoints of the file, `and`, `or`, `not` and parentheses; nothing else, and not itself."""
        with pytest.raises(CriteriaError):
            criteria_of(combined(rule))

    @pytest.mark.parametrize("kind", ['"time_to"\nto = "A"', '"best"\nof = ["A"]\notherwise = "none"'])
    def test_what_has_no_truth(self, kind):
        """A time and a rank are neither met nor not."""
        with pytest.raises(CriteriaError):
            criteria_of(combined("A or D", f"[D]\nkind = {kind}"))

    def test_terms_are_no_names(self):
        """They are over rows."""
        with pytest.raises(CriteriaError):
            criteria_of('[terms]\nquiet = "bleeding_grade == 0"\n' + combined("A and quiet"))


def timeline(values):
    """Days 10, 20 and 30 with these verdicts."""
    return ", ".join(
        {"Y": f"d{day} 60", "N": f"d{day} 5", "NE": f"d{day} <50"}[value]
        for day, value in zip((10, 20, 30), values.split(), strict=False)
    )


class TestTruth:
    """`and`, `or`, `not`: unknown where it hangs on what is unknown."""

    @pytest.mark.parametrize(
        ("values", "either", "both", "not_first", "neither", "one_alone"),
        [
            ("Y Y", "Y", "Y", "N", "N", "N"),
            ("Y N", "Y", "N", "N", "N", "Y"),
            ("Y NE", "Y", "NE", "N", "N", "NE"),
            ("N Y", "Y", "N", "Y", "N", "N"),
            ("N N", "N", "N", "Y", "Y", "N"),
            ("N NE", "NE", "N", "Y", "NE", "N"),
            ("NE Y", "Y", "NE", "NE", "N", "N"),
            ("NE N", "NE", "N", "NE", "NE", "NE"),
            ("NE NE", "NE", "NE", "NE", "NE", "NE"),
        ],
    )
    def test_of_two(self, values, either, both, not_first, neither, one_alone):
        """Every pair of verdicts."""
        for rule, value in [
            ("A or B", either),
            ("A and B", both),
            ("not A", not_first),
            ("not (A or B)", neither),
            ("not A and not B", neither),
            ("A and not B", one_alone),
            ("not not A", values.split()[0]),
        ]:
            assert not wrong(combined(rule), f"timeline | value\n{timeline(values)} | {value}"), rule

    @pytest.mark.parametrize(
        ("values", "or_first", "and_first"),
        [("Y N N", "Y", "N"), ("N Y N", "N", "N"), ("N Y Y", "Y", "Y"), ("Y Y N", "Y", "N"), ("Y N Y", "Y", "Y")],
    )
    def test_which_binds_closer(self, values, or_first, and_first):
        """`and` before `or`, unless parentheses say otherwise; `not` before both."""
        for rule, value in [
            ("A or B and C", or_first),
            ("A or (B and C)", or_first),
            ("(A or B) and C", and_first),
        ]:
            assert not wrong(combined(rule), f"timeline | value\n{timeline(values)} | {value}"), rule


class TestReason:
    """The reason of an `N` or `NE` is that of the endpoint that decides: one that agrees with the rule."""

    def test_joined_by_and(self):
        """The first that is `N`."""
        assert not wrong(
            combined("A and B and C"),
            """
            timeline                               | value | reason         | because
            d10 60, d20 5, d30 60 rescue           | N     | platelets      | the second
            d10 60 bleed 1, d20 5, d30 60 rescue   | N     | bleeding       | the first
            d10 60, d20 60, d30 60 rescue          | N     | rescue         | the third
            d20 5, d30 60                          | N     | platelets      | though the first is open
            d10 60, d20 <50                        | NE    | censored_count | the first that is open
            d10 60, d20 60                         | NE    | no_counts      | the third
            d10 <50, d20 60 bleed ?                | NE    | censored_count | of several
            d10 60, d20 60, d30 60                 | Y     | met            | none
            """,
        )

    def test_joined_by_or(self):
        """All are `N`; the last named."""
        assert not wrong(
            combined("C or A or B"),
            """
            timeline                               | value | reason         | because
            d10 60 bleed 1, d20 5, d30 60 rescue   | N     | platelets      | as named, not by day
            d10 60 bleed 1, d20 5, d30 <50         | NE    | censored_count | the one that is open
            d10 60 bleed 1, d20 5                  | NE    | no_counts      | likewise
            d20 5                                  | NE    | no_counts      | two that are
            """,
        )

    def test_under_not(self):
        """There one that is `Y` makes for it, and gives its name; under two it is `N` again."""
        assert not wrong(
            combined("not A"),
            """
            timeline  | value | reason
            d10 60    | N     | A
            d10 5     | Y     | met
            d10 <50   | NE    | censored_count
            """,
        )
        assert not wrong(
            combined("not A or B"),
            """
            timeline        | value | reason
            d10 60, d20 5   | N     | platelets
            d10 60, d20 <50 | NE    | censored_count
            d20 5           | NE    | no_counts
            """,
        )
        assert not wrong(
            combined("B and not A"),
            """
            timeline               | value | reason
            d10 60, d20 5          | N     | platelets
            d10 60, d20 60         | N     | A
            d10 5, d20 5           | N     | platelets
            d10 60, d20 60 bleed 1 | N     | bleeding
            """,
        )
        assert not wrong(
            combined("not (A or not B)"),
            """
            timeline               | value | reason    | because
            d10 5, d20 60          | Y     | met       | one and not the other
            d10 60, d20 5          | N     | A         | the first is met
            d10 5, d20 60 bleed 1  | N     | bleeding  | the second is under two
            d10 <50, d20 60 bleed 1 | N    | censored_count | it hangs on the bound
            """,
        )
        assert not wrong(
            combined("not not A"),
            """
            timeline       | value | day | reason
            d10 60 bleed 1 | N     |     | bleeding
            d10 60         | Y     |     | met
            """,
        )

    def test_one_that_does_not_decide(self):
        """What is not met gives no reason where another is met in its place."""
        assert not wrong(
            combined("(A or B) and C"),
            """
            timeline                               | value | reason
            d10 60 bleed 1, d20 60, d30 60 rescue  | N     | rescue
            d10 60, d20 60, d30 60 rescue          | N     | rescue
            d10 60, d20 5, d30 60 rescue           | N     | rescue
            d10 60 bleed 1, d20 5, d30 60 rescue   | N     | platelets
            """,
        )
        assert not wrong(
            combined("A or B and not C"),
            """
            timeline                       | value | reason
            d10 60 bleed 1, d20 60, d30 60 | N     | C
            d10 60 bleed 1, d20 60, d30 5  | Y     | met
            """,
        )

    def test_of_an_or_the_one_that_came_near(self):
        """Never reached says least; where all were never reached it is the reason."""
        assert not wrong(
            combined("once or twice", ONCE_AND_TWICE),
            """
            timeline                | value | reason
            d5 60, d20 5, d364 5    | N     | not_confirmed
            d5 5, d20 60, d364 5    | N     | not_confirmed
            d5 5, d20 5, d364 5     | N     | never_reached
            """,
        )

    def test_of_a_loss(self):
        """What was true of the loss is its reason, also where it makes for an `N`."""
        assert not wrong(
            combined("A and not lost", LOSS),
            """
            timeline        | value | day | reason
            d10 60, d15 5   | N     |     | lost
            d10 60, d364 60 | Y     | 10  | met
            d10 60          | NE    |     | follow_up_ended
            d10 60 bleed 1  | N     |     | bleeding
            """,
        )


class TestDay:
    """The day: of parts joined by `or` the earliest that is true, of parts joined by `and` the latest, of `not` none."""

    @pytest.mark.parametrize(
        ("rule", "all_three", "first_two", "last_two"),
        [
            ("A or B or C", 10, 10, 20),
            ("C or B or A", 10, 10, 20),
            ("A and B or C", 20, 20, 30),
            ("C or A and B", 20, 20, 30),
            ("A or B and C", 10, 10, 30),
            ("(A or B) and (B or C)", 20, 20, 20),
            ("(A or C) and B", 20, 20, 30),
            ("A and B or B and C", 20, 20, 30),
        ],
    )
    def test_or_and(self, rule, all_three, first_two, last_two):
        """Parts within parts."""
        assert not wrong(
            combined(rule),
            f"""
            timeline               | value | day         | onset
            d10 60, d20 60, d30 60 | Y     | {all_three} | {all_three}
            d10 60, d20 60, d30 5  | Y     | {first_two} | {first_two}
            d10 60, d20 60         | Y     | {first_two} | {first_two}
            d10 5, d20 60, d30 60  | Y     | {last_two}  | {last_two}
            d20 60, d30 60         | Y     | {last_two}  | {last_two}
            """,
        )

    def test_not_has_none(self):
        """Beside it the others give the day; alone there is none."""
        assert not wrong(
            combined("not B"),
            """
            timeline      | value | day | onset
            d10 60, d20 5 | Y     |     |
            """,
        )
        assert not wrong(
            combined("A and not B"),
            """
            timeline      | value | day | onset
            d10 60, d20 5 | Y     | 10  | 10
            """,
        )
        assert not wrong(
            combined("not B or A"),
            """
            timeline       | value | day | onset | because
            d10 60, d20 5  | Y     | 10  | 10    | both are true, one has a day
            d10 60, d20 60 | Y     | 10  | 10    | one is true
            d10 5, d20 5   | Y     |     |       | it has none
            """,
        )
        assert not wrong(
            combined("not (A and B) and (C or not A)"),
            """
            timeline              | value | day
            d10 60, d20 5, d30 60 | Y     | 30
            d10 5, d20 5, d30 60  | Y     | 30
            d10 5, d20 5, d30 5   | Y     |
            """,
        )

    def test_the_day_of_each_kind(self):
        """That of an achieved one, of a kept one the day it was shown, of a loss that of the loss."""
        achieved = """
            [R]
            kind      = "achieved"
            when      = "platelets >= 30"
            occasions = 2
            apart     = "7 days"
            dated_by  = "{}"
            [kept]
            kind = "maintained"
            from = "R"
            when = "platelets >= 30"
            for  = "28 days"
            [over]
            kind = "combined"
            when = "{}"
            """
        for dated_by, rule, day in [
            ("first", "R", 7),
            ("confirming", "R", 14),
            ("first", "R and kept", 40),
            ("confirming", "R and kept", 42),
            ("first", "R or kept", 7),
        ]:
            assert not wrong(
                achieved.format(dated_by, rule),
                f"""
                timeline                      | value | day   | onset
                d7 60, d14 60, d40 60, d42 60 | Y     | {day} | {day}
                """,
            )

    def test_others_start_from_it(self):
        """From its day; and take over what it could not give."""
        assert not wrong(
            combined("A and B")
            + """
            [kept]
            kind = "maintained"
            from = "over"
            when = "platelets >= 30"
            for  = "28 days"
            """,
            """
            timeline                      | over | value | day | onset | reason
            d10 60, d15 5, d20 60, d48 60 | Y    | Y     | 48  | 20    | met
            d10 60, d20 60, d47 60        | Y    | NE    |     | 20    | follow_up_ended
            d10 60, d20 60, d30 5         | Y    | N     |     | 20    | platelets
            d10 60, d20 60 bleed 1        | N    | N     |     |       | bleeding
            d10 60                        | NE   | NE    |     |       | no_counts
            """,
        )


class TestOfOthers:
    """A combined one may stand before those it names, and name other combined ones."""

    def test_any_order_and_depth(self):
        """The file's order does not matter."""
        assert not wrong(
            """
            [outer]
            kind = "combined"
            when = "inner or C"
            [inner]
            kind = "combined"
            when = "A and B"
            """
            + NAMED
            + """
            [over]
            kind = "combined"
            when = "not outer and A"
            """,
            """
            timeline                      | inner | outer | outer_day | value | day | reason
            d10 60, d20 60, d30 5         | Y     | Y     | 20        | N     |     | outer
            d10 60, d20 5, d30 60         | N     | Y     | 30        | N     |     | outer
            d10 60, d20 5, d30 5 bleed 1  | N     | N     |           | Y     | 10  | met
            d10 60, d20 5                 | N     | NE    |           | NE    |     | no_counts
            d10 60 bleed 1, d20 5, d30 5  | N     | N     |           | N     |     | bleeding
            """,
        )


class TestUnless:
    """`unless` is looked at first: `N`, without day or evidence."""

    def test_whatever_else_holds(self):
        """Whatever the others are."""
        assert not wrong(
            combined("A or not B") + 'unless = "treatment_discontinued"',
            """
            timeline       | discontinued | value | day | onset | reason
            d10 60, d20 60 |              | Y     | 10  | 10    | met
            d10 60, d20 60 | 100          | N     |     |       | discontinued
            d10 5, d20 60  | 100          | N     |     |       | discontinued
            d10 5, d20 5   | 100          | N     |     |       | discontinued
            d11 60         | 100          | N     |     |       | discontinued
            """,
        )


class TestNoRows:
    """Patients of whom nothing at all was observed."""

    @pytest.mark.parametrize("rule", ["A", "A or B", "not A", "A and not B", "not (A and C)"])
    def test_as_those_named(self, rule):
        """They are open, and so is this."""
        criteria = criteria_of(combined(rule))
        patients = [Patient(()), Patient(())]
        found = as_literal(classify(cohort_of(patients), criteria=criteria))

        assert found == [verdicts(criteria.raw, patient) for patient in patients]
        assert [one["over"] for one in found] == [LiteralVerdict("NE", "no_counts")] * 2
