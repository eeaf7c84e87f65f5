"""The command that serves the page."""

from typing import Any

import click

from itp_response.cli.options import criteria_option, quarantined, study_under


@click.command(short_help="Serve a page to play with definitions.")
@study_under(criteria_option, required=False)
@click.option("--port", type=click.IntRange(1, 65535), help="Default: a free one.")
@click.option("--show", is_flag=True, help="Open the page in the browser.")
def teach(
    visits: Any,
    patients: Any,
    criteria: str,
    quarantine_file: str | None,
    port: int | None,
    show: bool,
    options: Any,
) -> None:
    """Serve a page to play with definitions: drag a count and see which clause tips the verdict.

    It is for this machine only, 127.0.0.1, and asks nothing of the network. Without VISITS it shows the worked
    patients of the criteria files, which are invented.
    """
    from itp_response.classification.classification import classify
    from itp_response.messages.errors import UsageError
    from itp_response.teaching.teach import teach as serve

    if patients is not None and visits is None:
        raise UsageError("--patients: goes with a table of visits; name that first.")
    cohort = None
    if visits is not None:
        found = classify(visits, patients, criteria, options=options)
        quarantined(found, quarantine_file)
        cohort = found.cohort
    serve(cohort, criteria=criteria, port=port, show=show, say=lambda text: click.echo(text, err=True))
