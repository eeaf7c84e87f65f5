"""Changed clauses: which clause of an endpoint an edit changes, in words."""

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification
from itp_response.cohort.edited import ADDED, BASELINE, BLEEDING, COUNT, GRADE, edited
from itp_response.cohort.values import NONE, ranges
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.in_words import denied_in_words, tree_in_words
from itp_response.evaluation.rules.tree import Rule, Tree, leaves
from itp_response.explanation.counterfactuals.search import Counterfactuals


def changed_clauses(classification: Classification, counterfactuals: Counterfactuals) -> pl.Series:
    """For each edit the first clause that it changes at some observation, as it then is, in words; null: none.

    Clauses are looked at in the order of the file, first those of the endpoint, then those of what it rests on. An edit
    that moves, adds or removes a row changes when or how often a clause holds, so that no clause is named.
    """
    criteria, cohort, edits = classification.criteria, classification.cohort, counterfactuals.edits
    clauses = _clauses_of(criteria, counterfactuals.endpoint)
    keeps_rows = np.isin(edits.kind, (COUNT, BLEEDING, GRADE, BASELINE)) | ((edits.kind == ADDED) & (edits.row != NONE))
    compared = np.flatnonzero(keeps_rows)
    edits = edits.at(compared)
    before = patient_days_of(criteria, cohort, 0, len(cohort))
    after = patient_days_of(criteria, edited(cohort, edits, criteria.file.columns), 0, len(compared))
    _, row_before = ranges(cohort.first_row[edits.patient], cohort.first_row[edits.patient + 1])
    is_edited_row = row_before == edits.row[after.patient]
    chosen = np.full(len(compared), NONE)
    # What a changed baseline does to other observations tells more than what it is itself.
    for rows in (~is_edited_row, is_edited_row):
        for number, clause in enumerate(clauses):
            was, becomes = decide(clause, before).at(row_before), decide(clause, after)
            holds, fails = becomes.true & ~was.true, becomes.false & ~was.false
            first = after.first_of_each(rows & (holds | fails))
            new = np.flatnonzero((first != NONE) & (chosen == NONE))
            chosen[new] = np.where(becomes.true[first[new]], number, number + len(clauses))
    words = pl.Series([*map(tree_in_words, clauses), *map(denied_in_words, clauses)], dtype=pl.String)
    index = np.full(len(counterfactuals), NONE)
    index[compared] = chosen
    return words.gather(pl.Series(index).set(pl.Series(index == NONE), None))


def _clauses_of(criteria: Criteria, name: str) -> list[Tree]:
    """The clauses of an endpoint, and of those it rests on, that are asked of observations."""
    names = [name]
    clauses: list[Tree] = []
    for reached in names:
        model = criteria.endpoints[reached]
        for key in type(model).model_fields:
            rule = getattr(model, key)
            of_observations = key != "unless" and not (model.kind == "combined" and key == "when")
            if isinstance(rule, Rule) and of_observations:
                clauses += leaves(rule.tree)
        names += [other for other in model.references().values() if other not in names]
    return list(dict.fromkeys(clauses))
