"""Settings for all tests: how long Hypothesis searches; the browser."""

import os

from hypothesis import settings

# A first run imports and builds much; a deadline would measure that.
settings.register_profile("short", max_examples=40, deadline=None)
settings.register_profile("long", max_examples=5_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))

# It would make texts as wide as the terminal in which the tests run.
os.environ.pop("COLUMNS", None)

pytest_plugins = ["browser"]
