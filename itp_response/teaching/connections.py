"""Connections: how long a client of the page's server may take, and how many there may be at once.

A browser opens some six connections and sends a request as a whole. A connection on which nothing arrives, or which
does not take its answer, is closed, the oldest at once where there are too many, so that no number of them can keep the
page from its own browser.
"""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 64
"""The most connections at once; for a further one, the oldest is closed whose request has not arrived."""
PATIENCE = 15.0
"""Seconds after which it is looked whether a client is still where it was; it is closed after twice as long at most."""


class PunctualProtocol(H11Protocol):
    """HTTP for clients that send a request, and take its answer, within some seconds."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._since = self.loop.time()
        if len(self.connections) > MOST_CONNECTIONS:
            self._close_the_oldest()
        self._waited_for: tuple[object, str] = (None, "request")
        self._look_again = self.loop.call_later(PATIENCE, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._look_again.cancel()

    def _close_the_oldest(self) -> None:
        """Close the oldest connection on which the client has to send something; that may be this one."""
        idle = [one for one in self.connections if isinstance(one, PunctualProtocol) and one._is_idle()]
        oldest = min(idle, key=lambda one: one._since)
        # It is lost a moment later, but counts no more.
        self.connections.discard(oldest)
        oldest.transport.abort()

    def _is_idle(self) -> bool:
        """Whether it is for the client to send a request, or the rest of one."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

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
