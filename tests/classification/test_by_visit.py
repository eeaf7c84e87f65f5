"""The state of an endpoint at each planned visit: `by_visit`, `classify --by-visit`, and ADRS by AVISIT.

Each table has a patient a line; a column per planned day with the value, or the value and the reason.
"""

import json
import os
import tomllib
from contextlib import suppress
from math import inf

import polars as pl
import pytest
import strategies
from click.testing import CliRunner
from hypothesis import given, settings
from worked import criteria_of, rows_of

import itp_response
from itp_response.cli import main
from itp_response.cohort.as_of import AsOf
from itp_response.cohort.cut import cut
from itp_response.cohort.notation import cohort_of
from itp_response.definitions.criteria import read_dict
from itp_response.definitions.load import criteria_folder, load, shipped
from itp_response.messages.errors import UsageError
from itp_response.readers.chunks import ChunkSize
from itp_response.validation import literal
from itp_response.validation.bridge import cohort_of as bridge_cohort
from itp_response.validation.random_patients import random_patients

ATRA = criteria_folder() / "atra_2022.toml"
RAW = tomllib.loads(ATRA.read_text())
HEAD = ("title", "checked", "source", "clock", "baseline")
PATIENTS = 500 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 15
"""Random patients of each set."""
DISCOUNTS = ["days_since_rescue <= 7"]

PLAN = """
title = "of the tests"
checked = "primary"
[source]
cite = "none"
[clock]
day_0 = "enrolment"
visits = [7, 14, 28]
followed_from = 28
[baseline]
days = [-7, 0]
"""
VISITS = """
    [V]
    kind     = "visits"
    when     = "platelets >= 50"
    visits   = [7, 14, 28]
    within   = 2
    at_least = 1
"""


def test_a_visit_that_is_not_due_has_no_row():
    criteria = criteria_of(VISITS, PLAN)
    whole = cohort_of(["d0 15, d7 60, d28 60", "d0 15, d7 60, d13 60, d28 60", "d0 15, d7 60, d26 60"])

    def days_of(day):
        frame = itp_response.classify(cut(whole, AsOf(day)).cohort, criteria=criteria).by_visit()
        return frame.group_by("patient_id", maintain_order=True).agg("visit_day")["visit_day"].to_list()

    # The visit of day 14 without a count is due once its window is over; that of day 28 not before its day.
    assert days_of(14) == [[7], [7, 14], [7]]
    assert days_of(16) == [[7, 14], [7, 14], [7, 14]]
    assert days_of(27) == [[7, 14], [7, 14], [7, 14]]
    assert days_of(28) == [[7, 14, 28]] * 3
    assert days_of(6) == []


def at_visits(text, timelines, head=PLAN, **given):
    """The rows of the last endpoint, by patient and planned day."""
    criteria = criteria_of(text, head)
    cohort = cohort_of(timelines, columns=criteria.file.columns, **given)
    frame = itp_response.classify(cohort, criteria=criteria).by_visit()
    of_last = frame.filter(endpoint=list(criteria.endpoints)[-1])
    return of_last.partition_by("patient_id", maintain_order=True)


def wrong(text, table, head=PLAN, **given):
    """The lines of the table that do not come out so: a cell is a value, or a value and its reason."""
    lines = rows_of(table)
    found = at_visits(text, [line["timeline"] for line in lines], head, **given)
    problems = []
    for line, rows in zip(lines, found, strict=True):
        by_day = {str(row["visit_day"]): row for row in rows.rows(named=True)}
        wanted = {day: cell for day, cell in line.items() if day not in ("timeline", "because")}
        got = {
            day: f"{by_day[day]['value']} {by_day[day]['reason']}" if " " in cell else by_day[day]["value"]
            for day, cell in wanted.items()
        }
        if got != wanted or set(wanted) != set(by_day):
            problems.append(f"{line['timeline']}: wanted {wanted}, found {got} of {list(by_day)}")
    return problems


