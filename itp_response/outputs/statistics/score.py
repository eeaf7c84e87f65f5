"""Score: Miettinen and Nurminen's test and interval of a difference of two proportions.

statsmodels has the interval, but errs in the shares it restricts to the difference: on common tables its limits are
wrong, or it fails. The formulas here are those of Miettinen and Nurminen, Stat Med 1985;4:213-226: the restricted
shares as the root of a cubic (Farrington and Manning, Stat Med 1990;9:1447-1454, appendix), the variance with
N / (N - 1).
"""

import math

STEPS = 60
"""Halvings of the interval in which a limit is sought: to 1e-18."""


def restricted(met: int, of: int, met_second: int, of_second: int, difference: float) -> tuple[float, float]:
    """The most likely shares of two groups whose first minus second is the difference.

    >>> restricted(10, 20, 10, 20, 0.0)
    (0.5, 0.5)
    """
    theta = of_second / of
    share, second = met / of, met_second / of_second
    a = 1 + theta
    b = -(1 + theta + share + theta * second + difference * (theta + 2))
    c = difference * (difference + 2 * share + theta + 1) + share + theta * second
    d = -share * difference * (1 + difference)
    centre = b / (3 * a)
    v = centre**3 - b * c / (6 * a * a) + d / (2 * a)
    u = math.copysign(math.sqrt(max(centre * centre - c / (3 * a), 0.0)), v)
    angle = math.acos(min(1.0, max(-1.0, v / u**3))) if u else 0.0
    root = 2 * u * math.cos((math.pi + angle) / 3) - centre
    low, high = max(0.0, difference), min(1.0, 1 + difference)
    first = min(high, max(low, root))
    return first, first - difference


def score_statistic(met: int, of: int, met_second: int, of_second: int, difference: float) -> float:
    """The score statistic of the shares differing by the difference: standard normal if they do."""
    first, second = restricted(met, of, met_second, of_second, difference)
    total = of + of_second
    variance = (first * (1 - first) / of + second * (1 - second) / of_second) * total / (total - 1)
    gap = met / of - met_second / of_second - difference
    if variance <= 0:
        return math.copysign(math.inf, gap) if gap else 0.0
    return gap / math.sqrt(variance)


def score_interval(met: int, of: int, met_second: int, of_second: int, z: float) -> tuple[float, float]:
    """The differences whose score statistic is at most `z`: their lowest and highest."""
    observed = met / of - met_second / of_second

    def limit(end: float) -> float:
        inside, outside = observed, end
        for _ in range(STEPS):
            middle = (inside + outside) / 2
            if abs(score_statistic(met, of, met_second, of_second, middle)) <= z:
                inside = middle
            else:
                outside = middle
        return (inside + outside) / 2

    return limit(-1.0), limit(1.0)
