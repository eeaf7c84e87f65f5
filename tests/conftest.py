"""Settings for all tests: how long Hypothesis searches; the browser; which tests go to a worker together."""

import os
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadGroupScheduling

# A first run imports and builds much; a deadline would measure that.
settings.register_profile("short", max_examples=30, deadline=None)
settings.register_profile("longer", max_examples=300, deadline=None)
settings.register_profile("long", max_examples=5_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))

# It would make texts as wide as the terminal in which the tests run.
os.environ.pop("COLUMNS", None)

pytest_plugins = ["browser"]


class ByModule(LoadGroupScheduling):
    """The tests of a group go to one worker, and so do those of a module: its studies and figures are made once.

    Handed out one by one, ten thousand tests would also keep the process that does so busier than many of them take.
    """

    def _split_scope(self, nodeid: str) -> str:
        group: str = super()._split_scope(nodeid)
        return nodeid.partition("::")[0] if group == nodeid else group


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByModule | None:
    return ByModule(config, log) if config.getvalue("dist") == "loadgroup" else None
