"""Where a time to an event is censored, and which events compete with it. Each table is a key at its bounds."""

import pytest
from worked import criteria_of, wrong

from itp_response.classification.classification import classify
from itp_response.cohort.notation import cohort_of
from itp_response.messages.errors import CohortError, CriteriaError

STUDY = """
    [columns]
    end_of_treatment = { type = "number", table = "patients", empty = "unknown" }
    died             = { type = "truth", empty = false }
    splenectomy      = { type = "truth", empty = false }
    [R]
    kind = "achieved"
    when = "platelets >= 30"
    days = [1, 365]
    [lost]
    kind  = "lost"
    after = "R"
    when  = "platelets < 20"
    [rescued]
    kind = "achieved"
    when = "rescue"
    [death]
    kind = "achieved"
    when = "died"
    [spleen_out]
    kind = "achieved"
    when = "splenectomy"
"""


def time(text, start='from = "R"'):
    """The endpoint of a time to loss with these keys."""
    return f'{STUDY}\n[T]\nkind = "time_to"\n{start}\nto = "lost"\n{text}'


class TestARecordedDay:
    """`censored` is a number of the patient: an event after that day is none."""

    def test_of_the_patient_table(self):
        """On the day it is the event; the row that ended it is there only if the day has one."""
        assert not wrong(
            time('censored = "end_of_treatment"'),
            """
            timeline            | end_of_treatment | days | event | onset | ended | because
            d7 60, d50 60       | 40               | 33   | 0     | 7     |       | no row on day 40
            d7 60, d40 60       | 40               | 33   | 0     | 7     | 40    | a row on day 40
            d7 60, d40 5        | 40               | 33   | 1     | 7     | 40    | the same day is the event
            d7 60, d41 5        | 40               | 33   | 0     | 7     |       | a day later is none
            d7 60, d100 60      | 150              | 143  | 0     | 7     |       | after the last count
            d7 60, d41 5        | 40.5             | 33   | 0     | 7     |       | day 40, in which it is
            d7 60, d50 60       | 7                | 0    | 0     | 7     | 7     | the day of the start
            """,
        )

    def test_where_there_is_none(self):
        """Not recorded, or before the start: there is no day to be censored on; the event still counts."""
        assert not wrong(
            time('censored = "end_of_treatment"'),
            """
            timeline       | end_of_treatment | days | event
            d7 60, d50 60  |                  |      |
            d7 60, d50 60  | 6                |      |
            d7 60, d50 5   |                  | 43   | 1
            d7 60, d50 5   | 6                | 43   | 1
            """,
        )

    def test_the_reason_where_there_is_none(self):
        for censored, reason in [
            ('"end_of_treatment"', "not_recorded"),
            ('["end_of_treatment", "rescued"]', "not_recorded"),
        ]:
            criteria = criteria_of(time(f"censored = {censored}"))
            (patient,) = classify(cohort_of(["d7 60"], columns=criteria.file.columns), criteria=criteria).as_dict()[
                "patients"
            ]
            of_time = patient["results"][-1]
            assert (of_time["value"], of_time["reason"]) == ("NE", reason)

    def test_the_end_of_treatment(self):
        """`treatment_discontinued`; infinite where the patient did not discontinue."""
        assert not wrong(
            time('censored = ["treatment_discontinued", "last_count"]'),
            """
            timeline       | discontinued | days | event | ended
            d7 60, d50 60  | 40           | 33   | 0     |
            d7 60, d50 5   | 40           | 33   | 0     |
            d7 60, d50 60  |              | 43   | 0     | 50
            d7 60, d50 5   |              | 43   | 1     | 50
            """,
        )

    def test_a_day_farther_than_days_lie_is_an_error(self):
        criteria = criteria_of(time('censored = "end_of_treatment"'))
        cohort = cohort_of(["d7 60"], columns=criteria.file.columns, patient=[{"end_of_treatment": 40_000}])
        with pytest.raises(CohortError, match="has end_of_treatment = 40000, which the criteria use as a day"):
            classify(cohort, criteria=criteria)


