"""In words: what would change a verdict on one patient, in sentences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from itp_response.classification.classification import Classification
from itp_response.cohort.edited import ADDED, COUNT, Edits, edited
from itp_response.cohort.values import NONE
from itp_response.evaluation.endpoints import Endpoint
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.tree import Rule
from itp_response.evaluation.verdicts import VALUES
from itp_response.explanation.counterfactuals.edits import edits_tried
from itp_response.explanation.counterfactuals.search import Counterfactuals
from itp_response.explanation.counterfactuals.table import counterfactual_table
from itp_response.messages.wording import listed, number_in_words


@dataclass(frozen=True)
class Counterfactual:
    """A change of one observation of a patient that changes a verdict."""

    becomes: str
    """The new verdict."""
    distance: float
    """How far the change goes: `counterfactuals.edits` says how that is measured."""
    change: str
    """The kind of change, a word of `cohort.edited.KINDS`."""
    day: int | None
    """The day of the observation; None: the change is of the patient."""
    before: str | None
    after: str | None
    """The count, or of a moved observation the day, before and after; None: neither changes."""
    says: str
    clause: str | None
    """What then holds that did not before, in words; None: no clause changes, but when or how often one holds."""
    row: int
    """The row of the cohort; -1: it is in none."""


def each_counterfactual(classification: Classification, counterfactuals: Counterfactuals) -> tuple[Counterfactual, ...]:
    """The counterfactuals of a classification of one patient, nearest first."""
    edits = counterfactuals.edits
    rows = np.where(edits.kind == ADDED, NONE, edits.row).tolist()
    columns = [field.name for field in fields(Counterfactual) if field.name != "row"]
    table = counterfactual_table(classification, counterfactuals).select(columns)
    return tuple(Counterfactual(**cells, row=row) for cells, row in zip(table.iter_rows(named=True), rows, strict=True))


def sentences(
    classification: Classification, name: str, counterfactuals: Sequence[Counterfactual], days: list[int]
) -> Iterator[str]:
    """The nearest change to each other verdict, what a `Y` rests on, and how near an `N` came, a sentence each.

    The classification is of one patient. `days` are those of the observations that were looked at for the verdict.
    """
    verdict = classification.verdicts[name]
    value = verdict.labels[int(verdict.value[0])]
    lost = [one for one in counterfactuals if one.change == "lost" and value == "Y"]
    nearest: dict[str, Counterfactual] = {}
    for counterfactual in counterfactuals:
        if counterfactual not in lost:
            nearest.setdefault(counterfactual.becomes, counterfactual)
    for counterfactual in nearest.values():
        clause = f": {counterfactual.clause}" if counterfactual.clause else ""
        row = counterfactual.row
        source = f" ({classification.cohort.source_of(row)})" if row != NONE else ""
        yield f"would be {counterfactual.becomes} with {counterfactual.says}{clause}{source}"
    if not counterfactuals:
        decided = VALUES[:2] if verdict.labels == VALUES else verdict.labels  # a best is never Y or N
        others = [label for label in decided if label not in (value, "NE")]
        yield f"none of the changes tried would make it {listed(others, 'or')}"
    if not nearest and value != "Y":
        yield from _nearest_count(classification, classification.criteria.endpoints[name], days)
    yield from _rests_on(lost)


def _rests_on(lost: Sequence[Counterfactual]) -> Iterator[str]:
    """The observations that a `Y` rests on, those of which each verdict depends in one sentence."""
    for becomes in dict.fromkeys(one.becomes for one in lost):
        days = [str(day) for day in sorted(one.day or 0 for one in lost if one.becomes == becomes)]
        if len(days) == 1:
            yield f"rests on the observation of day {days[0]}, without which it would be {becomes}"
        else:
            yield f"rests on the observations of days {listed(days)}, without any of which it would be {becomes}"


def _nearest_count(classification: Classification, model: Endpoint, days: list[int]) -> Iterator[str]:
    """The count that came nearest to what the rule asks of each observation, where no observation meets the rule."""
    cohort, rule = classification.cohort, model.state
    if rule is None or model.is_lost is not None or not len(cohort.day):
        return
    edits = edits_tried(classification.criteria, cohort, np.array([0]))
    edits = edits.at((edits.kind == COUNT) & np.isin(edits.day, days))
    edits = _qualifying(classification, rule, edits)
    if not len(edits):
        return
    best = int(np.argmin(edits.distance))
    row = int(edits.row[best])
    low, high = float(cohort.platelets.low[row]), float(cohort.platelets.high[row])
    was = number_in_words(low) if low == high else "what is known"
    yield (
        f"came nearest on day {edits.day[best]}: a count of {number_in_words(float(edits.count[best]))} "
        f"instead of {was} would qualify there ({cohort.source_of(row)})"
    )


def _qualifying(classification: Classification, rule: Rule, edits: Edits) -> Edits:
    """The edits of counts by which a row meets the rule; none, where one of the rows meets it as it is."""
    criteria, cohort = classification.criteria, classification.cohort
    meets = decide(rule.tree, patient_days_of(criteria, cohort, 0, 1)).true
    if not len(edits) or meets[edits.row].any():
        return edits.at(slice(0))
    after = patient_days_of(criteria, edited(cohort, edits, criteria.file.columns), 0, len(edits))
    return edits.at(decide(rule.tree, after).true[after.begin + edits.row])
