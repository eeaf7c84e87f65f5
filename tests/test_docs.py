"""The documents say what the program does: sessions and examples in them are run, and nothing is left out."""

import inspect
import os
import re
from pathlib import Path

import click
import pytest
import sessions

import itp_response
from itp_response.authoring.definitions_page import definitions_page
from itp_response.cli import main
from itp_response.definitions.load import load, shipped
from itp_response.readers.known_names import ALIASES

ROOT = Path(__file__).parent.parent
README, REFERENCE = ROOT / "README.md", ROOT / "docs" / "reference.md"
PYTHON = re.compile(r"(?<=```python\n).*?(?=```)", re.DOTALL)
CALL = re.compile(r"(?<=`)([a-z_]+)\(([a-z][^`]*)\)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)#]+)\)")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A folder of its own, from which the examples are seen as from a checkout."""
    for name in ("examples", "criteria"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)


def blocks(kind):
    """The blocks of the documents that match, each with its document, named by it and a number."""
    return [
        pytest.param(document, block, id=f"{document.name}-{number}")
        for document in (README, REFERENCE)
        for number, block in enumerate(kind.findall(document.read_text()), 1)
    ]


@pytest.mark.parametrize(("document", "session"), blocks(sessions.SESSION))
def test_a_session_prints_what_is_shown(document, session):
    now = sessions.as_run(session)

    assert now == sessions.expected(document, session, now)


@pytest.mark.parametrize(("document", "example"), blocks(PYTHON))
def test_a_python_example_runs(document, example):
    exec(compile(example, document.name, "exec"), {})


def section(heading):
    """What stands in the reference under a heading of the second or third level, to the next of its level or above."""
    level, _, title = heading.partition(" ")
    found = re.search(
        rf"(?ms)^{level} {re.escape(title)}$(.*?)(?=^##{{0,{len(level) - 1}}} |\Z)", REFERENCE.read_text()
    )
    assert found, heading
    return found[1]


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
        documented = options(section("## The command line")) | options(section(f"## `{name}`"))
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

        assert re.search(shown, REFERENCE.read_text())
        assert not (named.__doc__ or f"{name}(").startswith(f"{name}(")  # as a dataclass has it of its own

    @pytest.mark.parametrize(("name", "arguments"), CALL.findall(REFERENCE.read_text()))
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
        for line in section("### Other names that are understood").splitlines()
        if line.startswith("| `")
    ]
    listed = {column.strip(" `"): re.findall("`([^`]+)`", others.split(";")[0]) for column, others in rows}

    assert {column: sorted(names) for column, names in listed.items()} == {
        column: sorted(names) for column, names in ALIASES.items()
    }


def test_links_lead_somewhere():
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "criteria").glob("*.md")]:
        for target in LINK.findall(document.read_text()):
            if not target.startswith("http"):
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
    """Once in the list, and once per endpoint under its role."""
    for name in shipped():
        criteria = load(name)
        rows = [line for line in definitions.splitlines() if line.startswith(f"| [{name}](")]

        assert len(rows) == 1 + len(criteria.endpoints)
        assert {"**unverified**" in row for row in rows} == {criteria.file.checked == "unverified"}


def test_the_page_of_definitions_says_what_decides(definitions):
    response = definitions.split("## Response\n")[1].split("\n## ")[0]
    (row,) = (line for line in response.splitlines() if line.startswith("| [atra_2022]("))

    *_, threshold, confirmed, bleeding, rescue, window, where = row.strip("| ").split(" | ")
    assert threshold == "(a count of at least 30 and at least twice the baseline) or a count of at least 100"
    assert (bleeding, window) == ("no bleeding of grade 1 or more", "from day 1 to day 365")
    assert confirmed == "two occasions, at least 7 days apart, nothing between them that fails"
    assert rescue == (
        "not met after rescue treatment on day 36 or later; "
        "no evidence: rescue treatment that goes on or ended at most 35 days before"
    )
    assert where == "Table 1; Methods, Study endpoints"


def test_readme_shows_the_shipped_rules():
    atra = (ROOT / "criteria" / "atra_2022.toml").read_text()
    block = re.search(r"(?<=```toml\n).*?(?=```)", README.read_text(), re.DOTALL)
    assert block

    assert [line for line in block[0].splitlines() if line and line not in atra.splitlines()] == []
