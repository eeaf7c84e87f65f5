"""Coded studies: what codes and units mean is told; what is not told is refused, or counted in a note."""

import contextlib
import json
import sys

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from coded_study import SCALE, bundle, condition, observation, patient, quantity, treatment
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import itp_response
from itp_response import CohortError, ReadOptions, classify, classify_to, read, review
from itp_response.cli import main
from itp_response.messages.errors import ItpResponseError, UsageError

LOINC = "http://loinc.org"
AUTOMATED, ANY_METHOD = f"{LOINC}|777-3", f"{LOINC}|26515-7"
NO_EVENTS = "[rescue]\n[bleeding]\n"
KNOWN = "known: 10^9/L, G/L, 10^3/uL, K/uL, 10^4/uL, lakh/mm3, /uL, and similar."


def count(date="2019-05-01", text="15", unit="10*3/uL", name="P1", code=AUTOMATED, **more):
    return observation(name, date, code, quantity(text, unit), **more)


def lines(folder, *resources):
    path = folder / "study.ndjson"
    path.write_text("".join(json.dumps(one) + "\n" for one in resources))
    return path


def fhir(folder, *resources, told=NO_EVENTS):
    """The cohort of resources, with what was told of their codes."""
    (folder / "codes.toml").write_text(told)
    return read(*itp_response.mapped(lines(folder, *resources), folder / "codes.toml"))


def refused(folder, *resources, told=NO_EVENTS):
    with pytest.raises(CohortError) as error:
        fhir(folder, *resources, told=told)
    return str(error.value)


def texts(cohort):
    return [note.text for note in cohort.notes]


def counts(cohort):
    return [(day.item(), low.item()) for day, low in zip(cohort.day, cohort.platelets.low, strict=True)]


