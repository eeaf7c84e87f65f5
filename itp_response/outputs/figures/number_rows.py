"""Number rows: the numbers of each group beneath the visits of a panel."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from itp_response.cohort.values import Floats, Ints
from itp_response.outputs.figures.picture import BLACK, MARGIN, SMALL, Sheet, look_of, text_width


@dataclass(frozen=True)
class NumberRow:
    """The row of a group, in inches; `top` is its distance from beneath the title."""

    code: int
    name: str
    top: float
    height: float
    left: float
    """The left edge of the panel."""


def draw_row(
    sheet: Sheet,
    axes: Axes,
    row: NumberRow,
    days: Floats | Ints,
    texts: Sequence[str],
    longest: Sequence[str] | None = None,
) -> None:
    """Write the name of a group with its line, and each text beneath its day, where there is room.

    `longest` are the longest texts of each day in all rows that are to show the same days; None: this row is by itself.
    """
    paper = sheet.picture.get_figwidth()
    width = paper - row.left - MARGIN
    first, last = axes.get_xlim()
    middle = sheet.top + row.top + row.height / 2
    sheet.text(MARGIN + 0.36, middle, row.name, size=SMALL, va="center", linespacing=1.1)
    colour, line, marker = look_of(row.code)
    ends = [MARGIN / paper, (MARGIN + 0.3) / paper]
    level = 1 - middle / sheet.height
    style = {"color": colour, "linestyle": line, "marker": marker, "markersize": 3, "mec": BLACK, "mew": 0.4}
    sheet.picture.add_artist(Line2D(ends, [level, level], linewidth=1.4, markevery=[1], **style))
    filled_to = -np.inf
    for day, text, long in zip(days.tolist(), texts, longest or texts, strict=True):
        at = row.left + (day - first) / (last - first) * width
        half = text_width(long, SMALL) / 2 + 0.06
        if at - half > filled_to:
            sheet.text(at, middle, text, size=SMALL, ha="center", va="center")
            filled_to = at + half
