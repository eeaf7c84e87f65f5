"""Missing codes: what stands in a cell for nothing recorded, by itself or because the user said so.

Some words mean nothing else in any column, such as `NA` and `not done` (`NOT_GIVEN`). A number such as 999 may be a
value, so it is missing only where that was told (`MissingCodes`), and is asked about where it looks like a code.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import polars as pl

from itp_response.cohort.notation import HIGHEST_COUNT
from itp_response.cohort.values import Bools, Floats, Ints, Numbers
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.wording import in_option
from itp_response.readers.column_names import NamedTable
from itp_response.readers.known_names import BESIDE
from itp_response.readers.problems import NoteText, Problems, UnreadableCells, as_text
from itp_response.readers.told import Told

NOT_KNOWN = (
    *("?", "nd", "n.d.", "nk", "n.k.", "ni", "unk", "nask", "asku", "navu", "nav"),
    *("unknown", "not known", "missing", "not available", "not done", "not recorded", "not assessed", "not asked"),
    *("no information", "no info", "no data", "not reported", "not stated", "unk.", "unkn", "n/d", "s/d", "blank"),
    *("empty", "unbekannt", "nicht bekannt", "keine angabe", "keine angaben", "k.a.", "k. a.", "inconnu", "inconnue"),
    *("non connu", "non renseigné", "non renseigne", "desconocido", "desconocida", "se desconoce", "sin dato"),
    *(
        "sin datos",
        "no consta",
        "sconosciuto",
        "non noto",
        "desconhecido",
        "onbekend",
        "okänd",
        "okand",
        "okänt",
        "okant",
        "ukendt",
    ),
    *("ukjent", "nieznane", "brak danych", "neznámo", "neznamo", "неизвестно", "нет данных", "н/д", "不明", "不详"),
    *("未知", "缺失", "未测", "未查", "未検", "欠測", "미상", "모름"),
)
"""What says in every column that a value is not known, in small letters: CDISC's and REDCap's codes, and words."""
NOT_GIVEN = (
    *(
        "na",
        "n/a",
        "n.a.",
        "n.a",
        "#n/a",
        "<na>",
        "nan",
        "null",
        "(null)",
        "nat",
        "\\n",
        "(blank)",
        "(empty)",
        "[empty]",
        ".",
        "-",
        "--",
        "—",
        "–",
        "not applicable",
    ),
    *NOT_KNOWN,
)
"""What means in every column that nothing was recorded: these too, and what programs write for an empty cell."""
ANY = ""
"""In `MissingCodes`: all columns."""
DAYS = ("day", "rescue_end", "enrolment_day", "treatment_discontinued")
"""Columns of days in tables without dates: a number that is told for all columns may be a day there."""
NINES = (99.0, 888.0, 999.0, 9999.0)
"""Numbers among counts that are asked about."""
DAY_CODES = (-99.0, -999.0, -9999.0, 9999.0, 99999.0)
"""Days that stand for one that is not known."""
MAY_BE_COUNTED = 99.0
"""The one of these that may well be a count."""
FAR = 2.0
"""A count is far from another if it is more than this number of times the other, or the other of it."""
FEW = 3
"""The number of rows that a question names."""
REPEATED = 2
"""By as many at least must the cells with 99 that are far from other counts outnumber those that are not."""


@dataclass(frozen=True)
class MissingCodes:
    """The codes that were told, by the column; under `ANY`, those of all columns."""

    codes: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "MissingCodes":
        """The codes of `--missing`: `999`, or of one column `platelets=999`; `platelets=`: no number there is one.

        Raises `UsageError` for a text without a code.

        >>> MissingCodes.of(["-99", "platelets=999"]).codes
        {'': ('-99',), 'platelets': ('999',)}
        """
        codes: dict[str, tuple[str, ...]] = {}
        for text in texts:
            column, _, code = (part.strip() for part in text.rpartition("="))
            if not code and not column:
                raise UsageError(f"missing: {text!r} has no code; write a code, or COLUMN=CODE as in 'platelets=999'.")
            codes[column] = (*codes.get(column, ()), *([code] if code else []))
        return cls(codes)

    def of_column(self, table: NamedTable, name: str) -> tuple[str, ...]:
        """The codes of a column of a table."""
        of_all = self.codes.get(ANY, ())
        if name in DAYS and not (table.has("date") or table.has("enrolment_date")):
            of_all = tuple(code for code in of_all if _number(code) is None)
        return (*of_all, *(code for told in self.names(table, name) for code in self.codes[told]))

    def names(self, table: NamedTable, name: str) -> list[str]:
        """The names by which codes of this column were told: the readers' name of it, or that in the header."""
        return [told for told in self.codes if told in (name, table.header.get(name, name)) and told != ANY]


