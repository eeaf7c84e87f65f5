"""Criteria files: how they are found and read, what is said of broken ones, and that the shipped ones hold."""

import json
import os
import re
import tomllib
from functools import cache
from itertools import islice
from pathlib import Path

import jsonschema
import pytest

from itp_response.authoring.check import check
from itp_response.authoring.mutate import changes, mutate
from itp_response.definitions.load import criteria_folder, load, loads, shipped
from itp_response.definitions.schema import schema
from itp_response.evaluation.rules.tree import Rule, names_in
from itp_response.messages.errors import CriteriaError, ItpResponseError

BAD_CRITERIA = Path(__file__).parent / "bad_criteria"
FOLDER = criteria_folder()
SCHEMA = FOLDER / "schema.json"
ONE_IN, LEAST = (1, 25) if os.environ.get("HYPOTHESIS_PROFILE") == "long" else (3, 5)
"""Of the small changes of a shipped set one in three is tried, or each; and how many that are at least."""


GRADED = """
title = "T"
checked = "unverified"
source.cite = "none"
clock = {{ day_0 = "first dose", followed_from = 28 }}
baseline.days = [-7, 0]
{}
[R]
label = "R"
says = "R"
kind = "achieved"
when = "not bleeding_grade >= 2"
"""


class TestBadCriteria:
    """Every file of `bad_criteria` has one thing wrong, and beside it stands the exact message it gives."""

    @pytest.mark.parametrize("path", sorted(BAD_CRITERIA.glob("*.toml")), ids=lambda path: path.stem)
    def test_message(self, path: Path) -> None:
        with pytest.raises(ItpResponseError) as error:
            check(path)
        said, expected = f"{error.value}\n", path.with_suffix(".txt")
        if os.environ.get("REGOLDEN"):
            expected.write_text(said, encoding="utf-8")
        assert said == expected.read_text(encoding="utf-8")


def _with_typos() -> dict[str, str]:
    """The ATRA set with one key, or one head of a table, mistyped; each under what was mistyped."""
    lines = (FOLDER / "atra_2022.toml").read_text().splitlines()
    texts: dict[str, str] = {}
    for number, line in enumerate(lines):
        found = re.match(r"\[*(\w+)\]*(?: *= |$)", line)
        if found and found[0].strip(" =") not in texts and found[1] not in NAMES_AT_WILL:
            mistyped = line.replace(found[1], f"{found[1]}x", 1)
            texts[found[0].strip(" =")] = "\n".join([*lines[:number], mistyped, *lines[number + 1 :]])
    return texts


NAMES_AT_WILL = ("died", "planned_end_of_treatment", "late_rescue", "TTR", "DOR")
"""Names of columns and endpoints that nothing else in the file uses, so that another name is no mistake."""
TERMS = ("bleeding", "response", "complete", "washout")
ENDPOINTS = ("[OR]", "[CR]", "[SR]", "[relapse]", "[remission]", "[best_response]")
TYPOS = _with_typos()


class TestTypo:
    """One typo is one message, in the program and in an editor that validates by the schema."""

    @pytest.mark.parametrize("mistyped", TYPOS)
    def test_is_one_message(self, mistyped: str) -> None:
        with pytest.raises(CriteriaError) as error:
            loads(TYPOS[mistyped], FOLDER / "typo.toml")
        assert str(error.value).count("typo.toml: ") == 1

    @pytest.mark.parametrize("mistyped", [key for key in TYPOS if key not in (*TERMS, *ENDPOINTS)])
    def test_is_one_error_of_the_schema(self, mistyped: str) -> None:
        content = _plain(tomllib.loads(TYPOS[mistyped]))
        (error,) = of_the_schema().iter_errors(content)
        name = mistyped.strip("[]")
        assert f"{name}x" in f"{error.json_path} {error.message}" or (name, error.message) == (
            "kind",
            "'kind' is a required property",
        )


