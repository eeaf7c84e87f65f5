"""The command line: a command per public function, and no logic of its own."""

import click

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


main.add_group(
    "Classify and explain",
    {
        "classify": "studies.classify",
        "explain": "studies.explain",
        "ask": "definitions.ask",
        "near-misses": "teaching.near_misses",
    },
)
main.add_group(
    "Review and results",
    {
        "review": "studies.review",
        "table": "results.table",
        "predictors": "results.predictors",
        "plot": "plots.plot",
        "report": "report.report",
        "compare": "studies.compare",
        "sensitivity": "studies.sensitivity",
    },
)
main.add_group(
    "Definitions",
    {
        "criteria": "definitions.criteria",
        "check": "definitions.check",
        "new": "definitions.new",
        "schema": "definitions.schema",
        "visit-plan": "teaching.visit_plan",
    },
)
main.add_group("Teaching", {"example": "teaching.example", "teach": "page.teach", "quiz": "teaching.quiz"})
main.add_group("Exchange", {"map": "exchange.map_", "adam": "exchange.adam"})
main.add_group("Validation", {"validate": "validation.validate"})
