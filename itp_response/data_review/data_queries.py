"""Queries: for each verdict that is not evaluable, the single observation that would settle it.

Found by trying: copies of the patient are made in which one thing that was not observed is filled in, low and high and
between, and all copies are decided as one cohort. What decides the verdict whatever is filled in, settles it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification
from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import DATES, Observations, Patients
from itp_response.cohort.texts import said, texts
from itp_response.cohort.values import NONE, Bools, Floats, Ints, Numbers, Texts, exactly, ranges
from itp_response.data_review.edit_checks import window
from itp_response.data_review.unrecorded import Unknown, entries, filled, unknowns
from itp_response.evaluation.evaluate import evaluate
from itp_response.evaluation.verdicts import Verdict, reason_in_words

COUNTS = (2.0, 15.0, 25.0, 40.0, 75.0, 150.0, 400.0)
"""10⁹/L; one between any two of the limits that definitions of response use: 10, 20, 30, 50, 100, 250."""
GRADES = (0.0, 1.0, 2.0, 3.0, 4.0)
WITH_COUNT = (0.0, 2.0)
"""Bleeding grades tried with a count that is not there yet: none, and one that every definition calls bleeding."""
ENTRIES = 2_000_000
"""So many rows are copied at a time."""
GRADE, BOUND, COUNT, BASELINE, LATER, VISIT = range(6)
"""What may be asked for, the easiest to answer first: what stands in the file already, then what was not done."""
KINDS = ("bleeding_grade", "exact_count", "count", "baseline", "later_count", "visit")
"""A declared column has a number below 0, the first -1, so that it comes before these; and its own name."""
NOTHING = np.nan


@dataclass(frozen=True)
class Candidates:
    """Observations that might settle something, an entry each."""

    patient: Ints
    kind: Ints
    row: Ints
    """The row of the cohort it is about; -1: it is in no row yet."""
    day: Ints
    """Its day; of a baseline 0."""

    def at(self, index: Ints | Bools | slice) -> "Candidates":
        return Candidates(self.patient[index], self.kind[index], self.row[index], self.day[index])


@dataclass(frozen=True)
class Fills:
    """Copies of patients with one thing filled in, an entry each; NaN: left as it is."""

    candidate: Ints
    """In ascending order, so that the copies of a candidate stand together."""
    count: Floats
    grade: Floats
    baseline: Floats
    value: Ints
    """Which of the values of a declared column; -1: none."""


def queries(classification: Classification) -> pl.DataFrame:
    """A row per patient and endpoint that is `NE`: what to ask for.

    `patient_id`, `endpoint`, `reason`, `settled_by` (null: no single observation would), `day`, `file`, `line` (null:
    it is not in the file yet), `asks` in words, `also`: how many other observations would settle it as well.
    """
    open_ = {name: not_evaluable(verdict) for name, verdict in classification.verdicts.items()}
    some = np.logical_or.reduce([*open_.values(), np.zeros(len(classification.cohort), dtype=np.bool_)])
    if classification.cohort.partial is not None:
        some[classification.cohort.partial.patient] = (
            False  # their days are not known, so that nothing can be filled in
        )
    patients = np.flatnonzero(some)
    columns = unknowns(classification.criteria, classification.cohort)
    candidates = _candidates(classification, patients, columns)
    settles = _settles(classification, candidates, columns, list(open_))
    frames = [
        _query(classification, name, np.flatnonzero(open_[name]), candidates, columns, settles[name]) for name in open_
    ]
    frame = pl.concat(frames)
    return frame.sort("place", maintain_order=True).drop("place")


def not_evaluable(verdict: Verdict) -> Bools:
    """Whose verdict is `NE`."""
    unknown: Bools = verdict.value == verdict.labels.index("NE")
    return unknown


def _query(
    classification: Classification,
    name: str,
    open_: Ints,
    candidates: Candidates,
    columns: Sequence[Unknown],
    settles: Bools,
) -> pl.DataFrame:
    """The queries on one endpoint of the patients whom it leaves open."""
    cohort = classification.cohort
    at = np.flatnonzero(settles)
    # Candidates stand in the order of patients, and of each in that of their ease.
    first = np.searchsorted(candidates.patient[at], open_)
    number = np.searchsorted(candidates.patient[at], open_, side="right") - first
    has = number > 0
    chosen = candidates.at(at[first[has]])
    place = np.full(len(open_), NONE)
    place[has] = np.arange(len(chosen.patient))
    word, line = cohort.keys(_lines(cohort, chosen.row))
    file = pl.Series([cohort.source]).new_from_index(0, len(word)) if cohort.origin is None else word
    new = pl.Series(chosen.row == NONE)
    taken = pl.DataFrame(
        {
            "settled_by": _kinds(columns).gather(chosen.kind + len(columns)),
            "day": pl.Series(chosen.day, dtype=pl.Int64).set(pl.Series(_of_patient(chosen, columns)), None),
            "file": file.set(new, cohort.source),
            "line": line.set(new, None),
            "asks": _asks(cohort, chosen, columns),
        }
    )
    rows = pl.Series(place, dtype=pl.Int64)
    taken = taken.select(pl.all().gather(rows.set(rows == NONE, None)))
    names = classification.criteria.reasons.names
    codes = classification.verdicts[name].reason[open_].astype(np.int64)
    reasons = pl.Series(names).gather(codes)
    in_words = pl.Series([reason_in_words(one) for one in names]).gather(codes)
    none = said("no single observation settles it ({})", in_words)
    dates, single = _dates(cohort, open_)
    asked = taken["asks"].zip_with(taken["asks"].is_not_null(), dates.zip_with(dates.is_not_null(), none))
    return pl.DataFrame(
        {
            "place": open_,
            "patient_id": cohort.id.gather(open_),
            "endpoint": pl.Series([name]).new_from_index(0, len(open_)),
            "reason": reasons,
            "settled_by": taken["settled_by"].set(single, "date"),
            "day": taken["day"],
            "file": taken["file"].fill_null(cohort.source),
            "line": taken["line"],
            "asks": asked,
            "also": np.maximum(number - 1, 0),
        }
    )


def _dates(cohort: Cohort, patients: Ints) -> tuple[pl.Series, pl.Series]:
    """The dates of these patients that are known only in part, in words (null: none), and whether there is one."""
    asked = pl.DataFrame({"patient": patients.astype(np.int64)})
    if cohort.partial is None:
        nothing = asked.select(pl.lit(None, pl.String).alias("asks"), pl.lit(value=False).alias("single"), "patient")
        return nothing["asks"], nothing["single"]
    dates = cohort.partial.dates
    what = pl.Series([name.replace("_", " ") for name in DATES]).gather(dates.what)
    where = said(" of {} {}", *cohort.keys(dates.line)).set(pl.Series(dates.line == 0), "")
    told = pl.DataFrame(
        {
            "patient": cohort.partial.patient[dates.patient].astype(np.int64),
            "date": said("the full {}{} (given as {})", what, where, dates.written),
        }
    )
    each = told.group_by("patient", maintain_order=True).agg(
        pl.col("date").str.join(" and ").alias("asks"), (pl.len() == 1).alias("single")
    )
    found = asked.join(each, on="patient", how="left", maintain_order="left")
    return found["asks"], found["single"].fill_null(value=False)


def _lines(cohort: Cohort, rows: Ints) -> Ints:
    return cohort.source_row[np.maximum(rows, 0)] if len(cohort.source_row) else rows


def _kinds(columns: Sequence[Unknown]) -> pl.Series:
    """The kinds by their names, from the last of the declared columns on."""
    return pl.Series([*(one.name for one in reversed(columns)), *KINDS])


def _of_patient(candidates: Candidates, columns: Sequence[Unknown]) -> Bools:
    """What is of no day, but of the patient."""
    kinds = [BASELINE, *(-1 - place for place, one in enumerate(columns) if one.of_patient)]
    of_patient: Bools = np.isin(candidates.kind, kinds)
    return of_patient


def _asks(cohort: Cohort, chosen: Candidates, columns: Sequence[Unknown]) -> pl.Series:
    """What is asked for, in words."""
    new = chosen.row == NONE
    row = np.where(new, 0, chosen.row)
    day = texts(chosen.day)
    word, line = cohort.keys(_lines(cohort, chosen.row))
    bound = texts(cohort.platelets.at(row)) if len(cohort.day) else day
    visit = "a count, and whether there was bleeding,"
    phrases = {
        GRADE: said("the bleeding grade of day {}, {} {}", day, word, line),
        BOUND: said("the exact count of day {}, {} {} (given as {})", day, word, line, bound),
        COUNT: said("the count of day {}, {} {}", day, word, line),
        BASELINE: pl.Series(["the baseline count"]).new_from_index(0, len(day)),
        LATER: said(f"{visit} from day {{}} on", day),
        VISIT: said(f"{visit} of about day {{}}", day),
    }
    for place, one in enumerate(columns, start=1):
        of_patient = pl.Series([f"{one.name} of the patient"]).new_from_index(0, len(day))
        phrases[-place] = of_patient if one.of_patient else said(f"{one.name} of day {{}}, {{}} {{}}", day, word, line)
    asks = pl.Series([None], dtype=pl.String).new_from_index(0, len(day))
    for kind, phrase in phrases.items():
        asks = asks.zip_with(pl.Series(chosen.kind != kind), phrase)
    return asks


# WHAT IS NOT KNOWN


def _candidates(classification: Classification, patients: Ints, columns: Sequence[Unknown]) -> Candidates:
    """All that was not observed of these patients, in the order of patients and of ease."""
    cohort = classification.cohort
    of_them = np.zeros(len(cohort), dtype=np.bool_)
    of_them[patients] = True
    rows = np.flatnonzero(of_them[cohort.patient])
    count, grade = cohort.platelets, cohort.bleeding_grade
    counted = ~np.isnan(count.low[rows])
    kinds = {
        GRADE: rows[counted & np.isnan(grade[rows])],
        BOUND: rows[count.low[rows] < count.high[rows]],
        COUNT: rows[~counted],
    }
    kinds |= {-place: rows[one.rows[rows]] for place, one in enumerate(columns, start=1) if not one.of_patient}
    baseless = patients[np.isnan(cohort.baseline.low[patients])]
    parts = [Candidates(cohort.patient[at], np.full(len(at), kind), at, cohort.day[at]) for kind, at in kinds.items()]
    parts.append(_nowhere(baseless, BASELINE, np.zeros(len(baseless), dtype=np.int64)))
    for place, one in enumerate(columns, start=1):
        if one.of_patient:
            asked = patients[one.rows[patients]]
            parts.append(_nowhere(asked, -place, np.zeros(len(asked), dtype=np.int64)))
    parts += _missed(classification, patients)
    joined = Candidates(*(np.concatenate([getattr(one, name) for one in parts]) for name in vars(parts[0])))
    return joined.at(np.lexsort((joined.day, joined.kind, joined.patient)))


def _nowhere(patients: Ints, kind: int, day: Ints) -> Candidates:
    size = len(patients)
    return Candidates(patients, np.full(size, kind), np.full(size, NONE), day)


def _missed(classification: Classification, patients: Ints) -> Iterator[Candidates]:
    """The days without a count at which one was planned, or would show that a patient was followed to the end."""
    cohort, clock = classification.cohort, classification.criteria.file.clock
    planned = np.unique(np.array(clock.visits, dtype=np.int64))
    ends = [
        clock.followed_from,
        *(getattr(one, "followed_from", None) for one in classification.criteria.endpoints.values()),
    ]
    end = np.unique(np.array([day for day in ends if day is not None and np.isfinite(day)], dtype=np.int64))
    room = window(planned) if len(planned) > 1 else np.zeros(len(planned), dtype=np.int64)
    patients = patients[np.diff(cohort.first_row)[patients] > 0]
    last = _last_counts(cohort)[patients]
    # Patients by days: a day is a candidate where no count lies near it.
    yield _unseen(cohort, patients, end, np.zeros(len(end), dtype=np.int64), LATER, last[:, None] < end)
    yield _unseen(cohort, patients, planned, room, VISIT, np.ones((len(patients), len(planned)), dtype=np.bool_))


def _unseen(cohort: Cohort, patients: Ints, days: Ints, room: Ints, kind: int, asked: Bools) -> Candidates:
    counted = np.flatnonzero(~np.isnan(cohort.platelets.low))
    low, high = (int(cohort.day.min()), int(cohort.day.max())) if len(cohort.day) else (0, 0)
    span = high - low + 3
    keys = cohort.patient[counted].astype(np.int64) * span + cohort.day[counted] - low
    base = patients[:, None].astype(np.int64) * span - low
    begin = np.searchsorted(keys, base + np.clip(days - room, low - 1, high + 1))
    end = np.searchsorted(keys, base + np.clip(days + room, low - 1, high + 1), side="right")
    at, which = np.nonzero(asked & (begin == end))
    return _nowhere(patients[at], kind, days[which])


def _last_counts(cohort: Cohort) -> Floats:
    """The day of each patient's last count; infinite backwards: there is none."""
    last = np.full(len(cohort), -np.inf)
    counted = ~np.isnan(cohort.platelets.low)
    np.maximum.at(last, cohort.patient[counted], cohort.day[counted])
    return last


