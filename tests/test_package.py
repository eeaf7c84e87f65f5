"""What a user installs and imports: the public names, what is loaded when, the wheel."""

import ast
import importlib.metadata
import inspect
import os
import re
import shlex
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest
from click.testing import CliRunner

import itp_response
from itp_response.cli import main

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "itp_response"


def output(*command, **options):
    """What a command prints, which has to succeed."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout.strip()


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != "__pycache__")


def test_dir_shows_the_public_names():
    assert set(dir(itp_response)) == {*itp_response.__all__, "__version__"}
    assert all(getattr(itp_response, name) is not None for name in dir(itp_response))
    assert importlib.metadata.version("itp-response") == itp_response.__version__
    with pytest.raises(AttributeError, match="no attribute 'clasify'"):
        _ = itp_response.clasify


def test_the_package_is_run_as_a_module():
    help_ = output(sys.executable, "-m", "itp_response", "--help", cwd=ROOT)

    assert help_.startswith("Usage: itp-response [OPTIONS] COMMAND")


def test_help_needs_nothing_heavy():
    code = "import sys; from itp_response.cli import main; list(main.commands.values()); print(*sys.modules)"
    loaded = set(output(sys.executable, "-c", code, cwd=ROOT).split())

    assert {"itp_response.cli.studies", "itp_response.cli.validation"} <= loaded
    assert loaded & {"numpy", "polars", "pandas", "pyarrow", "pydantic"} == set()


@pytest.mark.parametrize(
    ("command", "unused"),
    [
        (
            ["ask", "d0 15, d22 40"],
            "readers.visits readers.open_table classification.writers classification.provenance",
        ),
        (["classify", "examples/visits.csv"], "readers.sdtm.records readers.coded.events explanation.explain"),
        (["quiz", "--hard", "--number", "1"], "readers.visits readers.open_table classification.writers"),
    ],
)
def test_a_command_imports_only_what_it_uses(command, unused):
    code = "import atexit, sys; atexit.register(lambda: print(*sys.modules)); from itp_response.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    loaded = set(done.stdout.splitlines()[-1].split())

    assert {"itp_response.classification.classification", "polars"} <= loaded
    assert loaded & {f"itp_response.{name}" for name in unused.split()} == set()
    assert loaded & {"pandas", "pyarrow", "matplotlib", "jinja2", "scipy"} == set()


def test_each_extra_that_is_named_exists_and_no_two_are_alike():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    read = [*PACKAGE.rglob("*.py"), *ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    needed = re.compile(r"itp-response\[([a-z-]+)\]|needed\(\"[\w.]+\", \"([a-z-]+)\"")
    named = {first or second for path in read for first, second in needed.findall(path.read_text())}

    assert {"sas-spss-stata", "excel", "stats"} <= named
    assert named <= extras.keys()
    assert len({frozenset(libraries) for libraries in extras.values()}) == len(extras)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment with the wheel built from the tree: its folder, and that of its packages."""
    folder = tmp_path_factory.mktemp("wheel")
    output(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    home = folder / "venv"
    venv.create(home)
    install = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", wheel]
    output(sys.executable, "-m", "pip", "--python", home / "bin" / "python", *install)
    packages = Path(output(home / "bin" / "python", "-c", "import site; print(site.getsitepackages()[0])"))
    # What it depends on is taken from here; itself is not.
    here = next(path for path in sys.path if path.endswith("site-packages"))
    system = Path(ast.__file__).parent / "site-packages"
    (packages / "dependencies.pth").write_text(f"{here}\n{system}\n")
    return home, packages


@pytest.mark.xdist_group("wheel")
def test_the_wheel_works_away_from_the_checkout(installed, tmp_path):
    home, packages = installed
    elsewhere = {
        "cwd": tmp_path,
        "env": {key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
    }
    answer = output(home / "bin" / "itp-response", "ask", "d0 15, d21 45, d28 60", "--endpoint", "OR", **elsewhere)
    code = "from itp_response.definitions.load import criteria_folder; print(criteria_folder())"
    folder = output(home / "bin" / "python", "-c", code, **elsewhere)

    assert answer.startswith("timeline  Overall response (OR): Y on day 21")
    assert Path(folder) == packages / "itp_response" / "definitions" / "criteria_files"


@pytest.mark.xdist_group("wheel")
@pytest.mark.parametrize(
    ("installed_as", "source"),
    [
        ("definitions/criteria_files", "criteria"),
        ("teaching/page", "itp_response/teaching/page"),
    ],
)
def test_the_wheel_carries_the_files_that_are_no_python(installed, installed_as, source):
    _, packages = installed

    assert names(packages / "itp_response" / installed_as) == names(ROOT / source)


@pytest.mark.xdist_group("wheel")
def test_a_changed_byte_of_an_installed_file_is_noticed(installed, tmp_path):
    home, packages = installed
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [home / "bin" / "itp-response", "validate", "--shipped", "fit", "--generated", "1"]
    done = subprocess.run([*command, "-o", "good"], check=False, capture_output=True, text=True, cwd=tmp_path, env=env)
    assert re.search(r"IQ-3  Files +[1-9]\d+ compared, 0 differ +pass\n", done.stderr)
    assert done.returncode == 0

    changed = packages / "itp_response" / "evaluation" / "clock.py"
    content = changed.read_bytes()
    (packages / "itp_response" / "stray.txt").touch()
    changed.write_bytes(content + b"\n")
    done = subprocess.run([*command, "-o", "bad"], check=False, capture_output=True, text=True, cwd=tmp_path, env=env)
    changed.write_bytes(content)
    (packages / "itp_response" / "stray.txt").unlink()

    assert done.returncode == 1
    assert re.findall(r"IQ-3: (\S+): expected", " ".join(done.stderr.split())) == [
        "itp_response/evaluation/clock.py",
        "itp_response/stray.txt",
    ]


FUNCTIONS = [
    *(getattr(itp_response, name) for name in itp_response.__all__ if inspect.isfunction(getattr(itp_response, name))),
    *(getattr(itp_response, name).classify for name in ("dask", "spark")),
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: f"{function.__module__}.{function.__name__}")
def test_a_public_docstring_has_every_parameter_in_order_and_what_is_given_and_raised(function):
    docstring = inspect.getdoc(function)
    sections = dict(
        re.findall(r"^(Args|Returns|Raises|Examples):\n(.*?)(?=^\w+:$|\Z)", docstring, re.MULTILINE | re.DOTALL)
    )
    parameters = re.findall(r"^    (\w+): ", sections.get("Args", ""), re.MULTILINE)

    assert re.fullmatch(r"[A-Z].*\.", docstring.partition("\n")[0])
    assert parameters == list(inspect.signature(function).parameters)
    assert ("Returns" in sections) == (function is not itp_response.teach)
    assert ("Raises" in sections) == (function not in (itp_response.describe, itp_response.new, itp_response.schema))
    assert ("Examples" in sections) == (function is not itp_response.report)


@pytest.mark.xdist_group("wheel")
def test_the_wheel_writes_the_example_of_the_checkout(installed, tmp_path):
    """And what is written can be used at once, away from the checkout."""
    home, _ = installed
    elsewhere = {
        "cwd": tmp_path,
        "env": {key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
    }
    output(home / "bin" / "itp-response", "example", "of_the_wheel", **elsewhere)
    itp_response.example(tmp_path / "of_the_checkout")
    written = {path.name: path.read_bytes() for path in (tmp_path / "of_the_wheel").iterdir()}

    assert written == {path.name: path.read_bytes() for path in (tmp_path / "of_the_checkout").iterdir()}
    assert {"README.md", "visits.csv", "my_definition.toml", "steps.toml", "certificate_checker.py"} <= written.keys()
    checked = output(home / "bin" / "itp-response", "check", "of_the_wheel/my_definition.toml", **elsewhere)
    assert "all results as expected" in " ".join(checked.split())


def test_all_is_every_extra_of_users():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (of_all,) = extras["all"]
    # The report brings tables and figures.
    assert set(re.findall(r"[a-z-]+", of_all.partition("[")[2])) == extras.keys() - {
        *("all", "dev", "spark", "dask"),
        *("plot", "stats"),
    }


def test_the_commands_of_the_example_run_in_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    itp_response.example(tmp_path)
    blocks = re.findall(r"```sh\n(.*?)```", (tmp_path / "README.md").read_text(), re.DOTALL)
    for line in "".join(blocks).splitlines():
        program, _, rest = line.partition(" ")
        words, _, target = rest.partition(" > ")
        if program == "itp-response":
            ran = CliRunner().invoke(main, shlex.split(words))
            assert ran.exit_code == 0, (line, ran.output)
            if target:
                (tmp_path / target).write_text(ran.stdout)
        else:
            output(sys.executable, *shlex.split(words))
    for name in set(re.findall(r"`([\w.]+\.[a-z]+)`", (tmp_path / "README.md").read_text())):
        assert (tmp_path / name).exists(), name
