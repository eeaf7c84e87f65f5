"""Data queries: for each endpoint that is not evaluable, the single observation that would settle it.

It is found by trying. Copies of the patient are made in which one thing that was not observed is filled in, with low,
middle and high values, and all copies are decided as one cohort. What gives a verdict whatever the value, settles it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification
from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.edited import concatenated, copied_courses, copied_patients, copied_rows, replaced
from itp_response.cohort.observations import DATES, Observations, Patients
from itp_response.cohort.texts import said, texts
from itp_response.cohort.values import NONE, Bools, Floats, Ints, exactly
from itp_response.data_review.edit_checks import window
from itp_response.data_review.unrecorded import UnrecordedColumn, filled, unrecorded_columns
from itp_response.evaluation.evaluate import evaluate
from itp_response.evaluation.verdicts import Verdict, reason_in_words

COUNTS = (2.0, 15.0, 25.0, 40.0, 75.0, 150.0, 400.0)
"""10⁹/L; one between any two of the limits that definitions of response use: 10, 20, 30, 50, 100, 250."""
GRADES = (0.0, 1.0, 2.0, 3.0, 4.0)
GRADES_WITH_COUNT = (0.0, 2.0)
"""Bleeding grades tried with a count that is not there yet: none, and one that every definition calls bleeding."""
ROWS_AT_ONCE = 2_000_000
"""The number of rows that are copied at a time."""
KINDS = ("bleeding_grade", "exact_count", "count", "baseline", "later_count", "visit")
"""What may be asked for, the easiest to answer first: what stands in the file already, then what was not done."""
GRADE, BOUND, COUNT, BASELINE, LATER, VISIT = range(len(KINDS))
DECLARED = len(KINDS)
"""The kind of the first unrecorded column; those of the others follow."""
NOT_FILLED = np.nan
VISIT_IN_WORDS = "a platelet count and a bleeding assessment"


@dataclass(frozen=True)
class Candidates:
    """Observations that might settle an endpoint, an entry each (C), by patient and then the easiest first."""

    patient: Ints
    """(C) Position in the cohort."""
    kind: Ints
    """(C) Index of `KINDS`, or `DECLARED` and on: an unrecorded column."""
    row: Ints
    """(C) The row of the cohort it is in; -1: it is in no row yet."""
    day: Ints
    """(C) Its day; 0 of what is of the patient."""

    def __len__(self) -> int:
        return len(self.patient)

    def at(self, index: Ints | Bools | slice) -> "Candidates":
        return Candidates(self.patient[index], self.kind[index], self.row[index], self.day[index])


@dataclass(frozen=True)
class Fills:
    """Copies of patients with one thing filled in, an entry each (F); NaN: left as it is."""

    candidate: Ints
    """(F) In ascending order."""
    count: Floats
    grade: Floats
    baseline: Floats
    value: Ints
    """(F) Which of the values of the unrecorded column; -1: none."""

    def first_of_each(self) -> "Fills":
        """The first of each candidate."""
        is_first = np.append(True, self.candidate[1:] != self.candidate[:-1])
        columns = (self.candidate, self.count, self.grade, self.baseline, self.value)
        return Fills(*(column[is_first[: len(column)]] for column in columns))


def data_queries(classification: Classification) -> pl.DataFrame:
    """A row per patient and endpoint that is `NE`, by patient: what to ask for.

    `patient_id`, `endpoint`, `reason`, `settled_by` (a word of `KINDS`, `date` or a declared column; null: no single
    observation would settle it), `day` (null: it is of the patient), `file`, `line` (null: it is not in the file yet),
    `asks` in words, `also`: how many other observations would settle it as well.
    """
    cohort = classification.cohort
    is_open = np.zeros(len(cohort), dtype=np.bool_)
    for verdict in classification.verdicts.values():
        is_open |= not_evaluable(verdict)
    is_open[cohort.incomplete] = False  # nothing can be filled in beside what is not known
    columns = unrecorded_columns(classification.criteria, cohort)
    candidates = _candidates(classification, np.flatnonzero(is_open), columns)
    settles = _settles(classification, candidates, columns)
    requests = _requests(cohort, candidates, columns, np.stack(list(settles.values())))
    queries = _open(classification).join(requests, on=["number", "position"], how="left", maintain_order="left")
    queries = queries.join(_partial_dates(cohort), on="position", how="left", maintain_order="left")
    settled_by = pl.when("is_single_date").then(pl.lit("date")).otherwise("settled_by")
    return queries.sort("position", maintain_order=True).select(
        *("patient_id", "endpoint", "reason", settled_by.alias("settled_by"), "day"),
        *(pl.col("file").fill_null(cohort.source), "line", pl.coalesce("asks", "dates", "unsettled").alias("asks")),
        pl.col("also").fill_null(0),
    )


def not_evaluable(verdict: Verdict) -> Bools:
    """Which patients have a verdict of `NE`."""
    is_open: Bools = verdict.value == verdict.labels.index("NE")
    return is_open


# WHAT IS ASKED FOR


def _open(classification: Classification) -> pl.DataFrame:
    """The open verdicts, by the `number` of the endpoint and the `position` of the patient."""
    cohort, verdicts = classification.cohort, classification.verdicts
    reasons = classification.criteria.reasons.names
    number, position = np.nonzero(np.stack([not_evaluable(verdict) for verdict in verdicts.values()]))
    codes = np.stack([verdict.reason for verdict in verdicts.values()])[number, position]
    reason = pl.Series(reasons).gather(codes.astype(np.int64))
    in_words = reason.replace_strict({word: reason_in_words(word) for word in reasons}, return_dtype=pl.String)
    return pl.DataFrame(
        {
            "number": number,
            "position": position,
            "patient_id": cohort.id.gather(position),
            "endpoint": pl.Series(list(verdicts), dtype=pl.String).gather(number),
            "reason": reason,
            "unsettled": said("no single observation would make it evaluable ({})", in_words),
        }
    )


def _partial_dates(cohort: Cohort) -> pl.DataFrame:
    """Per patient with partial dates: `position`, the `dates` in words, and whether there is but one."""
    if cohort.partial is None:
        return pl.DataFrame(schema={"position": pl.Int64, "dates": pl.String, "is_single_date": pl.Boolean})
    dates = cohort.partial.dates
    what = pl.Series([name.replace("_", " ") for name in DATES]).gather(dates.what)
    source = said(" of {} {}", *cohort.keys(dates.line)).set(pl.Series(dates.line == 0), "")
    each = pl.DataFrame(
        {
            "position": cohort.partial.patient[dates.patient].astype(np.int64),
            "date": said("the full {}{} (given as {})", what, source, dates.written),
        }
    )
    return each.group_by("position", maintain_order=True).agg(
        pl.col("date").str.join(" and ").alias("dates"), (pl.len() == 1).alias("is_single_date")
    )


def _requests(
    cohort: Cohort, candidates: Candidates, columns: Sequence[UnrecordedColumn], settles: Bools
) -> pl.DataFrame:
    """The easiest candidate that settles an endpoint (E) of a patient, as `number` and `position` name them.

    `settled_by`, `day`, `file`, `line`, `asks`: what is asked for, in words; `also`: how many others settle it.
    `settles` (E, C): which candidates settle which endpoints.
    """
    number, settling = np.nonzero(settles)
    position = candidates.patient[settling].astype(np.int64)
    _, first, several = np.unique(number * len(cohort) + position, return_index=True, return_counts=True)
    easiest = candidates.at(settling[first])
    of_patient = [BASELINE, *(DECLARED + kind for kind, column in enumerate(columns) if column.of_patient)]
    is_new = pl.Series(easiest.row == NONE)
    word, line = _sources(cohort, easiest)
    file = pl.Series([cohort.source]).new_from_index(0, len(word)) if cohort.origin is None else word
    return pl.DataFrame(
        {
            "number": number[first],
            "position": position[first],
            "settled_by": pl.Series([*KINDS, *(column.name for column in columns)]).gather(easiest.kind),
            "day": pl.Series(easiest.day, dtype=pl.Int64).set(pl.Series(np.isin(easiest.kind, of_patient)), None),
            "file": file.set(is_new, cohort.source),
            "line": line.set(is_new, None),
            "asks": _asks(cohort, easiest, columns),
            "also": several - 1,
        }
    )


def _sources(cohort: Cohort, candidates: Candidates) -> tuple[pl.Series, pl.Series]:
    """What the line of each candidate is called, and its number; of one that is in no row these have no meaning."""
    return cohort.keys(cohort.source_row[np.maximum(candidates.row, 0)] if len(cohort.source_row) else candidates.row)


def _asks(cohort: Cohort, candidates: Candidates, columns: Sequence[UnrecordedColumn]) -> pl.Series:
    """What is asked for, in words."""
    day = texts(candidates.day)
    source = _sources(cohort, candidates)
    given = texts(cohort.platelets.at(np.maximum(candidates.row, 0))) if len(cohort.day) else day
    phrases = {
        GRADE: said("the bleeding grade of day {}, {} {}", day, *source),
        BOUND: said("the exact platelet count of day {}, {} {} (given as {})", day, *source, given),
        COUNT: said("the platelet count of day {}, {} {}", day, *source),
        BASELINE: pl.Series(["the baseline platelet count"]).new_from_index(0, len(day)),
        LATER: said(f"{VISIT_IN_WORDS} on day {{}} or later", day),
        VISIT: said(f"{VISIT_IN_WORDS} on about day {{}}", day),
    }
    for kind, column in enumerate(columns, start=DECLARED):
        if column.of_patient:
            phrases[kind] = pl.Series([f"{column.name} of the patient"]).new_from_index(0, len(day))
        else:
            phrases[kind] = said(f"{column.name} of day {{}}, {{}} {{}}", day, *source)
    asks = pl.Series([None], dtype=pl.String).new_from_index(0, len(day))
    for kind, phrase in phrases.items():
        asks = asks.zip_with(pl.Series(candidates.kind != kind), phrase)
    return asks


# WHAT WAS NOT OBSERVED


def _candidates(classification: Classification, patients: Ints, columns: Sequence[UnrecordedColumn]) -> Candidates:
    """All that was not observed of these patients (positions)."""
    cohort = classification.cohort
    is_asked = np.zeros(len(cohort), dtype=np.bool_)
    is_asked[patients] = True
    rows = np.flatnonzero(is_asked[cohort.patient])
    count, grade = cohort.platelets.at(rows), cohort.bleeding_grade[rows]
    counted = ~np.isnan(count.low)
    parts = [
        _in_rows(cohort, rows[counted & np.isnan(grade)], GRADE),
        _in_rows(cohort, rows[count.low < count.high], BOUND),
        _in_rows(cohort, rows[~counted], COUNT),
        _of_patients(patients[np.isnan(cohort.baseline.low[patients])], BASELINE),
    ]
    for kind, column in enumerate(columns, start=DECLARED):
        if column.of_patient:
            parts.append(_of_patients(patients[column.missing[patients]], kind))
        else:
            parts.append(_in_rows(cohort, rows[column.missing[rows]], kind))
    parts += _visits_missed(classification, patients)
    joined = Candidates(*(np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])))
    # Declared columns stand in the file already, so that they are the easiest of all.
    ease = np.where(joined.kind >= DECLARED, -joined.kind, joined.kind)
    return joined.at(np.lexsort((joined.day, ease, joined.patient)))


def _in_rows(cohort: Cohort, rows: Ints, kind: int) -> Candidates:
    return Candidates(cohort.patient[rows], np.full(len(rows), kind), rows, cohort.day[rows])


def _of_patients(patients: Ints, kind: int) -> Candidates:
    return _on_days(patients, kind, np.zeros(len(patients), dtype=np.int64))


def _on_days(patients: Ints, kind: int, day: Ints) -> Candidates:
    size = len(patients)
    return Candidates(patients, np.full(size, kind), np.full(size, NONE), day)


def _visits_missed(classification: Classification, patients: Ints) -> Iterator[Candidates]:
    """The days without a count at which one was planned, or would show that a patient was followed to the end."""
    cohort, clock = classification.cohort, classification.criteria.file.clock
    planned = np.unique(np.array(clock.visits, dtype=np.int64))
    models = classification.criteria.endpoints.values()
    ends = [clock.followed_from, *(model.followed_from for model in models)]
    end = np.unique(
        np.array([day for day in ends if isinstance(day, int | float) and np.isfinite(day)], dtype=np.int64)
    )
    margin = window(planned) if len(planned) > 1 else np.zeros(len(planned), dtype=np.int64)
    patients = patients[np.diff(cohort.first_row)[patients] > 0]
    last = _last_counted_days(cohort)[patients]
    # Of each patient a day is a candidate where no count lies near it.
    yield _uncounted(cohort, patients, end, np.zeros(len(end), dtype=np.int64), LATER, last[:, None] < end)
    always = np.ones((len(patients), len(planned)), dtype=np.bool_)
    yield _uncounted(cohort, patients, planned, margin, VISIT, always)


def _uncounted(cohort: Cohort, patients: Ints, days: Ints, margin: Ints, kind: int, asked: Bools) -> Candidates:
    """The days (D) with no count of the patient (P) within a margin of days; `asked` (P, D): which are looked at."""
    counted = np.flatnonzero(~np.isnan(cohort.platelets.low))
    low, high = (int(cohort.day.min()), int(cohort.day.max())) if len(cohort.day) else (0, 0)
    span = high - low + 3
    keys = cohort.patient[counted].astype(np.int64) * span + cohort.day[counted] - low
    base = patients[:, None].astype(np.int64) * span - low
    begin = np.searchsorted(keys, base + np.clip(days - margin, low - 1, high + 1))
    end = np.searchsorted(keys, base + np.clip(days + margin, low - 1, high + 1), side="right")
    index, which = np.nonzero(asked & (begin == end))
    return _on_days(patients[index], kind, days[which])


def _last_counted_days(cohort: Cohort) -> Floats:
    """The day of each patient's last count; minus infinity: there is none."""
    last = np.full(len(cohort), -np.inf)
    counted = ~np.isnan(cohort.platelets.low)
    np.maximum.at(last, cohort.patient[counted], cohort.day[counted])
    return last


