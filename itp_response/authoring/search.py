"""Search: the shipped sets by drug, trial, registry number, year and population."""

import re
from dataclasses import dataclass

import polars as pl

from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load, shipped
from itp_response.messages.codes import Code
from itp_response.messages.errors import Problem, UsageError, nearest
from itp_response.messages.results import DataResult, html_frame
from itp_response.messages.wording import aligned, counted, listed


@dataclass(frozen=True, repr=False)
class SetsFound(DataResult):
    """Shipped sets, those that a search found or all of them."""

    text: str
    """What was searched for; empty: all sets."""
    sets: tuple[Criteria, ...]

    def __str__(self) -> str:
        return aligned([(one.name, one.title) for one in self.sets])

    def frame(self) -> pl.DataFrame:
        """A row per set: `name`, `title`, `drugs`, `trial`, `registry`, `year`, `population`, `checked`, `read`.

        Several of a kind are separated by commas.
        """
        columns = ("name", "title", "drugs", "trial", "registry", "year", "population", "checked", "read")
        types = {column: pl.Int64() if column == "year" else pl.String() for column in columns}
        return pl.DataFrame([_row(one) for one in self.sets], schema=types, orient="row")

    def _headline(self) -> str:
        found = f", found by {self.text!r}" if self.text else ""
        return f"{counted(len(self.sets), 'criteria set')}{found}"

    def _pieces(self) -> list[str]:
        return [html_frame(self.frame(), rows=len(self.sets))]


def search(text: str = "") -> SetsFound:
    """Find the shipped criteria sets by drug, trial, registry number, year or population.

    Args:
        text: Words, of which a set must have all, each as the beginning of a word, a number as a whole; upper and lower
            case are the same. Titles, citations and names of the sets are searched as well. Empty: all sets are given.

    Returns:
        The sets, in the order of their names.

    Raises:
        UsageError: No set has all of the words; the error names the nearest word.

    Examples:
        >>> [one.name for one in search("ianalumab").sets]
        ['vayhit1', 'vayhit2', 'vayhit3']
        >>> [one.name for one in search("Romiplostim children").sets]
        ['nct07214025', 'romiplostim_paediatric']
    """
    sets = {name: load(name) for name in shipped()}
    searched = {name: searched_text(criteria).lower() for name, criteria in sets.items()}
    by_word = {word: {name for name in sets if _has(searched[name], word)} for word in text.lower().split()}
    found = set(sets).intersection(*by_word.values())
    if not found:
        raise UsageError(_not_found(by_word, list(sets.values())))
    return SetsFound(text, tuple(criteria for name, criteria in sets.items() if name in found))


def searched_text(criteria: Criteria) -> str:
    """What a set is found by: its name and title, its citation and registry number, and what was studied."""
    return " ".join([criteria.file.title, criteria.file.source.cite, *_keys(criteria)])


def _keys(criteria: Criteria) -> list[str]:
    """The names and numbers by which a set is found."""
    file, study = criteria.file, criteria.file.study
    year = [] if study.year is None else [str(study.year)]
    return [criteria.name, file.short, file.source.registry, *study.drugs, *study.trial, *year, *study.population]


def _has(text: str, word: str) -> bool:
    """Whether a word of the text begins with this one; a number must be the whole word."""
    whole = r"(?!\w)" if word.isdecimal() else ""
    return re.search(rf"(?<!\w){re.escape(word)}{whole}", text) is not None


def _not_found(by_word: dict[str, set[str]], sets: list[Criteria]) -> Problem:
    """The sentence where no set has all words: the nearest to a word that no set has, or what each finds alone."""
    for word, names in by_word.items():
        if not names:
            known = {part for criteria in sets for key in _keys(criteria) for part in re.findall(r"[\w-]+", key)}
            drugs = ", ".join(drugs_studied(sets))
            sentence = f"no criteria set is found by {word!r}; drugs: {drugs}.{nearest(word, sorted(known))}"
            return Problem(sentence, code=Code.NAME_UNKNOWN, value=word)
    words = list(by_word)
    alone = "; ".join(f"by {word!r}: {', '.join(sorted(names))}" for word, names in by_word.items())
    sentence = f"no criteria set is found by {listed([repr(word) for word in words])} together; {alone}."
    return Problem(sentence, code=Code.NAME_UNKNOWN, value=" ".join(words))


def drugs_studied(sets: list[Criteria]) -> dict[str, list[Criteria]]:
    """The sets of each drug, the drugs in alphabetical order."""
    by_drug: dict[str, list[Criteria]] = {}
    for criteria in sets:
        for drug in criteria.file.study.drugs:
            by_drug.setdefault(drug, []).append(criteria)
    return dict(sorted(by_drug.items(), key=lambda entry: entry[0].lower()))


def _row(criteria: Criteria) -> tuple[str | int | None, ...]:
    file, study = criteria.file, criteria.file.study
    drugs, trial, population = (", ".join(names) for names in (study.drugs, study.trial, study.population))
    read = ", ".join(file.read)
    name, registry = criteria.name, file.source.registry
    return (name, criteria.title, drugs, trial, registry, study.year, population, file.checked, read)
