"""Partitions: a study cut between its patients, each partition read and decided on a machine of its own.

Some things depend on the whole study: how bleeding was recorded, whether dates are known, and what is wrong with it.
`inspected` looks for them in each partition, `settled` decides them for the whole, and `results` takes that decision
when it classifies a partition.
"""

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import polars as pl

from itp_response.classification.classification import DEFAULT_CRITERIA, Classification, CriteriaInput
from itp_response.classification.under_a_set import noted
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import in_table
from itp_response.cohort.notation import cohort_of
from itp_response.cohort.observations import Imputed
from itp_response.definitions.criteria import Criteria, read_dict
from itp_response.definitions.load import load
from itp_response.evaluation.evaluate import evaluate
from itp_response.messages.errors import CohortError, ItpResponseError, UsageError, one_a_line
from itp_response.messages.wording import counted
from itp_response.readers.cells import as_grades
from itp_response.readers.column_names import read_table
from itp_response.readers.date_forms import DateFormat
from itp_response.readers.dates import ENROLLED, NUMBERED, are_days, as_days, no_day_0, sides
from itp_response.readers.ids import check_for_cluster
from itp_response.readers.known_names import PATIENTS, VISITS, fitting
from itp_response.readers.options import DEFAULTS, Bleeding, ReadOptions
from itp_response.readers.patients import Stopped, check_no_flag
from itp_response.readers.problems import SHOWN, Cells, Location, Problems, as_text, quoted
from itp_response.readers.study_notes import SKIPPED
from itp_response.readers.visit_table import GRADE_0, NO_GRADE, NO_GRADE_0
from itp_response.readers.visits import NOBODY, read

LOG = "itp_response"
"""The log that has the notes of the whole study."""
NO_PATIENT = f"visits: {NOBODY}"
"""The problem of visits of which no row names a patient."""
FROM_0 = f"{NUMBERED}from-0"
"""What a note has that is due to the plan, as the whole study is asked how days are numbered."""
BLEEDING = (GRADE_0, NO_GRADE_0, NO_GRADE)
NUMBERS_AND_NAMES = re.compile(r"'[^']*'(?:, '[^']*')*(?: and [\d,]+ more)?|\b\d[\d,]*\b")
PLURAL = re.compile(r" ha(?:s|ve)\b|s\b| is\b| are\b")
BEGINS_WITH_NUMBER = re.compile(r"(?:\w+: )?\d")
Header = dict[str, str]
"""The columns of a table that are read: our name for each, and its name in the table."""


@dataclass(frozen=True)
class PartitionPlan:
    """What every partition is given: criteria as text, options, and what was settled for the whole study."""

    name: str
    text: str
    options: ReadOptions = DEFAULTS
    stopped: Stopped | None = None
    """Whether the ends of treatment are days or dates; None: the study has none."""
    dated: bool = False
    """Dates are known of some patient, so that the results have columns for them."""

    @property
    def criteria(self) -> Criteria:
        return _criteria(self.text, self.name)

    def read(
        self, visits: pl.DataFrame, patients: pl.DataFrame | None, *, on_error: Literal["stop", "quarantine"] = "stop"
    ) -> Cohort:
        """The cohort of a partition."""
        definitions, options = self.criteria, replace(self.options, on_error=on_error)
        columns, names = definitions.file.columns, definitions.rescue_names
        return read(visits, patients, options=options, columns=columns, stopped=self.stopped, rescue_names=names)

    def classified(self, cohort: Cohort) -> pl.DataFrame:
        """The results of a cohort; there is one thread, as a cluster has other partitions for its other cores."""
        return Classification(self.criteria, cohort, evaluate(self.criteria, cohort, 1)).frame()


