"""The definitions of criteria/atra_2022.toml hard-coded in polars: what the engine's speed is compared with.

Nothing here is general: every threshold and window is written where it is used, and the tables must come as
`cohorts.make_cohort` makes them: sorted by patient, the visits one row per patient and day and sorted by day inside
a patient, whole numbers for days, the baseline given.

The rows of a patient lie together, so running values need no window per patient. They are taken over the whole
column instead, on a clock that never lets the value of one patient reach into the next: a fraction of the time of
`.over("patient")`. For the same reason the results of the steps are joined on columns declared to be sorted.
"""

from __future__ import annotations

import polars as pl

# What `clock` advances by from patient to patient: longer than any follow-up in days.
EPOCH = 1 << 20
LONG_AGO = -(1 << 40)

position = pl.col("position")
day = pl.col("day")
count = pl.col("count")
epoch_start = position.cast(pl.Int64) * EPOCH
clock = epoch_start + day
new_patient = position != position.shift(1, fill_value=-1)

VERDICTS = (
    "best_response",
    "OR",
    "OR_day",
    "OR_confirmed_day",
    "CR",
    "CR_day",
    "SR",
    "relapse",
    "relapse_day",
    "remission",
    "late_rescue",
    "TTR_days",
    "DOR_days",
    "DOR_event",
)


