"""Picture: a matplotlib figure with its notes and provenance, and the layout that all pictures share.

Lengths on paper are in inches, sizes of type in points. Text is measured in the font that matplotlib ships, unless
another is asked for, so a picture is the same on every machine.

The height of a picture follows from what it shows: a lane per patient, a row per subgroup, as many notes as there are.
matplotlib's own layout fits axes into a height that is given, so the positions here are reckoned from the texts.
"""

import base64
import io
import math
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font, get_font_names
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

from itp_response.classification.classification import Classification
from itp_response.classification.output_files import suffix_of
from itp_response.classification.provenance import Provenance
from itp_response.classification.supplied import titled
from itp_response.classification.writers import put_with_provenance
from itp_response.cohort.values import Floats
from itp_response.messages.errors import UsageError, nearest, unknown
from itp_response.messages.results import Result
from itp_response.messages.wording import counted_patients, visible
from itp_response.outputs.comparison.compare import Comparison

FONT = "DejaVu Sans"
POINTS = 72
TITLE, BODY, SMALL = 9.0, 7.0, 6.0
"""Sizes of type."""
LEADING = 1.35
"""The distance of lines of type, as a multiple of its size."""
MARGIN = 0.15
WIDTH = 7.4
"""The width of a picture over both columns of a journal."""
WIDTHS = (3.3, 30.0)
"""The widths that can be asked for: from one column of a journal to a poster."""
DPI = 200
SCREEN = 96
"""The dots an inch of a screen, on which a notebook shows pictures."""
DPIS = (30, 1200)
MOST_DOTS = 65_535
"""The dots of a side of a `.png` file, at most."""
LACKING = "\u25a1"
"""What is drawn for a sign that no font has: an empty square."""
LONG_WORD = re.compile(r"\S{201,}")
"""A word, such as an id, that is drawn with its middle left out."""

# Okabe and Ito's colours, which colour-blind readers tell apart, ordered from dark to light in grey.
BLACK, BLUE, VERMILLION, GREEN, ORANGE, SKY = "#000000", "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9"
GREY, PALE, FAINT = "#6E6E6E", "#C8C8C8", "#EBEBEB"
RESCUE = "#F4C95D"
"""Rescue treatment, wherever it is drawn: light enough for counts to be seen on it."""
GROUPS: tuple[tuple[str, Any, str], ...] = (
    (BLUE, "-", "o"),
    (VERMILLION, (0, (4, 1.5)), "s"),
    (GREEN, (0, (1, 1)), "^"),
    (BLACK, (0, (6, 1.5, 1, 1.5)), "D"),
    (ORANGE, (0, (3, 1, 1, 1, 1, 1)), "v"),
    (SKY, (0, (8, 2)), "P"),
)
"""Colour, line and marker of each arm or group: colour is never the only cue."""

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
def styled(font: str | None = None) -> Iterator[None]:
    """Draw and write with the settings of this package; the caller's settings return afterwards.

    Signs that the font lacks, as some lack a superscript, are taken from the font of the package.
    """
    settings: Any = STYLE if font is None else STYLE | {"font.family": [font, FONT]}
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(settings)
        yield


def check_paper(width: float | None, dpi: float | None, font: str | None) -> None:
    """Raise `UsageError` for a width or a resolution that no paper has, and for a font that is not installed."""
    for name, value, (least, most), unit in (("width", width, WIDTHS, "inches"), ("dpi", dpi, DPIS, "dots per inch")):
        if value is not None and not least <= value <= most:
            raise UsageError(f"{name} {value:g}: give {least:g} to {most:g} {unit}.")
    if font is not None and font not in (installed := get_font_names()):
        cure = "install it, or name another (matplotlib.font_manager.get_font_names() lists them)"
        raise UsageError(f"font {font!r} is not installed; {cure}.{nearest(font, installed)}")


def paper_width(asked: float | None, least: float = 0.0) -> float:
    """The width of the picture: as asked for, else that of two columns, or more where its texts need more.

    Raises `UsageError` where the texts need more than was asked for.
    """
    if asked is not None and asked < least:
        needed = math.ceil(10 * least) / 10
        raise UsageError(f"width {asked:g}: the texts of this picture need {needed:g} inches; give {needed:g} or more.")
    return max(WIDTH, least) if asked is None else asked


