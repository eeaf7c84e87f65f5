"""Reclassification: streams of patients from their result under one criteria set to that under another."""

from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from itp_response.classification.classification import Classification
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.wording import counted_patients
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
    Picture,
    Sheet,
    folded,
    height,
    paper_width,
    spread,
    widest,
)

COLUMNS = 2
SIDE_BY_SIDE = 5.5
"""From this width of paper on, two panels stand beside each other."""
HIGH, BETWEEN, SIDE = 2.0, 0.25, 0.48
"""The height of the streams, the room between them, and the share of the width for the name of each side."""
GAP = 0.06
"""The gap between the verdicts of a side, as a share of all patients."""
BAR, CLEAR = 0.06, 0.02
"""The width of the bars, and the room between them and their texts, as shares of the length of the streams."""
RESULTS = {"Y": "met", "N": "not met"}
"""The results in words; what the others stand for is said in the notes."""
LOOKS: dict[str, dict[str, Any]] = {
    "Y": {"facecolor": BLUE},
    "N": {"facecolor": PALE},
    "NE": {"facecolor": "white", "hatch": "////"},
    "NA": {"facecolor": "white", "hatch": "...."},
}
CHANGED: dict[str, Any] = {"facecolor": ORANGE, "alpha": 0.75, "edgecolor": BLACK, "linewidth": 0.3}
UNCHANGED: dict[str, Any] = {"facecolor": FAINT, "edgecolor": PALE, "linewidth": 0.3}


@dataclass(frozen=True)
class Flow:
    """The number of patients with one verdict under the first set and one under the second."""

    first: str
    second: str
    patients: int


