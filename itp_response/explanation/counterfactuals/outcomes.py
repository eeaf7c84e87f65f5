"""Outcomes: the verdicts after each of some edits, told from as few copies of patients as can be.

Only the endpoints that are asked about are decided, with those that they rest on, and of edits that are `alike` only
one. While what an endpoint starts from is not met, its verdict follows from that: what its own rules say of an edit is
asked only where it is met after the edit.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from itp_response.classification.some_endpoints import with_endpoints
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.edited import Edits, edited, in_pieces, joined
from itp_response.cohort.values import NONE, Bools, Ints
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.evaluate import evaluate
from itp_response.evaluation.verdicts import Y
from itp_response.explanation.counterfactuals.alike import alike

Asked = Mapping[str, Bools]
"""By endpoint, (P) whether its verdict on the patient is asked about."""


class Outcomes(NamedTuple):
    """The verdicts after some edits (K), of which some were decided (D)."""

    decided: Edits
    """(D) The edits that were decided."""
    values: Mapping[str, Ints]
    """By endpoint, (D) the verdict after each of them, as an index of its labels."""
    by: Ints
    """(K) Which of them has the verdicts of each edit, as far as they are asked about; -1: they are as without it."""

    @classmethod
    def of(cls, criteria: Criteria, cohort: Cohort, edits: Edits, was: Mapping[str, Ints], asked: Asked) -> "Outcomes":
        """The verdicts after these edits; `was` (P) has by endpoint those without an edit."""
        some = with_endpoints(criteria, cohort, list(asked))
        started = {name: _has_started(some, was, name) for name in some.order}
        first = cls._decided(some, cohort, edits, _with_references(some, asked, started))
        if len(first.decided) == len(edits):
            return first
        begins = np.zeros(len(first.decided), dtype=np.bool_)
        for name, model in some.endpoints.items():
            for origin in model.origins():
                begins |= (first.values[origin] == Y) & ~started[name][first.decided.patient]
        begun = np.flatnonzero(np.append(begins, False)[first.by])
        always = {name: np.ones(len(cohort), dtype=np.bool_) for name in some.order}
        second = cls._decided(some, cohort, edits.at(begun), _with_references(some, asked, always))
        by = first.by.copy()
        by[begun] = np.where(second.by == NONE, NONE, second.by + len(first.decided))
        values = {name: np.concatenate([first.values[name], second.values[name]]) for name in some.order}
        return cls(joined([first.decided, second.decided]), values, by)

    @classmethod
    def _decided(cls, criteria: Criteria, cohort: Cohort, edits: Edits, asked: Asked) -> "Outcomes":
        chosen, by = alike(criteria, cohort, edits, asked)
        distinct = edits.at(chosen)
        parts = [
            evaluate(criteria, edited(cohort, distinct.at(piece), criteria.file.columns))
            for piece in in_pieces(cohort, distinct)
        ]
        nothing = np.empty(0, dtype=np.int8)
        values = {
            name: np.concatenate([nothing, *(verdicts[name].value for verdicts in parts)]) for name in criteria.order
        }
        return cls(distinct, values, by)


def _has_started(criteria: Criteria, was: Mapping[str, Ints], name: str) -> Bools:
    """(P) Whether what an endpoint starts from is met."""
    has_started = np.ones(len(was[name]), dtype=np.bool_)
    for origin in criteria.endpoints[name].origins():
        has_started &= was[origin] == Y
    return has_started


def _with_references(criteria: Criteria, asked: Asked, started: Asked) -> Asked:
    """Of which patients the rules of each endpoint matter, for its verdict or for one that rests on it.

    They do where it has `started`; where it has not, that from which it starts matters.
    """
    nobody = np.zeros(len(next(iter(started.values()))), dtype=np.bool_)
    wanted = {name: asked.get(name, nobody).copy() for name in criteria.order}
    for name in reversed(criteria.order):
        model = criteria.endpoints[name]
        for other in model.references().values():
            wanted[other] |= wanted[name] if other in model.origins() else wanted[name] & started[name]
    return {name: of & started[name] for name, of in wanted.items()}
