"""Output files: the one place that writes. All files of a command take their places together, whole, or none does.

A file is written aside, in the folder where it belongs, under a hidden name and readable by its owner alone. When all
files are whole they are renamed, the provenance of a file before the file itself. A file that is replaced keeps its
mode and its owner; of a symbolic link the file it leads to is replaced. A pipe or a device gets its content at the end.

Every file aside and every temporary folder is locked while it is used. The kernel takes the lock away when the program
is killed: so the next run knows what a killed one has left behind, removes it and says so. `system` says what is
without locks, as on Windows.
"""

import hashlib
import io
import logging
import os
import re
import secrets
import shutil
import signal
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Any, Literal, NamedTuple, TypeVar

from itp_response.classification.system import CAN_LOCK, ENDING, OPENED, is_own, lock, lock_if_free, open_folder
from itp_response.messages.codes import Code
from itp_response.messages.errors import Problem, UsageError

Result = TypeVar("Result")
Formulas = Literal["as-text", "as-is"]
OURS = re.compile(r"(\..+\.)?itp-response-[0-9a-f]{16}")
"""The names of files aside and of temporary folders."""
STANDARD = {"stdout": 1, "stderr": 2}
STREAMS = re.compile(r"/dev/(?P<name>stdout|stderr)|(?:/dev|/proc/self)/fd/(?P<number>\d+)")
"""What is open already: written to where it stands."""
MOST_LINKS = 40
"""Symbolic links that lead to each other, at most; as in Linux."""
WAIT, TRIES = 1.0, 100
"""Seconds for which a run waits until no other removes what was left behind, and how often it looks meanwhile."""
LONGEST = 100
"""The bytes of the name of an output that stand in that of its file aside: a name has at most 255."""
NO_ROOM = {28, 27, 122}
"""The numbers of the errors for a disk that is full, a file that may not grow, and a quota that is used up."""
OF_SYSTEM = re.compile(r"\(os error (\d+)\)")
"""How polars quotes an error of the operating system."""


class WriteSettings(NamedTuple):
    """How files are written."""

    tell: Callable[[str], None] = logging.getLogger("itp_response").warning
    """Called with what a user should know about the files."""
    formulas: Formulas = "as-text"
    """Whether a text that a spreadsheet would take for a formula is written so that it is shown as text."""
    replace: bool = True
    """Whether a file that is there already is replaced."""


_settings: ContextVar[WriteSettings] = ContextVar("settings", default=WriteSettings())  # noqa: B039 - it cannot be changed
_current: ContextVar["OutputFiles | None"] = ContextVar("current", default=None)


def settings() -> WriteSettings:
    """How files are written now."""
    return _settings.get()


@contextmanager
def written_with(chosen: WriteSettings) -> Iterator[None]:
    """Write files with these settings."""
    token = _settings.set(chosen)
    try:
        yield
    finally:
        _settings.reset(token)


class _WriteError(OSError):
    """A file aside cannot be written; no other error of the system is one, such as that of reading an input."""


class _Raw(io.FileIO):
    """A file whose errors in writing are told from those of other files."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise _WriteError(error.errno, error.strerror) from None


class Aside:
    """A file or a folder under a name of our own, which is locked as long as this program uses it."""

    def __init__(self, folder: Path, beside: str = "") -> None:
        """With `beside`, the name is hidden and says for which file it stands there."""
        # The name is chosen before there is such a file, so that it can be removed whatever happens meanwhile.
        hidden = f".{beside.encode()[:LONGEST].decode(errors='ignore')}." if beside else ""
        self.path = folder / f"{hidden}itp-response-{secrets.token_hex(8)}"
        self._lock: int | None = None

    def make_file(self) -> int:
        """Make the file, readable by its owner alone; gives the number under which it is open."""
        return self._made(lambda: os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | OPENED, 0o600))

    def make_folder(self) -> None:
        """Make the folder, open to its owner alone."""
        if not CAN_LOCK:
            self.path.mkdir(0o700)
            return

        def made() -> int:
            self.path.mkdir(0o700)
            return open_folder(self.path)

        self._made(made)

    def _made(self, make: Callable[[], int]) -> int:
        while True:
            with _locked_if_free(self.path.parent, shared=True):
                try:
                    self._lock = make()
                except FileNotFoundError:
                    if not self.path.parent.exists():
                        raise
                    continue  # another run took the folder for left behind before it was opened
                if not CAN_LOCK:
                    return self._lock
                with suppress(OSError):  # a file system without locks
                    lock(self._lock)
                if self.path.exists():
                    return self._lock
            # Another run took it for left behind before it was locked.
            self.release()

    def remove(self) -> None:
        """Remove it, if it is still there."""
        if not CAN_LOCK:
            self.release()  # what is open cannot be removed on Windows
        _removed(self.path)
        self.release()

    def release(self) -> None:
        """Close it, so that it is locked no longer."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _removed(path: Path) -> bool:
    try:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    except OSError:
        return False
    return True


