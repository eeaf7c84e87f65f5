"""Plain cells read by numpy mean what they mean when read as texts; other cells are left to the reader of texts."""

import math
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import itp_response
from itp_response.classification.chunked.study import ChunkedStudy, source_of
from itp_response.cohort.observations import ReadFrom
from itp_response.readers.chunks import ChunkSize
from itp_response.readers.grid import PIECE, grid, rows_in
from itp_response.readers.options import ReadOptions
from itp_response.readers.plain import as_records, of_records
from itp_response.readers.problems import Problems
from itp_response.readers.runs import Runs

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "visits.csv"


def column(*cells, other="x"):
    """The cells as a column beside another."""
    text = "".join(f"{cell},{other}\n" for cell in cells)
    return grid(text.encode(), 2, ",").column(0)


def numbers(cells):
    """All cells as numbers."""
    found, others = cells.numbers()
    assert not len(others)
    return found.tolist()


class TestGrid:
    @pytest.mark.parametrize("end", ["\n", "", "\r\n"])
    def test_cells(self, end):
        newline = end or "\n"
        found = grid(f"a;1;{newline}bc;;22{end}".encode(), 3, ";")
        assert len(found) == 2
        assert found.column(0).runs()[1] == ["a", "bc"]
        assert numbers(found.column(1)) == pytest.approx([1, math.nan], nan_ok=True)
        assert numbers(found.column(2)) == pytest.approx([math.nan, 22], nan_ok=True)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            'a,"b"\n',
            "a,b\n\nc,d\n",
            "a,b,c\nd,e,f\n",
            "a\nb,c,d\n",
            "a,b,c\nd\n",
            "ä,b\n",
            "a,b\rc,d\r",
            "a,b\r\nc\rd,e\r\n",
            "a,b\0\n",
        ],
        ids=[
            "nothing",
            "quotes",
            "empty line",
            "wide",
            "ragged",
            "ragged back",
            "not ascii",
            "returns",
            "mixed",
            "a zero",
        ],
    )
    def test_what_is_not_plain(self, text):
        assert grid(text.encode(), 2, ",") is None

    def test_pieces(self):
        """The cells of a block of several pieces, one of which ends in the middle of a cell."""
        rows = PIECE // 6
        text = "".join(f"{number},{number % 7}\n" for number in range(rows))
        assert len(text) > PIECE
        found = grid(text.encode(), 2, ",")
        assert numbers(found.column(0)) == list(range(rows))
        assert numbers(found.column(1)) == [number % 7 for number in range(rows)]


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
        assert rows_in(text.encode(), 2, ",") == rows

    @pytest.mark.parametrize("odd", ["", "1,2,3\n", "1\n"])
    def test_of_several_pieces(self, odd):
        text = "12345,6\n" * (PIECE // 5)
        half = 8 * (PIECE // 10)
        rows = None if odd else PIECE // 5
        assert rows_in(f"{text[:half]}{odd}{text[half:]}".encode(), 2, ",") == rows


NUMBERS = {
    "0": 0,
    "7": 7,
    "007": 7,
    "15": 15,
    "1234": 1234,
    "12345": 12345,
    "12345678": 12345678,
    "-1": -1,
    "-28": -28,
    "-1234567": -1234567,
    "1.5": 1.5,
    "0.1": 0.1,
    "23.75": 23.75,
    "-0.25": -0.25,
    "1.234567": 1.234567,
    "100.0": 100,
    "": math.nan,
}
NO_NUMBERS = [
    *("NA", "<10", "1e3", "+5", ".5", "5.", "-", "--1", "1.2.3", "-.5", "1-", " 5", "5 ", "1 2", "5:", "5/", "x"),
    *("123456789", "1,5", "0x10", "inf", "1_0", "5\t", "."),
]


class TestNumbers:
    @pytest.mark.parametrize("text", NUMBERS)
    def test_each(self, text):
        assert numbers(column(text)) == pytest.approx([NUMBERS[text]], rel=0, abs=0, nan_ok=True)

    def test_together(self):
        assert numbers(column(*NUMBERS)) == pytest.approx(list(NUMBERS.values()), rel=0, abs=0, nan_ok=True)

    def test_what_is_long(self):
        found, others = column("1", "<" * 64, "x" * 65).numbers()
        assert (found[0], others.tolist()) == (1, [1, 2])
        assert column("1", "<" * 64).texts(others[:1]) == ["<" * 64]
        assert column("1", "2", "x" * 65).texts(others[1:]) is None

    @pytest.mark.parametrize("text", [text for text in NO_NUMBERS if "," not in text])
    @pytest.mark.parametrize("beside", ["3", "1234", "12345678", "-2.5"])
    def test_what_is_none(self, text, beside):
        found, others = column(beside, text, "", beside).numbers()
        assert found[[0, 2, 3]].tolist() == pytest.approx([float(beside), math.nan, float(beside)], nan_ok=True)
        assert others.tolist() == [1]
        assert column(beside, text, "", beside).texts(others) == [text]

    @given(st.lists(st.decimals(-9999, 99999, places=2).map(str).filter(lambda text: len(text) <= 8), max_size=20))
    def test_decimals_as_python_reads_them(self, texts):
        if texts:
            assert numbers(column(*texts)) == [float(text) for text in texts]

    @example("-0")
    @given(st.text(st.sampled_from("0123456789-."), max_size=9))
    def test_as_polars_reads_them(self, text):
        found, others = column("1", text).numbers()
        if not len(others):
            read = pl.read_csv(f"1,x\n{text},x\n".encode(), has_header=False, schema={"a": pl.Float64, "b": pl.String})
            assert found[1] == pytest.approx(read["a"].fill_null(math.nan)[1], rel=0, abs=0, nan_ok=True)


class TestDates:
    @pytest.mark.parametrize(
        ("text", "year", "month", "day"),
        [
            ("1970-01-01", 1970, 1, 1),
            ("2020-02-29", 2020, 2, 29),
            ("1900-01-01", 1900, 1, 1),
            ("2100-12-31", 2100, 12, 31),
            ("2019-12-31", 2019, 12, 31),
        ],
    )
    def test_each(self, text, year, month, day):
        assert column(text).dates(1900, 2100).tolist() == [(date(year, month, day) - date(1970, 1, 1)).days]

    @given(st.lists(st.dates(date(1900, 1, 1), date(2100, 12, 31)), min_size=1, max_size=9))
    def test_all(self, dates):
        expected = [(one - date(1970, 1, 1)).days for one in dates]
        assert column(*dates).dates(1900, 2100).tolist() == expected

    @pytest.mark.parametrize(
        "text",
        [
            *("2021-02-29", "2020-04-31", "2020-00-10", "2020-13-01", "2020-01-00", "2020-01-32", "1899-12-31"),
            *("2101-01-01", "2020-1-01", "2020/01/01", "20200101", "2020-01", "2020", "01-01-2020", "2020-01-0x"),
            *("2020-01-01T", "2020a01-01", "2020-01a01", "202x-01-01", " 2020-01-1", "NA"),
        ],
    )
    def test_what_is_none(self, text):
        assert column("2020-01-01", text).dates(1900, 2100) is None

    def test_empty(self):
        assert column("", "1970-01-02").dates(1900, 2100).tolist() == pytest.approx([math.nan, 1], nan_ok=True)

    def test_every_day_of_leap_and_other_years(self):
        days = [date(1999, 1, 1) + timedelta(day) for day in range(5 * 365)]
        assert column(*days).dates(1999, 2003).tolist() == [(one - date(1970, 1, 1)).days for one in days]


class TestRuns:
    @given(
        st.lists(st.tuples(st.text(st.sampled_from("aB0-"), max_size=19), st.integers(1, 3)), min_size=1, max_size=9)
    )
    def test_as_one_by_one(self, runs):
        names = [name for name, number in runs for _ in range(number)]
        begin, found = column(*names).runs()
        expected = Runs.of(pl.Series([name or None for name in names], dtype=pl.String))
        assert begin.tolist() == expected.begin.tolist()
        assert [name or None for name in found] == expected.names.to_list()

    @pytest.mark.parametrize(
        "names",
        [["abcdefgh1", "abcdefgh2"], ["1abcdefgh", "2abcdefgh"], ["a" * 17 + "b", "a" * 17 + "c"], ["ab", "abc", "bc"]],
    )
    def test_what_differs_in_one_place(self, names):
        twice = [name for name in names for _ in range(2)]
        begin, found = column(*twice, other="").runs()
        assert (begin.tolist(), found) == ([2 * at for at in range(len(names))], names)

    @pytest.mark.parametrize("name", [" a", "a ", "\ta", "a" * 65])
    def test_what_is_none(self, name):
        assert column("b", name).runs() is None


class TestFew:
    def test_texts(self):
        rows, texts, which = column("", "IVIg", "", "tpo", "IVIg").distinct()
        assert (rows.tolist(), [texts[at] for at in which]) == ([1, 3, 4], ["IVIg", "tpo", "IVIg"])

    def test_single_letters(self):
        rows, texts, which = column("1", "0", "", "1", "y").distinct()
        assert (rows.tolist(), [texts[at] for at in which]) == ([0, 1, 3, 4], ["1", "0", "1", "y"])

    def test_none(self):
        rows, texts, which = column("", "").distinct()
        assert (len(rows), texts, len(which)) == (0, [], 0)

    @pytest.mark.parametrize("text", [" a", "a ", "a" * 65])
    def test_what_is_none(self, text):
        assert column("b", text).distinct() is None


# VISITS

HEADER = "patient_id,day,platelets,bleeding_grade,rescue,rescue_end"


def study(tmp_path, text, **told):
    path = tmp_path / "visits.csv"
    path.write_text(text)
    options = ReadOptions(**told)
    return ChunkedStudy.read(source_of(path), None, itp_response.criteria("atra_2022"), ReadFrom({}, {}), options)


def both(made):
    """The visits of the first block of a study as they are read if they are plain, and as all texts are."""
    part = next(made.source.chunks(made.wanted, ChunkSize(1 << 20, 1 << 20)))
    cells = part.block.grid()
    plain = made.plain.visits(cells) if cells else None
    return plain and plain[0], made.as_written(made.table(part)[0], Problems())


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


CELLS = st.tuples(
    st.sampled_from(["P1", "P10", "P2", ""]),
    st.sampled_from(["0", "-7", "28", "365", "28.0", "", "x"]),
    st.sampled_from(["", "15", "30.25", "0", "5000", "5001", "<10"]),
    st.sampled_from(["", "0", "4", "5"]),
    st.sampled_from(["", "IVIg", "ivig", "tpo", "1", "none"]),
    st.sampled_from(["", "28", "400"]),
).map(",".join)

ROWS = {
    "plain": ("P1,28,15,0,,", True),
    "empty": (",,,,,", True),
    "a rescue and its end": ("P1,28,15,0,IVIg,30", True),
    "a rescue alone": ("P1,28,,,Dexamethasone,", True),
    "a day alone": ("P1,28,,,,", True),
    "a decimal": ("P1,28,15.5,0,,", True),
    "a whole number with a point": ("P1,28.0,15,0,,", True),
    "a bound": ("P1,28,<15,0,,", True),
    "not given": ("P1,28,NA,0,,", True),
    "not given anywhere": ("P1,NA,.,n/a,,nan", True),
    "a bound of nothing": ("P1,28,<0,0,,", False),
    "no count": ("P1,28,many,0,,", False),
    "a bound of a grade": ("P1,28,15,<2,,", False),
    "half a day": ("P1,28.5,15,0,,", False),
    "no day": ("P1,,15,0,,", False),
    "no patient": (",28,15,0,,", False),
    "a count below 0": ("P1,28,-1,0,,", False),
    "a count per microlitre": ("P1,28,15000,0,,", False),
    "a grade of 5": ("P1,28,15,5,,", False),
    "half a grade": ("P1,28,15,0.5,,", False),
    "a grade below 0": ("P1,28,15,-1,,", False),
    "a rescue without a name": ("P1,28,15,0,1,", True),
    "its end": ("P1,28,15,0,1,30", True),
    "yes among names": ("P1,28,15,0,yes,", False),
    "a letter as a rescue": ("P1,28,15,0,B,", False),
    "a word for no rescue": ("P1,28,15,0,Unchecked,", True),
    "a rescue that is not known": ("P1,28,15,0,NK,", True),
    "no rescue": ("P1,28,15,0,No,", True),
    "rescue not given": ("P1,28,15,0,N/A,", True),
    "the end of no rescue": ("P1,28,15,0,0,30", False),
    "a number as a rescue": ("P1,28,15,0,5,", False),
    "an end without a rescue": ("P1,28,15,0,,30", False),
    "an end before": ("P1,28,15,0,IVIg,27", False),
    "half a day at the end": ("P1,28,15,0,IVIg,30.5", False),
    "white space": ("P1 ,28,15,0,,", False),
}
"""A row between others, and whether it is plain."""


class TestVisits:
    def test_the_example_is_plain(self):
        atra = itp_response.criteria("atra_2022")
        made = ChunkedStudy.read(source_of(EXAMPLE), None, atra, ReadFrom({}, {}), ReadOptions())
        plain, read = both(made)
        assert plain is not None
        same(plain, read)

    def test_dates(self, tmp_path):
        text = "date,rescue_end,patient,plt,rescue\n2020-01-05,,a,15,\n2020-03-01,2020-03-09,a,15.5,IVIG\n,,b,,\n"
        plain, read = both(study(tmp_path, text))
        assert plain is not None
        same(plain, read)

    @pytest.mark.parametrize("case", ROWS)
    def test_rows(self, case, tmp_path):
        row, is_plain = ROWS[case]
        plain, read = both(study(tmp_path, f"{HEADER}\nP0,0,10,0,,\nP0,7,11,0,,\nP0,9,9,0,,\n{row}\nP2,0,20,1,,\n"))
        assert (plain is not None) == is_plain
        if plain is not None:
            same(plain, read)

    @pytest.mark.parametrize("case", [case for case, (_, is_plain) in ROWS.items() if is_plain])
    def test_held_as_records(self, case, tmp_path):
        made = study(tmp_path, f"{HEADER}\nP0,0,10,0,,\nP0,7,11,0,IVIg,9\nP0,9,9,0,,\n{ROWS[case][0]}\nP2,0,20,1,,\n")
        plain, _ = both(made)
        if plain.platelets.exact:
            records, labels = as_records(plain, np.arange(len(plain.patient_ids)), 0)
            same(replace(of_records(records, made.plain.empty, labels), patient_ids=plain.patient_ids), plain)

    def test_columns_that_only_texts_have(self, tmp_path):
        """A format of dates, and columns that criteria declare."""
        text = "patient,date,plt\na,2020-01-05,15\n"
        assert study(tmp_path, text).plain is not None
        assert study(tmp_path, text, date_format="dmy").plain is None

    @given(rows=st.lists(CELLS, min_size=1, max_size=6))
    def test_plain_is_what_texts_say(self, rows, tmp_path_factory):
        plain, read = both(study(tmp_path_factory.mktemp("rows"), "\n".join([HEADER, *rows]) + "\n"))
        if plain is not None:
            same(plain, read)
