"""Predictors: a number known at entry, such as NK cells, by group, and how well it predicts response."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from itp_response.classification.classification import CriteriaInput, Study, classify
from itp_response.classification.supplied import study_title
from itp_response.cohort.values import Floats
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.wording import counted_patients, listed
from itp_response.outputs.statistics.groups import AnalysedPatients, Groups, all_patients, grouped
from itp_response.outputs.statistics.proportions import criteria_met, primary
from itp_response.outputs.statistics.roc import Roc, roc
from itp_response.outputs.statistics.tables import (
    DASH,
    NOT_ESTIMABLE,
    Number,
    Table,
    TableRows,
    numbers_of,
    percent,
    plainly,
    probability,
    rounded,
    span,
)
from itp_response.outputs.statistics.times import alike, quartiles
from itp_response.outputs.tables.table import Tables
from itp_response.readers.options import ReadOptions
from itp_response.readers.tabular import Tabular

CURVE = "roc curve"
"""The method of the curve's numbers, `false positive` and `true positive`: an entry per limit."""


@dataclass(frozen=True, repr=False)
class Predictors(Tables):
    """The tables of the columns, each with its curve."""

    curves: Mapping[str, Roc]
    """By column; none where a group is empty."""


@dataclass(frozen=True)
class CurveGroups:
    """The groups that a curve tells apart."""

    positive: list[str]
    negative: list[str]


def predictors(
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    column: Sequence[str],
    by: str | None = None,
    positive: Sequence[str] = (),
    negative: Sequence[str] = (),
    only: Sequence[str] = (),
    title: str | None = None,
    options: ReadOptions | None = None,
) -> Predictors:
    """Assess baseline variables as predictors of response.

    Patients without the number are not included. The curve tells the positive groups from the negative; without either,
    the patients who met the endpoint (of a ranked endpoint, all but the last name) from those who did not. Groups that
    are neither are not in the curve.

    Args:
        visits: The visits of the study: a file or a folder, a frame of polars, pandas or Arrow, a list with a dict per
            row, what `mapped` gave; or a `Cohort` or a `Classification`, which have been read already.
        patients: The patient table, in the same forms. None: there is none. Not allowed beside a study that has been
            read.
        criteria: A shipped criteria set by its name, a criteria file by its path, or a `Criteria`. None: `atra_2022`,
            or the set of the `Classification`.
        column: The numbers to assess: columns of the patient table, or `baseline` (10⁹/L).
        by: What makes the groups: an endpoint, or a patient column. None: the primary endpoint.
        positive: The groups that the curve counts as positive.
        negative: The groups that it counts as negative.
        only: Conditions such as `age >= 60`; only patients for whom all hold are included.
        title: The name of the study. None: its own identifier, else the name of the folder of its files.
        options: How the tables are read. None: the defaults of `ReadOptions`. Not allowed beside a study that has been
            read.

    Returns:
        A table per column, and its ROC curve.

    Raises:
        UsageError: A column is not of numbers, or a group does not exist; or `patients` or `options` were given beside
            a study that has been read.
        CriteriaError: The criteria cannot be used.
        CohortError: The tables cannot be used; the error has every problem.

    Examples:
        >>> visits = [{"patient_id": name, "day": day, "platelets": 15} for name in "ABCD" for day in (0, 28)]
        >>> patients = [
        ...     {"patient_id": name, "kind": kind, "cells": cells}
        ...     for name, kind, cells in [("A", "good", 80), ("B", "good", 90), ("C", "bad", 120), ("D", "bad", 150)]
        ... ]
        >>> study = predictors(visits, patients, column=["cells"], by="kind", positive=["good"])
        >>> curve = study.curves["cells"]
        >>> curve.lower, curve.limit, curve.area
        (True, 105.0, 1.0)
    """
    classification = classify(visits, patients, criteria, options=options)
    analysed = all_patients(classification).restricted_to(only)
    if not column:
        raise UsageError("name a numeric column, such as --column nk_cells.")
    by = by or primary(analysed)
    groups = _ordered(analysed, grouped(analysed, by))
    sides = _sides(analysed, groups, positive, negative)
    tables, curves = [], {}
    for name in column:
        samples = _samples(analysed, groups, name)
        curve = _curve(samples, sides)
        tables.append(_table(analysed, groups, name, samples, sides, curve))
        if curve is not None:
            curves[name] = curve
    choices = {
        "by": by,
        "column": list(column),
        "positive": sides.positive,
        "negative": sides.negative,
        "only": list(only),
    }
    study = study_title(classification.cohort, title)
    return Predictors(classification, groups, tuple(tables), choices, {}, tuple(only), study, curves)


