"""What files do not tell in the usual place: units under names that say nothing, dates and days that stand for none."""

import datetime

import polars as pl
import pytest
import xlsxwriter
from told import notes, refused

import itp_response
from itp_response import ReadOptions
from itp_response.classification.chunked.classify_to import classify_to
from itp_response.messages.errors import CohortError
from itp_response.readers.mapping.mapping import mapped
from itp_response.readers.visits import read

COUNTS = ((0, 2), (28, 15), (42, 16))


def study(**beside):
    return [{"patient_id": "P1", "day": day, "platelets": count, **beside} for day, count in COUNTS]


class TestUnitsUnderAnotherName:
    ASKED = (
        "'info' holds units of platelet counts ('10^4/uL'), but is not named as such; "
        "name it 'unit' (in a mapping: unit = 'info'), or say --unit."
    )

    @pytest.mark.parametrize("suffix", ["csv", "parquet"])
    def test_are_asked_about_in_a_whole_file_and_in_chunks(self, suffix, tmp_path):
        path = tmp_path / f"visits.{suffix}"
        frame = pl.DataFrame(study(info="10^4/uL"))
        frame.write_csv(path) if suffix == "csv" else frame.write_parquet(path)
        for reading in (read, lambda given: classify_to(tmp_path / "out.csv", given)):
            with pytest.raises(CohortError) as error:
                reading(path)
            assert str(error.value) == f"visits.{suffix}: {self.ASKED}"

    def test_are_no_question_once_the_unit_is_told(self):
        assert read(study(info="10^4/uL"), options=ReadOptions(unit="10^4/uL")).platelets.low.tolist() == [20, 150, 160]
        assert read([row | {"unit": "10^9/L"} for row in study(info="10^4/uL")]).platelets.low.tolist() == [2, 15, 16]

    @pytest.mark.parametrize("cell", ["10^9/L", "K/uL", "g/dL", "8785", "lakhs of people", None])
    def test_of_another_kind_are_none(self, cell):
        assert read(study(info=cell)).platelets.low.tolist() == [2, 15, 16]

    def test_in_the_patient_table(self):
        patients = [{"patient_id": "P1", "baseline": 2, "dim": "10^4/uL"}]
        assert refused(study(), patients) == "patients: " + self.ASKED.replace("info", "dim").replace(
            "unit'", "unit'"
        ).replace("name it 'unit' (in a mapping: unit", "name it 'baseline_unit' (in a mapping: baseline_unit")

    @pytest.mark.parametrize(
        ("more", "counts"), [('unit = "info"\n', [20, 150, 160]), ('[other_columns]\ninfo = "not used"\n', [2, 15, 16])]
    )
    def test_beside_a_mapping(self, more, counts, tmp_path):
        head = 'confirmed = true\n[patients]\npatient_id = "patient_id"\n[[visits]]\nday = "day"\nplatelets = "platelets"\n'
        path = tmp_path / "mapping.toml"
        path.write_text(head)
        assert refused(*mapped(study(info="10^4/uL"), path)) == f"visits: {self.ASKED}"
        path.write_text(head + more)
        assert read(*mapped(study(info="10^4/uL"), path)).platelets.low.tolist() == counts


class TestPlaceholders:
    @staticmethod
    def by_date(*dates):
        return [{"patient_id": "P1", "date": date, "platelets": 12 + n} for n, date in enumerate(dates)]

    @pytest.mark.parametrize("day", ["1900-01-01", "1960-01-01", "1970-01-01", "2099-12-31"])
    @pytest.mark.parametrize("typed", [False, True])
    def test_are_asked_about_where_other_dates_are_far_off(self, day, typed):
        dates = ["2019-01-04", day, "2020-01-03"]
        rows = self.by_date(*(map(datetime.date.fromisoformat, dates) if typed else dates))
        assert refused(rows).startswith(
            f"visits: date: '{day}' (row 2) stands for an unknown date in many files, and other dates are far off; "
            "correct it, or say --accept placeholder_dates if it is right."
        )
        if day != "1900-01-01":
            assert len(read(rows, options=ReadOptions(accept=("placeholder_dates",))).day) == 3

    def test_are_dates_of_a_study_that_begins_there(self):
        assert read(self.by_date("1970-01-01", "1970-01-29", "1971-01-01")).day.tolist() == [0, 28, 365]

    def test_in_chunks(self, tmp_path):
        path = tmp_path / "visits.csv"
        pl.DataFrame(self.by_date("2019-01-04", "1970-01-01")).write_csv(path)
        with pytest.raises(CohortError, match="stands for an unknown date"):
            classify_to(tmp_path / "out.csv", path)

    def test_left_out_take_their_row(self):
        options = ReadOptions(on_error="quarantine")
        cohort = read(self.by_date("2019-01-04", "1970-01-01", "2019-02-01"), options=options)
        assert cohort.platelets.low.tolist() == [12, 14]
        assert cohort.quarantine["value"].to_list() == ["1970-01-01"]

    @pytest.mark.parametrize("day", [-99, -999, 9999])
    def test_among_days(self, day):
        rows = [{"patient_id": "P1", "day": day, "platelets": 12}, {"patient_id": "P1", "day": 0, "platelets": 12}]
        what = f"'{day}' stands for an unknown day in many files"
        assert refused(rows) == f"visits: row 1: day: {what}; correct it, or say --missing day= if it is one."
        assert read(rows, options=ReadOptions(missing=("day=",))).day.tolist() == sorted([day, 0])

    @pytest.mark.parametrize(
        ("written", "known"), [("2019-01-00", "2019-01"), ("2019-01-99", "2019-01"), ("2019-00-00", "2019")]
    )
    def test_of_a_part_of_a_date(self, written, known):
        what = f"'{written}' is not in the calendar; correct it, or write {known} if no more is known."
        assert refused(self.by_date(written)) == f"visits: row 1: date: {what}"
        assert len(read(self.by_date(known, "2020-01-01")).day) == 2


