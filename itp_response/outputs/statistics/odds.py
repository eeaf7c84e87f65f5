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
from itp_response.outputs.statistics.tables import Number, Table, once, probability, span


@dataclass(frozen=True)
class ModelTerm:
    """A column as a model takes it: per patient (P) one or more numbers, each with what it says."""

    name: str
    says: tuple[str, ...]
    """Of each number `per unit`, or the level and that which it is compared with."""
    values: Floats
    """(P, numbers); NaN: not recorded."""


@dataclass(frozen=True)
class Odds:
    """An odds ratio with its 95 % interval and p-value; NaN in all where it cannot be had."""

    name: str
    says: str
    patients: int
    ratio: float
    low: float
    high: float
    p: float
    why_not: str = ""


def term(name: str, values: pl.Series, among: Bools) -> ModelTerm | None:
    """A column as a model takes it; None: it is the same for all among these, or of too many texts.

    A number is taken as it is. Of texts, each is compared with the first of the alphabet; yes with no.
    """
    here = values.filter(pl.Series(among))
    known = levels(here)
    if here.drop_nulls().n_unique() < 2:
        return None
    if values.dtype.is_numeric():
        return ModelTerm(name, ("per unit",), values.fill_null(math.nan).to_numpy()[:, None])
    if len(known) > LEVELS:
        return None
    base, *others = reversed(known) if known == ("yes", "no") else known
    said = in_words(values)
    columns = [(said == other).cast(pl.Float64).fill_null(math.nan).to_numpy() for other in others]
    return ModelTerm(name, tuple(f"{other}, to {base}" for other in others), np.column_stack(columns))


def odds(
    patients: AnalysedPatients,
    names: Sequence[str],
    columns: Sequence[str] = (),
    adjust: Sequence[str] = (),
    of: Set = "itt",
) -> Table:
    """Of each endpoint the odds ratio of each column, in a model of its own with the columns it is adjusted for.

    Without `columns`, of all characteristics at entry.
    """
    rows: list[tuple[str, ...]] = []
    numbers: list[Number] = []
    left_out: dict[str, None] = {}
    asked = list(columns) or list(patients.characteristics)
    beside = [_adjusting(patients, name) for name in adjust]
    for name in names:
        rows.append((name,))
        for column in (one for one in asked if one not in (*adjust, name)):
            one = term(column, patients.column(column), patients.only)
            if one is None:
                left_out[column] = None
                continue
            for found in _fitted(patients, name, one, beside, of):
                shown = found.why_not or span(found.ratio, found.low, found.high, 3)
                rows.append((f"  {column}: {found.says}", str(found.patients), shown, probability(found.p)))
                numbers += _numbers(name, found)
    notes = [
        f"Logistic regression, {'each column by itself' if not adjust else f'adjusted for {listed(adjust)}'}; "
        "exploratory: nothing is corrected for looking at many columns.",
        "Patients are those of whom the column is recorded.",
        f"Left out, as the same for all or of more than {LEVELS} texts: {listed(list(left_out))}." if left_out else "",
    ]
    header = ("", "patients", "odds ratio (95 % interval)", "p")
    return Table("odds", f"Odds ratios ({SETS[of]})", header, tuple(rows), tuple(numbers), once(notes))


def _adjusting(patients: AnalysedPatients, name: str) -> ModelTerm:
    found = term(name, patients.column(name), patients.only)
    if found is None:
        raise UsageError(f"--adjust {name!r} is the same for all patients, or of too many texts; leave it out.")
    return found


def _fitted(
    patients: AnalysedPatients, name: str, one: ModelTerm, beside: Sequence[ModelTerm], of: Set
) -> Iterator[Odds]:
    """The odds ratios of a term."""
    found = outcome(patients, name, of)
    design = np.column_stack([one.values, *(other.values for other in beside)])
    used = found.counted & ~np.isnan(design).any(axis=1)
    model = _model(found.met[used].astype(float), design[used])
    for place, says in enumerate(one.says):
        if isinstance(model, str):
            yield Odds(one.name, says, int(used.sum()), math.nan, math.nan, math.nan, math.nan, model)
        else:
            low, high = model.conf_int(1 - LEVEL)[1 + place]
            ratio, p = model.params[1 + place], model.pvalues[1 + place]
            yield Odds(
                one.name, says, int(used.sum()), float(np.exp(ratio)), float(np.exp(low)), float(np.exp(high)), float(p)
            )


def _model(met: Floats, design: Floats) -> Any:
    """The fitted model, or why there is none."""
    if len(np.unique(met)) < 2:
        return f"not to be had: {'all' if met.any() else 'none'} of {counted_patients(len(met))} met it"
    binary = [place for place in range(design.shape[1]) if set(np.unique(design[:, place])) <= {0.0, 1.0}]
    if any(len(np.unique(met[design[:, place] == side])) < 2 for place in binary for side in (0.0, 1.0)):
        return "not to be had: all or none with a level met it"
    logit = needed("statsmodels.discrete.discrete_model", "stats").Logit
    problems = needed("statsmodels.tools.sm_exceptions", "stats")
    with warnings.catch_warnings():
        warnings.simplefilter("error", problems.ConvergenceWarning)
        warnings.simplefilter("error", problems.PerfectSeparationWarning)
        try:
            return logit(met, np.column_stack([np.ones(len(met)), design])).fit(disp=0)
        except (problems.ConvergenceWarning, problems.PerfectSeparationWarning, problems.PerfectSeparationError):
            return "not to be had: the column parts those who met it from those who did not"
        except np.linalg.LinAlgError:
            return "not to be had: it follows from the columns it is adjusted for"


def _numbers(name: str, one: Odds) -> Iterator[Number]:
    found = {"N": float(one.patients), "odds ratio": one.ratio, "low": one.low, "high": one.high, "p": one.p}
    for statistic, value in found.items():
        yield Number(name, "", statistic, value, "logistic regression", level=f"{one.name}: {one.says}")
