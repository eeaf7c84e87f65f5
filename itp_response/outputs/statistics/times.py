"""Times: how long until a response, and how long it lasts; lengths of time in a state.

Quartiles are those at the (n + 1) p-th place, as SPSS, GraphPad Prism and R's type 6 have them.
The Kaplan-Meier median with its interval, the log-rank test and Cox's model are lifelines'; the Mann-Whitney and
Kruskal-Wallis tests are scipy's.
"""

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from itp_response.classification.supplied import UNRECORDED
from itp_response.cohort.values import NO_DAY, Bools, Floats
from itp_response.evaluation.verdicts import NE, Y
from itp_response.messages.optional_imports import needed
from itp_response.messages.wording import counted_patients, listed
from itp_response.outputs.statistics.competing import with_named
from itp_response.outputs.statistics.from_day_0 import FromDay0, cumulative_incidence, from_day_0, interval
from itp_response.outputs.statistics.groups import AnalysedPatients, Groups
from itp_response.outputs.statistics.proportions import LEVEL, Set, normal_quantile
from itp_response.outputs.statistics.restricted_mean import WEEK, add_restricted_means
from itp_response.outputs.statistics.tables import (
    DASH,
    NOT_ESTIMABLE,
    Number,
    RowTexts,
    Table,
    TableRows,
    numbers_of,
    probability,
    rounded,
    span,
)

CONVERGED = {"step_size": 1.0, "precision": 1e-12, "r_precision": 1e-14}
"""How far Cox's model is taken: as many digits as numbers have."""
TOLERANCE = 1e-8
"""Shares that differ by less are the same: a curve is a product of rounded numbers."""
QUARTILES = "Quartiles: the value at position (n + 1)p, as in SPSS (type 6 of R)."


@dataclass(frozen=True)
class Times:
    """The lengths of one endpoint, an entry per patient (P)."""

    name: str
    days: NDArray[np.float64]
    """NaN: none."""
    event: Bools
    """Whether the time ended with the event; else it was censored."""
    censored: bool
    """Patients without the event are censored; else only patients with the event have a time."""
    followed: FromDay0 | None = None
    """The same from day 0 over all patients; None: the time does not begin on day 0."""

    @property
    def of_all(self) -> "Times":
        """The time that curves, tests and hazard ratios are of: never of those with the event alone.

        Where the set gives a time to those with the event alone, the others are censored at their last evaluable day.
        """
        if self.censored or self.followed is None:
            return self
        return replace(self, days=self.followed.days, event=self.followed.event, censored=True)


def names_of_lengths(patients: AnalysedPatients) -> list[str]:
    """The endpoints of a set that are lengths of time, in the order of the file."""
    verdicts = patients.classification.verdicts
    return [name for name in patients.endpoints if verdicts[name].days is not None]


def lengths(patients: AnalysedPatients, of: Set = "itt") -> list[Times]:
    """The lengths of time of a set, for the patients analysed; in the order of the file."""
    inside: Bools = patients.included & (patients.per_protocol() if of == "per-protocol" else True)
    times_of_set = []
    for name in names_of_lengths(patients):
        model, verdict = patients.endpoints[name], patients.classification.verdicts[name]
        assert verdict.days is not None
        days = np.where(inside & (verdict.days != NO_DAY), verdict.days, np.nan).astype(np.float64)
        is_event = (verdict.value == Y) | (not model.can_be_censored)
        followed = from_day_0(patients.classification, name, inside)
        times_of_set.append(Times(name, days, is_event, model.can_be_censored, followed))
    return times_of_set


def quartiles(values: Any) -> tuple[float, float, float]:
    """The lower quartile, the median and the upper quartile; NaN where there are no values."""
    if not len(values):
        return math.nan, math.nan, math.nan
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), method="weibull")
    return float(low), float(middle), float(high)


def alike(samples: Sequence[Floats]) -> tuple[float, str]:
    """The p-value of the samples being alike, and the test: Mann-Whitney for two samples, else Kruskal-Wallis.

    NaN where a sample is empty, or all values are the same. Mann-Whitney by the normal approximation with corrections
    for ties and continuity, as R's `wilcox.test(exact = FALSE)`.
    """
    values = np.concatenate(samples)
    if len(samples) < 2 or not all(map(len, samples)) or len(np.unique(values)) < 2:
        return math.nan, ""
    stats = needed("scipy.stats", "stats")
    if len(samples) == 2:
        return float(stats.mannwhitneyu(*samples, method="asymptotic").pvalue), "Mann-Whitney"
    return float(stats.kruskal(*samples).pvalue), "Kruskal-Wallis"


