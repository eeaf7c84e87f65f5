"""Workbooks as they come: Strict Open XML, prefixes, errors, formulas never calculated, titles, several sheets."""

import re
import zipfile

import pytest
import xlsxwriter
from click.testing import CliRunner

import itp_response
from itp_response.cli import main
from itp_response.messages.errors import CohortError, UsageError
from itp_response.readers.files import open_table
from itp_response.readers.options import ReadOptions
from itp_response.readers.sheet_errors import check_ods
from itp_response.readers.visits import read

HEADER = ["patient_id", "day", "platelets"]
ROWS = [HEADER, ["P1", 0, 12], ["P1", 28, 60]]


def book(path, rows=ROWS, **sheets):
    """A workbook; a cell `=…` is a formula, a pair has its value too."""
    with xlsxwriter.Workbook(path) as made:
        for name, lines in {"Data": rows, **sheets}.items():
            sheet = made.add_worksheet(name)
            for row, cells in enumerate(lines):
                for column, cell in enumerate(cells):
                    formula, value = cell if isinstance(cell, tuple) else (cell, 0)
                    if str(formula).startswith("="):
                        sheet.write_formula(row, column, formula, None, value)
                    else:
                        sheet.write(row, column, cell)
    return path


def rewritten(path, change):
    """The workbook with the texts of its parts changed."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name).decode() for name in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, text in parts.items():
            new.writestr(name, change(text))
    return path


def strict(text):
    """In the namespaces of Strict Open XML."""
    for kind in ("spreadsheetml", "officeDocument"):
        text = text.replace(f"http://schemas.openxmlformats.org/{kind}/2006/", f"http://purl.oclc.org/ooxml/{kind}/")
    return text


def prefixed(text):
    """With a prefix before each element of the sheet's own namespace."""
    if "spreadsheetml/2006/main" not in text or "<styleSheet" in text or "<sst" in text:
        return text
    text = re.sub(r"<(/?)(\w+)(?=[\s>/])", r"<\1x:\2", text)
    return text.replace('xmlns="http://schemas.openxmlformats.org/spreadsheetml', 'xmlns:x="http://schemas.openxmlformats.org/spreadsheetml')  # fmt: skip


def calculated(text):
    """As a program leaves it that calculated all formulas."""
    return text.replace(' fullCalcOnLoad="1"', "")


def counts(path, **options):
    return read(path, options=ReadOptions(**options)).platelets.low.tolist()


def refused(path, **options):
    with pytest.raises(CohortError) as error:
        read(path, options=ReadOptions(**options))
    return str(error.value)


@pytest.mark.parametrize("change", [strict, prefixed])
class TestForms:
    def test_are_read(self, change, tmp_path):
        assert counts(rewritten(book(tmp_path / "a.xlsx"), change)) == [12, 60]

    def test_show_their_errors(self, change, tmp_path):
        path = book(tmp_path / "a.xlsx", [HEADER, ["P1", 0, ("=1/0", "#DIV/0!")]])
        assert refused(rewritten(path, change)) == (
            "a.xlsx: row 2: platelets: '#DIV/0!' is an error of the spreadsheet; correct it."
        )


class TestFormulas:
    MESSAGE = (
        "a.xlsx: row 3: platelets: '=C2*5' is a formula that was never calculated; open the file in a spreadsheet and "
        "save it."
    )

    def test_never_calculated(self, tmp_path):
        assert refused(book(tmp_path / "a.xlsx", [*ROWS[:2], ["P1", 28, "=C2*5"]])) == self.MESSAGE

    def test_without_a_value(self, tmp_path):
        path = book(tmp_path / "a.xlsx", [*ROWS[:2], ["P1", 28, "=C2*5"]])
        assert refused(rewritten(path, lambda text: calculated(text).replace("<v>0</v></c></row></s", "<v></v></c></row></s"))) == self.MESSAGE  # fmt: skip

    def test_with_a_value(self, tmp_path):
        path = book(tmp_path / "a.xlsx", [*ROWS[:2], ["P1", 28, ("=C2*5", 60)]])
        assert counts(path) == [12, 60]

    def test_whose_value_is_an_empty_text(self, tmp_path):
        rows = [[*HEADER, "rescue"], ["P1", 0, 12, ("=IF(TRUE,E1,E1)", "")], ["P1", 28, 60, "IVIg"]]
        path = rewritten(
            book(tmp_path / "a.xlsx", rows), lambda text: calculated(text).replace('r="D2"', 'r="D2" t="str"')
        )
        assert read(path).rescue.tolist() == [False, True]

    def test_whose_value_is_0(self, tmp_path):
        path = book(tmp_path / "a.xlsx", [*ROWS, ["P1", 35, "=C2*0"]])
        assert counts(rewritten(path, calculated)) == [12, 60, 0]


