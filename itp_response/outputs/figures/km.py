"""Kaplan-Meier: the share without an event in each group, with its interval and the numbers at risk.

Where other events compete with an endpoint, its cumulative incidence stands beneath.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from itp_response.classification.classification import Classification
from itp_response.classification.supplied import UNRECORDED
from itp_response.cohort.values import Bools, Floats
from itp_response.evaluation.endpoints.endpoint import Endpoint
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.optional_imports import needed
from itp_response.messages.wording import counted_patients, listed
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
from itp_response.outputs.statistics.from_day_0 import FromDay0, cumulative_incidence, interval
from itp_response.outputs.statistics.groups import AnalysedPatients, Groups, all_patients, grouped
from itp_response.outputs.statistics.proportions import LEVEL, normal_quantile
from itp_response.outputs.statistics.tables import probability, rounded, span
from itp_response.outputs.statistics.times import (
    Survival,
    Times,
    competing_in_words,
    cox,
    kaplan_meier,
    lengths,
    log_rank,
)

WEEK = 7
PERCENT = ([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
"""The marks of a share, and their texts."""
HIGH, BENEATH, SAMPLE = 2.8, 1.9, 0.34
"""The heights of the curves and of the cumulative incidence, and the length of the sample of a line."""
UNDER = 0.62
"""The room under the days of the curves, and between the two panels."""


def draw(
    classification: Classification,
    *,
    study: str = "",
    by: str = "arm",
    endpoint: str | None = None,
    reference: str | None = None,
) -> Picture:
    """The curves of a time to event, by default of the duration of response.

    A time from day 0 is of all patients: those without the endpoint are censored at their last evaluable day.
    Raises `UsageError` for an endpoint that is no time to an event, and for groups that cannot be formed.
    """
    patients = all_patients(classification)
    groups = grouped(patients, by, reference)
    times = _times_of(patients, endpoint)
    model = classification.criteria.endpoints[times.name]
    summary = _summary(times, groups)
    labels = [folded(label, 1.6, SMALL) for label in groups.labels]
    left = MARGIN + max(0.6, widest(labels, SMALL) + SAMPLE + 0.25)
    heights = [height(label.count("\n") + 1, SMALL) + 0.03 for label in labels]
    top = height(len(summary), BODY) + 0.12
    competes = times.followed is not None and bool(times.followed.competitors)
    at_risk = top + HIGH + UNDER
    beneath = at_risk + sum(heights) + 0.15
    body = beneath + (BENEATH + 0.45 if competes else -0.15)
    notes = [*groups.notes, *_notes(patients, times, groups)]
    subtitle = classification.criteria.response_definition
    assumed = groups.assumed if len(summary) > len(groups.labels) else ()
    sheet = Sheet((study, model.label), notes, body, subtitle=subtitle, assumed=assumed)
    _draw_summary(sheet, summary, len(groups.labels))
    axes = sheet.axes(left, top, WIDTH - left - MARGIN, HIGH)
    _set_scale(axes, times, groups, model)
    for code in range(len(groups.labels)):
        _draw_curve(axes, times, groups, code)
    _draw_at_risk(sheet, axes, times, groups, labels, heights, at_risk, left)
    if times.followed is not None and competes:
        panel = sheet.axes(left, beneath, WIDTH - left - MARGIN, BENEATH, sharex=axes)
        _draw_incidence(panel, times.followed, groups, model)
    return sheet.picture


def _set_scale(axes: Axes, times: Times, groups: Groups, model: Endpoint) -> None:
    days = times.days[~np.isnan(times.days) & (groups.code >= 0)]
    last = max(4.0, float(days.max()) / WEEK if len(days) else 0.0)
    start = next(iter(model.origins()), None)
    axes.set_xlim(-0.01 * last, 1.02 * last)
    axes.set_xticks(week_ticks(0, last))
    axes.set_ylim(0, 1.02)
    axes.set_yticks(*PERCENT)
    axes.set_ylabel(f"without {nice(model.runs_to or '')}, %")
    axes.set_xlabel(f"weeks since {f'the day of {nice(start)}' if start else 'day 0'}")
    axes.axhline(0.5, color=GREY, linewidth=0.4, linestyle=(0, (2, 3)), zorder=0)


def _draw_incidence(axes: Axes, followed: FromDay0, groups: Groups, model: Endpoint) -> None:
    """Draw the cumulative incidence of the endpoint, with its interval, in each group."""
    axes.set_ylim(0, 1.02)
    axes.set_yticks(*PERCENT)
    axes.set_ylabel(f"{nice(model.runs_to or '')},\ncumulative incidence, %")
    axes.set_xlabel("weeks since day 0")
    for code, member in enumerate(groups.members):
        known = member & ~np.isnan(followed.days)
        if not known.any():
            continue
        steps = cumulative_incidence(followed.days[known], followed.event[known], followed.competing[known])
        end = float(followed.days[known].max())
        weeks = np.append(steps.days, end) / WEEK
        share = np.append(steps.share, steps.share[-1])
        pairs = zip(share.tolist(), np.append(steps.variance, steps.variance[-1]).tolist(), strict=True)
        low, high = np.array([interval(*pair, normal_quantile()) for pair in pairs]).T
        _draw_steps(axes, weeks, share, (low, high), code)


def _times_of(patients: AnalysedPatients, endpoint: str | None) -> Times:
    """The times of the endpoint, by default of the duration of response, else of the first that can be censored."""
    criteria = patients.classification.criteria
    known = {times.name: times.of_all for times in lengths(patients) if criteria.endpoints[times.name].runs_to}
    if not known:
        raise UsageError(f"{criteria.path.name}: no endpoint here is a time to an event, so there is no curve to draw.")
    if endpoint is not None and endpoint not in known:
        raise UsageError(unknown("time to an event", endpoint, known))
    duration = with_role(criteria, "duration")
    first = next((name for name, times in known.items() if times.censored), next(iter(known)))
    return known[endpoint or (duration if duration in known else first)]


def _with_time(times: Times, groups: Groups, code: int) -> Bools:
    """The patients (P) of a group with a time."""
    with_time: Bools = ~np.isnan(times.days) & (groups.code == code)
    return with_time


def _summary(times: Times, groups: Groups) -> list[str]:
    """A line for each group, and one that compares them."""
    lines = []
    for code, label in enumerate(groups.labels):
        members = _with_time(times, groups, code)
        curve = kaplan_meier(times.days[members], times.event[members])
        events = int(times.event[members].sum())
        lines.append(f"{label}: event in {events:,} of {int(members.sum()):,}; {_median(curve)}")
    return lines + _comparison(times, groups)


def _comparison(times: Times, groups: Groups) -> list[str]:
    """The log-rank test and, of two groups, the hazard ratio; nothing where they cannot be compared."""
    known = ~np.isnan(times.days) & (groups.code >= 0)
    days, event, group = times.days[known], times.event[known], groups.code[known]
    p_value = log_rank(days, event, group)
    if p_value != p_value:
        return []
    text = f"log-rank p = {probability(p_value)}".replace("= <", "< ")
    if len(groups.pairs) == 1:
        (first, second) = groups.pairs[0]
        hazard = cox(days, event, group == first)
        if hazard is not None:
            ratio = span(hazard.ratio, hazard.low, hazard.high, 2)
            text += f"; hazard ratio of {groups.labels[first]} to {groups.labels[second]} {ratio}"
    return [text]


def _median(curve: Survival) -> str:
    """The median with its interval; a curve that stays above one half has no median, or no upper limit."""
    if curve.median != curve.median:
        return "nobody has a time"
    low, middle, high = (rounded(days / WEEK, 1) for days in (curve.low, curve.median, curve.high))
    upper = "not reached" if np.isinf(curve.high) else high
    if np.isinf(curve.median):
        return "median not reached" + ("" if np.isinf(curve.low) else f" (from {low} weeks)")
    return f"median {middle} weeks ({low} to {upper})"


def _notes(patients: AnalysedPatients, times: Times, groups: Groups) -> list[str]:
    notes = ["Bands and the intervals of the medians: 95 %, from log(-log S). Strokes on a curve: censored."]
    model = patients.endpoints[times.name]
    if times.followed is not None and not model.can_be_censored:
        notes.append(f"All patients; those who did not reach {model.runs_to} are censored at their last evaluable day.")
    if times.followed is not None and times.followed.competitors:
        notes[0] = notes[0].replace("censored.", "censored, by a competing event too.")
        notes.append(f"C{competing_in_words(times.followed)[1:]}; cumulative incidence by Aalen and Johansen.")
    if times.followed is not None and times.followed.unrecorded:
        notes.append(f"Competing events {UNRECORDED}: {listed(times.followed.unrecorded)}.")
    if model.origins() and groups.pairs:
        notes.append(f"Compared among patients with {listed(model.origins())} only; this is no randomised comparison.")
    without = int((np.isnan(times.days) & (groups.code >= 0)).sum())
    if without:
        notes.append(f"{counted_patients(without)} without {times.name}, in no curve.")
    return notes


def _draw_summary(sheet: Sheet, lines: list[str], groups: int) -> None:
    step = height(1, BODY)
    for number, text in enumerate(lines):
        middle = sheet.top + step * (number + 0.5)
        if number < groups:
            _draw_sample(sheet, number, middle)
        sheet.text(MARGIN + SAMPLE + 0.08, middle, text, va="center")


def _draw_sample(sheet: Sheet, code: int, middle: float) -> None:
    """Draw a sample of a group's line at the left margin."""
    colour, line, _ = look_of(code)
    level = 1 - middle / sheet.height
    ends = [MARGIN / WIDTH, (MARGIN + SAMPLE) / WIDTH]
    sheet.picture.add_artist(Line2D(ends, [level, level], color=colour, linestyle=line, linewidth=1.5))


