"""The command line: a command per public function, and no logic of its own."""

import functools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from itp_response.errors import ItpResponseError, UsageError

if TYPE_CHECKING:
    from itp_response.check import Report
    from itp_response.mutate import Mutations

DEFAULT = "atra_2022"


class _Commands(click.Group):
    """Shows our errors as they stand, with exit status 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ItpResponseError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(2)


def _study(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that reads a study and decides it by one set."""
    decorated: Callable[..., Any] = _study_under(_criteria_option)(command)
    return decorated


def _study_under(criteria_option: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that reads a study, of which one names the criteria."""
    options: list[Callable[..., Any]] = [
        click.argument("visits", type=click.Path()),
        click.option(
            "--patients", type=click.Path(), help="The patient table: arm, enrolment, baseline, discontinuation."
        ),
        criteria_option,
        click.option(
            "--date-format",
            metavar="FORMAT",
            help="How dates are written if not ISO 8601: dmy, mdy, ymd or a pattern as %d.%m.%Y.",
        ),
        click.option(
            "--bleeding",
            type=click.Choice(["scored", "events"]),
            help="Is bleeding scored at visits (an empty grade is unknown) or a log of events (it is none)?",
        ),
        click.option("--mapping", type=click.Path(), help="Arranges VISITS, a REDCap export or a wide sheet."),
    ]

    def with_options(command: Callable[..., Any]) -> Callable[..., Any]:
        command = _arranged(command)
        for option in reversed(options):
            command = option(command)
        return command

    return with_options


def _arranged(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with what a mapping makes of the file in place of the file."""

    @functools.wraps(command)
    def with_mapping(*, visits: Any, patients: Any, mapping: str | None, **options: Any) -> Any:
        if mapping is not None:
            from itp_response.readers.mapping import mapped

            if patients is not None:
                raise UsageError("--patients and --mapping: the mapping says where the patients are; give one of them.")
            visits, patients = mapped(visits, mapping)
        return command(visits=visits, patients=patients, **options)

    return with_mapping


_impute = click.option(
    "--impute",
    type=click.Choice(["first", "last"]),
    help="Take a date such as 2019-05 as the first or last day that may be meant. Default: as any of its days.",
)


_on_error = click.option(
    "--on-error",
    type=click.Choice(["stop", "quarantine"]),
    default="stop",
    show_default=True,
    help="Read nothing past an error, or leave out the rows that cannot be read.",
)


def _criteria_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--criteria",
        default=DEFAULT,
        show_default=True,
        metavar="NAME_OR_FILE",
        help="A shipped set or a file of your own.",
    )(command)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="itp-response", prog_name="itp-response")
def main() -> None:
    """Treatment response in immune thrombocytopenia, decided by written definitions."""


@main.command()
@_study
@_impute
@_on_error
@click.option("--quarantine-file", type=click.Path(), help="Where the rows left out are written, with the reasons.")
@click.option("--output", type=click.Path(), help="A .csv, .json or .parquet file; else standard output.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "table"]),
    help="On standard output: csv, or a table for people. Default: a table on a terminal, else csv.",
)
@click.option("--long", "long_", is_flag=True, help="A row per patient and criterion instead of per patient.")
@click.option("--threads", type=click.IntRange(min=1), help="Default: one a processor.")
def classify(
    visits: str,
    patients: str | None,
    criteria: str,
    date_format: str | None,
    bleeding: str | None,
    impute: str | None,
    on_error: str,
    quarantine_file: str | None,
    output: str | None,
    form: str | None,
    long_: bool,
    threads: int | None,
) -> None:
    """Classify every patient of VISITS: one row each, with day and reason.

    A short summary goes to standard error: the verdicts, what was taken for granted, and warnings.
    """
    from itp_response.classify import classify as classified
    from itp_response.classify import write

    if (on_error == "quarantine") != (quarantine_file is not None):
        raise UsageError("--on-error quarantine and --quarantine-file go together; give both or none.")
    found = classified(
        visits,
        patients,
        criteria,
        date_format=date_format,
        bleeding=bleeding,
        threads=threads,
        impute=impute,
        on_error=on_error,
    )
    if quarantine_file is not None and found.cohort.quarantine is not None:
        write(found.cohort.quarantine, quarantine_file, found.provenance())
    if output is not None:
        found.write(output, long=long_)
    elif form == "table" or (form is None and not long_ and sys.stdout.isatty()):
        click.echo(found.table())
    else:
        click.echo((found.long() if long_ else found.frame()).write_csv(), nl=False)
    click.echo(found.summary(), err=True)


