"""Makes the pictures and the notebooks of the tutorial; `make tutorial` runs it.

A picture shows the answer of the program in the first session of a step of docs/tutorial.md. The first notebook has the
text and, for every session, the call in Python with what it shows; answers stay folded until they are asked for. The
second is made from study.md. The cells are run here, without a kernel.
"""

import ast
import contextlib
import io
import json
import re
import shlex
from html import escape
from pathlib import Path
from typing import Any

from itp_response import ask
from itp_response.definitions.load import load
from itp_response.teaching.decisions import decisions
from itp_response.teaching.page_data import PageData
from itp_response.teaching.requests import PatientRequest, ShownSetRequest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TUTORIAL = HERE.parent / "tutorial.md"
STUDY = HERE / "study.md"
STEP = re.compile(r"^## (\d+)\. (.*)$", re.MULTILINE)
SESSION = re.compile(r"```console\n\$ itp-response ask (.*)\n(?:.*\n)*?```\n")
ANSWER = re.compile(r'<details markdown="1">\n<summary>(.*)</summary>\n\n((?:.*\n)*?)</details>\n')
CELL = re.compile(r"```python\n(.*?)\n```\n", re.DOTALL)
LINK = re.compile(r"\]\((?!http)([^)]+)\)")


# PICTURES

WIDE, TALL, LEFT, RIGHT, TOP, BOTTOM = 720, 250, 44, 96, 40, 190
INK, SOFT, GRID, OWN, GOOD, BAD, OPEN, RESCUE = (
    *("#1c2430", "#56606d", "#e6e4dd", "#0b6b6b"),
    *("#17714a", "#ad3b2b", "#8a5a00", "#2b5fb0"),
)


def pictures(text: str) -> dict[str, str]:
    """The picture of each step, by file name."""
    by_name = {}
    for step in re.split(r"(?m)^(?=## \d)", text)[1:]:
        number, title = STEP.match(step).groups()
        by_name[f"{number}.svg"] = picture(title, **arguments_of(SESSION.search(step)[1]))
    return by_name


def arguments_of(arguments: str) -> dict[str, str]:
    """The arguments of a session: `timeline`, `criteria`, `endpoint`."""
    timeline, *options = shlex.split(arguments)
    given = {name.removeprefix("--"): value for name, value in zip(options[::2], options[1::2], strict=True)}
    return {"timeline": timeline, "criteria": "atra_2022", **given}


def picture(title: str, timeline: str, criteria: str, endpoint: str) -> str:
    """A timeline with the verdict on an endpoint, as SVG."""
    definitions = load(ROOT / criteria if criteria.endswith(".toml") else criteria)
    shown = ShownSetRequest(criteria=definitions.name, endpoint=endpoint)
    answer = decisions(PageData(definitions), PatientRequest(timeline=timeline, sets=(shown,)))
    return _drawn(title, answer["entries"], answer["sets"][0])


def _drawn(title: str, entries: list[dict[str, Any]], answer: dict[str, Any]) -> str:
    shown = answer["shown"]
    (result,) = (verdict["result"] for verdict in answer["verdicts"] if verdict["endpoint"] == shown["endpoint"])
    counts = [(entry["day"], float(entry["count"])) for entry in entries if entry["count"]]
    last, most = max(entry["day"] for entry in entries), 1.2 * max(30, *(count for _, count in counts))

    def x(day: float) -> float:
        # A square root gives room to the first weeks, which decide most.
        return round(LEFT + (WIDE - LEFT - RIGHT) * (max(day, 0) / last) ** 0.5, 1)

    def y(count: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (count / most) ** 0.5, 1)

    because = "" if shown["because"] == "met" else f" ({shown['because']})"
    parts = [
        f'<rect width="{WIDE}" height="{TALL}" rx="8" fill="#fff"/>',
        _text(LEFT, 20, f"{shown['label']}: {result}{because}", INK, size=13, weight=600),
        *(_line(LEFT, y(count), WIDE - RIGHT, y(count), GRID) for count in (0, 10, 50, 100) if count < most),
        *(_text(LEFT - 6, y(count) + 4, str(count), SOFT, anchor="end") for count in (0, 10, 50, 100) if count < most),
        *_days([entry["day"] for entry in entries], x),
        *_thresholds(shown["thresholds"], most, y),
        *_events(entries, x),
        f'<polyline points="{" ".join(f"{x(day)},{y(count)}" for day, count in counts)}" fill="none" stroke="#bbb"/>',
        *_bracket(shown, x),
        *(_mark(x(day), y(count), _part(answer, day)) for day, count in counts),
    ]
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {TALL}" width="{WIDE}" height="{TALL}" '
        f'font-family="DejaVu Sans, Verdana, sans-serif" font-size="11" role="img">\n'
        f"<title>{escape(title)}</title>\n{body}\n</svg>\n"
    )


