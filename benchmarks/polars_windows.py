"""The definitions of criteria/atra_2022.toml hard-coded in polars as window expressions, `.over("patient")`.

As such logic is ordinarily written: rows are flagged, running values are windows per patient, days are found by
aggregating the flagged rows. Nothing here is general, and the tables must come as `polars_scans` takes them.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
from polars_scans import verdicts

# the end of the last course, in days, where there was none
LONG_AGO = -(1 << 20)

day = pl.col("day")
count = pl.col("count")
late_rescue = pl.col("late_rescue")


def in_one_query(visits: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
    """As `classify`, but left to polars as one lazy query, the way it is first written."""
    return classify(visits, patients, kept=lambda frame: frame)


def _collected(frame: pl.LazyFrame) -> pl.LazyFrame:
    return frame.collect().lazy()


def classify(
    visits: pl.DataFrame, patients: pl.DataFrame, kept: Callable[[pl.LazyFrame], pl.LazyFrame] = _collected
) -> pl.DataFrame:
    """One row per patient with all verdicts, in the order of `patients`.

    `visits` has the columns patient, day, platelets, bleeding_grade, rescue and rescue_end; `patients` has patient,
    baseline and treatment_discontinued. NaN and null are both what was not observed.
    """
    every = patients.lazy().with_columns(
        pl.col("patient").set_sorted(), pl.col("baseline", "treatment_discontinued").cast(pl.Float64).fill_nan(None)
    )
    # what is used several times is worked out once, unless `kept` leaves that to polars
    rows = kept(_rows(visits.lazy(), every))
    occasions = kept(_occasions(rows))
    reached = kept(_first_pairs(occasions.filter("certain")))
    reachable = _first_pairs(occasions).select("patient", reachable=True)
    decided = (
        every.join(_follow_up(rows), on="patient", how="left", maintain_order="left")
        .join(reached, on="patient", how="left", maintain_order="left")
        .join(reachable, on="patient", how="left", maintain_order="left")
        .join(_after_response(rows, reached), on="patient", how="left", maintain_order="left")
    )
    return verdicts(decided).collect()


def _rows(visits: pl.LazyFrame, patients: pl.LazyFrame) -> pl.LazyFrame:
    """What the rules ask of a row. What was not observed is null, for which `&` and `|` do what the rules want."""
    response = (count >= 30) & (count >= 2 * pl.col("baseline"))
    # a course counts from the day after it began, so the row of its own day looks at those before
    rescued_until = pl.when("rescue").then("rescue_end").otherwise(LONG_AGO).cum_max().shift(1)
    return (
        visits.select(
            pl.col("patient").set_sorted(),
            pl.col("day", "rescue_end").cast(pl.Int32),
            pl.col("platelets").fill_nan(None).alias("count"),
            (pl.col("bleeding_grade").fill_nan(None) >= 1).alias("bleeding"),
            "rescue",
            (pl.col("rescue") & (day >= 36)).alias("late_rescue"),
        )
        .join(patients.select("patient", "baseline"), on="patient", how="left", maintain_order="left")
        .select(
            "patient",
            "day",
            "count",
            "bleeding",
            "rescue",
            "late_rescue",
            ((response | (count >= 100)) & ~pl.col("bleeding")).alias("responding"),
            (day - rescued_until.over("patient") <= 35).fill_null(False).alias("washout"),
            day.filter(late_rescue).min().over("patient").alias("closing_day"),
        )
    )


def _occasions(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The rows that show OR (`certain`) or might have shown it, by the unbroken run they lie in."""
    state = pl.col("responding")
    return (
        rows.filter(day.is_between(1, 365), (day < pl.col("closing_day")).fill_null(True))
        .with_columns(run=(~state).fill_null(False).cum_sum().over("patient"))
        .filter(pl.coalesce(state, count.is_not_null()) & ~pl.col("washout"))
        .select("patient", "day", "run", certain=state.is_not_null())
    )


def _first_pairs(occasions: pl.LazyFrame) -> pl.LazyFrame:
    """Per patient the first run whose first occasion has another a week later, and the two days."""
    return (
        occasions.with_columns(onset=day.min().over("patient", "run"))
        .filter(day - pl.col("onset") >= 7)
        .group_by("patient", maintain_order=True)
        .agg(OR_day=pl.col("onset").first(), OR_confirmed_day=day.first())
    )


def _follow_up(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.group_by("patient", maintain_order=True).agg(
        followed=(count.is_not_null() & (day >= 337)).any(),
        late_rescued=late_rescue.any(),
        closed=(late_rescue & (day <= 365)).any(),
    )


def _after_response(rows: pl.LazyFrame, reached: pl.LazyFrame) -> pl.LazyFrame:
    """What the verdicts ask of the time from OR to the end of the last window."""
    no_bleeding = ~pl.col("bleeding")
    lost = ((count < 30) | pl.col("bleeding") | late_rescue) & (day > pl.col("OR_confirmed_day")) & (day <= 365)
    complete = (count >= 100) & no_bleeding & ~pl.col("washout") & (day <= 365)
    before_loss = (day < pl.col("relapse_day")).fill_null(True)
    sustained = pl.col("sustained")
    due = pl.col("OR_day") + 182
    last_known = pl.when(sustained.is_not_null()).then(day).forward_fill().shift(1)
    # SR rests on the rows whose state is known, up to the first of them on or after the day it falls due
    in_span = (pl.col("last_known") < due).fill_null(True)
    return (
        rows.join(reached, on="patient", maintain_order="left")
        .filter(day >= pl.col("OR_day"), day <= 393)
        .with_columns(
            sustained=(count > 30) & no_bleeding & ~pl.col("rescue"),
            in_remission=(count > 30) & no_bleeding & ~late_rescue,
            relapse_day=day.filter(lost).min().over("patient"),
        )
        .with_columns(complete=complete & before_loss, last_known=last_known.over("patient"))
        .with_columns(sustained=pl.when(in_span).then(sustained))
        .group_by("patient", maintain_order=True)
        .agg(
            relapse_day=pl.col("relapse_day").first(),
            first_complete=day.filter("complete").min(),
            last_complete=day.filter("complete").max(),
            sustained=sustained.all(),
            sustained_when_due=(sustained & (day >= due)).any(),
            longest_gap=(day - pl.col("last_known")).filter(sustained.is_not_null()).max(),
            in_remission=pl.col("in_remission").all(),
            in_remission_at_end=(pl.col("in_remission") & (day >= 337)).any(),
            last_count=day.filter(count.is_not_null() & (day <= 365)).max(),
        )
    )
