"""Deciding clauses: the one by which a rule holds, or does not, at each of many rows."""

from dataclasses import dataclass, field

import numpy as np

from itp_response.cohort.values import NONE, Ints
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import decide, numbers
from itp_response.evaluation.rules.in_words import denied_in_words, tree_in_words
from itp_response.evaluation.rules.tree import And, Not, Or, Relation, Tree, names_in, opened, other_rows_in
from itp_response.explanation.other_rows import values_in_words
from itp_response.explanation.sentences import Sentences
from itp_response.messages.wording import number_in_words


@dataclass
class DecidingClauses:
    """The clauses by which a rule holds, or does not, at some rows (R)."""

    clauses: list[tuple[Tree, bool]] = field(default_factory=list)
    """Clauses, and whether they hold."""
    code: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """(R) Index of `clauses`; -1: the rule is not so at this row."""

    def in_words(self) -> list[str]:
        """Each of the clauses as a phrase, as it is true."""
        return [tree_in_words(clause) if holds else denied_in_words(clause) for clause, holds in self.clauses]

    def at_rows(self, patient_days: PatientDays, rows: Ints) -> tuple[list[str], Ints]:
        """The clauses as phrases with the numbers that they compare with; (R) which of them is that of each row, or -1.

        The numbers are what a multiple of the baseline comes to, and the values at other rows with their days.
        """
        sentences, code = Sentences(), np.full(len(rows), NONE)
        for number, (phrase, (clause, _)) in enumerate(zip(self.in_words(), self.clauses, strict=True)):
            index = np.flatnonzero(self.code == number)
            code[index] = sentences.joined(
                "",
                _with_limit(sentences, phrase, clause, patient_days, rows[index]),
                _in_parentheses(sentences, clause, patient_days, rows[index]),
            )
        return sentences.texts, code


def deciding_clauses(tree: Tree, patient_days: PatientDays, rows: Ints, *, holds: bool) -> DecidingClauses:
    """The first clause by which a rule is true (where `holds`), or false, at each of these rows.

    >>> from itp_response.cohort.notation import cohort_of
    >>> from itp_response.definitions.load import load
    >>> from itp_response.evaluation.evaluate import patient_days_of
    >>> criteria, cohort = load("atra_2022"), cohort_of(["d0 15, d21 29, d28 60 bleed 2"])
    >>> rule = criteria.endpoints["OR"].when
    >>> deciding = deciding_clauses(rule.tree, patient_days_of(criteria, cohort, 0, 1), np.array([1, 2]), holds=False)
    >>> [deciding.in_words()[code] for code in deciding.code]
    ['a count below 30', 'bleeding of grade 1 or more']
    """
    deciding = DecidingClauses(code=np.full(len(rows), NONE))
    _decide(deciding, tree, patient_days, rows, np.arange(len(rows)), holds)
    return deciding


def _decide(
    deciding: DecidingClauses, tree: Tree, patient_days: PatientDays, rows: Ints, index: Ints, holds: bool
) -> None:
    """Fill in the code of the rows of `index` at which the tree is true, or false, and that have none yet.

    A true `and` holds by all of its parts, so that it is one clause.
    """
    truths = decide(tree, patient_days)
    index = index[(truths.true if holds else truths.false)[rows[index]] & (deciding.code[index] == NONE)]
    if not len(index):
        return
    tree = opened(tree)
    match tree:
        case Not(part=part):
            _decide(deciding, part, patient_days, rows, index, not holds)
        case And(parts=parts) | Or(parts=parts) if not (holds and isinstance(tree, And)):
            for part in parts:
                _decide(deciding, part, patient_days, rows, index, holds)
        case _:
            if (tree, holds) not in deciding.clauses:
                deciding.clauses.append((tree, holds))
            deciding.code[index] = deciding.clauses.index((tree, holds))


def _with_limit(sentences: Sentences, phrase: str, clause: Tree, patient_days: PatientDays, rows: Ints) -> Ints:
    """(R) A phrase with the number that a multiple of the baseline comes to, after a comma; without one, alone."""
    if not isinstance(clause, Relation) or set(names_in(clause.right)) != {"baseline"}:
        return np.full(len(rows), sentences.code(phrase))
    limits, index = np.unique(numbers(clause.right, patient_days).low[rows], return_inverse=True)
    return sentences.codes([f"{phrase}, {number_in_words(limit)}" for limit in limits.tolist()])[index]


def _in_parentheses(sentences: Sentences, clause: Tree, patient_days: PatientDays, rows: Ints) -> Ints:
    """(R) The values at other rows that a clause compares; -1 without any."""
    if not other_rows_in(clause):
        return np.full(len(rows), NONE)
    return sentences.codes([f" ({values})" for values in values_in_words(clause, patient_days, rows)])