class TestWorkbookOf1904:
    def test_numbers_of_days_are_advised_and_read_as_its_own(self, tmp_path):
        path = tmp_path / "visits.xlsx"
        with xlsxwriter.Workbook(path, {"date_1904": True}) as book:
            sheet = book.add_worksheet()
            for row, cells in enumerate([["patient_id", "date", "platelets"], ["P1", 42738, 12], ["P1", 42766, 60]]):
                sheet.write_row(row, 0, cells)
        assert "row 2: date: '42738' looks like a spreadsheet's number of 2021-01-04" in refused(path)
        assert "--date-format excel-1904." in refused(path)
        with pytest.raises(CohortError) as error:
            read(path, options=ReadOptions(date_format="excel"))
        assert str(error.value) == (
            "visits.xlsx: date: this workbook counts days from 1904, not from 1900; say --date-format excel-1904, "
            "or write the dates if the numbers were copied from another workbook."
        )
        assert read(path, options=ReadOptions(date_format="excel-1904")).day.tolist() == [0, 28]


class TestNobody:
    def test_rows_of_totals_are_named(self):
        assert (
            "patient_id: assumed to be the id of a patient: 'Total'; where no patient is named, fill in the id or delete the row."
        ) in notes(read([*study(), {"patient_id": "Total", "day": 0, "platelets": 33}]))

    def test_so_are_lines_of_a_footer(self):
        rows = [*study(), {"patient_id": "End of report", "day": None, "platelets": None}]
        assert "1 patient without any observation, kept: 'End of report'." in notes(read(rows))

    @pytest.mark.parametrize("cell", ["#REF!", "=A1", '="002"', "(merged with A2)"])
    def test_a_cell_without_an_id_is_one_problem(self, cell):
        assert refused([*study(), {"patient_id": cell, "day": 0, "platelets": 33}]).count("\n") == 0

    @pytest.mark.parametrize(
        "ids", [("P-01", "P_01"), ("P01", "P-1"), ("Müller", "Muller"), ("1,234", "1234"), ("P/7", "P7")]
    )
    def test_ids_that_differ_by_signs_and_accents_are_asked_about(self, ids):
        rows = [{"patient_id": one, "day": 0, "platelets": 12} for one in ids]
        assert refused(rows).startswith(f"visits: these ids look like the same patient: {ids[0]!r} and {ids[1]!r};")


def test_a_unit_beside_a_count_has_its_own_cure():
    assert refused([{"patient_id": "P1", "day": 0, "platelets": "1.5 lakh/mm3"}]) == (
        "visits: row 1: platelets: '1.5 lakh/mm3' has its unit beside it; "
        "write the number alone, and the unit in a column 'unit'."
    )


class TestDrafts:
    def test_take_the_unit_beside_each_visit(self):
        text = itp_response.map(
            [{"ID": "P1", "plt_d0": 2, "plt_d0_unit": "10^4/uL", "plt_d28": 60, "unit_d28": "10^9/L"}]
        )
        assert 'platelets = "plt_d0"\nunit      = "plt_d0_unit"' in text
        assert 'platelets = "plt_d28"\nunit      = "unit_d28"' in text

    def test_ask_about_units_by_what_a_column_holds(self):
        text = itp_response.map([{"ID": "P1", "day": 0, "plt": 2, "info": "10^4/uL"}])
        assert 'info = "?"  # holds units of counts: name it as the unit of its counts' in text

    def test_ask_about_numbers_in_brackets_with_their_sign(self):
        text = itp_response.map([{"ID": "P1", "PLT (-7)": 2, "PLT (7)": 60}])
        for number in ("-7", "7"):
            assert f"# \"PLT ({number})\": '{number}' of what is not said: days, weeks or visits" in text

    @pytest.mark.parametrize("column", ["レスキュー", "transf_v2", "ich", "PBAC", "登録日"])
    def test_ask_about_words_of_other_languages_and_scales(self, column):
        assert f'{column} = "?"' in itp_response.map([{"ID": "P1", "day": 0, "plt": 2, column: "x"}]).replace(
            '"' + column + '"', column
        )
