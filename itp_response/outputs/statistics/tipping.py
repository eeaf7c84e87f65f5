"""Tipping point: how many non-evaluable patients would have to meet an endpoint for the conclusion to change.

As analysed, no patient who is not evaluable counts as meeting the endpoint. From there they are turned into patients
who meet it, arm by arm, from none to all of each arm (Yan, Lee and Li, J Biopharm Stat 2009;19:1085-1098). The
conclusion is that of the test (p below alpha, and in which direction), or that on a non-inferiority margin.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from itp_response.cohort.values import Bools, Ints
from itp_response.evaluation.verdicts import NE
from itp_response.messages.errors import UsageError
from itp_response.messages.wording import listed
from itp_response.outputs.statistics.groups import AnalysedPatients, Groups
from itp_response.outputs.statistics.non_inferiority import (
    check_margin,
    concluded,
    has_direction,
    margin_in_words,
)
from itp_response.outputs.statistics.proportions import (
    INTERVALS,
    Compared,
    Interval,
    Proportion,
    Set,
    difference,
    method_for,
    outcome,
    share_test,
    shares,
)
from itp_response.outputs.statistics.tables import (
    NOT_ESTIMABLE,
    Number,
    RowTexts,
    Table,
    TableRows,
    numbers_of,
    probability,
    span,
)

ALPHA = 0.05
METHOD = "tipping point"


@dataclass(frozen=True)
class ConclusionRule:
    """When a conclusion is reached: by p-value, or against a margin."""

    alpha: float = ALPHA
    margin: float | None = None
    unfavourable: bool = False

    def check(self) -> None:
        """Raise `UsageError` for a level or a margin that cannot be."""
        if not 0 < self.alpha < 1:
            raise UsageError(f"--alpha {self.alpha:g}: give a level between 0 and 1, such as 0.05.")
        if self.margin is not None:
            check_margin(self.margin)

    def conclusion(self, gap: Compared, p: float, first: str) -> str:
        """The conclusion in words; `first` is the first of the two arms."""
        if self.margin is not None:
            return concluded(gap, self.margin, unfavourable=self.unfavourable) or NOT_ESTIMABLE
        if not p < self.alpha:
            return "no significant difference"
        return f"significantly {'higher' if gap.difference > 0 else 'lower'} in {first}"

    @property
    def in_words(self) -> str:
        """What makes the conclusion, for a note."""
        return (
            f"p < {self.alpha:g}" if self.margin is None else f"non-inferiority margin {margin_in_words(self.margin)}"
        )


@dataclass(frozen=True)
class TippingGrid:
    """What is concluded for each number of non-evaluable patients who meet the endpoint, of either arm.

    Its tables are (first arm, second arm), from none to all.
    """

    name: str
    labels: tuple[str, str]
    """The arm that is compared, and the reference arm."""
    rule: ConclusionRule
    compared: tuple[tuple[Compared, ...], ...]
    tests: tuple[tuple[tuple[float, str], ...], ...]
    """The p-value, and the name of its test."""

    @property
    def missing(self) -> tuple[int, int]:
        """The non-evaluable patients of each arm."""
        return len(self.compared) - 1, len(self.compared[0]) - 1

    @cached_property
    def conclusions(self) -> tuple[tuple[str, ...], ...]:
        return tuple(
            tuple(self.rule.conclusion(gap, p, self.labels[0]) for gap, (p, _) in zip(gaps, tests, strict=True))
            for gaps, tests in zip(self.compared, self.tests, strict=True)
        )

    @property
    def as_analysed(self) -> str:
        """The conclusion with no non-evaluable patient as meeting the endpoint."""
        return self.conclusions[0][0]

    @cached_property
    def is_changed(self) -> Bools:
        """(first, second) Whether the conclusion is another than as analysed."""
        changed: Bools = np.array(self.conclusions) != self.as_analysed
        return changed

    @cached_property
    def smallest(self) -> tuple[tuple[int, int], ...]:
        """The tipping points with the fewest patients in all; none: no combination changes the conclusion."""
        changed = np.argwhere(self.is_changed)
        if not len(changed):
            return ()
        together = changed.sum(axis=1)
        return tuple((int(first), int(second)) for first, second in changed[together == together.min()])

    @property
    def told(self) -> str:
        """The conclusion as analysed, and the smallest tipping points with theirs, in words."""
        first, second = self.labels
        as_analysed = f"{self.name}, {first} vs {second}, as analysed: {self.as_analysed}"
        if not self.smallest:
            return f"{as_analysed}; no combination changes the conclusion."
        points = [
            f"{of_first} of {self.missing[0]} in {first} and {of_second} of {self.missing[1]} in {second} "
            f"({self.conclusions[of_first][of_second]})"
            for of_first, of_second in self.smallest
        ]
        return f"{as_analysed}; smallest tipping point{'s' if len(points) > 1 else ''}: {listed(points, 'or')}."


def tipping_grid(
    patients: AnalysedPatients,
    groups: Groups,
    pair: tuple[int, int],
    name: str,
    rule: ConclusionRule,
    of: Set = "itt",
    interval: Interval = "newcombe",
) -> TippingGrid:
    """The conclusions of two groups for every number of their non-evaluable patients who meet the endpoint."""
    endpoint = outcome(patients, name, of)
    met = shares(endpoint, groups)
    is_open = endpoint.counted & (patients.classification.verdicts[name].value == NE)
    missing = [int((is_open & (groups.code == code)).sum()) for code in pair]
    plain = of == "itt" and groups.by == "arm" and not patients.conditions
    method = method_for(interval, patients.endpoints[name].role, plain=plain)
    first, second = (_more(met[code], number) for code, number in zip(pair, missing, strict=True))
    compared = tuple(tuple(difference(one, other, method) for other in second) for one in first)
    tests = tuple(tuple(share_test([one, other]) for other in second) for one in first)
    return TippingGrid(name, (groups.labels[pair[0]], groups.labels[pair[1]]), rule, compared, tests)


def _more(proportion: Proportion, missing: int) -> list[Proportion]:
    """The proportion with none to all of its missing patients as meeting the endpoint."""
    return [Proportion(proportion.met + number, proportion.of) for number in range(missing + 1)]


def check_tipping(patients: AnalysedPatients, groups: Groups, name: str, rule: ConclusionRule, of: Set) -> None:
    """Raise `UsageError` where there is nothing to turn, nothing to compare, or a rule that cannot be."""
    rule.check()
    if not groups.pairs:
        raise UsageError("there is only one group, so no conclusion can change; the tipping point needs two.")
    if of == "complete":
        raise UsageError("--set complete excludes the non-evaluable patients; the tipping point needs --set itt.")
    if name in patients.without_record:
        raise UsageError(f"{name}: no input contains rescue treatment, so the tipping point cannot be determined.")
    if rule.margin is not None and not has_direction(patients, name):
        raise UsageError(f"{name} is neither favourable nor unfavourable, so it has no margin; leave out --margin.")
    is_open = outcome(patients, name, of).counted & (patients.classification.verdicts[name].value == NE)
    if not (is_open & groups.inside).any():
        raise UsageError(f"{name}: every patient is evaluable, so there is no tipping point; name another --endpoint.")


def tipping(
    patients: AnalysedPatients,
    groups: Groups,
    names: Sequence[str],
    rule: ConclusionRule,
    of: Set = "itt",
    interval: Interval = "newcombe",
) -> Table:
    """Per endpoint and comparison the smallest tipping points, and for each number in the first arm those of the other.

    Raises `UsageError` as `check_tipping` does.
    """
    rows, notes = TableRows(), []
    for name in names:
        own = replace(rule, unfavourable=patients.is_unfavourable(name))
        check_tipping(patients, groups, name, own, of)
        for pair in groups.pairs:
            grid = tipping_grid(patients, groups, pair, name, own, of, interval)
            label = patients.classification.criteria.labelled(name)
            rows.heading(label if len(groups.pairs) == 1 else f"{label}: {' vs '.join(grid.labels)}")
            _add_grid(rows, grid)
            notes.append(grid.told)
    notes += [
        "Tipping point: non-evaluable patients of each arm who, counted as meeting the endpoint, change the "
        f"conclusion, by {rule.in_words}; as analysed, none is counted so. Smallest: with the fewest such patients.",
        f"95% CI by {INTERVALS[interval]}; p: chi-squared test without continuity correction, or Fisher's exact test "
        "where an expected count is below 5.",
    ]
    labels = grid.labels if len(groups.pairs) == 1 else ("first arm", "reference arm")
    header = ("", *labels, "risk difference (95% CI)", "p")
    title = "Tipping points: non-evaluable patients counted as meeting the endpoint, arm by arm"
    return rows.table("tipping", title, header, notes)


def _add_grid(rows: TableRows, grid: TippingGrid) -> None:
    """The rows of a comparison: single points with their numbers, then the boundary; the numbers are those of all."""
    points = [("as analysed", (0, 0)), *(("smallest tipping point", point) for point in grid.smallest)]
    if any(grid.missing):
        points.append(("all counted as met", grid.missing))
    for label, (first, second) in points:
        gap, (p, _) = grid.compared[first][second], grid.tests[first][second]
        shown = span(gap.difference, gap.low, gap.high, 2)
        rows.add((f"  {label}", *_of(grid, str(first), str(second)), shown, probability(p)), ())
    for firsts, seconds in _boundary(grid):
        rows.add(("  changes at", *_of(grid, firsts, seconds), "", ""), ())
    rows.numbers += _numbers(grid)


def _of(grid: TippingGrid, first: str, second: str) -> RowTexts:
    return f"{first} of {grid.missing[0]}", f"{second} of {grid.missing[1]}"


def _boundary(grid: TippingGrid) -> Iterator[tuple[str, str]]:
    """The numbers of the first arm, and those of the second with which the conclusion changes; alike ones together.

    Nothing where no combination changes it.
    """
    if not grid.smallest:
        return
    of_first = [_stretches(np.flatnonzero(row)) for row in grid.is_changed]
    begins = [0, *(number for number in range(1, len(of_first)) if of_first[number] != of_first[number - 1])]
    for begin, end in pairwise([*begins, len(of_first)]):
        yield _stretch(begin, end - 1), of_first[begin]


def _stretches(numbers: Ints) -> str:
    """`0`, `2 to 5`, `0 and 4 to 7`; `none`."""
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return listed([_stretch(int(run[0]), int(run[-1])) for run in runs if len(run)]) or "none"


def _stretch(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} to {last}"


def _numbers(grid: TippingGrid) -> Iterator[Number]:
    """The numbers of every combination; the level has the numbers of patients."""
    compared = f"{grid.labels[0]} minus {grid.labels[1]}"
    for first, second in np.ndindex(grid.is_changed.shape):
        gap, (p, test) = grid.compared[first][second], grid.tests[first][second]
        level = " and ".join(_of(grid, str(first), str(second)))
        statistics = {"difference": gap.difference, "low": gap.low, "high": gap.high}
        yield from numbers_of(grid.name, compared, statistics, gap.method, level=level)
        yield Number(grid.name, compared, "p", p, test, level=level)
        changed = float(grid.is_changed[first, second])
        yield Number(grid.name, compared, "conclusion changes", changed, METHOD, level=level)
