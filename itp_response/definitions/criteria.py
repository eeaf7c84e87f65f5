"""Criteria files: what they may hold, and how one is found and read."""

import json
import keyword
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from itp_response.cohort.declared_columns import EMPTY, ColumnDeclared
from itp_response.evaluation.clock import Baseline, Clock, Strict
from itp_response.evaluation.endpoints import KINDS, AnyCriterion, Criterion
from itp_response.evaluation.rules.language import SINCE, And, Name, Names, Or, RuleError, Tree, Type
from itp_response.evaluation.verdicts import Reasons
from itp_response.messages.errors import CriteriaError, nearest, unknown
from itp_response.messages.schema_errors import ended, not_toml, worded
from itp_response.messages.toml_positions import Places, Problem, refuse
from itp_response.messages.toml_positions import places as places_of

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
MOMENTS = ("from", "after", "until", "to")
"""Keys that name a criterion for its day."""
PATIENT_COLUMNS = ("patient_id", "arm")
COLUMNS = ("day", "date", "confirmed_day", "reason", "days", "of_days", "event")
"""What follows a criterion's name in the names of its columns of the output."""


class Source(Strict):
    """`[source]`: where the definitions are from."""

    cite: str = Field(description="the publication, as it is cited")
    where: str = Field(default="", description="where in it")
    registry: str = Field(default="", description="the number of the trial in its registry")
    link: str = ""


class Reading(Strict):
    """`[[reading]]`: a place where the source can be read two ways."""

    id: str = Field(description="its name in a word")
    question: str = Field(description="what the source leaves open")
    taken: str = Field(description="the answer that this file takes, and why")
    change: dict[str, Any] = Field(default_factory=dict, description="what would take the other reading")
    about: str = Field(default="", description="what it is about, in a few words")


class Case(Strict):
    """`[[case]]`: a worked patient."""

    name: str = Field(description="the patient's name")
    because: str = Field(description="what the patient shows")
    timeline: str = Field(description="what was observed, as in 'd0 15, d22 40, d42..d364 12'")
    baseline: float | str | None = None
    treatment_discontinued: int | None = Field(default=None, description="the day")
    day_0: date | None = Field(default=None, description="a date, where calendar months matter")
    patient: dict[str, float | str | bool] = Field(default_factory=dict, description="further columns of the patient")
    expect: dict[str, str | int | float] = Field(min_length=1, description="columns of the output and what they hold")
    under: dict[str, dict[str, str | int | float]] = Field(
        default_factory=dict, description="what they hold under a reading"
    )


class CriteriaFile(Strict):
    """A criteria file, its criteria gathered under `criteria`."""

    title: str = Field(description="the set in a line")
    checked: Literal["primary", "secondary", "unverified"] = Field(
        description="'primary' if read in the paper or registry itself, 'secondary' if elsewhere, else 'unverified'"
    )
    source: Source
    clock: Clock
    baseline: Baseline
    columns: dict[str, ColumnDeclared] = Field(default_factory=dict, description="further columns that rules name")
    rescues: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="classes of rescue treatment by the names recorded"
    )
    terms: dict[str, str] = Field(default_factory=dict, description="named rules")
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
    places: Places = field(repr=False, compare=False)

    @property
    def criteria(self) -> dict[str, Any]:
        return self.file.criteria

    @property
    def title(self) -> str:
        """The title; where the set is not verified, marked so."""
        return f"{self.file.title}{self._mark}"

    @property
    def marked_name(self) -> str:
        """The name; where the set is not verified, marked so."""
        return f"{self.name}{self._mark}"

    @property
    def _mark(self) -> str:
        return " (unverified)" if self.file.checked == "unverified" else ""

    @cached_property
    def reasons(self) -> Reasons:
        return Reasons([*self.file.terms, *self.file.columns, *self.file.rescues, "day", "baseline", *self.criteria])

    @cached_property
    def rescues(self) -> dict[str, frozenset[str]]:
        """The names recorded for each class of rescue treatment, in small letters."""
        return {name: frozenset(one.strip().lower() for one in names) for name, names in self.file.rescues.items()}

    def under(self, *reading_ids: str) -> "Criteria":
        """The same under another reading, or under several, one change after the other.

        Raises `CriteriaError` for one that is not there, or if they cannot stand together.
        """
        readings = {reading.id: reading for reading in self.file.reading}
        content: Mapping[str, Any] = self.raw
        for reading_id in reading_ids:
            if reading_id not in readings:
                raise CriteriaError(f"{self.path.name}: {unknown('reading', reading_id, readings)}")
            content = changed(content, readings[reading_id].change)
        return _read(content, self.path, self.name, self.places, beneath=False)


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
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        close = nearest(path.stem, shipped())
        raise CriteriaError(f"{named}: there is no such file; shipped are: {', '.join(shipped())}.{close}") from None
    except IsADirectoryError:
        raise CriteriaError(f"{named}: this is a folder; name a file in it.") from None
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
        raise CriteriaError(not_toml(path.name, text, str(error))) from None
    return read_dict(raw, path, path.stem, text)


