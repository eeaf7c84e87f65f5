"""ADaM rules: CDISC's conformance rules, restated, on the datasets of every shipped set for the example study.

`tests/adam_rules.py` has CDISC's own engine decide CDISC's own rules, where it is installed.
"""

import re
from pathlib import Path

import polars as pl
import pytest

import itp_response
from itp_response.definitions.load import shipped

EXAMPLES = Path(__file__).parents[2] / "examples"
LABELS = {
    "STUDYID": "Study Identifier",
    "USUBJID": "Unique Subject Identifier",
    "SUBJID": "Subject Identifier for the Study",
    "TRT01P": "Planned Treatment for Period 01",
    "TRT01A": "Actual Treatment for Period 01",
    "TRTP": "Planned Treatment",
    "ASEQ": "Analysis Sequence Number",
    "PARAM": "Parameter",
    "PARAMCD": "Parameter Code",
    "AVISIT": "Analysis Visit",
    "AVISITN": "Analysis Visit (N)",
    "AVAL": "Analysis Value",
    "AVALC": "Analysis Value (C)",
    "BASE": "Baseline Value",
    "CHG": "Change from Baseline",
    "PCHG": "Percent Change from Baseline",
    "CRITy": "Analysis Criterion y",
    "CRITyFL": "Criterion y Evaluation Result Flag",
    "MCRITy": "Analysis Multi-Response Criterion y",
    "MCRITyML": "Multi-Response Criterion y Evaluation",
    "MCRITyMN": "Multi-Response Criterion y Eval (N)",
    "ADT": "Analysis Date",
    "ADTF": "Analysis Date Imputation Flag",
    "ADY": "Analysis Relative Day",
    "ASTDT": "Analysis Start Date",
    "ASTDTF": "Analysis Start Date Imputation Flag",
    "ASTDY": "Analysis Start Relative Day",
    "AENDT": "Analysis End Date",
    "AENDTF": "Analysis End Date Imputation Flag",
    "AENDY": "Analysis End Relative Day",
    "STARTDT": "Time-to-Event Origin Date for Subject",
    "CNSR": "Censor",
    "EVNTDESC": "Event or Censoring Description",
    "CNSDTDSC": "Censor Date Description",
    "ABLFL": "Baseline Record Flag",
    "ANL01FL": "Analysis Flag 01",
    "SRCDOM": "Source Data",
    "SRCVAR": "Source Variable",
    "SRCSEQ": "Source Sequence Number",
}
"""The labels of CDISC's own variables, from the listing of the ADaM Implementation Guide's variables; y is a number."""
OF_THE_PROGRAM = {
    *("DAY0DT", "STARTDY", "ARSNCD", "ARSN", "ADTREC", "WASHFL", "ICESEQ", "ICESTRAT", "ATERM", "ADECOD"),
    *("CNFDT", "CNFDY", "CNFDOM", "CNFVAR", "CNFSEQ", "ENDDOM", "ENDVAR", "ENDSEQ"),
}
"""The variables that the Implementation Guide does not have, beside the endpoints' own in ADITP."""
BASIC = {"ADRS": {"AVAL", "AVALC"}, "ADLB": {"AVAL"}, "ADTTE": {"AVAL", "CNSR", "STARTDT", "ADT"}}
"""The datasets of the basic data structure, with what they need beside their parameters."""


@pytest.fixture(scope="module", params=shipped())
def analysis(request):
    settings = itp_response.AdamSettings(untimed=True)
    study = EXAMPLES / "visits.csv", EXAMPLES / "patients.csv"
    return itp_response.adam(*study, criteria=request.param, study="EXAMPLE", settings=settings)


def pairs(frame, *columns):
    return frame.select(columns).drop_nulls().unique()


def test_of_every_set_each_dataset_keeps_the_rules(analysis):
    for name, dataset in analysis.datasets.items():
        frame = dataset.frame
        assert frame.columns[:2] == ["STUDYID", "USUBJID"], name
        assert not frame.select("STUDYID", "USUBJID").null_count().sum_horizontal().item(), name
        assert not frame.select(dataset.keys).is_duplicated().any(), name
        assert frame["USUBJID"].rle().struct.field("value").is_unique().all(), f"{name}: patients stand together"
        assert [
            column for column in frame.columns if frame[column].dtype == pl.String and (frame[column] == "").any()
        ] == []
        for date in (column for column in frame.columns if column.endswith("DT") and column != "DAY0DT"):
            day = f"{date[:-2]}DY"
            assert (frame[date].is_null() == frame[day].is_null()).all(), f"{name}.{date}: the study has dates"
            assert not (frame[day] == 0).any(), f"{name}.{day}"
        for number in range(1, 10):
            if f"CRIT{number}" in frame.columns:
                assert f"CRIT{number}FL" in frame.columns
                assert frame[f"CRIT{number}"].n_unique() <= 1, f"{name}.CRIT{number}"


