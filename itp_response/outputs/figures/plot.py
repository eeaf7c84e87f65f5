"""Plots: one picture each of what was decided, by matplotlib; from the same verdicts and evidence as all else."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.optional_imports import needed

if TYPE_CHECKING:
    from itp_response.classification.classification import Classification
    from itp_response.outputs.comparison.compare import Comparison
    from itp_response.outputs.figures.picture import Picture

KINDS: Mapping[str, tuple[str, ...]] = {
    "timeline": ("patient", "endpoint", "baseline", "treatment_discontinued"),
    "swimmer": ("by", "endpoint"),
    "spaghetti": ("by",),
    "km": ("by", "endpoint"),
    "waterfall": ("by", "endpoint"),
    "forest": ("by", "endpoint", "measure"),
    "reclassification": ("endpoint",),
}
"""The kinds of picture, and what may be asked of each."""
TYPED = re.compile(r"\s*d-?\d+(\.\.d-?\d+)?(\s|$)")
"""How a timeline typed by hand begins."""


def plot(
    kind: str,
    visits: Any,
    patients: Any = None,
    criteria: Any = "atra_2022",
    *,
    patient: str | None = None,
    endpoint: str | None = None,
    by: str | Sequence[str] | None = None,
    measure: str | None = None,
    baseline: float | str | None = None,
    treatment_discontinued: int | None = None,
    date_format: str | None = None,
    bleeding: Any = None,
    impute: Any = None,
    on_error: Any = "stop",
) -> "Picture":
    """A picture of a study: a matplotlib `Figure` with `.write(path)` and `.summary()`, what was taken or left out.

    `kind` is one of `KINDS`. `visits`, `patients` and `criteria` are as in `classify`; `visits` may be a
    `Classification` too, for `timeline` a timeline as `ask` takes it, for `reclassification` a `Comparison`, for which
    else `criteria` are two sets or more.
    `patient` is the id of the one whose timeline is drawn; `endpoint` that which is drawn in place of the kind's own;
    `by` what makes the groups (`arm`), of `forest` the columns that make the subgroups; `measure` of `forest`
    `difference` or `odds-ratio`; `baseline` and `treatment_discontinued` of a typed timeline are as in `ask`.
    Raises `UsageError` for what is not there, does not belong to the kind, or where matplotlib is not installed.
    """
    if kind not in KINDS:
        raise UsageError(unknown("kind of plot", kind, KINDS))
    asked = {"patient": patient, "endpoint": endpoint, "by": by, "measure": measure, "baseline": baseline}
    asked["treatment_discontinued"] = treatment_discontinued
    options = {name: value for name, value in asked.items() if value not in (None, ())}
    for name in options:
        if name not in KINDS[kind]:
            of = [one for one, takes in KINDS.items() if name in takes]
            raise UsageError(f"{name!r} is not asked of {kind}, but of {', '.join(of)}; leave it out.")
    needed("matplotlib", "plot")
    from itp_response.classification.classification import Classification
    from itp_response.outputs.figures.picture import styled

    read_options = {"date_format": date_format, "bleeding": bleeding, "impute": impute, "on_error": on_error}
    if kind == "reclassification":
        found: Any = _compared(visits, patients, criteria, read_options)
    elif kind == "timeline" and isinstance(visits, str) and TYPED.match(visits):
        found = _typed(visits, criteria, options)
    else:
        found = _classified(visits, patients, criteria, read_options, kind, options)
    with styled():
        picture = _drawn(kind, found, options)
    picture.found = found
    picture.notes = tuple(found.cohort.note_lines)
    picture.origin = found.provenance(kind=kind, **options) if isinstance(found, Classification) else found.provenance()
    return picture


def _drawn(kind: str, found: Any, options: dict[str, Any]) -> "Picture":
    from itp_response.outputs.figures import forest, km, reclassification, spaghetti, swimmer, timeline, waterfall

    match kind:
        case "timeline":
            return timeline.draw(found, **options)
        case "swimmer":
            return swimmer.draw(found, **_single(options))
        case "spaghetti":
            return spaghetti.draw(found, **_single(options))
        case "km":
            return km.draw(found, **_single(options))
        case "waterfall":
            return waterfall.draw(found, **_single(options))
        case "forest":
            by = options.get("by", ())
            return forest.draw(found, **{**options, "by": (by,) if isinstance(by, str) else tuple(by)})
    return reclassification.draw(found, **options)


def _single(options: dict[str, Any]) -> dict[str, Any]:
    """The options with one column to group by."""
    by = options.get("by", "arm")
    if isinstance(by, str):
        return options
    if len(by) != 1:
        raise UsageError(f"groups are made by one column here, not by {len(by)}: {', '.join(by)}.")
    return {**options, "by": by[0]}


def _classified(
    visits: Any, patients: Any, criteria: Any, read_options: dict[str, Any], kind: str, options: dict[str, Any]
) -> "Classification":
    from itp_response.classification.classification import classification

    if kind == "timeline":
        if "patient" not in options:
            raise UsageError("say whose timeline: --patient ID, or type the timeline as 'd0 15, d21 45, d28 60'.")
        for name in ("baseline", "treatment_discontinued"):
            if name in options:
                raise UsageError(f"{name!r} goes with a typed timeline; a study has its own.")
    return classification(visits, patients, _one(criteria), **read_options)


def _typed(text: str, criteria: Any, options: dict[str, Any]) -> "Classification":
    """The one patient of a typed timeline; takes from the options what is only asked of reading it."""
    from itp_response.classification.classification import classify
    from itp_response.explanation.ask import PATIENT, cohort_asked

    if "patient" in options:
        raise UsageError("a typed timeline is of one patient; leave out which.")
    given = {name: options.pop(name, None) for name in ("baseline", "treatment_discontinued")}
    options["patient"] = PATIENT
    definitions, cohort = cohort_asked(text, _one(criteria), **given)
    return classify(cohort, criteria=definitions)


def _compared(visits: Any, patients: Any, criteria: Any, read_options: dict[str, Any]) -> "Comparison":
    from itp_response.outputs.comparison.compare import Comparison, compare

    if isinstance(visits, Comparison):
        return visits
    return compare(visits, patients, criteria, **read_options)


def _one(criteria: Any) -> Any:
    """The one set of criteria, where several may be given."""
    if not isinstance(criteria, list | tuple):
        return criteria
    if len(criteria) != 1:
        raise UsageError(f"one set of criteria here, not {len(criteria)}; only reclassification takes two.")
    return criteria[0]


__all__ = ["KINDS", "plot"]
