"""The commands that make the trial's results."""

from collections.abc import Callable
from typing import Any

import click

from itp_response.cli.command import command
from itp_response.cli.files import InputFile
from itp_response.cli.options import (
    Decorator,
    StudyArguments,
    endpoints_option,
    json_option,
    output_option,
    reference_option,
    study_options,
    title_option,
)
from itp_response.cli.terminal import show, show_rows

STUDY = "visits.csv --patients patients.csv"


def group_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which patients are chosen and grouped."""
    options: list[Decorator] = [
        click.option(
            "--only",
            multiple=True,
            metavar="CONDITION",
            help="Include only patients who meet this condition, such as 'age >= 60'. Repeat for several, which must "
            "all hold. Default: all patients.",
        ),
        title_option,
        output_option("Write to FILE: .csv (the numbers), .html, .tex, .rtf or .txt. Default: not written."),
        json_option,
    ]
    for option in reversed(options):
        command = option(command)
    return command


@command(
    short_help="Tables of the results by arm: responses, times, and more.",
    examples=[
        f"table {STUDY} --reference LD-RTX",
        "table visits.csv --patients patients.csv --show all -o all.html",
        "table visits.csv --endpoint OR --subgroup sex",
        "table visits.csv --show tipping --endpoint OR",
    ],
)
@study_options()
@click.option("--by", default="arm", show_default=True, metavar="COLUMN", help="Column that defines the groups.")
@reference_option
@click.option(
    "--show",
    multiple=True,
    metavar="TABLE",
    help="Table to show: flow, characteristics, responses, non_inferiority, best, by_visit, times, imputation, "
    "tipping, subgroups, subgroup_times, stratified, odds, events, or all (without by_visit, imputation and tipping). "
    "Repeat for several. Default: responses, times, and those that other options need.",
)
@endpoints_option
@click.option(
    "--set",
    "of",
    type=click.Choice(["itt", "complete", "per-protocol", "as-treated"]),
    default="itt",
    show_default=True,
    help="Analysis set: 'itt' = non-evaluable patients counted as non-responders; 'complete' = evaluable patients "
    "only; 'per-protocol' = patients with per_protocol yes; 'as-treated' = all, by actual_arm.",
)
@click.option(
    "--interval",
    type=click.Choice(["newcombe", "wald", "wald-cc", "score", "agresti-caffo", "wu-2022"]),
    default="newcombe",
    show_default=True,
    help="Method of the 95% CI of risk differences; 'wu-2022' is that of the ATRA trial's publication.",
)
@click.option(
    "--subgroup",
    multiple=True,
    metavar="COLUMN",
    help="Add subgroups by this column, with a test of interaction. Repeat for several. Default: none.",
)
@click.option(
    "--strata",
    multiple=True,
    metavar="COLUMN",
    help="Also compare groups within strata of this column. Repeat for several. Default: unstratified.",
)
@click.option(
    "--margin",
    type=float,
    metavar="PROPORTION",
    help="Non-inferiority margin of the risk difference, such as 0.10. Default: none.",
)
@click.option(
    "--alpha",
    type=float,
    default=0.05,
    show_default=True,
    metavar="LEVEL",
    help="tipping: level of the test that the conclusion rests on, unless --margin is given.",
)
@click.option(
    "--tau",
    type=float,
    metavar="DAY",
    help="Day up to which the restricted mean of a time is taken. Default: the largest time that all groups reach.",
)
@click.option(
    "--competing",
    multiple=True,
    metavar="X",
    help="Endpoint, or column with the day or date of an event, that competes with the times: adds the cumulative "
    "incidence. Repeat for several. Default: the events of the definition.",
)
@click.option(
    "--column",
    multiple=True,
    metavar="COLUMN",
    help="Column for characteristics and odds ratios. Repeat for several. Default: all.",
)
@click.option(
    "--adjust",
    multiple=True,
    metavar="COLUMN",
    help="Adjust the odds ratios for this column. Repeat for several. Default: unadjusted.",
)
@click.option(
    "--imputations",
    type=int,
    default=0,
    show_default=True,
    metavar="M",
    help="Add multiple imputation of the primary endpoint, with M imputations.",
)
@click.option("--seed", type=int, default=20220120, show_default=True, metavar="N", help="Seed of the imputations.")
@click.option("--events", type=InputFile(), help="Table of adverse events: patient_id, event, grade. Default: none.")
@click.option(
    "--screening", type=InputFile(), help="Table with a row per person assessed: patient_id, excluded. Default: none."
)
@click.option(
    "--least",
    type=float,
    default=2.0,
    show_default=True,
    metavar="PERCENT",
    help="List only adverse events reported in at least PERCENT of patients.",
)
@group_options
def table(study: StudyArguments, output: str | None, as_json: bool, **options: Any) -> None:
    """Tables of the results of VISITS by arm: responses, times to event, and what else is asked for.

    A COLUMN is a column of the patient table, 'baseline', an endpoint, or a condition such as 'age >= 60'.
    """
    from itp_response.outputs.tables.table import table as make_tables

    tables = study.call(make_tables, **options)
    study.write_quarantine(tables.classification)
    if output is not None:
        tables.write(output)
    if as_json:
        show_rows(tables.frame())
        study.say_notes(tables.classification.cohort, *tables.assumed)
    else:
        show(tables.__str__)


@command(
    short_help="Assess a baseline variable as a predictor of response.",
    examples=[
        f"predictors {STUDY} --column nk_cells",
        "predictors visits.csv --column baseline --by SR -o baseline.csv",
    ],
)
@study_options()
@click.option(
    "--column", multiple=True, required=True, metavar="COLUMN", help="Patient column of numbers. Repeat for several."
)
@click.option(
    "--by",
    metavar="X",
    help="Endpoint or patient column that defines the groups. Default: the primary endpoint.",
)
@click.option(
    "--positive",
    multiple=True,
    metavar="GROUP",
    help="Group that the ROC curve is to detect. Repeat for several. Default: the responders.",
)
@click.option(
    "--negative",
    multiple=True,
    metavar="GROUP",
    help="Group that it is compared with. Repeat for several. Default: all others.",
)
@group_options
def predictors(study: StudyArguments, output: str | None, as_json: bool, **options: Any) -> None:
    """Assess a baseline variable of the patients of VISITS as a predictor of response.

    It is compared between groups with a test; the ROC curve gives the area, and the best cut-off with its sensitivity
    and specificity.
    """
    from itp_response.outputs.tables.predictors import predictors as make_predictors

    predicted = study.call(make_predictors, **options)
    study.write_quarantine(predicted.classification)
    if output is not None:
        predicted.write(output)
    if as_json:
        show_rows(predicted.frame())
        study.say_notes(predicted.classification.cohort)
    else:
        show(predicted.__str__)
