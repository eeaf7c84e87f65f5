"""Values at another row: what each function gives on each day of a patient, and what rules make of it."""

import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worked import HEAD, criteria_of, rows_of, wrong

from itp_response.classification.classification import classify
from itp_response.cohort.build import build
from itp_response.cohort.notation import cohort_of
from itp_response.cohort.observations import Observations, Patients
from itp_response.cohort.texts import count_in_words
from itp_response.cohort.values import Numbers
from itp_response.definitions.intercurrent_events import strategy_of
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.rules.decide import numbers
from itp_response.evaluation.rules.in_words import rule_in_words
from itp_response.evaluation.rules.parse import Names, parse, parse_expression
from itp_response.explanation.certificate import certificate
from itp_response.explanation.clause_results import clause_results
from itp_response.explanation.explain import explain
from itp_response.explanation.near_misses import near_misses
from itp_response.messages.errors import CohortError
from itp_response.readers.options import ReadOptions

CHECKER = Path(__file__).parents[2] / "examples" / "certificate_checker.py"

COLUMNS = """
    [columns]
    dose  = { type = "number" }
    score = { type = "number", empty = 0, several = "highest" }
"""
ANY = COLUMNS + '[R]\nkind = "achieved"\nwhen = "platelets >= 30"\n'
NAMES = Names(
    {"platelets": "number", "bleeding_grade": "number", "dose": "number", "score": "number"},
    on_rows=["platelets", "bleeding_grade", "dose", "score"],
)


def values_of(function, timelines, text=ANY, head=HEAD):
    """What a function gives on each row of each timeline, a text each: the values, `?` where there is none."""
    criteria = criteria_of(text, head)
    cohort = cohort_of(timelines, visits=criteria.file.clock.visits, columns=criteria.file.columns)
    values = numbers(parse_expression(function, NAMES), patient_days_of(criteria, cohort, 0, len(cohort)))
    words = [_shown(*bounds) for bounds in zip(values.low.tolist(), values.high.tolist(), strict=True)]
    return [" ".join(words[first:last]) for first, last in zip(cohort.first_row, cohort.first_row[1:], strict=False)]


def _shown(low, high):
    if math.isnan(low):
        return "?"
    return f"{low:g}" if low == high or math.isinf(low) else count_in_words(low, high).replace(" ", "")


def differing(table, text=ANY, head=HEAD):
    """The lines of a table whose function does not give these values on the days of the timeline, in their order."""
    problems = []
    for line in rows_of(table):
        (found,) = values_of(line["function"], [line["timeline"]], text, head)
        if found != line["on its days"]:
            problems.append(f"{line['function']} of {line['timeline']}: {found} ({line['because']})")
    return problems


