"""Figures: the pictures of the study as small SVG elements of the page."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from itp_response.classification.classification import Classification
from itp_response.messages.errors import UsageError
from itp_response.outputs.figures.kinds import KINDS, Kind
from itp_response.outputs.figures.plot import plot
from itp_response.outputs.report.patients import ReportProgress

SHOWN: Mapping[Kind, str] = {
    "swimmer": "Course of each patient (swimmer plot)",
    "spaghetti": "Platelet counts over time",
    "km": "Time to event (Kaplan-Meier)",
    "waterfall": "Best change in platelet count (waterfall plot)",
    "forest": "Response by subgroup (forest plot)",
}
"""The kinds of picture, in the order of the page, and their headings."""
BEFORE = re.compile(r"^.*?(?=<svg)", re.DOTALL)
APART = re.compile(r"\s*<metadata>.*?</metadata>|<style.*?</style>", re.DOTALL)
"""Elements that the page must not have: a style of a picture would be a style of the whole page."""
NAMES = re.compile(r'(?<= id=")|(?<=url\(#)|(?<=href="#)')
COORDINATES = re.compile(r' (?:d|points|x|y|cx|cy|x1|x2|y1|y2|width|height)="[^"]*"|translate\([^)]*\)')
DECIMALS = re.compile(r"-?\d+\.\d{3,}")
LINE_BREAK = re.compile(r"\s*\n\s*")


@dataclass(frozen=True)
class EmbeddedFigure:
    """A picture of the page, or the reason why there is none."""

    kind: str
    title: str
    svg: str
    notes: tuple[str, ...]
    """What the picture assumes or leaves out, a sentence each."""
    why_not: str = ""


def figures(
    classification: Classification, progress: ReportProgress, title: str | None = None, reference: str | None = None
) -> Iterator[EmbeddedFigure]:
    """Every kind of picture; the reason instead where the criteria or data do not allow one."""
    for kind, _ in zip(SHOWN, progress(list(SHOWN), "figures"), strict=True):
        try:
            compared_with = reference if "reference" in KINDS[kind] else None
            picture = plot(kind, classification, title=title, reference=compared_with)
        except UsageError as error:
            yield EmbeddedFigure(kind, SHOWN[kind], "", (), str(error))
            continue
        yield EmbeddedFigure(
            kind,
            SHOWN[kind],
            small(picture.drawn(".svg").decode(), kind),
            (*picture.notes, *picture.undrawn, *picture.assumed),
        )


def small(svg: str, name: str) -> str:
    """An SVG file as an element of a page, with coordinates to a hundredth of a point and unique names."""
    svg = APART.sub("", BEFORE.sub("", svg))
    svg = COORDINATES.sub(lambda coordinate: DECIMALS.sub(lambda number: f"{float(number[0]):.2f}", coordinate[0]), svg)
    return NAMES.sub(f"{name}-", LINE_BREAK.sub("\n", svg)).strip()
