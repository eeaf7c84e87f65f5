"""Imputation: the primary endpoint with what is missing imputed several times, by fully conditional specification.

The imputing is statsmodels' MICE with predictive mean matching, which draws values that others have, so that an
outcome stays 0 or 1. The analysis is a linear regression of the outcome on the group, pooled by Rubin's rules.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from itp_response.cohort.values import Bools, Floats
from itp_response.evaluation.verdicts import NE, N
from itp_response.messages.errors import UsageError
from itp_response.messages.optional_imports import needed
from itp_response.messages.wording import listed
from itp_response.outputs.statistics.groups import AnalysedPatients, Groups
from itp_response.outputs.statistics.odds import term
from itp_response.outputs.statistics.proportions import LEVEL, outcome
from itp_response.outputs.statistics.tables import Number, Table, once, probability, span

BURN_IN = 10
"""Rounds before the first imputation is taken."""


def imputation(
    patients: AnalysedPatients, groups: Groups, name: str, *, imputations: int, seed: int, columns: Sequence[str] = ()
) -> Table:
    """The differences of an endpoint between groups, with what is missing imputed so many times.

    Missing is whatever is not evaluable, and whatever is not met because treatment was discontinued: that is a rule of
    the set, and no observation. It is imputed from the group and `columns`, else all characteristics at entry, whose
    own gaps are imputed with it. The same seed gives the same numbers.
    Raises `UsageError` where nothing is missing, or nothing is there to impute from.
    """
    if imputations < 2:
        raise UsageError(f"--imputations {imputations}: there must be two or more, to see how they differ.")
    missing = _missing(patients, name) & (groups.code >= 0)
    if not missing.any():
        raise UsageError(f"{name}: nothing is missing, so there is nothing to impute; leave out --imputations.")
    if not groups.pairs:
        raise UsageError("there is one group alone, so no difference to impute for; leave out --imputations.")
    asked = list(columns) or list(patients.characteristics)
    data, used = _data(patients, groups, name, missing, asked)
    pooled = _pooled(data, len(groups.pairs), imputations, seed)
    numbers, rows = [], []
    for place, compared in enumerate(groups.compared()):
        middle, spread, p = (float(values[1 + place]) for values in (pooled.params, pooled.bse, pooled.pvalues))
        z = float(needed("scipy.special", "stats").ndtri((1 + LEVEL) / 2))
        low, high = middle - z * spread, middle + z * spread
        rows.append((name, compared, span(middle, low, high, 2), probability(p)))
        for statistic, value in {"difference": middle, "low": low, "high": high, "p": p}.items():
            numbers.append(Number(name, compared, statistic, value, f"{imputations} imputations, seed {seed}"))
    where = [f"{int((missing & (groups.code == code)).sum())} in {label}" for code, label in enumerate(groups.labels)]
    notes = [
        f"Imputed: {listed(where)}: not evaluable, or not met because treatment was discontinued.",
        f"m = {imputations}, seed {seed}; by fully conditional specification with predictive mean matching, from "
        f"{listed(['the group', *used])}; columns that are the same for all or follow from these are left out.",
        "Linear regression of the outcome on the group, pooled by Rubin's rules.",
    ]
    header = ("", "", "difference (95 % interval)", "p")
    return Table("imputation", "Multiple imputation", header, tuple(rows), tuple(numbers), once(notes))


def _missing(patients: AnalysedPatients, name: str) -> Bools:
    verdict = patients.found.verdicts[name]
    stopped = (verdict.value == N) & (verdict.reason == patients.found.criteria.reasons["discontinued"])
    missing: Bools = patients.only & ((verdict.value == NE) | stopped)
    return missing


def _data(
    patients: AnalysedPatients, groups: Groups, name: str, missing: Bools, asked: Sequence[str]
) -> tuple[dict[str, Floats], list[str]]:
    """The columns of the model by names that a formula can have: `y`, the groups `g0`, …, the others `x0`, …."""
    inside = groups.code >= 0
    met = outcome(patients, name).met.astype(float)
    met[missing] = np.nan
    data = {"y": met[inside]}
    for place, (one, _) in enumerate(groups.pairs):
        data[f"g{place}"] = (groups.code[inside] == one).astype(float)
    of: dict[str, list[str]] = {}
    for column in asked:
        found = term(column, patients.column(column), inside)
        if found is not None:
            of[column] = [f"x{len(data) + place}" for place in range(found.values.shape[1])]
            data.update(zip(of[column], found.values[inside].T, strict=True))
    if not of:
        raise UsageError("no column of the patients differs between them, so there is nothing to impute from.")
    kept = _independent(data)
    return {one: data[one] for one in ("y", *kept)}, [one for one, names in of.items() if set(names) & set(kept)]


def _independent(data: dict[str, Floats]) -> list[str]:
    """The columns beside the outcome without those that follow from others before them."""
    kept: list[str] = []
    for name in list(data)[1:]:
        columns = [np.ones(len(data["y"])), *(_filled(data[one]) for one in (*kept, name))]
        if np.linalg.matrix_rank(np.column_stack(columns)) == len(columns):
            kept.append(name)
    return kept


def _filled(values: Floats) -> Floats:
    return np.where(np.isnan(values), np.nanmean(values), values)


def _pooled(data: dict[str, Floats], compared: int, imputations: int, seed: int) -> Any:
    """The regression over all imputations."""
    mice = needed("statsmodels.imputation.mice", "stats")
    linear = needed("statsmodels.regression.linear_model", "stats").OLS
    frame = needed("pandas", "stats").DataFrame(data)
    formula = f"y ~ {' + '.join(f'g{place}' for place in range(compared))}"
    return mice.MICE(formula, linear, mice.MICEData(frame, rng=seed)).fit(BURN_IN, imputations)
