"""Quarantine leaves out and reports the rows that cannot be read; without it, any problem is an error."""

import csv
import io
import json
from itertools import product
from math import isnan
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st
from told import notes

from itp_response.classification.chunked.classify_to import classify_to
from itp_response.classification.classification import classify
from itp_response.cli import main
from itp_response.cohort.observations import LEFT_OUT_COUNT, LEFT_OUT_GRADE, LEFT_OUT_RESCUE
from itp_response.definitions.load import load
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


class TestReport:
    def test_a_cell_that_cannot_be_read(self, tmp_path):
        path = written(tmp_path, GOOD, ["A", "2019-05-22", "4x5", "0", "", "", "late"])
        found = quarantined(path)
        reason = "'4x5' is not a number; give 10⁹/L, a bound such as '<10', or leave the cell empty."
        assert reported(found) == [("visits.csv", 3, "platelets", "4x5", reason, "A")]
        assert found.quarantine["left_out"].to_list() == ["cell"]
        assert found.quarantined.tolist() == [1]
        assert notes(found)[-1] == (
            "Quarantined as unreadable: 1 cell of 1 row, the rest of which is used; 1 patient ('A')."
        )

    def test_takes_only_itself(self, tmp_path):
        rows = [["A", "2019-05-22", "4x5", "2", "IVIg", "2019-05-23", ""], ["A", "2019-05-29", "60", "x", "5", "", ""]]
        found = quarantined(written(tmp_path, GOOD, *rows))
        assert found.lines.tolist() == [2, 3, 4]
        assert found.bleeding_grade.tolist()[:2] == [0, 2]
        assert found.rescue.tolist() == [False, True, False]
        assert found.platelets.low.tolist()[2] == 60
        assert found.left_out.what.tolist() == [LEFT_OUT_COUNT, LEFT_OUT_GRADE, LEFT_OUT_RESCUE]
        assert found.left_out.row.tolist() == [1, 2, 2]
        assert not found.left_out.undecided.any()

    @pytest.mark.parametrize(
        "row",
        [
            ["A", "soon", "60", "0", "", "", ""],
            ["A", "2019-05-22", "60", "0", "IVIg", "late", ""],
            ["A", "2019-05-22", "60", "0", "", "2019-05-22", ""],
            ["A", "2019-05-22", "60"],
            ["", "2019-05-22", "60", "0", "", "", ""],
        ],
        ids=["a date", "the end of a rescue", "an end without a rescue", "a line that is no row", "the patient"],
    )
    def test_more_than_a_cell_leaves_the_patient_undecided(self, tmp_path, row):
        found = quarantined(written(tmp_path, GOOD, row))
        assert found.left_out.undecided.tolist() == [True]

    def test_a_patient_who_is_not_known_may_be_any(self, tmp_path):
        found = quarantined(written(tmp_path, GOOD, ["B", *GOOD[1:]], ["", "2019-05-22", "", "", "IVIg", "", ""]))
        assert found.left_out.undecided.tolist() == [True, True]
        assert notes(found)[-1].startswith("The excluded rows of an unknown patient may belong to any patient, ")

    def test_a_grade_of_0_may_have_been_left_out(self, tmp_path):
        """Bleeding is then not known where there is no grade, of other patients too."""
        rows = [["A", "2019-05-01", "15", "", "", "", ""], ["B", "2019-05-01", "15", "", "", "", ""]]
        for further in (["A", "2019-05-02", "20", "x", "", "", ""], ["A", "soon", "20", "0", "", "", ""]):
            found = quarantined(written(tmp_path, *rows, further))
            assert all(map(isnan, found.bleeding_grade))
            assert any(text.startswith("An unreadable grade may be 0, ") for text in notes(found))
        found = quarantined(written(tmp_path, *rows, ["A", "soon", "20", "2", "", "", ""]))
        assert found.bleeding_grade.tolist() == [0, 0]

    def test_a_count_that_may_be_the_first_leaves_day_0_open(self, tmp_path):
        earlier, later = (["A", date, "4x5", "0", "", "", ""] for date in ("2019-04-24", "2019-05-08"))
        assert quarantined(written(tmp_path, GOOD, earlier)).left_out.undecided.all()
        assert not quarantined(written(tmp_path, GOOD, later)).left_out.undecided.any()

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
        assert notes(found)[-2].endswith("1 row in whole; 1 row without a known patient.")

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
            ("patients.csv", 3, "'soon' is not a date; write YYYY-MM-DD."),
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
        assert (
            "warning: Quarantined as unreadable: 1 cell of 1 row, the rest of which is used; 1 patient ('B')."
            in done.stderr
        )
        assert [row["line"] for row in csv.DictReader(report.read_text(encoding="utf-8").splitlines())] == ["3"]
        output = tmp_path / "verdicts.csv"
        done = CliRunner().invoke(main, ["classify", str(visits), *options, "--output", str(output), "--force"])
        assert (
            "warning: Quarantined as unreadable: 1 cell of 1 row, the rest of which is used; 1 patient ('B')."
            in done.stderr
        )
        assert [row["quarantined"] for row in csv.DictReader(output.read_text().splitlines())] == ["0", "1"]
        assert [row["line"] for row in csv.DictReader(report.read_text(encoding="utf-8").splitlines())] == ["3"]
        wrong = CliRunner().invoke(
            main, ["classify", str(visits), *options[:3], "out.x", "--output", str(output), "--force"]
        )
        assert wrong.stderr.startswith("error: out.x: unknown kind of output '.x'")

    def test_explained(self, tmp_path):
        visits = written(tmp_path, GOOD, ["A", "2019-05-22", "4x5", "0", "", "", ""])
        (said,) = explain(visits, patient="A", endpoint="OR", options=ReadOptions(on_error="quarantine"))
        assert (said.value, said.reason) == ("NE", "unreadable")
        assert said.missing == "the excluded record, which cannot be read"

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
    """Each row that is read is used or reported as left out, both only where a cell was left out by itself.

    And no patient is lost.
    """

    @example([["A", "2019-05-08", "", "", "", "", "fine"]], None)  # skipped
    @settings(max_examples=30)
    @given(st.lists(LINES, min_size=1, max_size=7), st.none() | st.lists(PATIENTS, min_size=1, max_size=4))
    def test_as_many(self, tmp_path_factory, rows, of_patients):
        folder = tmp_path_factory.getbasetemp()
        visits = written(folder, [*GOOD], *rows)
        patients = None
        if of_patients is not None:
            enrolled = [["Z", "1", "2019-05-01", ""], *of_patients]
            patients = written(folder, *enrolled, header=TestPatients.HEADER, name="patients.csv")
        found = quarantined(visits, patients)
        of_visits = found.quarantine.filter(file="visits.csv")
        left_out, in_part = (set(of_visits.filter(left_out=what)["line"]) for what in ("row", "cell"))
        skipped = sum(int(text.split()[0]) for text in notes(found) if "skipped: no count" in text)

        assert len(found.lines) == len(set(found.lines.tolist()))
        assert not left_out & set(found.lines.tolist())
        assert in_part <= left_out | set(found.lines.tolist())
        assert len(rows) + 1 == len(found.lines) + skipped + len(left_out)
        told = {row[0] for row in [GOOD, *rows, *(of_patients or [])]} - {""}
        assert told <= set(found.id) or any(len(row) != len(HEADER) for row in rows)
        known = found.quarantine.drop_nulls("patient_id")
        assert sum(found.quarantined) == len(known.unique(["file", "line"]))

    @example([["B", "2019-06", *GOOD[2:]], ["A", "2019", *GOOD[2:]]], None, ChunkSize(1), False)
    @example([*[GOOD] * 7, ["B", "2019-06", *GOOD[2:]], ["A", "2019", *GOOD[2:]]], None, ChunkSize(1), False)
    @settings(max_examples=settings.default.max_examples // 4)
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

    @settings(max_examples=30)
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


DAYS = (0, 21, 28, 35, 63, 91, 119, 147, 175, 203, 231, 259, 287, 315, 343, 364, 380)
UNREADABLE = {"platelets": "4x5", "bleeding_grade": "x", "rescue": "7", "day": "soon", "patient_id": ""}
MAY_BE = {
    "platelets": ("", "0", "9", "20", "29", "30", "31", "45", "90", "100", "150", "<30", ">100", "4000"),
    "bleeding_grade": ("", "0", "1", "2", "4"),
    "rescue": ("", "0", "1", "ivig", "splenectomy", "eltrombopag"),
    "day": ("-7", "0", "1", "21", "29", "40", "100", "250", "300", "364", "365", "400"),
    "patient_id": ("A", "B", "C"),
}


@st.composite
def studies(draw):
    """A patient who mostly responds, seen as a trial would, and another seen now and then."""
    grade = draw(st.sampled_from(["", "0"]))
    grades = st.sampled_from([grade] * 20 + ["", "0", "2"])
    counts, rescues = (
        st.sampled_from(["60"] * 6 + ["110"] * 6 + ["20", "<10"]),
        st.sampled_from([""] * 25 + ["ivig"]),
    )
    visits = [("A", day) for day in DAYS if draw(st.integers(0, 6))] + [("B", draw(st.sampled_from(DAYS)))]
    return [
        {
            "patient_id": patient,
            "day": str(day),
            "platelets": draw(counts) if day > 0 else "10",
            "bleeding_grade": draw(grades),
            "rescue": draw(rescues),
        }
        for patient, day in visits
    ]


SETS = {name: load(name) for name in ("atra_2022", "ritp", "iwg_2009")}


class TestNothingIsBetterFounded:
    """No verdict rests on what was left out: where one is given, it is the same whatever the cell may have held."""

    @example(
        [
            {"patient_id": "A", "day": day, "platelets": count, "bleeding_grade": "", "rescue": rescue}
            for day, count, rescue in (("315", "60", ""), ("343", "110", ""), ("364", "60", "ivig"))
        ],
        [(0, "platelets"), (0, "bleeding_grade")],
        "atra_2022",
        None,
    )
    @settings(max_examples=settings.default.max_examples // 2)
    @given(
        studies(),
        st.lists(st.tuples(st.integers(0, 17), st.sampled_from(list(UNREADABLE))), min_size=1, max_size=2),
        st.sampled_from(list(SETS)),
        st.sampled_from([None, None, None, "scored", "events"]),
    )
    def test_than_by_all_that_a_cell_may_hold(self, rows, cells, criteria, bleeding):
        cells = sorted({(at % len(rows), name) for at, name in cells})
        broken = [dict(row) for row in rows]
        for at, name in cells:
            broken[at][name] = UNREADABLE[name]
        criteria = SETS[criteria]
        decided = values(broken, criteria, ReadOptions(bleeding=bleeding, on_error="quarantine"))
        meant = self._meant(rows, cells, criteria, bleeding)
        for (patient, endpoint), value in decided.items():
            assert value == "NE" or meant.get((patient, endpoint), {value}) == {value}, (patient, endpoint)

    @staticmethod
    def _meant(rows, cells, criteria, bleeding):
        """Of each patient and endpoint the values by all that the cells may hold; they are read as one study."""
        studies = {"scored": [], "events": []}
        for number, texts in enumerate(product(*(MAY_BE[name] for _, name in cells))):
            complete = [dict(row) for row in rows]
            for (at, name), text in zip(cells, texts, strict=True):
                complete[at][name] = text
            recorded = bleeding or ("scored" if any(row["bleeding_grade"] == "0" for row in complete) else "events")
            studies[recorded] += [{**row, "patient_id": f"{row['patient_id']} {number}"} for row in complete]
        meant = {}
        for recorded, study in studies.items():
            for (patient, endpoint), value in values(study, criteria, ReadOptions(bleeding=recorded)).items():
                meant.setdefault((patient.split()[0], endpoint), set()).add(value)
        return meant


def values(rows, criteria, options):
    """The value of each patient and endpoint."""
    if not rows:
        return {}
    long = classify(rows, criteria=criteria, options=options, threads=1).long()
    return {(patient, endpoint): value for patient, endpoint, value in long["patient_id", "endpoint", "value"].rows()}
