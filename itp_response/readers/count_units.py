"""Count units: what tells the unit of a table's platelet counts, and the counts in 10⁹/L.

A unit is told by the option `unit`, by the header or the label of the column of counts, by the file's metadata, by a
mapping, or row by row in a column of units. What is told is used and noted; what contradicts itself is a problem.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from itp_response.cohort.values import Bools, Ints, Numbers
from itp_response.messages.codes import Code
from itp_response.messages.errors import some_of
from itp_response.readers.cells import as_counts, without_not_given
from itp_response.readers.column_names import NamedTable
from itp_response.readers.decimals import points_assumed
from itp_response.readers.known_names import UNIT_WORDS
from itp_response.readers.odm_records import OF_ITEM
from itp_response.readers.options import ReadOptions
from itp_response.readers.problems import Cells, NoteText, Problems, UnreadableCells, as_text, first_few, quoted
from itp_response.readers.units import KNOWN, UnitSaid, exponent_of, factor_text, in_header, no_unit

OPTION = "--unit"
SPELLINGS = 20
"""At most this number of spellings of a unit is gathered for a message."""
THREE_DECIMALS = r"^[<>=≤≥\s]*[1-9]\d{0,2}\.\d{3}$"
"""A number of which the point may stand between thousands."""


class CountUnit(NamedTuple):
    """What is known of the unit of a table's counts."""

    told: bool = False
    """The unit of every count was told."""
    by_option: bool = False
    converted: bool = False
    """Some count was not in 10⁹/L."""


UNTOLD = CountUnit()


def counts_of(
    table: NamedTable, name: str, unit_name: str, options: ReadOptions, problems: Problems
) -> tuple[Numbers, CountUnit]:
    """The counts of the column `name` in 10⁹/L, and what is known of their unit, of which `unit_name` is the column."""
    cells = table.cells(name)
    if not table.has(name):
        return as_counts(cells, problems), UNTOLD
    said = agreed(_said(table, name, options), cells, problems, elsewhere=table.has(unit_name))
    if table.has(unit_name):
        counts, converted = _by_column(table, cells, unit_name, said, problems)
    elif said is None:
        return as_counts(cells, problems), UNTOLD
    else:
        exponent = exponent_of(said.unit) or 0
        converted = exponent != 0
        counts = as_counts(cells, problems, exponent)
        _note(cells, said.unit, said.by, exponent, int((~np.isnan(counts.low)).sum()), problems)
        _check_thousands(cells, np.full(len(counts.low), exponent < 0), problems)
    return counts, CountUnit(told=True, by_option=options.unit is not None, converted=converted)


def _said(table: NamedTable, name: str, options: ReadOptions) -> list[UnitSaid]:
    """What tells the unit of a whole column."""
    said = [] if options.unit is None else [UnitSaid(options.unit, OPTION)]
    return [*said, *said_by_header(table.header[name]), *table.units.get(name, ())]


def said_by_header(header: str) -> list[UnitSaid]:
    """The unit that stands in the header of a column, if there is one."""
    unit = in_header(header)
    return [] if unit is None else [UnitSaid(unit.text, "the header")]


def agreed(said: Sequence[UnitSaid], cells: Cells, problems: Problems, *, elsewhere: bool = False) -> UnitSaid | None:
    """The unit that was told of a column; None: it was not told, or is a problem, which is reported.

    An unknown unit is no problem if a known one was told as well, or if the unit is told `elsewhere`, row by row.
    """
    known = [entry for entry in said if exponent_of(entry.unit) is not None]
    if said and not known and not elsewhere:
        cure = "say --unit, or name a known one: "
        text = f"{said[0].by} has {quoted(said[0].unit)}, which is not a unit of platelet counts"
        problems.wrong(cells.location, f"{cells.name}: {text}; {cure}{KNOWN}, and similar.", code=Code.UNIT_UNCLEAR)
    for entry in known[1:]:
        if exponent_of(entry.unit) != exponent_of(known[0].unit):
            texts = (f"{one.by} says {quoted(one.unit)}" for one in (known[0], entry))
            problems.wrong(
                cells.location, f"{cells.name}: {', but '.join(texts)}; specify one unit.", code=Code.UNIT_UNCLEAR
            )
            return None
    return known[0] if known else None


