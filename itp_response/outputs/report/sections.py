"""Sections: what the page shows of the study as a whole, as plain rows for the template."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from itp_response.authoring.describe import decided_so, head, unless
from itp_response.classification.classification import Classification
from itp_response.classification.provenance import Provenance
from itp_response.cohort.values import Ints
from itp_response.data_review.edit_checks import EDIT_CHECKS
from itp_response.data_review.review import Review
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.verdicts import Verdict
from itp_response.outputs.comparison.sensitivity import Sensitivity
from itp_response.outputs.report.patients import arm_codes, arms, places

MOST = 300
"""So many findings, and so many queries, stand in the page's own lists; each stands with its patient too."""


@dataclass(frozen=True)
class VerdictShare:
    """How many patients of a group have one verdict."""

    label: str
    number: int
    hue: int
    """Which colour it has: 0 met, 1 not met, 2 not evaluable, 3 does not arise; of a ranked list 4 and on."""


@dataclass(frozen=True)
class Decided:
    """The verdicts on an endpoint in each group of patients."""

    name: str
    label: str
    groups: tuple[tuple[VerdictShare, ...], ...]


def verdicts(classification: Classification) -> list[Decided]:
    """Per endpoint the number of each verdict in each of `groups`."""
    everyone = np.arange(len(classification.cohort))
    several = [
        np.flatnonzero(arm_codes(classification.cohort) == code) for code in range(len(_several(classification)))
    ]
    return [
        Decided(
            name,
            model.label,
            tuple(tuple(_shares(classification.verdicts[name], group)) for group in (everyone, *several)),
        )
        for name, model in classification.criteria.endpoints.items()
    ]


def groups(classification: Classification) -> list[tuple[str, int]]:
    """All patients and, where there are several arms, each arm, with their sizes."""
    sizes = np.bincount(arm_codes(classification.cohort), minlength=len(_several(classification))).tolist()
    return [("All patients", len(classification.cohort)), *zip(_several(classification), sizes, strict=False)]


def _several(classification: Classification) -> list[str]:
    several = arms(classification.cohort)
    return several if len(several) > 1 else []


def _shares(verdict: Verdict, patients: Ints) -> Iterator[VerdictShare]:
    numbers = np.bincount(verdict.value[patients], minlength=len(verdict.labels)).tolist()
    for place, (label, number) in enumerate(zip(verdict.labels, numbers, strict=True)):
        if number:
            yield VerdictShare(label, number, hue_of(verdict.labels, place))


def hue_of(labels: tuple[str, ...], place: int) -> int:
    """Which colour a verdict has."""
    known = ("Y", "N", "NE", "NA")
    return known.index(labels[place]) if labels[place] in known else len(known) + place


def definitions(criteria: Criteria) -> list[dict[str, str]]:
    """Each endpoint in words, as `describe` has them."""
    return [
        {
            "name": name,
            "label": model.label,
            "where": model.where,
            "says": model.says,
            "decided": decided_so(model),
            "unless": unless(model),
        }
        for name, model in criteria.endpoints.items()
    ]


def about(criteria: Criteria) -> list[list[str]]:
    """The sentences on the set as a whole, each as its first words and the rest."""
    return [sentence.split(": ", 1) for sentence in head(criteria)]


@dataclass(frozen=True)
class Tried:
    """An endpoint as the file has it (no interpretation), or under an interpretation that changes somebody's verdict."""

    endpoint: str
    interpretation: str
    patients: int
    """Whose verdict it changes."""
    verdicts: tuple[tuple[str, int, int], ...]
    """Each verdict, how many have it, and how many more than without the interpretation."""
    points: str
    """What the first arm has more of `Y` than the second, in percentage points."""


def sensitivity(tried: Sensitivity) -> list[Tried]:
    """Per endpoint how it stands as the file has it, then each interpretation that changes something."""
    frame = tried.frame()
    found = []
    for name in tried.names:
        before: dict[str, int] = {}
        for interpretation in (None, *tried.under):
            rows = frame.filter(endpoint=name).filter(_interpretation(interpretation))
            number = 0 if interpretation is None else len(tried.changed(interpretation, name))
            if interpretation is not None and not number:
                continue
            counts = dict(zip(rows["verdict"].to_list(), rows["patients"].to_list(), strict=True))
            before = before if interpretation is not None else counts
            labels = dict.fromkeys([*before, *counts])
            changes = tuple((one, counts.get(one, 0), counts.get(one, 0) - before.get(one, 0)) for one in labels)
            difference = next(iter(rows["arm_difference"].drop_nulls()), None)
            points = "" if difference is None else f"{100 * difference:+.1f}"
            found.append(Tried(name, interpretation or "", number, changes, points))
    return found


def _interpretation(interpretation: str | None) -> pl.Expr:
    return pl.col("interpretation").is_null() if interpretation is None else pl.col("interpretation") == interpretation


@dataclass(frozen=True)
class CheckSummary:
    """What a review found, or asks for: by rule how often, and the first of them."""

    total: int
    patients: int
    kinds: tuple[tuple[str, int, int], ...]
    """Each rule (of queries, what would settle them), how often, of how many patients."""
    rows: tuple[tuple[str, ...], ...]

    @property
    def left(self) -> int:
        """How many are not among the rows."""
        return self.total - len(self.rows)


def findings(reviewed: Review) -> CheckSummary:
    """The findings: rule, patient, day, question, place."""
    found = reviewed.frame()
    rows = found.select("patient_id", "check", "says").with_columns(place=places(reviewed.cohort, found))
    order = [rule.name for rule in EDIT_CHECKS]
    return _asked(found, "check", rows, order)


def queries(reviewed: Review) -> CheckSummary:
    """The queries: endpoint, patient, question."""
    found = reviewed.data_queries().with_columns(pl.col("settled_by").fill_null("none"))
    return _asked(found, "settled_by", found.select("patient_id", "endpoint", "asks"), [])


def _asked(found: pl.DataFrame, by: str, rows: pl.DataFrame, order: list[str]) -> CheckSummary:
    kinds = found.group_by(by, maintain_order=True).agg(pl.len(), pl.col("patient_id").n_unique().alias("patients"))
    ranked = sorted(kinds.iter_rows(), key=lambda one: (order.index(one[0]) if one[0] in order else len(order), one[0]))
    shown = tuple(tuple(text or "" for text in row) for row in rows.head(MOST).iter_rows())
    return CheckSummary(len(found), found["patient_id"].n_unique(), tuple(ranked), shown)


def provenance(origin: Provenance) -> list[tuple[str, str, str]]:
    """What made the page, a row each: what it is, its name or value, and the SHA-256 of a file."""
    rows = [("program", f"{origin.program} {origin.version}", "")]
    for one in origin.criteria:
        rows.append((f"criteria ({one['checked']})", f"{one['name']}: {one['file']}", one["sha256"] or ""))
    for what, files in origin.inputs.items():
        rows += [(what, file.name, file.sha256 or "not a file") for file in files]
    rows += [("option", f"{name.replace('_', '-')}: {value}", "") for name, value in origin.options.items() if value]
    return rows
