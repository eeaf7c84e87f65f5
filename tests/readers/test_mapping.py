"""Mapping: exports and spreadsheets of one invented study give the same study; the problems of an invalid mapping."""

import json
import tomllib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import xlsxwriter
from click.testing import CliRunner
from test_reading import content

import itp_response
from itp_response.cli import main
from itp_response.cohort.declared_columns import ColumnDeclared
from itp_response.messages.errors import CohortError, ItpResponseError
from itp_response.readers.options import ReadOptions
from itp_response.readers.visits import read

ROOT = Path(__file__).parents[2]
BAD = Path(__file__).parent / "bad_mapping"
VISITS, PATIENTS = ROOT / "examples" / "visits.csv", ROOT / "examples" / "patients.csv"
MEASURES = {"date": "date", "platelets": "plt", "bleeding_grade": "who", "rescue": "resc", "rescue_end": "resc_end"}
ARMS = {"ATRA + LD-RTX": "1", "LD-RTX": "2"}


@pytest.fixture(scope="module")
def visits():
    return pl.read_csv(VISITS, infer_schema=False)


@pytest.fixture(scope="module")
def patients():
    return pl.read_csv(PATIENTS, infer_schema=False).select(
        "patient_id", "arm", "enrolment_date", "treatment_discontinued"
    )


@pytest.fixture(scope="module")
def plain():
    return same(read(VISITS, PATIENTS))


def same(cohort):
    """What is the same of a study however it is written: all but its lines, its identifier, and what was read."""
    of_source = ("first_line", "read_from", "study")
    return {name: value for name, value in content(cohort).items() if name not in of_source}


def wide(visits, patients):
    """One row per patient; a column for each measure of the first visit, the second visit, and so on."""
    number = pl.col("patient_id").cum_count().over("patient_id")
    frame = patients
    for name, short in MEASURES.items():
        cells = visits.with_columns(number=pl.format(f"{short}_v{{}}", number)).pivot(
            "number", index="patient_id", values=name
        )
        frame = frame.join(cells, on="patient_id", how="left")
    return frame


def wide_mapping(frame):
    last = max(int(name.removeprefix("plt_v")) for name in frame.columns if name.startswith("plt_v"))
    lines = ["confirmed = true", "[patients]"]
    lines += [f'{name} = "{name}"' for name in ("patient_id", "arm", "enrolment_date", "treatment_discontinued")]
    for visit in range(1, last + 1):
        lines += ["[[visits]]", *(f'{name} = "{short}_v{visit}"' for name, short in MEASURES.items())]
    return "\n".join(lines)


def redcap(visits, patients):
    """Sparse rows: one per patient, one per visit and one per rescue; coded, as in a raw export."""
    head = patients.rename({"patient_id": "record_id", "treatment_discontinued": "stopped"}).with_columns(
        pl.col("arm").replace(ARMS), redcap_event_name=pl.lit("enrolment_arm_1")
    )
    at_visits = visits.select(
        record_id="patient_id",
        redcap_event_name=pl.lit("follow_up_arm_1"),
        visit_date="date",
        plt="platelets",
        who="bleeding_grade",
    )
    drugs = visits["rescue"].drop_nulls().unique().sort().to_list()
    rescues = visits.filter(pl.col("rescue").is_not_null()).select(
        record_id="patient_id",
        redcap_event_name=pl.lit("follow_up_arm_1"),
        redcap_repeat_instrument=pl.lit("rescue"),
        redcap_repeat_instance=pl.col("patient_id").cum_count().over("patient_id").cast(pl.String),
        rescue_start="date",
        drug=pl.col("rescue").replace({drug: str(code) for code, drug in enumerate(drugs)}),
        rescue_stop="rescue_end",
    )
    frame = pl.concat([head, at_visits, rescues], how="diagonal")
    order = frame["record_id"].unique(maintain_order=True)
    frame = frame.sort(pl.col("record_id").cast(pl.Enum(order)), maintain_order=True)
    return frame, drugs


