"""Under a set: what is assumed because nobody supplied it, and who began outside the entry of the source."""

import re

import polars as pl
import pytest
from worked import criteria_of

import itp_response
from itp_response.classification.chunked.classify_to import classify_to
from itp_response.classification.under_a_set import UNDER_A_SET
from itp_response.definitions.load import load, shipped
from itp_response.messages.errors import CohortError

NO_RESCUE = "Rescue treatment is not recorded, so it is assumed that none was given."
NO_END = "The end of rescue treatment is not recorded, so each is assumed to have lasted one day."
NOT_STOPPED = "Discontinuation of treatment is not recorded, so it is assumed that no patient discontinued."
NO_CLASS = "1 rescue treatment without a name, assumed to be in no class of worked."
BY_RESCUE = """
    [rescues]
    immunoglobulin = ["ivig"]
    [X]
    kind = "achieved"
    when = "platelets >= 30"
    days = [1, 365]
"""


def visits(*counts, **cells):
    return [{"patient_id": "A", "day": day, "platelets": count, **cells} for day, count in counts]


def said(cohort):
    """The notes under the set, each to the end of its first sentence."""
    return [re.split(r"(?<=[a-z]\.) ", note.text)[0] for note in cohort.notes if note.about == UNDER_A_SET]


@pytest.mark.parametrize(
    ("rule", "cells", "patients", "notes"),
    [
        ("", {}, None, []),
        ('discount = "rescue"', {}, None, [NO_RESCUE]),
        ('discount = "rescue"', {"rescue": ""}, None, []),
        ('discount = "days_since_rescue <= 7"', {}, None, [NO_RESCUE]),
        ('discount = "days_since_rescue <= 7"', {"rescue": ""}, None, [NO_END]),
        ('discount = "days_since_rescue <= 7"', {"rescue": "", "rescue_end": ""}, None, []),
        ('discount = "immunoglobulin"', {}, None, [NO_RESCUE]),
        ('discount = "days_since_immunoglobulin <= 7"', {"rescue": "ivig"}, None, [NO_END]),
        ('discount = "immunoglobulin"', {"rescue": 1}, None, [NO_CLASS]),
        ('discount = "days_since_immunoglobulin <= 7"', {"rescue": 1, "rescue_end": ""}, None, [NO_CLASS]),
        ('discount = "rescue"', {"rescue": 1}, None, []),
        ('unless = "treatment_discontinued"', {}, None, [NOT_STOPPED]),
        ('unless = "treatment_discontinued"', {}, {}, [NOT_STOPPED]),
        ('unless = "treatment_discontinued"', {}, {"discontinuation_day": ""}, []),
    ],
)
def test_what_the_set_asks_for_and_nobody_supplied_is_said(rule, cells, patients, notes, tmp_path):
    criteria = criteria_of(BY_RESCUE + rule)
    rows = visits((0, 15), **cells)
    table = None if patients is None else [{"patient_id": "A", **patients}]
    path = tmp_path / "visits.csv"
    pl.DataFrame(rows).write_csv(path)

    whole = itp_response.classify(path, table, criteria)
    chunked = classify_to(tmp_path / "out.csv", path, table, criteria)

    assert said(whole.cohort) == notes
    assert whole.summary() == chunked.summary()
    assert set(notes) <= {re.split(r"(?<=[a-z]\.) ", text)[0] for text in whole.provenance().assumed}


def test_it_is_said_with_every_result():
    rows = [*visits((0, 15), (28, 60), (35, 60)), {"patient_id": "B", "day": 0, "platelets": 15}]
    classification = itp_response.classify(rows, [{"patient_id": "A", "arm": "x"}, {"patient_id": "B", "arm": "y"}])

    for shown in (
        classification.summary(),
        str(itp_response.table(classification)),
        str(itp_response.review(classification)),
        str(itp_response.compare(rows, criteria=["atra_2022", "cm313"])),
        str(itp_response.sensitivity(rows)),
        str(itp_response.near_misses(classification)),
        "\n".join(itp_response.explain(classification, patient="A").study_notes),
        itp_response.plot("km", classification, endpoint="DOR").summary(),
    ):
        assert f"warning: {NO_RESCUE}" in " ".join(shown.split())
        assert f"warning: {NOT_STOPPED}" in " ".join(shown.split())


