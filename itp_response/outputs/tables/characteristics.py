"""Characteristics: the patients at entry by group; no tests, as differences between randomised groups are chance."""

from collections.abc import Iterator, Sequence

import polars as pl

from itp_response.cohort.values import Floats
from itp_response.messages.wording import listed
from itp_response.outputs.statistics.groups import LEVELS, AnalysedPatients, Groups, in_words, levels
from itp_response.outputs.statistics.tables import Number, RowTexts, Table, TableRows, numbers_of, percent
from itp_response.outputs.statistics.times import QUARTILES, median_quartiles, quartiles

FEW = 5
"""A number with at most this many values, all whole, as a grade, is counted value by value too."""


def characteristics(patients: AnalysedPatients, groups: Groups, columns: Sequence[str] = ()) -> Table:
    """For each column and group the median and quartiles, or how many patients have each value.

    Without `columns`, all characteristics at entry, the baseline count first.
    """
    rows = TableRows()
    left_out = []
    for name in columns or patients.characteristics:
        values = patients.column(name)
        known = levels(values.filter(pl.Series(groups.inside)))
        if not values.dtype.is_numeric() and len(known) > LEVELS:
            left_out.append(f"{patients.title_of(name)} ({len(known)})")
            continue
        rows.rows += _rows(patients.title_of(name), values, known, groups)
        rows.numbers += _numbers(name, values, known, groups)
    notes = [
        "Median (quartiles), or number (% of patients with a record).",
        QUARTILES,
        f"Not shown, with more than {LEVELS} different texts: {listed(left_out)}." if left_out else "",
    ]
    return rows.table("characteristics", "Baseline characteristics", ("", *groups.headed()), notes)


def _rows(label: str, values: pl.Series, known: Sequence[str], groups: Groups) -> Iterator[RowTexts]:
    if values.dtype.is_numeric():
        yield (label, *(median_quartiles(sample, 1) for sample in _samples(values, groups)))
    if not values.dtype.is_numeric() or _few(values):
        counts = _counts(values, known, groups)
        if known == ("yes", "no"):
            yield (label, *_shares(counts, 0))
        else:
            if not values.dtype.is_numeric():
                yield (label,)
            yield from ((f"  {level}", *_shares(counts, code)) for code, level in enumerate(known))
    missing = _missing(values, groups)
    if any(missing):
        yield ("  not recorded", *map(str, missing))


def _shares(counts: list[list[int]], code: int) -> list[str]:
    """Per group how many have a level, and the share of those recorded."""
    return [f"{group[code]} ({percent(group[code] / sum(group))})" if sum(group) else "0" for group in counts]


def _numbers(name: str, values: pl.Series, known: Sequence[str], groups: Groups) -> Iterator[Number]:
    if values.dtype.is_numeric():
        for group, sample in zip(groups.labels, _samples(values, groups), strict=True):
            low, middle, high = quartiles(sample)
            statistics = {"lower quartile": low, "median": middle, "upper quartile": high}
            yield from numbers_of(name, group, statistics, "quartiles")
    if not values.dtype.is_numeric() or _few(values):
        for group, counts in zip(groups.labels, _counts(values, known, groups), strict=True):
            for level, count in zip(known, counts, strict=True):
                share = count / sum(counts) if sum(counts) else None
                yield from numbers_of(name, group, {"n": float(count), "share": share}, level=level)
    for group, count in zip(groups.labels, _missing(values, groups), strict=True):
        yield Number(name, group, "not recorded", float(count))


def _by_group(values: pl.Series, groups: Groups) -> list[pl.Series]:
    return [values.filter(pl.Series(member)) for member in groups.members]


def _samples(values: pl.Series, groups: Groups) -> list[Floats]:
    """Per group the values recorded."""
    return [sample.drop_nulls().to_numpy() for sample in _by_group(values, groups)]


def _counts(values: pl.Series, known: Sequence[str], groups: Groups) -> list[list[int]]:
    """Per group how many have each level."""
    return [[int((texts == level).sum()) for level in known] for texts in _by_group(in_words(values), groups)]


def _missing(values: pl.Series, groups: Groups) -> list[int]:
    return [sample.null_count() for sample in _by_group(values, groups)]


def _few(values: pl.Series) -> bool:
    different = values.drop_nulls().unique()
    return len(different) <= FEW and bool((different == different.round()).all())
