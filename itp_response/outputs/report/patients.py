"""Patients: the data of every patient on the page, packed in parts that the browser unpacks when it needs them."""

import base64
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification
from itp_response.classification.reference_arm import arms_of
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.texts import count_in_words
from itp_response.cohort.values import NO_DAY, Ints, Numbers
from itp_response.data_review.review import Review
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.verdicts import reason_in_words
from itp_response.explanation.decided import DecidedEndpoint, DecidedPatients
from itp_response.explanation.entries import WrittenRows
from itp_response.explanation.missing import missing_in_words
from itp_response.explanation.one_patient import of_some
from itp_response.explanation.origins import rests_on, unmet_origin
from itp_response.explanation.partial_dates import dates_not_deciding
from itp_response.explanation.records import ExplainedRows
from itp_response.explanation.sentences import kinds
from itp_response.explanation.thresholds import thresholds
from itp_response.outputs.comparison.sensitivity import Sensitivity
from itp_response.outputs.figures.clauses import spoiled_by_rescue
from itp_response.outputs.figures.responses import responses

PART = 32
"""The number of patients in a part: larger parts pack better, smaller ones open faster."""
AT_ONCE = 500
"""The number of patients whose rows are explained together."""
NO_ARM = "arm not recorded"
PatientNotes = Mapping[str, Sequence[Sequence[str]]]
"""Notes by patient id, each a list of texts: edit checks, data queries, or interpretations."""
ReportProgress = Callable[[Sequence[str], str], Iterable[str]]
"""Is given the items of a long task and their label, yields the items, and may show how far the task is."""


