"""Laws of reading: what is told of an invented study, in whatever legal way it is written, is the same study.

Its ids, dates and missing cells may be written in other ways, and its rows stand in a text, a workbook, Parquet, Arrow
or a frame: the verdicts are the same, and no row is lost without a word. That counts may be in any unit is held by
`test_units`.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.sax.saxutils import quoteattr

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

import itp_response
from itp_response.cohort.cohort import Cohort
from itp_response.readers.mapping.mapping import mapped
from itp_response.readers.missing_codes import NOT_GIVEN
from itp_response.readers.options import ReadOptions
from itp_response.readers.visits import read

START = date(2019, 1, 4)
COLUMNS = ("patient_id", "date", "platelets", "bleeding_grade", "rescue")
TOLD = {"accept": ("implausible_counts", "patient_in_another_unit", "three_decimals"), "bleeding": "scored"}
Row = tuple[int, int, int | None, int | None, str | None]
"""The patient, the day, the count, the grade and the rescue treatment; None: not recorded."""
ROWS = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.sampled_from((0, 7, 28, 35, 42, 168, 364)),
        st.none() | st.sampled_from((5, 12, 28, 30, 57, 110, 240)),
        st.none() | st.integers(0, 2),
        st.none() | st.sampled_from(("IVIg", "prednisone")),
    ).filter(lambda row: row[2] is not None),
    min_size=1,
    max_size=14,
)


# WRITTEN IN ANOTHER WAY

IDS: dict[str, tuple[Callable[[int], str], dict[str, Any]]] = {
    "by letters": (lambda number: f"S-{number:02}", {}),
    "with zeros": (lambda number: f"{number:03}", {}),
    "blanks around": (lambda number: f"  S-{number:02} ", {}),
    "long": (lambda number: f"11010119900101{number:04}", {}),
    "rounded by nobody": (lambda number: f"{number}000000000000000", {"long_ids": "as-written"}),
}
DATES: dict[str, tuple[Callable[[date], str], dict[str, Any]]] = {
    "ISO": (date.isoformat, {}),
    "with a time": (lambda day: f"{day}T08:30", {}),
    "basic": (lambda day: f"{day:%Y%m%d}", {}),
    "an interval of one day": (lambda day: f"{day}/{day}", {}),
    "shifted": (lambda day: day.replace(year=day.year + 140).isoformat(), {}),
    "English": (lambda day: f"{day:%d-%b-%Y}", {}),
    "German": (lambda day: f"{day.day}. {GERMAN[day.month - 1]} {day.year}", {}),
    "Japanese": (lambda day: f"{day.year}年{day.month}月{day.day}日", {}),
    "dmy": (lambda day: f"{day.day}/{day.month}/{day.year}", {"date_format": "dmy"}),
    "mdy": (lambda day: f"{day:%m/%d/%Y}", {"date_format": "mdy"}),
    "ymd": (lambda day: f"{day:%Y.%m.%d}", {"date_format": "ymd"}),
    "two digits": (lambda day: f"{day:%d.%m.%y}", {"date_format": "%d.%m.%y"}),
    "a spreadsheet's number": (lambda day: str((day - date(1899, 12, 30)).days), {"date_format": "excel"}),
}
GERMAN = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
]
MISSING: dict[str, tuple[str, dict[str, Any]]] = {
    **{word: (word, {}) for word in sorted(NOT_GIVEN)},
    "a code": ("-99", {"missing": ("-99",)}),
    "a code of letters": ("Q.N.S.", {"missing": ("q.n.s.",)}),
    "a code per column": ("9", {"missing": ("platelets=9", "bleeding_grade=9", "rescue=9")}),
}


def table(rows: list[Row], ids: str = "by letters", dates: str = "ISO", missing: str = "") -> list[dict[str, str]]:
    """The study as a list of rows of texts."""
    of_id, of_date = IDS[ids][0], DATES[dates][0]
    return [
        dict(
            zip(
                COLUMNS,
                [
                    of_id(patient),
                    of_date(START + timedelta(days=day)),
                    *(missing if value is None else str(value) for value in values),
                ],
                strict=True,
            )
        )
        for patient, day, *values in rows
    ]


def verdicts(cohort: Cohort) -> pl.DataFrame:
    """The verdicts without ids and dates, which are written in another way."""
    frame = itp_response.classify(cohort).frame()
    return frame.select(pl.exclude("patient_id", "^.*_date$"))


class TestLaws:
    @pytest.mark.parametrize("ids", IDS)
    @settings(max_examples=settings.default.max_examples // 8)
    @given(rows=ROWS)
    def test_verdicts_do_not_depend_on_how_ids_are_written(self, ids: str, rows: list[Row]) -> None:
        usual = read(table(rows), options=ReadOptions(**TOLD))
        other = read(table(rows, ids=ids), options=ReadOptions(**TOLD, **IDS[ids][1]))
        assert other.id.to_list() == [IDS[ids][0](int(one[2:])).strip() for one in usual.id]
        assert verdicts(other).equals(verdicts(usual))

    @pytest.mark.parametrize("dates", DATES)
    @settings(max_examples=settings.default.max_examples // 8)
    @given(rows=ROWS)
    def test_nor_on_how_dates_are_written(self, dates: str, rows: list[Row]) -> None:
        usual = read(table(rows), options=ReadOptions(**TOLD))
        other = read(table(rows, dates=dates), options=ReadOptions(**TOLD, **DATES[dates][1]))
        assert other.day.tolist() == usual.day.tolist()
        assert verdicts(other).equals(verdicts(usual))

    @given(rows=ROWS, missing=st.sampled_from(sorted(MISSING)))
    def test_nor_on_how_missing_cells_are_written(self, missing: str, rows: list[Row]) -> None:
        text, told = MISSING[missing]
        usual = read(table(rows), options=ReadOptions(**TOLD))
        other = read(table(rows, missing=text), options=ReadOptions(**TOLD, **told))
        assert verdicts(other).equals(verdicts(usual))
        cells = sum(value is None for row in rows for value in row[2:])
        said = [note.text for note in other.notes if repr(text).lower() in note.text.lower()]
        assert bool(said) == (cells > 0)


# NO ROW IS LOST


def as_text(rows: list[dict[str, str | None]], folder: Path) -> Any:
    frame(rows).write_csv(folder / "visits.csv")
    return folder / "visits.csv"


def as_semicolons(rows: list[dict[str, str | None]], folder: Path) -> Any:
    (folder / "visits.csv").write_text("sep=;\n" + frame(rows).write_csv(separator=";"), encoding="utf-8-sig")
    return folder / "visits.csv"


def as_parquet(rows: list[dict[str, str | None]], folder: Path) -> Any:
    frame(rows).write_parquet(folder / "visits.parquet")
    return folder / "visits.parquet"


def as_arrow(rows: list[dict[str, str | None]], folder: Path) -> Any:
    frame(rows).write_ipc(folder / "visits.arrow")
    return folder / "visits.arrow"


def as_workbook(rows: list[dict[str, str | None]], folder: Path) -> Any:
    with xlsxwriter.Workbook(folder / "visits.xlsx") as book:
        sheet = book.add_worksheet()
        for number, cells in enumerate([COLUMNS, *([row[name] for name in COLUMNS] for row in rows)]):
            sheet.write_row(number, 0, [cell or "" for cell in cells])
    return folder / "visits.xlsx"


def as_frame(rows: list[dict[str, str | None]], folder: Path) -> Any:
    return frame(rows)


def as_rows(rows: list[dict[str, str | None]], folder: Path) -> Any:
    return rows


def frame(rows: list[dict[str, str | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String))


WRITTEN = [as_text, as_semicolons, as_parquet, as_arrow, as_workbook, as_frame, as_rows]
CELLS = st.fixed_dictionaries(
    {
        "patient_id": st.sampled_from(("P1", "P2", "P3", None)),
        "date": st.sampled_from(("2019-01-04", "2019-02-01", "2019-02-15", "2019-02-30", "soon", None)),
        "platelets": st.sampled_from(("12", "57", "<10", "110", "many", "-5", "NA", None)),
        "bleeding_grade": st.sampled_from(("0", "1", "7", "ND", None)),
        "rescue": st.sampled_from(("IVIg", "no", "B", "IVIg, none", None)),
    }
)


def given_cells(row: dict[str, str | None]) -> bool:
    """Whether a row has a cell at all; a workbook's or a text's empty rows are none."""
    return any(row.values())


class TestRows:
    @pytest.mark.parametrize("write", WRITTEN)
    @settings(max_examples=6)
    @given(rows=st.lists(CELLS.filter(given_cells), min_size=1, max_size=10))
    def test_in_are_those_used_and_those_reported(
        self, write: Callable[[list[dict[str, str | None]], Path], Any], rows: list[dict[str, str | None]]
    ) -> None:
        first = {"patient_id": "P1", "date": "2019-01-04", "platelets": "12", "bleeding_grade": "0", "rescue": None}
        every = [first, *rows]
        with TemporaryDirectory() as folder:
            options = ReadOptions(on_error="quarantine", **TOLD)
            cohort = read(write(every, Path(folder)), options=options)
        report = cohort.quarantine.unique(["file", "line"])
        in_part = report.join(cohort.quarantine.filter(left_out="row").select("line").unique(), on="line", how="anti")
        passed_over = [int(found[1]) for note in cohort.notes if (found := PASSED_OVER.match(note.text))]

        assert len(cohort.lines) + len(report) - len(in_part) + sum(passed_over) == len(every)
        lines = report["line"].to_list()
        wrong = [number for number, row in enumerate(every) if is_wrong(row)]
        assert {line - min_line(write) for line in lines} == set(wrong)


# RECORDS


def as_values(rows: list[dict[str, str | None]], folder: Path) -> tuple[tuple[Any, ...], dict[int, int]]:
    """The study with a row per value, and the number of the record by the line of its value."""
    lines, record_of = ["record,redcap_event_name,field_name,value"], {}
    for number, row in enumerate(rows):
        for name in COLUMNS[1:]:
            if row[name]:
                lines.append(f'{row["patient_id"]},v{number},{name},"{row[name]}"')
                record_of[len(lines)] = number
    (folder / "values.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return (folder / "values.csv",), record_of


def as_odm(rows: list[dict[str, str | None]], folder: Path) -> tuple[tuple[Any, ...], dict[int, int]]:
    """The study with an event per row, each on a line of its own, and a mapping of it."""
    lines, record_of = (
        ['<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" ODMVersion="1.3"><ClinicalData StudyOID="S">'],
        {},
    )
    for patient in dict.fromkeys(row["patient_id"] for row in rows):
        lines.append(f'<SubjectData SubjectKey="{patient}">')
        for number, row in enumerate(rows):
            if row["patient_id"] == patient:
                items = "".join(
                    f'<ItemData ItemOID="{name}" Value={quoteattr(text)}/>'
                    for name in COLUMNS[1:]
                    if (text := row[name])
                )
                group = f'<FormData FormOID="F"><ItemGroupData ItemGroupOID="G">{items}</ItemGroupData></FormData>'
                event = f'<StudyEventData StudyEventOID="V" StudyEventRepeatKey="{number}">'
                lines.append(f"{event}{group}</StudyEventData>")
                record_of[len(lines)] = number
        lines.append("</SubjectData>")
    (folder / "study.xml").write_text("\n".join([*lines, "</ClinicalData></ODM>"]), encoding="utf-8")
    keys = "".join(f'{name} = "{name}"\n' for name in COLUMNS[1:])
    mapping = f'confirmed = true\n[patients]\npatient_id = "SubjectKey"\n[[visits]]\n{keys}'
    (folder / "mapping.toml").write_text(mapping, encoding="utf-8")
    return mapped(folder / "study.xml", folder / "mapping.toml"), record_of


class TestRecords:
    @pytest.mark.parametrize("write", [as_values, as_odm])
    @settings(max_examples=15)
    @given(rows=st.lists(CELLS.filter(lambda row: row["patient_id"] and any(list(row.values())[1:])), max_size=8))
    def test_in_are_those_used_and_those_reported(
        self,
        write: Callable[[list[dict[str, str | None]], Path], tuple[tuple[Any, ...], dict[int, int]]],
        rows: list[dict[str, str | None]],
    ) -> None:
        """A record is reported once, however many of its values cannot be read."""
        # Every item occurs, so that a column of each is there.
        first = dict(zip(COLUMNS, ("P1", "2019-01-04", "12", "0", "no"), strict=True))
        every: list[dict[str, str | None]] = [first, *rows]
        with TemporaryDirectory() as folder:
            tables, record_of = write(every, Path(folder))
            cohort = read(*tables, options=ReadOptions(on_error="quarantine", **TOLD))
        report = cohort.quarantine
        reported = {record_of[line] for line in report["line"].to_list()}
        whole = {record_of[line] for line in report.filter(left_out="row")["line"].to_list()}
        passed_over = [int(found[1]) for note in cohort.notes if (found := PASSED_OVER.match(note.text))]

        # A mapping makes no visit of a row with a date alone, so that date is not read.
        read_rows = [row for row in every if write is as_values or any(row[name] for name in COLUMNS[2:])]
        assert reported == {number for number, row in enumerate(every) if is_wrong(row) and row in read_rows}
        assert len(cohort.lines) + len(whole) + sum(passed_over) == len(every)
        assert cohort.quarantined.sum() == len(reported)


PASSED_OVER = re.compile(r"(\d+) (?:row|line)s? skipped")


def min_line(write: Callable[..., Any]) -> int:
    """The number of the first row, as it is reported."""
    return {as_text: 2, as_semicolons: 3, as_workbook: 2}.get(write, 1)


def is_wrong(row: dict[str, str | None]) -> bool:
    """Whether a cell of a row cannot be read, or one is missing that is needed."""
    unreadable = (
        row["date"] in ("2019-02-30", "soon")
        or row["platelets"] in ("many", "-5")
        or row["bleeding_grade"] == "7"
        or row["rescue"] in ("B", "IVIg, none")
    )
    recorded = row["platelets"] not in ("NA", None) or row["bleeding_grade"] is not None or row["rescue"] == "IVIg"
    return unreadable or (recorded and (row["patient_id"] is None or row["date"] is None))
