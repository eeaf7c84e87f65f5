"""Output files where the system has no locks and no Unix signals, as Windows: the package runs, and promises less."""

import errno
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from itp_response.classification import output_files, system
from itp_response.classification.output_files import WriteSettings, holding, put, temporary_folder, written_with

ROOT = Path(__file__).parents[2]
STUDY = f"{ROOT}/examples/visits.csv --patients {ROOT}/examples/patients.csv"
WITHOUT_UNIX = """
import os, pkgutil, signal, sys
for name in ("fcntl", "grp", "pwd", "resource", "termios", "tty"):
    sys.modules[name] = None
for module, names in {
    os: "O_CLOEXEC O_DIRECTORY O_NOFOLLOW chown fork geteuid getuid sysconf",
    signal: "SIGHUP SIGKILL SIGPIPE",
}.items():
    for name in names.split():
        delattr(module, name)
"""
MAIN = f"{WITHOUT_UNIX}\nfrom itp_response.cli import main\nmain()"
EVERY_MODULE = f"""{WITHOUT_UNIX}
import importlib, itp_response
for module in pkgutil.walk_packages(itp_response.__path__, "itp_response."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""
LEFT = ".results.csv.itp-response-0123456789abcdef"


def run(program, *words, folder):
    # Runs that can lock would take an unlocked file in a shared folder for left behind.
    own = folder / "temporary"
    own.mkdir()
    command, environment = [sys.executable, "-c", program, *words], os.environ | {"TMPDIR": str(own)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)
    assert not list(own.iterdir())
    return done


def test_every_module_is_imported(tmp_path):
    done = run(EVERY_MODULE, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("classify {} --output results.csv", ["results.csv", "results.csv.provenance.json"]),
        ("adam {} --study ITP --output adam", ["adam"]),
        (
            "classify {} --on-error quarantine --quarantine-file out.csv --output results.parquet",
            ["results.parquet", "out.csv"],
        ),
    ],
)
def test_files_are_written_and_none_stays_aside(tmp_path, command, files):
    done = run(MAIN, *command.format(STUDY).split(), "--quiet", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    there = {path.name for path in tmp_path.iterdir()}
    assert there >= set(files)
    assert not [name for name in there if "itp-response-" in name]


def test_what_may_be_left_behind_is_named_and_stays(tmp_path):
    (tmp_path / LEFT).write_text("half")
    done = run(MAIN, *f"classify {STUDY} --output results.csv".split(), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stderr.split())
    assert (
        f"note: In {tmp_path} there are 1 temporary file ({LEFT}) of a run that was killed or still goes on; "
        "remove them if no other run writes here."
    ) in said
    assert (tmp_path / LEFT).exists()


def test_runs_at_once_take_nothing_of_each_other_for_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def run_often(_):
        told = []
        with written_with(WriteSettings(tell=told.append)):
            for number in range(60):
                with temporary_folder() as folder:
                    (folder / "rows").write_text("1")
                    put(tmp_path / f"{number}.csv", holding(b"a,b\n"))
        return told

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(run_often, range(8))) == [[]] * 8
    assert not [path.name for path in tmp_path.iterdir() if "itp-response-" in path.name]


def test_nobody_waits_for_a_lock_where_there_are_none(tmp_path, monkeypatch):
    """On a file system without locks files are written all the same, and what lies there is left alone."""

    def no_locks(*_):
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(system.fcntl, "flock", no_locks)
    monkeypatch.setattr(output_files.time, "sleep", lambda _: pytest.fail("waited"))
    (tmp_path / LEFT).write_text("half")

    put(tmp_path / "results.csv", holding(b"a,b\n"))

    assert (tmp_path / "results.csv").read_bytes() == b"a,b\n"
    assert (tmp_path / LEFT).exists()
