"""The commands for what comes in and goes out in the forms of others."""

from typing import Any

import click

from itp_response.cli.command import command
from itp_response.cli.files import InputFile, OutputFile
from itp_response.cli.options import StudyArguments, output_option, study_options
from itp_response.cli.terminal import say, show_csv


def _by_endpoint(_context: click.Context, option: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    """What is given for each endpoint."""
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.BadParameter(f"{text!r} has no '='; write {option.make_metavar(_context)}.")
        pairs[name.strip()] = value.strip()
    return pairs


@command(
    short_help="Write the results as CDISC ADaM datasets.",
    examples=[
        "adam visits.csv --patients patients.csv --study ITP-1 -o adam",
        "adam sdtm_folder --format parquet --output adam",
    ],
)
@study_options()
@click.option(
    "--output",
    "-o",
    required=True,
    type=OutputFile(may_be_csv=True),
    metavar="FOLDER",
    help="Folder for the datasets; a new or an empty one, or with --force that of an earlier run.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["xpt", "json", "ndjson", "dsjc", "parquet", "csv"]),
    default="xpt",
    show_default=True,
    help="Format: SAS transport ('xpt'), Dataset-JSON ('json'; by lines 'ndjson'; compressed 'dsjc'), Parquet or CSV.",
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
    """Write the results on VISITS as the CDISC analysis datasets ADITP, ADRS, ADTTE and ADICE.

    Each record has its reason and its source records. define.csv and define.md list all variables and parameters with
    their derivations; provenance.json names the inputs and their SHA-256.
    """
    from itp_response.outputs.adam.adam import adam as make_adam
    from itp_response.outputs.adam.settings import AdamSettings

    settings = AdamSettings(paramcd, param, untimed)
    datasets = study.call(make_adam, study=study_id, settings=settings)
    study.write_quarantine(datasets.classification)
    datasets.write(output, form)
    say(datasets.summary())


@command(
    name="map",
    short_help="Draft a mapping file for an export or a wide spreadsheet.",
    examples=["map redcap_export.csv", "map study.xlsx --sheet Visits --output mapping.toml"],
)
@click.argument("file", type=InputFile(), metavar="FILE")
@click.option("--sheet", metavar="NAME", help="Sheet of a workbook. Default: the first.")
@output_option("Write the draft to FILE, a .toml file. Default: standard output.")
def map_(file: str, sheet: str | None, output: str | None) -> None:
    """Draft a mapping file for FILE from its headers: which column is which.

    FILE is a REDCap export, a spreadsheet with columns per visit, a laboratory table with a row per result, or an ODM
    file. Where this is not certain, the draft has "?" and a comment that says why.

    Answer each "?", review every line, confirm it, and use it: classify FILE --mapping mapping.toml.
    """
    from itp_response.readers.mapping.draft import draft

    text = draft(file, sheet=sheet)
    if output is None:
        show_csv(text)
        return
    from itp_response.classification.output_files import put

    put(output, lambda opened: opened.write(text.encode()))