class TestPlannedVisits:
    """Kind `visits`: its own visits, the count that it uses, and what it makes of a visit that is missing."""

    def test_the_count_used(self):
        """The nearest in the window; of two as near the later."""
        assert not wrong(
            VISITS,
            """
            timeline                | 7               | 14            | 28            | because
            d7 50, d14 49, d28 60   | Y met           | N platelets   | Y met         | on the day
            d5 50, d16 50, d31 60   | Y               | Y             | N no_counts   | within two days, or not
            d6 60, d8 12, d14 50    | N               | Y             | N             | of two as near the later
            d6 12, d9 60, d14 50    | N               | Y             | N             | the nearer
            """,
        )

    @pytest.mark.parametrize(("missing", "value"), [("fails", "N"), ("unknown", "NE"), ("left_out", "NA")])
    def test_missing(self, missing, value):
        rows = at_visits(f'{VISITS}\nmissing = "{missing}"', ["d7 60, d28 60"])[0]

        assert rows["value"].to_list() == ["Y", value, "Y"]
        assert rows["reason"].to_list() == ["met", "no_counts", "met"]
        assert rows["day"].to_list() == [7, None, 28]

    @pytest.mark.parametrize(("discounted", "value"), [("fails", "N"), ("unknown", "NE"), ("left_out", "NA")])
    def test_discounted(self, discounted, value):
        """After rescue treatment; a count that fails anyway fails."""
        text = f'{VISITS}\ndiscount = "days_since_rescue <= 7"\ndiscounted = "{discounted}"'
        assert not wrong(
            text,
            f"""
            timeline                        | 7 | 14                  | 28
            d7 60, d10 rescue, d14 60, d28 60 | Y | {value} discounted | Y met
            d7 60, d10 rescue, d14 12, d28 60 | Y | N platelets         | Y
            """,
        )

    def test_set_aside(self):
        """As if the count were not there: another in the window is used."""
        assert not wrong(
            f'{VISITS}\nset_aside = "rescue"',
            """
            timeline                              | 7 | 14          | 28
            d7 60, d13 12, d14 60 rescue, d28 60  | Y | N platelets | Y
            d7 60, d14 60 rescue, d28 60          | Y | N no_counts | Y
            """,
        )

    def test_closed_by(self):
        """From the row that closes it on, and for visits planned for its day or later."""
        assert not wrong(
            f'{VISITS}\nclosed_by = "rescue"',
            """
            timeline                        | 7        | 14       | 28
            d7 60, d10 rescue, d14 60       | Y met    | N rescue | N rescue
            d7 60, d14 60 rescue, d28 60    | Y        | N rescue | N rescue
            d7 60, d15 60, d16 rescue       | Y        | Y        | N rescue
            """,
        )

    def test_unknown(self):
        assert not wrong(
            VISITS.replace("platelets >= 50", "platelets >= 50 and bleeding_grade == 0"),
            """
            timeline                      | 7                        | 14         | 28
            d7 60 bleed ?, d14 60 bleed 1 | NE bleeding_not_recorded | N bleeding | N no_counts
            """,
        )

    def test_without_platelets(self):
        """A state of visits that names no count is told at its visits too."""
        assert not wrong(
            VISITS.replace("platelets >= 50", "bleeding_grade == 0"),
            """
            timeline                | 7 | 14 | 28
            d7 60, d14 60 bleed 2   | Y | N  | N
            """,
        )


