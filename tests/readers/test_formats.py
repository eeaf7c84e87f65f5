"""Formats: the invented study, in every format that is read, is one cohort."""

import datetime
import gzip
import json
import zipfile
import zlib
from dataclasses import replace
from xml.sax.saxutils import escape

import coded_study
import duckdb
import pandas as pd
import polars as pl
import pyreadstat
import pytest
import test_mapping
import test_odm
import xlwt
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from test_reading import content
from test_sdtm import write_json

import itp_response
from itp_response import CohortError, ReadOptions, read
from itp_response.cohort.declared_columns import ColumnDeclared
from itp_response.readers.files import READERS, open_table

VISITS, PATIENTS = test_mapping.VISITS, test_mapping.PATIENTS
OF_PATIENTS = ("patient_id", "arm", "enrolment_date", "treatment_discontinued")


@pytest.fixture(scope="module")
def study():
    """The visits and the patients of the study, as texts."""
    patients = pl.read_csv(PATIENTS, infer_schema=False).select(OF_PATIENTS)
    return pl.read_csv(VISITS, infer_schema=False), patients


@pytest.fixture(scope="module")
def expected():
    return same(read(VISITS, PATIENTS))


def same(cohort):
    """A cohort without the keys by which its source knows the rows."""
    return test_mapping.same(replace(cohort, origin=None))


# WRITERS: each writes a frame as a file


def csv(frame, path):
    frame.write_csv(path)


def tsv(frame, path):
    frame.write_csv(path, separator="\t")


def semicolons(frame, path):
    frame.write_csv(path, separator=";")


def packed(frame, path):
    path.write_bytes(gzip.compress(frame.write_csv().encode()))


def parquet(frame, path):
    frame.write_parquet(path)


def arrow(frame, path):
    frame.write_ipc(path)


def stream(frame, path):
    frame.write_ipc_stream(path)


def xpt(frame, path):
    pyreadstat.write_xport(frame, path, file_format_version=8)


def sav(frame, path):
    pyreadstat.write_sav(frame, path)


def dta(frame, path):
    pyreadstat.write_dta(frame.with_columns(pl.all().fill_null("")), path)


def dataset_json(frame, path):
    write_json(path, "STUDY", frame)


def dsjc(frame, path, wbits=zlib.MAX_WBITS):
    """NDJSON by DEFLATE, as CDISC compresses it."""
    lines = path.with_suffix(".ndjson")
    write_json(lines, "STUDY", frame)
    packer = zlib.compressobj(wbits=wbits)
    path.write_bytes(packer.compress(lines.read_bytes()) + packer.flush())


def dsjc_raw(frame, path):
    dsjc(frame, path, -zlib.MAX_WBITS)


def xlsx(frame, path):
    test_mapping.workbook(frame, path)


def xls(frame, path):
    book = xlwt.Workbook()
    page = book.add_sheet("Counts")
    as_date = xlwt.easyxf(num_format_str="DD/MM/YYYY")
    for column, name in enumerate(frame.columns):
        page.write(0, column, name)
        for row, cell in enumerate(frame[name], start=1):
            if cell is None:
                continue
            if name in ("date", "rescue_end", "enrolment_date"):
                page.write(row, column, pl.Series([cell]).str.to_date()[0], as_date)
            else:
                page.write(row, column, int(cell) if cell.isdigit() else cell)
    book.save(path)


ODS = """<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
<office:body><office:spreadsheet><table:table table:name="Counts">{}</table:table></office:spreadsheet></office:body>
</office:document-content>"""
ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
ODS_MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{ODS_TYPE}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)


def ods_cell(name, cell):
    if cell is None:
        return "<table:table-cell/>"
    kind = "string"
    if cell.isdigit():
        kind = f'float" office:value="{cell}'
    elif name in ("date", "rescue_end", "enrolment_date"):
        kind = f'date" office:date-value="{cell}'
    return f'<table:table-cell office:value-type="{kind}"><text:p>{escape(cell)}</text:p></table:table-cell>'


