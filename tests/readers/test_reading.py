"""Readers: the cohort of a valid table, and the problems of an invalid one."""

import contextlib
import datetime
import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import ColumnDeclared
from itp_response.cohort.observations import RescueCourses
from itp_response.cohort.values import Numbers, Texts, Truths, just_above, just_below
from itp_response.messages.errors import CohortError, ItpResponseError, UsageError
from itp_response.readers import text as text_files
from itp_response.readers.files import READERS
from itp_response.readers.known_names import PATIENTS, VISITS
from itp_response.readers.options import ReadOptions
from itp_response.readers.visits import read

BAD_VISITS = Path(__file__).parent / "bad_visits"
EXAMPLES = Path(__file__).parents[2] / "examples"
inf, nan = math.inf, math.nan
CELLS = ["P1", "2019-05-01", "2019-05-02", "15", "<10", '"', "", " ", "1e9", "é", "-", "1", "3"]
VALUES = [
    *(None, "P1", 1, 2.5, nan, inf, True, "<10", "2019-05-01", b"x", [1], {"a": 1}, 10**30, 1j),
    *(datetime.date(2019, 5, 1), datetime.datetime(2019, 5, 1, 8), datetime.timedelta(1), datetime.time(8)),
]


def visits(text: str, folder: Path, name: str = "visits.csv") -> Path:
    """A file of these lines; blanks around them and around separators are removed."""
    lines = [",".join(cell.strip() for cell in line.split(",")) for line in text.strip().splitlines()]
    path = folder / name
    path.write_text("\n".join(line.strip() for line in lines) + "\n", encoding="utf-8")
    return path


def patients(text: str, folder: Path) -> Path:
    return visits(text, folder, "patients.csv")


def rows(cohort: Cohort, *names: str) -> list[tuple[Any, ...]]:
    """Each row's patient and day, and what else is named."""
    columns = [cohort.id.to_numpy()[cohort.patient], cohort.day, *(_plain(getattr(cohort, name)) for name in names)]
    return [tuple(one.item() if hasattr(one, "item") else one for one in row) for row in zip(*columns, strict=True)]


def _plain(column: Any) -> Any:
    return column.low if isinstance(column, Numbers) else column


def texts(cohort: Cohort) -> list[str]:
    return [note.text for note in cohort.notes]


def said(cohort: Cohort, part: str) -> bool:
    return any(part in text for text in texts(cohort))


def content(cohort: Cohort) -> dict[str, Any]:
    """All of a cohort but its notes, its source, its lines and what is in each, and how it was read, to be compared."""
    made: dict[str, Any] = {}
    for name, value in vars(cohort).items():
        if name not in ("notes", "source", "row_word", "lines", "counts", "source_row", "stopped_by", "read_from"):
            made |= _parts(name, value)
    return made


def _parts(name: str, value: Any) -> dict[str, Any]:
    match value:
        case Mapping():
            return {key: part for one, column in value.items() for key, part in _parts(f"{name}.{one}", column).items()}
        case Numbers() | Truths() | Texts() | RescueCourses():
            return {
                key: part for one, array in vars(value).items() for key, part in _parts(f"{name}.{one}", array).items()
            }
        case pl.Series():
            return {name: value.to_list()}
        case np.ndarray():
            return {name: [str(one) for one in value.tolist()]}
    return {name: value}


def _tables(names: Sequence[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(names, st.sampled_from(VALUES))), max_size=4)


