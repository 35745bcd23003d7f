"""What every decoder of chunks offers, and the choice of one by name or content type."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from streamgauge.wire.multipart import MultipartDecoder
from streamgauge.wire.ndjson import NdjsonDecoder
from streamgauge.wire.openai import OpenAiDecoder
from streamgauge.wire.raw import RawDecoder
from streamgauge.wire.resumption import ResumableSseDecoder
from streamgauge.wire.sse import SseDecoder


class Decoder(Protocol):
    """Cuts a body into chunks. A chunk is raw bytes, its framing left out."""

    @property
    def heartbeats(self) -> int:
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


#: The decoders that are made with ``max_chunk_bytes`` alone; ``decoder_for`` makes them all. A WebSocket's framing
#: gives whole messages already, which the raw decoder leaves as they are.
DECODERS: Mapping[str, Callable[..., Decoder]] = {
    "sse": SseDecoder,
    "ndjson": NdjsonDecoder,
    "raw": RawDecoder,
    "websocket": RawDecoder,
    "openai": OpenAiDecoder,
}
#: What ``protocol=`` takes.
PROTOCOLS = ("auto", *DECODERS, "multipart")
#: What a request asks for where the scenario does not say.
ACCEPT: Mapping[str, str] = {
    "auto": "text/event-stream, application/x-ndjson, application/jsonl, multipart/*;q=0.9, */*;q=0.1",
    "sse": "text/event-stream",
    "ndjson": "application/x-ndjson, application/jsonl",
    "raw": "*/*",
    "multipart": "multipart/x-mixed-replace, multipart/mixed, multipart/*;q=0.9",
    "websocket": "*/*",
    "openai": "text/event-stream",
}
_BY_CONTENT_TYPE = {
    "text/event-stream": "sse",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/x-jsonlines": "ndjson",
    "application/json-lines": "ndjson",
    "application/stream+json": "ndjson",
}
#: What services also call a stream of JSON lines, and more often something else.
_MAYBE_LINES = "application/json"


def media_type(content_type: str) -> str:
    """A Content-Type without its parameters, lower case."""
    return content_type.partition(";")[0].strip().lower()


def protocol_of(content_type: str) -> str:
    """The protocol that streams of this Content-Type speak; ``raw`` for all that have none of their own."""
    kind = media_type(content_type)
    return "multipart" if kind.startswith("multipart/") else _BY_CONTENT_TYPE.get(kind, "raw")


def content_type_fits(protocol: str, content_type: str, accept: str = "") -> bool:
    """Whether a body of this Content-Type can be read as ``protocol``. All can be read as ``raw``.

    A WebSocket has no content type, and token streams are event streams. ``application/json`` is a stream of lines for
    who asks for one and says in ``accept`` that it is to be that.
    """
    if protocol in ("raw", "websocket"):
        return True
    if protocol == "ndjson" and media_type(content_type) == _MAYBE_LINES:
        return _MAYBE_LINES in map(media_type, accept.split(","))
    return protocol_of(content_type) == ("sse" if protocol == "openai" else protocol)


def decoder_for(
    protocol: str, content_type: str, max_chunk_bytes: int, *, transfer_chunks: bool, resumable: bool = False
) -> Decoder:
    """The decoder of a body of this Content-Type, read as ``protocol``, which is not ``auto``. Raises ProtocolError.

    ``transfer_chunks`` says whether the framing shows the sender's own chunks; ``resumable`` asks for a decoder that
    knows where an event stream can be taken up again.
    """
    if protocol == "sse" and resumable:
        return ResumableSseDecoder(max_chunk_bytes)
    if protocol == "raw":
        return RawDecoder(max_chunk_bytes, transfer_chunks=transfer_chunks)
    if protocol == "multipart":
        return MultipartDecoder(content_type, max_chunk_bytes)
    return DECODERS[protocol](max_chunk_bytes)
