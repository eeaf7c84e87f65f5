"""Patients: everything the page shows of each of them, packed; the browser opens a part when one of its patients is."""

import base64
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from itp_response.authoring.describe import decided_so
from itp_response.classification.classification import Classification
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.texts import count_in_words, said
from itp_response.cohort.values import NO_DAY, Ints, Numbers
from itp_response.data_review.review import Review
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.verdicts import reason_in_words
from itp_response.explanation.explain import Explanation, explained
from itp_response.explanation.one_patient import of_one
from itp_response.outputs.comparison.sensitivity import Sensitivity
from itp_response.outputs.figures.clauses import spoiled_by_rescue, thresholds
from itp_response.outputs.figures.responses import responses

PART = 32
"""So many patients are packed together: more pack better, fewer open faster."""
NO_ARM = "no arm given"
Told = Mapping[str, Sequence[Sequence[str]]]
"""By patient, what else is known of him, a list of texts each."""
Progress = Callable[[Sequence[str], str], Iterable[str]]
"""Goes through a long work's items and shows how far it is: the items, and what they are called."""


def packed(value: Any) -> str:
    """A value as JSON, compressed (zlib), in letters that may stand in a page as they are (base64)."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def study(classification: Classification) -> dict[str, Any]:
    """What holds of all patients: the criteria with their words, the clock."""
    file, verdicts = classification.criteria.file, classification.verdicts
    return {
        "arms": arms(classification.cohort),
        "part": PART,
        "until": file.clock.followed_from if np.isfinite(file.clock.followed_from) else None,
        "criteria": [
            {
                "name": name,
                "label": model.label,
                "kind": model.kind,
                "labels": verdicts[name].labels,
                "needs": decided_so(model),
            }
            for name, model in classification.criteria.endpoints.items()
        ],
    }


def arms(cohort: Cohort) -> list[str]:
    """The arms in the order in which they come; last, where some patients are in none, a word for that."""
    known: list[str] = cohort.arm.drop_nulls().unique(maintain_order=True).to_list()
    return [*known, NO_ARM] if known and cohort.arm.null_count() else known


def arm_codes(cohort: Cohort) -> Ints:
    """Each patient's place in `arms`; where there are no arms, 0."""
    codes = {arm: code for code, arm in enumerate(arms(cohort))}
    return np.array([codes.get(arm, 0) for arm in cohort.arm.fill_null(NO_ARM).to_list()], dtype=np.int64)


def index(classification: Classification, told: Sequence[Told]) -> dict[str, Any]:
    """What the list and its search need, in columns: ids, arms, verdicts and their days, how much else is known."""
    ids: list[str] = classification.cohort.id.to_list()
    return {
        "id": ids,
        "arm": arm_codes(classification.cohort).tolist(),
        "verdict": [verdict.value.tolist() for verdict in classification.verdicts.values()],
        "day": [_days(classification.days_of(verdict.dated)) for verdict in classification.verdicts.values()],
        "told": [[len(one.get(patient, ())) for patient in ids] for one in told],
    }


def parts(classification: Classification, told: Sequence[Told], progress: Progress) -> Iterator[str]:
    """All that was seen and decided of each patient, `PART` of them packed together, in the order of the cohort."""
    part = []
    ids: list[str] = classification.cohort.id.to_list()
    names = list(classification.verdicts)
    for place, (patient, seen) in enumerate(zip(progress(ids, "patients"), _patients(classification), strict=True)):
        said = [_said(one) for one in explained(of_one(classification, place), names, {})]
        part.append({**seen, "said": said, "told": [list(one.get(patient, ())) for one in told]})
        if len(part) == PART or place == len(ids) - 1:
            yield packed(part)
            part = []


def _said(explanation: Explanation) -> list[Any]:
    """An explanation in its parts; what is the same of all patients stands in `study`."""
    if explanation.origin:
        return [explanation.verdict, explanation.origin]
    return [
        explanation.verdict,
        "",
        explanation.observations,
        explanation.rests_on,
        explanation.missing,
        explanation.partial_dates,
    ]


