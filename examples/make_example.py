"""Invent the example study: visits.csv and patients.csv beside this script.

All data are invented. No patient stands behind any row.
The cohort was made to the counts printed by Wu et al., Blood 2022;139(3):333-342 (NCT03304288), so that
`criteria/atra_2022.toml` gives the paper's table of responses again. It shows how the program is used; that its
results agree with the paper is by construction and says nothing about the trial or its treatments.

Each patient is first given a course (the day of response, of relapse, of rescue, of the last visit), then counts
that follow it. The same seed gives the same files, byte for byte.

    python examples/make_example.py
"""

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

SEED = 20220120
FOLDER = Path(__file__).parent

VISITS = [0, 7, 14, 21, 28, 42, 56, 70, 84, 98, 112, 126, 140, 154, 168, 196, 224, 252, 280, 308, 336, 364]
ONE_YEAR = 364
SUSTAINED = 182  # days a response must last to be called sustained
WASHOUT = 35  # days after a rescue course in which a count is no evidence of response
LATE = 36  # first day on which rescue treatment counts as failure
PRIOR = (
    "ivig",
    "vincristine",
    "rhtpo",
    "cyclosporin",
    "danazol",
    "azathioprine",
    "mycophenolate",
    "splenectomy",
    "herbs",
)

Knots = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Arm:
    """What the paper prints of one arm, and the courses chosen to give it."""

    name: str
    # Day of response -> days of relapse, before the response was sustained and after.
    # The days are chosen so that the quartiles of time to response and the medians of duration come out as printed.
    early_relapse: dict[int, list[int]]
    late_relapse: dict[int, list[int]]
    remission: dict[int, int]  # day of response -> patients
    # Complete responders among remissions, late and early relapses.
    # Of all 59, 55 are sustained: that gives the printed association of the two.
    complete: tuple[int, int, int]
    # How relapses show, where it is not a low count alone: rescue at a count above 30, rescue at a low count,
    # rescue some time after the low count, bleeding at a count above 30.
    relapse_shown: dict[str, int]
    discontinued: list[tuple[int, str]]
    # Patients who finished treatment without a response: with rescue, followed without rescue, lost without rescue.
    no_response: tuple[int, int, int]
    lost_after: int  # last visit of the last of these
    # Last visit at week 44 or 48 though treatment was completed: relapsed at week 44 and 48, rescued at week 48.
    last_seen: tuple[int, int, int]
    entry_bleeding: tuple[int, int, int, int, int]  # patients by WHO grade
    severe: tuple[int, int]  # grade 3 or 4 at entry: with and without overall response
    # Patients with and without overall response. Not printed, but the only whole numbers that give the printed odds
    # ratios and intervals: men 62 of 83, women of childbearing age 36 of 48, danazol before 25 of 36,
    # long disease 108 of 146, grade 3 or 4 at entry 9 of 11 with response. How they fall to the arms, where the
    # paper does not print it, and the limits of 12 months and of 50 years are made up.
    male: tuple[int, int]
    childbearing: tuple[int, int]
    danazol: tuple[int, int]
    recent: tuple[int, int]  # disease of less than 12 months
    maintenance: tuple[int, int, int, int]  # complete and sustained, sustained only, response only, no response
    prior: dict[str, int]  # the rest of the previous treatments
    # Order statistics: (position in the sorted list, value), which fix the printed quartiles.
    age: Knots
    baseline: Knots
    long_duration: Knots
    short_duration: Knots