class TestCounts:
    @pytest.mark.parametrize(
        ("resource", "low"),
        [
            (count(),                                                                                                    15.0),
            (count(code=ANY_METHOD),                                                                                     15.0),
            (count(text="15000", unit="/uL"),                                                                            15.0),
            (count(text="15", unit="10*9/L"),                                                                            15.0),
            (count(text="1.5", unit="10*4/uL"),                                                                          15.0),
            (observation("P1", "2019-05-01", AUTOMATED, {"valueQuantity": {"value": 15, "unit": "K/uL"}}),               15.0),
            (count(text="<10"),                                                                                           0.0),
            (count(status="amended"),                                                                                    15.0),
            (observation("P1", "2019-05-01", f"{LOINC}|58410-2", {}, component=[{"code": {"coding": [{"system": LOINC, "code": "777-3"}]}, **quantity("15")}]), 15.0),
            (count() | {"code": {"coding": [{"system": "urn:own", "code": "PLT"}, {"system": LOINC, "code": "777-3"}]}},  15.0),
            (count() | {"subject": {"reference": "https://example.org/fhir/Patient/P1"}},                                15.0),
        ],
    )  # fmt: skip
    def test_are_known_by_loinc_and_in_10_9_per_litre(self, resource, low, tmp_path):
        cohort = fhir(tmp_path, resource)

        assert (cohort.id.to_list(), counts(cohort)) == (["P1"], [(0, low)])

    @pytest.mark.parametrize(
        ("resource", "message"),
        [
            (count(unit="g/L"),                                    f"study.ndjson: line 1: valueQuantity.code: 'g/L' is not a unit of platelet counts; {KNOWN}"),
            (observation("P1", "2019-05-01", AUTOMATED, {"valueQuantity": {"value": 15}}), "study.ndjson: line 1: valueQuantity.code: the unit of the count is missing; fill it in, or say --unit."),
            (observation("P1", "2019-05-01", AUTOMATED, {"valueString": "many"}), "study.ndjson: line 1: value: 'many' is not a number; give 10⁹/L, a bound such as '<10', or leave the cell empty."),
            (count() | {"valueQuantity": {"value": 15, "unit": "/uL", "system": "http://unitsofmeasure.org", "code": "10*3/uL"}}, "study.ndjson: line 1: valueQuantity: the code says '10*3/uL', but the unit '/uL'; specify one unit."),
            (count(statuss="final"),                               "study.ndjson: line 1: Observation.statuss: Extra inputs are not permitted."),
            (count() | {"subject": {"display": "Mr X"}},           "study.ndjson: line 1: the patient is not known; it needs a subject that refers to one, as 'Patient/1'."),
            (count(code=f"{LOINC}|718-7"),                         "study.ndjson: no result is a platelet count (http://loinc.org|26515-7, http://loinc.org|777-3); there are: 'http://loinc.org|718-7' (1)."),
        ],
    )  # fmt: skip
    def test_that_cannot_be_read_are_refused(self, resource, message, tmp_path):
        assert message in refused(tmp_path, resource).splitlines()

    @pytest.mark.parametrize("odd", [{}, [None], {"a": {}}])
    @pytest.mark.parametrize("key", ["effectiveDateTime", "valueString", "status", "id"])
    def test_an_object_in_place_of_a_value_is_refused(self, key, odd, tmp_path):
        assert refused(tmp_path, count(), count(date="2019-05-22") | {key: odd}).startswith("study.ndjson: line 2: ")

    def test_of_other_codes_and_statuses_are_counted_in_notes(self, tmp_path):
        cohort = fhir(
            tmp_path,
            count(),
            *[count("2019-05-08", "9", status=status) for status in ("entered-in-error", "cancelled", "cancelled")],
            *[count(code=f"{LOINC}|718-7", unit="g/dL", text=text) for text in ("9", "10")],
            count(code="urn:own|777-3", text="11"),
        )

        assert counts(cohort) == [(0, 15)]
        assert texts(cohort)[:3] == [
            "3 results not used, as none of their codes is one of platelet counts or bleeding: "
            "'http://loinc.org|718-7' (2), 'urn:own|777-3' (1).",
            "1 Observation with the status 'entered-in-error' not used.",
            "2 Observation with the status 'cancelled' not used.",
        ]

    def test_of_a_code_of_ones_own(self, tmp_path):
        cohort = fhir(tmp_path, count(code="urn:own|PLT"), told='platelets = ["urn:own|PLT"]\n' + NO_EVENTS)

        assert counts(cohort) == [(0, 15)]


