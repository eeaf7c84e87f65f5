"""Lasting: bleeding of several days, on the days of counts on which it surely was, and may have been."""

import polars as pl

NOT_SURE = "not known"
"""The grade on a day on which there may have been bleeding."""


def lasting_days(spans: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """The days with a count after the first day of bleeding up to its last, as `event`, `date` and `grade`.

    `spans` has of each event the `subject`, the `grade`, and in days since 1970 the first and the last possible day of
    its start (`start_low`, `start_high`; NaN: any) and of its end (`end_low`, `end_high`; infinite: it goes on,
    NaN: not known, so it has no further days). `days` has the `date` and the `day` of each count of a `subject`.

    >>> event = {"subject": "P1", "grade": "2", "start_low": 0.0, "start_high": 9.0, "end_low": 20.0, "end_high": 20.0}
    >>> days = {"subject": ["P1"] * 3, "date": ["a", "b", "c"], "day": [5, 15, 25]}
    >>> lasting_days(pl.DataFrame([event]), pl.DataFrame(days)).rows()
    [(0, 'a', 'not known'), (0, 'b', '2')]
    """
    day = pl.col("day")
    sure = (day > pl.col("start_high").fill_nan(float("inf"))) & (day <= pl.col("end_low"))
    return (
        spans.with_row_index("event")
        .filter(pl.col("end_high").is_not_nan() & pl.col("grade").is_not_null())
        .join(days, on="subject", maintain_order="left")
        .filter((day > pl.col("start_low").fill_nan(-float("inf"))) & (day <= pl.col("end_high")))
        .select(pl.col("event").cast(pl.Int64), "date", grade=pl.when(sure).then("grade").otherwise(pl.lit(NOT_SURE)))
    )
