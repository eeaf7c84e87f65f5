"""Compare: who comes out otherwise under another set, and by which clause."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import strategies
from click.testing import CliRunner
from hypothesis import given, settings
from worked import HEAD, criteria_of

import itp_response
from itp_response.cli import main
from itp_response.cohort.notation import cohort_of
from itp_response.definitions.load import load
from itp_response.messages.errors import CriteriaError, UsageError
from itp_response.messages.wording import fitted
from itp_response.outputs.comparison.compare import compare
from itp_response.validation.bridge import cohort_of as cohort_of_patients

ROOT = Path(__file__).parents[2]
STUDY = (str(ROOT / "examples" / "visits.csv"), str(ROOT / "examples" / "patients.csv"))
OWN = ROOT / "examples" / "own_definition.toml"

THIRTY = """
    [R]
    kind = "achieved"
    role = "response"
    when = "platelets >= 30"
"""
FIFTY = THIRTY.replace("30", "50")


def named(name, text, head=HEAD):
    """The criteria of a text, under a name."""
    return replace(criteria_of(text, head), name=name)


def compared(first, second, *timelines, **further):
    """The set `a` beside the set `b` on these patients."""
    cohort = cohort_of(timelines, **further)
    return compare(cohort, criteria=[named("a", first), named("b", second)])


def moved(first, second, timeline, discontinued=None):
    """Verdict under `a`, verdict under `b`, and what made the difference, of one patient who changes."""
    changes = compared(first, second, timeline, treatment_discontinued=[discontinued]).changes().rows(named=True)
    assert len(changes) == 1
    return changes[0]["first_verdict"], changes[0]["second_verdict"], changes[0]["why"]


class TestWhichClauseMovedHim:
    """A patient is followed to the end where he has a count on day 337 or later, here on day 350."""

    def test_a_clause_that_fails_at_the_count_that_the_other_set_takes(self):
        assert moved(THIRTY, FIFTY, "d0 15, d28 40, d350 15") == ("Y", "N", "b: fails: a count below 50")

    def test_it_is_said_of_the_set_he_does_not_meet_whichever_stands_first(self):
        assert moved(FIFTY, THIRTY, "d0 15, d28 40, d350 15") == ("N", "Y", "a: fails: a count below 50")

    def test_of_parts_joined_by_and_the_first_that_is_false(self):
        other = THIRTY.replace("30", "30 and platelets >= 2 * baseline and not bleeding_grade >= 1")

        assert moved(THIRTY, other, "d0 25, d28 40 bleed 1, d350 15")[2] == "b: fails: a count below twice the baseline"
        assert moved(THIRTY, other, "d0 15, d28 40 bleed 1, d350 15")[2] == "b: fails: bleeding of grade 1 or more"

    def test_a_clause_that_is_not_known(self):
        other = THIRTY.replace("30", "30 and platelets >= 2 * baseline")

        why = "b: unknown: baseline missing"
        assert moved(THIRTY, other, "d28 40, d350 15") == ("Y", "NE", why)

    def test_a_count_that_is_no_evidence(self):
        other = THIRTY + 'discount = "days_since_rescue <= 35"'

        why = "b: would qualify, but is not evidence: rescue treatment ongoing or ended at most 35 days earlier"
        assert moved(THIRTY, other, "d0 15, d3 rescue, d28 40, d350 15") == ("Y", "N", why)

    def test_a_count_outside_the_days(self):
        why = "b: after day 20"
        assert moved(THIRTY, THIRTY + "days = [1, 20]", "d0 15, d28 40, d350 15") == ("Y", "N", why)

    @pytest.mark.parametrize("days", [[28, 365], [1, 28], [27, 28], [28, 29]])
    def test_the_first_and_the_last_of_the_days_are_looked_at(self, days):
        why = "b: not confirmed on 2 occasions, at least 1 day apart"
        assert moved(THIRTY, THIRTY + f"occasions = 2\ndays = {days}", "d0 15, d28 40, d350 15") == ("Y", "N", why)

    def test_a_patient_who_is_excluded(self):
        other = THIRTY + 'unless = "treatment_discontinued"'

        why = "b: ruled out by discontinuation of treatment"
        assert moved(THIRTY, other, "d0 15, d28 40, d350 15", discontinued=100) == ("Y", "N", why)

    def test_what_closed_it(self):
        other = THIRTY + 'closed_by = "rescue"'

        why = "b: can no longer be met after rescue treatment"
        assert moved(THIRTY, other, "d0 15, d7 15 rescue, d28 40, d350 15") == ("Y", "N", why)

    def test_a_count_that_is_passed_over(self):
        at = '[R]\nkind = "at"\nrole = "response"\nwhen = "platelets >= 30"\nday = 28\nwithin = [21, 35]\n'
        setting_aside = at + 'set_aside = "days_since_rescue <= 35"'

        why = "b: disregarded: rescue treatment ongoing or ended at most 35 days earlier"
        assert moved(at, setting_aside, "d0 15, d3 rescue, d28 40, d350 15") == ("Y", "NE", why)

    def test_the_count_that_ended_it(self):
        kept = THIRTY.replace('role = "response"', "") + (
            '[S]\nkind = "maintained"\nrole = "sustained_response"\nfrom = "R"\nfor = "12 weeks"\nwhen = "platelets >= 30"\n'
        )

        ended = "d0 15, d28 60, d56 40, d112 60, d350 60"
        assert moved(kept, kept.replace(">= 30", ">= 50"), ended) == ("Y", "N", "b: fails: a count below 50")

    def test_an_endpoint_on_which_it_rests(self):
        other = """
            [begun]
            kind = "achieved"
            when = "platelets >= 50"
            [R]
            kind = "achieved"
            role = "response"
            from = "begun"
            when = "platelets >= 30"
        """

        why = "b: depends on begun: fails: a count below 50"
        assert moved(THIRTY, other, "d0 15, d28 40, d350 15") == ("Y", "N", why)
        excluded = other + 'unless = "treatment_discontinued"'
        why = "b: ruled out by discontinuation of treatment"
        assert moved(THIRTY, excluded, "d0 15, d28 40, d350 15", discontinued=9) == ("Y", "N", why)

    @pytest.mark.parametrize(
        ("rule", "why"),
        [
            # A count of 60: P is met, Q and H are not.
            ("P and Q", "Q: fails: a count below 100"),
            ("H or Q", "Q: fails: a count below 100"),
            ("(P or H) and Q", "Q: fails: a count below 100"),
            ("(H or Q) and P", "Q: fails: a count below 100"),
            ("H and Q", "H: fails: a count below 200"),
            ("not P", "P is met"),
            ("not (P or Q)", "P is met"),
            ("not (P and not Q)", "P is met"),
            ("Q or not P", "P is met"),
        ],
    )
    def test_an_endpoint_that_a_rule_over_criteria_hangs_on(self, rule, why):
        """Of an `and` the first that makes it false, of an `or` the last that came near; a `not` turns that round."""
        counts = "".join(
            f'[{name}]\nkind = "achieved"\nwhen = "platelets >= {count}"\n'
            for name, count in (("P", 50), ("Q", 100), ("H", 200))
        )
        other = f'{counts}[R]\nkind = "combined"\nrole = "response"\nwhen = "{rule}"'

        assert moved(THIRTY, other, "d0 15, d28 60, d350 15") == ("Y", "N", f"b: {why}")

    @pytest.mark.parametrize("rule", ["P and B", "not P or B", "(P or B) and B", "not not B"])
    def test_an_endpoint_that_leaves_such_a_rule_open(self, rule):
        other = f"""
            [P]
            kind = "achieved"
            when = "platelets >= 50"
            [B]
            kind = "achieved"
            when = "platelets >= 2 * baseline"
            [R]
            kind = "combined"
            role = "response"
            when = "{rule}"
        """

        why = "b: B: unknown: baseline missing"
        assert moved(THIRTY, other, "d28 60, d350 15") == ("Y", "NE", why)

    @pytest.mark.parametrize(
        ("timeline", "verdict", "further", "why"),
        [
            ("d0 15, d28 40, d350 15", "N", "", "not confirmed on 2 occasions, at least 7 days apart"),
            (
                "d0 15, d28 40, d30 15, d350 15",
                "N",
                'between = "unbroken"',
                "not confirmed on 2 occasions, at least 7 days apart, no observation between them that fails",
            ),
            ("d0 15, d28 40", "NE", "", "follow-up incomplete"),
        ],
    )
    def test_else_it_is_the_reason_of_the_verdict(self, timeline, verdict, further, why):
        other = THIRTY + f'occasions = 2\napart = "7 days"\n{further}'

        assert moved(THIRTY, other, timeline) == ("Y", verdict, f"b: {why}")

    def test_a_patient_who_meets_neither_has_a_word_of_each(self):
        unless = THIRTY + 'unless = "treatment_discontinued"'

        why = "a: ruled out by discontinuation of treatment; b: follow-up incomplete"
        assert moved(unless, THIRTY, "d0 15, d28 15", discontinued=10) == ("N", "NE", why)


LOSS = """
    [R]
    kind = "achieved"
    when = "platelets >= 30"
    [L]
    kind  = "lost"
    role  = "loss"
    after = "R"
    when  = "platelets < 30"
