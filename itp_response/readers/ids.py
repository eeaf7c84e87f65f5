"""Ids: which rows are one patient's, where the ids of a study leave it open.

A spreadsheet rounds long numbers; copies of an id differ by case or by letters that nobody sees; subject numbers begin
anew at each site. None of it is guessed: it is refused with the option that answers it, and what was told is noted.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.texts import any_has
from itp_response.cohort.values import Bools
from itp_response.messages.codes import Code
from itp_response.messages.errors import UsageError, some_of
from itp_response.readers.column_names import NamedTable
from itp_response.readers.known_names import BESIDE
from itp_response.readers.missing_codes import NOT_GIVEN
from itp_response.readers.problems import (
    Cells,
    Location,
    Problems,
    UnreadableCells,
    and_more,
    as_text,
    first_few,
    quoted,
)
from itp_response.readers.runs import Runs

PatientKey = Literal["id", "site-id", "study-id", "study-site-id"]
SimilarIds = Literal["same", "different"]
LongIds = Literal["as-written"]
FEW = 5
"""The number of patients, or of groups of similar ids, that a message names."""
EXPONENT = r"^\d+(?:[.,]\d+)?[eE]\+\d+$|^\d+[.,]\d+[eE]\d+$"
ENDS_IN_ZEROS = r"^(?:\d{13}00|\d{15,}0)(?:\.0+)?$"
"""A spreadsheet keeps 15 digits of a number, and writes zeros for the others."""
LONGEST_WORD = max(map(len, NOT_GIVEN))
WIDEST = 1e14
"""From here on, a number has 15 digits."""


# ROUNDED


def check_long(cells: Cells, ids: pl.Series | Runs, long_ids: LongIds | None, problems: Problems) -> None:
    """Report ids that are numbers which a spreadsheet has rounded; `ids` are the texts of the cells."""
    runs = ids if isinstance(ids, Runs) else Runs.single(ids)
    lost, doubtful = rounded(runs.names)
    if cells.values.dtype.is_float():
        numbers = cells.values.cast(pl.Float64)
        rows = ((numbers.abs() >= WIDEST) & numbers.is_finite()).fill_null(value=False).to_numpy()
    else:
        rows = runs.spread(lost) if lost.any() else np.zeros(0, dtype=np.bool_)
    what, source = "a number that was rounded, as spreadsheets do", "export the ids again from their source, as texts"
    _report_ids(cells, runs, rows, f"{what}; {source}.", problems)
    if doubtful.any() and long_ids is None and not cells.values.dtype.is_float():
        what = "a long number that ends in zeros, as a spreadsheet rounds it to 15 digits"
        cure = f"{source}, or say --long-ids as-written if the zeros are right"
        _report_ids(cells, runs, runs.spread(doubtful), f"{what}; {cure}.", problems)


def _report_ids(cells: Cells, ids: Runs, wrong: Bools, what: str, problems: Problems) -> None:
    """One problem of all ids that are wrong, the first of them with the row in which they come first."""
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return
    named = pl.DataFrame({"id": ids.spread(ids.names.to_numpy())[rows], "row": rows}).unique(
        "id", keep="first", maintain_order=True
    )
    texts = [f"{quoted(one)} ({cells.location.named(row)})" for one, row in named.head(FEW).iter_rows()]
    name = cells.name

    def note_text(number: int, few: Sequence[str]) -> str:
        return f"{name}: {and_more(few, FEW, number)} {'is' if number == 1 else 'are each'} {what}"

    wording = UnreadableCells(cells, rows, lambda text: f"{quoted(text)} is {what}", of_anybody=True)
    problems.wrong_in_all(
        cells.location, what, note_text, len(named), texts, unreadable=[wording], code=Code.PATIENT_UNCLEAR
    )


def rounded(ids: pl.Series) -> tuple[Bools, Bools]:
    """Which ids are numbers without all their digits (`1.1E+17`), and which may be: long ones that end in zeros."""
    if not (ids.str.contains(r"^\d") & (ids.str.len_bytes() >= 5)).any():
        none = np.zeros(len(ids), dtype=np.bool_)
        return none, none
    lost, doubtful = (ids.str.contains(form).fill_null(value=False).to_numpy() for form in (EXPONENT, ENDS_IN_ZEROS))
    return lost, doubtful


# NOT GIVEN

TOTALS = (
    *("total", "totals", "grand total", "subtotal", "sum", "mean", "average", "median", "sd", "std", "std dev", "min"),
    *("max", "minimum", "maximum", "range", "n", "count", "summe", "gesamt", "gesamtergebnis", "mittelwert", "somme"),
    *("moyenne", "médiane", "media", "mediana", "promedio", "suma", "totale", "合計", "平均", "合计", "总计", "平均值"),
)
"""What stands in the first cell of a row below the patients, in small letters."""


def not_given(ids: pl.Series) -> list[str]:
    """The ids that would say in any other column that nothing was recorded, or that name a row of totals."""
    short = ids.filter((ids.str.len_bytes() <= LONGEST_WORD).fill_null(value=False))
    found = short.str.to_lowercase().is_in((*NOT_GIVEN, *TOTALS))
    return short.filter(found).unique(maintain_order=True).to_list()


def note_not_given(cells: Cells, ids: pl.Series, problems: Problems) -> None:
    """Note ids such as `NA` or `Total`; somebody may have them as initials."""
    name = cells.name

    def note_text(number: int, texts: Sequence[str]) -> str:
        cure = "where no patient is named, fill in the id or delete the row"
        return f"{name}: assumed to be the id of a patient: {first_few(texts)}; {cure}." if number else ""

    found = not_given(ids)
    problems.count(cells.location, f"ids not given: {name}", note_text, len(found), found, warning=True)


# SITES AND STUDIES


def keyed(table: NamedTable, key: PatientKey | None, problems: Problems) -> NamedTable:
    """The table with ids made of the site or the study and the id, if that is the key of patients."""
    if key in (None, "id") or not table.has("patient_id"):
        return table
    assert key is not None
    names = [f" {part}" for part in key.removesuffix("-id").split("-")]
    missing = [name.strip() for name in names if not table.has(name)]
    written = table.header["patient_id"]
    if missing:
        what = f"there is no column of the {' or the '.join(missing)} beside {written!r}"
        there = f"there are: {some_of(table.written)}"
        problems.wrong(table.location, f"--patient-key {key}: {what}; {there}.", code=Code.COLUMN_MISSING)
        return table
    ids = as_text(table.cells("patient_id").values)
    parts = [as_text(table.cells(name).values) for name in names]
    for name, part in zip(names, parts, strict=True):
        without = np.flatnonzero((part.is_null() & ids.is_not_null()).to_numpy())
        problems.wrong_cells(
            table.cells(name), without, lambda _: "is missing, and the patient's id has it; fill it in."
        )
    joined = pl.DataFrame([column.alias(str(place)) for place, column in enumerate([*parts, ids])])
    of_names = " and ".join(repr(table.header[name]) for name in [*names, "patient_id"])
    problems.note(table.location, f"Patients are identified by {of_names}, as specified: --patient-key {key}.")
    return _with_ids(table, joined.select(pl.concat_str(pl.all(), separator="-")).to_series().fill_null(ids))


def _with_ids(table: NamedTable, ids: pl.Series) -> NamedTable:
    return replace(table, frame=table.frame.with_columns(ids.alias("patient_id")))


def check_sites(tables: Sequence[NamedTable], key: PatientKey | None, problems: Problems) -> None:
    """Report ids that several sites or studies have."""
    if key is not None:
        return
    several = {name: _in_several(tables, name) for name in BESIDE}
    there = [name for name, ids in several.items() if len(ids)]
    if not there:
        return
    ids = pl.concat([several[name] for name in there]).unique(maintain_order=True)
    table = next(table for table in tables if table.has(there[0]))
    names = " and ".join(repr(table.header.get(name, name.strip())) for name in there)
    joined = "-".join([name.strip() for name in reversed(there)] + ["id"])
    what = f"{table.header['patient_id']}: {first_few(ids, FEW)} {has(ids)} several {names}"
    cure = f"say whether each is one patient (--patient-key id) or one of each (--patient-key {joined})"
    problems.wrong(table.location, f"{what}; {cure}.", code=Code.PATIENT_UNCLEAR)


def has(ids: pl.Series) -> str:
    """The verb of a sentence about these ids."""
    return "has" if len(ids) == 1 else "have"


def _in_several(tables: Sequence[NamedTable], name: str) -> pl.Series:
    """The ids with several values of that column, in all tables together."""
    nothing = pl.DataFrame(schema={"id": pl.String, "value": pl.String})
    pairs = [
        pl.DataFrame({"id": as_text(table.cells("patient_id").values), "value": as_text(table.cells(name).values)})
        for table in tables
        if table.has(name) and table.has("patient_id")
    ]
    together = pl.concat([nothing, *pairs])
    return with_several(together["id"], together["value"])


def with_several(ids: pl.Series, values: pl.Series) -> pl.Series:
    """The ids with several values."""
    distinct = pl.DataFrame({"id": ids, "value": values}).drop_nulls().unique(maintain_order=True)
    return distinct.filter(pl.col("id").is_duplicated())["id"].unique(maintain_order=True)


def read_as_a_whole(key: PatientKey | None, similar_ids: SimilarIds | None) -> bool:
    """Whether which rows are one patient's can be told of all rows together only."""
    return similar_ids == "same" or key not in (None, "id")


