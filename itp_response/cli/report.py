"""The command for a study's report."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click

from itp_response.cli.options import quarantined, study


@click.command(short_help="Make one page of a study, for any browser.")
@study
@click.option("--events", type=click.Path(), help="A table of adverse events, for their table.")
@click.option("--screening", type=click.Path(), help="A table of those who were assessed, for the trial's flow.")
@click.option("-o", "--output", required=True, metavar="FILE", type=click.Path(), help="The page, an .html file.")
def report(
    visits: Any,
    patients: Any,
    criteria: str,
    quarantine_file: str | None,
    events: str | None,
    screening: str | None,
    output: str,
    options: Any,
) -> None:
    """Make one page of VISITS that opens in any browser and needs nothing else.

    Results, figures, definitions, sensitivity, what is to be asked, and every patient's timeline and explanation.
    """
    from itp_response.outputs.report.report import report as reported

    page = reported(visits, patients, criteria, events=events, screening=screening, progress=_progress, options=options)
    quarantined(page.classification, quarantine_file)
    page.write(output)
    click.echo(page.summary(), err=True)


def _progress(items: Sequence[str], label: str) -> Iterator[str]:
    """Shows on a terminal how far a long work is; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield from items
        return
    with click.progressbar(items, label=label, file=sys.stderr) as bar:
        yield from bar
