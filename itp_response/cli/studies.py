"""The commands that decide a study."""

import json
import sys
from typing import Any

import click

from itp_response.cli.options import quarantined, study, study_under


@click.command(short_help="Classify every patient: one row each, with day and reason.")
@study
@click.option("--output", type=click.Path(), help="A .csv, .json or .parquet file; else standard output.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "table"]),
    help="On standard output: csv, or a table for people. Default: a table on a terminal, else csv.",
)
@click.option("--long", "long_", is_flag=True, help="A row per patient and endpoint instead of per patient.")
@click.option("--threads", type=click.IntRange(min=1), help="Default: one a processor.")
def classify(
    visits: Any,
    patients: Any,
    criteria: str,
    quarantine_file: str | None,
    output: str | None,
    form: str | None,
    long_: bool,
    threads: int | None,
    options: Any,
) -> None:
    """Classify every patient of VISITS: one row each, with day and reason.

    A short summary goes to standard error: the verdicts, what was assumed, and warnings.
    With --output, a file (or a folder of part files) of any length is read, decided and written part by part.
    """
    from itp_response.classification.chunked.classify_to import classify_to
    from itp_response.classification.classification import classify as classified
    from itp_response.cli.progress import Progress

    if output is not None and options.on_error == "stop":
        with Progress() as bar:
            written = classify_to(
                output,
                visits,
                patients,
                criteria,
                options=options,
                long=long_,
                threads=threads,
                progress=bar.step,
                told=bar.say,
            )
        click.echo(written.summary(), err=True)
        return
    found = classified(visits, patients, criteria, threads=threads, options=options)
    quarantined(found, quarantine_file)
    if output is not None:
        found.write(output, long=long_)
    elif form == "table" or (form is None and not long_ and sys.stdout.isatty()):
        click.echo(found.table())
    else:
        click.echo((found.long() if long_ else found.frame()).write_csv(), nl=False)
    click.echo(found.summary(), err=True)


@click.command(short_help="Say why a patient has the verdicts.")
@study
@click.option("--patient", required=True, metavar="ID", help="The patient.")
@click.option("--endpoint", metavar="X", help="Only this endpoint.")
@click.option("--json", "as_json", is_flag=True, help="A certificate: all that the verdicts rest on, for a checker.")
def explain(
    visits: Any,
    patients: Any,
    criteria: str,
    quarantine_file: str | None,
    patient: str,
    endpoint: str | None,
    as_json: bool,
    options: Any,
) -> None:
    """Say why a patient of VISITS has the verdicts, with the observations and their lines in the file."""
    from itp_response.classification.classification import classify as classified
    from itp_response.explanation.certificate import certificate
    from itp_response.explanation.explain import explain as explained

    found = classified(visits, patients, criteria, options=options)
    quarantined(found, quarantine_file)
    if as_json:
        made = certificate(found, patient=patient, endpoint=endpoint)
        click.echo(json.dumps(made, indent=1, ensure_ascii=False, allow_nan=False, default=str))
    else:
        click.echo("\n\n".join(map(str, explained(found, patient=patient, endpoint=endpoint))))


@click.command(short_help="Decide a study by several sets: who differs, and why.")
@study_under(
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
def compare(
    visits: Any,
    patients: Any,
    criteria: tuple[str, ...],
    quarantine_file: str | None,
    output: str | None,
    changes: str | None,
    options: Any,
) -> None:
    """Decide VISITS by several sets of criteria and say who comes out otherwise, and why."""
    from itp_response.classification.writers import write
    from itp_response.outputs.comparison.compare import compare as compared

    found = compared(visits, patients, criteria, options=options)
    quarantined(found, quarantine_file)
    if output is not None:
        found.write(output)
    if changes is not None:
        write(found.changes(), changes, found.provenance())
    click.echo(str(found))


@click.command(short_help="Decide a study under every interpretation of a set.")
@study
@click.option("--together", is_flag=True, help="Also under all interpretations at once.")
@click.option(
    "--output", type=click.Path(), help="The patients who depend on an interpretation: .csv, .json or .parquet."
)
def sensitivity(
    visits: Any,
    patients: Any,
    criteria: str,
    quarantine_file: str | None,
    together: bool,
    output: str | None,
    options: Any,
) -> None:
    """Decide VISITS under every interpretation of a set of criteria, and say whose verdict depends on which."""
    from itp_response.outputs.comparison.sensitivity import sensitivity as tried

    found = tried(visits, patients, criteria, together=together, options=options)
    quarantined(found.base, quarantine_file)
    if output is not None:
        found.write(output)
    click.echo(str(found))


@click.command(short_help="Say what to ask about a study before it is decided.")
@study
@click.option("--output", type=click.Path(), help="The findings: a .csv, .json or .parquet file.")
@click.option("--queries", type=click.Path(), help="For each NE what would settle it: such a file too.")
def review(
    visits: Any,
    patients: Any,
    criteria: str,
    quarantine_file: str | None,
    output: str | None,
    queries: str | None,
    options: Any,
) -> None:
    """Say what in VISITS is to be asked about before it is decided, each with its place.

    With --queries also which single observation would settle each verdict that is not evaluable.
    """
    from itp_response.classification.writers import write
    from itp_response.data_review.review import review as reviewed

    found = reviewed(visits, patients, criteria, options=options)
    quarantined(found.classification, quarantine_file)
    if output is not None:
        found.write(output)
    if queries is not None:
        write(found.data_queries(), queries, found.classification.provenance())
    click.echo(str(found))
