"""The command line: a command per public function, and no logic of its own."""

from typing import Any

import click

from itp_response.cli import definitions, exchange, page, plots, report, results, studies, teaching
from itp_response.messages.errors import ItpResponseError


class _Commands(click.Group):
    """Shows our errors as they stand, with exit status 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ItpResponseError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(2)
        except KeyboardInterrupt:
            click.echo("stopped; no output was written.", err=True)
            ctx.exit(130)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="itp-response", prog_name="itp-response")
def main() -> None:
    """Treatment response in immune thrombocytopenia, decided by written definitions."""


for _command in [
    studies.classify,
    studies.explain,
    studies.compare,
    studies.sensitivity,
    studies.review,
    results.table,
    results.predictors,
    plots.plot,
    report.report,
    exchange.adam,
    exchange.map_,
    definitions.ask,
    definitions.criteria,
    definitions.check,
    page.teach,
    teaching.near_misses,
    teaching.quiz,
    teaching.visit_plan,
]:
    main.add_command(_command)
