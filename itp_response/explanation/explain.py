"""Explain: a verdict in words, why, and the observations it rests on, each with its line in the source."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from itp_response.classification.classification import Classification, CriteriaInput, Study, classify
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import PartialDates
from itp_response.cohort.texts import count_in_words
from itp_response.cohort.values import NO_DAY, NONE, Numbers, Truths
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.endpoints import KINDS
from itp_response.evaluation.endpoints.visits import TREATED, planned
from itp_response.evaluation.evaluate import evaluate_completions, patient_days_of
from itp_response.evaluation.partial_dates import days_in
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.decide import decide, numbers
from itp_response.evaluation.rules.in_words import denied_in_words, tree_in_words
from itp_response.evaluation.rules.tree import And, Not, Or, Relation, Rule, Tree, names_in, opened
from itp_response.evaluation.verdicts import Settled, Verdict, reason_in_words
from itp_response.explanation.counterfactuals.in_words import Counterfactual, changes_of, sentences
from itp_response.explanation.counterfactuals.search import Counterfactuals, asks, counterfactuals
from itp_response.explanation.missing import counts_missing
from itp_response.messages.errors import UsageError, nearest, unknown
from itp_response.messages.wording import aligned, counted, listed, number_in_words, wrapped
from itp_response.readers.files import Tabular
from itp_response.readers.options import ReadOptions

MISSING = {
    "platelets": "no count",
    "bleeding_grade": "bleeding not recorded",
    "baseline": "no baseline",
}
WIDTH = 110
SUMS_UP = ("combined", "best")
"""Kinds that rest on other verdicts, and on no observation of their own."""
MARKS = {
    "achieved": ("starts here", "confirms", "ends here"),
    "at": ("taken", "", "taken"),
    "visits": ("first", "made it enough", "ends here"),
    "extent": ("first", "last", ""),
}
"""What is said of the onset, the confirming row and the row that ended it."""
OTHER_MARKS = ("starts here", "shows it", "ends here")
ALIKE = 4
"""So many observations in a row that say the same are put in one line."""


@dataclass(frozen=True)
class ExplainedRow:
    """One observation of an explanation: what was seen, what it means, where it stands."""

    day: int
    seen: str
    means: str
    source: str
    first_line: int


@dataclass(frozen=True)
class Explanation:
    """Why one patient has the verdict on one endpoint."""

    patient: str
    endpoint: str
    label: str
    title: str
    value: str
    reason: str
    day: int | None
    needs: str
    lines: tuple[ExplainedRow, ...]
    missing: str
    origin: str = ""
    rests_on: tuple[str, ...] = ()
    """The verdicts it sums up, a sentence each."""
    lasted: str = ""
    """Of a time: how long."""
    unsure: str = ""
    """The dates known only in part on which the verdict does not hang."""
    told: tuple[str, ...] = ()
    """What of the patient was not taken as written: dates imputed, rows left out; a sentence each."""
    changes: tuple[Counterfactual, ...] | None = None
    """The changes of one observation that would turn it, nearest first: of each kind and verdict the smallest, and
    every observation whose loss would. None: that is not asked, of an `NA`, of a length, of dates known only in part.
    """
    turns: tuple[str, ...] = ()
    """The nearest of them, what a `Y` rests on, and how near an `N` came that none would turn, a sentence each."""

    @property
    def verdict(self) -> str:
        """The verdict with its day and its reason, `N on day 42 (bleeding)`; of a time, how long it is."""
        when = f" on day {self.day}" if self.day is not None else ""
        reason = "" if self.reason in ("met", "event") else f" ({reason_in_words(self.reason)})"
        return f"{self.lasted or f'{self.value}{when}'}{reason}"

    @property
    def observations(self) -> list[tuple[str, str, str, str]]:
        """The day, what was seen, what it means and where it stands; a long row of alike ones is one entry."""
        return list(_observations(self.lines))

    def __str__(self) -> str:
        head = f"{self.patient}  {self.endpoint}: {self.verdict}    {self.title}, {self.label}"
        beside = [line for sentence in (*self.turns, *self.told) for line in _body(sentence)]
        if self.origin:
            return "\n".join([head, f"  {self.origin}", *beside])
        body = wrapped(self.needs, WIDTH, first="  ", break_on_hyphens=True)
        if self.lines:
            body.append(aligned(self.observations, indent="  "))
        body += [f"  {sentence}" for sentence in self.rests_on]
        if self.missing:
            body += _body(f"missing: {self.missing}")
        body += _body(self.unsure)
        return "\n".join([head, *body, *beside])


def _body(sentence: str) -> list[str]:
    return wrapped(sentence, WIDTH, first="  ")


def explain(
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    patient: str,
    endpoint: str | None = None,
    options: ReadOptions | None = None,
    turns: bool = True,
) -> list[Explanation]:
    """Why a patient has his verdicts: one explanation per endpoint, or that of one.

    `visits`, `patients`, `criteria` and `options` are as in `classify`.
    What would turn a verdict takes most of the time; without `turns` it is not asked.
    Raises `UsageError` for a patient or endpoint that is not there.
    """
    found = classify(visits, patients, criteria, options=options)
    alone, shown = only(found, patient, endpoint)
    turning = counterfactuals(alone, np.array([0]), shown) if turns else {}
    return explained(alone, shown, turning)


def only(classification: Classification, patient: str, endpoint: str | None) -> tuple[Classification, list[str]]:
    """The classification of one patient, and the names of the criteria asked about: all, or one.

    Raises `UsageError` for a patient or endpoint that is not there.
    """
    position = classification.cohort.position(patient)
    if position is None:
        raise UsageError(unknown_patient(classification.cohort, patient))
    names = list(classification.criteria.endpoints)
    if endpoint is not None and endpoint not in names:
        raise UsageError(unknown("endpoint", endpoint, names))
    return of_one(classification, position), names if endpoint is None else [endpoint]


def of_one(classification: Classification, position: int) -> Classification:
    """The classification of the patient at that position alone."""
    begin = int(classification.cohort.first_row[position])
    verdicts = {name: verdict.only(position, begin) for name, verdict in classification.verdicts.items()}
    return Classification(classification.criteria, classification.cohort.only(position), verdicts)


def explained(alone: Classification, names: Sequence[str], turning: Mapping[str, Counterfactuals]) -> list[Explanation]:
    """Why the one patient of a classification has his verdicts on these criteria, and, where asked, what turns them."""
    rows = patient_days_of(alone.criteria, alone.cohort, 0, 1)
    return [_explained(alone, rows, name, turning.get(name)) for name in names]


def unknown_patient(cohort: Cohort, patient: str) -> str:
    """The sentence for a patient who is not in the cohort."""
    ids = cohort.id.to_list()
    shown = ", ".join(ids[:3]) + (f" … {ids[-1]}" if len(ids) > 3 else "")
    among = f"among the {len(ids):,} of {cohort.source or 'the cohort'}"
    return f"there is no patient {patient!r} {among}: {shown}.{nearest(patient, ids)}"


def _explained(
    alone: Classification, patient_days: PatientDays, name: str, turning: Counterfactuals | None
) -> Explanation:
    criteria, cohort, verdicts = alone.criteria, alone.cohort, alone.verdicts
    model, verdict = criteria.endpoints[name], verdicts[name]
    value = verdict.labels[int(verdict.value[0])]
    reason = criteria.reasons.names[int(verdict.reason[0])]
    day = int(patient_days.day_of(verdict.dated)[0])
    hangs = value == "NE" and reason == "partial_date"
    asked = value != "NA" and asks(model) and cohort.partial is None
    changes = changes_of(alone, turning) if asked and turning is not None else None
    lines = () if hangs else tuple(_lines(criteria, cohort, patient_days, verdicts, name))
    return Explanation(
        patient=cohort.id[0],
        endpoint=name,
        label=model.label,
        title=criteria.marked_name,
        value=value,
        reason=reason,
        day=None if day == NO_DAY else day,
        needs=KINDS[model.kind].sentence(model),
        lines=lines,
        origin="" if hangs else _origin(model, verdicts),
        rests_on=() if hangs else tuple(_rests_on(criteria, patient_days, verdicts, name)),
        lasted="" if hangs else _lasted(model, value, verdict),
        missing=_dates_missing(criteria, cohort, name)
        if hangs
        else _missing(criteria, cohort, patient_days, name, value, reason),
        unsure="" if hangs else _dates_unsure(cohort),
        told=tuple(_told(cohort)),
        changes=changes,
        turns=() if changes is None else tuple(sentences(alone, name, changes, [line.day for line in lines])),
    )


def _origin(model: Any, verdicts: Settled) -> str:
    """That the endpoint this one starts from was not met; nothing where it was."""
    keys = {"from", "after"} if model.kind != "time_to" or model.references().get("from") else {"to"}
    said = []
    for key, other in model.references().items():
        value = verdicts[other].labels[int(verdicts[other].value[0])]
        if key in keys and value != "Y":
            said.append(f"{other}, on which it rests, is {value}")
    return "; ".join(said)


def _rests_on(criteria: Criteria, patient_days: PatientDays, verdicts: Settled, name: str) -> Iterator[str]:
    """Each verdict that a `combined` or a `best` sums up, with its day or its reason."""
    if criteria.endpoints[name].kind not in SUMS_UP:
        return
    for other in dict.fromkeys(criteria.endpoints[name].references().values()):
        verdict = verdicts[other]
        value, day = verdict.labels[int(verdict.value[0])], int(patient_days.day_of(verdict.dated)[0])
        reason = criteria.reasons.names[int(verdict.reason[0])]
        said = f"on day {day}" if day != NO_DAY else f"({reason_in_words(reason)})"
        yield f"{other}: {value} {said}"


def _lasted(model: Any, value: str, verdict: Verdict) -> str:
    """How long the time of an `extent` is, and of how long; with the verdict, where it asks for so much."""
    if model.kind != "extent" or verdict.days is None or verdict.of_days is None or verdict.days[0] == NO_DAY:
        return ""
    days = f"{counted(int(verdict.days[0]), 'day')} of {counted(int(verdict.of_days[0]), 'day')} observed"
    return days if model.at_least is None else f"{value}, {days}"


# OBSERVATIONS


def _lines(
    criteria: Criteria, cohort: Cohort, patient_days: PatientDays, verdicts: Settled, name: str
) -> Iterator[ExplainedRow]:
    """The observations the verdict rests on, or was looked for in, with what each means for the endpoint."""
    model, verdict = criteria.endpoints[name], verdicts[name]
    rule = getattr(model, "when", None)
    if model.kind in SUMS_UP:
        return
    evidence = (verdict.onset, verdict.confirming, verdict.ended)
    words = MARKS.get(model.kind, OTHER_MARKS)
    marks = {int(row[0]): word for row, word in zip(evidence, words, strict=True) if word and row[0] != NONE}
    if model.kind == "visits" and model.visits:
        yield from _planned_lines(cohort, patient_days, model, marks)
        return
    shown = _shown(model, patient_days, verdicts, name, marks)
    early = _too_early(model, patient_days, shown)
    for row in shown:
        means = [] if rule is None else [_meaning(model, patient_days, rule, row) + early.get(row, "")]
        if model.kind == "at" and marks and row not in marks:
            means = ["not taken"]
        if row in marks:
            means.append(marks[row])
        yield _line(cohort, patient_days, row, means)


def _line(cohort: Cohort, patient_days: PatientDays, row: int, means: list[str]) -> ExplainedRow:
    return ExplainedRow(
        day=int(patient_days.day[row]),
        seen=_seen(cohort, row),
        means="; ".join(means),
        source=cohort.place(row),
        first_line=int(cohort.source_row[row]),
    )


def _planned_lines(
    cohort: Cohort, patient_days: PatientDays, model: Any, marks: dict[int, str]
) -> Iterator[ExplainedRow]:
    """A line per planned visit: the count taken for it, or that there is none; and the row that closed it."""
    lines = []
    for day, row in zip(model.visits, planned(model, patient_days)[0].tolist(), strict=True):
        if row == NONE:
            lines.append(ExplainedRow(day, "no count", f"the visit of day {day} {TREATED[model.missing]}", "", 0))
            continue
        means = [_meaning(model, patient_days, model.when, row), *filter(None, [marks.get(row, "")])]
        if int(patient_days.day[row]) != day:
            means.insert(0, f"for day {day}")
        lines.append(_line(cohort, patient_days, row, means))
    taken = {line.day for line in lines if line.source}
    closing = [row for row, word in marks.items() if word == "ends here" and int(patient_days.day[row]) not in taken]
    lines += [_line(cohort, patient_days, row, ["ends here"]) for row in closing]
    yield from sorted(lines, key=lambda line: line.day)


def _too_early(model: Any, patient_days: PatientDays, shown: list[int]) -> dict[int, str]:
    """Of the rows in the state those that come too soon after an occasion to be another, and how soon."""
    if model.kind != "achieved" or model.occasions == 1 or model.apart.unit != "days":
        return {}
    state = decide(model.when.tree, patient_days)
    stands = state.true if model.discount is None else state.true & decide(model.discount.tree, patient_days).false
    found, occasion = {}, None
    for row in shown:
        if state.false[row] and model.between == "unbroken":
            occasion = None
        if not stands[row]:
            continue
        day = int(patient_days.day[row])
        if occasion is None or day - occasion >= model.apart.number:
            occasion = day
        else:
            found[row] = f", but only {counted(day - occasion, 'day')} after day {occasion}"
    return found


def _shown(model: Any, patient_days: PatientDays, verdicts: Settled, name: str, marks: dict[int, str]) -> list[int]:
    """The rows to show: those from where the endpoint starts to where it was decided."""
    every = range(len(patient_days.day))
    if getattr(model, "when", None) is None:
        return sorted(marks)
    verdict = verdicts[name]
    decided = bool(verdict.ended[0] != NONE or verdict.dated[0] != NONE)
    settled = bool(marks) and decided and model.kind != "extent"
    end = max(marks) if settled else len(patient_days.day) - 1
    origin = getattr(model, "from_", None) or getattr(model, "after", None)
    if origin is None:
        first, last = getattr(model, "within" if model.kind == "at" else "days", (-np.inf, np.inf))
        if model.kind == "at":
            end = len(patient_days.day) - 1
        return [row for row in every if first <= patient_days.day[row] <= last and row <= end]
    start = verdicts[origin]
    begin = int(start.onset[0] if model.kind != "lost" else start.last_witness[0])
    if begin == NONE:
        return []
    return [row for row in every if begin <= row <= end]


def _meaning(model: Any, patient_days: PatientDays, rule: Rule, row: int) -> str:
    set_aside = getattr(model, "set_aside", None)
    if set_aside is not None and not decide(set_aside.tree, patient_days).false[row]:
        return f"passed over: {_why(set_aside.tree, patient_days, row, True)}"
    truths = decide(rule.tree, patient_days)
    if truths.unknown[row]:
        return f"unknown: {', '.join(_unknown_names(rule.tree, patient_days, row))}"
    if model.kind == "lost":
        return f"loss: {_why(rule.tree, patient_days, row, True)}" if truths.true[row] else "no loss"
    if not truths.true[row]:
        return f"fails: {_why(rule.tree, patient_days, row, False)}"
    discount = getattr(model, "discount", None)
    if discount is not None and not decide(discount.tree, patient_days).false[row]:
        return f"would qualify, but no evidence: {_why(discount.tree, patient_days, row, True)}"
    return "qualifies"


def _why(tree: Tree, patient_days: PatientDays, row: int, holds: bool) -> str:
    """The clause by which a rule holds, or does not, at a row."""
    tree = opened(tree)
    match tree:
        case Not(part=part):
            return _why(part, patient_days, row, not holds)
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                truths = decide(part, patient_days)
                if (truths.true if holds else truths.false)[row]:
                    return _why(part, patient_days, row, holds)
        case Relation():
            return _with_numbers(tree, patient_days, row, tree_in_words(tree) if holds else denied_in_words(tree))
    return tree_in_words(tree) if holds else denied_in_words(tree)


def _with_numbers(tree: Relation, patient_days: PatientDays, row: int, text: str) -> str:
    """The clause with the number that twice the baseline comes to."""
    if "baseline" not in set(names_in(tree.right)):
        return text
    values = numbers(tree.right, patient_days)
    low = values.low[row] if values.low.ndim else values.low
    return f"{text}, {number_in_words(float(low))}"


def _unknown_names(tree: Tree, patient_days: PatientDays, row: int) -> list[str]:
    """What was not observed at a row that left a rule unknown."""
    found = []
    for name in dict.fromkeys(names_in(tree)):
        column = patient_days.values(name)
        match column:
            case Numbers(low=low, high=high) if np.isnan(low[row]):
                found.append(MISSING.get(name, f"{name} not recorded"))
            case Numbers(low=low, high=high) if low[row] != high[row]:
                found.append(f"{name} known only as a bound")
            case Truths() if column.unknown[row]:
                found.append(f"{name} not recorded")
    return found


def _seen(cohort: Cohort, row: int) -> str:
    seen = [_count(cohort.platelets, row)]
    grade = cohort.bleeding_grade[row]
    if grade > 0:
        seen.append(f"bleeding grade {number_in_words(float(grade))}")
    if cohort.rescue[row]:
        seen.append("rescue")
    return ", ".join(filter(None, seen)) or "no count"


def _count(counts: Numbers, row: int) -> str:
    return count_in_words(float(counts.low[row]), float(counts.high[row]))


def _observations(lines: tuple[ExplainedRow, ...]) -> Iterator[tuple[str, str, str, str]]:
    """The observations in words; a long row of alike ones is put in one entry."""
    for means, group in groupby(lines, key=lambda line: line.means):
        alike = list(group)
        if len(alike) < ALIKE:
            yield from ((f"day {line.day}", line.seen, line.means, line.source) for line in alike)
        else:
            first, last = alike[0], alike[-1]
            yield f"day {first.day} to {last.day}", f"{len(alike)} observations", f"each {means}", ""


# WHAT IS MISSING


def _missing(
    criteria: Criteria,
    cohort: Cohort,
    patient_days: PatientDays,
    name: str,
    value: str,
    reason: str,
) -> str:
    """What would have to be known for the verdict to be given; nothing where it is given."""
    if value != "NE":
        return ""
    model = criteria.endpoints[name]
    last = int(patient_days.day_of(patient_days.last_count)[0])
    seen = "there is no count" if last == NO_DAY else f"the last is of day {last}"
    followed_from = model.followed_from if model.followed_from is not None else criteria.file.clock.followed_from
    first, final = criteria.file.baseline.days
    match reason:
        case "follow_up_ended":
            until = getattr(model, "until", None) if model.kind == "maintained" else None
            since = until[0] if until else followed_from
            if model.kind == "maintained" and until is None:
                return f"an observation on or after the end of the time it must be kept; of the counts {seen}"
            return f"a count on day {number_in_words(since)} or later; {seen}"
        case "no_counts":
            return f"any count in the days looked at; {seen}"
        case "gap_in_counts":
            return "counts between those that lie too far apart"
        case "baseline_missing":
            return (
                f"a baseline: none is given, and there is no count from day {number_in_words(first)} "
                f"to {number_in_words(final)}"
            )
        case "bleeding_not_recorded":
            return "whether there was bleeding, where it was not recorded"
        case "censored_count":
            return counts_missing(criteria, cohort, name)
    return ""


# DATES KNOWN ONLY IN PART

WHAT = ("date of {}", "end of the rescue of {}", "date of enrolment", "date treatment was stopped")


def _dates_missing(criteria: Criteria, cohort: Cohort, name: str) -> str:
    """The dates that decide, and for each verdict days on which it would be given."""
    assert cohort.partial is not None
    dates = cohort.partial.dates
    missing = listed(
        [f"the {what}, which is only {written!r}" for what, written in _dates_named(cohort, cohort.partial.dates)]
    )
    said = []
    for some, verdicts in evaluate_completions(criteria, cohort):
        verdict = verdicts[name]
        for value, place in zip(*np.unique(verdict.value, return_index=True), strict=True):
            days = listed([str(day) for day in days_in(dates, int(some.way[place]))])
            said.append(f"{verdict.labels[value]} if {'it is' if len(dates.at) == 1 else 'they are'} {days}")
    if not said:
        return f"{missing}; they may lie in more ways than are looked at"
    if len(said) == 1:
        return f"{missing}; why it is NE hangs on {'it' if len(dates.at) == 1 else 'them'}"
    return f"{missing}: {', '.join(said)}"


def _dates_unsure(cohort: Cohort) -> str:
    if cohort.partial is None:
        return ""
    dates = _dates_named(cohort, cohort.partial.dates)
    known = listed([f"the {what} is only {written!r}" for what, written in dates])
    return f"the same on all days that may be meant: {known}; shown as of the first"


def _told(cohort: Cohort) -> Iterator[str]:
    """What of a patient was not taken as written."""
    if cohort.imputed is not None and len(cohort.imputed.taken):
        named = _dates_named(cohort, cohort.imputed.dates)
        days = zip(named, cohort.imputed.taken.tolist(), strict=True)
        said = [f"the {what} is only {written!r}, taken as {day}" for (what, written), day in days]
        yield f"imputed: {listed(said)}"
    if cohort.quarantined is not None and cohort.quarantined[0]:
        yield f"left out, as they cannot be read: {counted(int(cohort.quarantined[0]), 'row')} of this patient"


def _dates_named(cohort: Cohort, dates: PartialDates) -> list[tuple[str, str]]:
    """Of a patient's dates known only in part, what they are of and what is known."""
    what = [
        WHAT[one].format(cohort.named([line]))
        for one, line in zip(dates.what.tolist(), dates.line.tolist(), strict=True)
    ]
    return list(zip(what, dates.written.fill_null("").to_list(), strict=True))
