"""Columns: further columns that a criteria file declares, so that its rules may name them."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from itp_response.clock import Strict
from itp_response.errors import CohortError
from itp_response.rules import Column, Texts, Truths, exactly

EMPTY: dict[str, set[type]] = {"number": {int, float}, "text": {str}, "truth": {bool}}
TRUTHS = {
    **dict.fromkeys(("1", "yes", "y", "true", "t"), True),
    **dict.fromkeys(("0", "no", "n", "false", "f"), False),
}


class ColumnDeclared(Strict):
    """An entry of `[columns]`: a further column that rules may name."""

    type: Literal["number", "text", "truth"]
    table: Literal["visits", "patients"] = "visits"
    empty: float | bool | str = Field(default="unknown", description="what an empty cell stands for")
    several: Literal["highest", "lowest", "first", "last"] = Field(
        default="last", description="which of several values of a day stands"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if type(self.empty) not in EMPTY[self.type] and self.empty != "unknown":
            raise PydanticCustomError("empty", "'empty' is 'unknown' or a {type}", {"type": self.type})
        if self.type == "text" and self.several in ("highest", "lowest"):
            raise PydanticCustomError("several", "of texts, 'several' is 'first' or 'last'")
        return self


def column_of(values: Sequence[Any], declared: ColumnDeclared) -> Column:
    """The column of a few values written by hand; None is an empty cell."""
    empty = None if declared.empty == "unknown" else declared.empty
    filled = [empty if one is None else one for one in values]
    try:
        if declared.type == "number":
            return exactly(np.array([np.nan if one is None else float(one) for one in filled], dtype=np.float64))
        if declared.type == "truth":
            truths = [None if one is None else TRUTHS[str(one).lower()] for one in filled]
            return Truths(np.array([one is True for one in truths]), np.array([one is False for one in truths]))
    except (ValueError, KeyError) as error:
        raise CohortError(f"{error.args[0]!r} is no {declared.type}.") from None
    labels = tuple(sorted({str(one) for one in filled if one is not None}))
    codes = [-1 if one is None else labels.index(str(one)) for one in filled]
    return Texts(np.array(codes, dtype=np.int32), labels)
