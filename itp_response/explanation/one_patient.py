"""One patient: the classification of one patient alone, and one verdict of it with all that it was decided from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from itp_response.classification.classification import Classification
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import NO_DAY, NONE, Ints
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.endpoints.account import PARTS, Account, Decided
from itp_response.evaluation.endpoints.endpoint import defined, excluded
from itp_response.evaluation.evaluate import patient_days_of, with_a_day_0
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.verdicts import Verdict, reason_in_words
from itp_response.messages.codes import Code
from itp_response.messages.errors import Problem, UsageError, nearest, unknown
from itp_response.messages.wording import counted, one_line

IDS_SHOWN = 3


@dataclass(frozen=True)
class DecidedEndpoint:
    """The verdict on one endpoint in a classification of one patient."""

    classification: Classification
    patient_days: PatientDays
    name: str
    accounts: Mapping[str, Account] | None = None
    """The accounts of all endpoints, where they were made for many patients at once."""

    @property
    def criteria(self) -> Criteria:
        return self.classification.criteria

    @property
    def cohort(self) -> Cohort:
        return self.classification.cohort

    @property
    def model(self) -> Any:
        """The endpoint's model."""
        return self.criteria.endpoints[self.name]

    @property
    def verdict(self) -> Verdict:
        return self.classification.verdicts[self.name]

    @property
    def value(self) -> str:
        return self.verdict.labels[int(self.verdict.value[0])]

    @property
    def reason(self) -> str:
        return self.criteria.reasons.names[int(self.verdict.reason[0])]

    @property
    def because(self) -> str:
        """The reason in words; where another endpoint decides by being met, that it is."""
        other = self.decided_by if self.model.sums_up and self.value == "N" else None
        return f"{other.name} is met" if other is not None and other.value == "Y" else reason_in_words(self.reason)

    @property
    def day(self) -> int | None:
        """The day of the verdict; None: it has none."""
        day = int(self.classification.dated(self.verdict)[0])
        return None if day == NO_DAY else day

    @cached_property
    def account(self) -> Account:
        """What every row did for the endpoint."""
        if self.accounts is not None:
            return self.accounts[self.name]
        account: Account = self.model.account(self.patient_days, self.classification.verdicts, self.verdict)
        return account

    def part_of(self, row: int) -> str:
        """The part that a row played."""
        return PARTS[int(self.account.part[row])]

    @property
    def is_defined(self) -> bool:
        """The endpoint is known to be defined for the patient."""
        return bool(defined(self.model, self.patient_days).true[0])

    @property
    def is_excluded(self) -> bool:
        """The endpoint excludes the patient."""
        return bool(excluded(self.model, self.patient_days)[0])

    @property
    def decided_by(self) -> "DecidedEndpoint | None":
        """The endpoint because of which the verdict is what it is; None: it rests on rows."""
        names = [name for name, where in self.account.decided_by if where[0]]
        return self.other(names[0]) if names and not self.is_excluded else None

    @property
    def length(self) -> str:
        """How long it is, in words; empty: it has no length."""
        verdict = self.verdict
        if verdict.days is None or verdict.days[0] == NO_DAY:
            return ""
        days = counted(int(verdict.days[0]), "day")
        if verdict.of_days is not None:
            observed = counted(int(verdict.of_days[0]), "day")
            return f"{'' if self.model.is_length else f'{self.value}, '}{days} of {observed} observed"
        if self.value == "Y":
            return f"{days}, to day {self.day}"
        if self.classification.competed(self.name)[0]:
            return f"{days}, to a competing event on day {self.day}"
        decided = Decided(self.patient_days, self.classification.verdicts, verdict)
        moment = int(self.model.moments_of_censoring(decided)[0])
        at = f" at {self.model.censored_at[moment]}" if moment != NONE else ""
        return f"{days}, censored{at} on day {self.day}"

    @property
    def depends_on_what_may_be(self) -> bool:
        return self.value == "NE" and self.reason in ("partial_date", "unreadable")

    def other(self, name: str) -> "DecidedEndpoint":
        """The verdict on another endpoint."""
        return DecidedEndpoint(self.classification, self.patient_days, name, self.accounts)


def of_one(classification: Classification, position: int) -> Classification:
    """The classification of the patient at that position alone."""
    begin = int(classification.cohort.first_row[position])
    verdicts = {name: verdict.only(position, begin) for name, verdict in classification.verdicts.items()}
    return Classification(classification.criteria, classification.cohort.select([position]), verdicts)


def each_account(classification: Classification, positions: Ints) -> Iterator[dict[str, Account]]:
    """What every row did for every endpoint, for each of the patients at these positions, which are consecutive."""
    criteria = classification.criteria
    first, begin = int(positions[0]), int(classification.cohort.first_row[positions[0]])
    verdicts = {
        name: verdict.of(slice(first, first + len(positions)), begin)
        for name, verdict in classification.verdicts.items()
    }
    cohort = with_a_day_0(classification.cohort.select(positions))
    patient_days = patient_days_of(criteria, cohort, 0, len(cohort))
    accounts = {
        name: model.account(patient_days, verdicts, verdicts[name]) for name, model in criteria.endpoints.items()
    }
    for position, (start, end) in enumerate(pairwise(cohort.first_row.tolist())):
        yield {name: account.only(position, start, end) for name, account in accounts.items()}


def asked_about(classification: Classification, patient: str, endpoint: str | None) -> tuple[Classification, list[str]]:
    """The classification of the patient of that id alone, and the names of the endpoints asked about: all, or one.

    Raises `UsageError` for an unknown patient or endpoint.
    """
    position = classification.cohort.position(patient)
    if position is None:
        raise UsageError(unknown_patient(classification.cohort, patient))
    names = list(classification.criteria.endpoints)
    if endpoint is not None and endpoint not in names:
        raise UsageError(unknown("endpoint", endpoint, names))
    return of_one(classification, position), names if endpoint is None else [endpoint]


def unknown_patient(cohort: Cohort, patient: str) -> Problem:
    """The problem of a patient who is not in the cohort."""
    ids = cohort.id.to_list()
    shown = ", ".join(ids[:IDS_SHOWN]) + (f" … {ids[-1]}" if len(ids) > IDS_SHOWN else "")
    among = f"among the {len(ids):,} of {cohort.source or 'the cohort'}"
    sentence = f"there is no patient {patient!r} {among}: {one_line(shown)}.{nearest(patient, ids)}"
    return Problem(sentence, code=Code.PATIENT_UNKNOWN, value=patient)
