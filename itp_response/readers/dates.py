"""Dates: the meaning of texts and cells that are days or dates, and how each table's dates are written.

A date is read in the format that was told, else as ISO 8601. Where the day or the month is unknown, its possible days
are an interval. What cannot be read is refused with the format that would read it.
"""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from shlex import quote
from typing import Literal, NamedTuple

import numpy as np
import polars as pl

from itp_response.cohort.values import Floats, Numbers, exactly
from itp_response.messages.errors import UsageError, unknown
from itp_response.readers.cells import all_missing, as_numbers, count_not_given, is_not_given, without_not_given
from itp_response.readers.problems import Cells, NoteText, Problems, as_text, first_few, quoted, shown

DayNumbering = Literal["study-day", "from-0"]
ISO = r"^\d{4}-\d{2}-\d{2}(?:(?:T|\s+)\d{2}(?::\d{2}(?::\d{2}(?:[.,]\d+)?)?)?\s*(?:Z|[+-]\d{2}(?::?\d{2})?)?)?$"
DATE_CELL = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}"
"""A date with its time as ISO 8601 has it, whatever the format; cells that are dates become such texts."""
TIME = r"(?:T|,?\s+)\d{1,2}:\d{2}.*$"
NOT_KNOWN = r"(?:UN|UNK|UK|NK|XX|XXX|\?\?|\?\?\?)"
"""What stands for an unknown day or month."""
MONTHS = (
    "JAN JANUARY JANUAR JÄNNER JÄN JANVIER JANV ENERO ENE GENNAIO GEN JANEIRO JANUARI OCAK ЯНВАРЯ ЯНВАРЬ ЯНВ",
    "FEB FEBRUARY FEBRUAR FEBER FÉVRIER FEVRIER FÉVR FEVR FÉV FEV FEBRERO FEBBRAIO FEVEREIRO FEBRUARI ŞUBAT "
    "ФЕВРАЛЯ ФЕВРАЛЬ ФЕВ",
    "MAR MARCH MÄRZ MAERZ MÄR MRZ MARS MARZO MARÇO MARCO MAART MRT MARTS MART МАРТА МАРТ МАР",
    "APR APRIL AVRIL AVR ABRIL ABR APRILE NISAN АПРЕЛЯ АПРЕЛЬ АПР",
    "MAY MAI MAYO MAGGIO MAG MAIO MEI MAJ MAYIS МАЯ МАЙ",
    "JUN JUNE JUNI JUIN JUNIO GIUGNO GIU JUNHO HAZIRAN ИЮНЯ ИЮНЬ ИЮН",
    "JUL JULY JULI JUILLET JUIL JULIO LUGLIO LUG JULHO TEMMUZ ИЮЛЯ ИЮЛЬ ИЮЛ",
    "AUG AUGUST AOÛT AOUT AGOSTO AGO AUGUSTUS AUGUSTI AĞUSTOS АВГУСТА АВГУСТ АВГ",
    "SEP SEPTEMBER SEPT SEPTEMBRE SEPTIEMBRE SETTEMBRE SETEMBRO EYLÜL СЕНТЯБРЯ СЕНТЯБРЬ СЕН СЕНТ",
    "OCT OCTOBER OKTOBER OKT OCTOBRE OCTUBRE OTTOBRE OTT OUTUBRO EKIM ОКТЯБРЯ ОКТЯБРЬ ОКТ",
    "NOV NOVEMBER NOVEMBRE NOVIEMBRE NOVEMBRO KASIM НОЯБРЯ НОЯБРЬ НОЯ НОЯБ",
    "DEC DECEMBER DEZEMBER DEZ DÉCEMBRE DECEMBRE DÉC DICIEMBRE DIC DICEMBRE DEZEMBRO ARALIK ДЕКАБРЯ ДЕКАБРЬ ДЕК",
)
"""The names of the months in several languages, in capital letters; none means another month in another of them."""
MONTH_NUMBERS = {name: str(number) for number, names in enumerate(MONTHS, start=1) for name in names.split()}
MONTH = rf"(?P<m>{'|'.join(sorted(MONTH_NUMBERS, key=len, reverse=True))})"
DAY, MONTH_NUMBER, YEAR = (
    rf"(?:(?P<d>\d{{1,2}})|{NOT_KNOWN})",
    rf"(?:(?P<m>\d{{1,2}})|{NOT_KNOWN})",
    r"(?P<y>\d{4})",
)
BETWEEN = r"[\s./-]"
ISO_FORMS = (
    ISO.replace(r"^\d{4}-\d{2}-\d{2}", r"^(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})"),
    r"^(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})T[-:\d.,]+$",
    r"^(?P<y>(?:19|20|21|22)\d{2})(?P<m>\d{2})(?P<d>\d{2})(?:T\d{4}(?:\d{2})?Z?)?$",
    rf"^(?P<y>\d{{4}})(?:-(?P<m>\d{{2}})(?:-{NOT_KNOWN}?)?|-{NOT_KNOWN}-{NOT_KNOWN})?$",
    rf"^(?P<y>\d{{4}})-(?:-|{NOT_KNOWN})-(?P<d>\d{{2}})$",
)
"""Forms of ISO 8601: with or without its hyphens and a time, and with an unknown day or month (`2019-05`, `2019---15`).

A form has groups `y`, `m` and `d`; a group that is not there is not known.
"""
MONTH_NAME_FORMS = (
    rf"^(?:{DAY}(?:ER|º)?{BETWEEN}?\s*(?:DE\s+)?)?{MONTH}[.,]?{BETWEEN}?\s*(?:DE\s+)?{YEAR}(?::\d{{2}}:\d{{2}}(?::\d{{2}}(?:\.\d+)?)?)?$",
    rf"^{MONTH}\.?\s+(?P<d>\d{{1,2}}),?\s+{YEAR}$",
    rf"^{YEAR}{BETWEEN}{MONTH}(?:{BETWEEN}{DAY})?$",
    rf"^{NOT_KNOWN}{BETWEEN}{NOT_KNOWN}{BETWEEN}{YEAR}$",
    r"^(?P<y>\d{4})[年년]\s*(?P<m>\d{1,2})[月월]\s*(?P<d>\d{1,2})[日일]$",
)
"""Forms with the name of the month and four digits of the year: `04-JAN-2019`, `Jan 4, 2019`, `UN-FEB-2019`."""
ORDERS = {
    "dmy": (rf"^{DAY}[/.-]{MONTH_NUMBER}[/.-]{YEAR}$", rf"^{MONTH_NUMBER}[/.-]{YEAR}$", rf"^{YEAR}$"),
    "mdy": (rf"^{MONTH_NUMBER}[/.-]{DAY}[/.-]{YEAR}$", rf"^{MONTH_NUMBER}[/.-]{YEAR}$", rf"^{YEAR}$"),
    "ymd": (rf"^{YEAR}[/.-]{MONTH_NUMBER}[/.-]{DAY}$", rf"^{YEAR}[/.-](?P<m>\d{{1,2}})$", rf"^{YEAR}$"),
}
"""The forms of dates whose numbers come in that order."""
SERIAL = r"^([1-9]\d{4,5})(?:\.\d+)?$"
SERIALS = {"excel": date(1899, 12, 30), "excel-1904": date(1904, 1, 1)}
"""The day that a spreadsheet numbers 0, by the name of the format."""
KNOWN_FORMATS = ("iso", *ORDERS, *SERIALS)
YEARS = (1900, 2209)
"""The years that a date may lie in; MIMIC shifts its dates to 2100 to 2209."""
SHIFTED = (np.datetime64("2100-01-01") - np.datetime64("1970-01-01")).astype(int).item()
"""The first day, since 1970, that no observation can have been made on."""
ENROLLED = "enrolled"
"""Among the sides of day 0 on which there are days: days of enrolment are given."""
FEW = 20
"""The number of dates that cannot be read of which the formats are looked for."""
UNFIT = "not "
"""Before a format that does not read some date of a column."""
IMPUTED = {
    "first": "imputed as the first day that may be meant, as told",
    "last": "imputed as the last day that may be meant, as told",
}
"""The rules by which a partial date is made a day, and the wording of each."""