def _text(x: float, y: float, text: str, fill: str, *, anchor: str = "start", size: int = 11, weight: int = 400) -> str:
    return (
        f'<text x="{x}" y="{y}" fill="{fill}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}">'
        f"{escape(text)}</text>"
    )


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str, more: str = "") -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{stroke}"{more}/>'


def _days(days: list[int], x: Any) -> list[str]:
    """The days observed, under the axis, as many as fit."""
    parts, end = [_line(LEFT, BOTTOM + 36, WIDE - RIGHT, BOTTOM + 36, "#bbb")], -99.0
    for day in sorted(set(days)):
        parts.append(_line(x(day), BOTTOM + 36, x(day), BOTTOM + 40, "#bbb"))
        if x(day) - end >= 24:
            end = x(day)
            parts.append(_text(end, BOTTOM + 53, str(day) if day else "day 0", SOFT, anchor="middle"))
    return parts


def _thresholds(thresholds: list[dict[str, Any]], most: float, y: Any) -> list[str]:
    """The thresholds of counts; thresholds on one line share a text."""
    named: dict[float, list[str]] = {}
    for threshold in thresholds:
        if threshold["value"] < most:
            words = threshold["words"].removeprefix("a count ").removeprefix("of ")
            named.setdefault(threshold["value"], []).append(words)
    parts = []
    for value, words in named.items():
        parts.append(_line(LEFT, y(value), WIDE - RIGHT, y(value), OWN, ' stroke-dasharray="5 4"'))
        for number, text in enumerate(words):
            short = text.replace("at least twice the baseline", "twice baseline")
            parts.append(_text(WIDE - RIGHT + 6, y(value) + 4 + 13 * number, short, OWN))
    return parts


def _events(entries: list[dict[str, Any]], x: Any) -> list[str]:
    """Bleeding and rescue treatment, below the counts."""
    parts = []
    for entry in entries:
        if entry["rescue"]:
            wide = max(8, x(entry["rescue_to"]) - x(entry["day"]))
            parts.append(
                f'<rect x="{x(entry["day"]) - 4}" y="{BOTTOM + 22}" width="{wide}" height="7" rx="2" fill="{RESCUE}"/>'
            )
            parts.append(_text(x(entry["day"]) + wide, BOTTOM + 29, "rescue", RESCUE))
        if entry["bleed"] != "0":
            words = "bleeding not recorded" if entry["bleed"] == "?" else f"bleeding, grade {entry['bleed']}"
            at = x(entry["day"])
            parts.append(f'<path d="M{at} {BOTTOM + 8}c3 5 4 6 4 8a4 4 0 0 1-8 0c0-2 1-3 4-8z" fill="{BAD}"/>')
            parts.append(_text(at + 8, BOTTOM + 19, words, BAD))
    return parts


def _bracket(shown: dict[str, Any], x: Any) -> list[str]:
    if shown["onset"] is None or shown["confirming"] is None:
        return []
    begin, end = x(shown["onset"]), x(shown["confirming"])
    return [f'<path d="M{begin} 38V30H{end}V38" fill="none" stroke="{OWN}" stroke-width="2"/>']


PARTS = {"qualifies": "yes", "fails": "no", "unknown": "open", "discounted": "void", "too_soon": "void"}
"""How the part that a count played is drawn; others were not considered."""


def _part(answer: dict[str, Any], day: int) -> str:
    """The part of a day's count: in the state of the rule, out of it, unknown, no evidence, or not considered."""
    shown = answer["shown"]
    part = PARTS.get(dict(shown["explained"]["parts"]).get(day, ""), "aside")
    return {"yes": "no", "no": "yes"}.get(part, part) if shown["is_loss"] else part


