"""The command that qualifies an installation."""

import datetime
from typing import Any

from click import DateTime, IntRange, option

from itp_response.cli.command import command
from itp_response.cli.files import InputFile, OutputFile
from itp_response.cli.options import CRITERIA, StudyArguments, study_options
from itp_response.cli.progress import current_bar
from itp_response.cli.terminal import say

own_criteria_option = option(
    "--criteria",
    type=CRITERIA,
    metavar="NAME_OR_FILE",
    help="Your own criteria set: a file, or a shipped name. Default: none; a study is classified by atra_2022.",
)


@command(
    short_help="Qualify this installation, and write a validation pack.",
    examples=[
        "validate --output pack",
        "validate --criteria mine.toml --examples mine_too.toml -o pack",
        "validate visits.csv --expected results.csv --output pack",
    ],
)
@study_options(own_criteria_option, required=False)
@option(
    "--examples",
    type=InputFile(".toml"),
    help="TOML file of [[example]] tables, used in place of those of --criteria. Default: those of the set.",
)
@option(
    "--expected",
    type=InputFile(".csv"),
    help="Expected results of VISITS: a CSV file with patient_id and columns as 'classify' writes them; required by "
    "VISITS. Default: none.",
)
@option("--shipped", multiple=True, metavar="NAME", help="Only this shipped set. Repeat for several. Default: all.")
@option(
    "--generated",
    type=IntRange(1),
    default=300,
    show_default=True,
    metavar="N",
    help="Number of generated patients of each set that are classified twice.",
)
@option(
    "--date",
    type=DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Date on the page, as 2026-11-30. Default: none, so that the pack is the same on the same machine.",
)
@option(
    "--output",
    "-o",
    required=True,
    type=OutputFile(may_be_csv=False),
    metavar="FOLDER",
    help="Folder for the pack; a new or an empty one, or with --force that of an earlier run.",
)
def validate(
    study: StudyArguments, output: str, shipped: tuple[str, ...], date: datetime.datetime | None, **options: Any
) -> int:
    """Qualify this installation, and write the validation pack into FOLDER: an HTML page, tables and their hashes.

    Installation, operation (worked examples, edit checks, published cases, a second reading of generated patients),
    and performance on your own criteria set and on VISITS with known results. Exit status 1: something differs.
    """
    from itp_response.validation.validate import validate as make_pack

    pack = study.call(
        make_pack,
        sets=shipped or None,
        date=date.date() if date else None,
        progress=current_bar().over,
        **options,
    )
    if pack.study is not None:
        study.write_quarantine(pack.study)
        study.say_notes(pack.study.cohort)
    pack.write(output)
    say(pack.summary())
    return 0 if pack.ok else 1
