"""Report: a study decided, on one page that needs nothing else: no network, no server, no program but a browser."""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from itp_response.classification.classification import Classification, CriteriaInput, Study
from itp_response.classification.provenance import BESIDE, Provenance, of_bytes
from itp_response.classification.writers import put
from itp_response.data_review.edit_checks import EDIT_CHECKS
from itp_response.data_review.review import Review, review
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.optional_imports import needed
from itp_response.outputs.comparison.sensitivity import Sensitivity, sensitivity
from itp_response.outputs.report import patients as of_patients
from itp_response.outputs.report import sections
from itp_response.outputs.report.figures import figures
from itp_response.outputs.report.patients import Progress
from itp_response.outputs.tables.table import Tables, table
from itp_response.readers.files import Tabular
from itp_response.readers.options import ReadOptions

HERE = Path(__file__).parent
SUFFIX = ".html"
SCRIPTS = ("elements.js", "timeline.js", "page.js")
CONTENTS = (
    ("summary", "Summary"),
    ("results", "Results"),
    ("figures", "Figures"),
    ("definitions", "Definitions"),
    ("sensitivity", "Sensitivity"),
    ("findings", "Findings and queries"),
    ("patients", "Patients"),
    ("provenance", "Provenance"),
)
"""The sections: the part of the address that leads to each, and its heading."""


@dataclass(frozen=True)
class Page:
    """The page, and the verdicts it shows."""

    html: str = field(repr=False)
    found: Classification
    origin: Provenance = field(repr=False)

    def summary(self) -> str:
        """How large the page is, and what was assumed and noticed: for standard error."""
        size = f"{len(self.html.encode()) / 1e6:.1f} MB"
        return "\n".join([f"{len(self.found.cohort):,} patients on a page of {size}", *self.found.cohort.note_lines])

    def write(self, path: str | Path) -> None:
        """Write the page to an `.html` file, whole or not at all; what made it goes beside it.

        Raises `UsageError` for another suffix or a place that cannot be written.
        """
        path = Path(path)
        if path.suffix != SUFFIX:
            raise UsageError(f"{path.name}: {unknown('kind of report', path.suffix, [SUFFIX])}")
        content = self.html.encode()
        put(path, lambda file: file.write(content))
        text = replace(self.origin, outputs=(of_bytes(path.name, content),)).text()
        put(path.with_name(f"{path.name}{BESIDE}"), lambda file: file.write(text.encode()))


def quietly(items: Sequence[str], _: str) -> Iterable[str]:
    """Goes through the items and shows nothing."""
    return items


def report(
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    options: ReadOptions | None = None,
    events: Any = None,
    screening: Any = None,
    progress: Progress = quietly,
) -> Page:
    """A study on one page: results, definitions, interpretations, what is to be asked, every patient, what made it.

    `visits`, `patients`, `criteria` and `options` are as in `classify`, `events` and `screening` as in `table`.
    `progress` is given the items of a long work and their name, and gives them back one by one.
    Raises `UsageError` if a library that it needs is missing.
    """
    jinja2 = needed("jinja2", "report")
    reviewed = review(visits, patients, criteria, options=options)
    found = reviewed.classification
    definitions = found.criteria
    has_interpretations = any(interpretation.change for interpretation in definitions.file.interpretation)
    tried = sensitivity(found.cohort, criteria=definitions) if has_interpretations else None
    results = table(found, show=["all"], events=events, screening=screening)
    origin = replace(results.provenance(), options=found.provenance().options)
    loader = jinja2.FileSystemLoader(HERE)
    templates = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    templates.filters["embedded"] = embedded
    shown = _shown(found, results, reviewed, tried, origin, progress)
    return Page(templates.get_template("page.html").render(shown), found, origin)


def _shown(
    classification: Classification,
    results: Tables,
    reviewed: Review,
    tried: Sensitivity | None,
    origin: Provenance,
    progress: Progress,
) -> dict[str, Any]:
    """All that the template shows."""
    told = (of_patients.findings_of(reviewed), of_patients.queries_of(reviewed), of_patients.interpretations_of(tried))
    script = "".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return {
        "style": (HERE / "page.css").read_text(encoding="utf-8"),
        "script": script,
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "contents": CONTENTS,
        "cohort": classification.cohort,
        "criteria": classification.criteria,
        "groups": sections.groups(classification),
        "verdicts": sections.verdicts(classification),
        "results": results,
        "figures": list(figures(classification, progress)),
        "about": sections.about(classification.criteria),
        "definitions": sections.definitions(classification.criteria),
        "tried": tried,
        "sensitivity": [] if tried is None else sections.sensitivity(tried),
        "dependent": len(told[2]),
        "findings": sections.findings(reviewed),
        "rules": {rule.name: rule.asks for rule in EDIT_CHECKS},
        "queries": sections.queries(reviewed),
        "provenance": sections.provenance(origin),
        "study": of_patients.study(classification),
        "index": of_patients.packed(of_patients.index(classification, told)),
        "parts": list(of_patients.parts(classification, told, progress)),
    }


def embedded(value: Any) -> str:
    """A value as JSON that may stand inside a `script` element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
