"""The literal reading: a second, independent reading of the definitions, one patient and one row at a time.

It is written from the text of criteria/README.md, shares nothing with the rest of the package, and is slow on purpose.
The tests and the validation pack hold the engine against it.
"""

from __future__ import annotations

import ast
import calendar
import datetime
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from itertools import product as product_of
from math import floor, inf, isinf, isnan, prod
from typing import Any

Cell = float | str | bool | None


@dataclass(frozen=True)
class Observation:
    """What was seen of a patient at one moment of a day."""

    day: int
    platelets: str | float | None = None
    bleeding_grade: int | None = None
    rescue: bool = False
    rescue_end: int | None = None
    columns: Mapping[str, Cell] = field(default_factory=dict)
    rescue_name: str | None = None
    time: datetime.time | None = None
    """The time of day; None: it is not known."""


@dataclass(frozen=True)
class Patient:
    """A patient: the observations in any order, and what the patient table says."""

    observations: tuple[Observation, ...]
    baseline: str | float | None = None
    treatment_discontinued: int | None = None
    columns: Mapping[str, Cell] = field(default_factory=dict)
    day_0: datetime.date | None = None
    dose_time: datetime.time | None = None
    """The time of day of the dose on day 0; None: it is not known."""


@dataclass(frozen=True)
class LiteralVerdict:
    """The answer of one endpoint, why, and the days of its evidence."""

    value: str
    reason: str
    day: int | None = None
    onset: int | None = None
    confirming: int | None = None
    ended: int | None = None
    days: int | None = None
    of_days: int | None = None


@dataclass(frozen=True)
class Bounds:
    """A number known to lie between two ends, each of which it may or may not reach."""

    low: float
    high: float
    low_in: bool = True
    high_in: bool = True


Value = Bounds | str | bool | None
"""What a name of a rule stands for; None is not known."""
Truths = tuple[tuple[str, bool | None], ...]
"""Comparisons, each as it is written out, and the truth that each is taken to have."""


@dataclass(frozen=True)
class DayRow:
    """All that was observed of the patient on one day."""

    day: int
    platelets: Bounds | None
    bleeding_grade: float | None
    rescue: bool
    days_since_rescue: float
    rescues: Mapping[str, Value]
    columns: Mapping[str, Value]


@dataclass(frozen=True)
class Chart:
    """The patient as the program sees it, beside the file that is read for it."""

    criteria: dict[str, Any]
    rows: tuple[DayRow, ...]
    own: Mapping[str, Value]
    day_0: datetime.date | None
    picked: int | None = None
    """The day of the count that is the baseline, where one count is."""
    behind: Mapping[int, Mapping[str, Value]] = field(default_factory=dict)
    """For each day, the values at other rows that the functions of the file's rules give, by the function as written.

    They are those of the counts as recorded: completions leave them as they are.
    """
    truths: Mapping[int, Truths] = field(default_factory=dict)
    """For each day, the comparisons with a function that were open on it, and the truth that this completion gives."""
    known: dict[tuple[Any, ...], bool | None] = field(default_factory=dict, compare=False, repr=False)
    """The rules asked already, each of a day, its count and truths, and the baseline: completions ask them again."""

    @property
    def terms(self) -> dict[str, str]:
        return dict(self.criteria.get("terms", {}))


Others = Callable[[str], LiteralVerdict]
"""Gives the verdict of another endpoint by its name."""


class TooManyCompletionsError(Exception):
    """More than the literal reading has the patience to look at."""


def verdicts(criteria: dict[str, Any], patient: Patient) -> dict[str, LiteralVerdict]:
    """The verdict of each endpoint of the file, in the file's order.

    A count known only as a bound may be any count within it. Where that leaves a rule unknown on which an endpoint
    rests, the verdict is what is the same of all completions that the patient may have had.
    """
    chart = chart_of(criteria, patient)
    as_known = decided(chart)
    still_open = [name for name in as_known if left_open(chart, name)]
    if not still_open:
        return as_known
    baselines = baselines_tried(chart)
    if number_of_completions(baselines) > MOST:
        return as_known | dict.fromkeys(still_open, OF_TOO_MANY)
    each = [decided(completion) for completion in completions(baselines)]
    return as_known | {name: same([one[name] for one in each]) for name in still_open}


def decided(chart: Chart) -> dict[str, LiteralVerdict]:
    """The verdicts on one completion."""
    known: dict[str, LiteralVerdict] = {}

    def verdict_of(name: str) -> LiteralVerdict:
        if name not in known:
            known[name] = judge(chart, chart.criteria[name], verdict_of)
        return known[name]

    return {name: verdict_of(name) for name in endpoint_names(chart.criteria)}


def same(verdicts: Sequence[LiteralVerdict], reason: str = "censored_count") -> LiteralVerdict:
    """What all of them say; NE where they do not give the same value, and that reason where not the same."""
    first = verdicts[0]
    if any(verdict.value != first.value for verdict in verdicts):
        return LiteralVerdict("NE", reason)
    agreed = {
        field.name: getattr(first, field.name)
        for field in fields(LiteralVerdict)
        if all(getattr(verdict, field.name) == getattr(first, field.name) for verdict in verdicts)
    }
    return LiteralVerdict(**{"value": first.value, "reason": reason, **agreed})


# The completions of a patient: what may have been observed, where counts are known only as bounds.

MOST = 10_000
"""With more completions than these, what a bound leaves open is NE."""
OF_TOO_MANY = LiteralVerdict("NE", "censored_count")
PATIENCE = 50
"""The most completions of each baseline that are decided here; others of fewer than MOST are not read."""
RULES = ("when", "discount", "closed_by", "set_aside", "at_once")
OF_PATIENTS = ("only", "unless")


@dataclass(frozen=True)
class RowTried:
    """A row with one of the counts that it may have had, and the truths that each comparison open on it may have."""

    row: DayRow
    open: Mapping[str, tuple[bool | None, ...]]

    @property
    def number(self) -> int:
        """Of the ways in which the open comparisons may be true or false."""
        return prod(map(len, self.open.values()))

    def ways(self) -> Iterator[tuple[DayRow, Truths]]:
        """The row with each of these."""
        for truths in product_of(*self.open.values()):
            yield self.row, tuple(zip(self.open, truths, strict=True))


@dataclass(frozen=True)
class BaselineTried:
    """The chart with one of the baselines that it may have had, and for each of its rows what is tried of it."""

    chart: Chart
    each_row: Sequence[Sequence[RowTried]]

    @property
    def number(self) -> int:
        """Of the completions with this baseline: on every row by itself."""
        return prod(sum(tried.number for tried in of_row) for of_row in self.each_row)

    def completions(self) -> Iterator[Chart]:
        """One for each of the counts and truths of open comparisons."""
        for taken in product_of(*([way for tried in of_row for way in tried.ways()] for of_row in self.each_row)):
            rows = tuple(row for row, _ in taken)
            yield replace(self.chart, rows=rows, truths={row.day: truths for row, truths in taken})


def baselines_tried(chart: Chart) -> list[BaselineTried]:
    """Each baseline, with the counts and truths of open comparisons that rules could tell from each other."""
    return [BaselineTried(one, [rows_tried(one, row) for row in one.rows]) for one in with_baselines(chart)]


def number_of_completions(baselines: Iterable[BaselineTried]) -> int:
    """Of all baselines."""
    return sum(baseline.number for baseline in baselines)


def completions(baselines: Sequence[BaselineTried]) -> Iterator[Chart]:
    """Those of all baselines, where they are not too many to decide."""
    if any(baseline.number > PATIENCE for baseline in baselines):
        raise TooManyCompletionsError
    for baseline in baselines:
        yield from baseline.completions()


def rows_tried(chart: Chart, row: DayRow) -> list[RowTried]:
    """The row with each of the counts that rules could tell from each other."""
    rows = [replace(row, platelets=count) for count in counts_tried(chart, row)]
    return [RowTried(one, open_comparisons(chart, one)) for one in rows]


def open_comparisons(chart: Chart, row: DayRow) -> dict[str, tuple[bool | None, ...]]:
    """The comparisons that are open on a row on which a rule with them is unknown, and the truths that each is given.

    Each is true and false, and unknown as well where it divides by anything but a number.
    """
    unknown = [rule for rule in rules_of_rows(chart) if state(chart, rule, row) is None]
    found: dict[str, tuple[bool | None, ...]] = {}
    for rule in unknown:
        for written, comparison in comparisons_with_functions(rule, as_pairs(chart.terms)).items():
            if is_open(chart, comparison, row):
                found[written] = (True, False, None) if divides_by_no_number(comparison) else (True, False)
    return found


def is_open(chart: Chart, comparison: ast.Compare, row: DayRow) -> bool:
    """Is it unknown although all that it names has a value on the row, that of a function only within bounds?"""
    names = row_names(chart, row)
    functions = [names[ast.unparse(node)] for node in ast.walk(comparison) if isinstance(node, ast.Call)]
    others = [names[name] for name in names_in(comparison, {}, functions=False)]
    return (
        truth_of(comparison, names, {}) is None
        and None not in [*functions, *others]
        and any(isinstance(value, Bounds) and value.low != value.high for value in functions)
    )


def divides_by_no_number(comparison: ast.Compare) -> bool:
    """Does it divide by anything but a number as written?"""
    divisions = [node for node in ast.walk(comparison) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)]
    return any(not re.fullmatch(r"-?[\d.]+", ast.unparse(node.right)) for node in divisions)


def with_baselines(chart: Chart) -> list[Chart]:
    """The completions by baseline. Where that is the last count before treatment, it is this count that is meant."""
    baseline = chart.own["baseline"]
    if not isinstance(baseline, Bounds) or baseline.low == baseline.high or not baseline_matters(chart):
        return [chart]
    unknown = [row for row in chart.rows if None in rule_truths(chart, row)]
    edges = [edge for row in unknown if row.platelets for edge in (row.platelets.low, row.platelets.high)]
    marks = {
        (count - more) / times
        for count in {*numbers_of(chart), *edges, *(number for row in unknown for number in numbers_behind(chart, row))}
        for more in added(chart)
        for times in multiplied(chart)
        if times and not isinf(count)
    }
    charts = []
    for value in between(marks, baseline):
        rows = chart.rows
        if chart.picked is not None:
            rows = tuple(replace(row, platelets=value) if row.day == chart.picked else row for row in rows)
        charts.append(replace(chart, rows=rows, own={**chart.own, "baseline": value}))
    # Of baselines that no rule tells from each other, whatever the counts of the rows are, one is enough.
    positions = [*(chart.rows.index(row) for row in unknown)]
    told_apart = {}
    for completion in charts:
        unlike = [completion.rows[position] for position in positions]
        told_apart[str([truths_tried(completion, row) for row in (*unlike, None)])] = completion
    if len(told_apart) > PATIENCE:
        raise TooManyCompletionsError
    return list(told_apart.values())


