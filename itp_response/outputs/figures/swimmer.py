"""Swimmer: a lane for each patient, with the response from onset to loss and the events of the patient."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from itp_response.classification.classification import Classification
from itp_response.classification.supplied import unrecorded
from itp_response.cohort.values import NO_DAY, NONE, Bools, Floats, Ints
from itp_response.evaluation.verdicts import NE, Y
from itp_response.messages.wording import counted_patients, one_line
from itp_response.outputs.figures.axes import set_time_axis
from itp_response.outputs.figures.picture import (
    BLACK,
    BLUE,
    BODY,
    GREY,
    MARGIN,
    ORANGE,
    PALE,
    SMALL,
    Picture,
    Sheet,
    fitted,
    folded,
    height,
    legend_height,
    paper_width,
    rectangles,
    widest,
)
from itp_response.outputs.figures.responses import Responses, response_of, responses, with_role
from itp_response.outputs.statistics.groups import all_patients, grouped

NAMED = 60
"""Up to this many patients have lanes with their names."""
ROOMY = 200
"""Up to this many lanes have symbols of full size."""
MANY = 500
"""With more patients than this, lanes are an image, also in SVG and PDF, and events are points."""
LANE, CONDENSED = 0.15, 6.0
"""The height of a named lane, and of all lanes together where they have no names."""
LONGEST = 0.25
"""The part of the width that ids take, at most."""
BETWEEN = 0.3
FOLLOWED, RESPONSE, UNKNOWN = PALE, BLUE, "white"


@dataclass(frozen=True)
class Lanes:
    """The response and the events of each patient (P); days since day 0, `NO_DAY`: none."""

    response: Responses
    first: Ints
    last: Ints
    """The day of the last row."""
    open: Bools
    """The response is not evaluable."""
    complete: Ints
    stopped: Floats
    """NaN: treatment was not discontinued."""
    rescue_patient: Ints
    rescue_day: Ints
    """An entry per rescue course; the patient is a position."""


def draw(
    classification: Classification,
    *,
    study: str = "",
    by: str = "arm",
    endpoint: str | None = None,
    width: float | None = None,
) -> Picture:
    """The follow-up and response of every patient, the longest responses first in each group.

    Raises `UsageError` for an endpoint without an onset and for groups that cannot be formed.
    """
    groups = grouped(all_patients(classification), by)
    name = response_of(classification.criteria, endpoint)
    lanes = _lanes_of(classification, name)
    members = [_sorted(lanes, np.flatnonzero(groups.code == code)) for code in range(len(groups.labels))]
    shown = sum(map(len, members))
    notes = [*groups.notes, *_notes(classification, lanes, shown)]
    paper = paper_width(width)
    names = list(map(one_line, classification.cohort.id.to_list())) if shown <= NAMED else []
    ids = [fitted(name, paper * LONGEST, SMALL) for name in names]
    if ids != names:
        notes.append("Of long patient ids the middle is left out (…).")
    lane = LANE if ids else CONDENSED / max(shown, 1)
    left = MARGIN + (max(0.6, widest(ids, SMALL) + 0.12) if ids else 0.35)
    handles = _handles(classification, lanes, name, shown)
    heights = [max(lane * len(patients), 0.2) for patients in members]
    headings = [folded(heading, paper - left - MARGIN, BODY) for heading in groups.headed()]
    above = [BETWEEN + height(heading.count("\n"), BODY) for heading in headings]
    body = sum(heights) + sum(above) + 0.32 + legend_height(handles, paper)
    titles = (study, f"{classification.criteria.labelled(name)} and follow-up of each patient")
    sheet = Sheet(titles, notes, body, subtitle=classification.criteria.response_definition, width=paper)
    low, high = _days(lanes)
    top, axes = -0.1, None
    for number, patients in enumerate(members):
        top += above[number]
        options: dict[str, Any] = {"sharex": axes} if axes else {}
        axes = sheet.axes(left, top, paper - left - MARGIN, heights[number], **options)
        top += heights[number]
        axes.set_title(headings[number], size=BODY, pad=3)
        axes.set_xlim(low, high)
        _draw_group(axes, lanes, patients, shown)
        _name_lanes(axes, [ids[patient] for patient in patients.tolist()] if ids else [])
    if axes is not None:
        axes.tick_params(labelbottom=True, bottom=True)
        set_time_axis(axes, low, high, paper - left - MARGIN)
    sheet.legend(handles, MARGIN, top + 0.42)
    return sheet.picture


def _name_lanes(axes: Axes, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    if names:
        axes.tick_params(axis="y", length=0, labelsize=SMALL)


def _lanes_of(classification: Classification, name: str) -> Lanes:
    cohort = classification.cohort
    observed = np.flatnonzero(np.diff(cohort.first_row) > 0)
    first, last = np.full(len(cohort), NO_DAY), np.full(len(cohort), NO_DAY)
    first[observed] = cohort.day[cohort.first_row[observed]]
    last[observed] = cohort.day[cohort.first_row[observed + 1] - 1]
    complete = with_role(classification.criteria, "complete_response")
    days = np.full(len(cohort), NO_DAY)
    if complete is not None and complete != name:
        verdict = classification.verdicts[complete]
        onset = np.where(verdict.onset != NONE, verdict.onset, verdict.dated)
        days = classification.days_of(np.where(verdict.value == Y, onset, NONE))
    stopped = cohort.treatment_discontinued
    return Lanes(
        response=responses(classification, name),
        first=first,
        last=last,
        open=classification.verdicts[name].value == NE,
        complete=days,
        stopped=np.where(np.isfinite(stopped), stopped, np.nan),
        rescue_patient=cohort.patient[cohort.courses.row],
        rescue_day=cohort.day[cohort.courses.row],
    )


def _sorted(lanes: Lanes, patients: Ints) -> Ints:
    """The patients, the longest responses first; patients without a response by follow-up, the longest first."""
    response = lanes.response
    length = np.where(response.met, response.end.astype(np.int64) - response.begin, -1)[patients]
    order = np.lexsort((patients, -lanes.last[patients].astype(np.int64), lanes.open[patients], -length))
    return patients[order]


def _days(lanes: Lanes) -> tuple[float, float]:
    known = lanes.last != NO_DAY
    last = max(28.0, float(lanes.last[known].max())) if known.any() else 28.0
    first = min(0.0, float(lanes.first[known].min())) if known.any() else 0.0
    return first - 0.01 * last, 1.02 * last


def _notes(classification: Classification, lanes: Lanes, shown: int) -> list[str]:
    notes = []
    if shown > MANY:
        notes.append(f"More than {MANY} patients: only rescue treatment and complete response are marked.")
    if shown > NAMED:
        notes.append(f"Each horizontal line is one of {counted_patients(shown)}; patient ids are not shown.")
    if lanes.response.loss is None:
        notes.append(
            f"{classification.criteria.name} defines no loss of {lanes.response.name}: "
            "the bar ends with the last count that supports it."
        )
    notes += unrecorded(classification.cohort, bleeding=False)
    nothing = int((lanes.last == NO_DAY).sum())
    if nothing:
        notes.append(f"{counted_patients(nothing)} without any observation: the line is empty.")
    return notes


def _handles(classification: Classification, lanes: Lanes, name: str, shown: int) -> list[Any]:
    criteria = classification.criteria
    bars: list[Any] = [
        Patch(facecolor=RESPONSE, edgecolor=BLACK, linewidth=0.3, label=criteria.labelled(name)),
        Patch(facecolor=FOLLOWED, edgecolor=BLACK, linewidth=0.3, label=f"Follow-up without {name}"),
    ]
    if lanes.open.any():
        label = f"Follow-up, {name} not evaluable"
        bars.append(Patch(facecolor=UNKNOWN, edgecolor=GREY, hatch="/////", linewidth=0.3, label=label))
    complete = with_role(criteria, "complete_response")
    labels = {
        "complete": f"Onset of {_in_sentence(criteria.labelled(complete))}" if complete else "",
        "lost": criteria.labelled(lanes.response.loss) if lanes.response.loss else "",
        "rescue": "Start of rescue treatment",
        "stopped": "Study treatment permanently discontinued",
        "ongoing": f"{name} ongoing at the last count",
    }
    signs = DOTS if shown > MANY else SIGNS
    occurred = [look for look, days, _ in _events(lanes) if len(days) and look in signs]
    shape = {"mec": BLACK, "mew": 0.4, "markersize": 4} if shown > MANY else {}
    return bars + [Line2D([], [], linestyle="", label=labels[look], **{**signs[look], **shape}) for look in occurred]


def _in_sentence(label: str) -> str:
    return label[:1].lower() + label[1:]


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
"""The symbols among many lanes."""


def _events(lanes: Lanes) -> list[tuple[str, Any, Ints]]:
    """The events of each sort: the symbol, the days, the patients (positions)."""
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


def _draw_group(axes: Axes, lanes: Lanes, patients: Ints, shown: int) -> None:
    """Draw the lanes of a group, the first of `patients` at the top."""
    axes.set_ylim(max(len(patients), 1) - 0.5, -0.5)
    axes.spines["left"].set_visible(False)
    axes.tick_params(labelbottom=False, bottom=False)
    lane = np.full(len(lanes.last), -1)
    lane[patients] = np.arange(len(patients))
    _draw_bars(axes, lanes, patients, shown)
    signs = _signs(shown)
    for sign, days, members in _events(lanes):
        inside = lane[members] >= 0
        if sign in signs:
            style = {"linestyle": "", "zorder": 5, "clip_on": False, "rasterized": shown > MANY, **signs[sign]}
            axes.plot(days[inside], lane[members][inside], **style)


def _draw_bars(axes: Axes, lanes: Lanes, patients: Ints, shown: int) -> None:
    """Draw the follow-up and the response of each patient."""
    edge = 0.3 if shown <= NAMED else 0.0
    half = 0.36 if shown <= NAMED else 0.5
    image = shown > MANY
    response = lanes.response
    begin = np.minimum(lanes.first, 0)
    observed = lanes.last != NO_DAY
    bars: list[tuple[Bools, Ints, Ints, dict[str, Any]]] = [
        (observed & ~lanes.open, begin, lanes.last, {"facecolor": FOLLOWED, "edgecolor": BLACK}),
        (observed & lanes.open, begin, lanes.last, {"facecolor": UNKNOWN, "edgecolor": GREY, "hatch": "/////"}),
        (response.met, response.begin, response.end, {"facecolor": RESPONSE, "edgecolor": BLACK}),
    ]
    for level, (has_bar, left, right, look) in enumerate(bars):
        up = np.flatnonzero(has_bar[patients]).astype(np.float64)
        members = patients[has_bar[patients]]
        across = left[members].astype(np.float64), right[members].astype(np.float64)
        smooth = {"antialiased": not image, "rasterized": image, "linewidth": edge, "zorder": 1 + level}
        rectangles(axes, across, (up - half, up + half), **look, **smooth)


def _signs(shown: int) -> dict[str, dict[str, Any]]:
    """The symbols for this number of lanes, smaller where lanes lie close."""
    if shown > MANY:
        return DOTS
    share = min(1.0, ROOMY / shown)
    # A sign of strokes alone keeps enough of them to be seen.
    thin = {name: 0.9 if name in ("stopped", "lost") else 0.3 for name in SIGNS}
    edges: dict[str, Any] = {} if shown <= NAMED else {name: {"mew": mew} for name, mew in thin.items()}
    return {
        name: {**sign, **edges.get(name, {}), "markersize": sign["markersize"] * share} for name, sign in SIGNS.items()
    }
