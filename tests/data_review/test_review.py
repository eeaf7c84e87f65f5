"""Review: where each edit check fires and where not, and what would settle a verdict that is not evaluable."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import strategies
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import itp_response
from itp_response.cli import main
from itp_response.cohort.notation import cohort_of
from itp_response.data_review.data_queries import COUNTS
from itp_response.data_review.edit_checks import COLUMNS, EDIT_CHECKS
from itp_response.data_review.review import PRIORITY
from itp_response.data_review.source_checks import UNGRADED, UNREASONED
from itp_response.definitions.load import load
from itp_response.messages.errors import CohortError
from itp_response.validation.bridge import cohort_of as literal_cohort
from itp_response.validation.literal import Observation

ATRA = load("atra_2022")
ROOT = Path(__file__).parents[2]
STUDY = (ROOT / "examples" / "visits.csv", ROOT / "examples" / "patients.csv")
PLANNED = itp_response.criteria("atra_2022").file.clock.visits


def table(text):
    """Rows of a table of visits or patients, its cells separated by blanks; `-` is an empty cell."""
    header, *lines = (line.split() for line in text.strip().splitlines())
    return [{name: None if cell == "-" else cell for name, cell in zip(header, line, strict=True)} for line in lines]


def timeline(text, **more):
    ids = [f"P{number + 1}" for number in range(len(more.get("baseline", [None])))]
    return cohort_of([text], visits=PLANNED, ids=ids, **more)


def fired(visits, patients=None, **more):
    """Check, day, value and sentence of each check that fired."""
    frame = itp_response.review(visits, patients, **more).frame()
    assert frame.columns == ["query_id", "priority", *COLUMNS[:3], "date", *COLUMNS[3:]]
    return list(frame.select("check", "day", "value", "says").iter_rows())


def checks(visits, patients=None, **more):
    return [check for check, *_ in fired(visits, patients, **more)]


THRESHOLDS = [9.9, 10, 19, 20, 29, 29.9, 30, 30.1, 31, 49, 50, 99, 99.9, 100, 250]


def answer(cohort, patients, query, count, grade):
    """The patient with what was asked for filled in; a bound stays a bound of the answer."""
    patient = patients[cohort.position(query["patient_id"])]
    kind, day = query["settled_by"], query["day"]
    if kind == "baseline":
        return replace(patient, baseline=count)
    if kind in ("later_count", "visit"):
        return replace(patient, observations=(*patient.observations, Observation(day, count, grade)))
    if kind == "exact_count":
        rows = np.flatnonzero((cohort.id.to_numpy()[cohort.patient] == query["patient_id"]) & (cohort.day == day))
        count = float(np.clip(count, cohort.platelets.low[rows], cohort.platelets.high[rows])[0])

    def filled(seen):
        if seen.day != day:
            return seen
        if kind == "bleeding_grade":
            return replace(seen, bleeding_grade=grade)
        if kind == "exact_count":
            return replace(seen, platelets=None if seen.platelets is None else count)
        return replace(
            seen, platelets=count, bleeding_grade=grade if seen.bleeding_grade is None else seen.bleeding_grade
        )

    return replace(patient, observations=tuple(map(filled, patient.observations)))


# A timeline, and the checks that fire on it.
CASES = """
    ten_times_off         | d0 15, d7 20, d14 200, d21 22, d28 25
    baseline_outside_entry ten_times_off | d0 90, d7 160, d28 15, d49 150
                          | d0 15, d7 20, d14 120, d21 22, d28 25
                          | d0 15, d7 20, d14 200, d21 60, d28 60
    zero isolated_drop rescue_not_given | d0 15, d7 0, d14 20
    isolated_drop rescue_not_given      | d0 15, d7 1, d14 20
    rescue_not_given      | d0 15, d7 <1, d14 20
    baseline_outside_entry very_high | d0 900, d7 1000, d14 900
    baseline_outside_entry | d0 900, d7 999, d14 900
    baseline_outside_entry | d0 30, d7 20, d14 20
    baseline_outside_entry | d-7 20, d0 30, d7 30, d14 20
                          | d0 29.9, d7 20, d14 20
                          | d0 30 bleed 1, d7 20, d14 20
                          | d-7 40 bleed 1, d0 40, d7 40, d14 20
    baseline_outside_entry | d0 40, d7 40 bleed 1, d14 20
    baseline_outside_entry | d0 100 bleed 1, d7 60, d14 20
                          | d1 100, d7 60, d14 20
    other_unit rescue_not_given | d0 15, d21 0.05, d42 20
                          | d0 15, d21 11, d42 20
    isolated_drop         | d0 15, d14 91, d21 30, d28 91
                          | d0 15, d14 90, d21 30, d28 90
                          | d0 15, d14 91, d21 30 bleed 1, d28 91
                          | d0 15, d14 91, d21 30, d42 91
    jump                  | d0 15, d7 20, d14 421
                          | d0 15, d7 20, d14 420
                          | d0 15, d7 20, d21 421
    same_count_twice      | d0 15, d7 20, d7 20
    two_counts_a_day      | d0 15, d7 20, d7 22
                          | d0 15, d7 20, d7 bleed 1
    out_of_window         | d0 15, d11 20, d35 20
                          | d0 15, d10 20, d35 20, d404 20
    confirmed_late        | d0 15, d28 40, d85 40
                          | d0 15, d28 40, d84 40
    confirmed_late confirmed_late | d0 15, d28 120, d85 120
                          | d0 15, d28 40, d85 20, d154 40
    rescue_without_a_name | d0 15, d7 rescue, d21 20
    rescue_not_measured   | d0 15, d7 rescue ivig, d22 20
                          | d0 15, d7 rescue ivig, d21 20
    rescue_not_given      | d0 5, d7 9.9, d14 20
                          | d0 5, d7 10, d14 20
                          | d0 5, d7 9, d14 20 rescue ivig, d21 20
    rescue_not_given      | d0 5, d7 9, d15 rescue ivig, d21 20
                          | d0 5, d4 rescue ivig, d7 9, d11 9
    rescue_not_given      | d0 5, d7 20 bleed 2, d14 20
                          | d0 5, d7 20 bleed 1, d14 20
