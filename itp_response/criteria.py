"""Criteria files: what they may hold, and how one is found and read."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from itp_response.clock import Baseline, Clock, Strict
from itp_response.columns import EMPTY, ColumnDeclared
from itp_response.endpoints import KINDS, AnyCriterion
from itp_response.errors import CriteriaError, nearest, unknown
from itp_response.rules import Names, RuleError, Type
from itp_response.verdicts import Reasons

PATIENT_NAMES: dict[str, Type] = {"baseline": "number", "treatment_discontinued": "moment"}
ROW_NAMES: dict[str, Type] = {
    "platelets": "number",
    "bleeding_grade": "number",
    "rescue": "truth",
    "days_since_rescue": "number",
    "day": "number",
    **PATIENT_NAMES,
}
SUFFIX = ".toml"
MEASURES = ("best", "time_to")
"""Kinds that sum up other criteria: they are no moment that another could start from."""


class Source(Strict):
    """`[source]`: where the definitions are from."""

    cite: str
    where: str = ""
    registry: str = ""
    link: str = ""


class Reading(Strict):
    """`[[reading]]`: a place where the source can be read two ways."""

    id: str
    question: str
    taken: str
    change: dict[str, Any] = Field(default_factory=dict, description="what would take the other reading")
    about: str = ""


class Case(Strict):
    """`[[case]]`: a worked patient."""

    name: str
    because: str
    timeline: str
    baseline: float | str | None = None
    treatment_discontinued: int | None = None
    day_0: date | None = None
    patient: dict[str, float | str | bool] = Field(default_factory=dict)
    expect: dict[str, str | int | float] = Field(min_length=1)
    under: dict[str, dict[str, str | int | float]] = Field(default_factory=dict)


class CriteriaFile(Strict):
    """A criteria file, its criteria gathered under `criteria`."""

    title: str
    checked: Literal["primary", "secondary", "unverified"]
    source: Source
    clock: Clock
    baseline: Baseline
    columns: dict[str, ColumnDeclared] = Field(default_factory=dict)
    terms: dict[str, str] = Field(default_factory=dict)
    criteria: dict[str, AnyCriterion] = Field(min_length=1)
    reading: tuple[Reading, ...] = ()
    case: tuple[Case, ...] = ()


HEAD = tuple(name for name in CriteriaFile.model_fields if name != "criteria")


@dataclass(frozen=True)
class Criteria:
    """A set of definitions, read and checked.

    `criteria` are in the order of the file; `order` is one in which each comes after those it refers to.
    """

    name: str
    path: Path
    raw: Mapping[str, Any] = field(repr=False)
    file: CriteriaFile = field(repr=False)
    order: tuple[str, ...] = field(repr=False)

    @property
    def criteria(self) -> dict[str, Any]:
        return self.file.criteria

    @cached_property
    def reasons(self) -> Reasons:
        return Reasons([*self.file.terms, *self.file.columns, "day", "baseline"])

    def under(self, reading_id: str) -> "Criteria":
        """The same under another reading."""
        readings = {reading.id: reading for reading in self.file.reading}
        if reading_id not in readings:
            raise CriteriaError(f"{self.path.name}: {unknown('reading', reading_id, readings)}")
        return read_dict(changed(self.raw, readings[reading_id].change), self.path, self.name)


def changed(raw: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A criteria file's content with the changes of a reading made, table by table; an empty text takes a key out."""
    made = dict(raw)
    for key, value in change.items():
        below = made.get(key)
        if value == "":
            made.pop(key, None)
        else:
            made[key] = changed(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return made


# FINDING


def criteria_folder() -> Path:
    """Where the shipped criteria files are: in the package, or in a checkout beside it."""
    packed = Path(__file__).parent / "criteria_files"
    return packed if packed.is_dir() else Path(__file__).parent.parent / "criteria"


def shipped() -> list[str]:
    """The names of the shipped criteria files."""
    return sorted(path.stem for path in criteria_folder().glob(f"*{SUFFIX}"))


def load(name_or_file: str | Path) -> Criteria:
    """The criteria of that name among those shipped, or of that file.

    Raises `CriteriaError` if there is none, or it cannot be used.
    """
    path = Path(name_or_file)
    named = str(name_or_file)
    if path.suffix != SUFFIX and "/" not in named:
        if named not in shipped():
            raise CriteriaError(f"{unknown('criteria', named, shipped())} A file of your own is named by its path.")
        path = criteria_folder() / f"{named}{SUFFIX}"
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        raise CriteriaError(f"{named}: there is no such file; shipped are: {', '.join(shipped())}.") from None
    except OSError as error:
        raise CriteriaError(f"{named}: cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise CriteriaError(f"{path.name}: line {line}: this is not UTF-8; save the file as UTF-8.") from None
    return loads(text, path)


def loads(text: str, path: Path) -> Criteria:
    """The criteria that `text` writes; `path` names it in errors."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CriteriaError(f"{path.name}: this is not TOML: {error}.") from None
    return read_dict(raw, path, path.stem, text)


# READING


def read_dict(raw: Mapping[str, Any], path: Path, name: str, text: str = "") -> Criteria:
    """The criteria of a file's content; `text`, where given, is searched for the lines that errors name."""
    places = _Places(path.name, text)
    content = {key: value for key, value in raw.items() if key in HEAD}
    rest = {key: value for key, value in raw.items() if key not in HEAD}
    strays = [key for key, value in rest.items() if not (isinstance(value, dict) and "kind" in value)]
    if strays:
        known = [*HEAD, "a table with a 'kind' for each criterion"]
        problems = []
        for key in strays:
            table = isinstance(rest[key], dict)
            close = nearest(key, HEAD)
            what = f"[{key}] has no 'kind', so it is no criterion" if table and not close else f"unknown key {key!r}"
            problems.append(f"{places.at(key)}{what}; known: {', '.join(known)}.{close}")
        raise CriteriaError("\n".join(problems))
    content["criteria"] = rest
    try:
        file = CriteriaFile.model_validate(content, context=_names(raw, places))
    except ValidationError as error:
        raise CriteriaError("\n".join(_worded(raw, places, error))) from None
    criteria = Criteria(name=name, path=path, raw=raw, file=file, order=_order(file, places))
    _check_beneath(criteria, places)
    return criteria


def _names(raw: Mapping[str, Any], places: "_Places") -> dict[str, Names]:
    """The names that rules may use, of rows and of patients alone; all terms are parsed, used or not."""
    patients, rows = dict(PATIENT_NAMES), dict(ROW_NAMES)
    declared = raw.get("columns")
    for name, column in declared.items() if isinstance(declared, dict) else ():
        if name in ROW_NAMES:
            raise CriteriaError(f"{places.at('columns', name)}{name!r} is a name of the language already.")
        kind = column.get("type") if isinstance(column, dict) else None
        if kind in EMPTY:
            rows[name] = kind
            if column.get("table") == "patients":
                patients[name] = kind
    terms = raw.get("terms")
    terms = {key: text for key, text in terms.items() if isinstance(text, str)} if isinstance(terms, dict) else {}
    for name in terms:
        if name in rows or not name.isidentifier():
            why = "is a name of the language already" if name in rows else "is no name a rule can use"
            raise CriteriaError(f"{places.at('terms', name)}{name!r} {why}.")
    names = Names(rows, terms)
    for term in terms:
        try:
            names.term(term)
        except RuleError as error:
            raise CriteriaError(f"{places.at('terms', term)}{error}") from None
    return {"rows": names, "patients": Names(patients)}


def _order(file: CriteriaFile, places: "_Places") -> tuple[str, ...]:
    """The criteria so that each comes after those it refers to."""
    done: list[str] = []
    open_: list[str] = []

    def visit(name: str) -> None:
        if name in done:
            return
        if name in open_:
            circle = [*open_[open_.index(name) :], name]
            raise CriteriaError(f"{places.at(name)}criteria go in a circle: {' -> '.join(circle)}.")
        open_.append(name)
        for key, other in file.criteria[name].references().items():
            if other not in file.criteria:
                place = places.at(name, key.split(" ")[0])
                raise CriteriaError(f"{place}{unknown('criterion', other, file.criteria)}")
            if file.criteria[other].kind in MEASURES:
                kind = file.criteria[other].kind
                raise CriteriaError(
                    f"{places.at(name, key.split(' ')[0])}{other!r} is of kind {kind!r}, which nothing can start from."
                )
            visit(other)
        open_.pop()
        done.append(name)

    for name in file.criteria:
        visit(name)
    return tuple(done)


def _check_beneath(criteria: Criteria, places: "_Places") -> None:
    """Readings must change something that is there into something that works; cases name readings that are."""
    ids = [reading.id for reading in criteria.file.reading]
    for number, reading in enumerate(criteria.file.reading):
        if not reading.change:
            continue
        for path in _leaf_paths(reading.change):
            if path[0] not in criteria.raw:
                raise CriteriaError(
                    f"{places.at('reading', number, 'change')}{unknown('table', path[0], criteria.raw)}"
                )
        try:
            read_dict(
                {**changed(criteria.raw, reading.change), "reading": [], "case": []}, criteria.path, criteria.name
            )
        except CriteriaError as error:
            raise CriteriaError(f"{places.at('reading', number, 'change')}under this reading: {error}") from None
    for number, case in enumerate(criteria.file.case):
        for reading_id in case.under:
            if reading_id not in ids:
                raise CriteriaError(f"{places.at('case', number, 'under')}{unknown('reading', reading_id, ids)}")


def _leaf_paths(change: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for key, value in change.items():
        if isinstance(value, dict):
            yield from ((key, *rest) for rest in _leaf_paths(value))
        else:
            yield (key,)


# ERRORS


def _worded(raw: Mapping[str, Any], places: "_Places", error: ValidationError) -> Iterator[str]:
    """Each problem that pydantic found, in our words."""
    for problem in error.errors():
        path = _toml_path(problem["loc"])
        key, kind = path[-1], problem["type"]
        if kind == "extra_forbidden":
            known = _known_keys(raw, path)
            yield f"{places.at(*path)}{unknown('key', str(key), known)}"
        elif kind == "missing":
            yield f"{places.at(*path[:-1])}the key {key!r} is missing."
        elif kind in ("union_tag_invalid", "union_tag_not_found"):
            found = raw[str(path[0])].get("kind")
            yield f"{places.at(*path, 'kind')}{unknown('kind', str(found), KINDS)}"
        else:
            message = problem["msg"]
            given = problem["input"]
            quoted = "" if isinstance(given, dict) or repr(given) in message or kind == "rule" else f", not {given!r}"
            yield f"{places.at(*path)}{message[0].lower()}{message[1:]}{quoted}{'' if kind == 'rule' else '.'}"


def _toml_path(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The place in the file of a place in the model: without `criteria` and the kind that pydantic puts in."""
    if loc[0] != "criteria":
        return loc
    return (*loc[1:2], *loc[3:]) if len(loc) > 2 else (loc[1] if len(loc) > 1 else "criteria",)


def _known_keys(raw: Mapping[str, Any], path: tuple[str | int, ...]) -> list[str]:
    table = str(path[0])
    models: dict[str, Any] = {
        "source": Source,
        "clock": Clock,
        "baseline": Baseline,
        "columns": ColumnDeclared,
        "reading": Reading,
        "case": Case,
    }
    model = models.get(table)
    if model is None:
        module = KINDS[raw[table]["kind"]]
        model = next(one for one in vars(module).values() if getattr(one, "__module__", "") == module.__name__)
    return [field.alias or name for name, field in model.model_fields.items()]


class _Places:
    """Says where in a file a key stands. tomllib keeps no lines, so the text is searched."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.lines = text.splitlines()

    def at(self, *path: str | int) -> str:
        line = self._line(path)
        where = f"{self.name}: line {line}: " if line else f"{self.name}: "
        if not path:
            return where
        tables = [str(part) for part in path if isinstance(part, str)]
        return f"{where}[{tables[0]}]{''.join(f' {part}' for part in tables[1:])}: " if len(tables) > 1 else where

    def _line(self, path: tuple[str | int, ...]) -> int | None:
        if not path:
            return None
        table, keys = path[0], [part for part in path[1:] if isinstance(part, str)]
        nth = next((part for part in path[1:] if isinstance(part, int)), 0)
        heads = [
            number
            for number, line in enumerate(self.lines)
            if re.match(rf"\s*\[{{1,2}}\s*{re.escape(str(table))}\s*[\].]", line)
        ]
        if not heads:
            return self._key_line(0, len(self.lines), str(table))
        start = heads[min(nth, len(heads) - 1)] if len(path) > 1 and isinstance(path[1], int) else heads[0]
        after = (number for number in range(start + 1, len(self.lines)) if re.match(r"\s*\[", self.lines[number]))
        end = next(after, len(self.lines))
        for key in reversed(keys):
            found = self._key_line(start, end, key)
            if found:
                return found
        return start + 1

    def _key_line(self, start: int, end: int, key: str) -> int | None:
        pattern = re.compile(rf"[\s{{,]*\"?{re.escape(key)}\"?\s*[=.]")
        anywhere = re.compile(rf"[{{,]\s*\"?{re.escape(key)}\"?\s*=")
        for number in range(start, end):
            if pattern.match(self.lines[number]) or anywhere.search(self.lines[number]):
                return number + 1
        return None


# SCHEMA


def schema() -> str:
    """The JSON Schema of criteria files, for editors."""
    made = CriteriaFile.model_json_schema()
    made["properties"].pop("criteria")
    made["required"].remove("criteria")
    made["additionalProperties"] = TypeAdapter(AnyCriterion).json_schema(ref_template="#/$defs/{model}")
    made["$defs"].update(made["additionalProperties"].pop("$defs", {}))
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = "ITP response criteria"
    made["description"] = "A criteria file of itp_response: every table beside those named here is a criterion."
    return json.dumps(_plain(made), indent=2, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    """Infinite defaults are left out: JSON has no word for them."""
    if isinstance(value, dict):
        return {
            key: _plain(one)
            for key, one in value.items()
            if not (key == "default" and "inf" in json.dumps(one, default=str).lower())
        }
    return [_plain(one) for one in value] if isinstance(value, list) else value