REDCAP = """
confirmed = true

[patients]
patient_id             = "record_id"
arm                    = "arm"
enrolment_date         = "enrolment_date"
treatment_discontinued = "stopped"

[[visits]]
date           = "visit_date"
platelets      = "plt"
bleeding_grade = "who"

[[visits]]
only       = { redcap_repeat_instrument = "rescue" }
date       = "rescue_start"
rescue     = "drug"
rescue_end = "rescue_stop"

[codes.arm]
1 = "ATRA + LD-RTX"
2 = "LD-RTX"

[codes.rescue]
"""


def workbook(frame, path, sheet="Counts"):
    """A workbook of these texts: counts as numbers, dates as dates, as a person would have typed them."""
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet(sheet)
        book.add_worksheet("Notes").write(0, 0, "not to be read")
        as_date = book.add_format({"num_format": "dd/mm/yyyy"})
        page.write_row(0, 0, frame.columns)
        for column, name in enumerate(frame.columns):
            for row, cell in enumerate(frame[name], start=1):
                if cell is None:
                    continue
                if "date" in name or "end" in name:
                    page.write_datetime(row, column, pl.Series([cell]).str.to_datetime("%Y-%m-%d")[0], as_date)
                elif cell.isdigit():
                    page.write_number(row, column, int(cell))
                else:
                    page.write_string(row, column, cell)


class TestOneStudyInAllItsForms:
    """Written long, wide and as REDCap exports it, the invented study is the same cohort."""

    def test_wide_csv(self, visits, patients, plain, tmp_path):
        frame = wide(visits, patients)
        frame.write_csv(tmp_path / "wide.csv")
        (tmp_path / "mapping.toml").write_text(wide_mapping(frame))

        assert same(read(*itp_response.mapped(tmp_path / "wide.csv", tmp_path / "mapping.toml"))) == plain

    def test_wide_workbook(self, visits, patients, plain, tmp_path):
        frame = wide(visits, patients)
        workbook(frame, tmp_path / "wide.xlsx")
        (tmp_path / "mapping.toml").write_text(wide_mapping(frame))

        cohort = read(*itp_response.mapped(tmp_path / "wide.xlsx", tmp_path / "mapping.toml"))

        assert same(cohort) == plain
        assert "The sheet 'Counts' was read, not 'Notes'." in [note.text for note in cohort.notes]

    def test_a_long_workbook_needs_no_mapping(self, visits, plain, tmp_path):
        workbook(visits, tmp_path / "visits.xlsx")

        assert same(read(tmp_path / "visits.xlsx", PATIENTS)) == plain

    def test_redcap_raw(self, visits, patients, plain, tmp_path):
        frame, drugs = redcap(visits, patients)
        frame.write_csv(tmp_path / "export.csv")
        codes = "\n".join(f'{code} = "{drug}"' for code, drug in enumerate(drugs))
        (tmp_path / "mapping.toml").write_text(REDCAP + codes)

        assert same(read(*itp_response.mapped(tmp_path / "export.csv", tmp_path / "mapping.toml"))) == plain

    def test_redcap_labels(self, visits, patients, plain, tmp_path):
        """A label export has other headers, and what codes stand for in place of them."""
        frame, drugs = redcap(visits, patients)
        labels = {"record_id": "Record ID", "plt": "Platelet count (10^9/L)", "drug": "Rescue: drug"}
        frame = frame.with_columns(
            pl.col("arm").replace({code: arm for arm, code in ARMS.items()}),
            pl.col("drug").replace({str(code): drug for code, drug in enumerate(drugs)}),
        ).rename(labels)
        frame.write_csv(tmp_path / "export.csv")
        mapping = REDCAP.split("[codes.arm]")[0]
        for name, label in labels.items():
            mapping = mapping.replace(f'"{name}"', f'"{label}"')
        (tmp_path / "mapping.toml").write_text(mapping)

        assert same(read(*itp_response.mapped(tmp_path / "export.csv", tmp_path / "mapping.toml"))) == plain

    def test_flat_redcap_by_its_events(self, tmp_path):
        (tmp_path / "export.csv").write_text(
            "record_id,redcap_event_name,plt\n01,baseline_arm_1,15\n01,week_4_arm_1,60\n02,baseline_arm_1,12\n02,week_4_arm_1,\n"
        )
        (tmp_path / "mapping.toml").write_text(
            'confirmed = true\n[patients]\npatient_id = "record_id"\n'
            '[[visits]]\nday = "redcap_event_name"\nplatelets = "plt"\n'
            "[codes.day]\nbaseline_arm_1 = 0\nweek_4_arm_1 = 28\n"
        )

        cohort = read(*itp_response.mapped(tmp_path / "export.csv", tmp_path / "mapping.toml"))

        assert cohort.id.to_list() == ["01", "02"]
        assert (cohort.day.tolist(), cohort.platelets.low.tolist()) == ([0, 28, 0], [15.0, 60.0, 12.0])
        assert cohort.source_row.tolist() == [2, 3, 4]
        assert "1 line skipped: no mapped column is filled in." in [one.text for one in cohort.notes]

    def test_further_columns_come_along(self, tmp_path):
        (tmp_path / "wide.csv").write_text("id,sex,w0,dose_w0,w4,dose_w4\n1,f,15,5,60,10\n")
        (tmp_path / "mapping.toml").write_text(
            'confirmed = true\n[patients]\npatient_id = "id"\ncolumns = { sex = "sex" }\n'
            '[[visits]]\nday = 0\nplatelets = "w0"\ncolumns = { dose = "dose_w0" }\n'
            '[[visits]]\nday = 28\nplatelets = "w4"\ncolumns = { dose = "dose_w4" }\n'
        )
        declared = {
            "dose": ColumnDeclared(type="number"),
            "sex": ColumnDeclared(type="text", table="patients"),
        }

        cohort = read(*itp_response.mapped(tmp_path / "wide.csv", tmp_path / "mapping.toml"), columns=declared)

        assert cohort.row_columns["dose"].low.tolist() == [5.0, 10.0]
        assert cohort.patient_columns["sex"].labels == ("f",)