def check_for_cluster(key: PatientKey | None, similar_ids: SimilarIds | None) -> None:
    """Raises `UsageError` where rows of one patient have different ids, which a cluster sends to different machines."""
    if similar_ids == "same":
        raise UsageError("similar ids are made one in a study that is read on one machine, not on a cluster.")
    if key not in (None, "id"):
        raise UsageError(f"the key {key!r} is made in a study that is read on one machine, not on a cluster.")


# SIMILAR


LIKE_LATIN = dict(zip("авекмнорстухіѕјαβεηικμνορτυχ", "abekmhopctyxisjabehikmnoptyx", strict=True))
"""Small letters, Cyrillic and Greek, whose capitals nobody can tell from Latin ones."""


def folded(ids: pl.Series) -> pl.Series:
    r"""The ids without what is easily lost or added: case, blanks, invisible letters, leading zeros, a trailing `.0`.

    So are accents, a comma between thousands, and a hyphen between a letter and a digit. Alike are also hyphens,
    dashes, slashes and underscores, and letters of other alphabets that look the same.

    >>> folded(pl.Series(["P-01", "p-1\u200b", "002", "2.0", "1.10"])).to_list()
    ['p1', 'p1', '2', '2', '1.10']
    """
    is_ascii = ids.str.len_bytes().eq(ids.str.len_chars()).all()

    def replaced(texts: pl.Series, signs: str, pattern: str, by: str) -> pl.Series:
        # Without one of the signs in any id, nothing is replaced in ASCII.
        if is_ascii and not any_has(texts, signs):
            return texts
        return texts.str.replace_all(pattern, by)

    texts = ids if is_ascii else ids.str.normalize("NFKD")
    texts = replaced(texts, "\t\n\v\f\r '`", r"[\s\p{Cf}\p{Z}\p{Mn}'’`]", "").str.to_lowercase()
    texts = replaced(texts, "_/", r"[\p{Pd}−_/]", "-")
    texts = replaced(texts, ",", r"^(\d{1,3}),(\d{3})$", "${1}${2}")
    texts = replaced(texts, "-_/", r"(\p{L})-(\d)", "${1}${2}")
    if not is_ascii:
        texts = texts.str.replace_many(LIKE_LATIN)
    texts = replaced(texts, ".", r"^(\d+)\.0+$", "${1}")
    return replaced(texts, "0", r"(^|[^\d.])0+(\d)", "${1}${2}")


