"""Invent what stands beside the example study: adverse events, screening, and a small study of NK cells.

All data are invented. No patient stands behind any row.
`adverse_events.csv` and `screening.csv` are of the patients in `patients.csv`, made to Table 4 and Figure 1 of
Wu et al., Blood 2022;139(3):333-342. `nk_visits.csv` and `nk_patients.csv` are 48 other patients, made to what the
abstract of Yang et al., Front Med, 9 January 2026, prints of natural killer cells. The same seed gives the same files.

    python examples/make_more.py
"""

import csv
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

SEED = 20220121
FOLDER = Path(__file__).parent

# Patients with each event, of each arm. Insomnia and mood disorder are printed of grade 3 or 4 alone.
EVENTS = {
    "ATRA + LD-RTX": {
        "Dry skin": 45,
        "Headache or dizziness": 21,
        "Fever": 16,
        "Upper respiratory infection": 4,
        "Urinary tract infection": 5,
        "Gastrointestinal infection": 2,
        "Muscle or joint pain": 2,
        "Rash acneiform": 3,
    },
    "LD-RTX": {
        "Headache or dizziness": 6,
        "Fever": 12,
        "Upper respiratory infection": 8,
        "Urinary tract infection": 4,
        "Gastrointestinal infection": 2,
        "Muscle or joint pain": 4,
        "Rash acneiform": 3,
    },
}
ANY = {"ATRA + LD-RTX": 79, "LD-RTX": 30}
SEVERE = {"ATRA + LD-RTX": {"Dry skin": 2}, "LD-RTX": {}}
LED_TO_END = {"ATRA + LD-RTX": "Insomnia", "LD-RTX": "Mood disorder"}
FURTHER_INSOMNIA = {"ATRA + LD-RTX": 1, "LD-RTX": 0}
EXCLUDED = {"not meeting inclusion criteria": 5, "declined to participate": 8}

# NK cells per microlitre and in per cent of lymphocytes. The means of the three groups, 78.81, 91.82 and 139.00, and
# the mean of all who respond, 84.63, fit 21 complete and 17 partial remissions of the 38 of 48 who responded.
# At 110.5 cells 31 of these 38 and none of the 10 others lie below, at 5.72 % 25 and none.
CELLS = {
    "CR": (42, 49, 52, 61, 62, 63, 70, 73, 74, 79, 79, 80, 83, 83, 84, 92, 95, 100, 108, 109, 117),
    "PR": (53, 59, 60, 65, 66, 74, 74, 75, 88, 90, 110, 115, 117, 120, 124, 132, 139),
    "NR": (111, 112, 114, 118, 120, 124, 128, 142, 174, 247),
}
LOW_PERCENT = {"CR": 15, "PR": 10, "NR": 0}  # patients below 5.72 %

Row = Sequence[object]


