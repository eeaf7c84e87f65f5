"""Turning: what would turn the verdicts on one patient, in sentences."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from itp_response.classification.classification import Classification
from itp_response.cohort.edited import ADDED, COUNT, edited
from itp_response.cohort.values import NONE
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.tree import Rule
from itp_response.explanation.counterfactuals.edits import changes
from itp_response.explanation.counterfactuals.search import Counterfactuals, frame
from itp_response.messages.wording import listed, number_in_words

ANOTHER = {"Y": "N", "N": "Y", "NE": "Y or N"}
"""What a verdict is turned into; a best into another."""


@dataclass(frozen=True)
class Counterfactual:
    """A change of one observation that turns a verdict."""

    becomes: str
    """The verdict that comes of it."""
    distance: float
    """How far it goes: `copies` says how that is reckoned."""
    change: str
    """A word of `copies.KINDS`."""
    day: int | None
    """The day of the observation; None: it is of the patient."""
    before: str | None
    after: str | None
    """The count, of a moved observation the day, before and after; None: neither is changed."""
    says: str
    clause: str | None
    """What then holds that did not before, in words; None: no clause, but when or how often."""
    row: int
    """The row of the cohort; -1: it is in none."""


def changes_of(classification: Classification, one: Counterfactuals) -> tuple[Counterfactual, ...]:
    """The changes of a classification of one patient, nearest first."""
    told = frame(classification, one)
    rows = np.where(one.changes.kind == ADDED, NONE, one.changes.row).tolist()
    names = [name for name in Counterfactual.__dataclass_fields__ if name != "row"]
    return tuple(
        Counterfactual(**cells, row=row)
        for cells, row in zip(told.select(names).iter_rows(named=True), rows, strict=True)
    )


def sentences(
    classification: Classification, name: str, turning: tuple[Counterfactual, ...], days: list[int]
) -> Iterator[str]:
    """Of each verdict that it could be the nearest change to it; what a `Y` rests on; how near an `N` came.

    `days` are those of the observations that the verdict was looked for in.
    """
    verdict = classification.verdicts[name]
    value = verdict.labels[int(verdict.value[0])]
    rests = [change for change in turning if change.change == "lost" and value == "Y"]
    nearest: dict[str, Counterfactual] = {}
    for change in turning:
        if change not in rests:
            nearest.setdefault(change.becomes, change)
    for change in nearest.values():
        clause = f": {change.clause}" if change.clause else ""
        source = f" ({classification.cohort.source_of(change.row)})" if change.row != NONE else ""
        yield f"would be {change.becomes} with {change.says}{clause}{source}"
    if not turning:
        yield f"none of the changes tried would make it {ANOTHER.get(value, 'another')}"
    if not nearest and value != "Y":
        yield from _nearest_state(classification, classification.criteria.endpoints[name], days)
    for becomes in dict.fromkeys(change.becomes for change in rests):
        lost = [str(day) for day in sorted(change.day or 0 for change in rests if change.becomes == becomes)]
        if len(lost) == 1:
            yield f"rests on the observation of day {lost[0]}, without which it would be {becomes}"
        else:
            yield f"rests on the observations of days {listed(lost)}, without any of which it would be {becomes}"


def _nearest_state(classification: Classification, model: Any, days: list[int]) -> Iterator[str]:
    """The count that came nearest to what is asked of each observation, where none is in the state."""
    cohort, rule = classification.cohort, getattr(model, "when", None)
    if not isinstance(rule, Rule) or model.kind in ("combined", "lost") or not len(cohort.day):
        return
    tried = changes(classification.criteria, cohort, np.array([0]))
    tried = tried.at((tried.kind == COUNT) & np.isin(tried.day, days))
    rows = patient_days_of(
        classification.criteria, edited(cohort, tried, classification.criteria.file.columns), 0, len(tried)
    )
    qualifies = decide(rule.tree, rows).true[rows.start[:-1] + tried.row] if len(tried) else np.empty(0, dtype=np.bool_)
    if (
        not qualifies.any()
        or decide(rule.tree, patient_days_of(classification.criteria, cohort, 0, 1)).true[tried.row].any()
    ):
        return
    best = np.flatnonzero(qualifies)[np.argmin(tried.distance[qualifies])]
    row = int(tried.row[best])
    low, high = (float(edge[row]) for edge in (cohort.platelets.low, cohort.platelets.high))
    was = number_in_words(low) if low == high else "what is known"
    yield (
        f"came nearest on day {tried.day[best]}: a count of {number_in_words(float(tried.count[best]))} "
        f"instead of {was} would qualify there ({cohort.source_of(row)})"
    )
