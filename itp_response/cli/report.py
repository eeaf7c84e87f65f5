"""The command for a study's report."""

from typing import Any

from click import option

from itp_response.cli.command import command
from itp_response.cli.files import InputFile
from itp_response.cli.options import StudyArguments, output_option, reference_option, study_options, title_option
from itp_response.cli.progress import current_bar
from itp_response.cli.terminal import say


@command(
    short_help="Write a self-contained HTML report of a study.",
    examples=[
        "report visits.csv --patients patients.csv --output report.html",
        'report visits.csv --title "My study" -o report.html --force',
    ],
)
@study_options()
@option("--events", type=InputFile(), help="Table of adverse events: patient_id, event, grade. Default: none.")
@option(
    "--screening", type=InputFile(), help="Table with a row per person assessed: patient_id, excluded. Default: none."
)
@reference_option
@title_option
@output_option("The report, an .html file.", required=True)
def report(study: StudyArguments, output: str, **options: Any) -> None:
    """Write a self-contained HTML report of VISITS that opens offline in any browser.

    Results, figures, definitions, sensitivity analysis, data queries, and every patient's timeline and explanation.
    """
    from itp_response.outputs.report.report import report as make_report

    page = study.call(make_report, progress=current_bar().over, **options)
    study.write_quarantine(page.classification)
    page.write(output)
    say(page.summary())
