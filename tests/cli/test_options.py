"""What every command that reads a study does alike: dates imputed and rows left out are told in each output."""

import datetime
import json
from dataclasses import fields
from pathlib import Path

import polars as pl
import pyreadstat
import pytest
from click.testing import CliRunner

import itp_response
from itp_response.cli import main
from itp_response.cli.options import OPTIONS_OF_READING
from itp_response.readers.options import ReadOptions

# P1 has rescue treatment in May, on a day that is not known, and a last count that cannot be read. P2 is whole.
VISITS = """
patient_id,date,platelets,bleeding_grade,rescue,rescue_end
P1,2019-04-01,15,0,,
P1,2019-04-29,60,0,,
P1,2019-05,,,IVIg,
P1,2019-06-10,12,0,,
P1,2019-06-17,4o,0,,
P2,2019-04-01,15,0,,
P2,2019-04-29,60,0,,
P2,2019-05-06,60,0,,
P2,2020-04-05,60,0,,
"""
EXPECTED = Path(__file__).with_name("expected.csv")
COMMANDS = {
    "classify": "classify {} --output {}/out.csv",
    "explain": "explain {} --patient P1 --endpoint late_rescue",
    "compare": "compare {} --criteria atra_2022 --criteria iwg_2009 --output {}/out.csv",
    "sensitivity": "sensitivity {} --output {}/out.csv",
    "review": "review {} --output {}/out.csv",
    "adam": "adam {} --study S --format csv --output {}/out",
    "table": "table {} --output {}/out.csv",
    "predictors": "predictors {} --column baseline --output {}/out.csv",
    "plot": "plot swimmer {} --output {}/out.svg",
    "report": "report {} --output {}/out.html",
    "near-misses": "near-misses {} --endpoint OR --output {}/out.csv",
    "validate": f"validate {{}} --expected {EXPECTED} --shipped fit --generated 1 --output {{}}/out",
}
"""Every command that reads a study, but `teach`, which serves until it is told to end."""
IMPUTE = "--impute first --on-error quarantine --quarantine-file {}/left.csv"


@pytest.fixture
def visits(tmp_path):
    path = tmp_path / "visits.csv"
    path.write_text(VISITS.lstrip())
    return path


def run(name, visits, options):
    command = COMMANDS[name].format(visits, visits.parent)
    return CliRunner().invoke(main, [*command.split(), *options.format(visits.parent).split()], catch_exceptions=False)


def test_no_command_reads_a_study_without_the_options():
    taken = {name: {one.name for one in command.params} for name, command in main.commands.items()}
    given = {name: names for name, names in taken.items() if "visits" in names}

    assert {*COMMANDS, "teach"} == set(given)
    assert [name for name, names in given.items() if not {*OPTIONS_OF_READING, "quarantine_file"} <= names] == []
    assert {field.name for field in fields(ReadOptions)} == set(OPTIONS_OF_READING)


@pytest.mark.parametrize("name", COMMANDS)
class TestEveryCommand:
    def test_says_what_was_imputed_and_left_out(self, name, visits):
        done = run(name, visits, IMPUTE)

        assert done.exit_code == 0, done.stderr
        told = " ".join(done.output.split())  # what is printed is folded to a width
        if name == "explain":
            assert told.partition(" written to ")[0].endswith(
                "imputed: the date of visits.csv line 4 is only '2019-05', imputed as 2019-05-01 "
                "excluded because they cannot be read: 1 row of this patient"
            )
            return
        assert (
            "warning: date: 1 date is known only in part ('2019-05'); "
            "imputed as the first possible day, as specified." in told
        )
        left_out = "warning: Quarantined as unreadable: 1 cell of 1 row, the rest of which is used"
        assert f"{left_out}; 1 patient ('P1')." in told

    def test_writes_what_was_left_out(self, name, visits):
        run(name, visits, IMPUTE)

        left = pl.read_csv(visits.parent / "left.csv")
        assert left.select("file", "line", "column", "value", "patient_id").rows() == [
            ("visits.csv", 6, "platelets", "4o", "P1")
        ]
        made = json.loads((visits.parent / "left.csv.provenance.json").read_text())
        assert (made["options"]["impute"], made["options"]["on_error"]) == ("first", "quarantine")

    def test_reads_nothing_past_an_error_unless_told(self, name, visits):
        done = run(name, visits, "")

        assert done.exit_code == 2
        assert done.output == (
            "error: visits.csv: line 6: platelets: '4o' is not a number; "
            "give 10⁹/L, a bound such as '<10', or leave the cell empty.\n"
        )
        assert [path.name for path in visits.parent.iterdir()] == ["visits.csv"]

    def test_refuses_an_unknown_unit_or_check(self, name, visits):
        assert run(name, visits, "--unit mg/dL").output.startswith("error: 'mg/dL' is not a unit of platelet counts; ")
        assert run(name, visits, "--accept all").output.startswith("error: unknown check 'all'; known: implausible_")

    @pytest.mark.parametrize("options", ["--on-error quarantine", "--quarantine-file {}/left.csv"])
    def test_takes_the_two_options_together(self, name, options, visits):
        done = run(name, visits, options)

        assert (done.exit_code, done.output) == (
            2,
            "error: --on-error quarantine and --quarantine-file go together; give both or none.\n",
        )

    def test_begins_no_output_where_what_was_left_out_cannot_be_written(self, name, visits):
        done = run(name, visits, IMPUTE.replace("left.csv", "left.doc"))

        assert done.exit_code == 2
        assert done.output == "error: left.doc: unknown kind of output '.doc'; known: .csv, .json, .parquet.\n"
        assert [path.name for path in visits.parent.iterdir()] == ["visits.csv"]


