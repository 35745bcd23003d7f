"""Decides when the next chunk of a stream is read: at once, or up to 10 ms later. Nothing else decides it.

**Why waiting is cheaper.** To be woken costs a process more CPU than to read a chunk: 20 to 60 µs for the wake-up on a
virtual machine, 3 to 10 µs for the read. A loop that leaves readable sockets unread for 10 ms, and then reads all of
them in one pass, is woken once for many chunks. Arrival times do not suffer: the kernel stamps a segment when it
arrives, not when the process reads it.

**What may wait.** The next chunk of a stream may wait for ``w``, one of ``WAITS_S``, only if all of this holds:

1. *The kernel stamps this connection's reads.* Without a stamp the time of the read counts as the arrival.
2. *The chunks come further apart than twice the wait plus a round trip* (as the kernel measured it). Reading is what
   acknowledges data, and a server without TCP_NODELAY holds its next small segment until the one before is
   acknowledged (Nagle's algorithm). At this distance the acknowledgement is back in time, so the server sends as if
   every chunk had been read at once.
3. *One chunk per read, whole.* A read has one stamp, that of its last segment. Where one read brings several chunks,
   or half of one, or leaves data in the kernel, some arrival is known only as an interval, which a wait would widen.
4. *No callback of the scenario sees each chunk.* The scenario may want to act at once, for example to hang up.
5. *The framing marks the end of the body.* Where the server ends the body by closing the connection, the time of the
   read counts as the end, since a FIN has no stamp.
6. *Streams of this name are long*: 100 chunks or more, as far as is known. The last chunk shares its read with the end
   of the body and may have arrived at any moment of the wait. With 100 chunks or more, one inexact time is negligible.
7. *The stream is not young.* A user notices the end of a waiting stream up to ``w`` late, and so starts its next stream
   late. Once the stream has lasted 50 times the longest wait, that is 1 % of its duration on average.

Everything else may not wait: connecting, TLS handshakes, response heads, WebSockets, and what this module never sees.

**What a stream does otherwise counts against it.** A stream whose chunks come too close gets the longest wait that its
intervals allow. If they allow none, or if one read brings anything but one whole chunk, the stream is read at once for
a minute; then it may wait again. Two things are no evidence: a single burst, as when a server stood still and catches
up (a second burst counts, if it follows 20 ms to 2 s later), and chunks that a loop finds together because it last
polled long ago.

**What others decide.** The event loop decides whether it uses a wait at all: only while enough data arrives, and for
the longest wait that all but a few of its streams allow (``streamgauge.load.hub_reactor``). ``StreamReader`` decides
by which path a read goes.
"""

from streamgauge.client.reactor import LONGEST_WAIT_S, WAITS_S, Reading
from streamgauge.client.read.body import BodyReader
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.stats.clocks.arrival import ArrivalClock

#: How far apart chunks must come to wait so long, a round trip left out.
_APART_NS = {wait_s: round(2 * wait_s * 1e9) for wait_s in WAITS_S}
#: A stream does not wait while its body is younger than this.
YOUNG_S = 50 * LONGEST_WAIT_S
#: For how long a stream is read at once after its chunks came too close for any wait.
AT_ONCE_S = 60.0
#: A loop that last polled this long ago finds chunks together that came apart.
_LATE_NS = round(3 * LONGEST_WAIT_S * 1e9)
#: Closer chunks within the first belong to the same burst; a burst counts if one came before it within the second.
_BURST_NS, _AGAIN_NS = 20_000_000, 2_000_000_000
#: Streams with at least so many chunks are long.
_LONG_CHUNKS = 100


class ReadSchedule:
    """The schedule of one stream's body. It tells ``reading`` how long data may stay unread."""

    __slots__ = (
        "_body",
        "_burst_ns",
        "_clock",
        "_ever_waits",
        "_longest_s",
        "_reading",
        "_round_trip_ns",
        "_timer",
        "_wait_s",
        "close_ns",
    )

    def __init__(
        self, reading: Reading, body: BodyReader, timer: ChunkTimer, clock: ArrivalClock, round_trip_ns: int
    ) -> None:
        self._reading, self._body, self._timer, self._clock = reading, body, timer, clock
        self._round_trip_ns = round_trip_ns
        self._ever_waits = body.framing.self_delimited and not body.checks.watched
        #: The longest wait that the chunk intervals allow, and the wait that ``reading`` was told.
        self._longest_s, self._wait_s = LONGEST_WAIT_S, 0.0
        #: An interval below this is too short for the longest wait that is allowed now.
        self.close_ns = _APART_NS[LONGEST_WAIT_S] + round_trip_ns
        #: When the last burst began.
        self._burst_ns = 0
        reading.read_at_once_for(YOUNG_S)

    def after_read(self, interval_ns: float, *, stamped: bool) -> None:
        """Decide about the next read after one read of the body.

        ``interval_ns`` is the chunk interval if the read brought one chunk whose arrival is exact, infinite for the
        first chunk, else 0. ``stamped`` says whether the kernel stamped the read.
        """
        if interval_ns < self.close_ns and (interval_ns or not self._polled_late):
            self.chunk_came_close(interval_ns)
        body = self._body
        waits = (
            stamped
            and self._ever_waits
            and self._timer.exact
            and not (body.left_behind or body.decoder.pending)
            and self._is_long
        )
        self._allow(self._longest_s if waits else 0.0)

    def chunk_came_close(self, interval_ns: float) -> None:
        """Allow a shorter wait, or none for a while, if chunks came below ``close_ns`` apart and did so before."""
        now_ns = self._clock.now_ns
        since_ns = now_ns - self._burst_ns
        if since_ns < _BURST_NS:
            return
        self._burst_ns = now_ns
        if since_ns > _AGAIN_NS:
            return
        for wait_s, apart_ns in _APART_NS.items():
            if interval_ns >= apart_ns + self._round_trip_ns:
                self._longest_s, self.close_ns = wait_s, apart_ns + self._round_trip_ns
                if self._wait_s:
                    self._allow(wait_s)
                return
        self._reading.read_at_once_for(AT_ONCE_S)

    def _allow(self, wait_s: float) -> None:
        if wait_s != self._wait_s:
            self._wait_s = wait_s
            self._reading.may_wait(wait_s)

    @property
    def _is_long(self) -> bool:
        """Whether streams of this name bring many chunks, as far as is known."""
        typical = self._timer.stats.typical_chunks
        return typical is None or typical >= _LONG_CHUNKS

    @property
    def _polled_late(self) -> bool:
        return self._clock.now_ns - self._clock.floor_ns > _LATE_NS
