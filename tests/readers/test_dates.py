"""Dates: how days and dates are written, what is read of it, and advice that works."""

import datetime
import re

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from told import notes, refused

import itp_response
from itp_response import ReadOptions
from itp_response.classification.chunked.classify_to import classify_to
from itp_response.messages.errors import CohortError
from itp_response.readers.chunks import ChunkSize
from itp_response.readers.date_forms import KNOWN_FORMATS
from itp_response.readers.visits import read

ASKED = (
    "day: there are days before and after 0 but no day 0, as in CDISC's study days, where day 1 is the first; "
    "say --day-numbering study-day or --day-numbering from-0."
)
TOLD = "day: days are numbered as specified: study-day, so day 1 is day 0, and the day before it is -1."


def by_day(*days, **further):
    return [{"patient_id": "P1", "day": day, "platelets": 12 + 10 * n, **further} for n, day in enumerate(days)]


def by_date(*dates):
    return [{"patient_id": "P1", "date": date, "platelets": 12 + 10 * n} for n, date in enumerate(dates)]


class TestDays:
    @pytest.mark.parametrize(
        ("days", "asked"), [((-7, 1, 29), True), ((-7, 0, 28), False), ((2, 29), False), ((-7, -1), False)]
    )
    def test_are_asked_about_where_day_0_is_skipped(self, days, asked):
        if asked:
            assert refused(by_day(*days)) == f"visits: {ASKED}"
        else:
            assert read(by_day(*days)).day.tolist() == list(days)

    def test_are_asked_about_where_the_first_is_1(self):
        assert refused(by_day(1, 29)) == f"visits: {ASKED.replace('before and after 0', 'from 1 on')}"
        enrolled = [{"patient_id": "P1", "enrolment_day": 1}]
        assert read(by_day(1, 29), enrolled).day.tolist() == [0, 28]

    def test_told(self):
        study_days = read(by_day(-7, 1, 29), options=ReadOptions(day_numbering="study-day"))
        from_0 = read(by_day(-7, 1, 29), options=ReadOptions(day_numbering="from-0"))

        assert (study_days.day.tolist(), from_0.day.tolist()) == ([-7, 0, 28], [-7, 1, 29])
        assert TOLD in notes(study_days)
        assert "day: days are numbered as specified: from-0, so day 0 is enrolment." in notes(from_0)

    def test_of_all_columns_of_days(self):
        visits = by_day(-7, 1) + by_day(8, rescue="IVIg", rescue_end=10)
        patients = [{"patient_id": "P1", "enrolment_day": 1, "treatment_discontinued": 29}]
        cohort = read(visits, patients, options=ReadOptions(day_numbering="study-day"))

        assert cohort.day.tolist() == [-7, 0, 7]
        assert cohort.courses.last.tolist() == [9]
        assert cohort.treatment_discontinued.tolist() == [28]

    def test_0_is_no_study_day(self):
        assert refused(by_day(-7, 0, 1), day_numbering="study-day") == (
            "visits: row 2: day: '0' is not a study day, as day 1 follows day -1; "
            "correct it, or say --day-numbering from-0."
        )

    @pytest.mark.parametrize("size", [ChunkSize(), ChunkSize(30, 1)])
    @pytest.mark.parametrize("day", [0, 1])
    def test_of_a_long_file(self, day, size, tmp_path):
        """Whether there is a day 0 is known at its end."""
        rows = [*by_day(-7, 1, 29), {"patient_id": "P2", "day": day, "platelets": 12}]
        pl.DataFrame(rows).write_csv(tmp_path / "visits.csv")
        if day:
            with pytest.raises(CohortError) as error:
                classify_to(tmp_path / "out.csv", tmp_path / "visits.csv", size=size)
            assert str(error.value) == f"visits.csv: {ASKED}"
        else:
            assert classify_to(tmp_path / "out.csv", tmp_path / "visits.csv", size=size).counts

    @given(st.lists(st.integers(-60, 400), min_size=1, max_size=6, unique=True))
    def test_verdicts_do_not_change_with_the_numbering(self, days):
        as_study_days = [day + 1 if day >= 0 else day for day in days]
        found = itp_response.classify(by_day(*as_study_days), options=ReadOptions(day_numbering="study-day"))
        expected = itp_response.classify(by_day(*days), options=ReadOptions(day_numbering="from-0"))

        assert found.frame().equals(expected.frame())


