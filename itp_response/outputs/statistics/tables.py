"""Tables: what is shown of a result, the numbers behind it, and the notes below it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

import polars as pl

from itp_response.classification.reference_arm import Reference
from itp_response.messages.results import DataResult, html_table
from itp_response.messages.wording import aligned, counted, wrapped
from itp_response.outputs.statistics import software

RESULTS = (
    "table",
    "subgroup",
    "variable",
    "level",
    "group",
    "statistic",
    "value",
    "method",
    "library",
    "version",
    "reference",
    "reference_assumed",
)
"""The columns of the numbers; all are texts but `value`."""
OF_TABLE = {"table": "name", "reference": "reference", "reference_assumed": "found"}
"""Those that are of the table, and not of a number: the fields of `Table`."""
DASH, MINUS = "–", "−"
NOT_ESTIMABLE = "not estimable"


@dataclass(frozen=True)
class Number:
    """One number of a table, not rounded.

    `group` is a group of patients, or a comparison of two: `A minus B` for a difference, `A vs B` for a ratio.
    """

    variable: str
    group: str
    statistic: str
    value: float | None
    method: str = ""
    level: str = ""
    subgroup: str = ""

    @property
    def library(self) -> str:
        """The library that computed it; empty for a plain count."""
        return software.library_of(self.method)

    @property
    def version(self) -> str:
        return software.version_of(self.library)


def numbers_of(
    variable: str,
    group: str,
    statistics: Mapping[str, float | None],
    method: str = "",
    *,
    level: str = "",
    subgroup: str = "",
) -> list[Number]:
    """The numbers of a variable in a group, a number per statistic.

    >>> [number.value for number in numbers_of("OR", "all", {"n": 90, "N": 112})]
    [90, 112]
    """
    return [
        Number(variable, group, statistic, value, method, level, subgroup) for statistic, value in statistics.items()
    ]


RowTexts = tuple[str, ...]
"""The cells of a row as they are shown."""


class TableRows:
    """The rows of a table that is being made, and the numbers behind them."""

    def __init__(self) -> None:
        self.rows: list[RowTexts] = []
        self.numbers: list[Number] = []

    def heading(self, text: str) -> None:
        self.rows.append((text,))

    def add(self, row: RowTexts, numbers: Iterable[Number]) -> None:
        """A row and its numbers."""
        self.rows.append(row)
        self.numbers += numbers

    def table(self, name: str, title: str, header: RowTexts, notes: Iterable[str]) -> "Table":
        """The table; each note stands once, and empty notes are left out."""
        return Table(name, title, header, tuple(self.rows), tuple(self.numbers), once(notes))


@dataclass(frozen=True, repr=False)
class Table(DataResult):
    """One table: `header`, `rows` and `notes` as they are shown, and the `numbers` behind the rows.

    A row with one cell is a heading. A row whose first cell begins with two spaces belongs to the row above it that
    does not.

    >>> print(Table("sizes", "Sizes", ("", "all"), (("patients", "168"),), notes=("All are shown.",)))
    Sizes
                all
      patients  168
      All are shown.
    """

    name: str
    title: str
    header: RowTexts
    rows: tuple[RowTexts, ...]
    numbers: tuple[Number, ...] = ()
    notes: tuple[str, ...] = field(default=())
    reference: str = ""
    """The group that the others are compared with; empty: the table compares none."""
    found: str = ""
    """How that group was found; empty: it was told."""
    is_assumption_stated: bool = False
    """A table above this one already states how the reference group was found."""

    @property
    def footnotes(self) -> tuple[str, ...]:
        """The notes, and which software computed the numbers."""
        used = software.software_used(number.method for number in self.numbers)
        return (*self.notes, used) if used else self.notes

    @property
    def assumed(self) -> tuple[str, ...]:
        """The assumption about the reference group as a line with its prefix, where this table has to state it."""
        return () if self.is_assumption_stated else Reference(self.reference, self.found).assumed

    def frame(self) -> pl.DataFrame:
        """One row per number.

        `table`, `subgroup`, `variable`, `level`, `group`, `statistic`, `value`, `method`, `library` and `version` (of
        what computed it; null: a plain count), `reference` (the group that the others are compared with) and
        `reference_assumed` (how it was found; null where it was told). Numbers are not rounded. A share lies between 0
        and 1, a time is in days. Null: a column that does not apply, or a value that cannot be estimated.
        """
        rows = [
            tuple(
                getattr(self, OF_TABLE[column]) if column in OF_TABLE else getattr(number, column) for column in RESULTS
            )
            for number in self.numbers
        ]
        schema = {name: pl.Float64 if name == "value" else pl.String for name in RESULTS}
        texts = pl.col(pl.String).replace("", None)
        return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("value").fill_nan(None), texts)

    def _headline(self) -> str:
        return f"{self.title}, {counted(len(self.rows), 'row')}"

    def _pieces(self) -> Iterator[str]:
        yield html_table(self.header, self.rows, title=self.title, notes=self.footnotes)

    def _assumptions(self) -> list[str]:
        return list(self.assumed)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from wrapped(self.title)
        yield aligned([["", *self.header[1:]], *([f"  {row[0]}", *row[1:]] for row in self.rows)])
        for note in (*self.footnotes, *self.assumed):
            yield from wrapped(note, first="  ", further="    ")


def percent(share: float) -> str:
    """`80.4`."""
    return rounded(100 * share, 1)


def fraction(number: int, of: int) -> str:
    """`90/112 (80.4)`."""
    return f"{number}/{of} ({percent(number / of)})" if of else f"{number}/{of}"


def span(middle: float, low: float, high: float, digits: int) -> str:
    """`0.21 (0.07 to 0.36)`; where the value is not known, that it is not estimable."""
    if middle != middle:
        return NOT_ESTIMABLE
    return f"{rounded(middle, digits)} ({rounded(low, digits)} to {rounded(high, digits)})"


def rounded(value: float, digits: int) -> str:
    """The number with that many decimals, never `−0.00`; NaN is `not estimable`, infinite `not reached`."""
    if value != value:
        return NOT_ESTIMABLE
    if value == float("inf"):
        return "not reached"
    # As the field rounds: 6.25 is 6.3.
    text = str(Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
    return text.removeprefix("-") if not text.strip("-0.") else text.replace("-", MINUS)


def probability(p: float | None) -> str:
    """`0.003`, `0.21`, `<0.001`."""
    if p is None or p != p:
        return ""
    if p < 0.001:
        return "<0.001"
    return f"{p:.3f}" if p < 0.0995 else f"{p:.2f}"


def plainly(value: float) -> str:
    """A value of a level: without a decimal point where it is whole."""
    return f"{value:g}"


def once(notes: Iterable[str]) -> tuple[str, ...]:
    """The notes in their order, each once, without empty ones."""
    return tuple(note for note in dict.fromkeys(notes) if note)
