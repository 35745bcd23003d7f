"""Convert the kernel's arrival stamps, which are wall clock, to this process's monotonic clock.

The kernel stamps a segment with CLOCK_REALTIME; streams are timed on CLOCK_MONOTONIC, which never steps. The two differ
by an offset that NTP slews slowly and an operator can step. The offset is measured again in each pass of the reactor,
and accepted only if it agrees with the previous one: a process that is preempted between its two clock reads measures
it too small. If a pass brings an impossible arrival, before the pass could have seen it or in the future, the offset is
measured once more.
"""

import time
from collections.abc import Callable

#: An offset that differs from the last one by no more than this belongs to the same clock.
SAME_CLOCK_NS = 200_000
#: The fastest rate at which NTP may slew a clock, as a share.
MAX_SLEW = 0.001
#: An offset that fell by less is not checked again: two clock reads take about this long.
JITTER_NS = 2_000
#: A stamp this far in the future shows a clock step, not rounding.
FUTURE_NS = 50_000
#: The socket is readable at most this long after the kernel stamped a segment, unless CPU time is short.
READABLE_AFTER_NS = 50_000
#: Within this time, slewing moves an arrival by at most 50 µs.
GOOD_FOR_NS = 50_000_000


class ArrivalClock:
    """Converts stamps to arrivals. One instance serves all streams of a reactor, which calls ``begin_pass``."""

    __slots__ = (
        "_asked_ns",
        "_doubt_after_ns",
        "_doubt_before_ns",
        "_measured_ns",
        "_monotonic",
        "_offset_ns",
        "_pass_floor_ns",
        "_polled_ns",
        "_stepped_ns",
        "_wall",
        "fallbacks",
        "floor_ns",
        "now_ns",
        "reads",
        "steps",
    )

    def __init__(
        self, wall: Callable[[], int] = time.time_ns, monotonic: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self.now_ns = monotonic()
        #: The earliest possible arrival of a read in this pass: the socket was not readable when the previous pass
        #: asked the kernel.
        self.floor_ns = self._pass_floor_ns = self.now_ns
        #: When the reactor last asked which sockets are readable: about all sockets, and about at least some.
        self._polled_ns = self._asked_ns = self.now_ns
        self._stepped_ns = 0
        self._believe(self._measured_offset(), monotonic())
        #: How often the wall clock stepped.
        self.steps = 0
        #: Reads located, and how many of them used the time of the read as arrival.
        self.reads = 0
        self.fallbacks = 0

    @property
    def wall_offset_ns(self) -> int:
        """The last accepted offset, wall clock minus monotonic clock: add it to an arrival for its wall time."""
        return self._offset_ns

    def begin_pass(self) -> None:
        """Note that the reactor is about to ask which sockets are readable. Other data will arrive after this."""
        self.floor_ns = self._polled_ns
        self._ask()
        self._polled_ns = self._asked_ns

    def begin_part(self) -> None:
        """Note that the reactor, between two passes, is about to ask about some sockets only, always the same. It last
        asked about those when it last asked at all.
        """
        self._pass_floor_ns, self.floor_ns = self.floor_ns, self._asked_ns
        self._ask()

    def end_part(self) -> None:
        """Note that the following reads are of sockets about which the reactor last asked in a pass."""
        self.floor_ns = self._pass_floor_ns

    def _ask(self) -> None:
        wall_ns = self._wall()
        now_ns = self._monotonic()
        self._asked_ns = now_ns - READABLE_AFTER_NS
        if -JITTER_NS < wall_ns - now_ns - self._offset_ns < SAME_CLOCK_NS:
            self._believe(wall_ns - now_ns, now_ns)
        else:
            self._check_step()

    def _believe(self, offset_ns: int, now_ns: int) -> None:
        self._offset_ns, self._measured_ns = offset_ns, now_ns
        self._doubt_after_ns = now_ns + GOOD_FOR_NS
        self._doubt_before_ns = max(self.floor_ns, self._stepped_ns)

    def locate(self, stamp_ns: int | None) -> int:
        """Return the arrival, in monotonic ns, of a read that was made just now and stamped ``stamp_ns``.

        Sets ``now_ns`` to the time of the read. Without a stamp, or if a clock step made the stamp useless, the time of
        the read is the arrival.
        """
        offset_ns, earliest_ns, latest_ns = self.sound()
        now_ns = self._monotonic()
        self.took(1, now_ns)
        if stamp_ns is not None:
            arrival_ns = stamp_ns - offset_ns
            if earliest_ns <= arrival_ns <= now_ns < latest_ns:
                return arrival_ns
        return self.doubted(stamp_ns, now_ns)

    def sound(self) -> tuple[int, int, int]:
        """Return the offset and a range, for callers that locate many reads in a loop within one pass.

        A stamp minus the offset is the arrival if it is not before the range, the time of the read is not after the
        range, and the arrival is not after the read. Otherwise call :meth:`doubted`, and then this method again.
        """
        return self._offset_ns, self._doubt_before_ns, self._doubt_after_ns

    def took(self, reads: int, now_ns: int) -> None:
        """Count reads that were located, the last of them at ``now_ns``."""
        self.now_ns = now_ns
        self.reads += reads

    def doubted(self, stamp_ns: int | None, now_ns: int) -> int:
        """Return the arrival of a read at ``now_ns`` whose stamp is missing or doubtful: before the pass, as of data
        left in the kernel, or in the future, or in a pass that has lasted long.
        """
        if stamp_ns is None:
            self.fallbacks += 1
            return now_ns
        self._check_step()
        arrival_ns = stamp_ns - self._offset_ns
        if self._stepped_ns <= arrival_ns <= now_ns:
            return arrival_ns
        if not now_ns < arrival_ns < now_ns + FUTURE_NS:
            self.fallbacks += 1
        return now_ns

    def _check_step(self) -> None:
        """Measure the offset carefully, and check whether a clock stepped."""
        offset_ns = self._measured_offset()
        now_ns = self._monotonic()
        elapsed_ns = max(0, now_ns - self._measured_ns)
        if abs(offset_ns - self._offset_ns) > SAME_CLOCK_NS + elapsed_ns * MAX_SLEW:
            self.steps += 1
            self._stepped_ns = now_ns
        self._believe(offset_ns, now_ns)

    def _measured_offset(self) -> int:
        """Measure wall clock minus monotonic clock, by the fastest of a few pairs of reads."""
        best: tuple[int, int] | None = None
        for _ in range(5):
            before_ns, wall_ns, after_ns = self._monotonic(), self._wall(), self._monotonic()
            pair = (after_ns - before_ns, wall_ns - (before_ns + after_ns) // 2)
            best = pair if best is None or pair < best else best
        assert best is not None
        return best[1]