class DateFormat(NamedTuple):
    """How the dates of a table are written."""

    name: str | None = None
    """`iso`, an order (`dmy`), a spreadsheet's numbers (`excel`) or a pattern (`%d/%m/%Y`); None: `iso`."""
    option: str = "--date-format"
    """The option that tells it."""
    inherited: bool = False
    """It was told of the other table, and nothing of this one."""

    @property
    def told(self) -> str | None:
        """The format, if it is not ISO 8601."""
        return None if self.name == "iso" else self.name


ISO_8601 = DateFormat()


def check_date_format(date_format: str | None) -> None:
    """Raises `UsageError` for a format that is neither known nor a pattern."""
    if date_format is not None and date_format not in KNOWN_FORMATS and "%" not in date_format:
        raise UsageError(unknown("date format", date_format, [*KNOWN_FORMATS, "a pattern such as %d/%m/%Y"]))


# DAYS


def as_days(cells: Cells, problems: Problems, numbering: DayNumbering | None = None) -> Floats:
    """Whole days from day 0; NaN where empty. Of study days, day 1 is day 0 and the day before it is -1."""
    days = as_numbers(cells, problems, least=-np.inf, wrong=_no_day)
    off = ~np.isnan(days.low) & ((days.low != days.high) | (days.low != np.floor(days.low)))
    problems.wrong_cells(cells, np.flatnonzero(off), lambda text: f"{quoted(text)} is no whole day; give whole days.")
    whole = np.where(off, np.nan, days.low) if off.any() else days.low
    return whole if numbering != "study-day" else _from_day_0(cells, whole, problems)


