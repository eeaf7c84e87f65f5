"""The documents say what the program does: sessions and examples in them are run, and nothing is left out."""

import importlib.util
import inspect
import os
import re
import shlex
from pathlib import Path

import click
import polars as pl
import pytest
import sessions
from click.testing import CliRunner

import itp_response
from itp_response.authoring.definitions_page import definitions_page
from itp_response.cli import main
from itp_response.definitions.load import load, shipped
from itp_response.messages.codes import MEANINGS
from itp_response.readers.known_names import ALIASES

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
REFERENCE = [DOCS / "reference.md", *sorted((DOCS / "reference").glob("*.md"))]
DOCUMENTS = [ROOT / "README.md", DOCS / "plots.md", *REFERENCE]
DOCUMENTS += sorted([*(DOCS / "how-to").glob("*.md"), *(DOCS / "explanation").glob("*.md")])
SHELL = re.compile(r"(?<=```sh\n).*?(?=```)", re.DOTALL)
PYTHON = re.compile(r"(?<=```python\n).*?(?=```)", re.DOTALL)
CALL = re.compile(r"(?<=`)([a-z_]+)\(([a-z][^`]*)\)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
READING, READING_PAGE = "[options for reading](reading.md)", DOCS / "reference" / "reading.md"
ALL = "\n".join(page.read_text() for page in REFERENCE)


def errors_page(now):
    """The page as `docs/errors_page.py` makes it."""
    spec = importlib.util.spec_from_file_location("errors_page", DOCS / "errors_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.errors_page(now)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A folder of its own, from which the examples are seen as from a checkout."""
    for name in ("examples", "criteria", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)


def blocks(kind):
    """The blocks of the documents that match, each with its document, named by it and a number."""
    return [
        pytest.param(document, block, id=f"{document.name}-{number}")
        for document in DOCUMENTS
        for number, block in enumerate(kind.findall(document.read_text()), 1)
    ]


@pytest.mark.parametrize(("document", "session"), blocks(sessions.SESSION))
def test_a_session_prints_what_is_shown(document, session):
    now = sessions.as_run(session)

    assert now == sessions.expected(document, session, now)


@pytest.mark.parametrize(("document", "example"), blocks(PYTHON))
def test_a_python_example_runs(document, example):
    exec(compile(example, document.name, "exec"), {})


def lines_of_shell():
    """The lines of the command that documents show without their output, on the files of the examples."""
    for document in DOCUMENTS:
        lines = "".join(SHELL.findall(document.read_text())).splitlines()
        for number, line in enumerate(
            (line for line in lines if re.match(r"itp-response .*(examples/|\"d0)", line)), 1
        ):
            yield pytest.param(line.removeprefix("itp-response "), id=f"{document.name}-{number}")


@pytest.mark.parametrize("command", list(lines_of_shell()))
def test_a_command_shown_without_its_output_works(command):
    done = CliRunner().invoke(main, shlex.split(command), catch_exceptions=False)

    assert done.exit_code == 0, done.output


def test_every_command_of_a_how_to_page_is_run():
    """Those in shell blocks that the tests do not run are named here."""
    for page in (DOCS / "how-to").glob("*.md"):
        lines = "".join(SHELL.findall(page.read_text())).splitlines()
        not_run = [line for line in lines if line.startswith("itp-response") and "examples/" not in line]
        assert not_run == [line for line in not_run if "--json > certificate.json" in line], page.name


def section(heading):
    """What stands in the reference under a heading of the second or third level, to the next of its level or above."""
    level, _, title = heading.partition(" ")
    pattern = rf"(?ms)^{level} {re.escape(title)}$(.*?)(?=^##{{0,{len(level) - 1}}} |\Z)"
    found = [match for page in REFERENCE for match in re.findall(pattern, page.read_text())]
    assert len(found) == 1, heading
    return found[0]


def section_of(command):
    """The section of a command, with the options for reading where it refers to them."""
    text = section(f"## `{command}`")
    return f"{text}{READING_PAGE.read_text()}" if READING in text else text


def options(text):
    """Options as whole words: `--by` is not in `--by-arm`."""
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z0-9-]*", text))


class TestCommands:
    @pytest.mark.parametrize("name", sorted(main.commands))
    def test_each_has_help_a_section_and_a_function_of_its_name(self, name):
        assert section(f"## `{name}`").strip()
        assert callable(getattr(itp_response, name.replace("-", "_")))
        assert (main.commands[name].help or "").strip()

    @pytest.mark.parametrize("name", sorted(main.commands))
    def test_each_of_its_options_has_help_and_stands_in_its_section(self, name):
        declared = [one for one in main.commands[name].params if isinstance(one, click.Option)]

        assert [option.name for option in declared if not option.help] == []
        documented = options(section("## Conventions of the command line")) | options(section_of(name))
        assert {one for option in declared for one in option.opts} - documented == set()

    @pytest.mark.parametrize("name", sorted(main.commands))
    def test_no_option_stands_in_its_table_that_it_does_not_have(self, name):
        rows = [line for line in section(f"## `{name}`").splitlines() if line.startswith("| `-")]
        shown = options(" ".join(row.split("|")[1] for row in rows))

        assert shown - {one for option in main.commands[name].params for one in option.opts} == set()


class TestPublicNames:
    @pytest.mark.parametrize("name", itp_response.__all__)
    def test_each_is_in_the_reference_and_says_what_it_is(self, name):
        """A function by a call of it, a class by its name, a module by a function of it."""
        named = getattr(itp_response, name)
        shown = rf"`{name}`" if inspect.isclass(named) else rf"`{name}\." if inspect.ismodule(named) else rf"`{name}\("

        assert re.search(shown, ALL)
        assert not (named.__doc__ or f"{name}(").startswith(f"{name}(")  # as a dataclass has it of its own

    @pytest.mark.parametrize(("name", "arguments"), CALL.findall(ALL))
    def test_a_call_shown_has_the_parameters_that_there_are(self, name, arguments):
        """Defaults too, where they are written out: not `[…]`."""
        parameters = inspect.signature(getattr(itp_response, name)).parameters
        shown = dict(re.findall(r"(\w+)(?:=(\[.*?\]|[^,]+))?(?:, |$)", arguments))
        defaults = {key: text for key, text in shown.items() if text and not re.search(r"[…{]", text)}

        assert set(shown) - set(parameters) == set()
        assert defaults == {key: repr(parameters[key].default).replace("'", '"') for key in defaults}


def test_every_other_name_of_a_column_is_listed():
    rows = [
        line.split("|")[1:3]
        for line in section("## Other names that are understood").splitlines()
        if line.startswith("| `")
    ]
    listed = {column.strip(" `"): re.findall("`([^`]+)`", others.split(";")[0]) for column, others in rows}

    assert {column: sorted(names) for column, names in listed.items()} == {
        column: sorted(names) for column, names in ALIASES.items()
    }


def test_links_lead_somewhere():
    """To a file that there is; headings are held by the site, which is built in strict mode."""
    others = [
        *ROOT.glob("*.md"),
        *DOCS.glob("*.md"),
        *(ROOT / "criteria").glob("*.md"),
        *(ROOT / "examples").glob("*.md"),
    ]
    for document in {*DOCUMENTS, *others}:
        for target, _ in LINK.findall(document.read_text()):
            if target and not target.startswith("http"):
                assert (document.parent / target).exists(), f"{document.name}: {target}"


@pytest.mark.parametrize(("document", "folder"), [("CONTRIBUTING.md", ROOT), ("tests/README.md", ROOT / "tests")])
def test_every_path_that_is_named_exists(document, folder):
    """For what a contributor names (`test_<kind>.py`) there must be examples."""
    code = re.findall(r"`([^`\n]+)`", (ROOT / document).read_text())
    named = [text for text in code if re.fullmatch(r"[\w./<>-]+(/|\.\w+)", text)]

    assert len(named) > 20
    assert [text for text in named if not any(folder.glob(re.sub("<.*?>", "*", text.rstrip("/"))))] == []


@pytest.fixture(scope="module")
def definitions():
    return definitions_page()


def test_the_page_of_definitions_is_made_from_the_files(definitions):
    page = ROOT / "docs" / "definitions.md"
    if os.environ.get("REGOLDEN"):
        page.write_text(definitions)

    assert page.read_text() == definitions


def test_the_page_of_definitions_has_every_set_and_marks_those_not_verified(definitions):
    """Once in the list, once among the intercurrent events, and once per endpoint under its role."""
    for name in shipped():
        criteria = load(name)
        rows = [line for line in definitions.splitlines() if line.startswith(f"| [{name}](")]

        assert len(rows) == 2 + len(criteria.endpoints)
        assert {"**unverified**" in row for row in rows} == {criteria.file.checked == "unverified"}


def test_the_page_of_definitions_has_an_index_by_drug(definitions):
    index = definitions.split("## Index by drug\n")[1].split("\n## ")[0]
    (row,) = (line for line in index.splitlines() if line.startswith("| ianalumab |"))

    assert re.findall(r"\[(\w+)\]", row) == ["vayhit1", "vayhit2", "vayhit3"]
    assert set(re.findall(r"\[(\w+)\]", index)) == set(shipped())


def test_the_table_of_grades_says_what_the_files_say():
    """The sets before and after they were read again: each has its grade, and how far its source was read."""
    page = (ROOT / "docs" / "explanation" / "validation.md").read_text()
    rows = [re.split(r" *\| *", line) for line in page.split("| grade before |")[1].splitlines()[2:]]
    told = {row[1].strip("`"): (row[3], row[4]) for row in rows if len(row) > 4}

    files = {name: load(name).file for name in shipped()}
    assert told == {name: (file.checked, ", ".join(file.read)) for name, file in files.items()}


def test_the_page_of_definitions_says_what_decides(definitions):
    response = definitions.split("## Response\n")[1].split("\n## ")[0]
    (row,) = (line for line in response.splitlines() if line.startswith("| [atra_2022]("))

    *_, threshold, confirmed, bleeding, rescue, window, where = row.strip("| ").split(" | ")
    assert threshold == "(a count of at least 30 and at least twice the baseline) or a count of at least 100"
    assert (bleeding, window) == ("no bleeding of grade 1 or more", "from day 1 to day 365")
    assert confirmed == "2 occasions, at least 7 days apart, no observation between them that fails"
    assert rescue == (
        "no longer met after rescue treatment on day 36 or later; "
        "not evidence: rescue treatment ongoing or ended at most 35 days earlier"
    )
    assert where == "Table 1; Methods, Study endpoints"


@pytest.mark.parametrize(
    ("document", "files"),
    [
        ("docs/explanation/results.md", ["criteria/atra_2022.toml"]),
        ("docs/how-to/own-definition.md", ["examples/own_definition.toml"]),
        ("docs/how-to/other-rows.md", ["examples/other_rows.toml"]),
        ("docs/how-to/redcap.md", ["examples/ways_in/redcap.toml"]),
        ("docs/how-to/fhir-omop.md", ["examples/ways_in/codes.toml", "examples/ways_in/concepts.toml"]),
    ],
)
def test_a_file_is_shown_as_it_is(document, files):
    """Each block has lines of one of the files alone; a `"?"` is what a draft asks."""
    lines = [(ROOT / file).read_text().splitlines() for file in files]
    blocks = re.findall(r"(?<=```toml\n).*?(?=```)", (ROOT / document).read_text(), re.DOTALL)
    shown = [[line for line in block.splitlines() if '"?"' not in line] for block in blocks]

    assert shown
    assert [block for block in shown if not any(set(block) <= {*of_file, ""} for of_file in lines)] == []


def test_the_page_of_errors_is_made_from_the_codes():
    page = DOCS / "reference" / "errors.md"
    made = errors_page(page.read_text())
    if os.environ.get("REGOLDEN"):
        page.write_text(made)

    assert page.read_text() == made
    assert [code for code in MEANINGS if f"| `{code}` |" not in made] == []


def test_the_page_of_functions_has_every_public_name():
    named = re.findall(
        r"(?m)^::: itp_response\.(?:classification\.)?([\w.]+)", (DOCS / "reference" / "python.md").read_text()
    )

    assert sorted(name.partition(".")[0] for name in named) == sorted(itp_response.__all__)


def test_the_same_patients_give_the_same_results_from_every_system():
    """What `docs/how-to/` reads: a workbook, REDCap, SDTM, FHIR and OMOP."""
    ways = [
        ["study.xlsx", "--patients", "examples/ways_in/study.xlsx", "--patients-sheet", "Patients"],
        ["redcap.csv", "--mapping", "examples/ways_in/redcap.toml"],
        ["sdtm"],
        ["fhir", "--mapping", "examples/ways_in/codes.toml", "--patients", "examples/ways_in/patients.csv"],
        ["omop", "--mapping", "examples/ways_in/concepts.toml", "--patients", "examples/ways_in/patients.csv"],
    ]
    study = itp_response.classify("examples/visits.csv", "examples/patients.csv").frame()
    patients = ["ITP-0001", "ITP-0003", "ITP-0004", "ITP-0007"]
    expected = study.filter(pl.col("patient_id").is_in(patients)).write_csv()
    for name, *options in ways:
        arguments = ["classify", f"examples/ways_in/{name}", *options, "--format", "csv"]
        assert CliRunner().invoke(main, arguments).stdout == expected, name
