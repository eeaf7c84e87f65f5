"""Text as programs write it: a line for Excel, a preamble, decimal commas, and something between thousands."""

import pytest

import itp_response
from itp_response.messages.errors import CohortError, UsageError
from itp_response.readers.chunks import chunked_table
from itp_response.readers.files import open_table
from itp_response.readers.options import ReadOptions
from itp_response.readers.visits import read


def file(folder, text, name="visits.csv"):
    (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder / name


def refused(path, **options):
    with pytest.raises(CohortError) as error:
        read(path, options=ReadOptions(**options))
    return str(error.value)


def notes(cohort):
    return [note.text for note in cohort.notes]


ROWS = "patient_id;day;platelets\nP1;0;12\nP1;28;60\n"


class TestSeparatorTold:
    @pytest.mark.parametrize("first", ["sep=;\n", "sep=;\r\n", '"sep=;"\n', "\ufeffsep=;\n", "SEP=;\n"])
    def test_is_taken(self, first, tmp_path):
        cohort = read(file(tmp_path, first + ROWS))
        assert cohort.platelets.low.tolist() == [12, 60]
        assert cohort.source_row.tolist() == [3, 4]
        assert "Cells are separated by semicolons." in notes(cohort)

    def test_of_commas(self, tmp_path):
        assert read(file(tmp_path, "sep=,\n" + ROWS.replace(";", ","))).platelets.low.tolist() == [12, 60]

    def test_that_is_not_read(self, tmp_path):
        assert refused(file(tmp_path, "sep=^\n" + ROWS.replace(";", "^"))) == (
            "visits.csv: line 1: 'sep=^' names a separator that is not read; "
            "separate cells by commas, semicolons, tabs or vertical bars."
        )

    def test_may_be_a_vertical_bar(self, tmp_path):
        cohort = read(file(tmp_path, ROWS.replace(";", "|")))
        assert cohort.platelets.low.tolist() == [12, 60]
        assert "Cells are separated by vertical bars." in notes(cohort)


class TestUtf16:
    @pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be"])
    def test_with_its_mark_is_read_whole_and_in_chunks(self, mark, tmp_path):
        path = tmp_path / "visits.csv"
        path.write_bytes(("\ufeff" + ROWS.replace("P1", "Müller").replace(";", "\t")).encode(mark))
        assert read(path).id.to_list() == ["Müller"]
        assert chunked_table(path) is None

    def test_that_is_cut_off(self, tmp_path):
        (tmp_path / "visits.csv").write_bytes(ROWS.encode("utf-16")[:-1])
        assert refused(tmp_path / "visits.csv") == (
            "visits.csv: this is not whole as UTF-16, as which it begins; "
            "save the file as UTF-8 (in a spreadsheet: 'CSV UTF-8')."
        )


class TestThousands:
    @pytest.mark.parametrize("between", [" ", "'", "\u00a0", "\u202f", "’"])
    def test_with_blanks_or_apostrophes_are_read_and_said(self, between, tmp_path):
        cohort = read(file(tmp_path, f"patient_id,day,PLT /uL\nP1,0,12{between}000\nP1,28,<100{between}000\n"))
        assert (cohort.platelets.low.tolist(), cohort.platelets.high[0]) == ([12, 0], 12)
        texts = f"{f'12{between}000'!r}, {f'<100{between}000'!r}"
        assert f"PLT /uL: 2 numbers read without what stands between thousands: {texts}." in notes(cohort)

    @pytest.mark.parametrize("between", [" ", "'", "\u00a0", "\u202f", "’"])
    def test_of_a_count_that_is_too_high_the_cure_has_none(self, between, tmp_path):
        path = file(tmp_path, f"patient_id,day,platelets\nP1,0,15\nP1,28,601{between}000\nP1,35,40\nP1,42,40\n")
        message = f"visits.csv: line 3: platelets: {f'601{between}000'!r} looks like cells/µL; give 10⁹/L (601)."
        assert refused(path) == message

    def test_digits_and_signs_of_other_keyboards(self):
        rows = [
            {"patient_id": "P1", "day": "−７", "platelets": "＜１０"},
            {"patient_id": "P1", "day": 0, "platelets": 60},
        ]
        cohort = read(rows)
        assert (cohort.day.tolist(), cohort.platelets.low.tolist()) == ([-7, 0], [0, 60])


class TestPreamble:
    @pytest.mark.parametrize(
        ("above", "line"),
        [
            ("LIS export;;\nPrinted 2021-03-01;;\n;;\n", 4),
            ("LIS export\nPrinted 2021-03-01, ward 3\n\n", 4),
            ("Site;Bonn;\nPrinted;2021-03-01;\n", 3),
            ("\n\n", 3),
        ],
    )
    def test_is_found_and_said(self, above, line, tmp_path):
        cohort = read(file(tmp_path, above + ROWS))
        assert cohort.source_row.tolist() == [line + 1, line + 2]
        said = [text for text in notes(cohort) if text.startswith("The header is")]
        first = above.split("\n")[0].split(";")[0].split(",")[0]
        assert said == (
            [f"The header is line {line}, below {first!r}; say --header-row if it is another."] * bool(first)
        )

    def test_above_names_that_are_not_known(self, tmp_path):
        path = file(tmp_path, "Ward 3\n\nNr;Datum;Zahl\n1;2021-01-04;9\n2;2021-01-05;8\n")
        assert open_table(path, "visits").header == ["Nr", "Datum", "Zahl"]

    def test_is_none_where_the_first_line_has_names(self, tmp_path):
        path = file(tmp_path, "Nr,Wert,Note\n7,9,id\n8,patient,count\n")
        assert open_table(path, "visits").header == ["Nr", "Wert", "Note"]

    def test_as_told(self, tmp_path):
        path = file(tmp_path, "Nr;Tag;Zahl\n" + ROWS)
        cohort = read(path, options=ReadOptions(header_row=2))
        assert "The header is line 2, below 'Nr'; as told." in notes(cohort)
        assert refused(path, header_row=7) == ("visits.csv: there is no line 7 for the header; the file has 4 lines.")

    def test_of_a_file_without_lines_of_names(self, tmp_path):
        frame = read(file(tmp_path, ROWS)).platelets.low
        assert frame.tolist() == [12, 60]
        with pytest.raises(UsageError, match=r"^header row 0: rows are numbered from 1\.$"):
            ReadOptions(header_row=0)

    def test_is_found_in_chunks_too(self, tmp_path):
        path = file(tmp_path, "LIS export,,\n" + ROWS.replace(";", ","))
        itp_response.classify_to(tmp_path / "chunks.csv", path)
        itp_response.classify(path).write(tmp_path / "whole.csv")
        assert (tmp_path / "chunks.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def counts(folder, *texts, separator=";", **options):
    lines = [f"P1;{day};{text}".replace(";", separator) for day, text in enumerate(texts)]
    header = "patient_id;day;platelets".replace(";", separator)
    options = ReadOptions(accept=("implausible_counts",), **options)
    return read(file(folder, "\n".join([header, *lines]) + "\n"), options=options)


class TestDecimals:
    @pytest.mark.parametrize(
        ("texts", "options", "expected"),
        [
            (("12,5", "60"), {}, [12.5, 60]),
            (("12,5", "1.250"), {}, [12.5, 1250]),
            (("12,5", "1,250"), {}, [12.5, 1.25]),
            (("12.5", "60"), {}, [12.5, 60]),
            (("0,250", "60"), {}, [0.25, 60]),
            (("1.250",), {"decimal": "comma"}, [1250]),
            (("1.250",), {"decimal": "point"}, [1.25]),
            (("1,250",), {"decimal": "point"}, [1250]),
            (("1,250.5",), {"decimal": "point"}, [1250.5]),
            (("<12,5",), {}, [0]),
            (("12,5", "12.500"), {"unit": "/uL"}, [0.0125, 12.5]),
        ],
    )
    def test_where_semicolons_separate(self, texts, options, expected, tmp_path):
        assert counts(tmp_path, *texts, **options).platelets.low.tolist() == expected

    def test_is_said(self, tmp_path):
        assert "platelets: 2 numbers read with a decimal comma: '1.250', '12,5'." in notes(
            counts(tmp_path, "12,5", "1.250", "7")
        )

    @pytest.mark.parametrize(
        ("texts", "options", "message"),
        [
            (("60", "1.250"), {}, "line 3: platelets: '1.250' may be 1250 or 1.250; say --decimal point or --decimal comma."),
            (("60", "1,250"), {}, "line 3: platelets: '1,250' may be 1250 or 1.250; say --decimal point or --decimal comma."),
            (("12.5", "1.250"), {}, "line 3: platelets: '1.250' may be 1250 or 1.250; say --decimal point or --decimal comma."),
            (
                ("12,5", "13.5"),
                {},
                "line 3: platelets: '13.5' has a decimal point, but '12,5' a decimal comma; "
                "write all alike, or say --decimal point or comma.",
            ),
            (
                ("12,5", "13.5"),
                {"decimal": "comma"},
                "line 3: platelets: '13.5' has a decimal point, but decimals stand after a comma; write all alike.",
            ),
            (
                ("12,5", "13.5"),
                {"decimal": "point"},
                "line 2: platelets: '12,5' has a decimal comma, but decimals stand after a point; write all alike.",
            ),
        ],
    )  # fmt: skip
    def test_that_cannot_be_told(self, texts, options, message, tmp_path):
        with pytest.raises(CohortError) as error:
            counts(tmp_path, *texts, **options)
        assert str(error.value) == f"visits.csv: {message}"

    def test_where_commas_separate_a_point_is_meant(self, tmp_path):
        assert counts(tmp_path, "1.250", separator=",").platelets.low.tolist() == [1.25]
        with pytest.raises(CohortError, match=r"'12,5' has a decimal comma; write 12\.5\.$"):
            counts(tmp_path, '"12,5"', separator=",")
        assert counts(tmp_path, '"12,5"', separator=",", decimal="comma").platelets.low.tolist() == [12.5]

    def test_an_id_is_no_number(self, tmp_path):
        cohort = read(file(tmp_path, "patient_id;day;platelets\n1.001;0;12\n1.002;0;13\n"))
        assert cohort.id.to_list() == ["1.001", "1.002"]

    def test_of_the_patient_table_too(self, tmp_path):
        patients = file(tmp_path, "patient_id;baseline\nP1;12,5\n", "patients.csv")
        assert read(file(tmp_path, ROWS), patients).baseline.low.tolist() == [12.5]

    def test_in_a_mapping(self, tmp_path):
        text = 'confirmed = true\n{}[patients]\npatient_id = "patient_id"\n[[visits]]\nday = "day"\nplatelets = "platelets"\n'
        path, mapping = file(tmp_path, "patient_id;day;platelets\nP1;0;1.250\n"), tmp_path / "mapping.toml"
        mapping.write_text(text.format(""))
        with pytest.raises(CohortError, match=r"'1\.250' may be 1250 or 1\.250"):
            read(*itp_response.mapped(path, mapping))
        mapping.write_text(text.format('decimal = "comma"\naccept = ["implausible_counts"]\n'))
        assert read(*itp_response.mapped(path, mapping)).platelets.low.tolist() == [1250]

    def test_is_the_same_written_in_chunks(self, tmp_path):
        counts(tmp_path, "12,5", "1.250", "60")
        itp_response.classify_to(tmp_path / "chunks.csv", tmp_path / "visits.csv")
        itp_response.classify(tmp_path / "visits.csv").write(tmp_path / "whole.csv")
        assert (tmp_path / "chunks.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


class TestOnlySomePatients:
    MAPPING = """
confirmed = true
[patients]
patient_id = "id"
enrolment_date = "start"
only = { failed = "0" }
[[visits]]
date = "date"
platelets = "plt"
"""
    ROWS = "id,failed,start,date,plt\nP1,0,2021-01-04,2021-01-04,12\nP1,,,2021-02-01,60\nP2,1,,2021-01-05,20\nP2,,,,\n"

    def test_others_are_left_out_and_counted(self, tmp_path):
        (tmp_path / "mapping.toml").write_text(self.MAPPING)
        cohort = read(*itp_response.mapped(file(tmp_path, self.ROWS), tmp_path / "mapping.toml"))
        assert (cohort.id.to_list(), cohort.platelets.low.tolist()) == (["P1"], [12, 60])
        assert "1 patient excluded, with no row that says that failed is '0'." in notes(cohort)

    def test_a_column_that_is_not_there(self, tmp_path):
        (tmp_path / "mapping.toml").write_text(self.MAPPING.replace("failed", "fail"))
        with pytest.raises(CohortError, match=r"line 6: \[patients\] only fail: there is no column 'fail'"):
            itp_response.mapped(file(tmp_path, self.ROWS), tmp_path / "mapping.toml")