def _by_column(
    table: NamedTable, cells: Cells, unit_name: str, said: UnitSaid | None, problems: Problems
) -> tuple[Numbers, bool]:
    """The counts by the unit in each row, and whether one was converted; `said` is the unit of the whole column."""
    of_rows = table.cells(unit_name)
    units = without_not_given(of_rows, as_text(of_rows.values), problems)
    exponents, unknown = exponents_of(units)
    whole = 0 if said is None else exponent_of(said.unit) or 0
    noted = table.unit_if_missing is not None
    missing = units.is_null().to_numpy()
    exponents = np.where(missing, whole, exponents)
    not_told = missing if said is None and not noted else np.zeros(len(missing), dtype=np.bool_)
    counts = as_counts(cells, problems, exponents, unit_wrong=unknown | not_told)
    given = ~np.isnan(counts.low)
    problems.wrong_cells(of_rows, np.flatnonzero(given & unknown), no_unit, Code.UNIT_UNCLEAR)
    problems.count(cells.location, f"unit of {cells.name}", _no_text, 0)
    cure = "the unit of the count is missing; fill it in, or say --unit."
    problems.wrong_cells(of_rows, np.flatnonzero(given & not_told), lambda _: cure, Code.UNIT_UNCLEAR)
    if said is not None:
        other = np.flatnonzero(given & ~unknown & (exponents != whole))
        _report_other(of_rows, other, said, problems)
        _note(cells, said.unit, said.by, whole, int((given & missing).sum()), problems)
    numbers = pl.DataFrame({"unit": units, "exponent": exponents, "given": given & ~unknown & ~missing})
    if noted:
        numbers = numbers.filter(pl.col("exponent") != 0)
    for unit, exponent, number in (
        numbers.filter("given").group_by("unit", "exponent", maintain_order=True).len().iter_rows()
    ):
        _note(cells, unit, of_rows.name, exponent, number, problems)
    _check_thousands(cells, given & (exponents < 0), problems)
    return counts, bool((given & (exponents != 0)).any())


def check_same_unit(units: Cells, said: UnitSaid, problems: Problems) -> None:
    """Report the rows of a column of units with another unit than that of the whole column."""
    exponents, unknown = exponents_of(as_text(units.values))
    other = ~unknown & units.values.is_not_null().to_numpy() & (exponents != exponent_of(said.unit))
    _report_other(units, np.flatnonzero(other), said, problems)


def unit_column(header: Sequence[str], counts: str, own: str | None) -> str | None:
    """The column of the units of a column of counts: the one that is named, or the one of the items' own units."""
    if own in header:
        return own
    of_items = f"{counts}{OF_ITEM}"
    return of_items if of_items in header else None


def _report_other(units: Cells, rows: Ints, said: UnitSaid, problems: Problems) -> None:
    """Report the rows with another unit than that of the whole column, in one problem."""
    unit, by = said

    def note_text(number: int, texts: Sequence[str]) -> str:
        counts = f"{units.name}: {number:,} count{'' if number == 1 else 's'} in {first_few(texts, 3)}"
        return f"{counts}, but {by} says {quoted(unit)}; specify one unit."

    reason = UnreadableCells(
        units, rows, lambda text: f"{quoted(text)}, but {by} says {quoted(unit)}; specify one unit."
    )
    texts = as_text(units.values.gather(rows)).unique(maintain_order=True).head(SPELLINGS)
    problems.wrong_in_all(
        units.location, "another unit", note_text, len(rows), texts, unreadable=[reason], code=Code.UNIT_UNCLEAR
    )


def exponents_of(units: pl.Series) -> tuple[Ints, Bools]:
    """The exponents of units, 0 where there is none; and which units are unknown."""
    spellings = units.drop_nulls().unique().to_list()  # they are few
    known = [exponent_of(unit) for unit in spellings]
    exponents = units.replace_strict(spellings, known, default=None, return_dtype=pl.Int64)
    unknown: Bools = (exponents.is_null() & units.is_not_null()).to_numpy()
    return exponents.fill_null(0).to_numpy(), unknown


