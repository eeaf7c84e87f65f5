"""A study cut by hand, as a second reading of `--as-of`."""

from dataclasses import replace

from itp_response.validation.literal import Patient


def by_hand(patient: Patient, day: int) -> Patient:
    """What was known of a patient on a day, told anew."""
    seen = tuple(
        replace(one, rescue_end=min(one.rescue_end, day) if one.rescue_end is not None else None)
        for one in patient.observations
        if one.day <= day
    )
    stopped = patient.treatment_discontinued
    return replace(
        patient, observations=seen, treatment_discontinued=None if stopped is None or stopped > day else stopped
    )
