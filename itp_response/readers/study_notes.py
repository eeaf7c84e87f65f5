"""Study notes: what is noted, and asked, of the rows and patients of both tables together."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from itp_response.readers.column_names import NamedTable
from itp_response.readers.options import ReadOptions
from itp_response.readers.plausible_counts import banded, count_sizes, patient_bands
from itp_response.readers.problems import (
    Location,
    Problems,
    first_few,
)
from itp_response.readers.study_rows import StudyRows

SKIPPED = "skipped: no count, grade, rescue or declared column."
"""What the note on rows without content ends in."""
FEW = 5
"""The number of patients that a message names."""


def count_passed_over(table: NamedTable, number: int, problems: Problems) -> None:
    word = table.location.row_word

    def note_text(number: int, _: Sequence[str]) -> str:
        rows = f"{number} {word}{'s' if number > 1 else ''}"
        return f"{rows} {SKIPPED}" if number else ""

    problems.count(table.location, "skipped", note_text, number)


def count_patients(
    location: Location, about: str, ids: pl.Series, words: Callable[[int, str], str], problems: Problems
) -> None:
    """A warning about patients, worded by `words` from their number and the first few ids; none for no patients."""

    def note_text(number: int, texts: Sequence[str]) -> str:
        return words(number, first_few(texts, number=number)) if number else ""

    problems.count(location, about, note_text, len(ids), ids[:FEW].to_list(), warning=True)


def note_unmatched(study: StudyRows, problems: Problems) -> None:
    """Note the patients without an observation, and those in only one of the two tables, if there are two."""
    _note_without_observations(study, problems)
    if not study.patients.table.header:
        return
    not_listed = study.ids[study.listed :]
    without_rows = study.ids[: study.listed].filter(study.numbers[: study.listed] == 0)
    for ids, lack in ((not_listed, "not in the patient table"), (without_rows, "without a row in the visits")):

        def words(number: int, few: str, lack: str = lack) -> str:
            return f"{number} patient{'s' if number > 1 else ''} {lack}, kept: {few}."

        count_patients(study.visits.table.location, lack, ids, words, problems)


def _note_without_observations(study: StudyRows, problems: Problems) -> None:
    """Note the patients with rows in the visits and nothing observed in any of them, as a line of a footer has."""
    empty = study.patient[~study.visits.recorded & (study.patient >= 0)]
    without = (np.bincount(empty, minlength=len(study.ids)) == study.numbers) & (study.numbers > 0)

    def words(number: int, few: str) -> str:
        return f"{number} patient{'s' if number > 1 else ''} without any observation, kept: {few}."

    count_patients(study.visits.table.location, "no observation", study.ids.filter(without), words, problems)


# COUNTS


def check_units(study: StudyRows, options: ReadOptions, problems: Problems) -> None:
    """Ask about counts that cannot be in 10⁹/L; report those of a table without a unit beside converted ones."""
    visits, patients = study.visits, study.patients
    cells, unit = visits.table.cells("platelets"), visits.unit
    counts_kept = visits.platelets.at(study.kept_index)
    sizes = count_sizes(cells, unit, counts_kept, options.accept)
    if sizes.asks_of_patients:
        bands = patient_bands(study.patient[study.kept_index], counts_kept)
        sizes = replace(sizes, bands=banded(bands, study.ids))
    problems.expect(sizes)
    baseline, of_baseline = patients.table.cells("baseline"), patients.baseline_unit
    if np.isnan(patients.baseline.low).all() or not sizes.number:
        return
    for told, untold, counts in ((unit, of_baseline, baseline), (of_baseline, unit, cells)):
        if told.converted and not untold.told:
            what = f"{counts.name}: other counts are not in 10⁹/L, and the unit of these is not told"
            cure = f"name it in the header, as in '{counts.name} (10^9/L)'"
            _wrong_once(counts.location, f"{what}; {cure}, or in a column of units.", problems)


def _wrong_once(location: Location, text: str, problems: Problems) -> None:
    problems.wrong_in_all(location, text, lambda *_: text, 1, (), unreadable=())
