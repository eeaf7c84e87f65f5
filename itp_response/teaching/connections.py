"""Connections: how long a client of the page's server may take, and how many there may be at once.

A browser opens some six connections and sends a request as a whole. A connection on which nothing arrives, or which
does not take its answer, is closed, so that no number of them can keep the page from its own browser.
"""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 64
"""The most connections at once; a further one is closed."""
PATIENCE = 15.0
"""Seconds after which it is looked whether a client is still where it was; it is closed after twice as long at most."""


class PunctualProtocol(H11Protocol):
    """HTTP for clients that send a request, and take its answer, within some seconds."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        self._waited_for: tuple[object, str] = (None, "request")
        self._look_again = self.loop.call_later(PATIENCE, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if hasattr(self, "_look_again"):
            self._look_again.cancel()

    def _look(self) -> None:
        """Close the connection if it waits for the same as when it was looked at before."""
        waits_for = self._waits_for()
        if waits_for[1] and waits_for == self._waited_for:
            self.transport.abort()
            return
        self._waited_for = waits_for
        self._look_again = self.loop.call_later(PATIENCE, self._look)

    def _waits_for(self) -> tuple[object, str]:
        """The request that was last begun, and what the client has to do; empty: it is the server's turn."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return cycle, "request"
        return cycle, "answer" if cycle.response_started else ""
