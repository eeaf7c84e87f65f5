"""Days that depend on the patient: wherever a key takes a day, a number of the patient may stand."""

import pytest
from worked import HEAD, criteria_of, wrong

from itp_response.classification.classification import classify
from itp_response.cohort.notation import cohort_of
from itp_response.explanation.ask import ask
from itp_response.messages.errors import CohortError, CriteriaError

COLUMNS = """
    [columns]
    landmark = { type = "number", table = "patients" }
    moved    = { type = "number", table = "patients", empty = inf }
    weight   = { type = "number", table = "visits" }
    site     = { type = "text", table = "patients" }
"""
RESPONSE = """
    [R]
    kind = "achieved"
    when = "platelets >= 50"
"""


def decided(text, table):
    return wrong(COLUMNS + text, table)


class TestEachKey:
    """The patient's value stands in the place of the day."""

    def test_the_landmark_and_its_window(self):
        assert not decided(
            """
            [L]
            kind   = "at"
            when   = "platelets >= 50"
            day    = "landmark"
            within = ["landmark - 7", "landmark + 7"]
            """,
            """
            timeline                | landmark | value | day | reason       | because
            d84 60, d112 20         | 84       | Y     | 84  | met          | his landmark is day 84
            d84 60, d112 20         | 112      | N     |     | platelets    | hers is day 112
            d77 60, d84 20          | 84       | N     |     | platelets    | the nearest to it
            d77 60                  | 84       | Y     | 77  | met          | seven days before will do
            d76 60                  | 84       | NE    |     | no_counts    | eight will not
            d91 60                  | 84       | Y     | 91  | met          | nor after
            d92 60                  | 84       | NE    |     | no_counts    | eight after
            d84 60                  |          | NE    |     | not_recorded | it is not known
            d-3 60                  | -3       | Y     | -3  | met          | before day 0 too
            """,
        )

    def test_both_ends_of_days(self):
        assert not decided(
            RESPONSE + 'days = ["landmark", "landmark + 7.5"]\nfollowed_from = 100',
            """
            timeline        | landmark | value | day | reason          | because
            d27 60, d100 20 | 28       | N     |     | never_reached   | the day before
            d28 60, d100 20 | 28       | Y     | 28  | met             | the first day
            d35 60, d100 20 | 28       | Y     | 35  | met             | the last whole day
            d36 60, d100 20 | 28       | N     |     | never_reached   | the day after
            d28 20, d99 20  | 28       | NE    |     | follow_up_ended | as ever
            d28 60, d100 20 | 27.5     | Y     | 28  | met             | a fraction, as in a file
            d28 60, d100 20 |          | NE    |     | not_recorded    | it is not known
            """,
        )

    def test_a_window_that_ends_before_it_begins_is_empty(self):
        assert not decided(
            RESPONSE + 'days = [28, "treatment_discontinued"]\nfollowed_from = 100',
            """
            timeline        | discontinued | value | day | reason        | because
            d28 60, d100 60 | 28           | Y     | 28  | met           | one day
            d28 60, d100 60 | 27           | N     |     | never_reached | no day
            d28 20, d99 60  |              | Y     | 99  | met           | no end
            """,
        )

    def test_the_end_of_follow_up(self):
        assert not decided(
            RESPONSE + 'followed_from = "moved"',
            """
            timeline | moved | value | reason          | because
            d28 20   | 28    | N     | never_reached   | followed to hers
            d28 20   | 29    | NE    | follow_up_ended | not to his
            d28 20   |       | NE    | follow_up_ended | it never comes
            """,
        )

    def test_maintained(self):
        assert not decided(
            RESPONSE
            + """
            [K]
            kind        = "maintained"
            from        = "R"
            when        = "platelets >= 30"
            for         = "28 days"
            by          = "landmark"
            evidence_by = "landmark + 7"
            """,
            """
            timeline      | landmark | value | day | reason          | because
            d0 60, d28 40 | 28       | Y     | 28  | met             | ends on the last day
            d0 60, d28 40 | 27       | N     |     | too_late        | a day too late
            d0 60, d35 40 | 28       | Y     | 35  | met             | shown in time
            d0 60, d36 40 | 28       | NE    |     | no_counts       | shown too late
            d0 60, d28 40 |          | NE    |     | not_recorded    | not known
            d0 20, d28 40 |          | NE    |     | follow_up_ended | what it starts from goes before
            """,
        )

    def test_until_a_window(self):
        assert not decided(
            RESPONSE
            + """
            [K]
            kind  = "maintained"
            from  = "R"
            when  = "platelets >= 30"
            until = ["landmark", "landmark + 7"]
            """,
            """
            timeline              | landmark | value | day | reason    | because
            d0 60, d28 40, d36 20 | 28       | Y     | 28  | met       | kept to the window
            d0 60, d28 40, d35 20 | 28       | N     |     | platelets | fails in it
            d0 60, d28 40, d36 20 | 36       | N     |     | platelets | fails in hers
            """,
        )

    def test_lost_by(self):
        assert not decided(
            RESPONSE + '[X]\nkind = "lost"\nafter = "R"\nwhen = "platelets < 30"\nby = "landmark"',
            """
            timeline               | landmark | value | day | reason       | because
            d0 60, d28 20, d364 60 | 28       | Y     | 28  | platelets    | on the last day
            d0 60, d28 20, d364 60 | 27       | N     |     | not_lost     | after it
            d0 60, d28 20, d364 60 |          | NE    |     | not_recorded | not known
            """,
        )

    def test_time_to_by(self):
        assert not decided(
            RESPONSE + '[T]\nkind = "time_to"\nto = "R"\ncensored = "last_count"\nby = "landmark"',
            """
            timeline      | landmark | days | event | because
            d0 20, d28 20 | 28       | 28   | 0     | censored at the last count
            d0 20, d28 20 | 27       | 0    | 0     | by his day
            d0 20, d28 20 |          |      |       | not known
            """,
        )

    def test_extent(self):
        assert not decided(
            '[E]\nkind = "extent"\nwhen = "platelets >= 50"\ndays = [1, "treatment_discontinued"]',
            """
            timeline      | discontinued | E_days | E_of_days | because
            d1 60, d10 60 | 5            | 5      | 5         | to the day on which she stopped
            d1 60, d10 60 |              | 10     | 10        | to the last count
            d1 60, d10 60 | 0            |        |           | no day at all
            """,
        )

    def test_days_of_visits_without_a_plan(self):
        assert not decided(
            '[V]\nkind = "visits"\nwhen = "platelets >= 50"\ndays = [1, "landmark"]\nshare = "1/2"',
            """
            timeline       | landmark | value | reason       | because
            d7 60, d14 20  | 14       | Y     | met          | one of two
            d7 60, d14 20  | 7        | Y     | met          | one of one
            d7 20, d14 60  | 7        | N     | too_few_met  | none of one
            d7 60          |          | NE    | not_recorded | not known
            """,
        )


