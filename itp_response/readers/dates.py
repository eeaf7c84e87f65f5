"""Dates: the meaning of texts and cells that are days or dates, and how each table's dates are written.

A date is read in the format that was told, else as ISO 8601. Where the day or the month is unknown, its possible days
are an interval. What cannot be read is refused with the format that would read it.
"""

import re
from collections.abc import Sequence
from datetime import date
from functools import partial
from shlex import quote
from typing import Literal

import numpy as np
import polars as pl

from itp_response.cohort.values import Floats, Numbers, exactly
from itp_response.messages.codes import Code
from itp_response.messages.errors import UsageError, unknown
from itp_response.readers.cells import all_missing, as_numbers, count_not_given, is_not_given, without_not_given
from itp_response.readers.date_forms import (
    ISO,
    ISO_8601,
    ISO_FORMS,
    PLACEHOLDERS,
    SERIAL,
    SERIALS,
    YEARS,
    DateFormat,
    formats_of,
    possible_days,
)
from itp_response.readers.problems import (
    Cells,
    NoteText,
    Problems,
    UnreadableCells,
    as_text,
    examples,
    first_few,
    in_calendar,
    quoted,
    shown,
)

DayNumbering = Literal["study-day", "from-0"]
SHIFTED = (np.datetime64("2100-01-01") - np.datetime64("1970-01-01")).astype(int).item()
"""The first day, since 1970, that no observation can have been made on."""
NUMBERED = "days are numbered as specified: "
"""What the note on the numbering of days has before it."""
ENROLLED = "enrolled"
"""Among the sides of day 0 on which there are days: days of enrolment are given."""
FEW = 20
"""The number of dates that cannot be read of which the formats are looked for."""
*EARLY, LATE = (float((day - date(1970, 1, 1)).days) for day in PLACEHOLDERS)
TEN_YEARS = 3653
"""Days."""
UNFIT = "not "
"""Before a format that does not read some date of a column."""
IMPUTED = {
    "first": "imputed as the first possible day, as specified",
    "last": "imputed as the last possible day, as specified",
}
"""The rules by which a partial date is made a day, and the wording of each."""


# DAYS


def as_days(cells: Cells, problems: Problems, numbering: DayNumbering | None = None) -> Floats:
    """Whole days from day 0; NaN where empty. Of study days, day 1 is day 0 and the day before it is -1."""
    days = as_numbers(cells, problems, least=-np.inf, wrong=_no_day, code=Code.DAY_UNREADABLE)
    off = days.low > np.floor(days.low)
    if not days.exact:
        off |= days.low < days.high
    problems.wrong_cells(
        cells,
        np.flatnonzero(off),
        lambda text: f"{quoted(text)} is not a whole day; give whole days.",
        Code.DAY_UNREADABLE,
    )
    whole = np.where(off, np.nan, days.low) if off.any() else days.low
    return whole if numbering != "study-day" else _from_day_0(cells, whole, problems)


def _from_day_0(cells: Cells, study_days: Floats, problems: Problems) -> Floats:
    cure = "correct it, or say --day-numbering from-0"
    problems.wrong_cells(
        cells,
        np.flatnonzero(study_days == 0),
        lambda text: f"{quoted(text)} is not a study day, as day 1 follows day -1; {cure}.",
        Code.DAY_UNREADABLE,
    )
    return np.where(study_days > 0, study_days - 1, study_days)


def _no_day(text: str) -> str:
    if re.match(ISO, text) or re.match(r"^\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}", text):
        return f"{quoted(text)} is a date; give whole days since enrolment, or dates throughout."
    return f"{quoted(text)} is not a day; give whole days since enrolment, such as 28."


def ask_numbering(cells: Cells, days: Floats, numbering: DayNumbering | None, problems: Problems) -> None:
    """Ask what days are that lie before and after enrolment but never on day 0; note what was told instead.

    CDISC's study days have no day 0: day 1 is the day of enrolment.
    """
    if numbering is not None:
        words = "day 1 is day 0, and the day before it is -1" if numbering == "study-day" else "day 0 is enrolment"
        problems.note(cells.location, f"{cells.name}: {NUMBERED}{numbering}, so {words}.")
        return
    problems.ask(cells.location, "day 0", partial(no_day_0, cells.name), 0, sides(days))


