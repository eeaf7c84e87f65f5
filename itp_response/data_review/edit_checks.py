"""Edit checks: the checks by which a careful reader asks whether an observation is right.

A check is a function from a cohort to a frame, a row for each observation at which it fires. No check changes anything,
and none decides a verdict.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import polars as pl

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.texts import said, texts
from itp_response.cohort.values import NONE, Bools, Floats, Ints, Numbers
from itp_response.evaluation.eligibility import ITP, Entered
from itp_response.readers.plausible_counts import banded, in_another_unit, patient_bands

Priority = Literal["high", "medium", "low"]
PRIORITIES: tuple[Priority, ...] = get_args(Priority)
"""High: a value or a date may be wrong, so that a result may change. Medium: something may be missing. Low: a record
that no result depends on."""
LookedAt = Literal["patient-days", "days with a count", "patients", "rescue treatments", "confirmed responses"]
"""What a check looks at, each of which it may fire at once."""
COLUMNS = ("patient_id", "check", "day", "file", "line", "column", "value", "says")

TENFOLD = (7.0, 14.0)
"""A slip by ten looks like this many times the neighbours: about ten, as counts move by themselves too."""
TENFOLD_AGREE = 2.0
"""Only neighbours within this factor of one another say what was to be expected between them."""
TENFOLD_DAYS = 28
"""Between counts farther apart than the widest usual interval of visits anything may have happened."""
THOUSANDFOLD = 300.0
"""A slip of units by a thousand, off the patient's own median count; no platelet count moves so far by itself."""
HIGH = 1000.0
"""10⁹/L; above this a count in ITP is rare whatever was given, and is more often cells/µL or a slip."""
DROP = 3.0
"""A count below a third of both its neighbours: clumping in EDTA is seen as one low count between two good ones."""
DROP_DAYS = 14
"""A true fall and recovery within two weeks on both sides, without bleeding, is possible but worth a smear."""
JUMP = 400.0
JUMP_DAYS = 7
"""A step of more than 400 × 10⁹/L within a week is rare even after rescue treatment."""
MEASURED_WITHIN = 14
"""Days after a rescue begins in which its effect is looked for; without a count it cannot be judged."""
TREATED_BELOW = 10.0
TREATED_GRADE = 2
TREATED_WITHIN = 7
"""Protocols commonly ask for rescue below 10 × 10⁹/L or at bleeding of grade 2 or more; a week is time to give it."""
FAR_APART = 56
"""Days between the two counts of a confirmed response: two of the longest usual intervals of visits, four weeks."""
PATIENT_UNIT = (
    "Platelet count of {}: this patient's counts differ from the cohort's by a power of ten. In which unit are they?"
)
TWICE = "The same platelet count twice on day {} ({} {}): which record should stay?"
SEVERAL = "Platelet counts of {} on day {} ({} {}): which is correct? The lowest is used."
DOSED = "dose_after_stop"
OUTSIDE_ENTRY = "baseline_outside_entry"
WINDOW = 7
"""Days about a planned visit at most; between visits closer than that, less than half of the days between them."""


@dataclass(frozen=True)
class Confirmed:
    """The rows of an endpoint that is confirmed by a second count, per patient (P); -1: none."""

    endpoint: str
    onset: Ints
    confirming: Ints


@dataclass(frozen=True)
class Baselines:
    """The baselines of the patients (P), and what the source admits."""

    count: Numbers
    """(P) 10⁹/L; NaN: not known."""
    row: Ints
    """(P) The row that the baseline is from; -1: none, as the patient table has it."""
    entered: Entered
    limit: str
    """The entry limit of the source in words; empty: it states none."""


