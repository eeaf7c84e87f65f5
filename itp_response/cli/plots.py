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
        help="A shipped set or a file of your own; for reclassification twice.",
    )
)
@click.option("--output", "-o", required=True, type=click.Path(), help="A .svg, .png or .pdf file.")
@click.option("--patient", metavar="ID", help="timeline: the patient.")
@click.option("--endpoint", metavar="X", help="The endpoint to draw, in place of the kind's own.")
@click.option(
    "--by", multiple=True, metavar="COLUMN", help="What makes the groups; forest: the subgroups, also several times."
)
@reference_option
@title_option
@click.option("--measure", type=click.Choice(["difference", "odds-ratio"]), help="forest: what is compared.")
@click.option("--baseline", metavar="COUNT", help="Typed timeline: the baseline, if it is not the count of day 0.")
@click.option("--discontinued", type=int, metavar="DAY", help="Typed timeline: the day treatment was stopped for good.")
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
    measure: Any,
    baseline: str | None,
    discontinued: int | None,
    day_0: date | None,
    interpretation: tuple[str, ...],
    columns: dict[str, str],
) -> None:
    """Draw VISITS: one patient's timeline, or a picture of all patients.

    For timeline VISITS may be typed by hand, as "d0 15, d21 45, d28 60".
    What was assumed, left out or noticed goes to standard error.
    """
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