class TestEvents:
    GIVEN = (
        treatment("P1", "IVIG", "2019-05-01", "2019-05-02"),
        treatment("P1", "IVIG", "2019-05-01", kind="MedicationStatement"),
        treatment("P1", "PPI", "2019-05-01"),
    )

    def test_treatments_of_which_nothing_was_told_are_refused(self, tmp_path):
        assert refused(tmp_path, count(), *self.GIVEN, told="[bleeding]\n") == (
            "study.ndjson: 3 treatments, and nothing says which are rescue: 'http://example.org/drugs|IVIG' (2), "
            "'http://example.org/drugs|PPI' (1); say it in a mapping: [rescue], each code with its name; "
            "an empty [rescue] says that none is."
        )

    def test_conditions_of_which_nothing_was_told_are_refused(self, tmp_path):
        assert refused(tmp_path, count(), condition("P1", "249366005", "2019-05-01"), told="[rescue]\n") == (
            "study.ndjson: 1 condition, and nothing says which are bleeding: 'http://snomed.info/sct|249366005' (1); "
            "say it in a mapping: [bleeding], each code with its grade; an empty [bleeding] says that none is."
        )

    @pytest.mark.parametrize("code", ["IVIG", "http://example.org/drugs|IVIG"])
    def test_rescue_is_told(self, code, tmp_path):
        cohort = fhir(tmp_path, count(), count("2019-05-08"), *self.GIVEN, told=f'[rescue]\n"{code}" = "IVIg"\n')

        assert cohort.rescue.tolist() == [True, False]
        assert cohort.courses.last.tolist() == [1, 0]
        text = "1 treatment not used, as none of their codes is one of rescue: 'http://example.org/drugs|PPI' (1)."
        assert text in texts(cohort)

    @pytest.mark.parametrize("status", ["not-done", "entered-in-error", "unknown"])
    def test_what_was_not_given_is_no_rescue(self, status, tmp_path):
        given = treatment("P1", "IVIG", "2019-05-01", status=status)
        cohort = fhir(tmp_path, count(), given, told='[rescue]\nIVIG = "IVIg"\n')

        assert cohort.rescue.tolist() == [False]
        assert f"1 MedicationAdministration with the status '{status}' not used." in texts(cohort)

    def test_a_medication_may_stand_in_a_resource_of_its_own(self, tmp_path):
        drug = {"resourceType": "Medication", "id": "m1", "code": {"coding": [{"code": "IVIG"}]}}
        given = treatment("P1", "x", "2019-05-01")
        del given["medicationCodeableConcept"]
        given["medicationReference"] = {"reference": "Medication/m1"}

        assert fhir(tmp_path, count(), drug, given, told='[rescue]\nIVIG = "IVIg"\n').rescue.tolist() == [True]

    @pytest.mark.parametrize(
        ("end", "more", "grades"),
        [
            (None,         {},                                                                 [0, 2, 0, 0]),
            ("2019-05-08", {},                                                                 [0, 2, 2, 0]),
            ("2019-05-22", {},                                                                 [0, 2, 2, 2]),
            ("2019-05-22", {"verificationStatus": {"coding": [{"code": "confirmed"}]}},        [0, 2, 2, 2]),
            ("2019-05-22", {"verificationStatus": {"coding": [{"code": "refuted"}]}},          [0, 0, 0]),
        ],
    )  # fmt: skip
    def test_a_condition_is_bleeding_up_to_its_end(self, end, more, grades, tmp_path):
        days = [count(date) for date in ("2019-05-01", "2019-05-08", "2019-05-15")]
        bleeding = condition("P1", "249366005", "2019-05-03", end, **more)
        cohort = fhir(tmp_path, *days, bleeding, told='[rescue]\n[bleeding]\n"249366005" = 2\n')

        assert cohort.bleeding_grade.tolist() == grades

    def test_an_observation_may_have_the_grade_itself(self, tmp_path):
        graded = [
            observation("P1", date, SCALE, {"valueInteger": grade})
            for date, grade in (("2019-05-01", 3), ("2019-05-08", 0))
        ]
        cohort = fhir(tmp_path, count(), *graded, told=f'[bleeding]\n"{SCALE}" = "value"\n')

        assert cohort.bleeding_grade.tolist() == [3, 0]

    def test_a_grade_that_is_none_is_refused(self, tmp_path):
        assert refused(tmp_path, count(), told='[bleeding]\n"249366005" = 7\n') == (
            "codes.toml: line 2: [bleeding] 249366005: 7 is not a grade; give a WHO grade from 0 to 4, or 'value' where the record has the grade."
        )