class TestBadVisits:
    """Every folder of `bad_visits` holds a bad file and the exact message it gives."""

    @pytest.mark.parametrize("folder", sorted(BAD_VISITS.iterdir()), ids=lambda folder: folder.name)
    def test_message(self, folder: Path) -> None:
        told = folder / "args.toml"
        args = tomllib.loads(told.read_text(encoding="utf-8")) if told.exists() else {}
        columns = {name: ColumnDeclared(**column) for name, column in args.pop("columns", {}).items()}
        of_visits = folder / args.pop("visits", "visits.csv")
        of_patients = folder / "patients.csv" if (folder / "patients.csv").exists() else None
        with pytest.raises(ItpResponseError) as error:
            read(of_visits, of_patients, columns=columns, options=ReadOptions(**args))
        assert str(error.value) + "\n" == (folder / "message.txt").read_text(encoding="utf-8")

    def test_truncated_parquet(self, tmp_path: Path) -> None:
        path = tmp_path / "visits.parquet"
        pl.DataFrame({"patient_id": ["P1"], "day": [0], "platelets": [15.0]}).write_parquet(path)
        path.write_bytes(path.read_bytes()[:-20])
        with pytest.raises(CohortError, match=r"^visits.parquet: this is not a complete Parquet file; "):
            read(path)

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            ({"patient_id": ["P1"], "day": [0], "platelets": [-1]}, "visits: row 1: platelets: '-1' is below 0"),
            (
                {"patient_id": ["P1"], "day": [0], "platelets": [15000.0]},
                "visits: row 1: platelets: '15000' looks like",
            ),
            (
                {"patient_id": ["P1"], "day": [0], "platelets": [[15]]},
                "visits: platelets: its cells are lists, not single values; export them as texts.",
            ),
            ({"patient_id": ["P1"], "day": [0.5], "platelets": [15]}, "visits: row 1: day: '0.5' is not a whole day"),
            ({"patient_id": ["P1"], "date": [43586], "platelets": [15]}, "visits: row 1: date: '43586' looks like"),
            ({"patient_id": [], "day": [], "platelets": []}, "visits: there are no rows."),
        ],
    )
    def test_frame(self, table: dict[str, Any], message: str) -> None:
        with pytest.raises(CohortError) as error:
            read(pl.DataFrame(table))
        assert str(error.value).startswith(message)

    def test_what_is_no_table(self) -> None:
        with pytest.raises(UsageError, match=r"visits is the path of a file, .* not 'int'"):
            read(7)  # type: ignore[arg-type]
        with pytest.raises(CohortError, match=r"visits: this frame cannot be read: "):
            read(pl.LazyFrame({"day": [0]}).select("patient_id"))
        with pytest.raises(CohortError, match=r"visits: there are no rows"):
            read([])

    @given(st.binary(max_size=120))
    @example(b'a,b\n"')
    @example(b"\xef\xbb\xbf")
    @example(b"\r\r")
    @example(b'"\n"')
    def test_never_a_traceback(self, tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
        _read_bytes(data, tmp_path_factory)

    @given(st.lists(st.lists(st.sampled_from(CELLS), min_size=3, max_size=6)))
    def test_never_a_traceback_below_a_header(
        self, tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]]
    ) -> None:
        body = "\n".join(",".join(row) for row in cells)
        header = "patient_id,date,platelets,bleeding_grade,rescue,rescue_end"
        _read_bytes(f"{header}\n{body}".encode(), tmp_path_factory)

    @given(_tables(VISITS), st.none() | _tables(PATIENTS))
    def test_never_a_traceback_for_rows(
        self, of_visits: list[dict[str, Any]], of_patients: list[dict[str, Any]] | None
    ) -> None:
        with contextlib.suppress(CohortError):
            read(of_visits, of_patients)


def _read_bytes(data: bytes, folders: pytest.TempPathFactory) -> None:
    path = folders.getbasetemp() / "visits.csv"
    path.write_bytes(data)
    with contextlib.suppress(CohortError):
        read(path)