def left_open(chart: Chart, name: str) -> bool:
    """Does a bound leave a rule of the endpoint unknown, or of one that it is decided from?"""
    baseline = chart.own["baseline"]
    wide = isinstance(baseline, Bounds) and baseline.low != baseline.high
    rows = [row for row in chart.rows if wide or (row.platelets and row.platelets.low != row.platelets.high)]
    own = alone(chart, name)
    if any(None in rule_truths(own, row) for row in (*rows, *([None] if wide else []))):
        return True
    return any(open_comparisons(own, row) for row in own.rows)


def alone(chart: Chart, name: str) -> Chart:
    """The chart of an endpoint and of those that it is decided from: the others are not in its file."""
    names = endpoint_names(chart.criteria)
    kept: list[str] = []
    asked = [name]
    while asked:
        one = asked.pop()
        kept.append(one)
        table = chart.criteria[one]
        named = set(re.findall(r"\w+", str([table.get(key) for key in REFERENCES])))
        if table["kind"] == "combined":
            named |= set(re.findall(r"\w+", table["when"]))
        asked += [other for other in names if other in named and other not in (*kept, *asked)]
    return replace(chart, criteria={**chart.criteria, **dict.fromkeys(set(names) - set(kept))})


REFERENCES = ("from", "after", "until", "to", "of", "censored", "competing")


def baseline_matters(chart: Chart) -> bool:
    """Does the bound leave any rule unknown?"""
    return any(None in rule_truths(chart, row) for row in (*chart.rows, None))


def counts_tried(chart: Chart, row: DayRow) -> list[Bounds | None]:
    """The counts of a row that rules could tell from each other."""
    if row.platelets is None or row.platelets.low == row.platelets.high:
        return [row.platelets]
    if None not in rule_truths(chart, row):
        return [row.platelets]
    baseline = chart.own["baseline"]
    own = baseline.low if isinstance(baseline, Bounds) else 0.0
    numbers = (own, *numbers_of(chart), *numbers_behind(chart, row))
    marks = {times * count + more for count in numbers for times in multiplied(chart) for more in added(chart)}
    marks |= {count / times for count in numbers for times in multiplied(chart) if times}
    told_apart: dict[tuple[bool | None, ...], Bounds | None] = {}
    for count in between(marks, row.platelets):
        told_apart.setdefault(told_apart_by(chart, replace(row, platelets=count)), count)
    return list(told_apart.values())


def numbers_behind(chart: Chart, row: DayRow) -> set[float]:
    """The finite ends of the values that functions give at a row; where one stands beside another, sums of them too."""
    values = [value for value in chart.behind[row.day].values() if isinstance(value, Bounds)]
    ends = {end for value in values for end in (value.low, value.high) if not isinf(end)}
    baseline = chart.own["baseline"]
    several = [*ends, *((baseline.low, baseline.high) if isinstance(baseline, Bounds) else ())]
    if not any(names_several(one) for one in all_comparisons_with_functions(chart).values()):
        return ends
    times = {0.0, *multiplied(chart)}
    scaled = {factor * number for factor in times for number in several if not isinf(number)}
    return ends | {one + two for one in scaled for two in scaled} | {one - two for one in scaled for two in scaled}


def names_several(comparison: ast.Compare) -> bool:
    """Does it name the count of the row, and two other numbers that are no constants?"""
    functions = [node for node in ast.walk(comparison) if isinstance(node, ast.Call)]
    named = list(names_in(comparison, {}, functions=False))
    return "platelets" in named and len(functions) + named.count("baseline") > 1


def truths_tried(chart: Chart, row: DayRow | None) -> list[tuple[bool | None, ...]]:
    """What the counts of a row can give of that by which they are told apart."""
    if row is None:
        return [rule_truths(chart, row)]
    truths = {told_apart_by(chart, replace(row, platelets=count)) for count in counts_tried(chart, row)}
    return sorted(truths, key=str)


def told_apart_by(chart: Chart, row: DayRow | None) -> tuple[bool | None, ...]:
    """The truth of every rule at a row, and of every comparison with a function."""
    if row is None:
        return rule_truths(chart, row)
    names = row_names(chart, row)
    comparisons = all_comparisons_with_functions(chart).values()
    return *rule_truths(chart, row), *(truth_of(one, names, {}) for one in comparisons)


def rule_truths(chart: Chart, row: DayRow | None) -> tuple[bool | None, ...]:
    """The truth of every rule at a row; without a row, of those over patients."""
    if row is None:
        tables = [chart.criteria[name] for name in endpoint_names(chart.criteria)]
        return tuple(truth(one[key], chart.own, chart.terms) for one in tables for key in OF_PATIENTS if key in one)
    return tuple(state(chart, rule, row) for rule in rules_of_rows(chart))


def rules_of_rows(chart: Chart) -> list[str]:
    """The rules over rows of the file's endpoints, each once."""
    tables = [chart.criteria[name] for name in endpoint_names(chart.criteria)]
    return list({one[key]: None for one in tables if one["kind"] != "combined" for key in RULES if key in one})


def all_comparisons_with_functions(chart: Chart) -> dict[str, ast.Compare]:
    """Those of all rules over rows of the file."""
    terms = as_pairs(chart.terms)
    return {
        written: comparison
        for rule in rules_of_rows(chart)
        for written, comparison in comparisons_with_functions(rule, terms).items()
    }


def between(marks: Iterable[float], bounds: Bounds) -> list[Bounds]:
    """The marks within the bounds, their ends, and one number between any two of these."""
    top = max([bounds.low, *(mark for mark in marks if not isinf(mark))]) * 2 + 1 if isinf(bounds.high) else bounds.high
    edges = sorted({bounds.low, top, *(mark for mark in marks if bounds.low < mark < top)})
    inside = [
        edge
        for edge in edges
        if (edge > bounds.low or bounds.low_in) and (edge < bounds.high or bounds.high_in or isinf(bounds.high))
    ]
    return [point(value) for value in sorted([*inside, *((one + two) / 2 for one, two in pairwise(edges))])]


def numbers_of(chart: Chart) -> set[float]:
    """The numbers in the file's rules."""
    return numbers_below(chart, ast.AST)


def multiplied(chart: Chart) -> set[float]:
    """The numbers that something is multiplied or divided by, and 1; those that a quotient is compared with too."""
    numbers = {1.0, *numbers_below(chart, ast.Mult), *numbers_below(chart, ast.Div)}
    return numbers.union(*map(numbers_beside_quotients, rule_texts(chart)))


def added(chart: Chart) -> set[float]:
    """The numbers that are added to something or taken from it, either way, and 0."""
    numbers = numbers_below(chart, ast.Add) | numbers_below(chart, ast.Sub)
    return {0.0, *numbers, *(-number for number in numbers)}


def numbers_below(chart: Chart, operator: type[ast.AST]) -> set[float]:
    """The numbers in the file's rules, or those that stand on a side of that operator."""
    return set().union(*(numbers_in(text, operator.__name__) for text in rule_texts(chart)))


def rule_texts(chart: Chart) -> list[str]:
    """The rules of the file and its terms, as written."""
    tables = [chart.criteria[name] for name in endpoint_names(chart.criteria)]
    texts = [one[key] for one in tables for key in (*RULES, *OF_PATIENTS) if isinstance(one.get(key), str)]
    return [*texts, *chart.terms.values()]


@cache
def numbers_beside_quotients(rule: str) -> frozenset[float]:
    """The numbers that a rule compares a quotient with."""
    compared = [node for node in ast.walk(parsed(rule)) if isinstance(node, ast.Compare)]
    sides = [[node.left, *node.comparators] for node in compared]
    beside = [side for these in sides if any(isinstance(side, ast.BinOp) for side in these) for side in these]
    divides = any(isinstance(node, ast.Div) for node in ast.walk(parsed(rule)))
    values = [side.value for side in beside if isinstance(side, ast.Constant)] if divides else []
    return frozenset(float(value) for value in values if isinstance(value, int | float))


@cache
def numbers_in(rule: str, operator: str) -> frozenset[float]:
    """The same of one rule."""
    nodes = list(ast.walk(parsed(rule)))
    if operator != "AST":
        sums = [node for node in nodes if isinstance(node, ast.BinOp) and type(node.op).__name__ == operator]
        nodes = [side for node in sums for side in (node.left, node.right)]
    values = [node.value for node in nodes if isinstance(node, ast.Constant)]
    return frozenset(float(value) for value in values if isinstance(value, int | float))


def endpoint_names(criteria: dict[str, Any]) -> list[str]:
    """An endpoint is a top-level table that has a kind."""
    return [name for name, table in criteria.items() if isinstance(table, dict) and isinstance(table.get("kind"), str)]


def judge(chart: Chart, endpoint: dict[str, Any], others: Others) -> LiteralVerdict:
    """`only` is looked at first, then `unless`, then what another endpoint could not give, then the patient's days.

    Then the kind.
    """
    kind = endpoint["kind"]
    not_concerned = of_the_patient(chart, endpoint)
    if not_concerned is not None:
        return not_concerned
    for key in ("from", "after"):
        if key in endpoint:
            settled = taken_over(others(endpoint[key]), kind)
            if settled is not None:
                return settled
    of_this_patient = with_own_days(chart, endpoint)
    if of_this_patient is None:
        return LiteralVerdict("NE", "not_recorded")
    return KINDS[kind](chart, of_this_patient, others)


def of_the_patient(chart: Chart, endpoint: dict[str, Any]) -> LiteralVerdict | None:
    """What `only` and `unless` say of the patient, whatever was observed; None: nothing."""
    if "only" in endpoint:
        concerned = truth(endpoint["only"], chart.own, chart.terms)
        if concerned is False:
            return LiteralVerdict("NA", what_failed(chart, endpoint["only"], chart.own))
        if concerned is None:
            named = set(names_in(parsed(endpoint["only"]), chart.terms))
            no_baseline = "baseline" in named and chart.own["baseline"] is None
            return LiteralVerdict("NE", "baseline_missing" if no_baseline else "not_recorded")
    if "unless" in endpoint and truth(endpoint["unless"], chart.own, chart.terms) is True:
        value = "NA" if endpoint["kind"] in ("lost", "time_to") else "N"
        return LiteralVerdict(value, name_of_rule(chart, endpoint["unless"]))
    return None


def taken_over(other: LiteralVerdict, kind: str) -> LiteralVerdict | None:
    """Where the other is NE it is NE; where N, N (NA for lost and time_to); where NA, NA; with its reason."""
    if other.value == "NE":
        return LiteralVerdict("NE", other.reason)
    if other.value == "N":
        return LiteralVerdict("NA" if kind in ("lost", "time_to") else "N", other.reason)
    if other.value == "NA":
        return LiteralVerdict("NA", other.reason)
    return None


# Days that depend on the patient.

