"""Counted: the days with a count, of which ADLB and ADRS have records."""

from dataclasses import dataclass

import numpy as np

from itp_response.classification.classification import Classification
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import DATE
from itp_response.cohort.values import NO_DAY, Bools, Ints, Truths
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.evaluate import patient_days_of, with_a_day_0
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.tree import Tree
from itp_response.outputs.adam.columns import in_part


@dataclass(frozen=True)
class Counted:
    """The rows of a cohort with a count, and the cohort as the criteria see it."""

    cohort: Cohort
    criteria: Criteria
    patient_days: PatientDays
    rows: Ints
    dated: Bools
    """The day of the row is known."""

    @classmethod
    def of(cls, classification: Classification) -> "Counted":
        cohort, criteria = classification.cohort, classification.criteria
        patient_days = patient_days_of(criteria, with_a_day_0(cohort), 0, len(cohort))
        rows = np.flatnonzero(patient_days.has_count)
        known = np.ones(len(rows), dtype=np.bool_)
        if cohort.partial is not None and len(rows):
            known = ~in_part(cohort, cohort.partial, rows, (DATE,))
        return cls(cohort, criteria, patient_days, rows, known)

    @property
    def patient(self) -> Ints:
        return self.cohort.patient[self.rows].astype(np.int64)

    @property
    def day(self) -> Ints:
        return np.where(self.dated, self.cohort.day[self.rows], np.int32(NO_DAY))

    def truths(self, tree: Tree) -> Truths:
        """The truth of a rule at each count; unknown where it depends on what is known only in part."""
        truths = decide(tree, self.patient_days).at(self.rows)
        return Truths(truths.true & ~self.in_part, truths.false & ~self.in_part)

    @property
    def in_part(self) -> Bools:
        """The counts of days of which something is known only in part, or was left out."""
        in_part = ~self.dated
        if self.cohort.left_out is not None:
            in_part = in_part | np.isin(self.rows, [*self.cohort.left_out.row, *self.cohort.left_out.ungraded])
        return in_part

    def discounted(self) -> Bools:
        """The counts that a rule takes out of the evidence, or may take out."""
        rules = [rule for model in self.criteria.endpoints.values() for rule in model.discounting_rules()]
        out: Bools = np.zeros(len(self.rows), dtype=np.bool_)
        for rule in rules:
            out |= ~self.truths(rule.tree).false
        return out
