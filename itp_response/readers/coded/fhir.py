"""FHIR: R4 resources, in a bundle, as NDJSON or in a folder of such files, as records with codes.

Observations are results, MedicationAdministration and MedicationStatement treatments. The resources that are taken are
checked by the models of fhir.resources; values are taken as written.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from pydantic import ValidationError

from itp_response.messages.errors import CohortError, some_of
from itp_response.messages.optional_imports import needed
from itp_response.readers.coded.records import COLUMNS, ONGOING, CodedRecords, WrongRecord
from itp_response.readers.coded.terms import KnownCodes
from itp_response.readers.json_text import JsonError, parsed_json
from itp_response.readers.problems import quoted
from itp_response.readers.units import exponent_of

PLATELETS = frozenset({"http://loinc.org|777-3", "http://loinc.org|26515-7"})
UCUM = "http://unitsofmeasure.org"
SUFFIXES = (".json", ".ndjson")
RESOURCE = re.compile(rb'"resourceType"\s*:')
LOOKED_AT = 4096
ROLES = {
    "Patient": "patient",
    "Observation": "result",
    "MedicationAdministration": "treatment",
    "MedicationStatement": "treatment",
    "Condition": "condition",
}
TAKEN = {
    "Observation": ("final", "amended", "corrected"),
    "MedicationAdministration": ("completed", "in-progress", "on-hold", "stopped"),
    "MedicationStatement": ("active", "completed", "on-hold", "stopped"),
    "Condition": ("confirmed",),
}
"""The statuses of resources that are taken; of a condition, that of its verification."""
NAMES = {
    "patient_id": "subject",
    "date": "effective",
    "platelets": "value",
    "unit": "valueQuantity.code",
    "bleeding_grade": "value",
    "rescue": "medication",
    "rescue_end": "effectivePeriod.end",
}
"""The elements of resources by the readers' names."""
NO_RESOURCE = "this is not a FHIR resource in JSON."
GOES_ON = ("active", "recurrence", "relapse", "in-progress", "on-hold")
"""The statuses of a treatment, and clinical ones of a condition, that goes on if it has no end."""
Element = Mapping[str, Any]


class _Resource(NamedTuple):
    """A resource and where it stands."""

    content: Element
    number: int
    """Its line, or the number of its entry in the bundle."""
    url: str | None
    """What others refer to it by, beside its type and id."""


@dataclass(frozen=True)
class _File:
    """A file with its resources."""

    path: Path
    resources: Sequence[_Resource]
    problems: list[WrongRecord]
    by_lines: bool


# FILES


def is_fhir(path: Path) -> bool:
    """Whether it is a file of FHIR resources, or a folder with nothing else."""
    if path.is_dir():
        files = files_of(path)
        return bool(files) and all(map(is_fhir, files))
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        return False
    with path.open("rb") as file:
        return RESOURCE.search(file.read(LOOKED_AT)) is not None


def files_of(path: Path) -> list[Path]:
    """The files that are read, in the order of their names."""
    return sorted(file for file in path.iterdir() if file.name[0] not in "._") if path.is_dir() else [path]


def fhir_records(path: Path, codes: KnownCodes) -> list[CodedRecords]:
    """The records of each file.

    Raises `CohortError` for a file that is no JSON, and `UsageError` without fhir.resources.
    """
    models = _Models()
    files = [_read(file) for file in files_of(path)]
    index = _Index([resource for file in files for resource in file.resources], codes.patient_identifier)
    return [_records(file, index, codes, models) for file in files]


