"""Units of platelet counts: one table of them, their factors to 10⁹/L, and the unit that a header names.

A unit is an amount of platelets per volume. Its exponent is the power of ten that makes a count one in 10⁹/L.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from itp_response.cohort.values import Floats, Ints
from itp_response.messages.errors import UsageError

AMOUNTS: Mapping[int, tuple[str, ...]] = {
    0: ("",),
    3: (
        *("thousand", "thousands", "thous", "thou", "th", "k", "tsd", "tausend", "tys", "mille", "milles"),
        *("miles", "millares", "тыс", "тысяч", "bin", "千", "천"),
    ),
    4: ("万", "萬", "만"),
    5: ("lakh", "lakhs", "lac", "lacs"),
    6: ("million", "millions", "mio", "mi", "mln", "mpt", "млн"),
    9: (
        *("giga", "gi", "gpt", "billion", "billions", "bil", "mrd", "mld", "mlrd", "milliard", "milliards"),
        *("гига", "млрд"),  # г is a gram
    ),
    12: ("tera", "tpt"),
}
"""Words for a power of ten. Words that two languages use differently, such as `mil` and `m`, are not among them."""
VOLUMES: Mapping[int, tuple[str, ...]] = {
    0: ("l", "litre", "liter", "litres", "liters", "л"),
    -1: ("dl",),
    -3: ("ml", "cc", "cm3", "millilitre", "milliliter", "мл"),
    -6: ("ul", "mcl", "mm3", "cmm", "cumm", "mmc", "microlitre", "microliter", "microlitres", "microliters", "мкл"),
    -9: ("nl", "nanolitre", "nanoliter", "нл"),
}
"""Words for a power of ten of a litre."""
EXPONENTS: dict[str, int] = {
    **{
        f"{word}/{volume}": power - size - 9
        for power, words in AMOUNTS.items()
        for word in words
        for size, volumes in VOLUMES.items()
        for volume in volumes
    },
    **{
        f"10^{power}/{volume}": power - size - 9
        for power in range(1, 13)
        for size, volumes in VOLUMES.items()
        for volume in volumes
    },
    # T/L is 10¹²/L, but T/µL is a thousand per µL.
    **{f"t/{volume}": 0 for volume in VOLUMES[-6]},
    # OMOP's concepts: 10³/µL, 10³/mm³, 10⁹/L, 10⁶/mL, 10⁹ cells/L; /µL, cells/µL, /mm³.
    **dict.fromkeys(("8848", "8961", "9444", "8816", "44777588"), 0),
    **dict.fromkeys(("8647", "8784", "8785"), -3),
}
"""The units in one spelling, as `folded` gives it, with their exponents."""
KNOWN = "10^9/L, G/L, 10^3/uL, K/uL, 10^4/uL, lakh/mm3, /uL"
"""The units that messages name."""
CHARACTERS = str.maketrans(
    {"μ": "u", "×": "x", "·": ".", "∙": ".", "•": ".", "⋅": ".", "−": "-", "_": " ", "∧": "^", "ˆ": "^"}
)


def _either(words: Mapping[int, tuple[str, ...]]) -> str:
    texts = sorted((word for several in words.values() for word in several if word), key=len, reverse=True)
    return "|".join(map(re.escape, texts))


NOUN = r"(?:cells?|platelets?|plts?|thrombocytes?|thrombozyten|plaquettes?|zellen|#|no\.?|n)"
VOLUME = rf"(?P<volume>{_either(VOLUMES)})"
TIMES = r"(?:[x*]\s*)?"
ROUND = r"(?P<round>1(?:0{0,2})(?:[ ,.']?0{3})+)"
"""1000; 1,000; 10 000."""
POWER = r"10\s*(?:\*\*|\^|\*|exp|e)?\s*\(?\+?0?(?P<power>\d{1,2})\)?"
"""10^3, 10*3, 10E3; 103, of which the superscript was lost."""
EXPONENT = r"(?:1(?:\.0)?\s*)?e\s*\+?0?(?P<e>\d{1,2})"
"""E9, 1e9."""
WORD = rf"(?P<word>{_either(AMOUNTS)}|t)\.?"
AMOUNT = rf"{TIMES}(?:{ROUND}|{POWER}|{EXPONENT}|{WORD})"
PER = r"\s*/\s*(?:1\s*)?"
COUNTED = rf"{AMOUNT}(?:\s*{NOUN})?(?:{PER}|\s+|(?<=\d)){VOLUME}"
CELL = re.compile(rf"(?:{NOUN}\s*)?(?:{COUNTED}|1?\s*/\s*(?:1\s*)?(?P<alone>{_either(VOLUMES)}))")
IN_HEADER = re.compile(
    rf"(?<!\w)(?:{COUNTED}|(?:(?P<noun>{NOUN}|counts?|values?|results?)\s*)?/\s*(?P<alone>{_either(VOLUMES)}))(?!\w)"
)
LIKE_ALONE = re.compile(rf"{TIMES}(?:10\s*(?:\*\*|\^|\*|e)\s*\d+|{ROUND}|{_either(AMOUNTS)}|%|fl|[mun]?g)")
"""An amount without a volume, or a unit of something else."""
LIKE = re.compile(
    rf"(?<!\S)\S*/\s*(?:{_either(VOLUMES)}|k?g|mol)(?!\w)|(?<!\w){TIMES}(?:10\s*(?:\*\*|\^|\*)\s*\d+|lakhs?|lacs?)(?!\w)"
)
CUBIC = re.compile(r"\b(?:cubic|cub\.?|cu\.?|c\.)\s*(?:mm\b\.?|millimet(?:re|er)s?)|\bmm\s*(?:\^|\*{1,2})?\s*3\b")
MINUS_ONE = re.compile(rf"[.\s]*\b({_either(VOLUMES)})\s*\^?\s*-\s*1\b")
SUPERSCRIPTS = re.compile("[⁻⁰¹²³⁴-⁹]+")
BRACKETS = re.compile(r"[(\[（【]([^)\]）】]*)[)\]）】]")


class HeaderUnit(NamedTuple):
    """A unit that stands in a header."""

    text: str
    exponent: int | None
    """None: it looks like a unit, but is none of platelet counts."""
    rest: str
    """The header without it."""


class UnitSaid(NamedTuple):
    """A unit as it was told."""

    unit: str
    by: str
    """Who told it, as messages name it."""


def folded(text: str) -> str:
    """A unit in one spelling, as far as characters go. A capital G before `/L` is giga; `g/L` remains grams.

    >>> [folded(text) for text in ("10⁹/L", "×10^3 per μL", "G/L", "g/L", "/cu.mm", "10^9 L⁻¹")]
    ['10^9/l', 'x10^3 / ul', 'giga/l', 'g/l', '/mm3', '10^9/l']
    """
    text = SUPERSCRIPTS.sub(lambda match: f"^{unicodedata.normalize('NFKC', match[0])}", text)
    text = unicodedata.normalize("NFKC", text)
    text = re.sub(r"(?<!\w)G(?=\s*(?:/|per\b)\s*[lL]|\s*[.⋅·]?\s*[lL]\s*\^?\s*[-−]\s*1)", "giga", text)
    text = re.sub(r"\{[^}]*\}", "", text.lower().translate(CHARACTERS))
    text = re.sub(r"\b(?:per|pro|par|por)\b", "/", text)
    text = MINUS_ONE.sub(r"/\1", CUBIC.sub("mm3", text))
    return " ".join(text.split())


@lru_cache(maxsize=1024)
def exponent_of(unit: str) -> int | None:
    """The power of ten that makes a count in this unit one in 10⁹/L; None: it is no unit of platelet counts.

    >>> [exponent_of(unit) for unit in ("10*9/L", "x10E3/uL", "Tsd/µl", "lakh/mm³", "10^4/uL", "/cmm", "8848", "g/L")]
    [0, 0, 0, 2, 1, -3, 0, None]
    """
    text = re.sub(r"^(\d+)\.0+$", r"\1", folded(unit))  # a concept's number as some programs write it
    match = CELL.fullmatch(text.strip("()[]"))
    return EXPONENTS.get(text) if match is None else EXPONENTS.get(_spelling(match))


def _spelling(match: re.Match[str]) -> str:
    """The key in `EXPONENTS` of a unit that was found."""
    parts = match.groupdict()
    if parts["alone"]:
        return f"/{parts['alone']}"
    power = parts["power"] or parts["e"] or (parts["round"] and str(parts["round"].count("0")))
    return f"{f'10^{int(power)}' if power else parts['word']}/{parts['volume']}"


def in_header(header: str) -> HeaderUnit | None:
    """The unit that stands in a header, in brackets or not; None: there is none.

    >>> in_header("PLT (x10^4/uL) day 0")
    HeaderUnit(text='x10^4/uL', exponent=1, rest='PLT day 0')
    >>> in_header("Plaquettes G/L")
    HeaderUnit(text='giga/l', exponent=0, rest='plaquettes')
    >>> in_header("plt_10e9_l").rest, in_header("Hb (g/dL)").exponent, in_header("platelets (local)")
    ('plt', None, None)
    """
    for bracket in BRACKETS.finditer(header):
        for part in re.split(r"[,;]\s+", bracket[1]):
            exponent = exponent_of(part)
            if exponent is not None or LIKE_ALONE.fullmatch(folded(part)) or LIKE.search(folded(part)):
                rest = " ".join(f"{header[: bracket.start()]} {header[bracket.end() :]}".split())
                return HeaderUnit(part.strip(), exponent, rest)
    text = folded(header)
    match = IN_HEADER.search(text)
    if match is not None:
        begin = match.end("noun") if match["noun"] else match.start()
        exponent = EXPONENTS.get(_spelling(match))
        return HeaderUnit(text[begin : match.end()].strip(), exponent, _without(text, begin, match.end()))
    like = LIKE.search(text)
    return like and HeaderUnit(like[0].strip(), None, _without(text, like.start(), like.end()))


def _without(text: str, begin: int, end: int) -> str:
    return " ".join(f"{text[:begin].rstrip(' ,;:-').removesuffix(' in')} {text[end:].strip(' ,;:-')}".split())


def times(counts: Floats, exponent: Ints | int) -> Floats:
    """Counts in 10⁹/L, from counts in units with these exponents.

    >>> times(np.array([0.57, 12000.0]), np.array([2, -3])).tolist()
    [57.0, 12.0]
    """
    if isinstance(exponent, int) and not exponent:
        return counts
    power = np.asarray(exponent, dtype=np.float64)
    # Division by a power of ten is exact to the last digit; a product is made so.
    converted: Floats = np.where(power < 0, counts / 10.0 ** np.abs(power), (counts * 10.0 ** np.maximum(power, 0)))
    return np.where(power > 0, converted.round(9), converted)


def factor_text(exponent: int) -> str:
    """The factor to 10⁹/L as messages give it.

    >>> factor_text(2), factor_text(-3)
    ('100', '0.001')
    """
    return f"{10**exponent:,}" if exponent >= 0 else f"{10.0**exponent:.{-exponent}f}"


def no_unit(text: str) -> str:
    """The problem of a text that is no unit of counts."""
    return f"{text!r} is not a unit of platelet counts; known: {KNOWN}, and similar."


def check_unit(unit: str | None) -> None:
    """Raises `UsageError` for a text that is no unit of platelet counts."""
    if unit is not None and exponent_of(unit) is None:
        raise UsageError(no_unit(unit))
