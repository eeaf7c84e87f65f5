"""Messages that somebody can read, whatever the names in them."""

import polars as pl
import pytest

import itp_response
from itp_response.messages.errors import LONGEST_LINE, CohortError, some_of, unknown

MANY = [f"a column of the export {number}" for number in range(5_000)]


def test_a_list_of_names_has_room_for_some():
    assert some_of(MANY, 60) == "a column of the export 0, a column of the export 1, … and 4,998 more"
    assert some_of(["a" * 500]) == "a" * 99 + "…"
    assert some_of([]) == ""


def test_an_unknown_word_beside_many_names():
    sentence = unknown("column", MANY[-1] + "x", MANY)

    assert sentence.endswith(" more.")
    assert len(sentence) < LONGEST_LINE


def test_a_very_long_line_keeps_its_begin_and_its_end():
    error = CohortError(f"visits.csv: {'x' * 5_000}; give it a name.\nvisits.csv: line 3: short")

    long, short = str(error).split("\n")
    assert long == f"visits.csv: {'x' * 483} … (4,287 characters left out) … {'x' * 230}; give it a name."
    assert short == "visits.csv: line 3: short"
    assert [str(problem) for problem in error.problems] == [str(error)]


@pytest.mark.parametrize("width", [50, 1_000])
def test_a_table_of_many_columns_without_the_ones_needed(width):
    with pytest.raises(CohortError) as error:
        itp_response.read(pl.DataFrame({name: ["1"] for name in MANY[:width]}))

    for line in str(error.value).splitlines():
        assert len(line) < LONGEST_LINE
        assert "; there are: a column of the export 0, a column of the export 1, " in line
