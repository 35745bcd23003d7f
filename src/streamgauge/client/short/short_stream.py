"""One stream of a few milliseconds, from its request to its record, at a fraction of what an ``Exchange`` costs.

An exchange has an object for all that may happen to a stream. This way has none of them: it sends the request on a
connection that the user has kept, and keeps what is read, with its arrival. Once the end of the body has come, all is
taken apart in one go and counted with the same ``Recording``. Where anything is not as this way expects it, or lasts
longer than ``SHORT_NS``, an exchange goes on from there: it gets what was read so far as if it had just been read.

``ShortPlan`` says which streams go this way.
"""

from collections.abc import Callable

from streamgauge.client.connect.dial import Route
from streamgauge.client.connect.transport import Transport
from streamgauge.client.exchange import Exchange
from streamgauge.client.http.request import Request
from streamgauge.client.plan import StreamPlan
from streamgauge.client.read.body import LARGE_READ_BYTES
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.recording import Recording
from streamgauge.client.short.short_plan import EVENT_STREAM, ShortPlan
from streamgauge.client.short.whole_body import LAST, events_by_read, plain_events
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.wire.http1_head import Head
from streamgauge.wire.sse_fast_path import CLOSING_BYTES

#: A stream of more reads is left to an exchange.
_MOST_READS = 64


#: A connection that a user has kept, how to get another one, and the request that is to be sent on it.
IdleConnection = tuple[Transport, Route, Request]
#: What one read brought (``b""`` is the peer's clean end), its arrival, and the earliest time at which any of it can
#: have arrived, both in monotonic ns.
Read = tuple[bytes, int, int]


