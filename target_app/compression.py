"""Compresses responses for clients that accept it; streams chunk by chunk.

It wraps the instruments, which therefore count the app's own chunks and bytes. Compression is part of the send time.
"""

import re
from collections.abc import Awaitable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from target_app.codings import CODINGS, Encoder, choose_coding

_COMPRESSIBLE = re.compile(
    r"text/|multipart/|(application/(json|jsonl|x-ndjson|ndjson|xml|javascript|wasm|octet-stream)|image/svg\+xml|"
    r"[^;]+\+(json|xml))\s*(;|$)"
)
_NO_BODY = frozenset({204, 205, 304})
_PARTIAL, _NOT_MODIFIED = 206, 304


class Compression:
    """Compresses the responses of ``app``, but no whole body shorter than ``from_bytes``."""

    def __init__(self, app: ASGIApp, from_bytes: int) -> None:
        self.app = app
        self._from_bytes = from_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app and compress its response; WebSocket messages are not compressed."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        coding = choose_coding(",".join(Headers(scope=scope).getlist("accept-encoding")))
        if coding is None:
            await self.app(scope, receive, _Plain(send, self._from_bytes).send)
        elif scope["method"] == "HEAD":
            await self.app(scope, receive, _HeadOfCoded(send, self._from_bytes, coding).send)
        else:
            await self.app(scope, receive, _Coded(send, self._from_bytes, coding).send)


class _Plain:
    """A response that is not compressed. It gets ``Vary`` if another request would get it compressed."""

    def __init__(self, send: Send, from_bytes: int) -> None:
        self._send = send
        self._from_bytes = from_bytes

    def send(self, message: Message) -> Awaitable[None]:
        """Send a message. This is no coroutine, so that a chunk costs one comparison."""
        if message["type"] == "http.response.start" and (
            _is_compressible(message, self._from_bytes) or message["status"] == _NOT_MODIFIED
        ):
            _vary(message)
        return self._send(message)


class _HeadOfCoded:
    """The response to a HEAD: the fields of the compressed GET but its length, which only compressing would tell."""

    def __init__(self, send: Send, from_bytes: int, coding: str) -> None:
        self._send = send
        self._from_bytes = from_bytes
        self._coding = coding

    async def send(self, message: Message) -> None:
        """Send a message for the app."""
        if message["type"] == "http.response.start" and _is_compressible(message, self._from_bytes):
            message = _with_coding(message, self._coding)
        elif message.get("status") == _NOT_MODIFIED:
            _vary(message)
        await self._send(message)


class _Coded:
    """A response that is compressed if its type and length allow it."""

    def __init__(self, send: Send, from_bytes: int, coding: str) -> None:
        self._send = send
        self._from_bytes = from_bytes
        self._coding = coding
        self._encoder: Encoder | None = None
        #: The start of a response of known length, held until it is clear whether its body comes in one message.
        self._held: Message | None = None

    async def send(self, message: Message) -> None:
        """Send a message for the app."""
        kind = message["type"]
        if kind == "http.response.body" and self._encoder is not None:
            await self._send_coded(self._encoder, message)
        elif kind == "http.response.start" and _is_compressible(message, self._from_bytes):
            self._encoder = CODINGS[self._coding]()
            if "content-length" in MutableHeaders(scope=message):
                self._held = message
            else:
                await self._send(_with_coding(message, self._coding))
        else:
            if message.get("status") == _NOT_MODIFIED:
                _vary(message)
            await self._send(message)

    async def _send_coded(self, encoder: Encoder, message: Message) -> None:
        body, more = bytes(message.get("body", b"")), message.get("more_body", False)
        if more:
            coded = encoder.feed(body) if body else b""
        else:
            coded, self._encoder = encoder.end(body), None
        if self._held is not None:
            start, self._held = _with_coding(self._held, self._coding), None
            if not more:
                MutableHeaders(scope=start)["content-length"] = str(len(coded))
            await self._send(start)
        await self._send({**message, "body": coded})


def _vary(start: Message) -> None:
    """Tell caches that the response depends on the codings that the client accepts."""
    MutableHeaders(scope=start).add_vary_header("Accept-Encoding")


def _with_coding(start: Message, coding: str) -> Message:
    """Name the coding in the start. The bytes change, so the length goes and the entity tag becomes weak."""
    fields = MutableHeaders(scope=start)
    fields["content-encoding"] = coding
    fields.add_vary_header("Accept-Encoding")
    del fields["content-length"]
    tag = fields.get("etag", "")
    if tag.startswith('"'):
        fields["etag"] = f"W/{tag}"
    return start


def _is_compressible(start: Message, from_bytes: int) -> bool:
    """Tell whether a response may be compressed: it has a body, allows it, and does not support ranges."""
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