class TestBadMapping:
    """Every folder of `bad_mapping` holds a file, a mapping of it, and the exact message they give."""

    @pytest.mark.parametrize("folder", sorted(BAD.iterdir()), ids=lambda folder: folder.name)
    def test_message(self, folder):
        file = next(path for path in folder.iterdir() if path.suffix == ".csv")

        with pytest.raises(ItpResponseError) as error:
            read(*itp_response.mapped(file, folder / "mapping.toml"))

        assert str(error.value) + "\n" == (folder / "message.txt").read_text(encoding="utf-8")

    def test_what_cannot_be_read_may_be_left_out(self, tmp_path):
        (tmp_path / "wide.csv").write_text(
            "Subject,Arm,Baseline,Week 3,Week 4\nP1,1,15,40,60\nP2,2,1x,4o,60\n,1,,50,\nP3,3,12,,15000\n"
        )
        (tmp_path / "mapping.toml").write_text(
            'confirmed = true\n[patients]\npatient_id = "Subject"\narm = "Arm"\nbaseline = "Baseline"\n'
            '[[visits]]\nday = 21\nplatelets = "Week 3"\n[[visits]]\nday = 28\nplatelets = "Week 4"\n'
            '[codes.arm]\n1 = "A"\n2 = "B"\n'
        )

        cohort = read(
            *itp_response.mapped(tmp_path / "wide.csv", tmp_path / "mapping.toml"),
            options=ReadOptions(on_error="quarantine"),
        )

        assert list(cohort.quarantine.select("line", "column", "value", "patient_id").iter_rows()) == [
            (3, "Week 3", "4o", "P2"),
            (3, "Baseline", "1x", "P2"),
            (4, "Subject", "", None),
            (5, "Week 4", "15000", "P3"),
            (5, "Arm", "3", "P3"),
        ]
        np.testing.assert_array_equal(cohort.platelets.low, [40, 60, np.nan, 60, np.nan])
        assert cohort.left_out.row.tolist() == [2, 4]

    def test_no_file(self, tmp_path):
        with pytest.raises(CohortError, match=r"there is no such file; 'itp-response map' drafts one\.$"):
            itp_response.mapped(VISITS, tmp_path / "mapping.toml")


