"""Cells that are read as numbers at once mean what they mean when read as texts; other cells stay texts."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import itp_response
from itp_response.classification.chunked.study import ChunkedStudy, source_of
from itp_response.cohort.observations import ReadFrom
from itp_response.readers.chunks import ChunkSize
from itp_response.readers.options import ReadOptions
from itp_response.readers.text import _even_rows

HEADER = "patient_id,day,platelets,bleeding_grade,rescue,rescue_end"


class TestRows:
    @pytest.mark.parametrize(
        ("text", "rows"),
        [
            ("a,b\nc,d\n", 2),
            ("a,b\nc,d", 2),
            ("a,b\r\nc,\r\n", 2),
            ("ä,b\n", 1),
            (",\n", 1),
            ("a,b\n\nc,d\n", None),
            ("a,b\n\n", None),
            ("a,b,c\nd\n", None),
            ("a\nb,c,d\n", None),
            ("a,b\nc", None),
            ("a,b\nc,d,e", None),
            ('a,"b"\n', None),
            ("a", None),
        ],
    )
    def test_each(self, text, rows):
        assert _even_rows(text.encode(), 2, ord(",")) == rows


def read(folder, text, **options):
    """The frame, the visits and the problems of the first chunk of a study: while nothing is wrong, and after."""
    path = folder / "visits.csv"
    path.write_text(text)
    criteria = itp_response.criteria("atra_2022")
    tables = source_of(path), path, None
    study = ChunkedStudy.read(*tables, criteria, ReadFrom({}, {}), ReadOptions(**options), ChunkSize())
    for valid in (True, False):
        wanted = replace(study.wanted(replace(study.assumptions, valid=valid)), patient=None)
        table, problems = study.table(next(study.source.chunks(wanted, ChunkSize())))
        yield table.frame, study.visits(table, problems), problems


def same(one, other):
    for name in ("when", "rescue_end", "platelets"):
        values = getattr(one, name), getattr(other, name)
        assert values[0].exact == values[1].exact
        np.testing.assert_array_equal(values[0].low, values[1].low)
        np.testing.assert_array_equal(values[0].high, values[1].high)
    for name in ("bleeding_grade", "rescue", "recorded"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.patient_ids.names.to_list() == other.patient_ids.names.to_list()
    assert one.patient_ids.begin.tolist() == other.patient_ids.begin.tolist()
    names = [
        [texts.labels[code] if code >= 0 else None for code in texts.codes]
        for texts in (one.rescue_name, other.rescue_name)
    ]
    assert names[0] == names[1]


def noted(problems):
    return [(note.text, note.warning) for note in problems.notes]


@pytest.mark.parametrize(
    ("row", "are_numbers"),
    [
        ("P1,28,15,0,,", True),
        (",,,,,", True),
        ("P1,28,15.5,0,IVIg,30", True),
        ("P1,-7.0,1e2,0,,", True),
        ('P1,"28",+15,0,,', True),
        ("P1,28,<15,0,,", False),
        ("P1,28,NA,0,,", False),
        ("P1,28,nan,0,,", False),
        ("P1,28,inf,0,,", False),
        ("P1,28, 15,0,,", True),
        ("P1,28,many,0,,", False),
    ],
)
def test_numbers_are_read_as_numbers_where_all_cells_are(row, are_numbers, tmp_path):
    (frame, visits, problems), (texts, as_texts, problems_of_texts) = read(tmp_path, f"{HEADER}\nP0,0,10,0,,\n{row}\n")
    expected = {"patient_id": pl.String, "day": pl.Float64, "platelets": pl.Float64, "bleeding_grade": pl.Float64}
    expected |= {"rescue": pl.String, "rescue_end": pl.Float64}
    assert frame.schema == (expected if are_numbers else dict.fromkeys(expected, pl.String))
    assert set(texts.dtypes) == {pl.String}
    same(visits, as_texts)
    assert noted(problems) == noted(problems_of_texts)
    assert problems.any_wrong == problems_of_texts.any_wrong


def test_dates_stay_texts(tmp_path):
    """A year alone is a date, of which the month is not known."""
    (frame, visits, _), (_, as_texts, _) = read(tmp_path, "id,date,plt,rescue,rescue_end\na,2019,15,IVIg,2019\n")
    assert frame.schema["rescue_end"] == pl.String
    assert frame.schema["platelets"] == pl.Float64
    same(visits, as_texts)


CELLS = st.tuples(
    st.sampled_from(["P1", "P10", "P2", " P2", ""]),
    st.sampled_from(["0", "-7", "28", "365", "28.0", "", "x", " 7"]),
    st.sampled_from(["", "15", "30.25", "0", "5000", "5001", "<10", '"15"', ".5", "5.", "1_0", "NaN", "\t9", "-0"]),
    st.sampled_from(["", "0", "4", "5"]),
    st.sampled_from(["", "IVIg", "ivig", "tpo", "1", "none"]),
    st.sampled_from(["", "28", "400"]),
).map(",".join)


@given(rows=st.lists(CELLS, min_size=1, max_size=6))
@example(rows=["P1,0,-0,0,,"])
def test_they_mean_what_texts_say(rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    (_, visits, problems), (_, as_texts, problems_of_texts) = read(folder, "\n".join([HEADER, *rows]) + "\n")
    same(visits, as_texts)
    assert noted(problems) == noted(problems_of_texts)
    assert problems.any_wrong == problems_of_texts.any_wrong


@given(texts=st.lists(st.floats(allow_nan=False, allow_infinity=False).map(repr), min_size=1, max_size=9))
def test_numbers_are_those_of_python(texts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("numbers")
    (frame, *_), _ = read(folder, "id,day,plt\n" + "".join(f"P1,0,{text}\n" for text in texts))
    assert frame["platelets"].to_list() == list(map(float, texts))
