"""All words about the patient in one set: both readings decide random patients alike."""

import own_words
import pytest

from itp_response.classification.classification import classify
from itp_response.validation import literal
from itp_response.validation.bridge import as_literal, cohort_of


@pytest.mark.parametrize("seed", [11, 12])
def test_both_readings_agree(seed, tmp_path):
    criteria, patients = own_words.criteria(tmp_path), own_words.patients(150, seed)
    found = as_literal(classify(cohort_of(patients, criteria.file.columns), criteria=criteria))
    wrong = [
        (patient, name, verdict, decided[name])
        for patient, decided in zip(patients, found, strict=True)
        for name, verdict in literal.verdicts(dict(criteria.raw), patient).items()
        if verdict != decided[name]
    ]

    assert wrong == []
    values = {name: {decided[name].value for decided in found} for name in criteria.endpoints}
    assert {name for name, of_endpoint in values.items() if len(of_endpoint) < 2} == set()
