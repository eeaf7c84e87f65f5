"""The documents say what the program does: sessions and examples in them are run, and nothing is left out."""

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
from itp_response.readers.column_names import ALIASES

ROOT = Path(__file__).parent.parent
README, REFERENCE = ROOT / "README.md", ROOT / "docs" / "reference.md"
PYTHON = re.compile(r"(?<=```python\n).*?(?=```)", re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)#]+)\)")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A folder of its own, from which the examples are seen as from a checkout."""
    for name in ("examples", "criteria"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("document", [README, REFERENCE], ids=lambda path: path.name)
def test_sessions_print_what_is_shown(document):
    if os.environ.get("REGOLDEN"):
        sessions.rewrite(document)

    for session in sessions.sessions(document):
        assert sessions.as_run(session) == session


@pytest.mark.parametrize("document", [README, REFERENCE], ids=lambda path: path.name)
def test_python_examples_run(document):
    for example in PYTHON.findall(document.read_text()):
        exec(compile(example, document.name, "exec"), {})


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_is_in_the_reference_and_has_a_function_of_its_name(name):
    assert f"## `{name}`" in REFERENCE.read_text()
    assert callable(getattr(itp_response, name.replace("-", "_")))
    assert (main.commands[name].help or "").strip()


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_option_has_help_and_is_in_the_reference(name):
    section = REFERENCE.read_text().split(f"## `{name}`")[1].split("\n## ")[0]

    for option in main.commands[name].params:
        if isinstance(option, click.Option):
            assert option.help, option.name
            assert option.opts[0] in section


@pytest.mark.parametrize("name", itp_response.__all__)
def test_every_public_name_is_documented(name):
    assert re.search(rf"[`.]{name}\b", REFERENCE.read_text())
    assert (getattr(itp_response, name).__doc__ or "").strip()


def test_every_other_name_of_a_column_is_listed():
    text = REFERENCE.read_text()

    assert [name for names in ALIASES.values() for name in names if f"`{name}`" not in text] == []


def test_links_lead_somewhere():
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "criteria").glob("*.md")]:
        for target in LINK.findall(document.read_text()):
            if not target.startswith("http"):
                assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_page_of_definitions_is_made_from_the_files():
    page = ROOT / "docs" / "definitions.md"
    if os.environ.get("REGOLDEN"):
        page.write_text(definitions_page())

    assert page.read_text() == definitions_page()


def test_the_page_of_definitions_has_every_set_and_marks_those_not_verified():
    """Once in the list, and once per endpoint under its role."""
    for name in shipped():
        criteria = load(name)
        rows = [line for line in definitions_page().splitlines() if line.startswith(f"| [{name}](")]

        assert len(rows) == 1 + len(criteria.endpoints)
        assert {"**unverified**" in row for row in rows} == {criteria.file.checked == "unverified"}


def test_the_page_of_definitions_says_what_decides():
    response = definitions_page().split("## Response\n")[1].split("\n## ")[0]
    (row,) = (line for line in response.splitlines() if line.startswith("| [atra_2022]("))

    *_, threshold, confirmed, bleeding, rescue, window, where = row.strip("| ").split(" | ")
    assert threshold == "(a count of at least 30 and at least twice the baseline) or a count of at least 100"
    assert (bleeding, window) == ("no bleeding of grade 1 or more", "from day 1 to day 365")
    assert confirmed == "two occasions, at least 7 days apart"
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
