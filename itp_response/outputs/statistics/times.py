"""Times: how long until a response, and how long it lasts; lengths of time in a state.

Quartiles are those at the (n + 1) p-th place, as SPSS, GraphPad Prism and R's type 6 have them.
The Kaplan-Meier median with its interval, the log-rank test and Cox's model are lifelines'; the Mann-Whitney and
Kruskal-Wallis tests are scipy's.
"""

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from itp_response.cohort.values import NO_DAY, Bools, Floats
from itp_response.evaluation.verdicts import NE, Y
from itp_response.messages.optional_imports import needed
from itp_response.messages.wording import counted_patients, listed
from itp_response.outputs.statistics.groups import AnalysedPatients, Groups
from itp_response.outputs.statistics.proportions import LEVEL, Set
from itp_response.outputs.statistics.tables import DASH, Number, Table, probability, rounded, span

WEEK = 7


@dataclass(frozen=True)
class Times:
    """The lengths of one endpoint, an entry per patient (P)."""

    name: str
    days: NDArray[np.float64]
    """NaN: none."""
    event: Bools
    """It ended with the event; else it was censored."""
    censored: bool
    """Those without the event are censored; else only those with it have a time."""


def lengths(patients: AnalysedPatients, of: Set = "itt") -> list[Times]:
    """The lengths of time that the set has, of the patients looked at; in the order of the file."""
    inside = patients.only & (patients.per_protocol() if of == "per-protocol" else True)
    criteria = patients.found.criteria.endpoints
    found = []
    for name, model in criteria.items():
        verdict = patients.found.verdicts[name]
        if verdict.days is not None:
            days = np.where(inside & (verdict.days != NO_DAY), verdict.days, np.nan).astype(np.float64)
            censored = getattr(model, "censored", None) is not None
            found.append(Times(name, days, (verdict.value == Y) | (not censored), censored))
    return found


def quartiles(values: Any) -> tuple[float, float, float]:
    """The lower quartile, the median and the upper; NaN of nothing."""
    if not len(values):
        return math.nan, math.nan, math.nan
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), method="weibull")
    return float(low), float(middle), float(high)


def alike(samples: Sequence[Floats]) -> tuple[float, str]:
    """The p-value of the samples being alike, and by which test: of two Mann-Whitney, of more Kruskal-Wallis.

    NaN where a sample is empty, or all values are the same. Mann-Whitney by the normal approximation with corrections
    for ties and continuity, as R's `wilcox.test(exact = FALSE)`.
    """
    everything = np.concatenate(samples)
    if len(samples) < 2 or not all(map(len, samples)) or len(np.unique(everything)) < 2:
        return math.nan, ""
    stats = needed("scipy.stats", "stats")
    if len(samples) == 2:
        return float(stats.mannwhitneyu(*samples, method="asymptotic").pvalue), "Mann-Whitney"
    return float(stats.kruskal(*samples).pvalue), "Kruskal-Wallis"


@dataclass(frozen=True)
class Survival:
    """A median of censored times in days, with its interval; infinite where the curve does not come down to it."""

    median: float
    low: float
    high: float


def kaplan_meier(days: Floats, event: Bools) -> Survival:
    """The median of the Kaplan-Meier curve, with its 95 % interval from log(-log S), Brookmeyer and Crowley's."""
    lifelines = needed("lifelines", "stats")
    from_curve = needed("lifelines.utils", "stats").median_survival_times
    if not len(days):
        return Survival(math.nan, math.nan, math.nan)
    curve = lifelines.KaplanMeierFitter(alpha=1 - LEVEL).fit(days, event)
    low, high = from_curve(curve.confidence_interval_).to_numpy()[0]
    return Survival(float(curve.median_survival_time_), float(low), float(high))


def log_rank(days: Floats, event: Bools, code: Any) -> float:
    """The p-value of the curves of all groups being alike; NaN where there is but one, or no event."""
    if len(np.unique(code)) < 2 or not event.any():
        return math.nan
    statistics = needed("lifelines.statistics", "stats")
    return float(statistics.multivariate_logrank_test(days, code, event).p_value)


