"""Everything that is counted for the streams of one name and protocol: what runs add up and results are made from."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from streamgauge.stats.clocks.raw_delays import RawDelays
from streamgauge.stats.histogram import Histogram
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.sizes import Sizes

#: What the times to first chunk and the intervals are, and what is uncertain of them.
_TIMES = (
    "time_to_first_chunk",
    "uncertain_first_chunk",
    "least_first_chunk",
    "chunk_interval",
    "coalesced_interval",
    "least_interval",
    "most_interval",
)
_HISTOGRAMS = (
    *_TIMES,
    "failed_time_to_first_chunk",
    "duration",
    "time_per_output_token",
    "coalesced_token_time",
    "least_token_time",
    "most_token_time",
    "duration_per_token",
)
_COUNTS = (
    "started",
    "chunks",
    "bytes",
    "heartbeats",
    "stalls",
    "coalesced",
    "lost",
    "repeated",
    "out_of_order",
    "beyond_window",
    "reconnects",
    "tokens",
)
#: The newest stream's part of what is typical is one of so many.
_NEWEST = 8
#: A body ends late where its closing framing arrives this long after its last chunk, and the streams of a name do where
#: more than this share of them did lately: one server that was held up once says nothing of the others.
LATE_END_NS, LATE_ENDS_SHARE = 500_000, 0.15
#: Sentences on failures that are kept apart, the most frequent ones; rarer ones count under their outcome alone.
MAX_REASONS = 50
_OTHER_REASONS = ": other reasons"


class StreamStats:
    """Counters and histograms that grow while streams run, and merge exactly.

    ``chunk_interval`` holds every interval, pooled over all streams. Intervals that coalesced reads leave uncertain are
    in it at their estimate; ``coalesced_interval`` holds these estimates again, ``least_interval`` and
    ``most_interval`` the least and the most that each of them can be. So it is with ``time_per_output_token``. An
    uncertain time to the first chunk is in ``time_to_first_chunk`` at its most.
    """

    __slots__ = (*_HISTOGRAMS, *_COUNTS, "chunk_sizes", "delays", "late_ends", "outcomes", "reasons", "typical_chunks")

    def __init__(self) -> None:
        self.time_to_first_chunk = Histogram()
        #: The part of ``time_to_first_chunk`` that belongs to streams that failed later.
        self.failed_time_to_first_chunk = Histogram()
        #: The part of ``time_to_first_chunk`` that coalesced reads leave uncertain, and the least that each can be.
        self.uncertain_first_chunk = Histogram()
        self.least_first_chunk = Histogram()
        self.chunk_interval = Histogram()
        self.coalesced_interval = Histogram()
        self.least_interval = Histogram()
        self.most_interval = Histogram()
        #: Of streams that completed or were aborted on purpose.
        self.duration = Histogram()
        #: Of the same streams, where they are a language model's.
        self.time_per_output_token = Histogram()
        self.coalesced_token_time = Histogram()
        self.least_token_time = Histogram()
        self.most_token_time = Histogram()
        #: The whole duration of each of these streams over its tokens: one over its tokens per second.
        self.duration_per_token = Histogram()
        #: Of chunks, their framing left out.
        self.chunk_sizes = Sizes()
        self.started = 0
        self.chunks = 0
        self.bytes = 0
        self.heartbeats = 0
        self.stalls = 0
        self.coalesced = 0
        self.lost = 0
        self.repeated = 0
        self.out_of_order = 0
        self.beyond_window = 0
        self.reconnects = 0
        self.tokens = 0
        self.outcomes: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        #: Raw chunk delays by the server clock that stamped them. They are this process's alone, and do not merge.
        self.delays: dict[str, RawDelays] = {}
        #: How many chunks a stream brings: the mean of those that ended, in which the newest count most; None before
        #: any has. It is this process's alone, and does not merge.
        self.typical_chunks: float | None = None
        #: The share of streams whose body ended late, in which the newest count most. It does not merge either.
        self.late_ends = 0.0

    @property
    def counted(self) -> bool:
        """Whether there is anything to report: a stream that began before a reset starts no more, but goes on."""
        return self.started > 0 or self.finished > 0 or self.chunks > 0

    @property
    def finished(self) -> int:
        """Streams that ended, censored ones included."""
        return self.outcomes.total()

    @property
    def failed(self) -> int:
        """Streams whose outcome counts as a failure."""
        return sum(times for outcome, times in self.outcomes.items() if Outcome(outcome).failed)

    def end(self, record: StreamRecord, *, knows_first_chunk: bool = True) -> None:
        """Count a stream that ended. Its chunks and intervals have been counted as they came.

        ``knows_first_chunk``: its time to first chunk is in ``time_to_first_chunk``, and was not forgotten since.
        """
        self.outcomes[record.outcome] += 1
        if record.chunks and record.outcome is not Outcome.CENSORED:
            before = record.chunks if self.typical_chunks is None else self.typical_chunks
            self.typical_chunks = before + (record.chunks - before) / _NEWEST
        self.heartbeats += record.heartbeats
        self.lost += record.lost
        self.repeated += record.repeated
        self.out_of_order += record.out_of_order
        self.beyond_window += record.beyond_window
        self.reconnects += record.reconnects
        self.tokens += record.tokens or 0
        if record.failed:
            if record.time_to_first_chunk_s is not None and knows_first_chunk:
                self.failed_time_to_first_chunk.record_ns(round(record.time_to_first_chunk_s * 1e9))
            self._count_reason(f"{record.outcome}: {record.reason}")
        elif record.outcome is not Outcome.CENSORED:
            self.duration.record_ns(round(record.duration_s * 1e9))
            if record.tokens:
                self.duration_per_token.record_ns(round(record.duration_s / record.tokens * 1e9))
            if record.time_per_output_token_s is not None:
                self._count_token_time(record.time_per_output_token_s, record.time_per_output_token_range_s)

    def note_end(self, after_ns: int) -> None:
        """Note that the framing that closes a body arrived ``after_ns`` after its last chunk, 0 in the same read."""
        self.late_ends += ((after_ns > LATE_END_NS) - self.late_ends) / _NEWEST

    @property
    def ends_late(self) -> bool:
        """Whether servers send the end of a body some time after its last chunk.

        Mostly they send both at once. Then the last chunk of a body has the stamp of the read that it shares with the
        end: the two arrived together. Where the end comes late, the stamp says nothing of the chunk.
        """
        return self.late_ends > LATE_ENDS_SHARE

    def _count_token_time(self, value_s: float, range_s: tuple[float, float] | None) -> None:
        self.time_per_output_token.record_ns(round(value_s * 1e9))
        if range_s is not None:
            self.coalesced_token_time.record_ns(round(value_s * 1e9))
            self.least_token_time.record_ns(round(range_s[0] * 1e9))
            self.most_token_time.record_ns(round(range_s[1] * 1e9))

    def _count_reason(self, reason: str, times: int = 1) -> None:
        new = reason not in self.reasons
        self.reasons[reason] += times
        if new and len(self.reasons) > MAX_REASONS:
            self._fold_rarest_reason()

    def _fold_rarest_reason(self) -> None:
        """Count the rarest reason, of equals the oldest, among the others of its outcome: the commonest stay named."""
        named = [reason for reason in self.reasons if not reason.endswith(_OTHER_REASONS)]
        if len(named) > MAX_REASONS:
            rarest = min(named, key=self.reasons.__getitem__)
            self.reasons[rarest.partition(":")[0] + _OTHER_REASONS] += self.reasons.pop(rarest)

    def merge(self, other: "StreamStats") -> None:
        """Add ``other`` to this one."""
        for name in _HISTOGRAMS:
            getattr(self, name).merge(getattr(other, name))
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.chunk_sizes.merge(other.chunk_sizes)
        self.outcomes.update(other.outcomes)
        for reason, times in other.reasons.items():
            self._count_reason(reason, times)

    def take(self) -> "StreamStats":
        """What was counted since the last call, and start anew; references to the histograms stay good."""
        taken = StreamStats()
        for name in _HISTOGRAMS:
            getattr(taken, name).swap(getattr(self, name))
        for name in _COUNTS:
            setattr(taken, name, getattr(self, name))
            setattr(self, name, 0)
        taken.chunk_sizes, self.chunk_sizes = self.chunk_sizes, taken.chunk_sizes
        taken.outcomes, self.outcomes = self.outcomes, taken.outcomes
        taken.reasons, self.reasons = self.reasons, taken.reasons
        taken.delays = {clock: raw for clock, raw in self.delays.items() if raw.low or raw.high}
        self.delays = {clock: new for clock, raw in taken.delays.items() if (new := raw.successor()) is not None}
        return taken

    @property
    def empty(self) -> bool:
        """Whether nothing was counted."""
        return not (self.started or self.outcomes or self.chunks or self.bytes or self.chunk_interval.count)

    def merge_times(self, other: "StreamStats") -> None:
        """Add what ``other`` knows of first chunks and intervals, failed streams' too, and nothing else."""
        for name in _TIMES:
            getattr(self, name).merge(getattr(other, name))

    def merge_second(self, other: "StreamStats") -> None:
        """Add what a second of the timeline tells: streams, chunks, bytes and times."""
        for name in ("started", "chunks", "bytes"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.outcomes.update(other.outcomes)
        self.merge_times(other)

    def interval_bounds(self) -> tuple[Histogram, Histogram]:
        """``chunk_interval`` with each uncertain interval at its least, and at its most."""
        certain = self.chunk_interval.minus(self.coalesced_interval)
        return certain.plus(self.least_interval), certain.plus(self.most_interval)

    def token_time_bounds(self) -> tuple[Histogram, Histogram]:
        """``time_per_output_token`` with each uncertain one at its least, and at its most."""
        certain = self.time_per_output_token.minus(self.coalesced_token_time)
        return certain.plus(self.least_token_time), certain.plus(self.most_token_time)

    def first_chunk_bounds(self) -> tuple[Histogram, Histogram]:
        """The time to first chunk of streams that did not fail, each uncertain one at its least, and at its most.

        Which of the uncertain ones failed later is not known. So as many as may not have are uncertain here, and theirs
        are the smallest of what is least. The first of the two is good for its percentiles alone.
        """
        most = self.time_to_first_chunk.minus(self.failed_time_to_first_chunk)
        counts, left = Counter(most.counts), 0
        for index, times in self.uncertain_first_chunk.counts.items():
            uncertain = min(times, counts[index])
            counts[index] -= uncertain
            left += uncertain
        for index, times in sorted(self.least_first_chunk.counts.items()):
            counts[index] += min(times, left)
            left -= min(times, left)
        smallest = (most.min_ns, self.least_first_chunk.min_ns)
        min_ns = min((each for each in smallest if each is not None), default=None)
        return Histogram.of(counts, 0, min_ns, most.max_ns), most

    def to_dict(self) -> dict[str, Any]:
        """A form that msgpack and JSON carry, empty histograms left out; :meth:`from_dict` reads it."""
        histograms = {name: getattr(self, name).to_dict() for name in _HISTOGRAMS if getattr(self, name).count}
        counts = {name: getattr(self, name) for name in _COUNTS}
        delays = {"delays": {clock: raw.to_dict() for clock, raw in self.delays.items()}} if self.delays else {}
        sizes = {"chunk_sizes": self.chunk_sizes.to_dict()} if self.chunks else {}
        ends = {"outcomes": dict(self.outcomes), "reasons": dict(self.reasons)}
        return {**counts, **histograms, **delays, **sizes, **ends}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "StreamStats":
        """What :meth:`to_dict` wrote."""
        stats = cls()
        for name in _HISTOGRAMS:
            if name in data:
                setattr(stats, name, Histogram.from_dict(data[name]))
        for name in _COUNTS:
            setattr(stats, name, data[name])
        if "chunk_sizes" in data:
            stats.chunk_sizes = Sizes.from_dict(data["chunk_sizes"])
        stats.outcomes.update(data["outcomes"])
        stats.reasons.update(data["reasons"])
        stats.delays = {clock: RawDelays.from_dict(raw) for clock, raw in data.get("delays", {}).items()}
        return stats