ARMS = (
    Arm(
        name="ATRA + LD-RTX",
        early_relapse={
            7: [70, 98],
            14: [42, 70],
            21: [98, 112, 140, 140, 224],
            28: [56, 56, 56, 154, 168, 168, 196, 196],
            42: [98, 98, 98],
            56: [126],
            140: [224],
        },
        late_relapse={
            14: [224, 280, 308, 336],
            21: [280, 280, 280, 308],
            28: [252, 252, 308, 336],
            42: [280, 280, 308, 308],
            56: [308, 336, 364, 364],
            70: [364],
        },
        remission={7: 1, 14: 3, 21: 7, 28: 12, 42: 13, 56: 5, 70: 3, 84: 2, 112: 1},
        complete=(32, 10, 3),
        relapse_shown={"rescue": 3, "rescued": 5, "rescued later": 2, "bleeding": 4},
        discontinued=[
            (14, "lost to follow-up"),
            (21, "lost to follow-up"),
            (21, "lost to follow-up"),
            (27, "death"),
            (28, "lost to follow-up"),
            *[(42, "other intervention")] * 5,
            (42, "lost to follow-up"),
            (56, "other intervention"),
            (56, "adverse event"),
            (70, "lost to follow-up"),
        ],
        no_response=(5, 2, 1),
        lost_after=308,
        last_seen=(1, 7, 2),
        entry_bleeding=(53, 40, 11, 5, 3),
        severe=(7, 1),
        male=(48, 11),
        childbearing=(24, 6),
        danazol=(16, 5),
        recent=(12, 3),
        maintenance=(5, 7, 2, 2),
        prior={
            "ivig": 20,
            "vincristine": 2,
            "rhtpo": 21,
            "cyclosporin": 12,
            "azathioprine": 4,
            "mycophenolate": 8,
            "splenectomy": 1,
            "herbs": 7,
        },
        age=[(1, 18), (28.25, 36), (56.5, 46), (84.75, 55.75), (112, 78)],
        baseline=[(1, 2), (28.25, 14), (56.5, 17), (84.75, 21), (108, 29), (109, 31), (111, 40), (112, 56)],
        long_duration=[(1, 13), (13.25, 15), (41.5, 20), (69, 32), (70, 33), (97, 140)],
        short_duration=[(1, 3), (15, 11)],
    ),
    Arm(
        name="LD-RTX",
        early_relapse={21: [84, 196], 28: [98, 126, 154, 168, 168, 224], 56: [196, 196]},
        late_relapse={
            14: [336, 336],
            21: [252, 308, 364],
            28: [252, 252, 336],
            42: [252, 336, 364],
            56: [308, 336, 336],
            70: [364],
            98: [308],
        },
        remission={28: 3, 42: 3, 70: 1},
        complete=(5, 8, 1),
        relapse_shown={"rescue": 3, "rescued": 4, "rescued later": 2, "bleeding": 2},
        discontinued=[
            (14, "lost to follow-up"),
            (21, "other intervention"),
            (28, "other intervention"),
            (28, "other intervention"),
            (28, "lost to follow-up"),
            (42, "adverse event"),
            (42, "other intervention"),
            (42, "lost to follow-up"),
        ],
        no_response=(9, 5, 1),
        lost_after=336,
        last_seen=(1, 4, 3),
        entry_bleeding=(31, 17, 5, 2, 1),
        severe=(2, 1),
        male=(14, 10),
        childbearing=(12, 6),
        danazol=(9, 6),
        recent=(3, 4),
        maintenance=(3, 2, 3, 2),
        prior={
            "ivig": 14,
            "vincristine": 3,
            "rhtpo": 8,
            "cyclosporin": 9,
            "azathioprine": 3,
            "mycophenolate": 8,
            "splenectomy": 1,
            "herbs": 9,
        },
        age=[(1, 19), (14.25, 36), (28.5, 44.5), (42, 58), (43, 58), (56, 76)],
        baseline=[(1, 3), (14.25, 14), (28.5, 19), (42.75, 25), (54, 29), (55, 32), (56, 36)],
        long_duration=[(1, 13), (7.25, 15), (21.5, 20.5), (35, 27), (36, 27), (49, 110)],
        short_duration=[(1, 4), (7, 11)],
    ),
)


class Rescue(NamedTuple):
    first: int
    last: int
    drug: str


