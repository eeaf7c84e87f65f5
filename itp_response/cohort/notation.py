"""Notation: one patient's timeline on a line, `d0 15, d22 40, d28 45 bleed 1, d42..d364 12`.

It is how worked examples are written in criteria files and how a timeline is asked about by hand.
`criteria/README.md` has the grammar.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import ColumnDeclared, column_of, in_table, texts_of
from itp_response.cohort.observations import Observations
from itp_response.cohort.values import Column, Numbers, Texts, Truths, just_above, just_below, with_bounds
from itp_response.messages.errors import CohortError, nearest, unknown

FARTHEST = 36_525
"""Days, a hundred years; farther from day 0 is a slip, as it is for files."""
DAYS = re.compile(r"d(-?\d+)(?:\.\.d(-?\d+))?")
COUNT = re.compile(r"([<>]=?|[≤≥])?(\d+(?:\.\d+)?)")
ENTRY = re.compile(r"(?:^|,)([^,]*)")
RESCUE_END = re.compile(r"d(-?\d+)")
WORDS = ("a count", "bleed GRADE", "rescue [NAME] [to dDAY]", "COLUMN=VALUE")


def bounds(text: str) -> tuple[float, float]:
    """The lowest and highest value a count can have: `40` is itself, `<10` anything from 0 up to but not 10.

    Raises `ValueError` for what is no count.
    """
    match = COUNT.fullmatch(text.strip())
    if not match:
        raise ValueError(text)
    sign, value = match[1] or "", float(match[2])
    if sign == "<":
        return 0.0, float(just_below(value))
    if sign == ">":
        return float(just_above(value)), float("inf")
    if sign in ("<=", "≤"):
        return 0.0, value
    return (value, float("inf")) if sign else (value, value)


def count_text(low: float, high: float) -> str:
    """A count as it is written, from its lowest and highest value: the inverse of `bounds`; empty for none (NaN).

    Raises `ValueError` for bounds on both sides, which a line has no word for.
    """
    if np.isnan(low):
        return ""
    tried = [low] if low == high else [high, round(high, 6)] if low == 0 else [low, round(low, 6)]
    for text in (f"{sign}{value:.12g}" for value in tried if np.isfinite(value) for sign in ("", "<", "≤", ">", "≥")):
        if COUNT.fullmatch(text) and bounds(text) == (low, high):
            return text
    raise ValueError(f"{low:g} to {high:g}")


def cohort_of(
    timelines: Sequence[str],
    *,
    visits: Sequence[int] = (),
    ids: Sequence[str] | None = None,
    baseline: Sequence[float | str | None] | None = None,
    treatment_discontinued: Sequence[int | None] | None = None,
    day_0: Sequence[date | None] | None = None,
    columns: Mapping[str, ColumnDeclared] | None = None,
    patient: Sequence[Mapping[str, Any]] | None = None,
) -> Cohort:
    """The cohort of these timelines, one patient each.

    `visits` are the planned days that `d42..d364` stands for.
    Bleeding that is not mentioned was looked for and absent; lines of the source count the entries of a timeline.
    Raises `CohortError` with the place of what cannot be read.
    """
    declared = dict(columns or {})
    entries = [
        {"patient": number, **entry}
        for number, timeline in enumerate(timelines)
        for entry in entries_of(timeline, visits, declared)
    ]
    low, high = np.array([entry["platelets"] for entry in entries], dtype=np.float64).reshape(-1, 2).T
    of_visits = in_table(declared, "visits")
    of_patients = in_table(declared, "patients")
    counts = len(timelines)
    given = [_baseline(value) for value in (baseline or [None] * counts)]
    base_low, base_high = np.array(given, dtype=np.float64).reshape(-1, 2).T
    stopped = treatment_discontinued or [None] * counts
    further = patient or [{}] * counts
    for strange in (name for one in further for name in one if name not in of_patients):
        raise CohortError(f"patient: {unknown('column', strange, of_patients)}")
    return build(
        pl.Series("patient_id", list(ids or [f"timeline {number + 1}" for number in range(counts)]), dtype=pl.String),
        Observations(
            patient=np.array([entry["patient"] for entry in entries], dtype=np.int64),
            day=np.array([entry["day"] for entry in entries], dtype=np.int64),
            platelets=with_bounds(low, high),
            bleeding_grade=np.array([entry["bleeding_grade"] for entry in entries], dtype=np.float64),
            rescue=np.array([entry["rescue"] for entry in entries], dtype=np.bool_),
            rescue_end=np.array([entry["rescue_end"] for entry in entries], dtype=np.int64),
            rescue_name=texts_of([entry["rescue_name"] or None for entry in entries]),
            source_row=np.array([entry["place"] for entry in entries], dtype=np.int64),
            columns={
                name: _column(name, [entry.get(name) for entry in entries], one) for name, one in of_visits.items()
            },
            several={name: column.several for name, column in of_visits.items()},
        ),
        day_0=np.array(day_0 or [None] * counts, dtype="datetime64[D]"),
        baseline=with_bounds(base_low, base_high),
        treatment_discontinued=np.array([np.inf if day is None else day for day in stopped], dtype=np.float64),
        patient_columns={
            name: _column(name, [one.get(name) for one in further], column) for name, column in of_patients.items()
        },
        source="timeline",
        row_word="entry",
    )


def _column(name: str, values: Sequence[Any], declared: ColumnDeclared) -> Column:
    try:
        return column_of(values, declared)
    except CohortError as error:
        raise CohortError(f"{'timeline' if declared.table == 'visits' else 'patient'}: {name}: {error}") from None


def _baseline(value: float | str | None) -> tuple[float, float]:
    if value is None:
        return float("nan"), float("nan")
    try:
        return bounds(f"{value:g}" if isinstance(value, int | float) else value)
    except ValueError:
        raise CohortError(f"baseline: {value!r} is no count; write 15 or '<10'.") from None


def entries_of(timeline: str, visits: Sequence[int], declared: Mapping[str, ColumnDeclared]) -> list[dict[str, Any]]:
    """What each entry of a timeline says, in its order; one for several planned days is one for each.

    `day`, `platelets` (lowest and highest value, NaN: none), `bleeding_grade` (NaN: not recorded), `rescue`,
    `rescue_end` (its last day), `rescue_name` (empty: none), the declared columns that it gives, `place` in the line.
    Raises `CohortError` with the place of what cannot be read.
    """
    found: list[dict[str, Any]] = []
    for text in ENTRY.finditer(timeline):
        words = text[1].split()
        match = DAYS.fullmatch(words[0]) if words else None
        if not match:
            raise _error(text, "an entry begins with its day, as in 'd22 40' or 'd42..d364 12'.")
        entry = _entry(text, words[1:], declared)
        first, last = int(match[1]), int(match[2] or match[1])
        days = [first] if match[2] is None else [day for day in visits if first <= day <= last]
        if not days:
            planned = ", ".join(map(str, visits)) or "none"
            raise _error(text, f"no planned visit lies between day {first} and day {last}; planned are: {planned}.")
        for day in days:
            end = day if entry["rescue_end"] is None else entry["rescue_end"]
            if max(abs(day), abs(end)) > FARTHEST:
                raise _error(text, f"a day lies at most {FARTHEST:,} days from day 0.")
            if end < day:
                raise _error(text, f"the rescue treatment ends on day {end}, before it begins on day {day}.")
            found.append({**entry, "day": day, "rescue_end": end, "place": len(found) + 1})
    return found


def _entry(text: re.Match[str], words: list[str], declared: Mapping[str, ColumnDeclared]) -> dict[str, Any]:
    """What an entry says beside its day."""
    if not words:
        raise _error(text, f"nothing is said of the day; an entry can have {', '.join(WORDS)}.")
    entry: dict[str, Any] = {
        "platelets": (np.nan, np.nan),
        "bleeding_grade": 0.0,
        "rescue": False,
        "rescue_end": None,
        "rescue_name": "",
    }
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if COUNT.fullmatch(word):
            entry["platelets"] = bounds(word)
        elif word == "bleed" and rest and rest[0] in ("0", "1", "2", "3", "4", "?"):
            grade = rest.pop(0)
            entry["bleeding_grade"] = np.nan if grade == "?" else float(grade)
        elif word == "rescue":
            entry["rescue"] = True
            if rest and rest[0] not in ("to", "bleed") and not COUNT.fullmatch(rest[0]) and "=" not in rest[0]:
                entry["rescue_name"] = rest.pop(0).lower().replace("_", " ")
            if rest and rest[0] == "to":
                match = RESCUE_END.fullmatch(rest[1]) if len(rest) > 1 else None
                if not match:
                    raise _error(text, "'to' needs the last day, as in 'rescue to d5'.")
                entry["rescue_end"] = int(match[1])
                rest = rest[2:]
        elif equals:
            known = list(in_table(declared, "visits"))
            if name not in known:
                raise _error(text, unknown("column", name, known))
            entry[name] = value
        else:
            close = nearest(word, ("bleed", "rescue", *(f"{key}=" for key in declared)))
            raise _error(text, f"{word!r} is not understood; an entry can have {', '.join(WORDS)}.{close}")
    return entry


def _error(entry: re.Match[str], problem: str) -> CohortError:
    text, timeline = entry[1], entry.string
    start = entry.start(1) + len(text) - len(text.lstrip())
    return CohortError(f"timeline: {problem}\n    {timeline}\n    {' ' * start}{'^' * max(1, len(text.strip()))}")


# WRITTEN AGAIN


def timeline_of(cohort: Cohort, position: int) -> tuple[str, list[str]]:
    """One patient's rows as a line that `cohort_of` reads again, and what of them no line can say, a sentence each.

    Of several counts of a day the line has the one that stands. Baseline, discontinuation and columns of the patient
    are not part of a line.
    """
    one = cohort.only(position)
    unsaid: list[str] = []
    entries: list[str] = []
    for row in range(len(one.day)):
        words = [*_said_count(one, row, unsaid), *_said_bleeding(one, row), *_said_columns(one, row, unsaid)]
        courses = _said_courses(one, row, unsaid) or [""]
        day = f"d{one.day[row]}"
        entries.append(" ".join(filter(None, [day, *words, courses[0]])))
        entries += [" ".join([day, *_said_bleeding(one, row), course]) for course in courses[1:]]
    return ", ".join(entries), unsaid


def _said_count(one: Cohort, row: int, unsaid: list[str]) -> list[str]:
    low, high = float(one.platelets.low[row]), float(one.platelets.high[row])
    try:
        return [count_text(low, high)]
    except ValueError as error:
        unsaid.append(f"day {one.day[row]}: a count of {error} cannot be written in a line; left out.")
        return []


def _said_bleeding(one: Cohort, row: int) -> list[str]:
    grade = float(one.bleeding_grade[row])
    return [] if grade == 0 and not np.isnan(one.platelets.low[row]) else ["bleed", _grade(grade)]


def _grade(grade: float) -> str:
    return "?" if np.isnan(grade) else f"{grade:g}"


def _said_courses(one: Cohort, row: int, unsaid: list[str]) -> list[str]:
    """Each course that begins in that row, `rescue ivig to d5`."""
    said = []
    for course in np.flatnonzero(one.courses.row == row).tolist():
        code, last = int(one.courses.name.codes[course]), int(one.courses.last[course])
        name = "" if code < 0 else one.courses.name.labels[code]
        word = name.replace(" ", "_")
        if word and not _readable(word, name):
            unsaid.append(f"day {one.day[row]}: the name {name!r} of the rescue cannot be written in a line; left out.")
            word = ""
        said.append(" ".join(filter(None, ["rescue", word, f"to d{last}" if last != one.day[row] else ""])))
    return said


def _readable(word: str, name: str) -> bool:
    """A rescue's name, written as a word, is read as that name again."""
    plain = not re.search(r"[,=\s]", word) and word not in ("to", "bleed") and not COUNT.fullmatch(word)
    return plain and word.lower().replace("_", " ") == name


def _said_columns(one: Cohort, row: int, unsaid: list[str]) -> list[str]:
    said = []
    for name, column in one.row_columns.items():
        value = _value_text(column, row)
        if re.search(r"[,\s]", value):
            unsaid.append(f"day {one.day[row]}: {name} {value!r} cannot be written in a line; left out.")
        elif value:
            said.append(f"{name}={value}")
    return said


def _value_text(column: Column, row: int) -> str:
    """A value as a cell; empty where it is unknown."""
    match column:
        case Numbers(low=low):
            return "" if np.isnan(low[row]) else f"{low[row]:.12g}"
        case Texts(codes=codes, labels=labels):
            return "" if codes[row] < 0 else labels[codes[row]]
        case Truths(true=true, false=false):
            return "yes" if true[row] else "no" if false[row] else ""
