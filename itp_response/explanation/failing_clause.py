"""Failing clause: by which clause patients do not meet an endpoint that they meet by another set, for many at once."""

from typing import Any

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification
from itp_response.cohort.values import NONE, Bools, Ints
from itp_response.evaluation.endpoints.endpoint import OfVerdicts, flag_at
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.patient_days import PatientValues
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.in_words import denied_in_words, length_in_words, tree_in_words
from itp_response.evaluation.rules.tree import And, Name, Not, Or, Rule, Tree, leaves, opened
from itp_response.evaluation.verdicts import NE, Verdict, Y, reason_in_words
from itp_response.messages.wording import counted, days_in_words

NO_SENTENCE = -1


def failing_clauses(classification: Classification, name: str, other: Verdict, patients: Ints) -> pl.Series:
    """Why each of these patients (positions) does not meet an endpoint, in words.

    `other` is the verdict on a similar endpoint; its evidence shows where the patient might have met this one. Given is
    the first of these that holds: `unless` excludes the patient; the endpoint it starts from is not met; `closed_by`
    closed it; the row that ended it fails; evidence of `other` is set aside, fails, is unknown, is discounted or lies
    outside the days looked at; else the reason of the verdict.
    """
    reasons = _FailingClauses(classification)
    codes = reasons.of(name, other, patients)
    return pl.Series(reasons.sentences, dtype=pl.String).gather(codes)


