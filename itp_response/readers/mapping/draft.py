"""Draft: a mapping guessed from the headers of a file, for a person to check and confirm."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from itp_response.messages.errors import CohortError
from itp_response.readers.column_names import units_said
from itp_response.readers.count_units import said_by_header
from itp_response.readers.files import Tabular, given_as, open_table
from itp_response.readers.known_names import ALIASES, PATIENTS, VISITS
from itp_response.readers.mapping.mapping import OPEN
from itp_response.readers.open_table import OpenTable
from itp_response.readers.problems import as_text
from itp_response.readers.units import exponent_of, factor_text, in_header

UNIT = re.compile(r"\s*[(\[].*?[)\]]\s*")
"""A unit or an example in the parentheses of a label."""
AT = re.compile(
    r"^(.*?)[\s_.:-]*\b(day|days|d|week|weeks|wk|w|visit_w|visit_d)[\s_.-]*(\d+)\b[\s_.:-]*(.*)$", re.IGNORECASE
)
START = re.compile(r"^(.*?)[\s.:-]*\b(baseline|bl|enrolment|enrollment)\b[\s.:-]*(.*)$", re.IGNORECASE)
EVENT = re.compile(r"(?:^|_|\s)(day|d|week|wk|w)_?\s?(\d+)(?:_|\s|$)", re.IGNORECASE)
FIRST_EVENT = re.compile(r"baseline|enrol+ment|randomi[sz]ation", re.IGNORECASE)
WEEK = 7
MEASURES: Mapping[str, tuple[str, ...]] = {
    "platelets": ("", "count", "counts", "visit", *ALIASES["platelets"], "platelets"),
    "bleeding_grade": ("bleed", "who", "grade", "bleeding_grade", *ALIASES["bleeding_grade"]),
    "rescue": ("resc", "rescue", *ALIASES["rescue"]),
    "rescue_end": ("rescue_end", *ALIASES["rescue_end"]),
    "date": ("date", "dt", *ALIASES["date"]),
}
"""The meanings of the rest of a header with a day or a week in it; an empty rest means the count."""
RESCUE_START = ("rescue_start", "rescue_date", "rescue_start_date", "rescue_begin", "rescue_begin_date")
EVENT_NAMES = ("redcap_event_name", "event_name", "study_event_oid")
FORM_REPEAT = "form_repeat_key"
"""The key of a form of ODM that repeats in an event; the event does not say when each was filled in."""
DATES = ("lab_date", "date_of_sample", "sampling_date", "collection_date", "date_of_visit", "date")
"""Names of the date of a visit beside its aliases."""
KEYS = {"StudySubjectID": "subject_id", "SubjectKey": "subject", "StartDate": "visit_date"}
"""The usual names of the keys of records in ODM."""
STARTS = {"rescue_start": RESCUE_START, "date": DATES}
INSTRUMENTS = ("redcap_repeat_instrument", "repeat_instrument")
SYSTEM = (
    *EVENT_NAMES,
    *INSTRUMENTS,
    "redcap_repeat_instance",
    "repeat_instance",
    "redcap_data_access_group",
    FORM_REPEAT,
)
CODED = re.compile(r"\d+")
MOST_CODES = 20
OF_PATIENTS = tuple(name for name in PATIENTS if name != "baseline_unit")
OF_VISITS = tuple(name for name in VISITS if name != "patient_id")


@dataclass
class Guess:
    """The likely meanings of headers: the headers by the readers' names."""

    patients: dict[str, str] = field(default_factory=dict)
    visit: dict[str, str] = field(default_factory=dict)
    """The columns of a file with a row per visit."""
    planned: dict[int, dict[str, str]] = field(default_factory=dict)
    """The columns of a file with columns per visit, by day."""
    system: dict[str, str] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)