def plan_for(criteria: CriteriaInput | None, options: ReadOptions | None) -> PartitionPlan:
    """The plan for these criteria (None: `atra_2022`), before anything is known of the study.

    Raises `UsageError` for `on_error="quarantine"`, and for ids that are made of several: one machine alone does that.
    """
    if options is not None and options.on_error != "stop":
        raise UsageError("rows are left out of a study that is read on one machine, not on a cluster.")
    options = options or DEFAULTS
    check_for_cluster(options.patient_key, options.similar_ids)
    definitions = load(criteria or DEFAULT_CRITERIA)
    # Partitions need neither worked examples nor interpretations, which are most of a file.
    content = {key: value for key, value in definitions.raw.items() if key not in ("example", "interpretation")}
    return PartitionPlan(definitions.name, json.dumps(content), options)


@cache
def _criteria(text: str, name: str) -> Criteria:
    return read_dict(json.loads(text), Path(f"{name}.toml"), name)


# THE WHOLE STUDY, BEFORE ITS ROWS ARE READ


def headers(plan: PartitionPlan, visits: Sequence[str], patients: Sequence[str] | None) -> tuple[Header, Header]:
    """The columns of both tables that are read; `visits` and `patients` are the names of all their columns.

    Raises `CohortError` for columns that are missing or ambiguous.
    """
    no_visits, no_patients = _empty_row(visits), None if patients is None else _empty_row(patients)
    try:
        plan.read(no_visits, no_patients)
    except CohortError as error:
        problems = [line for line in str(error).splitlines() if line != NO_PATIENT]
        if problems:
            raise CohortError("\n".join(problems)) from None
    declared = plan.criteria.file.columns
    return (
        _header(no_visits, "visits", VISITS, in_table(declared, "visits")),
        _header(no_patients, "patients", PATIENTS, in_table(declared, "patients")),
    )


def _empty_row(names: Sequence[str]) -> pl.DataFrame:
    """A table of these columns with one row, which is empty."""
    return pl.DataFrame({name: [None] for name in names}, schema=dict.fromkeys(names, pl.String))


def _header(frame: pl.DataFrame | None, name: str, columns: Sequence[str], declared: Iterable[str]) -> Header:
    named = None if frame is None else read_table(frame, name, 0, columns, declared, Problems())
    return {} if named is None else dict(named.header)


def stopped_on(values: pl.Series, name: str, written: DateFormat) -> Stopped:
    """Whether the ends of treatment are days or dates; `values` are all of the study's, from the column of that name.

    Raises `CohortError` if the values only say whether treatment ended.
    """
    cells, problems = Cells(Location("patients", 1), name, values), Problems()
    if not are_days(cells, written):
        return "dates"
    check_no_flag(cells, as_days(cells, Problems()), problems)
    problems.raise_if_wrong()
    return "days"


def result_schema(plan: PartitionPlan) -> dict[str, pl.DataType]:
    """The columns of the results, as in `Classification.frame`."""
    day_0 = [date(2000, 1, 1)] if plan.dated else None
    cohort = cohort_of(["d0 15"], day_0=day_0, columns=plan.criteria.file.columns)
    if plan.options.impute is not None:
        cohort = replace(cohort, imputed=Imputed.nothing(plan.options.impute))
    return dict(plan.classified(replace(cohort, as_of=plan.options.cut_at)).schema)


# A PARTITION


class Inspected(NamedTuple):
    """Something that was noticed in a partition, as a row of a frame."""

    what: str
    """`note`, `warning`; `wrong` (about a patient), `beyond` (how many more of these there are), `refused` (about the
    whole partition), `no_patient` (it has empty rows only). Or what the partition has: `rows` of a table, a `patient`,
    bleeding that was `scored`, `dated` patients, days
    `before`, `on` or `after` day 0."""
    table: str | None = None
    patient: str | None = None
    text: str = ""


def inspected_schema() -> dict[str, pl.DataType]:
    """The columns of `inspected`, all of them texts."""
    return dict.fromkeys(Inspected._fields, pl.String())


def inspected(plan: PartitionPlan, visits: pl.DataFrame, patients: pl.DataFrame | None) -> pl.DataFrame:
    """What was noticed in a partition, a row each (`Inspected`); the partition has all rows of its patients."""
    return pl.DataFrame(list(_inspected(plan, visits, patients)), schema=inspected_schema(), orient="row")


