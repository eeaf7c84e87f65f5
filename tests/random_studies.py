"""Random studies for a set of criteria, with all that was decided of them."""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import own_words

from itp_response.classification.classification import Classification, classify
from itp_response.cohort.cohort import Cohort
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load
from itp_response.evaluation.endpoints.account import Account
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.verdicts import Verdict
from itp_response.validation.bridge import cohort_of
from itp_response.validation.random_patients import random_patients


@dataclass(frozen=True)
class Decided:
    """A study and all that was decided of it."""

    classification: Classification

    @property
    def criteria(self) -> Criteria:
        return self.classification.criteria

    @property
    def cohort(self) -> Cohort:
        return self.classification.cohort

    @property
    def verdicts(self) -> dict[str, Verdict]:
        return self.classification.verdicts

    @cached_property
    def patient_days(self) -> PatientDays:
        return patient_days_of(self.criteria, self.cohort, 0, len(self.cohort))

    @cached_property
    def accounts(self) -> dict[str, Account]:
        endpoints, verdicts = self.criteria.endpoints, self.verdicts
        return {name: model.account(self.patient_days, verdicts, verdicts[name]) for name, model in endpoints.items()}

    def reasons(self, name: str) -> np.ndarray:
        """(P) The reasons of the verdicts on an endpoint, by name."""
        return np.array(self.criteria.reasons.names)[self.verdicts[name].reason]

    def is_ne(self, name: str) -> np.ndarray:
        """(P) The patients who are not evaluable."""
        verdict = self.verdicts[name]
        return verdict.value == verdict.labels.index("NE")


@cache
def decided_study(name: str, patients: int, seed: int) -> Decided:
    """A random study of that many patients for a shipped set, or for `own_words`, decided by it."""
    if name == own_words.NAME:
        criteria, drawn = own_words.criteria(Path(mkdtemp())), own_words.patients(patients, seed)
    else:
        criteria = load(name)
        drawn = random_patients(criteria.raw, patients, seed)
    cohort = cohort_of(drawn, criteria.file.columns)
    return Decided(classify(cohort, criteria=criteria))
