"""Event codes: the days that the values of a column of visits stand for."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from itp_response.readers.mapping.clinical_words import fits
from itp_response.readers.mapping.visit_labels import MONTH, WEEK, VisitTime, read_label, unhyphenated

MOST_CODES = 20
ARM = re.compile(r"_arm_\d+$", re.IGNORECASE)
"""What REDCap writes behind the name of an event."""
UNITS = {"week": ("week", "weeks"), "month": ("month", "months")}
NUMBER = re.compile(r"-?\d+")


def are_from_1(times: Iterable[VisitTime]) -> bool:
    """Whether days may be counted from 1: there is a day 1 and no day 0, or all are a day after whole weeks.

    >>> days = lambda *numbers: [VisitTime(day=number, by_day=True) for number in numbers]
    >>> are_from_1(days(1, 8, 28)), are_from_1(days(8, 15)), are_from_1(days(0, 1)), are_from_1(days(7, 28))
    (True, True, False, False)
    """
    days = {time.day for time in times if time.by_day and time.day is not None}
    after = {day for day in days if day > 0}
    return 0 not in days and (1 in days or (len(after) > 1 and all(day % WEEK == 1 for day in after)))


def day_codes(
    column: str, values: Sequence[str], meanings: Mapping[str, str], repeated: Collection[str] = ()
) -> Iterator[tuple[str, int | None, str]]:
    """The day that each value of a column stands for, None if it is not sure, and a comment.

    At those of `repeated`, a patient has several rows.
    """
    unit = next((unit for unit, names in UNITS.items() if fits(column, names)), "")
    labels = {value: (value, *([meanings[value]] if value in meanings else [])) for value in values}
    also = unhyphenated(label for texts in labels.values() for label in texts)
    times = {value: _time(unit, texts, also) for value, texts in labels.items()}
    from_1 = are_from_1(times.values())
    for value, time in times.items():
        name = ARM.sub("", value)
        rivals = [one for one, other in times.items() if other.day == time.day and ARM.sub("", one) != name]
        given = meanings.get(value, "")
        why = "a patient has several rows of it" if value in repeated else _why(time, rivals, from_1)
        yield value, None if why else time.day, ": ".join(filter(None, (given, why)))


def _time(unit: str, labels: Sequence[str], also: Iterable[tuple[str, int]]) -> VisitTime:
    """The time that the labels of a value tell; the first that is sure."""
    reads = []
    for label in labels:
        text = f"{unit} {label}" if unit and NUMBER.fullmatch(label) else ARM.sub("", label)
        read = read_label(text.rpartition(".")[2], set(also))
        reads += [] if read is None else [read[0]]
    sure = [time for time in reads if time.keys]
    return (sure or reads or [VisitTime(why="its day is not said")])[0]


def _why(time: VisitTime, rivals: Sequence[str], from_1: bool) -> str:
    if time.why:
        return time.why
    if time.cycle is not None:
        return f"write days since enrolment: (days of a cycle) x {time.cycle - 1} + {(time.cycle_day or 1) - 1}"
    if time.month is not None:
        return f"write days since enrolment: with {MONTH} days a month, {round(time.month * MONTH)}"
    if rivals:
        return f"day {time.day}, as {rivals[0]!r} is: are both at that day?"
    if from_1 and time.by_day and time.day is not None and time.day > 0:
        return f"day {time.day} if enrolment is day 0, {time.day - 1} if it is day 1"
    return ""