class TestAnEndpoint:
    """`censored` is an endpoint: the day of its `Y`."""

    def test_its_day(self):
        """`NE` is not `Y`: the patient is not censored there."""
        assert not wrong(
            time('censored = "rescued"'),
            """
            timeline                             | days | event | ended | because
            d7 60, d40 60 rescue, d50 60         | 33   | 0     | 40    | censored there
            d7 60, d40 60 rescue, d50 5          | 33   | 0     | 40    | a later loss is none
            d7 60, d40 5 rescue                  | 33   | 1     | 40    | the same day is the event
            d5 rescue, d7 60, d50 60             |      |       |       | before the start
            d7 60, d50 60                        |      |       |       | not rescued
            """,
        )

    def test_the_first_of_a_list(self):
        """The first that the patient has, not the earliest."""
        assert not wrong(
            time('censored = ["end_of_treatment", "rescued", "last_count"]'),
            """
            timeline                      | end_of_treatment | days | event | ended
            d7 60, d40 60 rescue, d60 60  | 50               | 43   | 0     |
            d7 60, d40 60 rescue, d45 5   | 50               | 38   | 1     | 45
            d7 60, d40 60 rescue, d60 60  |                  | 33   | 0     | 40
            d7 60, d60 60                 |                  | 53   | 0     | 60
            d7 60, d60 5                  |                  | 53   | 1     | 60
            d7 60, d40 60 rescue, d60 5   | 6                | 33   | 0     | 40
            """,
        )


class TestBy:
    """`by`: the last day on which a patient is censored; the event may come later, up to the moment itself."""

    def test_a_moment_after_it(self):
        assert not wrong(
            time('censored = ["end_of_treatment", "last_count"]\nby = 100'),
            """
            timeline              | end_of_treatment | days | event | ended | because
            d7 60, d90 60         | 120              | 93   | 0     |       | censored on day 100
            d7 60, d100 60        | 120              | 93   | 0     | 100   | which may have a row
            d7 60, d110 5         | 120              | 103  | 1     | 110   | an event up to the moment
            d7 60, d121 5         | 120              | 93   | 0     |       | none after it
            d110 60, d115 60      | 120              |      |       |       | before the start
            """,
        )

    def test_a_part_of_a_day(self):
        """The last whole day of it."""
        assert not wrong(
            time('censored = "end_of_treatment"\nby = 100.5'),
            """
            timeline | end_of_treatment | days
            d7 60    | 120              | 93
            """,
        )


class TestCompeting:
    """`competing`: the earliest of these before the event ends the time, with its name as the reason."""

    TWO = 'censored = "last_count"\ncompeting = ["death", "spleen_out"]'

    def test_before_the_event(self):
        assert not wrong(
            time(self.TWO),
            """
            timeline                                         | days | event | onset | ended | because
            d7 60, d40 died=yes                              | 33   | 2     | 7     | 40    | after the last count
            d7 60, d40 60 splenectomy=yes, d50 5             | 33   | 2     | 7     | 40    | before the event
            d7 60, d50 5 splenectomy=yes                     | 43   | 1     | 7     | 50    | on its day
            d7 60, d50 5, d51 died=yes                       | 43   | 1     | 7     | 50    | after it
            d5 splenectomy=yes, d7 60, d50 5                 | 43   | 1     | 7     | 50    | before the start
            d7 60 splenectomy=yes, d50 5                     | 0    | 2     | 7     | 7     | on the day of it
            d7 60, d40 splenectomy=yes, d45 died=yes         | 33   | 2     | 7     | 40    | the earlier
            d7 60, d50 60                                    | 43   | 0     | 7     | 50    | neither
            """,
        )

    def test_the_reason_is_the_name(self):
        """Of two on one day it is the first written."""
        criteria = criteria_of(time(self.TWO))
        timelines = ["d7 60, d40 died=yes", "d7 60, d40 splenectomy=yes died=yes", "d7 60, d40 splenectomy=yes"]
        long = classify(cohort_of(timelines, columns=criteria.file.columns), criteria=criteria).long()
        assert long.filter(endpoint="T")["value", "reason", "day", "event"].rows() == [
            ("N", "death", 40, 2),
            ("N", "death", 40, 2),
            ("N", "spleen_out", 40, 2),
        ]

    def test_beside_a_moment(self):
        """On the day of the moment it competes, a day later it does not; a last count is no limit to it."""
        assert not wrong(
            time('censored = ["end_of_treatment", "last_count"]\ncompeting = ["death"]'),
            """
            timeline                       | end_of_treatment | days | event | ended
            d7 60, d40 died=yes            | 40               | 33   | 2     | 40
            d7 60, d41 died=yes            | 40               | 33   | 0     |
            d7 60, d30 died=yes, d35 5     | 40               | 23   | 2     | 30
            d7 60, d41 died=yes            |                  | 34   | 2     | 41
            """,
        )

    def test_beside_by(self):
        """Without an event, not after `by`; before an event that comes later, any day."""
        assert not wrong(
            time('censored = "last_count"\ncompeting = ["death"]\nby = 100'),
            """
            timeline                      | days | event
            d7 60, d100 died=yes          | 93   | 2
            d7 60, d101 died=yes          | 0    | 0
            d7 60, d101 died=yes, d120 5  | 94   | 2
            """,
        )

    def test_without_any_count_from_the_start_on(self):
        """There is a time to the competing event, and else none."""
        assert not wrong(
            time(self.TWO, start="").replace('to = "lost"', 'to = "rescued"'),
            """
            timeline              | days | event
            d-3 12, d40 died=yes  | 40   | 2
            d-3 12                |      |
            """,
        )

    def test_what_follow_up_leaves_open_has_not_happened(self):
        """`death` is `NE` before the last day: the patient is censored all the same."""
        assert not wrong(
            time(self.TWO),
            """
            timeline      | death | days | event
            d7 60, d50 60 | NE    | 43   | 0
            d7 60, d50 5  | NE    | 43   | 1
            """,
        )

    def test_a_censored_count_can_decide_which(self):
        """The loss before death, or death alone: what differs among the counts that it may have been is not known."""
        assert not wrong(
            time(self.TWO),
            """
            timeline                          | days | event
            d7 60, d30 <50, d40 died=yes      |      |
            d7 60, d30 <20, d40 died=yes      | 23   | 1
            d7 60, d30 >40, d40 died=yes      | 33   | 2
            """,
        )