class TestColumns:
    def test_order_and_names(self, tmp_path: Path) -> None:
        path = visits("PLT, Visit Date, subject-id, comment\n 15, 2019-05-01, 007, low\n", tmp_path)
        cohort = read(path)
        assert cohort.id.to_list() == ["007"]
        assert cohort.platelets.low.tolist() == [15]
        assert "'subject-id' is read as patient_id." in texts(cohort)
        assert "'Visit Date' is read as date." in texts(cohort)
        assert "'PLT' is read as platelets." in texts(cohort)

    def test_own_name_beats_alias(self, tmp_path: Path) -> None:
        path = visits("id, patient_id, day, count, Platelets\n 1, P1, 0, 99, 15\n", tmp_path)
        cohort = read(path)
        assert cohort.id.to_list() == ["P1"]
        assert cohort.platelets.low.tolist() == [15]
        assert not said(cohort, "is read as p")

    def test_declared(self, tmp_path: Path) -> None:
        path = visits(
            """
            patient_id, day, platelets, Dose, steroid, site
            P1, 0, 15, <5, yes, A
            P1, 7, , 50, F,
            P1, 14, 20, , , NA
            P1, 14, , , yes,
            P1, 14, 25, , ,
            P1, 21, 20, , ,
            """,
            tmp_path,
        )
        columns = {
            "dose": ColumnDeclared(type="number"),
            "steroid": ColumnDeclared(type="truth", empty=False),
            "site": ColumnDeclared(type="text"),
        }
        cohort = read(path, columns=columns)
        dose, steroid, site = (cohort.row_columns[name] for name in columns)
        assert isinstance(dose, Numbers)
        assert isinstance(steroid, Truths)
        assert isinstance(site, Texts)
        np.testing.assert_array_equal(dose.low, [-inf, 50, nan, nan])
        np.testing.assert_array_equal(dose.high, [just_below(5), 50, nan, nan])
        assert steroid.true.tolist() == [True, False, True, False]
        assert steroid.false.tolist() == [False, True, False, True]
        assert site == Texts(site.codes, ("A",))
        assert site.codes.tolist() == [0, -1, -1, -1]
        assert "site: 1 cell with 'NA' counts as missing." in texts(cohort)

    def test_declared_of_patients(self, tmp_path: Path) -> None:
        cohort = read(
            visits("patient_id, day, platelets\n P1, 0, 15\n P2, 0, 15\n", tmp_path),
            patients("patient_id, arm, age\n P1, A, 40\n", tmp_path),
            columns={
                "age": ColumnDeclared(type="number", table="patients", empty=18),
                "arm": ColumnDeclared(type="text", table="patients"),
            },
        )
        age, arm = cohort.patient_columns["age"], cohort.patient_columns["arm"]
        assert isinstance(age, Numbers)
        assert isinstance(arm, Texts)
        assert age.low.tolist() == [40, 18]
        assert arm.codes.tolist() == [0, -1]
        assert cohort.arm.to_list() == ["A", None]


