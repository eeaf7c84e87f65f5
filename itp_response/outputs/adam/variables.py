"""Variables: what CDISC requires of a dataset's names, labels, types and lengths."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import polars as pl

from itp_response.cohort.values import NO_DAY, Ints

NAME, LABEL, TEXT = 8, 40, 200
"""The most characters of a name and of a label, and the most bytes of a text."""
VOWELS = "AEIOU"


STANDARD = {
    "STUDYID": "Study Identifier",
    "USUBJID": "Unique Subject Identifier",
    "SUBJID": "Subject Identifier for the Study",
    "TRTP": "Planned Treatment",
    "TRT01P": "Planned Treatment for Period 01",
    "TRT01A": "Actual Treatment for Period 01",
    "ASEQ": "Analysis Sequence Number",
    "PARAMCD": "Parameter Code",
    "PARAM": "Parameter",
    "AVISIT": "Analysis Visit",
    "AVISITN": "Analysis Visit (N)",
    "AVAL": "Analysis Value",
    "AVALC": "Analysis Value (C)",
    "BASE": "Baseline Value",
    "CHG": "Change from Baseline",
    "PCHG": "Percent Change from Baseline",
    "ABLFL": "Baseline Record Flag",
    "ANL01FL": "Analysis Flag 01",
    "ADT": "Analysis Date",
    "ADTF": "Analysis Date Imputation Flag",
    "ADY": "Analysis Relative Day",
    "ASTDT": "Analysis Start Date",
    "ASTDTF": "Analysis Start Date Imputation Flag",
    "ASTDY": "Analysis Start Relative Day",
    "AENDT": "Analysis End Date",
    "AENDTF": "Analysis End Date Imputation Flag",
    "AENDY": "Analysis End Relative Day",
    "STARTDT": "Time-to-Event Origin Date for Subject",
    "CNSR": "Censor",
    "EVNTDESC": "Event or Censoring Description",
    "CNSDTDSC": "Censor Date Description",
    "SRCDOM": "Source Data",
    "SRCVAR": "Source Variable",
    "SRCSEQ": "Source Sequence Number",
}
"""The labels of CDISC's own variables, as the ADaM Implementation Guide has them."""
Type = Literal["text", "integer", "float", "date"]


@dataclass(frozen=True)
class Variable:
    """A column of a dataset; `means` is its derivation."""

    name: str
    label: str
    type: Type
    means: str


def standard(name: str, type: Type, means: str) -> Variable:  # noqa: A002
    """A variable of CDISC's own, under the label that is the same in all datasets."""
    return Variable(name, STANDARD[name], type, means)


@dataclass(frozen=True)
class Dataset:
    """A dataset: a frame with a column per variable, in their order; missing is null."""

    name: str
    label: str
    structure: str
    """What a record is."""
    keys: tuple[str, ...]
    variables: tuple[Variable, ...]
    frame: pl.DataFrame
    lengths: Mapping[str, int] = field(default_factory=dict)
    """The bytes of each variable, the same in all datasets."""

    def length(self, variable: Variable) -> int:
        """The bytes of the longest text in any dataset, at least 1; of numbers and dates 8."""
        return self.lengths[variable.name]


def with_lengths(datasets: Sequence[Dataset]) -> dict[str, Dataset]:
    """The datasets by their names; a variable that several have is as long in each."""
    lengths: dict[str, int] = {}
    for dataset in datasets:
        for variable in dataset.variables:
            longest = 8
            if variable.type == "text":
                longest = max(int(dataset.frame[variable.name].str.len_bytes().max() or 0), 1)  # type: ignore[arg-type]
            lengths[variable.name] = max(longest, lengths.get(variable.name, 0))
    return {dataset.name: replace(dataset, lengths=lengths) for dataset in datasets}


def short_names(names: Sequence[str], most: int, reserved: Iterable[str] = ()) -> list[str]:
    """A short name of capitals and digits for each, all different and none of those reserved.

    A name that is too long loses vowels from its end, then letters; a name that would occur twice ends in a number.

    >>> short_names(["OR", "sustained_response", "sustained_response_2"], 8)
    ['OR', 'SSTNDRSP', 'SSTNDRS2']
    """
    used, short_of_each = set(reserved), []
    for name in names:
        shortened = short = _shortened(name, most)
        number = 1
        while short in used:
            number += 1
            short = f"{shortened[: most - len(str(number))]}{number}"
        used.add(short)
        short_of_each.append(short)
    return short_of_each


def _shortened(name: str, most: int) -> str:
    """The name without vowels inside its words, then without letters before its last digits, until it is short."""
    ascii_name = re.sub(r"[^A-Z0-9_]", "", name.upper())
    words = [word for word in ascii_name.split("_") if word]
    letters = [(letter, position > 0) for word in words for position, letter in enumerate(word)]
    surplus = len(letters) - most
    for position in reversed(range(len(letters))):
        letter, within = letters[position]
        if surplus > 0 and within and letter in VOWELS:
            del letters[position]
            surplus -= 1
    short = "".join(letter for letter, _ in letters) or "CRIT"
    short = short if short[0].isalpha() else f"C{short}"
    digits = short[len(short.rstrip("0123456789")) :][-(most - 1) :]
    return short if len(short) <= most else short[: most - len(digits)] + digits


def fitted(label: str, most: int = LABEL) -> str:
    """The label, cut after a word where it is too long."""
    if len(label) <= most:
        return label
    return label[: most + 1].rsplit(" ", 1)[0] if " " in label[: most + 1] else label[:most]


def study_days(days: Ints) -> Ints:
    """CDISC's study days of days since day 0, which is its day 1; `NO_DAY` stays `NO_DAY`."""
    return np.where((days >= 0) & (days != NO_DAY), days + 1, days)


def problems(dataset: Dataset) -> Iterator[str]:
    """Why the dataset cannot be a SAS transport file of version 5, a sentence each."""
    for variable in dataset.variables:
        where = f"{dataset.name}: {variable.name}"
        if not variable.label.isascii():
            yield f"{where}: the label {variable.label!r} has letters beyond ASCII; change it in the criteria file."
        if variable.type == "text":
            yield from _text_problems(where, dataset.frame[variable.name])


def _text_problems(where: str, texts: pl.Series) -> Iterator[str]:
    different = texts.drop_nulls().unique(maintain_order=True)
    beyond = different.filter(different.str.len_bytes() != different.str.len_chars())
    if len(beyond):
        yield f"{where}: {beyond[0]!r} has letters beyond ASCII{_more(beyond)}."
    long = different.filter(different.str.len_bytes() > TEXT)
    if len(long):
        yield f"{where}: {long[0][:30] + '…'!r} is longer than {TEXT} bytes{_more(long)}."


def _more(values: Any) -> str:
    return f", and so have {len(values) - 1} more" if len(values) > 1 else ""
