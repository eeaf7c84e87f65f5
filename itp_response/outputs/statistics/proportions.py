"""Proportions: how many met an endpoint in each group, differences with intervals, and tests.

Intervals of a difference come from statsmodels, tests from scipy. Newcombe's is the default: Newcombe, Stat Med
1998;17:873-890, method 10. Our own are Miettinen and Nurminen's interval, in `score.py`, and the one with continuity
correction, which is R's `prop.test`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from itp_response.classification.supplied import UNRECORDED
from itp_response.cohort.values import Bools
from itp_response.evaluation.rules.in_words import rule_in_words
from itp_response.evaluation.verdicts import NA, NE, N, Y
from itp_response.messages.errors import UsageError
from itp_response.messages.optional_imports import needed
from itp_response.messages.wording import counted_patients, listed
from itp_response.outputs.statistics.groups import AnalysedPatients, Groups
from itp_response.outputs.statistics.printed import as_printed
from itp_response.outputs.statistics.score import score_interval
from itp_response.outputs.statistics.tables import (
    DASH,
    Number,
    RowTexts,
    Table,
    TableRows,
    fraction,
    numbers_of,
    once,
    probability,
    span,
)

LEVEL = 0.95
Set = Literal["itt", "complete", "per-protocol", "as-treated"]
Interval = Literal["newcombe", "wald", "wald-cc", "score", "agresti-caffo", "wu-2022"]
SETS: Mapping[Set, str] = {
    "itt": "non-evaluable patients counted as non-responders (ITT)",
    "complete": "complete cases: patients not evaluable for an endpoint are excluded from it",
    "per-protocol": "per-protocol set; non-evaluable patients counted as non-responders",
    "as-treated": "as treated; non-evaluable patients counted as non-responders",
}
RANKED_SETS: Mapping[Set, str] = {
    "itt": "all patients (ITT)",
    "complete": "complete cases: non-evaluable patients are excluded",
    "per-protocol": "per-protocol set",
    "as-treated": "all patients treated, as treated",
}
"""The analysis sets of a ranked list, which shows patients who are not evaluable in a row of their own."""
INTERVALS: Mapping[Interval, str] = {
    "newcombe": "the Newcombe hybrid score method",
    "wald": "the Wald method",
    "wald-cc": "the Wald method with continuity correction",
    "score": "the Miettinen-Nurminen score method",
    "agresti-caffo": "the Agresti-Caffo method",
    "wu-2022": (
        "the methods of Wu et al. 2022: Wald for overall, complete and sustained response of all patients by arm, "
        "Wald with continuity correction for all others"
    ),
}
STATSMODELS = {"newcombe": "newcomb", "wald": "wald", "agresti-caffo": "agresti-caffo"}
PLAIN_ROLES = ("response", "complete_response", "sustained_response")
SEED = 20220120
SIMULATED = "Fisher, random tables"
"""The name of Fisher's test where its p-value is simulated."""
MOST = 2_000_000
"""The most tables that Fisher's test looks at one by one."""
TABLES = 9_999
"""Random tables that stand for all tables where there are more."""


@dataclass(frozen=True)
class Outcome:
    """An endpoint as a yes-no outcome under an analysis set; an entry per patient (P)."""

    name: str
    counted: Bools
    """Whether the patient is in the denominator."""
    met: Bools
    left_out: Bools
    """Whether the patient is analysed, but not counted, as the endpoint is not evaluable."""


@dataclass(frozen=True)
class Proportion:
    """How many patients met an endpoint, of how many."""

    met: int
    of: int

    @property
    def share(self) -> float:
        return self.met / self.of if self.of else math.nan


@dataclass(frozen=True)
class Compared:
    """Two shares: the difference of the first minus the second, its interval, and the method of the interval."""

    first: Proportion
    second: Proportion
    difference: float
    low: float
    high: float
    method: str


def criteria_met(patients: AnalysedPatients) -> list[str]:
    """The endpoints that are met or not: no lengths of time, no ranked lists; in the order of the file."""
    return [name for name, model in patients.endpoints.items() if model.is_met_or_not]


def primary(patients: AnalysedPatients) -> str:
    """The primary endpoint: the first with the role of a response, else the first of all.

    Raises `UsageError` where none is met or not.
    """
    names = criteria_met(patients)
    if not names:
        file = patients.classification.criteria.path.name
        raise UsageError(f"{file}: no endpoint here is met or not, so none is primary.")
    return next((name for name in names if patients.endpoints[name].role == "response"), names[0])


