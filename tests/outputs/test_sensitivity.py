"""Sensitivity: every interpretation of a set on one cohort, and whose verdict depends on which."""

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
from itp_response.classification.classification import classify
from itp_response.cli import main
from itp_response.cohort.notation import cohort_of
from itp_response.definitions.load import load
from itp_response.messages.errors import CohortError, UsageError
from itp_response.messages.wording import fitted
from itp_response.outputs.comparison.sensitivity import TOGETHER, sensitivity
from itp_response.readers import visits as reader
from itp_response.validation.bridge import cohort_of as cohort_of_patients

ROOT = Path(__file__).parents[2]
STUDY = (str(ROOT / "examples" / "visits.csv"), str(ROOT / "examples" / "patients.csv"))
OWN = ROOT / "examples" / "own_definition.toml"

RESPONSE = """
    [R]
    kind = "achieved"
    when = "platelets >= 30"
    [S]
    kind = "maintained"
    from = "R"
    for = "4 weeks"
    when = "platelets >= 30"
    [T]
    kind = "time_to"
    to = "R"
"""


def interpretation(name, change):
    return f'\n[[interpretation]]\nid = "{name}"\nquestion = "-"\nassumed = "-"\n{f"change = {change}" if change else ""}\n'


FIFTY = interpretation("fifty", '{ R.when = "platelets >= 50" }')
NO_BLEEDING = interpretation("no-bleeding", '{ R.when = "platelets >= 30 and not bleeding_grade >= 2" }')
FROM_DAY_15 = interpretation("from-day-15", "{ R.days = [15, 365] }")
WITHOUT_S = interpretation("without-S", '{ S = "" }')


def set_of(text):
    return replace(criteria_of(text), name="tried")


def tried(text, *timelines, arms=(), **options):
    """The interpretations of a set on these patients, each in the arm of his place."""
    cohort = cohort_of(timelines)
    cohort = replace(cohort, arm=pl.Series("arm", list(arms) or [None] * len(timelines), dtype=pl.String))
    return sensitivity(cohort, criteria=set_of(text), **options)


FOUR = (
    "d0 15, d7 60, d14 60, d42 60, d350 15",
    "d0 15, d7 40, d14 40, d42 40, d350 15",
    "d0 15, d7 15, d350 15",
    "d0 15",
)
"""60 and 40 for five weeks from day 7 on, 15, and not seen again."""


class TestVerdicts:
    def test_are_those_of_classify_as_the_file_has_it_and_under_each_interpretation(self):
        criteria = load("atra_2022")
        analysis = sensitivity(*STUDY, criteria, together=True)

        assert analysis.base.frame().equals(classify(*STUDY, criteria).frame())
        ids = [interpretation.id for interpretation in criteria.file.interpretation]
        assert set(analysis.untried) == {"discontinued-before-planned-end", "death-is-discontinuation"}
        ids = [name for name in ids if name not in analysis.untried]
        assert list(analysis.under) == [*ids, TOGETHER]
        for interpretation in ids:
            assert (
                analysis.under[interpretation].frame().equals(classify(*STUDY, criteria.under(interpretation)).frame())
            )
        assert analysis.under[TOGETHER].frame().equals(classify(*STUDY, criteria.under(*ids)).frame())

    def test_the_study_is_read_once(self, monkeypatch):
        times, read = [], reader.read
        monkeypatch.setattr(reader, "read", lambda *given, **options: times.append(given) or read(*given, **options))

        sensitivity(*STUDY, together=True)

        assert len(times) == 1

    def test_a_cohort_is_taken_as_it_is(self):
        cohort = cohort_of(FOUR)

        assert sensitivity(cohort, criteria=set_of(RESPONSE + FIFTY)).cohort is cohort


