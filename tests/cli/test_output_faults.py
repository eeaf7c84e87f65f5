"""Outputs under attack: no input is written over, all files are placed or none, no temporary file stays behind."""

import ctypes
import itertools
import os
import resource
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from patience import PATIENCE, until
from test_files import OUTPUTS, VISITS

import itp_response
from itp_response import UsageError
from itp_response.classification.output_files import OURS, Aside, WriteSettings, put, written_with
from itp_response.cli import main

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-c", "from itp_response.cli import main; main(prog_name='itp-response')"]
OF_STUDY = {name: command for name, command in OUTPUTS.items() if "{0}" in command}
OLD = "what stood there"
PROVENANCE = ".provenance.json"


def run(words, **options):
    return CliRunner().invoke(main, words.split(), **options)


def start(words, **options):
    return subprocess.Popen(
        [*PROGRAM, *words.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def ours(*folders):
    """The temporary files of the program in these folders."""
    return [path.name for folder in folders for path in Path(folder).iterdir() if OURS.fullmatch(path.name)]


@pytest.fixture
def visits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("visits.csv").write_text(VISITS)
    Path("d").mkdir()
    return "visits.csv"


class TestInputs:
    @pytest.mark.parametrize("name", [name for name in OF_STUDY if name not in ("adam", "example")])
    def test_are_not_written_over_by_any_command(self, visits, name):
        command = OF_STUDY[name].format(visits, "out")
        output = command.split()[-1]
        Path("hard").hardlink_to(visits)
        Path(output).symlink_to("hard")
        done = run(f"{command} --force")

        said = f"error: {output}: this file is read and cannot be the output as well; name another file.\n"
        assert (done.exit_code, done.output) == (2, said)
        assert Path(visits).read_text() == VISITS

    @pytest.mark.parametrize("spelling", ["visits.csv", "./visits.csv", "d/../visits.csv", "hard.csv", "soft.csv"])
    def test_are_known_in_any_spelling_by_commands_and_functions(self, visits, spelling):
        Path("hard.csv").hardlink_to(visits)
        Path("soft.csv").symlink_to(visits)
        done = run(f"classify {visits} --on-error quarantine --quarantine-file {spelling} --force")

        assert done.exit_code == 2
        assert done.output.startswith(f"error: {Path(spelling)}: this file is read")
        study = itp_response.classify(visits)
        for write in (
            lambda path: itp_response.classify_to(path, visits),
            study.write,
            itp_response.review(study).write,
            itp_response.review(study).write_query_log,
            itp_response.table(study).write,
            itp_response.near_misses(study).write,
            itp_response.compare(visits, criteria=["fit", "iwg_2009"]).write,
            itp_response.sensitivity(visits, criteria="fit").write,
        ):
            with pytest.raises(UsageError, match="this file is read and cannot be the output"):
                write(spelling)
        assert Path(visits).read_text() == VISITS

    @pytest.mark.usefixtures("visits")
    def test_may_be_what_stands_beside_an_output_or_in_its_folder(self):
        Path("out.csv.provenance.json").write_text(VISITS)
        Path("parts").mkdir()
        Path("parts/adlb.csv").write_text(VISITS)
        Path("plan.csv").write_text("d0 d7 d14")

        for command, named in {
            f"classify out.csv{PROVENANCE} --output out.csv": f"out.csv{PROVENANCE}: this file is read",
            "classify parts --output parts/adlb.csv": "parts/adlb.csv: this file is read",
            "adam parts/adlb.csv --study T --format csv --output parts": "parts: parts/adlb.csv in this folder is read",
            "adam parts --study T --format csv --output parts": "parts: this folder is read",
            "visit-plan plan.csv --output plan.csv": "plan.csv: this file is read",
        }.items():
            done = run(f"{command} --force")
            assert (done.exit_code, done.output.partition(named)[0]) == (2, "error: "), done.output
        assert Path("parts/adlb.csv").read_text() == VISITS

    def test_two_outputs_are_not_one_file(self, visits):
        Path("b.csv").symlink_to("a.csv")
        for first, second in itertools.product(["a.csv", "b.csv"], ["d/../a.csv", f"a.csv{PROVENANCE}"]):
            if (first, second[-4:]) != ("b.csv", "json"):
                done = run(f"review {visits} --output {first} --query-log {second}")
                assert (done.exit_code, "both name" in done.output) == (2, True)
        assert not Path("a.csv").exists()


class TestPlace:
    def test_a_file_keeps_its_mode_and_a_link_is_followed(self, visits):
        Path("out.csv").write_text(OLD)
        Path("out.csv").chmod(0o600)
        Path("link.csv").symlink_to("d/target.csv")
        Path("loose.csv").symlink_to("out.csv")
        for output in ("out.csv", "link.csv", "loose.csv"):
            assert run(f"classify {visits} --output {output} --force").exit_code == 0

        assert stat.S_IMODE(Path("out.csv").stat().st_mode) == 0o600
        assert Path("link.csv").is_symlink()
        assert Path("d/target.csv").read_bytes() == Path("out.csv").read_bytes() == Path("loose.csv").read_bytes()

    def test_what_is_written_aside_is_private(self, tmp_path):
        modes = []
        put(tmp_path / "out", lambda file: modes.append(stat.S_IMODE(os.fstat(file.fileno()).st_mode)))
        umask = os.umask(0o027)
        os.umask(umask)

        assert modes == [0o600]
        assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o666 & ~umask

    def test_without_force_what_appears_meanwhile_is_not_replaced(self, tmp_path):
        path = tmp_path / "out"

        def write(file):
            file.write(b"mine")
            path.write_text(OLD)

        with (
            written_with(WriteSettings(replace=False)),
            pytest.raises(UsageError, match="another run has written this file"),
        ):
            put(path, write)
        assert (path.read_text(), ours(tmp_path)) == (OLD, [])

    def test_a_pipe_and_a_device_get_the_content(self, visits):
        os.mkfifo("pipe.csv")
        with subprocess.Popen(["cat", "pipe.csv"], stdout=subprocess.PIPE) as reader:
            done = run(f"classify {visits} --output pipe.csv")
            piped, _ = reader.communicate(timeout=PATIENCE)

        assert done.exit_code == 0
        assert "note: pipe.csv is no file that stays, so no provenance is written beside it.\n" in done.stderr
        assert run(f"classify {visits} --output out.csv").exit_code == 0
        assert piped == Path("out.csv").read_bytes()
        assert run(f"classify {visits} --output /dev/null").exit_code == 0
        printed, _ = start(f"classify {visits} --quiet --output /dev/stdout").communicate(timeout=PATIENCE)
        assert printed.encode() == piped
        done = run(f"classify {visits} --output /dev/full")
        said = "error: /dev/full: cannot be written: No space left on device."
        assert (done.exit_code, done.stderr.splitlines()[-1]) == (2, said)


class TestTogether:
    def test_where_the_provenance_cannot_be_written_nothing_is(self, visits):
        Path("out.csv").write_text(OLD)
        Path(f"out.csv{PROVENANCE}").mkdir()
        done = run(f"review {visits} --query-log log.csv --output out.csv --force")

        assert (done.exit_code, done.stderr) == (
            2,
            f"error: out.csv{PROVENANCE}: cannot be written: Is a directory.\n",
        )
        assert Path("out.csv").read_text() == OLD
        assert sorted(path.name for path in Path().iterdir()) == ["d", "out.csv", f"out.csv{PROVENANCE}", "visits.csv"]

    @pytest.mark.parametrize("command", ["adam", "example"])
    @pytest.mark.parametrize("number", [1, 3, 9])
    def test_a_folder_is_as_it_was_if_it_is_stopped_between_two_files(self, visits, monkeypatch, command, number):
        Path("ad").mkdir()
        assert run(OUTPUTS[command].format(visits, "ad")).exit_code == 0
        Path("ad/.DS_Store").write_text("a hidden file")
        if command == "adam":
            Path("ad/adlb.xpt").write_text(OLD)
        before = {path: path.read_bytes() for path in Path("ad").iterdir()}
        Path(visits).write_text(VISITS.replace("007", "008"))
        placed, replace = itertools.count(1), Path.replace

        def stopped(self, target):
            if next(placed) == number:
                raise KeyboardInterrupt
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", stopped)
        done = run(f"{OUTPUTS[command].format(visits, 'ad')} --force")

        assert (done.exit_code, done.stderr[-30:]) == (130, "stopped; no output was written.\n"[-30:])
        assert {path: path.read_bytes() for path in Path("ad").iterdir()} == before

    def test_a_folder_that_was_made_goes_again(self, visits):
        done = run(f"adam {visits} --study T --format csv --output new/folder --quarantine-file nowhere/q.csv")
        assert done.exit_code == 2
        done = run(f"adam {visits} --study {'T' * 300} --format csv --output new/folder")

        assert (done.exit_code, Path("new").exists()) == (2, False)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    path = tmp_path_factory.mktemp("study") / "visits.csv"
    rows = "".join(f"P{number:03},{day},{15 + day}\n" for number in range(200) for day in (0, 21, 28))
    path.write_text(f"patient_id,day,platelets\n{rows}")
    return path


@pytest.fixture(scope="module")
def long_study(tmp_path_factory):
    path = tmp_path_factory.mktemp("long") / "visits.csv"
    rows = "".join(f"{{0}},{day},40\n" for day in range(0, 400, 20))
    path.write_text("patient_id,day,platelets\n" + "".join(map(rows.format, range(100_000, 160_000))))
    return path


FORMATS = {
    "classify": ["csv", "json", "parquet"],
    "review": ["csv", "xlsx"],
    "table": ["rtf"],
    "plot": ["svg"],
    "near-misses": ["csv"],
}


@contextmanager
def bound_by_modes():
    """Within, the modes of files and folders bind root as they bind others."""
    header, had = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    system = ctypes.CDLL(None)
    assert system.capget(header, had) == 0
    less = (ctypes.c_uint32 * 6)(*had)
    less[0] &= ~0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
    assert system.capset(header, less) == 0
    try:
        yield
    finally:
        system.capset(header, had)


class TestReadOnlyFolder:
    @pytest.mark.parametrize("name", ["classify", "review", "table", "plot", "adam", "new", "example"])
    def test_is_one_error_and_nothing_is_there(self, visits, name):
        folder = Path("d")
        folder.chmod(0o555)
        try:
            with bound_by_modes():
                done = run(OUTPUTS[name].format(visits, "d/out"))
        finally:
            folder.chmod(0o755)

        *_, last = done.stderr.splitlines()
        assert (done.exit_code, last.startswith("error: d/out")) == (2, True)
        assert last.endswith(": cannot be written: Permission denied.")
        assert [line for line in done.stderr.splitlines() if line.startswith("error:")] == [last]
        assert list(folder.iterdir()) == []


class TestFullDisk:
    @pytest.mark.parametrize(("command", "suffix"), [(name, one) for name in FORMATS for one in FORMATS[name]])
    def test_is_one_error_and_the_old_file_stays(self, study, command, suffix, tmp_path, monkeypatch):
        """A limit of the size of files stands for a disk that is full."""
        monkeypatch.chdir(tmp_path)
        output = Path(f"out.{suffix}")
        output.write_text(OLD)
        named = "--query-log" if command == "review" else "--output"
        kind, one = ("plot timeline", " --patient P001") if command == "plot" else (command, "")
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (256, hard))
        try:
            done = run(f"{kind} {study}{one} {named} {output} --force")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

        assert done.exit_code == 2, done.output
        assert "cannot be written: File too large" in done.stderr.splitlines()[-1]
        assert [path.name for path in tmp_path.iterdir()] == [output.name]
        assert output.read_text() == OLD

    def test_of_standard_output_is_one_error(self, visits):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [*PROGRAM, "classify", visits, "--quiet"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )

        assert (done.returncode, done.stderr) == (
            2,
            "error: standard output: cannot be written: No space left on device.\n",
        )


class TestStreams:
    @pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
    def test_may_be_closed(self, visits, closed):
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {closed}', "sh", *PROGRAM, "classify", visits, "--output", "out.csv"],
            capture_output=True,
            text=True,
            check=False,
        )

        assert (done.returncode, Path("out.csv").exists()) == (0, True)
        assert "Traceback" not in done.stderr

    def test_a_closed_standard_input_cannot_be_read(self):
        done = subprocess.run(
            ["sh", "-c", 'exec "$@" <&-', "sh", *PROGRAM, "classify", "-"], capture_output=True, text=True, check=False
        )

        said = "error: '-' stands for standard input, which is closed; name a file.\n"
        assert (done.returncode, done.stderr) == (2, said)

    def test_where_nobody_reads_the_output_file_is_written_and_nothing_is_said(self, visits):
        with start(f"table {visits} --quiet --output out.txt") as running:
            running.stdout.close()
            said = running.stderr.read()

        assert (running.returncode, said) == (141, "")
        assert Path("out.txt").exists()


