"""Search: the smallest edits that change verdicts, found by deciding edited copies of patients.

Each copy has one edit, and all copies are decided as one cohort. Of the edits that change a verdict the first by the
`ranking` are kept. Which edits are tried, and how far they go, is the same for every kind of endpoint.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.edited import (
    ADDED,
    BASELINE,
    COUNT,
    LOST,
    NO_EDITS,
    ROWS_AT_ONCE,
    Edits,
    joined,
)
from itp_response.cohort.values import NONE, Bools, Floats, Ints
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.endpoints.account import Account
from itp_response.evaluation.evaluate import numbers_of_completions, patient_days_of, with_a_day_0
from itp_response.evaluation.verdicts import NA, VALUES, Verdict
from itp_response.explanation.counterfactuals.edits import edits_tried, rises
from itp_response.explanation.counterfactuals.outcomes import Asked, Outcomes
from itp_response.explanation.counterfactuals.ranking import ARTEFACT, keys_of_added, ways

TRIED_TOGETHER = 20 * ROWS_AT_ONCE
"""The rows of all copies of the patients whose edits are made together."""
RANKED_TOGETHER = 10 * TRIED_TOGETHER
"""Of those whose edits that change a verdict are ranked together: they are few of all."""
MOST_ROWS = 1_500
"""The observations of a patient whose edits are tried, at most; each edit is a copy of all. Four years of days."""
MOST_DECIDED = 10_000
"""Those of a copy in all ways in which its censored counts are completed, at most."""
EDITS_PER_ROW = 80
"""About how many edits are tried of a row."""


@dataclass(frozen=True)
class Counterfactuals:
    """The edits (K) that change the verdicts on one endpoint.

    Of each patient, kind of edit and new verdict only the first by the `ranking` is there; of lost observations all
    are there. They are in the order of patients, and those of a patient in that of the ranking.
    """

    endpoint: str
    edits: Edits
    becomes: Ints
    """(K) The new verdict, as an index of the verdict's labels."""
    is_artefact: Bools
    """(K) The edit goes against the direction of the endpoint, and changes the verdict only as two thresholds cross."""

    def __len__(self) -> int:
        return len(self.edits)

    def at(self, index: Ints | Bools) -> "Counterfactuals":
        return Counterfactuals(self.endpoint, self.edits.at(index), self.becomes[index], self.is_artefact[index])

    @property
    def first(self) -> "Counterfactuals":
        """The first edit of each patient."""
        patient = self.edits.patient
        first = np.ones(len(patient), dtype=np.bool_)
        first[1:] = patient[1:] != patient[:-1]
        return self.at(first)


def find_counterfactuals(
    classification: Classification,
    patients: Ints,
    names: Sequence[str],
    tried: Callable[[Cohort, Edits], Bools] | None = None,
) -> dict[str, Counterfactuals]:
    """What would change the verdicts of these patients (positions, in order) on each of these endpoints.

    An `N` changes where it would be `Y`, an `NE` where it would be `Y` or `N`, a `best` where it would be another
    verdict but `NE`. A `Y` changes where it would be `N` or `NA`, and where an observation is lost also where it would
    be `NE`; a further count is not tried of a `Y`.
    There are none of patients with partial dates or with something left out, of those with more than `MOST_ROWS`
    observations, or `MOST_DECIDED` in all ways in which censored counts are completed, of verdicts of `NA`, and of
    endpoints that are a length of time.
    `tried` says which edits are tried; None: all.
    """
    of_these = np.isin(np.arange(len(classification.cohort)), patients)
    of_these[not_searched(classification.criteria, classification.cohort)] = False
    with_verdict = [name for name in names if not classification.criteria.endpoints[name].is_length]
    found = _found(classification, dict.fromkeys(with_verdict, of_these), tried)
    return {name: found[name] if name in found else _joined(name, []) for name in names}


def nearest_counterfactuals(classification: Classification, asked: Asked) -> dict[str, Counterfactuals]:
    """Of what `find_counterfactuals` finds the first for each verdict asked about, none of a patient `not_searched`."""
    return {name: found.first for name, found in _found(classification, asked).items()}


