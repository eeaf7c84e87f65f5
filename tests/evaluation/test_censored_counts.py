"""Counts known only as bounds: what is the same wherever they lie is the verdict."""

from dataclasses import replace

import pytest
import strategies
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from worked import criteria_of, wrong

from itp_response.classification.classification import classify
from itp_response.definitions.criteria import read_dict
from itp_response.definitions.load import criteria_folder
from itp_response.evaluation import censored_counts, evaluate
from itp_response.explanation.ask import ask
from itp_response.messages.errors import CriteriaError
from itp_response.validation import literal
from itp_response.validation.bridge import as_literal, cohort_of

ATRA = criteria_folder() / "atra_2022.toml"
STATE = """
    [R]
    kind      = "achieved"
    when      = "platelets >= 30 and platelets >= 2 * baseline and bleeding_grade == 0"
    occasions = 2
    apart     = "7 days"
    between   = "unbroken"
    days      = [1, 365]
"""


def within(count) -> st.SearchStrategy:
    """A count that a bound may stand for."""
    if not isinstance(count, str):
        return st.just(count)
    limit = int(count[1:])
    return st.sampled_from([0, 5, limit - 1, limit - 0.5] if count[0] == "<" else [limit + 1, limit + 50, 2_000])


class TestCounts:
    """A count within a bound is any count within it."""

    def test_between_two_that_meet_it(self):
        """The bound must lie on one side of what breaks the run."""
        assert not wrong(
            STATE,
            """
            timeline                        | value | day | confirmed | reason         | because
            d0 15, d28 60, d30 <50, d35 60  | NE    |     |           | censored_count | 20 breaks it, 40 does not
            d0 15, d28 60, d30 >29, d35 60  | NE    |     |           | censored_count | 29.5 breaks it
            d0 15, d28 60, d30 >=30, d35 60 | Y     | 28  | 35        | met            | all of them meet it
            d0 15, d28 60, d30 >400, d35 60 | Y     | 28  | 35        | met            | likewise
            d0 15, d28 60, d30 <30, d364 60 | N     |     |           | not_confirmed  | none does
            d0 15, d28 60, d30 <50, d364 60 | NE    |     |           | censored_count | with 40 it is met on day 364
            """,
        )

    def test_what_does_not_matter(self):
        """Elsewhere than where it decides."""
        assert not wrong(
            STATE,
            """
            timeline                                | value | day | confirmed | reason         | because
            d0 15, d28 60, d35 60, d42 <50          | Y     | 28  | 35        | met            | after it was met
            d0 15, d14 <50, d28 60, d35 60          | Y     |     |           | met            | with 40 from day 14 on
            d0 15, d14 <50 bleed 2, d28 60, d35 60  | Y     | 28  | 35        | met            | it fails for bleeding
            d0 15, d28 <50, d364 5                  | N     |     |           | censored_count | once at best, or never
            d0 15, d28 <50, d336 5                  | NE    |     |           | follow_up_ended | either way
            d0 15, d28 60 bleed ?, d35 <30, d364 5  | N     |     |           | never_reached  | one count, of doubt
            """,
        )

    def test_of_several_of_a_day_the_lowest(self):
        assert not wrong(
            STATE,
            """
            timeline                                | value | day | because
            d0 15, d28 60, d35 60, d35 <50, d364 60 | NE    |     | 20 breaks it, with 40 it is met
            d0 15, d28 60, d35 60, d35 >70, d364 60 | Y     | 28  | 60 is the lowest
            d0 15, d28 60, d35 20, d35 <50, d364 5  | N     |     | 20 at most
            """,
        )

    def test_two_that_hang_together(self):
        """What no single course would show: one of the two must be good, or both bad."""
        assert not wrong(
            """
            [A]
            kind = "visits"
            when = "platelets >= 30"
            visits = [28, 35]
            at_least = 1
            [B]
            kind = "combined"
            when = "A or not A"
            """,
            """
            timeline                | A  | value | because
            d0 15, d28 <50, d35 <50 | NE | Y     | whichever it is
            d0 15, d28 <50, d35 60  | Y  | Y     | one suffices
            """,
        )

    def test_a_rule_that_holds_on_both_sides(self):
        """Unknown by its parts, but true of every count."""
        assert not wrong(
            """
            [R]
            kind = "achieved"
            when = "platelets < 30 or platelets >= 30"
            """,
            """
            timeline | value | day | reason
            d28 <50  | Y     | 28  | met
            """,
        )

    def test_divided_by_the_count(self):
        assert not wrong(
            """
            [R]
            kind = "achieved"
            when = "60 / platelets <= 2"
            """,
            """
            timeline        | value | reason         | because
            d28 <50, d364 5 | NE    | censored_count | 40 meets it, 20 does not
            d28 <30, d364 5 | NE    | censored_count | nothing can be divided by 0
            d28 >30         | Y     | met            | less than 2 throughout
            """,
        )


