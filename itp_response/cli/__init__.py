"""The command line: a command per public function, and no logic of its own."""

import click

from itp_response.cli import definitions, exchange, page, plots, report, results, studies, teaching, validation
from itp_response.cli.command import Commands

EPILOG = (
    "'itp-response COMMAND --help' has the options and examples of a command. "
    "'itp-response example FOLDER' writes an invented study to try them on."
)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)
@click.version_option(package_name="itp-response", prog_name="itp-response")
def main() -> None:
    """Derive treatment-response endpoints in immune thrombocytopenia (ITP) from published definitions."""


main.add_group("Classify and explain", [studies.classify, studies.explain, definitions.ask, teaching.near_misses])
main.add_group(
    "Review and results",
    [
        studies.review,
        results.table,
        results.predictors,
        plots.plot,
        report.report,
        studies.compare,
        studies.sensitivity,
    ],
)
main.add_group(
    "Definitions",
    [definitions.criteria, definitions.check, definitions.new, definitions.schema, teaching.visit_plan],
)
main.add_group("Teaching", [teaching.example, page.teach, teaching.quiz])
main.add_group("Exchange", [exchange.map_, exchange.adam])
main.add_group("Validation", [validation.validate])
