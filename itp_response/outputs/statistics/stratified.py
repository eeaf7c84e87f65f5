"""Stratified: groups compared within strata, such as those of the randomisation.

Of endpoints that are met or not: the common risk difference of Mantel and Haenszel with Sato's variance (Greenland and
Robins, Biometrics 1985;41:55-68; Sato, Biometrics 1989;45:1323-1324), the common odds ratio and the Cochran-Mantel-
Haenszel test without continuity correction (statsmodels). Of times: the stratified log-rank test (statsmodels) and
Cox's model with a baseline hazard per stratum (lifelines).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from itp_response.cohort.values import Bools, Ints
from itp_response.messages.errors import UsageError
from itp_response.messages.optional_imports import needed
from itp_response.messages.wording import counted_patients, listed
from itp_response.outputs.statistics.groups import AnalysedPatients, Groups, grouped
from itp_response.outputs.statistics.proportions import LEVEL, SETS, Set, normal_quantile, outcome
from itp_response.outputs.statistics.tables import (
    NOT_ESTIMABLE,
    Number,
    Table,
    TableRows,
    numbers_of,
    probability,
    span,
)
from itp_response.outputs.statistics.times import Times, hazards, lengths

NO_STRATUM = -1


@dataclass(frozen=True)
class Strata:
    """The strata of the patients: each combination of the values of the columns."""

    columns: tuple[str, ...]
    code: Ints
    """(P) The stratum of each patient; -1: a value is missing."""
    number: int


def strata_of(patients: AnalysedPatients, columns: Sequence[str]) -> Strata:
    """The strata by these columns, among the patients analysed."""
    code = np.zeros(len(patients.cohort), dtype=np.int64)
    known: Bools = patients.included.copy()
    for column in columns:
        parts = grouped(patients, column)
        known &= parts.inside
        code = code * len(parts.labels) + parts.code
    code = np.where(known, code, NO_STRATUM)
    dense = np.unique(code[known], return_inverse=True)[1]
    code[known] = dense
    return Strata(tuple(columns), code, int(dense.max(initial=-1)) + 1)


def common_difference(tables: Any) -> tuple[float, float, float]:
    """Mantel and Haenszel's risk difference of 2 by 2 tables (strata, group, met or not), with its 95% CI.

    >>> tables = np.array([[[8.0, 2], [4, 6]], [[6, 4], [5, 5]]])
    >>> [round(value, 4) for value in common_difference(tables)]
    [0.25, -0.0497, 0.5497]
    """
    (met, not_met), (met_second, not_met_second) = tables[:, 0].T, tables[:, 1].T
    of, of_second = met + not_met, met_second + not_met_second
    total = of + of_second
    weight = of * of_second / total
    if not weight.sum():
        return math.nan, math.nan, math.nan
    difference = float(((met * of_second - met_second * of) / total).sum() / weight.sum())
    p = (of**2 * met_second - of_second**2 * met + of * of_second * (of_second - of) / 2) / total**2
    q = (met * not_met_second + met_second * not_met) / (2 * total)
    spread = normal_quantile() * math.sqrt(max(difference * p.sum() + q.sum(), 0.0)) / float(weight.sum())
    return difference, max(-1.0, difference - spread), min(1.0, difference + spread)


def stratified_log_rank(days: Any, event: Any, code: Any, strata: Any) -> float:
    """The p-value of the log-rank test within strata; NaN where there is no event, or no stratum has two groups."""
    both = [len(np.unique(code[strata == stratum])) > 1 for stratum in np.unique(strata)]
    if not event.any() or not any(both):
        return math.nan
    test = needed("statsmodels.duration.survfunc", "stats").survdiff
    statistic, _ = test(days, event.astype(float), code, strata=strata)
    return float(needed("scipy.stats", "stats").chi2.sf(statistic, len(np.unique(code)) - 1))


def stratified(
    patients: AnalysedPatients, groups: Groups, columns: Sequence[str], names: Sequence[str], of: Set = "itt"
) -> Table:
    """Each group compared with the reference within strata, per endpoint named: those met or not, and times.

    Raises `UsageError` where there is only one group.
    """
    if not groups.pairs:
        raise UsageError("there is only one group, so none can be compared within strata; leave out --strata.")
    strata = strata_of(patients, columns)
    rows = TableRows()
    times_by_name = {time.name: time.of_all for time in lengths(patients, of)}
    for name in (name for name in names if name not in patients.without_record):
        rows.heading(patients.classification.criteria.labelled(name))
        for pair in groups.pairs:
            if name in times_by_name:
                _add_time(rows, times_by_name[name], groups, strata, pair)
            else:
                _add_outcome(rows, patients, name, groups, strata, pair, of)
    without = int((groups.inside & (strata.code == NO_STRATUM)).sum())
    notes = [
        f"Strata: {listed(list(map(patients.title_of, columns)))}; {strata.number} with patients.",
        "Risk difference and odds ratio: Mantel-Haenszel, 95% CI of the difference with Sato's variance; p: "
        "Cochran-Mantel-Haenszel test without continuity correction.",
        "Hazard ratio: Cox regression with a baseline hazard per stratum (Efron's method for ties); p: stratified "
        "log-rank test.",
        f"{counted_patients(without)} without a stratum excluded." if without else "",
    ]
    header = ("", "comparison", "estimate (95% CI)", "p")
    return rows.table("stratified", f"Stratified analysis: {SETS[of]}", header, notes)


def _add_outcome(
    rows: TableRows,
    patients: AnalysedPatients,
    name: str,
    groups: Groups,
    strata: Strata,
    pair: tuple[int, int],
    of: Set,
) -> None:
    """The rows of an endpoint that is met or not."""
    endpoint = outcome(patients, name, of)
    tables = _tables(endpoint.counted, endpoint.met, groups, strata, pair)
    difference = common_difference(tables)
    compared = f"{groups.labels[pair[0]]} minus {groups.labels[pair[1]]}"
    ratio, p = _odds_ratio(tables)
    versus = f"{groups.labels[pair[0]]} vs {groups.labels[pair[1]]}"
    statistics = dict(zip(("difference", "low", "high"), difference, strict=True))
    rows.add(
        ("  risk difference", compared, span(*difference, 2), probability(p)),
        [*numbers_of(name, compared, statistics, "Mantel-Haenszel, Sato"), Number(name, compared, "p", p, "CMH")],
    )
    statistics = dict(zip(("odds ratio", "low", "high"), ratio, strict=True))
    shown = span(*ratio, 2) if all(map(math.isfinite, ratio)) else NOT_ESTIMABLE
    rows.add(("  odds ratio", versus, shown, ""), numbers_of(name, versus, statistics, "Mantel-Haenszel"))


def _tables(counted: Bools, met: Bools, groups: Groups, strata: Strata, pair: tuple[int, int]) -> Any:
    """(strata, group, met or not) The numbers of patients of two groups; only strata with both."""
    shape = (strata.number, 2, 2)
    tables = np.zeros(shape)
    for position, code in enumerate(pair):
        inside = counted & (groups.code == code) & (strata.code != NO_STRATUM)
        for column, chosen in enumerate((met, ~met)):
            tables[:, position, column] = np.bincount(strata.code[inside & chosen], minlength=strata.number)
    return tables[(tables.sum(axis=2) > 0).all(axis=1)]


def _odds_ratio(tables: Any) -> tuple[tuple[float, float, float], float]:
    """The common odds ratio with its 95% CI, and the p-value of the Cochran-Mantel-Haenszel test."""
    nothing = (math.nan, math.nan, math.nan)
    varied = tables[(tables.sum(axis=1) > 0).all(axis=1)]  # a stratum in which all or none met it says nothing
    if not len(varied):
        return nothing, math.nan
    table = needed("statsmodels.stats.contingency_tables", "stats").StratifiedTable(list(varied))
    p = float(table.test_null_odds(correction=False).pvalue)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = table.oddsratio_pooled_confint(1 - LEVEL)
        ratio = (float(table.oddsratio_pooled), float(low), float(high))
    return (ratio if 0 < ratio[0] < math.inf else nothing), p


def _add_time(rows: TableRows, time: Times, groups: Groups, strata: Strata, pair: tuple[int, int]) -> None:
    """The row of a time."""
    first, second = pair
    kept = ~np.isnan(time.days) & np.isin(groups.code, pair) & (strata.code != NO_STRATUM)
    days, event, code, stratum = time.days[kept], time.event[kept], groups.code[kept], strata.code[kept]
    (hazard,) = hazards(days, event, code, [first], second, stratum)
    p = stratified_log_rank(days, event, code, stratum)
    versus = f"{groups.labels[first]} vs {groups.labels[second]}"
    numbers = [Number(time.name, versus, "p", p, "stratified log-rank")]
    shown = NOT_ESTIMABLE
    if hazard is not None:
        statistics = {"hazard ratio": hazard.ratio, "low": hazard.low, "high": hazard.high}
        numbers += numbers_of(time.name, versus, statistics, "stratified Cox")
        shown = span(hazard.ratio, hazard.low, hazard.high, 2)
    rows.add(("  hazard ratio", versus, shown, probability(p)), numbers)