# TRYING


def _settles(
    classification: Classification, candidates: Candidates, columns: Sequence[UnrecordedColumn]
) -> Mapping[str, Bools]:
    """Of each endpoint, which candidates give a verdict whatever is filled in."""
    settles = {name: np.zeros(len(candidates), dtype=np.bool_) for name in classification.verdicts}
    is_open = {name: not_evaluable(verdict)[candidates.patient] for name, verdict in classification.verdicts.items()}
    for piece in _pieces(classification.cohort, candidates):
        tried = np.arange(len(candidates))[piece]
        # With the first value alone most candidates settle nothing, and need not be tried with the others.
        for is_first in (True, False):
            decided = _decided_with(classification, candidates.at(tried), columns, is_first=is_first)
            for name, of_name in settles.items():
                of_name[tried] = is_open[name][tried] & decided[name]
            tried = tried[np.logical_or.reduce([of_name[tried] for of_name in settles.values()])]
    return settles


def _decided_with(
    classification: Classification, candidates: Candidates, columns: Sequence[UnrecordedColumn], *, is_first: bool
) -> Mapping[str, Bools]:
    """Of each endpoint, the candidates with which it is evaluable whatever the value; `is_first`: with the first."""
    fills = _fills(classification.cohort, candidates, columns)
    fills = fills.first_of_each() if is_first else fills
    begin = np.searchsorted(fills.candidate, np.arange(len(candidates)))
    decided = evaluate(classification.criteria, _filled(classification.cohort, candidates, columns, fills))
    return {name: np.logical_and.reduceat(~not_evaluable(verdict), begin) for name, verdict in decided.items()}


