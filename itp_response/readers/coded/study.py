"""Coded study: the table of visits of FHIR resources or OMOP tables.

What a code means is told: by LOINC for platelet counts, by a mapping for rescue and bleeding. Where there are
treatments or conditions and nothing was told of them, the study is refused; what has another code is counted in notes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from itp_response.messages.errors import CohortError, some_of
from itp_response.messages.wording import counted
from itp_response.readers.coded.fhir import PLATELETS as LOINC
from itp_response.readers.coded.fhir import fhir_records, is_fhir
from itp_response.readers.coded.omop import PLATELETS as CONCEPTS
from itp_response.readers.coded.omop import is_omop, omop_records
from itp_response.readers.coded.records import CodedRecords
from itp_response.readers.coded.terms import OWN_VALUE, KnownCodes, known_codes
from itp_response.readers.column_names import NamedTable, note_on_hidden, together
from itp_response.readers.problems import BrokenLine, Location, Problems, quoted
from itp_response.readers.told import NOTHING, Told
from itp_response.readers.treatments import unknown_names

VISITS = ("patient_id", "date", "platelets", "unit", "bleeding_grade", "rescue", "rescue_end")
MOST_SHOWN = 5
MEANING = {"treatment": "rescue", "condition": "bleeding"}
"""The part of the mapping that says what the codes of records mean."""


@dataclass(frozen=True)
class CodedStudy:
    """FHIR resources or OMOP tables, with the file that says what their codes mean; None: nothing says it."""

    path: Path
    terms: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """What is read, and the mapping."""
        return (self.path, self.terms) if self.terms else (self.path,)

    def as_table(self, order: int, names: Iterable[str], problems: Problems) -> NamedTable | None:
        """The table of visits; None: it cannot be made, which is reported."""
        # Imported here, as a path is asked for its kind before it is known that it is such a study.
        from itp_response.readers.coded.events import placed

        location = Location(self.path.resolve().name, order)
        try:
            codes, records = self._records()
        except CohortError as error:
            problems.failed(order, error)
            return None
        if self.path.is_dir() and (hidden := note_on_hidden(self.path)):
            problems.note(location, hidden)
        _check_told(records, codes, location, problems)
        frames = [_visits(of_table, codes) for of_table in records]
        _check_counted(records, frames, codes, location, problems)
        frames = placed(frames, location, problems)
        return _together(records, _without_further_patients(frames), location, names, problems)

    def _records(self) -> tuple[KnownCodes, list[CodedRecords]]:
        if is_omop(self.path):
            codes = known_codes(self.terms, CONCEPTS)
            return codes, omop_records(self.path, codes)
        codes = known_codes(self.terms, LOINC)
        return codes, fhir_records(self.path, codes)


def coded_kind(given: object) -> Literal["FHIR", "OMOP"] | None:
    """What a path leads to; None: neither of the two."""
    if not isinstance(given, str | Path) or not Path(given).exists():
        return None
    path = Path(given)
    return "OMOP" if is_omop(path) else "FHIR" if is_fhir(path) else None


def recognized(given: Any) -> Any:
    """The study of a path to FHIR resources or OMOP tables; anything else as it is."""
    return given if coded_kind(given) is None else CodedStudy(Path(given))


def _check_told(records: Sequence[CodedRecords], codes: KnownCodes, location: Location, problems: Problems) -> None:
    """Report that nothing was told of treatments or conditions; else note which records are not taken."""
    frame = pl.concat([of_table.frame for of_table in records])
    known = {"rescue": codes.rescue, "bleeding": codes.bleeding}
    for role, key in MEANING.items():
        of_role = frame.filter(pl.col("role") == role)
        told = known[key]
        if told is None and len(of_role):
            cure = f"say it in a mapping: [{key}], each code with {'its name' if key == 'rescue' else 'its grade'}"
            what = f"{counted(len(of_role), role)}, and nothing says which are {key}: {_shown(of_role)}"
            problems.wrong(location, f"{what}; {cure}; an empty [{key}] says that none is.")
        elif told is not None:
            _note_others(
                of_role.filter(~pl.col("code").is_in(list(told)).fill_null(value=False)), role, key, location, problems
            )
    results = frame.filter(pl.col("role") == "result")
    meant = [*codes.platelets, *(codes.bleeding or ())]
    others = results.filter(~pl.col("code").is_in(meant).fill_null(value=False))
    _note_others(others, "result", "platelet counts or bleeding", location, problems)


def _note_others(others: pl.DataFrame, role: str, what: str, location: Location, problems: Problems) -> None:
    if len(others):
        number = counted(len(others), role)
        problems.note(location, f"{number} not used, as none of their codes is one of {what}: {_shown(others)}.")


def _shown(records: pl.DataFrame) -> str:
    """The most frequent codes, what they are called, and how often each is there."""
    codes = records.group_by("code", maintain_order=True).agg(pl.col("called").drop_nulls().first(), pl.len())
    codes = codes.sort("len", descending=True, maintain_order=True)
    texts = [
        f"{quoted(code or '')}{f' {called}' if called else ''} ({number:,})"
        for code, called, number in codes.head(MOST_SHOWN).iter_rows()
    ]
    more = len(codes) - MOST_SHOWN
    return ", ".join(texts) + (f" and {counted(more, 'other code')}" if more > 0 else "")


def _visits(records: CodedRecords, codes: KnownCodes) -> pl.DataFrame:
    """The records that are taken: `row`, `VISITS`, and `until`, the last day of bleeding."""
    role, code = pl.col("role"), pl.col("code")
    rescue, bleeding = codes.rescue or {}, codes.bleeding or {}
    is_count = (role == "result") & code.is_in(list(codes.platelets))
    is_bleeding = role.is_in(["result", "condition"]) & code.is_in(list(bleeding))
    is_rescue = (role == "treatment") & code.is_in(list(rescue))
    grade = code.replace_strict(bleeding, default=None, return_dtype=pl.String)
    grade = pl.when(grade == OWN_VALUE).then(pl.col("value")).otherwise(grade)
    taken = records.frame.with_row_index("row").filter(
        (is_count | is_bleeding | is_rescue | (role == "patient")).fill_null(value=False)
    )
    return taken.select(
        "row",
        "patient_id",
        "date",
        platelets=pl.when(is_count).then(pl.col("value")),
        unit=pl.when(is_count).then(pl.col("unit")),
        bleeding_grade=pl.when(is_bleeding).then(grade),
        rescue=pl.when(is_rescue).then(code.replace_strict(rescue, default=None, return_dtype=pl.String)),
        rescue_end=pl.when(is_rescue).then(pl.col("end")),
        until=pl.when(is_bleeding & (role == "condition")).then(pl.col("end")),
        is_patient=role == "patient",
        is_condition=role == "condition",
    )


def _check_counted(
    records: Sequence[CodedRecords],
    frames: Sequence[pl.DataFrame],
    codes: KnownCodes,
    location: Location,
    problems: Problems,
) -> None:
    """Report a study without a platelet count."""
    if any(frame["platelets"].count() for frame in frames) or any(of_table.problems for of_table in records):
        return
    results = pl.concat([of_table.frame for of_table in records]).filter(pl.col("role") == "result")
    there = f"there are: {_shown(results)}" if len(results) else "there are no results"
    problems.wrong(location, f"no result is a platelet count ({some_of(sorted(codes.platelets))}); {there}.")


def _without_further_patients(frames: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """The visits, and a row without an observation for each patient who has none."""
    observed = pl.concat([frame.filter(~pl.col("is_patient"))["patient_id"] for frame in frames]).unique()
    others = ~pl.col("is_patient") | ~pl.col("patient_id").is_in(observed.to_list())
    return [frame.filter(others.fill_null(value=True)) for frame in frames]


def _together(
    records: Sequence[CodedRecords],
    frames: Sequence[pl.DataFrame],
    location: Location,
    names: Iterable[str],
    problems: Problems,
) -> NamedTable:
    """The visits of all files or tables as one table; each row keeps its own location."""
    chosen = [name for name in dict.fromkeys(names) if name in VISITS]
    tables = []
    for part, (of_table, frame) in enumerate(zip(records, frames, strict=True)):
        row = frame["row"].to_numpy().astype(np.int64)
        lines = row + 1 if of_table.lines is None else of_table.lines[row]
        own = Location(of_table.name, location.order, of_table.row_word, lines, part=part)
        for line, reason, patient in of_table.problems:
            problems.broken_line(BrokenLine(own, line, reason, "", patient))
        for note in of_table.notes:
            problems.note(own, note)
        tables.append(NamedTable(own, frame.select(chosen), {name: name for name in chosen}, chosen))
    table = together(location, tables)
    pieces = table.location.pieces
    assert pieces is not None
    names_of = [{name: of_table.names.get(name) or name for name in chosen} for of_table in records]
    # A code is told to be rescue by the mapping, so its name needs no list.
    told = Told(rescue_names=unknown_names(table.frame["rescue"])) if table.has("rescue") else NOTHING
    return replace(table, location=replace(table.location, pieces=replace(pieces, names=names_of)), told=told)