def _inspected(plan: PartitionPlan, visits: pl.DataFrame, patients: pl.DataFrame | None) -> Iterator[Inspected]:
    tables = {"visits": visits, **({} if patients is None else {"patients": patients})}
    with_rows = [name for name, frame in tables.items() if len(frame)]
    yield from (Inspected("rows", name) for name in with_rows)
    if not with_rows:
        return
    numbering = plan.options.day_numbering
    try:
        # Whether there is a day 0 can be told of the whole study only.
        numbered = replace(plan, options=replace(plan.options, day_numbering=numbering or "from-0"))
        cohort = numbered.read(*_with_rows(visits, patients), on_error="quarantine")
    except ItpResponseError as error:
        yield from _refused(str(error), len(visits))
        return
    named = read_table(_with_a_row(visits), "visits", 0, VISITS, (), Problems())
    assert named is not None
    if numbering is None and named.has("day"):
        enrolled = [ENROLLED] if patients is not None and fitting("enrolment_day", patients.columns) else []
        days = as_days(named.cells("day"), Problems())
        yield from (Inspected(side, text=named.header["day"]) for side in (*sides(days), *enrolled))
    if len(cohort):
        yield Inspected("patient")
    if (as_grades(named.cells("bleeding_grade"), Problems()) == 0).any():
        yield Inspected("scored")
    if cohort.has_dates:
        yield Inspected("dated")
    for note in noted(cohort, [plan.criteria]).notes:
        about_rows = not (visits.is_empty() and SKIPPED in note.text)
        if note.about != "quarantine" and about_rows and (numbering or FROM_0 not in note.text):
            yield Inspected("warning" if note.warning else "note", text=note.text)
    yield from _wrong(cohort, named.header.get("date") or named.header.get("day"))


def _with_rows(visits: pl.DataFrame, patients: pl.DataFrame | None) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    return _with_a_row(visits), None if patients is None else _with_a_row(patients)


