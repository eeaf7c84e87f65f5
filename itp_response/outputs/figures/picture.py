"""Picture: a figure that says what made it, and the house's hand: paper, ink, labels that keep apart.

Lengths on paper are in inches, those of type in points. Text is measured in the font that matplotlib ships, so that a
picture is the same everywhere.
"""

import io
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

from itp_response.classification.provenance import BESIDE, Provenance, of_bytes
from itp_response.classification.writers import put
from itp_response.cohort.values import Floats
from itp_response.messages.errors import UsageError, unknown

FONT = "DejaVu Sans"
POINTS = 72
TITLE, BODY, SMALL = 9.0, 7.0, 6.0
"""Sizes of type."""
LEADING = 1.35
"""The distance of lines of type, as a multiple of its size."""
MARGIN = 0.15
WIDTH = 7.4
"""Of a picture over both columns of a journal."""
DPI = 200

# Okabe and Ito's colours, which the colour-blind tell apart, here in an order that falls from dark to light in grey.
BLACK, BLUE, VERMILLION, GREEN, ORANGE, SKY = "#000000", "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9"
GREY, PALE, FAINT = "#6E6E6E", "#C8C8C8", "#EBEBEB"
GROUPS: tuple[tuple[str, Any, str], ...] = (
    (BLUE, "-", "o"),
    (VERMILLION, (0, (4, 1.5)), "s"),
    (GREEN, (0, (1, 1)), "^"),
    (BLACK, (0, (6, 1.5, 1, 1.5)), "D"),
    (ORANGE, (0, (3, 1, 1, 1, 1, 1)), "v"),
    (SKY, (0, (8, 2)), "P"),
)
"""Colour, line and marker of each arm or group; several cues, for those who see or print no colour."""

STYLE: dict[str, Any] = {
    "font.family": FONT,
    "font.size": BODY,
    "axes.titlesize": BODY + 1,
    "axes.titlelocation": "left",
    "axes.labelsize": BODY,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": False,  # as in the tables
    "xtick.labelsize": SMALL + 0.5,
    "ytick.labelsize": SMALL + 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.fontsize": SMALL + 0.5,
    "legend.frameon": False,
    "hatch.linewidth": 0.5,
    "lines.linewidth": 1.0,
    "text.parse_math": False,  # a $ in an id is a $
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "itp-response",
    "pdf.fonttype": 42,
}


@contextmanager
def styled() -> Iterator[None]:
    """The settings that pictures are drawn and written with, whatever those of the caller are."""
    settings: Any = STYLE
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(settings)
        yield


class Picture(Figure):
    """A matplotlib figure with what is to be said with it, and what made it."""

    told: tuple[str, ...] = ()
    """What was taken or left out, a sentence each: beneath the picture too."""
    notes: tuple[str, ...] = ()
    """What was taken or noticed while reading, as in `Classification.summary`."""
    origin: Provenance | None = None
    found: Any = None
    """The `Classification` that is drawn, or the `Comparison`."""

    def write(self, path: str | Path) -> None:
        """Write a `.svg`, `.png` or `.pdf` file, whole or not at all; the same picture gives the same bytes.

        Beside it goes what made it, in `FILE.provenance.json`.
        Raises `UsageError` for another suffix or a place that cannot be written.
        """
        path = writable(path)
        content = self.drawn(path.suffix)
        put(path, lambda file: file.write(content))
        if self.origin is not None:
            text = replace(self.origin, outputs=(of_bytes(path.name, content),)).text()
            put(path.with_name(f"{path.name}{BESIDE}"), lambda file: file.write(text.encode()))

    def drawn(self, suffix: str, dpi: float = DPI) -> bytes:
        """The picture as the bytes of such a file, `.svg`, `.png` or `.pdf`."""
        with styled(), io.BytesIO() as file:
            self.savefig(file, format=suffix.removeprefix("."), dpi=dpi, metadata=METADATA[suffix])
            return file.getvalue()

    def summary(self) -> str:
        """What was taken, left out or noticed, a line each: for standard error."""
        return "\n".join([*self.told, *self.notes])


