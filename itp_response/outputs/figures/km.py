"""Kaplan-Meier: the share without an event in each group, with its interval and the numbers at risk.

Where other events compete with an endpoint, its cumulative incidence stands beneath.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from itp_response.classification.classification import Classification
from itp_response.classification.supplied import UNRECORDED
from itp_response.cohort.values import Bools, Floats
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.optional_imports import needed
from itp_response.messages.wording import counted, counted_patients, listed
from itp_response.outputs.figures.axes import TimeUnit, set_time_axis, time_unit
from itp_response.outputs.figures.picture import (
    BODY,
    GREY,
    LEADING,
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
from itp_response.outputs.figures.responses import with_role
from itp_response.outputs.statistics.from_day_0 import FromDay0, cumulative_incidence, interval
from itp_response.outputs.statistics.groups import AnalysedPatients, Groups, all_patients, grouped
from itp_response.outputs.statistics.proportions import LEVEL, normal_quantile
from itp_response.outputs.statistics.tables import NOT_ESTIMABLE, probability, rounded
from itp_response.outputs.statistics.times import (
    Survival,
    Times,
    competing_in_words,
    cox,
    kaplan_meier,
    lengths,
    log_rank,
)

PERCENT = ([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
"""The marks of a share, and their texts."""
HIGH, BENEATH, SAMPLE = 2.8, 1.9, 0.34
"""The heights of the curves and of the cumulative incidence, and the length of the sample of a line."""
UNDER = 0.62
"""The room under the days of the curves, and between the two panels."""
NAME = 1.6
"""The greatest width of a group's name beside its numbers at risk."""


def draw(
    classification: Classification,
    *,
    study: str = "",
    by: str = "arm",
    endpoint: str | None = None,
    reference: str | None = None,
    width: float | None = None,
) -> Picture:
    """The curves of a time to an event, by default of the duration of response.

    A time from day 0 is of all patients: those without the endpoint are censored at their last evaluable day.
    Raises `UsageError` for an endpoint that is no time to an event, and for groups that cannot be formed.
    """
    patients = all_patients(classification)
    groups = grouped(patients, by, reference)
    times = _times_of(patients, endpoint)
    model = classification.criteria.endpoints[times.name]
    layout = _layout(times, groups, paper_width(width))
    competes = times.followed is not None and times.followed.competes
    body = layout.beneath + (BENEATH + 0.45 if competes else -0.15)
    notes = [*groups.notes, *_notes(patients, times, groups)]
    subtitle = classification.criteria.response_definition
    assumed = groups.assumed if layout.compares else ()
    titles = (study, classification.criteria.labelled(times.name))
    sheet = Sheet(titles, notes, body, subtitle=subtitle, assumed=assumed, width=layout.width)
    _draw_summary(sheet, layout)
    axes = sheet.axes(layout.left, layout.top, layout.across, HIGH)
    _set_scale(axes, layout)
    axes.set_ylabel(folded(f"Patients without {_labelled(classification, model.runs_to)} (%)", HIGH, BODY))
    start = next((_labelled(classification, name) for name in model.origins()), "day 0")
    _set_time(axes, layout, start)
    for code in range(len(groups.labels)):
        _draw_curve(axes, times, groups, code)
    _draw_at_risk(sheet, axes, times, groups, layout)
    if times.followed is not None and competes:
        panel = sheet.axes(layout.left, layout.beneath, layout.across, BENEATH, sharex=axes)
        _draw_incidence(panel, times.followed, groups)
        label = f"Cumulative incidence of {_labelled(classification, model.runs_to)} (%)"
        panel.set_ylabel(folded(label, BENEATH, BODY))
        _set_time(panel, layout, start)
    return sheet.picture


def _labelled(classification: Classification, name: str | None) -> str:
    """An endpoint in a label of an axis."""
    label = classification.criteria.labelled(name) if name else ""
    return label[:1].lower() + label[1:]


@dataclass(frozen=True)
class CurveLayout:
    """Where the parts of the picture stand, in inches, and what it says of each group."""

    summary: list[str]
    """A line for each group; then, where groups are compared, what compares them."""
    compares: bool
    labels: list[str]
    heights: list[float]
    """The names of the groups beside their numbers at risk, and their heights."""
    width: float
    left: float
    top: float
    at_risk: float
    beneath: float
    last: float
    """The last day."""

    @property
    def across(self) -> float:
        """The width of the axes."""
        return self.width - self.left - MARGIN


