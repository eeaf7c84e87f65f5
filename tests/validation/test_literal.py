"""The literal reading by itself: what it makes of a comparison that bounds behind a function leave open."""

import pytest
from worked import criteria_of, patient_of, rows_of

from itp_response.validation import literal

RISEN = """
    [R]
    kind = "achieved"
    when = "platelets >= previous(platelets)"
    unknown_counts = "do_not_meet"
    days = [{}, 365]
"""
AT = """
    [R]
    kind = "at"
    when = "{}"
    day  = 28
    within = [28, 28]
"""
TWO_RULES = """
    [A]
    kind = "at"
    when = "platelets >= previous(platelets)"
    day  = 28
    within = [28, 28]
    [B]
    kind = "at"
    when = "{}"
    day  = 28
    within = [28, 28]
    [R]
    kind = "combined"
    when = "A or B"
"""
EVER_HIGH = """
    [other]
    kind = "achieved"
    when = "platelets >= 50"
    [R]
    kind = "achieved"
    when = "highest(platelets) >= 200"
"""


def misread(text, table):
    """The lines of a table that are not read so; `number` is that of the completions."""
    criteria = criteria_of(text)
    problems = []
    for line in rows_of(table):
        patient = patient_of({"timeline": line["timeline"]}, criteria)
        baselines = literal.baselines_tried(literal.chart_of(criteria.raw, patient))
        verdict = literal.verdicts(criteria.raw, patient)["R"]
        day = "" if verdict.day is None else str(verdict.day)
        found = (verdict.value, day, verdict.reason, str(literal.number_of_completions(baselines)))
        if found != (line["value"], line["day"], line["reason"], line["number"]):
            problems.append(f"{line['timeline']}: {found} ({line['because']})")
    return problems


class TestOpenComparisons:
    """True and false, on every row by itself."""

    def test_both_ways(self):
        assert not misread(
            RISEN.format(1),
            """
            timeline                         | value | day | reason         | number | because
            d0 15, d28 >100, d35 150, d364 5 | Y     | 28  | met            | 2      | day 28 is met before the open day 35
            d0 15, d28 90, d35 150, d364 5   | Y     | 28  | met            | 1      | no bounds
            d0 <20, d28 15, d364 5           | NE    |     | censored_count | 2      | it may have risen
            d0 20, d28 <30, d364 5           | NE    |     | censored_count | 4      | two counts of day 28, two truths of day 364
            d0 <20, d28 9, d35 5, d364 3     | NE    |     | censored_count | 2      | the previous one alone is asked
            """,
        )
        assert not misread(
            RISEN.format(35),
            """
            timeline                                  | value | day | reason         | number | because
            d0 15, d28 >100, d35 150, d364 5          | NE    |     | censored_count | 2      | it may have risen on day 35
            d0 15, d28 >100, d35 150, d42 160, d364 5 | Y     |     | met            | 2      | on day 35 or on day 42
            d0 15, d28 >100, d35 90, d364 5           | N     |     | never_reached  | 1      | below anything above 100
            """,
        )

    def test_where_both_give_the_same(self):
        assert not misread(
            AT.format("platelets >= 2 * previous(platelets) or not platelets >= 2 * previous(platelets)"),
            """
            timeline        | value | day | reason | number | because
            d0 <20, d28 30  | Y     | 28  | met    | 2      | the same comparison twice is one
            """,
        )

    def test_one_that_divides_may_be_unknown_as_well(self):
        always = "platelets / {0} >= 2 or not platelets / {0} >= 2"
        assert not misread(
            AT.format(always.format("previous(platelets)")),
            """
            timeline        | value | day | reason         | number | because
            d0 <20, d28 30  | NE    |     | censored_count | 3      | the previous one may be 0
            d0 15, d28 30   | Y     | 28  | met            | 1      | it is not
            d0 0, d28 30    | NE    |     | not_recorded   | 1      | it is 0, which is no bound
            """,
        )
        assert not misread(
            AT.format("previous(platelets) / 2 >= platelets or not previous(platelets) / 2 >= platelets"),
            """
            timeline        | value | day | reason | number | because
            d0 <20, d28 9   | Y     | 28  | met    | 2      | by a number
            """,
        )

    def test_it_is_left_as_it_is_where_the_rules_are_known(self):
        assert not misread(
            AT.format("platelets >= previous(platelets) and bleeding_grade == 0"),
            """
            timeline              | value | day | reason         | number | because
            d0 <50, d28 30 bleed 2 | N    |     | bleeding       | 1      | the rule is false whatever the count before
            d0 <50, d28 30 bleed ? | NE   |     | censored_count | 2      | false, or unknown for the bleeding
            d0 <50, d28 30        | NE    |     | censored_count | 2      | all hangs on the count before
            d28 30                | NE    |     | not_recorded   | 1      | there is none before: nothing is open
            """,
        )

    @pytest.mark.parametrize(
        ("other", "value", "number"),
        [
            ("not platelets >= previous(platelets)", "Y", 2),
            ("20 < platelets < previous(platelets)", "NE", 8),
        ],
    )
    def test_the_same_one_in_several_rules_is_one(self, other, value, number):
        day, reason = ("28", "met") if value == "Y" else ("", "censored_count")
        assert not misread(
            TWO_RULES.format(other),
            f"""
            timeline       | value   | day   | reason   | number   | because
            d0 <50, d28 30 | {value} | {day} | {reason} | {number} | as written
            """,
        )

    def test_a_term_stands_for_what_is_behind_it(self):
        assert not misread(
            '[terms]\nbefore = "previous(platelets)"\n' + TWO_RULES.format("not platelets >= before"),
            """
            timeline       | value | day | reason | number | because
            d0 <50, d28 30 | Y     | 28  | met    | 2      | it is the same comparison
            """,
        )

    def test_each_row_by_itself_and_all_of_them_count(self):
        table = """
            timeline                               | value | day | reason         | number | because
            d0 15, d7 >100, d14 60, d28 60, d364 5 | NE    |     | censored_count | 16     | four rows
            d0 15, d7 >100, d14..d364 60           | NE    |     | censored_count | 262144 | eighteen rows are too many
        """
        assert not misread(EVER_HIGH, table)

    def test_among_too_many_the_others_are_decided(self):
        criteria = criteria_of(EVER_HIGH)
        patient = patient_of({"timeline": "d0 15, d7 >100, d14..d364 60"}, criteria)

        assert literal.verdicts(criteria.raw, patient)["other"] == literal.LiteralVerdict("Y", "met", day=7, onset=7)

    def test_more_than_can_be_decided_here_are_not_read(self):
        criteria = criteria_of(EVER_HIGH)
        patient = patient_of({"timeline": "d0 15, d7 >100, d14..d140 60"}, criteria)

        with pytest.raises(literal.TooManyCompletionsError):
            literal.verdicts(criteria.raw, patient)