class TestBehindAFunction:
    """A comparison that the bounds of a value at another row leave open is decided as true and as false."""

    RISES = """
    [R]
    kind = "achieved"
    when = "platelets >= previous(platelets)"
    unknown_counts = "do_not_meet"
    """

    def test_a_row_left_open_that_would_not_count(self):
        assert not wrong(
            self.RISES,
            """
            timeline                              | value | day | reason          | because
            d0 15, d28 10, d30 <50, d364 10       | NE    |     | censored_count  | one rises, with any count; each row is tried by itself
            d0 15, d28 10, d30 <9, d364 5         | NE    |     | censored_count  | with 4 the last rises, with 6 it does not
            d0 15, d28 10, d30 <9, d364 9         | Y     | 364 | met             | 9 is more than what is below 9
            d0 15, d28 60, d31 <90, d364 5        | Y     | 28  | met             | before the bound
            d0 15, d28 10, d364 <9                | N     |     | never_reached   | the row's own count is below 10 in any case
            """,
        )

    def test_what_is_missing_is_said(self):
        """As each row is tried by itself, more may be left open than the counts leave, which is not hidden."""
        criteria = criteria_of(self.RISES)
        (found,) = ask("d0 15, d28 10, d30 <50, d364 10", criteria)
        tried = "Y with whatever was tried, which does not show that it is Y with all"
        assert found.missing == f"the count of day 30, which is only <50: {tried}"
        (found,) = ask("d0 15, d28 10, d30 <9, d364 5", criteria)
        assert found.missing.endswith("which is only <9: Y if it is at most 5, N if it is above 5")

    def test_a_comparison_is_the_same_in_several_rules(self):
        """But two comparisons are tried by themselves, though they hang together."""
        assert not wrong(
            """
            [A]
            kind = "at"
            when = "platelets >= previous(platelets)"
            day = 28
            within = [28, 28]
            [B]
            kind = "combined"
            when = "A or not A"
            [C]
            kind = "at"
            when = "platelets >= previous(platelets) or platelets < 2 * previous(platelets)"
            day = 28
            within = [28, 28]
            """,
            """
            timeline       | A  | B | value | reason         | because
            d7 <50, d28 30 | NE | Y | NE    | censored_count | either is so, whatever it was
            d7 <30, d28 30 | Y  | Y | Y     | met            | above what was before
            """,
        )

    def test_a_quotient(self):
        """By a count that may be zero it has no result, which is tried as well."""
        assert not wrong(
            """
            [A]
            kind = "at"
            when = "platelets / previous(platelets) >= 2"
            day = 28
            within = [28, 28]
            [R]
            kind = "combined"
            when = "A or not A"
            """,
            """
            timeline         | A  | value | reason         | because
            d7 <10, d28 20   | NE | NE    | censored_count | nothing is twice 0
            d7 >50, d28 20   | N  | Y     | met            | less than half
            """,
        )


class TestBaseline:
    """A baseline that is a bound is any baseline within it, the same for all counts."""

    def test_of_the_patient_table(self):
        assert not wrong(
            STATE,
            """
            timeline               | baseline | value | reason         | because
            d28 60, d35 60         | <30      | Y     | met            | twice 30 is 60
            d28 60, d35 60         | <31      | NE    | censored_count | twice 30.5 is more
            d28 60, d35 60         | >31      | NE    | follow_up_ended | twice 31 is more
            d28 60, d35 60, d364 5 | >31      | N     | never_reached  | followed to the end
            d28 40, d35 60, d364 5 | <30      | NE    | censored_count | with 25 the first is not good
            """,
        )

    def test_beside_a_count_that_is_a_bound_too(self):
        """Baselines that no rule tells apart by the bound alone are told apart by the counts within it."""
        assert not wrong(
            STATE
            + """
            [kept]
            kind = "maintained"
            from = "R"
            until = [337, 393]
            when = "platelets > 30"
            """,
            """
            timeline                                               | baseline | R | value | reason         | because
            d28 400, d31 400, d64 <31 bleed ?, d91 400, d364 400   | <30      | Y | NE    | censored_count | with 30 and a baseline of 10 it fails, with 30 and one of 20 the response comes later
            d28 400, d31 400, d64 <30 bleed ?, d91 400, d364 400   | <30      | Y | Y     | met            | the count breaks the run, whatever the baseline
            """,
        )

    def test_that_a_count_is_divided_by(self):
        """The bound lies on both sides of four times the baseline, though no rule names that number."""
        assert not wrong(
            STATE.replace("platelets >= 30 and platelets >= 2 * baseline", "platelets / baseline >= 4"),
            """
            timeline                  | baseline | value | reason         | because
            d28 >100, d35 >100        | 30       | NE    | censored_count | 110 is less than four times 30
            d28 >100, d35 >100        | 25       | Y     | met            | more than four times 25, whatever it is
            d28 100, d35 100, d364 5  | <26      | NE    | censored_count | four times 25.5 is more
            d28 100, d35 100, d364 5  | <25      | NE    | censored_count | nothing can be said of a baseline of 0
            """,
        )

    def test_that_is_a_count(self):
        """The last count before treatment is the same number in both places."""
        assert not wrong(
            """
            [low]
            kind = "achieved"
            when = "platelets <= 20 and day == 0"
            [doubled]
            kind = "achieved"
            when = "platelets >= 2 * baseline and day > 0"
            [both]
            kind = "combined"
            when = "low or not doubled"
            """,
            """
            timeline               | low | doubled | value | because
            d0 <50, d28 40, d364 5 | NE  | NE      | Y     | where it is not low, 40 is not twice as much
            """,
        )

    def test_that_is_the_count_asked_about(self):
        """It is tried on both sides of 30 though nothing is compared with the baseline."""
        assert not wrong(
            """
            [low]
            kind   = "at"
            when   = "platelets < 30"
            day    = 0
            within = [-28, 0]
            """,
            """
            timeline         | value | reason         | because
            d0 >10, d364 5   | NE    | censored_count | 20 is low, 40 is not
            d0 <31, d364 5   | NE    | censored_count | 20 is low, 30 is not
            d0 <30, d364 5   | Y     | met            | low, whatever it is
            d0 >30, d364 5   | N     | platelets      | not low, whatever it is
            d-7 >10, d0 15   | Y     | met            | the later count is known
            """,
        )

    def test_that_excludes(self):
        assert not wrong(
            """
            [R]
            kind   = "achieved"
            when   = "platelets >= 30"
            unless = "baseline >= 30"
            """,
            """
            timeline | baseline | value | reason
            d28 60   | <30      | Y     | met
            d28 60   | <31      | NE    | censored_count
            d28 60   | >30      | N     | baseline
            """,
        )


