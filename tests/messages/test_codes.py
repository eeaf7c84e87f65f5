"""Errors as data: every code of the list has a cause and a cure, and an error knows its code, place and value."""

import json
import pickle
import re
import sys
from pathlib import Path

import pytest

import itp_response
from itp_response import CohortError, CriteriaError, ItpResponseError, ReadOptions, UsageError
from itp_response.messages.codes import MEANINGS, Code
from itp_response.messages.errors import Problem

GOOD = {"patient_id": "A", "day": 0, "platelets": 15}
TWO = [GOOD, {**GOOD, "day": 28}]


def classify(*rows, **options):
    return itp_response.classify(list(rows), options=ReadOptions(**options) if options else None)


def written(folder, name, text):
    path = folder / name
    path.write_text(text)
    return path


def own(folder, before, after):
    """A criteria file that differs from the one of the example in one place."""
    text = (Path(__file__).parents[2] / "examples" / "own_definition.toml").read_text()
    assert before in text
    return itp_response.criteria(written(folder, "own.toml", text.replace(before, after, 1)))


RAISED = {
    Code.FILE_NOT_FOUND: (lambda _: itp_response.read("none.csv"), "none.csv", None, None, None),
    Code.FILE_UNREADABLE: (
        lambda folder: itp_response.read(written(folder, "visits.parquet", "no")),
        *("visits.parquet", None, None, None),
    ),
    Code.STUDY_UNUSABLE: (
        lambda _: itp_response.classify([GOOD], [{"patient_id": "A", "treatment_discontinued": 1}]),
        *("patients", None, None, None),
    ),
    Code.NO_ROWS: (
        lambda folder: itp_response.read(written(folder, "v.csv", "patient_id,day,platelets\n")),
        *("v.csv", None, None, None),
    ),
    Code.COLUMN_MISSING: (lambda _: classify({"patient_id": "A", "day": 0}), "visits", None, "platelets", None),
    Code.COLUMN_AMBIGUOUS: (lambda _: classify({**GOOD, "date": "2024-01-01"}), "visits", None, None, None),
    Code.ROW_UNREADABLE: (
        lambda folder: itp_response.read(written(folder, "v.csv", "patient_id,day,platelets\nA,0\n")),
        *("v.csv", 2, None, None),
    ),
    Code.CELL_UNREADABLE: (
        lambda folder: itp_response.read(written(folder, "v.csv", "patient_id,day,platelets\nA,0,#REF!\n")),
        *("v.csv", 2, "platelets", "#REF!"),
    ),
    Code.CELL_EMPTY: (lambda _: classify(GOOD, {**GOOD, "patient_id": None}), "visits", 2, "patient_id", None),
    Code.CELL_CONTRADICTED: (
        lambda _: itp_response.classify([GOOD], [{"patient_id": "A", "arm": arm} for arm in "XY"]),
        *("patients", 2, None, None),
    ),
    Code.NUMBER_UNREADABLE: (lambda _: classify({**GOOD, "platelets": "4o"}), "visits", 1, "platelets", "4o"),
    Code.COUNT_IMPLAUSIBLE: (lambda _: classify({**GOOD, "platelets": -3}), "visits", 1, "platelets", "-3"),
    Code.UNIT_UNCLEAR: (lambda _: classify({**GOOD, "unit": "mg"}), "visits", 1, "unit", "mg"),
    Code.GRADE_UNREADABLE: (lambda _: classify({**GOOD, "bleeding_grade": 7}), "visits", 1, "bleeding_grade", "7"),
    Code.DAY_UNREADABLE: (lambda _: classify({**GOOD, "day": 1.5}), "visits", 1, "day", "1.5"),
    Code.DATE_UNREADABLE: (
        lambda _: classify({"patient_id": "A", "date": "31/31/2024", "platelets": 15}),
        *("visits", 1, "date", "31/31/2024"),
    ),
    Code.RESCUE_UNCLEAR: (lambda _: classify({**GOOD, "rescue": "pending"}), "visits", 1, "rescue", "pending"),
    Code.PATIENT_UNCLEAR: (lambda _: classify(GOOD, {**GOOD, "patient_id": "a"}), "visits", None, None, None),
    Code.DATA_AMBIGUOUS: (
        lambda _: classify(*[{**GOOD, "day": day, "platelets": 999 if day else 15} for day in range(9)]),
        *("visits", None, None, None),
    ),
    Code.TIMELINE_UNREADABLE: (lambda _: itp_response.ask("d0 15, d22 4o"), "timeline", None, None, "d22 4o"),
    Code.CRITERIA_UNUSABLE: (
        lambda folder: itp_response.check(own(folder, 'timeline = "d0', 'timeline = "dd0')),
        *(None, None, None, None),
    ),
    Code.NOT_TOML: (lambda folder: itp_response.criteria(written(folder, "x.toml", "a = \n")), "x.toml", 1, None, None),
    Code.KEY_MISSING: (lambda folder: own(folder, "title   =", "# title ="), "own.toml", None, None, None),
    Code.VALUE_UNUSABLE: (
        lambda folder: own(folder, "occasions = 2", "occasions = 0"),
        "own.toml",
        28,
        *("response occasions", "0"),
    ),
    Code.RULE_UNREADABLE: (
        lambda folder: own(folder, "platelets >= 50", "platelets => 50"),
        "own.toml",
        20,
        *("terms good", "platelets => 50"),
    ),
    Code.CALL_UNUSABLE: (lambda _: itp_response.compare([GOOD], criteria=["fit"]), None, None, None, None),
    Code.NAME_UNKNOWN: (lambda _: itp_response.criteria("atra_2021"), None, None, None, "atra_2021"),
    Code.PATIENT_UNKNOWN: (lambda _: itp_response.explain([GOOD], patient="B"), None, None, None, "B"),
    Code.ALREADY_READ: (lambda _: itp_response.classify(classify(GOOD), [GOOD]), None, None, None, "patients"),
    Code.LIBRARY_MISSING: (lambda _: classify(GOOD).to_pandas(), None, None, None, "pandas"),
    Code.OUTPUT_UNWRITABLE: (lambda _: classify(GOOD).write("none/out.csv"), "none/out.csv", None, None, None),
}
"""How each comes about, and the file, the line, the column and the value that the error knows."""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