class ShortStream:
    """One stream on an idle connection. ``on_over`` is called when there is nothing more to wait for.

    To ``BatchReader`` it is a ``FastPath`` that passes on every read.
    """

    __slots__ = (
        "_awake",
        "_behind_ns",
        "_connection",
        "_context",
        "_error",
        "_exchange",
        "_on_over",
        "_plan",
        "_reads",
        "_record",
        "_recording",
        "_short_plan",
        "_slow",
        "_unsent",
        "sent_ns",
        "sock",
        "stats",
    )
    #: Every read contains it, so that the batch reader counts none.
    inspected_text = b""

    def __init__(
        self,
        plan: StreamPlan,
        short_plan: ShortPlan,
        context: ProcessContext,
        connection: IdleConnection,
        on_over: Callable[[], None],
    ) -> None:
        self._plan, self._short_plan, self._context, self._on_over = plan, short_plan, context, on_over
        self._connection, self.sock = connection, connection[0].sock
        self._reads: list[Read] = []
        self._unsent = b""
        self._error: OSError | None = None
        self._behind_ns: int | None = None
        self._slow = False
        self._record: StreamRecord | None = None
        #: What went on with the stream; None if nothing had to.
        self._exchange: Exchange | None = None

    def count_from_schedule(self, behind_ns: int) -> None:
        """See ``Exchange``."""
        self._behind_ns = behind_ns

    def send(self) -> None:
        """Start the stream: send its request, and begin to read."""
        transport, _, request = self._connection
        context, data = self._context, request.encode()
        transport.expect()
        self._awake = context.short_streams.awake()
        self._recording = Recording(self._plan, context)
        timer = self._recording.timer
        try:
            timer.start_at(context.process_stats.now_ns())  # so that no code of ours delays the request
            sent_bytes = self.sock.send(data)
        except BlockingIOError:
            sent_bytes = 0
        except OSError as error:
            self._error, sent_bytes = error, len(data)
        self.sent_ns, self.stats = timer.start_ns, timer.stats
        if self._behind_ns is not None:
            self._recording.count_from_schedule(self._behind_ns)
        if self._error is not None or sent_bytes < len(data):
            self._unsent = data[sent_bytes:]
            self._on_over()
            return
        transport.collect(context.reactor, self)
        context.short_streams.add(self)

    def pass_on(self, data: bytes, arrival_ns: int) -> None:
        """Keep one read."""
        floor_ns = self._context.clock.floor_ns
        if data and not self._reads:
            if self._connection[0].came_at_once():
                floor_ns = arrival_ns
            else:
                floor_ns = self._context.short_streams.earliest_ns(self._awake, floor_ns, arrival_ns)
        self._reads.append((data, arrival_ns, floor_ns))
        if self._is_enough(data):
            self._end_reading()

    def _is_enough(self, data: bytes) -> bool:
        """Whether ``data``, the last read, seems to end the stream, or an exchange has to go on."""
        if len(data) < len(LAST):
            return not data or self._data().endswith(LAST)
        return data.endswith(LAST) or len(data) > LARGE_READ_BYTES or len(self._reads) > _MOST_READS

    def fail(self, error: OSError) -> None:
        """Handle that the connection cannot be read; nothing if it only says that there is nothing to read."""
        if not isinstance(error, BlockingIOError | InterruptedError):
            self._error = error
            self._end_reading()

    def hand_over(self) -> None:
        """Let an exchange go on, since the stream is not short."""
        self._slow = True
        self._end_reading()

    def _end_reading(self) -> None:
        self._context.short_streams.remove(self)
        self._on_over()

    def _data(self) -> bytes:
        reads = self._reads
        return reads[0][0] if len(reads) == 1 else b"".join([data for data, _, _ in reads])

    def end(self) -> bool:
        """Count the stream, if all of it came and is plain. Return False if an exchange has to go on."""
        if self._unsent or self._error is not None or not self._reads:
            return False
        data = self._data()
        found = self._short_plan.head_of(data)
        if found is None:
            return False
        head, begin = found
        body = data[begin:]
        events = plain_events(body)
        if events is None or not self._short_plan.counts(body, events):
            return False
        numbers: list[int] | None = [len(events)]
        if len(self._reads) > 1:
            first, *others = [data for data, _, _ in self._reads]
            numbers = events_by_read([first[begin:], *others]) if begin <= len(first) else None
        if numbers is None:
            return False
        self._count(head, events, numbers)
        return True

    def _count(self, head: Head, events: list[bytes], numbers: list[int]) -> None:
        """Count what ``BodyReader`` would; ``numbers``: how many events each read brought."""
        recording, reads = self._recording, self._reads
        recording.begin_response(head)
        recording.settle_as(EVENT_STREAM)
        timer = recording.timer
        stats = timer.stats
        sizes_bytes = [len(event) - CLOSING_BYTES for event in events]
        recording.add_body(sum(sizes_bytes) + CLOSING_BYTES * len(events))
        stats.chunk_sizes.record_all(sizes_bytes)
        last_ns, late_end = reads[-1][1], len(reads) if stats.ends_late else 0
        for place, ((_, arrival_ns, floor_ns), number) in enumerate(zip(reads, numbers, strict=True), 1):
            if number:
                exact = place != late_end
                if exact and number == 1:
                    timer.chunk(arrival_ns)
                else:
                    timer.coalesced_chunks(number, floor_ns, arrival_ns, last_is_exact=exact)
        stats.note_end(0 if numbers[-1] else last_ns - timer.last_ns)
        self._record = recording.end((Outcome.COMPLETED, ""), last_ns, 0, self._short_plan.url)
        if not self._plan.checked_later:
            recording.count(self._record)
        self._short_plan.worked()
        self._connection[0].rest()

    def exchange(self) -> Exchange:
        """Return an exchange that goes on with the stream."""
        self._context.short_streams.remove(self)
        transport, route, request = self._connection
        exchange = self._exchange = Exchange(self._plan, self._context, self._on_over, self._recording)
        reader = exchange.go_on_from(transport, route, request, self._unsent).reader
        clock = self._context.clock
        floor_ns = clock.floor_ns
        for data, arrival_ns, clock.floor_ns in self._reads:
            reader.pass_on(data, arrival_ns)
        clock.floor_ns = floor_ns
        if self._error is not None:
            reader.fail(self._error)
        if not self._slow:
            self._short_plan.was_in_vain()
        elif exchange.ended:
            self._short_plan.give_up()
        self._recording.timer.sleep.mark_at(self._awake.busy_ns)
        return exchange

    @property
    def kept(self) -> IdleConnection:
        """The connection, which is idle again once :meth:`end` has counted the stream."""
        return self._connection

    @property
    def record(self) -> StreamRecord:
        """See ``Exchange``."""
        if self._exchange is not None:
            return self._exchange.record
        assert self._record is not None
        return self._record

    def result(self) -> StreamRecord:
        """See ``Exchange``."""
        return self.record if self._exchange is None else self._exchange.result()

    @property
    def raised(self) -> bool:
        """See ``Exchange``."""
        return self._exchange is not None and self._exchange.raised

    def settle(self, record: StreamRecord) -> None:
        """See ``Exchange``."""
        self._recording.count(record)