@dataclass
class Patient:
    """A planned course, in days since enrolment."""

    arm: str
    response: int | None = None
    relapse: int | None = None
    relapse_shown: str = "low count"
    complete: bool = False
    lone_count: int | None = None  # a visit with a count high enough, before and after which there is none
    last_visit: int = ONE_YEAR
    rescues: list[Rescue] = field(default_factory=list)
    discontinued: int | None = None
    reason: str = ""
    entry_bleeding: int = 0
    baseline: int = 0
    patient_id: str = ""
    enrolled: date = date(2017, 10, 9)
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def responds(self) -> bool:
        # Whoever discontinued is a nonresponder, whatever the counts.
        return self.response is not None and self.discontinued is None

    @property
    def sustained(self) -> bool:
        return self.responds and (self.relapse is None or self.relapse > visit_from(self.response, SUSTAINED))

    @property
    def remains(self) -> bool:
        return self.responds and self.relapse is None

    @property
    def threshold(self) -> int:
        """The least count that is a response."""
        return min(100, max(30, 2 * self.baseline))

    @property
    def highest(self) -> int:
        """The highest count of a response; one of 100 or more on two visits would make it complete."""
        return 420 if self.complete else 99

    @property
    def closed(self) -> int:
        """The day of the first late rescue: from here on no response can begin."""
        return min((rescue.first for rescue in self.rescues if rescue.first >= LATE), default=ONE_YEAR + 100)

    @property
    def complete_on(self) -> list[int]:
        """The two visits that show the complete response: neither the first of the response nor its last."""
        if not (self.complete and self.response is not None):
            return []
        return [visit for visit in VISITS if visit > self.response][1:3]

    @property
    def key_days(self) -> set[int]:
        """Days that a verdict rests on: kept on visit_plan, with everything recorded."""
        days = {
            0,
            308,
            336,
            self.last_visit,
            self.relapse,
            self.lone_count,
            *self.complete_on,
            *(r.first for r in self.rescues),
        }
        if self.response is not None:
            days |= {self.response, visit_from(self.response, 7), visit_from(self.response, SUSTAINED)}
        return {day for day in days if day is not None}

    def discounted(self, day: int) -> bool:
        return any(rescue.first < day <= rescue.last + WASHOUT for rescue in self.rescues)


@dataclass
class Row:
    visit: str
    platelets: str = ""
    bleeding: str = ""
    rescue: str = ""
    rescue_last: int | None = None


def visit_from(day: int | None, later: int) -> int:
    """The first planned visit so many days after `day`, or later."""
    assert day is not None
    return min(visit for visit in VISITS if visit >= day + later)


def pick(rng: np.random.Generator, patients: Iterable[Patient], number: int) -> list[Patient]:
    pool = list(patients)
    return [pool[place] for place in sorted(rng.choice(len(pool), number, replace=False))]


def spread(knots: Knots) -> list[int]:
    """A sorted list that has the given values at the given positions, evenly spaced between."""
    positions, values = zip(*knots, strict=True)
    places = np.arange(1, int(positions[-1]) + 1)
    return [math.floor(value + 0.5) for value in np.interp(places, positions, values)]


def shuffled(rng: np.random.Generator, values: Sequence[int]) -> list[int]:
    return [values[place] for place in rng.permutation(len(values))]


# Courses


def invent_arm(arm: Arm, rng: np.random.Generator) -> list[Patient]:
    patients = responders(arm, rng) + discontinued(arm, rng) + nonresponders(arm, rng)
    shorten_follow_up(arm, patients, rng)
    set_entry_bleeding(arm, patients, rng)
    set_baseline(arm, patients, rng)
    set_characteristics(arm, patients, rng)
    return patients


def responders(arm: Arm, rng: np.random.Generator) -> list[Patient]:
    remission = [Patient(arm.name, day) for day, number in arm.remission.items() for _ in range(number)]
    late = [Patient(arm.name, day, relapse) for day, days in arm.late_relapse.items() for relapse in days]
    early = [Patient(arm.name, day, relapse) for day, days in arm.early_relapse.items() for relapse in days]

    # A complete response needs time to show itself before an early relapse.
    long_enough = [p for p in early if p.relapse and p.response and p.relapse - p.response >= 84]
    for group, number in zip((remission, late, long_enough), arm.complete, strict=True):
        for patient in pick(rng, group, number):
            patient.complete = True

    set_relapses(arm, late + early, rng)
    set_one_year_visit(remission, rng)
    return remission + late + early


