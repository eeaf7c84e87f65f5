"""Spaghetti: the counts of every patient by group, and beneath them the median of each group by visit."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from itp_response.classification.classification import Classification
from itp_response.cohort.values import NO_DAY, Floats, Ints
from itp_response.explanation.thresholds import plain_thresholds
from itp_response.messages.wording import counted, listed
from itp_response.outputs.figures.axes import set_count_axis, set_time_axis
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
from itp_response.outputs.statistics.groups import Groups, all_patients, grouped
from itp_response.outputs.statistics.times import quartiles

WEEK = 7
BOTTOM = 3.0
HIGH, MEDIANS, BETWEEN, LEFT = 1.9, 2.4, 0.58, 0.55
"""The heights of a panel and of the panel of medians, the room between them, and the room at their left."""
COLUMNS = 2
SIDE_BY_SIDE = 5.5
"""From this width of paper on, two panels stand beside each other."""
AT_LEAST = 3
"""A median needs at least this many patients."""
MANY = 500
"""With more patients than this, the lines are an image, also in SVG and PDF."""


@dataclass(frozen=True)
class CountPoints:
    """Every count: the patient's position, the day, and the level; a censored count stands at its bound."""

    patient: Ints
    day: Ints
    level: Floats
    visit: Ints
    """The nearest planned day; `NO_DAY`: none is near."""
    bounds: int
    """The number of censored counts."""


def draw(classification: Classification, *, study: str = "", by: str = "arm", width: float | None = None) -> Picture:
    """The counts of every patient, and the median and quartiles of each group by planned visit.

    A count belongs to the nearest planned visit; of several counts of a patient the last one stands.
    Raises `UsageError` for groups that cannot be formed.
    """
    groups = grouped(all_patients(classification), by)
    counts = _counts(classification)
    layout = _layout(groups, paper_width(width))
    notes = [*groups.notes, *_notes(classification, counts)]
    title = "Platelet counts of all patients, and medians by visit"
    body = layout.medians + MEDIANS + 0.6 + sum(layout.heights)
    subtitle = classification.criteria.response_definition
    sheet = Sheet((study, title), notes, body, subtitle=subtitle, width=layout.paper)
    limits = _limits(counts)
    for code, heading in enumerate(layout.headings):
        row, column = divmod(code, layout.columns)
        left, top = MARGIN + LEFT + column * (layout.width + LEFT), layout.above + row * (layout.row + BETWEEN)
        axes = sheet.axes(left, top + layout.row - HIGH, layout.width, HIGH)
        _set_scale(axes, classification, limits, layout.width)
        axes.set_title(heading, size=BODY)
        _draw_strands(axes, counts, groups, code)
        _draw_median(axes, counts, groups, code, quartile_lines=False)
    axes = sheet.axes(layout.left, layout.medians, layout.paper - layout.left - MARGIN, MEDIANS)
    _set_scale(axes, classification, limits, layout.paper - layout.left - MARGIN)
    axes.set_title("Medians, with quartiles as vertical lines", size=BODY)
    for code in range(len(groups.labels)):
        _draw_median(axes, counts, groups, code, quartile_lines=True)
    _draw_numbers(sheet, axes, counts, groups, layout)
    return sheet.picture


@dataclass(frozen=True)
class PanelLayout:
    """The panels of the groups and of the medians, in inches; positions are distances from beneath the title."""

    paper: float
    """The width of the picture."""
    columns: int
    width: float
    """Of the panel of a group."""
    above: float
    """The room above the first row."""
    row: float
    """The height of the panel of a group and of what its heading has beyond one line."""
    medians: float
    """The top of the panel of medians."""
    left: float
    """The left edge of the panel of medians."""
    headings: list[str]
    names: list[str]
    """The groups' names beneath the medians."""
    heights: list[float]
    """The height of each name."""


