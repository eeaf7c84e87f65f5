"""The commands that make the trial's results."""

from collections.abc import Callable
from typing import Any

import click

from itp_response.cli.options import StudyArguments, reference_option, study_options, title_option


def group_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which patients are chosen and grouped."""
    options = [
        click.option("--only", multiple=True, metavar="CONDITION", help="Only patients of whom it holds: 'age >= 60'."),
        title_option,
        click.option("--output", type=click.Path(), help="A .csv (the numbers), .html, .tex, .rtf or .txt file."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command(short_help="Tables of the results, arm beside arm.")
@study_options()
@click.option("--by", default="arm", show_default=True, metavar="COLUMN", help="What makes the groups.")
@reference_option
@click.option(
    "--show",
    multiple=True,
    metavar="TABLE",
    help="flow, characteristics, responses, best, times, imputation, subgroups, stratified, odds, events, or all. "
    "Default: responses, times, and what other options ask for.",
)
@click.option("--endpoint", multiple=True, metavar="X", help="Only this endpoint.")
@click.option(
    "--set",
    "of",
    type=click.Choice(["itt", "complete", "per-protocol", "as-treated"]),
    default="itt",
    show_default=True,
    help="Not evaluable counts as not met, is left out, only those whose per_protocol is yes, or by actual_arm.",
)
@click.option(
    "--interval",
    type=click.Choice(["newcombe", "wald", "wald-cc", "score", "agresti-caffo", "wu-2022"]),
    default="newcombe",
    show_default=True,
    help="Of differences; wu-2022 is what the ATRA trial's paper did.",
)
@click.option("--subgroup", multiple=True, metavar="COLUMN", help="Also in each subgroup by this column.")
@click.option("--strata", multiple=True, metavar="COLUMN", help="Also compare groups within strata of this column.")
@click.option("--column", multiple=True, metavar="COLUMN", help="For characteristics and odds ratios; else all.")
@click.option("--adjust", multiple=True, metavar="COLUMN", help="Adjust the odds ratios for this column.")
@click.option("--imputations", type=int, default=0, metavar="M", help="Impute the primary endpoint M times.")
@click.option("--seed", type=int, default=20220120, show_default=True, help="Of the imputations.")
@click.option("--events", type=click.Path(), help="The table of adverse events: patient_id, event, grade.")
@click.option("--screening", type=click.Path(), help="A row for everyone assessed: patient_id, excluded.")
@click.option(
    "--least", type=float, default=2.0, show_default=True, metavar="PERCENT", help="Show events as frequent as this."
)
@group_options
def table(study: StudyArguments, output: str | None, **options: Any) -> None:
    """Tables of the results of VISITS, arm beside arm: responses, times, and what else is asked for.

    A COLUMN is one of the patient table, or baseline, or an endpoint, or a condition as 'age >= 60'.
    """
    from itp_response.outputs.tables.table import table as make_tables

    tables = study.call(make_tables, **options)
    study.write_quarantine(tables.classification)
    if output is not None:
        tables.write(output)
    click.echo(str(tables))


@click.command(short_help="How a number differs between groups, and foretells them.")
@study_options()
@click.option("--column", multiple=True, required=True, metavar="COLUMN", help="A patient column of numbers.")
@click.option("--by", metavar="X", help="An endpoint or patient column that makes the groups; else the primary one.")
@click.option("--positive", multiple=True, metavar="GROUP", help="The group that the curve is to find.")
@click.option("--negative", multiple=True, metavar="GROUP", help="The group it is told from; else all others.")
@group_options
def predictors(study: StudyArguments, output: str | None, **options: Any) -> None:
    """Say how a number known of the patients of VISITS differs between groups, and how well it foretells which.

    Side by side with a test; the ROC curve's area; the best limit with its sensitivity and specificity.
    """
    from itp_response.outputs.tables.predictors import predictors as make_predictors

    predicted = study.call(make_predictors, **options)
    study.write_quarantine(predicted.classification)
    if output is not None:
        predicted.write(output)
    click.echo(str(predicted))
