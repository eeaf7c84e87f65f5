"""Changed clauses: the clause of an endpoint by whose turning an edit changes a verdict, in words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.classification.classification import Classification
from itp_response.cohort.edited import BASELINE, BLEEDING, COUNT, GRADE, Edits, edited, in_pieces
from itp_response.cohort.values import NONE, Bools, Ints
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.evaluate import evaluate, patient_days_of
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.in_words import denied_in_words, tree_in_words
from itp_response.evaluation.rules.tree import Tree, leaves, names_in
from itp_response.evaluation.verdicts import ROWS, VerdictsByName
from itp_response.explanation.counterfactuals.edits import numbers_before
from itp_response.explanation.counterfactuals.limits import count_step

IN_CLAUSES = (COUNT, BLEEDING, GRADE, BASELINE)
"""Edits that change what clauses say of a row; the others change when or how often a clause holds."""


class ChangedClauses(NamedTuple):
    """By whose turning each of some edits (K) changes the verdict on an endpoint."""

    clause: pl.Series
    """(K) The clause, as it then holds, in words; null: it is when or how often a clause holds that decides."""
    of: pl.Series
    """(K) The endpoint that has it, where the one asked about rests on that and has not the same clause itself."""
    then: pl.Series
    """(K) What becomes of that endpoint, `OR then begins later`; null: nothing, or it is the one asked about."""
    of_baseline: Bools
    """(K) The clause names the baseline."""
    is_relative: Bools
    """(K) It compares a count with it."""


def changed_clauses(classification: Classification, name: str, edits: Edits) -> ChangedClauses:
    """The clause by which each of these edits changes the verdict on the endpoint.

    Of the endpoints that this one rests on, in the order in which they are decided, it is one of the first whose
    verdict or evidence the edit changes, and turns at the edited row; where it is the baseline that changes, at a row
    of the evidence, else at another. A count is held against one a step nearer to what was observed, with which the
    verdict is as it was: only what turns between these two decides.
    """
    compared = np.flatnonzero(np.isin(edits.kind, IN_CLAUSES))
    clauses: list[_Clause] = []
    chosen = np.full(len(edits), NONE)
    then = np.full(len(edits), None, dtype=object)
    for piece in in_pieces(classification.cohort, edits.at(compared)) if len(compared) else ():
        at = compared[piece]
        pair = _Pair.of(classification, edits.at(at))
        of_piece, chosen_of_piece, then[at] = _chosen(classification.criteria, name, pair)
        chosen[at] = np.where(chosen_of_piece == NONE, NONE, chosen_of_piece + len(clauses))
        clauses += of_piece
    own = {(clause.tree, clause.holds) for clause in clauses if clause.endpoint == name}
    of = [None if (clause.tree, clause.holds) in own else clause.endpoint for clause in clauses]
    named = [set(names_in(clause.tree)) for clause in clauses]
    of_baseline = np.array([*("baseline" in names for names in named), False], dtype=np.bool_)
    is_relative = np.array([*({"baseline", "platelets"} <= names for names in named), False], dtype=np.bool_)
    return ChangedClauses(
        _gathered([clause.words for clause in clauses], chosen),
        _gathered(of, chosen),
        pl.Series(then.tolist(), dtype=pl.String),
        of_baseline[chosen],
        is_relative[chosen],
    )


def _gathered(texts: Sequence[str | None], index: Ints) -> pl.Series:
    """The text at each index; null at -1."""
    return pl.Series([*texts, None], dtype=pl.String).gather(np.where(index == NONE, len(texts), index))


@dataclass(frozen=True)
class _Clause:
    """A clause of an endpoint that turned, to true or to false."""

    endpoint: str
    tree: Tree
    holds: bool

    @property
    def words(self) -> str:
        return tree_in_words(self.tree) if self.holds else denied_in_words(self.tree)


@dataclass(frozen=True)
class _Pair:
    """The patients of some edits (K) just before and just after what decides, row by row the same, and the verdicts."""

    before: PatientDays
    after: PatientDays
    was: VerdictsByName
    becomes: VerdictsByName
    is_edited: Bools
    """(N) The row is the edited one."""

    @classmethod
    def of(cls, classification: Classification, edits: Edits) -> "_Pair":
        criteria, cohort = classification.criteria, classification.cohort
        before = edited(cohort, _a_step_before(classification, edits), criteria.file.columns)
        after = edited(cohort, edits, criteria.file.columns)
        rows = patient_days_of(criteria, after, 0, len(edits))
        return cls(
            patient_days_of(criteria, before, 0, len(edits)),
            rows,
            evaluate(criteria, before),
            evaluate(criteria, after),
            after.source_row == edits.row[rows.patient],
        )

    def changes(self, name: str) -> Bools:
        """(K) Whether the verdict on an endpoint, or its evidence, is another."""
        was, becomes = self.was[name], self.becomes[name]
        changes: Bools = was.value != becomes.value
        for field in ROWS:
            changes = changes | (getattr(was, field) != getattr(becomes, field))
        return changes

    def is_evidence(self, name: str) -> Bools:
        """(N) Whether a row is evidence of the verdict on an endpoint, before or after."""
        is_evidence = np.zeros(len(self.after.day) + 1, dtype=np.bool_)
        for verdict in (self.was[name], self.becomes[name]):
            for field in ROWS:
                is_evidence[getattr(verdict, field)] = True
        # The last entry stands for the rows that there are not.
        return is_evidence[:-1]

    def turned(self, tree: Tree) -> tuple[Bools, Bools]:
        """(N) Whether a clause comes true, and whether it comes false, at each row."""
        was, becomes = decide(tree, self.before), decide(tree, self.after)
        return becomes.true & ~was.true, becomes.false & ~was.false


def _a_step_before(classification: Classification, edits: Edits) -> Edits:
    """The edits of counts and baselines, a step short; where there is no step between, none."""
    observed = numbers_before(classification.cohort, edits)
    step = count_step(classification.cohort)[edits.patient]
    count = edits.count + np.where(edits.count > observed.high, -step, step)
    is_between = (count > observed.high) & (edits.count > observed.high)
    is_between |= (count < observed.low) & (edits.count < observed.low)
    kind = np.where(is_between & np.isin(edits.kind, (COUNT, BASELINE)), edits.kind, NONE)
    return replace(edits, kind=kind, count=np.round(count, 1))


def _chosen(criteria: Criteria, name: str, pair: _Pair) -> tuple[list[_Clause], Ints, NDArray[np.object_]]:
    """Clauses; which of them decides for each edit (-1: none does); and what becomes of its endpoint."""
    clauses: list[_Clause] = []
    chosen = np.full(pair.after.patients, NONE)
    then = np.full(pair.after.patients, None, dtype=object)
    for endpoint in _rests_on(criteria, name):
        is_open = (chosen == NONE) & pair.changes(endpoint)
        is_evidence = pair.is_evidence(endpoint)
        # What a changed baseline does to other observations tells more than what it is itself.
        for rows in (is_evidence & ~pair.is_edited, ~pair.is_edited, pair.is_edited):
            for tree in _clauses_of(criteria, endpoint):
                comes_true, comes_false = pair.turned(tree)
                first = pair.after.first_of_each(rows & (comes_true | comes_false))
                new = np.flatnonzero((first != NONE) & is_open & (chosen == NONE))
                chosen[new] = len(clauses) + comes_false[first[new]]
                clauses += [_Clause(endpoint, tree, holds) for holds in (True, False)]
        if endpoint != name:
            new = is_open & (chosen != NONE)
            then[new] = _consequence(criteria, endpoint, pair)[new]
    return clauses, chosen, then


def _rests_on(criteria: Criteria, name: str) -> list[str]:
    """The endpoints that one rests on, and itself, in the order in which they are decided."""
    names = [name]
    for reached in names:
        names += [other for other in criteria.endpoints[reached].references().values() if other not in names]
    return [other for other in criteria.order if other in names]


def _clauses_of(criteria: Criteria, name: str) -> list[Tree]:
    """The clauses of an endpoint that are asked of observations and patients."""
    rules = [rule for _, rule, of in criteria.endpoints[name].rules() if of != "endpoints"]
    return list(dict.fromkeys(leaf for rule in rules for leaf in leaves(rule.tree)))


def _consequence(criteria: Criteria, name: str, pair: _Pair) -> NDArray[np.object_]:
    """(K) What becomes of an endpoint: another verdict, or another day; None: only its further evidence changes."""
    was, becomes = pair.was[name], pair.becomes[name]
    day_before, day_after = (pair.after.day_of(verdict.dated) for verdict in (was, becomes))
    comes = "begins" if criteria.endpoints[name].begins_on_a_day else "comes"
    then = np.full(pair.after.patients, None, dtype=object)
    then[day_after > day_before] = f"{name} then {comes} later"
    then[day_after < day_before] = f"{name} then {comes} earlier"
    values = np.array([f"{name} is then {label}" for label in becomes.labels], dtype=object)
    return np.where(was.value != becomes.value, values[becomes.value], then)
