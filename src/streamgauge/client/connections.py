"""Connections that one user keeps open between streams, at most one to an origin."""

import _socket

from streamgauge.client.socket import Socket

Origin = tuple[str, str, int]


class Connections:
    """Idle connections by origin."""

    def __init__(self) -> None:
        self._idle: dict[Origin, Socket] = {}

    def take(self, origin: Origin) -> Socket | None:
        """An idle connection that the peer has not closed or written to meanwhile, or None."""
        sock = self._idle.pop(origin, None)
        if sock is None:
            return None
        try:
            sock.recv(1, _socket.MSG_PEEK)
        except BlockingIOError:
            return sock
        except OSError:
            pass
        sock.close()
        return None

    def keep(self, origin: Origin, sock: Socket) -> None:
        """Keep a connection for the next stream."""
        if previous := self._idle.pop(origin, None):
            previous.close()
        self._idle[origin] = sock

    def close(self) -> None:
        """Close all that are idle."""
        while self._idle:
            self._idle.popitem()[1].close()