"""


class TestWhichClauseIsNoLoss:
    """A response of 40 on day 28 and a count of 25 on day 42."""

    @pytest.mark.parametrize(
        ("change", "count", "why"),
        [
            (("< 30", "< 20"), "25", "not lost: a count of at least 20"),
            (("< 30", "< 30 and bleeding_grade >= 1"), "25 bleed ?", "unknown: bleeding not recorded"),
            (("< 30", "< 30 and bleeding_grade >= 1"), "25", "not lost: no bleeding of grade 1 or more"),
            (
                ('"R"', '"R"\noccasions = 2'),
                "25",
                "not lost on 2 occasions, at least 1 day apart, no observation between them that is not a loss",
            ),
            (('"R"', '"R"\nby = 40'), "25", "after day 40"),
        ],
    )
    def test_at_the_count_at_which_the_other_set_has_it(self, change, count, why):
        timeline = f"d0 15, d28 40, d42 {count}, d350 40"

        assert moved(LOSS, LOSS.replace(*change), timeline) == ("Y", "N", f"b: {why}")
        assert moved(LOSS.replace(*change), LOSS, timeline) == ("N", "Y", f"a: {why}")

    def test_without_the_response_there_is_none_to_lose(self):
        other = LOSS.replace(">= 30", ">= 50")

        why = "b: depends on R: fails: a count below 50"
        assert moved(LOSS, other, "d0 15, d28 40, d42 25, d350 40") == ("Y", "NA", why)


FIVE = ("d0 15, d28 60, d350 15", "d0 15, d28 40, d350 15", "d0 15, d28 15, d350 15", "d0 15", "d0 15, d28 40")
"""Under 30 and under 50: met and met, met and not, neither, open and open, met and open."""


class TestCounts:
    def test_a_cross_table_has_every_verdict_that_occurs_and_its_zeros(self):
        (pair,) = compared(THIRTY, FIFTY, *FIVE).pairs

        assert pair.cross_table().rows() == [("Y", 1, 1, 1), ("N", 0, 1, 0), ("NE", 0, 0, 1)]
        assert pair.cross_table().columns == ["a R | b R", "Y", "N", "NE"]

    def test_verdicts_that_only_one_of_the_sets_gives(self):
        (pair,) = compared(LOSS, LOSS.replace(">= 30", ">= 50"), "d0 15, d28 40, d42 25, d350 40").pairs

        assert pair.cross_table().to_dicts() == [{"a L | b L": "Y", "NA": 1}]

    def test_those_who_change_are_listed_with_both_verdicts(self):
        changes = compared(THIRTY, FIFTY, *FIVE, ids=list("vwxyz")).changes()

        assert changes.columns == list(itp_response.compare.__globals__["CHANGES"])
        assert changes.rows() == [
            ("w", None, "response", "a R", "Y", "b R", "N", "b: fails: a count below 50"),
            ("z", None, "response", "a R", "Y", "b R", "NE", "b: fails: a count below 50"),
        ]

    def test_the_frame_has_both_verdicts_of_everybody(self):
        frame = compared(THIRTY, FIFTY, *FIVE).frame()

        assert frame.columns == ["patient_id", "arm", "response a R", "response b R"]
        assert frame["response a R"].to_list() == ["Y", "Y", "N", "NE", "Y"]
        assert frame["response b R"].to_list() == ["Y", "N", "N", "NE", "NE"]

    def test_the_whole_text(self):
        assert str(compared(THIRTY, FIFTY, *FIVE)).splitlines() == [
            "5 patients",
            "  a  Response definition: a",
            "  b  Response definition: b",
            "",
            "Response",
            "  down: a, - (R); across: b, - (R)",
            "      Y  N  NE",
            "  Y   1  1  1",
            "  N   0  1  0",
            "  NE  0  0  1",
            "  2 patients reclassified:",
            "     1  Y -> N  b: fails: a count below 50",
            "        timeline 2",
            "     1  Y -> NE  b: fails: a count below 50",
            "        timeline 5",
        ]

    def test_one_patient_changes_and_nobody_changes(self):
        assert "  1 patient reclassified:" in str(compared(THIRTY, FIFTY, *FIVE[1:4])).splitlines()
        assert str(compared(THIRTY, THIRTY, *FIVE)).splitlines()[-1] == "  no patient reclassified"

    def test_of_many_patients_the_first_are_named_and_of_many_ways_the_most_frequent(self):
        counts = [f"d0 15, d28 {count}, d350 15" for count in (40, 40, 40, 40, 40, 40)]
        assert "timeline 1, timeline 2, timeline 3, timeline 4 and 2 more" in str(compared(THIRTY, FIFTY, *counts))

        names = [f"T{number}" for number in range(12)]
        begun = "".join(
            f'[{name}]\nkind = "achieved"\nwhen = "platelets >= {40 + number}"\n' for number, name in enumerate(names)
        )
        other = f'{begun}[R]\nkind = "combined"\nrole = "response"\nwhen = "{" and ".join(names)}"'
        comparison = compared(THIRTY, other, *(f"d0 15, d28 {39 + number}, d350 15" for number in range(12)))
        assert str(comparison).splitlines()[-1] == "  and 2 patients in 2 other ways; --changes writes all of them"


class TestRoles:
    TWO = THIRTY + '[S]\nkind = "achieved"\nrole = "response"\nwhen = "platelets >= 90"\n'

    def test_of_several_with_a_role_the_first_in_the_file_stands_for_it(self):
        (pair,) = compared(THIRTY, self.TWO, FIVE[0]).pairs

        assert (pair.role, pair.first.name, pair.second.name) == ("response", "R", "R")

    def test_what_only_one_set_has_is_told(self):
        lines = str(compared(LOSS + THIRTY.replace("[R]", "[Q]"), self.TWO, FIVE[0])).splitlines()

        assert lines[3:5] == [
            "no counterpart for these endpoints of a: R, L",
            "no counterpart for these endpoints of b: S",
        ]

    def test_what_has_no_role_is_told_too(self):
        lines = str(compared(THIRTY + '[Z]\nkind = "achieved"\nwhen = "rescue"\n', FIFTY, FIVE[0])).splitlines()

        assert lines[3] == "no counterpart for these endpoints of a: Z"

    def test_sets_without_a_common_role_are_refused(self):
        other = THIRTY.replace('"response"', '"remission"')

        with pytest.raises(UsageError) as error:
            compared(THIRTY, other, FIVE[0])
        assert str(error.value) == (
            "these sets have no role in common, so no endpoints can be compared: a has response; b has remission."
        )

    def test_three_sets_are_the_first_beside_each_of_the_others(self):
        sets = [named(name, THIRTY.replace("30", count)) for name, count in (("a", "30"), ("b", "50"), ("c", "20"))]

        comparison = compare(cohort_of(["d0 15, d28 40, d350 15"]), criteria=sets)

        assert [pair.title for pair in comparison.pairs] == ["a R | b R", "a R | c R"]
        assert comparison.frame().columns[2:] == ["response a R", "response b R", "response c R"]
        assert comparison.changes()["second_set"].to_list() == ["b R"]


TIMED = """
    [R]
    kind = "achieved"
    when = "platelets >= 30"
    [L]
    kind = "lost"
    after = "R"
    when = "platelets < 30"
    [D]
    kind = "time_to"
    role = "duration"
    from = "R"
    to = "L"
