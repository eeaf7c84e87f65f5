"""Swimmer: a lane for each patient, with the response from its onset to its loss and what happened on the way."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from itp_response.classification.classification import Classification
from itp_response.cohort.values import NO_DAY, NONE, Bools, Floats, Ints
from itp_response.evaluation.verdicts import NE, Y
from itp_response.messages.wording import counted_patients
from itp_response.outputs.figures.picture import (
    BLACK,
    BLUE,
    BODY,
    GREY,
    MARGIN,
    ORANGE,
    PALE,
    SMALL,
    WIDTH,
    Picture,
    Sheet,
    day_ticks,
    legend_height,
    nice,
    rectangles,
    widest,
)
from itp_response.outputs.figures.responses import Responses, response_of, responses, with_role
from itp_response.outputs.statistics.groups import all_patients, grouped

NAMED = 60
"""So many patients at most have lanes with their names."""
ROOMY = 200
"""So many lanes at most have signs of full size."""
MANY = 500
"""From so many on lanes are drawn as an image, also in SVG and PDF, and what happened as points."""
LANE, CONDENSED = 0.15, 6.0
"""The height of a named lane; of all lanes together where they have no names."""
BETWEEN = 0.3
FOLLOWED, RESPONSE, UNKNOWN = PALE, BLUE, "white"


@dataclass(frozen=True)
class Lanes:
    """What is drawn of each patient (P); days since day 0, `NO_DAY`: none."""

    response: Responses
    first: Ints
    last: Ints
    """His last row."""
    open: Bools
    """The response is not evaluable."""
    complete: Ints
    stopped: Floats
    """NaN: it was not."""
    rescue_patient: Ints
    rescue_day: Ints
    """An entry per course."""


def draw(classification: Classification, *, by: str = "arm", endpoint: str | None = None) -> Picture:
    """Every patient's follow-up and response, longest responses first in each group.

    Raises `UsageError` for an endpoint without an onset, or groups that cannot be made.
    """
    groups = grouped(all_patients(classification), by)
    name = response_of(classification.criteria, endpoint)
    lanes = _lanes_of(classification, name)
    members = [_sorted(lanes, np.flatnonzero(groups.code == code)) for code in range(len(groups.labels))]
    shown = sum(map(len, members))
    told = [*groups.notes, *_told(classification, lanes, shown)]
    named = shown <= NAMED
    ids = classification.cohort.id.to_list() if named else []
    left = MARGIN + (max(0.6, widest(ids, SMALL) + 0.12) if named else 0.35)
    lane = LANE if named else CONDENSED / max(shown, 1)
    handles = _handles(classification, lanes, name, shown)
    room = WIDTH - 2 * MARGIN
    legend = legend_height([str(one.get_label()) for one in handles], room)
    heights = [max(lane * len(one), 0.2) for one in members]
    body = sum(heights) + BETWEEN * len(heights) + 0.32 + legend
    label = classification.criteria.endpoints[name].label
    sheet = Sheet(f"{label}: every patient", told, body, subtitle=classification.criteria.title)
    low, high = _days(lanes)
    top, axes = -0.1, None
    for heading, patients, height in zip(groups.headed(), members, heights, strict=True):
        top += BETWEEN
        axes = sheet.axes(left, top, WIDTH - left - MARGIN, height, **({"sharex": axes} if axes else {}))
        top += height
        axes.set_title(heading, size=BODY, pad=3)
        axes.set_xlim(low, high)
        axes.set_xticks(day_ticks(low, high))
        axes.tick_params(labelbottom=False, bottom=False)
        _drawn(axes, lanes, patients, shown)
        if named:
            axes.set_yticks(range(len(patients)), [ids[one] for one in patients.tolist()])
            axes.tick_params(axis="y", length=0, labelsize=SMALL)
        else:
            axes.set_yticks([])
    if axes is not None:
        axes.tick_params(labelbottom=True, bottom=True)
        axes.set_xlabel("day")
    sheet.legend(handles, MARGIN, top + 0.42, room)
    return sheet.picture


def _lanes_of(classification: Classification, name: str) -> Lanes:
    cohort = classification.cohort
    some = np.diff(cohort.first_row) > 0
    rows = len(cohort.day)
    first = np.where(some, cohort.day[np.minimum(cohort.first_row[:-1], rows - 1)], NO_DAY) if rows else None
    last = np.where(some, cohort.day[np.maximum(cohort.first_row[1:] - 1, 0)], NO_DAY) if rows else None
    nowhere = np.full(len(cohort), NO_DAY)
    complete = with_role(classification.criteria, "complete_response")
    days = nowhere
    if complete is not None and complete != name:
        verdict = classification.verdicts[complete]
        onset = np.where(verdict.onset != NONE, verdict.onset, verdict.dated)
        days = classification.days_of(np.where(verdict.value == Y, onset, NONE))
    stopped = cohort.treatment_discontinued
    return Lanes(
        response=responses(classification, name),
        first=nowhere if first is None else first,
        last=nowhere if last is None else last,
        open=classification.verdicts[name].value == NE,
        complete=days,
        stopped=np.where(np.isfinite(stopped), stopped, np.nan),
        rescue_patient=cohort.patient[cohort.courses.row],
        rescue_day=cohort.day[cohort.courses.row],
    )


def _sorted(lanes: Lanes, patients: Ints) -> Ints:
    """The patients with the longest responses first; of those without one the longest followed."""
    response = lanes.response
    length = np.where(response.met, response.end.astype(np.int64) - response.begin, -1)[patients]
    order = np.lexsort((patients, -lanes.last[patients].astype(np.int64), lanes.open[patients], -length))
    return patients[order]


def _days(lanes: Lanes) -> tuple[float, float]:
    known = lanes.last != NO_DAY
    last = max(28.0, float(lanes.last[known].max())) if known.any() else 28.0
    first = min(0.0, float(lanes.first[known].min())) if known.any() else 0.0
    return first - 0.01 * last, 1.02 * last


def _told(classification: Classification, lanes: Lanes, shown: int) -> list[str]:
    told = []
    if shown > MANY:
        told.append("Of what happened to so many, only rescue treatment and complete response are marked.")
    if shown > NAMED:
        told.append(f"{counted_patients(shown)} are more than can be named here; a lane is a patient.")
    if lanes.response.loss is None:
        told.append(
            f"{classification.criteria.name} has no endpoint for the loss of {lanes.response.name}: "
            "the bar ends with the last count that it rests on."
        )
    nothing = int((lanes.last == NO_DAY).sum())
    if nothing:
        told.append(f"{counted_patients(nothing)} without any observation: an empty lane.")
    return told


def _handles(classification: Classification, lanes: Lanes, name: str, shown: int) -> list[Any]:
    made: list[Any] = [
        Patch(facecolor=RESPONSE, edgecolor=BLACK, linewidth=0.3, label=nice(name)),
        Patch(facecolor=FOLLOWED, edgecolor=BLACK, linewidth=0.3, label=f"no {nice(name)}, or before and after it"),
    ]
    if lanes.open.any():
        label = f"{nice(name)} not evaluable"
        made.append(Patch(facecolor=UNKNOWN, edgecolor=GREY, hatch="/////", linewidth=0.3, label=label))
    labels = {
        "complete": nice(with_role(classification.criteria, "complete_response") or ""),
        "lost": nice(lanes.response.loss or ""),
        "rescue": "rescue treatment begins",
        "stopped": "treatment stopped for good",
        "ongoing": "not lost at the last count",
    }
    signs = DOTS if shown > MANY else SIGNS
    happened = [look for look, days, _ in _events(lanes) if len(days) and look in signs]
    shape = {"mec": BLACK, "mew": 0.4, "markersize": 4} if shown > MANY else {}
    return made + [Line2D([], [], linestyle="", label=labels[look], **{**signs[look], **shape}) for look in happened]


SIGNS: dict[str, dict[str, Any]] = {
    "complete": {"marker": "D", "mfc": "white", "mec": BLACK, "mew": 0.6, "markersize": 3.6},
    "lost": {"marker": "x", "mec": BLACK, "mew": 1.1, "markersize": 4},
    "rescue": {"marker": "^", "mfc": ORANGE, "mec": BLACK, "mew": 0.4, "markersize": 4},
    "stopped": {"marker": "|", "mec": BLACK, "mew": 1.4, "markersize": 6},
    "ongoing": {"marker": ">", "mfc": BLACK, "mec": BLACK, "mew": 0.3, "markersize": 3.6},
}


DOTS: dict[str, dict[str, Any]] = {
    "rescue": {"marker": "s", "mfc": BLACK, "mew": 0.0, "markersize": 1.3},
    "complete": {"marker": "s", "mfc": "white", "mew": 0.0, "markersize": 1.3},
}
"""The signs among many lanes."""


def _events(lanes: Lanes) -> list[tuple[str, Any, Ints]]:
    """What happened: its sign, the days, the patients (positions)."""
    response, everyone = lanes.response, np.arange(len(lanes.last))
    ongoing = response.met & ~response.lost & (response.loss is not None)
    stopped = ~np.isnan(lanes.stopped)
    complete = lanes.complete != NO_DAY
    return [
        ("stopped", lanes.stopped[stopped], everyone[stopped]),
        ("rescue", lanes.rescue_day, lanes.rescue_patient),
        ("complete", lanes.complete[complete], everyone[complete]),
        ("lost", response.end[response.lost], everyone[response.lost]),
        ("ongoing", response.end[ongoing], everyone[ongoing]),
    ]


def _drawn(axes: Axes, lanes: Lanes, patients: Ints, shown: int) -> None:
    place = np.full(len(lanes.last), -1)
    place[patients] = np.arange(len(patients))
    axes.set_ylim(max(len(patients), 1) - 0.5, -0.5)
    axes.spines["left"].set_visible(False)
    edge = 0.3 if shown <= NAMED else 0.0
    half = 0.36 if shown <= NAMED else 0.5
    image = shown > MANY
    response = lanes.response
    begin = np.minimum(lanes.first, 0)
    some = lanes.last != NO_DAY
    bars: list[tuple[Bools, Ints, Ints, dict[str, Any]]] = [
        (some & ~lanes.open, begin, lanes.last, {"facecolor": FOLLOWED, "edgecolor": BLACK}),
        (some & lanes.open, begin, lanes.last, {"facecolor": UNKNOWN, "edgecolor": GREY, "hatch": "/////"}),
        (response.met, response.begin, response.end, {"facecolor": RESPONSE, "edgecolor": BLACK}),
    ]
    for level, (who, left, right, look) in enumerate(bars):
        here = patients[who[patients]]
        up = place[here].astype(np.float64)
        across = left[here].astype(np.float64), right[here].astype(np.float64)
        smooth = {"antialiased": not image, "rasterized": image, "linewidth": edge, "zorder": 1 + level}
        rectangles(axes, across, (up - half, up + half), **look, **smooth)
    signs = _signs(shown)
    for sign, days, whose in _events(lanes):
        inside = place[whose] >= 0
        if sign in signs:
            lane = place[whose][inside]
            axes.plot(days[inside], lane, linestyle="", zorder=5, clip_on=False, rasterized=image, **signs[sign])


def _signs(shown: int) -> dict[str, dict[str, Any]]:
    """The signs for so many lanes, smaller where they lie close."""
    if shown > MANY:
        return DOTS
    share = min(1.0, ROOMY / shown)
    thin = {} if shown <= NAMED else {"mew": 0.3}
    return {name: {**sign, **thin, "markersize": sign["markersize"] * share} for name, sign in SIGNS.items()}