class TestCounts:
    def test_bounds(self, tmp_path: Path) -> None:
        cells = ["<10", ">1000", "<=10", ">=1000", "≤ 10", "≥1000", "12.5", ""]
        lines = "\n".join(f"P1, {day}, {cell}" for day, cell in enumerate(cells))
        counts = read(visits(f"patient_id, day, platelets\n{lines}\n", tmp_path)).platelets
        under, over = just_below(10), just_above(1000)
        assert counts.low.tolist() == [0, over, 0, 1000, 0, 1000, 12.5]
        assert counts.high.tolist() == [under, inf, 10, inf, 10, inf, 12.5]
        assert not counts.exact

    def test_without_bounds(self, tmp_path: Path) -> None:
        cohort = read(visits("patient_id, day, platelets\n P1, 0, 15\n P1, 7, NA\n P1, 8, N/A\n P1, 9, .\n", tmp_path))
        assert cohort.platelets.exact
        assert rows(cohort, "platelets") == [("P1", 0, 15)]
        assert "platelets: 3 cells with '.' or 'N/A' or 'NA' count as missing." in texts(cohort)
        assert "3 lines skipped: no count, grade, rescue or declared column." in texts(cohort)

    def test_several_a_day(self, tmp_path: Path) -> None:
        path = visits(
            """
            patient_id, date, platelets, bleeding_grade, rescue
            P1, 2019-05-01T08:00, 30, 0,
            P1, 2019-05-01 20:15:30.5+02:00, 12, 2,
            P1, 2019-05-01, , , IVIg
            """,
            tmp_path,
        )
        cohort = read(path)
        assert rows(cohort, "platelets", "bleeding_grade", "rescue", "source_row") == [("P1", 0, 12, 2, True, 3)]
        assert cohort.lines.tolist() == [2, 3, 4]

    def test_order_of_rows(self, tmp_path: Path) -> None:
        path = visits("patient_id, day, platelets\n P2, 7, 20\n P1, 3, 30\n P2, -7, 10\n P1, 0, 40\n", tmp_path)
        assert rows(read(path), "platelets", "source_row") == [
            ("P2", -7, 10, 4),
            ("P2", 7, 20, 2),
            ("P1", 0, 40, 5),
            ("P1", 3, 30, 3),
        ]

    def test_patient_of_empty_rows_is_kept(self, tmp_path: Path) -> None:
        cohort = read(visits("patient_id, day, platelets\n P1, 0, 15\n P2, , \n", tmp_path))
        assert cohort.id.to_list() == ["P1", "P2"]
        assert rows(cohort) == [("P1", 0)]


class TestBleeding:
    SCORED = "patient_id, day, platelets, bleeding_grade\n P1, 0, 15, 0\n P1, 7, 20, \n"
    EVENTS = "patient_id, day, platelets, bleeding_grade\n P1, 0, 15, 2\n P1, 7, 20, \n"
    NONE = "patient_id, day, platelets\n P1, 0, 15\n P1, 7, 20\n"

    @pytest.mark.parametrize(
        ("text", "bleeding", "grades", "note"),
        [
            (SCORED, None, [0, nan], "assessed at every visit"),
            (SCORED, "events", [0, 0], "Bleeding is recorded as specified: events."),
            (EVENTS, None, [2, 0], "reported as events"),
            (EVENTS, "scored", [2, nan], "Bleeding is recorded as specified: scored."),
            (NONE, None, [0, 0], "No bleeding grade is recorded"),
            (NONE, "scored", [nan, nan], "as specified: scored"),
        ],
    )
    def test_empty_grade(self, text: str, bleeding: Any, grades: list[float], note: str, tmp_path: Path) -> None:
        cohort = read(visits(text, tmp_path), options=ReadOptions(bleeding=bleeding))
        np.testing.assert_array_equal(cohort.bleeding_grade, grades)
        assert said(cohort, note)

    def test_no_grade_at_all_is_a_warning(self, tmp_path: Path) -> None:
        assert [note.warning for note in read(visits(self.NONE, tmp_path)).notes] == [True]
        assert [note.warning for note in read(visits(self.EVENTS, tmp_path)).notes] == [False]


class TestRescue:
    def test_names_and_ends(self, tmp_path: Path) -> None:
        path = visits(
            """
            patient_id, date, platelets, rescue, rescue_end
            P1, 2019-05-01, 15, IVIg, 2019-05-03
            P1, 2019-05-08, 20, 1,
            P1, 2019-05-15, 30, No,
            P1, 2019-05-22, 40, ,
            """,
            tmp_path,
        )
        cohort = read(path)
        assert cohort.rescue.tolist() == [True, True, False, False]
        assert cohort.days_since_rescue.tolist() == [inf, 5, 7, 14]
        assert "rescue: 1 cell with '1' counted as a rescue without a name." in texts(cohort)
        assert "rescue: 1 cell with 'no' counted as no rescue." in texts(cohort)

    def test_end_in_days(self, tmp_path: Path) -> None:
        path = visits(
            "patient_id, day, platelets, rescue, rescue_end\n P1, 8, 15, 1, 10.0\n P1, 15, 20, 0,\n", tmp_path
        )
        cohort = read(path, patients("patient_id, enrolment_day\n P1, 1\n", tmp_path))
        assert rows(cohort, "days_since_rescue") == [("P1", 7, inf), ("P1", 14, 5)]


