"""Files that commands take: `-` for standard input, what may be replaced, and what a shell completes."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import polars as pl
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from itp_response.cli import main
from itp_response.cli.files import OutputFile
from itp_response.definitions.load import shipped

ROOT = Path(__file__).parents[2]
VISITS = "patient_id,day,platelets\n007,0,15\n007,21,45\n007,28,60\n"
OUTPUTS = {
    "classify": "classify {0} --output {1}.csv",
    "compare": "compare {0} --criteria fit --criteria iwg_2009 --changes {1}.csv",
    "sensitivity": "sensitivity {0} --output {1}.csv",
    "review": "review {0} --data-queries {1}.csv",
    "table": "table {0} --output {1}.txt",
    "predictors": "predictors {0} --column baseline --output {1}.csv",
    "plot": "plot timeline {0} --patient 007 --output {1}.svg",
    "report": "report {0} --output {1}.html",
    "adam": "adam {0} --study TRIAL --format csv --output {1}",
    "map": "map {0} --output {1}.toml",
    "near-misses": "near-misses {0} --output {1}.csv",
    "visit-plan": "visit-plan --output {1}.csv",
    "new": "new --output {1}.toml",
    "schema": "schema --output {1}.json",
    "example": "example {1}",
    "validate": "validate --shipped fit --generated 1 --output {1}",
}


def run(words, **options):
    return CliRunner().invoke(main, words if isinstance(words, list) else words.split(), **options)


@pytest.fixture
def visits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("visits.csv").write_text(VISITS)
    return "visits.csv"


class TestOutputs:
    def test_every_command_that_writes_is_tried(self):
        writing = {
            name
            for name, command in main.commands.items()
            if any(isinstance(param.type, OutputFile) and param.name != "quarantine_file" for param in command.params)
        }

        assert writing == set(OUTPUTS)

    @pytest.mark.parametrize("name", OUTPUTS)
    def test_are_named_when_written_and_replaced_with_force_alone(self, visits, name):
        command = OUTPUTS[name].format(visits, "out")
        output = next(word for word in command.split() if word.startswith("out"))
        first = run(command)
        assert first.exit_code == 0, first.output
        assert first.stderr.endswith(f"written to {output}\n")

        refused = run(command)
        what = "this folder is not empty" if Path(output).is_dir() else "there is such a file already"
        assert refused.exit_code == 2
        assert refused.output == f"error: {output}: {what}; name another, or replace it with --force.\n"
        assert run(f"{command} --force").exit_code == 0

    def test_an_empty_folder_is_nothing_to_replace(self, visits):
        Path("out").mkdir()

        assert run(OUTPUTS["example"].format(visits, "out")).exit_code == 0

    def test_what_is_beside_an_output_is_not_replaced_either(self, visits):
        Path("out.csv.provenance.json").write_text("{}")

        assert run(OUTPUTS["classify"].format(visits, "out")).output.startswith(
            "error: out.csv.provenance.json: there is"
        )

    @pytest.mark.parametrize(
        ("command", "message"),
        [
            (
                "review visits.csv --output a.csv --data-queries ./a.csv",
                "--output and --data-queries: both name a.csv; name two files.",
            ),
            (
                "classify visits.csv --output visits.csv --force",
                "visits.csv: this file is read and cannot be the output as well; name another file.",
            ),
        ],
    )
    def test_one_file_is_not_two_things(self, visits, command, message):
        done = run(command)

        assert (done.exit_code, done.output) == (2, f"error: {message}\n")
        assert Path(visits).read_text() == VISITS

    def test_nothing_is_said_to_be_written_where_it_failed(self, visits):
        done = run(f"classify {visits} --output nowhere/out.csv")

        assert done.exit_code == 2
        assert "written to" not in done.output


class TestStandardInput:
    def test_gives_a_table(self):
        done = run("classify - --json", input=VISITS)

        assert [row["OR"] for row in json.loads(done.stdout)] == ["Y"]
        assert done.stderr.startswith("1 patient, 3 patient-days from stdin.csv\n")

    @pytest.mark.parametrize(
        ("suffix", "write"),
        [
            (".xlsx", lambda frame, file: frame.write_excel(file)),
            (".parquet", lambda frame, file: frame.write_parquet(file)),
            (".arrow", lambda frame, file: frame.write_ipc(file)),
        ],
    )
    def test_its_format_is_that_of_its_beginning(self, suffix, write):
        file = io.BytesIO()
        write(pl.read_csv(VISITS.encode(), infer_schema=False).with_columns(pl.col("day", "platelets").cast(int)), file)
        done = run("classify - --json", input=file.getvalue())

        assert done.exit_code == 0, done.output
        assert f"from stdin{suffix}\n" in done.stderr

    def test_gives_criteria_a_timeline_and_a_plan(self):
        definition = (ROOT / "examples" / "own_definition.toml").read_text()

        assert run("check -", input=definition).stdout.startswith("stdin: 9 worked examples")
        assert run(["ask", "d0 15, d7 60, d14 60", "--criteria", "-"], input=definition).exit_code == 0
        assert run("ask - --endpoint OR", input="d0 15, d21 45, d28 60\n").stdout.startswith(
            "timeline  Overall response (OR): Y on day 21"
        )

    def test_is_read_once(self):
        done = run("classify - --patients -", input=VISITS)

        assert (done.exit_code, done.output) == (
            2,
            "error: '-' stands for standard input, which can be read once; name a file for the other.\n",
        )


class TestCompletion:
    """What a shell is offered for the last word."""

    @staticmethod
    def offered(words, incomplete):
        return {item.value for item in ShellComplete(main, {}, "itp-response", "_X").get_completions(words, incomplete)}

    def test_of_a_set_are_the_names_of_the_shipped_sets(self):
        assert self.offered(["classify", "--criteria"], "") == set(shipped())
        assert self.offered(["criteria"], "iwg") == {"iwg_2009"}
        assert self.offered(["compare", "--criteria", "fit", "--criteria"], "lun") == {"luna2", "luna3"}

    def test_of_an_endpoint_are_those_of_the_set_that_was_named(self):
        assert self.offered(["explain", "--criteria", "fit", "--endpoint"], "") == {"stable", "overall", "rescue_use"}
        assert {"OR", "relapse"} <= self.offered(["explain", "--endpoint"], "")
        assert self.offered(["explain", "--criteria", "nosuch", "--endpoint"], "") == set()

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_a_shell_gets_its_script(self, shell):
        environment = {**os.environ, "_ITP_RESPONSE_COMPLETE": f"{shell}_source"}
        code = "from itp_response.cli import main; main(prog_name='itp-response')"
        if shell == "bash" and not Path("/bin/bash").exists():
            pytest.skip("there is no bash")
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
        )

        assert "_ITP_RESPONSE_COMPLETE" in done.stdout


def test_what_click_refuses_is_worded_as_our_errors_are():
    for words, message in {
        "clasify": "error: No such command 'clasify'. Did you mean 'classify'? 'itp-response --help' says more.\n",
        "classify": "error: Missing argument 'VISITS'. 'itp-response classify --help' says more.\n",
        "classify x --outputs": "error: No such option '--outputs'. Did you mean '--output'? "
        "'itp-response classify --help' says more.\n",
    }.items():
        done = run(words, prog_name="itp-response")
        assert (done.exit_code, done.stderr) == (2, message)
    assert run([]).exit_code == 2
    assert isinstance(main, click.Group)
