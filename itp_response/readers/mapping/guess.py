"""Guess: what the columns of a file are likely to be, and which of them have to be asked about."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from itp_response.readers.known_names import ALIASES, PATIENTS, VISITS
from itp_response.readers.mapping.clinical_words import fits, is_no_count, is_of_enrolment, may_be, measure
from itp_response.readers.mapping.lab_tables import LabTable, lab_table, texts
from itp_response.readers.mapping.visit_labels import VisitTime, read_label, unhyphenated
from itp_response.readers.open_table import OpenTable
from itp_response.readers.units import in_header

BRACKETS = re.compile(r"\s*[(\[](.*?)[)\]]\s*")
"""A unit or an example in the parentheses of a label."""
TWIN = re.compile(r"^(.*\d)[._]\d$")
"""What programs make of a name that another column has already: `PLT Day 7.1`, `plt_day_7_2`."""
NUMBERED = re.compile(r"^(.*?)(?:[\s_.:-]*(?P<number>\d+)|\s*[(\[](?P<signed>[-−+]?\d+)[)\]])$")
IN_BRACKETS = re.compile(r"\s*[-−+]?\d+\s*")
"""A number in brackets, which may be the time of a visit."""
EVENTS = ("redcap_event_name", "event_name", "study_event_oid")
VISIT_NAMES = (
    *("avisit", "visit", "visit_name", "visit_label", "timepoint", "time_point", "event", "study_visit", "week"),
    *("weeks", "month", "months", "besuch", "visite", "visita", "访视", "来院"),
)
"""Columns that say which visit a row is."""
CYCLES = ("cycle", "cycle_number", "cycle_no", "zyklus", "ciclo")
"""A column beside which days may count within cycles."""
FORM_REPEAT = "form_repeat_key"
"""The key of a form of ODM that repeats in an event; the event does not say when each was filled in."""
SYSTEM = (
    *EVENTS,
    *("redcap_repeat_instrument", "repeat_instrument", "redcap_repeat_instance", "repeat_instance"),
    *("redcap_data_access_group", FORM_REPEAT),
)
STUDY_DAY = "study day"
"""Days without a day 0."""
CDISC_DAYS = ("lbdy", "ady", "visitdy")
MORE_NAMES: Mapping[str, tuple[str, ...]] = {
    "patient_id": (
        *("person_id", "patient_id", "patient_no", "patient_nr", "patient_number", "patid", "pat_id", "mrn"),
        *("subject_no", "subject_number", "subject_code", "participant", "participant_id", "patient_code"),
        *("patientennummer", "patienten_id", "pseudonym", "numero_patient", "患者id", "患者番号", "病人id", "病历号"),
    ),
    "enrolment_date": ("randdt", "trtsdt", "rfxstdtc", "randomised_on", "randomized_on", "enrolled_on"),
    "treatment_discontinued": ("trtedt",),
    "rescue_start": ("rescue_start", "rescue_date", "rescue_start_date", "rescue_begin", "rescue_begin_date"),
    "date": (
        *(
            "lab_date",
            "date_of_sample",
            "sampling_date",
            "collection_date",
            "date_of_visit",
            "date",
            "adt",
            "charttime",
        ),
        *("measurement_date", "measurement_datetime", "collected", "collection_time", "collection_datetime"),
        *("collected_at", "collection_date_time", "sample_time", "specimen_date", "specimen_collected", "datetime"),
        *("date_time", "drawn", "drawn_at", "draw_date", "lab_datetime", "test_date", "result_date", "abnahmedatum"),
        *("entnahmedatum", "entnahmezeit", "datum", "date_prelevement", "fecha", "fecha_muestra", "data_prelievo"),
        *("采集时间", "采样时间", "检验日期", "日期", "採血日", "検査日", "日付"),
    ),
    STUDY_DAY: (*CDISC_DAYS, "study_day", "studyday"),
}
"""Names of columns besides those that are taken without a mapping."""
KEYS = {"StudySubjectID": "subject_id", "SubjectKey": "subject", "StartDate": "visit_date"}
"""The usual names of the keys of records in ODM."""
OF_PATIENTS = (*(name for name in PATIENTS if name != "baseline_unit"), "birth_date", "death_date")
OF_VISITS = ("rescue_start", "date", *(name for name in VISITS if name not in ("patient_id", "date")), STUDY_DAY)
LARGEST_GRADE = 4


class Candidate(NamedTuple):
    """A column that may have a meaning."""

    rank: int
    """The lower, the closer its name is."""
    column: str


class Choice(NamedTuple):
    """Which column has a meaning."""

    column: str | None
    """None: several may have it."""
    of: tuple[str, ...]
    """The columns that may, if there are several."""


@dataclass
class Guess:
    """The likely meanings of columns."""

    patients: dict[str, Choice] = field(default_factory=dict)
    visit: dict[str, Choice] = field(default_factory=dict)
    """The columns of a file with a row per visit."""
    planned: dict[VisitTime, dict[str, list[str]]] = field(default_factory=dict)
    """The columns of a file with columns per visit."""
    system: dict[str, str] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    """Columns with the label of a visit."""
    cycles: list[str] = field(default_factory=list)
    asked: dict[str, str] = field(default_factory=dict)
    """The columns that could change a result and have no place, each with what it may be."""
    lab: LabTable | None = None
    names: frozenset[str] = frozenset()
    """The names of all columns, and their labels."""


def guessed(source: OpenTable) -> Guess:
    """What the columns of a file are likely to be."""
    labels = {
        # If a file labels a column, its name in the header is only a key.
        column: source.labels.get(column, (KEYS.get(column, column),))
        for column in dict.fromkeys(filter(None, source.header))
    }
    guess = Guess(names=frozenset(name for names in labels.values() for name in names))
    found: dict[str, list[Candidate]] = {}
    also = unhyphenated(guess.names)
    if all(_rank(without_brackets(name), "platelets") is None for name in guess.names):
        guess.lab = lab_table(source)
    of_lab = guess.lab.columns if guess.lab is not None else set()
    for column, names in labels.items():
        if column not in of_lab and not any(_is_known(guess, found, column, name) for name in names):
            any(_is_at_visit(guess, column, name, also) or _is_asked(guess, column, name) for name in names)
    if guess.lab is not None:
        _of_lab(guess, guess.lab, found)
    for name, candidates in found.items():
        _choose(guess, source, name, candidates)
    _check_bare(guess, source)
    guess.planned = _joined(guess.planned)
    return guess


def _of_lab(guess: Guess, lab: LabTable, found: dict[str, list[Candidate]]) -> None:
    """Take what a laboratory table tells; a baseline there is that of any test."""
    guess.asked |= lab.asked
    for _, column in found.pop("baseline", []):
        if lab.baseline is None:
            guess.asked[column] = "may be the baseline of several tests: name it, and its rows in baseline_only"


def without_brackets(label: str) -> str:
    """A label without its unit, and without what stands in brackets, unless it says what or when that was."""
    unit = in_header(label)
    text = label if unit is None else unit.rest

    def kept(match: re.Match[str]) -> str:
        return match[0] if is_no_count(match[1]) or IN_BRACKETS.fullmatch(match[1]) else " "

    return BRACKETS.sub(kept, text).strip()


def _is_known(guess: Guess, found: dict[str, list[Candidate]], column: str, label: str) -> bool:
    """Whether a column is known by its whole name."""
    name = without_brackets(label)
    system = next((known for known in SYSTEM if fits(name, [known])), None)
    if system is not None:
        guess.system.setdefault(system, column)
        return True
    for several, known_names in ((guess.labels, VISIT_NAMES), (guess.cycles, CYCLES)):
        if fits(name, known_names):
            several.append(column)
            return True
    for meaning in (*OF_PATIENTS, *OF_VISITS):
        rank = _rank(name, meaning)
        if rank is not None:
            found.setdefault(meaning, []).append(Candidate(rank, column))
            return True
    return False


def _rank(name: str, meaning: str) -> int | None:
    """How close a name is to those of a meaning; None: it is none of them."""
    if name == meaning:
        return 0
    if fits(name, [meaning]):
        return 1
    aliases = ALIASES.get(meaning, ())
    if fits(name, aliases):
        # One patient may have several ids; they are known by the first of these.
        return 2 + (
            next(at for at, alias in enumerate(aliases) if fits(name, [alias])) if meaning == "patient_id" else 0
        )
    return 2 + len(aliases) if fits(name, MORE_NAMES.get(meaning, ())) else None


def _choose(guess: Guess, source: OpenTable, name: str, candidates: list[Candidate]) -> None:
    """Choose among the columns that may have a meaning; those that are left are asked about."""
    best = min(candidates)
    best = next(one for one in candidates if one.rank == best.rank)
    others = [one for one in candidates if one is not best and not _same(source, name, best.column, one.column)]
    rivals = [one.column for one in others if one.rank == best.rank or name == "patient_id"]
    place = guess.patients if name in OF_PATIENTS else guess.visit
    place[name] = Choice(None, (best.column, *rivals)) if rivals else Choice(best.column, ())
    for other in others:
        if other.column not in rivals:
            guess.asked[other.column] = f"may be {name} too, as {best.column!r} is"


def _same(source: OpenTable, name: str, one: str, other: str) -> bool:
    """Whether two columns tell the same wherever both are filled in: of ids which patient it is, of dates the day."""
    if name == "patient_id" and (one in KEYS or fits(one, ["usubjid"])):
        return True
    pairs = pl.DataFrame({"one": texts(source, one), "other": texts(source, other)}).drop_nulls()
    if name == "patient_id":
        number = pairs.n_unique() if len(pairs) else 0
        return len(pairs) > 0 and number == pairs["one"].n_unique() == pairs["other"].n_unique()
    if name in ("date", "rescue_start", "enrolment_date"):
        pairs = pairs.with_columns(pl.all().str.slice(0, 10))
    return len(pairs) > 0 and pairs["one"].equals(pairs["other"])


def _is_at_visit(guess: Guess, column: str, label: str, also: Iterable[tuple[str, int]]) -> bool:
    """Whether a column has a measure at a visit that its name tells."""
    twin = TWIN.match(label)
    if twin and twin[1] in guess.names:
        # They are at one time by their names, and asked about.
        label = twin[1]
    unit = in_header(label)
    read = read_label(label if unit is None else unit.rest, set(also))
    if read is None:
        numbered = NUMBERED.match(without_brackets(label))
        if not numbered or not numbered[1] or measure(numbered[1]) != "platelets":
            return False
        number = numbered["number"] or numbered["signed"]
        why = f"{number!r} of what is not said: days, weeks or visits"
        read = VisitTime(why=why, label=number), numbered[1]
    time, rest = read
    what = measure(rest)
    if what is None:
        may = may_be(rest)
        if may is not None:
            guess.asked[column] = f"may be {may}"
        # What is measured at a visit and does not matter is no question.
        return may is None and bool(rest)
    guess.planned.setdefault(time, {}).setdefault(what, []).append(column)
    return True


def _is_asked(guess: Guess, column: str, label: str) -> bool:
    may = guess.asked.get(column) or may_be(label)
    if may is None and is_of_enrolment(label):
        may = "the day or date of enrolment"
    if may is not None:
        guess.asked[column] = may if may.startswith("may be") else f"may be {may}"
    return may is not None


def _joined(planned: Mapping[VisitTime, dict[str, list[str]]]) -> dict[VisitTime, dict[str, list[str]]]:
    """The visits with what is at the same time in one, however their labels tell it."""
    joined: dict[VisitTime, dict[str, list[str]]] = {}
    for time, measures in planned.items():
        same = next((one for one in joined if (one.keys, one.label) == (time.keys, time.label)), time)
        for name, columns in measures.items():
            joined.setdefault(same, {}).setdefault(name, []).extend(columns)
    return joined


def _check_bare(guess: Guess, source: OpenTable) -> None:
    """Ask about the columns of which only the visit is told, unless they alone can be the counts."""
    columns = list(_bare(guess, source))
    named = {column for measures in guess.planned.values() for column in measures.get("platelets", ())} - set(columns)
    others = named or "platelets" in guess.visit or guess.lab is not None
    for column in columns:
        if others or not _are_like_counts(texts(source, column)):
            for measures in guess.planned.values():
                if column in measures.get("platelets", ()):
                    measures["platelets"].remove(column)
            guess.asked[column] = "its name does not say what was measured; may be a platelet count"
    for measures in guess.planned.values():
        if not measures.get("platelets", [""]):
            del measures["platelets"]


def _bare(guess: Guess, source: OpenTable) -> Iterator[str]:
    for measures in guess.planned.values():
        for column in measures.get("platelets", ()):
            labels = source.labels.get(column, (column,))
            reads = [read_label(label) for label in labels if in_header(label) is None]
            if len(reads) == len(labels) and all(read is not None and read[1] in ("", "visit") for read in reads):
                yield column


def _are_like_counts(cells: pl.Series) -> bool:
    """Whether cells may be counts: most are numbers, and not all as small as grades."""
    plain = cells.drop_nulls().str.strip_chars("<>=≤≥ ").str.replace(",", ".")
    numbers = plain.cast(pl.Float64, strict=False).drop_nulls()
    return not len(plain) or (2 * len(numbers) > len(plain) and bool((numbers > LARGEST_GRADE).any()))