def _ordered(patients: AnalysedPatients, groups: Groups) -> Groups:
    """The groups; those of a ranked list from best to worst."""
    model = patients.endpoints.get(groups.by)
    if model is None or not model.is_ranked:
        return groups
    labels = patients.classification.verdicts[groups.by].labels
    ranked = [label for label in labels if label in groups.labels]
    rank = np.array([ranked.index(label) for label in groups.labels] + [-1])
    return Groups(groups.by, tuple(ranked), rank[groups.code], len(ranked) - 1, groups.notes, groups.found)


def _sides(patients: AnalysedPatients, groups: Groups, positive: Sequence[str], negative: Sequence[str]) -> CurveGroups:
    """The groups that the curve tells apart."""
    for label in (*positive, *negative):
        if label not in groups.labels:
            raise UsageError(unknown("group", label, groups.labels))
    both = [label for label in positive if label in negative]
    if both:
        raise UsageError(f"the group {both[0]!r} is given as both --positive and --negative; give it once.")
    positive = list(positive) or _responders(patients, groups, negative)
    negative = list(negative) or [label for label in groups.labels if label not in positive]
    if not positive or not negative:
        raise UsageError(
            f"all patients are in one group of {groups.by}; the ROC curve needs a positive and a negative group."
        )
    return CurveGroups(positive, negative)


def _responders(patients: AnalysedPatients, groups: Groups, negative: Sequence[str]) -> list[str]:
    """The groups that met the endpoint; of a ranked list all but the last name."""
    model = patients.endpoints.get(groups.by)
    if model is not None and model.is_ranked:
        return [label for label in groups.labels if label != model.ranks[-1] and label not in negative]
    if groups.by in criteria_met(patients) or set(groups.labels) == {"yes", "no"}:
        return [label for label in groups.labels if label == "yes"]
    raise UsageError(f"name the positive groups with --positive; the groups are: {', '.join(groups.labels)}.")


def _samples(patients: AnalysedPatients, groups: Groups, name: str) -> dict[str, Floats]:
    """The numbers of each group, by its label; without those that are not recorded."""
    values = patients.column(name)
    if not values.dtype.is_numeric():
        raise UsageError(f"--column {name!r} is not numeric, so it has no cut-off; name another column.")
    return {
        label: values.filter(pl.Series(member)).cast(pl.Float64).drop_nulls().to_numpy()
        for label, member in zip(groups.labels, groups.members, strict=True)
    }


def _curve(samples: Mapping[str, Floats], sides: CurveGroups) -> Roc | None:
    """The curve; None where a side is empty."""
    positive, negative = (
        np.concatenate([samples[label] for label in side]) for side in (sides.positive, sides.negative)
    )
    return roc(positive, negative) if len(positive) and len(negative) else None


