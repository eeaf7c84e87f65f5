"""Broken files: cut off, damaged, hostile or changed while they are read, each is refused with one error, or complete."""

import os
import struct
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
import test_formats
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from whole_and_chunked import same

import itp_response
from itp_response.messages.errors import CohortError, ItpResponseError
from itp_response.readers.chunks import ChunkSize
from itp_response.readers.files import is_text, open_table
from itp_response.readers.visits import read

STUDY = pl.DataFrame(
    {
        "patient_id": [f"P{row // 4}" for row in range(24)],
        "date": [f"2020-0{1 + row % 4}-0{1 + row % 7}" for row in range(24)],
        "platelets": [str(12 + 5 * row) for row in range(24)],
        "rescue": ["IVIg" if row == 9 else None for row in range(24)],
    }
)
LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
FEW = settings(
    max_examples=400 if LONG else 3, derandomize=not LONG, deadline=None, phases=(Phase.explicit, Phase.generate)
)
BYTES = (b"\x00", b"\xff", b"\r", b"\n", b'"', b",", b"<", b"[", b"9" * 30, b"\xe2\x80\xa8", b"NaN", b"")
DAMAGES = st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 9), st.sampled_from(BYTES)), min_size=1, max_size=4)
"""Where, how many bytes are lost there, and what is in their place."""


def made(name, folder):
    path = Path(folder, name)
    test_formats.WRITERS[name](STUDY, path)
    return path


def cells(path):
    """The header and the rows of a file."""
    opened = open_table(path, path.name)
    return opened.header, opened.load(range(len(opened.header))).rows()


def result(path, patients=None):
    """The summary or the message, which is the same however the file is read; any other exception fails the test."""
    out = path.parent.parent if path.is_dir() else path.parent
    return same(out, path, patients, sizes=[ChunkSize(60, 3)])


# THE LAW


@pytest.mark.parametrize("name", test_formats.WRITERS)
@FEW
@given(share=st.floats(0, 0.999))
def test_a_file_that_is_cut_off_is_refused_or_complete(name, share):
    with TemporaryDirectory() as folder:
        path = made(name, folder)
        header, rows = cells(path)
        data = path.read_bytes()
        path.write_bytes(data[: int(share * len(data))])
        try:
            cut_header, cut_rows = cells(path)
        except CohortError:
            return
        if is_text(path) or name == "visits.ndjson":
            # A text announces nothing: there are the rows before the cut, of which the last may have lost its end.
            assert cut_header != header or name == "eav.csv" or cut_rows[:-1] == rows[: max(len(cut_rows) - 1, 0)]
        else:
            assert (cut_header, cut_rows) == (header, rows)


@pytest.mark.parametrize("name", test_formats.WRITERS)
@FEW
@given(damages=DAMAGES)
def test_a_damaged_file_is_one_cohort_or_one_error_however_it_is_read(name, damages):
    with TemporaryDirectory() as folder:
        path = made(name, folder)
        data = path.read_bytes()
        for share, lost, other in damages:
            at = int(share * len(data))
            data = data[:at] + other + data[at + lost :]
        path.write_bytes(data)
        result(path)


# WHAT A FILE ANNOUNCES


def test_batches_that_end_before_the_file_does_are_no_end(tmp_path, monkeypatch):
    """A thread of polars may panic; its batches then end as if the file did."""
    path, all_batches = made("visits.parquet", tmp_path), pl.LazyFrame.collect_batches
    monkeypatch.setattr(
        pl.LazyFrame, "collect_batches", lambda self, **how: iter([next(iter(all_batches(self, **how)))])
    )

    with pytest.raises(CohortError, match=r"visits.parquet: this is not a complete Parquet file; export or copy it"):
        itp_response.classify_to(tmp_path / "out.csv", path, size=ChunkSize(60, 3))
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("rows", [1, 7, 40])
def test_a_transport_file_is_cut_within_a_row(rows, tmp_path):
    path = made("visits.xpt", tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - 80 * rows % len(data)][:-5])

    assert result(path).startswith("visits.xpt: this is not a complete SAS transport file")


def test_a_transport_file_of_two_data_sets(tmp_path):
    path = made("visits.xpt", tmp_path)
    data = path.read_bytes()
    path.write_bytes(data + data[240:])

    assert result(path) == "visits.xpt: this holds 2 data sets; export each into a file of its own."


