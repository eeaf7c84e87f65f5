"""Tipping: the smallest change of one observation that turns a verdict, found by deciding changed copies of patients.

Every copy has one thing changed (`copies`); all are decided as one cohort, and of those whose verdict is another the
nearest stands. What a change can be, and how far it goes, is the same for every kind of endpoint.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.edited import (
    ADDED,
    BASELINE,
    BLEEDING,
    COUNT,
    DAY,
    GRADE,
    KINDS,
    LOST,
    NO_EDITS,
    RESCUE,
    STOPPED,
    Edits,
    edited,
    joined,
)
from itp_response.cohort.texts import said, texts
from itp_response.cohort.values import NONE, Bools, Floats, Ints, Numbers, ranges
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.evaluate import evaluate, patient_days_of
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.in_words import denied_in_words, tree_in_words
from itp_response.evaluation.rules.tree import Rule, Tree, leaves
from itp_response.evaluation.verdicts import Verdict
from itp_response.explanation.counterfactuals.edits import changes

ROWS_AT_ONCE = 500_000
"""So many rows are copied at a time."""
MEASURES = ("time_to", "extent")
"""Kinds that tell a length; a verdict they have only where they ask for one."""


@dataclass(frozen=True)
class Counterfactuals:
    """The changes that turn the verdicts on one endpoint, per patient the smallest of each kind, nearest first."""

    endpoint: str
    changes: Edits
    becomes: Ints
    """(K) Index of the verdict's labels."""

    def at(self, index: Ints | Bools) -> "Counterfactuals":
        return Counterfactuals(self.endpoint, self.changes.at(index), self.becomes[index])

    @property
    def nearest(self) -> "Counterfactuals":
        """Of each patient the smallest change alone."""
        patient = self.changes.patient
        return self.at(np.flatnonzero(np.append(True, patient[1:] != patient[:-1])[: len(patient)]))


def counterfactuals(classification: Classification, patients: Ints, names: Sequence[str]) -> dict[str, Counterfactuals]:
    """What would turn the verdicts of these patients (positions) on these criteria.

    Not asked are patients with dates known only in part, verdicts of `NA`, and criteria that tell a length alone.
    An `N` turns where it would be `Y`, an `NE` where it would be `Y` or `N`, a best where it would be another but `NE`.
    A `Y` turns where it would be `N` or `NA`, and where an observation is lost also where it would be `NE`; a further
    count is not tried of it.
    """
    partial = classification.cohort.partial
    able = patients if partial is None else np.setdiff1d(patients, partial.patient)
    asked = [name for name in names if asks(classification.criteria.endpoints[name])]
    parts: dict[str, list[Counterfactuals]] = {name: [] for name in names}
    for some in _pieces(classification.cohort, able):
        for name, one in _tips(classification, some, asked).items():
            parts[name].append(one)
    return {name: _joined(name, some) for name, some in parts.items()}


def asks(model: Any) -> bool:
    """Whether an endpoint gives a verdict, not a length alone."""
    return model.kind not in MEASURES or getattr(model, "at_least", None) is not None


def _joined(name: str, parts: list[Counterfactuals]) -> Counterfactuals:
    if not parts:
        return Counterfactuals(name, NO_EDITS, np.empty(0, dtype=np.int64))
    return Counterfactuals(name, joined([one.changes for one in parts]), np.concatenate([one.becomes for one in parts]))


