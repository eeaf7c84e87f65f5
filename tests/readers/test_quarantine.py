"""Quarantine leaves out and reports the rows that cannot be read; without it, any problem is an error."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from itp_response.classification.chunked.classify_to import classify_to
from itp_response.classification.classification import classify
from itp_response.cli import main
from itp_response.explanation.explain import explain
from itp_response.messages.errors import CohortError, UsageError
from itp_response.readers.chunks import ChunkSize
from itp_response.readers.options import ReadOptions
from itp_response.readers.visits import read

HEADER = ["patient_id", "date", "platelets", "bleeding_grade", "rescue", "rescue_end", "comment"]
GOOD = ["A", "2019-05-01", "15", "0", "", "", ""]


def written(folder: Path, *rows: list[str], header=HEADER, name: str = "visits.csv") -> Path:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    path = folder / name
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def quarantined(visits, patients=None, **options):
    return read(visits, patients, options=ReadOptions(on_error="quarantine"), **options)


def reported(cohort):
    return cohort.quarantine.select("file", "line", "column", "value", "reason", "patient_id").rows()


def notes(cohort):
    return [note.text for note in cohort.notes]


class TestReport:
    def test_a_cell_that_cannot_be_read(self, tmp_path):
        path = written(tmp_path, GOOD, ["A", "2019-05-22", "4x5", "0", "", "", "late"])
        found = quarantined(path)
        reason = "'4x5' is no number; give 10⁹/L, a bound such as '<10', or leave the cell empty."
        assert reported(found) == [("visits.csv", 3, "platelets", "4x5", reason, "A")]
        assert found.lines.tolist() == [2]
        assert found.quarantined.tolist() == [1]
        assert notes(found)[-1] == "Quarantined: 1 row of 1 patient ('A'), left out as they cannot be read."

    def test_the_row_goes_with_it(self, tmp_path):
        path = written(tmp_path, GOOD, ["A", "2019-05-22", "4x5", "0", "", "", "late"])
        (row,) = quarantined(path).quarantine["row"].to_list()
        assert json.loads(row) == {
            "patient_id": "A",
            "date": "2019-05-22",
            "platelets": "4x5",
            "bleeding_grade": "0",
            "rescue": None,
            "rescue_end": None,
        }

    def test_several_cells_of_a_row(self, tmp_path):
        found = quarantined(written(tmp_path, GOOD, ["A", "soon", "4x5", "9", "", "", ""]))
        assert [column for _, _, column, *_ in reported(found)] == ["date", "platelets", "bleeding_grade"]
        assert found.quarantined.tolist() == [1]

    def test_a_line_that_is_no_row(self, tmp_path):
        found = quarantined(written(tmp_path, GOOD, ["B", "2019-05-22", "45"]))
        reason = "3 cells, but the header has 7; leave cells empty, but keep their separators."
        assert reported(found) == [("visits.csv", 3, None, None, reason, "B")]
        assert found.quarantine["row"].to_list() == ["B,2019-05-22,45"]
        assert found.id.to_list() == ["A", "B"]

    def test_a_line_that_is_no_row_and_does_not_begin_with_the_patient(self, tmp_path):
        """Cells behind the tear may belong to any column."""
        header = ["date", "patient_id", "platelets"]
        found = quarantined(written(tmp_path, ["2019-05-01", "A", "15"], ["2019-05-22", "B"], header=header))
        assert [patient for *_, patient in reported(found)] == [None]
        assert found.id.to_list() == ["A"]
        assert notes(found)[-1].endswith("left out as they cannot be read; of 1 the patient is not known.")

    def test_what_comes_to_light_only_without_it(self, tmp_path):
        """The end of a rescue that cannot be read leaves a row without the patient's only date."""
        rows = [GOOD, ["B", "soon", "15", "0", "", "", ""], ["B", "2019-05-03", "7", "0", "IVIg", "2019-05-01", ""]]
        found = quarantined(written(tmp_path, *rows))
        assert [line for _, line, *_ in reported(found)] == [3, 4]
        assert found.quarantined.tolist() == [0, 2]

    def test_nothing(self, tmp_path):
        found = quarantined(written(tmp_path, GOOD))
        assert found.quarantined.tolist() == [0]
        assert len(found.quarantine) == 0
        assert not any("Quarantined" in text for text in notes(found))