DAY_KEYS = ("day", "days", "by", "evidence_by", "followed_from", "visits")


def with_own_days(chart: Chart, endpoint: dict[str, Any]) -> dict[str, Any] | None:
    """The endpoint with the patient's own days in the place of the names; None where one of them is unknown."""
    keys = [*DAY_KEYS]
    keys += ["within"] if endpoint["kind"] == "at" else []
    keys += ["until"] if endpoint["kind"] == "maintained" else []
    mine = dict(endpoint)
    for key in keys:
        if key not in endpoint:
            continue
        written = endpoint[key]
        listed = written if isinstance(written, list | tuple) else [written]
        days = [own_day(chart, day) if isinstance(day, str) else day for day in listed]
        is_a_visit = key == "visits" or key == "day"
        if any(day is None or (is_a_visit and isinf(day)) for day in days):
            return None
        mine[key] = days if isinstance(written, list | tuple) else days[0]
    return mine


def own_day(chart: Chart, written: str) -> float | None:
    """The patient's number, plus or minus what is written beside it; None where it is not known."""
    value = value_of(parsed(written), chart.own, {})
    if not isinstance(value, Bounds) or value.low != value.high:
        return None
    return int(value.low) if value.low.is_integer() else value.low


def cause_of_missing(chart: Chart, endpoint: dict[str, Any], planned: float) -> str | None:
    """The name in `missing_after` of what happened first by the planned day; of one day, the first written."""
    happened = []
    for name in endpoint.get("missing_after", {}):
        value = chart.own[name]
        if isinstance(value, Bounds) and value.low == value.high and not isinf(value.low) and value.low <= planned:
            happened.append((value.low, name))
    return min(happened, key=lambda one: one[0])[1] if happened else None


# The kinds.


def achieved(chart: Chart, endpoint: dict[str, Any], others: Others) -> LiteralVerdict:
    """Reached on so many occasions.

    Met: the earliest row in the state from which the next occasions follow, each the first row in the state at
    least `apart` after the one before; with "unbroken", without a failing row on the way.
    A row on which `at_once` is true, and that is not discounted, meets it by itself, if no such occasions begin
    earlier.
    Not met: N where `closed_by` closed it (that row ended it), or `until` came, or the patient was followed to the
    end and would not have met it either if the rows that may meet it had been evidence (and, where `without_counts`
    is NE, has a count in the rows looked at); else NE.
    """
    closing = closing_row(chart, endpoint)
    until = until_day(endpoint, others)
    rows = rows_looked_at(chart, endpoint, others, closing, until)
    states = [(row.day, evidence(chart, endpoint, row)) for row in rows]
    met = find_occasions(chart, endpoint, states, "anything")
    alone = [
        row for row in rows if meets_alone(chart, endpoint, row) is True and not is_washed_out(chart, endpoint, row)
    ]
    if alone and (met is None or alone[0].day <= met[0]):
        return LiteralVerdict("Y", "met", day=alone[0].day, onset=alone[0].day)
    if met is not None:
        first, last = met
        confirming = last if endpoint.get("occasions", 1) > 1 else None
        day = last if endpoint.get("dated_by", "first") == "confirming" else first
        return LiteralVerdict("Y", "met", day=day, onset=first, confirming=confirming)
    if closing is not None:
        return LiteralVerdict("N", name_of_rule(chart, endpoint["closed_by"]), ended=closing.day)
    open_rows = [row for row in rows if may_meet(chart, endpoint, row) or may_meet_alone(chart, endpoint, row)]
    uncounted = all(row.platelets is None for row in rows)
    if until is not None:
        return LiteralVerdict("N", why_not_achieved(chart, endpoint, rows))
    if uncounted and endpoint.get("without_counts", "N") == "NE":
        return LiteralVerdict("NE", "no_counts")
    if followed_to_the_end(chart, endpoint) and not could_have_met(chart, endpoint, rows, open_rows):
        return LiteralVerdict("N", why_not_achieved(chart, endpoint, rows))
    if uncounted:
        return LiteralVerdict("NE", "no_counts")
    if not followed_to_the_end(chart, endpoint):
        return LiteralVerdict("NE", "follow_up_ended")
    return LiteralVerdict("NE", why_unknown(chart, endpoint, open_rows[0]))


def maintained(chart: Chart, endpoint: dict[str, Any], others: Others) -> LiteralVerdict:
    """Kept for a time, or until a landmark.

    The span is from the start to the start plus `for`, or to the second of the two days of `until`, both included.
    With `by` the span must end by that day, else N.
    A failing row in the span: N, the row ended it.
    Otherwise the first row on or after the end of the span and not after `evidence_by` (with `until`: in the pair
    of days, and in the span) that is in the state or fails is the evidence.
    If it fails: N, as above. If there is none: NE; because of what is unknown of the first row with a count on those
    days, else of no counts there where the patient has one on the first of those days or later, else because
    follow-up ended. If it is in the state: the rows in the state from the first in
    the span to it must lie at most `max_gap` apart: then Y, and it is the confirming row; else NE.
    """
    start = start_of(endpoint, others)
    if "until" in endpoint:
        evidence_from, end = endpoint["until"]
        evidence_by = end
        evidence_from = max(evidence_from, start)
    else:
        end = later(chart, start, endpoint["for"])
        evidence_from, evidence_by = end, endpoint.get("evidence_by", inf)
        if end > endpoint.get("by", inf):
            return LiteralVerdict("N", "too_late", onset=start)
    states = [(row, state(chart, endpoint["when"], row)) for row in chart.rows if row.day >= start]
    for row, holds in states:
        if row.day <= end and holds is False:
            return ended_by(chart, endpoint, start, row)
    shown = [(row, holds) for row, holds in states if evidence_from <= row.day <= evidence_by and holds is not None]
    if not shown:
        counted = [row for row, _ in states if row.platelets is not None and row.day >= evidence_from]
        if counted and counted[0].day <= evidence_by:
            return replace(LiteralVerdict("NE", why_unknown(chart, endpoint, counted[0])), onset=start)
        return LiteralVerdict("NE", "no_counts" if counted else "follow_up_ended", onset=start)
    last, holds = shown[0]
    if holds is False:
        return ended_by(chart, endpoint, start, last)
    good_days = [row.day for row, holds in states if holds is True and row.day <= last.day]
    if has_gap(chart, endpoint, good_days):
        return LiteralVerdict("NE", "gap_in_counts", onset=start)
    return LiteralVerdict("Y", "met", day=last.day, onset=start, confirming=last.day)


def lost(chart: Chart, endpoint: dict[str, Any], others: Others) -> LiteralVerdict:
    """The first observation in a state, after a moment.

    Only rows after the last evidence of `after` and not after `by`. Y with the day of the first row in the state
    (from which the next occasions follow, where it must be confirmed); else N where the patient was followed to the
    end, else NE. A row on which `at_once` is true is a loss by itself, and stands unless a confirmed one began earlier.
    """
    after = others(endpoint["after"])
    last_evidence = max(day for day in (after.onset, after.confirming, after.ended) if day is not None)
    rows = [row for row in chart.rows if last_evidence < row.day <= endpoint.get("by", inf)]
    states = [(row.day, state(chart, endpoint["when"], row)) for row in rows]
    met = find_occasions(chart, endpoint, states, "unbroken")
    alone = [row for row in rows if "at_once" in endpoint and state(chart, endpoint["at_once"], row) is True]
    if alone and (met is None or alone[0].day <= met[0]):
        day = alone[0].day
        why = what_was_true(chart, endpoint["at_once"], alone[0])
        return LiteralVerdict("Y", why, day=day, onset=after.onset, ended=day)
    if met is None:
        if followed_to_the_end(chart, endpoint):
            return LiteralVerdict("N", "not_lost")
        return LiteralVerdict("NE", "follow_up_ended")
    first, last = met
    row = next(row for row in rows if row.day == first)
    return LiteralVerdict(
        "Y",
        what_was_true(chart, endpoint["when"], row),
        day=first,
        onset=after.onset,
        confirming=last if endpoint.get("occasions", 1) > 1 else None,
        ended=first,
    )


def time_to(chart: Chart, endpoint: dict[str, Any], others: Others) -> LiteralVerdict:
    """The days from `from` (day 0 if left out) to the event, to a competing event, or to the censoring moment.

    Y with the event, where it comes by the censoring moment and no competing event comes on an earlier day. N for a
    competing event by that moment, with its name, and N, censored, at the moment. NE where the patient has no moment.
    Where nothing is censored: NA without the event (NE where it is NE), with its reason.
    """
    start, onset = 0, None
    if "from" in endpoint:
        other = others(endpoint["from"])
        start, onset = day_of(other), other.onset
    to = others(endpoint["to"])
    event = day_of(to) if to.value == "Y" else None
    if "censored" not in endpoint:
        if event is None:
            return LiteralVerdict("NE" if to.value == "NE" else "NA", to.reason)
        return LiteralVerdict("Y", "event", day=event, onset=onset, ended=event, days=event - start)
    name, moment = censoring_moment(chart, endpoint, others, start)
    last = inf if moment is None or name == "last_count" else moment
    if event is not None and event > last:
        event = None
    by = endpoint.get("by", inf)
    came = {other: day_of(others(other)) for other in endpoint.get("competing", ()) if others(other).value == "Y"}
    came = {other: day for other, day in came.items() if start <= day <= last}
    came = {other: day for other, day in came.items() if (day <= by if event is None else day < event)}
    if came:
        first = min(came, key=lambda other: came[other])
        return ended_on(chart, LiteralVerdict("N", first, day=came[first], onset=onset, days=came[first] - start))
    if event is not None:
        return LiteralVerdict("Y", "event", day=event, onset=onset, ended=event, days=event - start)
    if moment is None:
        moments = listed_moments(endpoint)
        return LiteralVerdict("NE", "no_counts" if "last_count" in moments else "not_recorded")
    day = moment if moment <= by else floor(by)
    return ended_on(chart, LiteralVerdict("N", "censored", day=day, onset=onset, days=day - start))


def ended_on(chart: Chart, verdict: LiteralVerdict) -> LiteralVerdict:
    """The verdict, ended by the row of its day, where there is one."""
    return replace(verdict, ended=verdict.day) if any(row.day == verdict.day for row in chart.rows) else verdict


def listed_moments(endpoint: dict[str, Any]) -> list[str]:
    """The censoring moments, as they are written: one or several."""
    censored = endpoint["censored"]
    return [censored] if isinstance(censored, str) else list(censored)


