"""What reading a study told: the error with which it is refused, or its notes."""

import pytest

from itp_response.messages.errors import CohortError
from itp_response.readers.options import ReadOptions
from itp_response.readers.visits import read


def refused(visits, patients=None, **options):
    """The error with which reading refuses these tables."""
    with pytest.raises(CohortError) as error:
        read(visits, patients, options=ReadOptions(**options))
    return str(error.value)


def notes(cohort):
    """The notes of a cohort, as texts."""
    return [note.text for note in cohort.notes]