def sides(days: Floats) -> list[str]:
    """On which sides of day 0 there are days, and whether there is a day 1.

    >>> sides(np.array([-7.0, 1.0, np.nan]))
    ['before', 'after', 'day 1']
    """
    there = {"before": (days < 0).any(), "on": (days == 0).any(), "after": (days > 0).any(), "day 1": (days == 1).any()}
    return [side for side, days_there in there.items() if days_there]


def note_enrolled(cells: Cells, numbering: DayNumbering | None, problems: Problems) -> None:
    """Take account of days of enrolment in the patient table: a column of days may then begin with day 1."""
    if numbering is None:
        problems.ask(cells.location, "day 0", partial(no_day_0, cells.name), 0, [ENROLLED])


def no_day_0(name: str, _: int, sides: Sequence[str]) -> str:
    """The question about a column of days with these sides; an empty text: there is none."""
    first_is_1 = "day 1" in sides and "before" not in sides and ENROLLED not in sides
    if "on" in sides or not (first_is_1 or {"before", "after"} <= set(sides)):
        return ""
    where = "from 1 on" if first_is_1 else "before and after 0"
    what = f"{name}: there are days {where} but no day 0, as in CDISC's study days"
    return f"{what}, where day 1 is the first; say --day-numbering study-day or --day-numbering from-0."


# DATES


def as_day_numbers(cells: Cells, problems: Problems, written: DateFormat = ISO_8601, instead: str = "") -> Numbers:
    """Calendar dates as days since 1970; NaN where empty.

    The bounds of a date that is known in part are its first and its last possible day. Errors name what may be written
    `instead`.
    """
    count_not_given(cells, 0, problems)
    if written.told is not None:
        _count_in_format(cells, written.told, problems)
        _check_serials(cells, written, problems)
    if cells.values.null_count() == len(cells.values):
        none = all_missing(len(cells.values))
        _ask_shifted(cells, none.low, problems)
        _ask_placeholders(cells, none.low, written, problems)
        return none
    first, last = _calendar_dates(cells, problems, written, instead)
    low = _since_1970(first)
    _ask_shifted(cells, low, problems)
    _ask_placeholders(cells, low, written, problems)
    return exactly(low) if last is first or last.equals(first) else Numbers(low, _since_1970(last))


def cells_as_texts(values: pl.Series) -> pl.Series:
    """The cells as texts; one that is a date has its time, so that no format of texts is asked of it."""
    if values.dtype == pl.Date or isinstance(values.dtype, pl.Datetime):
        known = _of_the_calendar(values)[0].cast(pl.Date).dt.to_string("%Y-%m-%dT00:00")
        return known.zip_with(in_calendar(values), as_text(values))
    return as_text(values)


def _calendar_dates(cells: Cells, problems: Problems, written: DateFormat, instead: str) -> tuple[pl.Series, pl.Series]:
    """The first and the last possible day of each date, without times of day; null where empty."""
    values, outside = _of_the_calendar(cells.values)
    if isinstance(values.dtype, pl.Datetime):
        first = last = values.dt.replace_time_zone(None).cast(pl.Date)
    elif values.dtype == pl.Date:
        first = last = values
    else:
        first, last = _dates(cells, problems, written, instead)
    year = first.dt.year()
    implausible = ((year < YEARS[0]) | (year > YEARS[1])).fill_null(value=False) | outside
    problems.wrong_cells(
        cells,
        np.flatnonzero(implausible.to_numpy()),
        lambda text: f"{quoted(text)} is not between the years {YEARS[0]} and {YEARS[1]}; correct the year.",
        Code.DATE_UNREADABLE,
    )
    if not implausible.any():
        return first, last
    return first.set(implausible, None), last.set(implausible, None)


