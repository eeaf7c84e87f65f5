"""Spaghetti: the counts of every patient by group, and beneath them the median of each group by week."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from itp_response.classification.classification import Classification
from itp_response.cohort.values import NO_DAY, Floats, Ints
from itp_response.explanation.thresholds import plain_thresholds
from itp_response.outputs.figures.picture import (
    BLACK,
    BODY,
    GREY,
    MARGIN,
    SMALL,
    WIDTH,
    Picture,
    Sheet,
    folded,
    height,
    look_of,
    text_width,
    week_ticks,
    widest,
)
from itp_response.outputs.statistics.groups import Groups, all_patients, grouped
from itp_response.outputs.statistics.times import quartiles

WEEK = 7
BOTTOM = 3.0
TICKS = (3, 10, 30, 50, 100, 300, 1000, 3000)
HIGH, MEDIANS, BETWEEN, LEFT = 1.9, 2.4, 0.5, 0.55
"""The heights of a panel and of the panel of medians, the room between them, and the room at their left."""
COLUMNS = 2
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


def draw(classification: Classification, *, study: str = "", by: str = "arm") -> Picture:
    """The counts of every patient, and the median and quartiles of each group by week.

    A count belongs to the nearest planned visit; of several counts of a patient the last one stands.
    Raises `UsageError` for groups that cannot be formed.
    """
    groups = grouped(all_patients(classification), by)
    counts = _counts(classification)
    layout = _layout(groups)
    notes = [*groups.notes, *_notes(counts)]
    title = "Platelet counts of every patient, and medians by week"
    body = layout.medians + MEDIANS + 0.6 + sum(layout.heights)
    sheet = Sheet((study, title), notes, body, subtitle=classification.criteria.response_definition)
    limits = _limits(counts)
    for code, heading in enumerate(layout.headings):
        row, column = divmod(code, COLUMNS)
        left, top = MARGIN + LEFT + column * (layout.width + LEFT), layout.above + row * (HIGH + BETWEEN)
        axes = sheet.axes(left, top, layout.width, HIGH)
        _set_scale(axes, classification, limits)
        axes.set_title(heading, size=BODY)
        _draw_strands(axes, counts, groups, code)
        _draw_median(axes, counts, groups, code, quartile_lines=False)
    axes = sheet.axes(layout.left, layout.medians, WIDTH - layout.left - MARGIN, MEDIANS)
    _set_scale(axes, classification, limits)
    axes.set_title("median and quartiles", size=BODY)
    axes.set_xlabel("week")
    for code in range(len(groups.labels)):
        _draw_median(axes, counts, groups, code, quartile_lines=True)
    _draw_numbers(sheet, axes, counts, groups, layout)
    return sheet.picture


@dataclass(frozen=True)
class PanelLayout:
    """The panels of the groups and of the medians, in inches; positions are distances from beneath the title."""

    width: float
    """Of the panel of a group."""
    above: float
    """The room for the headings of the first row."""
    medians: float
    """The top of the panel of medians."""
    left: float
    """The left edge of the panel of medians."""
    headings: list[str]
    names: list[str]
    """The groups' names beneath the medians."""
    heights: list[float]
    """The height of each name."""


