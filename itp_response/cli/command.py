"""What all commands have in common: examples in their help, options in groups, --quiet, --force, one bar."""

import signal
from collections import UserDict
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, get_args

import click

from itp_response.classification.output_files import Formulas, WriteSettings, together, written_with
from itp_response.cli.files import OutputFile, check_outputs, outputs
from itp_response.cli.library_texts import library_texts
from itp_response.cli.options import READING
from itp_response.cli.progress import BAR, ProgressBar
from itp_response.cli.starting import started_quickly
from itp_response.cli.stopping import WRITTEN, Stopped, stopped_by_signals
from itp_response.cli.terminal import QUIET, READER_GONE, complain, say
from itp_response.messages.errors import ItpResponseError

REFUSED = 2
"""The exit status after an error in what the user gave."""
INTERRUPTED = 128 + signal.SIGINT
NOBODY_READS = 128 + 13  # SIGPIPE, which Windows has not
"""The exit statuses of a program that a signal ends, as a shell gives them."""


class Command(click.Command):
    """A command that writes its outputs only where nothing is replaced, and says what it has written.

    What its function gives is the exit status; None is 0.
    """

    def __init__(
        self,
        *arguments: Any,
        examples: Sequence[str] = (),
        has_bar: bool = True,
        **further: Any,
    ) -> None:
        """`examples` stand in the help, as they are typed after the name of the program."""
        super().__init__(*arguments, **further)
        self.examples = examples
        self.has_bar = has_bar
        written = [param.type for param in self.params if isinstance(param.type, OutputFile)]
        if any(output.may_be_csv for output in written):
            self.params.append(_formulas_option())
        if written:
            self.params.append(click.Option(["--force"], is_flag=True, help="Replace an output that is there already."))
        quiet = "Print errors only on standard error: no summary, notes, assumptions or progress."
        self.params.append(click.Option(["--quiet", "-q"], is_flag=True, help=quiet))

    def invoke(self, ctx: click.Context) -> Any:
        quiet, force = ctx.params.pop("quiet"), ctx.params.pop("force", False)
        settings = WriteSettings(say, ctx.params.pop("formulas", "as-text"), replace=force)
        ctx.meta[QUIET] = quiet
        check_outputs(ctx, self.params, force=force)
        written = outputs(ctx, self.params)
        with ProgressBar(wanted=self.has_bar and not quiet) as bar, written_with(settings):
            ctx.meta[BAR] = bar
            with together() as files:
                ctx.meta[WRITTEN] = files
                status = super().invoke(ctx)
        for path in written.values():
            say(f"written to {path}")
        return status

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}itp-response {example}\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {"Options": [], "How the data are read": [], "Every command": []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                groups[_group(param)].append(record)
        for title, records in groups.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def _formulas_option() -> click.Option:
    what = (
        "Texts in .csv that a spreadsheet would take for a formula, as they begin with =, +, - or @: 'as-text' = with "
        "an apostrophe in front, 'as-is' = unchanged."
    )
    choices = click.Choice(get_args(Formulas))
    return click.Option(["--formulas"], type=choices, default="as-text", show_default=True, help=what)


def _group(option: click.Option) -> str:
    """The title under which an option stands in the help."""
    if {"--force", "--formulas", "--quiet", "--help"} & set(option.opts):
        return "Every command"
    return "How the data are read" if option.name in READING else "Options"


def command(name: str | None = None, **options: Any) -> Callable[[Callable[..., Any]], Command]:
    """Makes a function a `Command`; `options` are those of click, and of `Command`."""
    return click.command(name, cls=Command, **options)


class Imported(UserDict[str, Any]):
    """Commands by name, each imported when it is first asked for; until then there is the place where it stands."""

    def __getitem__(self, name: str) -> click.Command:
        found = self.data[name]
        if isinstance(found, str):
            module, _, attribute = found.partition(".")
            found = self.data[name] = getattr(import_module(f"itp_response.cli.{module}"), attribute)
        command: click.Command = found
        return command


class Commands(click.Group):
    """The program: its commands in groups; errors as they stand, with exit status 2."""

    def __init__(self, *arguments: Any, **further: Any) -> None:
        super().__init__(*arguments, **further)
        self.commands = self._imported = Imported()
        self.groups: dict[str, list[str]] = {}

    def add_group(self, title: str, places: Mapping[str, str]) -> None:
        """Add commands under a title: the module in this package and the name there of each."""
        self._imported.data.update(places)
        self.groups[title] = list(places)

    def main(self, args: Sequence[str] | None = None, *, standalone_mode: bool = True, **further: Any) -> Any:  # type: ignore[override]
        try:
            with started_quickly(), stopped_by_signals(), library_texts() as of_libraries:
                status = super().main(args, standalone_mode=False, **further)
                of_libraries.are_explained = status == REFUSED
        except click.ClickException as error:
            if not standalone_mode:
                raise
            complain(_sentence(error))
            raise SystemExit(error.exit_code) from None
        except click.Abort:
            complain("stopped; no output was written.")
            raise SystemExit(INTERRUPTED) from None
        if standalone_mode:
            raise SystemExit(status if isinstance(status, int) else 0)
        return status

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
        except ItpResponseError as error:
            complain(f"error: {error}")
            ctx.exit(REFUSED)
        except KeyboardInterrupt as stop:
            files = ctx.meta.get(WRITTEN)
            is_written = files is not None and files.is_written
            complain("stopped after the output was written." if is_written else "stopped; no output was written.")
            ctx.exit(stop.status if isinstance(stop, Stopped) else INTERRUPTED)
        if ctx.meta.get(READER_GONE):
            ctx.exit(NOBODY_READS)
        return result

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        widest = max(map(len, self.commands))
        for title, names in self.groups.items():
            with formatter.section(title):
                # The names are padded, so that the texts of all groups stand below each other.
                formatter.write_dl([(name.ljust(widest), self.commands[name].short_help or "") for name in names])


def _sentence(error: click.ClickException) -> str:
    """What click refuses, with the command whose help says more; that help where nothing was asked for."""
    message = error.format_message()
    context = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return message
    more = f" '{context.command_path} --help' says more." if context else ""
    return f"error: {message if message.endswith(('.', '?')) else f'{message}.'}{more}"