# READING


def read_dict(raw: Mapping[str, Any], path: Path, name: str, text: str = "") -> Criteria:
    """The criteria of a file's content; `text`, where given, is searched for the lines that errors name.

    Raises `CriteriaError` with everything wrong with the tables; and if nothing is, with how they refer to each other.
    """
    return _read(raw, path, name, places_of(path.name, raw, text))


def _read(raw: Mapping[str, Any], path: Path, name: str, places: Places, *, beneath: bool = True) -> Criteria:
    """The criteria of a file's content; readings and worked patients are looked into only `beneath`."""
    rest = {key: value for key, value in raw.items() if key not in HEAD}
    content = {key: value for key, value in raw.items() if key in HEAD}
    content["criteria"] = {key: value for key, value in rest.items() if isinstance(value, dict) and "kind" in value}
    strays = [key for key in rest if key not in content["criteria"]]
    names, misnamed = _names(raw, content["criteria"], places)
    problems = [_stray(key, rest[key], places) for key in strays]
    problems += [*_misnamed_criteria(content["criteria"], places), *misnamed]
    # What names are missing is not known where those of the file are broken or stand under another head.
    named = not misnamed and _names_stand(raw) and not any(nearest(key, ("columns", "terms")) for key in strays)
    try:
        file = CriteriaFile.model_validate(_tupled(content), context=names)
    except ValidationError as error:
        found = error.errors() if named else [one for one in error.errors() if one["type"] != "rule"]
        kinds = {key: str(table["kind"]) for key, table in content["criteria"].items()}
        models = {key: _model(kind) for key, kind in kinds.items() if kind in KINDS}
        if problems:  # what has no 'kind' may have been meant as a criterion
            found = [one for one in found if one["loc"] != ("criteria",)]
        refuse([*problems, *worded(raw, places, found, CriteriaFile, models)])
        raise AssertionError from error  # what is wrong with names was told
    refuse(problems)
    order, disordered = _order(file, places)
    if beneath:
        disordered += [*_wrong_readings(raw, file, path, name, places), *_wrong_cases(file, places)]
    refuse(disordered)
    return Criteria(name=name, path=path, raw=raw, file=file, order=order, places=places)


def _tupled(value: Any) -> Any:
    """TOML's lists as tuples, which is what the models hold."""
    if isinstance(value, dict):
        return {key: _tupled(one) for key, one in value.items()}
    return tuple(_tupled(one) for one in value) if isinstance(value, list) else value


def _model(kind: str) -> type[Criterion]:
    """The model of the keys of a kind."""
    named = [one for one in vars(KINDS[kind]).values() if isinstance(one, type) and issubclass(one, Criterion)]
    return next(one for one in named if one is not Criterion)


def _stray(key: str, value: Any, places: Places) -> Problem:
    known = f"known: {', '.join(HEAD)}, and a table with a 'kind' for each criterion."
    close = nearest(key, HEAD)
    if isinstance(value, dict) and not close:
        return places.stray((key,), f"[{key}] has no 'kind', so it is no criterion; known kinds: {', '.join(KINDS)}.")
    if isinstance(value, list) and all(isinstance(one, dict) for one in value) and not close:
        return places.stray((key,), f"[[{key}]] is the head of a list, and a criterion is one table; write [{key}].")
    return places.stray((key,), f"unknown {'table' if isinstance(value, dict) else 'key'} {key!r}; {known}{close}")


