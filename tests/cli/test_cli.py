"""The commands: what they write where, and what they do when something is wrong."""

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

import itp_response
from itp_response.cli import main
from itp_response.definitions.load import load, shipped

ROOT = Path(__file__).parents[2]
STUDY = [str(ROOT / "examples" / "visits.csv"), "--patients", str(ROOT / "examples" / "patients.csv")]
ASKED = [
    *("patient_id", "arm", "best_response", "OR", "OR_day", "OR_confirmed_day", "OR_reason", "CR", "CR_day"),
    *("SR", "SR_reason", "relapse", "relapse_day", "relapse_reason", "remission", "remission_reason"),
    *("late_rescue", "TTR_days", "DOR_days", "DOR_event"),
]


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture
def visits(tmp_path):
    path = tmp_path / "visits.csv"
    path.write_text("patient_id,day,platelets\n007,0,15\n007,21,45\n007,28,60\n008,0,20\n")
    return path


class TestClassify:
    def test_writes_csv_to_standard_output_and_the_summary_to_standard_error(self, visits):
        done = run("classify", visits)

        assert done.exit_code == 0
        frame = pl.read_csv(done.stdout.encode(), infer_schema=False)
        assert frame["patient_id"].to_list() == ["007", "008"]
        assert frame["OR"].to_list() == ["Y", "NE"]
        assert done.stderr.startswith("2 patients, 4 patient-days from visits.csv\n")

    def test_columns_stand_in_the_order_of_the_file(self, visits):
        columns = run("classify", visits).stdout.splitlines()[0].split(",")

        assert [column for column in columns if column in ASKED] == ASKED
        assert not [column for column in columns if column.endswith("_date")]

    def test_dates_are_written_where_they_are_known(self):
        columns = run("classify", *STUDY).stdout.splitlines()[0].split(",")

        assert columns[3:8] == ["OR", "OR_day", "OR_date", "OR_confirmed_day", "OR_reason"]

    @pytest.mark.parametrize(
        ("suffix", "read"),
        [
            (".csv", lambda path: pl.read_csv(path).to_dicts()),
            (".json", lambda path: json.loads(path.read_text())),
            (".parquet", lambda path: pl.read_parquet(path).to_dicts()),
        ],
    )
    def test_writes_the_same_rows_to_every_kind_of_file(self, tmp_path, suffix, read):
        output = tmp_path / f"out{suffix}"

        done = run("classify", *STUDY, "--output", output)

        assert (done.exit_code, done.stdout) == (0, "")
        rows = read(output)
        expected = itp_response.classify(*STUDY[::2]).frame().to_dicts()
        assert [str(list(row.values())[:6]) for row in rows] == [
            str(
                [str(value) if hasattr(value, "year") and suffix != ".parquet" else value for value in row.values()][:6]
            )
            for row in expected
        ]
        assert sorted(path.name for path in tmp_path.iterdir()) == [output.name, f"{output.name}.provenance.json"]

    def test_bad_input_leaves_an_older_output_as_it_was(self, visits, tmp_path):
        output = tmp_path / "out.csv"
        output.write_text("older")
        visits.write_text("patient_id,day,platelets\n1,0,-5\n")

        done = run("classify", visits, "--output", output, "--force")

        assert done.exit_code == 2
        assert done.stdout == ""
        assert done.stderr.startswith("error: visits.csv: line 2: platelets: ")
        assert output.read_text() == "older"

    def test_an_output_that_fails_halfway_is_not_there(self, visits, tmp_path, monkeypatch):
        def fails(output, _encoded):
            output._file.write(b"half")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("itp_response.classification.writers.CsvChunks.add", fails)

        done = run("classify", visits, "--output", tmp_path / "out.csv")

        assert done.exit_code == 2
        assert done.stderr.endswith("out.csv: cannot be written: No space left on device.\n")
        assert [path.name for path in tmp_path.iterdir()] == ["visits.csv"]

    @pytest.mark.parametrize(
        ("output", "message"),
        [
            ("out.xls", "error: out.xls: unknown kind of output '.xls'; known: .csv, .json, .parquet."),
            ("nowhere/out.csv", "cannot be written: No such file or directory."),
        ],
    )
    def test_an_output_that_cannot_be_is_one_clear_error(self, visits, tmp_path, output, message):
        done = run("classify", visits, "--output", tmp_path / output)

        assert done.exit_code == 2
        assert message in done.stderr

    def test_takes_a_criteria_file_by_its_path(self, visits, tmp_path):
        copy = tmp_path / "mine.toml"
        copy.write_text((ROOT / "criteria" / "atra_2022.toml").read_text())

        done = run("classify", visits, "--criteria", copy)

        assert done.exit_code == 0
        assert "criteria set mine " in done.stderr

    def test_a_criteria_set_that_does_not_exist_is_named_with_the_nearest(self, visits):
        done = run("classify", visits, "--criteria", "atra_2202")

        assert done.exit_code == 2
        assert "unknown criteria 'atra_2202'" in done.stderr
        assert "Did you mean 'atra_2022'?" in done.stderr

    def test_a_row_per_patient_and_endpoint(self, visits, tmp_path):
        done = run("classify", visits, "--long")
        run("classify", visits, "--long", "--output", tmp_path / "long.parquet")

        frame = pl.read_csv(done.stdout.encode(), schema_overrides={"patient_id": pl.String})
        assert frame.columns == [
            *("patient_id", "arm", "endpoint", "value", "day", "date", "confirmed_day", "reason"),
            *("days", "of_days", "event"),
        ]
        assert frame.select("patient_id", "endpoint", "value", "day", "confirmed_day", "days").rows()[:7:6] == [
            ("007", "OR", "Y", 21, 28, None),
            ("007", "TTR", "Y", 21, None, 21),
        ]
        assert len(frame) == 2 * 9
        assert pl.read_parquet(tmp_path / "long.parquet")["value"].to_list() == frame["value"].to_list()

    def test_threads_change_nothing(self):
        assert run("classify", *STUDY, "--threads", 1).stdout == run("classify", *STUDY, "--threads", 3).stdout


