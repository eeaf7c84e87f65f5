"""Records: the observations that a verdict rests on, or was looked for in, and what each means for the endpoint."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.texts import count_in_words
from itp_response.cohort.values import NONE
from itp_response.evaluation.endpoints.visits import TREATED, planned
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import decide
from itp_response.explanation.meaning import meaning
from itp_response.explanation.one_patient import DecidedEndpoint
from itp_response.messages.wording import counted, number_in_words

SUMMARY_KINDS = ("combined", "best")
"""Kinds that rest on other verdicts, and on no observation of their own."""
MARKS = {
    "achieved": ("starts here", "confirms", "ends here"),
    "at": ("taken", "", "taken"),
    "visits": ("first", "made it enough", "ends here"),
    "extent": ("first", "last", ""),
}
"""What is said of the onset, the confirming row and the row that ended it."""
OTHER_MARKS = ("starts here", "shows it", "ends here")
ALIKE = 4
"""The number of consecutive records with the same meaning that are put in one line."""

Marks = Mapping[int, str]
"""By row of the patient, which evidence it is."""


@dataclass(frozen=True)
class ExplainedRow:
    """One observation of an explanation, or a planned visit without one."""

    day: int
    observed: str
    means: str
    source: str
    """Where it stands, `visits.csv line 12`; empty: it stands nowhere."""
    line: int
    """The line of the source; 0: none."""


def explained_rows(decided: DecidedEndpoint) -> Iterator[ExplainedRow]:
    """The observations that the verdict rests on, or was looked for in, by day."""
    model = decided.model
    if model.kind in SUMMARY_KINDS:
        return
    marks = _marks(decided)
    if model.kind == "visits" and model.visits:
        yield from _planned_visits(decided, marks)
        return
    rows = _rows_shown(decided, marks)
    too_early = _too_early(model, decided.patient_days, rows)
    for row in rows:
        means = []
        if getattr(model, "when", None) is not None:
            means = [meaning(model, decided.patient_days, row) + too_early.get(row, "")]
        if model.kind == "at" and marks and row not in marks:
            means = ["not taken"]
        if row in marks:
            means.append(marks[row])
        yield _explained(decided.cohort, row, means)


def in_words(rows: Sequence[ExplainedRow]) -> Iterator[tuple[str, str, str, str]]:
    """The day, what was observed, what it means and where it stands; many alike in a row are one entry."""
    for means, group in groupby(rows, key=lambda row: row.means):
        alike = list(group)
        if len(alike) < ALIKE:
            yield from ((f"day {row.day}", row.observed, row.means, row.source) for row in alike)
        else:
            yield f"day {alike[0].day} to {alike[-1].day}", f"{len(alike)} observations", f"each {means}", ""


def _marks(decided: DecidedEndpoint) -> dict[int, str]:
    verdict = decided.verdict
    words = MARKS.get(decided.model.kind, OTHER_MARKS)
    evidence = (verdict.onset, verdict.confirming, verdict.ended)
    return {int(row[0]): word for row, word in zip(evidence, words, strict=True) if word and row[0] != NONE}


def _explained(cohort: Cohort, row: int, means: Sequence[str]) -> ExplainedRow:
    return ExplainedRow(
        day=int(cohort.day[row]),
        observed=_observed(cohort, row),
        means="; ".join(means),
        source=cohort.source_of(row),
        line=int(cohort.source_row[row]),
    )


def _observed(cohort: Cohort, row: int) -> str:
    """The count, the bleeding and the rescue treatment of a row, in words."""
    words = [count_in_words(float(cohort.platelets.low[row]), float(cohort.platelets.high[row]))]
    grade = float(cohort.bleeding_grade[row])
    if grade > 0:
        words.append(f"bleeding grade {number_in_words(grade)}")
    if cohort.rescue[row]:
        words.append("rescue")
    return ", ".join(filter(None, words)) or "no count"


# WHICH ROWS


def _rows_shown(decided: DecidedEndpoint, marks: Marks) -> list[int]:
    """The rows from the day on which the endpoint starts to that on which it was decided."""
    model, verdict, days = decided.model, decided.verdict, decided.patient_days.day
    if getattr(model, "when", None) is None:
        return sorted(marks)
    is_dated = bool(verdict.ended[0] != NONE or verdict.dated[0] != NONE)
    last_row = max(marks) if marks and is_dated and model.kind != "extent" else len(days) - 1
    origin = getattr(model, "from_", None) or getattr(model, "after", None)
    if origin is not None:
        start = decided.other(origin).verdict
        begin = int((start.last_evidence if model.kind == "lost" else start.onset)[0])
        return [] if begin == NONE else list(range(begin, last_row + 1))
    first_day, last_day = getattr(model, "within" if model.kind == "at" else "days", (-np.inf, np.inf))
    rows = np.flatnonzero((days >= first_day) & (days <= last_day))
    until_last: list[int] = (rows if model.kind == "at" else rows[rows <= last_row]).tolist()
    return until_last


def _too_early(model: Any, patient_days: PatientDays, rows: Sequence[int]) -> dict[int, str]:
    """By row, of those in the state that are too soon after an occasion to be another: how soon."""
    if model.kind != "achieved" or model.occasions == 1 or model.apart.unit != "days":
        return {}
    state = decide(model.when.tree, patient_days)
    stands = state.true if model.discount is None else state.true & decide(model.discount.tree, patient_days).false
    too_early = {}
    occasion = None
    for row in rows:
        if state.false[row] and model.between == "unbroken":
            occasion = None
        if not stands[row]:
            continue
        day = int(patient_days.day[row])
        if occasion is None or day - occasion >= model.apart.number:
            occasion = day
        else:
            too_early[row] = f", but only {counted(day - occasion, 'day')} after day {occasion}"
    return too_early


# PLANNED VISITS


def _planned_visits(decided: DecidedEndpoint, marks: Marks) -> list[ExplainedRow]:
    """A record for each planned visit, and one for the row that closed the endpoint."""
    model, cohort = decided.model, decided.cohort
    taken_for_visits = planned(model, decided.patient_days)[0].tolist()
    records = [
        _planned_visit(decided, day, row, marks) for day, row in zip(model.visits, taken_for_visits, strict=True)
    ]
    shown = {record.day for record in records if record.source}
    closing = [row for row, mark in marks.items() if mark == "ends here" and int(cohort.day[row]) not in shown]
    records += [_explained(cohort, row, ["ends here"]) for row in closing]
    return sorted(records, key=lambda record: record.day)


def _planned_visit(decided: DecidedEndpoint, day: int, row: int, marks: Marks) -> ExplainedRow:
    """The count taken for a planned visit, or that there is none."""
    model, cohort = decided.model, decided.cohort
    if row == NONE:
        return ExplainedRow(day, "no count", f"the visit of day {day} {TREATED[model.missing]}", "", 0)
    means = [] if int(cohort.day[row]) == day else [f"for day {day}"]
    means.append(meaning(model, decided.patient_days, row))
    if marks.get(row):
        means.append(marks[row])
    return _explained(cohort, row, means)
