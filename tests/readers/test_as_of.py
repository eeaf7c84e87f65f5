"""A study as of a date or a day: what is cut off, what is said of it, and that every way of reading does it alike."""

import datetime
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from told import notes
from whole_and_chunked import errors, same, written

import itp_response
from itp_response.classification import partitions
from itp_response.definitions.load import criteria_folder
from itp_response.messages.errors import UsageError
from itp_response.readers.options import ReadOptions
from itp_response.readers.visits import read

DATED = """
    patient_id,date,platelets,bleeding_grade,rescue,rescue_end
    A,2024-01-01,15,0,,
    A,2024-01-22,40,0,,
    A,2024-01-29,45,0,,
    A,2024-02-05,12,1,ivig,2024-03-01
    A,2024-03-10,60,0,,
    B,2024-02-20,10,0,,
    B,2024-03-12,50,0,dexamethasone,
    C,2024-04-01,9,0,,
"""
PATIENTS = """
    patient_id,arm,treatment_discontinued
    A,x,2024-03-05
    B,y,
    C,x,
"""
BY_DAYS = """
    patient_id,day,platelets,bleeding_grade
    A,0,15,0
    A,22,40,0
    A,29,45,0
    B,0,15,0
    B,40,20,0
"""


@pytest.fixture
def dated(tmp_path):
    return written(tmp_path, DATED), written(tmp_path, PATIENTS, "patients.csv")


def seen(visits, patients=None, **options):
    return read(visits, patients, options=ReadOptions(**options))


def of_the_cut(cohort):
    return [text for text in notes(cohort) if "as of" in text.lower()]


class TestMoment:
    @pytest.mark.parametrize(
        ("given", "is_kept_as"),
        [
            ("2024-06-30", "2024-06-30"),
            (" 2024-06-30 ", "2024-06-30"),
            (datetime.date(2024, 6, 30), "2024-06-30"),
            ("180", 180),
            (180, 180),
            ("0", 0),
        ],
    )
    def test_is_a_date_or_a_day(self, given, is_kept_as):
        assert ReadOptions(as_of=given).as_of == is_kept_as

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ("2024-06", "as of '2024-06': give a date as 2024-06-30, or a day counted from day 0 as 180."),
            ("30.06.2024", "as of '30.06.2024': give a date as 2024-06-30, or a day counted from day 0 as 180."),
            ("2024-02-30", "as of '2024-02-30': there is no such date (day is out of range for month); "),
            ("20240630", "as of day 20240630: this is more than 100 years after day 0; write a date as 2024-06-30."),
            ("-1", "as of day -1: no patient is in the study before day 0; give a day from 0 on."),
            (True, "as of True: give a date as 2024-06-30, or a day counted from day 0 as 180."),
            (1.5, "as of 1.5: give a date as 2024-06-30, or a day counted from day 0 as 180."),
            (datetime.datetime(2024, 6, 30, 12), "as of 2024-06-30 12:00:00: the study is cut after a whole day; "),
        ],
    )
    def test_is_nothing_else(self, given, message):
        with pytest.raises(UsageError, match=re.escape(message)):
            ReadOptions(as_of=given)


