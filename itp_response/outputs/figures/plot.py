"""Plot: the pictures of a study, each drawn by the module of its kind."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from itp_response.classification.classification import DEFAULT_CRITERIA, Classification, CriteriaInput, Study, classify
from itp_response.classification.provenance import Provenance
from itp_response.classification.supplied import study_title
from itp_response.explanation.ask import PATIENT, cohort_asked
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.optional_imports import needed
from itp_response.outputs.comparison.compare import Comparison, compare
from itp_response.outputs.figures.kinds import KINDS, Kind, Measure
from itp_response.readers.files import Tabular
from itp_response.readers.options import ReadOptions

if TYPE_CHECKING:
    from itp_response.outputs.figures.picture import Picture
TYPED = re.compile(r"\s*d-?\d+(\.\.d-?\d+)?(\s|$)")
"""The beginning of a timeline typed by hand."""
OF_TYPED = {
    "baseline": "the baseline of a study comes from its data",
    "treatment_discontinued": "the discontinuations of a study come from its data",
    "day_0": "day 0 of a study comes from its data",
    "interpretation": "a study is classified by the criteria set as given",
    "columns": "the columns of a study come from its data",
}
"""The options of a typed timeline, and why a study does not have them."""


def plot(
    kind: Kind,
    visits: Study | Comparison | str,
    patients: Tabular | None = None,
    criteria: CriteriaInput | Sequence[CriteriaInput] | None = None,
    *,
    patient: str | None = None,
    endpoint: str | None = None,
    by: str | Sequence[str] | None = None,
    measure: Measure | None = None,
    reference: str | None = None,
    alpha: float | None = None,
    margin: float | None = None,
    title: str | None = None,
    width: float | None = None,
    dpi: float | None = None,
    font: str | None = None,
    baseline: float | str | None = None,
    treatment_discontinued: int | None = None,
    day_0: date | None = None,
    interpretation: str | Sequence[str] = (),
    columns: Mapping[str, Any] | None = None,
    options: ReadOptions | None = None,
) -> "Picture":
    """Draw a picture of a study or of one patient.

    An option that is left out has the default of the kind.

    Args:
        kind: `timeline`, `swimmer`, `spaghetti`, `by-visit`, `km`, `waterfall`, `forest`, `tipping` or
            `reclassification`.
        visits: As in `classify`. For `timeline`, also a timeline as in `ask`; for `reclassification`, also a
            `Comparison`.
        patients: The patient table, in the same forms. None: there is none. Not allowed beside a study that has been
            read.
        criteria: As in `classify`; for `reclassification`, two sets or more.
        patient: The patient of the timeline.
        endpoint: The endpoint that is drawn. None: that of the kind.
        by: The column that makes the groups (`arm` if left out); for `forest`, the columns that make the subgroups.
        measure: The measure of `forest`: `difference` or `odds-ratio`.
        reference: Of `km`, `forest` and `tipping`, the reference group, as in `table`.
        alpha: Of `tipping`, the level of the test. None: 0.05.
        margin: Of `tipping`, the non-inferiority margin that makes the conclusion in place of the test, such as 0.10.
        title: The name of the study. None: its own identifier, else the name of the folder of its files.
        width: The width in inches. None: 7.4, both columns of a journal, or more where the texts need more.
        dpi: The resolution of a `.png` file in dots per inch. None: 200.
        font: The name of an installed font. None: DejaVu Sans.
        baseline: Of a typed timeline, the baseline count in 10⁹/L, as in `ask`.
        treatment_discontinued: Of a typed timeline, the day on which treatment was discontinued.
        day_0: Of a typed timeline, the date of day 0.
        interpretation: Of a typed timeline, the interpretation or interpretations to decide under.
        columns: Of a typed timeline, the values of the declared patient columns.
        options: How the tables are read. None: the defaults of `ReadOptions`. Not allowed beside a study that has been
            read.

    Returns:
        A matplotlib `Figure` that a notebook shows by itself, with `.write(path)`, `.notes` and `.summary()`.

    Raises:
        UsageError: A name does not exist, the kind does not have an option, or matplotlib is not installed.
        CriteriaError: The criteria cannot be used.
        CohortError: The tables cannot be used; the error has every problem.

    Examples:
        >>> picture = plot("timeline", "d0 15, d22 40, d29 45", endpoint="OR")
        >>> picture.result.verdicts["OR"].labels[int(picture.result.verdicts["OR"].value[0])]
        'Y'
    """
    if kind not in KINDS:
        raise UsageError(unknown("kind of plot", kind, KINDS))
    drawn = {"patient": patient, "endpoint": endpoint, "by": by, "measure": measure, "reference": reference}
    typed = {"baseline": baseline, "treatment_discontinued": treatment_discontinued, "day_0": day_0}
    further = {"interpretation": interpretation or None, "columns": columns or None, "alpha": alpha, "margin": margin}
    choices = _choices(kind, {**drawn, **typed, **further})
    needed("matplotlib", "plot")
    from itp_response.outputs.figures.picture import check_paper, styled

    check_paper(width, dpi, font)

    result = _result(kind, visits, patients, criteria, choices, options)
    choices |= {"patient": PATIENT} if _is_typed(kind, visits) else {}
    with styled(font):
        picture = _drawn(kind, result, {"study": study_title(result.cohort, title), "width": width, **choices})
        picture.make_drawable()
    paper = {"title": title, "width": width, "dpi": dpi, "font": font}
    picture.font, picture.dots = font, dpi or picture.dots
    return _signed(picture, kind, result, choices | {name: value for name, value in paper.items() if value is not None})


def _signed(picture: "Picture", kind: Kind, result: Classification | Comparison, options: dict[str, Any]) -> "Picture":
    """The picture with what it shows, what was noticed while reading, and what made it."""
    picture.result = result
    picture.study_notes = tuple(result.cohort.note_lines)
    origin = _provenance(kind, result, options)
    picture.origin = replace(origin, assumed=[*origin.assumed, *picture.assumed])
    return picture


def _choices(kind: Kind, options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given; raises `UsageError` for one that the kind does not have."""
    choices = {name: value for name, value in options.items() if value not in (None, ())}
    for name in choices:
        if name not in KINDS[kind]:
            kinds = [other for other, names in KINDS.items() if name in names]
            raise UsageError(f"{name!r} does not apply to {kind}, only to {', '.join(kinds)}; leave it out.")
    return choices


