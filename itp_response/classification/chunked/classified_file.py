"""Classified file: the summary of a classification of which the results are in a file."""

from dataclasses import dataclass
from typing import Any

from itp_response.classification.classification import ResultCounts
from itp_response.classification.provenance import Provenance, provenance
from itp_response.cohort.cohort import Cohort
from itp_response.definitions.criteria import Criteria


@dataclass(frozen=True)
class ClassifiedFile:
    """What `classify_to` gives: the summary of a classification of which the results are in a file.

    >>> import tempfile
    >>> from itp_response import classify_to
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     classified = classify_to(f"{folder}/out.csv", [{"patient_id": "A", "day": 0, "platelets": 15}])
    >>> classified.summary().splitlines()[0]
    '1 patients, 1 patient-days from visits'
    >>> classified.provenance().outputs
    ()
    """

    criteria: Criteria
    cohort: Cohort
    """The source and the notes of the cohort that was read; its patients may be left out."""
    counts: ResultCounts

    def provenance(self, **options: Any) -> Provenance:
        """As `Classification.provenance`."""
        return provenance([self.criteria], self.cohort, **options)

    def summary(self) -> str:
        """As `Classification.summary`."""
        return self.counts.summary(self.criteria, self.cohort)
