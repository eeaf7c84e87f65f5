"""EAV: a table with a row per value (record, event, field, value), as REDCap exports it, as one with a row per record.

It is known by its header: `record`, `field_name` and `value`, and beside these nothing but REDCap's keys of an event
and of a repeated instrument. Every record of an event becomes a row, every field a column. A field with several values
in one record, such as a box of which several are ticked, keeps them all in its cell, so that none is lost.
"""

import re
from collections.abc import Mapping, Sequence

import polars as pl

from itp_response.cohort.values import Ints
from itp_response.messages.wording import counted
from itp_response.readers.known_names import fitting
from itp_response.readers.open_table import Gathered, OpenTable
from itp_response.readers.problems import as_text, first_few

RECORD, FIELD, VALUE = "record", "field_name", "value"
KEYS = (
    *("redcap_event_name", "event", "event_name", "event_id"),
    *("redcap_repeat_instrument", "redcap_repeat_instance", "redcap_data_access_group"),
)
"""The columns that, with the record, say which row a value belongs to."""
USUAL_ID = "record_id"
NAME_OF_ID = re.compile(r"(?:id|no|nr|number|nummer|code|key)$")
BETWEEN = " | "
"""Between the values of a field with several."""


def is_eav(header: Sequence[str]) -> bool:
    """Whether a table has a row per value.

    >>> is_eav(["record", "redcap_event_name", "field_name", "value"]), is_eav(["record", "value"])
    (True, False)
    """
    names = set(header)
    return len(names) == len(header) and {RECORD, FIELD, VALUE} <= names <= {RECORD, FIELD, VALUE, *KEYS}


def row_per_record(source: OpenTable) -> OpenTable:
    """The table with a row per record and event, in the order in which these begin, and a column per field.

    A row is known by the line in which it begins; a cell by its own.
    """
    values = source.load(range(len(source.header)))
    values = pl.DataFrame([as_text(values[str(position)]).alias(name) for position, name in enumerate(source.header)])
    keys = [name for name in source.header if name not in (FIELD, VALUE)]
    begins = values.with_row_index("line").unique(keys, keep="first", maintain_order=True)
    rows = begins.select(*keys).with_row_index("row")
    placed = values.with_row_index("line").join(rows, on=keys, nulls_equal=True, maintain_order="left")
    given = placed.drop_nulls([FIELD, VALUE])
    distinct = given.unique(["row", FIELD, VALUE], keep="first", maintain_order=True)
    first = begins["line"].cast(pl.Int64).to_numpy()
    fields, lines, several = _fields(distinct, first)
    of_records = _id_field(rows[RECORD], fields)
    name_of_id = of_records or (RECORD if USUAL_ID in fields else USUAL_ID)
    columns = {name_of_id if key == RECORD else key: rows[key] for key in keys}
    columns |= {name: cells for name, cells in fields.items() if name not in columns}
    gathered = Gathered(source.lines, {"": first, **{name: lines.get(name, first) for name in columns}})
    what = f"{counted(len(values), 'value')} in {counted(len(rows), 'record')}"
    notes = [*source.notes, f"A row per value ({what}) was read as a row per record and event."]
    if len(distinct) < len(given):
        repeated = counted(len(given) - len(distinct), "value")
        notes.append(f"{repeated} skipped: a repeat of the same value for the same record, event and field.")
    if several:
        notes.append(f"Fields with several values in one record, which stay together in a cell: {first_few(several)}.")
    return OpenTable(
        source.name,
        list(columns),
        lambda positions: pl.DataFrame([list(columns.values())[at].alias(str(at)) for at in positions]),
        first + 1 if source.lines is None else source.lines[first],
        source.row_word,
        problems=source.problems,
        notes=notes,
        gathered=gathered,
        decimal=source.decimal,
    )


def _fields(values: pl.DataFrame, first: Ints) -> tuple[dict[str, pl.Series], Mapping[str, Ints], list[str]]:
    """The cells of each field, the line of each cell, and the fields with several values in one record.

    An empty cell is in the first line of its record; `first` has that of each.
    """
    fields, lines, several = {}, {}, []
    for (name,), of_field in values.partition_by(FIELD, as_dict=True, maintain_order=True).items():
        cells = of_field.group_by("row", maintain_order=True).agg(
            pl.col(VALUE).str.join(BETWEEN), pl.col("line").first()
        )
        if len(cells) < len(of_field):
            several.append(name)
        at, lines_of = cells["row"].to_numpy(), first.copy()
        lines_of[at] = cells["line"].to_numpy()
        fields[name] = pl.Series(name, [None], dtype=pl.String).new_from_index(0, len(first)).scatter(at, cells[VALUE])
        lines[name] = lines_of
    return fields, lines, several


def _id_field(records: pl.Series, fields: Mapping[str, pl.Series]) -> str | None:
    """The field with the record's id, which REDCap exports as a value too; None: there is none.

    By its values alone, a box that is ticked may be that of a study with one record.
    """
    known = records.drop_nulls().n_unique()
    for name, cells in fields.items():
        if not (NAME_OF_ID.search(name.lower()) or fitting("patient_id", [name])):
            continue
        same = records.filter((cells == records).fill_null(value=False))
        if len(same) == cells.count() and same.n_unique() == known:
            return name
    return None
