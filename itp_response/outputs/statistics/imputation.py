"""Imputation: the primary endpoint with missing outcomes imputed several times, by fully conditional specification.

The imputation is statsmodels' MICE with predictive mean matching, which draws observed values, so that an outcome stays
0 or 1. The analysis is a linear regression of the outcome on the group, pooled by Rubin's rules.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from itp_response.cohort.values import Bools, Floats
from itp_response.evaluation.verdicts import NE, N
from itp_response.messages.errors import UsageError
from itp_response.messages.optional_imports import needed
from itp_response.messages.wording import counted_patients, listed
from itp_response.outputs.statistics.groups import AnalysedPatients, Groups
from itp_response.outputs.statistics.odds import term
from itp_response.outputs.statistics.proportions import LEVEL, outcome
from itp_response.outputs.statistics.tables import Table, TableRows, numbers_of, probability, span

BURN_IN = 10
"""Rounds before the first imputation."""
DONORS = 5
"""The observed values of which one is drawn for each missing one: as many as R's mice and SAS take."""


def imputation(
    patients: AnalysedPatients, groups: Groups, name: str, *, imputations: int, seed: int, columns: Sequence[str] = ()
) -> Table:
    """The differences of an endpoint between groups, with missing outcomes imputed `imputations` times.

    An outcome is missing where it is not evaluable, and where it is not met because treatment was discontinued: that is
    a rule of the set, and no observation. It is imputed from the group and `columns`, else all characteristics at
    entry; their own gaps are imputed with it. The same seed gives the same numbers.
    Raises `UsageError` where nothing is missing, or nothing is there to impute from.
    """
    if imputations < 2:
        raise UsageError(f"--imputations {imputations}: give 2 or more, as the variance between imputations is needed.")
    missing = _missing(patients, name) & groups.inside
    if not missing.any():
        raise UsageError(f"{name}: no outcome is missing, so none can be imputed; leave out --imputations.")
    if not groups.pairs:
        raise UsageError("there is only one group, so no risk difference can be estimated; leave out --imputations.")
    data, used = _data(patients, groups, name, missing, list(columns or patients.characteristics))
    pooled = _pooled(data, len(groups.pairs), imputations, seed)
    rows = TableRows()
    method = f"multiple imputation: {imputations} imputations, seed {seed}"
    for position, compared in enumerate(groups.compared(), start=1):
        difference, low, high, p = _estimate(pooled, position)
        statistics = {"difference": difference, "low": low, "high": high, "p": p}
        cells = (
            patients.classification.criteria.labelled(name),
            compared,
            span(difference, low, high, 2),
            probability(p),
        )
        rows.add(cells, numbers_of(name, compared, statistics, method))
    imputed = [
        f"{counted_patients(int((missing & member).sum()))} in {label}"
        for label, member in zip(groups.labels, groups.members, strict=True)
    ]
    notes = [
        f"Imputed: {listed(imputed)}, not evaluable or not met because treatment was discontinued.",
        f"{imputations} imputations, seed {seed}; fully conditional specification with predictive mean matching "
        f"({DONORS} donors), from "
        f"{listed(['group', *map(patients.title_of, used)])}; constant and collinear variables are excluded.",
        "Linear regression of the outcome on group; estimates are pooled by Rubin's rules, with t and Barnard and "
        "Rubin's degrees of freedom.",
    ]
    return rows.table("imputation", "Multiple imputation", ("", "comparison", "risk difference (95% CI)", "p"), notes)


def _estimate(pooled: Any, position: int) -> tuple[float, float, float, float]:
    """A coefficient of the regression pooled over the imputations, its interval and p-value."""
    estimates = np.array([np.asarray(fitted.params)[position] for fitted in pooled.results_list])
    variances = np.array([np.asarray(fitted.bse)[position] ** 2 for fitted in pooled.results_list])
    middle, spread, freedom = pool(estimates, variances, float(pooled.results_list[0].df_resid))
    student = needed("scipy.stats", "stats").t(freedom)
    half = float(student.ppf((1 + LEVEL) / 2)) * spread
    p = 2 * float(student.sf(abs(middle) / spread)) if spread else math.nan
    return middle, middle - half, middle + half, p


