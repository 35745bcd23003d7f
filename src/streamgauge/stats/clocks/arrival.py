"""From the kernel's arrival stamps, which are wall clock, to this process's monotonic clock.

The kernel stamps a segment with CLOCK_REALTIME; streams are timed on CLOCK_MONOTONIC, which never steps. The two differ
by an offset that NTP slews slowly and an operator can step. The offset is measured anew in each pass of the event loop,
and believed only when it agrees with the one before: a process that is preempted between its two clock reads measures
it too small. Within a pass an arrival that cannot be, before the pass could have seen it or after now, is reason enough
to measure once more.
"""

import time
from collections.abc import Callable

#: An offset this much above or below the last one, or less, is the same clock.
SAME_CLOCK_NS = 200_000
#: The fastest that NTP may slew a clock, as a share.
MAX_SLEW = 0.001
#: An offset that fell by less is not worth a second look: two clock reads take about this long.
JITTER_NS = 2_000
#: A stamp this far in the future is a clock that stepped, not rounding.
FUTURE_NS = 50_000
#: The kernel stamps a segment when it comes in, and this long after that at most, unless it is short of CPU time, the
#: socket is readable.
READABLE_AFTER_NS = 50_000
#: In so short a time no slewing moves an arrival by more than 50 µs.
GOOD_FOR_NS = 50_000_000


class ArrivalClock:
    """Locates arrivals. One instance serves all streams of an event loop, which says when a pass begins."""

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
        #: Nothing that a read of the present pass brought can have arrived before this: the socket was not readable
        #: when the pass before asked.
        self.floor_ns = self._pass_floor_ns = self.now_ns
        #: When the loop last asked what is readable: all of it, and some of it at least.
        self._polled_ns = self._asked_ns = self.now_ns
        self._stepped_ns = 0
        self._believe(self._measured_offset(), monotonic())
        #: How often the wall clock stepped.
        self.steps = 0
        #: Reads located, and those among them whose read time had to serve as arrival.
        self.reads = 0
        self.fallbacks = 0

    @property
    def wall_offset_ns(self) -> int:
        """The wall clock minus the monotonic clock, as it was last believed: add it to an arrival for its wall time."""
        return self._offset_ns

    def begin_pass(self) -> None:
        """The event loop is about to ask what is readable; what it does not find arrived after this moment."""
        self.floor_ns = self._polled_ns
        self._ask()
        self._polled_ns = self._asked_ns

    def begin_part(self) -> None:
        """Between two passes it is about to ask for some of it only, the same each time: that was asked for last when
        it last asked at all.
        """
        self._pass_floor_ns, self.floor_ns = self.floor_ns, self._asked_ns
        self._ask()

    def end_part(self) -> None:
        """What is read from here on was asked for last in a pass."""
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
        """The arrival on the monotonic clock, in ns, of a read that the kernel stamped ``stamp_ns``, just now.

        ``now_ns`` holds the read time afterwards. Without a stamp, or with one that a clock step spoiled, the read time
        itself is the arrival.
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
        """For one who locates many reads in a loop of one pass: wall minus monotonic clock, and a range.

        A stamp minus the offset is an arrival where it is no earlier than the range and the read time no later, and the
        arrival no later than the read. Any other is for :meth:`doubted`, and then this is to be asked again.
        """
        return self._offset_ns, self._doubt_before_ns, self._doubt_after_ns

    def took(self, reads: int, now_ns: int) -> None:
        """Reads were located, the last of them at ``now_ns``."""
        self.now_ns = now_ns
        self.reads += reads

    def doubted(self, stamp_ns: int | None, now_ns: int) -> int:
        """The arrival of a read at ``now_ns`` that came before the pass could see it, as what was left behind in the
        kernel does; or after now; or in a pass that has lasted long; or without a stamp.
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
        """Measure the offset with care, and tell whether a clock stepped."""
        offset_ns = self._measured_offset()
        now_ns = self._monotonic()
        elapsed_ns = max(0, now_ns - self._measured_ns)
        if abs(offset_ns - self._offset_ns) > SAME_CLOCK_NS + elapsed_ns * MAX_SLEW:
            self.steps += 1
            self._stepped_ns = now_ns
        self._believe(offset_ns, now_ns)

    def _measured_offset(self) -> int:
        """Wall minus monotonic, from the tightest of a few pairs of reads."""
        best: tuple[int, int] | None = None
        for _ in range(5):
            before_ns, wall_ns, after_ns = self._monotonic(), self._wall(), self._monotonic()
            pair = (after_ns - before_ns, wall_ns - (before_ns + after_ns) // 2)
            best = pair if best is None or pair < best else best
        assert best is not None
        return best[1]