# TRYING


def _settles(
    classification: Classification, candidates: Candidates, columns: Sequence[Unknown], names: list[str]
) -> Mapping[str, Bools]:
    """Of each endpoint, which candidates decide it whatever is filled in."""
    settles = {name: np.zeros(len(candidates.patient), dtype=np.bool_) for name in names}
    for part in _pieces(classification.cohort, candidates):
        some = candidates.at(part)
        fills = _fills(classification.cohort, some, columns)
        decided = evaluate(classification.criteria, _copies(classification.cohort, some, columns, fills))
        first = np.searchsorted(fills.candidate, np.arange(len(some.patient)))
        for name in names:
            settles[name][part] = np.logical_and.reduceat(~not_evaluable(decided[name]), first)
    return settles


def _pieces(cohort: Cohort, candidates: Candidates) -> Iterator[slice]:
    """Candidates whose copies are tried together."""
    rows = np.diff(cohort.first_row)[candidates.patient] * len(COUNTS) * len(WITH_COUNT)
    piece = np.cumsum(rows) // ENTRIES
    cuts = [*np.flatnonzero(np.diff(piece, prepend=-1)).tolist(), len(piece)]
    return (slice(first, last) for first, last in pairwise(cuts))


def _fills(cohort: Cohort, candidates: Candidates, columns: Sequence[Unknown]) -> Fills:
    """What is tried for each candidate."""
    both = np.array(np.meshgrid(COUNTS, WITH_COUNT)).reshape(2, -1)
    with_count = {"count": both[0], "grade": both[1]}
    tried: dict[int, dict[str, Floats]] = {
        GRADE: {"grade": np.array(GRADES)},
        BOUND: {"count": np.array(COUNTS)},
        COUNT: with_count,
        BASELINE: {"baseline": np.array(COUNTS)},
        LATER: with_count,
        VISIT: with_count,
    }
    tried |= {-place: {"value": np.arange(float(entries(one.values)))} for place, one in enumerate(columns, start=1)}
    of_kind = {kind: np.flatnonzero(candidates.kind == kind) for kind in tried}
    sizes = {kind: len(next(iter(fills.values()))) for kind, fills in tried.items()}
    candidate = np.concatenate([np.repeat(at, sizes[kind]) for kind, at in of_kind.items()])
    order = np.argsort(candidate, kind="stable")
    candidate = candidate[order]
    count, grade, baseline, value = (
        np.concatenate(
            [np.tile(tried[kind].get(name, np.full(sizes[kind], NOTHING)), len(at)) for kind, at in of_kind.items()]
        )[order]
        for name in ("count", "grade", "baseline", "value")
    )
    row = candidates.row[candidate]
    kind = candidates.kind[candidate]
    if len(cohort.day):
        low, high = (getattr(cohort.platelets, edge)[row] for edge in ("low", "high"))
        # A bound is tried at both its ends and between; a grade that was recorded stays.
        count = np.where(kind == BOUND, np.clip(count, low, high), count)
        recorded = (kind == COUNT) & ~np.isnan(cohort.bleeding_grade[row])
        grade = np.where(recorded, NOTHING, grade)
    return Fills(candidate, count, grade, baseline, np.where(np.isnan(value), NONE, value).astype(np.int64))


