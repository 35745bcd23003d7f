"""Reading many streams in one loop: all whose short way is open and that a pass of the event loop found readable.

The reactor's callback for such a stream only notes it. At the end of the pass they are read one after the other: what
they have in common is looked up once, and the processor has the same few instructions before it, instead of finding its
way back to them from each callback.
"""

from collections.abc import Callable
from functools import partial

from streamgauge.client.shortcut import Shortcut
from streamgauge.client.socket import ANCILLARY_BYTES, READ_BYTES, stamp_of
from streamgauge.measure.clock import ArrivalClock
from streamgauge.measure.ledger import Ledger
from streamgauge.measure.tally import Tally
from streamgauge.wire.whole import whole_event

#: Reads are held until they are counted, and one can be as large as READ_BYTES.
AT_ONCE = 256
#: The empty line that closes an event is no part of its size.
_CLOSING_BYTES = 2
#: A stream, what was read of it, the control messages with it, and the read time.
_Read = tuple[Shortcut, bytes, list[tuple[int, int, bytes]], int]


class Sweep:
    """Reads the streams that were noted since the last call."""

    def __init__(self, ledger: Ledger, clock: ArrivalClock) -> None:
        self._ledger, self._clock = ledger, clock
        self._readable: list[Shortcut] = []

    def noting(self, shortcut: Shortcut) -> Callable[[], None]:
        """What is to be called when the stream is readable."""
        return partial(self._readable.append, shortcut)

    def __call__(self) -> None:
        """Read many, then count what came: a system call takes the processor's mind off everything else."""
        if not self._readable:
            return
        shortcuts = self._readable[:]
        self._readable.clear()
        for at in range(0, len(shortcuts), AT_ONCE):
            if reads := self._read(shortcuts[at : at + AT_ONCE]):
                self._take_in(reads)

    def _read(self, shortcuts: list[Shortcut]) -> list[_Read]:
        reads, monotonic_ns = [], self._ledger.now_ns
        for shortcut in shortcuts:
            try:
                data, ancillary, _, _ = shortcut.recvmsg(READ_BYTES, ANCILLARY_BYTES)
            except OSError as error:
                shortcut.cannot_read(error)
                continue
            if data:
                reads.append((shortcut, data, ancillary, monotonic_ns()))
            else:
                shortcut.long_way(data, 0)
        return reads

    def _take_in(self, reads: list[_Read]) -> None:
        clock, lags_ns = self._clock, []
        offset_ns, earliest_ns, latest_ns = clock.sound()
        clock.took(len(reads), reads[-1][3])
        batch = _Batch(reads[0][0].timer.tally)
        for shortcut, data, ancillary, now_ns in reads:
            stamp_ns = stamp_of(ancillary[0]) if ancillary else None
            arrival_ns = 0 if stamp_ns is None else stamp_ns - offset_ns
            if not earliest_ns <= arrival_ns <= now_ns < latest_ns:
                arrival_ns = clock.doubted(stamp_ns, now_ns)
                offset_ns, earliest_ns, latest_ns = clock.sound()
            lags_ns.append(now_ns - arrival_ns)
            event = whole_event(data)
            if event is None or event[2] in shortcut.telling_names or shortcut.is_telling(data):
                shortcut.long_way(data, arrival_ns)
                continue
            size, digits, _ = event
            sequence, timer = shortcut.sequence, shortcut.timer
            if sequence is not None and digits is not None:
                number = int(digits)
                if number == sequence.due:
                    sequence.due = number + 1
                else:
                    sequence.add(number)
            if timer.tally is not batch.tally:
                batch.count()
                batch = _Batch(timer.tally)
            shortcut.body.bytes += size
            batch.sizes.append(size)
            interval_ns = arrival_ns - timer.last_ns
            batch.intervals_ns.append(interval_ns)
            timer.last_ns = arrival_ns
            timer.chunks += 1
            if interval_ns > timer.notable_ns:
                timer.notable(interval_ns)
        batch.count()
        self._ledger.lag.record_all_ns(lags_ns)


class _Batch:
    """Chunks that one tally is to count."""

    __slots__ = ("intervals_ns", "sizes", "tally")

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.intervals_ns: list[int] = []
        self.sizes: list[int] = []

    def count(self) -> None:
        tally, fresh = self.tally, self.tally.chunk_sizes.fresh
        tally.chunks += len(self.sizes)
        tally.bytes += sum(self.sizes)
        tally.chunk_interval.record_all_ns(self.intervals_ns)
        for size in self.sizes:
            fresh[size - _CLOSING_BYTES] += 1
