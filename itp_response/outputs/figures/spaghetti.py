"""Spaghetti: every patient's counts in their group, and beneath them the groups' medians by week."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from itp_response.classification.classification import Classification
from itp_response.cohort.values import NO_DAY, Floats, Ints
from itp_response.outputs.figures.clauses import plain_thresholds
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
)
from itp_response.outputs.statistics.groups import Groups, all_patients, grouped
from itp_response.outputs.statistics.times import quartiles

WEEK = 7
BOTTOM = 3.0
TICKS = (3, 10, 30, 50, 100, 300, 1000, 3000)
HIGH, MEDIANS, BETWEEN, LEFT = 1.9, 2.4, 0.5, 0.55
"""The heights of a panel and of that of the medians, the room between, and that at the left of each."""
COLUMNS = 2
AT_LEAST = 3
"""A median is of so many patients at least."""
MANY = 500
"""From so many patients on their lines are drawn as an image, also in SVG and PDF."""


@dataclass(frozen=True)
class CountPoints:
    """Every count: whose (position), when, and how high; one known only as a bound stands at the bound."""

    patient: Ints
    day: Ints
    level: Floats
    visit: Ints
    """The planned day it is nearest to; `NO_DAY`: none is near."""
    bounds: int
    """How many are only bounds."""


def draw(classification: Classification, *, by: str = "arm") -> Picture:
    """Every patient's counts, and the median and quartiles of each group by week.

    A count belongs to the planned visit it is nearest to; of several of a patient the last stands.
    Raises `UsageError` for groups that cannot be made.
    """
    groups = grouped(all_patients(classification), by)
    counts = _counts(classification)
    number = len(groups.labels)
    across = min(number, COLUMNS)
    rows = -(-number // COLUMNS)
    width = (WIDTH - 2 * MARGIN) / across - LEFT
    names = [folded(label, 1.5, SMALL) for label in groups.labels]
    left = MARGIN + max(LEFT, max(text_width(line, SMALL) for one in names for line in one.split("\n")) + 0.42)
    lines = [height(one.count("\n") + 1, SMALL) + 0.03 for one in names]
    headings = [folded(heading, width, BODY) for heading in groups.headed()]
    above = 0.15 + max(height(one.count("\n"), BODY) for one in headings)
    body = above + rows * (HIGH + BETWEEN) + MEDIANS + 0.7 + sum(lines)
    told = [*groups.notes, *_told(counts)]
    sheet = Sheet(
        "Platelet counts of every patient, and medians by week", told, body, subtitle=classification.criteria.title
    )
    limits = _limits(counts)
    for code, heading in enumerate(headings):
        row, column = divmod(code, COLUMNS)
        place = MARGIN + LEFT + column * (width + LEFT), above + row * (HIGH + BETWEEN)
        axes = sheet.axes(*place, width, HIGH)
        _scaled(axes, classification, limits)
        axes.set_title(heading, size=BODY)
        _strands(axes, counts, groups, code)
        _median(axes, counts, groups, code, band=False)
    top = above + rows * (HIGH + BETWEEN) + 0.1
    axes = sheet.axes(left, top, WIDTH - left - MARGIN, MEDIANS)
    _scaled(axes, classification, limits)
    axes.set_title("median and quartiles", size=BODY)
    axes.set_xlabel("week")
    for code in range(number):
        _median(axes, counts, groups, code, band=True)
    _numbers(sheet, axes, counts, groups, names, lines, top + MEDIANS + 0.5, left)
    return sheet.picture


def _counts(classification: Classification) -> CountPoints:
    cohort = classification.cohort
    known = np.flatnonzero(~np.isnan(cohort.platelets.low))
    low, high = cohort.platelets.low[known], cohort.platelets.high[known]
    level = np.where(np.isinf(high), low, high)
    day = cohort.day[known].astype(np.int64)
    visit = _nearest(day, np.unique(np.array(classification.criteria.file.clock.visits, dtype=np.int64)))
    return CountPoints(cohort.patient[known], day, np.maximum(level, BOTTOM), visit, int((low != high).sum()))


def _nearest(day: Ints, planned: Ints) -> Ints:
    """The planned day nearest to each, of two as near the later; of a day long before or after all of them, none.

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


