"""SDTM as studies have it: flagged baselines, doses of 0, what did not take place, no dates, subjects not treated."""

from pathlib import Path

import numpy as np
import polars as pl
import pyreadstat
import pytest
from test_sdtm import lb, possible_days, refused, rows, said, study

import itp_response
from itp_response.readers.visits import read

FLAGGED = "USUBJID, LBSEQ, LBTESTCD, LBSTRESN, LBSTRESU, LBDTC, LBLOBXFL, LBBLFL"


def told(folder: Path, text: str) -> Path:
    (folder / "sdtm.toml").write_text(text, encoding="utf-8")
    return folder


class TestBaseline:
    def test_the_flag_decides(self, tmp_path: Path) -> None:
        text = lb("P1, 1, PLAT, 12, GI/L, 2019-04-29, Y, Y", "P1, 2, PLAT, 30, GI/L, 2019-05-01, ,", columns=FLAGGED)
        folder = study(tmp_path / "trial", lb=text)
        cohort = read(folder)
        assert cohort.baseline.low[0] == 12
        assert said(cohort, "lb.csv: the baseline of 1 patient is the count that LBLOBXFL or LBBLFL flags")
        assert read(told(folder, 'baseline_flag = "none"')).baseline.low[0] != 12

    def test_a_unit_goes_with_it(self, tmp_path: Path) -> None:
        text = lb("P1, 1, PLAT, 12000, /uL, 2019-05-01, , Y", columns=FLAGGED)
        assert read(study(tmp_path / "trial", lb=text)).baseline.low[0] == 12

    def test_the_same_count_in_two_units_is_one(self, tmp_path: Path) -> None:
        of_bound = FLAGGED.replace("LBSTRESN", "LBSTRESC")
        for columns, first, second in ((FLAGGED, "12, GI/L", "12000, /uL"), (of_bound, "<10, GI/L", "<10, GI/L")):
            text = lb(
                f"P1, 1, PLAT, {first}, 2019-04-30, Y,", f"P1, 2, PLAT, {second}, 2019-04-30, , Y", columns=columns
            )
            folder = study(tmp_path / columns[18:26], lb=text)
            assert read(folder).baseline.high[0] == pytest.approx(12 if columns == FLAGGED else 10)

    def test_two_counts_with_the_same_flag_are_asked_about(self, tmp_path: Path) -> None:
        text = lb("P1, 1, PLAT, 12, GI/L, 2019-04-30, , Y", "P1, 2, PLAT, 14, GI/L, 2019-04-30, , Y", columns=FLAGGED)
        folder = study(tmp_path / "trial", lb=text)
        assert refused(folder) == (
            "lb.csv: 'P1' has several counts flagged as baseline: '12', '14'; keep one, "
            "or say 'baseline_flag' in sdtm.toml (none)."
        )
        assert np.isnan(read(told(folder, 'baseline_flag = "none"')).baseline.low[0])

    @pytest.mark.parametrize(("result", "status"), [("", ""), ("", "NOT DONE")])
    def test_a_flag_of_no_count_is_said(self, result: str, status: str, tmp_path: Path) -> None:
        text = lb(
            f"P1, 1, PLAT, {result}, GI/L, 2019-04-30, Y, {status}",
            "P1, 2, PLAT, 30, GI/L, 2019-05-01, ,",
            columns=FLAGGED.replace("LBBLFL", "LBSTAT"),
        )
        cohort = read(study(tmp_path / "trial", lb=text))
        assert np.isnan(cohort.baseline.low[0])
        assert said(
            cohort, "lb.csv: the flagged baseline of 1 patient has no count: 'P1'; theirs is left to the criteria."
        )

    def test_one_after_day_0_is_said(self, tmp_path: Path) -> None:
        text = lb("P1, 1, PLAT, 12, GI/L, 2019-05-03, , Y", columns=FLAGGED)
        assert said(
            read(study(tmp_path / "trial", lb=text)), "is of a day after day 0: 'P1'; 'day_0' in sdtm.toml says"
        )

    def test_what_is_no_flag_is_said(self, tmp_path: Path) -> None:
        text = lb("P1, 1, PLAT, 12, GI/L, 2019-04-30, maybe,", columns=FLAGGED)
        cohort = read(study(tmp_path / "trial", lb=text))
        assert np.isnan(cohort.baseline.low[0])
        assert said(cohort, "lb.csv: LBLOBXFL is neither yes nor no: 'maybe', read as no flag.")

    def test_two_flags_that_differ_are_asked_about(self, tmp_path: Path) -> None:
        text = lb("P1, 1, PLAT, 12, GI/L, 2019-04-29, , Y", "P1, 2, PLAT, 30, GI/L, 2019-05-01, Y,", columns=FLAGGED)
        folder = study(tmp_path / "trial", lb=text)
        assert refused(folder) == (
            "lb.csv: 'P1' has several counts flagged as baseline: '30', '12'; keep one, "
            "or say 'baseline_flag' in sdtm.toml (LBLOBXFL, LBBLFL or none)."
        )
        assert read(told(folder, 'baseline_flag = "LBBLFL"')).baseline.low[0] == 12