def _note(cells: Cells, unit: str, by: str, exponent: int, number: int, problems: Problems) -> None:
    """Note the counts in a unit, and the factor by which they were converted."""
    note_text = converted_text(cells.name, unit, by, exponent)
    about = f"unit of {cells.name}"
    problems.count(cells.location, f"{about}: {unit} {by}", note_text, number, beside=about)


def _no_text(_: int, __: Sequence[str]) -> str:
    return ""


def converted_text(name: str, unit: str, by: str, exponent: int) -> NoteText:
    """Words the note on counts in a unit."""

    def note_text(number: int, _: Sequence[str]) -> str:
        if not number:
            return ""
        counts = f"{name}: {number:,} count{'' if number == 1 else 's'} in {quoted(unit)} ({by})"
        return f"{counts} multiplied by {factor_text(exponent)} to 10⁹/L." if exponent else f"{counts}, as 10⁹/L."

    return note_text


def _check_thousands(cells: Cells, rows: Bools, problems: Problems) -> None:
    """Report counts per microlitre with a point that may stand between thousands, unless that was asked or told."""
    if cells.values.dtype != pl.String or not rows.any() or not points_assumed(cells):
        return
    pointed = as_text(cells.values).str.contains(THREE_DECIMALS).fill_null(value=False).to_numpy()
    cure = "write nothing between thousands, and fewer or more than three decimals"
    if cells.location.row_word == "line":
        cure = f"say --decimal point or --decimal comma, or {cure}"
    problems.wrong_cells(
        cells,
        np.flatnonzero(rows & pointed),
        lambda text: f"{quoted(text)} may have a point between thousands or before decimals; {cure}.",
    )


def ask_about_like_units(
    table: NamedTable, name: str, unit_name: str, options: ReadOptions, problems: Problems
) -> None:
    """Report a column that holds units where nothing tells that of the counts `name`, of which it may be."""
    if not table.like_units or not table.has(name) or table.has(unit_name):
        return
    if any(exponent_of(said.unit) is not None for said in _said(table, name, options)):
        return
    for column, units in table.like_units.items():
        what = f"{quoted(column)} holds units of platelet counts ({first_few(units, 3)}), but is not named as such"
        cure = f"name it {unit_name!r} (in a mapping: {unit_name} = {column!r}), or say --unit"
        problems.wrong(table.location, f"{what}; {cure}.")


LIKE_UNIT = (*UNIT_WORDS, "einheiten", "jedn", "uoms")
WITHIN_WORDS = ("unit", "units", "uom", "einheit", "einheiten")
"""Words that may end another, as in `PLTUNIT`."""
LIKE_QUALIFIER = (
    *("flag", "flags", "qualifier", "qualifiers", "operator", "sign", "prefix", "modifier", "qual", "censored"),
    *("censoring", "comparator", "abnormal", "interpretation", "remark", "remarks", "comment", "comments"),
    *("lloq", "lloqfl", "lbnrind", "lbstat", "clot", "clumps", "clumping", "status", "note", "notes", "symbol"),
    *("relation", "inequality", "lod", "loq", "bemerkung", "kommentar", "vorzeichen", "remarque", "commentaire"),
    *("observaciones", "comentario", "comentarios", "nota", "備考", "备注", "コメント"),
)


def note_unused(table: NamedTable, problems: Problems) -> None:
    """Note the columns that look like a unit, a flag or a qualifier and are not used."""
    used = set(table.header.values())
    for words, what in ((LIKE_UNIT, "a unit"), (LIKE_QUALIFIER, "a flag or a qualifier")):
        unused = [name for name in table.written if name not in used and _has_word(name, words)]
        if unused:
            names = some_of(map(quoted, unused))
            verb = "looks" if len(unused) == 1 else "look"
            problems.note(table.location, f"Not used: {names}, which {verb} like {what}.", warning=True)


def _has_word(name: str, words: Sequence[str]) -> bool:
    parts = "".join(character if character.isalnum() else " " for character in name.lower()).split()
    ends = tuple(word for word in words if word in WITHIN_WORDS)
    return any(part in words for part in parts) or any(part.endswith(ends) for part in parts if ends)
