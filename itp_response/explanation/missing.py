"""Missing: what would have to be known for a verdict to be evaluable, in words."""

import math

import numpy as np

from itp_response.cohort.values import NO_DAY, NONE, Ints
from itp_response.evaluation.endpoints.account import UNKNOWN
from itp_response.evaluation.patient_days import PatientValues
from itp_response.evaluation.rules.decide import numbers
from itp_response.evaluation.rules.in_words import value_at_row
from itp_response.evaluation.rules.tree import names_in, other_rows_in
from itp_response.explanation.censored_counts import counts_missing
from itp_response.explanation.decided import DecidedEndpoint
from itp_response.explanation.partial_dates import dates_missing
from itp_response.messages.wording import listed, number_in_words

DAYS_SHOWN = 6
"""With more days than this only the first and the last are named."""


def missing_in_words(decided: DecidedEndpoint) -> str:
    """What would have to be known for the verdict to be evaluable; nothing where it is."""
    if decided.value != "NE":
        return ""
    criteria = decided.criteria
    match decided.reason:
        case "partial_date":
            return dates_missing(criteria, decided.cohort, decided.name)
        case "unreadable":
            return "the excluded record, which cannot be read"
        case "censored_count":
            return counts_missing(criteria, decided.cohort, decided.name)
    if not decided.is_defined and decided.reason != "baseline_missing":
        return f"the patient's {listed(_unknown_of_patient(decided))}"
    if decided.decided_by is not None:
        return missing_in_words(decided.decided_by)
    if decided.reason == "not_recorded" and (days := _days_unknown(decided)):
        return f"the patient's {listed(days)}"
    match decided.reason:
        case "gap_in_counts":
            return _gaps(decided)
        case "baseline_missing":
            first, last = (number_in_words(day) for day in criteria.file.baseline.days)
            return f"a baseline: none is supplied, and there is no count from day {first} to {last}"
        case "too_few_counts":
            return _observation(decided) or _visits(decided, open_alone=False)
    return _observation(decided) or _day(decided) or _left_open(decided) or _visits(decided, open_alone=False)


def _day(decided: DecidedEndpoint) -> str:
    """The numbers of the patient of which one would be needed for its day; nothing where none is."""
    names = [name for name, where in decided.account.unknown_days if where[decided.position]]
    return f"the day {listed(names, 'or')}" if names else ""


def _unknown_of_patient(decided: DecidedEndpoint) -> list[str]:
    """What is not known of the patient of what decides whether the endpoint is defined."""
    patient = PatientValues(decided.patient_days)
    assert decided.model.only is not None  # else it is defined for all patients
    names = dict.fromkeys(names_in(decided.model.only.tree))
    return [name.replace("_", " ") for name in names if patient.values(name).unknown[decided.position]]


def _days_unknown(decided: DecidedEndpoint) -> list[str]:
    """The numbers of the patient that are needed as a day and are not known, or never come."""
    model, patient_days = decided.model, decided.patient_days
    days = [(day, patient_days.each(day)[decided.position]) for day in model.own_days()]
    lacking = [day for day, on in days if np.isnan(on) or (np.isinf(on) and day in model.single_days())]
    return list(dict.fromkeys(day.noun for day in lacking))


def _gaps(decided: DecidedEndpoint) -> str:
    """The days between which there are no counts, or too few."""
    gaps, day = decided.account.gaps, decided.patient_days.day
    assert gaps is not None
    after = decided.rows_where(gaps != NONE)
    if not len(after):  # where the start depends on a count known only as a bound, so does the gap
        return "counts with shorter gaps between them"
    between = list(zip(day[gaps[after]].tolist(), day[after].tolist(), strict=True))
    if len(between) == 1:
        ((first, last),) = between
        return f"a count between day {first} and day {last}, which are {last - first} days apart"
    return f"counts {listed([f'between day {first} and day {last} ({last - first} days)' for first, last in between])}"


