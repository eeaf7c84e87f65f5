"""Decides a verdict again from its certificate and the files behind it. It needs Python alone, nothing of itp_response.

    itp-response explain visits.csv --patient ITP-0001 --json > certificate.json
    python certificate_checker.py certificate.json visits.csv patients.csv atra_2022.toml

The reasons of verdicts it does not decide. Files may be left out; it says which were.
Exit status 0: agrees, 1: does not, with the reasons.
"""

import ast
import csv
import hashlib
import json
import math
import operator
import re
import sys
import tomllib
from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path

NAN, INF = math.nan, math.inf
OWN_DAY = re.compile(r"([A-Za-z_]\w*)(?: *([+-]) *(\d+(?:\.\d+)?))?")
NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
RULES = ("when", "discount", "closed_by", "set_aside", "at_once")
DAYS = ("days", "day", "within", "until", "by", "evidence_by", "followed_from", "visits")
NAMED = ("from", "after", "until", "to", "of", "when", "censored", "competing")
WORDS = ("label", "says", "where", "role", "paramcd", "param")
NOTHING = dict.fromkeys(["dated", "onset", "confirming", "ended", "days", "of_days", "on"])
SUMS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
ROWS = ""
"""Among the names of a row: all rows of the patient, and the days of the baseline."""
LESS = {ast.Lt: (operator.lt, 1), ast.LtE: (operator.le, 1), ast.Gt: (operator.lt, -1), ast.GtE: (operator.le, -1)}


# RULES: true, false or (None) unknown; a number is a pair, its lowest and highest value


def both(parts):
    return False if False in parts else None if None in parts else True


def opposite(truth):
    return None if truth is None else not truth


def pair(value):
    low, high = value if isinstance(value, list) else (value, value)
    return (NAN, NAN) if value is None else (float(low), INF if high is None else float(high))


def number(node, names):
    match node:
        case ast.Constant():
            return (node.value, node.value)
        case ast.Name():
            return number(names[node.id], names) if isinstance(names[node.id], ast.AST) else pair(names[node.id])
        case ast.UnaryOp():
            low, high = number(node.operand, names)
            return (-high, -low)
        case ast.Call():
            length = node.args[1].value.split() if len(node.args) > 1 else None
            return at_other_row(node.func.id, node.args[0].id, length, names)
    left, right = number(node.left, names), number(node.right, names)
    if isinstance(node.op, ast.Div) and not (right[0] > 0 or right[1] < 0):
        return (NAN, NAN)
    corners = [SUMS[type(node.op)](one, other) for one in left for other in right]
    return (min(corners), max(corners)) if not any(map(math.isnan, corners)) else (NAN, NAN)


def at_other_row(function, name, length, names):
    rows, (first, last) = names[ROWS]
    known = [(row["day"], pair(row[name])) for row in rows if row[name] is not None]
    if function == "previous":
        looked_at = [bounds for day, bounds in known if day < names["day"]][-1:]
    elif function == "at_baseline":
        looked_at = [bounds for day, bounds in known if first <= day <= last][-1:]
    else:
        begin = names["day"] - int(length[0]) * (7 if length[1].startswith("week") else 1) if length else 0
        looked_at = [bounds for day, bounds in known if begin <= day <= names["day"]]
        looked_at = looked_at[:1] if function == "first" else looked_at
    pick = min if function == "lowest" else max
    return tuple(pick(edge) for edge in zip(*looked_at, strict=True)) or (NAN, NAN)


def compared(sign, left, right, names):
    if isinstance(right, ast.Constant) and isinstance(right.value, str):
        text = names[left.id]
        same = None if text is None else text == right.value
        return same if isinstance(sign, ast.Eq) else opposite(same)
    (low, high), (least, most) = number(left, names), number(right, names)
    if type(sign) in LESS:
        below, turn = LESS[type(sign)]
        if turn < 0:
            (low, high), (least, most) = (least, most), (low, high)
        never = low >= most if below is operator.lt else low > most
        return True if below(high, least) else False if never else None
    same = True if low == most and high == least else False if high < least or low > most else None
    return same if isinstance(sign, ast.Eq) else opposite(same)


def truth(node, names):
    match node:
        case ast.Name():
            value = names[node.id]
            if isinstance(value, ast.AST):
                return truth(value, names)
            return math.isfinite(value) if isinstance(value, float | int) and not isinstance(value, bool) else value
        case ast.UnaryOp():
            return opposite(truth(node.operand, names))
        case ast.BoolOp():
            parts = [truth(part, names) for part in node.values]
            return both(parts) if isinstance(node.op, ast.And) else opposite(both([opposite(part) for part in parts]))
    sides = [node.left, *node.comparators]
    return both([compared(*one, names) for one in zip(node.ops, sides, sides[1:], strict=False)])