class Picture(Result, Figure):
    """A matplotlib `Figure` with its notes and its provenance.

    >>> from itp_response import plot
    >>> picture = plot("timeline", "d0 15, d22 <50, d29 45")
    >>> picture.notes
    ('Triangles: censored counts, drawn at the reporting limit and pointing to where the count may lie.',)
    >>> picture.result.criteria.name
    'atra_2022'
    >>> picture.drawn(".svg")[:5]
    b'<?xml'
    """

    notes: tuple[str, ...] = ()
    """What the picture assumes or excludes, a sentence each; the picture shows them beneath."""
    assumed: tuple[str, ...] = ()
    """What is assumed of the reference group, a line with its prefix; the picture shows it beneath too."""
    study_notes: tuple[str, ...] = ()
    """What was assumed or noticed while reading, as in `Classification.summary`."""
    dots: float = DPI
    """The resolution of a `.png` file, in dots per inch."""
    font: str | None = None
    """The font of its texts; None: that of matplotlib."""
    undrawn: tuple[str, ...] = ()
    """That its font lacks signs of its texts, in a sentence; empty: it lacks none."""
    origin: Provenance | None = None
    result: Classification | Comparison | None = None
    """The result that is drawn; a `Comparison` for `reclassification`."""

    def write(self, path: str | Path) -> None:
        """Write a `.svg`, `.png` or `.pdf` file, whole or not at all; the same picture gives the same bytes.

        The provenance goes beside it, in `FILE.provenance.json`.
        Raises `UsageError` for another suffix and for a path that cannot be written.
        """
        path = writable(path)
        content = self.drawn(suffix_of(path, METADATA))
        put_with_provenance(path, lambda file: file.write(content), self.origin)

    def drawn(self, suffix: str, dpi: float | None = None) -> bytes:
        """The bytes of a file with this suffix: `.svg`, `.png` (at `dpi`, else its own `dots` per inch) or `.pdf`."""
        self._check_dots(suffix, dpi or self.dots)
        with styled(self.font), io.BytesIO() as file:
            self.savefig(file, format=suffix.removeprefix("."), dpi=dpi or self.dots, metadata=METADATA[suffix])
            return file.getvalue()

    def _check_dots(self, suffix: str, dpi: float) -> None:
        """Raise `UsageError` for a picture that is too large for a file of dots."""
        across, up = (math.ceil(inches * dpi) for inches in self.get_size_inches())
        if suffix == ".png" and max(across, up) > MOST_DOTS:
            size = f"this picture has {across:,} by {up:,} dots at {dpi:g} dots per inch"
            raise UsageError(
                f"{size}; a .png file has at most {MOST_DOTS:,}; give a lower --dpi, or write .svg or .pdf."
            )

    def make_drawable(self) -> None:
        """Put signs that can be drawn in place of others in all texts; axes make their labels anew when drawn.

        `undrawn` then says which signs the font lacks. It is that of the settings in which this is called.
        """
        lacking = ""
        for text in self.findobj(Text):
            lacking += _lacking(text.get_text())
            text.set_text(drawable(text.get_text()))
        for axis in (axis for axes in self.axes for axis in (axes.xaxis, axes.yaxis)):
            labels = [label.get_text() for label in axis.get_ticklabels()]
            if labels != (shown := list(map(drawable, labels))):
                lacking += _lacking("".join(labels))
                axis.set_ticks(axis.get_ticklocs(), labels=shown)
        if lacking:
            self.undrawn = (_undrawn(lacking),)

    def _headline(self) -> str:
        result = self.result
        if result is None:
            return "not of a study"
        sets = [result] if isinstance(result, Classification) else result.classifications
        definitions = "; ".join(classification.criteria.response_definition for classification in sets)
        return f"{counted_patients(len(result.cohort))}. {definitions}"

    def _pieces(self) -> list[str]:
        image = base64.b64encode(self.drawn(".png", dpi=2 * SCREEN)).decode()
        width = round(self.get_figwidth() * SCREEN)
        return [f'<img src="data:image/png;base64,{image}" width="{width}" alt="{escape(self._headline())}">']

    def _assumptions(self) -> tuple[str, ...]:
        return self.study_notes  # the picture itself shows the others

    def summary(self) -> str:
        """The notes of the picture and of the study, a line each, for standard error."""
        return "\n".join([*self.notes, *self.undrawn, *self.assumed, *self.study_notes])


# No dates, so that the bytes depend on the picture alone.
METADATA: dict[str, dict[str, Any]] = {
    ".svg": {"Date": None, "Creator": "itp-response"},
    ".png": {"Software": "itp-response"},
    ".pdf": {"CreationDate": None, "Creator": "itp-response", "Producer": "matplotlib"},
}


def writable(path: str | Path) -> Path:
    """The path; raises `UsageError` if its suffix is not that of a picture."""
    path = Path(path)
    if suffix_of(path, METADATA) not in METADATA:
        raise UsageError(unknown("kind of picture", path.suffix, METADATA).after(f"{path.name}: "))
    return path


# MEASURES