def set_relapses(arm: Arm, relapsed: list[Patient], rng: np.random.Generator) -> None:
    for shown, number in arm.relapse_shown.items():
        # A rescue some time later needs that time.
        latest = 251 if shown == "rescued later" else ONE_YEAR
        free = [p for p in relapsed if p.relapse_shown == "low count" and p.relapse and p.relapse <= latest]
        for patient in pick(rng, free, number):
            assert patient.relapse is not None
            patient.relapse_shown = shown
            if shown == "rescued later":
                patient.rescues.append(late_course(patient.relapse + int(rng.integers(5, 20)), rng))
            elif shown != "bleeding":
                patient.rescues.append(late_course(patient.relapse, rng))


def set_one_year_visit(remission: list[Patient], rng: np.random.Generator) -> None:
    """Few come on the very day; two come after the year is over, which the trial's window admits."""
    after = [p for p in remission if p.response == 28][:2] if len(remission) > 10 else []
    for patient, day in zip(after, (371, 378), strict=False):
        patient.last_visit = day
    for patient in remission:
        if patient not in after and patient.response is not None and patient.response <= 42 and rng.random() < 0.3:
            patient.last_visit = int(rng.choice([359, 361, 362, 363, 365]))


def late_course(day: int, rng: np.random.Generator) -> Rescue:
    drug, days = [("IVIg", 3), ("dexamethasone", 4), ("rhTPO", 14), ("platelet transfusion", 1)][rng.integers(4)]
    return Rescue(day, day + days - 1, drug)


def discontinued(arm: Arm, rng: np.random.Generator) -> list[Patient]:
    patients = []
    for day, reason in arm.discontinued:
        patient = Patient(arm.name, discontinued=day, reason=reason, last_visit=day)
        if reason == "lost to follow-up":
            patient.last_visit = max(visit for visit in VISITS if visit < day)
        elif reason == "other intervention":
            drug = str(rng.choice(["eltrombopag", "rhTPO", "high-dose dexamethasone", "IVIg"]))
            patient.rescues.append(Rescue(day, day, drug))
        elif reason == "adverse event":
            patient.response = 21  # by the counts; stopping treatment makes it no response all the same
        patients.append(patient)
    return patients


def nonresponders(arm: Arm, rng: np.random.Generator) -> list[Patient]:
    rescued, followed, lost = arm.no_response
    patients = []
    for number in range(rescued):
        patient = Patient(arm.name)
        if number % 3 == 0:  # an early course as well, whose effect is washed out
            patient.rescues.append(Rescue(3, 6, "dexamethasone"))
        day = int(rng.choice([42, 44, 56, 63, 70, 84, 98, 112, 145, 168, 200]))
        patient.rescues.append(late_course(day, rng))
        if number % 4 == 1:
            patient.rescues.append(late_course(day + 61, rng))
        patients.append(patient)
    patients += [Patient(arm.name, lone_count=84 if number == 0 else None) for number in range(followed)]
    patients += [Patient(arm.name, last_visit=arm.lost_after) for _ in range(lost)]
    return patients


def shorten_follow_up(arm: Arm, patients: list[Patient], rng: np.random.Generator) -> None:
    week_44, week_48, rescued_week_48 = arm.last_seen
    seen = [p for p in patients if p.relapse is not None and p.relapse <= 280]
    last = pick(rng, seen, week_44 + week_48)
    for patient in last[:week_44]:
        patient.last_visit = 308
    for patient in last[week_44:]:
        patient.last_visit = 336
    rescued = [p for p in patients if p.response is None and not p.discontinued and p.rescues]
    for patient in pick(rng, rescued, rescued_week_48):
        patient.last_visit = 336


