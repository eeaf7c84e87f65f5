"""The tables of a paper: what it prints, counted from the observations of the invented example study.

The study was made to the counts that the paper prints. This shows that the program counts them from the patients' own
observations; it says nothing about the trial.
"""

from pathlib import Path

import polars as pl

from itp_response.classification.classification import classify
from itp_response.teaching.example import example_file
from itp_response.validation.section import with_result

TABLE = Path(__file__).with_name("paper_tables.csv")
DEFINITION = "atra_2022"
"""The set of the paper."""
KEYS = ("statistic", "endpoint", "group")


def paper_table_results() -> pl.DataFrame:
    """A row per number that the paper prints."""
    printed = pl.read_csv(TABLE, infer_schema=False).with_columns(pl.col("endpoint").fill_null(""))
    results = classify(example_file("visits.csv"), example_file("patients.csv"), DEFINITION).frame()
    counted = _counted(results, printed["endpoint"].unique().to_list())
    joined = printed.join(counted, on=KEYS, how="left", maintain_order="left")
    return with_result(joined.with_columns(pl.col("got").fill_null("0")))


def _counted(results: pl.DataFrame, endpoints: list[str]) -> pl.DataFrame:
    """The numbers of each statistic, endpoint and arm, as texts."""
    arm = pl.col("arm").alias("group")
    parts = [results.group_by(arm).agg(got=pl.len()).select(*_keys("patients", ""), "group", _text())]
    for endpoint in endpoints:
        if endpoint in results.columns:
            met = results.filter(pl.col(endpoint) == "Y").group_by(arm).agg(got=pl.len())
            stopped = results.filter(pl.col(f"{endpoint}_reason") == "discontinued").group_by(arm).agg(got=pl.len())
            parts += [
                frame.select(*_keys(statistic, endpoint), "group", _text())
                for statistic, frame in (("met", met), ("discontinued", stopped))
            ]
        elif (days := f"{endpoint}_days") in results.columns:
            for statistic, unit in (("median days", 1), ("median weeks", 7)):
                median = results.group_by(arm).agg(got=pl.col(days).median() / unit)
                parts.append(median.select(*_keys(statistic, endpoint), "group", _text()))
    return pl.concat(parts)


def _keys(statistic: str, endpoint: str) -> list[pl.Expr]:
    return [pl.lit(statistic).alias("statistic"), pl.lit(endpoint).alias("endpoint")]


def _text() -> pl.Expr:
    """The number as it is printed: 28, not 28.0."""
    return pl.col("got").cast(pl.Float64).cast(pl.String).str.strip_suffix(".0")
