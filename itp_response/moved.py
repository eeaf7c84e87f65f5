"""Moved: by which clause of one set patients do not meet what they meet by another, for many patients at once."""

from typing import TYPE_CHECKING, Any

import numpy as np

from itp_response.classify import Classification
from itp_response.cohort import Ints
from itp_response.evaluate import timeline
from itp_response.rules import And, Bools, Name, Not, Or, Rule, Tree, decide, leaves, opened
from itp_response.timeline import Patients, Timeline
from itp_response.verdicts import NONE, REASONS, Verdict, Y
from itp_response.words import counted, days_in_words, denied_in_words, length_in_words, tree_in_words

if TYPE_CHECKING:
    import polars as pl

NOTHING = -1
"""No sentence yet."""


def why_not(found: Classification, name: str, shown: Verdict, patients: Ints) -> "pl.Series":
    """Why each of these patients (positions) does not meet a criterion, although `shown` has witnesses that he might.

    The first that holds: the criterion it starts from is not met; `unless` or `closed_by` excludes him; the row that
    ended it fails; a witness of `shown` fails, is unknown, is discounted or lies outside the days looked at; else the
    reason of the verdict.
    """
    import polars as pl

    asked = _Asked(found, timeline(found.criteria, found.cohort, 0, len(found.cohort)))
    codes = asked.why_not(name, shown, patients)
    return pl.Series(asked.said, dtype=pl.String).gather(codes)


