"""The page, served for tests of it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from itp_response.teaching.teach import listening


@contextmanager
def served(app: Any, ours: Any = None) -> Iterator[str]:
    """The address at which an app answers, until the end of the block."""
    ours = ours or listening(None)
    server = uvicorn.Server(uvicorn.Config(app, http="h11", ws="none", lifespan="off", log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [ours]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{ours.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        ours.close()