def _drawn(kind: Kind, result: Any, options: dict[str, Any]) -> "Picture":
    choices = {name: value for name, value in options.items() if name not in OF_TYPED}
    from itp_response.outputs.figures import (
        by_visit,
        forest,
        km,
        reclassification,
        spaghetti,
        swimmer,
        timeline,
        tipping,
        waterfall,
    )

    match kind:
        case "timeline":
            return timeline.draw(result, **choices)
        case "swimmer":
            return swimmer.draw(result, **_single(choices))
        case "spaghetti":
            return spaghetti.draw(result, **_single(choices))
        case "by-visit":
            return by_visit.draw(result, **_single(choices))
        case "km":
            return km.draw(result, **_single(choices))
        case "waterfall":
            return waterfall.draw(result, **_single(choices))
        case "forest":
            by = choices.get("by", ())
            return forest.draw(result, **{**choices, "by": (by,) if isinstance(by, str) else tuple(by)})
        case "tipping":
            return tipping.draw(result, **choices)
    return reclassification.draw(result, **choices)


def _provenance(kind: Kind, result: Classification | Comparison, choices: dict[str, Any]) -> Provenance:
    return result.provenance(kind=kind, **choices) if isinstance(result, Classification) else result.provenance()


def _single(choices: dict[str, Any]) -> dict[str, Any]:
    """The choices, with `by` as one column."""
    by = choices.get("by", "arm")
    if isinstance(by, str):
        return choices
    if len(by) != 1:
        raise UsageError(f"this plot groups patients by one column, not by {len(by)}: {', '.join(by)}; name one.")
    return {**choices, "by": by[0]}


def _check_study(kind: Kind, choices: dict[str, Any]) -> None:
    """Raise `UsageError` where the timeline of a study's patient lacks the patient, or has options of a typed one."""
    if kind != "timeline":
        return
    if "patient" not in choices:
        raise UsageError("name the patient with --patient ID, or type a timeline such as 'd0 15, d21 45, d28 60'.")
    for name, instead in OF_TYPED.items():
        if name in choices:
            raise UsageError(f"{name!r} applies only to a typed timeline; {instead}.")


def _is_typed(kind: Kind, visits: Any) -> bool:
    return kind == "timeline" and isinstance(visits, str) and TYPED.match(visits) is not None


def _result(
    kind: Kind, visits: Any, patients: Any, criteria: Any, choices: dict[str, Any], options: ReadOptions | None
) -> Classification | Comparison:
    """What is drawn."""
    if kind == "reclassification":
        return _compared(visits, patients, criteria, options)
    if _is_typed(kind, visits):
        return _typed(visits, criteria, choices)
    _check_study(kind, choices)
    return _classified(visits, patients, criteria, options)


def _classified(visits: Any, patients: Any, criteria: Any, options: ReadOptions | None) -> Classification:
    return classify(visits, patients, _one_set(criteria), options=options)


def _typed(text: str, criteria: Any, choices: dict[str, Any]) -> Classification:
    """The classification of the one patient of a typed timeline."""
    if "patient" in choices:
        raise UsageError("'patient' does not apply to a typed timeline, which has one patient; leave it out.")
    own = {name: choices[name] for name in OF_TYPED if name in choices}
    definitions, cohort = cohort_asked(text, _one_set(criteria) or DEFAULT_CRITERIA, **own)
    return classify(cohort, criteria=definitions)


def _compared(visits: Any, patients: Any, criteria: Any, options: ReadOptions | None) -> Comparison:
    return visits if isinstance(visits, Comparison) else compare(visits, patients, criteria or (), options=options)


def _one_set(criteria: Any) -> Any:
    """The criteria set, which may stand in a list."""
    if not isinstance(criteria, list | tuple):
        return criteria
    if len(criteria) != 1:
        raise UsageError(
            f"this plot takes one criteria set, not {len(criteria)}; only reclassification takes two or more."
        )
    return criteria[0]