def censoring_moment(chart: Chart, endpoint: dict[str, Any], others: Others, start: int) -> tuple[str, int | None]:
    """The first of the moments that the patient has, and its day; no day where there is none."""
    by = endpoint.get("by", inf)
    for name in listed_moments(endpoint):
        if name == "last_count":
            # A count from before the clock started cannot end it: the time would be negative.
            counted = [row.day for row in chart.rows if row.platelets is not None and start <= row.day <= by]
            if counted:
                return name, counted[-1]
            continue
        if name in endpoint_names(chart.criteria):
            other = others(name)
            day = day_of(other) if other.value == "Y" else None
        else:
            value = own_day(chart, name)
            day = None if value is None or isinf(value) else floor(value)
        if day is not None and day >= start and by >= start:
            return name, day
    return "", None


def best(chart: Chart, endpoint: dict[str, Any], others: Others) -> LiteralVerdict:
    """The first endpoint of the ranked list that is Y gives its name, or the name put before it.

    If none is Y and all are N or NA: `otherwise`. Else NE. The reason is that of the endpoint that gave the name;
    for `otherwise`, of the last; for NE, of the last that is NE. Where `unknown` is "leaves_it_open", it is NE too
    where one before the first Y is NE, and the reason is that of the last of these.
    """
    ranked = [next(iter(item.items())) if isinstance(item, dict) else (item, item) for item in endpoint["of"]]
    verdicts_by_name = [(name, others(behind)) for name, behind in ranked]
    for position, (name, verdict) in enumerate(verdicts_by_name):
        if verdict.value == "Y":
            better_open = [better for _, better in verdicts_by_name[:position] if better.value == "NE"]
            if better_open and endpoint.get("unknown") == "leaves_it_open":
                return LiteralVerdict("NE", better_open[-1].reason)
            return LiteralVerdict(name, verdict.reason)
    for _, verdict in reversed(verdicts_by_name):
        if verdict.value == "NE":
            return LiteralVerdict("NE", verdict.reason)
    return LiteralVerdict(endpoint.get("otherwise", "N"), verdicts_by_name[-1][1].reason)


def at(chart: Chart, endpoint: dict[str, Any], others: Others) -> LiteralVerdict:
    """The state at a landmark.

    `day` and `within` are days since day 0, or since the day of `from`. Of the rows with a count on a day of
    `within`, both ends included, the one nearest to the landmark is chosen (of two as near, the later), or the first,
    or the last. Y where its state holds, N where it fails, NE where it is unknown or there is no such row.
    But where `closed_by` is true on a row after the day counted from and not after the row chosen (not after the last
    day of `within`, where none is chosen), it is N, and the first such row ended it.
    """
    start = day_of(others(endpoint["from"])) if "from" in endpoint else 0
    first, last = (start + day for day in endpoint["within"])
    chosen = row_taken(
        not_set_aside(chart, endpoint), start + endpoint["day"], first, last, endpoint.get("which", "nearest")
    )
    if "closed_by" in endpoint:
        closing_until = last if chosen is None else chosen.day
        for row in chart.rows:
            if start < row.day <= closing_until and state(chart, endpoint["closed_by"], row) is True:
                return LiteralVerdict("N", name_of_rule(chart, endpoint["closed_by"]), ended=row.day)
    if chosen is None:
        return missing_landmark(chart, endpoint, start + endpoint["day"])
    holds = state(chart, endpoint["when"], chosen)
    if holds is None:
        return LiteralVerdict("NE", why_unknown(chart, endpoint, chosen))
    if holds is False:
        return LiteralVerdict("N", what_failed(chart, endpoint["when"], row_names(chart, chosen)), ended=chosen.day)
    return LiteralVerdict("Y", "met", day=chosen.day, onset=chosen.day)


def missing_landmark(chart: Chart, endpoint: dict[str, Any], planned: float) -> LiteralVerdict:
    """A landmark without a count: NE, or by what had happened by then."""
    cause = cause_of_missing(chart, endpoint, planned)
    if cause is None or endpoint["missing_after"][cause] == "unknown":
        return LiteralVerdict("NE", "no_counts")
    value = "N" if endpoint["missing_after"][cause] == "fails" else "NA"
    return LiteralVerdict(value, OBSERVED.get(cause, cause))


def visits(chart: Chart, endpoint: dict[str, Any], others: Others) -> LiteralVerdict:
    """So many of the planned visits.

    Each visit is in the state, or fails, or is unknown, or is left out. N where `closed_by` is true on any row, and
    the first such row ended it. Else, where fewer visits than `of_at_least` have a count (those left out aside), the
    value of `too_few`. Else Y where it is met by the visits in the state alone, N where it would not be met even if
    all unknown visits were in the state, else NE. A share of no visits at all is NE.
    """
    if "closed_by" in endpoint:
        for row in chart.rows:
            if state(chart, endpoint["closed_by"], row) is True:
                return LiteralVerdict("N", name_of_rule(chart, endpoint["closed_by"]), ended=row.day)
    counting = [visit for visit in visits_held(chart, endpoint) if visit.counts_as != "left_out"]
    if len([visit for visit in counting if visit.row is not None]) < endpoint.get("of_at_least", 0):
        return LiteralVerdict(endpoint.get("too_few", "N"), "too_few_counts")
    if "at_least" not in endpoint and not counting:
        return LiteralVerdict("NE", "no_counts")
    enough = enough_visits(endpoint, counting, ["in_state"])
    if enough is not None:
        days = [visit.row.day for visit in enough if visit.row is not None]
        return LiteralVerdict("Y", "met", day=days[-1], onset=days[0], confirming=days[-1])
    if enough_visits(endpoint, counting, ["in_state", "unknown"]) is None:
        return LiteralVerdict("N", "too_few_met")
    return LiteralVerdict("NE", "visits_unknown")


def extent(chart: Chart, endpoint: dict[str, Any], others: Others) -> LiteralVerdict:
    """Time in a state, in days, and the time observed.

    Of the rows in `days` those of unknown state are passed over; a discounted count is out of the state. Each of the
    others lasts some days (see `days_lasted`); with "first_to_last" a row lasts none where the next is out of the
    state, or where there is no next. The time is that of all rows in the state, or that of the longest
    stretch of them; the time observed is always that of all known rows. Without a known row it is NE and there are
    no days. With `at_least` it is N where the time is shorter.
    The onset is the first row in the state (of the first longest stretch), the confirming row the last one, which
    gives the day; none of them where the time is 0.
    """
    known = known_rows(chart, endpoint)
    if not known:
        return LiteralVerdict("NE", "no_counts")
    lasted = days_lasted(chart, endpoint, known)
    of_days = sum(days for days, _ in lasted)
    if endpoint.get("lasting") == "first_to_last":
        lasted = [
            (days if position + 1 < len(known) and known[position + 1][1] else 0, cut)
            for position, (days, cut) in enumerate(lasted)
        ]
    if endpoint.get("measure", "total") == "longest":
        days, counted = longest_stretch(known, lasted)
    else:
        counted = [row for row, holds in known if holds]
        days = sum(days for (_, holds), (days, _) in zip(known, lasted, strict=True) if holds)
    reached = "at_least" not in endpoint or days >= in_days(endpoint["at_least"])
    value, reason = ("Y", "met") if reached else ("N", "too_short")
    if days == 0:
        return LiteralVerdict(value, reason, days=0, of_days=of_days)
    first, last = counted[0].day, counted[-1].day
    return LiteralVerdict(value, reason, day=last, onset=first, confirming=last, days=days, of_days=of_days)


def combined(chart: Chart, endpoint: dict[str, Any], others: Others) -> LiteralVerdict:
    """A rule over other verdicts: a name is true where that endpoint is Y, unknown where NE, false where N or NA.

    True is Y, false N, unknown NE. The reason of an N or NE is that of the endpoint that decides (`deciding_name`); one
    that is Y, behind a `not`, gives its name. The day of a Y is that of `day_combined`, and its row the onset.
    """
    rule = parsed(endpoint["when"])
    holds = truth_combined(rule, others)
    if holds is True:
        day = day_combined(rule, others)
        return LiteralVerdict("Y", "met", day=day, onset=day)
    name = deciding_name(rule, others)
    reason = name if others(name).value == "Y" else others(name).reason
    return LiteralVerdict("NE" if holds is None else "N", reason)


KINDS: dict[str, Callable[[Chart, dict[str, Any], Others], LiteralVerdict]] = {
    "achieved": achieved,
    "maintained": maintained,
    "lost": lost,
    "time_to": time_to,
    "best": best,
    "at": at,
    "visits": visits,
    "extent": extent,
    "combined": combined,
}


# An endpoint per visit.


def states_by_visit(criteria: dict[str, Any], patient: Patient) -> dict[tuple[str, int], LiteralVerdict]:
    """The state of each endpoint at each planned visit, by the name of the endpoint and the planned day.

    Those endpoints are read as if the file had no others, to which they could refer.
    """
    states = {
        key: {word: value for word, value in criteria[key].items() if word not in REFERENCES}
        for key in endpoint_names(criteria)
        if has_state(criteria, criteria[key])
    }
    head = {key: table for key, table in criteria.items() if key not in endpoint_names(criteria)}
    chart = chart_of({**head, **states}, patient)
    as_known = at_visits(chart)
    still_open = [name for name in states if left_open(chart, name)]
    if not still_open:
        return as_known
    baselines = baselines_tried(chart)
    if number_of_completions(baselines) > MOST:
        agreed = {key: OF_TOO_MANY for key in as_known if key[0] in still_open}
    else:
        each = [at_visits(completion) for completion in completions(baselines)]
        agreed = {key: same([one[key] for one in each]) for key in as_known if key[0] in still_open}
    # The count used is that of the same day, whatever it was.
    return as_known | {key: replace(verdict, day=as_known[key].day) for key, verdict in agreed.items()}


def at_visits(chart: Chart) -> dict[tuple[str, int], LiteralVerdict]:
    """The same on one completion."""
    endpoints = {name: chart.criteria[name] for name in endpoint_names(chart.criteria)}
    return {
        (name, planned): at_visit(chart, endpoint, planned, first, last)
        for name, endpoint in endpoints.items()
        for planned, first, last in visit_windows(chart, endpoint)
    }


def has_state(criteria: dict[str, Any], endpoint: dict[str, Any]) -> bool:
    """Has the endpoint a state over counts, or is it of kind `visits`? None that is lost has."""
    if endpoint["kind"] in ("combined", "lost") or "when" not in endpoint:
        return False
    names = names_in(parsed(endpoint["when"]), criteria.get("terms", {}))
    return endpoint["kind"] == "visits" or "platelets" in names


def visit_windows(chart: Chart, endpoint: dict[str, Any]) -> list[tuple[int, float, float]]:
    """The planned day of each visit, and the first and the last day that belong to it.

    Of the clock's visits, a day belongs to the visit or day 0 that is nearest, of two as near to the earlier; before
    the first from the first day of the baseline on, after the last up to half of the interval before it.
    """
    if endpoint.get("visits"):
        if any(isinstance(day, str) for day in endpoint["visits"]):
            return []
        within = endpoint.get("within", 0)
        return [(day, day - within, day + within) for day in endpoint["visits"]]
    planned = chart.criteria["clock"].get("visits", ())
    days = sorted({0, *planned})
    windows = []
    for position, day in enumerate(days):
        first = (days[position - 1] + day) // 2 + 1 if position else min(day, *chart.criteria["baseline"]["days"])
        beyond = (day - days[position - 1]) // 2 if position else 0
        last = (day + days[position + 1]) // 2 if position + 1 < len(days) else day + beyond
        if day in planned:
            windows.append((day, first, last))
    return windows