def _layout(times: Times, groups: Groups, width: float) -> CurveLayout:
    days = times.days[~np.isnan(times.days) & (groups.code >= 0)]
    last = max(28.0, float(days.max(initial=0.0)))
    room = width - 2 * MARGIN - SAMPLE - 0.08
    lines = _summary(times, groups, time_unit(0, last))
    summary = [folded(text, room, BODY) for text in lines]
    labels = [folded(label, min(NAME, width / 4), SMALL) for label in groups.labels]
    heights = [height(label.count("\n") + 1, SMALL) + 0.03 for label in labels]
    top = sum(height(text.count("\n") + 1, BODY) for text in summary) + 0.12
    return CurveLayout(
        summary=summary,
        compares=len(lines) > len(groups.labels),
        labels=labels,
        heights=heights,
        width=width,
        left=MARGIN + max(0.6, widest(labels, SMALL) + SAMPLE + 0.25),
        top=top,
        at_risk=top + HIGH + UNDER,
        beneath=top + HIGH + UNDER + sum(heights) + 0.15,
        last=last,
    )


def _set_scale(axes: Axes, layout: CurveLayout) -> None:
    axes.set_xlim(-0.01 * layout.last, 1.02 * layout.last)
    axes.set_ylim(0, 1.02)
    axes.set_yticks(*PERCENT)
    axes.axhline(0.5, color=GREY, linewidth=0.4, linestyle=(0, (2, 3)), zorder=0)


def _set_time(axes: Axes, layout: CurveLayout, since: str) -> None:
    set_time_axis(axes, 0, layout.last, layout.across, since)
    axes.set_xlabel(folded(axes.get_xlabel(), layout.across, BODY))


def _draw_incidence(axes: Axes, followed: FromDay0, groups: Groups) -> None:
    """Draw the cumulative incidence of the endpoint, with its 95% CI, in each group."""
    axes.set_ylim(0, 1.02)
    axes.set_yticks(*PERCENT)
    for code, member in enumerate(groups.members):
        known = member & ~np.isnan(followed.days)
        if not known.any():
            continue
        steps = cumulative_incidence(followed.days[known], followed.event[known], followed.competing[known])
        days = np.append(steps.days, float(followed.days[known].max()))
        share = np.append(steps.share, steps.share[-1])
        pairs = zip(share.tolist(), np.append(steps.variance, steps.variance[-1]).tolist(), strict=True)
        low, high = np.array([interval(*pair, normal_quantile()) for pair in pairs]).T
        _draw_steps(axes, days, share, (low, high), code)


def _times_of(patients: AnalysedPatients, endpoint: str | None) -> Times:
    """The times of the endpoint, by default of the duration of response, else of the first that can be censored."""
    criteria = patients.classification.criteria
    known = {times.name: times.of_all for times in lengths(patients) if criteria.endpoints[times.name].runs_to}
    if not known:
        raise UsageError(f"{criteria.path.name}: no endpoint is a time to event, so no curve can be drawn.")
    if endpoint is not None and endpoint not in known:
        raise UsageError(unknown("time to event", endpoint, known))
    duration = with_role(criteria, "duration")
    first = next((name for name, times in known.items() if times.censored), next(iter(known)))
    return known[endpoint or (duration if duration in known else first)]


def _with_time(times: Times, groups: Groups, code: int) -> Bools:
    """The patients (P) of a group with a time."""
    with_time: Bools = ~np.isnan(times.days) & (groups.code == code)
    return with_time


def _summary(times: Times, groups: Groups, unit: TimeUnit) -> list[str]:
    """A line for each group, and one that compares them; medians in the unit of the axis."""
    lines = []
    for code, label in enumerate(groups.labels):
        members = _with_time(times, groups, code)
        curve = kaplan_meier(times.days[members], times.event[members])
        events = counted(int(times.event[members].sum()), "event")
        lines.append(f"{label}: {events} in {counted_patients(int(members.sum()))}; {_median(curve, unit)}")
    return lines + _comparison(times, groups)


def _comparison(times: Times, groups: Groups) -> list[str]:
    """The log-rank test and, of two groups, the hazard ratio; nothing where they cannot be compared."""
    known = ~np.isnan(times.days) & (groups.code >= 0)
    days, event, group = times.days[known], times.event[known], groups.code[known]
    p_value = log_rank(days, event, group)
    if p_value != p_value:
        return []
    text = f"Log-rank p = {probability(p_value)}".replace("= <", "< ")
    if len(groups.pairs) == 1:
        (first, second) = groups.pairs[0]
        hazard = cox(days, event, group == first)
        if hazard is None:
            text += f"; hazard ratio {NOT_ESTIMABLE}"
        else:
            limits = f"95% CI {rounded(hazard.low, 2)} to {rounded(hazard.high, 2)}"
            compared = f"{groups.labels[first]} vs {groups.labels[second]}"
            text += f"; hazard ratio, {compared}: {rounded(hazard.ratio, 2)} ({limits})"
    return [text]