@dataclass(frozen=True)
class Survival:
    """A median of censored times in days, with its interval; infinite where the curve does not reach it."""

    median: float
    low: float
    high: float


def kaplan_meier(days: Floats, event: Bools) -> Survival:
    """The median of the Kaplan-Meier curve, with Brookmeyer and Crowley's 95% CI from log(-log S).

    Where the curve lies at one half, the median is the middle of that step, as in R's survival and in SAS.
    """
    lifelines = needed("lifelines", "stats")
    if not len(days):
        return Survival(math.nan, math.nan, math.nan)
    curve = lifelines.KaplanMeierFitter(alpha=1 - LEVEL).fit(days, event)
    share = curve.survival_function_.to_numpy()[:, 0]
    # Where the curve is at 0 it has no interval.
    limits = np.where(share[:, None] > TOLERANCE, curve.confidence_interval_.to_numpy(), np.nan)
    at = curve.survival_function_.index.to_numpy()
    return Survival(*(_at_one_half(at, values) for values in (share, *limits.T)))


def _at_one_half(at: Floats, share: Floats) -> float:
    """The time at which a curve comes down to one half: the middle of the step that lies there; infinite: never."""
    reached = share < 0.5 + TOLERANCE
    if not reached.any():
        return math.inf
    first = int(np.argmax(reached))
    below = share < 0.5 - TOLERANCE
    if below[first] or not below.any():
        return float(at[first])
    return float(at[first] + at[np.argmax(below)]) / 2


def log_rank(days: Floats, event: Bools, code: Any) -> float:
    """The p-value of the curves of all groups being alike; NaN where there is only one group, or no event."""
    if len(np.unique(code)) < 2 or not event.any():
        return math.nan
    statistics = needed("lifelines.statistics", "stats")
    return float(statistics.multivariate_logrank_test(days, code, event).p_value)


@dataclass(frozen=True)
class Hazard:
    """A hazard ratio of the first group to the second, with its 95% CI."""

    ratio: float
    low: float
    high: float
    p: float


def cox(days: Floats, event: Bools, first: Bools) -> Hazard | None:
    """The hazard ratio of two groups, as in `hazards`."""
    return hazards(days, event, np.where(first, 1, 0), [1], 0)[0]


def hazards(
    days: Floats, event: Bools, code: Any, others: Sequence[int], reference: int, strata: Any = None
) -> list[Hazard | None]:
    """The hazard ratios of the other groups to the reference, from one model of Cox, ties by Efron.

    `strata` has the stratum of each time, each with a baseline hazard of its own. None where the model has no solution:
    a group has no event, or all of its events come before those of the others. A group without events tells the others
    nothing, so that they are estimated without it.
    """
    solvable = [group for group in others if (event & (code == group)).any()]
    if not solvable or not (event & (code == reference)).any():
        return [None] * len(others)
    kept = np.isin(code, [*solvable, reference])
    columns = {f"group {group}": (code == group)[kept].astype(float) for group in solvable}
    stratum = {} if strata is None else {"stratum": strata[kept]}
    model = _fitted({"days": days[kept], "event": event[kept], **columns, **stratum})
    return [_hazard(model, f"group {group}") if model is not None and group in solvable else None for group in others]


def log_likelihood(days: Floats, event: Bools, design: Floats) -> float:
    """The partial log-likelihood of Cox's model with these columns (patients, columns); NaN: it does not converge."""
    columns = {f"column {number}": column for number, column in enumerate(design.T)}
    model = _fitted({"days": days, "event": event, **columns})
    return math.nan if model is None else float(model.log_likelihood_)


def _fitted(columns: dict[str, Any]) -> Any:
    """Cox's model of the columns, converged as far as numbers go; None where it does not."""
    lifelines = needed("lifelines", "stats")
    frame = needed("pandas", "stats").DataFrame(columns)
    strata = ["stratum"] if "stratum" in columns else None
    problems = needed("lifelines.exceptions", "stats")
    with warnings.catch_warnings():
        warnings.simplefilter("error", problems.ConvergenceWarning)
        try:
            return lifelines.CoxPHFitter(alpha=1 - LEVEL, strata=strata).fit(
                frame, "days", "event", fit_options=CONVERGED
            )
        except (problems.ConvergenceWarning, problems.ConvergenceError):
            return None