def test_of_every_set_parameters_and_visits_are_one_to_one_with_their_codes(analysis):
    for name, others in BASIC.items():
        frame = analysis.datasets[name].frame
        assert {"PARAM", "PARAMCD", *others} <= set(frame.columns)
        assert frame.select("PARAM", "PARAMCD").null_count().sum_horizontal().item() == 0
        for code, text in (("PARAMCD", "PARAM"), ("AVISITN", "AVISIT")):
            if text in frame.columns:
                one_to_one = pairs(frame, code, text)
                assert one_to_one[code].is_unique().all(), f"{name}.{code}"
                assert one_to_one[text].is_unique().all(), f"{name}.{text}"
                assert (frame[code].is_null() == frame[text].is_null()).all(), f"{name}.{text}"


def test_of_every_set_one_record_is_the_baseline_and_one_of_each_visit_is_analysed(analysis):
    counts = analysis.datasets["ADLB"].frame

    assert not counts.filter(ABLFL="Y").select("USUBJID", "PARAMCD").is_duplicated().any()
    assert counts.group_by("USUBJID", "PARAMCD").agg(pl.col("BASE").n_unique())["BASE"].max() == 1
    assert (counts.filter(ABLFL="Y")["AVAL"] == counts.filter(ABLFL="Y")["BASE"]).all()
    changed = counts.drop_nulls("CHG")
    assert (changed["CHG"] == changed["AVAL"] - changed["BASE"]).all()
    for name in ("ADRS", "ADLB"):
        analysed = analysis.datasets[name].frame.filter(pl.col("ANL01FL") == "Y").drop_nulls("AVISIT")
        assert not analysed.select("USUBJID", "PARAMCD", "AVISIT").is_duplicated().any(), name


def test_of_every_set_a_time_to_an_event_has_its_start_and_end(analysis):
    times = analysis.datasets["ADTTE"].frame

    timed = times.drop_nulls("AVAL")
    assert (times["AVAL"].is_null() == times["CNSR"].is_null()).all()
    assert (timed["AVAL"] == (timed["ADT"] - timed["STARTDT"]).dt.total_days()).all()
    assert (timed["EVNTDESC"].is_not_null()).all()
    assert set(timed.filter(CNSR=0)["CNSDTDSC"]) <= {None}


def test_of_every_set_cdiscs_own_variables_have_its_labels(analysis):
    for name, dataset in analysis.datasets.items():
        for variable in dataset.variables:
            number = re.fullmatch(r"(M?CRIT)([0-9])(FL|ML|MN)?", variable.name)
            generic = variable.name if number is None else f"{number[1]}y{number[3] or ''}"
            if generic in LABELS:
                label = LABELS[generic]
                assert variable.label == (label if number is None else label.replace(" y", f" {number[2]}")), generic
            else:
                assert name == "ADITP" or variable.name in OF_THE_PROGRAM, f"{name}.{variable.name}"
    lengths = [dataset.lengths for dataset in analysis.datasets.values()]
    assert all(of_dataset == lengths[0] for of_dataset in lengths)


@pytest.mark.parametrize(
    ("name", "column", "open_", "decided"),
    [
        ("arnold_2012", "standard_treatment_stopped", "failure", "OR"),
        ("bivv020", "switcher", "durable", "rescue_treatment"),
    ],
)
def test_what_depends_on_a_column_that_the_study_lacks_is_not_evaluable_and_says_so(name, column, open_, decided):
    study = itp_response.classify(EXAMPLES / "visits.csv", EXAMPLES / "patients.csv", name)

    note = f"There is no column {column!r}, so it is unknown throughout; what depends on it is not evaluable."
    assert [line for line in study.cohort.note_lines if line.endswith(note)] == [f"warning: {note}"]
    assert "Y" not in study.frame()[open_].to_list()
    assert "NE" in study.frame()[open_].to_list()
    assert "Y" in study.frame()[decided].to_list()


def test_a_column_with_nearly_the_name_of_one_that_may_lack_is_a_misspelling():
    patients = [{"patient_id": "A", "arm": "X", "swicher": "no"}]

    with pytest.raises(itp_response.CohortError, match=r"the column 'switcher' is missing.*Did you mean 'swicher'\?"):
        itp_response.classify([{"patient_id": "A", "day": 0, "platelets": 10}], patients, "bivv020")