class TestCut:
    def test_at_a_date(self, dated):
        cohort = seen(*dated, as_of="2024-02-21")

        assert cohort.id.to_list() == ["A", "B"]
        assert cohort.not_yet.to_list() == ["C"]
        assert cohort.day.tolist() == [0, 21, 28, 35, 0]
        assert cohort.courses.last.tolist() == [51]  # the day of the cut
        assert np.isinf(cohort.treatment_discontinued).all()
        assert of_the_cut(cohort) == [
            "The study is seen as of 2024-02-21: 2 later records not used.",
            "As of 2024-02-21, 1 rescue treatment that ended later goes on.",
            "As of 2024-02-21, 1 later discontinuation of treatment has not happened yet.",
            "As of 2024-02-21, 1 patient not in the study yet, not counted: 'C'.",
        ]

    def test_at_a_day_of_the_study(self, dated):
        cohort = seen(*dated, as_of=21)

        assert cohort.id.to_list() == ["A", "B", "C"]
        assert cohort.day.tolist() == [0, 21, 0, 21, 0]
        assert of_the_cut(cohort)[0] == "The study is seen as of day 21: 3 later records not used."

    def test_on_the_last_day_nothing_is_cut(self, dated):
        cohort = seen(*dated, as_of="2024-04-01")

        assert cohort.frame().equals(seen(*dated).frame())
        assert of_the_cut(cohort) == ["The study is seen as of 2024-04-01: there is no later record."]

    def test_a_day_counts_from_day_0_however_days_are_numbered(self):
        rows = [{"patient_id": "A", "day": day, "platelets": 15} for day in (-1, 1, 22)]

        cohort = seen(rows, day_numbering="study-day", as_of=20)

        assert cohort.day.tolist() == [-1, 0]

    def test_a_day_of_an_event_in_the_patient_table(self, tmp_path):
        visits = written(tmp_path, BY_DAYS)
        patients = [{"patient_id": "A", "died": 50}, {"patient_id": "B", "died": 30}]
        columns = itp_response.criteria("atra_2022").file.columns

        cohort = read(visits, patients, options=ReadOptions(as_of=40), columns=columns)

        assert cohort.patient_columns["died"].low.tolist() == [np.inf, 30]
        assert "As of day 40, 1 later day in 'died' is not known yet." in of_the_cut(cohort)

    def test_imputed_dates_that_are_later_are_not_counted(self):
        rows = [{"patient_id": "A", "date": day, "platelets": 15} for day in ("2024-01-01", "2024-02", "2024-05")]

        cohort = seen(rows, impute="first", as_of="2024-03-01")

        assert cohort.imputed.dates.written.to_list() == ["2024-02"]
        assert cohort.day.tolist() == [0, 31]

    def test_what_is_left_out_later_leaves_nothing_open(self, tmp_path):
        visits = written(
            tmp_path,
            """
            patient_id,day,platelets,bleeding_grade
            A,0,15,0
            A,22,40,0
            A,29,45,0
            A,40,4x5,0
            """,
        )
        options = ReadOptions(on_error="quarantine", as_of=35)

        found = itp_response.classify(visits, options=options)

        assert found.cohort.left_out is None
        assert found.frame()["OR"].to_list() == ["Y"]

    def test_a_mapping_and_a_cohort_that_was_read(self, dated):
        cohort = seen(*dated, as_of="2024-02-21")

        assert itp_response.classify(cohort).frame().columns[:5] == [
            *("patient_id", "arm", "best_response", "best_response_open", "best_response_open_until")
        ]
        assert cohort.select([1]).as_of == cohort.as_of


class TestRefused:
    def test_a_date_for_a_study_of_days(self, tmp_path):
        (message,) = errors(tmp_path, written(tmp_path, BY_DAYS), as_of="2024-06-30")

        assert message == (
            "visits.csv: as of 2024-06-30: the date of day 0 is not known of 2 patients ('A', 'B'), so a date is no day "
            "of the study; give 'enrolment_date' in the patient table, or cut at a day counted from day 0, as in "
            "--as-of 180."
        )

    def test_not_with_the_date_of_day_0(self, tmp_path):
        enrolled = [{"patient_id": name, "enrolment_date": "2024-01-01"} for name in "AB"]

        cohort = seen(written(tmp_path, BY_DAYS), enrolled, as_of="2024-01-23")

        assert cohort.day.tolist() == [0, 22, 0]

    def test_a_moment_before_the_first_patient(self, dated, tmp_path):
        (message,) = errors(tmp_path, *dated, as_of="2023-12-31")

        assert message == (
            "visits.csv: as of 2023-12-31, no patient is in the study yet: every day 0 is later; give a later date."
        )

    def test_a_table_without_dates(self, dated):
        events = [{"patient_id": "A", "event": "rash", "grade": 1}]
        with pytest.raises(UsageError, match=r"^events and a study as of 2024-02-21: the table has no dates"):
            itp_response.table(*dated, events=events, options=ReadOptions(as_of="2024-02-21"))

    def test_a_column_of_days_in_the_visits(self):
        with pytest.raises(ValueError, match="'is_day' is for a number of the patient table"):
            itp_response.cohort.declared_columns.ColumnDeclared(type="number", is_day=True)