class TestWhoDepends:
    def test_a_row_per_patient_endpoint_and_interpretation(self):
        """Under 50 the second has no response; from day 15 on the first two have one on day 42, and keep nothing."""
        analysis = tried(RESPONSE + FIFTY + FROM_DAY_15, *FOUR, arms=list("ABAB"))

        assert analysis.dependent().rows() == [
            ("timeline 2", "B", "R", "Y", "fifty", "N"),
            ("timeline 2", "B", "S", "Y", "fifty", "N"),
            ("timeline 1", "A", "S", "Y", "from-day-15", "N"),
            ("timeline 2", "B", "S", "Y", "from-day-15", "N"),
        ]

    def test_nobody(self):
        analysis = tried(RESPONSE + NO_BLEEDING, *FOUR)

        assert analysis.dependent().is_empty()
        assert analysis.dependent().columns == [
            "patient_id",
            "arm",
            "endpoint",
            "verdict",
            "interpretation",
            "verdict_under",
        ]

    def test_an_endpoint_that_a_interpretation_takes_out_has_no_verdict_there(self):
        analysis = tried(RESPONSE + WITHOUT_S, *FOUR)

        assert analysis.dependent().is_empty()
        assert analysis.frame().filter(interpretation="without-S")["endpoint"].unique().to_list() == ["R"]
        assert "  without-S  endpoint removed" in str(analysis).splitlines()

    def test_a_length_that_must_be_reached_is_a_verdict(self):
        extent = '[E]\nkind = "extent"\nwhen = "platelets >= 30"\ndays = [1, 100]\nat_least = "40 days"\n'
        analysis = tried(
            extent + interpretation("longer", '{ E.at_least = "99 days" }'), "d0 15, d7 60, d60 15, d350 15"
        )

        assert analysis.dependent().rows() == [("timeline 1", None, "E", "Y", "longer", "N")]

    def test_an_empty_cohort(self):
        analysis = tried(RESPONSE + FIFTY)

        assert analysis.dependent().is_empty()
        assert str(analysis).startswith("0 patients\nResponse definition: tried\n")


class TestFrame:
    def test_counts_of_each_verdict_as_the_file_has_it_and_under_each_interpretation(self):
        frame = tried(RESPONSE + FIFTY, *FOUR).frame().filter(endpoint="R")

        assert frame.rows() == [
            (None, "R", "Y", 2, None),
            (None, "R", "N", 1, None),
            (None, "R", "NE", 1, None),
            ("fifty", "R", "Y", 1, None),
            ("fifty", "R", "N", 2, None),
            ("fifty", "R", "NE", 1, None),
        ]

    def test_a_verdict_that_nobody_has_is_left_out_but_for_the_first(self):
        frame = tried(RESPONSE + FIFTY, FOUR[2], FOUR[2], arms=list("AB")).frame().filter(endpoint="R")

        assert frame.rows()[:2] == [(None, "R", "Y", 0, 0.0), (None, "R", "N", 2, None)]

    def test_difference_of_two_arms(self):
        """A: 60 and 40 of three patients, B: none of one. Under 50 the 40 is no response."""
        analysis = tried(RESPONSE + FIFTY, *FOUR[:3], FOUR[3], arms=list("AAAB"))

        met = analysis.frame().filter(endpoint="R", verdict="Y")
        assert met["arm_difference"].to_list() == [pytest.approx(2 / 3), pytest.approx(1 / 3)]
        assert (
            analysis.frame().filter(verdict="N")["arm_difference"].null_count()
            == analysis.frame().filter(verdict="N").height
        )

    def test_who_is_not_evaluable_counts_as_not_met(self):
        """A: one response of two, the other not seen again; B: none of two."""
        analysis = tried(RESPONSE + FIFTY, FOUR[0], FOUR[3], FOUR[2], FOUR[2], arms=list("AABB"))

        assert analysis.frame().row(0) == (None, "R", "Y", 1, 0.5)

    def test_patients_without_an_arm_are_in_neither(self):
        analysis = tried(RESPONSE + FIFTY, FOUR[0], FOUR[2], FOUR[0], arms=["A", "B", None])

        assert analysis.frame().row(0) == (None, "R", "Y", 2, 1.0)

    @pytest.mark.parametrize("arms", [list("AAAA"), list("ABCA"), [None] * 4])
    def test_one_or_three_arms_have_no_difference(self, arms):
        analysis = tried(RESPONSE + FIFTY, *FOUR, arms=arms)

        assert analysis.frame()["arm_difference"].null_count() == len(analysis.frame())
        assert "points" not in str(analysis)


