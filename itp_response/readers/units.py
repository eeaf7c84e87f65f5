"""Units of platelet counts, and their factors to 10⁹/L."""

import polars as pl

from itp_response.readers.cells import BOUND
from itp_response.readers.problems import as_text

PER_UNIT: dict[float, tuple[str, ...]] = {
    1.0: (
        *("10^9/l", "gi/l", "giga/l", "billion/l", "bil/l", "/nl", "10^6/ml", "million/ml"),
        *("10^3/ul", "thou/ul", "thousand/ul", "th/ul", "k/ul"),
        *("10^3/mm3", "thou/mm3", "thousand/mm3", "th/mm3", "k/mm3"),
        *("10^3/cumm", "thou/cumm", "thousand/cumm", "th/cumm", "k/cumm"),
        *("8848", "8961", "9444", "8816", "44777588"),  # OMOP's concepts of these
    ),
    0.001: ("/ul", "/mm3", "/cumm", "10^6/l", "mi/l"),
    10.0: ("10^4/ul", "10^4/mm3", "10^4/cumm", "10^10/l"),
    100.0: ("10^5/ul", "10^5/mm3", "10^5/cumm", "lakh/ul", "lakh/mm3", "lakh/cumm"),
}
"""Units, as `folded` gives them, by their factor to 10⁹/L."""
FACTORS = {unit: factor for factor, units in PER_UNIT.items() for unit in units}
KNOWN = "10^9/L, GI/L, 10^3/uL, THOU/uL, K/uL, 10^4/uL, /uL"
"""The units that messages name."""


def folded(units: pl.Series) -> pl.Series:
    """The units in one spelling. A capital G before the slash is giga; `g/L` remains grams.

    >>> folded(pl.Series(["10*9/L", "x10E9/L", "10⁹ cells/L", "G/L", "g/L"])).to_list()
    ['10^9/l', '10^9/l', '10^9/l', 'gi/l', 'g/l']
    """
    texts = units.str.replace_all(r"\s+", "").str.replace(r"^G/", "gi/").str.to_lowercase()
    texts = texts.str.replace_many(
        ["µ", "μ", "×", "⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁹"], ["u", "u", "x", "0", "1", "2", "3", "4", "5", "6", "9"]
    )
    texts = texts.str.replace_all("cells?|platelets?|plts?", "")
    texts = texts.str.replace("lakhs", "lakh").str.replace("^per|^1/", "/")
    texts = texts.str.replace("mcl$", "ul").str.replace(r"mm[\^*]+3$", "mm3").str.replace("cu[.]?mm[.]?$", "cumm")
    return texts.str.replace(r"^x?10(?:\*\*|\^|\*|e|exp)?\+?0?(\d+)", "10^${1}")


def as_factors(units: pl.Series) -> pl.Series:
    """The factor of each unit to 10⁹/L; null for no unit or an unknown one.

    >>> as_factors(pl.Series(["10^9/L", "/uL", "mg", None])).to_list()
    [1.0, 0.001, None, None]
    """
    spellings = units.drop_nulls().unique()  # they are few
    factors = folded(spellings).replace_strict(FACTORS, default=None, return_dtype=pl.Float64)
    return units.replace_strict(spellings, factors, default=None, return_dtype=pl.Float64)


def in_thousands(counts: pl.Series, factors: pl.Series) -> pl.Series:
    """The counts, as texts, in 10⁹/L; bounds remain bounds.

    A count in 10⁹/L, one without a factor, and a text that is no number remain as written.

    >>> in_thousands(pl.Series(["<10000", "15"]), pl.Series([0.001, 1.0])).to_list()
    ['<10', '15']
    """
    if bool((factors == 1).all()):
        return counts
    parts = counts.str.extract_groups(BOUND).struct.unnest()
    sign, number = parts.to_series(0).fill_null(""), parts.to_series(1).cast(pl.Float64, strict=False)
    converted = sign + as_text((number * factors).round(9))
    return converted.zip_with((converted.is_not_null() & (factors != 1)).fill_null(value=False), counts)