class TestWritten:
    """The days that a text may mean, as ISO 8601 or as told."""

    @pytest.mark.parametrize(
        ("date_format", "text", "first", "last"),
        [
            *(
                (None, text, "2019-01-04", None)
                for text in ("20190104", "20190104T0830", "2019-01-04T10", "2019-01-04T-:15")
            ),
            *(
                (None, text, "2019-01-04", None)
                for text in ("04-JAN-2019", "4 Jan 2019", "04JAN2019", "04JAN2019:08:30")
            ),
            *(
                (None, text, "2019-01-04", None)
                for text in ("Jan 4, 2019", "January 4 2019", "2019-Jan-04", "4/jan/2019")
            ),
            *(
                (None, text, "2019-09-01", "2019-09-30")
                for text in ("UN-SEP-2019", "Sept 2019", "UNK SEP 2019", "??-SEP-2019")
            ),
            *((None, text, "2019-01-01", "2019-12-31") for text in ("UN-UNK-2019", "UNK-UNK-2019", "2019")),
            (None, "2021---15", "2021-01-15", "2021-12-15"),
            (None, "2021-??-15", "2021-01-15", "2021-12-15"),
            (None, "2019-01-04/2019-01-10", "2019-01-04", "2019-01-10"),
            (None, "2019-01/2019-02", "2019-01-01", "2019-02-28"),
            (None, "2150-01-04 08:00:00", "2150-01-04", None),
            (None, "2209-12-31", "2209-12-31", None),
            ("iso", "2019-01-04", "2019-01-04", None),
            ("dmy", "04-JAN-2019", "2019-01-04", None),
            ("dmy", "UN/02/2019", "2019-02-01", "2019-02-28"),
            ("mdy", "02/UNK/2019", "2019-02-01", "2019-02-28"),
            ("dmy", "02/2019", "2019-02-01", "2019-02-28"),
            ("ymd", "2019/2", "2019-02-01", "2019-02-28"),
            ("dmy", "UN/UN/2019", "2019-01-01", "2019-12-31"),
            ("excel", "43586", "2019-05-01", None),
            ("excel", "43586.75", "2019-05-01", None),
            ("excel-1904", "42124", "2019-05-01", None),
            ("%d%b%y", "04JAN19", "2019-01-04", None),
        ],
    )
    def test_days(self, date_format, text, first, last):
        known = [
            read(by_date(text), options=ReadOptions(date_format=date_format, impute=rule)) for rule in ("first", "last")
        ]

        assert [str(cohort.day_0[0]) for cohort in known] == [first, last or first]

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (
                "--12-15",
                "has no year; find it out, or leave its row out: --on-error quarantine --quarantine-file FILE.",
            ),
            ("2019-01-10/2019-01-04", "is not a date; write YYYY-MM-DD."),
            ("2019-01-04/P7D", "is not a date; write YYYY-MM-DD."),
            ("31-FEB-2019", "is not a date; write YYYY-MM-DD."),
            ("4. Listopad 2019", "is not a date; write YYYY-MM-DD."),
            ("2210-01-01", "is not between the years 1900 and 2209; correct the year."),
        ],
    )
    def test_refused(self, text, reason):
        assert refused(by_date(text)) == f"visits: row 1: date: {text!r} {reason}"

    def test_months_by_name_are_no_format_of_a_pattern(self):
        assert "does not match the date format '%d/%m/%Y'" in refused(by_date("04-JAN-2019"), date_format="%d/%m/%Y")