def _layout(groups: Groups) -> PanelLayout:
    number = len(groups.labels)
    across = min(number, COLUMNS)
    rows = -(-number // COLUMNS)
    width = (WIDTH - 2 * MARGIN) / across - LEFT
    names = [folded(label, 1.5, SMALL) for label in groups.labels]
    headings = [folded(heading, width, BODY) for heading in groups.headed()]
    above = 0.15 + max(height(heading.count("\n"), BODY) for heading in headings)
    return PanelLayout(
        width=width,
        above=above,
        medians=above + rows * (HIGH + BETWEEN) + 0.1,
        left=MARGIN + max(LEFT, widest(names, SMALL) + 0.42),
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


def _notes(counts: CountPoints) -> list[str]:
    notes = [
        "All counts are shown, those soon after rescue treatment too. A median is of the counts nearest to a planned "
        f"visit, one a patient, where they are {AT_LEAST} or more; beneath stands of how many, where there is room."
    ]
    if counts.bounds:
        notes.append(f"Counts known only as a bound ({counts.bounds:,}) stand at the bound.")
    if (counts.level <= BOTTOM).any():
        notes.append(f"Counts below {BOTTOM:g} stand at {BOTTOM:g}.")
    return notes


def _limits(counts: CountPoints) -> tuple[float, float, float]:
    """The first and last week of the axes, and their highest count."""
    if not len(counts.day):
        return 0.0, 4.0, 400.0
    first, last = float(counts.day.min()) / WEEK, float(counts.day.max()) / WEEK
    edge = 0.015 * (last - first + 1)
    return first - edge, last + edge, max(400.0, 1.2 * float(counts.level.max()))


def _set_scale(axes: Axes, classification: Classification, limits: tuple[float, float, float]) -> None:
    first, last, high = limits
    axes.set_yscale("log")
    axes.set_ylim(BOTTOM * 0.95, high)
    axes.yaxis.set_major_locator(FixedLocator([tick for tick in TICKS if tick <= high]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlim(first, last)
    axes.set_xticks(week_ticks(first, last))
    axes.set_ylabel("platelets, 10⁹/L")
    for level in plain_thresholds(classification.criteria):
        axes.axhline(level, color=GREY, linestyle=(0, (5, 2)), linewidth=0.5, zorder=1)


def _draw_strands(axes: Axes, counts: CountPoints, groups: Groups, code: int) -> None:
    """Draw a line for each patient of the group, and a point for each patient with one count."""
    here = np.flatnonzero(groups.code[counts.patient] == code)
    patient = counts.patient[here]
    points = np.stack([counts.day[here] / WEEK, counts.level[here]], axis=1)
    begins = np.flatnonzero(np.append(True, patient[1:] != patient[:-1])) if len(here) else here
    image = len(begins) > MANY
    share = float(np.clip(25 / max(len(begins), 1), 0.04, 0.55))
    look = {"color": GREY, "linewidth": 0.5, "alpha": share, "rasterized": image}
    axes.add_collection(LineCollection(np.split(points, begins[1:]), zorder=2, **look), autolim=False)
    once = begins[np.diff(np.append(begins, len(here))) == 1]
    axes.scatter(points[once, 0], points[once, 1], s=3, color=GREY, alpha=share, zorder=2, rasterized=image)


def _draw_median(axes: Axes, counts: CountPoints, groups: Groups, code: int, *, quartile_lines: bool) -> None:
    weeks, low, middle, high, _ = _by_week(counts, groups.code, code)
    colour, line, marker = look_of(code)
    shift = 0.12 * (code - (len(groups.labels) - 1) / 2) if quartile_lines else 0.0
    style = {"color": colour, "linestyle": line, "marker": marker, "markersize": 3, "mec": BLACK, "mew": 0.4}
    axes.plot(weeks + shift, middle, linewidth=1.6, zorder=4, **style)
    if quartile_lines:
        axes.vlines(weeks + shift, low, high, color=colour, linewidth=0.8, zorder=3)


def _by_week(counts: CountPoints, group: Ints, code: int) -> tuple[Floats, Floats, Floats, Floats, Ints]:
    """By visit with enough patients of the group: week, lower quartile, median, upper quartile, number of patients."""
    here = np.flatnonzero((group[counts.patient] == code) & (counts.visit != NO_DAY))
    visit, patient = counts.visit[here], counts.patient[here]
    stands = np.append((visit[1:] != visit[:-1]) | (patient[1:] != patient[:-1]), True) if len(here) else here
    visit, level = visit[stands], counts.level[here][stands]
    by_visit = [(day, level[visit == day]) for day in np.unique(visit)]
    kept = [(day / WEEK, *quartiles(levels), len(levels)) for day, levels in by_visit if len(levels) >= AT_LEAST]
    columns = np.array(kept, dtype=np.float64).reshape(-1, 5).T
    return columns[0], columns[1], columns[2], columns[3], columns[4].astype(np.int64)


def _draw_numbers(sheet: Sheet, axes: Axes, counts: CountPoints, groups: Groups, layout: PanelLayout) -> None:
    """Write the number of patients of each median under its week."""
    top, left = layout.medians + MEDIANS + 0.5, layout.left
    width = WIDTH - left - MARGIN
    first, last = axes.get_xlim()
    sheet.text(MARGIN, sheet.top + top - 0.16, "patients counted", size=SMALL, color=GREY)
    for code, (name, line_height) in enumerate(zip(layout.names, layout.heights, strict=True)):
        middle = sheet.top + top + line_height / 2
        sheet.text(MARGIN + 0.36, middle, name, size=SMALL, va="center", linespacing=1.1)
        colour, line, marker = look_of(code)
        ends = [MARGIN / WIDTH, (MARGIN + 0.3) / WIDTH]
        level = 1 - middle / sheet.height
        style = {"color": colour, "linestyle": line, "marker": marker, "markersize": 3, "mec": BLACK, "mew": 0.4}
        sheet.picture.add_artist(Line2D(ends, [level, level], linewidth=1.4, markevery=[1], **style))
        weeks, _, _, _, number = _by_week(counts, groups.code, code)
        filled_to = -np.inf
        for week, patients in zip(weeks.tolist(), number.tolist(), strict=True):
            at = left + (week - first) / (last - first) * width
            half = text_width(f"{patients:,}", SMALL) / 2 + 0.02
            if at - half > filled_to:
                sheet.text(at, middle, f"{patients:,}", size=SMALL, ha="center", va="center")
                filled_to = at + half
        top += line_height