# TEXTS

LINES = "patient_id,day,platelets\nA,0,15\nA,28,60\nB,0,12\nB,35,70\n"
TORN = (
    "a carriage return within the line; end each row with a newline, or put a cell that holds one in quotation marks."
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LINES.replace("15\n", "15\r"),            f"visits.csv: line 2: {TORN}"),
        (LINES.replace("\n", "\r", 1),             f"visits.csv: line 1: {TORN}"),
        (LINES.replace("A,28", "A\r,28"),          f"visits.csv: line 3: {TORN}"),
        (LINES + "x" * 200_000 + ",1\n",           "visits.csv: line 6: 2 cells, but the header has 3; leave cells empty, but keep their separators."),
        (LINES.replace("\n", f",{'x' * 140_000}\n", 1), "visits.csv: line 1: a name of more than 131,072 letters in the header; shorten it."),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_one_is_named(text, message, tmp_path):
    path = tmp_path / "visits.csv"
    path.write_bytes(text.encode())
    assert result(path) == message


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\r"])
def test_lines_end_as_programs_end_them(end, tmp_path):
    path = tmp_path / "visits.csv"
    path.write_bytes(LINES.replace("\n", end).encode())
    assert result(path).startswith("2 patients, 4 patient-days")


def test_a_list_of_patients_in_one_line_is_no_patient(tmp_path):
    visits, patients = tmp_path / "visits.csv", tmp_path / "patients.csv"
    visits.write_bytes(LINES.encode())
    patients.write_bytes(b"patient_id\nA\rB\n")
    assert result(visits, patients) == f"patients.csv: line 2: {TORN}"


def test_a_torn_line_is_left_out_and_reported(tmp_path):
    path = tmp_path / "visits.csv"
    path.write_bytes(LINES.replace("15\n", "15\r").encode())
    cohort = read(path, options=itp_response.ReadOptions(on_error="quarantine"))
    assert cohort.quarantine["line", "reason"].rows() == [(2, TORN)]
    assert len(cohort.lines) == 2


def test_a_last_line_longer_than_what_is_looked_at_first(tmp_path):
    path = tmp_path / "visits.csv"
    lines = LINES.replace("platelets\n", "platelets,comment\n").replace("5\n", "5,\n").replace("0\n", "0,\n")
    path.write_text(lines.replace("12\n", "12,\n").rstrip("\n") + "long " * 20_000, encoding="utf-8")
    assert result(path).startswith("2 patients, 4 patient-days")


def test_a_cell_that_spans_the_end_of_what_is_looked_at_first(tmp_path):
    path = tmp_path / "visits.csv"
    rows = [f'P{row:05},0,15,"first line\n{"second line " * 400}"' for row in range(40)]
    path.write_text("\n".join(["patient_id,day,platelets,comment", *rows]), encoding="utf-8")
    sizes = [ChunkSize(1 << 16, 1000)]
    assert same(tmp_path, path, sizes=sizes).startswith("40 patients, 40 patient-days")


@pytest.mark.parametrize("name", ["visits.csv", "visits.csv.gz"])
def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(name, tmp_path, monkeypatch):
    monkeypatch.setattr("itp_response.readers.text.LONGEST_LINE", 1 << 20)
    path = made(name, tmp_path)
    text = LINES.encode() + b"x" * (3 << 20)
    path.write_bytes(text if name == "visits.csv" else test_formats.gzip.compress(text))
    assert (
        result(path) == f"{name}: line 6: a line of more than 1 MB, so this is no table; end each row with a newline."
    )


@pytest.mark.parametrize("name", ["visits.csv.gz", "visits.dsjc", "visits.xlsx"])
def test_what_unpacks_to_far_more_than_a_table_does_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.setattr("itp_response.readers.text.ALWAYS_UNPACKED", 100)
    monkeypatch.setattr("itp_response.readers.text.MOST_TIMES", 1)
    message = result(made(name, tmp_path))
    assert message.startswith(f"{name}: this unpacks to more than 1 times its size, as no table does; if it is right")


# NAMES AND FOLDERS


