"""Cells: the meaning of a column's texts, as numbers, days, dates, truths or texts.

This is the one module that knows what cells mean. It reads whole columns at once. The few cells that are not plain
are then read by themselves.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.declared_columns import TRUTHS, ColumnDeclared
from itp_response.cohort.notation import HIGHEST_COUNT, per_microlitre
from itp_response.cohort.values import Bools, Column, Floats, Numbers, Texts, Truths, exactly, just_above, just_below
from itp_response.messages.errors import UsageError, unknown
from itp_response.readers.problems import Cells, NoteText, Problems, as_text, first_few, quoted, shown

NOT_GIVEN = ("na", "n/a", "nan", "null", ".")
BOUND = r"^(<=|>=|<|>|≤|≥)?\s*(\d+(?:\.\d*)?|\.\d+)$"
ISO = r"^(\d{4}-\d{2}-\d{2})(?:(?:T|\s+)\d{2}(?::\d{2}(?::\d{2}(?:[.,]\d+)?)?)?\s*(?:Z|[+-]\d{2}(?::?\d{2})?)?)?$"
PARTIAL = r"^(\d{4})(?:-(\d{2})(?:-(?:\?\?|UN|UNK|XX))?|-(?:\?\?|UN|UNK|XX)-(?:\?\?|UN|UNK|XX))?$"
"""A month or a year alone: `2019-05`, `2019`, and with what stands for an unknown part: `2019-05-??`, `2019-UN-UN`."""
TIME = r"(?:T|,?\s+)\d{1,2}:\d{2}.*$"
ORDERS = {
    "dmy": r"^(?P<d>\d{1,2})[/.-](?P<m>\d{1,2})[/.-](?P<y>\d{4})$",
    "mdy": r"^(?P<m>\d{1,2})[/.-](?P<d>\d{1,2})[/.-](?P<y>\d{4})$",
    "ymd": r"^(?P<y>\d{4})[/.-](?P<m>\d{1,2})[/.-](?P<d>\d{1,2})$",
}
YEARS = (1900, 2100)
IMPUTED = {
    "first": "imputed as the first day that may be meant, as told",
    "last": "imputed as the last day that may be meant, as told",
}
"""The rules by which a partial date is made a day, and the wording of each."""
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


def as_numbers(cells: Cells, problems: Problems, *, least: float, wrong: Wording) -> Numbers:
    """Numbers and bounds such as `<10`; NaN where empty.

    `least` is the lowest value that a bound `<10` includes. `wrong` words the problem of a text that is no number.
    """
    count_not_given(cells, 0, problems)
    values = cells.values
    if values.null_count() == len(values):
        return _all_missing(len(values))
    if values.dtype.is_numeric():
        low = values.cast(pl.Float64).to_numpy()  # null becomes NaN
        infinite = np.isinf(low)
        problems.wrong_cells(cells, np.flatnonzero(infinite), wrong)
        return exactly(np.where(infinite, np.nan, low) if infinite.any() else low)
    if values.dtype != pl.String:
        values = as_text(values)
    plain = values.cast(pl.Float64, strict=False)
    low = plain.fill_null(np.nan).to_numpy()
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
    below, above = np.isin(sign, ("<", "<=", "≤")), np.isin(sign, (">", ">=", "≥"))
    low = low.copy()
    low[other] = np.where(below, least, np.where(sign == ">", just_above(number), number))
    if not (below | above).any():
        return exactly(low)
    high = low.copy()
    high[other] = np.where(above, np.inf, np.where(sign == "<", just_below(number), number))
    return Numbers(low, high)


def _all_missing(size: int) -> Numbers:
    """A number of missing values, which take no memory."""
    return exactly(np.broadcast_to(np.nan, size))


def as_counts(cells: Cells, problems: Problems) -> Numbers:
    """Platelet counts in 10⁹/L."""
    counts = as_numbers(cells, problems, least=0.0, wrong=_no_count)
    high = np.where(np.isinf(counts.high), counts.low, counts.high)
    problems.wrong_cells(cells, np.flatnonzero(counts.low < 0), lambda text: f"{quoted(text)} is below 0; correct it.")
    problems.wrong_cells(cells, np.flatnonzero((high > HIGHEST_COUNT) & np.isfinite(high)), _per_microlitre)
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


def as_grades(cells: Cells, problems: Problems) -> Floats:
    """WHO bleeding grades; NaN where empty."""

    def wrong(text: str) -> str:
        return f"{quoted(text)} is no WHO bleeding grade; give 0, 1, 2, 3 or 4."

    grades = as_numbers(cells, problems, least=0.0, wrong=wrong)
    off = ~np.isnan(grades.low) & ((grades.low != grades.high) | ~np.isin(grades.low, (0, 1, 2, 3, 4)))
    problems.wrong_cells(cells, np.flatnonzero(off), wrong)
    return grades.low


# DAYS AND DATES


def as_days(cells: Cells, problems: Problems) -> Floats:
    """Whole days; NaN where empty."""
    days = as_numbers(cells, problems, least=-np.inf, wrong=_no_day)
    off = ~np.isnan(days.low) & ((days.low != days.high) | (days.low != np.floor(days.low)))
    problems.wrong_cells(cells, np.flatnonzero(off), lambda text: f"{quoted(text)} is no whole day; give whole days.")
    return np.where(off, np.nan, days.low) if off.any() else days.low


def _no_day(text: str) -> str:
    if _looks_like(text, ISO) or _looks_like(text, r"^\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}"):
        return f"{quoted(text)} is a date; give whole days since enrolment, or dates throughout."
    return f"{quoted(text)} is no day; give whole days since enrolment, such as 28."


def _calendar_dates(
    cells: Cells, problems: Problems, date_format: str | None, instead: str
) -> tuple[pl.Series, pl.Series]:
    """The first and the last possible day of each date, without times of day; null where empty."""
    values = cells.values
    if isinstance(values.dtype, pl.Datetime):
        values = values.dt.replace_time_zone(None).cast(pl.Date)
    elif values.dtype != pl.Date:
        values = _dates(cells, problems, date_format, instead)
    last = values
    unread = values.is_null() & cells.values.is_not_null()
    if date_format is None and unread.any() and not cells.values.dtype.is_temporal():
        rows = unread.arg_true()
        first_days, last_days = _partial(as_text(cells.values.gather(rows)))
        values, last = values.clone().scatter(rows, first_days), values.clone().scatter(rows, last_days)
    year = values.dt.year()
    implausible = ((year < YEARS[0]) | (year > YEARS[1])).fill_null(value=False)
    problems.wrong_cells(
        cells,
        np.flatnonzero(implausible.to_numpy()),
        lambda text: f"{quoted(text)} is not between the years {YEARS[0]} and {YEARS[1]}; correct the year.",
    )
    return values.set(implausible, None), last.set(implausible, None)


def as_day_numbers(cells: Cells, problems: Problems, date_format: str | None, instead: str = "") -> Numbers:
    """Calendar dates as days since 1970; NaN where empty.

    The bounds of a month or a year alone are its first and its last day. Errors name what may be written `instead`.
    """
    if cells.values.null_count() == len(cells.values):
        count_not_given(cells, 0, problems)
        return _all_missing(len(cells.values))
    first, last = _calendar_dates(cells, problems, date_format, instead)
    low = _since_1970(first)
    return exactly(low) if last is first or last.equals(first) else Numbers(low, _since_1970(last))


def _since_1970(dates: pl.Series) -> Floats:
    return dates.to_physical().cast(pl.Float64).fill_null(np.nan).to_numpy()


def _partial(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The first and the last day of texts that are a month or a year; null for any other text."""
    parts = texts.str.to_uppercase().str.extract_groups(PARTIAL).struct.unnest()
    year, month = parts.to_series(0), parts.to_series(1)
    first = (year + "-" + month.fill_null("01") + "-01").str.to_date("%Y-%m-%d", strict=False)
    last = (year + "-" + month.fill_null("12") + "-01").str.to_date("%Y-%m-%d", strict=False)
    return first, pl.select(last.dt.month_end()).to_series()


