"""The command that serves the page."""

import click

from itp_response.cli.options import StudyArguments, study_options


@click.command(short_help="Serve a page to play with definitions.")
@study_options(required=False)
@click.option("--port", type=click.IntRange(1, 65535), help="Default: a free one.")
@click.option("--show", is_flag=True, help="Open the page in the browser.")
def teach(study: StudyArguments, port: int | None, show: bool) -> None:
    """Serve a page to play with definitions: drag a count and see which clause tips the verdict.

    It is for this machine only, 127.0.0.1, and asks nothing of the network. Without VISITS it shows the worked
    examples of the criteria files, which are invented.
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
    serve(cohort, criteria=study.criteria, port=port, show=show, say=lambda text: click.echo(text, err=True))