class TestWorkbook:
    def test_cells_are_named_by_the_row_and_column_of_the_sheet(self, tmp_path):
        path = tmp_path / "wide.xlsx"
        with xlsxwriter.Workbook(path) as book:
            page = book.add_worksheet()
            page.write_row(2, 1, ["Subject", "Week 4"])
            page.write_row(3, 1, ["007", 60])
            page.write_row(5, 1, ["008", "sixty"])
        (tmp_path / "mapping.toml").write_text(
            'confirmed = true\n[patients]\npatient_id = "Subject"\n[[visits]]\nday = 28\nplatelets = "Week 4"\n'
        )

        with pytest.raises(CohortError) as error:
            read(*itp_response.mapped(path, tmp_path / "mapping.toml"))

        assert str(error.value) == (
            "wide.xlsx: row 6: Week 4: 'sixty' is not a number; give 10⁹/L, a bound such as '<10', or leave the cell empty."
        )

    def test_an_error_of_the_spreadsheet_is_no_empty_cell(self, tmp_path):
        path = tmp_path / "visits.xlsx"
        with xlsxwriter.Workbook(path) as book:
            page = book.add_worksheet()
            page.write_row(0, 0, ["patient_id", "day", "platelets"])
            page.write_row(1, 0, ["007", 0, 15])
            page.write_row(2, 0, ["007", 7])
            page.write_formula(2, 2, "=1/0", None, "#DIV/0!")

        with pytest.raises(CohortError) as error:
            read(path)

        assert (
            str(error.value) == "visits.xlsx: row 3: platelets: '#DIV/0!' is an error of the spreadsheet; correct it."
        )

    def test_a_sheet_is_named_in_the_mapping(self, tmp_path):
        frame = pl.DataFrame({"patient_id": ["1"], "Week 4": ["60"]})
        workbook(frame, tmp_path / "wide.xlsx")
        mapping = (
            'confirmed = true\nsheet = "Count"\n[patients]\npatient_id = "patient_id"\n'
            '[[visits]]\nday = 28\nplatelets = "Week 4"\n'
        )
        (tmp_path / "mapping.toml").write_text(mapping)

        with pytest.raises(CohortError) as error:
            itp_response.mapped(tmp_path / "wide.xlsx", tmp_path / "mapping.toml")

        message = "wide.xlsx: unknown sheet 'Count'; known: Counts, Notes. Did you mean 'Counts'?"
        assert str(error.value) == message
        with pytest.raises(CohortError, match=r"^visits.csv: only a workbook \(\.xlsx, \.xls, \.ods\) has sheets"):
            itp_response.mapped(VISITS, tmp_path / "mapping.toml")

    def test_what_is_no_workbook_is_refused(self, tmp_path):
        path = tmp_path / "visits.xlsx"
        path.write_text("patient_id,day,platelets\n")

        with pytest.raises(
            CohortError, match=r"^visits.xlsx: this is not a complete workbook; save it again as .xlsx\.$"
        ):
            read(path)


def run(*words):
    return CliRunner().invoke(main, list(map(str, words)), catch_exceptions=False)