@cache
def parsed(text):
    return ast.parse(" ".join(text.split()), mode="eval").body


# THE KINDS OF ENDPOINT, as criteria/README.md describes them; a row is the number of an observation


class Patient:
    def __init__(self, certificate):
        self.definition, self.patient = limits(certificate["definition"]), limits(certificate["patient"])
        self.observations, self.verdicts = certificate["observations"], {}
        self.day = [observed["day"] for observed in self.observations]
        self.counted = [row for row, observed in enumerate(self.observations) if observed["platelets"] is not None]
        self.terms = {name: parsed(text) for name, text in self.definition["terms"].items()}
        of_patient = {name: value for name, value in self.patient.items() if name not in ("id", "day_0")}
        of_patient["baseline"] = self.baseline()
        of_patient["treatment_discontinued"] = INF if (stop := of_patient["treatment_discontinued"]) is None else stop
        self.names = [
            {**of_patient, **observed, **self.graded(observed), **self.since(observed["day"]), **self.terms}
            for observed in self.observations
        ]
        for names in self.names:
            names[ROWS] = (self.names, self.definition["baseline"]["days"])
        self.states = {None: [False] * len(self.observations)}
        self.alone = of_patient

    def depends_on_censored_counts(self, name):
        """A censored count leaves a rule open; every value of it would have to be decided."""
        model = self.definition["endpoints"][name]
        wide = isinstance(self.alone["baseline"], list) and len(set(self.alone["baseline"])) > 1
        rows = [
            row for row, observed in enumerate(self.observations) if wide or isinstance(observed["platelets"], list)
        ]
        rules = [model[key] for key in RULES if key in model and model["kind"] != "combined"]
        if any(self.state(rule)[row] is None for rule in rules for row in rows):
            return True
        if wide and any(truth(parsed(model[key]), self.alone) is None for key in ("only", "unless") if key in model):
            return True
        named = set(re.findall(r"\w+", str([model.get(key) for key in NAMED if key in model])))
        return any(
            self.depends_on_censored_counts(other) for other in named & set(self.definition["endpoints"]) - {name}
        )

    def baseline(self):
        if self.patient["baseline_given"] is not None:
            return self.patient["baseline_given"]
        first, last = self.definition["baseline"]["days"]
        pairs = [pair(self.observations[row]["platelets"]) for row in self.counted if first <= self.day[row] <= last]
        if not pairs:
            return None
        pick = {"last": lambda edge: edge[-1], "lowest": min, "mean": lambda edge: sum(edge) / len(edge)}
        return [pick[self.definition["baseline"].get("pick", "last")](edge) for edge in zip(*pairs, strict=True)]

    def graded(self, observed):
        """The bleeding grade; where none was recorded at a count, what the definition assumes."""
        grade = observed["bleeding_grade"]
        if grade is None and observed["platelets"] is not None:
            grade = {"bleeding": INF, "none": 0}.get(self.definition["not_recorded"].get("bleeding"))
        return {"bleeding_grade": grade}

    def since(self, day):
        """The rescue treatments of that day, and the days since those begun before; none: infinite."""
        columns = {}
        for name, names in {"rescue": None, **self.definition["rescues"]}.items():
            courses = [course for course in self.patient["courses"] if names is None or course["name"] in names]
            columns[name] = any(course["day"] == day for course in courses)
            columns[f"days_since_{name}"] = day - max(
                (course["last"] for course in courses if course["day"] < day), default=-INF
            )
        return columns

    def state(self, rule):
        if rule not in self.states:
            self.states[rule] = [truth(parsed(rule), names) for names in self.names]
        return self.states[rule]

    def day_of(self, day):
        """A day of a definition: a number, or a number of the patient plus or minus days; None: not known."""
        if not isinstance(day, str):
            return day
        name, sign, plus = OWN_DAY.fullmatch(day.strip()).groups("0")
        value = self.alone[name]
        return None if value is None else value + (-float(plus) if sign == "-" else float(plus))

    def with_days(self, model):
        """The endpoint with the days that are the patient's own as numbers; None: one of them is not known."""
        days = {key: model[key] for key in DAYS if key in model}
        days = {key: one for key, one in days.items() if not (key == "within" and model["kind"] == "visits")}
        days.pop("until" if model["kind"] == "achieved" else "", None)
        found = {
            key: list(map(self.day_of, one)) if isinstance(one, list) else self.day_of(one) for key, one in days.items()
        }
        listed = [day for one in found.values() for day in (one if isinstance(one, list) else [one])]
        single = [*found.get("visits", []), found.get("day", 0)]
        if None in listed or any(math.isinf(day) for day in single):
            return None
        return {**model, **found}

    def later(self, day, length):
        size, unit = int(length.split()[0]), length.split()[1].rstrip("s")
        if unit in ("day", "week"):
            return day + size * (7 if unit == "week" else 1)
        months = size * (12 if unit == "year" else 1)
        begin = date.fromisoformat(self.patient["day_0"]) + timedelta(day)
        year, month = divmod(begin.year * 12 + begin.month - 1 + months, 12)
        end = date(year, month + 1, min(begin.day, monthrange(year, month + 1)[1]))
        return (end - date.fromisoformat(self.patient["day_0"])).days

    def verdict(self, name):
        if name not in self.verdicts:
            model = self.definition["endpoints"][name]
            kind, origin = model["kind"], model.get("from") or model.get("after")
            unmet = "NA" if kind in ("lost", "time_to") else model["otherwise"] if kind == "best" else "N"
            value = None
            if origin and (before := self.verdict(origin)["value"]) != "Y":
                value = {"N": unmet}.get(before, before)
            if model.get("unless") and truth(parsed(model["unless"]), self.alone):
                value = unmet
            if model.get("only"):
                value = {True: value, False: "NA", None: "NE"}[truth(parsed(model["only"]), self.alone)]
            if not value and (model := self.with_days(model)) is None:
                value = "NE"
            decided = {"value": value} if value else getattr(self, kind)(model)
            self.verdicts[name] = {**NOTHING, **decided}
        return self.verdicts[name]

    def followed(self, model):
        since = model.get("followed_from", self.definition["clock"]["followed_from"])
        return bool(self.counted) and self.day[self.counted[-1]] >= since

    def occasions(self, model, good, state, between):
        for first in good:
            last = first
            for _ in range(model.get("occasions", 1) - 1):
                earliest = self.later(self.day[last], model.get("apart", "1 day"))
                latest = self.later(self.day[last], model["apart_at_most"]) if "apart_at_most" in model else INF
                last = next((row for row in good if row > last and self.day[row] >= earliest), None)
                if last is None or self.day[last] > latest:
                    last = None
                    break
            if last is not None and not (between == "unbroken" and False in state[first:last]):
                return first, last
        return None

    def achieved(self, model):
        first, last = model.get("days", [-INF, INF])
        state, closing, washed = (self.state(model.get(key)) for key in ("when", "closed_by", "discount"))
        looked_at = [row for row, day in enumerate(self.day) if first <= day <= last]
        closed = next((row for row in looked_at if closing[row]), None)
        until = self.verdict(model["until"]) if model.get("until") else {"value": None}
        start = (self.verdict(model["from"])["dated"] or 0) if "from" in model else 0
        looked_at = [
            row
            for row in looked_at
            if (closed is None or row < closed) and row >= start and (until["value"] != "Y" or row < until["dated"])
        ]
        good = [row for row in looked_at if state[row] and washed[row] is False]
        between, at_once = model.get("between", "anything"), self.state(model.get("at_once"))
        met = self.occasions(model, good, state, between)
        alone = [row for row in looked_at if at_once[row] and washed[row] is False]
        if alone and (met is None or alone[0] <= met[0]):
            return {"value": "Y", "dated": alone[0], "onset": alone[0]}
        if met:
            dated = met[1] if model.get("dated_by") == "confirming" else met[0]
            confirming = met[1] if model.get("occasions", 1) > 1 else None
            return {"value": "Y", "dated": dated, "onset": met[0], "confirming": confirming}
        if closed is not None:
            return {"value": "N", "ended": closed}
        unsure = [row for row in looked_at if state[row] is None and row in self.counted]
        unsure = unsure if model.get("unknown_counts", "may_meet") == "may_meet" else []
        if model.get("discounted_counts", "do_not_meet") == "do_not_meet":
            unsure = [row for row in unsure if washed[row] is not True]
        if model.get("discounted_counts") == "may_meet":
            unsure += [row for row in looked_at if state[row] and washed[row] is not False]
        possible = unsure and self.occasions(model, sorted({*good, *unsure}), state, between)
        possible = possible or any(self.may_meet_alone(model, row) for row in looked_at)
        unseen = model.get("without_counts") == "NE" and not any(row in self.counted for row in looked_at)
        over = until["value"] == "Y" or (self.followed(model) and not possible and not unseen)
        return {"value": "N" if over else "NE"}

    def may_meet_alone(self, model, row):
        """Whether a row with a count that did not meet it by itself may have."""
        state, at_once, washed = (self.state(model.get(key))[row] for key in ("when", "at_once", "discount"))
        with_discounted = model.get("discounted_counts") == "may_meet"
        if row not in self.counted or at_once is False:
            return False
        if at_once:
            return washed is not False and with_discounted
        discounted = washed is True or (washed is None and state is True)
        return model.get("unknown_counts", "may_meet") == "may_meet" and (with_discounted or not discounted)

    def maintained(self, model):
        origin, state = self.verdict(model["from"]), self.state(model["when"])
        start = origin["dated"]
        if model.get("counted_from") == "confirming" and origin["confirming"] is not None:
            start = origin["confirming"]
        from_, end = model["until"] if "until" in model else [self.later(self.day[start], model["for"])] * 2
        last = end if "until" in model else model.get("evidence_by", INF)
        if "for" in model and end > model.get("by", INF):
            return {"value": "N", "onset": start}
        after = [row for row in range(start, len(self.day)) if state[row] is not None]
        evidence = next((row for row in after if from_ <= self.day[row] <= last), None)
        failed = next((row for row in after if not state[row] and (self.day[row] <= end)), None)
        if failed is None and evidence is not None and not state[evidence]:
            failed = evidence
        if failed is not None:
            return {"value": "N", "onset": start, "ended": failed}
        if evidence is None:
            return {"value": "NE", "onset": start}
        kept = [self.day[row] for row in after if state[row] and row <= evidence]
        if "max_gap" in model and any(two > self.later(one, model["max_gap"]) for one, two in pairwise(kept)):
            return {"value": "NE", "onset": start}
        return {"value": "Y", "dated": evidence, "onset": start, "confirming": evidence}

    def lost(self, model):
        origin, state = self.verdict(model["after"]), self.state(model["when"])
        begin = max(-1 if origin[key] is None else origin[key] for key in ("onset", "confirming", "ended"))
        good = [row for row, day in enumerate(self.day) if state[row] and row > begin]
        good = [row for row in good if self.day[row] <= model.get("by", INF)]
        met = self.occasions(model, good, state, model.get("between", "unbroken"))
        at_once = self.state(model.get("at_once"))
        alone = [
            row for row, day in enumerate(self.day) if at_once[row] and begin < row and day <= model.get("by", INF)
        ]
        if alone and (met is None or alone[0] <= met[0]):
            return {"value": "Y", "onset": origin["onset"], "dated": alone[0], "ended": alone[0]}
        if met:
            confirming = met[1] if model.get("occasions", 1) > 1 else None
            ends = {"dated": met[0], "ended": met[0], "confirming": confirming}
            return {"value": "Y", "onset": origin["onset"], **ends}
        return {"value": "N" if self.followed(model) else "NE"}

    def time_to(self, model):
        to, origin = self.verdict(model["to"]), model.get("from") and self.verdict(model["from"])
        start, onset = (self.day[origin["dated"]], origin["onset"]) if origin else (0, None)
        moment, bound = self.censored(model, start)
        event = self.day[to["dated"]] if to["value"] == "Y" and self.day[to["dated"]] <= bound else None
        others = [self.verdict(name) for name in model.get("competing", [])]
        days = [self.day[other["dated"]] for other in others if other["value"] == "Y"]
        last = model.get("by", INF) if event is None else event - 1
        first = min((day for day in days if start <= day <= min(bound, last)), default=None)
        if first is not None:
            value, end = "N", first
        elif event is not None:
            value, end = "Y", event
        elif "censored" in model:
            value, end = ("NE", None) if moment is None else ("N", moment)
        else:
            value, end = ("NE" if to["value"] == "NE" else "NA"), None
        if end is None:
            return {"value": value}
        row = self.day.index(end) if end in self.day else None
        return {"value": value, "on": end, "dated": row, "ended": row, "onset": onset, "days": end - start}

    def censored(self, model, start):
        """The day on which a patient without the event is censored, None: there is none; and the last for an event."""
        names, by = model.get("censored", []), model.get("by", INF)
        for name in [names] if isinstance(names, str) else names:
            if name == "last_count":
                days = [self.day[row] for row in self.counted if self.day[row] <= by]
                day = days[-1] if days else None
            elif name in self.definition["endpoints"]:
                other = self.verdict(name)
                day = self.day[other["dated"]] if other["value"] == "Y" else None
            else:
                value = self.alone[name]
                day = math.floor(value) if value is not None and math.isfinite(value) else None
            until = day if day is None or (math.isinf(by) and by > 0) else min(day, math.floor(by))
            if until is not None and until >= start:
                return until, INF if name == "last_count" else day
        return None, INF

    def best(self, model):
        ranked = [pair for one in model["of"] for pair in ({one: one} if isinstance(one, str) else one).items()]
        values = [(label, self.verdict(name)["value"]) for label, name in ranked]
        if model.get("unknown") == "leaves_it_open":
            first = next(((label, value) for label, value in values if value in ("Y", "NE")), (None, None))
            return {"value": "NE" if first[1] == "NE" else first[0] or model["otherwise"]}
        unmet = "NE" if "NE" in [value for _, value in values] else model["otherwise"]
        return {"value": next((label for label, value in values if value == "Y"), unmet)}

    def nearest(self, day, rows):
        return min(rows, key=lambda row: (abs(self.day[row] - day), -self.day[row]), default=None)

    def at(self, model):
        start = self.day[self.verdict(model["from"])["dated"]] if "from" in model else 0
        state, aside, closing = (self.state(model.get(key)) for key in ("when", "set_aside", "closed_by"))
        first, last = (start + edge for edge in model["within"])
        near = [row for row in self.counted if first <= self.day[row] <= last and aside[row] is False]
        which = {"first": near[:1], "last": near[-1:]}.get(model.get("which"), near)
        taken = self.nearest(start + model["day"], which)
        end = last if taken is None else self.day[taken]
        shut = [row for row, closes in enumerate(closing) if closes and start < self.day[row] <= end]
        if shut:
            return {"value": "N", "ended": shut[0]}
        if taken is None:
            treated = self.by_cause(model, start + model["day"], "unknown")
            return {"value": {"fails": "N", "unknown": "NE", "left_out": "NA"}[treated]}
        if state[taken] is None:
            return {"value": "NE"}
        return {"value": "Y", "dated": taken, "onset": taken} if state[taken] else {"value": "N", "ended": taken}

    def by_cause(self, model, day, otherwise):
        """What a missing count planned for that day is: by the first that happened on it or before."""
        happened = [(self.alone[name], treated) for name, treated in model.get("missing_after", {}).items()]
        happened = [(on, treated) for on, treated in happened if on is not None and abs(on) < INF and on <= day]
        return min(happened, key=lambda one: one[0])[1] if happened else otherwise

    def visits(self, model):
        state, aside, washed, closing = (
            self.state(model.get(key)) for key in ("when", "set_aside", "discount", "closed_by")
        )
        if any(closing):
            return {"value": "N", "ended": closing.index(True)}
        counts, within = [row for row in self.counted if aside[row] is False], model.get("within", 0)
        first, last = model.get("days", [-INF, INF])
        taken = [row for row in counts if first <= self.day[row] <= last]
        if model.get("visits"):
            near = [[row for row in counts if abs(self.day[row] - day) <= within] for day in model["visits"]]
            taken = [self.nearest(day, rows) for day, rows in zip(model["visits"], near, strict=True)]
        seen, planned = [], model.get("visits") or [None] * len(taken)
        for row, day in zip(taken, planned, strict=True):
            bad = row is not None and (state[row], washed[row]) in ((True, True), (True, None), (None, True))
            treated = model.get("discounted", "fails") if bad else ""
            treated = self.by_cause(model, day, model.get("missing", "fails")) if row is None else treated
            if treated != "left_out":
                seen.append((row, {"fails": False, "unknown": None}[treated] if treated else state[row]))
        if sum(row is not None for row, _ in seen) < model.get("of_at_least", 0):
            return {"value": model.get("too_few", "N")}
        good = [row for row, holds in seen if holds]
        may, size = sum(holds is not False for _, holds in seen), model.get("in_any")
        if "at_least" in model:
            runs = [seen[begin : begin + size] for begin in range(len(seen))] if size else [seen]
            wanted = model["at_least"]
            enough = [[row for row, holds in run if holds] for run in runs]
            met = next((run for run in enough if len(run) >= wanted), None)
            if met:
                return {"value": "Y", "onset": met[0], "confirming": met[wanted - 1], "dated": met[wanted - 1]}
            may = max((sum(holds is not False for _, holds in run) for run in runs), default=0)
            return {"value": "NE" if may >= wanted else "N"}
        if not seen:
            return {"value": "NE"}
        share, over = Fraction(model.get("share") or model["more_than"]) * len(seen), "more_than" in model
        if len(good) > share or (len(good) == share and not over):
            ends = {"onset": good[0], "confirming": good[-1], "dated": good[-1]} if good else {}
            return {"value": "Y", **ends}
        return {"value": "NE" if may > share or (may == share and not over) else "N"}

    def extent(self, model):
        state, aside, washed = (self.state(model.get(key)) for key in ("when", "set_aside", "discount"))
        first, last = model["days"]
        rows = [row for row, day in enumerate(self.day) if first <= day <= last]
        rows = [row for row in rows if state[row] is not None or (washed[row] and row in self.counted)]
        rows = [row for row in rows if aside[row] is False]
        if not rows:
            return {"value": "NE"}
        end = min(self.day[self.counted[-1]] if self.counted else -INF, math.floor(last)) + 1
        ends = [self.day[row] for row in rows[1:]] + [end]
        lasts = [max(min(stop, end) - self.day[row], 0) for row, stop in zip(rows, ends, strict=True)]
        most = self.later(0, model["max_gap"]) if "max_gap" in model else INF
        cut, lasts = [one > most for one in lasts], [min(one, most) for one in lasts]
        if "each" in model:
            cut, lasts = [False] * len(rows), [self.later(0, model["each"])] * len(rows)
        stretches, broken = [], True
        for row, length, cuts in zip(rows, lasts, cut, strict=True):
            inside = state[row] and washed[row] is False
            if inside and broken:
                stretches.append([])
            if inside:
                stretches[-1].append((row, length))
            broken = not inside or cuts
        if model.get("lasting") == "first_to_last":
            stretches = [[*some[:-1], (some[-1][0], 0)] for some in stretches]
        if model.get("measure", "total") == "total":
            stretches = [[one for some in stretches for one in some]]
        days, longest = 0, []
        for some in stretches:
            if (size := sum(length for _, length in some)) > days:
                days, longest = size, [row for row, _ in some]
        value = "N" if "at_least" in model and days < self.later(0, model["at_least"]) else "Y"
        shown = {"onset": longest[0], "confirming": longest[-1], "dated": longest[-1]} if days else {}
        return {"value": value, "days": days, "of_days": sum(lasts), **shown}

    def combined(self, model):
        tree, names = parsed(model["when"]), self.definition["endpoints"]
        values = {name: self.verdict(name) for name in names if re.search(rf"\b{name}\b", model["when"])}
        met = {name: {"Y": True, "NE": None}.get(one["value"], False) for name, one in values.items()}
        value = {True: "Y", False: "N", None: "NE"}[truth(tree, met)]

        def dated(node):
            if isinstance(node, ast.Name):
                return values[node.id]["dated"]
            if isinstance(node, ast.UnaryOp):
                return None
            parts = [part for part in node.values if isinstance(node.op, ast.And) or truth(part, met)]
            days = [row for row in map(dated, parts) if row is not None]
            return (max if isinstance(node.op, ast.And) else min)(days, default=None)

        return {"value": value, "dated": dated(tree), "onset": dated(tree)} if value == "Y" else {"value": value}


