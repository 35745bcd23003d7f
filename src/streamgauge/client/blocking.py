"""Runs streams without a framework: the caller waits while a selector drives them."""

from collections.abc import Iterable

from streamgauge.client.connect.routing import Network
from streamgauge.client.exchange import Exchange
from streamgauge.client.plan import StreamPlan
from streamgauge.client.reactor import SelectorReactor
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.session import Session
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.stats.record import StreamRecord


def run_streams(
    plans: Iterable[StreamPlan], process_stats: ProcessStats | None = None, network: Network | None = None
) -> list[StreamRecord]:
    """Run all ``plans`` at once until each stream has ended; return their records in the same order.

    Raises what a callable of a plan raised.
    """
    reactor = SelectorReactor()
    context = ProcessContext(process_stats or ProcessStats(), reactor)
    paused: list[_Run] = []
    runs = [_Run(plan, context, network, paused) for plan in plans]
    try:
        for run in runs:
            run.session.start(run.exchange)
        under_way = len(runs)
        while under_way:
            reactor.run_until(lambda: bool(paused))
            under_way -= not paused.pop().go_on()
    finally:
        for run in runs:
            run.exchange.censor()
            run.session.finish(run.exchange)
            run.session.close()
        reactor.close()
    return [run.result() for run in runs]


class _Run:
    """One stream and the session that drives it."""

    def __init__(
        self, plan: StreamPlan, context: ProcessContext, network: Network | None, paused: "list[_Run]"
    ) -> None:
        self.session = Session(network)
        self.exchange = Exchange(plan, context, on_pause=lambda: paused.append(self))

    def go_on(self) -> bool:
        return self.session.go_on(self.exchange)

    def result(self) -> StreamRecord:
        return self.exchange.result()
