"""The short way of the most frequent read, past all stages: one event, whole, alone, over plain TCP.

A busy generator spends its time here. What the short way does is what the stages would do, for a read that
``whole_event`` knows and that nobody needs to look into; every other read goes the long way. It is open only while each
stage stands between two chunks, which only a read that goes the long way can change.
"""

from streamgauge.client.body import LARGE_READ_BYTES, BodyReader
from streamgauge.client.timing import ChunkTimer
from streamgauge.client.transport import PlainTransport, Transport
from streamgauge.measure.tally import Tally
from streamgauge.wire.framing import ChunkedBody
from streamgauge.wire.sse import SseDecoder
from streamgauge.wire.whole import whole_event


class Shortcut:
    """The short way of one stream, where it has any."""

    __slots__ = (
        "_body",
        "_count",
        "_decoder",
        "_framing",
        "_guard",
        "_most_bytes",
        "_other_guard",
        "_tally",
        "_timer",
        "open",
    )

    def __init__(
        self, body: BodyReader, framing: ChunkedBody, decoder: SseDecoder, timer: ChunkTimer, tally: Tally
    ) -> None:
        self._body, self._framing, self._decoder = body, framing, decoder
        self._timer, self._tally = timer, tally
        self._guard, self._other_guard = (*(body.judge.guards or ()), b"\0")[:2]
        self._count = body.judge.count if body.judge.sequence is not None else None
        self._most_bytes = min(LARGE_READ_BYTES, decoder.max_chunk_bytes)
        #: Whether the next read may go this way.
        self.open = False

    @classmethod
    def of(cls, transport: Transport, body: BodyReader, timer: ChunkTimer, tally: Tally) -> "Shortcut | None":
        """The short way through ``body``; None where there is none."""
        framing, decoder = body.framing, body.decoder
        if (
            isinstance(transport, PlainTransport)
            and isinstance(framing, ChunkedBody)
            and isinstance(decoder, SseDecoder)
            and body.judge.guards is not None
            and body.judge.counts_only
            and not body.coded
        ):
            return cls(body, framing, decoder, timer, tally)
        return None

    def look(self) -> None:
        """After a read that went the long way: whether the next one may go this way."""
        between = self._framing.at_size_line and self._decoder.between_blocks
        self.open = between and self._timer.exact and not self._body.left_behind

    def take(self, data: bytes) -> int:
        """How many body bytes ``data`` brings, which are one chunk then and counted but for its time; 0 for none."""
        size = whole_event(data)
        if not size or size > self._most_bytes or self._guard in data or self._other_guard in data:
            return 0
        if self._count is not None:
            self._count(data[-2 - size : -4])
        self._body.bytes += size
        tally = self._tally
        tally.bytes += size
        tally.chunk_sizes.fresh[size - 2] += 1
        return size
