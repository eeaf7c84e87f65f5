"""Date forms: the texts that are dates, in the format that was told or as ISO 8601, and the days that each may mean.

A form is a pattern with groups `y`, `m` and `d`; a day or month that is not known leaves its group empty.
"""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

import polars as pl

from itp_response.messages.errors import UsageError, unknown

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


PLACEHOLDERS = tuple(
    map(date.fromisoformat, ("1900-01-01", "1901-01-01", "1904-01-01", "1960-01-01", "1970-01-01", "2099-12-31"))
)
"""Days that programs and people write for an unknown date: where a calendar begins or ends, among them."""


class DateFormat(NamedTuple):
    """How the dates of a table are written."""

    name: str | None = None
    """`iso`, an order (`dmy`), a spreadsheet's numbers (`excel`) or a pattern (`%d/%m/%Y`); None: `iso`."""
    option: str = "--date-format"
    """The option that tells it."""
    inherited: bool = False
    """It was told of the other table, and nothing of this one."""
    any_day: bool = False
    """Days that stand for an unknown date in many files (`PLACEHOLDERS`) are dates like any other."""

    @property
    def told(self) -> str | None:
        """The format, if it is not ISO 8601."""
        return None if self.name == "iso" else self.name


ISO_8601 = DateFormat()


def check_date_format(date_format: str | None) -> None:
    """Raises `UsageError` for a format that is neither known nor a pattern."""
    if date_format is not None and date_format not in KNOWN_FORMATS and "%" not in date_format:
        raise UsageError(unknown("date format", date_format, [*KNOWN_FORMATS, "a pattern such as %d/%m/%Y"]))


def possible_days(texts: pl.Series, told: str | None) -> tuple[pl.Series, pl.Series]:
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
        parts = in_form.set(~open_texts, None).str.extract_groups(form).struct.unnest()
        if parts["y"].null_count() == len(texts):  # no text has this form, as of most
            continue
        low, high = _days_of(parts)
        first, last = first.zip_with(~open_texts, low), last.zip_with(~open_texts, high)
    return first, last


def _days_of(parts: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """The first and the last possible day of texts with these groups of a form."""
    month, day = (pl.col(name) if name in parts.columns else pl.lit(None, dtype=pl.String) for name in "md")
    month, day = month.replace(MONTH_NUMBERS).str.zfill(2), day.str.zfill(2)

    def joined(month_instead: str) -> pl.Expr:
        iso = pl.concat_str("y", month.fill_null(month_instead), day.fill_null("01"), separator="-")
        return iso.str.to_date("%Y-%m-%d", strict=False)

    last = joined("12")
    days = parts.select(first=joined("01"), last=pl.when(day.is_null()).then(last.dt.month_end()).otherwise(last))
    return days["first"], days["last"]


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


@lru_cache(maxsize=1024)
def formats_of(text: str, serial: str = "excel") -> tuple[str, ...]:
    """The formats in which a text that is not ISO 8601 is a plausible date; `serial` is that of numbers of days.

    A text that is reported is asked about again, for the question about its column.
    """
    parts = re.match(
        r"(?P<one>\w+?)(?P<between>[\s./-]*)(?P<two>\d+|[A-Za-z]+)(?P<after>[\s./,-]*)(?P<three>\d+)(?!\S)", text
    )
    patterns = []
    if parts:
        between, after = parts["between"], parts["after"]
        month = "b" if len(parts["two"]) == 3 else "B"
        orders = (f"d{month}y",) if parts["two"].isalpha() else ("dmy", "mdy", "ymd") if between else ()
        patterns = [f"%{order[0]}{between}%{order[1]}{after}%{order[2]}" for order in orders]
    candidates = [*([serial] if re.match(SERIAL, text) else ORDERS), *patterns]
    found = tuple(told for told in candidates if _is_plausible(text, told))
    return tuple(told for told in found if told in ORDERS) or found


def _is_plausible(text: str, told: str) -> bool:
    day = possible_days(pl.Series([text]), told)[0][0]
    # Numbers that a spreadsheet would have for earlier years are mostly another program's.
    return day is not None and (1970 if told in SERIALS else YEARS[0]) <= day.year <= YEARS[1]