class TestFunctions:
    """What each function gives, day by day."""

    def test_previous(self):
        assert not differing("""
            function            | timeline                                | on its days | because
            previous(platelets) | d0 15, d7 40, d14 60                    | ? 15 40     | the row before; the first row has none
            previous(platelets) | d0 15, d7 bleed 1, d14 60               | ? 15 15     | of a row without a count the one before
            previous(platelets) | d-7 9, d0 15                            | ? 9         | rows before day 0 are rows
            previous(platelets) | d0 15, d7 40, d7 60, d14 20             | ? 15 40     | of two counts of a day the lowest
            previous(dose)      | d0 15 dose=3, d7 40, d9 rescue, d14 dose=1 | ? 3 3 3  | with a count or without
            previous(dose)      | d0 dose=3, d7 dose=4, d7 dose=2, d8 1   | ? 3 2       | of two doses of a day the last
            previous(score)     | d0 score=3, d7 40, d14 40               | ? 3 0       | an empty cell stands for 0, which is known
            previous(score)     | d0 score=3, d7 score=2, d7 score=5, d8 1 | ? 3 5      | the highest of the day, as declared
            previous(bleeding_grade) | d0 15 bleed 2, d7 40, d14 40 bleed ?, d21 40 | ? 2 0 0 | a grade that is not recorded is passed over
        """)

    def test_first(self):
        assert not differing("""
            function         | timeline                             | on its days | because
            first(platelets) | d0 15, d7 40, d14 60                 | 15 15 15    | from day 0, this row included
            first(platelets) | d-7 9, d0 15, d7 40                  | ? 15 15     | no row before day 0 is asked, or asks
            first(platelets) | d-7 9, d3 40, d7 60                  | ? 40 40     | day 0 need not be observed
            first(dose)      | d0 15, d7 40 dose=3, d14 60 dose=5   | ? 3 3       | the first on which it is known, and not before it
            first(score)     | d0 15, d7 40 score=3                 | 0 0         | an empty cell stands for 0, which is known
        """)

    def test_highest(self):
        assert not differing("""
            function           | timeline                           | on its days | because
            highest(platelets) | d0 15, d7 80, d14 60, d21 90       | 15 80 80 90 | up to this row, included
            highest(platelets) | d-7 99, d0 15, d7 40               | ? 15 40     | from day 0
            highest(platelets) | d-7 99, d7 bleed 1, d14 40         | ? ? 40      | none known yet
            highest(platelets) | d0 15, d7 80, d7 20, d14 5         | 15 20 20    | of two counts of a day the lowest
            highest(dose)      | d0 15 dose=3, d7 40, d14 60 dose=1 | 3 3 3       | an empty cell is passed over
        """)

    def test_lowest(self):
        assert not differing("""
            function          | timeline                           | on its days | because
            lowest(platelets) | d0 50, d7 20, d14 60, d21 10       | 50 20 20 10 | up to this row, included
            lowest(platelets) | d-7 1, d0 50, d7 60                | ? 50 50     | from day 0
            lowest(score)     | d0 50 score=7, d7 60               | 7 0         | an empty cell stands for 0, which is known
        """)

    def test_of_the_last_days(self):
        """The length reaches back from the day of the row, whether or not day 0 lies between; both ends included."""
        assert not differing("""
            function                       | timeline                          | on its days | because
            highest(platelets, "14 days")  | d0 90, d7 20, d14 30, d15 40      | 90 90 90 40 | day 0 is 14 days before day 14, and 15 before 15
            highest(platelets, "2 weeks")  | d0 90, d7 20, d14 30, d15 40      | 90 90 90 40 | a week is seven days
            lowest(platelets, "14 days")   | d-7 5, d0 90, d7 20, d14 30       | 5 5 5 20    | days before day 0 are looked at
            highest(platelets, "1 day")    | d0 90, d7 20                      | 90 20       | this row alone
            highest(dose, "7 days")        | d0 1 dose=3, d7 1, d14 1, d21 1 dose=2 | 3 3 ? 2 | none known in the time
        """)

    def test_at_baseline(self):
        """Of the days of `[baseline]`, here -28 to 0: the last known, on every row of the patient."""
        assert not differing("""
            function              | timeline                                | on its days | because
            at_baseline(platelets) | d-14 8, d0 15, d7 40                   | 15 15 15    | the last one, on every row
            at_baseline(platelets) | d-29 8, d1 15                          | ? ?         | both too far
            at_baseline(platelets) | d-28 8, d1 15                          | 8 8         | both ends are included
            at_baseline(dose)      | d-14 8 dose=3, d0 15, d7 40 dose=5     | 3 3 3       | the last on which it is known
            at_baseline(score)     | d-14 8 score=3, d0 15, d7 40 score=5   | 0 0 0       | an empty cell stands for 0, which is known
        """)

    def test_at_a_baseline_after_day_0(self):
        """The days of `[baseline]` may lie after a row, which sees the value all the same."""
        later = HEAD.replace("days = [-28, 0]", 'days = [5, 7]\npick = "lowest"')
        assert not differing(
            """
            function               | timeline             | on its days | because
            at_baseline(platelets) | d0 15, d5 20, d7 40  | 40 40 40    | the last, whatever `pick` says
            """,
            head=later,
        )

    def test_of_grades_as_rules_see_them(self):
        """`[not_recorded]` says what a count without a grade stands for."""
        bleeding = HEAD + '[not_recorded]\nbleeding = "bleeding"\n'
        assert not differing(
            """
            function                | timeline                      | on its days | because
            highest(bleeding_grade) | d0 15, d7 40 bleed ?          | 0 inf       | bleeding of any grade
            highest(bleeding_grade) | d0 15 bleed 1, d7 rescue      | 1 1         | no count, no visit: not known
            """,
            head=bleeding,
        )

    def test_of_censored_counts(self):
        """A value has the bounds of the counts it is of; of the highest, the highest of each bound."""
        assert not differing("""
            function            | timeline                   | on its days            | because
            previous(platelets) | d0 <10, d7 40              | ? <10                  | those of the row
            highest(platelets)  | d0 <10, d7 40, d14 <50     | <10 40 >=40and<50      | 40 at the least, below 50 at the most
            lowest(platelets)   | d0 >100, d7 <10, d14 5     | >100 <10 <=5           | 0 at the least
            highest(platelets)  | d0 >100, d7 200, d14 300   | >100 >=200 >=300       | no upper bound
        """)