class TestTheClocksVisits:
    """Other kinds: the visits of the `[clock]`, a day belonging to the nearest, of two as near the earlier."""

    ACHIEVED = """
        [R]
        kind      = "achieved"
        when      = "platelets >= 50"
        occasions = 2
        days      = [10, 28]
        {}
    """

    def test_the_windows(self):
        """Half way between: to the earlier. Day 0 takes the counts near it; the last reaches as far as before it."""
        assert not wrong(
            self.ACHIEVED.format(""),
            """
            timeline               | 7            | 14 | 28           | because
            d3 60, d10 60, d21 60  | Y met        | Y  | NE no_counts | day 3 is day 0's, day 21 is week 2's
            d4 60, d11 60, d22 60  | Y            | Y  | Y            | a day later each is the next one's
            d35 60                 | NE           | NE | Y            | 7 days after the last
            d36 60                 | NE           | NE | NE           | 8 days after it
            d6 12, d8 60           | N            | NE | NE           | of two as near the earlier
            """,
        )

    def test_neither_days_nor_occasions_matter(self):
        """The state of the visit alone: day 7 lies outside `days`, and nothing confirms it."""
        rows = at_visits(self.ACHIEVED.format(""), ["d7 60, d14 12, d28 12"])[0]
        assert rows["value"].to_list() == ["Y", "N", "N"]

    def test_discount_and_closing(self):
        assert not wrong(
            self.ACHIEVED.format('discount = "days_since_rescue <= 7"\nclosed_by = "rescue and day > 20"'),
            """
            timeline                                  | 7 | 14           | 28
            d7 60, d10 rescue, d14 60, d28 60         | Y | N discounted | Y met
            d7 60, d14 60, d22 rescue, d28 60         | Y | Y            | N rescue
            d7 60, d8 rescue, d22 rescue              | Y | NE no_counts | N rescue
            """,
        )

    def test_unless(self):
        """Who is excluded is `N` at every visit."""
        text = self.ACHIEVED.format('unless = "treatment_discontinued"')
        assert not wrong(
            text,
            """
            timeline      | 7              | 14             | 28
            d7 60, d14 60 | N discontinued | N discontinued | N discontinued
            """,
            treatment_discontinued=[20],
        )

    def test_which_endpoints(self):
        """Neither a loss nor what names no count, nor what is decided from others."""
        criteria = criteria_of(
            self.ACHIEVED.format("")
            + """
            [lost]
            kind  = "lost"
            after = "R"
            when  = "platelets < 20"
            [bled]
            kind = "achieved"
            when = "bleeding_grade > 1"
            [T]
            kind = "time_to"
            to   = "R"
            [landmark]
            kind   = "at"
            when   = "platelets >= 50"
            day    = 28
            within = [21, 35]
            """,
            PLAN,
        )
        frame = itp_response.classify(cohort_of(["d7 60"]), criteria=criteria).by_visit()
        assert frame["endpoint"].unique(maintain_order=True).to_list() == ["R", "landmark"]

    def test_without_planned_visits(self):
        criteria = criteria_of(self.ACHIEVED.format(""), PLAN.replace("visits = [7, 14, 28]", ""))
        study = itp_response.classify(cohort_of(["d7 60"]), criteria=criteria)
        for output in (study.by_visit, lambda: itp_response.table(study, show=["by_visit"])):
            with pytest.raises(UsageError, match="no endpoint has a state at planned visits; that takes"):
                output()


class TestWhatIsKnownInPart:
    """A visit is completed like an endpoint: what is the same in all completions is given."""

    def test_a_censored_count(self):
        rows = at_visits(VISITS, ["d7 <50, d14 <60, d28 >40"])[0]
        assert rows["value"].to_list() == ["N", "NE", "NE"]
        assert rows["reason"].to_list() == ["platelets", "censored_count", "censored_count"]
        assert rows["platelets"].to_list() == [None] * 3
        assert rows["platelets_low"].to_list() == [0, 0, 40]
        assert rows["platelets_high"].to_list() == [50, 60, inf]

    def test_a_partial_date(self):
        """A count of March: the visits that it may be of are open, the others are not."""
        criteria = criteria_of(f'{VISITS}\nmissing = "unknown"', PLAN)
        visits = [
            {"patient_id": "1", "date": date, "platelets": count}
            for date, count in [("2024-02-01", 15), ("2024-02-08", 60), ("2024-02", 12), ("2024-02-29", 60)]
        ]
        patients = [{"patient_id": "1", "enrolment_date": "2024-02-01"}]
        frame = itp_response.classify(visits, patients, criteria=criteria).by_visit()
        assert frame["value", "reason"].rows() == [
            ("NE", "partial_date"),
            ("NE", "partial_date"),
            ("NE", "partial_date"),
        ]


