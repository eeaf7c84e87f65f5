"""Tipping: the conclusion for every number of non-evaluable patients who meet the endpoint, arm against arm."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Patch, Rectangle

from itp_response.classification.classification import Classification
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.wording import listed
from itp_response.outputs.figures.axes import MOST_TICKS
from itp_response.outputs.figures.picture import (
    BLACK,
    BLUE,
    BODY,
    FAINT,
    GREY,
    MARGIN,
    SMALL,
    VERMILLION,
    Picture,
    Sheet,
    folded,
    height,
    legend_height,
    paper_width,
    rectangles,
    widest,
)
from itp_response.outputs.statistics.groups import all_patients, grouped
from itp_response.outputs.statistics.proportions import INTERVALS, criteria_met, primary
from itp_response.outputs.statistics.tables import probability, rounded
from itp_response.outputs.statistics.tipping import ALPHA, ConclusionRule, TippingGrid, check_tipping, tipping_grid

CHANGED, HATCH = "#F9DFB5", "#E0B060"
"""The colours of a cell with another conclusion: light enough for its number to be read."""
CELL, LOW_CELL = 0.44, 0.25
"""The width and the height of a cell where there is room."""
LEAST, TALLEST = (2.4, 1.5), 4.6
"""The least width and height of the grid, and its greatest height."""
TICK = 0.2
"""The room that a number of patients needs on an axis."""
DASHED: Any = (0, (2, 1))


@dataclass(frozen=True)
class GridLayout:
    """The size of the grid in inches, and the labels of its axes."""

    across: float
    up: float
    labels: tuple[str, str]
    """Across and upwards."""
    left: float
    has_texts: bool
    """The cells are wide and high enough for their numbers."""

    @property
    def beneath(self) -> float:
        """The height of the numbers and the label under the grid."""
        return 0.22 + height(self.labels[0].count("\n") + 1, BODY)


def draw(
    classification: Classification,
    *,
    study: str = "",
    endpoint: str | None = None,
    reference: str | None = None,
    alpha: float = ALPHA,
    margin: float | None = None,
    width: float | None = None,
) -> Picture:
    """The grid of conclusions: the non-evaluable patients of the reference arm across, those of the other arm upwards.

    Raises `UsageError` unless there are two arms and non-evaluable patients, and for an unknown endpoint, a level or a
    margin that cannot be.
    """
    patients = all_patients(classification)
    groups = grouped(patients, "arm", reference)
    if len(groups.labels) != 2:
        arms = ", ".join(groups.labels)
        raise UsageError(f"a tipping-point plot compares two arms; this study has {len(groups.labels)}: {arms}.")
    if endpoint is not None and endpoint not in criteria_met(patients):
        raise UsageError(unknown("endpoint that is met or not", endpoint, criteria_met(patients)))
    name = endpoint or primary(patients)
    rule = ConclusionRule(alpha, margin, patients.is_unfavourable(name))
    check_tipping(patients, groups, name, rule, "itt")
    grid = tipping_grid(patients, groups, groups.pairs[0], name, rule)
    paper = paper_width(width)
    layout, handles = _layout(grid, paper), _legend(grid)
    top = legend_height(handles, paper) + 0.12
    sheet = Sheet(
        (study, f"{classification.criteria.labelled(name)}, tipping points"),
        [*groups.notes, *_notes(grid, layout)],
        top + layout.up + layout.beneath,
        subtitle=classification.criteria.response_definition,
        assumed=groups.assumed,
        width=paper,
    )
    sheet.legend(handles, MARGIN, 0)
    _draw_grid(sheet.axes(layout.left, top, layout.across, layout.up), grid, layout)
    return sheet.picture


def _draw_grid(axes: Axes, grid: TippingGrid, layout: GridLayout) -> None:
    _draw_cells(axes, grid)
    _draw_boundary(axes, grid)
    _number(axes, grid, layout)
    if layout.has_texts:
        for first, second in np.ndindex(grid.is_changed.shape):
            axes.text(second, first, _text(grid, first, second), ha="center", va="center", size=SMALL, zorder=5)


def _layout(grid: TippingGrid, paper: float) -> GridLayout:
    """The grid as large as its cells want, but no larger than the paper."""
    rows, columns = (missing + 1 for missing in grid.missing)
    up = min(max(LOW_CELL * rows, LEAST[1]), TALLEST)
    upwards = folded(_label(grid, 0), up, BODY)
    left = MARGIN + height(upwards.count("\n") + 1, BODY) + 0.22
    across = min(max(CELL * columns, LEAST[0]), paper - left - MARGIN)
    texts = {_text(grid, first, second) for first, second in np.ndindex(grid.is_changed.shape)}
    has_texts = height(1, SMALL) <= up / rows and widest(list(texts), SMALL) + 0.06 <= across / columns
    return GridLayout(across, up, (folded(_label(grid, 1), across, BODY), upwards), left, has_texts)


def _label(grid: TippingGrid, arm: int) -> str:
    return f"{grid.labels[arm]}: non-evaluable patients counted as meeting the endpoint (of {grid.missing[arm]})"


def _text(grid: TippingGrid, first: int, second: int) -> str:
    """What stands in a cell: the p-value or, with a margin, the limit that faces it, in percentage points."""
    if grid.rule.margin is None:
        return probability(grid.tests[first][second][0])
    gap = grid.compared[first][second]
    return rounded(100 * (gap.high if grid.rule.unfavourable else gap.low), 1)


def _draw_cells(axes: Axes, grid: TippingGrid) -> None:
    """Colour the cells, hatch those with another conclusion, and frame those that the legend names."""
    axes.set_xlim(-0.5, grid.missing[1] + 0.5)
    axes.set_ylim(-0.5, grid.missing[0] + 0.5)
    axes.set_facecolor(FAINT)
    first, second = np.nonzero(grid.is_changed)
    look: dict[str, Any] = {"facecolor": CHANGED, "edgecolor": HATCH, "hatch": "////", "linewidth": 0}
    rectangles(axes, (second - 0.5, second + 0.5), (first - 0.5, first + 0.5), **look)
    points = [((0, 0), BLUE, "-"), *((point, VERMILLION, DASHED) for point in grid.smallest)]
    for (up, across), colour, line in points:
        look = {"fill": False, "edgecolor": colour, "linestyle": line, "linewidth": 1.4, "zorder": 4}
        axes.add_patch(Rectangle((across - 0.42, up - 0.42), 0.84, 0.84, **look))


def _draw_boundary(axes: Axes, grid: TippingGrid) -> None:
    """Draw the lines between cells with the conclusion as analysed and cells with another."""
    changed = grid.is_changed
    level = np.argwhere(changed[1:] != changed[:-1]).tolist()
    upright = np.argwhere(changed[:, 1:] != changed[:, :-1]).tolist()
    edges = [[(second - 0.5, first + 0.5), (second + 0.5, first + 0.5)] for first, second in level]
    edges += [[(second + 0.5, first - 0.5), (second + 0.5, first + 0.5)] for first, second in upright]
    axes.add_collection(LineCollection(edges, colors=BLACK, linewidths=1.6, capstyle="projecting", zorder=3))


def _number(axes: Axes, grid: TippingGrid, layout: GridLayout) -> None:
    """Number the axes, and say whose patients they count."""
    sides = ((axes.xaxis, 1, layout.across), (axes.yaxis, 0, layout.up))
    for (axis, arm, length), label in zip(sides, layout.labels, strict=True):
        most = min(2 * MOST_TICKS, int(length / TICK) + 1)
        step = math.ceil((grid.missing[arm] + 1) / most)
        axis.set_ticks(range(0, grid.missing[arm] + 1, step))
        axis.set_label_text(label)
    axes.tick_params(length=0)


def _legend(grid: TippingGrid) -> list[Artist]:
    """The symbols: the conclusions, the combination as analysed and the smallest tipping points."""
    others = dict.fromkeys(grid.conclusions[first][second] for first, second in np.argwhere(grid.is_changed).tolist())
    handles: list[Artist] = [Patch(facecolor=FAINT, edgecolor=GREY, linewidth=0.4, label=_begun(grid.as_analysed))]
    if others:
        look: dict[str, Any] = {"facecolor": CHANGED, "edgecolor": HATCH, "hatch": "////", "linewidth": 0.4}
        handles.append(Patch(label=_begun(listed(list(others), "or")), **look))
    handles.append(Patch(fill=False, edgecolor=BLUE, linewidth=1.4, label="As analysed"))
    if grid.smallest:
        frame: dict[str, Any] = {"edgecolor": VERMILLION, "linestyle": DASHED, "linewidth": 1.4}
        handles.append(Patch(fill=False, label="Smallest tipping point", **frame))
    return handles


def _begun(text: str) -> str:
    return text[:1].upper() + text[1:]


def _notes(grid: TippingGrid, layout: GridLayout) -> list[str]:
    """The conclusion and the tipping points in words, and how they were reached."""
    first, second = grid.labels
    interval = f"the 95% CI of the risk difference, {first} minus {second}, by {INTERVALS['newcombe']}"
    if grid.rule.margin is None:
        numbers = "Numbers: p-values. " if layout.has_texts else ""
        how = (
            f"{numbers}Conclusion by {grid.rule.in_words}: chi-squared test without continuity correction, or Fisher's "
            "exact test where an expected count is below 5."
        )
    else:
        limit = "upper" if grid.rule.unfavourable else "lower"
        numbers = "Numbers: that limit, in percentage points. " if layout.has_texts else ""
        how = f"Conclusion by {grid.rule.in_words}, compared with the {limit} limit of {interval}. {numbers}".strip()
    analysed = "As analysed, no non-evaluable patient counts as meeting the endpoint (ITT)."
    tips = (
        " Smallest: with the fewest patients that do. Bold line: where the conclusion changes." if grid.smallest else ""
    )
    return [grid.told, how, f"{analysed}{tips}"]
