"""Other rows: the values at other rows on which a rule rests, in words."""

import numpy as np

from itp_response.cohort.texts import count_in_words
from itp_response.cohort.values import Ints
from itp_response.evaluation.other_rows import rows_of_bounds
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import numbers
from itp_response.evaluation.rules.in_words import tree_in_words
from itp_response.evaluation.rules.tree import AtRow, Name, Tree, observed_in, other_rows_in
from itp_response.messages.wording import listed

SHOWN = ("platelets", "bleeding_grade")
"""What an explanation shows of every row."""


def values_in_words(tree: Tree, patient_days: PatientDays, rows: Ints, *, named: bool = False) -> list[str]:
    """(R) What a rule compares, as seen from each of these rows: the values at other rows, each with its day.

    The row's own number of the same column is among them. `named`: with what each is. Nothing without another row.

    >>> from itp_response.cohort.notation import cohort_of
    >>> from itp_response.definitions.load import load
    >>> from itp_response.evaluation.evaluate import patient_days_of
    >>> from itp_response.evaluation.rules.parse import Names, parse
    >>> rule = parse("platelets < previous(platelets)", Names({"platelets": "number"}, on_rows=["platelets"]))
    >>> patient_days = patient_days_of(load("atra_2022"), cohort_of(["d0 15, d7 <10, d14 5"]), 0, 1)
    >>> values_in_words(rule.tree, patient_days, np.arange(3))
    ['not known', '15 on day 0', '<10 on day 7']
    """
    elsewhere = {value.name for value in other_rows_in(tree)}
    compared = [
        observed
        for observed in dict.fromkeys(observed_in(tree))
        if isinstance(observed, AtRow) or (observed.name in elsewhere and observed.name not in SHOWN)
    ]
    values = [_in_words(observed, patient_days, rows, named=named) for observed in compared]
    return [listed(at_row) for at_row in zip(*values, strict=True)] if values else [""] * len(rows)


def _in_words(observed: Name | AtRow, patient_days: PatientDays, rows: Ints, *, named: bool) -> list[str]:
    """(R) A number with its day, `60 on day 14`."""
    bounds = numbers(observed, patient_days).at(rows)
    from_rows = (rows, rows)
    if isinstance(observed, AtRow):
        of_bounds = rows_of_bounds(observed, patient_days.looked_at(observed))
        from_rows = (of_bounds[0][rows], of_bounds[1][rows])
    prefix = f"{tree_in_words(observed)}: " if named else ""
    days = (patient_days.day_of(row).tolist() for row in from_rows)
    return [
        f"{prefix}{_on_its_days(*at_row)}"
        for at_row in zip(bounds.low.tolist(), bounds.high.tolist(), *days, strict=True)
    ]


def _on_its_days(low: float, high: float, *days: int) -> str:
    if np.isnan(low):
        return "not known"
    # A bound without a lower limit is written as that of a count, which has 0.
    number = "of any grade" if np.isposinf(low) else count_in_words(0.0 if np.isneginf(low) else low, high)
    of_bounds = sorted(set(days))
    return f"{number} on day{'s' if len(of_bounds) > 1 else ''} {listed([str(day) for day in of_bounds])}"
