"""Meanings: what observations did for an endpoint, in words, from the account that its kind gives."""

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from itp_response.cohort.values import NONE, Bools, Ints, Numbers, Truths
from itp_response.evaluation.endpoints import Endpoint
from itp_response.evaluation.endpoints.account import (
    CLOSED,
    DISCOUNTED,
    EXCLUDED,
    FAILS,
    PARTS,
    PASSED_OVER,
    QUALIFIES,
    TOO_SOON,
    UNKNOWN,
    Account,
)
from itp_response.evaluation.endpoints.endpoint import defined, excluded
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import decide, numbers
from itp_response.evaluation.rules.in_words import rule_in_words, tree_in_words, value_at_row
from itp_response.evaluation.rules.tree import AtRow, Name, Rule, Tree, observed_in, other_rows_in
from itp_response.explanation.deciding import deciding_clauses
from itp_response.explanation.other_rows import values_in_words
from itp_response.explanation.sentences import Sentences, kinds
from itp_response.messages.wording import counted, listed

NOT_OBSERVED = {
    "platelets": "no count",
    "bleeding_grade": "bleeding not recorded",
    "baseline": "baseline missing",
}


class Meanings:
    """What rows did for an endpoint, as codes into `sentences`, so that many rows are worded at once.

    `with_numbers`: the sentences have the numbers of the patient, as what a multiple of the baseline comes to.
    """

    def __init__(
        self,
        model: Endpoint,
        account: Account,
        patient_days: PatientDays,
        sentences: Sentences | None = None,
        *,
        with_numbers: bool = False,
    ) -> None:
        self._with_numbers = with_numbers
        self._model = model
        self._account = account
        self._patient_days = patient_days
        self._rules = {key: rule.tree for key, rule, of in model.rules() if of == "rows"}
        self.sentences = Sentences() if sentences is None else sentences
        self._code = self.sentences.code

    def of(self, rows: Ints) -> pl.Series:
        """What each of these rows did."""
        codes = self.codes(rows)
        return pl.Series(self.sentences.texts, dtype=pl.String).gather(codes)

    def codes(self, rows: Ints) -> Ints:
        """What each of these rows did, as an index of `sentences`."""
        codes = np.full(len(rows), NONE)
        worded: dict[int, Callable[[Ints], Ints]] = {
            PASSED_OVER: self._passed_over,
            DISCOUNTED: self._discounted,
            TOO_SOON: self._too_soon,
            QUALIFIES: self._qualifies,
            FAILS: self._fails,
            UNKNOWN: self._unknown,
            CLOSED: self._closed,
        }
        phrases = self._model.phrases()
        part = self._account.part[rows]
        for played in np.unique(part).tolist():
            index = np.flatnonzero(part == played)
            if played == EXCLUDED:
                codes[index] = self._excluded(rows[index])
            elif played in worded:
                codes[index] = worded[played](rows[index])
            else:
                codes[index] = self._code(phrases[PARTS[played]])
        return codes

    def _excluded(self, rows: Ints) -> Ints:
        """By the rule for whom the endpoint is defined, by the one that rules patients out, or by a day not known."""
        model, patient_days = self._model, self._patient_days
        reasons = (undefined_in_words(model), excluded_in_words(model), days_unknown_in_words(model))
        undefined, ruled_out, not_known = (self._code(f"not used: {words}") if words else NONE for words in reasons)
        patient = patient_days.patient[rows]
        is_undefined, is_excluded = ~defined(model, patient_days).true[patient], excluded(model, patient_days)[patient]
        return np.select([is_undefined, is_excluded], [undefined, ruled_out], not_known)

    def _by_clause(self, tree: Tree, rows: Ints, prefix: str, *, holds: bool) -> Ints:
        """The codes of a prefix and the clause by which a rule is true, or false; of the prefix alone elsewhere."""
        deciding = deciding_clauses(tree, self._patient_days, rows, holds=holds)
        phrases, code = deciding.in_words(), deciding.code
        if self._with_numbers:
            phrases, code = deciding.at_rows(self._patient_days, rows)
        codes = self.sentences.codes([f"{prefix}{phrase}" for phrase in phrases])
        plain = self._code(prefix.removesuffix(": ")) if NONE in code else NONE
        return np.append(codes, plain)[code]  # the last stands for no clause, -1

    def _is_true(self, key: str, rows: Ints) -> Bools:
        """(R) Whether a rule of the endpoint is true at each of these rows."""
        return decide(self._rules[key], self._patient_days).true[rows]

    def _passed_over(self, rows: Ints) -> Ints:
        tree = self._rules["set_aside"]
        codes = self._by_clause(tree, rows, "disregarded: ", holds=True)
        codes[~self._is_true("set_aside", rows)] = self._code(
            f"disregarded: it is unknown whether there was {tree_in_words(tree)}"
        )
        return codes

    def _discounted(self, rows: Ints) -> Ints:
        tree, in_state = self._rules["discount"], self._is_true("when", rows)
        if "at_once" in self._rules:
            in_state = in_state | self._is_true("at_once", rows)
        codes = self._by_clause(tree, rows, "would qualify, but is not evidence: ", holds=True)
        not_known = f"would qualify, but it is unknown whether there was {tree_in_words(tree)}"
        codes[~self._is_true("discount", rows)] = self._code(not_known)
        codes[~in_state] = self._by_clause(tree, rows[~in_state], "not evidence: ", holds=True)
        return codes

    def _too_soon(self, rows: Ints) -> Ints:
        assert self._account.occasion is not None
        day, before = self._patient_days.day[rows], self._patient_days.day[self._account.occasion[rows]]
        example, kind = kinds(day, before)
        said = [
            f"does not count: only {counted(later - earlier, 'day')} after day {earlier}"
            for later, earlier in zip(day[example].tolist(), before[example].tolist(), strict=True)
        ]
        return self.sentences.codes(said)[kind]

    def _qualifies(self, rows: Ints) -> Ints:
        says = self._model.phrases()["qualifies"]
        if not self._model.is_lost:
            return self._with_values(says, rows)
        codes = self._by_clause(self._rules["when"], rows, f"{says}: ", holds=True)
        if "at_once" in self._rules:  # of a loss by itself and a confirmed one that begin on a day, the former stands
            alone = self._is_true("at_once", rows)
            codes[alone] = self._by_clause(self._rules["at_once"], rows[alone], f"{says}: ", holds=True)
        return codes

    def _with_values(self, says: str, rows: Ints) -> Ints:
        """The codes of what is said of rows; with numbers, those of the other rows that the state looks at as well."""
        if not self._with_numbers or not other_rows_in(self._rules["when"]):
            return np.full(len(rows), self._code(says))
        values = values_in_words(self._rules["when"], self._patient_days, rows, named=True)
        return self.sentences.codes([f"{says} ({of_row})" for of_row in values])

    def _fails(self, rows: Ints) -> Ints:
        says = self._model.phrases()["fails"]
        return self._by_clause(self._rules["when"], rows, f"{says}: ", holds=False)

    def _unknown(self, rows: Ints) -> Ints:
        """By what was not observed."""
        names, missing = [], []
        trees = [self._rules[key] for key in ("when", "at_once") if key in self._rules]
        for observed in dict.fromkeys(observed for tree in trees for observed in observed_in(tree)):
            for words, where in _not_observed(observed, self._patient_days, rows):
                names.append(words)
                missing.append(where)
        example, kind = kinds(*missing)
        said = [f"unknown: {', '.join(np.array(names)[where].tolist())}" for where in np.stack(missing)[:, example].T]
        return self.sentences.codes(said)[kind]

    def _closed(self, rows: Ints) -> Ints:
        """By the event that ended the window, or the first of several."""
        codes = np.full(len(rows), NONE)
        patient = self._patient_days.patient[rows]
        at = np.stack([event.row for event in self._account.events])
        at = np.where(at == NONE, len(self._patient_days.day), at)[:, patient]
        for number, event in enumerate(self._account.events):
            name = "the event that ended assessment" if isinstance(event.what, Rule) else event.what
            codes[np.argmin(at, axis=0) == number] = self._code(f"after {name}")
        return codes


