"""Failing clause: why patients do not meet an endpoint that they meet by another set, for many at once."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification
from itp_response.cohort.values import NONE, Bools, Ints
from itp_response.evaluation.endpoints import Endpoint
from itp_response.evaluation.endpoints.account import QUALIFIES, Account
from itp_response.evaluation.endpoints.endpoint import defined, excluded
from itp_response.evaluation.rules.in_words import rule_in_words
from itp_response.evaluation.rules.tree import Rule
from itp_response.evaluation.verdicts import Verdict, Y, reason_in_words
from itp_response.explanation.meanings import Meanings, excluded_in_words, undefined_in_words

NO_SENTENCE = -1


def failing_clauses(classification: Classification, name: str, other: Verdict, patients: Ints) -> pl.Series:
    """Why each of these patients (positions) does not meet an endpoint, in words.

    `other` is the verdict on a similar endpoint; its evidence shows where the patient might have met this one. Given is
    the first of these that holds: the endpoint excludes the patient; it is decided by another endpoint; an event closed
    it; what the row did that ended it; what evidence of `other` did instead of qualifying; else the reason.
    """
    failing = _FailingClauses(classification)
    codes = failing.of(name, other, patients)
    return pl.Series(failing.sentences, dtype=pl.String).gather(codes)


class _FailingClauses:
    """The clauses, as codes into `sentences`; a method fills in those that it finds for patients without one yet.

    Codes and patients have one entry per patient asked about, `patients` are their positions; masks and rows that go
    with them too.
    """

    def __init__(self, classification: Classification) -> None:
        self._classification = classification
        self._patient_days = classification.patient_days
        self.sentences: list[str] = []

    def of(self, name: str, other: Verdict, patients: Ints) -> Ints:
        """The code of each patient's sentence."""
        model, verdict = self._classification.criteria.endpoints[name], self._classification.verdicts[name]
        account = model.account(self._patient_days, self._classification.verdicts, verdict)
        codes = np.full(len(patients), NO_SENTENCE)
        self._put(codes, ~defined(model, self._patient_days).true[patients], undefined_in_words(model))
        self._put(codes, excluded(model, self._patient_days)[patients], f"ruled out by {excluded_in_words(model)}")
        self._by_others(codes, model, account, other, patients)
        self._by_events(codes, account, verdict.ended[patients], patients)
        for row in (verdict.ended, *_evidence(model, other)):
            self._by_row(codes, model, account, row[patients])
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

    def _by_others(self, codes: Ints, model: Endpoint, account: Account, other: Verdict, patients: Ints) -> None:
        """By the endpoint because of which the verdict is what it is."""
        for name, decides in account.decided_by:
            met = self._classification.verdicts[name].value[patients] == Y
            self._put(codes, decides[patients] & met, f"{name} is met")
            index = np.flatnonzero((codes == NO_SENTENCE) & decides[patients])
            if len(index):
                prefix = name if model.sums_up else f"depends on {name}"
                codes[index] = self._prefixed(prefix, self.of(name, other, patients[index]))

    def _by_events(self, codes: Ints, account: Account, ended: Ints, patients: Ints) -> None:
        """By the event on the row that ended it."""
        for event in account.events:
            happened = (ended != NONE) & (event.row[patients] == ended)
            words = rule_in_words(event.what) if isinstance(event.what, Rule) else event.what
            self._put(codes, happened, f"can no longer be met after {words}")

    def _by_row(self, codes: Ints, model: Endpoint, account: Account, rows: Ints) -> None:
        """By what each row did (-1: none), unless it qualifies."""
        index = np.flatnonzero((codes == NO_SENTENCE) & (rows != NONE))
        index = index[account.part[rows[index]] != QUALIFIES] if len(index) else index
        if len(index):
            said = Meanings(model, account, self._patient_days).of(rows[index])
            distinct = said.unique()
            code = [self._code(sentence) for sentence in distinct.to_list()]
            codes[index] = said.replace_strict(distinct, code, return_dtype=pl.Int64).to_numpy()

    def _by_reason(self, codes: Ints, model: Endpoint, reasons: Ints) -> None:
        names = self._classification.criteria.reasons.names
        for code in np.unique(reasons[codes == NO_SENTENCE]).tolist():
            self._put(codes, reasons == code, _reason(model, names[code]))


def _evidence(model: Endpoint, verdict: Verdict) -> Iterator[Ints]:
    """The rows of a verdict that might have been evidence of an endpoint like it."""
    yield verdict.ended if model.is_lost else verdict.onset
    yield verdict.confirming


def _reason(model: Endpoint, reason: str) -> str:
    """The reason in words, with the confirmation that an endpoint asks for where that is what was missed."""
    words = reason_in_words(reason)
    if reason in ("not_confirmed", "not_lost") and model.is_confirmed:
        return f"{words} on {model.confirmation()}"
    return words
