"""Certificate: all that a verdict rests on, as plain data, so that others can decide it again.

`examples/certificate_checker.py` does so from the certificate and the files, without this package.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from itp_response.classification.classification import Classification, CriteriaInput, Study, classify
from itp_response.classification.provenance import Provenance
from itp_response.cohort.cohort import Cohort
from itp_response.definitions.criteria import Criteria
from itp_response.explanation.clause_results import cell, clause_results_of
from itp_response.explanation.counterfactuals.in_words import Counterfactual
from itp_response.explanation.explain import explain
from itp_response.explanation.one_patient import asked_about
from itp_response.messages.errors import UsageError
from itp_response.readers.column_names import NamedTable, chosen_columns
from itp_response.readers.decimals import decimal_of
from itp_response.readers.files import is_text, open_table
from itp_response.readers.known_names import PATIENTS, VISITS
from itp_response.readers.missing_codes import MissingCodes
from itp_response.readers.options import ReadOptions
from itp_response.readers.problems import Location, Problems, as_text, location_of
from itp_response.readers.tabular import TableFile, Tabular
from itp_response.readers.text import PACKED
from itp_response.readers.units import exponent_of, in_header

WORDS = ("label", "says", "where", "role")
"""Keys of an endpoint that decide nothing."""
NAMES: Mapping[str, tuple[str, ...]] = {"visits": VISITS, "patients": PATIENTS}
OF_COUNTS: Mapping[str, tuple[str, str]] = {"visits": ("unit", "platelets"), "patients": ("baseline_unit", "baseline")}
"""The columns of units and of counts."""


def certificate(
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    patient: str,
    endpoint: str | None = None,
    options: ReadOptions | None = None,
    counterfactuals: bool = True,
) -> dict[str, Any]:
    """Certify the results of one patient: all that they rest on, so that others can decide them again.

    It has what `clause_results` has, of the endpoints asked about and those they rest on, and further:
    `definition`, what of the criteria file decides them (a day without a limit is "inf" or "-inf");
    `sources`, the files read with their SHA-256, and of text tables which column was used as which;
    `assumed`, the assumptions made on reading, and `options`;
    of the patient `day_0`, `baseline_given` and the rescue treatments, `courses`;
    of each verdict asked about `counterfactuals`, what would change it; `counterfactuals=False` leaves them out.

    Args:
        visits: The visits of the study: a file or a folder, a frame of polars, pandas or Arrow, a list with a dict per
            row, what `mapped` gave; or a `Cohort` or a `Classification`, which have been read already.
        patients: The patient table, in the same forms. None: there is none. Not allowed beside a study that has been
            read.
        criteria: A shipped criteria set by its name, a criteria file by its path, or a `Criteria`. None: `atra_2022`,
            or the set of the `Classification`.
        patient: The id of the patient.
        endpoint: The endpoint to certify. None: all of the set.
        options: How the tables are read. None: the defaults of `ReadOptions`. Not allowed beside a study that has been
            read.
        counterfactuals: Whether to add the changes that would change the result, which takes most of the time.

    Returns:
        The data described above, ready for JSON: what `explain --json` prints.

    Raises:
        UsageError: The patient or the endpoint is unknown, the patient has partial dates (several histories are
            possible), or something of the patient was left out; or `patients` or `options` were given beside a study
            that has been read.
        CriteriaError: The criteria cannot be used.
        CohortError: The tables cannot be used; the error has every problem.

    Examples:
        >>> visits = [{"patient_id": "A", "day": 0, "platelets": 15}, {"patient_id": "A", "day": 28, "platelets": 60}]
        >>> data = certificate(visits, patient="A", endpoint="OR")
        >>> data["definition"]["endpoints"]["OR"]["apart"], data["verdicts"][0]["value"]
        ('7 days', 'NE')
    """
    study = classify(visits, patients, criteria, options=options)
    classification, names = asked_about(study, patient, endpoint)
    cohort = classification.cohort
    if cohort.left_out is not None:
        raise UsageError(f"{cohort.id[0]}: records that cannot be read were excluded; correct them in the file.")
    if cohort.partial is not None:
        raise UsageError(
            f"{cohort.id[0]}: the patient has partial dates, so there is no single history to certify; "
            "supply the full dates, or impute them (--impute)."
        )
    explanations = explain(classification, patient=patient, endpoint=endpoint) if counterfactuals else []
    changing = {explanation.endpoint: explanation.counterfactuals for explanation in explanations}
    results, provenance = clause_results_of(classification), classification.provenance()
    needed = _needed(classification.criteria, names)
    return {
        "program": f"{provenance.program} {provenance.version}",
        "criteria": dict(provenance.criteria[0]),
        "definition": _definition(classification.criteria, needed),
        "sources": _sources(provenance, cohort),
        "assumed": list(provenance.assumed),
        "options": dict(provenance.options),
        "patient": results["patient"] | _patient(classification),
        "observations": results["observations"],
        "verdicts": [
            verdict | _counterfactuals(changing.get(verdict["endpoint"]))
            for verdict in results["verdicts"]
            if verdict["endpoint"] in needed
        ],
    }


def _needed(criteria: Criteria, names: list[str]) -> list[str]:
    """These endpoints and all they rest on, in the order of the file."""
    needed = list(names)
    for name in needed:
        needed += [other for other in criteria.endpoints[name].references().values() if other not in needed]
    return [name for name in criteria.endpoints if name in needed]


def _definition(criteria: Criteria, needed: list[str]) -> dict[str, Any]:
    raw = criteria.raw
    definition: dict[str, Any] = _limits_as_texts(
        {
            "clock": {key: value for key, value in raw["clock"].items() if key != "day_0"},
            "baseline": raw["baseline"],
            "not_recorded": raw.get("not_recorded", {}),
            "terms": raw.get("terms", {}),
            "rescues": {name: sorted(names) for name, names in criteria.rescues.items()},
            "endpoints": {
                name: {key: value for key, value in raw[name].items() if key not in WORDS} for name in needed
            },
        }
    )
    return definition


def _limits_as_texts(value: Any) -> Any:
    """A day without a limit as `inf` or `-inf`: JSON has no word for it."""
    if isinstance(value, dict):
        return {key: _limits_as_texts(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_limits_as_texts(entry) for entry in value]
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def _sources(provenance: Provenance, cohort: Cohort) -> list[dict[str, Any]]:
    inputs = {} if cohort.read_from is None else cohort.read_from.inputs
    options = {} if cohort.read_from is None else cohort.read_from.options
    return [
        {
            "read_as": read_as,
            "file": file.name,
            "sha256": file.sha256,
            **_columns(read_as, inputs.get(read_as), options),
        }
        for read_as, files in provenance.inputs.items()
        for file in files
    ]


def _columns(read_as: str, source: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """Of a text table that is not packed, which of its columns was used as which; nothing of another source.

    Of counts that were not written in 10⁹/L, `powers` has the powers of ten by which they were multiplied, by the unit
    in their row; under an empty text those without one. `decimal` is there where a comma stands before decimals,
    `missing` where codes were told, by column, and `day_numbering` where days are study days.
    """
    path = source.path if isinstance(source, TableFile) else Path(source) if isinstance(source, str | Path) else None
    if path is None or not path.is_file() or not is_text(path) or path.suffix.lower() in PACKED:
        return {}
    table = open_table(source, read_as)
    chosen = chosen_columns(table.header, NAMES[read_as], (), Location(table.name, 0), Problems())
    columns = {name: table.header[position] for name, position in chosen.items() if name in NAMES[read_as]}
    loaded = {name: chosen[name] for name in OF_COUNTS[read_as] if name in chosen}
    frame = table.load(list(loaded.values()) or [0]).rename({str(position): name for name, position in loaded.items()})
    named = NamedTable(location_of(table, 0), frame, columns, table.header)
    further = {
        "powers": _powers(read_as, named, options.get("unit")),
        "decimal": "comma" if decimal_of(named.cells(OF_COUNTS[read_as][1])) == "comma" else None,
        "missing": _missing(named, options),
        "day_numbering": "study-day" if options.get("day_numbering") == "study-day" else None,
    }
    return {
        "delimiter": table.separator,
        "columns": columns,
        **{name: value for name, value in further.items() if value},
    }


def _missing(table: NamedTable, options: Mapping[str, Any]) -> dict[str, list[str]]:
    """The codes that were told to stand for a missing value, by the readers' names of columns."""
    told = MissingCodes.of(options.get("missing", ()))
    codes = {name: list(told.of_column(table, name)) for name in table.header if name != "patient_id"}
    return {name: of_column for name, of_column in codes.items() if of_column}