def _of_the_calendar(values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The cells without dates that lie outside of all years, and which these are; polars panics on some."""
    if values.dtype.is_temporal() and (outside := ~in_calendar(values)).any():
        return pl.select(pl.when(~outside).then(values)).to_series(), outside
    return values, pl.Series([False]).new_from_index(0, len(values))


def _dates(cells: Cells, problems: Problems, written: DateFormat, instead: str) -> tuple[pl.Series, pl.Series]:
    """The first and the last possible day of dates written as texts; null where empty."""
    values = cells.values if cells.values.dtype == pl.String else as_text(cells.values)
    if written.told is None:
        # A column of ISO dates alone, the usual one, takes one pass. Such a date has ten characters.
        dates = values.str.to_date("%Y-%m-%d", strict=False)
        dates = dates.set((values.str.len_bytes() != 10).fill_null(value=True), None)
    else:
        dates = pl.Series([None], dtype=pl.Date).new_from_index(0, len(values))
    other = (values.is_not_null() & dates.is_null()).arg_true()
    if not len(other):
        return dates, dates
    texts = without_not_given(cells, as_text(values.gather(other)), problems)
    first, last = possible_days(texts, written.told)
    bad = (texts.is_not_null() & first.is_null()).to_numpy()
    rows, serial = other.to_numpy()[bad], _serial(cells)
    problems.wrong_cells(cells, rows, lambda text: _no_date(text, written, instead, serial), Code.DATE_UNREADABLE)
    _ask_format(cells, texts.filter(bad), as_text(values), written, problems)
    if last.equals(first):
        dates = dates.scatter(other, first)
        return dates, dates
    return dates.clone().scatter(other, first), dates.clone().scatter(other, last)


def _count_in_format(cells: Cells, told: str, problems: Problems) -> None:
    """Note how a format that leaves something open was understood, if there are texts in it."""
    name, typed = cells.name, cells.values.dtype.is_temporal()

    def note_text(number: int, _: Sequence[str]) -> str:
        if number and told in SERIALS:
            return f"{name}: numbers were read as a spreadsheet's days since {SERIALS[told]}, as told."
        return f"{name}: years of two digits were read as 1969 to 2068." if number and "%y" in told else ""

    number = 0 if typed else len(cells.values) - cells.values.null_count()
    problems.count(cells.location, f"format: {name}", note_text, number)


def _check_serials(cells: Cells, written: DateFormat, problems: Problems) -> None:
    """Report numbers of days that are told to be counted from 1899 in a workbook that counts them from 1904."""
    if written.told != "excel" or not cells.location.from_1904 or not as_text(cells.values).str.contains(SERIAL).any():
        return
    cure = f"say {written.option} excel-1904, or write the dates if the numbers were copied from another workbook"
    problems.wrong(cells.location, f"{cells.name}: this workbook counts days from 1904, not from 1900; {cure}.")


def _since_1970(dates: pl.Series) -> Floats:
    return dates.to_physical().cast(pl.Float64).fill_null(np.nan).to_numpy()


def _ask_shifted(cells: Cells, days: Floats, problems: Problems) -> None:
    """Note dates that were shifted into the future; refuse them where other dates of the column were not."""
    shifted, others = np.flatnonzero(days >= SHIFTED), bool((days < SHIFTED).any())
    first = examples(cells.values.gather(shifted), 1)
    problems.count(cells.location, f"shifted: {cells.name}", _shifted_text(cells.name), len(shifted), first)
    problems.ask(
        cells.location, f"shifted: {cells.name}", _years_differ(cells.name), len(shifted), [*first, *([""] * others)]
    )


def _shifted_text(name: str) -> NoteText:
    def note_text(number: int, few: Sequence[str]) -> str:
        dates = "date lies" if number == 1 else "dates lie"
        return (
            f"{name}: {number} {dates} after 2099 ({first_few(sorted(few), 1)}), assumed to be shifted dates."
            if number
            else ""
        )

    return note_text


def _years_differ(name: str) -> NoteText:
    def note_text(number: int, few: Sequence[str]) -> str:
        if not number or "" not in few:
            return ""
        dates = f"{number} date{' lies' if number == 1 else 's lie'} after 2099 ({quoted(min(filter(None, few)))})"
        return f"{name}: {dates} and others before; correct the years, or shift all dates of the study."

    return note_text


def _ask_placeholders(cells: Cells, days: Floats, written: DateFormat, problems: Problems) -> None:
    """Ask about dates that mostly stand for one that is not known, where other dates of the column are far off.

    The dates of a study that begins on such a day, as shifted ones may, are all near it.
    """
    if written.any_day:
        return
    given = days[~np.isnan(days)]
    outside = len(given) > 0 and (given.min() <= max(EARLY) or given.max() >= LATE)
    rows = np.flatnonzero(np.isin(days, (*EARLY, LATE))) if outside else np.zeros(0, dtype=np.int64)
    others = given[~np.isin(given, (*EARLY, LATE))] if len(rows) else given
    texts = [_period(day) for day in (others.min(), others.max())] if len(others) else []
    first = rows[np.unique(days[rows], return_index=True)[1]]
    lines = cells.location.all_lines(first).tolist()
    for row, line, text in zip(first.tolist(), lines, shown(cells, first), strict=True):
        texts.append(f"{int(days[row])} {line} {quoted(text)} ({cells.location.named(row)})")
    about, note_text = f"placeholders: {cells.name}", _placeholders_asked(cells.name)
    unreadable = [UnreadableCells(cells, rows, _one_placeholder)]
    problems.ask(cells.location, about, note_text, len(rows), texts, unreadable=unreadable)


def _period(day: float) -> str:
    return str(int(day // TEN_YEARS))


def _placeholders_asked(name: str) -> NoteText:
    """The question about placeholders, each after its day and line; the periods of ten years of others stand alone."""

    def note_text(number: int, texts: Sequence[str]) -> str:
        others = [int(text) for text in texts if " " not in text]
        # Each chunk of a long table names its first; the first of all is named.
        split = [text.split(" ", 2) for text in texts if " " in text]
        found = sorted((int(day), int(line), text) for day, line, text in split)
        first = {day: text for day, _, text in reversed(found)}
        far = [first[day] for day in sorted(first) if any(abs(int(_period(day)) - other) > 1 for other in others)]
        if not number or not far:
            return ""
        cure = "correct it, or say --accept placeholder_dates if it is right"
        return (
            f"{name}: {', '.join(far)} stands for an unknown date in many files, and other dates are far off; {cure}."
        )

    return note_text


def _one_placeholder(text: str) -> str:
    return f"{quoted(text)} stands for an unknown date in many files; correct it."


# WHAT CANNOT BE READ


def _serial(cells: Cells) -> str:
    """The format of numbers of days in the file of the cells."""
    return "excel-1904" if cells.location.from_1904 else "excel"


def _no_date(text: str, written: DateFormat, instead: str, serial: str) -> str:
    if written.told is not None:
        return (
            f"{quoted(text)} does not match the date format {written.told!r}; {_cure_of_told(text, written, serial)}."
        )
    if re.match(r"^\d{4}-\d{2}$", text) or re.match(ISO, text):
        known = re.sub(r"(?:-(?:00|99))+$", "", text)
        part = f", or write {known} if no more is known" if known != text and not re.search("-(?:00|99)", known) else ""
        return f"{quoted(text)} is not in the calendar; correct it{part}."
    if re.match(r"^--\d{2}", text):
        without = "leave its row out: --on-error quarantine --quarantine-file FILE"
        return f"{quoted(text)} has no year; find it out, or {without}."
    formats = formats_of(text, serial)
    if not formats:
        return f"{quoted(text)} is not a date; write YYYY-MM-DD{instead}."
    if formats[0] in SERIALS:
        looks_like = f"looks like a spreadsheet's number of {possible_days(pl.Series([text]), formats[0])[0][0]}"
        return f"{quoted(text)} {looks_like}; write YYYY-MM-DD{instead}, or say so: {written.option} {formats[0]}."
    option = f"{written.option} {' or '.join(map(quote, formats))}"
    return f"{quoted(text)} is not ISO 8601; write YYYY-MM-DD, or say how dates are written: {option}."


def _cure_of_told(text: str, written: DateFormat, serial: str) -> str:
    other = (
        "iso"
        if possible_days(pl.Series([text]), None)[0][0] is not None
        else next(iter(formats_of(text, serial)), None)
    )
    if not written.inherited or other is None:
        return "write all dates alike"
    return f"write all dates alike, or say how this table's are written: {written.option} {other}"


def _ask_format(cells: Cells, bad: pl.Series, every: pl.Series, written: DateFormat, problems: Problems) -> None:
    """Say which formats read all dates of a column, where some cannot be read and a format may be told.

    Some formats fit a first date and not a later one: which these are, all chunks of a table must say.
    """
    if written.inherited:
        return  # each problem says how to tell this table's format
    candidates = dict.fromkeys(
        told for text in bad.head(FEW) for told in formats_of(text, _serial(cells)) if told != written.told
    )
    reads = {told: possible_days(every, told)[0].is_not_null() for told in (*candidates, written.told)}
    readable = pl.select(pl.any_horizontal(reads.values())).to_series()
    texts = [*candidates, *(f"{UNFIT}{told}" for told in candidates if (readable & ~reads[told]).any())]
    about, note_text = f"format of {cells.name}", _formats_asked(cells.name, written.option, new=written.told is None)
    problems.ask(cells.location, about, note_text, len(bad), texts, unreadable=[])


def _formats_asked(name: str, option: str, *, new: bool) -> NoteText:
    def note_text(_: int, texts: Sequence[str]) -> str:
        candidates = [told for told in texts if not told.startswith(UNFIT)]
        fit = [told for told in candidates if f"{UNFIT}{told}" not in texts]
        if len(fit) == len(candidates) and (new or not fit):
            return ""
        if not fit:
            return f"{name}: no format reads all of these dates; write YYYY-MM-DD throughout."
        return f"{name}: all of these dates are read by {option} {' or '.join(map(quote, fit))}."

    return note_text


# KNOWN IN PART


def check_impute(impute: str | None) -> None:
    """Raises `UsageError` for an unknown rule of imputing."""
    if impute not in (None, *IMPUTED):
        raise UsageError(unknown("rule of imputing", str(impute), IMPUTED))


def imputed(days: Numbers, impute: str | None) -> Numbers:
    """The days; with `impute`, a partial date is its `first` or `last` possible day."""
    return days if impute is None else exactly(days.low if impute == "first" else days.high)


def note_partial(cells: Cells, days: Numbers, problems: Problems, impute: str | None) -> None:
    """Note which dates are partial, and how they are used."""
    rows = np.zeros(0, dtype=np.int64) if days.exact else np.flatnonzero(days.low < days.high)
    name = cells.name

    def note_text(number: int, texts: Sequence[str]) -> str:
        are = "date is" if number == 1 else "dates are"
        use = IMPUTED[impute] if impute else "results are given where they are the same for every possible date"
        return f"{name}: {number} {are} known only in part ({first_few(sorted(texts), 3)}); {use}." if number else ""

    few = examples(cells.values.gather(rows), 4)
    problems.count(cells.location, f"partial: {name}", note_text, len(rows), few, warning=True)


def are_days(cells: Cells, written: DateFormat = ISO_8601) -> bool:
    """Whether a column of days or dates holds days: most of its cells are numbers and not dates."""
    values = cells.values
    if values.dtype.is_temporal():
        return False
    texts = as_text(values).drop_nulls()
    texts = texts.filter(~is_not_given(texts))
    if not len(texts):
        return True
    # A year alone, such as 2019, is a partial date, and 20190501 is a date, if other cells are dates too.
    numeric = texts.cast(pl.Float64, strict=False).is_not_null() & ~texts.str.contains(ISO_FORMS[2])
    if not numeric.all():
        numeric &= ~texts.str.contains(r"^(?:19|20)\d{2}$")
    numbers = numeric.sum()
    # A format may write dates as numbers: 43586.
    told = written.told
    return 2 * numbers > len(texts) and (told is None or possible_days(texts, told)[0].has_nulls())
