"""Reads many streams in one loop: those on the fast path that a pass of the event loop found readable.

The loop looks up once what all reads share, and keeps the same few instructions in the CPU caches. A callback per
stream would not.
"""

from typing import Any

from streamgauge.client.connect.stamped_socket import ANCILLARY_BYTES, READ_BYTES, stamps_of
from streamgauge.client.read.fast_path import FastPath
from streamgauge.stats.clocks.arrival import ArrivalClock
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.wire.sse_fast_path import CLOSING_BYTES, whole_event

#: How many reads are held at most before they are counted; one can be as large as READ_BYTES.
AT_ONCE = 256
#: How much of the last read a reason may need; small enough for Python's own allocator.
QUOTED_BYTES = 240
#: The stream, the bytes of one read, the control messages with them, and the time of the read.
_Read = tuple[FastPath, bytes, list[tuple[int, int, bytes]], int]


class BatchReader:
    """Reads streams that are readable and on the fast path."""

    def __init__(self, process_stats: ProcessStats, clock: ArrivalClock) -> None:
        self._process_stats, self._clock = process_stats, clock

    def __call__(self, fast_paths: list[Any]) -> None:
        """Read a batch first and count afterwards: a system call evicts the CPU caches."""
        for at in range(0, len(fast_paths), AT_ONCE):
            if reads := self._read(fast_paths[at : at + AT_ONCE]):
                self._count(reads)

    def _read(self, fast_paths: list[FastPath]) -> list[_Read]:
        reads, monotonic_ns = [], self._process_stats.now_ns
        for fast_path in fast_paths:
            try:
                data, ancillary, _, _ = fast_path.sock.recvmsg(READ_BYTES, ANCILLARY_BYTES)
            except OSError as error:
                fast_path.fail(error)
                continue
            if data:
                reads.append((fast_path, data, ancillary, monotonic_ns()))
            else:
                fast_path.pass_on(data, 0)
        return reads

    def _count(self, reads: list[_Read]) -> None:
        clock, lags_ns = self._clock, []
        offset_ns, earliest_ns, latest_ns = clock.sound()
        clock.took(len(reads), reads[-1][3])
        batch = _Batch(reads[0][0].stats)
        sizes_bytes, intervals_ns = batch.sizes_bytes, batch.intervals_ns
        for (fast_path, data, _, now_ns), stamp_ns in zip(reads, stamps_of([read[2] for read in reads]), strict=True):
            arrival_ns = 0 if stamp_ns is None else stamp_ns - offset_ns
            if not earliest_ns <= arrival_ns <= now_ns < latest_ns:
                arrival_ns = clock.doubted(stamp_ns, now_ns)
                offset_ns, earliest_ns, latest_ns = clock.sound()
            if stamp_ns is not None:
                lags_ns.append(now_ns - arrival_ns)
            event = whole_event(data)
            if event is None or data.find(fast_path.inspected_text) >= 0:  # much cheaper than ``in``
                fast_path.pass_on(data, arrival_ns)
                continue
            size, digits, name = event
            if len(data) > fast_path.most_bytes or (name is not None and name in fast_path.inspected_names):
                fast_path.pass_on(data, arrival_ns)
                continue
            if fast_path.looks_closer:
                if fast_path.inspected_texts and any(text in data for text in fast_path.inspected_texts):
                    fast_path.pass_on(data, arrival_ns)
                    continue
                fast_path.last_data = data[:QUOTED_BYTES]  # a copy, so that the read is freed
            if digits is not None and fast_path.due is not None:
                number = int(digits)
                if number == fast_path.due:
                    fast_path.due = number + 1
                else:
                    fast_path.check_number(number)
            if fast_path.stats is not batch.stats:
                batch.count()
                batch = _Batch(fast_path.stats)
                sizes_bytes, intervals_ns = batch.sizes_bytes, batch.intervals_ns
            sizes_bytes.append(size - CLOSING_BYTES)
            fast_path.bytes += size
            interval_ns = arrival_ns - fast_path.last_ns
            intervals_ns.append(interval_ns)
            fast_path.last_ns = arrival_ns
            fast_path.chunks += 1
            if not fast_path.close_ns <= interval_ns <= fast_path.long_ns:
                fast_path.check_interval(interval_ns)
        batch.count()
        self._process_stats.lag.record_all_ns(lags_ns)


class _Batch:
    """Chunks that one StreamStats is about to count."""

    __slots__ = ("intervals_ns", "sizes_bytes", "stats")

    def __init__(self, stats: StreamStats) -> None:
        self.stats = stats
        self.intervals_ns: list[int] = []
        self.sizes_bytes: list[int] = []

    def count(self) -> None:
        stats, chunks = self.stats, len(self.sizes_bytes)
        if not chunks:
            return
        stats.chunks += chunks
        stats.bytes += sum(self.sizes_bytes) + chunks * CLOSING_BYTES
        stats.chunk_interval.all.record_all_ns(self.intervals_ns)
        stats.chunk_sizes.record_all(self.sizes_bytes)
