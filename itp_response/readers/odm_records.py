"""Records of ODM: the subjects of a file, and which records of their forms make a row together.

A subject is known by its study and its SubjectKey. What is marked as removed is left out, and counted. The forms of an
event are together, save those that repeat: each of these is together for itself. A database without events (a classic
project of REDCap) has its forms in the subject.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.etree.ElementTree import Element

from itp_response.messages.errors import CohortError
from itp_response.messages.wording import counted, listed
from itp_response.readers.problems import first_few, quoted

SPACE = "{http://www.cdisc.org/ns/odm/v1.3}"
STUDY = "StudyOID"
NAMES = ("StudySubjectID", "SubjectKey")
"""The names of a subject; outside its database it is known by the first."""
UNITS = "MeasurementUnitRef"
OF_ITEM = ".MeasurementUnit"
"""After the name of a column: the column of the units that its items have themselves."""
OF_FORM = ("FormOID", "FormRepeatKey")
"""The columns that identify a form that repeats."""
REMOVED = ("removed", "auto-removed", "invalid")
"""The `Status` by which OpenClinica marks what was removed."""
REMOVABLE = {
    "SubjectData": "subject",
    "StudyEventData": "event",
    "FormData": "form",
    "ItemGroupData": "item group",
    "ItemData": "item",
}


class Record(NamedTuple):
    """An item group with its values."""

    group: str
    repeat: str
    items: dict[str, str]
    line: int


class Together(NamedTuple):
    """The records that make a row together, save those of groups that have rows of their own."""

    keys: dict[str, str]
    line: int
    """Where the event begins, or the form that repeats."""
    records: list[Record]


@dataclass
class OdmRecords:
    """The records of a file, in the order of the file."""

    root: Element
    lines: Mapping[Element, int]
    name: str
    """Of the file."""
    units: Mapping[str, str]
    """The names of units by their OID."""
    together: list[Together] = field(default_factory=list)
    removed: Counter[str] = field(default_factory=Counter)
    """How many elements were left out, by their tag."""
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, root: Element, lines: Mapping[Element, int], name: str, units: Mapping[str, str]) -> "OdmRecords":
        """The records below `root`; raises `CohortError` for an item twice, and for a value that is taken out."""
        records = cls(root, lines, name, units)
        subjects = list(records._subjects())
        records._tell_apart([keys for _, keys in subjects])
        repeating = _repeating_forms(root)
        for subject, keys in subjects:
            records.together += records._of_subject(subject, keys, repeating)
        if records.removed:
            what = listed([counted(number, REMOVABLE[tag]) for tag, number in records.removed.items()])
            records.notes.append(f"Marked as removed, so excluded: {what}.")
        return records

    def _subjects(self) -> Iterator[tuple[Element, dict[str, str]]]:
        """The subjects of all studies in the file, each with its keys."""
        for clinical in self.root.iter(f"{SPACE}ClinicalData"):
            for subject in self._present(clinical, "SubjectData"):
                yield subject, {**_keys(subject, {}), STUDY: clinical.get(STUDY, "")}

    def _tell_apart(self, subjects: Sequence[dict[str, str]]) -> None:
        """Put the study before a name that subjects of several studies have, and note it."""
        for name in NAMES:
            studies: dict[str, set[str]] = {}
            for keys in subjects:
                studies.setdefault(keys.get(name, ""), set()).add(keys[STUDY])
            shared = [text for text, in_studies in studies.items() if text and len(in_studies) > 1]
            if not shared:
                continue
            for keys in subjects:
                if keys.get(name):
                    keys[name] = f"{keys[STUDY]}/{keys[name]}"
            what = f"{name} {first_few(shared, 3)} is in more than one study of the file, each with patients of its own"
            self.notes.append(f"{what}: the StudyOID was put before it, as {quoted(subjects[0].get(name, ''))}.")

    def _of_subject(self, subject: Element, keys: dict[str, str], repeating: set[str]) -> Iterator[Together]:
        """What is together of a subject; one without an event or a form has one row without records."""
        events = list(self._present(subject, "StudyEventData"))
        for event in events:
            yield from self._of_event(event, _keys(event, keys), repeating)
        if not events or subject.find(f"{SPACE}FormData") is not None:
            yield from self._of_event(subject, keys, repeating)

    def _of_event(self, event: Element, keys: dict[str, str], repeating: set[str]) -> Iterator[Together]:
        """What is together in an event, or in a subject of a database without events."""
        forms = list(self._present(event, "FormData"))
        alone = [form for form in forms if form.get("FormOID", "") in repeating]
        others = [record for form in forms if form not in alone for record in self._records(form)]
        if others or not alone:
            yield Together(keys, self.lines[event], others)
        for form in alone:
            own = {name: form.get(name, "") for name in OF_FORM}
            yield Together({**keys, **own}, self.lines[form], list(self._records(form)))

    def _records(self, form: Element) -> Iterator[Record]:
        for group in self._present(form, "ItemGroupData"):
            yield self._record(group)

    def _record(self, group: Element) -> Record:
        """The record of an item group; raises `CohortError` for an item twice, or one that is taken out."""
        items: dict[str, str] = {}
        for item in group:
            if not local(item).startswith("ItemData"):
                continue
            if _is_marked(item):
                self.removed["ItemData"] += 1
                continue
            oid, line = item.get("ItemOID", ""), self.lines[item]
            if oid in items:
                raise CohortError(f"{self.name}: line {line}: {oid} is there twice in the same record; keep one.")
            if "Remove" in (item.get("TransactionType"), group.get("TransactionType")):
                what = "this takes a value out (TransactionType 'Remove'); export a snapshot."
                raise CohortError(f"{self.name}: line {line}: {what}")
            # The value is an attribute, or the text of an element that is named by its type.
            if item.get("IsNull") != "Yes":
                items[oid] = item.get("Value", item.text or "")
                unit = item.find(f"{SPACE}{UNITS}")
                if unit is not None:
                    items[f"{oid}{OF_ITEM}"] = unit_named(unit, self.units)
        repeat = group.get("ItemGroupRepeatKey", "")
        return Record(group.get("ItemGroupOID", ""), repeat, items, self.lines[group])

    def _present(self, element: Element, tag: str) -> Iterator[Element]:
        """The elements of that tag directly below another, without those marked as removed, which are counted.

        Raises `CohortError` for one that is there and taken out too, as the file then tells of changes.
        """
        all_below = element.findall(f"{SPACE}{tag}")
        present = [below for below in all_below if not _is_removed(below)]
        known = {_identity(below) for below in present}
        for below in all_below:
            if below not in present and below.get("TransactionType") == "Remove" and _identity(below) in known:
                what = f"this takes out one {REMOVABLE[tag]} that is there too (TransactionType 'Remove')"
                raise CohortError(f"{self.name}: line {self.lines[below]}: {what}; export a snapshot.")
        if len(present) < len(all_below):
            self.removed[tag] += len(all_below) - len(present)
        yield from present


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def unit_named(reference: Element, names: Mapping[str, str]) -> str:
    """The name of the unit that an element refers to; its OID, if it has none."""
    oid = reference.get("MeasurementUnitOID", "")
    return names.get(oid, oid)


def _attributes(element: Element) -> dict[str, str]:
    """The attributes of an element by their names without a namespace."""
    return {name.rpartition("}")[2]: text for name, text in element.attrib.items()}


def _keys(element: Element, outer: Mapping[str, str]) -> dict[str, str]:
    """The attributes of a subject, or of an event and its subject; a name that both have gets its element's name."""
    own = {name: text for name, text in _attributes(element).items() if name != "TransactionType"}
    return {**outer, **{f"{local(element)}.{name}" if name in outer else name: text for name, text in own.items()}}