def _found(
    classification: Classification, asked: Asked, tried: Callable[[Cohort, Edits], Bools] | None = None
) -> dict[str, Counterfactuals]:
    """What would change the verdicts asked about; `tried` says by which edits, None: by any."""
    cohort = classification.cohort
    asked = {name: of & _can_change(classification.verdicts[name]) for name, of in asked.items()}
    accounts = _accounts(classification, list(asked))
    parts: dict[str, list[Counterfactuals]] = {name: [] for name in asked}
    for ranked in _pieces(cohort, np.flatnonzero(np.logical_or.reduce(list(asked.values()))), RANKED_TOGETHER):
        changing: dict[str, list[tuple[Edits, Ints]]] = {name: [] for name in asked}
        for piece in _pieces(cohort, ranked, TRIED_TOGETHER):
            for name, of_piece in _changing(classification, piece, asked, tried):
                changing[name].append(of_piece)
        for name, of_name in changing.items():
            together = joined([edits for edits, _ in of_name])
            becomes = np.concatenate([of_part for _, of_part in of_name])
            parts[name].append(_offered(classification, accounts[name], name, together, becomes))
    return {name: _joined(name, of_name) for name, of_name in parts.items()}


def _can_change(verdict: Verdict) -> Bools:
    """(P) The patients whose verdict on an endpoint may be changed by an edit."""
    return verdict.value != NA if verdict.labels == VALUES else np.ones(len(verdict.value), dtype=np.bool_)


def with_many_rows(criteria: Criteria, cohort: Cohort) -> Ints:
    """The patients (positions) with more observations than are edited one by one."""
    rows = np.diff(cohort.first_row)
    many = (rows > MOST_ROWS) | (rows * numbers_of_completions(criteria, cohort) > MOST_DECIDED)
    return np.flatnonzero(many)


def not_searched(criteria: Criteria, cohort: Cohort) -> Ints:
    """The patients (positions) for whom no counterfactuals are looked for, whatever their verdicts."""
    return np.union1d(cohort.incomplete, with_many_rows(criteria, cohort))


def _accounts(classification: Classification, names: Sequence[str]) -> dict[str, Account]:
    """What the rows of the cohort did for each of these endpoints."""
    criteria, verdicts = classification.criteria, classification.verdicts
    cohort = with_a_day_0(classification.cohort)
    patient_days = patient_days_of(criteria, cohort, 0, len(cohort))
    return {name: criteria.endpoints[name].account(patient_days, verdicts, verdicts[name]) for name in names}


def _joined(name: str, parts: list[Counterfactuals]) -> Counterfactuals:
    if not parts:
        return Counterfactuals(name, NO_EDITS, np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_))
    becomes = np.concatenate([part.becomes for part in parts])
    is_artefact = np.concatenate([part.is_artefact for part in parts])
    return Counterfactuals(name, joined([part.edits for part in parts]), becomes, is_artefact)


def _pieces(cohort: Cohort, patients: Ints, size: int) -> Iterator[Ints]:
    """The patients in pieces; the edited copies of each have about that number of rows."""
    rows = np.diff(cohort.first_row)[patients].astype(np.int64)
    piece = np.cumsum(rows * (rows + 1) * EDITS_PER_ROW) // size
    cuts = np.flatnonzero(np.diff(piece)) + 1
    yield from (part for part in np.split(patients, cuts) if len(part))


def _changing(
    classification: Classification, patients: Ints, asked: Asked, tried: Callable[[Cohort, Edits], Bools] | None
) -> Iterator[tuple[str, tuple[Edits, Ints]]]:
    """For each endpoint the edits of these patients that change a verdict asked about, and the index of the new one."""
    criteria, cohort = classification.criteria, classification.cohort.select(patients)
    was = {name: verdict.value[patients] for name, verdict in classification.verdicts.items()}
    asked = {name: of[patients] for name, of in asked.items()}
    edits = edits_tried(criteria, cohort, np.arange(len(cohort)))
    if tried is not None:
        edits = edits.at(tried(cohort, edits))
    decided, values, by = Outcomes.of(criteria, cohort, edits, was, asked)
    changes = {}
    for name, of in asked.items():
        labels = classification.verdicts[name].labels
        is_changed = _is_changed(labels, decided.kind, was[name][decided.patient], values[name])
        changes[name] = of[decided.patient] & is_changed
    any_changes = np.append(np.logical_or.reduce(list(changes.values())), False)
    changing = np.flatnonzero(any_changes[by])
    edits, by = _of_the_whole(edits.at(changing), cohort, classification.cohort, patients), by[changing]
    for name, of_name in changes.items():
        index = np.flatnonzero(of_name[by])
        yield name, (edits.at(index), values[name][by[index]].astype(np.int64))