# WHAT IS CHECKED


def checked(certificate, files):
    """What does not agree, a sentence each; nothing where all does."""
    for source in certificate["sources"]:
        yield from of_source(certificate, source, files)
    yield from of_definition(certificate, files)
    yield from of_patient(certificate, Patient(certificate))


def of_patient(certificate, patient):
    """What does not agree of what is decided."""
    baseline, stated = patient.alone["baseline"], certificate["patient"]["baseline"]
    if baseline is not None and pair(baseline) != pair(stated):
        yield f"the baseline is {baseline}, not {stated}"
    for stated in certificate["verdicts"]:
        yield from of_rules(certificate, stated, patient)
        if not patient.depends_on_censored_counts(stated["endpoint"]):
            yield from of_verdict(stated, patient)


def of_rules(certificate, stated, patient):
    """Where the truths of the rules of an endpoint, and of their clauses, are others."""
    name = stated["endpoint"]
    for rule in stated["rules"]:
        if rule["of"] != "observations":
            continue
        where = f"{name}: {rule['key']}"
        if rule["rule"] != certificate["definition"]["endpoints"][name][rule["key"]]:
            yield f"{where}: the rule is not that of the definition"
        for value in [value for clause in rule["clauses"] for value in clause.get("other_rows", ())]:
            own = [number(parsed(value["value"]), names) for names in patient.names]
            if repr(own) != repr([pair(bounds) for bounds in limits(value["at"])]):
                yield f"{where}: {value['value']} is not what is said"
        clauses = [(clause["clause"], clause["at"]) for clause in rule["clauses"]]
        for text, truths in [(rule["rule"], rule["at"]), *clauses]:
            own = patient.state(text)
            wrong = [str(day) for day, was, is_ in zip(patient.day, truths, own, strict=False) if was is not is_]
            if len(truths) != len(own):
                yield f"{where}: {text!r} has {len(truths)} truths for {len(own)} observations"
            if wrong:
                yield f"{where}: {text!r} is not what is said on day {', '.join(wrong)}"


