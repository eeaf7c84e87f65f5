"""ODM: the XML export of a study's database, such as OpenClinica's or REDCap's, as one table.

Each event of a subject is a row with the items of its forms. A form that repeats has a row per record, and so has an
item group that repeats, or that shares an item with another beside it. odmlib's parser opens the file. Its model of the
standard is not used, as it rejects OpenClinica's extensions.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element
from xml.parsers import expat

from itp_response.messages.errors import CohortError
from itp_response.messages.optional_imports import needed
from itp_response.readers.odm_records import NAMES, SPACE, UNITS, OdmRecords, groups_of_their_own, local, unit_named
from itp_response.readers.units import exponent_of

OWN = ("ItemGroupOID", "ItemGroupRepeatKey")
"""The columns that identify the record of a row; the row of an event has neither."""


KEYS = {
    "SubjectData": "SubjectKey",
    "StudyEventData": "StudyEventOID",
    "FormData": "FormOID",
    "ItemGroupData": "ItemGroupOID",
    "ItemData": "ItemOID",
}
"""The attribute that each record must have."""


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
    """The unit of each column whose items have units by their definition."""
    notes: list[str]
    study: str
    """The study of all records; empty: there are several."""


def flat(path: Path) -> Flat:
    """The table of a file.

    Raises `CohortError` for a file that is no snapshot in ODM 1.3, and `UsageError` without odmlib.
    """
    root = _parsed(path)
    _check(root, path.name)
    lines = dict(zip(root.iter(), _lines(path), strict=True))
    _check_keys(root, lines, path.name)
    records = OdmRecords.of(root, lines, path.name, _named_units(root))
    alone = groups_of_their_own(root, records.together)
    rows, begins = [], []
    for keys, line, of_row in records.together:
        own = [record for record in of_row if record.group in alone]
        together = [record for record in of_row if record.group not in alone]
        if together or not own:
            rows.append({**keys, **{name: text for record in together for name, text in record.items.items()}})
            begins.append(together[0].line if together else line)
        for record in own:
            rows.append({**keys, **dict(zip(OWN, (record.group, record.repeat), strict=True)), **record.items})
            begins.append(record.line)
    header = list(dict.fromkeys(name for row in rows for name in row))
    # StudySubjectID is the subject's number outside the database, so it comes first.
    header.sort(key=lambda name: name != NAMES[0])
    labels, codes = _described(root)
    unique = len(set(begins)) == len(begins)
    begin = begins if unique else None
    return Flat(header, rows, begin, labels, codes, _units(root), records.notes, _study(root))


def _parsed(path: Path) -> Element:
    """The root of a file; raises `CohortError` if it is no XML that can be read."""
    parser = needed("odmlib.odm_parser", "odm").ODMParser(str(path))
    errors = needed("odmlib.exceptions", "odm")
    try:
        root: Element = parser.parse()
    except errors.OdmlibParsingError as error:
        raise CohortError(f"{path.name}: this cannot be read as XML: {str(error).splitlines()[0]}.") from None
    except (ValueError, LookupError) as error:
        what = f"this is in an encoding that is not read ({error})"
        raise CohortError(f"{path.name}: {what}; save it as UTF-8, and say so in its first line.") from None
    return root


def _check_keys(root: Element, lines: Mapping[Element, int], name: str) -> None:
    """Raises `CohortError` for a record that does not say what it is of: it would be taken for another."""
    for data in root.iter(f"{SPACE}ClinicalData"):
        for element in data.iter():
            tag = local(element)
            key = KEYS.get("ItemData" if tag.startswith("ItemData") else tag)
            if key is not None and not element.get(key):
                raise CohortError(f"{name}: line {lines[element]}: this {tag} has no {key}; export it again.")


def _study(root: Element) -> str:
    studies = {data.get("StudyOID", "") for data in root.iter(f"{SPACE}ClinicalData")} - {""}
    return studies.pop() if len(studies) == 1 else ""


def _check(root: Element, name: str) -> None:
    """Raises `CohortError` for anything but a snapshot in ODM 1.3."""
    if local(root) != "ODM":
        raise CohortError(f"{name}: this is XML, but no ODM; its root is {local(root)!r}.")
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


def _units(root: Element) -> dict[str, tuple[str, ...]]:
    """The unit of each item that the forms define with one; several that differ are named together, and are none."""
    names = _named_units(root)
    references = {
        item.get("OID", ""): [unit_named(unit, names) for unit in item.iter(f"{SPACE}{UNITS}")]
        for item in root.iter(f"{SPACE}ItemDef")
    }
    named = {item: list(dict.fromkeys(units)) for item, units in references.items() if units}
    return {
        item: (units[0] if len(set(map(exponent_of, units))) == 1 else " or ".join(units),)
        for item, units in named.items()
    }
