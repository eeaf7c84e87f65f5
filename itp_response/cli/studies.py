"""The commands that decide a study."""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from itp_response.cli.options import StudyArguments, endpoint_option, reference_option, study_options, title_option
from itp_response.cli.progress import ProgressBar


@click.command(short_help="Classify every patient: one row each, with day and reason.")
@study_options()
@click.option("--output", type=click.Path(), help="A .csv, .json or .parquet file; else standard output.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "table"]),
    help="On standard output: csv, or a table for people. Default: a table on a terminal, else csv.",
)
@click.option("--long", "long_", is_flag=True, help="A row per patient and endpoint instead of per patient.")
@click.option("--threads", type=click.IntRange(min=1), help="Default: one a processor.")
def classify(study: StudyArguments, output: str | None, form: str | None, long_: bool, threads: int | None) -> None:
    """Classify every patient of VISITS: one row each, with day and reason.

    A short summary goes to standard error: the verdicts, what was assumed, and warnings.
    With --output, a file (or a folder of part files) of any length is read, decided and written part by part.
    """
    from itp_response.classification.chunked.classify_to import classify_to
    from itp_response.classification.classification import classify as classify_study
    from itp_response.classification.writers import check_suffix

    if output is not None:
        if study.quarantine_file is not None:
            check_suffix(Path(study.quarantine_file))
        with ProgressBar() as bar:
            arguments = {"long": long_, "threads": threads, "progress": bar.step, "notify": bar.say}
            written = study.call(partial(classify_to, output), **arguments)
        study.write_quarantine(written)
        click.echo(written.summary(), err=True)
        return
    classification = study.call(classify_study, threads=threads)
    study.write_quarantine(classification)
    if form == "table" or (form is None and not long_ and sys.stdout.isatty()):
        click.echo(classification.table())
    else:
        click.echo((classification.long() if long_ else classification.frame()).write_csv(), nl=False)
    click.echo(classification.summary(), err=True)


@click.command(short_help="Say why a patient has the verdicts.")
@study_options()
@click.option("--patient", required=True, metavar="ID", help="The patient.")
@endpoint_option
@click.option("--json", "as_json", is_flag=True, help="A certificate: all that the verdicts rest on, for a checker.")
def explain(study: StudyArguments, patient: str, endpoint: str | None, as_json: bool) -> None:
    """Say why a patient of VISITS has the verdicts, with the observations and their lines in the file."""
    from itp_response.classification.classification import classify as classify_study
    from itp_response.explanation.certificate import certificate
    from itp_response.explanation.explain import explain as explain_patient

    classification = study.call(classify_study)
    study.write_quarantine(classification)
    if as_json:
        content = certificate(classification, patient=patient, endpoint=endpoint)
        click.echo(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, default=str))
    else:
        click.echo("\n\n".join(map(str, explain_patient(classification, patient=patient, endpoint=endpoint))))


@click.command(short_help="Decide a study by several sets: who differs, and why.")
@study_options(
    click.option(
        "--criteria",
        multiple=True,
        required=True,
        metavar="NAME_OR_FILE",
        help="A shipped set or a file of your own; twice or more, the first beside each of the others.",
    )
)
@click.option("--output", type=click.Path(), help="The verdicts, one row per patient: a .csv, .json or .parquet file.")
@click.option("--changes", type=click.Path(), help="Who comes out otherwise, and by which clause: such a file too.")
def compare(study: StudyArguments, output: str | None, changes: str | None) -> None:
    """Decide VISITS by several sets of criteria and say who comes out otherwise, and why."""
    from itp_response.classification.writers import write
    from itp_response.outputs.comparison.compare import compare as compare_criteria

    comparison = study.call(compare_criteria)
    study.write_quarantine(comparison)
    if output is not None:
        comparison.write(output)
    if changes is not None:
        write(comparison.changes(), changes, comparison.provenance())
    click.echo(str(comparison))


@click.command(short_help="Decide a study under every interpretation of a set.")
@study_options()
@click.option("--together", is_flag=True, help="Also under all interpretations at once.")
@click.option(
    "--output", type=click.Path(), help="The patients who depend on an interpretation: .csv, .json or .parquet."
)
@reference_option
@title_option
def sensitivity(study: StudyArguments, output: str | None, **options: Any) -> None:
    """Decide VISITS under every interpretation of a set of criteria, and say whose verdict depends on which."""
    from itp_response.outputs.comparison.sensitivity import sensitivity as analyse

    analysis = study.call(analyse, **options)
    study.write_quarantine(analysis.base)
    if output is not None:
        analysis.write(output)
    click.echo(str(analysis))
    for line in analysis.assumed:
        click.echo(line, err=True)


@click.command(short_help="Say what to ask about a study before it is decided.")
@study_options()
@click.option("--output", type=click.Path(), help="The findings: a .csv, .json or .parquet file.")
@click.option("--data-queries", type=click.Path(), help="For each NE what would settle it: such a file too.")
@click.option(
    "--query-log", type=click.Path(), help="One query per patient and cause, for a site to answer: .csv, .xlsx."
)
def review(study: StudyArguments, output: str | None, data_queries: str | None, query_log: str | None) -> None:
    """Say what in VISITS is to be asked about before it is decided, each with its place.

    With --data-queries also which single observation would settle each verdict that is not evaluable.
    """
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
    click.echo(str(reviewed))