def _dates(cells: Cells, problems: Problems, date_format: str | None, instead: str) -> pl.Series:
    """The dates of texts; null where empty, and for a month or a year alone."""
    count_not_given(cells, 0, problems)
    values = cells.values if cells.values.dtype == pl.String else as_text(cells.values)
    if date_format is None:
        # A column of ISO dates alone, the usual one, takes one pass. Such a date has ten characters.
        dates = values.str.to_date("%Y-%m-%d", strict=False)
        dates = dates.set((values.str.len_bytes() != 10).fill_null(value=True), None)
    else:
        dates = pl.Series([None], dtype=pl.Date).new_from_index(0, len(values))
    other = (values.is_not_null() & dates.is_null()).arg_true()
    if not len(other):
        return dates
    texts = without_not_given(cells, as_text(values.gather(other)), problems)
    other_dates = _in_format(texts, date_format)
    unread = texts.is_not_null() & other_dates.is_null()
    bad = (unread & _partial(texts)[0].is_null() if date_format is None else unread).to_numpy()
    problems.wrong_cells(cells, other.to_numpy()[bad], lambda text: _no_date(text, date_format, instead))
    return dates.scatter(other, other_dates)


def _in_format(texts: pl.Series, date_format: str | None) -> pl.Series:
    """The dates of the texts; null where a text is not in that format."""
    if date_format is None:
        return texts.str.extract(ISO, 1).str.to_date("%Y-%m-%d", strict=False)
    without_time = texts.str.replace(TIME, "")
    if date_format not in ORDERS:
        dates = texts.str.to_date(date_format, strict=False)
        return dates.zip_with(dates.is_not_null(), without_time.str.to_date(date_format, strict=False))
    parts = without_time.str.extract_groups(ORDERS[date_format]).struct.unnest()
    iso = parts["y"] + "-" + parts["m"].str.zfill(2) + "-" + parts["d"].str.zfill(2)
    return iso.str.to_date("%Y-%m-%d", strict=False)


