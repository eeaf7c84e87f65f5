"""Texts: a count is written as it was, alone and in a column."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itp_response.classification.classification import classify
from itp_response.cohort.notation import HIGHEST_COUNT, bounds, count_text
from itp_response.cohort.texts import count_in_words, texts
from itp_response.cohort.values import Numbers
from itp_response.data_review.data_queries import data_queries
from itp_response.explanation.explain import explain
from itp_response.outputs.report.patients import _counts
from itp_response.readers.cells import as_counts
from itp_response.readers.options import ReadOptions
from itp_response.readers.problems import Cells, Location, Problems
from itp_response.readers.visits import read

SIGNS = {"": "", "<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">="}
"""Every sign that is read, and how it is written."""
NUMBERS = ["0.000001", "0.5", "1", "9.9", "10", "12.345678", "29.999999", "30", "99.5", "1000", "4999.999999", "5000"]
FORMS = [(sign + number, written + number) for sign, written in SIGNS.items() for number in NUMBERS]
FORMS += [("0", "0"), (">0", ">0"), (">=0", ">=0"), ("≥0", ">=0")]


def numbers() -> st.SearchStrategy[str]:
    """Counts as they are given: up to six decimals, none of them needless."""
    millionths = st.integers(1, HIGHEST_COUNT * 10**6)
    return st.builds(lambda number: f"{number / 10**6:.6f}".rstrip("0").rstrip("."), millionths)


def read_as_cells(forms: list[str]) -> Numbers:
    """As every file, frame and list is read."""
    return as_counts(Cells(Location("visits.csv", 0), "platelets", pl.Series(forms, dtype=pl.String)), Problems())


class TestEveryFormOfABound:
    @pytest.mark.parametrize(("form", "written"), FORMS)
    def test_in_a_timeline(self, form, written):
        assert count_in_words(*bounds(form)) == written
        assert count_text(*bounds(form)) == written
        assert bounds(written) == bounds(form)

    def test_in_a_column_of_a_file(self):
        forms, written = map(list, zip(*FORMS, strict=True))

        assert texts(read_as_cells(forms)).to_list() == written

    def test_in_cells_per_microlitre(self):
        forms = [f"{sign}{number}" for sign in SIGNS for number in ("7500", "30000", "1234567")]
        written = [f"{sign}{number}" for sign in SIGNS.values() for number in ("7.5", "30", "1234.567")]
        visits = [{"patient_id": f"P{number:02}", "day": 0, "platelets": form} for number, form in enumerate(forms)]

        assert texts(read(visits, options=ReadOptions(unit="/µL")).platelets).to_list() == written

    @given(st.sampled_from(list(SIGNS)), numbers())
    def test_with_any_number(self, sign, number):
        written = SIGNS[sign] + number

        assert count_in_words(*bounds(sign + number)) == count_text(*bounds(sign + number)) == written
        assert texts(read_as_cells([sign + number])).to_list() == [written]

    def test_signs_on_both_sides(self):
        low, high = bounds(">10")[0], bounds("<20")[1]

        assert count_in_words(low, high) == ">10 and <20"
        assert count_in_words(10, 20) == ">=10 and <=20"

    def test_a_bound_that_was_computed(self):
        below = bounds("<20")[1]

        assert count_in_words(0, (below + 15) / 2) == "<17.5"
        assert count_in_words(0, (20 + 15) / 2) == "<=17.5"
        assert count_in_words(0, 2 * below) == "<40"
        assert count_in_words(0, 50 / 3) == "<=16.666667"
        assert count_in_words(0, 0.1 * 3) == "<=0.3"


class TestAColumn:
    @given(st.lists(st.tuples(st.sampled_from(list(SIGNS)), numbers()), min_size=1))
    def test_is_written_as_each_of_its_counts(self, forms):
        low, high = np.array([bounds(sign + number) for sign, number in forms]).T

        assert texts(Numbers(low, high)).to_list() == [count_in_words(*ends) for ends in zip(low, high, strict=True)]

    def test_has_no_text_where_there_is_no_count(self):
        low, high = np.array([bounds("<10"), (math.nan, math.nan)]).T

        assert texts(Numbers(low, high)).to_list() == ["<10", None]
        assert texts(np.array([28.0, math.nan])).to_list() == ["28", None]
        assert count_in_words(math.nan, math.nan) == ""


class TestWhereverItIsPrinted:
    """In explanations, data queries and the report."""

    @pytest.mark.parametrize("form", ["<31", "<=30", "≤30", ">29", ">=29", "≥29"])
    def test_it_is_as_it_was_given(self, form, tmp_path):
        path = tmp_path / "visits.csv"
        rows = [(0, 15), (7, 60), (14, 60), (21, form), (364, 60)]
        lines = "".join(f"P1,{day},{count},0\n" for day, count in rows)
        path.write_text(f"patient_id,day,platelets,bleeding_grade\n{lines}", encoding="utf-8")
        written = SIGNS[form.rstrip("0123456789")] + form.lstrip("<>=≤≥")
        classification = classify(path, criteria="atra_2022")

        (explanation,) = explain(classification, patient="P1", endpoint="relapse")
        asks = data_queries(classification)["asks"].drop_nulls().to_list()

        assert {row.day: row.observed for row in explanation.rows}[21] == written
        assert f"which is only {written}: " in explanation.missing
        assert any(f" instead of {written} on day 21" in said for said in explanation.counterfactuals_in_words)
        assert f"the exact platelet count of day 21, line 5 (given as {written})" in asks
        assert _counts(classification.cohort.platelets)[3][2] == written
