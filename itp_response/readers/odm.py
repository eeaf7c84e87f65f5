"""ODM: the XML export of a study's database, such as OpenClinica's, as one table.

Each event of a subject is a row with the items of its forms. An item group that repeats has a row per record. So does
one that shares an item with another. odmlib's parser opens the file. Its model of the standard is not used, as it
rejects OpenClinica's extensions.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element
from xml.parsers import expat

from itp_response.messages.errors import CohortError
from itp_response.messages.optional_imports import needed
from itp_response.readers.units import exponent_of

SPACE = "{http://www.cdisc.org/ns/odm/v1.3}"
OWN = ("ItemGroupOID", "ItemGroupRepeatKey")
"""The columns that identify the record of a row; the row of an event has neither."""
UNITS = "MeasurementUnitRef"
OF_ITEM = ".MeasurementUnit"
"""After the name of a column: the column of the units that its items have themselves."""


class Flat(NamedTuple):
    """The table of a file, with the labels and codes of its columns."""

    header: list[str]
    rows: list[dict[str, str]]
    lines: list[int] | None
    """The line in which each row begins; None: several rows begin in one line."""
    labels: Mapping[str, tuple[str, ...]]
    """The name and the question of each column."""
    codes: Mapping[str, Mapping[str, str]]
    """The meanings of the values of each column."""
    units: Mapping[str, tuple[str, ...]]
    """The unit of each column whose items have one unit."""


class _Record(NamedTuple):
    """An item group of an event with its values."""

    group: str
    repeat: str
    items: dict[str, str]
    line: int


def flat(path: Path) -> Flat:
    """The table of a file.

    Raises `CohortError` for a file that is no snapshot in ODM 1.3, and `UsageError` without odmlib.
    """
    parser = needed("odmlib.odm_parser", "odm").ODMParser(str(path))
    errors = needed("odmlib.exceptions", "odm")
    try:
        root = parser.parse()
    except errors.OdmlibParsingError as error:
        raise CohortError(f"{path.name}: this is no XML that can be read: {str(error).splitlines()[0]}.") from None
    _check(root, path.name)
    lines = dict(zip(root.iter(), _lines(path), strict=True))
    named = _named_units(root)
    events = list(_events(parser, lines, path.name, named))
    alone = _groups_of_their_own(root, [records for _, _, records in events])
    rows, begins = [], []
    for keys, line, records in events:
        own = [record for record in records if record.group in alone]
        together = [record for record in records if record.group not in alone]
        if together or not own:
            rows.append({**keys, **{name: text for record in together for name, text in record.items.items()}})
            begins.append(together[0].line if together else line)
        for record in own:
            rows.append({**keys, **dict(zip(OWN, (record.group, record.repeat), strict=True)), **record.items})
            begins.append(record.line)
    header = list(dict.fromkeys(name for row in rows for name in row))
    # StudySubjectID is the subject's number outside the database, so it comes first.
    header.sort(key=lambda name: name != "StudySubjectID")
    labels, codes = _described(root)
    unique = len(set(begins)) == len(begins)
    return Flat(header, rows, begins if unique else None, labels, codes, _units(root))


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _check(root: Element, name: str) -> None:
    """Raises `CohortError` for anything but a snapshot in ODM 1.3."""
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
    """The line in which each element begins, in document order."""
    lines: list[int] = []
    reader = expat.ParserCreate()
    reader.StartElementHandler = lambda *_: lines.append(reader.CurrentLineNumber)
    reader.Parse(path.read_bytes(), True)
    return lines


def _events(
    parser: Any, lines: Mapping[Element, int], name: str, units: Mapping[str, str]
) -> Iterator[tuple[dict[str, str], int, list[_Record]]]:
    """The keys, the line and the records of each event; a subject without an event has one without records."""
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
                records = [_record(group, lines, name, units) for group in groups]
                yield _keys(event, of_subject), lines[event["elem"]], records
            if not events:
                yield of_subject, lines[subject["elem"]], []


def _keys(attributes: Mapping[str, Any], outer: Mapping[str, str]) -> dict[str, str]:
    """The attributes of a subject, or of an event and its subject; a name that both have gets its element's name."""
    element = attributes["elem"]
    own = {name.rpartition("}")[2]: text for name, text in element.attrib.items() if name != "TransactionType"}
    return {**outer, **{f"{_local(element)}.{name}" if name in outer else name: text for name, text in own.items()}}