class TestText:
    def test_whole(self):
        analysis = tried(RESPONSE + FIFTY + NO_BLEEDING + FROM_DAY_15, *FOUR, arms=list("AABB"))

        assert str(analysis).splitlines() == [
            "4 patients in 2 arms",
            "Response definition: tried",
            "3 alternative interpretations tested, one at a time",
            "Risk difference (A minus B), percentage points;",
            "  non-evaluable patients counted as non-responders (ITT)",
            "assumed: the reference group is B, the last by name; --reference names another.",
            "",
            "- (R)                      Y 2  N 1  NE 1  +100.0 points",
            "  fifty        1 patient   Y -1  N +1      +50.0 points",
            "- (S)                      Y 2  N 1  NE 1  +100.0 points",
            "  fifty        1 patient   Y -1  N +1      +50.0 points",
            "  from-day-15  2 patients  Y -2  N +2      +0.0 points",
            "",
            "fifty changes T (1 patient).",
            "from-day-15 changes T (2 patients).",
            "No result depends on no-bleeding.",
            "At least one result of 2 patients depends on an interpretation; 2 patients have the same results under each.",
            "  timeline 1  from-day-15  S Y -> N",
            "  timeline 2  fifty        R Y -> N, S Y -> N",
            "  timeline 2  from-day-15  S Y -> N",
        ]

    def test_nobody_depends(self):
        analysis = tried(
            RESPONSE + NO_BLEEDING + WITHOUT_S.replace("without-S", "other").replace('{ S = "" }', SAME), *FOUR
        )

        assert str(analysis).splitlines()[-2:] == [
            "No result depends on no-bleeding or other.",
            "No result depends on an interpretation.",
        ]

    def test_an_interpretation_that_only_changes_a_length(self):
        """The response of 60 on days 7 and 14, dated by the second."""
        twice = RESPONSE.split("[S]")[0] + 'occasions = 2\n[T]\nkind = "time_to"\nto = "R"\n'
        analysis = tried(twice + interpretation("confirming", '{ R.dated_by = "confirming" }'), FOUR[0])

        assert analysis.under["confirming"].frame()["T_days"].to_list() == [14]
        assert str(analysis).splitlines()[-2:] == [
            "confirming changes T (1 patient).",
            "No result depends on an interpretation.",
        ]

    def test_patients_who_change_places(self):
        """Under other limits the one has no response any more and the other has one: the numbers stay."""
        analysis = tried(
            RESPONSE.split("[S]")[0] + interpretation("turned", '{ R.when = "30 > platelets >= 20" }'),
            "d0 15, d7 40, d350 15",
            "d0 15, d7 25, d350 15",
        )

        assert "  turned  2 patients" in str(analysis).splitlines()

    def test_all_together_comes_last_and_is_no_interpretation_of_its_own(self):
        analysis = tried(RESPONSE + FIFTY + FROM_DAY_15, *FOUR, together=True)
        lines = str(analysis).splitlines()

        assert lines[2] == "2 alternative interpretations tested, one at a time, then all together"
        assert lines[6].startswith("  all together  1 patient ")
        assert not [line for line in lines if line.startswith("  timeline") and "all together" in line]

    def test_an_interpretation_that_the_file_gives_no_change_for(self):
        analysis = tried(RESPONSE + FIFTY + interpretation("in-words", ""), *FOUR)

        assert "in-words" not in analysis.under
        assert str(analysis).splitlines()[2:4] == [
            "1 alternative interpretation tested, one at a time",
            "not tested: in-words: the file does not say what it changes",
        ]

    def test_an_interpretation_by_calendar_months_where_there_are_only_days(self):
        months = interpretation("months", '{ S.for = "1 month" }')
        analysis = tried(RESPONSE + FIFTY + months, *FOUR, together=True)

        assert list(analysis.under) == ["fifty", TOGETHER]
        assert analysis.under[TOGETHER].frame().equals(analysis.under["fifty"].frame())
        assert "not tested: months: 1 month are calendar months, which need dates; " in str(analysis)
        with pytest.raises(CohortError):
            tried(RESPONSE.replace("4 weeks", "1 month") + FIFTY, *FOUR)

    def test_an_interpretation_that_would_read_the_data_otherwise(self):
        head = HEAD + '[columns]\ndose = { type = "number", table = "visits", empty = 0 }\n'
        interpretations = FIFTY + interpretation("dose-unknown", '{ columns.dose.empty = "unknown" }')
        criteria = criteria_of(RESPONSE.replace(">= 30", ">= 30 and dose < 10") + interpretations, head)
        cohort = cohort_of(FOUR, columns=criteria.file.columns)

        assert sensitivity(cohort, criteria=criteria).untried == {"dose-unknown": "it needs other columns of the data"}

    def test_a_column_that_an_interpretation_alone_asks_for(self):
        """Where nothing is recorded in it, the interpretation is not tried, and this is said."""
        head = HEAD + '[columns]\ndied = { type = "number", table = "patients", empty = inf, optional = true }\n'
        asks = interpretation("death", '{ columns.died.optional = false, R.unless = "died <= 365" }')
        criteria = criteria_of(RESPONSE + asks, head)
        visits = [{"patient_id": "A", "day": day, "platelets": 60} for day in (0, 7, 364)]
        missing = "There is no column 'died'; assumed to be inf throughout."

        with_it = sensitivity(visits, [{"patient_id": "A", "died": 20}], criteria)
        without = sensitivity(visits, [{"patient_id": "A"}], criteria)

        assert with_it.dependent()["endpoint", "verdict_under"].rows() == [("R", "N"), ("S", "N")]
        assert with_it.untried == {}
        assert without.untried == {"death": "it needs the patient column died, in which nothing is recorded"}
        assert str(sensitivity(classify(visits, [{"patient_id": "A"}], criteria))) == str(without)
        assert missing not in classify(visits, [{"patient_id": "A"}], criteria).summary()
        assert missing in classify(visits, [{"patient_id": "A"}], criteria.under("death")).summary()

    def test_of_many_patients_the_first_are_shown(self):
        lines = str(tried(RESPONSE + FIFTY, *[FOUR[1]] * 12)).splitlines()

        assert lines[-2].startswith("  timeline 10")
        assert lines[-1] == "  and 2 more; --output writes all of them"