def _median(curve: Survival, unit: TimeUnit) -> str:
    """The median with its 95% CI; a curve that stays above one half has no median, or no upper limit."""
    if curve.median != curve.median:
        return "no patient has this time"
    if np.isinf(curve.low):
        return "median not reached"
    low, middle, high = (rounded(days / unit.days, 1) for days in (curve.low, curve.median, curve.high))
    name = unit.name.lower()
    if np.isinf(curve.median):
        return f"median not reached (95% CI {low} {name} to {high})"
    return f"median {middle} {name} (95% CI {low} to {high})"


def _notes(patients: AnalysedPatients, times: Times, groups: Groups) -> list[str]:
    model, followed = patients.endpoints[times.name], times.followed
    competing = followed is not None and followed.competes
    marked = "censored patients, also at a competing event" if competing else "censored patients"
    notes = [f"Tick marks: {marked}. Shaded bands and medians: 95% CI by log(−log) transformation."]
    if followed is not None and not model.can_be_censored:
        notes.append(f"All patients; those without {model.runs_to} are censored at their last evaluable day.")
    if followed is not None and competing:
        notes.append(f"C{competing_in_words(followed)[1:]}. Cumulative incidence by Aalen-Johansen.")
    if followed is not None and followed.unrecorded:
        notes.append(f"Competing events {UNRECORDED}: {listed(followed.unrecorded)}.")
    if model.origins() and groups.pairs:
        of = listed([patients.classification.criteria.labelled(name) for name in model.origins()])
        notes.append(f"Groups are compared among patients with {of} only; this is not a randomised comparison.")
    without = int((np.isnan(times.days) & (groups.code >= 0)).sum())
    if without:
        notes.append(f"{counted_patients(without)} without {times.name}: not included in the analysis.")
    return notes


def _draw_summary(sheet: Sheet, layout: CurveLayout) -> None:
    top = sheet.top
    for number, text in enumerate(layout.summary):
        if number < len(layout.labels):
            _draw_sample(sheet, number, top + height(1, BODY) / 2)
        sheet.text(MARGIN + SAMPLE + 0.08, top, text, linespacing=LEADING - 0.15)
        top += height(text.count("\n") + 1, BODY)


def _draw_sample(sheet: Sheet, code: int, middle: float) -> None:
    """Draw a sample of a group's line at the left margin."""
    colour, line, _ = look_of(code)
    level = 1 - middle / sheet.height
    ends = [MARGIN / sheet.width, (MARGIN + SAMPLE) / sheet.width]
    sheet.picture.add_artist(Line2D(ends, [level, level], color=colour, linestyle=line, linewidth=1.5))


def _draw_curve(axes: Axes, times: Times, groups: Groups, code: int) -> None:
    members = _with_time(times, groups, code)
    if not members.any():
        return
    days, event = times.days[members], times.event[members]
    fitted = needed("lifelines", "plot").KaplanMeierFitter(alpha=1 - LEVEL).fit(days, event)
    steps = fitted.survival_function_.index.to_numpy()
    share = fitted.survival_function_.to_numpy()[:, 0]
    low, high = fitted.confidence_interval_.to_numpy().T
    _draw_steps(axes, steps, share, (low, high), code)
    censored = np.unique(days[~event])
    level = share[np.searchsorted(steps, censored, side="right") - 1]
    axes.plot(censored, level, linestyle="", marker="|", markersize=5, mew=0.8, color=look_of(code)[0], zorder=4)


def _draw_steps(axes: Axes, days: Floats, share: Floats, limits: tuple[Floats, Floats], code: int) -> None:
    """Draw the curve of a group and the band of its interval."""
    colour, line, _ = look_of(code)
    axes.fill_between(days, *limits, step="post", color=colour, alpha=0.15, linewidth=0, zorder=1)
    for edge in limits:
        axes.step(days, edge, where="post", color=colour, linestyle=line, linewidth=0.4, zorder=2)
    axes.step(days, share, where="post", color=colour, linestyle=line, linewidth=1.5, zorder=3)


def _draw_at_risk(sheet: Sheet, axes: Axes, times: Times, groups: Groups, layout: CurveLayout) -> None:
    """Write the number at risk of each group under each tick: the patients with a time as long or longer."""
    low, high = axes.get_xlim()
    top = layout.at_risk
    sheet.text(MARGIN, sheet.top + top - 0.17, "Number at risk", size=SMALL, color=GREY)
    for code, (label, line_height) in enumerate(zip(layout.labels, layout.heights, strict=True)):
        middle = sheet.top + top + line_height / 2
        _draw_sample(sheet, code, middle)
        sheet.text(MARGIN + SAMPLE + 0.08, middle, label, size=SMALL, va="center", linespacing=1.1)
        days = times.days[_with_time(times, groups, code)]
        for tick in axes.get_xticks():
            at = layout.left + (tick - low) / (high - low) * layout.across
            number = f"{int((days >= tick).sum()):,}"
            sheet.text(at, middle, number, size=SMALL, ha="center", va="center")
        top += line_height
