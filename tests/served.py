"""The page, served for tests of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from patience import PATIENCE

from itp_response.teaching.teach import listening


@contextmanager
def served(app: Any, socket: Any = None) -> Iterator[str]:
    """The address at which an app answers, until the end of the block.

    The socket listens already, so that a request made before the server runs waits for it.
    """
    socket = socket or listening(None)
    server = uvicorn.Server(uvicorn.Config(app, http="h11", ws="none", lifespan="off", log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        socket.close()
        assert not thread.is_alive()