def of_verdict(stated, patient):
    """Where the verdict on an endpoint is another, or rests on other observations."""
    name, verdict = stated["endpoint"], patient.verdict(stated["endpoint"])
    days = {
        key: None if verdict[key] is None else patient.day[verdict[key]]
        for key in ("onset", "confirming", "ended", "dated")
    }
    for key in ("onset", "confirming", "ended"):
        if days[key] != stated[key]:
            yield f"{name}: {key} is day {days[key]}, not {stated[key]}"
    if verdict["of_days"] != stated["of_days"]:
        yield f"{name}: {verdict['of_days']} days were observed, not {stated['of_days']}"
    day = days["dated"] if verdict["on"] is None else verdict["on"]
    if (verdict["value"], day, verdict["days"]) != (stated["value"], stated["day"], stated["days"]):
        yield f"{name}: it is {verdict['value']} on day {day}, not {stated['value']} on day {stated['day']}"


def of_source(certificate, source, files):
    """What differs in the file of the visits or of the patients."""
    path = files.get(source["file"])
    if path is None or "columns" not in source:
        return
    if hashlib.sha256(path.read_bytes()).hexdigest() != source["sha256"]:
        yield f"{source['file']} is not the file that was read: its SHA-256 is another"
    columns, patient = source["columns"], certificate["patient"]
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=source["delimiter"])
        names = ([name.strip() for name in row] for row in reader)
        header = next(row for row in names if set(columns.values()) <= set(row))
        rows = ((reader.line_num, dict(zip(header, row, strict=True))) for row in reader if row)
        lines = {line: row for line, row in rows if row[columns["patient_id"]].strip() == patient["id"]}
    if source["read_as"] == "patients":
        row = next(iter(lines.values()), {})
        cell = row.get(columns.get("baseline"), "")
        counted = count(given(row, source, "baseline"), power(row, source, "baseline_unit"))
        if not math.isnan(counted[0]) and counted != pair(patient["baseline_given"]):
            yield f"{source['file']}: the baseline is {cell}, not {patient['baseline_given']}"
        return
    for observed in certificate["observations"]:
        yield from of_observation(observed, source, lines, patient)
    used = {line for observed in certificate["observations"] for line in observed["lines"]}
    for line in sorted(lines.keys() - used):
        if is_later(lines[line], source, certificate):
            continue
        if any(given(lines[line], source, name) for name in ("platelets", "bleeding_grade", "rescue")):
            yield f"{source['file']} line {line} is of {patient['id']}, but not in the certificate"


