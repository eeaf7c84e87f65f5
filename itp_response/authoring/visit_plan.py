"""Visit plan: which endpoints a plan of visits can show, from which day on, and which it can never show.

Patients who keep every visit of the plan are simulated and decided. Among them is every patient with one level of
counts up to some visit, another up to a later one, and a third from there on; the same with one bleed, one rescue
treatment or one further event; and some thousand at random. What none of them shows is reported as never shown.

Why these patients suffice: let an endpoint, and those it rests on, ask that counts be high. If any patient shows it,
then so does the patient with low counts before the same first observation and high counts from it on, as every
observation there is in the state and none fails. Where a loss is asked for after that, the patient with low counts
again from the same observation on shows it. Both are among those simulated. For other rules the random patients are
the evidence.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import column_of, in_table, with_empty
from itp_response.cohort.notation import FARTHEST
from itp_response.cohort.observations import Observations, Patients
from itp_response.cohort.values import NONE, Bools, Column, Floats, Ints, Numbers, Texts, Truths, exactly
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load
from itp_response.evaluation.evaluate import evaluate
from itp_response.evaluation.rules.tree import constants_in
from itp_response.evaluation.verdicts import N, Verdict, Y, reason_in_words
from itp_response.explanation.thresholds import clauses_of, limits_beside, limits_of
from itp_response.messages.errors import UsageError
from itp_response.messages.results import DataResult, html_table
from itp_response.messages.wording import counted, labelled

BASELINE = 10.0
"""The baseline of every simulated patient, 10⁹/L."""
RANDOM = 4_000
"""The number of patients simulated at random."""
EARLIEST = 50
"""The number of patients, those with the earliest evidence of an endpoint, in whom its first day is looked for."""
ROWS_AT_ONCE = 2_000_000
MOST_VISITS_SIMULATED = 20_000_000
"""The most visits of all patients whose counts turn: a plan of 84 visits with four levels of counts."""
DIGITS = 9
"""The most digits of a day of a plan."""
ENTRY = re.compile(r"d?(-?\d+)(?:\s*\.\.\s*d?(-?\d+)\s+every\s+(\d+))?")
HOW = "'d0 d7 d14..d364 every 28'"


@dataclass(frozen=True)
class EndpointOnPlan:
    """What a plan can show of one endpoint."""

    endpoint: str
    label: str
    y_from: int | None
    """The earliest day on which it can be `Y` by the observations up to that day; None: never."""
    n_from: int | None
    """The earliest day from which it can be `N` whatever follows; None: never. A day without bleeding, rescue treatment
    or a further event is given where there is one.
    """
    never: str
    """Where it can never be `Y`, the reason for a patient with high counts throughout; else empty."""


@dataclass(frozen=True, repr=False)
class VisitPlan(DataResult):
    """The result of `visit_plan`; printed, it has a line for each endpoint."""

    criteria: Criteria
    days: tuple[int, ...]
    """The days of the visits, in order."""
    shown: tuple[EndpointOnPlan, ...]
    not_asked: tuple[str, ...]
    """The endpoints that give a length, or that sum up others."""
    simulated: int
    """The number of patients that were simulated."""

    def frame(self) -> pl.DataFrame:
        """A row per endpoint: `endpoint`, `label`, `y_from`, `n_from` (days; null: never), `never` (a reason)."""
        columns = {"endpoint": pl.String, "label": pl.String, "y_from": pl.Int64, "n_from": pl.Int64}
        rows = [vars(endpoint) for endpoint in self.shown]
        return pl.DataFrame(rows, schema={**columns, "never": pl.String}).with_columns(
            pl.col("never").replace("", None)
        )

    def _headline(self) -> str:
        days = f"days {self.days[0]} to {self.days[-1]}" if len(self.days) > 1 else f"day {self.days[0]}"
        visits = f"{counted(len(self.days), 'visit')}, {days}"
        return f"{visits}; {self.simulated:,} patients simulated. {self.criteria.response_definition}"

    def _pieces(self) -> Iterator[str]:
        rows = [
            (
                labelled(shown.label, shown.endpoint),
                _y_in_words(shown),
                "never N" if shown.n_from is None else f"N from day {shown.n_from}",
            )
            for shown in self.shown
        ]
        yield html_table(["endpoint", "can be Y", "can be N"], rows)

    def _assumptions(self) -> Iterator[str]:
        yield f"assumed: every visit is kept; the baseline is {BASELINE:g}."

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        days = ", ".join(map(str, self.days))
        yield f"{self.criteria.marked_name}: {self.criteria.file.title}"
        yield f"plan of {counted(len(self.days), 'visit')}, all of them kept: days {days}"
        yield f"a baseline of {BASELINE:g} is given; {self.simulated:,} patients simulated"
        # The reasons for never, which may be long, do not widen the second column.
        width = max((len(shown.endpoint) for shown in self.shown), default=0)
        second = max((len(_y_in_words(shown)) for shown in self.shown if shown.y_from is not None), default=0)
        for shown in self.shown:
            no = "never N" if shown.n_from is None else f"N from day {shown.n_from}"
            yield f"  {shown.endpoint.ljust(width)}  {_y_in_words(shown).ljust(second)}  {no}"
        if self.not_asked:
            yield f"not asked: {', '.join(self.not_asked)}, which tell a length or sum up others"


def _y_in_words(shown: EndpointOnPlan) -> str:
    return f"never Y: {reason_in_words(shown.never)}" if shown.y_from is None else f"Y from day {shown.y_from}"


def visit_plan(
    plan: str | Path | Iterable[int] | None = None, criteria: str | Path | Criteria = "atra_2022"
) -> VisitPlan:
    """Show which endpoints a visit schedule can establish, from which day on, and which it never can.

    Every visit is assumed to be kept.

    Args:
        plan: The days: a list, a text such as `"d0 d7 d14..d364 every 28"`, or a file that holds such a text. None: the
            schedule of the set.
        criteria: A shipped criteria set by its name, a criteria file by its path, or a `Criteria`.

    Returns:
        The first day of `Y` and of `N` for each endpoint.

    Raises:
        UsageError: The plan cannot be read, or has no visit.
        CriteriaError: The criteria cannot be used.

    Examples:
        >>> print(visit_plan("d0 d28 d56", "fit"))
        fit: Fostamatinib in persistent or chronic ITP, FIT-1 and FIT-2
        plan of 3 visits, all of them kept: days 0, 28, 56
        a baseline of 10 is given; 4,044 patients simulated
          stable      never Y: too few visits met  N from day 0
          overall     Y from day 28  never N
          rescue_use  Y from day 0   never N
    """
    definitions = load(criteria)
    days = planned_days(definitions.file.clock.visits if plan is None else plan)
    asked = [name for name, model in definitions.endpoints.items() if model.is_met_or_not]
    levels = _levels(definitions)
    _refuse_too_many(days, levels)
    patients = _simulated(definitions, days, levels)
    decided = _decided(definitions, days, patients)
    first_y = _first_y(definitions, days, patients.at(_showing_early(patients, decided, asked)), asked)
    first_n = _first_n(days, patients, {name: decided[name].value == N for name in asked})
    high = int(np.flatnonzero((patients.turns == 0) & (patients.counts[:, 0] == levels[-1]))[0])
    shown = [
        EndpointOnPlan(
            name,
            definitions.endpoints[name].label,
            first_y[name],
            first_n[name],
            "" if first_y[name] is not None else definitions.reasons.names[decided[name].reason[high]],
        )
        for name in asked
    ]
    not_asked = tuple(name for name in definitions.endpoints if name not in asked)
    return VisitPlan(definitions, tuple(days), tuple(shown), not_asked, len(patients.turns))


def _refuse_too_many(days: list[int], levels: Floats) -> None:
    """Raise an error for a plan whose patients, which grow with the cube of its visits, would exhaust the memory."""
    visits = np.arange(1, len(days) + 1, dtype=np.float64)
    simulated = (visits + 1) * (visits + 2) / 2 * visits * float(len(levels)) ** 3
    most = int((simulated <= MOST_VISITS_SIMULATED).sum())
    if most < len(days):
        limit = f"with {len(levels)} levels of counts told apart, at most {most:,} can be simulated"
        raise UsageError(f"the plan has {len(days):,} visits; {limit}. Write fewer, as in 'd0..d364 every 7'.")


def planned_days(plan: str | Path | Iterable[int]) -> list[int]:
    """The days of a plan, in order, each once.

    >>> planned_days("d0 d7 d14..d70 every 28")
    [0, 7, 14, 42, 70]
    """
    if isinstance(plan, str | Path):
        path = Path(plan)
        text = path.read_text() if len(str(plan)) < 256 and path.is_file() else str(plan)
        days = [day for entry in _entries(text) for day in entry]
    else:
        days = [int(day) for day in plan]
    if not days:
        raise UsageError(f"the plan has no visit; write it as {HOW}.")
    return sorted(set(days))


def _entries(text: str) -> Iterator[range]:
    """The days of each entry of a plan, in the order of the text."""
    start, line = 0, re.sub(r"[,\s]+", " ", text).strip()
    while start < len(line):
        match = ENTRY.match(line, start)
        end = match.end() if match else start
        if not match or line[end : end + 1] not in ("", " "):
            word = line[start:].split()[0]
            raise UsageError(f"plan: {word!r} is not understood; write days as {HOW}.")
        if max(len(part or "") for part in match.groups()) > DIGITS:
            raise UsageError(f"plan: {match[0][:DIGITS]}…: a day has at most {DIGITS} digits.")
        first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        if not step or last < first:
            raise UsageError(
                f"plan: {match[0]!r} has no days; the last comes after the first, and the step is 1 or more."
            )
        if max(abs(first), abs(last)) > FARTHEST:
            raise UsageError(f"plan: {match[0]!r}: a day lies at most {FARTHEST:,} days from day 0.")
        yield range(first, last + 1, step)
        start = end + 1


@dataclass(frozen=True)
class SimulatedPatients:
    """Patients (P) who keep the visits (V) of a plan."""

    counts: Floats
    """(P, V) 10⁹/L"""
    bleeding: Bools
    """(P, V) whether there is bleeding of grade 2"""
    rescue: Bools
    """(P, V) whether rescue treatment is given, on that day alone"""
    event: Ints
    """(P, V) which of the further columns of the visits is true, or a high number, counted from 1; 0: none"""
    always: Bools
    """(P) whether every further column of the patient is true, or a high number"""
    turns: Ints
    """(P) how often the level of counts changes; -1: with an event, or at random"""

    def at(self, positions: Any) -> "SimulatedPatients":
        """The patients at these positions."""
        return SimulatedPatients(*(getattr(self, one.name)[positions] for one in fields(self)))


def _simulated(criteria: Criteria, days: list[int], levels: Floats) -> SimulatedPatients:
    """All patients in whom a plan is tried."""
    turning = _turning(days, levels)
    groups = [turning, *_with_events(criteria, days, turning), _at_random(criteria, days, levels)]
    columns = ([getattr(group, one.name) for group in groups] for one in fields(SimulatedPatients))
    return SimulatedPatients(*map(np.concatenate, columns))


def _levels(criteria: Criteria) -> Floats:
    """A count below every number that rules compare counts with, and a count just above each."""
    limits = limits_of(criteria, BASELINE)
    # A limit that depends on the count of another row is taken where that is on either side of the other limits.
    beside = limits_beside(criteria, BASELINE, [count for limit in limits for count in (limit, limit + 1)])
    whole = np.unique(np.floor([*limits, *beside]))
    return np.unique(np.concatenate([[max(whole[0] - 1, 0.0)], whole + 1]))


def _turning(days: list[int], levels: Floats) -> SimulatedPatients:
    """Patients with each level up to some visit, each up to a later one, and each from there on."""
    size = len(days)
    begins, ends = np.triu_indices(size + 1)
    first, middle, last = (level.ravel() for level in np.meshgrid(levels, levels, levels, indexing="ij"))
    visit = np.arange(size)
    spans = np.select([visit < begins[:, None], visit < ends[:, None]], [0, 1], default=2)
    counts = np.stack([first, middle, last])[spans].transpose(0, 2, 1).reshape(-1, size)
    counts = np.unique(counts, axis=0)
    none, no_event = np.zeros(counts.shape, dtype=np.bool_), np.zeros(counts.shape, dtype=np.int64)
    turns = (np.diff(counts, axis=1) != 0).sum(axis=1)
    return SimulatedPatients(counts, none, none, no_event, np.zeros(len(counts), dtype=np.bool_), turns)


def _with_events(criteria: Criteria, days: list[int], turning: SimulatedPatients) -> Iterator[SimulatedPatients]:
    """Patients of at most one turn with one bleed, one rescue treatment, or one further event at some visit."""
    size = len(days)
    few = turning.at(turning.turns <= 1)
    few = replace(few, turns=np.full(len(few.turns), NONE))
    at_visit = np.tile(np.eye(size, dtype=np.bool_), (len(few.turns), 1))
    per_visit = few.at(np.repeat(np.arange(len(few.turns)), size))
    yield replace(per_visit, bleeding=at_visit)
    yield replace(per_visit, rescue=at_visit)
    events = _events(criteria)
    for number in range(1, len(events) + 1):
        yield replace(per_visit, event=at_visit * number)
    if len(criteria.file.columns) > len(events):
        yield replace(few, always=np.ones(len(few.turns), dtype=np.bool_))


def _events(criteria: Criteria) -> list[str]:
    """The further columns of the visits."""
    return list(in_table(criteria.file.columns, "visits"))


def _at_random(criteria: Criteria, days: list[int], levels: Floats) -> SimulatedPatients:
    draw = np.random.default_rng(0)
    shape = (RANDOM, len(days))
    # Most visits are as the one before, so that states last.
    fresh = draw.random(shape) < draw.choice([0.05, 0.3, 1.0], size=(RANDOM, 1))
    fresh[:, 0] = True
    visit = np.maximum.accumulate(np.where(fresh, np.arange(len(days)), 0), axis=1)
    counts = np.take_along_axis(draw.choice(levels, size=shape), visit, axis=1)
    rare = draw.choice([0.0, 0.03, 0.2], size=(3, RANDOM, 1))
    bleeding, rescue, happens = (draw.random(shape) < share for share in rare)
    event = np.where(happens, draw.integers(0, len(_events(criteria)) + 1, size=shape), 0)
    always = (draw.random(RANDOM) < 0.3) & bool(criteria.file.columns)
    return SimulatedPatients(counts, bleeding, rescue, event, always, np.full(RANDOM, NONE))


def _cohort(criteria: Criteria, days: list[int], patients: SimulatedPatients, visits: int) -> Cohort:
    """The patients up to one of the visits, given by its number, as a cohort."""
    size, high = len(patients.turns), _high_number(criteria)
    patient, visit = (position.ravel() for position in np.indices((size, visits)))
    day = np.array(days)[visit]
    declared = criteria.file.columns
    # A day of the patients' own is each visit of the plan in turn.
    own_days = {day.name for model in criteria.endpoints.values() for day in model.own_days()}
    table = Patients(
        id=pl.Series("patient_id", np.arange(size)).cast(pl.String),
        day_0=np.full(size, np.datetime64("2001-01-01")),
        baseline=exactly(np.full(size, BASELINE)),
        columns={
            name: exactly(np.resize(np.array(days, dtype=np.float64), size))
            if name in own_days
            else _column(with_empty(column_of([None], column), column), patients.always, high)
            for name, column in in_table(declared, "patients").items()
        },
    )
    observed = Observations(
        patient=patient,
        day=day,
        platelets=exactly(patients.counts[patient, visit]),
        bleeding_grade=np.where(patients.bleeding[patient, visit], 2.0, 0.0),
        rescue=patients.rescue[patient, visit],
        rescue_end=day,
        source_row=np.arange(len(day)),
        columns={
            name: _column(
                with_empty(column_of([None], declared[name]), declared[name]),
                patients.event[patient, visit] == number,
                high,
            )
            for number, name in enumerate(_events(criteria), 1)
        },
    )
    return build(table, observed)


def _high_number(criteria: Criteria) -> float:
    """A number above all that the rules compare numbers with, and by more than all of them above 0."""
    return 1 + sum(abs(value) for clause in clauses_of(criteria) for value in constants_in(clause))


def _column(empty: Column, true: Bools, high: float) -> Column:
    """A further column: truths as given, numbers high where true and else 0, texts not known."""
    match empty:
        case Truths():
            return Truths(true, ~true)
        case Numbers():
            return exactly(np.where(true, high, 0.0))
        case Texts():
            return empty.at(np.zeros(len(true), dtype=np.int64))
    raise AssertionError(empty)


@dataclass(frozen=True)
class _Shown:
    """The verdicts on one endpoint, an entry per patient."""

    value: Ints
    last_visit: Ints
    """The number of the visit of the last evidence; -1: none."""
    reason: Ints


def _decided(criteria: Criteria, days: list[int], patients: SimulatedPatients) -> dict[str, _Shown]:
    """The verdicts on every endpoint by all visits."""
    size, step = len(patients.turns), max(1, ROWS_AT_ONCE // len(days))
    parts: dict[str, list[tuple[Any, Any, Any]]] = {name: [] for name in criteria.endpoints}
    for first in range(0, size, step):
        cohort = _cohort(criteria, days, patients.at(slice(first, first + step)), len(days))
        for name, verdict in evaluate(criteria, cohort).items():
            parts[name].append((verdict.value, _last_visit(verdict, cohort), verdict.reason))
    return {
        name: _Shown(*(np.concatenate(column).astype(np.int64) for column in zip(*of_endpoint, strict=True)))
        for name, of_endpoint in parts.items()
    }


def _last_visit(verdict: Verdict, cohort: Cohort) -> Any:
    return np.where(verdict.last_evidence == NONE, NONE, verdict.last_evidence - cohort.first_row[:-1])


def _showing_early(patients: SimulatedPatients, decided: Mapping[str, _Shown], names: Sequence[str]) -> Ints:
    """The patients of at most one turn, and of each endpoint those that show it by the earliest visits."""
    positions = [np.flatnonzero((patients.turns >= 0) & (patients.turns <= 1))]
    for name in names:
        met = np.flatnonzero(decided[name].value == Y)
        positions.append(met[np.argsort(decided[name].last_visit[met], kind="stable")[:EARLIEST]])
    return np.unique(np.concatenate(positions))


def _first_y(
    criteria: Criteria, days: list[int], patients: SimulatedPatients, names: list[str]
) -> dict[str, int | None]:
    """Of each endpoint the earliest day on which one of these patients is `Y` by the observations up to that day."""
    first: dict[str, int | None] = dict.fromkeys(names)
    for visits, day in enumerate(days, 1):
        verdicts = evaluate(criteria, _cohort(criteria, days, patients, visits))
        for name in names:
            if first[name] is None and (verdicts[name].value == Y).any():
                first[name] = day
    return first


def _first_n(days: list[int], patients: SimulatedPatients, is_n: Mapping[str, Bools]) -> dict[str, int | None]:
    """Of each endpoint the earliest day from which a patient is `N` whatever follows; without an event if there is one.

    Patients who are the same up to a day are each other's continuations: `N` is certain where all of them are `N`.
    """
    without_event: dict[str, int | None] = dict.fromkeys(is_n)
    with_event: dict[str, int | None] = dict.fromkeys(is_n)
    for day, group, no_event, one_event in _beginnings(days, patients):
        size = np.bincount(group)
        for name, values in is_n.items():
            certain = (np.bincount(group, weights=values) == size)[group]
            if without_event[name] is None and (certain & no_event).any():
                without_event[name] = day
            if with_event[name] is None and (certain & one_event).any():
                with_event[name] = day
    return {name: with_event[name] if day is None else day for name, day in without_event.items()}


def _beginnings(days: list[int], patients: SimulatedPatients) -> Iterator[tuple[int, Ints, Bools, Bools]]:
    """Each day; per patient the number of the group that is the same up to it; and two kinds of patients up to it.

    Those without an event have at most one turn, and those with one event have none: all their continuations by one
    more turn or event are among the patients simulated.
    """
    levels = np.unique(patients.counts)
    group = patients.always.astype(np.int64)
    turns, events = np.zeros(len(group), dtype=np.int64), group.copy()
    for visit, day in enumerate(days):
        level = np.searchsorted(levels, patients.counts[:, visit])
        happens = (patients.event[:, visit] * 2 + patients.bleeding[:, visit]) * 2 + patients.rescue[:, visit]
        key = (group * len(levels) + level) * (happens.max() + 1) + happens
        group = np.unique(key, return_inverse=True)[1]
        turns += patients.counts[:, visit] != patients.counts[:, max(visit - 1, 0)]
        # Two things on one day are two events: no other patient has both.
        events += np.minimum(patients.event[:, visit], 1) + patients.bleeding[:, visit] + patients.rescue[:, visit]
        yield day, group, (events == 0) & (turns <= 1), (events == 1) & (turns == 0)