class TestPatients:
    HEADER = ("patient_id", "arm", "enrolment_date", "baseline")

    def test_whose_enrolment_cannot_be_read(self, tmp_path):
        """His rows have no day then."""
        patients = written(
            tmp_path,
            ["A", "1", "2019-05-01", ""],
            ["B", "1", "soon", ""],
            header=self.HEADER,
            name="patients.csv",
        )
        visits = written(tmp_path, GOOD, ["B", "2019-05-01", "15", "0", "", "", ""])
        found = quarantined(visits, patients)
        assert [(file, line, reason) for file, line, _, _, reason, _ in reported(found)] == [
            ("patients.csv", 3, "'soon' is no date; write YYYY-MM-DD."),
            ("visits.csv", 3, "the patient's enrolment is not known."),
        ]
        assert dict(zip(found.id, found.quarantined.tolist(), strict=True)) == {"A": 0, "B": 2}

    def test_told_twice_otherwise(self, tmp_path):
        """Neither value is used."""
        rows = [["A", "1", "2019-05-01", ""], ["A", "2", "2019-05-01", ""], ["B", "1", "2019-05-01", ""]]
        patients = written(tmp_path, *rows, header=self.HEADER, name="patients.csv")
        found = quarantined(written(tmp_path, GOOD), patients)
        assert [(file, line) for file, line, *_ in reported(found)] == [
            ("patients.csv", 2),
            ("patients.csv", 3),
            ("visits.csv", 2),
        ]
        assert found.id.to_list() == ["B", "A"]


class TestWhatStaysAnError:
    def test_a_column_that_is_missing(self, tmp_path):
        path = written(tmp_path, ["A", "2019-05-01"], header=["patient_id", "date"])
        with pytest.raises(CohortError, match=r"visits.csv: the column 'platelets' is missing"):
            quarantined(path)

    def test_all_where_it_is_not_told(self, tmp_path):
        path = written(tmp_path, GOOD, ["A", "2019-05-22", "4x5", "0", "", "", ""], ["B", "2019-05-22"])
        with pytest.raises(CohortError) as error:
            read(path)
        assert [text.split(":")[1] for text in str(error.value).splitlines()] == [" line 3", " line 4"]

    def test_another_way(self, tmp_path):
        with pytest.raises(UsageError, match=r"unknown way with errors 'skip'; known: stop, quarantine\."):
            read(written(tmp_path, GOOD), options=ReadOptions(on_error="skip"))


class TestVerdicts:
    def test_a_patient_of_whom_nothing_could_be_read(self, tmp_path):
        visits = written(tmp_path, GOOD, ["B", "2019-05-01", "4x5", "0", "", "", ""])
        frame = classify(visits, options=ReadOptions(on_error="quarantine")).frame()
        assert frame.columns[:3] == ["patient_id", "arm", "quarantined"]
        assert frame.filter(patient_id="B").select("quarantined", "OR", "SR", "relapse", "best_response").row(0) == (
            *(1, "NE", "NE", "NE", "NE"),
        )

    def test_no_column_where_it_is_not_told(self, tmp_path):
        assert "quarantined" not in classify(written(tmp_path, GOOD)).frame().columns

    def test_command(self, tmp_path):
        visits = written(tmp_path, GOOD, ["B", "2019-05-01", "4x5", "0", "", "", ""])
        report = tmp_path / "out.csv"
        options = ["--on-error", "quarantine", "--quarantine-file", str(report)]
        done = CliRunner().invoke(main, ["classify", str(visits), *options])
        assert done.exit_code == 0
        assert "warning: Quarantined: 1 row of 1 patient ('B'), left out as they cannot be read." in done.stderr
        assert [row["line"] for row in csv.DictReader(report.read_text(encoding="utf-8").splitlines())] == ["3"]
        output = tmp_path / "verdicts.csv"
        done = CliRunner().invoke(main, ["classify", str(visits), *options, "--output", str(output)])
        assert "warning: Quarantined: 1 row of 1 patient ('B'), left out as they cannot be read." in done.stderr
        assert [row["quarantined"] for row in csv.DictReader(output.read_text().splitlines())] == ["0", "1"]
        assert [row["line"] for row in csv.DictReader(report.read_text(encoding="utf-8").splitlines())] == ["3"]
        wrong = CliRunner().invoke(main, ["classify", str(visits), *options[:3], "out.x", "--output", str(output)])
        assert wrong.stderr.startswith("error: out.x: unknown kind of output '.x'")

    def test_explained(self, tmp_path):
        visits = written(tmp_path, GOOD, ["A", "2019-05-22", "4x5", "0", "", "", ""])
        (said,) = explain(visits, patient="A", endpoint="OR", options=ReadOptions(on_error="quarantine"))
        assert (said.value, said.reason) == ("NE", "no_counts")

    @pytest.mark.parametrize("options", [["--on-error", "quarantine"], ["--quarantine-file", "out.csv"]])
    def test_the_options_go_together(self, tmp_path, options):
        done = CliRunner().invoke(main, ["classify", str(written(tmp_path, GOOD)), *options])
        assert done.exit_code == 2
        assert done.stderr == ("error: --on-error quarantine and --quarantine-file go together; give both or none.\n")