# No dates, so that the bytes depend on the picture alone.
METADATA: dict[str, dict[str, Any]] = {
    ".svg": {"Date": None, "Creator": "itp-response"},
    ".png": {"Software": "itp-response"},
    ".pdf": {"CreationDate": None, "Creator": "itp-response", "Producer": "matplotlib"},
}


def writable(path: str | Path) -> Path:
    """The path, if a picture can have such a name."""
    path = Path(path)
    if path.suffix not in METADATA:
        raise UsageError(f"{path.name}: {unknown('kind of picture', path.suffix, METADATA)}")
    return path


# MEASURES


@cache
def text_width(text: str, size: float) -> float:
    """How wide a line of text is."""
    if not text.strip():
        return 0.0
    # As outlines, without the hinting of a renderer, so that the width is the same at every resolution.
    font = FontProperties(family=FONT, size=size)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]) / POINTS


def widest(texts: Sequence[str], size: float) -> float:
    """How wide the widest of the texts is."""
    return max((text_width(line, size) for text in texts for line in text.split("\n")), default=0.0)


def height(lines: int, size: float) -> float:
    """How high so many lines are."""
    return lines * size * LEADING / POINTS


def folded(text: str, width: float, size: float) -> str:
    """The text broken into lines no wider than that."""
    letters = max(8, int(width / text_width("n", size) * 1.05))
    while True:
        lines = textwrap.wrap(text, letters, break_on_hyphens=False) or [""]
        if letters <= 8 or widest(lines, size) <= width:
            return "\n".join(lines)
        letters -= 1


