"""Reclassification: how patients move from their verdict under one set of criteria to that under another."""

from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.wording import listed
from itp_response.outputs.comparison.compare import Comparison, Pair
from itp_response.outputs.figures.picture import (
    BLACK,
    BLUE,
    BODY,
    FAINT,
    GREY,
    MARGIN,
    ORANGE,
    PALE,
    SMALL,
    WIDTH,
    Picture,
    Sheet,
    folded,
    height,
    nice,
    spread,
)

COLUMNS = 2
HIGH, BETWEEN, SIDE = 2.0, 0.25, 0.48
"""The height of the streams, the room between them, what part of the width each side's name has."""
GAP = 0.06
"""Between the verdicts of a side, as a share of all patients."""
BAR = 0.06
LOOKS: dict[str, dict[str, Any]] = {
    "Y": {"facecolor": BLUE},
    "N": {"facecolor": PALE},
    "NE": {"facecolor": "white", "hatch": "////"},
    "NA": {"facecolor": "white", "hatch": "...."},
}
MOVED: dict[str, Any] = {"facecolor": ORANGE, "alpha": 0.75, "edgecolor": BLACK, "linewidth": 0.3}
STAYED: dict[str, Any] = {"facecolor": FAINT, "edgecolor": PALE, "linewidth": 0.3}


@dataclass(frozen=True)
class Flow:
    """So many patients with this verdict under the one set and that under the other."""

    one: str
    other: str
    patients: int