def set_entry_bleeding(arm: Arm, patients: list[Patient], rng: np.random.Generator) -> None:
    """Severe bleeding at entry is treated at once, so that the response can only be told later."""
    respond, fail = arm.severe
    severe = pick(rng, (p for p in patients if p.responds and p.response is not None and p.response >= 42), respond)
    died = [p for p in patients if p.reason == "death"]
    rescued = [p for p in patients if p.response is None and not p.discontinued and p.closed < ONE_YEAR]
    severe = (died or rescued[1:2])[:fail] + severe

    # The highest grade to the first: to the patient who died, where there is one.
    grades = [4] * arm.entry_bleeding[4] + [3] * arm.entry_bleeding[3]
    for patient, grade in zip(severe, grades, strict=True):
        patient.entry_bleeding = grade
        patient.rescues[:0] = early_courses(patient, rng)

    milder = [grade for grade in (0, 1, 2) for _ in range(arm.entry_bleeding[grade])]
    others = [p for p in patients if not any(p is q for q in severe)]
    for patient, grade in zip(others, shuffled(rng, milder), strict=True):
        patient.entry_bleeding = grade


def early_courses(patient: Patient, rng: np.random.Generator) -> list[Rescue]:
    """Courses that are washed out by the day of response."""
    day = int(rng.integers(0, 3))
    drug = str(rng.choice(["IVIg", "methylprednisolone", "dexamethasone"]))
    courses = [Rescue(day, day + 3, drug)]
    if patient.reason == "death":
        courses.append(Rescue(22, 22, "platelet transfusion"))
    elif patient.response is not None and patient.response >= 56:
        courses.append(Rescue(14, 14, "platelet transfusion") if rng.random() < 0.5 else Rescue(14, 20, "rhTPO"))
    return courses


def set_baseline(arm: Arm, patients: list[Patient], rng: np.random.Generator) -> None:
    counts = spread(arm.baseline)
    # A count of 30 or more was admitted with bleeding only.
    # Its double is near 100 or above, so of those who respond only the complete responders can have it.
    high = [count for count in counts if count >= 30]
    may_be_high = [p for p in patients if p.entry_bleeding in (1, 2) and (p.complete or not p.responds)]
    severe = [p for p in patients if p.entry_bleeding >= 3]
    with_high = pick(rng, (p for p in may_be_high if p.response is None or p.responds), len(high))
    others = [p for p in patients if not any(p is q for q in severe + with_high)]

    low, rest = counts[: len(severe) + 6], counts[len(severe) + 6 : len(counts) - len(high)]
    low = shuffled(rng, low)
    rest = shuffled(rng, rest + low[len(severe) :])
    for group, values in ((with_high, high), (severe, low[: len(severe)]), (others, rest)):
        for patient, count in zip(group, values, strict=True):
            patient.baseline = count


# Characteristics


def mark(rng: np.random.Generator, patients: list[Patient], name: str, numbers: Sequence[int]) -> None:
    """`yes` for so many of those with and without overall response, `no` for all others."""
    with_response, without = numbers
    chosen = pick(rng, (p for p in patients if p.responds), with_response)
    chosen += pick(rng, (p for p in patients if not p.responds), without)
    for patient in patients:
        patient.columns.setdefault(name, "no")
    for patient in chosen:
        patient.columns[name] = "yes"