def _mark(x: float, y: float, part: str) -> str:
    circle = f'<circle cx="{x}" cy="{y}" r="5.5"'
    if part == "yes":
        return f'{circle} fill="{GOOD}"/>'
    if part == "aside":
        return f'{circle} fill="#fff" stroke="#bbb" stroke-width="1.6"/>'
    if part == "void":
        return f'{circle} fill="#fff" stroke="{GOOD}" stroke-width="1.6" stroke-dasharray="2.5 2"/>'
    if part == "open":
        glyph = _text(x, y + 3.5, "?", OPEN, anchor="middle", size=10, weight=700)
        return f'{circle} fill="#fff" stroke="{OPEN}" stroke-width="1.6"/>{glyph}'
    cross = f'<path d="M{x - 2.4} {y - 2.4}l4.8 4.8m0-4.8l-4.8 4.8" stroke="{BAD}" stroke-width="1.6"/>'
    return f'{circle} fill="#fff" stroke="{BAD}" stroke-width="1.6"/>{cross}'


# THE NOTEBOOKS


def notebook(text: str) -> str:
    """The tutorial as a Jupyter notebook beside the pictures, with the output of its cells."""
    text = ANSWER.sub(lambda match: _folded(match[1], match[2]), text)
    text = LINK.sub(
        lambda match: f"]({match[1].removeprefix('tutorial/') if 'tutorial/' in match[1] else '../' + match[1]})", text
    )
    title, text = text.split("\n## ", 1)
    begin = "```python\nfrom itp_response import ask\n```\n"
    calls = SESSION.sub(lambda match: f"```python\n{_call(match[1])}\n```\n", f"## {text}")
    return cells_of(f"{title}\n{begin}\n{calls}")


def _folded(summary: str, answer: str) -> str:
    """An answer that stays folded until it is asked for; a session in it is shown and is no cell."""
    shown = SESSION.sub(lambda match: f"    {_call(match[1])}\n\n```text\n{_printed(match[1])}```\n", answer)
    return f"<details>\n<summary>{summary}</summary>\n\n{shown}\n</details>\n"


def _call(session: str) -> str:
    """The call in Python that a session makes."""
    arguments = arguments_of(session)
    criteria = Path(arguments["criteria"]).name
    named = "" if criteria == "atra_2022" else f', "{criteria}"'
    return f'ask("{arguments["timeline"]}"{named}, endpoint="{arguments["endpoint"]}")'


def _printed(session: str) -> str:
    arguments = arguments_of(session)
    criteria = Path(arguments["criteria"]).name
    definitions = HERE / criteria if criteria.endswith(".toml") else criteria
    (explanation,) = ask(arguments["timeline"], definitions, endpoint=arguments["endpoint"])
    return f"{explanation}\n"


def cells_of(text: str) -> str:
    """A page of Markdown as a notebook: each block of Python is a cell, with its output."""
    names: dict[str, Any] = {}
    parts = CELL.split(text)
    with contextlib.chdir(HERE):
        cells = [
            _code(part, shown_by(part, names)) if number % 2 else _markdown(part)
            for number, part in enumerate(parts)
            if part.strip()
        ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    whole = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def shown_by(source: str, names: dict[str, Any]) -> list[dict[str, Any]]:
    """The outputs of a cell, as a notebook holds them: what it prints, and what its last line gives."""
    *before, last = ast.parse(source).body
    is_shown = isinstance(last, ast.Expr)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(ast.Module(before if is_shown else [*before, last], []), "cell", "exec"), names)
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names) if is_shown else None
    outputs = [{"name": "stdout", "output_type": "stream", "text": _lines(printed.getvalue())}]
    data = {} if value is None else {"text/plain": _lines(repr(value))}
    if hasattr(value, "_repr_html_"):
        data["text/html"] = _lines(value._repr_html_())
    result = {"data": data, "execution_count": None, "metadata": {}, "output_type": "execute_result"}
    return [*(outputs if printed.getvalue() else []), *([result] if data else [])]


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _code(source: str, outputs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": outputs, "source": _lines(source)}


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": _lines(text.strip())}


def files() -> dict[str, str]:
    """The contents of the files, by name."""
    text = TUTORIAL.read_text()
    return {**pictures(text), "tutorial.ipynb": notebook(text), "study.ipynb": cells_of(STUDY.read_text())}


if __name__ == "__main__":
    for name, content in files().items():
        (HERE / name).write_text(content)