def ods_file(rows, path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("mimetype", ODS_TYPE)
        file.writestr("META-INF/manifest.xml", ODS_MANIFEST)
        file.writestr("content.xml", ODS.format("".join(f"<table:table-row>{row}</table:table-row>" for row in rows)))


def ods(frame, path):
    head = "".join(ods_cell("", name) for name in frame.columns)
    rows = ["".join(map(ods_cell, frame.columns, row)) for row in frame.iter_rows()]
    ods_file([head, *rows], path)


def per_value(frame):
    """A row per value, as REDCap exports it; an event per visit, and the record's id among the values."""
    keys = {"record": pl.col("patient_id")}
    if "date" in frame.columns:
        keys["redcap_event_name"] = pl.format("visit_{}_arm_1", pl.col("patient_id").cum_count().over("patient_id"))
    named = frame.with_columns(**keys).rename({"patient_id": "record_id"})
    values = named.with_row_index("row").unpivot(index=["row", *keys], variable_name="field_name", value_name="value")
    return values.drop_nulls("value").sort("row", maintain_order=True).drop("row")


def eav(frame, path):
    per_value(frame).write_csv(path)


def eav_parquet(frame, path):
    per_value(frame).write_parquet(path)


WRITERS = {
    "visits.csv": csv,
    "visits.tsv": tsv,
    "visits.txt": semicolons,
    "visits.csv.gz": packed,
    "visits.parquet": parquet,
    "visits.arrow": arrow,
    "visits.feather": arrow,
    "visits.ipc": stream,
    "visits.xpt": xpt,
    "visits.sav": sav,
    "visits.zsav": sav,
    "visits.dta": dta,
    "visits.json": dataset_json,
    "visits.ndjson": dataset_json,
    "visits.dsjc": dsjc,
    "raw.dsjc": dsjc_raw,
    "visits.xlsx": xlsx,
    "visits.xls": xls,
    "visits.ods": ods,
    "eav.csv": eav,
    "eav.parquet": eav_parquet,
}
"""The files that are a table of visits, or of patients, by themselves."""


# STUDIES: each gives what `read` takes


def frames(visits, patients, folder):
    return visits, patients


def lazy_frames(visits, patients, folder):
    return visits.lazy(), patients.lazy()


def pandas_frames(visits, patients, folder):
    return visits.to_pandas(), patients.to_pandas()


def arrow_tables(visits, patients, folder):
    return visits.to_arrow(), patients.to_arrow()


def arrow_streams(visits, patients, folder):
    return _Stream(visits), _Stream(patients)


def rows(visits, patients, folder):
    return visits.to_dicts(), patients.to_dicts()


def values_in_a_frame(visits, patients, folder):
    return per_value(visits).to_pandas(), per_value(patients).to_dicts()


def wide(visits, patients, folder):
    frame = test_mapping.wide(visits, patients)
    frame.write_csv(folder / "wide.csv")
    return mapped(folder / "wide.csv", test_mapping.wide_mapping(frame))


def redcap(visits, patients, folder):
    frame, drugs = test_mapping.redcap(visits, patients)
    frame.write_csv(folder / "export.csv")
    return mapped(folder / "export.csv", _redcap_mapping(drugs))


def redcap_per_value(visits, patients, folder):
    frame, drugs = test_mapping.redcap(visits, patients)
    keys = [name for name in frame.columns if name.startswith("redcap")]
    number = pl.format("visit_{}_arm_1", pl.col("record_id").cum_count().over("record_id"))
    frame = frame.with_columns(
        redcap_event_name=pl.when(pl.col("visit_date").is_null()).then("redcap_event_name").otherwise(number)
    )
    values = frame.rename({"record_id": "record"}).with_row_index("row")
    values = values.unpivot(index=["row", "record", *keys], variable_name="field_name", value_name="value")
    values.drop_nulls("value").sort("row", maintain_order=True).drop("row").write_csv(folder / "export.csv")
    return mapped(folder / "export.csv", _redcap_mapping(drugs))


def odm(visits, patients, folder):
    path, mapping = test_odm.written(folder, test_odm.export())
    return itp_response.mapped(path, mapping)


def fhir_lines(visits, patients, folder):
    path = folder / "study.ndjson"
    path.write_text("".join(json.dumps(one) + "\n" for one in coded_study.resources(visits, patients)))
    return mapped(path, coded_study.fhir_mapping(visits))[0], patients


def fhir_bundle(visits, patients, folder):
    path = folder / "study.json"
    path.write_text(json.dumps(coded_study.bundle(coded_study.resources(visits, patients)), indent=2))
    return mapped(path, coded_study.fhir_mapping(visits))[0], patients


def fhir_folder(visits, patients, folder):
    """A file per type of resource, as a bulk export has them."""
    (folder / "bulk").mkdir()
    for one in coded_study.resources(visits, patients):
        with (folder / "bulk" / f"{one['resourceType']}.ndjson").open("a") as file:
            file.write(json.dumps(one) + "\n")
    return mapped(folder / "bulk", coded_study.fhir_mapping(visits))[0], patients


def omop_csv(visits, patients, folder):
    tables = coded_study.omop(visits, patients)
    for name, table in tables.items():
        (folder / "omop").mkdir(exist_ok=True)
        table.write_csv(folder / "omop" / f"{name.upper()}.csv")
    return mapped(folder / "omop", coded_study.omop_mapping(tables))[0], patients


def omop_parquet(visits, patients, folder):
    tables = coded_study.omop(visits, patients)
    (folder / "omop").mkdir()
    for name, table in tables.items():
        table.write_parquet(folder / "omop" / f"{name}.parquet")
    return mapped(folder / "omop", coded_study.omop_mapping(tables))[0], patients


def omop_database(visits, patients, folder):
    tables = coded_study.omop(visits, patients)
    with duckdb.connect(str(folder / "study.duckdb")) as database:
        for name, table in tables.items():
            table.write_parquet(folder / f"{name}.parquet")
            database.execute(f"CREATE TABLE {name} AS FROM '{folder / name}.parquet'")
    return mapped(folder / "study.duckdb", coded_study.omop_mapping(tables))[0], patients


def mapped(path, mapping):
    (path.parent / "mapping.toml").write_text(mapping)
    return itp_response.mapped(path, path.parent / "mapping.toml")


def _redcap_mapping(drugs):
    return test_mapping.REDCAP + "\n".join(f'{code} = "{drug}"' for code, drug in enumerate(drugs))


class _Stream:
    """A table of which nothing is known but that it speaks the Arrow PyCapsule interface."""

    def __init__(self, frame):
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema=None):
        return self._frame.__arrow_c_stream__(requested_schema)


