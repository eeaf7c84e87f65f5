"""Forms: tables as text, CSV, HTML, LaTeX and RTF. HTML and LaTeX are great-tables', RTF is rtflite's."""

import html
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from itp_response.messages.optional_imports import needed
from itp_response.outputs.statistics.tables import Table

INDENT, INDENT_RTF = 2, 200
"""How far what belongs to the row above is set in: a step of great-tables, and twentieths of a point."""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
{tables}
</body>
</html>
"""


def frame(tables: Sequence[Table]) -> pl.DataFrame:
    """The numbers of all tables, one to a row."""
    return pl.concat([one.frame() for one in tables])


def as_html(table: Table) -> str:
    """One table as a piece of HTML that stands by itself, its look and all; the same bytes each time."""
    made = _great(table)
    headings = [place for place, row in enumerate(table.rows) if len(row) == 1]
    if headings:
        great = needed("great_tables", "stats")
        made = made.tab_style(great.style.text(weight="bold"), great.loc.stub(rows=headings))
    # Options that LaTeX has not.
    made = made.tab_options(table_font_size="13px", table_margin_left="0", data_row_padding="3px")
    text: str = made.as_raw_html()
    return text


def page(tables: Sequence[Table], title: str) -> str:
    """All tables as a page of HTML."""
    return PAGE.format(title=html.escape(title), tables="\n".join(map(as_html, tables)))


def as_latex(tables: Sequence[Table]) -> str:
    """All tables as LaTeX, to be put into a document that uses booktabs, caption and longtable."""
    return "\n\n".join(_great(one).as_latex(use_longtable=True) for one in tables) + "\n"


def as_rtf(tables: Sequence[Table]) -> str:
    """All tables as one document for Word, a page each at least."""
    rtf = needed("rtflite", "stats")
    with tempfile.TemporaryDirectory() as folder:
        parts = [Path(folder, f"{place}.rtf") for place in range(len(tables))]
        for part, one in zip(parts, tables, strict=True):
            part.write_text(_rtf(rtf, one).rtf_encode(), encoding="utf-8")
        whole = Path(folder, "whole.rtf")
        rtf.assemble_rtf(list(map(str, parts)), str(whole))
        return whole.read_text(encoding="utf-8")


def _great(table: Table) -> Any:
    """The table as great-tables has it."""
    great = needed("great_tables", "stats")
    made = great.GT(_shown(table), rowname_col="0", auto_align=False, id=f"itp-{table.name}")
    heads = {str(place): head for place, head in enumerate(table.header) if place}
    made = made.tab_header(title=table.title).cols_label(heads).cols_align("left")
    inner = [place for place, row in enumerate(table.rows) if row[0].startswith(" ")]
    made = made.tab_stub_indent(rows=inner, indent=INDENT) if inner else made
    for note in table.notes:
        made = made.tab_source_note(note)
    return made.tab_options(heading_align="left")


def _shown(table: Table) -> pl.DataFrame:
    """The cells as they are shown, columns by their place."""
    wide = len(table.header)
    rows = [[row[0].strip(), *row[1:], *[""] * (wide - len(row))] for row in table.rows]
    return pl.DataFrame(rows, schema=[str(place) for place in range(wide)], orient="row")


def _rtf(rtf: Any, table: Table) -> Any:
    wide = len(table.header)
    widths = [3.0, *[2.0] * (wide - 1)]
    notes = list(table.notes)
    return rtf.RTFDocument(
        df=_shown(table),
        # One page to rtflite, which would give a second one the formats of the first; Word breaks it where it must.
        rtf_page=rtf.RTFPage(orientation="landscape", nrow=len(table.rows) + len(table.notes) + 10),
        rtf_title=rtf.RTFTitle(text=[table.title], text_convert=[False]),
        rtf_column_header=rtf.RTFColumnHeader(
            text=list(table.header),
            col_rel_width=widths,
            text_justification=["l"] * wide,
            text_convert=[[False] * wide],
        ),
        rtf_body=rtf.RTFBody(
            col_rel_width=widths,
            text_justification=["l"] * wide,
            text_convert=[[False] * wide],
            text_indent_left=[[INDENT_RTF if row[0].startswith(" ") else 0] + [0] * (wide - 1) for row in table.rows],
            text_format=[["b" if len(row) == 1 else ""] * wide for row in table.rows],
        ),
        rtf_footnote=rtf.RTFFootnote(text=notes, text_justification=["l"], text_convert=[[False]]) if notes else None,
    )


WRITERS: Mapping[str, Callable[[Sequence[Table], str], str]] = {
    ".csv": lambda tables, _: frame(tables).write_csv(),
    ".html": page,
    ".tex": lambda tables, _: as_latex(tables),
    ".rtf": lambda tables, _: as_rtf(tables),
    ".txt": lambda tables, _: "\n\n".join(map(str, tables)) + "\n",
}
"""By the suffix of the file."""
