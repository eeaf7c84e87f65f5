"""Characteristics: the patients at entry, group by group; no tests, as what differs there differs by chance."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from itp_response.messages.wording import listed
from itp_response.outputs.statistics.groups import LEVELS, AnalysedPatients, Groups, in_words, levels
from itp_response.outputs.statistics.tables import Number, Table, once, percent
from itp_response.outputs.statistics.times import quartiles, shown

FEW = 5
"""A number with so few values, all whole, as a grade, is counted value by value too."""


def characteristics(patients: AnalysedPatients, groups: Groups, columns: Sequence[str] = ()) -> Table:
    """Of each column per group the median and quartiles, or how many have each value.

    Without `columns`, all that tell of the patients at entry, first of all the baseline count.
    """
    asked = list(columns) or list(patients.characteristics)
    rows: list[tuple[str, ...]] = []
    numbers: list[Number] = []
    left_out = []
    for name in asked:
        values = patients.column(name)
        known = levels(values.filter(list(groups.code >= 0)))
        if not values.dtype.is_numeric() and len(known) > LEVELS:
            left_out.append(f"{name} ({len(known)})")
            continue
        rows += _rows(name, values, known, groups)
        numbers += _numbers(name, values, known, groups)
    unsaid = f"Not shown, as of more than {LEVELS} different texts: {listed(left_out)}." if left_out else ""
    how = "Median (quartiles, at the (n + 1) p-th place), or number (% of those recorded)."
    title = "Characteristics at entry"
    return Table("characteristics", title, ("", *groups.headed()), tuple(rows), tuple(numbers), once([how, unsaid]))


def _rows(name: str, values: pl.Series, known: Sequence[str], groups: Groups) -> Iterator[tuple[str, ...]]:
    label = _labelled(name)
    if values.dtype.is_numeric():
        yield (label, *(shown(sample, 1) for sample in _samples(values, groups)))
    if not values.dtype.is_numeric() or _few(values):
        counts = _counts(values, known, groups)
        if known == ("yes", "no"):
            yield (label, *_shares(counts, 0))
        else:
            if not values.dtype.is_numeric():
                yield (label,)
            yield from ((f"  {one}", *_shares(counts, place)) for place, one in enumerate(known))
    missing = _missing(values, groups)
    if any(missing):
        yield ("  not recorded", *map(str, missing))


def _shares(counts: list[list[int]], place: int) -> list[str]:
    return [f"{one[place]} ({percent(one[place] / sum(one))})" if sum(one) else "0" for one in counts]


def _numbers(name: str, values: pl.Series, known: Sequence[str], groups: Groups) -> Iterator[Number]:
    if values.dtype.is_numeric():
        for group, sample in zip(groups.labels, _samples(values, groups), strict=True):
            found = dict(zip(("lower quartile", "median", "upper quartile"), quartiles(sample), strict=True))
            yield from (Number(name, group, statistic, value) for statistic, value in found.items())
    if not values.dtype.is_numeric() or _few(values):
        for group, counts in zip(groups.labels, _counts(values, known, groups), strict=True):
            for level, count in zip(known, counts, strict=True):
                yield Number(name, group, "n", float(count), level=level)
                yield Number(name, group, "share", count / sum(counts) if sum(counts) else None, level=level)
    for group, count in zip(groups.labels, _missing(values, groups), strict=True):
        yield Number(name, group, "not recorded", float(count))


def _samples(values: pl.Series, groups: Groups) -> list[np.ndarray]:
    return [values.filter(list(groups.code == code)).drop_nulls().to_numpy() for code in range(len(groups.labels))]


def _counts(values: pl.Series, known: Sequence[str], groups: Groups) -> list[list[int]]:
    """Per group how many have each level."""
    said = in_words(values)
    here = [said.filter(list(groups.code == code)) for code in range(len(groups.labels))]
    return [[int((one == level).sum()) for level in known] for one in here]


def _missing(values: pl.Series, groups: Groups) -> list[int]:
    return [values.filter(list(groups.code == code)).null_count() for code in range(len(groups.labels))]


def _few(values: pl.Series) -> bool:
    different = values.drop_nulls().unique()
    return len(different) <= FEW and bool((different == different.round()).all())


def _labelled(name: str) -> str:
    return "baseline count" if name == "baseline" else name