@main.command()
@_study
@_impute
@_on_error
@click.option("--patient", required=True, metavar="ID", help="The patient.")
@click.option("--criterion", metavar="X", help="Only this criterion.")
def explain(
    visits: str,
    patients: str | None,
    criteria: str,
    date_format: str | None,
    bleeding: str | None,
    impute: str | None,
    on_error: str,
    patient: str,
    criterion: str | None,
) -> None:
    """Say why a patient of VISITS has the verdicts, with the observations and their lines in the file."""
    from itp_response.explain import explain as explained

    found = explained(
        visits,
        patients,
        criteria,
        patient=patient,
        criterion=criterion,
        date_format=date_format,
        bleeding=bleeding,
        impute=impute,
        on_error=on_error,
    )
    click.echo("\n\n".join(map(str, found)))


@main.command()
@_study_under(
    click.option(
        "--criteria",
        multiple=True,
        required=True,
        metavar="NAME_OR_FILE",
        help="A shipped set or a file of your own; twice or more, the first beside each of the others.",
    )
)
@click.option("--output", type=click.Path(), help="The verdicts, one row per patient: a .csv, .json or .parquet file.")
@click.option("--changes", type=click.Path(), help="Who comes out otherwise, and by which clause: such a file too.")
def compare(
    visits: str,
    patients: str | None,
    criteria: tuple[str, ...],
    date_format: str | None,
    bleeding: str | None,
    output: str | None,
    changes: str | None,
) -> None:
    """Decide VISITS by several sets of criteria and say who comes out otherwise, and why."""
    from itp_response.classify import write
    from itp_response.compare import compare as compared

    found = compared(visits, patients, criteria, date_format=date_format, bleeding=bleeding)
    if output is not None:
        found.write(output)
    if changes is not None:
        write(found.changes(), changes, found.provenance())
    click.echo(str(found))


@main.command()
@_study
@click.option("--together", is_flag=True, help="Also under all readings at once.")
@click.option("--output", type=click.Path(), help="The patients who depend on a reading: .csv, .json or .parquet.")
def sensitivity(
    visits: str,
    patients: str | None,
    criteria: str,
    date_format: str | None,
    bleeding: str | None,
    together: bool,
    output: str | None,
) -> None:
    """Decide VISITS under every reading of a set of criteria, and say whose verdict depends on which."""
    from itp_response.sensitivity import sensitivity as tried

    found = tried(visits, patients, criteria, together=together, date_format=date_format, bleeding=bleeding)
    if output is not None:
        found.write(output)
    click.echo(str(found))


@main.command()
@_study
@_impute
@click.option("--output", type=click.Path(), help="The findings: a .csv, .json or .parquet file.")
@click.option("--queries", type=click.Path(), help="For each NE what would settle it: such a file too.")
def review(
    visits: str,
    patients: str | None,
    criteria: str,
    date_format: str | None,
    bleeding: str | None,
    impute: str | None,
    output: str | None,
    queries: str | None,
) -> None:
    """Say what in VISITS is to be asked about before it is decided, each with its place.

    With --queries also which single observation would settle each verdict that is not evaluable.
    """
    from itp_response.classify import write
    from itp_response.review import review as reviewed

    found = reviewed(visits, patients, criteria, date_format=date_format, bleeding=bleeding, impute=impute)
    if output is not None:
        found.write(output)
    if queries is not None:
        write(found.queries(), queries, found.found.provenance())
    click.echo(str(found))


