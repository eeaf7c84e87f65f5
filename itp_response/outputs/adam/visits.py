"""Visits: the planned visit to which each day of a patient belongs, and the day that is analysed for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from itp_response.cohort.values import NO_DAY, Bools, Ints
from itp_response.evaluation.clock import VisitWindow
from itp_response.evaluation.endpoints.at_visit import nearest_to_visit
from itp_response.evaluation.patient_days import Flagged
from itp_response.outputs.adam.counted import Counted
from itp_response.outputs.adam.sources import Columns, where
from itp_response.outputs.adam.variables import standard, study_days

AVISIT = (
    standard("AVISIT", "text", "The planned visit of the criteria nearest to the day; missing: near none."),
    standard("AVISITN", "integer", "The study day on which the visit is planned."),
)


@dataclass(frozen=True)
class AnalysisVisits:
    """Of some rows of a cohort, the planned visit and whether the row is the one analysed for it."""

    planned: Ints
    """The day on which the visit is planned; `NO_DAY`: the row belongs to none."""
    analysed: Bools

    def columns(self) -> Columns:
        """AVISIT and AVISITN."""
        days, position = np.unique(self.planned, return_inverse=True)
        labels = pl.Series([_label(day) for day in days.tolist()], dtype=pl.String)
        known = self.planned != NO_DAY
        return {
            "AVISIT": labels.gather(position),
            "AVISITN": where(known, pl.Series(study_days(self.planned))),
        }


def _label(day: int) -> str | None:
    if day == NO_DAY:
        return None
    if day == 0:
        return "Baseline"
    return f"Week {day // 7}" if day > 0 and day % 7 == 0 else f"Day {int(study_days(np.array(day)))}"


def analysis_visits(windows: Sequence[VisitWindow], counted: Counted, used: Ints) -> AnalysisVisits:
    """The visits of the counts: those into whose window each falls; `used` are the rows that are used for a visit.

    A date known only in part belongs to no visit. Without planned visits every count is analysed.
    """
    size = len(counted.rows)
    if not windows:
        return AnalysisVisits(np.full(size, NO_DAY), np.ones(size, dtype=np.bool_))
    day = counted.day.astype(np.int64)
    firsts, lasts = (np.array(edge) for edge in ([one.first for one in windows], [one.last for one in windows]))
    number = np.maximum(np.searchsorted(firsts, day, side="right") - 1, 0)
    known = counted.dated & (day >= firsts[number]) & (day <= lasts[number])
    planned = np.array([one.day for one in windows])[number]
    return AnalysisVisits(np.where(known, planned, NO_DAY), known & np.isin(counted.rows, used))


def nearest_counts(windows: Sequence[VisitWindow], counted: Counted) -> Ints:
    """The rows of the counts nearest to the visits, of two as near the earlier."""
    patient_days = counted.patient_days
    with_a_day = np.zeros(len(patient_days.day), dtype=np.bool_)
    with_a_day[counted.rows[counted.dated]] = True
    counts = Flagged(with_a_day)
    rows = [nearest_to_visit(window, counts, patient_days, later=False) for window in windows]
    return np.concatenate([counted.rows[:0], *rows])
