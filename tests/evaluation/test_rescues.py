"""Rescues: classes of rescue treatment, by the names recorded, as rules use them."""

import pytest
from worked import HEAD, criteria_of, patient_of, wrong

from itp_response.messages.errors import CriteriaError
from itp_response.validation.literal import Observation, Patient

CLASSES = """
    [rescues]
    transfusion    = ["Platelets", "platelet transfusion"]
    immunoglobulin = ["IVIg", "anti-D"]
    blood_product  = ["platelets", "ivig"]
"""
STATE = (
    CLASSES
    + """
    [at_28]
    kind   = "at"
    day    = 28
    within = [28, 28]
    when   = "{}"
    """
)


def test_the_names_are_told():
    """The literal reading sees what the timeline says."""
    criteria = criteria_of(STATE.format("platelets >= 30"))
    line = {"timeline": "d3 rescue IVIg to d5, d6 40 bleed 1 rescue platelets, d7 rescue to d8, d9 60"}

    assert patient_of(line, criteria) == Patient(
        (
            Observation(3, None, 0, rescue=True, rescue_end=5, rescue_name="IVIg"),
            Observation(6, "40", 1, rescue=True, rescue_name="platelets"),
            Observation(7, None, 0, rescue=True, rescue_end=8),
            Observation(9, "60", 0),
        )
    )


class TestBegins:
    """The name of a class is true on a day on which a treatment of the class begins."""

    @pytest.mark.parametrize(
        ("rule", "transfused", "infused", "other", "unnamed", "none"),
        [
            ("transfusion", "Y", "N", "N", "N", "N"),
            ("immunoglobulin", "N", "Y", "N", "N", "N"),
            ("blood_product", "Y", "Y", "N", "N", "N"),
            ("rescue", "Y", "Y", "Y", "Y", "N"),
            ("not transfusion", "N", "Y", "Y", "Y", "Y"),
            ("transfusion and immunoglobulin", "N", "N", "N", "N", "N"),
            ("rescue and not blood_product", "N", "N", "Y", "Y", "N"),
        ],
    )
    def test_which(self, rule, transfused, infused, other, unnamed, none):
        """A name that no class lists, or none at all, is of no class but is rescue; one may be of two."""
        assert not wrong(
            STATE.format(rule),
            f"""
            timeline                    | value
            d28 60 rescue platelets     | {transfused}
            d28 60 rescue IVIg          | {infused}
            d28 60 rescue dexamethasone | {other}
            d28 60 rescue               | {unnamed}
            d28 60                      | {none}
            d27 rescue platelets, d28 60 | {none}
            d28 60, d29 rescue IVIg      | {none}
            d20 rescue IVIg to d40, d28 60 | {none}
            """,
        )

    @pytest.mark.parametrize("name", ["platelets", "Platelets", "PLATELETS", "pLaTeLeTs"])
    def test_case_aside(self, name):
        """As recorded, and as the class lists it."""
        assert not wrong(
            STATE.format("transfusion"),
            f"""
            timeline              | value
            d28 60 rescue {name}  | Y
            """,
        )
        assert not wrong(
            STATE.replace('"Platelets"', f'"{name}"').format("transfusion"),
            """
            timeline                | value
            d28 60 rescue PLATElets | Y
            """,
        )

    @pytest.mark.parametrize("name", ["platelet", "plateletss", "IVIg", "transfusion"])
    def test_the_whole_name(self, name):
        """Not a part of it, not the name of the class."""
        assert not wrong(
            STATE.format("transfusion"),
            f"""
            timeline              | value | reason
            d28 60 rescue {name}  | N     | transfusion
            """,
        )

    def test_several_of_a_day(self):
        """Each is of its own class."""
        assert not wrong(
            STATE.format("transfusion and immunoglobulin"),
            """
            timeline                                      | value | reason
            d28 60 rescue IVIg, d28 rescue platelets      | Y     | met
            d28 rescue platelets, d28 60, d28 rescue IVIg | Y     | met
            d28 60 rescue IVIg, d28 rescue IVIg           | N     | transfusion
            d28 60 rescue platelets, d28 rescue           | N     | immunoglobulin
            d28 60 rescue platelets, d27 rescue IVIg      | N     | immunoglobulin
            """,
        )

    def test_never_unknown(self):
        """Where nothing is recorded none began."""
        assert not wrong(
            STATE.format("not transfusion and platelets >= 30"),
            """
            timeline       | value | reason
            d28 60         | Y     | met
            d28 60 bleed ? | Y     | met
            d28 <50        | NE    | censored_count
            """,
        )


