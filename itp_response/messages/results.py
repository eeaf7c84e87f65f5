"""Results: how what a function gives shows itself in a console and in a notebook, and becomes a frame of pandas.

A class says what it is (`_headline`), what is in it (`_pieces`) and what was assumed (`_assumptions`). From these three
come the line that a console shows, the HTML that a notebook shows, and `html()` for a page of one's own. A class with a
`frame` is a `DataResult`, and has `to_pandas` too.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from itp_response.messages.optional_imports import needed

if TYPE_CHECKING:
    import polars as pl

ROWS = 10
"""The number of rows of a long table that are shown."""
SHORT = 24
"""A text up to this length is not broken into lines."""
# Notebooks have a style of their own for tables; two classes in a selector go before it.
STYLE = (
    "<style>.itp-response{overflow-x:auto}"
    ".itp-response .rows{border-collapse:collapse;margin:.2em 0 .6em}"
    ".itp-response .rows th,.itp-response .rows td{text-align:left;vertical-align:top;padding:.15em .8em .15em 0}"
    ".itp-response .title{font-weight:600;margin:.8em 0 0}"
    ".itp-response .rows thead th{border-bottom:1px solid currentColor}"
    ".itp-response .rows td.short{white-space:nowrap}"
    ".itp-response .rows td.inner{padding-left:1.2em}"
    ".itp-response .notes{font-size:90%;opacity:.8;margin:.2em 0;padding-left:1.2em}</style>"
)


class Result:
    """What a function of the package gives: a short line in a console, and HTML in a notebook."""

    def _headline(self) -> str:
        """What it is, of how many patients, under which response definition."""
        raise NotImplementedError

    def _pieces(self) -> Iterable[str]:
        """What is in it, as pieces of HTML."""
        return ()

    def _assumptions(self) -> Iterable[str]:
        """What was assumed and noticed, a line each."""
        return ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._headline()}>"

    def html(self) -> str:
        """The result as a piece of HTML with its assumptions, to be put into a page; a notebook shows it by itself."""
        head = f"<p><b>{escape(self._headline())}</b></p>"
        return "\n".join([f'<div class="itp-response">{STYLE}{head}', *self._pieces(), *self._noted(), "</div>"])

    def _noted(self) -> Iterator[str]:
        if notes := list(self._assumptions()):
            yield html_notes(notes)

    def _repr_html_(self) -> str:
        return self.html()


class DataResult(Result):
    """A result that is a table of data too."""

    def frame(self) -> "pl.DataFrame":
        """The result as a frame of polars."""
        raise NotImplementedError

    def to_pandas(self, **options: Any) -> Any:
        """`frame(**options)` as a frame of pandas; whole numbers and truths that may be missing stay what they are.

        Raises `UsageError` with the cure if pandas or pyarrow is not installed.
        """
        return as_pandas(self.frame(**options))


def as_pandas(frame: "pl.DataFrame") -> Any:
    """A frame of pandas, with its types for whole numbers and truths that may be missing.

    Raises `UsageError` with the cure if pandas or pyarrow is not installed.
    """
    pandas, arrow = needed("pandas", "pandas"), needed("pyarrow", "pandas")
    types = {
        arrow.int8(): pandas.Int8Dtype(),
        arrow.int32(): pandas.Int32Dtype(),
        arrow.int64(): pandas.Int64Dtype(),
        arrow.bool_(): pandas.BooleanDtype(),
    }
    return frame.to_pandas(types_mapper=types.get)


def html_table(
    header: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "", notes: Sequence[str] = ()
) -> str:
    """A table as HTML; a missing value is an empty cell.

    A row with one cell alone is a heading. A row whose first cell begins with two spaces belongs to the row above it.

    >>> html_table(["Y"], [["<3>"]])
    '<table class="rows"><thead><tr><th>Y</th></tr></thead><tbody><tr><td>&lt;3&gt;</td></tr></tbody></table>'
    """
    above = f'<p class="title">{escape(title)}</p>' if title else ""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join(f"<tr>{_cells(row, len(header))}</tr>" for row in rows)
    table = f'{above}<table class="rows"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f"{table}\n{html_notes(notes)}" if notes else table


def _cells(row: Sequence[Any], width: int) -> str:
    if len(row) == 1 and width > 1:
        return f'<th colspan="{width}">{_cell(row[0])}</th>'
    inner = str(row[0]).startswith("  ")
    return "".join(f"<td{_look(text, inner and not number)}>{text}</td>" for number, text in enumerate(map(_cell, row)))


def _look(text: str, inner: bool) -> str:
    """The classes of a cell."""
    breaks = any(mark in text for mark in " -")
    looks = {"inner": inner, "short": breaks and len(text) <= SHORT}
    classes = [name for name, holds in looks.items() if holds]
    return f' class="{" ".join(classes)}"' if classes else ""


def _cell(value: Any) -> str:
    """A value as escaped text."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else escape(str(value).strip())


def html_frame(frame: "pl.DataFrame", *, title: str = "", whole: str = "frame()", rows: int = ROWS) -> str:
    """The first rows of a frame as HTML; `whole` is the call that gives all of them."""
    more = [f"{rows} of {len(frame):,} rows are shown; .{whole} has all."] if len(frame) > rows else []
    return html_table(frame.columns, frame.head(rows).iter_rows(), title=title, notes=more)


def html_notes(notes: Iterable[str]) -> str:
    """Notes as HTML, one below another.

    >>> html_notes(["assumed: a < b"])
    '<ul class="notes"><li>assumed: a &lt; b</li></ul>'
    """
    return f'<ul class="notes">{"".join(f"<li>{escape(note)}</li>" for note in notes)}</ul>'


def html_paragraph(text: str) -> str:
    """A sentence as HTML."""
    return f"<p>{escape(text)}</p>"
