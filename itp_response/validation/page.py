"""The page of the validation pack: self-contained HTML, made to be printed."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from itp_response.classification.provenance import of_bytes
from itp_response.definitions.load import shipped
from itp_response.messages.results import html_notes
from itp_response.messages.wording import labelled, listed
from itp_response.validation.qualification import Qualification
from itp_response.validation.section import EMPTY, FAIL, NOT_COMPARED, PASS, Section

CSS = Path(__file__).with_name("page.css")
QUALIFICATIONS = {
    "IQ": "Installation qualification",
    "OQ": "Operational qualification",
    "PQ": "Performance qualification",
}
NOT_PERFORMED = (
    "Not performed: no criteria set and no study of your own was given. Repeat the command with --criteria, "
    "--examples, or VISITS and --expected, for the intended use."
)
SIGNED_BY = ("Performed by", "Reviewed by", "Approved by")
LISTED = 6
"""Worked examples that are named for a clause."""


class Column(NamedTuple):
    """A column of a table: its heading, its share of the width in per cent, and its class."""

    heading: str
    share: int
    look: str = ""


SUMMARY = (
    Column("Section", 8),
    Column("What", 44),
    *(Column(name, 12, "number") for name in ("Pass", "Fail", "Not compared")),
    Column("Result", 12),
)
FILES = (Column("File", 30), Column("SHA-256", 70, "hash"))
SIGNATURES = (Column("", 25, "sign"), Column("Name", 25), Column("Date", 20), Column("Signature", 30))
DIFFERENCES = (Column("Section", 8), Column("What", 44), Column("Expected", 24), Column("Got", 24))
EXAMPLES = (
    *(Column("Example", 9), Column("What it demonstrates", 21), Column("Patient", 20)),
    *(Column("Expected", 22), Column("Got", 22), Column("Result", 6)),
)
CASES = (Column("Source", 17), Column("What it demonstrates", 21), *EXAMPLES[2:5], Column("Result", 6))
PATIENTS = (Column("Patient", 18), Column("Expected", 38), Column("Got", 38), Column("Result", 6))
CLAUSES = (
    *(Column("Key", 9), Column("Rule", 33), Column("Clause", 20)),
    *(Column("True in", 15), Column("False in", 15), Column("Result", 8)),
)
RECORDED = (35, 65)
"""The widths of the columns of what was recorded alone."""
SHARES = {
    "iq_libraries": (20, 12, 20, 14, 14, 14, 6),
    "iq_files": (30, 32, 32, 6),
    "oq_edit_checks": (17, 7, 25, 29, 8, 8, 6),
    "oq_paper_tables": (24, 15, 14, 12, 14, 8, 7, 6),
    "oq_second_reading": (16, 17, 7, 20, 7, 13, 7, 7, 6),
    "pq_second_reading": (16, 17, 7, 20, 7, 13, 7, 7, 6),
}
"""The widths of the columns of sections that are shown as they are, in per cent."""


def page(pack: Qualification) -> str:
    """The page of a pack."""
    hashes = {name: str(of_bytes(name, content).sha256) for name, content in pack.tables.items()}
    listing = "".join(f"{value}  {name}\n" for name, value in hashes.items())
    tables = hashlib.sha256(listing.encode()).hexdigest()
    title = f"Validation pack: itp-response {pack.version}"
    dated = f", {pack.date.isoformat()}" if pack.date else ""
    css = CSS.read_text(encoding="utf-8")
    for word, text in (("VERSION", pack.version), ("RESULT", pack.result), ("DATE", dated), ("TABLES", tables)):
        css = css.replace(word, text)
    body = [*_front(pack, title), *_signature(hashes, tables), *_differences(pack)]
    for section in pack.sections:
        body += _section(section)
    return (
        f'<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f"<style>\n{css}</style>\n</head>\n<body>\n{chr(10).join(body)}\n</body>\n</html>\n"
    )


def _front(pack: Qualification, title: str) -> Iterator[str]:
    """What was qualified, and the result of each section."""
    yield f"<h1>{escape(title)}</h1>"
    done = "Nothing differs from what was expected." if pack.ok else "Something differs from what was expected."
    yield f'<p class="lead">Result: {_mark(pack.result)}. {done}</p>'
    if pack.date:
        yield f"<p>Date: {pack.date.isoformat()}</p>"
    number = f"{len(pack.shipped)} of {len(shipped())}"
    yield f"<p>Shipped criteria sets qualified ({number}): {escape(listed(pack.shipped))}.</p>"
    links = [f'<a href="#{one.number}">{one.number} {escape(one.title)}</a>' for one in pack.sections]
    yield f"<nav>{' '.join(links)}</nav>"
    for beginning, name in QUALIFICATIONS.items():
        rows = [row for row in pack.frame().rows() if row[0].startswith(beginning)]
        yield f"<h3>{name}</h3>"
        if not rows:
            yield f"<p>{NOT_PERFORMED}</p>"
            continue
        yield _table(SUMMARY, [(*row[:2], *(f"{number:,}" for number in row[2:5]), row[5]) for row in rows])
    if pack.inputs:
        yield "<h3>Files of your own</h3>"
        yield _table(FILES, [(file.name, file.sha256) for file in pack.inputs])


def _signature(hashes: dict[str, str], tables: str) -> Iterator[str]:
    """The hashes of the tables, how to check them, and room to sign."""
    yield "<section><h2>Signature by hash, and approval</h2>"
    yield (
        "<p>The SHA-256 of each table of this pack. <code>manifest.sha256</code> has them, and that of this page; "
        "<code>sha256sum --check manifest.sha256</code> verifies all files. The command prints the SHA-256 of the "
        "manifest, which stands for the whole pack: write it below.</p>"
    )
    yield _table(FILES, hashes.items())
    yield f"<p>SHA-256 of this list, in the form of the manifest: <code>{tables}</code></p>"
    yield _table(SIGNATURES, [("SHA-256 of manifest.sha256", "", "", ""), *((who, "", "", "") for who in SIGNED_BY)])
    yield "</section>"


def _differences(pack: Qualification) -> Iterator[str]:
    if pack.ok:
        return
    yield '<section id="differences"><h2>What differs</h2>'
    yield _table(DIFFERENCES, pack.differences().rows())
    yield "</section>"


def _section(section: Section) -> Iterator[str]:
    """A section with all its comparisons."""
    yield f'<section id="{section.number}"><h2>{section.number} {escape(section.title)}</h2>'
    yield f"<p>{escape(section.says)}</p>"
    yield f"<p>Result: {_mark(section.result)} ({section.counts}). Table: <code>{section.file}</code></p>"
    if section.notes:
        yield html_notes(section.notes)
    yield LAYOUTS.get(section.name.partition("_")[2], _as_it_is)(section)
    yield "</section>"


# THE LAYOUTS OF SECTIONS


def _as_it_is(section: Section) -> str:
    """A row per comparison; what was recorded alone has no columns of a comparison."""
    frame = section.frame
    if section.number_of(NOT_COMPARED) == len(frame):
        frame = frame.select(pl.exclude("expected", "result"))
    is_recorded = frame.columns[-1] == "got"
    headings = [*map(_heading, frame.columns[:-1]), "Value" if is_recorded else "Result"]
    shares = RECORDED if is_recorded else SHARES[section.name]
    look = "hash" if section.name == "iq_files" else ""
    looks = [look if name in ("expected", "got") else "" for name in frame.columns]
    return _table([Column(*column) for column in zip(headings, shares, looks, strict=True)], frame.rows())


def _by_example(section: Section) -> str:
    """A row per worked example and interpretation, under a heading for each set."""

    def row(cells: dict[str, Any]) -> tuple[Any, ...]:
        under = f" (under {cells['interpretation']})" if cells["interpretation"] else ""
        return (cells["example"], cells["because"] + under, *_compared(cells))

    keys = ("set", "example", "because", "timeline", "given", "interpretation")
    return _under_headings(EXAMPLES, _folded(section.frame, keys), lambda cells: cells["set"], row)


def _by_case(section: Section) -> str:
    """A row per case that was decided by hand, under a heading for each set."""

    def row(cells: dict[str, Any]) -> tuple[Any, ...]:
        return (cells["source"], cells["because"], *_compared(cells))

    rows = _folded(section.frame, ("set", "source", "because", "timeline", "given"))
    return _under_headings(CASES, rows, lambda cells: cells["set"], row)


def _by_patient(section: Section) -> str:
    """A row per patient of a study."""
    keys = ("patient_id", "expected", "got", "result")
    return _table(PATIENTS, [[cells[key] for key in keys] for cells in _folded(section.frame, ("patient_id",))])


def _compared(cells: dict[str, Any]) -> tuple[Any, ...]:
    """The patient, what was expected and got, and the result."""
    patient = "; ".join(filter(None, (cells["timeline"], cells["given"])))
    return patient, cells["expected"], cells["got"], cells["result"]


def _folded(frame: pl.DataFrame, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The comparisons of one patient as one row, `OR = Y, OR_day = 28`."""
    expected, got = (pl.format("{} = {}", "column", pl.col(name).replace("", EMPTY)) for name in ("expected", "got"))
    fails = (pl.col("result") == FAIL).any()
    folded = frame.group_by(keys, maintain_order=True).agg(
        expected=expected.str.join(", "),
        got=got.str.join(", "),
        result=pl.when(fails).then(pl.lit(FAIL)).otherwise(pl.lit(PASS)),
    )
    yield from folded.iter_rows(named=True)


def _traced(section: Section) -> str:
    """A row per clause, under a heading for each endpoint with its source and what tests it."""

    def heading(cells: dict[str, Any]) -> str:
        source = f"{cells['source']}, {cells['where']}: {cells['says']}"
        by_hand = f"; decided by hand: {cells['by_hand']}" if cells["by_hand"] != "0" else ""
        return f"{cells['set']}: {labelled(cells['label'], cells['endpoint'])}|{source}|{cells['tests']}{by_hand}"

    def row(cells: dict[str, Any]) -> tuple[Any, ...]:
        # The first row of an endpoint is the definition, with all worked examples that expect something of it.
        key = cells["key"] or "definition"
        examples = (_first(cells["true_in"]), _first(cells["false_in"]))
        result = cells["result"] if cells["result"] == PASS else f"{cells['result']}: {cells['got']}"
        return (key, cells["rule"], cells["clause"], *examples, result)

    return _under_headings(CLAUSES, section.frame.iter_rows(named=True), heading, row)


def _first(names: str) -> str:
    """The first of some names, and how many more there are."""
    every = names.split(", ")
    more = len(every) - LISTED
    return ", ".join(every[:LISTED]) + (f" and {more} more" if more > 0 else "")


LAYOUTS: dict[str, Callable[[Section], str]] = {
    "worked_examples": _by_example,
    "decided_by_hand": _by_case,
    "traceability": _traced,
    "study": _by_patient,
}
"""By the name of the section, without its qualification."""


# TABLES


def _heading(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _under_headings(
    columns: Sequence[Column],
    rows: Iterable[dict[str, Any]],
    heading: Callable[[dict[str, Any]], str],
    row: Callable[[dict[str, Any]], Sequence[Any]],
) -> str:
    """A table with a row of its own where the heading changes; what follows a bar in it is less prominent."""
    body, last = [], None
    for cells in rows:
        if (name := heading(cells)) != last:
            main, *further = map(escape, name.split("|"))
            less = "".join(f" <span>{text}</span>" for text in further)
            body.append(f'<tr class="head"><th colspan="{len(columns)}">{main}{less}</th></tr>')
            last = name
        body.append(_row(columns, row(cells)))
    return _framed(columns, body)


def _table(columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> str:
    return _framed(columns, [_row(columns, row) for row in rows])


def _framed(columns: Sequence[Column], body: Iterable[str]) -> str:
    """The rows of a table with its head."""
    widths = "".join(f'<col style="width:{column.share}%">' for column in columns)
    head = "".join(f"<th{_class(column.look)}>{escape(column.heading)}</th>" for column in columns)
    rows = "\n".join(body)
    return f"<table><colgroup>{widths}</colgroup><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>"


def _row(columns: Sequence[Column], cells: Sequence[Any]) -> str:
    """A row; the last cell may be a result, which is marked."""
    *texts, last = ["" if cell is None else str(cell) for cell in cells]
    shown = [f"<td{_class(column.look)}>{escape(text)}</td>" for column, text in zip(columns[:-1], texts, strict=True)]
    is_result = columns[-1].heading == "Result"
    shown.append(f"<td{_class(columns[-1].look)}>{_mark(last) if is_result else escape(last)}</td>")
    return f"<tr{_class('differs' if is_result and last.startswith(FAIL) else '')}>{''.join(shown)}</tr>"


def _mark(result: str) -> str:
    """A result, which stands out where it is a failure."""
    look = result.partition(":")[0]
    return f"<span{_class(look if look in (PASS, FAIL) else '')}>{escape(result)}</span>"


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""
