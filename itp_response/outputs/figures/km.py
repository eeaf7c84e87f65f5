"""Kaplan-Meier: the share still without an event in each group, with its interval and the numbers at risk."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from itp_response.classification.classification import Classification
from itp_response.cohort.values import Bools
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.optional_imports import needed
from itp_response.messages.wording import counted_patients
from itp_response.outputs.figures.picture import (
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
    nice,
    text_width,
    week_ticks,
    widest,
)
from itp_response.outputs.figures.responses import with_role
from itp_response.outputs.statistics.groups import AnalysedPatients, Groups, all_patients, grouped
from itp_response.outputs.statistics.proportions import LEVEL
from itp_response.outputs.statistics.tables import probability, rounded, span
from itp_response.outputs.statistics.times import Survival, Times, cox, kaplan_meier, lengths, log_rank

WEEK = 7
HIGH, SAMPLE = 2.8, 0.34
"""The height of the axes; the length of a sample of line."""


def draw(classification: Classification, *, by: str = "arm", endpoint: str | None = None) -> Picture:
    """The curves of a length of time, by default of the duration of response.

    Raises `UsageError` for an endpoint that is no `time_to`, or groups that cannot be made.
    """
    patients = all_patients(classification)
    groups = grouped(patients, by)
    one = _asked(patients, endpoint)
    model = classification.criteria.endpoints[one.name]
    start = model.references().get("from")
    said = _said(one, groups)
    labels = [folded(label, 1.6, SMALL) for label in groups.labels]
    left = MARGIN + max(0.6, widest(labels, SMALL) + SAMPLE + 0.25)
    lines = [height(label.count("\n") + 1, SMALL) + 0.03 for label in labels]
    top = height(len(said), BODY) + 0.12
    body = top + HIGH + 0.62 + sum(lines)
    told = [*groups.notes, *_told(one, groups)]
    sheet = Sheet(model.label, told, body, subtitle=classification.criteria.title)
    _summary(sheet, said, len(groups.labels))
    axes = sheet.axes(left, top, WIDTH - left - MARGIN, HIGH)
    days = one.days[~np.isnan(one.days) & (groups.code >= 0)]
    last = max(4.0, float(days.max()) / WEEK if len(days) else 0.0)
    axes.set_xlim(-0.01 * last, 1.02 * last)
    axes.set_xticks(week_ticks(0, last))
    axes.set_ylim(0, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
    axes.set_ylabel(f"without {nice(model.to)}, %")
    axes.set_xlabel(f"weeks since {f'the day of {nice(start)}' if start else 'day 0'}")
    axes.axhline(0.5, color=GREY, linewidth=0.4, linestyle=(0, (2, 3)), zorder=0)
    for code in range(len(groups.labels)):
        _curve(axes, one, groups, code)
    _at_risk(sheet, axes, one, groups, labels, lines, top + HIGH + 0.62, left)
    return sheet.picture


def _asked(patients: AnalysedPatients, endpoint: str | None) -> Times:
    criteria = patients.classification.criteria
    known = {one.name: one for one in lengths(patients) if criteria.endpoints[one.name].kind == "time_to"}
    if not known:
        raise UsageError(f"{criteria.path.name}: no endpoint here is of kind time_to, so there is no curve to draw.")
    if endpoint is not None and endpoint not in known:
        raise UsageError(unknown("endpoint of kind time_to", endpoint, known))
    duration = with_role(criteria, "duration")
    first = next((name for name, one in known.items() if one.censored), next(iter(known)))
    return known[endpoint or (duration if duration in known else first)]


def _who(one: Times, groups: Groups, code: int) -> Bools:
    """Who of a group has a time."""
    timed: Bools = ~np.isnan(one.days) & (groups.code == code)
    return timed


def _said(one: Times, groups: Groups) -> list[str]:
    """A line for each group, and one for how they compare."""
    said = []
    for code, label in enumerate(groups.labels):
        here = _who(one, groups, code)
        curve = kaplan_meier(one.days[here], one.event[here])
        said.append(f"{label}: event in {int(one.event[here].sum()):,} of {int(here.sum()):,}; {_median(curve)}")
    known = ~np.isnan(one.days) & (groups.code >= 0)
    days, event, member = one.days[known], one.event[known], groups.code[known]
    rank = log_rank(days, event, member)
    if rank == rank:
        compared = f"log-rank p = {probability(rank)}".replace("= <", "< ")
        if len(groups.pairs) == 1:
            (first, second) = groups.pairs[0]
            hazard = cox(days, event, member == first)
            if hazard is not None:
                ratio = span(hazard.ratio, hazard.low, hazard.high, 2)
                compared += f"; hazard ratio of {groups.labels[first]} to {groups.labels[second]} {ratio}"
        said.append(compared)
    return said


def _median(curve: Survival) -> str:
    """The median with its interval; a curve that does not come down to a half has none, or no upper limit."""
    if curve.median != curve.median:
        return "nobody has a time"
    low, middle, high = (rounded(one / WEEK, 1) for one in (curve.low, curve.median, curve.high))
    upper = "not reached" if np.isinf(curve.high) else high
    if np.isinf(curve.median):
        return "median not reached" + ("" if np.isinf(curve.low) else f" (from {low} weeks)")
    return f"median {middle} weeks ({low} to {upper})"


def _told(one: Times, groups: Groups) -> list[str]:
    told = ["Bands and the intervals of the medians: 95 %, from log(-log S). Strokes on a curve: censored."]
    if not one.censored:
        told.append(f"{one.name} is only of those with the event; nobody is censored.")
    without = int((np.isnan(one.days) & (groups.code >= 0)).sum())
    if without:
        told.append(f"{counted_patients(without)} without {one.name}, in no curve.")
    return told


def _summary(sheet: Sheet, said: list[str], groups: int) -> None:
    step = height(1, BODY)
    for place, text in enumerate(said):
        middle = sheet.top + step * (place + 0.5)
        if place < groups:
            _sample(sheet, place, middle)
        sheet.text(MARGIN + SAMPLE + 0.08, middle, text, va="center")


def _sample(sheet: Sheet, code: int, middle: float) -> None:
    """A piece of a group's line at the left margin."""
    colour, line, _ = look_of(code)
    level = 1 - middle / sheet.height
    ends = [MARGIN / WIDTH, (MARGIN + SAMPLE) / WIDTH]
    sheet.picture.add_artist(Line2D(ends, [level, level], color=colour, linestyle=line, linewidth=1.5))


