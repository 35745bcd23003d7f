"""What all streams of one process share."""

from collections.abc import Callable
from dataclasses import dataclass, field

from streamgauge.client.reactor import Reactor
from streamgauge.client.sweep import Sweep
from streamgauge.measure.clock import ArrivalClock
from streamgauge.measure.cpu_wait import CpuWait
from streamgauge.measure.ledger import Ledger


@dataclass(slots=True)
class Instruments:
    """Where streams are counted, their clock, and what drives them."""

    ledger: Ledger
    reactor: Reactor
    clock: ArrivalClock = field(default_factory=ArrivalClock)
    cpu_waited_ns: Callable[[], int] = field(default_factory=lambda: CpuWait().ns)
    """How long this thread has waited for a CPU so far."""

    def __post_init__(self) -> None:
        self.reactor.around_each_pass(self.clock.begin_pass, Sweep(self.ledger, self.clock))
        self.reactor.around_each_part(self.clock.begin_part, self.clock.end_part)