class TestDays:
    """Of an event without a date or an end, nothing is taken that makes a verdict better."""

    COUNTS = (count("2019-05-01", "12"), count("2019-05-22", "60"), count("2019-05-29", "60"))
    ACTIVE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}  # noqa: RUF012
    TOLD = '[rescue]\nIVIG = "IVIg"\n[bleeding]\n249366005 = 2\n'

    def read(self, folder, event):
        cohort = fhir(folder, *self.COUNTS, event, told=self.TOLD)
        return cohort, dict(zip(cohort.day.tolist(), cohort.bleeding_grade.tolist(), strict=True))

    def test_a_condition_without_a_date_may_be_of_any_day(self, tmp_path):
        undated = condition("P1", "249366005", None)
        del undated["onsetDateTime"]
        cohort, _ = self.read(tmp_path, undated)
        assert cohort.partial.dates.written.to_list() == ["2019-04-30/2019-05-30"]
        assert any(text.startswith("1 event without a date, which may be of any day") for text in texts(cohort))
        assert classify(cohort).frame()["OR"].to_list() == ["NE"]

    def test_so_may_a_treatment_of_which_its_taker_says_no_date(self, tmp_path):
        undated = treatment("P1", "IVIG", "2019-05-20", kind="MedicationStatement")
        del undated["effectivePeriod"]
        cohort, _ = self.read(tmp_path, undated)
        assert cohort.partial.dates.written.to_list() == ["2019-04-30/2019-05-30"]
        assert "1 treatment without an end date, assumed to have lasted one day." in texts(cohort)

    def test_of_a_patient_without_a_count_it_is_left_out(self, tmp_path):
        undated = condition("P2", "249366005", None)
        del undated["onsetDateTime"]
        cohort, _ = self.read(tmp_path, undated)
        assert "1 event without a date left out, of patients without a count." in texts(cohort)

    def test_a_condition_that_is_active_goes_on(self, tmp_path):
        _, grades = self.read(tmp_path, condition("P1", "249366005", "2019-05-20", clinicalStatus=self.ACTIVE))
        assert (grades[0], grades[21], grades[28]) == (0, 2, 2)

    def test_a_treatment_that_is_active_goes_on(self, tmp_path):
        going = treatment("P1", "IVIG", "2019-05-20", kind="MedicationStatement", status="active")
        cohort, _ = self.read(tmp_path, going)
        assert cohort.courses.last.tolist() == [28]
        assert "1 treatment ongoing, assumed to have lasted until the last count." in texts(cohort)

    def test_with_a_date_in_part_it_is_not_known_where_it_may_have_been(self, tmp_path):
        _, grades = self.read(tmp_path, condition("P1", "249366005", "2019-05", "2019-05-25"))
        assert np.isnan(grades[21])
        assert grades[28] == 0

    def test_a_count_of_several_days_is_of_one_of_them(self, tmp_path):
        of_days = count("2019-06-03", "70") | {"effectivePeriod": {"start": "2019-06-03", "end": "2019-06-05"}}
        del of_days["effectiveDateTime"]
        cohort, _ = self.read(tmp_path, of_days)
        assert cohort.partial.dates.written.to_list() == ["2019-06-03/2019-06-05"]


def test_two_versions_of_a_resource_are_asked_about(tmp_path):
    one, other = (count(text=text) | {"id": "a"} for text in ("15", "16"))
    assert (
        refused(tmp_path, one, other)
        == "study.ndjson: line 2: Observation/a is there twice, and differs; keep its last version."
    )
    assert counts(fhir(tmp_path, one, one)) == [(0, 15)]


class TestPatients:
    def test_a_patient_without_a_count_is_kept(self, tmp_path):
        assert sorted(fhir(tmp_path, patient("P1"), patient("P2"), count()).id.to_list()) == ["P1", "P2"]

    def test_by_an_identifier(self, tmp_path):
        known = patient("P1") | {
            "identifier": [{"system": "urn:mrn", "value": "9"}, {"system": "urn:study", "value": "ITP-1"}]
        }
        told = 'patient_identifier = "urn:study"\n' + NO_EVENTS

        assert fhir(tmp_path, known, count(), told=told).id.to_list() == ["ITP-1"]
        assert refused(tmp_path, patient("P1"), count(), told=told).splitlines()[0] == (
            "study.ndjson: line 1: the patient has not one identifier of the system 'urn:study'."
        )

    def test_in_a_bundle_by_its_entry(self, tmp_path):
        content = bundle([patient("P1"), count()])
        content["entry"][0]["fullUrl"] = "urn:uuid:1"
        content["entry"][1]["resource"]["subject"]["reference"] = "urn:uuid:1"
        (tmp_path / "study.json").write_text(json.dumps(content))
        cohort = read(tmp_path / "study.json")

        assert (cohort.id.to_list(), cohort.row_word) == (["P1"], "row")
        assert cohort.origin.sequence.tolist() == [2]


