"""The options that commands share."""

import csv
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from itp_response.cli.files import CriteriaName, EndpointName, InputFile, OutputFile
from itp_response.cli.terminal import say
from itp_response.messages.errors import UsageError

if TYPE_CHECKING:
    from itp_response.readers.options import ReadOptions

DEFAULT = "atra_2022"
"""As `classification.DEFAULT_CRITERIA`, which would load polars before any help is shown."""
Result = TypeVar("Result")
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

CRITERIA = CriteriaName()
ENDPOINT = EndpointName()
DATA_FILE = "a .csv, .json or .parquet file"

criteria_option = click.option(
    "--criteria",
    type=CRITERIA,
    default=DEFAULT,
    show_default=True,
    metavar="NAME_OR_FILE",
    help="Criteria set: a shipped name ('itp-response criteria' lists them) or a file of your own.",
)
endpoints_option = click.option(
    "--endpoint",
    multiple=True,
    type=ENDPOINT,
    metavar="X",
    help="Only this endpoint, by its id, such as OR. Repeat for several. Default: all.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for other programs, in place of text.")
day_0_option = click.option(
    "--day-0",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=lambda _context, _option, value: None if value is None else value.date(),
    metavar="DATE",
    help="Date of day 0, as 2019-04-01; needed by definitions that count calendar months. Default: none.",
)
title_option = click.option(
    "--title", metavar="TEXT", help="Name of the study. Default: its own identifier, else the name of its folder."
)
reference_option = click.option(
    "--reference",
    metavar="GROUP",
    help="Reference (control) group. Default: a group whose name says that it is a control, else the last by name.",
)
interpretation_option = click.option(
    "--interpretation",
    multiple=True,
    metavar="ID",
    help="Apply this alternative interpretation of the criteria set. Repeat for several. Default: the set as it is.",
)
set_option = click.option(
    "--set",
    "columns",
    multiple=True,
    callback=lambda _context, _option, texts: columns_set(texts),
    metavar="NAME=VALUE",
    help="Value of a patient column that the criteria set declares. Repeat for several. Default: empty.",
)


def output_option(what: str, *names: str, **further: Any) -> Decorator:
    """An option that names a file that is written."""
    kind = OutputFile(may_be_csv=".csv" in what)
    return click.option(*(names or ("--output", "-o")), type=kind, metavar="FILE", help=what, **further)


def _listed(_context: click.Context, _option: click.Parameter, value: str | None) -> tuple[str, ...]:
    """The texts between commas; one with a comma in it stands in quotation marks."""
    texts = next(csv.reader([value or ""], skipinitialspace=True), [])
    return tuple(filter(None, map(str.strip, texts)))


