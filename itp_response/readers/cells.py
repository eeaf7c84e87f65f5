"""Cells: the meaning of a column's texts, as numbers, truths or texts; days and dates are in `dates`.

No other module knows what cells mean. It reads whole columns at once. The few cells that are not plain are then read
by themselves.
"""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.declared_columns import TRUTHS, ColumnDeclared
from itp_response.cohort.notation import HIGHEST_COUNT, per_microlitre
from itp_response.cohort.values import (
    Bools,
    Column,
    Floats,
    Ints,
    Numbers,
    Texts,
    Truths,
    exactly,
    just_above,
    just_below,
)
from itp_response.readers.decimals import with_decimal_points
from itp_response.readers.problems import Cells, NoteText, Problems, as_text, quoted
from itp_response.readers.units import times

NOT_GIVEN = ("na", "n/a", "nan", "null", ".")
BOUND = r"^(<=|>=|<|>|≤|≥)?\s*(\d+(?:\.\d*)?|\.\d+)$"
Wording = Callable[[str], str]


def without_not_given(cells: Cells, texts: pl.Series, problems: Problems) -> pl.Series:
    """The texts; null where a text says that nothing was recorded (`NOT_GIVEN`)."""
    not_given = texts.str.to_lowercase().is_in(NOT_GIVEN).fill_null(value=False)
    count = int(not_given.sum())
    count_not_given(cells, count, problems)
    return texts.set(not_given, None) if count else texts


def count_not_given(cells: Cells, count: int, problems: Problems) -> None:
    """Note the number of cells that say that nothing was recorded."""
    name = cells.name

    def note_text(number: int, _: Sequence[str]) -> str:
        cell, be = ("cell", "counts") if number == 1 else ("cells", "count")
        return f"{name}: {number} {cell} with NA, N/A, NaN, null or '.' {be} as empty." if number else ""

    problems.count(cells.location, f"not given: {name}", note_text, count)


def is_empty(cells: Cells, rows: NDArray[np.integer]) -> Bools:
    """Which of the cells in these rows are empty or say that nothing was recorded."""
    texts = as_text(cells.values.gather(rows))
    return (texts.is_null() | texts.str.to_lowercase().is_in(NOT_GIVEN).fill_null(value=False)).to_numpy()


# NUMBERS


def as_numbers(cells: Cells, problems: Problems, *, least: float, wrong: Wording, exponent: Ints | int = 0) -> Numbers:
    """Numbers and bounds such as `<10`; NaN where empty.

    `least` is the lowest value that a bound `<10` includes. `wrong` words the problem of a text that is no number.
    `exponent` is the power of ten by which the numbers are multiplied, one or one per row.
    """
    count_not_given(cells, 0, problems)
    cells = with_decimal_points(cells, problems)
    values = cells.values
    if values.null_count() == len(values):
        return all_missing(len(values))
    if values.dtype.is_numeric():
        low = times(values.cast(pl.Float64).to_numpy(), exponent)  # null becomes NaN
        infinite = np.isinf(low)
        problems.wrong_cells(cells, np.flatnonzero(infinite), wrong)
        return exactly(np.where(infinite, np.nan, low) if infinite.any() else low)
    if values.dtype != pl.String:
        values = as_text(values)
    plain = values.cast(pl.Float64, strict=False)
    low = times(plain.fill_null(np.nan).to_numpy(), exponent)
    other = np.flatnonzero((values.is_not_null() & ~plain.is_finite().fill_null(value=False)).to_numpy())
    if not len(other):
        return exactly(low)
    texts = without_not_given(cells, as_text(values.gather(other)), problems)
    parts = texts.str.extract_groups(BOUND).struct.unnest()
    sign = parts.to_series(0).fill_null("").to_numpy(writable=True)
    unsigned = parts.to_series(1).fill_null("").zip_with(parts.to_series(1).is_not_null(), texts)
    number = unsigned.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy(writable=True)
    bad = np.isnan(number) | np.isinf(number) | ((sign == "<") & (number <= least))
    problems.wrong_cells(cells, other[bad & texts.is_not_null().to_numpy()], wrong)
    number[bad] = np.nan
    sign[bad] = ""
    number = times(number, exponent if isinstance(exponent, int) else exponent[other])
    below, above = np.isin(sign, ("<", "<=", "≤")), np.isin(sign, (">", ">=", "≥"))
    low = low.copy()
    low[other] = np.where(below, least, np.where(sign == ">", just_above(number), number))
    if not (below | above).any():
        return exactly(low)
    high = low.copy()
    high[other] = np.where(above, np.inf, np.where(sign == "<", just_below(number), number))
    return Numbers(low, high)


def all_missing(size: int) -> Numbers:
    """A number of missing values, which take no memory."""
    return exactly(np.broadcast_to(np.nan, size))


def as_counts(cells: Cells, problems: Problems, exponent: Ints | int | None = None) -> Numbers:
    """Platelet counts in 10⁹/L; `exponent` is that of their unit, one or one per row; None: it was not told."""
    counts = as_numbers(cells, problems, least=0.0, wrong=_no_count, exponent=0 if exponent is None else exponent)
    too_high = _per_microlitre if exponent is None else _too_high
    high = np.where(np.isinf(counts.high), counts.low, counts.high)
    problems.wrong_cells(cells, np.flatnonzero(counts.low < 0), lambda text: f"{quoted(text)} is below 0; correct it.")
    problems.wrong_cells(cells, np.flatnonzero((high > HIGHEST_COUNT) & np.isfinite(high)), too_high)
    return counts


def _no_count(text: str) -> str:
    return _no_number(text, "give 10⁹/L, a bound such as '<10', or leave the cell empty")


