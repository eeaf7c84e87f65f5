"""Signs looked for: a column in which none of some signs occurs is not gone over text by text; each sign counts."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itp_response.classification.spreadsheet_texts import SIGNS, as_texts
from itp_response.cohort.texts import AT_ONCE, any_has
from itp_response.readers.cell_errors import are_cell_errors
from itp_response.readers.chunks import TAIL, _begin_of_last_patient
from itp_response.readers.ids import similar
from itp_response.readers.problems import WHITE_SPACE, as_text

LETTERS = pl.Series([chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000])


def test_a_sign_is_found_in_any_of_many_texts():
    texts = pl.Series(["a"]).new_from_index(0, AT_ONCE + 1)
    assert not any_has(texts, "=+")
    assert any_has(texts.set(pl.Series([False] * AT_ONCE + [True]), "b+"), "=+")


@pytest.mark.parametrize("sign", SIGNS)
def test_each_beginning_of_a_formula_gets_an_apostrophe(sign):
    frame, changed = as_texts(pl.DataFrame({"id": ["P1", f"{sign}x"], "arm": ["A", "B"]}), "as-text")
    assert (frame["id"].to_list(), changed) == (["P1", f"'{sign}x"], 1)


@pytest.mark.parametrize("text", ["#REF!", "#n/a!", "err:502", '="a"', "=C2*5", "(merged with A1)"])
def test_each_cell_error_is_found(text):
    assert are_cell_errors(pl.Series(["12", text])).to_list() == [False, True]


def test_what_polars_takes_away_around_a_text_is_looked_for():
    stripped = LETTERS.filter(LETTERS.str.strip_chars() == "")
    assert set(stripped) == set(WHITE_SPACE)
    assert as_text(pl.Series(["a\u2003", "b"])).to_list() == ["a", "b"]
    assert as_text(pl.Series(["'=1", "b"])).to_list() == ["=1", "b"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a b", "ab"),
        ("a\tb", "ab"),
        ("a'b", "ab"),
        ("a`b", "ab"),
        ("a_b", "a-b"),
        ("a/b", "a-b"),
        ("1,234", "1234"),
        ("a-1", "a1"),
        ("2.0", "2"),
        ("a01", "a1"),
        ("A", "a"),
        ("a\u200b", "a"),
    ],
)
def test_each_sign_that_is_easily_lost_makes_ids_similar(one, other):
    assert similar(pl.Series([one, other])) == [[one, other]]


@settings(max_examples=20)
@given(st.integers(1, 3 * TAIL), st.integers(1, 2 * TAIL))
def test_the_rows_of_the_last_patient_are_found_from_the_end(rows, of_each):
    ids = pl.Series("0", [row // of_each for row in range(rows)])
    assert _begin_of_last_patient(ids.to_frame(), 0) == (rows - 1) // of_each * of_each