READ_OPTIONS = (
    click.option(
        "--date-format",
        metavar="FORMAT",
        help="Format of dates written as text: iso, dmy, mdy, ymd, excel, excel-1904, or a pattern such as %d.%m.%Y. "
        "Default: iso.",
    ),
    click.option(
        "--patients-date-format", metavar="FORMAT", help="The same for the patient table. Default: as --date-format."
    ),
    click.option(
        "--day-numbering",
        type=click.Choice(["study-day", "from-0"]),
        help="Number of the day of enrolment: 'study-day' = day 1, preceded by day -1 (CDISC); 'from-0' = day 0. "
        "Default: day 0; if no row has day 0, the program stops and asks.",
    ),
    click.option(
        "--patient-key",
        type=click.Choice(["id", "site-id", "study-id", "study-site-id"]),
        help="Columns that identify a patient: the id alone, or with its site, its study or both. Default: the id; if "
        "one id occurs at several sites or in several studies, the program stops and asks.",
    ),
    click.option(
        "--similar-ids",
        type=click.Choice(["same", "different"]),
        help="Ids that differ only by case, blanks or leading zeros are the same patient or different ones. Default: "
        "if there are any, the program stops and asks.",
    ),
    click.option(
        "--long-ids",
        type=click.Choice(["as-written"]),
        help="Accept ids of 15 or more digits that end in zeros. Default: rejected, because a spreadsheet rounds such "
        "numbers.",
    ),
    click.option(
        "--bleeding",
        type=click.Choice(["scored", "events"]),
        help="Meaning of an empty bleeding grade: 'scored' = missing assessment; 'events' = no bleeding. Default: "
        "'scored' if a grade of 0 occurs, else 'events'; the assumption is printed.",
    ),
    click.option(
        "--mapping",
        type=InputFile(".toml"),
        help="Mapping file: which column of VISITS is which (REDCap export, wide spreadsheet, ODM file), or what the "
        "terms of SDTM or the codes of FHIR and OMOP mean. 'itp-response map' drafts one. Default: none.",
    ),
    click.option(
        "--impute",
        type=click.Choice(["first", "last"]),
        help="Take a partial date such as 2019-05 as its first or last possible day. Default: not imputed; every "
        "possible day is considered.",
    ),
    click.option("--sheet", metavar="NAME", help="Sheet of a workbook with the visits. Default: the first."),
    click.option(
        "--patients-sheet",
        metavar="NAME",
        help="Sheet with the patients, in the workbook of --patients, else in that of VISITS. Default: the first.",
    ),
    click.option(
        "--header-row",
        type=click.IntRange(1),
        metavar="N",
        help="Row of VISITS that holds the column names, counted from 1. Default: found, and printed.",
    ),
    click.option(
        "--decimal",
        type=click.Choice(["point", "comma"]),
        help="Decimal separator; the other one may separate thousands. Default: point; in files separated by "
        "semicolons, what the numbers show.",
    ),
    click.option(
        "--on-error",
        type=click.Choice(["stop", "quarantine"]),
        default="stop",
        show_default=True,
        help="On invalid data: 'stop', or 'quarantine' = exclude the affected rows, write them to --quarantine-file, "
        "and continue.",
    ),
    click.option(
        "--unit",
        metavar="UNIT",
        help="Unit of all platelet counts, such as 10^4/uL. Default: as the data say, else 10^9/L.",
    ),
    click.option(
        "--accept",
        multiple=True,
        metavar="CHECK",
        help="Continue although this check, which the error names, fails. Repeat for several. Default: stop.",
    ),
    click.option(
        "--missing",
        metavar="CODES",
        callback=_listed,
        help="Codes for a missing value, separated by commas: 999,-99,ND; for one column only: platelets=999. Default: "
        "none besides an empty cell, NA and the like.",
    ),
    click.option(
        "--rescue-names",
        metavar="NAMES",
        callback=_listed,
        help="Further names of rescue treatments, separated by commas. Default: only those that are known.",
    ),
    click.option(
        "--no-rescue",
        metavar="WORDS",
        callback=_listed,
        help="Further words for no rescue treatment, separated by commas. Default: only those that are known.",
    ),
    click.option(
        "--as-of",
        metavar="DATE_OR_DAY",
        help="Cut the study at a date, as 2024-06-30, or at a day counted from day 0, as 180; later observations are "
        "not seen, and results that are still open are marked. Default: everything is seen.",
    ),
    output_option(
        f"Excluded rows with the reasons, as {DATA_FILE}; required by --on-error quarantine.", "--quarantine-file"
    ),
)
"""How a study is read."""
OPTIONS_OF_READING = (
    *("date_format", "patients_date_format", "day_numbering", "patient_key", "similar_ids", "long_ids"),
    *("bleeding", "impute", "sheet", "patients_sheet", "header_row", "decimal", "on_error", "unit", "accept"),
    *("missing", "rescue_names", "no_rescue", "as_of"),
)
"""Those that are fields of `ReadOptions`."""
READING = frozenset({*OPTIONS_OF_READING, "mapping", "quarantine_file"})
"""The options on how data are read, which stand together in the help."""


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

    def say_warnings(self, cohort: Any) -> None:
        """The warnings on a study, on standard error, beside what is shown of one patient."""
        warnings = [line for line in cohort.note_lines if line.startswith("warning: ")]
        if warnings:
            say("\n".join(warnings))

    def say_notes(self, cohort: Any, *assumed: str) -> None:
        """What was assumed and noticed, on standard error, beside a result that has no room for it."""
        say("\n".join([*assumed, *cohort.note_lines]))


def study_options(criteria: Decorator = criteria_option, *, required: bool = True) -> Decorator:
    """The options of every command that reads a study; `criteria` is the one that names the criteria.

    The command gets them as one argument, `study`, which is a `StudyArguments`.
    """
    options = (
        click.argument("visits", required=required, type=InputFile(), metavar="VISITS" if required else "[VISITS]"),
        click.option(
            "--patients",
            type=InputFile(),
            help="Patient table: arm, enrolment date, baseline count, discontinuation. Default: none.",
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