class TestShipped:
    """Every shipped set holds by its own worked examples."""

    @pytest.mark.parametrize("name", shipped())
    def test_worked_examples_come_out_and_try_every_clause(self, name: str) -> None:
        report = check(name)
        assert (report.failures, report.untried) == ((), ())

    @pytest.mark.parametrize("name", shipped())
    def test_every_interpretation_changes_something_and_can_be_read(self, name: str) -> None:
        load(criteria_folder() / f"{name}.toml")

    @pytest.mark.parametrize("name", shipped())
    def test_worked_examples_notice_every_small_change(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        first = list(shipped()).index(name) % ONE_IN
        monkeypatch.setattr(
            "itp_response.authoring.mutate.changes", lambda raw: islice(changes(raw), first, None, ONE_IN)
        )
        mutations = mutate(name)
        assert [str(change) for change in mutations.unnoticed] == []
        assert len(mutations.noticed) >= LEAST

    @pytest.mark.parametrize("name", shipped())
    def test_every_interpretation_changes_a_worked_example(self, name: str) -> None:
        criteria = load(name)
        tried = {interpretation for example in criteria.file.example for interpretation in example.under}
        assert {interpretation.id for interpretation in criteria.file.interpretation} == tried

    @pytest.mark.parametrize("name", shipped())
    def test_says_where_it_is_from(self, name: str) -> None:
        file = load(name).file
        assert file.source.cite
        assert file.source.where
        assert [endpoint for endpoint, model in file.endpoints.items() if not model.says] == []


class TestOffered:
    """Every set with a rule that names a grade has two interpretations on bleeding that was not recorded."""

    @pytest.mark.parametrize("name", shipped())
    def test_where_a_rule_names_the_grade(self, name: str) -> None:
        criteria = load(name)
        names = {name for model in criteria.endpoints.values() for rule in model.row_rules() for name in named(rule)}
        offered = [one.id for one in criteria.file.interpretation if one.id.startswith("unrecorded-bleeding")]
        both = ["unrecorded-bleeding-is-bleeding", "unrecorded-bleeding-is-none"]
        assert offered == (both if "bleeding_grade" in names else [])

    @pytest.mark.parametrize(
        ("assumed", "others"),
        [("unknown", ["bleeding", "none"]), ("bleeding", ["none", "unknown"]), ("none", ["bleeding", "unknown"])],
    )
    def test_are_the_two_that_the_file_does_not_assume(self, assumed: str, others: list[str]) -> None:
        criteria = loads(GRADED.format(f'[not_recorded]\nbleeding = "{assumed}"'), Path("graded.toml"))
        assert [one.id for one in criteria.file.interpretation] == [f"unrecorded-bleeding-is-{each}" for each in others]
        changed = {one: criteria.under(f"unrecorded-bleeding-is-{one}").not_recorded.bleeding for one in others}
        assert changed == {one: one for one in others}

    def test_stay_those_of_the_file_under_one_of_them(self) -> None:
        criteria = load("atra_2022")
        under = criteria.under("unrecorded-bleeding-is-none")
        assert under.file.interpretation == criteria.file.interpretation
        assert under.under("unrecorded-bleeding-is-bleeding").not_recorded.bleeding == "bleeding"

    def test_one_of_the_files_own_goes_before(self) -> None:
        own = "[[interpretation]]\nid = 'unrecorded-bleeding-is-none'\nquestion = 'Own?'\nassumed = 'Yes.'\n"
        own += "change = { not_recorded.bleeding = 'none' }"
        interpretations = loads(GRADED.format(own), Path("graded.toml")).file.interpretation
        assert [one.question for one in interpretations if one.id == "unrecorded-bleeding-is-none"] == ["Own?"]
        assert len(interpretations) == 2


class TestFinding:
    """A set is named, a file is a path."""

    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            ("atra_2021", "unknown criteria 'atra_2021'; known: .*Did you mean 'atra_2022'"),
            (
                "atra_2023.toml",
                "atra_2023.toml: there is no such file; shipped criteria sets: .*Did you mean 'atra_2022'",
            ),
            ("criteria/", "criteria/: this is a folder; name a file in it."),
        ],
    )
    def test_what_is_not_there(self, asked: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(FOLDER.parent)
        with pytest.raises(CriteriaError, match=said):
            load(asked)

    def test_of_a_file_of_ones_own(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.toml"
        path.write_text((FOLDER / "atra_2022.toml").read_text())
        assert load(path).endpoints == load("atra_2022").endpoints


class TestSchema:
    """The JSON Schema beside the files is that of the models, and says of keys and types what they say."""

    def test_is_that_of_the_models(self) -> None:
        assert SCHEMA.read_text(encoding="utf-8") == schema()

    def test_is_a_schema(self) -> None:
        jsonschema.Draft202012Validator.check_schema(json.loads(schema()))

    @pytest.mark.parametrize("name", shipped())
    def test_takes_every_shipped_file(self, name: str) -> None:
        of_the_schema().validate(_plain(tomllib.loads((FOLDER / f"{name}.toml").read_text())))

    @pytest.mark.parametrize(
        ("name", "path", "quoted"),
        [
            ("apart_without_unit", "$.OR.apart", "'7' does not match"),
            ("checked_unknown", "$.checked", "'primery' is not one of"),
            ("cite_missing", "$.source", "'cite' is a required property"),
            ("key_unknown_in_endpoint", "$.OR", "'whem'"),
            ("kind_unknown", "$.OR.kind", "'acheived' is not one of"),
        ],
    )
    def test_refuses(self, name: str, path: str, quoted: str) -> None:
        content = _plain(tomllib.loads((BAD_CRITERIA / f"{name}.toml").read_text()))
        (error,) = of_the_schema().iter_errors(content)
        assert error.json_path == path
        assert quoted in error.message


@cache
def of_the_schema() -> jsonschema.Draft202012Validator:
    """What validates a file; that the schema is one is tested by itself."""
    return jsonschema.Draft202012Validator(json.loads(schema()))


def named(rule: Rule) -> list[str]:
    """The names of a rule."""
    return list(names_in(rule.tree))


def _plain(value: object) -> object:
    """As JSON has it: a date is a text."""
    return json.loads(json.dumps(value, default=str))


def test_the_whole_file_of_the_readme_works() -> None:
    found = re.search(r"(?<=```toml\n)#:schema.*?(?=```)", (FOLDER / "README.md").read_text(), re.DOTALL)
    assert found
    criteria = loads(found[0], Path("readme.toml"))
    assert check(criteria).ok
    assert mutate(criteria).ok
