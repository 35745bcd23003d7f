"""The contract of a decoder, which cuts a body into chunks. A chunk is raw bytes without its framing."""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.strict_json import json_of
from streamgauge.wire.token_count import TokenCount

#: The longest chunk of any format, unless the caller sets another limit.
MAX_CHUNK_BYTES = 16 * 1024 * 1024


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


#: A JSON value that is not there.
ABSENT: Any = _Absent()


class BodyDescription(NamedTuple):
    """The body that a decoder is made for."""

    content_type: str
    max_chunk_bytes: int
    transfer_chunks: bool = False
    """The framing shows the sender's own chunks."""
    resumable: bool = False
    """The decoder must know where another connection can resume."""
    every_frame: bool = False
    """Rules decide which frames are chunks, or look at others too: ``feed`` must return all frames."""


class Resumption(NamedTuple):
    """Where another connection resumes; None for each value that the stream did not give."""

    last_event_id: str | None = None
    retry_ms: int | None = None


class Decoder(ABC):
    """Cuts one body into chunks, and notes heartbeats, ends and errors beside them."""

    #: How many heartbeats came.
    heartbeats = 0
    #: Whether the next byte begins a chunk whose meaning does not depend on earlier bytes.
    between_chunks = False
    #: Whether the format's own end came, if that is not a chunk.
    done = False
    #: The error that the stream reported, if it did not do so in a chunk.
    error: str | None = None
    #: Whether a token that shows no content came behind the last chunk of the last ``feed``.
    silent_token = False
    #: Whether content came that answers the request; a model's reasoning does not.
    answered = False
    #: The last frame that came, if ``feed`` does not return it.
    last_frame = b""

    @property
    @abstractmethod
    def pending(self) -> bool:
        """Whether bytes came after the last chunk that are not part of it."""

    @property
    def unfinished(self) -> bool:
        """Whether part of a frame is held that the end of the body does not complete."""
        return False

    @abstractmethod
    def feed(self, pieces: list[bytes], partial: bool = False) -> list[bytes]:
        """Return the chunks that ``pieces`` complete.

        ``pieces`` are parts of the body; none spans two transfer chunks. ``partial``: the transfer chunk of the last
        piece continues. Raises ProtocolError, with the chunks that were complete before.
        """

    def take_blocks(self, blocks: list[bytes], problem: ProtocolError | None = None) -> list[bytes]:
        """Return those blocks that are chunks, which the decoder that this one continues has cut out.

        Raises ProtocolError, also the ``problem`` that came after them.
        """
        if problem is not None:
            raise problem
        return blocks

    def close(self) -> list[bytes]:
        """Return the chunks that the end of the body completes. By default an incomplete chunk is dropped."""
        return []

    def parse(self, chunk: bytes) -> Any:
        """Parse a chunk: return an event, a JSON value, or the bytes themselves. Raises ProtocolError."""
        return chunk

    def is_chunk(self, frame: bytes) -> bool:  # noqa: ARG002 - for formats whose frames are not all chunks
        """Whether a frame is a chunk, unless the scenario's rules decide it."""
        return True

    def event_of(self, frame: bytes) -> Any:  # noqa: ARG002 - for formats that have events
        """Parse a frame to its SSE event; None if the format has no events."""
        return None

    def json_of(self, frame: bytes) -> Any:
        """Return the JSON value of a frame; ``ABSENT`` if it is not JSON."""
        event = self.event_of(frame)
        try:
            return json_of(frame if event is None else event.data)
        except ValueError:
            return ABSENT

    def shortfall(self, *, named_end_came: bool) -> str:  # noqa: ARG002 - for decoders that have a shortfall
        """Say what a body that ended cleanly lacks; empty if it lacks nothing."""
        return ""

    def resumption(self) -> Resumption:
        """Say where another connection can resume."""
        return Resumption()

    def token_count(self) -> TokenCount | None:
        """Count the tokens of the stream; None if its format has none."""
        return None
