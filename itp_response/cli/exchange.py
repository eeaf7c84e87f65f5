"""The commands for what comes in and goes out in the forms of others."""

from typing import Any

import click

from itp_response.cli.options import StudyArguments, study_options


@click.command(short_help="Write the verdicts as CDISC's analysis datasets.")
@study_options()
@click.option("--output", required=True, metavar="FOLDER", type=click.Path(), help="A new folder, or that of before.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["xpt", "json", "parquet", "csv"]),
    default="xpt",
    show_default=True,
    help="SAS transport, Dataset-JSON, Parquet or CSV.",
)
@click.option("--study", "study_id", metavar="ID", help="The STUDYID; else that of DM, or the name of the source.")
def adam(study: StudyArguments, output: str, form: Any, study_id: str | None) -> None:
    """Write the verdicts on VISITS as CDISC's analysis datasets: ADSL, ADRS, ADTTE, ADICE.

    Each record has its reason and the records of the source behind it.
    With them go a table of all variables and parameters with their derivations, and what made them.
    """
    from itp_response.outputs.adam.adam import adam as make_adam

    datasets = study.call(make_adam, study=study_id)
    study.write_quarantine(datasets.classification)
    datasets.write(output, form)
    click.echo(datasets.summary(), err=True)


@click.command(name="map", short_help="Draft a mapping of an export or a wide spreadsheet.")
@click.argument("file", type=click.Path())
@click.option("--sheet", metavar="NAME", help="The sheet of a workbook; else its first.")
def map_(file: str, sheet: str | None) -> None:
    """Draft a mapping of FILE, a REDCap export, a wide spreadsheet or an ODM file, from its headers.

    Look it over, write that it is confirmed, and use it: classify FILE --mapping mapping.toml.
    """
    from itp_response.readers.mapping.draft import draft

    click.echo(draft(file, sheet=sheet), nl=False)
