"""From the literal reading's patients to a cohort, so that both decide the same observations."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification
from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import ColumnDeclared, column_of, day_columns, in_table, texts_of, with_empty
from itp_response.cohort.notation import bounds
from itp_response.cohort.observations import Observations, Patients
from itp_response.cohort.values import NO_DAY, NONE, Numbers, exactly
from itp_response.validation.literal import LiteralVerdict, Patient


def cohort_of(patients: list[Patient], columns: Mapping[str, ColumnDeclared] | None = None) -> Cohort:
    """The cohort of these patients, in their order, each observation on a line of its own; `columns` are declared."""
    of_visits, of_patients = (in_table(columns or {}, table) for table in ("visits", "patients"))
    built = build(_patients(patients, of_patients), _observations(patients, of_visits))
    return replace(built, day_columns=day_columns(of_patients))


def _patients(patients: list[Patient], declared: Mapping[str, ColumnDeclared]) -> Patients:
    stopped = [patient.treatment_discontinued for patient in patients]
    return Patients(
        id=pl.Series("patient_id", [f"P{place}" for place in range(len(patients))], dtype=pl.String),
        baseline=_numbers([patient.baseline for patient in patients]),
        treatment_discontinued=np.array([np.inf if day is None else day for day in stopped], dtype=np.float64),
        day_0=np.array([patient.day_0 for patient in patients], dtype="datetime64[D]"),
        columns={
            name: with_empty(column_of([patient.columns.get(name) for patient in patients], column), column)
            for name, column in declared.items()
        },
    )


def _observations(patients: list[Patient], declared: Mapping[str, ColumnDeclared]) -> Observations:
    seen = [(place, one) for place, patient in enumerate(patients) for one in patient.observations]
    # A row with nothing observed is no row; readers leave it out.
    seen = [
        (place, one)
        for place, one in seen
        if one.platelets is not None
        or one.bleeding_grade is not None
        or one.rescue
        or any(one.columns.get(name) is not None for name in declared)
    ]
    grades = [one.bleeding_grade for _, one in seen]
    return Observations(
        patient=np.array([place for place, _ in seen], dtype=np.int64),
        day=np.array([one.day for _, one in seen], dtype=np.int64),
        platelets=_numbers([one.platelets for _, one in seen]),
        bleeding_grade=np.array([np.nan if grade is None else grade for grade in grades], dtype=np.float64),
        rescue=np.array([one.rescue for _, one in seen], dtype=np.bool_),
        rescue_end=np.array([one.day if one.rescue_end is None else one.rescue_end for _, one in seen], dtype=np.int64),
        rescue_name=texts_of([(one.rescue_name or "").strip().lower() or None for _, one in seen]),
        source_row=np.arange(1, len(seen) + 1),
        columns={
            name: column_of([one.columns.get(name) for _, one in seen], column) for name, column in declared.items()
        },
        declared=declared,
    )


def as_literal(classification: Classification) -> list[dict[str, LiteralVerdict]]:
    """The engine's verdicts as the literal reading writes them: one dict per patient."""
    cohort, reasons = classification.cohort, classification.criteria.reasons.names

    def day(row: int) -> int | None:
        return None if row == NONE else int(cohort.day[row])

    def length(days: Any, place: int) -> int | None:
        return None if days is None or days[place] == NO_DAY else int(days[place])

    return [
        {
            name: LiteralVerdict(
                value=verdict.labels[verdict.value[place]],
                reason=reasons[verdict.reason[place]],
                day=length(classification.dated(verdict), place),
                onset=day(verdict.onset[place]),
                confirming=day(verdict.confirming[place]),
                ended=day(verdict.ended[place]),
                days=length(verdict.days, place),
                of_days=length(verdict.of_days, place),
            )
            for name, verdict in classification.verdicts.items()
        }
        for place in range(len(cohort))
    ]


def _numbers(values: list[str | float | None]) -> Numbers:
    pairs = [(np.nan, np.nan) if value is None else bounds(str(value)) for value in values]
    low, high = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    return exactly(low) if np.array_equal(low, high, equal_nan=True) else Numbers(low, high)
