"""The options that commands share."""

import csv
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from itp_response.messages.errors import UsageError

if TYPE_CHECKING:
    from itp_response.readers.options import ReadOptions

DEFAULT = "atra_2022"
"""As `classification.DEFAULT_CRITERIA`, which would load polars before any help is shown."""
Result = TypeVar("Result")
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

criteria_option = click.option(
    "--criteria",
    default=DEFAULT,
    show_default=True,
    metavar="NAME_OR_FILE",
    help="A shipped set or a file of your own.",
)
endpoint_option = click.option("--endpoint", metavar="X", help="Only this endpoint.")
day_0_option = click.option(
    "--day-0",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=lambda _context, _option, value: None if value is None else value.date(),
    metavar="DATE",
    help="The date of day 0, for calendar months.",
)
title_option = click.option(
    "--title", metavar="TEXT", help="The name of the study. Default: its own identifier, else the name of the folder."
)
reference_option = click.option(
    "--reference",
    metavar="GROUP",
    help="The reference (control) group. Default: the one whose name says that it is a control, else the last by name.",
)
interpretation_option = click.option(
    "--interpretation", multiple=True, metavar="ID", help="Under this interpretation of the set; again for more."
)
set_option = click.option(
    "--set",
    "columns",
    multiple=True,
    callback=lambda _context, _option, texts: columns_set(texts),
    metavar="NAME=VALUE",
    help="A column of the patient table that the set declares; again for more.",
)


def _listed(_context: click.Context, _option: click.Parameter, value: str | None) -> tuple[str, ...]:
    """The texts between commas; one with a comma in it stands in quotation marks."""
    texts = next(csv.reader([value or ""], skipinitialspace=True), [])
    return tuple(filter(None, map(str.strip, texts)))


READ_OPTIONS = (
    click.option(
        "--date-format",
        metavar="FORMAT",
        help="How dates that are texts are written: iso, dmy, mdy, ymd, excel or a pattern as %d.%m.%Y. Default: iso.",
    ),
    click.option(
        "--patients-date-format", metavar="FORMAT", help="Likewise in the patient table. Default: as --date-format."
    ),
    click.option(
        "--day-numbering",
        type=click.Choice(["study-day", "from-0"]),
        help="Is enrolment day 1, after day -1 (CDISC's study days), or day 0? Default: day 0, asked if there is none.",
    ),
    click.option(
        "--patient-key",
        type=click.Choice(["id", "site-id", "study-id", "study-site-id"]),
        help="Is a patient known by the id, or by the id and its site or study? Asked if one id has several.",
    ),
    click.option(
        "--similar-ids",
        type=click.Choice(["same", "different"]),
        help="Are ids one patient that differ by case, blanks, leading zeros and alike? Asked if there are any.",
    ),
    click.option(
        "--long-ids",
        type=click.Choice(["as-written"]),
        help="Take numbers of 15 digits and more that end in zeros as ids. Default: refused, as rounded.",
    ),
    click.option(
        "--bleeding",
        type=click.Choice(["scored", "events"]),
        help="Is bleeding scored at visits (an empty grade is unknown) or a log of events (it is none)?",
    ),
    click.option(
        "--mapping",
        type=click.Path(),
        help="Arranges VISITS, a REDCap export, a wide sheet or an ODM file; or says what the terms of SDTM, or the "
        "codes of FHIR or OMOP, mean.",
    ),
    click.option(
        "--impute",
        type=click.Choice(["first", "last"]),
        help="Take a date such as 2019-05 as the first or last day that may be meant. Default: as any of its days.",
    ),
    click.option("--sheet", metavar="NAME", help="The sheet of a workbook with the visits. Default: its first."),
    click.option(
        "--patients-sheet",
        metavar="NAME",
        help="The sheet with the patients, of the workbook of --patients or else of VISITS.",
    ),
    click.option(
        "--header-row",
        type=click.IntRange(1),
        metavar="N",
        help="The row of VISITS with the names of its columns. Default: it is found, and the summary says so.",
    ),
    click.option(
        "--decimal",
        type=click.Choice(["point", "comma"]),
        help="What stands before decimals; the other may stand between thousands. Default: a point, and between "
        "semicolons what the numbers show.",
    ),
    click.option(
        "--on-error",
        type=click.Choice(["stop", "quarantine"]),
        default="stop",
        show_default=True,
        help="Read nothing past an error, or leave out the rows that cannot be read.",
    ),
    click.option(
        "--unit",
        metavar="UNIT",
        help="The unit of all platelet counts, such as 10^4/uL. Default: as told, else 10^9/L.",
    ),
    click.option(
        "--accept",
        multiple=True,
        metavar="CHECK",
        help="Read on where this check would stop, as the data are right; again for more.",
    ),
    click.option(
        "--missing",
        metavar="CODES",
        callback=_listed,
        help="Codes of a missing value, as 999,-99,ND; of one column alone: platelets=999.",
    ),
    click.option(
        "--rescue-names", metavar="NAMES", callback=_listed, help="Further names of rescue treatments, with commas."
    ),
    click.option(
        "--no-rescue", metavar="WORDS", callback=_listed, help="What stands for no rescue treatment, with commas."
    ),
    click.option("--quarantine-file", type=click.Path(), help="Where the rows left out are written, with the reasons."),
)
"""How a study is read."""
OPTIONS_OF_READING = (
    *("date_format", "patients_date_format", "day_numbering", "patient_key", "similar_ids", "long_ids"),
    *("bleeding", "impute", "sheet", "patients_sheet", "header_row", "decimal", "on_error", "unit", "accept"),
    *("missing", "rescue_names", "no_rescue"),
)
"""Those that are fields of `ReadOptions`."""