class _FailingClauses:
    """The reasons, as codes into `sentences`; a method fills in those that it finds for patients without one yet.

    Codes and patients have one entry per patient asked about, `patients` are their positions; masks and rows that go
    with them too.
    """

    def __init__(self, classification: Classification) -> None:
        self._classification = classification
        self._patient_days = patient_days_of(
            classification.criteria, classification.cohort, 0, len(classification.cohort)
        )
        self.sentences: list[str] = []

    def of(self, name: str, other: Verdict, patients: Ints) -> Ints:
        """The code of each patient's sentence."""
        model: Any = self._classification.criteria.endpoints[name]
        verdict = self._classification.verdicts[name]
        codes = np.full(len(patients), NO_SENTENCE)
        ended, when = verdict.ended[patients], getattr(model, "when", None)
        self._by_exclusion(codes, model, patients)
        self._by_origin(codes, model, other, patients)
        self._by_closing(codes, model, ended)
        if model.kind == "combined":
            self._by_named(codes, model.when.tree, verdict.value[patients] == NE, other, patients)
        elif isinstance(when, Rule):
            if model.kind != "lost":
                self._by_state(codes, when, ended, "fails")
            for rows in _evidence(model, other):
                self._by_evidence(codes, model, when, rows[patients])
        self._by_reason(codes, model, verdict.reason[patients])
        return codes

    def _code(self, sentence: str) -> int:
        if sentence not in self.sentences:
            self.sentences.append(sentence)
        return self.sentences.index(sentence)

    def _put(self, codes: Ints, where: Bools, sentence: str) -> None:
        codes[(codes == NO_SENTENCE) & where] = self._code(sentence)

    def _prefixed(self, prefix: str, codes: Ints) -> Ints:
        """The codes of the same sentences with a prefix."""
        distinct, index = np.unique(codes, return_inverse=True)
        prefixed = [self._code(f"{prefix}: {self.sentences[code]}") for code in distinct.tolist()]
        return np.array(prefixed, dtype=np.int64)[index]

    # by what comes before the endpoint's own rule

    def _by_exclusion(self, codes: Ints, model: Any, patients: Ints) -> None:
        if model.unless is not None:
            excluded = decide(model.unless.tree, PatientValues(self._patient_days)).true[patients]
            self._put(codes, excluded, f"excluded: {tree_in_words(model.unless.tree)}")

    def _by_origin(self, codes: Ints, model: Any, other: Verdict, patients: Ints) -> None:
        references = model.references()
        for origin in (references[key] for key in ("from", "after") if references.get(key) is not None):
            missed = (codes == NO_SENTENCE) & (self._classification.verdicts[origin].value[patients] != Y)
            index = np.flatnonzero(missed)
            if len(index):
                of_origin = self.of(origin, other, patients[index])
                codes[index] = self._prefixed(f"{origin}, on which it rests", of_origin)

    def _by_closing(self, codes: Ints, model: Any, ended: Ints) -> None:
        closed_by = getattr(model, "closed_by", None)
        if closed_by is not None:
            closed = flag_at(decide(closed_by.tree, self._patient_days).true, ended)
            self._put(codes, closed, f"closed by {tree_in_words(closed_by.tree)}")

    # by the endpoints of a combined endpoint

    def _by_named(
        self, codes: Ints, tree: Tree, unknown: Bools, other: Verdict, patients: Ints, *, denied: bool = False
    ) -> None:
        """By the endpoint on which a rule over endpoints depends: of an `and` the first not met, of an `or` the last.

        The rule is unknown of the patients of `unknown`, and false of the others; where `denied`, it stands under a
        `not` and is true of them.
        """
        truths = decide(tree, OfVerdicts(self._classification.verdicts))
        decides = np.where(unknown, truths.unknown[patients], (truths.true if denied else truths.false)[patients])
        match tree:
            case Name(name=name):
                index = np.flatnonzero((codes == NO_SENTENCE) & decides & (unknown | (not denied)))
                codes[index] = self._prefixed(name, self.of(name, other, patients[index]))
                self._put(codes, decides, f"{name} is met")
            case Not(part=part):
                self._by_named(codes, part, unknown, other, patients, denied=not denied)
            case And(parts=parts) | Or(parts=parts):
                index = np.flatnonzero((codes == NO_SENTENCE) & decides)
                of_parts = codes[index]
                for part in parts if isinstance(tree, And) is not denied else reversed(parts):
                    self._by_named(of_parts, part, unknown[index], other, patients[index], denied=denied)
                codes[index] = of_parts

    # by the endpoint's own rule

    def _by_state(self, codes: Ints, when: Rule, rows: Ints, prefix: str) -> None:
        """By the clause that fails, or is unknown, at each row (-1: none)."""
        if not len(self._patient_days.day):
            return
        truths = decide(when.tree, self._patient_days)
        failing = np.flatnonzero((codes == NO_SENTENCE) & (rows != NONE) & truths.false[rows])
        if len(failing):
            codes[failing] = self._deciding(when.tree, rows[failing], holds=False, prefix=prefix)
        unknown = np.flatnonzero((codes == NO_SENTENCE) & (rows != NONE) & truths.unknown[rows])
        if len(unknown):
            codes[unknown] = self._unknown(when.tree, rows[unknown])

    def _unknown(self, tree: Tree, rows: Ints) -> Ints:
        """The codes of the first clause that is unknown at each row."""
        codes = np.full(len(rows), NO_SENTENCE)
        for leaf in leaves(tree):
            is_unknown = decide(leaf, self._patient_days).unknown[rows]
            self._put(codes, is_unknown, f"not known: {tree_in_words(leaf)}")
        return codes

    def _deciding(self, tree: Tree, rows: Ints, *, holds: bool, prefix: str) -> Ints:
        """The codes of the clause by which a rule holds, or does not, at each row."""
        tree = opened(tree)
        match tree:
            case Not(part=part):
                return self._deciding(part, rows, holds=not holds, prefix=prefix)
            case And(parts=parts) | Or(parts=parts):
                codes = np.full(len(rows), NO_SENTENCE)
                for part in parts:
                    truths = decide(part, self._patient_days)
                    index = np.flatnonzero((truths.true if holds else truths.false)[rows] & (codes == NO_SENTENCE))
                    if len(index):
                        codes[index] = self._deciding(part, rows[index], holds=holds, prefix=prefix)
                return codes
        words = tree_in_words(tree) if holds else denied_in_words(tree)
        return np.full(len(rows), self._code(f"{prefix}: {words}"))

    def _by_evidence(self, codes: Ints, model: Any, when: Rule, rows: Ints) -> None:
        """By what keeps the evidence of the other verdict from being evidence of this one."""
        exists = rows != NONE
        if not exists.any():
            return
        self._unless_false(codes, getattr(model, "set_aside", None), rows, "passed over")
        self._by_state(codes, when, rows, "no loss" if model.kind == "lost" else "fails")
        self._unless_false(codes, getattr(model, "discount", None), rows, "no evidence")
        first, last = (-np.inf, model.by) if model.kind == "lost" else getattr(model, "days", (-np.inf, np.inf))
        day = self._patient_days.day_of(rows)
        outside = exists & ((day < first) | (day > last))
        self._put(codes, outside, f"outside the days looked at{days_in_words((first, last))}")

    def _unless_false(self, codes: Ints, rule: Rule | None, rows: Ints, prefix: str) -> None:
        """By a rule that takes a row out unless the rule is false there."""
        if rule is not None:
            kept = decide(rule.tree, self._patient_days).false[rows]
            self._put(codes, (rows != NONE) & ~kept, f"{prefix}: {tree_in_words(rule.tree)}")

    def _by_reason(self, codes: Ints, model: Any, reasons: Ints) -> None:
        names = self._classification.criteria.reasons.names
        for code in np.unique(reasons[codes == NO_SENTENCE]).tolist():
            self._put(codes, reasons == code, _reason(model, names[code]))


def _evidence(model: Any, verdict: Verdict) -> tuple[Ints, Ints]:
    return (verdict.ended, verdict.confirming) if model.kind == "lost" else (verdict.onset, verdict.confirming)


def _reason(model: Any, reason: str) -> str:
    """The reason in words, with the occasions that an endpoint asks for where they are too few."""
    words = reason_in_words(reason)
    is_of_occasions = {"not_confirmed": "achieved", "not_lost": "lost"}.get(reason) == model.kind
    if not is_of_occasions or model.occasions == 1:
        return words
    must_not_fail = model.kind == "achieved" and model.between == "unbroken"
    between = ", with nothing between them that fails" if must_not_fail else ""
    return f"{words} on {counted(model.occasions, 'occasion')} at least {length_in_words(model.apart)} apart{between}"