class TestInWords:
    """Rules in words: a value at another row is a noun."""

    @pytest.mark.parametrize(
        ("rule", "words"),
        [
            ("platelets < previous(platelets)", "a count below the previous count"),
            ("platelets <= 0.5 * highest(platelets)", "a count of at most half the highest count since day 0"),
            ("dose > first(dose)", "dose above the first dose from day 0 on"),
            ("score - at_baseline(score) >= 10", "score minus the score at baseline of at least 10"),
            ("highest(dose, '8 weeks') <= 3", "the highest dose of the last 8 weeks of at most 3"),
            ("lowest(bleeding_grade) == 0", "the lowest bleeding grade since day 0 of exactly 0"),
            ("not previous(dose) >= 2", "the previous dose below 2"),
            ("3 <= previous(dose)", "the previous dose of at least 3"),
        ],
    )
    def test_of_each_function(self, rule, words):
        assert rule_in_words(parse(rule, NAMES)) == words


class TestInRules:
    """The values in rules: states, reasons and evidence."""

    HALF = (
        COLUMNS
        + """
        [half]
        kind  = "achieved"
        when  = "platelets <= 0.5 * highest(platelets) and day >= 1"
        discount = "rescue"
    """
    )

    def test_a_fall_to_half_of_the_peak(self):
        assert not wrong(
            self.HALF,
            """
            timeline                                | value | day | reason          | because
            d0 15, d7 100, d14 51, d21 50, d364 60  | Y     | 21  | met             | half of 100
            d0 15, d7 100, d14 51, d364 60          | N     |     | never_reached   | not quite half
            d-7 200, d0 15, d7 100, d14 90, d364 90 | N     |     | never_reached   | the peak is counted from day 0
            d0 100, d7 rescue, d14 50               | Y     | 14  | met             | a peak that is 14 days old
            d0 100, d7 50 rescue, d364 90           | N     |     | discounted      | the row itself is discounted
            d0 15, d7 200 rescue, d14 100           | Y     | 14  | met             | a discounted row is looked at from others
            """,
        )

    def test_a_stable_dose(self):
        text = (
            COLUMNS
            + """
            [stable]
            kind  = "at"
            when  = "highest(dose, '8 weeks') - lowest(dose, '8 weeks') <= 1"
            day   = 168
            within = [168, 168]
        """
        )
        assert not wrong(
            text,
            """
            timeline                                       | value | reason       | because
            d112 9 dose=3, d140 9 dose=4, d168 9           | Y     | met          | 3 and 4
            d112 9 dose=3, d140 9 dose=5, d168 9           | N     | dose         | 3 and 5: the reason is the column
            d111 9 dose=3, d140 9 dose=5, d168 9           | Y     | met          | day 111 is 57 days before
            d111 9 dose=3, d168 9                          | NE    | not_recorded | no dose in the time
            d112 9 dose=3, d112 9 dose=5, d168 9 dose=5    | Y     | met          | of two doses of a day the last
            d112 9 dose=3, d140 dose=5, d168 9             | N     | dose         | a row without a count is looked at
            """,
        )

    def test_a_change_from_baseline(self):
        text = (
            COLUMNS
            + """
            [better]
            kind = "achieved"
            when = "dose - at_baseline(dose) >= 10"
        """
        )
        assert not wrong(
            text,
            """
            timeline                                  | value | day | reason        | because
            d0 9 dose=20, d28 9 dose=30               | Y     | 28  | met           | ten more than at baseline
            d0 9 dose=20, d28 9 dose=29, d364 9       | NE    |     | not_recorded  | nine more; on day 364 there is no dose
            d28 9 dose=30, d364 9 dose=90             | NE    |     | not_recorded  | no dose at baseline
            d-1 9 dose=20, d0 9, d28 dose=30          | Y     | 28  | met           | the last that is known, and a row without a count
            """,
        )

    def test_why_it_is_unknown(self):
        """A censored count behind a function is no missing one; a grade behind one is bleeding not recorded."""
        text = (
            COLUMNS
            + """
            [R]
            kind = "at"
            when = "{}"
            day  = 28
            within = [28, 28]
        """
        )
        fall = text.replace("{}", "platelets <= 0.5 * previous(platelets)")
        assert not wrong(
            fall,
            """
            timeline         | value | reason         | because
            d7 <100, d28 60  | N     | platelets      | 60 is above half of anything below 100
            d7 <100, d28 20  | NE    | censored_count | it may be half, or not
            d7 >100, d28 50  | Y     | met            | half of 100, and of more
            d7 <100, d28 <40 | NE    | censored_count | neither is known
            d28 60           | NE    | not_recorded   | none before
            """,
        )
        bled = text.replace("{}", "previous(bleeding_grade) >= 1 and platelets <= 0.5 * previous(platelets)")
        assert not wrong(
            bled,
            """
            timeline                 | value | reason                | because
            d7 60 bleed ?, d28 20    | NE    | bleeding_not_recorded | of the row before
            d7 <100 bleed ?, d28 20  | NE    | censored_count        | not met if it was below 40, else unknown
            d7 <30 bleed ?, d28 20   | N     | platelets             | above half of anything below 30
            """,
        )

    def test_a_censored_count_behind_a_function_is_not_completed(self):
        """The count of the row is completed; the same count behind the function keeps its bounds."""
        text = '[R]\nkind = "at"\nwhen = "platelets >= lowest(platelets)"\nday = 28\nwithin = [28, 28]\n'
        assert not wrong(
            text,
            """
            timeline        | value | reason         | because
            d7 20, d28 <50  | NE    | censored_count | it may be below 20, where the lowest may be lower still
            d7 20, d28 >30  | Y     | met            | above 20 in any case
            """,
        )

    def test_a_baseline_beside_a_value_at_another_row(self):
        """A censored baseline is completed where a comparison with such a value turns."""
        text = COLUMNS + '[R]\nkind = "at"\nwhen = "baseline < 2 * previous(dose)"\nday = 28\nwithin = [28, 28]\n'
        assert not wrong(
            text,
            """
            timeline              | baseline | value | reason         | because
            d7 9 dose=4, d28 50   | <10      | NE    | censored_count | 8 lies among what is below 10
            d7 9 dose=5, d28 50   | <10      | Y     | met            | all of it lies below 10
            """,
        )

    def test_a_column_that_is_not_there(self):
        criteria = criteria_of(COLUMNS + '[R]\nkind = "achieved"\nwhen = "previous(dose) > 1"\n')
        with pytest.raises(CohortError, match="needs the column 'dose' of the visits"):
            classify(cohort_of(["d0 15, d7 30"]), criteria=criteria)


