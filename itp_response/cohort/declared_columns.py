"""Declared columns: further columns that a criteria file declares, so that its rules may name them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from itp_response.cohort.values import Column, Numbers, Texts, Truths, exactly
from itp_response.messages.errors import CohortError
from itp_response.messages.strict_model import StrictModel

EMPTY: dict[str, set[type]] = {"number": {int, float}, "text": {str}, "truth": {bool}}
WORDS = {"number": "a number", "text": "a text", "truth": "yes or no"}
TRUTHS = {
    **dict.fromkeys(("1", "yes", "y", "true", "t"), True),
    **dict.fromkeys(("0", "no", "n", "false", "f"), False),
}


class ColumnDeclared(StrictModel):
    """An entry of `[columns]`: a further column that rules may name."""

    type: Literal["number", "text", "truth"] = Field(description="what its cells hold: number, text or truth")
    table: Literal["visits", "patients"] = Field(default="visits", description="the table it is in")
    empty: float | bool | str = Field(default="unknown", description="what an empty cell stands for")
    several: Literal["highest", "lowest", "first", "last"] = Field(
        default="last", description="which of several values of a day stands"
    )
    optional: bool = Field(
        default=False,
        description="a table without it is taken as empty: of unknown values, with a warning; else without one",
    )
    is_day: bool = Field(
        default=False,
        description="its numbers are days on which something happened, of which --as-of cuts off the later ones",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if type(self.empty) not in EMPTY[self.type] and self.empty != "unknown":
            given = repr(self.empty) if isinstance(self.empty, str) else f"{self.empty:g}"
            if isinstance(self.empty, bool):
                given = str(self.empty).lower()
            wanted = "true or false" if self.type == "truth" else WORDS[self.type]
            problem = f"'empty' is 'unknown' or {wanted}, not {given}"
            raise PydanticCustomError("empty", "{problem}", {"problem": problem})
        if self.type == "text" and self.several in ("highest", "lowest"):
            problem = f"of texts, 'several' is 'first' or 'last', not {self.several!r}"
            raise PydanticCustomError("several", "{problem}", {"problem": problem})
        if self.is_day and (self.type, self.table) != ("number", "patients"):
            problem = "'is_day' is for a number of the patient table; rows of visits have a day of their own"
            raise PydanticCustomError("is_day", "{problem}", {"problem": problem})
        return self

    @property
    def is_needed(self) -> bool:
        """Whether a table must have it: nothing says what a table without it stands for."""
        return self.empty == "unknown" and not self.optional

    def reads_as(self, other: "ColumnDeclared") -> bool:
        """Whether both read the same cells alike; one may be optional and the other not."""
        return self.model_copy(update={"optional": other.optional}) == other


def joined_columns(declarations: Iterable[Mapping[str, ColumnDeclared]]) -> dict[str, ColumnDeclared]:
    """The columns of several sets, which declare those of the same name alike; optional is what is so in every set."""
    columns: dict[str, ColumnDeclared] = {}
    for declared in declarations:
        for name, column in declared.items():
            if columns.setdefault(name, column).optional:
                columns[name] = column
    return columns


def in_table(columns: Mapping[str, ColumnDeclared], table: Literal["visits", "patients"]) -> dict[str, ColumnDeclared]:
    """The declared columns of one table."""
    return {name: column for name, column in columns.items() if column.table == table}


def day_columns(columns: Mapping[str, ColumnDeclared]) -> dict[str, float]:
    """The columns that hold days on which something happened, each with what stands where nothing has; NaN: unknown.

    >>> day_columns({"died": ColumnDeclared(type="number", table="patients", empty=float("inf"), is_day=True)})
    {'died': inf}
    """
    days = {name: column.empty for name, column in columns.items() if column.is_day}
    return {name: np.nan if empty == "unknown" else float(empty) for name, empty in days.items()}


def texts_of(values: Sequence[str | None]) -> Texts:
    """The texts as positions in their sorted labels; None is unknown.

    >>> texts_of(["ivig", None, "anti-d"])
    Texts(codes=array([ 1, -1,  0], dtype=int32), labels=('anti-d', 'ivig'))
    """
    labels = tuple(sorted({text for text in values if text is not None}))
    codes = [-1 if text is None else labels.index(text) for text in values]
    return Texts(np.array(codes, dtype=np.int32), labels)


def column_of(values: Sequence[Any], declared: ColumnDeclared) -> Column:
    """The column of a few values written by hand; None is an empty cell, not yet what it stands for.

    Raises `CohortError` for a value that is not of the declared type.

    >>> column_of(["yes", "no", None], ColumnDeclared(type="truth")).true
    array([ True, False, False])
    """
    cells = [None if value is None else _value(value, declared) for value in values]
    if declared.type == "number":
        return exactly(np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64))
    if declared.type == "truth":
        true, false = ([cell is answer for cell in cells] for answer in (True, False))
        return Truths(np.array(true, dtype=np.bool_), np.array(false, dtype=np.bool_))
    return texts_of([None if cell is None else str(cell) for cell in cells])


def with_empty(column: Column, declared: ColumnDeclared) -> Column:
    """The column with what an empty cell stands for, where it was not recorded.

    Of several rows of a day an empty one says nothing: it stands for something where the whole day was not recorded.

    >>> with_empty(exactly(np.array([50, np.nan])), ColumnDeclared(type="number", empty=0)).low
    array([50.,  0.])
    """
    empty = declared.empty
    match column:
        case Numbers(low=low, high=high) if empty != "unknown":
            low = np.where(np.isnan(low), float(empty), low)
            return exactly(low) if column.exact else Numbers(low, np.where(np.isnan(high), float(empty), high))
        case Truths(true=true, false=false) if empty != "unknown":
            return Truths(true | (column.unknown & bool(empty)), false | (column.unknown & (not empty)))
        case Texts(codes=codes, labels=labels) if empty != "unknown":
            labels = tuple(dict.fromkeys((*labels, str(empty))))
            return Texts(np.where(codes < 0, np.int32(labels.index(str(empty))), codes), labels)
    return column


def _value(written: Any, declared: ColumnDeclared) -> float | bool | str:
    text = str(written)
    try:
        if declared.type == "number":
            return float(text)
        return TRUTHS[text.lower()] if declared.type == "truth" else text
    except (ValueError, KeyError):
        raise CohortError(f"{text!r} is not {WORDS[declared.type]}.") from None