@dataclass(frozen=True)
class Hazard:
    """A hazard ratio, of the first group to the second, with its 95 % interval."""

    ratio: float
    low: float
    high: float
    p: float


def cox(days: Floats, event: Bools, first: Bools) -> Hazard | None:
    """Cox's model with the group alone, ties by Efron.

    None where it has no solution: a group has no event, or all of one come before those of the other.
    """
    if not (event & first).any() or not (event & ~first).any():
        return None
    lifelines = needed("lifelines", "stats")
    frame = needed("pandas", "stats").DataFrame({"days": days, "event": event, "first": first.astype(float)})
    problems = needed("lifelines.exceptions", "stats")
    with warnings.catch_warnings():
        warnings.simplefilter("error", problems.ConvergenceWarning)
        try:
            model = lifelines.CoxPHFitter(alpha=1 - LEVEL).fit(frame, "days", "event")
        except (problems.ConvergenceWarning, problems.ConvergenceError):
            return None
    ratio, low, high, p = model.summary.loc["first"][
        ["exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%", "p"]
    ].to_numpy()
    return Hazard(float(ratio), float(low), float(high), float(p))


def times(patients: AnalysedPatients, groups: Groups, names: Sequence[str], of: Set = "itt") -> Table | None:
    """Per length of time and group the median and quartiles, or where it can be censored the Kaplan-Meier median.

    Of such a time the median over all, as if censored times were whole, is given too, and called so.
    None: no length is named.
    """
    found = [one for one in lengths(patients, of) if one.name in names]
    if not found:
        return None
    rows: list[tuple[str, ...]] = []
    numbers: list[Number] = []
    notes: dict[str, list[str]] = {}
    for one in found:
        made = _censored(one, groups) if one.censored else _whole(one, groups)
        label = patients.found.criteria.endpoints[one.name].label
        rows += [(f"{one.name}: {label.lower()}",), *((f"  {row[0]}", *row[1:]) for row in made.rows)]
        numbers += made.numbers
        for note in (*made.notes, *_without(patients, groups, one)):
            notes.setdefault(note, []).append(one.name)
    last = ["p"] if len(groups.labels) > 1 else []
    return Table(
        name="times",
        title="Times",
        header=("", *groups.headed(), *last),
        rows=tuple(rows),
        numbers=tuple(numbers),
        notes=("Quartiles at the (n + 1) p-th place.", *(f"{', '.join(of)}: {note}" for note, of in notes.items())),
    )


@dataclass(frozen=True)
class _Part:
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[Number, ...]
    notes: tuple[str, ...]


def _samples(one: Times, groups: Groups) -> list[Bools]:
    """Of each group who has a time."""
    known = ~np.isnan(one.days)
    return [known & (groups.code == code) for code in range(len(groups.labels))]


def _whole(one: Times, groups: Groups) -> _Part:
    samples = [one.days[who] for who in _samples(one, groups)]
    p, test = alike(samples)
    row = ("days, median (quartiles)", *(shown(sample, 1) for sample in samples), probability(p))
    rows = [("patients", *(str(len(sample)) for sample in samples)), row[: None if len(samples) > 1 else -1]]
    numbers = [
        number for pair in zip(groups.labels, samples, strict=True) for number in _quartile_numbers(one.name, *pair)
    ]
    if test:
        numbers.append(Number(one.name, "", "p", p, test))
    return _Part(tuple(rows), tuple(numbers), (f"{test} test.",) if test else ())


