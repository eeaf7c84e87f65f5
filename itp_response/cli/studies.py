"""The commands that decide a study."""

import sys
from typing import Any

import click

from itp_response.cli.options import impute, on_error, study, study_under
from itp_response.errors import UsageError


@click.command()
@study
@impute
@on_error
@click.option("--quarantine-file", type=click.Path(), help="Where the rows left out are written, with the reasons.")
@click.option("--output", type=click.Path(), help="A .csv, .json or .parquet file; else standard output.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "table"]),
    help="On standard output: csv, or a table for people. Default: a table on a terminal, else csv.",
)
@click.option("--long", "long_", is_flag=True, help="A row per patient and criterion instead of per patient.")
@click.option("--threads", type=click.IntRange(min=1), help="Default: one a processor.")
def classify(
    visits: str,
    patients: str | None,
    criteria: str,
    date_format: str | None,
    bleeding: str | None,
    impute: str | None,
    on_error: str,
    quarantine_file: str | None,
    output: str | None,
    form: str | None,
    long_: bool,
    threads: int | None,
) -> None:
    """Classify every patient of VISITS: one row each, with day and reason.

    A short summary goes to standard error: the verdicts, what was taken for granted, and warnings.
    With --output, a file (or a folder of part files) of any length is read, decided and written part by part.
    """
    from itp_response.classify import classify as classified
    from itp_response.classify import write
    from itp_response.cli.progress import Progress
    from itp_response.stream import classify_to

    if (on_error == "quarantine") != (quarantine_file is not None):
        raise UsageError("--on-error quarantine and --quarantine-file go together; give both or none.")
    options: dict[str, Any] = {"date_format": date_format, "bleeding": bleeding, "impute": impute, "threads": threads}
    if output is not None and on_error == "stop":
        with Progress() as bar:
            written = classify_to(
                output, visits, patients, criteria, long=long_, progress=bar.step, told=bar.say, **options
            )
        click.echo(written.summary(), err=True)
        return
    found = classified(
        visits,
        patients,
        criteria,
        on_error=on_error,
        **options,
    )
    if quarantine_file is not None and found.cohort.quarantine is not None:
        write(found.cohort.quarantine, quarantine_file, found.provenance())
    if output is not None:
        found.write(output, long=long_)
    elif form == "table" or (form is None and not long_ and sys.stdout.isatty()):
        click.echo(found.table())
    else:
        click.echo((found.long() if long_ else found.frame()).write_csv(), nl=False)
    click.echo(found.summary(), err=True)


@click.command()
@study
@impute
@on_error
@click.option("--patient", required=True, metavar="ID", help="The patient.")
@click.option("--criterion", metavar="X", help="Only this criterion.")
def explain(
    visits: str,
    patients: str | None,
    criteria: str,
    date_format: str | None,
    bleeding: str | None,
    impute: str | None,
    on_error: str,
    patient: str,
    criterion: str | None,
) -> None:
    """Say why a patient of VISITS has the verdicts, with the observations and their lines in the file."""
    from itp_response.explain import explain as explained

    found = explained(
        visits,
        patients,
        criteria,
        patient=patient,
        criterion=criterion,
        date_format=date_format,
        bleeding=bleeding,
        impute=impute,
        on_error=on_error,
    )
    click.echo("\n\n".join(map(str, found)))


@click.command()
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
    visits: str,
    patients: str | None,
    criteria: tuple[str, ...],
    date_format: str | None,
    bleeding: str | None,
    output: str | None,
    changes: str | None,
) -> None:
    """Decide VISITS by several sets of criteria and say who comes out otherwise, and why."""
    from itp_response.classify import write
    from itp_response.compare import compare as compared

    found = compared(visits, patients, criteria, date_format=date_format, bleeding=bleeding)
    if output is not None:
        found.write(output)
    if changes is not None:
        write(found.changes(), changes, found.provenance())
    click.echo(str(found))


@click.command()
@study
@click.option("--together", is_flag=True, help="Also under all readings at once.")
@click.option("--output", type=click.Path(), help="The patients who depend on a reading: .csv, .json or .parquet.")
def sensitivity(
    visits: str,
    patients: str | None,
    criteria: str,
    date_format: str | None,
    bleeding: str | None,
    together: bool,
    output: str | None,
) -> None:
    """Decide VISITS under every reading of a set of criteria, and say whose verdict depends on which."""
    from itp_response.sensitivity import sensitivity as tried

    found = tried(visits, patients, criteria, together=together, date_format=date_format, bleeding=bleeding)
    if output is not None:
        found.write(output)
    click.echo(str(found))


@click.command()
@study
@impute
@click.option("--output", type=click.Path(), help="The findings: a .csv, .json or .parquet file.")
@click.option("--queries", type=click.Path(), help="For each NE what would settle it: such a file too.")
def review(
    visits: str,
    patients: str | None,
    criteria: str,
    date_format: str | None,
    bleeding: str | None,
    impute: str | None,
    output: str | None,
    queries: str | None,
) -> None:
    """Say what in VISITS is to be asked about before it is decided, each with its place.

    With --queries also which single observation would settle each verdict that is not evaluable.
    """
    from itp_response.classify import write
    from itp_response.review import review as reviewed

    found = reviewed(visits, patients, criteria, date_format=date_format, bleeding=bleeding, impute=impute)
    if output is not None:
        found.write(output)
    if queries is not None:
        write(found.queries(), queries, found.found.provenance())
    click.echo(str(found))