def at_visit(chart: Chart, endpoint: dict[str, Any], planned: int, first: float, last: float) -> LiteralVerdict:
    """The state at one visit: `only`, `unless` and unknown days of the patient first; then by the row of the visit."""
    not_concerned = of_the_patient(chart, endpoint)
    if not_concerned is not None:
        return not_concerned
    mine = with_own_days(chart, endpoint)
    if mine is None:
        return LiteralVerdict("NE", "not_recorded")
    kept = [row for row in not_set_aside(chart, mine) if row.platelets is not None and first <= row.day <= last]
    distance = min((abs(row.day - planned) for row in kept), default=inf)
    nearest = [row for row in kept if abs(row.day - planned) == distance]
    has_own = bool(mine.get("visits"))
    row = None if not nearest else nearest[-1 if has_own else 0]
    closing = closes_at(chart, mine)
    if closing is not None and (planned if row is None else row.day) >= closing.day:
        return LiteralVerdict("N", name_of_rule(chart, mine["closed_by"]), day=None if row is None else row.day)
    treated = {"fails": "N", "unknown": "NE", "left_out": "NA"}
    if row is None:
        return LiteralVerdict(treated[visit_counts_as(chart, mine, None, planned)] if has_own else "NE", "no_counts")
    if is_discounted(chart, mine, row):
        return LiteralVerdict(treated[mine.get("discounted", "fails")], "discounted", day=row.day)
    holds = state(chart, mine["when"], row)
    if holds is None:
        alone = {key: value for key, value in mine.items() if key != "at_once"}
        return LiteralVerdict("NE", why_unknown(chart, alone, row), day=row.day)
    if holds is False:
        return LiteralVerdict("N", what_failed(chart, mine["when"], row_names(chart, row)), day=row.day)
    return LiteralVerdict("Y", "met", day=row.day)


def closes_at(chart: Chart, endpoint: dict[str, Any]) -> DayRow | None:
    """The first row that closes the endpoint: in `achieved` of those in `days`, in `at` of those after day 0."""
    if endpoint["kind"] == "achieved":
        return closing_row(chart, endpoint)
    begin = 0 if endpoint["kind"] == "at" else -inf
    return closing_row(chart, {**endpoint, "days": (begin + 1, inf)})


# Parts of `achieved`, some of them shared with `lost`.


def closing_row(chart: Chart, endpoint: dict[str, Any]) -> DayRow | None:
    """The first row in `days` where `closed_by` is true."""
    if "closed_by" not in endpoint:
        return None
    first, last = endpoint.get("days", (-inf, inf))
    for row in chart.rows:
        if first <= row.day <= last and state(chart, endpoint["closed_by"], row) is True:
            return row
    return None


def until_day(endpoint: dict[str, Any], others: Others) -> int | None:
    """The day of the endpoint that ends this one, where it came."""
    if "until" not in endpoint:
        return None
    until = others(endpoint["until"])
    return day_of(until) if until.value == "Y" else None


def rows_looked_at(
    chart: Chart, endpoint: dict[str, Any], others: Others, closing: DayRow | None, until: int | None
) -> list[DayRow]:
    """Rows in `days`, from the day of `from` on, to the day before `until`, before the row that closes."""
    first, last = endpoint.get("days", (-inf, inf))
    start = day_of(others(endpoint["from"])) if "from" in endpoint else -inf
    return [
        row
        for row in chart.rows
        if first <= row.day <= last
        and row.day >= start
        and (until is None or row.day < until)
        and (closing is None or row.day < closing.day)
    ]


def evidence(chart: Chart, endpoint: dict[str, Any], row: DayRow) -> bool | None:
    """The state of a row, but unknown instead of true where the row is discounted."""
    return None if is_discounted(chart, endpoint, row) else state(chart, endpoint["when"], row)


def is_discounted(chart: Chart, endpoint: dict[str, Any], row: DayRow) -> bool:
    """Is the row no evidence, whatever else of it is unknown?

    It is where `discount` is true, unless the row fails, and where it is in the state and `discount` is unknown.
    """
    if "discount" not in endpoint:
        return False
    holds, washed_out = state(chart, endpoint["when"], row), state(chart, endpoint["discount"], row)
    if washed_out is None:
        return holds is True
    return washed_out and holds is not False


def not_set_aside(chart: Chart, endpoint: dict[str, Any]) -> list[DayRow]:
    """The rows without those on which `set_aside` is not false: they are passed over, as if they were not there."""
    if "set_aside" not in endpoint:
        return list(chart.rows)
    return [row for row in chart.rows if state(chart, endpoint["set_aside"], row) is False]


def may_meet(chart: Chart, endpoint: dict[str, Any], row: DayRow) -> bool:
    """Could this row have met it, though it is no evidence? Only a row with a count can, and as the file says."""
    if row.platelets is None or evidence(chart, endpoint, row) is not None:
        return False
    if is_discounted(chart, endpoint, row) and endpoint.get("discounted_counts", "do_not_meet") == "do_not_meet":
        return False
    is_unknown = state(chart, endpoint["when"], row) is None
    return not is_unknown or bool(endpoint.get("unknown_counts", "may_meet") == "may_meet")


def meets_alone(chart: Chart, endpoint: dict[str, Any], row: DayRow) -> bool | None:
    """Does the row meet it by itself, `at_once`?"""
    return state(chart, endpoint["at_once"], row) if "at_once" in endpoint else False


def is_washed_out(chart: Chart, endpoint: dict[str, Any], row: DayRow) -> bool:
    """Would the row be discounted if it were in the state?"""
    return "discount" in endpoint and state(chart, endpoint["discount"], row) is not False


def may_meet_alone(chart: Chart, endpoint: dict[str, Any], row: DayRow) -> bool:
    """Could this row have met it by itself, though it did not? Only a row with a count can, and as the file says."""
    if row.platelets is None:
        return False
    alone = meets_alone(chart, endpoint, row)
    counts_discounted = endpoint.get("discounted_counts", "do_not_meet") == "may_meet"
    if alone is True:
        return is_washed_out(chart, endpoint, row) and counts_discounted
    if alone is False or endpoint.get("unknown_counts", "may_meet") == "do_not_meet":
        return False
    if not is_washed_out(chart, endpoint, row):
        return True
    discounted = state(chart, endpoint["discount"], row) is True or state(chart, endpoint["when"], row) is True
    return counts_discounted or not discounted


def could_have_met(chart: Chart, endpoint: dict[str, Any], rows: list[DayRow], open_rows: list[DayRow]) -> bool:
    """Would it have been met if the rows that may meet it had been evidence?"""
    if any(may_meet_alone(chart, endpoint, row) for row in open_rows):
        return True
    states = [(row.day, True if may_meet(chart, endpoint, row) else evidence(chart, endpoint, row)) for row in rows]
    return find_occasions(chart, endpoint, states, "anything") is not None


def find_occasions(
    chart: Chart, endpoint: dict[str, Any], states: Sequence[tuple[int, bool | None]], default_between: str
) -> tuple[int, int] | None:
    """The days of the first and the last occasion, from the earliest row in the state from which they follow."""
    occasions = endpoint.get("occasions", 1)
    apart = endpoint.get("apart", "1 day")
    unbroken = endpoint.get("between", default_between) == "unbroken"
    good_days = [day for day, holds in states if holds is True]
    failing_days = [day for day, holds in states if holds is False]
    for first in good_days:
        days = [first]
        while len(days) < occasions:
            following = [day for day in good_days if day >= later(chart, days[-1], apart)]
            if not following:
                break
            if "apart_at_most" in endpoint and following[0] > later(chart, days[-1], endpoint["apart_at_most"]):
                break
            days.append(following[0])
        if len(days) < occasions:
            continue
        if unbroken and any(days[0] <= day <= days[-1] for day in failing_days):
            continue
        return days[0], days[-1]
    return None


def why_not_achieved(chart: Chart, endpoint: dict[str, Any], rows: list[DayRow]) -> str:
    """not_confirmed where a row in the state was evidence, discounted where one would have been but for `discount`."""
    if any(evidence(chart, endpoint, row) is True for row in rows):
        return "not_confirmed"
    if any(state(chart, endpoint["when"], row) is True or meets_alone(chart, endpoint, row) is True for row in rows):
        return "discounted"
    return "never_reached"


def why_unknown(chart: Chart, endpoint: dict[str, Any], row: DayRow) -> str:
    """What made the row unknown, the first that applies; asked of `when`, and of `at_once` where `when` is known."""
    rule = endpoint["when"]
    if endpoint["kind"] == "achieved" and "at_once" in endpoint:
        if meets_alone(chart, endpoint, row) is True:
            return "discounted"
        if state(chart, rule, row) is not None and not is_discounted(chart, endpoint, row):
            rule = endpoint["at_once"]
    if state(chart, rule, row) is True:
        return "discounted"
    named = set(names_in(parsed(rule), chart.terms, functions=False))
    functions = {call: chart.behind[row.day][call] for call in calls_in(rule, chart.terms)}
    if chart.own["baseline"] is None and "baseline" in named:
        return "baseline_missing"
    of_bleeding = [value for call, value in functions.items() if "bleeding_grade" in call]
    if (row.bleeding_grade is None and "bleeding_grade" in named) or None in of_bleeding:
        return "bleeding_not_recorded"
    if any(isinstance(value, Bounds) and value.low != value.high for value in functions.values()):
        return "censored_count"
    return "not_recorded"


# Parts of `maintained`.


def start_of(endpoint: dict[str, Any], others: Others) -> int:
    """The day of `from`, or of its confirming row (of its day, where it has none)."""
    other = others(endpoint["from"])
    if endpoint.get("counted_from", "day") == "confirming" and other.confirming is not None:
        return other.confirming
    return day_of(other)


def ended_by(chart: Chart, endpoint: dict[str, Any], start: int, row: DayRow) -> LiteralVerdict:
    """N, for what failed; the failing row ended it."""
    return LiteralVerdict("N", what_failed(chart, endpoint["when"], row_names(chart, row)), onset=start, ended=row.day)


def has_gap(chart: Chart, endpoint: dict[str, Any], good_days: list[int]) -> bool:
    """Do two rows in the state that follow each other lie more than `max_gap` apart?"""
    if "max_gap" not in endpoint:
        return False
    return any(following > later(chart, day, endpoint["max_gap"]) for day, following in pairwise(good_days))


# Parts of `at` and `visits`.


