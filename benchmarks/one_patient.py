"""How long one patient takes: the call that a service makes, from Python data to a result with its evidence.

The patient has 20 visits; the criteria set is read beforehand, as a service does. The last line sets one call beside
what a patient takes among a thousand in one call.
"""

import statistics
from collections.abc import Callable
from time import perf_counter

import itp_response

VISITS, CALLS, TOGETHER = 20, 200, 1_000


def visits_of(patient: str) -> list[dict[str, object]]:
    """Invented visits, every two weeks; a response from week 6 on."""
    return [
        {"patient_id": patient, "day": 14 * visit, "platelets": 12 if visit < 3 else 60 + visit, "bleeding_grade": 0}
        for visit in range(VISITS)
    ]


def milliseconds(call: Callable[[], object], calls: int = CALLS) -> list[float]:
    """How long each call takes, in order; a few calls before are not counted."""
    for _ in range(5):
        call()
    taken = []
    for _ in range(calls):
        begin = perf_counter()
        call()
        taken.append(1_000 * (perf_counter() - begin))
    return sorted(taken)


def main() -> None:
    criteria, one = itp_response.criteria("atra_2022"), visits_of("P1")
    many = [row for number in range(TOGETHER) for row in visits_of(f"P{number}")]
    calls = {
        "classify": lambda: itp_response.classify(one, criteria=criteria, threads=1),
        "classify, as_dict": lambda: itp_response.classify(one, criteria=criteria, threads=1).as_dict(),
    }
    for name, call in calls.items():
        taken = milliseconds(call)
        print(f"{name}: median {statistics.median(taken):.0f} ms, 95 in 100 within {taken[int(0.95 * CALLS)]:.0f} ms")
    together = statistics.median(milliseconds(lambda: itp_response.classify(many, criteria=criteria, threads=1), 10))
    ratio = statistics.median(milliseconds(calls["classify"])) / (together / TOGETHER)
    print(f"one patient alone takes {ratio:.0f} times as long as one of {TOGETHER:,} in one call")


if __name__ == "__main__":
    main()