def similar(ids: pl.Series) -> list[list[str]]:
    """The distinct ids in groups that differ only by what `folded` takes away."""
    frame = pl.DataFrame({"id": ids, "key": folded(ids)})
    groups = frame.filter(pl.col("key").is_duplicated()).group_by("key", maintain_order=True).agg("id")
    found: list[list[str]] = groups["id"].to_list()
    return found


def check_similar(ids: pl.Series, location: Location, similar_ids: SimilarIds | None, problems: Problems) -> None:
    """Report distinct ids that differ only by what `folded` takes away; note them if they are told to be different."""
    groups = similar(ids)
    if not groups:
        return
    if similar_ids is None:
        cure = "correct them, or say what they are: --similar-ids same or --similar-ids different"
        sentence = f"these ids look like the same patient: {_in_words(groups)}; {cure}."
        problems.wrong(location, sentence, code=Code.PATIENT_UNCLEAR)
    else:
        problems.note(location, f"These ids are different patients, as specified: {_in_words(groups)}.", warning=True)


def _in_words(groups: Sequence[Sequence[str]]) -> str:
    texts = [f"{', '.join(map(quoted, group[:-1]))} and {quoted(group[-1])}" for group in groups[:FEW]]
    return "; ".join([*texts, *([f"and {len(groups) - FEW} more"] if len(groups) > FEW else [])])


def in_one_spelling(
    tables: Sequence[NamedTable], similar_ids: SimilarIds | None, problems: Problems
) -> list[NamedTable]:
    """The tables with similar ids in the spelling that comes first, if they are told to be the same."""
    if similar_ids != "same":
        return list(tables)
    texts = [as_text(table.cells("patient_id").values) for table in tables]
    # The patient table comes last and is looked at first.
    ids = pl.concat([column.alias("id") for column in reversed(texts)]).drop_nulls().unique(maintain_order=True)
    groups = similar(ids)
    if not groups:
        return list(tables)
    problems.note(
        tables[0].location, f"These ids are the same patient, as specified: {_in_words(groups)}.", warning=True
    )
    spelling = {other: group[0] for group in groups for other in group[1:]}
    return [
        _with_ids(table, column.replace(spelling)) if table.has("patient_id") else table
        for table, column in zip(tables, texts, strict=True)
    ]


class FoldedIds:
    """The folded ids of a long study, by their hashes, while its chunks are read; each id is added once."""

    def __init__(self) -> None:
        self._hashes: list[NDArray[np.uint64]] = []

    def add(self, ids: pl.Series) -> None:
        """Add ids of a chunk."""
        self._hashes.append(folded(ids).hash().to_numpy())

    @property
    def any_similar(self) -> bool:
        """Whether two ids are similar; seldom, two that are not may have the same hash."""
        hashes = np.sort(np.concatenate([np.zeros(0, dtype=np.uint64), *self._hashes]))
        return bool((hashes[1:] == hashes[:-1]).any())