def _observation(decided: DecidedEndpoint) -> str:
    """The days on which there is no count, and one would be needed; nothing where none is."""
    account, position = decided.account, decided.position
    if account.missing_from is None or account.missing_to is None or np.isnan(account.missing_from[position]):
        return ""
    first, last = float(account.missing_from[position]), float(account.missing_to[position])
    if first > last:
        begins, ends = number_in_words(first), number_in_words(last)
        return f"days to assess: they would begin on day {begins} and end on day {ends}"
    last_count = int(decided.patient_days.last_counted_day[position])
    there_is = "there is no count" if last_count == NO_DAY else f"the last count is on day {last_count}"
    if math.isinf(last):
        days = f"day {number_in_words(first)} or later" if math.isfinite(first) else "any day"
        return f"a count on {days}; {there_is}"
    return f"a count {_span(first, last)}; {there_is}"


def _span(first: float, last: float) -> str:
    if not math.isfinite(first):
        return f"up to day {number_in_words(last)}"
    if first == last:
        return f"on day {number_in_words(first)}"
    return f"from day {number_in_words(first)} to {number_in_words(last)}"


def _left_open(decided: DecidedEndpoint) -> str:
    """What leaves it open of the rows and visits that there are, or are not."""
    parts = (_unknown_rows(decided), _doubtful_rows(decided), _visits(decided, open_alone=True))
    return ", and ".join(filter(None, parts))


def _doubtful_rows(decided: DecidedEndpoint) -> str:
    """The rows that are no evidence, but leave it open; nothing where there are none."""
    doubtful, day = decided.account.doubtful, decided.patient_days.day
    if doubtful is None or not len(rows := decided.rows_where(doubtful)):
        return ""
    return f"evidence {_days(day[rows].tolist())}, where the counts present are discounted"


def _unknown_rows(decided: DecidedEndpoint) -> str:
    """What was not recorded of the rows that are unknown; nothing where there are none."""
    patient_days, part = decided.patient_days, decided.account.part
    rows = decided.rows_where((part == UNKNOWN) & patient_days.has_count)
    if not len(rows):
        return ""
    grades = rows[np.isnan(decided.patients.classification.cohort.bleeding_grade[rows])]
    if decided.reason == "bleeding_not_recorded" and len(grades):
        return f"whether there was bleeding {_days(patient_days.day[grades].tolist())}"
    if decided.reason == "not_recorded" and (values := _values_not_known(decided, rows)):
        return f"{listed(values)}, for the result {_days(patient_days.day[rows].tolist())}"
    return f"the data not recorded {_days(patient_days.day[rows].tolist())}"


def _values_not_known(decided: DecidedEndpoint, rows: Ints) -> list[str]:
    """The values at other rows that are not known at one of these rows, in words."""
    values = [] if decided.model.state is None else other_rows_in(decided.model.state.tree)
    return [value_at_row(value) for value in values if np.isnan(numbers(value, decided.patient_days).low[rows]).any()]


def _visits(decided: DecidedEndpoint, *, open_alone: bool) -> str:
    """The planned visits without a count: all of them, or those that leave it open; nothing where there are none."""
    at = decided.position
    missed = [one for one in decided.account.missed if one.where[at] and (one.is_open or not open_alone)]
    days = [int(one.day[at]) for one in missed]
    if not days:
        return ""
    passed_over = any(asked.key == "set_aside" for asked in decided.model.rules())
    return f"a count {_days(days)}{' that is not disregarded' if passed_over else ''}"


def _days(days: list[int]) -> str:
    """`on day 28`; `on days 28, 42 and 56`; of many the first and the last."""
    if len(days) == 1:
        return f"on day {days[0]}"
    if len(days) > DAYS_SHOWN:
        return f"on {len(days)} days, from day {days[0]} to {days[-1]}"
    return f"on days {listed([str(day) for day in days])}"