def draft(file: Tabular, *, sheet: str | None = None) -> str:
    """A mapping of a file as TOML text, guessed from its headers; the public name is `map`.

    `file` is a path, a frame or a list of rows. `sheet` is the sheet of a workbook; None: its first.
    `mapped` refuses the draft until a person has written `confirmed = true`. A `?` stands where the headers do not say
    enough.
    Raises `CohortError` if the file cannot be read, or if no column looks like a patient's id.

    >>> print(draft([{"ID": "P1", "PLT baseline": 12, "PLT week 4": 140, "Site": "Bonn"}]))
    # A draft, guessed from the headers of visits.
    # Look every line over; "?" is for you to fill in.
    confirmed = false
    <BLANKLINE>
    [patients]
    patient_id = "ID"
    <BLANKLINE>
    [[visits]]
    day       = 0
    platelets = "PLT baseline"
    <BLANKLINE>
    [[visits]]
    day       = 28
    platelets = "PLT week 4"
    <BLANKLINE>
    # Not taken: Site
    <BLANKLINE>
    """
    source = open_table(given_as(file, sheet), "visits")
    guess = _guessed(source)
    if "patient_id" not in guess.patients:
        there = f"there are: {', '.join(source.header)}"
        raise CohortError(f"{source.name}: no column looks like a patient's id, {there}. Rename it 'patient_id'.")
    return "\n".join(_written(source, guess, sheet)) + "\n"


# GUESSING


def _folded(header: str) -> str:
    unit = in_header(header)
    return "_".join(re.findall(r"[a-z0-9]+", UNIT.sub(" ", header if unit is None else unit.rest).lower()))


def _fits(header: str, names: Iterable[str]) -> bool:
    return _folded(header).replace("_", "") in {name.replace("_", "") for name in names}


def _guessed(source: OpenTable) -> Guess:
    guess = Guess()
    for column in dict.fromkeys(filter(None, source.header)):
        # If a file labels a column, its name in the header is only a key.
        labels = source.labels.get(column, (KEYS.get(column, column),))
        if not any(_assigned(guess, column, label) for label in labels):
            guess.rest.append(column)
    return guess


def _assigned(guess: Guess, column: str, label: str) -> bool:
    """Assign a column to the meaning of its label; False: the label has none."""
    system = next((name for name in SYSTEM if _fits(label, [name])), None)
    patient = _meaning(label, (*OF_PATIENTS, "birth_date", "death_date"))
    visit = next((name for name, known in STARTS.items() if _fits(label, known)), None) or _meaning(label, OF_VISITS)
    planned = _planned(label)
    if system is not None:
        guess.system.setdefault(system, column)
    elif patient is not None and patient not in guess.patients:
        guess.patients[patient] = column
    elif visit is not None and visit not in guess.visit:
        guess.visit[visit] = column
    elif planned is not None and planned[1] not in guess.planned.get(planned[0], {}):
        guess.planned.setdefault(planned[0], {})[planned[1]] = column
    else:
        return False
    return True


def _meaning(column: str, names: Iterable[str]) -> str | None:
    return next((name for name in names if _fits(column, (name, *ALIASES.get(name, ())))), None)


def _planned(column: str) -> tuple[int, str] | None:
    """The day of a column with a day or a week in its name, and what it measures on that day."""
    in_name = in_header(column)
    text = UNIT.sub(" ", column if in_name is None else in_name.rest).strip().replace("_", " ")
    match = AT.match(text)
    if match:
        before, unit, number, after = match.groups()
        day = int(number) * (WEEK if "w" in unit.lower() else 1)
    else:
        match = START.match(text)
        if match is None:
            return None
        before, _, after = match.groups()
        day = 0
    rest = f"{before} {after}".strip()
    measure = next((name for name, words in MEASURES.items() if _fits(rest, words)), None)
    return None if measure is None else (day, measure)


# WRITING


def _written(source: OpenTable, guess: Guess, sheet: str | None) -> Iterator[str]:
    yield f"# A draft, guessed from the headers of {source.name}."
    yield f"# Look every line over; {_text(OPEN)} is for you to fill in."
    yield "confirmed = false"
    if sheet is not None:
        yield f"sheet = {_text(sheet)}"
    yield from _unit(source, guess)
    yield from ("", "[patients]")
    yield from _keys(guess.patients, source)
    visits = list(_visits(guess))
    for visit in visits:
        yield from ("", "[[visits]]")
        yield from _keys(visit, source)
    if not visits:
        yield from ("", "[[visits]]", f"day = {_text(OPEN)}", f"platelets = {_text(OPEN)}")
    for name, column in _coded(guess, visits):
        yield from _codes(source, name, column)
    if guess.rest:
        yield from ("", f"# Not taken: {', '.join(column + _label(column, source, ' ({})') for column in guess.rest)}")


