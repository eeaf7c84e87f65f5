"""A study of the user's own: its results, compared with those that were expected."""

from pathlib import Path

import polars as pl

from itp_response.classification.classification import Classification
from itp_response.messages.errors import Problem, UsageError, unknown
from itp_response.messages.toml_file import file_unreadable, unopened
from itp_response.validation.section import EMPTY, with_result

ID = "patient_id"
ABSENT = "no such patient"


def expected_results(path: str | Path) -> pl.DataFrame:
    """The table of expected results, a CSV file, as texts.

    Raises `UsageError` for a file that cannot be read, or that has no column `patient_id` or the same patient twice.
    """
    path = Path(path)
    try:
        table = pl.read_csv(path, infer_schema=False)
    except OSError as failure:
        problem = Problem(file_unreadable(str(path), failure), code=unopened(failure), file=path.name)
        raise UsageError(problem) from None
    except pl.exceptions.PolarsError as failure:
        raise UsageError(f"{path.name}: cannot be read as CSV: {str(failure).splitlines()[0]}.") from None
    if ID not in table.columns or len(table.columns) == 1:
        raise UsageError(f"{path.name}: needs the column '{ID}' and a column for each expected result, such as 'OR'.")
    twice = table.filter(pl.col(ID).is_duplicated())[ID].to_list()
    if twice:
        raise UsageError(f"{path.name}: patient '{twice[0]}' has several rows; give one row per patient.")
    return table


def study_results(classification: Classification, expected: pl.DataFrame, name: str) -> pl.DataFrame:
    """A row for each cell of the expected results: what the file `name` expects, and what the study gives.

    Raises `UsageError` for a column that the results do not have.
    """
    frame = classification.frame()
    for column in expected.columns:
        if column not in frame.columns:
            raise UsageError(unknown("column", column, frame.columns).after(f"{name}: "))
    columns = [column for column in expected.columns if column != ID]
    # The cells as `classify` writes them.
    written = pl.read_csv(frame.select(ID, *columns).write_csv().encode(), infer_schema=False)
    joined = _cells(expected, columns, "expected").join(
        _cells(written, columns, "got"), on=[ID, "column"], how="left", maintain_order="left"
    )
    return with_result(joined.with_columns(pl.col("got").fill_null(ABSENT)))


def _cells(table: pl.DataFrame, columns: list[str], value: str) -> pl.DataFrame:
    """A row per patient and column."""
    cells = table.unpivot(columns, index=ID, variable_name="column", value_name=value)
    return cells.with_columns(pl.col(value).str.strip_chars().replace("", None).fill_null(EMPTY))
