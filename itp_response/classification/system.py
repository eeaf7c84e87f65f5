"""System: what Windows lacks of Unix, in one place. Without locks less is promised: the docstrings say what."""

import os
import signal

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

CAN_LOCK = fcntl is not None
"""Whether files can be locked. Else what a killed run left behind cannot be told from what a run uses, so that it is
named and not removed; and two runs that write the same files at once may each place some of them."""
ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""The signals that end the program, and on which temporary files are removed."""
OPENED = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""How files are opened: no other program has them as well, and bytes are written as they are."""
ASSUMED_MEMORY = 4 << 30
"""The bytes of memory where the system does not say how many there are."""


def open_folder(folder: os.PathLike[str]) -> int:
    """Open a folder, so that it can be locked; only where files can be locked."""
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | OPENED)


def lock(number: int) -> None:
    """Lock what is open under this number; waits for the program that holds the lock.

    Raises `OSError` on a file system without locks.
    """
    fcntl.flock(number, fcntl.LOCK_EX)


def lock_if_free(number: int, *, shared: bool = False) -> bool:
    """Lock what is open under this number unless another program has locked it; gives whether it was done.

    Several programs may have a `shared` lock at once. Raises `OSError` on a file system without locks.
    """
    try:
        fcntl.flock(number, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_own(number: int) -> bool:
    """Whether what is open under this number is of this user."""
    return os.fstat(number).st_uid == os.geteuid()


def memory() -> int:
    """The bytes of memory of this machine."""
    if not hasattr(os, "sysconf"):
        return ASSUMED_MEMORY
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
