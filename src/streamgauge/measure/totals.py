"""A whole run: slices of all processes, added up by name and, second by second, over all names."""

from collections import defaultdict
from dataclasses import dataclass, field

from streamgauge.measure.alignment import DelayTotals
from streamgauge.measure.histogram import Histogram
from streamgauge.measure.ledger import Key
from streamgauge.measure.slice import Slice
from streamgauge.measure.tally import Tally
from streamgauge.measure.uncertainty import Range, uncertain_first_chunks, uncertain_intervals

#: Seconds for which slices of slow workers may still enter a second's percentiles.
OPEN_SECONDS = 30
_QUANTILES = {"p50": 0.5, "p99": 0.99}


@dataclass(slots=True)
class Second:
    """One second over all names and processes."""

    active_by: dict[str, int] = field(default_factory=dict)
    """Streams under way, by process, while the second is open."""
    active_closed: int = 0
    started: int = 0
    finished: int = 0
    failed: int = 0
    chunks: int = 0
    bytes: int = 0
    times: Tally | None = field(default_factory=Tally)
    """The times to first chunk and the intervals, while the second is open."""
    percentiles_s: dict[str, dict[str, float | None]] = field(default_factory=dict)
    """What they came to, once it is closed: ``p50`` and ``p99`` of each metric."""
    ranges_s: dict[str, dict[str, Range]] = field(default_factory=dict)
    """And what coalesced reads left open of that."""

    @property
    def active(self) -> int:
        """Streams under way at its end, over all processes."""
        return self.active_closed + sum(self.active_by.values())

    def add(self, tally: Tally) -> None:
        """Count what one name did in this second."""
        self.started += tally.started
        self.finished += tally.finished
        self.failed += tally.failed
        self.chunks += tally.chunks
        self.bytes += tally.bytes
        if self.times is not None:
            self.times.merge_times(tally)

    def quantiles(self, metric: str) -> dict[str, float | None]:
        """``p50`` and ``p99`` of a metric, in seconds."""
        if self.times is None:
            return self.percentiles_s[metric]
        return dict(zip(_QUANTILES, getattr(self.times, metric).quantiles_s(_QUANTILES.values()), strict=True))

    def uncertain(self) -> dict[str, dict[str, Range]]:
        """Which of these coalesced reads leave undetermined, with their range in seconds, by metric."""
        if self.times is None:
            return self.ranges_s
        ranges_s = {
            "time_to_first_chunk": uncertain_first_chunks(self.times, _QUANTILES),
            "chunk_interval": uncertain_intervals(self.times, _QUANTILES),
        }
        return {metric: found for metric, found in ranges_s.items() if found}

    def close(self) -> None:
        """Keep the percentiles and the sum, and let the histograms and the processes go."""
        self.active_closed, self.active_by = self.active, {}
        self.percentiles_s = {metric: self.quantiles(metric) for metric in ("time_to_first_chunk", "chunk_interval")}
        self.ranges_s, self.times = self.uncertain(), None


@dataclass(slots=True)
class Process:
    """One load generator process: for how long it took part, and how much of that it could not do its work."""

    seconds: int = 0
    busy_seconds: int = 0
    """Those in which it used all of its core."""
    taken_s: float = 0.0
    """How long its event loop stood still without using the CPU."""

    @property
    def busy_share(self) -> float:
        """Share of its seconds in which it was busy."""
        return self.busy_seconds / self.seconds if self.seconds else 0.0

    @property
    def taken_share(self) -> float:
        """Share of its time that was taken from it."""
        return min(1.0, self.taken_s / self.seconds) if self.seconds else 0.0


class RunTotals:
    """What a run has come to so far. Merging is exact: totals do not depend on how many processes there were."""

    def __init__(self) -> None:
        self.tallies: defaultdict[Key, Tally] = defaultdict(Tally)
        self.seconds: dict[int, Second] = {}
        self.delays = DelayTotals()
        self.lag = Histogram()
        self.hub_lag = Histogram()
        self.reads = 0
        self.fallbacks = 0
        self.clock_steps = 0
        self.cpu_max = 0.0
        self.longest_pause_s = 0.0
        self.longest_taken_s = 0.0
        self.processes: defaultdict[str, Process] = defaultdict(Process)
        self.refusal_pauses = 0
        self.refusal_pause_s = 0.0
        #: By user class, which options of the user its streams have used.
        self.options_used: defaultdict[str, set[str]] = defaultdict(set)
        #: What went wrong in counting, a sentence each.
        self.problems: list[str] = []
        #: What of that leaves the end of the run unknown.
        self.failings: list[str] = []
        self._closed_before = 0

    def add(self, process: str, part: Slice, busy_cpu: float) -> None:
        """Add what ``process`` counted in one second; it was busy if it used ``busy_cpu`` of a core or more."""
        second = self.seconds.setdefault(part.t_s, Second())
        second.active_by[process] = part.active
        for key, tally in part.tallies.items():
            self.tallies[key].merge(tally)
            second.add(tally)
        self.delays.add(process, part.tallies, part.wall_offset_ns, stepped=part.clock_steps > 0)
        self.lag.merge(part.lag)
        self.hub_lag.merge(part.hub_lag)
        self.reads += part.reads
        self.fallbacks += part.fallbacks
        self.clock_steps += part.clock_steps
        self.cpu_max = max(self.cpu_max, min(1.0, part.cpu))  # of more than one core it has only one to turn its loop
        self.longest_pause_s = max(self.longest_pause_s, part.longest_pause_s)
        self.longest_taken_s = max(self.longest_taken_s, part.longest_taken_s)
        self.refusal_pauses += part.refusal_pauses
        self.refusal_pause_s += part.refusal_pause_s
        for user_class, used in part.options_used.items():
            self.options_used[user_class].update(used)
        known = self.processes[process]
        known.seconds += 1
        known.busy_seconds += part.cpu >= busy_cpu
        known.taken_s += part.taken_s
        self._close_before(part.t_s - OPEN_SECONDS)

    @property
    def taken_share(self) -> float:
        """Share of the time in which an event loop stood still and did not use the CPU, over all processes."""
        taken_s, seconds = (sum(getattr(each, of) for each in self.processes.values()) for of in ("taken_s", "seconds"))
        return min(1.0, taken_s / seconds) if seconds else 0.0

    def _close_before(self, t_s: int) -> None:
        for past in range(self._closed_before, t_s):
            if past in self.seconds:
                self.seconds[past].close()
        self._closed_before = max(self._closed_before, t_s)
