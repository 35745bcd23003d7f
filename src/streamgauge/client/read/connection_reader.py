"""What comes in on one connection: read when it is readable, and handed on with its arrival.

While the stream's short way is open the sweep reads it instead, and hands on what is none for the short way.
"""

from collections.abc import Callable

from streamgauge.client.connect.stamped_socket import round_trip_ns
from streamgauge.client.connect.transport import Transport
from streamgauge.client.reactor import LONGEST_WAIT_S, WAITS_S
from streamgauge.client.read.body import BodyReader
from streamgauge.client.read.fast_path import FastPath
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.read.timing import ChunkTimer

#: Reading acknowledges what came, and a server may hold back its next small segment until then (Nagle's algorithm). One
#: whose chunks are this far apart, and a round trip, does not notice that they waited so long.
_APART_NS = {wait_s: round(2 * wait_s * 1e9) for wait_s in WAITS_S}
#: A loop that last looked so long ago finds together what came apart: that says nothing of how it came.
_LATE_NS = round(3 * LONGEST_WAIT_S * 1e9)
#: What comes close once, as when the server stood still and catches up, is no habit. What does so again is, so much
#: later at least, and not much later.
_CATCHING_UP_NS, _HABIT_NS = 20_000_000, 2_000_000_000
#: The last chunk of a stream that waits shares its read with the end of the body, and may have come at any moment of
#: the wait. Among so many chunks one such is no matter.
_MANY = 100
#: Where a read goes, and its arrival in monotonic ns: ``b""`` is the peer's clean end, None holds no data of ours.
Take = Callable[[bytes | None, int], None]


class ConnectionReader:
    """Reads ``transport`` until it is stopped. An error on the way goes to ``failed``."""

    __slots__ = (
        "_brief_ns",
        "_clock",
        "_close_ns",
        "_failed",
        "_fast_path",
        "_lag",
        "_reading",
        "_round_trip_ns",
        "_stamped",
        "_take",
        "_timer",
        "_transport",
    )

    def __init__(
        self, transport: Transport, context: ProcessContext, take: Take, failed: Callable[[OSError], None]
    ) -> None:
        self._transport = transport
        self._clock, self._lag = context.clock, context.process_stats.lag
        self._take, self._failed = take, failed
        self._fast_path: FastPath | None = None
        self._timer: ChunkTimer | None = None
        self._stamped = False
        self._round_trip_ns = self._brief_ns = self._close_ns = 0
        self._reading = context.reactor.on_readable(transport.sock.fileno(), self.read)

    def read(self) -> None:
        """Read what is there."""
        try:
            data, stamp_ns = self._transport.read()
        except OSError as error:
            self._cannot_read(error)
            return
        arrival_ns = 0
        if data:
            self._stamped = stamp_ns is not None
            arrival_ns = self._clock.locate(stamp_ns)
            if self._stamped:
                self._lag.record_ns(self._clock.now_ns - arrival_ns)
        self._hand_on(data, arrival_ns)

    def _hand_on(self, data: bytes | None, arrival_ns: int) -> None:
        self.settle()
        self._take(data, arrival_ns)

    def _cannot_read(self, error: OSError) -> None:
        if not isinstance(error, BlockingIOError | InterruptedError):
            self._failed(error)

    def begin_body(self, body: BodyReader, timer: ChunkTimer) -> None:
        """The head has come: from here on there may be a short way."""
        self._timer = timer
        self._round_trip_ns = round_trip_ns(self._transport.sock)
        self._fast_path = FastPath.of(self._transport, body, timer, self._hand_on, self._cannot_read)
        if self._fast_path is not None:
            self._fast_path.hurry = self._hurry
        self._expect(_APART_NS[LONGEST_WAIT_S])

    def _expect(self, apart_ns: int) -> None:
        """Chunks that come closer than this, and a round trip, should not wait as long as they may."""
        self._brief_ns = apart_ns + self._round_trip_ns
        if self._fast_path is not None:
            self._fast_path.brief_ns = self._brief_ns

    def await_next(self, body: BodyReader, apart_ns: float, *, exact: bool) -> None:
        """A read of the body was taken in, whose only chunk came ``apart_ns`` after the one before: 0 for another read.

        ``exact``: the last chunk's arrival is known exactly.
        """
        if apart_ns < self._brief_ns and (apart_ns or not self._looked_late):
            self._hurry(apart_ns)
        between = exact and not (body.decoder.pending or body.left_behind)
        may_wait = self._stamped and body.framing.self_delimited and not body.checks.watched
        self._reading.may_wait(between and may_wait and self._is_long)
        if self._fast_path is None:
            return
        if self._fast_path.open:
            self._fast_path.begin()
            self._reading.note(self._fast_path)
        else:
            self._reading.call(self.read)

    @property
    def _is_long(self) -> bool:
        """Whether streams of its name bring many chunks, as far as is known."""
        typical = None if self._timer is None else self._timer.stats.typical_chunks
        return typical is None or typical >= _MANY

    @property
    def _looked_late(self) -> bool:
        return self._clock.now_ns - self._clock.floor_ns > _LATE_NS

    def _hurry(self, apart_ns: float) -> None:
        """Chunks came below ``_brief_ns`` apart: too close for a wait, or for one so long, if that is their habit."""
        now_ns = self._clock.now_ns
        since_ns = now_ns - self._close_ns
        if since_ns < _CATCHING_UP_NS:
            return
        self._close_ns = now_ns
        if since_ns > _HABIT_NS:
            return
        for wait_s, far_ns in _APART_NS.items():
            if apart_ns >= far_ns + self._round_trip_ns:
                self._reading.wait_at_most(wait_s)
                self._expect(far_ns)
                return
        self._reading.hurry()

    def catch_up(self) -> None:
        """Take in at once what came the short way and what has arrived by now."""
        self.settle()
        self.read()

    def settle(self) -> None:
        """Let everybody know what has come the short way."""
        if self._fast_path is not None:
            self._fast_path.settle()

    def stop(self) -> None:
        """Read no more."""
        self._reading.stop()
