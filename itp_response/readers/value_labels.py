"""Value labels: what a file of a statistics program says that the codes in its cells mean.

Cells are read as they are, as of many a column the labels are in any language. Where a code is read as something else
than its label says, they would be read wrongly: a rescue of 1 that is labelled `No`, a grade of 1 labelled `Grade 0`.
"""

import re
from collections.abc import Iterator, Mapping

import polars as pl

from itp_response.readers.problems import as_text, quoted

NONE = re.compile(r"(?i)\s*(?:no|none|never|absent|nil|no bleeding|not? given)\s*")
DIGIT = re.compile(r"\d+")


def by_labels(cells: pl.Series, labels: Mapping[str, str]) -> pl.Series:
    """The cells with the labels of codes in place of these."""
    texts = as_text(cells)
    return texts.replace_strict(list(labels), list(labels.values()), default=texts, return_dtype=pl.String)


def contradictory(name: str, labels: Mapping[str, str]) -> Iterator[str]:
    """The problems of the labels of a column of grades that are numbered in another way."""
    for code, label in labels.items():
        numbers = DIGIT.findall(label)
        other = numbers != [code] if len(numbers) == 1 else NONE.fullmatch(label) is not None and code != "0"
        if other:
            what = f"{name}: {quoted(code)} is labelled {quoted(label)} in the file"
            yield f"{what}, so it is not the grade; say in a mapping what the codes mean, [codes.bleeding_grade]."
