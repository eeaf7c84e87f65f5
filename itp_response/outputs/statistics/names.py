"""Names: what columns, conditions and results are called in tables and pictures, where nobody types them."""

import re

SPELLED = {
    "ivig": "IVIg",
    "rhtpo": "rhTPO",
    "tpo": "TPO",
    "nk": "NK",
    "itp": "ITP",
    "bmi": "BMI",
    "hiv": "HIV",
    "hcv": "HCV",
    "ana": "ANA",
    "anti-d": "anti-D",
}
"""Words that the field does not write in small letters."""
UNITS = ("days", "weeks", "months", "years", "kg", "cm", "mg")
"""The last word of a name that is a unit."""
SIGNS = {">=": "≥", "<=": "≤", "!=": "≠", "==": "="}
OWN = {"baseline": "baseline platelet count (×10⁹/L)"}
TOKEN = re.compile(r"'[^']*'|\"[^\"]*\"|[A-Za-z_]\w*|[<>=!]=")
RESULTS = {"Y": "met", "N": "not met", "NE": "not evaluable", "NA": "not applicable"}


def column_in_words(text: str) -> str:
    """A column of the patient table, or a condition over its columns, as it stands in a table or picture.

    >>> column_in_words("disease_duration_months"), column_in_words("prior_ivig")
    ('Disease duration (months)', 'Prior IVIg')
    >>> column_in_words("age >= 50 and sex == 'female'")
    "Age ≥ 50 and sex = 'female'"
    """
    words = OWN[text] if text in OWN else TOKEN.sub(lambda token: _in_words(token[0]), text)
    own_case = words.split(" ")[0] in SPELLED.values()
    return words if own_case else words[:1].upper() + words[1:]


def _in_words(token: str) -> str:
    """A name without underscores, with its unit in brackets; a sign of comparison as it is printed; a text as it is."""
    if token in SIGNS:
        return SIGNS[token]
    if token[0] in "'\"":
        return token
    *words, last = [SPELLED.get(word.lower(), word) for word in token.split("_") if word] or [token]
    return " ".join([*words, f"({last})" if words and last.lower() in UNITS else last])


def as_the_field_spells(text: str) -> str:
    """A text with the abbreviations of the field in their own letters.

    >>> as_the_field_spells("ivig and anti-d")
    'IVIg and anti-D'
    """
    return " ".join(SPELLED.get(word.lower(), word) for word in text.split(" "))


def result_in_words(label: str) -> str:
    """A result in words, with its letters where they are not plain.

    >>> result_in_words("Y"), result_in_words("NE")
    ('met', 'not evaluable (NE)')
    """
    words = RESULTS.get(label, label)
    return f"{words} ({label})" if label in ("NE", "NA") else words
