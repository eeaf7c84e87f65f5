"""What commands print: as wide as the terminal, paged there, without control characters, and each thing once."""

import json
import sys

import click
import pytest
from click.testing import CliRunner

from itp_response.cli import main, terminal
from itp_response.cli.terminal import QUIET, complain, say, show, show_csv, visible

LONG = "error: a sentence that is longer than the width of a terminal of forty columns"
MANY = "patient_id,day,platelets\n" + "".join(f"P{number:02},0,15\n" for number in range(1, 13))


@pytest.fixture
def on_terminal(monkeypatch):
    """Both outputs are a terminal of this width and height."""

    def put(columns, lines=24):
        monkeypatch.setattr(terminal.shutil, "get_terminal_size", lambda: terminal.os.terminal_size((columns, lines)))
        for stream in (sys.stdin, sys.stdout, sys.stderr):
            monkeypatch.setattr(stream, "isatty", lambda: True)

    return put


@pytest.fixture
def visits(tmp_path):
    path = tmp_path / "visits.csv"
    path.write_text(MANY)
    return path


def run(*words, **options):
    return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False, **options)


class TestWidth:
    def test_on_a_terminal_it_is_that_of_the_terminal(self, on_terminal, capsys):
        on_terminal(45)
        show(lambda: LONG)
        complain(LONG)

        printed = capsys.readouterr()
        assert printed.out == "error: a sentence that is longer than the\n  width of a terminal of forty columns\n"
        assert printed.err == printed.out

    def test_elsewhere_a_result_is_80_wide_and_a_message_one_line(self, capsys):
        show(lambda: f"{LONG} and more")
        complain(f"{LONG} and more")

        printed = capsys.readouterr()
        assert printed.out == (
            "error: a sentence that is longer than the width of a terminal of forty columns\n  and more\n"
        )
        assert printed.err == f"{LONG} and more\n"

    def test_columns_sets_it_everywhere(self, monkeypatch, capsys):
        monkeypatch.setenv("COLUMNS", "45")
        complain(LONG)

        assert capsys.readouterr().err.splitlines()[0] == "error: a sentence that is longer than the"

    def test_what_a_message_quotes_is_not_folded(self, on_terminal, capsys):
        on_terminal(40)
        quoted = "    d0 15, d22 40, d29 45, d42 12, d364 12, d365 4o\n" + " " * 52 + "^^"
        complain(f"error: not understood.\n{quoted}")

        assert capsys.readouterr().err == f"error: not understood.\n{quoted}\n"

    @pytest.mark.parametrize("columns", [60, 80, 120])
    def test_no_line_of_a_table_is_wider(self, columns, monkeypatch):
        monkeypatch.setenv("COLUMNS", str(columns))
        study = "examples/visits.csv --patients examples/patients.csv"
        printed = run("table", *study.split(), "--show", "responses").stdout

        assert "ATRA + LD-RTX" in printed
        assert [line for line in printed.splitlines() if len(line) > columns] == []


class TestPaging:
    @pytest.mark.parametrize(("lines", "is_paged"), [(5, True), (50, False)])
    def test_what_is_longer_than_the_screen_is_paged(self, on_terminal, monkeypatch, capsys, lines, is_paged):
        on_terminal(80, lines)
        paged = []
        monkeypatch.setattr(click, "echo_via_pager", paged.append)
        show(lambda: "\n".join("123456789"))

        assert bool(paged) == is_paged
        assert ("".join(paged) or capsys.readouterr().out) == "\n".join("123456789") + "\n"

    def test_nothing_is_paged_into_a_file(self, monkeypatch, capsys):
        monkeypatch.setattr(click, "echo_via_pager", pytest.fail)
        show(lambda: "\n".join("x" * 500))

        assert capsys.readouterr().out.count("x") == 500


class TestControlCharacters:
    def test_are_written_out(self, capsys):
        show(lambda: "P\x1b[31m1\x07")
        complain("\x9b2J")

        assert capsys.readouterr() == ("P\\x1b[31m1\\x07\n", "\\x9b2J\n")
        assert visible("a\tb\nc") == "a\tb\nc"

    def test_of_data_stay_in_a_file_alone(self, on_terminal, capsys):
        show_csv("P\x1b1\n")
        on_terminal(80)
        show_csv("P\x1b1\n")

        assert capsys.readouterr().out == "P\x1b1\nP\\x1b1\n"

    def test_of_an_id_never_reach_the_terminal(self, tmp_path):
        path = tmp_path / "visits.csv"
        path.write_text("patient_id,day,platelets\nP\x1b[31m,0,15\n")

        for words in (["classify", path, "--format", "table"], ["explain", path, "--patient", "P\x1b[31m"]):
            done = run(*words)
            assert "P\\x1b[31m" in done.stdout
            assert "\x1b" not in done.output


