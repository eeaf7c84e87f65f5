"""Codes: what can be wrong, as a closed list, each with its cause and its cure.

A code never changes its meaning; a program may decide by it. `MEANINGS` is the registry from which the documents list
them. The sentence of an error says what was wrong this time, and often a nearer cure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Code(StrEnum):
    """What is wrong, in a word that stays the same."""

    # OF A STUDY
    FILE_NOT_FOUND = "file_not_found"
    FILE_UNREADABLE = "file_unreadable"
    STUDY_UNUSABLE = "study_unusable"
    NO_ROWS = "no_rows"
    COLUMN_MISSING = "column_missing"
    COLUMN_AMBIGUOUS = "column_ambiguous"
    ROW_UNREADABLE = "row_unreadable"
    CELL_UNREADABLE = "cell_unreadable"
    CELL_EMPTY = "cell_empty"
    CELL_CONTRADICTED = "cell_contradicted"
    NUMBER_UNREADABLE = "number_unreadable"
    COUNT_IMPLAUSIBLE = "count_implausible"
    UNIT_UNCLEAR = "unit_unclear"
    GRADE_UNREADABLE = "grade_unreadable"
    DAY_UNREADABLE = "day_unreadable"
    DATE_UNREADABLE = "date_unreadable"
    RESCUE_UNCLEAR = "rescue_unclear"
    PATIENT_UNCLEAR = "patient_unclear"
    DATA_AMBIGUOUS = "data_ambiguous"
    TIMELINE_UNREADABLE = "timeline_unreadable"
    # OF CRITERIA
    CRITERIA_UNUSABLE = "criteria_unusable"
    NOT_TOML = "not_toml"
    KEY_MISSING = "key_missing"
    VALUE_UNUSABLE = "value_unusable"
    RULE_UNREADABLE = "rule_unreadable"
    # OF A CALL
    CALL_UNUSABLE = "call_unusable"
    NAME_UNKNOWN = "name_unknown"
    PATIENT_UNKNOWN = "patient_unknown"
    ALREADY_READ = "already_read"
    LIBRARY_MISSING = "library_missing"
    OUTPUT_UNWRITABLE = "output_unwritable"


About = Literal["study", "criteria", "call"]
"""What a code is about: the data of a study, a criteria file, or the call of a function or command."""


@dataclass(frozen=True)
class CodeMeaning:
    """What a code means: what it is about, how it comes about, and what to do."""

    about: About
    cause: str
    cure: str


MEANINGS: Mapping[Code, CodeMeaning] = {
    Code.FILE_NOT_FOUND: CodeMeaning(
        "study",
        "There is no file with this name.",
        "Check the name and the folder; a relative path starts from the current folder.",
    ),
    Code.FILE_UNREADABLE: CodeMeaning(
        "study",
        "The file is damaged, empty, of another format than its suffix says, or not in UTF-8.",
        "Export or copy the file again; save a text file as UTF-8.",
    ),
    Code.STUDY_UNUSABLE: CodeMeaning(
        "study",
        "The tables cannot be used as they are, for the reason that the message gives.",
        "Correct the data as the message says, or give the option that it names.",
    ),
    Code.NO_ROWS: CodeMeaning(
        "study", "The table has a header at most, but no row.", "Check that the right file or sheet is given."
    ),
    Code.COLUMN_MISSING: CodeMeaning(
        "study",
        "A column that is needed is not in the table, under its own name or any other that is understood.",
        "Add or rename the column, or give a mapping file; the message lists the columns that there are.",
    ),
    Code.COLUMN_AMBIGUOUS: CodeMeaning(
        "study", "Several columns fit one name.", "Drop or rename all but one of them, or name it in a mapping file."
    ),
    Code.ROW_UNREADABLE: CodeMeaning(
        "study",
        "The line does not have the cells that the header announces.",
        "Correct the line, or exclude such rows with `--on-error quarantine`.",
    ),
    Code.CELL_UNREADABLE: CodeMeaning(
        "study",
        "The cell does not hold a value that its column can have.",
        "Correct the cell, or say with `--missing` that the text stands for a missing value.",
    ),
    Code.CELL_EMPTY: CodeMeaning(
        "study", "A cell is empty that every recorded row needs: the patient, the day or the date.", "Fill it in."
    ),
    Code.CELL_CONTRADICTED: CodeMeaning(
        "study", "Two cells of a row, or two rows, contradict each other.", "Correct one of the two."
    ),
    Code.NUMBER_UNREADABLE: CodeMeaning(
        "study",
        "The cell holds no number and no censored result such as `<10`.",
        "Write a number with a point before the decimals; say with `--missing` what stands for a missing value.",
    ),
    Code.COUNT_IMPLAUSIBLE: CodeMeaning(
        "study",
        "The platelet count is below 0, or higher than a count in 10⁹/L can be.",
        "Correct the count, or give its unit with `--unit`.",
    ),
    Code.UNIT_UNCLEAR: CodeMeaning(
        "study",
        "The unit of a platelet count is missing, unknown or contradicted.",
        "Give one known unit in the unit column or with `--unit`, such as `10^9/L`.",
    ),
    Code.GRADE_UNREADABLE: CodeMeaning(
        "study", "The bleeding grade is not a WHO grade.", "Give 0, 1, 2, 3 or 4, or leave the cell empty."
    ),
    Code.DAY_UNREADABLE: CodeMeaning(
        "study",
        "The cell holds no whole day, or a day that the numbering does not have.",
        "Give whole days; say with `--day-numbering` whether enrolment is day 1 or day 0.",
    ),
    Code.DATE_UNREADABLE: CodeMeaning(
        "study",
        "The cell does not match the date format, or its year is implausible.",
        "Write ISO dates (2024-03-31), or give the format with `--date-format`.",
    ),
    Code.RESCUE_UNCLEAR: CodeMeaning(
        "study",
        "It is not clear whether the cell names a rescue treatment.",
        "Correct the cell, or give `--rescue-names` or `--no-rescue`.",
    ),
    Code.PATIENT_UNCLEAR: CodeMeaning(
        "study",
        "It is not clear which rows belong to one patient: ids are alike, cut, repeated, or shared by several sites.",
        "Correct the ids, or say what a patient is with `--patient-key`, `--similar-ids` or `--long-ids`.",
    ),
    Code.DATA_AMBIGUOUS: CodeMeaning(
        "study",
        "The table as a whole can be read in two ways, and the result may depend on which is meant.",
        "Answer the question in the message with the option that it names.",
    ),
    Code.TIMELINE_UNREADABLE: CodeMeaning(
        "study",
        "An entry of a typed timeline is not in the notation.",
        "Write entries such as `d22 40 bleed 1` with commas between them; the position says which entry is meant.",
    ),
    Code.CRITERIA_UNUSABLE: CodeMeaning(
        "criteria",
        "The criteria file cannot be used, for the reason that the message gives.",
        "Correct the file; `itp-response check FILE` names every problem.",
    ),
    Code.NOT_TOML: CodeMeaning("criteria", "The text is not TOML.", "Correct the line; the caret shows the position."),
    Code.KEY_MISSING: CodeMeaning("criteria", "A key that is needed is not there.", "Add the key."),
    Code.VALUE_UNUSABLE: CodeMeaning(
        "criteria",
        "A key does not have a value that it can have, or contradicts another key.",
        "Correct the value; `criteria/README.md` explains every key.",
    ),
    Code.RULE_UNREADABLE: CodeMeaning(
        "criteria",
        "A rule is not in the language of rules, or uses a name that it does not know.",
        "Correct the rule; the caret shows the position.",
    ),
    Code.CALL_UNUSABLE: CodeMeaning(
        "call",
        "The arguments or options do not go together, or there is nothing to do what was asked with.",
        "Change the call as the message says.",
    ),
    Code.NAME_UNKNOWN: CodeMeaning(
        "call",
        "Nothing has this name: no endpoint, criteria set, column, group, option value or file format.",
        "Use one of the names that the message lists.",
    ),
    Code.PATIENT_UNKNOWN: CodeMeaning("call", "No patient of the study has this id.", "Check the id."),
    Code.ALREADY_READ: CodeMeaning(
        "call",
        "Options of reading, or a patient table, were given beside a study that has been read.",
        "Give them where the study is read, or give the tables instead.",
    ),
    Code.LIBRARY_MISSING: CodeMeaning(
        "call", "The function needs a library that is not installed.", "Install the extra that the message names."
    ),
    Code.OUTPUT_UNWRITABLE: CodeMeaning(
        "call",
        "The file cannot be written: the folder does not exist, access is denied, or the disk is full.",
        "Give a path in a folder that exists and can be written to.",
    ),
}
"""What each code means."""