class TestDaysSince:
    """`days_since_<class>`: as `days_since_rescue`, of that class alone."""

    @pytest.mark.parametrize(
        ("timeline", "transfusion", "immunoglobulin", "rescue"),
        [
            ("d21 rescue platelets, d28 60", 7, "inf", 7),
            ("d21 rescue IVIg, d28 60", "inf", 7, 7),
            ("d21 rescue dexamethasone, d28 60", "inf", "inf", 7),
            ("d21 rescue, d28 60", "inf", "inf", 7),
            ("d28 60", "inf", "inf", "inf"),
            ("d28 60 rescue platelets", "inf", "inf", "inf"),
            ("d29 rescue platelets, d28 60", "inf", "inf", "inf"),
            ("d21 rescue platelets, d24 rescue IVIg, d28 60", 7, 4, 4),
            ("d21 rescue platelets, d28 60 rescue platelets", 7, "inf", 7),
            ("d21 rescue platelets, d24 rescue platelets, d28 60", 4, "inf", 4),
            ("d10 rescue platelets to d25, d20 rescue platelets, d28 60", 3, "inf", 3),
            ("d10 rescue platelets to d25, d20 rescue IVIg, d28 60", 3, 8, 3),
            ("d10 rescue platelets to d28, d28 60", 0, "inf", 0),
            ("d10 rescue platelets to d30, d20 rescue IVIg, d28 60", -2, 8, -2),
            ("d10 rescue IVIg to d30, d20 rescue platelets, d28 60", 8, -2, -2),
            ("d-5 rescue IVIg, d28 60", "inf", 33, 33),
            ("d21 rescue IVIg, d21 rescue platelets to d23, d28 60", 5, 7, 5),
        ],
    )
    def test_days(self, timeline, transfusion, immunoglobulin, rescue):
        """From the latest last day of the courses begun on an earlier day; infinite where none was."""
        for name, days in (("transfusion", transfusion), ("immunoglobulin", immunoglobulin), ("rescue", rescue)):
            since = f"days_since_{name}"
            rule = f"{since} > 100000" if days == "inf" else f"{since} <= {days} and {since} >= {days}"
            assert not wrong(STATE.format(rule), f"timeline | value\n{timeline} | Y"), name

    def test_of_a_name_in_two_classes(self):
        """It counts for both."""
        assert not wrong(
            STATE.format("days_since_blood_product == 4 and days_since_immunoglobulin == 7"),
            """
            timeline                                      | value
            d21 rescue IVIg, d24 rescue Platelets, d28 60 | Y
            d21 rescue IVIg, d28 60                       | N
            d21 rescue IVIg, d24 rescue anti-D, d28 60    | N
            """,
        )

    def test_of_others(self):
        """The treatment of the patient before does not count."""
        assert not wrong(
            STATE.format("days_since_transfusion <= 20"),
            """
            timeline                      | value
            d28 60                        | N
            d10 rescue platelets, d28 60  | Y
            d28 60                        | N
            d10 rescue IVIg, d28 60       | N
            d8 rescue platelets, d28 60   | Y
            d7 rescue platelets, d28 60   | N
            """,
        )