class TestOfIncompleteData:
    """Partial dates and excluded records: a result is given where it is the same whatever they may have been."""

    FELL = criteria_of(
        '[fell]\nkind = "at"\nwhen = "platelets <= 0.5 * previous(platelets)"\nday = 45\nwithin = [45, 45]\n'
    )
    ENROLLED = ({"patient_id": "P", "enrolment_date": "2019-01-01"},)

    def fell(self, *counts, **options):
        """The result and its reason, of counts by their dates."""
        visits = [{"patient_id": "P", "date": date, "platelets": count} for date, count in counts]
        study = classify(visits, list(self.ENROLLED), self.FELL, options=ReadOptions(**options))
        return study.frame().select("fell", "fell_reason").row(0)

    @pytest.mark.parametrize(
        ("between", "expected"),
        [
            ([("2019-01", 100), ("2019-01-20", 90)], ("Y", "met")),  # whichever of them was the last
            ([("2019-01", 100), ("2019-01-20", 50)], ("NE", "partial_date")),  # 100 if it came after day 19
            ([("2019-01", 100), ("2019-02-01", 50)], ("N", "platelets")),  # it did not come last
        ],
    )
    def test_partial_dates(self, between, expected):
        """The order of the rows, and with it which is the previous one, differs from completion to completion."""
        assert self.fell(("2019-01-01", 15), *between, ("2019-02-15", 45)) == expected

    @pytest.mark.parametrize(
        ("between", "expected"),
        [
            ([("2019-01-10", "4o")], ("NE", "unreadable")),
            ([("2019-01-10", "4o"), ("2019-01-20", 100)], ("Y", "met")),
        ],
    )
    def test_excluded_counts(self, between, expected):
        counts = (("2019-01-01", 15), *between, ("2019-02-15", 45))
        assert self.fell(*counts, on_error="quarantine") == expected


