"""Forest: an endpoint in subgroups, as the risk difference or odds ratio of two arms with its interval."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon

from itp_response.classification.classification import Classification
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.optional_imports import needed
from itp_response.messages.wording import one_line
from itp_response.outputs.figures.axes import true_minus
from itp_response.outputs.figures.picture import (
    BLACK,
    BLUE,
    BODY,
    FAINT,
    GREY,
    MARGIN,
    SMALL,
    Picture,
    Sheet,
    fitted,
    folded,
    height,
    paper_width,
    text_width,
    widest,
)
from itp_response.outputs.statistics.groups import (
    FAVOURABLE_ROLES,
    AnalysedPatients,
    Groups,
    all_patients,
    grouped,
    in_words,
)
from itp_response.outputs.statistics.interaction import LOGISTIC_IN_WORDS, response_interaction
from itp_response.outputs.statistics.proportions import (
    INTERVALS,
    LEVEL,
    Outcome,
    Proportion,
    criteria_met,
    difference,
    outcome,
    primary,
    shares,
)
from itp_response.outputs.statistics.tables import DASH, fraction, probability, rounded, span

LONGEST = 4.0
"""The width of the label of a row, at most, in inches."""
MEASURES = ("difference", "odds-ratio")
SMALL_GROUPS = (2, 4)
"""The least and the greatest number of values of a column that makes subgroups by default."""
ROW, INSET, GRAPH = 0.165, 0.12, 1.8
"""The height of a row, the indent of a subgroup, and the least width of the graph."""
LARGEST, SMALLEST = 7.0, 1.6
"""The sides of the squares of the greatest and of the least weight, in points."""


@dataclass(frozen=True)
class Row:
    """A line of the forest; without shares it is the heading of subgroups."""

    label: str
    shares: tuple[Proportion, Proportion] | None = None
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    inset: float = 0.0
    interaction: float = math.nan
    """Of a heading, the p-value of the test of interaction; NaN: it cannot be estimated."""


def draw(
    classification: Classification,
    *,
    study: str = "",
    by: Sequence[str] = (),
    endpoint: str | None = None,
    measure: str = "difference",
    reference: str | None = None,
    width: float | None = None,
) -> Picture:
    """The shares of patients in two arms that met an endpoint: all, and the subgroups by each of the columns `by`.

    The second arm is the reference arm.

    Without `by`, every column of the patient table with two to four values that are not numbers makes subgroups.
    Raises `UsageError` unless there are two arms, and for an unknown endpoint, column or measure.
    """
    if measure not in MEASURES:
        raise UsageError(unknown("measure", measure, MEASURES))
    patients = all_patients(classification)
    groups = _reference_last(grouped(patients, "arm", reference))
    if len(groups.labels) != 2:
        arms = ", ".join(groups.labels)
        raise UsageError(f"a forest plot compares two arms; this study has {len(groups.labels)}: {arms}.")
    if endpoint is not None and endpoint not in criteria_met(patients):
        raise UsageError(unknown("endpoint that is met or not", endpoint, criteria_met(patients)))
    name = endpoint or primary(patients)
    subgroups = {column: grouped(patients, column) for column in list(by) or _with_few_values(patients)}
    rows = list(_rows(patients, outcome(patients, name), groups, subgroups, measure))
    layout = _layout(rows, groups, measure, _directions(patients, name, groups), width)
    notes = [*groups.notes, *(note for division in subgroups.values() for note in division.notes)]
    notes += _notes(rows, groups, measure, by_default=not by)
    body = layout.head_height + ROW * len(rows) + 0.25 + layout.axis_height
    sheet = Sheet(
        (study, f"{classification.criteria.labelled(name)} in subgroups"),
        notes,
        body,
        subtitle=classification.criteria.response_definition,
        assumed=groups.assumed,
        width=layout.width,
    )
    _draw_rows(sheet, rows, layout, measure)
    return sheet.picture


def _directions(patients: AnalysedPatients, name: str, groups: Groups) -> tuple[str, str]:
    """What an effect to the left of no effect says, and one to the right."""
    first, second = groups.labels
    if patients.is_unfavourable(name):
        return f"Favours {first}", f"Favours {second}"
    if patients.endpoints[name].role in FAVOURABLE_ROLES:
        return f"Favours {second}", f"Favours {first}"
    return f"More often in {second}", f"More often in {first}"


def _reference_last(groups: Groups) -> Groups:
    """The groups, the reference group last."""
    number = len(groups.labels)
    order = [code for code in range(number) if code != groups.reference] + [groups.reference]
    position = np.array([*(order.index(code) for code in range(number)), -1])
    return replace(
        groups,
        labels=tuple(groups.labels[code] for code in order),
        code=position[groups.code],
        reference=number - 1,
    )


def _with_few_values(patients: AnalysedPatients) -> list[str]:
    """The columns of texts with few enough values to make subgroups."""
    low, high = SMALL_GROUPS
    texts = {name: column for name, column in patients.characteristics.items() if not column.dtype.is_numeric()}
    return [name for name, column in texts.items() if low <= in_words(column).drop_nulls().n_unique() <= high]


def _rows(
    patients: AnalysedPatients, met: Outcome, groups: Groups, subgroups: Mapping[str, Groups], measure: str
) -> Iterator[Row]:
    yield _row("All patients", shares(met, groups), measure)
    for column, subgroup in subgroups.items():
        yield Row(
            fitted(one_line(patients.title_of(column)), LONGEST, BODY),
            interaction=response_interaction(met, groups, subgroup),
        )
        for code, label in enumerate(subgroup.labels):
            proportions = shares(met, groups.within(subgroup.code == code))
            if any(proportion.of for proportion in proportions):
                yield _row(fitted(one_line(label), LONGEST, BODY), proportions, measure, INSET)


def _row(label: str, proportions: list[Proportion], measure: str, inset: float = 0.0) -> Row:
    first, second = proportions
    if measure == "difference":
        effect = difference(first, second)
        return Row(label, (first, second), effect.difference, effect.low, effect.high, inset)
    return Row(label, (first, second), *_odds_ratio(first, second), inset)


def _odds_ratio(first: Proportion, second: Proportion) -> tuple[float, float, float]:
    """The odds ratio of the first to the second with its 95% CI on the logarithm; NaN where a cell is empty."""
    cells = np.array([[first.met, first.of - first.met], [second.met, second.of - second.met]])
    if not cells.all():
        return math.nan, math.nan, math.nan
    table = needed("statsmodels.stats.contingency_tables", "stats").Table2x2(cells)
    low, high = table.oddsratio_confint(1 - LEVEL)
    return float(table.oddsratio), float(low), float(high)


def _notes(rows: list[Row], groups: Groups, measure: str, *, by_default: bool) -> Iterator[str]:
    first, second = groups.labels
    if measure == "difference":
        yield f"Risk difference: {first} minus {second}; 95% CI by {INTERVALS['newcombe']}."
    else:
        yield f"Odds ratio: {first} vs {second}; Wald 95% CI on the log scale."
    yield (
        "Non-evaluable patients counted as not meeting the endpoint (ITT). Not adjusted for multiplicity. "
        "Area of squares: inverse variance, from the width of the 95% CI; diamond: all patients."
    )
    if any(row.shares and row.value != row.value for row in rows):
        why = "an arm without patients" if measure == "difference" else "all or no patients of an arm met the endpoint"
        yield f"{DASH} not estimable: {why}."
    if any(row.interaction == row.interaction for row in rows):
        yield f"{LOGISTIC_IN_WORDS}."
    if by_default:
        low, high = SMALL_GROUPS
        yield f"Subgroups: all text columns of the patient table with {low} to {high} different values."


@dataclass(frozen=True)
class _Layout:
    """The columns of the picture: their positions in inches from the left, and their texts."""

    heads: tuple[str, str, str]
    cells: tuple[list[str], list[str], list[str]]
    """n/N of each arm, and the effect with its 95% CI."""
    starts: tuple[float, float, float]
    graph: tuple[float, float]
    """The left edge and the width of the graph."""
    width: float
    """The width of the picture, which grows with long labels."""
    head_height: float
    """The height of the heads."""
    axis: str
    directions: tuple[str, str]
    """What stands under the graph at the left and at the right of no effect."""

    @property
    def axis_height(self) -> float:
        """The height of the texts under the graph."""
        lines = max(text.count("\n") + 1 for text in self.directions) + self.axis.count("\n") + 1
        return height(lines, BODY) + 0.06


def _layout(rows: list[Row], groups: Groups, measure: str, directions: tuple[str, str], width: float | None) -> _Layout:
    effect = "Risk difference,\npercentage points" if measure == "difference" else "Odds ratio"
    first, second = (f"{folded(label, 1.1, SMALL)},\nn/N (%)" for label in groups.labels)
    heads = (first, second, f"{effect}\n(95% CI)")
    cells = (_cells(rows, 0), _cells(rows, 1), [_effect_in_words(row, measure) for row in rows])
    widths = [widest([*column, head], SMALL) + 0.15 for column, head in zip(cells, heads, strict=True)]
    # Headings are bold, a seventh wider.
    label = max(0.9, *(text_width(row.label, BODY) * (1.0 if row.inset else 1.15) + row.inset + 0.12 for row in rows))
    begin = MARGIN + label + widths[0] + widths[1]
    paper = paper_width(width, begin + GRAPH + 0.1 + widths[2] + MARGIN)
    last = paper - MARGIN - widths[2] + 0.12
    across = last - 0.2 - begin
    word = "Risk difference (percentage points)" if measure == "difference" else "Odds ratio (log scale)"
    half = across / 2 - 0.05
    return _Layout(
        heads=heads,
        cells=cells,
        starts=(MARGIN + label, MARGIN + label + widths[0], last),
        graph=(begin, across),
        width=paper,
        head_height=max(head.count("\n") + 1 for head in heads) * SMALL * 1.3 / 72 + 0.08,
        axis=folded(word, across, BODY),
        directions=(folded(f"← {directions[0]}", half, SMALL), folded(f"{directions[1]} →", half, SMALL)),
    )


def _draw_rows(sheet: Sheet, rows: list[Row], layout: _Layout, measure: str) -> None:
    style: dict[str, Any] = {"size": SMALL, "va": "bottom", "color": GREY, "linespacing": 1.1}
    for head, start in zip(layout.heads, layout.starts, strict=True):
        sheet.text(start, sheet.top + layout.head_height - 0.04, head, **style)
    begin, across = layout.graph
    axes = sheet.axes(begin, layout.head_height, across, ROW * len(rows))
    _set_scale(axes, rows, measure)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(layout.axis)
    _draw_directions(sheet, layout, len(rows))
    _draw_no_effect(axes, rows, measure)
    for position, row in enumerate(rows):
        middle = sheet.top + layout.head_height + ROW * (position + 0.5)
        weight = "normal" if row.inset else "bold"
        sheet.text(MARGIN + row.inset, middle, row.label, va="center", size=BODY, weight=weight)
        for column, start in zip(layout.cells, layout.starts, strict=True):
            sheet.text(start, middle, column[position], va="center", size=SMALL)
        if row.shares is None:
            axes.axhline(position - 0.5, color=FAINT, linewidth=0.6, zorder=0)
        elif row.value == row.value:
            _draw_effect(axes, row, position, _side(rows, position, measure))


def _draw_directions(sheet: Sheet, layout: _Layout, rows: int) -> None:
    """Write which arm an effect favours, under the graph at its left and at its right."""
    begin, across = layout.graph
    top = sheet.top + layout.head_height + ROW * rows + 0.21 + height(layout.axis.count("\n") + 1, BODY)
    for at, ha, text in ((begin, "left", layout.directions[0]), (begin + across, "right", layout.directions[1])):
        sheet.text(at, top, text, ha=ha, size=SMALL, linespacing=1.15)


def _draw_no_effect(axes: Axes, rows: list[Row], measure: str) -> None:
    """Draw the line of no effect, and dotted that of all patients."""
    axes.axvline(0 if measure == "difference" else 1, color=BLACK, linewidth=0.6, zorder=1)
    if rows[0].value == rows[0].value:
        axes.axvline(rows[0].value, color=BLUE, linewidth=0.6, linestyle=(0, (1, 2)), zorder=1)


def _side(rows: list[Row], position: int, measure: str) -> float:
    """The side of the square of a row in points; its area goes with the inverse of the variance of the effect.

    The variance is judged by the width of the 95% CI; of odds ratios, on the log scale.
    """

    def weight(row: Row) -> float:
        across = row.high - row.low if measure == "difference" else math.log(row.high / row.low)
        return across**-2 if across > 0 else 0.0

    greatest = max((weight(row) for row in rows[1:] if row.value == row.value), default=0.0)
    return max(SMALLEST, LARGEST * math.sqrt(weight(rows[position]) / greatest)) if greatest else SMALLEST


def _cells(rows: list[Row], arm: int) -> list[str]:
    return [fraction(row.shares[arm].met, row.shares[arm].of) if row.shares else "" for row in rows]


def _effect_in_words(row: Row, measure: str) -> str:
    if row.shares is None:
        p = probability(row.interaction)
        return f"interaction: p {p if p.startswith('<') else f'= {p}'}" if p else ""
    if row.value != row.value:
        return DASH
    if measure == "difference":
        low, value, high = (rounded(100 * share, 0) for share in (row.low, row.value, row.high))
        return f"{value} ({low} to {high})"
    return span(row.value, row.low, row.high, 2)


def _set_scale(axes: Axes, rows: list[Row], measure: str) -> None:
    ends = [end for row in rows if row.value == row.value for end in (row.low, row.high)]
    if measure == "difference":
        low, high = min([-0.1, *ends]), max([0.1, *ends])
        axes.set_xlim(max(low - 0.05, -1.02), min(high + 0.05, 1.02))
        step = 0.2 if high - low < 1.2 else 0.5
        points = [step * number for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
        axes.set_xticks(points, [true_minus(f"{100 * point:.0f}") for point in points])
        return
    axes.set_xscale("log")
    low, high = max(min([0.5, *ends]), 0.02), min(max([2.0, *ends]), 200)
    axes.set_xlim(low / 1.15, high * 1.15)
    ticks = [tick for tick in (0.02, 0.1, 0.2, 0.5, 1, 2, 5, 10, 50, 200) if low <= tick <= high]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()


def _draw_effect(axes: Axes, row: Row, position: int, side: float) -> None:
    """Draw the 95% CI as a line, with arrows beyond the axes, and the estimate as a square; all patients as a diamond.

    The diamond reaches from one end of the 95% CI to the other.
    """
    first, last = axes.get_xlim()
    low, high = max(row.low, first), min(row.high, last)
    colour = BLUE if position == 0 else BLACK
    if position == 0 and low <= row.value <= high:
        corners = [(low, position), (row.value, position - 0.32), (high, position), (row.value, position + 0.32)]
        axes.add_patch(Polygon(corners, facecolor=BLUE, edgecolor=BLACK, linewidth=0.5, zorder=3))
    else:
        axes.plot([low, high], [position, position], color=colour, linewidth=0.9, zorder=2)
    for edge, beyond, sign in ((first, row.low < first, "<"), (last, row.high > last, ">")):
        if beyond:
            axes.plot([edge], [position], marker=sign, markersize=4, color=colour, clip_on=False, zorder=3)
    if position and first <= row.value <= last:
        axes.plot([row.value], [position], marker="s", markersize=side, color=colour, zorder=3)
