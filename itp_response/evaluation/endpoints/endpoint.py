"""What the criteria of every kind have in common."""

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from itp_response.cohort.values import NONE, Bools, Ints, Numbers
from itp_response.evaluation.clock import Length
from itp_response.evaluation.patient_days import Flagged, PatientDays, PatientValues
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.parse import RuleError, parse
from itp_response.evaluation.rules.tree import And, Or, Rule, Tree, cause, names_in, parts_of, reason
from itp_response.evaluation.verdicts import NA, NE, Codes, N, Reasons, Settled, Verdict, Y
from itp_response.messages.strict_model import StrictModel

FAR = np.iinfo(np.int64).max
"""Days; farther than any."""


class _AsRule:
    """Reads a text as a rule over the names in the context's entry of that `scope`."""

    def __init__(self, scope: str) -> None:
        self.scope = scope

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self._read, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "description": f"a rule over the names of {self.scope}"}

    def _read(self, value: Any, info: ValidationInfo) -> Rule:
        if not isinstance(value, str):
            raise PydanticCustomError("rule", "{problem}", {"problem": f"a rule is a text, not {value!r}"})
        assert info.context is not None
        try:
            return parse(value, info.context[self.scope])
        except RuleError as error:
            raise PydanticCustomError("rule", "{problem}", {"problem": str(error)}) from None


RowRule = Annotated[Rule, _AsRule("rows")]
PatientRule = Annotated[Rule, _AsRule("patients")]
EndpointRule = Annotated[Rule, _AsRule("endpoints")]
ROLES = Literal[
    "response",
    "complete_response",
    "sustained_response",
    "loss",
    "remission",
    "rescue",
    "failure",
    "time_to_response",
    "duration",
    "extent",
    "best",
    "entry",
    "dosing",
]
"""What an endpoint stands for, so that sets can be compared like with like."""


class Endpoint(StrictModel):
    """The keys that every kind of endpoint has."""

    label: str = Field(description="the long name")
    says: str = Field(description="the source's sense in our own words")
    where: str = Field(default="", description="where in the source")
    role: ROLES | None = Field(default=None, description="what it stands for, when sets are compared")
    unless: PatientRule | None = Field(default=None, description="where true of a patient, not met whatever else holds")
    followed_from: float | None = Field(default=None, description="replaces the clock's for this endpoint")

    def references(self) -> dict[str, str]:
        """The criteria this one is decided from: the name that stands under each key."""
        return {}

    def row_rules(self) -> list[Rule]:
        """Its rules over what was observed on a day."""
        return [value for key, value in self if isinstance(value, Rule) and key != "unless"]


def started(
    model: Endpoint,
    patient_days: PatientDays,
    settled: Settled,
    reasons: Reasons,
    origin: str | None,
    otherwise: int = N,
) -> tuple[Verdict, Bools]:
    """The verdict as far as `unless` and the endpoint it starts from give it; and for whom it is still open."""
    verdict = Verdict.open(patient_days.nowhere)
    open_ = np.ones(patient_days.patients, dtype=np.bool_)
    if origin is not None:
        before = settled[origin]
        verdict.value = np.array([NE, otherwise, NE, NA], dtype=np.int8)[before.value]
        verdict.reason = before.reason.copy()
        open_ = before.value == Y
    if model.unless is not None:
        excluded = decide(model.unless.tree, PatientValues(patient_days)).true
        verdict.set(excluded, otherwise, reasons[reason(model.unless)])
        open_ = open_ & ~excluded
    return verdict, open_


class Occasions(NamedTuple):
    """Per patient, as row numbers, -1 where there is none."""

    first: Ints
    """The first occasion of those that suffice."""
    last: Ints
    """The last of them."""
    any: Ints
    """The first good row, whether others follow or not."""


def occasions(patient_days: PatientDays, good: Bools, number: int, apart: Length, failing: Flagged | None) -> Occasions:
    """Each patient's first of the `good` rows from which the next occasions follow, and the last of these.

    Each occasion is the first good row at least `apart` after the one before.
    No `failing` row may lie between the first and the last.
    """
    found = np.flatnonzero(good)
    none = patient_days.nowhere
    if not len(found):
        return Occasions(none, none, none)
    patient = patient_days.patient[found]
    # If any row of a run without a failing row leads to enough occasions, so does the first of the run.
    opens = np.ones(len(found), dtype=np.bool_)
    opens[1:] = patient[1:] != patient[:-1]
    if failing is not None and number > 1:
        run = failing.before[found]
        opens[1:] |= run[1:] != run[:-1]
    first = np.flatnonzero(opens)
    begun = _first_of_each(none, patient[first], found[first])
    if number == 1:
        return Occasions(begun, begun, begun)
    owner, met = patient[first], np.ones(len(first), dtype=np.bool_)
    last: Ints = first
    for _ in range(number - 1):
        earliest = patient_days.later(owner, patient_days.day[found[last]], apart)
        following = _next_at_or_after(patient_days.day, found, patient, owner, last, earliest)
        met &= following != NONE
        last = np.maximum(following, first)
    if failing is not None:
        met &= run[last] == run[first]
    owner, first, last = owner[met], first[met], last[met]
    return Occasions(_first_of_each(none, owner, found[first]), _first_of_each(none, owner, found[last]), begun)


def _first_of_each(none: Ints, owner: Ints, row: Ints) -> Ints:
    """Of each patient the first of his rows."""
    found = none.copy()
    found[owner[::-1]] = row[::-1]  # of several for a patient the last assignment stands
    return found


def _next_at_or_after(day: Ints, found: Ints, patient: Ints, owner: Ints, place: Ints, earliest: Ints) -> Ints:
    """After each place among the found rows, the next of the same owner on that day or later; -1 if none.

    One step for all, and further ones only for those still too near: visits seldom lie so close.
    """
    place = place + 1
    end = len(found)
    near = np.flatnonzero((place < end) & (day[found[np.minimum(place, end - 1)]] < earliest))
    while len(near):
        place[near] += 1
        here = place[near]
        there = np.minimum(here, end - 1)
        near = near[(here < end) & (patient[there] == owner[near]) & (day[found[there]] < earliest[near])]
    there = np.minimum(place, end - 1)
    return np.where((place < end) & (patient[there] == owner), place, NONE)


def inside(patient_days: PatientDays, begin: Ints, end: Ints) -> Bools:
    """Which rows lie in their patient's span."""
    if begin is patient_days.begin and end is patient_days.end:
        return np.ones(len(patient_days.day), dtype=np.bool_)
    turns = np.zeros(len(patient_days.day) + 1, dtype=np.int32)
    taken = begin < end
    # Spans of different patients never overlap, but one may begin where another ends.
    turns[begin[taken]] += 1
    turns[end[taken]] -= 1
    return np.cumsum(turns[:-1], out=turns[:-1]).astype(np.bool_)


def flag_at(flags: Bools, row: Ints) -> Bools:
    """The flag at each row number; false where there is none."""
    return flags[np.maximum(row, 0)] & (row != NONE) if len(flags) else np.zeros(len(row), dtype=np.bool_)


def counts_kept(set_aside: Rule | None, patient_days: PatientDays) -> Flagged:
    """The rows with a count, without those set aside."""
    if set_aside is None:
        return patient_days.counted
    return Flagged(patient_days.has_count & decide(set_aside.tree, patient_days).false)


def nearest(patient_days: PatientDays, counts: Flagged, day: Ints, begin: Ints, end: Ints) -> Ints:
    """Of these rows with a count in each span the one nearest to the day, of two as near the later; -1 if none."""
    middle = np.clip(patient_days.at_or_after(day), begin, np.maximum(begin, end))
    after = counts.first_in(middle, end)
    before = counts.last_in(begin, middle)
    to_after = np.where(after == NONE, FAR, patient_days.day_of(after) - day)
    to_before = np.where(before == NONE, FAR, day - patient_days.day_of(before))
    return np.where(to_after <= to_before, after, before)


def why_unknown(rule: Rule, patient_days: PatientDays, row: Ints, reasons: Reasons) -> Codes:
    """What left the rule unknown at each row (row number, -1 where nobody asks)."""
    at = np.maximum(row, 0)
    used = set(names_in(rule.tree))
    why = np.full(len(row), reasons["not_recorded"], dtype=np.int16)
    for name, word in (("bleeding_grade", "bleeding_not_recorded"), ("baseline", "baseline_missing")):
        if name in used:
            values = patient_days.values(name)
            assert isinstance(values, Numbers)
            np.putmask(why, np.isnan(values.low[at]), reasons[word])
    return why


def causes(tree: Tree, joint: type[And] | type[Or], patient_days: PatientDays, row: Ints, reasons: Reasons) -> Codes:
    """What decided at each row (row number, -1 where nobody asks): a reason code each.

    Of the parts joined by `and` the first that is false; of those joined by `or` the first that is true.
    """
    found = np.full(len(row), -1, dtype=np.int16)
    asked = np.flatnonzero(row >= 0)
    at = row[asked]
    for part in parts_of(tree, joint):
        truths = decide(part, patient_days)
        decides = (truths.false if joint is And else truths.true)[at]
        found[asked[decides & (found[asked] < 0)]] = reasons[cause(part)]
    return found