def columns_set(texts: tuple[str, ...]) -> dict[str, str]:
    """The values of `--set NAME=VALUE` by name.

    Raises `UsageError` for a text that is not of that form, and for a name given twice.

    >>> columns_set(("switcher=yes",))
    {'switcher': 'yes'}
    """
    columns: dict[str, str] = {}
    for text in texts:
        name, _, value = (part.strip() for part in text.partition("="))
        if not name or not value:
            raise UsageError(f"--set {text!r}: write NAME=VALUE, as in 'switcher=yes'.")
        if name in columns:
            raise UsageError(f"--set {text!r}: {name!r} is given twice; give it once.")
        columns[name] = value
    return columns


@dataclass(frozen=True)
class StudyArguments:
    """What a command was given to name a study and the criteria."""

    visits: Any
    patients: Any
    criteria: Any
    options: "ReadOptions | None"
    """None: there are no visits."""
    quarantine_file: str | None

    def call(self, function: Callable[..., Result], **further: Any) -> Result:
        """The result of a public function on this study, with these further arguments."""
        return function(self.visits, self.patients, self.criteria, options=self.options, **further)

    def write_quarantine(self, classification: Any) -> None:
        """Write the rows that were left out, if a file was named; called before any other output.

        `classification` is a result with the attributes `cohort` and `provenance`.
        """
        if self.quarantine_file is not None:
            from itp_response.classification.writers import write

            write(classification.cohort.quarantine, self.quarantine_file, classification.provenance())


def study_options(criteria: Decorator = criteria_option, *, required: bool = True) -> Decorator:
    """The options of every command that reads a study; `criteria` is the one that names the criteria.

    The command gets them as one argument, `study`, which is a `StudyArguments`.
    """
    options = (
        click.argument("visits", required=required, type=click.Path()),
        click.option(
            "--patients", type=click.Path(), help="The patient table: arm, enrolment, baseline, discontinuation."
        ),
        criteria,
        *READ_OPTIONS,
    )

    def with_options(command: Callable[..., Any]) -> Callable[..., Any]:
        command = _with_study(command)
        for option in reversed(options):
            command = option(command)
        return command

    return with_options


def _with_study(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command, called with a `StudyArguments` in place of the options."""

    @functools.wraps(command)
    def called(
        *, visits: Any, patients: Any, criteria: Any, mapping: str | None, quarantine_file: str | None, **further: Any
    ) -> Any:
        read = {name: further.pop(name) for name in OPTIONS_OF_READING}
        if (read["on_error"] == "quarantine") != (quarantine_file is not None):
            raise UsageError("--on-error quarantine and --quarantine-file go together; give both or none.")
        if mapping is not None:
            visits, patients = _mapped(visits, patients, mapping)
        options = None
        if visits is not None:
            from itp_response.readers.options import ReadOptions

            options = ReadOptions(**read)
        return command(study=StudyArguments(visits, patients, criteria, options, quarantine_file), **further)

    return called


def _mapped(visits: Any, patients: Any, mapping: str) -> tuple[Any, Any]:
    """The tables that a mapping makes of a file."""
    from itp_response.readers.coded.study import coded_kind
    from itp_response.readers.mapping.mapping import mapped

    if visits is None:
        raise UsageError("--mapping: goes with a file that it arranges; name that first.")
    if coded_kind(visits) is not None:
        return mapped(visits, mapping)[0], patients
    if patients is not None:
        raise UsageError("--patients and --mapping: the mapping says where the patients are; give one of them.")
    return mapped(visits, mapping)
