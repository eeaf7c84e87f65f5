"""Texts: counts, days and grades as they are written, one or a column, and columns of sentences made of them."""

import math
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from itp_response.cohort.values import EDGE, Bools, Floats, Ints, Numbers, exactly

DECIMALS = 6
"""With which numbers are written, at most."""
DIGITS = 10
"""To which a bound is rounded to find the number that was written; only `EDGE` is lost."""


def count_in_words(low: float, high: float, decimals: int = DECIMALS) -> str:
    """A platelet count by its lowest and highest possible value; a censored count with its signs; nothing for NaN.

    >>> count_in_words(40, 40), count_in_words(0, 9.9999999998), count_in_words(0, 10), count_in_words(1000, math.inf)
    ('40', '<10', '<=10', '>=1000')
    """
    if math.isnan(low):
        return ""
    if low == high:
        return _written(low, decimals)
    bounds = np.array([low, high])
    limits = [_written(limit, decimals) for limit in _limits(bounds).tolist()]
    at_low, at_high = _reached(bounds).tolist()
    above = f"{'>=' if at_low else '>'}{limits[0]}"
    below = f"{'<=' if at_high else '<'}{limits[1]}"
    if math.isinf(high):
        return above
    return below if low == 0 else f"{above} and {below}"


def texts(numbers: Numbers | Floats | Ints) -> pl.Series:
    """Counts, days or grades, each as `count_in_words` has it; null for NaN.

    >>> texts(Numbers(np.array([40.0, 0.0]), np.array([40.0, 10.0]))).to_list()
    ['40', '<=10']
    """
    bounds = numbers if isinstance(numbers, Numbers) else exactly(np.asarray(numbers, dtype=np.float64))
    if bounds.exact:
        return pl.DataFrame({"exact": bounds.low.astype(np.float64)}).select(_column("exact")).to_series()
    columns: dict[str, Any] = {"exact": bounds.low}
    for name, edges in (("low", bounds.low), ("high", bounds.high)):
        columns |= {name: edges, f"{name} limit": _limits(edges), f"{name} reached": _reached(edges)}
    above, below = _bound("low", ">"), _bound("high", "<")
    in_words = (
        pl.when(pl.col("low") == pl.col("high"))
        .then(_column("exact"))
        .when(pl.col("high").is_infinite())
        .then(above)
        .when(pl.col("low") == 0)
        .then(below)
        .otherwise(pl.format("{} and {}", above, below))
    )
    return pl.DataFrame(columns).select(in_words).to_series()


def as_written(counts: Numbers) -> tuple[Floats, Floats]:
    """The lower and the upper bound of each count by the number that was written: of `<60` it is 60, as of `<=60`.

    >>> low, high = as_written(Numbers(np.array([40.0, 0.0, 9.1]), np.array([40.0, 59.9999999999, np.inf])))
    >>> low.tolist(), high.tolist()
    ([40.0, 0.0, 9.1], [40.0, 60.0, inf])
    """
    if counts.exact:
        return counts.low, counts.high
    is_bound = counts.low < counts.high
    low, high = (np.where(is_bound & np.isfinite(edges), _limits(edges), edges) for edges in (counts.low, counts.high))
    return low, high


def _bound(name: str, sign: str) -> pl.Expr:
    """The limits of that name, with the sign before each."""
    with_sign = pl.when(pl.col(f"{name} reached")).then(pl.lit(f"{sign}=")).otherwise(pl.lit(sign))
    return pl.format("{}{}", with_sign, _column(f"{name} limit"))


def _limits(bounds: Floats) -> Floats:
    """The numbers that were written for these bounds; infinite and missing ones have none (NaN)."""
    with np.errstate(invalid="ignore"):
        size = np.maximum(np.abs(np.where(np.isfinite(bounds), bounds, np.nan)), 1.0)
        scale = 10.0 ** (DIGITS - 1 - np.floor(np.log10(size)))
        limits: Floats = np.round(bounds * scale) / scale
    return limits


def _reached(bounds: Floats) -> Bools:
    """Whether a bound is a value that the number can have, not the one next to it, which is about `EDGE` away.

    A bound that was computed, such as a mean, may be rounded, or have more digits than are written; it counts as one
    that is reached, so `EDGE` is looked for between the two.
    """
    limits = _limits(bounds)
    away = np.abs(bounds - limits) / np.maximum(np.abs(limits), 1.0)
    reached: Bools = ~((away > EDGE / 16) & (away < 2 * EDGE))
    return reached


def _written(value: float, decimals: int) -> str:
    """A number without needless decimals."""
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".")


@cache
def _column(name: str) -> pl.Expr:
    """The numbers of a column, each as `_written` has it; null for those that are not finite."""
    near = pl.col(name).round(DECIMALS)
    whole = near.cast(pl.Int64, strict=False)
    with_decimals = near.cast(pl.Decimal(38, DECIMALS), strict=False).cast(pl.String).str.strip_chars_end("0")
    return pl.when(near == whole).then(whole.cast(pl.String)).otherwise(with_decimals)


AT_ONCE = 1 << 18
"""Texts that are searched together."""


def any_has(texts: pl.Series, signs: str) -> bool:
    """Whether any of the texts has one of the signs: to search them all at once is many times as fast as each.

    >>> any_has(pl.Series(["P-01", None]), "+-"), any_has(pl.Series(["P01"]), "+-")
    (True, False)
    """
    parts = (part.to_series().str.join().item() for part in texts.to_frame().iter_slices(AT_ONCE))
    return any(sign in part for part in parts for sign in signs)


FORMULA = r"^'*[=+\-@\t\r\n＝＋－＠]"
"""How a text begins that a spreadsheet takes for a formula; apostrophes before it count, so that each is written and
read again as it was."""
BEGUN_WITHIN = r"([;\t\r\n])('*[=+\-@＝＋－＠])"
"""The same after a sign that parts cells where a semicolon or a tab separates them: quotation marks that do not stand
at the beginning of a cell do not hold."""


def without_apostrophe(texts: pl.Series) -> pl.Series:
    """The texts without the apostrophes that say, in a table for a spreadsheet, that a text is no formula.

    >>> without_apostrophe(pl.Series(["'=1", "''=1", "=1", "'s", "a;'=1", None])).to_list()
    ['=1', "'=1", '=1', "'s", 'a;=1', None]
    """
    if not any_has(texts, "'"):
        return texts
    text = pl.col("text")
    is_marked = text.str.starts_with("'") & text.str.contains(FORMULA)
    begins = pl.when(is_marked).then(text.str.slice(1)).otherwise(text)
    goes_on = begins.str.replace_all(BEGUN_WITHIN.replace(")(", ")'("), "${1}${2}")
    return texts.to_frame("text").select(goes_on)["text"].rename(texts.name)


def said(pattern: str, *parts: pl.Series) -> pl.Series:
    """A sentence per entry: the parts in place of `{}`, a missing part as an empty text.

    >>> said("day {} of {}", pl.Series([28, 35]), pl.Series(["P1", None])).to_list()
    ['day 28 of P1', 'day 35 of ']
    """
    frame = pl.DataFrame([part.alias(str(number)).cast(pl.String) for number, part in enumerate(parts)])
    sentence = pl.format(pattern, *(pl.col(name).fill_null("") for name in frame.columns))
    return frame.select(sentence.alias("says"))["says"]