def of_observation(observed, source, lines, patient):
    """What the lines of an observation have that differs."""
    rows = [lines.get(line) for line in observed["lines"]]
    where = f"{source['file']} line {', '.join(map(str, observed['lines']))}"
    if None in rows:
        yield f"{where}: this is no line of {patient['id']}"
        return
    every = [count(given(row, source, "platelets"), power(row, source, "unit")) for row in rows]
    counts = [bounds for bounds in every if not math.isnan(bounds[0])]
    lowest = tuple(map(min, zip(*counts, strict=True))) if counts else (NAN, NAN)
    if any(repr(own) != repr(float(other)) for own, other in zip(lowest, pair(observed["platelets"]), strict=True)):
        yield f"{where}: the count of day {observed['day']} is {lowest[0]:g}, not {observed['platelets']}"
    grades = [float(given(row, source, "bleeding_grade") or NAN) for row in rows]
    grade = max((grade for grade in grades if not math.isnan(grade)), default=observed["bleeding_grade"])
    if grade != observed["bleeding_grade"]:
        yield f"{where}: the bleeding grade of day {observed['day']} is {grade:g}, not {observed['bleeding_grade']}"
    days = {day_of(row, source, patient) for row in rows} - {None}
    if days - {observed["day"]}:
        yield f"{where}: this is day {min(days)}, not {observed['day']}"


