"""A missing library is named with the command that installs it, as the program itself was installed."""

import json
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from itp_response.messages import optional_imports
from itp_response.messages.errors import CohortError, UsageError
from itp_response.messages.optional_imports import cure, needed

ROOT = Path(optional_imports.__file__).parents[2]
RECEIPT = """
[tool]
requirements = [{ name = "itp-response", extras = ["excel", "plot"], directory = "/home/me/itp" }]
"""


class Installed:
    """The metadata of an installed package."""

    def __init__(self, direct_url):
        self.direct_url = direct_url

    def read_text(self, name):
        return self.direct_url and json.dumps(self.direct_url) if name == "direct_url.json" else None


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """Puts the program into an environment: where it came from, the files in the environment, whether it has pip."""

    def put(direct_url=None, files=None, *, pip=True, python="/env/bin/python"):
        environment = tmp_path / "environment"
        environment.mkdir()
        for name, text in (files or {}).items():
            (environment / name).write_text(text)
        monkeypatch.setattr(optional_imports, "distribution", lambda _: Installed(direct_url))
        monkeypatch.setattr(optional_imports, "find_spec", lambda _: object() if pip else None)
        monkeypatch.setattr(sys, "prefix", str(environment))
        monkeypatch.setattr(sys, "executable", python)

    return put


FOLDER = {"url": "file:///home/me/itp", "dir_info": {}}
EDITABLE = {"url": "file:///home/me/my%20itp", "dir_info": {"editable": True}}
GIT = {"url": "https://example.org/itp.git", "vcs_info": {"vcs": "git", "commit_id": "1f0e"}}


@pytest.mark.parametrize(
    ("how", "command"),
    [
        ({}, '/env/bin/python -m pip install "itp-response[stats]"'),
        ({"python": "C:\\my env\\python.exe"}, 'python -m pip install "itp-response[stats]"'),
        ({"direct_url": FOLDER}, '/env/bin/python -m pip install "itp-response[stats] @ file:///home/me/itp"'),
        ({"direct_url": EDITABLE}, '/env/bin/python -m pip install --editable "/home/me/my itp[stats]"'),
        (
            {"direct_url": GIT},
            '/env/bin/python -m pip install "itp-response[stats] @ git+https://example.org/itp.git@1f0e"',
        ),
        ({"pip": False}, 'uv pip install --python "/env/bin/python" "itp-response[stats]"'),
        (
            {"files": {"uv-receipt.toml": RECEIPT}, "direct_url": FOLDER},
            'uv tool install "itp-response[excel,plot,stats] @ file:///home/me/itp"',
        ),
        ({"files": {"pipx_metadata.json": "{}"}}, 'pipx runpip environment install "itp-response[stats]"'),
    ],
)
def test_the_cure_fits_how_the_program_was_installed(installed, how, command):
    installed(**how)

    assert cure("stats") == command


def test_a_checkout_that_is_not_installed_is_installed_in_place(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(optional_imports, "distribution", missing)

    assert cure("stats").endswith(f'--editable "{ROOT}[stats]"')


def test_a_library_that_is_missing_is_named_with_the_place_and_the_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "fastexcel", None)

    with pytest.raises(CohortError) as error:
        needed("fastexcel", "excel", "visits.xlsx: ", CohortError)

    assert str(error.value) == (
        f"visits.xlsx: this needs fastexcel, which is not installed; install it by\n    {cure('excel')}"
    )


def test_what_is_missing_inside_a_library_is_no_error_of_the_user(monkeypatch, tmp_path):
    (tmp_path / "brokenlibrary.py").write_text("import no_such_module")
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        needed("brokenlibrary", "stats")
    with pytest.raises(UsageError):
        needed("no_such_library", "stats")