def _pieces(cohort: Cohort, patients: Ints) -> Iterator[Ints]:
    """Patients whose copies are decided together: they have some hundred per row."""
    rows = np.diff(cohort.first_row)[patients].astype(np.int64)
    cuts = np.flatnonzero(np.diff(np.cumsum(rows * (rows + 1) * 80) // ROWS_AT_ONCE)) + 1
    yield from (some for some in np.split(patients, cuts) if len(some))


def _tips(classification: Classification, patients: Ints, names: Sequence[str]) -> dict[str, Counterfactuals]:
    """Of some patients; positions are those in the whole cohort."""
    tried = changes(classification.criteria, classification.cohort, patients)
    return {
        name: _nearest(Counterfactuals(name, tried.at(at), becomes))
        for name, at, becomes in _turned(classification, tried, names)
    }


def _turned(classification: Classification, edits: Edits, names: Sequence[str]) -> Iterator[tuple[str, Ints, Ints]]:
    """Of each endpoint which changes turn its verdict, and what it becomes."""
    step = max(1, ROWS_AT_ONCE // max(1, int(np.diff(classification.cohort.first_row).max(initial=1))))
    cuts = [*range(0, len(edits), step), len(edits)]
    decided: list[Mapping[str, Verdict]] = [
        evaluate(
            classification.criteria,
            edited(classification.cohort, edits.at(slice(first, last)), classification.criteria.file.columns),
        )
        for first, last in pairwise(cuts)
    ]
    for name in names:
        own = classification.verdicts[name]
        was = own.value[edits.patient]
        becomes = np.concatenate([np.empty(0, dtype=np.int8), *(one[name].value for one in decided)])
        at = np.flatnonzero(_turns(own.labels, edits.kind, was, becomes))
        yield name, at, becomes[at].astype(np.int64)


def _turns(labels: tuple[str, ...], kind: Ints, was: Ints, becomes: Ints) -> Bools:
    code = {label: place for place, label in enumerate(labels)}
    unknown = becomes == code["NE"]
    if "Y" not in code:  # a best
        found: Bools = (becomes != was) & ~unknown
        return found
    met, failed = becomes == code["Y"], becomes == code["N"]
    undone = ~met & (~unknown | (kind == LOST)) & (kind != ADDED)
    return np.select(
        [was == code["Y"], was == code["N"], was == code["NE"]], [undone, met, met | failed], default=np.False_
    )


def _nearest(one: Counterfactuals) -> Counterfactuals:
    """Per patient, kind and verdict that comes of it the smallest change, nearest first; of losses each."""
    made = one.changes
    key = np.stack([made.patient, made.kind, one.becomes, np.where(made.kind == LOST, made.row, NONE)])
    order = np.lexsort((made.distance, *key[::-1]))
    key = key[:, order]
    kept = order[np.append(True, (key[:, 1:] != key[:, :-1]).any(axis=0))[: len(order)]]
    return one.at(kept[np.lexsort((made.row[kept], made.kind[kept], made.distance[kept], made.patient[kept]))])


def _before(cohort: Cohort, edits: Edits) -> tuple[Floats, Floats]:
    """The count that each change changes, as bounds; NaN: there was none."""
    edges = []
    for name in ("low", "high"):
        counts = getattr(cohort.platelets, name)
        at_row = counts[np.maximum(edits.row, 0)] if len(counts) else np.full(len(edits), np.nan)
        at_row = np.where((edits.row == NONE) | (edits.kind == ADDED), np.nan, at_row)
        edges.append(np.where(edits.kind == BASELINE, getattr(cohort.baseline, name)[edits.patient], at_row))
    return edges[0], edges[1]


# IN WORDS


def frame(classification: Classification, one: Counterfactuals) -> pl.DataFrame:
    """The changes in words, a row each.

    `patient_id`, `arm`, `endpoint`, `value`, `becomes`, `distance`, `change` (a word of `KINDS`), `day` (null: it is
    of the patient), `before` and `after` (counts as texts, or days; null: neither), `file`, `line` (null: not in the
    file yet), `says`, `clause` (what then holds that did not before; null: none).
    """
    cohort, made, own = classification.cohort, one.changes, classification.verdicts[one.endpoint]
    rows = made.row != NONE
    source = cohort.source_row[np.maximum(made.row, 0)] if len(cohort.source_row) else np.zeros(len(made), np.int64)
    seen = rows & (made.kind != ADDED)
    word, line = cohort.keys(np.where(seen, source, 1) if cohort.origin is not None else source)
    file = pl.Series([cohort.source], dtype=pl.String).new_from_index(0, len(made)) if cohort.origin is None else word
    labels = pl.Series(own.labels, dtype=pl.String)
    old_day = cohort.day[np.maximum(made.row, 0)] if len(cohort.day) else made.day
    of_patient = np.isin(made.kind, (STOPPED, BASELINE))
    low, high = _before(cohort, made)
    counted = np.isin(made.kind, (COUNT, BASELINE))
    before, after = (
        _texts(counted, Numbers(low, high)),
        _texts(np.isin(made.kind, (COUNT, ADDED, BASELINE)), made.count),
    )
    moved = pl.Series(made.kind == DAY)
    before = texts(old_day).zip_with(moved, before)
    after = texts(made.day).zip_with(moved, after)
    return pl.DataFrame(
        {
            "patient_id": cohort.id.gather(made.patient),
            "arm": cohort.arm.gather(made.patient),
            "endpoint": pl.Series([one.endpoint], dtype=pl.String).new_from_index(0, len(made)),
            "value": labels.gather(own.value[made.patient].astype(np.int64)),
            "becomes": labels.gather(one.becomes),
            "distance": np.round(made.distance, 3),
            "change": pl.Series(KINDS).gather(made.kind),
            "day": pl.Series(np.where(rows, old_day, made.day), dtype=pl.Int64).set(pl.Series(of_patient), None),
            "before": before,
            "after": after,
            "file": file.set(pl.Series(~seen), None) if cohort.origin is not None else file,
            "line": line.set(pl.Series(~seen), None),
            "says": _says(cohort, made, old_day, before, after),
            "clause": _clauses(classification, one),
        }
    )


def _texts(where: Bools, numbers: Numbers | Floats) -> pl.Series:
    return texts(numbers).set(~_series(where), None)


def _series(values: Any) -> pl.Series:
    return pl.Series(values)


def _says(cohort: Cohort, edits: Edits, old_day: Ints, before: pl.Series, after: pl.Series) -> pl.Series:
    day = texts(old_day)
    grade = texts(cohort.bleeding_grade[np.maximum(edits.row, 0)]) if len(cohort.day) else day
    names = cohort.courses.name
    codes = names.codes[np.maximum(edits.course, 0)] if len(names.codes) else np.full(len(edits), -1)
    name = pl.Series([*(f" ({label})" for label in names.labels), ""], dtype=pl.String).gather(
        np.where(codes < 0, len(names.labels), codes)
    )
    stopped = texts(np.where(edits.kind == STOPPED, cohort.treatment_discontinued[edits.patient], 0.0))
    phrases = {
        COUNT: said("a count of {} instead of {} on day {}", after, before, day),
        DAY: said("the observation of day {} on day {} instead", before, after),
        BLEEDING: said("no bleeding on day {}, where there was grade {}", day, grade),
        GRADE: said("bleeding known to be absent on day {}", day),
        RESCUE: said("no rescue treatment{} on day {}", name, day),
        STOPPED: said("treatment not discontinued on day {}", stopped),
        LOST: said("no observation on day {}", day),
        ADDED: said("one more count, of {} without bleeding, on day {}", after, texts(edits.day)),
        BASELINE: said("a baseline of {} instead of {}", after, before),
    }
    says = pl.Series([None], dtype=pl.String).new_from_index(0, len(edits))
    for kind, phrase in phrases.items():
        says = says.zip_with(pl.Series(edits.kind != kind), phrase)
    return says


def _clauses(classification: Classification, one: Counterfactuals) -> pl.Series:
    """The first clause that comes out otherwise at some observation, in words, as it then is; null: none.

    Clauses are looked at in the order of the file, first those of the endpoint, then those of what it rests on.
    """
    made, size = one.changes, len(one.changes)
    clauses = clauses_of(classification.criteria, one.endpoint)
    rows = patient_days_of(classification.criteria, classification.cohort, 0, len(classification.cohort))
    # These have the rows that the patient has.
    same = np.flatnonzero(
        np.isin(made.kind, (COUNT, BLEEDING, GRADE, BASELINE)) | ((made.kind == ADDED) & (made.row != NONE))
    )
    changed = patient_days_of(
        classification.criteria,
        edited(classification.cohort, made.at(same), classification.criteria.file.columns),
        0,
        len(same),
    )
    patient = made.patient[same]
    _, before = ranges(classification.cohort.first_row[patient], classification.cohort.first_row[patient + 1])
    itself = before == made.row[same][changed.patient]
    chosen, holds = np.full(size, NONE), np.zeros(size, dtype=np.bool_)
    # What a changed baseline does to other observations tells more than what it is itself.
    for where in (~itself, itself):
        for number, leaf in enumerate(clauses):
            was, is_ = decide(leaf, rows), decide(leaf, changed)
            flips = where & ((is_.true & ~was.true[before]) | (is_.false & ~was.false[before]))
            row = changed.first_of_each(flips)
            new = np.flatnonzero((row != NONE) & (chosen[same] == NONE))
            chosen[same[new]] = number
            holds[same[new]] = is_.true[row[new]]
    words = pl.Series([*map(tree_in_words, clauses), *map(denied_in_words, clauses)], dtype=pl.String)
    place = pl.Series(np.where(holds, chosen, chosen + len(clauses)))
    return words.gather(place.set(pl.Series(chosen == NONE), None))


def clauses_of(criteria: Criteria, name: str) -> list[Tree]:
    """The clauses of an endpoint and of those it rests on that are asked of observations."""
    names, found = [name], []
    for one in names:
        model = criteria.endpoints[one]
        for key in type(model).model_fields:
            rule = getattr(model, key)
            if isinstance(rule, Rule) and key != "unless" and not (model.kind == "combined" and key == "when"):
                found += list(leaves(rule.tree))
        names += [other for other in model.references().values() if other not in names]
    return list(dict.fromkeys(found))
