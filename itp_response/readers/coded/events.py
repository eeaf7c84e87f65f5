"""Events: the days of treatments and bleeding that have no date, go on, or last for several days."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from itp_response.cohort.values import Numbers
from itp_response.messages.wording import counted
from itp_response.readers.coded.records import ONGOING
from itp_response.readers.dates import as_day_numbers
from itp_response.readers.lasting import lasting_days
from itp_response.readers.problems import Cells, Location, Problems
from itp_response.readers.sdtm.records import whole_days


def placed(frames: Sequence[pl.DataFrame], location: Location, problems: Problems) -> list[pl.DataFrame]:
    """The visits with every event on its days, with notes on those whose days are not told."""
    of_counts = [frame.filter(pl.col("platelets").is_not_null()).select("patient_id", "date") for frame in frames]
    counts = pl.concat(of_counts).with_columns(day=whole_days(pl.col("date"))).drop_nulls()
    counts = counts.unique(["patient_id", "day"], keep="first", maintain_order=True)
    spans = counts.group_by("patient_id").agg(
        first=pl.col("day").min() - 1, last=pl.col("day").max() + 1, last_date=pl.col("date").sort_by("day").last()
    )
    joined = [frame.join(spans, on="patient_id", how="left", maintain_order="left") for frame in frames]
    _note(pl.concat(joined), location, problems)
    dated = [_dated(frame) for frame in joined]
    lasting = [_lasting(frame, counts) for frame in dated]
    if number := sum(map(len, lasting)):
        problems.note(
            location, f"Bleeding of several days is recorded on {counted(number, 'further day')} with a count."
        )
    return [pl.concat([_until_last(frame), further]) for frame, further in zip(dated, lasting, strict=True)]


def _is_undated() -> pl.Expr:
    """The treatments and conditions without a date; without a patient they are a problem, which is reported later."""
    is_event = pl.col("rescue").is_not_null() | pl.col("is_condition")
    return is_event & pl.col("date").is_null() & pl.col("patient_id").is_not_null()


def _note(joined: pl.DataFrame, location: Location, problems: Problems) -> None:
    undated, has_counts = joined.filter(_is_undated()), pl.col("first").is_not_null()
    bleeding, treatments = joined.filter("is_condition"), joined.filter(pl.col("rescue").is_not_null())
    for number, noun, what in (
        (
            len(undated.filter(has_counts)),
            "event",
            "without a date, which may be of any day before, between or after the counts; what depends on it is not "
            "evaluable",
        ),
        (len(undated.filter(~has_counts)), "event", "without a date left out, of patients without a count"),
        (
            bleeding["until"].null_count(),
            "condition",
            "of bleeding without an end date, assumed to have lasted one day",
        ),
        (treatments["rescue_end"].null_count(), "treatment", "without an end date, assumed to have lasted one day"),
        (
            int((bleeding["until"] == ONGOING).sum()),
            "condition",
            "of bleeding ongoing, assumed to have lasted until the last count",
        ),
        (
            int((treatments["rescue_end"] == ONGOING).sum()),
            "treatment",
            "ongoing, assumed to have lasted until the last count",
        ),
    ):
        if number:
            problems.note(location, f"{counted(number, noun)} {what}.", warning=True)


def _dated(frame: pl.DataFrame) -> pl.DataFrame:
    """The visits, with the days that they may be of as the date of events without one, up to their end if it is known.

    Events of patients without a count are left out.
    """
    last = pl.min_horizontal("last", whole_days(pl.coalesce("until", "rescue_end")))
    ends = [pl.min_horizontal("first", last - 1), last]
    texts = [day.cast(pl.Int32).cast(pl.Date).cast(pl.String) for day in ends]
    undated = _is_undated()
    frame = frame.filter(~undated | pl.col("first").is_not_null())
    of_span = pl.concat_str(texts, separator="/")
    return frame.with_columns(date=pl.when(undated).then(of_span).otherwise("date"), undated=undated)


def _until_last(frame: pl.DataFrame) -> pl.DataFrame:
    """The visits; a treatment that goes on ends on the day of the last count, if that is not before it."""
    begun = pl.col("date").str.contains("/") | (whole_days(pl.col("last_date")) >= whole_days(pl.col("date")))
    goes_on = pl.col("rescue_end") == ONGOING
    end = pl.when(goes_on & begun).then("last_date").when(~goes_on).then("rescue_end")
    return frame.with_columns(rescue_end=end).drop("first", "last", "last_date", "undated")


def _lasting(frame: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    """The further days of bleeding."""
    bleeding = frame.filter("is_condition")
    start = _days(bleeding["date"].set(bleeding["undated"], None))
    goes_on = (bleeding["until"] == ONGOING).fill_null(value=False)
    end = _days(bleeding["until"].set(goes_on, None))
    spans = {
        "subject": bleeding["patient_id"],
        "grade": bleeding["bleeding_grade"],
        "start_low": start.low,
        "start_high": start.high,
        "end_low": np.where(goes_on.to_numpy(), np.inf, end.low),
        "end_high": np.where(goes_on.to_numpy(), np.inf, end.high),
    }
    days = lasting_days(pl.DataFrame(spans), counts.rename({"patient_id": "subject"}))
    further = bleeding[days["event"]].with_columns(date=days["date"], bleeding_grade=days["grade"])
    return further.drop("first", "last", "last_date", "undated")


def _days(texts: pl.Series) -> Numbers:
    """The first and the last possible day of dates; those that are none are reported when the visits are read."""
    return as_day_numbers(Cells(Location("", 0), "", texts), Problems())