def _hazard(model: Any, name: str) -> Hazard:
    ratio, low, high, p = model.summary.loc[name][
        ["exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%", "p"]
    ].to_numpy()
    return Hazard(float(ratio), float(low), float(high), float(p))


def times(
    patients: AnalysedPatients,
    groups: Groups,
    names: Sequence[str],
    of: Set = "itt",
    tau: float | None = None,
    competing: Sequence[str] = (),
) -> Table | None:
    """Per length of time and group the median and quartiles, or where it can be censored the Kaplan-Meier median.

    A time from day 0 to an endpoint has its Kaplan-Meier median over all patients and, where other events compete with
    the endpoint, its cumulative incidence; the quartiles of those with the event stand beneath.
    The events that `competing` names, endpoints or patient columns, compete beside those of the definition; the
    cumulative incidence alone takes them into account.
    The restricted mean is up to the day `tau`, else up to the largest time that all groups reach.
    For a time that can be censored the median over all patients is given too, with censored times as if they were
    whole. It is called the naive median.
    None: no length is named.
    """
    named = [time for time in lengths(patients, of) if time.name in names]
    if not named:
        return None
    rows = TableRows()
    names_by_note: dict[str, list[str]] = {}
    for time in named:
        rows.heading(patients.classification.criteria.labelled(time.name))
        followed = _followed(patients, time, groups, competing)
        notes = [*_add_curves_of(rows, time, followed, groups, tau), *_add_quartiles_of(rows, patients, time, groups)]
        origins = patients.endpoints[time.name].origins()
        if origins and groups.pairs:
            notes.append(
                f"groups are compared among patients with {listed(origins)} only; this is not a randomised comparison."
            )
        for note in (*notes, *_without_time(patients, groups, time)):
            names_by_note.setdefault(note, []).append(time.name)
    header = ("", *groups.headed(), *(["p"] if len(groups.labels) > 1 else []))
    by_name = [f"{', '.join(of_note)}: {note}" for note, of_note in names_by_note.items()]
    return rows.table("times", "Times to event and durations", header, [QUARTILES, *by_name])


def with_time(time: Times, groups: Groups) -> list[Bools]:
    """For each group, which patients have a time."""
    known = ~np.isnan(time.days)
    return [known & member for member in groups.members]


def _followed(patients: AnalysedPatients, time: Times, groups: Groups, competing: Sequence[str]) -> FromDay0 | None:
    """The time with what competes with its event; None: nothing does."""
    if not competing:
        return time.followed
    followed = time.followed
    if followed is None and time.censored:
        nothing = np.zeros(len(time.days), dtype=np.bool_)
        reached = [float(time.days[member].max()) for member in with_time(time, groups) if member.any()]
        known = ~np.isnan(time.days)
        followed = FromDay0(time.name, time.days, time.event & known, nothing, (), (), min(reached, default=0.0))
    return None if followed is None else with_named(patients, followed, competing)


def _add_curves_of(
    rows: TableRows, time: Times, followed: FromDay0 | None, groups: Groups, tau: float | None
) -> Iterator[str]:
    """The rows of the curves of a time that can be censored, or is from day 0; what is given back are the notes."""
    of_all = time.of_all
    if not of_all.censored:
        return
    members = with_time(of_all, groups)
    events = [f"{int(of_all.event[member].sum())}/{int(member.sum())}" for member in members]
    rows.add(("  events/patients (n/N)", *events), ())
    _add_curves(rows, of_all, members, groups)
    known = ~np.isnan(of_all.days) & groups.inside
    others = [first for first, _ in groups.pairs]
    ratios = hazards(of_all.days[known], of_all.event[known], groups.code[known], others, groups.reference)
    for (first, second), hazard in zip(groups.pairs, ratios, strict=True):
        yield from _add_hazard(rows, hazard, of_all.name, groups, (first, second))
    samples = [(of_all.days[member], of_all.event[member]) for member in members]
    of_mean = list(add_restricted_means(rows, of_all.name, samples, groups, tau))
    if followed is not None and followed.competes:
        yield from _add_incidence(rows, followed, groups)
    if followed is not None and followed.unrecorded:
        yield f"competing events {UNRECORDED}: {listed(followed.unrecorded)}."
    yield _methods(groups)
    yield from of_mean
    if not time.censored:
        yield "Kaplan-Meier over all patients; those without the event are censored at their last evaluable day."