def given(row, source, name):
    """A cell as it is written; nothing where it says by a code or a word that nothing was recorded."""
    text = row.get(source["columns"].get(name), "").strip()
    codes = [code.lower() for code in source.get("missing", {}).get(name, ())]
    if text.lower() in codes or (NUMBER.fullmatch(text) and float(text) in map(float, filter(NUMBER.fullmatch, codes))):
        return ""
    if source.get("decimal") == "comma":
        text = text.replace(".", "").replace(",", ".")
    numeric = name in ("platelets", "baseline", "bleeding_grade")
    return "" if numeric and not re.search(r"\d", text) else text


def power(row, source, name):
    """The power of ten that makes the count of a row one in 10⁹/L."""
    powers = source.get("powers", {"": 0})
    return powers.get(row.get(source["columns"].get(name), ""), powers[""])


def count(text, power):
    """The lowest and highest value of a count as it is written, in 10⁹/L."""
    if not text:
        return (NAN, NAN)
    sign, value = re.fullmatch(r"([<>≤≥]?=?)\s*(\d+\.?\d*)", text).groups()
    value = float(Decimal(value).scaleb(power))
    near = 2.0**-36 * max(abs(value), 1.0)
    return {"": (value, value), "<": (0.0, value - near), ">": (value + near, INF)}.get(
        sign, (0.0, value) if sign in ("<=", "≤") else (value, INF)
    )