STUDIES = (
    *(frames, lazy_frames, pandas_frames, arrow_tables, arrow_streams, rows, values_in_a_frame),
    *(wide, redcap, redcap_per_value, odm),
    *(fhir_lines, fhir_bundle, fhir_folder, omop_csv, omop_parquet, omop_database),
)


class TestOneCohort:
    @pytest.mark.parametrize("name", WRITERS)
    def test_of_files(self, name, study, expected, tmp_path):
        of_patients = name.replace("visits", "patients").replace("raw", "raw_patients").replace("eav", "eav_patients")
        for frame, file in zip(study, (name, of_patients), strict=True):
            WRITERS[name](frame, tmp_path / file)

        assert same(read(tmp_path / name, tmp_path / of_patients)) == expected

    @pytest.mark.parametrize("form", STUDIES, ids=lambda form: form.__name__)
    def test_of_studies(self, form, study, expected, tmp_path):
        assert same(read(*form(*study, tmp_path))) == expected

    def test_every_reader_is_among_them(self):
        written = {f".{name.removesuffix('.gz').rpartition('.')[2]}" for name in WRITERS}

        # No library writes files of SAS; workbooks with macros are written as those without.
        assert set(READERS) - written == {".sas7bdat", ".xlsm", ".xml"}


class TestValueLabels:
    """What a file says of its own codes is not read as something else."""

    def read(self, folder, column, values, labels):
        frame = pl.DataFrame({"patient_id": ["P1"] * len(values), "day": [0, 21, 28][: len(values)], "platelets": 12.0})
        frame = frame.with_columns(pl.Series(column, values, dtype=pl.Int32))
        pyreadstat.write_sav(frame, folder / "a.sav", variable_value_labels={column: labels})
        pyreadstat.write_dta(frame, folder / "a.dta", variable_value_labels={column: labels})
        return [read(folder / name) for name in ("a.sav", "a.dta")]

    def test_a_rescue_of_1_that_is_none(self, tmp_path):
        for cohort in self.read(tmp_path, "rescue", [1, 2, 1], {1: "No", 2: "Yes"}):
            assert cohort.rescue.tolist() == [False, True, False]

    def test_names_of_treatments(self, tmp_path):
        for cohort in self.read(tmp_path, "rescue", [0, 2, 9], {0: "none", 2: "IVIg", 9: "unknown"}):
            assert (cohort.rescue.tolist(), cohort.courses.name.labels) == ([False, True, False], ("ivig",))

    @pytest.mark.parametrize("labels", [{1: "none", 2: "mild"}, {1: "Grade 0", 2: "Grade 1"}])
    def test_grades_that_are_numbered_otherwise(self, labels, tmp_path):
        with pytest.raises(CohortError) as error:
            self.read(tmp_path, "bleeding_grade", [1, 2, 1], labels)
        assert str(error.value).startswith(
            f"a.sav: bleeding_grade: '1' is labelled {labels[1]!r} in the file, so it is not the grade; say in a mapping"
        )

    def test_grades_that_are_as_they_are_labelled(self, tmp_path):
        for cohort in self.read(tmp_path, "bleeding_grade", [0, 1, 2], {0: "none", 1: "Grade 1: petechiae", 2: "mild"}):
            assert cohort.bleeding_grade.tolist() == [0, 1, 2]