def _from_day_0(cells: Cells, study_days: Floats, problems: Problems) -> Floats:
    cure = "correct it, or say --day-numbering from-0"
    problems.wrong_cells(
        cells,
        np.flatnonzero(study_days == 0),
        lambda text: f"{quoted(text)} is no study day, as day 1 comes after day -1; {cure}.",
    )
    return np.where(study_days > 0, study_days - 1, study_days)


def _no_day(text: str) -> str:
    if re.match(ISO, text) or re.match(r"^\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}", text):
        return f"{quoted(text)} is a date; give whole days since enrolment, or dates throughout."
    return f"{quoted(text)} is no day; give whole days since enrolment, such as 28."


def ask_numbering(cells: Cells, days: Floats, numbering: DayNumbering | None, problems: Problems) -> None:
    """Ask what days are that lie before and after enrolment but never on day 0; note what was told instead.

    CDISC's study days have no day 0: day 1 is the day of enrolment.
    """
    if numbering is not None:
        words = "day 1 is day 0, and the day before it is -1" if numbering == "study-day" else "day 0 is enrolment"
        problems.note(cells.location, f"{cells.name}: days were numbered as told: {numbering}, so {words}.")
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
    if cells.values.null_count() == len(cells.values):
        none = all_missing(len(cells.values))
        _ask_shifted(cells, none.low, problems)
        return none
    first, last = _calendar_dates(cells, problems, written, instead)
    low = _since_1970(first)
    _ask_shifted(cells, low, problems)
    return exactly(low) if last is first or last.equals(first) else Numbers(low, _since_1970(last))


def cells_as_texts(values: pl.Series) -> pl.Series:
    """The cells as texts; one that is a date has its time, so that no format of texts is asked of it."""
    if values.dtype == pl.Date or isinstance(values.dtype, pl.Datetime):
        return values.cast(pl.Date).dt.to_string("%Y-%m-%dT00:00")
    return as_text(values)


def _calendar_dates(cells: Cells, problems: Problems, written: DateFormat, instead: str) -> tuple[pl.Series, pl.Series]:
    """The first and the last possible day of each date, without times of day; null where empty."""
    values = cells.values
    if isinstance(values.dtype, pl.Datetime):
        first = last = values.dt.replace_time_zone(None).cast(pl.Date)
    elif values.dtype == pl.Date:
        first = last = values
    else:
        first, last = _dates(cells, problems, written, instead)
    year = first.dt.year()
    implausible = ((year < YEARS[0]) | (year > YEARS[1])).fill_null(value=False)
    problems.wrong_cells(
        cells,
        np.flatnonzero(implausible.to_numpy()),
        lambda text: f"{quoted(text)} is not between the years {YEARS[0]} and {YEARS[1]}; correct the year.",
    )
    if not implausible.any():
        return first, last
    return first.set(implausible, None), last.set(implausible, None)


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
    first, last = _possible_days(texts, written.told)
    bad = (texts.is_not_null() & first.is_null()).to_numpy()
    problems.wrong_cells(cells, other.to_numpy()[bad], lambda text: _no_date(text, written, instead))
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


def _since_1970(dates: pl.Series) -> Floats:
    return dates.to_physical().cast(pl.Float64).fill_null(np.nan).to_numpy()