class TestHeader:
    TITLED = (["Platelets of ward 3"], [], *ROWS)
    NOTE = "The header is row 3, below 'Platelets of ward 3'; say --header-row if it is another."

    def test_below_a_title_is_found_and_said(self, tmp_path):
        path = book(tmp_path / "a.xlsx", self.TITLED)
        cohort = read(path)
        assert cohort.platelets.low.tolist() == [12, 60]
        assert cohort.source_row.tolist() == [4, 5]
        assert self.NOTE in [note.text for note in cohort.notes]

    def test_of_names_that_are_not_known(self, tmp_path):
        path = book(tmp_path / "a.xlsx", [["Ward 3"], ["Nr", "Datum", "Zahl"], [7, 8, 9]])
        assert open_table(path, "visits").header == ["Nr", "Datum", "Zahl"]

    def test_as_told(self, tmp_path):
        path = book(tmp_path / "a.xlsx", [["ID", "date", "PLT"], *ROWS])
        assert open_table(path, "visits").header == ["ID", "date", "PLT"]
        cohort = read(path, options=ReadOptions(header_row=2))
        assert cohort.platelets.low.tolist() == [12, 60]
        assert "The header is row 2, below 'ID'; as told." in [note.text for note in cohort.notes]

    def test_that_is_not_there(self, tmp_path):
        path = book(tmp_path / "a.xlsx", self.TITLED)
        assert refused(path, header_row=9) == "a.xlsx: there is no row 9 for the header; the file has 5 rows."
        assert refused(path, header_row=2) == (
            "a.xlsx: row 2 is empty, so it is not a header; give the row with the names of columns."
        )

    def test_an_error_in_the_title_is_of_no_importance(self, tmp_path):
        assert counts(book(tmp_path / "a.xlsx", [["Ward", ("=1/0", "#DIV/0!")], *ROWS])) == [12, 60]


