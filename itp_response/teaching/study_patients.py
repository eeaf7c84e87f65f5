"""Study patients: the patients of the study that the page was started with, as plain data for JSON."""

import math
from typing import Any

import numpy as np

from itp_response.cohort.notation import count_text, timeline_of
from itp_response.explanation.clause_results import cell
from itp_response.explanation.one_patient import unknown_patient
from itp_response.messages.errors import UsageError
from itp_response.teaching.page_data import PageData
from itp_response.teaching.sets import text_of

LISTED = 50
"""The number of patients listed at a time."""


def patients(data: PageData, part: str) -> dict[str, Any]:
    """The first patients with this text in their ids, and the number of all such patients."""
    study = data.patients()
    matching = study.id.filter(study.id.str.contains(part, literal=True))
    return {"ids": matching.head(LISTED).to_list(), "matching": len(matching), "of": len(study)}


def patient(data: PageData, patient_id: str) -> dict[str, Any]:
    """A patient as a line of the notation, and notes on what the line cannot say or assumes.

    Raises `UsageError` for an unknown patient.
    """
    study = data.patients()
    position = study.position(patient_id)
    if position is None:
        raise UsageError(unknown_patient(study, patient_id))
    timeline, notes = timeline_of(study, position)
    baseline, stopped = study.baseline, study.treatment_discontinued[position]
    if study.partial is not None and position in study.partial.patient:
        notes.append("Partial dates are shown as their first possible day.")
    if data.first.baseline.several != "lowest" and study.before_dose is not None and study.before_dose.known[position]:
        notes.append("Times of day are not shown; of several counts on day 0, the page uses the lowest.")
    return {
        "name": patient_id,
        "timeline": timeline,
        "baseline": count_text(float(baseline.low[position]), float(baseline.high[position])) or None,
        "discontinued": int(stopped) if math.isfinite(stopped) else None,
        "day_0": None if np.isnat(study.day_0[position]) else str(study.day_0[position]),
        "patient": {
            name: text_of(value)
            for name, column in study.patient_columns.items()
            if (value := cell(column, position)) is not None
        },
        "notes": notes,
    }
