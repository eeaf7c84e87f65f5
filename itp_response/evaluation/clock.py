"""Clock: the days of a study, and the lengths of time that its definitions name."""

import math
import re
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from itp_response.messages.errors import nearest
from itp_response.messages.strict_model import StrictModel

LENGTH = re.compile(r"([1-9]\d{0,17}) (day|week|month|year)s?")
FARTHEST = 36_525
"""Days, a hundred years: the days that a definition names lie at most as far from day 0, and no length is longer."""
MOST_OCCASIONS = 1_000
"""The most occasions on which a state is to be observed."""
MOST_VISITS = 1_000
"""The most planned visits."""
DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "year": 12}


class Length:
    """A length of time: a number of days, or of calendar months.

    Raises `ValueError` for a text that is not a length.

    >>> Length("26 weeks").number, Length("26 weeks").unit
    (182, 'days')
    >>> Length("1 year") == Length("12 months")
    True
    """

    def __init__(self, text: str) -> None:
        match = LENGTH.fullmatch(text)
        if not match:
            begin = re.match(r"[1-9]\d* ?(?=[a-z])", text)
            close = nearest(text, [f"{begin[0].strip()} {unit}s" for unit in (*DAYS, *MONTHS)]) if begin else ""
            raise ValueError(
                f"{text!r} is not a length of time; write '7 days', '26 weeks', '6 months' or '1 year'.{close}"
            )
        self.text = text
        number, unit = int(match[1]), match[2]
        self.unit: Literal["days", "months"] = "days" if unit in DAYS else "months"
        self.number = number * (DAYS.get(unit) or MONTHS[unit])
        if self.at_least_days > FARTHEST:
            raise ValueError(f"{text!r} is longer than {FARTHEST:,} days, a hundred years; write a shorter time")

    @property
    def at_least_days(self) -> int:
        """The days it has at the least: of a calendar month 28.

        >>> Length("2 weeks").at_least_days, Length("1 month").at_least_days
        (14, 28)
        """
        return self.number if self.unit == "days" else 28 * self.number

    @property
    def at_most_days(self) -> int:
        """The days it has at the most: of a calendar month 31.

        >>> Length("1 month").at_most_days
        31
        """
        return self.number if self.unit == "days" else 31 * self.number

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Length({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Length) and (self.unit, self.number) == (other.unit, other.number)

    def __hash__(self) -> int:
        return hash((self.unit, self.number))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._read, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^{LENGTH.pattern}$", "examples": ["7 days", "26 weeks", "6 months"]}

    @classmethod
    def _read(cls, value: Any) -> "Length":
        if isinstance(value, Length):
            return value
        try:
            return cls(value if isinstance(value, str) else str(value))
        except ValueError as error:
            raise PydanticCustomError("length", "{problem}", {"problem": str(error)}) from None


def _in_order(days: tuple[float, float]) -> tuple[float, float]:
    if days[0] > days[1]:
        problem = f"the first day, {days[0]:g}, is after the last, {days[1]:g}"
        raise PydanticCustomError("days", "{problem}", {"problem": problem})
    return days


def _checked_day(day: float) -> float:
    if day != day:
        raise PydanticCustomError("day", "nan is not a day; write inf where there is no limit")
    if FARTHEST < abs(day) < math.inf:
        problem = f"{day:.12g} is farther than {FARTHEST:,} days from day 0; write inf where there is no limit"
        raise PydanticCustomError("day", "{problem}", {"problem": problem})
    return day


def _checked_whole_day(day: int) -> int:
    if abs(day) > FARTHEST:
        problem = f"{day} is farther than {FARTHEST:,} days from day 0; write a nearer day"
        raise PydanticCustomError("day", "{problem}", {"problem": problem})
    return day


def _checked_visits(visits: tuple[int, ...]) -> tuple[int, ...]:
    if len(visits) > MOST_VISITS:
        problem = f"these are {len(visits):,} visits; at most {MOST_VISITS:,} can be planned"
        raise PydanticCustomError("visits", "{problem}", {"problem": problem})
    return visits


Day = Annotated[float, Field(description="a day counted from day 0; inf: no limit"), AfterValidator(_checked_day)]
Days = Annotated[tuple[Day, Day], AfterValidator(_in_order)]
"""First and last day, both included."""
WholeDay = Annotated[int, AfterValidator(_checked_whole_day)]
PlannedVisits = Annotated[tuple[WholeDay, ...], AfterValidator(_checked_visits)]
"""The days of planned visits."""


class Clock(StrictModel):
    """`[clock]`: the days of the study."""

    day_0: str = Field(description="what day 0 is, in words")
    visits: PlannedVisits = Field(default=(), description="the planned visit days")
    followed_from: Day = Field(description="a patient with a count on this day or later was followed to the end")


class VisitWindow(NamedTuple):
    """A planned visit, and the first and last day of the counts that belong to it."""

    day: int
    first: float
    last: float
    is_planned: bool = True
    """False of day 0 where no visit is planned on it: counts near it belong to it all the same."""


class Baseline(StrictModel):
    """`[baseline]`: which count is the baseline where the patient table gives none."""

    days: Days = Field(description="first and last day of the counts that it may come from")
    pick: Literal["last", "lowest", "mean"] = "last"
    several: Literal["lowest", "last_before_dose"] = Field(
        default="lowest",
        description="which of several counts on day 0: the lowest, or the last before the dose, if times are known",
    )


def windows_between(clock: Clock, baseline: Baseline) -> tuple[VisitWindow, ...]:
    """The windows of day 0 and of the planned visits, each half way to the next; none without planned visits.

    A day half way between two belongs to the earlier. The first window begins with the first day of the baseline, the
    last one reaches as far beyond its visit as before it.

    >>> clock = Clock(day_0="first dose", visits=(7, 28), followed_from=28)
    >>> for window in windows_between(clock, Baseline(days=(-14, 0))):
    ...     print(*window)
    0 -14 3 False
    7 4 17 True
    28 18 38 True
    """
    if not clock.visits:
        return ()
    days = sorted({0, *clock.visits})
    middles = [(earlier + later) // 2 for earlier, later in pairwise(days)]
    firsts = [min(days[0], baseline.days[0]), *(middle + 1 for middle in middles)]
    beyond = (days[-1] - days[-2]) // 2 if len(days) > 1 else 0
    lasts = [*middles, days[-1] + beyond]
    return tuple(map(VisitWindow, days, firsts, lasts, [day in clock.visits for day in days]))


UnrecordedBleeding = Literal["unknown", "bleeding", "none"]


class NotRecorded(StrictModel):
    """`[not_recorded]`: what is assumed of what was not recorded."""

    bleeding: UnrecordedBleeding = Field(
        default="unknown",
        description="assumed on a day with a count but no grade: nothing (unknown), bleeding of any grade, or none",
    )