def draw(comparison: Comparison, *, endpoint: str | None = None) -> Picture:
    """For every pair of criteria that stand for the same, the patients as streams from one verdict to another.

    Lengths of time, and what only sums up other criteria, have none. With `endpoint`, of the first set, only its own.
    Raises `UsageError` where there is no such pair.
    """
    pairs = [pair for pair in comparison.pairs if not (pair.measured or pair.summed)]
    known = list(dict.fromkeys(pair.first.name for pair in pairs))
    if endpoint is not None and endpoint not in known:
        raise UsageError(unknown("endpoint that both sets have a verdict for", endpoint, known))
    pairs = [pair for pair in pairs if endpoint in (None, pair.first.name)]
    if not pairs:
        raise UsageError("these sets share lengths of time only, so no verdict can change.")
    names = [one.criteria.marked_name for one in comparison.classifications]
    across = min(COLUMNS, len(pairs))
    rows = -(-len(pairs) // COLUMNS)
    width = (WIDTH - 2 * MARGIN - (across - 1) * 2 * BETWEEN) / across
    titles = [_title(pair, width) for pair in pairs]
    sides = [[folded(text, width * SIDE, SMALL) for text in _names(pair)] for pair in pairs]
    deep = max(height(text.count("\n") + 1, SMALL) for pair in sides for text in pair)
    head = max(height(title.count("\n") + 1, BODY) for title in titles) + deep + 0.1
    told = ["Orange: another verdict under the other set. Y met, N not met, NE not evaluable, NA does not arise."]
    sheet = Sheet(
        f"{len(comparison.cohort):,} patients under {listed(names)}", told, rows * (head + HIGH + BETWEEN) - 0.1
    )
    for place, (pair, title, heads) in enumerate(zip(pairs, titles, sides, strict=True)):
        row, column = divmod(place, COLUMNS)
        left, top = MARGIN + column * (width + 2 * BETWEEN), row * (head + HIGH + BETWEEN)
        sheet.text(left, sheet.top + top, title, weight="bold", linespacing=1.15)
        _streams(sheet.axes(left, top + head, width, HIGH), pair, heads)
    return sheet.picture


def _title(pair: Pair, width: float) -> str:
    changed, patients = len(pair.changed), len(pair.first.classification.cohort)
    return folded(f"{nice(pair.role)}: {changed:,} of {patients:,} change", width, BODY + 0.8)


def _names(pair: Pair) -> tuple[str, str]:
    """What stands above the sides: set and endpoint."""
    one = f"{pair.first.classification.criteria.marked_name} {nice(pair.first.name)}"
    return one, f"{pair.second.classification.criteria.marked_name} {nice(pair.second.name)}"


def _flows(pair: Pair) -> list[Flow]:
    """The streams, in the order of the verdicts of the one set, then of the other."""
    table = pair.cross_table()
    across = table.columns[1:]
    return [
        Flow(one, other, number)
        for one, *numbers in table.iter_rows()
        for other, number in zip(across, numbers, strict=True)
        if number
    ]


def _streams(axes: Axes, pair: Pair, heads: list[str]) -> None:
    flows = _flows(pair)
    whole = max(sum(flow.patients for flow in flows), 1)
    axes.set_xlim(-0.22, 1.22)
    axes.set_ylim(1 + 3 * GAP + 0.02, -0.02)
    axes.axis("off")
    sides = [_side([(getattr(flow, side), flow.patients) for flow in flows], whole) for side in ("one", "other")]
    for at, ha, text in ((-0.22, "left", heads[0]), (1.22, "right", heads[1])):
        axes.text(at, -0.04, text, ha=ha, va="bottom", size=SMALL, color=GREY, linespacing=1.1)
    for place, side in enumerate(sides):
        _bars(axes, side, place)
    begins = [{label: top for label, (top, _) in side.items()} for side in sides]
    labels: list[tuple[float, str]] = []
    for flow in flows:
        share = flow.patients / whole
        left, right = begins[0][flow.one], begins[1][flow.other]
        begins[0][flow.one] += share
        begins[1][flow.other] += share
        moved = flow.one != flow.other
        axes.add_patch(PathPatch(_ribbon(left, right, share), zorder=2 if moved else 1, **(MOVED if moved else STAYED)))
        if moved:
            labels.append((left + share / 2, f"{flow.one} → {flow.other}: {flow.patients:,}"))
    _labelled(axes, labels)


def _side(parts: list[tuple[str, int]], whole: int) -> dict[str, tuple[float, int]]:
    """Of each verdict of a side where its bar begins, and how many patients have it."""
    number: dict[str, int] = {}
    for label, patients in parts:
        number[label] = number.get(label, 0) + patients
    order = sorted(number, key=lambda label: list(LOOKS).index(label) if label in LOOKS else len(LOOKS))
    found, top = {}, 0.0
    for label in order:
        found[label] = (top, number[label])
        top += number[label] / whole + GAP
    return found


def _bars(axes: Axes, side: dict[str, tuple[float, int]], place: int) -> None:
    whole = sum(number for _, number in side.values())
    left = -BAR if place == 0 else 1.0
    middles = [top + number / whole / 2 for top, number in side.values()]
    moved = spread(middles, 0.075, -0.02, 1 + 3 * GAP - 0.02)
    for (label, (top, number)), middle in zip(side.items(), moved, strict=True):
        look: dict[str, Any] = {"edgecolor": BLACK, "linewidth": 0.5} | LOOKS.get(label, {"facecolor": GREY})
        axes.add_patch(Rectangle((left, top), BAR, number / whole, zorder=3, **look))
        at, ha = (left - 0.02, "right") if place == 0 else (left + BAR + 0.02, "left")
        axes.text(at, middle, f"{label} {number:,}", ha=ha, va="center", size=BODY)


def _ribbon(left: float, right: float, share: float) -> Path:
    """A stream from one side to the other, as broad as its share."""
    corners = [(0, left), (0.45, left), (0.55, right), (1, right)]
    back = [(1, right + share), (0.55, right + share), (0.45, left + share), (0, left + share)]
    curve = [Path.CURVE4] * 3
    return Path([*corners, *back, (0, left)], [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY])


def _labelled(axes: Axes, labels: list[tuple[float, str]]) -> None:
    """What moved, where its stream begins, kept apart from the others."""
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85}
    moved = spread([place for place, _ in labels], 0.095, 0.0, 1 + 3 * GAP - 0.05)
    for (_, text), place in zip(labels, moved, strict=True):
        axes.text(0.03, place, text, ha="left", va="center", size=SMALL, zorder=5, bbox=box)