def outcome(patients: AnalysedPatients, name: str, of: Set = "itt") -> Outcome:
    """The endpoint as a yes-no outcome under an analysis set.

    A patient for whom the endpoint is not applicable (NA) is not in the denominator. For a loss, neither is a patient
    not evaluable for what would be lost: it counts as not met, and so it cannot be lost.
    """
    verdicts = patients.classification.verdicts
    value, model = verdicts[name].value, patients.endpoints[name]
    applicable = patients.included & (value != NA)
    if model.is_lost and of != "complete":
        applicable = applicable & (verdicts[model.is_lost].value == Y)
    if of == "per-protocol":
        applicable = applicable & patients.per_protocol()
    counted = applicable & np.isin(value, (Y, N)) if of == "complete" else applicable
    return Outcome(name, counted, counted & (value == Y), applicable & ~counted)


def shares(endpoint: Outcome, groups: Groups) -> list[Proportion]:
    """For each group how many patients met the endpoint, of how many."""
    return [
        Proportion(int((endpoint.met & member).sum()), int((endpoint.counted & member).sum()))
        for member in groups.members
    ]


def difference(first: Proportion, second: Proportion, method: str = "newcombe") -> Compared:
    """The difference of two shares with its 95% CI; NaN where one is of no patients."""
    if not (first.of and second.of):
        return Compared(first, second, math.nan, math.nan, math.nan, method)
    if method == "wald-cc":
        low, high = _continuity_corrected(first, second)
    elif method == "score":
        low, high = score_interval(first.met, first.of, second.met, second.of, normal_quantile())
    else:
        proportion = needed("statsmodels.stats.proportion", "stats")
        low, high = proportion.confint_proportions_2indep(
            first.met, first.of, second.met, second.of, method=STATSMODELS[method], compare="diff", alpha=1 - LEVEL
        )
    # statsmodels gives Wald's and Agresti-Caffo's limits beyond what a difference can be; R does not.
    low, high = max(-1.0, float(low)), min(1.0, float(high))
    return Compared(first, second, first.share - second.share, low, high, method)


def normal_quantile() -> float:
    """The quantile of the standard normal distribution for a two-sided interval of `LEVEL`: 1.96."""
    return float(needed("scipy.special", "stats").ndtri((1 + LEVEL) / 2))


def _continuity_corrected(first: Proportion, second: Proportion) -> tuple[float, float]:
    """R's `prop.test(c(x1, x2), c(n1, n2), correct = TRUE)$conf.int`."""
    z = normal_quantile()
    gap, per_patient = first.share - second.share, 1 / first.of + 1 / second.of
    spread = math.sqrt(first.share * (1 - first.share) / first.of + second.share * (1 - second.share) / second.of)
    half = z * spread + min(0.5, abs(gap) / per_patient) * per_patient
    return gap - half, gap + half


def share_test(proportions: Sequence[Proportion]) -> tuple[float, str]:
    """The p-value of the shares being alike, and the name of the test; NaN where there is nothing to test.

    Chi-squared without continuity correction; Fisher's exact test where an expected number is below 5.
    """
    stats = needed("scipy.stats", "stats")
    met = [proportion.met for proportion in proportions]
    table = np.array([met, [proportion.of - proportion.met for proportion in proportions]])
    if not table.sum(axis=0).all() or not table.sum(axis=1).all():
        return math.nan, ""
    if (stats.contingency.expected_freq(table) >= 5).all():
        return float(stats.chi2_contingency(table, correction=False).pvalue), "chi-squared"
    return fisher(table)


def fisher(table: Any) -> tuple[float, str]:
    """Fisher's exact test; where there are more than `MOST` tables with the same margins, by random ones."""
    stats = needed("scipy.stats", "stats")
    if table.shape == (2, 2):
        return float(stats.fisher_exact(table).pvalue), "Fisher"
    met, of = int(table[0].sum()), table.sum(axis=0)
    if math.prod(min(int(size), met) + 1 for size in of[:-1]) <= MOST:
        return _fisher_of_all(table[0], of), "Fisher-Freeman-Halton"
    random = stats.MonteCarloMethod(n_resamples=TABLES, rng=np.random.default_rng(SEED))
    return float(stats.fisher_exact(table, method=random).pvalue), SIMULATED


def _fisher_of_all(met: Any, of: Any) -> float:
    """Fisher's exact p-value of two rows: the tables with the same margins that are at most as likely as the one seen.

    Each table is as likely as the product of the ways to choose those who met the endpoint in each group.
    """
    special, total = needed("scipy.special", "stats"), int(met.sum())

    def ways(size: Any, chosen: Any) -> Any:
        logarithms = special.gammaln(size + 1) - special.gammaln(chosen + 1) - special.gammaln(size - chosen + 1)
        return np.where((chosen >= 0) & (chosen <= size), logarithms, -np.inf)

    chosen, likely = np.zeros(1, dtype=np.int64), np.zeros(1)
    for size in of[:-1]:
        some = np.arange(min(int(size), total) + 1)
        chosen, likely = (chosen[:, None] + some).ravel(), (likely[:, None] + ways(size, some)).ravel()
        chosen, likely = chosen[chosen <= total], likely[chosen <= total]
    likely = np.exp(likely + ways(of[-1], total - chosen) - ways(of.sum(), total))
    seen = np.exp(sum(ways(of, met)) - ways(of.sum(), total))
    return float(min(1.0, likely[likely <= seen * (1 + 1e-7)].sum()))


