"""Plots: one picture each of what was decided, by matplotlib; from the same verdicts and evidence as all else."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from itp_response.classification.classification import DEFAULT_CRITERIA, Classification, CriteriaInput, Study, classify
from itp_response.explanation.ask import PATIENT, cohort_asked
from itp_response.outputs.comparison.compare import Comparison, compare
from itp_response.outputs.figures.kinds import KINDS, Kind, Measure
from itp_response.readers.files import Tabular
from itp_response.readers.options import ReadOptions

if TYPE_CHECKING:
    from itp_response.outputs.figures.picture import Picture


from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.optional_imports import needed

TYPED = re.compile(r"\s*d-?\d+(\.\.d-?\d+)?(\s|$)")
"""How a timeline typed by hand begins."""


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
    baseline: float | str | None = None,
    treatment_discontinued: int | None = None,
    options: ReadOptions | None = None,
) -> "Picture":
    """A picture of a study: a matplotlib `Figure` with `.write(path)` and `.summary()`, what was taken or left out.

    `visits`, `patients`, `criteria` and `options` are as in `classify`; for `timeline` `visits` may be a timeline as
    `ask` takes it, for `reclassification` a `Comparison`, for which else `criteria` are two sets or more.
    `patient` is the id of the one whose timeline is drawn; `endpoint` that which is drawn in place of the kind's own;
    `by` what makes the groups (`arm`), of `forest` the columns that make the subgroups; `measure` of `forest`
    `difference` or `odds-ratio`; `baseline` and `treatment_discontinued` of a typed timeline are as in `ask`.
    Raises `UsageError` for what is not there, does not belong to the kind, or where matplotlib is not installed.
    """
    if kind not in KINDS:
        raise UsageError(unknown("kind of plot", kind, KINDS))
    asked = {"patient": patient, "endpoint": endpoint, "by": by, "measure": measure, "baseline": baseline}
    asked["treatment_discontinued"] = treatment_discontinued
    choices = {name: value for name, value in asked.items() if value not in (None, ())}
    for name in choices:
        if name not in KINDS[kind]:
            of = [one for one, takes in KINDS.items() if name in takes]
            raise UsageError(f"{name!r} is not asked of {kind}, but of {', '.join(of)}; leave it out.")
    needed("matplotlib", "plot")
    from itp_response.outputs.figures.picture import styled

    if kind == "reclassification":
        found: Any = _compared(visits, patients, criteria, options)
    elif kind == "timeline" and isinstance(visits, str) and TYPED.match(visits):
        found = _typed(visits, criteria, choices)
    else:
        found = _classified(visits, patients, criteria, options, kind, choices)
    with styled():
        picture = _drawn(kind, found, choices)
    picture.found = found
    picture.notes = tuple(found.cohort.note_lines)
    picture.origin = found.provenance(kind=kind, **choices) if isinstance(found, Classification) else found.provenance()
    return picture


def _drawn(kind: Kind, found: Any, choices: dict[str, Any]) -> "Picture":
    from itp_response.outputs.figures import forest, km, reclassification, spaghetti, swimmer, timeline, waterfall

    match kind:
        case "timeline":
            return timeline.draw(found, **choices)
        case "swimmer":
            return swimmer.draw(found, **_single(choices))
        case "spaghetti":
            return spaghetti.draw(found, **_single(choices))
        case "km":
            return km.draw(found, **_single(choices))
        case "waterfall":
            return waterfall.draw(found, **_single(choices))
        case "forest":
            by = choices.get("by", ())
            return forest.draw(found, **{**choices, "by": (by,) if isinstance(by, str) else tuple(by)})
    return reclassification.draw(found, **choices)


def _single(choices: dict[str, Any]) -> dict[str, Any]:
    """The choices with one column to group by."""
    by = choices.get("by", "arm")
    if isinstance(by, str):
        return choices
    if len(by) != 1:
        raise UsageError(f"groups are made by one column here, not by {len(by)}: {', '.join(by)}.")
    return {**choices, "by": by[0]}


def _classified(
    visits: Any, patients: Any, criteria: Any, options: ReadOptions | None, kind: Kind, choices: dict[str, Any]
) -> Classification:
    if kind == "timeline":
        if "patient" not in choices:
            raise UsageError("say whose timeline: --patient ID, or type the timeline as 'd0 15, d21 45, d28 60'.")
        for name in ("baseline", "treatment_discontinued"):
            if name in choices:
                raise UsageError(f"{name!r} goes with a typed timeline; a study has its own.")
    return classify(visits, patients, _one(criteria), options=options)


def _typed(text: str, criteria: Any, choices: dict[str, Any]) -> Classification:
    """The one patient of a typed timeline; takes from the choices what is only asked of reading it."""
    if "patient" in choices:
        raise UsageError("a typed timeline is of one patient; leave out which.")
    given = {name: choices.pop(name, None) for name in ("baseline", "treatment_discontinued")}
    choices["patient"] = PATIENT
    definitions, cohort = cohort_asked(text, _one(criteria) or DEFAULT_CRITERIA, **given)
    return classify(cohort, criteria=definitions)


def _compared(visits: Any, patients: Any, criteria: Any, options: ReadOptions | None) -> Comparison:
    return visits if isinstance(visits, Comparison) else compare(visits, patients, criteria or (), options=options)


def _one(criteria: Any) -> Any:
    """The one set of criteria, where several may be given."""
    if not isinstance(criteria, list | tuple):
        return criteria
    if len(criteria) != 1:
        raise UsageError(f"one set of criteria here, not {len(criteria)}; only reclassification takes two.")
    return criteria[0]
