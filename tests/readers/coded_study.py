"""The invented study as FHIR resources and as OMOP tables."""

import json

import polars as pl

UCUM = "http://unitsofmeasure.org"
SCALE = "http://example.org/scales|who-bleeding"
CONCEPTS = {"platelets": 3024929, "haemoglobin": 3000963, "unit": 8848, "bleeding": 2000000001, "rescue": 2100000000}
OPERATORS = {"<": "4171756", ">": "4172704"}


def patient(name):
    return {"resourceType": "Patient", "id": name}


def observation(name, date, code, value, **more):
    """An observation of a patient; the code is `system|code`."""
    system, code = code.split("|")
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": {"reference": f"Patient/{name}"},
        "effectiveDateTime": date,
        **value,
        **more,
    }


def quantity(text, unit="10*3/uL"):
    """A quantity as a laboratory sends it; `<10` with a comparator."""
    sign = text[0] if text[0] in "<>" else None
    value = {"value": float(text.lstrip("<>")), "unit": unit, "system": UCUM, "code": unit}
    return {"valueQuantity": value | ({"comparator": sign} if sign else {})}


def treatment(name, drug, start, end=None, kind="MedicationAdministration", **more):
    period = {"start": start} | ({"end": end} if end else {})
    return {
        "resourceType": kind,
        "status": "completed",
        "medicationCodeableConcept": {"coding": [{"system": "http://example.org/drugs", "code": drug}]},
        "subject": {"reference": f"Patient/{name}"},
        "effectivePeriod": period,
        **more,
    }


def condition(name, code, start, end=None, **more):
    return {
        "resourceType": "Condition",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": code}]},
        "subject": {"reference": f"Patient/{name}"},
        "onsetDateTime": start,
        **({"abatementDateTime": end} if end else {}),
        **more,
    }


def resources(visits, patients):
    """The resources of a study, each patient before what was observed of it."""
    for name in patients["patient_id"]:
        yield patient(name)
    for row in visits.iter_rows(named=True):
        name, date = row["patient_id"], row["date"]
        if row["platelets"]:
            yield observation(name, f"{date}T08:15:00+02:00", "http://loinc.org|777-3", quantity(row["platelets"]))
        yield observation(name, date, "http://loinc.org|718-7", quantity("9.5", "g/dL"))
        if row["bleeding_grade"]:
            yield observation(name, date, SCALE, {"valueInteger": int(row["bleeding_grade"])})
        if row["rescue"]:
            yield treatment(name, row["rescue"], date, row["rescue_end"])


def fhir_mapping(visits):
    drugs = visits["rescue"].drop_nulls().unique().sort()
    rescue = "\n".join(f"{json.dumps(drug)} = {json.dumps(drug)}" for drug in drugs)
    return f'[rescue]\n{rescue}\n[bleeding]\n"{SCALE}" = "value"\n'


def bundle(content):
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in content]}


def omop(visits, patients):
    """The tables of a study; persons have numbers, and the study's ids are their source values."""
    persons = patients.select(
        person_id=pl.int_range(1, pl.len() + 1), year_of_birth=pl.lit(1970), person_source_value="patient_id"
    )
    visits = visits.join(persons, left_on="patient_id", right_on="person_source_value", maintain_order="left")
    counts = visits.filter(pl.col("platelets").is_not_null()).select(
        "person_id",
        measurement_concept_id=pl.lit(CONCEPTS["platelets"]),
        measurement_date="date",
        operator_concept_id=pl.col("platelets").str.extract("^([<>])").replace(OPERATORS).cast(pl.Int64),
        value_as_number=pl.col("platelets").str.strip_chars("<>").cast(pl.Float64),
        unit_concept_id=pl.lit(CONCEPTS["unit"]),
    )
    others = counts.with_columns(measurement_concept_id=pl.lit(CONCEPTS["haemoglobin"]), unit_concept_id=pl.lit(8713))
    return {
        "person": persons,
        "measurement": pl.concat([counts, others]),
        "observation": visits.filter(pl.col("bleeding_grade").is_not_null()).select(
            "person_id",
            observation_concept_id=pl.lit(CONCEPTS["bleeding"]),
            observation_date="date",
            value_as_number=pl.col("bleeding_grade").cast(pl.Float64),
        ),
        "drug_exposure": visits.filter(pl.col("rescue").is_not_null()).select(
            "person_id",
            drug_concept_id=pl.col("rescue").rank("dense").cast(pl.Int64) + CONCEPTS["rescue"],
            drug_exposure_start_date="date",
            drug_exposure_end_date="rescue_end",
            drug_source_value="rescue",
        ),
    }


def omop_mapping(tables):
    drugs = tables["drug_exposure"].select("drug_concept_id", "drug_source_value").unique().sort("drug_concept_id")
    rescue = "\n".join(f"{concept} = {json.dumps(drug)}" for concept, drug in drugs.iter_rows())
    return f'patient_identifier = "person_source_value"\n[rescue]\n{rescue}\n[bleeding]\n{CONCEPTS["bleeding"]} = "value"\n'
