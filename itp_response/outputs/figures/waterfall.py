"""Waterfall: the best change of the count from the baseline of each patient, the greatest first."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from itp_response.classification.classification import Classification
from itp_response.cohort.values import Bools, Floats, Ints
from itp_response.messages.wording import counted_patients
from itp_response.outputs.figures.axes import true_minus
from itp_response.outputs.figures.clauses import baseline_of, evidence
from itp_response.outputs.figures.picture import (
    BLACK,
    BLUE,
    BODY,
    GREY,
    MARGIN,
    PALE,
    SKY,
    VERMILLION,
    Picture,
    Sheet,
    folded,
    height,
    legend_height,
    paper_width,
    rectangles,
)
from itp_response.outputs.figures.responses import response_of, with_role
from itp_response.outputs.statistics.groups import Groups, all_patients, grouped
from itp_response.outputs.statistics.names import result_in_words

HIGH, BETWEEN = 1.7, 0.32
HATCHED = 150
"""Up to this many bars have hatches and edges; more have colours alone."""
MANY = 500
"""More bars than this are an image, also in SVG and PDF."""
LOOKS: dict[str, dict[str, Any]] = {
    "best": {"facecolor": BLUE},
    "next": {"facecolor": SKY, "hatch": "...."},
    "third": {"facecolor": VERMILLION, "hatch": "xxxx"},
    "none": {"facecolor": PALE, "hatch": "////"},
    "open": {"facecolor": "white", "hatch": "||||"},
}
NARROW = {"open": {"facecolor": BLACK}}
"""The looks of bars too narrow for a hatch, where they differ."""
RANKS = {1: ("best",), 2: ("best", "none"), 3: ("best", "next", "none")}
"""The looks of the verdicts, the best first, by their number. Of more than three, those between the second and the last
look alike."""


@dataclass(frozen=True)
class BestChanges:
    """The best change of each patient (P) in 10⁹/L (NaN: none), and the verdict that colours it."""

    change: Floats
    code: Ints
    labels: tuple[str, ...]
    colour_of: str
    """The endpoint of that verdict."""
    bounded: Bools
    """The count or the baseline is censored."""
    no_baseline: int
    no_count: int


def draw(
    classification: Classification,
    *,
    study: str = "",
    by: str = "arm",
    endpoint: str | None = None,
    width: float | None = None,
) -> Picture:
    """Each patient's highest count after day 0 minus the baseline, coloured by the best response.

    Counts that are no evidence for the endpoint of response, as soon after rescue, are not used.
    With `endpoint`, that endpoint is used, and its verdict is the colour.
    Raises `UsageError` for an unknown endpoint and for groups that cannot be formed.
    """
    groups = grouped(all_patients(classification), by)
    name = response_of(classification.criteria, endpoint)
    changes = _changes(classification, name, None if endpoint else with_role(classification.criteria, "best"))
    shown = int((~np.isnan(changes.change) & (groups.code >= 0)).sum())
    handles = _handles(classification, changes, shown)
    paper, left = paper_width(width), MARGIN + 0.6
    headings = [folded(text, paper - left - MARGIN, BODY) for text in _headings(changes, groups)]
    above = BETWEEN + max(height(heading.count("\n"), BODY) for heading in headings)
    body = len(headings) * (HIGH + above) + 0.3 + legend_height(handles, paper)
    notes = [*groups.notes, *_notes(changes, name, shown)]
    title = "Best change in platelet count from baseline"
    subtitle = classification.criteria.response_definition
    sheet = Sheet((study, title), notes, body, subtitle=subtitle, width=paper)
    top = 0.0
    for code, heading in enumerate(headings):
        top += above
        axes = sheet.axes(left, top, paper - left - MARGIN, HIGH)
        top += HIGH
        axes.set_title(heading, size=BODY)
        _draw_group(axes, changes, _sorted(changes, groups, code), shown)
    sheet.text(left, sheet.top + top + 0.08, "Patients, from the greatest change to the smallest", color=GREY)
    sheet.legend(handles, MARGIN, top + 0.3)
    return sheet.picture


def _headings(changes: BestChanges, groups: Groups) -> list[str]:
    """The groups with their sizes, and how many of their patients have no bar."""
    without = [int((member & np.isnan(changes.change)).sum()) for member in groups.members]
    texts = zip(groups.headed(), without, strict=True)
    return [f"{heading}, {number:,} without a bar" if number else heading for heading, number in texts]


def _draw_group(axes: Axes, changes: BestChanges, patients: Ints, shown: int) -> None:
    axes.set_ylim(*_limits(changes))
    axes.set_xlim(-0.5, max(len(patients), 1) - 0.5)
    axes.set_xticks([])
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(lambda value, _: true_minus(f"{value:,.0f}"))
    axes.spines["bottom"].set_visible(False)
    axes.set_ylabel("Change from baseline\n(×10⁹/L)")
    axes.axhline(0, color=BLACK, linewidth=0.6, zorder=4)
    axes.grid(axis="y", color=PALE, linewidth=0.4)
    _draw_bars(axes, changes, patients, shown)


def _changes(classification: Classification, name: str, best: str | None) -> BestChanges:
    cohort = classification.cohort
    patient_days = classification.patient_days
    counts = cohort.platelets
    level = np.where(np.isinf(counts.high), counts.low, counts.high)
    is_evidence = evidence(classification.criteria, name, patient_days)
    counted = np.flatnonzero(~np.isnan(level) & (cohort.day > 0) & is_evidence)
    patient = cohort.patient[counted]
    top, bounded = np.full(len(cohort), np.nan), np.zeros(len(cohort), dtype=np.bool_)
    if len(counted):
        begins = np.flatnonzero(np.append(True, patient[1:] != patient[:-1]))
        top[patient[begins]] = np.maximum.reduceat(level[counted], begins)
        is_top = level[counted] == top[patient]
        bounded[patient[is_top & (counts.low != counts.high)[counted]]] = True
    baseline = baseline_of(patient_days)
    base = np.where(np.isinf(baseline.high), baseline.low, baseline.high)
    colour = best or name
    verdict = classification.verdicts[colour]
    return BestChanges(
        change=top - base,
        code=verdict.value.astype(np.int64),
        labels=tuple(verdict.labels),
        colour_of=colour,
        bounded=(bounded | (baseline.low != baseline.high)) & ~np.isnan(top - base),
        no_baseline=int(np.isnan(base).sum()),
        no_count=int((np.isnan(top) & ~np.isnan(base)).sum()),
    )


def _limits(changes: BestChanges) -> tuple[float, float]:
    known = changes.change[~np.isnan(changes.change)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    span = max(high, 0.0, 30.0) - min(low, 0.0)
    return min(low, 0.0) - 0.04 * span, max(high, 30.0) + 0.04 * span


def _sorted(changes: BestChanges, groups: Groups, code: int) -> Ints:
    patients = np.flatnonzero((groups.code == code) & ~np.isnan(changes.change))
    return patients[np.lexsort((patients, -changes.change[patients]))]


def _notes(changes: BestChanges, name: str, shown: int) -> list[str]:
    notes = [
        f"Highest platelet count after day 0 minus baseline; counts that are not evidence for {name} are not used."
    ]
    if changes.no_baseline:
        notes.append(f"{counted_patients(changes.no_baseline)} without a baseline: no bar.")
    if changes.no_count:
        notes.append(f"{counted_patients(changes.no_count)} without a count that can be used: no bar.")
    bounded = int(changes.bounded.sum())
    if bounded:
        notes.append(f"{counted_patients(bounded)} with a censored count or baseline: the reporting limit is used.")
    if shown > HATCHED:
        notes.append(f"Each of the {shown:,} bars is one patient; patient ids are not shown.")
    return notes


def _looks(changes: BestChanges, shown: int) -> list[tuple[int, str, dict[str, Any]]]:
    """The code, label and look of each verdict that occurs."""
    occurs = np.unique(changes.code).tolist()
    closed = [code for code, label in enumerate(changes.labels) if label not in ("NE", "NA") and code <= max(occurs)]
    ranks = RANKS.get(len(closed)) or ("best", "next", *["third"] * (len(closed) - 3), "none")
    names = dict(zip(closed, ranks, strict=True))
    looks = []
    for code in occurs:
        name = names.get(code, "open")
        look = LOOKS[name] if shown <= HATCHED else NARROW.get(name, {"facecolor": LOOKS[name]["facecolor"]})
        looks.append((code, changes.labels[code], look))
    return looks


def _handles(classification: Classification, changes: BestChanges, shown: int) -> list[Any]:
    style: dict[str, Any] = {"edgecolor": BLACK, "linewidth": 0.3}
    patients = all_patients(classification)
    name = changes.colour_of
    ranked = patients.endpoints[name].is_ranked
    what = patients.endpoints[name].label if ranked else classification.criteria.labelled(name)
    in_words = patients.rank_in_words if ranked else result_in_words
    return [Patch(label=f"{what}: {in_words(label)}", **look, **style) for _, label, look in _looks(changes, shown)]


def _draw_bars(axes: Axes, changes: BestChanges, patients: Ints, shown: int) -> None:
    edge: dict[str, Any] = {"edgecolor": BLACK, "linewidth": 0.3} if shown <= HATCHED else {"linewidth": 0}
    half = 0.45 if shown <= HATCHED else 0.5
    for code, _, look in _looks(changes, shown):
        position = np.flatnonzero(changes.code[patients] == code).astype(np.float64)
        level = changes.change[patients[changes.code[patients] == code]]
        image = {"rasterized": shown > MANY, "antialiased": shown <= MANY}
        across, up = (position - half, position + half), (np.zeros(len(position)), level)
        rectangles(axes, across, up, zorder=2, **look, **edge, **image)
