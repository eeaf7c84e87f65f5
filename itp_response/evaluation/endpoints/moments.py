"""Moments: days at which a time can end without its event: a last count, an endpoint's day, a day recorded."""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from itp_response.evaluation.rules.tree import Type
from itp_response.messages.errors import Problem, unknown

LAST_COUNT = "last_count"
AT_LAST_COUNT = "the last count"
"""The moment of that name, in words."""


class Moment(NamedTuple):
    """One moment, as a criteria file names it."""

    name: str
    of: Literal["counts", "endpoints", "patients"]
    """What gives its day: the patient's counts, an endpoint, or a number of the patient."""

    @property
    def in_words(self) -> str:
        """`the last count`, `the day of rescued`, `the recorded day end_of_treatment`."""
        if self.of == "counts":
            return AT_LAST_COUNT
        return f"the day of {self.name}" if self.of == "endpoints" else f"the recorded day {self.name}"


class _AsMoments:
    """Reads a name, or a list of names, as moments of the file that the validation context tells of."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self._read, serialization=core_schema.plain_serializer_function_ser_schema(_as_written)
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        name = {"type": "string", "description": "'last_count', an endpoint, or a number of the patient"}
        return {"anyOf": [name, {"type": "array", "items": name, "minItems": 1, "uniqueItems": True}]}

    def _read(self, value: Any, info: ValidationInfo) -> tuple[Moment, ...]:
        assert info.context is not None
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or not names or not all(isinstance(name, str) for name in names):
            written = list(value) if isinstance(value, tuple) else value
            raise _wrong(
                f"{written!r} is not a moment; write 'last_count', the name of an endpoint or a number, or a list"
            )
        twice = next((name for position, name in enumerate(names) if name in names[:position]), None)
        if twice is not None:
            raise _wrong(f"{twice!r} is present twice in the list; delete one of them")
        return tuple(
            _moment(name, info.context["endpoints"].observed, info.context["patients"].observed) for name in names
        )


Moments = Annotated[tuple[Moment, ...], _AsMoments()]
"""Moments in their order, of which a patient's is the first that the patient has."""


def _moment(name: str, endpoints: dict[str, Type], of_patients: dict[str, Type]) -> Moment:
    """The moment of that name; raises for one that there is not, or that could be two."""
    days = [column for column, kind in of_patients.items() if kind in ("number", "moment") and column != "baseline"]
    if name == LAST_COUNT:
        return Moment(name, "counts")
    if name in endpoints and name in days:
        raise _wrong(f"{name!r} is the name of an endpoint and of a column; rename one of them")
    if name in endpoints:
        return Moment(name, "endpoints")
    if name in days:
        return Moment(name, "patients")
    raise _wrong(unknown("moment", name, [LAST_COUNT, *days, *endpoints]))


def _wrong(problem: str | Problem) -> PydanticCustomError:
    return PydanticCustomError("moment", "{problem}", {"problem": str(problem)})


def _as_written(moments: tuple[Moment, ...]) -> str | list[str]:
    names = [moment.name for moment in moments]
    return names[0] if len(names) == 1 else names


def moments_in_words(moments: tuple[Moment, ...], last_count: str = AT_LAST_COUNT) -> str:
    """Where a patient is censored; of several moments, in their order.

    >>> moments_in_words((Moment("stopped", "endpoints"), Moment("last_count", "counts")))
    'the day of stopped, else the last count'
    """
    return ", else ".join(last_count if moment.of == "counts" else moment.in_words for moment in moments)