def _ask_shifted(cells: Cells, days: Floats, problems: Problems) -> None:
    """Note dates that were shifted into the future; refuse them where other dates of the column were not."""
    shifted, others = np.flatnonzero(days >= SHIFTED), bool((days < SHIFTED).any())
    first = shown(cells, shifted[:1])
    problems.count(cells.location, f"shifted: {cells.name}", _shifted_text(cells.name), len(shifted), first)
    problems.ask(
        cells.location, f"shifted: {cells.name}", _years_differ(cells.name), len(shifted), [*first, *([""] * others)]
    )


def _shifted_text(name: str) -> NoteText:
    def note_text(number: int, few: Sequence[str]) -> str:
        dates = "date lies" if number == 1 else "dates lie"
        return f"{name}: {number} {dates} after 2099 ({first_few(few, 1)}), taken as shifted dates." if number else ""

    return note_text


def _years_differ(name: str) -> NoteText:
    def note_text(number: int, few: Sequence[str]) -> str:
        if not number or "" not in few:
            return ""
        dates = f"{number} date{' lies' if number == 1 else 's lie'} after 2099 ({quoted(next(filter(None, few)))})"
        return f"{name}: {dates} and others before; correct the years, or shift all dates of the study."

    return note_text


# FORMS


def _possible_days(texts: pl.Series, told: str | None) -> tuple[pl.Series, pl.Series]:
    """The first and the last possible day of each text in the format that was told (None: ISO 8601); null: none."""
    if told is None:
        first, last = _of_forms(texts, (*ISO_FORMS, *MONTH_NAME_FORMS))
        return _with_intervals(texts, first, last) if texts.str.contains("/", literal=True).any() else (first, last)
    if told in ORDERS:
        first, last = _of_forms(texts, (*ORDERS[told], *MONTH_NAME_FORMS))
    else:
        first = last = _serials(texts, told) if told in SERIALS else _in_pattern(texts, told)
    if "T" in told.replace("%T", ""):
        return first, last
    cells = texts.str.contains(DATE_CELL).fill_null(value=False)
    if not cells.any():
        return first, last
    dates = texts.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return dates.zip_with(cells, first), dates.zip_with(cells, last)


def _of_forms(texts: pl.Series, forms: Sequence[str]) -> tuple[pl.Series, pl.Series]:
    """The first and the last possible day of each text in the first form that it has."""
    upper = texts.str.normalize("NFC").str.to_uppercase()
    without_time = upper.str.replace(TIME, "")
    first = last = pl.Series([None], dtype=pl.Date).new_from_index(0, len(texts))
    for form in forms:
        open_texts = first.is_null()
        if not open_texts.any():
            break
        in_form = upper if form in ISO_FORMS else without_time
        low, high = _days_of(in_form.set(~open_texts, None), form)
        first, last = first.zip_with(~open_texts, low), last.zip_with(~open_texts, high)
    return first, last


def _days_of(texts: pl.Series, form: str) -> tuple[pl.Series, pl.Series]:
    parts = texts.str.extract_groups(form).struct.unnest()
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, len(texts))
    year, month, day = (parts[name] if name in parts.columns else nothing for name in "ymd")
    month = month.replace(MONTH_NUMBERS)
    padded = [year, month.str.zfill(2), day.str.zfill(2)]
    first, last = (_joined(padded, month_instead) for month_instead in ("01", "12"))
    return first, pl.select(pl.when(day.is_null()).then(last.dt.month_end()).otherwise(last)).to_series()


def _joined(parts: Sequence[pl.Series], month_instead: str) -> pl.Series:
    year, month, day = parts
    iso = year + "-" + month.fill_null(month_instead) + "-" + day.fill_null("01")
    return iso.str.to_date("%Y-%m-%d", strict=False)


