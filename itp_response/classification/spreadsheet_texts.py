"""Texts in a table that a spreadsheet opens: one that begins as a formula does gets an apostrophe before it.

A spreadsheet takes a cell of a CSV file that begins with =, +, -, @ or a control character for a formula, and carries
it out. With an apostrophe before it, it is a text. The readers take the apostrophe away, so that a table that was
written comes back with the same ids.
"""

import polars as pl

from itp_response.classification.output_files import Formulas, settings
from itp_response.cohort.texts import FORMULA
from itp_response.messages.wording import counted

NUMBERS = r"^-?\d+(\.\d+)?(; -?\d+(\.\d+)?)*$"
"""A number, or several as the query log lists them: no formula."""


def as_texts(frame: pl.DataFrame, formulas: Formulas) -> tuple[pl.DataFrame, int]:
    """The frame with an apostrophe before each text that begins as a formula does, and the number of such texts.

    Columns of numbers stay as they are, and texts that are numbers too.

    >>> frame, changed = as_texts(pl.DataFrame({"id": ["=1+1", "-5", "P1"], "day": [-1, 0, 1]}), "as-text")
    >>> frame["id"].to_list(), frame["day"].to_list(), changed
    (["'=1+1", '-5', 'P1'], [-1, 0, 1], 1)
    """
    if formulas == "as-is":
        return frame, 0
    texts = pl.col(pl.String)
    is_formula = texts.str.contains(FORMULA) & ~texts.str.contains(NUMBERS)
    marked = frame.select(is_formula.fill_null(value=False))
    columns = [name for name in marked.columns if marked[name].any()]
    changed = sum(int(marked[name].sum()) for name in columns)
    frame = frame.with_columns(
        pl.when(marked[name]).then(pl.concat_str(pl.lit("'"), name)).otherwise(name).alias(name) for name in columns
    )
    heads = {name: f"'{name}" for name in frame.columns if pl.Series([name]).str.contains(FORMULA)[0]}
    return frame.rename(heads), changed + len(heads)


def tell_texts(changed: int) -> None:
    """Say how many texts got an apostrophe."""
    if changed:
        has = "has" if changed == 1 else "have"
        settings().tell(
            f"note: {counted(changed, 'text')} in a CSV file {has} an apostrophe in front, because a spreadsheet would "
            "take a text that begins with =, +, -, @ or a control character for a formula; --formulas as-is leaves it "
            "out."
        )