def remove_left_behind(folder: Path) -> None:
    """Remove what killed runs have left in this folder, and say so."""
    try:
        ours = sorted(path for path in folder.iterdir() if OURS.fullmatch(path.name))
    except OSError:
        return
    gone = []
    with _locked_if_free(folder) as nothing_is_made:
        if ours and nothing_is_made:
            gone = [path.name for path in ours if _removed_if_left(path)]
    if gone:
        what = "what an earlier run, which was killed, left behind"
        settings().tell(f"note: Removed from {folder} {what}: {_temporary(gone)}.")
    if ours and not CAN_LOCK:
        cure = "remove them if no other run writes here"
        sentence = f"{_temporary([path.name for path in ours])} of a run that was killed or still goes on"
        settings().tell(f"note: In {folder} there are {sentence}; {cure}.")


def _temporary(names: Sequence[str]) -> str:
    """How many temporary files there are, with the names of some."""
    several = "s" if len(names) > 1 else ""
    return f"{len(names)} temporary file{several} ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})"


def _removed_if_left(path: Path) -> bool:
    """Remove it if it is ours and no program uses it; it stays locked until it is gone."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | OPENED)
    except OSError:
        return False
    try:
        return is_own(number) and lock_if_free(number) and _removed(path)
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(number)


@contextmanager
def _locked_if_free(folder: Path, *, shared: bool = False) -> Iterator[bool]:
    """Lock a folder: shared by those who make files in it, who wait a little, and alone by one who removes them.

    So that what is made and not locked yet is not taken for left behind. Without the lock the work goes on, too:
    anybody may lock a folder for temporary files, and for ever.
    """
    is_locked = False
    with ExitStack() as stack:
        with suppress(OSError):  # no such folder, or a file system without locks: there is nothing to wait for
            if CAN_LOCK:
                number = open_folder(folder)
                stack.callback(os.close, number)
                is_locked = _locked_soon(number) if shared else lock_if_free(number)
        yield is_locked


def _locked_soon(number: int) -> bool:
    """Lock what is open under this number beside others, once no other has it alone; gives whether it was done."""
    for _ in range(TRIES):
        if lock_if_free(number, shared=True):
            return True
        time.sleep(WAIT / TRIES)
    return False


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder for temporary files, open to its owner alone; it is removed at the end.

    Raises `UsageError` where there is no room for it or for the files in it.
    """
    with temporary_errors():
        parent = Path(tempfile.gettempdir())
        remove_left_behind(parent)
        folder = Aside(parent)
    try:
        with temporary_errors(folder.path):
            folder.make_folder()
            yield folder.path
    finally:
        _surely(folder.remove)


@contextmanager
def temporary_errors(folder: Path | None = None) -> Iterator[None]:
    """Raises `UsageError` for an error of the system in writing temporary files; others pass."""
    try:
        yield
    except _WriteError:
        raise
    except Exception as error:
        found = _of_system(error)
        if found is None or not _is_temporary(found, folder, quoted=found is not error):
            raise
        where = folder.parent if folder else tempfile.tempdir or "the folder for temporary files"
        cure = "set TMPDIR to a folder with more room"
        sentence = f"{where}: temporary files cannot be written: {found.strerror or found}; {cure}."
        raise UsageError(Problem(sentence, code=Code.OUTPUT_UNWRITABLE, file=str(where))) from None


def _is_temporary(error: OSError, folder: Path | None, *, quoted: bool) -> bool:
    """Whether an error is that of a temporary file: one without a name is that of an output, if that is written now."""
    if error.filename is not None:
        return folder is None or Path(os.fsdecode(error.filename)).is_relative_to(folder)
    files = _current.get()
    return error.errno in NO_ROOM and (quoted or files is None or not files.is_open)


