"""One patient: the classification of one patient alone, or of some."""

from itp_response.classification.classification import Classification
from itp_response.cohort.cohort import Cohort
from itp_response.messages.codes import Code
from itp_response.messages.errors import Problem, UsageError, nearest, unknown
from itp_response.messages.wording import one_line

IDS_SHOWN = 3


def of_one(classification: Classification, position: int) -> Classification:
    """The classification of the patient at that position alone."""
    return of_some(classification, position, position + 1)


def of_some(classification: Classification, first: int, last: int) -> Classification:
    """The classification of the patients from position `first` to `last` (not included) alone."""
    begin = int(classification.cohort.first_row[first])
    verdicts = {name: verdict.of(slice(first, last), begin) for name, verdict in classification.verdicts.items()}
    return Classification(classification.criteria, classification.cohort.select(range(first, last)), verdicts)


def asked_about(classification: Classification, patient: str, endpoint: str | None) -> tuple[Classification, list[str]]:
    """The classification of the patient of that id alone, and the names of the endpoints asked about: all, or one.

    Raises `UsageError` for an unknown patient or endpoint.
    """
    position = classification.cohort.position(patient)
    if position is None:
        raise UsageError(unknown_patient(classification.cohort, patient))
    names = list(classification.criteria.endpoints)
    if endpoint is not None and endpoint not in names:
        raise UsageError(unknown("endpoint", endpoint, names))
    return of_one(classification, position), names if endpoint is None else [endpoint]


def unknown_patient(cohort: Cohort, patient: str) -> Problem:
    """The problem of a patient who is not in the cohort."""
    ids = cohort.id.to_list()
    shown = ", ".join(ids[:IDS_SHOWN]) + (f" … {ids[-1]}" if len(ids) > IDS_SHOWN else "")
    among = f"among the {len(ids):,} of {cohort.source or 'the cohort'}"
    sentence = f"there is no patient {patient!r} {among}: {one_line(shown)}.{nearest(patient, ids)}"
    return Problem(sentence, code=Code.PATIENT_UNKNOWN, value=patient)
