"""The declaration of a wire format: every difference between its streams and those of another format."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from streamgauge.catalog import protocol_of
from streamgauge.media_types import media_type
from streamgauge.wire.decoder import BodyDescription, Decoder
from streamgauge.wire.framing import Framing
from streamgauge.wire.http1_head import Head
from streamgauge.wire.rules import OFF, Rules


class Signature(NamedTuple):
    """How the first chunk of a stream shows its format, where the media type names only a plainer one."""

    guards: tuple[bytes, ...]
    """Bytes of which every such chunk contains one: a chunk without them is not parsed."""
    is_of: Callable[[str, dict[str, Any]], bool]
    """Return whether a frame, given with its event's name, is one of this format."""
    take_over: Callable[[Decoder], Decoder]
    """Make the decoder that goes on with the blocks of the plainer format's decoder."""


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
    own_end: Rules | None = None
    """The named end, unless the scenario names another. It is not a chunk: the decoder's ``done`` shows it."""
    error: Rules = OFF
    """Which frames report an error, unless the scenario says it."""
    tells_beside_chunks: bool = False
    """Ends and errors come beside the chunks, so that the decoder's ``done`` and ``error`` must be checked.

    A scenario that names its own end or error replaces them.
    """
    upgrade: Callable[[Mapping[str, str]], Upgrade] | None = None
    """Ask for another protocol than HTTP; None if the stream is the body of a response.

    Called with the request's own fields. The request's body is sent once the stream is open, and so is what the
    scenario sends after it.
    """
    has_events: bool = False
    """A frame is an SSE event, which rules can name."""
    has_event_ids: bool = False
    """A chunk's sequence number can be its SSE id."""
    can_reconnect: bool = False
    """A stream that broke off can continue on another connection: its decoder can be made resumable."""
    by_transfer_chunk: bool = False
    """A chunk is a transfer chunk, if the framing has transfer chunks."""
    fast_path: bool = False
    """``sse_fast_path`` can parse its usual read."""
    signature: Signature | None = None
    """How the first chunk shows it where the client chooses the format; None if only ``protocol=`` names it."""
    asking_for_usage: Callable[[bytes], bytes | None] | None = None
    """Return a request's body that also asks for the server's count of tokens; None if it is not one that can.

    None if the format's servers count the tokens without being asked."""

    def fits(self, content_type: str) -> bool:
        """Whether a response of this Content-Type can be read as this format, which the scenario has named."""
        if self.media is None or protocol_of(content_type) == self.media:
            return True
        return media_type(content_type) in self.media_if_named