def _told(counts: CountPoints) -> list[str]:
    told = [
        "All counts are shown, those soon after rescue treatment too. A median is of the counts nearest to a planned "
        f"visit, one a patient, where they are {AT_LEAST} or more; beneath stands of how many, where there is room."
    ]
    if counts.bounds:
        told.append(f"Counts known only as a bound ({counts.bounds:,}) stand at the bound.")
    if (counts.level <= BOTTOM).any():
        told.append(f"Counts below {BOTTOM:g} stand at {BOTTOM:g}.")
    return told


def _limits(counts: CountPoints) -> tuple[float, float, float]:
    """The first and the last week, and the highest count."""
    if not len(counts.day):
        return 0.0, 4.0, 400.0
    first, last = float(counts.day.min()) / WEEK, float(counts.day.max()) / WEEK
    edge = 0.015 * (last - first + 1)
    return first - edge, last + edge, max(400.0, 1.2 * float(counts.level.max()))


def _scaled(axes: Axes, classification: Classification, limits: tuple[float, float, float]) -> None:
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


def _strands(axes: Axes, counts: CountPoints, groups: Groups, code: int) -> None:
    """A line for each patient of the group, and a point for each who was counted once."""
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


def _median(axes: Axes, counts: CountPoints, groups: Groups, code: int, *, band: bool) -> None:
    weeks, low, middle, high, _ = _by_week(counts, groups.code, code)
    colour, line, marker = look_of(code)
    shift = 0.12 * (code - (len(groups.labels) - 1) / 2) if band else 0.0
    style = {"color": colour, "linestyle": line, "marker": marker, "markersize": 3, "mec": BLACK, "mew": 0.4}
    axes.plot(weeks + shift, middle, linewidth=1.6, zorder=4, **style)
    if band:
        axes.vlines(weeks + shift, low, high, color=colour, linewidth=0.8, zorder=3)


def _by_week(counts: CountPoints, group: Ints, code: int) -> tuple[Floats, Floats, Floats, Floats, Ints]:
    """Of each visit with enough patients of the group: its week, lower quartile, median, upper quartile, how many."""
    here = np.flatnonzero((group[counts.patient] == code) & (counts.visit != NO_DAY))
    visit, patient = counts.visit[here], counts.patient[here]
    stands = np.append((visit[1:] != visit[:-1]) | (patient[1:] != patient[:-1]), True) if len(here) else here
    visit, level = visit[stands], counts.level[here][stands]
    each = [(one, level[visit == one]) for one in np.unique(visit)]
    kept = [(one / WEEK, *quartiles(values), len(values)) for one, values in each if len(values) >= AT_LEAST]
    columns = np.array(kept, dtype=np.float64).reshape(-1, 5).T
    return columns[0], columns[1], columns[2], columns[3], columns[4].astype(np.int64)


def _numbers(
    sheet: Sheet,
    axes: Axes,
    counts: CountPoints,
    groups: Groups,
    names: list[str],
    lines: list[float],
    top: float,
    left: float,
) -> None:
    """How many patients each median is of, under the weeks."""
    width = WIDTH - left - MARGIN
    first, last = axes.get_xlim()
    sheet.text(MARGIN, sheet.top + top - 0.16, "patients counted", size=SMALL, color=GREY)
    for code, (name, high) in enumerate(zip(names, lines, strict=True)):
        middle = sheet.top + top + high / 2
        sheet.text(MARGIN + 0.36, middle, name, size=SMALL, va="center", linespacing=1.1)
        colour, line, marker = look_of(code)
        ends = [MARGIN / WIDTH, (MARGIN + 0.3) / WIDTH]
        level = 1 - middle / sheet.height
        style = {"color": colour, "linestyle": line, "marker": marker, "markersize": 3, "mec": BLACK, "mew": 0.4}
        sheet.picture.add_artist(Line2D(ends, [level, level], linewidth=1.4, markevery=[1], **style))
        weeks, _, _, _, number = _by_week(counts, groups.code, code)
        taken = -np.inf
        for week, of in zip(weeks.tolist(), number.tolist(), strict=True):
            at = left + (week - first) / (last - first) * width
            half = text_width(f"{of:,}", SMALL) / 2 + 0.02
            if at - half > taken:
                sheet.text(at, middle, f"{of:,}", size=SMALL, ha="center", va="center")
                taken = at + half
        top += high