def _names(raw: Mapping[str, Any], criteria: Iterable[str], places: Places) -> tuple[dict[str, Names], list[Problem]]:
    """The names that rules may use, of rows, of patients alone and of criteria; and what is wrong with them.

    All terms are parsed, used or not.
    """
    problems: list[Problem] = []
    patients, rows = dict(PATIENT_NAMES), dict(ROW_NAMES)
    taken = dict.fromkeys(ROW_NAMES, "the language")

    def free(table: str, key: str, *names: str) -> bool:
        why = next(filter(None, (_why_no_name(name, taken) for name in names)), "")
        if why:
            problems.append(places.stray((table, key), why))
        else:
            taken.update(dict.fromkeys(names, f"[{table}]"))
        return not why

    for name, column in _table(raw, "columns").items():
        if free("columns", name, name) and isinstance(column, dict) and column.get("type") in EMPTY:
            rows[name] = column["type"]
            if column.get("table") == "patients":
                patients[name] = column["type"]
    for name in _table(raw, "rescues"):
        if free("rescues", name, name, f"{SINCE}{name}"):
            rows |= {name: "truth", f"{SINCE}{name}": "number"}
    texts = _table(raw, "terms")
    terms = {name: text for name, text in texts.items() if free("terms", name, name) and isinstance(text, str)}
    names = Names(rows, terms)
    if not problems and _names_stand(raw):
        problems += _wrong_terms(names, places)
    return {"rows": names, "patients": Names(patients), "criteria": Names(dict.fromkeys(criteria, "truth"))}, problems