def write_temporary(path: Path, content: bytes) -> None:
    """Write a file in a temporary folder; an error has its name."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def _of_system(error: Exception) -> OSError | None:
    """An error of the operating system, also one that a library quotes."""
    if isinstance(error, OSError):
        return error
    quoted = OF_SYSTEM.search(str(error))
    return OSError(int(quoted[1]), os.strerror(int(quoted[1]))) if quoted else None


@contextmanager
def native() -> Iterator[None]:
    """Around a library that writes to a file aside by itself, past Python: its error is that of the file."""
    try:
        yield
    except Exception as error:
        found = _of_system(error)
        if found is None or isinstance(error, _WriteError):
            raise
        raise _WriteError(found.errno, found.strerror) from None


def unwritable(path: Path, error: OSError) -> UsageError:
    """The error for a file that cannot be written."""
    sentence = f"{path}: cannot be written: {error.strerror or error}."
    return UsageError(Problem(sentence, code=Code.OUTPUT_UNWRITABLE, file=str(path)))


# PLACES


def is_stream(path: Path) -> bool:
    """Whether the path leads to a pipe, a device, or what is open already: it cannot be replaced, only written to."""
    if _open_number(path) is not None:
        return True
    mode = _mode(path)
    return mode is not None and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _mode(path: Path) -> int | None:
    """The kind and the mode of what a path leads to; None: nothing, or the path is none, as a typed timeline."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return None


def _is_folder(path: Path) -> bool:
    return stat.S_ISDIR(_mode(path) or 0)


def _open_number(path: Path) -> int | None:
    """The number of what is open already, if the path leads to it, such as 1 for `/dev/stdout`."""
    seen = path
    for _ in range(MOST_LINKS):
        # Not `resolve`, which would follow /dev/stdout to what it leads to.
        seen = Path(os.path.abspath(seen))  # noqa: PTH100
        if found := STREAMS.fullmatch(str(seen)):
            return int(found["number"]) if found["number"] else STANDARD[found["name"]]
        try:
            seen = seen.parent / seen.readlink()
        except (OSError, ValueError):  # no link
            break
    return None


def suffix_of(path: str | Path, known: Iterable[str]) -> str:
    """The suffix of an output, which says its format; a pipe or a device without a suffix has the first format."""
    path, formats = Path(path), list(known)
    return formats[0] if path.suffix not in formats and is_stream(path) else path.suffix


def is_same(first: Path, second: Path) -> bool:
    """Whether two paths lead to one file, in whatever spelling, by a link or under another name of it."""
    try:
        return first.samefile(second)
    except (OSError, ValueError):
        return _place(first) == _place(second)


def _place(path: Path) -> Path:
    """Where a path leads to, its links followed."""
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):  # a path that is none, or links in a circle
        return path


def read_by(path: Path, inputs: Iterable[Path]) -> Path | None:
    """The input that writing to `path` would change: the file or folder itself, or a file in this folder."""
    if is_stream(path):
        return None
    for one in inputs:
        if is_same(path, one):
            return one
        if _is_folder(path) and _mode(one) is not None and is_same(path, _place(one).parent):
            return one
    return None


def refuse_inputs(path: Path, inputs: Iterable[Path]) -> None:
    """Raises `UsageError` where writing to `path` would change what is read."""
    read = read_by(path, inputs)
    if read is None:
        return
    if is_same(path, read):
        kind = "folder" if _is_folder(path) else "file"
        raise UsageError(f"{path}: this {kind} is read and cannot be the output as well; name another {kind}.")
    raise UsageError(f"{path}: {read} in this folder is read; name another folder.")


# TOGETHER


