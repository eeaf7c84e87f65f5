"""Proportions: how many met an endpoint in each group, differences with intervals, and tests.

Intervals of a difference come from statsmodels, tests from scipy. Newcombe's is the default: Newcombe, Stat Med
1998;17:873-890, method 10. Only the interval with continuity correction is in neither, and is R's `prop.test`.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from itp_response.cohort.values import Bools
from itp_response.evaluation.endpoints.lost import Lost
from itp_response.evaluation.evaluate import is_length
from itp_response.evaluation.verdicts import NA, NE, N, Y
from itp_response.messages.errors import UsageError
from itp_response.messages.optional_imports import needed
from itp_response.messages.wording import counted_patients, listed
from itp_response.outputs.statistics.groups import AnalysedPatients, Groups, grouped
from itp_response.outputs.statistics.printed import as_printed
from itp_response.outputs.statistics.tables import Number, Table, counted, once, probability, span

LEVEL = 0.95
Set = Literal["itt", "complete", "per-protocol"]
Interval = Literal["newcombe", "wald", "wald-cc", "score", "agresti-caffo", "wu-2022"]
SETS = {
    "itt": "intention to treat: not evaluable counts as not met",
    "complete": "complete cases: who is not evaluable for an endpoint is left out of it",
    "per-protocol": "per protocol: those whose per_protocol is yes; not evaluable counts as not met",
}
INTERVALS = {
    "newcombe": "Newcombe's interval (hybrid of Wilson's scores)",
    "wald": "Wald's interval",
    "wald-cc": "Wald's interval with continuity correction",
    "score": "Miettinen and Nurminen's score interval",
    "agresti-caffo": "Agresti and Caffo's interval",
    "wu-2022": (
        "the intervals of Wu et al. 2022: Wald's for overall, complete and sustained response of all patients by arm, "
        "with continuity correction for all else"
    ),
}
STATSMODELS = {"newcombe": "newcomb", "wald": "wald", "score": "score", "agresti-caffo": "agresti-caffo"}
PLAIN_ROLES = ("response", "complete_response", "sustained_response")
BAD_ROLES = ("loss", "rescue", "failure")
SEED = 20220120
TABLES = 9_999
"""So many random tables stand for all of them where Fisher's test is of more than two groups."""


@dataclass(frozen=True)
class Outcome:
    """An endpoint as a yes-no outcome under an analysis set; an entry per patient (P)."""

    name: str
    counted: Bools
    """Who is in its denominator."""
    met: Bools
    left_out: Bools
    """Who is not, although looked at, as the endpoint is not evaluable."""


@dataclass(frozen=True)
class Proportion:
    """So many of so many."""

    met: int
    of: int

    @property
    def share(self) -> float:
        return self.met / self.of if self.of else math.nan


@dataclass(frozen=True)
class Compared:
    """Two shares: the difference of the first less the second, its interval, and how that was made."""

    one: Proportion
    other: Proportion
    difference: float
    low: float
    high: float
    method: str


def criteria_met(patients: AnalysedPatients) -> list[str]:
    """The criteria that are met or not: no lengths of time, no ranked lists; in the order of the file."""
    criteria = patients.found.criteria.endpoints
    return [name for name, model in criteria.items() if model.kind != "best" and not is_length(model)]


def primary(patients: AnalysedPatients) -> str:
    """The endpoint the trial is about: the first with the role of a response, else the first of all.

    Raises `UsageError` where none is met or not.
    """
    names = criteria_met(patients)
    if not names:
        raise UsageError(f"{patients.found.criteria.path.name}: no endpoint here is met or not, so none is primary.")
    criteria = patients.found.criteria.endpoints
    return next((name for name in names if criteria[name].role == "response"), names[0])


