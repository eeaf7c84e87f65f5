"""Report: a study on one HTML page that a browser opens without network or server."""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

from itp_response.classification.classification import Classification, CriteriaInput, Study
from itp_response.classification.output_files import suffix_of
from itp_response.classification.provenance import Provenance
from itp_response.classification.reference_arm import arms_of
from itp_response.classification.supplied import unrecorded
from itp_response.classification.writers import put_with_provenance
from itp_response.data_review.edit_checks import EDIT_CHECKS
from itp_response.data_review.review import Review, review
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.optional_imports import needed
from itp_response.messages.results import Result
from itp_response.messages.wording import counted_patients
from itp_response.outputs.comparison.sensitivity import Sensitivity, sensitivity
from itp_response.outputs.report import patients as of_patients
from itp_response.outputs.report import sections
from itp_response.outputs.report.figures import figures
from itp_response.outputs.report.patients import ReportProgress
from itp_response.outputs.statistics.groups import LEVELS
from itp_response.outputs.tables.table import Tables, table
from itp_response.readers.options import ReadOptions
from itp_response.readers.tabular import Tabular

HERE = Path(__file__).parent
SUFFIX = ".html"
SCRIPTS = ("elements.js", "timeline.js", "page.js")
CONTENTS = (
    ("summary", "Summary"),
    ("results", "Results"),
    ("figures", "Figures"),
    ("definitions", "Definitions"),
    ("sensitivity", "Sensitivity analysis"),
    ("data-queries", "Edit checks and data queries"),
    ("patients", "Patients"),
    ("provenance", "Provenance"),
)
"""The id and the heading of each section."""


@dataclass(frozen=True, repr=False)
class Page(Result):
    """A report as HTML, with the classification it shows and its provenance."""

    text: str
    """The page, a whole document."""
    classification: Classification
    origin: Provenance
    assumed: tuple[str, ...] = ()
    """What is assumed of the reference group, a line with its prefix."""

    def _headline(self) -> str:
        cohort = self.classification.cohort
        patients = f"{counted_patients(len(cohort))}{cohort.as_of_in_words}"
        return f"a report on {patients}. {self.classification.criteria.response_definition}"

    def _pieces(self) -> list[str]:
        # The page stands in a frame of its own, so that its style and its scripts stay within.
        page = f'<iframe sandbox="allow-scripts" srcdoc="{escape(self.text)}" title="report"'
        return [f'{page} style="width:100%;height:40em;border:1px solid #ccc"></iframe>']

    def _assumptions(self) -> list[str]:
        return [*self.assumed, *self.classification.cohort.note_lines]

    def summary(self) -> str:
        """The size of the page, the assumptions and the warnings, a line each, for standard error."""
        size = f"{len(self.text.encode()) / 1e6:.1f} MB"
        cohort = self.classification.cohort
        return "\n".join([f"{counted_patients(len(cohort))} on a page of {size}", *self.assumed, *cohort.note_lines])

    def write(self, path: str | Path) -> None:
        """Write the page to an `.html` file, whole or not at all.

        The provenance goes beside it, in `FILE.provenance.json`.
        Raises `UsageError` for another suffix and for a path that cannot be written.
        """
        path = Path(path)
        if suffix_of(path, [SUFFIX]) != SUFFIX:
            raise UsageError(unknown("kind of report", path.suffix, [SUFFIX]).after(f"{path.name}: "))
        content = self.text.encode()
        put_with_provenance(path, lambda file: file.write(content), self.origin)


def quietly(items: Sequence[str], _: str) -> Iterable[str]:
    """The items; shows nothing."""
    return items