@dataclass(frozen=True)
class CheckedCohort:
    """A cohort as the checks look at it."""

    cohort: Cohort
    baselines: Baselines
    planned: Ints
    """The planned visit days, in order; none: empty."""
    born: Floats
    """Per patient (P) the earliest day of birth, counted from day 0; NaN: not known."""
    died: Floats
    """(P) The latest day of death."""
    confirmed: tuple[Confirmed, ...]
    """The endpoints that are confirmed by a second count."""

    def looked_at(self, of: LookedAt) -> int:
        """How many records, or patients, the checks of that kind look at."""
        match of:
            case "days with a count":
                return len(self.counted)
            case "patients":
                return len(self.cohort)
            case "rescue treatments":
                return len(self.cohort.courses.row)
            case "confirmed responses":
                return sum(int((confirmed.confirming != NONE).sum()) for confirmed in self.confirmed)
        return len(self.cohort.day)

    @cached_property
    def counted(self) -> Ints:
        """The rows with a count."""
        return np.flatnonzero(~np.isnan(self.cohort.platelets.low))

    @cached_property
    def exact(self) -> Ints:
        """The rows with a count that is not censored."""
        counts = self.cohort.platelets
        return np.flatnonzero(counts.low == counts.high)

    def neighbours(self, days: int) -> tuple[Ints, Ints, Ints]:
        """The rows of each exact count and of those before and after it, where both are at most `days` days away."""
        rows, cohort = self.exact, self.cohort
        before, here, after = rows[:-2], rows[1:-1], rows[2:]
        same = (cohort.patient[before] == cohort.patient[here]) & (cohort.patient[here] == cohort.patient[after])
        near = (cohort.day[here] - cohort.day[before] <= days) & (cohort.day[after] - cohort.day[here] <= days)
        return before[same & near], here[same & near], after[same & near]

    def key(self, patient: Ints, day: Ints | Floats) -> Floats:
        """Patient and day in one number, in the order of rows; a day outside those of the cohort is next to them."""
        low, high = (int(self.cohort.day.min()), int(self.cohort.day.max())) if len(self.cohort.day) else (0, 0)
        room = high - low + 3
        key: Floats = patient.astype(np.float64) * room + np.clip(day, low - 1, high + 1) - low
        return key

    def any_between(self, rows: Ints, patient: Ints, first: Ints | Floats, last: Ints | Floats) -> Bools:
        """Whether one of these rows of each patient lies on a day from the first to the last."""
        keys = self.key(self.cohort.patient[rows], self.cohort.day[rows])
        begin = np.searchsorted(keys, self.key(patient, first))
        end = np.searchsorted(keys, self.key(patient, last), side="right")
        return begin < end

    def fired(
        self, rows: Ints, column: str, value: pl.Series, says: pl.Series, line: Ints | None = None
    ) -> pl.DataFrame:
        """A frame for the rows of the cohort at which a check fires; `value` and `says` have one entry per row."""
        cohort = self.cohort
        word, number = cohort.keys(cohort.source_row[rows] if line is None else line)
        file = pl.Series([cohort.source]).new_from_index(0, len(rows)) if cohort.origin is None else word
        return pl.DataFrame(
            [
                cohort.id.gather(cohort.patient[rows]).alias("patient_id"),
                pl.Series("day", cohort.day[rows], dtype=pl.Int64),
                number.alias("line"),
                value.alias("value").cast(pl.String),
                says.alias("says").cast(pl.String),
                file.alias("file"),
            ]
        ).with_columns(pl.lit(column).alias("column"))


@dataclass(frozen=True)
class EditCheck:
    """A check: its name, its priority, the question it asks, and the function that gives the rows at which it fires."""

    name: str
    priority: Priority
    asks: str
    of: LookedAt
    fire: Callable[[CheckedCohort], pl.DataFrame]


# UNITS


def _tenfold(checked: CheckedCohort) -> pl.DataFrame:
    before, here, after = checked.neighbours(TENFOLD_DAYS)
    count = checked.cohort.platelets.low
    least, most = TENFOLD
    low, high = np.minimum(count[before], count[after]), np.maximum(count[before], count[after])
    agree = (high <= TENFOLD_AGREE * low) & (low > 0)
    above = (count[here] >= least * high) & (count[here] <= most * low)
    below = (count[here] * least <= low) & (count[here] * most >= high)
    at = np.flatnonzero(agree & (above | below))
    return _between(
        checked,
        before[at],
        here[at],
        after[at],
        "Platelet count of {} on day {}, between {} and {}: is it wrong by a factor of ten?",
    )


def _thousandfold(checked: CheckedCohort) -> pl.DataFrame:
    cohort, rows = checked.cohort, checked.exact
    frame = pl.DataFrame({"patient": cohort.patient[rows], "count": cohort.platelets.low[rows]})
    median = frame.select(pl.col("count").median().over("patient"))["count"].to_numpy()
    count = cohort.platelets.low[rows]
    off = (count >= THOUSANDFOLD * np.maximum(median, 1)) | ((count > 0) & (count * THOUSANDFOLD <= median))
    at = np.flatnonzero(off)
    value = texts(count[at])
    says = said(
        "Platelet count of {}, where the patient's median is {}: is it in another unit?", value, texts(median[at])
    )
    return checked.fired(rows[at], "platelets", value, says)


