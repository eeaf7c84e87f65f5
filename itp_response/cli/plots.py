"""The command that draws."""

from datetime import date
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
def plot(
    kind: Any,
    study: StudyArguments,
    output: str,
    patient: str | None,
    endpoint: str | None,
    by: tuple[str, ...],
    reference: str | None,
    title: str | None,
    width: float | None,
    dpi: float | None,
    font: str | None,
    measure: Any,
    baseline: str | None,
    discontinued: int | None,
    day_0: date | None,
    interpretation: tuple[str, ...],
    columns: dict[str, str],
) -> None:
    """Draw a figure of VISITS: the timeline of one patient, or a figure of all patients.

    For timeline, VISITS can be a typed timeline, such as "d0 15, d21 45, d28 60".
    Assumptions, exclusions and notes are written to standard error.

    \b
    Examples:
      itp-response plot km visits.csv --patients patients.csv -o km.png
      itp-response plot timeline visits.csv --patient ITP-0086 -o timeline.svg
    """  # noqa: D301 - click leaves the lines after its sign as they are
    from itp_response.outputs.figures.plot import plot as draw

    picture = draw(
        kind,
        study.visits,
        study.patients,
        study.criteria,
        options=study.options,
        patient=patient,
        endpoint=endpoint,
        by=by,
        measure=measure,
        reference=reference,
        title=title,
        width=width,
        dpi=dpi,
        font=font,
        baseline=baseline,
        treatment_discontinued=discontinued,
        day_0=day_0,
        interpretation=interpretation,
        columns=columns,
    )
    study.write_quarantine(picture.result)
    picture.write(output)
    for line in picture.summary().splitlines():
        click.echo(line, err=True)