BAD = {
    "patient_id": ("P1", "P2", None),
    "date": ("2019-05-01", "2019-05-22", None),
    "platelets": ("15", "<10", "4x5", None),
    "bleeding_grade": ("0", "7", None),
    "rescue": ("IVIg", "#REF!", None),
}
BAD_ROWS = st.lists(st.tuples(*map(st.sampled_from, BAD.values())), min_size=1, max_size=5)


def what_was_left_out(cohort):
    """What was left out of a cohort, without the places in its file."""
    report = cohort.quarantine.select("column", "value", "reason", "patient_id", "left_out")
    return sorted(report.rows(), key=str)


@settings(max_examples=settings.default.max_examples // 12, phases=(Phase.explicit, Phase.generate))
@given(rows_of_table=BAD_ROWS)
@pytest.mark.parametrize("name", WRITERS)
def test_each_row_is_used_or_reported_in_every_format(name, rows_of_table, tmp_path_factory):
    """The rows that cannot be read are left out and reported in every format, and the others are the same cohort."""
    per_value = name.startswith("eav")
    first = ("P1", "2019-05-01", "15", "0", "IVIg")
    rows_of_table = [first, *(row for row in rows_of_table if any(row) and not (per_value and row[0] is None))]
    frame = pl.DataFrame(rows_of_table, schema=dict.fromkeys(BAD, pl.String), orient="row")
    folder = tmp_path_factory.mktemp("format")
    WRITERS[name](frame, folder / name)
    options = ReadOptions(on_error="quarantine")
    plain, found = read(frame, options=options), read(folder / name, options=options)
    left_out = found.quarantine.filter(left_out="row").select("line").unique().height
    passed_over = sum(int(note.text.split()[0]) for note in found.notes if "skipped: no count" in note.text)

    # Where each value has a row, the cells of a record are reported by rows of their own.
    assert per_value or len(frame) == len(found.lines) + left_out + passed_over
    assert what_was_left_out(found) == what_was_left_out(plain)
    assert str(found.left_out) == str(plain.left_out)
    cohorts = [replace(cohort, quarantine=None, quarantined=None, left_out=None) for cohort in (found, plain)]
    assert same(cohorts[0]) == same(cohorts[1])


TYPED = pl.DataFrame(
    {
        "patient_id": ["1", "1", "2", "2", "3"],
        "date": [datetime.date(2019, 5, day) for day in (1, 8, 1, 15, 2)],
        "platelets": [15.0, None, 20.5, 100.0, 7.0],
        "bleeding_grade": [0, 1, None, 0, 2],
        "rescue": [None, "IVIg", None, None, "1"],
        "rescue_end": [None, datetime.date(2019, 5, 10), None, None, None],
        "dose": [50, 25, None, 50, 75],
        "steroid": [True, None, False, True, False],
    }
)
DECLARED = {"dose": ColumnDeclared(type="number"), "steroid": ColumnDeclared(type="truth")}
AS_NUMBERS = (pl.col("patient_id").cast(pl.Float64), pl.col("dose").cast(pl.Decimal(8, 2)))
AS_TIMES = pl.col("date").cast(pl.Datetime).dt.replace_time_zone("Asia/Tokyo")


def file_of(write, name):
    """A form of the typed table: the file that `write` writes."""

    def form(folder):
        write(TYPED, folder / name)
        return folder / name

    return form


FORMS = {
    "parquet": file_of(parquet, "visits.parquet"),
    "arrow": file_of(arrow, "visits.arrow"),
    "stream": file_of(stream, "visits.ipc"),
    "polars": lambda _: TYPED,
    "lazy": lambda _: TYPED.lazy(),
    "times": lambda _: TYPED.with_columns(AS_TIMES),
    "numbers": lambda _: TYPED.with_columns(AS_NUMBERS),
    "pandas": lambda _: pd.DataFrame(
        {**TYPED.to_dict(as_series=False), "date": pd.to_datetime(TYPED["date"].to_list())}
    ),
    "objects": lambda _: pd.DataFrame(TYPED.to_dict(as_series=False), dtype=object),
    "rows": lambda _: TYPED.to_dicts(),
    "sparse": lambda _: [
        {name: one for name, one in row.items() if one is not None} for row in TYPED.iter_rows(named=True)
    ],
}


@pytest.mark.parametrize("form", FORMS)
def test_values_with_types_are_those_of_the_text(form, tmp_path):
    """Dates, numbers and truths mean what they mean as text, declared columns too."""
    csv(TYPED, tmp_path / "visits.csv")

    cohort = read(FORMS[form](tmp_path), columns=DECLARED)

    assert content(cohort) == content(read(tmp_path / "visits.csv", columns=DECLARED))
    assert (cohort.row_word, cohort.source_row.tolist()) == ("row", [1, 2, 3, 4, 5])


def test_a_file_of_sas_is_read_by_pyreadstat(tmp_path, monkeypatch):
    """No library writes such a file, so that pyreadstat's reader of another format stands in for it."""
    pyreadstat.write_xport(pl.DataFrame({"PATIENT": ["P1"], "DAY": [0.0], "PLT": [15.0]}), tmp_path / "visits.sas7bdat")
    monkeypatch.setattr(pyreadstat, "read_sas7bdat", pyreadstat.read_xport)

    assert read(tmp_path / "visits.sas7bdat").platelets.low.tolist() == [15]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("visits.sas7bdat", "visits.sas7bdat: this is not a complete SAS data file; export or copy it again."),
        ("visits.sav",      "visits.sav: this is not a complete SPSS file; export or copy it again."),
        ("visits.dta",      "visits.dta: this is not a complete Stata file; export or copy it again."),
        ("visits.dsjc",     "visits.dsjc: this is not a complete compressed Dataset-JSON file; export or copy it again."),
        ("visits.xls",      "visits.xls: this is not a complete workbook; save it again as .xlsx."),
        ("visits.ods",      "visits.ods: this is not a complete workbook; save it again as .xlsx."),
        ("visits.duckdb",   "visits.duckdb: this DuckDB database cannot be read: "),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused(name, message, tmp_path):
    (tmp_path / name).write_bytes(b"patient_id,day,platelets\nP1,0,15\n" * 200)

    with pytest.raises(CohortError) as error:
        read(tmp_path / name)

    assert str(error.value).startswith(message)


def test_a_truncated_dataset_json_is_refused(study, tmp_path):
    dsjc(study[0], tmp_path / "visits.dsjc")
    (tmp_path / "visits.dsjc").write_bytes((tmp_path / "visits.dsjc").read_bytes()[:-100])

    with pytest.raises(CohortError, match=r"^visits.dsjc: this is not a complete compressed Dataset-JSON file; "):
        read(tmp_path / "visits.dsjc")


def test_labels_of_columns_and_values_are_handed_on(tmp_path):
    frame = pl.DataFrame({"id": ["P1", "P2"], "arm": [1.0, 2.0]})
    pyreadstat.write_sav(
        frame,
        tmp_path / "patients.sav",
        column_labels={"arm": "Treatment"},
        variable_value_labels={"arm": {1: "A", 2: "B"}},
    )

    table = open_table(tmp_path / "patients.sav", "patients")

    assert (table.labels, table.codes) == ({"arm": ("Treatment",)}, {"arm": {"1": "A", "2": "B"}})
    assert table.load([1])["1"].to_list() == [1, 2]


class TestErrorsOfSpreadsheets:
    """A cell with an error is no empty cell."""

    def test_a_cell_of_an_xls_that_would_take_all_memory(self, tmp_path):
        """A damaged record puts it where no such sheet has a cell, and all cells up to it would be taken."""
        xls(pl.DataFrame({"patient_id": ["P1"], "day": ["0"], "platelets": ["15"]}), tmp_path / "visits.xls")
        written = (tmp_path / "visits.xls").read_bytes()
        record = b"\xfd\x00\x0a\x00"  # a text, followed by its row and column
        at = written.rindex(record) + len(record)
        (tmp_path / "visits.xls").write_bytes(written[:at] + b"\xff\x7f\xff\x7f" + written[at + 4 :])

        with pytest.raises(
            CohortError, match=r"^visits.xls: this is not a complete workbook; save it again as .xlsx.$"
        ):
            read(tmp_path / "visits.xls")

    def test_in_xls(self, tmp_path):
        book = xlwt.Workbook()
        page = book.add_sheet("Counts")
        for column, name in enumerate(["patient_id", "day", "platelets"]):
            page.write(0, column, name)
        page.write(1, 0, "007")
        page.write(1, 1, 0)
        page.row(1).set_cell_error(2, "#DIV/0!")
        book.save(tmp_path / "visits.xls")

        with pytest.raises(CohortError) as error:
            read(tmp_path / "visits.xls")

        assert str(error.value) == "visits.xls: row 2: platelets: '#DIV/0!' is an error of the spreadsheet; correct it."

    def test_in_ods(self, tmp_path):
        empty = '<table:table-cell table:number-columns-repeated="2"/>'
        rows_of_sheet = [
            "".join(ods_cell("", name) for name in ("patient_id", "day", "platelets")),
            ods_cell("", "007") + ods_cell("", "0") + ods_cell("", "15"),
            empty + '<table:table-cell table:formula="of:=1/0"><text:p>#DIV/0!</text:p></table:table-cell>',
        ]
        ods_file(rows_of_sheet, tmp_path / "visits.ods")

        with pytest.raises(CohortError) as error:
            read(tmp_path / "visits.ods")

        assert str(error.value) == "visits.ods: row 3: platelets: '#DIV/0!' is an error of the spreadsheet; correct it."

    @pytest.mark.parametrize(
        "error",
        [
            '<table:table-cell table:formula="of:=1/0" office:value-type="string"><text:p><text:span>#DIV/0!</text:span></text:p></table:table-cell>',
            '<table:table-cell table:formula="of:=1/0"><text:p>#DIV/0!</text:p></table:table-cell>',
        ],
    )
    def test_in_ods_each_of_many_that_are_written_once(self, error, tmp_path):
        head = "".join(ods_cell("", name) for name in ("patient_id", "day", "platelets"))
        rows_of_sheet = [head, ods_cell("", "007") + ods_cell("", "0") + error]
        ods_file(rows_of_sheet, tmp_path / "visits.ods")
        repeated = '<table:table-row table:number-rows-repeated="3">' + ods_cell("", "007")
        with zipfile.ZipFile(tmp_path / "visits.ods") as file:
            parts = {name: file.read(name).decode() for name in file.namelist()}
        with zipfile.ZipFile(tmp_path / "visits.ods", "w") as file:
            for name, text in parts.items():
                file.writestr(name, text.replace("<table:table-row>" + ods_cell("", "007"), repeated))

        with pytest.raises(CohortError) as raised:
            read(tmp_path / "visits.ods")

        assert [problem.line for problem in raised.value.problems] == [2, 3, 4]


def test_content_tells_cohorts_apart(study, expected):
    """The comparison of this module notices one other count."""
    visits, patients = study
    other = visits.with_columns(
        pl.when(pl.int_range(pl.len()) == 7).then(pl.lit("1")).otherwise("platelets").alias("platelets")
    )

    assert same(read(other, patients)) != expected
    assert content(read(visits, patients)) == content(read(VISITS, PATIENTS))
