"""Streams without a framework: the caller waits, a selector drives."""

from collections.abc import Iterable

from streamgauge.client.exchange import Exchange, Instruments
from streamgauge.client.plan import StreamPlan
from streamgauge.client.reactor import SelectorReactor
from streamgauge.client.socket import resolve
from streamgauge.measure.clock import ArrivalClock
from streamgauge.measure.ledger import Ledger
from streamgauge.measure.record import StreamRecord


def run_streams(plans: Iterable[StreamPlan], ledger: Ledger | None = None) -> list[StreamRecord]:
    """Start all of ``plans`` at once, wait until each has ended, and return their records in the same order.

    Raises what the plans' own callables raised.
    """
    reactor = SelectorReactor()
    instruments = Instruments(ledger or Ledger(), ArrivalClock(reactor.tick), reactor)
    exchanges = [Exchange(plan, instruments, on_end=lambda: None) for plan in plans]
    try:
        for exchange in exchanges:
            target = exchange.plan.request.target
            try:
                exchange.start(resolve(target.host, target.port))
            except OSError as error:
                exchange.fail_to_connect(error.strerror or str(error))
        reactor.run_until(lambda: all(exchange.record for exchange in exchanges))
    finally:
        for exchange in exchanges:
            exchange.censor()
            if exchange.reusable is not None:
                exchange.reusable.close()
        reactor.close()
    return [_result(exchange) for exchange in exchanges]


def _result(exchange: Exchange) -> StreamRecord:
    if exchange.error is not None:
        raise exchange.error
    assert exchange.record is not None
    return exchange.record