@pytest.mark.parametrize("name", ["visits.csv", "visits.parquet", "visits.arrow", "visits.ipc", "visits.xlsx"])
def test_a_name_is_no_pattern(name, tmp_path):
    folder = tmp_path / "Study [2022]"
    folder.mkdir()
    stem, _, suffix = name.partition(".")
    for other in ("visits1", "visits2"):
        test_formats.WRITERS[name](STUDY.with_columns(patient_id=pl.lit(other)), folder / f"{other}.{suffix}")
    path = folder / f"{stem}[12]*?.{suffix}"
    made(name, folder).rename(path)
    assert result(path).startswith(f"6 patients, 24 patient-days from {path.name}")


def test_parts_that_are_hidden_by_their_names_are_named(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for name in ("part-1.csv", "_part-2.csv", ".part-3.csv", "_SUCCESS"):
        (folder / name).write_text(LINES)
    assert "Not read, as the name begins with '_' or '.': '.part-3.csv', '_part-2.csv'." in result(folder)


@pytest.mark.parametrize("function", ["is_dir", "exists"])
def test_a_folder_that_may_not_be_entered(function, tmp_path, monkeypatch):
    path, usual = made("visits.csv", tmp_path), getattr(Path, function)

    def refused(one):
        if one == path:
            raise PermissionError(13, "Permission denied")
        return usual(one)

    monkeypatch.setattr(Path, function, refused)
    for run in (lambda: read(path), lambda: itp_response.classify_to(tmp_path / "out.csv", path)):
        with pytest.raises(CohortError, match=r"visits.csv: this cannot be read: Permission denied."):
            run()


class TestChanged:
    MESSAGE = "visits.csv: this was changed while it was read; run it again once nothing writes to it."

    @pytest.mark.parametrize("module", ["readers.visits._cohort", "classification.chunked.classify_to._write"])
    def test_while_it_is_read(self, module, tmp_path, monkeypatch):
        path = made("visits.csv", tmp_path)
        place, _, name = f"itp_response.{module}".rpartition(".")
        usual = getattr(__import__(place, fromlist=[name]), name)

        def changed_meanwhile(*given):
            with path.open("a") as file:
                file.write("P9,2020-01-01,15,\n")
            return usual(*given)

        monkeypatch.setattr(f"{place}.{name}", changed_meanwhile)
        with pytest.raises(CohortError) as error:
            itp_response.classify_to(tmp_path / "out.csv", path) if "chunked" in module else read(path)
        assert str(error.value) == self.MESSAGE
        assert not (tmp_path / "out.csv").exists()

    def test_before_an_output_names_it(self, tmp_path):
        path = made("visits.csv", tmp_path)
        classification = itp_response.classify(path)
        path.write_text(LINES)
        with pytest.raises(CohortError) as error:
            classification.provenance()
        assert str(error.value) == self.MESSAGE


# VALUES


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
@pytest.mark.parametrize(
    ("values", "what"), [([["A"], ["B"]], "lists"), ([{"x": "A"}, {"x": "B"}], "records"), ([b"A", b"B"], "bytes")]
)
def test_cells_that_are_no_single_values(values, what, suffix, tmp_path):
    path = tmp_path / f"visits.{suffix}"
    frame = pl.DataFrame({"patient_id": values, "day": [0, 0], "platelets": [15, 20]})
    (frame.write_parquet if suffix == "parquet" else frame.write_ipc)(path)
    message = f"patient_id: its cells are {what}, not single values; export them as texts."
    assert result(path) == f"{path.name}: {message}"
    with pytest.raises(CohortError, match=f"visits: {message}"):
        read(frame)
    other = frame.rename({"patient_id": "notes"}).with_columns(patient_id=pl.lit("A"), day=pl.Series([0, 7]))
    assert len(read(other).id) == 1


@pytest.mark.parametrize("dtype", [pl.Date, pl.Datetime("ms"), pl.Datetime("us"), pl.Datetime("ns", "Asia/Tokyo")])
def test_a_date_outside_of_all_years(dtype, tmp_path):
    far = 2**31 - 1 if dtype == pl.Date else 2**62
    frame = pl.DataFrame({"patient_id": ["A", "A"], "date": [0, far], "platelets": [15, 20]})
    physical = pl.Int32 if dtype == pl.Date else pl.Int64
    frame = frame.with_columns(pl.col("date").cast(physical).cast(dtype))
    frame.write_parquet(tmp_path / "visits.parquet")
    message = result(tmp_path / "visits.parquet")
    nanoseconds = dtype != pl.Date and dtype.time_unit == "ns"
    # That number of nanoseconds is a date of the year 2116.
    assert "lies after 2099" in message if nanoseconds else f"{far} (out of range)' is not between the years" in message


HEAD = '"columns":[{"name":"patient_id","dataType":"string"},{"name":"day","dataType":"integer"},{"name":"platelets","dataType":"float"}]'
ROWS = '[["A",0,15],["A",28,60]]'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f'{{{HEAD},"rows":{ROWS},"rows":[]}}',    "this cannot be read as Dataset-JSON: 'rows' is there twice in one object; export it again."),
        (f'{{{HEAD},"records":3,"rows":{ROWS}}}',  "3 records are announced, but there are 2 rows."),
        (f'{{{HEAD},"rows":["A09","A91"]}}',       "row 1: 'A09' is not a row; a row is a list of values."),
        (f'{{{HEAD},"rows":{{"A":1}}}}',           "this is not CDISC Dataset-JSON 1.1; it needs 'columns' and 'rows'."),
        (f'{{{HEAD},"rows":[["A",true,15]]}}',     "day: not every value is of the type 'integer'."),
        (f'{{{HEAD},"rows":[["A",0,"15"]]}}',      "platelets: not every value is of the type 'float'."),
        (f'{{{HEAD},"rows":[["A",0,NaN]]}}',       "this cannot be read as Dataset-JSON: NaN is not a number of JSON; export it again."),
        (f'{{{HEAD},"rows":[["A",{9**30},1]]}}',   "day: a number is too large; it has more than 64 bits."),
        (f'{{{HEAD},"rows":[["\\ud800",0,1]]}}',   "this cannot be read as Dataset-JSON: a text in it has half a letter (a surrogate), so it is not UTF-8; export it again."),
        (f'{{{HEAD},"rows":{"[" * 100_000}',       "this cannot be read as Dataset-JSON: it is nested too deeply; export it again."),
        (f'{{{HEAD},"rows":{ROWS}'.replace('"day"', "null"), "this cannot be read as Dataset-JSON: it is not complete JSON"),
        (f'{{{HEAD},"rows":{ROWS}}}'.replace('"day"', "null"), "this is not CDISC Dataset-JSON 1.1; it needs 'columns' and 'rows'."),
        ("[1]",                                    "this is not CDISC Dataset-JSON 1.1; it needs 'columns' and 'rows'."),
    ],
)  # fmt: skip
def test_dataset_json_that_is_built_otherwise(text, message, tmp_path):
    path = tmp_path / "visits.json"
    path.write_text(text, encoding="utf-8")
    assert result(path).startswith(f"visits.json: {message}")


