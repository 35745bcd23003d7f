"""A client's connection, which the guards can abort, and which aborts itself when the client does not read.

uvicorn makes a ``send`` wait exactly from ``pause_writing`` to ``resume_writing``, so the send timeout is one timer
between these two calls, and a chunk that does not wait costs nothing. After the timeout the connection is reset, not
closed: a close would keep the buffers until the client reads.
"""

import asyncio
import errno
import fcntl
import socket
import struct
import termios
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from streamgauge.asgi import mark_outcome
from target_app.settings import Settings

_KEY = "target_app.connection"
#: SO_LINGER on, for 0 s: the kernel drops unsent bytes and sends a reset.
_RESET = struct.pack("ii", 1, 0)
#: How long a reset waits for the client to acknowledge what was sent before.
_DELIVERY_S, _DELIVERY_CHECK_S = 1.0, 0.01


class Connection:
    """One connection to ``app``."""

    __slots__ = ("_app", "_is_complete", "_scope", "_send_timeout_s", "_timer", "_transport")

    def __init__(
        self, transport: asyncio.Transport, app: ASGIApp, send_timeout_s: float, is_complete: Callable[[], bool]
    ) -> None:
        self._transport = transport
        self._app = app
        self._is_complete = is_complete
        self._send_timeout_s = send_timeout_s
        self._timer: asyncio.TimerHandle | None = None
        self._scope: Scope | None = None

    @staticmethod
    def of(scope: Scope) -> "Connection | None":
        """Find the connection of a ``scope``; None under another server."""
        return scope.get(_KEY)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app, with the connection in its scope.

        In HTTP/1.0 nothing but the end of the connection ends a body, so the client would take one that was cut for
        whole: the connection is reset instead.
        """
        scope[_KEY] = self
        self._scope = scope
        if scope["type"] != "http" or scope["http_version"] != "1.0":
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            self.abort()
            raise
        finally:
            if not self._is_complete():
                await self._abort_after_delivery()

    def pause_sends(self) -> None:
        """Start the send timeout: sends wait from now on."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._send_timeout_s, self._time_out)

    def resume_sends(self) -> None:
        """Stop the send timeout: sends no longer wait."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def lost(self, error: Exception | None) -> None:
        """Clean up. If the kernel timed out on unacknowledged bytes, that counts as a send timeout."""
        self.resume_sends()
        if self._scope is not None and isinstance(error, OSError) and error.errno == errno.ETIMEDOUT:
            mark_outcome(self._scope, "send_timeout")

    def abort(self) -> None:
        """Reset the connection now; the kernel drops what the client has not read."""
        self.resume_sends()
        peer = self._transport.get_extra_info("socket")
        if peer is not None and not self._transport.is_closing():
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    async def _abort_after_delivery(self) -> None:
        """Reset the connection once the client has what was sent: a reset drops what is still on its way."""
        for _ in range(round(_DELIVERY_S / _DELIVERY_CHECK_S)):
            if self._transport.is_closing() or not self._undelivered_bytes():
                break
            await asyncio.sleep(_DELIVERY_CHECK_S)
        self.abort()

    def _undelivered_bytes(self) -> int:
        """Count the bytes that are in the transport's buffer, or that the client has not acknowledged."""
        peer = self._transport.get_extra_info("socket")
        unsent: int = self._transport.get_write_buffer_size()
        if unsent or peer is None:
            return unsent
        return int.from_bytes(fcntl.ioctl(peer.fileno(), termios.TIOCOUTQ, bytes(4)), "little")

    def _time_out(self) -> None:
        if self._scope is not None:
            mark_outcome(self._scope, "send_timeout")
        self.abort()


def guarded_protocol(protocol: type[Any], settings: Settings) -> type[asyncio.Protocol]:
    """Extend uvicorn's ``protocol``: its connections have the limits of ``settings``, and the app knows them."""

    class Guarded(protocol):  # type: ignore[misc]
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            transport.set_write_buffer_limits(high=settings.write_buffer_bytes)
            app: ASGIApp = self.app
            self._connection = Connection(transport, app, settings.send_timeout_s, self._is_complete)
            self.app: ASGIApp = self._connection.serve

        def _is_complete(self) -> bool:
            """Tell whether the response has ended: the request's cycle, of both of uvicorn's parsers, knows."""
            complete: bool = self.cycle.response_complete
            return complete

        def connection_lost(self, exc: Exception | None) -> None:
            self._connection.lost(exc)
            super().connection_lost(exc)

        def pause_writing(self) -> None:
            self._connection.pause_sends()
            super().pause_writing()

        def resume_writing(self) -> None:
            self._connection.resume_sends()
            super().resume_writing()

    return Guarded
