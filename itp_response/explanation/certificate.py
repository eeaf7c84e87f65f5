"""Certificate: all that a verdict rests on, as plain data, so that others can decide it again.

`examples/certificate_checker.py` does so, with the files it was read from and without this package.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from itp_response.classification.classification import CriteriaInput, Study, classify
from itp_response.classification.provenance import Provenance
from itp_response.cohort.cohort import Cohort
from itp_response.definitions.criteria import Criteria
from itp_response.explanation.clause_results import cell, clause_results_of
from itp_response.explanation.counterfactuals.in_words import Counterfactual
from itp_response.explanation.explain import explain, only
from itp_response.messages.errors import UsageError
from itp_response.readers.column_names import PATIENTS, VISITS, fitting
from itp_response.readers.files import Tabular
from itp_response.readers.options import ReadOptions

WORDS = ("label", "says", "where", "role")
"""Keys of an endpoint that decide nothing."""
DELIMITERS = {".csv": ",", ".tsv": "\t"}
NAMES: Mapping[str, tuple[str, ...]] = {"visits": VISITS, "patients": PATIENTS}


def certificate(
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    patient: str,
    endpoint: str | None = None,
    options: ReadOptions | None = None,
    turns: bool = True,
) -> dict[str, Any]:
    """All that a patient's verdicts rest on, as plain data, ready for JSON: what `explain --json` prints.

    As `lamps`, of the criteria asked about and those they rest on, and beside it: `definition`, what of the criteria
    file decides them (a day without a limit is "inf" or "-inf"); `sources`, the files read with their SHA-256, and of
    tables which column was taken as which; `taken`, what was assumed; of the patient `day_0`,
    `baseline_given` and his rescue treatments, `courses`; and of each verdict asked about `changes`, what would turn
    it, left out without `turns`.
    Arguments are those of `explain`. Raises `UsageError` for a patient or endpoint that is not there, and for a
    patient with dates known only in part, who has not one course but several.
    """
    whole = classify(visits, patients, criteria, options=options)
    found, names = only(whole, patient, endpoint)
    cohort = found.cohort
    if cohort.partial is not None:
        raise UsageError(
            f"{cohort.id[0]}: dates are known only in part, so that there is not one course to certify; "
            "give the dates in full, or say how they are to be taken (--impute)."
        )
    told, origin = clause_results_of(found), found.provenance()
    told_of = explain(found, patient=patient, endpoint=endpoint) if turns else []
    turning = {one.endpoint: one.changes for one in told_of}
    needed = _needed(found.criteria, names)
    return {
        "program": f"{origin.program} {origin.version}",
        "criteria": dict(origin.criteria[0]),
        "definition": _definition(found.criteria, needed),
        "sources": _sources(origin, cohort),
        "assumed": list(origin.assumed),
        "options": dict(origin.options),
        "patient": told["patient"] | _patient(cohort),
        "observations": told["observations"],
        "verdicts": [
            verdict | _changes(turning.get(verdict["endpoint"]))
            for verdict in told["verdicts"]
            if verdict["endpoint"] in needed
        ],
    }


def _needed(criteria: Criteria, names: list[str]) -> list[str]:
    """These criteria and all they rest on, in the order of the file."""
    found = list(names)
    for name in found:
        found += [other for other in criteria.endpoints[name].references().values() if other not in found]
    return [name for name in criteria.endpoints if name in found]


def _definition(criteria: Criteria, needed: list[str]) -> dict[str, Any]:
    raw = criteria.raw
    clock = {key: value for key, value in raw["clock"].items() if key != "day_0"}
    made = {"clock": clock, "baseline": raw["baseline"], "terms": raw.get("terms", {})}
    rescues = {name: sorted(names) for name, names in criteria.rescues.items()}
    tables = {name: {key: value for key, value in raw[name].items() if key not in WORDS} for name in needed}
    content: dict[str, Any] = _limits_as_texts({**made, "rescues": rescues, "criteria": tables})
    return content


def _limits_as_texts(value: Any) -> Any:
    """A day without a limit as `inf` or `-inf`: JSON has no word for it."""
    if isinstance(value, dict):
        return {key: _limits_as_texts(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_limits_as_texts(one) for one in value]
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def _sources(origin: Provenance, cohort: Cohort) -> list[dict[str, Any]]:
    found = []
    for read_as, files in origin.inputs.items():
        given = None if cohort.read_from is None else cohort.read_from.inputs.get(read_as)
        for file in files:
            found.append({"read_as": read_as, "file": file.name, "sha256": file.sha256, **_columns(read_as, given)})
    return found


def _columns(read_as: str, given: Any) -> dict[str, Any]:
    """Of a text table which of its columns was taken as which."""
    path = Path(given) if isinstance(given, str | Path) else None
    if path is None or path.suffix not in DELIMITERS or not path.is_file():
        return {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file, delimiter=DELIMITERS[path.suffix]))
    taken = {name: [header[place] for place in fitting(name, header)] for name in NAMES[read_as]}
    return {
        "delimiter": DELIMITERS[path.suffix],
        "columns": {name: columns[0] for name, columns in taken.items() if columns},
    }


def _patient(cohort: Cohort) -> dict[str, Any]:
    courses = cohort.courses
    names = [courses.name.labels[code] if code >= 0 else None for code in courses.name.codes.tolist()]
    days = cohort.day[courses.row].tolist() if len(courses.row) else []
    made = zip(days, courses.last.tolist(), names, strict=True)
    return {
        "day_0": None if np.isnat(cohort.day_0[0]) else str(cohort.day_0[0]),
        "baseline_given": cell(cohort.baseline, 0),
        "courses": [{"day": day, "last": last, "name": name} for day, last, name in made],
    }


def _changes(turning: tuple[Counterfactual, ...] | None) -> dict[str, Any]:
    if turning is None:
        return {}
    return {"changes": [{key: value for key, value in vars(one).items() if key != "row"} for one in turning]}