def outcome(patients: AnalysedPatients, name: str, of: Set = "itt") -> Outcome:
    """The endpoint as a yes-no outcome under an analysis set.

    Whoever the question does not arise for (NA) is not in the denominator; nor, of a loss, whoever is not evaluable
    for what would be lost: counted as not met, that cannot be lost.
    """
    value = patients.found.verdicts[name].value
    model = patients.found.criteria.endpoints[name]
    arises = patients.only & (value != NA)
    if isinstance(model, Lost) and of != "complete":
        arises = arises & (patients.found.verdicts[model.after].value == Y)
    if of == "per-protocol":
        arises = arises & patients.per_protocol()
    inside = arises & np.isin(value, (Y, N)) if of == "complete" else arises
    return Outcome(name, inside, inside & (value == Y), arises & ~inside)


def shares(one: Outcome, groups: Groups) -> list[Proportion]:
    """Of each group how many met it, of how many."""
    return [
        Proportion(int((one.met & (groups.code == code)).sum()), int((one.counted & (groups.code == code)).sum()))
        for code in range(len(groups.labels))
    ]


def difference(one: Proportion, other: Proportion, method: str = "newcombe") -> Compared:
    """The difference of two shares with its 95 % interval; NaN where one is of nobody."""
    gap = one.share - other.share
    if not (one.of and other.of):
        return Compared(one, other, math.nan, math.nan, math.nan, method)
    if method == "wald-cc":
        low, high = _continuity_corrected(one, other)
    else:
        proportion = needed("statsmodels.stats.proportion", "stats")
        low, high = proportion.confint_proportions_2indep(
            one.met, one.of, other.met, other.of, method=STATSMODELS[method], compare="diff", alpha=1 - LEVEL
        )
    return Compared(one, other, gap, float(low), float(high), method)


def _continuity_corrected(one: Proportion, other: Proportion) -> tuple[float, float]:
    """R's `prop.test(c(x1, x2), c(n1, n2), correct = TRUE)$conf.int`."""
    z = needed("scipy.special", "stats").ndtri((1 + LEVEL) / 2)
    gap, per_patient = one.share - other.share, 1 / one.of + 1 / other.of
    spread = math.sqrt(one.share * (1 - one.share) / one.of + other.share * (1 - other.share) / other.of)
    half = z * spread + min(0.5, abs(gap) / per_patient) * per_patient
    return max(-1.0, gap - half), min(1.0, gap + half)


def test(found: Sequence[Proportion]) -> tuple[float, str]:
    """The p-value of the shares being alike, and by which test; NaN where there is nothing to test.

    Chi-squared without continuity correction; Fisher's exact test where an expected number is below 5.
    """
    stats = needed("scipy.stats", "stats")
    table = np.array([[one.met for one in found], [one.of - one.met for one in found]])
    if not table.sum(axis=0).all() or not table.sum(axis=1).all():
        return math.nan, ""
    if (stats.contingency.expected_freq(table) >= 5).all():
        return float(stats.chi2_contingency(table, correction=False).pvalue), "chi-squared"
    return fisher(table)


def fisher(table: Any) -> tuple[float, str]:
    """Fisher's exact test; of more than two by two by random tables with the same margins."""
    stats = needed("scipy.stats", "stats")
    if table.shape == (2, 2):
        return float(stats.fisher_exact(table).pvalue), "Fisher"
    random = stats.MonteCarloMethod(n_resamples=TABLES, rng=np.random.default_rng(SEED))
    return float(stats.fisher_exact(table, method=random).pvalue), "Fisher, random tables"


def method_for(interval: Interval, role: str | None, *, plain: bool) -> str:
    """The interval that is meant; `plain`: all patients, by arm, by intention to treat."""
    if interval != "wu-2022":
        return interval
    return "wald" if plain and role in PLAIN_ROLES else "wald-cc"


@dataclass(frozen=True)
class ProportionRow:
    """One endpoint in all groups."""

    name: str
    shares: tuple[Proportion, ...]
    compared: tuple[Compared, ...]
    p: float
    test: str
    left_out: int


