"""The short way of the most frequent read, past all stages: one event, whole, alone, over plain TCP.

A busy generator spends its time here. What the short way does is what the stages would do, for a read that
``whole_event`` knows and that nobody needs to look into; every other read goes the long way. It is open only while each
stage stands between two chunks, which only a read that goes the long way can change.

While it is open, ``Sweep`` reads the stream and counts what comes in its ``Progress``, which is settled before anybody
else looks: one object a stream instead of five, since a stream's objects are seldom in the processor's caches.
"""

from collections.abc import Callable

from streamgauge.client.connect.stamped_socket import Socket
from streamgauge.client.connect.transport import PlainTransport, Transport
from streamgauge.client.read.body import LARGE_READ_BYTES, BodyReader
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.stats.stream_stats import StreamStats

#: Where a read goes that is none for the short way: what was read, and its arrival.
LongWay = Callable[[bytes, int], None]
#: The names of events that somebody has to look into, and a text that makes any event one of them.
Telling = tuple[frozenset[bytes], bytes | None]
#: No number of an event: whichever comes first is right.
ANY = -1


class Progress:
    """What the short way needs of a stream for each read, in one place in memory, and what it has counted so far."""

    __slots__ = (
        "brief_ns",
        "bytes",
        "chunks",
        "due",
        "last_ns",
        "most_bytes",
        "notable_ns",
        "sock",
        "stats",
        "telling_names",
        "telling_text",
    )

    def __init__(self, sock: Socket, stats: StreamStats, telling: Telling, most_bytes: int) -> None:
        self.sock, self.stats, self.most_bytes = sock, stats, most_bytes
        self.telling_names, self.telling_text = telling
        self.bytes = self.chunks = 0
        #: As the timer has them.
        self.last_ns = self.notable_ns = 0
        #: An interval below it is one of chunks that should not wait as long as they may.
        self.brief_ns = 0
        #: As the sequence check has it, ``ANY`` where it has seen none; None where no number is looked at.
        self.due: int | None = None


class FastPath(Progress):
    """The short way of one stream, where it has any."""

    __slots__ = (
        "_body",
        "_decoder",
        "_framing",
        "_sequence",
        "_timer",
        "cannot_read",
        "hurry",
        "long_way",
    )

    def __init__(
        self,
        transport: PlainTransport,
        body: BodyReader,
        timer: ChunkTimer,
        long_way: LongWay,
        cannot_read: Callable[[OSError], None],
    ) -> None:
        most_bytes = min(LARGE_READ_BYTES, body.max_chunk_bytes)
        super().__init__(transport.sock, timer.stats, body.checks.telling, most_bytes)
        self._body, self._timer, self._sequence = body, timer, body.checks.sequence
        self._framing, self._decoder = body.framing, body.decoder
        self.long_way, self.cannot_read = long_way, cannot_read
        #: An interval came below ``brief_ns``; both are the intake's to set.
        self.hurry: Callable[[int], None]

    @classmethod
    def of(
        cls,
        transport: Transport,
        body: BodyReader,
        timer: ChunkTimer,
        long_way: LongWay,
        cannot_read: Callable[[OSError], None],
    ) -> "FastPath | None":
        """The short way through ``body``; None where there is none."""
        if (
            isinstance(transport, PlainTransport)
            and body.framing.has_transfer_chunks
            and body.format.fast_path
            and body.checks.guards is not None
            and body.checks.counts_only
            and not body.coded
        ):
            return cls(transport, body, timer, long_way, cannot_read)
        return None

    @property
    def open(self) -> bool:
        """After a read that went the long way: whether the next one may go this way."""
        between = self._framing.between_chunks and self._decoder.between_chunks
        return between and self._timer.exact and not self._body.left_behind

    def begin(self) -> None:
        """Go on where the long way ended."""
        timer, sequence = self._timer, self._sequence
        self.stats, self.last_ns, self.notable_ns = timer.stats, timer.last_ns, timer.notable_ns
        self.due = None if sequence is None else ANY if sequence.due is None else sequence.due

    def settle(self) -> None:
        """Tell those who count on the long way what came."""
        if self.chunks:
            self._timer.chunks += self.chunks
            self._timer.last_ns = self.last_ns
            self._body.bytes += self.bytes
            self.bytes = self.chunks = 0
            self._settle_due()

    def _settle_due(self) -> None:
        if self._sequence is not None and self.due != ANY:
            self._sequence.due = self.due

    def out_of_turn(self, number: int) -> None:
        """An event came with another number than the one that was due."""
        assert self._sequence is not None
        self._settle_due()
        self._sequence.add(number)
        self.due = self._sequence.due

    def notable(self, interval_ns: int) -> None:
        """An interval came below ``brief_ns``, or above ``notable_ns``."""
        if interval_ns < self.brief_ns:
            self.hurry(interval_ns)
        if interval_ns > self.notable_ns:
            self._timer.notable(interval_ns)
            self.notable_ns = self._timer.notable_ns
