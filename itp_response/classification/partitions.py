"""Parts: a study cut between its patients, for those that a cluster reads and decides by themselves.

What depends on all of a study (whether bleeding was scored, whether dates are known) and what is wrong with it is
looked for part by part (`looked_at`), put together (`settled`), and told to each part when it is decided (`verdicts`).
"""

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import polars as pl

from itp_response.classification.classification import DEFAULT_CRITERIA, Classification, CriteriaInput
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import in_table
from itp_response.cohort.notation import cohort_of
from itp_response.cohort.observations import Imputed
from itp_response.definitions.criteria import Criteria, read_dict
from itp_response.definitions.load import load
from itp_response.evaluation.evaluate import evaluate
from itp_response.messages.errors import CohortError, ItpResponseError, UsageError, one_a_line
from itp_response.messages.wording import counted
from itp_response.readers.cells import are_days, as_days, as_grades
from itp_response.readers.column_names import PATIENTS, VISITS, table
from itp_response.readers.options import DEFAULTS, Bleeding, ReadOptions
from itp_response.readers.patients import Stopped, check_no_flag
from itp_response.readers.problems import SHOWN, Cells, Location, Problems, as_text, quoted
from itp_response.readers.visits import NOBODY, read

ALL_EMPTY = f"visits: {NOBODY}"
"""What is said of visits without anything in them."""
EMPTY = "passed over: without a count"
LOG = "itp_response"
NUMBERS_AND_NAMES = re.compile(r"'[^']*'(?:, '[^']*')*(?: and [\d,]+ more)?|\b\d[\d,]*\b")
PLURAL = re.compile(r"s\b| is\b| are\b")
BLEEDING = ("Bleeding has grades of 0", "Bleeding has no grade of 0", "No bleeding grade is recorded")
"""How the notes on bleeding begin; what an earlier one says of a part holds for the whole."""


@dataclass(frozen=True)
class Plan:
    """What each part is told: the criteria as text, the options of `read`, and what was settled over the whole."""

    name: str
    text: str
    options: ReadOptions = DEFAULTS
    stopped: Stopped | None = None
    dated: bool = False
    """Dates are known of some patient, so that the verdicts of all have columns for them."""

    @property
    def criteria(self) -> Criteria:
        return _read_once(self.text, self.name)

    def read(
        self, visits: pl.DataFrame, patients: pl.DataFrame | None, *, on_error: Literal["stop", "quarantine"] = "stop"
    ) -> Cohort:
        """The cohort of a partition."""
        columns, options = self.criteria.file.columns, replace(self.options, on_error=on_error)
        return read(visits, patients, options=options, columns=columns, stopped=self.stopped)


def plan(criteria: CriteriaInput | None, options: ReadOptions | None) -> Plan:
    """The plan for these criteria, by default `atra_2022`.

    Raises `UsageError` for rows that are to be left out, which is done on one machine alone.
    """
    if options is not None and options.on_error != "stop":
        raise UsageError("rows are left out of a study that is read on one machine, not on a cluster.")
    definitions = criteria if isinstance(criteria, Criteria) else load(criteria or DEFAULT_CRITERIA)
    # Parts run no worked examples and take no other interpretations, which are most of a file.
    content = {key: value for key, value in definitions.raw.items() if key not in ("example", "interpretation")}
    return Plan(definitions.name, json.dumps(content), options or DEFAULTS)


@cache
def _read_once(text: str, name: str) -> Criteria:
    return read_dict(json.loads(text), Path(f"{name}.toml"), name)


# THE WHOLE


def headers(made: Plan, visits: Sequence[str], patients: Sequence[str] | None) -> tuple[dict[str, str], dict[str, str]]:
    """Of the tables with these columns, those that are read: by our names, what they are called there.

    Raises `CohortError` for columns that are missing or ambiguous, `UsageError` for options that there are not.
    """
    of_visits, of_patients = _blank(visits), None if patients is None else _blank(patients)
    try:
        made.read(of_visits, of_patients)
    except CohortError as error:
        wrong = [line for line in str(error).splitlines() if line != ALL_EMPTY]
        if wrong:
            raise CohortError("\n".join(wrong)) from None
    declared = made.criteria.file.columns
    return (
        _header(of_visits, "visits", VISITS, in_table(declared, "visits")),
        _header(of_patients, "patients", PATIENTS, in_table(declared, "patients")),
    )


