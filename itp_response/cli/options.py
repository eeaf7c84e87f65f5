"""The options that commands share."""

import functools
from collections.abc import Callable
from typing import Any

import click

from itp_response.messages.errors import UsageError

DEFAULT = "atra_2022"


def study(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that reads a study and decides it by one set."""
    decorated: Callable[..., Any] = study_under(criteria_option)(command)
    return decorated


def study_under(criteria_option: Callable[..., Any], *, required: bool = True) -> Callable[..., Any]:
    """The options of every command that reads a study, of which one names the criteria.

    The command is given `visits`, `patients`, `criteria`, `quarantine_file`, for `quarantined`, and as `options`
    how the study is read, which it hands on.
    """
    options: list[Callable[..., Any]] = [
        click.argument("visits", required=required, type=click.Path()),
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
        click.option(
            "--mapping",
            type=click.Path(),
            help="Arranges VISITS, a REDCap export, a wide sheet or an ODM file; or has the lists for an SDTM study.",
        ),
        click.option(
            "--impute",
            type=click.Choice(["first", "last"]),
            help="Take a date such as 2019-05 as the first or last day that may be meant. Default: as any of its days.",
        ),
        click.option(
            "--on-error",
            type=click.Choice(["stop", "quarantine"]),
            default="stop",
            show_default=True,
            help="Read nothing past an error, or leave out the rows that cannot be read.",
        ),
        click.option(
            "--quarantine-file", type=click.Path(), help="Where the rows left out are written, with the reasons."
        ),
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
        if (options["on_error"] == "quarantine") != (options["quarantine_file"] is not None):
            raise UsageError("--on-error quarantine and --quarantine-file go together; give both or none.")
        if mapping is not None:
            from itp_response.readers.mapping.mapping import mapped

            if visits is None:
                raise UsageError("--mapping: goes with a file that it arranges; name that first.")
            if patients is not None:
                raise UsageError("--patients and --mapping: the mapping says where the patients are; give one of them.")
            visits, patients = mapped(visits, mapping)
        from itp_response.readers.options import ReadOptions

        told = {name: options.pop(name) for name in ("date_format", "bleeding", "impute", "on_error")}
        read_options = ReadOptions(**told) if visits is not None else None
        return command(visits=visits, patients=patients, options=read_options, **options)

    return with_mapping


def quarantined(found: Any, path: str | None) -> None:
    """Write what was left out of the cohort of a result, if a file was named; to be called before anything is said."""
    if path is not None:
        from itp_response.classification.writers import write

        write(found.cohort.quarantine, path, found.provenance())


def criteria_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--criteria",
        default=DEFAULT,
        show_default=True,
        metavar="NAME_OR_FILE",
        help="A shipped set or a file of your own.",
    )(command)
