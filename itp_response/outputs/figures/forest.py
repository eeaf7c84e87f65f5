"""Forest: an endpoint in subgroups, the difference of two arms or their odds ratio with its interval."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from itp_response.classification.classification import Classification
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.optional_imports import needed
from itp_response.outputs.figures.picture import (
    BLACK,
    BLUE,
    BODY,
    FAINT,
    GREY,
    MARGIN,
    SMALL,
    WIDTH,
    Picture,
    Sheet,
    folded,
    height,
    nice,
    text_width,
    widest,
)
from itp_response.outputs.statistics.groups import AnalysedPatients, Groups, all_patients, grouped, in_words
from itp_response.outputs.statistics.proportions import (
    INTERVALS,
    LEVEL,
    Proportion,
    criteria_met,
    difference,
    outcome,
    primary,
    shares,
)
from itp_response.outputs.statistics.tables import DASH, fraction, rounded, span

MEASURES = ("difference", "odds-ratio")
SMALL_GROUPS = (2, 4)
"""A column with so many values makes subgroups unasked."""
ROW, INSET, GRAPH = 0.165, 0.12, 1.8
"""The height of a row, how far a subgroup is set in, the least width of the graph."""


@dataclass(frozen=True)
class Row:
    """One line: a heading where there are no shares."""

    label: str
    shares: tuple[Proportion, Proportion] | None = None
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    inset: float = 0.0


def draw(
    classification: Classification, *, by: Sequence[str] = (), endpoint: str | None = None, measure: str = "difference"
) -> Picture:
    """How many met an endpoint in two arms, over all and in the subgroups by each of the columns `by`.

    Without `by`, those by every column of the patient table with two to four values that are not numbers.
    Raises `UsageError` where there are not two arms, or for an endpoint, column or measure that is not there.
    """
    if measure not in MEASURES:
        raise UsageError(unknown("measure", measure, MEASURES))
    patients = all_patients(classification)
    groups = grouped(patients, "arm")
    if len(groups.labels) != 2:
        arms = ", ".join(groups.labels)
        raise UsageError(f"a forest sets two arms beside each other; here are {len(groups.labels)}: {arms}.")
    if endpoint is not None and endpoint not in criteria_met(patients):
        raise UsageError(unknown("endpoint that is met or not", endpoint, criteria_met(patients)))
    name = endpoint or primary(patients)
    columns = list(by) or _plain(patients)
    notes: list[str] = list(groups.notes)
    rows = list(_rows(patients, groups, name, columns, measure, notes))
    told = [*notes, *_told(rows, measure, asked=bool(by))]
    layout = _layout(rows, groups, measure)
    title = f"{classification.criteria.endpoints[name].label} in subgroups"
    body = layout.deep + ROW * len(rows) + 0.25 + height(layout.axis.count("\n") + 1, BODY)
    sheet = Sheet(title, told, body, subtitle=classification.criteria.title, width=layout.width)
    _drawn(sheet, rows, layout, measure)
    return sheet.picture


def _plain(patients: AnalysedPatients) -> list[str]:
    """The columns that make few subgroups and need no cut."""
    low, high = SMALL_GROUPS
    texts = {name: one for name, one in patients.characteristics.items() if not one.dtype.is_numeric()}
    return [name for name, one in texts.items() if low <= in_words(one).drop_nulls().n_unique() <= high]


def _rows(
    patients: AnalysedPatients, groups: Groups, name: str, columns: Sequence[str], measure: str, notes: list[str]
) -> Iterator[Row]:
    one = outcome(patients, name)
    yield _row("all patients", shares(one, groups), measure)
    for column in columns:
        parts = grouped(patients, column)
        notes += parts.notes
        yield Row(nice(column))
        for place, label in enumerate(parts.labels):
            found = shares(one, groups.within(parts.code == place))
            if any(share.of for share in found):
                yield _row(label, found, measure, INSET)


def _row(label: str, found: list[Proportion], measure: str, inset: float = 0.0) -> Row:
    one, other = found
    if measure == "difference":
        gap = difference(one, other)
        return Row(label, (one, other), gap.difference, gap.low, gap.high, inset)
    return Row(label, (one, other), *_odds_ratio(one, other), inset)


def _odds_ratio(one: Proportion, other: Proportion) -> tuple[float, float, float]:
    """The odds ratio of the first to the second with its 95 % interval on the logarithm; NaN where a cell is empty."""
    table = np.array([[one.met, one.of - one.met], [other.met, other.of - other.met]])
    if not table.all():
        return math.nan, math.nan, math.nan
    found = needed("statsmodels.stats.contingency_tables", "stats").Table2x2(table)
    low, high = found.oddsratio_confint(1 - LEVEL)
    return float(found.oddsratio), float(low), float(high)


def _told(rows: list[Row], measure: str, *, asked: bool) -> Iterator[str]:
    if measure == "difference":
        yield f"Difference of the first arm less the second; {INTERVALS['newcombe']}, 95 %."
    else:
        yield "Odds ratio of the first arm to the second; Wald's interval on its logarithm, 95 %."
    yield "Not evaluable counts as not met. The intervals are not corrected for their number."
    if any(row.shares and row.value != row.value for row in rows):
        why = "an arm without patients" if measure == "difference" else "an arm in which all or none met it"
        yield f"{DASH}: cannot be worked out with {why}."
    if not asked:
        yield "Subgroups: the columns of the patient table with two to four values that are not numbers."


@dataclass(frozen=True)
class _Layout:
    """Where the columns stand, in inches from the left, and what they say."""

    heads: tuple[str, str, str]
    cells: tuple[list[str], list[str], list[str]]
    """Of each arm n/N, and the value with its interval."""
    starts: tuple[float, float, float]
    graph: tuple[float, float]
    """Where the graph begins and how wide it is."""
    width: float
    """Of the picture, which grows with long labels."""
    deep: float
    """The height of the heads."""
    axis: str


def _layout(rows: list[Row], groups: Groups, measure: str) -> _Layout:
    ratio = "difference" if measure == "difference" else "odds ratio"
    one, other = (f"{folded(label, 1.1, SMALL)},\nn/N (%)" for label in groups.labels)
    heads = (one, other, f"{ratio}\n(95 % interval)")
    cells = (_cells(rows, 0), _cells(rows, 1), [_said(row, measure) for row in rows])
    widths = [widest([*column, head], SMALL) + 0.15 for column, head in zip(cells, heads, strict=True)]
    # Headings are bold, a seventh wider.
    label = max(0.9, *(text_width(row.label, BODY) * (1.0 if row.inset else 1.15) + row.inset + 0.12 for row in rows))
    begin = MARGIN + label + widths[0] + widths[1]
    width = max(WIDTH, begin + GRAPH + 0.1 + widths[2] + MARGIN)
    last = width - MARGIN - widths[2] + 0.12
    across = last - 0.1 - begin
    word = "difference in percentage points" if measure == "difference" else "odds ratio"
    return _Layout(
        heads=heads,
        cells=cells,
        starts=(MARGIN + label, MARGIN + label + widths[0], last),
        graph=(begin, across - 0.1),
        width=width,
        deep=max(head.count("\n") + 1 for head in heads) * SMALL * 1.3 / 72 + 0.08,
        axis=folded(f"{word}; to the right: more in {groups.labels[0]}", across, BODY),
    )


def _drawn(sheet: Sheet, rows: list[Row], layout: _Layout, measure: str) -> None:
    style: dict[str, Any] = {"size": SMALL, "va": "bottom", "color": GREY, "linespacing": 1.1}
    for head, start in zip(layout.heads, layout.starts, strict=True):
        sheet.text(start, sheet.top + layout.deep - 0.04, head, **style)
    begin, across = layout.graph
    axes = sheet.axes(begin, layout.deep, across, ROW * len(rows))
    _scaled(axes, rows, measure)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(layout.axis)
    for place, row in enumerate(rows):
        middle = sheet.top + layout.deep + ROW * (place + 0.5)
        weight = "normal" if row.inset else "bold"
        sheet.text(MARGIN + row.inset, middle, row.label, va="center", size=BODY, weight=weight)
        for column, start in zip(layout.cells, layout.starts, strict=True):
            sheet.text(start, middle, column[place], va="center", size=SMALL)
        if row.shares is None:
            axes.axhline(place - 0.5, color=FAINT, linewidth=0.6, zorder=0)
        elif row.value == row.value:
            _mark(axes, row, place, rows)


def _cells(rows: list[Row], place: int) -> list[str]:
    return [fraction(row.shares[place].met, row.shares[place].of) if row.shares else "" for row in rows]


def _said(row: Row, measure: str) -> str:
    if row.shares is None:
        return ""
    if row.value != row.value:
        return DASH
    if measure == "difference":
        low, value, high = (rounded(100 * one, 0) for one in (row.low, row.value, row.high))
        return f"{value} ({low} to {high})"
    return span(row.value, row.low, row.high, 2)


def _scaled(axes: Axes, rows: list[Row], measure: str) -> None:
    known = [one for row in rows if row.value == row.value for one in (row.low, row.high)]
    if measure == "difference":
        low, high = min([-0.1, *known]), max([0.1, *known])
        axes.set_xlim(max(low - 0.05, -1.02), min(high + 0.05, 1.02))
        step = 0.2 if high - low < 1.2 else 0.5
        points = [step * number for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
        axes.set_xticks(points, [f"{100 * point:.0f}" for point in points])
        axes.axvline(0, color=BLACK, linewidth=0.6)
        return
    axes.set_xscale("log")
    low, high = max(min([0.5, *known]), 0.02), min(max([2.0, *known]), 200)
    axes.set_xlim(low / 1.15, high * 1.15)
    ticks = [tick for tick in (0.02, 0.1, 0.2, 0.5, 1, 2, 5, 10, 50, 200) if low <= tick <= high]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.axvline(1, color=BLACK, linewidth=0.6)


def _mark(axes: Axes, row: Row, place: int, rows: list[Row]) -> None:
    """The interval as a line, an arrow where it leaves the axes; the value as a square as large as the subgroup."""
    first, last = axes.get_xlim()
    whole = sum(one.of for one in rows[0].shares or ())
    part = sum(one.of for one in row.shares or ()) / max(whole, 1)
    shape, colour = ("D", BLUE) if place == 0 else ("s", BLACK)
    axes.plot([max(row.low, first), min(row.high, last)], [place, place], color=colour, linewidth=0.9, zorder=2)
    for edge, beyond, sign in ((first, row.low < first, "<"), (last, row.high > last, ">")):
        if beyond:
            axes.plot([edge], [place], marker=sign, markersize=4, color=colour, clip_on=False, zorder=3)
    if first <= row.value <= last:
        size = 5.5 if place == 0 else 2 + 3.5 * math.sqrt(part)
        axes.plot([row.value], [place], marker=shape, markersize=size, color=colour, zorder=3)