class TestOutputs:
    """The same table whichever way it is asked for."""

    STUDY = ("examples/visits.csv", "examples/patients.csv")

    @pytest.fixture(scope="class")
    @classmethod
    def study(cls):
        return itp_response.classify(*cls.STUDY)

    def test_the_columns(self, study):
        frame = study.by_visit()
        assert frame.columns == [
            *("patient_id", "arm", "endpoint", "visit_day", "week", "value"),
            *("day", "date", "platelets", "platelets_low", "platelets_high", "reason"),
        ]
        visits, endpoints = len(study.criteria.clock.visits), frame["endpoint"].n_unique()
        assert len(frame) == len(study.cohort) * endpoints * visits
        order = frame.unique(["patient_id"], maintain_order=True)["patient_id"].to_list()
        assert order == study.cohort.id.to_list()

    def test_a_file_has_the_bytes_of_a_frame(self, study, tmp_path):
        """In one piece, in chunks, and printed."""
        study.write(tmp_path / "whole.csv", by_visit=True)
        itp_response.classify_to(tmp_path / "chunks.csv", *self.STUDY, by_visit=True, size=ChunkSize(rows=500))
        arguments = ["classify", self.STUDY[0], "--patients", self.STUDY[1], "--by-visit"]
        printed = CliRunner().invoke(main, arguments)

        whole = (tmp_path / "whole.csv").read_bytes()
        assert (tmp_path / "chunks.csv").read_bytes() == whole
        assert printed.stdout.encode() == whole
        told = json.loads((tmp_path / "whole.csv.provenance.json").read_text())
        assert told["options"]["by_visit"] is True

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--long", "--by-visit"], "--long and --by-visit: give one of them."),
            (["--by-visit", "--format", "table"], "--by-visit and --format table: the table has a row per patient"),
        ],
    )
    def test_one_shape_at_a_time(self, options, message):
        done = CliRunner().invoke(main, ["classify", self.STUDY[0], *options])
        assert done.exit_code == 2
        assert message in done.stderr

    @pytest.mark.parametrize("name", ["atra_2022", "raise", "nct00415532"])
    def test_adrs_by_visit_is_the_same(self, name):
        """The records analysed for a visit have the value, the reason and the day of `by_visit`."""
        study = itp_response.classify(*self.STUDY, criteria=name)
        analysis = itp_response.adam(study, study="S")
        codes = {one.endpoint: one.code for one in analysis.parameters if one.what == "visit"}
        mine = study.by_visit().drop_nulls("day").filter(pl.col("value") != "NA")
        adrs = analysis.frame("ADRS").filter(ANL01FL="Y").filter(pl.col("AVISITN").is_not_null())

        wanted = mine.select(
            pl.col("patient_id"),
            pl.col("endpoint").replace_strict(codes),
            study_day(pl.col("visit_day")),
            study_day(pl.col("day")),
            pl.col("value"),
            pl.col("reason"),
        )
        found = adrs.select("USUBJID", "PARAMCD", "AVISITN", "ADY", "AVALC", "ARSNCD")
        planned = set(study.by_visit()["visit_day"].unique().to_list())
        if 0 not in planned:
            found = found.filter(pl.col("AVISITN") != 1)
        assert sorted(found.rows()) == sorted(wanted.rows())


def study_day(day):
    """The study day of a day from day 0: there is none of that number before it."""
    return pl.when(day >= 0).then(day + 1).otherwise(day)


class TestLaw:
    """The states at the visits of an endpoint of kind `visits` add up to its result."""

    @settings(max_examples=15, deadline=None)
    @given(
        patients=strategies.cohorts(), table=strategies.on_planned_visits(["platelets >= 30"], DISCOUNTS, ["rescue"])
    )
    def test_enough_visits_are_met_too_few_are_not(self, patients, table):
        """As many `Y` as it asks for: `Y`; fewer even with each `NE`: `N`. What is left out is `NA`."""
        for key in ("closed_by", "in_any", "share", "more_than", "of_at_least", "too_few"):
            table.pop(key, None)
        table = {"at_least": 2, **table}
        raw = {key: value for key, value in RAW.items() if key in HEAD}
        criteria = read_dict({**raw, "on": table}, ATRA, "variant")
        study = itp_response.classify(bridge_cohort(patients), criteria=criteria)
        by_patient = study.by_visit().partition_by("patient_id", maintain_order=True)
        for result, rows in zip(study.frame()["on"], by_patient, strict=True):
            met, open_ = (int((rows["value"] == value).sum()) for value in ("Y", "NE"))
            assert rows["visit_day"].to_list() == table["visits"]
            if met >= table["at_least"]:
                assert result == "Y"
            if met + open_ < table["at_least"]:
                assert result == "N"


class TestTwoReadings:
    @pytest.mark.parametrize("name", shipped())
    def test_the_literal_reading_has_the_same_states(self, name):
        criteria = load(name)
        patients = random_patients(criteria.raw, PATIENTS, 7)
        classification = itp_response.classify(bridge_cohort(patients, criteria.file.columns), criteria=criteria)
        if not classification.visit_results.visits:
            assert all(literal.states_by_visit(dict(criteria.raw), patient) == {} for patient in patients)
            return
        columns = ("patient_id", "endpoint", "visit_day", "value", "reason", "day")
        decided = {row[:3]: row[3:] for row in classification.by_visit().select(columns).rows()}
        read = {}
        for number, patient in enumerate(patients):
            with suppress(literal.TooManyCompletionsError):
                for (endpoint, day), one in literal.states_by_visit(dict(criteria.raw), patient).items():
                    read[f"P{number}", endpoint, day] = (one.value, one.reason, one.day)

        assert len(read) > len(decided) / 2
        assert {key: (one, decided[key]) for key, one in read.items() if one != decided.get(key)} == {}