"""


class TestLengths:
    def test_of_two_times_the_patients_who_have_one_and_the_medians(self):
        """Days 28 to 42 and 28 to 56; under 50 the second is 20 days, the first has none."""
        timelines = ("d0 15, d28 40, d42 20, d350 40", "d0 15, d28 40, d36 60, d56 20, d350 40", "d0 15, d350 15")
        comparison = compared(TIMED, TIMED.replace(">= 30", ">= 50"), *timelines)

        assert str(comparison).splitlines()[-4:] == [
            "Duration",
            "  a, - (D)  2 patients  median 21 days",
            "  b, - (D)  1 patient   median 20 days",
            "  a different duration by the two sets: 1 patient; a duration by one set only: 1",
        ]
        assert comparison.frame()["duration a D"].to_list() == [14, 28, None]
        assert comparison.frame()["duration b D"].to_list() == [None, 20, None]
        assert comparison.changes().is_empty()

    def test_nobody_has_a_length(self):
        assert "  a, - (D)  0 patients" in str(compared(TIMED, TIMED, "d0 15, d350 15")).splitlines()

    EXTENT = '[E]\nkind = "extent"\nrole = "extent"\nwhen = "platelets >= 30"\ndays = [1, 100]\n'

    def test_extents_are_compared_by_their_days(self):
        """40 from day 21 to day 41, then 20 to day 100."""
        comparison = compared(self.EXTENT, self.EXTENT.replace("30", "50"), "d0 15, d21 40, d42 20, d350 20")

        assert comparison.frame().rows() == [("timeline 1", None, 21, 0)]
        assert comparison.changes().is_empty()

    def test_extents_that_must_reach_a_length_are_compared_by_whether_they_do(self):
        first, second = (f'{self.EXTENT}at_least = "{days} days"\n' for days in (21, 22))
        comparison = compared(first, second, "d0 15, d21 40, d42 20, d350 20")

        assert comparison.frame().rows() == [("timeline 1", None, "Y", "N")]
        assert comparison.changes()["why"].to_list() == ["b: duration too short"]


class TestBest:
    BEST = THIRTY + '[best]\nkind = "best"\nrole = "best"\nof = [{ good = "R" }]\notherwise = "none"\n'

    def test_names_are_set_beside_each_other(self):
        comparison = compared(self.BEST, self.BEST.replace("30", "50"), *FIVE)

        assert str(comparison).splitlines()[-6:] == [
            "  down: a, - (best); across: b, - (best)",
            "        good  none  NE",
            "  good  1     1     1",
            "  none  0     1     0",
            "  NE    0     0     1",
            "  2 patients reclassified, because the endpoints that it combines differ",
        ]
        assert set(comparison.changes()["role"]) == {"response"}


class TestInput:
    def test_one_set_is_not_enough(self):
        for criteria in ((), ["atra_2022"], "atra_2022", load("atra_2022")):
            with pytest.raises(UsageError, match=r"^give two or more sets of criteria, as --criteria atra_2022 "):
                compare(*STUDY, criteria)

    def test_sets_of_one_name_are_told_apart(self):
        comparison = compare(cohort_of(FIVE), criteria=[criteria_of(THIRTY), criteria_of(FIFTY), criteria_of(THIRTY)])

        assert [classification.criteria.name for classification in comparison.classifications] == [
            "worked",
            "worked (2)",
            "worked (3)",
        ]
        assert comparison.frame().columns[2:] == ["response worked R", "response worked (2) R", "response worked (3) R"]

    def test_sets_that_declare_a_column_otherwise_are_refused(self):
        head = HEAD + '[columns]\ndose = {{ type = "number", table = "visits", empty = "{}" }}\n'
        sets = [criteria_of(THIRTY, head.format("unknown")), criteria_of(THIRTY.replace("30", "50"), HEAD)]
        other = replace(
            criteria_of(THIRTY, head.format("unknown").replace('"unknown"', "0")), path=Path("other.toml"), name="other"
        )

        assert compare(cohort_of(FIVE), criteria=sets)
        with pytest.raises(CriteriaError) as error:
            compare(cohort_of(FIVE), criteria=[*sets, other])
        assert str(error.value) == (
            "other.toml: [columns] dose is declared differently in worked.toml; "
            "sets that read the same column must declare it in the same way."
        )

    @pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
    def test_a_column_that_is_optional_in_one_set_alone_is_asked_for(self, names):
        head = HEAD + '[columns]\ndose = { type = "number", table = "patients", empty = 0, optional = %s }\n'
        sets = {name: named(name, THIRTY, head % truth) for name, truth in (("a", "true"), ("b", "false"))}
        rows = [{"patient_id": "1", "day": 0, "platelets": 15}]

        assert "There is no column 'dose'" in str(compare(rows, criteria=[sets[name] for name in names]))
        assert "There is no column 'dose'" not in str(compare(rows, criteria=[sets["a"], sets["a"]]))

    def test_columns_that_any_of_the_sets_declares_are_read(self):
        head = HEAD + '[columns]\ndose = { type = "number", table = "visits", empty = 0 }\n'
        dosed = named("dosed", THIRTY.replace("30", "30 and dose < 10"), head)
        rows = [{"patient_id": "1", "day": day, "platelets": count, "dose": dose} for day, count, dose in DOSED]

        comparison = compare(rows, criteria=[named("a", THIRTY), dosed])

        assert comparison.changes()["why"].to_list() == ["dosed: fails: dose of at least 10"]

    def test_an_empty_cohort(self):
        comparison = compare(cohort_of([]), criteria=["atra_2022", "nct03304288"])

        assert comparison.frame().is_empty()
        assert comparison.changes().is_empty()
        assert str(comparison).startswith("0 patients\n  atra_2022    Response definition: ")

    def test_a_patient_without_observations(self):
        visits = [{"patient_id": "1", "day": day, "platelets": count} for day, count in ((0, 15), (28, 40), (350, 15))]
        patients = [{"patient_id": "1"}, {"patient_id": "2"}]

        comparison = compare(visits, patients, [named("a", THIRTY), named("b", FIFTY)])

        assert comparison.frame()["response b R"].to_list() == ["N", "NE"]
        assert comparison.changes()["patient_id"].to_list() == ["1"]


DOSED = ((0, 15, 0), (28, 40, 20), (350, 15, 0))


class TestExampleStudy:
    def test_counts_are_those_of_classify(self):
        comparison = compare(*STUDY, ["atra_2022", "iwg_2009"])
        one, other = (itp_response.classify(*STUDY, name).frame() for name in ("atra_2022", "iwg_2009"))
        (pair,) = (pair for pair in comparison.pairs if pair.role == "response")

        counts = pl.DataFrame({"one": one["OR"], "other": other["OR"]}).group_by("one", "other").len()
        table = pair.cross_table().unpivot(index=pair.title, variable_name="other", value_name="len")
        assert {row for row in table.iter_rows() if row[2]} == set(counts.iter_rows())

    def test_a_file_of_ones_own_beside_a_shipped_set(self):
        comparison = compare(*STUDY, ["atra_2022", OWN])

        assert [pair.title for pair in comparison.pairs] == [
            "atra_2022 OR | own_definition response",
            "atra_2022 SR | own_definition kept",
        ]


def run(*words):
    return CliRunner().invoke(main, ["compare", *map(str, words)], catch_exceptions=False)


class TestCommand:
    WORDS = (STUDY[0], "--patients", STUDY[1], "--criteria", "atra_2022", "--criteria", OWN)

    @pytest.mark.parametrize(
        ("suffix", "read"),
        [
            (".csv", lambda path: pl.read_csv(path, infer_schema=False).to_dicts()),
            (".json", lambda path: json.loads(path.read_text())),
            (".parquet", lambda path: pl.read_parquet(path).to_dicts()),
        ],
    )
    def test_writes_verdicts_and_changes_to_files(self, tmp_path, suffix, read):
        output, changes = tmp_path / f"out{suffix}", tmp_path / f"changes{suffix}"

        done = run(*self.WORDS, "--output", output, "--changes", changes)

        comparison = compare(*STUDY, ["atra_2022", OWN])
        assert (done.exit_code, done.stdout) == (0, f"{fitted(str(comparison))}\n")
        assert read(output) == comparison.frame().to_dicts()
        assert read(changes) == comparison.changes().to_dicts()

    @pytest.mark.parametrize("option", ["--output", "--changes"])
    def test_another_kind_of_file_is_refused(self, tmp_path, option):
        done = run(*self.WORDS, option, tmp_path / "out.xls")

        assert done.exit_code == 2
        assert done.output == "error: out.xls: unknown kind of output '.xls'; known: .csv, .json, .parquet.\n"
        assert list(tmp_path.iterdir()) == []

    def test_one_set_is_refused(self):
        done = run(STUDY[0], "--criteria", "atra_2022")

        assert done.exit_code == 2
        assert done.output.startswith("error: give two or more sets of criteria")

    def test_sets_that_are_not_verified_are_marked(self):
        done = run(*self.WORDS[:5], "--criteria", "ash_2019")

        assert done.output.splitlines()[2] == "  ash_2019   Response definition: ASH guideline 2019 (unverified)"


ATRA, REGISTERED = load("atra_2022"), load("nct03304288")


@given(patients=strategies.cohorts())
def test_beside_itself_nobody_changes(patients):
    comparison = compare(cohort_of_patients(patients), criteria=[ATRA, ATRA])

    assert comparison.changes().is_empty()
    assert all(len(pair.changed) == 0 for pair in comparison.pairs)


@settings(max_examples=settings.default.max_examples // 2)
@given(patients=strategies.cohorts())
def test_those_who_change_are_those_whom_classify_has_otherwise_and_each_has_a_word_for_it(patients):
    cohort = cohort_of_patients(patients)
    first, second = (itp_response.classify(cohort, criteria=criteria).frame() for criteria in (ATRA, REGISTERED))
    comparison = compare(cohort, criteria=[ATRA, REGISTERED])

    for pair in (pair for pair in comparison.pairs if not (pair.measured or pair.summed)):
        changes = comparison.changes().filter(pl.col("role") == pair.role)
        differing = first.filter(first[pair.first.name] != second[pair.second.name])["patient_id"]
        assert changes["patient_id"].to_list() == differing.to_list()
        assert changes["why"].is_not_null().all()