def _pieces(cohort: Cohort, candidates: Candidates) -> Iterator[slice]:
    """The candidates in pieces; the copies of a piece are decided together."""
    rows = np.diff(cohort.first_row)[candidates.patient] * len(COUNTS) * len(GRADES_WITH_COUNT)
    piece = np.cumsum(rows) // ROWS_AT_ONCE
    cuts = [*np.flatnonzero(np.diff(piece, prepend=-1)).tolist(), len(piece)]
    return (slice(first, last) for first, last in pairwise(cuts))


def _fills(cohort: Cohort, candidates: Candidates, columns: Sequence[UnrecordedColumn]) -> Fills:
    """What is tried for each candidate."""
    asked = pl.DataFrame({"candidate": np.arange(len(candidates)), "kind": candidates.kind.astype(np.int64)})
    fills = asked.join(_values_tried(columns), on="kind", maintain_order="left_right")
    candidate, kind = fills["candidate"].to_numpy(), fills["kind"].to_numpy()
    count, grade = fills["count"].to_numpy(), fills["grade"].to_numpy()
    if len(cohort.day):
        row = candidates.row[candidate]
        # A censored count is tried at both its bounds and between; a grade that was recorded stays.
        observed = cohort.platelets.at(row)
        count = np.where(kind == BOUND, np.clip(count, observed.low, observed.high), count)
        recorded = (kind == COUNT) & ~np.isnan(cohort.bleeding_grade[row])
        grade = np.where(recorded, NOT_FILLED, grade)
    return Fills(candidate, count, grade, fills["baseline"].to_numpy(), fills["value"].to_numpy())


