"""Visit labels: the day of a visit, as far as its label tells it.

`Day -7`, `Week 4`, `Baseline` and `第7天` have a day. `C2D15` and `Month 3` have one once the length of a cycle or of
a month is told. `Screening`, `EOT` and `Visit 3` have none, and a label such as `Follow-up week 4` or `D-7` can be read
in two ways: of these it is said why.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from itp_response.readers.treatments import plain

WEEK = 7
MONTH = 30.4375
WITHIN = 10
"""A month and a day in one label agree if they are no more days apart."""
LONGEST = 4
"""The digits of a number of days."""
UNITS: Mapping[str, tuple[str, ...]] = {
    "day": (
        *("days", "day", "dy", "tage", "tag", "jours", "jour", "dias", "dia", "giorni", "giorno", "dagen", "dage"),
        *("dagar", "dag", "dzien", "den", "gun", "d", "j"),
    ),
    "week": (
        *("weeks", "week", "wks", "wk", "wochen", "woche", "semaines", "semaine", "sem", "semanas", "semana"),
        *("settimane", "settimana", "weken", "uger", "uge", "veckor", "vecka", "w"),
    ),
    "month": (
        *("months", "month", "mths", "mth", "mons", "mon", "mos", "mo", "monate", "monat", "mois", "meses", "mes"),
        *("mesi", "mese", "maanden", "maand", "m"),
    ),
    "year": (*("years", "year", "yrs", "yr", "jahre", "jahr", "annees", "annee", "ans", "anos", "anni"), "y"),
    "hour": ("hours", "hour", "hrs", "hr", "stunden", "stunde", "heures", "heure", "horas", "hora", "h"),
    "cycle": ("cycles", "cycle", "cyc", "zyklus", "ciclo", "cyklus", "cyclus", "course", "c"),
    "visit": (*("visits", "visit", "visite", "visita", "besuch", "bezoek", "timepoint", "tp"), "v"),
    "unknown": ("t", "s", "p"),
}
"""Words for a length of time, without accents. `t` and `s` are days and weeks in some languages, and more in others."""
CJK: Mapping[str, str] = {
    "第天": "day",
    "第日": "day",
    "天": "day",
    "日目": "day",
    "第周": "week",
    "第週": "week",
    "周": "week",
    "週目": "week",
    "週": "week",
    "个月": "month",
    "個月": "month",
    "ヶ月": "month",
    "か月": "month",
    "カ月": "month",
    "第月": "unknown",
    "第年": "unknown",
    "第次": "visit",
}
WORD_UNITS = {word: unit for unit, words in UNITS.items() for word in words}


def _either(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


SIGN = r"(?P<sign>[-–+−]|(?:minus|moins|menos|meno)\b|)"
BEFORE = re.compile(
    rf"(?<![a-z0-9])(?P<unit>{_either(WORD_UNITS)})(?P<gap>[\s.:#(]*){SIGN}(?P<after>\s*)(?P<number>\d+)(?!\d|[.,]\d)"
    r"(?P<range>\s*(?:[-–/~&]|to|bis|au?|hasta|until|and|und)\s*[-+−]?\d+(?!\s*[a-z]))?(?![a-z0-9])"
)
"""`Day -7`, `W12`, `C1D1`."""
AFTER = re.compile(
    rf"(?<![a-z0-9.,]){SIGN}(?P<after>)(?P<number>\d+)(?P<gap>[\s-]*)"
    rf"(?P<unit>{_either(set(WORD_UNITS) - set('tspcvj'))})(?![a-z0-9])"
)
"""`6 months`, `7d`."""
IN_CJK = re.compile(rf"(?P<nth>第?)\s*(?P<number>\d+)\s*(?P<unit>{_either({word.lstrip('第') for word in CJK})})")
ORDINAL = re.compile(
    rf"(?<![a-z0-9])\d+(?:st|nd|rd|th|\.)\s*(?:{_either(set(WORD_UNITS) - set('tspcvj'))})(?![a-z0-9])"
)
WINDOW = re.compile(r"(?:±|\+\s?/\s?[-−])\s*\d+\s*(?:days|day|d)?(?![a-z0-9])")
SINCE_ENROLMENT = re.compile(
    r"(?<![a-z])(?:post|after|since|from|following|nach|seit|apres|depuis|desde|tras|dopo)?[\s-]*(?:the\s+)?"
    r"(?:randomi[sz]ation|rando?|randomisierung|randomizacion|enrol+ment|baseline|inclusion|einschluss|study entry)"
    r"(?![a-z])"
)
"""What days are counted from in any case."""
ENROLMENT = re.compile(
    r"(?<![a-z])(?:baseline|bl|ausgangswert|basal|basale|enrol+ment|enrol+ed|inclusion|einschluss|randomi[sz]ation"
    r"|randomisierung)(?![a-z])|基线|基線|ベースライン"
)
SCREENING = r"(?:pre-?)?screening|screen|scr|unscheduled|unsched|unsch|uns"
"""Words that leave a day beside them as it is."""
ELSEWHEN = (
    *("end of (?:treatment|therapy|study|infusion)", "eot", "eos", "early termination", "early withdrawal", "et"),
    *("follow[\\s-]?ups?", "fup?", "f/u", "post", "after", "following", "since", "nach", "apres", "despues", "dopo"),
    *("pre", "before", "prior", "vor", "avant", "antes", "prima", "diagnosis", "diagnose", "relapse", "rezidiv"),
    *("extension", "ext", "ole", "open label", "period", "part", "phase", "last", "final", "first", "discharge"),
    *("admission", "nadir", "peak", "max", "maximum", "min", "minimum", "lowest", "highest", "best", "worst", "mean"),
    *("median", "average", "latest", "current", "therapieende", "abschluss", "verlauf", "kontrolle", "suivi"),
    *("seguimiento", "fin de traitement", "(?:pre|post|on|off)[\\s-]?(?:treatment|therapy|dose|dosing|infusion)"),
)
"""Words for a time that does not follow from enrolment, or from which other days may be counted."""
ELSE = re.compile(
    rf"(?<![a-z])(?:{SCREENING}|{'|'.join(reversed(ELSEWHEN))})(?:[\s#]*\d+)?(?![a-z0-9])|筛查|筛选|随访|スクリーニング|終了時|治疗前|治疗后"
)
LEAVES_DAY = re.compile(rf"(?:{SCREENING})[\s#\d]*|筛查|筛选|スクリーニング")
CYCLE_AND_DAY = re.compile(r"(?<![a-z0-9])(c(?:ycle)?\s?\d+)(?=d(?:ay)?\s?-?\d)")
FILLERS = ("at", "on", "the", "of", "am", "an", "im", "bei", "le", "la", "du", "de", "al", "el", "en", "il", "a")
"""Words that say nothing of what was measured."""
TIME_WORD = re.compile(
    rf"(?<![a-z])(?:{_either(word for word in WORD_UNITS if len(word) > 2)})(?![a-z])"
    rf"|(?<![a-z0-9])(?:{_either(WORD_UNITS)})[\s._-]*\d|\d[\s-]*(?:{_either(WORD_UNITS)})(?![a-z])|[天周週]"
)


class VisitTime(NamedTuple):
    """When a visit is: on a day, on a day of a cycle, in a month, or not certainly known."""

    day: int | None = None
    cycle: int | None = None
    cycle_day: int | None = None
    month: int | None = None
    why: str = ""
    """Why it is not known."""
    by_day: bool = False
    """The label counts in days, from 0 or from 1."""
    label: str = ""
    """What in a label without a day tells it from others."""

    @property
    def keys(self) -> dict[str, int]:
        """As the keys of a visit of a mapping; none if it is not known."""
        told = {"day": self.day, "cycle": self.cycle, "cycle_day": self.cycle_day, "month": self.month}
        return {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True)
class Token:
    """A number with its unit."""

    unit: str
    number: int
    why: str = ""

    @property
    def days(self) -> int:
        return self.number * WEEK if self.unit == "week" else self.number


def without_separators(label: str) -> str:
    """A label in small letters without accents, with spaces for `_`."""
    return plain(unicodedata.normalize("NFKC", label).replace("_", " "))


def read_label(label: str, also: Collection[tuple[str, int]] = ()) -> tuple[VisitTime, str] | None:
    """When the visit of a label is, and what the label says besides; None: it says nothing of a time.

    `also` are the times of the file's labels without a hyphen, see `unhyphenated`: beside `Day 7`, `Day-7` is before 0.

    >>> read_label("PLT Day -7")[0].day, read_label("plt_w12")[0].day, read_label("Tag 7")[0].day
    (-7, 84, 7)
    >>> read_label("PLT C2D15")[0].keys, read_label("Follow-up 6 months")[0].why
    ({'cycle': 2, 'cycle_day': 15}, "'follow-up': it is not said from when on that is counted")
    >>> read_label("Site")
    """
    text = without_separators(label)
    text, tokens = _tokens(WINDOW.sub(" ", text), also)
    if any(token.unit != "visit" for token in tokens):
        text = SINCE_ENROLMENT.sub(lambda match: " " if match[0].split()[1:] else match[0], text)
    at_enrolment = ENROLMENT.findall(text)
    text = ENROLMENT.sub(" ", text)
    others = ELSE.findall(text)
    if not tokens and not at_enrolment and not others:
        return None
    rest = ELSE.sub(" ", text)
    time = _time(tokens, bool(at_enrolment), others)
    kept = [word for word in without_separators(label).split() if word not in rest.split()]
    words = [word for word in re.findall(r"[^\W_]+", rest) if word not in FILLERS]
    return time._replace(label="" if time.keys else " ".join(kept)), " ".join(words)


def unhyphenated(labels: Iterable[str]) -> set[tuple[str, int]]:
    """The times in labels that are written without a hyphen: ("day", 7)."""
    tokens = (token for label in labels for token in _tokens(without_separators(label), ())[1])
    return {(token.unit, token.number) for token in tokens if not token.why}


def _tokens(text: str, also: Collection[tuple[str, int]]) -> tuple[str, list[Token]]:
    """The numbers with a unit in a text, and the text without them."""
    tokens: list[Token] = []

    def taken(match: re.Match[str]) -> str:
        tokens.append(_token(match, also))
        return " "

    def ordinal(match: re.Match[str]) -> str:
        tokens.append(Token("unknown", 0, f"{match[0]!r} may begin or end then"))
        return " "

    def in_cjk(match: re.Match[str]) -> str:
        unit = CJK.get(match["nth"] + match["unit"], CJK.get(match["unit"], "unknown"))
        why = f"{match[0].strip()!r} does not say which day it is" if unit == "unknown" else ""
        tokens.append(Token(unit, int(match["number"][:LONGEST]), why))
        return " "

    text = ORDINAL.sub(ordinal, CYCLE_AND_DAY.sub(r"\1 ", text))
    for pattern in (BEFORE, AFTER):
        text = pattern.sub(taken, text)
    return IN_CJK.sub(in_cjk, text), tokens


def _token(match: re.Match[str], also: Collection[tuple[str, int]]) -> Token:
    unit, number, sign = WORD_UNITS[match["unit"]], int(match["number"]), match["sign"]
    why = ""
    attached = match["gap"].strip("(") == match["gap"] == "" if match.re is BEFORE else False
    before = match.string[: match.start()]
    if match.groupdict().get("range"):
        why = f"{match[0].strip()!r} is a range"
    elif len(match["number"]) > LONGEST:
        why = f"{match[0].strip()!r} is not a number of days"
    elif match["gap"].count(".") > 1:
        why = f"{match[0].strip()!r} may have had a minus, which a program replaced"
    elif unit == "unknown":
        why = f"{match[0].strip()!r} does not say whether it counts days, weeks or visits"
    elif sign in ("-", "–") and (attached or match["after"]) and (unit, number) not in also:
        why = f"{match[0].strip()!r} may be before day 0, or have a hyphen in it"
    elif match.re is AFTER and not sign and before.endswith(("-", "–")):
        why = f"{match[0].strip()!r} may be before day 0, or have a hyphen before it"
    return Token(unit, -number if sign not in ("", "+") else number, why)


def _time(tokens: list[Token], at_enrolment: bool, others: list[str]) -> VisitTime:
    timed = [token for token in tokens if token.unit != "visit"]
    elsewhen = [word for word in others if not (timed and LEAVES_DAY.fullmatch(word))]
    why = next((token.why for token in tokens if token.why), "")
    if not why and elsewhen:
        counted = "it is not said from when on that is counted" if timed else "this has no planned day"
        why = f"{elsewhen[0].strip()!r}: {counted}"
    if why:
        return VisitTime(why=why)
    if not timed and not at_enrolment:
        return VisitTime(why=f"the day of visit {tokens[0].number} is not said")
    if any(token.unit == "cycle" for token in timed):
        return _of_cycle(timed, at_enrolment)
    return _of_days(timed, at_enrolment)


def _of_cycle(timed: list[Token], at_enrolment: bool) -> VisitTime:
    """The time of a cycle and its day."""
    numbers = {token.unit: token.number for token in timed}
    if set(numbers) != {"cycle", "day"} or len(timed) > len(numbers) or at_enrolment:
        return VisitTime(why="the day of the cycle is not said")
    if min(numbers.values()) < 1:
        return VisitTime(why="cycles and their days are counted from 1")
    return VisitTime(cycle=numbers["cycle"], cycle_day=numbers["day"])


def _of_days(timed: list[Token], at_enrolment: bool) -> VisitTime:
    """The time of days, weeks or months."""
    days = {token.days for token in timed if token.unit in ("day", "week")} | ({0} if at_enrolment else set())
    months = {token.number for token in timed if token.unit == "month"}
    other = next((token for token in timed if token.unit in ("year", "hour")), None)
    if other is not None:
        return VisitTime(why=f"{other.unit} {other.number} is no day")
    if len(days) > 1 or len(months) > 1:
        return VisitTime(why=f"it tells two times: {' and '.join(map(str, sorted(days or months)))}")
    if days and months and abs(min(months) * MONTH - min(days)) > WITHIN:
        return VisitTime(why=f"it tells two times: month {min(months)} and day {min(days)}")
    if days:
        return VisitTime(day=min(days), by_day=not at_enrolment and any(token.unit == "day" for token in timed))
    month = min(months)
    return VisitTime(day=0) if month == 0 else VisitTime(month=month)