def classify(visits: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
    """One row per patient with all verdicts, in the order of `patients`.

    `visits` has the columns patient, day, platelets, bleeding_grade, rescue and rescue_end; `patients` has patient,
    baseline and treatment_discontinued. NaN and null are both what was not observed.
    """
    patients = patients.with_columns(
        pl.col("patient").set_sorted(), pl.col("baseline", "treatment_discontinued").cast(pl.Float64).fill_nan(None)
    )
    present = _patients_seen(visits)
    baseline = present.lazy().join(patients.lazy(), on="patient", how="left", maintain_order="left").select("baseline")
    rows = _rows(visits, baseline.collect().to_series())

    reached, reachable = _overall_response(rows)
    response = present.lazy().join(reached, on="position", how="left", maintain_order="left").collect()
    decided = (
        response.lazy()
        .join(reachable, on="position", how="left", maintain_order="left")
        .join(_follow_up(rows), on="position", how="left", maintain_order="left")
        .join(_after_response(rows, response), on="position", how="left", maintain_order="left")
    )
    return verdicts(patients.lazy().join(decided, on="patient", how="left", maintain_order="left")).collect()


def _patients_seen(visits: pl.DataFrame) -> pl.DataFrame:
    """The patients who have visits; the rows point to them by their position here."""
    return (
        visits.lazy()
        .select("patient")
        .filter(pl.col("patient").ne_missing(pl.col("patient").shift(1)))
        .with_row_index("position")
        .select(position.cast(pl.Int32).set_sorted(), pl.col("patient").set_sorted())
        .collect()
    )


def _rows(visits: pl.DataFrame, baseline: pl.Series) -> pl.DataFrame:
    """What the rules ask of a row. What was not observed is null, for which `&` and `|` do what the rules want."""
    response = (count >= 30) & (count >= 2 * pl.lit(baseline).gather(position))
    rescued_until = pl.when("rescue").then(epoch_start + pl.col("rescue_end")).otherwise(LONG_AGO).cum_max()
    last_late_rescue = pl.when("late_rescue").then(position).otherwise(-1).cum_max()
    return (
        visits.lazy()
        .select(
            pl.col("patient").rle_id().cast(pl.Int32).alias("position"),
            pl.col("day").cast(pl.Int32),
            pl.col("platelets").fill_nan(None).alias("count"),
            (pl.col("bleeding_grade").fill_nan(None) >= 1).alias("bleeding"),
            "rescue",
            (pl.col("rescue") & (day >= 36)).alias("late_rescue"),
            "rescue_end",
        )
        .select(
            position.set_sorted(),
            "day",
            "count",
            "bleeding",
            "rescue",
            "late_rescue",
            ((response | (count >= 100)) & ~pl.col("bleeding")).alias("responding"),
            # a course counts from the day after it began, so the row of its own day looks at those before
            (clock - rescued_until.shift(1, fill_value=LONG_AGO) <= 35).alias("washout"),
            (last_late_rescue == position).alias("closed"),
        )
        .collect()
    )


def _overall_response(rows: pl.DataFrame) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """OR and confirming day of those who reached it, and who could have if all unknown counts had been in the state."""
    state = pl.col("responding")
    occasions = (
        rows.lazy()
        .filter(day.is_between(1, 365), ~pl.col("closed"))
        .select("position", "day", "responding", "washout", count.is_not_null().alias("counted"))
        .with_columns(run=(new_patient | ~state.fill_null(True)).cum_sum())
        .filter(pl.coalesce(state, "counted") & ~pl.col("washout"))
        .select("position", "day", "run", state.is_not_null().alias("certain"))
        .collect()
        .lazy()
    )
    return _first_pairs(occasions.filter("certain")), _first_pairs(occasions).select("position", reachable=True)


def _first_pairs(occasions: pl.LazyFrame) -> pl.LazyFrame:
    """Per patient the first run whose first occasion has another a week later, and the two days."""
    run = pl.col("run")
    return (
        occasions.with_columns(onset=pl.when(run != run.shift(1, fill_value=0)).then(day).forward_fill())
        .filter(day - pl.col("onset") >= 7)
        .filter(new_patient)
        .select(position.set_sorted(), pl.col("onset").alias("OR_day"), day.alias("OR_confirmed_day"))
    )


def _follow_up(rows: pl.DataFrame) -> pl.LazyFrame:
    return (
        rows.lazy()
        .group_by("position", maintain_order=True)
        .agg(
            followed=(count.is_not_null() & (day >= 337)).any(),
            late_rescued=pl.col("late_rescue").any(),
            closed=(pl.col("late_rescue") & (day <= 365)).any(),
        )
        .set_sorted("position")
    )


def _after_response(rows: pl.DataFrame, response: pl.DataFrame) -> pl.LazyFrame:
    """What the verdicts ask of the time from OR to the end of the last window."""
    no_bleeding = ~pl.col("bleeding")
    loss = (count < 30) | pl.col("bleeding") | pl.col("late_rescue")
    confirmed_day = pl.lit(response["OR_confirmed_day"]).gather(position)
    sustained = pl.col("sustained")
    due = pl.col("OR_day") + 182
    last_loss = pl.when("lost").then(position).otherwise(-1).cum_max()
    # every patient's rows begin with that of OR, whose state is known, so nothing is filled in from another patient
    last_known = pl.when(sustained.is_not_null()).then(day).forward_fill().shift(1)
    onset = pl.col("OR_day") == day
    return (
        rows.lazy()
        .with_columns(OR_day=pl.lit(response["OR_day"]).gather(position))
        .filter(day >= pl.col("OR_day"), day <= 393)
        .select(
            "position",
            "day",
            "OR_day",
            (count.is_not_null() & (day <= 365)).alias("counted"),
            (loss.fill_null(False) & (day > confirmed_day) & (day <= 365)).alias("lost"),
            ((count >= 100) & no_bleeding & ~pl.col("washout") & (day <= 365)).alias("complete"),
            ((count > 30) & no_bleeding & ~pl.col("rescue")).alias("sustained"),
            ((count > 30) & no_bleeding & ~pl.col("late_rescue")).alias("in_remission"),
        )
        .with_columns(
            complete=pl.col("complete") & (last_loss != position),
            last_known=last_known,
        )
        # SR rests on the rows whose state is known, up to the first of them on or after the day it falls due
        .with_columns(sustained=pl.when(onset | (pl.col("last_known") < due)).then(sustained))
        .group_by("position", maintain_order=True)
        .agg(
            relapse_day=pl.when("lost").then(day).min(),
            first_complete=pl.when("complete").then(day).min(),
            last_complete=pl.when("complete").then(day).max(),
            sustained=sustained.all(),
            sustained_when_due=(sustained & (day >= due)).any(),
            longest_gap=pl.when(sustained.is_not_null() & ~onset).then(day - pl.col("last_known")).max(),
            in_remission=pl.col("in_remission").all(),
            in_remission_at_end=(pl.col("in_remission") & (day >= 337)).any(),
            last_count=pl.when("counted").then(day).max(),
        )
        .set_sorted("position")
    )


def verdicts(patients: pl.LazyFrame) -> pl.LazyFrame:
    yes, no, not_evaluable, not_applicable = (pl.lit(value) for value in ("Y", "N", "NE", "NA"))
    or_day = pl.col("OR_day")
    followed = pl.col("followed").fill_null(False)
    stopped = pl.col("treatment_discontinued").is_not_null()
    responded = or_day.is_not_null() & ~stopped
    never = stopped | pl.col("closed").fill_null(False) | (followed & pl.col("reachable").is_null())
    relapsed = pl.col("relapse_day").is_not_null()
    complete = pl.col("last_complete") - pl.col("first_complete") >= 7

    def of_responders(verdict: pl.Expr, of_others: pl.Expr = no) -> pl.Expr:
        return pl.when(responded).then(verdict).when(never).then(of_others).otherwise(not_evaluable)

    cr = pl.when(complete).then(yes).when(relapsed | followed).then(no).otherwise(not_evaluable)
    sr = (
        pl.when((or_day + 182 > 365) | ~pl.col("sustained"))
        .then(no)
        .when(pl.col("sustained_when_due") & (pl.col("longest_gap") <= 56))
        .then(yes)
        .otherwise(not_evaluable)
    )
    relapse = pl.when(relapsed).then(yes).when(followed).then(no).otherwise(not_evaluable)
    remission = pl.when(~pl.col("in_remission")).then(no).when("in_remission_at_end").then(yes).otherwise(not_evaluable)
    best = pl.when(complete).then(pl.lit("CR")).otherwise(pl.lit("R"))
    end = pl.coalesce("relapse_day", "last_count")
    return patients.select(
        "patient",
        of_responders(best, pl.lit("NR")).alias("best_response"),
        of_responders(yes).alias("OR"),
        pl.when(responded).then(or_day).alias("OR_day"),
        pl.when(responded).then("OR_confirmed_day").alias("OR_confirmed_day"),
        of_responders(cr).alias("CR"),
        pl.when(responded & complete).then("first_complete").alias("CR_day"),
        of_responders(sr).alias("SR"),
        of_responders(relapse, not_applicable).alias("relapse"),
        pl.when(responded).then("relapse_day").alias("relapse_day"),
        of_responders(remission).alias("remission"),
        pl.when("late_rescued").then(yes).when(followed).then(no).otherwise(not_evaluable).alias("late_rescue"),
        pl.when(responded).then(or_day).alias("TTR_days"),
        pl.when(responded).then(end - or_day).alias("DOR_days"),
        pl.when(responded).then(relapsed.cast(pl.Int8)).alias("DOR_event"),
    )