def set_characteristics(arm: Arm, patients: list[Patient], rng: np.random.Generator) -> None:
    mark(rng, patients, "male", arm.male)
    women = [p for p in patients if p.columns["male"] == "no"]
    for patient in patients:
        patient.columns["childbearing_female"] = "no"
    mark(rng, women, "childbearing_female", arm.childbearing)
    set_age(arm, patients, rng)

    mark(rng, patients, "recent", arm.recent)
    for name, knots in (("yes", arm.short_duration), ("no", arm.long_duration)):
        group = [p for p in patients if p.columns["recent"] == name]
        for patient, months in zip(group, shuffled(rng, spread(knots)), strict=True):
            patient.columns["disease_duration_months"] = str(months)

    for patient in patients:
        patient.columns["prior_corticosteroids"] = "yes"
    mark(rng, patients, "prior_danazol", arm.danazol)
    for drug, number in arm.prior.items():
        chosen = pick(rng, patients, number)
        for patient in patients:
            patient.columns[f"prior_{drug}"] = "yes" if any(patient is p for p in chosen) else "no"

    groups = (
        [p for p in patients if p.complete and p.sustained],
        [p for p in patients if not p.complete and p.sustained],
        [p for p in patients if not p.complete and p.responds and not p.sustained],
        [p for p in patients if not p.responds],
    )
    for patient in patients:
        patient.columns["maintenance"] = "no"
    for group, number in zip(groups, arm.maintenance, strict=True):
        for patient in pick(rng, group, number):
            patient.columns["maintenance"] = "yes"

    for patient in patients:
        typical = 150 if patient.complete else 190 if patient.responds else 250
        cells = round(typical * math.exp(0.45 * rng.standard_normal()))
        patient.columns["nk_cells"] = "" if rng.random() < 0.05 else str(cells)


def set_age(arm: Arm, patients: list[Patient], rng: np.random.Generator) -> None:
    ages = shuffled(rng, spread(arm.age))
    for patient in sorted(patients, key=lambda p: p.columns["male"]):  # women first: they are bound to an age
        young = patient.columns["childbearing_female"] == "yes"
        age = next(age for age in ages if patient.columns["male"] == "yes" or (age < 50) == young)
        ages.remove(age)
        patient.columns["age"] = str(age)


# Counts


def counts_allowed(patient: Patient, day: int) -> tuple[int, int]:
    """The lowest and the highest count that leave the planned course as it is."""
    rescued = patient.closed < ONE_YEAR
    if day == patient.lone_count:
        return patient.threshold, patient.threshold + 12
    if patient.response is None or day < patient.response:
        # Counts that a rescue has raised are no evidence, and after a late rescue nothing is.
        free = day > patient.closed or patient.discounted(day)
        # Below 10 rescue was given, so those without it were never seen there.
        treated = rescued or (bool(patient.rescues) and day <= 28)
        return (1 if treated else 10), (140 if free else patient.threshold - 1)
    if patient.relapse is None or day < patient.relapse:
        if day in patient.complete_on:
            return 100, patient.highest
        # A response may be of exactly 30; what is sustained must lie above, and from its first day.
        if day > visit_from(patient.response, 7):
            return 31, patient.highest
        return max(patient.threshold, 31 if patient.sustained else 30), patient.highest
    if day == patient.relapse:
        return (31, 48) if patient.relapse_shown in ("rescue", "bleeding") else (2 if rescued else 10, 29)
    return (3 if rescued else 9), 90


def trajectory(patient: Patient, rng: np.random.Generator) -> tuple[list[int], list[float]]:
    """The smooth course of the count: days, and the logarithm of the level on them."""
    failing = float(np.clip(patient.baseline * rng.uniform(0.7, 1.2), 5, 26))
    levels: dict[int, float] = {0: patient.baseline}
    for rescue in patient.rescues:
        if patient.response is None or rescue.first != patient.relapse:
            levels |= {rescue.first: failing, rescue.last + 6: rng.uniform(35, 110), rescue.last + 24: failing}
    if patient.response is None:
        levels[ONE_YEAR] = failing
    else:
        start = max(patient.threshold * 1.3, 80 if patient.complete else 42)
        plateau = rng.uniform(130, 240) if patient.complete else max(rng.uniform(50, 82), patient.threshold * 1.25)
        levels = {day: level for day, level in levels.items() if day < patient.response - 6}
        levels |= {patient.response - 4: failing * 1.2, patient.response: start, patient.response + 24: plateau}
        if patient.relapse is None:
            levels[ONE_YEAR] = max(45, plateau * rng.uniform(0.6, 1.1))
        else:
            levels = {day: level for day, level in levels.items() if day < patient.relapse}
            levels[max(patient.response + 25, patient.relapse - 30)] = max(40, plateau * 0.65)
            levels |= {patient.relapse: 19, patient.relapse + 70: rng.uniform(14, 32), ONE_YEAR + 100: 20}
    days = sorted(levels)
    return days, [math.log(max(levels[day], 2)) for day in days]


