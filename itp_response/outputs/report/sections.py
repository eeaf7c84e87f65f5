"""Sections: the parts of the page about the study as a whole, as plain rows for the template."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from itp_response.authoring.describe import head
from itp_response.classification.classification import Classification
from itp_response.classification.provenance import Provenance
from itp_response.classification.supplied import UNRECORDED
from itp_response.cohort.values import Ints
from itp_response.data_review.edit_checks import EDIT_CHECKS
from itp_response.data_review.review import Review
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.intercurrent_events import HEADS, table, without_events
from itp_response.evaluation.verdicts import Verdict
from itp_response.outputs.comparison.sensitivity import Sensitivity
from itp_response.outputs.report.patients import arm_codes, arms
from itp_response.outputs.statistics.groups import all_patients

MOST = 300
"""The lists of edit checks and of data queries have up to this many rows; every patient shows all of theirs."""
PARTS_OF_A_NOTE = re.compile(r"(?<=[.;])\s+")
"""Between the sentences of a note, and the parts of a sentence that a semicolon divides."""


@dataclass(frozen=True)
class VerdictShare:
    """How many patients of a group have one verdict."""

    label: str
    number: int
    hue: int
    """The colour: 0 met, 1 not met, 2 not evaluable, 3 not applicable; from 4 on, the ranks of a best response."""


@dataclass(frozen=True)
class EndpointSummary:
    """The verdicts on an endpoint in each group of patients."""

    name: str
    label: str
    groups: tuple[tuple[VerdictShare, ...], ...]


def verdicts(classification: Classification) -> list[EndpointSummary]:
    """The number of each verdict in each of `groups`, by endpoint."""
    everyone = np.arange(len(classification.cohort))
    codes = arm_codes(classification.cohort)
    without_record = all_patients(classification).without_record
    by_arm = [np.flatnonzero(codes == code) for code in range(len(_compared_arms(classification)))]
    return [
        EndpointSummary(
            name,
            model.label,
            tuple(
                (VerdictShare(UNRECORDED, len(group), 2),)
                if name in without_record
                else tuple(_shares(classification.verdicts[name], group))
                for group in (everyone, *by_arm)
            ),
        )
        for name, model in classification.criteria.endpoints.items()
    ]


def groups(classification: Classification) -> list[tuple[str, int]]:
    """All patients and, where there are several arms, each arm, with their sizes."""
    labels = _compared_arms(classification)
    sizes = np.bincount(arm_codes(classification.cohort), minlength=len(labels)).tolist()
    return [("All patients", len(classification.cohort)), *zip(labels, sizes, strict=False)]


def _compared_arms(classification: Classification) -> list[str]:
    """The arms; none where there is only one."""
    labels = arms(classification.cohort)
    return labels if len(labels) > 1 else []


def _shares(verdict: Verdict, patients: Ints) -> Iterator[VerdictShare]:
    numbers = np.bincount(verdict.value[patients], minlength=len(verdict.labels)).tolist()
    for code, (label, number) in enumerate(zip(verdict.labels, numbers, strict=True)):
        if number:
            yield VerdictShare(label, number, hue_of(verdict.labels, code))


def hue_of(labels: tuple[str, ...], code: int) -> int:
    """The colour of a verdict, as in `VerdictShare`."""
    known = ("Y", "N", "NE", "NA")
    return known.index(labels[code]) if labels[code] in known else len(known) + code


def definitions(criteria: Criteria) -> list[dict[str, str]]:
    """Each endpoint in words, as in `describe`."""
    return [
        {
            "name": name,
            "label": model.label,
            "where": model.where,
            "says": model.says,
            "decided": model.sentence(),
        }
        for name, model in criteria.endpoints.items()
    ]


@dataclass(frozen=True)
class EventsTable:
    """How the endpoints handle intercurrent events and missing data."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    others: tuple[str, ...]
    """The sentences on the endpoints without rows of their own."""


def intercurrent(criteria: Criteria) -> EventsTable:
    """The table of intercurrent events, as in `describe`; an event stands in its first row alone."""
    rows = table(criteria.file)
    events = ["", *(row[0] for row in rows)]
    shown = (("" if row[0] == before else row[0], *row[1:]) for row, before in zip(rows, events, strict=False))
    return EventsTable(HEADS, tuple(shown), tuple(without_events(criteria.file)))


def without_options(note: str) -> str:
    """A note without what it says of the command line, which is of no use to the readers of a report.

    >>> without_options("assumed: the reference group is B, the last by name; --reference names another.")
    'assumed: the reference group is B, the last by name.'
    >>> without_options("No grade was recorded. Use --bleeding events if there was none. See Methods.")
    'No grade was recorded. See Methods.'
    """
    kept = [part for part in PARTS_OF_A_NOTE.split(note) if " --" not in f" {part}"]
    return re.sub(";$", ".", " ".join(kept)) or note


