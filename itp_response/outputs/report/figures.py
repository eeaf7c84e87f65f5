"""Figures: the study's pictures as SVG that stands in the page, as small as it goes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from itp_response.classification.classification import Classification
from itp_response.messages.errors import UsageError
from itp_response.outputs.figures.kinds import Kind
from itp_response.outputs.figures.plot import plot
from itp_response.outputs.report.patients import Progress

SHOWN: Mapping[Kind, str] = {
    "swimmer": "Each patient's course",
    "spaghetti": "Counts over time",
    "km": "Times to an event, by Kaplan and Meier",
    "waterfall": "Best change of the count",
    "forest": "Subgroups",
}
"""The kinds of picture, in the order of the page, and their headings."""
BEFORE = re.compile(r"^.*?(?=<svg)", re.DOTALL)
APART = re.compile(r"\s*<metadata>.*?</metadata>|<style.*?</style>", re.DOTALL)
"""What would be no part of an element of a page: a style there is one of the whole page."""
NAMED = re.compile(r'(?<= id=")|(?<=url\(#)|(?<=href="#)')
PLACES = re.compile(r' (?:d|points|x|y|cx|cy|x1|x2|y1|y2|width|height)="[^"]*"|translate\([^)]*\)')
FINE = re.compile(r"-?\d+\.\d{3,}")
SPACE = re.compile(r"\s*\n\s*")


@dataclass(frozen=True)
class EmbeddedFigure:
    """A picture in the page, or why there is none."""

    kind: str
    title: str
    svg: str
    told: tuple[str, ...]
    """What was taken or left out, a sentence each."""
    why_not: str = ""


def figures(classification: Classification, progress: Progress) -> Iterator[EmbeddedFigure]:
    """Every kind of picture; of one that these criteria or data do not give, the reason."""
    for kind, _ in zip(SHOWN, progress(list(SHOWN), "figures"), strict=True):
        try:
            picture = plot(kind, classification)
        except UsageError as error:
            yield EmbeddedFigure(kind, SHOWN[kind], "", (), str(error))
            continue
        yield EmbeddedFigure(kind, SHOWN[kind], small(picture.drawn(".svg").decode(), kind), picture.notes)


def small(svg: str, name: str) -> str:
    """An SVG file as an element of a page: coordinates to a hundredth of a point, and names that no other has."""
    svg = APART.sub("", BEFORE.sub("", svg))
    svg = PLACES.sub(lambda place: FINE.sub(lambda number: f"{float(number[0]):.2f}", place[0]), svg)
    return NAMED.sub(f"{name}-", SPACE.sub("\n", svg)).strip()