def _in_another_unit(checked: CheckedCohort) -> pl.DataFrame:
    cohort = checked.cohort
    bands = patient_bands(cohort.patient, cohort.platelets)
    others = in_another_unit(banded(bands, cohort.id))
    off = pl.DataFrame(others, schema={"band": pl.Int64, "decimals": pl.Boolean}, orient="row")
    patients = bands.join(off, on=["band", "decimals"], how="semi")["patient"].to_numpy()
    first = checked.exact[np.unique(cohort.patient[checked.exact], return_index=True)[1]]
    rows = first[np.isin(cohort.patient[first], patients)]
    value = texts(cohort.platelets.low[rows])
    says = said(PATIENT_UNIT, value)
    return checked.fired(rows, "platelets", value, says)


def _zero(checked: CheckedCohort) -> pl.DataFrame:
    rows = checked.exact[checked.cohort.platelets.low[checked.exact] == 0]
    value = texts(checked.cohort.platelets.at(rows))
    return checked.fired(
        rows, "platelets", value, said("Platelet count of {}: is it correct, or was no count taken?", value)
    )


def _high(checked: CheckedCohort) -> pl.DataFrame:
    rows = checked.counted[checked.cohort.platelets.low[checked.counted] >= HIGH]
    value = texts(checked.cohort.platelets.at(rows))
    return checked.fired(
        rows,
        "platelets",
        value,
        said("Platelet count of {}, which is very high: is it correct, or in cells/µL?", value),
    )


# ENTRY


def _outside_entry(checked: CheckedCohort) -> pl.DataFrame:
    """The patients with a baseline outside the entry of the source, or one that is not thrombocytopenia."""
    baselines, cohort = checked.baselines, checked.cohort
    outside, above = baselines.entered.outside, baselines.entered.above_itp
    patients = np.flatnonzero(outside | above)
    value = texts(baselines.count.at(patients))
    by_limit = f"outside the entry limit of {baselines.limit}"
    by_itp = f"which does not meet the definition of ITP (IWG 2009: below {ITP:g})"
    how = pl.DataFrame({"outside": outside[patients], "above": above[patients]})
    why = how.select(
        pl.when(pl.col("outside") & pl.col("above"))
        .then(pl.lit(f"{by_limit}; {ITP:g} or more does not meet the definition of ITP (IWG 2009)"))
        .when("outside")
        .then(pl.lit(by_limit))
        .otherwise(pl.lit(by_itp))
    ).to_series()
    says = said("Baseline platelet count of {}, {}. Is it correct, and was the patient eligible?", value, why)
    row = baselines.row[patients]
    if not len(cohort.day):
        return checked.fired(row[:0], "platelets", value[:0], says[:0])
    fired = checked.fired(np.maximum(row, 0), "platelets", value, says)
    nowhere = pl.lit(pl.Series(row == NONE))
    # A baseline of the patient table is in no row of the visits.
    empty = [pl.when(nowhere).then(None).otherwise(pl.col(name)).alias(name) for name in ("day", "line", "file")]
    column = pl.when(nowhere).then(pl.lit("baseline")).otherwise("column").alias("column")
    return fired.with_columns(cohort.id.gather(patients).alias("patient_id"), column, *empty)


# COUNTS BESIDE THEIR NEIGHBOURS


def _isolated_drop(checked: CheckedCohort) -> pl.DataFrame:
    before, here, after = checked.neighbours(DROP_DAYS)
    count = checked.cohort.platelets.low
    bleeds = checked.cohort.bleeding_grade[here] >= 1
    at = np.flatnonzero(~bleeds & (count[here] * DROP < np.minimum(count[before], count[after])))
    pattern = "Platelet count of {} on day {}, between {} and {}, without bleeding: did the sample clump (EDTA)?"
    return _between(checked, before[at], here[at], after[at], pattern)


def _between(checked: CheckedCohort, before: Ints, here: Ints, after: Ints, pattern: str) -> pl.DataFrame:
    count, day = checked.cohort.platelets.low, checked.cohort.day
    value = texts(count[here])
    return checked.fired(
        here, "platelets", value, said(pattern, value, texts(day[here]), texts(count[before]), texts(count[after]))
    )