def draw(rng: np.random.Generator, level: float, lowest: int, highest: int) -> int:
    for _ in range(30):
        count = round(level * math.exp(0.19 * rng.standard_normal()))
        if lowest <= count <= highest:
            return count
    # The level lies far outside; any count near the side it lies on will do.
    if level > highest:
        return int(rng.integers(max(lowest, round(0.7 * highest)), highest + 1))
    return int(rng.integers(lowest, min(highest, round(1.25 * lowest) + 3) + 1))


def bleeding_grade(patient: Patient, day: int, count: int, rng: np.random.Generator) -> int:
    if day == 0:
        return patient.entry_bleeding
    if day == patient.relapse and patient.relapse_shown == "bleeding":
        return int(rng.choice([1, 2]))
    if patient.response is not None and patient.response <= day <= (patient.relapse or day):
        return 0
    chance = 0.4 if count < 10 else 0.15 if count < 20 else 0.03
    if rng.random() >= chance:
        return 0
    return 2 if count < 10 and rng.random() < 0.3 else 1


def visit_name(day: int) -> str:
    if day == 0:
        return "Baseline"
    return f"Week {day // 7}" if day in VISITS else "Unscheduled"


def invent_rows(patient: Patient, rng: np.random.Generator) -> dict[int, Row]:
    """The patient's rows by day."""
    days, levels = trajectory(patient, rng)
    rows: dict[int, Row] = {}

    def add(day: int, visit: str) -> None:
        lowest, highest = counts_allowed(patient, day)
        count = draw(rng, math.exp(np.interp(day, days, levels)), lowest, highest)
        if day == 0:
            count = patient.baseline
        grade = bleeding_grade(patient, day, count, rng)
        # Some laboratories give the lowest counts as a bound.
        bound = count < 5 and day > 0 and rng.random() < 0.5
        rows[day] = Row(visit, "<5" if bound else str(count), str(grade))

    key_days = patient.key_days
    for visit in VISITS:
        if visit > patient.last_visit or visit == ONE_YEAR:
            continue
        chance = rng.random()
        if visit in key_days or visit <= 28:
            add(visit, visit_name(visit))
        elif chance < 0.02 and may_be_missed(patient, visit):
            continue
        else:
            add(visit + (int(rng.choice([-2, -1, 1, 2])) if chance > 0.92 else 0), visit_name(visit))
    if patient.last_visit not in VISITS or patient.last_visit == ONE_YEAR:
        add(patient.last_visit, visit_name(ONE_YEAR) if patient.last_visit > 336 else "Unscheduled")

    for rescue in patient.rescues:
        if rescue.first not in rows:
            rows[rescue.first] = Row("Unscheduled")
            if rescue.first > 5:
                add(rescue.first, "Unscheduled")
        row = rows[rescue.first]
        row.rescue = rescue.drug
        row.rescue_last = rescue.last if rescue.last > rescue.first else None
    if patient.reason == "death":
        rows[patient.last_visit] = Row("Unscheduled", "<5", "4")
    return rows


def may_be_missed(patient: Patient, visit: int) -> bool:
    """In a response only the two-weekly visits, so that no gap is too long for a sustained response."""
    in_response = patient.response is not None and visit <= (patient.relapse or visit)
    return visit in patient.key_days or 56 <= visit <= 154 or (not in_response and 56 <= visit <= 280)


