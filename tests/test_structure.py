"""The house keeps its plan: imports run one way, the package is whole, nothing heavy comes unasked."""

import ast
import importlib.metadata
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import itp_response

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "itp_response"
LAYERS = """
    messages
    cohort
    evaluation
    definitions readers
    classification
    explanation data_review
    authoring
    outputs teaching
    cli
"""
"""A package imports from those on lines above its own; the face, `itp_response` itself, may know all of them."""
OUTPUTS = """
    statistics comparison
    tables figures adam
    report
"""
"""The same of the packages in `outputs`."""


def _lines(layers):
    return {name: number for number, line in enumerate(layers.split("\n")) for name in line.split()}


def _modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), path


MODULES = list(_modules())


def imported(path):
    """The project's own modules that a file imports, wherever in it, as their parts below the package."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.split(".")[0] == "itp_response":
                yield name.split(".")[1:]


def upward(path, within, layers):
    """What a file imports of packages that do not lie below its own."""
    lines, own = _lines(layers), path.relative_to(within).parts[0]
    depth = len(within.relative_to(PACKAGE).parts)
    inside = [other for other in imported(path) if tuple(other[:depth]) == within.relative_to(PACKAGE).parts]
    return [".".join(other) for other in inside if other[depth] != own and lines[other[depth]] >= lines[own]]


def packages(folder):
    return {path.name for path in folder.iterdir() if (path / "__init__.py").exists()}


def test_the_packages_are_those_of_the_plan():
    assert packages(PACKAGE) == set(_lines(LAYERS))
    assert len(_lines(LAYERS)) <= 12
    assert packages(PACKAGE / "outputs") == set(_lines(OUTPUTS))


@pytest.mark.parametrize(
    ("name", "path"),
    [(n, p) for n, p in MODULES if "/" in n],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_imports_run_one_way(name, path):
    assert upward(path, PACKAGE, LAYERS) == []
    if name.startswith("outputs/") and name.count("/") > 1:
        assert upward(path, PACKAGE / "outputs", OUTPUTS) == []


def test_no_modules_import_each_other_in_a_circle():
    graph = {tuple(path.relative_to(PACKAGE).with_suffix("").parts): list(imported(path)) for _, path in MODULES}
    done, open_ = set(), []

    def visit(module):
        assert module not in open_, " -> ".join(".".join(one) for one in [*open_[open_.index(module) :], module])
        if module in done or module not in graph:
            return
        open_.append(module)
        for other in graph[module]:
            for part in (tuple(other), tuple(other[:-1])):
                if part in graph and part != module and module != ("__init__",):
                    visit(part)
        open_.pop()
        done.add(module)

    for module in graph:
        visit(module)


@pytest.mark.parametrize("name", [n for n, _ in MODULES if n.startswith("evaluation/")])
def test_the_heart_knows_of_no_frame_no_file_and_no_command_line(name):
    tree = ast.parse((PACKAGE / name).read_text())
    names = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    names |= {str(node.module).split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names & {"polars", "click", "pathlib", "io", "tomllib", "json"} == set()
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert "open" not in called


def test_no_package_bears_the_name_of_a_public_name():
    assert packages(PACKAGE) & set(itp_response.__all__) == set()


def test_the_face_shows_the_public_names():
    assert set(dir(itp_response)) == {*itp_response.__all__, "__version__"}
    assert all(getattr(itp_response, name) is not None for name in dir(itp_response))
    assert importlib.metadata.version("itp-response") == itp_response.__version__
    with pytest.raises(AttributeError, match="no attribute 'clasify'"):
        _ = itp_response.clasify


def test_the_package_is_run_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "itp_response", "--help"], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout.startswith("Usage: itp-response [OPTIONS] COMMAND")


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
        [home / "bin" / "itp-response", "ask", "d0 15, d21 45, d28 60", "--endpoint", "OR"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    where = subprocess.run(
        [python, "-c", "from itp_response.definitions.load import criteria_folder; print(criteria_folder())"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )

    assert done.stdout.startswith("timeline  OR: Y on day 21"), done.stderr
    assert Path(where.stdout.strip()) == Path(own) / "itp_response" / "definitions" / "criteria_files"
    assert sorted(path.name for path in Path(where.stdout.strip()).iterdir()) == sorted(
        path.name for path in (ROOT / "criteria").iterdir()
    )
    page = Path(own) / "itp_response" / "teaching" / "page"
    assert sorted(path.name for path in page.iterdir()) == sorted(
        path.name for path in (PACKAGE / "teaching" / "page").iterdir()
    )