def _patients(classification: Classification) -> Iterator[dict[str, Any]]:
    """What was observed of each patient, and the days and counts to mark."""
    cohort = classification.cohort
    counts, grades = _counts(cohort.platelets), _numbers(cohort.bleeding_grade)
    rows, course = cohort.first_row.tolist(), np.searchsorted(cohort.courses.row, cohort.first_row).tolist()
    days, courses = cohort.day.tolist(), list(_courses(cohort))
    marks = [_marks(classification, name) for name in classification.verdicts]
    stopped = _numbers(np.where(np.isfinite(cohort.treatment_discontinued), cohort.treatment_discontinued, np.nan))
    for place, day_0 in enumerate(cohort.day_0):
        part = slice(rows[place], rows[place + 1])
        one = cohort.select([place])
        seen = patient_days_of(classification.criteria, one, 0, 1)
        yield {
            "zero": None if np.isnat(day_0) else str(day_0),
            "baseline": _counts(seen.baseline)[0],
            "stopped": stopped[place],
            "day": days[part],
            "count": counts[part],
            "grade": grades[part],
            "rescue": courses[course[place] : course[place + 1]],
            "spoiled": spoiled_by_rescue(classification.criteria, classification.verdicts, one),
            "limits": [
                [one.low, one.high, one.text]
                for one in thresholds(classification.criteria, classification.verdicts, seen)
            ],
            "marks": [one[place] for one in marks],
        }


def _marks(classification: Classification, name: str) -> list[list[Any]]:
    """Per patient the days of an endpoint's evidence: the onset, the confirming row, the row that ended it.

    Of what is reached and may be lost, then the day to which it held, and 1 if it was lost on it.
    """
    verdict = classification.verdicts[name]
    columns = [_days(classification.days_of(rows)) for rows in (verdict.onset, verdict.confirming, verdict.ended)]
    held = responses(classification, name)
    if held.loss is not None and classification.criteria.endpoints[name].kind == "achieved":
        columns += [_days(held.end), held.lost.astype(int).tolist()]
    return [list(one) for one in zip(*columns, strict=True)]


def _courses(cohort: Cohort) -> Iterator[list[Any]]:
    """The first and last day and the name of each rescue course."""
    first = cohort.day[cohort.courses.row].tolist()
    labels, codes = cohort.courses.name.labels, cohort.courses.name.codes.tolist()
    for begin, last, code in zip(first, cohort.courses.last.tolist(), codes, strict=True):
        yield [begin, last, labels[code] if code >= 0 else ""]


def _counts(counts: Numbers) -> list[Any]:
    """Counts as numbers; a bound as its low and high end (None: no end) and as it was written; None: none."""
    low, high = _numbers(counts.low), _numbers(np.where(np.isfinite(counts.high), counts.high, np.nan))
    if counts.exact:
        return low
    bound = np.flatnonzero(~np.isnan(counts.low) & (counts.low != counts.high)).tolist()
    found: list[Any] = list(low)
    for row in bound:
        found[row] = [low[row], high[row], count_in_words(counts.low[row], counts.high[row])]
    return found


def _numbers(values: Any) -> list[float | None]:
    """Numbers for JSON: whole ones without a point, None where there is none."""
    return [None if one != one else int(one) if one == int(one) else one for one in values.tolist()]


def _days(days: Any) -> list[int | None]:
    return [None if day == NO_DAY else day for day in days.tolist()]


# WHAT ELSE IS KNOWN


def findings_of(reviewed: Review) -> Told:
    """By patient the rule, the question and the place of each finding."""
    found = reviewed.frame()
    return _by_patient(found, [found["check"], found["says"], places(reviewed.cohort, found)])


def queries_of(reviewed: Review) -> Told:
    """By patient the endpoint that is not evaluable, why, and what to ask for."""
    found = reviewed.data_queries()
    reasons = found["reason"].replace_strict({one: reason_in_words(one) for one in found["reason"].unique()})
    return _by_patient(found, [found["endpoint"], reasons, found["asks"]])


def interpretations_of(tried: Sensitivity | None) -> Told:
    """By patient each interpretation that changes a verdict of his, and the change."""
    if tried is None:
        return {}
    found = tried.dependent()
    moved = found.select(pl.format("{}: {} -> {}", "endpoint", "verdict", "verdict_under")).to_series()
    return _by_patient(found, [found["interpretation"], moved])


def places(cohort: Cohort, found: pl.DataFrame) -> pl.Series:
    """Where each finding stands, `visits.csv line 12`."""
    word = f"{cohort.number_word} " if cohort.number_word else ""
    return said(f"{{}} {word}{{}}", found["file"], found["line"])


def _by_patient(found: pl.DataFrame, columns: Sequence[pl.Series]) -> Told:
    told: dict[str, list[list[str]]] = {}
    for patient, *texts in zip(found["patient_id"].to_list(), *(one.to_list() for one in columns), strict=True):
        told.setdefault(patient, []).append([text or "" for text in texts])
    return told