def line(
    patients: AnalysedPatients,
    groups: Groups,
    name: str,
    of: Set = "itt",
    interval: Interval = "newcombe",
    *,
    plain: bool = True,
) -> ProportionRow:
    """One endpoint in all groups under an analysis set."""
    one = outcome(patients, name, of)
    found = shares(one, groups)
    role = patients.found.criteria.endpoints[name].role
    method = method_for(interval, role, plain=plain and of == "itt" and groups.by == "arm" and not patients.restricted)
    compared = tuple(difference(found[a], found[b], method) for a, b in groups.pairs)
    p, by = test(found) if len(found) > 1 else (math.nan, "")
    return ProportionRow(name, tuple(found), compared, p, by, int((one.left_out & (groups.code >= 0)).sum()))


def responses(
    patients: AnalysedPatients, groups: Groups, names: Sequence[str], of: Set = "itt", interval: Interval = "newcombe"
) -> Table:
    """Per endpoint and group how many met it, the differences with their intervals, and a test."""
    lines = [line(patients, groups, name, of, interval) for name in names]
    criteria = patients.found.criteria
    notes = [
        *_how(groups, interval, lines),
        *(f"{one.name}: {counted_patients(one.left_out)} left out as not evaluable." for one in lines if one.left_out),
        *_denominators(patients, groups, lines, of),
        *(as_printed(criteria.name, one.name, one.shares) for one in lines),
    ]
    return Table(
        name="responses",
        title=f"Responses ({SETS[of]})",
        header=("", *groups.headed(), *_compared_heads(groups), *(["p"] if len(groups.labels) > 1 else [])),
        rows=tuple((one.name, *_cells(one)) for one in lines),
        numbers=tuple(number for one in lines for number in numbers(one, groups)),
        notes=once(notes),
    )


def subgroups(
    patients: AnalysedPatients,
    groups: Groups,
    columns: Sequence[str],
    names: Sequence[str],
    of: Set = "itt",
    interval: Interval = "newcombe",
) -> Table:
    """The same, in each of the patients' subgroups by these columns."""
    rows: list[tuple[str, ...]] = []
    found: list[Number] = []
    lines: list[ProportionRow] = []
    notes: list[str] = []
    for column in columns:
        parts = grouped(patients, column)
        notes += parts.notes
        for place, label in enumerate(parts.labels):
            inside = groups.within(parts.code == place)
            rows.append((f"{column}: {label}",))
            for name in names:
                one = line(patients, inside, name, of, interval, plain=False)
                lines.append(one)
                rows.append((f"  {name}", *_cells(one)))
                found += numbers(one, groups, subgroup=f"{column}: {label}")
    return Table(
        name="subgroups",
        title=f"Subgroups ({SETS[of]})",
        header=("", *groups.labels, *_compared_heads(groups), *(["p"] if len(groups.labels) > 1 else [])),
        rows=tuple(rows),
        numbers=tuple(found),
        notes=once([*_how(groups, interval, lines), *notes]),
    )


def best(patients: AnalysedPatients, groups: Groups, of: Set = "itt") -> Table | None:
    """How many of each group have each of the names of the ranked lists; None: the set has no such list."""
    names = [name for name, model in patients.found.criteria.endpoints.items() if model.kind == "best"]
    rows: list[tuple[str, ...]] = []
    found: list[Number] = []
    for name in names:
        verdict = patients.found.verdicts[name]
        inside = patients.only & (patients.per_protocol() if of == "per-protocol" else True)
        if of == "complete":
            inside = inside & (verdict.value != verdict.labels.index("NE"))
        rows.append((name,))
        for place, label in enumerate(verdict.labels):
            here = shares(Outcome(name, inside, inside & (verdict.value == place), ~inside), groups)
            if label != "NE" or any(one.met for one in here):
                rows.append((f"  {label}", *(counted(one.met, one.of) for one in here)))
                for group, one in zip(groups.labels, here, strict=True):
                    found += _share_numbers(name, one, group, level=label)
    title = f"Best response ({SETS[of]})".replace("not evaluable counts as not met", "not evaluable is shown")
    return Table("best", title, ("", *groups.headed()), tuple(rows), tuple(found)) if names else None