class TestWashout:
    """Wash-out by class: `discount` with `days_since_<class>`."""

    RESPONSE = (
        CLASSES
        + """
        [terms]
        washout = "days_since_transfusion <= 7 or days_since_immunoglobulin <= 28"
        [R]
        kind      = "achieved"
        when      = "platelets >= 30"
        days      = [1, 365]
        discount  = "washout"
        """
    )

    def test_its_own_length_for_each(self):
        """A week after a transfusion, four after immunoglobulin, none after what is of no class."""
        assert not wrong(
            self.RESPONSE,
            """
            timeline                                                     | value | day | reason
            d7 rescue platelets, d14 60, d364 5                          | N     |     | discounted
            d7 rescue platelets, d15 60, d364 5                          | Y     | 15  | met
            d7 rescue IVIg, d35 60, d364 5                               | N     |     | discounted
            d7 rescue IVIg, d36 60, d364 5                               | Y     | 36  | met
            d7 rescue dexamethasone, d8 60, d364 5                       | Y     | 8   | met
            d7 rescue, d8 60, d364 5                                     | Y     | 8   | met
            d7 60 rescue IVIg, d364 5                                    | Y     | 7   | met
            d7 rescue IVIg, d30 rescue platelets, d37 60, d364 5         | N     |     | discounted
            d7 rescue IVIg, d30 rescue platelets, d38 60, d364 5         | Y     | 38  | met
            d7 rescue IVIg to d10, d38 60, d364 5                        | N     |     | discounted
            d7 rescue IVIg to d10, d39 60, d364 5                        | Y     | 39  | met
            """,
        )

    def test_of_visits_and_of_time(self):
        """The same for other kinds."""
        assert not wrong(
            self.RESPONSE
            + """
            [on]
            kind     = "visits"
            when     = "platelets >= 30"
            visits   = [28, 42]
            at_least = 2
            discount = "washout"
            """,
            """
            timeline                             | value | day
            d21 rescue IVIg, d28 60, d42 60      | N     |
            d21 rescue platelets, d28 60, d42 60 | N     |
            d20 rescue platelets, d28 60, d42 60 | Y     | 42
            d20 rescue IVIg, d28 60, d42 60      | N     |
            """,
        )


class TestClosing:
    """Closing by class: `closed_by` with a class; the reason is the class, or the term."""

    def test_achieved(self):
        """The other classes close nothing."""
        closed = """
            [R]
            kind      = "achieved"
            when      = "platelets >= 100"
            days      = [1, 365]
            closed_by = "{}"
            """
        assert not wrong(
            CLASSES + closed.format("transfusion"),
            """
            timeline                                            | value | ended | reason
            d7 rescue platelets, d14 120                        | N     | 7     | transfusion
            d7 rescue IVIg, d14 120                             | Y     |       | met
            d7 rescue, d14 120                                  | Y     |       | met
            d7 rescue IVIg, d9 rescue PLATELETS, d14 120        | N     | 9     | transfusion
            d14 120 rescue platelets                            | N     | 14    | transfusion
            """,
        )
        assert not wrong(
            CLASSES + closed.format("day >= 14 and immunoglobulin or transfusion"),
            """
            timeline                      | value | ended | reason
            d13 rescue IVIg, d20 120      | Y     |       | met
            d14 rescue IVIg, d20 120      | N     | 14    | immunoglobulin
            d13 rescue platelets, d20 120 | N     | 13    | immunoglobulin
            """,
        )
        assert not wrong(
            CLASSES + '[terms]\nlate_infusion = "immunoglobulin and day >= 14"' + closed.format("late_infusion"),
            """
            timeline                      | value | ended | reason
            d13 rescue IVIg, d20 120      | Y     |       | met
            d14 rescue anti-D, d20 120    | N     | 14    | late_infusion
            """,
        )
        assert not wrong(
            CLASSES + closed.format("0 < days_since_immunoglobulin <= 7"),
            """
            timeline                         | value | ended | reason
            d7 rescue IVIg, d14 5, d20 120   | N     | 14    | immunoglobulin
            d7 rescue IVIg, d15 5, d20 120   | Y     |       | met
            """,
        )

    def test_at_and_visits(self):
        """As any other rule."""
        assert not wrong(
            STATE.format("platelets >= 30") + 'closed_by = "transfusion"',
            """
            timeline                     | value | ended | reason
            d7 rescue platelets, d28 60  | N     | 7     | transfusion
            d7 rescue IVIg, d28 60       | Y     |       | met
            """,
        )
        assert not wrong(
            CLASSES
            + """
            [on]
            kind      = "visits"
            when      = "platelets >= 30"
            visits    = [28]
            at_least  = 1
            closed_by = "transfusion"
            """,
            """
            timeline                       | value | ended | reason
            d28 60, d300 rescue platelets  | N     | 300   | transfusion
            d28 60, d300 rescue IVIg       | Y     |       | met
            """,
        )


