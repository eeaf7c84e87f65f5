"""Write four invented patients of the example study as other systems export them, into ways_in/ beside this script.

A workbook, a wide spreadsheet, a REDCap export, SDTM, FHIR and OMOP hold the same patients, so that each of them gives
the same results. The same files come out every time.

    python examples/make_ways_in.py
"""

import csv
import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import xlsxwriter

FOLDER = Path(__file__).parent
WAYS_IN = FOLDER / "ways_in"
PATIENTS = ("ITP-0001", "ITP-0003", "ITP-0004", "ITP-0007")
WIDE_WEEKS = (0, 1, 2, 3, 4, 6, 8)
UNIT = "10*3/uL"

Row = dict[str, str]


def rows(name: str) -> list[Row]:
    """The rows of the four patients in a file of the example study."""
    with (FOLDER / name).open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["patient_id"] in PATIENTS]


def written(path: Path, table: list[Row]) -> None:
    """The table as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


def sheet(book: xlsxwriter.Workbook, name: str, title: str, table: list[list[object]]) -> None:
    """A sheet with a title, an empty row, and a table; dates are cells of that kind."""
    day = book.add_format({"num_format": "dd.mm.yyyy"})
    page = book.add_worksheet(name)
    page.write(0, 0, title)
    for number, cells in enumerate(table, 2):
        for column, cell in enumerate(cells):
            if isinstance(cell, date):
                page.write_datetime(number, column, datetime(cell.year, cell.month, cell.day), day)
            else:
                page.write(number, column, cell)


def number_or_text(text: str) -> object:
    """A number where the text is one."""
    return int(text) if text.isdigit() else text


def day_or_nothing(text: str) -> object:
    """A date, or an empty cell."""
    return date.fromisoformat(text) if text else ""


def workbook(path: Path, visits: list[Row], patients: list[Row]) -> None:
    """A workbook with a sheet of visits and one of patients."""
    visit_rows: list[list[object]] = [
        ["Patient ID", "Visit date", "PLT (10^9/L)", "WHO bleeding", "Rescue", "Rescue end"]
    ]
    visit_rows += [
        [
            *(row["patient_id"], date.fromisoformat(row["date"])),
            *(number_or_text(row["platelets"]), number_or_text(row["bleeding_grade"])),
            *(row["rescue"], day_or_nothing(row["rescue_end"])),
        ]
        for row in visits
    ]
    patient_rows: list[list[object]] = [["Patient ID", "Treatment group", "Date of enrolment"]]
    patient_rows += [[row["patient_id"], row["arm"], date.fromisoformat(row["enrolment_date"])] for row in patients]
    with xlsxwriter.Workbook(path) as book:
        book.set_properties({"created": datetime(1970, 1, 1)})
        sheet(book, "Visits", "Invented platelet counts", visit_rows)
        sheet(book, "Patients", "Invented patients", patient_rows)


def wide(path: Path, visits: list[Row], patients: list[Row]) -> None:
    """A spreadsheet with a row per patient and columns for each visit, of the first eight weeks."""
    by_visit = {(row["patient_id"], row["visit"]): row for row in visits}
    names = {week: f"Week {week}" if week else "Baseline" for week in WIDE_WEEKS}
    table = []
    for patient in patients:
        row = {"Subject": patient["patient_id"], "Arm": patient["arm"], "Randomised on": patient["enrolment_date"]}
        for name in names.values():
            visit = by_visit[patient["patient_id"], name]
            row |= {f"PLT {name}": visit["platelets"], f"WHO bleeding {name}": visit["bleeding_grade"]}
        table.append(row)
    written(path, table)


def redcap(path: Path, visits: list[Row], patients: list[Row]) -> None:
    """A REDCap export: a row per event, and one per instance of the repeating instruments."""
    arms = {"ATRA + LD-RTX": "1", "LD-RTX": "2"}
    columns = [
        *("record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance", "arm", "enrolled_on"),
        *("visit_date", "plt", "who_grade", "rescue_date", "rescue_drug", "rescue_stop"),
    ]
    empty = dict.fromkeys(columns, "")
    table = []
    for patient in patients:
        own = [row for row in visits if row["patient_id"] == patient["patient_id"]]
        record = {**empty, "record_id": patient["patient_id"]}
        entry = {"arm": arms[patient["arm"]], "enrolled_on": patient["enrolment_date"]}
        table.append({**record, "redcap_event_name": "enrolment_arm_1", **entry})
        instances = {"visit": 0, "rescue": 0}
        for row in own:
            for instrument, values in (
                ("visit", {"plt": row["platelets"], "who_grade": row["bleeding_grade"]}),
                ("rescue", {"rescue_drug": row["rescue"], "rescue_stop": row["rescue_end"]}),
            ):
                if any(values.values()):
                    instances[instrument] += 1
                    repeat = {
                        "redcap_repeat_instrument": instrument,
                        "redcap_repeat_instance": str(instances[instrument]),
                        f"{instrument}_date": row["date"],
                    }
                    table.append({**record, "redcap_event_name": "treatment_arm_1", **repeat, **values})
    written(path, table)


def sdtm(folder: Path, visits: list[Row], patients: list[Row]) -> None:
    """The domains DM, LB, FA and CM as CSV."""
    study = {"STUDYID": "INVENTED"}
    counts = [row for row in visits if row["platelets"]]
    grades = [row for row in visits if row["bleeding_grade"]]
    courses = [row for row in visits if row["rescue"]]
    written(
        folder / "dm.csv",
        [
            {**study, "DOMAIN": "DM", "USUBJID": row["patient_id"], "ARM": row["arm"], "ACTARM": row["arm"]}
            | {"RFSTDTC": row["enrolment_date"]}
            for row in patients
        ],
    )
    written(
        folder / "lb.csv",
        [
            {**study, "DOMAIN": "LB", "USUBJID": row["patient_id"], "LBSEQ": str(number), "LBTESTCD": "PLAT"}
            | {"LBORRES": row["platelets"], "LBORRESU": "10^9/L", "LBDTC": row["date"]}
            for number, row in enumerate(counts, 1)
        ],
    )
    written(
        folder / "fa.csv",
        [
            {**study, "DOMAIN": "FA", "USUBJID": row["patient_id"], "FASEQ": str(number), "FATESTCD": "WHOBLEED"}
            | {"FAOBJ": "BLEEDING", "FAORRES": row["bleeding_grade"], "FADTC": row["date"]}
            for number, row in enumerate(grades, 1)
        ],
    )
    written(
        folder / "cm.csv",
        [
            {**study, "DOMAIN": "CM", "USUBJID": row["patient_id"], "CMSEQ": str(number), "CMTRT": row["rescue"]}
            | {"CMCAT": "RESCUE TREATMENT", "CMSTDTC": row["date"], "CMENDTC": row["rescue_end"]}
            for number, row in enumerate(courses, 1)
        ],
    )


def resources(visits: list[Row], patients: list[Row]) -> Iterator[tuple[str, dict[str, object]]]:
    """The FHIR resources of the patients, each with the name of its file."""
    for row in patients:
        yield "Patient", {"resourceType": "Patient", "id": row["patient_id"]}
    for row in visits:
        of = {"status": "final", "subject": {"reference": f"Patient/{row['patient_id']}"}}
        observed = {"resourceType": "Observation", **of, "effectiveDateTime": row["date"]}
        if row["platelets"]:
            value = {"value": int(row["platelets"]), "system": "http://unitsofmeasure.org", "code": UNIT}
            code = {"coding": [{"system": "http://loinc.org", "code": "777-3"}]}
            yield "Observation", {**observed, "code": code, "valueQuantity": value}
        if row["bleeding_grade"]:
            code = {"coding": [{"system": "http://hospital.example/scales", "code": "who-bleeding"}]}
            yield "Observation", {**observed, "code": code, "valueInteger": int(row["bleeding_grade"])}
        if row["rescue"]:
            code = {"coding": [{"system": "http://hospital.example/drugs", "code": row["rescue"][:4].upper()}]}
            given = {"resourceType": "MedicationAdministration", **of, "status": "completed"}
            period = {"start": row["date"], "end": row["rescue_end"] or row["date"]}
            yield "MedicationAdministration", {**given, "medicationCodeableConcept": code, "effectivePeriod": period}


def fhir(folder: Path, visits: list[Row], patients: list[Row]) -> None:
    """A bulk export: a file of resources by lines for each kind."""
    folder.mkdir(parents=True, exist_ok=True)
    by_file: dict[str, list[str]] = {}
    for name, resource in resources(visits, patients):
        by_file.setdefault(name, []).append(json.dumps(resource, separators=(",", ":")))
    for name, lines in by_file.items():
        (folder / f"{name}.ndjson").write_text("\n".join(lines) + "\n")


def omop(folder: Path, visits: list[Row], patients: list[Row]) -> None:
    """The tables `person`, `measurement`, `observation` and `drug_exposure` as CSV."""
    number = {row["patient_id"]: str(place) for place, row in enumerate(patients, 1)}
    written(
        folder / "person.csv",
        [{"person_id": number[one], "year_of_birth": "1970", "person_source_value": one} for one in PATIENTS],
    )
    written(
        folder / "measurement.csv",
        [
            {"person_id": number[row["patient_id"]], "measurement_concept_id": "3024929"}
            | {"measurement_date": row["date"], "value_as_number": row["platelets"], "unit_concept_id": "8848"}
            for row in visits
            if row["platelets"]
        ],
    )
    written(
        folder / "observation.csv",
        [
            {"person_id": number[row["patient_id"]], "observation_concept_id": "2000000001"}
            | {"observation_date": row["date"], "value_as_number": row["bleeding_grade"]}
            for row in visits
            if row["bleeding_grade"]
        ],
    )
    written(
        folder / "drug_exposure.csv",
        [
            {"person_id": number[row["patient_id"]], "drug_concept_id": "1518254"}
            | {"drug_exposure_start_date": row["date"], "drug_exposure_end_date": row["rescue_end"] or row["date"]}
            for row in visits
            if row["rescue"]
        ],
    )


def main() -> None:
    """Write every file."""
    WAYS_IN.mkdir(exist_ok=True)
    visits, patients = rows("visits.csv"), rows("patients.csv")
    workbook(WAYS_IN / "study.xlsx", visits, patients)
    wide(WAYS_IN / "wide.csv", visits, patients)
    redcap(WAYS_IN / "redcap.csv", visits, patients)
    sdtm(WAYS_IN / "sdtm", visits, patients)
    fhir(WAYS_IN / "fhir", visits, patients)
    omop(WAYS_IN / "omop", visits, patients)
    shown = ("patient_id", "arm", "enrolment_date")
    written(WAYS_IN / "patients.csv", [{name: row[name] for name in shown} for row in patients])


if __name__ == "__main__":
    main()
