"""The command that serves the page."""

import click

from itp_response.cli.options import DEFAULT


@click.command()
@click.argument("visits", required=False, type=click.Path())
@click.option("--patients", type=click.Path(), help="The patient table: arm, enrolment, baseline, discontinuation.")
@click.option(
    "--criteria",
    default=DEFAULT,
    show_default=True,
    metavar="NAME_OR_FILE",
    help="Shown first: a shipped set, or a file of your own beside them.",
)
@click.option(
    "--date-format",
    metavar="FORMAT",
    help="How dates are written if not ISO 8601: dmy, mdy, ymd or a pattern as %d.%m.%Y.",
)
@click.option(
    "--bleeding",
    type=click.Choice(["scored", "events"]),
    help="Is bleeding scored at visits (an empty grade is unknown) or a log of events (it is none)?",
)
@click.option("--port", type=click.IntRange(1, 65535), help="Default: a free one.")
@click.option("--show", is_flag=True, help="Open the page in the browser.")
def teach(
    visits: str | None,
    patients: str | None,
    criteria: str,
    date_format: str | None,
    bleeding: str | None,
    port: int | None,
    show: bool,
) -> None:
    """Serve a page to play with definitions: drag a count and see which clause tips the verdict.

    It is for this machine only, 127.0.0.1, and asks nothing of the network. Without VISITS it shows the worked
    patients of the criteria files, which are invented.
    """
    from itp_response.errors import UsageError
    from itp_response.teach import teach as serve

    if patients is not None and visits is None:
        raise UsageError("--patients: goes with a table of visits; name that first.")
    serve(
        visits,
        patients,
        criteria,
        date_format=date_format,
        bleeding=bleeding,
        port=port,
        show=show,
        say=lambda text: click.echo(text, err=True),
    )