class TestDoses:
    EX = """
        USUBJID, EXSEQ, EXTRT, EXDOSE, EXDOSU, EXSTDTC
        P1,      1,     drug,  0,      mg,     2019-05-01
        P1,      2,     drug,  100,    mg,     2019-05-08
        P1,      3,     drug,  100,    mg,     2019-05-15
        """

    def test_of_0_is_none(self, tmp_path: Path) -> None:
        cohort = read(study(tmp_path / "trial", ex=self.EX))
        assert not cohort.rescue.any()
        assert said(cohort, "ex.csv: 1 dose of 0, or not given (EXSTAT NOT DONE, EXOCCUR N), counted as no dose.")

    def test_that_are_not_known_are_named(self, tmp_path: Path) -> None:
        cohort = read(
            study(tmp_path / "trial", ex=self.EX.replace("0,      mg,     2019-05-01", " ,      mg,     2019-05-01"))
        )
        text = "ex.csv: 1 record of study treatment without a dose (EXDOSE): a raised dose may not be recognised."
        assert said(cohort, text)

    def test_above_the_first_one_given_is_raised(self, tmp_path: Path) -> None:
        cohort = read(study(tmp_path / "trial", ex=self.EX + "P1, 4, drug, 200, mg, 2019-05-22"))
        assert rows(cohort, "rescue").count(("P1", 21, True)) == 1

    @pytest.mark.parametrize(("column", "text"), [("EXSTAT", "NOT DONE"), ("EXOCCUR", "N"), ("EXOCCUR", "No")])
    def test_not_given_is_none(self, column: str, text: str, tmp_path: Path) -> None:
        ex = f"""
            USUBJID, EXSEQ, EXTRT, EXDOSE, EXDOSU, EXSTDTC, {column}
            P1,      1,     drug,  25,     mg,     2019-05-01, {text}
            P1,      2,     drug,  100,    mg,     2019-05-08,
            P1,      3,     drug,  100,    mg,     2019-05-15,
            """
        assert not read(study(tmp_path / "trial", ex=ex)).rescue.any()

    def test_raised_that_may_not_have_been_given_is_asked_about(self, tmp_path: Path) -> None:
        ex = f"{self.EX}P1, 4, drug, 200, mg, 2019-05-22".replace("EXSTDTC", "EXSTDTC, EXOCCUR")
        ex = "\n".join(line + (", U" if "200" in line else ", " if "drug" in line else "") for line in ex.splitlines())
        assert refused(study(tmp_path / "trial", ex=ex)).startswith("ex.csv: line 5: EXOCCUR: 'U' does not say whether")

    def test_of_0_is_no_rescue(self, tmp_path: Path) -> None:
        cm = "USUBJID, CMSEQ, CMTRT, CMCAT, CMDOSE, CMSTDTC\nP1, 1, IVIg, RESCUE, 0, 2019-05-10"
        assert not read(study(tmp_path / "trial", cm=cm)).rescue.any()