def _with_a_row(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame, or an empty row in place of no row: a table of a partition may have none though the study has some."""
    return frame.clear(1) if frame.is_empty() else frame


def _refused(error: str, rows: int) -> Iterator[Inspected]:
    """What is said of a partition that cannot be read at all."""
    if error == NO_PATIENT:
        yield Inspected("no_patient", text=error)
        without = "no patient, count, grade, rescue or declared column"
        yield Inspected("note", text=f"{counted(rows, 'row')} skipped: {without}.")
    else:
        yield from (Inspected("refused", text=line) for line in error.splitlines())


def _wrong(cohort: Cohort, day_column: str | None) -> Iterator[Inspected]:
    """The problems of the rows that were left out; those beyond the first are counted."""
    assert cohort.quarantine is not None
    problems = dict.fromkeys(_problem(row, day_column) for row in cohort.quarantine.iter_rows(named=True))
    yield from list(problems)[:SHOWN]
    if len(problems) > SHOWN:
        yield Inspected("beyond", text=str(len(problems) - SHOWN))


def _problem(row: Mapping[str, Any], day_column: str | None) -> Inspected:
    """The problem of a row, told by patient and day: a row has no number in a partition."""
    cells = json.loads(row["row"])
    patient = f"patient {quoted(row['patient_id'])}" if row["patient_id"] else "no patient"
    day = f", {day_column} {cells[day_column]}" if day_column and cells.get(day_column) else ""
    reason = re.sub(r" \(first in row \d+\)", "", row["reason"])
    column = f"{row['column']}: " if cells.get(row["column"]) != row["patient_id"] else ""
    return Inspected("wrong", row["file"], row["patient_id"], f"{row['file']}: {patient}{day}: {column}{reason}")


def results(plan: PartitionPlan, visits: pl.DataFrame, patients: pl.DataFrame | None) -> pl.DataFrame:
    """The results of a partition, in the columns of `result_schema`; it has all rows of its patients."""
    columns = result_schema(plan)
    if not _names_a_patient(visits) and (patients is None or not _names_a_patient(patients)):
        return pl.DataFrame(schema=columns)
    frame = plan.classified(plan.read(*_with_rows(visits, patients)))
    # A partition may have no dates though others have.
    return frame.select(
        pl.col(name) if name in frame.columns else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in columns.items()
    )


def _names_a_patient(frame: pl.DataFrame) -> bool:
    named = read_table(_with_a_row(frame), "", 0, ("patient_id",), (), Problems())
    return named is not None and as_text(named.cells("patient_id").values).is_not_null().any()


# THE WHOLE STUDY, FROM ITS PARTITIONS


def settled(plan: PartitionPlan, noticed: pl.DataFrame, *, patients: bool) -> PartitionPlan:
    """The plan with everything settled; `noticed` has the rows of `inspected` of all partitions.

    `patients` says whether the study has a patient table. The notes go to the log, warnings last.
    Raises `CohortError` with everything that is wrong with the study.
    """
    texts = {what: noticed.filter(what=what)["text"].to_list() for what in noticed["what"].unique()}
    with_rows = noticed.filter(what="rows")["table"].to_list()
    empty = [name for name in ("visits", *(["patients"] * patients)) if name not in with_rows]
    problems = [f"{name}: there are no rows." for name in empty] + texts.get("refused", [])
    if day_columns := [name for side in ("before", "on", "after") for name in texts.get(side, [])]:
        problems += filter(None, [no_day_0(f"visits: {day_columns[0]}", 0, list(texts))])
    if not empty and "patient" not in texts:
        problems += texts.get("no_patient", [])[:1]
    _raise_if_wrong(problems, noticed)
    _log([*_merged(texts.get("note", []), "assumed"), *_merged(texts.get("warning", []), "warning")])
    bleeding: Bleeding = plan.options.bleeding or ("scored" if "scored" in texts else "events")
    options = replace(plan.options, bleeding=bleeding, day_numbering=plan.options.day_numbering or "from-0")
    return replace(plan, options=options, dated="dated" in texts)


def _raise_if_wrong(problems: Sequence[str], noticed: pl.DataFrame) -> None:
    """Raises `CohortError` with these problems, then those of visits, then those of patients, by patient."""
    of_rows = noticed.filter(what="wrong").unique(maintain_order=True)
    of_rows = of_rows.sort(pl.col("table") != "visits", "patient", maintain_order=True, nulls_last=True)
    texts = [*dict.fromkeys(problems), *of_rows["text"].to_list()]
    if texts:
        # Problems that were only counted have no text; they would not be shown.
        beyond = sum(map(int, noticed.filter(what="beyond")["text"]))
        raise CohortError(one_a_line([*texts, *[""] * beyond], SHOWN))


def _log(messages: Sequence[str]) -> None:
    """Say the notes of the whole study; of those on bleeding only the one that holds for the whole."""
    bleeding = [start for start in BLEEDING if any(f": {start}" in message for message in messages)]
    for message in messages:
        if not any(f": {start}" in message for start in bleeding[1:]):
            logging.getLogger(LOG).warning(message)


def _merged(notes: Sequence[str], prefix: str) -> list[str]:
    """The notes of all partitions as messages. Notes that differ only in numbers and names are one message."""
    by_wording: dict[str, list[str]] = {}
    for note in sorted(notes):
        by_wording.setdefault(_wording(note), []).append(note)
    return [f"{prefix}: {_message(alike)}" for alike in by_wording.values()]


def _wording(note: str) -> str:
    """A note without its numbers, its names and what makes it singular or plural."""
    return PLURAL.sub("", NUMBERS_AND_NAMES.sub("#", note))


def _message(alike: Sequence[str]) -> str:
    """The first of notes of one wording, and in how many other partitions there is such a note.

    A note that is the same in all partitions, such as one on a column, is about the study; one with a number is not.
    """
    about_study = len(set(alike)) == 1 and not BEGINS_WITH_NUMBER.match(alike[0])
    if about_study or len(alike) == 1:
        return alike[0]
    return f"{alike[0]} In one part of the data; likewise in {counted(len(alike) - 1, 'other part')}."
