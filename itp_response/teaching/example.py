"""Example: the invented example study as files in a folder, with what is needed to try every command."""

import re
from pathlib import Path

from itp_response.authoring.new import new
from itp_response.classification.output_files import holding, together
from itp_response.definitions.load import criteria_folder
from itp_response.definitions.schema import schema

HERE = Path(__file__).parent
STUDY = (
    *("visits.csv", "patients.csv", "adverse_events.csv", "screening.csv", "nk_visits.csv", "nk_patients.csv"),
    *("own_definition.toml", "certificate_checker.py"),
)
TUTORIAL = "steps.toml"
README = "example_readme.md"
DEFINITION = "atra_2022.toml"
SCHEMA = re.compile(r"^#:schema .*$", re.MULTILINE)
NEXT = (
    "itp-response classify visits.csv --patients patients.csv",
    "itp-response explain visits.csv --patients patients.csv --patient ITP-0003",
    "itp-response report visits.csv --patients patients.csv --output report.html",
)
"""The commands to try first, in the folder."""


def example(folder: str | Path) -> list[Path]:
    """Write the invented example study, and definitions to try, into a folder.

    Args:
        folder: The folder, which is made. Files of the same names in it are replaced.

    Returns:
        The paths of the files.

    Raises:
        UsageError: The files cannot be written.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     written = example(folder)
        >>> written[0].name, len(written)
        ('README.md', 13)
    """
    folder = Path(folder)
    contents = _contents()
    with together() as files:
        files.make_folder(folder)
        for name, content in contents.items():
            files.add(folder / name, holding(content))
    return [folder / name for name in contents]


def _contents() -> dict[str, bytes]:
    """The files by their names."""
    readme = (HERE / README).read_bytes()
    study = {name: example_file(name).read_bytes() for name in (*STUDY, TUTORIAL)}
    # The checker of certificates compares this file with what decided, to the byte.
    definition = (criteria_folder() / DEFINITION).read_bytes()
    made = {"my_definition.toml": new().encode(), "schema.json": schema().encode()}
    for name in ("own_definition.toml", TUTORIAL):
        study[name] = SCHEMA.sub("#:schema ./schema.json", study[name].decode()).encode()
    return {"README.md": readme, **study, DEFINITION: definition, **made}


def example_file(name: str) -> Path:
    """A file of the example: in the package, or in a checkout beside it."""
    installed = HERE / "example_files"
    if installed.is_dir():
        return installed / name
    return HERE.parents[1] / ("docs/tutorial" if name == TUTORIAL else "examples") / name
