"""One second of a run over all processes: counters and times of each name, and of all names together."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from streamgauge.stats.generator_stats import GeneratorStats
from streamgauge.stats.process_stats import Key
from streamgauge.stats.stream_quantities import COUNTERS, TIMES_BY_SECOND
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.stats.uncertainty import Range, uncertain_percentiles

#: The sums of a second: how many streams began and ended in it, and the counters of the timeline.
SUMS = (
    *("started", "finished", "failed"),
    *(each.field for each in COUNTERS.values() if each.by_second and each.field != "started"),
)
#: The generator's counters of an open model.
ARRIVALS = ("scheduled_arrivals", "late_starts", "dropped_arrivals")
_QUANTILES = {"p50": 0.5, "p99": 0.99}


class Sums:
    """The sums of one second: an attribute for each of ``SUMS``."""

    __slots__ = SUMS

    def __init__(self) -> None:
        for name in SUMS:
            setattr(self, name, 0)

    def count(self, stats: StreamStats) -> None:
        """Add the counters of ``stats``."""
        for name in SUMS:
            setattr(self, name, getattr(self, name) + getattr(stats, name))

    def to_dict(self) -> dict[str, int]:
        """Return each sum by its name."""
        return {name: getattr(self, name) for name in SUMS}


@dataclass(slots=True, frozen=True)
class Times:
    """``p50`` and ``p99`` of each distribution of the timeline, in seconds, and the ranges of uncertain ones."""

    values_s: tuple[float | None, ...] = (None,) * len(TIMES_BY_SECOND) * len(_QUANTILES)
    """Both percentiles of the first distribution, then those of the second."""
    ranges_s: dict[str, dict[str, Range]] = field(default_factory=dict)
    """The range of each uncertain percentile, by distribution."""

    @classmethod
    def of(cls, stats: StreamStats) -> "Times":
        """Compute the percentiles of ``stats``."""
        every = {name: getattr(stats, name) for name in TIMES_BY_SECOND}
        values_s = [value_s for times in every.values() for value_s in times.values.quantiles_s(_QUANTILES.values())]
        ranges_s = {name: uncertain_percentiles(times, _QUANTILES) for name, times in every.items()}
        return cls(tuple(values_s), {name: found for name, found in ranges_s.items() if found})

    def to_dict(self) -> dict[str, dict[str, float | None]]:
        """Return ``p50`` and ``p99`` by distribution."""
        size = len(_QUANTILES)
        return {
            name: dict(zip(_QUANTILES, self.values_s[at * size : (at + 1) * size], strict=True))
            for at, name in enumerate(TIMES_BY_SECOND)
        }


#: The times of a second without values.
_NO_TIMES = Times()


class NameSecond(Sums):
    """The sums and times of one name and protocol in one second."""

    __slots__ = ("times",)

    def __init__(self, times: Times = _NO_TIMES) -> None:
        super().__init__()
        self.times = times


class RunSecond(Sums):
    """The sums and times of one second over all names and processes."""

    __slots__ = ("active_by", "active_closed", "all_stats", "arrivals", "chunks_by", "closed_names", "closed_times")

    def __init__(self) -> None:
        super().__init__()
        #: Streams under way, by process, while the second is open.
        self.active_by: dict[str, int] = {}
        self.active_closed = 0
        #: What became of the arrivals of an open model, by the name of its counter.
        self.arrivals = dict.fromkeys(ARRIVALS, 0)
        #: Chunks by name, while the second is open: those of names without a line of the timeline too.
        self.chunks_by: defaultdict[Key, int] = defaultdict(int)
        #: Counts and times by line, while the second is open.
        self.all_stats: dict[Key, StreamStats] | None = {}
        #: Times and sums by name, once the second is closed.
        self.closed_times = _NO_TIMES
        self.closed_names: dict[Key, NameSecond] = {}

    @property
    def active(self) -> int:
        """Streams under way at the end of the second, over all processes."""
        return self.active_closed + sum(self.active_by.values())

    def add(self, key: Key, stats: StreamStats) -> None:
        """Add the counts and times of one name."""
        self.count(stats)
        if self.all_stats is None:
            self.closed_names.setdefault(key, NameSecond()).count(stats)
            return
        known = self.all_stats.get(key)
        if known is None:
            known = self.all_stats[key] = StreamStats()
        known.merge_second(stats)

    def count_arrivals(self, report: GeneratorStats) -> None:
        """Add the arrivals of one process."""
        if report.scheduled_arrivals or report.late_starts or report.dropped_arrivals:
            self.arrivals = {name: known + getattr(report, name) for name, known in self.arrivals.items()}

    def times(self) -> Times:
        """Return the percentiles over all names."""
        return self.closed_times if self.all_stats is None else Times.of(_pooled(self.all_stats.values()))

    def names(self, line_of: Callable[[Key], Key]) -> dict[Key, NameSecond]:
        """Return sums and times by line of the timeline; ``line_of`` returns the line of a name."""
        if self.all_stats is None:
            return self.closed_names
        lines: defaultdict[Key, list[StreamStats]] = defaultdict(list)
        for key, stats in self.all_stats.items():
            lines[line_of(key)].append(stats)
        return {line: _named(all_stats) for line, all_stats in lines.items()}

    def close(self, line_of: Callable[[Key], Key]) -> None:
        """Keep the percentiles and the sums, and drop the histograms and the processes."""
        self.active_closed, self.active_by = self.active, {}
        self.chunks_by.clear()
        self.closed_names, self.closed_times = self.names(line_of), self.times()
        self.all_stats = None


def _named(all_stats: list[StreamStats]) -> NameSecond:
    found = NameSecond(Times.of(all_stats[0] if len(all_stats) == 1 else _pooled(all_stats)))
    for stats in all_stats:
        found.count(stats)
    return found


def _pooled(all_stats: Iterable[StreamStats]) -> StreamStats:
    pooled = StreamStats()
    for stats in all_stats:
        pooled.merge_times(stats)
    return pooled