def check_columns_told(told: Told, tables: Sequence[NamedTable], problems: Problems) -> None:
    """Report codes of a column that no table has."""
    codes = MissingCodes.of(told.missing).codes
    known = {name for table in tables for names in table.header.items() for name in names}
    for column in codes:
        if column not in known and column != ANY:
            problems.wrong(tables[0].location, unknown("column", column, sorted(known)).after("missing: "))


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"[-+]?\d+(\.\d+)?", text) else None


def are_codes(texts: pl.Series, codes: Sequence[str]) -> pl.Series:
    """Which of the texts are one of the codes, by their letters or as numbers."""
    found = texts.str.to_lowercase().is_in([code.lower() for code in codes])
    numbers = [number for number in map(_number, codes) if number is not None]
    if numbers:
        found |= texts.cast(pl.Float64, strict=False).is_in(numbers).fill_null(value=False)
    return found.fill_null(value=False)


def without_codes(table: NamedTable, told: Told, problems: Problems) -> NamedTable:
    """The table with empty cells where a code stands that was told, and a note on the cells of each column."""
    missing = MissingCodes.of(told.missing)
    columns, cleared = {}, {}
    for name in table.header:
        codes = missing.of_column(table, name)
        if codes and name not in ("patient_id", *BESIDE):
            cells = table.cells(name)
            texts = as_text(cells.values)
            coded = are_codes(texts, codes)
            spellings = texts.filter(coded).unique().sort().to_list()
            problems.count(cells.location, f"told: {name}", _told_text(cells.name), int(coded.sum()), spellings)
            columns[name] = cells.values.set(coded, None) if cells.values.dtype != pl.Null else cells.values
            cleared[cells.name] = codes
    if not columns:
        return table
    cell_problems = [
        replace(problem, rows=problem.rows & ~are_codes(as_text(problem.values), cleared[problem.name]).to_numpy())
        if problem.name in cleared
        else problem
        for problem in table.cell_problems
    ]
    frame = table.frame.with_columns(values.alias(name) for name, values in columns.items())
    return replace(table, frame=frame, cell_problems=cell_problems)


def not_known_rows(table: NamedTable, name: str, told: Told) -> Bools:
    """The rows in which a column says that the value is not known: a code that was told, or a word (`NOT_KNOWN`)."""
    cells, codes = table.cells(name), MissingCodes.of(told.missing).of_column(table, name)
    none = np.zeros(len(cells.values), dtype=np.bool_)
    if cells.values.dtype != pl.String and not codes:
        return none
    return are_codes(as_text(cells.values), (*codes, *NOT_KNOWN)).to_numpy() if table.has(name) else none


def _told_text(name: str) -> NoteText:
    def note_text(number: int, texts: Sequence[str]) -> str:
        cells, be = ("cell", "counts") if number == 1 else ("cells", "count")
        return (
            f"{name}: {number} {cells} with {' or '.join(sorted(map(repr, texts)))} {be} as missing, as specified."
            * (number > 0)
        )

    return note_text


def or_missing(column: str, text: str) -> str:
    """The cure where a text may stand for a missing value; nothing for a text that is no likely code."""
    code = re.fullmatch(r"-?(\d)\1+|-?9(9*\.0+)?|-[178]|[A-Z]{1,12}", text)
    return f" If it stands for a missing value, say --missing {in_option(f'{column}={text}')}." if code else ""


def check_day_codes(table: NamedTable, name: str, days: Floats, told: Told, problems: Problems) -> None:
    """Report days that mostly stand for one that is not known, unless a code of the column was told."""
    rows = np.flatnonzero(np.isin(days, DAY_CODES))
    if not len(rows) or MissingCodes.of(told.missing).names(table, name):
        return
    cells = table.cells(name)
    day = in_option(f"{cells.name}=")
    problems.wrong_cells(
        cells,
        rows,
        lambda text: (
            f"{text!r} stands for an unknown day in many files; correct it, or say --missing {day} if it is one."
        ),
    )


# NINES AMONG COUNTS


