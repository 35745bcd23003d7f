"""What every decoder of chunks offers, and the choice of one by name or content type."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from streamgauge.wire.ndjson import NdjsonDecoder
from streamgauge.wire.raw import RawDecoder
from streamgauge.wire.sse import SseDecoder


class Decoder(Protocol):
    """Cuts a body into chunks. A chunk is raw bytes, its framing left out."""

    heartbeats: int
    """How many things came that keep the stream open and are not chunks."""

    def feed(self, pieces: list[bytes], partial: bool) -> list[bytes]:
        """The chunks that ``pieces`` complete.

        ``pieces`` are parts of the body, none spanning two transfer chunks; ``partial`` says that the last one's
        transfer chunk goes on. Raises ProtocolError, with the chunks that were whole before.
        """

    @property
    def pending(self) -> bool:
        """Whether anything came after the last chunk that is not part of it."""

    def close(self) -> list[bytes]:
        """The body ended: the chunks that its end completes."""

    def parse(self, chunk: bytes) -> Any:
        """What is inside a chunk: a ``sse.Event``, a JSON value, or the bytes themselves. Raises ProtocolError."""


DECODERS: Mapping[str, Callable[..., Decoder]] = {"sse": SseDecoder, "ndjson": NdjsonDecoder, "raw": RawDecoder}
#: What ``protocol=`` takes.
PROTOCOLS = ("auto", *DECODERS)
#: What a request asks for where the scenario does not say.
ACCEPT: Mapping[str, str] = {
    "auto": "text/event-stream, application/x-ndjson, application/jsonl, */*;q=0.1",
    "sse": "text/event-stream",
    "ndjson": "application/x-ndjson, application/jsonl",
    "raw": "*/*",
}
_BY_CONTENT_TYPE = {
    "text/event-stream": "sse",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/x-jsonlines": "ndjson",
    "application/json-lines": "ndjson",
}


def media_type(content_type: str) -> str:
    """A Content-Type without its parameters, lower case."""
    return content_type.partition(";")[0].strip().lower()


def protocol_of(content_type: str) -> str:
    """The protocol that streams of this Content-Type speak; ``raw`` for all that have none of their own."""
    return _BY_CONTENT_TYPE.get(media_type(content_type), "raw")


def content_type_fits(protocol: str, content_type: str) -> bool:
    """Whether a body of this Content-Type can be read as ``protocol``. All can be read as ``raw``."""
    return protocol == "raw" or protocol_of(content_type) == protocol
