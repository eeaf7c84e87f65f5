"""The tutorial: its sessions print what they show, its pictures and its notebook are made from it and work."""

import contextlib
import importlib.util
import io
import re
from pathlib import Path

import nbformat
import pytest
import sessions

from itp_response.authoring.check import check
from itp_response.definitions.load import load

ROOT = Path(__file__).parent.parent
TUTORIAL = ROOT / "docs" / "tutorial.md"
FOLDER = ROOT / "docs" / "tutorial"
STEPS = [
    ("One count", "one", "Y on day 28"),
    ("Two counts, seven days apart", "two", "N (not confirmed)"),
    ("What lies between", "unbroken", "N (not confirmed)"),
    ("Twice the baseline", "doubled", "N (not confirmed)"),
    ("The bleed between two counts", "dry", "N (not confirmed)"),
    ("Rescue, and its five weeks", "OR", "N (qualifying counts are not evidence of response)"),
    ("Rescue that ends it", "OR", "N (late rescue)"),
    ("At least 30, and above 30", "SR", "N (platelet count)"),
    ("Losing it", "relapse", "Y on day 140 (platelet count)"),
    ("When no answer is the answer", "OR", "NE (bleeding not recorded)"),
]
ANSWERS = {
    2: ["two: Y on day 22"],
    3: ["unbroken: Y on day 22"],
    4: ["OR: Y on day 22"],
    5: ["dry: Y on day 29"],
    6: ["OR: Y on day 42"],
    8: ["relapse: N (not lost)"],
    10: ["SR: NE (gap between counts too long)"],
}


@pytest.fixture(autouse=True)
def in_the_checkout(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="module")
def made():
    spec = importlib.util.spec_from_file_location("tutorial_made", FOLDER / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.files()


def heads():
    """The first lines of what each step's sessions print, the step's own first."""
    for step in re.split(r"(?m)^(?=## \d)", TUTORIAL.read_text())[1:]:
        yield [
            re.sub(r"^timeline  .*\((\w+)\): ", r"\1: ", found.split("\n")[1].partition("    ")[0])
            for found in sessions.SESSION.findall(step)
        ]


@pytest.mark.parametrize("session", sessions.sessions(TUTORIAL))
def test_a_session_prints_what_is_shown(session):
    now = sessions.as_run(session)

    assert now == sessions.expected(TUTORIAL, session, now)


def test_each_step_says_what_it_teaches():
    titles = re.findall(r"^## \d+\. (.*)$", TUTORIAL.read_text(), re.MULTILINE)

    assert titles == [title for title, _, _ in STEPS]
    assert [shown[0] for shown in heads()] == [f"{endpoint}: {verdict}" for _, endpoint, verdict in STEPS]
    assert {number: shown[1:] for number, shown in enumerate(heads(), 1) if shown[1:]} == ANSWERS


def test_each_step_has_a_question_and_its_answer():
    for step in re.split(r"(?m)^(?=## \d)", TUTORIAL.read_text())[1:]:
        assert (step.count("**Question.**"), step.count("<summary>Answer</summary>")) == (1, 1)


def test_the_answer_to_the_seventh_question_is_that_of_the_interpretation():
    from itp_response.explanation.ask import ask

    read_otherwise = load("atra_2022").under("late-rescue-from-week-6-visit")
    (found,) = ask("d0 15, d7..d28 15, d38 rescue, d42..d70 15, d84..d364 60", read_otherwise, endpoint="OR")

    assert (found.value, found.day) == ("Y", 84)


def test_the_file_that_grows_is_checked_by_its_worked_examples():
    assert check(FOLDER / "steps.toml").ok


def test_pictures_and_notebook_are_those_that_are_made(made):
    """After a change: `make tutorial`, and look at the pictures."""
    assert set(made) == {path.name for path in FOLDER.iterdir() if path.suffix in (".svg", ".ipynb")}
    assert [name for name, content in made.items() if (FOLDER / name).read_text() != content] == []


@pytest.mark.parametrize(
    ("step", "parts"),
    [
        ("1", ["One count: Y on day 28", ">at least 30<"]),
        ("4", [">twice baseline<", "N (not confirmed)"]),
        ("5", [">bleeding, grade 1<"]),
        ("6", [">rescue<", 'stroke-dasharray="2.5 2"']),
        ("8", [">above 30<"]),
        ("10", [">bleeding not recorded<", ">?</text>"]),
    ],
)
def test_a_picture_shows_what_was_decided(made, step, parts):
    assert [part for part in parts if part not in made[f"{step}.svg"]] == []


def test_the_notebook_prints_what_it_holds(made, monkeypatch):
    """Its cells are run one after another in this process, from its folder; no kernel is needed."""
    whole = nbformat.reads(made["tutorial.ipynb"], as_version=4)
    nbformat.validate(whole)
    monkeypatch.chdir(FOLDER)
    names: dict[str, object] = {}
    cells = [cell for cell in whole.cells if cell.cell_type == "code"]
    for cell in cells:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(cell.source, names)
        assert printed.getvalue() == "".join(output.text for output in cell.outputs)

    assert len(cells) == 1 + TUTORIAL.read_text().count("```console")


def test_the_links_of_the_notebook_lead_somewhere(made):
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", made["tutorial.ipynb"]):
        assert (FOLDER / target).exists(), target
