"""Table: counterfactuals in columns, with each edit in words and its line in the source."""

from collections.abc import Callable, Mapping
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
    RESCUE,
    STOPPED,
    Edits,
)
from itp_response.cohort.texts import said, texts
from itp_response.cohort.values import NONE
from itp_response.explanation.counterfactuals.changed_clauses import changed_clauses
from itp_response.explanation.counterfactuals.edits import numbers_before
from itp_response.explanation.counterfactuals.search import Counterfactuals


def counterfactual_table(classification: Classification, counterfactuals: Counterfactuals) -> pl.DataFrame:
    """A row per counterfactual, in their order.

    `patient_id`, `arm`, `endpoint`, `value`, `becomes`, `distance`, `change` (a word of `KINDS`), `day` (null: the edit
    is of the patient), `before` and `after` (counts as texts, or days; null: neither changes), `file`, `line` (null:
    not in the file yet), `says`, `clause` (what then holds that did not before; null: none), `clause_of` (the endpoint
    that has the clause; null: the one asked about has it), `artefact` (the change goes against the endpoint).
    """
    cohort, edits = classification.cohort, counterfactuals.edits
    verdict = classification.verdicts[counterfactuals.endpoint]
    labels = pl.Series(verdict.labels, dtype=pl.String)
    old_day = cohort.day[np.maximum(edits.row, 0)] if len(cohort.day) else edits.day
    in_row = edits.row != NONE
    of_patient = pl.Series(np.isin(edits.kind, (STOPPED, BASELINE)))
    days = texts(old_day), texts(edits.day)
    before, after = _before_and_after(cohort, edits, days)
    file, line = _sources(cohort, edits)
    clauses = changed_clauses(classification, counterfactuals.endpoint, edits)
    is_artefact = pl.Series(counterfactuals.is_artefact)
    says = _edits_in_words(cohort, edits, days, (before, after))
    return pl.DataFrame(
        {
            "patient_id": cohort.id.gather(edits.patient),
            "arm": cohort.arm.gather(edits.patient),
            "endpoint": _repeated(counterfactuals.endpoint, len(edits)),
            "value": labels.gather(verdict.value[edits.patient].astype(np.int64)),
            "becomes": labels.gather(counterfactuals.becomes),
            "distance": np.round(edits.distance, 3),
            "change": pl.Series(KINDS).gather(edits.kind),
            "day": pl.Series(np.where(in_row, old_day, edits.day), dtype=pl.Int64).set(of_patient, None),
            "before": before,
            "after": after,
            "file": file,
            "line": line,
            "says": said("{}{}", says, _artefacts_in_words(clauses.then).set(~is_artefact, "")),
            "clause": clauses.clause,
            "clause_of": clauses.of,
            "artefact": is_artefact,
        }
    )


def _artefacts_in_words(then: pl.Series) -> pl.Series:
    """What is said of an artefact, with what becomes of the endpoint by which it comes about (null: nothing)."""
    alone = _repeated(" (an artefact of two thresholds)", len(then))
    return alone.zip_with(then.is_null(), said(" (an artefact of two thresholds: {})", then))


def clause_in_words(row: Mapping[str, Any], source: str = "") -> str:
    """The clause of a row of the table after a colon, with the endpoint that has it, and the source of the row.

    >>> clause_in_words({"clause": "a count below 30", "clause_of": "OR", "artefact": False}, "visits.csv line 3")
    ': a count below 30 (OR; visits.csv line 3)'
    """
    # An artefact says itself what comes of it; the clause alone would be taken for what is wanted.
    clause = None if row["artefact"] else row["clause"]
    beside = "; ".join(filter(None, [row["clause_of"] if clause else None, source]))
    return f"{f': {clause}' if clause else ''}{f' ({beside})' if beside else ''}"


def _repeated(text: str | None, size: int) -> pl.Series:
    return pl.Series([text], dtype=pl.String).new_from_index(0, size)


def _sources(cohort: Cohort, edits: Edits) -> tuple[pl.Series, pl.Series]:
    """The file and the line of each edited observation; the line is null where the observation is not in the file."""
    not_there = pl.Series((edits.row == NONE) | (edits.kind == ADDED))
    row = np.maximum(edits.row, 0)
    source = cohort.source_row[row] if len(cohort.source_row) else np.zeros(len(edits), dtype=np.int64)
    if cohort.origin is None:
        _, line = cohort.keys(source)
        return _repeated(cohort.source, len(edits)), line.set(not_there, None)
    file, line = cohort.keys(np.where(not_there.to_numpy(), 1, source))
    return file.set(not_there, None), line.set(not_there, None)


def _before_and_after(cohort: Cohort, edits: Edits, days: tuple[pl.Series, pl.Series]) -> tuple[pl.Series, pl.Series]:
    """The count, or of a moved observation the day, before and after each edit; null: neither changes."""
    is_moved = pl.Series(edits.kind == DAY)
    of_count = np.isin(edits.kind, (COUNT, BASELINE))
    before = texts(numbers_before(cohort, edits)).set(pl.Series(~of_count), None)
    after = texts(edits.count).set(pl.Series(~(of_count | (edits.kind == ADDED))), None)
    return days[0].zip_with(is_moved, before), days[1].zip_with(is_moved, after)


def _edits_in_words(
    cohort: Cohort, edits: Edits, days: tuple[pl.Series, pl.Series], values: tuple[pl.Series, pl.Series]
) -> pl.Series:
    """Each edit in words; `days` and `values` are those before and after it."""
    (day, new_day), (before, after) = days, values
    phrases: dict[int, Callable[[], pl.Series]] = {
        COUNT: lambda: said("a count of {} instead of {} on day {}", after, before, day),
        DAY: lambda: said("the observation of day {} moved to day {}", before, after),
        BLEEDING: lambda: said("no bleeding on day {} instead of grade {}", day, _grades(cohort, edits)),
        GRADE: lambda: said("bleeding recorded as absent on day {}", day),
        RESCUE: lambda: said("no rescue treatment{} on day {}", _rescue_names(cohort, edits), day),
        STOPPED: lambda: said("no discontinuation of treatment on day {}", _days_stopped(cohort, edits)),
        LOST: lambda: said("no observation on day {}", day),
        ADDED: lambda: said("an additional count of {} without bleeding on day {}", after, new_day),
        BASELINE: lambda: said("a baseline of {} instead of {}", after, before),
    }
    in_words = _repeated(None, len(edits))
    for kind in np.unique(edits.kind).tolist():
        in_words = in_words.zip_with(pl.Series(edits.kind != kind), phrases[kind]())
    return in_words


def _grades(cohort: Cohort, edits: Edits) -> pl.Series:
    return texts(cohort.bleeding_grade[edits.row])


def _days_stopped(cohort: Cohort, edits: Edits) -> pl.Series:
    return texts(cohort.treatment_discontinued[edits.patient])


def _rescue_names(cohort: Cohort, edits: Edits) -> pl.Series:
    """The name of the rescue treatment of each edit, in parentheses; empty where there is none."""
    names = cohort.courses.name
    unnamed = len(names.labels)
    codes = names.codes[np.maximum(edits.course, 0)] if len(names.codes) else np.full(len(edits), NONE)
    words = pl.Series([*(f" ({label})" for label in names.labels), ""], dtype=pl.String)
    return words.gather(np.where(codes < 0, unnamed, codes))
