"""Restricted mean: the mean time without the event up to a day, the area under the Kaplan-Meier curve.

The curve is lifelines'. The variance is Greenwood's of the area, as in R's survival and survRM2 (lifelines gives that
of the times, not of their mean).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from itp_response.cohort.values import Bools, Floats
from itp_response.messages.optional_imports import needed
from itp_response.outputs.statistics.groups import Groups
from itp_response.outputs.statistics.proportions import LEVEL, normal_quantile
from itp_response.outputs.statistics.tables import (
    DASH,
    NOT_ESTIMABLE,
    Number,
    TableRows,
    numbers_of,
    probability,
    rounded,
    span,
)

WEEK = 7
METHOD = "restricted mean"


@dataclass(frozen=True)
class Estimate:
    """A mean time, or a difference of two, in days, with its standard error; NaN: it cannot be estimated."""

    value: float
    error: float

    @property
    def limits(self) -> tuple[float, float]:
        """The 95% CI."""
        half = normal_quantile() * self.error
        return self.value - half, self.value + half

    @property
    def p(self) -> float:
        """The p-value of its being 0; NaN without an error."""
        if not self.error > 0:
            return math.nan
        return 2 * float(needed("scipy.stats", "stats").norm.sf(abs(self.value) / self.error))

    def minus(self, other: "Estimate") -> "Estimate":
        return Estimate(self.value - other.value, math.hypot(self.error, other.error))


def restricted_mean(days: Floats, event: Bools, until: float) -> Estimate:
    """The mean time without the event up to the day `until`; NaN where the curve does not reach that day.

    >>> mean = restricted_mean(np.array([2.0, 4, 6]), np.array([True, False, True]), 6.0)
    >>> round(mean.value, 4), round(mean.error, 4)
    (4.6667, 1.0887)
    """
    if until > reaches(days, event):
        return Estimate(math.nan, math.nan)
    curve = needed("lifelines", "stats").KaplanMeierFitter(alpha=1 - LEVEL).fit(days, event)
    table = curve.event_table.to_numpy()
    at, share = curve.survival_function_.index.to_numpy(), curve.survival_function_.to_numpy()[:, 0]
    before = at < until
    events, at_risk = (table[before, curve.event_table.columns.get_loc(name)] for name in ("observed", "at_risk"))
    areas = share[before] * np.diff(np.append(at[before], until))
    beyond = np.cumsum(areas[::-1])[::-1]
    left = at_risk - events
    variance = beyond**2 * events / np.where(left > 0, at_risk * left, 1.0)
    return Estimate(float(areas.sum()), math.sqrt(float(variance[left > 0].sum())))


def reaches(days: Floats, event: Bools) -> float:
    """The last day to which a curve is known; infinite where it came down to 0; without times, 0."""
    if not len(days):
        return 0.0
    last = float(days.max())
    return math.inf if event[days == last].all() else last


def add_restricted_means(
    rows: TableRows,
    name: str,
    samples: Sequence[tuple[Floats, Bools]],
    groups: Groups,
    tau: float | None = None,
) -> Iterator[str]:
    """The rows of the restricted means of a time and of their differences; what is given back are the notes.

    `samples` has the days and the events of each group. Without `tau`, up to the largest time that all groups reach.
    """
    common = min((float(days.max()) for days, _ in samples if len(days)), default=0.0)
    until = common if tau is None else tau
    if until <= 0:
        return  # no patient has a time, or all times end on the day on which they begin
    means = [restricted_mean(days, event, until) for days, event in samples]
    day = f"day {until:g}"
    cells = [_weeks(mean) if len(days) else DASH for mean, (days, _) in zip(means, samples, strict=True)]
    numbers = [
        number
        for label, mean in zip(groups.labels, means, strict=True)
        for number in _numbers(name, label, "restricted mean", mean, day)
    ]
    rows.add((f"  restricted mean to {day}, weeks (95% CI)", *cells), numbers)
    blanks = [""] * (len(means) - 1)
    for first, second in groups.pairs:
        gap = means[first].minus(means[second])
        which = f", {groups.labels[first]} minus reference" if len(groups.pairs) > 1 else ""
        compared = f"{groups.labels[first]} minus {groups.labels[second]}"
        numbers = [
            *_numbers(name, compared, "difference of restricted means", gap, day),
            Number(name, compared, "p", gap.p, METHOD, level=day),
        ]
        rows.add((f"  difference, weeks (95% CI){which}", _weeks(gap), *blanks, probability(gap.p)), numbers)
    known = min(reaches(*sample) for sample in samples if len(sample[0]))
    if until > known:
        yield f"restricted mean to {day} not estimable: the curves of all groups are known to day {known:g} only."
    else:
        chosen = "the largest time that all groups reach" if tau is None else "as given by --tau"
        compared = f"; difference: {groups.compared()[0]}" if len(groups.pairs) == 1 else ""
        yield f"restricted mean: the area under the Kaplan-Meier curve up to {day}, {chosen}{compared}; 95% CI by Wald."


def _weeks(mean: Estimate) -> str:
    if math.isnan(mean.value):
        return NOT_ESTIMABLE
    if math.isnan(mean.error):
        return rounded(mean.value / WEEK, 1)
    low, high = mean.limits
    return span(mean.value / WEEK, low / WEEK, high / WEEK, 1)


def _numbers(name: str, group: str, statistic: str, mean: Estimate, level: str) -> list[Number]:
    low, high = mean.limits
    return numbers_of(name, group, {statistic: mean.value, "low": low, "high": high}, METHOD, level=level)
