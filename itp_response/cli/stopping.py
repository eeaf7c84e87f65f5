"""Stopping: SIGTERM and SIGHUP end the program as Ctrl-C does, so that no temporary file stays behind."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from itp_response.classification.system import ENDING

WRITTEN = "itp_response.written"
"""The key in a context of click under which the files of the command stand."""


class Stopped(KeyboardInterrupt):
    """A signal ends the program."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.status = 128 + number
        """The exit status, as a shell gives it."""


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Within, a signal that would end the program at once raises `Stopped`. One that is ignored, as by nohup, stays."""
    kept = []
    if threading.current_thread() is threading.main_thread():
        kept = [one for one in ENDING if one is not signal.SIGINT and signal.getsignal(one) is signal.SIG_DFL]
    for one in kept:
        signal.signal(one, _stop)
    try:
        yield
    finally:
        for one in kept:
            signal.signal(one, signal.SIG_DFL)


def _stop(number: int, _: FrameType | None) -> None:
    raise Stopped(number)