def test_without_the_library(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fhir.resources.R4B", None)
    with pytest.raises(UsageError, match=r"install it by\n    .*\[fhir\]"):
        read(lines(tmp_path, count()))


# OMOP

MEASUREMENT = "person_id,measurement_concept_id,measurement_date,operator_concept_id,value_as_number,unit_concept_id,unit_source_value"


def omop(folder, *measurements, told=NO_EVENTS, head=MEASUREMENT, **tables):
    """The folder of the tables, with what was told of their concepts."""
    (folder / "omop").mkdir(exist_ok=True)
    written = {"person": "person_id\n1\n2\n", "measurement": "\n".join([head, *measurements]) + "\n", **tables}
    for name, text in written.items():
        (folder / "omop" / f"{name}.csv").write_text(text)
    (folder / "codes.toml").write_text(told)
    return itp_response.mapped(folder / "omop", folder / "codes.toml")


class TestOmop:
    @pytest.mark.parametrize(
        ("line", "low", "high"),
        [
            ("1,3024929,2019-05-01,,15,8848,",           15, 15),
            ("1,3007461,2019-05-01,0,15,9444,",          15, 15),
            ("1,3024929,2019-05-01,4172703,15000,8647,", 15, 15),
            ("1,3024929,2019-05-01,,15,0,10*3/uL",       15, 15),
            ("1,3024929,2019-05-01,,15,,K/uL",           15, 15),
            ("1,3024929,2019-05-01,4171755,15,8848,",    15, float("inf")),
            ("1,3024929,2019-05-01,4171754,15,8848,",     0, 15),
            ("1,3024929,2019-05-01,,,8848,,<=10",         0, 10),
        ],
    )  # fmt: skip
    def test_counts(self, line, low, high, tmp_path):
        head = f"{MEASUREMENT},value_source_value" if line.count(",") > 6 else MEASUREMENT
        cohort = read(*omop(tmp_path, line, head=head))

        assert (cohort.platelets.low.tolist(), cohort.platelets.high.tolist()) == ([low], [high])
        assert sorted(cohort.id.to_list()) == ["1", "2"]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("1,3024929,2019-05-01,,15,8713,",   f"measurement.csv: line 2: unit_concept_id: '8713' is not a unit of platelet counts; {KNOWN}"),
            ("1,3024929,2019-05-01,,15,0,",      "measurement.csv: line 2: unit_concept_id: the unit of the count is missing; fill it in, or say --unit."),
            ("1,3024929,2019-05-01,99,15,8848,", "measurement.csv: line 2: operator_concept_id: '99' is not a sign; known: 4172703 (=), 4171756 (<), 4172704 (>), 4171754 (<=), 4171755 (>=)."),
            ("1,3024929,1.5.2019,,15,8848,",     "measurement.csv: line 2: measurement_date: '1.5.2019' is not ISO 8601; write YYYY-MM-DD, or say how dates are written: --date-format dmy or mdy."),
            ("1,3000963,2019-05-01,,15,8848,",   "omop: no result is a platelet count (3007461, 3024929); there are: '3000963' (1)."),
        ],
    )  # fmt: skip
    def test_what_cannot_be_read_is_refused(self, line, message, tmp_path):
        with pytest.raises(CohortError) as error:
            read(*omop(tmp_path, line))

        assert str(error.value).startswith(message.removesuffix("."))

    def test_a_missing_column_is_named(self, tmp_path):
        with pytest.raises(CohortError) as error:
            read(*omop(tmp_path, "1,2019-05-01", head="person_id,measurement_date"))

        assert str(error.value) == (
            "measurement.csv: the column 'measurement_concept_id' is missing; there are: person_id, measurement_date."
        )

    def test_rescue_and_bleeding_are_told(self, tmp_path):
        tables = {
            "drug_exposure": "person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_end_date\n1,19,2019-05-01,2019-05-02\n1,20,2019-05-08,\n",
            "condition_occurrence": "person_id,condition_concept_id,condition_start_date,condition_end_date\n1,77,2019-05-07,2019-05-08\n",
        }
        lines_of = ("1,3024929,2019-05-01,,15,8848,", "1,3024929,2019-05-08,,15,8848,")
        with pytest.raises(
            CohortError, match=r"2 treatments, and nothing says which are rescue: '19' \(1\), '20' \(1\)"
        ):
            read(*omop(tmp_path, *lines_of, told="", **tables))
        cohort = read(*omop(tmp_path, *lines_of, told='[rescue]\n19 = "IVIg"\n[bleeding]\n77 = 2\n', **tables))

        assert (cohort.rescue.tolist(), cohort.bleeding_grade.tolist()) == ([True, False, False], [0, 2, 2])

    def test_commands_take_a_mapping_and_patients(self, tmp_path):
        study, _ = omop(tmp_path, "1,3024929,2019-05-01,,15,8848,")
        (tmp_path / "patients.csv").write_text("patient_id,arm\n1,A\n2,B\n")
        words = [
            "classify",
            tmp_path / "omop",
            "--mapping",
            tmp_path / "codes.toml",
            "--patients",
            tmp_path / "patients.csv",
        ]
        result = CliRunner().invoke(main, list(map(str, words)), catch_exceptions=False)

        assert result.exit_code == 0
        frame = classify(study, tmp_path / "patients.csv").frame()
        assert frame["arm"].to_list() == ["A", "B"]
        assert frame["patient_id"].to_list() == ["1", "2"]

    def test_without_a_mapping_it_is_known_all_the_same(self, tmp_path):
        omop(tmp_path, "1,3024929,2019-05-01,,15,8848,", "1,3024929,2019-05-29,,60,8848,")
        classify_to(tmp_path / "verdicts.csv", tmp_path / "omop")

        written = pl.read_csv(tmp_path / "verdicts.csv", infer_schema=False, comment_prefix="#")
        assert written["patient_id"].to_list() == classify(tmp_path / "omop").frame()["patient_id"].to_list()
        assert review(tmp_path / "omop") is not None


