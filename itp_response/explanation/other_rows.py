"""Other rows: the values at other rows on which a rule rests, in words."""

import numpy as np

from itp_response.cohort.texts import count_in_words
from itp_response.evaluation.other_rows import rows_of_bounds
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import numbers
from itp_response.evaluation.rules.in_words import tree_in_words
from itp_response.evaluation.rules.tree import AtRow, Name, Tree, observed_in, other_rows_in
from itp_response.messages.wording import listed

SHOWN = ("platelets", "bleeding_grade")
"""What an explanation shows of every row."""


def values_in_words(tree: Tree, patient_days: PatientDays, *, named: bool = False) -> list[str]:
    """(N) What a rule compares, as seen from each row of one patient: the values at other rows, each with its day.

    The row's own number of the same column is among them. `named`: with what each is. Nothing without another row.

    >>> from itp_response.cohort.notation import cohort_of
    >>> from itp_response.definitions.load import load
    >>> from itp_response.evaluation.evaluate import patient_days_of
    >>> from itp_response.evaluation.rules.parse import Names, parse
    >>> rule = parse("platelets < previous(platelets)", Names({"platelets": "number"}, on_rows=["platelets"]))
    >>> values_in_words(rule.tree, patient_days_of(load("atra_2022"), cohort_of(["d0 15, d7 <10, d14 5"]), 0, 1))
    ['not known', '15 on day 0', '<10 on day 7']
    """
    elsewhere = {value.name for value in other_rows_in(tree)}
    compared = [
        observed
        for observed in dict.fromkeys(observed_in(tree))
        if isinstance(observed, AtRow) or (observed.name in elsewhere and observed.name not in SHOWN)
    ]
    values = [_in_words(observed, patient_days, named=named) for observed in compared]
    return [listed(at_row) for at_row in zip(*values, strict=True)] if values else [""] * len(patient_days.day)


def _in_words(observed: Name | AtRow, patient_days: PatientDays, *, named: bool) -> list[str]:
    """(N) A number with its day, `60 on day 14`."""
    bounds, own = numbers(observed, patient_days), np.arange(len(patient_days.day))
    rows = rows_of_bounds(observed, patient_days.looked_at(observed)) if isinstance(observed, AtRow) else (own, own)
    prefix = f"{tree_in_words(observed)}: " if named else ""
    return [
        f"{prefix}{_on_its_days(*at_row)}"
        for at_row in zip(bounds.low.tolist(), bounds.high.tolist(), *map(patient_days.day_of, rows), strict=True)
    ]


def _on_its_days(low: float, high: float, *days: int) -> str:
    if np.isnan(low):
        return "not known"
    number = "of any grade" if np.isinf(low) else count_in_words(low, high)
    of_bounds = sorted({int(day) for day in days})
    return f"{number} on day{'s' if len(of_bounds) > 1 else ''} {listed([str(day) for day in of_bounds])}"