@dataclass
class _Staged:
    """A file that is written aside."""

    path: Path
    """As it was named."""
    target: Path
    """Where it is to stand: links are followed."""
    aside: Aside
    replaced: Aside | None = None
    """What stood there, until all files have their places."""
    is_placed: bool = False

    def write(self, content: Callable[[Any], Result]) -> Result:
        """Write the file, and see that the disk has it."""
        number = self.aside.make_file()
        with io.BufferedWriter(_Raw(number, "wb", closefd=False)) as file:
            result = content(file)
            file.flush()
            try:
                os.fsync(number)
            except OSError as error:
                raise _WriteError(error.errno, error.strerror) from None
        if not CAN_LOCK:
            self.aside.release()  # what is open cannot be renamed on Windows
        return result

    def sha256(self) -> str:
        with self.aside.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def place(self) -> None:
        """Give the file its place; what stood there is kept until `settle`."""
        old = self.target.stat() if os.path.lexists(self.target) else None
        if old is not None and stat.S_ISDIR(old.st_mode):
            raise IsADirectoryError(21, os.strerror(21))
        _as_before(self.aside.path, old)
        if old is not None and not settings().replace:
            raise FileExistsError(17, "another run has written this file meanwhile; --force replaces it")
        if old is not None:
            self.replaced = Aside(self.target.parent, self.target.name)
            _copied(self.target, self.replaced.path)
        if settings().replace:
            self.aside.path.replace(self.target)
        else:
            _renamed_if_new(self.aside.path, self.target)
        self.is_placed = True

    def undo(self) -> None:
        """Bring back what stood there."""
        if self.replaced is not None and self.is_placed:
            self.replaced.path.replace(self.target)
        elif self.is_placed:
            self.target.unlink(missing_ok=True)

    def settle(self) -> None:
        """Remove what is no longer needed."""
        self.aside.remove()
        if self.replaced is not None:
            self.replaced.remove()


def _as_before(path: Path, old: os.stat_result | None) -> None:
    """Give a new file the mode and the owner of the one that it replaces, else the mode that is usual for new files."""
    if old is None:
        path.chmod(0o666 & ~_umask())
        return
    new = path.stat()
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        with suppress(OSError):  # only root gives files away
            os.chown(path, old.st_uid, old.st_gid)
    path.chmod(stat.S_IMODE(old.st_mode))


def _umask() -> int:
    # What another thread makes in this moment is open to its owner alone.
    current = os.umask(0o077)
    os.umask(current)
    return current


def _copied(path: Path, beside: Path) -> None:
    """Keep a file under a second name."""
    try:
        os.link(path, beside)
    except OSError:  # a file system without hard links
        shutil.copy2(path, beside)


def _renamed_if_new(path: Path, target: Path) -> None:
    """Rename a file to a name that no file has, and that none gets meanwhile.

    Raises `FileExistsError` if one has.
    """
    try:
        os.link(path, target)
    except FileExistsError:
        raise FileExistsError(17, "another run has written this file meanwhile; --force replaces it") from None
    except OSError:  # a file system without hard links
        path.replace(target)


class OutputFiles:
    """Files that take their places together, or none of them."""

    def __init__(self) -> None:
        self._staged: list[_Staged] = []
        self._removed: list[Path] = []
        self._made: list[Path] = []
        """Folders, the outer ones first."""
        self.is_open = False
        """Whether a file is being written aside."""
        self.is_written = False
        """Whether all have their places."""

    def add(self, path: Path, content: Callable[[Any], Result], *, before: Path | None = None) -> Result:
        """Write a file aside: `content` writes into an open file; its result is given back.

        With `before`, the file takes its place before that file. Raises `UsageError` where it cannot be written, and
        where another file of the same name is.
        """
        target = _place(path)
        streaming = is_stream(path)
        if not streaming and any(is_same(one.target, target) for one in self._staged):
            raise UsageError(f"{path}: two outputs have this name; name two files.")
        folder = Path(tempfile.gettempdir()) if streaming else target.parent
        remove_left_behind(folder)
        staged = _Staged(path, path if streaming else target, Aside(folder, "" if streaming else target.name))
        self._staged.insert(self._position(before), staged)
        self.is_open = True
        try:
            return staged.write(content)
        except OSError as error:
            if error.filename not in (None, str(staged.aside.path)):
                raise
            raise unwritable(path, error) from None
        finally:
            self.is_open = False

    def _position(self, before: Path | None) -> int:
        return next((number for number, one in enumerate(self._staged) if one.path == before), len(self._staged))

    def sha256(self, path: Path) -> str:
        """The SHA-256 of a file that was added."""
        return self._staged[self._position(path)].sha256()

    def remove(self, path: Path) -> None:
        """Remove a file of an earlier run when the others take their places."""
        if os.path.lexists(path):
            self._removed.append(path)

    def make_folder(self, folder: Path) -> None:
        """Make a folder and those around it; they are removed again if the files are not written.

        Raises `UsageError` where it cannot be made.
        """
        missing = [one for one in (*reversed(folder.parents), folder) if not one.exists()]
        try:
            for one in missing:
                self._made.append(one)
                one.mkdir(exist_ok=True)
        except OSError as error:
            raise unwritable(folder, error) from None

    def place(self) -> None:
        """Give all files their places; raises `UsageError`, and leaves all as it was, where one cannot have its own."""
        streams = [one for one in self._staged if is_stream(one.path)]
        for stream in streams:
            _poured(stream)
        files = [one for one in self._staged if one not in streams]
        with uninterrupted(), _in_turn({one.target.parent for one in files}):
            gone = [
                _Staged(path, path, Aside(path.parent), replaced=Aside(path.parent, path.name))
                for path in self._removed
            ]
            self._staged += gone
            try:
                for one in gone:
                    _taken_away(one)
                for one in files:
                    _placed(one)
            except BaseException:
                for one in reversed(self._staged):
                    one.undo()
                raise
            self._made.clear()
            self.is_written = bool(self._staged)
            for one in self._staged:
                one.settle()  # while no other run looks here for what was left behind

    def close(self) -> None:
        """Remove all that is aside."""
        for one in self._staged:
            one.settle()
        for folder in reversed(self._made):
            with suppress(OSError):
                folder.rmdir()