class TestAdvice:
    @pytest.mark.parametrize(
        ("text", "formats"),
        [
            ("03/04/2019", "dmy or mdy"),
            ("13/04/2019", "dmy"),
            ("04/13/2019", "mdy"),
            ("2019/4/3", "ymd"),
            ("UN/13/2019", "mdy"),
            ("03/04/19", "%d/%m/%y or %m/%d/%y or %y/%m/%d"),
            ("31.12.19", "%d.%m.%y or %y.%m.%d"),
            ("12.31.19", "%m.%d.%y"),
            ("04-JAN-19", "%d-%b-%y"),
            ("04JAN19", "%d%b%y"),
            ("4 January 19", "'%d %B %y'"),
            ("3.4.2019 10:30", "dmy or mdy"),
        ],
    )
    def test_works(self, text, formats):
        """Each format that the message names reads the text."""
        told = refused(by_date(text))

        assert told == (
            f"visits: row 1: date: {text!r} is not ISO 8601; "
            f"write YYYY-MM-DD, or say how dates are written: --date-format {formats}."
        )
        for one in formats.split(" or "):
            assert len(read(by_date(text), options=ReadOptions(date_format=one.strip("'"))))

    @pytest.mark.parametrize(
        ("dates", "told", "message"),
        [
            (("4/1/2019", "14/2/2019"), None, "all of these dates are read by --date-format dmy."),
            (("1/4/19", "2/14/19"), None, "all of these dates are read by --date-format %m/%d/%y."),
            (("14/1/2019", "1/14/2019"), None, "no format reads all of these dates; write YYYY-MM-DD throughout."),
            (("4/1/2019", "2019-01-05"), None, "no format reads all of these dates; write YYYY-MM-DD throughout."),
            (("4.1.19", "31.1.19"), "dmy", "all of these dates are read by --date-format %d.%m.%y or %y.%m.%d."),
        ],
    )
    def test_is_of_the_whole_column(self, dates, told, message):
        assert refused(by_date(*dates), date_format=told).splitlines()[0] == f"visits: date: {message}"

    @pytest.mark.parametrize(
        "text",
        [
            "4 janvier 2019",
            "04-janv.-2019",
            "4. Januar 2019",
            "4 de enero de 2019",
            "04-ene-2019",
            "4 gennaio 2019",
            "4 januari 2019",
            "4 января 2019",
            "4 Ocak 2019",
            "2019年1月4日",
            "2019년 1월 4일",
            "Jan 4, 2019",
        ],
    )
    def test_is_not_needed_for_names_of_months(self, text):
        assert read(by_date("2019-01-01", text)).day.tolist() == [0, 3]

    def test_of_a_spreadsheets_numbers_works(self):
        assert refused(by_date(43586)) == (
            "visits: row 1: date: '43586' looks like a spreadsheet's number of 2019-05-01; "
            "write YYYY-MM-DD, or say so: --date-format excel."
        )
        cohort = read(by_date(43586, 43614), options=ReadOptions(date_format="excel"))
        assert cohort.day.tolist() == [0, 28]
        assert "date: numbers were read as a spreadsheet's days since 1899-12-30, as told." in notes(cohort)

    def test_of_the_patient_table_is_of_its_own_option(self):
        """Dates of the visits are ISO 8601: a format of both tables would not cure it."""
        visits, patients = by_date("2019-04-03"), [{"patient_id": "P1", "enrolment_date": "13/03/2019"}]
        told = refused(visits, patients)

        assert told.endswith("say how dates are written: --patients-date-format dmy.")
        assert read(visits, patients, options=ReadOptions(patients_date_format="dmy")).day.tolist() == [21]

    def test_of_patients_whose_format_was_told_of_the_visits(self):
        visits, patients = by_date("13/03/2019"), [{"patient_id": "P1", "enrolment_date": "2019-03-12"}]
        told = refused(visits, patients, date_format="dmy")

        assert told == (
            "patients: row 1: enrolment_date: '2019-03-12' does not match the date format 'dmy'; "
            "write all dates alike, or say how this table's are written: --patients-date-format iso."
        )
        options = ReadOptions(date_format="dmy", patients_date_format="iso")
        assert read(visits, patients, options=options).day.tolist() == [1]

    @given(st.text(st.sampled_from("0129/-. JANfeb:TUK"), max_size=12))
    def test_always_works(self, text):
        with_problem = by_date("2019-01-01", text)
        try:
            read(with_problem)
        except CohortError as error:
            advice = re.search(r": --date-format (.*)\.$", str(error))
            for one in advice[1].split(" or ") if advice else ():
                assert "date: " not in _problem(by_date(text), one)


