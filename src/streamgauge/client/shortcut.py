"""The short way of the most frequent read, past all stages: one event, whole, alone, over plain TCP.

A busy generator spends its time here. What the short way does is what the stages would do, for a read that
``whole_event`` knows and that nobody needs to look into; every other read goes the long way. It is open only while each
stage stands between two chunks, which only a read that goes the long way can change.

While it is open, ``Sweep`` reads the stream.
"""

from collections.abc import Callable

from streamgauge.client.body import LARGE_READ_BYTES, BodyReader
from streamgauge.client.timing import ChunkTimer
from streamgauge.client.transport import PlainTransport, Transport
from streamgauge.wire.framing import ChunkedBody
from streamgauge.wire.sse import SseDecoder

#: Where a read goes that is none for the short way: what was read, and its arrival.
LongWay = Callable[[bytes, int], None]


class Shortcut:
    """The short way of one stream, where it has any."""

    __slots__ = (
        "_decoder",
        "_framing",
        "_most_bytes",
        "_telling_text",
        "body",
        "cannot_read",
        "long_way",
        "recvmsg",
        "sequence",
        "telling_names",
        "timer",
    )

    def __init__(
        self,
        transport: PlainTransport,
        body: BodyReader,
        framing: ChunkedBody,
        decoder: SseDecoder,
        timer: ChunkTimer,
        long_way: LongWay,
        cannot_read: Callable[[OSError], None],
    ) -> None:
        self.recvmsg = transport.sock.recvmsg
        self.body, self.timer = body, timer
        self._framing, self._decoder = framing, decoder
        self._most_bytes = min(LARGE_READ_BYTES, decoder.max_chunk_bytes)
        self.sequence = body.judge.sequence
        self.telling_names, self._telling_text = body.judge.telling
        self.long_way, self.cannot_read = long_way, cannot_read

    @classmethod
    def of(
        cls,
        transport: Transport,
        body: BodyReader,
        timer: ChunkTimer,
        long_way: LongWay,
        cannot_read: Callable[[OSError], None],
    ) -> "Shortcut | None":
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
            return cls(transport, body, framing, decoder, timer, long_way, cannot_read)
        return None

    @property
    def open(self) -> bool:
        """After a read that went the long way: whether the next one may go this way."""
        between = self._framing.at_size_line and self._decoder.between_blocks
        return between and self.timer.exact and not self.body.left_behind

    def is_telling(self, data: bytes) -> bool:
        """Whether somebody has to look into an event that ``data`` holds, whatever its name."""
        text = self._telling_text
        return len(data) > self._most_bytes or (text is not None and data.find(text) >= 0)