def row_taken(rows: Sequence[DayRow], day: int, first: int, last: int, which: str) -> DayRow | None:
    """Of the rows with a count from the first day to the last, the nearest to a day, the first or the last."""
    counted = [row for row in rows if row.platelets is not None and first <= row.day <= last]
    if not counted:
        return None
    if which == "first":
        return counted[0]
    if which == "last":
        return counted[-1]
    distance = min(abs(row.day - day) for row in counted)
    return [row for row in counted if abs(row.day - day) == distance][-1]


@dataclass(frozen=True)
class Visit:
    """A visit, its row if it has a count, and what it counts as: in_state, fails, unknown, left_out."""

    row: DayRow | None
    counts_as: str


def visits_held(chart: Chart, endpoint: dict[str, Any]) -> list[Visit]:
    """The planned visits, each with the row nearest to it; or every row with a count in `days`."""
    if "visits" in endpoint:
        within = endpoint.get("within", 0)
        kept = not_set_aside(chart, endpoint)
        taken = [(day, row_taken(kept, day, day - within, day + within, "nearest")) for day in endpoint["visits"]]
        return [Visit(row, visit_counts_as(chart, endpoint, row, day)) for day, row in taken]
    first, last = endpoint.get("days", (-inf, inf))
    kept = not_set_aside(chart, endpoint)
    counted = [row for row in kept if row.platelets is not None and first <= row.day <= last]
    return [Visit(row, visit_counts_as(chart, endpoint, row, row.day)) for row in counted]


def visit_counts_as(chart: Chart, endpoint: dict[str, Any], row: DayRow | None, planned: float) -> str:
    """What a visit without a count, a discounted one, or one in a known or unknown state counts as."""
    if row is None:
        cause = cause_of_missing(chart, endpoint, planned)
        if cause is not None:
            return str(endpoint["missing_after"][cause])
        return str(endpoint.get("missing", "fails"))
    if is_discounted(chart, endpoint, row):
        return str(endpoint.get("discounted", "fails"))
    return {True: "in_state", False: "fails", None: "unknown"}[state(chart, endpoint["when"], row)]


def enough_visits(endpoint: dict[str, Any], of_visits: list[Visit], counting: Sequence[str]) -> list[Visit] | None:
    """The visits that count, from the first to the one that made it enough; None where they are not enough.

    With `in_any`, of the first such row of visits: that many one after the other, or all, where there are fewer.
    Of a share: all that count.
    """
    good = [visit for visit in of_visits if visit.counts_as in counting]
    if "more_than" in endpoint:
        return good if Fraction(len(good), len(of_visits)) > Fraction(endpoint["more_than"]) else None
    if "share" in endpoint:
        return good if Fraction(len(good), len(of_visits)) >= Fraction(endpoint["share"]) else None
    length = min(endpoint.get("in_any", len(of_visits)), len(of_visits))
    for begin in range(len(of_visits) - length + 1):
        good = [visit for visit in of_visits[begin : begin + length] if visit.counts_as in counting]
        if len(good) >= endpoint["at_least"]:
            return good[: endpoint["at_least"]]
    return None


# Parts of `extent`.


def known_rows(chart: Chart, endpoint: dict[str, Any]) -> list[tuple[DayRow, bool]]:
    """The rows in `days` that are in the state or out of it, and whether in it; a discounted count is out of it."""
    first, last = endpoint["days"]
    known = []
    for row in not_set_aside(chart, endpoint):
        holds = state(chart, endpoint["when"], row)
        out_of_it = is_discounted(chart, endpoint, row)
        if first <= row.day <= last and (holds is not None or (out_of_it and row.platelets is not None)):
            known.append((row, holds is True and not out_of_it))
    return known


def days_lasted(chart: Chart, endpoint: dict[str, Any], known: list[tuple[DayRow, bool]]) -> list[tuple[int, bool]]:
    """How many days each known row lasts, and whether `max_gap` cut it short.

    "visit": each the length `each`. "step": to the next known row; the last to the last of `days`, included; none
    beyond the patient's last row with a count, on the day after which the time observed ends; none longer than
    `max_gap`.
    """
    if endpoint.get("lasting", "step") == "visit":
        return [(in_days(endpoint["each"]), False) for _ in known]
    counted = [row.day for row in chart.rows if row.platelets is not None]
    observed_to = counted[-1] + 1 if counted else -inf
    lasted = []
    for position, (row, _) in enumerate(known):
        following = known[position + 1][0].day if position + 1 < len(known) else endpoint["days"][1] + 1
        end = max(min(following, observed_to), row.day)
        cut = "max_gap" in endpoint and later(chart, row.day, endpoint["max_gap"]) < end
        if cut:
            end = later(chart, row.day, endpoint["max_gap"])
        lasted.append((int(end) - row.day, cut))
    return lasted


def longest_stretch(known: list[tuple[DayRow, bool]], lasted: list[tuple[int, bool]]) -> tuple[int, list[DayRow]]:
    """The days and the rows of the first longest stretch.

    A stretch is rows in the state one after the other; a row out of the state ends it, and a row that was cut short
    is the last of its stretch.
    """
    stretches: list[tuple[int, list[DayRow]]] = [(0, [])]
    for (row, holds), (days, cut) in zip(known, lasted, strict=True):
        if holds:
            so_far, rows = stretches.pop()
            stretches.append((so_far + days, [*rows, row]))
        if not holds or cut:
            stretches.append((0, []))
    longest = max(days for days, _ in stretches)
    return next(stretch for stretch in stretches if stretch[0] == longest)


def in_days(length: str) -> int:
    """A length of days or weeks; one of months has no days unless it is said from when."""
    number, unit = length.split()
    if unit in ("month", "months"):
        raise ValueError("months have no length of their own")
    return int(number) * (7 if unit in ("week", "weeks") else 1)


# Parts of `combined`.


def truth_combined(node: ast.expr, others: Others) -> bool | None:
    """A rule over other verdicts; Y is true, NE unknown, N and NA are false."""
    if isinstance(node, ast.BoolOp):
        truths = [truth_combined(part, others) for part in node.values]
        return all_of(truths) if isinstance(node.op, ast.And) else any_of(truths)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return opposite(truth_combined(node.operand, others))
    if isinstance(node, ast.Name):
        return {"Y": True, "NE": None, "N": False, "NA": False}[others(node.id).value]
    raise ValueError(f"not a rule over verdicts: {ast.unparse(node)}")


def day_combined(node: ast.expr, others: Others) -> int | None:
    """The day of a part that is true.

    Of parts joined by `or` the earliest day of those that are true and have one; of parts joined by `and` the latest
    of those that have one; `not` has none; an endpoint has its own.
    """
    if isinstance(node, ast.Name):
        return others(node.id).day
    if not isinstance(node, ast.BoolOp):
        return None
    days_of_parts = [day_combined(part, others) for part in node.values if truth_combined(part, others) is True]
    days = [day for day in days_of_parts if day is not None]
    if not days:
        return None
    return max(days) if isinstance(node.op, ast.And) else min(days)


def deciding_name(node: ast.expr, others: Others) -> str:
    """The endpoint by which a rule is what it is: that of the first part that is as true as the whole.

    But of parts joined by `or` that are not true, and of parts joined by `and` that are true, it is the last of those
    that came near (that are Y, or have another reason than that they were never reached), or the last of all.
    """
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.UnaryOp):
        return deciding_name(node.operand, others)
    assert isinstance(node, ast.BoolOp)
    whole = truth_combined(node, others)
    names = [deciding_name(part, others) for part in node.values if truth_combined(part, others) is whole]
    if isinstance(node.op, ast.Or) is not (whole is True):
        near = [name for name in names if others(name).value == "Y" or others(name).reason != "never_reached"]
        return (near or names)[-1]
    return names[0]


# Parts of all kinds.


def day_of(verdict: LiteralVerdict) -> int:
    """The day of a verdict that has one."""
    if verdict.day is None:
        raise ValueError("an endpoint refers to the day of one that gives none")
    return verdict.day


def followed_to_the_end(chart: Chart, endpoint: dict[str, Any]) -> bool:
    """A patient with a count on the day `followed_from` or later."""
    followed_from = endpoint.get("followed_from", chart.criteria.get("clock", {}).get("followed_from", inf))
    return any(row.platelets is not None and row.day >= followed_from for row in chart.rows)


def later(chart: Chart, day: int, length: str) -> int:
    """The day a length of time after a day; months are calendar months, cut to the end of a shorter one."""
    number, unit = length.split()
    if unit in ("day", "days"):
        return day + int(number)
    if unit in ("week", "weeks"):
        return day + 7 * int(number)
    if unit not in ("month", "months"):
        raise ValueError(f"not a length of time: {length}")
    if chart.day_0 is None:
        raise ValueError("lengths in months need dates")
    date = chart.day_0 + datetime.timedelta(days=day)
    years, month = divmod(date.month - 1 + int(number), 12)
    year, month = date.year + years, month + 1
    moved = datetime.date(year, month, min(date.day, calendar.monthrange(year, month)[1]))
    return (moved - chart.day_0).days


def what_failed(chart: Chart, rule: str, names: Mapping[str, Value]) -> str:
    """The first of the parts joined by `and`, as written, that is false of what the names stand for."""
    for part in parts(parsed(rule), ast.And, chart.terms):
        if truth_of(part, names, chart.terms) is False:
            return about(chart, part)
    raise AssertionError("a false rule has a false part")


def what_was_true(chart: Chart, rule: str, row: DayRow) -> str:
    """The first of the parts joined by `or`, as written, that is true."""
    for part in parts(parsed(rule), ast.Or, chart.terms):
        if truth_of(part, row_names(chart, row), chart.terms) is True:
            return about(chart, part)
    raise AssertionError("a true rule has a true part")


def parts(node: ast.expr, joined_by: type[ast.boolop], terms: Mapping[str, str]) -> Iterator[ast.expr]:
    """The parts of a rule that are joined by `and` (or by `or`); a term stands for what is behind it."""
    if isinstance(node, ast.Name) and node.id in terms:
        yield from parts(parsed(terms[node.id]), joined_by, terms)
    elif isinstance(node, ast.BoolOp) and isinstance(node.op, joined_by):
        for value in node.values:
            yield from parts(value, joined_by, terms)
    else:
        yield node


OBSERVED = {
    "platelets": "platelets",
    "bleeding_grade": "bleeding",
    "rescue": "rescue",
    "days_since_rescue": "rescue",
    "treatment_discontinued": "discontinued",
}


def about(chart: Chart, node: ast.expr) -> str:
    """The first thing observed that a rule names; where it names none, the first name.

    A class of rescue is told of by its name, the days since one too.
    """
    observed = OBSERVED | {f"days_since_{name}": name for name in chart.criteria.get("rescues", {})}
    named = list(names_in(node, chart.terms))
    for name in named:
        if name not in ("day", "baseline"):
            return str(observed.get(name, name))
    return named[0]