def day_of(row, source, patient):
    columns = source["columns"]
    if "date" in columns and patient["day_0"] and re.fullmatch(r"\d{4}-\d\d-\d\d.*", row[columns["date"]]):
        return (date.fromisoformat(row[columns["date"]][:10]) - date.fromisoformat(patient["day_0"])).days
    if "day" not in columns:
        return None
    day = int(float(row[columns["day"]]))
    return day - 1 if source.get("day_numbering") == "study-day" and day > 0 else day


def is_later(row, source, certificate):
    """Whether a row is later than the moment at which the study was cut."""
    as_of, day = certificate["options"].get("as_of"), day_of(row, source, certificate["patient"])
    if as_of is None or day is None:
        return False
    if isinstance(as_of, str):
        as_of = (date.fromisoformat(as_of) - date.fromisoformat(certificate["patient"]["day_0"])).days
    return day > as_of


def limits(value):
    """The definition with `inf` and `-inf` as numbers: JSON has no word for days without a limit."""
    if isinstance(value, dict):
        return {key: limits(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [limits(entry) for entry in value]
    return float(value) if value in ("inf", "-inf") else value


def of_definition(certificate, files):
    """What differs in the criteria file."""
    path, defined = files.get(certificate["criteria"]["file"]), limits(certificate["definition"])
    if path is None:
        return
    raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    for name, model in defined["endpoints"].items():
        deciding = {key: value for key, value in raw.get(name, {}).items() if key not in WORDS}
        if deciding != model:
            yield f"{path.name}: [{name}] is not what the certificate says"
    for table in ("clock", "baseline", "not_recorded", "terms"):
        if {key: value for key, value in raw.get(table, {}).items() if key != "day_0"} != defined[table]:
            yield f"{path.name}: [{table}] is not what the certificate says"


KNOWN = {
    "achieved": "when at_once occasions apart apart_at_most between days from until discount closed_by dated_by "
    "unknown_counts discounted_counts without_counts",
    "maintained": "from counted_from when for by evidence_by until max_gap",
    "lost": "after when by occasions apart between at_once",
    "time_to": "from to censored by competing",
    "best": "of otherwise unknown",
    "at": "when day within which from missing_after set_aside closed_by",
    "visits": "when visits within days at_least share more_than in_any of_at_least too_few missing missing_after "
    "set_aside discount discounted closed_by",
    "extent": "when days measure lasting each max_gap at_least set_aside discount",
    "combined": "when",
}
"""The keys of each kind that are known here, beside those of every kind."""


def not_known(certificate):
    """What of the definition is not known here, so that nothing can be said of the verdicts."""
    for name, model in certificate["definition"]["endpoints"].items():
        kind = model["kind"]
        if kind not in KNOWN:
            yield f"{name} is of kind {kind!r}, which is not known here"
            continue
        for key in sorted(model.keys() - {"kind", "only", "unless", "followed_from", *KNOWN[kind].split()}):
            yield f"{name} has the key {key!r}, which is not known here"


def main(paths):
    if not paths or paths[0] in ("-h", "--help"):
        print("usage: certificate_checker.py CERTIFICATE.json [SOURCE FILES, CRITERIA FILE ...]")
        return 0 if paths else 2
    certificate = json.loads(Path(paths[0]).read_text(encoding="utf-8"))
    if unknown := list(not_known(certificate)):
        print(f"cannot be checked: {'; '.join(unknown)}")
        return 1
    files = {Path(path).name: Path(path) for path in paths[1:]}
    wrong = list(checked(certificate, files))
    asked = [*(source["file"] for source in certificate["sources"]), certificate["criteria"]["file"]]
    left_out = [name for name in asked if name not in files]
    patient = Patient(certificate)
    names = [verdict["endpoint"] for verdict in certificate["verdicts"]]
    left_out += [name for name in names if patient.depends_on_censored_counts(name)]
    print("\n".join([*wrong, "does not agree" if wrong else f"agrees: {certificate['patient']['id']}"]))
    if left_out:
        print(f"not looked at: {', '.join(left_out)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
