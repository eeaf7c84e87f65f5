"""Entries: what the verdicts on an endpoint rest on, or were looked for in, of many patients, as columns."""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.texts import count_in_words
from itp_response.cohort.values import NO_DAY, NONE, Bools, Floats, Ints
from itp_response.evaluation.endpoints.account import ASIDE, BEFORE, CLOSED, NO_COUNT, OUTSIDE, PARTS, Account, Event
from itp_response.evaluation.rules.tree import Rule, names_in
from itp_response.explanation.decided import DecidedColumns
from itp_response.explanation.deciding import deciding_clauses
from itp_response.explanation.meanings import Meanings, excluded_in_words, undefined_in_words
from itp_response.explanation.sentences import Sentences, kinds
from itp_response.messages.wording import number_in_words

IS_ASIDE = np.isin(np.arange(len(PARTS)), ASIDE)
"""Of each part, whether its rows were not looked at."""
LIES_OUTSIDE = np.isin(np.arange(len(PARTS)), (BEFORE, CLOSED, OUTSIDE, NO_COUNT))
"""Of each part, whether it says less of a row than that something begins or ends there."""
ALIKE = 4
"""The number of consecutive entries with the same meaning that are put in one line."""


class WrittenRows:
    """What the rows of a cohort (N) are in words, made once for all endpoints."""

    def __init__(self, cohort: Cohort) -> None:
        self.cohort = cohort
        self.sentences = Sentences()
        self._sources: dict[int, str] = {NONE: ""}

    @cached_property
    def observed(self) -> Ints:
        """(N) The count, the bleeding and the rescue treatment of each row, as codes of the sentences."""
        cohort = self.cohort
        columns = (cohort.platelets.low, cohort.platelets.high, cohort.bleeding_grade, cohort.rescue)
        example, kind = kinds(*columns)
        observed = zip(*(column[example].tolist() for column in columns), strict=True)
        return self.sentences.codes([_observed(*row) for row in observed])[kind]

    def source(self, row: int) -> str:
        """Where a row stands, `visits.csv line 12`; empty: it is no row (-1)."""
        if row not in self._sources:
            self._sources[row] = self.cohort.source_of(row)
        return self._sources[row]


class Entries(NamedTuple):
    """Rows, and days on which there is none, of many patients, by patient and day.

    `observed` and `means` are codes of the sentences.
    """

    patient: Ints
    day: Ints
    observed: Ints
    means: Ints
    row: Ints
    """-1: it is no row."""
    part: Ints
    """Index of `PARTS`; 0 where it is no row."""
    aside: Bools
    """It was not looked at."""


class Lines(NamedTuple):
    """The entries as lines, each of one entry or of many alike: their first entries, and how many they are."""

    first: Ints
    size: Ints


def entries_of(columns: DecidedColumns, written: WrittenRows) -> Entries:
    """The entries of an endpoint; of one that sums up others there are none."""
    nothing = np.zeros(0, dtype=np.int64)
    parts = [Entries(nothing, nothing, nothing, nothing, nothing, nothing, nothing != 0)]
    if not columns.model.sums_up:
        parts += [_observations(columns, written), *_without_a_row(columns, written)]
    whole = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((whole[1], whole[0]))  # of one day in the order of the parts
    return Entries._make(column[order] for column in whole)


def lines_of(entries: Entries) -> Lines:
    """The lines; many alike in a row are one, and of those that were not looked at also few."""
    columns = (entries.patient, entries.means, entries.aside)
    is_other = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    begins = np.concatenate([np.ones(min(1, len(entries.day)), dtype=np.bool_), is_other])
    begin = np.flatnonzero(begins)
    size, number = np.diff(begin, append=len(begins)), np.cumsum(begins) - 1
    alone = size < np.where(entries.aside[begin], 2, ALIKE)
    first = np.flatnonzero(begins | alone[number])
    return Lines(first, np.where(alone, 1, size)[number[first]])


