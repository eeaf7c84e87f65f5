"""Study rows: the rows of a study's two tables, and the patient of each."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from itp_response.cohort.values import Index, Ints
from itp_response.readers.partial_dates import TableRows
from itp_response.readers.patients import PatientTable, positions_of
from itp_response.readers.visit_table import VisitTable


@dataclass(frozen=True)
class StudyRows:
    """The rows of a study: its visits, its patient table, and the patient of each visit."""

    visits: VisitTable
    patients: PatientTable
    ids: pl.Series
    """All patients of the cohort; first those in the patient table, in its order."""
    patient: Ints
    """The position in `ids` of the patient of each row of the visits; -1: the row names none."""

    @classmethod
    def matched(cls, visits: VisitTable, patients: PatientTable, further: pl.Series) -> "StudyRows":
        """The rows by the names of patients; `further` are patients without any row that can be read."""
        listed, named = patients.listed, visits.patient_ids
        others = pl.concat([named.names.drop_nulls().alias("id"), further.alias("id")]).unique(maintain_order=True)
        others = others.filter(positions_of(others, listed) < 0)
        ids = pl.concat([listed.alias("patient_id"), others.alias("patient_id")])
        return cls(visits, patients, ids, named.spread(positions_of(named.names, ids)))

    @property
    def listed(self) -> int:
        """The number of patients in the patient table."""
        return len(self.patients.rows)

    @cached_property
    def patient_row(self) -> Ints:
        """The row of each patient in the patient table; its empty last row for a patient who is not in it."""
        empty = np.full(len(self.ids) - self.listed, len(self.patients.id) - 1)
        return np.concatenate([self.patients.rows, empty]).astype(np.int64)

    @cached_property
    def kept(self) -> Ints:
        """The rows of the visits with an observation of a patient."""
        return np.flatnonzero(self.visits.recorded & (self.patient >= 0))

    @cached_property
    def numbers(self) -> Ints:
        """The number of rows of the visits of each patient."""
        return np.bincount(self.patient + 1, minlength=len(self.ids) + 1)[1:]

    @property
    def kept_index(self) -> Index:
        """`kept` as an index. Mostly it is all rows, which need not be copied."""
        return slice(None) if len(self.kept) == len(self.patient) else self.kept

    @property
    def tables(self) -> tuple[TableRows, TableRows]:
        """The two tables, with the row of each observation and of each patient."""
        return (self.visits.table, self.kept), (self.patients.table, self.patient_row)
