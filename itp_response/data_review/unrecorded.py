"""Unknowns: the declared columns of which something was not recorded, and what may be filled in for it.

Of a number that are values below, at and above each number that rules compare it with, and the least and the greatest
that were recorded; of a text each that rules compare it with, and one that is none of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import Bools, Column, Ints, Numbers, Texts, Truths, exactly
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.rules.tree import Constant, Relation, Rule, Text, Tree, leaves, names_in

NO_TEXT = "another text"


@dataclass(frozen=True)
class Unknown:
    """A declared column that is not known everywhere."""

    name: str
    of_patient: bool
    """It is of the patient, and not of a visit."""
    column: Column
    values: Column
    """What may be filled in, an entry each."""

    @property
    def rows(self) -> Bools:
        """Where it is not known."""
        return unknown(self.column)


def unknowns(criteria: Criteria, cohort: Cohort) -> tuple[Unknown, ...]:
    """The columns that the set declares, rules name, and the cohort does not know everywhere."""
    compared = list(_leaves(criteria))
    named = {name for tree in compared for name in names_in(tree)}
    tables = ((False, cohort.row_columns), (True, cohort.patient_columns))
    return tuple(
        Unknown(name, of_patient, column, _values(name, column, compared))
        for of_patient, columns in tables
        for name, column in columns.items()
        if name in named and unknown(column).any()
    )


def unknown(column: Column) -> Bools:
    """Where a column is not known."""
    match column:
        case Numbers(low=low):
            rows: Bools = np.isnan(low)
        case Truths():
            rows = column.unknown
        case Texts(codes=codes):
            rows = codes < 0
    return rows


def entries(column: Column) -> int:
    """How many entries a column has."""
    return len(unknown(column))


def filled(column: Column, at: Bools, values: Column, which: Ints) -> Column:
    """The column with those of the values that `which` says, at these entries."""
    match column, values:
        case Numbers(), Numbers():
            low = np.where(at, values.low[which], column.low)
            return Numbers(low, low if column.exact else np.where(at, values.high[which], column.high))
        case Truths(), Truths():
            true, false = (
                np.where(at, new[which], old) for new, old in ((values.true, column.true), (values.false, column.false))
            )
            return Truths(true, false)
        case Texts(), Texts():
            labels = tuple(dict.fromkeys((*column.labels, *values.labels)))
            codes = np.array([labels.index(one) for one in values.labels], dtype=np.int32)
            return Texts(np.where(at, codes[values.codes[which]], column.codes), labels)
    raise AssertionError(f"{type(values)} does not fit {type(column)}")


def _leaves(criteria: Criteria) -> Iterator[Tree]:
    """The comparisons and conditions of all rules of a set."""
    for model in criteria.endpoints.values():
        for value in vars(model).values():
            if isinstance(value, Rule):
                yield from leaves(value.tree)


def _values(name: str, column: Column, compared: list[Tree]) -> Column:
    of_it = [tree for tree in compared if isinstance(tree, Relation) and name in set(names_in(tree))]
    sides = [side for tree in of_it for side in (tree.left, tree.right)]
    match column:
        case Truths():
            return Truths(np.array([True, False]), np.array([False, True]))
        case Texts():
            named = dict.fromkeys(side.value for side in sides if isinstance(side, Text))
            return Texts(np.arange(len(named) + 1, dtype=np.int32), (*named, NO_TEXT))
        case Numbers(low=low):
            limits = {side.value for side in sides if isinstance(side, Constant)}
            recorded = low[np.isfinite(low)]
            limits |= {float(recorded.min()), float(recorded.max())} if len(recorded) else {0.0}
            at = np.array(sorted(limits))
            return exactly(np.unique(np.concatenate([at - 1, at - 1e-6, at, at + 1e-6, at + 1])))