def _layout(groups: Groups, paper: float) -> PanelLayout:
    number = len(groups.labels)
    across = min(number, COLUMNS) if paper >= SIDE_BY_SIDE else 1
    rows = -(-number // across)
    width = (paper - 2 * MARGIN) / across - LEFT
    names = [folded(label, min(1.5, paper / 4), SMALL) for label in groups.labels]
    headings = [folded(heading, width, BODY) for heading in groups.headed()]
    row = HIGH + max(height(heading.count("\n"), BODY) for heading in headings)
    return PanelLayout(
        paper=paper,
        columns=across,
        width=width,
        above=0.15,
        row=row,
        medians=0.15 + rows * (row + BETWEEN) + 0.1,
        left=MARGIN + max(LEFT, widest(names, SMALL) + 0.52),
        headings=headings,
        names=names,
        heights=[height(name.count("\n") + 1, SMALL) + 0.03 for name in names],
    )


def _counts(classification: Classification) -> CountPoints:
    cohort = classification.cohort
    known = np.flatnonzero(~np.isnan(cohort.platelets.low))
    low, high = cohort.platelets.low[known], cohort.platelets.high[known]
    level = np.where(np.isinf(high), low, high)
    day = cohort.day[known].astype(np.int64)
    visit = _nearest(day, np.unique(np.array(classification.criteria.file.clock.visits, dtype=np.int64)))
    return CountPoints(cohort.patient[known], day, np.maximum(level, BOTTOM), visit, int((low != high).sum()))


def _nearest(day: Ints, planned: Ints) -> Ints:
    """The planned day nearest to each day, the later of two as near; none for a day long before or after all of them.

    Without planned days, the nearest whole week.
    """
    if not len(planned):
        return WEEK * np.floor(day / WEEK + 0.5).astype(np.int64)
    middles = (planned[1:] + planned[:-1]) / 2
    nearest = planned[np.searchsorted(middles, day, side="right")]
    gaps = np.diff(planned)
    first, last = (gaps[0], gaps[-1]) if len(gaps) else (WEEK, WEEK)
    near = (day >= planned[0] - first / 2) & (day <= planned[-1] + last / 2)
    return np.where(near, nearest, NO_DAY)


def _notes(classification: Classification, counts: CountPoints) -> list[str]:
    notes = [
        "Grey lines: individual patients, including counts within the rescue wash-out. Medians: one count per patient, "
        f"the nearest to the planned visit; visits with fewer than {AT_LEAST} patients are not shown."
    ]
    levels = plain_thresholds(classification.criteria)
    if levels:
        notes.append(
            f"Dashed lines: thresholds of the response definition ({listed([f'{x:g}' for x in levels])} ×10⁹/L)."
        )
    if counts.bounds:
        notes.append(f"{counted(counts.bounds, 'censored count')}: drawn at the reporting limit.")
    if (counts.level <= BOTTOM).any():
        notes.append(f"Counts below {BOTTOM:g} ×10⁹/L are drawn at {BOTTOM:g}.")
    return notes


def _limits(counts: CountPoints) -> tuple[float, float, float]:
    """The first and last day of the axes, and their highest count."""
    if not len(counts.day):
        return 0.0, 28.0, 400.0
    first, last = float(counts.day.min()), float(counts.day.max())
    edge = 0.015 * (last - first + WEEK)
    return first - edge, last + edge, max(400.0, 1.2 * float(counts.level.max()))


def _set_scale(axes: Axes, classification: Classification, limits: tuple[float, float, float], width: float) -> None:
    first, last, high = limits
    set_count_axis(axes, BOTTOM * 0.95, high)
    axes.set_xlim(first, last)
    set_time_axis(axes, first, last, width)
    for level in plain_thresholds(classification.criteria):
        axes.axhline(level, color=GREY, linestyle=(0, (5, 2)), linewidth=0.5, zorder=1)


def _draw_strands(axes: Axes, counts: CountPoints, groups: Groups, code: int) -> None:
    """Draw a line for each patient of the group, and a point for each patient with one count."""
    here = np.flatnonzero(groups.code[counts.patient] == code)
    patient = counts.patient[here]
    points = np.stack([counts.day[here].astype(np.float64), counts.level[here]], axis=1)
    begins = np.flatnonzero(np.append(True, patient[1:] != patient[:-1])) if len(here) else here
    image = len(begins) > MANY
    share = float(np.clip(25 / max(len(begins), 1), 0.04, 0.55))
    look = {"color": GREY, "linewidth": 0.5, "alpha": share, "rasterized": image}
    axes.add_collection(LineCollection(np.split(points, begins[1:]), zorder=2, **look), autolim=False)
    once = begins[np.diff(np.append(begins, len(here))) == 1]
    axes.scatter(points[once, 0], points[once, 1], s=3, color=GREY, alpha=share, zorder=2, rasterized=image)


def _draw_median(axes: Axes, counts: CountPoints, groups: Groups, code: int, *, quartile_lines: bool) -> None:
    days, low, middle, high, _ = _by_visit(counts, groups.code, code)
    colour, line, marker = look_of(code)
    first, last = axes.get_xlim()
    shift = 0.0023 * (last - first) * (code - (len(groups.labels) - 1) / 2) if quartile_lines else 0.0
    style = {"color": colour, "linestyle": line, "marker": marker, "markersize": 3, "mec": BLACK, "mew": 0.4}
    axes.plot(days + shift, middle, linewidth=1.6, zorder=4, **style)
    if quartile_lines:
        axes.vlines(days + shift, low, high, color=colour, linewidth=0.8, zorder=3)


def _by_visit(counts: CountPoints, group: Ints, code: int) -> tuple[Floats, Floats, Floats, Floats, Ints]:
    """By visit with enough patients of the group: day, lower quartile, median, upper quartile, number of patients."""
    here = np.flatnonzero((group[counts.patient] == code) & (counts.visit != NO_DAY))
    visit, patient = counts.visit[here], counts.patient[here]
    stands = np.append((visit[1:] != visit[:-1]) | (patient[1:] != patient[:-1]), True) if len(here) else here
    visit, level = visit[stands], counts.level[here][stands]
    by_visit = [(day, level[visit == day]) for day in np.unique(visit)]
    kept = [(day, *quartiles(levels), len(levels)) for day, levels in by_visit if len(levels) >= AT_LEAST]
    columns = np.array(kept, dtype=np.float64).reshape(-1, 5).T
    return columns[0], columns[1], columns[2], columns[3], columns[4].astype(np.int64)


def _draw_numbers(sheet: Sheet, axes: Axes, counts: CountPoints, groups: Groups, layout: PanelLayout) -> None:
    """Write the number of patients of each median under its visit, where there is room."""
    top = layout.medians + MEDIANS + 0.5
    sheet.text(MARGIN, sheet.top + top - 0.16, "Number of patients", size=SMALL, color=GREY)
    for code, (name, line_height) in enumerate(zip(layout.names, layout.heights, strict=True)):
        days, _, _, _, number = _by_visit(counts, groups.code, code)
        texts = [f"{patients:,}" for patients in number.tolist()]
        draw_row(sheet, axes, NumberRow(code, name, top, line_height, layout.left), days, texts)
        top += line_height