class TestExplain:
    def test_a_patient_who_is_not_there_is_named_with_the_nearest(self):
        done = run("explain", *STUDY, "--patient", "ITP-169")

        assert done.exit_code == 2
        assert done.stderr.startswith(
            "error: there is no patient 'ITP-169' among the 168 of visits.csv: ITP-0001, ITP-0002, ITP-0003 … ITP-0168."
        )
        assert "Did you mean 'ITP-01" in done.stderr

    def test_an_endpoint_that_is_not_there_is_named_with_the_known_ones(self):
        done = run("explain", *STUDY, "--patient", "ITP-0001", "--endpoint", "relaps")

        assert done.exit_code == 2
        assert "unknown endpoint 'relaps'; known: OR, CR, SR, relapse" in done.stderr
        assert "Did you mean 'relapse'?" in done.stderr

    def test_every_line_of_an_explanation_is_the_line_of_the_file(self):
        lines = Path(STUDY[0]).read_text().splitlines()
        for explanation in itp_response.explain(*STUDY[::2], patient="ITP-0004"):
            for row in explanation.rows:
                cells = lines[row.line - 1].split(",")
                assert cells[0] == "ITP-0004"
                assert row.observed.startswith(cells[2] or ("bleeding", "rescue", "no count"))


class TestCheck:
    def test_a_set_whose_worked_examples_come_out_is_ok(self):
        done = run("check", "atra_2022")

        assert done.exit_code == 0
        assert "all results as expected" in " ".join(done.stdout.split())

    def test_one_that_does_not_says_which_and_exits_with_1(self, tmp_path):
        text = (ROOT / "criteria" / "atra_2022.toml").read_text()
        changed = tmp_path / "changed.toml"
        changed.write_text(text.replace('"platelets >= 100"', '"platelets >= 101"'))

        done = run("check", changed)

        assert done.exit_code == 1
        assert "exactly-100" in done.stdout


