"""The command for a study's report."""

from typing import Any

import click

from itp_response.cli.options import StudyArguments, reference_option, study_options, title_option
from itp_response.cli.progress import ProgressBar


@click.command(short_help="Make one page of a study, for any browser.")
@study_options()
@click.option("--events", type=click.Path(), help="A table of adverse events, for their table.")
@click.option("--screening", type=click.Path(), help="A table of those who were assessed, for the trial's flow.")
@reference_option
@title_option
@click.option("-o", "--output", required=True, metavar="FILE", type=click.Path(), help="The page, an .html file.")
def report(study: StudyArguments, output: str, **options: Any) -> None:
    """Make one page of VISITS that opens in any browser and needs nothing else.

    Results, figures, definitions, sensitivity, what is to be asked, and every patient's timeline and explanation.
    """
    from itp_response.outputs.report.report import report as make_report

    with ProgressBar() as bar:
        page = study.call(make_report, progress=bar.over, **options)
    study.write_quarantine(page.classification)
    page.write(output)
    click.echo(page.summary(), err=True)
