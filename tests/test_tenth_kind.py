"""A tenth kind, registered here, is decided, explained, drawn and exported without a change elsewhere."""

import json
import subprocess
import sys
from pathlib import Path
from typing import ClassVar, Literal

import jsonschema
import numpy as np
import pytest
from pydantic import Field

import itp_response
from itp_response.authoring.definitions_page import _endpoint_row
from itp_response.cohort.values import NONE
from itp_response.definitions.load import load
from itp_response.definitions.schema import CriteriaFile, schema
from itp_response.evaluation.clock import Days
from itp_response.evaluation.endpoints import KINDS
from itp_response.evaluation.endpoints.endpoint import Endpoint, RowRule, inside, started
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.in_words import rule_in_words
from itp_response.evaluation.verdicts import NE, N, Y
from itp_response.messages.wording import days_in_words
from itp_response.teaching.decisions import decisions
from itp_response.teaching.page_data import PageData
from itp_response.teaching.requests import PatientRequest

ROOT = Path(__file__).parents[1]
PICTURES = ("timeline", "swimmer", "spaghetti", "waterfall", "forest")
SET = """
title = "A set with a kind of its own"
checked = "unverified"
source = { cite = "none" }

[clock]
day_0 = "enrolment"
visits = [0, 7, 14, 28, 56]
followed_from = 50

[baseline]
days = [-28, 0]
pick = "last"

[OR]
label = "Response"
says = "30 or more, twice"
kind = "achieved"
when = "platelets >= 30"
occasions = 2
apart = "7 days"
role = "response"

[nadir]
label = "Lowest count"
says = "never low"
kind = "lowest"
when = "platelets >= 20"
days = [7, 56]

[time_to_nadir]
label = "Time to lowest count"
says = "how long"
kind = "time_to"
to = "nadir"
censored = "last_count"

[[example]]
name = "high"
because = "no count is low"
timeline = "d0 15, d7 40, d14 45, d28 25, d56 60"
expect = { OR = "Y", nadir = "Y", nadir_day = 28 }

[[example]]
name = "low"
because = "one count is low"
timeline = "d0 15, d7 40, d14 12, d28 45, d56 60"
expect = { nadir = "N", nadir_reason = "platelets" }

[[interpretation]]
id = "strict"
question = "how low"
assumed = "20"
change = { nadir.when = "platelets >= 30" }
"""
TIMELINES = {
    "P1": [(0, 15), (7, 40), (14, 45), (28, 25), (56, 60)],
    "P2": [(0, 15), (7, 40), (14, 12), (28, 45), (56, 60)],
}
TIMELINES |= {"P3": [(0, 15)], "P4": [(0, 15), (7, "<25")]}
VISITS = [
    {"patient_id": patient, "day": day, "platelets": str(count)}
    for patient, rows in TIMELINES.items()
    for day, count in rows
]
PATIENTS = [{"patient_id": patient, "arm": "AB"[number % 2]} for number, patient in enumerate(TIMELINES)]


class Lowest(Endpoint):
    """The lowest count of some days is in the state."""

    kind: Literal["lowest"]
    when: RowRule = Field(description="the state")
    days: Days = Field(default=(-np.inf, np.inf), description="first and last day looked at")

    lasts: ClassVar[bool] = False

    def days_looked_at(self):
        return self.days

    def verdicts(self, patient_days, earlier, reasons):
        verdict, open_ = started(self, patient_days, earlier, reasons, None)
        begin, end = patient_days.at_or_after(self.days[0]), patient_days.after(self.days[1])
        looked_at = inside(patient_days, begin, end) & patient_days.has_count
        state = decide(self.when.tree, patient_days)
        order = np.lexsort((patient_days.day, patient_days.counts.low, patient_days.patient))
        rows = order[looked_at[order]]
        row = np.full(patient_days.patients, NONE)
        row[patient_days.patient[rows[::-1]]] = rows[::-1]
        yes, no = (row != NONE) & state.true[row], (row != NONE) & state.false[row]
        verdict.set(open_, NE, reasons["no_counts"])
        verdict.set(open_ & (row != NONE), NE, reasons["censored_count"])
        verdict.set(open_ & yes, Y, reasons["met"])
        verdict.set(open_ & no, N, reasons["platelets"])
        for field in ("onset", "dated"):
            verdict.mark(field, open_ & yes, row)
        verdict.mark("ended", open_ & no, row)
        return verdict

    def definition(self):
        return f"The lowest count{days_in_words(self.days)} shows {rule_in_words(self.when)}."


@pytest.fixture
def criteria(tmp_path, monkeypatch):
    """A set with the tenth kind beside others."""
    with monkeypatch.context() as patched:
        patched.setitem(KINDS, "lowest", Lowest)
        CriteriaFile.model_rebuild(force=True)
        (tmp_path / "own.toml").write_text(SET)
        yield tmp_path / "own.toml"
    CriteriaFile.model_rebuild(force=True)


@pytest.fixture
def classified(criteria):
    return itp_response.classify(VISITS, PATIENTS, criteria=criteria)


def test_it_is_loaded_and_its_worked_examples_are_checked(criteria):
    assert isinstance(load(criteria).endpoints["nadir"], Lowest)
    assert itp_response.check(criteria).failures == ()
    assert {change.path for change in itp_response.mutate(criteria).noticed} >= {("nadir", "when"), ("nadir", "days")}