def _placed(one: _Staged) -> None:
    try:
        one.place()
    except OSError as error:
        raise unwritable(one.path, error) from None


def _taken_away(one: _Staged) -> None:
    """Put a file aside."""
    assert one.replaced is not None
    try:
        one.target.replace(one.replaced.path)
    except OSError as error:
        raise unwritable(one.path, error) from None
    one.is_placed = True


def _poured(stream: _Staged) -> None:
    """Write the content into a pipe or a device."""
    try:
        number = _open_number(stream.path)
        to = stream.path if number is None else os.dup(number)
        with stream.aside.path.open("rb") as content, open(to, "wb") as file:  # noqa: PTH123 - it may be a number
            shutil.copyfileobj(content, file)
    except OSError as error:
        raise unwritable(stream.path, error) from None


@contextmanager
def together() -> Iterator[OutputFiles]:
    """All files that are written within take their places at its end, together; those of a call within join them."""
    outer = _current.get()
    if outer is not None:
        yield outer
        return
    files = OutputFiles()
    token = _current.set(files)
    try:
        yield files
        files.place()
    finally:
        _current.reset(token)
        _surely(files.close)


@contextmanager
def _in_turn(folders: Iterable[Path]) -> Iterator[None]:
    """Keep other runs from placing files in these folders meanwhile, so that the files of two runs are not mixed."""
    with ExitStack() as stack:
        for folder in sorted(folders) if CAN_LOCK else ():
            with suppress(OSError):  # a file system without locks
                number = open_folder(folder)
                stack.callback(os.close, number)
                lock(number)
        yield


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put off what a signal does that ends the program; it is done at the end."""
    pending: list[int] = []
    kept: Sequence[tuple[signal.Signals, Any]] = ()
    if threading.current_thread() is threading.main_thread():
        kept = [(one, signal.getsignal(one)) for one in ENDING if callable(signal.getsignal(one))]

    def put_off(number: int, _: FrameType | None) -> None:
        pending.append(number)

    for one, _ in kept:
        signal.signal(one, put_off)
    try:
        yield
    finally:
        for one, handler in kept:
            signal.signal(one, handler)
        for number in pending[:1]:
            signal.raise_signal(number)


def _surely(work: Callable[[], None]) -> None:
    """Do the work, which may be done twice, even if a signal comes in this very moment."""
    try:
        with uninterrupted():
            work()
    except KeyboardInterrupt:
        with uninterrupted():
            work()
        raise


def put(path: str | Path, content: Callable[[IO[bytes]], Result]) -> Result:
    """Write a file, whole or not at all: `content` writes into an open file, which then takes the place of `path`.

    The result is that of `content`. Raises `UsageError` where the file cannot be written.
    """
    with together() as files:
        return files.add(Path(path), content)


def holding(content: bytes) -> Callable[[IO[bytes]], int]:
    """Writes these bytes into an open file."""
    return lambda file: file.write(content)


def visible_files(folder: Path) -> list[Path]:
    """What stands in a folder, without hidden files: those that a system or an editor puts there."""
    return [path for path in folder.iterdir() if not path.name.startswith(".")]