class TestLimits:
    """What is not looked at is said to be not evaluable."""

    def test_more_completions_than_are_decided(self):
        timeline = "d0 15, d28..d364 <50"
        assert censored_counts.MOST_COMPLETIONS == 10_000
        (found,) = ask(timeline, endpoint="OR")
        assert (found.value, found.reason) == ("NE", "censored_count")
        assert found.missing.endswith("with more possible combinations than are tried")
        (late,) = ask(timeline, endpoint="late_rescue")
        assert late.value == "N"

    def test_more_truths_of_open_comparisons_than_are_tried(self):
        """Those of 14 rows are more than 10,000. Beside them stands what no bound touches."""
        criteria = criteria_of(TestBehindAFunction.RISES + '[first]\nkind = "achieved"\nwhen = "platelets >= 50"')
        rows = ", ".join(f"d{day} <50" for day in range(30, 44))
        for begin, first in (("d0 15, d28 5", "N"), ("d0 15, d28 60", "Y")):
            rises, reached = ask(f"{begin}, {rows}, d364 5", criteria, counterfactuals=False)
            assert (rises.value, rises.reason, reached.value) == ("NE", "censored_count", first)

    def test_a_product_of_counts(self):
        criteria = criteria_of('[R]\nkind = "achieved"\nwhen = "platelets * platelets > 900"')
        with pytest.raises(
            CriteriaError, match="a rule multiplies counts, which cannot be evaluated for censored counts"
        ):
            ask("d28 <50", criteria)
        assert ask("d28 31", criteria)[0].value == "Y"

    def test_cut_into_parts(self):
        """However many are decided together."""
        patients = [
            literal.Patient((literal.Observation(28, "<50", 0), literal.Observation(35, "<60", 0)), baseline="<20")
            for _ in range(7)
        ]
        whole = as_literal(classify(cohort_of(patients)))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(evaluate, "ROWS_AT_ONCE", 10)
            patch.setattr(evaluate, "ROWS_PER_BLOCK", 3)
            assert as_literal(classify(cohort_of(patients))) == whole


class TestLaws:
    """For all patients and criteria."""

    @settings(max_examples=60)
    @given(strategies.patients(), strategies.criteria_variants(), st.data())
    def test_a_verdict_is_that_of_every_count_within(self, patient, raw, data):
        criteria = read_dict({**raw, "interpretation": [], "example": []}, ATRA, "variant")
        exact = replace(
            patient,
            observations=tuple(
                replace(one, platelets=data.draw(within(one.platelets))) for one in patient.observations
            ),
            baseline=data.draw(within(patient.baseline)),
        )
        assume(exact != patient)
        bound, known = (as_literal(classify(cohort_of([one]), criteria=criteria))[0] for one in (patient, exact))
        for name, verdict in bound.items():
            assert verdict.value in (known[name].value, "NE"), name
            if verdict.reason not in ("censored_count", known[name].reason):
                assert verdict.value != "NE", name

    @settings(max_examples=60)
    @given(strategies.patients(), strategies.criteria_variants(other_rows=True), st.data())
    def test_a_value_at_another_row_is_open_where_it_depends_on_a_bound(self, patient, raw, data):
        """A verdict that is given stands for every count within the bounds, also for those that other rows see."""
        criteria = read_dict({**raw, "interpretation": [], "example": []}, ATRA, "variant")
        exact = replace(
            patient,
            observations=tuple(
                replace(one, platelets=data.draw(within(one.platelets))) for one in patient.observations
            ),
            baseline=data.draw(within(patient.baseline)),
        )
        assume(exact != patient)
        bound, known = (as_literal(classify(cohort_of([one]), criteria=criteria))[0] for one in (patient, exact))

        assert [name for name, verdict in bound.items() if verdict.value not in (known[name].value, "NE")] == []
