"""As data: the results on a cohort with the evidence behind each, as a frame and as plain data ready for JSON."""

from typing import Any

import numpy as np
import polars as pl

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import NONE, Ints
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.verdicts import VerdictsByName, reason_in_words

ROLES = ("onset", "confirming", "ended")
"""The parts of a result that an observation can be the evidence of."""
OBSERVED = ("platelets", "platelets_low", "platelets_high", "bleeding_grade", "rescue")


def evidence(cohort: Cohort, verdicts: VerdictsByName) -> pl.DataFrame:
    """A row per patient, endpoint and observation that the result rests on; as `Classification.evidence`."""
    return _placed_evidence(cohort, verdicts).drop("position")


def _placed_evidence(cohort: Cohort, verdicts: VerdictsByName) -> pl.DataFrame:
    """The evidence, with the position of each patient."""
    tables = [
        _of_role(name, number, role, getattr(verdict, role))
        for number, (name, verdict) in enumerate(verdicts.items())
        for role in ROLES
    ]
    rows = pl.concat(tables).sort("position", "number", maintain_order=True)
    at = rows["row"].to_numpy()
    observed = cohort.frame().select("patient_id", "day", "date", *OBSERVED)[at]
    file, line = _records(cohort, at)
    return pl.concat([rows.select("position", "endpoint", "role"), observed], how="horizontal").select(
        "position", "patient_id", "endpoint", "role", "day", "date", *OBSERVED, file.alias("file"), line.alias("line")
    )


def _of_role(name: str, number: int, role: str, row: Ints) -> pl.DataFrame:
    """The rows that play a role for one endpoint; `number` is the place of the endpoint in the criteria."""
    position = np.flatnonzero(row != NONE)
    return pl.DataFrame({"position": position, "row": row[position].astype(np.int64)}).with_columns(
        number=pl.lit(number), endpoint=pl.lit(name), role=pl.lit(role)
    )


def _records(cohort: Cohort, rows: Ints) -> tuple[pl.Series, pl.Series]:
    """The file, or the domain, and the line of each of these rows."""
    if not len(rows):
        return pl.Series(dtype=pl.String), pl.Series(dtype=pl.Int64)
    file, line = cohort.keys(cohort.source_row[rows])
    if cohort.origin is None:
        file = pl.Series([cohort.source or None], dtype=pl.String).new_from_index(0, len(rows))
    return file, line


def as_data(criteria: Criteria, cohort: Cohort, verdicts: VerdictsByName, long: pl.DataFrame) -> dict[str, Any]:
    """The results with their evidence as plain data; `long` has a row per patient and endpoint, patient by patient."""
    labels = {name: model.label for name, model in criteria.endpoints.items()}
    words = {name: reason_in_words(name) for name in criteria.reasons.names}
    results = long.with_columns(
        position=np.repeat(np.arange(len(cohort)), len(labels)),
        label=pl.col("endpoint").replace_strict(labels, return_dtype=pl.String),
        because=pl.col("reason").replace_strict(words, return_dtype=pl.String),
        date=pl.col("date").cast(pl.String),
    )
    own = ["value", "day", "date", "confirmed_day", "reason", "because", "days", "of_days", "event"]
    if cohort.as_of is not None:
        own += ["open", "open_until", "open_until_date", "assessed_until", "assessed_until_date"]
        results = results.with_columns(pl.col("open_until_date", "assessed_until_date").cast(pl.String))
    results = results.join(_grouped(cohort, verdicts), on=["position", "endpoint"], how="left", maintain_order="left")
    results = results.with_columns(pl.col("evidence").fill_null([]))
    of_patients = results.group_by("position", maintain_order=True).agg(
        pl.col("patient_id").first(),
        pl.col("arm").first(),
        pl.struct("endpoint", "label", *own, "evidence").alias("results"),
    )
    return {
        "criteria": {
            "name": criteria.name,
            "title": criteria.title,
            "response_definition": criteria.response_definition,
            "interpretations": list(criteria.interpretations),
        },
        "notes": cohort.note_lines,
        "patients": of_patients.drop("position").to_dicts(),
    }


def _grouped(cohort: Cohort, verdicts: VerdictsByName) -> pl.DataFrame:
    """The evidence of each patient and endpoint as a list; an infinite bound is null, as JSON has no word for it."""
    placed = _placed_evidence(cohort, verdicts).with_columns(
        pl.col("date").cast(pl.String),
        pl.when(pl.col("platelets_high").is_finite()).then("platelets_high").alias("platelets_high"),
    )
    of_one = pl.struct("role", "day", "date", *OBSERVED, "file", "line").alias("evidence")
    return placed.group_by("position", "endpoint", maintain_order=True).agg(of_one)