CELLS = {
    "patient_id": ["A", "A", "B", "C", ""],
    "date": ["2019-05-01", "2019-05-08", "2019-06", "2019", "2019-13", "soon", "", "1319-05-01"],
    "platelets": ["15", "<10", "", "", "4x5", "-3", "9000", "NA"],
    "bleeding_grade": ["0", "", "2", "7", "x"],
    "rescue": ["", "", "IVIg", "0", "5"],
    "rescue_end": ["", "", "2019-05-09", "2019-04", "never"],
    "comment": ["", "fine"],
}
ROWS = st.tuples(*map(st.sampled_from, CELLS.values())).map(list)
LINES = st.one_of(ROWS, ROWS, ROWS, st.lists(st.sampled_from(["A", "B", "15"]), min_size=2, max_size=9))
PATIENTS = st.tuples(
    st.sampled_from(["A", "B", "D", ""]),
    st.sampled_from(["1", "2"]),
    st.sampled_from(["2019-05-01", "2019-04", "soon", ""]),
    st.sampled_from(["", "12", "x"]),
).map(list)


class TestRowsInAndOut:
    """Each row that is read is used, or reported; and no patient is lost."""

    @settings(max_examples=100)
    @given(st.lists(LINES, min_size=1, max_size=7), st.none() | st.lists(PATIENTS, min_size=1, max_size=4))
    def test_as_many(self, tmp_path_factory, rows, of_patients):
        folder = tmp_path_factory.getbasetemp()
        visits = written(folder, [*GOOD], *rows)
        patients = None
        if of_patients is not None:
            enrolled = [["Z", "1", "2019-05-01", ""], *of_patients]
            patients = written(folder, *enrolled, header=TestPatients.HEADER, name="patients.csv")
        found = quarantined(visits, patients)
        left_out = set(found.quarantine.filter(file="visits.csv")["line"])
        passed_over = next((int(text.split()[0]) for text in notes(found) if "passed over" in text), 0)

        assert len(found.lines) == len(set(found.lines.tolist()))
        assert not left_out & set(found.lines.tolist())
        assert len(rows) + 1 == len(found.lines) + passed_over + len(left_out)
        told = {row[0] for row in [GOOD, *rows, *(of_patients or [])]} - {""}
        assert told <= set(found.id) or any(len(row) != len(HEADER) for row in rows)
        known = found.quarantine.drop_nulls("patient_id")
        assert sum(found.quarantined) == len(known.unique(["file", "line"]))

    @settings(max_examples=100)
    @given(
        st.lists(LINES, min_size=1, max_size=9),
        st.none() | st.lists(PATIENTS, min_size=1, max_size=4),
        st.sampled_from([ChunkSize(1), ChunkSize(60), ChunkSize()]),
        st.booleans(),
    )
    def test_chunk_by_chunk(self, tmp_path_factory, rows, of_patients, size, in_order):
        """The same file, report and notes as of the whole."""
        folder = tmp_path_factory.getbasetemp()
        rows = sorted(rows) if in_order else rows
        visits = written(folder, [*GOOD], *rows)
        patients = None
        if of_patients is not None:
            enrolled = [["Z", "1", "2019-05-01", ""], *of_patients]
            patients = written(folder, *enrolled, header=TestPatients.HEADER, name="patients.csv")
        streamed, whole = folder / "streamed.csv", folder / "whole.csv"
        options = ReadOptions(on_error="quarantine")
        expected = classify(visits, patients, options=options)
        expected.write(whole)
        found = classify_to(streamed, visits, patients, options=options, size=size)

        assert streamed.read_bytes() == whole.read_bytes()
        assert found.cohort.quarantine.equals(expected.cohort.quarantine)
        assert found.summary() == expected.summary()

    @settings(max_examples=100)
    @given(st.lists(LINES, min_size=1, max_size=7))
    def test_all_or_nothing(self, tmp_path_factory, rows):
        """Without the option a study is read if nothing of it would be left out, and is then the same."""
        visits = written(tmp_path_factory.getbasetemp(), [*GOOD], *rows)
        left = quarantined(visits)
        if len(left.quarantine):
            with pytest.raises(CohortError):
                read(visits)
        else:
            found = read(visits)
            assert (found.id.to_list(), found.lines.tolist()) == (left.id.to_list(), left.lines.tolist())
            assert found.notes == left.notes