class TestMarks:
    """Beside each patient, how many rows were left out and how many dates imputed."""

    MARKS = ("patient_id", "quarantined", "imputed")

    def options(self):
        return ReadOptions(impute="first", on_error="quarantine")

    def test_of_classify(self, visits):
        found = itp_response.classify(visits, options=self.options())

        assert found.frame().select(self.MARKS).rows() == [("P1", 1, 1), ("P2", 0, 0)]
        assert found.long().select(self.MARKS).unique(maintain_order=True).rows() == [("P1", 1, 1), ("P2", 0, 0)]

    def test_of_compare(self, visits):
        found = itp_response.compare(visits, criteria=["atra_2022", "iwg_2009"], options=self.options())

        assert found.frame().select(self.MARKS).rows() == [("P1", 1, 1), ("P2", 0, 0)]

    def test_are_not_there_where_nothing_was_told(self, visits):
        visits.write_text(VISITS.lstrip().replace("4o", "40"))

        assert set(self.MARKS) & set(itp_response.classify(visits).frame().columns) == {"patient_id"}

    def test_of_a_patient_alone(self, visits):
        """The explanations of another patient say nothing of it."""
        found = itp_response.classify(visits, options=self.options())

        assert [str(one).count("imputed") for one in itp_response.explain(found, patient="P2")] == [0] * 9

    @pytest.mark.parametrize(("rule", "day"), [("first", "2019-05-01"), ("last", "2019-05-31")])
    def test_the_day_that_was_taken(self, rule, day, visits):
        cohort = itp_response.read(visits, options=ReadOptions(impute=rule, on_error="quarantine"))

        assert cohort.imputed.assumed.tolist() == [datetime.date.fromisoformat(day)]
        assert cohort.imputed.dates.written.to_list() == ["2019-05"]


class TestAdam:
    """CDISC's flags of imputed dates: D where the day was imputed, M where the month was too."""

    ROWS = (
        {"patient_id": "1", "date": "2019-01-01", "platelets": 15, "rescue": None, "rescue_end": None},
        {"patient_id": "1", "date": "2019-03", "platelets": None, "rescue": "IVIg", "rescue_end": "2019"},
        {"patient_id": "1", "date": "2019-08-01", "platelets": None, "rescue": "IVIg", "rescue_end": "2019-08"},
        {"patient_id": "1", "date": "2019-09", "platelets": None, "rescue": "IVIg", "rescue_end": None},
        {"patient_id": "1", "date": "2020-01", "platelets": 60, "rescue": None, "rescue_end": None},
    )
    PATIENTS = ({"patient_id": "1", "enrolment_date": "2019-01-01", "treatment_discontinued": "2019-12"},)

    def made(self, **options):
        return itp_response.adam(list(self.ROWS), list(self.PATIENTS), study="S", options=ReadOptions(**options))

    def test_of_events(self):
        frame = (
            self.made(impute="last")
            .datasets["ADICE"]
            .frame.filter(PARAMCD="OR")
            .select("ADECOD", "ASTDT", "ASTDTF", "AENDT", "AENDTF")
        )

        assert [(str(row[1]), row[2], str(row[3]), row[4]) for row in frame.rows()] == [
            ("2019-03-31", "D", "2019-12-31", "M"),
            ("2019-08-01", None, "2019-08-31", "D"),
            ("2019-09-30", "D", "2019-09-30", "D"),
            ("2019-12-31", "D", "None", None),
        ]

    def test_of_verdicts_and_of_the_patient(self):
        made = self.made(impute="first")

        frame = made.datasets["ADRS"].frame.filter(PARAMCD="LATERESC").select("ADT", "ADTF")
        assert frame.rows() == [(datetime.date(2019, 3, 1), "D")]
        assert made.datasets["ADITP"].frame["NIMPUTED"].to_list() == [6]

    def test_are_not_there_where_nothing_is_imputed(self):
        names = [name for one in self.made().datasets.values() for name in one.frame.columns]

        assert [name for name in names if name.endswith("TF") or name == "NIMPUTED"] == []

    def test_stand_in_the_transport_file(self, tmp_path):
        self.made(impute="first").write(tmp_path / "out")

        _, about = pyreadstat.read_xport(tmp_path / "out" / "adice.xpt")
        assert about.column_names_to_labels["ASTDTF"] == "Analysis Start Date Imputation Flag"


SEVERAL_WAYS = """
subject,site,day,platelets
1,A,-7,30
1,A,1,12
01,B,29,40
1,B,43,45
100000000000000000,B,1,12
"""


@pytest.mark.parametrize("name", COMMANDS)
def test_what_can_be_read_two_ways_is_asked_and_told(name, visits):
    visits.write_text(SEVERAL_WAYS.lstrip())
    told = {
        "--long-ids as-written": "ends in zeros",
        "--patient-key site-id": "'1' has several 'site'",
        "--similar-ids different": "look like the same patient",
        "--day-numbering study-day": "no day 0",
    }
    for number, (option, asked) in enumerate(told.items()):
        done = run(name, visits, " ".join(list(told)[:number]))
        assert done.exit_code == 2
        assert asked in done.output
        assert option in done.output or option == "--similar-ids different"
