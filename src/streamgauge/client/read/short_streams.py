"""The short streams of one process that are under way: none stays so for long."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from streamgauge.client.reactor import Reactor
from streamgauge.client.read.sleep_mark import earliest_ns
from streamgauge.stats.clocks.arrival import ArrivalClock

#: A stream is short if it ends within this time.
SHORT_NS = 20_000_000


class _Stream(Protocol):
    sent_ns: int

    def hand_over(self) -> None:
        """Let an ``Exchange`` go on with the stream."""


class Awake(NamedTuple):
    """A time at which the thread was awake, and how long it had run or waited for a CPU by then; None if unknown."""

    at_ns: int
    busy_ns: int | None


class ShortStreams:
    """Ends the short way of streams that last longer, and measures once in each pass how long the thread has slept."""

    def __init__(
        self, reactor: Reactor, clock: ArrivalClock, busy_ns: Callable[[], int | None], now_ns: Callable[[], int]
    ) -> None:
        self._reactor, self._clock = reactor, clock
        self._busy_ns, self._now_ns = busy_ns, now_ns
        self._under_way: dict[_Stream, None] = {}
        self._swept = True
        #: What was measured last, and in which pass, by its floor.
        self._awake, self._awake_floor_ns = Awake(0, None), -1

    def awake(self) -> Awake:
        """Return what was measured since the last pass began."""
        floor_ns = self._clock.floor_ns
        if floor_ns != self._awake_floor_ns:
            self._awake, self._awake_floor_ns = Awake(self._now_ns(), self._busy_ns()), floor_ns
        return self._awake

    def earliest_ns(self, since: Awake, floor_ns: int, arrival_ns: int) -> int:
        """Return what ``SleepMark.earliest_ns`` does for a read of this pass; ``since`` is of before the request."""
        now = self.awake()
        if now.busy_ns is None or since.busy_ns is None:
            return floor_ns
        return earliest_ns(now.at_ns, now.busy_ns - since.busy_ns, floor_ns, arrival_ns)

    def add(self, stream: _Stream) -> None:
        """Watch a stream whose request was sent."""
        self._under_way[stream] = None
        if self._swept:
            self._swept = False
            self._reactor.after(SHORT_NS / 1e9, self._sweep)

    def remove(self, stream: _Stream) -> None:
        """Forget a stream. May be called twice."""
        self._under_way.pop(stream, None)

    def _sweep(self) -> None:
        """Hand over the streams that are no longer short."""
        self._swept = True
        before_ns = self._now_ns() - SHORT_NS
        for stream in [stream for stream in self._under_way if stream.sent_ns <= before_ns]:
            stream.hand_over()
        if self._under_way:
            self._swept = False
            self._reactor.after(SHORT_NS / 1e9, self._sweep)
