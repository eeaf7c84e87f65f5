"""Worked examples: what `check` says of those that fail, and which changes of a file `mutate` reports as not noticed."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from itp_response.authoring.check import check, worked_examples
from itp_response.authoring.mutate import Mutation, changes, mutate
from itp_response.classification.classification import classify
from itp_response.cli import main
from itp_response.definitions.criteria import Criteria, read_dict
from itp_response.definitions.load import criteria_folder, load, loads
from itp_response.messages.errors import CriteriaError

FOUND = re.search(r"(?<=```toml\n)#:schema.*?(?=```)", (criteria_folder() / "README.md").read_text(), re.DOTALL)
assert FOUND
TEXT = FOUND[0]
"""The whole file of `criteria/README.md`, in which every example is needed."""


def _without(example: str) -> Criteria:
    """The file without one of its worked examples."""
    text = re.sub(rf'\[\[example\]\]\nname     = "{example}"[^[]*(\[[^[]*)*?(?=\[\[|\Z)', "", TEXT)
    return loads(text, Path("readme.toml"))


class TestCheck:
    """A worked example that fails, and a clause that none tries, is reported in a sentence."""

    def test_an_example_that_fails(self) -> None:
        report = check(loads(TEXT.replace("R_confirmed_day = 28", "R_confirmed_day = 21"), Path("readme.toml")))
        because = "of two counts of a day the lower stands; the last day is assessed"
        assert report.failures == (f"T03 ({because}): R_confirmed_day is 28, expected 21",)
        assert not report.ok
        assert "1 not as expected" in str(report)

    def test_an_example_that_fails_under_an_interpretation(self) -> None:
        text = TEXT.replace('above-fifty = { R = "N" }', 'above-fifty = { R = "Y" }')
        (failure,) = check(loads(text, Path("readme.toml"))).failures
        assert failure.endswith("R is 'N' under above-fifty, expected 'Y'")

    def test_a_clause_that_is_never_false(self) -> None:
        report = check(loads(TEXT.replace("platelets >= 50", "platelets >= 50 and day < 900"), Path("readme.toml")))
        assert report.untried == ("[R] when: 'a day before day 900' is never false in a worked example",)
        assert (report.failures, report.clauses, report.ok) == ((), 2, False)

    def test_a_file_without_examples(self) -> None:
        criteria = loads(TEXT[: TEXT.index("[[example]]")], Path("readme.toml"))
        report = check(criteria)
        assert report.untried == ("there are no worked examples, so that no clause is tried",)
        assert not report.ok
        assert str(report) == (
            "readme: not checked, because it has no worked examples; add [[example]] tables that make each clause true "
            "in one and false in another"
        )

    def test_an_example_that_cannot_be_read_is_named(self) -> None:
        with pytest.raises(CriteriaError, match=r"^readme.toml: line \d+: \[\[example\]\] T04: timeline: '4x9'"):
            check(loads(TEXT.replace("d14 49", "d14 4x9"), Path("readme.toml")))


class TestMutate:
    """A change is noticed where a worked example is not as expected under it."""

    @pytest.mark.parametrize(
        ("example", "unnoticed"),
        [("T03", ["[R] days: [1, 28] -> [1, 27]"]), ("T05", ["[clock] followed_from: 28 -> 29"])],
    )
    def test_a_change_that_only_a_missing_example_notices(self, example: str, unnoticed: list[str]) -> None:
        mutations = mutate(_without(example))
        assert [str(change) for change in mutations.unnoticed] == unnoticed
        assert len(mutations.noticed) == 20
        assert not mutations.ok
        assert f"  not noticed: {unnoticed[0]}" in str(mutations)

    def test_examples_that_fail_are_named_and_notice_nothing(self) -> None:
        mutations = mutate(loads(TEXT.replace("R_confirmed_day = 28", "R_confirmed_day = 21"), Path("readme.toml")))
        assert mutations.failing == ("T03",)
        assert [str(change) for change in mutations.unnoticed] == ["[R] days: [1, 28] -> [1, 27]"]
        assert not mutations.ok
        assert "  not used, because they are not as expected without any change: T03" in str(mutations)

    def test_functions_and_their_lengths_are_changed(self) -> None:
        """A function becomes each other one, its name each other number of a row, its length a step more or less."""
        rule = "platelets > highest(dose, '8 weeks')"
        text = TEXT.replace('"good"', f'"{rule}"') + '[columns]\ndose = { type = "number" }\n'
        criteria = loads(text[: text.index("[[example]]")] + text[text.index("[columns]") :], Path("readme.toml"))
        tried = [change for change in changes(criteria.raw) if change.path == ("R", "when")]
        assert [change.after for change in tried if _valid(criteria, change) and "platelets >" in change.after] == [
            "platelets > highest(dose)",
            "platelets >= highest(dose, '8 weeks')",
            "platelets > lowest(dose, '8 weeks')",
            "platelets > highest(platelets, '8 weeks')",
            "platelets > highest(bleeding_grade, '8 weeks')",
            "platelets > highest(dose, '7 weeks')",
            "platelets > highest(dose, '9 weeks')",
        ]

    def test_without_examples_no_change_is_noticed(self) -> None:
        mutations = mutate(loads(TEXT[: TEXT.index("[[example]]")], Path("readme.toml")))
        assert (mutations.noticed, mutations.failing, mutations.ok) == ((), (), False)
        assert str(mutations).endswith("small changes of the file, the worked examples notice 0 (0.0%)")

    def test_the_command_mutates_whatever_the_check_says(self, tmp_path: Path) -> None:
        path = tmp_path / "readme.toml"
        path.write_text(TEXT.replace("R_confirmed_day = 28", "R_confirmed_day = 21"), encoding="utf-8")
        ran = CliRunner().invoke(main, ["check", str(path), "--mutate"])
        assert ran.exit_code == 1
        assert "expected 21" in ran.output
        assert "small changes of the file" in ran.output

    @pytest.mark.parametrize("name", ["ritp", "atra_2022_conduct", "avatrombopag_paediatric"])
    def test_examples_built_anew_under_each_change_notice_the_same(self, name: str) -> None:
        criteria = load(name)
        valid = [change for change in changes(criteria.raw) if _valid(criteria, change)]
        mutations = mutate(criteria)
        assert {str(change): True for change in mutations.noticed} == {
            str(change): True for change in valid if _noticed(criteria, change)
        }
        assert len(valid) == len(mutations.noticed) + len(mutations.unnoticed)


def _changed(criteria: Criteria, change: Mutation) -> Criteria:
    return read_dict({**change.applied(criteria.raw), "interpretation": [], "example": []}, criteria.path, "changed")


def _valid(criteria: Criteria, change: Mutation) -> bool:
    try:
        return bool(_changed(criteria, change))
    except CriteriaError:
        return False


def _noticed(criteria: Criteria, change: Mutation) -> bool:
    changed, examples = _changed(criteria, change), criteria.file.example
    rows = classify(worked_examples(changed, examples), criteria=changed).frame().rows(named=True)
    cells = [
        ("" if row.get(column) is None else row[column], value)
        for example, row in zip(examples, rows, strict=True)
        for column, value in example.expect.items()
    ]
    return any(cell != value for cell, value in cells)
