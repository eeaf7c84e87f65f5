"""One patient: the counts on the definition's own lines, and beneath them what else was observed and every verdict."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from itp_response.classification.classification import Classification
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.texts import count_in_words
from itp_response.cohort.values import NO_DAY, NONE, Bools, Floats
from itp_response.evaluation.evaluate import evaluate, patient_days_of
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.tree import Rule
from itp_response.explanation.one_patient import unknown_patient
from itp_response.messages.errors import UsageError
from itp_response.outputs.figures.clauses import baseline_of, spoiled_by_rescue, thresholds
from itp_response.outputs.figures.lanes import BARS, LANE_SIGNS, Lane, observed_lanes, verdict_lanes
from itp_response.outputs.figures.picture import (
    BLACK,
    BLUE,
    BODY,
    FAINT,
    GREY,
    MARGIN,
    PALE,
    SMALL,
    VERMILLION,
    WIDTH,
    Picture,
    Sheet,
    day_ticks,
    folded,
    legend_height,
    merged,
    nice,
    spread,
    widest,
)
from itp_response.outputs.figures.responses import SUMS_UP, Responses, loss_of, response_of, responses, rests_on

TICKS = (1, 3, 10, 30, 50, 100, 300, 1000, 3000)
ABOVE, COUNTS, BLEEDING, LANE, BETWEEN, BELOW = 0.3, 2.5, 0.55, 0.2, 0.1, 0.42
"""The heights of the parts: the bracket, the counts, the bleeding, a lane, what is between them, the days."""
CLOSE = 120
"""From so many counts on their signs are small."""
SAID = 1.75
"""The room at the right for what is said of lines and lanes."""
LEADS = 0.14
"""Of it, the room for the strokes from a line to its words."""
BASELINE_SIGN = (0, (1, 2))


@dataclass
class Patient:
    """What is drawn of one patient."""

    found: Classification
    names: list[str]
    """The criteria shown."""
    rows: PatientDays
    response: Responses
    low: float = 1.0
    high: float = 400.0
    signs: dict[str, Any] = field(default_factory=dict)
    """The legend, by what it says."""

    @property
    def cohort(self) -> Cohort:
        return self.found.cohort


def draw(classification: Classification, *, patient: str, endpoint: str | None = None) -> Picture:
    """The timeline of the patient of that id.

    With `endpoint` only its clauses and lines are drawn, and those of the criteria it is decided from or lost by.
    Raises `UsageError` for a patient or endpoint that is not there.
    """
    position = classification.cohort.position(patient)
    if position is None:
        raise UsageError(unknown_patient(classification.cohort, patient))
    one = classification.cohort.select([position])
    alone = Classification(classification.criteria, one, evaluate(classification.criteria, one, threads=1))
    asked = response_of(classification.criteria, endpoint)
    names = list(classification.criteria.endpoints) if endpoint is None else _about(alone, endpoint)
    seen = Patient(alone, names, patient_days_of(classification.criteria, one, 0, 1), responses(alone, asked))
    return _drawn(seen, patient)


def _about(classification: Classification, endpoint: str) -> list[str]:
    loss = loss_of(classification.criteria, endpoint)
    wanted = {endpoint, *rests_on(classification.criteria, endpoint), *([loss] if loss else [])}
    return [name for name in classification.criteria.endpoints if name in wanted]


def _drawn(seen: Patient, patient: str) -> Picture:
    counts = seen.cohort.platelets.low
    known = counts[~np.isnan(counts)]
    tops = _levels(seen.cohort)[~np.isnan(counts)]
    seen.low = 1.0 if len(known) and known.min() < 6 else 5.0
    seen.high = max(400.0, 1.5 * float(max([0.0, *tops.tolist()])))
    first, last = _days(seen)
    observed, decided = observed_lanes(seen.cohort), verdict_lanes(seen.found, seen.names)
    left = max(1.0, widest([lane.label for lane in (*observed, *decided)], BODY) + 0.12) + MARGIN
    width = WIDTH - left - SAID - MARGIN
    said = [[folded(lane.said, SAID - LEADS, SMALL) for lane in lanes] for lanes in (observed, decided)]
    tall = [[LANE * max(1, 0.72 * (text.count("\n") + 1)) for text in texts] for texts in said]
    parts = (COUNTS, BLEEDING, *map(sum, tall))
    above = ABOVE if seen.response.met[0] else BETWEEN
    body = above + sum(parts) + 3 * BETWEEN + BELOW

    sheet = Sheet(_title(seen, patient), _told(seen), body, subtitle=seen.found.criteria.title)
    axes: list[Axes] = []
    top = above
    for part in parts:
        axes.append(sheet.axes(left, top, width, part, **({"sharex": axes[0]} if axes else {})))
        top += part + BETWEEN
    axes[0].set_xlim(first, last)
    _counts(axes[0], seen, width, last)
    _bleeding(axes[1], seen)
    _lanes(axes[2], observed, tall[0], seen, said[0])
    _lanes(axes[3], decided, tall[1], seen, said[1])
    for one in axes[:-1]:
        one.tick_params(labelbottom=False, bottom=False)
        one.spines["bottom"].set_visible(False)
    axes[-1].set_xticks(day_ticks(first, last))
    axes[-1].set_xlabel("day")
    # What the legend says is known only now.
    handles, room = list(seen.signs.values()), WIDTH - 2 * MARGIN
    sheet.grow(legend_height([str(one.get_label()) for one in handles], room))
    sheet.legend(handles, MARGIN, body, room)
    return sheet.picture


def _title(seen: Patient, patient: str) -> str:
    arm = seen.cohort.arm[0]
    return f"{patient}, {arm}" if arm is not None else patient


def _told(seen: Patient) -> list[str]:
    counts = seen.cohort.platelets
    told = []
    if (counts.low != counts.high)[~np.isnan(counts.low)].any():
        told.append("A count known only as a bound stands at the bound, a triangle that points to where it may lie.")
    if (counts.high < seen.low).any():
        told.append(f"Counts below {seen.low:g} stand at {seen.low:g}.")
    if np.isnan(baseline_of(seen.rows).low[0]):
        told.append("No baseline is known, so no line that is reckoned from it.")
    if seen.cohort.partial is not None:
        told.append("Dates known only in part stand on the first of the days that may be meant.")
    if seen.response.met[0] and seen.response.loss is None:
        told.append(f"{seen.found.criteria.name} has no endpoint for the loss of {seen.response.name}.")
    return told


def _days(seen: Patient) -> tuple[float, float]:
    """The first and the last day shown: all that was observed, and the days until which he was to be followed."""
    days = seen.cohort.day
    first, last = (float(days[0]), float(days[-1])) if len(days) else (0.0, 28.0)
    until = seen.found.criteria.file.clock.followed_from
    last = max(last, 28.0, *([until] if np.isfinite(until) else []))
    last = max([last, *seen.cohort.courses.last.tolist()])
    edge = 0.015 * (last - min(first, 0.0))
    return min(first, 0.0) - edge, last + edge


# COUNTS


def _counts(axes: Axes, seen: Patient, width: float, last: float) -> None:
    axes.set_yscale("log")
    axes.set_ylim(seen.low * 0.93, seen.high)
    axes.yaxis.set_major_locator(FixedLocator([tick for tick in TICKS if seen.low <= tick <= seen.high]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_ylabel("platelets, 10⁹/L")
    _shades(axes, seen, last)
    _lines(axes, seen, width)
    _points(axes, seen)
    if seen.response.met[0]:
        _bracket(axes, seen, width)


def _shades(axes: Axes, seen: Patient, last: float) -> None:
    courses = seen.cohort.courses
    days = seen.cohort.day[courses.row]
    spoiled = spoiled_by_rescue(seen.found.criteria, seen.names, seen.cohort)
    for begin, end in spoiled:
        axes.axvspan(begin, end + 1, color=FAINT, linewidth=0, zorder=0)
    if spoiled:
        seen.signs["spoiled"] = Patch(facecolor=FAINT, label="no evidence for a response, after rescue")
    given = merged([(float(day), float(end) + 1) for day, end in zip(days, courses.last, strict=True)])
    for begin, end in given:
        axes.axvspan(begin, end, color=PALE, linewidth=0, zorder=0.5)
    if given:
        seen.signs["rescue"] = Patch(facecolor=PALE, label="rescue treatment")
    end = float(seen.rows.last_counted_day[0])
    until = seen.found.criteria.file.clock.followed_from
    if np.isfinite(until) and end < until:
        begin = max(end, axes.get_xlim()[0])
        axes.axvspan(begin, last, facecolor="none", edgecolor=PALE, hatch="////", linewidth=0, zorder=0.2)
        seen.signs["open"] = Patch(label=LANE_SIGNS["open"], **BARS["open"])


def _lines(axes: Axes, seen: Patient, width: float) -> None:
    """The thresholds and the baseline, each with its words at the right, kept apart."""
    lines: list[tuple[float, str, Any, str]] = [
        (one.high if np.isfinite(one.high) else one.low, f"{one.text}  {_listed(one.criteria)}", (0, (5, 2)), BLUE)
        for one in thresholds(seen.found.criteria, seen.names, seen.rows)
    ]
    baseline = baseline_of(seen.rows)
    low, high = float(baseline.low[0]), float(baseline.high[0])
    if not np.isnan(low):
        lines.append(
            (high if np.isfinite(high) else low, f"baseline: {count_in_words(low, high)}", BASELINE_SIGN, BLACK)
        )
    lines = [(max(level, seen.low), text, line, colour) for level, text, line, colour in lines if level <= seen.high]
    scale = np.log(seen.high / (seen.low * 0.93))
    at = [float(np.log(level / (seen.low * 0.93)) / scale) for level, *_ in lines]
    texts = [folded(text, SAID - LEADS, SMALL) for _, text, *_ in lines]
    tallest = max((text.count("\n") + 1 for text in texts), default=1)
    step = tallest * SMALL * 1.3 / 72 / COUNTS
    for place, (level, _, line, colour), text, moved in zip(
        at, lines, texts, spread(at, step, 0.02, 0.98), strict=True
    ):
        axes.axhline(level, color=colour, linestyle=line, linewidth=0.7, zorder=1)
        stroke = Line2D(
            [1, 1 + LEADS / width * 0.85], [place, moved], transform=axes.transAxes, color=colour, lw=0.5, clip_on=False
        )
        axes.add_line(stroke)
        style: dict[str, Any] = {"size": SMALL, "color": colour, "va": "center", "linespacing": 1.1}
        axes.text(1 + LEADS / width, moved, text, transform=axes.transAxes, **style)


def _listed(names: tuple[str, ...]) -> str:
    """The criteria that a line stands for; of many the first two."""
    shown = names if len(names) <= 3 else names[:2]
    rest = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return ", ".join(map(nice, shown)) + rest


def _levels(cohort: Cohort) -> Floats:
    """Where each count stands: one known only as a bound at the bound."""
    return np.where(np.isinf(cohort.platelets.high), cohort.platelets.low, cohort.platelets.high)


def _points(axes: Axes, seen: Patient) -> None:
    counts, day = seen.cohort.platelets, seen.cohort.day
    known = ~np.isnan(counts.low)
    level = np.clip(_levels(seen.cohort), seen.low, seen.high)
    axes.plot(day[known], level[known], color=GREY, linewidth=0.7, zorder=2)
    said, meets, fails = _states(seen)
    below = known & (counts.low < counts.high) & np.isfinite(counts.high)
    above = known & np.isinf(counts.high)
    looks = (
        (meets, BLACK, f"count that meets {said}"),
        (fails, "white", f"count that does not meet {said}"),
        (~meets & ~fails, PALE, "count that is no evidence, or it is not known" if said else "count"),
    )
    size = 13 if known.sum() <= CLOSE else 7
    for where, face, label in looks:
        for shape, shaped in (("o", known & ~below & ~above), ("v", below), ("^", above)):
            these = where & shaped
            if these.any():
                style: dict[str, Any] = {"facecolor": face, "edgecolor": BLACK, "linewidth": 0.7, "zorder": 4}
                axes.scatter(day[these], level[these], s=size, marker=shape, clip_on=False, **style)
        if (where & known).any():
            seen.signs[label] = _dot("o", face, label)


def _states(seen: Patient) -> tuple[str, Bools, Bools]:
    """What the points are held to: the rule of the response; whether each row meets it as evidence, and fails it."""
    nothing: Bools = np.zeros(len(seen.cohort.day), dtype=np.bool_)
    name = _ruled_by(seen)
    if name is None:
        return "", nothing, nothing
    model = seen.found.criteria.endpoints[name]
    state = decide(model.when.tree, seen.rows)
    meets: Bools = state.true
    for rule in (getattr(model, "discount", None), getattr(model, "set_aside", None)):
        if isinstance(rule, Rule):
            meets = meets & decide(rule.tree, seen.rows).false
    return f"the rule of {nice(name)}", meets, state.false


def _ruled_by(seen: Patient) -> str | None:
    """The endpoint whose rule over rows shows the response: itself, or of those it sums up the one that dated it."""
    criteria, verdicts = seen.found.criteria.endpoints, seen.found.verdicts
    name = seen.response.name
    if criteria[name].kind not in SUMS_UP:
        return name if isinstance(getattr(criteria[name], "when", None), Rule) else None
    parts = [
        one for one in rests_on(seen.found.criteria, name) if criteria[one].kind not in (*SUMS_UP, "lost", "time_to")
    ]
    dated = int(verdicts[name].dated[0])
    same = [one for one in parts if dated != NONE and int(verdicts[one].dated[0]) == dated]
    return next(iter(same or parts[::-1]), None)


def _bracket(axes: Axes, seen: Patient, width: float) -> None:
    """The response above the counts, from its onset to its loss, and its counts ringed."""
    response = seen.response
    begin, end = int(response.begin[0]), int(response.end[0])
    shown = seen.found.verdicts[_ruled_by(seen) or response.name]
    confirmed = int(seen.found.days_of(shown.confirming)[0])
    across = axes.get_xaxis_transform()
    style: dict[str, Any] = {"transform": across, "color": BLACK, "linewidth": 1.2, "clip_on": False}
    axes.plot([begin, begin, end], [1.0, 1.035, 1.035], solid_joinstyle="miter", **style)
    if response.lost[0]:
        axes.plot([end, end], [1.035, 1.0], **style)
        text = f"{nice(response.name)}: day {begin} to {end}"
    elif response.loss is not None:
        axes.plot([end], [1.035], marker=">", markersize=4, **style)
        text = f"{nice(response.name)}: from day {begin}, not lost by day {end}"
    else:
        text = f"{nice(response.name)}: day {begin}" + (f" to {end}" if end != begin else "")
    low, high = axes.get_xlim()
    half = (widest([text], BODY) / 2 + 0.02) / width * (high - low)
    middle = min(max((begin + end) / 2, low + half), high - half)
    axes.text(middle, 1.055, text, transform=across, ha="center", va="bottom", size=BODY)
    for day, ring, label in ((begin, "onset", "onset of the response"), (confirmed, "confirming", "confirming count")):
        row = np.flatnonzero(seen.cohort.day == day)
        if day != NO_DAY and len(row) and (ring == "onset" or day != begin):
            level = float(np.clip(_levels(seen.cohort)[row[0]], seen.low, seen.high))
            if not np.isnan(level):
                look = RINGS[ring]
                axes.scatter([day], [level], facecolor="none", edgecolor=VERMILLION, zorder=5, clip_on=False, **look)
                seen.signs[ring] = Line2D([], [], linestyle="", **LEGEND_RINGS[ring], label=label)


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


def _bleeding(axes: Axes, seen: Patient) -> None:
    """A bar as high as its grade; a dot where bleeding was looked for and absent, a cross where it was not recorded."""
    day, grade = seen.cohort.day, seen.cohort.bleeding_grade
    axes.set_ylim(-0.6, 4.4)
    axes.set_yticks([0, 1, 2, 3, 4])
    axes.tick_params(axis="y", labelsize=SMALL - 0.5)
    axes.set_ylabel("bleeding,\ngrade", rotation=0, ha="right", va="center", labelpad=6)
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    bled = grade > 0
    axes.vlines(day[bled], 0, grade[bled], color=VERMILLION, linewidth=2.4, zorder=3)
    axes.scatter(day[grade == 0], grade[grade == 0], s=3, color=BLACK, zorder=3, clip_on=False)
    missing = np.isnan(grade)
    if missing.any():
        axes.scatter(day[missing], np.zeros(missing.sum()), s=12, marker="x", color=GREY, linewidth=0.8, clip_on=False)
        label = "bleeding not recorded"
        seen.signs[label] = Line2D([], [], linestyle="", marker="x", markersize=4, color=GREY, label=label)


def _lanes(axes: Axes, lanes: list[Lane], heights: list[float], seen: Patient, said: list[str]) -> None:
    """Lanes from the top down, each with its name at the left and what is said of it at the right."""
    edges = np.concatenate([[0.0], np.cumsum(heights)])
    middles = (edges[:-1] + edges[1:]) / 2
    axes.set_ylim(max(edges[-1], 0.01), 0)
    axes.set_yticks(middles, [nice(lane.label) for lane in lanes])
    axes.tick_params(axis="y", length=0, labelsize=BODY)
    axes.spines["left"].set_visible(False)
    first, last = axes.get_xlim()
    for lane, middle, text in zip(lanes, middles.tolist(), said, strict=True):
        axes.axhline(middle, color=FAINT, linewidth=0.6, zorder=0)
        style: dict[str, Any] = {"size": SMALL, "va": "center", "linespacing": 1.1, "color": BLACK}
        share = LEADS / (axes.get_position().width * WIDTH)
        axes.text(1 + share, middle, text, transform=axes.get_yaxis_transform(), **style)
        seen.signs |= lane.draw(axes, middle, 0.3 * LANE, first, last)
