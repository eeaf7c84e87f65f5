"""Predictors: a number known at entry, such as NK cells, in groups side by side, and how well it foretells response."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from itp_response.classification.classification import CriteriaInput, Study, classify
from itp_response.cohort.values import Floats
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.wording import counted_patients, listed
from itp_response.outputs.statistics.groups import AnalysedPatients, Groups, grouped
from itp_response.outputs.statistics.proportions import criteria_met, primary
from itp_response.outputs.statistics.roc import Roc, roc
from itp_response.outputs.statistics.tables import (
    DASH,
    Number,
    Table,
    once,
    percent,
    plainly,
    probability,
    rounded,
    span,
)
from itp_response.outputs.statistics.times import alike, quartiles
from itp_response.outputs.tables.table import Tables
from itp_response.readers.files import Tabular
from itp_response.readers.options import ReadOptions

CURVE = "roc curve"
"""The numbers of the curve: `false positive` and `true positive`, an entry per limit."""


@dataclass(frozen=True)
class Predictors(Tables):
    """The tables of the columns, each with its curve."""

    curves: Mapping[str, Roc]
    """By column; none where a group is empty."""


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
    options: ReadOptions | None = None,
) -> Predictors:
    """How numbers known of the patients differ between groups, and how well each tells two of them apart.

    `visits`, `patients`, `criteria` and `options` are as in `classify`.
    Groups are `by` an endpoint's verdicts, without it those of the primary endpoint, or by a patient column.
    The curve tells the `positive` groups from the `negative`: without these those that met the endpoint (of a ranked
    list, all but the last name) from those that did not. Groups that are neither are left out of the curve.
    Raises `UsageError` for a column that is not of numbers, or groups that do not exist.
    """
    found = classify(visits, patients, criteria, options=options)
    here = AnalysedPatients(found, np.ones(len(found.cohort), dtype=np.bool_)).restricted_to(only)
    if not column:
        raise UsageError("name a column of numbers, as --column nk_cells.")
    by = by or primary(here)
    groups = _ordered(here, grouped(here, by))
    yes, no = _sides(here, groups, positive, negative)
    tables, curves = [], {}
    for name in column:
        made, curve = _table(here, groups, name, (yes, no))
        tables.append(made)
        if curve is not None:
            curves[name] = curve
    choices = {"by": by, "column": list(column), "positive": yes, "negative": no, "only": list(only)}
    return Predictors(found, groups, tuple(tables), choices, {}, tuple(only), curves)


def _ordered(patients: AnalysedPatients, groups: Groups) -> Groups:
    """The groups; those of a ranked list from best to worst."""
    model = patients.found.criteria.endpoints.get(groups.by)
    if model is None or model.kind != "best":
        return groups
    ranked = [label for label in patients.found.verdicts[groups.by].labels if label in groups.labels]
    place = np.array([ranked.index(label) for label in groups.labels] + [-1])
    return Groups(groups.by, tuple(ranked), place[groups.code], len(ranked) - 1, groups.notes)


def _sides(
    patients: AnalysedPatients, groups: Groups, positive: Sequence[str], negative: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The groups that the curve tells apart."""
    for one in (*positive, *negative):
        if one not in groups.labels:
            raise UsageError(unknown("group", one, groups.labels))
    both = [one for one in positive if one in negative]
    if both:
        raise UsageError(f"the group {both[0]!r} cannot be both --positive and --negative.")
    if not positive:
        model = patients.found.criteria.endpoints.get(groups.by)
        if model is not None and model.kind == "best":
            positive = [one for one in groups.labels if one != model.otherwise and one not in negative]
        elif groups.by in criteria_met(patients) or set(groups.labels) == {"yes", "no"}:
            positive = [one for one in ("yes",) if one in groups.labels]
        else:
            raise UsageError(f"say which groups are --positive; there are: {', '.join(groups.labels)}.")
    others = list(negative) or [one for one in groups.labels if one not in positive]
    if not positive or not others:
        raise UsageError(f"all patients are of one group of {groups.by}, so there is nothing to tell apart.")
    return list(positive), others


