"""Unrecorded columns: the declared columns of which something was not recorded, and the values that are tried for it.

Of a number these are values below, at and above each number that rules compare it with, and the lowest and the highest
that were recorded; of a text each that rules compare it with, and one that is none of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import Bools, Column, Ints, Numbers, Texts, Truths, exactly
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.rules.tree import Constant, Relation, Rule, Text, Tree, leaves, names_in, other_rows_in

NO_TEXT = "another text"
FAR = 100.0
"""How many times as far as all other numbers the numbers lie that are tried beside other rows."""


@dataclass(frozen=True)
class UnrecordedColumn:
    """A declared column that was not recorded everywhere."""

    name: str
    of_patient: bool
    """It is of the patient, and not of a visit."""
    column: Column
    values: Column
    """The values that are tried, an entry each."""

    @property
    def missing(self) -> Bools:
        """Which entries of the column were not recorded."""
        return is_unknown(self.column)

    @property
    def tried(self) -> int:
        """The number of values that are tried."""
        return len(is_unknown(self.values))


def unrecorded_columns(criteria: Criteria, cohort: Cohort) -> tuple[UnrecordedColumn, ...]:
    """The columns that the set declares and its rules name, and that the cohort does not have everywhere."""
    clauses = list(_clauses(criteria))
    named = {name for clause in clauses for name in names_in(clause)}
    tables = ((False, cohort.row_columns), (True, cohort.patient_columns))
    return tuple(
        UnrecordedColumn(name, of_patient, column, _values(name, column, clauses))
        for of_patient, columns in tables
        for name, column in columns.items()
        if name in named and is_unknown(column).any()
    )


def is_unknown(column: Column) -> Bools:
    """Which entries of a column are unknown."""
    match column:
        case Numbers(low=low):
            unknown: Bools = np.isnan(low)
        case Truths():
            unknown = column.unknown
        case Texts(codes=codes):
            unknown = codes < 0
    return unknown


def filled(column: Column, where: Bools, values: Column, which: Ints) -> Column:
    """The column with values filled in at the entries of `where`; `which` (one per entry) says which of `values`."""
    match column, values:
        case Numbers(), Numbers():
            low = np.where(where, values.low[which], column.low)
            return exactly(low) if column.exact else Numbers(low, np.where(where, values.high[which], column.high))
        case Truths(), Truths():
            true = np.where(where, values.true[which], column.true)
            return Truths(true, np.where(where, values.false[which], column.false))
        case Texts(), Texts():
            labels = tuple(dict.fromkeys((*column.labels, *values.labels)))
            codes = np.array([labels.index(label) for label in values.labels], dtype=np.int32)
            return Texts(np.where(where, codes[values.codes[which]], column.codes), labels)
    raise AssertionError(f"{type(values)} does not fit {type(column)}")


def _clauses(criteria: Criteria) -> Iterator[Tree]:
    """The comparisons and conditions of all rules of a set."""
    for model in criteria.endpoints.values():
        for value in vars(model).values():
            if isinstance(value, Rule):
                yield from leaves(value.tree)


def _values(name: str, column: Column, clauses: list[Tree]) -> Column:
    """The values that are tried for a column."""
    comparisons = [clause for clause in clauses if isinstance(clause, Relation) and name in set(names_in(clause))]
    sides = [side for comparison in comparisons for side in (comparison.left, comparison.right)]
    match column:
        case Truths():
            return Truths(np.array([True, False]), np.array([False, True]))
        case Texts():
            compared = dict.fromkeys(side.value for side in sides if isinstance(side, Text))
            return Texts(np.arange(len(compared) + 1, dtype=np.int32), (*compared, NO_TEXT))
        case Numbers(low=low):
            limits = {side.value for side in sides if isinstance(side, Constant)}
            recorded = low[np.isfinite(low)]
            limits |= {float(recorded.min()), float(recorded.max())} if len(recorded) else {0.0}
            if any(other_rows_in(comparison) for comparison in comparisons):
                # What a change, or a multiple, comes to depends on other rows: far below and far above all of them.
                reach = FAR * (1 + max(map(abs, limits)))
                limits |= {-reach, reach}
            at = np.array(sorted(limits))
            return exactly(np.unique(np.concatenate([at - 1, at - 1e-6, at, at + 1e-6, at + 1])))
