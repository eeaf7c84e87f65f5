"""Units of counts: their spellings, every place where one is told, and what is asked where none is."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import itp_response
from itp_response.cohort.cohort import Cohort
from itp_response.messages.errors import CohortError
from itp_response.readers.chunks import ChunkSize
from itp_response.readers.options import ReadOptions
from itp_response.readers.units import AMOUNTS, EXPONENTS, VOLUMES, exponent_of, in_header
from itp_response.readers.visits import read

DAYS = (0, 14, 28, 42, 84, 168)
NAMED = sorted(unit for unit in EXPONENTS if "/" in unit and -4 <= EXPONENTS[unit] <= 4)
"""Units in which the counts of a study can be written with a handful of digits."""


class TestSpellings:
    @pytest.mark.parametrize(
        ("exponent", "spellings"),
        [
            (0, "GI/L|10^9/L|10*9/L|x10^9/L|THOU/uL|10^3/uL|10*3/uL|K/uL|x10E9/L|10**9/L|X 10^9 / L|E9/L|1e9/L"),
            (0, "×10⁹/L|10³/µL|10³/μL|10^3 cells/uL|10^3/mm^3|K/mcL|G/L|1/nL|thou/cu mm|109/L|x103/µL|10^6/mL"),
            (0, "Gpt/L|Tsd/µl|Tsd./µl|1000/µl|1.000/µl|1,000/uL|T/µl|10⁹·L⁻¹|10*3.uL-1|[10*3/uL]|10(9)/L"),
            (0, "тыс/мкл|10⁹/л|10*9/л|천/μL|bin/mm3|mln/ml|Mld/L|G·L⁻¹|G.L-1|10∧9/L|×10^9 ⋅ L⁻¹|8848.0"),
            (0, "8848|8961|9444|8816|44777588|billion per litre|thousand per cubic millimeter"),
            (-3, "/uL|cells/uL|/µL|/mm3|cells/mm³|1/uL|per uL|/cumm|/cmm|platelets/uL|{Platelets}/uL|#/uL|10^6/L"),
            (1, "만/μL|10^4/uL|x10^4/µL|10*4/uL|×10⁴/㎕|万/μL|10000/uL|10^10/L"),
            (2, "lakhs/cumm|lakh/mm³|Lakh/cu.mm|lac/cmm|10^5/uL"),
            (None, "г/л|g/L|mg/dL|%|fL|10^9|L|uL|lakh|K|T/L|mil/mm3|10-9/L||unit|8713|day 3"),
        ],
    )
    def test_exponent(self, exponent: int | None, spellings: str) -> None:
        assert {unit: exponent_of(unit) for unit in spellings.split("|")} == dict.fromkeys(
            spellings.split("|"), exponent
        )

    @pytest.mark.parametrize(
        ("header", "exponent", "rest"),
        [
            ("PLT (x10^4/uL)", 1, "PLT"),
            ("PLT [10*3/uL] week 4", 0, "PLT week 4"),
            ("PLT（×10⁴/μL）", 1, "PLT"),
            ("Plaquettes G/L", 0, "plaquettes"),
            ("Platelets /cmm", -3, "platelets"),
            ("Platelets/uL", -3, "platelets"),
            ("Thrombozyten in Tsd/µl", 0, "thrombozyten"),
            ("plt_10e9_l", 0, "plt"),
            ("plt_k_ul", 0, "plt"),
            ("platelets_per_ul", -3, "platelets"),
            ("PLT (10^9/L, local)", 0, "PLT"),
            ("PLT (mg/dL)", None, "PLT"),
            ("PLT g/L", None, "plt"),
            ("Platelets (lakhs)", None, "Platelets"),
            ("plt (10^3)", None, "plt"),
        ],
    )
    def test_in_a_header(self, header: str, exponent: int | None, rest: str) -> None:
        unit = in_header(header)
        assert unit is not None
        assert (unit.exponent, unit.rest) == (exponent, rest)

    @pytest.mark.parametrize("header", ["platelets", "PLT (local)", "platelets (Y/N)", "day 10", "date (dd/mm/yyyy)"])
    def test_in_none(self, header: str) -> None:
        assert in_header(header) is None

    @given(st.sampled_from(NAMED), st.sampled_from(["{}", " {} ", "x{}", "({})", "[{}]", "× {}"]))
    def test_each_of_the_table_by_its_name(self, unit: str, pattern: str) -> None:
        if pattern[0] in "x×" and unit[0] == "/":
            return
        assert exponent_of(pattern.format(unit)) == exponent_of(pattern.format(unit).upper()) == EXPONENTS[unit]
        assert in_header(f"PLT ({unit})").exponent == EXPONENTS[unit]  # type: ignore[union-attr]

    def test_no_word_stands_for_two_powers(self) -> None:
        for words in (AMOUNTS, VOLUMES):
            every = [word for several in words.values() for word in several]
            assert len(every) == len(set(every))


# WHEREVER IT IS TOLD


def written(count: float, unit: str) -> str:
    """A count in 10⁹/L in another unit; it has at most one decimal, so that no digit is lost."""
    exponent = EXPONENTS[unit]
    sign = "<" if count < 0 else ""
    tenths = round(abs(count) * 10)
    return f"{sign}{tenths * 10**-exponent / 10 if exponent < 0 else tenths / 10 ** (exponent + 1):.6f}".rstrip(
        "0"
    ).rstrip(".")


Told = tuple[list[dict[str, Any]], list[dict[str, Any]], ReadOptions]


def _table(counts: list[list[float]], unit: str, header: str, baseline: str) -> tuple[list[Any], list[Any]]:
    visits = [
        {"patient_id": f"P{patient}", "day": day, header: written(count, unit)}
        for patient, several in enumerate(counts)
        for day, count in zip(DAYS, several, strict=True)
    ]
    patients = [
        {"patient_id": f"P{patient}", baseline: written(abs(several[0]), unit)}
        for patient, several in enumerate(counts)
    ]
    return visits, patients


def by_column(counts: list[list[float]], unit: str) -> Told:
    visits, patients = _table(counts, unit, "platelets", "baseline")
    return [row | {"unit": unit} for row in visits], [row | {"baseline_unit": unit} for row in patients], ReadOptions()


def by_header(counts: list[list[float]], unit: str) -> Told:
    return *_table(counts, unit, f"PLT ({unit})", f"baseline_plt [{unit}]"), ReadOptions()


def by_option(counts: list[list[float]], unit: str) -> Told:
    return *_table(counts, unit, "platelets", "baseline"), ReadOptions(unit=unit)


def by_row(counts: list[list[float]], unit: str) -> Told:
    """Every other row in 10⁹/L."""
    visits, patients, options = by_column(counts, unit)
    usual = by_column(counts, "10^9/l")[0]
    return [(usual if number % 2 else visits)[number] for number in range(len(visits))], patients, options


def by_mapping(counts: list[list[float]], unit: str) -> Any:
    """The visits and the patients of one table, by a mapping that names the unit."""
    visits, patients = _table(counts, unit, "count", "first")
    rows = [row | patients[int(row["patient_id"][1:])] for row in visits]
    with TemporaryDirectory() as folder:
        path = Path(folder, "mapping.toml")
        path.write_text(f'confirmed = true\nunit = "{unit}"\n{OF_ROWS}', encoding="utf-8")
        return *itp_response.mapped(rows, path), ReadOptions()


OF_ROWS = """
[patients]
patient_id = "patient_id"
baseline = "first"
[[visits]]
day = "day"
platelets = "count"
"""
PLACES: list[Callable[[list[list[float]], str], Any]] = [by_column, by_header, by_option, by_row, by_mapping]
COUNTS = st.lists(
    st.lists(
        st.integers(20, 4000).map(lambda tenths: tenths / 10) | st.just(-30.0), min_size=len(DAYS), max_size=len(DAYS)
    ),
    min_size=1,
    max_size=4,
)
"""Counts in 10⁹/L; one below 0 stands for a bound, `<30`."""


def verdicts(cohort: Cohort) -> pl.DataFrame:
    return itp_response.classify(cohort).frame()


ACCEPTED = ("patient_in_another_unit", "implausible_counts", "three_decimals")


class TestLaws:
    @pytest.mark.parametrize("place", PLACES)
    @settings(max_examples=settings.default.max_examples // 4)
    @given(counts=COUNTS, unit=st.sampled_from(NAMED))
    def test_verdicts_are_the_same_in_any_unit_that_is_told(
        self, place: Callable[[list[list[float]], str], Any], counts: list[list[float]], unit: str
    ) -> None:
        visits, patients = _table(counts, "10^9/l", "platelets", "baseline")
        expected = read(visits, patients, options=ReadOptions(accept=ACCEPTED, unit="10^9/L"))
        *tables, options = place(counts, unit)

        cohort = read(*tables, options=ReadOptions(accept=ACCEPTED, unit=options.unit))

        assert cohort.platelets.low.tolist() == expected.platelets.low.tolist()
        assert cohort.platelets.high.tolist() == expected.platelets.high.tolist()
        assert cohort.baseline.low.tolist() == expected.baseline.low.tolist()
        assert verdicts(cohort).equals(verdicts(expected))
        if EXPONENTS[unit]:
            converted = [note.text for note in cohort.notes if " multiplied by " in note.text]
            in_unit = len(visits) // 2 if place is by_row else len(visits)
            assert sum(f" {in_unit} count" in text for text in converted) >= 1
            assert sum(f" {len(patients)} count" in text for text in converted) >= 1

    @given(counts=COUNTS, unit=st.sampled_from(NAMED), other=st.sampled_from(NAMED))
    def test_two_units_are_refused_if_they_differ(self, counts: list[list[float]], unit: str, other: str) -> None:
        visits, patients, _ = by_header(counts, unit)
        options = ReadOptions(unit=other, accept=ACCEPTED)
        if EXPONENTS[unit] == EXPONENTS[other]:
            read(visits, patients, options=options)
            return
        with pytest.raises(CohortError, match="specify one unit"):
            read(visits, patients, options=options)


# FILES

WIDE = "record_id,PLT (x10^4/uL) day 0,PLT (x10^4/uL) day 28,PLT (x10^4/uL) day 42\nP1,1.2,15.0,18.1\n"
OF_WIDE = """confirmed = true
{top}
[patients]
patient_id = "record_id"
[[visits]]
day = 0
platelets = "PLT (x10^4/uL) day 0"
{own}
[[visits]]
day = 28
platelets = "PLT (x10^4/uL) day 28"
"""


def mapped(folder: Path, top: str = "", own: str = "", text: str = WIDE) -> Any:
    (folder / "wide.csv").write_text(text, encoding="utf-8")
    (folder / "mapping.toml").write_text(OF_WIDE.format(top=top, own=own), encoding="utf-8")
    return itp_response.mapped(folder / "wide.csv", folder / "mapping.toml")


class TestMapping:
    @pytest.mark.parametrize(("top", "own"), [("", ""), ('unit = "10^4/uL"', ""), ("", 'unit = "万/µL"')])
    def test_header_and_keys(self, top: str, own: str, tmp_path: Path) -> None:
        cohort = read(*mapped(tmp_path, top, own))
        assert cohort.platelets.low.tolist() == [12.0, 150.0]
        assert any("multiplied by 10 to 10⁹/L" in note.text for note in cohort.notes)

    @pytest.mark.parametrize(
        ("top", "own", "message"),
        [
            ('unit = "/uL"', "", "the mapping says '/uL', but the header says 'x10^4/uL'; specify one unit."),
            ("", 'unit = "10^9/L"', "the mapping says '10^9/L', but the header says 'x10^4/uL'; specify one unit."),
            ('unit = "furlong"', "", "'furlong' is not a unit of platelet counts; known: "),
            ("", 'unit = "?"', "this is still open; name the unit; "),
            ('accept = ["all"]', "", "unknown check 'all'; known: implausible_counts, "),
        ],
    )
    def test_refused(self, top: str, own: str, message: str, tmp_path: Path) -> None:
        with pytest.raises(CohortError) as error:
            read(*mapped(tmp_path, top, own))
        assert message in str(error.value)

    def test_a_column_by_its_codes(self, tmp_path: Path) -> None:
        text = "record_id,u,PLT (x10^4/uL) day 0,PLT (x10^4/uL) day 28\nP1,1,1.2,15.0\n"
        pair = mapped(tmp_path, own='unit = "u"\n[codes.unit]\n1 = "10^4/uL"\n', text=text)
        assert read(*pair).platelets.low.tolist() == [12.0, 150.0]

    def test_the_draft_has_the_unit(self, tmp_path: Path) -> None:
        mapped(tmp_path)
        assert 'unit = "x10^4/uL"  # counts are multiplied by 10 to 10⁹/L\n' in itp_response.map(tmp_path / "wide.csv")


def table(folder: Path, text: str, name: str = "visits.csv") -> Path:
    lines = [",".join(cell.strip() for cell in line.split("|")) for line in text.strip().splitlines()]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / name


WRONG = [
    (
        "patient_id | day | PLT (lakh/mm3) | unit \n A | 0 | 1.2 | 10^9/L \n A | 28 | 1.5 | lakh/cumm",
        "unit: 1 count in '10^9/L', but the header says 'lakh/mm3'; specify one unit.",
    ),
    (
        "patient_id | day | platelets | unit \n A | 0 | 12 | 10^9/L \n A | 28 | 15 | mg",
        "visits.csv: line 3: unit: 'mg' is not a unit of platelet counts; known: ",
    ),
    (
        "patient_id | day | platelets | unit \n A | 0 | 12 | 10^9/L \n A | 28 | 15 | ",
        "visits.csv: line 3: unit: the unit of the count is missing; fill it in, or say --unit.",
    ),
    (
        "patient_id | day | PLT (g/L) \n A | 0 | 12",
        "the header has 'g/L', which is not a unit of platelet counts; say --unit",
    ),
    ("patient_id | day | PLT (/uL) \n A | 0 | 12.000 \n A | 28 | 20000", "'12.000' may have a point between thousands"),
    (
        "patient_id | day | PLT (/uL) \n A | 0 | 12 \n A | 28 | 20",
        "2 of 2 counts are below 1 × 10⁹/L in the specified unit",
    ),
    ("patient_id | day | PLT (10^9/L) \n A | 0 | 12000", "'12000' is above 5,000 × 10⁹/L in the specified unit"),
    (
        "patient_id | day | platelets \n A | 0 | 0.12 \n A | 28 | 1.5",
        "1 of 2 counts is below 1; say in which unit they",
    ),
    (
        "patient_id | day | platelets \n A | 0 | 1200 \n A | 28 | 4000",
        "2 of 2 counts are above 1,000; say in which unit",
    ),
    (
        "patient_id | day | platelets \n A | 0 | 1.2 \n A | 28 | 2.5",
        "all counts are below 10, and most have decimals; say",
    ),
    (
        "patient_id | day | platelets \n A | 0 | 12.5 \n A | 28 | 1.250",
        "is the point in '1.250' before decimals, or between",
    ),
]


class TestQuestions:
    @pytest.mark.parametrize(("text", "message"), WRONG)
    def test_refused_by_every_way_of_reading(self, text: str, message: str, tmp_path: Path) -> None:
        path = table(tmp_path, text)
        with pytest.raises(CohortError) as whole:
            read(path)
        with pytest.raises(CohortError) as chunked:
            itp_response.classify_to(tmp_path / "out.csv", path, size=ChunkSize(20, 1))
        assert message in str(whole.value)
        assert str(whole.value) == str(chunked.value)

    @pytest.mark.parametrize(
        ("text", "options", "counts"),
        [
            (WRONG[7][0], ReadOptions(unit="lakh/mm3"), [12.0, 150.0]),
            (WRONG[7][0], ReadOptions(unit="10^9/L"), [0.12, 1.5]),
            (WRONG[7][0], ReadOptions(accept=("implausible_counts",)), [0.12, 1.5]),
            (WRONG[5][0], ReadOptions(accept=("implausible_counts",)), [0.012, 0.02]),
            (WRONG[10][0], ReadOptions(accept=("three_decimals",)), [12.5, 1.25]),
            (WRONG[3][0], ReadOptions(unit="10^9/L"), [12.0]),
            (WRONG[2][0], ReadOptions(unit="10^9/L"), [12.0, 15.0]),
        ],
    )
    def test_answered(self, text: str, options: ReadOptions, counts: list[float], tmp_path: Path) -> None:
        path = table(tmp_path, text)
        assert read(path, options=options).platelets.low.tolist() == counts
        assert itp_response.classify_to(tmp_path / "out.csv", path, options=options).cohort.notes

    @pytest.mark.parametrize("counts", [["0.12", "1.5", "1.8"], ["1.2", "15.1", "18.1"]])
    def test_a_patient_in_another_unit(self, counts: list[str], tmp_path: Path) -> None:
        """Each of four patients has 12, 150 and 180, the last in lakhs or in 10⁴/µL."""
        rows = [
            f"P{n} | {day} | {count}" for n in range(4) for day, count in zip((0, 28, 42), (12, 150, 180), strict=True)
        ]
        rows += [f"Q | {day} | {count}" for day, count in zip((0, 28, 42), counts, strict=True)]
        path = table(tmp_path, "\n".join(["patient_id | day | platelets", *rows]))
        message = "the counts of patient 'Q' differ from the others' by powers of ten"
        with pytest.raises(CohortError, match=message):
            read(path)
        with pytest.raises(CohortError, match=message):
            itp_response.classify_to(tmp_path / "out.csv", path, size=ChunkSize(40, 3))

        accept = ReadOptions(accept=("patient_in_another_unit",))
        fired = itp_response.review(path, options=accept).frame().filter(check="patient_in_another_unit")
        assert fired["patient_id"].to_list() == ["Q"]

    def test_a_refractory_patient_is_none(self, tmp_path: Path) -> None:
        rows = [
            f"P{n} | {day} | {count}" for n in range(4) for day, count in zip((0, 28, 42), (12, 150, 180), strict=True)
        ]
        rows += [f"Q | {day} | {count}" for day, count in zip((0, 28, 42), (2, 3, 5), strict=True)]
        assert len(read(table(tmp_path, "\n".join(["patient_id | day | platelets", *rows]))).id) == 5

    def test_a_baseline_without_a_unit_beside_converted_counts(self, tmp_path: Path) -> None:
        visits = table(tmp_path, "patient_id | day | PLT (10^4/uL) \n A | 0 | 1.2 \n A | 28 | 15")
        patients = table(tmp_path, "patient_id | baseline \n A | 1.2", "patients.csv")
        for ask in (read, lambda *tables: itp_response.classify_to(tmp_path / "out.csv", *tables)):
            with pytest.raises(
                CohortError, match="baseline: other counts are not in 10⁹/L, and the unit of these is not"
            ):
                ask(visits, patients)

    @pytest.mark.parametrize(
        "name", ["valueuom", "Lab Unit", "result_units", "PLT_U", "Unit of measure", "unités", "单位"]
    )
    def test_a_column_of_units_by_other_names(self, name: str, tmp_path: Path) -> None:
        path = table(
            tmp_path, f"patient_id | day | platelets | {name} \n A | 0 | 1.2 | 10^4/uL \n A | 28 | 15 | 10^4/uL"
        )
        assert read(path).platelets.low.tolist() == [12.0, 150.0]

    def test_a_missing_unit_is_one_problem(self, tmp_path: Path) -> None:
        path = table(tmp_path, "patient_id | day | platelets | unit \n A | 0 | 12000 | /uL \n A | 28 | 60000 | ")
        with pytest.raises(CohortError) as error:
            read(path)
        message = "visits.csv: line 3: unit: the unit of the count is missing; fill it in, or say --unit."
        assert str(error.value) == message

    def test_columns_that_are_not_used_are_named(self, tmp_path: Path) -> None:
        path = table(tmp_path, "patient_id | day | platelets | dose_unit | flag | site \n A | 0 | 12 | mg | L | x")
        texts = [note.text for note in read(path).notes]
        assert "Not used: 'dose_unit', which looks like a unit." in texts
        assert "Not used: 'flag', which looks like a flag or a qualifier." in texts