def undefined_in_words(model: Endpoint) -> str:
    """For whom alone an endpoint is defined; empty: for all patients."""
    return "" if model.only is None else f"only patients with {rule_in_words(model.only)} are assessed"


def excluded_in_words(model: Endpoint) -> str:
    """By which rule an endpoint rules out patients, whatever was observed; empty: by none."""
    return "" if model.unless is None else rule_in_words(model.unless)


def days_unknown_in_words(model: Endpoint) -> str:
    """That a day of the patient's own is not known; empty: there is none."""
    names = dict.fromkeys(day.noun for day in model.own_days())
    return f"the patient's {listed(list(names), 'or')} is not known" if names else ""


def _not_observed(observed: Name | AtRow, patient_days: PatientDays, rows: Ints) -> Iterator[tuple[str, Bools]]:
    """What may not have been observed of a name, in words, and at which of the rows it was not."""
    if isinstance(observed, AtRow):
        value, noun = numbers(observed, patient_days).at(rows), value_at_row(observed)
        yield f"{noun} not known", np.isnan(value.low)
        yield f"{noun} censored", value.low < value.high
        return
    name = observed.name
    column = patient_days.values(name).at(rows)
    match column:
        case Numbers(low=low, high=high):
            yield NOT_OBSERVED.get(name, f"{name} not recorded"), np.isnan(low)
            yield f"{name.replace('platelets', 'count')} censored", ~np.isnan(low) & (low != high)
        case Truths():
            yield f"{name} not recorded", column.unknown