class TestClassify:
    def test_on_a_terminal_it_shows_the_summary_the_first_patients_and_how_to_get_all(self, visits):
        done = run("classify", visits, "--format", "first")

        assert done.stderr.startswith("12 patients, 12 patient-days from visits.csv\n")
        lines = done.stdout.splitlines()
        assert [line.split()[0] for line in lines[1:11]] == [f"P{number:02}" for number in range(1, 11)]
        assert lines[-2:] == [
            "2 patients more; --format table shows all of them, --output FILE.csv writes all",
            "  columns.",
        ]
        assert max(map(len, lines)) <= 80

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ("--json --format csv", "--json and --format: give one of them."),
            ("--output out.csv --json", "--output and --json: give one of them."),
            (
                "--long --format table",
                "--long and --format table: the table has a row per patient; leave out one of them.",
            ),
        ],
    )
    def test_two_forms_at_once_are_refused(self, visits, options, message):
        done = run("classify", visits, *options.split())

        assert (done.exit_code, done.output) == (2, f"error: {message}\n")


class TestQuiet:
    def test_leaves_standard_error_to_errors(self, visits, tmp_path):
        done = run("classify", visits, "--output", tmp_path / "out.csv", "--quiet")
        assert (done.exit_code, done.output) == (0, "")

        refused = run("classify", visits, "--output", tmp_path / "out.csv", "--quiet")
        assert refused.exit_code == 2
        assert refused.stderr.startswith("error: ")

    def test_holds_for_the_command_alone(self, capsys):
        with click.Context(main) as context:
            context.meta[QUIET] = True
            say("a note")
        say("another")

        assert capsys.readouterr().err == "another\n"


class TestJson:
    @pytest.mark.parametrize(
        ("words", "keys"),
        [
            (["classify", "{}", "--json"], ["patient_id", "arm", "best_response"]),
            (["classify", "{}", "--json", "--long"], ["patient_id", "arm", "endpoint"]),
            (["compare", "{}", "--criteria", "fit", "--criteria", "iwg_2009", "--json"], ["patient_id", "arm"]),
            (["sensitivity", "{}", "--json"], ["interpretation", "endpoint", "verdict"]),
            (["table", "{}", "--json"], ["table", "subgroup", "variable"]),
            (["near-misses", "{}", "--json", "--endpoint", "OR", "--endpoint", "CR"], ["patient_id", "arm"]),
            (["visit-plan", "--json"], ["endpoint", "label", "y_from"]),
            (["criteria", "--json"], ["name", "title"]),
        ],
    )
    def test_is_a_list_with_an_object_per_row(self, visits, words, keys):
        done = run(*(word.format(visits) for word in words))

        rows = json.loads(done.stdout)
        assert done.exit_code == 0
        assert list(rows[0])[: len(keys)] == keys

    def test_is_what_an_output_has(self, visits, tmp_path):
        run("classify", visits, "--output", tmp_path / "out.json")

        assert run("classify", visits, "--json").stdout == (tmp_path / "out.json").read_text() + "\n"

    def test_of_a_check_says_what_failed(self):
        done = run("check", "fit", "--mutate", "--json")

        report = json.loads(done.stdout)
        assert (report["ok"], report["failures"], report["unnoticed"]) == (True, [], [])

    def test_of_an_explanation_is_one_certificate_or_a_list(self, visits):
        one = json.loads(run("explain", visits, "--patient", "P01", "--json").stdout)
        two = json.loads(run("explain", visits, "--patient", "P01", "--patient", "P02", "--json").stdout)

        assert [certificate["patient"]["id"] for certificate in two] == ["P01", "P02"]
        assert one["patient"]["id"] == "P01"


class TestNothingIsSaidTwice:
    @pytest.mark.parametrize("command", ["table", "sensitivity"])
    def test_the_reference_group(self, command):
        done = run(command, "examples/visits.csv", "--patients", "examples/patients.csv")

        assert " ".join(done.output.split()).count("assumed: the reference group is LD-RTX") == 1

    @pytest.mark.parametrize("command", ["classify", "review"])
    def test_a_missing_column_of_ids(self, tmp_path, command):
        path = tmp_path / "visits.csv"
        path.write_text("day,platelets\n0,15\n7,40\n14,50\n")
        done = run(command, path)

        assert done.exit_code == 2
        assert done.stderr.count("patient_id") == 1, done.stderr


class TestRepeated:
    def test_patients_and_endpoints(self, visits):
        done = run(
            *("explain", visits, "--patient", "P02", "--patient", "P01", "--endpoint", "CR", "--endpoint", "OR"),
            *("--patient", "P02"),
        )

        heads = [line.split()[:2] for line in done.stdout.splitlines() if not line.startswith(" ") and line]
        assert heads == [["P02", "CR:"], ["P02", "OR:"], ["P01", "CR:"], ["P01", "OR:"]]

    def test_endpoints_of_a_typed_timeline(self):
        printed = run("ask", "d0 15", "--endpoint", "SR", "--endpoint", "OR").stdout

        heads = [line.split()[1] for line in printed.splitlines() if line.startswith("timeline")]
        assert heads == ["SR:", "OR:"]
