"""Laboratory tables: a table with a row per result of any test, as laboratories and databases export it.

It is known by a column of tests (`LBTESTCD`, `PARAMCD`, `itemid`, `measurement_concept_id`) beside one of values.
Which of its tests are counts of platelets is told by their names and codes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from itp_response.readers.dates import cells_as_texts
from itp_response.readers.mapping.clinical_words import fits, is_count_name, is_no_count, is_of_platelets
from itp_response.readers.open_table import OpenTable
from itp_response.readers.units import in_header

TESTS = (
    *("paramcd", "lbtestcd", "param", "lbtest", "loinc", "loinc_code", "lbloinc", "measurement_concept_id", "itemid"),
    *("test_code", "testcode", "test_cd", "test_name", "testname", "test", "lab_test", "labtest", "lab_test_name"),
    *("analyte", "analyte_name", "analyt", "analysis", "component", "component_name", "parameter", "parameter_name"),
    *("measurement_source_value", "measurement", "measurement_name", "observation", "investigation", "item_name"),
    *("lab_name", "labname", "lab_code", "label", "item", "lab", "exam", "code", "name", "untersuchung", "messgrösse"),
    *("bezeichnung", "analyse", "examen", "prueba", "determinacion", "esame", "parametro", "parametre", "bepaling"),
    *("检验项目", "项目", "项目名称", "検査項目", "検査項目名", "項目名"),
)
"""Names of a column of tests; one of codes before one of names."""
VALUES = (
    *("lbstresc", "lborres", "aval", "avalc", "lbstresn", "value", "result", "result_value", "test_result"),
    *("value_as_number", "valuenum", "value_numeric", "numeric_value", "numeric_result", "num_value", "result_numeric"),
    *("value_source_value", "observed_value", "lab_result", "lab_value", "test_value", "measurement_value", "res"),
    *("ergebnis", "wert", "messwert", "resultat", "valeur", "resultado", "valor", "risultato", "valore", "uitslag"),
    *("waarde", "结果", "检验结果", "結果", "検査結果", "結果値"),
)
"""Names of a column of values; a text that keeps `<10` before a number that does not."""
OF_VALUE = {"lbstresc": "lbstresu", "lbstresn": "lbstresu", "lborres": "lborresu"}
"""The columns of values with a unit of their own."""
UNITS = (
    *("valueuom", "unit_source_value", "unit_concept_id", "unit", "units", "uom", "result_unit", "result_units"),
    *("avalu", "lab_unit", "unit_of_measure", "value_unit", "test_unit", "einheit", "unite", "unidad", "eenheid"),
    *("单位", "単位"),
)
KNOWN_CODES = ("777-3", "26515-7", "3024929", "3007461", "51265")
"""Platelets by LOINC, OMOP's concepts of these two, and MIMIC's item."""
LIKE_COUNTS = ("778-1", "49497-1")
"""LOINC: platelets by manual count, and estimated."""
DERIVED = ("dtype", "paramtyp")
"""ADaM: filled in, a record is derived, and no observation."""
FLAGS = ("ablfl", "lblobxfl", "lbblfl")
"""The record is the baseline."""
QUALIFIERS = (
    *("lbspec", "specimen", "specimen_type", "sample_type", "fluid", "material", "lbmethod", "method", "lbcat"),
    *("status", "result_status", "order_status", "lbstat", "measurement_type_concept_id", "category"),
)
"""Columns that may say that a result is of something else, or not valid."""
OPERATORS = ("operator", "operator_concept_id", "comparator", "qualifier", "value_operator", "sign")
"""Columns that may say that a result is a bound."""
SHOWN = 12


@dataclass(frozen=True)
class LabTable:
    """What is what in a laboratory table."""

    test: str
    counts: Sequence[str]
    """The tests that may be counts of platelets."""
    sure: str | None
    """The one that is; None: none is for sure, or several may be."""
    value: str
    unit: str | None
    said_unit: str | None
    """The unit that the name of the test tells."""
    observed: dict[str, str]
    """What else the rows of observations say in other columns, as in `only`."""
    baseline: tuple[str, dict[str, str]] | None
    """The column with the baseline, and what its rows say."""
    asked: dict[str, str] = field(default_factory=dict)
    """Further columns that could change a result, and how."""
    remarks: Sequence[str] = ()

    @property
    def columns(self) -> set[str]:
        """The columns that it uses, or asks about."""
        used = {self.test, self.value, *self.observed, *self.asked, *([self.unit] if self.unit else [])}
        return used | ({self.baseline[0], *self.baseline[1]} if self.baseline else set())


def lab_table(source: OpenTable) -> LabTable | None:
    """What is what in a table with a row per result; None: it is no such table."""
    test_columns, values = _named(source, TESTS), _named(source, VALUES)
    if not test_columns or not values:
        return None
    tests = {column: _distinct(source, column) for column in test_columns}
    if not any(map(_like_counts, tests.values())) and not fits(test_columns[0], TESTS[: TESTS.index("test")]):
        return None
    column = next((name for name in tests if any(map(_is_count, tests[name]))), None)
    column = column or next((name for name in tests if _like_counts(tests[name])), test_columns[0])
    counts = [text for text in tests[column] if _may_be_count(text)]
    certain = [text for text in counts if _is_count(text)]
    sure = certain[0] if len(certain) == 1 else None
    rows = _rows(source, column, counts)
    value = next((name for name in values if _filled(source, name, rows)), values[0])
    unit = _unit(source, value)
    others = [name for name in tests if name != column]
    flag = next(iter(_named(source, FLAGS)), None)
    return LabTable(
        column,
        counts,
        sure,
        value,
        unit,
        _said_unit(source, [*others, column], rows) if unit is None else None,
        {name: "" for name in _named(source, DERIVED) if _filled(source, name, rows)},
        None if sure is None else _baseline(source, value, flag),
        {
            **({flag: "says which count is the baseline"} if flag is not None and sure is None else {}),
            **dict(_other_values(source, values, value, rows)),
            **dict(_other_rows(source, others, rows)),
            **dict(_qualifiers(source, others, rows)),
        },
        list(_remarks(column, tests[column], counts)),
    )


def _named(source: OpenTable, names: Iterable[str]) -> list[str]:
    """The columns with these names, in the order of the names."""
    return [column for name in names for column in dict.fromkeys(source.header) if fits(column, [name])]


def texts(source: OpenTable, column: str) -> pl.Series:
    """The cells of a column as texts."""
    position = source.header.index(column)
    return cells_as_texts(source.load([position])[str(position)])


def _distinct(source: OpenTable, column: str) -> list[str]:
    distinct: list[str] = texts(source, column).drop_nulls().unique(maintain_order=True).to_list()
    return distinct


def _without_unit(test: str) -> str:
    unit = in_header(test)
    return test if unit is None else unit.rest


def _is_count(test: str) -> bool:
    return test in KNOWN_CODES or is_count_name(_without_unit(test))


def _may_be_count(test: str) -> bool:
    return _is_count(test) or test in LIKE_COUNTS or (is_of_platelets(test) and not is_no_count(test))


def _like_counts(tests: Iterable[str]) -> bool:
    return any(map(_may_be_count, tests))


def _rows(source: OpenTable, column: str, counts: Sequence[str]) -> pl.Series:
    """Which rows are of tests that may be counts; all, if no test is."""
    if not counts:
        return texts(source, column).is_not_null()
    return texts(source, column).is_in(list(counts)).fill_null(value=False)


def _filled(source: OpenTable, column: str, rows: pl.Series) -> bool:
    return bool(texts(source, column).filter(rows).is_not_null().any())


def _unit(source: OpenTable, value: str) -> str | None:
    own = next((unit for name, unit in OF_VALUE.items() if fits(value, [name])), None)
    return next(iter(_named(source, UNITS if own is None else (own,))), None)


def _said_unit(source: OpenTable, columns: Sequence[str], rows: pl.Series) -> str | None:
    """The unit that the names of the tests tell, as in `Platelets (10^9/L)`."""
    units = {
        unit.text
        for column in columns
        for test in texts(source, column).filter(rows).drop_nulls().unique().to_list()
        if (unit := in_header(test)) is not None and unit.exponent is not None
    }
    return units.pop() if len(units) == 1 else None


def _baseline(source: OpenTable, value: str, flag: str | None) -> tuple[str, dict[str, str]] | None:
    if flag is not None:
        return value, {flag: "Y"}
    base = next(iter(_named(source, ["base"])), None)
    return None if base is None else (base, {})


def _other_values(source: OpenTable, values: Sequence[str], value: str, rows: pl.Series) -> Iterator[tuple[str, str]]:
    """The other columns of values that have one where the chosen column has none."""
    empty = rows & texts(source, value).is_null()
    for name in values:
        if name != value and _filled(source, name, empty):
            yield name, f"it has values where {value!r} has none"


def _other_rows(source: OpenTable, names: Sequence[str], rows: pl.Series) -> Iterator[tuple[str, str]]:
    """The other columns of tests that name a count in rows that are not used."""
    for name in names:
        elsewhere = texts(source, name).filter(~rows).drop_nulls().unique().sort().to_list()
        counts = [test for test in elsewhere if _may_be_count(test)]
        if counts:
            yield name, f"in rows that are not used it says {', '.join(map(repr, counts[:SHOWN]))}"


def _qualifiers(source: OpenTable, names: Sequence[str], rows: pl.Series) -> Iterator[tuple[str, str]]:
    """The columns that tell rows of one test apart."""
    bounds = _named(source, OPERATORS)
    for name in (*names, *_named(source, QUALIFIERS), *bounds):
        cells = texts(source, name).filter(rows).fill_null("").unique().sort().to_list()
        if len(cells) > 1:
            said = ", ".join(map(repr, cells[:SHOWN]))
            if name in bounds:
                yield name, f"of the counts it says {said}; a bound is written before the number, as <10"
            else:
                yield name, f"of the counts it says {said}; take what is one by 'only', if not all are"


def _remarks(column: str, tests: Sequence[str], counts: Sequence[str]) -> Iterator[str]:
    others = [test for test in tests if test not in counts]
    like = [test for test in others if is_of_platelets(test)]
    if like:
        yield f"Not used, as these are not counts: {', '.join(map(repr, like))}"
    if not counts:
        more = "" if len(others) <= SHOWN else f" and {len(others) - SHOWN} more"
        yield f"No test of {column!r} is known as a count of platelets: {', '.join(map(repr, others[:SHOWN]))}{more}"
