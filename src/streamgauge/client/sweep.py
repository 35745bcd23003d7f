"""Reading many streams in one loop: all whose short way is open and that a pass of the event loop found readable.

What they have in common is looked up once, and the processor has the same few instructions before it, instead of
finding its way back to them from a callback for each.
"""

from typing import Any

from streamgauge.client.shortcut import Shortcut
from streamgauge.client.socket import ANCILLARY_BYTES, READ_BYTES, stamps_of
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
    """Reads streams that are readable."""

    def __init__(self, ledger: Ledger, clock: ArrivalClock) -> None:
        self._ledger, self._clock = ledger, clock

    def __call__(self, shortcuts: list[Any]) -> None:
        """Read many, then count what came: a system call takes the processor's mind off everything else."""
        for at in range(0, len(shortcuts), AT_ONCE):
            if reads := self._read(shortcuts[at : at + AT_ONCE]):
                self._take_in(reads)

    def _read(self, shortcuts: list[Shortcut]) -> list[_Read]:
        reads, monotonic_ns = [], self._ledger.now_ns
        for shortcut in shortcuts:
            try:
                data, ancillary, _, _ = shortcut.sock.recvmsg(READ_BYTES, ANCILLARY_BYTES)
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
        batch = _Batch(reads[0][0].tally)
        for (shortcut, data, _, now_ns), stamp_ns in zip(reads, stamps_of([read[2] for read in reads]), strict=True):
            arrival_ns = 0 if stamp_ns is None else stamp_ns - offset_ns
            if not earliest_ns <= arrival_ns <= now_ns < latest_ns:
                arrival_ns = clock.doubted(stamp_ns, now_ns)
                offset_ns, earliest_ns, latest_ns = clock.sound()
            if stamp_ns is not None:
                lags_ns.append(now_ns - arrival_ns)
            event, text = whole_event(data), shortcut.telling_text
            if (
                event is None
                or event[2] in shortcut.telling_names
                or (text is not None and text in data)
                or len(data) > shortcut.most_bytes
            ):
                shortcut.long_way(data, arrival_ns)
                continue
            size, digits, _ = event
            if digits is not None and shortcut.due is not None:
                number = int(digits)
                if number == shortcut.due:
                    shortcut.due = number + 1
                else:
                    shortcut.out_of_turn(number)
            if shortcut.tally is not batch.tally:
                batch.count()
                batch = _Batch(shortcut.tally)
            batch.sizes_bytes.append(size - _CLOSING_BYTES)
            shortcut.bytes += size
            interval_ns = arrival_ns - shortcut.last_ns
            batch.intervals_ns.append(interval_ns)
            shortcut.last_ns = arrival_ns
            shortcut.chunks += 1
            if not shortcut.brief_ns <= interval_ns <= shortcut.notable_ns:
                shortcut.notable(interval_ns)
        batch.count()
        self._ledger.lag.record_all_ns(lags_ns)


class _Batch:
    """Chunks that one tally is to count."""

    __slots__ = ("intervals_ns", "sizes_bytes", "tally")

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.intervals_ns: list[int] = []
        self.sizes_bytes: list[int] = []

    def count(self) -> None:
        tally, chunks = self.tally, len(self.sizes_bytes)
        tally.chunks += chunks
        tally.bytes += sum(self.sizes_bytes) + chunks * _CLOSING_BYTES
        tally.chunk_interval.record_all_ns(self.intervals_ns)
        tally.chunk_sizes.record_all(self.sizes_bytes)
