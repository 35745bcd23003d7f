"""The times of one stream's chunks: exact if a read brought one chunk, an interval if it brought several.

A read has one stamp, that of its last segment. If one chunk ends where the read ends, the stamp is its arrival.
Otherwise each chunk of the read arrived somewhere between ``floor_ns``, the earliest time at which anything in the read
can have arrived, and the stamp. Such chunks count as coalesced, and as evenly spread: that is the estimate of the time
to first chunk and of the intervals. Two more histograms have their least and their greatest possible value, so that a
statistic can state its uncertainty.

A generator that waited for a CPU before it could send the request makes the time to first chunk too long. Where the
length of that delay is known, the stream starts that much later; otherwise the time to first chunk is uncertain by it.
"""

from streamgauge.client.read.sleep_mark import SleepMark
from streamgauge.client.start_delay import StartDelay
from streamgauge.stats.moment import Moment
from streamgauge.stats.stream_stats import StreamStats

#: Shorter waits for a CPU are part of any wake-up, and too short to mark a percentile.
NEGLIGIBLE_WAIT_NS = 50_000


class ChunkTimer:
    """Counts one stream's chunks and times in ``stats`` as they arrive. All times are monotonic ns."""

    __slots__ = (
        "_begun_ns",
        "_earliest_ns",
        "_estimate_ns",
        "_first_estimate_ns",
        "_stall_ns",
        "answer_ns",
        "behind_ns",
        "chunks",
        "coalesced",
        "delayed_ns",
        "exact",
        "first_earliest_ns",
        "first_ns",
        "floor_ns",
        "last_ns",
        "long_ns",
        "max_interval_ns",
        "silent_earliest_ns",
        "silent_ns",
        "sleep",
        "stalls",
        "start_ns",
        "stats",
        "taken_ns",
    )

    def __init__(self, stats: StreamStats, start_ns: int, stall_ns: int, sleep: SleepMark | None = None) -> None:
        #: Set when the request is sent, and at each read of a body that ends with its connection.
        self.sleep = SleepMark(lambda: None, lambda: start_ns) if sleep is None else sleep
        #: Where the chunks are counted.
        self.stats = stats
        self._stall_ns = stall_ns
        self._begun_ns = self.start_ns = start_ns
        #: How long before ``start_ns`` the stream was scheduled to start, from when its times count.
        self.behind_ns = 0
        #: How long a wait for a CPU may have delayed the request.
        self.delayed_ns = 0
        #: The first chunk's arrival, at the latest (None before it) and at the earliest.
        self.first_ns: int | None = None
        self.first_earliest_ns = start_ns
        self._first_estimate_ns = start_ns
        #: The last chunk's arrival at the latest, and where it is not exact, at the earliest and as estimated.
        self.last_ns = self._earliest_ns = self._estimate_ns = start_ns
        #: The last token without content: its arrival, at the latest and at the earliest.
        self.silent_ns = self.silent_earliest_ns = start_ns
        #: The earliest arrival of the chunks that were coalesced last.
        self.floor_ns = start_ns
        #: The first chunk with content that is not a model's reasoning: its arrival at the latest; None before it.
        self.answer_ns: int | None = None
        #: Whether there is a last chunk and its arrival is exact.
        self.exact = False
        #: When a reader that is slow on purpose took something last; 0 for any other.
        self.taken_ns = 0
        self.chunks = 0
        self.coalesced = 0
        self.stalls = 0
        self.max_interval_ns = 0
        #: An interval above this is the longest so far, or a stall.
        self.long_ns = min(0, stall_ns)

    def count_in(self, stats: StreamStats) -> None:
        """Count in ``stats`` from now on."""
        self.stats = stats

    def delay(self, by: StartDelay, now_ns: int) -> None:
        """Note that the request is being sent. Start the stream later by its delay, unless chunks came before."""
        self.sleep.mark(by.waited_ns)
        if self.chunks:
            return
        self.delayed_ns = by.possible_ns
        self.start_at(min(self._begun_ns + by.known_ns, now_ns))

    def start_at(self, start_ns: int) -> None:
        """Start the stream at this time, before its first chunk."""
        self.start_ns = start_ns
        self.first_earliest_ns = self.last_ns = self._earliest_ns = self._estimate_ns = self.floor_ns = self.start_ns

    @property
    def counted_from_ns(self) -> int:
        """When the stream's times begin: at its start, or at its scheduled start."""
        return self.start_ns - self.behind_ns

    @property
    def first(self) -> Moment:
        """The arrival of the first chunk, which must have come."""
        assert self.first_ns is not None
        return Moment(self.first_earliest_ns, self._first_estimate_ns, self.first_ns)

    @property
    def last(self) -> Moment:
        """The arrival of the last chunk."""
        if self.exact:
            return Moment.exactly(self.last_ns)
        return Moment(self._earliest_ns, self._estimate_ns, self.last_ns)

    @property
    def last_silent(self) -> Moment:
        """The arrival of the last token without content."""
        return Moment(self.silent_earliest_ns, self.silent_ns, self.silent_ns)

    @property
    def possible_delay_ns(self) -> int:
        """How much earlier the request may have been sent, if the generator had not waited for a CPU."""
        return self.delayed_ns if self.delayed_ns > NEGLIGIBLE_WAIT_NS else 0

    @property
    def time_to_first_chunk_ns(self) -> tuple[int, tuple[int, int] | None] | None:
        """The time to first chunk, an estimate with its range if it is not exact; None if no chunk came."""
        if self.first_ns is None:
            return None
        begin_ns, delay_ns = self.counted_from_ns, self.possible_delay_ns
        most_ns = self.first_ns - begin_ns
        if self.first_earliest_ns == self.first_ns and not delay_ns:
            return most_ns, None
        least_ns = max(0, self.first_earliest_ns - begin_ns - delay_ns)
        estimate_ns = self._first_estimate_ns - begin_ns
        return (max(0, estimate_ns - delay_ns) + estimate_ns) // 2, (least_ns, most_ns)

    def silent_token(self, floor_ns: int, arrival_ns: int) -> None:
        """Note a token without content, which arrived between these times and behind the last chunk."""
        self.silent_ns = arrival_ns
        self.silent_earliest_ns = min(max(floor_ns, self.last.earliest_ns), arrival_ns)

    def chunk(self, arrival_ns: int) -> None:
        """Count one chunk that arrived exactly then."""
        if not self.exact:
            self._between(1, arrival_ns, arrival_ns, exact=True)
            self.exact = True
            return
        interval_ns = arrival_ns - self.last_ns
        self.last_ns = arrival_ns
        self.chunks += 1
        stats = self.stats
        stats.chunks += 1
        stats.chunk_interval.all.record_ns(interval_ns)
        if interval_ns > self.long_ns:
            self.count_long(interval_ns)

    def add_chunks(self, count: int, last_ns: int) -> None:
        """Add chunks that the fast path counted, all exact, and the arrival of the last one."""
        self.chunks += count
        self.last_ns = last_ns

    def coalesced_chunks(self, count: int, floor_ns: int, arrival_ns: int, *, last_is_exact: bool) -> None:
        """Count chunks that arrived between ``floor_ns`` and ``arrival_ns``, the last one perhaps exactly then."""
        self.coalesced += count
        self.stats.coalesced += count
        if self.exact:
            self._earliest_ns = self._estimate_ns = self.last_ns
        if self.first_ns is None and floor_ns < arrival_ns:
            floor_ns = self.sleep.earliest_ns(floor_ns, arrival_ns)
        self.floor_ns = floor_ns = min(max(floor_ns, self._earliest_ns), arrival_ns)
        self._between(count, floor_ns, arrival_ns, exact=last_is_exact)
        self._earliest_ns = arrival_ns if last_is_exact else floor_ns
        self.exact = last_is_exact

    def _between(self, count: int, floor_ns: int, arrival_ns: int, *, exact: bool) -> None:
        """Count chunks that arrived between two times, evenly spread; unless ``exact``, something came after them."""
        self.chunks += count
        self.stats.chunks += count
        width_ns = arrival_ns - floor_ns
        step_ns = width_ns // (count if exact else count + 1)
        if self.first_ns is None:
            self.first_ns, self.first_earliest_ns, self._first_estimate_ns = arrival_ns, floor_ns, floor_ns + step_ns
            self._count_first()
        else:
            self._uncertain(
                floor_ns + step_ns - self._estimate_ns, floor_ns - self.last_ns, arrival_ns - self._earliest_ns
            )
        if count > 1:
            self._uncertain(step_ns, 0, width_ns, count - 1)
        self.last_ns, self._estimate_ns = arrival_ns, floor_ns + count * step_ns

    def _count_first(self) -> None:
        assert self.time_to_first_chunk_ns is not None
        value_ns, range_ns = self.time_to_first_chunk_ns
        if range_ns is None:
            self.stats.time_to_first_chunk.record_ns(value_ns)
        else:
            self.stats.time_to_first_chunk.record_between_ns(value_ns, *range_ns)

    def _uncertain(self, estimate_ns: int, least_ns: int, most_ns: int, times: int = 1) -> None:
        """Count ``times`` intervals that are known as a range only, which may have no width."""
        if least_ns == most_ns:
            self.stats.chunk_interval.all.record_ns(estimate_ns, times)
        else:
            self.stats.chunk_interval.record_between_ns(estimate_ns, least_ns, most_ns, times)
        if estimate_ns > self.long_ns:
            self.count_long(estimate_ns, times)

    def count_long(self, interval_ns: int, times: int = 1) -> None:
        """Count an interval above ``long_ns``, or ``times`` equal ones: the longest so far, or a stall, or both."""
        if interval_ns > self.max_interval_ns:
            self.max_interval_ns = interval_ns
            self.long_ns = min(interval_ns, self._stall_ns)
        if interval_ns > self._stall_ns:
            self.stalls += times
            self.stats.stalls += times
