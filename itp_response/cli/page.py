"""The command that serves the page."""

import click

from itp_response.cli.command import command
from itp_response.cli.options import StudyArguments, study_options
from itp_response.cli.terminal import say


@command(
    short_help="Serve an interactive page of a timeline and its results.",
    examples=["teach --show", "teach visits.csv --patients patients.csv --show"],
    has_bar=False,
)
@study_options(required=False)
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="PORT", help="Port on this machine. Default: a free one."
)
@click.option("--show", is_flag=True, help="Open the page in the browser. Default: its address is printed.")
def teach(study: StudyArguments, port: int | None, show: bool) -> None:
    """Serve a page on which you drag a count and see which criterion changes the result.

    The page is served to this machine only (127.0.0.1) and needs no network. Without VISITS it shows the worked
    examples of the criteria files, which are invented. Ctrl-C ends it.
    """
    from itp_response.classification.classification import classify
    from itp_response.messages.errors import UsageError
    from itp_response.teaching.teach import teach as serve

    if study.patients is not None and study.visits is None:
        raise UsageError("--patients: goes with a table of visits; name that first.")
    cohort = None
    if study.visits is not None:
        classification = study.call(classify)
        study.write_quarantine(classification)
        cohort = classification.cohort
    serve(cohort, criteria=study.criteria, port=port, show=show, say=say)