class TestEveryWay:
    """Chunk by chunk and on a cluster as in a whole."""

    @pytest.mark.parametrize("moment", ["2024-02-21", "2024-03-10", 21, 0])
    def test_in_chunks(self, dated, tmp_path, moment):
        summary = same(tmp_path, *dated, as_of=moment)

        assert f"as of {'day ' if isinstance(moment, int) else ''}{moment}" in summary.splitlines()[0]
        assert "Still open, as of" in summary

    def test_in_chunks_out_of_order_and_quarantined(self, tmp_path):
        rows = written(tmp_path, DATED).read_text().splitlines()
        mixed = [rows[0], *sorted(rows[1:], key=lambda row: row.split(",")[1]), "B,2024-03-20,4x5,0,,"]
        path = written(tmp_path, "\n".join(mixed))

        for moment in ("2024-03-15", "2024-03-20", 28):
            same(tmp_path, path, on_error="quarantine", as_of=moment)

    def test_in_partitions(self, dated):
        visits, patients = (pl.read_csv(path, infer_schema_length=0) for path in dated)
        options = ReadOptions(as_of="2024-02-21", bleeding="scored", day_numbering="from-0")
        plan = partitions.replace(partitions.plan_for(None, options), stopped="dates", dated=True)

        parts = [
            partitions.results(plan, *(frame.filter(pl.col("patient_id") == name) for frame in (visits, patients)))
            for name in "ABC"
        ]

        assert pl.concat(parts).equals(itp_response.classify(*dated, options=options).frame())


class TestSaid:
    """Headings and provenance say as of when an output is."""

    def test_by_every_output(self, dated):
        options = ReadOptions(as_of="2024-03-12")
        study = itp_response.classify(*dated, options=options)
        (explained,) = itp_response.explain(study, patient="A", endpoint="OR")
        outputs = [
            study.summary().splitlines()[0],
            str(explained).splitlines()[0],
            str(itp_response.review(study)).splitlines()[0],
            str(itp_response.table(study)).splitlines()[0],
            str(itp_response.sensitivity(study)).splitlines()[0],
            str(itp_response.compare(*dated, criteria=["atra_2022", "romiplostim_2008"], options=options)).splitlines()[
                0
            ],
            str(itp_response.near_misses(study)).splitlines()[0],
            itp_response.report(study)._headline(),
            itp_response.adam(study, study="S")._headline(),
            repr(study.cohort),
        ]

        assert [text for text in outputs if "as of 2024-03-12" not in text] == []
        assert json.loads(study.provenance().text())["options"]["as_of"] == "2024-03-12"

    def test_the_outlook_of_one_patient(self, dated):
        study = itp_response.classify(*dated, criteria="romiplostim_2008", options=ReadOptions(as_of="2024-03-11"))
        (explained,) = itp_response.explain(study, patient="B", endpoint="durable")

        assert explained.outlook == ("provisional: an observation up to day 171 (2024-08-09) can still change it")

    def test_a_certificate_that_can_be_checked(self, dated, tmp_path):
        for moment in ("2024-02-21", 28):
            options = ReadOptions(as_of=moment)
            certificate = itp_response.certificate(*dated, patient="A", endpoint="OR", options=options)
            path = tmp_path / "certificate.json"
            path.write_text(json.dumps(certificate))
            checker = Path(__file__).parents[2] / "examples" / "certificate_checker.py"
            done = subprocess.run(
                [sys.executable, checker, path, *dated, criteria_folder() / "atra_2022.toml"],
                capture_output=True,
                text=True,
                check=False,
            )

            assert (done.returncode, done.stdout) == (0, "agrees: A\n")

    def test_a_review_sees_nothing_later(self, dated):
        rows = [*pl.read_csv(dated[0], infer_schema_length=0).to_dicts()]
        for row in rows:
            row["rescue_reason"] = None
        whole = itp_response.review(rows).frame().filter(check="rescue_without_a_reason")
        cut = itp_response.review(rows, options=ReadOptions(as_of="2024-03-01")).frame()

        assert whole["patient_id"].to_list() == ["A", "B"]
        assert cut.filter(check="rescue_without_a_reason")["patient_id"].to_list() == ["A"]
