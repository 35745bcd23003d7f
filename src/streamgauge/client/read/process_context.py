"""What all streams of one process share: statistics, event loop and clock."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field

from streamgauge.client.reactor import Reactor
from streamgauge.client.read.batch_reader import BatchReader
from streamgauge.client.read.short_streams import ShortStreams
from streamgauge.stats.clocks.arrival import ArrivalClock
from streamgauge.stats.cpu_wait import CpuWait
from streamgauge.stats.process_stats import ProcessStats


@dataclass(slots=True)
class ProcessContext:
    """The statistics, the event loop and the clock of one process."""

    process_stats: ProcessStats
    reactor: Reactor
    clock: ArrivalClock = field(default_factory=ArrivalClock)
    cpu_waited_ns: Callable[[], int] = field(default_factory=lambda: CpuWait().ns)
    """How long this thread has waited for a CPU so far."""
    cpu_busy_ns: Callable[[], int | None] = field(default_factory=lambda: CpuWait().busy_ns)
    """How long it has run or waited for a CPU so far; None if the system does not count waits."""
    short_streams: ShortStreams = field(init=False)

    def __post_init__(self) -> None:
        self.short_streams = ShortStreams(self.reactor, self.clock, self.cpu_busy_ns, self.process_stats.now_ns)
        self.reactor.around_each_pass(self.clock.begin_pass, BatchReader(self.process_stats, self.clock))
        self.reactor.around_each_part(self.clock.begin_part, self.clock.end_part)

    def uncounted(self) -> "ProcessContext":
        """Return the same event loop and clock with other statistics, for requests that are not streams."""
        other = copy(self)
        other.process_stats = ProcessStats()
        return other