def _blank(names: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame({name: [None] for name in names}, schema=dict.fromkeys(names, pl.String))


def _header(frame: pl.DataFrame | None, what: str, names: Sequence[str], declared: Iterable[str]) -> dict[str, str]:
    found = None if frame is None else table(frame, what, 0, names, declared, Problems())
    return {} if found is None else dict(found.header)


def stopped_on(values: pl.Series, name: str, date_format: str | None) -> Stopped:
    """Whether the ends of treatment, all of the column of that name, are days or dates.

    Raises `CohortError` where they say only whether there was one.
    """
    cells, found = Cells(Location("patients", 1), name, values), Problems()
    if not are_days(cells, date_format):
        return "dates"
    check_no_flag(cells, as_days(cells, Problems()), found)
    found.raise_if_wrong()
    return "days"


def schema(made: Plan) -> dict[str, pl.DataType]:
    """The columns of the verdicts, as those of `Classification.frame`."""
    day_0 = [date(2000, 1, 1)] if made.dated else None
    cohort = cohort_of(["d0 15"], day_0=day_0, columns=made.criteria.file.columns)
    if made.options.impute is not None:
        cohort = replace(cohort, imputed=Imputed.nothing(made.options.impute))
    return dict(Classification(made.criteria, cohort, evaluate(made.criteria, cohort, 1)).frame().schema)


# A PART

FOUND = ("what", "table", "patient", "text")
"""The columns of what is found in a part, all texts.

`what` is `note`, `warning`, `wrong` (of a patient), `beyond` (how many more such), `refused` (of the whole part),
`nobody` (it has empty rows alone); and what some part has: `rows` of a table, `somebody`, bleeding that was `scored`,
`dated` patients.
"""


def found_schema() -> dict[str, pl.DataType]:
    """The columns of what is found in a part."""
    return dict.fromkeys(FOUND, pl.String())


def looked_at(made: Plan, visits: pl.DataFrame, patients: pl.DataFrame | None) -> pl.DataFrame:
    """What is found in the part of these patients, all of whose rows are here."""
    return pl.DataFrame(list(_found(made, visits, patients)), schema=found_schema(), orient="row")


def _found(
    made: Plan, visits: pl.DataFrame, patients: pl.DataFrame | None
) -> Iterator[tuple[str, str | None, str | None, str]]:
    given = [("visits", visits), *([] if patients is None else [("patients", patients)])]
    yield from (("rows", what, None, "") for what, frame in given if len(frame))
    if not any(len(frame) for _, frame in given):
        return
    try:
        cohort = made.read(_some(visits), None if patients is None else _some(patients), on_error="quarantine")
    except ItpResponseError as error:
        yield from _refused(str(error), len(visits))
        return
    if len(cohort):
        yield "somebody", None, None, ""
    seen = table(_some(visits), "visits", 0, VISITS, (), Problems())
    assert seen is not None
    if (as_grades(seen.cells("bleeding_grade"), Problems()) == 0).any():
        yield "scored", None, None, ""
    if cohort.has_dates:
        yield "dated", None, None, ""
    for note in cohort.notes:
        if note.about != "quarantine" and not (visits.is_empty() and EMPTY in note.text):
            yield "warning" if note.warning else "note", None, None, note.text
    assert cohort.quarantine is not None
    when = seen.header.get("date") or seen.header.get("day")
    wrong = dict.fromkeys(_wrong(row, when) for row in cohort.quarantine.iter_rows(named=True))
    yield from list(wrong)[:SHOWN]
    if len(wrong) > SHOWN:
        yield "beyond", None, None, str(len(wrong) - SHOWN)


def _some(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame; for one without rows, which a part may have though the whole has some, an empty row."""
    return frame.clear(1) if frame.is_empty() else frame


def _refused(error: str, rows: int) -> Iterator[tuple[str, str | None, str | None, str]]:
    if error == ALL_EMPTY:
        yield "nobody", None, None, error
        nothing = "without a patient, a count, a grade, a rescue or a declared column"
        yield "note", None, None, f"{counted(rows, 'row')} passed over: {nothing}."
    else:
        yield from (("refused", None, None, line) for line in error.splitlines())


def _wrong(row: Mapping[str, Any], when: str | None) -> tuple[str, str, str | None, str]:
    """What was found wrong in a row, said by patient and day: rows have no number where they lie in parts."""
    cells = json.loads(row["row"])
    who = f"patient {quoted(row['patient_id'])}" if row["patient_id"] else "no patient"
    day = f", {when} {cells[when]}" if when and cells.get(when) else ""
    reason = re.sub(r" \(first in row \d+\)", "", row["reason"])
    column = f"{row['column']}: " if cells.get(row["column"]) != row["patient_id"] else ""
    return "wrong", row["file"], row["patient_id"], f"{row['file']}: {who}{day}: {column}{reason}"


def verdicts(made: Plan, visits: pl.DataFrame, patients: pl.DataFrame | None) -> pl.DataFrame:
    """The verdicts on the patients of a part, all of whose rows are here, in the columns of `schema`."""
    columns = schema(made)
    if not _names_somebody(visits) and (patients is None or not _names_somebody(patients)):
        return pl.DataFrame(schema=columns)
    cohort = made.read(_some(visits), None if patients is None else _some(patients))
    frame = Classification(made.criteria, cohort, evaluate(made.criteria, cohort, 1)).frame()
    # A part may have no dates though others have.
    return frame.select(
        pl.col(name) if name in frame.columns else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in columns.items()
    )


def _names_somebody(frame: pl.DataFrame) -> bool:
    seen = table(_some(frame), "", 0, ("patient_id",), (), Problems())
    return seen is not None and as_text(seen.cells("patient_id").values).is_not_null().any()


# THE PARTS TOGETHER


def settled(made: Plan, found: pl.DataFrame, *, patients: bool) -> Plan:
    """The plan with what was found in all parts settled; what is to be said of it goes to the log, warnings last.

    Raises `CohortError` with what is wrong with the study.
    """

    def texts(*what: str) -> list[str]:
        return found.filter(pl.col("what").is_in(what))["text"].to_list()

    some = found.filter(what="rows")["table"].unique().to_list()
    none = [f"{what}: there are no rows." for what in ("visits", *(["patients"] * patients)) if what not in some]
    # A part may have nothing but empty rows, if another has a patient.
    nobody = [] if texts("somebody") or none else texts("nobody")[:1]
    _refuse(found, [*none, *texts("refused"), *nobody], sum(map(int, texts("beyond"))))
    bleeding: Bleeding = made.options.bleeding or ("scored" if texts("scored") else "events")
    told = [*_told(texts("note"), "assumed"), *_told(texts("warning"), "warning")]
    first = next((start for start in BLEEDING if any(f": {start}" in one for one in told)), None)
    others = tuple(f": {start}" for start in BLEEDING if start != first)
    for line in told:
        if not any(other in line for other in others):
            logging.getLogger(LOG).warning(line)
    return replace(made, options=replace(made.options, bleeding=bleeding), dated=bool(texts("dated")))


def _refuse(found: pl.DataFrame, refused: Sequence[str], beyond: int) -> None:
    # Visits first, as they are named; patients as their names sort.
    wrong = found.filter(what="wrong").unique(maintain_order=True)
    order = wrong.sort(pl.col("table") != "visits", "patient", maintain_order=True, nulls_last=True)
    texts = [*dict.fromkeys(refused), *order["text"].to_list()]
    if texts:
        raise CohortError(one_a_line([*texts, *[""] * beyond], SHOWN))


def _told(texts: Sequence[str], how: str) -> list[str]:
    """Each note once; of those that differ in numbers and names alone the first, and how many more there are."""
    alike: dict[str, list[str]] = {}
    for text in sorted(texts):
        alike.setdefault(PLURAL.sub("", NUMBERS_AND_NAMES.sub("#", text)), []).append(text)
    said = []
    for several in alike.values():
        counts = re.match(r"(?:\w+: )?\d", several[0]) is not None
        more = len(several) - 1 if counts or len(set(several)) > 1 else 0
        where = f" In one part of the data; likewise in {counted(more, 'other part')}." if more else ""
        said.append(f"{how}: {several[0]}{where}")
    return said