class TestEnrolment:
    DATES = """patient_id, date, platelets, bleeding_grade
        P1, 2019-04-24, , 1
        P1, 2019-05-01, 15, 0
        P1, 2019-05-08, 20, 0
        """
    DAYS = "patient_id, day, platelets\n P1, 7.0, 15\n P1, 14, 20\n"

    @pytest.mark.parametrize(
        ("text", "table", "days", "day_0"),
        [
            (DATES, None, [-7, 0, 7], "2019-05-01"),
            (DATES, "patient_id\n P1\n", [-7, 0, 7], "2019-05-01"),
            (DATES, "patient_id, Enrollment_Date\n P1, 2019-04-24\n", [0, 7, 14], "2019-04-24"),
            (DATES, "patient_id, RFSTDTC\n P1, 2019-04-24T09:30\n", [0, 7, 14], "2019-04-24"),
            (DAYS, None, [7, 14], "NaT"),
            (DAYS, "patient_id, enrolment_date\n P1, 2019-04-24\n", [7, 14], "2019-04-24"),
            (DAYS, "patient_id, enrolment_day\n P1, 7\n", [0, 7], "NaT"),
        ],
    )
    def test_day_0(self, text: str, table: str | None, days: list[int], day_0: str, tmp_path: Path) -> None:
        cohort = read(visits(text, tmp_path), patients(table, tmp_path) if table else None)
        assert cohort.day.tolist() == days
        assert [str(one) for one in cohort.day_0] == [day_0]
        first_count = text == self.DATES and (table is None or "," not in table)
        assert said(cohort, "each patient's first count is on day 0") == first_count

    def test_without_a_count(self, tmp_path: Path) -> None:
        text = (
            "patient_id, date, platelets, rescue\n P1, 2019-05-01, 15,\n P2, 2019-05-09, , IVIg\n P2, 2019-05-08, ,\n"
        )
        cohort = read(visits(text, tmp_path))
        assert [str(one) for one in cohort.day_0] == ["2019-05-01", "2019-05-09"]
        assert "Without a count, day 0 is the date of the first row: 'P2'." in texts(cohort)

    @pytest.mark.parametrize(
        ("text", "table", "stopped"),
        [
            (
                DATES,
                "patient_id, enrolment_date, discontinued\n P1, 2019-04-24, 2019-05-08\n P2, 2019-05-01, \n",
                [14, inf],
            ),
            (DATES, "patient_id, enrolment_date, discontinued\n P1, 2019-04-24, 21\n", [21]),
            (DATES, "patient_id, discontinuation_date\n P1, 2019-05-08\n", [7]),
            (DAYS, "patient_id, treatment_discontinued\n P1, 21\n", [21]),
            (DAYS, "patient_id, discontinuation_day\n P1, 1\n", [1]),
            (DAYS, "patient_id, enrolment_day, treatment_discontinued\n P1, 7, 21\n", [14]),
            (DAYS, "patient_id, enrolment_date, treatment_discontinued\n P1, 2019-04-24, 2019-05-08\n", [14]),
        ],
    )
    def test_treatment_discontinued(self, text: str, table: str, stopped: list[float], tmp_path: Path) -> None:
        assert read(visits(text, tmp_path), patients(table, tmp_path)).treatment_discontinued.tolist() == stopped