def _read(path: Path) -> _File:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise CohortError(f"{path.name}: this is not UTF-8; export it again.") from None
    if path.suffix.lower() == ".ndjson":
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        parsed = [(number, _parsed(line)) for number, line in lines]
        problems = [WrongRecord(number, NO_RESOURCE) for number, content in parsed if content is None]
        return _File(path, [_Resource(content, number, None) for number, content in parsed if content], problems, True)
    content = _parsed(text)
    if content is None:
        raise CohortError(f"{path.name}: this cannot be read as JSON; export it again.")
    if content.get("resourceType") != "Bundle":
        return _File(path, [_Resource(content, 1, None)], [], False)
    entries = content.get("entry", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise CohortError(f"{path.name}: this bundle is not a list of entries; export it again.")
    given = [(number, entry) for number, entry in enumerate(entries, 1) if "resource" in entry]
    problems = [WrongRecord(number, NO_RESOURCE) for number, entry in given if not _is_resource(entry["resource"])]
    resources = [
        _Resource(entry["resource"], number, str(entry.get("fullUrl")))
        for number, entry in given
        if _is_resource(entry["resource"])
    ]
    return _File(path, resources, problems, False)


def _is_resource(content: Any) -> bool:
    return isinstance(content, dict) and isinstance(content.get("resourceType", ""), str)


def _parsed(text: str) -> Any:
    """The object in a text; None: there is none. Decimals keep their digits."""
    try:
        content = parsed_json(text, Decimal)
    except JsonError:
        return None
    return content if _is_resource(content) else None


class _Models:
    """The models of fhir.resources; R4B is R4 with corrections that do not touch these resources."""

    def __init__(self) -> None:
        self.of_kind = needed("fhir.resources.R4B", "fhir").get_fhir_model_class

    def problem(self, content: Element) -> str | None:
        """What is wrong with a resource."""
        kind = content["resourceType"]
        try:
            self.of_kind(kind).model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            return f"{'.'.join(map(str, (kind, *first['loc'])))}: {first['msg'].rstrip('.')}."
        return None


class _Index:
    """The patients and medications that resources refer to."""

    def __init__(self, resources: Sequence[_Resource], identifier: str | None) -> None:
        self.identifier = identifier
        self.by_reference: dict[str, Element] = {}
        self._first: dict[str, Element] = {}
        for content, _, url in resources:
            if content.get("id") is not None:
                self._first.setdefault(_name(content), content)
            if content.get("resourceType") in ("Patient", "Medication"):
                own = _name(content)
                self.by_reference |= {own: content, url or own: content}

    def resource(self, reference: str) -> Element | None:
        """The resource under a reference, which may be absolute; None: it is in no file."""
        return self.by_reference.get(reference) or self.by_reference.get("/".join(reference.split("/")[-2:]))

    def is_other_version(self, content: Element) -> bool:
        """Whether another resource with its id stands before it, and differs."""
        return self._first.get(_name(content), content) != content

    def patient_or_none(self, content: Element) -> str | None:
        """The patient of a resource that is not built as FHIR says; None: not known."""
        try:
            patient_id = self.patient_id(content)
        except (AttributeError, TypeError, KeyError):
            return None
        return patient_id if isinstance(patient_id, str) else None

    def patient_id(self, content: Element) -> str | None:
        """The patient that a resource is about, or that it is; None: not known."""
        if content["resourceType"] == "Patient":
            return self.id_of(content)
        reference = content.get("subject", {}).get("reference", "")
        patient = self.resource(reference)
        if patient is not None:
            return self.id_of(patient)
        kind, _, named = "/".join(reference.split("/")[-2:]).partition("/")
        return named if kind == "Patient" and self.identifier is None else None

    def id_of(self, patient: Element) -> str | None:
        """The id of a patient."""
        if self.identifier is None:
            return patient.get("id")
        values = [one.get("value") for one in patient.get("identifier", ()) if one.get("system") == self.identifier]
        return values[0] if len(values) == 1 else None


def _name(content: Element) -> str:
    return f"{content.get('resourceType')}/{content.get('id')}"


# RECORDS


def _records(file: _File, index: _Index, codes: KnownCodes, models: _Models) -> CodedRecords:
    rows, numbers = [], []
    problems, statuses = list(file.problems), Counter[str]()
    for content, number, _ in file.resources:
        kind = content.get("resourceType", "")
        if kind not in ROLES:
            continue
        try:
            of_resource = [_of_cells(row) for row in _rows(content, index, codes)]
        except (AttributeError, TypeError, KeyError):
            reason = models.problem(content) or "this is not built as FHIR says."
            problems.append(WrongRecord(number, reason, index.patient_or_none(content)))
            continue
        is_known = kind == "Patient" or any(row["code"] in codes.all for row in of_resource)
        problem = _wrong(content, of_resource, index, models) if is_known else None
        status = _status(content)
        if problem is not None:
            problems.append(WrongRecord(number, problem, index.patient_or_none(content)))
        elif is_known and kind in TAKEN and status not in TAKEN[kind]:
            statuses[f"{kind} with the status {quoted(status)}"] += 1
        else:
            rows += of_resource
            numbers += [number] * len(of_resource)
    notes = [f"{number:,} {what} not used." for what, number in statuses.items()]
    others = Counter(one.content.get("resourceType", "?") for one in file.resources)
    unused = [f"{kind} ({number:,})" for kind, number in others.items() if kind not in (*ROLES, "Medication")]
    notes += [f"Resources that are not looked at: {some_of(sorted(unused))}."] if unused else []
    frame = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String))
    lines = np.array(numbers, dtype=np.int64)
    return CodedRecords(file.path.name, frame, NAMES, lines, "line" if file.by_lines else "row", problems, notes)


