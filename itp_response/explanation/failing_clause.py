"""Moved: by which clause of one set patients do not meet what they meet by another, for many patients at once."""

from typing import Any

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification
from itp_response.cohort.values import NONE, Bools, Ints
from itp_response.evaluation.endpoints.combined import OfVerdicts
from itp_response.evaluation.endpoints.endpoint import flag_at
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.patient_days import PatientDays, PatientValues
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.in_words import denied_in_words, length_in_words, tree_in_words
from itp_response.evaluation.rules.tree import And, Name, Not, Or, Rule, Tree, leaves, opened
from itp_response.evaluation.verdicts import NE, Verdict, Y, reason_in_words
from itp_response.messages.wording import counted, days_in_words

NOTHING = -1
"""No sentence yet."""


def why_not(classification: Classification, name: str, shown: Verdict, patients: Ints) -> pl.Series:
    """Why each of these patients (positions) does not meet an endpoint, although `shown` has evidence that he might.

    The first that holds: `unless` excludes him; the endpoint it starts from is not met; `closed_by` closed it; the row
    that ended it fails; evidence of `shown` is set aside, fails, is unknown, is discounted or lies outside the days
    looked at; else the reason of the verdict.
    """
    asked = _Asked(
        classification, patient_days_of(classification.criteria, classification.cohort, 0, len(classification.cohort))
    )
    codes = asked.why_not(name, shown, patients)
    return pl.Series(asked.said, dtype=pl.String).gather(codes)


class _Asked:
    """The sentences said of the patients, and the rows they are said of."""

    def __init__(self, classification: Classification, patient_days: PatientDays) -> None:
        self.found = classification
        self.rows = patient_days
        self.said: list[str] = []

    def _code(self, sentence: str) -> int:
        if sentence not in self.said:
            self.said.append(sentence)
        return self.said.index(sentence)

    def why_not(self, name: str, shown: Verdict, patients: Ints) -> Ints:
        """A code into `said` for each patient."""
        model, own = self.found.criteria.endpoints[name], self.found.verdicts[name]
        codes = np.full(len(patients), NOTHING)
        if model.unless is not None:
            excluded = decide(model.unless.tree, PatientValues(self.rows)).true[patients]
            self._put(codes, excluded, f"excluded: {tree_in_words(model.unless.tree)}")
        self._by_origin(codes, model, shown, patients)
        ended, when = own.ended[patients], getattr(model, "when", None)
        closed_by = getattr(model, "closed_by", None)
        if closed_by is not None:
            self._put(codes, self._holds(closed_by, ended), f"closed by {tree_in_words(closed_by.tree)}")
        if model.kind == "combined":
            self._by_named(codes, model.when.tree, own.value[patients] == NE, shown, patients)
        elif isinstance(when, Rule):
            if model.kind != "lost":
                self._by_state(codes, when, ended, "fails")
            for row in _witnesses(model, shown):
                self._by_witness(codes, model, when, row[patients])
        self._by_reason(codes, model, own.reason[patients])
        return codes

    def _put(self, codes: Ints, where: Bools, sentence: str) -> None:
        codes[(codes == NOTHING) & where] = self._code(sentence)

    def _begun(self, begins: str, codes: Ints) -> Ints:
        """The same sentences, with the name of the endpoint they are said of."""
        found, place = np.unique(codes, return_inverse=True)
        made = [self._code(f"{begins}: {self.said[code]}") for code in found.tolist()]
        return np.array(made, dtype=np.int64)[place]

    def _by_origin(self, codes: Ints, model: Any, shown: Verdict, patients: Ints) -> None:
        references = model.references()
        for key in ("from", "after"):
            origin = references.get(key)
            if origin is None:
                continue
            missed = np.flatnonzero((codes == NOTHING) & (self.found.verdicts[origin].value[patients] != Y))
            if len(missed):
                below = self.why_not(origin, shown, patients[missed])
                codes[missed] = self._begun(f"{origin}, on which it rests", below)

    def _by_named(
        self, codes: Ints, tree: Tree, open_: Bools, shown: Verdict, patients: Ints, *, denied: bool = False
    ) -> None:
        """By the endpoint that a rule over criteria hangs on: of an `and` the first not met, of an `or` the last.

        `open_` says of which patients the rule is unknown, the others do not meet it; `denied` that it stands under a
        `not`, so that they do.
        """
        truths = decide(tree, OfVerdicts(self.found.verdicts))
        against = np.where(open_, truths.unknown[patients], (truths.true if denied else truths.false)[patients])
        match tree:
            case Name(name=name):
                here = np.flatnonzero((codes == NOTHING) & against & (open_ | (not denied)))
                below = self.why_not(name, shown, patients[here])
                codes[here] = self._begun(name, below)
                self._put(codes, against, f"{name} is met")
            case Not(part=part):
                self._by_named(codes, part, open_, shown, patients, denied=not denied)
            case And(parts=parts) | Or(parts=parts):
                here = np.flatnonzero((codes == NOTHING) & against)
                found = codes[here]
                for part in parts if isinstance(tree, And) is not denied else reversed(parts):
                    self._by_named(found, part, open_[here], shown, patients[here], denied=denied)
                codes[here] = found

    def _holds(self, rule: Rule, row: Ints) -> Bools:
        return flag_at(decide(rule.tree, self.rows).true, row)

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
        there = row != NONE
        if not there.any():
            return
        set_aside = getattr(model, "set_aside", None)
        if set_aside is not None:
            kept = decide(set_aside.tree, self.rows).false[row]
            self._put(codes, there & ~kept, f"passed over: {tree_in_words(set_aside.tree)}")
        self._by_state(codes, when, row, "no loss" if model.kind == "lost" else "fails")
        discount = getattr(model, "discount", None)
        if discount is not None:
            stands = decide(discount.tree, self.rows).false[row]
            self._put(codes, there & ~stands, f"no evidence: {tree_in_words(discount.tree)}")
        first, last = (-np.inf, model.by) if model.kind == "lost" else getattr(model, "days", (-np.inf, np.inf))
        day = self.rows.day_of(row)
        outside = there & ((day < first) | (day > last))
        self._put(codes, outside, f"outside the days looked at{days_in_words((first, last))}")

    def _by_reason(self, codes: Ints, model: Any, reason: Ints) -> None:
        names = self.found.criteria.reasons.names
        for code in np.unique(reason[codes == NOTHING]).tolist():
            self._put(codes, reason == code, _sentence(model, names[code]))


def _witnesses(model: Any, shown: Verdict) -> tuple[Ints, ...]:
    return (shown.ended, shown.confirming) if model.kind == "lost" else (shown.onset, shown.confirming)


def _sentence(model: Any, reason: str) -> str:
    said = reason_in_words(reason)
    asked = {"not_confirmed": "achieved", "not_lost": "lost"}.get(reason) == model.kind
    if not asked or model.occasions == 1:
        return said
    fails = model.kind == "achieved" and model.between == "unbroken"
    unbroken = ", with nothing between them that fails" if fails else ""
    return f"{said} on {counted(model.occasions, 'occasion')} at least {length_in_words(model.apart)} apart{unbroken}"
