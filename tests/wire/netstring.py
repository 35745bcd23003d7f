"""A wire format that the product does not have: netstrings, each ``LENGTH:BYTES,``.

It is written as a module of ``streamgauge.wire`` would be. Beside such a module a new format touches three files of the
product, each by a line: those are the lines of ``register``.
"""

from collections.abc import Callable
from typing import Any

from streamgauge.asgi.chunk_counting import ChunkCounter
from streamgauge.asgi.counters import COUNTERS
from streamgauge.catalog import PROTOCOL_BY_MEDIA_TYPE
from streamgauge.wire.decoder import Decoder
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.format import Format
from streamgauge.wire.formats import FORMATS
from streamgauge.wire.frame import Frame
from streamgauge.wire.rules import Rule, Rules

MEDIA_TYPE = "application/x-netstrings"


class NetstringDecoder(Decoder):
    """Takes bytes and returns the contents of netstrings. An empty one is a heartbeat."""

    def __init__(self, max_chunk_bytes: int) -> None:
        self._held = b""
        self._max_chunk_bytes = max_chunk_bytes

    @property
    def pending(self) -> bool:
        """See ``Decoder``."""
        return bool(self._held)

    def feed(self, pieces: list[bytes], partial: bool = False) -> list[bytes]:
        """See ``Decoder``."""
        self._held += b"".join(pieces)
        chunks: list[bytes] = []
        while b":" in self._held:
            digits, _, rest = self._held.partition(b":")
            if not digits.isdigit() or int(digits) > self._max_chunk_bytes:
                raise ProtocolError(f"expected the length of a netstring, got {digits[:40]!r}", chunks)
            if len(rest) <= int(digits):
                break
            content, self._held = rest[: int(digits)], rest[int(digits) + 1 :]
            if content:
                chunks.append(content)
            else:
                self.heartbeats += 1
        return chunks


class ErrorString(Rule):
    """A netstring that begins with ``error``."""

    @property
    def guard(self) -> bytes:
        """See ``Rule``."""
        return b"error "

    def matches(self, frame: Frame) -> bool:
        """See ``Rule``."""
        return frame.content.startswith(b"error ")

    def said(self, frame: Frame) -> str:
        """See ``Rule``."""
        return frame.data.removeprefix("error ")


NETSTRING = Format(
    "netstring",
    "NETSTRING",
    lambda body: NetstringDecoder(body.max_chunk_bytes),
    media="netstring",
    accept=MEDIA_TYPE,
    error=Rules((ErrorString(),)),
)


class NetstringCounter(ChunkCounter):
    """The server's side: messages that are whole netstrings."""

    __slots__ = ()

    def count(self, body: bytes, /) -> int:
        """See ``ChunkCounter``."""
        return body.count(b",")


def register(put: Callable[[dict[Any, Any], str, Any], None] = dict.__setitem__) -> None:
    """Do what the lines of a new format do; ``put`` sets an item of a dict."""
    put(FORMATS, NETSTRING.name, NETSTRING)  # wire/formats.py
    put(PROTOCOL_BY_MEDIA_TYPE, MEDIA_TYPE, NETSTRING.name)  # catalog.py
    put(COUNTERS, NETSTRING.name, NetstringCounter)  # asgi/chunk_counting.py
