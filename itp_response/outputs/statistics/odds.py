"""Odds: exploratory logistic regression of an endpoint on one column of the patients at a time.

The models are statsmodels' `Logit`; intervals are Wald's on the logarithm of the odds.
"""

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from itp_response.cohort.values import Bools, Floats
from itp_response.messages.errors import UsageError
from itp_response.messages.optional_imports import needed
from itp_response.messages.wording import counted_patients, listed
from itp_response.outputs.statistics.groups import LEVELS, AnalysedPatients, in_words, levels
from itp_response.outputs.statistics.proportions import LEVEL, SETS, Set, outcome
from itp_response.outputs.statistics.tables import (
    NOT_ESTIMABLE,
    Number,
    Table,
    TableRows,
    numbers_of,
    probability,
    span,
)


@dataclass(frozen=True)
class ModelTerm:
    """A column as a model uses it: one or more numbers per patient (P), each with a description."""

    column: str
    contrasts: tuple[str, ...]
    """Of each number `per unit`, or the level and the level that it is compared with."""
    values: Floats
    """(P, numbers); NaN: not recorded."""


@dataclass(frozen=True)
class Odds:
    """An odds ratio with its 95% CI and p-value; NaN in all where it cannot be estimated."""

    column: str
    contrast: str
    patients: int
    ratio: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    why_not: str = ""


def term(column: str, values: pl.Series, included: Bools) -> ModelTerm | None:
    """A column as a model uses it; None: it has one value in all patients included, or too many texts.

    A number is used as it is. Each text is compared with the first of the alphabet; yes with no.
    """
    known = values.filter(pl.Series(included)).drop_nulls()
    if known.n_unique() < 2:
        return None
    if values.dtype.is_numeric():
        return ModelTerm(column, ("per unit",), values.fill_null(math.nan).to_numpy()[:, None])
    ordered = levels(known)
    if len(ordered) > LEVELS:
        return None
    base, *others = reversed(ordered) if ordered == ("yes", "no") else ordered
    texts = in_words(values)
    indicators = [(texts == other).cast(pl.Float64).fill_null(math.nan).to_numpy() for other in others]
    return ModelTerm(column, tuple(f"{other} vs {base}" for other in others), np.column_stack(indicators))


def odds(
    patients: AnalysedPatients,
    names: Sequence[str],
    columns: Sequence[str] = (),
    adjust: Sequence[str] = (),
    of: Set = "itt",
) -> Table:
    """The odds ratio of each column for each endpoint, in a model of its own with the columns it is adjusted for.

    Without `columns`, of all characteristics at entry.
    """
    rows = TableRows()
    left_out: dict[str, None] = {}
    reasons: dict[str, list[str]] = {}
    candidates = [column for column in columns or patients.characteristics if column not in adjust]
    adjusting = [_adjusting(patients, column) for column in adjust]
    for name in names:
        rows.heading(patients.classification.criteria.labelled(name))
        for column in candidates:
            if column == name:
                continue
            studied = term(column, patients.column(column), patients.included)
            if studied is None:
                left_out[column] = None
                continue
            for ratio in _fitted(patients, name, studied, adjusting, of):
                rows.add(_row(patients, ratio), _numbers(name, ratio))
                if ratio.why_not:
                    reasons.setdefault(ratio.why_not, []).append(f"{name}, {patients.title_of(ratio.column)}")
    adjusted = f"adjusted for {listed(list(map(patients.title_of, adjust)))}" if adjust else "one variable at a time"
    not_used = listed(list(map(patients.title_of, left_out)))
    notes = [
        f"Logistic regression, {adjusted}; exploratory, not adjusted for multiple testing.",
        "n: patients with the variable recorded.",
        *(f"Not estimable, {why}: {'; '.join(rows_of)}." for why, rows_of in reasons.items()),
        f"Excluded, with one value for all patients or more than {LEVELS} texts: {not_used}." if left_out else "",
    ]
    header = ("", "n", "odds ratio (95% CI)", "p")
    return rows.table("odds", f"Odds ratios: {SETS[of]}", header, notes)


def _adjusting(patients: AnalysedPatients, column: str) -> ModelTerm:
    adjusting = term(column, patients.column(column), patients.included)
    if adjusting is None:
        what = f"has one value for all patients, or more than {LEVELS} texts"
        raise UsageError(f"--adjust {column!r} {what}; leave it out.")
    return adjusting


def _fitted(
    patients: AnalysedPatients, name: str, studied: ModelTerm, adjusting: Sequence[ModelTerm], of: Set
) -> Iterator[Odds]:
    """The odds ratios of a term."""
    endpoint = outcome(patients, name, of)
    design = np.column_stack([studied.values, *(other.values for other in adjusting)])
    used = endpoint.counted & ~np.isnan(design).any(axis=1)
    size = int(used.sum())
    model = _model(endpoint.met[used].astype(float), design[used])
    for position, contrast in enumerate(studied.contrasts, start=1):
        if isinstance(model, str):
            yield Odds(studied.column, contrast, size, why_not=model)
        else:
            logarithms = (model.params[position], *model.conf_int(1 - LEVEL)[position])
            ratio, low, high = (float(np.exp(logarithm)) for logarithm in logarithms)
            yield Odds(studied.column, contrast, size, ratio, low, high, float(model.pvalues[position]))


def _model(met: Floats, design: Floats) -> Any:
    """The fitted model, or why it cannot be estimated."""
    if len(np.unique(met)) < 2:
        return f"as {'all' if met.any() else 'none'} of {counted_patients(len(met))} met the endpoint"
    indicators = [column for column in design.T if set(np.unique(column)) <= {0.0, 1.0}]
    if any(len(np.unique(met[column == side])) < 2 for column in indicators for side in (0.0, 1.0)):
        return "as all or none of the patients at one level met the endpoint"
    logit = needed("statsmodels.discrete.discrete_model", "stats").Logit
    problems = needed("statsmodels.tools.sm_exceptions", "stats")
    with warnings.catch_warnings():
        warnings.simplefilter("error", problems.ConvergenceWarning)
        warnings.simplefilter("error", problems.PerfectSeparationWarning)
        try:
            return logit(met, np.column_stack([np.ones(len(met)), design])).fit(disp=0)
        except (problems.ConvergenceWarning, problems.PerfectSeparationWarning, problems.PerfectSeparationError):
            return "as the variable separates the patients who met the endpoint from the others"
        except np.linalg.LinAlgError:
            return "as the variable is determined by those it is adjusted for"


def _row(patients: AnalysedPatients, ratio: Odds) -> tuple[str, ...]:
    shown = NOT_ESTIMABLE if ratio.why_not else span(ratio.ratio, ratio.low, ratio.high, 3)
    return (f"  {patients.title_of(ratio.column)}: {ratio.contrast}", str(ratio.patients), shown, probability(ratio.p))


def _numbers(name: str, ratio: Odds) -> list[Number]:
    statistics = {
        "N": float(ratio.patients),
        "odds ratio": ratio.ratio,
        "low": ratio.low,
        "high": ratio.high,
        "p": ratio.p,
    }
    return numbers_of(name, "", statistics, "logistic regression", level=f"{ratio.column}: {ratio.contrast}")
