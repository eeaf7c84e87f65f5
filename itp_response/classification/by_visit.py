"""By visit: the state of the endpoints at their planned visits, as a long table."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.texts import as_written
from itp_response.cohort.values import NO_DAY, NONE, Bools, Ints, Numbers
from itp_response.evaluation.clock import VisitWindow
from itp_response.evaluation.endpoints.at_visit import StatesByVisit, name_at, row_of_visit
from itp_response.evaluation.evaluate import evaluate, patient_days_of, with_a_day_0
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.verdicts import NE, VALUES, Verdict, VerdictsByName
from itp_response.messages.errors import UsageError
from itp_response.messages.wording import one_line

if TYPE_CHECKING:
    from itp_response.definitions.criteria import Criteria

WEEK = 7
COUNT = ("platelets", "platelets_low", "platelets_high")


def without_visits(criteria: "Criteria") -> str:
    """The error of a set that gives nothing by visit."""
    return (
        f"{one_line(criteria.name)}: no endpoint has a state at planned visits; that takes planned visits ([clock] "
        "visits) and an endpoint with a rule on platelets, or one of kind 'visits' with its own."
    )


class VisitResults:
    """The states of the endpoints of a set at their planned visits, decided for a cohort."""

    def __init__(self, criteria: "Criteria", cohort: Cohort, threads: int | None = None) -> None:
        self.criteria, self.cohort = criteria, cohort
        states = StatesByVisit(criteria)
        self.visits: dict[str, tuple[VisitWindow, ...]] = states.visits
        self._verdicts: VerdictsByName = evaluate(states, cohort, threads)

    def verdict(self, name: str, visit: VisitWindow) -> Verdict:
        """The state of each patient at a visit."""
        return self._verdicts[name_at(name, visit)]

    def row_used(self, name: str, visit: VisitWindow) -> Ints:
        """(P) The row of the cohort whose count is used for a visit; -1: there is none, or it is not certain which."""
        row = self._row_used(name, visit)
        return np.where(self._has_come(visit, row), row, NONE)

    def is_due(self, name: str, visit: VisitWindow) -> Bools:
        """(P) The visit is in the tables: of a study that was cut it may lie after the cut.

        A visit whose planned day has come is in them once there is a count for it, or none can come.
        """
        return self._has_come(visit, self._row_used(name, visit))

    def _has_come(self, visit: VisitWindow, row: Ints) -> Bools:
        as_of = self.cohort.as_of
        if as_of is None:
            return np.ones(len(self.cohort), dtype=np.bool_)
        last = as_of.last_day(self.cohort.day_0)
        is_here: Bools = (visit.day <= last) & ((visit.last <= last) | (row != NONE))
        return is_here

    def _row_used(self, name: str, visit: VisitWindow) -> Ints:
        verdict, model = self.verdict(name, visit), self.criteria.endpoints[name]
        if model.row_rule("set_aside") is not None:
            return verdict.dated
        # A censored count that leaves the state open is the count used all the same.
        is_censored = (verdict.value == NE) & (verdict.reason == self.criteria.reasons["censored_count"])
        return np.where(is_censored, row_of_visit(model, visit, self._patient_days), verdict.dated)

    @cached_property
    def _patient_days(self) -> PatientDays:
        return patient_days_of(self.criteria, with_a_day_0(self.cohort), 0, len(self.cohort))

    def frame(self) -> pl.DataFrame:
        """The table of `Classification.by_visit`.

        Raises `UsageError` where no endpoint has a state at planned visits.
        """
        if not self.visits:
            raise UsageError(without_visits(self.criteria))
        of_visits = [(name, visit) for name, windows in self.visits.items() for visit in windows]
        tables = [self._of_visit(name, visit) for name, visit in of_visits]
        # From all patients of each visit to all visits of each patient.
        order = np.arange(len(tables) * len(self.cohort)).reshape(len(tables), len(self.cohort)).T.ravel()
        is_due = np.stack([self.is_due(name, visit) for name, visit in of_visits]).ravel()
        return pl.concat(tables)[order[is_due[order]]]

    def _of_visit(self, name: str, visit: VisitWindow) -> pl.DataFrame:
        verdict, size = self.verdict(name, visit), len(self.cohort)
        codes = verdict.reason.astype(np.int64)
        return pl.DataFrame(
            [
                self.cohort.id.alias("patient_id"),
                self.cohort.arm.alias("arm"),
                *self.cohort.marks(),
                pl.repeat(name, size, dtype=pl.String, eager=True).alias("endpoint"),
                pl.repeat(visit.day, size, dtype=pl.Int32, eager=True).alias("visit_day"),
                pl.repeat(round(visit.day / WEEK, 2), size, dtype=pl.Float64, eager=True).alias("week"),
                pl.Series(VALUES).gather(verdict.value.astype(np.int64)).alias("value"),
                *self._of_rows(self.row_used(name, visit)),
                pl.Series(self.criteria.reasons.names).gather(codes).alias("reason"),
            ]
        )

    def _of_rows(self, row: Ints) -> list[pl.Series]:
        """The day, the date and the count of the row used; missing where there is none."""
        cohort, known, at = self.cohort, row != NONE, np.maximum(row, 0)

        def used(values: Any, missing: Any) -> Any:
            return np.where(known, values[at], missing) if len(values) else np.full(len(row), missing)

        day = used(cohort.day, NO_DAY)
        has_date = known & ~np.isnat(cohort.day_0)
        dates = (cohort.day_0 + np.where(has_date, day, 0).astype("timedelta64[D]")).astype("datetime64[D]")
        low, high = as_written(Numbers(used(cohort.platelets.low, np.nan), used(cohort.platelets.high, np.nan)))
        exact = np.where(low == high, low, np.nan)
        return [
            pl.Series("day", day, dtype=pl.Int32).set(pl.Series(~known), None),
            pl.Series("date", dates).set(pl.Series(~has_date), None),
            *(
                pl.Series(name, column, nan_to_null=True)
                for name, column in zip(COUNT, (exact, low, high), strict=True)
            ),
        ]