def report(
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    options: ReadOptions | None = None,
    events: Tabular | None = None,
    screening: Tabular | None = None,
    reference: str | None = None,
    title: str | None = None,
    progress: ReportProgress = quietly,
) -> Page:
    """Make a report of a study: one HTML page that a browser opens without network.

    It has results, figures, definitions, the sensitivity analysis, edit checks and data queries, every patient, and the
    provenance. `report("visits.csv", "patients.csv").write("report.html")` writes the page of a study.

    Args:
        visits: The visits of the study: a file or a folder, a frame of polars, pandas or Arrow, a list with a dict per
            row, what `mapped` gave; or a `Cohort` or a `Classification`, which have been read already.
        patients: The patient table, in the same forms. None: there is none. Not allowed beside a study that has been
            read.
        criteria: A shipped criteria set by its name, a criteria file by its path, or a `Criteria`. None: `atra_2022`,
            or the set of the `Classification`.
        options: How the tables are read. None: the defaults of `ReadOptions`. Not allowed beside a study that has been
            read.
        events: A table of adverse events, as in `table`.
        screening: A table with a row per person assessed, as in `table`.
        reference: The reference arm or group. None: a group recognised by its name as a control, else the last by name;
            either is an assumption, which is noted.
        title: The name of the study. None: its own identifier, else the name of the folder of its files.
        progress: Called with the items of a long task and their label; it yields the items, and may show a bar.

    Returns:
        The page.

    Raises:
        UsageError: A library is not installed, or what `table` refuses; or `patients` or `options` were given beside a
            study that has been read.
        CriteriaError: The criteria cannot be used.
        CohortError: The tables cannot be used; the error has every problem.
    """
    jinja2 = needed("jinja2", "report")
    reviewed = review(visits, patients, criteria, options=options)
    classification = reviewed.classification
    _check_arms(len(arms_of(classification.cohort)))
    definitions = classification.criteria
    has_interpretations = any(interpretation.change for interpretation in definitions.file.interpretation)
    results = table(classification, show=["all"], events=events, screening=screening, reference=reference, title=title)
    told = reference if len(arms_of(classification.cohort)) == 2 else None
    tried = sensitivity(classification.cohort, criteria=definitions, reference=told) if has_interpretations else None
    named = {name: text for name, text in (("reference", reference), ("title", title)) if text is not None}
    origin = replace(results.provenance(), options=classification.provenance(**named).options)
    loader = jinja2.FileSystemLoader(HERE)
    templates = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    templates.filters["embedded"] = embedded
    templates.filters["without_options"] = sections.without_options
    shown = _shown(classification, results, reviewed, tried, origin, progress)
    shown["figures"] = list(figures(classification, progress, title, reference))
    return Page(templates.get_template("page.html").render(shown), classification, origin, results.assumed)


def _check_arms(number: int) -> None:
    """Raise `UsageError` for more arms than tables and figures can set beside each other."""
    if number > LEVELS:
        cure = "merge arms in the patient table, or leave its column arm out"
        raise UsageError(f"there are {number:,} arms; a report compares at most {LEVELS}; {cure}.")


def _shown(
    classification: Classification,
    results: Tables,
    reviewed: Review,
    tried: Sensitivity | None,
    origin: Provenance,
    progress: ReportProgress,
) -> dict[str, Any]:
    """The variables of the template."""
    interpretations = of_patients.interpretations_of(tried)
    notes = (of_patients.edit_checks_of(reviewed), of_patients.data_queries_of(reviewed), interpretations)
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
        "unrecorded": unrecorded(classification.cohort),
        "about": sections.about(classification.criteria),
        "definitions": sections.definitions(classification.criteria),
        "intercurrent": sections.intercurrent(classification.criteria),
        "tried": tried,
        "sensitivity": [] if tried is None else sections.sensitivity(tried),
        "dependent": len(interpretations),
        "edit_checks": sections.edit_checks(reviewed),
        "questions": {check.name: check.asks for check in EDIT_CHECKS},
        "data_queries": sections.data_queries(reviewed),
        "provenance": sections.provenance(origin),
        "study": of_patients.study(classification),
        "index": of_patients.packed(of_patients.index(classification, notes)),
        "parts": list(of_patients.parts(classification, notes, progress)),
    }


def embedded(value: Any) -> str:
    """A value as JSON that is safe inside a `script` element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