def _jump(checked: CheckedCohort) -> pl.DataFrame:
    cohort, rows = checked.cohort, checked.exact
    before, here = rows[:-1], rows[1:]
    near = (cohort.patient[before] == cohort.patient[here]) & (cohort.day[here] - cohort.day[before] <= JUMP_DAYS)
    count = cohort.platelets.low
    at = np.flatnonzero(near & (np.abs(count[here] - count[before]) > JUMP))
    value = texts(count[here[at]])
    days = texts(cohort.day[here[at]] - cohort.day[before[at]])
    says = said("Platelet counts of {} and {} within {} days: are both correct?", texts(count[before[at]]), value, days)
    return checked.fired(here[at], "platelets", value, says)


# DAYS


def _same_day(checked: CheckedCohort, *, same: bool) -> pl.DataFrame:
    """Days with several counts, all the same or not."""
    cohort = checked.cohort
    row = np.repeat(np.arange(len(cohort.day)), np.diff(cohort.first_line))
    word, number = cohort.keys(cohort.lines)
    columns = {"row": row, "line": cohort.lines, "low": cohort.counts.low, "text": texts(cohort.counts)}
    frame = pl.DataFrame({**columns, "word": word, "number": number})
    days = (
        frame.filter(pl.col("low").is_not_nan())
        .group_by("row", maintain_order=True)
        .agg("text", "number", pl.col("word", "line").last(), pl.col("text").n_unique().alias("different"))
        .filter((pl.col("text").list.len() > 1) & ((pl.col("different") == 1) == same))
    )
    numbers = days["number"].cast(pl.List(pl.String)).list.join(", ")
    counts = days["text"].list.join(" and ")
    rows = days["row"].to_numpy()
    pattern = TWICE if same else SEVERAL
    words = days["word"]
    if cohort.number_word:
        words = pl.Series([f"{cohort.number_word}s"]).new_from_index(0, len(days))
    parts = ([] if same else [counts]) + [texts(cohort.day[rows]), words, numbers]
    value = days["text"].list.first() if same else counts
    return checked.fired(rows, "platelets", value, said(pattern, *parts), days["line"].to_numpy())


def _same_count(checked: CheckedCohort) -> pl.DataFrame:
    return _same_day(checked, same=True)


def _other_count(checked: CheckedCohort) -> pl.DataFrame:
    return _same_day(checked, same=False)


def _before_birth(checked: CheckedCohort) -> pl.DataFrame:
    return _outside(checked, checked.cohort.day < checked.born[checked.cohort.patient], checked.born, "before birth")


def _after_death(checked: CheckedCohort) -> pl.DataFrame:
    return _outside(checked, checked.cohort.day > checked.died[checked.cohort.patient], checked.died, "after death")


def _outside(checked: CheckedCohort, outside: Bools, moment: Floats, what: str) -> pl.DataFrame:
    rows = np.flatnonzero(outside)
    day = checked.cohort.day[rows]
    says = said(
        f"Observation on day {{}}, {what} on day {{}}: which date is correct?",
        texts(day),
        texts(moment[checked.cohort.patient[rows]]),
    )
    return checked.fired(rows, "day", texts(day), says)


def _out_of_window(checked: CheckedCohort) -> pl.DataFrame:
    planned, cohort = checked.planned, checked.cohort
    rows = checked.counted
    if len(planned) < 2:
        return checked.fired(rows[:0], "day", texts(rows[:0]), texts(rows[:0]))
    day = cohort.day[rows]
    after = np.clip(np.searchsorted(planned, day), 1, len(planned) - 1)
    nearest = np.where(day - planned[after - 1] < planned[after] - day, after - 1, after)
    outside = np.abs(day - planned[nearest]) > window(planned)[nearest]
    at = np.flatnonzero(outside & (day >= planned[0]) & (day <= planned[-1]))
    at = at[day[at] > 0]
    visit = planned[nearest[at]]
    says = said(
        "Visit on day {}, where the nearest planned visit, on day {}, is {} days away: unscheduled, or a wrong date?",
        *(texts(days) for days in (day[at], visit, np.abs(day[at] - visit))),
    )
    return checked.fired(rows[at], "day", texts(day[at]), says)


