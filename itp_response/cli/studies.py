"""The commands that decide a study."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from itp_response.cli.command import command
from itp_response.cli.options import (
    CRITERIA,
    DATA_FILE,
    StudyArguments,
    endpoints_option,
    json_option,
    output_option,
    reference_option,
    study_options,
    title_option,
)
from itp_response.cli.progress import current_bar
from itp_response.cli.terminal import is_terminal, say, show, show_csv, show_json, show_rows
from itp_response.messages.errors import UsageError

if TYPE_CHECKING:
    from itp_response.classification.classification import Classification

FIRST = 10
"""The number of patients that `classify` shows on a terminal."""
STUDY = "visits.csv --patients patients.csv"


@command(
    short_help="Classify every patient: results, days and reasons.",
    examples=[
        f"classify {STUDY}",
        f"classify {STUDY} --output results.csv",
        "classify visits.xlsx --criteria iwg_2009 --date-format dmy",
        "classify - --json < visits.csv",
    ],
)
@study_options()
@output_option(f"Write the results to FILE, {DATA_FILE}; visits of any length. Default: standard output.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "table", "first"]),
    help=f"Print 'csv' (all columns), 'table' (for people), or 'first' (the summary and a table of the first {FIRST} "
    "patients). Default: first on a terminal, else csv.",
)
@json_option
@click.option("--long", "long_", is_flag=True, help="One row per patient and endpoint. Default: one row per patient.")
@click.option(
    "--by-visit",
    is_flag=True,
    help="One row per patient, endpoint and planned visit: whether the patient was in the state of the endpoint. "
    "Default: one row per patient.",
)
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads used. Default: one per processor.")
def classify(
    study: StudyArguments,
    output: str | None,
    form: str | None,
    as_json: bool,
    long_: bool,
    by_visit: bool,
    threads: int | None,
) -> None:
    """Classify every patient of VISITS under a criteria set: one row each, with results, days and reasons.

    A summary of the results, the assumptions and the warnings goes to standard error.
    """
    from itp_response.classification.classification import classify as classify_study
    from itp_response.classification.classification import rows_asked
    from itp_response.classification.writers import csv_bytes

    forms = {"--output": output is not None, "--json": as_json, "--format": form is not None}
    given = [name for name, is_given in forms.items() if is_given]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)}: give one of them.")
    shape = "--long" if long_ else "--by-visit" if by_visit else ""
    if long_ and by_visit:
        raise UsageError("--long and --by-visit: give one of them.")
    if shape and form in ("table", "first"):
        raise UsageError(f"{shape} and --format {form}: the table has a row per patient; leave out one of them.")
    if output is not None:
        _classify_to(study, output, {"long": long_, "by_visit": by_visit}, threads)
        return
    classification = study.call(classify_study, threads=threads)
    study.write_quarantine(classification)
    if form is None and not (as_json or shape):
        form = "first" if is_terminal(sys.stdout) else "csv"
    if form == "first":
        _show_first(classification)
        return
    if form == "table":
        show(classification.table)
    else:
        frame = classification.table_of(rows_asked(long_, by_visit))
        show_rows(frame) if as_json else show_csv(csv_bytes(frame).decode())
    say(classification.summary())


def _classify_to(study: StudyArguments, output: str, shape: dict[str, bool], threads: int | None) -> None:
    """Classify into a file, chunk by chunk."""
    from itp_response.classification.chunked.classify_to import classify_to
    from itp_response.classification.writers import check_suffix

    if study.quarantine_file is not None:
        check_suffix(Path(study.quarantine_file))
    arguments = {**shape, "threads": threads, "progress": current_bar().step, "notify": say}
    written = study.call(partial(classify_to, output), **arguments)
    study.write_quarantine(written)
    say(written.summary())


def _show_first(classification: "Classification") -> None:
    """The summary, the first patients, and how to get all."""
    say(f"{classification.summary()}\n")
    show(partial(classification.table, FIRST))
    further = len(classification.cohort) - FIRST
    if further > 0:
        how = "--format table shows all of them, --output FILE.csv writes all columns"
        show(lambda: f"\n{further:,} more patient{'' if further == 1 else 's'}; {how}.")


@command(
    short_help="Explain a patient's results, with the supporting records.",
    examples=[
        f"explain {STUDY} --patient ITP-0003",
        "explain visits.csv --patient ITP-0003 --patient ITP-0008",
        "explain visits.csv --patient ITP-0003 --json > certificate.json",
    ],
)
@study_options()
@click.option("--patient", multiple=True, required=True, metavar="ID", help="Patient to explain. Repeat for several.")
@endpoints_option
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print a certificate, all that the results rest on, which another program can check; a list of them for "
    "several patients or endpoints. Default: text for people.",
)
def explain(study: StudyArguments, patient: tuple[str, ...], endpoint: tuple[str, ...], as_json: bool) -> None:
    """Explain the results of patients of VISITS: why, by which observations, and where these stand in the file.

    It also reports the smallest change of one observation that would change the result.
    """
    from itp_response.classification.classification import classify as classify_study
    from itp_response.explanation.certificate import certificate
    from itp_response.explanation.explain import explain as explain_patient

    classification = study.call(classify_study)
    study.write_quarantine(classification)
    study.say_warnings(classification.cohort)
    asked = [(one, name) for one in dict.fromkeys(patient) for name in dict.fromkeys(endpoint) or (None,)]
    if as_json:
        content = [certificate(classification, patient=one, endpoint=name) for one, name in asked]
        show_json(content if len(asked) > 1 else content[0])
        return
    explanations = [text for one, name in asked for text in explain_patient(classification, patient=one, endpoint=name)]
    show(lambda: "\n\n".join(map(str, explanations)))


@command(
    short_help="Compare criteria sets: who is reclassified, and why.",
    examples=[
        "compare visits.csv --criteria atra_2022 --criteria iwg_2009",
        "compare visits.csv --criteria mine.toml --criteria iwg_2009",
    ],
)
@study_options(
    click.option(
        "--criteria",
        type=CRITERIA,
        multiple=True,
        required=True,
        metavar="NAME_OR_FILE",
        help="Criteria set: a shipped name or a file of your own. Give two or more; the first is compared with each of "
        "the others.",
    )
)
@output_option(f"Write the results under every set, one row per patient, to FILE, {DATA_FILE}. Default: not written.")
@output_option(
    f"Write the patients reclassified and the criterion responsible to FILE, {DATA_FILE}. Default: not written.",
    "--changes",
)
@json_option
def compare(study: StudyArguments, output: str | None, changes: str | None, as_json: bool) -> None:
    """Classify VISITS under several criteria sets and report which patients are reclassified, and why."""
    from itp_response.classification.writers import write
    from itp_response.outputs.comparison.compare import compare as compare_criteria

    comparison = study.call(compare_criteria)
    study.write_quarantine(comparison)
    if output is not None:
        comparison.write(output)
    if changes is not None:
        write(comparison.changes(), changes, comparison.provenance())
    if as_json:
        show_rows(comparison.frame())
        study.say_notes(comparison.cohort)
    else:
        show(comparison.__str__)


@command(
    short_help="Sensitivity analysis over a set's interpretations.",
    examples=[f"sensitivity {STUDY}", "sensitivity visits.csv --together --output reclassified.csv"],
)
@study_options()
@click.option("--together", is_flag=True, help="Also apply all interpretations at once. Default: one at a time only.")
@output_option(
    f"Write the patients with a result that depends on an interpretation to FILE, {DATA_FILE}. Default: not written."
)
@json_option
@reference_option
@title_option
def sensitivity(study: StudyArguments, output: str | None, as_json: bool, **options: Any) -> None:
    """Classify VISITS under each interpretation of the criteria set, and report which results depend on one."""
    from itp_response.outputs.comparison.sensitivity import sensitivity as analyse

    analysis = study.call(analyse, **options)
    study.write_quarantine(analysis.base)
    if output is not None:
        analysis.write(output)
    if as_json:
        show_rows(analysis.frame())
        study.say_notes(analysis.cohort, *analysis.assumed)
    else:
        show(analysis.__str__)


@command(
    short_help="Check the data and list queries before analysis.",
    examples=[f"review {STUDY}", "review visits.csv -o findings.csv --data-queries queries.csv"],
)
@study_options()
@output_option(f"Write the findings of the edit checks to FILE, {DATA_FILE}. Default: not written.")
@output_option(
    "Write, for each non-evaluable result, the single observation that would resolve it, "
    f"to FILE, {DATA_FILE}. Default: not written.",
    "--data-queries",
)
@output_option(
    "Write one query per patient and cause, for a site to answer, to FILE, .csv, .xlsx, .json or .parquet. "
    "Default: not written.",
    "--query-log",
)
@json_option
def review(
    study: StudyArguments, output: str | None, data_queries: str | None, query_log: str | None, as_json: bool
) -> None:
    """Check VISITS before analysis and list the data queries to raise, each with its place in the file."""
    from itp_response.classification.writers import write
    from itp_response.data_review.review import review as review_study

    reviewed = study.call(review_study)
    study.write_quarantine(reviewed.classification)
    if output is not None:
        reviewed.write(output)
    if data_queries is not None:
        write(reviewed.data_queries(), data_queries, reviewed.classification.provenance())
    if query_log is not None:
        reviewed.write_query_log(query_log)
    if as_json:
        show_rows(reviewed.query_log())
        study.say_notes(reviewed.cohort)
    else:
        show(reviewed.__str__)