def name_of_rule(chart: Chart, rule: str) -> str:
    """The name of the term, where the rule is one; else what it is about."""
    node = parsed(rule)
    if isinstance(node, ast.Name) and node.id in chart.terms:
        return node.id
    return about(chart, node)


def names_in(node: ast.AST, terms: Mapping[str, str], functions: bool = True) -> Iterator[str]:
    """The names of a rule from left to right; a term stands for what is behind it, a function for the name in it."""
    if isinstance(node, ast.Call):
        if functions:
            yield from names_in(node.args[0], terms)
        return
    if isinstance(node, ast.Name):
        if node.id in terms:
            yield from names_in(parsed(terms[node.id]), terms, functions)
        else:
            yield node.id
    for child in ast.iter_child_nodes(node):
        yield from names_in(child, terms, functions)


def calls_in(rule: str, terms: Mapping[str, str]) -> set[str]:
    """The functions of a rule and of its terms, as written."""
    nodes = list(ast.walk(parsed(rule)))
    behind = [terms[node.id] for node in nodes if isinstance(node, ast.Name) and node.id in terms]
    return {ast.unparse(node) for node in nodes if isinstance(node, ast.Call)}.union(
        *(calls_in(text, terms) for text in behind)
    )


# A value at another row.


def with_values_behind(chart: Chart) -> Chart:
    """The chart with what each function of the file's rules gives at each row."""
    calls = set().union(*(calls_in(text, chart.terms) for text in rule_texts(chart)))
    return replace(chart, behind={row.day: {call: behind(chart, call, row) for call in calls} for row in chart.rows})


def behind(chart: Chart, call: str, row: DayRow) -> Value:
    """What a function gives at a row: a value that is known at another row, or at this one."""
    function = parsed(call)
    assert isinstance(function, ast.Call)
    assert isinstance(function.func, ast.Name)
    name = ast.unparse(function.args[0])
    seen = [(one.day, value) for one in chart.rows if isinstance(value := row_names(chart, one)[name], Bounds)]
    which = function.func.id
    if which == "previous":
        earlier = [value for day, value in seen if day < row.day]
        return earlier[-1] if earlier else None
    if which == "at_baseline":
        first, last = chart.criteria.get("baseline", {}).get("days", (-inf, 0))
        before = [value for day, value in seen if first <= day <= last]
        return before[-1] if before else None
    since = 0.0
    if len(function.args) > 1:
        since = row.day - in_days(ast.literal_eval(function.args[1]))
    values = [value for day, value in seen if since <= day <= row.day]
    if not values:
        return None
    if which == "first":
        return values[0]
    return lowest(values) if which == "lowest" else highest(values)


class WrittenOut(ast.NodeTransformer):
    """Puts what is behind a term in its place; the names in functions are no terms."""

    def __init__(self, terms: Mapping[str, str]) -> None:
        self.terms = terms

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return written_out(self.terms[node.id], self.terms) if node.id in self.terms else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        return node


def written_out(rule: str, terms: Mapping[str, str]) -> ast.expr:
    """A rule, or a part of one, with its terms written out."""
    node: ast.expr = WrittenOut(terms).visit(ast.parse(rule.strip(), mode="eval").body)
    return node


@cache
def as_written_out(comparison: ast.Compare, terms: tuple[tuple[str, str], ...]) -> str:
    """The text of a comparison with its terms written out: what makes it the same comparison in several rules."""
    return ast.unparse(written_out(ast.unparse(comparison), dict(terms)))


@cache
def comparisons_with_functions(rule: str, terms: tuple[tuple[str, str], ...]) -> dict[str, ast.Compare]:
    """The comparisons of a rule in which there is a function, by their text; their terms are written out."""
    chains = [node for node in ast.walk(written_out(rule, dict(terms))) if isinstance(node, ast.Compare)]
    comparisons = {ast.unparse(one): one for chain in chains for one in links(chain)}
    return {
        written: one
        for written, one in comparisons.items()
        if any(isinstance(node, ast.Call) for node in ast.walk(one))
    }