class TestCriteria:
    def test_lists_the_shipped_sets(self):
        printed = run("criteria").stdout

        assert [line.split()[0] for line in printed.splitlines() if not line.startswith(" ")] == shipped()
        title = "ATRA plus low-dose rituximab in corticosteroid-resistant or relapsed ITP"
        assert f"atra_2022 {title} atra_2022_conduct" in " ".join(printed.split())

    def test_marks_those_that_are_not_verified(self):
        titles = json.loads(run("criteria", "--json").stdout)
        marked = [one["name"] for one in titles if one["title"].endswith(" (unverified)")]

        assert marked == [name for name in shipped() if load(name).file.checked == "unverified"]
        assert "ash_2019" in marked
        shown = run("criteria", "ash_2019").stdout.splitlines()
        assert " ".join(shown[:2]).endswith(" (unverified)")
        assert "Checked: NOT VERIFIED; written from memory, not for use as it stands." in shown
        assert "VERIFIED" not in run("criteria", "atra_2022").stdout

    def test_says_how_far_the_source_was_read(self):
        shown = " ".join(run("criteria", "luna3").stdout.split())

        assert (
            "Checked: the source's own words were read (primary). Read: the abstract, the registry entry and the tables or"
            in shown
        )
        assert "at least in part in a copy; a text read breaks off." in shown

    def test_finds_sets(self):
        found = run("criteria", "--search", "ianalumab 2025")

        assert [line.split()[0] for line in found.stdout.splitlines() if not line.startswith(" ")] == [
            "vayhit2",
            "vayhit3",
        ]
        (one,) = json.loads(run("criteria", "--search", "NCT05653219", "--json").stdout)
        assert (one["name"], one["drugs"], one["read"]) == ("vayhit2", "ianalumab, eltrombopag", "abstract")

    def test_gives_a_set_as_json_with_infinite_numbers_as_texts(self):
        content = json.loads(run("criteria", "atra_2022", "--json").stdout)

        assert content["columns"]["died"]["empty"] == "inf"
        assert content["OR"]["label"] == "Overall response"

    def test_says_where_it_finds_none(self):
        missed = run("criteria", "--search", "ianalumba")

        assert (missed.exit_code, missed.stdout) == (2, "")
        assert "Did you mean 'ianalumab'?" in missed.stderr
        assert "give it without a name" in run("criteria", "fit", "--search", "fit").stderr

    def test_a_file_of_ones_own(self):
        assert run("criteria", ROOT / "examples" / "own_definition.toml").stdout.startswith("A definition of one's own")


class TestAsk:
    def test_baseline_and_discontinuation_may_be_given(self):
        stopped = run("ask", "d7 40, d14 60", "--baseline", "25", "--discontinued", "5")

        assert "(OR): N (treatment discontinued)" in stopped.stdout
        assert "(OR): Y on day 7" in run("ask", "d7 40, d14 60", "--baseline", "<20").stdout

    def test_interpretations_and_columns_of_the_patient_may_be_given(self):
        timeline = "d0 20, d22 38, d29 38"
        under = ("--interpretation", "doubling-not-needed-from-30", "--interpretation", "any-gap")

        assert "(OR): N" in run("ask", timeline, "--endpoint", "OR", "--baseline", "20", "--discontinued", "1").stdout
        assert run("ask", timeline, "--endpoint", "OR", *under).stdout.startswith(
            "timeline  Overall response (OR): Y on day 22    atra_2022 under doubling-not-needed-from-30 and any-gap\n"
        )
        switching = run("ask", "d0 15, d14..d168 60", "--criteria", "bivv020", "--set", "switcher=no")
        assert switching.exit_code == 0
        assert "(durable): Y" in switching.stdout
        assert "(durable): NE" in run("ask", "d0 15, d14..d168 60", "--criteria", "bivv020").stdout
        months = ("--interpretation", "six-calendar-months", "--day-0", "2024-01-31")
        assert run("ask", timeline, "--endpoint", "SR", *months).exit_code == 0

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--set", "switcher"], "--set 'switcher': write NAME=VALUE, as in 'switcher=yes'."),
            (["--set", "switcher="], "--set 'switcher=': write NAME=VALUE, as in 'switcher=yes'."),
            (["--set", "=yes"], "--set '=yes': write NAME=VALUE, as in 'switcher=yes'."),
            (
                ["--set", "switcher=yes", "--set", "switcher=no"],
                "--set 'switcher=no': 'switcher' is given twice; give it once.",
            ),
            (
                ["--set", "swicher=yes"],
                "patient: unknown column 'swicher'; known: switcher. Did you mean 'switcher'?",
            ),
            (["--set", "switcher=3"], "patient: switcher: '3' is not yes or no."),
        ],
    )
    def test_a_column_that_cannot_be_used_is_refused(self, options, message):
        done = run("ask", "d0 15", "--criteria", "bivv020", *options)

        assert (done.exit_code, done.stderr) == (2, f"error: {message}\n")

    def test_a_picture_takes_them_too(self, tmp_path):
        drawn = run(
            "plot",
            "timeline",
            "d0 15, d8..d168 60",
            "--criteria",
            "bivv020",
            "--set",
            "switcher=yes",
            "-o",
            tmp_path / "drawn.svg",
        )
        assert drawn.exit_code == 0

    def test_what_is_not_understood_is_shown_with_a_caret(self):
        done = run("ask", "d0 15, 22 40")

        assert done.exit_code == 2
        assert done.stderr.splitlines()[1:] == ["    d0 15, 22 40", "           ^^^^^"]
