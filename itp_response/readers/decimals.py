"""Decimals: numbers with a decimal comma, or with points or commas between thousands.

Where semicolons separate the cells of a file, a comma may stand before decimals, and a point between thousands. A
number such as `12,5` or `0.25` can be read in one way only; `1.250` cannot. It is read as the other numbers of its
column show; if they do not, or show both, it is a problem that `decimal` solves.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from itp_response.messages.wording import counted
from itp_response.readers.problems import Cells, Problems, examples, first_few, quoted, shown

SIGN = r"^(?:[<>≤≥]=?\s*|-)?"
GROUPED = {"point": SIGN + r"[1-9]\d{0,2}(?:\.\d{3})+$", "comma": SIGN + r"[1-9]\d{0,2}(?:,\d{3})+$"}
"""A number with that between thousands; with one group alone, it may stand before decimals as well."""
DECIMALS = {
    "point": SIGN + r"(?:\d+|[1-9]\d{0,2}(?:,\d{3})+)\.\d+$",
    "comma": SIGN + r"(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+),\d+$",
}
"""A number with decimals after it."""
OTHER = {"point": "comma", "comma": "point"}
MARK = {"point": ".", "comma": ","}


def with_decimal_points(cells: Cells, problems: Problems) -> Cells:
    """The cells with points before decimals and nothing between thousands; a cell with a problem is empty."""
    told = cells.location.decimal
    if told == "usual" or cells.values.dtype != pl.String:
        return cells
    texts = cells.values.str.strip_chars()
    decimal = _shown(cells, texts, problems) if told == "shown" else told
    if decimal is None:
        return _without(cells, texts, texts.str.contains("[.,]"))
    wrong = (texts.str.contains(DECIMALS[OTHER[decimal]]) & ~texts.str.contains(GROUPED[OTHER[decimal]])).fill_null(
        value=False
    )
    what = f"has a decimal {OTHER[decimal]}, but decimals stand after a {decimal}; write all alike"
    problems.wrong_cells(cells, np.flatnonzero(wrong.to_numpy()), lambda text: f"{quoted(text)} {what}.")
    number = texts.str.contains(DECIMALS[decimal]) | texts.str.contains(GROUPED[OTHER[decimal]])
    number = number.fill_null(value=False)
    plain = texts.str.replace_all(MARK[OTHER[decimal]], "", literal=True).str.replace_all(",", ".", literal=True)
    changed = number & (plain != texts).fill_null(value=False)
    _note(cells, changed, decimal, problems)
    return _without(cells, plain.zip_with(changed, texts), wrong)


def decimal_of(cells: Cells) -> str | None:
    """What stands before decimals in a column, `point` or `comma`; None: it is not sure, so that it cannot be read."""
    told = cells.location.decimal
    if told == "usual" or cells.values.dtype != pl.String:
        return "point"
    return _shown(cells, cells.values.str.strip_chars(), Problems()) if told == "shown" else told


def points_assumed(cells: Cells) -> bool:
    """Whether points are taken to stand before decimals although nobody said so."""
    told = cells.location.decimal
    if told != "shown" or cells.values.dtype != pl.String:
        return told == "usual"
    texts = cells.values.str.strip_chars()
    shows = [
        (texts.str.contains(DECIMALS[decimal]) & ~texts.str.contains(GROUPED[decimal])).any()
        for decimal in ("point", "comma")
    ]
    return shows == [True, False]


def _without(cells: Cells, texts: pl.Series, wrong: pl.Series) -> Cells:
    return Cells(cells.location, cells.name, texts.set(wrong.fill_null(value=False), None))


def _shown(cells: Cells, texts: pl.Series, problems: Problems) -> str | None:
    """What the numbers show to stand before decimals; None: they cannot be read, which is reported."""
    rows = {
        decimal: (texts.str.contains(DECIMALS[decimal]) & ~texts.str.contains(GROUPED[decimal])).fill_null(value=False)
        for decimal in MARK
    }
    unsure = pl.select(
        pl.any_horizontal(texts.str.contains(GROUPED[decimal]).fill_null(value=False) for decimal in MARK)
    ).to_series()
    if rows["comma"].any() and rows["point"].any():
        first = quoted(shown(cells, rows["comma"].arg_true().to_numpy()[:1])[0])
        what = f"has a decimal point, but {first} a decimal comma; write all alike, or say --decimal point or comma"
        problems.wrong_cells(cells, np.flatnonzero(rows["point"].to_numpy()), lambda text: f"{quoted(text)} {what}.")
        return None
    if rows["comma"].any():
        return "comma"
    if unsure.any():
        problems.wrong_cells(cells, np.flatnonzero(unsure.to_numpy()), _either)
        return None
    return "point"


def _either(text: str) -> str:
    thousands = text.replace(".", "").replace(",", "")
    decimal = text.replace(",", ".")
    if decimal.count(".") > 1:
        decimal = "no number"
    return f"{quoted(text)} may be {thousands} or {decimal}; say --decimal point or --decimal comma."


def _note(cells: Cells, changed: pl.Series, decimal: str, problems: Problems) -> None:
    """Note the numbers that were read with a decimal comma, or with something between thousands."""
    name = cells.name
    texts = examples(cells.values.filter(changed), 3)

    def text_of(number: int, few_of_all: Sequence[str]) -> str:
        few = first_few(sorted(few_of_all), 3, number)
        return f"{name}: {counted(number, 'number')} read with a decimal {decimal}: {few}." if number else ""

    problems.count(cells.location, f"decimal: {name}", text_of, int(changed.sum()), texts)