class TestOccurrence:
    def cm(self, occurred: str, status: str) -> str:
        return f"USUBJID, CMSEQ, CMTRT, CMCAT, CMOCCUR, CMSTAT, CMSTDTC\nP1, 1, IVIg, RESCUE, {occurred}, {status},"

    @pytest.mark.parametrize(("occurred", "status"), [("", "NOT DONE"), ("N", "")])
    def test_what_did_not_take_place_needs_no_date(self, occurred: str, status: str, tmp_path: Path) -> None:
        cohort = read(study(tmp_path / "trial", cm=self.cm(occurred, status)))
        assert not cohort.rescue.any()
        assert said(cohort, "cm.csv: 1 record of rescue treatment that did not take place")

    def test_unknown_is_asked_about(self, tmp_path: Path) -> None:
        folder = study(tmp_path / "trial", cm=self.cm("U", ""))
        assert refused(folder) == (
            "cm.csv: line 2: CMOCCUR: 'U' does not say whether it took place; correct it, "
            'or put \'unknown_occurrence\' in sdtm.toml, "occurred" or "not_occurred".'
        )
        assert not read(told(folder, 'unknown_occurrence = "not_occurred"')).rescue.any()
        assert possible_days(read(told(folder, 'unknown_occurrence = "occurred"')))["P1"]

    @pytest.mark.parametrize(("occurred", "status"), [("UNKNOWN", ""), ("", "REFUSED")])
    def test_other_words_are_asked_about(self, occurred: str, status: str, tmp_path: Path) -> None:
        text = refused(study(tmp_path / "trial", cm=self.cm(occurred, status)))
        assert f"'{occurred or status}' does not say whether it took place" in text

    def test_no_in_full(self, tmp_path: Path) -> None:
        assert not read(study(tmp_path / "trial", cm=self.cm("No", ""))).rescue.any()

    def test_bleeding_that_did_not_occur_is_not_said_to_be_like_one(self, tmp_path: Path) -> None:
        ae = "USUBJID, AESEQ, AEDECOD, AEOCCUR, AESTDTC, AESEV\nP1, 1, EPISTAXIS, N, ,"
        assert not said(read(study(tmp_path / "trial", ae=ae)), "not counted as bleeding, though like it")

    def test_bleeding_that_did_not_occur(self, tmp_path: Path) -> None:
        ce = "USUBJID, CESEQ, CETERM, CEOCCUR, CESTDTC, CESEV\nP1, 1, EPISTAXIS, N, ,"
        assert read(study(tmp_path / "trial", ce=ce)).bleeding_grade.max() == 0