class TestPlannedVisits:
    """An entry of `visits`: a single day, which must be there."""

    PAIR = '[V]\nkind = "visits"\nwhen = "platelets >= 50"\nvisits = ["landmark - 7", "landmark"]\nwithin = 3\nat_least = 2'

    def test_the_patients_own(self):
        assert not decided(
            self.PAIR,
            """
            timeline               | landmark | value | day | reason       | because
            d77 60, d84 60, d112 20 | 84      | Y     | 84  | met          | weeks 11 and 12
            d77 60, d84 60, d112 20 | 112     | N     |     | too_few_met  | weeks 15 and 16
            d80 60, d87 60          | 84      | Y     | 87  | met          | three days late
            d81 60, d87 60          | 84      | N     |     | too_few_met  | the first is that of neither
            d77 60, d84 60          |         | NE    |     | not_recorded | not known
            """,
        )

    def test_one_that_never_comes_is_not_known(self):
        assert not decided(
            '[V]\nkind = "visits"\nwhen = "platelets >= 50"\nvisits = [7, "moved"]\nat_least = 1',
            """
            timeline | moved | value | reason       | because
            d7 60    | 28    | Y     | met          | planned
            d7 60    |       | NE    | not_recorded | never planned
            """,
        )

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"landmark": 84.5}, "patient B: 'landmark' is day 84.5, not a whole day, .* correct 'landmark'"),
            ({"landmark": 40000}, "patient B: 'landmark' is day 40000, farther than 36,525 days from day 0"),
            ({"landmark": 10}, "patient B: the planned visits 7, landmark are on days 7, 10, which must ascend"),
            ({"landmark": 3}, "patient B: the planned visits 7, landmark are on days 7, 3, which must ascend"),
        ],
    )
    def test_a_value_that_is_no_day_is_an_error_that_names_the_patient(self, values, message):
        text = '[V]\nkind = "visits"\nwhen = "platelets >= 50"\nvisits = [7, "landmark"]\nwithin = 3\nat_least = 1'
        criteria = criteria_of(COLUMNS + text)
        patients = [{"landmark": 84}, values]
        cohort = cohort_of(["d7 60", "d7 60"], ids=["A", "B"], columns=criteria.file.columns, patient=patients)

        with pytest.raises(CohortError, match=message):
            classify(cohort, criteria=criteria)