def numbers(one: ProportionRow, groups: Groups, subgroup: str = "") -> Iterator[Number]:
    """The numbers of a line."""
    for group, share in zip(groups.labels, one.shares, strict=True):
        yield from _share_numbers(one.name, share, group, subgroup=subgroup)
    for group, compared in zip(groups.compared(), one.compared, strict=True):
        for statistic, value in (
            ("difference", compared.difference),
            ("low", compared.low),
            ("high", compared.high),
        ):
            yield Number(one.name, group, statistic, value, compared.method, subgroup=subgroup)
    if one.test:
        yield Number(one.name, "", "p", one.p, one.test, subgroup=subgroup)


def _share_numbers(name: str, one: Proportion, group: str, level: str = "", subgroup: str = "") -> Iterator[Number]:
    for statistic, value in (("n", one.met), ("N", one.of), ("share", one.share)):
        yield Number(name, group, statistic, float(value), level=level, subgroup=subgroup)


def _cells(one: ProportionRow) -> tuple[str, ...]:
    shown = [counted(share.met, share.of) for share in one.shares]
    gaps = [span(gap.difference, gap.low, gap.high, 2) for gap in one.compared]
    last = [f"{probability(one.p)}{'' if one.test == 'chi-squared' or not one.test else ' F'}"]
    return (*shown, *gaps, *(last if len(one.shares) > 1 else []))


def _compared_heads(groups: Groups) -> list[str]:
    if len(groups.pairs) == 1:
        return ["difference (95 % interval)"]
    return [f"{name} (95 % interval)" for name in groups.compared()]


def _how(groups: Groups, interval: Interval, lines: Sequence[ProportionRow]) -> Iterator[str]:
    """How differences and tests were made."""
    if not groups.pairs:
        return
    if len(groups.pairs) == 1:
        yield f"n/N (%). Difference: {groups.compared()[0]}, by {INTERVALS[interval]}."
    else:
        yield f"n/N (%). Differences by {INTERVALS[interval]}."
    fisher_used = any(one.test.startswith("Fisher") for one in lines)
    rule = "p: chi-squared test without continuity correction"
    random = f" (of more than two groups by {TABLES:,} random tables, seed {SEED})" if len(groups.pairs) > 1 else ""
    exact = f"; F: Fisher's exact test{random}, where an expected number is below 5" if fisher_used else ""
    yield f"{rule}{exact}."


def _denominators(patients: AnalysedPatients, groups: Groups, lines: Sequence[ProportionRow], of: Set) -> Iterator[str]:
    """Who is counted as not met, and which criteria are of a part of the patients alone."""
    if of != "complete":
        here = groups.code >= 0
        open_ = {
            one.name: here & outcome(patients, one.name, of).counted & (_value(patients, one.name) == NE)
            for one in lines
        }
        said = [f"{name} {int(who.sum())}" for name, who in open_.items() if who.any()]
        if said:
            yield f"Not evaluable, counted as not met: {', '.join(said)}."
        models = patients.found.criteria.endpoints
        bad = [name for name, who in open_.items() if who.any() and models[name].role in BAD_ROLES]
        if bad:
            yield f"{listed(bad)}: to be met is bad, so that counting as not met is the milder interpretation."
    part = [one.name for one in lines if isinstance(patients.found.criteria.endpoints[one.name], Lost)]
    for name in part:
        yield f"{name} is of those with {patients.found.criteria.endpoints[name].after}."


def _value(patients: AnalysedPatients, name: str) -> Any:
    return patients.found.verdicts[name].value
