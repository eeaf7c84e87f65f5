"""Starting: what libraries do when a command begins, and what of it no command needs."""

import atexit
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

UNNEEDED = {
    "OPENBLAS_NUM_THREADS": "1",  # numpy: threads for large matrices, which wait busily
    "PYDANTIC_DISABLE_PLUGINS": "__all__",  # pydantic: a search of all installed packages
}
"""The variables of the environment that keep libraries from what no command needs; one that the user has set stays."""
SELDOM = 100_000
"""The number of new objects after which Python looks for garbage; most of those that imports make stay."""


@contextmanager
def started_quickly() -> Iterator[None]:
    """Within, libraries are imported without what no command needs, and Python seldom looks for garbage."""
    for name, value in UNNEEDED.items():
        os.environ.setdefault(name, value)
    often, *others = gc.get_threshold()
    gc.set_threshold(SELDOM, *others)
    try:
        yield
    finally:
        gc.set_threshold(often, *others)


def _leave_garbage() -> None:
    """The end of the process gives back all memory, so that nothing needs to be looked for in it.

    Only duckdb reports what it finds unreleased then.
    """
    if "duckdb" not in sys.modules:
        gc.freeze()


atexit.register(_leave_garbage)
