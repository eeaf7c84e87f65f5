"""Query log: the queries of a review as a list that a site can answer, one per patient and cause.

What an edit check finds about one patient is one query, with all its days, dates and places. What would make endpoints
evaluable is one query, with all endpoints that wait for it. The cells of the answer are empty.
"""

import io
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from itp_response.classification.output_files import holding, suffix_of
from itp_response.classification.provenance import Provenance
from itp_response.classification.writers import FORMATS, put_with_provenance, write
from itp_response.cohort.cohort import Cohort
from itp_response.data_review.edit_checks import PRIORITIES
from itp_response.messages.optional_imports import needed

STATES = ("open", "answered", "closed")
ANSWERS = ("answer", "answered_by", "answered_on")
"""The columns that the site fills in."""
COLUMNS = (
    *("query_id", "priority", "patient_id", "cause", "question", "observations", "days", "dates", "places", "values"),
    *("endpoints", "status", *ANSWERS),
)
NOT_EVALUABLE = "not_evaluable"
"""The cause of a query on which the result of an endpoint waits."""
WIDTHS = {"query_id": 30, "question": 60, "days": 18, "dates": 24, "places": 30, "endpoints": 24, "answer": 40}
"""Of the columns of a workbook, in characters; of the others `WIDTH`."""
WIDTH = 14
WORKBOOK = ".xlsx"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The time at which a workbook says it was made, so that the same log gives the same bytes."""


def query_log(
    findings: pl.DataFrame, systematic: pl.DataFrame, data_queries: pl.DataFrame, cohort: Cohort
) -> pl.DataFrame:
    """The queries of a review, one per patient and cause: those of high priority first, then by patient.

    `findings` and `data_queries` are the frames of a `Review`, with the `place` of each row in words, and `systematic`
    has the checks of which the findings are one query about all patients. The columns are
    those of `COLUMNS`: the parts of `days`, `dates`, `places` and `values` are separated by semicolons, `status` is
    "open", and the columns of `ANSWERS` are empty.
    """
    alone = findings.filter(~pl.col("check").is_in(systematic["check"].to_list()))
    queries = pl.concat([_of_systematic(systematic), _of_findings(alone), _of_endpoints(data_queries)])
    position = cohort.id.alias("patient_id").to_frame().with_row_index("position")
    rank = pl.col("priority").replace_strict({word: rank for rank, word in enumerate(PRIORITIES)})
    queries = queries.join(position, on="patient_id", how="left", maintain_order="left").with_columns(rank=rank)
    queries = queries.sort("rank", "position", maintain_order=True, nulls_last=False)
    empty = [pl.lit(None, dtype=pl.String).alias(name) for name in ANSWERS]
    return queries.with_columns(pl.lit(STATES[0]).alias("status"), *empty).select(COLUMNS)


def _of_systematic(systematic: pl.DataFrame) -> pl.DataFrame:
    """A query about all patients for each check that fires at most of what it looks at."""
    empty = [pl.lit(None, dtype=pl.String).alias(name) for name in ("days", "dates", "places", "values", "endpoints")]
    return systematic.select(
        "query_id",
        "priority",
        pl.lit(None, dtype=pl.String).alias("patient_id"),
        pl.col("check").alias("cause"),
        "question",
        "observations",
        *empty,
    )


def _of_findings(findings: pl.DataFrame) -> pl.DataFrame:
    """A query for each patient and edit check; it asks about the first observation, and lists the others."""
    further = pl.col("observations") - 1
    plural = pl.when(further == 1).then(pl.lit("")).otherwise(pl.lit("s"))
    also = pl.format("{} The same question about {} more observation{}.", "question", further, plural)
    return (
        findings.group_by("query_id", maintain_order=True)
        .agg(
            pl.col("priority", "patient_id").first(),
            pl.col("check").first().alias("cause"),
            pl.col("says").first().alias("question"),
            pl.len().cast(pl.Int64).alias("observations"),
            *_joined({"day": "days", "date": "dates", "place": "places", "value": "values"}),
            pl.lit(None, dtype=pl.String).alias("endpoints"),
        )
        .with_columns(question=pl.when(further == 0).then("question").otherwise(also))
    )


def _of_endpoints(data_queries: pl.DataFrame) -> pl.DataFrame:
    """A query for each observation of a patient that endpoints wait for."""
    queries = data_queries.group_by("query_id", maintain_order=True).agg(
        pl.lit(PRIORITIES[0]).alias("priority"),
        pl.col("patient_id").first(),
        pl.lit(NOT_EVALUABLE).alias("cause"),
        pl.col("asks", "settled_by").first(),
        pl.lit(1, dtype=pl.Int64).alias("observations"),
        *(pl.col(name).first().cast(pl.String).alias(f"{name}s") for name in ("day", "date", "place")),
        pl.lit(None, dtype=pl.String).alias("values"),
        pl.col("endpoint").str.join("; ").alias("endpoints"),
    )
    waiting = pl.format("Please provide {}. Without it, these endpoints are not evaluable: {}.", "asks", "endpoints")
    first, further = pl.col("asks").str.slice(0, 1).str.to_uppercase(), pl.col("asks").str.slice(1)
    unsettled = pl.format("{}{}: {}.", first, further, "endpoints")
    question = pl.when(pl.col("settled_by").is_null()).then(unsettled).otherwise(waiting)
    return queries.with_columns(question=question).select(
        *("query_id", "priority", "patient_id", "cause", "question", "observations", "days", "dates", "places"),
        *("values", "endpoints"),
    )


def _joined(columns: dict[str, str]) -> list[pl.Expr]:
    """The values of each column as one text, under its new name."""
    return [
        pl.col(name).cast(pl.String).drop_nulls().str.join("; ").replace("", None).alias(joined)
        for name, joined in columns.items()
    ]


# WRITING


def write_query_log(log: pl.DataFrame, path: str | Path, provenance: Provenance) -> None:
    """Write a query log to a `.csv`, `.xlsx`, `.json` or `.parquet` file, whole or not at all, with its provenance.

    A text that a spreadsheet would take for a formula gets an apostrophe before it in `.csv`; a workbook has texts.
    Raises `UsageError` for another suffix, where the file cannot be written, or for `.xlsx` without XlsxWriter.
    """
    path = Path(path)
    if suffix_of(path, [*FORMATS, WORKBOOK]) == WORKBOOK:
        put_with_provenance(path, holding(_workbook(log)), provenance)
    else:
        write(log, path, provenance)


def _workbook(log: pl.DataFrame) -> bytes:
    """A sheet with a header that stays in view, filters, wrapped texts, and a list of the states to choose from."""
    xlsxwriter = needed("xlsxwriter", "excel")
    texts_only = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, **texts_only}) as workbook:
        workbook.set_properties({"created": EPOCH})
        sheet = workbook.add_worksheet("Queries")
        head = workbook.add_format({"bold": True, "bottom": 1, "valign": "top"})
        cell = workbook.add_format({"text_wrap": True, "valign": "top"})
        asked = workbook.add_format({"text_wrap": True, "valign": "top", "bg_color": "#FFF8DC"})
        for number, name in enumerate(log.columns):
            form = asked if name in ANSWERS else cell
            sheet.set_column(number, number, WIDTHS.get(name, WIDTH), form)
            sheet.write_string(0, number, name.replace("_", " ").capitalize(), head)
            sheet.write_column(1, number, log[name].to_list(), form)
        status = log.columns.index("status")
        sheet.data_validation(1, status, max(len(log), 1), status, {"validate": "list", "source": list(STATES)})
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, len(log), len(log.columns) - 1)
    return file.getvalue()