class TestReasons:
    """The reason of what failed or was true is the class, also for the days since."""

    @pytest.mark.parametrize(
        ("rule", "reason"),
        [
            ("platelets >= 30 and not immunoglobulin", "immunoglobulin"),
            ("not immunoglobulin and platelets >= 100", "immunoglobulin"),
            ("platelets >= 30 and days_since_transfusion > 7", "transfusion"),
            ("day > 0 and not (day >= 28 and immunoglobulin) and platelets >= 30", "immunoglobulin"),
            ("not rescue and not immunoglobulin", "rescue"),
            ("transfusion", "transfusion"),
            ("not washed", "transfusion"),
        ],
    )
    def test_what_failed(self, rule, reason):
        """Of the first part that is false."""
        assert not wrong(
            CLASSES
            + f"""
            [terms]
            washed = "days_since_transfusion <= 7 or immunoglobulin"
            [at_28]
            kind   = "at"
            day    = 28
            within = [28, 28]
            when   = "{rule}"
            """,
            f"""
            timeline                                 | value | ended | reason
            d22 rescue platelets, d28 60 rescue IVIg | N     | 28    | {reason}
            """,
        )

    def test_what_ended_a_span(self):
        """Of what was kept, and of a loss."""
        assert not wrong(
            CLASSES
            + """
            [R]
            kind = "achieved"
            when = "platelets >= 30"
            [lost]
            kind  = "lost"
            after = "R"
            when  = "platelets < 30 or transfusion or day >= 30 and immunoglobulin"
            [kept]
            kind = "maintained"
            from = "R"
            when = "platelets >= 30 and not transfusion"
            for  = "28 days"
            """,
            """
            timeline                             | lost | lost_day | lost_reason     | value | ended | reason
            d7 60, d20 rescue platelets, d35 60  | Y    | 20       | transfusion     | N     | 20    | transfusion
            d7 60, d20 rescue IVIg, d35 60       | NE   |          | follow_up_ended | Y     |       | met
            d7 60, d30 rescue IVIg, d35 60       | Y    | 30       | immunoglobulin  | Y     |       | met
            d7 60, d20 5 rescue platelets        | Y    | 20       | platelets       | N     | 20    | platelets
            d7 60 rescue platelets, d35 60       | NE   |          | follow_up_ended | N     | 7     | transfusion
            """,
        )


class TestTheTable:
    """`[rescues]` itself: names of classes are names in rules, and must be free."""

    def test_a_class_of_nothing(self):
        """Nothing is of it."""
        assert not wrong(
            STATE.replace('["Platelets", "platelet transfusion"]', "[]").format("not transfusion"),
            """
            timeline                | value
            d28 60 rescue platelets | Y
            d28 60 rescue           | Y
            """,
        )

    @pytest.mark.parametrize(
        ("table", "terms"),
        [
            ('platelets = ["platelets"]', ""),
            ('rescue = ["platelets"]', ""),
            ('since_day = "platelets"', ""),
            ('transfusion = ["platelets"]', '[terms]\ntransfusion = "rescue"'),
            ('transfusion = ["platelets"]', '[terms]\ndays_since_transfusion = "day"'),
            ('transfusion = ["platelets"]', '[columns]\ntransfusion = { type = "truth", table = "visits" }'),
        ],
    )
    def test_names_that_are_taken(self, table, terms):
        """By the language, a column or a term."""
        with pytest.raises(CriteriaError):
            criteria_of(f'[rescues]\n{table}\n{terms}\n[R]\nkind = "achieved"\nwhen = "platelets >= 30"\n')

    def test_a_class_is_not_known_where_there_is_none(self):
        """Without the table the names are unknown."""
        with pytest.raises(CriteriaError):
            criteria_of(STATE.replace(CLASSES, "").format("transfusion"), HEAD)

    def test_not_of_the_patient(self):
        """They are of rows, so `unless` cannot name them."""
        with pytest.raises(CriteriaError):
            criteria_of(STATE.format("platelets >= 30") + 'unless = "transfusion"')