def _table(
    patients: AnalysedPatients,
    groups: Groups,
    name: str,
    samples: Mapping[str, Floats],
    sides: CurveGroups,
    curve: Roc | None,
) -> Table:
    p, test = alike(list(samples.values()))
    title = patients.title_of(name)
    rows = TableRows()
    rows.add(("n", *(str(len(sample)) for sample in samples.values())), ())
    rows.add(("mean ± SD", *map(_mean, samples.values())), ())
    rows.add(("median (quartiles)", *map(_median, samples.values()), probability(p)), ())
    rows.numbers += [number for group, sample in samples.items() for number in _numbers(name, group, sample)]
    rows.numbers += [Number(name, "", "p", p, test)] if test else []
    if curve is not None:
        rows.rows += _curve_rows(curve)
        rows.numbers += _curve_numbers(name, curve, f"{listed(sides.positive)} vs {listed(sides.negative)}")
    missing = int(groups.inside.sum()) - sum(map(len, samples.values()))
    left_out = [label for label in groups.labels if label not in (*sides.positive, *sides.negative)]
    notes = [
        f"{test} test." if test else "",
        *_curve_notes(curve, sides, samples),
        f"Not included in the ROC curve: {listed(left_out)}." if left_out else "",
        f"{counted_patients(missing)} without a value for {title} excluded." if missing else "",
    ]
    header = ("", *groups.headed(), *(["p"] if test else []))
    return rows.table(f"predictor {name}", f"{title} by {patients.title_of(groups.by)}", header, notes)


def _curve_notes(curve: Roc | None, sides: CurveGroups, samples: Mapping[str, Floats]) -> Iterator[str]:
    """How the curve was made, and how far it may be trusted."""
    if curve is None:
        yield "ROC curve not estimable: the positive or the negative group is empty."
        return
    compared = " vs ".join(
        f"{listed(side)} ({sum(len(samples[label]) for label in side)})" for side in (sides.positive, sides.negative)
    )
    yield f"ROC curve: {compared}; AUC with DeLong's 95% CI; optimal cut-off by Youden's index."
    if curve.others:
        yield f"Equally good cut-offs: {listed([plainly(limit) for limit in curve.others])}."
    yield "Cut-off and accuracy come from the same patients, so the accuracy is optimistic; validate it in others."


def _mean(sample: Floats) -> str:
    if not len(sample):
        return DASH
    spread = rounded(float(sample.std(ddof=1)), 2) if len(sample) > 1 else NOT_ESTIMABLE
    return f"{rounded(float(sample.mean()), 2)} ± {spread}"


def _median(sample: Floats) -> str:
    low, middle, high = quartiles(sample)
    return span(middle, low, high, 1) if len(sample) else DASH


def _curve_rows(curve: Roc) -> Iterator[tuple[str, ...]]:
    yield ("AUC (95% CI)", span(curve.area, curve.low, curve.high, 3))
    side = "below" if curve.lower else "above"
    yield ("optimal cut-off", f"{side} {plainly(round(curve.limit, 6))}")
    yield ("  sensitivity, %", percent(curve.sensitivity))
    yield ("  specificity, %", percent(curve.specificity))


def _numbers(name: str, group: str, sample: Floats) -> list[Number]:
    low, middle, high = quartiles(sample)
    spread = {
        "mean": float(sample.mean()) if len(sample) else None,
        "SD": float(sample.std(ddof=1)) if len(sample) > 1 else None,
    }
    return [
        Number(name, group, "n", float(len(sample))),
        *numbers_of(name, group, spread, "mean and SD"),
        *numbers_of(name, group, {"lower quartile": low, "median": middle, "upper quartile": high}, "quartiles"),
    ]


def _curve_numbers(name: str, curve: Roc, group: str) -> Iterator[Number]:
    yield from numbers_of(name, group, {"area": curve.area, "low": curve.low, "high": curve.high}, "DeLong")
    best = {"limit": curve.limit, "sensitivity": curve.sensitivity, "specificity": curve.specificity}
    yield from numbers_of(name, group, best, f"Youden: {'below' if curve.lower else 'above'} is positive")
    for false, true in zip(curve.false_positive.tolist(), curve.true_positive.tolist(), strict=True):
        yield from numbers_of(name, group, {"false positive": false, "true positive": true}, CURVE)