def method_for(interval: Interval, role: str | None, *, plain: bool) -> str:
    """The method of an interval; `plain`: all patients, by arm, by intention to treat."""
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
    """One endpoint in all groups under an analysis set; `plain` as in `method_for`."""
    endpoint = outcome(patients, name, of)
    proportions = shares(endpoint, groups)
    plain = plain and of == "itt" and groups.by == "arm" and not patients.conditions
    method = method_for(interval, patients.endpoints[name].role, plain=plain)
    compared = tuple(difference(proportions[first], proportions[second], method) for first, second in groups.pairs)
    p, by = share_test(proportions) if len(proportions) > 1 else (math.nan, "")
    left_out = int((endpoint.left_out & groups.inside).sum())
    return ProportionRow(name, tuple(proportions), compared, p, by, left_out)


def responses(
    patients: AnalysedPatients, groups: Groups, names: Sequence[str], of: Set = "itt", interval: Interval = "newcombe"
) -> Table:
    """Per endpoint and group how many met it, the differences with their intervals, and a test.

    Of an endpoint that rests on what no input records there are no numbers.
    """
    by_name = {
        name: line(patients, groups, name, of, interval) for name in names if name not in patients.without_record
    }
    lines = list(by_name.values())
    header = header_of(groups.headed(), groups)
    criteria = patients.classification.criteria
    notes = [
        *methods_in_words(groups, interval, lines),
        *(f"{row.name}: {counted_patients(row.left_out)} excluded as not evaluable." for row in lines if row.left_out),
        *_denominators(patients, groups, list(by_name), of),
        *unrecorded(patients, names),
        *(as_printed(criteria.name, row.name, ((share.met, share.of) for share in row.shares)) for row in lines),
    ]
    return Table(
        name="responses",
        title=f"Response endpoints: {SETS[of]}",
        header=header,
        rows=tuple(
            (criteria.labelled(name), *(cells_of(by_name[name]) if name in by_name else [DASH] * (len(header) - 1)))
            for name in names
        ),
        numbers=tuple(number for row in lines for number in numbers(row, groups)),
        notes=once(notes),
    )


def unrecorded(patients: AnalysedPatients, names: Sequence[str]) -> Iterator[str]:
    """Which endpoints rest on what no input records."""
    without = [name for name in names if name in patients.without_record]
    if without:
        yield f"{listed(without)}: {UNRECORDED}; no input contains rescue treatment."


def best(patients: AnalysedPatients, groups: Groups, of: Set = "itt") -> Table | None:
    """How many patients of each group have each label of the ranked lists; None: the set has no such list."""
    names = [name for name, model in patients.endpoints.items() if model.is_ranked]
    if not names:
        return None
    rows, notes = TableRows(), ["n/N (%)."]
    for name in names:
        verdict = patients.classification.verdicts[name]
        counted = patients.included & (patients.per_protocol() if of == "per-protocol" else True)
        left_out = [label for label in ("NA", *(["NE"] if of == "complete" else [])) if label in verdict.labels]
        for label in left_out:
            counted = counted & (verdict.value != verdict.labels.index(label))
        notes += _not_applicable(patients, groups, name)
        rows.heading(patients.classification.criteria.labelled(name))
        for code, label in enumerate(verdict.labels):
            if label == "NA":
                continue
            proportions = shares(Outcome(name, counted, counted & (verdict.value == code), ~counted), groups)
            if label != "NE" or any(share.met for share in proportions):
                cells = [fraction(share.met, share.of) for share in proportions]
                rows.add(
                    (f"  {patients.rank_in_words(label)}", *cells),
                    _share_numbers(name, proportions, groups, level=label),
                )
    return rows.table("best", f"Best response: {RANKED_SETS[of]}", ("", *groups.headed()), notes)


def numbers(row: ProportionRow, groups: Groups, subgroup: str = "") -> Iterator[Number]:
    """The numbers of a line."""
    yield from _share_numbers(row.name, row.shares, groups, subgroup=subgroup)
    for group, gap in zip(groups.compared(), row.compared, strict=True):
        statistics = {"difference": gap.difference, "low": gap.low, "high": gap.high}
        yield from numbers_of(row.name, group, statistics, gap.method, subgroup=subgroup)
    if row.test:
        yield Number(row.name, "", "p", row.p, row.test, subgroup=subgroup)
    if row.test == SIMULATED:
        yield Number(row.name, "", "standard error of p", _error_of(row.p), row.test, subgroup=subgroup)