def as_pairs(terms: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The terms as what can be asked for again."""
    return tuple(terms.items())


@cache
def links(chain: ast.Compare) -> tuple[ast.Compare, ...]:
    """The comparisons of a chain: `30 <= platelets < 50` has two."""
    sides = [chain.left, *chain.comparators]
    return tuple(
        ast.Compare(left, [operator], [right])
        for operator, (left, right) in zip(chain.ops, pairwise(sides), strict=True)
    )


# The patient as the program sees it.


def chart_of(criteria: dict[str, Any], patient: Patient) -> Chart:
    """The rows by day, and the names that belong to the patient: baseline, discontinuation, own columns."""
    rows = rows_of(criteria, patient)
    stopped = patient.treatment_discontinued
    baseline, picked = baseline_of(criteria, patient, rows)
    own: dict[str, Value] = {
        "baseline": baseline,
        "treatment_discontinued": point(inf if stopped is None else stopped),
    }
    for name, column in criteria.get("columns", {}).items():
        if column.get("table", "visits") == "patients":
            own[name] = cell_value(column, patient.columns.get(name))
    return with_values_behind(Chart(criteria, rows, own, patient.day_0, picked))


def rows_of(criteria: dict[str, Any], patient: Patient) -> tuple[DayRow, ...]:
    """One row per day on which something was observed, in order of days."""
    rows = []
    for day in sorted({seen.day for seen in patient.observations}):
        that_day = [seen for seen in patient.observations if seen.day == day]
        if any(something_observed(criteria, seen) for seen in that_day):
            rows.append(row_of(criteria, patient, day, that_day))
    return tuple(rows)


def something_observed(criteria: dict[str, Any], observation: Observation) -> bool:
    """A count, a grade, a rescue, or a declared column that was recorded."""
    return (
        observation.platelets is not None
        or observation.bleeding_grade is not None
        or observation.rescue
        or any(observation.columns.get(name) is not None for name in visit_columns(criteria))
    )


def row_of(criteria: dict[str, Any], patient: Patient, day: int, that_day: list[Observation]) -> DayRow:
    """The lowest count, the highest grade, and a rescue if there was any."""
    counts = [bounds_of(seen.platelets) for seen in that_day if seen.platelets is not None]
    grades: list[float] = [seen.bleeding_grade for seen in that_day if seen.bleeding_grade is not None]
    if counts and not grades:
        # The patient was seen; what was not recorded of the bleeding is as the head of the file has it.
        grades = {"bleeding": [inf], "none": [0.0]}.get(criteria.get("not_recorded", {}).get("bleeding"), [])
    return DayRow(
        day=day,
        platelets=lowest(counts) if counts else None,
        bleeding_grade=max(grades) if grades else None,
        rescue=any(seen.rescue for seen in that_day),
        days_since_rescue=days_since_rescue(day, rescues_of(patient)),
        rescues=classes_of_rescue(criteria, patient, day),
        columns={
            name: cell_value(column, cell_of_the_day(column, [seen.columns.get(name) for seen in that_day]))
            for name, column in visit_columns(criteria).items()
        },
    )


def visit_columns(criteria: dict[str, Any]) -> dict[str, dict[str, Any]]:
    columns = criteria.get("columns", {})
    return {name: column for name, column in columns.items() if column.get("table", "visits") == "visits"}


def cell_of_the_day(column: dict[str, Any], cells: list[Cell]) -> Cell:
    """One cell for the day: the highest, the lowest, the first or the last that was recorded."""
    recorded: list[Any] = [cell for cell in cells if cell is not None]
    if not recorded:
        return None
    several = column.get("several", "last")
    if several == "highest":
        return max(recorded)  # type: ignore[no-any-return]
    if several == "lowest":
        return min(recorded)  # type: ignore[no-any-return]
    return recorded[0 if several == "first" else -1]  # type: ignore[no-any-return]


def cell_value(column: dict[str, Any], cell: Cell) -> Value:
    """A declared column's cell as a rule sees it; an empty cell is unknown or stands for the declared value."""
    if cell is None:
        cell = column.get("empty", "unknown")
        if cell == "unknown":
            return None
    if column["type"] == "truth":
        return bool(cell)
    if column["type"] == "text":
        return str(cell)
    assert cell is not None
    return bounds_of(cell)


def rescues_of(patient: Patient) -> list[Observation]:
    """The rescue courses of the patient, each on the day it begins."""
    return [seen for seen in patient.observations if seen.rescue]


def days_since_rescue(day: int, courses: list[Observation]) -> float:
    """Days since the latest last day of those courses begun on an earlier day; infinite if there was none."""
    last_days = [
        course.day if course.rescue_end is None else course.rescue_end for course in courses if course.day < day
    ]
    return day - max(last_days) if last_days else inf


def classes_of_rescue(criteria: dict[str, Any], patient: Patient, day: int) -> dict[str, Value]:
    """For each class of `[rescues]`: does one begin that day, and how long ago did the last of that class end?

    A rescue without a name, or with one that no class lists, is of no class.
    """
    values: dict[str, Value] = {}
    for name, listed in criteria.get("rescues", {}).items():
        courses = [course for course in rescues_of(patient) if is_of_class(course, listed)]
        values[name] = any(course.day == day for course in courses)
        values[f"days_since_{name}"] = point(days_since_rescue(day, courses))
    return values


def is_of_class(rescue: Observation, listed: Sequence[str]) -> bool:
    """Is the recorded name one of the class, case and blanks about it aside?"""
    if rescue.rescue_name is None:
        return False
    return rescue.rescue_name.strip().lower() in [name.strip().lower() for name in listed]


def baseline_of(criteria: dict[str, Any], patient: Patient, rows: Sequence[DayRow]) -> tuple[Bounds | None, int | None]:
    """The patient table's, else the one picked from the rows with a count in the days of the head, with its day."""
    if patient.baseline is not None:
        return bounds_of(patient.baseline), None
    if "baseline" not in criteria:
        return None, None
    first, last = criteria["baseline"]["days"]
    counts: list[tuple[Bounds, int | None]] = [
        (row.platelets, row.day) for row in rows if first <= row.day <= last and row.platelets is not None
    ]
    if criteria["baseline"].get("several") == "last_before_dose":
        counts = with_the_last_before_the_dose(patient, counts)
    if not counts:
        return None, None
    pick = criteria["baseline"].get("pick", "last")
    if pick == "last":
        return counts[-1]
    found = [count for count, _ in counts]
    return lowest(found) if pick == "lowest" else mean(found), None


def with_the_last_before_the_dose(
    patient: Patient, counts: list[tuple[Bounds, int | None]]
) -> list[tuple[Bounds, int | None]]:
    """The counts with that of day 0 replaced by the last of its counts that was taken by the time of the dose.

    Where all were taken later, day 0 has none. Where one of the times is not known, the lowest stays.
    """
    taken = [
        (seen.platelets, seen.time) for seen in patient.observations if seen.day == 0 and seen.platelets is not None
    ]
    timed = [(count, time) for count, time in taken if time is not None]
    if patient.dose_time is None or len(timed) < len(taken):
        return counts
    others = [(count, day) for count, day in counts if day is not None and day != 0]
    by_then = [(count, time) for count, time in timed if time <= patient.dose_time]
    if len(others) == len(counts) or not by_then:
        return [*others]
    latest = max(time for _, time in by_then)
    count = lowest([bounds_of(seen) for seen, time in by_then if time == latest])
    before = [(count, day) for count, day in others if day < 0]
    after = [(count, day) for count, day in others if day > 0]
    return [*before, (count, None), *after]


def row_names(chart: Chart, row: DayRow) -> dict[str, Value]:
    """What each name and function of a rule stands for at a row, and the comparisons whose truth is completed."""
    return {
        **chart.own,
        **chart.behind.get(row.day, {}),
        **dict(chart.truths.get(row.day, ())),
        **row.columns,
        **row.rescues,
        "platelets": row.platelets,
        "bleeding_grade": None if row.bleeding_grade is None else point(row.bleeding_grade),
        "rescue": row.rescue,
        "days_since_rescue": point(row.days_since_rescue),
        "day": point(row.day),
    }


# The language of the rules: true, false or unknown (None).


def state(chart: Chart, rule: str, row: DayRow) -> bool | None:
    """Is the rule true, false or unknown at the row?"""
    asked = rule, row.day, row.platelets, chart.own["baseline"], chart.truths.get(row.day, ())
    if asked not in chart.known:
        chart.known[asked] = truth(rule, row_names(chart, row), chart.terms)
    return chart.known[asked]


def truth(rule: str, names: Mapping[str, Value], terms: Mapping[str, str]) -> bool | None:
    return truth_of(parsed(rule), names, terms)


@cache
def parsed(rule: str) -> ast.expr:
    return ast.parse(rule.strip(), mode="eval").body


def truth_of(node: ast.expr, names: Mapping[str, Value], terms: Mapping[str, str]) -> bool | None:
    """A rule, or a part of one, as a condition."""
    if isinstance(node, ast.BoolOp):
        truths = [truth_of(part, names, terms) for part in node.values]
        return all_of(truths) if isinstance(node.op, ast.And) else any_of(truths)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return opposite(truth_of(node.operand, names, terms))
    if isinstance(node, ast.Compare):
        return all_of([truth_of_comparison(link, names, terms) for link in links(node)])
    if isinstance(node, ast.Name) and node.id in terms:
        return truth(terms[node.id], names, terms)
    if isinstance(node, ast.Name) and node.id == "treatment_discontinued":
        return names[node.id] != point(inf)
    if isinstance(node, ast.Name):
        value = names[node.id]
        if value is None or isinstance(value, bool):
            return value
    raise ValueError(f"not a condition: {ast.unparse(node)}")


def truth_of_comparison(link: ast.Compare, names: Mapping[str, Value], terms: Mapping[str, str]) -> bool | None:
    """A comparison of two sides; one that the completion gives a truth, or leaves unknown, is as it says."""
    written = as_written_out(link, as_pairs(terms))
    if written in names:
        completed = names[written]
        return completed if isinstance(completed, bool) else None
    left, right = value_of(link.left, names, terms), value_of(link.comparators[0], names, terms)
    return compare(link.ops[0], left, right)


def value_of(node: ast.expr, names: Mapping[str, Value], terms: Mapping[str, str]) -> Value:
    """A part of a rule as a number or a text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else bounds_of(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name) and node.id in terms:
        return value_of(parsed(terms[node.id]), names, terms)
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.Call):
        return names[ast.unparse(node)]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return calculate(ast.Sub(), point(0), value_of(node.operand, names, terms))
    if isinstance(node, ast.BinOp):
        return calculate(node.op, value_of(node.left, names, terms), value_of(node.right, names, terms))
    raise ValueError(f"not a number or a text: {ast.unparse(node)}")


def all_of(truths: list[bool | None]) -> bool | None:
    """False if any is false, else unknown if any is unknown."""
    if False in truths:
        return False
    return None if None in truths else True


def any_of(truths: list[bool | None]) -> bool | None:
    """True if any is true, else unknown if any is unknown."""
    if True in truths:
        return True
    return None if None in truths else False


def opposite(value: bool | None) -> bool | None:
    return None if value is None else not value


def compare(operator: ast.cmpop, left: Value, right: Value) -> bool | None:
    """True if it holds wherever the truth lies inside the bounds, false if it holds nowhere, else unknown."""
    if left is None or right is None:
        return None
    if isinstance(left, Bounds) and isinstance(right, Bounds):
        return compare_bounds(operator, left, right)
    if isinstance(operator, ast.Eq):
        return left == right
    if isinstance(operator, ast.NotEq):
        return left != right
    raise ValueError("texts have no order")


def compare_bounds(operator: ast.cmpop, left: Bounds, right: Bounds) -> bool | None:
    if isinstance(operator, ast.Lt):
        return yes_no_or_unknown(surely_below(left, right), surely_not_above(right, left))
    if isinstance(operator, ast.LtE):
        return yes_no_or_unknown(surely_not_above(left, right), surely_below(right, left))
    if isinstance(operator, ast.Gt):
        return compare_bounds(ast.Lt(), right, left)
    if isinstance(operator, ast.GtE):
        return compare_bounds(ast.LtE(), right, left)
    if isinstance(operator, ast.Eq):
        same = left.low == left.high == right.low == right.high
        return yes_no_or_unknown(same, surely_below(left, right) or surely_below(right, left))
    if isinstance(operator, ast.NotEq):
        return opposite(compare_bounds(ast.Eq(), left, right))
    raise ValueError("not a comparison of the rules")


def yes_no_or_unknown(surely: bool, surely_not: bool) -> bool | None:
    if surely:
        return True
    return False if surely_not else None


def surely_below(left: Bounds, right: Bounds) -> bool:
    """Every number of the left is less than every number of the right."""
    if left.high == right.low:
        return not (left.high_in and right.low_in)
    return left.high < right.low


def surely_not_above(left: Bounds, right: Bounds) -> bool:
    """Every number of the left is at most every number of the right."""
    return left.high <= right.low


def calculate(operator: ast.operator, left: Value, right: Value) -> Bounds | None:
    """Interval arithmetic: all that can come out of the numbers inside the bounds."""
    if left is None or right is None:
        return None
    if not isinstance(left, Bounds) or not isinstance(right, Bounds):
        raise ValueError("only numbers can be calculated with")
    if isinstance(operator, ast.Add):
        return bounded(
            left.low + right.low,
            left.high + right.high,
            left.low_in and right.low_in,
            left.high_in and right.high_in,
        )
    if isinstance(operator, ast.Sub):
        return bounded(
            left.low - right.high,
            left.high - right.low,
            left.low_in and right.high_in,
            left.high_in and right.low_in,
        )
    if isinstance(operator, ast.Mult):
        return spanned([product(x, x_in, y, y_in) for x, x_in in ends(left) for y, y_in in ends(right)])
    if isinstance(operator, ast.Div):
        # Where the divisor may be 0 there is no telling what comes out.
        if surely_below(point(0), right) or surely_below(right, point(0)):
            return spanned([quotient(x, x_in, y, y_in) for x, x_in in ends(left) for y, y_in in ends(right)])
        return None
    raise ValueError("not an operation of the rules")


def ends(bounds: Bounds) -> list[tuple[float, bool]]:
    return [(bounds.low, bounds.low_in), (bounds.high, bounds.high_in)]


def product(x: float, x_in: bool, y: float, y_in: bool) -> tuple[float, bool] | None:
    """Two ends multiplied, and whether the product can be reached; None where it says nothing."""
    if x == 0 or y == 0:
        if (isinf(x) and x_in) or (isinf(y) and y_in):
            return None
        # Zero times anything is zero, also where the other end itself cannot be reached.
        return 0.0, (x == 0 and x_in) or (y == 0 and y_in)
    return x * y, x_in and y_in


def quotient(x: float, x_in: bool, y: float, y_in: bool) -> tuple[float, bool] | None:
    """One end divided by another; a divisor of 0 is an end that is only approached, from the side of its bounds."""
    if isinf(x) and isinf(y):
        return None
    if x == 0:
        return (0.0, x_in) if y != 0 else None
    if y == 0:
        # Counts and days divide by numbers that are not negative; the ends of a negative divisor are not used.
        return (inf if x > 0 else -inf), False
    return x / y, x_in and y_in


def spanned(results: list[tuple[float, bool] | None]) -> Bounds | None:
    """From the least to the greatest; an end is reached if any way to it reaches it."""
    known = [result for result in results if result is not None]
    if not known:
        return None
    low = min(number for number, _ in known)
    high = max(number for number, _ in known)
    return bounded(
        low,
        high,
        any(reached for number, reached in known if number == low),
        any(reached for number, reached in known if number == high),
    )


def bounded(low: float, high: float, low_in: bool, high_in: bool) -> Bounds | None:
    return None if isnan(low) or isnan(high) else Bounds(low, high, low_in, high_in)


def point(number: float) -> Bounds:
    return Bounds(float(number), float(number))


def bounds_of(written: str | float) -> Bounds:
    """A number, or a bound: `<10` is any value from 0 up to but not 10, `>1000` any above 1000."""
    if not isinstance(written, str):
        return point(written)
    text = written.strip()
    if text.startswith("<="):
        return Bounds(0.0, float(text[2:]))
    if text.startswith("<"):
        return Bounds(0.0, float(text[1:]), high_in=False)
    if text.startswith(">="):
        return Bounds(float(text[2:]), inf, high_in=False)
    if text.startswith(">"):
        return Bounds(float(text[1:]), inf, low_in=False, high_in=False)
    return point(float(text))


def lowest(counts: Sequence[Bounds]) -> Bounds:
    """The lowest of several: the lowest it can be, and the highest the lowest can be."""
    low = min(count.low for count in counts)
    high = min(count.high for count in counts)
    return Bounds(
        low,
        high,
        any(count.low_in for count in counts if count.low == low),
        all(count.high_in for count in counts if count.high == high),
    )


def highest(counts: Sequence[Bounds]) -> Bounds:
    """The highest of several: the highest of what each is at least, and the highest that any can be."""
    low = max(count.low for count in counts)
    high = max(count.high for count in counts)
    return Bounds(
        low,
        high,
        all(count.low_in for count in counts if count.low == low),
        any(count.high_in for count in counts if count.high == high),
    )


def mean(counts: Sequence[Bounds]) -> Bounds:
    return Bounds(
        sum(count.low for count in counts) / len(counts),
        sum(count.high for count in counts) / len(counts),
        all(count.low_in for count in counts),
        all(count.high_in for count in counts),
    )