class TestWithoutADate:
    def test_a_rescue_may_be_on_any_day(self, tmp_path: Path) -> None:
        cm = "USUBJID, CMSEQ, CMTRT, CMCAT, CMSTDTC\nP1, 1, IVIg, RESCUE,"
        folder = study(tmp_path / "trial", cm=cm)
        cohort = read(folder)
        assert possible_days(cohort) == {"P1": ["2019-04-30/2019-05-30"]}
        assert said(cohort, "cm.csv: 1 record of rescue treatment without a date, which may be of any day")
        of_p1 = itp_response.classify(folder).frame().row(0, named=True)
        assert (of_p1["OR"], of_p1["OR_reason"]) == ("NE", "partial_date")

    def test_so_may_a_bleeding(self, tmp_path: Path) -> None:
        ae = "USUBJID, AESEQ, AEDECOD, AESEV, AESTDTC\nP1, 1, EPISTAXIS, MILD,"
        folder = study(tmp_path / "trial", ae=ae)
        assert possible_days(read(folder)) == {"P1": ["2019-04-30/2019-05-30"]}
        assert itp_response.classify(folder).frame()["OR"][0] == "NE"

    def test_one_that_ends_in_the_study_begins_before_its_end(self, tmp_path: Path) -> None:
        cm = "USUBJID, CMSEQ, CMTRT, CMCAT, CMSTDTC, CMENDTC\nP1, 1, IVIg, RESCUE, , 2019-05-03"
        cohort = read(study(tmp_path / "trial", cm=cm))
        assert cohort.partial is not None
        assert cohort.partial.dates.count.tolist() == [4]

    def test_one_that_ended_before_the_study_was_before_it(self, tmp_path: Path) -> None:
        cm = "USUBJID, CMSEQ, CMTRT, CMCAT, CMSTDTC, CMENDTC\nP1, 1, IVIg, RESCUE, , 2019-03-01"
        folder = study(tmp_path / "trial", cm=cm)
        assert possible_days(read(folder)) == {"P1": ["2019-02-28/2019-03-01"]}
        assert itp_response.classify(folder).frame()["OR"][0] == "Y"

    def test_so_may_a_grade_at_a_visit(self, tmp_path: Path) -> None:
        fa = "USUBJID, FASEQ, FATESTCD, FAOBJ, FASTRESC, FADTC\nP1, 1, SEV, Bleeding, 2,"
        folder = study(tmp_path / "trial", fa=fa)
        assert possible_days(read(folder)) == {"P1": ["2019-04-30/2019-05-30"]}
        assert itp_response.classify(folder).frame()["OR"][0] == "NE"

    def test_bleeding_that_goes_on_may_be_on_every_day(self, tmp_path: Path) -> None:
        """It is not one of one day, on whichever that may be."""
        ae = "USUBJID, AESEQ, AEDECOD, AESEV, AESTDTC, AEOUT\nP1, 1, EPISTAXIS, MILD, , NOT RECOVERED/NOT RESOLVED"
        cohort = read(study(tmp_path / "trial", ae=ae))
        grades = {day: grade for who, day, grade in rows(cohort, "bleeding_grade") if who == "P1" and day >= 0}
        assert all(map(np.isnan, grades.values()))

    def test_of_a_patient_without_a_count_it_is_left_out(self, tmp_path: Path) -> None:
        text = lb("P1, 1, PLAT, 15, GI/L, 15, 15, GI/L, 2019-05-01")
        cm = "USUBJID, CMSEQ, CMTRT, CMCAT, CMSTDTC\nP2, 1, IVIg, RESCUE,"
        cohort = read(study(tmp_path / "trial", lb=text, cm=cm))
        assert not cohort.rescue.any()
        assert said(
            cohort, "cm.csv: 1 record of rescue treatment without a date left out, of subjects without a count."
        )

    def test_an_interval_is_a_date_known_in_part(self, tmp_path: Path) -> None:
        cm = "USUBJID, CMSEQ, CMTRT, CMCAT, CMSTDTC\nP1, 1, IVIg, RESCUE, 2019-05-10/2019-05-12"
        cohort = read(study(tmp_path / "trial", cm=cm))
        assert cohort.partial is not None
        assert cohort.partial.dates.count.tolist() == [3]

    def test_an_interval_that_ends_before_it_begins(self, tmp_path: Path) -> None:
        cm = "USUBJID, CMSEQ, CMTRT, CMCAT, CMSTDTC\nP1, 1, IVIg, RESCUE, 2019-05-12/2019-05-10"
        assert refused(study(tmp_path / "trial", cm=cm)) == (
            "cm.csv: line 2: CMSTDTC: '2019-05-12/2019-05-10' is not a date; write YYYY-MM-DD."
        )