def _no_date(text: str, date_format: str | None, instead: str) -> str:
    if date_format is not None:
        return f"{quoted(text)} is no date written as {date_format!r} says; write all dates alike."
    if _looks_like(text, r"^\d{4}-\d{2}$") or _looks_like(text, ISO):
        return f"{quoted(text)} is not in the calendar; correct it."
    parts = re.match(r"(\d{1,4})[/.-](\d{1,2})[/.-](\d{1,4})(?!\S)", text)
    if parts and not _looks_like(text, r"\d{4}-\d{2}-\d{2}"):
        option = f"--date-format {_likely_order(*parts.groups())}"
        return f"{quoted(text)} is not ISO 8601; write YYYY-MM-DD, or say how dates are written: {option}."
    return f"{quoted(text)} is no date; write YYYY-MM-DD{instead}."


def check_impute(impute: str | None) -> None:
    """Raises `UsageError` for an unknown rule of imputing."""
    if impute not in (None, *IMPUTED):
        raise UsageError(unknown("rule of imputing", str(impute), IMPUTED))


def imputed(days: Numbers, impute: str | None) -> Numbers:
    """The days; with `impute`, a partial date is its `first` or `last` possible day."""
    return days if impute is None else exactly(days.low if impute == "first" else days.high)


def note_partial(cells: Cells, days: Numbers, problems: Problems, impute: str | None) -> None:
    """Note which dates are partial, and how they are used."""
    rows = np.zeros(0, dtype=np.int64) if days.exact else np.flatnonzero(days.low < days.high)
    name = cells.name

    def note_text(number: int, texts: Sequence[str]) -> str:
        are = "date is" if number == 1 else "dates are"
        use = IMPUTED[impute] if impute else "verdicts are given that are the same on all days that may be meant"
        return f"{name}: {number} {are} known only in part ({first_few(texts, 3)}); {use}." if number else ""

    problems.count(cells.location, f"partial: {name}", note_text, len(rows), shown(cells, rows), warning=True)


def _likely_order(first: str, second: str, third: str) -> str:
    """The order of the numbers of a date, as the option `--date-format` has it."""
    if len(first) == 4:
        return "ymd"
    if len(third) < 4:
        return "%d/%m/%y"
    return "dmy" if int(first) > 12 else "mdy" if int(second) > 12 else "dmy or mdy"


def check_date_format(date_format: str | None) -> None:
    """Raises `UsageError` for a format that is neither known nor a pattern."""
    if date_format is not None and date_format not in ORDERS and "%" not in date_format:
        known = [*ORDERS, "a pattern such as %d/%m/%Y"]
        raise UsageError(unknown("date format", date_format, known))


def are_days(cells: Cells, date_format: str | None) -> bool:
    """Whether a column of days or dates holds days: most of its cells are numbers and not dates."""
    values = cells.values
    if values.dtype.is_temporal():
        return False
    texts = as_text(values).drop_nulls()
    texts = texts.filter(~texts.str.to_lowercase().is_in(NOT_GIVEN))
    if not len(texts):
        return True
    numeric = texts.cast(pl.Float64, strict=False).is_not_null()
    if not numeric.all():
        # A year alone, such as 2019, is a partial date.
        numeric &= ~texts.str.contains(r"^(?:19|20)\d{2}$")
    numbers = numeric.sum()
    # A format may write dates as numbers: 20190501.
    return 2 * numbers > len(texts) and (date_format is None or _in_format(texts, date_format).has_nulls())


def _looks_like(text: str, pattern: str) -> bool:
    return re.match(pattern, text) is not None


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
