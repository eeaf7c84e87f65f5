"""VisitPlan: what a plan of visits can show of a set of criteria, from when on, and what it never can.

Courses of patients who keep every visit of the plan are made and decided. Among them are all that have one level of
counts up to some visit, another up to a later one, and a third from there on; the same with one bleed, one rescue
treatment or one further event; and some thousand at random. What none of them shows is said never to be shown.

Why that is to be believed: where an endpoint asks that counts be high, and what it rests on does, no course shows it
that is not shown by the one which is low before the same first observation and high from there on, as that has every
observation in the state and none that fails; and where a loss is asked for after that, by the one that is low again
from the same observation on. These are among the courses made. For other rules the courses at random are the evidence.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import column_of, in_table
from itp_response.cohort.observations import Observations
from itp_response.cohort.values import NONE, Bools, Column, Floats, Numbers, Texts, Truths, exactly
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load
from itp_response.evaluation.evaluate import evaluate, is_length
from itp_response.evaluation.verdicts import N, Y, reason_in_words
from itp_response.explanation.counterfactuals.limits import limits_of
from itp_response.messages.errors import UsageError

BASELINE = 10.0
"""10⁹/L, given of every course."""
RANDOM = 4_000
"""So many courses are made at random."""
EARLIEST = 50
"""Of so many courses that show an endpoint earliest it is asked when they do."""
ROWS_AT_ONCE = 2_000_000
PART = re.compile(r"d?(-?\d+)(?:\s*\.\.\s*d?(-?\d+)\s+every\s+(\d+))?")


@dataclass(frozen=True)
class EndpointOnPlan:
    """What a plan can show of one endpoint."""

    endpoint: str
    label: str
    y_from: int | None
    """The earliest day on which it can be `Y`, on what was observed up to it; None: never."""
    n_from: int | None
    """The earliest day from which it can be `N` whatever follows; where that takes no bleeding, rescue treatment or
    further event, without; None: never."""
    never: str
    """Where it can never be `Y`, the reason of a course that is high throughout."""


@dataclass(frozen=True)
class VisitPlan:
    """What `visit_plan` gives."""

    criteria: Criteria
    days: tuple[int, ...]
    shown: tuple[EndpointOnPlan, ...]
    not_asked: tuple[str, ...]
    """Criteria that tell a length or sum up others."""
    courses: int
    """So many were decided."""

    def frame(self) -> pl.DataFrame:
        """A row per endpoint: `endpoint`, `label`, `y_from`, `n_from` (days; null: never), `never` (a reason)."""
        columns = {"endpoint": pl.String, "label": pl.String, "y_from": pl.Int64, "n_from": pl.Int64}
        return pl.DataFrame([vars(one) for one in self.shown], schema={**columns, "never": pl.String}).with_columns(
            pl.col("never").replace("", None)
        )

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        days = ", ".join(map(str, self.days))
        yield f"{self.criteria.marked_name}: {self.criteria.file.title}"
        yield f"plan of {len(self.days)} visits, all of them kept: days {days}"
        yield f"a baseline of {BASELINE:g} is given; {self.courses:,} courses tried"
        width = max(map(len, [one.endpoint for one in self.shown]), default=0)
        said = [
            f"Y from day {one.y_from}" if one.y_from is not None else f"never Y: {reason_in_words(one.never)}"
            for one in self.shown
        ]
        second = max(
            (len(text) for one, text in zip(self.shown, said, strict=True) if one.y_from is not None), default=0
        )
        for one, text in zip(self.shown, said, strict=True):
            no = "never N" if one.n_from is None else f"N from day {one.n_from}"
            yield f"  {one.endpoint.ljust(width)}  {text.ljust(second)}  {no}"
        if self.not_asked:
            yield f"not asked: {', '.join(self.not_asked)}, which tell a length or sum up others"


def visit_plan(plan: Any = None, criteria: Any = "atra_2022") -> VisitPlan:
    """What a plan of visits can show of a set, from when on, and what it never can.

    `plan` is a list of days, a text such as `"d0 d7 d14..d364 every 28"`, a file that holds such a text, or, left out,
    the plan of the set. Raises `UsageError` for a plan that cannot be read or has no visit.
    """
    definitions = criteria if isinstance(criteria, Criteria) else load(criteria)
    days = planned_days(definitions.file.clock.visits if plan is None else plan)
    asked = [name for name, model in definitions.endpoints.items() if not is_length(model) and model.kind != "best"]
    levels = _levels(definitions)
    plain, events = _turning(days, levels), _with_events(definitions, days, levels)
    courses = _joined([plain, events, _at_random(definitions, days, levels)])
    decided = _decided(definitions, days, courses)
    few_turns = np.flatnonzero((courses.turns >= 0) & (courses.turns <= 1))
    earliest = [_earliest(name, decided) for name in asked]
    first_y = _first_y(definitions, days, courses.at(np.unique(np.concatenate([few_turns, *earliest]))), asked)
    first_n = _first_n(days, courses, {name: decided[name][0] == N for name in asked})
    shown = []
    for name in asked:
        top = int(np.flatnonzero((courses.turns == 0) & (courses.counts[:, 0] == levels[-1]))[0])
        reason = definitions.reasons.names[decided[name][2][top]]
        never = reason if first_y[name] is None else ""
        shown.append(EndpointOnPlan(name, definitions.endpoints[name].label, first_y[name], first_n[name], never))
    rest = tuple(name for name in definitions.endpoints if name not in asked)
    return VisitPlan(definitions, tuple(days), tuple(shown), rest, len(courses.turns))


def planned_days(plan: Any) -> list[int]:
    """The days of a plan, in order."""
    if isinstance(plan, str | Path):
        path = Path(plan)
        text = path.read_text() if len(str(plan)) < 256 and path.is_file() else str(plan)
        days = [day for part in _parts(text) for day in part]
    else:
        days = [int(day) for day in plan]
    if not days:
        raise UsageError("the plan has no visit; write it as 'd0 d7 d14..d364 every 28'.")
    return sorted(set(days))


def _parts(text: str) -> Iterator[range | list[int]]:
    place, flat = 0, re.sub(r"[,\s]+", " ", text).strip()
    while place < len(flat):
        match = PART.match(flat, place)
        end = match.end() if match else place
        if not match or flat[end : end + 1] not in ("", " "):
            word = flat[place:].split()[0]
            raise UsageError(f"plan: {word!r} is not understood; write days as 'd0 d7 d14..d364 every 28'.")
        first, last, step = (None if part is None else int(part) for part in match.groups())
        assert first is not None
        if last is None:
            yield [first]
        else:
            if not step or last < first:
                raise UsageError(
                    f"plan: {match[0]!r} has no days; the last comes after the first, and the step is 1 or more."
                )
            yield range(first, last + 1, step)
        place = end + 1


# COURSES


@dataclass(frozen=True)
class SimulatedPatients:
    """Patients (C) who keep the visits (V) of a plan."""

    counts: Floats
    """(C, V) 10⁹/L"""
    bleeding: Bools
    """(C, V) of grade 2"""
    rescue: Bools
    """(C, V) on that day alone"""
    event: NDArray[np.int64]
    """(C, V) which of the further columns of the visits is true, counted from 1; 0: none"""
    always: Bools
    """(C) every further column of truths of the patient is true"""
    turns: NDArray[np.int64]
    """(C) how often the level of counts changes; -1: with an event, or at random"""

    def at(self, index: Any) -> "SimulatedPatients":
        return SimulatedPatients(*(getattr(self, name)[index] for name in vars(self)))


def _joined(parts: list[SimulatedPatients]) -> SimulatedPatients:
    return SimulatedPatients(*(np.concatenate([getattr(one, name) for one in parts]) for name in vars(parts[0])))


def _levels(criteria: Criteria) -> Floats:
    """A count below all that counts are compared with, and one just above each."""
    whole = np.unique(np.floor(limits_of(criteria, BASELINE)))
    return np.unique(np.concatenate([[max(whole[0] - 1, 0.0)], whole + 1]))


def _turning(days: list[int], levels: Floats) -> SimulatedPatients:
    """Each level up to some visit, each up to a later one, each from there on."""
    size = len(days)
    begins, ends = np.triu_indices(size + 1)
    first, middle, last = (one.ravel() for one in np.meshgrid(levels, levels, levels, indexing="ij"))
    visit = np.arange(size)
    spans = np.select([visit < begins[:, None], visit < ends[:, None]], [0, 1], default=2)
    counts = np.stack([first, middle, last])[spans].transpose(0, 2, 1).reshape(-1, size)
    counts = np.unique(counts, axis=0)
    none, no_event = np.zeros(counts.shape, dtype=np.bool_), np.zeros(counts.shape, dtype=np.int64)
    turns = (np.diff(counts, axis=1) != 0).sum(axis=1)
    return SimulatedPatients(counts, none, none, no_event, np.zeros(len(counts), dtype=np.bool_), turns)


def _with_events(criteria: Criteria, days: list[int], levels: Floats) -> SimulatedPatients:
    """Courses of at most one turn with one bleed, one rescue treatment, or one further event at some visit."""
    size = len(days)
    own = _turning(days, levels)
    own = own.at(own.turns <= 1)
    at_visit = np.repeat(np.eye(size, dtype=np.bool_)[None], len(own.turns), axis=0).reshape(-1, size)
    repeated = own.at(np.repeat(np.arange(len(own.turns)), size))
    repeated = replace(repeated, turns=np.full(len(repeated.turns), NONE))
    parts = [replace(repeated, bleeding=at_visit), replace(repeated, rescue=at_visit)]
    parts += [replace(repeated, event=at_visit * number) for number in range(1, len(_events(criteria)) + 1)]
    if len(criteria.file.columns) > len(_events(criteria)):
        always = np.ones(len(own.turns), dtype=np.bool_)
        parts.append(replace(own, turns=np.full(len(own.turns), NONE), always=always))
    return _joined(parts)


def _events(criteria: Criteria) -> list[str]:
    """The further columns of the visits."""
    return list(in_table(criteria.file.columns, "visits"))


def _at_random(criteria: Criteria, days: list[int], levels: Floats) -> SimulatedPatients:
    draw = np.random.default_rng(0)
    shape = (RANDOM, len(days))
    # Most visits are as the one before, so that states last.
    fresh = draw.random(shape) < draw.choice([0.05, 0.3, 1.0], size=(RANDOM, 1))
    fresh[:, 0] = True
    place = np.maximum.accumulate(np.where(fresh, np.arange(len(days)), 0), axis=1)
    counts = np.take_along_axis(draw.choice(levels, size=shape), place, axis=1)
    rare = draw.choice([0.0, 0.03, 0.2], size=(3, RANDOM, 1))
    bleeding, rescue, happens = (draw.random(shape) < share for share in rare)
    event = np.where(happens, draw.integers(0, len(_events(criteria)) + 1, size=shape), 0)
    always = (draw.random(RANDOM) < 0.3) & bool(criteria.file.columns)
    return SimulatedPatients(counts, bleeding, rescue, event, always, np.full(RANDOM, NONE))


def _cohort(criteria: Criteria, days: list[int], courses: SimulatedPatients, until: NDArray[np.int64]) -> Cohort:
    """The courses up to a visit each, the number of its visits, as a cohort."""
    size = len(courses.turns)
    course, visit = np.nonzero(np.arange(len(days)) < until[:, None])
    day = np.array(days)[visit]
    declared = criteria.file.columns
    return build(
        pl.Series("patient_id", np.arange(size)).cast(pl.String),
        Observations(
            patient=course,
            day=day,
            platelets=exactly(courses.counts[course, visit]),
            bleeding_grade=np.where(courses.bleeding[course, visit], 2.0, 0.0),
            rescue=courses.rescue[course, visit],
            rescue_end=day,
            source_row=np.arange(len(day)),
            columns={
                name: _column(column_of([None], declared[name]), courses.event[course, visit] == number)
                for number, name in enumerate(_events(criteria), 1)
            },
        ),
        day_0=np.full(size, np.datetime64("2001-01-01")),
        baseline=exactly(np.full(size, BASELINE)),
        patient_columns={
            name: _column(column_of([None], one), courses.always)
            for name, one in declared.items()
            if one.table == "patients"
        },
    )


def _column(empty: Column, true: Bools) -> Column:
    """A further column: true where so, else as an empty cell; a number 0, a text not known."""
    whole = empty.at(np.zeros(len(true), dtype=np.int64))
    match whole:
        case Truths():
            return Truths(true, ~true)
        case Numbers():
            return exactly(np.zeros(len(true)))
        case Texts():
            return whole
    raise AssertionError(whole)


# WHAT THEY SHOW


Decided = tuple[NDArray[np.int8], NDArray[np.int64], NDArray[np.int64]]
"""Of each course the verdict, the place of its last evidence, and the code of its reason."""


def _decided(criteria: Criteria, days: list[int], courses: SimulatedPatients) -> dict[str, Decided]:
    size, step = len(courses.turns), max(1, ROWS_AT_ONCE // len(days))
    parts: dict[str, list[Decided]] = {name: [] for name in criteria.endpoints}
    for first in range(0, size, step):
        some = courses.at(slice(first, first + step))
        cohort = _cohort(criteria, days, some, np.full(len(some.turns), len(days)))
        for name, verdict in evaluate(criteria, cohort).items():
            evidence = np.where(verdict.last_witness == NONE, NONE, verdict.last_witness - cohort.first_row[:-1])
            parts[name].append((verdict.value, evidence, verdict.reason.astype(np.int64)))
    return {name: tuple(map(np.concatenate, zip(*some, strict=True))) for name, some in parts.items()}  # type: ignore[misc]


def _earliest(name: str, decided: dict[str, Decided]) -> NDArray[np.int64]:
    """The courses that show an endpoint, those whose last evidence comes first."""
    value, evidence, _ = decided[name]
    met = np.flatnonzero(value == Y)
    return met[np.argsort(evidence[met], kind="stable")[:EARLIEST]]


def _first_y(
    criteria: Criteria, days: list[int], courses: SimulatedPatients, names: list[str]
) -> dict[str, int | None]:
    """Of each endpoint the earliest day on which some of these courses is `Y` by what was seen up to it."""
    found: dict[str, int | None] = dict.fromkeys(names)
    for visits, day in enumerate(days, 1):
        verdicts = evaluate(criteria, _cohort(criteria, days, courses, np.full(len(courses.turns), visits)))
        for name in names:
            if found[name] is None and (verdicts[name].value == Y).any():
                found[name] = day
    return found


def _first_n(days: list[int], courses: SimulatedPatients, no: dict[str, Bools]) -> dict[str, int | None]:
    """Of each endpoint the earliest day from which some course is `N` however it goes on.

    Courses that are the same up to a day are each other's continuations. Looked at are beginnings of at most one turn,
    and with an event of none: of these all continuations by a turn or an event more are among the courses.
    """
    plain: dict[str, int | None] = dict.fromkeys(no)
    with_event: dict[str, int | None] = dict.fromkeys(no)
    levels = np.unique(courses.counts)
    same = courses.always.astype(np.int64)
    turns, events = np.zeros(len(same), dtype=np.int64), same.copy()
    for visit, day in enumerate(days):
        level = np.searchsorted(levels, courses.counts[:, visit])
        happens = (courses.event[:, visit] * 2 + courses.bleeding[:, visit]) * 2 + courses.rescue[:, visit]
        key = (same * len(levels) + level) * (happens.max() + 1) + happens
        same = np.unique(key, return_inverse=True)[1]
        turns += courses.counts[:, visit] != courses.counts[:, max(visit - 1, 0)]
        events += happens > 0
        size = np.bincount(same)
        for name, which in no.items():
            sure = (np.bincount(same, weights=which) == size)[same]
            for found, begins in ((plain, (events == 0) & (turns <= 1)), (with_event, (events == 1) & (turns == 0))):
                if found[name] is None and (sure & begins).any():
                    found[name] = day
    return {name: with_event[name] if day is None else day for name, day in plain.items()}