class TestWhatAFileMayWrite:
    @pytest.mark.parametrize(
        ("keys", "message"),
        [
            ('days = [1, "landmrk"]', r"line \d+: \[R\] days: 'landmrk' is not a number .* Did you mean 'landmark'\?"),
            (
                'days = [1, "weight"]',
                r"'weight' is not a number of the patient; known: treatment_discontinued, landmark, moved",
            ),
            ('days = [1, "site"]', r"'site' is not a number of the patient"),
            ('days = [1, "baseline"]', r"'baseline' is not a number of the patient"),
            (
                'days = [1, "landmark +"]',
                r"'landmark \+' is not a day; write a number of days, or a number of the patient",
            ),
            ('days = ["landmark + 7", "landmark"]', r"the first day, landmark \+ 7, is after the last, landmark"),
            ("days = [1, true]", r"days"),
        ],
    )
    def test_errors_have_the_line_and_the_cure(self, keys, message):
        with pytest.raises(CriteriaError, match=message):
            criteria_of(COLUMNS + RESPONSE + keys)

    def test_a_landmark_is_a_whole_day_in_its_window(self):
        at = '[L]\nkind = "at"\nwhen = "platelets >= 50"\nday = "{}"\nwithin = ["landmark - 7", "landmark + 7"]'
        with pytest.raises(CriteriaError, match=r"'landmark \+ 0.5' is not a whole day"):
            criteria_of(COLUMNS + at.format("landmark + 0.5"))
        with pytest.raises(CriteriaError, match="'day' must lie within 'within'"):
            criteria_of(COLUMNS + at.format("landmark + 8"))

    def test_in_words(self):
        at = '[L]\nkind = "at"\nwhen = "platelets >= 50"\nday = "landmark"\nwithin = ["landmark - 7", "landmark + 1"]'
        criteria = criteria_of(COLUMNS + at)

        assert criteria.sentences["L"] == (
            "Requires a count of at least 50 at the day of landmark, assessed by the nearest count from 7 days before "
            "landmark to 1 day after landmark."
        )


def test_the_explanation_says_which_day_is_missing(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(
        HEAD + (COLUMNS + RESPONSE + 'days = [1, "landmark"]').replace("    kind", 'label = "-"\nsays = "-"\nkind')
    )
    (explanation,) = ask("d0 15, d28 60", str(path))

    assert explanation.verdict == "NE (missing data)"
    assert explanation.missing == "the patient's landmark"
    assert {row.means for row in explanation.rows} == {"not used: the patient's landmark is not known"}
