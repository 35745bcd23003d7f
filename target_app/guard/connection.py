"""A client's connection, as the guards need it: cut at will, and cut by itself when the client does not read.

uvicorn makes a ``send`` wait exactly from ``pause_writing`` to ``resume_writing``, so the send timeout is one timer
between these two calls, and a chunk that does not wait costs nothing. Where the time is over the connection is aborted
and reset, not closed: closing would wait for the client to read, and its buffers with it.
"""

import asyncio
import errno
import socket
import struct
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from streamgauge.asgi import mark_outcome
from target_app.settings import Settings

_KEY = "target_app.connection"
#: SO_LINGER on, for 0 s: the kernel throws unread bytes away and sends a reset.
_RESET = struct.pack("ii", 1, 0)


class Connection:
    """One connection, which serves ``app``."""

    __slots__ = ("_app", "_scope", "_send_timeout_s", "_timer", "_transport")

    def __init__(self, transport: asyncio.Transport, app: ASGIApp, send_timeout_s: float) -> None:
        self._transport = transport
        self._app = app
        self._send_timeout_s = send_timeout_s
        self._timer: asyncio.TimerHandle | None = None
        self._scope: Scope | None = None

    @staticmethod
    def of(scope: Scope) -> "Connection | None":
        """The connection that ``scope`` came on; None where another server serves."""
        return scope.get(_KEY)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The app, which finds the connection in its scope."""
        scope[_KEY] = self
        self._scope = scope
        await self._app(scope, receive, send)

    def stalled(self) -> None:
        """Sends wait from now on."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._send_timeout_s, self._give_up)

    def flows(self) -> None:
        """Sends wait no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def lost(self, error: Exception | None) -> None:
        """The connection is gone. Where the kernel gave up on a client that acknowledged nothing more, so it counts."""
        self.flows()
        if self._scope is not None and isinstance(error, OSError) and error.errno == errno.ETIMEDOUT:
            mark_outcome(self._scope, "send_timeout")

    def cut(self) -> None:
        """End the connection now; what the client has not read is lost, and the kernel keeps none of it."""
        self.flows()
        peer = self._transport.get_extra_info("socket")
        if peer is not None and not self._transport.is_closing():
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    def _give_up(self) -> None:
        if self._scope is not None:
            mark_outcome(self._scope, "send_timeout")
        self.cut()


def watched(protocol: type[Any], settings: Settings) -> type[asyncio.Protocol]:
    """Uvicorn's ``protocol``, whose connections are as ``settings`` say and known to the app."""

    class Watched(protocol):  # type: ignore[misc]
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            transport.set_write_buffer_limits(high=settings.write_buffer_bytes)
            app: ASGIApp = self.app
            self._connection = Connection(transport, app, settings.send_timeout_s)
            self.app: ASGIApp = self._connection.serve

        def connection_lost(self, exc: Exception | None) -> None:
            self._connection.lost(exc)
            super().connection_lost(exc)

        def pause_writing(self) -> None:
            self._connection.stalled()
            super().pause_writing()

        def resume_writing(self) -> None:
            self._connection.flows()
            super().resume_writing()

    return Watched
