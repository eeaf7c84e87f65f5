"""Texts: a count is written the same alone and in a column."""

import numpy as np
import pytest

from itp_response.cohort.notation import bounds
from itp_response.cohort.texts import count_in_words, texts
from itp_response.cohort.values import Numbers

COUNTS = ["0", "9", "40", "12.5", "0.25", "1000", "3456", "<10", "<0.5", "<12.5", ">1000", ">1500"]


@pytest.mark.parametrize("text", COUNTS)
def test_a_count_is_written_as_it_was(text):
    assert count_in_words(*bounds(text)) == text


def test_a_column_is_written_as_each_of_its_counts():
    low, high = np.array([bounds(text) for text in COUNTS]).T
    assert texts(Numbers(low, high)).to_list() == COUNTS


def test_no_count_is_no_text():
    assert count_in_words(float("nan"), float("nan")) == ""
