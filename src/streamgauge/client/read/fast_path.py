"""The fast path of the most frequent read, past all stages: one event, whole, alone in its read, over plain TCP.

A busy generator spends its time here. The fast path does what the stages would do, for a read that ``whole_event``
recognises and that no check has to look into. Every other read goes through the stages: ``ConnectionReader.pass_on``.
The fast path is usable only while every stage stands between two chunks, which only a read through the stages changes.

While it is usable, ``BatchReader`` reads the stream and counts in the ``FastPath``; ``sync`` adds that up before
anything else reads the counts. One object per stream instead of five, since a stream's objects are seldom in the CPU
caches.
"""

from typing import Self

from streamgauge.client.connect.transport import PlainTransport, Transport
from streamgauge.client.read.body import LARGE_READ_BYTES, BodyReader
from streamgauge.client.read.connection_reader import ConnectionReader
from streamgauge.client.read.read_schedule import ReadSchedule
from streamgauge.client.read.timing import ChunkTimer

#: Not a number of any event: the first number that comes is right.
ANY = -1


class FastPath:
    """What one stream needs for each read on the fast path, and what it has counted there."""

    __slots__ = (
        "_body",
        "_framing",
        "_schedule",
        "_sequence",
        "_timer",
        "bytes",
        "chunks",
        "close_ns",
        "due",
        "fail",
        "inspected_names",
        "inspected_text",
        "inspected_texts",
        "last_data",
        "last_ns",
        "long_ns",
        "looks_closer",
        "most_bytes",
        "pass_on",
        "sock",
        "stats",
    )

    def __init__(
        self,
        transport: PlainTransport,
        body: BodyReader,
        timer: ChunkTimer,
        schedule: ReadSchedule,
        reader: ConnectionReader,
    ) -> None:
        self._body, self._framing = body, body.framing
        self._timer, self._schedule, self._sequence = timer, schedule, body.checks.sequence
        #: Where a read goes that the fast path cannot handle, and where an error goes.
        self.pass_on, self.fail = reader.pass_on, reader.fail
        self.sock = transport.sock
        self.most_bytes = min(LARGE_READ_BYTES, body.max_chunk_bytes)
        #: The names of events that a check looks into, and texts that make any event one of them. The first text stands
        #: alone, since most streams have only one.
        self.inspected_names, (self.inspected_text, *self.inspected_texts) = body.checks.inspected
        #: Whether there are more texts, or the reason of an outcome may quote the last event.
        self.looks_closer = body.checks.end_is_named or bool(self.inspected_texts)
        #: The beginning of the last read, if such a reason may need it.
        self.last_data = b""
        self.bytes = self.chunks = 0
        self.resume()

    @classmethod
    def of(
        cls,
        transport: Transport,
        body: BodyReader,
        timer: ChunkTimer,
        schedule: ReadSchedule,
        reader: ConnectionReader,
    ) -> Self | None:
        """Return the fast path of ``body``; None if it has none."""
        if (
            isinstance(transport, PlainTransport)
            and body.framing.has_transfer_chunks
            and body.format.fast_path
            and body.checks.guards is not None
            and body.checks.counts_only
            and not body.coded
        ):
            return cls(transport, body, timer, schedule, reader)
        return None

    @property
    def usable(self) -> bool:
        """Whether the next read may go this way, after one that went through the stages."""
        between = self._framing.between_chunks and self._body.decoder.between_chunks
        return between and self._timer.exact and not (self._body.left_behind or self._body.checks.end_came)

    def resume(self) -> None:
        """Go on where the stages left off: copy from them what each read needs."""
        timer, sequence = self._timer, self._sequence
        self.stats, self.last_ns, self.long_ns = timer.stats, timer.last_ns, timer.long_ns
        self.close_ns = self._schedule.close_ns
        #: The sequence number that is due, ``ANY`` for the first; None if no numbers are checked.
        self.due = None if sequence is None else ANY if sequence.due is None else sequence.due

    def sync(self) -> None:
        """Add to the timer, the body and the sequence check what was counted here."""
        if self.chunks:
            self._timer.add_chunks(self.chunks, self.last_ns)
            self._body.add_fast(self.bytes, self.last_data.partition(b"\r\n")[2])
            self.bytes = self.chunks = 0
            self._sync_due()

    def _sync_due(self) -> None:
        if self._sequence is not None and self.due != ANY:
            self._sequence.due = self.due

    def check_number(self, number: int) -> None:
        """Count the number of an event that is not the one that was due."""
        assert self._sequence is not None
        self._sync_due()
        self._sequence.add(number)
        self.due = self._sequence.due

    def check_interval(self, interval_ns: int) -> None:
        """Handle an interval below ``close_ns`` or above ``long_ns``."""
        if interval_ns < self.close_ns:
            self._schedule.chunk_came_close(interval_ns)
            self.close_ns = self._schedule.close_ns
        if interval_ns > self.long_ns:
            self._timer.count_long(interval_ns)
            self.long_ns = self._timer.long_ns
