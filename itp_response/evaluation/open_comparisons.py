"""Open comparisons: those with a value at another row that is known only within bounds, and that these do not decide.

Counts behind a function are not completed, since one count is seen from many rows. What is completed is the truth of
the comparison, on each row by itself. That allows for more than the counts do, so no verdict is given too much.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import Bools, Floats, Ints, Truths, ranges
from itp_response.evaluation.completions import ROWS_AT_ONCE, Completions, chosen, in_batches
from itp_response.evaluation.criteria_set import CriteriaSet
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import Observed, decide, numbers
from itp_response.evaluation.rules.tree import (
    Arithmetic,
    AtRow,
    Constant,
    Relation,
    Rule,
    Term,
    Tree,
    leaves,
    observed_in,
    opened,
    other_rows_in,
)

AS_DECIDED, TRUE, FALSE, UNKNOWN = range(4)
"""What is supposed of a comparison on a row."""


def row_rules(criteria: CriteriaSet) -> list[Rule]:
    """The rules of all endpoints over what was observed on a day, each once."""
    return list(dict.fromkeys(rule for model in criteria.endpoints.values() for rule in model.row_rules()))


def seeing_other_rows(tree: Tree) -> list[Relation]:
    """The comparisons of a rule that have a value at another row, each once."""
    return list(dict.fromkeys(leaf for leaf in leaves(tree) if isinstance(leaf, Relation) and other_rows_in(leaf)))


def left_open_by(tree: Tree, observed: PatientDays) -> Bools:
    """(N) Where a rule is unknown that has an open comparison."""
    is_open = np.zeros(len(observed.day), dtype=np.bool_)
    for _, rows in _open_in(tree, observed):
        is_open |= rows
    return is_open


def _open_in(tree: Tree, observed: PatientDays) -> Iterator[tuple[Relation, Bools]]:
    """The comparisons of a rule with a value at another row, and (N) where they are open and the rule is unknown."""
    for relation in seeing_other_rows(tree):
        yield relation, _open_on(relation, observed) & decide(tree, observed).unknown


def _open_on(relation: Relation, observed: Observed) -> Bools:
    """(N) Where a comparison is unknown although all that it names has a value, a function only within bounds."""
    named = [(value, numbers(value, observed)) for value in observed_in(relation)]
    has_values = np.logical_and.reduce([~np.isnan(of.low) for _, of in named])
    within_bounds = np.logical_or.reduce([of.low < of.high for value, of in named if isinstance(value, AtRow)])
    is_open: Bools = decide(relation, observed).unknown & has_values & within_bounds
    return is_open


def suppose(patient_days: PatientDays, supposed: Mapping[Relation, Ints]) -> None:
    """Let comparisons be true, false or unknown where that is supposed, by rows of the cohort."""
    for relation, of_rows in supposed.items():
        here = of_rows[patient_days.offset : patient_days.offset + len(patient_days.day)]
        truths = decide(relation, patient_days)
        patient_days.decided[relation] = Truths(
            np.where(here == AS_DECIDED, truths.true, here == TRUE),
            np.where(here == AS_DECIDED, truths.false, here == FALSE),
        )


class OpenComparisons:
    """The open comparisons of a cohort on each row, as far as a rule depends on them."""

    def __init__(self, criteria: CriteriaSet, cohort: Cohort, patient_days: PatientDays) -> None:
        self._cohort = cohort
        matters = _where_they_matter(criteria, patient_days)
        self._relations = list(matters)
        place, row = np.nonzero(np.stack(list(matters.values()))) if matters else (np.empty(0, np.int64),) * 2
        order = np.argsort(row, kind="stable")
        self._place, self._row = place[order], row[order]
        """The comparison, by its place among them, and the row: item by item."""
        self._patient: Ints = cohort.patient[self._row]
        options = [UNKNOWN if _divides(relation) else FALSE for relation in self._relations]
        self._options: Ints = np.array(options, dtype=np.int64)[self._place]
        self.numbers: Floats = np.ones(len(cohort))
        """The number of completions of each patient."""
        np.multiply.at(self.numbers, self._patient, self._options)

    def completions(self, able: Bools) -> Iterator[tuple[Completions, dict[Relation, Ints]]]:
        """All completions of the patients who are able and have several, and what is supposed in them, in batches."""
        patients = np.flatnonzero(able & (self.numbers > 1))
        rows = np.diff(self._cohort.first_row)[patients] * self.numbers[patients]
        for batch in in_batches(patients, rows, ROWS_AT_ONCE):
            yield self._completed(batch)

    def _completed(self, patients: Ints) -> tuple[Completions, dict[Relation, Ints]]:
        numbers = self.numbers[patients].astype(np.int64)
        index, number = ranges(np.zeros_like(numbers), numbers)
        patient = patients[index]
        completed = self._cohort.select(patient)
        completion, item, choice = chosen(self._patient, self._options, patient, number)
        row = self._row[item] - self._cohort.first_row[patient][completion] + completed.first_row[completion]
        supposed = {}
        for place, relation in enumerate(self._relations):
            of_relation = self._place[item] == place
            supposed[relation] = np.full(len(completed.day), AS_DECIDED)
            supposed[relation][row[of_relation]] = choice[of_relation] + TRUE
        return Completions(completed, patient, number), supposed


def _where_they_matter(criteria: CriteriaSet, patient_days: PatientDays) -> dict[Relation, Bools]:
    """(N) Of each comparison that is open somewhere, where that leaves a rule unknown."""
    matters: dict[Relation, Bools] = {}
    for rule in row_rules(criteria):
        for relation, here in _open_in(rule.tree, patient_days):
            matters[relation] = matters[relation] | here if relation in matters else here
    return {relation: rows for relation, rows in matters.items() if rows.any()}


def _divides(tree: Tree) -> bool:
    """Whether something in it is divided by anything but a number, which may be zero."""
    match tree:
        case Term(body=body):
            return _divides(body)
        case Arithmetic(sign=sign, left=left, right=right):
            return (sign == "/" and not isinstance(opened(right), Constant)) or _divides(left) or _divides(right)
        case Relation(left=left, right=right):
            return _divides(left) or _divides(right)
    return False
