"""The commands that teach what a definition means and what would tip it."""

from typing import TYPE_CHECKING

import click

from itp_response.cli.options import StudyArguments, criteria_option, endpoint_option, study_options

if TYPE_CHECKING:
    from itp_response.teaching.quiz import Question


@click.command(name="near-misses", short_help="List patients by how little would have turned their verdicts.")
@study_options()
@endpoint_option
@click.option("--met", is_flag=True, help="Instead of who missed it narrowly, who met it narrowly.")
@click.option(
    "--most", type=click.IntRange(min=1), default=10, show_default=True, help="So many patients of each endpoint."
)
@click.option("--output", type=click.Path(), help="All of them: a .csv, .json or .parquet file.")
def near_misses(study: StudyArguments, endpoint: str | None, met: bool, most: int, output: str | None) -> None:
    """List the patients of VISITS by how little would have turned their verdicts.

    For each the smallest change of one observation: a count raised or lowered, a day moved, a bleed or a rescue
    treatment absent, one more count.
    """
    from itp_response.explanation.near_misses import near_misses as find_near_misses

    nearest = study.call(find_near_misses, endpoint=endpoint, met=met)
    study.write_quarantine(nearest.classification)
    if output is not None:
        nearest.write(output)
    click.echo(nearest.text(most))


@click.command(short_help="Say what a plan of visits can show, and what it never can.")
@click.argument("plan", required=False)
@criteria_option
@click.option("--output", type=click.Path(), help="The table: a .csv, .json or .parquet file.")
def visit_plan(plan: str | None, criteria: str, output: str | None) -> None:
    """Say what a PLAN of visits can show of a set of criteria, from when on, and what it never can.

    PLAN is written as "d0 d7 d14..d364 every 28", or a file that holds that; left out, it is the plan of the set.
    """
    from itp_response.authoring.visit_plan import visit_plan as assess
    from itp_response.classification.writers import write

    assessment = assess(plan, criteria)
    if output is not None:
        write(assessment.frame(), output)
    click.echo(str(assessment))


@click.command(short_help="Ask for the result on timelines, and grade the answers.")
@criteria_option
@click.option("--seed", type=int, default=0, show_default=True, help="Seed; the same seed gives the same questions.")
@click.option("--number", type=click.IntRange(min=1), default=5, show_default=True, help="Maximum number of questions.")
@click.option(
    "--hard", is_flag=True, help="Ask only about timelines on which two interpretations of the definition differ."
)
def quiz(criteria: str, seed: int, number: int, hard: bool) -> None:
    """Judge timelines on which one observation decides: Y, N, NE or NA; `hint` shows where to look.

    Each answer is graded in one sentence, which is followed by the explanation.
    """
    from itp_response.teaching.quiz import quiz as make_quiz

    questions, right = make_quiz(criteria, seed=seed, number=number, hard=hard), 0
    for position, question in enumerate(questions, 1):
        click.echo(f"{position} of {len(questions)}  {question.asked()}")
        answer = _answer(question)
        right += answer == question.answer
        click.echo(f"{question.graded(answer)}\n")
    click.echo(f"{right} of {len(questions)} correct")


def _answer(question: "Question") -> str:
    """The answer to a question; gives the hint as often as it is asked for."""
    from itp_response.teaching.quiz import ANSWERS

    choices = click.Choice([*ANSWERS, "hint"], case_sensitive=False)
    while (answer := str(click.prompt("  result", type=choices))) == "hint":
        click.echo(f"  {question.hint}")
    return answer