def _copies(cohort: Cohort, candidates: Candidates, columns: Sequence[Unknown], fills: Fills) -> Cohort:
    """The cohort of the copies, with what is filled in."""
    patient, row, kind = (getattr(candidates, name)[fills.candidate] for name in ("patient", "row", "kind"))
    copies = np.arange(len(patient))
    owner, of_row = ranges(cohort.first_row[patient], cohort.first_row[patient + 1])
    first_course = np.searchsorted(cohort.courses.row, cohort.first_row)
    course_owner, course = ranges(first_course[patient], first_course[patient + 1])
    of_course = cohort.courses.row[course]
    new = np.flatnonzero((row == NONE) & np.isin(kind, (LATER, VISIT)))
    new_day = candidates.day[fills.candidate[new]]
    # What is filled in in a row that is there replaces what the row has; a new visit is else as the patient's last row.
    changed = (row[owner] == of_row) & (row[owner] != NONE)
    count, grade = fills.count[owner], fills.grade[owner]
    low = np.where(changed & ~np.isnan(count), count, cohort.platelets.low[of_row])
    high = np.where(changed & ~np.isnan(count), count, cohort.platelets.high[of_row])
    graded = np.where(changed & ~np.isnan(grade), grade, cohort.bleeding_grade[of_row])
    nothing = np.full(len(course), NOTHING)
    source = np.concatenate([of_row, of_course, cohort.first_row[patient[new] + 1] - 1])
    day = np.concatenate([cohort.day[of_row], cohort.day[of_course], new_day])
    row_columns = {name: column.at(source) for name, column in cohort.row_columns.items()}
    patient_columns = {name: column.at(patient) for name, column in cohort.patient_columns.items()}
    here = np.zeros(len(source), dtype=np.bool_)
    copy = np.concatenate([owner, course_owner, copies[new]])
    for place, one in enumerate(columns, start=1):
        if one.of_patient:
            patient_columns[one.name] = filled(patient_columns[one.name], kind == -place, one.values, fills.value)
        else:
            here[: len(owner)] = changed & (kind[owner] == -place)
            row_columns[one.name] = filled(row_columns[one.name], here, one.values, fills.value[copy])
    names = cohort.courses.name
    no_name = (np.full(len(one), -1, dtype=np.int32) for one in (of_row, new))
    codes = np.concatenate([next(no_name), names.codes[course], next(no_name)])
    observed = Observations(
        patient=copy,
        day=day,
        platelets=_joined(low, high, nothing, fills.count[new]),
        bleeding_grade=np.concatenate([graded, nothing, fills.grade[new]]),
        rescue=np.repeat([False, True, False], [len(of_row), len(course), len(new)]),
        rescue_end=np.concatenate([cohort.day[of_row], cohort.courses.last[course], new_day]),
        source_row=source,
        rescue_name=Texts(codes, names.labels),
        columns=row_columns,
    )
    given = np.isnan(fills.baseline)
    known = cohort.baseline.at(patient)
    patients = Patients(
        id=pl.Series("patient_id", copies).cast(pl.String),
        day_0=cohort.day_0[patient],
        baseline=Numbers(np.where(given, known.low, fills.baseline), np.where(given, known.high, fills.baseline)),
        treatment_discontinued=cohort.treatment_discontinued[patient],
        columns=patient_columns,
    )
    return build(patients, observed)


def _joined(low: Floats, high: Floats, *more: Floats) -> Numbers:
    lows = np.concatenate([low, *more])
    exact = bool(((low == high) | np.isnan(low)).all())
    return exactly(lows) if exact else Numbers(lows, np.concatenate([high, *more]))