def packed(value: Any) -> str:
    """A value as JSON, compressed by zlib, in base64, which needs no escaping in a page."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def study(classification: Classification) -> dict[str, Any]:
    """The data common to all patients: the arms, the endpoints with their labels and words, and the clock."""
    file, verdicts = classification.criteria.file, classification.verdicts
    return {
        "arms": arms(classification.cohort),
        "part": PART,
        "until": file.clock.followed_from if np.isfinite(file.clock.followed_from) else None,
        "endpoints": [
            {
                "name": name,
                "label": model.label,
                "has_lane": bool(model.row_rules()),
                "is_loss": model.is_lost is not None,
                "labels": verdicts[name].labels,
                "needs": model.sentence(),
            }
            for name, model in classification.criteria.endpoints.items()
        ],
    }


def arms(cohort: Cohort) -> list[str]:
    """The arms by name, and last a label for patients without an arm, if there are any."""
    known = arms_of(cohort)
    return [*known, NO_ARM] if known and cohort.arm.null_count() else known


def arm_codes(cohort: Cohort) -> Ints:
    """The position in `arms` of each patient (P); 0 where there are no arms."""
    codes = {arm: code for code, arm in enumerate(arms(cohort))}
    return np.array([codes.get(arm, 0) for arm in cohort.arm.fill_null(NO_ARM).to_list()], dtype=np.int64)


def index(classification: Classification, notes: Sequence[PatientNotes]) -> dict[str, Any]:
    """The columns of the list and its search: ids, arms, verdicts, their days, and the number of notes of each sort."""
    ids: list[str] = classification.cohort.id.to_list()
    return {
        "id": ids,
        "arm": arm_codes(classification.cohort).tolist(),
        "verdict": [verdict.value.tolist() for verdict in classification.verdicts.values()],
        "day": [_days(classification.dated(verdict)) for verdict in classification.verdicts.values()],
        "notes": [[len(sort.get(patient, ())) for patient in ids] for sort in notes],
    }


def parts(classification: Classification, notes: Sequence[PatientNotes], progress: ReportProgress) -> Iterator[str]:
    """The observations and explanations of the patients, in parts of `PART` patients, in the order of the cohort."""
    part = []
    ids: list[str] = classification.cohort.id.to_list()
    patients = zip(progress(ids, "patients"), _observed(classification), _explained(classification), strict=True)
    for position, (patient, observed, explanations) in enumerate(patients):
        own_notes = [list(sort.get(patient, ())) for sort in notes]
        part.append({**observed, "explained": explanations, "notes": own_notes})
        if len(part) == PART or position == len(ids) - 1:
            yield packed(part)
            part = []


def _blocks(classification: Classification) -> Iterator[Classification]:
    """The patients, `AT_ONCE` at a time."""
    patients = len(classification.cohort)
    for first in range(0, patients, AT_ONCE):
        yield of_some(classification, first, min(first + AT_ONCE, patients))


def _explained(classification: Classification) -> Iterator[list[list[Any]]]:
    """The explanations of all endpoints, patient by patient."""
    for block in _blocks(classification):
        patients, written = DecidedPatients(block), WrittenRows(block.cohort)
        rows = {name: ExplainedRows(patients.by(name), written) for name in block.verdicts}
        for position in range(len(block.cohort)):
            yield [_explanation(patients.at(position, name), of_name) for name, of_name in rows.items()]


def _explanation(decided: DecidedEndpoint, rows: ExplainedRows) -> list[Any]:
    """An explanation in its parts; `study` has what is the same for all patients."""
    origin = unmet_origin(decided)
    return [
        decided.in_words,
        origin,
        [] if origin else [line[1:] for line in rows.lines(decided)],
        list(rests_on(decided)),
        missing_in_words(decided),
        dates_not_deciding(decided),
    ]


def _observed(classification: Classification) -> Iterator[dict[str, Any]]:
    """The observations of each patient, with the days and counts that the timeline marks."""
    cohort = classification.cohort
    counts, grades = _counts(cohort.platelets), _grades(cohort)
    rows, first_course = cohort.first_row.tolist(), np.searchsorted(cohort.courses.row, cohort.first_row).tolist()
    days, courses = cohort.day.tolist(), list(_courses(cohort))
    marks = [_marks(classification, name) for name in classification.verdicts]
    stopped = _numbers(np.where(np.isfinite(cohort.treatment_discontinued), cohort.treatment_discontinued, np.nan))
    drawn = (patient for block in _blocks(classification) for patient in _drawn(block))
    for position, (day_0, (baseline, spoiled, limits)) in enumerate(zip(cohort.day_0, drawn, strict=True)):
        own_rows = slice(rows[position], rows[position + 1])
        yield {
            "zero": None if np.isnat(day_0) else str(day_0),
            "baseline": baseline,
            "stopped": stopped[position],
            "day": days[own_rows],
            "count": counts[own_rows],
            "grade": grades[own_rows],
            "rescue": courses[first_course[position] : first_course[position + 1]],
            "spoiled": spoiled,
            "limits": limits,
            "marks": [endpoint[position] for endpoint in marks],
        }


def _drawn(block: Classification) -> Iterator[tuple[Any, list[tuple[float, float]], list[list[Any]]]]:
    """The baseline of each patient, the days on which counts are no evidence after rescue, and the thresholds."""
    criteria, names, cohort = block.criteria, block.verdicts, block.cohort
    baseline = patient_days_of(criteria, cohort, 0, len(cohort)).baseline
    first, number = kinds(baseline.low, baseline.high)
    limits = [
        [[threshold.low, threshold.high, threshold.text] for threshold in of_one]
        for of_one in thresholds(criteria, names, baseline.at(first))
    ]
    spoiled = spoiled_by_rescue(criteria, names, cohort)
    yield from zip(_counts(baseline), spoiled, (limits[each] for each in number.tolist()), strict=True)


def _marks(classification: Classification, name: str) -> list[list[Any]]:
    """The days of an endpoint's evidence by patient: the onset, the confirming row, and the row that ended it.

    A response that can be lost has two more: the last day of the response, and 1 if it was lost on that day.
    """
    verdict = classification.verdicts[name]
    columns = [_days(classification.days_of(rows)) for rows in (verdict.onset, verdict.confirming, verdict.ended)]
    response = responses(classification, name)
    if response.loss is not None and classification.criteria.endpoints[name].lasts:
        columns += [_days(response.end), response.lost.astype(int).tolist()]
    return [list(marks) for marks in zip(*columns, strict=True)]


def _courses(cohort: Cohort) -> Iterator[list[Any]]:
    """The first and last day and the name of each rescue course."""
    first = cohort.day[cohort.courses.row].tolist()
    labels, codes = cohort.courses.name.labels, cohort.courses.name.codes.tolist()
    for begin, last, code in zip(first, cohort.courses.last.tolist(), codes, strict=True):
        yield [begin, last, labels[code] if code >= 0 else ""]


def _counts(counts: Numbers) -> list[Any]:
    """Counts as numbers; a censored count as low and high end (None: no end) and as written; None: no count."""
    low, high = _numbers(counts.low), _numbers(np.where(np.isfinite(counts.high), counts.high, np.nan))
    if counts.exact:
        return low
    censored = np.flatnonzero(~np.isnan(counts.low) & (counts.low != counts.high)).tolist()
    plain: list[Any] = list(low)
    for row in censored:
        plain[row] = [low[row], high[row], count_in_words(counts.low[row], counts.high[row])]
    return plain


def _numbers(values: Any) -> list[float | None]:
    """Numbers for JSON: whole numbers without a point, None for NaN."""
    return [None if value != value else int(value) if value == int(value) else value for value in values.tolist()]


def _grades(cohort: Cohort) -> list[float | str | None]:
    """The grade of each row, None: not known; of a log of events nothing is said where no bleeding was recorded."""
    grades: list[float | str | None] = list(_numbers(cohort.bleeding_grade))
    return [grade or "" if grade is not None else None for grade in grades] if cohort.bleeding_is_log else grades


def _days(days: Any) -> list[int | None]:
    return [None if day == NO_DAY else day for day in days.tolist()]


# NOTES


def edit_checks_of(reviewed: Review) -> PatientNotes:
    """The name, text and location of each edit check that fired, by patient."""
    fired = reviewed.frame()
    return _by_patient(fired, [fired["check"], fired["says"], reviewed.sources()])


def data_queries_of(reviewed: Review) -> PatientNotes:
    """The endpoint that is not evaluable, the reason, and the question of each data query, by patient."""
    queries = reviewed.data_queries()
    reasons = queries["reason"].replace_strict({name: reason_in_words(name) for name in queries["reason"].unique()})
    return _by_patient(queries, [queries["endpoint"], reasons, queries["asks"]])


def interpretations_of(tried: Sensitivity | None) -> PatientNotes:
    """Each interpretation that changes a verdict, and the change, by patient."""
    if tried is None:
        return {}
    dependent = tried.dependent()
    changes = dependent.select(pl.format("{}: {} → {}", "endpoint", "verdict", "verdict_under")).to_series()
    return _by_patient(dependent, [dependent["interpretation"], changes])


def _by_patient(frame: pl.DataFrame, columns: Sequence[pl.Series]) -> PatientNotes:
    notes: dict[str, list[list[str]]] = {}
    cells = [column.to_list() for column in columns]
    for patient, *texts in zip(frame["patient_id"].to_list(), *cells, strict=True):
        notes.setdefault(patient, []).append([text or "" for text in texts])
    return notes