class CountsRead(Protocol):
    """Visits whose counts were read."""

    @property
    def table(self) -> NamedTable: ...
    @property
    def platelets(self) -> Numbers: ...
    @property
    def told(self) -> Told: ...
    @property
    def converted(self) -> bool:
        """Some count was not in 10⁹/L."""


def ask_about_nines(visits: CountsRead, rows: Ints, patient: Ints, problems: Problems) -> None:
    """Ask whether 99, 999 or 9999 among the counts stands for a missing count.

    It is asked about each 999 and 9999 that has no other count of the patient between half and double of it. 99 is
    asked about if it is repeated: at least two more of its cells are far from the patient's other counts than are near
    one. `rows` are the rows of the table with a patient, and `patient` the position of each.
    """
    table, counts = visits.table, visits.platelets
    if MissingCodes.of(visits.told.missing).names(table, "platelets"):
        return
    cells, low = table.cells("platelets"), counts.low[rows]
    written = _as_written(cells.values)[rows] if visits.converted else low
    for nines in NINES:
        at = np.flatnonzero(written == nines)
        at = at if counts.exact else at[counts.high[rows[at]] == low[at]]
        if not len(at):
            continue
        # Only the rows of these patients are looked at, who are few.
        of_these = np.flatnonzero(_has_row(patient, at)[patient])
        owner, count, value = patient[of_these], low[of_these], low[at[0]]
        others = ~np.isnan(count) & (written[of_these] != nines)
        has_other = _has_row(owner, others)[patient[at]]
        near = _has_row(owner, others & (count >= value / FAR) & (count <= value * FAR))[patient[at]]
        only_far = nines == MAY_BE_COUNTED
        far_rows = rows[at[has_other & ~near if only_far else ~near]]
        problems.ask(
            cells.location,
            f"nines {nines}",
            _asked(cells.name, nines, REPEATED if only_far else 1),
            len(far_rows) - int(near.sum()) * only_far,
            [table.location.named(int(row)) for row in far_rows[:FEW]],
            unreadable=[UnreadableCells(cells, far_rows, _one_asked(cells.name))],
            last=True,
        )


def ask_about_baselines(table: NamedTable, counts: Numbers, told: Told, problems: Problems) -> None:
    """Ask whether 999 or 9999, or a repeated 99, among the baseline counts stands for a missing one.

    99 is repeated if it is more than twice as frequent as the numbers beside it.
    """
    if MissingCodes.of(told.missing).names(table, "baseline"):
        return
    cells = table.cells("baseline")
    written = _as_written(cells.values)
    for nines in NINES:
        at = np.flatnonzero((written == nines) & (counts.low <= HIGHEST_COUNT))
        needed = REPEATED + 2 * int(np.isin(written, (98, 100)).sum()) if nines == MAY_BE_COUNTED else 1
        if len(at) >= needed:
            where = ", ".join(table.location.named(int(row)) for row in at[:FEW])
            text = f"{cells.name}: {nines:g} ({where}) is a code in many files: {_question(cells.name, nines)}"
            problems.wrong(table.location, text, unreadable=[UnreadableCells(cells, at, _one_asked(cells.name))])


def _as_written(values: pl.Series) -> Floats:
    """The numbers of cells as they were written; NaN for others."""
    return as_text(values).cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()


def _has_row(patient: Ints, rows: Bools | Ints) -> Bools:
    """Which patients have such a row."""
    has = np.zeros(int(patient.max(initial=-1)) + 1, dtype=np.bool_)
    has[patient[rows]] = True
    return has


def _asked(name: str, nines: float, least: int) -> NoteText:
    def note_text(score: int, rows: Sequence[str]) -> str:
        if score < least:
            return ""
        where = f"'{nines:g}' ({', '.join(rows[:FEW])}) is far from all other counts of its patients"
        return f"{name}: {where}: {_question(name, nines)}"

    return note_text


def _question(name: str, nines: float) -> str:
    missing, count = in_option(f"{name}={nines:g}"), in_option(f"{name}=")
    return f"is it a missing count? Say --missing {missing} if it is, and --missing {count} if it is a count."


def _one_asked(name: str) -> Callable[[str], str]:
    def wording(text: str) -> str:
        missing, count = in_option(f"{name}={text}"), in_option(f"{name}=")
        return f"{text!r} may stand for a missing count; say --missing {missing}, or --missing {count}."

    return wording