def _with_intervals(texts: pl.Series, first: pl.Series, last: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The same days, and those of intervals such as `2019-05-01/2019-05-10`."""
    ends = texts.str.extract_groups(r"^(\d{4}-\d{2}[^/]*)/(\d{4}-\d{2}[^/]*)$").struct.unnest()
    low, high = _of_forms(ends.to_series(0), ISO_FORMS)[0], _of_forms(ends.to_series(1), ISO_FORMS)[1]
    there = (low <= high).fill_null(value=False)
    return low.zip_with(there, first), high.zip_with(there, last)


def _serials(texts: pl.Series, told: str) -> pl.Series:
    """The dates that a spreadsheet has these numbers for."""
    number = texts.str.extract(SERIAL, 1).cast(pl.Int32)
    begin = (SERIALS[told] - date(1970, 1, 1)) // timedelta(days=1)
    return (number + begin).cast(pl.Date)


def _in_pattern(texts: pl.Series, pattern: str) -> pl.Series:
    dates = texts.str.to_date(pattern, strict=False)
    return dates.zip_with(dates.is_not_null(), texts.str.replace(TIME, "").str.to_date(pattern, strict=False))


# WHAT CANNOT BE READ


def _no_date(text: str, written: DateFormat, instead: str) -> str:
    if written.told is not None:
        return f"{quoted(text)} is no date written as {written.told!r} says; {_cure_of_told(text, written)}."
    if re.match(r"^\d{4}-\d{2}$", text) or re.match(ISO, text):
        return f"{quoted(text)} is not in the calendar; correct it."
    if re.match(r"^--\d{2}", text):
        without = "leave its row out: --on-error quarantine --quarantine-file FILE"
        return f"{quoted(text)} has no year; find it out, or {without}."
    formats = _formats_of(text)
    if not formats:
        return f"{quoted(text)} is no date; write YYYY-MM-DD{instead}."
    if formats[0] in SERIALS:
        looks_like = f"looks like a spreadsheet's number of {_possible_days(pl.Series([text]), formats[0])[0][0]}"
        return f"{quoted(text)} {looks_like}; write YYYY-MM-DD{instead}, or say so: {written.option} {formats[0]}."
    option = f"{written.option} {' or '.join(map(quote, formats))}"
    return f"{quoted(text)} is not ISO 8601; write YYYY-MM-DD, or say how dates are written: {option}."


def _cure_of_told(text: str, written: DateFormat) -> str:
    other = "iso" if _possible_days(pl.Series([text]), None)[0][0] is not None else next(iter(_formats_of(text)), None)
    if not written.inherited or other is None:
        return "write all dates alike"
    return f"write all dates alike, or say how this table's are written: {written.option} {other}"


def _formats_of(text: str) -> list[str]:
    """The formats in which a text that is not ISO 8601 is a plausible date."""
    parts = re.match(
        r"(?P<one>\w+?)(?P<between>[\s./-]*)(?P<two>\d+|[A-Za-z]+)(?P<after>[\s./,-]*)(?P<three>\d+)(?!\S)", text
    )
    patterns = []
    if parts:
        between, after = parts["between"], parts["after"]
        month = "b" if len(parts["two"]) == 3 else "B"
        orders = (f"d{month}y",) if parts["two"].isalpha() else ("dmy", "mdy", "ymd") if between else ()
        patterns = [f"%{order[0]}{between}%{order[1]}{after}%{order[2]}" for order in orders]
    serial = ["excel"] * bool(re.match(SERIAL, text))
    candidates = [*(serial or ORDERS), *patterns]
    found = [told for told in candidates if _is_plausible(text, told)]
    return [told for told in found if told in ORDERS] or found


def _is_plausible(text: str, told: str) -> bool:
    day = _possible_days(pl.Series([text]), told)[0][0]
    # Numbers that a spreadsheet would have for earlier years are mostly another program's.
    return day is not None and (1970 if told in SERIALS else YEARS[0]) <= day.year <= YEARS[1]


def _ask_format(cells: Cells, bad: pl.Series, every: pl.Series, written: DateFormat, problems: Problems) -> None:
    """Say which formats read all dates of a column, where some cannot be read and a format may be told.

    Some formats fit a first date and not a later one: which these are, all chunks of a table must say.
    """
    if written.inherited:
        return  # each problem says how to tell this table's format
    candidates = dict.fromkeys(told for text in bad.head(FEW) for told in _formats_of(text) if told != written.told)
    reads = {told: _possible_days(every, told)[0].is_not_null() for told in (*candidates, written.told)}
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
        use = IMPUTED[impute] if impute else "verdicts are given that are the same on all days that may be meant"
        return f"{name}: {number} {are} known only in part ({first_few(texts, 3)}); {use}." if number else ""

    problems.count(cells.location, f"partial: {name}", note_text, len(rows), shown(cells, rows), warning=True)


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
    return 2 * numbers > len(texts) and (told is None or _possible_days(texts, told)[0].has_nulls())