def draw(
    comparison: Comparison, *, study: str = "", endpoint: str | None = None, width: float | None = None
) -> Picture:
    """The patients as streams from one verdict to another, for every pair of corresponding endpoints.

    Durations and endpoints that only sum up others have no streams. With `endpoint`, a name of the first set, only its
    pairs are drawn. Raises `UsageError` where there is no such pair.
    """
    pairs = [pair for pair in comparison.pairs if not (pair.measured or pair.summed)]
    known = list(dict.fromkeys(pair.first.name for pair in pairs))
    if endpoint is not None and endpoint not in known:
        raise UsageError(unknown("endpoint that both sets define", endpoint, known))
    pairs = [pair for pair in pairs if endpoint in (None, pair.first.name)]
    if not pairs:
        raise UsageError("these sets have only durations in common, so no patient can be reclassified.")
    paper = paper_width(width)
    columns = COLUMNS if paper >= SIDE_BY_SIDE else 1
    across = min(columns, len(pairs))
    rows = -(-len(pairs) // columns)
    panel = (paper - 2 * MARGIN - (across - 1) * 2 * BETWEEN) / across
    titles = [_title(pair, panel) for pair in pairs]
    sides = [[folded(text, panel * SIDE, SMALL) for text in _names(pair)] for pair in pairs]
    side_height = max(height(text.count("\n") + 1, SMALL) for pair in sides for text in pair)
    head = max(height(title.count("\n") + 1, BODY) for title in titles) + side_height + 0.1
    notes = ["Orange streams: reclassified patients. NE: not evaluable (missing data). NA: not applicable."]
    sets = [_set_in_words(classification) for classification in comparison.classifications]
    title = f"Reclassification of {counted_patients(len(comparison.cohort))}: {' vs '.join(sets)}"
    sheet = Sheet((study, title), notes, rows * (head + HIGH + BETWEEN) - 0.1, width=paper)
    for number, (pair, title, heads) in enumerate(zip(pairs, titles, sides, strict=True)):
        row, column = divmod(number, columns)
        left, top = MARGIN + column * (panel + 2 * BETWEEN), row * (head + HIGH + BETWEEN)
        sheet.text(left, sheet.top + top, title, weight="bold", linespacing=1.15)
        _draw_streams(sheet.axes(left, top + head, panel, HIGH), pair, heads, panel)
    return sheet.picture


def _set_in_words(classification: Classification) -> str:
    """A criteria set as titles name it."""
    return classification.criteria.response_definition.partition(": ")[2]


def _title(pair: Pair, width: float) -> str:
    changed, patients = len(pair.changed), len(pair.first.classification.cohort)
    role = pair.role.replace("_", " ").capitalize()
    return folded(f"{role}: {changed:,} of {patients:,} reclassified", width, BODY + 0.8)


def _names(pair: Pair) -> tuple[str, str]:
    """The texts above the sides: set and endpoint."""
    first, second = (
        f"{_set_in_words(side.classification)}: {side.classification.criteria.labelled(side.name)}"
        for side in (pair.first, pair.second)
    )
    return first, second


def _flows(pair: Pair) -> list[Flow]:
    """The streams, in the order of the verdicts of the first set, then of the second."""
    table = pair.cross_table()
    across = table.columns[1:]
    return [
        Flow(first, second, number)
        for first, *numbers in table.iter_rows()
        for second, number in zip(across, numbers, strict=True)
        if number
    ]


def _draw_streams(axes: Axes, pair: Pair, heads: list[str], width: float) -> None:
    flows = _flows(pair)
    whole = max(sum(flow.patients for flow in flows), 1)
    edge = _edge(flows, width)
    axes.set_xlim(-edge, 1 + edge)
    axes.set_ylim(1 + 3 * GAP + 0.02, -0.02)
    axes.axis("off")
    sides = [_side([(getattr(flow, side), flow.patients) for flow in flows], whole) for side in ("first", "second")]
    for at, ha, text in ((-edge, "left", heads[0]), (1 + edge, "right", heads[1])):
        axes.text(at, -0.04, text, ha=ha, va="bottom", size=SMALL, color=GREY, linespacing=1.1)
    for number, side in enumerate(sides):
        _draw_bars(axes, side, left=number == 0)
    begins = [{label: top for label, (top, _) in side.items()} for side in sides]
    labels: list[tuple[float, str]] = []
    for flow in flows:
        share = flow.patients / whole
        left, right = begins[0][flow.first], begins[1][flow.second]
        begins[0][flow.first] += share
        begins[1][flow.second] += share
        changed = flow.first != flow.second
        look = CHANGED if changed else UNCHANGED
        axes.add_patch(PathPatch(_ribbon(left, right, share), zorder=2 if changed else 1, **look))
        if changed:
            change = " → ".join(RESULTS.get(label, label) for label in (flow.first, flow.second))
            labels.append((left + share / 2, f"{change}: {flow.patients:,}"))
    _draw_labels(axes, labels)


def _edge(flows: list[Flow], width: float) -> float:
    """The room for the texts beside the bars of a panel of this width, as a share of the length of the streams."""
    sides = [_side([(getattr(flow, side), flow.patients) for flow in flows], 1) for side in ("first", "second")]
    texts = [_bar_in_words(label, number) for side in sides for label, (_, number) in side.items()]
    share = (widest(texts, BODY) + 0.02) / width
    return (share + BAR + CLEAR) / (1 - 2 * share)


def _bar_in_words(label: str, number: int) -> str:
    return f"{RESULTS.get(label, label)} {number:,}"


def _side(parts: list[tuple[str, int]], whole: int) -> dict[str, tuple[float, int]]:
    """By verdict of a side, the upper end of its bar and its number of patients."""
    number: dict[str, int] = {}
    for label, patients in parts:
        number[label] = number.get(label, 0) + patients
    order = sorted(number, key=lambda label: list(LOOKS).index(label) if label in LOOKS else len(LOOKS))
    bars, top = {}, 0.0
    for label in order:
        bars[label] = (top, number[label])
        top += number[label] / whole + GAP
    return bars


def _draw_bars(axes: Axes, side: dict[str, tuple[float, int]], *, left: bool) -> None:
    whole = sum(number for _, number in side.values())
    edge = -BAR if left else 1.0
    middles = [top + number / whole / 2 for top, number in side.values()]
    levels = spread(middles, 0.075, -0.02, 1 + 3 * GAP - 0.02)
    for (label, (top, number)), middle in zip(side.items(), levels, strict=True):
        look: dict[str, Any] = {"edgecolor": BLACK, "linewidth": 0.5} | LOOKS.get(label, {"facecolor": GREY})
        axes.add_patch(Rectangle((edge, top), BAR, number / whole, zorder=3, **look))
        at, ha = (edge - CLEAR, "right") if left else (edge + BAR + CLEAR, "left")
        axes.text(at, middle, _bar_in_words(label, number), ha=ha, va="center", size=BODY)


def _ribbon(left: float, right: float, share: float) -> Path:
    """The outline of a stream from one side to the other, as broad as its share."""
    corners = [(0, left), (0.45, left), (0.55, right), (1, right)]
    back = [(1, right + share), (0.55, right + share), (0.45, left + share), (0, left + share)]
    curve = [Path.CURVE4] * 3
    return Path([*corners, *back, (0, left)], [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY])


def _draw_labels(axes: Axes, labels: list[tuple[float, str]]) -> None:
    """Write the changes where their streams begin, apart from one another."""
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85}
    levels = spread([level for level, _ in labels], 0.095, 0.0, 1 + 3 * GAP - 0.05)
    for (_, text), level in zip(labels, levels, strict=True):
        axes.text(0.03, level, text, ha="left", va="center", size=SMALL, zorder=5, bbox=box)