def _draw_curve(axes: Axes, times: Times, groups: Groups, code: int) -> None:
    members = _with_time(times, groups, code)
    if not members.any():
        return
    days, event = times.days[members], times.event[members]
    fitted = needed("lifelines", "plot").KaplanMeierFitter(alpha=1 - LEVEL).fit(days, event)
    weeks = fitted.survival_function_.index.to_numpy() / WEEK
    share = fitted.survival_function_.to_numpy()[:, 0]
    low, high = fitted.confidence_interval_.to_numpy().T
    _draw_steps(axes, weeks, share, (low, high), code)
    censored = np.unique(days[~event]) / WEEK
    level = share[np.searchsorted(weeks, censored, side="right") - 1]
    axes.plot(censored, level, linestyle="", marker="|", markersize=5, mew=0.8, color=look_of(code)[0], zorder=4)


def _draw_steps(axes: Axes, weeks: Floats, share: Floats, limits: tuple[Floats, Floats], code: int) -> None:
    """Draw the curve of a group and the band of its interval."""
    colour, line, _ = look_of(code)
    axes.fill_between(weeks, *limits, step="post", color=colour, alpha=0.15, linewidth=0, zorder=1)
    for edge in limits:
        axes.step(weeks, edge, where="post", color=colour, linestyle=line, linewidth=0.4, zorder=2)
    axes.step(weeks, share, where="post", color=colour, linestyle=line, linewidth=1.5, zorder=3)


def _draw_at_risk(
    sheet: Sheet,
    axes: Axes,
    times: Times,
    groups: Groups,
    labels: list[str],
    heights: list[float],
    top: float,
    left: float,
) -> None:
    """Write the number at risk of each group under each tick: the patients with a time as long or longer."""
    low, high = axes.get_xlim()
    width = WIDTH - left - MARGIN
    sheet.text(MARGIN, sheet.top + top - 0.17, "at risk", size=SMALL, color=GREY)
    for code, (label, line_height) in enumerate(zip(labels, heights, strict=True)):
        middle = sheet.top + top + line_height / 2
        _draw_sample(sheet, code, middle)
        sheet.text(MARGIN + SAMPLE + 0.08, middle, label, size=SMALL, va="center", linespacing=1.1)
        days = times.days[_with_time(times, groups, code)]
        filled_to = -np.inf
        for tick in axes.get_xticks():
            number = f"{int((days >= tick * WEEK).sum()):,}"
            at = left + (tick - low) / (high - low) * width
            half = text_width(number, SMALL) / 2 + 0.02
            if at - half > filled_to:
                sheet.text(at, middle, number, size=SMALL, ha="center", va="center")
                filled_to = at + half
        top += line_height