def _of_the_whole(edits: Edits, selected: Cohort, cohort: Cohort, patients: Ints) -> Edits:
    """Edits of the patients selected from a cohort (positions) as edits of the cohort."""
    first_courses = [np.searchsorted(one.courses.row, one.first_row[:-1]) for one in (selected, cohort)]
    further_rows = cohort.first_row[patients] - selected.first_row[:-1]
    further_courses = first_courses[1][patients] - first_courses[0]
    return replace(
        edits,
        patient=patients[edits.patient],
        row=np.where(edits.row == NONE, NONE, edits.row + further_rows[edits.patient]),
        course=np.where(edits.course == NONE, NONE, edits.course + further_courses[edits.patient]),
    )


def _is_changed(labels: tuple[str, ...], kind: Ints, was: Ints, becomes: Ints) -> Bools:
    """Which edits change a verdict; `labels` are its words, `was` and `becomes` indices of them."""
    not_evaluable = becomes == labels.index("NE")
    if "Y" not in labels:  # a best
        differs: Bools = (becomes != was) & ~not_evaluable
        return differs
    yes, no = labels.index("Y"), labels.index("N")
    met, failed = becomes == yes, becomes == no
    undone = ~met & (~not_evaluable | (kind == LOST)) & (kind != ADDED)
    return np.select([was == yes, was == no, was == labels.index("NE")], [undone, met, met | failed], default=np.False_)


def _offered(
    classification: Classification, account: Account, name: str, edits: Edits, becomes: Ints
) -> Counterfactuals:
    """Of each patient, kind and new verdict the first by the ranking, in its order; of lost observations each.

    An artefact is left out where another edit gives the same verdict.
    """
    nearest = _nearest_counts(classification.cohort, edits, becomes)
    edits, becomes = edits.at(nearest), becomes[nearest]
    way = ways(classification, name, edits, becomes)
    lost_row = np.where(edits.kind == LOST, edits.row, NONE)
    alike = np.stack([edits.patient, edits.kind, becomes, lost_row])
    first = _first_of_each(alike, [way, *keys_of_added(classification, account, name, edits), edits.distance])
    first = first[(way[first] != ARTEFACT) | _is_all_there_is(edits.patient[first], becomes[first], way[first])]
    order = first[np.lexsort([key[first] for key in (edits.row, edits.kind, edits.distance, way, edits.patient)])]
    return Counterfactuals(name, edits.at(order), becomes[order], way[order] == ARTEFACT)


def _nearest_counts(cohort: Cohort, edits: Edits, becomes: Ints) -> Ints:
    """The edits without those of a count or baseline farther the same way than need be for the same verdict."""
    of_count = np.isin(edits.kind, (COUNT, BASELINE))
    index = np.flatnonzero(of_count)
    counts = edits.at(index)
    alike = np.stack([counts.patient, counts.row, becomes[index], rises(cohort, counts)])
    return np.union1d(np.flatnonzero(~of_count), index[_first_of_each(alike, [counts.distance])])


def _first_of_each(alike: Ints, keys: Sequence[Ints | Floats]) -> Ints:
    """Of the entries with the same values of `alike` the first by the keys, of which the first counts most."""
    order = np.lexsort([*reversed(keys), *alike[::-1]])
    alike = alike[:, order]
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (alike[:, 1:] != alike[:, :-1]).any(axis=0)
    return order[first]


def _is_all_there_is(patient: Ints, becomes: Ints, way: Ints) -> Bools:
    """Whether artefacts alone give the patient that verdict."""
    entries = pl.DataFrame({"patient": patient, "becomes": becomes, "way": way})
    return entries.select(pl.col("way").min().over("patient", "becomes") == ARTEFACT)["way"].to_numpy()
