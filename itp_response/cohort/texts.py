"""Texts: columns of counts, days and grades as they are written, and sentences made of them."""

import numpy as np
import polars as pl

from itp_response.cohort.values import Floats, Ints, Numbers


def texts(numbers: Numbers | Floats | Ints) -> pl.Series:
    """Counts, days or grades as they are written; bounds as `<10` and `>1000`."""
    exact = not isinstance(numbers, Numbers)
    low = np.asarray(numbers if not isinstance(numbers, Numbers) else numbers.low, dtype=np.float64)
    high = low if exact else np.asarray(numbers.high, dtype=np.float64)  # type: ignore[union-attr]
    frame = pl.DataFrame({"low": low, "high": high})
    return frame.select(
        pl.when(pl.col("low") == pl.col("high"))
        .then(_written("low"))
        .when(pl.col("high").is_infinite())
        .then(pl.format(">{}", _written("low")))
        .otherwise(pl.format("<{}", _written("high")))
    ).to_series()


def _written(name: str) -> pl.Expr:
    """A number without needless decimals; that next to a bound as the bound."""
    near = pl.col(name).round(6)
    whole = near.cast(pl.Int64, strict=False)
    return pl.when(near == whole).then(whole.cast(pl.String)).otherwise(near.cast(pl.String))


def said(pattern: str, *parts: pl.Series) -> pl.Series:
    """A sentence per entry: the parts in place of `{}`."""
    frame = pl.DataFrame([part.alias(str(place)).cast(pl.String) for place, part in enumerate(parts)])
    return frame.select(pl.format(pattern, *(pl.col(name).fill_null("") for name in frame.columns)).alias("says"))[
        "says"
    ]
