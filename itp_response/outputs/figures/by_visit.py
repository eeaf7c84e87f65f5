"""By visit: the share of responders of each group at each planned visit, with its 95% CI."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from itp_response.classification.classification import Classification
from itp_response.outputs.figures.axes import set_time_axis
from itp_response.outputs.figures.number_rows import NumberRow, draw_row
from itp_response.outputs.figures.picture import (
    BLACK,
    BODY,
    GREY,
    MARGIN,
    SMALL,
    Picture,
    Sheet,
    folded,
    height,
    look_of,
    paper_width,
    widest,
)
from itp_response.outputs.statistics.by_visit import (
    VisitShares,
    chosen_by_visit,
    uncounted_in_words,
    uncounted_visits,
    visit_shares,
)
from itp_response.outputs.statistics.groups import all_patients, grouped

PERCENT = ([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
HIGH = 2.8
"""The height of the panel."""
NOTES = (
    "Points: patients with a count at the visit in the state that the endpoint asks for; vertical lines: 95% CI "
    "(Wilson).",
    "Non-evaluable patients, also those without a count at the visit, are counted as non-responders, unless the "
    "endpoint leaves such visits out.",
)


@dataclass(frozen=True)
class VisitPanel:
    """What stands beneath the panel, in inches."""

    left: float
    names: list[str]
    heights: list[float]

    @property
    def numbers(self) -> float:
        """The top of the first row of numbers."""
        return 0.1 + HIGH + 0.55


def draw(
    classification: Classification,
    *,
    study: str = "",
    by: str = "arm",
    endpoint: str | None = None,
    width: float | None = None,
) -> Picture:
    """The share of each group in the state of an endpoint at each planned visit, by intention to treat.

    Raises `UsageError` for an endpoint without a state at planned visits, and for groups that cannot be formed.
    """
    patients = all_patients(classification)
    groups = grouped(patients, by)
    name = chosen_by_visit(patients, endpoint)
    visits = visit_shares(patients, groups, name)
    paper = paper_width(width)
    layout = _layout(groups.labels, paper)
    titles = (study, f"{classification.criteria.labelled(name)} by visit")
    subtitle = classification.criteria.response_definition
    body = layout.numbers + sum(layout.heights) + 0.05
    uncounted = uncounted_visits(patients, groups, name)
    notes = [*groups.notes, *NOTES, *([uncounted_in_words(uncounted)] if uncounted else [])]
    sheet = Sheet(titles, notes, body, subtitle=subtitle, width=paper)
    axes = sheet.axes(layout.left, 0.1, paper - layout.left - MARGIN, HIGH)
    _set_scale(axes, visits, paper - layout.left - MARGIN)
    for code in range(len(groups.labels)):
        _draw_group(axes, visits, code, len(groups.labels))
    _draw_numbers(sheet, axes, visits, layout)
    return sheet.picture


def _layout(labels: tuple[str, ...], paper: float) -> VisitPanel:
    names = [folded(label, min(1.5, paper / 4), SMALL) for label in labels]
    heights = [height(name.count("\n") + 1, SMALL) + 0.03 for name in names]
    return VisitPanel(MARGIN + max(0.6, widest(names, SMALL) + 0.52), names, heights)


def _set_scale(axes: Axes, visits: list[VisitShares], width: float) -> None:
    first, last = float(visits[0].day), float(visits[-1].day)
    edge = 0.03 * max(last - first, 7.0)
    axes.set_xlim(first - edge, last + edge)
    axes.set_ylim(0, 1.02)
    axes.set_yticks(*PERCENT)
    axes.set_ylabel(folded("Patients in response at the visit (%)", HIGH, BODY))
    set_time_axis(axes, first - edge, last + edge, width)


def _draw_group(axes: Axes, visits: list[VisitShares], code: int, number: int) -> None:
    """Draw the shares of a group, beside those of the others, with their intervals."""
    colour, line, marker = look_of(code)
    first, last = axes.get_xlim()
    shown = [(visit.day, visit.groups[code]) for visit in visits if visit.groups[code].of.of]
    days = np.array([day for day, _ in shown]) + 0.004 * (last - first) * (code - (number - 1) / 2)
    style = {"color": colour, "linestyle": line, "marker": marker, "markersize": 3.5, "mec": BLACK, "mew": 0.4}
    axes.plot(days, [share.of.share for _, share in shown], linewidth=1.5, zorder=4, **style)
    limits = [share.low for _, share in shown], [share.high for _, share in shown]
    axes.vlines(days, *limits, color=colour, linewidth=0.8, zorder=3)


def _draw_numbers(sheet: Sheet, axes: Axes, visits: list[VisitShares], layout: VisitPanel) -> None:
    """Write the responders of all patients beneath each visit, where there is room."""
    top = layout.numbers
    sheet.text(MARGIN, sheet.top + top - 0.16, "Responders/patients", size=SMALL, color=GREY)
    days = np.array([visit.day for visit in visits])
    texts = [[f"{group.of.met:,}/{group.of.of:,}" for group in visit.groups] for visit in visits]
    longest = [max(of_visit, key=len) for of_visit in texts]
    for code, (name, line_height) in enumerate(zip(layout.names, layout.heights, strict=True)):
        row = NumberRow(code, name, top, line_height, layout.left)
        draw_row(sheet, axes, row, days, [of_visit[code] for of_visit in texts], longest)
        top += line_height
