"""The connections that one user keeps open between streams, at most one per origin and receive window."""

import _socket

from streamgauge.client.connect.transport import Transport
from streamgauge.client.http.request import Request
from streamgauge.wire.framing import Framing
from streamgauge.wire.http1_head import Head

#: What a connection is for: an origin, and the receive window if that is limited.
Key = tuple[str | int, ...]
#: Redirects may lead a user to more and more origins. Most browsers keep this many connections to one.
MOST_IDLE = 6


class Connections:
    """Idle connections by what they are for."""

    def __init__(self) -> None:
        self._idle: dict[Key, Transport] = {}

    def take_watched(self, key: Key) -> Transport | None:
        """Return an idle connection unless its watch has closed it, as it does when the peer closes it; or None.

        The peer may have closed it since the last pass of the event loop.
        """
        transport = self._idle.pop(key, None)
        return None if transport is None or transport.sock.fileno() < 0 else transport

    def take(self, key: Key) -> Transport | None:
        """Return an idle connection that the peer has neither closed nor written to meanwhile, or None."""
        transport = self._idle.pop(key, None)
        if transport is None or _is_open(transport):
            return transport
        transport.close()
        return None

    def keep(self, key: Key, transport: Transport) -> None:
        """Keep a connection for the next stream. Drop connections to other origins that are closed or too many."""
        if previous := self._idle.pop(key, None):
            previous.close()
        for other in [other for other, idle in self._idle.items() if not _is_open(idle)]:
            self._idle.pop(other).close()
        if len(self._idle) >= MOST_IDLE:
            self._idle.pop(next(iter(self._idle))).close()  # the least recently used
        self._idle[key] = transport

    def close(self) -> None:
        """Close all idle connections."""
        while self._idle:
            self._idle.popitem()[1].close()


def _is_open(transport: Transport) -> bool:
    """Return whether the peer of an idle connection has neither closed it nor written to it."""
    try:
        transport.sock.recv(1, _socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def allows_another(request: Request, head: Head, framing: Framing) -> bool:
    """Return whether another request may follow on the connection of these two (RFC 9112 section 9)."""
    faulty = head.minor_version == 0 and "transfer-encoding" in head.fields  # section 6.1
    return framing.self_delimited and head.keeps_alive and not request.asks_to_close and not faulty


def may_serve_another(request: Request, head: Head, framing: Framing, transport: Transport) -> bool:
    """Return whether a connection may be kept now: its response was read to its end, and nothing follows."""
    read = framing.finished and not framing.rest and transport.end is None
    return read and allows_another(request, head, framing)