@main.command()
@_study
@click.option("--output", required=True, metavar="FOLDER", type=click.Path(), help="A new folder, or that of before.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["xpt", "json", "parquet", "csv"]),
    default="xpt",
    show_default=True,
    help="SAS transport, Dataset-JSON, Parquet or CSV.",
)
@click.option("--study", metavar="ID", help="The STUDYID; else that of DM, or the name of the source.")
@_impute
def adam(
    visits: str,
    patients: str | None,
    criteria: str,
    date_format: str | None,
    bleeding: str | None,
    output: str,
    form: str,
    study: str | None,
    impute: str | None,
) -> None:
    """Write the verdicts on VISITS as CDISC's analysis datasets: ADSL, ADRS, ADTTE, ADICE.

    Each record has its reason and the records of the source behind it.
    With them go a table of all variables and parameters with their derivations, and what made them.
    """
    from itp_response.adam import adam as made

    found = made(visits, patients, criteria, study=study, date_format=date_format, bleeding=bleeding, impute=impute)
    found.write(output, form)
    click.echo(found.summary(), err=True)


@main.command(name="map")
@click.argument("file", type=click.Path())
@click.option("--sheet", metavar="NAME", help="The sheet of a workbook; else its first.")
def map_(file: str, sheet: str | None) -> None:
    """Draft a mapping of FILE, a REDCap export or a wide spreadsheet, from its headers.

    Look it over, write that it is confirmed, and use it: classify FILE --mapping mapping.toml.
    """
    from itp_response.draft import draft

    click.echo(draft(file, sheet=sheet), nl=False)


@main.command()
@click.argument("timeline")
@_criteria_option
@click.option("--criterion", metavar="X", help="Only this criterion.")
@click.option("--baseline", metavar="COUNT", help="The baseline, if it is not the count of day 0.")
@click.option("--discontinued", type=int, metavar="DAY", help="The day treatment was stopped for good.")
def ask(timeline: str, criteria: str, criterion: str | None, baseline: str | None, discontinued: int | None) -> None:
    """Classify and explain one TIMELINE typed by hand, as "d0 15, d21 45, d28 60".

    "d35 40 bleed 1" adds bleeding of grade 1, "d3 rescue to d5" rescue treatment,
    "d42..d364 60" the same count at every planned visit. Bleeding not mentioned was absent.
    """
    from itp_response.ask import ask as asked

    found = asked(timeline, criteria, criterion=criterion, baseline=baseline, treatment_discontinued=discontinued)
    click.echo("\n\n".join(map(str, found)))


@main.command()
@click.argument("name", required=False)
def criteria(name: str | None) -> None:
    """List the shipped sets of criteria, or print the set NAME (or a file) in plain English."""
    from itp_response.describe import criteria as found
    from itp_response.describe import describe, shipped_titles

    if name is None:
        titles = shipped_titles()
        width = max(map(len, titles))
        click.echo("\n".join(f"{one.ljust(width)}  {title}" for one, title in titles.items()))
    else:
        click.echo(describe(found(name)))


@main.command()
@click.argument("file")
@click.option("--mutate", is_flag=True, help="Also change the file place by place and see which change nobody notices.")
def check(file: str, mutate: bool) -> None:
    """Run the worked patients of a criteria FILE and see whether they try every clause.

    FILE is a shipped name or a file. Exit status 1 if something is not as it should be.
    """
    from itp_response.check import check as checked
    from itp_response.mutate import mutate as mutated

    reports: list[Report | Mutations] = [checked(file)]
    if mutate and reports[0].ok:
        reports.append(mutated(file))
    for report in reports:
        click.echo(str(report))
    if not all(report.ok for report in reports):
        sys.exit(1)


if __name__ == "__main__":
    main()
