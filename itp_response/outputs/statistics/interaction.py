"""Interaction: whether the groups differ in one subgroup as they do in another.

Of an endpoint that is met or not: the likelihood-ratio test of group by subgroup in a logistic regression. The model
without the interaction is fitted to the counts of the cells; the model with it fits them exactly, so that the deviance
of the first is the statistic. Of a time: the same test in a Cox model.
"""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from itp_response.cohort.values import Bools, Floats
from itp_response.messages.optional_imports import needed
from itp_response.outputs.statistics.groups import Groups
from itp_response.outputs.statistics.proportions import Outcome
from itp_response.outputs.statistics.times import Times, log_likelihood

LOGISTIC, COX = "logistic interaction", "Cox interaction"
LOGISTIC_IN_WORDS = (
    "Interaction: likelihood-ratio test of group by subgroup in a logistic regression, thus of equal odds ratios"
)
COX_IN_WORDS = "Interaction: likelihood-ratio test of group by subgroup in a Cox regression (Efron's method for ties)"


def response_interaction(endpoint: Outcome, groups: Groups, parts: Groups) -> float:
    """The p-value of the groups having the same odds ratio in all subgroups; NaN where it cannot be estimated."""
    kept = endpoint.counted & groups.inside & parts.inside
    return cells_interaction(_cells(kept & endpoint.met, groups, parts), _cells(kept, groups, parts))


def cells_interaction(met: Any, of: Any) -> float:
    """The p-value of the likelihood-ratio test, by the numbers of patients (groups, subgroups): met, and all.

    A subgroup, or a group, in which all or none met the endpoint says nothing of an interaction and is not in the test.

    >>> round(cells_interaction(np.array([[40, 50], [13, 20]]), np.array([[53, 59], [32, 24]])), 4)
    0.0788
    """
    met, of = _informative(met, of)
    used = of.ravel() > 0
    design = _design(*of.shape)[used]
    freedom = int(used.sum()) - int(np.linalg.matrix_rank(design)) if len(design) else 0
    if not freedom:
        return math.nan
    number, every = met.ravel()[used], of.ravel()[used]
    models = needed("statsmodels.genmod.generalized_linear_model", "stats")
    family = needed("statsmodels.genmod.families", "stats").Binomial()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a cell in which all or none met it may be fitted exactly
        fitted = models.GLM(np.column_stack([number, every - number]), design, family=family).fit()
    return _chi_squared(float(fitted.deviance), freedom)


def _informative(met: Any, of: Any) -> tuple[Any, Any]:
    """The cells without the groups and subgroups in which all or none met the endpoint."""
    while True:
        rows, columns = ((met.sum(axis=axis) > 0) & (met.sum(axis=axis) < of.sum(axis=axis)) for axis in (1, 0))
        if rows.all() and columns.all():
            return met, of
        met, of = met[rows][:, columns], of[rows][:, columns]


def time_interaction(time: Times, groups: Groups, parts: Groups) -> float:
    """The p-value of the groups having the same hazard ratio in all subgroups.

    NaN where it cannot be estimated: a group has no event in a subgroup.
    """
    kept = ~np.isnan(time.days) & groups.inside & parts.inside
    events = _cells(kept & time.event, groups, parts)
    if events.size == 0 or not events.all() or min(events.shape) < 2:
        return math.nan
    rows = groups.code[kept] * events.shape[1] + parts.code[kept]
    main = _design(*events.shape)[rows, 1:]
    product = np.einsum("pi,pj->pij", main[:, : len(events) - 1], main[:, len(events) - 1 :]).reshape(len(main), -1)
    days, event = time.days[kept], time.event[kept]
    without = log_likelihood(days, event, main)
    with_product = log_likelihood(days, event, np.column_stack([main, product]))
    return _chi_squared(2 * (with_product - without), product.shape[1])


def _chi_squared(statistic: float, freedom: int) -> float:
    if statistic != statistic:
        return math.nan
    return float(needed("scipy.stats", "stats").chi2.sf(max(statistic, 0.0), freedom))


def _cells(selected: Bools, groups: Groups, parts: Groups) -> Any:
    """(groups, subgroups) How many of the selected patients are in each cell."""
    shape = (len(groups.labels), len(parts.labels))
    place = groups.code[selected] * shape[1] + parts.code[selected]
    return np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape)


def _design(groups: int, parts: int) -> Floats:
    """A row per cell: one, the group and the subgroup, each but the first with a column of its own."""
    group, part = np.divmod(np.arange(groups * parts), parts)
    columns: Sequence[Any] = [
        np.ones(groups * parts),
        *(group == number for number in range(1, groups)),
        *(part == number for number in range(1, parts)),
    ]
    return np.column_stack(columns).astype(np.float64)
