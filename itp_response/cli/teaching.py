"""The commands that teach what a definition means and what would change a result."""

from functools import partial
from typing import TYPE_CHECKING

import click

from itp_response.cli.command import command
from itp_response.cli.files import OutputFile
from itp_response.cli.options import (
    DATA_FILE,
    StudyArguments,
    criteria_option,
    endpoints_option,
    json_option,
    output_option,
    study_options,
)
from itp_response.cli.terminal import show, show_rows

if TYPE_CHECKING:
    from itp_response.teaching.quiz import Question


@command(
    name="near-misses",
    short_help="List the patients closest to a different result.",
    examples=[
        "near-misses visits.csv --patients patients.csv --endpoint OR",
        "near-misses visits.csv --patients patients.csv --met --most 5",
    ],
)
@study_options()
@endpoints_option
@click.option(
    "--met",
    is_flag=True,
    help="List patients who narrowly met the endpoint instead of those who narrowly missed it.",
)
@click.option(
    "--most",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="N",
    help="Maximum number of patients listed per endpoint.",
)
@output_option(f"Write all of them to FILE, {DATA_FILE}. Default: not written.")
@json_option
def near_misses(
    study: StudyArguments, endpoint: tuple[str, ...], met: bool, most: int, output: str | None, as_json: bool
) -> None:
    """List the patients of VISITS closest to a different result, each with the smallest change that would give it.

    A change is one of one observation: a count raised or lowered, a day moved, a bleed or a rescue treatment absent,
    or one more count.
    """
    from itp_response.explanation.near_misses import near_misses as find_near_misses

    nearest = study.call(find_near_misses, endpoint=endpoint or None, met=met)
    study.write_quarantine(nearest.classification)
    if output is not None:
        nearest.write(output)
    if as_json:
        show_rows(nearest.frame())
        study.say_notes(nearest.classification.cohort)
    else:
        show(partial(nearest.text, most))


@command(
    short_help="Check what a visit schedule can and cannot establish.",
    examples=['visit-plan "d0 d28..d364 every 84"', "visit-plan --criteria iwg_2009"],
)
@click.argument("plan", required=False)
@criteria_option
@output_option(f"Write the table to FILE, {DATA_FILE}. Default: not written.")
@json_option
def visit_plan(plan: str | None, criteria: str, output: str | None, as_json: bool) -> None:
    """Check which endpoints a visit schedule can establish, from which day on, and which it cannot.

    PLAN is typed, as "d0 d7 d14..d364 every 28", or a file that holds it. Default: the schedule of the criteria set.
    """
    from itp_response.authoring.visit_plan import visit_plan as assess
    from itp_response.classification.writers import write

    assessment = assess(plan, criteria)
    if output is not None:
        write(assessment.frame(), output)
    show_rows(assessment.frame()) if as_json else show(assessment.__str__)


@command(
    short_help="Answer questions on timelines, and see why.",
    examples=["quiz", "quiz --hard --number 3"],
    has_bar=False,
)
@criteria_option
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    metavar="N",
    help="Seed: the same number gives the same questions.",
)
@click.option(
    "--number", type=click.IntRange(min=1), default=5, show_default=True, metavar="N", help="Number of questions."
)
@click.option(
    "--hard",
    is_flag=True,
    help="Ask about the smallest timelines on which two interpretations of the definition differ.",
)
def quiz(criteria: str, seed: int, number: int, hard: bool) -> None:
    """Judge timelines on which one observation decides: Y, N, NE (not evaluable) or NA (not applicable).

    The answer "hint" shows where to look. Each answer is graded in one sentence, followed by the explanation.
    """
    from itp_response.teaching.quiz import quiz as make_quiz

    questions, right = make_quiz(criteria, seed=seed, number=number, hard=hard), 0
    for position, question in enumerate(questions, 1):
        show(partial("{} of {}  {}".format, position, len(questions), question.asked()))
        answer = _answer(question)
        right += answer == question.answer
        show(partial(question.graded, answer))
        show(str)
    show(lambda: f"{right} of {len(questions)} correct")


def _answer(question: "Question") -> str:
    """The answer to a question; gives the hint as often as it is asked for."""
    from itp_response.teaching.quiz import ANSWERS

    choices = click.Choice([*ANSWERS, "hint"], case_sensitive=False)
    while (answer := str(click.prompt("  your answer", type=choices))) == "hint":
        show(lambda: f"  {question.hint}")
    return answer


@command(
    short_help="Write the example study into a folder, to try everything.",
    examples=["example itp_example"],
)
@click.argument("folder", type=OutputFile(may_be_csv=False), metavar="FOLDER")
def example(folder: str) -> None:
    """Write the example study into FOLDER, with a criteria file to start from, and what the tutorial uses.

    All data in it are invented. README.md in the folder names the files and the commands to try.
    """
    from itp_response.teaching.example import NEXT
    from itp_response.teaching.example import example as write_example

    written = write_example(folder)
    commands = "".join(f"\n    {line}" for line in (f"cd {folder}", *NEXT))
    show(lambda: f"{len(written)} files of invented data and definitions. Try:{commands}")