class TestSheets:
    PATIENTS = (["patient_id", "arm"], ["P1", "A"])

    def made(self, tmp_path):
        return book(tmp_path / "a.xlsx", [["read me"], ["more"]], Visits=ROWS, Patients=self.PATIENTS)

    def test_of_visits_and_patients(self, tmp_path):
        path = self.made(tmp_path)
        cohort = read(path, options=ReadOptions(sheet="Visits", patients_sheet="Patients"))
        assert (cohort.platelets.low.tolist(), cohort.arm.to_list()) == ([12, 60], ["A"])

    def test_of_patients_in_a_workbook_of_their_own(self, tmp_path):
        path = self.made(tmp_path)
        cohort = read(book(tmp_path / "b.xlsx"), path, options=ReadOptions(patients_sheet="Patients"))
        assert cohort.arm.to_list() == ["A"]

    def test_the_first_that_is_not_hidden_is_read(self, tmp_path):
        with xlsxwriter.Workbook(tmp_path / "a.xlsx") as made:
            for name, count in (("Old", 20), ("Very old", 30), ("Data", 60)):
                sheet = made.add_worksheet(name)
                sheet.write_row(0, 0, HEADER)
                sheet.write_row(1, 0, ["P1", 0, count])
            made.worksheets()[2].activate()
            made.worksheets()[2].set_first_sheet()
            made.worksheets()[0].hide()
            made.worksheets()[1].very_hidden()
        assert counts(tmp_path / "a.xlsx") == [60]
        assert counts(tmp_path / "a.xlsx", sheet="Old") == [20]

    def test_one_without_the_columns_names_the_others(self, tmp_path):
        assert refused(self.made(tmp_path)).startswith(
            "a.xlsx: the data may be in another sheet; say --sheet, there are: 'Visits', 'Patients'.\n"
            "a.xlsx: the column 'patient_id' is missing; there are: read me."
        )
        assert refused(book(tmp_path / "b.xlsx", [], Visits=ROWS)) == (
            "b.xlsx: the sheet 'Data' is empty; say --sheet, there are: 'Visits'."
        )

    def test_a_wrong_one_names_the_others(self, tmp_path):
        assert refused(self.made(tmp_path), sheet="Vists") == (
            "a.xlsx: unknown sheet 'Vists'; known: Data, Visits, Patients. Did you mean 'Visits'?"
        )

    def test_on_the_command_line(self, tmp_path):
        path = str(self.made(tmp_path))
        run = CliRunner().invoke(main, ["classify", path, "--sheet", "Visits", "--patients-sheet", "Patients"])
        assert run.exit_code == 0
        assert "P1,A," in run.stdout

    def test_the_whole_is_written_and_reviewed_alike(self, tmp_path):
        options = ReadOptions(sheet="Visits", patients_sheet="Patients")
        path = self.made(tmp_path)
        written = itp_response.classify_to(tmp_path / "out.csv", path, options=options)
        assert written.counts.patients == 1
        assert itp_response.review(path, options=options).classification.cohort.arm.to_list() == ["A"]

    def test_in_a_mapping(self, tmp_path):
        text = (
            'confirmed = true\nsheet = "Visits"\nheader_row = 1\n[patients]\npatient_id = "patient_id"\n'
            '[[visits]]\nday = "day"\nplatelets = "platelets"\n'
        )
        (tmp_path / "mapping.toml").write_text(text)
        tables = itp_response.mapped(self.made(tmp_path), tmp_path / "mapping.toml")
        assert read(*tables).platelets.low.tolist() == [12, 60]
        with pytest.raises(UsageError, match=r"^a sheet: goes into the mapping, beside its columns\.$"):
            read(*tables, options=ReadOptions(sheet="Visits"))

    def test_of_what_has_none(self, tmp_path):
        (tmp_path / "a.csv").write_text("patient_id,day,platelets\nP1,0,12\n")
        assert refused(tmp_path / "a.csv", sheet="X") == (
            "a.csv: only a workbook (.xlsx, .xls, .ods) has sheets, so there is no sheet 'X'."
        )
        with pytest.raises(UsageError, match=r"^a sheet: only a file has one, not 'list'\.$"):
            read([dict(zip(HEADER, ROWS[1], strict=True))], options=ReadOptions(sheet="X"))


