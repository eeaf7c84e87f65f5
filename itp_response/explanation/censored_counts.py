"""Censored counts: those on which a result depends, and which counts would give which result, in words.

All that is said was decided: a count is put in the place of each bound, and the patient is decided with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.texts import DECIMALS, count_in_words
from itp_response.cohort.values import Floats, Ints, Numbers, just_above, just_below, with_bounds
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.evaluate import evaluate, evaluate_censored
from itp_response.evaluation.rules.tree import other_rows_in
from itp_response.explanation.thresholds import clauses_of
from itp_response.messages.wording import listed

Labels = NDArray[np.str_]
MOST_RANGES = 4
"""Of a count; where a verdict changes more often, an example of each verdict is shown."""
MOST_OF_VERDICT = 50
"""Completions of several counts of which plain numbers are made, for each verdict."""
FAR = 300.0
"""10⁹/L; of a count without an upper bound at least the counts up to this are tried."""
MOST_CORNERS = 5
"""Counts whose ends and middles are tried with those of each other."""


def counts_missing(criteria: Criteria, cohort: Cohort, name: str) -> str:
    """The counts of the one patient on which a verdict depends, and for each verdict the counts that give it."""
    if any(other_rows_in(clause) for clause in clauses_of(criteria)):
        return _seen_from_other_rows(criteria, cohort, name)
    counts, labels = _completions(criteria, cohort, name)
    if not len(counts):
        return "counts reported only as below or above a limit, with more possible combinations than are tried"
    columns = _deciding(criteria, cohort, np.flatnonzero(counts.min(axis=0) < counts.max(axis=0)))
    named = listed([_named(cohort, column) for column in columns])
    if len(set(labels.tolist())) == 1:
        return f"{named}; the reason why it is NE depends on {'it' if len(columns) == 1 else 'them'}"
    if len(cohort.incomplete):
        return named  # with dates that are not known, no count alone gives a verdict
    patient = _SupposedPatient(criteria, cohort, name, columns)
    if len(columns) == 1:
        tried = _plain_counts(patient, counts[:, columns[0]])
        given = _ranges(patient, *tried) or _examples(*tried)
    else:
        given = _examples(*_plain_combinations(patient, counts[:, columns], labels))
    return f"{named}: {', '.join(given)}" if given else named


def _seen_from_other_rows(criteria: Criteria, cohort: Cohort, name: str) -> str:
    """The same of a set that looks at other rows, whose counts no completion changes: all censored counts."""
    columns = (np.flatnonzero(cohort.platelets.low < cohort.platelets.high) + 1).tolist()
    if not columns:
        return "exact numbers in place of those known only as below or above a limit"
    named = listed([_named(cohort, column) for column in columns])
    patient = _SupposedPatient(criteria, cohort, name, columns)
    if len(columns) == 1:
        low, high = float(patient.bounds.low[0]), float(patient.bounds.high[0])
        counts, labels = _plain_counts(patient, np.array([low, high if np.isfinite(high) else max(FAR, 2 * low)]))
    else:
        corners = _corners(patient.bounds)
        if not len(corners):
            return named
        counts, labels = _plain_combinations(patient, corners, patient.decided(corners))
    if len(set(labels.tolist())) > 1:
        given = (_ranges(patient, counts, labels) if len(columns) == 1 else []) or _examples(counts, labels)
        return f"{named}: {', '.join(given)}"
    if labels[0] == "NE":
        return f"{named}; the reason why it is NE may depend on {'it' if len(columns) == 1 else 'them'}"
    return f"{named}: {labels[0]} with whatever was tried, which does not show that it is {labels[0]} with all"


def _completions(criteria: Criteria, cohort: Cohort, name: str) -> tuple[Floats, Labels]:
    """The completions: their baseline and counts (0: the baseline, then the rows), and their verdicts."""
    counts, labels = [np.empty((0, len(cohort.day) + 1))], [np.empty(0, dtype=np.str_)]
    for completions, verdicts in evaluate_censored(criteria, cohort):
        rows = completions.platelets.low.reshape(len(completions), -1)
        counts.append(np.column_stack([completions.baseline.low, rows]))
        labels.append(np.array(verdicts[name].labels)[verdicts[name].value])
    return np.concatenate(counts), np.concatenate(labels)


def _deciding(criteria: Criteria, cohort: Cohort, varied: Ints) -> list[int]:
    """Of the columns of completions that vary those to name; for a baseline that was not given, the counts of it."""
    columns = set(varied.tolist())
    if 0 in columns and np.isnan(cohort.baseline.low[0]):
        first, last = criteria.file.baseline.days
        counts = cohort.platelets
        rows = np.flatnonzero((counts.low < counts.high) & (cohort.day >= first) & (cohort.day <= last))
        of_baseline = rows[-1:] if criteria.file.baseline.pick == "last" else rows
        columns = columns - {0} | set((of_baseline + 1).tolist())
    return sorted(columns)


def _named(cohort: Cohort, column: int) -> str:
    counts, at = (cohort.platelets, column - 1) if column else (cohort.baseline, 0)
    what = f"the count of day {cohort.day[at]}" if column else "the baseline"
    return f"{what}, which is only {count_in_words(counts.low[at], counts.high[at])}"


@dataclass(frozen=True)
class _SupposedPatient:
    """The one patient of a cohort with other counts in these columns of completions."""

    criteria: Criteria
    cohort: Cohort
    name: str
    columns: Sequence[int]

    @property
    def bounds(self) -> Numbers:
        """Of each column."""
        low, high = (
            np.append(baseline, counts)[list(self.columns)]
            for baseline, counts in (
                (self.cohort.baseline.low, self.cohort.platelets.low),
                (self.cohort.baseline.high, self.cohort.platelets.high),
            )
        )
        return Numbers(low, high)

    def allows(self, counts: Floats) -> Floats:
        """Of these counts, a row for each supposition, those within the bounds, each once."""
        is_within = ((counts >= self.bounds.low) & (counts <= self.bounds.high)).all(axis=1)
        return np.unique(counts[is_within], axis=0)

    def decided(self, counts: Floats) -> Labels:
        """The verdict on the patient with each row of counts."""
        copies = self.cohort.select(np.zeros(len(counts), dtype=np.int64))
        baseline, rows = np.array(copies.baseline.low), np.array(copies.platelets.low)
        baseline_high, rows_high = np.array(copies.baseline.high), np.array(copies.platelets.high)
        begin = copies.first_row[:-1]
        for column, values in zip(self.columns, counts.T, strict=True):
            if column:
                rows[begin + column - 1] = rows_high[begin + column - 1] = values
            else:
                baseline = baseline_high = values
        supposed = replace(
            copies, baseline=with_bounds(baseline, baseline_high), platelets=with_bounds(rows, rows_high)
        )
        verdict = evaluate(self.criteria, supposed, threads=1)[self.name]
        return np.array(verdict.labels)[verdict.value]


# ONE COUNT


def _plain_counts(patient: _SupposedPatient, completed: Floats) -> tuple[Floats, Labels]:
    """Whole numbers within the bounds of the one count, with decimals where the verdict may change; and the verdicts.

    The values of completions are among them, since a rule may ask for a single one, and so are the tenths next to them,
    since what holds at a bound may hold up to the next whole number alone.
    """
    low, high = float(patient.bounds.low[0]), float(patient.bounds.high[0])
    last = high if np.isfinite(high) else float(completed.max()) + 1
    near = np.append(completed, [low, last])
    wholes = np.arange(np.ceil(low), np.floor(last) + 1)
    counts = patient.allows(
        _column([wholes, np.round(completed, DECIMALS), np.floor(10 * near) / 10, np.ceil(10 * near) / 10])
    )
    labels = patient.decided(counts)
    tenths = [
        np.arange(np.floor(10 * counts[at, 0]) + 1, np.ceil(10 * counts[at + 1, 0])) / 10 for at in _changes(labels)
    ]
    counts = patient.allows(_column([counts[:, 0], *tenths]))
    return counts, patient.decided(counts)


def _column(parts: Sequence[Floats]) -> Floats:
    return np.concatenate(parts)[:, np.newaxis]


def _changes(labels: Labels) -> list[int]:
    """Where the next label is another."""
    return np.flatnonzero(labels[:-1] != labels[1:]).tolist()


def _ranges(patient: _SupposedPatient, counts: Floats, labels: Labels) -> list[str]:
    """For what counts, from the lowest up, the verdict is what; nothing if it does not change at plain numbers."""
    changes = _changes(labels)
    if not 0 < len(changes) < MOST_RANGES:
        return []
    last, first = counts[changes, 0], counts[[at + 1 for at in changes], 0]
    above_last, below_first = np.split(patient.decided(_column([just_above(last), just_below(first)])), 2)
    on_last, on_first = above_last == labels[[at + 1 for at in changes]], below_first == labels[changes]
    if not (on_last | on_first).all():
        return []
    cuts = np.where(on_last, last, first).tolist()
    low, high = float(patient.bounds.low[0]), float(patient.bounds.high[0])
    lower = [("", low), *zip(np.where(on_last, "above", "at least").tolist(), cuts, strict=True)]
    upper = [*zip(np.where(on_last, "at most", "below").tolist(), cuts, strict=True), ("", high)]
    values = labels[[*changes, len(labels) - 1]].tolist()
    return [f"{value} if it is {_range(*ends)}" for value, *ends in zip(values, lower, upper, strict=True)]


def _range(lower: tuple[str, float], upper: tuple[str, float]) -> str:
    """Counts from one to another, each after a word; without a word it is a bound of the count."""
    if lower[1] == upper[1]:
        return _plain(lower[1])
    return " and ".join(f"{word} {_plain(limit)}" for word, limit in (lower, upper) if word)


def _plain(count: float) -> str:
    return count_in_words(count, count)


# EXAMPLES


def _plain_combinations(patient: _SupposedPatient, completed: Floats, labels: Labels) -> tuple[Floats, Labels]:
    """Plain numbers near completions of several counts, and the verdicts."""
    some = [completed[labels == label][:MOST_OF_VERDICT] for label in np.unique(labels)]
    near = np.concatenate([*some, _corners(patient.bounds)])
    rounded = [near, np.floor(near), np.ceil(near), np.floor(10 * near) / 10, np.ceil(10 * near) / 10]
    counts = patient.allows(np.round(np.concatenate(rounded), DECIMALS))
    return counts, patient.decided(counts)


def _corners(bounds: Numbers) -> Floats:
    """The ends and the middle of each count, with those of all others; none of many counts."""
    if len(bounds.low) > MOST_CORNERS:
        return np.empty((0, len(bounds.low)))
    high = np.where(np.isfinite(bounds.high), bounds.high, 2 * bounds.low + 1)
    each = np.column_stack([bounds.low, (bounds.low + high) / 2, high])
    return np.stack(np.meshgrid(*each), axis=-1).reshape(-1, len(each))


def _examples(counts: Floats, labels: Labels) -> list[str]:
    """For each verdict counts that give it: whole ones before others, and those nearest to where it is another."""
    decimals = (counts % 1 != 0).sum(axis=1) + (np.abs(counts * 10 - np.round(counts * 10)) > 1e-6).sum(axis=1)
    it_is = "it is" if counts.shape[1] == 1 else "they are"
    given = []
    for label in dict.fromkeys(labels.tolist()):
        own, others = np.flatnonzero(labels == label), counts[labels != label]
        apart = [np.abs(others - counts[at]).sum(axis=1).min(initial=np.inf) for at in own]
        best = own[np.lexsort((apart, decimals[own]))[0]]
        given.append(f"{label} if {it_is} {listed([_plain(count) for count in counts[best].tolist()])}")
    return given
