"""What libraries write on standard error past Python is seen only where no error of ours says what was wrong."""

import subprocess
import sys

import pytest

SAID = "thread 'async-executor-0' panicked at immutable.rs:329:9"
PROGRAM = f"""
import os, sys
from itp_response.cli import main
from itp_response.readers import complete, files

def whole_file(*arguments, of=files.whole_file):
    os.write(2, b"{SAID}\\n")
    if sys.argv[-1] == "a-fault":
        raise RuntimeError("a fault of the program")
    return of(*arguments)

files.whole_file = whole_file
main(sys.argv[1:3])
"""


def classified(path, *words, **options):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "classify", str(path), *words],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library_texts")
    (folder / "visits.csv").write_text("patient_id,day,platelets\nP1,0,15\nP1,28,110\n")
    (folder / "wrong.csv").write_text("patient_id,day,platelets\nP1,0,1o\n")
    return folder


def test_not_beside_an_error_of_ours(folder):
    done = classified(folder / "wrong.csv")

    assert done.returncode == 2
    assert done.stderr.startswith("error: wrong.csv: line 2: ")
    assert "panicked" not in done.stderr


def test_after_the_messages_of_a_result(folder):
    done = classified(folder / "visits.csv")

    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == SAID
    assert "1 patient" in done.stderr.splitlines()[0]


def test_with_the_traceback_of_a_fault(folder):
    done = classified(folder / "visits.csv", "a-fault")

    assert done.returncode == 1
    assert SAID in done.stderr
    assert "RuntimeError: a fault of the program" in done.stderr


def test_a_standard_error_that_is_closed(folder):
    done = classified(folder / "wrong.csv", preexec_fn=lambda: __import__("os").close(2))

    assert (done.returncode, done.stderr) == (2, "")
