"""Competing: events that the user names, such as death, which compete with the end of a time.

They compete beside those of the definition. The first to come ends the time; on the same day, its own event does. An
event before the start of the time does not compete with it.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from itp_response.cohort.values import NO_DAY, Floats
from itp_response.evaluation.verdicts import Y
from itp_response.messages.errors import UsageError, unknown
from itp_response.outputs.statistics.from_day_0 import FromDay0
from itp_response.outputs.statistics.groups import AnalysedPatients, is_dated
from itp_response.outputs.statistics.proportions import criteria_met
from itp_response.readers.problems import first_few


def with_named(patients: AnalysedPatients, time: FromDay0, names: Sequence[str]) -> FromDay0:
    """The time with the events named competing too: endpoints, or patient columns with the day or the date of an event.

    Raises `UsageError` for what is none of these.
    """
    verdict = patients.classification.verdicts[time.name]
    model = patients.endpoints[time.name]
    ended = patients.classification.dated(verdict).astype(np.float64)
    assert verdict.days is not None  # it is a time
    start = np.where(verdict.days != NO_DAY, ended - verdict.days, 0.0) if model.origins() else 0.0
    first = np.min([_days(patients, name) for name in names], axis=0)
    since = first - start
    is_over = time.event | time.competing
    last = patients.classification.patient_days.each(model.days_looked_at()[1])
    comes_first = (since >= 0) & np.where(is_over, since < time.days, first <= last)
    comes_first &= np.isfinite(first) & ~np.isnan(time.days)
    return replace(
        time,
        days=np.where(comes_first, since, time.days),
        event=time.event & ~comes_first,
        competing=time.competing | comes_first,
        named=tuple(map(patients.title_of, names)),
    )


def _days(patients: AnalysedPatients, name: str) -> Floats:
    """(P) The day of an event; infinite: it did not happen."""
    if name in criteria_met(patients):
        verdict = patients.classification.verdicts[name]
        days = patients.classification.days_of(verdict.dated).astype(np.float64)
        dated = (verdict.value == Y) & (days != NO_DAY)
        if ((verdict.value == Y) & ~dated).any():
            raise UsageError(f"--competing {name!r} is met on no certain day; name a column with the day of the event.")
        return np.where(dated, days, np.inf)
    if name not in patients.columns:
        raise UsageError(unknown("competing event", name, [*patients.columns, *criteria_met(patients)]))
    values = patients.columns[name]
    if values.dtype.is_numeric():
        return values.fill_null(np.inf).to_numpy()
    if not is_dated(values):
        raise UsageError(f"--competing {name!r} has no days or dates; name an endpoint, or a column that has.")
    dates = values.str.to_date("%Y-%m-%d", strict=False)
    wrong = values.filter(values.is_not_null() & (dates.is_null() | pl.Series(np.isnat(patients.cohort.day_0))))
    if len(wrong):
        what = f"{first_few(wrong.to_list())} is not a complete date, or the date of day 0 is unknown"
        raise UsageError(f"--competing {name!r}: {what}; give the day of the event as a number.")
    days = (dates.to_numpy() - patients.cohort.day_0) / np.timedelta64(1, "D")
    return np.where(np.isnat(dates.to_numpy()), np.inf, days)
