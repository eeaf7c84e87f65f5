"""The commands about definitions."""

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from itp_response.cli.command import command
from itp_response.cli.files import from_standard_input
from itp_response.cli.options import (
    CRITERIA,
    criteria_option,
    day_0_option,
    endpoints_option,
    interpretation_option,
    json_option,
    output_option,
    set_option,
)
from itp_response.cli.terminal import show, show_csv, show_json

if TYPE_CHECKING:
    from itp_response.authoring.check import CheckReport
    from itp_response.authoring.mutate import Mutations


def _typed(context: click.Context, _: click.Parameter, value: str) -> str:
    """A timeline that is typed, or that standard input gives."""
    if value != "-":
        return value
    return Path(from_standard_input(context, ".txt")).read_text(encoding="utf-8").strip()


@command(
    short_help="Classify and explain one timeline typed by hand.",
    examples=[
        'ask "d0 15, d21 45, d28 60"',
        'ask "d0 15, d3 rescue IVIg to d5, d21 45, d28 60" --endpoint OR',
        'ask "d7 40, d14..d364 60" --baseline 12 --criteria iwg_2009',
    ],
)
@click.argument("timeline", callback=_typed)
@criteria_option
@endpoints_option
@click.option("--baseline", metavar="COUNT", help="Baseline count. Default: the count of day 0.")
@click.option(
    "--discontinued",
    type=int,
    metavar="DAY",
    help="Day of permanent discontinuation of treatment. Default: not discontinued.",
)
@day_0_option
@interpretation_option
@set_option
def ask(timeline: str, criteria: str, endpoint: tuple[str, ...], discontinued: int | None, **options: Any) -> None:
    """Classify and explain one TIMELINE typed by hand, such as "d0 15, d21 45, d28 60".

    "d35 40 bleed 1" adds bleeding of grade 1, "d3 rescue to d5" rescue treatment, "d42..d364 60" the same count at
    every planned visit. Bleeding that is not mentioned was absent. "-" reads the timeline from standard input.
    """
    from itp_response.explanation.ask import ask as explain_timeline

    explanations = [
        explanation
        for name in dict.fromkeys(endpoint) or (None,)
        for explanation in explain_timeline(
            timeline, criteria, endpoint=name, treatment_discontinued=discontinued, **options
        )
    ]
    show(lambda: "\n\n".join(map(str, explanations)))


@command(
    short_help="List or find the criteria sets, or print one in plain English.",
    examples=["criteria", 'criteria --search "romiplostim children"', "criteria atra_2022", "criteria mine.toml"],
)
@click.argument("name", required=False, type=CRITERIA, metavar="[NAME_OR_FILE]")
@click.option(
    "--search",
    metavar="WORDS",
    help="List only the sets that have all of these words, in their drugs, trial, registry number, year, population, "
    "title or citation. A word finds what begins with it, a number only itself. Default: all sets.",
)
@json_option
def criteria(name: str | None, search: str | None, as_json: bool) -> None:
    """List the shipped criteria sets, or print one of them or a file of your own in plain English."""
    from itp_response.authoring.describe import criteria as load_criteria
    from itp_response.authoring.describe import describe
    from itp_response.authoring.search import search as find_sets
    from itp_response.messages.errors import UsageError

    if name is not None and search is not None:
        raise UsageError("--search lists sets: give it without a name.")
    if name is not None:
        definitions = load_criteria(name)
        show_json(_for_json(definitions.raw)) if as_json else show(lambda: describe(definitions))
        return
    found = find_sets(search or "")
    show_json(found.frame().to_dicts()) if as_json else show(lambda: str(found))


def _for_json(content: Any) -> Any:
    """The content of a criteria file, numbers that JSON has no word for as texts: `inf`, as TOML writes it."""
    if isinstance(content, dict):
        return {key: _for_json(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_for_json(value) for value in content]
    return str(content) if isinstance(content, float) and not math.isfinite(content) else content


@command(
    short_help="Run the worked examples of a criteria file.",
    examples=["check mine.toml", "check mine.toml --mutate", "check atra_2022 --json"],
)
@click.argument("file", type=CRITERIA, metavar="FILE")
@click.option(
    "--mutate",
    is_flag=True,
    help="Also change the file one place at a time, and report the changes that no worked example detects. Default: "
    "the worked examples only.",
)
@json_option
def check(file: str, mutate: bool, as_json: bool) -> None:
    """Run the worked examples of a criteria FILE, and report those that differ and the clauses that none tests.

    FILE is a file of your own or the name of a shipped set. Exit status 1: something failed.
    """
    from itp_response.authoring.check import check as run_examples
    from itp_response.authoring.mutate import mutate as change_everywhere

    reports: list[CheckReport | Mutations] = [run_examples(file)]
    if mutate:
        reports.append(change_everywhere(file))
    if as_json:
        show_json({key: value for report in reports for key, value in _as_data(report).items()})
    else:
        show(lambda: "\n".join(map(str, reports)))
    if not all(report.ok for report in reports):
        sys.exit(1)


def _as_data(report: Any) -> dict[str, Any]:
    """A report as plain data: what failed as sentences."""
    if hasattr(report, "unnoticed"):
        return {"changes": len(report.noticed) + len(report.unnoticed), "unnoticed": list(map(str, report.unnoticed))}
    return {
        "criteria": report.criteria.name,
        "ok": report.ok,
        "examples": len(report.criteria.file.example),
        "clauses": report.clauses,
        "failures": list(report.failures),
        "untried": list(report.untried),
    }


@command(
    short_help="Print a criteria file to start from.",
    examples=["new > mine.toml", "new --output mine.toml"],
)
@output_option("Write it to FILE, a .toml file. Default: standard output.")
def new(output: str | None) -> None:
    """Print a criteria file to start from: small, with a comment on every key, and worked examples that pass 'check'.

    The definition in it is invented.
    """
    from itp_response.authoring.new import new as text_to_start_from

    _put(text_to_start_from(), output)


@command(
    short_help="Print the JSON Schema of criteria files, for editors.",
    examples=["schema > schema.json", "schema --output schema.json"],
)
@output_option("Write it to FILE, a .json file. Default: standard output.")
def schema(output: str | None) -> None:
    """Print the JSON Schema of criteria files, with which an editor completes and checks their keys.

    A first line "#:schema ./schema.json" in a criteria file names it.
    """
    from itp_response.definitions.schema import schema as schema_of_criteria

    _put(schema_of_criteria(), output)


def _put(text: str, output: str | None) -> None:
    """Write a text to a file; None: to standard output."""
    if output is None:
        show_csv(text)
        return
    from itp_response.classification.output_files import put

    put(output, lambda opened: opened.write(text.encode()))
