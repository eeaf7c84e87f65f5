"""Further tables of a study, such as adverse events and screening, beside visits and patients."""

from collections.abc import Sequence
from typing import Any

from itp_response.cohort.cohort import Cohort
from itp_response.messages.errors import UsageError
from itp_response.readers.column_names import NamedTable, missing_column, read_table
from itp_response.readers.problems import Problems

ORDER = 2
"""Problems of these tables are given after those of visits and patients."""


def refuse_beside_a_cut(cohort: Cohort, name: str) -> None:
    """Raises `UsageError` for a table without dates beside a study that was cut, as it cannot be cut with it."""
    if cohort.as_of is not None:
        what = f"{name} and a study as of {cohort.as_of}: the table has no dates, so it cannot be cut as well"
        raise UsageError(f"{what}; leave out one of the two.")


def named_table(
    given: Any, name: str, columns: Sequence[str], required: Sequence[str], problems: Problems
) -> NamedTable:
    """The table with its columns by name.

    Raises `CohortError` where it cannot be read, or a required column is missing.
    """
    named = read_table(given, name, ORDER, columns, (), problems)
    if named is None:
        raise problems.error()
    for column in required:
        if not named.has(column):
            problems.wrong(named.location, missing_column(column, named.written))
    problems.raise_if_wrong()
    return named
