"""The declaration of a wire format: every difference between its streams and those of another format."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from streamgauge.catalog import protocol_of
from streamgauge.media_types import media_type
from streamgauge.wire.decoder import BodyDescription, Decoder
from streamgauge.wire.end import NamedEnd
from streamgauge.wire.framing import Framing
from streamgauge.wire.http1_head import Head


class InBandError(NamedTuple):
    """How a chunk reports an error."""

    guard: bytes
    """Bytes that every such chunk contains: a chunk without them is not parsed."""
    error_of: Callable[[bytes], str | None]
    """Return the error that a raw chunk reports; None if it reports none."""


class Upgrade(Protocol):
    """One attempt to change from HTTP to another protocol."""

    @property
    def fields(self) -> Mapping[str, str]:
        """Return the request fields that ask for the change."""

    def refusal(self, head: Head) -> str:
        """Say why a final response does not open the stream; empty if it does."""

    def framing(self, head: Head, max_chunk_bytes: int) -> Framing:
        """Return the framing of the stream that ``head`` opens. Raises ProtocolError."""


@dataclass(frozen=True, slots=True, eq=False)
class Format:
    """One wire format."""

    name: str
    """The value of ``protocol=`` and of the ``protocol`` label."""
    request_type: str
    """The type of request that Locust shows."""
    decoder: Callable[[BodyDescription], Decoder]
    """Make the decoder of a body. Raises ProtocolError."""
    media: str | None = None
    """The catalog's label of its media types; None if it accepts every media type."""
    media_if_named: frozenset[str] = frozenset()
    """Further media types that it accepts, which do not tell it from other formats; empty for none given."""
    accept: str = "*/*"
    """The Accept field, unless the scenario gives one."""
    own_end: NamedEnd | None = None
    """The named end, unless the scenario names another. It is not a chunk: the decoder's ``done`` shows it."""
    in_band_error: InBandError | None = None
    """How a chunk reports an error; None if chunks do not report errors."""
    tells_beside_chunks: bool = False
    """Ends and errors come beside the chunks, so that the decoder's ``done`` and ``error`` must be checked."""
    upgrade: Callable[[Mapping[str, str]], Upgrade] | None = None
    """Ask for another protocol than HTTP; None if the stream is the body of a response.

    Called with the request's own fields. The request's body is sent once the stream is open, and so is what the
    scenario sends after it.
    """
    has_events: bool = False
    """A chunk is parsed to an SSE event, whose name can be the named end."""
    has_event_ids: bool = False
    """A chunk's sequence number can be its SSE id."""
    can_reconnect: bool = False
    """A stream that broke off can continue on another connection: its decoder can be made resumable."""
    by_transfer_chunk: bool = False
    """A chunk is a transfer chunk, if the framing has transfer chunks."""
    fast_path: bool = False
    """``sse_fast_path`` can parse its usual read."""

    def fits(self, content_type: str) -> bool:
        """Whether a response of this Content-Type can be read as this format, which the scenario has named."""
        if self.media is None or protocol_of(content_type) == self.media:
            return True
        return media_type(content_type) in self.media_if_named
