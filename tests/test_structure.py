"""The house keeps its plan: imports run one way, the package is whole, nothing heavy comes unasked."""

import ast
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "itp_response"
# From what is known of nothing to what knows of everything. A module may import only from lines above its own.
ORDER = """
    errors
    rules extras
    places clock
    columns
    cohort
    building verdicts words
    worlds
    timeline
    endpoints.criterion
    endpoints.achieved endpoints.at endpoints.best endpoints.combined endpoints.extent
    endpoints.lost endpoints.maintained endpoints.time_to endpoints.visits
    endpoints
    wording
    criteria
    bounds
    evaluate notation
    readers.findings readers.odm readers.source readers.order readers.grid
    readers.runs
    readers.text
    readers.files
    readers.names
    readers.cells readers.quarantine readers.streams readers.sorting
    readers.partial
    readers.patients readers.units readers.sdtm_terms
    readers.sdtm_records
    readers.sdtm_counts readers.sdtm_supplements
    readers.sdtm_bleeding readers.sdtm_treatment
    readers.sdtm
    readers.mapping
    readers
    readers.written
    readers.plain
    provenance
    readers.visits
    draft
    classify
    output
    stream.study
    stream.unsorted
    stream
    outputs.variables
    outputs.parameters
    outputs
    outputs.sources
    outputs.datasets outputs.define outputs.files
    adam
    suspects
    unknowns
    queries beside changes
    copies
    tipping
    turning
    review
    moved
    open_counts
    compare explain check describe
    sensitivity
    results.tables results.printed
    results.patients
    results.proportions
    results.times
    results.characteristics results.odds results.events results.flow results.roc results.forms
    results.imputation
    results
    table
    predictors
    ask mutate near_misses schedule
    lamps
    certificate quiz
    teach.answers
    teach.api
    teach
    plots.responses plots.picture
    plots.clauses plots.lanes
    plots.timeline plots.swimmer plots.spaghetti plots.km plots.waterfall plots.forest plots.reclassification
    plots
    report.patients
    report.sections report.figures
    report
    parts
    spark dask
    itp_response
    cli.options cli.progress
    cli.definitions cli.exchange cli.page cli.plots cli.report cli.results cli.studies cli.teaching
    cli
"""
LINE = {name: number for number, line in enumerate(ORDER.split("\n")) for name in line.split()}


def _modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        yield (name.removesuffix(".__init__") if name != "__init__" else "itp_response"), path


MODULES = list(_modules())


def imported(path):
    """The project's own modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            below = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [name for name in below if name.removeprefix("itp_response.") in LINE]
            names = modules or [str(node.module)]
        for name in names:
            if name.split(".")[0] == "itp_response":
                yield name.removeprefix("itp_response.")


@pytest.mark.parametrize(("name", "path"), MODULES, ids=lambda value: value if isinstance(value, str) else "")
def test_imports_run_one_way(name, path):
    assert name in LINE, f"{name} has no place in the plan"
    assert [other for other in imported(path) if LINE[other] >= LINE[name]] == []


@pytest.mark.parametrize(("name", "path"), MODULES, ids=lambda value: value if isinstance(value, str) else "")
def test_every_module_says_what_it_is(name, path):
    assert ast.get_docstring(ast.parse(path.read_text())), name


def test_help_needs_nothing_heavy():
    heavy = {"numpy", "polars", "pandas", "pyarrow", "pydantic"}
    done = subprocess.run(
        [sys.executable, "-c", f"import itp_response.cli, sys; print({heavy} & set(sys.modules))"],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )

    assert done.stdout.strip() == "set()"


def test_a_name_of_the_package_stays_itself_when_the_module_of_that_name_is_imported():
    code = (
        "import itp_response, itp_response.classify, itp_response.check as c; print(itp_response.classify.__name__, c)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)

    assert done.stdout.startswith("classify <function check at")


def test_a_wheel_carries_the_criteria_and_works_elsewhere(tmp_path):
    """Built from the tree, put in an environment of its own, and run away from the checkout."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    wheel = next(tmp_path.glob("*.whl"))
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", wheel]
    subprocess.run(install, check=True, capture_output=True)
    # What it depends on is taken from here; itself is not.
    site = Path(ast.__file__).parent / "site-packages"
    here = next(Path(path) for path in sys.path if path.endswith("site-packages"))
    own = subprocess.run(
        [python, "-c", "import site; print(site.getsitepackages()[0])"], check=True, capture_output=True, text=True
    ).stdout.strip()
    Path(own, "dependencies.pth").write_text(f"{here}\n{site}\n")

    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [home / "bin" / "itp-response", "ask", "d0 15, d21 45, d28 60", "--criterion", "OR"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    where = subprocess.run(
        [python, "-c", "from itp_response.criteria import criteria_folder; print(criteria_folder())"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )

    assert done.stdout.startswith("timeline  OR: Y on day 21"), done.stderr
    assert Path(where.stdout.strip()) == Path(own) / "itp_response" / "criteria_files"
    assert sorted(path.name for path in Path(where.stdout.strip()).iterdir()) == sorted(
        path.name for path in (ROOT / "criteria").iterdir()
    )
    page = Path(own) / "itp_response" / "teach" / "page"
    assert sorted(path.name for path in page.iterdir()) == sorted(
        path.name for path in (PACKAGE / "teach" / "page").iterdir()
    )