class TestWrongKeys:
    """What is no moment, or cannot compete, is refused with its place and a cure."""

    @pytest.mark.parametrize(
        ("keys", "problem"),
        [
            ('censored = "end"', r"\[T\] censored: unknown moment 'end'; known: last_count, "),
            ('censored = "died"', r"\[T\] censored: unknown moment 'died'"),
            ('censored = "baseline"', r"\[T\] censored: unknown moment 'baseline'"),
            ("censored = 5", r"\[T\] censored: 5 is not a moment; write 'last_count'"),
            ("censored = []", r"\[T\] censored: \[\] is not a moment"),
            ('censored = ["last_count", "last_count"]', "'last_count' is present twice in the list"),
            ('competing = ["death"]', "'competing' requires 'censored'"),
            ('censored = "last_count"\ncompeting = ["lost"]', "'lost' is the event, so it cannot compete with it"),
            ('censored = "last_count"\ncompeting = ["nobody"]', r"\[T\] competing: unknown endpoint 'nobody'"),
            ('censored = "last_count"\ncompeting = ["death", "death"]', "'death' is present twice in 'competing'"),
            ('censored = "T"', "circle"),
            ('censored = "not_dead"\n[not_dead]\nkind = "combined"\nwhen = "not death"', "can be met without a day"),
            (
                'censored = "last_count"\ncompeting = ["censored"]\n[censored]\nkind = "achieved"\nwhen = "died"',
                "'censored' cannot compete",
            ),
            (
                'censored = "both"\n[both]\nkind = "achieved"\nwhen = "died"\n'
                '[columns.both]\ntype = "number"\ntable = "patients"\nempty = "unknown"',
                "'both' is the name of an endpoint and of a column",
            ),
        ],
    )
    def test_is_refused(self, keys, problem):
        with pytest.raises(CriteriaError, match=problem):
            criteria_of(time(keys))


class TestInWords:
    """The definition says where times are censored, and what competes."""

    def test_the_definition(self):
        criteria = criteria_of(
            time('censored = ["end_of_treatment", "last_count"]\ncompeting = ["death", "spleen_out"]\nby = 370')
        )
        assert criteria.endpoints["T"].sentence() == (
            "Time in days from the day of R to the day of lost; patients without lost are censored at the recorded "
            "day end_of_treatment, else their last count up to day 370. lost is not counted after the recorded day "
            "end_of_treatment. "
            "death or spleen_out on an earlier day ends the time (competing event)."
        )