def _table(
    patients: AnalysedPatients, groups: Groups, name: str, sides: tuple[list[str], list[str]]
) -> tuple[Table, Roc | None]:
    values = patients.column(name)
    if not values.dtype.is_numeric():
        raise UsageError(f"--column {name!r} is not of numbers, so there is no limit to look for; name another.")
    amount = values.fill_null(float("nan")).to_numpy()
    known = ~np.isnan(amount)
    samples = [amount[known & (groups.code == code)] for code in range(len(groups.labels))]
    p, test = alike(samples)
    rows = [
        ("patients", *(str(len(one)) for one in samples)),
        ("mean ± SD", *map(_mean, samples)),
        ("median (quartiles)", *map(_median, samples), probability(p)),
    ]
    numbers = [
        number for group, one in zip(groups.labels, samples, strict=True) for number in _numbers(name, group, one)
    ]
    numbers += [Number(name, "", "p", p, test)] if test else []
    chosen = [np.concatenate([samples[groups.labels.index(one)] for one in side]) for side in sides]
    curve = roc(chosen[0], chosen[1]) if all(map(len, chosen)) else None
    if curve is not None:
        rows += list(_curve_rows(curve))
        numbers += list(_curve_numbers(name, curve, f"{listed(sides[0])} to {listed(sides[1])}"))
    missing = int((~known & (groups.code >= 0)).sum())
    left_out = [one for one in groups.labels if one not in (*sides[0], *sides[1])]
    notes = [
        f"{test} test." if test else "",
        *_said(curve, sides, [len(one) for one in chosen]),
        f"Not in the curve: {listed(left_out)}." if left_out else "",
        f"{counted_patients(missing)} without {name} left out." if missing else "",
    ]
    last = ["p"] if test else []
    made = Table(
        name=f"predictor {name}",
        title=f"{name} by {groups.by}",
        header=("", *groups.headed(), *last),
        rows=tuple(rows),
        numbers=tuple(numbers),
        notes=once(notes),
    )
    return made, curve


def _said(curve: Roc | None, sides: tuple[list[str], list[str]], sizes: Sequence[int]) -> Iterator[str]:
    """How the curve was made, and how far it may be trusted."""
    if curve is None:
        yield "No ROC curve: one side is empty."
        return
    told = " from ".join(f"{listed(side)} ({size})" for side, size in zip(sides, sizes, strict=True))
    yield f"ROC: {told}; area with DeLong's 95 % interval; best limit by Youden's index."
    if curve.others:
        yield f"As good: {listed([plainly(one) for one in curve.others])}."
    yield "The limit was looked for in the same patients that it is judged by: it will do less well in others."


def _mean(sample: Floats) -> str:
    if not len(sample):
        return DASH
    spread = rounded(float(sample.std(ddof=1)), 2) if len(sample) > 1 else "not known"
    return f"{rounded(float(sample.mean()), 2)} ± {spread}"


def _median(sample: Floats) -> str:
    low, middle, high = quartiles(sample)
    return span(middle, low, high, 1) if len(sample) else DASH


def _curve_rows(curve: Roc) -> Iterator[tuple[str, ...]]:
    yield ("area under the curve (95 % interval)", span(curve.area, curve.low, curve.high, 3))
    side = "below" if curve.lower else "above"
    yield ("best limit", f"{side} {plainly(round(curve.limit, 6))}")
    yield ("  sensitivity", f"{percent(curve.sensitivity)} %")
    yield ("  specificity", f"{percent(curve.specificity)} %")


def _numbers(name: str, group: str, sample: Floats) -> Iterator[Number]:
    low, middle, high = quartiles(sample)
    yield Number(name, group, "n", float(len(sample)))
    yield Number(name, group, "mean", float(sample.mean()) if len(sample) else None)
    yield Number(name, group, "SD", float(sample.std(ddof=1)) if len(sample) > 1 else None)
    for statistic, value in (("lower quartile", low), ("median", middle), ("upper quartile", high)):
        yield Number(name, group, statistic, value)


def _curve_numbers(name: str, curve: Roc, group: str) -> Iterator[Number]:
    for statistic, value in (("area", curve.area), ("low", curve.low), ("high", curve.high)):
        yield Number(name, group, statistic, value, "DeLong")
    found = {"limit": curve.limit, "sensitivity": curve.sensitivity, "specificity": curve.specificity}
    for statistic, value in found.items():
        yield Number(name, group, statistic, value, f"Youden, {'below' if curve.lower else 'above'} is positive")
    for false, true in zip(curve.false_positive.tolist(), curve.true_positive.tolist(), strict=True):
        yield Number(name, group, "false positive", false, CURVE)
        yield Number(name, group, "true positive", true, CURVE)
