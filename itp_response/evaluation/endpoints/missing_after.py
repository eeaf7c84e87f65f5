"""Missing visits by cause: what a planned visit without a count is, by what happened on its day or before."""

from collections.abc import Iterator, Mapping
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from itp_response.cohort.values import NONE, Bools, Ints
from itp_response.evaluation.clock import PatientDay, numbers_of_the_patient, unknown_number
from itp_response.evaluation.endpoints.endpoint import Treated
from itp_response.evaluation.patient_days import PatientDays

TREATED: dict[Treated, str] = {"fails": "counts as failing", "unknown": "counts as unknown", "left_out": "is excluded"}


def _known_names(causes: dict[str, Treated], info: ValidationInfo) -> dict[str, Treated]:
    known = numbers_of_the_patient(info)
    for name in causes:
        if name not in known:
            raise PydanticCustomError("own_day", "{problem}", {"problem": unknown_number(name, known)})
    return causes


MissingAfter = Annotated[dict[str, Treated], Field(min_length=1), AfterValidator(_known_names)]
"""By the name of a number of the patient, the day on which something happened."""


def cause_of(causes: Mapping[str, Treated], patient_days: PatientDays, planned: Ints) -> Ints:
    """What happened first, by the planned day, as its number among the causes; -1: nothing did. (P) or (P, V).

    Of several on the same day it is the first written.
    """
    if not causes:
        return np.full(planned.shape, NONE)
    days = np.stack([patient_days.each(PatientDay(name)) for name in causes])
    days = np.where(np.isfinite(days), days, np.inf)
    first, cause = days.min(axis=0), days.argmin(axis=0)
    if planned.ndim > 1:
        first, cause = first[:, np.newaxis], cause[:, np.newaxis]
    return np.where(planned >= first, cause, NONE)


def by_cause(causes: Mapping[str, Treated], cause: Ints) -> Iterator[tuple[str, Treated, Bools]]:
    """Each cause with what it makes of a missing visit, and where it is the one; `cause` is what `cause_of` gives."""
    for number, (name, treated) in enumerate(causes.items()):
        yield name, treated, cause == number


def after_in_words(name: str) -> str:
    """From when on a cause holds, as a phrase."""
    return f"on or after {PatientDay(name).in_words.removeprefix('the day of ')}"


def causes_in_words(causes: Mapping[str, Treated], words: Mapping[Treated, str]) -> str:
    """What a missing visit is by its cause, as the end of a sentence; empty: there are no causes."""
    return "".join(f"; {after_in_words(name)} it {words[treated]}" for name, treated in causes.items())
