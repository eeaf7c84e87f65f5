"""The command that draws."""

import functools
from typing import Any

import click

from itp_response.cli.command import command
from itp_response.cli.options import (
    CRITERIA,
    DEFAULT,
    ENDPOINT,
    StudyArguments,
    day_0_option,
    interpretation_option,
    output_option,
    reference_option,
    set_option,
    study_options,
    title_option,
)
from itp_response.cli.terminal import say
from itp_response.outputs.figures.kinds import KINDS


@command(
    short_help="Draw a figure of a study, or of one patient's timeline.",
    examples=[
        "plot km visits.csv --patients patients.csv --output km.svg",
        "plot timeline visits.csv --patient ITP-0003 --output p3.png",
        'plot timeline "d0 15, d21 45, d28 60" --output typed.svg',
    ],
)
@click.argument("kind", type=click.Choice(list(KINDS)), metavar="KIND")
@study_options(
    click.option(
        "--criteria",
        type=CRITERIA,
        multiple=True,
        default=(DEFAULT,),
        show_default=True,
        metavar="NAME_OR_FILE",
        help="Criteria set: a shipped name or a file of your own. Give two for reclassification.",
    )
)
@output_option("The figure, an .svg, .png or .pdf file.", required=True)
@click.option("--patient", metavar="ID", help="timeline: the patient. Default: the one of a typed timeline.")
@click.option("--endpoint", type=ENDPOINT, metavar="X", help="Endpoint to draw. Default: that of the kind of figure.")
@click.option(
    "--by",
    multiple=True,
    metavar="COLUMN",
    help="Column that defines the groups; forest: the subgroups. Repeat for several (forest). Default: arm; forest: "
    "every text column with two to four values.",
)
@reference_option
@title_option
@click.option("--width", type=float, metavar="INCHES", help="Width. Default: 7.4, both columns of a journal.")
@click.option("--dpi", type=float, metavar="N", help="Resolution of a .png file, in dots per inch. Default: 200.")
@click.option("--font", metavar="NAME", help="An installed font, such as Arial. Default: DejaVu Sans.")
@click.option(
    "--measure",
    type=click.Choice(["difference", "odds-ratio"]),
    help="forest: effect measure. Default: difference, the risk difference.",
)
@click.option(
    "--alpha", type=float, metavar="LEVEL", help="tipping: level of the test. Default: 0.05, unless --margin is given."
)
@click.option(
    "--margin",
    type=float,
    metavar="PROPORTION",
    help="tipping: non-inferiority margin of the risk difference, such as 0.10. Default: none, the test decides.",
)
@click.option("--baseline", metavar="COUNT", help="Typed timeline: baseline count. Default: the count of day 0.")
@click.option(
    "--discontinued",
    type=int,
    metavar="DAY",
    help="Typed timeline: day of permanent discontinuation of treatment. Default: not discontinued.",
)
@day_0_option
@interpretation_option
@set_option
def plot(kind: Any, study: StudyArguments, output: str, discontinued: int | None, **options: Any) -> None:
    """Draw a figure of VISITS: one patient's timeline, or a figure of all patients.

    KIND is timeline, swimmer, spaghetti, by-visit (responders at each planned visit), km (Kaplan-Meier), waterfall,
    forest, tipping (tipping points of missing results) or reclassification. For timeline, VISITS may be typed by hand,
    as "d0 15, d21 45, d28 60". Notes and assumptions go to standard error.
    """
    from itp_response.outputs.figures.plot import plot as draw

    picture = study.call(functools.partial(draw, kind), treatment_discontinued=discontinued, **options)
    study.write_quarantine(picture.result)
    picture.write(output)
    say(picture.summary())