def _identity(element: Element) -> tuple[tuple[str, str], ...]:
    """What tells an element from others of its tag: its OIDs and keys."""
    return tuple((name, text) for name, text in _attributes(element).items() if name.endswith(("OID", "Key")))


def _is_removed(element: Element) -> bool:
    """Whether an element is marked as removed; of an item group that is taken out, its values are refused."""
    taken_out = element.get("TransactionType") == "Remove" and local(element) != "ItemGroupData"
    return taken_out or _is_marked(element)


def _is_marked(element: Element) -> bool:
    attributes = _attributes(element)
    return attributes.get("Status", "").lower() in REMOVED or attributes.get("Removed", "").lower() in ("yes", "true")


def _repeating_forms(root: Element) -> set[str]:
    """The forms that repeat: as they are defined, or as they are several times in an event."""
    repeating = {form.get("OID", "") for form in root.iter(f"{SPACE}FormDef") if form.get("Repeating") == "Yes"}
    for tag in ("SubjectData", "StudyEventData"):
        for element in root.iter(f"{SPACE}{tag}"):
            number = Counter(form.get("FormOID", "") for form in element.findall(f"{SPACE}FormData"))
            repeating |= {form for form, times in number.items() if times > 1}
    return repeating


def groups_of_their_own(root: Element, together: Sequence[Together]) -> set[str]:
    """The item groups with rows of their own: those that repeat, and those that share an item with one beside them."""
    definitions = root.iter(f"{SPACE}ItemGroupDef")
    alone = {group.get("OID", "") for group in definitions if group.get("Repeating") == "Yes"}
    numbers = [Counter(record.group for record in row.records) for row in together]
    alone.update(group for number in numbers for group, times in number.items() if times > 1)
    for row in together:
        groups: dict[str, set[str]] = {}
        for record in row.records:
            for item in record.items:
                groups.setdefault(item, set()).add(record.group)
        single = (names - alone for names in groups.values())
        alone = alone.union(*(names for names in single if len(names) > 1))
    return alone