def text_width(text: str, size: float) -> float:
    """The width of a line of text."""
    return _width_in(tuple(mpl.rcParams["font.family"]), text, size) if text.strip() else 0.0


@cache
def _width_in(family: tuple[str, ...], text: str, size: float) -> float:
    # Outlines have no hinting of a renderer, so the width is the same at every resolution.
    font = FontProperties(family=list(family), size=size)
    return float(text_to_path.get_text_width_height_descent(drawable(text), font, ismath=False)[0]) / POINTS


def drawable(text: str) -> str:
    """The text with control characters written out, and with squares for signs that the fonts of the settings lack."""
    lacking = _lacking(text)
    return visible(text).translate(dict.fromkeys(map(ord, lacking), LACKING)) if lacking else visible(text)


def _lacking(text: str) -> str:
    """The signs of the text that the fonts of the settings lack, each once."""
    if text.isascii():
        return ""
    known = _signs(tuple(mpl.rcParams["font.family"]))
    return "".join(sign for sign in dict.fromkeys(visible(text)) if ord(sign) not in known and sign != "\n")


@cache
def _signs(family: tuple[str, ...]) -> frozenset[int]:
    """The numbers of the signs that these fonts have."""
    fonts = [get_font(findfont(FontProperties(family=name))) for name in family]
    return frozenset(number for font in fonts for number in font.get_charmap())


def _undrawn(signs: str) -> str:
    """That the font lacks these signs, which are named by their numbers, as the font of a reader may lack them too."""
    numbers = [f"U+{ord(sign):04X}" for sign in sorted(set(signs))]
    shown = ", ".join(numbers[:5]) + (", …" if len(numbers) > 5 else "")
    return f"The font has no sign for {shown}: drawn as {LACKING}; --font names another font."


def widest(texts: Sequence[str], size: float) -> float:
    """The width of the widest text."""
    return max((text_width(line, size) for text in texts for line in text.split("\n")), default=0.0)


def height(lines: int, size: float) -> float:
    """The height of a number of lines."""
    return lines * size * LEADING / POINTS


def folded(text: str, width: float, size: float) -> str:
    """The text, broken into lines no wider than `width`; of words of more than 200 letters the middle is left out."""
    text = LONG_WORD.sub(lambda word: without_middle(word[0], 200), text)
    letters = max(8, int(width / text_width("n", size) * 1.05))
    while True:
        lines = textwrap.wrap(text, letters, break_on_hyphens=False) or [""]
        if letters <= 8 or widest(lines, size) <= width:
            return "\n".join(lines)
        letters -= 1


