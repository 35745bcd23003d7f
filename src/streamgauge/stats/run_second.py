"""One second of a run over all processes: what each name did in it, and what all names did together."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from streamgauge.stats.process_stats import Key
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.stats.uncertainty import Range, uncertain_first_chunks, uncertain_intervals

METRICS = ("time_to_first_chunk", "chunk_interval")
_QUANTILES = {"p50": 0.5, "p99": 0.99}


@dataclass(slots=True)
class Counts:
    """What streams did in one second."""

    started: int = 0
    finished: int = 0
    failed: int = 0
    chunks: int = 0
    bytes: int = 0

    def count(self, stats: StreamStats) -> None:
        """Add what ``tally`` counted."""
        self.started += stats.started
        self.finished += stats.finished
        self.failed += stats.failed
        self.chunks += stats.chunks
        self.bytes += stats.bytes


@dataclass(slots=True, frozen=True)
class Times:
    """``p50`` and ``p99`` of each metric, in seconds, and what coalesced reads leave open of them."""

    values_s: tuple[float | None, ...] = (None,) * len(METRICS) * len(_QUANTILES)
    """Both percentiles of the first metric, then those of the second."""
    ranges_s: dict[str, dict[str, Range]] = field(default_factory=dict)
    """The percentiles that are undetermined, by metric, with their range."""

    @classmethod
    def of(cls, stats: StreamStats) -> "Times":
        """The percentiles of what ``tally`` recorded."""
        values_s = [getattr(stats, metric).quantiles_s(_QUANTILES.values()) for metric in METRICS]
        first_chunks, intervals = uncertain_first_chunks(stats, _QUANTILES), uncertain_intervals(stats, _QUANTILES)
        ranges_s = dict(zip(METRICS, (first_chunks, intervals), strict=True))
        return cls(
            tuple(value_s for pair in values_s for value_s in pair),
            {metric: found for metric, found in ranges_s.items() if found},
        )

    def quantiles(self, metric: str) -> dict[str, float | None]:
        """``p50`` and ``p99`` of a metric."""
        first = METRICS.index(metric) * len(_QUANTILES)
        return dict(zip(_QUANTILES, self.values_s[first : first + len(_QUANTILES)], strict=True))


@dataclass(slots=True)
class NameSecond(Counts):
    """What the streams of one name and protocol did in one second."""

    times: Times = field(default_factory=Times)


@dataclass(slots=True)
class RunSecond(Counts):
    """One second over all names and processes."""

    active_by: dict[str, int] = field(default_factory=dict)
    """Streams under way, by process, while the second is open."""
    active_closed: int = 0
    all_stats: dict[Key, StreamStats] | None = field(default_factory=dict)
    """Counts and times by name, while the second is open."""
    closed_times: Times = field(default_factory=Times)
    closed_names: dict[Key, NameSecond] = field(default_factory=dict)
    """What they came to, once it is closed."""

    @property
    def active(self) -> int:
        """Streams under way at its end, over all processes."""
        return self.active_closed + sum(self.active_by.values())

    def add(self, key: Key, stats: StreamStats) -> None:
        """Count what one name did."""
        self.count(stats)
        if self.all_stats is None:
            self.closed_names.setdefault(key, NameSecond()).count(stats)
            return
        known = self.all_stats.get(key)
        if known is None:
            known = self.all_stats[key] = StreamStats()
        known.merge_second(stats)

    def times(self) -> Times:
        """The percentiles over all names."""
        return self.closed_times if self.all_stats is None else Times.of(_pooled(self.all_stats.values()))

    def names(self, line_of: Callable[[Key], Key]) -> dict[Key, NameSecond]:
        """What each name did; ``line_of`` tells which names are counted together, and under which name."""
        if self.all_stats is None:
            return self.closed_names
        lines: defaultdict[Key, list[StreamStats]] = defaultdict(list)
        for key, stats in self.all_stats.items():
            lines[line_of(key)].append(stats)
        return {line: _named(all_stats) for line, all_stats in lines.items()}

    def close(self, line_of: Callable[[Key], Key]) -> None:
        """Keep the percentiles and the sum, and let the histograms and the processes go."""
        self.active_closed, self.active_by = self.active, {}
        self.closed_names, self.closed_times = self.names(line_of), self.times()
        self.all_stats = None


def _named(all_stats: list[StreamStats]) -> NameSecond:
    found = NameSecond(times=Times.of(all_stats[0] if len(all_stats) == 1 else _pooled(all_stats)))
    for stats in all_stats:
        found.count(stats)
    return found


def _pooled(all_stats: Iterable[StreamStats]) -> StreamStats:
    pooled = StreamStats()
    for stats in all_stats:
        pooled.merge_times(stats)
    return pooled