class TestSignals:
    def stopped(self, long_study, number, tmp_path):
        """Classify, and send the signal while the output is written; gives the status and what was said."""
        environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
        running = start(f"classify {long_study} --output {tmp_path / 'out.csv'}", env=environment, cwd=ROOT)
        until(lambda: running.poll() is not None or any(path.stat().st_size for path in tmp_path.glob(".out.csv.*")))
        running.send_signal(number)
        _, said = running.communicate(timeout=PATIENCE)
        return running.returncode, said

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
    def test_end_as_ctrl_c_does(self, long_study, number, tmp_path):
        (tmp_path / "tmp").mkdir()

        assert self.stopped(long_study, number, tmp_path) == (128 + number, "stopped; no output was written.\n")
        assert [path.name for path in tmp_path.rglob("*")] == ["tmp"]

    def test_what_a_killed_run_leaves_is_told_and_removed(self, long_study, tmp_path, monkeypatch):
        (tmp_path / "tmp").mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))

        assert self.stopped(long_study, signal.SIGKILL, tmp_path)[0] == -signal.SIGKILL
        left = ours(tmp_path, tmp_path / "tmp")
        assert len(left) == 2
        (tmp_path / "small.csv").write_text(VISITS)
        of_another_run = Aside(tmp_path, "other.csv")
        of_another_run.make_file()
        done = run(f"classify {tmp_path / 'small.csv'} --output {tmp_path / 'out.csv'}")
        assert ours(tmp_path) == [of_another_run.path.name]
        of_another_run.remove()
        assert done.exit_code == 0
        for name in left:
            assert f"temporary file ({name}).\n" in done.stderr
        assert ours(tmp_path, tmp_path / "tmp") == []