def test_a_wrong_key_of_it_is_refused(criteria):
    criteria.write_text(SET.replace('when = "platelets >= 20"', 'wen = "platelets >= 20"'))

    with pytest.raises(itp_response.CriteriaError, match="unknown key 'wen'"):
        load(criteria)


def test_it_is_decided(classified):
    frame = classified.frame()

    assert frame["nadir"].to_list() == ["Y", "N", "NE", "NE"]
    assert frame["nadir_day"].to_list() == [28, None, None, None]
    assert classified.long().filter(endpoint="nadir")["value"].to_list() == ["Y", "N", "NE", "NE"]
    assert frame["time_to_nadir_days"].to_list() == [28, 56, 0, None]


def test_it_is_explained_and_described(criteria, classified):
    [explanation] = itp_response.explain(classified, patient="P2", endpoint="nadir")
    [asked] = itp_response.ask("d0 15, d7 40, d28 25", criteria, endpoint="nadir")

    assert (explanation.value, explanation.reason) == ("N", "platelets")
    assert [(row.day, row.part, row.means) for row in explanation.rows] == [
        (0, "before", "before day 7"),
        (7, "qualifies", "qualifies"),
        (14, "fails", "fails: a count below 20; ends here"),
        (28, "qualifies", "qualifies"),
        (56, "qualifies", "qualifies"),
    ]
    assert explanation.counterfactuals
    assert (asked.value, asked.day) == ("Y", 28)
    assert "The lowest count, from day 7 to day 56" in itp_response.describe(load(criteria))
    assert "from day 7 to day 56" in _endpoint_row(load(criteria), "nadir", load(criteria).endpoints["nadir"])
    assert len(itp_response.near_misses(classified).frame()) > 0
    [results] = itp_response.clause_results("d0 15, d7 40", criteria, endpoint="nadir")["verdicts"]
    assert results["rules"][0]["at"] == [False, True]


def test_it_is_certified_and_the_checker_refuses_what_it_does_not_know(classified, tmp_path):
    certificate = itp_response.certificate(classified, patient="P1", endpoint="nadir")
    (tmp_path / "certificate.json").write_text(json.dumps(certificate))
    checker = [sys.executable, str(ROOT / "examples" / "certificate_checker.py"), str(tmp_path / "certificate.json")]
    checked = subprocess.run(checker, capture_output=True, text=True, check=False)

    assert checked.returncode == 1
    assert "does not agree" not in checked.stdout
    assert "cannot be checked: nadir is of kind 'lowest', which is not known here" in checked.stdout
    assert checked.stderr == ""


def test_it_is_queried(classified):
    reviewed = itp_response.review(VISITS, PATIENTS, criteria=classified.criteria)

    assert "nadir" in reviewed.data_queries()["endpoint"].to_list()


@pytest.mark.parametrize("kind", PICTURES)
def test_it_is_drawn(classified, kind, tmp_path):
    further = {"patient": "P2"} if kind == "timeline" else {}
    of_endpoint = {} if kind in ("waterfall", "spaghetti") else {"endpoint": "nadir"}
    itp_response.plot(kind, classified, **of_endpoint, **further).write(tmp_path / f"{kind}.svg")

    assert (tmp_path / f"{kind}.svg").stat().st_size > 1000


def test_the_time_to_it_is_drawn_and_so_is_a_comparison(criteria, classified, tmp_path):
    itp_response.plot("km", classified, endpoint="time_to_nadir").write(tmp_path / "km.svg")
    comparison = itp_response.compare(VISITS, PATIENTS, [criteria, "fit"])
    itp_response.plot("reclassification", comparison).write(tmp_path / "reclassification.svg")

    assert "response" in str(comparison)


def test_it_is_in_tables_reports_datasets_and_sensitivity(criteria, classified, tmp_path):
    tables = str(itp_response.table(classified, by="arm"))
    itp_response.report(VISITS, PATIENTS, criteria).write(tmp_path / "report.html")
    analysis = itp_response.adam(classified, study="S")
    tried = itp_response.sensitivity(VISITS, PATIENTS, criteria=criteria)

    assert "nadir" in tables
    records = analysis.datasets["ADRS"].frame.filter(PARAMCD="NADIR")
    assert records["AVALC"].to_list() == ["Y", "N", "NE", "NE"]
    assert set(records["SRCVAR"]) == {"platelets", None}
    assert set(tried.dependent()["endpoint"]) == {"nadir"}
    assert "Lowest count" in (tmp_path / "report.html").read_text()


def test_it_is_on_the_teaching_page(criteria):
    request = PatientRequest.model_validate(
        {"timeline": "d0 15, d7 40, d28 25", "sets": [{"criteria": "own", "endpoint": "nadir"}]}
    )
    [answer] = decisions(PageData(load(criteria)), request)["sets"]

    assert answer["shown"]["value"] == "Y"
    assert answer["shown"]["thresholds"][0]["value"] == 20


def test_it_is_in_the_schema(criteria):
    document = json.loads(schema())
    properties = document["$defs"]["Lowest"]["properties"]

    assert {"when", "days"} <= set(properties)
    jsonschema.Draft202012Validator.check_schema(document)


def test_it_is_gone_afterwards():
    assert "lowest" not in KINDS
    assert "Lowest" not in json.loads(schema())["$defs"]
