"""Lanes: lines beneath a patient's counts, one for each further observation and for each verdict."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from itp_response.classification.classification import Classification
from itp_response.classification.supplied import records_discontinuation
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import NO_DAY, Truths
from itp_response.evaluation.verdicts import reason_in_words
from itp_response.messages.wording import counted
from itp_response.outputs.figures.axes import TimeUnit, day_on_axis
from itp_response.outputs.figures.picture import BLACK, BLUE, GREY, RESCUE, SKY, VERMILLION
from itp_response.outputs.figures.responses import last_counts, loss_of
from itp_response.outputs.statistics.groups import all_patients
from itp_response.outputs.statistics.names import as_the_field_spells, column_in_words, result_in_words

RESCUES = 6
"""Up to this many rescue treatments have a lane of their own."""
UNNAMED = "name not recorded"


@dataclass(frozen=True)
class Stretch:
    """A bar of a lane, both days included."""

    begin: float
    end: float
    look: str
    open: bool = False
    """The stretch continues after its end."""


@dataclass(frozen=True)
class LaneMark:
    """A symbol on a day."""

    day: float
    look: str


BARS: dict[str, dict[str, Any]] = {
    "rescue": {"facecolor": RESCUE, "edgecolor": BLACK, "linewidth": 0.4},
    "held": {"facecolor": BLUE, "edgecolor": BLACK, "linewidth": 0.4},
    "kept": {"facecolor": SKY, "edgecolor": BLACK, "linewidth": 0.4},
    "time": {"facecolor": "white", "edgecolor": BLACK, "linewidth": 0.6},
    "open": {"facecolor": "white", "edgecolor": GREY, "hatch": "////", "linewidth": 0.4},
}
MARKS: dict[str, dict[str, Any]] = {
    "stopped": {"marker": "X", "markersize": 5, "color": BLACK},
    "noted": {"marker": "D", "markersize": 3.5, "color": BLACK},
    "onset": {"marker": "o", "markersize": 4.5, "mfc": "white", "mec": VERMILLION, "mew": 1.2},
    "confirming": {"marker": "s", "markersize": 4.5, "mfc": "white", "mec": VERMILLION, "mew": 1.2},
    "ended": {"marker": "x", "markersize": 4.5, "color": BLACK, "mew": 1.2},
}
LANE_SIGNS = {
    "held": "From onset to confirmatory count",
    "kept": "Until loss, or the last count",
    "time": "Time to event or duration (arrow: censored)",
    "open": "After the last count; in a row: not evaluable (NE)",
    "stopped": "Permanently discontinued",
    "noted": "Recorded on that day",
    "onset": "Onset",
    "confirming": "Confirmatory count",
    "ended": "Loss, or failure of the endpoint",
}
"""The texts of the legend; the lane's name is not repeated."""


@dataclass(frozen=True)
class Lane:
    """A line beneath the counts."""

    label: str
    text: str = ""
    """What stands at the right end of the lane."""
    stretches: tuple[Stretch, ...] = ()
    marks: tuple[LaneMark, ...] = ()

    def draw(self, axes: Axes, middle: float, half: float, first: float, last: float) -> dict[str, Any]:
        """Draw the lane about `middle`, between the days shown, and return its symbols for the legend."""
        signs: dict[str, Any] = {}
        for stretch in self.stretches:
            begin, end = max(stretch.begin, first), min(stretch.end, last)
            bar = [(begin, max(end - begin, 0.0))]
            axes.broken_barh(bar, (middle - half, 2 * half), zorder=2, **BARS[stretch.look])
            if stretch.open:
                axes.plot([end], [middle], marker=">", markersize=4, color=BLACK, zorder=3, clip_on=False)
            if stretch.look in LANE_SIGNS:
                signs[f"lane {stretch.look}"] = Patch(label=LANE_SIGNS[stretch.look], **BARS[stretch.look])
        for mark in self.marks:
            axes.plot([mark.day], [middle], linestyle="", zorder=4, clip_on=False, **MARKS[mark.look])
            signs[f"lane {mark.look}"] = Line2D([], [], linestyle="", label=LANE_SIGNS[mark.look], **MARKS[mark.look])
        # The legend already has these names for the rings of the counts and for the time after follow-up.
        same = {"lane onset": "onset", "lane confirming": "confirming", "lane open": "open"}
        return {same.get(name, name): sign for name, sign in signs.items()}


def observed_lanes(cohort: Cohort, unit: TimeUnit) -> list[Lane]:
    """The lanes of the one patient of a cohort: rescue by name, its discontinuation, and columns of yes and no.

    Days in texts are those of an axis in this unit.
    """
    return [*_rescues(cohort), *_discontinued(cohort, unit), *_columns(cohort)]


def _rescues(cohort: Cohort) -> Iterator[Lane]:
    courses = cohort.courses
    by_name: dict[str, list[Stretch]] = {}
    begins = cohort.day[courses.row].tolist()
    for begin, last, code in zip(begins, courses.last.tolist(), courses.name.codes.tolist(), strict=True):
        name = as_the_field_spells(courses.name.labels[code]) if code >= 0 else ""
        by_name.setdefault(name, []).append(Stretch(begin, last + 1, "rescue"))
    if set(by_name) == {""}:
        yield Lane("Rescue", stretches=tuple(by_name[""]))
        return
    names = list(by_name)
    for name in names[:RESCUES]:
        yield Lane(f"Rescue: {name or UNNAMED}", stretches=tuple(by_name[name]))
    if names[RESCUES:]:
        rest = tuple(stretch for name in names[RESCUES:] for stretch in by_name[name])
        more = counted(len(names) - RESCUES, "other")
        yield Lane(f"Rescue: {more}", ", ".join(names[RESCUES:]), rest)