class _Asked:
    """The sentences said of the patients, and the rows they are said of."""

    def __init__(self, found: Classification, rows: Timeline) -> None:
        self.found = found
        self.rows = rows
        self.said: list[str] = []

    def _code(self, sentence: str) -> int:
        if sentence not in self.said:
            self.said.append(sentence)
        return self.said.index(sentence)

    def why_not(self, name: str, shown: Verdict, patients: Ints) -> Ints:
        """A code into `said` for each patient."""
        model, own = self.found.criteria.criteria[name], self.found.verdicts[name]
        codes = np.full(len(patients), NOTHING)
        self._by_origin(codes, model, shown, patients)
        if model.unless is not None:
            excluded = decide(model.unless.tree, Patients(self.rows)).true[patients]
            self._put(codes, excluded, f"excluded: {tree_in_words(model.unless.tree)}")
        ended, when = own.ended[patients], getattr(model, "when", None)
        closed_by = getattr(model, "closed_by", None)
        if closed_by is not None:
            self._put(codes, self._holds(closed_by, ended), f"closed by {tree_in_words(closed_by.tree)}")
        if model.kind == "combined":
            self._by_named(codes, model.when.tree, shown, patients)
        elif isinstance(when, Rule):
            if model.kind != "lost":
                self._by_state(codes, when, ended, "fails")
            for row in _witnesses(model, shown):
                self._by_witness(codes, model, when, row[patients])
        self._by_reason(codes, model, own.reason[patients])
        return codes

    def _put(self, codes: Ints, where: Bools, sentence: str) -> None:
        codes[(codes == NOTHING) & where] = self._code(sentence)

    def _by_origin(self, codes: Ints, model: Any, shown: Verdict, patients: Ints) -> None:
        references = model.references()
        for key in ("from", "after"):
            origin = references.get(key)
            if origin is None:
                continue
            missed = np.flatnonzero(self.found.verdicts[origin].value[patients] != Y)
            if len(missed):
                below = self.why_not(origin, shown, patients[missed])
                rests = [self._code(f"{origin}, on which it rests: {self.said[code]}") for code in below.tolist()]
                codes[missed] = rests

    def _by_named(self, codes: Ints, tree: Tree, shown: Verdict, patients: Ints) -> None:
        """By the criterion that a rule over criteria hangs on: of an `and` the first not met, of an `or` the last."""
        match tree:
            case Name(name=name):
                missed = np.flatnonzero((codes == NOTHING) & (self.found.verdicts[name].value[patients] != Y))
                below = self.why_not(name, shown, patients[missed])
                codes[missed] = [self._code(f"{name}: {self.said[code]}") for code in below.tolist()]
            case Not(part=Name(name=name)):
                self._put(codes, self.found.verdicts[name].value[patients] == Y, f"{name} is met")
            case And(parts=parts):
                for part in parts:
                    self._by_named(codes, part, shown, patients)
            case Or(parts=parts):
                for part in reversed(parts):
                    self._by_named(codes, part, shown, patients)

    def _holds(self, rule: Rule, row: Ints) -> Bools:
        if not len(self.rows.day):
            return np.zeros(len(row), dtype=np.bool_)
        holds: Bools = decide(rule.tree, self.rows).true[row] & (row != NONE)
        return holds

    def _by_state(self, codes: Ints, when: Rule, row: Ints, fails: str) -> None:
        """The clause that fails, or is not known, at each row (row number, -1: none)."""
        if not len(self.rows.day):
            return
        truths = decide(when.tree, self.rows)
        for where, begins, unknown in ((truths.false, fails, False), (truths.unknown, "not known", True)):
            asked = np.flatnonzero((codes == NOTHING) & (row != NONE) & where[row])
            if len(asked):
                codes[asked] = self._clause(when.tree, row[asked], begins, unknown)

    def _clause(self, tree: Tree, row: Ints, begins: str, unknown: bool) -> Ints:
        if unknown:
            codes = np.full(len(row), NOTHING)
            for leaf in leaves(tree):
                self._put(codes, decide(leaf, self.rows).unknown[row], f"{begins}: {tree_in_words(leaf)}")
            return codes
        return self._failing(tree, row, holds=False, begins=begins)

    def _failing(self, tree: Tree, row: Ints, *, holds: bool, begins: str) -> Ints:
        """The clause by which a rule does not hold, or holds, at each row."""
        tree = opened(tree)
        match tree:
            case Not(part=part):
                return self._failing(part, row, holds=not holds, begins=begins)
            case And(parts=parts) | Or(parts=parts):
                codes = np.full(len(row), NOTHING)
                for part in parts:
                    truths = decide(part, self.rows)
                    here = np.flatnonzero((truths.true if holds else truths.false)[row] & (codes == NOTHING))
                    if len(here):
                        codes[here] = self._failing(part, row[here], holds=holds, begins=begins)
                return codes
        said = tree_in_words(tree) if holds else denied_in_words(tree)
        return np.full(len(row), self._code(f"{begins}: {said}"))

    def _by_witness(self, codes: Ints, model: Any, when: Rule, row: Ints) -> None:
        self._by_state(codes, when, row, "no loss" if model.kind == "lost" else "fails")
        there = row != NONE
        if not there.any():
            return
        discount = getattr(model, "discount", None)
        if discount is not None:
            stands = decide(discount.tree, self.rows).false[row]
            self._put(codes, there & ~stands, f"no evidence: {tree_in_words(discount.tree)}")
        first, last = getattr(model, "days", (-np.inf, np.inf))
        day = self.rows.day_of(row)
        self._put(codes, there & ((day < first) | (day > last)), f"not looked at{days_in_words((first, last))}")

    def _by_reason(self, codes: Ints, model: Any, reason: Ints) -> None:
        names = self.found.criteria.reasons.names
        for code in np.unique(reason[codes == NOTHING]).tolist():
            self._put(codes, reason == code, _sentence(model, names[code]))


def _witnesses(model: Any, shown: Verdict) -> tuple[Ints, ...]:
    return (shown.ended, shown.confirming) if model.kind == "lost" else (shown.onset, shown.confirming)


def in_words(reason: str) -> str:
    """A reason of a verdict as a phrase."""
    return REASONS.get(reason, reason.replace("_", " "))


def _sentence(model: Any, reason: str) -> str:
    said = in_words(reason)
    if reason == "not_confirmed" and model.kind == "achieved":
        unbroken = ", with nothing between them that fails" if model.between == "unbroken" else ""
        return f"{said}: {counted(model.occasions, 'occasion')} {length_in_words(model.apart)} apart{unbroken}"
    if reason == "not_lost" and model.occasions > 1:
        return f"{said}: not on {counted(model.occasions, 'occasion')} {length_in_words(model.apart)} apart"
    return said
