"""In words: what would change a verdict on one patient, in sentences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from itp_response.classification.classification import Classification
from itp_response.cohort.edited import ADDED, COUNT, GRADE, Edits, edited, in_pieces
from itp_response.cohort.texts import count_in_words
from itp_response.cohort.values import NONE, Ints
from itp_response.evaluation.endpoints.account import QUALIFIES, TOO_SOON
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.tree import Rule
from itp_response.evaluation.verdicts import VALUES
from itp_response.explanation.counterfactuals.edits import edits_tried
from itp_response.explanation.counterfactuals.search import Counterfactuals
from itp_response.explanation.counterfactuals.table import clause_in_words, counterfactual_table
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
    clause_of: str | None
    """The endpoint that has the clause; None: the one asked about has it."""
    artefact: bool
    """The change goes against the endpoint's direction, and does it only as two thresholds cross."""
    row: int
    """The row of the cohort; -1: it is in none."""


def each_counterfactual(classification: Classification, counterfactuals: Counterfactuals) -> tuple[Counterfactual, ...]:
    """The counterfactuals of a classification of one patient, first by the ranking."""
    edits = counterfactuals.edits
    rows = np.where(edits.kind == ADDED, NONE, edits.row).tolist()
    columns = [field.name for field in fields(Counterfactual) if field.name != "row"]
    table = counterfactual_table(classification, counterfactuals).select(columns)
    return tuple(Counterfactual(**cells, row=row) for cells, row in zip(table.iter_rows(named=True), rows, strict=True))


def sentences(classification: Classification, name: str, counterfactuals: Sequence[Counterfactual]) -> Iterator[str]:
    """The first change to each other verdict, what a `Y` rests on, and how near an `N` came, a sentence each.

    The classification is of one patient.
    """
    verdict = classification.verdicts[name]
    value = verdict.labels[int(verdict.value[0])]
    lost = [one for one in counterfactuals if one.change == "lost" and value == "Y"]
    first: dict[str, Counterfactual] = {}
    for counterfactual in counterfactuals:
        if counterfactual not in lost:
            first.setdefault(counterfactual.becomes, counterfactual)
    for counterfactual in first.values():
        row = counterfactual.row
        source = classification.cohort.source_of(row) if row != NONE else ""
        clause = clause_in_words(vars(counterfactual), source)
        yield f"the result would be {counterfactual.becomes} with {counterfactual.says}{clause}"
    if not counterfactuals:
        decided = VALUES[:2] if verdict.labels == VALUES else verdict.labels  # a best is never Y or N
        others = [label for label in decided if label not in (value, "NE", "NA")]
        yield f"no single change tried would make the result {listed(others, 'or')}"
    if not first and value != "Y":
        yield from _nearest_count(classification, name)
    yield from _rests_on(lost)


def _rests_on(lost: Sequence[Counterfactual]) -> Iterator[str]:
    """The observations that a `Y` rests on, those of which each verdict depends in one sentence."""
    for becomes in dict.fromkeys(one.becomes for one in lost):
        days = [str(day) for day in sorted(one.day or 0 for one in lost if one.becomes == becomes)]
        if len(days) == 1:
            yield f"depends on the observation of day {days[0]}; without it the result would be {becomes}"
        else:
            without = f"without any one of them the result would be {becomes}"
            yield f"depends on the observations of days {listed(days)}; {without}"


def _nearest_count(classification: Classification, name: str) -> Iterator[str]:
    """The count that came nearest to what the rule asks of each observation, where no observation counted.

    Of the observations that could have counted; one that would if its bleeding were known comes first.
    """
    cohort, model = classification.cohort, classification.criteria.endpoints[name]
    could_count = _could_count(classification, name)
    if model.state is None or model.is_lost or not len(could_count):
        return
    edits = edits_tried(classification.criteria, cohort, np.array([0]))
    edits = edits.at(np.isin(edits.kind, (COUNT, GRADE)) & np.isin(edits.row, could_count))
    edits = _qualifying(classification, model.state, edits)
    if not len(edits):
        return
    best = np.lexsort((edits.distance, edits.kind != GRADE))[0]
    row, day = int(edits.row[best]), edits.day[best]
    was = count_in_words(float(cohort.platelets.low[row]), float(cohort.platelets.high[row]))
    if edits.kind[best] == GRADE:
        nearest = f"a count of {was} would qualify if bleeding had been recorded as absent"
    else:
        nearest = f"a count of {number_in_words(float(edits.count[best]))} instead of {was} would qualify"
    yield f"closest on day {day}: {nearest} ({cohort.source_of(row)})"


def _could_count(classification: Classification, name: str) -> Ints:
    """The rows that could have counted for the endpoint and did not; none, where one counted."""
    criteria, verdicts = classification.criteria, classification.verdicts
    patient_days = patient_days_of(criteria, classification.cohort, 0, 1)
    account = criteria.endpoints[name].account(patient_days, verdicts, verdicts[name])
    counted = np.isin(account.part, (QUALIFIES, TOO_SOON)).any()
    return np.flatnonzero(account.could_count() & ~counted)


def _qualifying(classification: Classification, rule: Rule, edits: Edits) -> Edits:
    """The edits by which a row meets the rule."""
    criteria, cohort = classification.criteria, classification.cohort
    if not len(edits):
        return edits
    qualifies = np.zeros(len(edits), dtype=np.bool_)
    for piece in in_pieces(cohort, edits):
        of_piece = edits.at(piece)
        after = patient_days_of(criteria, edited(cohort, of_piece, criteria.file.columns), 0, len(of_piece))
        qualifies[piece] = decide(rule.tree, after).true[after.begin + of_piece.row]
    return edits.at(qualifies)