def write(name: str, header: Sequence[str], rows: Iterable[Row]) -> None:
    with (FOLDER / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def adverse_events(patients: Sequence[dict[str, str]], rng: np.random.Generator) -> Iterable[Row]:
    """One row per event; some patients have one twice."""
    rows = []
    for arm, counts in EVENTS.items():
        of_arm = [one for one in patients if one["arm"] == arm]
        stopped = next(one for one in of_arm if one["discontinuation_reason"] == "adverse event")
        died = [one for one in of_arm if one["discontinuation_reason"] == "death"]
        others = [one for one in of_arm if one is not stopped and one not in died]
        chosen = [others[place] for place in rng.permutation(len(others))][: ANY[arm] - 1 - len(died)]

        rows.append((stopped, LED_TO_END[arm], 3, 35, "yes"))
        rows += [(chosen[-1], "Insomnia", 3, 21, "no")] * FURTHER_INSOMNIA[arm]
        rows += [(one, "Intracranial haemorrhage", 5, 27, "no") for one in died]
        first = 0  # each event begins with those who have none yet, so that in the end all have one
        for event, number in counts.items():
            new = chosen[first : first + number]
            first += len(new)
            more = [one for one in chosen[: first - len(new)] if one is not chosen[-1]]
            again = (
                [more[place] for place in sorted(rng.choice(len(more), number - len(new), replace=False))]
                if more
                else []
            )
            for place, one in enumerate([*new, *again]):
                grade = 3 if place < SEVERE[arm].get(event, 0) else 1 + int(rng.random() < 0.3)
                rows.append((one, event, grade, int(rng.integers(1, 84)), "no"))
                if rng.random() < 0.06:
                    rows.append((one, event, 1, int(rng.integers(85, 120)), "no"))
    lines = [
        (one["patient_id"], on(one["enrolment_date"], day), event, grade, led) for one, event, grade, day, led in rows
    ]
    return sorted(lines)


def on(enrolled: str, day: int) -> str:
    return (date.fromisoformat(enrolled) + timedelta(day)).isoformat()


def screening(patients: Sequence[dict[str, str]], rng: np.random.Generator) -> Iterable[Row]:
    """One row for everyone assessed, enrolled or not."""
    out = [reason for reason, number in EXCLUDED.items() for _ in range(number)]
    places = set(rng.choice(len(patients) + len(out), len(out), replace=False).tolist())
    reasons, enrolled = iter([out[place] for place in rng.permutation(len(out))]), iter(patients)
    for place in range(len(patients) + len(out)):
        number = f"S-{place + 1:03d}"
        yield (number, "", next(reasons)) if place in places else (number, next(enrolled)["patient_id"], "")


def nk_study(rng: np.random.Generator) -> tuple[list[Row], list[Row]]:
    """Patients and visits of 48 patients whose group at six months is that of their cells."""
    members = [(group, cells, place) for group, all_ in CELLS.items() for place, cells in enumerate(all_)]
    low = {group: rng.permutation(len(cells))[: LOW_PERCENT[group]] for group, cells in CELLS.items()}
    # From the limit on, four who do not respond come before the first who does, so that no other limit does better.
    high = {"CR": (6.2, 8.5), "PR": (6.2, 9.5), "NR": (6.6, 14.0)}
    near = iter((5.73, 5.8, 5.9, 6.1))
    below = iter((5.71, *rng.uniform(1.9, 5.7, 24).tolist()))
    patients: list[Row] = []
    visits: list[Row] = []
    for number, at in enumerate(rng.permutation(len(members)), start=1):
        group, cells, place = members[at]
        if place in low[group]:
            share = next(below)
        else:
            share = next(near, None) if group == "NR" else None
            share = float(rng.uniform(*high[group])) if share is None else share
        name, baseline = f"NK-{number:02d}", int(rng.integers(6, 27))
        patients.append((name, cells, f"{share:.2f}"))
        weeks = (0, 4, 8, 12, 26)
        for week, count in zip(weeks, course(group, baseline, rng), strict=True):
            visits.append((name, 7 * week, count, int(count < 15 and rng.random() < 0.3)))
    return patients, visits


def course(group: str, baseline: int, rng: np.random.Generator) -> list[int]:
    """Counts at enrolment and four later visits, the last at six months."""
    last = {"CR": (105, 260), "PR": (max(31, 2 * baseline + 1), 99), "NR": (16, 29)}[group]
    end = int(rng.integers(*last))
    middle = [int(end * share) for share in rng.uniform(0.6, 1.1, 3)]
    return [baseline, *middle, end]


def main() -> None:
    with (FOLDER / "patients.csv").open(encoding="utf-8", newline="") as file:
        patients = list(csv.DictReader(file))
    rng = np.random.default_rng(SEED)
    header = ("patient_id", "date", "event", "grade", "led_to_discontinuation")
    write("adverse_events.csv", header, adverse_events(patients, rng))
    write("screening.csv", ("screening_id", "patient_id", "excluded"), screening(patients, rng))
    known, seen = nk_study(rng)
    write("nk_patients.csv", ("patient_id", "nk_cells", "nk_percent"), known)
    write("nk_visits.csv", ("patient_id", "day", "platelets", "bleeding_grade"), seen)


if __name__ == "__main__":
    main()