def _discontinued(cohort: Cohort, unit: TimeUnit) -> Iterator[Lane]:
    """The day study treatment was discontinued; without bar, as no input has the days on which it was given.

    None where discontinuation is not recorded.
    """
    stopped = float(cohort.treatment_discontinued[0])
    if np.isfinite(stopped):
        marks = (LaneMark(stopped, "stopped"),)
        yield Lane("Study treatment", f"permanently discontinued on {day_on_axis(int(stopped), unit)}", marks=marks)
    elif records_discontinuation(cohort):
        yield Lane("Study treatment", "not permanently discontinued")


def _columns(cohort: Cohort) -> Iterator[Lane]:
    for name, column in cohort.row_columns.items():
        if isinstance(column, Truths) and column.true.any():
            marks = tuple(LaneMark(day, "noted") for day in cohort.day[column.true].tolist())
            yield Lane(column_in_words(name), marks=marks)


def verdict_lanes(classification: Classification, names: list[str], unit: TimeUnit) -> list[Lane]:
    """A lane for each of these endpoints of the one patient of a classification."""
    return [_verdict(classification, name, unit) for name in names]


def _verdict(classification: Classification, name: str, unit: TimeUnit) -> Lane:
    model, verdict = classification.criteria.endpoints[name], classification.verdicts[name]
    value, label = verdict.labels[int(verdict.value[0])], classification.criteria.labelled(name)
    onset, confirming, ended = (
        int(classification.days_of(rows)[0]) for rows in (verdict.onset, verdict.confirming, verdict.ended)
    )
    dated = int(classification.dated(verdict)[0])
    reason = reason_in_words(classification.criteria.reasons.names[int(verdict.reason[0])])
    because = f"{result_in_words(value)}: {reason}"
    length = NO_DAY if verdict.days is None else int(verdict.days[0])
    if model.is_ranked:
        return Lane(label, because if value in ("NE", "NA") else all_patients(classification).rank_in_words(value))
    if value == "NE":
        return Lane(label, because, (_open(classification, name),), _marks(ended=ended))
    if model.runs_to is not None and length != NO_DAY:
        competed = bool(classification.competed(name)[0])
        censored = value != "Y" and not competed
        text = counted(length, "day") + (", censored" if censored else f", to {reason}" if competed else "")
        return Lane(label, text, (Stretch(dated - length, dated, "time", censored),))
    if value != "Y":
        failed = value == "N"
        return Lane(label, because if failed else result_in_words(value), (), _marks(ended=ended if failed else NO_DAY))
    if model.is_lost is not None:
        return Lane(label, f"met, {day_on_axis(dated, unit)}: {reason}", (), _marks(ended=dated))
    begin = onset if onset != NO_DAY else dated
    stretches = tuple(_response(classification, name, begin, confirming))
    return Lane(label, _met_in_words(classification, name, unit), stretches, _marks(begin, confirming))


def _met_in_words(classification: Classification, name: str, unit: TimeUnit) -> str:
    """What stands beside the lane of an endpoint that is met: its day, or of how many days observed it held."""
    verdict, model = classification.verdicts[name], classification.criteria.endpoints[name]
    if verdict.of_days is not None:
        length = NO_DAY if verdict.days is None else int(verdict.days[0])
        observed = counted(int(verdict.of_days[0]), "day")
        return f"{'' if model.is_length else 'met, '}{length:,} of {observed} observed"
    dated = int(classification.dated(verdict)[0])
    return f"met, {day_on_axis(dated, unit)}" if dated != NO_DAY else "met"


def _response(classification: Classification, name: str, begin: int, confirming: int) -> Iterator[Stretch]:
    """The stretch from the onset to the confirming row and, where the set has a loss, the stretch to the loss."""
    if begin == NO_DAY:
        return
    loss = loss_of(classification.criteria, name)
    shown = max(begin, confirming)
    if loss is not None and classification.criteria.endpoints[name].lasts:
        lost = int(classification.days_of(classification.verdicts[loss].dated)[0])
        end = lost if lost != NO_DAY else int(last_counts(classification)[0])
        yield Stretch(begin, max(end, shown), "kept", lost == NO_DAY)
    if shown > begin:
        yield Stretch(begin, shown, "held")


def _open(classification: Classification, name: str) -> Stretch:
    """The days that leave the verdict open: those of the endpoint, from the day of the endpoint it starts from.

    Where follow-up ended too early, the days after the last count.
    """
    model, reason = classification.criteria.endpoints[name], int(classification.verdicts[name].reason[0])
    first, last = (float(classification.patient_days.each(day)[0]) for day in model.days_looked_at())
    first = max(first, 0.0)
    end = int(last_counts(classification)[0])
    if classification.criteria.reasons.names[reason] == "follow_up_ended" and end != NO_DAY:
        return Stretch(max(end, first), last, "open")
    for origin in model.origins():
        day = int(classification.days_of(classification.verdicts[origin].dated)[0])
        first = max(first, day) if day != NO_DAY else first
    return Stretch(first, last, "open")


def _marks(onset: int = NO_DAY, confirming: int = NO_DAY, ended: int = NO_DAY) -> tuple[LaneMark, ...]:
    days = {"onset": onset, "confirming": confirming if confirming != onset else NO_DAY, "ended": ended}
    return tuple(LaneMark(day, look) for look, day in days.items() if day != NO_DAY)