def about(criteria: Criteria) -> list[list[str]]:
    """The sentences about the set, each as its first words and the rest; its title stands with its source."""
    (source, cited), *others = (sentence.split(": ", 1) for sentence in head(criteria))
    return [[source, f"{criteria.title}. {cited}"], *others]


@dataclass(frozen=True)
class SensitivityRow:
    """An endpoint as the file has it (no interpretation), or under an interpretation that changes verdicts."""

    endpoint: str
    label: str
    interpretation: str
    patients: int
    """The number of patients with a changed verdict."""
    verdicts: tuple[tuple[str, int, int], ...]
    """Each verdict, its number of patients, and the difference from the file's own interpretation."""
    points: str
    """The share of `Y` in the first arm minus that in the second, in percentage points."""


def sensitivity(tried: Sensitivity) -> list[SensitivityRow]:
    """For each endpoint its verdicts as the file has it, then each interpretation that changes some."""
    frame = tried.frame()
    parts = frame.partition_by("endpoint", "interpretation", as_dict=True)
    labels_of = {name: tried.base.criteria.endpoints[name].label for name in tried.names}
    table = []
    for name in tried.names:
        before: dict[str, int] = {}
        for interpretation in (None, *tried.under):
            rows = parts.get((name, interpretation), frame.clear())
            number = 0 if interpretation is None else len(tried.changed(interpretation, name))
            if interpretation is not None and not number:
                continue
            counts = dict(zip(rows["verdict"].to_list(), rows["patients"].to_list(), strict=True))
            before = before if interpretation is not None else counts
            labels = dict.fromkeys([*before, *counts])
            verdicts = tuple(
                (label, counts.get(label, 0), counts.get(label, 0) - before.get(label, 0)) for label in labels
            )
            difference = next(iter(rows["arm_difference"].drop_nulls()), None)
            points = "" if difference is None else f"{100 * difference:+.1f}"
            table.append(SensitivityRow(name, labels_of[name], interpretation or "", number, verdicts, points))
    return table


@dataclass(frozen=True)
class CheckSummary:
    """The edit checks that fired, or the data queries: counted by kind, and the first of them."""

    total: int
    patients: int
    kinds: tuple[tuple[str, int, int], ...]
    """Each edit check (of data queries: what would settle them), how often, and in how many patients."""
    rows: tuple[tuple[str, ...], ...]

    @property
    def left(self) -> int:
        """The number that is not among the rows."""
        return self.total - len(self.rows)


def edit_checks(reviewed: Review) -> CheckSummary:
    """The edit checks that fired: patient, check, text, location."""
    fired = reviewed.frame()
    return _summary(fired, "check", reviewed.listed(), [check.name for check in EDIT_CHECKS])


def data_queries(reviewed: Review) -> CheckSummary:
    """The data queries: patient, endpoint, question."""
    queries = reviewed.data_queries().with_columns(pl.col("settled_by").fill_null("none"))
    return _summary(queries, "settled_by", queries.select("patient_id", "endpoint", "asks"), [])


def _summary(frame: pl.DataFrame, by: str, rows: pl.DataFrame, order: list[str]) -> CheckSummary:
    """The summary by the kinds in a column, in their order; kinds that the order does not have come last, by name."""
    kinds = frame.group_by(by, maintain_order=True).agg(pl.len(), pl.col("patient_id").n_unique().alias("patients"))
    ranks = {name: rank for rank, name in enumerate(order)}
    ranked = sorted(kinds.iter_rows(), key=lambda kind: (ranks.get(kind[0], len(order)), kind[0]))
    shown = tuple(tuple(text or "" for text in row) for row in rows.head(MOST).iter_rows())
    return CheckSummary(len(frame), frame["patient_id"].n_unique(), tuple(ranked), shown)


def provenance(origin: Provenance) -> list[tuple[str, str, str]]:
    """The provenance in rows: what it is, its name or value, and the SHA-256 of a file."""
    rows = [("program", f"{origin.program} {origin.version}", "")]
    for file in origin.criteria:
        checked = f"criteria ({file['checked']}; read: {file['read']})"
        rows.append((checked, f"{file['name']}: {file['file']}", file["sha256"] or ""))
    for sort, inputs in origin.inputs.items():
        rows += [(sort, file.name, file.sha256 or "not a file") for file in inputs]
    rows += [("option", f"{name.replace('_', '-')}: {value}", "") for name, value in origin.options.items() if value]
    return rows
