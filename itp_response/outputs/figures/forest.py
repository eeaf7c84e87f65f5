"""Forest: an endpoint in subgroups, as the risk difference or odds ratio of two arms with its interval."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
    Outcome,
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
"""The least and the greatest number of values of a column that makes subgroups by default."""
ROW, INSET, GRAPH = 0.165, 0.12, 1.8
"""The height of a row, the indent of a subgroup, and the least width of the graph."""


@dataclass(frozen=True)
class Row:
    """A line of the forest; without shares it is a heading."""

    label: str
    shares: tuple[Proportion, Proportion] | None = None
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    inset: float = 0.0


def draw(
    classification: Classification,
    *,
    study: str = "",
    by: Sequence[str] = (),
    endpoint: str | None = None,
    measure: str = "difference",
    reference: str | None = None,
) -> Picture:
    """The shares of patients in two arms that met an endpoint: all, and the subgroups by each of the columns `by`.

    The second arm is the reference arm.

    Without `by`, every column of the patient table with two to four values that are not numbers makes subgroups.
    Raises `UsageError` unless there are two arms, and for an unknown endpoint, column or measure.
    """
    if measure not in MEASURES:
        raise UsageError(unknown("measure", measure, MEASURES))
    patients = all_patients(classification)
    groups = _reference_last(grouped(patients, "arm", reference))
    if len(groups.labels) != 2:
        arms = ", ".join(groups.labels)
        raise UsageError(f"a forest sets two arms beside each other; here are {len(groups.labels)}: {arms}.")
    if endpoint is not None and endpoint not in criteria_met(patients):
        raise UsageError(unknown("endpoint that is met or not", endpoint, criteria_met(patients)))
    name = endpoint or primary(patients)
    subgroups = {column: grouped(patients, column) for column in list(by) or _with_few_values(patients)}
    rows = list(_rows(outcome(patients, name), groups, subgroups, measure))
    group_notes = [note for division in (groups, *subgroups.values()) for note in division.notes]
    notes = [*group_notes, *_notes(rows, measure, by_default=not by)]
    layout = _layout(rows, groups, measure)
    title = f"{classification.criteria.endpoints[name].label} in subgroups"
    body = layout.head_height + ROW * len(rows) + 0.25 + height(layout.axis.count("\n") + 1, BODY)
    subtitle = classification.criteria.response_definition
    sheet = Sheet((study, title), notes, body, subtitle=subtitle, assumed=groups.assumed, width=layout.width)
    _draw_rows(sheet, rows, layout, measure)
    return sheet.picture


def _reference_last(groups: Groups) -> Groups:
    """The groups, the reference group last."""
    number = len(groups.labels)
    order = [code for code in range(number) if code != groups.reference] + [groups.reference]
    position = np.array([*(order.index(code) for code in range(number)), -1])
    return replace(
        groups,
        labels=tuple(groups.labels[code] for code in order),
        code=position[groups.code],
        reference=number - 1,
    )


def _with_few_values(patients: AnalysedPatients) -> list[str]:
    """The columns of texts with few enough values to make subgroups."""
    low, high = SMALL_GROUPS
    texts = {name: column for name, column in patients.characteristics.items() if not column.dtype.is_numeric()}
    return [name for name, column in texts.items() if low <= in_words(column).drop_nulls().n_unique() <= high]


def _rows(met: Outcome, groups: Groups, subgroups: Mapping[str, Groups], measure: str) -> Iterator[Row]:
    yield _row("all patients", shares(met, groups), measure)
    for column, subgroup in subgroups.items():
        yield Row(nice(column))
        for code, label in enumerate(subgroup.labels):
            proportions = shares(met, groups.within(subgroup.code == code))
            if any(proportion.of for proportion in proportions):
                yield _row(label, proportions, measure, INSET)


def _row(label: str, proportions: list[Proportion], measure: str, inset: float = 0.0) -> Row:
    first, second = proportions
    if measure == "difference":
        effect = difference(first, second)
        return Row(label, (first, second), effect.difference, effect.low, effect.high, inset)
    return Row(label, (first, second), *_odds_ratio(first, second), inset)


def _odds_ratio(first: Proportion, second: Proportion) -> tuple[float, float, float]:
    """The odds ratio of the first to the second with its 95% CI on the logarithm; NaN where a cell is empty."""
    cells = np.array([[first.met, first.of - first.met], [second.met, second.of - second.met]])
    if not cells.all():
        return math.nan, math.nan, math.nan
    table = needed("statsmodels.stats.contingency_tables", "stats").Table2x2(cells)
    low, high = table.oddsratio_confint(1 - LEVEL)
    return float(table.oddsratio), float(low), float(high)


def _notes(rows: list[Row], measure: str, *, by_default: bool) -> Iterator[str]:
    if measure == "difference":
        yield f"Difference of the first arm less the second; {INTERVALS['newcombe']}, 95 %."
    else:
        yield "Odds ratio of the first arm to the second; Wald's interval on its logarithm, 95 %."
    yield "Not evaluable counts as not met. The intervals are not corrected for their number."
    if any(row.shares and row.value != row.value for row in rows):
        why = "an arm without patients" if measure == "difference" else "an arm in which all or none met it"
        yield f"{DASH}: cannot be worked out with {why}."
    if by_default:
        yield "Subgroups: the columns of the patient table with two to four values that are not numbers."


@dataclass(frozen=True)
class _Layout:
    """The columns of the picture: their positions in inches from the left, and their texts."""

    heads: tuple[str, str, str]
    cells: tuple[list[str], list[str], list[str]]
    """n/N of each arm, and the effect with its interval."""
    starts: tuple[float, float, float]
    graph: tuple[float, float]
    """The left edge and the width of the graph."""
    width: float
    """The width of the picture, which grows with long labels."""
    head_height: float
    """The height of the heads."""
    axis: str


def _layout(rows: list[Row], groups: Groups, measure: str) -> _Layout:
    ratio = "difference" if measure == "difference" else "odds ratio"
    first, second = (f"{folded(label, 1.1, SMALL)},\nn/N (%)" for label in groups.labels)
    heads = (first, second, f"{ratio}\n(95 % interval)")
    cells = (_cells(rows, 0), _cells(rows, 1), [_effect_in_words(row, measure) for row in rows])
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
        head_height=max(head.count("\n") + 1 for head in heads) * SMALL * 1.3 / 72 + 0.08,
        axis=folded(f"{word}; to the right: more in {groups.labels[0]}", across, BODY),
    )


def _draw_rows(sheet: Sheet, rows: list[Row], layout: _Layout, measure: str) -> None:
    style: dict[str, Any] = {"size": SMALL, "va": "bottom", "color": GREY, "linespacing": 1.1}
    for head, start in zip(layout.heads, layout.starts, strict=True):
        sheet.text(start, sheet.top + layout.head_height - 0.04, head, **style)
    begin, across = layout.graph
    axes = sheet.axes(begin, layout.head_height, across, ROW * len(rows))
    _set_scale(axes, rows, measure)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(layout.axis)
    for position, row in enumerate(rows):
        middle = sheet.top + layout.head_height + ROW * (position + 0.5)
        weight = "normal" if row.inset else "bold"
        sheet.text(MARGIN + row.inset, middle, row.label, va="center", size=BODY, weight=weight)
        for column, start in zip(layout.cells, layout.starts, strict=True):
            sheet.text(start, middle, column[position], va="center", size=SMALL)
        if row.shares is None:
            axes.axhline(position - 0.5, color=FAINT, linewidth=0.6, zorder=0)
        elif row.value == row.value:
            _draw_effect(axes, row, position, rows)


def _cells(rows: list[Row], arm: int) -> list[str]:
    return [fraction(row.shares[arm].met, row.shares[arm].of) if row.shares else "" for row in rows]


def _effect_in_words(row: Row, measure: str) -> str:
    if row.shares is None:
        return ""
    if row.value != row.value:
        return DASH
    if measure == "difference":
        low, value, high = (rounded(100 * share, 0) for share in (row.low, row.value, row.high))
        return f"{value} ({low} to {high})"
    return span(row.value, row.low, row.high, 2)


def _set_scale(axes: Axes, rows: list[Row], measure: str) -> None:
    ends = [end for row in rows if row.value == row.value for end in (row.low, row.high)]
    if measure == "difference":
        low, high = min([-0.1, *ends]), max([0.1, *ends])
        axes.set_xlim(max(low - 0.05, -1.02), min(high + 0.05, 1.02))
        step = 0.2 if high - low < 1.2 else 0.5
        points = [step * number for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
        axes.set_xticks(points, [f"{100 * point:.0f}" for point in points])
        axes.axvline(0, color=BLACK, linewidth=0.6)
        return
    axes.set_xscale("log")
    low, high = max(min([0.5, *ends]), 0.02), min(max([2.0, *ends]), 200)
    axes.set_xlim(low / 1.15, high * 1.15)
    ticks = [tick for tick in (0.02, 0.1, 0.2, 0.5, 1, 2, 5, 10, 50, 200) if low <= tick <= high]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.axvline(1, color=BLACK, linewidth=0.6)


def _draw_effect(axes: Axes, row: Row, position: int, rows: list[Row]) -> None:
    """Draw the interval as a line, with arrows beyond the axes; the square of the value grows with the subgroup."""
    first, last = axes.get_xlim()
    whole = sum(share.of for share in rows[0].shares or ())
    part = sum(share.of for share in row.shares or ()) / max(whole, 1)
    shape, colour = ("D", BLUE) if position == 0 else ("s", BLACK)
    axes.plot([max(row.low, first), min(row.high, last)], [position, position], color=colour, linewidth=0.9, zorder=2)
    for edge, beyond, sign in ((first, row.low < first, "<"), (last, row.high > last, ">")):
        if beyond:
            axes.plot([edge], [position], marker=sign, markersize=4, color=colour, clip_on=False, zorder=3)
    if first <= row.value <= last:
        size = 5.5 if position == 0 else 2 + 3.5 * math.sqrt(part)
        axes.plot([row.value], [position], marker=shape, markersize=size, color=colour, zorder=3)
