"""The contract of a decoder: it cuts a body into chunks. A chunk is raw bytes, its framing left out."""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

from streamgauge.wire.token_count import TokenCount

#: The longest chunk of any format, where the caller sets no limit.
MAX_CHUNK_BYTES = 16 * 1024 * 1024


class BodyDescription(NamedTuple):
    """What a decoder is made for."""

    content_type: str
    max_chunk_bytes: int
    transfer_chunks: bool = False
    """The framing shows the sender's own chunks."""
    resumable: bool = False
    """The decoder is to know where another connection can go on."""


class Resumption(NamedTuple):
    """Where another connection goes on: None for what the stream did not say."""

    last_event_id: str | None = None
    retry_ms: int | None = None


class Decoder(ABC):
    """Cuts one body into chunks, and knows what the stream said beside them."""

    #: How many things came that keep the stream open and are not chunks.
    heartbeats = 0
    #: The next byte begins a chunk, and nothing that came before it changes its meaning.
    between_chunks = False
    #: The format's own end came, where that is no chunk.
    done = False
    #: What the stream said went wrong, where it did not say so in a chunk.
    error: str | None = None

    @property
    @abstractmethod
    def pending(self) -> bool:
        """Whether anything came after the last chunk that is not part of it."""

    @abstractmethod
    def feed(self, pieces: list[bytes], partial: bool = False) -> list[bytes]:
        """Return the chunks that ``pieces`` complete.

        ``pieces`` are parts of the body, none spanning two transfer chunks; ``partial`` says that the last one's
        transfer chunk goes on. Raises ProtocolError, with the chunks that were whole before.
        """

    def close(self) -> list[bytes]:
        """Return the chunks that the end of the body completes. By default what is cut off is no chunk."""
        return []

    def parse(self, chunk: bytes) -> Any:
        """Return what is inside a chunk: an event, a JSON value, or the bytes themselves. Raises ProtocolError."""
        return chunk

    def shortfall(self, *, named_end_came: bool) -> str:  # noqa: ARG002 - for those that have one
        """Say what a body that ended cleanly lacks; empty where it lacks nothing."""
        return ""

    def resumption(self) -> Resumption:
        """Say where another connection can go on."""
        return Resumption()

    def token_count(self) -> TokenCount | None:
        """Count the tokens of the stream; None where its format has none."""
        return None
