"""Words: what a user reads has the field's terms, and none of the idioms that they replaced.

GLOSSARY.md has the terms. A term that may not come back stands in `INSTEAD`, with what is written instead.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import itp_response

ROOT = Path(__file__).parents[1]

INSTEAD = {
    r"whoever|of whom\b|\bwho(?:se)? (?:comes?|changes|turns|verdicts?|answers?|results?)\b": "patients who …, reclassified",
    r"\b(?:he|she|his|him)\b": "the patient, they",
    r"\b(?:patient|patients|one|someone|anyone) whose\b": "a patient with …",
    r"so many\b": "the number of …, up to N, maximum number of …",
    r"(?:comes?|came|coming) out (?:otherwise|as|the same|different)": "reclassified, the result is …",
    r"\bhangs? on\b": "depends on",
    r"taken for granted|(?:^|\n)taken: ": "assumed",
    r"\d less \d|\bless (?:Y|that|the|those) (?:in|of|other|second)\b": "minus",
    r"\d\s?% interval|95 % (?:CI|confidence)": "95% CI",
    r"question (?:does not arise|arises)": "not applicable",
    r"foretell|foretold": "predict",
    r"\bset(?:s|ting)? (?:\w+ ){0,2}beside\b|side beside": "compare",
    r"stands? open|stays? open|(?:leaves?|left) (?:it|them|(?:the|a) \w+) open\b": "not evaluable",
    r"not to be had|cannot be had": "not estimable, cannot be reproduced",
    r"taken off|take off each": "reference arm",
    r"(?:stands?|stood) against": "rules out",
    r"\bwitness(?:es)?\b": "evidence, supporting record",
    r"worked patients?": "worked example",
    r"known only as (?:a )?bounds?|only (?:a )?bounds? (?:is|are) known": "censored count",
    r"counts? as not met|is not met is the milder|to be met is bad": "non-evaluable patients counted as non-responders; unfavourable",
    r"strokes on": "tick marks",
    r"in no curve": "not included in the analysis",
    r"stopped for good": "permanently discontinued",
    r"findings? to ask": "data query",
    r"is no date\b|\bis no number\b": "is not a date, is not a number",
    r"no longer there\b": "removed",
    r"nobody(?:'s)? (?:verdict|changes)|\bnobody changes": "no patient is reclassified",
    r"(?:differences?|ratios?) of (?:the )?arms": "risk difference",
    r"whatever else holds": "regardless of the observations",
    r"goes on or ended|go on or ended": "ongoing or ended",
    r"would turn\b|turns? the verdict|tips the verdict": "would reverse the result",
    r"by how little": "closest to a different classification",
    r"(?:the|a|another|other) readings? (?:that|of|assumed|is|are|tried)|tries its readings": "interpretation",
    r"passed over": "disregarded",
    r"(?:that|which) the file does not take": "alternative interpretation",
    r"in per cent of each": "percentage points",
    r"as if they had ended in the event": "treated as events",
    r"(?:dates?|day) known only in part": "partial date",
    r"closed by (?=[a-z{$])": "can no longer be met after",
    r"\b(?:a|the|rescue|after) wash ?outs?\b": "wash-out; `washout` only where it is the name of a term",
}
"""Patterns of words that may not come back, and what is written instead."""
PATTERN = re.compile("|".join(f"(?:{words})" for words in INSTEAD), re.IGNORECASE)


def _files() -> Iterator[Path]:
    for folder, pattern in (
        ("itp_response", "*.py"),
        ("itp_response", "*.js"),
        ("itp_response", "*.html"),
        ("docs", "*.md"),
        ("criteria", "*.toml"),
        ("criteria", "*.md"),
        ("criteria", "*.json"),
        ("examples", "*.md"),
        ("examples", "*.toml"),
    ):
        yield from sorted((ROOT / folder).rglob(pattern))
    yield from (ROOT / name for name in ("README.md", "CHANGELOG.md", "GLOSSARY.md", "CONTRIBUTING.md"))


FILES = {str(path.relative_to(ROOT)): path for path in _files()}


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """What a user reads of a file, with its line: of Python its texts of more than a word.

    Docstrings are read by users in `cli`, where they are the help; those of public names are tested by themselves.
    """
    content = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(content.splitlines(), 1)
        return
    tree = ast.parse(content)
    bare = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)] if path.parent.name != "cli" else []
    for node in ast.walk(tree):
        if node in bare:
            continue
        if isinstance(node, ast.JoinedStr):
            # What stands between braces may be any word.
            parts = [str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values]
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value


def found_in(path: Path) -> list[str]:
    """Each of the words in a file, as `line: words`."""
    found = []
    for line, text in _texts(path):
        found += [f"{line}: {match[0]!r}" for match in PATTERN.finditer(" ".join(text.split()))]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("name", FILES)
def test_words_do_not_come_back(name: str) -> None:
    assert found_in(FILES[name]) == []


def _docs() -> Iterator[tuple[str, str]]:
    """The docstrings of the public names, and of the public methods of the classes among them."""
    for name in itp_response.__all__:
        public = getattr(itp_response, name)
        if not inspect.ismodule(public):
            yield name, inspect.getdoc(public) or ""
        if inspect.isclass(public):
            for method, value in inspect.getmembers(public):
                if not method.startswith("_") and method in vars(public):
                    yield f"{name}.{method}", inspect.getdoc(value) or ""


@pytest.mark.parametrize(("name", "doc"), [pytest.param(name, doc, id=name) for name, doc in _docs()])
def test_words_do_not_come_back_in_docstrings(name: str, doc: str) -> None:
    assert [match[0] for match in PATTERN.finditer(" ".join(doc.split()))] == []


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("who came out otherwise", True),
        ("the answer hangs on how it was read", True),
        ("Y in A less Y in B", True),
        ("fewer than 5, 5 or more, less than 3 days", False),
        ("the result depends on a count", False),
        ("each patient's evidence", False),
        ("within the washout", True),
        ('discount = "washout", within the wash-out', False),
    ],
)
def test_what_is_looked_for(text: str, is_found: bool) -> None:
    assert bool(PATTERN.search(text)) == is_found