class TestCells:
    """What has no value of its own is a problem of its column, and is left out as any other cell that cannot be read."""

    WITH_ERROR = (*ROWS, ["P1", 35, ("=1/0", "#DIV/0!"), "x"])

    def test_an_error_is_left_out_with_its_cell(self, tmp_path):
        cohort = read(book(tmp_path / "a.xlsx", self.WITH_ERROR), options=ReadOptions(on_error="quarantine"))
        assert cohort.day.tolist() == [0, 28, 35]
        assert cohort.quarantine.select("line", "column", "value", "left_out").rows() == [
            (4, "platelets", "#DIV/0!", "cell")
        ]

    @pytest.mark.parametrize("error", ["#REF!", "#N/A", "#NAME?"])
    def test_an_error_is_no_treatment_and_no_patient(self, error, tmp_path):
        for column, name in enumerate(("patient_id", "day", "platelets", "rescue")):
            row = ["P1", 0, 12, "IVIg"]
            row[column] = ("=A9", error)
            path = book(tmp_path / f"{column}.xlsx", [[*HEADER, "rescue"], row, ["P1", 28, 60, ""]])
            assert f"{column}.xlsx: row 2: {name}: '{error.replace('#N/A', '#N/A!')}' is an error of" in refused(path)

    def test_nor_is_it_in_a_text_file(self, tmp_path):
        path = tmp_path / "a.csv"
        path.write_text("patient_id,day,platelets,rescue\nP1,0,12,\nP1,28,60,#REF!\n")
        message = "a.csv: line 3: rescue: '#REF!' is an error of the spreadsheet; correct it."
        assert refused(path) == message
        with pytest.raises(CohortError) as error:
            itp_response.classify_to(tmp_path / "out.csv", path)
        assert str(error.value) == message

    def test_an_error_in_a_column_that_is_not_read_is_of_no_importance(self, tmp_path):
        path = book(tmp_path / "a.xlsx", [[*HEADER, "comment"], ["P1", 0, 12, ("=1/0", "#DIV/0!")]])
        assert counts(path) == [12]

    def test_its_column_is_known_in_a_table_that_begins_elsewhere(self, tmp_path):
        moved = [[], [], *(["", "", *row] for row in self.WITH_ERROR)]
        path = book(tmp_path / "a.xlsx", [["" if cell == "" else cell for cell in row] for row in moved])
        assert refused(path) == "a.xlsx: row 6: platelets: '#DIV/0!' is an error of the spreadsheet; correct it."

    def merged(self, path, first, last, value):
        with xlsxwriter.Workbook(path) as made:
            sheet = made.add_worksheet()
            for row, cells in enumerate([[*HEADER, "rescue"], ["P1", 0, 12, ""], ["P1", 28, 60, ""]]):
                sheet.write_row(row, 0, cells)
            sheet.merge_range(*first, *last, value)
        return path

    def test_merged_ones_are_asked_about(self, tmp_path):
        for column, name, value in ((0, "patient_id", "P1"), (2, "platelets", 12), (3, "rescue", "IVIg")):
            path = self.merged(tmp_path / f"{name}.xlsx", (1, column), (2, column), value)
            text = "is a cell without a value of its own; unmerge the cells, and fill in each."
            assert f"row 3: {name}: '(merged with {'ABCD'[column]}2)' {text}" in refused(path)

    def test_merged_ones_above_the_header_are_a_title(self, tmp_path):
        with xlsxwriter.Workbook(tmp_path / "a.xlsx") as made:
            sheet = made.add_worksheet()
            sheet.merge_range(0, 0, 0, 2, "Platelets of ward 3")
            for row, cells in enumerate(ROWS, 1):
                sheet.write_row(row, 0, cells)
        assert counts(tmp_path / "a.xlsx") == [12, 60]

    def test_hidden_ones_are_read_and_said(self, tmp_path):
        with xlsxwriter.Workbook(tmp_path / "a.xlsx") as made:
            sheet = made.add_worksheet()
            for row, cells in enumerate(ROWS):
                sheet.write_row(row, 0, cells)
            sheet.set_row(2, None, None, {"hidden": True})
            sheet.set_column(2, 2, None, None, {"hidden": True})
        cohort = read(tmp_path / "a.xlsx")
        assert cohort.platelets.low.tolist() == [12, 60]
        assert "Hidden in the sheet, and read all the same: 1 row and column C." in [note.text for note in cohort.notes]

    def test_days_from_1904_are_said(self, tmp_path):
        with xlsxwriter.Workbook(tmp_path / "a.xlsx", {"date_1904": True}) as made:
            sheet = made.add_worksheet()
            for row, cells in enumerate(ROWS):
                sheet.write_row(row, 0, cells)
        notes = [note.text for note in read(tmp_path / "a.xlsx").notes]
        assert "The workbook counts days from 1904: numbers of days in it are --date-format excel-1904." in notes


class TestExtent:
    """All cells up to the last take memory, so that one that is far away is refused before any does."""

    @pytest.mark.parametrize(
        ("cell", "message"),
        [
            ("ZZ200000", "a.xlsx: the last cell is ZZ200000, but only 10 cells of the sheet have a value; delete what is far from the data, or save the sheet as CSV."),
            ("XFD1048576", "a.xlsx: the last cell is XFD1048576, but only 10 cells of the sheet have a value; delete what is far from the data, or save the sheet as CSV."),
            ("ZZZZZZZZ99999999999999", "a.xlsx: the cell ZZZZZZZZ99999999999999 lies outside of a sheet, which ends at XFD1048576; save the workbook again."),
            ("4A", "a.xlsx: this is not a complete workbook; save it again as .xlsx."),
        ],
    )  # fmt: skip
    def test_of_a_cell_far_away(self, cell, message, tmp_path):
        far = f'<row r="9"><c r="{cell}"><v>1</v></c></row></sheetData>'
        assert refused(rewritten(book(tmp_path / "a.xlsx"), lambda text: text.replace("</sheetData>", far))) == message

    def test_of_merged_cells_is_that_of_the_values(self, tmp_path):
        merged = '</sheetData><mergeCells><mergeCell ref="A2:XFD1048576"/></mergeCells>'
        path = rewritten(book(tmp_path / "a.xlsx"), lambda text: text.replace("</sheetData>", merged))
        assert "row 2: platelets: '(merged with A2)' is a cell without a value of its own" in refused(path)

    def test_of_attributes_without_end_takes_no_time(self, tmp_path):
        many = '<c r="A1" t="n" ' * 2_000
        path = rewritten(book(tmp_path / "a.xlsx"), lambda text: text.replace("</sheetData>", f"{many}</sheetData>"))
        assert refused(path) == "a.xlsx: this is not a complete workbook; save it again as .xlsx."