def _add_quartiles_of(rows: TableRows, patients: AnalysedPatients, time: Times, groups: Groups) -> Iterator[str]:
    """The row of quartiles of a time; what is given back are the notes."""
    samples = [time.days[member] for member in with_time(time, groups)]
    if time.censored:
        heading = "naive median (quartiles), weeks"
        test = _add_quartiles(rows, time.name, heading, samples, groups, naive=True)
        by = f" ({test} test)" if test else ""
        yield (
            f"the naive median treats censored durations as events{by}; it is not a valid estimate of duration "
            "and is shown only for comparison with published reports."
        )
        return
    to = patients.endpoints[time.name].runs_to
    with_event = f" with {patients.classification.criteria.labelled(to)}" if to else ""
    rows.add((f"  patients{with_event}", *(str(len(sample)) for sample in samples)), ())
    method = f"quartiles: patients with {to}" if to else "quartiles"
    test = _add_quartiles(rows, time.name, "median (quartiles), days", samples, groups, method=method)
    if test:
        yield f"{test} test{f' among patients with {to} only; this is not a randomised comparison' if to else ''}."


def _add_quartiles(
    rows: TableRows,
    name: str,
    heading: str,
    samples: Sequence[Floats],
    groups: Groups,
    *,
    method: str = "quartiles",
    naive: bool = False,
) -> str:
    """A row of medians and the p-value of their test; what is given back is the test.

    Naive medians are in weeks, others in days.
    """
    p, test = alike(samples)
    cells = [median_quartiles(sample / WEEK if naive else sample, 1) for sample in samples]
    last = [probability(p)] if len(samples) > 1 else []
    method = "quartiles: censored durations as events" if naive else method
    numbers = [
        number
        for label, sample in zip(groups.labels, samples, strict=True)
        for number in _quartile_numbers(name, label, sample, method)
    ]
    if test:
        numbers.append(Number(name, "", "p", p, f"naive {test}" if naive else test))
    rows.add((f"  {heading}", *cells, *last), numbers)
    return test


def _add_curves(rows: TableRows, time: Times, members: Sequence[Bools], groups: Groups) -> None:
    """The row of Kaplan-Meier medians, with the log-rank test where there are two groups or more."""
    known = np.logical_or.reduce(members)
    p = log_rank(time.days[known], time.event[known], groups.code[known])
    curves = [kaplan_meier(time.days[member], time.event[member]) for member in members]
    numbers = [
        number
        for label, member, curve in zip(groups.labels, members, curves, strict=True)
        for number in _curve_numbers(time, label, member, curve)
    ]
    several = len(members) > 1
    if several:
        numbers.append(Number(time.name, "", "p", p, "log-rank"))
    last = [probability(p)] if several else []
    rows.add(("  Kaplan-Meier median, weeks (95% CI)", *map(_weeks, curves), *last), numbers)


def _add_incidence(rows: TableRows, time: FromDay0, groups: Groups) -> Iterator[str]:
    """The rows of competing events and of the cumulative incidence; what is given back are the notes."""
    known = ~np.isnan(time.days)
    day = time.last if np.isfinite(time.last) else float(np.max(time.days[known], initial=0.0))
    members = [known & member for member in groups.members]
    counts = [int(time.competing[member].sum()) for member in members]
    name = "competing events"
    numbers = [Number(time.name, label, name, float(count)) for label, count in zip(groups.labels, counts, strict=True)]
    rows.add((f"  {name}", *map(str, counts)), numbers)
    cells, numbers = [], []
    for label, member in zip(groups.labels, members, strict=True):
        share, low, high = incidence_on(time, member, day)
        cells.append(DASH if math.isnan(share) else span(100 * share, 100 * low, 100 * high, 1))
        statistics = {"cumulative incidence": share, "low": low, "high": high}
        numbers += numbers_of(time.name, label, statistics, "Aalen-Johansen", level=f"day {day:g}")
    rows.add((f"  cumulative incidence by day {day:g}, % (95% CI)", *cells), numbers)
    if time.competitors:
        yield f"{competing_in_words(time)}; Kaplan-Meier and Cox censor at them."
    if time.named:
        yield (
            f"competing events named by --competing, which the cumulative incidence alone takes into account: "
            f"{listed(time.named, 'or')}."
        )
    yield "cumulative incidence by Aalen-Johansen, 95% CI by log(−log) transformation."