def _censored(one: Times, groups: Groups) -> _Part:
    who = _samples(one, groups)
    known = np.logical_or.reduce(who)
    days, event, code = one.days[known], one.event[known], groups.code[known]
    curves = [kaplan_meier(one.days[here], one.event[here]) for here in who]
    rank = log_rank(days, event, code)
    naive = [one.days[here] for here in who]
    p, test = alike(naive)
    several = len(who) > 1
    rows = [
        ("events/patients", *(f"{int(one.event[here].sum())}/{int(here.sum())}" for here in who)),
        ("weeks, Kaplan-Meier median (95 % interval)", *map(_weeks, curves), *([probability(rank)] if several else [])),
    ]
    numbers = [number for trio in zip(groups.labels, who, curves, strict=True) for number in _curve_numbers(one, *trio)]
    if several:
        numbers.append(Number(one.name, "", "p", rank, "log-rank"))
    for first, second in groups.pairs:
        here = np.isin(code, (first, second))
        hazard = cox(days[here], event[here], code[here] == first)
        name = f"{groups.labels[first]} to {groups.labels[second]}"
        shown_ = (
            span(hazard.ratio, hazard.low, hazard.high, 2)
            if hazard
            else "not to be had: a group has no event, or all before the other"
        )
        blanks = [""] * (len(who) - 1)
        p_cox = probability(hazard.p) if hazard else ""
        rows.append((f"hazard ratio (95 % interval), {name}", shown_, *blanks, p_cox))
        if hazard:
            numbers += _hazard_numbers(one.name, name, hazard)
    row = ("weeks, naive median (quartiles) over all", *(shown(sample / WEEK, 1) for sample in naive), probability(p))
    rows.append(row[: None if several else -1])
    numbers += [
        number
        for label, sample in zip(groups.labels, naive, strict=True)
        for number in _quartile_numbers(one.name, label, sample, "naive: censored times as if they were whole")
    ]
    if test:
        numbers.append(Number(one.name, "", "p", p, f"naive {test}"))
    return _Part(tuple(rows), tuple(numbers), tuple(_said(groups, test)))


def _said(groups: Groups, test: str) -> Iterator[str]:
    """How censored times were worked out."""
    made = ["Kaplan-Meier median with the interval from log(-log S)"]
    if groups.pairs:
        made.append("log-rank test")
        made.append("hazard ratio by Cox's model, ties by Efron")
    yield f"{listed(made)}."
    by = f", {test} test" if test else ""
    yield (
        f"the naive median takes censored times as if they had ended in the event{by}; "
        "it is no estimate of how long a response lasts, and given because papers print it."
    )


def shown(sample: Floats, digits: int) -> str:
    """`28.0 (21.0 to 42.0)`; a dash of nothing."""
    low, middle, high = quartiles(sample)
    return span(middle, low, high, digits) if len(sample) else DASH


def _weeks(curve: Survival) -> str:
    if curve.median != curve.median:
        return DASH
    return (
        rounded(curve.median, 1)
        if curve.low == math.inf
        else span(curve.median / WEEK, curve.low / WEEK, curve.high / WEEK, 1)
    )


def _without(patients: AnalysedPatients, groups: Groups, one: Times) -> Iterator[str]:
    """How many have no time as it is not evaluable."""
    open_ = (patients.found.verdicts[one.name].value == NE) & np.isnan(one.days) & (groups.code >= 0)
    if open_.any():
        yield f"not evaluable for {counted_patients(int(open_.sum()))}, left out."


def _quartile_numbers(name: str, group: str, sample: Floats, method: str = "") -> Iterator[Number]:
    low, middle, high = quartiles(sample)
    found = {"n": float(len(sample)), "median": middle, "lower quartile": low, "upper quartile": high}
    yield from (Number(name, group, statistic, value, method) for statistic, value in found.items())


def _curve_numbers(one: Times, group: str, here: Bools, curve: Survival) -> Iterator[Number]:
    found = {
        "events": float(one.event[here].sum()),
        "N": float(here.sum()),
        "median": curve.median,
        "low": curve.low,
        "high": curve.high,
    }
    yield from (Number(one.name, group, statistic, value, "Kaplan-Meier") for statistic, value in found.items())


def _hazard_numbers(name: str, group: str, hazard: Hazard) -> Iterator[Number]:
    found = {"hazard ratio": hazard.ratio, "low": hazard.low, "high": hazard.high, "p": hazard.p}
    yield from (Number(name, group, statistic, value, "Cox") for statistic, value in found.items())