def pool(estimates: Floats, variances: Floats, complete: float) -> tuple[float, float, float]:
    """By Rubin's rules: the estimate, its standard error and its degrees of freedom.

    The degrees of freedom are Barnard and Rubin's, Biometrika 1999;86:948-955; `complete` are those without missing
    values.

    >>> [round(value, 4) for value in pool(np.array([0.2, 0.3, 0.25]), np.array([0.01, 0.012, 0.011]), 100.0)]
    [0.25, 0.1197, 24.7955]
    """
    number = len(estimates)
    within, between = float(variances.mean()), float(estimates.var(ddof=1))
    total = within + (1 + 1 / number) * between
    share = (1 + 1 / number) * between / total if total else 0.0
    observed = (complete + 1) / (complete + 3) * complete * (1 - share)
    freedom = 1 / (share**2 / (number - 1) + 1 / observed)
    return float(estimates.mean()), math.sqrt(total), freedom


def _missing(patients: AnalysedPatients, name: str) -> Bools:
    classification = patients.classification
    verdict = classification.verdicts[name]
    stopped = (verdict.value == N) & (verdict.reason == classification.criteria.reasons["discontinued"])
    missing: Bools = patients.included & ((verdict.value == NE) | stopped)
    return missing


def _data(
    patients: AnalysedPatients, groups: Groups, name: str, missing: Bools, columns: Sequence[str]
) -> tuple[dict[str, Floats], list[str]]:
    """The columns of the model by names that a formula can have, and the patient columns that are used in it.

    `y` is the outcome; `g0`, … are the groups; the others are `x1`, ….
    """
    inside = groups.inside
    met = outcome(patients, name).met.astype(float)
    met[missing] = np.nan
    data = {"y": met[inside]}
    for position, (code, _) in enumerate(groups.pairs):
        data[f"g{position}"] = (groups.code[inside] == code).astype(float)
    names_of: dict[str, list[str]] = {}
    for column in columns:
        model_term = term(column, patients.column(column), inside)
        if model_term is not None:
            first = len(data)
            names_of[column] = [f"x{first + number}" for number in range(model_term.values.shape[1])]
            data.update(zip(names_of[column], model_term.values[inside].T, strict=True))
    if not names_of:
        raise UsageError("no column of the patient table varies between patients; leave out --imputations.")
    kept = _independent(data)
    used = [column for column, names in names_of.items() if set(names) & set(kept)]
    return {key: data[key] for key in ("y", *kept)}, used


def _independent(data: dict[str, Floats]) -> list[str]:
    """The columns beside the outcome, without those that follow from others before them."""
    kept: list[str] = []
    for name in list(data)[1:]:
        columns = [np.ones(len(data["y"])), *(_filled(data[column]) for column in (*kept, name))]
        if np.linalg.matrix_rank(np.column_stack(columns)) == len(columns):
            kept.append(name)
    return kept


def _filled(values: Floats) -> Floats:
    return np.where(np.isnan(values), np.nanmean(values), values)


def _pooled(data: dict[str, Floats], compared: int, imputations: int, seed: int) -> Any:
    """The regressions of all imputations, on as many groups as are compared with the reference."""
    mice = needed("statsmodels.imputation.mice", "stats")
    linear = needed("statsmodels.regression.linear_model", "stats").OLS
    frame = needed("pandas", "stats").DataFrame(data)
    formula = f"y ~ {' + '.join(f'g{position}' for position in range(compared))}"
    model = mice.MICE(formula, linear, mice.MICEData(frame, k_pmm=DONORS, rng=seed))
    model.fit(BURN_IN, imputations)
    return model