class TestMap:
    def test_guesses_a_column_per_visit(self, tmp_path):
        path = tmp_path / "wide.csv"
        path.write_text(
            "Subject,Arm,Randomisation date,plt_w1,Week 4 (10^9/L),WHO week 4,Day 42 platelets,Comment\n1,A,2019-05-01,15,60,0,70,\n"
        )

        assert run("map", path).stdout == (
            '# A draft, guessed from the headers of wide.csv.\n# Look every line over; "?" is for you to fill in.\n'
            'confirmed = false\nunit = "10^9/L"  # as 10⁹/L\n'
            "# Week 1 is read as day 7. If it is the week that begins with day 0, correct the days of all weeks.\n\n"
            '[patients]\npatient_id     = "Subject"\narm            = "Arm"\nenrolment_date = "Randomisation date"\n\n'
            '[[visits]]\nday       = 7\nplatelets = "plt_w1"\n\n'
            '[[visits]]\nday            = 28\nplatelets      = "Week 4 (10^9/L)"\nbleeding_grade = "WHO week 4"\n\n'
            '[[visits]]\nday       = 42\nplatelets = "Day 42 platelets"\n\n'
            "# Not used: Comment\n"
        )

    def test_guesses_events_and_asks_for_codes(self, tmp_path):
        path = tmp_path / "export.csv"
        path.write_text(
            "record_id,redcap_event_name,arm,plt,who_grade\n"
            "1,baseline_arm_1,1,15,0\n1,week_4_arm_1,,60,0\n1,unscheduled_arm_1,,60,0\n"
        )

        drafted = tomllib.loads(itp_response.map(path))

        assert drafted["visits"] == [{"day": "redcap_event_name", "platelets": "plt", "bleeding_grade": "who_grade"}]
        assert drafted["codes"] == {
            "arm": {"1": "?"},
            "day": {"baseline_arm_1": 0, "week_4_arm_1": 28, "unscheduled_arm_1": "?"},
        }

    def test_a_draft_is_refused_until_a_person_confirms_it(self, tmp_path):
        path, mapping = tmp_path / "wide.csv", tmp_path / "mapping.toml"
        path.write_text("Subject,Day 0,Week 3,Week 4\n1,15,60,60\n")
        mapping.write_text(run("map", path).stdout)

        refused = run("classify", path, "--mapping", mapping)
        mapping.write_text(mapping.read_text().replace("confirmed = false", "confirmed = true"))
        taken = run("classify", path, "--mapping", mapping)

        assert (refused.exit_code, refused.stdout) == (2, "")
        assert refused.stderr == (
            "error: mapping.toml: line 3: confirmed: this mapping was not confirmed; look it over, correct it, and "
            "write 'confirmed = true'.\n"
        )
        assert taken.exit_code == 0
        assert pl.read_csv(taken.stdout.encode())["OR_day"].to_list() == [21]

    def test_the_patients_id_is_asked_for_if_no_column_looks_like_it(self, tmp_path):
        path, mapping = tmp_path / "wide.csv", tmp_path / "mapping.toml"
        path.write_text("Nr,week 4\n1,60\n")
        mapping.write_text(itp_response.map(path).replace("confirmed = false", "confirmed = true"))

        with pytest.raises(
            CohortError, match=r"\[patients\] patient_id: this is still open; name the column with the "
        ):
            itp_response.mapped(path, mapping)

    def test_other_commands_take_a_mapping_too(self, visits, patients, tmp_path):
        frame = wide(visits, patients)
        frame.write_csv(tmp_path / "wide.csv")
        (tmp_path / "mapping.toml").write_text(wide_mapping(frame))
        words = (tmp_path / "wide.csv", "--mapping", tmp_path / "mapping.toml")

        explained = run("explain", *words, "--patient", "ITP-0003", "--endpoint", "relapse")
        reviewed = run("review", *words)

        assert explained.stdout.splitlines()[0].startswith("ITP-0003  Relapse: Y on day 154 (platelet count)")
        assert any(line.endswith("wide.csv line 4") for line in explained.stdout.splitlines())
        assert reviewed.stdout.splitlines()[0] == run("review", VISITS, "--patients", PATIENTS).stdout.splitlines()[0]

    def test_an_output_says_of_which_file_and_mapping_it_was_made(self, tmp_path):
        path, mapping = tmp_path / "wide.csv", tmp_path / "mapping.toml"
        path.write_text("Subject,Day 0,Week 3,Week 4\n1,15,60,60\n")
        mapping.write_text(itp_response.map(path).replace("confirmed = false", "confirmed = true"))

        run("classify", path, "--mapping", mapping, "--output", tmp_path / "out.csv")

        made = json.loads((tmp_path / "out.csv.provenance.json").read_text())
        assert [file["name"] for file in made["inputs"]["visits"]] == ["wide.csv", "mapping.toml"]

    def test_a_mapping_and_a_patient_table_are_one_too_many(self):
        done = run("classify", VISITS, "--patients", PATIENTS, "--mapping", "mapping.toml")

        assert done.exit_code == 2
        assert done.stderr.startswith("error: --patients and --mapping: the mapping says where the patients are")
