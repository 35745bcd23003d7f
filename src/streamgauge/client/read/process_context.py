"""What all streams of one process share: statistics, event loop and clock."""

from collections.abc import Callable
from dataclasses import dataclass, field

from streamgauge.client.reactor import Reactor
from streamgauge.client.read.batch_reader import BatchReader
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

    def __post_init__(self) -> None:
        self.reactor.around_each_pass(self.clock.begin_pass, BatchReader(self.process_stats, self.clock))
        self.reactor.around_each_part(self.clock.begin_part, self.clock.end_part)
