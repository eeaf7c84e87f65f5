"""The ADaM datasets of every shipped set's worked examples, made once for the tests of `GROUP`."""

from functools import cache

import itp_response
from itp_response.authoring.check import worked_examples
from itp_response.definitions.load import load
from itp_response.outputs.adam.adam import Adam

GROUP = "ADaM datasets"


@cache
def of_set(name: str) -> Adam:
    """The datasets of a set's worked examples."""
    criteria = load(name)
    cohort = worked_examples(criteria, criteria.file.example)
    return itp_response.adam(itp_response.classify(cohort, criteria=criteria), study="WORKED")
