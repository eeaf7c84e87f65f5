"""The tutorial: its sessions print what they show, its pictures and its notebook are made from it and work."""

import ast
import importlib.util
import os
import re
from pathlib import Path

import nbformat
import pytest
import sessions

from itp_response.authoring.check import check
from itp_response.definitions.load import load

pytestmark = pytest.mark.xdist_group("tutorial")  # its files are made once
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
    with sessions.pinned_versions():
        return module.files()


def heads():
    """The first lines of what each step's sessions print, the step's own first."""
    for step in re.split(r"(?m)^(?=## \d)", TUTORIAL.read_text())[1:]:
        yield [
            re.sub(
                r"^timeline  (?:.*\((\w+)\)|(\w+)): ",
                lambda head: f"{head[1] or head[2].lower()}: ",
                found.split("\n")[1].partition("    ")[0],
            )
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
    if os.environ.get("REGOLDEN"):
        for name, content in made.items():
            (FOLDER / name).write_text(content)

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


NOTEBOOKS = ("tutorial.ipynb", "study.ipynb")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_shows_what_it_holds(made, name, monkeypatch):
    """Its cells are run one after another in this process, from its folder; no kernel is needed."""
    whole = nbformat.reads(made[name], as_version=4)
    nbformat.validate(whole)
    monkeypatch.chdir(FOLDER)
    names: dict[str, object] = {}
    shown = []
    for cell in (cell for cell in whole.cells if cell.cell_type == "code"):
        *before, last = ast.parse(cell.source).body
        exec(compile(ast.Module(before, []), name, "exec"), names)
        if not isinstance(last, ast.Expr):
            exec(compile(ast.Module([last], []), name, "exec"), names)
            assert cell.outputs == []
            continue
        value = eval(compile(ast.Expression(last.value), name, "eval"), names)
        ((data),) = (output.data for output in cell.outputs)
        with sessions.pinned_versions():
            assert data["text/plain"] == repr(value)
            assert data.get("text/html", "") == (value._repr_html_() if hasattr(value, "_repr_html_") else "")
        shown.append(type(value).__name__)

    assert shown == SHOWN[name]


SHOWN = {
    "tutorial.ipynb": ["Explanations"] * 10,
    "study.ipynb": [
        *("Classification", "DataFrame", "Explanations", "Tables", "DataFrame", "Picture", "Adam", "DataFrame", "list"),
    ],
}


def test_an_answer_of_the_notebook_is_folded_until_it_is_asked_for(made):
    """In it stand the text of the answer and its sessions; the other cells do not tell it."""
    whole = nbformat.reads(made["tutorial.ipynb"], as_version=4)
    folded = [
        answer
        for cell in whole.cells
        for answer in re.findall(r"<details>\n<summary>Answer</summary>\n\n(.*?)</details>", cell.source, re.DOTALL)
    ]
    outside = re.sub(r"<details>.*?</details>", "", made["tutorial.ipynb"], flags=re.DOTALL)

    assert len(folded) == 10
    assert sum(answer.count("    ask(") for answer in folded) == sum(len(heads) for heads in ANSWERS.values())
    assert [head for heads in ANSWERS.values() for head in heads if f"timeline  {head} " in outside] == []


def test_the_table_of_the_second_notebook_is_that_of_the_paper(made):
    assert [count for count in ("90/112 (80.4)", "33/56 (58.9)") if count not in made["study.ipynb"]] == []


def test_the_links_of_the_notebook_lead_somewhere(made):
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", "".join(made[name] for name in NOTEBOOKS)):
        assert (FOLDER / target).exists(), target