def _values_tried(columns: Sequence[UnrecordedColumn]) -> pl.DataFrame:
    """By `kind` the values of each thing to try: `count`, `grade`, `baseline` (NaN: left as it is), and `value`."""
    counts, grades = pl.DataFrame({"count": COUNTS}), pl.DataFrame({"grade": GRADES})
    count_with_grade = counts.join(pl.DataFrame({"grade": GRADES_WITH_COUNT}), how="cross")
    tried = {
        GRADE: grades,
        BOUND: counts,
        COUNT: count_with_grade,
        BASELINE: counts.rename({"count": "baseline"}),
        LATER: count_with_grade,
        VISIT: count_with_grade,
    }
    for kind, column in enumerate(columns, start=DECLARED):
        tried[kind] = pl.DataFrame({"value": np.arange(column.tried)})
    frames = [frame.with_columns(kind=pl.lit(kind, pl.Int64)) for kind, frame in tried.items()]
    numbers = ("count", "grade", "baseline")
    nothing = pl.DataFrame(schema={"kind": pl.Int64, **dict.fromkeys(numbers, pl.Float64), "value": pl.Int64})
    joined = pl.concat([nothing, *frames], how="diagonal")
    return joined.with_columns(pl.col(numbers).fill_null(NOT_FILLED), pl.col("value").fill_null(NONE))


