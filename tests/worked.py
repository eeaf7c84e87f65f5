"""Worked examples in tables: an endpoint, and under it one patient a line with what is to come out.

Every line is decided twice, by the package and by the literal reading.

    timeline                | value | day | reason        | because
    d0 15, d28 60, d35 60   | Y     | 28  | met           | two counts seven days apart

The endpoint spoken of is the last of the text.
`value`, `day`, `date`, `confirmed`, `reason`, `days` and `event` are its columns of the frame, `onset` and `ended` the
days of its evidence; every other heading is a column of the frame by its own name.
`baseline`, `discontinued`, `day_0` and the declared columns of patients are given instead of expected.
An empty cell is nothing; a column that is left out is not looked at.
"""

import datetime
import re
from pathlib import Path

from itp_response.classification.classification import classify
from itp_response.cohort.notation import cohort_of
from itp_response.definitions.load import loads
from itp_response.validation import literal
from itp_response.validation.bridge import as_literal

HEAD = """
title = "of the tests"
checked = "primary"
[source]
cite = "none"
[clock]
day_0 = "enrolment"
visits = [0, 7, 14, 21, 28, 42, 56, 70, 84, 112, 140, 168, 196, 224, 252, 280, 308, 336, 364]
followed_from = 337
[baseline]
days = [-28, 0]
"""
SHORT = {
    "value": "{}",
    "day": "{}_day",
    "date": "{}_date",
    "confirmed": "{}_confirmed_day",
    "reason": "{}_reason",
    "days": "{}_days",
    "event": "{}_event",
}
WITNESSES = ("onset", "ended")
ENTRY = re.compile(r"d(-?\d+)(?:\.\.d(-?\d+))?\s+(.*)")


def criteria_of(text, head=HEAD):
    """The criteria of a text that need say only what matters: head, labels and senses are put before it."""
    text = re.sub(r"^ *kind\b", 'label = "-"\nsays = "-"\nkind', text, flags=re.MULTILINE)
    return loads(head + text, Path("worked.toml"))


def rows_of(table):
    """The lines of a table, each as a dict from heading to cell."""
    lines = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def wrong(text, table, head=HEAD, threads=None):
    """The lines of the table that do not come out so, in either reading: what was wanted, and what was found."""
    criteria = criteria_of(text, head)
    spoken_of = list(criteria.endpoints)[-1]
    rows = rows_of(table)
    declared = criteria.file.columns
    patients = [patient_of(row, criteria) for row in rows]
    cohort = cohort_of(
        [row["timeline"] for row in rows],
        visits=criteria.file.clock.visits,
        baseline=[row.get("baseline") or None for row in rows],
        treatment_discontinued=[patient.treatment_discontinued for patient in patients],
        day_0=[patient.day_0 for patient in patients],
        columns=declared,
        patient=[{name: row[name] or None for name in declared if name in row} for row in rows],
    )
    classification = classify(cohort, criteria=criteria, threads=threads)
    frame = classification.frame().rows(named=True)
    found = as_literal(classification)

    problems = []
    for row, patient, columns, verdicts in zip(rows, patients, frame, found, strict=True):
        read = literal.verdicts(criteria.raw, patient)
        problems += [
            f"{row['timeline']}: read literally {name} is {verdict}, in columns {verdicts[name]}"
            for name, verdict in read.items()
            if verdict != verdicts[name]
        ]
        wanted = {key: cell for key, cell in row.items() if key not in GIVEN and key not in declared}
        got = {key: _shown(columns, verdicts[spoken_of], spoken_of, key) for key in wanted}
        if got != wanted:
            problems.append(f"{row['timeline']}: wanted {wanted}, found {got} ({row.get('because', '')})")
    return problems


GIVEN = ("timeline", "because", "baseline", "discontinued", "day_0")


def _shown(columns, verdict, name, key):
    value = getattr(verdict, key) if key in WITNESSES else columns[SHORT.get(key, key).format(name)]
    return "" if value is None else str(value)


def patient_of(row, criteria):
    """The patient of a line, for the literal reading."""
    seen = []
    for text in filter(None, row["timeline"].split(",")):
        first, last, said = ENTRY.fullmatch(text.strip()).groups()
        visits = criteria.file.clock.visits
        days = [int(first)] if last is None else [day for day in visits if int(first) <= day <= int(last)]
        seen += [_observation(day, said.split(), criteria.file.columns) for day in days]
    own = {name: _cell(row[name], one) for name, one in criteria.file.columns.items() if row.get(name)}
    return literal.Patient(
        tuple(seen),
        baseline=row.get("baseline") or None,
        treatment_discontinued=int(row["discontinued"]) if row.get("discontinued") else None,
        columns=own,
        day_0=datetime.date.fromisoformat(row["day_0"]) if row.get("day_0") else None,
    )


def _observation(day, words, declared):
    said = {"bleeding_grade": 0, "columns": {}}
    while words:
        word = words.pop(0)
        if word == "bleed":
            grade = words.pop(0)
            said["bleeding_grade"] = None if grade == "?" else int(grade)
        elif word == "rescue":
            said["rescue"] = True
            if words and words[0] not in ("to", "bleed") and words[0][0].isalpha() and "=" not in words[0]:
                said["rescue_name"] = words.pop(0)
        elif word == "to":
            said["rescue_end"] = int(words.pop(0)[1:])
        elif "=" in word and word[0] not in "<>":
            name, value = word.split("=")
            said["columns"][name] = _cell(value, declared[name])
        else:
            said["platelets"] = word
    return literal.Observation(day, **said)


def _cell(text, column):
    if column.type == "number":
        return float(text)
    return text == "yes" if column.type == "truth" else text