def add_loose_ends(cohort: list[Patient], rows: dict[str, dict[int, Row]], rng: np.random.Generator) -> None:
    """What real files have: bleeding not recorded, telephone visits without a count, unscheduled counts."""
    followed = [p for p in cohort if p.discontinued is None]
    for patient in pick(rng, followed, 14):
        days = [day for day in rows[patient.patient_id] if 56 <= day <= 154 and day not in patient.key_days]
        rows[patient.patient_id][int(rng.choice(days))].bleeding = ""

    telephone = pick(rng, (p for p in followed if p.remains), 2) + pick(
        rng, (p for p in followed if p.response is None), 2
    )
    for patient in telephone:
        day = int(rng.choice([117, 131, 145]))
        rows[patient.patient_id].setdefault(day, Row("Unscheduled", "", "0" if patient.responds else "1"))

    for patient in pick(rng, followed, 12):
        day = int(rng.choice([61, 75, 89, 103, 177, 187, 205, 233]))
        if patient.response is not None and abs(day - (patient.relapse or 0)) < 8:
            continue
        # The level lies between the counts before and after.
        own = rows[patient.patient_id]
        seen = {on: int(own[on].platelets) for on in sorted(own) if own[on].platelets.isdigit()}
        count = draw(rng, np.interp(day, list(seen), list(seen.values())), *counts_allowed(patient, day))
        grade = bleeding_grade(patient, day, count, rng)
        own.setdefault(day, Row("Unscheduled", str(count), str(grade)))


# Files


def enrol(cohort: list[Patient], rng: np.random.Generator) -> list[Patient]:
    """Give each a working day between October 2017 and January 2020, and a number in the order of these days."""
    first = date(2017, 10, 9)
    working = [day for day in (first + timedelta(n) for n in range(830)) if day.weekday() < 5]
    days = sorted(working[place] for place in rng.choice(len(working), len(cohort)))
    ordered = [cohort[place] for place in rng.permutation(len(cohort))]
    for number, (patient, day) in enumerate(zip(ordered, days, strict=True), start=1):
        patient.patient_id = f"ITP-{number:04d}"
        patient.enrolled = day
    return ordered


def write(name: str, header: list[str], lines: Iterable[Sequence[str]]) -> None:
    with (FOLDER / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(lines)


def patient_line(patient: Patient) -> dict[str, str]:
    stopped = patient.discontinued
    columns = patient.columns
    prior = {name: columns[name] for name in ("prior_corticosteroids", *(f"prior_{drug}" for drug in PRIOR))}
    return {
        "patient_id": patient.patient_id,
        "arm": patient.arm,
        "enrolment_date": patient.enrolled.isoformat(),
        "treatment_discontinued": "" if stopped is None else (patient.enrolled + timedelta(stopped)).isoformat(),
        "discontinuation_reason": patient.reason,
        "age": columns["age"],
        "sex": "male" if columns["male"] == "yes" else "female",
        "childbearing_female": columns["childbearing_female"],
        "disease_duration_months": columns["disease_duration_months"],
        **prior,
        "previous_treatments": str(list(prior.values()).count("yes")),
        "maintenance": columns["maintenance"],
        "entry_bleeding_grade": str(patient.entry_bleeding),
        "nk_cells": columns["nk_cells"],
        "per_protocol": "yes" if stopped is None else "no",
    }


def visit_lines(patient: Patient, rows: dict[int, Row]) -> Iterable[Sequence[str]]:
    def on(day: int | None) -> str:
        return "" if day is None else (patient.enrolled + timedelta(day)).isoformat()

    for day in sorted(rows):
        row = rows[day]
        yield (
            patient.patient_id,
            on(day),
            row.platelets,
            row.bleeding,
            row.rescue,
            on(row.rescue_last),
            row.visit,
        )


def main() -> None:
    rng = np.random.default_rng(SEED)
    cohort = enrol([patient for arm in ARMS for patient in invent_arm(arm, rng)], rng)
    rows = {patient.patient_id: invent_rows(patient, rng) for patient in cohort}
    add_loose_ends(cohort, rows, rng)

    lines = [patient_line(patient) for patient in cohort]
    write("patients.csv", list(lines[0]), [list(line.values()) for line in lines])
    header = ["patient_id", "date", "platelets", "bleeding_grade", "rescue", "rescue_end", "visit"]
    write("visits.csv", header, [line for patient in cohort for line in visit_lines(patient, rows[patient.patient_id])])


if __name__ == "__main__":
    main()