def _record(group: Mapping[str, Any], lines: Mapping[Element, int], name: str, units: Mapping[str, str]) -> _Record:
    """The record of an item group; raises `CohortError` for an item twice, or one that is removed.

    `units` are the names of units by their OID.
    """
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
        # The value is an attribute, or the text of an element that is named by its type.
        if item.get("IsNull") != "Yes":
            items[oid] = item.get("Value", item.text or "")
            unit = item.find(f"{SPACE}{UNITS}")
            if unit is not None:
                items[f"{oid}{OF_ITEM}"] = _unit(unit, units)
    return _Record(group["ItemGroupOID"], group.get("ItemGroupRepeatKey", ""), items, lines[group["elem"]])


def _groups_of_their_own(root: Element, events: Sequence[Sequence[_Record]]) -> set[str]:
    """The item groups with rows of their own: those that repeat, and those that share an item with another."""
    definitions = root.iter(f"{SPACE}ItemGroupDef")
    repeating = {group.get("OID", "") for group in definitions if group.get("Repeating") == "Yes"}
    groups: dict[str, set[str]] = {}
    for records in events:
        number = Counter(record.group for record in records)
        repeating |= {group for group, times in number.items() if times > 1}
        for record in records:
            for item in record.items:
                groups.setdefault(item, set()).add(record.group)
    single = (names - repeating for names in groups.values())
    return repeating.union(*(names for names in single if len(names) > 1))


def _described(root: Element) -> tuple[dict[str, tuple[str, ...]], dict[str, Mapping[str, str]]]:
    """The labels of columns and the meanings of their values, as the forms define them."""
    labels: dict[str, tuple[str, ...]] = {}
    codes: dict[str, Mapping[str, str]] = {
        "StudyEventOID": {event.get("OID", ""): event.get("Name", "") for event in root.iter(f"{SPACE}StudyEventDef")}
    }
    lists = {
        codes_of.get("OID"): {item.get("CodedValue", ""): _text(item) for item in codes_of.iter(f"{SPACE}CodeListItem")}
        for codes_of in root.iter(f"{SPACE}CodeList")
    }
    for item in root.iter(f"{SPACE}ItemDef"):
        oid, question = item.get("OID", ""), item.find(f"{SPACE}Question")
        labels[oid] = tuple(filter(None, (item.get("Name"), _text(question))))
        of_item = item.find(f"{SPACE}CodeListRef")
        if of_item is not None and lists.get(of_item.get("CodeListOID")):
            codes[oid] = lists[of_item.get("CodeListOID")]
    return labels, codes


def _text(element: Element | None) -> str:
    """The text of an element in its first language."""
    text = None if element is None else element.find(f".//{SPACE}TranslatedText")
    return "" if text is None else " ".join((text.text or "").split())


def _named_units(root: Element) -> dict[str, str]:
    """The name of each unit by its OID; its symbol, if only that is a unit of counts."""
    names = {}
    for unit in root.iter(f"{SPACE}MeasurementUnit"):
        symbol, name = _text(unit.find(f"{SPACE}Symbol")), unit.get("Name", "")
        names[unit.get("OID", "")] = symbol if symbol and exponent_of(name) is None else name
    return names


def _unit(reference: Element, names: Mapping[str, str]) -> str:
    oid = reference.get("MeasurementUnitOID", "")
    return names.get(oid, oid)


def _units(root: Element) -> dict[str, tuple[str, ...]]:
    """The unit of each item that the forms define with one unit."""
    names = _named_units(root)
    references = {
        item.get("OID", ""): [_unit(unit, names) for unit in item.iter(f"{SPACE}{UNITS}")]
        for item in root.iter(f"{SPACE}ItemDef")
    }
    return {item: tuple(units) for item, units in references.items() if len(set(units)) == 1}