def test_a_cohort_decided_by_another_set_has_the_notes_of_that_set():
    first = itp_response.classify(visits((0, 150)))
    second = itp_response.classify(first, criteria="fit")

    assert [note for note in said(second.cohort) if "IWG" in note] == [
        "1 of 1 patient has a baseline of 100 or more, which does not meet the definition of ITP (IWG 2009: below "
        "100); Bussel 2018 (FIT-1 and FIT-2) states no entry limit."
    ]
    assert itp_response.classify(second, criteria="atra_2022").cohort.notes == first.cohort.notes


OUTSIDE = "outside the entry limit of Wu 2022 (ATRA trial): below 30, or bleeding of grade 1 or more."
NOT_ITP = "of 100 or more, which does not meet the definition of ITP (IWG 2009: below 100)."


@pytest.mark.parametrize(
    ("counts", "notes"),
    [
        ([29.9, 29], []),
        ([30, 29], [f"1 of 2 patients has a baseline of 30 or more, {OUTSIDE}"]),
        (
            [150, 100, 20],
            [
                f"2 of 3 patients have a baseline of 30 or more, {OUTSIDE}",
                f"2 of 3 patients have a baseline {NOT_ITP}",
            ],
        ),
    ],
)
def test_the_summary_counts_baselines_outside_the_entry(counts, notes, tmp_path):
    path = tmp_path / "visits.csv"
    rows = [
        {"patient_id": f"P{one}", "day": 0, "platelets": count, "rescue": "", "rescue_end": ""}
        for one, count in enumerate(counts)
    ]
    pl.DataFrame(rows, strict=False).write_csv(path)
    patients = [{"patient_id": "P0", "treatment_discontinued": ""}]

    summary = itp_response.classify(path, patients).summary()

    assert [line.removeprefix("warning: ") for line in summary.splitlines() if "baseline of" in line] == notes
    assert classify_to(tmp_path / "out.csv", path, patients).summary() == summary


@pytest.mark.parametrize("name", shipped())
def test_the_entry_of_a_set_is_that_of_its_endpoint(name):
    """A set that has an endpoint on entry, too, admits the same counts by both."""
    for criteria in (load(name), *(load(name).under(id_) for id_ in OTHER_ENTRY.get(name, ()))):
        _is_that_of_its_endpoint(criteria)


OTHER_ENTRY = {
    "dexamethasone_rituximab_2013": ["bleeding-of-grade-2"],
    "iwg_2009": ["entry-below-50"],
    "petit": ["entry-at-30"],
    "ritp": ["entry-up-to-50"],
}
ENTRY_IN_RESPONSE = {"stopago", "vayhit1"}
"""Patients enter in a response to an earlier treatment: no limit that a baseline must be below."""


def _is_that_of_its_endpoint(criteria):
    entry = [key for key, model in criteria.endpoints.items() if model.role == "entry"]
    states_a_limit = bool(entry) and criteria.name not in ENTRY_IN_RESPONSE
    assert (criteria.eligibility is not None) == states_a_limit or criteria.name == "atra_2022"
    for endpoint in entry if states_a_limit else ():
        for count in (29.9, 30, 30.1, 35, 49.9, 50, 50.1):
            rows = visits((-2, count), (-1, count), (0, count), rescue="")
            classification = itp_response.classify(rows, [{"patient_id": "A"}], criteria)
            verdict = classification.verdicts[endpoint]
            is_outside = any("outside the entry" in text for text in said(classification.cohort))
            assert (verdict.labels[verdict.value[0]] == "N") == is_outside, count


@pytest.mark.parametrize("kind", ["compare", "classify", "classification", "sensitivity"])
def test_a_cohort_that_was_read_without_a_column_of_the_set(kind):
    cohort = itp_response.read(visits((0, 15), rescue=""))
    calls = {
        "compare": lambda: itp_response.compare(cohort, criteria=["atra_2022", "iwg_2009"]),
        "classify": lambda: itp_response.classify(cohort, criteria="iwg_2009"),
        "classification": lambda: itp_response.classify(itp_response.classify(cohort), criteria="iwg_2009"),
        "sensitivity": lambda: itp_response.sensitivity(cohort, criteria="iwg_2009"),
    }

    with pytest.raises(CohortError) as refused:
        calls[kind]()

    assert str(refused.value) == (
        "the criteria set iwg_2009 needs the column 'corticosteroid_dependence' of the patient table, and the Cohort "
        "was read without it; give the tables in its place, or read it with "
        "columns=criteria('iwg_2009').file.columns."
    )
    columns = itp_response.criteria("iwg_2009").file.columns
    cohort = itp_response.read(visits((0, 15), rescue=""), columns=columns)
    calls[kind]()