def _table(raw: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = raw.get(key)
    return found if isinstance(found, dict) else {}


def _names_stand(raw: Mapping[str, Any]) -> bool:
    """Every column has a type and every term a rule, so that rules can be held to them."""
    columns, terms = (_table(raw, key).values() for key in ("columns", "terms"))
    typed = all(isinstance(column, dict) and column.get("type") in EMPTY for column in columns)
    return typed and all(isinstance(text, str) for text in terms)


def _why_no_name(name: str, taken: Mapping[str, str]) -> str:
    """Why that cannot be a name in rules; empty if it can."""
    if name in taken:
        known = f" of {', '.join(ROW_NAMES)}" if name in ROW_NAMES else ""
        return f"{name!r} is a name of {taken[name]} already{', one' if known else ''}{known}; choose another."
    if not name.isidentifier() or keyword.iskeyword(name):
        return (
            f"{name!r} is no name that a rule can use; it is written with letters, digits and _, and no 'and' or 'or'."
        )
    return ""


def _wrong_terms(names: Names, places: Places) -> Iterator[Problem]:
    circles = set()
    for term, text in names.terms.items():
        try:
            names.term(term)
        except RuleError as error:
            # A term with a broken term in it is not broken itself.
            if " ".join(str(error).split("\n")[1:-1]).split() != text.split():
                continue
            circle = frozenset(re.findall(r"\w+", error.problem)) if "circle" in error.problem else term
            if circle not in circles:
                circles.add(circle)
                yield places.problem(("terms", term), ended(str(error)))


def _misnamed_criteria(criteria: Mapping[str, Any], places: Places) -> Iterator[Problem]:
    """Criteria whose names cannot begin the names of columns, or would be those of other columns."""
    for name in criteria:
        if not re.fullmatch(r"\w+", name):
            yield places.stray(
                (name,),
                f"a criterion cannot be named {name!r}: its name begins those of columns; use letters, digits, _.",
            )
        others = [other for other in criteria if name in (f"{other}_{what}" for what in COLUMNS)]
        if others or name in PATIENT_COLUMNS:
            of = f" of [{others[0]}]" if others else ""
            yield places.stray((name,), f"{name!r} is the name of a column of the output{of} already; choose another.")


def _order(file: CriteriaFile, places: Places) -> tuple[tuple[str, ...], list[Problem]]:
    """The criteria so that each comes after those it refers to; and what hinders that."""
    done: list[str] = []
    open_: list[str] = []
    problems = []

    def visit(name: str) -> None:
        open_.append(name)
        for key, other in file.criteria[name].references().items():
            path = (name, key.split(" ")[0])
            if other not in file.criteria:
                problems.append(places.problem(path, unknown("criterion", other, file.criteria)))
            elif other in open_:
                circle = " -> ".join([*open_[open_.index(other) :], other])
                problems.append(places.problem(path, f"criteria go in a circle: {circle}."))
            else:
                kind = file.criteria[other].kind
                if kind in MEASURES:
                    known = [one for one, model in file.criteria.items() if model.kind not in MEASURES]
                    problem = f"{other!r} is of kind {kind!r}, on which nothing can rest; known: {', '.join(known)}."
                    problems.append(places.problem(path, problem))
                if other not in done:
                    visit(other)
        open_.pop()
        done.append(name)

    for name in file.criteria:
        if name not in done:
            visit(name)
    return tuple(done), problems or list(_without_a_day(file, places))


def _without_a_day(file: CriteriaFile, places: Places) -> Iterator[Problem]:
    """The keys that name a criterion for its day, which whoever meets it may not have."""
    for name, model in file.criteria.items():
        for key, other in model.references().items():
            if key in MOMENTS and not _has_day(file, other):
                problem = f"{other!r} can be met without a day, so that nothing can start or end with it."
                yield places.problem((name, key), problem)


def _has_day(file: CriteriaFile, name: str) -> bool:
    """Whoever meets that criterion has a day of it."""
    model = file.criteria[name]
    if model.kind == "extent":
        return model.at_least is not None
    return model.kind != "combined" or _dated(file, model.when.tree)


def _dated(file: CriteriaFile, tree: Tree) -> bool:
    match tree:
        case Name(name=name):
            return name not in file.criteria or _has_day(file, name)
        case And(parts=parts):
            return any(_dated(file, part) for part in parts)
        case Or(parts=parts):
            return all(_dated(file, part) for part in parts)
    return False


def _wrong_readings(
    raw: Mapping[str, Any], file: CriteriaFile, path: Path, name: str, places: Places
) -> Iterator[Problem]:
    """Readings must have a name of their own and change something that is there into something that works."""
    ids = [reading.id for reading in file.reading]
    for number, reading in enumerate(file.reading):
        if reading.id in ids[:number]:
            yield _again("reading", "id", ids, number, places)
        under = places.under(("reading", number, "change"))
        wrong = list(_wrong_change(raw, reading.change, under))
        if wrong or not reading.change:
            yield from wrong
            continue
        content = changed(raw, reading.change)
        if content == raw:
            yield places.problem(("reading", number, "change"), "this changes nothing: the file says so already.")
        try:
            _read({**content, "reading": [], "case": []}, path, name, under)
        except CriteriaError as error:
            yield Problem(under.line(()), str(error))


def _wrong_change(raw: Mapping[str, Any], change: Mapping[str, Any], places: Places) -> Iterator[Problem]:
    """The keys of a change that are nowhere in the file."""
    for table, keys in change.items():
        if table not in raw:
            yield places.stray((table,), unknown("table", table, raw))
        elif isinstance(keys, dict) and isinstance(raw[table], dict):
            for key, value in keys.items():
                # A further term is of use to the change; another key that is not known is told of when it is read.
                useless = value == "" or (table == "terms" and not _names_term(change, key))
                if key not in raw[table] and useless:
                    yield places.stray((table, key), unknown("key", key, raw[table]))


def _names_term(change: Any, term: str) -> bool:
    if isinstance(change, dict):
        return any(_names_term(one, term) for one in change.values())
    return isinstance(change, str) and bool(re.search(rf"\b{re.escape(term)}\b", change))


def _wrong_cases(file: CriteriaFile, places: Places) -> Iterator[Problem]:
    """Worked patients must have a name of their own and name readings that are."""
    names = [case.name for case in file.case]
    ids = [reading.id for reading in file.reading]
    for number, case in enumerate(file.case):
        if case.name in names[:number]:
            yield _again("case", "name", names, number, places)
        for reading_id in case.under:
            if reading_id not in ids:
                yield places.stray(("case", number, "under", reading_id), unknown("reading", reading_id, ids))


def _again(table: str, key: str, names: Sequence[str], number: int, places: Places) -> Problem:
    line = places.line((table, names.index(names[number]), key))
    there = f", in line {line}" if line else ""
    return places.problem((table, number, key), f"the name {names[number]!r} is taken already{there}; choose another.")


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