class TestCodes:
    def test_each_has_a_cause_and_a_cure_in_sentences(self):
        assert list(MEANINGS) == list(Code)
        assert [code for code in Code if not re.fullmatch(r"[a-z]+(_[a-z]+)*", code)] == []
        texts = [text for meaning in MEANINGS.values() for text in (meaning.cause, meaning.cure)]
        assert [text for text in texts if not re.fullmatch(r"[A-Z].*\.", text)] == []

    def test_each_comes_about(self):
        assert list(RAISED) == list(Code)

    @pytest.mark.parametrize("code", Code)
    def test_an_error_knows_its_code_place_and_value(self, code, tmp_path, monkeypatch):
        if code is Code.LIBRARY_MISSING:
            monkeypatch.setitem(sys.modules, "pandas", None)
        make, *parts = RAISED[code]
        with pytest.raises(ItpResponseError) as raised:
            make(tmp_path)
        error = raised.value

        assert (error.code, error.cure) == (code, MEANINGS[code].cure)
        assert [error.file, error.line, error.column, error.value] == parts


class TestErrors:
    def test_one_is_plain_data(self):
        with pytest.raises(CohortError) as raised:
            itp_response.ask("d0 15, d22 4o")

        assert json.loads(json.dumps(raised.value.as_dict())) == {
            "error": "CohortError",
            "code": "timeline_unreadable",
            "message": str(raised.value),
            "place": {"file": "timeline", "position": 8},
            "value": "d22 4o",
            "cure": MEANINGS[Code.TIMELINE_UNREADABLE].cure,
            "problems": [
                {
                    "code": "timeline_unreadable",
                    "message": str(raised.value),
                    "place": {"file": "timeline", "position": 8},
                    "value": "d22 4o",
                    "cure": MEANINGS[Code.TIMELINE_UNREADABLE].cure,
                }
            ],
        }

    def test_all_problems_are_there_each_with_its_own_parts(self):
        with pytest.raises(CohortError) as raised:
            classify({**GOOD, "platelets": "4o"}, {**GOOD, "day": "x", "bleeding_grade": 9})
        found = {(problem.code, problem.line, problem.column, problem.value) for problem in raised.value.problems}

        assert found == {
            ("number_unreadable", 1, "platelets", "4o"),
            ("day_unreadable", 2, "day", "x"),
            ("grade_unreadable", 2, "bleeding_grade", "9"),
        }
        assert str(raised.value) == "\n".join(raised.value.problems)

    def test_of_a_criteria_file_the_key_is_known(self, tmp_path):
        with pytest.raises(CriteriaError) as raised:
            own(tmp_path, "platelets >=", "platelet >=")
        (problem, *_) = raised.value.problems

        assert (problem.file, problem.code) == ("own.toml", "rule_unreadable")
        assert (problem.line, problem.column) == (20, "terms good")

    def test_one_is_the_same_after_a_process(self):
        error = UsageError(Problem("no.", code=Code.NAME_UNKNOWN, value="x"))
        again = pickle.loads(pickle.dumps(error))

        assert (again.as_dict(), type(again)) == (error.as_dict(), UsageError)

    @pytest.mark.parametrize(
        ("error", "code"),
        [(CohortError, "study_unusable"), (CriteriaError, "criteria_unusable"), (UsageError, "call_unusable")],
    )
    def test_one_without_a_code_of_its_own_has_that_of_its_class(self, error, code):
        assert error("no.").as_dict()["code"] == code