def spread(places: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """The places moved so little as they can be for all to lie `apart` and between `low` and `high`.

    Where there is no room for all, they lie as far apart as it allows.
    """
    if not places:
        return []
    order = np.argsort(np.asarray(places, dtype=np.float64), kind="stable")
    apart = min(apart, (high - low) / max(len(places) - 1, 1))
    steps = apart * np.arange(len(places))
    # What is left after taking the steps off must only not fall: the nearest such is found by pooling neighbours.
    pools: list[tuple[float, int]] = []
    for wanted in (np.asarray(places, dtype=np.float64)[order] - steps).tolist():
        mean, size = wanted, 1
        while pools and pools[-1][0] > mean:
            before, number = pools.pop()
            mean, size = (before * number + mean * size) / (number + size), number + size
        pools.append((mean, size))
    level = np.repeat([mean for mean, _ in pools], [size for _, size in pools])
    moved = np.empty(len(places))
    moved[order] = np.clip(level, low, high - steps[-1]) + steps
    return [float(one) for one in moved]


# PAPER


class Sheet:
    """A picture in the making: a title, room for axes placed from the top left, and sentences beneath."""

    def __init__(
        self, title: str, told: Sequence[str], body: float, *, subtitle: str = "", width: float = WIDTH
    ) -> None:
        room = width - 2 * MARGIN
        heading = folded(title, room, TITLE)
        under = folded(subtitle, room, BODY) if subtitle else ""
        beneath = "\n".join(folded(one, room, SMALL) for one in told)
        self.width = width
        self.top = MARGIN + height(heading.count("\n") + 1, TITLE) + 0.06
        if under:
            self.top += height(under.count("\n") + 1, BODY) + 0.06
        foot = height(beneath.count("\n") + 1, SMALL) + 0.08 if beneath else 0.0
        self.height = self.top + body + foot + MARGIN
        self.picture = Picture(figsize=(width, self.height))
        self.picture.told = tuple(told)
        self.text(MARGIN, MARGIN, heading, size=TITLE, weight="bold", linespacing=LEADING - 0.15)
        if under:
            below = MARGIN + height(heading.count("\n") + 1, TITLE) + 0.04
            self.text(MARGIN, below, under, color=GREY, linespacing=LEADING - 0.15)
        if beneath:
            start = self.height - MARGIN - foot + 0.08
            self.text(MARGIN, start, beneath, size=SMALL, color=GREY, linespacing=LEADING - 0.15)
            self._foot: Text | None = self.picture.texts[-1]
        else:
            self._foot = None

    def grow(self, more: float) -> None:
        """Make the sheet so much higher, with the room between what is drawn and the sentences beneath."""
        before = self.height
        self.height = before + more
        for axes in self.picture.axes:
            left, bottom, width, high = axes.get_position().bounds
            place = (left, (bottom * before + more) / self.height, width, high * before / self.height)
            axes.set_position(place)
        for text in self.picture.texts:
            left, level = text.get_position()
            moved = 0.0 if text is self._foot else more
            text.set_position((left, (level * before + moved) / self.height))
        self.picture.set_size_inches(self.width, self.height)

    def text(self, left: float, top: float, text: str, **style: Any) -> None:
        """A text whose upper left corner lies there, counted from that of the sheet."""
        style = {"ha": "left", "va": "top"} | style
        self.picture.text(left / self.width, 1 - top / self.height, text, **style)

    def axes(self, left: float, top: float, width: float, height: float, **options: Any) -> Axes:
        """Axes there; `top` is counted from beneath the title."""
        bottom = self.height - self.top - top - height
        place = (left / self.width, bottom / self.height, width / self.width, height / self.height)
        return self.picture.add_axes(place, **options)

    def legend(self, handles: Sequence[Any], left: float, top: float, width: float) -> Legend:
        """A legend there, in as many columns as the room has; `top` is counted from beneath the title."""
        return self.picture.legend(
            handles=list(handles),
            loc="upper left",
            bbox_to_anchor=(left / self.width, 1 - (self.top + top) / self.height),
            ncols=columns_of([str(one.get_label()) for one in handles], width),
            borderaxespad=0,
            borderpad=0,
            handlelength=HANDLE,
            columnspacing=1.6,
            labelspacing=0.5,
        )


HANDLE = 2.4
"""How long the sign in a legend is, in sizes of its type."""


def columns_of(labels: Sequence[str], width: float) -> int:
    """How many columns a legend has."""
    size = STYLE["legend.fontsize"]
    one = widest(labels, size) + (HANDLE + 0.8 + 1.6) * size / POINTS
    return max(1, min(len(labels), int((width + 1.6 * size / POINTS) / one)))


def legend_height(labels: Sequence[str], width: float) -> float:
    """How high the legend of these labels is in that width."""
    rows = -(-len(labels) // columns_of(labels, width)) if labels else 0
    return rows * 1.55 * float(STYLE["legend.fontsize"]) / POINTS + 0.05


def rectangles(axes: Axes, across: tuple[Floats, Floats], up: tuple[Floats, Floats], **look: Any) -> None:
    """Many rectangles that look alike: left and right, bottom and top of each."""
    left, right = across
    corners = [(left, up[0]), (right, up[0]), (right, up[1]), (left, up[1])]
    shapes: Any = np.stack([np.stack(corner, axis=1) for corner in corners], axis=1)
    axes.add_collection(PolyCollection(shapes, **look), autolim=False)


def day_ticks(first: float, last: float, most: int = 13) -> list[int]:
    """Days for an axis: whole weeks, as many of them as there is room for."""
    steps = [step for step in WEEKS if (last - first) / step <= most]
    step = steps[0] if steps else 364 * int(np.ceil((last - first) / (364 * most)))
    return list(range(int(np.ceil(first / step)) * step, int(last) + 1, step))


WEEKS = (7, 14, 28, 56, 84, 182, 364, 728)


def week_ticks(first: float, last: float, most: int = 14) -> list[int]:
    """Weeks for an axis, as many as there is room for."""
    step = next((one for one in (1, 2, 4, 8, 13, 26, 52, 104) if (last - first) / one <= most), 260)
    return list(range(int(np.ceil(first / step)) * step, int(last) + 1, step))


def nice(name: str) -> str:
    """A name of a column or term without its underscores."""
    return name.replace("_", " ")


def look_of(group: int) -> tuple[str, Any, str]:
    """Colour, line and marker of a group by its number; of many they come again."""
    return GROUPS[group % len(GROUPS)]


def merged(pairs: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Stretches of days with those that overlap or touch joined."""
    joined: list[tuple[float, float]] = []
    for begin, end in sorted(pairs):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined
