"""Endpoint: what the kinds have in common: keys, how a verdict begins, occasions, visits and reasons."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, get_args

import numpy as np
from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from itp_response.cohort.values import NONE, Bools, Floats, Ints, Truths, known
from itp_response.evaluation.clock import (
    Baseline,
    Clock,
    DayOf,
    Length,
    OwnDay,
    PatientDay,
    VisitWindow,
    widest,
    windows_between,
)
from itp_response.evaluation.endpoints.account import (
    BEFORE,
    EXCLUDED,
    OUTSIDE,
    Account,
    Decided,
    Mark,
    parts_by_state,
    place,
)
from itp_response.evaluation.patient_days import Flagged, PatientDays, PatientValues
from itp_response.evaluation.rules.decide import Observed, decide, numbers
from itp_response.evaluation.rules.in_words import rule_in_words
from itp_response.evaluation.rules.parse import RuleError, parse
from itp_response.evaluation.rules.tree import (
    And,
    AtRow,
    Or,
    Rule,
    Tree,
    cause,
    names_in,
    observed_in,
    other_rows_in,
    parts_of,
    reason,
)
from itp_response.evaluation.verdicts import NA, NE, Codes, N, Reasons, Verdict, VerdictsByName, Y
from itp_response.messages.strict_model import StrictModel
from itp_response.messages.wording import counted, day_in_words, days_in_words

STARTS_CONFIRMS_ENDS = ("starts here", "confirms", "ends here")
"""What is said of the onset, the confirming row and the row that ended it."""
FAR = np.iinfo(np.int64).max
"""Days, more than any number of them."""


Treated = Literal["fails", "unknown", "left_out"]
"""What becomes of a visit that is missing or discounted."""
Scope = Literal["rows", "patients", "endpoints"]
"""What a rule is asked of: the observations of a day, a patient, or the verdicts on endpoints."""


class _AsRule:
    """Reads a text as a rule over the names that the validation context has under `scope`."""

    def __init__(self, scope: Scope) -> None:
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
            raise PydanticCustomError("rule", "{problem}", {"problem": f"a rule is a quoted text, not {value!r}"})
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


class AskedRule(NamedTuple):
    """A rule of an endpoint."""

    key: str
    """The key it stands under."""
    rule: Rule
    of: Scope
    """What it is asked of."""


class DaysBetween(NamedTuple):
    """A number of days that those between two observations are held against."""

    least: int
    """Whether the second comes at least that number of days after the first."""
    of: str = ""
    """The endpoint of which the first is evidence; empty: the first is in the endpoint's own state, or may be."""
    to_any: bool = False
    """The second is any observation; else it is in the endpoint's own state, or may be."""


class Endpoint(StrictModel):
    """The keys that every kind of endpoint has, and what every kind answers for itself.

    A kind is a class with the literal `kind`, its keys, and at least `verdicts` and `definition`. What is said here
    holds where a kind says nothing else.
    """

    kind: str
    label: str = Field(description="the name in full")
    says: str = Field(description="plain-language paraphrase of the source's definition")
    where: str = Field(default="", description="where in the source")
    role: ROLES | None = Field(default=None, description="what it measures; sets are compared role by role")
    paramcd: str = Field(default="", description="its PARAMCD in CDISC's datasets; else a short form of its name")
    param: str = Field(default="", description="its PARAM in CDISC's datasets; else its label")
    only: PatientRule | None = Field(
        default=None,
        description="a rule over the patient: where false, it is not applicable; where unknown, not evaluable",
    )
    unless: PatientRule | None = Field(
        default=None,
        description="a rule over the patient: where true, the endpoint is not met, regardless of the observations",
    )
    followed_from: OwnDay | None = Field(
        default=None, description="replaces the clock's followed_from for this endpoint"
    )

    lengths: ClassVar[tuple[str, ...]] = ()
    """The lengths that its verdicts have, fields of `Verdict`."""
    has_day_of_its_own: ClassVar[bool] = False
    """Its day need not be that of a row."""
    is_ranked: ClassVar[bool] = False
    """Its values are ranks with names of their own, and neither `Y` nor `N`."""
    can_be_referred_to: ClassVar[bool] = True
    """Another endpoint can start from it, or sum it up."""
    begins_on_a_day: ClassVar[bool] = True
    """Where it is met, something begins on its day; it is no end and no sum of others."""
    lasts: ClassVar[bool] = False
    """What it shows lasts until it is lost."""
    sums_up: ClassVar[bool] = False
    """It is decided from other verdicts alone, and from no row."""
    asks_for_follow_up: ClassVar[bool] = False
    """Whether it is `N` or `NE` may depend on the patient having been followed to the end."""
    if_excluded: ClassVar[str] = "not met"
    """What it is, in words, of a patient whom `unless` excludes."""
    decides_against: ClassVar[tuple[str, ...]] = ("unless", "closed_by")
    """The keys of rules that, where true, make it not met."""
    discounting: ClassVar[tuple[str, ...]] = ("discount", "set_aside")
    """The keys of rules that make a count no evidence; the others say what a count must be."""

    def verdicts(self, patient_days: PatientDays, earlier: VerdictsByName, reasons: Reasons) -> Verdict:
        """The verdict on each patient; `earlier` has those on the endpoints that it refers to."""
        raise NotImplementedError

    def phrases(self) -> dict[str, str]:
        """How it is said what a row did, by its part."""
        first, last = self.days_looked_at()
        return {
            "qualifies": "qualifies",
            "fails": "fails",
            "no_count": "no count",
            "not_taken": "not used",
            "outside": "not assessed",
            "before": f"before {day_in_words(first)}",
            "after": f"after {day_in_words(last)}",
            "decided": "after the result was determined",
        }

    def rows_played(self, decided: Decided) -> Account:
        """The account of those whom the endpoint does not exclude, and who met what it starts from.

        Where a kind says nothing else, rows count by the rule `when` on the days looked at.
        """
        patient_days, verdict = decided.patient_days, decided.verdict
        begin, end = self.span(patient_days)
        part = np.full(len(patient_days.day), OUTSIDE, dtype=np.int8)
        if self.state is not None:
            part = parts_by_state(decide(self.state.tree, patient_days))
        place(part, patient_days, begin, end)
        rows = (verdict.onset, verdict.confirming, verdict.ended)
        marks = tuple(Mark(row, says) for row, says in zip(rows, STARTS_CONFIRMS_ENDS, strict=True))
        return Account(part, begin, end, marks)

    def account(self, patient_days: PatientDays, earlier: VerdictsByName, verdict: Verdict) -> Account:
        """What every row did for the endpoint; `verdict` is that on it, `earlier` has those it refers to."""
        account = self.rows_played(Decided(patient_days, earlier, verdict))
        account.leave_out(~defined(self, patient_days).true)
        left = ~excluded(self, patient_days)
        account.part[~left[patient_days.patient]] = EXCLUDED
        of_origins = []
        for name in self.origins():
            unmet = left & (earlier[name].value != Y)
            account.part[unmet[patient_days.patient]] = BEFORE
            of_origins.append((name, unmet))
            left = left & ~unmet
        without = left & without_days(self, patient_days)
        account.leave_out(without)
        account.part[without[patient_days.patient]] = EXCLUDED
        account.decided_by = (*of_origins, *account.decided_by)
        return account

    def definition(self) -> str:
        """What decides it, in words, without what excludes patients."""
        raise NotImplementedError

    def missing_data(self) -> str:
        """How it handles what was not observed, in words: the part of a sentence after a colon."""
        if self.sums_up:
            return "as in the endpoints that it is decided from"
        return "not evaluable where the result depends on it"

    def sentence(self) -> str:
        """The endpoint in words, made from what decides it."""
        text = self.definition()
        if self.only is not None:
            text += f" Only patients with {rule_in_words(self.only)} are assessed; in others it is not applicable."
        if self.unless is not None:
            excluded_by = f"if there is {rule_in_words(self.unless)}"
            text += f" Regardless of the observations, it is {self.if_excluded} {excluded_by}."
        return text

    def references(self) -> dict[str, str]:
        """The endpoints this one is decided from: the name that stands under each key."""
        return {}

    def origins(self) -> tuple[str, ...]:
        """The endpoints from whose day, or after whose evidence, this one is looked for."""
        return tuple(name for key, name in self.references().items() if key in ("from", "after"))

    @classmethod
    @cache
    def rule_keys(cls) -> dict[str, Scope]:
        """The keys that rules can stand under, in their order, and what the rule under each is asked of."""
        scopes = {key: _scope(field) for key, field in cls.model_fields.items()}
        return {key: scope for key, scope in scopes.items() if scope is not None}

    def rules(self) -> Iterator[AskedRule]:
        """Its rules, in the order of its keys."""
        for key, scope in self.rule_keys().items():
            rule = getattr(self, key)
            if rule is not None:
                yield AskedRule(key, rule, scope)

    def asked_of_patients(self) -> Iterator[str]:
        """The numbers of the patient that its keys name as days."""
        yield from (day.name for day in self.own_days())
        yield from self.causes()

    def causes(self) -> Mapping[str, Treated]:
        """By the number of the patient that is its day, what makes a missing count something else from there on."""
        return {}

    def row_rules(self) -> list[Rule]:
        """Its rules over what was observed on a day."""
        return [rule for _, rule, of in self.rules() if of == "rows"]

    def patient_rules(self) -> list[Rule]:
        """Its rules over the patient as a whole."""
        return [rule for _, rule, of in self.rules() if of == "patients"]

    def ends_against_it(self) -> Iterator[tuple[Tree, bool]]:
        """The conditions that by themselves decide against the patient, and whether they do so by being true.

        Where one of them is an event such as rescue treatment, that is the composite variable strategy of ICH E9(R1).
        """
        for key, rule, _ in self.rules():
            if key in self.decides_against:
                yield rule.tree, True

    def count_rules(self) -> list[Rule]:
        """Its rules that say what a count must be, for it to be met or to be closed."""
        return [rule for key, rule, of in self.rules() if of == "rows" and key not in self.discounting]

    def discounting_rules(self) -> list[Rule]:
        """Its rules that, where they are not false, make a count no evidence."""
        return [rule for key, rule, of in self.rules() if of == "rows" and key in self.discounting]

    @property
    def state(self) -> Rule | None:
        """The rule for the state that observations must be in; None: it is decided from no row of its own."""
        return self.row_rule("when")

    @property
    def is_length(self) -> bool:
        """It is a length of time, neither met nor not."""
        return False

    @property
    def is_met_or_not(self) -> bool:
        """Its verdicts are `Y` and `N`: it is no length and no rank."""
        return not self.is_length and not self.is_ranked

    @property
    def can_be_censored(self) -> bool:
        """It is a time that ends with an event, or is censored."""
        return False

    @property
    def is_confirmed(self) -> bool:
        """Where it is met, a second observation confirms it."""
        return False

    @property
    def is_lost(self) -> str | None:
        """The endpoint of which this one is the loss; None: it is no loss."""
        return None

    @property
    def runs_to(self) -> str | None:
        """The endpoint whose day ends the time that it is; None: it is no time to an event."""
        return None

    @property
    def ranks(self) -> tuple[str, ...]:
        """The names of its values where it is ranked, best first; the last stands for none met."""
        return ()

    @property
    def has_day(self) -> bool | Tree:
        """Whether it has a day where it is met; a rule over endpoints: where this has one."""
        return True

    @property
    def competes_with(self) -> tuple[str, ...]:
        """The endpoints that end the time that it is without its event; empty: there are none."""
        return ()

    @property
    def ends_at_a_moment(self) -> bool:
        """The time that it is can be censored at a day other than that of the last count."""
        return False

    @property
    def censored_at(self) -> tuple[str, ...]:
        """The moments at which the time that it is can be censored, in words; empty: at none."""
        return ()

    def moments_of_censoring(self, decided: Decided) -> Ints:
        """(P) Where a time is censored, the number in `censored_at` of the moment; -1: it is not, or unknown where."""
        return decided.patient_days.nowhere

    def numbers(self) -> tuple[str, ...]:
        """The fields of `Verdict` with its lengths and its own day."""
        return (*self.lengths, "day") if self.has_day_of_its_own else self.lengths

    def measures(self) -> tuple[str, ...]:
        """What it gives: `verdict`, `best`, `days` in a state, `of_days` observed, or `time` to an event."""
        return ("verdict",)

    def days_looked_at(self) -> tuple[DayOf, DayOf]:
        """The first and last day on which an observation can count; infinite: no limit."""
        return -np.inf, np.inf

    def limits(self) -> tuple[float, float]:
        """The same for any patient: infinite too where it is the patient's own."""
        return widest(self.days_looked_at())

    def single_days(self) -> tuple[DayOf, ...]:
        """The days that must be there, each a landmark or a planned visit: none of them can be infinite."""
        return ()

    def own_days(self) -> tuple[PatientDay, ...]:
        """The days of its keys that are the patient's own."""
        values = [value if isinstance(value, tuple) else (value,) for value in vars(self).values()]
        return tuple(dict.fromkeys(day for days in values for day in days if isinstance(day, PatientDay)))

    def span(self, patient_days: PatientDays) -> tuple[Ints, Ints]:
        """(P) The span of the rows on these days."""
        first, last = self.days_looked_at()
        return patient_days.at_or_after(first), patient_days.after(last)

    @property
    def has_state_by_visit(self) -> bool:
        """Whether its state can be told of a single visit: it asks for a state with a count."""
        return self.state is not None and self.is_lost is None and "platelets" in names_in(self.state.tree)

    @property
    def later_of_two(self) -> bool:
        """Of two counts as near to a planned visit, the later is used; else the earlier."""
        return False

    @property
    def without_count(self) -> tuple[Treated, Mapping[str, Treated]]:
        """What becomes of a planned visit without a count, and by cause (as `causes`)."""
        return "unknown", {}

    @property
    def value_discounted(self) -> int:
        """The value of a visit of which the count is discounted."""
        return N

    def visit_windows(self, clock: Clock, baseline: Baseline) -> tuple[VisitWindow, ...]:
        """The windows of the planned visits at which its state is told."""
        return windows_between(clock, baseline)

    def row_rule(self, key: str) -> Rule | None:
        """Its rule over observations under that key; None: there is none."""
        return next((rule for name, rule, of in self.rules() if of == "rows" and name == key), None)

    def closing_row(self, patient_days: PatientDays) -> Ints:
        """(P) The first row from which on its state can be met no more, by `closed_by`; -1: none."""
        rule = self.row_rule("closed_by")
        if rule is None:
            return patient_days.nowhere
        return Flagged(decide(rule.tree, patient_days).true).first_in(*self.days_that_close(patient_days))

    def days_that_close(self, patient_days: PatientDays) -> tuple[Ints, Ints]:
        """(P) The span of the rows that can close it."""
        return self.span(patient_days)

    def depends_on(
        self,
        verdicts: VerdictsByName,
        final: Mapping[str, Bools],  # noqa: ARG002 - kinds use it
    ) -> dict[str, Bools]:
        """(P) By endpoint that it refers to, whether a change of its verdict can change this one.

        `final` (P) are the verdicts that no later observation changes. Where what it starts from is final and not met,
        nothing else is asked.
        """
        return {name: np.ones(len(verdicts[name].value), dtype=np.bool_) for name in self.references().values()}

    def changes_until(self, decided: Decided, settled_on: Floats) -> Floats:  # noqa: ARG002 - kinds use it
        """(P) The last day on which an observation can change the value; infinite: no limit, or none is known.

        `settled_on` (P) is the last day on which that can change from which it is decided: the verdicts that it refers
        to, the baseline, what rules ask of the patient. It is minus infinity where nothing of it can change, and then a
        value that later observations cannot change is final: minus infinity. Observations are added on days after all
        others.
        """
        return np.full(len(settled_on), np.inf)

    def assessed_until(self, decided: Decided, of_others: Floats) -> Floats:  # noqa: ARG002 - kinds use it
        """(P) The last day of which an observation can count for it; infinite: no limit.

        `of_others` (P) is the latest such day of the endpoints that it refers to.
        """
        return self.last_day_of(decided.patient_days)

    def last_day_of(self, patient_days: PatientDays) -> Floats:
        """(P) The last day of the days looked at; infinite: no limit, or it is not known."""
        return day_or_never(patient_days, self.days_looked_at()[1])

    def waits_for(self, decided: Decided) -> dict[str, Bools]:
        """(P) By number of the patient that its keys name, whether the verdict can change when that becomes known.

        What happens after the cut is no cause of a visit that is planned before it, and so the days up to which
        observations can change the verdict are enough for `causes`.
        """
        return {day.name: np.ones(decided.patient_days.patients, dtype=np.bool_) for day in self.own_days()}

    def days_compared(self) -> tuple[DayOf, ...] | None:
        """The days that those of observations are held against; None: days decide its value in other ways, too.

        Where there are any, its value depends on the days by these, by `days_between`, by the end of the follow-up, by
        the order of the observations and by what its rules say of each.
        """
        return None

    def days_between(self) -> tuple[DaysBetween, ...]:
        """What the days between two observations are held against."""
        return ()

    def window(self) -> str:
        """The days in which it is decided, in a few words; empty: there is no limit."""
        return days_in_words(self.days_looked_at()).removeprefix(", ")

    def confirmation(self) -> str:
        """How often, or how long, its state must be observed, in a few words; empty: it asks for neither."""
        return ""


def day_or_never(patient_days: PatientDays, day: DayOf) -> Floats:
    """(P) The day of each patient; infinite where it is not known."""
    days = patient_days.each(day)
    return np.where(np.isnan(days), np.inf, days)


def followed_or_not(patient_days: PatientDays, followed_from: DayOf | None, last: Floats) -> Floats:
    """(P) The last day on which an observation can decide: `last`, but no limit while a count can show follow-up."""
    can_show = ~patient_days.followed(followed_from) & (patient_days.end_of_follow_up(followed_from) < np.inf)
    return np.where(can_show, np.inf, last)


def never_met(why: str) -> PydanticCustomError:
    """The error of an endpoint that no patient could ever meet."""
    return PydanticCustomError("never_met", "{problem}", {"problem": f"can never be met: {why}"})


def _scope(field: FieldInfo) -> Scope | None:
    """What the rule under a key is asked of; None: no rule stands there."""
    # The annotation of a key that may be left out is a union, which holds the marks of its parts.
    marks = [*field.metadata, *(mark for part in get_args(field.annotation) for mark in get_args(part)[1:])]
    return next((mark.scope for mark in marks if isinstance(mark, _AsRule)), None)


class OfVerdicts:
    """The verdicts on endpoints as a rule sees them: true where Y, unknown where NE."""

    def __init__(self, verdicts: VerdictsByName) -> None:
        self.decided: dict[Tree, Truths] = {}
        self._verdicts = verdicts

    def values(self, name: str | AtRow) -> Truths:
        assert isinstance(name, str)  # an endpoint has no rows
        value = self._verdicts[name].value
        return Truths(value == Y, (value != Y) & (value != NE))


def seen_by(of: Scope, patient_days: PatientDays, verdicts: VerdictsByName) -> Observed:
    """What a rule sees that is asked of these."""
    if of == "endpoints":
        return OfVerdicts(verdicts)
    return PatientValues(patient_days) if of == "patients" else patient_days


def defined(model: Endpoint, patient_days: PatientDays) -> Truths:
    """(P) Whether it is defined for the patients: the truth of `only`."""
    if model.only is None:
        return known(np.ones(patient_days.patients, dtype=np.bool_))
    return decide(model.only.tree, PatientValues(patient_days))


def excluded(model: Endpoint, patient_days: PatientDays) -> Bools:
    """(P) The patients whom `only` or `unless` excludes."""
    left_out = ~defined(model, patient_days).true
    if model.unless is not None:
        left_out = left_out | decide(model.unless.tree, PatientValues(patient_days)).true
    return left_out


def without_days(model: Endpoint, patient_days: PatientDays) -> Bools:
    """(P) The patients without a day that the endpoint needs: it is not known."""
    without = np.zeros(patient_days.patients, dtype=np.bool_)
    for day in model.own_days():
        days = patient_days.each(day)
        without |= ~np.isfinite(days) if day in model.single_days() else np.isnan(days)
    return without


def leave_undefined(model: Endpoint, verdict: Verdict, patient_days: PatientDays, reasons: Reasons) -> None:
    """Make the verdict `NA` on the patients for whom the endpoint is not defined, and `NE` where that is unknown."""
    if model.only is None:
        return
    truths, seen = defined(model, patient_days), PatientValues(patient_days)
    patient = np.arange(patient_days.patients)
    failing = causes(model.only.tree, And, seen, np.where(truths.false, patient, NONE), reasons)
    verdict.set(truths.false, verdict.labels.index("NA"), failing)
    why = np.full(patient_days.patients, reasons["not_recorded"])
    if "baseline" in names_in(model.only.tree):
        why[np.isnan(patient_days.baseline.low)] = reasons["baseline_missing"]
    verdict.set(truths.unknown, verdict.labels.index("NE"), why)
    verdict.without_evidence(~truths.true)


def started(
    model: Endpoint,
    patient_days: PatientDays,
    earlier: VerdictsByName,
    reasons: Reasons,
    origin: str | None,
    otherwise: int = N,
) -> tuple[Verdict, Bools]:
    """The verdict as far as it is decided before the kind, and the patients for whom it is still open.

    `unless` decides it, the endpoint `origin` where that is not met, and a day of the patient's own that is not known.

    `otherwise` is the value where `origin` is not met, or `unless` excludes the patient.
    """
    verdict = Verdict.open(patient_days.nowhere)
    open_ = np.ones(patient_days.patients, dtype=np.bool_)
    if origin is not None:
        of_origin = earlier[origin]
        verdict.value = np.array([NE, otherwise, NE, NA], dtype=np.int8)[of_origin.value]
        verdict.reason = of_origin.reason.copy()
        open_ = of_origin.value == Y
    if model.unless is not None:
        left_out = decide(model.unless.tree, PatientValues(patient_days)).true
        verdict.set(left_out, otherwise, reasons[reason(model.unless)])
        open_ = open_ & ~left_out
    if model.own_days():
        without = open_ & without_days(model, patient_days)
        verdict.set(without, NE, reasons["not_recorded"])
        open_ = open_ & ~without
    return verdict, open_


class Occasions(NamedTuple):
    """Rows per patient (P), -1 where there is none."""

    first: Ints
    """The first occasion of those that suffice."""
    last: Ints
    """The last occasion of those that suffice."""
    any: Ints
    """The first good row, whether others follow or not."""


def occasions(
    patient_days: PatientDays,
    good: Bools,
    number: int,
    apart: Length,
    failing: Flagged | None,
    apart_at_most: Length | None = None,
) -> Occasions:
    """Each patient's first of the `good` rows from which the next occasions follow, and the last of these.

    Each occasion is the first good row at least `apart` after the one before, and must not come more than
    `apart_at_most` after it.
    No `failing` row may lie between the first and the last.
    """
    rows = np.flatnonzero(good)
    none = patient_days.nowhere
    if not len(rows):
        return Occasions(none, none, none)
    patient = patient_days.patient[rows]
    opens = np.ones(len(rows), dtype=np.bool_)
    # If any row of a run without a failing row leads to enough occasions, so does the first row of the run, unless
    # the next may come too late after that.
    if apart_at_most is None:
        opens[1:] = patient[1:] != patient[:-1]
    if failing is not None and number > 1:
        run = failing.before[rows]
        opens[1:] |= run[1:] != run[:-1]
    first = np.flatnonzero(opens)
    begun = patient_days.first_by_patient(patient[first], rows[first])
    if number == 1:
        return Occasions(begun, begun, begun)
    owner, met = patient[first], np.ones(len(first), dtype=np.bool_)
    last: Ints = first
    for _ in range(number - 1):
        earliest = patient_days.later(owner, patient_days.day[rows[last]], apart)
        following = _next_at_or_after(patient_days, rows, last, earliest)
        met &= following != NONE
        following = np.maximum(following, first)
        if apart_at_most is not None:
            latest = patient_days.later(owner, patient_days.day[rows[last]], apart_at_most)
            met &= patient_days.day[rows[following]] <= latest
        last = following
    if failing is not None:
        met &= run[last] == run[first]
    owner, first, last = owner[met], rows[first[met]], rows[last[met]]
    return Occasions(patient_days.first_by_patient(owner, first), patient_days.first_by_patient(owner, last), begun)


def occasion_before(
    patient_days: PatientDays, good: Bools, number: int, apart: Length, failing: Flagged | None
) -> Ints:
    """(N) Of each good row that comes too soon after an occasion to be another, the row of that occasion; else -1."""
    before = np.full(len(good), NONE)
    rows = np.flatnonzero(good)
    if not len(rows) or number == 1:
        return before
    patient = patient_days.patient[rows]
    opens = np.append(True, patient[1:] != patient[:-1])
    if failing is not None:
        opens[1:] |= np.diff(failing.before[rows]) > 0
    run = np.cumsum(opens)
    is_occasion = opens.copy()
    current = np.flatnonzero(opens)
    while len(current):  # each step goes to the next occasion of every run at once
        earliest = patient_days.later(patient[current], patient_days.day[rows[current]], apart)
        following = _next_at_or_after(patient_days, rows, current, earliest)
        current = following[(following != NONE) & (run[np.maximum(following, 0)] == run[current])]
        is_occasion[current] = True
    last = np.maximum.accumulate(np.where(is_occasion, np.arange(len(rows)), 0))
    before[rows[~is_occasion]] = rows[last[~is_occasion]]
    return before


def _next_at_or_after(patient_days: PatientDays, rows: Ints, index: Ints, earliest: Ints) -> Ints:
    """The index of the patient's next of these rows after each, on the day `earliest` or later; -1 if none.

    All go one row further at once, then only those that are still too early: visits seldom lie so close.
    """
    day, patient, owner = patient_days.day, patient_days.patient, patient_days.patient[rows[index]]
    end = len(rows)
    index = index + 1
    early = np.flatnonzero((index < end) & (day[rows[np.minimum(index, end - 1)]] < earliest))
    while len(early):
        index[early] += 1
        row = rows[np.minimum(index[early], end - 1)]
        early = early[(index[early] < end) & (patient[row] == owner[early]) & (day[row] < earliest[early])]
    row = rows[np.minimum(index, end - 1)]
    return np.where((index < end) & (patient[row] == owner), index, NONE)


def occasions_in_words(number: int, apart: Length, broken_by: str, at_most: Length | None = None) -> str:
    """The occasions that are asked for, in a few words; empty: one is enough.

    `broken_by` is what an observation between them must not do; empty: it may do anything.
    """
    if number == 1:
        return ""
    limit = "" if at_most is None else f" and at most {at_most}"
    between = f", no observation between them that {broken_by}" if broken_by else ""
    return f"{counted(number, 'occasion')}, at least {apart}{limit} apart{between}"


def inside(patient_days: PatientDays, begin: Ints, end: Ints) -> Bools:
    """Which rows lie in their patient's span."""
    if begin is patient_days.begin and end is patient_days.end:
        return np.ones(len(patient_days.day), dtype=np.bool_)
    has_rows = begin < end
    # Spans of different patients never overlap: outside and inside take turns.
    turns = np.column_stack([begin[has_rows], end[has_rows]]).ravel()
    is_inside = np.arange(len(turns) + 1) % 2 == 1
    return np.repeat(is_inside, np.diff(turns, prepend=0, append=len(patient_days.day)))


def flag_at(flags: Bools, row: Ints) -> Bools:
    """The flag at each row number; false where there is none."""
    return flags[np.maximum(row, 0)] & (row != NONE) if len(flags) else np.zeros(len(row), dtype=np.bool_)


def counts_kept(set_aside: Rule | None, patient_days: PatientDays) -> Flagged:
    """The rows with a count, without those set aside."""
    if set_aside is None:
        return patient_days.counted
    return Flagged(patient_days.has_count & decide(set_aside.tree, patient_days).false)


def discounted_rows(discount: Rule, patient_days: PatientDays, state: Truths) -> Bools:
    """The rows that are no evidence, whatever was not observed on them.

    Where `discount` is true, a row in an unknown state is either discounted or fails.
    Where `discount` is unknown too, that row may be evidence, and is not among these.
    """
    truths = decide(discount.tree, patient_days)
    return (state.true & ~truths.false) | (state.unknown & truths.true)


def nearest(
    patient_days: PatientDays, counts: Flagged, day: Ints, begin: Ints, end: Ints, *, later: bool = True
) -> Ints:
    """The one of these rows in each span that is nearest to the day; -1 if none.

    Of two as near it is the `later`, or else the earlier.
    """
    middle = np.clip(patient_days.at_or_after(day), begin, np.maximum(begin, end))
    after = counts.first_in(middle, end)
    before = counts.last_in(begin, middle)
    to_after = np.where(after == NONE, FAR, patient_days.day_of(after) - day)
    to_before = np.where(before == NONE, FAR, day - patient_days.day_of(before))
    return np.where(to_after <= to_before if later else to_after < to_before, after, before)


def why_unknown(rule: Rule, patient_days: PatientDays, row: Ints, reasons: Reasons) -> Codes:
    """The reason why the rule is unknown at each row; `row` is -1 where it is not asked."""
    at = np.maximum(row, 0)
    why = np.full(len(row), reasons["not_recorded"], dtype=np.int16)
    if not len(patient_days.day):
        return why
    for value in other_rows_in(rule.tree):
        values = numbers(value, patient_days)
        np.putmask(why, (values.low < values.high)[at], reasons["censored_count"])
    for name, word in (("bleeding_grade", "bleeding_not_recorded"), ("baseline", "baseline_missing")):
        for observed in observed_in(rule.tree):
            if observed.name == name:
                np.putmask(why, np.isnan(numbers(observed, patient_days).low[at]), reasons[word])
    return why


def causes(tree: Tree, joint: type[And] | type[Or], observed: Observed, row: Ints, reasons: Reasons) -> Codes:
    """The reason that decides a rule at each row; `row` is -1, and so is the reason, where it is not asked.

    It is the first part that is false of those joined by `and`, and the first that is true of those joined by `or`.
    """
    codes = np.full(len(row), -1, dtype=np.int16)
    asked = np.flatnonzero(row >= 0)
    at = row[asked]
    for part in parts_of(tree, joint):
        truths = decide(part, observed)
        decides = (truths.false if joint is And else truths.true)[at]
        codes[asked[decides & (codes[asked] < 0)]] = reasons[cause(part)]
    return codes
