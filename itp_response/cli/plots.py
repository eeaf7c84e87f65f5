"""The command that draws."""

import functools
from typing import Any

import click

from itp_response.cli.options import (
    DEFAULT,
    StudyArguments,
    day_0_option,
    interpretation_option,
    reference_option,
    set_option,
    study_options,
    title_option,
)
from itp_response.outputs.figures.kinds import KINDS


@click.command(short_help="Draw a study, or one patient's timeline.")
@click.argument("kind", type=click.Choice(list(KINDS)))
@study_options(
    click.option(
        "--criteria",
        multiple=True,
        default=(DEFAULT,),
        show_default=True,
        metavar="NAME_OR_FILE",
        help="A shipped criteria set or your own file; for reclassification, give it twice or more.",
    )
)
@click.option("--output", "-o", required=True, type=click.Path(), help="The .svg, .png or .pdf file to write.")
@click.option("--patient", metavar="ID", help="timeline: the patient to draw.")
@click.option(
    "--endpoint", metavar="X", help="The endpoint to draw. Default: the response, duration or best response of the set."
)
@click.option(
    "--by",
    multiple=True,
    metavar="COLUMN",
    help="The column that defines the groups (default: arm). forest: a column that defines subgroups; can be repeated.",
)
@reference_option
@title_option
@click.option("--width", type=float, metavar="INCHES", help="The width of the picture. Default: 7.4.")
@click.option("--dpi", type=float, metavar="N", help="The resolution of a .png file, in dots per inch. Default: 200.")
@click.option("--font", metavar="NAME", help="An installed font, such as Arial. Default: DejaVu Sans.")
@click.option(
    "--measure",
    type=click.Choice(["difference", "odds-ratio"]),
    help="forest: the risk difference or the odds ratio. Default: difference.",
)
@click.option("--baseline", metavar="COUNT", help="Typed timeline: the baseline count. Default: the count on day 0.")
@click.option(
    "--discontinued", type=int, metavar="DAY", help="Typed timeline: the day of permanent treatment discontinuation."
)
@day_0_option
@interpretation_option
@set_option
def plot(kind: Any, study: StudyArguments, output: str, discontinued: int | None, **options: Any) -> None:
    """Draw a figure of VISITS: the timeline of one patient, or a figure of all patients.

    For timeline, VISITS can be a typed timeline, such as "d0 15, d21 45, d28 60".
    Assumptions, exclusions and notes are written to standard error.
    """
    from itp_response.outputs.figures.plot import plot as draw

    picture = study.call(functools.partial(draw, kind), treatment_discontinued=discontinued, **options)
    study.write_quarantine(picture.result)
    picture.write(output)
    for line in picture.summary().splitlines():
        click.echo(line, err=True)