ANYTHING = st.sampled_from(
    [None, True, 0, -1.5, "", "x", "2019-13", [], [1], ["x"], [{}], {}, {"x": 1}, {"coding": "x"}]
)
RESOURCES = (
    patient("P1"),
    count(),
    treatment("P1", "IVIG", "2019-05-01", "2019-05-02"),
    condition("P1", "249366005", "2019-05-01", "2019-05-02"),
)
WHOLE = '[rescue]\nIVIG = "IVIg"\n[bleeding]\n249366005 = 2\n'


def paths(value, path=()):
    """The paths to all that is in a JSON value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(one for key, child in children for one in paths(child, (*path, key)))]


def with_other(value, path, other):
    """The JSON value with another at this path."""
    if not path:
        return other
    key, *rest = path
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[key] = with_other(value[key], rest, other)
    return changed


@settings(max_examples=settings.default.max_examples * 3 // 2)
@given(data=st.data())
def test_whatever_stands_in_a_resource_is_read_or_refused_in_words(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fhir")
    content = bundle(RESOURCES)
    path = data.draw(st.sampled_from(paths(content)[1:]))
    content = with_other(content, path, data.draw(ANYTHING))
    (folder / "codes.toml").write_text(WHOLE)
    (folder / "study.json").write_text(json.dumps(content))

    with contextlib.suppress(ItpResponseError):
        read(*itp_response.mapped(folder / "study.json", folder / "codes.toml"))


def test_rows_that_cannot_be_read_may_be_left_out(tmp_path):
    (tmp_path / "codes.toml").write_text(NO_EVENTS)
    study, _ = itp_response.mapped(lines(tmp_path, count(), count("2019-05-08", unit="g/L")), tmp_path / "codes.toml")
    cohort = read(study, options=ReadOptions(on_error="quarantine"))

    # The day of the count stands, and the count may have been anything.
    np.testing.assert_array_equal(counts(cohort), [(0, 15), (7, np.nan)])
    assert cohort.left_out is not None
    assert cohort.quarantine.rows()[0][:4] == ("study.ndjson", 2, "valueQuantity.code", "g/L")
    assert cohort.quarantine["left_out"].to_list() == ["cell"]


def lines_used(cohort):
    """The lines of the file of the observations."""
    return {int(cohort.origin.named(line).rpartition(" ")[2]) for line in cohort.lines.tolist()}


BAD_COUNT = count() | {"subject": {"display": "Mr X"}}
RESOURCES_BY_FATE = {
    "used": (
        count(),
        count("2019-05-22", "<10"),
        count("2019-05-22", name="P2"),
        condition("P1", "249366005", "2019-05-03"),
    ),
    "used in part": (count(unit="g/L"), count("2019-05-22", "60", unit="mg/dL")),
    "left out": (BAD_COUNT, count(statuss="final"), count("01/05/2019"), count() | {"effectiveDateTime": 7}),
    "counted": (count(status="preliminary"), count(code=f"{LOINC}|718-7"), treatment("P1", "PPI", "2019-05-02")),
}
FATES = st.sampled_from([(fate, one) for fate, resources in RESOURCES_BY_FATE.items() for one in resources])


@settings(max_examples=15, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(drawn=st.lists(FATES, max_size=6))
def test_each_resource_is_used_or_reported_or_counted_as_not_taken(drawn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fhir")
    (folder / "codes.toml").write_text(WHOLE)
    path = lines(folder, count(), *(one for _, one in drawn))
    cohort = read(*itp_response.mapped(path, folder / "codes.toml"), options=ReadOptions(on_error="quarantine"))
    fates = ["used", *(fate for fate, _ in drawn)]
    by_fate = {fate: {line for line, own in enumerate(fates, 1) if own == fate} for fate in RESOURCES_BY_FATE}
    whole, cells = (set(cohort.quarantine.filter(left_out=what)["line"]) for what in ("row", "cell"))

    assert lines_used(cohort) == by_fate["used"] | by_fate["used in part"]
    assert (whole, cells) == (by_fate["left out"], by_fate["used in part"])
    noted = [text for text in texts(cohort) if " not used" in text]
    assert sum(int(text.split()[0]) for text in noted) == len(by_fate["counted"])


OPERATORS = st.sampled_from(["", "4171756", "99"])
MEASURED = st.tuples(
    st.sampled_from("12"), st.sampled_from(["3024929", "3000963"]), st.sampled_from(["2019-05-01", "soon"]), OPERATORS
)


@settings(max_examples=15, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(drawn=st.lists(MEASURED, max_size=6))
def test_each_measurement_is_used_or_reported_or_counted_as_not_taken(drawn, tmp_path_factory):
    rows = [("1", "3024929", "2019-05-01", ""), *drawn]
    tables = omop(tmp_path_factory.mktemp("omop"), *(f"{','.join(row)},15,8848," for row in rows))
    cohort = read(*tables, options=ReadOptions(on_error="quarantine"))
    counted = sum(code == "3000963" for _, code, _, _ in rows)
    left_out = set(cohort.quarantine["line"])
    good = {line for line, row in enumerate(rows, 2) if row[1] == "3024929" and row[2] != "soon" and row[3] != "99"}

    assert lines_used(cohort) - left_out == good
    assert len(rows) == len(good) + len(left_out) + counted
    noted = [int(text.split()[0]) for text in texts(cohort) if " not used, as none" in text]
    assert sum(noted) == counted


def test_an_observation_is_known_by_its_line(tmp_path):
    days = [count(date, text) for date, text in (("2019-05-01", "15"), ("2019-05-29", "60"), ("2019-06-05", "70"))]
    (found,) = itp_response.explain(lines(tmp_path, *days), patient="P1", endpoint="OR")

    assert [row.source for row in found.rows][-1] == "study.ndjson line 3"