def test_a_line_of_ndjson_ends_with_a_newline_alone(tmp_path):
    path = tmp_path / "visits.ndjson"
    path.write_text(f'{{{HEAD}}}\n["a\u2028b",0,15]\n["c\u0085d",0,15]\n', encoding="utf-8")
    assert read(path).id.to_list() == ["a\u2028b", "c\u0085d"]
    path.write_text(f'{{{HEAD},"rows":{ROWS}}}\n["B",0,15]\n', encoding="utf-8")
    with pytest.raises(CohortError, match="there are rows in the first line and in lines of their own"):
        read(path)


@pytest.mark.parametrize("text", ['{"a":' * 50_000, '{"resourceType":"Patient","id":"\\ud800"}'])
def test_fhir_is_read_with_the_same_care(text, tmp_path):
    path = tmp_path / "patients.json"
    path.write_text(f'{{"resourceType":"Bundle","entry":[{text}', encoding="utf-8")
    with pytest.raises(CohortError, match=r"patients.json: this cannot be read as JSON"):
        read(path)


def test_an_arrow_file_that_would_end_the_process_is_looked_at_first(tmp_path, monkeypatch):
    """With pyarrow, and in a process of its own without it."""
    path = made("visits.arrow", tmp_path)
    data = path.read_bytes()
    footer = struct.unpack("<i", data[-10:-6])[0]
    broken = data[: -10 - footer // 2] + b"\xff" * 8 + data[-10 - footer // 2 + 8 :]
    path.write_bytes(broken)
    for found in (True, False):
        monkeypatch.setattr("importlib.util.find_spec", lambda _, found=found: found or None)
        with pytest.raises(ItpResponseError, match=r"visits.arrow: this is not a complete Arrow file"):
            open_table(path, "visits")
    path.write_bytes(data)
    assert len(open_table(path, "visits").header) == 4