SAME = '{ S.when = "platelets > 29" }'


class TestRefused:
    @pytest.mark.parametrize("interpretations", ["", interpretation("in-words", "")])
    def test_a_set_without_interpretations(self, interpretations):
        with pytest.raises(UsageError) as error:
            tried(RESPONSE + interpretations, *FOUR)
        assert (
            str(error.value) == "worked.toml: this set has no alternative interpretations, so there is nothing to test."
        )

    def test_interpretations_that_cannot_stand_together(self):
        combined = '[R]\nkind = "combined"\nwhen = "S"\n[S]\nkind = "achieved"\nwhen = "platelets >= 30"\n'
        alone = interpretation("alone", '{ R = { kind = "achieved", when = "platelets >= 30" } }')
        other = interpretation("other", '{ R.when = "not S" }')

        assert tried(combined + alone + other, *FOUR)
        with pytest.raises(UsageError) as error:
            tried(combined + alone + other, *FOUR, together=True)
        assert str(error.value).startswith(
            "worked.toml: its interpretations cannot be combined; omit --together to test them one at a time.\n"
        )


class TestCommand:
    WORDS = ("sensitivity", STUDY[0], "--patients", STUDY[1], "--criteria", str(OWN))

    @pytest.mark.parametrize(
        ("suffix", "read"),
        [
            (".csv", lambda path: pl.read_csv(path, infer_schema=False).to_dicts()),
            (".json", lambda path: json.loads(path.read_text())),
            (".parquet", lambda path: pl.read_parquet(path).to_dicts()),
        ],
    )
    def test_writes_those_who_depend_to_a_file(self, tmp_path, suffix, read):
        output = tmp_path / f"out{suffix}"

        done = CliRunner().invoke(main, [*self.WORDS, "--output", str(output)], catch_exceptions=False)

        analysis = sensitivity(*STUDY, OWN)
        assert (done.exit_code, done.stdout) == (0, f"{fitted(str(analysis))}\n")
        assert read(output) == analysis.dependent().to_dicts()

    def test_another_kind_of_file_is_refused(self, tmp_path):
        done = CliRunner().invoke(main, [*self.WORDS, "--output", str(tmp_path / "out.xls")])

        assert done.exit_code == 2
        assert done.output == "error: out.xls: unknown kind of output '.xls'; known: .csv, .json, .parquet.\n"

    def test_all_together(self):
        done = CliRunner().invoke(main, [*self.WORDS, "--together"])

        assert "\n  all together " in done.output

    def test_a_set_that_is_not_verified_is_marked(self):
        done = CliRunner().invoke(main, [*self.WORDS[:4], "--criteria", "ash_2019"])

        assert done.output.splitlines()[1] == "Response definition: ASH guideline 2019 (unverified)"


ATRA = load("atra_2022")


@settings(max_examples=settings().max_examples // 6)  # each decides the cohort by all interpretations
@given(patients=strategies.cohorts())
def test_nobody_but_the_dependent_comes_out_otherwise(patients):
    """Under every interpretation those listed have the verdict listed, and all others that of the file."""
    analysis = sensitivity(cohort_of_patients(patients), criteria=ATRA)

    base = analysis.base.frame()
    frames = {interpretation: under.frame() for interpretation, under in analysis.under.items()}
    listed = {row[:1] + row[2:] for row in analysis.dependent().iter_rows()}
    differing = {
        (patient, name, before, interpretation, after)
        for interpretation, frame in frames.items()
        for name in analysis.names
        for patient, before, after in zip(base["patient_id"], base[name], frame[name], strict=True)
        if before != after
    }
    assert listed == differing


def test_arms_of_the_example_study_are_those_of_the_paper():
    """90 of 112 and 33 of 56 patients."""
    analysis = itp_response.sensitivity(*STUDY)

    assert analysis.arms == ("ATRA + LD-RTX", "LD-RTX")
    assert analysis.frame().filter(pl.col("interpretation").is_null(), endpoint="OR", verdict="Y")[
        "arm_difference"
    ].to_list() == [pytest.approx(90 / 112 - 33 / 56)]
