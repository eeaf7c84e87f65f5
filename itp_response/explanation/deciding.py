"""Deciding clauses: the one by which a rule holds, or does not, at each of many rows."""

from dataclasses import dataclass, field

import numpy as np

from itp_response.cohort.values import NONE, Ints
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import decide, numbers
from itp_response.evaluation.rules.in_words import denied_in_words, tree_in_words
from itp_response.evaluation.rules.tree import And, Not, Or, Relation, Tree, names_in, opened
from itp_response.explanation.other_rows import values_in_words
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

    def at_rows(self, patient_days: PatientDays, rows: Ints) -> list[str]:
        """(R) The clause of each row of one patient as a phrase, with the numbers that it compares with; else nothing.

        They are what a multiple of the baseline comes to, and the values at other rows with their days.
        """
        phrases = self.in_words()
        numbered = [
            phrase + _limit(clause, patient_days) for phrase, (clause, _) in zip(phrases, self.clauses, strict=True)
        ]
        observed = [values_in_words(clause, patient_days) for clause, _ in self.clauses]
        return [
            "" if code == NONE else f"{numbered[code]}{_in_parentheses(observed[code][row])}"
            for code, row in zip(self.code.tolist(), rows.tolist(), strict=True)
        ]


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


def clause_in_words(tree: Tree, patient_days: PatientDays, row: int, *, holds: bool) -> str:
    """The clause by which a rule is true, or false, at a row of one patient."""
    rows = np.array([row])
    return deciding_clauses(tree, patient_days, rows, holds=holds).at_rows(patient_days, rows)[0]


def _in_parentheses(words: str) -> str:
    return f" ({words})" if words else ""


def _limit(tree: Tree, patient_days: PatientDays) -> str:
    """The number that a multiple of the one patient's baseline comes to, after a comma; nothing without one."""
    if not isinstance(tree, Relation) or set(names_in(tree.right)) != {"baseline"}:
        return ""
    return f", {number_in_words(float(np.atleast_1d(numbers(tree.right, patient_days).low)[0]))}"
