"""What the processes of a run counted in some part of it, merged: streams by name, and the generator itself."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streamgauge.stats.clocks.alignment import ChunkDelays, RunDelays
from streamgauge.stats.clocks.part_delays import PartDelays
from streamgauge.stats.generator_stats import GeneratorStats
from streamgauge.stats.process_stats import Key
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats


@dataclass(slots=True)
class Process:
    """One load generator process: how long it took part, and for how long of that it could not work."""

    seconds: int = 0
    busy_seconds: int = 0
    """Seconds in which it used a whole core."""
    waited_s: float = 0.0
    """How long it was ready to run while other processes had the CPU."""
    stopped_s: float = 0.0
    """How long it was stopped: it neither used a CPU nor waited for one."""

    @property
    def busy_share(self) -> float:
        """Share of its seconds in which it was busy."""
        return self.busy_seconds / self.seconds if self.seconds else 0.0

    @property
    def waited_share(self) -> float:
        """Share of its time in which it waited for a CPU."""
        return min(1.0, self.waited_s / self.seconds) if self.seconds else 0.0

    @property
    def stopped_share(self) -> float:
        """Share of its time in which it was stopped."""
        return min(1.0, self.stopped_s / self.seconds) if self.seconds else 0.0

    def merge(self, other: "Process") -> None:
        """Add the times of ``other``."""
        self.seconds += other.seconds
        self.busy_seconds += other.busy_seconds
        self.waited_s += other.waited_s
        self.stopped_s += other.stopped_s


class RunPart(GeneratorStats):
    """Counts of the seconds of a part of a run. Merging is exact: sums do not depend on the number of processes."""

    def __init__(self, delays: RunDelays | PartDelays | None = None) -> None:
        super().__init__()
        self.all_stats: defaultdict[Key, StreamStats] = defaultdict(StreamStats)
        #: The chunk delays, aligned by the clocks of this part or, of ``PartDelays``, of the whole run; None for none.
        self.delays = delays
        self.cpu_max = 0.0
        self.processes: defaultdict[str, Process] = defaultdict(Process)
        #: Problems of counting, a sentence each.
        self.problems: list[str] = []
        #: Problems that leave the end of the run unknown, a sentence each.
        self.failings: list[str] = []

    def count(
        self, process: str, part: SecondReport, busy_cpu: float, keyed: Iterable[tuple[Key, StreamStats]]
    ) -> None:
        """Add the second report of ``process``, with its streams under the names of the run."""
        for key, stats in keyed:
            self.all_stats[key].merge(stats)
            if self.delays is not None:
                self.delays.add(process, {key: stats}, part.wall_offset_ns, stepped=part.clock_steps > 0)
        self.merge_generator(part)
        self.cpu_max = max(self.cpu_max, min(1.0, part.cpu))  # the event loop can use only one core
        self.processes[process].merge(Process(1, int(part.cpu >= busy_cpu), part.waited_s, part.stopped_s))

    def take_out_failed(self, part: SecondReport, keyed: Iterable[tuple[Key, StreamStats]], since_s: int) -> None:
        """Take out the failed streams of a counted second whose first chunk came before second ``since_s``.

        Their times to first chunk are not in this part, so that of others must not be left out for them.
        """
        for key, stats in keyed:
            for seconds, times in stats.time_to_first_chunk.earlier.items():
                if part.t_s - seconds < since_s:
                    own = self.all_stats[key].time_to_first_chunk
                    own.failed = own.failed.minus(times)

    def merge(self, other: "RunPart") -> None:
        """Add another part of the same run, with its chunk delays if both have those of a part."""
        for key, stats in other.all_stats.items():
            self.all_stats[key].merge(stats)
        self.merge_generator(other)
        self.cpu_max = max(self.cpu_max, other.cpu_max)
        for name, process in other.processes.items():
            self.processes[name].merge(process)
        if isinstance(self.delays, PartDelays) and isinstance(other.delays, PartDelays):
            self.delays.merge(other.delays)

    def chunk_delays(self) -> Mapping[Key, ChunkDelays]:
        """Return the chunk delays by name and protocol; none if this part has none."""
        return {} if self.delays is None else self.delays.results()

    @property
    def taken_share(self) -> float:
        """Share of the time in which a process waited for a CPU or was stopped, over all processes."""
        taken_s = sum(each.waited_s + each.stopped_s for each in self.processes.values())
        seconds = sum(each.seconds for each in self.processes.values())
        return min(1.0, taken_s / seconds) if seconds else 0.0