class TestExplained:
    """What explanations say of the values at other rows."""

    @staticmethod
    def checker():
        """What does not agree, as the checker of certificates says it."""
        module = {"__name__": "certificate_checker"}
        exec(compile(CHECKER.read_text(), str(CHECKER), "exec"), module)
        return module["checked"]

    @staticmethod
    def means(timeline, rule, endpoint="R"):
        """What each row of a timeline did for an endpoint with that state."""
        criteria = criteria_of(COLUMNS + f'[{endpoint}]\nkind = "achieved"\nwhen = "{rule}"\n')
        (explanation,) = explain(
            classify(cohort_of([timeline], columns=criteria.file.columns, ids=["P"]), criteria=criteria), patient="P"
        )
        return [row.means for row in explanation.rows], explanation.missing

    def test_the_value_and_its_day(self):
        """Of a row that qualifies with what it is; of one that fails after its clause; unknown where it is not."""
        rows, _ = self.means("d0 15, d7 40, d14 60", "platelets >= 2 * previous(platelets)")
        assert rows == [
            "unknown: the previous count not known",
            "qualifies (the previous count: 15 on day 0); starts here",
            "after it was met",
        ]
        rows, _ = self.means("d0 15, d7 20", "platelets >= 2 * previous(platelets)")
        assert rows[1] == "fails: a count below twice the previous count (15 on day 0)"

    def test_several_values_and_the_own_one(self):
        rows, missing = self.means(
            "d0 15 dose=3, d7 40 dose=5, d14 60", "dose - lowest(dose, '7 days') >= 1 and dose > at_baseline(dose)"
        )
        assert rows == [
            "fails: dose minus the lowest dose of the last 7 days below 1 (3 on day 0 and 3 on day 0)",
            "qualifies (dose: 5 on day 7, the lowest dose of the last 7 days: 3 on day 0 and the dose at baseline: 3 on "
            "day 0); starts here",
            "after it was met",
        ]
        assert missing == ""

    def test_a_censored_count_elsewhere(self):
        """Every censored count is named, and with which of them the result would be what."""
        rows, missing = self.means("d0 >100, d28 60, d364 60", "platelets <= 0.5 * highest(platelets)")
        assert rows[1] == "unknown: the highest count since day 0 censored"
        assert missing == "the count of day 0, which is only >100: N if it is below 120, Y if it is at least 120"

    def test_what_is_missing(self):
        rows, missing = self.means("d1 15 dose=3, d364 40 dose=5", "dose > at_baseline(dose)")
        assert rows == ["unknown: the dose at baseline not known"] * 2
        assert missing == "the dose at baseline, for the result on days 1 and 364"

    def test_as_data(self):
        """In the results of clauses, and so in certificates: each value as written, as seen from each row."""
        criteria = criteria_of('[R]\nkind = "achieved"\nwhen = "platelets >= 2 * lowest(platelets)"\n')
        (verdict,) = clause_results("d0 15, d7 <10, d14 60", criteria)["verdicts"]
        assert verdict["rules"][0]["clauses"][0]["other_rows"] == [
            {
                "value": "lowest(platelets)",
                "words": "the lowest count since day 0",
                "at": [15, [0, pytest.approx(10)], [0, pytest.approx(10)]],
                "days": [[0], [7], [7]],
            }
        ]

    def test_the_checker_of_certificates_agrees(self):
        """And says so where a value was changed."""
        study = [{"patient_id": "P", "day": day, "platelets": count} for day, count in ((0, 15), (7, 80), (14, 40))]
        rules = [f"platelets <= {function}" for function in ("previous(platelets)", "highest(platelets, '1 week')")]
        for rule in (*rules, "at_baseline(platelets) < first(platelets) + 1", "platelets > lowest(platelets)"):
            criteria = criteria_of(f'[R]\nkind = "achieved"\nwhen = "{rule}"\n')
            made = certificate(study, criteria=criteria, patient="P", counterfactuals=False)
            assert list(self.checker()(json.loads(json.dumps(made)), {})) == []
            made["verdicts"][0]["rules"][0]["clauses"][0]["other_rows"][0]["at"][-1] = 1
            assert [said for said in self.checker()(made, {}) if "is not what is said" in said] != []

    def test_bounds_of_a_declared_number(self):
        """They have no completions, so that nothing is said of counts; the checker reads them as well."""
        criteria = criteria_of(COLUMNS + '[R]\nkind = "achieved"\nwhen = "dose > lowest(dose)"\n')
        days = zip((0, 28, 364), ("<30", 50, 20), strict=True)
        study = [{"patient_id": "P", "day": day, "platelets": 15, "dose": dose} for day, dose in days]
        made = certificate(study, criteria=criteria, patient="P", counterfactuals=False)
        below_30 = ["-inf", pytest.approx(30)]
        values = made["verdicts"][0]["rules"][0]["clauses"][0]["other_rows"][0]
        assert values["at"] == [below_30, below_30, ["-inf", 20]]
        assert list(self.checker()(json.loads(json.dumps(made)), {})) == []
        (explanation,) = explain(classify(study, criteria=criteria), patient="P")
        values = "dose: 50 on day 28 and the lowest dose since day 0: <30 on day 0"
        assert (explanation.value, explanation.rows[1].means) == ("Y", f"qualifies ({values}); starts here")

    def test_intercurrent_events(self):
        """A function of a declared column names the column, which may stand for such an event."""
        criteria = criteria_of(COLUMNS + '[R]\nkind = "achieved"\nwhen = "previous(dose) > 1"\n')
        assert strategy_of(criteria.file, "R", "rescue") == ""
        criteria = criteria_of('[R]\nkind = "achieved"\nwhen = "previous(platelets) > 1"\n')
        assert strategy_of(criteria.file, "R", "rescue") == "treatment policy"

    def test_counterfactuals(self):
        """A count on another row is tried as well."""
        criteria = criteria_of(
            '[R]\nkind = "at"\nwhen = "platelets <= previous(platelets) - 30"\nday = 28\nwithin = [28, 28]\n'
        )
        misses = near_misses(classify(cohort_of(["d7 40, d28 20"]), criteria=criteria)).frame()
        assert misses.select("says", "clause").rows() == [
            ("a count of 50 instead of 40 on day 7", "a count of at most the previous count minus 30")
        ]