# COPIES


def _filled(cohort: Cohort, candidates: Candidates, columns: Sequence[UnrecordedColumn], fills: Fills) -> Cohort:
    """The cohort of the copies, with what is filled in."""
    copies = candidates.at(fills.candidate)
    courses, _ = copied_courses(cohort, copies.patient)
    observed = [_filled_rows(cohort, copies, columns, fills), courses, _new_visits(cohort, copies, fills)]
    return build(_filled_patients(cohort, copies, columns, fills), concatenated(observed, list(cohort.row_columns)))


def _filled_patients(cohort: Cohort, copies: Candidates, columns: Sequence[UnrecordedColumn], fills: Fills) -> Patients:
    patients = copied_patients(cohort, copies.patient)
    further = dict(patients.columns)
    for kind, column in enumerate(columns, start=DECLARED):
        if column.of_patient:
            further[column.name] = filled(further[column.name], copies.kind == kind, column.values, fills.value)
    baseline = replaced(cohort.baseline.at(copies.patient), ~np.isnan(fills.baseline), fills.baseline)
    return replace(patients, baseline=baseline, columns=further)


def _filled_rows(cohort: Cohort, copies: Candidates, columns: Sequence[UnrecordedColumn], fills: Fills) -> Observations:
    """The copied rows, with what is filled in in a row that is there."""
    rows = copied_rows(cohort, copies.patient)
    here = copies.row[rows.patient] == rows.source_row
    count, grade = fills.count[rows.patient], fills.grade[rows.patient]
    further = dict(rows.columns)
    for kind, column in enumerate(columns, start=DECLARED):
        if not column.of_patient:
            where = here & (copies.kind[rows.patient] == kind)
            further[column.name] = filled(further[column.name], where, column.values, fills.value[rows.patient])
    return replace(
        rows,
        platelets=replaced(rows.platelets, here & ~np.isnan(count), count),
        bleeding_grade=np.where(here & ~np.isnan(grade), grade, rows.bleeding_grade),
        columns=further,
    )


def _new_visits(cohort: Cohort, copies: Candidates, fills: Fills) -> Observations:
    """The visits that are filled in on days without a row; further columns are those of the patient's last row."""
    new = np.flatnonzero(np.isin(copies.kind, (LATER, VISIT)))
    last_row = cohort.first_row[copies.patient[new] + 1] - 1
    return Observations(
        patient=new,
        day=copies.day[new],
        platelets=exactly(fills.count[new]),
        bleeding_grade=fills.grade[new],
        rescue=np.zeros(len(new), dtype=np.bool_),
        rescue_end=copies.day[new],
        source_row=last_row,
        columns={name: column.at(last_row) for name, column in cohort.row_columns.items()},
    )
