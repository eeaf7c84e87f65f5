"""Visits: the planned visit to which each day of a patient belongs, and the day that is analysed for it."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import DATE
from itp_response.cohort.values import NO_DAY, Bools, Ints
from itp_response.definitions.criteria import Criteria
from itp_response.outputs.adam.columns import in_part
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


def analysis_visits(criteria: Criteria, cohort: Cohort, rows: Ints) -> AnalysisVisits:
    """The visits of these rows, which stand in the order of the cohort.

    A day belongs to the nearest planned visit, of two as near to the earlier. Days before the first visit belong to it
    from the first day of the baseline on; days after the last one by up to half of the last interval. Of several rows
    of a visit the nearest is analysed, of two as near the earlier. A date known only in part belongs to no visit.
    """
    visits = np.unique([0, *criteria.clock.visits])
    day = cohort.day[rows].astype(np.int64)
    if not criteria.clock.visits or not len(rows):
        return AnalysisVisits(np.full(len(rows), NO_DAY), np.ones(len(rows), dtype=np.bool_))
    nearest = visits[np.searchsorted((visits[:-1] + visits[1:]) / 2, day)]
    first = min(float(visits[0]), criteria.baseline.days[0])
    last = visits[-1] + (visits[-1] - visits[-2]) / 2
    known = (day >= first) & (day <= last)
    if cohort.partial is not None:
        known &= ~in_part(cohort, cohort.partial, rows, (DATE,))
    planned = np.where(known, nearest, NO_DAY)
    order = np.lexsort((np.abs(day - nearest), planned, cohort.patient[rows]))
    patient, visit = cohort.patient[rows][order], planned[order]
    first_of = np.append(True, (patient[1:] != patient[:-1]) | (visit[1:] != visit[:-1]))
    analysed = np.zeros(len(rows), dtype=np.bool_)
    analysed[order] = first_of
    return AnalysisVisits(planned, analysed & known)