def _observations(columns: DecidedColumns, written: WrittenRows) -> Entries:
    """The rows; of an endpoint that looks at none by itself, those with a meaning of their own."""
    account, patient_days, sentences = columns.account, columns.patient_days, written.sentences
    looks = bool(columns.model.row_rules())
    own = _own_meanings(columns, sentences)
    rows = np.flatnonzero(np.ones(len(own), dtype=np.bool_) if looks else own != NONE)
    says, part, day = own[rows], account.part[rows].astype(np.int64), patient_days.day[rows].astype(np.int64)
    means = np.full(len(rows), NONE)
    if looks:
        meanings = Meanings(columns.model, account, patient_days, sentences, with_numbers=True)
        means = np.where((says != NONE) & LIES_OUTSIDE[part], NONE, meanings.codes(rows))
    means = sentences.joined("; ", _for_visits(account, rows, day, sentences), means)
    means = sentences.joined("; ", means, says)
    return Entries(
        patient=patient_days.patient[rows].astype(np.int64),
        day=day,
        observed=written.observed[rows],
        means=np.where(means == NONE, sentences.code(""), means),
        row=rows,
        part=part,
        aside=looks & (says == NONE) & IS_ASIDE[part],
    )


def _own_meanings(columns: DecidedColumns, sentences: Sentences) -> Ints:
    """(N) What marks and events say of rows; -1: nothing."""
    own = np.full(len(columns.patient_days.day), NONE)
    for mark in columns.account.marks:
        rows = mark.row[mark.row != NONE]
        own[rows] = sentences.joined("; ", own[rows], np.full(len(rows), sentences.code(mark.says)))
    for event in columns.account.events:
        rows = event.row[event.row != NONE]
        own[rows] = sentences.joined("; ", own[rows], _ends_it(event, rows, columns, sentences))
    return own


def _ends_it(event: Event, rows: Ints, columns: DecidedColumns, sentences: Sentences) -> Ints:
    """What the event that ends the window is on each of these rows."""
    if not isinstance(event.what, Rule):
        text = f"{event.what}: observations from this day on are not assessed"
        return np.full(len(rows), sentences.code(text))
    deciding = deciding_clauses(event.what.tree, columns.patient_days, rows, holds=True)
    phrases, code = deciding.at_rows(columns.patient_days, rows)
    return sentences.codes([f"ends assessment: {phrase}" for phrase in [*phrases, ""]])[code]


def _for_visits(account: Account, rows: Ints, day: Ints, sentences: Sentences) -> Ints:
    """The planned day for which each row was taken, where that is another day; -1: it is not."""
    for_visit = np.full(len(rows), NONE)
    if account.visit is not None:
        visit = account.visit[rows]
        is_other = (visit != NO_DAY) & (visit != day)
        planned, index = np.unique(visit[is_other], return_inverse=True)
        for_visit[is_other] = sentences.codes([f"for day {each}" for each in planned.tolist()])[index]
    return for_visit


def _without_a_row(columns: DecidedColumns, written: WrittenRows) -> Iterator[Entries]:
    """The planned visits without a count, the day of discontinuation where that excludes, and recorded days."""
    account, model = columns.account, columns.model

    def entries(where: Bools, day: Ints | Floats, observed: str, says: str) -> Entries:
        patient = np.flatnonzero(where)
        code, means = (np.full(len(patient), written.sentences.code(text)) for text in (observed, says))
        no_row, no_part = np.full(len(patient), NONE), np.zeros(len(patient), dtype=np.int64)
        return Entries(patient, day[patient].astype(np.int64), code, means, no_row, no_part, no_part != 0)

    for mark in account.days:
        yield entries(mark.day != NO_DAY, mark.day, "no observation", mark.says)
    for missed in account.missed:
        yield entries(missed.where, missed.day, missed.observed, missed.says)
    stopped, is_defined = written.cohort.treatment_discontinued, columns.is_defined
    is_excluded = columns.is_excluded & np.isfinite(stopped)
    says = f"{model.if_excluded}: {excluded_in_words(model)}"
    for rule, where, words in ((model.unless, is_defined, says), (model.only, ~is_defined, undefined_in_words(model))):
        if rule is not None and "treatment_discontinued" in names_in(rule.tree):
            yield entries(is_excluded & where, stopped, "discontinued", words)


def _observed(low: float, high: float, grade: float, rescue: bool) -> str:
    """The count, the bleeding and the rescue treatment of a row, in words."""
    words = [count_in_words(low, high)]
    if grade > 0:
        words.append(f"bleeding grade {number_in_words(grade)}")
    if rescue:
        words.append("rescue")
    return ", ".join(filter(None, words)) or "no count"