class TestPatients:
    def test_order_and_who_is_missing(self, tmp_path: Path) -> None:
        cohort = read(
            visits("patient_id, day, platelets\n P9, 0, 9\n P1, 0, 1\n P8, 0, 8\n", tmp_path),
            patients("patient_id, arm, baseline\n P2, , <10\n P1, B, 15\n", tmp_path),
        )
        assert cohort.id.to_list() == ["P2", "P1", "P9", "P8"]
        assert cohort.arm.to_list() == [None, "B", None, None]
        np.testing.assert_array_equal(cohort.baseline.low, [0, 15, nan, nan])
        assert cohort.first_row.tolist() == [0, 0, 1, 2, 3]
        assert "2 patients not in the patient table, kept: 'P9', 'P8'." in texts(cohort)
        assert "1 patient without a row in the visits, kept: 'P2'." in texts(cohort)

    def test_twice_the_same(self, tmp_path: Path) -> None:
        cohort = read(
            visits("patient_id, day, platelets\n P1, 0, 1\n", tmp_path),
            patients("patient_id, arm, comment\n P1, A, one\n P1, A, two\n", tmp_path),
        )
        assert cohort.id.to_list() == ["P1"]
        assert "In more than one line, the same: 'P1'." in texts(cohort)


class TestDates:
    @pytest.mark.parametrize(
        ("date_format", "written"),
        [
            (None, "2019-04-03"),
            (None, "2019-04-03T10:30Z"),
            (None, "2019-04-03 23:59:59.123+09:00"),
            ("dmy", "03/04/2019"),
            ("dmy", "3.4.2019"),
            ("dmy", "03-04-2019 10:30"),
            ("mdy", "04/03/2019"),
            ("ymd", "2019/4/3"),
            ("%d/%m/%y", "03/04/19"),
            ("%d %b %Y", "03 Apr 2019"),
            ("%d/%m/%Y %H:%M", "03/04/2019 10:30"),
            ("%d/%m/%Y", "03/04/2019 10:30"),
            ("%Y%m%d", "20190403"),
        ],
    )
    def test_format(self, date_format: str | None, written: str, tmp_path: Path) -> None:
        cohort = read(
            visits(f"patient_id, date, platelets\n P1, {written}, 15\n", tmp_path),
            patients(f"patient_id, enrolment_date, discontinued\n P1, {written}, {written}\n", tmp_path),
            options=ReadOptions(date_format=date_format),
        )
        assert [str(one) for one in cohort.day_0] == ["2019-04-03"]
        assert cohort.day.tolist() == [0]
        assert cohort.treatment_discontinued.tolist() == [0]


