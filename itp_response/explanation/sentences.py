"""Sentences: texts as codes, each text once, so that what is said of many rows is worded once."""

from collections.abc import Iterable

import numpy as np

from itp_response.cohort.values import NONE, Bools, Floats, Ints


class Sentences:
    """Texts by their codes, from 0 up; the code -1 stands for no text.

    >>> sentences = Sentences()
    >>> days = sentences.codes(["day 1", "day 2"])
    >>> sentences[sentences.joined(": ", days, sentences.codes(["a count", "a count"]))[1]]
    'day 2: a count'
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._codes: dict[str, int] = {}

    def __getitem__(self, code: int) -> str:
        return self.texts[code]

    def code(self, text: str) -> int:
        """The code of a text."""
        code = self._codes.setdefault(text, len(self.texts))
        if code == len(self.texts):
            self.texts.append(text)
        return code

    def codes(self, texts: Iterable[str]) -> Ints:
        """The code of each of these texts."""
        return np.array([self.code(text) for text in texts], dtype=np.int64)

    def joined(self, joint: str, first: Ints, then: Ints) -> Ints:
        """The codes of two texts with a joint between them; where one is missing, of the other alone."""
        codes = np.where(first == NONE, then, first)
        both = np.flatnonzero((first != NONE) & (then != NONE))
        if len(both):
            pair = first[both] * len(self.texts) + then[both]
            distinct, kind = np.unique(pair, return_inverse=True)
            pairs = [divmod(each, len(self.texts)) for each in distinct.tolist()]
            codes[both] = self.codes([f"{self.texts[one]}{joint}{self.texts[other]}" for one, other in pairs])[kind]
        return codes


def kinds(*columns: Ints | Floats | Bools) -> tuple[Ints, Ints]:
    """Of entries with these columns the first of each kind, and the number of the kind of each entry.

    >>> kinds(np.array([7, 7, 9]), np.array([1, 1, 1]))
    (array([0, 2]), array([0, 0, 1]))
    """
    kind = np.zeros(len(columns[0]), dtype=np.int64)
    example: Ints = np.arange(min(1, len(kind)))
    for column in columns:
        values, of_column = np.unique(column, return_inverse=True)
        _, example, kind = np.unique(kind * len(values) + of_column, return_index=True, return_inverse=True)
    return example, kind