def window(planned: Ints) -> Ints:
    """How many days before or after each planned visit its count may come; there are at least two visits, in order."""
    apart = np.diff(planned)
    nearer = np.minimum(np.append(apart, apart[-1:]), np.append(apart[:1], apart))
    window: Ints = np.minimum((nearer - 1) // 2, WINDOW)
    return window


def _far_apart(checked: CheckedCohort) -> pl.DataFrame:
    """Confirmed responses of which the two counts lie so far apart that one may be missing between."""
    none = np.zeros(0, dtype=np.int64)
    fired = [checked.fired(none, "platelets", texts(none), texts(none))]
    for confirmed in checked.confirmed:
        both = np.flatnonzero((confirmed.onset != NONE) & (confirmed.confirming != NONE))
        first, second = (checked.cohort.day[rows[both]] for rows in (confirmed.onset, confirmed.confirming))
        at = np.flatnonzero(second - first > FAR_APART)
        rows = confirmed.confirming[both[at]]
        says = said(
            f"{confirmed.endpoint} on day {{}} is confirmed on day {{}}, {{}} days later: is a count missing between?",
            *(texts(days) for days in (first[at], second[at], (second - first)[at])),
        )
        fired.append(checked.fired(rows, "platelets", texts(checked.cohort.platelets.at(rows)), says))
    return pl.concat(fired)


# RESCUE


def _nameless_rescue(checked: CheckedCohort) -> pl.DataFrame:
    rows = checked.cohort.courses.row[checked.cohort.courses.name.codes < 0]
    value = pl.Series([None], dtype=pl.String).new_from_index(0, len(rows))
    return checked.fired(
        rows,
        "rescue",
        value,
        said("Rescue treatment on day {} without a name: what was given?", texts(checked.cohort.day[rows])),
    )


def _unmeasured_rescue(checked: CheckedCohort) -> pl.DataFrame:
    cohort = checked.cohort
    rows = np.unique(cohort.courses.row)
    day = cohort.day[rows]
    at = np.flatnonzero(~checked.any_between(checked.counted, cohort.patient[rows], day + 1, day + MEASURED_WITHIN))
    says = said(
        f"Rescue treatment on day {{}}, but no platelet count in the {MEASURED_WITHIN} days after it: was none taken?",
        texts(day[at]),
    )
    return checked.fired(rows[at], "rescue", _rescues(cohort, rows[at]), says)


def _rescues(cohort: Cohort, rows: Ints) -> pl.Series:
    """The name of the first rescue of each of these rows; null: it has none."""
    names = cohort.courses.name
    codes = names.codes[np.searchsorted(cohort.courses.row, rows)]
    return pl.Series([*names.labels, None], dtype=pl.String).gather(np.where(codes < 0, len(names.labels), codes))


def _untreated(checked: CheckedCohort) -> pl.DataFrame:
    cohort = checked.cohort
    if not cohort.records_rescue:  # then nobody said of any count that no rescue treatment was given
        none = np.zeros(0, dtype=np.int64)
        return checked.fired(none, "platelets", texts(none), texts(none))
    low = cohort.platelets.high < TREATED_BELOW
    bleeds = cohort.bleeding_grade >= TREATED_GRADE
    covered = cohort.days_since_rescue <= TREATED_WITHIN
    rows = np.flatnonzero((low | bleeds) & (cohort.day > 0) & ~covered)
    day = cohort.day[rows]
    begun = checked.any_between(np.unique(cohort.courses.row), cohort.patient[rows], day, day + TREATED_WITHIN)
    rows = rows[~begun]
    count, grade = texts(cohort.platelets.at(rows)), texts(cohort.bleeding_grade[rows])
    by_count = pl.Series(low[rows])
    what = said("Platelet count of {}", count).zip_with(by_count, said("Bleeding of grade {}", grade))
    says = said(
        f"{{}} on day {{}}, but no rescue treatment within {TREATED_WITHIN} days: please confirm that none was given.",
        what,
        texts(cohort.day[rows]),
    )
    fired = checked.fired(rows, "platelets", count.zip_with(by_count, grade), says)
    return fired.with_columns(pl.when(by_count).then("column").otherwise(pl.lit("bleeding_grade")).alias("column"))


# DISCONTINUATION


def _rescue_after_stop(checked: CheckedCohort) -> pl.DataFrame:
    cohort = checked.cohort
    rows = np.unique(cohort.courses.row)
    rows = rows[cohort.day[rows] > cohort.treatment_discontinued[cohort.patient[rows]]]
    return _after_stop(checked, rows, "rescue", _rescues(cohort, rows), "rescue treatment began")


def _dose_after_stop(checked: CheckedCohort) -> pl.DataFrame:
    cohort = checked.cohort
    late = cohort.day > cohort.treatment_discontinued[cohort.patient]
    doses = {
        name: column.low
        for name, column in cohort.row_columns.items()
        if "dose" in name and isinstance(column, Numbers)
    }
    none = np.zeros(0, dtype=np.int64)
    fired = [checked.fired(none, "dose", texts(none), texts(none))]
    for name, dose in doses.items():
        rows = np.flatnonzero(late & (dose > 0))
        fired.append(_after_stop(checked, rows, name, texts(dose[rows]), "a dose was recorded"))
    return pl.concat(fired)


def _after_stop(checked: CheckedCohort, rows: Ints, column: str, value: pl.Series, what: str) -> pl.DataFrame:
    cohort = checked.cohort
    stopped = cohort.treatment_discontinued[cohort.patient[rows]]
    return checked.fired(rows, column, value, after_stop_in_words(what, stopped, cohort.day[rows]))


def after_stop_in_words(what: str, stopped: Floats, day: Ints) -> pl.Series:
    """The question about what was recorded on a day after treatment was discontinued."""
    pattern = f"Treatment was discontinued on day {{}}, but {what} on day {{}}: which is correct?"
    return said(pattern, texts(stopped), texts(day))


EDIT_CHECKS: tuple[EditCheck, ...] = (
    EditCheck(
        "ten_times_off",
        "high",
        "Is a count ten times that of both its neighbours, or a tenth of it?",
        "days with a count",
        _tenfold,
    ),
    EditCheck(
        "other_unit",
        "high",
        "Does a count differ from the patient's median by a factor of about a thousand?",
        "days with a count",
        _thousandfold,
    ),
    EditCheck(
        "patient_in_another_unit",
        "high",
        "Do a patient's counts differ from the cohort's by powers of ten?",
        "patients",
        _in_another_unit,
    ),
    EditCheck(
        OUTSIDE_ENTRY,
        "high",
        "Was a patient with a baseline outside the trial's entry, or without thrombocytopenia, eligible?",
        "patients",
        _outside_entry,
    ),
    EditCheck("zero", "high", "Is a count of 0 a count, or is it missing?", "days with a count", _zero),
    EditCheck("very_high", "high", "Is a count of 1,000 or more correct?", "days with a count", _high),
    EditCheck(
        "isolated_drop",
        "medium",
        "Is one low count between two higher ones, without bleeding, an artefact of the sample?",
        "days with a count",
        _isolated_drop,
    ),
    EditCheck("jump", "medium", "Is a change of more than 400 within a week correct?", "days with a count", _jump),
    EditCheck(
        "same_count_twice",
        "low",
        "Is the same count, recorded twice on a day, one count?",
        "days with a count",
        _same_count,
    ),
    EditCheck(
        "two_counts_a_day",
        "medium",
        "Which of several counts on one day is correct?",
        "days with a count",
        _other_count,
    ),
    EditCheck(
        "before_birth", "high", "Was something observed before the patient was born?", "patient-days", _before_birth
    ),
    EditCheck("after_death", "high", "Was something observed after the patient died?", "patient-days", _after_death),
    EditCheck(
        "out_of_window",
        "low",
        "Is a count far from every planned visit dated correctly?",
        "days with a count",
        _out_of_window,
    ),
    EditCheck(
        "confirmed_late",
        "medium",
        "Is a count missing between the two counts of a response that lie far apart?",
        "confirmed responses",
        _far_apart,
    ),
    EditCheck(
        "rescue_without_a_name", "medium", "What was given as rescue treatment?", "rescue treatments", _nameless_rescue
    ),
    EditCheck(
        "rescue_not_measured",
        "medium",
        "Was no count taken within two weeks after rescue treatment?",
        "rescue treatments",
        _unmeasured_rescue,
    ),
    EditCheck(
        "rescue_not_given",
        "medium",
        "Was no rescue treatment given for a count below 10 or bleeding of grade 2 or more?",
        "patient-days",
        _untreated,
    ),
    EditCheck(
        "rescue_after_stop",
        "high",
        "Was rescue treatment given after the patient had discontinued?",
        "rescue treatments",
        _rescue_after_stop,
    ),
    EditCheck(
        DOSED,
        "high",
        "Was study treatment given after the patient had discontinued it?",
        "patient-days",
        _dose_after_stop,
    ),
)
"""The checks, in the order in which those of a patient's day are listed."""
