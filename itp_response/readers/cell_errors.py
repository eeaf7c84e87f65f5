"""Cell errors: what a spreadsheet leaves in a cell that has no value: an error, a formula, a part of merged cells.

It stands there in a workbook, and in a text file that was saved from one. In no column is it a value.
"""

from dataclasses import replace

import numpy as np
import polars as pl

from itp_response.cohort.texts import any_has
from itp_response.cohort.values import Ints
from itp_response.readers.cells import Wording
from itp_response.readers.column_names import NamedTable
from itp_response.readers.problems import Problems, quoted
from itp_response.readers.runs import Runs

WORDINGS = {
    r"(?i)^(?:#(?:DIV/0!|N/A!|NAME\?|NULL!|NUM!|REF!|VALUE!|SPILL!|CALC!)|Err:\d+)$": "is an error of the spreadsheet; "
    "correct it",
    r'^="[^"]*"$': "is a formula that is a text, as programs write it for a spreadsheet; write the text alone",
    r'^=(?:[^"].*|".*".+|"[^"]*)?$': "is a formula that was never calculated; open the file in a "
    "spreadsheet and save it",
    r"^\(merged with [A-Z]+\d+\)$": "is a cell without a value of its own; unmerge the cells, and fill in each",
}
SIGNS = "#=(:"
"""Each of these has one of them."""
ANY = "|".join(f"(?:{pattern})" for pattern in WORDINGS)


def are_cell_errors(texts: pl.Series) -> pl.Series:
    """Which of the texts are none but a spreadsheet's.

    >>> are_cell_errors(pl.Series(["#REF!", "=C2*5", "IVIg", "#3"])).to_list()
    [True, True, False, False]
    """
    found = texts.str.contains(ANY) if any_has(texts, SIGNS) else pl.repeat(False, len(texts), eager=True)
    return found.fill_null(value=False)


def without_cell_errors(table: NamedTable, problems: Problems) -> NamedTable:
    """The table with empty cells in place of these, which are reported."""
    emptied = []
    for name in table.header:
        cells = table.cells(name)
        if cells.values.dtype != pl.String:
            continue
        # Mostly there are none, and successive cells are mostly alike.
        runs = table.written_ids if name == "patient_id" else Runs.of(cells.values.drop_nulls())
        if not are_cell_errors(runs.names).any():
            continue
        found = are_cell_errors(cells.values)
        for pattern, wording in WORDINGS.items():
            rows: Ints = cells.values.str.contains(pattern).fill_null(value=False).arg_true().to_numpy()
            problems.wrong_cells(cells, rows.astype(np.int64), _worded(wording))
        emptied.append(cells.values.set(found, None).alias(name))
    return replace(table, frame=table.frame.with_columns(emptied)) if emptied else table


def _worded(wording: str) -> Wording:
    return lambda text: f"{quoted(text)} {wording}."
