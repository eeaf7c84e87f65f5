"""Cells: the meaning of a column's texts, as numbers, truths or texts; days and dates are in `dates`.

No other module knows what cells mean. It reads whole columns at once. The few cells that are not plain are then read
by themselves.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

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
from itp_response.messages.codes import Code
from itp_response.messages.wording import counted
from itp_response.readers.decimals import with_decimal_points
from itp_response.readers.missing_codes import NOT_GIVEN, or_missing
from itp_response.readers.problems import Cells, Problems, UnreadableCells, as_text, examples, first_few, quoted, shown
from itp_response.readers.treatments import (
    NAMES,
    SOME_NAME,
    Meaning,
    RescueWords,
    assumed_text,
    both_ways,
    is_mixable,
    may_not_be_given,
    mixed_if_named,
    mixed_text,
    no_treatment,
    taken_text,
    unknown_text,
)
from itp_response.readers.units import exponent_of, times

BOUND = r"^(<=|>=|<|>|≤|≥)?\s*(-?\d+(?:\.\d*)?|\.\d+)$"
WIDE = str.maketrans("０１２３４５６７８９．＜＞－−–", "0123456789.<>---")
"""Digits and signs as Chinese and Japanese programs write them, and signs of minus."""
BETWEEN_THOUSANDS = "[ \u00a0\u2009\u202f'’]"
THOUSANDS = rf"^[<>=≤≥\s]*\d{{1,3}}(?:{BETWEEN_THOUSANDS}\d{{3}})+$"
"""A number with blanks or apostrophes between thousands."""
WITH_UNIT = re.compile(r"[<>=≤≥\s]*\d[\d.,]*\s*(\D.*)")
Wording = Callable[[str], str]


def without_not_given(cells: Cells, texts: pl.Series, problems: Problems) -> pl.Series:
    """The texts; null where a text says that nothing was recorded (`NOT_GIVEN`)."""
    not_given = is_not_given(texts)
    count = int(not_given.sum())
    count_not_given(cells, count, problems, texts.filter(not_given).unique().to_list() if count else ())
    return texts.set(not_given, None) if count else texts


def count_not_given(cells: Cells, count: int, problems: Problems, spellings: Iterable[str] = ()) -> None:
    """Note the number of cells that say that nothing was recorded."""
    name = cells.name

    def note_text(number: int, texts: Sequence[str]) -> str:
        cell, be = ("cell", "counts") if number == 1 else ("cells", "count")
        return (
            f"{name}: {number} {cell} with {' or '.join(sorted(map(repr, texts)))} {be} as missing." if number else ""
        )

    problems.count(cells.location, f"not given: {name}", note_text, count, spellings)


def is_not_given(texts: pl.Series) -> pl.Series:
    """Which of the texts say that nothing was recorded."""
    return texts.str.to_lowercase().is_in(NOT_GIVEN).fill_null(value=False)


def is_empty(cells: Cells, rows: NDArray[np.integer]) -> Bools:
    """Which of the cells in these rows are empty or say that nothing was recorded."""
    if not len(rows):
        return np.zeros(0, dtype=np.bool_)
    texts = as_text(cells.values.gather(rows))
    return (texts.is_null() | is_not_given(texts)).to_numpy()


# NUMBERS


def as_numbers(
    cells: Cells,
    problems: Problems,
    *,
    least: float,
    wrong: Wording,
    exponent: Ints | int = 0,
    code: Code = Code.NUMBER_UNREADABLE,
) -> Numbers:
    """Numbers and bounds such as `<10`; NaN where empty.

    `least` is the lowest value that a bound `<10` includes. `wrong` words the problem of a text that is no number.
    `exponent` is the power of ten by which the numbers are multiplied, one or one per row. `code` is that of a text
    that is no number.
    """
    count_not_given(cells, 0, problems)
    cells = with_decimal_points(cells, problems)
    values = cells.values
    if values.null_count() == len(values):
        return all_missing(len(values))
    if values.dtype.is_numeric():
        low = times(values.cast(pl.Float64).fill_null(np.nan).to_numpy(), exponent)
        infinite = np.isinf(low)
        problems.wrong_cells(cells, np.flatnonzero(infinite), wrong, code)
        return exactly(np.where(infinite, np.nan, low) if infinite.any() else low)
    if values.dtype != pl.String:
        values = as_text(values)
    plain = values.cast(pl.Float64, strict=False)
    low = times(plain.fill_null(np.nan).to_numpy(), exponent)
    other = np.flatnonzero((values.is_not_null() & ~plain.is_finite().fill_null(value=False)).to_numpy())
    if not len(other):
        return exactly(low)
    texts = _plain_numbers(cells, without_not_given(cells, as_text(values.gather(other)), problems), problems)
    parts = texts.str.extract_groups(BOUND).struct.unnest()
    sign = parts.to_series(0).fill_null("").to_numpy(writable=True)
    unsigned = parts.to_series(1).fill_null("").zip_with(parts.to_series(1).is_not_null(), texts)
    number = unsigned.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy(writable=True)
    bad = np.isnan(number) | np.isinf(number) | ((sign == "<") & (number <= least))
    problems.wrong_cells(cells, other[bad & texts.is_not_null().to_numpy()], wrong, code)
    number[bad] = np.nan
    sign[bad] = ""
    number = times(number, exponent if isinstance(exponent, int) else exponent[other])
    return _with_censored(low, other, number, sign, least)


def _with_censored(exact: Floats, other: Ints, number: Floats, sign: NDArray[Any], least: float) -> Numbers:
    """The numbers, those of the rows `other` in place; a sign before a number makes it a bound."""
    below, above = np.isin(sign, ("<", "<=", "≤")), np.isin(sign, (">", ">=", "≥"))
    low = exact.copy()
    low[other] = np.where(below, least, np.where(sign == ">", just_above(number), number))
    if not (below | above).any():
        return exactly(low)
    high = low.copy()
    high[other] = np.where(above, np.inf, np.where(sign == "<", just_below(number), number))
    return Numbers(low, high)


def _plain_numbers(cells: Cells, texts: pl.Series, problems: Problems) -> pl.Series:
    """The texts in usual digits, with nothing between thousands, of which numbers are noted."""
    texts = texts.str.replace_many({chr(one): chr(other) for one, other in WIDE.items()})
    grouped, name = texts.str.contains(THOUSANDS).fill_null(value=False), cells.name
    if not grouped.any():
        return texts

    def note_text(number: int, few: Sequence[str]) -> str:
        numbers = f"{counted(number, 'number')} read without what stands between thousands"
        return f"{name}: {numbers}: {first_few(sorted(few), 3, number)}." if number else ""

    few = examples(texts.filter(grouped), 3)
    problems.count(cells.location, f"thousands: {name}", note_text, int(grouped.sum()), few)
    return texts.zip_with(~grouped, texts.str.replace_all(BETWEEN_THOUSANDS, ""))


def all_missing(size: int) -> Numbers:
    """A number of missing values, which take no memory."""
    return exactly(np.broadcast_to(np.nan, size))


def as_counts(
    cells: Cells, problems: Problems, exponent: Ints | int | None = None, *, unit_wrong: Bools | None = None
) -> Numbers:
    """Platelet counts in 10⁹/L; `exponent` is that of their unit, one or one per row; None: it was not told.

    Whether a count is too high is not asked in rows with a problem of their unit (`unit_wrong`).
    """

    def wrong(wording: Wording) -> Wording:
        return lambda text: f"{wording(text)}{or_missing(cells.name, text)}"

    power = 0 if exponent is None else exponent
    counts = as_numbers(cells, problems, least=0.0, wrong=wrong(_no_count), exponent=power)
    usual = _per_microlitre if cells.location.decimal == "usual" else _like_microlitres
    too_high = usual if exponent is None else _too_high
    high = np.where(np.isinf(counts.high), counts.low, counts.high)
    problems.wrong_cells(cells, np.flatnonzero(counts.low < 0), wrong(_below_0), Code.COUNT_IMPLAUSIBLE)
    above = (high > HIGHEST_COUNT) & np.isfinite(high)
    rows = np.flatnonzero(above if unit_wrong is None else above & ~unit_wrong)
    problems.wrong_cells(cells, rows, wrong(too_high), Code.COUNT_IMPLAUSIBLE)
    return counts


def _no_count(text: str) -> str:
    unit = WITH_UNIT.fullmatch(text)
    if unit is not None and exponent_of(unit[1]) is not None:
        return f"{quoted(text)} has its unit beside it; write the number alone, and the unit in a column 'unit'."
    return _no_number(text, "give 10⁹/L, a bound such as '<10', or leave the cell empty")


def _below_0(text: str) -> str:
    return f"{quoted(text)} is below 0; correct it."


def _no_number(text: str, cure: str = "give a number or leave the cell empty") -> str:
    whole, comma, rest = text.partition(",")
    if comma and whole.lstrip("<>=≤≥ ").isdigit() and rest.isdigit():
        if len(rest) == 3:
            return f"{quoted(text)} has a comma; write a point before decimals and nothing between thousands."
        return f"{quoted(text)} has a decimal comma; write {whole}.{rest}."
    return f"{quoted(text)} is not a number; {cure}."


def _per_microlitre(text: str) -> str:
    plain = re.sub(rf"(?<=\d){BETWEEN_THOUSANDS}(?=\d)", "", text)
    return f"{quoted(text)} {per_microlitre(plain)}"


def _like_microlitres(text: str) -> str:
    return f"{quoted(text)} looks like cells/µL; give 10⁹/L, or say --unit /uL."


def _too_high(text: str) -> str:
    what = f"is above {HIGHEST_COUNT:,} × 10⁹/L in the specified unit"
    return f"{quoted(text)} {what}; correct the count or its unit."


def as_grades(cells: Cells, problems: Problems) -> Floats:
    """WHO bleeding grades; NaN where empty."""

    def wrong(text: str) -> str:
        return f"{quoted(text)} is not a WHO bleeding grade; give 0, 1, 2, 3 or 4.{or_missing(cells.name, text)}"

    grades = as_numbers(cells, problems, least=0.0, wrong=wrong, code=Code.GRADE_UNREADABLE)
    grade = grades.low
    fits = (grade == grades.high) & (grade >= 0) & (grade <= 4) & (grade == np.floor(grade))
    problems.wrong_cells(cells, np.flatnonzero(~(fits | np.isnan(grade))), wrong, Code.GRADE_UNREADABLE)
    return grade


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

WRONG_RESCUES = {
    Meaning.NOT_A_TREATMENT: no_treatment,
    Meaning.NEGATED: both_ways,
    Meaning.NOT_SURE: may_not_be_given,
}
"""The wording of each meaning that is a problem."""


def as_rescue(cells: Cells, problems: Problems, words: RescueWords) -> tuple[Bools, Texts, Texts]:
    """The rows in which a rescue treatment begins, its name in lower case, and its name as it is written."""
    # Most rows begin no rescue, so only the others are read.
    written = cells.values.is_not_null().arg_true().to_numpy()
    texts = as_text(cells.values.gather(written))
    counted = texts.drop_nulls().value_counts(name="number")
    numbers = dict(zip(counted.to_series(0).to_list(), counted["number"].to_list(), strict=True))
    meanings = {text: words.meaning(text) for text in numbers}
    note_rescue(cells, numbers, meanings, problems)

    # What is decided of each spelling once is looked up for its cells; the last entry is that of empty cells.
    spelling = texts.replace_strict(list(meanings), range(len(meanings)), default=-1, return_dtype=pl.Int32).to_numpy()

    def rows_of(chosen: Iterable[bool]) -> Bools:
        rows: Bools = np.array([*chosen, False])[spelling]
        return rows

    for meaning, wording in WRONG_RESCUES.items():
        wrong = rows_of(one is meaning for one in meanings.values())
        problems.wrong_cells(cells, written[wrong], wording, Code.RESCUE_UNCLEAR)
    mixed = rows_of(is_mixable(text, meanings) for text in meanings)
    ask_about_mixed(cells, written[mixed], meanings, problems)
    begins: Bools = np.zeros(len(cells.values), dtype=np.bool_)
    begins[written] = rows_of(meaning.begins for meaning in meanings.values())
    named = pl.Series([text if meanings[text].is_name else None for text in meanings], dtype=pl.String)

    def of_all(names: pl.Series) -> Texts:
        coded, codes = _coded(names), np.full(len(begins), -1, dtype=np.int32)
        codes[written] = np.append(coded.codes, np.int32(-1))[spelling]
        return Texts(codes, coded.labels)

    return begins, of_all(named.str.to_lowercase()), of_all(named)


def note_rescue(cells: Cells, numbers: Mapping[str, int], meanings: Mapping[str, Meaning], problems: Problems) -> None:
    """Note what the texts of a column of rescue were taken as; `numbers` has the number of cells of each."""
    for meaning in (Meaning.MISSING, Meaning.WITHOUT_A_NAME, Meaning.NONE_BEGINS):
        texts = [text for text in numbers if meanings[text] is meaning]
        number, spellings = sum(map(numbers.__getitem__, texts)), sorted({text.lower() for text in texts})
        note_text, is_warning = assumed_text(cells.name, meaning), meaning is Meaning.MISSING
        problems.count(cells.location, meaning.value, note_text, number, spellings, warning=is_warning)
    for about, wording, chosen in (("names", taken_text, NAMES), ("unknown names", unknown_text, NAMES[1:])):
        by_name: dict[str, int] = {}
        for text in numbers:
            if meanings[text] in chosen:
                by_name[text.lower()] = by_name.get(text.lower(), 0) + numbers[text]
        warning = about == "unknown names"
        problems.count_names(cells.location, about, partial(wording, cells.name), by_name, warning=warning)


def ask_about_mixed(
    cells: Cells, rows: NDArray[np.integer], meanings: Mapping[str, Meaning], problems: Problems
) -> None:
    """Report words such as `yes`, which stand in these rows, if the column has names of treatments too."""
    first = rows[:1]
    found = [f"{quoted(text)} ({cells.location.named(int(first[0]))})" for text in shown(cells, first)]
    found += [SOME_NAME] if any(meaning.is_name for meaning in meanings.values()) else []
    note_text = partial(mixed_if_named, cells.name)
    unreadable = [UnreadableCells(cells, rows, mixed_text)]
    problems.ask(cells.location, "mixed", note_text, len(rows), found, unreadable=unreadable)