def _no_number(text: str, cure: str = "give a number or leave the cell empty") -> str:
    whole, comma, rest = text.partition(",")
    if comma and whole.lstrip("<>=≤≥ ").isdigit() and rest.isdigit():
        if len(rest) == 3:
            return f"{quoted(text)} has a comma; write a point before decimals and nothing between thousands."
        return f"{quoted(text)} has a decimal comma; write {whole}.{rest}."
    return f"{quoted(text)} is no number; {cure}."


def _per_microlitre(text: str) -> str:
    return f"{quoted(text)} {per_microlitre(text)}"


def _too_high(text: str) -> str:
    what = f"is above {HIGHEST_COUNT:,} × 10⁹/L in the unit that was told"
    return f"{quoted(text)} {what}; correct the count or its unit."


def as_grades(cells: Cells, problems: Problems) -> Floats:
    """WHO bleeding grades; NaN where empty."""

    def wrong(text: str) -> str:
        return f"{quoted(text)} is no WHO bleeding grade; give 0, 1, 2, 3 or 4."

    grades = as_numbers(cells, problems, least=0.0, wrong=wrong)
    off = ~np.isnan(grades.low) & ((grades.low != grades.high) | ~np.isin(grades.low, (0, 1, 2, 3, 4)))
    problems.wrong_cells(cells, np.flatnonzero(off), wrong)
    return grades.low


# TRUTHS AND TEXTS


def as_truths(cells: Cells, problems: Problems) -> Truths:
    """Truths, written as in `TRUTHS` (yes and no, 1 and 0, …); unknown where empty."""
    texts = without_not_given(cells, as_text(cells.values), problems)
    truths = texts.str.to_lowercase().replace_strict(TRUTHS, default=None, return_dtype=pl.Boolean)
    bad = np.flatnonzero((texts.is_not_null() & truths.is_null()).to_numpy())
    problems.wrong_cells(cells, bad, lambda text: f"{quoted(text)} is neither true nor false; give 1 or 0.")
    true = truths.fill_null(value=False).to_numpy()
    return Truths(true, ~truths.fill_null(value=True).to_numpy())


def as_texts(cells: Cells, problems: Problems) -> pl.Series:
    """Texts; null where empty."""
    return without_not_given(cells, as_text(cells.values), problems)


def as_declared(cells: Cells, declared: ColumnDeclared, problems: Problems) -> tuple[Column, Bools]:
    """A column of `[columns]`, and the rows in which it was recorded; an empty cell is not yet what it stands for."""
    if declared.type == "number":
        numbers = as_numbers(cells, problems, least=-np.inf, wrong=_no_number)
        return numbers, ~np.isnan(numbers.low)
    if declared.type == "truth":
        truths = as_truths(cells, problems)
        return truths, ~truths.unknown
    texts = as_texts(cells, problems)
    return _coded(texts), texts.is_not_null().to_numpy()


def _coded(texts: pl.Series) -> Texts:
    """The texts as positions in their sorted labels."""
    labels = texts.drop_nulls().unique().sort()
    codes = texts.cast(pl.Enum(labels)).to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
    return Texts(codes, tuple(labels.to_list()))


# RESCUE


def count_assumed(cells: Cells, meaning: str, number: int, spellings: Sequence[str], problems: Problems) -> None:
    """Note the number of cells with these spellings, and the meaning that was assumed."""
    problems.count(cells.location, meaning, _assumed_text(cells.name, meaning), number, spellings)


def _assumed_text(name: str, meaning: str) -> NoteText:
    def note_text(number: int, texts: Sequence[str]) -> str:
        cells = "cell" if number == 1 else "cells"
        return (
            f"{name}: {number} {cells} with {' or '.join(sorted(map(repr, texts)))} taken as {meaning}."
            if number
            else ""
        )

    return note_text


WITHOUT_A_NAME, NONE_BEGINS = "a rescue without a name", "no rescue"
"""The meanings of cells of rescue that name no treatment."""
NAMELESS = ("1", "yes", "y", "true", "x")
NO_RESCUE = ("0", "no", "n", "false", "none")
NUMBER = r"^[-+.\d]+$"
"""A number, which is no treatment."""


def as_rescue(cells: Cells, problems: Problems) -> tuple[Bools, Texts]:
    """The rows in which a rescue treatment begins, and its name in lower case."""
    # Most rows begin no rescue, so only the others are read.
    written = cells.values.is_not_null().arg_true().to_numpy()
    texts = without_not_given(cells, as_text(cells.values.gather(written)), problems)
    folded = texts.str.to_lowercase()
    none = folded.is_in(NO_RESCUE).fill_null(value=False)
    nameless = folded.is_in(NAMELESS).fill_null(value=False)
    for rows, meaning in ((nameless, WITHOUT_A_NAME), (none, NONE_BEGINS)):
        spellings = folded.filter(rows).unique().sort().to_list() if rows.any() else []
        count_assumed(cells, meaning, int(rows.sum()), spellings, problems)
    number = texts.str.contains(NUMBER).fill_null(value=False) & ~none & ~nameless
    problems.wrong_cells(
        cells,
        written[number.to_numpy()],
        lambda text: f"{quoted(text)} is no treatment; give its name, or 1 where it has none.",
    )
    begins: Bools = np.zeros(len(cells.values), dtype=np.bool_)
    begins[written] = (texts.is_not_null() & ~none).to_numpy()
    names = _coded(folded.set(none | nameless, None))
    codes = np.full(len(begins), -1, dtype=np.int32)
    codes[written] = names.codes
    return begins, Texts(codes, names.labels)
