"""Clock: the days of a study, and the lengths of time that its definitions name."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

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


V = TypeVar("V")


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


def _checked_visits(visits: tuple[V, ...]) -> tuple[V, ...]:
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


OWN_DAY = re.compile(r"([A-Za-z_]\w*)(?: *([+-]) *(\d+(?:\.\d+)?))?")
HOW_OWN_DAY = "write a number of days, or a number of the patient, as 'landmark' or 'landmark + 7'"


@dataclass(frozen=True)
class PatientDay:
    """A day of the patient's own: a number of the patient, plus some days.

    >>> str(PatientDay("landmark", 7.0)), str(PatientDay("landmark") - 3), PatientDay("landmark", -3.0).in_words
    ('landmark + 7', 'landmark - 3', '3 days before landmark')
    """

    name: str
    plus: float = 0.0

    @classmethod
    def written(cls, text: str) -> "PatientDay | None":
        """The day that a text writes; None: it writes none.

        >>> PatientDay.written("landmark - 3"), PatientDay.written("7 days")
        (PatientDay(name='landmark', plus=-3.0), None)
        """
        match = OWN_DAY.fullmatch(text.strip())
        return match and cls(match[1], float(match[3] or 0) * (-1 if match[2] == "-" else 1))

    def __add__(self, days: float) -> "PatientDay":
        return PatientDay(self.name, self.plus + days)

    def __sub__(self, days: float) -> "PatientDay":
        return self + -days

    def __str__(self) -> str:
        return f"{self.name} {'-' if self.plus < 0 else '+'} {abs(self.plus):g}" if self.plus else self.name

    @property
    def noun(self) -> str:
        """What the number of the patient is called."""
        return OWN_NOUNS.get(self.name, self.name.replace("_", " "))

    @property
    def in_words(self) -> str:
        """The day as a phrase."""
        if not self.plus:
            return f"the day of {self.noun}"
        days = "1 day" if abs(self.plus) == 1 else f"{abs(self.plus):g} days"
        return f"{days} {'before' if self.plus < 0 else 'after'} {self.noun}"


OWN_NOUNS = {"treatment_discontinued": "discontinuation of treatment"}
"""The names of numbers of the patient that are no columns' own."""
DayOf = float | PatientDay
"""A day that is the same for all, or the patient's own."""


def apart(first: DayOf, last: DayOf) -> float | None:
    """The days from one day to another; None: that depends on the patient.

    >>> apart(1, 8.0), apart(PatientDay("landmark"), PatientDay("landmark", 7.0)), apart(1, PatientDay("landmark"))
    (7.0, 7.0, None)
    """
    if isinstance(first, PatientDay) and isinstance(last, PatientDay):
        return last.plus - first.plus if first.name == last.name else None
    if isinstance(first, PatientDay) or isinstance(last, PatientDay):
        return None
    return 0.0 if first == last else last - first


def widest(days: tuple[DayOf, DayOf]) -> tuple[float, float]:
    """The first and the last day for any patient: infinite where it is the patient's own.

    >>> widest((1, PatientDay("landmark")))
    (1, inf)
    """
    first, last = days
    return -math.inf if isinstance(first, PatientDay) else first, math.inf if isinstance(last, PatientDay) else last


def is_limit(day: DayOf) -> bool:
    """Whether it bounds days for any patient: the patient's own does, an infinite one does not."""
    return isinstance(day, PatientDay) or math.isfinite(day)


def numbers_of_the_patient(info: Any) -> list[str]:
    """The names of the numbers of the patient that are days, by the names that rules over patients may use."""
    assert info.context is not None
    observed = info.context["patients"].observed.items()
    # The baseline is a count.
    return [name for name, type_ in observed if type_ in ("number", "moment") and name != "baseline"]


def unknown_number(name: str, known: Sequence[str]) -> str:
    """The sentence for a name that is no number of the patient."""
    return (
        f"{name!r} is not a number of the patient; known: {', '.join(known)}. A number of the patient is declared in "
        f"[columns] with type = 'number' and table = 'patients'.{nearest(name, known)}"
    )


class _OrOwn:
    """Reads a text as a day of the patient's own, and all else as `day` does."""

    def __init__(self, day: Any) -> None:
        self._day = day

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_wrap_validator_function(
            self._read,
            handler.generate_schema(self._day),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda day: str(day) if isinstance(day, PatientDay) else day
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            "type": ["integer" if self._day is WholeDay else "number", "string"],
            "pattern": f"^{OWN_DAY.pattern}$",
            "description": "a day counted from day 0, or the patient's own: its number, plus or minus days",
        }

    def _read(self, value: Any, days: Any, info: Any) -> DayOf:
        if not isinstance(value, str):
            read: float = days(value)
            return read
        day = PatientDay.written(value)
        known = numbers_of_the_patient(info)
        if day is None:
            raise _own_day(f"{value!r} is not a day; {HOW_OWN_DAY}")
        if day.name not in known:
            raise _own_day(unknown_number(day.name, known))
        if self._day is WholeDay and not day.plus.is_integer():
            raise _own_day(f"{value!r} is not a whole day; add a whole number of days")
        _checked_day(day.plus)
        return day


def _own_day(problem: str) -> PydanticCustomError:
    return PydanticCustomError("own_day", "{problem}", {"problem": problem})


def _own_in_order(days: tuple[DayOf, DayOf]) -> tuple[DayOf, DayOf]:
    length = apart(*days)
    if length is not None and length < 0:
        first, last = (str(day) if isinstance(day, PatientDay) else f"{day:g}" for day in days)
        problem = f"the first day, {first}, is after the last, {last}"
        raise PydanticCustomError("days", "{problem}", {"problem": problem})
    return days


OwnDay = Annotated[DayOf, _OrOwn(Day)]
OwnWholeDay = Annotated[DayOf, _OrOwn(WholeDay)]
OwnDays = Annotated[tuple[OwnDay, OwnDay], AfterValidator(_own_in_order)]
"""First and last day, both included; either may be the patient's own."""
OwnVisits = Annotated[tuple[OwnWholeDay, ...], AfterValidator(_checked_visits)]
"""The days of planned visits, of which some may be the patient's own."""


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
    0 -14.0 3 False
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
