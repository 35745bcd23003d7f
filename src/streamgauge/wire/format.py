"""What one wire format is: all in which its streams differ from those of another format."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from streamgauge.catalog import media_type, protocol_of
from streamgauge.wire.decoder import BodyDescription, Decoder
from streamgauge.wire.end import NamedEnd
from streamgauge.wire.framing import Framing
from streamgauge.wire.http1_head import Head


class InBandError(NamedTuple):
    """How a chunk says that something went wrong."""

    guard: bytes
    """Bytes that every such chunk holds: a chunk without them is not parsed."""
    error_of: Callable[[bytes], str | None]
    """Returns what a raw chunk says went wrong; None where it does not say so."""


class Upgrade(Protocol):
    """One attempt to change from HTTP to another protocol."""

    @property
    def fields(self) -> Mapping[str, str]:
        """The request's fields that ask for it."""

    def refusal(self, head: Head) -> str:
        """Say why a final response is not the stream; empty where it is."""

    def framing(self, head: Head, max_chunk_bytes: int) -> Framing:
        """Return the framing of the stream that ``head`` opens. Raises ProtocolError."""


@dataclass(frozen=True, slots=True, eq=False)
class Format:
    """One wire format."""

    name: str
    """What ``protocol=`` takes, and the ``protocol`` label."""
    request_type: str
    """What Locust shows as the type of the request."""
    decoder: Callable[[BodyDescription], Decoder]
    """Makes the decoder of a body. Raises ProtocolError."""
    media: str | None = None
    """Its media types, by their label in the catalog; None where it is read from any."""
    media_on_request: frozenset[str] = frozenset()
    """Media types that it is read from only where the request's Accept names them."""
    accept: str = "*/*"
    """The Accept field where the scenario gives none."""
    own_end: NamedEnd | None = None
    """The end that is due unless the scenario names another one. It is not a chunk: the decoder's ``done`` tells."""
    in_band_error: InBandError | None = None
    """How a chunk says that something went wrong; None where chunks do not say so."""
    tells_beside_chunks: bool = False
    """The decoder learns of the stream's end or of an error beside the chunks: ``done`` and ``error`` are looked at."""
    upgrade: Callable[[Mapping[str, str], bytes], Upgrade] | None = None
    """Asks for another protocol than HTTP; None where the stream is a response's body.

    It is given the request's own fields and its body, which is sent once the stream is open.
    """
    has_events: bool = False
    """A chunk is parsed to an SSE event, by whose name a stream can end."""
    has_event_ids: bool = False
    """A chunk's sequence number can be its SSE id."""
    can_reconnect: bool = False
    """A stream that broke off can go on over another connection: its decoder can be made resumable."""
    by_transfer_chunk: bool = False
    """A chunk is a transfer chunk, where the framing has those."""
    fast_path: bool = False
    """Its usual read is the one that ``sse_fast_path`` knows."""

    def fits(self, content_type: str, accept: str = "") -> bool:
        """Whether a response of this Content-Type, to a request with this Accept, can be read as this format."""
        if self.media is None or protocol_of(content_type) == self.media:
            return True
        return media_type(content_type) in self.media_on_request.intersection(map(media_type, accept.split(",")))