"""


class TestEditChecks:
    @pytest.mark.parametrize("case", [line.strip() for line in CASES.strip().splitlines()])
    def test_finds_what_it_asks_about_and_nothing_just_beside_it(self, case):
        expected, text = (part.strip() for part in case.split("|"))

        # A visit that is off every planned one is what some of the timelines need, and one check's own concern.
        others = [] if "out_of_window" in case else ["out_of_window"]
        assert [check for check in checks(timeline(text)) if check not in others] == expected.split()

    def test_every_check_is_tried(self):
        tried = CASES + "before_birth after_death rescue_after_stop dose_after_stop patient_in_another_unit"

        assert [check.name for check in EDIT_CHECKS if check.name not in tried] == []
        assert all(check.asks.endswith("?") for check in EDIT_CHECKS)

    @pytest.mark.parametrize(
        ("criteria", "count", "says"),
        [
            (
                "atra_2022",
                45,
                "outside the entry limit of Wu 2022 (ATRA trial): below 30, or bleeding of grade 1 or more",
            ),
            (
                "raise",
                100,
                "outside the entry limit of Cheng 2011 (RAISE): below 30; 100 or more does not meet the definition of ITP (IWG 2009)",
            ),
            ("sutimlimab", 30.5, "outside the entry limit of NCT03275454 (sutimlimab): 30 or less"),
            ("sutimlimab", 30, None),
            ("fit", 100, "which does not meet the definition of ITP (IWG 2009: below 100)"),
            ("fit", 99, None),
        ],
    )
    def test_a_baseline_outside_the_entry(self, criteria, count, says):
        """Counted in the day that it is from; of the patient table, in no row."""
        given = [{"patient_id": "P1", "baseline": count}]
        for visits, patients, day in (
            ([(-1, count), (7, 20)], None, -1),
            ([(-1, 5), (7, 20)], given, None),
        ):
            rows = [{"patient_id": "P1", "day": at, "platelets": number, "rescue": ""} for at, number in visits]
            options = itp_response.ReadOptions(day_numbering="from-0")
            found = itp_response.review(rows, patients, criteria, options=options)
            fired = found.frame().filter(check="baseline_outside_entry").select("day", "value", "says").rows()
            sentence = f"Baseline platelet count of {count:g}, {says}. Is it correct, and was the patient eligible?"
            assert fired == ([(day, f"{count:g}", sentence)] if says else [])
            assert found.query_log()["question"].str.contains("eligible").any() == bool(says)

    def test_where_no_input_records_rescue_nobody_is_asked_why_none_was_given(self):
        visits = table("patient_id day platelets\nP1 0 15\nP1 7 5\nP1 14 20")

        assert "rescue_not_given" not in checks(visits)
        assert "rescue_not_given" in checks([row | {"rescue": ""} for row in visits])

    def test_two_counts_of_a_response_far_apart_are_asked_about_with_their_days(self):
        (row,) = fired(timeline("d0 15, d28 40, d85 45"))

        says = "OR on day 28 is confirmed on day 85, 57 days later: is a count missing between?"
        assert row == ("confirmed_late", 85, "45", says)

    def test_a_count_far_off_the_patients_median_is_asked_about_with_the_unit(self):
        rows = fired(timeline("d0 15, d7 4500, d14 12, d21 14"))

        says = "Platelet count of 4500, where the patient's median is 14.5: is it in another unit?"
        assert ("other_unit", 7, "4500", says) in rows

    def test_a_day_with_two_counts_is_told_with_both_lines(self):
        visits = table("""
            patient_id day platelets
            P1         0   15
            P1         7   40
            P1         7   <10
        """)

        assert fired(visits)[0] == (
            "two_counts_a_day",
            7,
            "40 and <10",
            "Platelet counts of 40 and <10 on day 7 (rows 2, 3): which is correct? The lowest is used.",
        )

    def test_births_and_deaths_are_read_from_the_patient_table(self):
        visits = table("""
            patient_id date       platelets
            P1         2020-01-01 15
            P1         2020-03-05 20
            P2         2020-01-01 15
            P2         2020-03-05 20
        """)
        patients = table("""
            patient_id DOB        DTHDTC
            P1         1960       2020-02-28
            P2         2020-02    2020-03
        """)

        assert fired(visits, patients) == [
            ("after_death", 64, "64", "Observation on day 64, after death on day 58: which date is correct?"),
            ("before_birth", 0, "0", "Observation on day 0, before birth on day 31: which date is correct?"),
        ]

    def test_a_death_that_is_no_date_is_refused(self):
        visits = table("patient_id date platelets\nP1 2020-01-01 15")
        patients = table("patient_id death_date\nP1 soon")

        with pytest.raises(
            CohortError, match=r"^patients: row 1: death_date: 'soon' is not a date; write YYYY-MM-DD\.$"
        ):
            itp_response.review(visits, patients)

    def test_a_discontinuation_that_later_doses_or_rescue_contradict(self, tmp_path):
        criteria = tmp_path / "dosed.toml"
        text = (ROOT / "criteria" / "atra_2022.toml").read_text()
        criteria.write_text(text.replace("[terms]", 'dose = { type = "number" }\n\n[terms]', 1))
        visits = table("""
            patient_id day platelets dose rescue
            P1         0   15        10   -
            P1         28  30        10   -
            P1         35  30        5    ivig
            P1         42  30        0    -
        """)
        patients = table("patient_id discontinuation_day\nP1 30")

        rows = itp_response.review(visits, patients, criteria).frame().filter(pl.col("check").str.ends_with("_stop"))

        assert rows["says"].to_list() == [
            "Treatment was discontinued on day 30, but rescue treatment began on day 35: which is correct?",
            "Treatment was discontinued on day 30, but a dose was recorded on day 35: which is correct?",
        ]
        assert rows["value"].to_list() == ["ivig", "5"]

    def test_bleeding_that_is_told_but_not_graded(self, tmp_path):
        path = tmp_path / "visits.csv"
        path.write_text(
            "patient_id,day,platelets,bleeding_grade,bleeding_site\n"
            "P1,0,15,0,none\nP1,7,20,,gums\nP1,14,20,1,skin\nP1,21,,,nose\n"
        )

        frame = itp_response.review(path).frame().filter(pl.col("check") == UNGRADED)

        assert list(frame.select("day", "line", "column", "value", "says").iter_rows()) == [
            (7, 3, "bleeding_site", "gums", "Bleeding (gums) without a grade: which WHO grade was it?"),
            (None, 5, "bleeding_site", "nose", "Bleeding (nose) without a grade: which WHO grade was it?"),
        ]

    def test_a_rescue_without_a_reason_where_reasons_are_recorded(self, tmp_path):
        path = tmp_path / "visits.csv"
        path.write_text(
            "patient_id,day,platelets,rescue,rescue_reason\n"
            "P1,0,15,,\nP1,7,8,IVIg,count below 10\nP1,14,20,IVIg,\nP1,21,20,no,\nP1,28,20,,NA\nP1,35,20,1,n/a\n"
        )

        frame = itp_response.review(path).frame().filter(pl.col("check") == UNREASONED)

        assert frame.select("day", "line", "value", "says").rows() == [
            (14, 4, "IVIg", "Rescue treatment (IVIg) without a reason: why was it given?"),
            (35, 7, "1", "Rescue treatment (1) without a reason: why was it given?"),
        ]
        path.write_text("patient_id,day,platelets,rescue\nP1,0,15,\nP1,7,8,IVIg\n")
        assert UNREASONED not in itp_response.review(path).frame()["check"].to_list()

    def test_every_finding_has_the_line_of_the_file(self):
        lines = STUDY[0].read_text().splitlines()

        frame = itp_response.review(*STUDY).frame().filter(pl.col("column") == "platelets")

        assert len(frame) > 20
        for patient, line, value in frame.select("patient_id", "line", "value").iter_rows():
            assert lines[line - 1].split(",")[0] == patient
            assert lines[line - 1].split(",")[2] == value

    def test_patients_do_not_touch_each_other(self):
        one, two = "d0 15, d7 20, d14 421", "d0 900, d3 2, d7 4"
        both = cohort_of([one, two], visits=PLANNED, ids=["P1", "P2"])

        assert fired(both) == fired(timeline(one)) + fired(timeline(two))

    def test_a_cohort_of_nobody_has_no_findings(self):
        assert len(itp_response.review(cohort_of([], visits=(), ids=[])).frame()) == 0


# A timeline, the endpoint, and what would settle it.
OPEN = """
    OR     | d0 15, d28 60, d35 60 bleed ?, d42..d364 12     | bleeding_grade | the bleeding grade of day 35, entry 3
    OR     | d0 15, d28 60, d35 <50, d42..d364 12            | exact_count    | the exact platelet count of day 35, entry 3 (given as <50)
    OR     | d0 15, d7..d112 15                              | later_count    | a platelet count and a bleeding assessment on day 337 or later
    OR     | d7..d21 15, d28 40, d35 40, d42..d364 12        | baseline       | the baseline platelet count
    SR     | d0 15, d28 60, d42 60, d98 60, d155 60, d210 60, d224..d364 60 | visit | a platelet count and a bleeding assessment on about day 112
    SR     | d0 15, d28 60, d42 60, d210 60, d364 60         | -              | no single observation would make it evaluable (gap between counts too long)
    OR     | d0 15, d28..d364 60 bleed ?                     | -              | no single observation would make it evaluable (bleeding not recorded)
