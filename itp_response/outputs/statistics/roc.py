"""ROC: how well a number tells two groups apart, and from which limit on.

The curve is scikit-learn's. The interval of the area under it is DeLong's (DeLong, DeLong and Clarke-Pearson,
Biometrics 1988;44:837-845), from the placement values, which are scipy's ranks.
"""

import math
from dataclasses import dataclass

import numpy as np

from itp_response.cohort.values import Floats
from itp_response.messages.optional_imports import needed
from itp_response.outputs.statistics.proportions import normal_quantile


@dataclass(frozen=True)
class Roc:
    """The curve, the area under it with its 95% CI, and the best limit by Youden's index."""

    lower: bool
    """Low values point to the positive group, else high ones: whichever gives an area of at least one half."""
    area: float
    low: float
    high: float
    false_positive: Floats
    """(points) The share of the negative group beyond each limit."""
    true_positive: Floats
    """(points) The share of the positive group."""
    limit: float
    """The best limit, half-way between two observed values; below it (above, if not `lower`) is positive."""
    sensitivity: float
    specificity: float
    others: tuple[float, ...]
    """Further limits that are as good."""

    @property
    def youden(self) -> float:
        return self.sensitivity + self.specificity - 1


def roc(positive: Floats, negative: Floats) -> Roc:
    """The curve of these values of the two groups; neither may be empty."""
    metrics = needed("sklearn.metrics", "stats")
    truth = np.concatenate([np.ones(len(positive)), np.zeros(len(negative))])
    values = np.concatenate([positive, negative])
    area = float(metrics.roc_auc_score(truth, values))
    lower = area < 0.5
    sign = -1.0 if lower else 1.0
    area = 1 - area if lower else area
    false_positive, true_positive, limits = metrics.roc_curve(truth, sign * values, drop_intermediate=False)
    youden = true_positive - false_positive
    best = np.flatnonzero(youden >= youden.max() - 1e-12)
    midway = [_midway(sign * float(limits[point]), values, lower=lower) for point in best]
    low, high = _delong(sign * positive, sign * negative, area)
    return Roc(
        lower=lower,
        area=area,
        low=low,
        high=high,
        false_positive=false_positive,
        true_positive=true_positive,
        limit=midway[0],
        sensitivity=float(true_positive[best[0]]),
        specificity=float(1 - false_positive[best[0]]),
        others=tuple(midway[1:]),
    )


def _midway(last: float, values: Floats, *, lower: bool) -> float:
    """Half-way between the last value that is positive and the next that is not."""
    beyond = values[values > last] if lower else values[values < last]
    if not len(beyond):
        return last
    return (last + float(beyond.min() if lower else beyond.max())) / 2


def _delong(positive: Floats, negative: Floats, area: float) -> tuple[float, float]:
    """The interval of the area; NaN where a group has only one value."""
    positives, negatives = len(positive), len(negative)
    if positives < 2 or negatives < 2:
        return math.nan, math.nan
    rank = needed("scipy.stats", "stats").rankdata
    ranks = rank(np.concatenate([positive, negative]))
    of_positive = (ranks[:positives] - rank(positive)) / negatives
    of_negative = 1 - (ranks[positives:] - rank(negative)) / positives
    spread = math.sqrt(of_positive.var(ddof=1) / positives + of_negative.var(ddof=1) / negatives)
    half = normal_quantile() * spread
    return max(0.0, area - half), min(1.0, area + half)