def _curve(axes: Axes, one: Times, groups: Groups, code: int) -> None:
    here = _who(one, groups, code)
    if not here.any():
        return
    days, event = one.days[here], one.event[here]
    fitted = needed("lifelines", "plot").KaplanMeierFitter(alpha=1 - LEVEL).fit(days, event)
    weeks = fitted.survival_function_.index.to_numpy() / WEEK
    share = fitted.survival_function_.to_numpy()[:, 0]
    low, high = fitted.confidence_interval_.to_numpy().T
    colour, line, _ = look_of(code)
    axes.fill_between(weeks, low, high, step="post", color=colour, alpha=0.15, linewidth=0, zorder=1)
    for edge in (low, high):
        axes.step(weeks, edge, where="post", color=colour, linestyle=line, linewidth=0.4, zorder=2)
    axes.step(weeks, share, where="post", color=colour, linestyle=line, linewidth=1.5, zorder=3)
    censored = np.unique(days[~event]) / WEEK
    level = share[np.searchsorted(weeks, censored, side="right") - 1]
    axes.plot(censored, level, linestyle="", marker="|", markersize=5, mew=0.8, color=colour, zorder=4)


def _at_risk(
    sheet: Sheet, axes: Axes, one: Times, groups: Groups, labels: list[str], lines: list[float], top: float, left: float
) -> None:
    """How many of each group are at risk at each tick: have a time that is as long or longer."""
    low, high = axes.get_xlim()
    width = WIDTH - left - MARGIN
    sheet.text(MARGIN, sheet.top + top - 0.17, "at risk", size=SMALL, color=GREY)
    for code, (label, high_line) in enumerate(zip(labels, lines, strict=True)):
        middle = sheet.top + top + high_line / 2
        _sample(sheet, code, middle)
        sheet.text(MARGIN + SAMPLE + 0.08, middle, label, size=SMALL, va="center", linespacing=1.1)
        days = one.days[_who(one, groups, code)]
        taken = -np.inf
        for tick in axes.get_xticks():
            number = f"{int((days >= tick * WEEK).sum()):,}"
            at = left + (tick - low) / (high - low) * width
            half = text_width(number, SMALL) / 2 + 0.02
            if at - half > taken:
                sheet.text(at, middle, number, size=SMALL, ha="center", va="center")
                taken = at + half
        top += high_line