"""


OWN = """
title = "With columns of its own"
checked = "unverified"
[source]
cite = "Written for this test"
[clock]
day_0 = "enrolment"
followed_from = 28
[baseline]
days = [-28, 0]
[columns]
steroid = { type = "truth" }
dose = { type = "number" }
drug = { type = "text" }
splenectomy = { type = "truth", table = "patients" }
[off]
label = "Off steroids"
says = "A count of 30 without steroids."
kind = "achieved"
when = "platelets >= 30 and not steroid"
days = [1, 28]
[low_dose]
label = "On a low dose"
says = "A count of 30 on at most 5."
kind = "achieved"
when = "platelets >= 30 and dose <= 5"
days = [1, 28]
[twice]
label = "Twice on a low dose"
says = "Two counts of 30 on at most 5."
kind = "achieved"
when = "platelets >= 30 and dose <= 5"
occasions = 2
apart = "7 days"
days = [1, 28]
[on_drug]
label = "On one drug"
says = "A count of 30 on drug A."
kind = "achieved"
when = "platelets >= 30 and drug == 'a'"
days = [1, 28]
[spleen]
label = "With a spleen"
says = "A count of 30, spleen in place."
kind = "achieved"
when = "platelets >= 30 and not splenectomy"
days = [1, 28]
"""


class TestQueriesOfDeclaredColumns:
    """What a set declares beside counts, bleeding and rescue is asked for as these are."""

    def asked(self, folder, visits, patients, *more):
        criteria = folder / "own.toml"
        criteria.write_text(OWN)
        queries = itp_response.review(table(visits), table(patients), criteria).data_queries()
        return queries.select("endpoint", "settled_by", "day", "line", "asks", *more).rows()

    KNOWN = """
        patient_id day platelets bleeding_grade steroid dose drug
        P1         0   15        0              0       5    a
        P1         28  60        0              {}
    """

    @pytest.mark.parametrize(
        ("cells", "query"),
        [
            ("- 5 a", ("off", "steroid", 28, 2, "steroid of day 28, row 2")),
            ("0 - a", ("low_dose", "dose", 28, 2, "dose of day 28, row 2")),
            ("0 5 -", ("on_drug", "drug", 28, 2, "drug of day 28, row 2")),
        ],
    )
    def test_of_a_visit(self, cells, query, tmp_path):
        assert self.asked(tmp_path, self.KNOWN.format(cells), "patient_id splenectomy\nP1 0") == [query]

    def test_of_the_patient(self, tmp_path):
        assert self.asked(tmp_path, self.KNOWN.format("0 5 a"), "patient_id splenectomy\nP1 -") == [
            ("spleen", "splenectomy", None, None, "splenectomy of the patient")
        ]

    def test_where_two_are_missing_neither_settles_it_alone(self, tmp_path):
        visits = self.KNOWN.format("- 5 a") + "P1 21 60 0 - 5 a"

        assert self.asked(tmp_path, visits, "patient_id splenectomy\nP1 0") == [
            ("off", None, None, None, "no single observation would make it evaluable (missing data)")
        ]

    def test_only_what_settles_it_is_asked_for(self, tmp_path):
        """Not the grade of the same row, which the endpoint does not look at."""
        visits = self.KNOWN.replace("60        0 ", "60        - ").format("- 5 a") + "P1 21 9 0 0 5 a"

        assert self.asked(tmp_path, visits, "patient_id splenectomy\nP1 0", "also") == [
            ("off", "steroid", 28, 2, "steroid of day 28, row 2", 0)
        ]

    def test_what_rules_compare_with_is_tried_too(self, tmp_path):
        """Any dose that was recorded would decide, but one of at most 5 would leave it to the other."""
        visits = """
            patient_id day platelets bleeding_grade steroid dose drug
            P1         0   15        0              0       40   a
            P1         7   60        0              0       -    a
            P1         28  60        0              0       -    a
        """

        assert (
            "twice",
            None,
            None,
            None,
            "no single observation would make it evaluable (missing data)",
        ) in (self.asked(tmp_path, visits, "patient_id splenectomy\nP1 0"))

    @pytest.mark.parametrize(
        ("cells", "answers"), [("- 5 a", "01"), ("0 - a", ("5", "5.1", "0", "900")), ("0 5 -", "ab")]
    )
    def test_any_answer_settles_it(self, cells, answers, tmp_path):
        (criteria := tmp_path / "own.toml").write_text(OWN)
        for one in answers:
            answered = table(self.KNOWN.format(cells.replace("-", one)))
            found = itp_response.classify(answered, table("patient_id splenectomy\nP1 0"), criteria).frame()
            assert "NE" not in found.row(0)


class TestQueries:
    @pytest.mark.parametrize("case", [line.strip() for line in OPEN.strip().splitlines()])
    def test_the_single_observation_that_would_settle_it(self, case):
        endpoint, text, kind, asks = (part.strip() for part in case.split("|"))

        queries = itp_response.review(timeline(text)).data_queries().filter(pl.col("endpoint") == endpoint)

        assert list(queries.select("settled_by", "asks").iter_rows()) == [(None if kind == "-" else kind, asks)]

    def test_what_is_decided_is_not_asked_about(self):
        assert len(itp_response.review(timeline("d0 15, d28..d364 60")).data_queries()) == 0

    def test_every_verdict_that_is_not_evaluable_is_there_once(self):
        review = itp_response.review(*STUDY)
        frame = review.classification.frame()
        names = [name for name in review.classification.verdicts if name in frame.columns]

        expected = {
            (patient, name) for name in names for patient in frame.filter(pl.col(name) == "NE")["patient_id"].to_list()
        }

        asked = review.data_queries().filter(pl.col("endpoint").is_in(names))
        assert set(asked.select("patient_id", "endpoint").iter_rows()) == expected
        assert len(asked) == len(expected) > 0

    @pytest.mark.parametrize("count", [*COUNTS, 1, 29.5, 30, 59, 1000])
    @pytest.mark.parametrize("bleeding", ["", "bleed 1", "bleed 4"])
    def test_the_answer_settles_it_whatever_it_is(self, count, bleeding):
        """A later count is asked for; each of them decides."""
        text = "d0 15, d7..d112 15"
        answered = f"{text}, d337 {count} {bleeding}"

        assert itp_response.classify(timeline(text)).frame()["OR"].to_list() == ["NE"]
        assert itp_response.classify(timeline(answered)).frame()["OR"].to_list() == ["N"]

    @given(
        patients=strategies.cohorts(),
        count=st.integers(0, 12_000).map(lambda tenths: tenths / 10) | st.sampled_from(THRESHOLDS),
        grade=st.integers(0, 4),
    )
    def test_whatever_is_answered_settles_it(self, patients, count, grade):
        """Of any cohort: each query answered, whatever the answer, leaves the verdict that it is about decided."""
        cohort = literal_cohort(patients)
        review = itp_response.review(cohort, criteria=ATRA)
        asked = [query for query in review.data_queries().iter_rows(named=True) if query["settled_by"]]
        answered = [answer(cohort, patients, query, count, grade) for query in asked]

        verdicts = itp_response.classify(literal_cohort(answered), criteria=ATRA).verdicts

        for place, query in enumerate(asked):
            verdict = verdicts[query["endpoint"]]
            assert verdict.labels[verdict.value[place]] != "NE"

    def test_a_date_known_only_in_part_is_asked_for(self):
        visits = table("""
            patient_id date       platelets bleeding_grade rescue
            P1         2020-01-01 15        0              -
            P1         2020-01-29 60        0              -
            P1         2020-02-12 60        0              -
            P1         2020-02    -         -              ivig
            P1         2020-12-30 60        0              -
        """)

        queries = itp_response.review(visits).data_queries()

        assert set(queries["reason"]) == {"partial_date"}
        assert set(queries["settled_by"]) == {"date"}
        assert set(queries["asks"]) == {"the full date of row 4 (given as 2020-02)"}

    def test_rescue_and_the_other_patients_go_along_unchanged(self):
        """Rescue treatment on day 20 keeps a count of day 42 from being evidence, in the copies as in the patient."""
        open_ = "d0 15, d20 rescue ivig to d22, d42 60 bleed ?, d49..d364 12"
        both = cohort_of(["d0 15, d28..d364 60", open_], visits=PLANNED, ids=["P1", "P2"])

        assert itp_response.classify(both).frame()["OR"].to_list() == ["Y", "N"]
        assert len(itp_response.review(both).data_queries()) == 0

    def test_a_patient_of_whom_nothing_is_known_has_a_query_without_an_answer(self):
        visits = table("patient_id day platelets\nP1 0 15")
        patients = table("patient_id arm\nP1 a\nP2 a")

        queries = itp_response.review(visits, patients).data_queries().filter(pl.col("patient_id") == "P2")

        assert queries.filter(pl.col("endpoint") == "OR")["asks"].to_list() == [
            "no single observation would make it evaluable (no counts in the assessment window)"
        ]


class TestQueryLog:
    """One query per patient and cause, with all that it is about, for a site to answer."""

    VISITS = """
        patient_id date       platelets bleeding_grade rescue
        P1         2020-01-01 15        0              -
        P1         2020-01-08 5         0              -
        P1         2020-01-15 4         0              -
        P1         2020-01-22 3         0              -
        P2         2020-01-01 15        0              -
        P2         2020-01-29 60        0              -
        P2         2020-02-05 60        -              -
        P2         2020-02-12 12        0              -
        P2         2020-12-30 12        0              -
    """

    def log(self):
        return itp_response.review(table(self.VISITS)).query_log()

    def test_findings_of_a_patient_and_check_are_one_query_with_days_dates_places_and_values(self):
        query = self.log().filter(pl.col("query_id") == "P1.rescue_not_given").row(0, named=True)

        assert query == {
            "query_id": "P1.rescue_not_given",
            "priority": "medium",
            "patient_id": "P1",
            "cause": "rescue_not_given",
            "question": "Platelet count of 5 on day 7, but no rescue treatment within 7 days: please confirm that none "
            "was given. The same question about 2 more observations.",
            "observations": 3,
            "days": "7; 14; 21",
            "dates": "2020-01-08; 2020-01-15; 2020-01-22",
            "places": "visits row 2; visits row 3; visits row 4",
            "values": "5; 4; 3",
            "endpoints": None,
            "status": "open",
            "answer": None,
            "answered_by": None,
            "answered_on": None,
        }

    def test_endpoints_that_wait_for_one_observation_are_one_query(self):
        [query] = self.log().filter(pl.col("patient_id") == "P2", pl.col("cause") == "not_evaluable").rows(named=True)

        assert (query["query_id"], query["priority"]) == ("P2.bleeding_grade.35", "high")
        assert (query["days"], query["dates"], query["places"]) == ("35", "2020-02-05", "visits row 7")
        assert query["question"] == (
            "Please provide the bleeding grade of day 35, row 7. Without it, these endpoints are not evaluable: "
            f"{query['endpoints']}."
        )
        assert query["endpoints"].split("; ")[0] == "OR"

    def test_each_query_has_an_id_of_its_own_and_every_finding_a_query(self):
        reviewed = itp_response.review(*STUDY)
        log = reviewed.query_log()

        assert log["query_id"].is_unique().all()
        expected = {*reviewed.frame()["query_id"], *reviewed.data_queries()["query_id"]}
        assert set(log["query_id"]) == expected
        assert log.filter(pl.col("cause") != "not_evaluable")["observations"].sum() == len(reviewed.frame())
        ranks = log["priority"].replace_strict({"high": 0, "medium": 1, "low": 2})
        assert ranks.is_sorted()

    def test_every_check_has_a_priority(self):
        assert {check.priority for check in EDIT_CHECKS} == {"high", "medium", "low"}
        assert {*PRIORITY} == {*(check.name for check in EDIT_CHECKS), UNGRADED, UNREASONED}

    def test_where_there_are_no_dates_none_are_given(self):
        log = itp_response.review(timeline("d0 5, d7 9.9, d14 20, d28..d364 60")).query_log()

        assert log.select("query_id", "days", "dates").rows() == [("P1.rescue_not_given", "7", None)]

    def test_without_findings_it_is_empty(self):
        reviewed = itp_response.review(timeline("d0 15, d28..d364 60"))

        assert (len(reviewed.query_log()), reviewed.query_log().columns[0]) == (0, "query_id")
        assert str(reviewed).startswith("Data queries: 0, about 0 of 1 patient")

    @pytest.mark.parametrize(
        ("hostile", "written"),
        [("@x", "'@x"), ("+x", "'+x"), ("-x", "'-x"), ("-7", "-7"), ("P=1", "P=1")],
    )
    def test_a_text_that_a_spreadsheet_takes_for_a_formula_is_written_as_text(self, hostile, written, tmp_path):
        visits = [{"patient_id": hostile, "day": day, "platelets": count} for day, count in ((0, 15), (7, 5), (14, 15))]
        reviewed = itp_response.review(visits)

        reviewed.write_query_log(tmp_path / "log.csv")
        reviewed.write_query_log(tmp_path / "log.xlsx")

        rows = pl.read_csv(tmp_path / "log.csv", infer_schema=False)
        assert set(rows["patient_id"]) == {written}
        sheet = pl.read_excel(tmp_path / "log.xlsx", infer_schema_length=0)
        assert set(sheet["Patient id"]) == {hostile}
        assert reviewed.query_log()["patient_id"].unique().to_list() == [hostile]


def twice_a_day(patients, days, once=0):
    """Visits of these patients with two counts on each day, but for the last `once` days, which have one."""
    places = [(f"P{patient}", day) for patient in range(patients) for day in range(0, 7 * days, 7)]
    counts = [(*place, 15) for place in places] + [(*place, 17) for place in places[: len(places) - once]]
    return [{"patient_id": patient, "day": day, "platelets": count, "rescue": ""} for patient, day, count in counts]


class TestSystematic:
    """A check that fires at most of what it looks at is one query, with its number; every finding stays in the frame."""

    def test_it_is_one_query_with_its_number(self):
        reviewed = itp_response.review(twice_a_day(4, 5))

        (query,) = reviewed.query_log().filter(cause="two_counts_a_day").rows(named=True)
        assert query == {
            **dict.fromkeys(query),
            "query_id": "all_patients.two_counts_a_day",
            "priority": "medium",
            "cause": "two_counts_a_day",
            "question": "20 of 20 days with a count, in 4 patients: which of several counts on one day is correct? "
            "The first, of P0: Platelet counts of 15 and 17 on day 0 (rows 1, 21): which is correct? The lowest is "
            "used. One query for the study; the file of findings (--output) lists each.",
            "observations": 20,
            "status": "open",
        }
        findings = reviewed.frame().filter(check="two_counts_a_day")
        assert (len(findings), set(findings["query_id"])) == (20, {"all_patients.two_counts_a_day"})
        assert reviewed.listed().filter(check="two_counts_a_day")["patient_id"].to_list() == ["all patients"]

    def test_the_listing_has_it_in_one_line(self):
        text = str(itp_response.review(twice_a_day(4, 5)))

        assert "\n  medium  two_counts_a_day  4 patients  20 observations\n" in text
        assert "\nall patients  medium  two_counts_a_day\n  20 of 20 days with a count, in 4 patients: " in text
        assert text.startswith("Data queries: 5, about 4 of 4 patients\n")

    @pytest.mark.parametrize(
        ("visits", "queries"),
        [
            (twice_a_day(4, 5, once=9), 1),  # 11 of 20
            (twice_a_day(4, 5, once=10), 2),  # half of them: by patient, the two of the four that have any
            (twice_a_day(3, 3), 3),  # all nine: too few
            (twice_a_day(5, 2), 1),  # ten
        ],
    )
    def test_where_it_begins(self, visits, queries):
        assert len(itp_response.review(visits).query_log().filter(cause="two_counts_a_day")) == queries

    @pytest.mark.parametrize(
        ("check", "number", "visits"),
        [
            (
                "baseline_outside_entry",
                "12 of 12 patients: ",
                [{"patient_id": f"P{one}", "day": 0, "platelets": 150} for one in range(12)],
            ),
            (
                "rescue_without_a_name",
                "12 of 12 rescue treatments, in 12 patients: ",
                [{"patient_id": f"P{one}", "day": 0, "platelets": 15, "rescue": 1} for one in range(12)],
            ),
            (
                UNGRADED,
                "12 of 12 records of bleeding, in 12 patients: ",
                [
                    {"patient_id": f"P{one}", "day": day, "platelets": 15, "bleeding_site": "gums" if day else ""}
                    for one in range(12)
                    for day in (0, 7, 14)
                    if day < 14
                ],
            ),
        ],
    )
    def test_of_what_each_check_looks_at(self, check, number, visits):
        (query,) = itp_response.review(visits).query_log().filter(cause=check).rows(named=True)

        assert query["question"].startswith(number)


class TestCommand:
    def run(self, *words):
        return CliRunner().invoke(main, ["review", *map(str, words)], catch_exceptions=False)

    def test_prints_the_queries_and_writes_findings_and_queries(self, tmp_path):
        findings, asked = tmp_path / "findings.json", tmp_path / "queries.csv"

        done = self.run(STUDY[0], "--patients", STUDY[1], "--output", findings, "--data-queries", asked)

        assert done.exit_code == 0
        head, *blocks = done.stdout.split("\n\n")
        reviewed = itp_response.review(*STUDY)
        log = reviewed.query_log()
        assert len(json.loads(findings.read_text())) == len(reviewed.frame()) > len(log) - 27
        assert head.splitlines()[0] == f"Data queries: {len(log)}, about {log['patient_id'].n_unique()} of 168 patients"
        assert "  medium  rescue_not_given     20 patients  73 observations" in head
        assert [block.split("  ")[0] for block in blocks[: len(log)]] == log["patient_id"].to_list()
        assert "\nassumed: Grade 0 occurs" in done.stdout
        columns = "query_id,patient_id,endpoint,reason,settled_by,day,date,file,line,asks,also"
        assert asked.read_text().startswith(f"{columns}\nITP-0008.later_count.337,ITP-0008,")

    @pytest.mark.parametrize("suffix", ["csv", "xlsx", "json", "parquet"])
    def test_writes_a_query_log(self, suffix, tmp_path):
        path = tmp_path / f"queries.{suffix}"

        assert self.run(STUDY[0], "--patients", STUDY[1], "--query-log", path).exit_code == 0

        readers = {"csv": pl.read_csv, "xlsx": pl.read_excel, "json": pl.read_json, "parquet": pl.read_parquet}
        log = readers[suffix](path)
        expected = itp_response.review(*STUDY).query_log()
        assert len(log) == len(expected)
        assert [name.lower().replace(" ", "_") for name in log.columns] == expected.columns
        assert log[log.columns[0]].to_list() == expected["query_id"].to_list()
        assert (tmp_path / f"queries.{suffix}.provenance.json").exists()

    def test_bad_input_is_refused_before_anything_is_written(self, tmp_path):
        visits = tmp_path / "visits.csv"
        visits.write_text("patient_id,day,platelets\nP1,0,15000\n")

        done = self.run(visits, "--output", tmp_path / "findings.csv")

        assert done.exit_code == 2
        assert done.stderr.startswith("error: visits.csv: line 2: platelets: '15000' looks like cells/µL")
        assert not (tmp_path / "findings.csv").exists()