def _problem(visits, date_format):
    try:
        read(visits, options=ReadOptions(date_format=date_format))
    except CohortError as error:
        return str(error)
    return ""


class TestDateCells:
    """Cells that are dates need no format, beside texts that do."""

    @pytest.mark.parametrize("date_format", [*KNOWN_FORMATS, "%Y-%d-%m"])
    @pytest.mark.parametrize("dtype", [pl.Date, pl.Datetime])
    def test_of_a_frame(self, dtype, date_format):
        frame = pl.DataFrame(by_date(datetime.date(2019, 4, 3))).with_columns(pl.col("date").cast(dtype))

        assert str(read(frame, options=ReadOptions(date_format=date_format)).day_0[0]) == "2019-04-03"

    @pytest.mark.parametrize("cell", [datetime.date(2019, 4, 3), datetime.datetime(2019, 4, 3, 8, 30)])
    def test_beside_texts(self, cell):
        rows = by_date(cell, "01/05/2019")

        for table in (rows, pd.DataFrame(rows)):
            assert read(table, options=ReadOptions(date_format="dmy")).day.tolist() == [0, 28]

    def test_of_a_workbook(self, tmp_path):
        xlsxwriter = pytest.importorskip("xlsxwriter")
        book = xlsxwriter.Workbook(tmp_path / "visits.xlsx")
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["patient_id", "date", "platelets"])
        sheet.write_row(1, 0, ["P1", None, 12])
        sheet.write_datetime(1, 1, datetime.datetime(2019, 4, 3), book.add_format({"num_format": "dd/mm/yyyy"}))
        sheet.write_row(2, 0, ["P1", "01/05/2019", 60])
        book.close()

        assert read(tmp_path / "visits.xlsx", options=ReadOptions(date_format="dmy")).day.tolist() == [0, 28]
        assert "'01/05/2019' is not ISO 8601" in refused(tmp_path / "visits.xlsx")


class TestShifted:
    def test_are_read_and_noted(self):
        cohort = read(by_date("2150-01-04", "2150-02-01"))

        assert cohort.day.tolist() == [0, 28]
        assert "date: 2 dates lie after 2099 ('2150-01-04'), assumed to be shifted dates." in notes(cohort)

    def test_not_beside_others(self):
        assert refused(by_date("2019-01-04", "2109-01-04")) == (
            "visits: date: 1 date lies after 2099 ('2109-01-04') and others before; "
            "correct the years, or shift all dates of the study."
        )

    def test_of_a_long_file(self, tmp_path):
        """One chunk has the shifted dates, another the others."""
        pl.DataFrame(by_date("2019-01-04", "2019-01-05", "2109-01-04")).write_csv(tmp_path / "visits.csv")

        with pytest.raises(CohortError, match=r"visits.csv: date: 1 date lies after 2099 \('2109-01-04'\) and others"):
            classify_to(tmp_path / "out.csv", tmp_path / "visits.csv", size=ChunkSize(30, 1))


WAYS = {
    None: ("%Y-%m-%d", "%Y%m%d", "%d-%b-%Y", "%d %B %Y", "%B %d, %Y", "%Y-%m-%dT%H:%M"),
    "dmy": ("%d/%m/%Y", "%d.%m.%Y", "%d-%b-%Y"),
    "mdy": ("%m/%d/%Y", "%m-%d-%Y"),
    "ymd": ("%Y/%m/%d", "%Y.%m.%d"),
    "%d/%m/%y": ("%d/%m/%y",),
}


@given(
    st.lists(st.dates(datetime.date(2001, 1, 1), datetime.date(2030, 1, 1)), min_size=1, max_size=5, unique=True),
    st.sampled_from(list(WAYS)),
    st.data(),
)
def test_verdicts_do_not_change_with_the_way_of_writing(dates, date_format, data):
    """Dates written another way that is told, each row in a form of that way, give the same results."""
    written = [date.strftime(data.draw(st.sampled_from(WAYS[date_format]))) for date in dates]
    found = itp_response.classify(by_date(*written), options=ReadOptions(date_format=date_format))
    expected = itp_response.classify(by_date(*map(str, dates)))

    assert found.frame().equals(expected.frame())
