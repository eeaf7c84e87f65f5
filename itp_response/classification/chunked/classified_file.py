"""Classified file: the summary of a classification of which the results are in a file."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from itp_response.classification.classification import ResultCounts
from itp_response.classification.provenance import Provenance, provenance
from itp_response.cohort.cohort import Cohort
from itp_response.definitions.criteria import Criteria
from itp_response.messages.results import DataResult


@dataclass(frozen=True, repr=False)
class ClassifiedFile(DataResult):
    """What `classify_to` gives: the summary of a classification of which the results are in a file.

    >>> import tempfile
    >>> from itp_response import classify_to
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     classified = classify_to(f"{folder}/out.csv", [{"patient_id": "A", "day": 0, "platelets": 15}])
    >>> classified.summary().splitlines()[0]
    '1 patient, 1 patient-day from visits'
    >>> classified.provenance().outputs
    ()
    """

    criteria: Criteria
    cohort: Cohort
    """The source and the notes of the cohort that was read; its patients may be left out."""
    counts: ResultCounts

    def frame(self) -> pl.DataFrame:
        """A row per endpoint and value that a patient has: `endpoint`, `label`, `value`, `patients`."""
        return self.counts.frame(self.criteria)

    def _headline(self) -> str:
        return f"{self.counts.in_words(self.cohort)}. {self.criteria.response_definition}"

    def _pieces(self) -> list[str]:
        return [self.counts.html(self.criteria)]

    def _assumptions(self) -> list[str]:
        return self.cohort.note_lines

    def provenance(self, **options: Any) -> Provenance:
        """As `Classification.provenance`."""
        return provenance([self.criteria], self.cohort, **options)

    def summary(self) -> str:
        """As `Classification.summary`."""
        return self.counts.summary(self.criteria, self.cohort)
