"""The commands for what comes in and goes out in the forms of others."""

from pathlib import Path
from typing import Any

import click

from itp_response.cli.options import StudyArguments, study_options


def _by_endpoint(_context: click.Context, option: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    """What is given for each endpoint."""
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.BadParameter(f"{text!r} has no '='; write {option.make_metavar(_context)}.")
        pairs[name.strip()] = value.strip()
    return pairs


@click.command(short_help="Write the verdicts as CDISC's analysis datasets.")
@study_options()
@click.option("--output", required=True, metavar="FOLDER", type=click.Path(), help="A new folder, or that of before.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["xpt", "json", "ndjson", "dsjc", "parquet", "csv"]),
    default="xpt",
    show_default=True,
    help="Format: SAS transport, Dataset-JSON (whole, by lines, or compressed), Parquet or CSV.",
)
@click.option("--study", "study_id", metavar="ID", help="STUDYID. Default: that of the data, such as DM's.")
@click.option(
    "--paramcd",
    multiple=True,
    callback=_by_endpoint,
    metavar="ENDPOINT=CODE",
    help="PARAMCD of an endpoint; repeat for several. Default: the criteria file's, else a short form of its name.",
)
@click.option(
    "--param",
    multiple=True,
    callback=_by_endpoint,
    metavar="ENDPOINT=TEXT",
    help="PARAM of an endpoint; repeat for several. Default: the criteria file's, else its label.",
)
@click.option("--untimed", is_flag=True, help="In ADTTE, also write records without a time. Default: left out.")
def adam(
    study: StudyArguments,
    output: str,
    form: Any,
    study_id: str | None,
    paramcd: dict[str, str],
    param: dict[str, str],
    *,
    untimed: bool,
) -> None:
    """Write the verdicts on VISITS as CDISC's analysis datasets: ADITP, ADRS, ADTTE, ADICE.

    Each record has its reason and the records of the source behind it.
    With them go a table of all variables and parameters with their derivations, and what made them.
    """
    from itp_response.outputs.adam.adam import adam as make_adam
    from itp_response.outputs.adam.settings import AdamSettings

    settings = AdamSettings(paramcd, param, untimed)
    datasets = study.call(make_adam, study=study_id, settings=settings)
    study.write_quarantine(datasets.classification)
    datasets.write(output, form)
    click.echo(datasets.summary(), err=True)


@click.command(name="map", short_help="Draft a mapping of an export or a wide spreadsheet.")
@click.argument("file", type=click.Path())
@click.option("--sheet", metavar="NAME", help="The sheet of a workbook; else its first.")
@click.option("--output", metavar="FILE", type=click.Path(), help="Write the draft to FILE; else to standard output.")
@click.option("--overwrite", is_flag=True, help="Replace FILE if it is there; else that is refused.")
def map_(file: str, sheet: str | None, output: str | None, *, overwrite: bool) -> None:
    """Draft a mapping of FILE from its headers: which column is which.

    FILE is a REDCap export, a spreadsheet with columns per visit, a laboratory table with a row per result, or an ODM
    file. "?" stands where that is not sure, with a comment that says why.

    Answer each, look every line over, write that it is confirmed, and use it: classify FILE --mapping mapping.toml.
    """
    from itp_response.readers.mapping.draft import draft

    if output is None:
        click.echo(draft(file, sheet=sheet), nl=False)
        return
    from itp_response.classification.writers import put
    from itp_response.messages.errors import UsageError

    if Path(output).exists() and not overwrite:
        raise UsageError(f"{output}: is there already; name another file, or say --overwrite to replace it.")
    text = draft(file, sheet=sheet)
    put(Path(output), lambda opened: opened.write(text.encode()))