def _unit(source: OpenTable, guess: Guess) -> Iterator[str]:
    """The unit of all counts, if the headers, the labels or the file tell one."""
    visits = [guess.visit, *guess.planned.values()]
    counts = [columns["platelets"] for columns in visits if "platelets" in columns]
    counts += [guess.patients["baseline"]] if "baseline" in guess.patients else []
    said = [unit for column in counts for unit in (*said_by_header(column), *units_said(source, column))]
    exponents = {exponent_of(unit.unit) for unit in said}
    if len(exponents) > 1:
        yield f"# The headers tell several units: {', '.join(sorted({unit.unit for unit in said}))}"
    elif None in exponents:
        yield f"unit = {_text(OPEN)}  # the file has {said[0].unit}, which is no unit of platelet counts"
    elif said:
        factor = factor_text(exponents.pop() or 0)
        meaning = "as 10⁹/L" if factor == "1" else f"counts are multiplied by {factor} to 10⁹/L"
        yield f"unit = {_text(said[0].unit)}  # {meaning}"


def _visits(guess: Guess) -> Iterator[dict[str, str | int]]:
    """The visits, each by the keys of `[[visits]]`."""
    for day, columns in sorted(guess.planned.items()):
        # A date is more exact than the planned day.
        yield {**columns} if "date" in columns else {"day": day, **columns}
    when = {name: guess.visit[name] for name in ("date", "day") if name in guess.visit}
    event = next(filter(None, map(guess.system.get, EVENT_NAMES)), None)
    if not when and event is not None and FORM_REPEAT not in guess.system:
        when = {"day": event}
    start = guess.visit.get("rescue_start")
    own = ("platelets", "unit", "bleeding_grade", *(() if start else ("rescue", "rescue_end")))
    at_visits = {name: guess.visit[name] for name in own if name in guess.visit}
    if at_visits:
        yield {**(dict(list(when.items())[:1]) or {"day": OPEN}), **at_visits}
    rescues: dict[str, str | int] = {
        name: guess.visit[name] for name in ("rescue", "rescue_end") if name in guess.visit
    }
    if start and rescues:
        yield {"date": start, **rescues}


def _coded(guess: Guess, visits: Iterable[Mapping[str, str | int]]) -> Iterator[tuple[str, str]]:
    """The columns that may hold codes: events that stand for days, and texts that an export writes as numbers."""
    events = {guess.system.get(name) for name in EVENT_NAMES}
    coded = {("day", str(visit["day"])) for visit in visits if visit.get("day") in events - {None}}
    coded |= {("rescue", str(visit["rescue"])) for visit in visits if "rescue" in visit}
    coded |= {("arm", guess.patients["arm"])} if "arm" in guess.patients else set()
    yield from sorted(coded)


def _codes(source: OpenTable, name: str, column: str) -> Iterator[str]:
    """The table `[codes.…]` of a column, with the likely meaning of each value; nothing if the values need no codes."""
    values, meanings = _values(source, column), source.codes.get(column, {})
    if name != "day" and not meanings and not all(CODED.fullmatch(value) for value in values):
        return
    if not values or len(values) > MOST_CODES:
        return
    yield from ("", f"[codes.{name}]")
    for value in values:
        given = meanings.get(value)
        day = next((day for day in map(_event_day, filter(None, (value, given))) if day is not None), None)
        meaning = day if name == "day" else None if given is None else _text(given)
        comment = f"  # {given}" if name == "day" and given else ""
        yield f"{_key(value)} = {_text(OPEN) if meaning is None else meaning}{comment}"


def _values(source: OpenTable, column: str) -> list[str]:
    position = source.header.index(column)
    values: list[str] = (
        as_text(source.load([position])[str(position)]).drop_nulls().unique(maintain_order=True).to_list()
    )
    return values


def _event_day(event: str) -> int | None:
    match = EVENT.search(event)
    if match:
        return int(match[2]) * (WEEK if match[1].lower().startswith("w") else 1)
    return 0 if FIRST_EVENT.search(event) else None


def _keys(keys: Mapping[str, str | int], source: OpenTable) -> Iterator[str]:
    width = max(map(len, keys), default=0)
    for name, value in keys.items():
        comment = "" if isinstance(value, int) else _label(value, source, "  # {}")
        yield f"{name.ljust(width)} = {value if isinstance(value, int) else _text(value)}{comment}"


def _label(column: str, source: OpenTable, pattern: str) -> str:
    """The longest label of a column, if the names in the header are only codes."""
    labels = source.labels.get(column, ()) if source.codes else ()
    return pattern.format(max(labels, key=len)) if labels else ""


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _text(text)


def _text(text: str) -> str:
    """A TOML text."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda match: f"\\u{ord(match[0]):04x}", escaped) + '"'
