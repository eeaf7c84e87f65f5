"""Notation: one patient's timeline on a line, `d0 15, d22 40, d28 45 bleed 1, d42..d364 12`.

It is how worked examples are written in criteria files and how a timeline is asked about by hand.
`criteria/README.md` has the grammar.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import ColumnDeclared, column_of, day_columns, in_table, texts_of, with_empty
from itp_response.cohort.observations import Note, Observations, Patients
from itp_response.cohort.texts import count_in_words
from itp_response.cohort.values import Column, Numbers, Texts, Truths, just_above, just_below, with_bounds
from itp_response.messages.codes import Code
from itp_response.messages.errors import CohortError, Problem, nearest, unknown
from itp_response.messages.wording import listed

FARTHEST = 36_525
"""Days, a hundred years; a day farther from day 0 is a slip, as it is in files."""
MOST_ENTRIES = 5_000
"""The most entries of a timeline, one for each day of those that stand for several."""
LONGEST_DAY = 18
"""Digits of a day that is read as a number."""
TOO_FAR = f"a day lies at most {FARTHEST:,} days from day 0."
DECIMALS_READ = 9
"""Of a count that is written so that it can be read again, at most."""
HIGHEST_COUNT = 5000
"""10⁹/L; a higher number is a count per microlitre, in files too."""
AROUND = 100
"""Characters that an error shows of a long timeline, before the place and after it."""
DAYS = re.compile(r"d(-?\d+)(?:\.\.d(-?\d+))?")
COUNT = re.compile(r"([<>]=?|[≤≥])?(\d+(?:\.\d+)?)")
ENTRY = re.compile(r"(?:^|,)([^,]*)")
RESCUE_END = re.compile(r"d(-?\d+)")
WORDS = ("a count", "bleed GRADE", "rescue [NAME] [to dDAY]", "COLUMN=VALUE")


def bounds(text: str) -> tuple[float, float]:
    """The lowest and highest value a count can have, in 10⁹/L.

    Raises `ValueError` for a text that is not a count.

    >>> bounds("40"), bounds("≤10"), bounds(">=30")
    ((40.0, 40.0), (0.0, 10.0), (30.0, inf))
    """
    match = COUNT.fullmatch(text.strip())
    if not match:
        raise ValueError(text)
    sign, value = match[1] or "", float(match[2])
    if sign == "<" and value == 0:
        raise ValueError(text)
    if value == float("inf"):  # of too many digits
        return value, value
    if sign == "<":
        return 0.0, float(just_below(value))
    if sign == ">":
        return float(just_above(value)), float("inf")
    if sign in ("<=", "≤"):
        return 0.0, value
    return (value, float("inf")) if sign else (value, value)


def per_microlitre(text: str) -> str:
    """What is wrong with a text above `HIGHEST_COUNT`, and the count in 10⁹/L; the text itself is quoted before it.

    >>> per_microlitre("<10000")
    'looks like cells/µL; give 10⁹/L (<10).'
    """
    number = text.lstrip("<>=≤≥ ")
    sign = text[: len(text) - len(number)]
    return f"looks like cells/µL; give 10⁹/L ({sign}{float(number) / 1000:g})."


def _is_too_high(count: tuple[float, float]) -> bool:
    return max((value for value in count if math.isfinite(value)), default=math.inf) > HIGHEST_COUNT


def count_text(low: float, high: float) -> str:
    """A count as it is written, from its lowest and highest value: the inverse of `bounds`; empty for none (NaN).

    Raises `ValueError` for bounds on both sides, which cannot be written.

    >>> count_text(*bounds("<10"))
    '<10'
    """
    text = count_in_words(low, high, DECIMALS_READ)
    if not text or (COUNT.fullmatch(text) and bounds(text) == (low, high)):
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
    """The cohort of these timelines, one patient each; what is None is not known.

    `visits` are the planned days that `d42..d364` stands for. `baseline` is a count in 10⁹/L (or `<10`),
    `treatment_discontinued` a day, `patient` the values of the declared `columns` of the patient table.
    Bleeding that is not mentioned was looked for and absent. The lines of the source are the entries of a timeline.
    A note says where `d40..d364` begins or ends on a day that is not planned.
    Raises `CohortError`, with a caret under what cannot be read.

    >>> cohort = cohort_of(["d0 15, d22 40, d28 <10"], baseline=[15])
    >>> cohort.day.tolist(), cohort.platelets.low.tolist()
    ([0, 22, 28], [15.0, 40.0, 0.0])
    """
    declared = dict(columns or {})
    number = len(timelines)
    entries = [entries_of(timeline, visits, declared) for timeline in timelines]
    observed = _observations(entries, in_table(declared, "visits"))
    names = ids or [f"timeline {position + 1}" for position in range(number)]
    patients = Patients(
        id=pl.Series("patient_id", list(names), dtype=pl.String),
        day_0=np.array(day_0 or [None] * number, dtype="datetime64[D]"),
        baseline=_counts([_baseline(value) for value in baseline or [None] * number]),
        treatment_discontinued=np.array(
            [np.inf if day is None else day for day in treatment_discontinued or [None] * number], dtype=np.float64
        ),
        columns=_patient_columns(patient or [{}] * number, declared),
    )
    notes = dict.fromkeys(text for timeline in timelines for text in unplanned_ends(timeline, visits))
    return replace(
        build(patients, observed),
        source="timeline",
        row_word="entry",
        notes=tuple(Note("timeline", text) for text in notes),
        day_columns=day_columns(in_table(declared, "patients")),
    )


def _observations(timelines: Sequence[Sequence["Entry"]], declared: Mapping[str, ColumnDeclared]) -> Observations:
    """The entries of the timelines, one observation each."""
    entries = [entry for timeline in timelines for entry in timeline]
    owner = np.repeat(np.arange(len(timelines)), [len(timeline) for timeline in timelines])
    return Observations(
        patient=owner,
        day=np.array([entry.day for entry in entries], dtype=np.int64),
        platelets=_counts([entry.platelets for entry in entries]),
        bleeding_grade=np.array([entry.bleeding_grade for entry in entries], dtype=np.float64),
        rescue=np.array([entry.rescue for entry in entries], dtype=np.bool_),
        rescue_end=np.array([entry.rescue_end for entry in entries], dtype=np.int64),
        rescue_name=texts_of([entry.rescue_name or None for entry in entries]),
        source_row=np.array([entry.number for entry in entries], dtype=np.int64),
        columns={
            name: _column(name, [entry.columns.get(name) for entry in entries], column)
            for name, column in declared.items()
        },
        declared=declared,
    )


def _counts(values: Sequence[tuple[float, float]]) -> Numbers:
    """Counts from their lowest and highest values."""
    low, high = np.array(values, dtype=np.float64).reshape(-1, 2).T
    return with_bounds(low, high)


def _patient_columns(patients: Sequence[Mapping[str, Any]], columns: Mapping[str, ColumnDeclared]) -> dict[str, Column]:
    declared = in_table(columns, "patients")
    for strange in (name for patient in patients for name in patient if name not in declared):
        if strange in columns:
            raise CohortError(
                f"patient: {strange!r} is a column of the visits; write it there, as in 'd3 {strange}=…'."
            )
        raise CohortError(unknown("column", strange, declared).after("patient: "))
    return {
        name: with_empty(_column(name, [patient.get(name) for patient in patients], column), column)
        for name, column in declared.items()
    }


def _column(name: str, values: Sequence[Any], declared: ColumnDeclared) -> Column:
    try:
        return column_of(values, declared)
    except CohortError as error:
        raise CohortError(f"{'timeline' if declared.table == 'visits' else 'patient'}: {name}: {error}") from None


def _baseline(value: float | str | None) -> tuple[float, float]:
    if value is None:
        return float("nan"), float("nan")
    text = f"{value:.12g}" if isinstance(value, int | float) else value.strip()
    try:
        count = bounds(text)
    except ValueError:
        raise CohortError(f"baseline: {value!r} is no count; write 15 or '<10'.") from None
    if _is_too_high(count):
        raise CohortError(f"baseline: {text!r} {per_microlitre(text)}")
    return count


@dataclass(frozen=True)
class Entry:
    """What an entry of a timeline says."""

    day: int
    platelets: tuple[float, float] = (float("nan"), float("nan"))
    """The lowest and highest value of the count, 10⁹/L; NaN: none."""
    bleeding_grade: float = 0.0
    """NaN: not recorded."""
    rescue: bool = False
    rescue_end: int = 0
    """The last day of the rescue treatment; without one, the day itself."""
    rescue_name: str = ""
    """In small letters; empty: none."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """The declared columns that it gives, as written."""
    number: int = 0
    """Its number in the line, from 1."""


def entries_of(timeline: str, visits: Sequence[int], declared: Mapping[str, ColumnDeclared]) -> list[Entry]:
    """The entries of a timeline in their order; one that stands for several planned days is one entry for each.

    Raises `CohortError`, with a caret under what cannot be read.

    >>> [(entry.day, entry.platelets[0]) for entry in entries_of("d0 15, d42..d56 40", [42, 49, 56], {})]
    [(0, 15.0), (42, 40.0), (49, 40.0), (56, 40.0)]
    """
    entries: list[Entry] = []
    for text in ENTRY.finditer(timeline):
        entries += _entries(text, len(entries), visits, declared)
        if len(entries) > MOST_ENTRIES:
            raise _error(text, f"a timeline has at most {MOST_ENTRIES:,} entries; write fewer.")
    return entries


def _entries(
    text: re.Match[str], before: int, visits: Sequence[int], declared: Mapping[str, ColumnDeclared]
) -> Iterator[Entry]:
    """What the text between two commas says, for each of its days; `before` is the number of entries before these."""
    words = text[1].split()
    match = DAYS.fullmatch(words[0]) if words else None
    if not match:
        raise _error(text, "an entry begins with its day, as in 'd22 40' or 'd42..d364 12'.")
    said = _said(text, words[1:], declared)
    first, last = _day(text, match[1]), _day(text, match[2] or match[1])
    days = [first] if match[2] is None else _planned(first, last, visits)
    if not days:
        planned = ", ".join(map(str, visits)) or "none"
        raise _error(text, f"no planned visit lies between day {first} and day {last}; planned are: {planned}.")
    for number, day in enumerate(days, before + 1):
        end = said.get("rescue_end", day)
        if max(abs(day), abs(end)) > FARTHEST:
            raise _error(text, TOO_FAR)
        if end < day:
            raise _error(text, f"the rescue treatment ends on day {end}, before it begins on day {day}.")
        yield Entry(**{**said, "day": day, "rescue_end": end, "number": number})


def _day(text: re.Match[str], digits: str) -> int:
    """The day; one of more digits than a day can have is not read as a number, which takes ever longer."""
    if len(digits) > LONGEST_DAY:
        raise _error(text, TOO_FAR)
    return int(digits)


def _planned(first: int, last: int, visits: Sequence[int]) -> list[int]:
    """The planned days that `dFIRST..dLAST` stands for."""
    return [day for day in visits if first <= day <= last]


def unplanned_ends(timeline: str, visits: Sequence[int]) -> Iterator[str]:
    """A sentence for each `d40..d364` of a timeline that begins or ends on a day that is not planned.

    >>> list(unplanned_ends("d0 15, d40..d56 40", [42, 49, 56]))
    ["'d40..d56' stands for the planned days 42 to 56; day 40 is not planned and is left out."]
    """
    for text in ENTRY.finditer(timeline):
        match = DAYS.match(text[1].strip())
        if not match or match[2] is None:
            continue
        first, last = _day(text, match[1]), _day(text, match[2])
        days = _planned(first, last, visits)
        unplanned = [str(day) for day in dict.fromkeys((first, last)) if day not in days]
        if not unplanned:
            continue
        planned = f"day {days[0]}" if len(days) == 1 else f"days {days[0]} to {days[-1]}"
        named, are = ("day", "is") if len(unplanned) == 1 else ("days", "are")
        left_out = f"{named} {listed(unplanned)} {are} not planned and {are} left out"
        yield f"{match[0]!r} stands for the planned {planned}; {left_out}."


def _said(text: re.Match[str], words: list[str], declared: Mapping[str, ColumnDeclared]) -> dict[str, Any]:
    """The fields of an `Entry` that these words give: all that an entry says after its day."""
    if not words:
        raise _error(text, f"nothing is said of the day; an entry can have {', '.join(WORDS)}.")
    said: dict[str, Any] = {"columns": {}}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if COUNT.fullmatch(word):
            said["platelets"] = bounds(word)
            if _is_too_high(said["platelets"]):
                raise _error(text, f"{word!r} {per_microlitre(word)}")
        elif word == "bleed" and rest and rest[0] in ("0", "1", "2", "3", "4", "?"):
            grade = rest.pop(0)
            said["bleeding_grade"] = np.nan if grade == "?" else float(grade)
        elif word == "rescue":
            said |= _rescue(text, rest)
        elif equals:
            known = list(in_table(declared, "visits"))
            if name not in known:
                raise _error(text, unknown("column", name, known))
            said["columns"][name] = value
        else:
            word = word if len(word) <= AROUND else f"{word[:AROUND]}…"
            close = nearest(word, ("bleed", "rescue", *(f"{column}=" for column in declared)))
            raise _error(text, f"{word!r} is not understood; an entry can have {', '.join(WORDS)}.{close}")
    return said


def _rescue(text: re.Match[str], rest: list[str]) -> dict[str, Any]:
    """What the words after `rescue` say of it; they are removed from `rest`."""
    said: dict[str, Any] = {"rescue": True}
    if rest and rest[0] not in ("to", "bleed") and not COUNT.fullmatch(rest[0]) and "=" not in rest[0]:
        said["rescue_name"] = rest.pop(0).lower().replace("_", " ")
    if rest and rest[0] == "to":
        match = RESCUE_END.fullmatch(rest[1]) if len(rest) > 1 else None
        if not match:
            raise _error(text, "'to' needs the last day, as in 'rescue to d5'.")
        said["rescue_end"] = _day(text, match[1])
        del rest[:2]
    return said


def _error(entry: re.Match[str], problem: str) -> CohortError:
    text, timeline = entry[1], entry.string
    start = entry.start(1) + len(text) - len(text.lstrip())
    drawn = f"timeline: {problem}\n{_marked(timeline, start, max(1, len(text.strip())))}"
    code = Code.TIMELINE_UNREADABLE
    return CohortError(Problem(drawn, code=code, file="timeline", position=start + 1, value=text.strip()))


def _marked(timeline: str, start: int, length: int) -> str:
    """The timeline with a mark below a part of it; of a long one, what is about the beginning of the part."""
    is_long = len(timeline) > 2 * AROUND
    first, last = (max(0, start - AROUND), min(len(timeline), start + AROUND)) if is_long else (0, len(timeline))
    before, after = "…" * (first > 0), "…" * (last < len(timeline))
    mark = "^" * min(length, last - start)
    return f"    {before}{timeline[first:last]}{after}\n    {' ' * (len(before) + start - first)}{mark}"


def timeline_of(cohort: Cohort, position: int) -> tuple[str, list[str]]:
    """One patient's rows as a line that `cohort_of` reads again, and a sentence for each thing no line can say.

    Of several counts of a day the line has the one that stands. Baseline, discontinuation and columns of the patient
    are not part of a line.

    >>> timeline_of(cohort_of(["d28 60, d0 15 bleed 1"]), 0)
    ('d0 15 bleed 1, d28 60', [])
    """
    patient = cohort.select([position])
    unsaid: list[str] = []
    entries: list[str] = []
    for row in range(len(patient.day)):
        count, bleeding = _count_words(patient, row, unsaid), _bleeding_words(patient, row)
        columns, courses = _column_words(patient, row, unsaid), _course_words(patient, row, unsaid) or [""]
        day = f"d{patient.day[row]}"
        entries.append(" ".join(filter(None, [day, *count, *bleeding, *columns, courses[0]])))
        entries += [" ".join([day, *bleeding, course]) for course in courses[1:]]
    return ", ".join(entries), unsaid


def _count_words(patient: Cohort, row: int, unsaid: list[str]) -> list[str]:
    low, high = float(patient.platelets.low[row]), float(patient.platelets.high[row])
    try:
        return [count_text(low, high)]
    except ValueError as error:
        unsaid.append(f"day {patient.day[row]}: a count of {error} cannot be written in a line; left out.")
        return []


def _bleeding_words(patient: Cohort, row: int) -> list[str]:
    grade = float(patient.bleeding_grade[row])
    return [] if grade == 0 and not np.isnan(patient.platelets.low[row]) else ["bleed", _grade(grade)]


def _grade(grade: float) -> str:
    return "?" if np.isnan(grade) else f"{grade:g}"


def _course_words(patient: Cohort, row: int, unsaid: list[str]) -> list[str]:
    """Each course that begins in that row, `rescue ivig to d5`."""
    courses, day = patient.courses, patient.day[row]
    words = []
    for course in np.flatnonzero(courses.row == row).tolist():
        code, last = int(courses.name.codes[course]), int(courses.last[course])
        name = "" if code < 0 else courses.name.labels[code]
        word = name.replace(" ", "_")
        if word and not _readable(word, name):
            unsaid.append(f"day {day}: the name {name!r} of the rescue cannot be written in a line; left out.")
            word = ""
        words.append(" ".join(filter(None, ["rescue", word, f"to d{last}" if last != day else ""])))
    return words


def _readable(word: str, name: str) -> bool:
    """A rescue's name, written as a word, is read as that name again."""
    plain = not re.search(r"[,=\s]", word) and word not in ("to", "bleed") and not COUNT.fullmatch(word)
    return plain and word.lower().replace("_", " ") == name


def _column_words(patient: Cohort, row: int, unsaid: list[str]) -> list[str]:
    words = []
    for name, column in patient.row_columns.items():
        value = _value_text(column, row)
        if re.search(r"[,\s]", value):
            unsaid.append(f"day {patient.day[row]}: {name} {value!r} cannot be written in a line; left out.")
        elif value:
            words.append(f"{name}={value}")
    return words


def _value_text(column: Column, row: int) -> str:
    """A value as a cell; empty where it is unknown."""
    match column:
        case Numbers(low=low):
            return "" if np.isnan(low[row]) else f"{low[row]:.12g}"
        case Texts(codes=codes, labels=labels):
            return "" if codes[row] < 0 else labels[codes[row]]
        case Truths(true=true, false=false):
            return "yes" if true[row] else "no" if false[row] else ""