def _of_cells(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row; raises `TypeError` where a list or an object stands in place of a value."""
    if any(isinstance(value, dict | list) for value in row.values()):
        raise TypeError
    return row


def _wrong(content: Element, rows: Sequence[Mapping[str, Any]], index: _Index, models: _Models) -> str | None:
    """What is wrong with a resource that is taken."""
    problem = models.problem(content)
    if problem is None and index.is_other_version(content):
        return f"{_name(content)} is there twice, and differs; keep its last version."
    if problem is None and index.patient_id(content) is None:
        if index.identifier is None:
            return "the patient is not known; it needs a subject that refers to one, as 'Patient/1'."
        return f"the patient has not one identifier of the system {quoted(index.identifier)}."
    return problem or next((row["contradiction"] for row in rows if row.get("contradiction")), None)


def _status(content: Element) -> str:
    if content["resourceType"] != "Condition":
        return str(content.get("status", ""))
    codings = content.get("verificationStatus", {}).get("coding", ())
    return next((str(coding.get("code")) for coding in codings), "confirmed")


def _clinical_status(content: Element) -> str:
    """The status of a treatment, or the clinical one of a condition."""
    if ROLES[content["resourceType"]] == "treatment":
        return str(content.get("status", ""))
    codings = content.get("clinicalStatus", {}).get("coding", ())
    return next((str(coding.get("code")) for coding in codings), "")


def _rows(content: Element, index: _Index, codes: KnownCodes) -> Iterator[dict[str, Any]]:
    """The records of a resource: one, and one of each component of an observation."""
    kind = content["resourceType"]
    start, end = _onset(content) if kind == "Condition" else _effective(content)
    if ROLES[kind] == "result" and start and end and start[:10] != end[:10]:
        start = f"{start[:10]}/{end[:10]}"  # on one of these days
    elif end is None and _clinical_status(content) in GOES_ON:
        end = ONGOING
    concept = content.get("code", {}) if ROLES[kind] in ("result", "condition") else _medication(content, index)
    shared = {"role": ROLES[kind], "patient_id": index.patient_id(content), "date": start, "end": end}
    components = content.get("component", ())
    if not components or any(name.startswith("value") for name in content):
        yield {**shared, **_coded(concept, codes.all), **_value(content)}
    for component in components:
        yield {**shared, **_coded(component.get("code", {}), codes.all), **_value(component)}


def _coded(concept: Element, known: frozenset[str]) -> dict[str, Any]:
    """The code of a concept: one with a meaning, else its first; and what it is called."""
    codings = concept.get("coding", ())
    written = [
        (spelling, coding)
        for coding in codings
        for spelling in (f"{coding.get('system')}|{coding.get('code')}", coding.get("code"))
        if "system" in coding or spelling == coding.get("code")
    ]
    spelling, coding = next((one for one in written if one[0] in known), written[0] if written else (None, {}))
    return {"code": spelling, "called": concept.get("text") or coding.get("display")}


def _medication(content: Element, index: _Index) -> Element:
    """The concept of a medication, which may stand in a resource of its own."""
    if "medicationCodeableConcept" in content:
        concept: Element = content["medicationCodeableConcept"]
        return concept
    reference = content.get("medicationReference", {}).get("reference", "")
    contained = {f"#{one.get('id')}": one for one in content.get("contained", ())}
    medication = contained.get(reference) or index.resource(reference) or {}
    return medication.get("code", {}) or {"text": content.get("medicationReference", {}).get("display")}


def _effective(content: Element) -> tuple[str | None, str | None]:
    period = content.get("effectivePeriod", {})
    return content.get("effectiveDateTime") or content.get("effectiveInstant") or period.get("start"), period.get("end")


def _onset(content: Element) -> tuple[str | None, str | None]:
    onset, abatement = content.get("onsetPeriod", {}), content.get("abatementPeriod", {})
    start = content.get("onsetDateTime") or onset.get("start")
    return start, content.get("abatementDateTime") or abatement.get("end") or onset.get("end")


def _value(content: Element) -> dict[str, Any]:
    """The value of an observation with its sign, and its unit."""
    quantity = content.get("valueQuantity")
    if quantity is None:
        codings = content.get("valueCodeableConcept", {}).get("coding", ())
        coded = next((coding.get("code") for coding in codings), None)
        values = (content.get("valueInteger"), content.get("valueString"), coded)
        value = next((one for one in values if one is not None), None)
        return {"value": None if value is None else str(value), "unit": None}
    number, code, text = quantity.get("value"), quantity.get("code"), quantity.get("unit")
    code = code if quantity.get("system") == UCUM else None
    exponents = {exponent_of(unit) for unit in (code, text) if unit is not None} - {None}
    contradiction = (
        f"valueQuantity: the code says {quoted(code or '')}, but the unit {quoted(text or '')}; specify one unit."
    )
    return {
        "value": None if number is None else f"{quantity.get('comparator', '')}{number}",
        "unit": code or text,
        "contradiction": contradiction if len(exponents) > 1 else None,
    }