def incidence_on(time: FromDay0, member: Bools, day: float) -> tuple[float, float, float]:
    """The cumulative incidence among these patients on a day, with its 95% CI; NaN without patients."""
    if not member.any():
        return math.nan, math.nan, math.nan
    steps = cumulative_incidence(time.days[member], time.event[member], time.competing[member])
    share, variance = steps.at(day)
    return share, *interval(share, variance, normal_quantile())


def competing_in_words(time: FromDay0) -> str:
    """The competing events, for a note."""
    what = "which end the time" if time.is_ended else "after which the endpoint can no longer be reached"
    return f"competing events, {what}: {listed(time.competitors, 'or')}"


def _add_hazard(
    rows: TableRows, hazard: Hazard | None, name: str, groups: Groups, pair: tuple[int, int]
) -> Iterator[str]:
    """The row of the hazard ratio of two groups; what is given back is why there is none."""
    first, second = pair
    label = f"{groups.labels[first]} vs {groups.labels[second]}"
    which = f", {groups.labels[first]} vs reference" if len(groups.pairs) > 1 else ""
    rows.add(_hazard_row(hazard, which, len(groups.labels)), hazard_numbers(name, label, hazard))
    if hazard is None:
        yield (
            f"hazard ratio, {label}, not estimable: a group has no event, or all its events precede those of the other."
        )


def _hazard_row(hazard: Hazard | None, compared: str, groups: int) -> RowTexts:
    heading = f"  hazard ratio (95% CI){compared}"
    blanks = [""] * (groups - 1)
    if hazard is None:
        return (heading, NOT_ESTIMABLE, *blanks, "")
    return (heading, span(hazard.ratio, hazard.low, hazard.high, 2), *blanks, probability(hazard.p))


def _methods(groups: Groups) -> str:
    """How censored times were estimated and compared."""
    methods = ["Kaplan-Meier median, 95% CI by log(−log) transformation"]
    if groups.pairs:
        reference = groups.labels[groups.reference]
        what = (
            f"s vs {reference}" if len(groups.pairs) > 1 else f", {groups.labels[groups.pairs[0][0]]} vs {reference},"
        )
        one = "one " if len(groups.pairs) > 1 else ""
        methods += ["log-rank test", f"hazard ratio{what} by {one}Cox regression (Efron's method for ties)"]
    return f"{'; '.join(methods)}."


def median_quartiles(sample: Floats, digits: int) -> str:
    """`28.0 (21.0 to 42.0)`; a dash where there are no values."""
    low, middle, high = quartiles(sample)
    return span(middle, low, high, digits) if len(sample) else DASH


def _weeks(curve: Survival) -> str:
    if math.isnan(curve.median):
        return DASH
    if curve.low == math.inf:
        return rounded(curve.median, 1)
    return span(curve.median / WEEK, curve.low / WEEK, curve.high / WEEK, 1)


def _without_time(patients: AnalysedPatients, groups: Groups, time: Times) -> Iterator[str]:
    """How many patients have no time, as it is not evaluable."""
    not_evaluable = patients.classification.verdicts[time.name].value == NE
    number = int((not_evaluable & np.isnan(time.of_all.days) & groups.inside).sum())
    if number:
        yield f"{counted_patients(number)} not evaluable, excluded."


def _quartile_numbers(name: str, group: str, sample: Floats, method: str) -> list[Number]:
    low, middle, high = quartiles(sample)
    statistics = {"n": float(len(sample)), "median": middle, "lower quartile": low, "upper quartile": high}
    return numbers_of(name, group, statistics, method)


def _curve_numbers(time: Times, group: str, member: Bools, curve: Survival) -> list[Number]:
    statistics = {
        "events": float(time.event[member].sum()),
        "N": float(member.sum()),
        "median": curve.median,
        "low": curve.low,
        "high": curve.high,
    }
    return numbers_of(time.name, group, statistics, "Kaplan-Meier")


def hazard_numbers(name: str, group: str, hazard: Hazard | None, subgroup: str = "") -> list[Number]:
    if hazard is None:
        return []
    statistics = {"hazard ratio": hazard.ratio, "low": hazard.low, "high": hazard.high, "p": hazard.p}
    return numbers_of(name, group, statistics, "Cox", subgroup=subgroup)
