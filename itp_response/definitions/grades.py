"""Grades: whether the source's own words were read for a set, and how far."""

from itp_response.definitions.schema import CriteriaFile, Read
from itp_response.messages.wording import listed

CHECKED = {
    "primary": "the source's own words were read (primary)",
    "secondary": "at least in part another's account was read, not the source's own words (secondary)",
    "unverified": "NOT VERIFIED; written from memory, not for use as it stands",
}
PARTS: dict[Read, str] = {
    "whole": "the whole text",
    "part": "the parts named with the source",
    "abstract": "the abstract",
    "registry": "the registry entry",
    "label": "the product information",
    "account": "another's account",
    "not recorded": "how far is not recorded",
}
"""What was read, in words."""
MANNERS: dict[Read, str] = {"copy": "at least in part in a copy", "cut": "a text read breaks off"}
"""How it was read, in words."""


def read_in_words(read: tuple[Read, ...]) -> str:
    """How far the source was read.

    >>> read_in_words(("registry", "abstract", "copy", "cut"))
    'the abstract and the registry entry; at least in part in a copy; a text read breaks off'
    """
    what = listed([words for part, words in PARTS.items() if part in read])
    return "; ".join([what, *(words for manner, words in MANNERS.items() if manner in read)])


def grade(file: CriteriaFile) -> str:
    """The grade and how far the source was read, in a few words.

    >>> from itp_response.definitions.load import load
    >>> grade(load("arnold_2012").file)
    'primary: the parts named with the source and the abstract; at least in part in a copy'
    """
    return f"{file.checked}: {read_in_words(file.read)}"