class TestAgainstALoop:
    """A law: in columns, for any rows, the values are what a loop over the rows of one patient finds."""

    LENGTHS = (None, 1, 6, 7, 56)

    @settings(max_examples=60)
    @given(st.data())
    def test_every_function(self, data):
        patients = data.draw(st.lists(st.dictionaries(st.integers(-9, 20), _cells(), max_size=9), max_size=4))
        first = data.draw(st.integers(-9, 3))
        days = (first, data.draw(st.integers(first, 9)))
        head = HEAD.replace("days = [-28, 0]", f"days = {list(days)}")
        patient_days = patient_days_of(criteria_of(ANY, head), _cohort(patients), 0, len(patients))
        for function in ("previous", "first", "highest", "lowest", "at_baseline"):
            for length in self.LENGTHS if function in ("highest", "lowest") else (None,):
                last = "" if length is None else f", '{length} days'"
                written = f"{function}(platelets{last})"
                values = numbers(parse_expression(written, NAMES), patient_days)
                found = [
                    None if math.isnan(low) else (low, high)
                    for low, high in zip(values.low.tolist(), values.high.tolist(), strict=True)
                ]
                assert found == [
                    _looped(function, length, days, observed, day) for observed in patients for day in sorted(observed)
                ], written


def _cells():
    """No count, an exact one or the bounds of one."""
    exact = st.integers(0, 9).map(lambda count: (float(count), float(count)))
    bounds = st.tuples(st.integers(0, 5), st.sampled_from([5, 9, math.inf])).map(lambda pair: tuple(map(float, pair)))
    return st.one_of(st.none(), exact, exact, bounds)


