"""Compression: whatever can be made smaller is, for clients that accept it; streams chunk by chunk.

It goes around the instruments, not inside them: what they count and time are the app's chunks as the app sent them,
whatever becomes of their bytes after that. The time that the coding takes is part of the send.
"""

import re
from collections.abc import Awaitable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from target_app.codings import CODINGS, Encoder, accepted

_COMPRESSIBLE = re.compile(
    r"text/|multipart/|(application/(json|jsonl|x-ndjson|ndjson|xml|javascript|wasm|octet-stream)|image/svg\+xml|"
    r"[^;]+\+(json|xml))\s*(;|$)"
)
_NO_BODY = frozenset({204, 205, 304})
_PARTIAL = 206


class Compression:
    """Compresses what ``app`` answers. A whole body that is shorter than ``from_bytes`` stays as it is."""

    def __init__(self, app: ASGIApp, from_bytes: int) -> None:
        self.app = app
        self._from_bytes = from_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app; its answer to a GET or POST may be compressed, a WebSocket's messages are not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        coding = accepted(",".join(Headers(scope=scope).getlist("accept-encoding")))
        if coding is None or scope["method"] == "HEAD":
            await self.app(scope, receive, _Plain(send, self._from_bytes).send)
        else:
            await self.app(scope, receive, _Coded(send, self._from_bytes, coding).send)


class _Plain:
    """A response that is not compressed: it says only where another request would get it compressed."""

    def __init__(self, send: Send, from_bytes: int) -> None:
        self._send = send
        self._from_bytes = from_bytes

    def send(self, message: Message) -> Awaitable[None]:
        """No coroutine of its own: a chunk pays for a comparison alone."""
        if message["type"] == "http.response.start" and _suits(message, self._from_bytes):
            MutableHeaders(scope=message).add_vary_header("Accept-Encoding")
        return self._send(message)


class _Coded:
    """A response that is compressed, if it suits."""

    def __init__(self, send: Send, from_bytes: int, coding: str) -> None:
        self._send = send
        self._from_bytes = from_bytes
        self._coding = coding
        self._encoder: Encoder | None = None
        #: The start of a response of known length, until it is known whether its body comes whole.
        self._held: Message | None = None

    async def send(self, message: Message) -> None:
        """The app's ``send``."""
        kind = message["type"]
        if kind == "http.response.body" and self._encoder is not None:
            await self._send_coded(self._encoder, message)
        elif kind == "http.response.start" and _suits(message, self._from_bytes):
            self._encoder = CODINGS[self._coding]()
            if "content-length" in MutableHeaders(scope=message):
                self._held = message
            else:
                await self._send(self._announced(message))
        else:
            await self._send(message)

    async def _send_coded(self, encoder: Encoder, message: Message) -> None:
        body, more = bytes(message.get("body", b"")), message.get("more_body", False)
        if more:
            coded = encoder.feed(body) if body else b""
        else:
            coded, self._encoder = encoder.end(body), None
        if self._held is not None:
            start, self._held = self._announced(self._held), None
            if not more:
                MutableHeaders(scope=start)["content-length"] = str(len(coded))
            await self._send(start)
        await self._send({**message, "body": coded})

    def _announced(self, start: Message) -> Message:
        """The start that names the coding. The bytes are others now, so what named the old ones goes."""
        fields = MutableHeaders(scope=start)
        fields["content-encoding"] = self._coding
        fields.add_vary_header("Accept-Encoding")
        del fields["content-length"]
        tag = fields.get("etag", "")
        if tag.startswith('"'):
            fields["etag"] = f"W/{tag}"
        return start


def _suits(start: Message, from_bytes: int) -> bool:
    """Whether a response may be compressed: it has a body, nobody forbids it, and no range of it can be asked for."""
    start["headers"] = list(start.get("headers", ()))
    fields = MutableHeaders(scope=start)
    status, length = start["status"], fields.get("content-length", "")
    if (
        status in _NO_BODY
        or status == _PARTIAL
        or "content-range" in fields
        or "bytes" in fields.get("accept-ranges", "")
    ):
        return False
    if fields.get("content-encoding", "identity") != "identity" or "no-transform" in fields.get("cache-control", ""):
        return False
    if length.isdecimal() and int(length) < from_bytes:
        return False
    return _COMPRESSIBLE.match(fields.get("content-type", "").lower()) is not None
