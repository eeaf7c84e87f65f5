"""Draft: a mapping guessed from the headers of a file, for a person to check and confirm."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import polars as pl

from itp_response.messages.errors import CohortError
from itp_response.readers.coded.study import coded_kind
from itp_response.readers.column_names import like_units, units_said
from itp_response.readers.count_units import said_by_header
from itp_response.readers.files import given_as, open_table
from itp_response.readers.mapping.clinical_words import fits
from itp_response.readers.mapping.event_codes import MOST_CODES, are_from_1, day_codes
from itp_response.readers.mapping.guess import (
    CDISC_DAYS,
    EVENTS,
    FORM_REPEAT,
    STUDY_DAY,
    Choice,
    Guess,
    guessed,
)
from itp_response.readers.mapping.lab_tables import LabTable, texts
from itp_response.readers.mapping.mapping_file import CURES, NOT_USED, OPEN
from itp_response.readers.mapping.visit_labels import WEEK, VisitTime
from itp_response.readers.open_table import OpenTable
from itp_response.readers.sdtm.folder import is_study
from itp_response.readers.tabular import Tabular
from itp_response.readers.units import UnitSaid, exponent_of, factor_text

CODED = re.compile(r"\d+")


class DraftValue(NamedTuple):
    """The value of a key, and the comment beside it."""

    value: str | int | Mapping[str, str]
    comment: str = ""

    @property
    def columns(self) -> list[str]:
        """The texts of it that may name a column."""
        if isinstance(self.value, Mapping):
            return [*self.value]
        return [self.value] if isinstance(self.value, str) and self.value != OPEN else []


Keys = dict[str, DraftValue]
"""The keys of a table of the mapping."""


def draft(file: Tabular, *, sheet: str | None = None) -> str:
    """Draft a mapping file from the headers of a table; its public name is `map`.

    `mapped` refuses the draft until a person has written `confirmed = true`, and while it has a `?`. A `?` stands where
    the file does not say enough, with a comment that says why. Every column is named: as read, as asked about, or as
    not used.

    Args:
        file: The table: a path, a frame, or a list with a dict per row.
        sheet: The sheet of a workbook. None: its first.

    Returns:
        The mapping as TOML text.

    Raises:
        CohortError: The file cannot be read, or is one of SDTM, FHIR or OMOP, which need no mapping of columns.

    Examples:
        >>> print(draft([{"ID": "P1", "PLT baseline": 12, "PLT week 4": 140, "PLT EOT": 90, "Site": "Bonn"}]))
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
        [[visits]]
        day       = "?"  # "PLT EOT": 'eot': this has no planned day
        platelets = "PLT EOT"
        <BLANKLINE>
        # Not used: Site
        <BLANKLINE>
    """
    kind = "SDTM" if is_study(file) else coded_kind(file)
    if kind is not None:
        name = Path(file).name if isinstance(file, str | Path) else "this"
        raise CohortError(f"{name}: {kind} is read without a mapping of columns: 'itp-response classify'.")
    source = _held(open_table(given_as(file, sheet), "visits"))
    return "\n".join(_written(source, guessed(source), sheet)) + "\n"


def _held(source: OpenTable) -> OpenTable:
    """The table, of which each column is read from the file once, however often it is looked at."""
    held: dict[int, pl.Series] = {}

    def load(positions: Sequence[int]) -> pl.DataFrame:
        others = [position for position in positions if position not in held]
        if others:
            frame = source.load(others)
            held.update({position: frame[str(position)] for position in others})
        return pl.DataFrame([held[position] for position in positions])

    return replace(source, load=load)


# WHAT IS WRITTEN


def _written(source: OpenTable, guess: Guess, sheet: str | None) -> Iterator[str]:
    yield f"# A draft, guessed from the headers of {_commented(source.name)}."
    yield f"# Look every line over; {_text(OPEN)} is for you to fill in."
    visits = list(_visits(guess, source))
    if not any("platelets" in visit for visit in visits):
        visits.append({"day": DraftValue(OPEN), "platelets": DraftValue(OPEN, "no column looks like platelet counts")})
    visits = list(_alike(visits))
    patients = dict(_patients(guess, source))
    yield from _above(source, guess, sheet, visits)
    yield from _keys(
        {"day_numbering": numbering} if (numbering := _numbering(guess, visits, source)) else {}, "options"
    )
    yield from _keys(patients, "patients")
    for visit in visits:
        yield from _keys(visit, "[visits]")
    coded = list(_coded(guess, visits, source))
    for name, column in coded:
        yield from _codes(source, name, column, _repeated(guess, column, source) if name == "day" else set())
    used = {column for keys in (patients, *visits) for entry in keys.values() for column in entry.columns}
    used |= {column for _, column in coded} | ({guess.lab.value} if guess.lab is not None else set())
    asked = {column: why for column, why in guess.asked.items() if column not in used}
    asked |= _dates_beside_days(guess, used)
    positions = [position for position, column in enumerate(source.header) if column in (*used, *asked)]
    asked |= dict.fromkeys(like_units(source, positions), "holds units of counts: name it as the unit of its counts")
    yield from _asked(asked)
    rest = [column for column in dict.fromkeys(source.header) if column and column not in used and column not in asked]
    if rest:
        labelled = (_commented(column) + _label(column, source, " ({})") for column in rest)
        yield from ("", f"# Not used: {', '.join(labelled)}")
    if "" in source.header:
        yield from ("", f"# Column {source.header.index('') + 1} has no name, so it cannot be used.")


def _above(source: OpenTable, guess: Guess, sheet: str | None, visits: Sequence[Keys]) -> Iterator[str]:
    """The keys above all tables."""
    yield "confirmed = false"
    if sheet is not None:
        yield f"sheet = {_text(sheet)}"
    yield from _unit(source, guess, visits)
    days = {time.day: time.by_day for time in guess.planned}
    if days.get(WEEK) is False and 0 not in days:
        yield "# Week 1 is read as day 7. If it is the week that begins with day 0, correct the days of all weeks."
    if any("cycle" in visit for visit in visits):
        yield f"cycle_days = {_text(OPEN)}  # {CURES['cycle_days']}; day 1 of cycle 1 is assumed to be day 0, enrolment"
    if any("month" in visit for visit in visits):
        yield f"month_days = {_text(OPEN)}  # {CURES['month_days']}, the average; months are counted from day 0"


def _unit(source: OpenTable, guess: Guess, visits: Sequence[Keys]) -> Iterator[str]:
    """The unit of all counts, if the headers, the labels or the file tell one."""
    counts = [str(visit["platelets"].value) for visit in visits if "platelets" in visit]
    baseline = guess.patients.get("baseline")
    counts += [baseline.column] if baseline is not None and baseline.column is not None else []
    counts = [column for column in counts if column != OPEN]
    said = [unit for column in counts for unit in _said(source, column)]
    exponents = {exponent_of(unit.unit) for unit in said}
    if guess.lab is not None and guess.lab.said_unit is not None:
        yield f"unit = {_text(guess.lab.said_unit)}  # as the name of the test says"
    elif len(exponents) > 1:
        yield f"# The headers tell several units: {', '.join(sorted({unit.unit for unit in said}))}"
    elif None in exponents:
        yield f"unit = {_text(OPEN)}  # the file has {_commented(said[0].unit)}, which is not a unit of platelet counts"
    elif said and not any("unit" in visit and visit["unit"].value == OPEN for visit in visits):
        factor = factor_text(exponents.pop() or 0)
        meaning = "as 10⁹/L" if factor == "1" else f"counts are multiplied by {factor} to 10⁹/L"
        yield f"unit = {_text(said[0].unit)}  # {meaning}"


def _said(source: OpenTable, column: str) -> list[UnitSaid]:
    """The units that the header, the label or the file tell of a column."""
    return [*said_by_header(column), *units_said(source, column)]


def _with_units(visits: Sequence[Keys], guess: Guess, source: OpenTable) -> Iterator[Keys]:
    """The visits with the column of units, or the question for the unit that only the other columns tell."""
    counts = {str(visit["platelets"].value): visit for visit in visits if "platelets" in visit}
    others = {said[0].unit for column in counts if (said := _said(source, column)) and exponent_of(said[0].unit) != 0}
    for visit in visits:
        if "platelets" in visit and "unit" in guess.visit:
            yield {**visit, "unit": _entry(guess.visit["unit"], source)}
        elif others and "platelets" in visit and not _said(source, str(visit["platelets"].value)):
            why = f"only the names of other columns tell it: {', '.join(sorted(others))}"
            yield {**visit, "unit": DraftValue(OPEN, why)}
        else:
            yield visit


def _patients(guess: Guess, source: OpenTable) -> Iterator[tuple[str, DraftValue]]:
    """The keys of `[patients]`."""
    if "patient_id" not in guess.patients:
        yield "patient_id", DraftValue(OPEN, "no column looks like a patient's id: name it")
    for name, choice in sorted(guess.patients.items(), key=lambda item: item[0] != "patient_id"):
        yield name, _entry(choice, source)
    lab = guess.lab
    if lab is not None and lab.baseline is not None:
        column, rows = lab.baseline
        yield "baseline", DraftValue(column)
        yield "baseline_only", DraftValue({lab.test: lab.sure or OPEN, **rows})
        if lab.unit is not None:
            yield "baseline_unit", DraftValue(lab.unit)


def _entry(choice: Choice, source: OpenTable) -> DraftValue:
    """A column, or the question which of several it is."""
    if choice.column is None:
        return DraftValue(OPEN, f"one of {', '.join(map(_text, choice.of))}")
    return DraftValue(choice.column, _label(choice.column, source, "{}"))


def _asked(asked: Mapping[str, str]) -> Iterator[str]:
    """The table of columns that could change a result and have no place."""
    if asked:
        yield from ("", "# Each of these could change a result. Name it where it belongs, and drop its line here;")
        yield from (f'# or write "{NOT_USED}".', "[other_columns]")
    for column, why in asked.items():
        yield f"{_key(column)} = {_text(OPEN)}  # {_commented(why)}"


# VISITS


def _visits(guess: Guess, source: OpenTable) -> Iterator[Keys]:
    """The visits, each by its keys."""
    yield from _with_units(list(_planned(guess, source)), guess, source)
    visit = {name: _entry(choice, source) for name, choice in guess.visit.items()}
    when = _when(guess, visit, source)
    start = visit.get("rescue_start")
    own = ("unit", "bleeding_grade", *(() if start else ("rescue", "rescue_end")))
    of_row = {name: visit[name] for name in own if name in visit}
    if guess.lab is not None:
        yield from _of_lab(guess.lab, when)
        of_row.pop("unit", None)
        if of_row:
            yield {**when, **of_row}
    elif "platelets" in visit or of_row.keys() - {"unit"}:
        yield {**when, **({"platelets": visit["platelets"]} if "platelets" in visit else {}), **of_row}
    if start:
        rescues = {"rescue": DraftValue(OPEN, f"which column says what was given from {_text(str(start.value))} on?")}
        rescues |= {name: entry for name, entry in visit.items() if name in ("rescue", "rescue_end")}
        yield {"date": start, **rescues}


def _alike(visits: Sequence[Keys]) -> Iterator[Keys]:
    """The visits, asking for the days of those with a date if others have days."""
    for visit in visits:
        if "date" in visit and any("date" not in other for other in visits):
            column = str(visit["date"].value)
            why = f"{_text(column)} is a date, and other visits have days: write days since enrolment in a column"
            yield {"day": DraftValue(OPEN, why), **{name: entry for name, entry in visit.items() if name != "date"}}
        else:
            yield visit


def _of_lab(lab: LabTable, when: Keys) -> Iterator[Keys]:
    """The visits of a laboratory table: one for each test that may be a count."""
    unit = {} if lab.unit is None else {"unit": DraftValue(lab.unit)}
    for test in lab.counts or (OPEN,):
        only = DraftValue({lab.test: test, **lab.observed}, "; ".join(lab.remarks))
        value = DraftValue(lab.value)
        if test not in (lab.sure, OPEN):
            value = DraftValue(
                OPEN, f"is {_text(test)} a platelet count? Then {_text(lab.value)}, else drop this visit"
            )
        yield {"only": only, **when, "platelets": value, **unit}


def _when(guess: Guess, visit: Keys, source: OpenTable) -> Keys:
    """The key that says when the rows of a file with a row per visit are."""
    day = visit.get("day", visit.get(STUDY_DAY))
    if "date" in visit and ("enrolment_date" in guess.patients or day is None):
        return {"date": visit["date"]}
    if day is not None:
        if guess.cycles and "day" in visit:
            why = f"{_text(str(day.value))} may count within {_text(guess.cycles[0])}"
            return {"day": DraftValue(OPEN, f"{why}: write days since enrolment in a column of their own")}
        return {"day": day}
    label = _visit_label(guess)
    if label is None:
        return {"day": DraftValue(OPEN, "no column says when a row is")}
    if FORM_REPEAT in guess.system or guess.cycles:
        return {"day": DraftValue(OPEN, f"{_text(label)} does not say when each record of it is")}
    repeated = _repeated(guess, label, source)
    if repeated and repeated >= set(texts(source, label).drop_nulls()):
        return {"day": DraftValue(OPEN, f"a patient has several rows with the same {_text(label)}: when were they?")}
    return {"day": DraftValue(label)}


def _visit_label(guess: Guess) -> str | None:
    """The column that says which visit a row is."""
    return next(filter(None, map(guess.system.get, EVENTS)), None) or next(iter(guess.labels), None)


def _repeated(guess: Guess, label: str, source: OpenTable) -> set[str]:
    """The visits at which a patient has several counts, so that they do not say when each was."""
    patient, counts = guess.patients.get("patient_id"), guess.visit.get("platelets")
    if patient is None or patient.column is None or counts is None or counts.column is None:
        return set()
    rows = texts(source, counts.column).is_not_null()
    visits = pl.DataFrame({"id": texts(source, patient.column), "visit": texts(source, label)}).filter(rows)
    return set(visits.drop_nulls().filter(pl.struct("id", "visit").is_duplicated())["visit"].to_list())


def _planned(guess: Guess, source: OpenTable) -> Iterator[Keys]:
    """The visits of a file with columns per visit; first those with a day, by it."""
    times = list(guess.planned)
    from_1 = are_from_1(times) and not all(time.by_day for time in times)
    with_counts = {time: measures for time, measures in guess.planned.items() if "platelets" in measures}
    dated = bool(with_counts) and all("date" in measures for measures in with_counts.values())
    on_day_0 = any(time.day == 0 for time in with_counts)
    for time, measures in sorted(guess.planned.items(), key=lambda item: _order(item[0])):
        columns = {name: columns[0] for name, columns in measures.items() if name != "date"}
        entries = {name: DraftValue(column, _label(column, source, "{}")) for name, column in columns.items()}
        rivals = measures.get("platelets", [])
        if dated and "date" in measures and entries:
            # A date is more exact than the planned day.
            yield {"date": DraftValue(measures["date"][0]), **entries}
        elif len(rivals) > 1:
            yield from _at_one_time(time, rivals, entries)
        elif entries.keys() - {"unit"}:
            why = _why(time, next(iter(columns.values())), from_1)
            if time.cycle == time.cycle_day == 1 and on_day_0:
                why = "day 1 of cycle 1 would be day 0, where another count is: write the day, or drop one"
            told = {name: DraftValue(value) for name, value in time.keys.items()}
            yield {**({"day": DraftValue(OPEN, why)} if why else told), **entries}


def _at_one_time(time: VisitTime, columns: Sequence[str], entries: Keys) -> Iterator[Keys]:
    """The visits of several columns of counts at one time, each asked about."""
    for column in columns:
        others = ", ".join(_text(one) for one in columns if one != column)
        why = f"{others} is at that time too ({_when_text(time)}): write the day of each, or drop one"
        of_first = entries if column == columns[0] else {}
        yield {"day": DraftValue(OPEN, why), **of_first, "platelets": DraftValue(column)}


def _order(time: VisitTime) -> tuple[int, int, int]:
    if time.day is not None:
        return 0, time.day, 0
    if time.cycle is not None:
        return 1, time.cycle, time.cycle_day or 0
    return (3, 0, 0) if time.month is None else (2, time.month, 0)


def _why(time: VisitTime, column: str, from_1: bool) -> str:
    """Why the time of a visit is asked; an empty text: it is not."""
    if time.why:
        return f"{_text(column)}: {time.why}"
    if from_1 and time.by_day and time.day is not None and time.day > 0:
        return f"{_text(column)}: day {time.day} if enrolment is day 0, {time.day - 1} if it is day 1"
    return ""


def _when_text(time: VisitTime) -> str:
    return ", ".join(f"{name} {value}" for name, value in time.keys.items()) or time.label


def _numbering(guess: Guess, visits: Sequence[Keys], source: OpenTable) -> DraftValue | None:
    """How days are numbered, if the draft has to say it."""
    columns = {str(visit["day"].value) for visit in visits if "day" in visit}
    study_day = guess.visit.get(STUDY_DAY)
    if study_day is not None and study_day.column in columns:
        if fits(study_day.column or "", CDISC_DAYS):
            return DraftValue("study-day", "in CDISC's study days, day 1 comes after day -1")
        zero = (texts(source, study_day.column or "") == "0").any()
        return DraftValue("from-0", "it has a day 0") if zero else DraftValue(OPEN, CURES["day_numbering"])
    times = [time for time, measures in guess.planned.items() if set(measures) - {"date"}]
    days = {time.day for time in times if time.day is not None}
    if are_from_1(times) and all(time.by_day for time in times):
        return DraftValue(OPEN, f"there is no day 0: {CURES['day_numbering']}")
    if days and 0 not in days and min(days) < 0 < max(days):
        by_day = any(time.by_day and (time.day or 0) > 0 for time in times)
        return DraftValue(OPEN, f"there is no day 0: {CURES['day_numbering']}") if by_day else DraftValue("from-0")
    return None


def _dates_beside_days(guess: Guess, used: Iterable[str]) -> dict[str, str]:
    """The columns at planned visits that no visit has."""
    left: dict[str, str] = {}
    for time, measures in guess.planned.items():
        for name, columns in measures.items():
            why = f"may be {name} of a visit that has one ({_commented(_when_text(time))})"
            if name == "date":
                why = "the date of a visit; others have none: name it, and give every visit a date, or leave it"
            left |= {column: why for column in columns if column not in used}
    return left


# CODES


def _coded(guess: Guess, visits: Iterable[Keys], source: OpenTable) -> Iterator[tuple[str, str]]:
    """The columns that may hold codes: events that stand for days, and texts that an export writes as numbers."""
    events = {*map(guess.system.get, EVENTS), *guess.labels} - {None}
    columns = [(name, str(entry.value)) for visit in visits for name, entry in visit.items()]
    coded = {(name, column) for name, column in columns if name == "rescue" or (name == "day" and column in events)}
    arm = guess.patients.get("arm")
    coded |= {("arm", arm.column)} if arm is not None and arm.column is not None else set()
    yield from sorted((name, column) for name, column in coded if column in source.header)


def _codes(source: OpenTable, name: str, column: str, repeated: Collection[str]) -> Iterator[str]:
    """The table `[codes.…]` of a column, with the likely meaning of each value; nothing if the values need no codes."""
    values, meanings = (
        texts(source, column).drop_nulls().unique(maintain_order=True).to_list(),
        source.codes.get(column, {}),
    )
    if name == "day":
        codes = list(day_codes(column, values, meanings, repeated))
        unknown = any(day is None for _, day, _ in codes)
        yield from ("", *([f'# "{NOT_USED}" leaves out the rows of a visit.'] if unknown else []), "[codes.day]")
        for value, day, comment in codes:
            yield f"{_key(value)} = {_text(OPEN) if day is None else day}{_comment(comment)}"
        return
    if not meanings and not all(CODED.fullmatch(value) for value in values):
        return
    if not values or len(values) > MOST_CODES:
        return
    yield from ("", f"[codes.{name}]")
    for value in values:
        given = meanings.get(value)
        yield f"{_key(value)} = {_text(OPEN if given is None else given)}"


# TOML


def _keys(keys: Keys, table: str) -> Iterator[str]:
    if keys:
        yield from ("", f"[{table}]")
    width = max(map(len, keys), default=0)
    for name, (value, comment) in keys.items():
        yield f"{name.ljust(width)} = {_value(value)}{_comment(comment)}"


def _value(value: str | int | Mapping[str, str]) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(key)} = {_text(text)}' for key, text in value.items())} }}"
    return str(value) if isinstance(value, int) else _text(value)


def _label(column: str, source: OpenTable, pattern: str) -> str:
    """The longest label of a column, if the names in the header are only codes."""
    labels = source.labels.get(column, ()) if source.codes else ()
    return _commented(pattern.format(max(labels, key=len))) if labels else ""


def _comment(text: str) -> str:
    return f"  # {_commented(text)}" if text else ""


def _commented(text: str) -> str:
    """A text as it may stand in a comment."""
    return _escaped(text)


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _text(text)


def _text(text: str) -> str:
    """A TOML text."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_escaped(escaped)}"'


def _escaped(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", lambda match: f"\\u{ord(match[0]):04x}", text)