def _looped(function, length, baseline, observed, today):
    """The bounds that a function gives on a day of one patient; `observed` has the bounds of each day."""
    days = [day for day in sorted(observed) if observed[day] is not None]
    if function == "previous":
        days = [day for day in days if day < today][-1:]
    elif function == "at_baseline":
        days = [day for day in days if baseline[0] <= day <= baseline[1]][-1:]
    else:
        earliest = 0 if length is None else today - length
        days = [day for day in days if earliest <= day <= today]
    if not days:
        return None
    lows, highs = [observed[day][0] for day in days], [observed[day][1] for day in days]
    if function in ("highest", "lowest"):
        pick = max if function == "highest" else min
        return pick(lows), pick(highs)
    return lows[0], highs[0]


def _cohort(patients):
    nothing = (math.nan, math.nan)
    rows = [(number, day, *(one[day] or nothing)) for number, one in enumerate(patients) for day in one]
    number, day, low, high = np.array(rows).reshape(-1, 4).T
    size = len(rows)
    observations = Observations(
        patient=number.astype(np.int64),
        day=day.astype(np.int64),
        platelets=Numbers(low, high),
        bleeding_grade=np.full(size, np.nan),
        rescue=np.zeros(size, dtype=np.bool_),
        rescue_end=np.zeros(size, dtype=np.int64),
        source_row=np.arange(size),
    )
    return build(
        Patients(pl.Series([f"P{position}" for position in range(len(patients))], dtype=pl.String)), observations
    )