class TestWithoutDay0:
    DM = """
        USUBJID, RFSTDTC,    ARM, ACTARM, ARMNRS
        P1,      2019-05-01, A,   A,
        P2,      ,           B,   ,       {}
        P3,      ,           ,    ,       SCREEN FAILURE
        """

    def test_who_was_not_treated_is_kept_in_the_planned_arm(self, tmp_path: Path) -> None:
        folder = study(tmp_path / "trial", dm=self.DM.format("NOT TREATED"))
        cohort = read(folder)
        assert (cohort.id.to_list(), cohort.arm.to_list()) == (["P1", "P2"], ["A", "B"])
        assert said(cohort, "dm.csv: 1 subject without RFSTDTC, not treated, kept and not evaluable")
        assert said(cohort, "dm.csv: 1 subject not enrolled, excluded.")
        assert said(cohort, "1 record of subjects without a day 0 left out.")
        assert itp_response.classify(folder).frame()["OR"].to_list() == ["Y", "NE"]

    def test_the_arm_is_the_one_assigned_whatever_was_given(self, tmp_path: Path) -> None:
        dm = """
            USUBJID, RFSTDTC,    ARM, ACTARMCD, ACTARM
            P1,      2019-05-01, A,   A,        A
            P2,      ,           B,   NOTTRT,   Not Treated
            P3,      2019-05-01, B,   ,
            P4,      2019-05-01, A,   B,        B
            """
        cohort = read(study(tmp_path / "trial", dm=dm))
        assert cohort.arm.to_list() == ["A", "B", "B", "A"]
        assert cohort.actual_arm is not None
        assert cohort.actual_arm.to_list() == ["A", None, None, "B"]

    def test_who_failed_screening_is_left_out_with_a_date_too(self, tmp_path: Path) -> None:
        dm = "USUBJID, RFSTDTC, ARM\nP1, 2019-05-01, A\nP2, 2019-05-02, Screen Failure"
        cohort = read(study(tmp_path / "trial", dm=dm))
        assert cohort.id.to_list() == ["P1"]
        assert said(cohort, "dm.csv: 1 subject not enrolled, excluded.")
        assert read(told(tmp_path / "trial", 'without_day_0 = "leave_out"')).id.to_list() == ["P1"]
        assert read(told(tmp_path / "trial", 'without_day_0 = "keep"')).id.to_list() == ["P1", "P2"]

    def test_a_subject_without_a_name_is_refused(self, tmp_path: Path) -> None:
        dm = "USUBJID, RFSTDTC, ARM, ACTARM\nP1, 2019-05-01, A, A\n, , B,\nP2, 2019-06-01, B, B"
        assert (
            refused(study(tmp_path / "trial", dm=dm)) == "dm.csv: line 3: USUBJID: the patient is missing; fill it in."
        )

    def test_an_end_of_treatment_is_of_no_use(self, tmp_path: Path) -> None:
        ds = "USUBJID, DSDECOD, DSSTDTC\nP2, WITHDRAWAL BY SUBJECT, 2019-06-03"
        cohort = read(study(tmp_path / "trial", dm=self.DM.format("NOT TREATED"), ds=ds))
        assert cohort.treatment_discontinued[1] == float("inf")

    def test_the_settings_say_what_becomes_of_them(self, tmp_path: Path) -> None:
        folder = study(tmp_path / "trial", dm=self.DM.format(""))
        assert refused(folder).startswith("dm.csv: RFSTDTC: enrolment missing for 'P2' (line 3); fill it in, say why")
        assert read(told(folder, 'without_day_0 = "keep"')).id.to_list() == ["P1", "P2", "P3"]
        assert read(told(folder, 'without_day_0 = "leave_out"')).id.to_list() == ["P1"]


def test_a_transport_file_that_is_not_utf_8(tmp_path: Path) -> None:
    folder = study(tmp_path / "trial")
    (folder / "dm.csv").unlink()
    frame = pl.DataFrame({"USUBJID": ["P1"], "RFSTDTC": ["2019-05-01"], "ARM": ["Arm beta"]})
    pyreadstat.write_xport(frame, str(folder / "dm.xpt"), table_name="DM")
    raw = (folder / "dm.xpt").read_bytes()
    (folder / "dm.xpt").write_bytes(raw.replace(b"Arm beta", "Arm bêta".encode("cp1252")))
    assert refused(folder) == (
        "dm.xpt: ARM has letters that are not UTF-8; write the file again in UTF-8, or with ASCII letters alone."
    )
