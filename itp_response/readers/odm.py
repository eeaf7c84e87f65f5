"""ODM: the XML in which a study's database gives out its records, OpenClinica's too, as one table.

An event of a subject is a row, with the items of its forms. An item group that repeats has a row for each of its
records, and so has one that shares an item with another. odmlib's parser opens the file; its model of the standard is
not used, as it refuses what OpenClinica adds to it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element
from xml.parsers import expat

from itp_response.messages.errors import CohortError
from itp_response.messages.optional_imports import needed

SPACE = "{http://www.cdisc.org/ns/odm/v1.3}"
OWN = ("ItemGroupOID", "ItemGroupRepeatKey")
"""Columns that say of which record a row is; those of an event have neither."""
UNITS = "MeasurementUnitRef"


class Flat(NamedTuple):
    """The table of a file, and what the file says of its columns."""

    header: list[str]
    rows: list[dict[str, str]]
    lines: list[int] | None
    """Where in the file each row begins; None: several begin in one line."""
    labels: Mapping[str, tuple[str, ...]]
    """Of a column, what it is called and what is asked."""
    codes: Mapping[str, Mapping[str, str]]
    """Of a column, what its values stand for."""
    notes: list[str]


class _Record(NamedTuple):
    """An item group of an event, as it was filled in."""

    group: str
    repeat: str
    items: dict[str, str]
    line: int


def flat(path: Path) -> Flat:
    """The table of that file.

    Raises `CohortError` for what is no ODM 1.3 of the records as they are now, `UsageError` without odmlib.
    """
    parser = needed("odmlib.odm_parser", "odm").ODMParser(str(path))
    errors = needed("odmlib.exceptions", "odm")
    try:
        root = parser.parse()
    except errors.OdmlibParsingError as error:
        raise CohortError(f"{path.name}: this is no XML that can be read: {str(error).splitlines()[0]}.") from None
    _check(root, path.name)
    lines = dict(zip(root.iter(), _lines(path), strict=True))
    events = list(_events(parser, lines, path.name))
    alone = _groups_of_their_own(root, [records for _, _, records in events])
    rows, begins = [], []
    for keys, line, records in events:
        own = [record for record in records if record.group in alone]
        together = [record for record in records if record.group not in alone]
        if together or not own:
            rows.append({**keys, **{name: text for one in together for name, text in one.items.items()}})
            begins.append(together[0].line if together else line)
        for one in own:
            rows.append({**keys, **dict(zip(OWN, (one.group, one.repeat), strict=True)), **one.items})
            begins.append(one.line)
    header = list(dict.fromkeys(name for row in rows for name in row))
    # StudySubjectID is the number by which a subject is known outside of the database.
    header.sort(key=lambda name: name != "StudySubjectID")
    labels, codes = _described(root)
    unique = len(set(begins)) == len(begins)
    return Flat(header, rows, begins if unique else None, labels, codes, list(_notes(root)))


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _check(root: Element, name: str) -> None:
    """Only ODM 1.3, with the records as they are and not as they were changed."""
    if _local(root) != "ODM":
        raise CohortError(f"{name}: this is XML, but no ODM; its root is {_local(root)!r}.")
    if not root.tag.startswith(SPACE):
        space = root.tag.rpartition("}")[0].lstrip("{")
        raise CohortError(f"{name}: this is ODM of another version ({space}); export it as ODM 1.3.")
    if root.get("FileType") == "Transactional":
        raise CohortError(f"{name}: this tells of changes (FileType 'Transactional'); export a snapshot.")
    if root.find(f"{SPACE}ClinicalData") is None:
        raise CohortError(f"{name}: there are no records in it (ClinicalData), as in an export of the forms alone.")


def _lines(path: Path) -> list[int]:
    """The line in which each element begins, in the order of the file."""
    lines: list[int] = []
    reader = expat.ParserCreate()
    reader.StartElementHandler = lambda *_: lines.append(reader.CurrentLineNumber)
    reader.Parse(path.read_bytes(), True)
    return lines


def _events(
    parser: Any, lines: Mapping[Element, int], name: str
) -> Iterator[tuple[dict[str, str], int, list[_Record]]]:
    """Of each event its keys, its line and its records; of a subject without any, of none."""
    for clinical in parser.ClinicalData():
        for subject in parser.SubjectData(parent=clinical):
            of_subject = _keys(subject, {})
            events = parser.StudyEventData(parent=subject["elem"])
            for event in events:
                groups = [
                    group
                    for form in parser.FormData(parent=event["elem"])
                    for group in parser.ItemGroupData(parent=form["elem"])
                ]
                records = [_record(group, lines, name) for group in groups]
                yield _keys(event, of_subject), lines[event["elem"]], records
            if not events:
                yield of_subject, lines[subject["elem"]], []


def _keys(attributes: Mapping[str, Any], outer: Mapping[str, str]) -> dict[str, str]:
    """The attributes of a subject, or of an event with those of its subject; one of the same name has its level."""
    element = attributes["elem"]
    own = {name.rpartition("}")[2]: text for name, text in element.attrib.items() if name != "TransactionType"}
    return {**outer, **{f"{_local(element)}.{name}" if name in outer else name: text for name, text in own.items()}}


def _record(group: Mapping[str, Any], lines: Mapping[Element, int], name: str) -> _Record:
    items: dict[str, str] = {}
    for item in group["elem"]:
        if not _local(item).startswith("ItemData"):
            continue
        oid, line = item.get("ItemOID", ""), lines[item]
        if oid in items:
            raise CohortError(f"{name}: line {line}: {oid} is there twice in the same record; keep one.")
        if "Remove" in (item.get("TransactionType"), group.get("TransactionType")):
            raise CohortError(
                f"{name}: line {line}: this takes a value out (TransactionType 'Remove'); export a snapshot."
            )
        # A value stands in an attribute, or by the later way as the text of an element named by its type.
        if item.get("IsNull") != "Yes":
            items[oid] = item.get("Value", item.text or "")
    return _Record(group["ItemGroupOID"], group.get("ItemGroupRepeatKey", ""), items, lines[group["elem"]])


def _groups_of_their_own(root: Element, events: Sequence[Sequence[_Record]]) -> set[str]:
    """The item groups that have rows of their own: those that repeat, and those that share an item with another."""
    repeating = {one.get("OID", "") for one in root.iter(f"{SPACE}ItemGroupDef") if one.get("Repeating") == "Yes"}
    groups: dict[str, set[str]] = {}
    for records in events:
        number = Counter(record.group for record in records)
        repeating |= {group for group, times in number.items() if times > 1}
        for record in records:
            for item in record.items:
                groups.setdefault(item, set()).add(record.group)
    shared = (one - repeating for one in groups.values())
    return repeating.union(*(one for one in shared if len(one) > 1))


def _described(root: Element) -> tuple[dict[str, tuple[str, ...]], dict[str, Mapping[str, str]]]:
    """What columns are called, and what their values stand for, as the forms say."""
    labels: dict[str, tuple[str, ...]] = {}
    codes: dict[str, Mapping[str, str]] = {
        "StudyEventOID": {one.get("OID", ""): one.get("Name", "") for one in root.iter(f"{SPACE}StudyEventDef")}
    }
    lists = {
        one.get("OID"): {item.get("CodedValue", ""): _text(item) for item in one.iter(f"{SPACE}CodeListItem")}
        for one in root.iter(f"{SPACE}CodeList")
    }
    for item in root.iter(f"{SPACE}ItemDef"):
        oid, asked = item.get("OID", ""), item.find(f"{SPACE}Question")
        labels[oid] = tuple(filter(None, (item.get("Name"), _text(asked))))
        of_item = item.find(f"{SPACE}CodeListRef")
        if of_item is not None and lists.get(of_item.get("CodeListOID")):
            codes[oid] = lists[of_item.get("CodeListOID")]
    return labels, codes


def _text(element: Element | None) -> str:
    """The text that is told in whatever language first."""
    told = None if element is None else element.find(f".//{SPACE}TranslatedText")
    return "" if told is None else " ".join((told.text or "").split())


def _notes(root: Element) -> Iterator[str]:
    units = sorted({one.get("MeasurementUnitOID", "") for one in root.iter(f"{SPACE}{UNITS}")})
    if units:
        yield f"Units of items are not looked at ({', '.join(units)}): counts are taken as 10⁹/L."
