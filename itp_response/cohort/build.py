"""Building: the cohort of observations as they were written down, sorted, one row per patient and day."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import Imputed, Note, Observations, Origin, Partial, RescueCourses
from itp_response.cohort.values import Column, Floats, Index, Ints, Numbers, Texts, Truths, exactly


def build(
    ids: pl.Series,
    observed: Observations,
    *,
    arm: pl.Series | None = None,
    day_0: NDArray[np.datetime64] | None = None,
    baseline: Numbers | None = None,
    treatment_discontinued: Floats | None = None,
    patient_columns: Mapping[str, Column] | None = None,
    source: str = "",
    row_word: str = "line",
    origin: Origin | None = None,
    stopped_by: Origin | None = None,
    notes: Sequence[Note] = (),
    imputed: Imputed | None = None,
    partial: Partial | None = None,
) -> Cohort:
    """The cohort of these observations: sorted, one row per patient and day.

    Of several counts on a day the lowest stands, of several grades the highest, a rescue if any.
    """
    patients = len(ids)
    order = in_order(observed.patient, observed.day)
    patient, day = observed.patient[order], observed.day[order]
    begins = np.ones(len(day), dtype=np.bool_)
    begins[1:] = (patient[1:] != patient[:-1]) | (day[1:] != day[:-1])
    start = np.flatnonzero(begins)
    alone = len(start) == len(day)

    platelets = observed.platelets.at(order)
    source_row = observed.source_row[order]
    lines, counts = source_row, platelets
    rescue = observed.rescue[order]
    given = np.flatnonzero(rescue)
    name = Texts(np.full(len(rescue), -1, dtype=np.int32), ()) if observed.rescue_name is None else observed.rescue_name
    courses = RescueCourses(
        row=np.searchsorted(start, given, side="right") - 1,
        last=observed.rescue_end[order][given],
        name=name.at(order).at(given),
    )
    grade = observed.bleeding_grade[order]
    columns = {name: column.at(order) for name, column in observed.columns.items()}
    if not alone:
        source_row = _deciding_line(platelets.low, source_row, start)
        platelets = _lowest(platelets, start)
        grade = np.fmax.reduceat(grade, start)
        rescue = np.logical_or.reduceat(rescue, start)
        columns = {
            name: _merged(column, start, len(day), observed.several.get(name, "last"))
            for name, column in columns.items()
        }
        patient, day = patient[start], day[start]

    return Cohort(
        id=ids,
        arm=arm if arm is not None else pl.Series("arm", [None] * patients, dtype=pl.String),
        day_0=day_0 if day_0 is not None else np.full(patients, np.datetime64("NaT"), dtype="datetime64[D]"),
        baseline=baseline or exactly(np.full(patients, np.nan)),
        treatment_discontinued=treatment_discontinued
        if treatment_discontinued is not None
        else np.full(patients, np.inf),
        patient_columns=dict(patient_columns or {}),
        first_row=np.append(0, np.cumsum(np.bincount(patient, minlength=patients))),
        patient=patient.astype(np.int32, copy=False),
        day=day.astype(np.int32, copy=False),
        platelets=platelets,
        bleeding_grade=grade,
        rescue=rescue,
        days_since_rescue=days_since(courses.row, courses.last, patient, day),
        source_row=source_row,
        courses=courses,
        row_columns=columns,
        lines=lines,
        counts=counts,
        first_line=np.append(start, len(begins)),
        source=source,
        row_word=row_word,
        origin=origin,
        stopped_by=stopped_by,
        notes=tuple(notes),
        imputed=imputed,
        partial=partial,
    )


def in_order(patient: Ints, day: Ints) -> Index:
    """The stable order by patient, then day; all as they are, where they stand in it already."""
    if not len(day):
        return slice(None)
    low = int(day.min())
    span = int(day.max()) - low + 1
    packed = patient.astype(np.int64) * span + (day - low)
    if bool((packed[1:] >= packed[:-1]).all()):
        return slice(None)
    bits = len(packed).bit_length()
    if int(packed.max()).bit_length() + bits > 63:
        return np.argsort(packed, kind="stable")
    # With the row packed in, plain numbers are sorted, which is several times as fast; by polars three times again.
    ordered = pl.Series((packed << bits) | np.arange(len(packed))).sort().to_numpy()
    return ordered & ((1 << bits) - 1)


def _lowest(values: Numbers, start: Ints) -> Numbers:
    # fmin passes over NaN: a count stands even where another row of the day has none.
    low = np.fmin.reduceat(values.low, start)
    return Numbers(low, low if values.exact else np.fmin.reduceat(values.high, start))


def _deciding_line(count: Floats, line: Ints, start: Ints) -> Ints:
    """Of each day the line of its lowest count, or else its first line."""
    group = np.repeat(np.arange(len(start)), np.diff(np.append(start, len(count))))
    best = np.lexsort((np.arange(len(count)), count, group))  # NaN sorts last
    return line[best[start]]


def _merged(column: Column, start: Ints, size: int, several: str) -> Column:
    match column, several:
        case Numbers(), "lowest":
            return _lowest(column, start)
        case Numbers(low=low, high=high), "highest":
            top = np.fmax.reduceat(low, start)
            return Numbers(top, top if column.exact else np.fmax.reduceat(high, start))
        case Truths(true=true, false=false), "highest" | "lowest":
            any_true, any_false = np.logical_or.reduceat(true, start), np.logical_or.reduceat(false, start)
            if several == "highest":
                return Truths(any_true, any_false & ~any_true)
            return Truths(any_true & ~any_false, any_false)
    return column.at(_known_row(column, start, size, several))


def _known_row(column: Column, start: Ints, size: int, several: str) -> Ints:
    """Of each day the first or the last row where the column is known."""
    match column:
        case Numbers(low=low):
            known = ~np.isnan(low)
        case Truths():
            known = ~column.unknown
        case Texts(codes=codes):
            known = codes >= 0
    rows = np.arange(size)
    if several == "first":
        first = np.minimum.reduceat(np.where(known, rows, size), start)
        return np.where(first < size, first, start)
    last = np.maximum.reduceat(np.where(known, rows, -1), start)
    return np.where(last >= 0, last, start)


def days_since(row: Ints, last: Ints, patient: Ints, day: Ints) -> Floats:
    """At each row, the days since the latest last day of the courses begun on an earlier day; infinite: none was.

    `row` are the rows on whose days courses begin, in order, and `last` their last days.
    """
    since = np.full(len(day), np.inf)
    if not len(row):
        return since
    # A patient's running maximum: lifted above that of the patient before, so that one pass serves all.
    low, high = int(last.min()), int(last.max())
    lift = patient[row].astype(np.int64) * (high - low + 1)
    latest = np.maximum.accumulate(last - low + lift) - lift + low
    # How many courses begin before each row, less one.
    before = np.repeat(np.arange(-1, len(row)), np.diff(np.concatenate([[-1], row, [len(day) - 1]])))
    had = (before >= 0) & (patient[row[before]] == patient)
    since[had] = (day - latest[before])[had]
    return since