class TestErrorsInOtherXml:
    @pytest.mark.parametrize(
        "change",
        [
            lambda text: text.replace('t="e"', "t = 'e'"),
            lambda text: re.sub(r' r="[A-Z]+\d+"', "", text),
            lambda text: re.sub(r' r="\d+"', "", re.sub(r' r="[A-Z]+\d+"', "", text)),
            lambda text: text.replace("<v>#N/A</v>", "<v><![CDATA[#N/A]]></v>"),
            lambda text: strict(prefixed(text)),
        ],
    )
    def test_are_seen(self, change, tmp_path):
        def with_error(text):
            return text.replace('<c r="C3"><v>60</v>', '<c r="C3" t="e"><v>#N/A</v>')

        path = rewritten(rewritten(book(tmp_path / "a.xlsx"), with_error), change)
        assert refused(path) == "a.xlsx: row 3: platelets: '#N/A!' is an error of the spreadsheet; correct it."


def test_a_part_that_is_there_twice_is_refused(tmp_path):
    path = book(tmp_path / "a.xlsx")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("xl/worksheets/sheet1.xml", archive.read("xl/worksheets/sheet1.xml"))
    assert refused(path) == "a.xlsx: this is not a complete workbook; save it again as .xlsx."


class TestTextsThatFillTheMemory:
    """A text stands in the file once for many cells, and in the memory once for each."""

    MANY = 300
    LONG = "x" * 20_000

    @pytest.fixture(autouse=True)
    def _small_limit(self, monkeypatch):
        monkeypatch.setattr("itp_response.readers.text.ALWAYS_UNPACKED", 3_000_000)

    def test_shared_by_the_cells_of_a_sheet(self, tmp_path):
        path = book(tmp_path / "v.xlsx", [HEADER, *[["P1", day, self.LONG] for day in range(self.MANY)]])

        with pytest.raises(CohortError) as error:
            read(path)
        assert str(error.value) == (
            "v.xlsx: this unpacks to more than 250 times its size, as no table does; "
            "if it is right, unpack it and give what is in it."
        )

    def test_one_long_text_among_many_short_ones(self, tmp_path):
        path = book(tmp_path / "v.xlsx", [[*HEADER, self.LONG], *[["P1", day, 50, "a"] for day in range(self.MANY)]])

        assert len(read(path).lines) == self.MANY

    @pytest.mark.parametrize(
        ("text", "rows", "said"),
        [
            (LONG, MANY, "this unpacks to more than 250 times its size"),
            ("x", 1_100_000, "the cell C1100001 lies outside of a sheet"),
            ("x", 900_000, None),
        ],
    )
    def test_repeated_by_an_open_document_sheet(self, tmp_path, text, rows, said):
        cell = "<table:table-cell office:value-type='string'><text:p>{}</text:p></table:table-cell>"
        header = "".join(cell.format(name) for name in HEADER)
        spaces = " ".join(
            f"xmlns:{name}='urn:oasis:names:tc:opendocument:xmlns:{name}:1.0'" for name in ("office", "table", "text")
        )
        path = tmp_path / "v.ods"
        with zipfile.ZipFile(path, "w") as made:
            made.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            made.writestr(
                "content.xml",
                f"<office:document-content {spaces}><office:body><office:spreadsheet><table:table table:name='S'>"
                f"<table:table-row>{header}</table:table-row>"
                f"<table:table-row table:number-rows-repeated='{rows}'>{cell.format(text) * 3}</table:table-row>"
                "</table:table></office:spreadsheet></office:body></office:document-content>",
            )

        if said is None:
            check_ods(path)
        else:
            with pytest.raises(CohortError, match=said):
                read(path)