def _error_of(p: float) -> float:
    """The standard error of a p-value from random tables."""
    return math.sqrt(p * (1 - p) / TABLES)


def _share_numbers(
    name: str, proportions: Sequence[Proportion], groups: Groups, level: str = "", subgroup: str = ""
) -> Iterator[Number]:
    for group, share in zip(groups.labels, proportions, strict=True):
        statistics = {"n": float(share.met), "N": float(share.of), "share": share.share}
        yield from numbers_of(name, group, statistics, level=level, subgroup=subgroup)


def cells_of(row: ProportionRow) -> RowTexts:
    fractions = [fraction(share.met, share.of) for share in row.shares]
    gaps = [span(gap.difference, gap.low, gap.high, 2) for gap in row.compared]
    last = [f"{probability(row.p)}{' F' if row.test.startswith('Fisher') else ''}"]
    return (*fractions, *gaps, *(last if len(row.shares) > 1 else []))


def header_of(headings: Sequence[str], groups: Groups) -> RowTexts:
    """The groups, their comparisons, and p where there are two groups or more."""
    compared = [f"risk difference (95% CI), {groups.labels[first]} minus reference" for first, _ in groups.pairs]
    gaps = ["risk difference (95% CI)"] if len(groups.pairs) == 1 else compared
    return ("", *headings, *gaps, *(["p"] if len(groups.labels) > 1 else []))


def methods_in_words(groups: Groups, interval: Interval, lines: Sequence[ProportionRow]) -> Iterator[str]:
    """How differences and tests were made."""
    if not groups.pairs:
        yield "n/N (%)."
        return
    reference = groups.labels[groups.reference]
    which = f": {groups.compared()[0]}" if len(groups.pairs) == 1 else f"s: each group minus {reference}"
    yield f"n/N (%). Risk difference{which}; 95% CI by {INTERVALS[interval]}."
    fisher_used = any(row.test.startswith("Fisher") for row in lines)
    rule = "p: chi-squared test without continuity correction"
    errors = [_error_of(row.p) for row in lines if row.test == SIMULATED]
    error = f"standard error of p at most {max(errors):.4f}" if errors else ""
    simulated = list(dict.fromkeys(row.name for row in lines if row.test == SIMULATED))
    random = f" ({listed(simulated)}: {TABLES:,} random tables, seed {SEED}, {error})" if errors else ""
    exact = f"; F: Fisher's exact test{random}, used where an expected count is below 5" if fisher_used else ""
    yield f"{rule}{exact}."


def _denominators(patients: AnalysedPatients, groups: Groups, names: Sequence[str], of: Set) -> Iterator[str]:
    """How many patients are counted as not met, and which endpoints are of a part of the patients alone."""
    if of != "complete":
        not_evaluable = {name: _counted_as_not_met(patients, groups, name) for name in names}
        counts = [f"{name} {number}" for name, number in not_evaluable.items() if number]
        if counts:
            yield f"Non-evaluable patients, counted as not meeting the endpoint: {', '.join(counts)}."
        bad = [name for name, number in not_evaluable.items() if number and patients.is_unfavourable(name)]
        if bad:
            what = "an unfavourable endpoint" if len(bad) == 1 else "unfavourable endpoints"
            yield (f"{listed(bad)}: {what}; counting non-evaluable patients as not meeting it is anti-conservative.")
    for name in names:
        model = patients.endpoints[name]
        if model.is_lost:
            yield f"{name}: among patients with {patients.classification.criteria.labelled(model.is_lost)}."
        if model.only is not None or not model.is_lost:
            yield from _not_applicable(patients, groups, name)


def _not_applicable(patients: AnalysedPatients, groups: Groups, name: str) -> Iterator[str]:
    """How many patients are not in the denominator because the endpoint is not applicable (NA), and for whom it is."""
    verdict, model = patients.classification.verdicts[name], patients.endpoints[name]
    is_na = verdict.value == verdict.labels.index("NA") if "NA" in verdict.labels else np.False_
    number = int((groups.inside & patients.included & is_na).sum())
    among = f"among patients with {rule_in_words(model.only)}; " if model.only is not None else ""
    if among or number:
        yield f"{name}: {among}{counted_patients(number)} not applicable (NA), not in the denominator."


def _counted_as_not_met(patients: AnalysedPatients, groups: Groups, name: str) -> int:
    """How many patients are in the denominator although the endpoint is not evaluable, by intention to treat."""
    open_ = outcome(patients, name).counted & (patients.classification.verdicts[name].value == NE)
    return int((groups.inside & open_).sum())
