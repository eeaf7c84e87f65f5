"""EAV: a row per value becomes a row per record and event."""

import polars as pl
import pytest

from itp_response import CohortError, ReadOptions, classify, classify_to, read
from itp_response.readers.eav import is_eav
from itp_response.readers.files import open_table


def table(lines, header="record,redcap_event_name,field_name,value"):
    """A list of rows; lines are cells separated by commas."""
    rows = pl.read_csv("\n".join([header, *lines]).encode(), infer_schema=False)
    return rows.to_dicts()


def shown(rows):
    """The header, the rows and the notes of what is opened."""
    source = open_table(rows, "values")
    cells = source.load(range(len(source.header)))
    return source.header, cells.rows(), source.notes


class TestRows:
    @pytest.mark.parametrize(
        ("header", "lines", "columns", "rows"),
        [
            # what                         values                                                   columns                                            rows
            ("record,field_name,value",    ["7,plt,15", "7,sex,f", "8,plt,12"],                      ["record_id", "plt", "sex"],                       [("7", "15", "f"), ("8", "12", None)]),
            ("record,event,field_name,value", ["7,a,plt,15", "7,b,plt,20", "7,a,who,1"],             ["record_id", "event", "plt", "who"],              [("7", "a", "15", "1"), ("7", "b", "20", None)]),
            ("record,field_name,value",    ["7,study_id,7", "7,plt,15", "8,study_id,8"],             ["study_id", "plt"],                               [("7", "15"), ("8", None)]),
            ("record,field_name,value",    ["7,record_id,9", "7,plt,15"],                            ["record", "record_id", "plt"],                    [("7", "9", "15")]),
            ("field_name,value,record",    ["plt,15,7"],                                             ["record_id", "plt"],                              [("7", "15")]),
            ("record,redcap_repeat_instrument,redcap_repeat_instance,field_name,value", ["7,,,arm,1", "7,rescue,1,drug,IVIg", "7,rescue,2,drug,TPO"],
                                                                                                     ["record_id", "redcap_repeat_instrument", "redcap_repeat_instance", "arm", "drug"], [("7", None, None, "1", None), ("7", "rescue", "1", None, "IVIg"), ("7", "rescue", "2", None, "TPO")]),
            ("record,field_name,value",    ["7,race,1", "7,race,3", "7,plt,15"],                     ["record_id", "race", "plt"],                      [("7", "1 | 3", "15")]),
            ("record,field_name,value",    ["7,plt,15", "7,plt,15", "7,who,"],                       ["record_id", "plt"],                              [("7", "15")]),
        ],
    )  # fmt: skip
    def test_of_values(self, header, lines, columns, rows):
        assert shown(table(lines, header))[:2] == (columns, rows)

    def test_what_was_done_is_said(self):
        notes = shown(table(["7,a,race,1", "7,a,race,3", "7,a,plt,15", "7,a,plt,15"]))[2]

        assert notes == [
            "A row per value (4 values in 1 record) was read as a row per record and event.",
            "1 value skipped: a repeat of the same value for the same record, event and field.",
            "Fields with several values in one record, which stay together in a cell: 'race'.",
        ]

    @pytest.mark.parametrize(
        ("header", "expected"),
        [
            (["record", "field_name", "value"],                       True),
            (["record", "event", "field_name", "value"],              True),
            (["record", "field_name", "value", "value"],              False),
            (["record", "value", "platelets"],                        False),
            (["record", "field_name", "value", "platelets"],          False),
        ],
    )  # fmt: skip
    def test_it_is_known_by_its_header(self, header, expected):
        assert is_eav(header) == expected


LINES = """record,redcap_event_name,field_name,value
P1,day_0_arm_1,date,2019-05-01
P1,day_0_arm_1,platelets,15
P1,week_1_arm_1,date,2019-05-08
P1,week_1_arm_1,platelets,{}
P1,week_1_arm_1,bleeding_grade,1
"""


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (
            "x",
            "values.csv: line 5: platelets: 'x' is not a number; give 10⁹/L, a bound such as '<10', or leave the cell empty.",
        ),
        (
            "20\nP1,week_1_arm_1,platelets,30",
            "values.csv: line 5: platelets: '20 | 30' is not a number; give 10⁹/L, a bound such as '<10', or leave the cell empty.",
        ),
    ],
)
def test_an_error_names_the_line_of_the_value(cell, message, tmp_path):
    (tmp_path / "values.csv").write_text(LINES.format(cell))

    with pytest.raises(CohortError) as error:
        read(tmp_path / "values.csv")

    assert str(error.value) == message


def test_a_long_file_is_read_as_any_other(tmp_path):
    (tmp_path / "values.csv").write_text(LINES.format(30))

    classify_to(tmp_path / "verdicts.csv", tmp_path / "values.csv")

    written = pl.read_csv(tmp_path / "verdicts.csv", infer_schema=False, comment_prefix="#")
    assert written.equals(classify(tmp_path / "values.csv").frame().cast(pl.String))


def test_a_box_that_is_ticked_is_no_id():
    header, _, _ = shown(table(["1,a,plt,15", "1,a,rescue___1,1"]))

    assert header == ["record_id", "redcap_event_name", "plt", "rescue___1"]


def test_of_a_record_several_values_that_cannot_be_read_are_one_row():
    rows = table(["1,a,day,0", "1,a,plt,many", "1,a,bleeding,7", "1,b,day,28", "1,b,plt,60"])
    cohort = read(rows, options=ReadOptions(on_error="quarantine"))

    assert cohort.quarantined.tolist() == [1]
    assert cohort.quarantine["line"].to_list() == [2, 3]
    assert any(
        "Quarantined as unreadable: 2 cells of 1 row, the rest of which is used; 1 patient ('1')" in note.text
        for note in cohort.notes
    )


def test_a_value_that_is_missing_is_told_with_the_line_in_which_its_record_begins():
    with pytest.raises(CohortError) as error:
        read(table(["1,a,day,0", "1,a,plt,15", "1,b,plt,20"]))
    assert str(error.value) == "visits: row 3: day: the day is missing; fill it in."