def fitted(text: str, width: float, size: float) -> str:
    """The text of one line, its middle left out where it is wider than `width`."""
    text = without_middle(text, 200)
    while text_width(text, size) > width and len(text) > 8:
        text = without_middle(text, len(text) * 9 // 10)
    return text


def without_middle(text: str, letters: int) -> str:
    """The text; of one with more letters its beginning and its end.

    >>> without_middle("ITP-0001-0002-0003", 9)
    'ITP-…0003'
    """
    half = (letters - 1) // 2
    return text if len(text) <= letters else f"{text[:half]}…{text[-half:]}"


def spread(positions: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """The positions, shifted as little as possible so that they lie `apart` and between `low` and `high`.

    Without room for all, they lie as far apart as the room allows.

    >>> spread([5, 5, 9], apart=1, low=0, high=10)
    [4.5, 5.5, 9.0]
    """
    if not positions:
        return []
    order = np.argsort(np.asarray(positions, dtype=np.float64), kind="stable")
    apart = min(apart, (high - low) / max(len(positions) - 1, 1))
    steps = apart * np.arange(len(positions))
    # Without the steps, the positions must not fall. Pooling neighbours gives the nearest such positions.
    pools: list[tuple[float, int]] = []
    for wanted in (np.asarray(positions, dtype=np.float64)[order] - steps).tolist():
        mean, size = wanted, 1
        while pools and pools[-1][0] > mean:
            before, number = pools.pop()
            mean, size = (before * number + mean * size) / (number + size), number + size
        pools.append((mean, size))
    level = np.repeat([mean for mean, _ in pools], [size for _, size in pools])
    shifted = np.empty(len(positions))
    shifted[order] = np.clip(level, low, high - steps[-1]) + steps
    return [float(position) for position in shifted]


# PAPER


class Sheet:
    """A picture that is being drawn: a title, a body for axes placed from the top left, and the notes beneath.

    The title has the study first, then what is shown; beneath it stands the response definition. `body` is the height
    between the title and the notes; all lengths are in inches.
    """

    def __init__(
        self,
        titles: tuple[str, str],
        notes: Sequence[str],
        body: float,
        *,
        subtitle: str = "",
        assumed: Sequence[str] = (),
        width: float = WIDTH,
    ) -> None:
        room = width - 2 * MARGIN
        heading = folded(titled(*titles), room, TITLE)
        under = folded(subtitle, room, BODY) if subtitle else ""
        beneath = "\n".join(folded(note, room, SMALL) for note in (*notes, *assumed))
        self.width = width
        self.top = MARGIN + height(heading.count("\n") + 1, TITLE) + 0.06
        if under:
            self.top += height(under.count("\n") + 1, BODY) + 0.06
        foot = height(beneath.count("\n") + 1, SMALL) + 0.08 if beneath else 0.0
        self.height = self.top + body + foot + MARGIN
        self.picture = Picture(figsize=(width, self.height))
        self.picture.notes, self.picture.assumed = tuple(notes), tuple(assumed)
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
        """Make the sheet higher by `more`, between the axes and the notes."""
        before = self.height
        self.height = before + more
        for axes in self.picture.axes:
            left, bottom, width, high = axes.get_position().bounds
            position = (left, (bottom * before + more) / self.height, width, high * before / self.height)
            axes.set_position(position)
        for text in self.picture.texts:
            left, level = text.get_position()
            shift = 0.0 if text is self._foot else more
            text.set_position((left, (level * before + shift) / self.height))
        self.picture.set_size_inches(self.width, self.height)

    def text(self, left: float, top: float, text: str, **style: Any) -> None:
        """A text; `left` and `top` are the distances of its corner from the upper left corner of the sheet."""
        style = {"ha": "left", "va": "top"} | style
        self.picture.text(left / self.width, 1 - top / self.height, text, **style)

    def axes(self, left: float, top: float, width: float, height: float, **options: Any) -> Axes:
        """Axes at this position; `top` is the distance from the lower edge of the title."""
        bottom = self.height - self.top - top - height
        position = (left / self.width, bottom / self.height, width / self.width, height / self.height)
        return self.picture.add_axes(position, **options)

    def legend(self, handles: Sequence[Any], left: float, top: float) -> Legend:
        """A legend in as many columns as fit; `top` is the distance from the lower edge of the title."""
        labels = labels_of(handles, self.width)
        return self.picture.legend(
            handles=list(handles),
            labels=labels,
            loc="upper left",
            bbox_to_anchor=(left / self.width, 1 - (self.top + top) / self.height),
            ncols=columns_of(labels, self.width),
            borderaxespad=0,
            borderpad=0,
            handlelength=HANDLE,
            columnspacing=1.6,
            labelspacing=0.5,
        )


HANDLE = 2.4
"""The length of a symbol in a legend, in sizes of its type."""


def labels_of(handles: Sequence[Any], width: float) -> list[str]:
    """The texts of a legend on paper of this width, broken where they are wider than the paper."""
    size = STYLE["legend.fontsize"]
    room = width - 2 * MARGIN - (HANDLE + 0.8) * size / POINTS
    return [folded(str(handle.get_label()), room, size) for handle in handles]


def columns_of(labels: Sequence[str], width: float) -> int:
    """The number of columns of a legend of these labels."""
    size, room = STYLE["legend.fontsize"], width - 2 * MARGIN
    column = widest(labels, size) + (HANDLE + 0.8 + 1.6) * size / POINTS
    return max(1, min(len(labels), int((room + 1.6 * size / POINTS) / column)))


def legend_height(handles: Sequence[Any], width: float) -> float:
    """The height of the legend of these symbols on paper of this width."""
    labels = labels_of(handles, width)
    columns = np.array_split(np.array([label.count("\n") + 1 for label in labels]), columns_of(labels, width))
    size = float(STYLE["legend.fontsize"]) / POINTS
    return max((1.2 * lines.sum() + 0.45 * len(lines) for lines in columns), default=0.0) * size + 0.05


def rectangles(axes: Axes, across: tuple[Floats, Floats], up: tuple[Floats, Floats], **look: Any) -> None:
    """Draw many rectangles of one look: `across` has the left and right edges, `up` the bottom and top edges."""
    left, right = across
    corners = [(left, up[0]), (right, up[0]), (right, up[1]), (left, up[1])]
    shapes: Any = np.stack([np.stack(corner, axis=1) for corner in corners], axis=1)
    axes.add_collection(PolyCollection(shapes, **look), autolim=False)


def look_of(group: int) -> tuple[str, Any, str]:
    """Colour, line and marker of a group by its number; after six groups they repeat."""
    return GROUPS[group % len(GROUPS)]


def merged(pairs: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The stretches of days; those that overlap or touch are joined."""
    joined: list[tuple[float, float]] = []
    for begin, end in sorted(pairs):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined
