"""The page of the validation pack: self-contained HTML, made to be printed."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

import polars as pl

from itp_response.classification.provenance import of_bytes
from itp_response.messages.results import html_notes
from itp_response.messages.wording import labelled, listed
from itp_response.validation.qualification import Qualification
from itp_response.validation.section import FAIL, NOT_COMPARED, PASS, Section

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
HASH_COLUMNS = ("expected", "got")


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
    yield f'<p class="lead">Result: {_mark(pack.result)} {done}</p>'
    if pack.date:
        yield f"<p>Date: {pack.date.isoformat()}</p>"
    yield f"<p>Shipped criteria sets qualified ({len(pack.shipped)}): {escape(listed(pack.shipped))}.</p>"
    links = [f'<a href="#{one.number}">{one.number} {escape(one.title)}</a>' for one in pack.sections]
    yield f"<nav>{' '.join(links)}</nav>"
    for beginning, name in QUALIFICATIONS.items():
        rows = [row for row in pack.frame().rows() if row[0].startswith(beginning)]
        yield f"<h3>{name}</h3>"
        if not rows:
            yield f"<p>{NOT_PERFORMED}</p>"
            continue
        header = ("Section", "What", "Pass", "Fail", "Not compared", "Result")
        yield _table(header, rows, numbers=(2, 3, 4))
    if pack.inputs:
        yield "<h3>Files of your own</h3>"
        yield _table(
            ("File", "SHA-256"), [(file.name, file.sha256) for file in pack.inputs], hashes=(1,), is_narrow=True
        )


def _signature(hashes: dict[str, str], tables: str) -> Iterator[str]:
    """The hashes of the tables, how to check them, and room to sign."""
    yield "<section><h2>Signature by hash, and approval</h2>"
    yield (
        "<p>The SHA-256 of each table of this pack. <code>manifest.sha256</code> has them, and that of this page; "
        "<code>sha256sum --check manifest.sha256</code> verifies all files. The command prints the SHA-256 of the "
        "manifest, which stands for the whole pack: write it below.</p>"
    )
    yield _table(("File", "SHA-256"), hashes.items(), hashes=(1,), is_narrow=True)
    yield f"<p>SHA-256 of this list, in the form of the manifest: <code>{tables}</code></p>"
    rows = [("SHA-256 of manifest.sha256", "", "", ""), *((who, "", "", "") for who in SIGNED_BY)]
    yield _table(("", "Name", "Date", "Signature"), rows, classes="sign")
    yield "</section>"


def _differences(pack: Qualification) -> Iterator[str]:
    if pack.ok:
        return
    yield '<section id="differences"><h2>What differs</h2>'
    yield _table(("Section", "What", "Expected", "Got"), pack.differences().rows())
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
    """A row per comparison."""
    names = [name for name in section.frame.columns if name not in ("expected", "got", "result")]
    empty = section.number_of(NOT_COMPARED) == len(section.frame)
    shown = [*names, *(("got",) if empty else ("expected", "got", "result"))]
    header = [_heading(name) if name != "got" or not empty else "Value" for name in shown]
    is_hash = section.name == "iq_files"
    hashes = [place for place, name in enumerate(shown) if is_hash and name in HASH_COLUMNS]
    return _table(header, section.frame.select(shown).rows(), hashes=hashes)


def _by_example(section: Section) -> str:
    """A row per worked example and interpretation, under a heading for each set."""
    columns = ("set", "example", "because", "timeline", "given", "interpretation")
    rows = _folded(section.frame, columns)
    header = ("Example", "What it demonstrates", "Patient", "Expected", "Got", "Result")

    def row(cells: dict[str, Any]) -> tuple[Any, ...]:
        under = f" (under {cells['interpretation']})" if cells["interpretation"] else ""
        patient = "; ".join(filter(None, (cells["timeline"], cells["given"])))
        return (cells["example"], cells["because"] + under, patient, cells["expected"], cells["got"], cells["result"])

    return _under_headings(header, rows, lambda cells: cells["set"], row, short=(0,))


def _by_case(section: Section) -> str:
    """A row per case that was decided by hand, under a heading for each set."""
    rows = _folded(section.frame, ("set", "source", "because", "timeline", "given"))
    header = ("Source", "What it demonstrates", "Patient", "Expected", "Got", "Result")

    def row(cells: dict[str, Any]) -> tuple[Any, ...]:
        patient = "; ".join(filter(None, (cells["timeline"], cells["given"])))
        return (cells["source"], cells["because"], patient, cells["expected"], cells["got"], cells["result"])

    return _under_headings(header, rows, lambda cells: cells["set"], row)


def _folded(frame: pl.DataFrame, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The comparisons of one patient as one row, `OR = Y, OR_day = 28`."""
    expected = pl.format(
        "{} = {}", "column", pl.when(pl.col("expected") == "").then(pl.lit("empty")).otherwise("expected")
    )
    got = pl.format("{} = {}", "column", pl.when(pl.col("got") == "").then(pl.lit("empty")).otherwise("got"))
    fails = (pl.col("result") == FAIL).any()
    folded = frame.group_by(keys, maintain_order=True).agg(
        expected=expected.str.join(", "),
        got=got.str.join(", "),
        result=pl.when(fails).then(pl.lit(FAIL)).otherwise(pl.lit(PASS)),
    )
    yield from folded.iter_rows(named=True)


def _traced(section: Section) -> str:
    """A row per clause, under a heading for each endpoint with its source."""
    header = ("Key", "Rule", "Clause", "True in", "False in", "Decided by hand", "Tests", "Result")

    def heading(cells: dict[str, Any]) -> str:
        source = f"{cells['source']}, {cells['where']}: {cells['says']}"
        return f"{cells['set']}: {labelled(cells['label'], cells['endpoint'])}|{source}"

    def row(cells: dict[str, Any]) -> tuple[Any, ...]:
        # The first row of an endpoint is the definition, with all worked examples that expect something of it.
        key = cells["key"] or "definition"
        examples = (_first(cells["true_in"]), _first(cells["false_in"]))
        result = cells["result"] if cells["result"] == PASS else f"{cells['result']}: {cells['got']}"
        return (key, cells["rule"], cells["clause"], *examples, cells["by_hand"], cells["tests"], result)

    return _under_headings(header, section.frame.iter_rows(named=True), heading, row, short=(0,))


def _first(names: str) -> str:
    """The first of some names, and how many more there are."""
    every = names.split(", ")
    more = len(every) - LISTED
    return ", ".join(every[:LISTED]) + (f" and {more} more" if more > 0 else "")


LAYOUTS: dict[str, Callable[[Section], str]] = {
    "worked_examples": _by_example,
    "decided_by_hand": _by_case,
    "traceability": _traced,
}
"""By the name of the section, without its qualification."""


# TABLES


def _heading(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _under_headings(
    header: Sequence[str],
    rows: Iterable[dict[str, Any]],
    heading: Callable[[dict[str, Any]], str],
    row: Callable[[dict[str, Any]], Sequence[Any]],
    short: Sequence[int] = (),
) -> str:
    """A table with a row of its own where the heading changes; what follows a bar in it is less prominent."""
    body, last = [], None
    for cells in rows:
        if (name := heading(cells)) != last:
            main, _, further = name.partition("|")
            less = f" <span>{escape(further)}</span>" if further else ""
            body.append(f'<tr class="head"><th colspan="{len(header)}">{escape(main)}{less}</th></tr>')
            last = name
        body.append(_row(row(cells), short=short))
    return _framed(header, body)


def _table(
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    numbers: Sequence[int] = (),
    hashes: Sequence[int] = (),
    is_narrow: bool = False,
    classes: str = "",
) -> str:
    """A table; `numbers` and `hashes` are the places of such columns."""
    body = [_row(row, numbers=numbers, hashes=hashes) for row in rows]
    return _framed(header, body, numbers, f"{classes} narrow" if is_narrow else classes)


def _framed(header: Sequence[str], body: Iterable[str], numbers: Sequence[int] = (), classes: str = "") -> str:
    head = "".join(
        f"<th{_class('number' if place in numbers else '')}>{escape(name)}</th>" for place, name in enumerate(header)
    )
    return f"<table{_class(classes)}><thead><tr>{head}</tr></thead><tbody>\n{chr(10).join(body)}\n</tbody></table>"


def _row(
    cells: Sequence[Any], *, numbers: Sequence[int] = (), hashes: Sequence[int] = (), short: Sequence[int] = ()
) -> str:
    texts = ["" if cell is None else str(cell) for cell in cells]
    looks = {**dict.fromkeys(short, "short"), **dict.fromkeys(numbers, "number"), **dict.fromkeys(hashes, "hash")}
    shown = []
    for place, text in enumerate(texts):
        is_result = place == len(texts) - 1 and text.partition(":")[0] in (PASS, FAIL, NOT_COMPARED)
        look = "result" if is_result else looks.get(place, "")
        shown.append(f"<td{_class(look)}>{_mark(text) if is_result else escape(text)}</td>")
    differs = _class("differs" if texts[-1].startswith(FAIL) else "")
    return f"<tr{differs}>{''.join(shown)}</tr>"


def _mark(result: str) -> str:
    """A result, which stands out where it is a failure."""
    look = result.partition(":")[0]
    return f"<span{_class(look if look in (PASS, FAIL) else '')}>{escape(result)}</span>"


def _class(name: str) -> str:
    return f' class="{name.strip()}"' if name else ""