def _powers(read_as: str, table: NamedTable, unit: str | None) -> dict[str, int]:
    """The powers of ten of the counts, by unit; empty: all are in 10⁹/L."""
    of_rows, counts = OF_COUNTS[read_as]
    if not table.has(counts):
        return {}
    in_name = in_header(table.header[counts])
    whole = unit if unit is not None else None if in_name is None else in_name.text
    units = as_text(table.cells(of_rows).values).drop_nulls().unique() if table.has(of_rows) else ()
    powers = {text: exponent_of(text) or 0 for text in sorted({*units, ""})}
    powers[""] = 0 if whole is None else exponent_of(whole) or 0
    return powers if any(powers.values()) else {}


def _patient(classification: Classification) -> dict[str, Any]:
    cohort, patient_days = classification.cohort, classification.patient_days
    courses = cohort.courses
    # A count chosen by its time of day is no row's count, so the checker is given it.
    by_time = patient_days.timed_baseline[patient_days.rows_of_baseline].any()
    names = [courses.name.labels[code] if code >= 0 else None for code in courses.name.codes.tolist()]
    days = cohort.day[courses.row].tolist() if len(courses.row) else []
    of_courses = zip(days, courses.last.tolist(), names, strict=True)
    return {
        "day_0": None if np.isnat(cohort.day_0[0]) else str(cohort.day_0[0]),
        "baseline_given": cell(patient_days.baseline if by_time else cohort.baseline, 0),
        "courses": [{"day": day, "last": last, "name": name} for day, last, name in of_courses],
    }


def _counterfactuals(counterfactuals: tuple[Counterfactual, ...] | None) -> dict[str, Any]:
    if counterfactuals is None:
        return {}
    entries = [{key: value for key, value in vars(one).items() if key != "row"} for one in counterfactuals]
    return {"counterfactuals": entries}
