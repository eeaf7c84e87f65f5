"""Texts in a table that a spreadsheet opens: what begins as a formula does gets an apostrophe before it.

A spreadsheet takes a cell of a CSV file that begins with =, +, -, @ or a control character for a formula, and carries
it out. With an apostrophe before it, it is a text. Where a spreadsheet separates cells by semicolons, as in much of
Europe, what follows one within a text is a cell of its own. The readers take the apostrophes away, so that a table that
was written comes back with the same ids.
"""

import polars as pl

from itp_response.classification.output_files import Formulas, settings
from itp_response.cohort.texts import BEGUN_WITHIN, FORMULA, any_has
from itp_response.messages.wording import counted

NUMBERS = r"^-?\d+(\.\d+)?(; -?\d+(\.\d+)?)*$"
"""A number, or several as the query log lists them: no formula."""
SIGNS = "=+-@\t\r\n＝＋－＠"
"""A text without any of these does not begin as a formula, nor does a part of it."""


def as_texts(frame: pl.DataFrame, formulas: Formulas) -> tuple[pl.DataFrame, int]:
    """The frame with an apostrophe before all that begins as a formula does, and the number of such texts.

    Columns of numbers stay as they are, and texts that are numbers too.

    >>> frame, changed = as_texts(pl.DataFrame({"id": ["=1+1", "-5", "a;=1"], "day": [-1, 0, 1]}), "as-text")
    >>> frame["id"].to_list(), frame["day"].to_list(), changed
    (["'=1+1", '-5', "a;'=1"], [-1, 0, 1], 2)
    """
    if formulas == "as-is":
        return frame, 0
    texts = pl.col([name for name in frame.select(pl.col(pl.String)).columns if any_has(frame[name], SIGNS)])
    begins = (texts.str.contains(FORMULA) | texts.str.contains(BEGUN_WITHIN)) & ~texts.str.contains(NUMBERS)
    marked = frame.select(begins.fill_null(value=False))
    columns = [name for name in marked.columns if marked[name].any()]
    changed = sum(int(marked[name].sum()) for name in columns)
    frame = frame.with_columns(
        pl.when(marked[name]).then(_as_text(pl.col(name))).otherwise(name).alias(name) for name in columns
    )
    heads = pl.DataFrame({"name": frame.columns}).with_columns(head=_as_text(pl.col("name")))
    heads = heads.filter(pl.col("head") != pl.col("name"))
    return frame.rename(dict(heads.iter_rows())), changed + len(heads)


def _as_text(texts: pl.Expr) -> pl.Expr:
    """A column with the apostrophes."""
    begun = pl.when(texts.str.contains(FORMULA)).then(pl.concat_str(pl.lit("'"), texts)).otherwise(texts)
    return begun.str.replace_all(BEGUN_WITHIN, "${1}'${2}")


def tell_texts(changed: int) -> None:
    """Say how many texts got an apostrophe."""
    if changed:
        has = "has" if changed == 1 else "have"
        settings().tell(
            f"note: {counted(changed, 'text')} in a CSV file {has} an apostrophe in front, because a spreadsheet would "
            "take a text that begins with =, +, -, @ or a control character, also after a semicolon or a line break, "
            "for a formula; --formulas as-is leaves it out."
        )