class TestFiles:
    TABLE = "patient_id,day,platelets,rescue\nP1,0,15,\nP1,7,20,IVIg\n"

    @pytest.mark.parametrize(
        ("name", "data"),
        [
            ("visits.csv", TABLE.encode()),
            ("visits.CSV", b"\xef\xbb\xbf" + TABLE.encode()),
            ("visits.csv", TABLE.replace("\n", "\r\n").encode()),
            ("visits.csv", TABLE.replace("\n", "\r").encode()),
            ("visits.csv", TABLE.rstrip().encode()),
            ("visits.csv", TABLE.replace(",", ";").encode()),
            ("visits.txt", TABLE.replace(",", "\t").encode()),
            ("visits.tsv", TABLE.replace(",", "\t").encode()),
            ("visits.csv", TABLE.replace("P1", '"P1"').replace("IVIg", '"IVIg"').encode()),
        ],
    )
    def test_text(self, name: str, data: bytes, tmp_path: Path) -> None:
        (tmp_path / name).write_bytes(data)
        cohort = read(tmp_path / name)
        assert rows(cohort, "platelets", "rescue", "source_row") == [("P1", 0, 15, False, 2), ("P1", 7, 20, True, 3)]
        instead = name != "visits.tsv" and b"," not in data
        assert said(cohort, "Cells are separated by") == instead
        assert cohort.source == name

    @pytest.mark.parametrize(
        ("text", "lines"),
        [
            ("\n\npatient_id,day,platelets\nP1,0,15\n\n  \nP1,7,20\n\n", [4, 7]),
            ('patient_id,day,platelets,note\nP1,0,15,"two\nlines, ""so"""\nP1,7,20,\n', [2, 4]),
            ('\ufeff\n"patient_id",day,platelets,"a\nnote"\nP1,0,15,"\n\n"\n\nP1,7,20,x\n', [4, 8]),
        ],
    )
    def test_lines(self, text: str, lines: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "visits.csv"
        path.write_text(text, encoding="utf-8")
        for piece in (text_files.PIECE, 7):
            monkeypatch.setattr(text_files, "PIECE", piece)
            cohort = read(path)
            assert rows(cohort, "platelets", "source_row") == [("P1", 0, 15, lines[0]), ("P1", 7, 20, lines[1])]

    def test_path_as_text(self) -> None:
        assert len(read(str(EXAMPLES / "visits.csv"), str(EXAMPLES / "patients.csv"))) == 168

    def test_readers(self) -> None:
        known = (
            ".csv .tsv .txt .parquet .arrow .feather .ipc .xpt .sas7bdat .sav .zsav .dta "
            ".json .ndjson .dsjc .xml .xlsx .xlsm .xls .ods"
        )
        assert list(READERS) == known.split()


def test_mixed_rows() -> None:
    cohort = read([{"patient_id": 1, "day": 0, "platelets": "<10"}, {"patient_id": 1, "day": 7, "platelets": 15}])
    assert rows(cohort, "platelets") == [("1", 0, 0), ("1", 7, 15)]
    assert cohort.platelets.high.tolist() == [just_below(10), 15]


def test_every_problem_is_counted(tmp_path: Path) -> None:
    lines = "\n".join(f"P1, {day}, -1" for day in range(1000))
    with pytest.raises(CohortError) as error:
        read(visits(f"patient_id, day, platelets\n{lines}\n", tmp_path))
    assert str(error.value).splitlines()[-1] == "… and 980 more"


@pytest.mark.parametrize(
    ("stopped", "written", "expected"),
    [
        # stopped   in the cells                    days, or what is said
        (None,     ["70", "2019-03-12", "80"],      "patients: row 2: treatment_discontinued: '2019-03-12' is a date; give whole days since enrolment, or dates throughout."),
        ("days",   ["70", "2019-03-12", "80"],      "patients: row 2: treatment_discontinued: '2019-03-12' is a date; give whole days since enrolment, or dates throughout."),
        ("dates",  ["2019-03-12", "70", "80"],      "patients: row 2: treatment_discontinued: '70' is not a date; write YYYY-MM-DD or whole days since enrolment.\npatients: row 3: treatment_discontinued: '80' is not a date; write YYYY-MM-DD or whole days since enrolment."),
        (None,     ["1", None, "0"],                "patients: treatment_discontinued: 0 and 1 do not say when treatment was stopped; give the day or date; if these are days, name the column 'discontinuation_day'."),
        ("days",   ["1", None, "0"],                [1, inf, 0]),
        ("dates",  ["2019-03-12", None, None],      [70, inf, inf]),
    ],
)  # fmt: skip
def test_whether_treatment_was_stopped_on_days_or_dates_can_be_told(stopped, written, expected):
    visits_rows = [{"patient_id": name, "date": "2019-01-01", "platelets": 15} for name in "ABC"]
    patient_rows = [
        {"patient_id": name, "enrolment_date": "2019-01-01", "treatment_discontinued": one}
        for name, one in zip("ABC", written, strict=True)
    ]

    if isinstance(expected, str):
        with pytest.raises(CohortError) as error:
            read(visits_rows, patient_rows, stopped=stopped)
        assert str(error.value) == expected
    else:
        assert read(visits_rows, patient_rows, stopped=stopped).treatment_discontinued.tolist() == expected


def test_an_unknown_way_to_give_the_end_of_treatment():
    with pytest.raises(UsageError, match=r"^unknown way to give the end of treatment 'date'; known: days, dates\."):
        read([{"patient_id": "A", "day": 0, "platelets": 15}], stopped="date")
