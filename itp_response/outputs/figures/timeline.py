"""Timeline of one patient: the counts with the thresholds, and lanes of further observations and verdicts beneath."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from itp_response.classification.classification import Classification
from itp_response.classification.supplied import unrecorded
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.texts import count_in_words
from itp_response.cohort.values import NO_DAY, NONE, Bools, Floats
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.evaluate import evaluate, patient_days_of
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import decide
from itp_response.explanation.ask import PATIENT
from itp_response.explanation.one_patient import unknown_patient
from itp_response.explanation.thresholds import thresholds
from itp_response.messages.errors import UsageError
from itp_response.outputs.figures.axes import TimeUnit, day_on_axis, set_count_axis, set_time_axis, time_unit
from itp_response.outputs.figures.clauses import baseline_of, spoiled_by_rescue
from itp_response.outputs.figures.lanes import BARS, LANE_SIGNS, Lane, observed_lanes, verdict_lanes
from itp_response.outputs.figures.picture import (
    BLACK,
    BLUE,
    BODY,
    FAINT,
    GREY,
    MARGIN,
    PALE,
    RESCUE,
    SMALL,
    VERMILLION,
    Picture,
    Sheet,
    folded,
    legend_height,
    merged,
    paper_width,
    spread,
    widest,
)
from itp_response.outputs.figures.responses import Responses, loss_of, response_of, responses, rests_on

ABOVE, COUNTS, BLEEDING, LANE, BETWEEN, BELOW = 0.3, 2.5, 0.55, 0.2, 0.1, 0.42
"""The heights of the parts: the bracket, the counts, bleeding, a lane, the room between them, the days."""
EMPTY = 0.01
"""The height of a panel without lanes."""
CLOSE = 120
"""With more counts than this, their symbols are small."""
TEXTS = 1.75
"""The room at the right for the texts of lines and lanes."""
LEADS = 0.14
"""The part of that room for the strokes from a line to its text."""
BASELINE_SIGN = (0, (1, 2))
NAMES = 1.55
"""The greatest width of the name of a lane."""
GRAPH = 1.8
"""The least width of the axes."""


@dataclass
class PatientTimeline:
    """One patient as drawn: the classification, the scale of counts, and the legend."""

    classification: Classification
    """Of this patient alone."""
    names: list[str]
    """The endpoints shown."""
    patient_days: PatientDays
    response: Responses
    low: float = 1.0
    high: float = 400.0
    is_log: bool = False
    """Bleeding is a log of events, so that no grade of 0 is recorded."""
    unrecorded: tuple[str, ...] = ()
    """What no input of the study records, a sentence each."""
    signs: dict[str, Any] = field(default_factory=dict)
    """The symbols of the legend by name; drawing adds to them."""

    @property
    def cohort(self) -> Cohort:
        return self.classification.cohort


def draw(
    classification: Classification,
    *,
    patient: str,
    study: str = "",
    endpoint: str | None = None,
    width: float | None = None,
) -> Picture:
    """The timeline of the patient with this id.

    With `endpoint`, only its thresholds and lanes are drawn, and those of the endpoints it rests on or is lost by.
    Raises `UsageError` for an unknown patient or endpoint.
    """
    position = classification.cohort.position(patient)
    if position is None:
        raise UsageError(unknown_patient(classification.cohort, patient))
    criteria, cohort = classification.criteria, classification.cohort.select([position])
    alone = Classification(criteria, cohort, evaluate(criteria, cohort, threads=1))
    response = responses(alone, response_of(criteria, endpoint))
    names = list(criteria.endpoints) if endpoint is None else _related(criteria, endpoint)
    timeline = PatientTimeline(alone, names, patient_days_of(criteria, cohort, 0, 1), response)
    timeline.is_log = classification.cohort.bleeding_is_log
    timeline.unrecorded = tuple(unrecorded(classification.cohort)) if classification.cohort.read_from else ()
    return _drawn(timeline, (study, _title(timeline, patient)), width)


def _related(criteria: Criteria, endpoint: str) -> list[str]:
    """The endpoint, those it rests on, and its loss, in the order of the file."""
    loss = loss_of(criteria, endpoint)
    related = {endpoint, *rests_on(criteria, endpoint), *([loss] if loss else [])}
    return [name for name in criteria.endpoints if name in related]


def _drawn(timeline: PatientTimeline, titles: tuple[str, str], width: float | None) -> Picture:
    _set_counts_shown(timeline)
    first, last = _days(timeline)
    unit = time_unit(first, last)
    layout = _layout(timeline, unit, width)
    above = ABOVE if timeline.response.met[0] else BETWEEN
    body = above + sum(layout.parts) + 3 * BETWEEN + BELOW
    subtitle = timeline.classification.criteria.response_definition
    sheet = Sheet(titles, _notes(timeline), body, subtitle=subtitle, width=layout.paper)
    panels: list[Axes] = []
    top = above
    for part in layout.parts:
        options = {"sharex": panels[0]} if panels else {}
        panels.append(sheet.axes(layout.left, top, layout.width, part, **options))
        top += part + BETWEEN
    panels[0].set_xlim(first, last)
    _draw_counts(panels[0], timeline, layout.width, last)
    if timeline.response.met[0]:
        _draw_bracket(panels[0], timeline, layout.width, unit)
    _draw_bleeding(panels[1], timeline)
    _draw_lanes(panels[2], layout.observed, layout.width, timeline)
    _draw_lanes(panels[3], layout.decided, layout.width, timeline)
    for axes in panels[:-1]:
        axes.tick_params(labelbottom=False, bottom=False)
        axes.spines["bottom"].set_visible(False)
    set_time_axis(panels[-1], first, last, layout.width)
    # The texts of the legend are known only after drawing.
    handles = list(timeline.signs.values())
    sheet.grow(legend_height(handles, layout.paper))
    sheet.legend(handles, MARGIN, body)
    return sheet.picture


@dataclass(frozen=True)
class LaneLayout:
    """A lane with its texts broken into lines, and its height."""

    lane: Lane
    label: str
    text: str
    height: float


@dataclass(frozen=True)
class TimelineLayout:
    """Where the parts of the picture stand, in inches."""

    paper: float
    left: float
    width: float
    """Of the axes."""
    observed: list[LaneLayout]
    decided: list[LaneLayout]

    @property
    def parts(self) -> tuple[float, ...]:
        """The heights of the counts, bleeding, and the two groups of lanes."""
        lanes = (max(sum(lane.height for lane in group), EMPTY) for group in (self.observed, self.decided))
        return (COUNTS, BLEEDING, *lanes)


def _layout(timeline: PatientTimeline, unit: TimeUnit, width: float | None) -> TimelineLayout:
    observed = [_lane_layout(lane) for lane in observed_lanes(timeline.cohort, unit)]
    decided = [_lane_layout(lane) for lane in verdict_lanes(timeline.classification, timeline.names, unit)]
    left = max(1.0, widest([lane.label for lane in (*observed, *decided)], BODY) + 0.12) + MARGIN
    paper = paper_width(width, left + GRAPH + TEXTS + MARGIN)
    return TimelineLayout(paper, left, paper - left - TEXTS - MARGIN, observed, decided)


def _lane_layout(lane: Lane) -> LaneLayout:
    label, text = folded(lane.label, NAMES, BODY), folded(lane.text, TEXTS - LEADS, SMALL)
    lines = max(label.count("\n"), text.count("\n")) + 1
    return LaneLayout(lane, label, text, LANE * max(1, 0.72 * lines))


def _set_counts_shown(timeline: PatientTimeline) -> None:
    """Set the lowest and highest count of the scale."""
    counts = timeline.cohort.platelets.low
    known = ~np.isnan(counts)
    timeline.low = 1.0 if known.any() and counts[known].min() < 6 else 5.0
    timeline.high = max(400.0, 1.5 * float(_levels(timeline.cohort)[known].max(initial=0.0)))


def _title(timeline: PatientTimeline, patient: str) -> str:
    if patient == PATIENT and timeline.classification.cohort.read_from is None:
        return "Patient timeline"
    arm = timeline.cohort.arm[0]
    return f"Patient {patient}" + (f" ({arm})" if arm is not None else "")


def _notes(timeline: PatientTimeline) -> list[str]:
    counts = timeline.cohort.platelets
    notes = []
    if (counts.low != counts.high)[~np.isnan(counts.low)].any():
        notes.append(
            "Triangles: censored counts, drawn at the reporting limit and pointing to where the count may lie."
        )
    if (counts.high < timeline.low).any():
        notes.append(f"Counts below {timeline.low:g} ×10⁹/L are drawn at {timeline.low:g}.")
    if np.isnan(baseline_of(timeline.patient_days).low[0]):
        notes.append("No baseline: thresholds relative to baseline are not drawn.")
    if timeline.cohort.partial is not None:
        notes.append("Partial dates are drawn on the first possible day.")
    if timeline.response.met[0] and timeline.response.loss is None:
        notes.append(f"{timeline.classification.criteria.name} defines no loss of {timeline.response.name}.")
    return [*notes, *timeline.unrecorded]


def _days(timeline: PatientTimeline) -> tuple[float, float]:
    """The first and last day shown: every observation, and the planned follow-up of the patient."""
    days = timeline.cohort.day
    first, last = (float(days[0]), float(days[-1])) if len(days) else (0.0, 28.0)
    until = timeline.classification.criteria.file.clock.followed_from
    last = max(last, 28.0, *([until] if np.isfinite(until) else []))
    last = max([last, *timeline.cohort.courses.last.tolist()])
    edge = 0.015 * (last - min(first, 0.0))
    return min(first, 0.0) - edge, last + edge


# COUNTS


def _draw_counts(axes: Axes, timeline: PatientTimeline, width: float, last: float) -> None:
    set_count_axis(axes, timeline.low * 0.93, timeline.high)
    _draw_shades(axes, timeline, last)
    _draw_lines(axes, timeline, width)
    _draw_points(axes, timeline)


def _draw_shades(axes: Axes, timeline: PatientTimeline, last: float) -> None:
    courses = timeline.cohort.courses
    days = timeline.cohort.day[courses.row]
    (spoiled,) = spoiled_by_rescue(timeline.classification.criteria, timeline.names, timeline.cohort)
    for begin, end in spoiled:
        axes.axvspan(begin, end + 1, color=FAINT, linewidth=0, zorder=0)
    if spoiled:
        timeline.signs["spoiled"] = Patch(facecolor=FAINT, label="Rescue wash-out: not evidence of response")
    given = merged([(float(day), float(end) + 1) for day, end in zip(days, courses.last, strict=True)])
    for begin, end in given:
        axes.axvspan(begin, end, color=RESCUE, linewidth=0, zorder=0.5)
    if given:
        timeline.signs["rescue"] = Patch(label="Rescue treatment", **BARS["rescue"])
    end = float(timeline.patient_days.last_counted_day[0])
    until = timeline.classification.criteria.file.clock.followed_from
    if np.isfinite(until) and end < until:
        begin = max(end, axes.get_xlim()[0])
        axes.axvspan(begin, last, facecolor="none", edgecolor=PALE, hatch="////", linewidth=0, zorder=0.2)
        timeline.signs["open"] = Patch(label=LANE_SIGNS["open"], **BARS["open"])


def _draw_lines(axes: Axes, timeline: PatientTimeline, width: float) -> None:
    """Draw the thresholds and the baseline, each with its text at the right, apart from the others."""
    baseline = baseline_of(timeline.patient_days)
    (limits,) = thresholds(timeline.classification.criteria, timeline.names, baseline)
    lines: list[tuple[float, str, Any, str]] = [
        (
            _level(threshold.low, threshold.high),
            f"{threshold.text} ({_listed(threshold.endpoints)})",
            (0, (5, 2)),
            BLUE,
        )
        for threshold in limits
    ]
    low, high = float(baseline.low[0]), float(baseline.high[0])
    if not np.isnan(low):
        lines.append((_level(low, high), f"baseline: {count_in_words(low, high)}", BASELINE_SIGN, BLACK))
    lines = [
        (max(level, timeline.low), text, line, colour) for level, text, line, colour in lines if level <= timeline.high
    ]
    scale = np.log(timeline.high / (timeline.low * 0.93))
    at = [float(np.log(level / (timeline.low * 0.93)) / scale) for level, *_ in lines]
    texts = [folded(text, TEXTS - LEADS, SMALL) for _, text, *_ in lines]
    tallest = max((text.count("\n") + 1 for text in texts), default=1)
    step = tallest * SMALL * 1.3 / 72 / COUNTS
    levels = spread(at, step, 0.02, 0.98)
    for own, text_level, (level, _, line, colour), text in zip(at, levels, lines, texts, strict=True):
        axes.axhline(level, color=colour, linestyle=line, linewidth=0.7, zorder=1)
        look: dict[str, Any] = {"transform": axes.transAxes, "color": colour, "lw": 0.5, "clip_on": False}
        axes.add_line(Line2D([1, 1 + LEADS / width * 0.85], [own, text_level], **look))
        style: dict[str, Any] = {"size": SMALL, "color": colour, "va": "center", "linespacing": 1.1}
        axes.text(1 + LEADS / width, text_level, text, transform=axes.transAxes, **style)


def _listed(names: tuple[str, ...]) -> str:
    """The endpoints of a threshold; of more than four, the first three."""
    shown = names if len(names) <= 4 else names[:3]
    rest = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return ", ".join(shown) + rest


def _level(low: float, high: float) -> float:
    """Where a count is drawn: a censored count at its bound."""
    return high if np.isfinite(high) else low


def _levels(cohort: Cohort) -> Floats:
    """Where each count is drawn: a censored count at its bound."""
    return np.where(np.isinf(cohort.platelets.high), cohort.platelets.low, cohort.platelets.high)


def _draw_points(axes: Axes, timeline: PatientTimeline) -> None:
    counts, day = timeline.cohort.platelets, timeline.cohort.day
    known = ~np.isnan(counts.low)
    level = np.clip(_levels(timeline.cohort), timeline.low, timeline.high)
    axes.plot(day[known], level[known], color=GREY, linewidth=0.7, zorder=2)
    rule, meets, fails = _states(timeline)
    below = known & (counts.low < counts.high) & np.isfinite(counts.high)
    above = known & np.isinf(counts.high)
    looks = (
        (meets, BLACK, f"Count that meets {rule}"),
        (fails, "white", f"Count that does not meet {rule}"),
        (~meets & ~fails, PALE, "Count that is not evidence, or not evaluable" if rule else "Platelet count"),
    )
    size = 13 if known.sum() <= CLOSE else 7
    for has_look, face, label in looks:
        for shape, has_shape in (("o", known & ~below & ~above), ("v", below), ("^", above)):
            these = has_look & has_shape
            if these.any():
                style: dict[str, Any] = {"facecolor": face, "edgecolor": BLACK, "linewidth": 0.7, "zorder": 4}
                axes.scatter(day[these], level[these], s=size, marker=shape, clip_on=False, **style)
        if (has_look & known).any():
            timeline.signs[label] = _dot("o", face, label)


def _states(timeline: PatientTimeline) -> tuple[str, Bools, Bools]:
    """The rule of the response in words, the rows (R) that meet it as evidence, and the rows that fail it."""
    nothing: Bools = np.zeros(len(timeline.cohort.day), dtype=np.bool_)
    name = _ruled_by(timeline)
    model = None if name is None else timeline.classification.criteria.endpoints[name]
    if name is None or model is None or model.state is None:
        return "", nothing, nothing
    state = decide(model.state.tree, timeline.patient_days)
    meets: Bools = state.true
    for rule in model.discounting_rules():
        meets = meets & decide(rule.tree, timeline.patient_days).false
    return f"the condition for {name}", meets, state.false


def _ruled_by(timeline: PatientTimeline) -> str | None:
    """The endpoint with the rule over rows: the response itself, or of those it sums up the one that dates it."""
    models, verdicts = timeline.classification.criteria.endpoints, timeline.classification.verdicts
    name = timeline.response.name
    if not models[name].sums_up:
        return name if models[name].state is not None else None
    others = rests_on(timeline.classification.criteria, name)
    parts = [part for part in others if models[part].begins_on_a_day and models[part].state is not None]
    dated = int(verdicts[name].dated[0])
    dating = [part for part in parts if dated != NONE and int(verdicts[part].dated[0]) == dated]
    return next(iter(dating or parts[::-1]), None)


def _draw_bracket(axes: Axes, timeline: PatientTimeline, width: float, unit: TimeUnit) -> None:
    """Draw the response above the counts, from onset to loss, and rings around its counts."""
    response = timeline.response
    begin, end = int(response.begin[0]), int(response.end[0])
    verdict = timeline.classification.verdicts[_ruled_by(timeline) or response.name]
    confirmed = int(timeline.classification.days_of(verdict.confirming)[0])
    across = axes.get_xaxis_transform()
    style: dict[str, Any] = {"transform": across, "color": BLACK, "linewidth": 1.2, "clip_on": False}
    axes.plot([begin, begin, end], [1.0, 1.035, 1.035], solid_joinstyle="miter", **style)
    if response.lost[0]:
        axes.plot([end, end], [1.035, 1.0], **style)
    elif response.loss is not None:
        axes.plot([end], [1.035], marker=">", markersize=4, **style)
    text = _bracket_in_words(response, unit)
    low, high = axes.get_xlim()
    half = (widest([text], BODY) / 2 + 0.02) / width * (high - low)
    middle = min(max((begin + end) / 2, low + half), high - half)
    axes.text(middle, 1.055, text, transform=across, ha="center", va="bottom", size=BODY)
    for day, ring, label in ((begin, "onset", "Onset"), (confirmed, "confirming", "Confirmatory count")):
        row = np.flatnonzero(timeline.cohort.day == day)
        if day != NO_DAY and len(row) and (ring == "onset" or day != begin):
            level = float(np.clip(_levels(timeline.cohort)[row[0]], timeline.low, timeline.high))
            if not np.isnan(level):
                look = RINGS[ring]
                axes.scatter([day], [level], facecolor="none", edgecolor=VERMILLION, zorder=5, clip_on=False, **look)
                timeline.signs[ring] = Line2D([], [], linestyle="", **LEGEND_RINGS[ring], label=label)


def _bracket_in_words(response: Responses, unit: TimeUnit) -> str:
    """From when to when the response is, and whether it was lost."""
    begin, end = int(response.begin[0]), int(response.end[0])
    first, last = day_on_axis(begin, unit), day_on_axis(end, unit)
    if response.loss is not None and not response.lost[0]:
        return f"{response.name}: from {first}, ongoing at {last}"
    return f"{response.name}: {first} to {last}" if end != begin else f"{response.name}: {first}"


RINGS: dict[str, dict[str, Any]] = {
    "onset": {"s": 60, "marker": "o", "linewidth": 1.2},
    "confirming": {"s": 70, "marker": "s", "linewidth": 1.2},
}
LEGEND_RINGS: dict[str, dict[str, Any]] = {
    name: {"marker": look["marker"], "markersize": 6.5, "mfc": "none", "mec": VERMILLION, "mew": 1.2}
    for name, look in RINGS.items()
}


def _dot(marker: str, face: str, label: str) -> Line2D:
    return Line2D([], [], linestyle="", marker=marker, markersize=4, mfc=face, mec=BLACK, mew=0.7, label=label)


# BENEATH THE COUNTS


def _draw_bleeding(axes: Axes, timeline: PatientTimeline) -> None:
    """Draw a bar as high as the grade, a dot for no bleeding, a cross where bleeding was not recorded.

    Of a log of events there is no dot, as nothing was recorded where there is no bar.
    """
    day, grade = timeline.cohort.day, timeline.cohort.bleeding_grade
    axes.set_ylim(-0.6, 4.4)
    axes.set_yticks([0, 2, 4])
    axes.set_yticks([1, 3], minor=True)
    axes.tick_params(axis="y", labelsize=SMALL - 0.5)
    axes.set_ylabel("Bleeding\ngrade", rotation=0, ha="right", va="center", labelpad=6)
    axes.grid(axis="y", which="both", color=FAINT, linewidth=0.5)
    bled, free = grade > 0, grade == 0
    axes.vlines(day[bled], 0, grade[bled], color=VERMILLION, linewidth=2.4, zorder=3)
    if bled.any():
        timeline.signs["bled"] = Patch(facecolor=VERMILLION, label="Bleeding (height: grade)")
    if free.any() and not timeline.is_log:
        axes.scatter(day[free], grade[free], s=3, color=BLACK, zorder=3, clip_on=False)
        look: dict[str, Any] = {"linestyle": "", "marker": ".", "markersize": 3, "color": BLACK}
        timeline.signs["free"] = Line2D([], [], label="No bleeding (grade 0)", **look)
    missing = np.isnan(grade)
    if missing.any():
        axes.scatter(day[missing], np.zeros(missing.sum()), s=12, marker="x", color=GREY, linewidth=0.8, clip_on=False)
        label = "Bleeding not recorded"
        timeline.signs[label] = Line2D([], [], linestyle="", marker="x", markersize=4, color=GREY, label=label)


def _draw_lanes(axes: Axes, lanes: list[LaneLayout], width: float, timeline: PatientTimeline) -> None:
    """Draw the lanes from the top down, each with its name at the left and its text at the right."""
    edges = np.concatenate([[0.0], np.cumsum([lane.height for lane in lanes])])
    middles = (edges[:-1] + edges[1:]) / 2
    axes.set_ylim(max(edges[-1], 0.01), 0)
    axes.set_yticks(middles, [lane.label for lane in lanes], linespacing=1.15)
    axes.tick_params(axis="y", length=0, labelsize=BODY)
    axes.spines["left"].set_visible(False)
    first, last = axes.get_xlim()
    style: dict[str, Any] = {"size": SMALL, "va": "center", "linespacing": 1.1, "color": BLACK}
    for lane, middle in zip(lanes, middles.tolist(), strict=True):
        axes.axhline(middle, color=FAINT, linewidth=0.6, zorder=0)
        axes.text(1 + LEADS / width, middle, lane.text, transform=axes.get_yaxis_transform(), **style)
        timeline.signs |= lane.lane.draw(axes, middle, 0.3 * LANE, first, last)
