"""The commands about definitions."""

import sys
from datetime import date
from typing import TYPE_CHECKING

import click

from itp_response.cli.options import (
    criteria_option,
    day_0_option,
    endpoint_option,
    interpretation_option,
    set_option,
)

if TYPE_CHECKING:
    from itp_response.authoring.check import CheckReport
    from itp_response.authoring.mutate import Mutations


@click.command(short_help="Classify and explain one timeline typed by hand.")
@click.argument("timeline")
@criteria_option
@endpoint_option
@click.option("--baseline", metavar="COUNT", help="The baseline, if it is not the count of day 0.")
@click.option("--discontinued", type=int, metavar="DAY", help="The day treatment was stopped for good.")
@day_0_option
@interpretation_option
@set_option
def ask(
    timeline: str,
    criteria: str,
    endpoint: str | None,
    baseline: str | None,
    discontinued: int | None,
    day_0: date | None,
    interpretation: tuple[str, ...],
    columns: dict[str, str],
) -> None:
    """Classify and explain one TIMELINE typed by hand, as "d0 15, d21 45, d28 60".

    "d35 40 bleed 1" adds bleeding of grade 1, "d3 rescue to d5" rescue treatment,
    "d42..d364 60" the same count at every planned visit. Bleeding not mentioned was absent.
    """
    from itp_response.explanation.ask import ask as explain_timeline

    explanations = explain_timeline(
        timeline,
        criteria,
        endpoint=endpoint,
        baseline=baseline,
        treatment_discontinued=discontinued,
        day_0=day_0,
        interpretation=interpretation,
        columns=columns,
    )
    click.echo("\n\n".join(map(str, explanations)))


@click.command(short_help="List the shipped sets, or print one in plain English.")
@click.argument("name", required=False)
def criteria(name: str | None) -> None:
    """List the shipped sets of criteria, or print the set NAME (or a file) in plain English."""
    from itp_response.authoring.describe import criteria as load_criteria
    from itp_response.authoring.describe import describe, shipped_titles
    from itp_response.messages.wording import aligned

    if name is None:
        titles = shipped_titles()
        click.echo(aligned(list(titles.items())))
    else:
        click.echo(describe(load_criteria(name)))


@click.command(short_help="Run the worked examples of a criteria file.")
@click.argument("file")
@click.option("--mutate", is_flag=True, help="Also change the file place by place and see which change nobody notices.")
def check(file: str, mutate: bool) -> None:
    """Run the worked examples of a criteria FILE and see whether they try every clause.

    FILE is a shipped name or a file. Exit status 1 if something is not as it should be.
    """
    from itp_response.authoring.check import check as run_examples
    from itp_response.authoring.mutate import mutate as change_everywhere

    reports: list[CheckReport | Mutations] = [run_examples(file)]
    if mutate:
        reports.append(change_everywhere(file))
    for report in reports:
        click.echo(str(report))
    if not all(report.ok for report in reports):
        sys.exit(1)
