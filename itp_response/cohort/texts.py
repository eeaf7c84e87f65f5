"""Texts: counts, days and grades as they are written, one or a column, and columns of sentences made of them."""

import math

import numpy as np
import polars as pl

from itp_response.cohort.values import Floats, Ints, Numbers, exactly
from itp_response.messages.wording import number_in_words


def count_in_words(low: float, high: float) -> str:
    """A platelet count by its lowest and highest possible value; a censored count with its sign; nothing for NaN.

    >>> count_in_words(40, 40), count_in_words(0, 9.999999999), count_in_words(1000.000001, math.inf)
    ('40', '<10', '>1000')
    """
    if math.isnan(low):
        return ""
    if low == high:
        return number_in_words(low)
    # The possible value next to a reporting limit is so near that it is written as the limit itself.
    return f">{number_in_words(low)}" if math.isinf(high) else f"<{number_in_words(high)}"


def texts(numbers: Numbers | Floats | Ints) -> pl.Series:
    """Counts, days or grades as they are written; censored counts as `<10` and `>1000`.

    >>> texts(Numbers(np.array([40.0, 0.0]), np.array([40.0, 10.0]))).to_list()
    ['40', '<10']
    """
    bounds = numbers if isinstance(numbers, Numbers) else exactly(np.asarray(numbers, dtype=np.float64))
    frame = pl.DataFrame({"low": bounds.low.astype(np.float64), "high": bounds.high.astype(np.float64)})
    return frame.select(
        pl.when(pl.col("low") == pl.col("high"))
        .then(_written("low"))
        .when(pl.col("high").is_infinite())
        .then(pl.format(">{}", _written("low")))
        .otherwise(pl.format("<{}", _written("high")))
    ).to_series()


def _written(name: str) -> pl.Expr:
    """A number without needless decimals; the number next to a bound as the bound."""
    near = pl.col(name).round(6)
    whole = near.cast(pl.Int64, strict=False)
    return pl.when(near == whole).then(whole.cast(pl.String)).otherwise(near.cast(pl.String))


def said(pattern: str, *parts: pl.Series) -> pl.Series:
    """A sentence per entry: the parts in place of `{}`, a missing part as an empty text.

    >>> said("day {} of {}", pl.Series([28, 35]), pl.Series(["P1", None])).to_list()
    ['day 28 of P1', 'day 35 of ']
    """
    frame = pl.DataFrame([part.alias(str(number)).cast(pl.String) for number, part in enumerate(parts)])
    sentence = pl.format(pattern, *(pl.col(name).fill_null("") for name in frame.columns))
    return frame.select(sentence.alias("says"))["says"]
