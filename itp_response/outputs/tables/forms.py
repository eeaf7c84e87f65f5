"""Forms: tables as text, CSV, HTML, LaTeX and RTF; great-tables makes HTML and LaTeX, rtflite makes RTF."""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from itp_response.classification.output_files import temporary_folder
from itp_response.classification.writers import csv_bytes
from itp_response.messages.optional_imports import needed
from itp_response.messages.wording import one_line
from itp_response.outputs.statistics.tables import Table

Heading = tuple[str, str]
"""The study with its patients, and the response definition."""
INDENT, INDENT_RTF = 2, 200
"""The indent of rows that belong to the row above: a step of great-tables, and twentieths of a point."""
IN_LATEX = {"−": "$-$", "≥": r"$\geq$", "≤": r"$\leq$", "≠": r"$\neq$", "×": r"$\times$", "⁹": r"\textsuperscript{9}"}
"""Signs that pdfLaTeX does not know by themselves."""
NOT_IN_RTF = re.compile(r"[^ -~]|[\\{}]")
"""What is not a letter of RTF: beyond ASCII, or the beginning of a command or a group."""
AFTER_LINE_BREAK = re.compile(r"(?<=\\\\\n)(?=\s*[\[*])", re.ASCII)
"""Where a row begins with what would be an option of the line break before it."""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<h1>{title}</h1>
<p>{definition}</p>
{tables}
</body>
</html>
"""


def frame(tables: Sequence[Table]) -> pl.DataFrame:
    """The numbers of all tables, one to a row."""
    return pl.concat([table.frame() for table in tables])


def as_html(table: Table) -> str:
    """One table as a piece of HTML with its own style; the same bytes each time."""
    great_table = _great_table(table)
    headings = [number for number, row in enumerate(table.rows) if len(row) == 1]
    if headings:
        great = needed("great_tables", "stats")
        great_table = great_table.tab_style(great.style.text(weight="bold"), great.loc.stub(rows=headings))
    # LaTeX does not have these options.
    great_table = great_table.tab_options(table_font_size="13px", table_margin_left="0", data_row_padding="3px")
    text: str = great_table.as_raw_html()
    return text


def page(tables: Sequence[Table], heading: Heading) -> str:
    """All tables as one page of HTML."""
    title, definition = map(html.escape, heading)
    return PAGE.format(title=title, definition=definition, tables="\n".join(map(as_html, tables)))


def as_latex(tables: Sequence[Table], heading: Heading) -> str:
    """All tables as LaTeX, to be put into a document that uses booktabs, caption and longtable."""
    text = "\n\n".join(_great_table(table, heading).as_latex(use_longtable=True) for table in tables)
    for sign, command in IN_LATEX.items():
        text = text.replace(sign, command)
    return f"{AFTER_LINE_BREAK.sub('{}', text)}\n"


def as_rtf(tables: Sequence[Table], heading: Heading) -> str:
    """All tables as one document for Word, each on at least one page."""
    rtf = needed("rtflite", "stats")
    with temporary_folder() as folder:
        parts = [folder / f"{number}.rtf" for number in range(len(tables))]
        for part, table in zip(parts, tables, strict=True):
            part.write_text(_rtf(rtf, table, heading).rtf_encode(), encoding="ascii")
        whole = folder / "whole.rtf"
        rtf.assemble_rtf(list(map(str, parts)), str(whole))
        return whole.read_text(encoding="ascii")


def _on_lines(table: Table) -> Table:
    """The table with line breaks and control characters of its texts written out, as on a terminal."""
    header, notes, *rows = (tuple(map(one_line, row)) for row in (table.header, table.notes, *table.rows))
    title, reference, found = map(one_line, (table.title, table.reference, table.found))
    return replace(table, title=title, header=header, rows=tuple(rows), notes=notes, reference=reference, found=found)


def as_text(tables: Sequence[Table], heading: Heading) -> str:
    """All tables as text."""
    return "\n\n".join(["\n".join(heading), *map(str, tables)]) + "\n"


def _great_table(table: Table, heading: Heading | None = None) -> Any:
    """The table as great-tables has it; the heading is its subtitle."""
    great = needed("great_tables", "stats")
    great_table = great.GT(_cells(table), rowname_col="0", auto_align=False, id=f"itp-{table.name}")
    heads = {str(column): head for column, head in enumerate(table.header) if column}
    subtitle = None if heading is None else ". ".join(heading)
    great_table = great_table.tab_header(title=table.title, subtitle=subtitle).cols_label(heads).cols_align("left")
    inner = [number for number, row in enumerate(table.rows) if row[0].startswith(" ")]
    if inner:
        great_table = great_table.tab_stub_indent(rows=inner, indent=INDENT)
    for note in (*table.footnotes, *table.assumed):
        great_table = great_table.tab_source_note(note)
    return great_table.tab_options(heading_align="left")


def _cells(table: Table) -> pl.DataFrame:
    """The cells as they are shown; columns are named by their numbers."""
    width = len(table.header)
    rows = [[row[0].strip(), *row[1:], *[""] * (width - len(row))] for row in table.rows]
    return pl.DataFrame(rows, schema=[str(column) for column in range(width)], orient="row")


def rtf_text(text: str) -> str:
    r"""A text as RTF has it: a text cannot become a command, and every letter is in ASCII.

    >>> print(rtf_text(r"ATRA\LD-RTX {é}"))
    ATRA\\LD-RTX \{\u233?\}
    """
    return NOT_IN_RTF.sub(lambda found: _in_rtf(found[0]), text)


def _in_rtf(character: str) -> str:
    if character in "\\{}":
        return f"\\{character}"
    units = character.encode("utf-16-le", "surrogatepass")
    # A number of RTF has 16 bits and a sign; a character that needs two of them is written as both.
    numbers = (int.from_bytes(units[at : at + 2], "little", signed=True) for at in range(0, len(units), 2))
    return "".join(f"\\u{number}?" for number in numbers)


def _rtf(rtf: Any, table: Table, heading: Heading) -> Any:
    width = len(table.header)
    widths = [3.0, *[2.0] * (width - 1)]
    notes = list(map(rtf_text, (*table.footnotes, *table.assumed)))
    return rtf.RTFDocument(
        df=_cells(table).with_columns(pl.all().map_elements(rtf_text, return_dtype=pl.String)),
        # One page: rtflite would give the rows of a second page the formats of the first. Word breaks pages itself.
        rtf_page=rtf.RTFPage(orientation="landscape", nrow=len(table.rows) + len(notes) + 10),
        rtf_title=rtf.RTFTitle(text=list(map(rtf_text, (*heading, table.title))), text_convert=[False]),
        rtf_column_header=rtf.RTFColumnHeader(
            text=list(map(rtf_text, table.header)),
            col_rel_width=widths,
            text_justification=["l"] * width,
            text_convert=[[False] * width],
        ),
        rtf_body=rtf.RTFBody(
            col_rel_width=widths,
            text_justification=["l"] * width,
            text_convert=[[False] * width],
            text_indent_left=[[INDENT_RTF if row[0].startswith(" ") else 0] + [0] * (width - 1) for row in table.rows],
            text_format=[["b" if len(row) == 1 else ""] * width for row in table.rows],
        ),
        rtf_footnote=rtf.RTFFootnote(text=notes, text_justification=["l"], text_convert=[[False]]) if notes else None,
    )


WRITERS: Mapping[str, Callable[[Sequence[Table], Heading], bytes]] = {
    ".csv": lambda tables, _: csv_bytes(frame(tables)),
    ".html": lambda tables, heading: page(list(map(_on_lines, tables)), heading).encode(),
    ".tex": lambda tables, heading: as_latex(list(map(_on_lines, tables)), heading).encode(),
    ".rtf": lambda tables, heading: as_rtf(list(map(_on_lines, tables)), heading).encode(),
    ".txt": lambda tables, heading: as_text(tables, heading).encode(),
}
"""How tables are written, by the suffix of the file."""
